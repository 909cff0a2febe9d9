// SPDX-License-Identifier: GPL-2.0

//! Clauses that come to a test of one number and one aggregation: what most people ask most. Where
//! everything else allows it, the probe path does these without running a program at all.
//!
//! A clause is followed with what each register holds before anything fires: a constant, a number of
//! the firing, or the comparison of one with a constant. What cannot be told so is not simple.
//!
//! Context: loading, task context.

#![forbid(unsafe_code)]

use super::{
    insn::{
        op,
        var,
        Insn,
        ARG0, //
    },
    operations::probe_key,
    Clause,
    Program,
    CLAUSE_DEFAULT,
    CLAUSE_SYSCALL, //
};

/// Registers that are followed.
const REGISTERS: usize = 8;
/// Instructions that are.
const LENGTH: usize = 16;

/// A number of the firing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Number {
    Pid,
    Tid,
    Cpu,
    Elapsed,
    /// A function's arguments at its entry; when it returns, its value is the second.
    Argument0,
    Argument1,
    Argument2,
    Argument3,
    Argument4,
    Argument5,
}

/// Numbers from the lowest to so much above it; may go over the end of what 64 bits hold. Whatever
/// compares a number with a constant comes to that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Range {
    low: u64,
    span: u64,
}

impl Range {
    /// All numbers.
    pub(crate) const ALL: Self = Self::between(0, u64::MAX);

    const fn between(low: u64, high: u64) -> Self {
        Self {
            low,
            span: high.wrapping_sub(low),
        }
    }

    /// Whether a number is one of them. Any context.
    #[inline(always)]
    pub(crate) fn holds(&self, number: u64) -> bool {
        number.wrapping_sub(self.low) <= self.span
    }
}

/// A predicate: a number lies in a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) number: Number,
    pub(crate) range: Range,
}

/// A value that is aggregated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Constant(u64),
    Number(Number),
}

/// What a clause does once its predicate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Nothing,
    /// An aggregation without keys takes a value, once.
    Aggregate(u32, Value),
    /// The same with the probe's name, or a part of it, as the only key: beside the probe's index,
    /// these bits.
    AggregateByProbe(u32, Value, u64),
    /// More than this file can tell: its predicate is known alone.
    More,
}

/// A clause that was understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Simple {
    pub(crate) test: Option<Test>,
    pub(crate) then: Then,
}

/// What a register holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Unknown,
    Value(Value),
    Truth(Test),
}

impl Test {
    /// What an operation of two registers comes to, of which the first holds the number and the second
    /// the constant, or the other way round. Nothing if it is none that compares, or never true.
    fn new(operation: u8, number: Number, with: u64, mirrored: bool) -> Option<Self> {
        const LEAST: u64 = i64::MIN as u64;
        const MOST: u64 = i64::MAX as u64;
        let between = |low, high| {
            let range = Range::between(low, high);
            Some(Self { number, range })
        };
        let (before, after) = (with.wrapping_sub(1), with.wrapping_add(1));
        match (operation, mirrored) {
            (op::SEQ, _) => between(with, with),
            (op::SNE, _) => between(after, before),
            (op::SLT, false) if with != LEAST => between(LEAST, before),
            (op::SLE, false) => between(LEAST, with),
            (op::SLT, true) if with != MOST => between(after, MOST),
            (op::SLE, true) => between(with, MOST),
            (op::SLTU, false) if with != 0 => between(0, before),
            (op::SLEU, false) => between(0, with),
            (op::SLTU, true) if with != u64::MAX => between(after, u64::MAX),
            (op::SLEU, true) => between(with, u64::MAX),
            _ => None,
        }
    }
}

impl Number {
    fn of(which: u32, clause: &Clause) -> Option<Self> {
        Some(match which {
            var::PID => Self::Pid,
            var::TID => Self::Tid,
            var::CPU => Self::Cpu,
            var::ELAPSED => Self::Elapsed,
            // A system call's are elsewhere.
            _ if clause.flags & CLAUSE_SYSCALL != 0 => return None,
            _ => *Self::ARGUMENTS.get(which.checked_sub(ARG0)? as usize)?,
        })
    }

    const ARGUMENTS: [Self; 6] = [
        Self::Argument0,
        Self::Argument1,
        Self::Argument2,
        Self::Argument3,
        Self::Argument4,
        Self::Argument5,
    ];

    /// Whether it is an argument or a value of a function.
    pub(crate) fn is_data(self) -> bool {
        Self::ARGUMENTS.contains(&self)
    }
}

impl Holds {
    fn comparison(operation: u8, a: Self, b: Self) -> Option<Self> {
        let test = match (a, b) {
            (Self::Value(Value::Number(number)), Self::Value(Value::Constant(with))) => {
                Test::new(operation, number, with, false)?
            }
            (Self::Value(Value::Constant(with)), Self::Value(Value::Number(number))) => {
                Test::new(operation, number, with, true)?
            }
            _ => return None,
        };
        Some(Self::Truth(test))
    }

    /// As a predicate.
    fn test(self) -> Option<Test> {
        match self {
            Self::Truth(test) => Some(test),
            Self::Value(Value::Number(number)) => Test::new(op::SNE, number, 0, false),
            _ => None,
        }
    }
}

impl Simple {
    /// What a verified program's clause comes to, if that is simple.
    pub(crate) fn new(program: &Program<'_>, clause: &Clause) -> Option<Self> {
        let code = program.code.get(clause.first as usize..)?;
        let code = code.get(..clause.count as usize)?;
        let mut test = None;
        match Self::follow(program, clause, code, &mut test) {
            Some(then) => Some(Self { test, then }),
            None => test.map(|test| Self {
                test: Some(test),
                then: Then::More,
            }),
        }
    }

    /// What the code does once its predicate, which is left in `test`, holds.
    fn follow(
        program: &Program<'_>,
        clause: &Clause,
        code: &[u64],
        test: &mut Option<Test>,
    ) -> Option<Then> {
        let mut r = [Holds::Unknown; REGISTERS];
        let mut then = Then::Nothing;
        let mut key = None;
        for word in code.iter().take(LENGTH) {
            let insn = Insn::decode(*word);
            let a = r.get(usize::from(insn.a)).copied()?;
            let b = r.get(usize::from(insn.b)).copied()?;
            let i = i64::from(insn.i) as u64;
            let constant = |value| Holds::Value(Value::Constant(value));
            let made = match insn.op {
                op::GET => Holds::Value(Value::Number(Number::of(insn.i as u32, clause)?)),
                op::LDI => constant(i),
                op::LDC => constant(*program.constants.get(i as usize)?),
                op::SEQI => Holds::comparison(op::SEQ, a, constant(i))?,
                op::FILTER if then == Then::Nothing && test.is_none() => {
                    *test = Some(a.test()?);
                    continue;
                }
                op::KEY0 => {
                    key = None;
                    continue;
                }
                op::KEYP if key.is_none() => {
                    key = Some(probe_key(0, clause.flags & CLAUSE_SYSCALL != 0));
                    continue;
                }
                op::AGG if then == Then::Nothing => {
                    then = Self::aggregate(program, insn, a, b, key)?;
                    continue;
                }
                op::RET => return (clause.flags & CLAUSE_DEFAULT == 0).then_some(then),
                operation => Holds::comparison(operation, a, b)?,
            };
            *r.get_mut(usize::from(insn.d))? = made;
        }
        None
    }

    fn aggregate(
        program: &Program<'_>,
        insn: Insn,
        a: Holds,
        b: Holds,
        key: Option<u64>,
    ) -> Option<Then> {
        use super::agg;
        let index = insn.i as u32;
        let aggregation = program.aggregations.get(index as usize)?;
        if (aggregation.keys != 0) != key.is_some() {
            return None;
        }
        let value = match (aggregation.function, a) {
            (agg::COUNT, _) => Value::Constant(1),
            (agg::QUANTIZE, Holds::Value(value)) if b == Holds::Value(Value::Constant(1)) => value,
            (agg::SUM, Holds::Value(value)) => value,
            _ => return None,
        };
        Some(match key {
            None => Then::Aggregate(index, value),
            Some(bits) => Then::AggregateByProbe(index, value, bits),
        })
    }
}
