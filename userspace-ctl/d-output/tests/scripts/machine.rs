// SPDX-License-Identifier: GPL-2.0-only
//! A machine that has no kernel: the module's interpreter and tables, the probes BEGIN, END, ERROR
//! and timers, and the printer.
//!
//! `surroundings` is what firings find, `printed` what prints; here they are put together and run.
#![forbid(unsafe_code)]

mod printed;
mod surroundings;

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::AtomicU64;

use d_compiler::ast::Description;
use d_compiler::compiled::Compiled;
use d_compiler::types::Types;
use d_output::aggregations::Store;
use d_output::messages::{self, Drop};
use d_output::options::Options;
use d_output::record;
use d_output::trace::{self, Printer};
use d_output::world::Probe;

use self::printed::{Names, Printed, Recorded};
use self::surroundings::{Shared, Surroundings, Words};
use crate::program::aggregations::{Function, Placed, Shape, Table};
use crate::program::dynamic;
use crate::program::globals::Globals;
use crate::program::interpret::{Firing, Outcome, Room};
use crate::program::layout::layout;
use crate::program::rights::Rights;
use crate::program::speculations::Speculations;
use crate::program::verify::{self, Mark, verify};
use crate::program::{Aggregation, Clause, Fault, Program, Slot, Variable};

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

/// As RTRACE_DYNVARS_SURE: for so many dynamic variables there is room in any case.
const DYNVARS_SURE: u32 = 4096;

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
        let runs = self.program.clauses.iter().enumerate();
        let runs = runs.flat_map(|(index, clause)| {
            let enabled = self.enabled[index].iter();
            let enabled = enabled.filter(|(of, _)| *of == event.probe);
            enabled.map(move |(_, epid)| (index, clause, epid))
        });
        for (index, clause, epid) in runs {
            if exited && !event.goes_on {
                break;
            }
            let world = firing.world();
            world.probe = self.probes[event.probe as usize].0.clone();
            world.epid = *epid;
            world.arguments = event.arguments;
            let outcome = firing.run(clause);
            exited |= firing.exits();
            firing.settle(matches!(outcome, Outcome::Recorded(_)));
            match outcome {
                Outcome::Recorded(record) => {
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
                    made.push(Made::Fault(match event.nested {
                        true => messages::Drop::Error.message(1, false),
                        false => messages::fault(&fault, of, action),
                    }));
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

/// Memory that all CPUs use.
fn words_of(count: usize) -> Vec<AtomicU64> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
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
    if dynamic_most == Some(0) {
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
        .map(|variable| variable.loaded(strsize))
        .map(|variable| Variable {
            scope: variable.scope,
            value: variable.value,
            bytes: variable.bytes,
            keys: variable.keys,
            ..Variable::default()
        })
        .collect();
    let aggregations: Vec<Aggregation> = (compiled.aggregations.iter())
        .map(|aggregation| aggregation.loaded(strsize))
        .map(|aggregation| Aggregation {
            function: aggregation.function,
            keys: aggregation.keys,
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
        globals: sizes.globals,
        strsize,
        speculations,
    };
    let mut marks = vec![Mark::default(); verify::CLAUSE_INSNS_MAX];
    verify(&program, Rights::Kernel, &mut marks, &mut [])
        .map_err(|refused| format!("the module refuses it at {}: {}", refused.at, refused.why))?;
    let mut epid = 0;
    let mut enabled = Vec::new();
    for clause in &compiled.clauses {
        let mut all = Vec::new();
        for (index, probe) in (0..).zip(&probes) {
            let named = |description: &Description| description.name == probe.0.name;
            for _ in clause.descriptions.iter().filter(|one| named(one)) {
                epid += 1;
                all.push((index, epid));
            }
        }
        enabled.push(all);
    }
    let count = Speculations::<Shared>::words(speculations, 1).unwrap_or(0);
    let memory = words_of(count);
    let globals = words_of(sizes.globals as usize / 8);
    let most = u32::try_from(dynamic_most.unwrap_or(0)).unwrap_or(u32::MAX);
    let sure = dynamic::Shape::words(most.min(DYNVARS_SURE), sizes.dynamic);
    let dynamic_words = words_of((dynvarsize as usize / 8).max(sure.unwrap_or(0)));
    let dynamic = match sizes.dynamic {
        0 => None,
        payload => dynamic::Shape::limited(dynamic_words.len(), payload, most, 1),
    };
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
            globals: Globals::new(&globals[..]),
            dynamic: dynamic.map(|shape| dynamic::Table::new(&dynamic_words[..], shape)),
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
