// SPDX-License-Identifier: GPL-2.0-only
//! No text makes the parser panic, and what it refuses can be shown.
#![forbid(unsafe_code)]

use proptest::prelude::*;

use super::{Context, Field, parse, parse_clause, parse_in};
use crate::macros::Macros;

/// Parses a text in every way that there is.
fn everywhere(text: &str) {
    let mut macros = Macros::new(["x.d", "1", "-2", "a b", "\"c"]);
    macros.define("target", 7);
    let is_type = |name: &str| name.len() % 2 == 0;
    let context = Context {
        is_type: &is_type,
        ..Context::new(&macros)
    };
    let mut results = vec![parse(text, &macros), parse_in(text, &context)];
    for field in [Field::Provider, Field::Module, Field::Function, Field::Name] {
        results.push(parse_clause(field, text, &macros));
    }
    for error in results.into_iter().filter_map(Result::err) {
        // A refusal has a tag and a place that can be shown.
        assert!(error.tag.starts_with("D_"), "{error}");
        assert!(!error.message.is_empty());
        assert!(error.span.start <= error.span.end);
        assert!(error.span.end as usize <= text.len(), "{error:?}");
        assert!(text.is_char_boundary(error.span.start as usize));
        assert!(text.is_char_boundary(error.span.end as usize));
        crate::source::render(crate::source::Origin::Option, text, &error);
    }
}

const PIECES: &[&str] = &[
    "BEGIN",
    "END",
    "fbt::vfs_*:entry",
    "tick-1s",
    "pid$target:::",
    "a",
    "bb",
    "x_t",
    "`s",
    "m`s",
    "self",
    "this",
    "self->x",
    "this->y",
    "@",
    "@a",
    "$1",
    "$2",
    "$3",
    "$$4",
    "$9",
    "$target",
    "1",
    "08",
    "0x1f",
    "2ull",
    "1.5",
    "'c'",
    "''",
    "\"s\"",
    "\"",
    "'",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ";",
    ",",
    ":",
    "::",
    "?",
    ".",
    "->",
    "...",
    "=",
    "+=",
    "/=",
    "<<=",
    "++",
    "--",
    "+",
    "-",
    "*",
    "/",
    "%",
    "&",
    "&&",
    "|",
    "||",
    "^",
    "^^",
    "~",
    "!",
    "<",
    "<=",
    ">",
    ">=",
    "==",
    "!=",
    "<<",
    ">>",
    "//",
    "/*",
    "*/",
    "\n",
    "\\\n",
    "#",
    "#pragma D option ",
    "#pragma D attributes ",
    "# 1 \"f\"",
    "#!",
    "if",
    "else",
    "int",
    "char",
    "long",
    "unsigned",
    "struct",
    "union",
    "enum",
    "typedef",
    "inline",
    "extern",
    "static",
    "const",
    "string",
    "void",
    "double",
    "sizeof",
    "offsetof",
    "stringof",
    "xlate",
    "provider",
    "translator",
    "import",
    "while",
    "é",
    "\t",
];

proptest! {
    #[test]
    fn random_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        everywhere(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn random_text_is_answered(text in "\\PC{0,100}") {
        everywhere(&text);
        everywhere(&format!("BEGIN {{ {text} }}"));
        everywhere(&format!("BEGIN /{text}/ {{ }}"));
    }

    #[test]
    fn random_tokens_are_answered(
        pieces in prop::collection::vec((prop::sample::select(PIECES), any::<bool>()), 0..40)
    ) {
        let mut text = String::new();
        for (piece, blank) in pieces {
            text.push_str(piece);
            text.push_str(if blank { " " } else { "" });
        }
        everywhere(&text);
        everywhere(&format!("BEGIN {{ {text} }}"));
        everywhere(&format!("BEGIN /{text}/ {{ }}"));
    }
}

#[test]
fn every_beginning_of_a_program_is_answered() {
    let text = "#pragma D option quiet\ntypedef struct s { int a:3; } s_t;\nself s_t *x[int];\n\
                inline int N = 'ab';\nfbt::vfs_*:entry, 12 /(self->x)->a != N && @a == \"\\x41\"/ \
                {\n\tif (arg0) @[stack(), (s_t *)arg1] = quantize(sizeof (int) / 2); else exit($1);\n}";
    for end in 0..=text.len() {
        everywhere(&text[..end]);
        everywhere(&text[end..]);
    }
}
