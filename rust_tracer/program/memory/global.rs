// SPDX-License-Identifier: GPL-2.0

//! Pointers to global variables: words that all CPUs share, reached by bytes.
//!
//! Contexts: any, as the probe path. Nothing here allocates or panics.

#![forbid(unsafe_code)]

use super::{
    super::{
        bytes::copy,
        words::nospec,
        Fault,
        World, //
    },
    Memory,
    Text,
    GLOBAL_BASE, //
};

/// Whether a pointer points to the global variables.
#[inline(always)]
pub(super) fn is_global(address: u64) -> bool {
    address.wrapping_sub(GLOBAL_BASE) >> 32 == 0
}

impl Memory<'_> {
    /// Where in the global variables so many bytes are that a pointer leads to.
    pub(super) fn in_globals(&self, address: u64, bytes: usize) -> Result<usize, Fault> {
        let at = address.wrapping_sub(GLOBAL_BASE) as usize;
        if at > self.globals || bytes > self.globals.wrapping_sub(at) {
            return Err(Fault::bad_address(address));
        }
        Ok(nospec(at, self.globals))
    }

    /// All of `into` from a pointer on that is not [readable](Self::readable) here.
    pub(super) fn fetch<W: World>(
        &self,
        world: &mut W,
        address: u64,
        into: &mut [u8],
    ) -> Result<(), Fault> {
        if !is_global(address) {
            self.may_read(address)?;
            return world.read_kernel(address, into);
        }
        let at = self.in_globals(address, into.len())?;
        if at % 8 == 0 {
            world.load_global_bytes(at / 8, into);
            return Ok(());
        }
        for (at, byte) in (at..self.globals).zip(into) {
            let word = world.load_global(at / 8).to_ne_bytes();
            *byte = word.get(at % 8).copied().unwrap_or(0);
        }
        Ok(())
    }

    /// Sets the bytes at a pointer, which were taken to be written, or are of global variables. A word that is written
    /// whole is never mixed from two; of one that is written in part, what another CPU wrote at once may be lost.
    pub(crate) fn store<W: World>(
        &mut self,
        world: &mut W,
        address: u64,
        bytes: &[u8],
    ) -> Result<(), Fault> {
        if !is_global(address) {
            copy(bytes, self.writable(address, bytes.len() as u64)?);
            return Ok(());
        }
        let mut at = self.in_globals(address, bytes.len())?;
        let mut rest = bytes;
        while !rest.is_empty() {
            let start = at % 8;
            let piece = rest.len().min(8usize.wrapping_sub(start));
            let (now, later) = rest.split_at_checked(piece).unwrap_or((rest, &[]));
            let mut word = match now.len() {
                8 => [0; 8],
                _ => world.load_global(at / 8).to_ne_bytes(),
            };
            copy(now, word.get_mut(start..).unwrap_or(&mut []));
            world.store_global(at / 8, u64::from_ne_bytes(word));
            at = at.wrapping_add(piece);
            rest = later;
        }
        Ok(())
    }

    /// The string at a pointer, of at most `limit` bytes: a copy.
    pub(super) fn global_text<W: World>(
        &mut self,
        world: &mut W,
        address: u64,
        limit: usize,
    ) -> Result<Text, Fault> {
        let at = self.in_globals(address, 1)?;
        let limit = limit.min(self.globals.wrapping_sub(at));
        self.receive(limit, |into| {
            let mut len = 0usize;
            for (at, byte) in (at..at.wrapping_add(limit)).zip(into) {
                let word = world.load_global(at / 8).to_ne_bytes();
                *byte = word.get(at % 8).copied().unwrap_or(0);
                if *byte == 0 {
                    break;
                }
                len = len.wrapping_add(1);
            }
            Ok(len)
        })
    }

    /// Copies between own memory and global variables, both of which are there.
    pub(super) fn move_pieces<W: World>(
        &mut self,
        world: &mut W,
        from: u64,
        to: u64,
        len: usize,
    ) -> Result<(), Fault> {
        let mut piece = [0; 64];
        for at in (0..len).step_by(piece.len()) {
            let bytes = len.wrapping_sub(at).min(piece.len());
            let part = piece.get_mut(..bytes).unwrap_or(&mut []);
            let from = from.wrapping_add(at as u64);
            match self.readable(from) {
                Some(readable) => copy(readable, part),
                None => self.fetch(world, from, part)?,
            }
            self.store(world, to.wrapping_add(at as u64), part)?;
        }
        Ok(())
    }
}
