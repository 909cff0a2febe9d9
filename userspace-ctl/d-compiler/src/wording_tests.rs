// SPDX-License-Identifier: GPL-2.0-only
//! What refusals say, in dtrace's words; as dtrace-utils test/unittest has them in its err.*.r.

use crate::compile_tests::build;

/// Each of these programs is refused with these words.
fn said(cases: &[(&str, &str)]) {
    for (text, words) in cases {
        let error = build(text)
            .err()
            .unwrap_or_else(|| panic!("{text} is wrong"));
        assert_eq!(error.to_string(), *words, "{text}");
    }
}

#[test]
fn what_gives_no_value_is_void_where_one_is_needed() {
    said(&[
        (
            "BEGIN { printf(\"%s\\n\", printf(\"test\")); }",
            "[D_PRINTF_ARG_TYPE] printf( ) argument #2 is incompatible with conversion #1 \
             prototype:\n\tconversion: %s\n\t prototype: char [] or string (or use \
             stringof)\n\t  argument: void",
        ),
        (
            "BEGIN { progenyof(trace(0)); }",
            "[D_PROTO_ARG] progenyof( ) argument #1 is incompatible with prototype:\n\t\
             prototype: pid_t\n\t argument: void",
        ),
        (
            "BEGIN { exit(exit(0)); }",
            "[D_PROTO_ARG] exit( ) argument #1 is incompatible with prototype:\n\t\
             prototype: int\n\t argument: void",
        ),
    ]);
}

#[test]
fn an_aggregation_is_called_by_what_it_is() {
    said(&[(
        "BEGIN { @a = count(); printf(\"hello %d %d\", 123, @a); }",
        "[D_PRINTF_ARG_TYPE] printf( ) argument #3 is incompatible with conversion #2 \
         prototype:\n\tconversion: %d\n\t prototype: char, short, int, long, or long long\n\t  \
         argument: aggregation",
    )]);
}

#[test]
fn a_format_is_a_string_constant() {
    said(&[
        (
            "BEGIN { printf(123); }",
            "[D_PROTO_ARG] printf( ) argument #1 is incompatible with prototype:\n\tprototype: \
             string\n\t argument: int",
        ),
        (
            "BEGIN { printf(execname); }",
            "[D_PRINTF_ARG_FMT] printf( ) argument #1 is incompatible with prototype:\n\tprototype: \
             string constant\n\t argument: string",
        ),
    ]);
}

#[test]
fn sizes_are_told() {
    said(&[
        (
            "int x[88294967295]; BEGIN { }",
            "[D_DECL_ARRBIG] array dimension too big",
        ),
        (
            "BEGIN { s = alloca(16385); }",
            "[D_ALLOCA_SIZE] alloca(16385) size larger than scratchsize 16384",
        ),
        (
            "struct none; BEGIN { print((struct none *)arg0); }",
            "[D_PRINT_SIZE] print( ) argument #1 reference has type 'struct none' with size 0; \
             cannot print( ) it.",
        ),
    ]);
}

#[test]
fn a_member_is_there_once() {
    said(&[(
        "struct foo { int x; char x; }; BEGIN { trace(1); }",
        "[D_UNKNOWN] failed to define member 'x': Duplicate member or variable name",
    )]);
}
