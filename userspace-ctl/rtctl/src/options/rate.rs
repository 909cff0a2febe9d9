// SPDX-License-Identifier: GPL-2.0-only
//! Rates: a time between two events, or how many there are in a second, as libdtrace reads them
//! (dt_opt_rate in dt_options.c).

use std::time::Duration;

/// The shortest rate: who asks for more wants it as often as possible, and a reader that wakes more
/// than a thousand times a second does nothing else, for everybody's CPU.
const SHORTEST: Duration = Duration::from_millis(1);

/// `100ms`, `10hz`, or nanoseconds without a unit; 0, or no number at all, is as often as possible.
pub fn rate(text: &str) -> Option<Duration> {
    let (number, base) = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(number) => (number, 16),
        None if text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    let end = number.find(|c: char| !c.is_digit(base));
    let (digits, unit) = number.split_at(end.unwrap_or(number.len()));
    let number = match digits {
        "" if base == 10 => 0,
        _ => u64::from_str_radix(digits, base).ok()?,
    };
    let ns = match unit.to_ascii_lowercase().as_str() {
        "" | "ns" | "nsec" => 1,
        "us" | "usec" => 1_000,
        "ms" | "msec" => 1_000_000,
        "s" | "sec" => 1_000_000_000,
        "m" | "min" => 60_000_000_000,
        "h" | "hour" => 3_600_000_000_000,
        "d" | "day" => 86_400_000_000_000,
        "hz" => {
            let ns = 1_000_000_000_u64.checked_div(number).unwrap_or(0);
            return Some(Duration::from_nanos(ns).max(SHORTEST));
        }
        _ => return None,
    };
    // libdtrace counts in signed numbers.
    let ns = number
        .checked_mul(ns)
        .filter(|&ns| i64::try_from(ns).is_ok())?;
    Some(Duration::from_nanos(ns).max(SHORTEST))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rates_are_times_or_frequencies() {
        for (text, ms) in [
            ("10hz", 100),
            ("10HZ", 100),
            ("50ms", 50),
            ("2s", 2_000),
            ("2Sec", 2_000),
            ("1m", 60_000),
            ("1day", 86_400_000),
            // Nanoseconds, in any base.
            ("5000000", 5),
            ("0x10ms", 16),
            ("010ms", 8),
        ] {
            assert_eq!(rate(text), Some(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_more_often_is_as_often_as_possible() {
        for text in ["0", "0hz", "0s", "", "hz", "10", "1us", "5000hz", "0x1d"] {
            assert_eq!(rate(text), Some(SHORTEST), "{text}");
        }
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for bad in [
            "1.5s",
            "0.5hz",
            "5x",
            "-1s",
            "0x",
            "08ms",
            "10 hz",
            "99999999999999999999",
            "9223372036854775808",
            "1000000d",
        ] {
            assert_eq!(rate(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_rate_or_none(text in ".{0,40}") {
            prop_assert!(rate(&text).is_none_or(|rate| rate >= SHORTEST));
        }
    }
}
