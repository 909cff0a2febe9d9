// SPDX-License-Identifier: GPL-2.0-only
//! A machine that has no kernel: the module's interpreter and tables, the probes BEGIN, END, ERROR
//! and timers, and the printer.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicU64;

use d_compiler::ast::Description;
use d_compiler::compiled::Compiled;
use d_compiler::types::{TypeId, Types};
use d_output::aggregations::Store;
use d_output::messages::{self, Drop};
use d_output::options::Options;
use d_output::record;
use d_output::trace::{self, Printer, Step};
use d_output::world::{Probe, World as Told};

use crate::program::aggregations::{Function, Placed, Shape, Table};
use crate::program::insn::{user_register, var};
use crate::program::interpret::{Firing, Outcome, Room};
use crate::program::layout::layout;
use crate::program::rights::Rights;
use crate::program::speculations::Speculations;
use crate::program::verify::{self, Mark, verify};
use crate::program::words::Local;
use crate::program::{
    Aggregation, Clause, Fault, Full, NotSpeculated, Program, Slot, Variable, World,
};

/// What a run left.
pub struct Ran {
    pub output: String,
    pub errors: String,
    pub status: i32,
}

/// What options set.
pub struct Sizes {
    pub strsize: u32,
    pub speculations: u32,
    pub specsize: u64,
    pub dynvarsize: u64,
}

/// The process in which everything fires, and its parent.
pub const PID: u32 = 4242;
pub const PARENT: u32 = 4241;

/// The indices of probes that are there always.
const BEGIN: u32 = 0;
const END: u32 = 1;
const ERROR: u32 = 2;

/// Where timers interrupt: in the kernel.
const INTERRUPTED: u64 = 0xffff_ffff_8100_0000;

/// How often each timer fires if nothing ends the run before.
const TICKS: usize = 1000;

/// A probe of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Own(Probe);

fn own(id: u32, provider: &str, name: &str) -> Own {
    Own(Probe {
        id,
        provider: provider.into(),
        name: name.into(),
        ..Probe::default()
    })
}

/// The probes that a program names; nothing if there is one that is not here.
fn probes(compiled: &Compiled) -> Option<Vec<Own>> {
    let mut probes = vec![
        own(1, "dtrace", "BEGIN"),
        own(2, "dtrace", "END"),
        own(3, "dtrace", "ERROR"),
    ];
    let all = compiled
        .clauses
        .iter()
        .flat_map(|clause| &clause.descriptions);
    for Description {
        provider,
        module,
        function,
        name,
        ..
    } in all
    {
        let timer = ["tick-", "profile-"]
            .iter()
            .any(|kind| name.starts_with(kind));
        if timer && !probes.iter().any(|probe| probe.0.name == *name) {
            probes.push(own(1 + probes.len() as u32, "profile", name));
        }
        let here = probes.iter().any(|probe| probe.0.name == *name);
        let of = ["", "dtrace", "profile"].contains(&provider.as_str());
        if !here || !of || !module.is_empty() || !function.is_empty() {
            return None;
        }
    }
    Some(probes)
}

/// A CPU's words.
struct Words(Vec<Cell<u64>>);

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

/// What firings find.
struct Surroundings<'a> {
    probe: Probe,
    epid: u32,
    arguments: [u64; 6],
    clock: u64,
    globals: Vec<u64>,
    dynamic: BTreeMap<(u32, Vec<u64>), Vec<u8>>,
    dynamic_most: u64,
    /// Assignments to dynamic variables, and speculative records, that found no room.
    dropped: (u64, u64),
    aggregations: Table<'a, &'a Words>,
    speculations: Speculations<&'a [AtomicU64]>,
    specsize: u64,
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
        self.globals[at]
    }

    fn store_global(&mut self, at: usize, value: u64) {
        self.globals[at] = value;
    }

    fn load_global_bytes(&mut self, at: usize, into: &mut [u8]) {
        for (index, byte) in into.iter_mut().enumerate() {
            *byte = self.globals[at + index / 8].to_ne_bytes()[index % 8];
        }
    }

    fn store_global_bytes(&mut self, at: usize, bytes: &[u8]) {
        for (index, byte) in bytes.iter().enumerate() {
            let mut word = self.globals[at + index / 8].to_ne_bytes();
            word[index % 8] = *byte;
            self.globals[at + index / 8] = u64::from_ne_bytes(word);
        }
    }

    fn load_global_text(&mut self, at: usize, into: &mut [u8]) -> usize {
        self.load_global_bytes(at, into);
        into.iter()
            .position(|byte| *byte == 0)
            .unwrap_or(into.len())
    }

    fn store_global_text(&mut self, at: usize, room: usize, text: &[u8]) {
        let text = &text[..text.len().min(room - 1)];
        self.store_global_bytes(at, &[text, b"\0"].concat());
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
        let mut bytes = [0; 8];
        self.load_dynamic_bytes(variable, keys, &mut bytes);
        u64::from_ne_bytes(bytes)
    }

    fn load_dynamic_bytes(&mut self, variable: u32, keys: &[u64], into: &mut [u8]) -> bool {
        let Some(value) = self.dynamic.get(&(variable, keys.to_vec())) else {
            return false;
        };
        for (index, byte) in into.iter_mut().enumerate() {
            *byte = value.get(index).copied().unwrap_or(0);
        }
        true
    }

    fn store_dynamic(&mut self, variable: u32, keys: &[u64], value: u64) {
        self.store_dynamic_bytes(variable, keys, &value.to_ne_bytes());
    }

    fn store_dynamic_bytes(&mut self, variable: u32, keys: &[u64], value: &[u8]) {
        let key = (variable, keys.to_vec());
        let is_full = self.dynamic.len() as u64 >= self.dynamic_most;
        if is_full && !self.dynamic.contains_key(&key) {
            self.dropped.0 += 1;
            return;
        }
        self.dynamic.insert(key, value.to_vec());
    }

    fn free_dynamic(&mut self, variable: u32, keys: &[u64]) {
        self.dynamic.remove(&(variable, keys.to_vec()));
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
        Err(NotSpeculated::NoRoom)
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

/// A record, as it lies in the ring.
#[derive(Clone, Debug)]
struct Recorded {
    probe: u32,
    clause: u32,
    count: u32,
    speculation: u64,
    items: Vec<u8>,
}

impl Recorded {
    fn firing(&self) -> record::Firing<'_> {
        record::Firing {
            context: 0,
            time: 0,
            probe: self.probe,
            cpu: 0,
            pid: PID,
            tid: PID,
            clause: self.clause,
            count: self.count,
            speculation: self.speculation,
            items: &self.items,
        }
    }
}

struct Names(Vec<Own>, Types);

impl Told for Names {
    fn probe(&self, index: u32) -> Option<Probe> {
        self.0.get(index as usize).map(|own| own.0.clone())
    }

    fn typed(&self, _: &str, type_id: u32, bytes: &[u8]) -> Option<String> {
        Some(d_compiler::print::print(&self.1, TypeId(type_id), bytes))
    }
}

/// What prints.
struct Printed<'a> {
    program: trace::Program,
    printer: Printer,
    store: Store,
    names: Names,
    words: &'a Words,
    placed: &'a [Placed],
    shape: Shape,
    held: HashMap<u64, Vec<Recorded>>,
    output: Vec<u8>,
    errors: String,
    status: Option<i32>,
}

impl Printed<'_> {
    /// Takes what was aggregated.
    fn collect(&mut self) -> Result<(), String> {
        let table = Table::new(self.words, self.placed, self.shape);
        let mut bytes = Vec::new();
        let mut cursor = 0;
        while let Some(entry) = table.entry(cursor) {
            let size = 16 + 8 * (entry.keys + entry.words);
            for word in [size, entry.aggregation, 8 * entry.keys, entry.words] {
                bytes.extend(word.to_ne_bytes());
            }
            for index in 0..entry.keys + entry.words {
                bytes.extend(table.word(&entry, index).unwrap_or(0).to_ne_bytes());
            }
            cursor = entry.next;
        }
        table.reset();
        self.store
            .merge(&bytes, &self.names)
            .map_err(|why| why.to_string())?;
        Ok(())
    }

    fn print(&mut self, recorded: &Recorded) -> Result<(), String> {
        if self.program.uses_aggregations(recorded.clause) {
            self.collect()?;
        }
        let mut steps = Vec::new();
        let firing = recorded.firing();
        self.printer
            .record(
                &self.program,
                &firing,
                &mut self.store,
                &self.names,
                &mut steps,
            )
            .map_err(|why| why.to_string())?;
        for step in steps {
            match step {
                Step::Text(text) => self.output.extend(text),
                Step::Exit(status) => self.status = Some(status),
                Step::Commit(mark) => {
                    for held in self.held.remove(&mark).unwrap_or_default() {
                        self.print(&held)?;
                    }
                }
                Step::Discard(mark) => drop(self.held.remove(&mark)),
                Step::Complaint(what) => {
                    let probe = self.names.probe(recorded.probe).unwrap_or_default();
                    self.errors += &messages::library_fault(recorded.clause + 1, &probe, &what);
                }
                // The output is no file.
                Step::Json(_) | Step::Setopt { .. } | Step::Freopen(_) | Step::Ftruncate => {}
            }
        }
        Ok(())
    }
}

/// A probe fires.
#[derive(Clone, Copy)]
struct Event {
    probe: u32,
    arguments: [u64; 6],
    /// Clauses run after exit(), too: END's, and ERROR's in it.
    goes_on: bool,
    /// It is ERROR, at a fault.
    nested: bool,
}

/// What a firing's clauses gave, in their order.
enum Made {
    Record(Recorded),
    Fault(String),
}

/// What runs.
struct Machine<'a> {
    program: &'a Program<'a>,
    compiled: &'a Compiled,
    probes: Vec<Own>,
    /// By clause: its probes, and the number of each enabling.
    enabled: Vec<Vec<(u32, u32)>>,
}

impl Machine<'_> {
    /// Runs the clauses of a probe, and ERROR's where one of them has a fault. Whether exit() ended it.
    fn fire(
        &self,
        surroundings: &mut Surroundings,
        event: Event,
        made: &mut Vec<Made>,
    ) -> Result<bool, String> {
        let mut room = Room::filled(0xa5);
        let mut firing = Firing::new(self.program, Rights::Kernel, &mut room, surroundings);
        let mut exited = false;
        for (index, clause) in self.program.clauses.iter().enumerate() {
            let mut enabled = self.enabled[index].iter();
            let Some((_, epid)) = enabled.find(|(of, _)| *of == event.probe) else {
                continue;
            };
            if exited && !event.goes_on {
                break;
            }
            let world = firing.world();
            world.probe = self.probes[event.probe as usize].0.clone();
            world.epid = *epid;
            world.arguments = event.arguments;
            let outcome = firing.run(clause);
            firing.settle(matches!(outcome, Outcome::Recorded(_)));
            match outcome {
                Outcome::Recorded(record) => {
                    exited |= record.exits;
                    let items = firing.items().iter().flat_map(|word| word.to_ne_bytes());
                    made.push(Made::Record(Recorded {
                        probe: event.probe,
                        clause: index as u32,
                        count: record.items,
                        speculation: record.speculation,
                        items: items.collect(),
                    }));
                }
                Outcome::Fault(fault, at) => {
                    let fault = self.told(index, fault, at, (event.probe, *epid));
                    let action = self.action(index, at);
                    let of = &self.probes[event.probe as usize].0;
                    made.push(Made::Fault(messages::fault(&fault, of, action)));
                    if !event.nested {
                        let error = error(&fault, action, event.goes_on);
                        exited |= self.fire(firing.world(), error, made)?;
                    }
                }
                Outcome::Dropped => return Err("an aggregation has no room".into()),
                Outcome::Filtered | Outcome::Processed | Outcome::NoSpeculation => {}
            }
        }
        Ok(exited)
    }

    fn action(&self, clause: usize, at: u32) -> u16 {
        let action_of = &self.compiled.clauses[clause].action_of;
        action_of.get(at as usize).copied().unwrap_or(0)
    }

    fn told(
        &self,
        clause: usize,
        fault: Fault,
        at: u32,
        (probe, epid): (u32, u32),
    ) -> record::Fault {
        record::Fault {
            context: 0,
            time: 0,
            probe,
            cpu: 0,
            pid: PID,
            tid: PID,
            clause: clause as u32,
            fault: fault.kind,
            instruction: at,
            epid,
            address: fault.address,
        }
    }
}

/// ERROR at a fault.
fn error(fault: &record::Fault, action: u16, goes_on: bool) -> Event {
    Event {
        probe: ERROR,
        arguments: [
            0,
            fault.epid.into(),
            action.into(),
            fault.instruction.into(),
            fault.fault.into(),
            fault.address,
        ],
        goes_on,
        nested: true,
    }
}

/// A machine and what its firings find and leave.
struct Running<'a> {
    machine: Machine<'a>,
    surroundings: Surroundings<'a>,
    printed: Printed<'a>,
}

impl Running<'_> {
    fn fire(&mut self, probe: u32, arguments: [u64; 6]) -> Result<(), String> {
        let event = Event {
            probe,
            arguments,
            goes_on: probe == END,
            nested: false,
        };
        let mut made = Vec::new();
        self.machine
            .fire(&mut self.surroundings, event, &mut made)?;
        let printed = &mut self.printed;
        for one in made {
            match one {
                Made::Record(record) if record.speculation != 0 => {
                    let held = printed.held.entry(record.speculation);
                    held.or_default().push(record);
                }
                Made::Record(record) => printed.print(&record)?,
                Made::Fault(message) => {
                    printed.errors += &message;
                    printed.errors.push('\n');
                }
            }
        }
        Ok(())
    }

    fn has_exited(&self) -> bool {
        self.printed.status.is_some()
    }
}

fn keys(fixed: u32, strings: u32, strsize: u32) -> u32 {
    fixed + strings * strsize.next_multiple_of(8)
}

/// Runs a program; nothing if it has probes that are not here.
pub fn run(
    compiled: &Compiled,
    types: Types,
    options: &Options,
    sizes: &Sizes,
) -> Result<Option<Ran>, String> {
    let Sizes {
        strsize,
        speculations,
        specsize,
        dynvarsize,
    } = *sizes;
    let Some(probes) = probes(compiled) else {
        return Ok(None);
    };
    let dynamic_most = compiled.dynamic_variables(dynvarsize, strsize);
    let dynamic_most = dynamic_most.unwrap_or(u64::MAX);
    if dynamic_most == 0 {
        return Ok(Some(Ran {
            output: String::new(),
            errors: "there is not room for one dynamic variable".into(),
            status: 1,
        }));
    }
    let clauses: Vec<Clause> = (compiled.clauses.iter())
        .map(|clause| Clause {
            group: 1,
            first: clause.first,
            count: clause.count,
            flags: u32::from(clause.default),
        })
        .collect();
    let variables: Vec<Variable> = (compiled.variables.iter())
        .map(|variable| Variable {
            scope: variable.scope,
            value: variable.value,
            bytes: if variable.value == 1 {
                strsize
            } else {
                variable.bytes
            },
            keys: keys(variable.keys, variable.string_keys, strsize),
            ..Variable::default()
        })
        .collect();
    let aggregations: Vec<Aggregation> = (compiled.aggregations.iter())
        .map(|aggregation| Aggregation {
            function: aggregation.function,
            keys: keys(aggregation.key_bytes, aggregation.string_keys, strsize),
            parameters: aggregation.parameters,
        })
        .collect();
    let mut placed = Vec::new();
    for (aggregation, of) in aggregations.iter().zip(&compiled.aggregations) {
        let function = Function::new(aggregation.function, &aggregation.parameters);
        let function = function.ok_or("an aggregation's parameters are refused")?;
        placed.push(Placed::new(function, !of.keys.is_empty()));
    }
    let words = Words(vec![Cell::new(0); 1 << 19]);
    let shape = Shape::new(&mut placed, words.0.len(), 1).ok_or("aggregations take too much")?;
    Table::new(&words, &placed, shape).reset();
    let mut slots = vec![Slot::default(); variables.len()];
    let sizes =
        layout(&variables, &mut slots).map_err(|refused| format!("refused: {}", refused.why))?;
    let program = Program {
        code: &compiled.code,
        clauses: &clauses,
        constants: &compiled.constants,
        strings: &compiled.strings,
        variables: &variables,
        aggregations: &aggregations,
        slots: &slots,
        locals: sizes.locals,
        strsize,
        speculations,
    };
    let mut marks = vec![Mark::default(); verify::CLAUSE_INSNS_MAX];
    verify(&program, Rights::Kernel, &mut marks)
        .map_err(|refused| format!("the module refuses it at {}: {}", refused.at, refused.why))?;
    let mut epid = 0;
    let mut enabled = Vec::new();
    for clause in &compiled.clauses {
        let mut all = Vec::new();
        for (index, probe) in (0..).zip(&probes) {
            let named = |description: &Description| description.name == probe.0.name;
            for _ in clause
                .descriptions
                .iter()
                .filter(|description| named(description))
                .take(1)
            {
                epid += 1;
                all.push((index, epid));
            }
        }
        enabled.push(all);
    }
    let count = Speculations::<&[AtomicU64]>::words(speculations, 1).unwrap_or(0);
    let memory: Vec<AtomicU64> = (0..count).map(|_| AtomicU64::new(0)).collect();
    let ticks = 3..probes.len() as u32;
    let mut running = Running {
        machine: Machine {
            program: &program,
            compiled,
            probes: probes.clone(),
            enabled,
        },
        surroundings: Surroundings {
            probe: Probe::default(),
            epid: 0,
            arguments: [0; 6],
            clock: 1_000_000_000,
            globals: vec![0; sizes.globals as usize / 8],
            dynamic: BTreeMap::new(),
            dynamic_most,
            dropped: (0, 0),
            aggregations: Table::new(&words, &placed, shape),
            speculations: Speculations::new(&memory[..], speculations),
            specsize,
        },
        printed: Printed {
            program: trace::Program::new(compiled).map_err(|why| why.to_string())?,
            printer: Printer::new(options.clone()),
            store: Store::new(&compiled.aggregations).map_err(|why| why.to_string())?,
            names: Names(probes, types),
            words: &words,
            placed: &placed,
            shape,
            held: HashMap::new(),
            output: Vec::new(),
            errors: String::new(),
            status: None,
        },
    };
    running.fire(BEGIN, [0; 6])?;
    for _ in 0..TICKS {
        for tick in ticks.clone() {
            if !running.has_exited() {
                running.fire(tick, [INTERRUPTED, 0, 0, 0, 0, 0])?;
            }
        }
    }
    running.fire(END, [0; 6])?;
    let mut printed = running.printed;
    let (dynamic, speculative) = running.surroundings.dropped;
    for (count, of) in [(dynamic, Drop::Dynamic), (speculative, Drop::Speculation)] {
        if count > 0 {
            printed.errors += &of.message(count, printed.printer.options.droptags);
            printed.errors.push('\n');
        }
    }
    printed.collect()?;
    printed.output.push(b'\n');
    printed.store.print_rest(
        &mut printed.output,
        &printed.printer.options,
        &printed.names,
    );
    Ok(Some(Ran {
        output: String::from_utf8_lossy(&printed.output).into_owned(),
        errors: printed.errors,
        status: printed.status.unwrap_or(0),
    }))
}
