// SPDX-License-Identifier: GPL-2.0-only
//! What printing needs to know of the machine: probes, symbols, the time zone, types.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use d_compiler::types::{TypeId, Types};
use d_output::world::{Probe, Symbol, World, Zone};
use rust_tracer::Kind;

use super::processes::Processes;
use super::providers::{SYSCALL_IDS, syscall_name};
use crate::names::Names;

/// In the index of a probe, to printers: it is to be named as the system call that it is.
pub const AS_SYSCALL: u32 = 1 << 31;

/// What does not change from record to record.
pub struct Machine {
    /// What addresses of processes are called.
    pub processes: Processes,
    /// The types that the program knows.
    pub types: Rc<RefCell<Types>>,
    /// The process of `$target`.
    pub target: Option<u32>,
    /// Whether addresses of processes are named, where they are shown as such.
    resolve: bool,
    zone: jiff::tz::TimeZone,
    zones: RefCell<HashMap<i64, Zone>>,
    /// By name, the address that stands for all of a module of the kernel.
    modules: RefCell<HashMap<String, u64>>,
}

impl Machine {
    /// This machine.
    pub fn new(types: Rc<RefCell<Types>>, target: Option<u32>, resolve: bool) -> Self {
        Self {
            processes: Processes::default(),
            types,
            target,
            resolve,
            zone: jiff::tz::TimeZone::system(),
            zones: RefCell::default(),
            modules: RefCell::default(),
        }
    }

    /// With the session's names.
    pub fn with<'a>(&'a self, names: &'a Names) -> Told<'a> {
        Told {
            machine: self,
            names,
        }
    }
}

/// The machine and the session's names.
pub struct Told<'a> {
    machine: &'a Machine,
    names: &'a Names,
}

impl Told<'_> {
    /// The address that stands for a module of the kernel, one of whose addresses is given: the first
    /// that was asked for, as long as it is the module's. Where a module begins is not told; it lies in
    /// one piece, so that any of its addresses is ordered among other modules' as its beginning is.
    fn stands_for(&self, module: &str, address: u64) -> u64 {
        let mut modules = self.machine.modules.borrow_mut();
        if let Some(&known) = modules.get(module) {
            let name = self.names.symbols.get(known);
            let owner = name.as_deref().and_then(|name| name.split_once('`'));
            if owner.is_some_and(|(owner, _)| owner == module) {
                return known;
            }
        }
        modules.insert(module.to_owned(), address);
        address
    }
}

impl World for Told<'_> {
    fn probe(&self, index: u32) -> Option<Probe> {
        let probe = &self.names.get(index & !AS_SYSCALL)?.probe;
        let functions = Kind::ALL.contains(&probe.kind);
        let call = syscall_name(&probe.name).filter(|_| index & AS_SYSCALL != 0 && functions);
        Some(match call {
            Some(call) => Probe {
                id: SYSCALL_IDS + probe.id,
                provider: "syscall".into(),
                module: probe.module.clone(),
                function: call.into(),
                name: probe.kind.name().into(),
            },
            None => Probe {
                id: probe.id,
                provider: probe.kind.provider().into(),
                module: probe.module.clone(),
                function: probe.name.clone(),
                name: probe.label().into(),
            },
        })
    }

    fn kernel(&self, address: u64) -> Option<Symbol> {
        let name = self.names.symbols.get(address)?;
        let (module, place) = name.split_once('`')?;
        let (symbol, offset) = match place.split_once("+0x") {
            Some((symbol, offset)) => (symbol, u64::from_str_radix(offset, 16).ok()?),
            None => (place, 0),
        };
        Some(Symbol {
            base: self.stands_for(module, address),
            module: module.into(),
            name: Some((symbol.into(), address.wrapping_sub(offset))),
        })
    }

    fn user(&self, pid: u32, address: u64) -> Option<Symbol> {
        self.machine.processes.symbol(pid, address)
    }

    fn unresolved(&self) -> bool {
        !self.machine.resolve
    }

    fn mapped(&self, pid: u32, address: u64) -> Option<(String, u64)> {
        self.machine.processes.place(pid, address)
    }

    fn target(&self) -> Option<u32> {
        self.machine.target
    }

    fn zone(&self, seconds: i64) -> Zone {
        // Rules change at whole quarters of an hour.
        let slot = seconds.div_euclid(900);
        let mut zones = self.machine.zones.borrow_mut();
        let zone = zones.entry(slot).or_insert_with(|| {
            let time = jiff::Timestamp::from_second(seconds).unwrap_or_default();
            let info = self.machine.zone.to_offset_info(time);
            Zone {
                offset: info.offset().seconds(),
                name: info.abbreviation().into(),
            }
        });
        zone.clone()
    }

    fn typed(&self, _type_name: &str, type_id: u32, bytes: &[u8]) -> Option<String> {
        let types = self.machine.types.borrow();
        Some(d_compiler::print::print(&types, TypeId(type_id), bytes))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rust_tracer::Session;
    use rust_tracer::fake::{Fake, FakeFunction};

    use super::*;
    use crate::symbols::Symbols;

    const READ: u64 = 0xffff_ffff_8123_4560;
    const SYNC: u64 = 0xffff_ffff_c000_1000;

    fn base(told: &Told<'_>, address: u64) -> u64 {
        told.kernel(address).unwrap().base
    }

    #[test]
    fn one_address_of_a_module_stands_for_all_and_is_named_as_they_are() {
        let module = Fake::new(1, vec![FakeFunction::new("vfs_read")]);
        module.add_symbol(READ, "vfs_read+0x0/0x40");
        module.add_symbol(READ - 0x100, "vfs_open+0x0/0x40");
        module.add_symbol(SYNC, "ext4_sync+0x10/0x40 [ext4]");
        let session = Session::over(Arc::clone(&module) as _).unwrap();
        let names = Names::with(Symbols::of(&session, false));
        let machine = Machine::new(Rc::new(RefCell::new(Types::new(None))), None, true);
        let told = machine.with(&names);
        assert_eq!(base(&told, READ), READ);
        assert_eq!(base(&told, SYNC), SYNC);
        assert_eq!(base(&told, READ - 0x100), READ);
        assert_eq!(told.kernel(READ).unwrap().module, "vmlinux");
    }

    #[test]
    fn a_module_that_came_back_elsewhere_has_another_address_that_stands_for_it() {
        let module = Fake::new(1, vec![FakeFunction::new("vfs_read")]);
        module.add_symbol(SYNC, "ext4_sync+0x0/0x40 [ext4]");
        let session = Session::over(Arc::clone(&module) as _).unwrap();
        let machine = Machine::new(Rc::new(RefCell::new(Types::new(None))), None, true);
        machine.modules.borrow_mut().insert("ext4".into(), READ);
        let names = Names::with(Symbols::of(&session, false));
        assert_eq!(base(&machine.with(&names), SYNC), SYNC);
    }
}
