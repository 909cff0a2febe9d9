// SPDX-License-Identifier: GPL-2.0-only
//! The module in memory, for tests: a [`Device`] whose functions, firings and
//! failures the test decides.
//!
//! It keeps the rules that a reader can see (states, rings, loss records, the
//! ledger's sums), and none of those that only the kernel can keep.

#![forbid(unsafe_code)]

mod access;
mod glob;
mod ring;
mod views;

use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use zerocopy::IntoBytes;

use self::glob::glob;
use crate::abi;
use crate::device::{Area, Command, Device, Memory};
use crate::function::Kind;
use crate::record::{Context, Event, Firing, Record};

pub use access::FakeObserver;
pub use ring::FakeRing;
pub use views::row;

/// A function of the fake kernel.
#[derive(Clone, Debug)]
pub struct FakeFunction {
    /// Its module.
    pub module: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its other names, separated by spaces.
    pub aliases: &'static str,
    /// `RTRACE_WHY_*`.
    pub why: u16,
    /// Whether a stub may follow its calls.
    pub stub: bool,
}

/// What probe 0, on an entry, records of a task.
pub fn entry(cpu: u32, time: u64) -> Record {
    let at = Firing {
        probe: 0,
        pid: 1,
        tid: 2,
    };
    Record {
        time,
        cpu,
        context: Context::Task,
        event: Event::Entry { at, args: [0; 6] },
    }
}

/// The ways that attach any probe, and all there are; a bit for each `RTRACE_WAY_*`. No slot is free.
const WAYS_NEEDED: u32 = (1 << abi::RTRACE_WAY_OPS) | (1 << abi::RTRACE_WAY_FPROBE);
const WAYS: u32 = WAYS_NEEDED | (1 << abi::RTRACE_WAY_STUB) | (1 << abi::RTRACE_WAY_SLOT);

impl FakeFunction {
    /// A traceable function of the kernel proper.
    pub fn new(name: &'static str) -> Self {
        Self {
            module: "vmlinux",
            name,
            aliases: "",
            why: 0,
            stub: false,
        }
    }

    /// `RTRACE_WAY_*` of a probe of this kind, by one of these ways. Entries go by a
    /// stub only beside a return.
    fn way(&self, kind: u8, beside_return: bool, ways: u32) -> u8 {
        let is_return = u32::from(kind) == abi::RTRACE_KIND_RETURN;
        let has_stub = self.stub && ways & (1 << abi::RTRACE_WAY_STUB) != 0;
        let way = match (is_return, has_stub && (is_return || beside_return)) {
            (_, true) => abi::RTRACE_WAY_STUB,
            (true, false) => abi::RTRACE_WAY_FPROBE,
            (false, false) => abi::RTRACE_WAY_OPS,
        };
        way as u8
    }
}

/// The fake module with one session.
#[derive(Debug)]
pub struct Fake {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    functions: Vec<FakeFunction>,
    /// The function's index and `RTRACE_KIND_*` of each probe.
    probes: Vec<(usize, u8)>,
    cpus: u32,
    rings: Vec<Option<FakeRing>>,
    ring_bytes: u64,
    policy: u32,
    ways: u32,
    state: u32,
    reason: u32,
    generation: u64,
    rows: Vec<abi::rtrace_ledger_row>,
    refusal: Option<(&'static str, Errno, &'static str)>,
    said: (i32, &'static str),
    target: Option<i32>,
    others: access::Others,
    /// Names of the module's own probes.
    own: Vec<String>,
    /// The clauses of the program that was loaded.
    clauses: Vec<abi::rtrace_clause>,
    /// What each CPU has aggregated since it was asked: whole entries.
    aggregated: Vec<(u32, Vec<u8>)>,
    unspeculated: u64,
    views: views::Views,
}

impl Fake {
    /// A module that knows these functions, on so many CPUs.
    pub fn new(cpus: u32, functions: Vec<FakeFunction>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                functions,
                probes: Vec::new(),
                cpus,
                rings: (0..cpus).map(|_| None).collect(),
                ring_bytes: abi::RTRACE_RING_MIN.into(),
                policy: abi::RTRACE_POLICY_SWITCH,
                ways: WAYS,
                state: abi::RTRACE_STATE_IDLE,
                reason: abi::RTRACE_REASON_NONE,
                generation: 1,
                rows: Vec::new(),
                refusal: None,
                said: (0, ""),
                target: None,
                others: access::Others::default(),
                own: Vec::new(),
                clauses: Vec::new(),
                aggregated: Vec::new(),
                unspeculated: 0,
                views: views::Views::default(),
            }),
        })
    }

    /// Makes the command of this name (as in the header, in lower case) fail.
    pub fn refuse(&self, command: &'static str, errno: Errno, text: &'static str) {
        self.lock().refusal = Some((command, errno, text));
    }

    /// Lets it succeed again.
    pub fn allow(&self) {
        self.lock().refusal = None;
    }

    /// The process to which the session was narrowed.
    pub fn target(&self) -> Option<i32> {
        self.lock().target
    }

    /// Ends the session by itself, or changes its state.
    pub fn set_state(&self, state: u32, reason: u32) {
        let this = &mut *self.lock();
        (this.state, this.reason) = (state, reason);
        this.publish();
    }

    /// Changes the ledger behind the module's back: adds so many firings.
    pub fn cook_ledger(&self, fired: u64) {
        if let Some(row) = self.lock().rows.first_mut() {
            row.fired += fired;
        }
    }

    /// speculation() was called once more, and found none free.
    pub fn miss_speculation(&self) {
        self.lock().unspeculated += 1;
    }

    /// A probe fires, on the record's CPU. Returns whether there was room.
    pub fn fire(&self, record: &Record) -> bool {
        let this = &mut *self.lock();
        let Some(Some(ring)) = this.rings.get_mut(record.cpu as usize) else {
            return false;
        };
        let written = ring.write(record);
        let probe = record.event.firing().map_or(0, |at| at.probe);
        let at = this
            .rows
            .iter()
            .position(|row| (row.probe, row.cpu) == (probe, record.cpu));
        let at = at.unwrap_or_else(|| {
            this.rows.push(abi::rtrace_ledger_row {
                probe,
                cpu: record.cpu,
                ..Default::default()
            });
            this.rows.len() - 1
        });
        let row = &mut this.rows[at];
        row.fired += 1;
        row.recorded += u64::from(written);
        row.dropped[abi::RTRACE_DROP_FULL as usize] += u64::from(!written);
        if record.event.kind() == Some(Kind::Return) {
            row.entered += 1;
            row.returned += 1;
        }
        if !written && this.policy == abi::RTRACE_POLICY_FILL {
            this.reason = abi::RTRACE_REASON_FILLED;
        }
        this.publish();
        written
    }

    /// The clauses of the program that was loaded.
    pub fn clauses(&self) -> Vec<abi::rtrace_clause> {
        self.lock().clauses.clone()
    }

    /// A CPU aggregates something: these words for these keys.
    pub fn aggregate(&self, cpu: u32, aggregation: u32, keys: &[u8], words: &[u64]) {
        let head = abi::rtrace_aggregate_entry {
            entry_size: (size_of::<abi::rtrace_aggregate_entry>() + keys.len() + 8 * words.len())
                as u32,
            aggregation,
            key_bytes: keys.len() as u32,
            words: words.len() as u32,
        };
        let entry = [head.as_bytes(), keys, words.as_bytes()].concat();
        self.lock().aggregated.push((cpu, entry));
    }

    /// A CPU comes online.
    pub fn plug(&self) {
        let this = &mut *self.lock();
        let cpu = this.cpus - 1;
        this.rings[cpu as usize] = Some(FakeRing::new(cpu, this.ring_bytes));
        this.generation += 1;
        this.publish();
    }

    /// Keeps the last CPU offline: it gets no ring at the start.
    pub fn unplug(&self) {
        self.lock().rings.pop();
    }

    /// A function of a module that was loaded meanwhile gets its probe.
    pub fn add_late(&self, function: FakeFunction) {
        let this = &mut *self.lock();
        this.functions.push(function);
        this.probes.push((this.functions.len() - 1, 0));
        this.generation += 1;
        this.publish();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Device for Fake {
    fn command(&self, command: Command<'_>) -> Result<(), Errno> {
        let this = &mut *self.lock();
        let name = name(&command);
        if let Some((_, errno, text)) = this.refusal.filter(|(refused, ..)| *refused == name) {
            this.said = (errno.raw_os_error(), text);
            return Err(errno);
        }
        this.carry_out(command)
    }

    fn map(&self, cpu: u32, area: Area, _bytes: usize) -> Result<Memory, Errno> {
        match self.lock().rings.get(cpu as usize) {
            Some(Some(ring)) => Ok(Memory::Shared(ring.area(area))),
            _ => Err(Errno::NXIO),
        }
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

impl State {
    fn carry_out(&mut self, command: Command<'_>) -> Result<(), Errno> {
        match command {
            Command::Info(info) => {
                info.abi_major = abi::RTRACE_ABI_MAJOR as u16;
                info.abi_minor = abi::RTRACE_ABI_MINOR as u16;
                info.clock = abi::RTRACE_CLOCK_MONOTONIC;
                info.cpus = self.cpus;
                info.page_size = 4096;
                info.functions = self.functions.len() as u32;
                info.generation = self.generation;
                info.ring_min = abi::RTRACE_RING_MIN.into();
                info.ring_max = abi::RTRACE_RING_MAX.into();
            }
            Command::Functions {
                arg,
                module,
                function,
                buf,
            } => self.functions(arg, module, function, buf)?,
            Command::Add {
                arg,
                module,
                function,
                ids,
            } => self.add(arg, module, function, ids),
            Command::Probes { arg, buf } => self.probes(arg, buf)?,
            Command::Config(config) => {
                let ways = if config.ways == 0 { WAYS } else { config.ways };
                let needed = match ways & (1 << abi::RTRACE_WAY_SLOT) {
                    0 => WAYS_NEEDED,
                    _ => WAYS,
                };
                if ways & !WAYS != 0 || ways & needed != needed {
                    return Err(Errno::INVAL);
                }
                self.ways = ways;
                config.ways = ways;
                if config.ring_bytes != 0 {
                    self.ring_bytes = config.ring_bytes;
                }
                self.policy = config.policy;
                config.ring_bytes = self.ring_bytes;
            }
            Command::Target(target) => self.target = Some(target.pid),
            Command::Start(start) => {
                for (cpu, ring) in self.rings.iter_mut().enumerate() {
                    *ring = Some(FakeRing::new(cpu as u32, self.ring_bytes));
                }
                self.rings.resize_with(self.cpus as usize, || None);
                self.state = abi::RTRACE_STATE_RUNNING;
                start.attached = self.probes.len() as u32;
                self.publish();
            }
            Command::Stop => {
                self.state = abi::RTRACE_STATE_STOPPED;
                self.publish();
            }
            Command::Status(status) => {
                status.state = self.state;
                status.reason = self.reason;
                status.probes = self.probes.len() as u32;
                status.attached = status.probes;
                status.policy = self.policy;
                status.ring_bytes = self.ring_bytes;
                status.generation = self.generation;
                status.rings = self.rings.iter().flatten().count() as u32;
                status.id = 1;
                status.unspeculated = self.unspeculated;
            }
            Command::Ledger { arg, buf } => self.ledger(arg, buf)?,
            Command::LastError { arg, buf } => {
                let (error, text) = self.said;
                let text = text.as_bytes();
                buf.get_mut(..text.len())
                    .ok_or(Errno::NOSPC)?
                    .copy_from_slice(text);
                (arg.len, arg.error) = (text.len() as u32, error);
            }
            Command::Program { program, .. } => self.clauses = program.clauses.to_vec(),
            Command::AddOwn { arg, name } => {
                arg.index = self.probes.len() as u32;
                self.probes.push((self.own.len(), arg.kind as u8));
                self.own.push(String::from_utf8_lossy(name).into_owned());
            }
            Command::Aggregate { arg, buf } => {
                // One entry per call, so that going on is tested as well.
                let found = self.aggregated.iter().position(|(cpu, _)| *cpu == arg.cpu);
                if let Some(at) = found {
                    let (_, entry) = self.aggregated.remove(at);
                    buf.get_mut(..entry.len())
                        .ok_or(Errno::NOSPC)?
                        .copy_from_slice(&entry);
                    (arg.count, arg.filled) = (1, entry.len() as u64);
                }
                arg.cursor = found.map_or(0, |_| arg.cursor + 1);
            }
            Command::View { .. } | Command::Owners { .. } | Command::Text { .. } => {
                self.carry_out_view(command)?;
            }
            other => self.carry_out_access(other)?,
        }
        Ok(())
    }

    fn publish(&self) {
        for ring in self.rings.iter().flatten() {
            ring.publish(self.state, self.reason, self.generation);
        }
    }

    fn matches(&self, index: usize, module: &[u8], function: &[u8]) -> bool {
        let this = &self.functions[index];
        glob(module, this.module.as_bytes())
            && std::iter::once(this.name)
                .chain(this.aliases.split_ascii_whitespace())
                .any(|name| glob(function, name.as_bytes()))
    }

    /// One entry per call, so that going on is tested as well.
    fn functions(
        &self,
        arg: &mut abi::rtrace_functions,
        module: &[u8],
        function: &[u8],
        buf: &mut [u8],
    ) -> Result<(), Errno> {
        let all = arg.flags & abi::RTRACE_FUNCTIONS_UNTRACEABLE != 0;
        let aliases = arg.flags & abi::RTRACE_FUNCTIONS_ALIASES != 0;
        let mut found = (arg.cursor as usize..self.functions.len()).filter(|&index| {
            self.matches(index, module, function) && (all || self.functions[index].why == 0)
        });
        let Some(index) = found.next() else {
            (arg.cursor, arg.count, arg.filled) = (0, 0, 0);
            return Ok(());
        };
        let this = &self.functions[index];
        let other = if aliases { this.aliases } else { "" };
        let traceable = u32::from(this.why == 0);
        let number = index as u32 + 1;
        let head = abi::rtrace_function {
            function: number * traceable,
            entry_id: (2 * number - 1) * traceable,
            return_id: 2 * number * traceable,
            entry_way: this.way(abi::RTRACE_KIND_ENTRY as u8, false, WAYS) * traceable as u8,
            return_way: this.way(abi::RTRACE_KIND_RETURN as u8, false, WAYS) * traceable as u8,
            why: this.why,
            module_len: this.module.len() as u16,
            name_len: this.name.len() as u16,
            aliases_len: other.len() as u32,
            ..Default::default()
        };
        arg.filled = put(buf, head, [this.module, this.name, other])?;
        arg.count = 1;
        arg.cursor = found.next().map_or(0, |next| next as u64);
        Ok(())
    }

    fn add(&mut self, arg: &mut abi::rtrace_add, module: &[u8], function: &[u8], ids: &[u32]) {
        let mut wanted = Vec::new();
        for index in 0..self.functions.len() {
            for kind in [0, 1] {
                let id = 2 * index as u32 + 1 + u32::from(kind);
                let named = if ids.is_empty() {
                    arg.flags & (1 << kind) != 0 && self.matches(index, module, function)
                } else {
                    ids.contains(&id)
                };
                if named && self.functions[index].why == 0 {
                    wanted.push((index, kind));
                }
            }
        }
        arg.matched = wanted.len() as u32;
        wanted.retain(|probe| !self.probes.contains(probe));
        arg.added = wanted.len() as u32;
        self.probes.extend(wanted);
    }

    fn probes(&self, arg: &mut abi::rtrace_probes, buf: &mut [u8]) -> Result<(), Errno> {
        arg.total = self.probes.len() as u32;
        arg.next = arg.total;
        let Some(&(function, kind)) = self.probes.get(arg.first as usize) else {
            return Ok(());
        };
        if kind > 1 {
            let name = &self.own[function];
            let head = abi::rtrace_probe {
                index: arg.first,
                id: 1000 + function as u32,
                kind,
                name_len: name.len() as u16,
                ..Default::default()
            };
            arg.filled = put(buf, head, [name, "", ""])?;
            (arg.count, arg.next) = (1, arg.first + 1);
            return Ok(());
        }
        let this = &self.functions[function];
        // It is decided when it is attached.
        let ways = match self.state {
            abi::RTRACE_STATE_IDLE => WAYS_NEEDED,
            _ => self.ways,
        };
        let returns = (function, abi::RTRACE_KIND_RETURN as u8);
        let head = abi::rtrace_probe {
            index: arg.first,
            id: 2 * function as u32 + 1 + u32::from(kind),
            function: function as u32 + 1,
            kind,
            way: this.way(kind, self.probes.contains(&returns), ways),
            module_len: this.module.len() as u16,
            name_len: this.name.len() as u16,
            ..Default::default()
        };
        arg.filled = put(buf, head, [this.module, this.name, ""])?;
        arg.count = 1;
        arg.next = arg.first + 1;
        Ok(())
    }

    fn ledger(&self, arg: &mut abi::rtrace_ledger, buf: &mut [u8]) -> Result<(), Errno> {
        let from = arg.cursor as usize;
        let row = self.rows.get(from);
        arg.count = u32::from(row.is_some());
        if let Some(row) = row {
            buf.get_mut(..size_of_val(row))
                .ok_or(Errno::NOSPC)?
                .copy_from_slice(row.as_bytes());
        }
        arg.cursor = if from + 1 < self.rows.len() {
            arg.cursor + 1
        } else {
            0
        };
        Ok(())
    }
}

/// A head whose first field is the size of the whole entry.
trait Entry: IntoBytes + zerocopy::Immutable {
    fn set_size(&mut self, size: u32);
}

impl Entry for abi::rtrace_function {
    fn set_size(&mut self, size: u32) {
        self.entry_size = size;
    }
}

impl Entry for abi::rtrace_probe {
    fn set_size(&mut self, size: u32) {
        self.entry_size = size;
    }
}

impl Entry for abi::rtrace_session {
    fn set_size(&mut self, size: u32) {
        self.entry_size = size;
    }
}

fn put<T: Entry>(buf: &mut [u8], mut head: T, names: [&str; 3]) -> Result<u64, Errno> {
    let names = names.concat();
    let size = (size_of::<T>() + names.len()).next_multiple_of(8);
    head.set_size(size as u32);
    let entry = buf.get_mut(..size).ok_or(Errno::NOSPC)?;
    entry[..size_of::<T>()].copy_from_slice(head.as_bytes());
    entry[size_of::<T>()..][..names.len()].copy_from_slice(names.as_bytes());
    Ok(size as u64)
}

fn name(command: &Command<'_>) -> &'static str {
    match command {
        Command::Info(_) => "info",
        Command::Functions { .. } => "functions",
        Command::Add { .. } => "add",
        Command::Probes { .. } => "probes",
        Command::Config(_) => "config",
        Command::Target(_) => "target",
        Command::Start(_) => "start",
        Command::Stop => "stop",
        Command::Status(_) => "status",
        Command::Ledger { .. } => "ledger",
        Command::LastError { .. } => "last_error",
        Command::Sessions { .. } => "sessions",
        Command::Revoke(_) => "revoke",
        Command::Publish { .. } => "publish",
        Command::Observe { .. } => "observe",
        Command::Read { .. } => "read",
        Command::Symbol { .. } => "symbol",
        Command::Quota(_) => "quota",
        Command::Program { .. } => "program",
        Command::AddOwn { .. } => "add_own",
        Command::Aggregate { .. } => "aggregate",
        Command::View { .. } => "view",
        Command::Owners { .. } => "owners",
        Command::Text { .. } => "text",
    }
}
