// SPDX-License-Identifier: GPL-2.0

//! What of a return value may be told to someone who may not see values: that a function
//! succeeded (0), or with which error it failed.

#![forbid(unsafe_code)]

/// The largest errno, as the kernel's `MAX_ERRNO`.
const MAX_ERRNO: i64 = 4095;

/// 0 or a negative errno, or `None` for anything else.
///
/// A function that returns `int` leaves the upper half of its register zero or undefined, so
/// -ENOENT comes as 0xfffffffffffffffe or as 0xfffffffe; both count. Any context.
#[inline(always)]
pub(crate) fn outcome(value: u64) -> Option<i32> {
    let narrow = value as u32 as i32;
    let is_errno = |value: i64| (-MAX_ERRNO..0).contains(&value);
    let as_int = value >> 32 == 0 && is_errno(narrow.into());
    (value == 0 || is_errno(value as i64) || as_int).then_some(narrow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_and_errors_of_both_widths_are_told() {
        assert_eq!(outcome(0), Some(0));
        assert_eq!(outcome(-2i64 as u64), Some(-2));
        assert_eq!(outcome(0xffff_fffe), Some(-2));
        assert_eq!(outcome(-4095i64 as u64), Some(-4095));
    }

    #[test]
    fn no_other_value_is() {
        let data = [
            1,
            42,
            -4096i64 as u64,
            0xffff_f000,
            0x1_ffff_fffe,
            0xffff_8880_0000_0000,
            0xffff_ffff_8100_0000,
            u64::MAX << 32,
            1 << 63,
        ];
        for value in data {
            assert_eq!(outcome(value), None, "{value:#x}");
        }
    }
}
