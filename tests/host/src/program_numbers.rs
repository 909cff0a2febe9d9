// SPDX-License-Identifier: GPL-2.0

//! The programs' own numbers and layouts against `include/uapi/rust_tracer_program.h`.

use std::mem::{offset_of, size_of};

use crate::program::insn::{
    built_in, is_text, user_register, FORMS, OPS, REGISTERS, SUBROUTINES, UREG0, UREGS,
};
use crate::program::{
    agg, buckets, fault, layout, scope, value, verify, Aggregation, Clause, Variable,
    CLAUSE_DEFAULT, CLAUSE_SYSCALL, GLOBALS_MAX, KEYS_MAX, LOCALS_MAX, RECORD_HEAD, RECORD_MAX,
    SCRATCH_BYTES, STACK_FRAMES_MAX, STRSIZE_MAX, VARIABLE_BYTES_MAX,
};

const HEADER: &str = include_str!("../../../include/uapi/rust_tracer_program.h");
const MAIN_HEADER: &str = include_str!("../../../include/uapi/rust_tracer.h");

/// All `#define`s of a header that are numbers, with their names.
fn defined(header: &str) -> Vec<(&str, u64)> {
    header
        .lines()
        .filter_map(|line| line.strip_prefix("#define "))
        .filter_map(|line| line.split_once([' ', '\t']))
        .filter_map(|(name, value)| {
            let value = value.trim_start().split([' ', '\t']).next()?;
            Some((name, value.strip_suffix('u')?.parse().ok()?))
        })
        .collect()
}

fn value_of(name: &str) -> u64 {
    defined(HEADER)
        .into_iter()
        .chain(defined(MAIN_HEADER))
        .find_map(|(other, value)| (other == name).then_some(value))
        .unwrap_or_else(|| panic!("{name} is not in the headers"))
}

/// The names with a prefix, without it, and their values.
fn family(prefix: &str) -> Vec<(&'static str, u64)> {
    defined(HEADER)
        .into_iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)))
        .collect()
}

#[test]
fn operations_are_those_of_the_abi_and_no_others() {
    let header = family("RTRACE_OP_");
    assert!(header.len() > 80);
    for (name, number) in &header {
        let form = &FORMS[*number as usize];
        assert_eq!(form.name, name.to_lowercase(), "operation {number}");
        assert!(form.cost > 0, "{name}");
    }
    let ours = FORMS.iter().filter(|form| !form.name.is_empty()).count();
    assert_eq!(ours, header.len());
    assert_eq!(OPS as u64, value_of("RTRACE_OPS"));
    assert_eq!(u64::from(REGISTERS), value_of("RTRACE_PROGRAM_REGISTERS"));
}

#[test]
fn subroutines_are_those_of_the_abi_and_no_others() {
    let header = family("RTRACE_SUB_");
    for (name, number) in &header {
        let called = &SUBROUTINES[*number as usize];
        assert_eq!(called.name, name.to_lowercase(), "subroutine {number}");
        assert!(called.takes.len() <= 3 && usize::from(called.optional) <= called.takes.len());
    }
    assert_eq!(SUBROUTINES.len(), header.len());
    assert_eq!(SUBROUTINES.len() as u64, value_of("RTRACE_SUBS"));
}

#[test]
fn built_in_variables_are_those_of_the_abi_and_no_others() {
    let header = family("RTRACE_VAR_");
    let mut known = 0;
    for number in 0..1000 {
        let Some(name) = built_in(number) else {
            continue;
        };
        if user_register(number).is_some() {
            continue;
        }
        known += 1;
        assert_eq!(is_text(number), number >= 64);
        let base = name.trim_start_matches('$').to_uppercase();
        let base = match base.strip_prefix("ARG").or(base.strip_prefix("ENTRYARG")) {
            Some(_) => base.trim_end_matches(char::is_numeric).to_string() + "0",
            None => base,
        };
        let defined = header.iter().find(|(other, _)| *other == base);
        let (_, first) = defined.unwrap_or_else(|| panic!("{name} is not in the header"));
        assert!((*first..*first + 10).contains(&u64::from(number)), "{name}");
        if !base.ends_with('0') {
            assert_eq!(*first, u64::from(number), "{name}");
        }
    }
    // The registers are told of below.
    assert_eq!(known, header.len() - 1 + 9 + 5);
}

#[test]
fn registers_of_user_space_are_those_of_the_abi_and_no_others() {
    let header = family("RTRACE_UREG_");
    assert_eq!(header.len() as u64, value_of("RTRACE_UREGS"));
    assert_eq!(u64::from(UREGS), value_of("RTRACE_UREGS"));
    assert_eq!(u64::from(UREG0), value_of("RTRACE_VAR_UREG0"));
    for (name, register) in header {
        let number = UREG0 + register as u32;
        assert_eq!(
            built_in(number),
            Some(format!("uregs[R_{name}]")).as_deref()
        );
        assert_eq!(user_register(number), Some(register as u32));
        assert!(!is_text(number));
    }
    assert_eq!(built_in(UREG0 + UREGS), None);
    assert_eq!(built_in(UREG0 - 1), None);
}

#[test]
fn limits_are_those_of_the_abi() {
    for (ours, name) in [
        (verify::PROGRAM_INSNS_MAX as u64, "RTRACE_PROGRAM_INSNS_MAX"),
        (verify::CLAUSE_INSNS_MAX as u64, "RTRACE_CLAUSE_INSNS_MAX"),
        (verify::CLAUSES_MAX as u64, "RTRACE_CLAUSES_MAX"),
        (verify::CONSTANTS_MAX as u64, "RTRACE_CONSTANTS_MAX"),
        (verify::STRINGS_MAX as u64, "RTRACE_STRINGS_MAX"),
        (layout::VARIABLES_MAX as u64, "RTRACE_VARIABLES_MAX"),
        (layout::AGGREGATIONS_MAX as u64, "RTRACE_AGGREGATIONS_MAX"),
        (verify::SPECULATIONS_MAX.into(), "RTRACE_SPECULATIONS_MAX"),
        (KEYS_MAX.into(), "RTRACE_KEYS_MAX"),
        (STRSIZE_MAX.into(), "RTRACE_STRSIZE_MAX"),
        (VARIABLE_BYTES_MAX.into(), "RTRACE_VARIABLE_BYTES_MAX"),
        (SCRATCH_BYTES.into(), "RTRACE_SCRATCH_BYTES"),
        (LOCALS_MAX.into(), "RTRACE_LOCALS_MAX"),
        (GLOBALS_MAX.into(), "RTRACE_GLOBALS_MAX"),
        (STACK_FRAMES_MAX.into(), "RTRACE_STACK_FRAMES_MAX"),
        (RECORD_MAX.into(), "RTRACE_RECORD_MAX"),
        (buckets::QUANTIZE_WORDS.into(), "RTRACE_QUANTIZE_WORDS"),
        (buckets::LEVELS_MAX.into(), "RTRACE_AGG_LEVELS_MAX"),
        (scope::GLOBAL.into(), "RTRACE_SCOPE_GLOBAL"),
        (scope::LOCAL.into(), "RTRACE_SCOPE_LOCAL"),
        (scope::ARRAY.into(), "RTRACE_SCOPE_ARRAY"),
        (scope::THREAD.into(), "RTRACE_SCOPE_THREAD"),
        (scope::THREAD_ARRAY.into(), "RTRACE_SCOPE_THREAD_ARRAY"),
        (value::SCALAR.into(), "RTRACE_VALUE_SCALAR"),
        (value::STRING.into(), "RTRACE_VALUE_STRING"),
        (value::BYTES.into(), "RTRACE_VALUE_BYTES"),
        (agg::COUNT.into(), "RTRACE_AGG_COUNT"),
        (agg::SUM.into(), "RTRACE_AGG_SUM"),
        (agg::MIN.into(), "RTRACE_AGG_MIN"),
        (agg::MAX.into(), "RTRACE_AGG_MAX"),
        (agg::AVG.into(), "RTRACE_AGG_AVG"),
        (agg::STDDEV.into(), "RTRACE_AGG_STDDEV"),
        (agg::QUANTIZE.into(), "RTRACE_AGG_QUANTIZE"),
        (agg::LQUANTIZE.into(), "RTRACE_AGG_LQUANTIZE"),
        (agg::LLQUANTIZE.into(), "RTRACE_AGG_LLQUANTIZE"),
        (fault::BADADDR.into(), "RTRACE_FAULT_BADADDR"),
        (fault::ILLOP.into(), "RTRACE_FAULT_ILLOP"),
        (fault::DIVZERO.into(), "RTRACE_FAULT_DIVZERO"),
        (fault::NOSCRATCH.into(), "RTRACE_FAULT_NOSCRATCH"),
        (fault::KPRIV.into(), "RTRACE_FAULT_KPRIV"),
        (fault::TUPOFLOW.into(), "RTRACE_FAULT_TUPOFLOW"),
        (fault::BADSIZE.into(), "RTRACE_FAULT_BADSIZE"),
        (fault::BADINDEX.into(), "RTRACE_FAULT_BADINDEX"),
        (fault::TOOBIG.into(), "RTRACE_FAULT_TOOBIG"),
    ] {
        assert_eq!(ours, value_of(name), "{name}");
    }
    assert!(HEADER.contains("#define RTRACE_CLAUSE_DEFAULT (1u << 0)"));
    assert!(HEADER.contains("#define RTRACE_CLAUSE_SYSCALL (1u << 1)"));
    assert_eq!((CLAUSE_DEFAULT, CLAUSE_SYSCALL), (1, 2));
    assert!(
        HEADER.contains("#define RTRACE_ITEM(action, argument) (((action) << 16) | (argument))")
    );
}

/// Names, offsets and sizes of the fields of a structure in the header; and its own size.
fn fields_of(structure: &str) -> (Vec<(String, usize, usize)>, usize) {
    let begin = format!("struct {structure} {{");
    let mut fields = Vec::new();
    let mut at = 0;
    let body = HEADER.lines().skip_while(|line| *line != begin).skip(1);
    for line in body.take_while(|line| *line != "};") {
        let line = line.trim();
        if line.starts_with("/*") || line.starts_with('*') {
            continue;
        }
        let (kind, rest) = line.split_once(' ').expect("type and name");
        let each = match kind {
            "__u8" => 1,
            "__u16" => 2,
            "__u32" => 4,
            "__u64" => 8,
            other => panic!("{other} in {structure}"),
        };
        let name = rest.split(';').next().expect("a name");
        let (name, count) = match name.split_once('[') {
            Some((name, count)) => (name, count.trim_end_matches(']').parse().expect("a number")),
            None => (name, 1),
        };
        assert_eq!(at % each, 0, "{structure}.{name} is not aligned");
        fields.push((name.to_string(), at, each * count));
        at += each * count;
    }
    assert!(!fields.is_empty(), "{structure}");
    (fields, at)
}

macro_rules! same_layout {
    ($ours:ty, $theirs:literal, $($field:ident),*) => {{
        let (fields, size) = fields_of($theirs);
        let ours = [$((stringify!($field), offset_of!($ours, $field))),*];
        let theirs: Vec<_> = fields.iter().map(|(name, at, _)| (name.as_str(), *at)).collect();
        assert_eq!(&ours[..], &theirs[..]);
        assert_eq!(size_of::<$ours>(), size);
    }};
}

#[test]
fn structures_are_those_of_the_abi() {
    same_layout!(Clause, "rtrace_clause", group, first, count, flags);
    same_layout!(
        Variable,
        "rtrace_variable",
        scope,
        value,
        reserved,
        bytes,
        keys,
        reserved2
    );
    same_layout!(
        Aggregation,
        "rtrace_aggregation",
        function,
        keys,
        parameters
    );
    assert_eq!(RECORD_HEAD as usize, fields_of("rtrace_record_clause").1);
    assert_eq!(fields_of("rtrace_item").1, 8);
}
