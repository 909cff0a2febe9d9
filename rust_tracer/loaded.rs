// SPDX-License-Identifier: GPL-2.0

//! A program as a session holds it: copied from its owner, verified, and never changed again.

#![forbid(unsafe_code)]

use kernel::prelude::*;

use crate::{
    abi,
    program::{
        aggregations,
        dynamic,
        insn::{
            op,
            Insn, //
        },
        quick,
        scope,
        simple::{
            Simple,
            Then, //
        },
        speculations::Speculations,
        Aggregation,
        Clause,
        Program,
        Slot,
        Variable,
        CLAUSE_SYSCALL, //
    },
};

/// How much there is to be of what a program's state is made of, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) strsize: u32,
    pub(crate) speculations: u32,
    pub(crate) specsize: u64,
    pub(crate) aggsize: u64,
    pub(crate) dynvarsize: u64,
    /// Not bytes, but how many dynamic variables; 0: as many as fit.
    pub(crate) dynvars: u32,
    /// Of all clause-local and of all global variables; known once it is laid out.
    pub(crate) locals: u32,
    pub(crate) globals: u32,
}

/// The parts of a program.
pub(crate) struct Loaded {
    pub(crate) code: KVVec<u64>,
    pub(crate) clauses: KVVec<Clause>,
    pub(crate) constants: KVVec<u64>,
    pub(crate) strings: KVVec<u8>,
    pub(crate) variables: KVVec<Variable>,
    pub(crate) aggregations: KVVec<Aggregation>,
    pub(crate) slots: KVVec<Slot>,
    /// By instruction: the action that it is part of. Empty: nobody said.
    pub(crate) actions: KVVec<u16>,
    /// By clause: what one run of it costs at most ([`cost`](crate::program::cost)).
    pub(crate) costs: KVVec<u32>,
    /// By clause: see [`quick::instructions`].
    pub(crate) quick: KVVec<u16>,
    /// By clause.
    pub(crate) simple: KVVec<Option<Simple>>,
    /// Whether it asks for a call's arguments when the call returns.
    pub(crate) asks_entry_arguments: bool,
    pub(crate) sizes: Sizes,
}

impl Loaded {
    /// The program, to be verified or run. Any context.
    #[inline(always)]
    pub(crate) fn program(&self) -> Program<'_> {
        Program {
            code: &self.code,
            clauses: &self.clauses,
            constants: &self.constants,
            strings: &self.strings,
            variables: &self.variables,
            aggregations: &self.aggregations,
            slots: &self.slots,
            locals: self.sizes.locals,
            globals: self.sizes.globals,
            strsize: self.sizes.strsize,
            speculations: self.sizes.speculations,
        }
    }

    /// Finds what of its clauses runs quickly, or need not run, once it is verified.
    pub(crate) fn prepare(&mut self) -> Result {
        let count = self.clauses.len();
        let mut all_quick = KVVec::with_capacity(count, GFP_KERNEL_ACCOUNT)?;
        let mut all_simple = KVVec::with_capacity(count, GFP_KERNEL_ACCOUNT)?;
        for clause in &self.clauses {
            let program = self.program();
            all_quick.push(quick::instructions(&program, clause), GFP_KERNEL_ACCOUNT)?;
            all_simple.push(Simple::new(&program, clause), GFP_KERNEL_ACCOUNT)?;
        }
        self.quick = all_quick;
        self.simple = all_simple;
        let first = abi::RTRACE_VAR_ENTRYARG0;
        self.asks_entry_arguments = self.asks(op::GET, |which| (first..first + 6).contains(&which));
        Ok(())
    }

    /// What a clause comes to, if it is simple.
    pub(crate) fn simple(&self, clause: u16) -> Option<Simple> {
        self.simple.get(usize::from(clause)).copied().flatten()
    }

    /// Whether a clause does but aggregate under its probe's name.
    pub(crate) fn aggregates_by_probe(&self) -> bool {
        let mut simple = self.simple.iter().flatten();
        simple.any(|simple| matches!(simple.then, Then::AggregateByProbe(..)))
    }

    /// Bytes that it holds.
    pub(crate) fn memory(&self) -> usize {
        size_of::<Self>()
            + size_of_val(&self.code[..])
            + size_of_val(&self.clauses[..])
            + size_of_val(&self.constants[..])
            + self.strings.len()
            + size_of_val(&self.variables[..])
            + size_of_val(&self.aggregations[..])
            + size_of_val(&self.slots[..])
            + size_of_val(&self.actions[..])
            + size_of_val(&self.costs[..])
            + size_of_val(&self.quick[..])
            + size_of_val(&self.simple[..])
    }

    /// How many speculations there are at once.
    pub(crate) fn speculations(&self) -> u32 {
        self.sizes.speculations
    }

    /// The aggregations, as the tables know them.
    pub(crate) fn aggregations(&self) -> Result<KVec<aggregations::Placed>> {
        let mut all = KVec::with_capacity(self.aggregations.len(), GFP_KERNEL_ACCOUNT)?;
        for aggregation in &self.aggregations {
            let function =
                aggregations::Function::new(aggregation.function, &aggregation.parameters)
                    .ok_or(EINVAL)?;
            let new = aggregations::Placed::new(function, aggregation.keys != 0);
            all.push(new, GFP_KERNEL_ACCOUNT)?;
        }
        Ok(all)
    }

    /// Whether the tables of aggregations have room for an entry.
    pub(crate) fn aggregations_fit(&self) -> Result<bool> {
        let mut all = self.aggregations()?;
        let shape = aggregations::Shape::new(&mut all, self.aggregation_words(), 0);
        Ok(all.is_empty() || shape.is_some())
    }

    /// Bytes of the largest entry of struct rtrace_aggregate_entry, with what follows it.
    pub(crate) fn entry_max(&self) -> u64 {
        let bytes = |aggregation: &Aggregation| {
            let (function, parameters) = (aggregation.function, &aggregation.parameters);
            let words = aggregations::Function::new(function, parameters).map_or(0, |f| f.words());
            let head = size_of::<abi::rtrace_aggregate_entry>() as u64;
            head + u64::from(aggregation.keys) + 8 * u64::from(words)
        };
        self.aggregations.iter().map(bytes).max().unwrap_or(0)
    }

    /// Words of one of a CPU's tables of aggregations.
    pub(crate) fn aggregation_words(&self) -> usize {
        if self.aggregations.is_empty() {
            return 0;
        }
        (self.sizes.aggsize / 8) as usize
    }

    /// Words of all global variables.
    pub(crate) fn global_words(&self) -> usize {
        self.sizes.globals.div_ceil(8) as usize
    }

    /// The dynamic variables.
    fn dynamic(&self) -> impl Iterator<Item = &Variable> {
        self.variables
            .iter()
            .filter(|variable| !matches!(variable.scope, scope::GLOBAL | scope::LOCAL))
    }

    /// Words of all dynamic variables.
    pub(crate) fn dynamic_words(&self) -> usize {
        if self.dynamic().next().is_none() {
            return 0;
        }
        let given = (self.sizes.dynvarsize / 8) as usize;
        let sure = match self.sizes.dynvars.min(abi::RTRACE_DYNVARS_SURE) {
            0 => None,
            sure => dynamic::Shape::words(sure, self.dynamic_payload()),
        };
        given.max(sure.unwrap_or(0))
    }

    /// The shape of the table of dynamic variables, if there are any and one has room. `seed` is a
    /// random number.
    pub(crate) fn dynamic_shape(&self, seed: u64) -> Option<dynamic::Shape> {
        let (words, payload) = (self.dynamic_words(), self.dynamic_payload());
        dynamic::Shape::limited(words, payload, self.sizes.dynvars, seed)
    }

    /// Words of the largest dynamic variable with its keys.
    fn dynamic_payload(&self) -> u32 {
        let words = |variable: &Variable| variable.keys.div_ceil(8) + variable.bytes.div_ceil(8);
        self.dynamic().map(words).max().unwrap_or(0)
    }

    /// Whether there is room for a dynamic variable, if there are any.
    pub(crate) fn dynamic_variables_fit(&self) -> bool {
        self.dynamic().next().is_none() || self.dynamic_shape(0).is_some()
    }

    /// Words of all speculations, for CPUs with numbers below `cpus`.
    pub(crate) fn speculation_words(&self, cpus: u32) -> Option<usize> {
        Speculations::<&[core::sync::atomic::AtomicU64]>::words(self.sizes.speculations, cpus)
    }

    /// The action that an instruction of a clause is part of. Any context.
    pub(crate) fn action(&self, clause: &Clause, at: u32) -> u16 {
        let index = clause.first.wrapping_add(at) as usize;
        self.actions.get(index).copied().unwrap_or(0)
    }

    /// Whether a clause knows its probes as system calls.
    pub(crate) fn is_of_system_calls(clause: &Clause) -> bool {
        clause.flags & CLAUSE_SYSCALL != 0
    }

    /// Whether the program asks for a built-in of these (RTRACE_VAR_*), by this operation.
    fn asks(&self, operation: u8, which: impl Fn(u32) -> bool) -> bool {
        self.code.iter().any(|word| {
            let insn = Insn::decode(*word);
            insn.op == operation && which(insn.i as u32)
        })
    }

    /// Whether it asks for the names of probes.
    pub(crate) fn asks_names(&self) -> bool {
        let names = abi::RTRACE_VAR_PROBEMOD..=abi::RTRACE_VAR_PROBENAME;
        self.asks(op::GETSTR, |which| names.contains(&which))
    }
}
