// SPDX-License-Identifier: GPL-2.0-only
//! A reader of one CPU's ring that believes nothing: every rule of the header
//! about positions, lengths, order and loss is checked on every record.

#![forbid(unsafe_code)]

use std::mem::offset_of;
use std::sync::atomic::Ordering;

use rust_tracer::abi;
use zerocopy::FromBytes;

use crate::session::Session;
use crate::sys::{Mapping, Plain};
use crate::test::{Outcome, check, check_eq, fail};

/// One record.
#[derive(Clone, Debug)]
pub enum Record {
    /// A function was entered.
    Entry(abi::rtrace_record_entry),
    /// A function returned.
    Return(abi::rtrace_record_return),
    /// A function was entered; no data.
    Called(abi::rtrace_record_called),
    /// A function returned; no data.
    Returned(abi::rtrace_record_returned),
    /// A clause of a program made it: the head, and its items.
    Clause(abi::rtrace_record_clause, Vec<Item>),
    /// A clause could not go on.
    Fault(abi::rtrace_record_fault),
    /// So many firings were lost here.
    Lost(u64),
}

/// What a clause recorded by one action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The upper half of its name.
    pub action: u16,
    /// The lower half.
    pub argument: u16,
    /// Without what it is filled up with.
    pub payload: Vec<u8>,
}

impl Item {
    /// The payload's words; what is left is not looked at.
    pub fn words(&self) -> Vec<u64> {
        let words = self.payload.chunks_exact(8);
        words
            .map(|word| u64::from_ne_bytes(word.try_into().expect("eight bytes")))
            .collect()
    }

    /// The payload, if it is one number.
    pub fn number(&self) -> Option<u64> {
        match self.words()[..] {
            [number] if self.payload.len() == 8 => Some(number),
            _ => None,
        }
    }
}

/// A mapped ring.
#[derive(Debug)]
pub struct Ring {
    /// Its CPU.
    pub cpu: u32,
    status: Mapping,
    consumer: Mapping,
    data: Mapping,
    bytes: u64,
    /// How far it was read.
    position: u64,
    /// The time of the last record.
    time: u64,
    /// What the LOST records said so far.
    pub lost_in_band: u64,
}

impl Ring {
    /// Maps the ring of a CPU that has one.
    pub fn map(session: &Session, cpu: u32, bytes: u64) -> Outcome<Self> {
        let page = session.info()?.page_size as usize;
        let ring = Self {
            cpu,
            status: session.map(cpu, abi::AREA_STATUS, page)?,
            consumer: session.map(cpu, abi::AREA_CONSUMER, page)?,
            data: session.map(cpu, abi::AREA_DATA, bytes as usize)?,
            bytes,
            position: 0,
            time: 0,
            lost_in_band: 0,
        };
        check_eq!(ring.status_page().cpu, cpu, "the CPU in the status page");
        Ok(ring)
    }

    /// The end of the complete records.
    pub fn published(&self) -> u64 {
        let at = offset_of!(abi::rtrace_ring_status, published);
        self.status.word(at).load(Ordering::Acquire)
    }

    /// A copy of the status page.
    pub fn status_page(&self) -> abi::rtrace_ring_status {
        let mut bytes = [0u8; size_of::<abi::rtrace_ring_status>()];
        self.status.copy(0, &mut bytes);
        abi::rtrace_ring_status::read_from_bytes(&bytes).expect("as long as the structure")
    }

    /// The word that the consumer writes.
    pub fn consumer(&self) -> &std::sync::atomic::AtomicU64 {
        self.consumer.word(0)
    }

    /// Bytes not yet read.
    pub fn unread(&self) -> u64 {
        self.published() - self.position
    }

    /// Reads all that is published, and gives its room back.
    pub fn read(&mut self, each: &mut impl FnMut(u32, Record)) -> Outcome {
        let published = self.published();
        self.parse(published, each)?;
        self.consumer().store(self.position, Ordering::Release);
        Ok(())
    }

    /// The bytes of all that is published, as they lie in the ring and up to its end at most; their
    /// room is given back. The position of the first is the other part.
    pub fn take_bytes(&mut self) -> (u64, Vec<u8>) {
        let (at, offset) = (self.position, self.position % self.bytes);
        let length = (self.published() - at).min(self.bytes - offset);
        let mut bytes = vec![0u8; length as usize];
        self.data.copy(offset as usize, &mut bytes);
        self.position += length;
        self.consumer().store(self.position, Ordering::Release);
        (at, bytes)
    }

    /// Reads what a flight recorder holds after STOP.
    pub fn read_recorder(&mut self, each: &mut impl FnMut(u32, Record)) -> Outcome {
        let status = self.status_page();
        check!(
            status.oldest <= status.published && status.published - status.oldest <= self.bytes,
            "oldest {} and published {} of a ring of {} bytes",
            status.oldest,
            status.published,
            self.bytes
        );
        self.position = self.position.max(status.oldest);
        self.parse(status.published, each)
    }

    /// Reads records until one is left whose end lies beyond `end`.
    pub fn parse(&mut self, end: u64, each: &mut impl FnMut(u32, Record)) -> Outcome {
        let cpu = self.cpu;
        while self.position < end {
            let at = self.position;
            let offset = at % self.bytes;
            let left = (end - at).min(self.bytes - offset);
            check!(left >= 8, "cpu {cpu}: {left} bytes left at position {at}");
            let word = self.data.word(offset as usize).load(Ordering::Relaxed);
            let info = word as u32;
            let length = u64::from(info & 0xff_ffff);
            let kind = (info >> 24) & 0xf;
            check!(
                length >= 8 && length % 8 == 0 && length <= left,
                "cpu {cpu}: record of kind {kind} with {length} bytes at position {at}, {left} left"
            );
            check_eq!(
                (word >> 32) as u32,
                (at >> 3) as u32,
                "cpu {cpu}: the position in the record of kind {kind} at {at}"
            );
            self.position += length;
            if kind == abi::RTRACE_RECORD_PAD {
                check_eq!(
                    length,
                    self.bytes - offset,
                    "cpu {cpu}: PAD at {at} to the end"
                );
                continue;
            }
            check!(
                length <= u64::from(abi::RTRACE_RECORD_MAX),
                "{length} bytes at {at}"
            );
            let mut bytes = vec![0u8; length as usize];
            self.data.copy(offset as usize, &mut bytes);
            let time = head::<abi::rtrace_record>(&bytes)?.time;
            check!(
                time >= self.time,
                "cpu {cpu}: time goes back from {} to {time} at position {at}",
                self.time
            );
            self.time = time;
            let record = match kind {
                abi::RTRACE_RECORD_DISCARD => continue,
                abi::RTRACE_RECORD_LOST => {
                    let lost = head::<abi::rtrace_record_lost>(&bytes)?.count;
                    check!(lost > 0, "cpu {cpu}: an empty LOST at {at}");
                    self.lost_in_band += lost;
                    Record::Lost(lost)
                }
                abi::RTRACE_RECORD_ENTRY => {
                    let record = head::<abi::rtrace_record_entry>(&bytes)?;
                    check_eq!(record.cpu, cpu, "the CPU in an entry record");
                    Record::Entry(record)
                }
                abi::RTRACE_RECORD_RETURN => {
                    let record = head::<abi::rtrace_record_return>(&bytes)?;
                    check_eq!(record.cpu, cpu, "the CPU in a return record");
                    Record::Return(record)
                }
                abi::RTRACE_RECORD_CALLED => {
                    let record = head::<abi::rtrace_record_called>(&bytes)?;
                    check_eq!(record.cpu, cpu, "the CPU in a called record");
                    check_eq!(record.reserved, 0, "reserved in a called record");
                    Record::Called(record)
                }
                abi::RTRACE_RECORD_RETURNED => {
                    let record = head::<abi::rtrace_record_returned>(&bytes)?;
                    check_eq!(record.cpu, cpu, "the CPU in a returned record");
                    Record::Returned(record)
                }
                abi::RTRACE_RECORD_CLAUSE => {
                    let record = head::<abi::rtrace_record_clause>(&bytes)?;
                    check_eq!(record.cpu, cpu, "the CPU in a clause's record");
                    let items = items(&bytes[size_of_val(&record)..])?;
                    check_eq!(items.len() as u32, record.items, "items in a record");
                    Record::Clause(record, items)
                }
                abi::RTRACE_RECORD_FAULT => {
                    let record = head::<abi::rtrace_record_fault>(&bytes)?;
                    check_eq!(length as usize, size_of_val(&record), "bytes of a fault");
                    check_eq!(record.cpu, cpu, "the CPU in a fault's record");
                    check!(record.epid != 0, "a fault of no enabling");
                    Record::Fault(record)
                }
                kind => return Err(fail(format!("cpu {cpu}: kind {kind} at position {at}"))),
            };
            each(cpu, record);
        }
        Ok(())
    }
}

/// The items of a record: whole, and filled up with zeroes.
fn items(mut bytes: &[u8]) -> Outcome<Vec<Item>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let item = head::<abi::rtrace_item>(bytes)?;
        let (length, start) = (item.bytes as usize, size_of_val(&item));
        let end = start + length.next_multiple_of(8);
        check!(end <= bytes.len(), "an item of {length} bytes in {bytes:?}");
        let (payload, rest) = bytes[start..end].split_at(length);
        check!(rest.iter().all(|byte| *byte == 0), "what fills an item up");
        found.push(Item {
            action: item.action,
            argument: item.argument,
            payload: payload.to_vec(),
        });
        bytes = &bytes[end..];
    }
    Ok(found)
}

fn head<T: Plain>(bytes: &[u8]) -> Outcome<T> {
    match T::read_from_prefix(bytes) {
        Ok((head, _)) => Ok(head),
        Err(_) => Err(fail(format!("a record of only {} bytes", bytes.len()))),
    }
}
