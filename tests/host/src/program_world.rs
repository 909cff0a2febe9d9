// SPDX-License-Identifier: GPL-2.0

//! The surroundings of a firing, for the tests: a little kernel and user memory, tables that are
//! plain maps, and a count of the work that is done.

use std::collections::BTreeMap;

use crate::program::insn::{var, Insn, ARG0};
use crate::program::interpret::{Firing, Outcome, Room};
use crate::program::layout::layout;
use crate::program::quick::{self, Quick};
use crate::program::refused::Refused;
use crate::program::rights::Rights;
use crate::program::simple::Simple;
use crate::program::verify::{self, Mark, Verified};
use crate::program::{
    Aggregation, Clause, Fault, Full, NotSpeculated, Program, Slot, Variable, World,
};

/// Where the test's kernel memory begins; a page before it and behind it nothing is.
pub(crate) const KERNEL: u64 = 0xffff_8880_0000_0000;
/// Where the test's user memory begins.
pub(crate) const USER: u64 = 0x0000_7f00_0000_0000;

/// The most bytes that a record of a speculation may have here.
pub(crate) const SPECULATION_MAX: u32 = 1000;

/// An aggregation or a variable, and keys.
pub(crate) type Keyed = (u32, Vec<u64>);

/// A world.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mock {
    /// The bytes from [`KERNEL`] on.
    pub(crate) kernel: Vec<u8>,
    /// The bytes from [`USER`] on.
    pub(crate) user: Vec<u8>,
    /// Built-in numbers; others are 1000 and their number.
    pub(crate) numbers: BTreeMap<u32, u64>,
    /// Whether arguments are not shown.
    pub(crate) private_arguments: bool,
    /// Whether the kernel's memory may not be read at all: a test fails if it is.
    pub(crate) closed: bool,
    pub(crate) globals: Vec<u64>,
    /// By aggregation and keys: value and weight, each time.
    pub(crate) aggregated: BTreeMap<Keyed, Vec<(u64, u64)>>,
    /// How many different keys there is room for.
    pub(crate) aggregations_max: Option<usize>,
    pub(crate) dynamic: BTreeMap<Keyed, Vec<u8>>,
    /// Speculations that are active.
    pub(crate) speculations: Vec<u64>,
    /// Speculations that are to end by commit.
    pub(crate) ending: Vec<u64>,
    /// What ended: number, whether by commit.
    pub(crate) ended: Vec<(u64, bool)>,
    /// Whether no record is written.
    pub(crate) ring_is_full: bool,
    /// A clause said exit().
    pub(crate) exited: bool,
    /// The last that was taken for [`World::stack_of`].
    pub(crate) stack: Vec<u64>,
    /// Frames of the kernel stack and the user stack.
    pub(crate) frames: usize,
    /// What the verifier's costs are about: bytes in steps of 8, frames, look-ups.
    pub(crate) work: u64,
    random: u64,
}

fn read(memory: &[u8], base: u64, address: u64, into: &mut [u8]) -> Result<(), Fault> {
    let start = address
        .checked_sub(base)
        .and_then(|at| usize::try_from(at).ok());
    let bytes = start
        .and_then(|start| memory.get(start..start.checked_add(into.len())?))
        .ok_or(Fault::bad_address(address))?;
    into.copy_from_slice(bytes);
    Ok(())
}

fn read_text(memory: &[u8], base: u64, address: u64, into: &mut [u8]) -> Result<usize, Fault> {
    for at in 0..into.len() {
        read(
            memory,
            base,
            address.wrapping_add(at as u64),
            &mut into[at..=at],
        )?;
        if into[at] == 0 {
            return Ok(at);
        }
    }
    Ok(into.len())
}

impl Mock {
    /// With so many words of global variables.
    pub(crate) fn new(globals: u32) -> Self {
        Mock {
            globals: vec![0; globals as usize / 8],
            frames: 20,
            ..Mock::default()
        }
    }

    fn worked(&mut self, bytes: usize) {
        self.work += 1 + bytes as u64 / 8;
    }
}

impl World for Mock {
    fn number(&mut self, which: u32) -> Result<u64, Fault> {
        self.worked(0);
        if self.private_arguments && (ARG0..ARG0 + 10).contains(&which) {
            return Err(Fault::private(0));
        }
        Ok(*self
            .numbers
            .get(&which)
            .unwrap_or(&(1000 + u64::from(which))))
    }

    fn text(&mut self, which: u32, into: &mut [u8]) -> Result<usize, Fault> {
        let text: &[u8] = match which {
            var::EXECNAME => b"a program",
            var::PROBEFUNC => b"vfs_read",
            _ => b"",
        };
        self.worked(text.len());
        let len = text.len().min(into.len());
        into[..len].copy_from_slice(&text[..len]);
        Ok(len)
    }

    fn read_kernel(&mut self, address: u64, into: &mut [u8]) -> Result<(), Fault> {
        assert!(!self.closed, "{address:#x} was read");
        self.worked(into.len());
        read(&self.kernel, KERNEL, address, into)
    }

    fn read_kernel_text(&mut self, address: u64, into: &mut [u8]) -> Result<usize, Fault> {
        assert!(!self.closed, "{address:#x} was read");
        self.worked(into.len());
        read_text(&self.kernel, KERNEL, address, into)
    }

    fn read_user(&mut self, address: u64, into: &mut [u8]) -> Result<(), Fault> {
        assert!(!self.closed, "{address:#x} was read");
        self.worked(into.len());
        read(&self.user, USER, address, into)
    }

    fn read_user_text(&mut self, address: u64, into: &mut [u8]) -> Result<usize, Fault> {
        assert!(!self.closed, "{address:#x} was read");
        self.worked(into.len());
        read_text(&self.user, USER, address, into)
    }

    fn path(&mut self, path: u64, into: &mut [u8]) -> Result<usize, Fault> {
        self.read_kernel_text(path, into)
    }

    fn kernel_stack(&mut self, frames: &mut [u64]) -> usize {
        let count = self.frames.min(frames.len());
        self.work += count as u64;
        for (index, frame) in frames[..count].iter_mut().enumerate() {
            *frame = 0x100 + index as u64;
        }
        count
    }

    fn user_stack(&mut self, frames: &mut [u64]) -> (u64, usize) {
        let count = self.kernel_stack(frames);
        (77, count)
    }

    fn stack_of(&mut self, user: bool, most: usize) -> (u64, &[u64]) {
        let mut frames = vec![0; most];
        let count = self.kernel_stack(&mut frames);
        frames.truncate(count);
        self.stack = frames;
        (if user { 77 } else { 0 }, &self.stack)
    }

    fn random(&mut self) -> u64 {
        self.random += 1;
        self.random
    }

    fn progeny_of(&mut self, pid: u64) -> bool {
        pid == 1
    }

    fn load_global(&mut self, at: usize) -> u64 {
        self.globals[at]
    }

    fn store_global(&mut self, at: usize, value: u64) {
        self.globals[at] = value;
    }

    fn load_global_bytes(&mut self, at: usize, into: &mut [u8]) {
        self.worked(into.len());
        for (index, byte) in into.iter_mut().enumerate() {
            *byte = self.globals[at + index / 8].to_le_bytes()[index % 8];
        }
    }

    fn store_global_bytes(&mut self, at: usize, bytes: &[u8]) {
        self.worked(bytes.len());
        for (index, byte) in bytes.iter().enumerate() {
            let word = &mut self.globals[at + index / 8];
            let mut whole = word.to_le_bytes();
            whole[index % 8] = *byte;
            *word = u64::from_le_bytes(whole);
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
        self.worked(8 * keys.len());
        let key = (aggregation, keys.to_vec());
        let full = self
            .aggregations_max
            .is_some_and(|max| self.aggregated.len() >= max);
        if full && !self.aggregated.contains_key(&key) {
            return Err(Full);
        }
        self.aggregated
            .entry(key)
            .or_default()
            .push((value, weight));
        Ok(())
    }

    fn load_dynamic(&mut self, variable: u32, keys: &[u64]) -> u64 {
        let mut bytes = [0; 8];
        self.load_dynamic_bytes(variable, keys, &mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn load_dynamic_bytes(&mut self, variable: u32, keys: &[u64], into: &mut [u8]) -> bool {
        self.worked(8 * keys.len() + into.len());
        let Some(value) = self.dynamic.get(&(variable, keys.to_vec())) else {
            return false;
        };
        for (index, byte) in into.iter_mut().enumerate() {
            *byte = value.get(index).copied().unwrap_or(0);
        }
        true
    }

    fn store_dynamic(&mut self, variable: u32, keys: &[u64], value: u64) {
        self.store_dynamic_bytes(variable, keys, &value.to_le_bytes());
    }

    fn store_dynamic_bytes(&mut self, variable: u32, keys: &[u64], value: &[u8]) {
        self.worked(8 * keys.len() + value.len());
        self.dynamic
            .insert((variable, keys.to_vec()), value.to_vec());
    }

    fn free_dynamic(&mut self, variable: u32, keys: &[u64]) {
        self.worked(8 * keys.len());
        self.dynamic.remove(&(variable, keys.to_vec()));
    }

    fn speculation(&mut self) -> u64 {
        self.work += 1;
        let number = self.speculations.len() as u64 + 1;
        self.speculations.push(number);
        number
    }

    fn speculate(&mut self, number: u64, bytes: u32) -> Result<u64, NotSpeculated> {
        if !self.speculations.contains(&number) {
            return Err(NotSpeculated::Inactive);
        }
        if bytes > SPECULATION_MAX {
            return Err(NotSpeculated::NoRoom);
        }
        Ok((1 << 16) | number)
    }

    fn end_speculation(&mut self, number: u64, commit: bool) -> Option<u64> {
        let mark = self.speculate(number, 0).ok()?;
        self.speculations.retain(|other| *other != number);
        if commit {
            self.ending.push(number);
        } else {
            self.ended.push((number, false));
        }
        Some(mark)
    }

    fn settle_speculation(&mut self, mark: u64, ended: bool) {
        let number = mark & 0xffff;
        let before = self.ending.len();
        self.ending.retain(|other| *other != number);
        if self.ending.len() == before {
            return;
        }
        if ended {
            self.ended.push((number, true));
        } else {
            self.speculations.push(number);
        }
    }
}

/// A program that owns what it is made of.
#[derive(Clone, Debug)]
pub(crate) struct Owned {
    pub(crate) code: Vec<u64>,
    pub(crate) clauses: Vec<Clause>,
    pub(crate) constants: Vec<u64>,
    pub(crate) strings: Vec<u8>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) aggregations: Vec<Aggregation>,
    pub(crate) strsize: u32,
    pub(crate) speculations: u32,
}

impl Owned {
    /// One clause of this code.
    pub(crate) fn new(code: Vec<u64>) -> Self {
        let count = code.len() as u32;
        Owned {
            code,
            clauses: vec![Clause {
                group: 1,
                first: 0,
                count,
                flags: 0,
            }],
            constants: Vec::new(),
            strings: Vec::new(),
            variables: Vec::new(),
            aggregations: Vec::new(),
            strsize: 256,
            speculations: 1,
        }
    }

    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&Program<'_>, u32) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let mut slots = vec![Slot::default(); self.variables.len()];
        let sizes = layout(&self.variables, &mut slots)?;
        let program = Program {
            code: &self.code,
            clauses: &self.clauses,
            constants: &self.constants,
            strings: &self.strings,
            variables: &self.variables,
            aggregations: &self.aggregations,
            slots: &slots,
            locals: sizes.locals,
            globals: sizes.globals,
            strsize: self.strsize,
            speculations: self.speculations,
        };
        work(&program, sizes.globals)
    }

    /// Verifies it.
    pub(crate) fn verify(&self, rights: Rights) -> Result<Verified, Refused> {
        let mut marks = vec![Mark::default(); verify::CLAUSE_INSNS_MAX];
        self.with(|program, _| verify::verify(program, rights, &mut marks, &mut []))
    }

    /// Runs its clauses in one firing, without verifying them. Their outcomes, and the records'
    /// words.
    pub(crate) fn run_unverified(
        &self,
        rights: Rights,
        room: &mut Room,
        world: &mut Mock,
    ) -> Vec<(Outcome, Vec<u64>)> {
        self.with(|program, globals| {
            let needed = globals as usize / 8;
            if world.globals.len() < needed {
                world.globals.resize(needed, 0);
            }
            let world_is_full = world.ring_is_full;
            let mut firing = Firing::new(program, rights, room, world);
            let mut outcomes = Vec::new();
            for clause in program.clauses {
                let outcome = firing.run(clause);
                let exits = firing.exits();
                firing.world().exited |= exits;
                let items = match outcome {
                    Outcome::Recorded(_) => firing.items().to_vec(),
                    _ => Vec::new(),
                };
                firing.settle(!items.is_empty() && !world_is_full);
                outcomes.push((outcome, items));
            }
            Ok(outcomes)
        })
        .expect("the variables are in order")
    }

    /// What its first clause comes to.
    pub(crate) fn simple(&self) -> Option<Simple> {
        self.with(|program, _| Ok(Simple::new(program, &program.clauses[0])))
            .expect("the variables are in order")
    }

    /// Runs its clauses quickly until one needs more. Their outcomes.
    pub(crate) fn run_quickly(&self, world: &mut Mock) -> Vec<Outcome> {
        self.with(|program, globals| {
            world.globals.resize(globals as usize / 8, 0);
            let mut outcomes = Vec::new();
            for clause in program.clauses {
                let quick = quick::instructions(program, clause);
                let code = &self.code[clause.first as usize..][..usize::from(quick)];
                outcomes.push(
                    match quick::run(code, program.constants, program.slots, world) {
                        Quick::Filtered => Outcome::Filtered,
                        Quick::Processed => Outcome::Processed,
                        Quick::Dropped => Outcome::Dropped,
                        Quick::Not => break,
                    },
                );
            }
            Ok(outcomes)
        })
        .expect("the variables are in order")
    }

    /// Verifies it for the node `kernel`, and runs its clauses in one firing.
    pub(crate) fn run(&self, world: &mut Mock) -> Vec<(Outcome, Vec<u64>)> {
        if let Err(refused) = self.verify(Rights::Kernel) {
            panic!("at {}: {}", refused.at, refused.why);
        }
        self.run_unverified(Rights::Kernel, &mut Room::filled(0xa5), world)
    }
}

/// The word of an instruction.
pub(crate) fn insn(op: u8, d: u8, a: u8, b: u8, i: i32) -> u64 {
    Insn { op, d, a, b, i }.encode()
}

/// The bytes of the first item.
pub(crate) fn text_item(items: &[u64]) -> Vec<u8> {
    let len = (items[0] >> 32) as usize;
    let bytes: Vec<u8> = items[1..]
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect();
    assert!(bytes[len..len.next_multiple_of(8)]
        .iter()
        .all(|byte| *byte == 0));
    bytes[..len].to_vec()
}
