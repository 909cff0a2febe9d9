// SPDX-License-Identifier: GPL-2.0-only
//! Every form of the output, to the character.

use std::cell::RefCell;
use std::rc::Rc;

use rust_tracer::fake::{Fake, FakeFunction};
use rust_tracer::{Context, Event, ExecName, Firing, Kind, Probe, Row, Session, Way, Who};

use super::*;
use crate::symbols::Symbols;

fn probe(index: u32, id: u32, name: &str, kind: Kind) -> Probe {
    Probe {
        index,
        id,
        function: id / 2,
        kind,
        way: Way::Ops,
        why: None,
        module: "vmlinux".into(),
        name: name.into(),
        own: None,
    }
}

/// Both probes of vfs_read and of rw_verify_area, and the entry of a function
/// with a very long name.
fn names() -> Names {
    let mut names = Names::default();
    names.extend(vec![
        probe(0, 12344, "vfs_read", Kind::Entry),
        probe(1, 12345, "vfs_read", Kind::Return),
        probe(2, 8, "rw_verify_area", Kind::Entry),
        probe(3, 9, "rw_verify_area", Kind::Return),
        probe(4, 1234566, "a_function_with_quite_a_long_name", Kind::Entry),
    ]);
    names
}

fn entry(probe: u32) -> Record {
    Record {
        time: 812_004_519_377,
        cpu: 0,
        context: Context::Task,
        event: Event::Entry {
            at: at(probe),
            args: [
                0xffff_8881_042f_6c00,
                0x7ffd_5b3f_6a40,
                0x20000,
                10,
                0,
                u64::MAX,
            ],
        },
    }
}

fn back(probe: u32, value: u64) -> Record {
    Record {
        time: 812_004_520_809,
        event: Event::Return {
            at: at(probe),
            value,
            elapsed: 1432,
        },
        ..entry(probe)
    }
}

fn lost(count: u64) -> Record {
    Record {
        time: 812_000_000_001,
        cpu: 1,
        context: Context::Irq,
        event: Event::Lost { count },
    }
}

fn at(probe: u32) -> Firing {
    Firing {
        probe,
        pid: 671,
        tid: 672,
    }
}

fn called(probe: u32) -> Record {
    Record {
        event: Event::Called {
            at: at(probe),
            who: ls(),
        },
        ..entry(probe)
    }
}

fn returned(probe: u32, result: Option<i32>) -> Record {
    Record {
        event: Event::Returned {
            at: at(probe),
            who: ls(),
            result,
            elapsed: 812,
        },
        ..entry(probe)
    }
}

fn ls() -> Who {
    Who {
        uid: 1001,
        execname: ExecName::new(*b"ls\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
    }
}

fn skipped(bytes: u64) -> Record {
    Record {
        event: Event::Skipped { bytes },
        ..entry(0)
    }
}

fn written(form: impl Form, records: &[Record]) -> String {
    written_with(form, &names(), records)
}

fn written_with(mut form: impl Form, names: &Names, records: &[Record]) -> String {
    let mut out = Vec::new();
    for record in records {
        form.record(&mut out, names, record);
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn columns_are_dtraces() {
    assert_eq!(
        written(
            Columns::new(false),
            &[entry(0), lost(3), back(1, 0), entry(4), entry(99)]
        ),
        "\
CPU     ID                    FUNCTION:NAME
  0  12344                   vfs_read:entry \n\
\x20 0  12345                  vfs_read:return \n\
\x20 0 1234566 a_function_with_quite_a_long_name:entry \n\
\x20 0      -                                ? \n"
    );
}

#[test]
fn verbose_columns_add_who_when_and_what() {
    let records = [
        entry(0),
        back(1, 4096),
        back(1, -2_i64 as u64),
        back(1, 0xffff_fffe),
        back(1, -4095_i64 as u64),
        lost(1),
        lost(11),
    ];
    assert_eq!(
        written(Columns::new(true), &records),
        "\
CPU     ID                    FUNCTION:NAME              TIME     PID     TID CONTEXT
  0  12344                   vfs_read:entry     812.004519377     671     672 task    arg0=0xffff8881042f6c00 arg1=0x7ffd5b3f6a40 arg2=0x20000 arg3=0xa arg4=0x0 arg5=0xffffffffffffffff
  0  12345                  vfs_read:return     812.004520809     671     672 task    = 4096 (0x1000) in 1432 ns
  0  12345                  vfs_read:return     812.004520809     671     672 task    = -2 ENOENT in 1432 ns
  0  12345                  vfs_read:return     812.004520809     671     672 task    = 4294967294 (0xfffffffe, as an int -2 ENOENT) in 1432 ns
  0  12345                  vfs_read:return     812.004520809     671     672 task    = -4095 (0xfffffffffffff001) in 1432 ns
  1      -                             lost     812.000000001       -       - irq     1 record lost here
  1      -                             lost     812.000000001       -       - irq     11 records lost here
"
    );
}

#[test]
fn flow_indents_by_depth() {
    let records = [entry(0), entry(2), back(3, 0), back(1, 0), back(1, 0)];
    assert_eq!(
        written(Flow::new(false), &records),
        "\
CPU FUNCTION                                 
  0  -> vfs_read                              
  0    -> rw_verify_area                      
  0    <- rw_verify_area                      
  0  <- vfs_read                              
  0  <- vfs_read                              
"
    );
}

#[test]
fn flow_keeps_threads_and_interrupts_apart() {
    let mut other = entry(0);
    other.event = Event::Entry {
        at: Firing { tid: 9, ..at(0) },
        args: [0; 6],
    };
    let irq = Record {
        context: Context::Irq,
        ..entry(2)
    };
    assert_eq!(
        written(Flow::new(false), &[entry(0), other, irq, entry(2)]),
        "\
CPU FUNCTION                                 
  0  -> vfs_read                              
  0  -> vfs_read                              
  0  -> rw_verify_area                        
  0    -> rw_verify_area                      
"
    );
}

#[test]
fn flow_closes_calls_whose_return_was_not_seen() {
    let records = [entry(0), entry(2), back(1, 0), entry(0)];
    assert_eq!(
        written(Flow::new(false), &records),
        "\
CPU FUNCTION                                 
  0  -> vfs_read                              
  0    -> rw_verify_area                      
  0  <- vfs_read                              
  0  -> vfs_read                              
"
    );
}

#[test]
fn flow_starts_anew_where_records_were_lost() {
    assert_eq!(
        written(Flow::new(false), &[entry(0), lost(1), entry(2)]),
        "\
CPU FUNCTION                                 
  0  -> vfs_read                              
  0  -> rw_verify_area                        
"
    );
}

#[test]
fn flow_does_not_indent_below_functions_without_return_probes() {
    assert_eq!(
        written(Flow::new(false), &[entry(4), entry(0)]),
        "\
CPU FUNCTION                                 
  0  -> a_function_with_quite_a_long_name     
  0  -> vfs_read                              
"
    );
}

#[test]
fn flow_is_verbose_too() {
    assert_eq!(
        written(Flow::new(true), &[entry(0), back(1, 1), lost(2)]),
        "\
CPU FUNCTION                                               TIME     PID     TID CONTEXT
  0  -> vfs_read                                  812.004519377     671     672 task    arg0=0xffff8881042f6c00 arg1=0x7ffd5b3f6a40 arg2=0x20000 arg3=0xa arg4=0x0 arg5=0xffffffffffffffff
  0  <- vfs_read                                  812.004520809     671     672 task    = 1 (0x1) in 1432 ns
  1  | lost                                       812.000000001       -       - irq     2 records lost here
"
    );
}

#[test]
fn json_is_one_object_per_line() {
    let records = [
        entry(0),
        back(1, -11_i64 as u64),
        back(1, 0xffff_fff5),
        lost(7),
        entry(99),
    ];
    let text = written(Json, &records);
    assert_eq!(
        text,
        r#"{"kind":"entry","time":812004519377,"cpu":0,"context":"task","pid":671,"tid":672,"probe":0,"id":12344,"provider":"fbt","module":"vmlinux","function":"vfs_read","name":"entry","args":["0xffff8881042f6c00","0x7ffd5b3f6a40","0x20000","0xa","0x0","0xffffffffffffffff"]}
{"kind":"return","time":812004520809,"cpu":0,"context":"task","pid":671,"tid":672,"probe":1,"id":12345,"provider":"fbt","module":"vmlinux","function":"vfs_read","name":"return","value":-11,"value_hex":"0xfffffffffffffff5","errno":"EAGAIN","elapsed":1432}
{"kind":"return","time":812004520809,"cpu":0,"context":"task","pid":671,"tid":672,"probe":1,"id":12345,"provider":"fbt","module":"vmlinux","function":"vfs_read","name":"return","value":4294967285,"value_hex":"0xfffffff5","int_errno":"EAGAIN","elapsed":1432}
{"kind":"lost","time":812000000001,"cpu":1,"count":7}
{"kind":"entry","time":812004519377,"cpu":0,"context":"task","pid":671,"tid":672,"probe":99,"args":["0xffff8881042f6c00","0x7ffd5b3f6a40","0x20000","0xa","0x0","0xffffffffffffffff"]}
"#
    );
    for line in text.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}

#[test]
fn records_without_data_tell_whose_they_are() {
    let records = [
        called(0),
        returned(1, Some(0)),
        returned(1, Some(-2)),
        returned(1, None),
    ];
    assert_eq!(
        written(Columns::new(true), &records),
        "\
CPU     ID                    FUNCTION:NAME              TIME     PID     TID CONTEXT
  0  12344                   vfs_read:entry     812.004519377     671     672 task    uid=1001 execname=ls
  0  12345                  vfs_read:return     812.004519377     671     672 task    = 0 in 812 ns uid=1001 execname=ls
  0  12345                  vfs_read:return     812.004519377     671     672 task    = -2 ENOENT in 812 ns uid=1001 execname=ls
  0  12345                  vfs_read:return     812.004519377     671     672 task    in 812 ns uid=1001 execname=ls
"
    );
    assert_eq!(
        written(
            Flow::new(false),
            &[called(0), called(2), returned(3, None), returned(1, None)]
        ),
        written(
            Flow::new(false),
            &[entry(0), entry(2), back(3, 0), back(1, 0)]
        ),
    );
    assert_eq!(
        written(Columns::new(false), &records[..2]),
        written(Columns::new(false), &[entry(0), back(1, 0)])
    );
    assert_eq!(
        written(Json, &records),
        r#"{"kind":"entry","time":812004519377,"cpu":0,"context":"task","pid":671,"tid":672,"probe":0,"id":12344,"provider":"fbt","module":"vmlinux","function":"vfs_read","name":"entry","uid":1001,"execname":"ls"}
{"kind":"return","time":812004519377,"cpu":0,"context":"task","pid":671,"tid":672,"probe":1,"id":12345,"provider":"fbt","module":"vmlinux","function":"vfs_read","name":"return","uid":1001,"execname":"ls","result":0,"elapsed":812}
{"kind":"return","time":812004519377,"cpu":0,"context":"task","pid":671,"tid":672,"probe":1,"id":12345,"provider":"fbt","module":"vmlinux","function":"vfs_read","name":"return","uid":1001,"execname":"ls","result":-2,"errno":"ENOENT","elapsed":812}
{"kind":"return","time":812004519377,"cpu":0,"context":"task","pid":671,"tid":672,"probe":1,"id":12345,"provider":"fbt","module":"vmlinux","function":"vfs_read","name":"return","uid":1001,"execname":"ls","elapsed":812}
"#
    );
}

#[test]
fn a_threads_name_cannot_speak_to_the_terminal() {
    let mut record = called(0);
    record.event = Event::Called {
        at: at(0),
        who: Who {
            uid: 0,
            execname: ExecName::new(*b"\x1b]0;a b\n\xff\\\xc3\xa9\"\0\0\0"),
        },
    };
    let text = written(Columns::new(true), &[record.clone()]);
    let name = r#"execname=\u{1b}]0;a\x20b\n\xff\\é""#;
    assert!(text.ends_with(&format!("{name}\n")), "{text}");
    let json: serde_json::Value = serde_json::from_str(&written(Json, &[record])).unwrap();
    assert_eq!(json["execname"], "\u{1b}]0;a b\n\u{fffd}\\é\"");
}

#[test]
fn what_an_observer_came_too_late_for_is_told_where_it_was() {
    assert_eq!(written(Columns::new(false), &[skipped(640)]), "");
    let text = written(Columns::new(true), &[skipped(640)]);
    assert!(
        text.ends_with("- task    640 bytes of records overwritten here before they were read\n"),
        "{text}"
    );
    assert_eq!(
        written(Json, &[skipped(640)]),
        "{\"kind\":\"skipped\",\"time\":812004519377,\"cpu\":0,\"bytes\":640}\n"
    );
    let flow = written(Flow::new(false), &[entry(0), skipped(640), entry(2)]);
    assert!(flow.ends_with("  0  -> rw_verify_area                        \n"));
}

#[test]
fn kernel_addresses_have_names() {
    let module = Fake::new(1, vec![FakeFunction::new("vfs_read")]);
    module.add_symbol(0xffff_ffff_8123_4560, "ext4_ops+0x8/0x40 [ext4]");
    let session = Session::over(module as _).unwrap();
    let mut record = entry(0);
    record.event = Event::Entry {
        at: at(0),
        args: [0, 0xffff_ffff_8123_4560, 1, 0xffff_ffff_8123_4561, 0, 0],
    };
    let records = [record, back(1, 0xffff_ffff_8123_4560)];
    let mut names = names();
    names.symbols = Symbols::of(&session, false);
    let text = written_with(Columns::new(true), &names, &records);
    assert!(text.contains(" arg0=0x0 arg1=ext4`ext4_ops+0x8 arg2=0x1 arg3=0xffffffff81234561 "));
    assert!(text.contains(" = ext4`ext4_ops+0x8 in 1432 ns\n"));
    let json = written_with(Json, &names, &records);
    let lines: Vec<serde_json::Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["args"][1], "0xffffffff81234560");
    assert_eq!(
        lines[0]["symbols"],
        serde_json::json!({"arg1": "ext4`ext4_ops+0x8"})
    );
    assert_eq!(lines[1]["symbol"], "ext4`ext4_ops+0x8");
    assert_eq!(lines[1]["value_hex"], "0xffffffff81234560");
    names.symbols.raw = true;
    let text = written_with(Columns::new(true), &names, &records);
    assert!(text.contains(" arg1=0xffffffff81234560 (ext4`ext4_ops+0x8) arg2=0x1 "));
    assert!(text.contains(" = 0xffffffff81234560 (ext4`ext4_ops+0x8) in 1432 ns\n"));
}

#[test]
fn json_closes_with_the_ledger() {
    let row = Row {
        probe: Some(1),
        fired: 20,
        recorded: 12,
        filtered: 2,
        dropped: [3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        entered: 30,
        returned: 20,
        in_flight: 1,
        passed: 5,
        missed: [2, 1, 1, 0],
        ..Row::default()
    };
    let closing = Closing {
        read: 12,
        drained: true,
        ..Closing::new(vec![row])
    };
    let mut out = Vec::new();
    let lost = Lost {
        cpu: 1,
        total: 6,
        told: 4,
        skipped: 0,
    };
    Json.lost_at_end(&mut out, &lost);
    Json.ledger(&mut out, &names(), &closing);
    Json.error(&mut out, "a \"quoted\" word");
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"kind":"lost","time":null,"cpu":1,"count":2}
{"kind":"ledger_probe","probe":1,"id":12345,"provider":"fbt","module":"vmlinux","function":"vfs_read","name":"return","fired":20,"recorded":12,"processed":0,"filtered":2,"dropped":{"full":3,"nested":2,"recursion":1,"no_ring":0,"flood":0,"fault":0,"aggregation":0,"speculation":0},"entered":30,"returned":20,"in_flight":1,"passed":5,"missed":{"unframed":2,"frames":1,"died":1,"hidden":0}}
{"kind":"ledger","fired":20,"recorded":12,"processed":0,"filtered":2,"dropped":{"full":3,"nested":2,"recursion":1,"no_ring":0,"flood":0,"fault":0,"aggregation":0,"speculation":0},"entered":30,"returned":20,"in_flight":1,"passed":5,"missed":{"unframed":2,"frames":1,"died":1,"hidden":0},"read":12,"disorder":0,"holds":true}
{"kind":"error","message":"a \"quoted\" word"}
"#
    );
}

#[test]
fn numbers_have_the_width_they_need() {
    let show = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(show(&|out| hex(out, 0)), "0x0");
    assert_eq!(show(&|out| hex(out, 0x10)), "0x10");
    assert_eq!(show(&|out| hex(out, u64::MAX)), "0xffffffffffffffff");
    assert_eq!(show(&|out| padded(out, 12345_u32, 3)), "12345");
    assert_eq!(show(&|out| seconds(out, 5, 17)), "      0.000000005");
    assert_eq!(
        show(&|out| seconds(out, u64::MAX, 17)),
        "18446744073.709551615"
    );
}

/// A sink that can be looked into.
#[derive(Clone, Default)]
struct Sink(Rc<RefCell<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl super::Sink for Sink {}

#[test]
fn records_are_buffered_until_flushed() {
    let sink = Sink::default();
    let mut output = Output::new(Box::new(Columns::new(false)), Box::new(sink.clone()));
    output.record(&names(), &entry(0)).unwrap();
    assert!(sink.0.borrow().is_empty());
    output.flush().unwrap();
    assert_eq!(sink.0.borrow().len(), 44 + 45);
}

#[test]
fn a_file_is_appended_to() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    for _ in 0..2 {
        open(Some(&path)).unwrap().write_all(b"x").unwrap();
    }
    assert_eq!(std::fs::read(&path).unwrap(), b"xx");
}

/// A form that cuts off what it wrote before the last word of each record.
struct Cutting;

impl Form for Cutting {
    fn record(&mut self, out: &mut Vec<u8>, _: &Names, _: &Record) {
        out.extend_from_slice(b"old new");
    }

    fn cut(&mut self) -> Option<usize> {
        Some("old ".len())
    }
}

#[test]
fn a_file_is_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    std::fs::write(&path, "older ").unwrap();
    for file in [
        open(Some(&path)).unwrap(),
        OpenOptions::new().write(true).open(&path).unwrap(),
    ] {
        let mut output = Output::new(Box::new(Cutting), Box::new(file));
        for _ in 0..2 {
            output.record(&names(), &entry(0)).unwrap();
            output.flush().unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }
}

#[test]
fn what_is_no_file_is_not_cut_off() {
    let sink = Sink::default();
    let mut output = Output::new(Box::new(Cutting), Box::new(sink.clone()));
    output.record(&names(), &entry(0)).unwrap();
    output.flush().unwrap();
    assert_eq!(*sink.0.borrow(), b"old new");
}
