// SPDX-License-Identifier: GPL-2.0-only
//! A trace that shows if somebody changed it afterwards: `-x chain=on`.
//!
//! Each record that was consumed becomes a link of its CPU's chain, and each piece of
//! output that was written one of the output's; a link's hash covers the one before it
//! in its chain, its number among all links, and what it holds:
//!
//! ```text
//!   RTCHAIN1 | length, header | link | link | … | end
//!   link: kind, lane, number, length, payload, SHA-256(before ‖ kind ‖ lane ‖ number ‖ payload)
//!   end:  kind, …, payload: each lane's count and last hash
//! ```
//! Whoever can write the file can make another one. So the hash of the end, which
//! covers everything, is printed, and may be kept where nobody of this machine gets at
//! it. [`crate::verify`] reads all of that again.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use rust_tracer::{Context, Event, ExecName, Firing, Record};
use serde_json::json;
use sha2::{Digest, Sha256};

/// What a file begins with.
pub const MAGIC: &[u8; 8] = b"RTCHAIN1";

/// A SHA-256.
pub type Hash = [u8; 32];

/// Bytes of a link before its payload: kind, lane, number, length.
pub const HEAD: usize = 4 + 4 + 8 + 4;

/// The lane of what was written; all others are CPUs.
pub const OUTPUT: u32 = u32::MAX;

/// What a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A record.
    Record,
    /// A piece of the output: where it begins, how long it is, its hash.
    Output,
    /// The output was cut off: it is empty again.
    Cut,
    /// The end: of each lane how many links, and the last one's hash.
    End,
}

impl Kind {
    /// All of them, by their numbers in the file.
    pub const ALL: [(Self, u32); 4] = [
        (Self::Record, 1),
        (Self::Output, 2),
        (Self::Cut, 3),
        (Self::End, 4),
    ];

    /// Its number.
    pub fn number(self) -> u32 {
        let found = Self::ALL.iter().find(|(kind, _)| *kind == self);
        found.map_or(0, |(_, number)| *number)
    }
}

/// The hash that a link carries.
pub fn link_hash(before: &Hash, head: &[u8; HEAD], payload: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(head);
    hash.update(payload);
    hash.finalize().into()
}

/// The hash before a lane's first link.
pub fn genesis(header: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update(MAGIC);
    hash.update(header);
    hash.finalize().into()
}

/// The bytes of a link before its payload.
pub fn head(kind: u32, lane: u32, number: u64, length: u32) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..4].copy_from_slice(&kind.to_le_bytes());
    head[4..8].copy_from_slice(&lane.to_le_bytes());
    head[8..16].copy_from_slice(&number.to_le_bytes());
    head[16..].copy_from_slice(&length.to_le_bytes());
    head
}

/// A chain that is being written.
pub struct Chain {
    path: PathBuf,
    file: BufWriter<Box<dyn Write>>,
    genesis: Hash,
    lanes: BTreeMap<u32, (u64, Hash)>,
    number: u64,
    /// Where in the output the next piece goes.
    offset: u64,
    payload: Vec<u8>,
}

/// What a chain came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The file.
    pub path: PathBuf,
    /// Records in it.
    pub records: u64,
    /// The hash that covers everything.
    pub digest: String,
}

impl Chain {
    /// Begins a chain in a new file; `offset`: how long the output is already. An earlier one is not
    /// written over: it is evidence.
    pub fn create(path: &Path, offset: u64) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        let read = |path: &str| {
            fs::read_to_string(path)
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        let header = json!({
            "rust_tracer": env!("CARGO_PKG_VERSION"),
            "host": read("/proc/sys/kernel/hostname"),
            "kernel": read("/proc/sys/kernel/osrelease"),
            "boot": read("/proc/sys/kernel/random/boot_id"),
            "run": read("/proc/sys/kernel/random/uuid"),
            "time": jiff::Timestamp::now().to_string(),
            "pid": std::process::id(),
        });
        let header = header.to_string();
        Self::over(path, Box::new(file), header.as_bytes(), offset)
    }

    /// The same into anything.
    pub fn over(path: &Path, file: Box<dyn Write>, header: &[u8], offset: u64) -> io::Result<Self> {
        let mut file = BufWriter::with_capacity(1 << 16, file);
        file.write_all(MAGIC)?;
        file.write_all(&(header.len() as u32).to_le_bytes())?;
        file.write_all(header)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            genesis: genesis(header),
            lanes: BTreeMap::new(),
            number: 0,
            offset,
            payload: Vec::new(),
        })
    }

    /// A record was consumed.
    pub fn record(&mut self, record: &Record) -> io::Result<()> {
        let mut payload = std::mem::take(&mut self.payload);
        payload.clear();
        encode(&mut payload, record);
        let result = self.link(Kind::Record, record.cpu, &payload);
        self.payload = payload;
        result.map(drop)
    }

    /// Something was written to the output.
    pub fn output(&mut self, text: &[u8]) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let hash: Hash = Sha256::digest(text).into();
        let length = text.len() as u64;
        let (from, length) = (self.offset.to_le_bytes(), length.to_le_bytes());
        self.offset += text.len() as u64;
        let payload = [&from[..], &length, &hash].concat();
        self.link(Kind::Output, OUTPUT, &payload)?;
        self.file.flush()
    }

    /// The output was cut off.
    pub fn cut(&mut self) -> io::Result<()> {
        self.offset = 0;
        self.link(Kind::Cut, OUTPUT, &[]).map(drop)
    }

    /// Writes the end.
    pub fn seal(mut self) -> io::Result<Sealed> {
        let mut payload = Vec::new();
        for (lane, (count, hash)) in &self.lanes {
            payload.extend(lane.to_le_bytes());
            payload.extend(count.to_le_bytes());
            payload.extend(hash);
        }
        let records = self.lanes.iter().filter(|(lane, _)| **lane != OUTPUT);
        let records = records.map(|(_, (count, _))| count).sum();
        // Its own lane is none of the others: nothing is before it but the header.
        let digest = self.link(Kind::End, OUTPUT - 1, &payload)?;
        self.file.flush()?;
        Ok(Sealed {
            path: self.path,
            records,
            digest: hex(&digest),
        })
    }

    fn link(&mut self, kind: Kind, lane: u32, payload: &[u8]) -> io::Result<Hash> {
        let length = u32::try_from(payload.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let head = head(kind.number(), lane, self.number, length);
        let (count, before) = self.lanes.entry(lane).or_insert((0, self.genesis));
        let hash = link_hash(before, &head, payload);
        (*count, *before) = (*count + 1, hash);
        self.number += 1;
        self.file.write_all(&head)?;
        self.file.write_all(payload)?;
        self.file.write_all(&hash)?;
        Ok(hash)
    }
}

/// A hash in digits.
pub fn hex(hash: &Hash) -> String {
    use std::fmt::Write as _;

    hash.iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// A record's bytes: its time, context and kind, then its fields, little-endian, in the order of
/// their declaration. The lane is its CPU.
fn encode(out: &mut Vec<u8>, record: &Record) {
    let word = |out: &mut Vec<u8>, word: u64| out.extend(word.to_le_bytes());
    let half = |out: &mut Vec<u8>, half: u32| out.extend(half.to_le_bytes());
    let at = |out: &mut Vec<u8>, at: &Firing| {
        [at.probe, at.pid, at.tid].map(|part| half(out, part));
    };
    let name = |out: &mut Vec<u8>, name: &ExecName| {
        half(out, name.as_bytes().len() as u32);
        out.extend(name.as_bytes());
    };
    word(out, record.time);
    let context = match record.context {
        Context::Task => 0,
        Context::Softirq => 1,
        Context::Irq => 2,
        Context::Nmi => 3,
        Context::Other(number) => 0x100 | u32::from(number),
    };
    half(out, context);
    match &record.event {
        Event::Entry { at: firing, args } => {
            half(out, 1);
            at(out, firing);
            args.map(|arg| word(out, arg));
        }
        Event::Return {
            at: firing,
            value,
            elapsed,
        } => {
            half(out, 2);
            at(out, firing);
            [*value, *elapsed].map(|part| word(out, part));
        }
        Event::Called { at: firing, who } => {
            half(out, 3);
            at(out, firing);
            half(out, who.uid);
            name(out, &who.execname);
        }
        Event::Returned {
            at: firing,
            who,
            result,
            elapsed,
        } => {
            half(out, 4);
            at(out, firing);
            half(out, who.uid);
            name(out, &who.execname);
            half(out, u32::from(result.is_some()));
            half(out, result.unwrap_or(0) as u32);
            word(out, *elapsed);
        }
        Event::Clause {
            at: firing,
            clause,
            speculation,
            items,
        } => {
            half(out, 5);
            at(out, firing);
            half(out, *clause);
            word(out, *speculation);
            out.extend_from_slice(items);
        }
        Event::Fault {
            at: firing,
            clause,
            fault,
            instruction,
            epid,
            address,
        } => {
            half(out, 6);
            at(out, firing);
            [*clause, *fault, *instruction, *epid].map(|part| half(out, part));
            word(out, *address);
        }
        Event::Lost { count } => {
            half(out, 7);
            word(out, *count);
        }
        Event::Skipped { bytes } => {
            half(out, 8);
            word(out, *bytes);
        }
    }
}

/// Where the chain of an output is.
pub fn beside(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".chain");
    name.into()
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn firing() -> impl Strategy<Value = Firing> {
        (any::<u32>(), any::<u32>(), any::<u32>()).prop_map(|(probe, pid, tid)| Firing {
            probe,
            pid,
            tid,
        })
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            (firing(), any::<[u64; 6]>()).prop_map(|(at, args)| Event::Entry { at, args }),
            (firing(), any::<u64>(), any::<u64>())
                .prop_map(|(at, value, elapsed)| { Event::Return { at, value, elapsed } }),
            (
                firing(),
                any::<u32>(),
                proptest::collection::vec(any::<u8>(), 0..40)
            )
                .prop_map(|(at, clause, items)| Event::Clause {
                    at,
                    clause,
                    speculation: 0,
                    items: items.into(),
                }),
            any::<u64>().prop_map(|count| Event::Lost { count }),
        ]
    }

    /// Any records, of a few CPUs.
    pub(crate) fn records() -> impl Strategy<Value = Vec<Record>> {
        let record = (any::<u64>(), 0..3_u32, event()).prop_map(|(time, cpu, event)| Record {
            time,
            cpu,
            context: Context::Task,
            event,
        });
        proptest::collection::vec(record, 2..12)
    }

    fn bytes(record: &Record) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(&mut bytes, record);
        bytes
    }

    proptest! {
        #[test]
        fn different_records_are_different_bytes(records in records()) {
            for one in &records {
                for other in &records {
                    let same = (one.time, &one.event) == (other.time, &other.event);
                    prop_assert_eq!(same, bytes(one) == bytes(other));
                }
            }
        }
    }

    #[test]
    fn a_chain_lies_beside_its_output() {
        assert_eq!(
            beside(Path::new("/tmp/out.txt")),
            Path::new("/tmp/out.txt.chain")
        );
    }

    #[test]
    fn an_earlier_chain_is_not_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.chain");
        Chain::create(&path, 0).unwrap().seal().unwrap();
        let error = Chain::create(&path, 0).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    }
}
