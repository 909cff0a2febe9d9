// SPDX-License-Identifier: GPL-2.0-only
//! Tests of tokens, constants, comments, macros and control lines.
#![forbid(unsafe_code)]

use super::{KEYWORDS, Lexer, OUTER_KEYWORDS, Tok};
use crate::ast::Suffix;
use crate::error::Error;
use crate::macros::Macros;

fn tokens_with(text: &str, macros: &Macros) -> Result<Vec<Tok>, Error> {
    let mut lexer = Lexer::new(text, 0, macros)?;
    let mut tokens = Vec::new();
    loop {
        match lexer.inner()?.tok {
            Tok::End => return Ok(tokens),
            tok => tokens.push(tok),
        }
    }
}

fn tokens(text: &str) -> Vec<Tok> {
    tokens_with(text, &Macros::default()).expect("the text has tokens")
}

fn error(text: &str) -> Error {
    tokens_with(text, &Macros::default()).expect_err("the text is refused")
}

fn tag(text: &str) -> &'static str {
    error(text).tag
}

/// The outer tokens of a text in which `my_t` is a type.
fn outer(text: &str) -> Vec<Tok> {
    let macros = Macros::default();
    let mut lexer = Lexer::new(text, 0, &macros).expect("it is short");
    let is_type = |name: &str| name == "my_t";
    let mut tokens = Vec::new();
    loop {
        match lexer
            .outer(Some(&is_type))
            .expect("the text has tokens")
            .tok
        {
            Tok::End => return tokens,
            tok => tokens.push(tok),
        }
    }
}

fn int(value: u64) -> Tok {
    number(value, false, false, false, true)
}

fn number(value: u64, unsigned: bool, long: bool, long_long: bool, decimal: bool) -> Tok {
    Tok::Int {
        value,
        suffix: Suffix {
            unsigned,
            long,
            long_long,
        },
        decimal,
        negative: false,
    }
}

fn ident(name: &str) -> Tok {
    Tok::Ident(name.into())
}

fn string(value: &str) -> Tok {
    Tok::String(value.into())
}

fn probe(text: &str) -> Tok {
    Tok::Probe(text.into())
}

#[test]
fn keywords_can_be_searched() {
    assert!(KEYWORDS.is_sorted());
    assert!(OUTER_KEYWORDS.is_sorted());
    assert!(OUTER_KEYWORDS.iter().all(|word| KEYWORDS.contains(word)));
}

#[test]
fn integers_have_bases_and_suffixes() {
    assert_eq!(tokens("12"), [int(12)]);
    assert_eq!(tokens("0"), [number(0, false, false, false, false)]);
    assert_eq!(tokens("017"), [number(15, false, false, false, false)]);
    assert_eq!(tokens("0xFf"), [number(255, false, false, false, false)]);
    assert_eq!(tokens("1u"), [number(1, true, false, false, true)]);
    assert_eq!(tokens("1L"), [number(1, false, true, false, true)]);
    assert_eq!(tokens("1ll"), [number(1, false, false, true, true)]);
    assert_eq!(tokens("1UL"), [number(1, true, true, false, true)]);
    assert_eq!(tokens("0x1ull"), [number(1, true, false, true, false)]);
    assert_eq!(tokens("18446744073709551615"), [int(u64::MAX)]);
}

#[test]
fn a_suffix_in_the_wrong_order_is_another_token() {
    assert_eq!(
        tokens("1lu"),
        [number(1, false, true, false, true), ident("u")]
    );
    assert_eq!(tokens("12abc"), [int(12), ident("abc")]);
}

#[test]
fn integers_that_are_none_are_refused() {
    assert_eq!(tag("18446744073709551616"), "D_INT_OFLOW");
    assert_eq!(tag("0x12345678123456781"), "D_INT_OFLOW");
    assert_eq!(tag("02000000000000000000000"), "D_INT_OFLOW");
    assert_eq!(
        error("099").message,
        "constant 099 contains invalid digit 9"
    );
    assert_eq!(tag("08u"), "D_INT_DIGIT");
}

#[test]
fn floating_point_is_refused() {
    for text in ["1.5", "1.", ".5", "1e5", "1e-5", "1.5e+3f", "1f", "0.0"] {
        let error = error(text);
        assert_eq!(error.tag, "D_SYNTAX", "{text}");
        assert_eq!(error.message, "floating-point constants are not permitted");
        assert_eq!(error.span.end as usize, text.len());
    }
    assert_eq!(tokens("1e"), [int(1), ident("e")]);
    assert_eq!(tokens("0xe"), [number(14, false, false, false, false)]);
}

#[test]
fn characters_are_numbers() {
    assert_eq!(tokens("'a'"), [Tok::Char(97)]);
    assert_eq!(tokens(r"'\n'"), [Tok::Char(10)]);
    assert_eq!(tokens(r"'\''"), [Tok::Char(0x5c27)]);
    assert_eq!(tokens(r"'\\'"), [Tok::Char(92)]);
    assert_eq!(tokens(r"'\0'"), [Tok::Char(0)]);
    assert_eq!(tokens(r"'\377'"), [Tok::Char(255)]);
    assert_eq!(tokens("'ab'"), [Tok::Char(0x6162)]);
    assert_eq!(tokens("'abcdefgh'"), [Tok::Char(0x6162_6364_6566_6768)]);
    assert_eq!(
        tokens(r"'\xff\xff\xff\xff\xff\xff\xff\xff'"),
        [Tok::Char(-1)]
    );
}

#[test]
fn characters_that_are_none_are_refused() {
    assert_eq!(tag("''"), "D_CHR_NULL");
    assert_eq!(tag("'abcdefghi'"), "D_CHR_OFLOW");
    assert_eq!(tag("'a\n'"), "D_CHR_NL");
    assert_eq!(tag("'a\\\n'"), "D_CHR_NL");
    assert_eq!(tag("'a"), "D_SYNTAX");
    assert_eq!(tag("'"), "D_SYNTAX");
    assert_eq!(tag("'\\"), "D_SYNTAX");
}

#[test]
fn strings_have_escapes() {
    assert_eq!(
        tokens(r#""\a\b\f\n\r\t\v\\\"""#),
        [string("\x07\x08\x0c\n\r\t\x0b\\\"")]
    );
    assert_eq!(tokens(r#""\101\60z\x41""#), [string("A0zA")]);
    assert_eq!(tokens(r#""\1012""#), [string("A2")]);
    assert_eq!(tokens(r#""\xfffff41""#), [string("A")]);
    assert_eq!(tokens(r#""\q\xz\'\?""#), [string(r"\q\xz\'\?")]);
    assert_eq!(tokens(r#""""#), [string("")]);
    assert_eq!(tokens(r#""é λ""#), [string("é λ")]);
    assert_eq!(tokens(r#""\\" "x""#), [string("\\"), string("x")]);
}

#[test]
fn a_string_ends_at_its_first_nul() {
    assert_eq!(tokens(r#""ab\0cd""#), [string("ab")]);
}

#[test]
fn strings_do_not_span_lines() {
    assert_eq!(tag("\"a\n\""), "D_STR_NL");
    assert_eq!(tag("\"a\\\n\""), "D_STR_NL");
    assert_eq!(tag("\"a"), "D_SYNTAX");
    assert_eq!(tag("\"a\\\""), "D_SYNTAX");
}

#[test]
fn operators_are_taken_at_their_longest() {
    assert_eq!(
        tokens("a+++b"),
        [ident("a"), Tok::Op("++"), Tok::Op("+"), ident("b")]
    );
    assert_eq!(
        tokens(">>= >> >= ^^ ^= -> ... /="),
        [">>=", ">>", ">=", "^^", "^=", "->", "...", "/="].map(Tok::Op)
    );
}

#[test]
fn names_may_have_a_module() {
    assert_eq!(tokens("a`b"), [ident("a`b")]);
    assert_eq!(tokens("`b"), [ident("`b")]);
    assert_eq!(tokens("_a9"), [ident("_a9")]);
    assert_eq!(tokens("while whiles"), [Tok::Key("while"), ident("whiles")]);
}

#[test]
fn aggregations_may_have_no_name() {
    let aggregation = |name: &str| Tok::Aggregation(name.into());
    assert_eq!(tokens("@a"), [aggregation("a")]);
    assert_eq!(tokens("@[1]")[0], aggregation("_"));
    assert_eq!(tokens("@_"), [aggregation("_")]);
    assert_eq!(tokens("@ a"), [aggregation("_"), ident("a")]);
    assert_eq!(tokens("@int"), [aggregation("int")]);
}

#[test]
fn comments_are_blanks() {
    assert_eq!(tokens("a/* b */c"), [ident("a"), ident("c")]);
    assert_eq!(tokens("a // b /*\nc"), [ident("a"), ident("c")]);
    assert_eq!(tokens("a // b"), [ident("a")]);
    assert_eq!(tokens("a //* b\nc"), [ident("a"), ident("c")]);
    assert_eq!(tokens("/***/ a /* * / */"), [ident("a")]);
    assert_eq!(tokens("a \\\nb"), [ident("a"), ident("b")]);
    assert_eq!(tokens("\"/* a */\""), [string("/* a */")]);
}

#[test]
fn comments_do_not_nest_and_have_an_end() {
    assert_eq!(error("/* /* */").message, "/* encountered inside a comment");
    assert_eq!(
        error("a /* b").message,
        "end-of-file encountered before matching */"
    );
    assert_eq!(tag("/*/"), "D_SYNTAX");
}

#[test]
fn a_slash_ends_a_predicate_by_what_follows() {
    for text in [
        "/",
        "/ ",
        "/{",
        "/ \n\t{",
        "/;",
        "/ /* x */ {",
        "/ // x\n{",
        "/\n# 5 \"f\"\n{",
    ] {
        assert_eq!(tokens(text)[0], Tok::EndPredicate, "{text:?}");
    }
    for text in ["/ a", "/(b)", "/1", "/ /* x */ 2", "/ // x\n3"] {
        assert_eq!(tokens(text)[0], Tok::Op("/"), "{text:?}");
    }
}

#[test]
fn what_has_no_token_is_refused() {
    assert_eq!(error("a \\ b").message, "syntax error near \"\\\"");
    assert_eq!(error("é").message, "syntax error near \"é\"");
    assert_eq!(error("\u{1}").message, "syntax error near \"\\u{1}\"");
    assert_eq!(error("$").message, "syntax error near \"$\"");
    assert_eq!(error("$-1").tag, "D_SYNTAX");
    assert_eq!(error("a # b").message, "syntax error near \"#\"");
}

#[test]
fn outer_words_are_descriptions() {
    assert_eq!(
        outer("fbt::vfs_*:entry, tick-1s / {"),
        [
            probe("fbt::vfs_*:entry"),
            Tok::Op(","),
            probe("tick-1s"),
            Tok::Op("/"),
            Tok::Op("{")
        ]
    );
    assert_eq!(outer("[a-z]?\\*x:::"), [probe("[a-z]?\\*x:::")]);
    assert_eq!(outer("pid$target:::"), [probe("pid$target:::")]);
    assert_eq!(outer("if break"), [probe("if"), probe("break")]);
    assert_eq!(outer("int inline"), [Tok::Key("int"), Tok::Key("inline")]);
    assert_eq!(outer("int:::"), [probe("int:::")]);
    assert_eq!(outer("17"), [int(17)]);
}

#[test]
fn outer_words_may_be_types() {
    assert_eq!(outer("my_t"), [ident("my_t")]);
    assert_eq!(outer("my_t*"), [ident("my_t"), probe("*")]);
    assert_eq!(outer("int*"), [Tok::Key("int"), probe("*")]);
    assert_eq!(outer("my_t:"), [probe("my_t:")]);
    assert_eq!(outer("my_t-x"), [probe("my_t-x")]);
    assert_eq!(outer("yours_t*"), [probe("yours_t*")]);
    assert_eq!(outer("BEGIN"), [probe("BEGIN")]);
}

fn macros() -> Macros {
    let mut macros = Macros::new([
        "x.d",
        "12",
        "-5",
        "0x10ul",
        "vfs_read",
        "a b",
        "\"q r\"",
        "int",
        "",
        "08",
        "+7",
        "99999999999999999999",
        "line\\n",
        "-",
        "12ab",
    ]);
    macros.define("target", 123).define("uid", -1);
    macros
}

fn substituted(text: &str) -> Tok {
    tokens_with(text, &macros())
        .expect("the macro is defined")
        .remove(0)
}

#[test]
fn a_macro_argument_is_one_token() {
    assert_eq!(substituted("$1"), int(12));
    assert_eq!(
        substituted("$2"),
        Tok::Int {
            value: 5,
            suffix: Suffix::default(),
            decimal: true,
            negative: true
        }
    );
    assert_eq!(substituted("$3"), number(16, true, true, false, false));
    assert_eq!(substituted("$4"), ident("vfs_read"));
    assert_eq!(substituted("$5"), string("a b"));
    assert_eq!(substituted("$6"), string("q r"));
    assert_eq!(substituted("$7"), Tok::Key("int"));
    assert_eq!(substituted("$8"), string(""));
    assert_eq!(substituted("$10"), int(7));
    assert_eq!(substituted("$12"), string("line\n"));
    assert_eq!(substituted("$13"), string("-"));
    assert_eq!(substituted("$0"), string("x.d"));
}

#[test]
fn a_macro_argument_can_be_a_string() {
    assert_eq!(substituted("$$1"), string("12"));
    assert_eq!(substituted("$$4"), string("vfs_read"));
    assert_eq!(substituted("$$6"), string("\"q r\""));
    assert_eq!(substituted("$$12"), string("line\n"));
}

#[test]
fn macro_variables_are_numbers() {
    assert_eq!(substituted("$target"), int(123));
    assert_eq!(substituted("$$target"), string("123"));
    assert_eq!(substituted("$$uid"), string("-1"));
}

#[test]
fn macros_that_are_not_there_are_refused() {
    let refused = |text| tokens_with(text, &macros()).expect_err("it is refused");
    assert_eq!(refused("$15").message, "macro argument $15 is not defined");
    assert_eq!(refused("$$15").tag, "D_MACRO_UNDEF");
    assert_eq!(refused("$99999999999999999999").tag, "D_MACRO_UNDEF");
    assert_eq!(
        refused("$nix").message,
        "macro variable $nix is not defined"
    );
    assert_eq!(refused("$$nix").tag, "D_MACRO_UNDEF");
    assert_eq!(refused("$11").tag, "D_MACRO_OFLOW");
    assert_eq!(refused("$9").tag, "D_INT_DIGIT");
    assert_eq!(refused("$14").tag, "D_INT_DIGIT");
}

#[test]
fn missing_arguments_may_have_defaults() {
    let text = "#pragma D option defaultargs\n$7 $$7";
    assert_eq!(
        tokens(text),
        [number(0, false, false, false, false), string("")]
    );
}

#[test]
fn the_last_argument_has_to_be_used() {
    let check = |text: &str, macros: &Macros| {
        let mut lexer = Lexer::new(text, 0, macros).expect("it is short");
        while lexer.inner().expect("the text has tokens").tok != Tok::End {}
        lexer.check_arguments().map_err(|error| error.tag)
    };
    let macros = Macros::new(["x.d", "1", "2"]);
    assert_eq!(check("$1 $$2", &macros), Ok(()));
    assert_eq!(check("$2", &macros), Ok(()));
    assert_eq!(check("$1", &macros), Err("D_MACRO_UNUSED"));
    assert_eq!(check("#pragma D option argref\n", &macros), Ok(()));
    assert_eq!(check("", &Macros::new(["x.d"])), Ok(()));
    let allowed = Macros {
        unused_arguments: true,
        ..macros
    };
    assert_eq!(check("", &allowed), Ok(()));
}

#[test]
fn option_pragmas_are_kept() {
    let text = "#pragma D option quiet\n  # pragma D option bufsize=4k\r\n#pragma\tD\toption\tx=";
    let text = format!("{text}\n");
    let macros = Macros::default();
    let mut lexer = Lexer::new(&text, 0, &macros).expect("it is short");
    assert_eq!(lexer.inner().map(|token| token.tok), Ok(Tok::End));
    let options: Vec<(&str, Option<&str>)> = lexer
        .options
        .iter()
        .map(|option| (option.name.as_str(), option.value.as_deref()))
        .collect();
    assert_eq!(
        options,
        [("quiet", None), ("bufsize", Some("4k")), ("x", Some(""))]
    );
}

#[test]
fn lines_for_others_are_passed_over() {
    for text in [
        "#!/usr/sbin/rtctl -s\n",
        "#\n",
        "#pragma\n",
        "#pragma D\n",
        "#pragma once\n",
        "#pragma ident \"x\"\n",
        "#ident \"x\"\n",
        "# 5\n",
        "# 5 \"file\"\n",
        "# 1 \"file\" 1 3 4\n",
        "#line 5 \"file\"\n",
        "#pragma D attributes Stable/Evolving/Common x\n",
        "#pragma D attributes private/Private/ISA provider dtrace function\n",
        "#pragma D binding \"1.6.3\" x\n",
        "#pragma D depends_on provider fbt\n",
        "#pragma D depends_on module vmlinux\n",
    ] {
        assert_eq!(tokens(&format!("{text}x")), [ident("x")], "{text}");
    }
}

#[test]
fn control_lines_that_are_wrong_are_refused() {
    for (text, tag) in [
        ("#include \"x\"\n", "D_PRAGCTL_INVAL"),
        ("#nix\n", "D_PRAGCTL_INVAL"),
        ("#\"x\"\n", "D_PRAGCTL_INVAL"),
        ("#pragma D nix\n", "D_PRAGMA_INVAL"),
        ("#pragma D include\n", "D_PRAGMA_INVAL"),
        ("#pragma D option\n", "D_PRAGMA_MALFORM"),
        ("#pragma D option quiet loud\n", "D_PRAGMA_MALFORM"),
        ("#pragma D option \"quiet\"\n", "D_PRAGMA_MALFORM"),
        ("#pragma D option 5\n", "D_PRAGMA_MALFORM"),
        ("#pragma D attributes x\n", "D_PRAGMA_MALFORM"),
        (
            "#pragma D attributes Nix/Stable/Common x\n",
            "D_PRAGMA_INVAL",
        ),
        ("#pragma D attributes Stable/Stable x\n", "D_PRAGMA_INVAL"),
        (
            "#pragma D attributes Stable/Stable/Common provider fbt\n",
            "D_PRAGMA_MALFORM",
        ),
        (
            "#pragma D attributes Stable/Stable/Common provider fbt nix\n",
            "D_PRAGMA_INVAL",
        ),
        ("#pragma D binding x y\n", "D_PRAGMA_MALFORM"),
        ("#pragma D binding \"x\" y\n", "D_PRAGMA_INVAL"),
        ("#pragma D depends_on module\n", "D_PRAGMA_MALFORM"),
        ("#pragma D depends_on nix x\n", "D_PRAGMA_INVAL"),
        ("#pragma D depends_on library x.d\n", "D_PRAGMA_DEPEND"),
        ("#error nix\n", "D_PRAGERR"),
        ("#pragma D error nix\n", "D_PRAGERR"),
        ("#line\n", "D_PRAGMA_MALFORM"),
        ("#line x\n", "D_PRAGMA_MALFORM"),
        ("# 5 x\n", "D_PRAGMA_MALFORM"),
        ("# 5 \"x\" y\n", "D_PRAGMA_MALFORM"),
        ("#pragma D option \"x\n", "D_STR_NL"),
        ("#pragma", "D_SYNTAX"),
    ] {
        assert_eq!(self::tag(text), tag, "{text}");
    }
    assert_eq!(error("#error a \"b c\"\n").message, "#error: a b c");
}
