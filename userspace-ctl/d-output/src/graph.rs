// SPDX-License-Identifier: GPL-2.0-only
//! Bars: a line of a distribution, with `@` or blocks.
#![forbid(unsafe_code)]

use crate::bytes::put;
use crate::options::Encoding;

/// Characters of a bar.
const LENGTH: u128 = 40;

/// What bars are measured against.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scale {
    /// The whole, as a fraction.
    total: u128,
    parts: u128,
    positives: bool,
    negatives: bool,
}

impl Scale {
    /// For these counts. Zoomed, the largest fills 95 % of a bar; else all of them fill one.
    pub fn new(counts: impl Iterator<Item = i64>, zoom: bool) -> Self {
        let mut scale = Self {
            parts: if zoom { 19 } else { 1 },
            ..Self::default()
        };
        for count in counts {
            scale.positives |= count > 0;
            scale.negatives |= count < 0;
            let size = u128::from(count.unsigned_abs());
            scale.total = match zoom {
                true => scale.total.max(20 * size),
                false => scale.total + size,
            };
        }
        scale
    }

    /// The same for the numbers of keys: zoomed, libdtrace keeps of the whole what is before the
    /// point, so that the bar of a small largest one is longer.
    pub fn of_keys(numbers: impl Iterator<Item = i64>, zoom: bool) -> Self {
        let scale = Self::new(numbers, zoom);
        Self {
            total: scale.total / scale.parts,
            parts: 1,
            ..scale
        }
    }

    /// `count` of the whole in units of 1 / `length`, rounded to the nearest.
    fn portion(&self, count: i64, length: u128) -> usize {
        if self.total == 0 {
            return 0;
        }
        let size = u128::from(count.unsigned_abs());
        let twice = 2 * size * length * self.parts + self.total;
        usize::try_from((twice / (2 * self.total)).min(length)).unwrap_or(0)
    }

    /// A whole part and eighths, rounded down.
    fn eighths(&self, count: i64) -> (usize, u32) {
        if self.total == 0 {
            return (0, 0);
        }
        let size = u128::from(count.unsigned_abs());
        let eighths = (size * LENGTH * 8 * self.parts / self.total).min(8 * LENGTH);
        (eighths as usize / 8, (eighths % 8) as u32)
    }
}

fn repeat(out: &mut Vec<u8>, what: u8, count: usize) {
    out.resize(out.len() + count, what);
}

fn push(out: &mut Vec<u8>, character: u32) {
    if let Some(character) = char::from_u32(character) {
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// A bar and the number behind it, with the newline.
pub fn line(out: &mut Vec<u8>, count: i64, shown: i64, scale: &Scale, encoding: Encoding) {
    let full = LENGTH as usize;
    match (scale.positives, scale.negatives) {
        (true, false) if encoding == Encoding::Utf8 => {
            let (whole, part) = scale.eighths(count);
            out.push(b'|');
            (0..whole).for_each(|_| push(out, 0x2588));
            if part > 0 {
                push(out, 0x258f - (part - 1));
            }
            repeat(out, b' ', full - whole - usize::from(part > 0));
        }
        (_, false) => {
            let length = scale.portion(count, LENGTH);
            out.push(b'|');
            repeat(out, b'@', length);
            repeat(out, b' ', full - length);
        }
        (false, true) => {
            let length = scale.portion(count, LENGTH);
            repeat(out, b' ', full - length);
            repeat(out, b'@', length);
            out.push(b'|');
        }
        (true, true) => {
            let half = full / 2;
            let length = scale.portion(count, LENGTH / 2);
            if count > 0 {
                repeat(out, b' ', half);
                out.push(b'|');
                repeat(out, b'@', length);
                repeat(out, b' ', half - length);
            } else {
                repeat(out, b' ', half - length);
                repeat(out, b'@', length);
                out.push(b'|');
                repeat(out, b' ', half);
            }
        }
    }
    put!(out, " {shown:<9}\n");
}

/// One character for a count in a packed distribution.
pub fn packed(out: &mut Vec<u8>, count: i64, scale: &Scale, encoding: Encoding) {
    match count {
        0 => out.push(b' '),
        ..0 => out.push(b"vvvvVV"[scale.portion(count, 5)]),
        _ if encoding == Encoding::Ascii => out.push(b"__xxxxXX"[scale.portion(count, 7)]),
        _ => push(out, 0x2581 + scale.portion(count, 7) as u32),
    }
}
