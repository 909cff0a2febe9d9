// SPDX-License-Identifier: GPL-2.0-only
//! Listings and enablings over the module in memory, to the character.

use std::sync::Arc;

use rust_tracer::fake::{Fake, FakeFunction};

use super::*;
use crate::enable::enable;
use crate::speaker::tests::Heard;
use crate::spec::Field;

fn session() -> Session {
    let functions = vec![
        FakeFunction::new("vfs_read"),
        FakeFunction {
            aliases: "write_alias other",
            module: "a_module",
            ..FakeFunction::new("vfs_write")
        },
        FakeFunction {
            stub: true,
            ..FakeFunction::new("do_nanosleep")
        },
        FakeFunction {
            why: 5,
            ..FakeFunction::new("vfs_read.cold")
        },
    ];
    Session::over(Fake::new(1, functions) as Arc<_>).unwrap()
}

fn specs(texts: &[&str]) -> Vec<(String, Spec)> {
    texts
        .iter()
        .map(|text| {
            let spec = Spec::parse_list(Field::Name, text).unwrap().remove(0);
            ((*text).to_owned(), spec)
        })
        .collect()
}

/// What is listed, what is said, and whether everything was found.
fn listed(texts: &[&str], format: Format, verbose: bool) -> (String, String, bool) {
    let (heard, mut says) = Heard::speaker(false);
    let mut out = Vec::new();
    let form = (format, verbose);
    let all = list(&session(), &specs(texts), form, &mut out, &mut says).unwrap();
    (String::from_utf8(out).unwrap(), heard.text(), all)
}

fn enabled(texts: &[&str], zero: bool, quiet: bool) -> (String, Result<(), String>) {
    let (heard, mut says) = Heard::speaker(quiet);
    let result = enable(&session(), &specs(texts), zero, &mut says);
    (heard.text(), result.map_err(|error| error.to_string()))
}

#[test]
fn the_listing_is_dtraces() {
    let (out, said, all) = listed(&[], Format::Text, false);
    assert_eq!(
        out,
        "   ID   PROVIDER            MODULE                          FUNCTION NAME
    1     dtrace                                                     BEGIN
    2     dtrace                                                     END
    3     dtrace                                                     ERROR
    -    profile                                                     profile-97
    -    profile                                                     profile-199
    -    profile                                                     profile-499
    -    profile                                                     profile-997
    -    profile                                                     profile-1999
    -    profile                                                     profile-4001
    -    profile                                                     profile-4999
    -    profile                                                     tick-1
    -    profile                                                     tick-10
    -    profile                                                     tick-100
    -    profile                                                     tick-500
    -    profile                                                     tick-1000
    -    profile                                                     tick-5000
    1        fbt           vmlinux                          vfs_read entry
    2        fbt           vmlinux                          vfs_read return
    3        fbt          a_module                         vfs_write entry
    4        fbt          a_module                         vfs_write return
    5        fbt           vmlinux                      do_nanosleep entry
    6        fbt           vmlinux                      do_nanosleep return
"
    );
    assert_eq!((said.as_str(), all), ("", true));
}

#[test]
fn a_verbose_listing_tells_ways_names_and_reasons() {
    let (out, _, all) = listed(&["vfs_*:entry"], Format::Text, true);
    assert_eq!(
        out,
        "   ID   PROVIDER            MODULE                          FUNCTION NAME   WAY    NOTES
    1        fbt           vmlinux                          vfs_read entry  ops
    3        fbt          a_module                         vfs_write entry  ops    also named write_alias other
    -        fbt           vmlinux                     vfs_read.cold -      none   it is a split-off part of another function
"
    );
    assert!(all);
}

#[test]
fn a_verbose_listing_tells_why_a_return_has_no_stub() {
    let (out, _, all) = listed(&["*:return"], Format::Text, true);
    let why = "no stub: not known to take all arguments in registers and to return to its caller";
    let lines: Vec<_> = out.lines().skip(1).map(|line| line[35..].trim()).collect();
    assert_eq!(
        lines,
        [
            format!("vfs_read return fprobe {why}"),
            format!("vfs_write return fprobe {why}; also named write_alias other"),
            "do_nanosleep return stub".to_owned(),
            "vfs_read.cold -      none   it is a split-off part of another function".to_owned(),
        ]
    );
    assert!(all);
}

#[test]
fn an_entry_alone_goes_by_ops_whatever_a_stub_could_serve() {
    let (out, ..) = listed(&["do_nanosleep:"], Format::Text, true);
    let ways: Vec<_> = out.lines().skip(1).map(|line| line[35..].trim()).collect();
    assert_eq!(
        ways,
        ["do_nanosleep entry  ops", "do_nanosleep return stub"]
    );
}

#[test]
fn a_listing_in_json_is_one_object_per_line() {
    let (out, ..) = listed(
        &["vfs_write:", "do_nanosleep:return", "vfs_read.cold:"],
        Format::Json,
        true,
    );
    assert_eq!(
        out,
        r#"{"kind":"probe","id":3,"provider":"fbt","module":"a_module","function":"vfs_write","name":"entry","way":"ops","aliases":["write_alias","other"]}
{"kind":"probe","id":4,"provider":"fbt","module":"a_module","function":"vfs_write","name":"return","way":"fprobe","why_not_better":"no stub: not known to take all arguments in registers and to return to its caller","aliases":["write_alias","other"]}
{"kind":"probe","id":6,"provider":"fbt","module":"vmlinux","function":"do_nanosleep","name":"return","way":"stub"}
{"kind":"untraceable","provider":"fbt","module":"vmlinux","function":"vfs_read.cold","why":"it is a split-off part of another function"}
"#
    );
}

#[test]
fn an_id_lists_its_probe_alone() {
    let (heard, mut says) = Heard::speaker(false);
    let specs = [6, 99].map(|id| {
        let spec = Spec {
            id: Some(id),
            ..Spec::default()
        };
        (id.to_string(), spec)
    });
    let mut out = Vec::new();
    let form = (Format::Text, false);
    let all = list(&session(), &specs, form, &mut out, &mut says).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "   ID   PROVIDER            MODULE                          FUNCTION NAME
    6        fbt           vmlinux                      do_nanosleep return
"
    );
    assert_eq!(
        heard.text(),
        "rtctl: failed to match 99: No probe matches description\n"
    );
    assert!(!all);
}

#[test]
fn what_is_not_found_is_told_and_the_rest_listed() {
    let texts = [
        "fbt::nosuch:entry",
        "syscall::read:entry",
        "vfs_read:return",
    ];
    let (out, said, all) = listed(&texts, Format::Text, false);
    assert_eq!(out.lines().count(), 2);
    assert_eq!(
        said,
        "rtctl: failed to match fbt::nosuch:entry: No probe matches description
rtctl: failed to match syscall::read:entry: No probe matches description
"
    );
    assert!(!all);
}

#[test]
fn enabling_says_how_many_probes_match() {
    let (said, result) = enabled(&["fbt::vfs_read:entry", "vfs_*:"], false, false);
    assert_eq!(
        said,
        "rtctl: description 'fbt::vfs_read:entry' matched 1 probe
rtctl: description 'vfs_*:' matched 4 probes
"
    );
    assert_eq!(result, Ok(()));
    assert_eq!(enabled(&["vfs_*:"], false, true), (String::new(), Ok(())));
}

#[test]
fn enabling_nothing_is_an_error_unless_it_may_be() {
    let (said, result) = enabled(&["fbt::nosuch:entry"], false, false);
    assert_eq!(said, "");
    assert_eq!(
        result.unwrap_err(),
        "invalid probe specifier fbt::nosuch:entry: probe description fbt::nosuch:entry does not \
         match any probes"
    );
    let (said, result) = enabled(&["fbt::nosuch:entry"], true, false);
    assert_eq!(
        said,
        "rtctl: description 'fbt::nosuch:entry' matched 0 probes\n"
    );
    assert_eq!(result, Ok(()));
}

#[test]
fn enabling_what_cannot_be_traced_says_why() {
    let (_, result) = enabled(&["vfs_read.cold:entry"], false, false);
    assert_eq!(
        result.unwrap_err(),
        "invalid probe specifier vfs_read.cold:entry: probe description ::vfs_read.cold:entry \
         does not match any probes\n  \
         fbt:vmlinux:vfs_read.cold: cannot be traced: it is a split-off part of another function"
    );
}
