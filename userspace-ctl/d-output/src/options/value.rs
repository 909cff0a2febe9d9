// SPDX-License-Identifier: GPL-2.0-only
//! The values that options have as text, as libdtrace reads them (dt_options.c).
#![forbid(unsafe_code)]

/// The words that set a switch and those that unset it, in any case of letters.
const WORDS: [(&str, &str); 6] = [
    ("yes", "no"),
    ("enable", "disable"),
    ("enabled", "disabled"),
    ("true", "false"),
    ("on", "off"),
    ("set", "unset"),
];

/// Whether a value sets a switch: no value does, an empty one does not, and any number does, 0 as well.
pub fn switch(value: Option<&str>) -> Option<bool> {
    let Some(value) = value else {
        return Some(true);
    };
    if value.is_empty() {
        return Some(false);
    }
    let is = |word: &str| value.eq_ignore_ascii_case(word);
    match WORDS.iter().find(|(set, unset)| is(set) || is(unset)) {
        Some((set, _)) => Some(is(set)),
        None => number(value).map(|_| true),
    }
}

/// A number, or a number of bytes: `0x10`, `4k`.
pub fn size(text: &str) -> Option<u64> {
    let (digits, shift) = match text.chars().next_back()?.to_ascii_lowercase() {
        'k' => (&text[..text.len() - 1], 10),
        'm' => (&text[..text.len() - 1], 20),
        'g' => (&text[..text.len() - 1], 30),
        't' => (&text[..text.len() - 1], 40),
        _ => (text, 0),
    };
    number(digits)?.checked_mul(1 << shift)
}

/// A number as C writes it: decimal, octal behind `0`, hexadecimal behind `0x`.
pub fn number(text: &str) -> Option<u64> {
    let (digits, base) = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        None => (text, 10),
    };
    // Signs are none of a number.
    let all = digits.chars().all(|digit| digit.is_digit(base));
    all.then(|| u64::from_str_radix(digits, base).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_have_words_and_numbers() {
        for set in [
            "yes", "YES", "enabled", "SeT", "true", "on", "1", "0", "0x5",
        ] {
            assert_eq!(switch(Some(set)), Some(true), "{set}");
        }
        for unset in ["no", "Disable", "disabled", "FALSE", "off", "unset", ""] {
            assert_eq!(switch(Some(unset)), Some(false), "{unset}");
        }
        // dtrace-utils test/unittest/actions/setopt/tst.badopt.r: setopt("quiet", "um, no")
        for wrong in ["um, no", "-1", "+1", "5x", " on"] {
            assert_eq!(switch(Some(wrong)), None, "{wrong}");
        }
        assert_eq!(switch(None), Some(true));
    }

    #[test]
    fn sizes_have_bases_and_suffixes() {
        assert_eq!(size("65536"), Some(65536));
        assert_eq!(size("64k"), Some(65536));
        assert_eq!(size("4M"), Some(4 << 20));
        assert_eq!(size("1g"), Some(1 << 30));
        assert_eq!(size("0x10k"), Some(16 << 10));
        assert_eq!(size("010"), Some(8));
        assert_eq!(size("0"), Some(0));
        for wrong in [
            "",
            "k",
            "-1",
            "+1",
            "1kk",
            "4 m",
            "09",
            "0x",
            "é",
            "99999999999999999999",
            "99999999999999t",
        ] {
            assert_eq!(size(wrong), None, "{wrong}");
        }
    }
}
