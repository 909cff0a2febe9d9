// SPDX-License-Identifier: GPL-2.0-only
//! Tests of declarations.
#![forbid(unsafe_code)]

use super::{Context, parse_in, unparse};
use crate::ast::{Derivation, Item, Program, Storage};
use crate::error::Error;
use crate::macros::Macros;

fn parse(text: &str) -> Result<Program, Error> {
    let macros = Macros::default();
    let is_type = |name: &str| name == "my_t";
    parse_in(
        text,
        &Context {
            is_type: &is_type,
            ..Context::new(&macros)
        },
    )
}

/// The declarations of a program, their storage first.
fn written(text: &str) -> Vec<String> {
    let program = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    program
        .items
        .iter()
        .map(|item| match item {
            Item::Declaration(declaration) => format!(
                "{:?} {}",
                declaration.storage,
                unparse::declaration(declaration).trim_end()
            ),
            Item::Inline(inline) => format!(
                "Inline {} {} = {};",
                unparse::base(&inline.base),
                unparse::declarator(&inline.declarator),
                unparse::expr(&inline.value)
            ),
            Item::Translator(translator) => format!(
                "Translator {} < {} {} > {{ {}; }}",
                unparse::type_name(&translator.output),
                unparse::type_name(&translator.input),
                translator.name,
                translator
                    .members
                    .iter()
                    .map(|member| format!("{} = {}", member.name, unparse::expr(&member.value)))
                    .collect::<Vec<_>>()
                    .join("; ")
            ),
            Item::Clause(_) => "Clause".to_owned(),
        })
        .collect()
}

fn refused(text: &str) -> Error {
    parse(text).expect_err(text)
}

#[test]
fn variables_of_every_scope() {
    for (text, meaning) in [
        ("int x;", "Global int x;"),
        ("int x, *y, z[3];", "Global int x, *y, z[3];"),
        ("self int x;", "Thread int x;"),
        ("this string s;", "Local string s;"),
        ("int self x;", "Thread int x;"),
        ("self x;", "Thread int x;"),
        ("extern int x;", "Extern int x;"),
        ("static int x;", "Static int x;"),
        ("auto int x;", "Static int x;"),
        ("register int x;", "Static int x;"),
        ("const int x;", "Global int x;"),
        ("unsigned x;", "Global unsigned int x;"),
        ("my_t x;", "Global my_t x;"),
        ("my_t*x;", "Global my_t *x;"),
        ("int*x;", "Global int *x;"),
        ("uint64_t x;", "Global uint64_t x;"),
        ("struct foo *x;", "Global struct foo *x;"),
        ("struct ext4`foo x;", "Global struct ext4`foo x;"),
        ("self my_t my_t;", "Thread my_t my_t;"),
        (
            "extern struct task_struct *x(int, ...);",
            "Extern struct task_struct *x(int, ...);",
        ),
    ] {
        assert_eq!(written(text), [meaning], "{text}");
    }
}

#[test]
fn associative_arrays_have_types_of_keys() {
    for (text, meaning) in [
        ("string a[int, string];", "Global string a[int, string];"),
        ("self int a[my_t *];", "Thread int a[my_t *];"),
        ("int a[int x, string y];", "Global int a[int x, string y];"),
        ("int a[register int];", "Global int a[int];"),
        ("int a[5];", "Global int a[5];"),
        ("int a[2][3];", "Global int a[2][3];"),
        ("int a[];", "Global int a[];"),
        ("int a[sizeof (int)];", "Global int a[(sizeof (int))];"),
        ("int a[N];", "Global int a[N];"),
    ] {
        assert_eq!(written(text), [meaning], "{text}");
    }
}

#[test]
fn declarators_are_read_from_their_name_outwards() {
    let steps = |text: &str| {
        let program = parse(text).expect(text);
        let Item::Declaration(declaration) = &program.items[0] else {
            panic!("it is a declaration")
        };
        declaration.declarators[0]
            .derivations
            .iter()
            .map(|step| match step {
                Derivation::Pointer => 'p',
                Derivation::Array(_) => 'a',
                Derivation::Associative(_) => 'k',
                Derivation::Function(..) => 'f',
            })
            .collect::<String>()
    };
    assert_eq!(steps("int *x[3];"), "ap");
    assert_eq!(steps("int (*x)[3];"), "pa");
    assert_eq!(steps("int (*x[3])(int);"), "apf");
    assert_eq!(steps("int *(*(*x)(void))[2];"), "pfpap");
    assert_eq!(steps("int ((x));"), "");
    assert_eq!(steps("int *const *volatile x;"), "pp");
    assert_eq!(steps("int (*x)(int (*)(int), char);"), "pf");
}

#[test]
fn words_of_types_come_in_any_order() {
    for (text, meaning) in [
        ("char x;", "char"),
        ("signed char x;", "signed char"),
        ("unsigned char x;", "unsigned char"),
        ("short x;", "short"),
        ("short int x;", "short"),
        ("int unsigned short x;", "unsigned short"),
        ("long x;", "long"),
        ("long int x;", "long"),
        ("int long unsigned x;", "unsigned long"),
        ("long long x;", "long long"),
        ("long unsigned long int x;", "unsigned long long"),
        ("signed x;", "signed int"),
        ("float x;", "float"),
        ("double x;", "double"),
        ("long double x;", "long double"),
        ("void *x;", "void"),
    ] {
        let program = parse(text).expect(text);
        let Item::Declaration(declaration) = &program.items[0] else {
            panic!("it is a declaration")
        };
        assert_eq!(unparse::base(&declaration.base), meaning, "{text}");
    }
}

#[test]
fn words_that_do_not_go_together_are_refused() {
    for (text, tag) in [
        ("int char x;", "D_DECL_COMBO"),
        ("int int x;", "D_DECL_COMBO"),
        ("struct a int x;", "D_DECL_COMBO"),
        ("signed unsigned x;", "D_UNKNOWN"),
        ("short long x;", "D_UNKNOWN"),
        ("long long long x;", "D_DECL_COMBO"),
        ("short short x;", "D_DECL_COMBO"),
        ("signed signed x;", "D_DECL_COMBO"),
        ("unsigned unsigned int x;", "D_DECL_COMBO"),
        ("long long double x;", "D_UNKNOWN"),
        ("short float x;", "D_UNKNOWN"),
        ("long char x;", "D_DECL_CHARATTR"),
        ("short char x;", "D_DECL_CHARATTR"),
        ("unsigned void *x;", "D_DECL_VOIDATTR"),
        ("long void *x;", "D_DECL_VOIDATTR"),
        ("unsigned string x;", "D_DECL_SIGNINT"),
        ("unsigned struct s x;", "D_DECL_SIGNINT"),
        ("signed double x;", "D_DECL_SIGNINT"),
        ("long string x;", "D_DECL_LONGINT"),
        ("long enum e x;", "D_DECL_LONGINT"),
        ("static extern int x;", "D_DECL_CLASS"),
        ("self this int x;", "D_DECL_CLASS"),
        ("typedef typedef int x;", "D_DECL_CLASS"),
        ("inline static int x = 1;", "D_DECL_BADCLASS"),
        ("inline static extern int x = 1;", "D_DECL_CLASS"),
        ("int a[static int];", "D_DECL_PARMCLASS"),
        ("int f(extern int);", "D_DECL_PARMCLASS"),
        ("int a[int, ...];", "D_DECL_PROTO_VARARGS"),
        ("int a[...];", "D_DECL_PROTO_VARARGS"),
        ("int a`b;", "D_DECL_SCOPE"),
    ] {
        assert_eq!(refused(text).tag, tag, "{text}");
    }
}

#[test]
fn structs_unions_and_enums() {
    for (text, meaning) in [
        (
            "struct s { int a; char *b, c; };",
            "Global struct s { int a; char *b, c; } ;",
        ),
        ("union u { int a; } x;", "Global union u { int a; } x;"),
        (
            "struct s { int a : 3, b : 1 + 2; int : 0; };",
            "Global struct s { int a : 3, b : (1 + 2); int  : 0; } ;",
        ),
        (
            "struct s { union { int a; my_t b; }; struct { int c; } d; };",
            "Global struct s { union { int a; my_t b; } ; struct { int c; } d; } ;",
        ),
        (
            "struct s { struct s *next; };",
            "Global struct s { struct s *next; } ;",
        ),
        ("struct { int a; } x;", "Global struct { int a; } x;"),
        ("struct s;", "Global struct s ;"),
        (
            "enum e { A, B = 2, C = B };",
            "Global enum e { A, B = 2, C = B } ;",
        ),
        ("enum { A, } x;", "Global enum { A } x;"),
        ("enum e x;", "Global enum e x;"),
        (
            "struct my_t { int my_t; };",
            "Global struct my_t { int my_t; } ;",
        ),
    ] {
        assert_eq!(written(text), [meaning], "{text}");
    }
}

#[test]
fn typedefs_are_types_from_then_on() {
    assert_eq!(
        written(
            "typedef struct s { int a; } s_t, *p_t; s_t x; self p_t y; typedef p_t q_t; q_t z;"
        ),
        [
            "Typedef struct s { int a; } s_t, *p_t;",
            "Global s_t x;",
            "Thread p_t y;",
            "Typedef p_t q_t;",
            "Global q_t z;"
        ]
    );
    assert_eq!(refused("s_t x;").tag, "D_SYNTAX");
    assert_eq!(
        written("typedef int my_t; my_t x;"),
        ["Typedef int my_t;", "Global my_t x;"]
    );
}

#[test]
fn a_tag_again_is_told_before_what_is_wrong_with_its_members() {
    assert_eq!(
        refused("struct s { int a; }; struct s { int }").tag,
        "D_DECL_TYPERED"
    );
    assert_eq!(
        refused("struct s { int a; }; union s { int }").tag,
        "D_SYNTAX"
    );
    assert_eq!(refused("struct s { int }").tag, "D_SYNTAX");
}

#[test]
fn translators_say_how_members_come_about() {
    assert_eq!(
        written("translator struct out < struct in *i > { a = i->b; c = i ? 1 : 2; };"),
        ["Translator struct out < struct in * i > { a = (i)->b; c = (i ? 1 : 2); }"]
    );
    assert_eq!(
        written("translator union u < int i > { };"),
        ["Translator union u < int i > { ; }"]
    );
    let bound = "#pragma D binding \"1.0\" translator\ntranslator struct out < int i > { };";
    assert_eq!(written(bound), ["Translator struct out < int i > { ; }"]);
    for text in [
        "translator struct out < struct in *i > { a = i->b; }",
        "translator struct out < struct in * > { a = 1; };",
        "translator struct out < struct in *i > { a = 1 };",
        "translator struct out { a = 1; };",
        "translator < int i > { };",
    ] {
        assert_eq!(refused(text).tag, "D_SYNTAX", "{text}");
    }
}

#[test]
fn inlines_have_values_and_perhaps_keys() {
    assert_eq!(
        written("inline int N = 1 + 2; inline string a[int x, string y] = x ? y : \"\";"),
        [
            "Inline int N = (1 + 2);",
            "Inline string a[int x, string y] = (x ? y : \"\");"
        ]
    );
    assert_eq!(refused("inline int N;").tag, "D_SYNTAX");
    assert_eq!(refused("inline int N = 1, M = 2;").tag, "D_SYNTAX");
}

#[test]
fn what_is_no_declaration_is_refused() {
    for (text, near) in [
        ("int x = 3;", "="),
        ("int x", ""),
        ("int ;;", ";"),
        ("int 5;", "5"),
        ("int x y;", "y"),
        ("int *;", ";"),
        ("int (x;", ";"),
        ("int x,;", ";"),
        ("struct s { };", "}"),
        ("struct s { int; };", ";"),
        ("struct s { int a };", "}"),
        ("struct s { static int a; };", "static"),
        ("struct s { self int a; };", "self"),
        ("struct ;", ";"),
        ("struct { int a; ", ""),
        ("enum e { };", "}"),
        ("enum e { 5 };", "5"),
        ("enum e { A B };", "B"),
        ("enum;", ";"),
        ("int a[int;", ";"),
        ("int a[int,];", "]"),
        ("int f(self int);", "self"),
        ("int while;", "while"),
        ("import int x;", "import"),
        ("counter int x;", "counter"),
        (";", ";"),
        ("}", "}"),
        ("self->x = 1;", ">"),
    ] {
        let error = refused(text);
        assert_eq!(error.tag, "D_SYNTAX", "{text}");
        let expected = match near {
            "" => "syntax error near end-of-input".to_owned(),
            near => format!("syntax error near \"{near}\""),
        };
        assert_eq!(error.message, expected, "{text}");
    }
}

#[test]
fn providers_are_refused_with_a_reason() {
    let provider = refused("provider p { probe x(int); };");
    assert!(provider.message.starts_with("provider declarations"));
}

#[test]
fn storage_by_default_is_global() {
    assert_eq!(Storage::default(), Storage::Global);
}
