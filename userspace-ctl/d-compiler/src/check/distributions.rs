// SPDX-License-Identifier: GPL-2.0-only
//! The parameters of lquantize() and llquantize(): constants that make sense, and the same
//! wherever an aggregation is assigned. The rules and tags are those of Oracle's edition.
#![forbid(unsafe_code)]

use rust_tracer::abi;

use crate::error::{Error, Span};

use super::Checker;
use super::tree::Node;

/// The parameters of lquantize(): base, step, levels.
pub(super) fn lquantize(
    checker: &Checker<'_>,
    name: &str,
    nodes: &[Node],
    span: Span,
) -> Result<[u64; 4], Error> {
    let error =
        |span, tag, message: String| Error::new(tag, span, format!("lquantize( ) {message}"));
    let at = |span, tag, message| Err(error(span, tag, message));
    let refuse = |tag, message| at(span, tag, message);
    let bound = |number: usize, type_tag, value_tag| {
        let span = nodes[number].span;
        match nodes[number].constant() {
            None => Err(error(
                span,
                type_tag,
                format!("argument #{number} must be an integer constant"),
            )),
            Some(value) if i32::try_from(value).is_err() => Err(error(
                span,
                value_tag,
                format!("argument #{number} must be a 32-bit quantity"),
            )),
            Some(value) => Ok(value),
        }
    };
    let base = bound(1, "D_LQUANT_BASETYPE", "D_LQUANT_BASEVAL")?;
    let limit = bound(2, "D_LQUANT_LIMTYPE", "D_LQUANT_LIMVAL")?;
    if limit <= base {
        return refuse(
            "D_LQUANT_MISMATCH",
            "base (argument #1) must be less than limit (argument #2)".into(),
        );
    }
    let step = match nodes.get(3) {
        None => 1,
        Some(step) => match step.constant() {
            Some(value) if value > 0 => {
                if value > i64::from(u16::MAX) {
                    return at(
                        step.span,
                        "D_LQUANT_STEPVAL",
                        "argument #3 must be a 16-bit quantity".into(),
                    );
                }
                value
            }
            _ => {
                return at(
                    step.span,
                    "D_LQUANT_STEPTYPE",
                    "argument #3 must be a non-zero positive integer constant".into(),
                );
            }
        },
    };
    let levels = (limit - base) / step;
    if levels == 0 {
        return refuse(
            "D_LQUANT_STEPLARGE",
            "step (argument #3) too large: must have at least one quantization level".into(),
        );
    }
    if levels > i64::from(abi::RTRACE_AGG_LEVELS_MAX) {
        return refuse(
            "D_LQUANT_STEPSMALL",
            format!(
                "step (argument #3) too small: {levels} quantization levels, but {} is the limit",
                abi::RTRACE_AGG_LEVELS_MAX
            ),
        );
    }
    if let Some([old_base, old_step, old_levels, _]) = checker.previous(name) {
        let (old_base, old_step, old_levels) =
            (old_base as i64, old_step as i64, old_levels as i64);
        let mismatch = |what, old, new| {
            format!("{what} doesn't match previous declaration: expected {old}, found {new}")
        };
        if old_base != base {
            return refuse(
                "D_LQUANT_MATCHBASE",
                mismatch("base (argument #1)", old_base, base),
            );
        }
        if old_levels * old_step != levels * step {
            return refuse(
                "D_LQUANT_MATCHLIM",
                mismatch(
                    "limit (argument #2)",
                    old_base + old_levels * old_step,
                    base + levels * step,
                ),
            );
        }
        if old_step != step {
            return refuse(
                "D_LQUANT_MATCHSTEP",
                mismatch("step (argument #3)", old_step, step),
            );
        }
    }
    Ok([base as u64, step as u64, levels as u64, 0])
}

/// The parameters of llquantize(): factor, low and high magnitude, steps.
pub(super) fn llquantize(
    checker: &Checker<'_>,
    name: &str,
    nodes: &[Node],
    span: Span,
) -> Result<[u64; 4], Error> {
    let at =
        |span, tag, message: String| Err(Error::new(tag, span, format!("llquantize( ) {message}")));
    let refuse = |tag, message| at(nodes[1].span, tag, message);
    let what = [
        ("factor", "D_LLQUANT_FACTORTYPE", "D_LLQUANT_FACTORVAL"),
        ("low magnitude", "D_LLQUANT_LMAGTYPE", "D_LLQUANT_LMAGVAL"),
        ("high magnitude", "D_LLQUANT_HMAGTYPE", "D_LLQUANT_HMAGVAL"),
        ("steps", "D_LLQUANT_STEPTYPE", "D_LLQUANT_STEPVAL"),
    ];
    let mut values = [0u64; 4];
    for (index, (called, no_constant, no_value)) in what.into_iter().enumerate() {
        let argument = &nodes[index + 1];
        let Some(value) = argument.constant() else {
            return at(
                argument.span,
                no_constant,
                format!(
                    "argument #{} ({called}) must be an integer constant",
                    index + 1
                ),
            );
        };
        if index == 3 && value <= 0 {
            return at(
                argument.span,
                no_constant,
                "argument #4 (steps) must be a non-zero positive integer constant".into(),
            );
        }
        if value < 0 || value > i64::from(u16::MAX) || (index == 0 && value < 2) {
            return at(
                argument.span,
                no_value,
                format!(
                    "argument #{} ({called}) must be an unsigned 16-bit quantity{}",
                    index + 1,
                    if index == 0 {
                        " greater than or equal to 2"
                    } else {
                        ""
                    }
                ),
            );
        }
        values[index] = value as u64;
        if index == 2 {
            let [factor, low, high, _] = values;
            if high < low {
                return at(
                    argument.span,
                    no_value,
                    "argument #3 (high magnitude) must be at least argument #2 (low magnitude)"
                        .into(),
                );
            }
            if u32::try_from(high + 1)
                .ok()
                .and_then(|power| factor.checked_pow(power))
                .is_none()
            {
                return at(
                    argument.span,
                    no_value,
                    "argument #3 (high magnitude) will cause overflow of 64 bits".into(),
                );
            }
        }
    }
    let [factor, low, high, steps] = values;
    if steps < factor && factor % steps != 0 {
        return refuse(
            "D_LLQUANT_STEPVAL",
            "argument #4 (steps) must evenly divide argument #1 (factor) when steps<factor".into(),
        );
    }
    if steps > factor {
        if steps % factor != 0 {
            return refuse(
                "D_LLQUANT_STEPVAL",
                "argument #4 (steps) must be a multiple of argument #1 (factor) when steps>factor"
                    .into(),
            );
        }
        let power = if low == 0 { 2 } else { low as u32 + 1 };
        // That cannot overflow: power is at most high + 1, or 2.
        if factor.pow(power) % steps != 0 {
            return refuse(
                "D_LLQUANT_STEPVAL",
                format!(
                    "argument #4 (steps) must evenly divide the {power}th power of argument #1 \
                     (factor)"
                ),
            );
        }
    }
    // Of one sign.
    let levels = (high - low + 1) * (steps - steps / factor);
    if levels > u64::from(abi::RTRACE_AGG_LEVELS_MAX) {
        return refuse(
            "D_LLQUANT_STEPVAL",
            format!(
                "argument #4 (steps) makes {levels} levels, but {} is the limit",
                abi::RTRACE_AGG_LEVELS_MAX
            ),
        );
    }
    if let Some(known) = checker.previous(name) {
        let tags = [
            "D_LLQUANT_MATCHFACTOR",
            "D_LLQUANT_MATCHLMAG",
            "D_LLQUANT_MATCHHMAG",
            "D_LLQUANT_MATCHSTEPS",
        ];
        for index in 0..4 {
            if known[index] != values[index] {
                return at(
                    span,
                    tags[index],
                    format!(
                        "{} (argument #{}) doesn't match previous declaration: expected {}, \
                         found {}",
                        what[index].0,
                        index + 1,
                        known[index],
                        values[index]
                    ),
                );
            }
        }
    }
    Ok(values)
}
