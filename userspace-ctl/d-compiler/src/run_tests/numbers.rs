// SPDX-License-Identifier: GPL-2.0-only
//! Expressions, as they are calculated at compile time and at run time.

use proptest::prelude::*;

use super::{number, number_after, run};

#[test]
fn constants_and_their_types() {
    for (expr, value) in [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("-7 % 3", -1),
        ("1 << 4 | 1", 17),
        ("0xff & ~0xf", 0xf0),
        ("5 > 3 && 2 > 1", 1),
        ("1 ^^ 1", 0),
        ("1 ^^ 0", 1),
        ("!5", 0),
        ("1 ? 2 : 3", 2),
        ("(char)255", -1),
        ("(unsigned char)-1", 255),
        ("(uint16_t)65537", 1),
        ("(int)4294967295", -1),
        ("-1 > 1U", 1),
        ("-1 < 1", 1),
        ("'a'", 97),
        ("sizeof (int)", 4),
        ("sizeof (uint64_t)", 8),
        ("sizeof (\"abc\")", 4),
        ("sizeof (char *)", 8),
        ("ENOENT", 2),
        ("SIGKILL", 9),
        ("ARPHRD_ETHER", 1),
        ("NULL", 0),
        ("sizeof (NULL)", 4),
        ("1, 2", 2),
    ] {
        assert_eq!(number(&format!("({expr})")), value, "{expr}");
    }
}

#[test]
fn numbers_at_run_time() {
    for (expr, value) in [
        ("pid + 1", 43),
        ("pid - 43", -1),
        ("pid * 2", 84),
        ("pid / 5", 8),
        ("pid % 5", 2),
        ("-pid", -42),
        ("~pid", -43),
        ("!pid", 0),
        ("!!pid", 1),
        ("pid << 2", 168),
        ("pid >> 1", 21),
        ("-pid >> 1", -21),
        ("pid & 8", 8),
        ("pid | 1", 43),
        ("pid ^ 3", 41),
        ("pid == 42", 1),
        ("pid != 42", 0),
        ("pid < 43", 1),
        ("pid <= 41", 0),
        ("pid > 41", 1),
        ("pid >= 43", 0),
        ("-pid < 1", 1),
        ("-pid < 1U", 0),
        ("(uint32_t)-pid > 0", 1),
        ("pid && 0", 0),
        ("pid || 0", 1),
        ("pid ^^ 1", 0),
        ("pid ? 7 : 8", 7),
        ("(pid == 1) ? 7 : 8", 8),
        ("(char)(pid + 100)", -114),
        ("(unsigned char)(pid + 300)", 86),
        ("pid * 100000000", (42i64 * 100_000_000) as i32 as i64),
        ("(int64_t)pid * 100000000", 4_200_000_000),
        ("(uint32_t)pid - 43", 0xffff_ffff),
        ("pid + 0x7fffffff", (42i64 + 0x7fff_ffff) as i32 as i64),
        ("pid + 0x100000000", 42 + 0x1_0000_0000),
        ("0x123456789abc - pid", 0x1234_5678_9abc - 42),
        ("1 + (2 + (3 + (4 + pid)))", 52),
        (
            "(pid + 1) * (pid + 2) - (pid + 3) * (pid + 4)",
            43 * 44 - 45 * 46,
        ),
    ] {
        assert_eq!(number(expr), value, "{expr}");
    }
}

#[test]
fn short_circuits() {
    assert_eq!(
        number_after("int x; BEGIN { x = 0; 0 && x++; pid || x++; }", "x"),
        0
    );
    assert_eq!(
        number_after(
            "int x; BEGIN { x = 0; (pid == 1) && x++; (pid == 42) || x++; }",
            "x"
        ),
        0
    );
    assert_eq!(
        number_after(
            "int x; BEGIN { x = 0; pid && x++; (pid == 1) || x++; pid ^^ x++; }",
            "x"
        ),
        3
    );
}

#[test]
fn long_expressions() {
    // With the stack that a main thread has, which that of a test is smaller than.
    std::thread::Builder::new()
        .stack_size(8 << 20)
        .spawn(|| {
            let sum = vec!["pid"; 500].join(" + ");
            assert_eq!(number(&sum), 21000);
            let nested = format!("{}pid{}", "(1 + ".repeat(40), ")".repeat(40));
            assert_eq!(number(&nested), 82);
        })
        .expect("a thread")
        .join()
        .expect("the stack suffices");
}

#[test]
fn arms_of_if() {
    let items = run(
        "BEGIN { if (pid == 42) { trace(1); if (pid > 100) trace(2); else trace(3); } else { trace(4); } \
         if (execname == \"x\") trace(5); if (pid == 1 || pid == 42 && execname != \"x\") { trace(6); } }",
    );
    let numbers: Vec<u8> = items.iter().map(|item| item.bytes[0]).collect();
    assert_eq!(numbers, [1, 3, 6]);
}

/// Expressions over the numbers a, b and c: as they are written, with a place for each number.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("A".to_owned()),
        Just("B".to_owned()),
        Just("C".to_owned()),
        (0i64..100).prop_map(|number| format!("(int64_t){number}")),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        prop_oneof![
            (
                inner.clone(),
                prop::sample::select(vec![
                    "+", "-", "*", "&", "|", "^", "==", "!=", "<", "<=", ">", ">=", "&&", "||",
                    "^^"
                ]),
                inner.clone()
            )
                .prop_map(|(left, op, right)| format!("(int64_t)({left} {op} {right})")),
            (
                inner.clone(),
                prop::sample::select(vec!["<<", ">>"]),
                0u32..63
            )
                .prop_map(|(left, op, by)| format!("({left} {op} {by})")),
            (
                inner.clone(),
                prop::sample::select(vec!["/", "%"]),
                1i64..1000
            )
                .prop_map(|(left, op, by)| format!("({left} {op} {by})")),
            (prop::sample::select(vec!["-", "~", "!"]), inner.clone())
                .prop_map(|(op, operand)| format!("(int64_t)({op}{operand})")),
            (
                prop::sample::select(vec![
                    "int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t", "uint32_t", "uint64_t"
                ]),
                inner.clone()
            )
                .prop_map(|(ty, operand)| format!("(int64_t)(({ty}){operand})")),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(when, then, or)| format!("({when} ? {then} : {or})")),
        ]
    })
}

proptest! {
    /// What the compiler folds is what the bytecode computes.
    #[test]
    fn constants_fold_to_what_runs(
        expr in expression(), a in any::<i64>(), b in -1000i64..1000, c in any::<i32>()
    ) {
        let with = |a: &str, b: &str, c: &str| {
            expr.replace('A', a).replace('B', b).replace('C', c)
        };
        let literal = |value: i64| format!("((int64_t){value:#x})");
        let folded = with(&literal(a), &literal(b), &literal(c.into()));
        let ran = with("(int64_t)a", "(int64_t)b", "(int64_t)c");
        let before = format!("int64_t a; int64_t b; int64_t c; BEGIN {{ a = {}; b = {}; c = {}; }}",
            literal(a), literal(b), literal(c.into()));
        prop_assert_eq!(
            number_after(&before, &format!("(int64_t)({ran})")),
            number(&format!("(int64_t)({folded})")),
            "{}", expr
        );
    }
}
