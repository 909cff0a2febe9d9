// SPDX-License-Identifier: GPL-2.0-only
//! Bytes: the hexadecimal dump, text where they read as text, and C's escapes.
#![forbid(unsafe_code)]

use std::io::Write;

/// Appends formatted text; a vector takes everything.
macro_rules! put {
    ($out:expr, $($arguments:tt)*) => {{
        let _ = ::std::io::Write::write_fmt($out, format_args!($($arguments)*));
    }};
}
pub(crate) use put;

/// `tracemem()`'s dump: 16 bytes a line, under a line of their offsets.
pub fn dump(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    out.extend_from_slice(b"\n           ");
    for digit in "0123456789abcdef".chars() {
        put!(out, "  {digit}");
    }
    out.extend_from_slice(b"  0123456789abcdef\n");
    for (line, bytes) in bytes.chunks(16).enumerate() {
        put!(out, "     {:5x}:", 16 * line);
        for byte in bytes {
            put!(out, " {byte:02x}");
        }
        out.resize(out.len() + 3 * (16 - bytes.len()) + 2, b' ');
        out.extend(bytes.iter().map(|&byte| match byte {
            b' '..=b'~' => byte,
            _ => b'.',
        }));
        out.push(b'\n');
    }
}

/// A character that libdtrace prints as it is: what isprint() or isspace() accepts in the C
/// locale, backspace and bell.
fn printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | 7..=13)
}

/// Bytes that may be text: as text if all but NULs at the end is printable, in a field of
/// `width`, else dumped. NULs alone are an empty text. Without NULs the field is there in quiet
/// output, too, as in libdtrace.
pub fn text_or_dump(out: &mut Vec<u8>, bytes: &[u8], width: usize, quiet: bool) {
    let end = bytes
        .iter()
        .position(|&b| !printable(b))
        .unwrap_or(bytes.len());
    let (text, rest) = bytes.split_at(end);
    if bytes.is_empty() {
        // Nothing was recorded, so there is no field either.
    } else if rest.iter().any(|&byte| byte != 0) {
        dump(out, bytes);
    } else if quiet && !rest.is_empty() {
        out.extend_from_slice(text);
    } else {
        out.extend_from_slice(b"  ");
        field(out, text, width);
    }
}

/// A string as it lies in a record: up to `strsize` bytes there are NULs behind it.
pub fn stored(text: &[u8], strsize: u32) -> Vec<u8> {
    let mut memory = text.to_vec();
    memory.resize(memory.len().max(strsize as usize), 0);
    memory
}

/// Text in a field, to its left.
pub fn field(out: &mut Vec<u8>, text: &[u8], width: usize) {
    out.extend_from_slice(text);
    out.resize(out.len() + width.saturating_sub(text.len()), b' ');
}

/// Text with C's escapes for what is not printable, for `%S` and `%C`.
pub fn escaped(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        let letter = match byte {
            0 => b'0',
            7 => b'a',
            8 => b'b',
            9 => b't',
            10 => b'n',
            11 => b'v',
            12 => b'f',
            13 => b'r',
            b'"' | b'\\' => byte,
            b' '..=b'~' => {
                out.push(byte);
                continue;
            }
            _ => {
                let _ = write!(out, "\\{byte:03o}");
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', letter]);
    }
    out
}
