// SPDX-License-Identifier: GPL-2.0-only
//! What firings find: built-in variables of one process that has no memory, and the module's own tables
//! of variables, aggregations and speculations.

use std::cell::Cell;
use std::sync::atomic::AtomicU64;

use d_output::world::Probe;

use super::{PARENT, PID};
use crate::program::aggregations::Table;
use crate::program::dynamic::{self, NoRoom};
use crate::program::globals::Globals;
use crate::program::insn::{user_register, var};
use crate::program::speculations::Speculations;
use crate::program::words::Local;
use crate::program::{Fault, Full, NotSpeculated, World};

/// A CPU's words.
pub(super) struct Words(pub(super) Vec<Cell<u64>>);

impl Local for &Words {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn load(&self, index: usize) -> u64 {
        self.0.get(index).map_or(0, Cell::get)
    }

    fn store(&self, index: usize, value: u64) {
        if let Some(word) = self.0.get(index) {
            word.set(value);
        }
    }

    fn add(&self, index: usize, value: u64) {
        self.fetch_add(index, value);
    }

    fn fetch_add(&self, index: usize, value: u64) -> u64 {
        let old = self.load(index);
        self.store(index, old.wrapping_add(value));
        old
    }

    fn compare_exchange(&self, index: usize, old: u64, new: u64) -> bool {
        let same = self.load(index) == old;
        if same {
            self.store(index, new);
        }
        same
    }
}

/// Words of all CPUs.
pub(super) type Shared<'a> = &'a [AtomicU64];

/// That of all dynamic variables here.
const THREAD: u64 = 0;

/// What firings find.
pub(super) struct Surroundings<'a> {
    pub(super) probe: Probe,
    pub(super) epid: u32,
    pub(super) arguments: [u64; 6],
    pub(super) clock: u64,
    pub(super) globals: Globals<Shared<'a>>,
    pub(super) dynamic: Option<dynamic::Table<Shared<'a>>>,
    /// Assignments to dynamic variables, and speculative records, that found no room.
    pub(super) dropped: (u64, u64),
    pub(super) aggregations: Table<'a, &'a Words>,
    pub(super) speculations: Speculations<Shared<'a>>,
    pub(super) specsize: u64,
}

impl<'a> Surroundings<'a> {
    /// Does something to a dynamic variable; what finds no room is counted.
    fn change_dynamic(
        &mut self,
        change: impl FnOnce(&dynamic::Table<Shared<'a>>) -> Result<(), NoRoom>,
    ) {
        if self.dynamic.as_ref().map_or(Err(NoRoom), change).is_err() {
            self.dropped.0 += 1;
        }
    }
}

impl World for Surroundings<'_> {
    fn number(&mut self, which: u32) -> Result<u64, Fault> {
        Ok(match which {
            0..=5 => self.arguments[which as usize],
            var::TIMESTAMP | var::VTIMESTAMP | var::WALLTIMESTAMP => {
                self.clock += 1000;
                self.clock
            }
            var::ID => self.probe.id.into(),
            var::EPID => self.epid.into(),
            var::PID | var::TID => PID.into(),
            var::PPID => PARENT.into(),
            var::CURTHREAD => 0xffff_8880_0123_4000,
            which if user_register(which).is_some() => which.into(),
            _ => 0,
        })
    }

    fn text(&mut self, which: u32, into: &mut [u8]) -> Result<usize, Fault> {
        let text = match which {
            var::EXECNAME => "rtctl",
            var::PROBEPROV => &self.probe.provider,
            var::PROBEMOD => &self.probe.module,
            var::PROBEFUNC => &self.probe.function,
            var::PROBENAME => &self.probe.name,
            var::CWD => "/",
            _ => "",
        };
        let len = text.len().min(into.len());
        into[..len].copy_from_slice(&text.as_bytes()[..len]);
        Ok(len)
    }

    fn read_kernel(&mut self, address: u64, _: &mut [u8]) -> Result<(), Fault> {
        Err(Fault::bad_address(address))
    }

    fn read_kernel_text(&mut self, address: u64, _: &mut [u8]) -> Result<usize, Fault> {
        Err(Fault::bad_address(address))
    }

    fn read_user(&mut self, address: u64, _: &mut [u8]) -> Result<(), Fault> {
        Err(Fault::bad_address(address))
    }

    fn read_user_text(&mut self, address: u64, _: &mut [u8]) -> Result<usize, Fault> {
        Err(Fault::bad_address(address))
    }

    fn path(&mut self, path: u64, _: &mut [u8]) -> Result<usize, Fault> {
        Err(Fault::bad_address(path))
    }

    fn kernel_stack(&mut self, _: &mut [u64]) -> usize {
        0
    }

    fn user_stack(&mut self, _: &mut [u64]) -> (u64, usize) {
        (PID.into(), 0)
    }

    fn stack_of(&mut self, user: bool, _: usize) -> (u64, &[u64]) {
        (if user { PID.into() } else { 0 }, &[])
    }

    fn random(&mut self) -> u64 {
        self.clock = self
            .clock
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        self.clock
    }

    fn progeny_of(&mut self, pid: u64) -> bool {
        [1, u64::from(PARENT), u64::from(PID)].contains(&pid)
    }

    fn load_global(&mut self, at: usize) -> u64 {
        self.globals.load(at)
    }

    fn store_global(&mut self, at: usize, value: u64) {
        self.globals.store(at, value);
    }

    fn load_global_bytes(&mut self, at: usize, into: &mut [u8]) {
        self.globals.read_bytes(at, into);
    }

    fn store_global_bytes(&mut self, at: usize, bytes: &[u8]) {
        self.globals.write_bytes(at, bytes);
    }

    fn load_global_text(&mut self, at: usize, into: &mut [u8]) -> usize {
        self.globals.read_string(at, into)
    }

    fn store_global_text(&mut self, at: usize, room: usize, text: &[u8]) {
        self.globals.write_string(at, room, text);
    }

    fn aggregate(
        &mut self,
        aggregation: u32,
        keys: &[u64],
        value: u64,
        weight: u64,
    ) -> Result<(), Full> {
        self.aggregations.update(aggregation, keys, value, weight)
    }

    fn load_dynamic(&mut self, variable: u32, keys: &[u64]) -> u64 {
        let table = self.dynamic.as_ref();
        let found = table.and_then(|table| table.load(variable, THREAD, keys));
        found.unwrap_or(0)
    }

    fn load_dynamic_bytes(&mut self, variable: u32, keys: &[u64], into: &mut [u8]) -> bool {
        let table = self.dynamic.as_ref();
        table.is_some_and(|table| table.load_bytes(variable, THREAD, keys, into))
    }

    fn store_dynamic(&mut self, variable: u32, keys: &[u64], value: u64) {
        self.change_dynamic(|table| table.store(variable, THREAD, keys, value));
    }

    fn store_dynamic_bytes(&mut self, variable: u32, keys: &[u64], value: &[u8]) {
        self.change_dynamic(|table| table.store_bytes(variable, THREAD, keys, value));
    }

    fn free_dynamic(&mut self, variable: u32, keys: &[u64]) {
        self.change_dynamic(|table| table.remove(variable, THREAD, keys));
    }

    fn speculation(&mut self) -> u64 {
        self.speculations.take()
    }

    fn speculate(&mut self, number: u64, bytes: u32) -> Result<u64, NotSpeculated> {
        let mark = self.speculations.mark(number);
        let mark = mark.ok_or(NotSpeculated::Inactive)?;
        if self.speculations.charge(mark, 0, bytes + 8, self.specsize) {
            return Ok(mark);
        }
        self.dropped.1 += 1;
        Err(if u64::from(bytes + 8) > self.specsize {
            NotSpeculated::NoRoom
        } else {
            NotSpeculated::Full
        })
    }

    fn end_speculation(&mut self, number: u64, commit: bool) -> Option<u64> {
        if commit {
            self.speculations.begin_end(number)
        } else {
            self.speculations.end(number)
        }
    }

    fn settle_speculation(&mut self, mark: u64, ended: bool) {
        self.speculations.settle(mark, ended);
    }
}
