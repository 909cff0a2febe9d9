// SPDX-License-Identifier: GPL-2.0

//! Which programs are taken.
//!
//! A clause's instructions are gone through once, from the first to the last. Jumps only go
//! forward, so what is known before an instruction is complete when it is reached: what all ways
//! to it agree on (registers that were written, pointers into own memory, a tuple that was begun),
//! and the worst of them (the longest tuple, the highest cost). [`Mark`] is what is known; one for
//! each instruction of a clause, in memory that the caller brings.
//!
//! ```text
//!        ┌────────── jz ───────────┐
//!   0 ── 1 ── 2 ── 3               ▼      Mark of 4: what 3 and 1 leave, joined
//!                  └─── falls ──►  4 ── ret
//! ```
//!
//! The rules are in `docs/bytecode.md`. Task context; no allocation.

#![forbid(unsafe_code)]

mod form;

use super::{
    agg,
    cost::{
        self,
        CLAUSE,
        COST_MAX, //
    },
    insn::{
        op,
        subroutine,
        Field,
        Form,
        Immediate,
        Insn,
        Kind,
        REGISTERS, //
    },
    layout::aggregations,
    refused::{
        refuse,
        Refused,
        Why, //
    },
    rights::{
        self,
        Rights,
        Shown, //
    },
    value,
    words,
    Aggregation,
    Clause,
    Program,
    Variable,
    CLAUSE_DEFAULT,
    CLAUSE_SYSCALL,
    ITEM_WORDS,
    KEYS_MAX,
    STACK_FRAMES_MAX,
    STRSIZE_MAX, //
};

/// `RTRACE_PROGRAM_INSNS_MAX`.
pub(crate) const PROGRAM_INSNS_MAX: usize = 65536;
/// `RTRACE_CLAUSE_INSNS_MAX`.
pub(crate) const CLAUSE_INSNS_MAX: usize = 16384;
/// `RTRACE_CLAUSES_MAX`.
pub(crate) const CLAUSES_MAX: usize = 4096;
/// `RTRACE_CONSTANTS_MAX`.
pub(crate) const CONSTANTS_MAX: usize = 65536;
/// `RTRACE_STRINGS_MAX`.
pub(crate) const STRINGS_MAX: usize = 1048576;
/// `RTRACE_SPECULATIONS_MAX`.
pub(crate) const SPECULATIONS_MAX: u32 = 1024;

/// Instructions of all clauses together: clauses may share instructions, but not without end.
pub(crate) const SHARED_INSNS_MAX: usize = 4 * PROGRAM_INSNS_MAX;

/// What is known before an instruction.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mark {
    /// Some way leads here.
    reached: bool,
    /// All ways: a tuple of keys was begun.
    begun: bool,
    /// Some way: there are items already.
    items: bool,
    /// Some way: there is a COMMIT already.
    commit: bool,
    /// Some way: the record belongs to a speculation.
    speculated: bool,
    /// All ways: what the bytes of a record cost was counted.
    paid: bool,
    /// All ways: registers that were written, a bit each.
    written: u32,
    /// All ways: registers that hold 0 or a pointer into own memory.
    own: u32,
    /// The longest way: bytes of the tuple of keys.
    keys: u32,
    /// The shortest way: bytes of items.
    record: u32,
    /// The dearest way.
    cost: u32,
}

impl Mark {
    /// Adds another way to here.
    fn join(&mut self, other: &Mark) {
        if !self.reached {
            *self = *other;
            return;
        }
        self.begun &= other.begun;
        self.paid &= other.paid;
        self.items |= other.items;
        self.commit |= other.commit;
        self.speculated |= other.speculated;
        self.written &= other.written;
        self.own &= other.own;
        self.keys = self.keys.max(other.keys);
        self.record = self.record.min(other.record);
        self.cost = self.cost.max(other.cost);
    }
}

/// What is known of a program that was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verified {
    /// What the dearest clause costs at most.
    pub(crate) cost: u32,
}

/// Checks a program whose variables have their places ([`layout`]). `marks` has as many as the
/// longest clause has instructions; [`CLAUSE_INSNS_MAX`] always suffice. `costs` gets what each
/// clause costs at most, for as many as it has.
pub(crate) fn verify(
    program: &Program<'_>,
    rights: Rights,
    marks: &mut [Mark],
    costs: &mut [u32],
) -> Result<Verified, Refused> {
    for (count, most, what) in [
        (program.code.len(), PROGRAM_INSNS_MAX, "instructions"),
        (program.clauses.len(), CLAUSES_MAX, "clauses"),
        (program.constants.len(), CONSTANTS_MAX, "constants"),
        (program.strings.len(), STRINGS_MAX, "bytes of strings"),
        (
            program.speculations as usize,
            SPECULATIONS_MAX as usize,
            "speculations",
        ),
    ] {
        if count > most {
            return refuse(0, Why::TooMany(what, most));
        }
    }
    if !matches!(program.strings, [] | [.., 0]) || !(1..=STRSIZE_MAX).contains(&program.strsize) {
        return refuse(0, Why::Strings);
    }
    if program.slots.len() != program.variables.len() {
        return refuse(0, Why::Marks);
    }
    aggregations(program.aggregations)?;
    let mut verified = Verified::default();
    let mut all = 0usize;
    for (at, clause) in (0..program.clauses.len()).zip(program.clauses) {
        let first = clause.first as usize;
        let known = CLAUSE_DEFAULT | CLAUSE_SYSCALL;
        let code = program
            .code
            .get(first..)
            .and_then(|code| code.get(..clause.count as usize))
            .filter(|code| !code.is_empty());
        let Some(code) = code else {
            return refuse(at, Why::Clause);
        };
        if clause.group == 0 || clause.flags & !known != 0 {
            return refuse(at, Why::Clause);
        }
        if code.len() > CLAUSE_INSNS_MAX {
            return refuse(
                at,
                Why::TooMany("instructions in a clause", CLAUSE_INSNS_MAX),
            );
        }
        all = all.wrapping_add(code.len());
        if all > SHARED_INSNS_MAX {
            let what = "instructions in all clauses together";
            return refuse(at, Why::TooMany(what, SHARED_INSNS_MAX));
        }
        let Some(marks) = marks.get_mut(..code.len()) else {
            return refuse(at, Why::Marks);
        };
        let checker = Checker {
            program,
            clause,
            rights,
            first,
        };
        let cost = checker.check(code, marks)?;
        if let Some(slot) = costs.get_mut(at) {
            *slot = cost;
        }
        verified.cost = verified.cost.max(cost);
    }
    Ok(verified)
}

/// What goes through one clause.
struct Checker<'a> {
    program: &'a Program<'a>,
    clause: &'a Clause,
    rights: Rights,
    /// Index of the clause's first instruction.
    first: usize,
}

impl Checker<'_> {
    fn refuse<T>(&self, at: usize, why: Why) -> Result<T, Refused> {
        refuse(self.first.wrapping_add(at), why)
    }

    /// Goes through the clause. What it costs at most.
    fn check(&self, code: &[u64], marks: &mut [Mark]) -> Result<u32, Refused> {
        marks.fill(Mark::default());
        if let Some(mark) = marks.first_mut() {
            mark.reached = true;
            mark.cost = CLAUSE;
        }
        let mut cost = 0;
        for (at, &word) in (0..code.len()).zip(code) {
            let insn = Insn::decode(word);
            let form = match form::of(self.program, insn) {
                Ok(form) => form,
                Err(why) => return self.refuse(at, why),
            };
            let mut mark = marks.get(at).copied().unwrap_or_default();
            let jumps = form.i == Immediate::Jump;
            let to = at.wrapping_add(1).wrapping_add(insn.i as u32 as usize);
            if jumps && (insn.i < 0 || to >= code.len()) {
                return self.refuse(at, Why::Jump);
            }
            let last = at.wrapping_add(1) == code.len();
            if last && insn.op != op::RET {
                return self.refuse(at, Why::End);
            }
            if !mark.reached {
                continue;
            }
            if let Err(why) = self.apply(insn, form, &mut mark) {
                return self.refuse(at, why);
            }
            cost = cost.max(mark.cost);
            if cost > COST_MAX {
                return self.refuse(at, Why::Cost);
            }
            if jumps {
                if let Some(target) = marks.get_mut(to) {
                    target.join(&mark);
                }
            }
            if insn.op != op::RET && insn.op != op::JMP {
                if let Some(next) = marks.get_mut(at.wrapping_add(1)) {
                    next.join(&mark);
                }
            }
        }
        Ok(cost)
    }

    /// Goes over an instruction: what must be known before it, and what is known behind it.
    fn apply(&self, insn: Insn, form: &Form, mark: &mut Mark) -> Result<(), Why> {
        self.shown(insn)?;
        for (use_of, number) in [(form.a, insn.a), (form.b, insn.b)] {
            self.read(insn, use_of, number, mark)?;
        }
        self.keys(insn, mark)?;
        self.record(insn, mark)?;
        mark.cost = mark
            .cost
            .saturating_add(cost::cost(self.program, insn, form, mark.keys));
        if insn.op == op::EMITB && !mark.paid {
            mark.paid = true;
            mark.cost = mark.cost.saturating_add(cost::RECORD);
        }
        self.write(insn, form.d, mark);
        Ok(())
    }

    fn syscall(&self) -> bool {
        self.clause.flags & CLAUSE_SYSCALL != 0
    }

    fn show(&self, shown: Shown, what: &'static str) -> Result<(), Why> {
        if self.rights.show(shown, self.syscall()) {
            return Ok(());
        }
        Err(Why::Right(self.rights, what, shown))
    }

    /// Whether the node shows what the instruction gives.
    fn shown(&self, insn: Insn) -> Result<(), Why> {
        let number = insn.i as u32;
        match insn.op {
            op::GET | op::GETSTR => self.show(
                rights::of_built_in(number),
                rights::name_of_built_in(number),
            ),
            op::CALL => {
                let name = subroutine(insn.i).map_or("", |called| called.name);
                self.show(rights::of_subroutine(number), name)
            }
            _ => {
                let (shown, what) = rights::of_operation(insn.op);
                self.show(shown, what)
            }
        }
    }

    /// A register must have been written.
    fn written(&self, number: u8, mark: &Mark) -> Result<(), Why> {
        if mark.written.wrapping_shr(number.into()) & 1 == 0 {
            return Err(Why::Unwritten(number));
        }
        Ok(())
    }

    /// Where the node shows no memory, a register that memory is read through must point into own
    /// memory.
    fn pointer(&self, number: u8, mark: &Mark) -> Result<(), Why> {
        let own = mark.own.wrapping_shr(number.into()) & 1 != 0;
        if own || self.rights.shows_memory() {
            return Ok(());
        }
        self.show(Shown::Kernel, "memory at an address")
    }

    fn read(&self, insn: Insn, use_of: Field, number: u8, mark: &Mark) -> Result<(), Why> {
        match use_of {
            Field::Read | Field::Target => self.written(number, mark),
            Field::Pointer => {
                self.written(number, mark)?;
                self.pointer(number, mark)
            }
            Field::Assigned => {
                self.written(number, mark)?;
                match self.variable(insn) {
                    Some(variable) if variable.value != value::SCALAR => self.pointer(number, mark),
                    _ => Ok(()),
                }
            }
            Field::Frames => {
                let frames = u32::from(u16::from_le_bytes([insn.a, insn.b]));
                if frames > STACK_FRAMES_MAX {
                    return Err(Why::Immediate("number of frames"));
                }
                Ok(())
            }
            Field::Arguments => self.arguments(insn, mark),
            Field::Aggregated | Field::Count => Ok(()),
            Field::Unused | Field::Number | Field::Own | Field::Result | Field::Value => Ok(()),
        }
    }

    /// The registers that a subroutine takes.
    fn arguments(&self, insn: Insn, mark: &Mark) -> Result<(), Why> {
        let takes = subroutine(insn.i).map_or(&[][..], |called| called.takes);
        let registers = insn.a..insn.a.saturating_add(insn.b);
        if u32::from(registers.end) > REGISTERS {
            return Err(Why::Register(registers.end.saturating_sub(1)));
        }
        if insn.b == 0 && insn.a != 0 {
            return Err(Why::Unused("a"));
        }
        for (number, kind) in registers.zip(takes) {
            self.written(number, mark)?;
            match kind {
                Kind::Text | Kind::Bytes => self.pointer(number, mark)?,
                Kind::Number | Kind::Target | Kind::User | Kind::Kernel => (),
            }
        }
        Ok(())
    }

    fn variable(&self, insn: Insn) -> Option<&Variable> {
        self.program.variables.get(insn.i as u32 as usize)
    }

    fn aggregation(&self, insn: Insn) -> Option<&Aggregation> {
        self.program.aggregations.get(insn.i as u32 as usize)
    }

    /// The most bytes that a string takes as a key, with its length.
    fn text_key(&self) -> u32 {
        words(self.program.strsize.saturating_sub(1))
            .wrapping_mul(8)
            .wrapping_add(8)
    }

    /// The tuple of keys.
    fn keys(&self, insn: Insn, mark: &mut Mark) -> Result<(), Why> {
        let frames = (insn.i as u32).wrapping_mul(8);
        let more = match insn.op {
            op::KEY0 => {
                mark.begun = true;
                mark.keys = 0;
                return Ok(());
            }
            op::KEY | op::KEYP => 8,
            op::KEYS => self.text_key(),
            op::KEYB => words(insn.i as u32).wrapping_mul(8).wrapping_add(8),
            op::KEYK => frames.wrapping_add(8),
            op::KEYU => frames.wrapping_add(16),
            op::AGG => {
                self.aggregated(insn, mark)?;
                let limit = self.aggregation(insn).map_or(0, |of| of.keys);
                return self.tuple(limit, mark);
            }
            op::LDD | op::STD => {
                let limit = self.variable(insn).map_or(0, |of| of.keys);
                return self.tuple(limit, mark);
            }
            _ => return Ok(()),
        };
        if !mark.begun {
            return Err(Why::NoTuple);
        }
        mark.keys = mark.keys.saturating_add(more);
        if mark.keys > KEYS_MAX {
            return Err(Why::Tuple(mark.keys, KEYS_MAX));
        }
        Ok(())
    }

    /// Whether the tuple fits what takes keys of at most `limit` bytes; 0: it takes none.
    fn tuple(&self, limit: u32, mark: &Mark) -> Result<(), Why> {
        if limit == 0 {
            return Ok(());
        }
        if !mark.begun {
            return Err(Why::NoTuple);
        }
        if mark.keys > limit {
            return Err(Why::Tuple(mark.keys, limit));
        }
        Ok(())
    }

    /// What an aggregating function takes: nothing, a value, or a value and a weight.
    fn aggregated(&self, insn: Insn, mark: &Mark) -> Result<(), Why> {
        let function = self.aggregation(insn).map_or(0, |of| of.function);
        let takes = match function {
            agg::COUNT => 0u32,
            agg::SUM..=agg::STDDEV => 1,
            _ => 2,
        };
        for (index, number, name) in [(0, insn.a, "a"), (1, insn.b, "b")] {
            if takes > index {
                self.written(number, mark)?;
            } else if number != 0 {
                return Err(Why::Unused(name));
            }
        }
        Ok(())
    }

    /// The record.
    fn record(&self, insn: Insn, mark: &mut Mark) -> Result<(), Why> {
        let least = match insn.op {
            op::EMIT | op::EXIT | op::EMITU => 16,
            op::EMITS | op::EMITB | op::EMITP | op::EMITK => 8,
            op::SPECULATE => {
                if mark.items || mark.commit || mark.speculated {
                    return Err(Why::Speculate);
                }
                mark.speculated = true;
                return Ok(());
            }
            op::COMMIT => {
                if mark.items || mark.speculated {
                    return Err(Why::Commit);
                }
                mark.commit = true;
                return Ok(());
            }
            // Nothing if the speculation is not active.
            op::DISCARD => 0,
            _ => return Ok(()),
        };
        if mark.commit && insn.op != op::DISCARD {
            return Err(Why::Commit);
        }
        if insn.op != op::DISCARD {
            mark.items = true;
        }
        mark.record = mark.record.saturating_add(least);
        if mark.record > (ITEM_WORDS as u32).wrapping_mul(8) {
            return Err(Why::Record);
        }
        Ok(())
    }

    /// What is known of the register that is written.
    fn write(&self, insn: Insn, use_of: Field, mark: &mut Mark) {
        let is_own = |number: u8| mark.own.wrapping_shr(number.into()) & 1 != 0;
        let own = match use_of {
            Field::Own => true,
            // No pointer: reading there is a fault on every node.
            Field::Number => insn.op == op::LDI && insn.i == 0,
            Field::Result => {
                let gives = subroutine(insn.i).map_or(Kind::Number, |called| called.gives);
                matches!(gives, Kind::Text | Kind::Bytes)
            }
            Field::Value => match insn.op {
                op::LDV | op::LDD => self
                    .variable(insn)
                    .is_some_and(|variable| variable.value != value::SCALAR),
                op::ADD => is_own(insn.a) || is_own(insn.b),
                // MOV, SUB, ADDI.
                _ => is_own(insn.a),
            },
            _ => return,
        };
        let bit = 1u32.wrapping_shl(insn.d.into());
        mark.written |= bit;
        if own {
            mark.own |= bit;
        } else {
            mark.own &= !bit;
        }
    }
}
