// SPDX-License-Identifier: GPL-2.0

//! Which bucket of a distribution a value falls into.
//!
//! The rules are DTrace's (illumos, `dtrace_aggregate_quantize`, `_lquantize`, `_llquantize`). The
//! bucket's number is that of its word in the aggregation's data, as
//! `include/uapi/rust_tracer_program.h` orders them.
//!
//! Contexts: any. Nothing here divides by zero, overflows or panics, whatever the parameters; that
//! the parameters make sense is the verifier's part.

#![forbid(unsafe_code)]

/// Words of a power-of-two distribution: 63 below 0, 0 alone, 63 above. `RTRACE_QUANTIZE_WORDS`.
pub(crate) const QUANTIZE_WORDS: u32 = 127;

/// The most levels of a linear distribution, and of a log-linear one on each side of 0.
/// `RTRACE_AGG_LEVELS_MAX`.
pub(crate) const LEVELS_MAX: u32 = 65535;

/// The word of value 0 in a power-of-two distribution.
const QUANTIZE_ZERO: u32 = 63;

/// The bucket of `value` by powers of two: `[2^n, 2^(n+1))` is `64 + n`, its negative `62 - n`.
#[inline(always)]
pub(crate) fn quantize(value: i64) -> u32 {
    let magnitude = value.unsigned_abs();
    if magnitude == 0 {
        return QUANTIZE_ZERO;
    }
    // 2^63 has a magnitude that only negative numbers reach; it shares the bucket of -2^62.
    let n = magnitude.ilog2().min(62);
    if value < 0 {
        QUANTIZE_ZERO.wrapping_sub(1).wrapping_sub(n)
    } else {
        QUANTIZE_ZERO.wrapping_add(1).wrapping_add(n)
    }
}

/// The word of value 1 in a power-of-two distribution.
pub(crate) const QUANTIZE_POSITIVE: u32 = QUANTIZE_ZERO + 1;

/// The buckets of a linear distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Linear {
    base: i64,
    step: u64,
    levels: u32,
}

impl Linear {
    /// From the parameters of `RTRACE_AGG_LQUANTIZE`. `None` if they make no sense: a step of 0 or
    /// less, no level or too many, or a last level that ends beyond what 64 bits hold.
    pub(crate) fn new(parameters: &[u64; 4]) -> Option<Linear> {
        let &[base, step, levels, rest] = parameters;
        let (base, step) = (base as i64, step as i64);
        if step <= 0 || levels == 0 || levels > u64::from(LEVELS_MAX) || rest != 0 {
            return None;
        }
        base.checked_add(step.checked_mul(levels as i64)?)?;
        Some(Linear {
            base,
            step: step as u64,
            levels: levels as u32,
        })
    }

    /// Words of data: below, the levels, above.
    #[inline(always)]
    pub(crate) fn words(&self) -> u32 {
        self.levels.wrapping_add(2)
    }

    /// The bucket of `value`.
    #[inline(always)]
    pub(crate) fn bucket(&self, value: i64) -> u32 {
        if value < self.base {
            return 0;
        }
        // The difference of two numbers of 63 bits and a sign fits 64 bits.
        let above = (value as u64).wrapping_sub(self.base as u64);
        let level = above.checked_div(self.step).unwrap_or(0);
        let levels = u64::from(self.levels);
        level.min(levels).wrapping_add(1) as u32
    }
}

/// The buckets of a log-linear distribution: each order of magnitude of `factor` from `low` to
/// `high` is cut into levels of equal width, `steps` of which would reach from 0 to its end. Values
/// below 0 have as many levels of their own (Oracle's rule; illumos counts them as small).
///
/// ```text
///   word    0           1 … n        n + 1         n + 2 … 2n + 1    2n + 2
///           too low     negative,    nearer to 0   positive,         too high
///                       -levels      than levels   levels 1 … n
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogLinear {
    factor: u64,
    low: u32,
    high: u32,
    steps: u64,
    /// `factor` to the power of `low`.
    least: u64,
    /// Levels of one magnitude.
    each: u32,
    /// Levels of one sign.
    levels: u32,
}

impl LogLinear {
    /// From the parameters of `RTRACE_AGG_LLQUANTIZE`. `None` if they make no sense: a factor below
    /// 2, low above high, more than [`LEVELS_MAX`] levels of one sign, steps that do not divide the
    /// factor or are no multiple of it, or do not divide a magnitude's end (the first magnitude of
    /// all, which has fewer numbers, excepted), or a magnitude beyond what 64 bits hold.
    pub(crate) fn new(parameters: &[u64; 4]) -> Option<LogLinear> {
        let &[factor, low, high, steps] = parameters;
        let limit = u64::from(u16::MAX);
        if !(2..=limit).contains(&factor) || !(1..=limit).contains(&steps) {
            return None;
        }
        if low > high || high > 63 {
            return None;
        }
        if factor.checked_rem(steps)? != 0 && steps.checked_rem(factor)? != 0 {
            return None;
        }
        let (low, high) = (low as u32, high as u32);
        let least = factor.checked_pow(low)?;
        let mut end = least;
        for magnitude in low..=high {
            end = end.checked_mul(factor)?;
            let few = magnitude == 0 && steps > factor;
            if !few && end.checked_rem(steps)? != 0 {
                return None;
            }
        }
        let each = steps.checked_sub(steps.checked_div(factor)?)?;
        let magnitudes = u64::from(high.checked_sub(low)?.checked_add(1)?);
        let levels = each.checked_mul(magnitudes)?;
        (levels <= u64::from(LEVELS_MAX)).then_some(LogLinear {
            factor,
            low,
            high,
            steps,
            least,
            each: each as u32,
            levels: levels as u32,
        })
    }

    /// Words of data.
    #[inline(always)]
    pub(crate) fn words(&self) -> u32 {
        self.levels.wrapping_mul(2).wrapping_add(3)
    }

    /// The bucket of `value`. Takes at most 64 rounds.
    pub(crate) fn bucket(&self, value: i64) -> u32 {
        let middle = self.levels.wrapping_add(1);
        let level = self.level(value.unsigned_abs());
        if value < 0 {
            middle.wrapping_sub(level)
        } else {
            middle.wrapping_add(level)
        }
    }

    /// The level from 1 on; 0: below all; one more than there are: above all.
    fn level(&self, magnitude: u64) -> u32 {
        if magnitude < self.least {
            return 0;
        }
        let skipped = self.steps.checked_div(self.factor).unwrap_or(0);
        let mut end = self.least;
        let mut first = 1u32;
        for _ in self.low..=self.high {
            end = end.wrapping_mul(self.factor);
            if magnitude < end {
                let step = if end < self.steps {
                    magnitude.wrapping_mul(self.steps.checked_div(end).unwrap_or(1))
                } else {
                    let width = end.checked_div(self.steps).unwrap_or(1);
                    magnitude.checked_div(width).unwrap_or(0)
                };
                return first.wrapping_add(step.wrapping_sub(skipped) as u32);
            }
            first = first.wrapping_add(self.each);
        }
        first
    }
}
