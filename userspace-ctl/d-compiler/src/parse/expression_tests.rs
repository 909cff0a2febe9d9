// SPDX-License-Identifier: GPL-2.0-only
//! Tests of expressions: precedence, operands, places, what is refused.
#![forbid(unsafe_code)]

use super::{Context, MAX_HEIGHT, parse_in, unparse};
use crate::ast::{Expr, ExprKind, Item, Statement};
use crate::error::{Error, Span};
use crate::macros::Macros;

/// Parses one expression, where `my_t` and ``ext4`its_t`` are types.
pub(super) fn parse(text: &str) -> Result<Expr, Error> {
    let macros = Macros {
        unused_arguments: true,
        ..Macros::new(["x.d", "-5"])
    };
    let is_type = |name: &str| name == "my_t" || name == "ext4`its_t";
    let context = Context {
        is_type: &is_type,
        ..Context::new(&macros)
    };
    let program = format!("BEGIN {{ {text} }}");
    let program = parse_in(&program, &context)?;
    let [Item::Clause(clause)] = &program.items[..] else {
        panic!("it is one clause")
    };
    match clause.body.as_deref() {
        Some([Statement::Expr(expr)]) => Ok(expr.clone()),
        body => panic!("it is one expression: {body:?}"),
    }
}

fn written(text: &str) -> String {
    unparse::expr(&parse(text).unwrap_or_else(|error| panic!("{text}: {error}")))
}

fn refused(text: &str) -> Error {
    parse(text).expect_err(text)
}

#[test]
fn operators_bind_as_in_c() {
    for (text, meaning) in [
        ("a + b * c", "(a + (b * c))"),
        ("a * b + c", "((a * b) + c)"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b % c", "((a / b) % c)"),
        ("a << b + c", "(a << (b + c))"),
        ("a < b << c", "(a < (b << c))"),
        ("a == b < c", "(a == (b < c))"),
        ("a & b == c", "(a & (b == c))"),
        ("a ^ b & c", "(a ^ (b & c))"),
        ("a | b ^ c", "(a | (b ^ c))"),
        ("a && b | c", "(a && (b | c))"),
        ("a ^^ b && c", "(a ^^ (b && c))"),
        ("a || b ^^ c", "(a || (b ^^ c))"),
        ("a ^^ b || c", "((a ^^ b) || c)"),
        ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
        ("a ? b ? c : d : e", "(a ? (b ? c : d) : e)"),
        ("a ? b, c : d", "(a ? (b, c) : d)"),
        ("a || b ? c : d", "((a || b) ? c : d)"),
        ("a = b = c", "(a = (b = c))"),
        ("a = b ? c : d", "(a = (b ? c : d))"),
        ("a, b = c, d", "((a, (b = c)), d)"),
        ("(a + b) * c", "((a + b) * c)"),
        ("a != b >= c <= d > e", "(a != (((b >= c) <= d) > e))"),
        ("a >> b << c", "((a >> b) << c)"),
    ] {
        assert_eq!(written(text), meaning, "{text}");
    }
}

#[test]
fn there_is_every_assignment() {
    for op in ["", "+", "-", "*", "/", "%", "<<", ">>", "&", "^", "|"] {
        let text = format!("a {op}= b");
        assert_eq!(written(&text), format!("({text})"));
    }
}

#[test]
fn operators_before_and_behind_operands() {
    for (text, meaning) in [
        ("-a * b", "((-a) * b)"),
        ("!a == b", "((!a) == b)"),
        ("~a & b", "((~a) & b)"),
        ("-+~!a", "(-(+(~(!a))))"),
        ("a - -b", "(a - (-b))"),
        ("*a++", "(*((a)++))"),
        ("-a--", "(-((a)--))"),
        ("++a", "(++(a))"),
        ("--*a", "(--((*a)))"),
        ("&a[1]", "(&(a)[1])"),
        ("**a", "(*(*a))"),
        ("&a->b.c", "(&((a)->b).c)"),
        ("a & &b", "(a & (&b))"),
    ] {
        assert_eq!(written(text), meaning, "{text}");
    }
}

#[test]
fn operands_of_every_kind() {
    for (text, meaning) in [
        ("self->a", "self->a"),
        ("(self)->a", "self->a"),
        ("this->a[1, \"b\"]", "(this->a)[1, \"\\142\"]"),
        ("self->a->b", "(self->a)->b"),
        ("::a", "(::a)"),
        ("a ? b : ::c", "(a ? b : (::c))"),
        ("a ? b:::c", "(a ? b : (::c))"),
        ("`a", "`a"),
        ("ext4`a", "ext4`a"),
        ("ext4`a.b", "(ext4`a).b"),
        ("@", "@_"),
        ("@a", "@a"),
        ("@a[1, b]", "@a[1, b]"),
        ("@[1] = count()", "(@_[1] = count())"),
        ("@a[1][2]", "(@a[1])[2]"),
        ("f()", "f()"),
        ("f(a, (b, c))", "f(a, (b, c))"),
        ("a[1][2]", "((a)[1])[2]"),
        ("args[0]->self", "((args)[0])->self"),
        ("a.int.default", "((a).int).default"),
        ("\"a\" \"b\"", "\"\\141\\142\""),
        ("'a'", "'\\141'"),
        ("1u + 0x2ll", "(1u + 0x2ll)"),
        ("$1", "(-5)"),
        ("a - $1", "(a - (-5))"),
    ] {
        assert_eq!(written(text), meaning, "{text}");
    }
}

#[test]
fn types_in_expressions() {
    for (text, meaning) in [
        ("(int)a + b", "(((int) a) + b)"),
        ("(int)-a", "((int) (-a))"),
        ("(my_t)-a", "((my_t) (-a))"),
        ("(not_t)-a", "(not_t - a)"),
        ("(my_t *)a", "((my_t *) a)"),
        ("(ext4`its_t *)a", "((ext4`its_t *) a)"),
        ("(uint64_t)a", "((uint64_t) a)"),
        ("(char *)(int)a", "((char *) ((int) a))"),
        (
            "((struct task_struct *)curthread)->comm",
            "(((struct task_struct *) curthread))->comm",
        ),
        ("(struct ext4`inode **)a", "((struct ext4`inode **) a)"),
        ("(unsigned long long)a", "((unsigned long long) a)"),
        ("(const volatile char *const)a", "((char *) a)"),
        ("(int (*)[3])a", "((int (*)[3]) a)"),
        (
            "(int (*)(int, char *, ...))a",
            "((int (*)(int, char *, ...)) a)",
        ),
        ("(int *[])a", "((int *[]) a)"),
        ("(enum e)a", "((enum e) a)"),
        ("(string)a", "((string) a)"),
        ("sizeof (int)", "(sizeof (int))"),
        ("sizeof (my_t *)", "(sizeof (my_t *))"),
        ("sizeof (a)", "(sizeof (a))"),
        ("sizeof a + b", "((sizeof (a)) + b)"),
        ("sizeof (a).b", "(sizeof ((a).b))"),
        ("sizeof ((int)a)", "(sizeof (((int) a)))"),
        ("offsetof (struct s, m)", "(offsetof (struct s, m))"),
        ("offsetof (my_t, int) + a", "((offsetof (my_t, int)) + a)"),
        ("stringof a", "(stringof (a))"),
        ("stringof (a) + b", "((stringof (a)) + b)"),
        ("stringof a->b", "(stringof ((a)->b))"),
        ("xlate <struct s *> (a)", "(xlate <struct s *> (a))"),
        ("xlate <my_t>(a)->b", "((xlate <my_t> (a)))->b"),
    ] {
        assert_eq!(written(text), meaning, "{text}");
    }
}

#[test]
fn a_variable_hides_a_type() {
    let macros = Macros::default();
    let is_type = |name: &str| name == "my_t";
    let context = Context {
        is_type: &is_type,
        ..Context::new(&macros)
    };
    for program in [
        "int my_t; BEGIN { (my_t) - 1 }",
        "inline int my_t = 1; BEGIN { (my_t) - 1 }",
        "BEGIN { my_t = 2 } END { (my_t) - 1 }",
        "BEGIN { my_t[1] = 2 } END { (my_t) - 1 }",
        "BEGIN { my_t++ } END { (my_t) - 1 }",
    ] {
        let program = parse_in(program, &context).expect("it is right");
        let Some(Item::Clause(clause)) = program.items.last() else {
            panic!("it ends in a clause")
        };
        let Some([Statement::Expr(last)]) = clause.body.as_deref() else {
            panic!("it has one statement")
        };
        assert_eq!(unparse::expr(last), "(my_t - 1)");
    }
}

#[test]
fn what_is_no_expression_is_refused() {
    for (text, near) in [
        ("a +", "}"),
        ("+", "}"),
        ("a b", "b"),
        ("a ++ b", "b"),
        ("(a", "}"),
        ("a)", ")"),
        ("a[1", "}"),
        ("a[]", "]"),
        ("@a[]", "]"),
        ("f(a,)", ")"),
        ("f(,a)", ","),
        ("a.1", ".1"),
        ("a->", "}"),
        ("a.b`c", "b`c"),
        ("a ? b", "}"),
        ("a ? : b", ":"),
        ("a + b = c", "="),
        ("a ? b : c = d", "="),
        ("(int)a = b", "="),
        ("f(a = b = )", ")"),
        (": a", ":"),
        (": : a", ":"),
        ("while", "while"),
        ("return a", "return"),
        ("return", "return"),
        ("for (a; b; c)", "for"),
        ("do a", "do"),
        ("goto a", "goto"),
        ("int a", "int"),
        ("self->", "}"),
        ("(my_t)", "}"),
        ("(not_t *)a", ")"),
        ("sizeof", "}"),
        ("sizeof (int", "}"),
        ("offsetof (int)", ")"),
        ("offsetof (a, b)", "a"),
        ("xlate (a)", "("),
        ("xlate <a> (b)", "a"),
        ("a 123", "123"),
        ("1 \"a\"", "\"a\""),
        ("(static int)a", "static"),
        ("a /", "}"),
        ("a /;", "/"),
        ("{ a; }", "{"),
    ] {
        let error = refused(text);
        if text == "a.1" {
            assert!(error.message.starts_with("floating-point"));
            continue;
        }
        assert_eq!(error.tag, "D_SYNTAX", "{text}");
        assert_eq!(
            error.message,
            format!("syntax error near \"{near}\""),
            "{text}"
        );
    }
}

#[test]
fn only_names_are_called() {
    for text in ["(a + b)(c)", "a.b(c)", "1(2)", "f(a)(b)", "@a[1](c)"] {
        assert_eq!(refused(text).tag, "D_FUNC_IDENT", "{text}");
    }
    for text in ["a`b(c)", "@a(c)"] {
        assert_eq!(refused(text).tag, "D_FUNC_UNDEF", "{text}");
    }
}

#[test]
fn places_are_those_of_the_text() {
    let text = "aa + ( bb * 2 ) ";
    let offset = "BEGIN { ".len() as u32;
    let place = |span: Span| &text[(span.start - offset) as usize..(span.end - offset) as usize];
    let sum = parse(text).expect("it is right");
    assert_eq!(place(sum.span), "aa + ( bb * 2 )");
    let ExprKind::Binary { left, right, .. } = sum.kind else {
        panic!("it is a sum")
    };
    assert_eq!(place(left.span), "aa");
    assert_eq!(place(right.span), "( bb * 2 )");
    let call = parse("self->a[f(x)]->b++").expect("it is right");
    assert_eq!((call.span.start, call.span.end), (offset, offset + 18));
}

#[test]
fn long_chains_are_no_deep_nesting() {
    let many = usize::from(MAX_HEIGHT) - 2;
    let ternaries = "a == 1 ? \"x\" : ".repeat(many) + "b";
    assert!(parse(&ternaries).is_ok());
    let sums = "a + ".repeat(many) + "b";
    assert!(parse(&sums).is_ok());
    let arguments = format!("f({}b)", "a, ".repeat(100_000));
    assert!(parse(&arguments).is_ok());
}

#[test]
fn what_nests_too_deeply_is_refused() {
    let many = 100_000;
    for text in [
        "(".repeat(many),
        format!("{}a{}", "(".repeat(many), ")".repeat(many)),
        "a[".repeat(many),
        "f(".repeat(many),
        "-".repeat(many),
        "- ".repeat(many) + "a",
        "(int)".repeat(many) + "a",
        "sizeof ".repeat(many) + "a",
        "a ? ".repeat(many),
        "a ? b : ".repeat(many) + "c",
        "a = ".repeat(many) + "b",
        "a + ".repeat(many) + "b",
        "a, ".repeat(many) + "b",
        "a".to_owned() + &".b".repeat(many),
        "a".to_owned() + &"[1]".repeat(many),
        "a || b && c | d ^ e & f == g < h << i + j * (".repeat(many),
        "(int (*)".repeat(many),
        "(".to_owned() + &"struct { ".repeat(many),
        "(int [sizeof ".repeat(many),
        "(int [(".repeat(many),
        "(int ".to_owned() + &"(".repeat(many),
        "if (a) ".repeat(many),
        "if (a) {".repeat(many),
        "if (a) b; else ".repeat(many),
    ] {
        let error = refused(&text);
        assert_eq!(error.tag, "D_SYNTAX");
        assert!(
            error.message.contains("nests too deeply"),
            "{}: {}",
            &text[..20],
            error.message
        );
    }
    let pointers = format!("(int {})a", "*".repeat(many));
    assert!(parse(&pointers).is_ok());
}

#[test]
fn trees_made_high_in_parts_are_refused() {
    let sum = "+ a".repeat(usize::from(MAX_HEIGHT) / 2);
    let text = format!("((a {sum}) {sum}) {sum}");
    assert!(refused(&text).message.contains("nests too deeply"));
}
