// SPDX-License-Identifier: GPL-2.0

//! Variables and aggregations of a program that is loaded: whether they make sense, and where the
//! variables are. Task context; no allocation.

#![forbid(unsafe_code)]

use super::{
    agg,
    buckets,
    refused::{
        refuse,
        Refused,
        Why, //
    },
    scope,
    value,
    words,
    Aggregation,
    Slot,
    Variable,
    GLOBALS_MAX,
    KEYS_MAX,
    LOCALS_MAX,
    STRSIZE_MAX,
    VARIABLE_BYTES_MAX, //
};

/// `RTRACE_VARIABLES_MAX`.
pub(crate) const VARIABLES_MAX: usize = 4096;
/// `RTRACE_AGGREGATIONS_MAX`.
pub(crate) const AGGREGATIONS_MAX: usize = 1024;

/// What the variables of a program take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Bytes of all global variables.
    pub(crate) globals: u32,
    /// Bytes of all clause-local variables.
    pub(crate) locals: u32,
    /// The most words of keys and value of a dynamic variable together; 0: there are none.
    pub(crate) dynamic: u32,
}

/// Checks the variables, and gives each its place. `slots` has one for each.
pub(crate) fn layout(variables: &[Variable], slots: &mut [Slot]) -> Result<Sizes, Refused> {
    if variables.len() > VARIABLES_MAX {
        return refuse(0, Why::TooMany("variables", VARIABLES_MAX));
    }
    if slots.len() < variables.len() {
        return refuse(0, Why::Marks);
    }
    let mut sizes = Sizes::default();
    for (at, (variable, slot)) in (0..variables.len()).zip(variables.iter().zip(slots)) {
        let size_fits = match variable.value {
            value::SCALAR => variable.bytes == 8,
            value::STRING => (1..=STRSIZE_MAX).contains(&variable.bytes),
            value::BYTES => (1..=VARIABLE_BYTES_MAX).contains(&variable.bytes),
            _ => false,
        };
        let keys_fit = match variable.scope {
            scope::ARRAY | scope::THREAD_ARRAY => {
                (8..=KEYS_MAX).contains(&variable.keys) && variable.keys % 8 == 0
            }
            scope::GLOBAL | scope::LOCAL | scope::THREAD => variable.keys == 0,
            _ => false,
        };
        if !size_fits || !keys_fit || variable.reserved != 0 || variable.reserved2 != 0 {
            return refuse(at, Why::Variable);
        }
        *slot = Slot {
            scope: variable.scope,
            value: variable.value,
            bytes: variable.bytes,
            offset: 0,
        };
        let taken = words(variable.bytes).wrapping_mul(8);
        let (sum, most, what) = match variable.scope {
            scope::GLOBAL => (&mut sizes.globals, GLOBALS_MAX, "bytes of global variables"),
            scope::LOCAL => (
                &mut sizes.locals,
                LOCALS_MAX,
                "bytes of clause-local variables",
            ),
            _ => {
                let both = words(variable.keys).wrapping_add(words(variable.bytes));
                sizes.dynamic = sizes.dynamic.max(both);
                continue;
            }
        };
        slot.offset = *sum;
        *sum = sum.wrapping_add(taken);
        if *sum > most {
            return refuse(at, Why::TooMany(what, most as usize));
        }
    }
    Ok(sizes)
}

/// Checks the aggregations.
pub(super) fn aggregations(all: &[Aggregation]) -> Result<(), Refused> {
    if all.len() > AGGREGATIONS_MAX {
        return refuse(0, Why::TooMany("aggregations", AGGREGATIONS_MAX));
    }
    for (at, aggregation) in (0..all.len()).zip(all) {
        let parameters = &aggregation.parameters;
        let sane = match aggregation.function {
            agg::COUNT..=agg::QUANTIZE => *parameters == [0; 4],
            agg::LQUANTIZE => buckets::Linear::new(parameters).is_some(),
            agg::LLQUANTIZE => buckets::LogLinear::new(parameters).is_some(),
            _ => false,
        };
        if !sane || aggregation.keys > KEYS_MAX || aggregation.keys % 8 != 0 {
            return refuse(at, Why::Aggregation);
        }
    }
    Ok(())
}
