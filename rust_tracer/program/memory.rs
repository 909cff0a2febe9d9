// SPDX-License-Identifier: GPL-2.0

//! The memory that a firing may touch: its own, and the kernel's to read.
//!
//! Own memory is bytes of a [`Room`], and the program's string constants. Pointers into them carry
//! a tag that no address of the kernel or of a process has (it is not canonical, with four levels
//! of page tables or five), so that a number that a program makes up is one or the other, never
//! both. The kernel is asked through [`World`] alone, and never written.
//!
//! ```text
//!   OWN_BASE       | clause-local variables | temporary values |  free  | strtok |
//!                  0                     locals               top       ^ never readable
//!   CONSTANT_BASE  | string constants, as the program brought them |
//!   GLOBAL_BASE    | global variables, which all CPUs share and World has |
//! ```
//!
//! Below `top` every byte was written in this firing; above it lies what other firings left, and
//! cannot be read. What a program may write ends with what it took last for that (`alloca()`,
//! copies of bytes): strings behind it are not for it to write. Temporary values are taken from
//! `top` on, in steps of 8 bytes filled up with zeroes, and given back in the reverse order, at
//! the latest when the clause ends.
//!
//! Contexts: any, as the probe path. Nothing here allocates or panics.

#![forbid(unsafe_code)]

mod global;
mod tokens;

use global::is_global;

use super::{
    bytes::{
        copy,
        put_words,
        slide, //
    },
    strings,
    words::nospec,
    Fault,
    Program,
    World,
    LOCALS_MAX,
    SCRATCH_BYTES,
    STRSIZE_MAX, //
};

/// The upper 16 bits of pointers into own memory.
const TAG: u64 = 0x5254;

/// Where a firing's own memory begins, as its programs see it.
pub(crate) const OWN_BASE: u64 = TAG << 48;

/// Where the string constants begin, as programs see them.
pub(crate) const CONSTANT_BASE: u64 = OWN_BASE | (1 << 32);

/// Where the global variables begin, as programs see them.
pub(crate) const GLOBAL_BASE: u64 = OWN_BASE | (2 << 32);

/// Below it no memory is: what a pointer of 0 leads to.
const PAGE: u64 = 4096;

/// Where the string is that strtok() goes through.
const TOKENS: usize = (LOCALS_MAX + SCRATCH_BYTES) as usize;

/// Bytes of a firing's own memory.
pub(crate) const OWN_BYTES: usize = TOKENS + STRSIZE_MAX as usize;

/// Own memory during a firing.
pub(crate) struct Memory<'a> {
    own: &'a mut [u8; OWN_BYTES],
    strings: &'a [u8],
    /// Bytes of global variables.
    globals: usize,
    /// Bytes of clause-local variables, a multiple of 8, at most `LOCALS_MAX`.
    locals: usize,
    /// All below is readable. At least `locals`, at most `locals + SCRATCH_BYTES`.
    top: usize,
    /// All below may be written: the end of what was taken last to be written, at most `top`.
    granted: usize,
    /// Bytes of a string at most, its NUL included.
    strsize: usize,
    /// Whether the node shows the kernel's memory.
    reads_kernel: bool,
    /// Where strtok() goes on, and 1; 0: there was no string yet.
    token: usize,
}

/// A string that lies in own memory or among the constants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text {
    constant: bool,
    start: usize,
    /// Bytes without the NUL.
    pub(crate) len: usize,
}

impl Text {
    /// The part of it from `from` on, `len` bytes at most.
    #[inline]
    pub(crate) fn part(self, from: usize, len: usize) -> Text {
        let from = from.min(self.len);
        Text {
            start: self.start.wrapping_add(from),
            len: len.min(self.len.wrapping_sub(from)),
            ..self
        }
    }

    /// The pointer to it.
    #[inline]
    pub(crate) fn address(self) -> u64 {
        let base = if self.constant {
            CONSTANT_BASE
        } else {
            OWN_BASE
        };
        base.wrapping_add(self.start as u64)
    }
}

/// What is readable while something new is being made.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a> {
    own: &'a [u8],
    strings: &'a [u8],
}

impl<'a> Sources<'a> {
    /// The bytes of a string, without its NUL.
    #[inline]
    pub(crate) fn bytes(self, text: Text) -> &'a [u8] {
        let space = if text.constant {
            self.strings
        } else {
            self.own
        };
        // A program has chosen where it starts.
        let start = nospec(text.start, space.len());
        space
            .get(start..start.wrapping_add(text.len))
            .unwrap_or(&[])
    }
}

/// Whether a pointer into own memory points to the constants.
#[inline(always)]
fn is_constant(address: u64) -> bool {
    address.wrapping_sub(OWN_BASE) >> 32 != 0
}

#[inline(always)]
fn round_up(bytes: usize) -> usize {
    bytes.wrapping_add(7) & !7
}

impl<'a> Memory<'a> {
    /// For a firing of a program with `locals` bytes of clause-local variables, which are zeroed.
    #[inline]
    pub(crate) fn new(
        own: &'a mut [u8; OWN_BYTES],
        program: &Program<'a>,
        reads_kernel: bool,
    ) -> Self {
        let locals = round_up(program.locals.min(LOCALS_MAX) as usize);
        if let Some(variables) = own.get_mut(..locals) {
            variables.fill(0);
        }
        Memory {
            own,
            strings: program.strings,
            globals: program.globals as usize,
            locals,
            top: locals,
            granted: locals,
            strsize: program.strsize.clamp(1, STRSIZE_MAX) as usize,
            reads_kernel,
            token: 0,
        }
    }

    /// Gives all temporary values back.
    #[inline(always)]
    pub(crate) fn forget(&mut self) {
        self.top = self.locals;
        self.granted = self.locals;
    }

    /// Where temporary values end now, for [`Memory::give_back`].
    #[inline]
    pub(crate) fn mark(&self) -> usize {
        self.top
    }

    /// Gives back what was taken since the mark was made.
    #[inline]
    pub(crate) fn give_back(&mut self, mark: usize) {
        self.top = self.top.min(mark).max(self.locals);
        self.granted = self.granted.min(self.top);
    }

    /// Gives back the temporary value that a pointer leads to, and those that were taken after it.
    /// Nothing, if it leads elsewhere.
    pub(crate) fn free(&mut self, address: u64) {
        let own = address.wrapping_sub(OWN_BASE) as usize & !7;
        if own >= self.locals {
            self.give_back(own);
        }
    }

    /// The most bytes of a string, without its NUL.
    #[inline]
    pub(crate) fn text_max(&self) -> usize {
        self.strsize.wrapping_sub(1)
    }

    /// The end of what temporary values may take.
    #[inline]
    fn end(&self) -> usize {
        self.locals.wrapping_add(SCRATCH_BYTES as usize)
    }

    /// The readable bytes from a pointer on; `None` if it points neither into own memory nor to the constants.
    #[inline]
    fn readable(&self, address: u64) -> Option<&[u8]> {
        if address >> 48 != TAG || is_global(address) {
            return None;
        }
        let own = address.wrapping_sub(OWN_BASE) as usize;
        if own <= self.top {
            return Some(self.own.get(nospec(own, self.top)..self.top).unwrap_or(&[]));
        }
        let constant = address.wrapping_sub(CONSTANT_BASE) as usize;
        if constant > self.strings.len() {
            return Some(&[]);
        }
        let constant = nospec(constant, self.strings.len());
        Some(self.strings.get(constant..).unwrap_or(&[]))
    }

    /// That own memory or the constants, of which `there` bytes lie at a pointer, are no fewer than asked for.
    #[inline]
    fn must_reach(address: u64, there: usize, bytes: u64) -> Result<(), Fault> {
        if there as u64 >= bytes {
            Ok(())
        } else if there == 0 {
            Err(Fault::bad_address(address))
        } else {
            Err(Fault::bad_size(bytes))
        }
    }

    /// That the kernel's memory may be at an address, and that the node lets a program read it.
    #[inline]
    fn may_read(&self, address: u64) -> Result<(), Fault> {
        if address < PAGE {
            Err(Fault::bad_address(address))
        } else if self.reads_kernel {
            Ok(())
        } else {
            Err(Fault::private(address))
        }
    }

    /// The `N` bytes at a pointer.
    #[inline]
    pub(crate) fn load<const N: usize, W: World>(
        &self,
        world: &mut W,
        address: u64,
    ) -> Result<[u8; N], Fault> {
        if let Some(bytes) = self.readable(address) {
            Self::must_reach(address, bytes.len(), N as u64)?;
            return bytes
                .first_chunk()
                .copied()
                .ok_or(Fault::bad_address(address));
        }
        let mut bytes = [0; N];
        self.fetch(world, address, &mut bytes)?;
        Ok(bytes)
    }

    /// Copies the `bytes` bytes at a pointer into words, the last one filled up with zeroes. `to`
    /// has as many words as that takes.
    pub(crate) fn copy_out<W: World>(
        &self,
        world: &mut W,
        address: u64,
        bytes: usize,
        to: &mut [u64],
    ) -> Result<(), Fault> {
        if let Some(readable) = self.readable(address) {
            Self::must_reach(address, readable.len(), bytes as u64)?;
            let source = readable.get(..bytes).ok_or(Fault::bad_address(address))?;
            put_words(source, to);
            return Ok(());
        }
        let mut at = address;
        let mut left = bytes;
        for words in to.chunks_mut(8) {
            let mut piece = [0; 64];
            let len = left.min(piece.len());
            let part = piece.get_mut(..len).unwrap_or(&mut []);
            self.fetch(world, at, part)?;
            put_words(part, words);
            at = at.wrapping_add(len as u64);
            left = left.wrapping_sub(len);
        }
        Ok(())
    }

    /// The string at a pointer, of at most `limit` bytes. One of the kernel's is copied.
    pub(crate) fn text<W: World>(
        &mut self,
        world: &mut W,
        address: u64,
        limit: usize,
    ) -> Result<Text, Fault> {
        let limit = limit.min(self.text_max());
        match self.own_text(address, limit) {
            Some(Some(text)) => Ok(text),
            Some(None) => Err(Fault::bad_address(address)),
            None if is_global(address) => self.global_text(world, address, limit),
            None => {
                self.may_read(address)?;
                self.receive(limit, |into| world.read_kernel_text(address, into))
            }
        }
    }

    /// The same, of own memory alone: `None` if the pointer does not point there, and `Some(None)`
    /// if nothing is readable where it does.
    #[inline]
    fn own_text(&self, address: u64, limit: usize) -> Option<Option<Text>> {
        let bytes = self.readable(address)?;
        if bytes.is_empty() {
            return Some(None);
        }
        let bytes = bytes.get(..limit).unwrap_or(bytes);
        let len = strings::span(bytes, |byte| byte != 0);
        Some(Some(Text {
            constant: is_constant(address),
            start: address as u32 as usize,
            len,
        }))
    }

    /// A new string of what `read` fills in, `limit` bytes at most; it says how many there are.
    pub(crate) fn receive(
        &mut self,
        limit: usize,
        read: impl FnOnce(&mut [u8]) -> Result<usize, Fault>,
    ) -> Result<Text, Fault> {
        self.build(limit, |_, into| read(into))
    }

    /// A new string that `make` writes, of at most `limit` bytes and strsize; it says how many it
    /// wrote. No room for a string that might be longer than what there is: a fault.
    pub(crate) fn build(
        &mut self,
        limit: usize,
        make: impl FnOnce(Sources<'_>, &mut [u8]) -> Result<usize, Fault>,
    ) -> Result<Text, Fault> {
        let limit = limit.min(self.text_max());
        self.make(limit, make)
    }

    /// The same, whatever strsize is.
    pub(crate) fn build_any(
        &mut self,
        limit: usize,
        make: impl FnOnce(Sources<'_>, &mut [u8]) -> usize,
    ) -> Result<Text, Fault> {
        self.make(limit, |sources, into| Ok(make(sources, into)))
    }

    fn make(
        &mut self,
        limit: usize,
        make: impl FnOnce(Sources<'_>, &mut [u8]) -> Result<usize, Fault>,
    ) -> Result<Text, Fault> {
        let (top, free) = (self.top, self.end().wrapping_sub(self.top));
        let Some((own, above)) = self.own.split_at_mut_checked(top) else {
            return Err(Fault::no_scratch());
        };
        // The last byte is the NUL's.
        let room = free.saturating_sub(1).min(limit);
        let sources = Sources {
            own,
            strings: self.strings,
        };
        let len = make(sources, above.get_mut(..room).unwrap_or(&mut []))?.min(room);
        if len == room && room < limit {
            return Err(Fault::no_scratch());
        }
        self.keep(len)
    }

    /// Makes the `len` bytes above `top` a string.
    fn keep(&mut self, len: usize) -> Result<Text, Fault> {
        let start = self.top;
        let end = start.wrapping_add(round_up(len.wrapping_add(1)));
        if end > self.end() {
            return Err(Fault::no_scratch());
        }
        if let Some(rest) = self.own.get_mut(start.wrapping_add(len)..end) {
            rest.fill(0);
        }
        self.top = end;
        Ok(Text {
            constant: false,
            start,
            len,
        })
    }

    /// A copy of the string, with its own NUL behind it.
    pub(crate) fn copy(&mut self, text: Text) -> Result<Text, Fault> {
        self.build(text.len, |sources, into| {
            copy(sources.bytes(text), into);
            Ok(text.len)
        })
    }

    /// A temporary copy of the string at a pointer, of at most `limit` bytes.
    pub(crate) fn temporary<W: World>(
        &mut self,
        world: &mut W,
        address: u64,
        limit: usize,
    ) -> Result<Text, Fault> {
        let own = self.readable(address).is_some();
        let text = self.text(world, address, limit)?;
        if own {
            self.copy(text)
        } else {
            Ok(text)
        }
    }

    /// The `bytes` bytes at a pointer. Those of the kernel are copied.
    pub(crate) fn bytes<W: World>(
        &mut self,
        world: &mut W,
        address: u64,
        bytes: u32,
    ) -> Result<Text, Fault> {
        let len = bytes as usize;
        let address = match self.readable(address).map(|readable| readable.len()) {
            Some(readable) => {
                Self::must_reach(address, readable, bytes.into())?;
                address
            }
            None => self.duplicate(world, address, bytes.into())?,
        };
        Ok(Text {
            constant: is_constant(address),
            start: address as u32 as usize,
            len,
        })
    }

    /// Sets a clause-local variable that is a string. It may lie in what it is set to.
    pub(crate) fn set_local_text(&mut self, offset: u32, bytes: u32, text: Text) {
        let start = offset as usize;
        let end = start.wrapping_add(bytes as usize);
        let len = text.len.min((bytes as usize).saturating_sub(1));
        let strings = self.strings;
        let Some(from_end) = text.start.checked_add(len) else {
            return;
        };
        if end > self.locals || start > end {
            return;
        }
        if text.constant {
            let source = strings.get(text.start..from_end).unwrap_or(&[]);
            copy(source, self.own.get_mut(start..end).unwrap_or(&mut []));
        } else {
            slide(&mut self.own[..], text.start, start, len);
        }
        if let Some(rest) = self.own.get_mut(start.wrapping_add(len)..end) {
            rest.fill(0);
        }
    }

    /// What strings lie in.
    #[inline]
    pub(crate) fn sources(&self) -> Sources<'_> {
        Sources {
            own: &self.own[..],
            strings: self.strings,
        }
    }

    /// `bytes` new bytes of 0, and the pointer to them.
    pub(crate) fn allocate(&mut self, bytes: u64) -> Result<(u64, &mut [u8]), Fault> {
        let start = self.top;
        let free = self.end().wrapping_sub(start) as u64;
        if bytes > free {
            return Err(Fault::no_scratch());
        }
        let len = bytes as usize;
        let end = start.wrapping_add(round_up(len));
        self.top = end.min(self.end());
        let Some(new) = self.own.get_mut(start..self.top) else {
            return Err(Fault::no_scratch());
        };
        new.fill(0);
        self.granted = start.wrapping_add(len);
        let address = OWN_BASE.wrapping_add(start as u64);
        Ok((address, new.get_mut(..len).unwrap_or(&mut [])))
    }

    /// The `bytes` of own memory at a pointer, to be written. They must have been taken before.
    pub(crate) fn writable(&mut self, address: u64, bytes: u64) -> Result<&mut [u8], Fault> {
        let start = address.wrapping_sub(OWN_BASE);
        let end = self.granted as u64;
        if start > end {
            return Err(Fault::bad_address(address));
        }
        Self::must_reach(address, end.wrapping_sub(start) as usize, bytes)?;
        let start = nospec(start as usize, self.granted);
        self.own
            .get_mut(start..start.wrapping_add(bytes as usize))
            .ok_or(Fault::bad_address(address))
    }

    /// A temporary copy of the bytes at a pointer.
    pub(crate) fn duplicate<W: World>(
        &mut self,
        world: &mut W,
        address: u64,
        bytes: u64,
    ) -> Result<u64, Fault> {
        let (to, _) = self.allocate(bytes)?;
        self.transfer(world, address, to, bytes)?;
        Ok(to)
    }

    /// Copies the bytes at one pointer to another, which points into own memory or to global variables.
    pub(crate) fn transfer<W: World>(
        &mut self,
        world: &mut W,
        from: u64,
        to: u64,
        bytes: u64,
    ) -> Result<(), Fault> {
        let len = bytes as usize;
        // What is wrong with where they come from is told before what is wrong with where they go.
        match self.readable(from).map(|readable| readable.len()) {
            Some(readable) => Self::must_reach(from, readable, bytes)?,
            None if is_global(from) => self.in_globals(from, len).map(drop)?,
            None => self.may_read(from)?,
        }
        if is_global(to) {
            self.in_globals(to, len)?;
            let mark = self.mark();
            let copied = self.duplicate(world, from, bytes)?;
            self.move_pieces(world, copied, to, len)?;
            self.give_back(mark);
            return Ok(());
        }
        self.writable(to, bytes)?;
        if is_global(from) {
            return self.move_pieces(world, from, to, len);
        }
        if self.readable(from).is_none() {
            return world.read_kernel(from, self.writable(to, bytes)?);
        }
        if is_constant(from) {
            let strings = self.strings;
            let start = nospec(from.wrapping_sub(CONSTANT_BASE) as usize, strings.len());
            let source = strings.get(start..start.wrapping_add(len)).unwrap_or(&[]);
            copy(source, self.writable(to, bytes)?);
        } else {
            let (from, to) = (
                nospec(from.wrapping_sub(OWN_BASE) as usize, self.top),
                nospec(to.wrapping_sub(OWN_BASE) as usize, self.granted),
            );
            slide(&mut self.own[..], from, to, len);
        }
        Ok(())
    }

    /// The bytes of a clause-local variable.
    #[inline(always)]
    pub(crate) fn local(&mut self, offset: u32, bytes: u32) -> Option<&mut [u8]> {
        let start = offset as usize;
        let end = start.wrapping_add(bytes as usize);
        self.own
            .get_mut(..self.locals)
            .and_then(|locals| locals.get_mut(start..end))
    }
}
