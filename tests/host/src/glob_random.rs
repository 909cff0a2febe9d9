// SPDX-License-Identifier: GPL-2.0

//! The patterns: examples of each rule, and random ones against a matcher that tries everything.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::glob::{bytes_in_sets, matches};

fn all(pattern: &str, names: &[&str]) {
    for name in names {
        assert!(
            matches(pattern.as_bytes(), name.as_bytes()),
            "{pattern} {name}"
        );
    }
}

fn none(pattern: &str, names: &[&str]) {
    for name in names {
        assert!(
            !matches(pattern.as_bytes(), name.as_bytes()),
            "{pattern} {name}"
        );
    }
}

#[test]
fn an_empty_pattern_matches_everything() {
    all("", &["", "vfs_read"]);
}

#[test]
fn plain_bytes_match_themselves() {
    all("vfs_read", &["vfs_read"]);
    none(
        "vfs_read",
        &["", "vfs_rea", "vfs_readv", "Vfs_read", "xvfs_read"],
    );
}

#[test]
fn a_star_matches_any_number_of_bytes() {
    all("*", &["", "x", "vfs_read"]);
    all("vfs_*", &["vfs_", "vfs_read"]);
    all("*_read", &["_read", "vfs_read", "vfs_read_read"]);
    all("*re*d*", &["read", "vfs_read_iter", "reread"]);
    all("**", &["", "x"]);
    none("*_read", &["read", "vfs_readv"]);
    none("a*b*c", &["ac", "abcd", "acb"]);
}

#[test]
fn bytes_in_brackets_are_counted_and_no_others() {
    for (pattern, bytes) in [
        ("", 0),
        ("vfs_*", 0),
        ("[abc]", 4),
        ("x[!a-z]?[0-9]*", 4 + 4),
        ("[]abc]", 5),
        ("[!]abc]", 5),
        (r"\[abc]", 0),
        (r"[\]a]b", 4),
        // It ends inside.
        ("[abc", 3),
        (r"abc\", 0),
    ] {
        assert_eq!(bytes_in_sets(pattern.as_bytes()), bytes, "{pattern}");
    }
}

#[test]
fn a_question_mark_matches_one_byte() {
    all("ksys_?ead", &["ksys_read", "ksys_head"]);
    none("ksys_?ead", &["ksys_ead", "ksys_rread"]);
    none("?", &["", "ab"]);
}

#[test]
fn brackets_match_one_byte_of_a_set() {
    all("[abc]", &["a", "b", "c"]);
    none("[abc]", &["", "d", "ab", "]"]);
    all("x[a-cx-z]y", &["xay", "xcy", "xzy"]);
    none("x[a-cx-z]y", &["xdy", "x-y", "xy"]);
    all("[]a]", &["]", "a"]);
    all("[a-]", &["a", "-"]);
    all("[-a]", &["a", "-"]);
    none("[c-a]", &["b"]);
}

#[test]
fn brackets_with_an_exclamation_mark_match_one_byte_outside_of_the_set() {
    all("[!abc]", &["d", "!", "]"]);
    none("[!abc]", &["", "a", "c", "de"]);
    all("[!a-z]x", &["1x", "_x"]);
    none("[!a-z]x", &["mx"]);
    none("[!]a]", &["]", "a"]);
    all("[a!]", &["!"]);
}

#[test]
fn a_backslash_quotes_the_next_byte() {
    all(r"a\*b", &["a*b"]);
    none(r"a\*b", &["axb", r"a\*b"]);
    all(r"\\", &[r"\"]);
    all(r"[\]]", &["]"]);
    all(r"[a\-z]", &["a", "-", "z"]);
    none(r"[a\-z]", &["m", r"\"]);
    all(r"[\a-\c]", &["b"]);
}

#[test]
fn a_pattern_that_breaks_off_matches_nothing() {
    for pattern in [
        "[", "[!", "[a", "[a-", "[]", "[!]", r"a\", r"[a\", "*[", r"*\",
    ] {
        none(pattern, &["", "a", "[", "[a", "]", "-", r"a\"]);
    }
}

#[test]
fn a_hostile_pattern_takes_no_more_than_the_product_of_the_lengths() {
    let name = [b'a'; 512];
    for unit in ["*a", "*?", "*[a-z]", "*[!b]", "*", "a*"] {
        let mut pattern = unit.repeat(512 / unit.len());
        pattern.pop();
        pattern.push('b');
        let begin = std::time::Instant::now();
        for _ in 0..10 {
            assert!(!matches(pattern.as_bytes(), &name), "{unit}");
        }
        // The product is 262144 bytes looked at; exponential time would not end at all.
        assert!(begin.elapsed().as_secs() < 5, "{unit}");
    }
}

/// The same by trying everything. Each element is matched by one arm, nothing is shared with the
/// real one.
fn naive(p: &[u8], s: &[u8]) -> bool {
    let Some((&first, after)) = p.split_first() else {
        return s.is_empty();
    };
    if first == b'*' {
        return (0..=s.len()).any(|taken| naive(after, &s[taken..]));
    }
    let Some((&byte, text)) = s.split_first() else {
        return false;
    };
    match first {
        b'?' => naive(after, text),
        b'\\' => after
            .split_first()
            .is_some_and(|(&q, after)| q == byte && naive(after, text)),
        b'[' => {
            let negated = after.first() == Some(&b'!');
            let set = &after[usize::from(negated)..];
            naive_set(set).is_some_and(|(members, after)| {
                members.contains(&byte) != negated && naive(after, text)
            })
        }
        plain => plain == byte && naive(after, text),
    }
}

/// All members of the set that `p` begins with, and the rest.
fn naive_set(p: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    // First the bytes up to the closing bracket, each with whether it was quoted.
    let mut bytes = Vec::new();
    let mut at = 0;
    // A bracket in the first place, or at the end of a range, is a member.
    loop {
        let byte = *p.get(at)?;
        if byte == b']' && !bytes.is_empty() {
            break;
        }
        let quoted = byte == b'\\';
        at += usize::from(quoted);
        bytes.push((*p.get(at)?, quoted));
        at += 1;
    }
    let rest = &p[at + 1..];
    let mut members = Vec::new();
    let mut low = None;
    let mut index = 0;
    while let Some(&(byte, quoted)) = bytes.get(index) {
        match (low, byte, quoted, bytes.get(index + 1)) {
            (Some(from), b'-', false, Some(&(to, _))) => {
                members.extend(from..=to);
                members.push(to);
                low = Some(to);
                index += 2;
            }
            _ => {
                members.push(byte);
                low = Some(byte);
                index += 1;
            }
        }
    }
    Some((members, rest))
}

fn pattern() -> impl Strategy<Value = Vec<u8>> {
    let special = prop::sample::select(b"**?[]!-\\abcd".to_vec());
    vec(special, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200_000, ..ProptestConfig::default() })]

    #[test]
    fn random_patterns_match_what_they_should(
        pattern in pattern(),
        name in vec(prop::sample::select(b"abcd]-!".to_vec()), 0..8),
    ) {
        let expected = pattern.is_empty() || naive(&pattern, &name);
        prop_assert_eq!(matches(&pattern, &name), expected);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_pattern(pattern: Vec<u8>, name: Vec<u8>) {
        matches(&pattern, &name);
    }

    #[test]
    fn a_quoted_name_matches_itself_alone(name in vec(any::<u8>(), 1..20), other: Vec<u8>) {
        let quoted: Vec<u8> = name.iter().flat_map(|&byte| [b'\\', byte]).collect();
        prop_assert!(matches(&quoted, &name));
        prop_assert_eq!(matches(&quoted, &other), name == other);
    }
}
