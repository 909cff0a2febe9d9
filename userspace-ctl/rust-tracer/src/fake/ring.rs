// SPDX-License-Identifier: GPL-2.0-only
//! The writer's side of a ring, by the header alone: one thread, no nesting.

#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::abi;
use crate::device::Area;
use crate::record::{Context, Event, Firing, Record, Who};

/// A ring of the fake module.
#[derive(Debug)]
pub struct FakeRing {
    cpu: u32,
    status: Arc<[AtomicU64]>,
    consumer: Arc<[AtomicU64]>,
    data: Arc<[AtomicU64]>,
    head: u64,
    /// Firings lost, and how many of them a loss record has told.
    lost: u64,
    told: u64,
}

impl FakeRing {
    /// An empty ring of so many bytes.
    pub fn new(cpu: u32, bytes: u64) -> Self {
        let area = |words| (0..words).map(|_| AtomicU64::new(0)).collect();
        Self {
            cpu,
            status: area(512),
            consumer: area(512),
            data: area(bytes / 8),
            head: 0,
            lost: 0,
            told: 0,
        }
    }

    /// One of the ring's areas.
    pub fn area(&self, area: Area) -> Arc<[AtomicU64]> {
        Arc::clone(match area {
            Area::Status => &self.status,
            Area::Consumer => &self.consumer,
            Area::Data => &self.data,
        })
    }

    /// Where the next record goes: what `published` will be.
    pub fn head(&self) -> u64 {
        self.head
    }

    /// Writes a record, preceded by a loss record if something was lost. Returns
    /// whether there was room.
    pub fn write(&mut self, record: &Record) -> bool {
        let start = self.head;
        let due = self.lost - self.told;
        let lost = Record {
            event: Event::Lost { count: due },
            ..*record
        };
        if (due == 0 || self.put(&encode(&lost, self.cpu))) && self.put(&encode(record, self.cpu)) {
            self.told += due;
            return true;
        }
        self.head = start;
        if !matches!(record.event, Event::Lost { .. }) {
            self.lost += 1;
        }
        false
    }

    fn put(&mut self, words: &[u64]) -> bool {
        let size = self.data.len() as u64 * 8;
        let len = words.len() as u64 * 8;
        let edge = size - self.head % size;
        let pad = if edge < len { edge } else { 0 };
        let consumer = self.consumer[0].load(Acquire);
        if self.head + pad + len - consumer > size {
            return false;
        }
        if pad != 0 {
            self.store(self.head, head(abi::RTRACE_RECORD_PAD, pad, 0, self.head));
        }
        self.head += pad;
        for (i, &word) in words.iter().enumerate() {
            let word = match i {
                0 => word | ((self.head >> 3) << 32),
                _ => word,
            };
            self.store(self.head + i as u64 * 8, word);
        }
        self.head += len;
        true
    }

    fn store(&self, position: u64, word: u64) {
        self.data[(position / 8) as usize % self.data.len()].store(word, Relaxed);
    }

    /// What an observer gets: from where on, how many bytes it skips, and the bytes.
    pub fn copy(&self, position: u64, room: usize) -> (u64, u64, Vec<u8>) {
        let size = self.data.len() as u64 * 8;
        let position = position.min(self.head) & !7;
        let from = match self.head - position <= size {
            true => position,
            false => self.head,
        };
        let to_end = size - from % size;
        let len = (self.head - from).min(to_end).min(room as u64 & !7);
        let words = (from..from + len).step_by(8);
        let bytes = words.flat_map(|at| {
            let word = &self.data[(at / 8) as usize % self.data.len()];
            word.load(Relaxed).to_ne_bytes()
        });
        (from, from - position, bytes.collect())
    }

    /// Makes what was written visible.
    pub fn publish(&self, state: u32, reason: u32, generation: u64) {
        self.status[2].store(self.lost, Relaxed);
        self.status[3].store(generation, Relaxed);
        self.status[4].store(pair(state, reason), Relaxed);
        self.status[5].store(pair(0, self.cpu), Relaxed);
        self.status[0].store(self.head, Release);
    }
}

fn encode(record: &Record, cpu: u32) -> Vec<u64> {
    let (kind, rest) = match record.event.clone() {
        Event::Lost { count } => (abi::RTRACE_RECORD_LOST, vec![count]),
        Event::Entry { at, args } => {
            let rest = [at_words(&at, cpu), args.into()].concat();
            (abi::RTRACE_RECORD_ENTRY, rest)
        }
        Event::Return { at, value, elapsed } => (
            abi::RTRACE_RECORD_RETURN,
            [at_words(&at, cpu), vec![value, elapsed]].concat(),
        ),
        Event::Called { at, who } => (
            abi::RTRACE_RECORD_CALLED,
            [at_words(&at, cpu), who_words(&who, 0)].concat(),
        ),
        Event::Returned {
            at,
            who,
            result,
            elapsed,
        } => {
            let result = result.unwrap_or(abi::RTRACE_RESULT_NONE as i32);
            let rest = [at_words(&at, cpu), who_words(&who, result), vec![elapsed]];
            (abi::RTRACE_RECORD_RETURNED, rest.concat())
        }
        Event::Clause {
            at,
            clause,
            speculation,
            items,
        } => {
            let words = items.chunks(8).map(|chunk| {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                u64::from_ne_bytes(word)
            });
            let mut rest = at_words(&at, cpu);
            rest.extend([pair(clause, 0), speculation]);
            rest.extend(words);
            (abi::RTRACE_RECORD_CLAUSE, rest)
        }
        Event::Fault {
            at,
            clause,
            fault,
            instruction,
            epid,
            address,
        } => {
            let mut rest = at_words(&at, cpu);
            rest.extend([pair(clause, fault), pair(instruction, epid), address]);
            (abi::RTRACE_RECORD_FAULT, rest)
        }
        Event::Skipped { .. } => unreachable!("no ring holds it"),
    };
    let context = match record.context {
        Context::Task => abi::RTRACE_CONTEXT_TASK,
        Context::Softirq => abi::RTRACE_CONTEXT_SOFTIRQ,
        Context::Irq => abi::RTRACE_CONTEXT_IRQ,
        Context::Nmi => abi::RTRACE_CONTEXT_NMI,
        Context::Other(number) => number.into(),
    };
    let len = (rest.len() as u64 + 2) * 8;
    let mut words = vec![head(kind, len, context, 0), record.time];
    words.extend(rest);
    words
}

fn at_words(at: &Firing, cpu: u32) -> Vec<u64> {
    vec![pair(at.probe, cpu), pair(at.pid, at.tid)]
}

fn who_words(who: &Who, result: i32) -> Vec<u64> {
    let mut name = [0; 16];
    name[..who.execname.as_bytes().len()].copy_from_slice(who.execname.as_bytes());
    let [first, second]: [u64; 2] = zerocopy::transmute!(name);
    vec![pair(who.uid, result as u32), first, second]
}

fn head(kind: u32, len: u64, context: u32, position: u64) -> u64 {
    u64::from((context << 28) | (kind << 24)) | len | ((position >> 3) << 32)
}

/// Two u32 side by side, on a little-endian machine.
fn pair(first: u32, second: u32) -> u64 {
    (u64::from(second) << 32) | u64::from(first)
}
