// SPDX-License-Identifier: GPL-2.0

//! D's subroutines on strings, over bytes without NULs.
//!
//! The rules are DTrace's (illumos, `dtrace_dif_subr`), which follow Perl where D does; where
//! Oracle's edition has others (`bpf/*.S` of dtrace-utils), they are its. Each function takes time
//! linear in what it is given. Results longer than the room that there is for them are cut.
//!
//! Contexts: any, as the probe path. Nothing here allocates or panics. (Where `core` has the same,
//! its own arithmetic is checked in a kernel that checks for overflows, hence a panic.)

#![forbid(unsafe_code)]

use super::{
    bytes::copy,
    words::nospec, //
};

/// Writes bytes one after the other, as far as there is room.
pub(crate) struct Writer<'a> {
    into: &'a mut [u8],
    len: usize,
}

impl<'a> Writer<'a> {
    /// From the beginning of `into`.
    pub(crate) fn new(into: &'a mut [u8]) -> Self {
        Writer { into, len: 0 }
    }

    /// Appends a byte.
    #[inline]
    pub(crate) fn put(&mut self, byte: u8) {
        if let Some(place) = self.into.get_mut(self.len) {
            *place = byte;
            self.len = self.len.wrapping_add(1);
        }
    }

    /// Appends bytes.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        let rest = self.into.get_mut(self.len..).unwrap_or(&mut []);
        copy(bytes, rest);
        let len = bytes.len().min(rest.len());
        self.len = self.len.wrapping_add(len);
    }

    /// How many bytes were written.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Takes bytes back up to the last `byte`, which goes as well; at most to a length of `stays`.
    fn back_to(&mut self, byte: u8, stays: usize) {
        while self.len > stays {
            self.len = self.len.wrapping_sub(1);
            if self.into.get(self.len) == Some(&byte) {
                break;
            }
        }
    }
}

/// -1, 0 or 1, by the bytes as unsigned numbers.
pub(crate) fn compare(a: &[u8], b: &[u8]) -> i64 {
    let is_less = match a.iter().zip(b).find(|(a, b)| a != b) {
        Some((a, b)) => a < b,
        None if a.len() == b.len() => return 0,
        // A shorter string that the longer begins with is less: its NUL is below every other byte.
        None => a.len() < b.len(),
    };
    if is_less {
        -1
    } else {
        1
    }
}

/// Where a byte is first; 0 is where the string ends.
pub(crate) fn first(text: &[u8], byte: u8) -> Option<usize> {
    if byte == 0 {
        return Some(text.len());
    }
    let at = span(text, |other| other != byte);
    (at < text.len()).then_some(at)
}

/// Where a byte is last; 0 is where the string ends.
pub(crate) fn last(text: &[u8], byte: u8) -> Option<usize> {
    if byte == 0 {
        return Some(text.len());
    }
    text.iter().rposition(|&other| other == byte)
}

/// A string read forwards or backwards.
#[derive(Clone, Copy)]
struct View<'a> {
    bytes: &'a [u8],
    backwards: bool,
}

impl View<'_> {
    fn len(self) -> usize {
        self.bytes.len()
    }

    #[inline]
    fn at(self, index: usize) -> u8 {
        let index = if self.backwards {
            self.bytes.len().wrapping_sub(1).wrapping_sub(index)
        } else {
            index
        };
        self.bytes.get(index).copied().unwrap_or(0)
    }
}

/// The beginning of the greatest suffix of `needle`, and that suffix's period; by the order of
/// bytes, or the opposite one.
fn greatest_suffix(needle: View<'_>, opposite: bool) -> (usize, usize) {
    let (mut left, mut right, mut offset, mut period) = (0usize, 1usize, 0usize, 1usize);
    while right.wrapping_add(offset) < needle.len() {
        let a = needle.at(right.wrapping_add(offset));
        let b = needle.at(left.wrapping_add(offset));
        if a == b {
            offset = offset.wrapping_add(1);
            if offset == period {
                right = right.wrapping_add(period);
                offset = 0;
            }
        } else if (a < b) != opposite {
            right = right.wrapping_add(offset).wrapping_add(1);
            offset = 0;
            period = right.wrapping_sub(left);
        } else {
            left = right;
            right = left.wrapping_add(1);
            offset = 0;
            period = 1;
        }
    }
    (left, period)
}

/// Where `needle` begins first in `text`, in time linear in both and no memory: the two-way
/// algorithm of Crochemore and Perrin (Two-way string-matching, Journal of the ACM 38, 1991).
#[inline(never)]
fn search(text: View<'_>, needle: View<'_>) -> Option<usize> {
    let n = needle.len();
    let starts = text.len().checked_sub(n)?;
    if n == 0 {
        return Some(0);
    }
    let (one, other) = (
        greatest_suffix(needle, false),
        greatest_suffix(needle, true),
    );
    let (cut, period) = if one.0 > other.0 { one } else { other };
    // Whether the whole needle has the period of its right part.
    let periodic = cut.wrapping_add(period) <= n
        && (0..cut).all(|i| needle.at(i) == needle.at(i.wrapping_add(period)));
    let shift = if periodic {
        period
    } else {
        cut.max(n.wrapping_sub(cut)).wrapping_add(1)
    };
    let mut start = 0usize;
    // How much of the needle's beginning is known to be there.
    let mut known = 0usize;
    while start <= starts {
        let mut i = cut.max(known);
        while i < n && needle.at(i) == text.at(start.wrapping_add(i)) {
            i = i.wrapping_add(1);
        }
        if i < n {
            start = start.wrapping_add(i.wrapping_sub(cut)).wrapping_add(1);
            known = 0;
            continue;
        }
        let mut i = cut;
        while i > known
            && needle.at(i.wrapping_sub(1)) == text.at(start.wrapping_add(i).wrapping_sub(1))
        {
            i = i.wrapping_sub(1);
        }
        if i <= known {
            return Some(start);
        }
        start = start.wrapping_add(shift);
        known = if periodic { n.wrapping_sub(period) } else { 0 };
    }
    None
}

/// Where `sub` begins first in `text`.
pub(crate) fn find(text: &[u8], sub: &[u8]) -> Option<usize> {
    search(
        View {
            bytes: text,
            backwards: false,
        },
        View {
            bytes: sub,
            backwards: false,
        },
    )
}

/// Where `sub` begins last in `text`.
fn find_last(text: &[u8], sub: &[u8]) -> Option<usize> {
    let from_end = search(
        View {
            bytes: text,
            backwards: true,
        },
        View {
            bytes: sub,
            backwards: true,
        },
    )?;
    text.len().checked_sub(from_end)?.checked_sub(sub.len())
}

/// strstr(): where `sub` begins in `text`. The empty string is everywhere.
pub(crate) fn strstr(text: &[u8], sub: &[u8]) -> Option<usize> {
    find(text, sub)
}

/// index(): where `sub` begins in `text`, at `from` or later; -1: nowhere.
pub(crate) fn index(text: &[u8], sub: &[u8], from: i64) -> i64 {
    let from = from.max(0);
    // Behind the end is nothing, not even the empty string.
    if from as u64 > text.len() as u64 {
        return -1;
    }
    let rest = text.get(nospec(from as usize, text.len())..);
    let rest = rest.unwrap_or(&[]);
    match find(rest, sub) {
        Some(at) => from.wrapping_add(at as i64),
        None => -1,
    }
}

/// rindex(): where `sub` begins last in `text`, at `from` or earlier; -1: nowhere.
pub(crate) fn rindex(text: &[u8], sub: &[u8], from: i64) -> i64 {
    if from < 0 {
        return -1;
    }
    // No later than `from` means that it ends no later than `from` and its length.
    let end = (from as usize)
        .min(text.len())
        .saturating_add(sub.len())
        .min(text.len());
    let head = text.get(..end).unwrap_or(&[]);
    find_last(head, sub).map_or(-1, |at| at as i64)
}

/// substr(): the beginning and the length of the part of a string of `len` bytes that `index` and
/// `count` name, as in Perl: a negative index counts from the end, a negative count leaves as many
/// bytes out at the end.
pub(crate) fn substr(len: usize, index: i64, count: i64) -> (usize, usize) {
    let len = len as i64;
    let (mut index, mut count) = (index, count);
    if index < 0 {
        index = index.saturating_add(len);
        if index < 0 && index.saturating_add(count) > 0 {
            count = count.saturating_add(index);
            index = 0;
        }
    }
    if index < 0 || index >= len {
        return (0, 0);
    }
    let rest = len.wrapping_sub(index);
    if count < 0 {
        count = count.saturating_add(rest);
    }
    (index as usize, count.max(0).min(rest) as usize)
}

/// How many bytes go on as they are to, from the beginning.
pub(super) fn span(text: &[u8], goes_on: impl Fn(u8) -> bool) -> usize {
    let mut len = 0usize;
    while let Some(&byte) = text.get(len) {
        if !goes_on(byte) {
            break;
        }
        len = len.wrapping_add(1);
    }
    len
}

/// The first token: where it begins, and its length. `text` ends at its end or at a NUL. Tokens
/// are what lies between bytes that are in `between`.
pub(crate) fn token(text: &[u8], between: &[u8]) -> Option<(usize, usize)> {
    let mut map = [0u32; 8];
    for byte in between {
        if let Some(word) = map.get_mut(usize::from(byte >> 5)) {
            *word |= 1u32.wrapping_shl((byte & 31).into());
        }
    }
    let separates = |byte: u8| {
        let word = map.get(usize::from(byte >> 5)).copied().unwrap_or(0);
        word.wrapping_shr((byte & 31).into()) & 1 != 0
    };
    let start = span(text, |byte| byte != 0 && separates(byte));
    let rest = text.get(start..).unwrap_or(&[]);
    let len = span(rest, |byte| byte != 0 && !separates(byte));
    (len > 0).then_some((start, len))
}

/// basename(): where it is in the path. `None`: it is ".".
pub(crate) fn basename(path: &[u8]) -> Option<(usize, usize)> {
    if path.is_empty() {
        return None;
    }
    let Some(end) = path.iter().rposition(|&byte| byte != b'/') else {
        return Some((0, 1));
    };
    let head = path.get(..end).unwrap_or(&[]);
    let start = match head.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => slash.wrapping_add(1),
        None => 0,
    };
    Some((start, end.wrapping_add(1).wrapping_sub(start)))
}

/// dirname(): how long the part of the path is. `None`: it is ".".
pub(crate) fn dirname(path: &[u8]) -> Option<usize> {
    let (start, _) = basename(path)?;
    let head = path.get(..start).unwrap_or(&[]);
    if head.is_empty() {
        // Nothing but slashes, or no slash before the name.
        return (path.first() == Some(&b'/')).then_some(1);
    }
    // The last byte that is no slash, or the one that the path begins with.
    let end = head.iter().rposition(|&byte| byte != b'/').unwrap_or(0);
    Some(end.wrapping_add(1))
}

/// cleanpath(): without empty names and `.`, and with `..` taken back, as far as text can tell. One
/// byte stays as it is.
pub(crate) fn cleanpath(path: &[u8], into: &mut [u8]) -> usize {
    let mut out = Writer::new(into);
    if path.len() < 2 {
        out.append(path);
        return out.len();
    }
    let root = usize::from(path.first() == Some(&b'/'));
    if root > 0 {
        out.put(b'/');
    }
    // The root, or the `..` that lead out of where the path begins.
    let mut stays = root;
    let mut rest = path;
    while !rest.is_empty() {
        let end = first(rest, b'/').unwrap_or(rest.len());
        let (name, tail) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        rest = tail.get(1..).unwrap_or(&[]);
        let up = name == b"..";
        if name.is_empty() || name == b"." || (up && root > 0 && out.len() == root) {
            continue;
        }
        if up && out.len() > stays {
            out.back_to(b'/', stays);
            continue;
        }
        if out.len() > root {
            out.put(b'/');
        }
        out.append(name);
        if up {
            stays = out.len();
        }
    }
    if out.len() == 0 {
        out.put(b'.');
    }
    out.len()
}

/// The greatest base of numbers in text: ten digits and 26 letters.
pub(crate) const BASE_MAX: u64 = 36;

/// The bytes of the longest text of [`lltostr`]: 64 digits and a sign.
pub(crate) const NUMBER_MAX: usize = 65;

/// lltostr(): the number as text. In base 10 it is signed; base 8 begins with 0, base 16 with 0x.
#[inline(never)]
pub(crate) fn lltostr(number: u64, base: u64, into: &mut [u8]) -> usize {
    let mut digits = [0u8; NUMBER_MAX];
    let negative = base == 10 && (number as i64) < 0;
    let mut rest = if negative {
        number.wrapping_neg()
    } else {
        number
    };
    let mut at = digits.len();
    while rest != 0 {
        let digit = rest.checked_rem(base).unwrap_or(0) as u8;
        rest = rest.checked_div(base).unwrap_or(0);
        at = at.wrapping_sub(1);
        if let Some(place) = digits.get_mut(at) {
            *place = if digit < 10 {
                digit.wrapping_add(b'0')
            } else {
                digit.wrapping_sub(10).wrapping_add(b'a')
            };
        }
    }
    let prefix: &[u8] = match (base, number) {
        (16, 0) => b"0x0",
        (_, 0) => b"0",
        (16, _) => b"0x",
        (8, _) => b"0",
        _ if negative => b"-",
        _ => b"",
    };
    let mut out = Writer::new(into);
    out.append(prefix);
    out.append(digits.get(at..).unwrap_or(&[]));
    out.len()
}

/// strtoll(): the number that the text begins with.
pub(crate) fn strtoll(text: &[u8], base: u64) -> u64 {
    let start = span(text, |byte| byte == b' ' || byte == b'\t');
    let mut rest = text.get(start..).unwrap_or(&[]);
    let negative = rest.first() == Some(&b'-');
    if let [b'-' | b'+', tail @ ..] = rest {
        rest = tail;
    }
    if base == 16 {
        if let [b'0', b'x' | b'X', tail @ ..] = rest {
            if tail.first().is_some_and(u8::is_ascii_hexdigit) {
                rest = tail;
            }
        }
    }
    let mut value = 0u64;
    for byte in rest {
        let digit = match byte {
            b'0'..=b'9' => byte.wrapping_sub(b'0'),
            b'a'..=b'z' => byte.wrapping_sub(b'a').wrapping_add(10),
            b'A'..=b'Z' => byte.wrapping_sub(b'A').wrapping_add(10),
            _ => break,
        };
        if u64::from(digit) >= base {
            break;
        }
        value = value.wrapping_mul(base).wrapping_add(digit.into());
    }
    if negative {
        value.wrapping_neg()
    } else {
        value
    }
}
