// SPDX-License-Identifier: GPL-2.0-only
//! What tests need: a small world, programs, records and entries as the module writes them.

use d_compiler::compiled::{self, Action, Clause, Compiled, Form};

use crate::aggregations::Store;
use crate::options::Options;
use crate::record::Firing;
use crate::trace::{Printer, Program, Step};
use crate::world::{Probe, Symbol, World};

/// Probes: 0 dtrace:::BEGIN (id 1), 1 profile:::tick-10 (id 7), 2 and 3 fbt:vmlinux:vfs_read's
/// entry and return, 4 and 5 syscall::read's. Symbols: each kernel address from 0x1000 on
/// belongs to the 0x100 bytes of a symbol of vmlinux; process 42 has libc.so.6 from 0x4000.
pub struct Small;

impl World for Small {
    fn probe(&self, index: u32) -> Option<Probe> {
        let (id, provider, module, function, name) = match index {
            0 => (1, "dtrace", "", "", "BEGIN"),
            1 => (7, "profile", "", "", "tick-10"),
            2 => (100, "fbt", "vmlinux", "vfs_read", "entry"),
            3 => (101, "fbt", "vmlinux", "vfs_read", "return"),
            4 => (200, "syscall", "vmlinux", "read", "entry"),
            5 => (201, "syscall", "vmlinux", "read", "return"),
            _ => return None,
        };
        Some(Probe {
            id,
            provider: provider.into(),
            module: module.into(),
            function: function.into(),
            name: name.into(),
        })
    }

    fn kernel(&self, address: u64) -> Option<Symbol> {
        (address >= 0x1000).then(|| Symbol {
            module: "vmlinux".into(),
            base: 0x1000,
            name: (address < 0x8000).then(|| (format!("s{:x}", address >> 8), address & !0xff)),
        })
    }

    fn user(&self, pid: u32, address: u64) -> Option<Symbol> {
        (pid == 42 && address >= 0x4000).then(|| Symbol {
            module: "libc.so.6".into(),
            base: 0x4000,
            name: (address < 0x5000).then(|| ("read".into(), 0x4100)),
        })
    }

    fn typed(&self, type_name: &str, _: u32, bytes: &[u8]) -> Option<String> {
        Some(format!("({type_name}) {{\n .a = {},\n}}\n", bytes.first()?))
    }
}

/// An aggregation as the compiler describes it.
pub fn aggregation(function: u32, parameters: [i64; 4], keys: &[Form]) -> compiled::Aggregation {
    compiled::Aggregation {
        name: format!("a{function}"),
        function,
        parameters: parameters.map(|parameter| parameter as u64),
        keys: keys.to_vec(),
        key_bytes: 0,
        string_keys: 0,
        signed: true,
    }
}

/// A number as an item or a key holds it.
pub fn number(value: i64) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}

/// A string as a key holds it.
pub fn string(text: &str) -> Vec<u8> {
    let mut key = number(text.len() as i64);
    key.extend_from_slice(text.as_bytes());
    key.resize(key.len().next_multiple_of(8), 0);
    key
}

/// An entry as RTRACE_IOC_AGGREGATE writes it.
pub fn entry(aggregation: u32, keys: &[u8], data: &[u64]) -> Vec<u8> {
    let size = 16 + keys.len() + 8 * data.len();
    let mut entry = Vec::new();
    for word in [
        size as u32,
        aggregation,
        keys.len() as u32,
        data.len() as u32,
    ] {
        entry.extend_from_slice(&word.to_le_bytes());
    }
    entry.extend_from_slice(keys);
    entry.extend(data.iter().flat_map(|word| word.to_le_bytes()));
    entry
}

/// An item: its action, its argument, its payload.
pub type Item = (u16, u16, Vec<u8>);

/// A record of a clause.
#[derive(Debug)]
pub struct Record {
    pub probe: u32,
    pub clause: u32,
    pub count: u32,
    pub items: Vec<u8>,
}

impl Record {
    pub fn firing(&self) -> Firing<'_> {
        Firing {
            context: 0,
            time: 1000,
            probe: self.probe,
            cpu: 3,
            pid: 42,
            tid: 43,
            clause: self.clause,
            count: self.count,
            speculation: 0,
            items: &self.items,
        }
    }
}

/// A record with these items.
pub fn record(probe: u32, clause: u32, items: &[Item]) -> Record {
    let mut bytes = Vec::new();
    for (action, argument, payload) in items {
        bytes.extend_from_slice(&argument.to_le_bytes());
        bytes.extend_from_slice(&action.to_le_bytes());
        bytes.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        bytes.extend_from_slice(payload);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
    }
    Record {
        probe,
        clause,
        count: items.len() as u32,
        items: bytes,
    }
}

/// A program of clauses with these actions; one without is the default action.
pub fn program(clauses: &[&[Action]]) -> Compiled {
    let clauses = clauses.iter().map(|actions| Clause {
        default: actions.is_empty(),
        actions: actions.to_vec(),
        ..Clause::default()
    });
    Compiled {
        clauses: clauses.collect(),
        ..Compiled::default()
    }
}

/// A program and what it prints its records with.
pub struct Session {
    pub program: Program,
    pub printer: Printer,
    pub store: Store,
}

impl Session {
    pub fn new(compiled: &Compiled, options: Options) -> Self {
        Self {
            program: Program::new(compiled).expect("its formats are formats"),
            printer: Printer::new(options),
            store: Store::new(&compiled.aggregations).expect("its aggregations are known"),
        }
    }

    pub fn steps(&mut self, record: &Record) -> Vec<Step> {
        let mut steps = Vec::new();
        self.printer
            .record(
                &self.program,
                &record.firing(),
                &mut self.store,
                &Small,
                &mut steps,
            )
            .expect("as described");
        steps
    }

    /// What a record prints.
    pub fn text(&mut self, record: &Record) -> String {
        let texts = self.steps(record).into_iter().map(|step| match step {
            Step::Text(text) => String::from_utf8(text).expect("UTF-8"),
            _ => String::new(),
        });
        texts.collect()
    }
}

/// What one action prints, quiet or not, of these items.
pub fn action_text(action: Action, items: &[Vec<u8>], options: Options) -> String {
    let mut session = Session::new(&program(&[&[action]]), options);
    let items: Vec<Item> = (0_u16..)
        .zip(items)
        .map(|(argument, payload)| (0, argument, payload.clone()))
        .collect();
    session.text(&record(0, 0, &items))
}

/// Options of `-q`.
pub fn quiet() -> Options {
    Options {
        quiet: true,
        ..Options::default()
    }
}
