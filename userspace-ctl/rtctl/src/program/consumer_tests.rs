// SPDX-License-Identifier: GPL-2.0-only
//! Tests of what actions ask of the tool, over the module in memory.

use std::cell::RefCell;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;

use d_compiler::compile::compile;
use d_compiler::macros::Macros;
use d_compiler::options::Options as Compiling;
use d_compiler::parse::parse;
use d_compiler::types::Types;
use rust_tracer::fake::{Fake, FakeFunction};

use super::*;

fn consumer() -> Consumer {
    let fake: std::sync::Arc<Fake> = Fake::new(1, vec![FakeFunction::new("vfs_read")]);
    let session = Session::over(fake).unwrap();
    let mut types = Types::new(None);
    let program = parse("BEGIN { exit(0); }", &Macros::default()).unwrap();
    let compiled = compile(&program, &mut types, &Compiling::default()).unwrap();
    let machine = Machine::new(Rc::new(RefCell::new(types)), None, true);
    let options = Options::default();
    Consumer::new(
        &session,
        &compiled,
        Load::default(),
        machine,
        &options,
        false,
    )
    .unwrap()
}

#[test]
fn freopen_appends_to_a_file_that_exists() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("out");
    fs::write(&file, "before\n").unwrap();
    let mut consumer = consumer();
    let mut out = Vec::new();
    for text in ["one\n", "two\n"] {
        consumer.reopen(&Names::default(), (0, 0), file.as_os_str().as_bytes());
        consumer.write(&mut out, text.as_bytes());
    }
    consumer.reopen(&Names::default(), (0, 0), b"");
    consumer.write(&mut out, b"back\n");
    assert_eq!(fs::read_to_string(&file).unwrap(), "before\none\ntwo\n");
    assert_eq!(out, b"back\n");
}

#[test]
fn json_says_what_was_dropped_and_lost_and_why_it_ended_and_text_does_not() {
    let said = |json| {
        let mut consumer = consumer();
        consumer.printer.json = json;
        let mut out = Vec::new();
        consumer.dropped(&mut out, messages::Drop::Dynamic, 3);
        let lost = Lost {
            cpu: 1,
            total: 5,
            told: 2,
            skipped: 0,
        };
        consumer.lost_at_end(&mut out, &lost);
        let closing = Closing::new(Vec::new());
        consumer.ledger(&mut out, &Names::default(), &closing);
        consumer.error(&mut out, "over");
        String::from_utf8(out).unwrap()
    };
    assert_eq!(said(false), "");
    let text = said(true);
    let kinds = ["drop", "lost", "ledger", "error"];
    let found: Vec<_> = text.lines().collect();
    assert_eq!(found.len(), kinds.len(), "{text}");
    for (line, kind) in found.iter().zip(kinds) {
        assert!(line.contains(&format!("\"kind\":\"{kind}\"")), "{line}");
    }
}

#[test]
fn what_was_taken_is_not_kept_beside_what_it_was_joined_to() {
    let mut consumer = consumer();
    consumer.taken = vec![0; 8];
    consumer.join(&Names::default());
    assert!(consumer.taken.is_empty());
}

#[test]
fn a_file_that_cannot_be_written_is_told() {
    let mut consumer = consumer();
    consumer.reopen(&Names::default(), (0, 0), b"/no/such/file");
    let said = consumer.said().concat();
    let why = "couldn't freopen() \"/no/such/file\": No such file or directory";
    assert!(said.contains(why), "{said}");
}
