// SPDX-License-Identifier: GPL-2.0-only
//! Tests of what is said of programs before they trace, over the module in memory.

use std::sync::Arc;

use rust_tracer::fake::{Fake, FakeFunction};

use super::*;
use crate::speaker::tests::Heard;

/// The exit status of a command line, or the error; and what was said beside it.
fn said(line: &[&str]) -> (Result<u8, String>, String) {
    let fake: Arc<Fake> = Fake::new(1, vec![FakeFunction::new("vfs_read")]);
    let session = Session::over(fake).unwrap();
    let line = std::iter::once("rtctl").chain(line.iter().copied());
    let (args, texts) = Args::parse_from_line(line).unwrap();
    let mut options = Options::default();
    for text in &args.option {
        options.set(text).unwrap();
    }
    let (heard, mut says) = Heard::speaker(false);
    let done = run(&args, options, &session, &texts, &mut says);
    (done.map_err(|error| error.to_string()), heard.text())
}

#[test]
fn a_program_that_is_only_compiled_enables_nothing() {
    let nothing = || (Ok(0), String::new());
    assert_eq!(said(&["-e", "-n", "fbt::vfs_read:entry"]), nothing());
    // Without -w it could not be enabled, and there would not be room for its records.
    let text = "BEGIN { freopen(\"/tmp/x\"); @[0] = count(); }";
    let sizes = ["-x", "bufsize=8", "-x", "aggsize=0"];
    assert_eq!(said(&[&["-e", "-n", text], &sizes[..]].concat()), nothing());
    assert_eq!(said(&["-e", "-Z", "-n", "fbt::nosuch:entry"]), nothing());
}

#[test]
fn what_is_wrong_with_a_program_is_told_though_it_is_only_compiled() {
    for (text, tag) in [
        ("fbt::nosuch:entry", "D_PDESC_ZERO"),
        ("BEGIN, fbt::nosuch:return { exit(0); }", "D_PDESC_ZERO"),
        ("BEGIN { trace(wrong); }", "D_IDENT_UNDEF"),
        // dtrace-utils test/unittest/dtrace-util/tst.ZeroProbeIdentifier.sh
        ("9999", "D_PDESC_INVAL"),
    ] {
        let (done, said) = said(&["-e", "-n", text]);
        let error = done.unwrap_err();
        let start = format!("invalid probe specifier {text}: [{tag}] ");
        assert!(error.starts_with(&start), "{error}");
        assert_eq!(said, "");
    }
}

#[test]
fn what_is_matched_is_told_before_what_cannot_be_enabled() {
    // dtrace(1) looks for the probes (dtrace_program_exec) before it makes buffers (dtrace_go).
    for (text, size, why) in [
        (
            "BEGIN { exit(0); }",
            "bufsize=8",
            "Enabling exceeds size of buffer",
        ),
        (
            "BEGIN { freopen(\"/tmp/x\"); }",
            "bufsize=1m",
            "Destructive actions not allowed",
        ),
    ] {
        let (done, said) = said(&["-n", text, "-x", size]);
        let error = done.unwrap_err();
        assert!(
            error.starts_with(&format!("could not enable tracing: {why}")),
            "{error}"
        );
        assert_eq!(said, "rtctl: description 'BEGIN ' matched 1 probe\n");
    }
}

#[test]
fn an_argument_that_is_left_over_is_told() {
    for line in [
        &["-n", "fbt::vfs_read:entry", "foo"][..],
        &["-l", "-n", "fbt::vfs_read:entry", "foo"],
    ] {
        let error = said(line).0.unwrap_err();
        let why = "extraneous argument 'foo' ($1 is not referenced)";
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn an_id_that_is_none_is_told() {
    let error = said(&["-i", "-3"]).0.unwrap_err();
    assert!(error.starts_with("invalid probe specifier -3: "), "{error}");
}

#[test]
fn a_process_is_told_by_its_line_in_proc() {
    assert_eq!(relations("7 (a) b) S 3 5 4 0 -1"), [3, 5, 4]);
    // Its session began in another pid namespace.
    assert_eq!(relations("7 (sh) S 0 0 0 0 -1"), [0, 0, 0]);
    assert_eq!(relations(""), [0, 0, 0]);
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let parent = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    assert_eq!(relations(&stat)[0], i64::from(parent));
}
