// SPDX-License-Identifier: GPL-2.0-only
//! From the words of a ring to records.
//!
//! Nothing here trusts the ring. Whatever the words and positions are, parsing
//! ends, stays inside the area and does not panic: every length is checked
//! against what is left before it is believed, and every step goes forward. A
//! record's own position, kept in its head, exposes stale or torn bytes.

#![forbid(unsafe_code)]

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use crate::abi;
use crate::record::{Context, Event, ExecName, Firing, Record, Who};

/// Bytes of a word.
const WORD: u64 = 8;

/// What is wrong with a ring, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Corrupt {
    /// The range to read is not one that a ring can hold.
    #[error("positions {from} to {to} are no range of a ring of {size} bytes")]
    Range {
        /// The first position.
        from: u64,
        /// The position after the last.
        to: u64,
        /// Bytes of the data area.
        size: u64,
    },
    /// A record's length is impossible where it stands.
    #[error("at position {position} a record of type {kind} is {len} bytes long")]
    Length {
        /// Where the record begins.
        position: u64,
        /// Its `RTRACE_RECORD_*`.
        kind: u32,
        /// The length it claims.
        len: u64,
    },
    /// A record says that it belongs elsewhere.
    #[error("at position {position} stands a record of another position ({found:#x})")]
    Position {
        /// Where the record begins.
        position: u64,
        /// What its head says.
        found: u32,
    },
}

/// The records between two positions of a ring.
#[derive(Debug)]
pub struct Records<'a> {
    words: &'a [AtomicU64],
    /// The position that the first word holds, and the bits of a distance from it
    /// that count: words of a ring are used again and again, those of a copy once.
    origin: u64,
    mask: u64,
    /// Bytes of the ring's data area.
    size: u64,
    /// Whether the last record may be cut.
    may_be_cut: bool,
    cpu: u32,
    position: u64,
    end: u64,
}

impl<'a> Records<'a> {
    /// The records from position `from` up to position `to` of CPU `cpu`'s ring,
    /// whose data area `words` is a power of two long.
    pub fn new(words: &'a [AtomicU64], cpu: u32, from: u64, to: u64) -> Result<Self, Corrupt> {
        let size = words.len() as u64 * WORD;
        let fits = words.len().is_power_of_two()
            && from % WORD == 0
            && to % WORD == 0
            && to.checked_sub(from).is_some_and(|bytes| bytes <= size);
        if !fits {
            return Err(Corrupt::Range { from, to, size });
        }
        Ok(Self {
            words,
            origin: 0,
            mask: size - 1,
            size,
            may_be_cut: false,
            cpu,
            position: from,
            end: to,
        })
    }

    /// The records of a copy, `words`, of what CPU `cpu`'s ring of `size` bytes held
    /// from position `from` on. The last one may be cut: it is not given out, and
    /// [`Records::position`] is where it begins.
    pub fn copied(words: &'a [AtomicU64], cpu: u32, from: u64, size: u64) -> Result<Self, Corrupt> {
        let bytes = words.len() as u64 * WORD;
        let end = from.checked_add(bytes);
        match end {
            Some(end) if size.is_power_of_two() && from % WORD == 0 && bytes <= size => Ok(Self {
                words,
                origin: from,
                mask: u64::MAX,
                size,
                may_be_cut: true,
                cpu,
                position: from,
                end,
            }),
            _ => Err(Corrupt::Range {
                from,
                to: from.wrapping_add(bytes),
                size,
            }),
        }
    }

    /// Where the next record begins: all before it was given out.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The word at a position between `position` and `end`, so that it exists.
    fn word(&self, position: u64) -> u64 {
        let index = (position.wrapping_sub(self.origin) & self.mask) / WORD;
        self.words[index as usize].load(Relaxed)
    }

    /// The words of a structure at a position, if the record there holds it.
    fn structure<const N: usize>(&self, position: u64, len: u64) -> Option<[u64; N]> {
        (len >= N as u64 * WORD)
            .then(|| std::array::from_fn(|i| self.word(position.wrapping_add(i as u64 * WORD))))
    }

    /// Reads the record at the current position and steps over it.
    fn step(&mut self) -> Result<Option<Record>, Corrupt> {
        let position = self.position;
        let [info, own] = halves(self.word(position));
        let len = u64::from(info & 0xff_ffff);
        let kind = (info >> 24) & 0xf;
        let context = Context::from_info(info);

        let to_edge = self.size - (position & (self.size - 1));
        let bad_length = Corrupt::Length {
            position,
            kind,
            len,
        };
        if len == 0 || len % WORD != 0 || len > to_edge {
            return Err(bad_length);
        }
        if own != (position >> 3) as u32 {
            return Err(Corrupt::Position {
                position,
                found: own,
            });
        }
        if len > self.end - position {
            // A record that a copy cuts is one that will fit into the next one.
            if self.may_be_cut && len <= abi::RTRACE_RECORD_MAX.into() {
                self.end = position;
                return Ok(None);
            }
            return Err(bad_length);
        }

        let record = match kind {
            abi::RTRACE_RECORD_PAD if len != to_edge => return Err(bad_length),
            abi::RTRACE_RECORD_ENTRY => {
                let words: [u64; 10] = self.structure(position, len).ok_or(bad_length)?;
                let entry: abi::rtrace_record_entry = zerocopy::transmute!(words);
                Some(Record {
                    time: entry.head.time,
                    cpu: self.cpu,
                    context,
                    event: Event::Entry {
                        at: Firing {
                            probe: entry.probe,
                            pid: entry.pid,
                            tid: entry.tid,
                        },
                        args: entry.args,
                    },
                })
            }
            abi::RTRACE_RECORD_RETURN => {
                let words: [u64; 6] = self.structure(position, len).ok_or(bad_length)?;
                let back: abi::rtrace_record_return = zerocopy::transmute!(words);
                Some(Record {
                    time: back.head.time,
                    cpu: self.cpu,
                    context,
                    event: Event::Return {
                        at: Firing {
                            probe: back.probe,
                            pid: back.pid,
                            tid: back.tid,
                        },
                        value: back.value,
                        elapsed: back.elapsed,
                    },
                })
            }
            abi::RTRACE_RECORD_CALLED => {
                let words: [u64; 7] = self.structure(position, len).ok_or(bad_length)?;
                let called: abi::rtrace_record_called = zerocopy::transmute!(words);
                Some(Record {
                    time: called.head.time,
                    cpu: self.cpu,
                    context,
                    event: Event::Called {
                        at: Firing {
                            probe: called.probe,
                            pid: called.pid,
                            tid: called.tid,
                        },
                        who: Who {
                            uid: called.uid,
                            execname: ExecName::from_chars(called.execname),
                        },
                    },
                })
            }
            abi::RTRACE_RECORD_RETURNED => {
                let words: [u64; 8] = self.structure(position, len).ok_or(bad_length)?;
                let back: abi::rtrace_record_returned = zerocopy::transmute!(words);
                Some(Record {
                    time: back.head.time,
                    cpu: self.cpu,
                    context,
                    event: Event::Returned {
                        at: Firing {
                            probe: back.probe,
                            pid: back.pid,
                            tid: back.tid,
                        },
                        who: Who {
                            uid: back.uid,
                            execname: ExecName::from_chars(back.execname),
                        },
                        result: (back.result <= 0).then_some(back.result),
                        elapsed: back.elapsed,
                    },
                })
            }
            abi::RTRACE_RECORD_CLAUSE => {
                const HEAD: u64 = size_of::<abi::rtrace_record_clause>() as u64;
                let words: [u64; 6] = self.structure(position, len).ok_or(bad_length)?;
                let head: abi::rtrace_record_clause = zerocopy::transmute!(words);
                let items = (HEAD..len)
                    .step_by(WORD as usize)
                    .flat_map(|at| self.word(position.wrapping_add(at)).to_ne_bytes());
                Some(Record {
                    time: head.time,
                    cpu: self.cpu,
                    context,
                    event: Event::Clause {
                        at: Firing {
                            probe: head.probe,
                            pid: head.pid,
                            tid: head.tid,
                        },
                        clause: head.clause,
                        speculation: head.speculation,
                        items: items.collect(),
                    },
                })
            }
            abi::RTRACE_RECORD_FAULT => {
                let words: [u64; 7] = self.structure(position, len).ok_or(bad_length)?;
                let fault: abi::rtrace_record_fault = zerocopy::transmute!(words);
                Some(Record {
                    time: fault.time,
                    cpu: self.cpu,
                    context,
                    event: Event::Fault {
                        at: Firing {
                            probe: fault.probe,
                            pid: fault.pid,
                            tid: fault.tid,
                        },
                        clause: fault.clause,
                        fault: fault.fault,
                        instruction: fault.instruction,
                        epid: fault.epid,
                        address: fault.address,
                    },
                })
            }
            abi::RTRACE_RECORD_LOST => {
                let words: [u64; 3] = self.structure(position, len).ok_or(bad_length)?;
                let lost: abi::rtrace_record_lost = zerocopy::transmute!(words);
                Some(Record {
                    time: lost.head.time,
                    cpu: self.cpu,
                    context,
                    event: Event::Lost { count: lost.count },
                })
            }
            // Padding, discarded records, and what a newer minor version adds.
            _ => None,
        };
        // `len` is at most `end - position`: no overflow, and never past the end.
        self.position = position + len;
        Ok(record)
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, Corrupt>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.position < self.end {
            match self.step() {
                Ok(Some(record)) => return Some(Ok(record)),
                Ok(None) => {}
                Err(corrupt) => {
                    // Nothing after damage can be believed.
                    self.end = self.position;
                    return Some(Err(corrupt));
                }
            }
        }
        None
    }
}

/// The two u32 of a word, in the order of their addresses.
fn halves(word: u64) -> [u32; 2] {
    zerocopy::transmute!(word)
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
