// SPDX-License-Identifier: GPL-2.0-only
//! Variables, arrays and structs.

use super::{number_after, run};

#[test]
fn variables() {
    for (before, expr, value) in [
        ("BEGIN { x = 5; }", "x", 5),
        ("BEGIN { x = 5; x++; ++x; x--; }", "x", 6),
        ("BEGIN { x = 5; y = x++ + ++x; }", "y", 12),
        ("BEGIN { x = 5; y = x--; }", "y", 5),
        (
            "BEGIN { x = 5; x += 3; x *= 2; x -= 1; x /= 5; x <<= 3; x |= 1; x ^= 2; x %= 20; }",
            "x",
            7,
        ),
        ("BEGIN { self->x = 5; self->x += 2; }", "self->x", 7),
        ("BEGIN { this->x = 5; this->x -= 2; }", "this->x", 3),
        (
            "BEGIN { a[1, \"b\"] = 5; a[1, \"b\"]++; }",
            "a[1, \"b\"]",
            6,
        ),
        ("BEGIN { a[1] = 5; }", "a[2]", 0),
        (
            "BEGIN { self->a[\"x\"] = 9; self->a[\"x\"] -= 1; }",
            "self->a[\"x\"]",
            8,
        ),
        ("BEGIN { a[1] = 2; a[2] = 3; a[3] = 7; }", "a[a[a[1]]]", 7),
        (
            "BEGIN { i = 1; a[i++] = 4; a[i] = 6; }",
            "a[1] * 10 + a[2]",
            46,
        ),
        ("int8_t x; BEGIN { x = 127; x++; }", "x", -128),
        ("uint8_t x; BEGIN { x = 0; x--; }", "x", 255),
        ("uint16_t x; BEGIN { x = 70000; }", "x", 4464),
        (
            "int x[string]; BEGIN { x[\"a\"] = 1; x[\"b\"] = 2; }",
            "x[\"a\"] + x[\"b\"]",
            3,
        ),
        (
            "self int x; BEGIN { self->x = 1; self->x = 0; }",
            "self->x",
            0,
        ),
        (
            "inline int two = 2; inline int add[int a, int b] = a + b;",
            "add[two, pid]",
            44,
        ),
        ("enum e { A, B = 5, C };", "A + B + C", 11),
        ("enum e { A, B }; enum e v; BEGIN { v = B; }", "v == B", 1),
        ("BEGIN { x++; }", "x", 1),
    ] {
        assert_eq!(number_after(before, expr), value, "{before} {expr}");
    }
}

#[test]
fn arrays_and_structs() {
    for (before, expr, value) in [
        ("int a[4]; BEGIN { a[0] = 1; a[3] = 7; }", "a[0] + a[3]", 8),
        (
            "int a[4]; BEGIN { this->i = 2; a[this->i] = 9; a[this->i]++; }",
            "a[2]",
            10,
        ),
        (
            "this char c[8]; BEGIN { this->c[1] = -1; }",
            "this->c[1]",
            -1,
        ),
        (
            "struct s { char a; int b; struct { short c; } d; }; struct s v; BEGIN { v.b = 5; v.d.c = 6; v.a = 7; }",
            "v.a * 100 + v.b * 10 + v.d.c",
            756,
        ),
        (
            "struct s { int a; int b; }; struct s v; struct s w; BEGIN { v.a = 1; v.b = 2; w = v; }",
            "w.a * 10 + w.b",
            12,
        ),
        (
            "struct s { int a; int b; }; self struct s v; BEGIN { self->v.a = 1; self->v.b = 2; }",
            "self->v.a * 10 + self->v.b",
            12,
        ),
        (
            "struct s { int a; }; struct s v[int]; BEGIN { v[3].a = 8; }",
            "v[3].a",
            8,
        ),
        (
            "struct s { unsigned int a : 3; unsigned int b : 5; int c : 4; }; struct s v; BEGIN { v.a = 5; v.b = 17; v.c = -3; v.a += 4; }",
            "v.a * 1000 + v.b * 10 + v.c",
            1167,
        ),
        (
            "int a[2][3]; BEGIN { a[0][1] = 4; a[1][2] = 5; this->i = 1; a[this->i][0] = a[0][1] + a[1][2]; }",
            "a[1][0]",
            9,
        ),
        (
            "int *p; BEGIN { p = (int *)100; p++; ++p; p += 3; p -= 1; p--; }",
            "(int64_t)p",
            112,
        ),
        (
            "struct s { int a; }; struct s v[2]; BEGIN { v[1].a = 3; }",
            "v[0].a * 10 + v[1].a",
            3,
        ),
        (
            "union u { int a; char b[4]; }; union u v; BEGIN { v.a = 0x01020304; }",
            "v.b[0]",
            4,
        ),
    ] {
        assert_eq!(number_after(before, expr), value, "{before} {expr}");
    }
}

#[test]
fn string_variables() {
    let items = run(
        "string s; BEGIN { s = \"abc\"; self->t = strjoin(s, \"d\"); this->u = self->t; a[s] = this->u; \
         trace(a[\"abc\"]); s = 0; trace(s == NULL); self->t = 0; trace(self->t == NULL); }",
    );
    assert_eq!(items[0].bytes, b"abcd");
    assert_eq!([items[1].bytes[0], items[2].bytes[0]], [1, 1]);
}
