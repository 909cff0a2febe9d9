// SPDX-License-Identifier: GPL-2.0-only
//! What a clause has written into the ring: its head and items, or a fault.
#![forbid(unsafe_code)]

use crate::values::{Malformed, Reader};

/// A firing's clause and what it recorded (struct rtrace_record_clause and what follows). Who
/// reads it from the ring may put the compiler's index of the clause in place of the module's,
/// and mark the probe (see [`crate::world::World::probe`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firing<'a> {
    /// RTRACE_CONTEXT_*
    pub context: u8,
    /// ns of CLOCK_MONOTONIC.
    pub time: u64,
    /// The probe's index.
    pub probe: u32,
    /// The CPU.
    pub cpu: u32,
    /// The process.
    pub pid: u32,
    /// The thread.
    pub tid: u32,
    /// The clause's index.
    pub clause: u32,
    /// How many items there are.
    pub count: u32,
    /// The mark of the speculation that it belongs to; 0: none.
    pub speculation: u64,
    /// The items.
    pub items: &'a [u8],
}

/// A clause that could not go on (struct rtrace_record_fault).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// RTRACE_CONTEXT_*
    pub context: u8,
    /// ns of CLOCK_MONOTONIC.
    pub time: u64,
    /// The probe's index.
    pub probe: u32,
    /// The CPU.
    pub cpu: u32,
    /// The process.
    pub pid: u32,
    /// The thread.
    pub tid: u32,
    /// The clause's index.
    pub clause: u32,
    /// RTRACE_FAULT_*
    pub fault: u32,
    /// The instruction, from the clause's first, which is 0.
    pub instruction: u32,
    /// The enabling: what the program sees as `epid`.
    pub epid: u32,
    /// The address that was asked for.
    pub address: u64,
}

impl<'a> Firing<'a> {
    /// Its items, one after the other.
    pub(crate) fn items(&self) -> Result<Vec<Item<'a>>, Malformed> {
        let mut reader = Reader(self.items);
        (0..self.count).map(|_| Item::read(&mut reader)).collect()
    }
}

/// An item (struct rtrace_item and its payload).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<'a> {
    pub(crate) argument: u16,
    pub(crate) action: u16,
    pub(crate) payload: &'a [u8],
}

impl<'a> Item<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let name = reader.u32("item's name")?;
        let bytes = reader.u32("item's size")?;
        Ok(Self {
            argument: name as u16,
            action: (name >> 16) as u16,
            payload: reader.padded(bytes.into(), "item's payload")?,
        })
    }
}
