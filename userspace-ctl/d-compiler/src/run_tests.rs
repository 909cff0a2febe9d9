// SPDX-License-Identifier: GPL-2.0-only
//! Programs from their text to what they record, run by the module's own interpreter, after its
//! verifier took them.

use proptest::prelude::*;
use rust_tracer::abi;

use crate::compile_tests::built;
use crate::compiled::Compiled;
use crate::program::interpret::Outcome;
use crate::program::{Aggregation, Clause, Variable};
use crate::program_world::{KERNEL, Mock, Owned, USER};

/// As the tool loads it.
fn loaded(compiled: &Compiled) -> Owned {
    let strsize = abi::RTRACE_STRSIZE_DEFAULT;
    Owned {
        code: compiled.code.clone(),
        clauses: compiled
            .clauses
            .iter()
            .map(|clause| Clause {
                group: 1,
                first: clause.first,
                count: clause.count,
                flags: 0,
            })
            .collect(),
        constants: compiled.constants.clone(),
        strings: compiled.strings.clone(),
        variables: compiled
            .variables
            .iter()
            .map(|one| one.loaded(strsize))
            .map(|one| Variable {
                scope: one.scope,
                value: one.value,
                bytes: one.bytes,
                keys: one.keys,
                ..Variable::default()
            })
            .collect(),
        aggregations: compiled
            .aggregations
            .iter()
            .map(|one| one.loaded(strsize))
            .map(|one| Aggregation {
                function: one.function,
                keys: one.keys,
                parameters: one.parameters,
            })
            .collect(),
        strsize,
        speculations: 1,
    }
}

/// An item of a record.
#[derive(Debug, PartialEq, Eq)]
struct Recorded {
    action: u16,
    argument: u16,
    bytes: Vec<u8>,
}

/// Takes a record's words apart.
fn items(words: &[u64]) -> Vec<Recorded> {
    let mut items = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let head = words[at];
        let len = (head >> 32) as usize;
        let bytes: Vec<u8> = words[at + 1..]
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .take(len)
            .collect();
        items.push(Recorded {
            action: (head >> 16) as u16,
            argument: head as u16,
            bytes,
        });
        at += 1 + len.div_ceil(8);
    }
    items
}

/// Runs a program's clauses once, and gives its items.
fn run_in(text: &str, world: &mut Mock) -> Vec<Recorded> {
    let mut all = Vec::new();
    for (outcome, words) in loaded(&built(text)).run(world) {
        if let Outcome::Fault(fault, at) = outcome {
            panic!("{text}: {fault:?} at {at}");
        }
        if matches!(outcome, Outcome::Recorded(_)) {
            all.extend(items(&words));
        }
    }
    all
}

fn run(text: &str) -> Vec<Recorded> {
    run_in(text, &mut world())
}

/// pid 42, and some memory.
fn world() -> Mock {
    let mut world = Mock::new(1024);
    world.numbers.insert(abi::RTRACE_VAR_PID, 42);
    world.numbers.insert(abi::RTRACE_VAR_ARG0, KERNEL);
    world.numbers.insert(abi::RTRACE_VAR_ARG0 + 1, USER);
    world.kernel = (0..64).collect();
    world.user = b"a user's text\0".to_vec();
    world
}

/// What `trace()` of an expression, behind some statements, records as a number.
fn number_after(before: &str, expr: &str) -> i64 {
    let text = format!("{before} BEGIN {{ trace({expr}); }}");
    let items = run(&text);
    let [item] = items.as_slice() else {
        panic!("{text}: {items:?}")
    };
    i64::from_le_bytes(item.bytes.clone().try_into().expect(&text))
}

fn number(expr: &str) -> i64 {
    number_after("", expr)
}

/// What `trace()` of an expression records as text.
fn text(expr: &str) -> String {
    let program = format!("BEGIN {{ trace({expr}); }}");
    let mut items = run(&program);
    String::from_utf8(items.pop().expect(&program).bytes).expect(&program)
}

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
fn string_variables() {
    let items = run(
        "string s; BEGIN { s = \"abc\"; self->t = strjoin(s, \"d\"); this->u = self->t; a[s] = this->u; \
         trace(a[\"abc\"]); s = 0; trace(s == NULL); self->t = 0; trace(self->t == NULL); }",
    );
    assert_eq!(items[0].bytes, b"abcd");
    assert_eq!([items[1].bytes[0], items[2].bytes[0]], [1, 1]);
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

#[test]
fn actions_leave_items() {
    let items = run(
        "BEGIN { @a = count(); printf(\"x\"); printa(@a); clear(@a); trunc(@a, 3); normalize(@a, 4); \
         denormalize(@a); tracemem(arg0, 4); tracemem(arg0, 4, 2); stack(3); ustack(); sym(arg0); \
         usym(arg0); setopt(\"quiet\"); freopen(\"/tmp/%d\", pid); exit(3); }",
    );
    let seen: Vec<(u16, u16, usize)> = items
        .iter()
        .map(|item| (item.action, item.argument, item.bytes.len()))
        .collect();
    assert_eq!(
        seen,
        [
            (0, 0, 0),
            (1, 0, 0),
            (2, 0, 0),
            (3, 0, 8),
            (4, 0, 8),
            (5, 0, 0),
            (6, 0, 4),
            (7, 1, 8),
            (7, 0, 4),
            (8, 0, 24),
            (9, 0, 8 + 20 * 8),
            (10, 0, 8),
            (11, 0, 16),
            (12, 0, 0),
            (13, 0, 8),
            (14, 0, 8),
        ]
    );
    let user = &items[12].bytes;
    assert_eq!(user[..8], 42u64.to_le_bytes());
    assert_eq!(user[8..], KERNEL.to_le_bytes());
}

#[test]
fn aggregations_take_keys_and_values() {
    let mut world = world();
    run_in(
        "BEGIN { @a = count(); @b[pid, \"x\"] = sum(pid * 2); @c[probefunc] = quantize(-5); \
         @d = lquantize(pid, 0, 100, 10, 3); @e[stack(2)] = max(pid); @f[usym(arg0), ustack(1)] = avg(1); \
         @g[(char)pid] = stddev(pid); @h = llquantize(pid, 10, 0, 3, 10); }",
        &mut world,
    );
    let mut seen: Vec<(u32, Vec<u64>, u64, u64)> = world
        .aggregated
        .iter()
        .flat_map(|((aggregation, keys), values)| {
            values
                .iter()
                .map(move |(value, weight)| (*aggregation, keys.clone(), *value, *weight))
        })
        .collect();
    seen.sort();
    let probe = 1000 + u64::from(abi::RTRACE_VAR_PROBE);
    let x = u64::from(b'x');
    // What count() takes does not matter.
    seen[0].2 = 0;
    seen[0].3 = 0;
    let of = |aggregation: u32| -> &(u32, Vec<u64>, u64, u64) {
        seen.iter()
            .find(|one| one.0 == aggregation)
            .expect("each took one value")
    };
    assert_eq!(*of(0), (0, vec![], 0, 0));
    assert_eq!((&of(1).1, of(1).2), (&vec![42, 1, x], 84));
    assert_eq!((&of(2).1, of(2).2 as i64, of(2).3), (&vec![probe], -5, 1));
    assert_eq!((&of(3).1, of(3).2, of(3).3), (&vec![], 42, 3));
    assert_eq!((&of(4).1, of(4).2), (&vec![2, 0x100, 0x101], 42));
    assert_eq!((&of(5).1, of(5).2), (&vec![42, KERNEL, 1, 77, 0x100], 1));
    assert_eq!((&of(6).1, of(6).2), (&vec![42], 42));
    assert_eq!((&of(7).1, of(7).2, of(7).3), (&vec![], 42, 1));
}

#[test]
fn a_probes_part_is_text_where_it_must_be() {
    let mut world = world();
    run_in(
        "BEGIN { @a[probefunc] = count(); @a[\"x\"] = count(); x[probefunc] = 3; trace(x[\"vfs_read\"]); }",
        &mut world,
    );
    assert_eq!(world.aggregated.len(), 2);
    assert!(
        world
            .aggregated
            .keys()
            .all(|(_, keys)| keys[0] == 8 || keys[0] == 1)
    );
}

#[test]
fn speculations() {
    let items = run(
        "BEGIN { self->s = speculation(); } BEGIN { speculate(self->s); trace(1); } BEGIN { commit(self->s); }",
    );
    assert_eq!(items.len(), 2);
}

#[test]
fn faults_belong_to_their_action() {
    for (text, action) in [
        ("BEGIN { trace(1); trace(*(int *)0); }", 2),
        ("BEGIN / *(int *)0 == 1/ { trace(1); }", 0),
        ("BEGIN { printf(\"%d %d\", 1, *(int *)0); }", 2),
        ("BEGIN { @a[1, *(int *)0] = count(); }", 3),
    ] {
        let compiled = built(text);
        let (outcome, _) = &loaded(&compiled).run(&mut world())[0];
        let Outcome::Fault(fault, at) = outcome else {
            panic!("{text}: {outcome:?}")
        };
        assert_eq!(fault.kind, abi::RTRACE_FAULT_BADADDR, "{text}");
        assert_eq!(
            compiled.clauses[0].action_of[*at as usize], action,
            "{text}"
        );
    }
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
