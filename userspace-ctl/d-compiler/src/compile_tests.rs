// SPDX-License-Identifier: GPL-2.0-only
//! Programs from their text to bytecode, without a kernel's types.

use crate::compile::compile;
use crate::compiled::{Action, Compiled, Form, Part};
use crate::disassemble::disassemble;
use crate::error::Error;
use crate::macros::Macros;
use crate::options::Options;
use crate::parse::parse;
use crate::types::Types;
use crate::version::Version;

/// Compiles a text.
pub(crate) fn build(text: &str) -> Result<Compiled, Error> {
    let none: [&str; 0] = [];
    let program = parse(text, &Macros::new(none))?;
    compile(&program, &mut Types::new(None), &Options::default())
}

/// Compiles what must be right.
pub(crate) fn built(text: &str) -> Compiled {
    build(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Instructions without their places and words.
fn lines(compiled: &Compiled) -> Vec<String> {
    disassemble(compiled)
        .lines()
        .filter_map(|line| {
            let (_, rest) = line.trim_start().split_once(": ")?;
            let (word, text) = rest.split_once("  ")?;
            (word.len() == 16 && u64::from_str_radix(word, 16).is_ok())
                .then(|| text.split_whitespace().collect::<Vec<_>>().join(" "))
        })
        .collect()
}

#[test]
fn a_predicate_filters() {
    let compiled = built("BEGIN /pid == 42/ { trace(timestamp); }");
    assert_eq!(
        lines(&compiled),
        [
            "get r0, pid",
            "seqi r0, r0, 42",
            "filter r0",
            "get r0, timestamp",
            "emit [0.0], r0",
            "ret"
        ]
    );
    assert_eq!(compiled.clauses[0].action_of, [0, 0, 0, 1, 1, 1]);
    assert_eq!(
        compiled.clauses[0].actions,
        [Action::Trace(Form::Integer {
            bytes: 8,
            signed: false
        })]
    );
}

#[test]
fn a_count_without_keys_is_one_instruction() {
    let compiled = built("fbt::vfs_read:entry { @ = count(); }");
    assert_eq!(
        lines(&compiled),
        ["agg aggregation[0], r0, r0 ; @_ = count", "ret"]
    );
}

#[test]
fn registers_of_user_code_have_names() {
    let compiled = built("BEGIN { trace(uregs[R_PC]); }");
    assert_eq!(
        lines(&compiled),
        ["get r0, uregs[R_RIP]", "emit [0.0], r0", "ret"]
    );
}

#[test]
fn a_distribution_by_program() {
    let compiled = built("fbt::vfs_read:return { @[execname] = quantize(elapsed); }");
    assert_eq!(
        lines(&compiled),
        [
            "getstr r0, execname",
            "get r1, elapsed",
            "ldi r2, 1",
            "key0",
            "keys r0",
            "agg aggregation[0], r1, r2 ; @_ = quantize",
            "ret"
        ]
    );
    assert_eq!(compiled.aggregations[0].keys, [Form::String]);
    assert_eq!(compiled.aggregations[0].string_keys, 1);
}

#[test]
fn printf_records_its_arguments() {
    let compiled = built(r#"BEGIN { printf("%d %s %s\n", pid, execname, probefunc); }"#);
    assert_eq!(
        lines(&compiled),
        [
            "get r0, pid",
            "emit [0.0], r0",
            "getstr r0, execname",
            "emits [0.1], r0",
            "emitp [0.2]",
            "ret"
        ]
    );
    let Action::Printf { format, arguments } = &compiled.clauses[0].actions[0] else {
        panic!("{:?}", compiled.clauses[0].actions)
    };
    assert_eq!(format, "%d %s %s\n");
    assert_eq!(arguments[2], Form::Probe(Part::Function));
    // dtrace counts each argument as an action.
    assert_eq!(compiled.clauses[0].action_of, [1, 1, 2, 2, 3, 3]);
}

#[test]
fn parts_of_a_predicate_filter_one_by_one() {
    let compiled = built("BEGIN /pid != 0 && execname != \"x\" && 1/ { trace(1); }");
    assert_eq!(
        lines(&compiled)[..6],
        [
            "get r0, pid",
            "filter r0",
            "getstr r0, execname",
            "ldsc r1, string[0] ; \"x\"",
            "scmp r0, r0, r1",
            "filter r0"
        ]
    );
}

#[test]
fn symbols_of_the_kernel() {
    let none: [&str; 0] = [];
    let symbol =
        |_: Option<&str>, name: &str| (name == "max_pfn" || name == "mine").then_some(64u64);
    let options = Options {
        symbol: &symbol,
        ..Options::default()
    };
    let build = |text: &str| {
        let program = parse(text, &Macros::new(none))?;
        compile(&program, &mut Types::new(None), &options)
    };
    for text in [
        "BEGIN { trace(`max_pfn); }",
        "extern unsigned long mine; BEGIN { trace(`mine); }",
    ] {
        let compiled = build(text).expect(text);
        assert_eq!(
            lines(&compiled),
            ["ldi r0, 64", "ld64 r0, [r0+0]", "emit [0.0], r0", "ret"]
        );
    }
    let compiled = build("BEGIN { trace(&`max_pfn); }").expect("valid");
    assert_eq!(compiled.clauses[0].actions, [Action::Trace(Form::Pointer)]);
    assert_eq!(
        build("BEGIN { trace(`mine); }").expect_err("no type").tag,
        "D_SYM_NOTYPES"
    );
    assert_eq!(
        build("BEGIN { `max_pfn = 1; }").expect_err("not ours").tag,
        "D_OP_WRITE"
    );
}

#[test]
fn clauses_may_be_kept_to_a_cpu() {
    let none: [&str; 0] = [];
    let options = Options {
        cpu: Some(3),
        ..Options::default()
    };
    let program = parse("tick-1s /pid/ { trace(1); }", &Macros::new(none)).expect("valid");
    let compiled = compile(&program, &mut Types::new(None), &options).expect("valid");
    assert_eq!(
        lines(&compiled)[..5],
        [
            "get r0, cpu",
            "seqi r0, r0, 3",
            "filter r0",
            "get r0, pid",
            "filter r0"
        ]
    );
}

#[test]
fn stacks_are_no_deeper_than_maxframes() {
    let none: [&str; 0] = [];
    let program = parse("BEGIN { trace(stackdepth); }", &Macros::new(none)).expect("valid");
    let lines = |maxframes| {
        let options = Options {
            maxframes,
            ..Options::default()
        };
        let compiled = compile(&program, &mut Types::new(None), &options).expect("valid");
        lines(&compiled).len()
    };
    assert_eq!((lines(127), lines(20)), (3, 6));
}

#[test]
fn plain_addresses_of_user_code_want_a_target() {
    let none: [&str; 0] = [];
    let text = "BEGIN { printf(\"%A\", ucaller); printf(\"%A\", uaddr(ucaller)); }";
    let program = parse(text, &Macros::new(none)).expect("valid");
    let compiled = |target| {
        let options = Options {
            target,
            ..Options::default()
        };
        compile(&program, &mut Types::new(None), &options).map_err(|error| error.tag)
    };
    assert_eq!(compiled(false).err(), Some("D_PRINTF_ARG_TYPE"));
    assert!(compiled(true).is_ok());
}

#[test]
fn each_text_has_clause_local_variables_of_its_own() {
    let none: [&str; 0] = [];
    let tag = |first: &str, second: &str| {
        let [mut program, second] =
            [first, second].map(|text| parse(text, &Macros::new(none)).expect("valid"));
        program.texts.push(program.items.len());
        program.items.extend(second.items);
        let compiled = compile(&program, &mut Types::new(None), &Options::default());
        compiled.err().map(|error| error.tag)
    };
    let first = "BEGIN { this->x = 1; self->y = 1; z = 1; }";
    assert_eq!(tag(first, "END { this->x = \"a\"; trace(this->x); }"), None);
    assert_eq!(tag(first, "END { trace(this->x); }"), Some("D_VAR_UNDEF"));
    assert_eq!(tag(first, "END { trace(self->y + z); }"), None);
}

#[test]
fn what_an_old_version_of_d_does_not_have_is_a_name_to_take() {
    let none: [&str; 0] = [];
    let tag = |version, text| {
        let options = Options {
            version: Version::parse(version).expect("a version"),
            ..Options::default()
        };
        let program = parse(text, &Macros::new(none)).expect("valid");
        let compiled = compile(&program, &mut Types::new(None), &options);
        compiled.err().map(|error| error.tag)
    };
    let declared =
        "int strstr; int index; int ucaller; BEGIN { strstr = 1; index = strstr; ucaller = 2; }";
    assert_eq!(tag("1.0", declared), None);
    assert_eq!(tag("1.1", declared), Some("D_DECL_IDRED"));
    let array = "BEGIN { substr[1] = 2; this->sym = substr[1]; }";
    assert_eq!(tag("1.0", array), None);
    let called = "BEGIN { trace(strstr(execname, \"a\")); @ = stddev(1); }";
    assert_eq!(tag("1.0", called), Some("D_FUNC_UNDEF"));
    assert_eq!(tag("1.5", called), Some("D_FUNC_UNDEF"));
    assert_eq!(tag("1.6", called), None);
}

#[test]
fn a_clause_with_args_is_one_for_each_description() {
    let compiled = built("syscall::read:entry, syscall::write:entry { trace(args[0]); }");
    assert_eq!(compiled.clauses.len(), 2);
    assert_eq!(compiled.clauses[1].descriptions[0].function, "write");
    let compiled = built("syscall::read:entry, syscall::write:entry { trace(arg0); }");
    assert_eq!(compiled.clauses.len(), 1);
    assert_eq!(compiled.clauses[0].descriptions.len(), 2);
}

#[test]
fn no_statements_are_the_default_action() {
    for (text, default) in [
        ("BEGIN { }", true),
        ("BEGIN { speculate(1); }", true),
        ("BEGIN { x = 1; }", false),
    ] {
        assert_eq!(built(text).clauses[0].default, default, "{text}");
    }
}
