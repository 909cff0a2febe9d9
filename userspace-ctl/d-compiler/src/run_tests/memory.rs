// SPDX-License-Identifier: GPL-2.0-only
//! What is read and written: a firing's own memory, the kernel's, and strings.

use rust_tracer::abi;

use super::{number, number_after, run, text};

#[test]
fn memory_of_the_firing() {
    for (before, expr, value) in [
        (
            "this->p = (int *)alloca(16); *this->p = 3; this->p[1] = 4; this->p[2] = this->p[0] + this->p[1];",
            "this->p[2]",
            7,
        ),
        (
            "this->s = (struct s *)alloca(sizeof (struct s)); this->s->b = 6; this->s->a = this->s->b++;",
            "this->s->a * 10 + this->s->b",
            67,
        ),
        (
            "this->s = (struct s *)alloca(sizeof (struct s)); this->s->a = 6; v = *this->s; *this->s = w;",
            "v.a * 10 + this->s->a",
            60,
        ),
        (
            "this->p = (char *)alloca(4); bcopy(\"abc\", this->p, 4);",
            "this->p[1]",
            98,
        ),
        (
            "this->p = (char *)alloca(4); copyinto(arg1, 4, this->p); this->p[3]++;",
            "this->p[3]",
            116,
        ),
    ] {
        let text = format!(
            "struct s {{ int a; int b; }}; struct s v; struct s w; BEGIN {{ {before} trace((int64_t)({expr})); }}"
        );
        let items = run(&text);
        assert_eq!(items[0].bytes, i64::to_le_bytes(value), "{text}");
    }
}

#[test]
fn strings_that_are_not_there() {
    for (expr, value) in [
        ("self->t == NULL", 1),
        ("self->t != NULL", 0),
        ("self->t == \"\"", 1),
        ("0 == s", 0),
        ("strlen(pid ? s : 0)", 3),
    ] {
        let before = "string s; self string t; BEGIN { s = \"abc\"; }";
        assert_eq!(number_after(before, expr), value, "{expr}");
    }
}

#[test]
fn memory_of_the_kernel() {
    for (before, expr, value) in [
        ("", "*(char *)arg0", 0),
        ("", "*(char *)(arg0 + 5)", 5),
        ("", "((char *)arg0)[7]", 7),
        ("", "*(uint16_t *)(arg0 + 2)", 0x0302),
        ("", "*(int *)(arg0 + 4)", 0x0706_0504),
        ("", "((uint64_t *)arg0)[1]", 0x0f0e_0d0c_0b0a_0908),
        (
            "struct s { char a[8]; int b : 4; unsigned int c : 8; struct s *next; };",
            "((struct s *)arg0)->b",
            -8,
        ),
        (
            "struct s { char a[8]; int b : 4; unsigned int c : 8; };",
            "((struct s *)arg0)->c",
            9,
        ),
        (
            "struct s { char a[8]; int b; };",
            "((struct s *)arg0)->a[3]",
            3,
        ),
        (
            "struct s { char a[8]; int b; };",
            "(int)((char *)&((struct s *)arg0)->b - (char *)arg0)",
            8,
        ),
        ("", "(int *)arg0 + 3 - (int *)arg0", 3),
        ("", "(int *)arg0 < (int *)arg0 + 1", 1),
        ("", "(void *)arg0 == NULL", 0),
    ] {
        assert_eq!(number_after(before, expr), value, "{before} {expr}");
    }
}

#[test]
fn strings() {
    for (expr, value) in [
        ("\"abc\"", "abc"),
        ("execname", "a program"),
        ("strjoin(\"a\", \"b\")", "ab"),
        (
            "strjoin(execname, strjoin(\" \", lltostr(pid)))",
            "a program 42",
        ),
        ("substr(\"abcdef\", 2)", "cdef"),
        ("substr(\"abcdef\", 2, 2)", "cd"),
        ("strchr(\"abc\", 'b')", "bc"),
        ("strstr(\"abcd\", \"cd\")", "cd"),
        ("json(\"{\\\"a\\\": [7, 8]}\", \"a[1]\")", "8"),
        ("basename(\"/a/b\")", "b"),
        ("dirname(\"/a/b\")", "/a"),
        ("toupper(\"aBc\")", "ABC"),
        ("copyinstr(arg1)", "a user's text"),
        ("copyinstr(arg1, 6)", "a use"),
        ("stringof(copyin(arg1, 14))", "a user's text"),
        ("pid == 42 ? \"yes\" : \"no\"", "yes"),
        ("(string)copyin(arg1, 14)", "a user's text"),
    ] {
        assert_eq!(text(expr), value, "{expr}");
    }
    for (expr, value) in [
        ("strlen(\"abc\")", 3),
        ("index(\"abcabc\", \"c\")", 2),
        ("index(\"abcabc\", \"c\", 3)", 5),
        ("rindex(\"abcabc\", \"b\")", 4),
        ("index(\"abc\", \"x\")", -1),
        ("strtoll(\"-12\")", -12),
        ("execname == \"a program\"", 1),
        ("execname != \"a program\"", 0),
        ("\"abc\" < \"abd\"", 1),
        ("\"abc\" >= \"abd\"", 0),
        ("\"b\" > \"a\"", 1),
        ("\"b\" <= \"a\"", 0),
        ("execname[2]", 112),
        ("htons(0x1234)", 0x3412),
        ("ntohl(0x12345678)", 0x7856_3412),
        ("rand() >= 0", 1),
        ("progenyof(1)", 1),
    ] {
        assert_eq!(number(expr), value, "{expr}");
    }
}

#[test]
fn a_stack_takes_as_many_bytes_as_the_module_gives_it() {
    let bytes = size_of::<abi::rtrace_stack>();
    assert_eq!(bytes, crate::program::STACK_BYTES as usize);
    assert_eq!(number("sizeof (stack(1))"), bytes as i64);
}

/// A stack is a value: what is stored of it is what there was.
#[test]
fn stacks_as_values() {
    for (before, expr, value) in [
        ("", "stack(7).depth", 7),
        ("", "stack().depth", 20),
        ("", "stack(3).is_user", 0),
        ("", "ustack(3).is_user", 1),
        ("", "ustack(3).pid", 77),
        ("", "stack(3).pid", 0),
        ("", "stack(3).strsz", 0),
        ("", "ustack(3).strsz", 0),
        ("", "ustack(7, 42).strsz", 42),
        ("", "ustack(7, 42).depth", 7),
        ("", "stack(3).addrs[2]", 0x102),
        ("", "stack(3).addrs[3]", 0),
        ("v = stack(3);", "v.depth", 3),
        ("v = stack(3); v.depth = 2;", "v.depth", 2),
        ("this->v = stack(4);", "this->v.addrs[3]", 0x103),
        ("self->v = ustack(4);", "self->v.depth", 4),
        (
            "a[\"x\"] = stack(5); a[\"y\"] = stack(6);",
            "a[\"x\"].depth",
            5,
        ),
        ("v = stack(3); w = v;", "w.depth", 3),
        ("v = stack(9); v = stack(2);", "v.addrs[2] + v.depth", 2),
    ] {
        let text = format!("BEGIN {{ {before} trace((int64_t)({expr})); }}");
        let items = run(&text);
        assert_eq!(items[0].bytes, i64::to_le_bytes(value), "{text}");
    }
}
