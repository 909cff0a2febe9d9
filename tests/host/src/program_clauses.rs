// SPDX-License-Identifier: GPL-2.0

//! What clauses leave behind: records, variables, keys, speculations, faults.

use crate::program::insn::{op, sub, var};
use crate::program::interpret::{Made, Outcome, Room};
use crate::program::memory::{CONSTANT_BASE, OWN_BASE};
use crate::program::rights::Rights;
use crate::program::{agg, fault, scope, value, Aggregation, Clause, Fault, Variable};
use crate::program_world::{insn, text_item, Mock, Owned, KERNEL, SPECULATION_MAX, USER};

const RET: u64 = 0;

fn ldi(register: u8, number: i32) -> u64 {
    insn(op::LDI, register, 0, 0, number)
}

/// A program with a clause of each of these, each with RET behind it.
fn program(clauses: &[&[u64]]) -> Owned {
    let mut program = Owned::new(Vec::new());
    program.clauses.clear();
    for code in clauses {
        program.clauses.push(Clause {
            group: 1,
            first: program.code.len() as u32,
            count: code.len() as u32 + 1,
            flags: 0,
        });
        program.code.extend(*code);
        program.code.push(RET);
    }
    program.strings = b"one\0two\0a,b;c\0,;\0\0".to_vec();
    program
}

/// Where the string constants of [`program`] are.
const ONE: i32 = 0;
const TWO: i32 = 4;
const LIST: i32 = 8;
const SEPARATORS: i32 = 14;
const EMPTY: i32 = 17;

fn world() -> Mock {
    let mut world = Mock::new(0);
    world.kernel = (0..=255).collect();
    world.kernel.extend(b"in the kernel\0");
    world.user = b"of the user\0".to_vec();
    world
}

/// The kernel's string.
const KERNEL_TEXT: u64 = KERNEL + 256;

fn only(program: &Owned, world: &mut Mock) -> (Outcome, Vec<u64>) {
    let mut outcomes = program.run(world);
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0)
}

fn fails(program: &Owned, world: &mut Mock, kind: u32, address: u64, at: u32) {
    let expected = Outcome::Fault(Fault { kind, address }, at);
    assert_eq!(only(program, world).0, expected);
}

fn variable(scope: u8, value: u8, bytes: u32, keys: u32) -> Variable {
    Variable {
        scope,
        value,
        bytes,
        keys,
        ..Variable::default()
    }
}

fn counts(keys: u32) -> Aggregation {
    Aggregation {
        function: agg::COUNT,
        keys,
        parameters: [0; 4],
    }
}

/// The head of an item.
fn head(name: u64, bytes: u64) -> u64 {
    name | (bytes << 32)
}

#[test]
fn a_predicate_that_is_false_filters() {
    let filter = insn(op::FILTER, 0, 0, 0, 0);
    let emit = insn(op::EMIT, 0, 0, 0, 0);
    let false_one = program(&[&[ldi(0, 0), filter, emit]]);
    assert_eq!(only(&false_one, &mut world()).0, Outcome::Filtered);
    let true_one = program(&[&[ldi(0, 3), filter]]);
    assert_eq!(only(&true_one, &mut world()).0, Outcome::Processed);
}

#[test]
fn the_default_action_is_a_record_without_items() {
    let mut program = program(&[&[]]);
    assert_eq!(only(&program, &mut world()).0, Outcome::Processed);
    program.clauses[0].flags = 1;
    let made = Made {
        words: 0,
        items: 0,
        speculation: 0,
        exits: false,
    };
    assert_eq!(
        only(&program, &mut world()),
        (Outcome::Recorded(made), vec![])
    );
}

#[test]
fn items_have_heads_and_are_filled_up_with_zeroes() {
    let code = [
        ldi(0, -1),
        insn(op::EMIT, 0, 0, 0, 0x0002_0001),
        insn(op::LDSC, 1, 0, 0, LIST),
        insn(op::EMITS, 0, 1, 0, 0x0003_0000),
        insn(op::EMITP, 0, 0, 0, 4),
        insn(op::LDC, 2, 0, 0, 0),
        ldi(3, 9),
        insn(op::EMITB, 0, 2, 3, 5),
        insn(op::EMITK, 0, 2, 0, 6),
        insn(op::EMITU, 0, 1, 0, 7),
        insn(op::EXIT, 0, 3, 0, 8),
    ];
    let mut program = program(&[&code]);
    program.constants = vec![KERNEL + 8];
    let (outcome, items) = only(&program, &mut world());
    let expected = [
        head(0x2_0001, 8),
        u64::MAX,
        head(0x3_0000, 5),
        u64::from_le_bytes(*b"a,b;c\0\0\0"),
        head(4, 0),
        head(5, 9),
        0x0f0e_0d0c_0b0a_0908,
        0x10,
        head(6, 16),
        0x100,
        0x101,
        head(7, 16),
        77,
        0x100,
        head(8, 8),
        9,
    ];
    assert_eq!(items, expected);
    let made = Made {
        words: 16,
        items: 7,
        speculation: 0,
        exits: true,
    };
    assert_eq!(outcome, Outcome::Recorded(made));
}

#[test]
fn a_stack_that_is_shorter_takes_less() {
    let mut world = world();
    world.frames = 2;
    let (_, items) = only(&program(&[&[insn(op::EMITK, 0, 20, 0, 0)]]), &mut world);
    assert_eq!(items, [head(0, 16), 0x100, 0x101]);
    world.frames = 0;
    let (_, items) = only(&program(&[&[insn(op::EMITU, 0, 20, 0, 0)]]), &mut world);
    assert_eq!(items, [head(0, 8), 77]);
}

#[test]
fn keys_are_laid_out_as_the_header_says() {
    let code = [
        ldi(0, 5),
        insn(op::LDSC, 1, 0, 0, TWO),
        insn(op::LDC, 2, 0, 0, 0),
        insn(op::KEY0, 0, 0, 0, 0),
        insn(op::KEY, 0, 0, 0, 0),
        insn(op::KEYS, 0, 1, 0, 0),
        insn(op::KEYB, 0, 2, 0, 9),
        insn(op::KEYP, 0, 0, 0, 0),
        insn(op::KEYK, 0, 0, 0, 1),
        insn(op::KEYU, 0, 0, 0, 2),
        insn(op::AGG, 0, 0, 0, 0),
        insn(op::KEY0, 0, 0, 0, 0),
        insn(op::KEYS, 0, 2, 0, 0),
        insn(op::AGG, 0, 0, 0, 0),
        insn(op::AGG, 0, 0, 0, 1),
    ];
    let mut program = program(&[&code]);
    program.constants = vec![KERNEL + 1];
    program.aggregations = vec![counts(4096), counts(0)];
    let mut world = world();
    world.kernel[4] = 0;
    assert_eq!(only(&program, &mut world).0, Outcome::Processed);
    let keys: Vec<_> = world.aggregated.keys().cloned().collect();
    let long = vec![
        5,
        3,
        u64::from_le_bytes(*b"two\0\0\0\0\0"),
        9,
        0x0807_0605_0003_0201,
        9,
        1000 + u64::from(var::PROBE),
        1,
        0x100,
        2,
        77,
        0x100,
        0x101,
    ];
    assert_eq!(keys, [(0, vec![3, 0x03_0201]), (0, long), (1, vec![])]);
    assert_eq!(world.aggregated[&(1, vec![])], [(1, 1)]);
}

#[test]
fn a_probe_as_a_key_tells_that_it_is_a_system_call() {
    let code = [
        insn(op::KEY0, 0, 0, 0, 0),
        insn(op::KEYP, 0, 0, 0, 0),
        insn(op::AGG, 0, 0, 0, 0),
    ];
    for (flags, bit) in [(0, 0), (2, 1 << 31)] {
        let mut program = program(&[&code]);
        program.clauses[0].flags = flags;
        program.aggregations = vec![counts(8)];
        let mut world = world();
        world.numbers.insert(var::PROBE, 7);
        only(&program, &mut world);
        assert!(world.aggregated.contains_key(&(0, vec![7 | bit])));
    }
}

#[test]
fn functions_get_their_value_and_distributions_their_weight() {
    let code = [
        ldi(0, -7),
        ldi(1, 3),
        insn(op::AGG, 0, 0, 0, 0),
        insn(op::AGG, 0, 0, 1, 1),
    ];
    let mut program = program(&[&code]);
    program.aggregations = [agg::SUM, agg::QUANTIZE]
        .map(|function| Aggregation {
            function,
            ..counts(0)
        })
        .to_vec();
    let mut world = world();
    only(&program, &mut world);
    assert_eq!(world.aggregated[&(0, vec![])], [(-7i64 as u64, 1)]);
    assert_eq!(world.aggregated[&(1, vec![])], [(-7i64 as u64, 3)]);
}

#[test]
fn an_aggregation_without_room_drops_the_clause_but_others_still_aggregate() {
    let code = [
        ldi(0, 1),
        insn(op::KEY0, 0, 0, 0, 0),
        insn(op::KEY, 0, 0, 0, 0),
        insn(op::AGG, 0, 0, 0, 0),
        insn(op::EMIT, 0, 0, 0, 0),
        insn(op::KEY0, 0, 0, 0, 0),
        insn(op::AGG, 0, 0, 0, 1),
    ];
    let mut program = program(&[&code]);
    program.aggregations = vec![counts(8), counts(0)];
    let mut world = world();
    world.aggregated.insert((1, vec![]), vec![]);
    world.aggregations_max = Some(1);
    assert_eq!(only(&program, &mut world).0, Outcome::Dropped);
    assert_eq!(world.aggregated[&(1, vec![])].len(), 1);
}

#[test]
fn clause_local_variables_live_for_a_firing_and_begin_as_nothing() {
    let shows = [
        insn(op::LDV, 0, 0, 0, 0),
        insn(op::EMIT, 0, 0, 0, 0),
        insn(op::LDV, 1, 0, 0, 1),
        insn(op::EMITS, 0, 1, 0, 0),
    ];
    let sets = [
        ldi(0, 42),
        insn(op::STV, 0, 0, 0, 0),
        insn(op::LDSC, 1, 0, 0, LIST),
        insn(op::STV, 0, 1, 0, 1),
    ];
    let mut program = program(&[&shows, &sets, &shows]);
    program.variables = vec![
        variable(scope::LOCAL, value::SCALAR, 8, 0),
        variable(scope::LOCAL, value::STRING, 256, 0),
    ];
    for _ in 0..2 {
        let outcomes = program.run(&mut world());
        assert_eq!(outcomes[0].1[1], 0);
        assert_eq!(text_item(&outcomes[0].1[2..]), b"");
        assert_eq!(outcomes[2].1[1], 42);
        assert_eq!(text_item(&outcomes[2].1[2..]), b"a,b;c");
    }
}

#[test]
fn a_clause_local_string_can_become_a_part_of_itself() {
    let code = [
        insn(op::LDSC, 0, 0, 0, LIST),
        insn(op::STV, 0, 0, 0, 0),
        insn(op::LDV, 0, 0, 0, 0),
        ldi(1, b';'.into()),
        insn(op::CALL, 2, 0, 2, sub::STRCHR as i32),
        insn(op::STV, 0, 2, 0, 0),
        insn(op::LDV, 0, 0, 0, 0),
        insn(op::EMITS, 0, 0, 0, 0),
    ];
    let mut program = program(&[&code]);
    program.variables = vec![variable(scope::LOCAL, value::STRING, 16, 0)];
    assert_eq!(text_item(&only(&program, &mut world()).1), b";c");
}

#[test]
fn variables_of_all_scopes_keep_what_they_are_set_to() {
    for (scope, keys, plain) in [
        (scope::GLOBAL, 0, true),
        (scope::LOCAL, 0, true),
        (scope::ARRAY, 8, false),
        (scope::THREAD, 0, false),
        (scope::THREAD_ARRAY, 8, false),
    ] {
        let (load, store) = if plain {
            (op::LDV, op::STV)
        } else {
            (op::LDD, op::STD)
        };
        let code = [
            ldi(0, 9),
            insn(op::KEY0, 0, 0, 0, 0),
            insn(op::KEY, 0, 0, 0, 0),
            insn(store, 0, 0, 0, 0),
            insn(op::LDC, 1, 0, 0, 0),
            insn(store, 0, 1, 0, 1),
            insn(store, 0, 1, 0, 2),
            insn(op::LDSC, 2, 0, 0, ONE),
            insn(store, 0, 2, 0, 3),
            insn(load, 3, 0, 0, 0),
            insn(op::EMIT, 0, 3, 0, 0),
            insn(load, 3, 0, 0, 1),
            insn(op::EMITS, 0, 3, 0, 0),
            insn(load, 3, 0, 0, 2),
            ldi(4, 5),
            insn(op::EMITB, 0, 3, 4, 0),
            insn(load, 3, 0, 0, 3),
            insn(op::EMITS, 0, 3, 0, 0),
            ldi(5, 0),
            insn(store, 0, 5, 0, 1),
            insn(load, 3, 0, 0, 1),
            insn(op::EMIT, 0, 3, 0, 0),
            insn(store, 0, 2, 0, 1),
            insn(load, 3, 0, 0, 1),
            insn(op::EMITS, 0, 3, 0, 0),
        ];
        let mut program = program(&[&code]);
        program.constants = vec![KERNEL_TEXT];
        program.variables = vec![
            variable(scope, value::SCALAR, 8, keys),
            variable(scope, value::STRING, 32, keys),
            variable(scope, value::BYTES, 5, keys),
            variable(scope, value::STRING, 3, keys),
        ];
        let (outcome, items) = only(&program, &mut world());
        assert!(matches!(outcome, Outcome::Recorded(_)), "{outcome:?}");
        assert_eq!(items[1], 9);
        assert_eq!(text_item(&items[2..]), b"in the kernel");
        assert_eq!(text_item(&items[5..]), b"in th");
        assert_eq!(text_item(&items[7..]), b"on");
        // A string that is set to NULL is NULL.
        assert_eq!(items[9..11], [head(0, 8), 0]);
        assert_eq!(text_item(&items[11..]), b"one");
    }
}

#[test]
fn setting_a_dynamic_variable_to_0_frees_it() {
    for (new, kind) in [(ldi(1, 0), value::SCALAR), (ldi(1, 0), value::STRING)] {
        let set = if kind == value::SCALAR {
            ldi(0, 1)
        } else {
            insn(op::LDSC, 0, 0, 0, EMPTY)
        };
        let code = [
            set,
            insn(op::STD, 0, 0, 0, 0),
            new,
            insn(op::STD, 0, 1, 0, 0),
        ];
        let bytes = if kind == value::SCALAR { 8 } else { 64 };
        let mut before = program(&[&code[..2]]);
        before.variables = vec![variable(scope::THREAD, kind, bytes, 0)];
        let mut world = world();
        only(&before, &mut world);
        assert_eq!(world.dynamic.len(), 1);
        let mut after = program(&[&code]);
        after.variables = before.variables;
        only(&after, &mut world);
        assert!(world.dynamic.is_empty());
    }
}

#[test]
fn strtok_goes_on_in_the_next_clause_and_ends() {
    let first = [
        insn(op::LDSC, 0, 0, 0, LIST),
        insn(op::LDSC, 1, 0, 0, SEPARATORS),
        insn(op::CALL, 2, 0, 2, sub::STRTOK as i32),
        insn(op::EMITS, 0, 2, 0, 0),
    ];
    let next = [
        first[1],
        insn(op::CALL, 2, 1, 1, sub::STRTOK as i32),
        first[3],
    ];
    let mut last = next;
    last[2] = insn(op::EMIT, 0, 2, 0, 0);
    let program = program(&[&first, &next, &next, &last, &last]);
    let outcomes = program.run(&mut world());
    let tokens: Vec<_> = outcomes[..3]
        .iter()
        .map(|(_, items)| text_item(items))
        .collect();
    assert_eq!(tokens, [b"a", b"b", b"c"]);
    assert_eq!((outcomes[3].1[1], outcomes[4].1[1]), (0, 0));
}

#[test]
fn strtok_without_a_string_is_a_fault() {
    let separators = insn(op::LDSC, 1, 0, 0, SEPARATORS);
    let goes_on = [separators, insn(op::CALL, 2, 1, 1, sub::STRTOK as i32)];
    let of_none = [
        ldi(0, 0),
        separators,
        insn(op::CALL, 2, 0, 2, sub::STRTOK as i32),
    ];
    for code in [&goes_on[..], &of_none] {
        let at = code.len() as u32 - 1;
        fails(&program(&[code]), &mut world(), fault::BADADDR, 0, at);
    }
}

#[test]
fn strings_are_compared_and_no_string_is_as_an_empty_one() {
    let compare = |a: u64, b: u64| {
        let code = [a, b, insn(op::SCMP, 2, 0, 1, 0), insn(op::EMIT, 0, 2, 0, 0)];
        only(&program(&[&code]), &mut world()).1[1] as i64
    };
    let text = |register, at| insn(op::LDSC, register, 0, 0, at);
    assert_eq!(compare(text(0, ONE), text(1, TWO)), -1);
    assert_eq!(compare(text(0, TWO), text(1, ONE)), 1);
    assert_eq!(compare(text(0, ONE), text(1, ONE)), 0);
    assert_eq!(compare(ldi(0, 0), text(1, EMPTY)), 0);
    assert_eq!(compare(ldi(0, 0), text(1, ONE)), -1);
    assert_eq!(compare(text(0, ONE), ldi(1, 0)), 1);
}

#[test]
fn memory_is_read_in_all_widths() {
    let loads = [
        (op::LD8, 0xfe),
        (op::LD16, 0xfffe),
        (op::LD32, 0x0100_fffe),
        (op::LD64, 0x0504_0302_0100_fffe),
        (op::LDSX8, -2i64 as u64),
        (op::LDSX16, -2i64 as u64),
        (op::LDSX32, 0x0100_fffe),
    ];
    for (operation, expected) in loads {
        let code = [
            insn(op::LDC, 0, 0, 0, 0),
            insn(operation, 1, 0, 0, -2),
            insn(op::EMIT, 0, 1, 0, 0),
        ];
        let mut program = program(&[&code]);
        program.constants = vec![KERNEL + 2];
        let mut world = world();
        world.kernel[..8].copy_from_slice(&[0xfe, 0xff, 0, 1, 2, 3, 4, 5]);
        assert_eq!(only(&program, &mut world).1[1], expected, "{operation}");
    }
}

#[test]
fn own_memory_is_written_and_read() {
    let code = [
        ldi(0, 16),
        insn(op::CALL, 1, 0, 1, sub::ALLOCA as i32),
        insn(op::LDC, 2, 0, 0, 0),
        insn(op::ST64, 0, 1, 2, 0),
        insn(op::ST8, 0, 1, 2, 8),
        insn(op::ST16, 0, 1, 2, 10),
        insn(op::ST32, 0, 1, 2, 12),
        insn(op::EMITB, 0, 1, 0, 0),
        insn(op::LDSC, 3, 0, 0, ONE),
        insn(op::ADDI, 4, 1, 0, 2),
        ldi(5, 3),
        insn(op::CALL, 6, 3, 3, sub::BCOPY as i32),
        insn(op::EMITB, 0, 1, 0, 0),
    ];
    let mut program = program(&[&code]);
    program.constants = vec![0x1122_3344_5566_7788];
    let (_, items) = only(&program, &mut world());
    assert_eq!(items[1..3], [0x1122_3344_5566_7788, 0x5566_7788_7788_0088]);
    assert_eq!(items[4].to_le_bytes(), *b"\x88\x77one\x33\x22\x11");
}

#[test]
fn nothing_but_what_this_firing_took_is_written_or_read() {
    let alloca = [ldi(0, 8), insn(op::CALL, 1, 0, 1, sub::ALLOCA as i32)];
    for (word, offset) in [
        (insn(op::ST8, 0, 1, 0, 8), 8),
        (insn(op::ST64, 0, 1, 0, 1), 1),
        (insn(op::ST64, 0, 1, 0, -1), -1),
        (insn(op::LD8, 2, 1, 0, 8), 8),
        (insn(op::LD64, 2, 1, 0, 1), 1),
        (insn(op::LDSTR, 2, 1, 0, 0), 0),
    ] {
        let program = program(&[&[&alloca[..], &[word]].concat()]);
        let address = OWN_BASE.wrapping_add_signed(offset);
        match offset {
            0 => assert_eq!(only(&program, &mut world()).0, Outcome::Processed),
            _ => fails(&program, &mut world(), fault::BADADDR, address, 2),
        }
    }
    // Nor are the constants written, nor the kernel.
    for address in [CONSTANT_BASE, KERNEL, 0, OWN_BASE - 1, u64::MAX] {
        let code = [insn(op::LDC, 0, 0, 0, 0), insn(op::ST8, 0, 0, 0, 0)];
        let mut program = program(&[&code]);
        program.constants = vec![address];
        fails(&program, &mut world(), fault::BADADDR, address, 1);
    }
    // Nor is the end of the constants passed.
    let mut past = program(&[&[insn(op::LDSC, 0, 0, 0, EMPTY), insn(op::LD16, 1, 0, 0, 0)]]);
    past.strings.truncate(EMPTY as usize + 1);
    let address = CONSTANT_BASE + EMPTY as u64;
    fails(&past, &mut world(), fault::BADADDR, address, 1);
}

#[test]
fn a_bad_address_is_a_fault_with_instruction_and_address() {
    for address in [
        0,
        8,
        KERNEL - 1,
        KERNEL + 1000,
        USER,
        u64::MAX,
        0x5254_1234_0000_0000,
    ] {
        for word in [
            insn(op::LD64, 1, 0, 0, 0),
            insn(op::LDSTR, 1, 0, 0, 0),
            insn(op::LDMEM, 1, 0, 0, 16),
            insn(op::EMITS, 0, 0, 0, 0),
            insn(op::EMITB, 0, 0, 2, 0),
            insn(op::KEYS, 0, 0, 0, 0),
            insn(op::KEYB, 0, 0, 0, 16),
        ] {
            let key0 = insn(op::KEY0, 0, 0, 0, 0);
            let mut program = program(&[&[insn(op::LDC, 0, 0, 0, 0), ldi(2, 16), key0, word]]);
            program.constants = vec![address];
            fails(&program, &mut world(), fault::BADADDR, address, 3);
        }
    }
}

#[test]
fn a_node_that_shows_no_memory_faults_if_a_program_reads_the_kernels() {
    let mut world = world();
    world.closed = true;
    for (address, kind) in [
        (KERNEL, fault::KPRIV),
        (8, fault::BADADDR),
        (USER, fault::KPRIV),
    ] {
        for word in [
            insn(op::LD8, 1, 0, 0, 0),
            insn(op::EMITS, 0, 0, 0, 0),
            insn(op::EMITB, 0, 0, 2, 0),
            insn(op::LDMEM, 1, 0, 0, 8),
            insn(op::CALL, 1, 0, 1, sub::STRLEN as i32),
            insn(op::STV, 0, 0, 0, 0),
        ] {
            let mut program = program(&[&[insn(op::LDC, 0, 0, 0, 0), ldi(2, 8), word]]);
            program.constants = vec![address];
            program.variables = vec![variable(scope::GLOBAL, value::STRING, 16, 0)];
            for rights in [Rights::System, Rights::User] {
                let outcomes = program.run_unverified(rights, &mut Room::new(), &mut world);
                let expected = Outcome::Fault(Fault { kind, address }, 2);
                assert_eq!(outcomes[0].0, expected, "{word:#x}");
            }
        }
    }
}

#[test]
fn what_other_firings_left_is_never_read() {
    // All that can be read without having been written: the whole of own memory, at every word.
    for offset in (0..28672).step_by(8) {
        let code = [insn(op::LDC, 0, 0, 0, 0), insn(op::LD64, 1, 0, 0, 0)];
        let mut program = program(&[&code]);
        program.variables = vec![variable(scope::LOCAL, value::BYTES, 64, 0)];
        program.constants = vec![OWN_BASE + offset];
        let (outcome, _) = only(&program, &mut world());
        if offset < 64 {
            assert_eq!(outcome, Outcome::Processed);
        } else {
            let fault = Fault::bad_address(OWN_BASE + offset);
            assert_eq!(outcome, Outcome::Fault(fault, 1));
        }
    }
    let code = [
        ldi(0, 4001),
        insn(op::CALL, 1, 0, 1, sub::ALLOCA as i32),
        insn(op::EMITB, 0, 1, 0, 0),
    ];
    let (_, items) = only(&program(&[&code]), &mut world());
    assert!(text_item(&items).iter().all(|byte| *byte == 0));
}

#[test]
fn temporary_values_end_with_their_room_and_with_the_clause() {
    let take = [ldi(0, 16384), insn(op::CALL, 1, 0, 1, sub::ALLOCA as i32)];
    let more = [
        &take[..],
        &[insn(op::LDSC, 2, 0, 0, ONE), insn(op::LDSTR, 2, 2, 0, 0)],
    ]
    .concat();
    let outcomes = program(&[&take, &more, &take]).run(&mut world());
    assert_eq!(outcomes[0].0, Outcome::Processed);
    assert_eq!(outcomes[1].0, Outcome::Fault(Fault::no_scratch(), 3));
    assert_eq!(outcomes[2].0, Outcome::Processed);
    let huge = program(&[&[ldi(0, -1), insn(op::CALL, 1, 0, 1, sub::ALLOCA as i32)]]);
    fails(&huge, &mut world(), fault::NOSCRATCH, 0, 1);
}

#[test]
fn strings_that_are_only_measured_take_no_room() {
    let mut code = vec![insn(op::LDC, 0, 0, 0, 0), insn(op::KEY0, 0, 0, 0, 0)];
    for _ in 0..500 {
        code.extend([
            insn(op::CALL, 1, 0, 1, sub::STRLEN as i32),
            insn(op::SCMP, 1, 0, 0, 0),
            insn(op::KEY0, 0, 0, 0, 0),
            insn(op::KEYS, 0, 0, 0, 0),
            insn(op::STV, 0, 0, 0, 0),
        ]);
    }
    let mut program = program(&[&code]);
    program.constants = vec![KERNEL_TEXT];
    program.variables = vec![variable(scope::GLOBAL, value::STRING, 64, 0)];
    program.strsize = 64;
    assert_eq!(only(&program, &mut world()).0, Outcome::Processed);
}

#[test]
fn a_record_or_a_tuple_that_is_too_long_is_a_fault() {
    let mut code = vec![
        ldi(0, 32712),
        insn(op::LDC, 1, 0, 0, 0),
        insn(op::EMITB, 0, 1, 0, 0),
    ];
    let mut fits = program(&[&code]);
    fits.constants = vec![KERNEL];
    let mut world = world();
    world.kernel = vec![1; 65536];
    assert!(matches!(only(&fits, &mut world).0, Outcome::Recorded(made) if made.words == 4090));
    code[0] = ldi(0, 32713);
    let mut over = program(&[&code]);
    over.constants = vec![KERNEL];
    fails(&over, &mut world, fault::TOOBIG, 0, 2);
    for bytes in [-1, i32::MIN, i32::MAX] {
        over.code[0] = ldi(0, bytes);
        fails(&over, &mut world, fault::TOOBIG, 0, 2);
    }
    let stacks = program(&[&[insn(op::EMITK, 0, 127, 0, 0); 32]]);
    world.frames = 127;
    fails(&stacks, &mut world, fault::TOOBIG, 0, 31);
    // The verifier sees tuples beforehand; the interpreter does not rely on it.
    let mut tuple = program(&[&[
        ldi(0, 1),
        insn(op::KEY, 0, 0, 0, 0),
        insn(op::KEY, 0, 0, 0, 0),
        insn(op::AGG, 0, 0, 0, 0),
    ]]);
    tuple.aggregations = vec![counts(8)];
    let outcomes = tuple.run_unverified(Rights::Kernel, &mut Room::new(), &mut world);
    assert_eq!(outcomes[0].0, Outcome::Fault(Fault::of(fault::TUPOFLOW), 3));
}

#[test]
fn speculations_mark_records_and_end_once() {
    let begin = [
        insn(op::SPECNEW, 0, 0, 0, 0),
        insn(op::SPECULATE, 0, 0, 0, 0),
        insn(op::EMIT, 0, 0, 0, 0),
    ];
    let commit = [ldi(0, 1), insn(op::COMMIT, 0, 0, 0, 9)];
    let late = [
        ldi(0, 1),
        insn(op::SPECULATE, 0, 0, 0, 0),
        insn(op::EMIT, 0, 0, 0, 0),
    ];
    let mut world = world();
    let outcomes = program(&[&begin, &commit, &commit, &late]).run(&mut world);
    assert!(matches!(outcomes[0].0, Outcome::Recorded(made) if made.speculation == (1 << 16) | 1));
    assert_eq!(outcomes[1].1, [head(9, 8), (1 << 16) | 1]);
    assert_eq!(outcomes[2].0, Outcome::Processed);
    assert_eq!(outcomes[3].0, Outcome::Processed);
    assert_eq!(world.ended, [(1, true)]);
    let discard = [insn(op::SPECNEW, 0, 0, 0, 0), insn(op::DISCARD, 0, 0, 0, 3)];
    let (_, items) = only(&program(&[&discard]), &mut world);
    assert_eq!(items, [head(3, 8), (1 << 16) | 1]);
    assert_eq!(world.ended, [(1, true), (1, false)]);
}

#[test]
fn a_speculation_goes_on_if_what_commits_it_is_not_written() {
    let commit = [ldi(0, 1), insn(op::COMMIT, 0, 0, 0, 9)];
    let mut world = world();
    world.speculations = vec![1];
    world.ring_is_full = true;
    let divide = [commit[0], commit[1], insn(op::DIV, 0, 0, 1, 0)];
    let mut faulting = program(&[&[ldi(1, 0), divide[0], divide[1], divide[2]], &commit]);
    faulting.run(&mut world);
    assert_eq!(
        (&world.speculations[..], &world.ended[..]),
        (&[1][..], &[][..])
    );
    world.ring_is_full = false;
    faulting.clauses.truncate(1);
    faulting.run(&mut world);
    assert_eq!(
        (&world.speculations[..], &world.ended[..]),
        (&[1][..], &[][..])
    );
    program(&[&commit]).run(&mut world);
    assert_eq!((world.speculations, world.ended), (vec![], vec![(1, true)]));
}

#[test]
fn what_a_speculation_has_no_room_for_does_not_run() {
    let large = SPECULATION_MAX as i32 + 1;
    let begin = [
        insn(op::SPECNEW, 0, 0, 0, 0),
        insn(op::SPECULATE, 0, 0, 0, large),
        insn(op::EMIT, 0, 0, 0, 0),
    ];
    let (outcome, _) = only(&program(&[&begin]), &mut world());
    assert_eq!(outcome, Outcome::NoSpeculation);
}

#[test]
fn a_speculation_that_there_cannot_be_is_a_fault() {
    for end in [op::COMMIT, op::DISCARD] {
        for number in [2, -1] {
            let code = [ldi(0, number), insn(end, 0, 0, 0, 9)];
            fails(&program(&[&code]), &mut world(), fault::ILLOP, 0, 1);
        }
    }
}

#[test]
fn an_index_is_below_its_bound() {
    let code = |index| [ldi(0, index), insn(op::BOUND, 0, 0, 0, 5)];
    let (outcome, _) = only(&program(&[&code(4)]), &mut world());
    assert_eq!(outcome, Outcome::Processed);
    fails(&program(&[&code(5)]), &mut world(), fault::BADINDEX, 5, 1);
    fails(
        &program(&[&code(-1)]),
        &mut world(),
        fault::BADINDEX,
        u64::MAX,
        1,
    );
}

#[test]
fn temporary_values_are_given_back() {
    let take = |register| insn(op::LDMEM, register, 0, 0, 8000);
    let free = |register| insn(op::FREE, 0, register, 0, 0);
    let read = |register| insn(op::LD64, 6, register, 0, 0);
    let run = |code: &[u64]| {
        let call = insn(op::CALL, 0, 5, 1, sub::ALLOCA as i32);
        let code = [&[ldi(5, 8000), call][..], code].concat();
        let mut program = program(&[&code]);
        program.variables = vec![variable(scope::LOCAL, value::BYTES, 64, 0)];
        only(&program, &mut world()).0
    };
    let no_scratch = |at| Outcome::Fault(Fault::of(fault::NOSCRATCH), at);
    assert_eq!(run(&[take(1)]), Outcome::Processed);
    assert_eq!(run(&[take(1), take(2)]), no_scratch(3));
    // What came before it stays, and so do clause-local variables and what is none of its own.
    let local = insn(op::LDV, 3, 0, 0, 0);
    assert_eq!(
        run(&[take(1), free(1), take(2), read(0)]),
        Outcome::Processed
    );
    assert_eq!(run(&[take(1), local, free(3), read(1)]), Outcome::Processed);
    assert_eq!(run(&[take(1), local, free(3), take(2)]), no_scratch(5));
    assert_eq!(run(&[take(1), ldi(3, 0), free(3), take(2)]), no_scratch(5));
    // What was given back is not there, and a pointer into a word gives all of that back.
    let behind = insn(op::ADDI, 3, 1, 0, 7);
    let gone = Outcome::Fault(Fault::bad_address(OWN_BASE + 64 + 8000), 5);
    assert_eq!(run(&[take(1), behind, free(3), read(1)]), gone);
}

#[test]
fn a_fault_of_the_world_is_that_of_the_clause() {
    // One that has no argument of that number.
    let code = [insn(op::GET, 0, 0, 0, 1)];
    let (outcome, _) = only(&program(&[&code]), &mut world());
    assert_eq!(outcome, Outcome::Processed);
    let copies = [insn(op::LDC, 0, 0, 0, 0), ldi(1, 64), {
        insn(op::CALL, 2, 0, 2, sub::COPYIN as i32)
    }];
    let mut program = program(&[&copies]);
    program.constants = vec![USER];
    fails(&program, &mut world(), fault::BADADDR, USER, 2);
}

#[test]
fn code_that_was_never_verified_ends_as_well() {
    let mut program = program(&[&[insn(op::JMP, 0, 0, 0, -1)]]);
    let outcomes = program.run_unverified(Rights::Kernel, &mut Room::new(), &mut world());
    assert!(matches!(
        outcomes[0].0,
        Outcome::Fault(
            Fault {
                kind: fault::ILLOP,
                ..
            },
            _
        )
    ));
    program.code = vec![insn(200, 0, 0, 0, 0)];
    program.clauses[0].count = 1;
    let outcomes = program.run_unverified(Rights::Kernel, &mut Room::new(), &mut world());
    assert_eq!(outcomes[0].0, Outcome::Fault(Fault::of(fault::ILLOP), 0));
    program.clauses[0].first = 5;
    let outcomes = program.run_unverified(Rights::Kernel, &mut Room::new(), &mut world());
    assert_eq!(outcomes[0].0, Outcome::Fault(Fault::of(fault::ILLOP), 0));
}
