// SPDX-License-Identifier: GPL-2.0

//! A clause runs.
//!
//! One loop over instructions that only go forward, so it ends whatever they are. What programs do
//! most is in the loop; the rest is behind calls, so that the loop stays small. It is compiled once
//! for each [`World`], without indirect calls.
//!
//! All memory is in the [`Room`] that the caller brings, registers included. On the stack the loop
//! needs less than 300 bytes, and with the deepest of what it calls here less than 900; the world's
//! own come to that.
//!
//! Contexts: any up to NMI, with preemption off. Nothing here waits, allocates or panics.

#![forbid(unsafe_code)]

use super::{
    agg,
    fault,
    insn::{
        op,
        Insn, //
    },
    memory::{
        Memory,
        OWN_BYTES, //
    },
    numbers,
    rights::Rights,
    Clause,
    Fault,
    NotSpeculated,
    Program,
    World,
    CLAUSE_DEFAULT,
    CLAUSE_SYSCALL,
    ITEM_WORDS,
    KEY_WORDS, //
};

/// Registers, as a power of two that a mask can be made of.
const REGISTERS: usize = super::insn::REGISTERS as usize;

/// The memory of a firing. One for each CPU and context level is enough; what is in it at first
/// does not matter, and nothing that was left in it can be read.
#[repr(C)]
pub(crate) struct Room {
    registers: [u64; REGISTERS],
    keys: [u64; KEY_WORDS],
    items: [u64; ITEM_WORDS],
    own: [u8; OWN_BYTES],
}

impl Room {
    /// A room of zeroes.
    #[cfg(test)]
    pub(crate) fn new() -> Self {
        Room {
            registers: [0; REGISTERS],
            keys: [0; KEY_WORDS],
            items: [0; ITEM_WORDS],
            own: [0; OWN_BYTES],
        }
    }

    /// The same byte everywhere, as if other firings had left it.
    #[cfg(test)]
    pub(crate) fn filled(byte: u8) -> Self {
        let word = u64::from_le_bytes([byte; 8]);
        Room {
            registers: [word; REGISTERS],
            keys: [word; KEY_WORDS],
            items: [word; ITEM_WORDS],
            own: [byte; OWN_BYTES],
        }
    }
}

/// The record that a clause made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    /// Words of [`Firing::items`].
    pub(crate) words: u32,
    /// Items that they hold.
    pub(crate) items: u32,
    /// What [`World::speculate`] gave; 0: it belongs to no speculation.
    pub(crate) speculation: u64,
}

/// How a clause ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Its predicate is false.
    Filtered,
    /// There is nothing to record.
    Processed,
    /// There is a record, in [`Firing::items`].
    Recorded(Made),
    /// An aggregation had no room for its keys. The rest of the clause ran; what it would have
    /// recorded is given up, so that the loss is counted once.
    Dropped,
    /// The speculation has no room for what the clause records.
    NoSpeculation,
    /// It could not go on at this instruction of the clause.
    Fault(Fault, u32),
}

impl From<NotSpeculated> for Outcome {
    #[inline]
    fn from(why: NotSpeculated) -> Outcome {
        match why {
            NotSpeculated::Inactive => Outcome::Processed,
            NotSpeculated::NoRoom | NotSpeculated::Full => Outcome::NoSpeculation,
        }
    }
}

/// Why an instruction ends the clause.
pub(super) enum Stop {
    Fault(Fault),
    Speculation(NotSpeculated),
}

impl From<NotSpeculated> for Stop {
    #[inline]
    fn from(why: NotSpeculated) -> Stop {
        Stop::Speculation(why)
    }
}

impl From<Fault> for Stop {
    #[inline]
    fn from(fault: Fault) -> Stop {
        Stop::Fault(fault)
    }
}

/// One firing: the clauses of a program that run for a probe, one after the other. Clause-local
/// variables live as long as it.
pub(crate) struct Firing<'a, W> {
    registers: &'a mut [u64; REGISTERS],
    state: State<'a, W>,
}

/// A firing without its registers.
pub(super) struct State<'a, W> {
    pub(super) program: &'a Program<'a>,
    pub(super) world: &'a mut W,
    pub(super) memory: Memory<'a>,
    pub(super) keys: &'a mut [u64; KEY_WORDS],
    pub(super) items: &'a mut [u64; ITEM_WORDS],
    /// Words of the tuple.
    pub(super) key_words: usize,
    /// Words of the items.
    pub(super) item_words: usize,
    item_count: u32,
    pub(super) speculation: u64,
    /// The speculation has no room for the record.
    pub(super) unspeculated: bool,
    pub(super) exits: bool,
    /// COMMIT ended a speculation.
    pub(super) commits: bool,
    /// The clause is for system calls.
    pub(super) syscall: bool,
    /// An aggregation had no room.
    full: bool,
}

impl<'a, W: World> Firing<'a, W> {
    /// A firing of clauses of `program`, in memory that nobody else uses meanwhile.
    #[inline]
    pub(crate) fn new(
        program: &'a Program<'a>,
        rights: Rights,
        room: &'a mut Room,
        world: &'a mut W,
    ) -> Self {
        Firing {
            registers: &mut room.registers,
            state: State {
                program,
                world,
                memory: Memory::new(&mut room.own, program, rights.shows_memory()),
                keys: &mut room.keys,
                items: &mut room.items,
                key_words: 0,
                item_words: 0,
                item_count: 0,
                speculation: 0,
                unspeculated: false,
                exits: false,
                commits: false,
                syscall: false,
                full: false,
            },
        }
    }

    /// The world, between two clauses.
    #[inline(always)]
    pub(crate) fn world(&mut self) -> &mut W {
        self.state.world
    }

    /// The words of the record that the last clause made: its items, without a head. Of a clause
    /// that made none, they mean nothing.
    #[inline(always)]
    pub(crate) fn items(&self) -> &[u64] {
        self.state.items.get(..self.state.item_words).unwrap_or(&[])
    }

    /// Whether the last clause said exit(), whatever else became of it.
    #[inline(always)]
    pub(crate) fn exits(&self) -> bool {
        self.state.exits
    }

    /// To be told behind each clause: whether a record was written of what it made. What it
    /// committed has ended only then.
    #[inline(always)]
    pub(crate) fn settle(&mut self, written: bool) {
        if self.state.commits {
            self.state.settle(written);
        }
    }

    /// Runs a clause of the program.
    #[inline]
    pub(crate) fn run(&mut self, clause: &Clause) -> Outcome {
        let state = &mut self.state;
        state.begin(clause);
        let code = state
            .program
            .code
            .get(clause.first as usize..)
            .and_then(|code| code.get(..clause.count as usize))
            .unwrap_or(&[]);
        let r = &mut *self.registers;
        let mut pc = 0usize;
        loop {
            let Some(&word) = code.get(pc) else {
                return Outcome::Fault(Fault::of(fault::ILLOP), pc as u32);
            };
            let insn = Insn::decode(word);
            pc = pc.wrapping_add(1);
            let a = r[insn.a as usize % REGISTERS];
            let b = r[insn.b as usize % REGISTERS];
            let i = i64::from(insn.i) as u64;
            let taken = match insn.op {
                op::RET => return state.end(clause),
                op::FILTER => {
                    if a == 0 {
                        return Outcome::Filtered;
                    }
                    continue;
                }
                op::JMP..=op::JLEU => numbers::is_taken(insn.op, a, b),
                _ => {
                    let result = match insn.op {
                        op::LDI => i,
                        op::MOV | op::ADD..=op::MUL | op::AND..=op::SLEU | op::ADDI..=op::ZX32 => {
                            numbers::computed(insn.op, a, b, i)
                        }
                        op::GET => match state.world.number(i as u32) {
                            Ok(number) => number,
                            Err(fault) => return at(fault, pc),
                        },
                        op::AGG => match state.aggregate(i as u32, a, b) {
                            Ok(()) => continue,
                            Err(fault) => return at(fault, pc),
                        },
                        op::EMIT => match state.emit(insn.i, a) {
                            Ok(()) => continue,
                            Err(fault) => return at(fault, pc),
                        },
                        op::KEY0 => {
                            state.key_words = 0;
                            continue;
                        }
                        op::KEY => match state.key(a) {
                            Ok(()) => continue,
                            Err(fault) => return at(fault, pc),
                        },
                        _ => {
                            let c = r[insn.a.wrapping_add(1) as usize % REGISTERS];
                            let d = r[insn.a.wrapping_add(2) as usize % REGISTERS];
                            match state.other(insn, a, b, [a, c, d]) {
                                Ok(Some(result)) => result,
                                Ok(None) => continue,
                                Err(Stop::Fault(fault)) => return at(fault, pc),
                                Err(Stop::Speculation(why)) => return why.into(),
                            }
                        }
                    };
                    r[insn.d as usize % REGISTERS] = result;
                    continue;
                }
            };
            if taken {
                pc = pc.wrapping_add(insn.i as u32 as usize);
            }
        }
    }
}

/// The fault of the instruction before `pc`.
#[inline]
fn at(fault: Fault, pc: usize) -> Outcome {
    Outcome::Fault(fault, pc.wrapping_sub(1) as u32)
}

/// Words that bytes take.
#[inline(always)]
fn words(bytes: usize) -> usize {
    bytes.wrapping_add(7) / 8
}

impl<W: World> State<'_, W> {
    #[inline]
    fn begin(&mut self, clause: &Clause) {
        self.memory.forget();
        self.syscall = clause.flags & CLAUSE_SYSCALL != 0;
        self.key_words = 0;
        self.item_words = 0;
        self.item_count = 0;
        self.speculation = 0;
        self.unspeculated = false;
        self.exits = false;
        self.commits = false;
        self.full = false;
    }

    /// How the clause ends if all went well.
    #[inline]
    fn end(&self, clause: &Clause) -> Outcome {
        if self.full {
            return Outcome::Dropped;
        }
        if self.item_count == 0 && clause.flags & CLAUSE_DEFAULT == 0 {
            return Outcome::Processed;
        }
        if self.unspeculated {
            return Outcome::NoSpeculation;
        }
        Outcome::Recorded(Made {
            words: self.item_words as u32,
            items: self.item_count,
            speculation: self.speculation,
        })
    }

    /// The tuple, for what has keys of at most so many bytes.
    #[inline]
    fn tuple(keys: &[u64], limit: u32) -> Result<&[u64], Fault> {
        if limit == 0 {
            return Ok(&[]);
        }
        if keys.len() > limit as usize / 8 {
            return Err(Fault::of(fault::TUPOFLOW));
        }
        Ok(keys)
    }

    #[inline]
    fn aggregate(&mut self, index: u32, value: u64, weight: u64) -> Result<(), Fault> {
        let Some(aggregation) = self.program.aggregations.get(index as usize) else {
            return Err(Fault::of(fault::ILLOP));
        };
        let keys = self.keys.get(..self.key_words).unwrap_or(&[]);
        let keys = Self::tuple(keys, aggregation.keys)?;
        // What a function does not take was in a register that nobody wrote.
        let (value, weight) = match aggregation.function {
            agg::COUNT => (1, 1),
            agg::SUM..=agg::STDDEV => (value, 1),
            _ => (value, weight),
        };
        if self.world.aggregate(index, keys, value, weight).is_err() {
            self.full = true;
        }
        Ok(())
    }

    /// Begins an item of `bytes` bytes, and gives the words for them.
    #[inline]
    pub(super) fn item(&mut self, name: i32, bytes: usize) -> Result<&mut [u64], Fault> {
        let start = self.item_words;
        let payload = start.wrapping_add(1);
        let end = payload.wrapping_add(words(bytes));
        let head = u64::from(name as u32) | ((bytes as u64) << 32);
        match self.items.get_mut(start..end) {
            Some([first, rest @ ..]) if bytes < ITEM_WORDS * 8 => {
                *first = head;
                self.item_words = end;
                self.item_count = self.item_count.wrapping_add(1);
                Ok(rest)
            }
            _ => Err(Fault::of(fault::TOOBIG)),
        }
    }

    #[inline]
    pub(super) fn emit(&mut self, name: i32, number: u64) -> Result<(), Fault> {
        if let [word] = self.item(name, 8)? {
            *word = number;
        }
        Ok(())
    }

    /// Appends a word to the tuple.
    #[inline]
    pub(super) fn key(&mut self, number: u64) -> Result<(), Fault> {
        match self.keys.get_mut(self.key_words) {
            Some(word) => {
                *word = number;
                self.key_words = self.key_words.wrapping_add(1);
                Ok(())
            }
            None => Err(Fault::of(fault::TUPOFLOW)),
        }
    }

    /// Appends a length, and as many bytes from a pointer.
    pub(super) fn key_bytes(&mut self, address: u64, bytes: usize) -> Result<(), Fault> {
        self.key(bytes as u64)?;
        let start = self.key_words;
        let end = start.wrapping_add(words(bytes));
        let State {
            memory,
            world,
            keys,
            ..
        } = self;
        match keys.get_mut(start..end) {
            Some(into) if bytes <= KEY_WORDS * 8 => {
                memory.copy_out(*world, address, bytes, into)?;
                self.key_words = end;
                Ok(())
            }
            _ => Err(Fault::of(fault::TUPOFLOW)),
        }
    }
}
