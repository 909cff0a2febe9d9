// SPDX-License-Identifier: GPL-2.0

//! json(): the value at a path of a text in JSON.
//!
//! The rules are DTrace's (illumos, `dtrace_json`): the text is read once, from its beginning up
//! to the value, and what lies behind that does not matter. Values are given as they are written,
//! strings without their quotes.
//!
//! Contexts: any, as the probe path. Nothing here allocates or panics.

#![forbid(unsafe_code)]

use super::strings;

/// Where the value at `path` (`a.b[2].c`) begins in `text`, and its length. `None`: there is no
/// such value, or no JSON before it.
pub(crate) fn find(text: &[u8], path: &[u8]) -> Option<(usize, usize)> {
    let mut reader = Reader { text, at: 0 };
    // A path may begin with what parts its parts.
    let mut path = match path {
        [b'.' | b'[', rest @ ..] => rest,
        _ => path,
    };
    loop {
        let len = strings::span(path, |byte| byte != b'.' && byte != b'[');
        let part = path.get(..len).unwrap_or(&[]);
        let further = path.get(len.wrapping_add(1)..);
        let array = match reader.next()? {
            b'[' => true,
            b'{' => false,
            _ => return None,
        };
        reader.reach(part, array)?;
        match further {
            None => return reader.value(),
            Some(further) => path = further,
        }
    }
}

/// Reads a text in JSON.
struct Reader<'a> {
    text: &'a [u8],
    /// Up to where it was read.
    at: usize,
}

impl Reader<'_> {
    /// Goes on to the value of the `part` of what was opened: the name of a member, or an index.
    fn reach(&mut self, part: &[u8], array: bool) -> Option<()> {
        // The `]` of an index is no digit, and ends it. A negative one is none.
        let index = strings::strtoll(part, 10);
        let mut position = 0u64;
        loop {
            let here = if array {
                position == index
            } else {
                self.expect(b'"')?;
                let (start, len) = self.string()?;
                self.expect(b':')?;
                self.text.get(start..start.wrapping_add(len)) == Some(part)
            };
            if here {
                return Some(());
            }
            self.value()?;
            self.expect(b',')?;
            position = position.wrapping_add(1);
        }
    }

    /// The next byte, whatever it is.
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.text.get(self.at)?;
        self.at = self.at.wrapping_add(1);
        Some(byte)
    }

    /// The next byte that is no space.
    fn next(&mut self) -> Option<u8> {
        self.skip(is_space);
        self.byte()
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    fn skip(&mut self, goes_on: impl Fn(u8) -> bool) {
        let rest = self.text.get(self.at..).unwrap_or(&[]);
        self.at = self.at.wrapping_add(strings::span(rest, goes_on));
    }

    /// A value: where it begins, and its length.
    fn value(&mut self) -> Option<(usize, usize)> {
        let first = self.next()?;
        let start = self.at.wrapping_sub(1);
        match first {
            b'"' => return self.string(),
            b'{' | b'[' => self.rest_of_container()?,
            b'-' | b'0'..=b'9' => {
                self.rest_of_number();
                self.ended()?;
            }
            b'a'..=b'z' => {
                self.skip(|byte| byte.is_ascii_lowercase());
                self.ended()?;
            }
            _ => return None,
        }
        Some((start, self.at.wrapping_sub(start)))
    }

    /// What follows the quote before a string: where that begins, and its length.
    fn string(&mut self) -> Option<(usize, usize)> {
        let start = self.at;
        loop {
            match self.byte()? {
                b'"' => return Some((start, self.at.wrapping_sub(start).wrapping_sub(1))),
                b'\\' => match self.byte()? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' => {
                        for _ in 0..4 {
                            self.byte().filter(u8::is_ascii_hexdigit)?;
                        }
                    }
                    _ => return None,
                },
                _ => {}
            }
        }
    }

    /// What follows the bracket before an object or array, up to the one that ends it.
    fn rest_of_container(&mut self) -> Option<()> {
        let mut open = 1usize;
        while open > 0 {
            match self.byte()? {
                b'"' => {
                    self.string()?;
                }
                b'{' | b'[' => open = open.wrapping_add(1),
                b'}' | b']' => open = open.wrapping_sub(1),
                _ => {}
            }
        }
        Some(())
    }

    /// What follows the first byte of a number.
    fn rest_of_number(&mut self) {
        let digits = |byte: u8| byte.is_ascii_digit();
        self.skip(digits);
        if self.take(|byte| byte == b'.') {
            self.skip(digits);
        }
        if self.take(|byte| matches!(byte, b'e' | b'E')) {
            self.take(|byte| matches!(byte, b'+' | b'-'));
            self.skip(digits);
        }
    }

    /// Takes the next byte if it is so: true.
    fn take(&mut self, is: impl Fn(u8) -> bool) -> bool {
        let so = self.text.get(self.at).is_some_and(|&byte| is(byte));
        if so {
            self.at = self.at.wrapping_add(1);
        }
        so
    }

    /// What was read ends here, and not with the text, which may have been cut.
    fn ended(&self) -> Option<()> {
        let next = *self.text.get(self.at)?;
        (is_space(next) || matches!(next, b',' | b'}' | b']')).then_some(())
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}
