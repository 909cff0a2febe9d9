// SPDX-License-Identifier: GPL-2.0-only
use d_compiler::compiled::{Compiled, Part};
use proptest::prelude::*;

use super::*;
use crate::testing::{Session, Small, action_text, aggregation, number, program, quiet, record};
use compiled::Action as A;

const INT: Form = Form::Integer {
    bytes: 4,
    signed: true,
};

fn integer(bytes: u8, signed: bool) -> Form {
    Form::Integer { bytes, signed }
}

/// What trace() adds to the columns of a record.
fn traced(form: Form, payload: Vec<u8>) -> String {
    let text = action_text(A::Trace(form), &[payload], Options::default());
    let row =
        "CPU     ID                    FUNCTION:NAME\n  3      1                           :BEGIN ";
    text.strip_prefix(row)
        .expect("heading and columns")
        .to_owned()
}

#[test]
fn columns_under_one_heading() {
    // dtrace-utils test/unittest/actions/default/tst.default.r (there without CPU and ID)
    let printf = A::Printf {
        format: "hello world".into(),
        arguments: vec![],
    };
    let compiled = program(&[&[printf], &[], &[A::Trace(INT)], &[A::Exit]]);
    let mut session = Session::new(&compiled, Options::default());
    let heading = "CPU     ID                    FUNCTION:NAME\n";
    assert_eq!(
        session.text(&record(1, 0, &[(0, 0, vec![])])),
        format!("{heading}  3      7                         :tick-10 hello world\n")
    );
    assert_eq!(
        session.text(&record(1, 1, &[])),
        "  3      7                         :tick-10 \n"
    );
    assert_eq!(
        session.text(&record(2, 2, &[(0, 0, number(7))])),
        "  3    100                   vfs_read:entry           7\n"
    );
    assert_eq!(
        session.steps(&record(1, 3, &[(0, 0, number(2))])),
        [
            Step::Text(b"  3      7                         :tick-10 ".to_vec()),
            Step::Exit(2),
            Step::Text(b"\n".to_vec()),
        ]
    );
}

#[test]
fn numbers_by_width_and_sign() {
    // dtrace-utils test/unittest/actions/trace/tst.{int,uint}{8,16,32,64}_t.d
    let minus = || number(-1);
    assert_eq!(traced(integer(8, true), minus()), "                  -1\n");
    assert_eq!(
        traced(integer(8, false), minus()),
        " 18446744073709551615\n"
    );
    assert_eq!(traced(integer(4, true), minus()), "         -1\n");
    assert_eq!(
        traced(integer(4, false), number(0xffff_ffff)),
        " 4294967295\n"
    );
    assert_eq!(traced(integer(2, true), minus()), "    -1\n");
    assert_eq!(traced(integer(2, false), number(0xffff)), " 65535\n");
    assert_eq!(traced(integer(1, true), minus()), "  -1\n");
    assert_eq!(traced(integer(1, false), number(0xff)), " 255\n");
    assert_eq!(
        traced(Form::Pointer, number(4096)),
        "                 4096\n"
    );
    assert_eq!(
        action_text(A::Trace(integer(1, true)), &[minus()], quiet()),
        "-1"
    );
}

#[test]
fn strings_have_a_column() {
    // dtrace-utils test/unittest/actions/trace/tst.str.r, tst.str-empty.r
    let column = |text: &str| format!("  {text:<33}\n");
    assert_eq!(traced(Form::String, b"a".to_vec()), column("a"));
    assert_eq!(traced(Form::String, vec![]), column(""));
    assert_eq!(traced(Form::Probe(Part::Name), vec![]), column("BEGIN"));
    assert_eq!(
        action_text(A::Trace(Form::String), &[b"a".to_vec()], quiet()),
        "a"
    );
    assert_eq!(action_text(A::Trace(Form::String), &[vec![]], quiet()), "");
    assert_eq!(
        action_text(A::Trace(Form::String), &[b"a\tb\n".to_vec()], quiet()),
        "a\tb\n"
    );
}

#[test]
fn strings_with_what_cannot_be_printed_are_dumped_as_they_are_stored() {
    let options = Options {
        strsize: 8,
        ..quiet()
    };
    let offsets = "             0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f  0123456789abcdef\n";
    for (text, line) in [
        (
            &b"a\x01b"[..],
            "61 01 62 00 00 00 00 00                          a.b.....",
        ),
        (
            "é".as_bytes(),
            "c3 a9 00 00 00 00 00 00                          ........",
        ),
    ] {
        assert_eq!(
            action_text(A::Trace(Form::String), &[text.to_vec()], options.clone()),
            format!("\n{offsets}         0: {line}\n")
        );
    }
}

#[test]
fn arrays_of_characters_are_text_if_they_read_as_text() {
    // dtrace-utils test/unittest/actions/trace/tst.array-char-{str-no-nul,str-multi-nul,
    // multi-nul,unprintable}.r
    let of = |bytes: &[u8]| traced(Form::Characters(9), bytes.to_vec());
    assert_eq!(of(b"aAbBcCdDe"), format!("  {:<33}\n", "aAbBcCdDe"));
    assert_eq!(of(b"aAbBc\0\0\0\0"), format!("  {:<33}\n", "aAbBc"));
    assert_eq!(of(&[0; 9]), format!("  {:<33}\n", ""));
    let nuls = vec![0; 9];
    assert_eq!(
        action_text(A::Trace(Form::Characters(9)), &[nuls], quiet()),
        ""
    );
    let offsets = "             0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f  0123456789abcdef\n";
    assert_eq!(
        of(b"aA\0B\0C\0De"),
        format!(
            "\n{offsets}         0: 61 41 00 42 00 43 00 44 65                       aA.B.C.De\n\n"
        )
    );
    assert_eq!(
        of(b"aAbBc\x05dD\0"),
        format!(
            "\n{offsets}         0: 61 41 62 42 63 05 64 44 00                       aAbBc.dD.\n\n"
        )
    );
}

#[test]
fn other_bytes_are_text_too_if_they_read_as_text_but_for_tracemem() {
    let offsets = "             0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f  0123456789abcdef\n";
    assert_eq!(
        traced(Form::Bytes(1), vec![0x84]),
        format!("\n{offsets}         0: 84                                               .\n\n")
    );
    assert_eq!(
        traced(Form::Bytes(1), vec![0x34]),
        format!("  {:<33}\n", "4")
    );
    assert_eq!(
        traced(Form::Bytes(4), vec![0; 4]),
        format!("  {:<33}\n", "")
    );
    let raw = Options {
        rawbytes: true,
        ..quiet()
    };
    assert_eq!(
        action_text(A::Trace(Form::Bytes(1)), &[vec![0x34]], raw),
        format!("\n{offsets}         0: 34                                               4\n")
    );
    let line = "         0: 41 41 41 41 41 41 41 41 41 41 41 41 41 41 41 41  AAAAAAAAAAAAAAAA\n";
    let memory = A::Tracemem { bytes: 18 };
    assert_eq!(
        action_text(memory.clone(), &[vec![0x41; 18]], quiet()),
        format!(
            "\n{offsets}{line}        10: 41 41                                            AA\n"
        )
    );
    let sized = |size: i64| action_text(memory.clone(), &[vec![0x41; 16], number(size)], quiet());
    assert_eq!(
        sized(1),
        format!("\n{offsets}         0: 41                                               A\n")
    );
    assert_eq!(sized(0), "");
    assert_eq!(sized(-1), format!("\n{offsets}{line}"));
    assert_eq!(sized(99), format!("\n{offsets}{line}"));
}

#[test]
fn raw_bytes_on_demand() {
    let raw = |form, payload| {
        let options = Options {
            rawbytes: true,
            strsize: 4,
            ..quiet()
        };
        action_text(A::Trace(form), &[payload], options)
    };
    assert!(raw(Form::String, b"hi".to_vec()).contains("0: 68 69 00 00   "));
    assert!(raw(Form::Probe(Part::Name), vec![]).contains("0: 42 45 47 00   "));
    assert!(raw(INT, number(-2)).contains("0: fe ff ff ff   "));
}

#[test]
fn a_stack_that_was_kept_is_shown_as_deep_as_its_program_says_it_is() {
    let kept = |head: i64, pid: i64| {
        let words = [head, pid, 0x1010, 0x2000].map(number);
        traced(Form::StackValue(32), words.concat())
    };
    let (first, second) = (
        "\n              vmlinux`s10+0x10\n",
        "              vmlinux`s20\n",
    );
    assert_eq!(kept(2, 0), format!("{first}{second}\n"));
    assert_eq!(kept(1, 0), format!("{first}\n"));
    // Whatever was written there, no more is read than there is.
    assert_eq!(kept(2, -1), format!("{first}{second}\n"));
    let deeper = [3, 0, 0x1010, 0x2000].map(number).concat();
    let refused = item(&Form::StackValue(32), &deeper, 0, &Small);
    assert_eq!(refused, Err(Malformed::Size));
    let user = kept((1 << 32) | 1, 7);
    assert_eq!(user, "\n              0x1010\n\n");
}

#[test]
fn stacks_and_names() {
    // dtrace-utils test/unittest/stack/tst.stack3_fbt.x86_64.r
    let frames = [number(0x1010), number(0x2000), number(0x10)].concat();
    assert_eq!(
        traced(Form::Stack(3), frames.clone()),
        "\n              vmlinux`s10+0x10\n              vmlinux`s20\n              0x10\n\n"
    );
    let user = [number(42), number(0x4108), number(0x6000)].concat();
    let options = Options {
        stackindent: 2,
        ..quiet()
    };
    assert_eq!(
        action_text(A::Stack(3), &[frames], options.clone()),
        "\n  vmlinux`s10+0x10\n  vmlinux`s20\n  0x10\n"
    );
    assert_eq!(
        action_text(A::Ustack(9), &[user], options),
        "\n  libc.so.6`read+0x8\n  libc.so.6`0x6000\n"
    );
    let symbol = |form, items: &[i64]| {
        let payload = items.iter().flat_map(|item| item.to_le_bytes()).collect();
        let text = action_text(A::Address(form), &[payload], quiet());
        assert_eq!(text.len(), 52, "{text:?}");
        text.trim().to_owned()
    };
    assert_eq!(symbol(AddressForm::Function, &[0x1010]), "vmlinux`s10");
    assert_eq!(symbol(AddressForm::Symbol, &[0x1010]), "vmlinux`s10+0x10");
    assert_eq!(symbol(AddressForm::Module, &[0x1010]), "vmlinux");
    assert_eq!(
        symbol(AddressForm::UserFunction, &[42, 0x4110]),
        "libc.so.6`read"
    );
    assert_eq!(
        symbol(AddressForm::UserAddress, &[42, 0x4110]),
        "libc.so.6`read+0x10"
    );
    assert_eq!(symbol(AddressForm::UserAddress, &[43, 0x4110]), "0x4110");
    assert_eq!(symbol(AddressForm::UserModule, &[42, 0x4110]), "libc.so.6");
}

#[test]
fn typed_bytes_behind_their_pointer() {
    // dtrace-utils test/unittest/print/tst.print.local.r
    let print = A::Print {
        type_name: "struct s".into(),
        type_id: 1,
    };
    assert_eq!(
        action_text(print.clone(), &[vec![5], number(0x10)], quiet()),
        "0x10 = *\n(struct s) {\n .a = 5,\n}\n"
    );
    assert_eq!(
        action_text(print, &[vec![5]], quiet()),
        "(struct s) {\n .a = 5,\n}\n"
    );
}

#[test]
fn calls_are_indented() {
    // The form of dtrace -F: illumos docbooks dtrace chp-fbt; of several clauses' records,
    // dtrace-utils test/unittest/options/tst.flowindent.sh.
    let options = Options {
        flowindent: true,
        ..Options::default()
    };
    let mut session = Session::new(&program(&[&[], &[]]), options);
    let mut line = |probe, clause| session.text(&record(probe, clause, &[]));
    assert_eq!(
        line(0, 0),
        format!("CPU {:<41}\n  3 {:<41} \n", "FUNCTION", "| :BEGIN")
    );
    for (probe, clause, text) in [
        (4, 0, " => read"),
        (2, 0, "   -> vfs_read"),
        (2, 1, "    | vfs_read:entry"),
        (1, 0, "    | :tick-10"),
        (3, 0, "   <- vfs_read"),
        (3, 1, "  | vfs_read:return"),
        (5, 0, " <= read"),
        (5, 1, "| read:return"),
        (5, 0, " <= read"),
        // A call within a call is not the same firing once more.
        (2, 0, " -> vfs_read"),
        (2, 1, "  | vfs_read:entry"),
        (2, 0, "   -> vfs_read"),
    ] {
        assert_eq!(line(probe, clause), format!("  3 {text:<41} \n"));
    }
}

#[test]
fn who_only_ends_a_speculation_has_no_row() {
    // dtrace-utils test/unittest/speculation/tst.SpeculationCommitNotQuiet.r
    let mut session = Session::new(&program(&[&[A::Commit, A::Discard]]), Options::default());
    let steps = session.steps(&record(0, 0, &[(0, 0, number(1)), (1, 0, number(2))]));
    assert_eq!(steps, [Step::Commit(1), Step::Discard(2)]);
}

#[test]
fn options_change_on_the_way() {
    let set = |name: &str, value: Option<&str>| A::Setopt(name.into(), value.map(str::to_owned));
    let actions = [
        set("quiet", None),
        set("switchrate", Some("1hz")),
        set("quiet", Some("um, no")),
        set("encoding", None),
        set("stackindent", None),
        set("zdefs", None),
        A::Trace(INT),
    ];
    let mut session = Session::new(&program(&[&actions]), Options::default());
    let items: Vec<_> = (0..6)
        .map(|action| (action, 0, vec![]))
        .chain([(6, 0, number(5))])
        .collect();
    let steps = session.steps(&record(0, 0, &items));
    assert_eq!(
        steps[1..],
        [
            Step::Setopt {
                name: "switchrate".into(),
                value: "1hz".into()
            },
            Step::Complaint(
                "couldn't set option \"quiet\" to \"um, no\": Invalid value for specified option\n"
                    .into()
            ),
            // dtrace-utils libdtrace/dt_consume.c: without a value it is "1".
            Step::Complaint(
                "couldn't set option \"encoding\" to \"1\": Invalid value for specified option\n"
                    .into()
            ),
            Step::Setopt {
                name: "zdefs".into(),
                value: "1".into()
            },
            Step::Text(b"5".to_vec()),
        ]
    );
    assert_eq!(session.printer.options.stackindent, 1);
}

#[test]
fn output_goes_to_another_file() {
    let freopen = A::Freopen {
        format: "/tmp/%d".into(),
        arguments: vec![INT],
    };
    let mut session = Session::new(&program(&[&[freopen]]), quiet());
    let steps = session.steps(&record(0, 0, &[(0, 0, number(9))]));
    assert_eq!(steps, [Step::Freopen(b"/tmp/9".to_vec())]);
}

#[test]
fn what_was_printed_before_is_cut_off_before_what_follows() {
    let printf = |format: &str| A::Printf {
        format: format.into(),
        arguments: Vec::new(),
    };
    let actions = [printf("old"), A::Ftruncate, printf("new")];
    let mut session = Session::new(&program(&[&actions]), quiet());
    let steps = session.steps(&record(
        3,
        0,
        &[0, 1, 2].map(|action| (action, 0, Vec::new())),
    ));
    let text = |text: &str| Step::Text(text.into());
    assert_eq!(steps, [text("old"), Step::Ftruncate, text("new")]);
}

#[test]
fn records_as_objects() {
    let printf = A::Printf {
        format: "%d %s\n".into(),
        arguments: vec![INT, Form::Probe(Part::Function)],
    };
    let mut session = Session::new(
        &program(&[&[printf, A::Trace(Form::Pointer), A::Exit]]),
        Options::default(),
    );
    session.printer.json = true;
    let items = [(0, 0, number(-1)), (1, 0, number(0x10)), (2, 0, number(0))];
    let steps = session.steps(&record(2, 0, &items));
    assert_eq!(steps[0], Step::Exit(0));
    let Step::Json(json) = &steps[1] else {
        panic!("{steps:?}")
    };
    assert_eq!(json["kind"], "firing");
    assert_eq!(json["function"], "vfs_read");
    assert_eq!(
        json["output"].to_string(),
        r#"[{"action":"printf","text":"-1 vfs_read\n","values":[-1,"vfs_read"]},{"action":"trace","value":"0x10"},{"action":"exit","value":0}]"#
    );
}

/// Every action there is.
fn everything() -> Compiled {
    let actions = [
        A::Trace(INT),
        A::Trace(Form::String),
        A::Trace(Form::Characters(8)),
        A::Trace(Form::Ustack(8)),
        A::Tracemem { bytes: 64 },
        A::Print {
            type_name: "t".into(),
            type_id: 0,
        },
        A::Printf {
            format: "%d %*s %k %Y\n".into(),
            arguments: vec![INT, INT, Form::String, Form::Stack(4), integer(8, true)],
        },
        A::Printa {
            format: None,
            aggregations: vec![0, 0],
        },
        A::Printa {
            format: Some("%s %@d %d\n".into()),
            aggregations: vec![0, 7],
        },
        A::Stack(4),
        A::Ustack(4),
        A::Address(AddressForm::UserModule),
        A::Exit,
        A::Commit,
        A::Discard,
        A::Clear(0),
        A::Trunc {
            aggregation: 0,
            counted: true,
        },
        A::Normalize(0),
        A::Denormalize(9),
        A::Setopt("quiet".into(), None),
        A::Ftruncate,
        A::Freopen {
            format: "%s".into(),
            arguments: vec![Form::String],
        },
    ];
    Compiled {
        aggregations: vec![aggregation(6, [0; 4], &[Form::String])],
        ..program(&[&actions])
    }
}

proptest! {
    #[test]
    fn no_record_panics(
        wild in proptest::collection::vec(any::<u8>(), 0..64),
        items in proptest::collection::vec(
            (0_u16..24, 0_u16..6, proptest::collection::vec(any::<u8>(), 0..40)),
            0..12,
        ),
        more in 0_u32..3,
        cut in 0_usize..400,
        json: bool,
        flowindent: bool,
    ) {
        let options = Options { flowindent, ..Options::default() };
        let mut session = Session::new(&everything(), options);
        session.printer.json = json;
        let mut record = record(2, 0, &items);
        record.count += more;
        record.items.truncate(cut);
        let wild = crate::testing::Record { items: wild, ..record_of(3) };
        for record in [&record, &wild] {
            let Session { program, printer, store } = &mut session;
            let world = &crate::testing::Small;
            let _ = printer.record(program, &record.firing(), store, world, &mut Vec::new());
        }
    }
}

fn record_of(count: u32) -> crate::testing::Record {
    crate::testing::Record {
        probe: 9,
        clause: 0,
        count,
        items: Vec::new(),
    }
}
