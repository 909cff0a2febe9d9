// SPDX-License-Identifier: GPL-2.0

//! The string that strtok() goes through.
//!
//! Contexts: any, as the probe path. Nothing here allocates or panics.

#![forbid(unsafe_code)]

use super::{
    super::{
        bytes::copy,
        strings,
        Fault,
        STRSIZE_MAX, //
    },
    round_up,
    Memory,
    Sources,
    Text,
    OWN_BYTES,
    TOKENS, //
};

impl Memory<'_> {
    /// Keeps a copy of the string for strtok() to go through.
    pub(crate) fn keep_tokens(&mut self, text: Text) {
        let Some((own, tokens)) = self.own.split_at_mut_checked(TOKENS) else {
            return;
        };
        let sources = Sources {
            own,
            strings: self.strings,
        };
        let source = sources.bytes(text);
        copy(source, tokens);
        if let Some(end) = tokens.get_mut(source.len().min(STRSIZE_MAX as usize - 1)) {
            *end = 0;
        }
        self.token = 1;
    }

    /// The next token of the string that was kept: what lies between bytes that are in the text
    /// `between`. `None` if there is none any more; a fault if no string was kept.
    pub(crate) fn next_token(&mut self, between: Text) -> Result<Option<Text>, Fault> {
        let from = self.token.checked_sub(1).ok_or(Fault::bad_address(0))?;
        let Some((own, tokens)) = self.own.split_at_mut_checked(TOKENS) else {
            return Ok(None);
        };
        let sources = Sources {
            own,
            strings: self.strings,
        };
        let rest = tokens.get(from..).unwrap_or(&[]);
        let Some((start, len)) = strings::token(rest, sources.bytes(between)) else {
            // At the end it stays.
            self.token = OWN_BYTES;
            return Ok(None);
        };
        let start = from.wrapping_add(start);
        self.token = start.wrapping_add(len).wrapping_add(1);
        // Behind `top`, but written in this firing.
        let text = Text {
            constant: false,
            start: TOKENS.wrapping_add(start),
            len,
        };
        self.fetch_token(text).map(Some)
    }

    fn fetch_token(&mut self, token: Text) -> Result<Text, Fault> {
        let top = self.top;
        let end = top.wrapping_add(round_up(token.len.wrapping_add(1)));
        if end > self.end() {
            return Err(Fault::no_scratch());
        }
        let Some((own, tokens)) = self.own.split_at_mut_checked(TOKENS) else {
            return Err(Fault::no_scratch());
        };
        let start = token.start.wrapping_sub(TOKENS);
        let source = tokens.get(start..start.wrapping_add(token.len));
        copy(source.unwrap_or(&[]), own.get_mut(top..).unwrap_or(&mut []));
        self.keep(token.len)
    }
}
