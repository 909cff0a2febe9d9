// SPDX-License-Identifier: GPL-2.0-only
//! Constants: integers, characters, strings.
#![forbid(unsafe_code)]

use super::{Lexer, Result, Tok, Token};
use crate::ast::Suffix;
use crate::error::Error;

/// The most characters in a character constant: the bytes of the widest integer.
const MAX_CHARACTERS: usize = 8;

impl Lexer<'_> {
    /// An integer: decimal, octal or hexadecimal, with `u`, `l`, `ll`, `ul`, `ull`.
    pub(super) fn number(&mut self) -> Result<Token> {
        let start = self.at;
        let hexadecimal = self.peek(0) == Some(b'0')
            && matches!(self.peek(1), Some(b'x' | b'X'))
            && self.peek(2).is_some_and(|byte| byte.is_ascii_hexdigit());
        if hexadecimal {
            self.at += 2;
            self.at += self.run(|byte| byte.is_ascii_hexdigit());
        } else {
            self.at += self.run(|byte| byte.is_ascii_digit());
            if self.floating(start) {
                return Err(self.syntax(
                    self.span(start),
                    "floating-point constants are not permitted",
                ));
            }
        }
        let digits = &self.text[start..self.at];
        let mut suffix = Suffix::default();
        if matches!(self.peek(0), Some(b'u' | b'U')) {
            suffix.unsigned = true;
            self.at += 1;
        }
        for _ in 0..2 {
            if matches!(self.peek(0), Some(b'l' | b'L')) {
                suffix.long_long = suffix.long;
                suffix.long = !suffix.long_long;
                self.at += 1;
            } else {
                break;
            }
        }
        let whole = &self.text[start..self.at];
        let value = integer(digits).map_err(|why| match why {
            Bad::Overflow => Error::new(
                "D_INT_OFLOW",
                self.span(start),
                format!("constant {whole} results in integer overflow"),
            ),
            Bad::Digit(digit) => Error::new(
                "D_INT_DIGIT",
                self.span(start),
                format!("constant {whole} contains invalid digit {digit}"),
            ),
        })?;
        Ok(self.token(
            start,
            Tok::Int {
                value,
                suffix,
                decimal: !digits.starts_with('0'),
                negative: false,
            },
        ))
    }

    /// Whether the digits just read go on as a floating-point constant; if so, reads all of it.
    fn floating(&mut self, start: usize) -> bool {
        let mut at = self.at;
        let digit = |at: usize| self.bytes.get(at).is_some_and(u8::is_ascii_digit);
        // `1...` is an integer and an ellipsis to nobody; `1.` is a floating-point constant.
        let point = self.bytes.get(at) == Some(&b'.');
        if point {
            at += 1;
            while digit(at) {
                at += 1;
            }
        }
        let mut exponent = false;
        if matches!(self.bytes.get(at), Some(b'e' | b'E')) {
            let mut power = at + 1;
            if matches!(self.bytes.get(power), Some(b'+' | b'-')) {
                power += 1;
            }
            if digit(power) {
                exponent = true;
                at = power;
                while digit(at) {
                    at += 1;
                }
            }
        }
        let single = matches!(self.bytes.get(at), Some(b'f' | b'F'));
        if !(point || exponent || single) || at == start {
            return false;
        }
        self.at = at + usize::from(single);
        true
    }

    /// What stands between two quotes, and whether the second one was there.
    fn quoted(&mut self, quote: u8) -> (usize, Option<u8>) {
        self.at += 1;
        let start = self.at;
        loop {
            match self.peek(0) {
                None => return (start, None),
                Some(b'\n') => return (start, Some(b'\n')),
                Some(byte) if byte == quote => {
                    self.at += 1;
                    return (start, Some(quote));
                }
                // A newline is never part of a constant, not even behind a backslash.
                Some(b'\\') if !matches!(self.peek(1), None | Some(b'\n')) => self.at += 2,
                Some(_) => self.at += 1,
            }
        }
    }

    /// `"…"`
    pub(super) fn string(&mut self) -> Result<Token> {
        let start = self.at;
        match self.quoted(b'"') {
            (from, Some(b'"')) => {
                let value = text(&self.bytes[from..self.at - 1]);
                Ok(self.token(start, Tok::String(value)))
            }
            (_, Some(_)) => Err(Error::new(
                "D_STR_NL",
                self.span(start),
                "newline encountered in string literal",
            )),
            (_, None) => Err(self.syntax(
                self.span(start),
                "end-of-file encountered in string literal",
            )),
        }
    }

    /// `'c'`; several characters are the bytes of a number, the first one the highest.
    pub(super) fn character(&mut self) -> Result<Token> {
        let start = self.at;
        let from = match self.quoted(b'\'') {
            (from, Some(b'\'')) => from,
            (_, Some(_)) => {
                return Err(Error::new(
                    "D_CHR_NL",
                    self.span(start),
                    "newline encountered in character constant",
                ));
            }
            (_, None) => {
                return Err(self.syntax(
                    self.span(start),
                    "end-of-file encountered in character constant",
                ));
            }
        };
        let characters = escapes(&self.bytes[from..self.at - 1]);
        if characters.is_empty() {
            return Err(Error::new(
                "D_CHR_NULL",
                self.span(start),
                "empty character constant",
            ));
        }
        if characters.len() > MAX_CHARACTERS {
            return Err(Error::new(
                "D_CHR_OFLOW",
                self.span(start),
                "character constant is too long",
            ));
        }
        let value = characters
            .iter()
            .fold(0_u64, |value, &byte| (value << 8) | u64::from(byte));
        Ok(self.token(start, Tok::Char(value as i64)))
    }
}

/// Why digits are no integer.
pub(super) enum Bad {
    Overflow,
    Digit(char),
}

/// The value of an integer constant without its suffix.
pub(super) fn integer(digits: &str) -> std::result::Result<u64, Bad> {
    let (digits, radix) = match digits.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (&digits[2..], 16),
        [b'0', _, ..] => (&digits[1..], 8),
        _ => (digits, 10),
    };
    let mut value = 0_u64;
    let mut overflow = false;
    for digit in digits.chars() {
        let worth = digit.to_digit(radix).ok_or(Bad::Digit(digit))?;
        match value
            .checked_mul(u64::from(radix))
            .and_then(|value| value.checked_add(u64::from(worth)))
        {
            Some(more) => value = more,
            None => overflow = true,
        }
    }
    if overflow {
        return Err(Bad::Overflow);
    }
    Ok(value)
}

/// A string's bytes: escapes resolved, and nothing after a NUL, for D's strings are C's.
pub(super) fn text(source: &[u8]) -> Vec<u8> {
    let mut bytes = escapes(source);
    if let Some(end) = bytes.iter().position(|&byte| byte == 0) {
        bytes.truncate(end);
    }
    bytes
}

/// Resolves escapes. One that is not known stands for itself, backslash included; as in
/// libdtrace, `\'` and `\?` are such.
fn escapes(source: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(source.len());
    let mut at = 0;
    while at < source.len() {
        if source[at] != b'\\' || at + 1 == source.len() {
            bytes.push(source[at]);
            at += 1;
            continue;
        }
        let escape = source[at + 1];
        let digits = &source[at + 1..];
        at += 2;
        match escape {
            b'0'..=b'7' => {
                let count = digits
                    .iter()
                    .take(3)
                    .take_while(|digit| (b'0'..=b'7').contains(digit))
                    .count();
                let value = digits[..count]
                    .iter()
                    .fold(0_u32, |value, digit| (value << 3) | u32::from(digit - b'0'));
                bytes.push(value as u8); // C's char keeps the low 8 bits
                at += count - 1;
            }
            b'x' if digits.get(1).is_some_and(u8::is_ascii_hexdigit) => {
                let mut value = 0_u32;
                while let Some(digit) = source
                    .get(at)
                    .and_then(|&digit| char::from(digit).to_digit(16))
                {
                    value = (value << 4) | digit;
                    at += 1;
                }
                bytes.push(value as u8);
            }
            b'a' => bytes.push(7),
            b'b' => bytes.push(8),
            b'f' => bytes.push(12),
            b'n' => bytes.push(b'\n'),
            b'r' => bytes.push(b'\r'),
            b't' => bytes.push(b'\t'),
            b'v' => bytes.push(11),
            b'"' | b'\\' => bytes.push(escape),
            _ => bytes.extend([b'\\', escape]),
        }
    }
    bytes
}
