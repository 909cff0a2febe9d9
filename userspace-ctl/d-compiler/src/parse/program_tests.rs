// SPDX-License-Identifier: GPL-2.0-only
//! Tests of whole programs: clauses, descriptions, predicates, statements, pragmas, options'
//! arguments.
#![forbid(unsafe_code)]

use super::{Context, Field, parse, parse_clause, parse_in, unparse};
use crate::ast::{Clause, Description, Item, Program};
use crate::error::Error;
use crate::macros::Macros;

fn none() -> Macros {
    Macros::default()
}

fn program(text: &str) -> Program {
    parse(text, &none()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn clauses(program: &Program) -> Vec<&Clause> {
    program
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Clause(clause) => Some(clause),
            _ => None,
        })
        .collect()
}

fn refused(text: &str) -> Error {
    parse(text, &none()).expect_err(text)
}

fn named(description: &Description) -> String {
    match description.id {
        Some(id) => id.to_string(),
        None => [
            &description.provider,
            &description.module,
            &description.function,
            &description.name,
        ]
        .map(String::as_str)
        .join(":"),
    }
}

/// The descriptions, predicate and statements of each clause.
fn written(program: &Program) -> Vec<String> {
    clauses(program)
        .iter()
        .map(|clause| {
            let descriptions: Vec<String> = clause.descriptions.iter().map(named).collect();
            let mut text = descriptions.join(",");
            if let Some(predicate) = &clause.predicate {
                text.push_str(&format!(" /{}/", unparse::expr(predicate)));
            }
            if let Some(body) = &clause.body {
                let body: Vec<String> = body.iter().map(unparse::statement).collect();
                text.push_str(&format!(" {{ {} }}", body.join(" ")));
            }
            text
        })
        .collect()
}

#[test]
fn a_clause_has_descriptions_predicate_and_body() {
    let program = program(
        "#!/usr/sbin/rtctl -s\n\
         #pragma D option quiet\n\
         BEGIN { start = timestamp; }\n\
         fbt::vfs_read:entry, fbt:vmlinux:vfs_write:entry\n\
         /self->x && execname == \"a/b\"/\n\
         {\n\
         \t@[probefunc] = count();\n\
         \tself->x = 0\n\
         }\n",
    );
    assert_eq!(
        written(&program),
        [
            ":::BEGIN { (start = timestamp); }",
            "fbt::vfs_read:entry,fbt:vmlinux:vfs_write:entry \
             /(self->x && (execname == \"\\141\\057\\142\"))/ \
             { (@_[probefunc] = count()); (self->x = 0); }"
        ]
    );
    assert_eq!(program.options.len(), 1);
    assert_eq!(program.options[0].name, "quiet");
}

#[test]
fn fields_of_a_description_are_its_last_ones() {
    for (text, meaning) in [
        ("BEGIN", ":::BEGIN"),
        ("read:entry", "::read:entry"),
        ("vmlinux:vfs_read:", ":vmlinux:vfs_read:"),
        (":::", ":::"),
        ("::::BEGIN", ":::BEGIN"),
        (":fbt::vfs_read:entry", "fbt::vfs_read:entry"),
        (":::::BEGIN", ""),
        ("fbt::vfs_*:", "fbt::vfs_*:"),
        ("fbt:::return", "fbt:::return"),
        ("*:*:*:*", "*:*:*:*"),
        ("tick-10ms", ":::tick-10ms"),
        ("profile:::profile-997", "profile:::profile-997"),
        ("fbt::[a-c]x?\\*:!x", "fbt::[a-c]x?\\*:!x"),
        ("12", "12"),
    ] {
        let result = parse(&format!("{text} {{}}"), &none());
        if meaning.is_empty() {
            let error = result.expect_err(text);
            assert_eq!(error.tag, "D_PDESC_INVAL");
            assert_eq!(
                error.message,
                format!("invalid probe description \"{text}\": Overspecified probe description")
            );
        } else {
            assert_eq!(written(&result.expect(text)), [meaning], "{text}");
        }
    }
    assert_eq!(refused("4294967296 {}").tag, "D_PDESC_INVAL");
}

#[test]
fn macros_in_descriptions_are_text() {
    let mut macros = Macros::new(["x.d", "read", "5"]);
    macros.define("target", 77);
    let program = parse(
        "fbt::vfs_$1:entry, pid$target:::, pid$$target:::, tick-$2ms, $$1:$2:: {}",
        &macros,
    )
    .expect("it is right");
    assert_eq!(
        written(&program),
        ["fbt::vfs_read:entry,pid77:::,pid77:::,:::tick-5ms,read:5::"]
    );
    let error = parse("fbt::$3:entry {}", &macros).expect_err("there is no $3");
    assert_eq!(error.tag, "D_PDESC_INVAL");
    assert!(
        error
            .message
            .ends_with("Undefined macro variable in probe description")
    );
    assert_eq!(
        parse("$nix {}", &macros).expect_err("no").tag,
        "D_PDESC_INVAL"
    );
}

#[test]
fn division_and_predicates_do_not_meet() {
    assert_eq!(
        written(&program("BEGIN /a / b / c/ { x = d / e; }")),
        [":::BEGIN /((a / b) / c)/ { (x = (d / e)); }"]
    );
    assert_eq!(
        written(&program("BEGIN/a/{b}END/(c/d)/\n// e\n/* f */ {}")),
        [":::BEGIN /a/ { b; }", ":::END /(c / d)/"]
    );
    assert_eq!(
        written(&program("BEGIN /a/\n# 5 \"x\"\n{}")),
        [":::BEGIN /a/"]
    );
    assert_eq!(written(&program("BEGIN /a//* b */{}")), [":::BEGIN /a/"]);
    assert_eq!(
        written(&program("BEGIN { a /= 2; }")),
        [":::BEGIN { (a /= 2); }"]
    );
}

#[test]
fn an_empty_body_is_the_default_action() {
    for text in ["BEGIN {}", "BEGIN { ; }", "BEGIN { ;; }"] {
        assert_eq!(clauses(&program(text))[0].body, None, "{text}");
    }
}

#[test]
fn statements_choose() {
    for (text, meaning) in [
        ("if (a) b;", "if (a) {b;}"),
        ("if (a) { b; c }", "if (a) {b;c;}"),
        ("if (a) b; else c;", "if (a) {b;} else {c;}"),
        ("if (a) {} else { c }", "if (a) {} else {c;}"),
        (
            "if (a) b; else if (c) d; else e;",
            "if (a) {b;} else {if (c) {d;} else {e;}}",
        ),
        ("if (a) if (b) c; else d;", "if (a) {if (b) {c;} else {d;}}"),
        ("if (a) ; else ;", "if (a) {}"),
        ("a; if (b) { c } d", "a; if (b) {c;} d;"),
        ("if (a, b) c; ; ; d;", "if ((a, b)) {c;} d;"),
    ] {
        assert_eq!(
            written(&program(&format!("BEGIN {{ {text} }}"))),
            [format!(":::BEGIN {{ {meaning} }}")],
            "{text}"
        );
    }
}

#[test]
fn statements_that_are_none_are_refused() {
    for text in [
        "if a b;",
        "if (a)",
        "if () b;",
        "if (a) b",
        "if (a) b else c;",
        "else a;",
        "a b;",
        "{ a; }",
        "int x;",
        "while (a) b;",
        "a;;)",
    ] {
        assert_eq!(
            refused(&format!("BEGIN {{ {text} }}")).tag,
            "D_SYNTAX",
            "{text}"
        );
    }
}

#[test]
fn programs_that_are_wrong_are_refused_in_dtraces_words() {
    for (text, message) in [
        (
            "BEGIN",
            "expected predicate and/or actions following probe description",
        ),
        (
            "BEGIN END {}",
            "expected predicate and/or actions following probe description",
        ),
        (
            "BEGIN // {",
            "expected predicate and/or actions following probe description",
        ),
        (
            "BEGIN /1/",
            "expected actions { } following probe description and predicate",
        ),
        (
            "BEGIN /1/;",
            "expected actions { } following probe description and predicate",
        ),
        ("BEGIN /(1/ {}", "closing ) expected in predicate before /"),
        (
            "BEGIN /args[0/ {}",
            "closing ] expected in predicate before /",
        ),
        ("BEGIN / / {}", "syntax error near \"/\""),
        (
            "BEGIN /1/ /2/ {}",
            "expected actions { } following probe description and predicate",
        ),
        ("BEGIN /1 {}", "syntax error near \"{\""),
        ("BEGIN, {}", "syntax error near \"{\""),
        ("BEGIN, , END {}", "syntax error near \",\""),
        (", BEGIN {}", "syntax error near \",\""),
        ("BEGIN; {}", "syntax error near \";\""),
        ("BEGIN { a", "syntax error near end-of-input"),
        ("BEGIN { a; } }", "syntax error near \"}\""),
        ("BEGIN { a; };", "syntax error near \";\""),
        ("{ a; }", "syntax error near \"{\""),
        ("BEGIN { 123$1 }", "macro argument $1 is not defined"),
    ] {
        assert_eq!(refused(text).message, message, "{text}");
    }
    assert_eq!(refused("").tag, "D_EMPTY");
    assert_eq!(refused(" /* a */ // b").tag, "D_EMPTY");
    assert_eq!(refused("#pragma D option quiet\n").tag, "D_EMPTY");
}

#[test]
fn a_number_and_a_macro_do_not_join() {
    let mut macros = none();
    macros.define("pid", 4);
    let error = parse("BEGIN { i = 123$pid; }", &macros).expect_err("no");
    assert_eq!(error.message, "syntax error near \"$pid\"");
}

#[test]
fn an_empty_program_may_be_allowed() {
    assert!(parse("#pragma D option empty\n", &none()).is_ok());
    let macros = none();
    let context = Context {
        allow_empty: true,
        ..Context::new(&macros)
    };
    assert!(parse_in("", &context).is_ok());
}

#[test]
fn words_are_types_before_they_are_descriptions_but_with_pspec() {
    let macros = none();
    let declares = |text: &str, pspec| {
        let context = Context {
            is_type: &|name| name == "dev_t",
            pspec,
            ..Context::new(&macros)
        };
        parse_in(text, &context)
            .map(|parsed| matches!(parsed.items.last(), Some(Item::Declaration(_))))
            .map_err(|error| error.tag)
    };
    for (text, plain, pspec) in [
        ("dev_t*x;", Ok(true), Err("D_SYNTAX")),
        ("int*x;", Ok(true), Err("D_SYNTAX")),
        // A keyword alone is no description.
        ("int x;", Ok(true), Ok(true)),
        ("dev_t { }", Err("D_SYNTAX"), Ok(false)),
        ("int* { }", Err("D_SYNTAX"), Ok(false)),
        ("dev_t: { }", Ok(false), Ok(false)),
    ] {
        assert_eq!(declares(text, false), plain, "{text}");
        assert_eq!(declares(text, true), pspec, "{text}");
        let text = format!("#pragma D option pspec\n{text}");
        assert_eq!(declares(&text, false), pspec, "{text}");
    }
}

#[test]
fn arguments_have_to_be_used() {
    let macros = Macros::new(["x.d", "a"]);
    assert_eq!(
        parse("BEGIN {}", &macros).expect_err("no").tag,
        "D_MACRO_UNUSED"
    );
    assert!(parse("BEGIN { trace($$1); }", &macros).is_ok());
    assert!(parse("fbt::$1: {}", &macros).is_ok());
    assert!(parse("#pragma D option argref\nBEGIN {}", &macros).is_ok());
}

#[test]
fn pragmas_are_about_what_the_program_has() {
    let macros = none();
    let is_there = |class: &str, name: &str| (class, name) == ("module", "ext4");
    let context = Context {
        is_there: &is_there,
        ..Context::new(&macros)
    };
    let tag = |text: &str| {
        parse_in(&format!("{text}\nint x; BEGIN {{ y = 1; }}"), &context)
            .map(|_| ())
            .map_err(|error| error.tag)
    };
    let attributes = "#pragma D attributes Stable/Stable/Common";
    assert_eq!(tag(&format!("{attributes} x")), Ok(()));
    assert_eq!(tag(&format!("{attributes} y")), Ok(()));
    assert_eq!(tag(&format!("{attributes} pid")), Err("D_PRAGMA_SCOPE"));
    assert_eq!(tag("#pragma D binding \"1.0\" rand"), Err("D_PRAGMA_SCOPE"));
    assert_eq!(tag(&format!("{attributes} provider fbt args")), Ok(()));
    let unknown = format!("{attributes} provider nix args");
    assert_eq!(tag(&unknown), Err("D_PRAGMA_UNUSED"));
    assert_eq!(tag(&format!("{attributes} nix")), Err("D_PRAGMA_UNUSED"));
    assert_eq!(tag("#pragma D binding \"1.0\" nix"), Err("D_PRAGMA_UNUSED"));
    assert_eq!(tag("#pragma D depends_on module ext4"), Ok(()));
    assert_eq!(
        tag("#pragma D depends_on module nix"),
        Err("D_PRAGMA_DEPEND")
    );
    let tag = |library, text: &str| {
        let context = Context {
            library,
            allow_empty: true,
            ..Context::new(&macros)
        };
        let parsed = parse_in(text, &context);
        parsed.map(|_| ()).map_err(|error| error.tag)
    };
    let library = "#pragma D depends_on library x.d\n";
    assert_eq!(tag(false, library), Err("D_PRAGMA_DEPEND"));
    assert_eq!(tag(true, library), Ok(()));
    for (provider, expected) in [("fbt", Ok(())), ("nix", Err("D_PRAGMA_DEPEND"))] {
        let text = format!("#pragma D depends_on provider {provider}\n");
        assert_eq!(tag(false, &text), expected);
    }
}

#[test]
fn an_options_argument_says_its_field() {
    let first = |field, text: &str| {
        written(&parse_clause(field, text, &none()).unwrap_or_else(|error| panic!("{error}")))
            .remove(0)
    };
    assert_eq!(first(Field::Name, "BEGIN"), ":::BEGIN");
    assert_eq!(first(Field::Function, "vfs_read"), "::vfs_read:");
    assert_eq!(
        first(Field::Function, "vmlinux:vfs_read"),
        ":vmlinux:vfs_read:"
    );
    assert_eq!(first(Field::Module, "ext4"), ":ext4::");
    assert_eq!(first(Field::Module, "fbt:ext4"), "fbt:ext4::");
    assert_eq!(first(Field::Provider, "syscall"), "syscall:::");
    assert_eq!(
        first(Field::Function, "a, b /arg0/ { trace(1) }"),
        "::a:,::b: /arg0/ { trace(1); }"
    );
    assert_eq!(first(Field::Name, "17"), "17");
    for (field, text) in [
        (Field::Provider, "a:b"),
        (Field::Module, "a:b:c"),
        (Field::Function, "a:b:c:d"),
        (Field::Name, "a:b:c:d:e"),
        (Field::Function, "17"),
    ] {
        let error = parse_clause(field, text, &none()).expect_err(text);
        assert_eq!(error.tag, "D_PDESC_INVAL", "{text}");
    }
}

#[test]
fn an_options_argument_may_have_several_clauses() {
    let program = parse_clause(
        Field::Name,
        "int x; BEGIN{x = 1} tick-1s vfs_read:entry{exit(0)}",
        &none(),
    )
    .expect("it is right");
    assert_eq!(
        written(&program),
        [
            ":::BEGIN { (x = 1); }",
            ":::tick-1s",
            "::vfs_read:entry { exit(0); }"
        ]
    );
    let error = parse_clause(Field::Name, "BEGIN /1/", &none()).expect_err("no actions");
    assert_eq!(error.tag, "D_SYNTAX");
}

#[test]
fn large_programs_are_read() {
    let many = 20_000;
    let clauses = "fbt::f:entry /arg0 / 2/ { @[execname] = count(); /* x */ }\n".repeat(many);
    assert_eq!(program(&clauses).items.len(), many);
    let comments = format!("BEGIN {{ a {} }}", "/ /* x */ b ".repeat(200));
    assert_eq!(program(&comments).items.len(), 1);
    let slashes = format!("BEGIN /{}", "/ ".repeat(many));
    assert_eq!(refused(&slashes).tag, "D_SYNTAX");
}

#[test]
fn places_count_from_the_texts_base() {
    let macros = none();
    let context = Context {
        base: 1000,
        ..Context::new(&macros)
    };
    let program = parse_in("BEGIN { aa; }", &context).expect("it is right");
    let clause = clauses(&program)[0];
    assert_eq!((clause.span.start, clause.span.end), (1000, 1013));
    let error = parse_in("BEGIN { ? }", &context).expect_err("it is wrong");
    assert_eq!((error.span.start, error.span.end), (1008, 1009));
    assert_eq!(error.message, "syntax error near \"?\"");
    let high = Context {
        base: u32::MAX,
        ..context
    };
    assert_eq!(
        parse_in("BEGIN {}", &high).expect_err("no room").tag,
        "D_SYNTAX"
    );
}
