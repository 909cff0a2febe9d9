// SPDX-License-Identifier: GPL-2.0-only
//! Arguments of commands: first right in every field, then spoiled in some.

#![forbid(unsafe_code)]

use std::fmt;

use fastrand::Rng;
use rust_tracer::abi;

use super::board::{Board, CONTENTS};
use super::kind::Kind;
use super::programs;
use super::raw::{Ground, PAGE, Window};
use super::shape::{Field, Meaning, SHAPES, Shape, Thing};

/// Where in a thread's window its argument structures are.
pub const STRUCTURE: u64 = 0x800;
/// Where the texts are that pointers point to.
const TEXTS: u64 = 0x1000;
/// Bytes for each.
const TEXT: u64 = 0x200;
/// Where ids of probes are.
const IDS: u64 = 0x2000;
/// Where the sections of programs are.
pub const PROGRAMS: u64 = 0x2100;
/// Where nothing else is.
const SPARE: u64 = 0x3000;
/// Where buffers are that the module fills, up to the last page.
pub const BUFFERS: u64 = 0x4000;
/// Bytes of a window: a buffer as long as one command fills at most, and more.
pub const WINDOW: u64 = 0x60000;

/// What values are taken from.
#[derive(Debug)]
pub struct Supply<'a> {
    /// The thread's own memory.
    pub window: &'a Window,
    /// Memory that anything may happen to.
    pub ground: &'a Ground,
    /// Hostile sessions.
    pub board: &'a Board,
    /// Ids of probes that are cheap to attach.
    pub probes: &'a [u32],
    /// The address of a function of the kernel.
    pub function: u64,
    /// The session that is asked, if known.
    pub session: u64,
    /// Whether this process may end anybody's session: then it must not, but for hostile ones'.
    pub admin: bool,
    /// Whether buffers are in the ground.
    pub wild: bool,
}

/// An argument.
#[derive(Clone, Copy)]
pub struct Request {
    /// Of which command.
    pub shape: &'static Shape,
    /// The ioctl's number, perhaps with another size in it.
    pub command: u32,
    /// The structure.
    pub bytes: [u8; CONTENTS * 8],
}

impl fmt::Debug for Request {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} ({:#x}) {{", self.shape.kind.name(), self.command)?;
        for field in self.shape.fields {
            let value = self.value(field);
            write!(to, " {:?}@{}: {value:#x}", field.meaning, field.offset)?;
        }
        to.write_str(" }")
    }
}

fn pick<T: Copy>(random: &mut Rng, from: &[T]) -> T {
    from[random.usize(..from.len())]
}

/// One in so many.
pub fn rarely(random: &mut Rng, one_in: u32) -> bool {
    random.u32(..one_in) == 0
}

/// An address that should not have been given.
pub fn hostile_address(random: &mut Rng, supply: &Supply<'_>) -> u64 {
    let window = supply.window;
    match random.u8(..10) {
        0 => 0,
        1 => pick(random, &[1, 8, PAGE - 1, PAGE]),
        // The edge of user space, and what no address may be.
        2 => pick(
            random,
            &[0x7fff_ffff_f000, 0x7fff_ffff_fffc, 1 << 47, 1 << 63],
        ),
        // The kernel's: its direct map, its text, the page of vsyscall, the last ones.
        3 => pick(
            random,
            &[
                0xffff_8880_0000_0000,
                0xffff_ffff_8100_0000,
                0xffff_ffff_ff60_0000,
                u64::MAX - 7,
                u64::MAX,
            ],
        ),
        4 => window.read_only_at(SPARE + 64 + random.u64(..0x800)),
        // This program's text.
        5 => hostile_address as usize as u64,
        // Over the end of what is mapped.
        6 => window.at(WINDOW - random.u64(..64)),
        7 => window.at(WINDOW + random.u64(..PAGE)),
        8 => supply.ground.start + random.u64(..supply.ground.length),
        _ => random.u64(..),
    }
}

/// A number at an edge.
fn edge(random: &mut Rng) -> u64 {
    match random.u8(..6) {
        0 => random.u64(..),
        1 => 1u64 << random.u32(..64),
        2 => (1u64 << random.u32(..64)).wrapping_sub(1),
        3 => u64::MAX - random.u64(..16),
        4 => u64::from(u32::MAX) - 8 + random.u64(..16),
        _ => random.u64(..1024),
    }
}

/// A process that is not there: pids are smaller.
const NO_PROCESS: u64 = 0x7fff_ff00;

impl Request {
    /// A command with nothing wrong in its argument, but that it may be asked at a wrong time.
    pub fn right(shape: &'static Shape, random: &mut Rng, supply: &Supply<'_>) -> Self {
        let mut request = Self {
            shape,
            command: shape.command,
            bytes: [0; CONTENTS * 8],
        };
        for field in shape.fields {
            let value = request.right_value(field, random, supply);
            request.set(field, value);
        }
        match shape.kind {
            Kind::Add => request.choose_probes(random),
            Kind::AddOwn => request.choose_period(random),
            Kind::Observe => request.only_one_of(Thing::Name, random),
            Kind::Revoke => request.choose_victim(random, supply),
            _ => {}
        }
        request
    }

    fn right_value(&self, field: &Field, random: &mut Rng, supply: &Supply<'_>) -> u64 {
        match field.meaning {
            Meaning::Size => self.shape.size as u64,
            Meaning::Flags(known) => {
                let flags = random.u32(..) & known;
                // To list what cannot be traced walks all symbols of the kernel.
                let slow = self.shape.kind == Kind::Functions && !rarely(random, 32);
                u64::from(if slow {
                    flags & !abi::RTRACE_FUNCTIONS_UNTRACEABLE
                } else {
                    flags
                })
            }
            Meaning::Reserved => 0,
            Meaning::Pointer(thing) => self.right_pointer(thing, random, supply),
            // Set together with the pointer, which comes first.
            Meaning::Length(thing) => self.right_length(thing, random, supply),
            Meaning::Cursor => {
                if rarely(random, 4) {
                    random.u64(..8)
                } else {
                    0
                }
            }
            Meaning::Index => random.u64(..4),
            Meaning::Group => random.u64(..4),
            Meaning::OwnKind => {
                let (first, last) = (abi::RTRACE_KIND_BEGIN, abi::RTRACE_KIND_PROFILE);
                u64::from(random.u32(first..=last))
            }
            // Set together with the kind.
            Meaning::Period => 0,
            Meaning::Number => random.u64(..4),
            Meaning::StateBytes => pick(random, &[4096, 8192, 1 << 16]),
            Meaning::Cpu => random.u64(..2),
            Meaning::Position => {
                if random.bool() {
                    0
                } else {
                    random.u64(..1 << 16)
                }
            }
            Meaning::Session => supply.board.known(random.usize(..)),
            Meaning::User => 0,
            Meaning::Process => {
                if rarely(random, 40) {
                    u64::from(std::process::id())
                } else {
                    NO_PROCESS + random.u64(..64)
                }
            }
            Meaning::RingBytes => {
                let small = u64::from(abi::RTRACE_RING_MIN);
                pick(random, &[small, small, small * 2, small * 4])
            }
            Meaning::Watermark => pick(random, &[0, 8, 4096, 32768]),
            Meaning::Policy => random.u64(..3),
            Meaning::Frames => 1 + random.u64(..256),
            // All; without the stub; with it.
            Meaning::Ways => pick(random, &[0, 6, 14]),
            Meaning::Address => supply.function + random.u64(..1 << 16),
            // What goes through all of something takes a while: rarely.
            Meaning::View => {
                const SLOW: [u32; 5] = [
                    abi::RTRACE_VIEW_SITES,
                    abi::RTRACE_VIEW_TEXT,
                    abi::RTRACE_VIEW_TASKS,
                    abi::RTRACE_VIEW_SYSCALLS,
                    abi::RTRACE_VIEW_CALLBACKS,
                ];
                let view = random.u32(..=abi::RTRACE_VIEW_CALLBACKS);
                let slow = SLOW.contains(&view) && !rarely(random, 16);
                u64::from(if slow { abi::RTRACE_VIEW_MODULES } else { view })
            }
            Meaning::File => 0,
            Meaning::Out => {
                if rarely(random, 4) {
                    random.u64(..)
                } else {
                    0
                }
            }
        }
    }

    /// Puts a thing somewhere; returns where.
    fn right_pointer(&self, thing: Thing, random: &mut Rng, supply: &Supply<'_>) -> u64 {
        let window = supply.window;
        match thing {
            Thing::Module | Thing::Function | Thing::Name => {
                let at = TEXTS + TEXT * thing as u64;
                // To look for a few functions among all takes long, to list the first ones not.
                let all = self.shape.kind == Kind::Functions && !rarely(random, 16);
                window.put(at, text(thing, all, random).as_bytes());
                window.at(at)
            }
            Thing::Ids => {
                for number in 0..8 {
                    let id = pick(random, supply.probes);
                    window.put(IDS + number * 4, &id.to_ne_bytes());
                }
                window.at(IDS)
            }
            Thing::Code
            | Thing::Clauses
            | Thing::Constants
            | Thing::Strings
            | Thing::Variables
            | Thing::Aggregations => programs::put(thing, random, window),
            Thing::Buffer if supply.wild => {
                supply.ground.start + random.u64(..supply.ground.length) / 8 * 8
            }
            Thing::Buffer => window.at(BUFFERS + 64 + random.u64(..512)),
        }
    }

    /// How long that thing is. A text's length follows from what was put there.
    fn right_length(&self, thing: Thing, random: &mut Rng, supply: &Supply<'_>) -> u64 {
        match thing {
            Thing::Module | Thing::Function | Thing::Name => {
                let mut bytes = [0u8; TEXT as usize];
                supply.window.get(TEXTS + TEXT * thing as u64, &mut bytes);
                bytes.iter().position(|byte| *byte == 0).unwrap_or(0) as u64
            }
            Thing::Ids => 1 + random.u64(..8),
            Thing::Code => programs::INSNS,
            Thing::Clauses => programs::CLAUSES,
            Thing::Constants => programs::CONSTANTS,
            Thing::Strings => programs::STRINGS,
            Thing::Variables => programs::VARIABLES,
            Thing::Aggregations => programs::AGGREGATIONS,
            Thing::Buffer if self.shape.kind == Kind::Read => {
                u64::from(abi::RTRACE_RECORD_MAX) << random.u32(..3)
            }
            Thing::Buffer if self.shape.kind == Kind::Aggregate => pick(random, &[2048, 4096]),
            // Not bytes but owners.
            Thing::Buffer if self.shape.kind == Kind::Owners => random.u64(..8),
            Thing::Buffer if rarely(random, 200) => 300_000,
            Thing::Buffer => pick(random, &[160, 200, 512, 1024, 4096]),
        }
    }

    /// Probes are named by ids or by pattern.
    fn choose_probes(&mut self, random: &mut Rng) {
        if rarely(random, 50) {
            let flags = 1 + random.u64(..3) + if rarely(random, 4) { 4 } else { 0 };
            self.set_meaning(Meaning::Pointer(Thing::Ids), 0);
            self.set_meaning(Meaning::Length(Thing::Ids), 0);
            self.set_word32(4, flags);
        } else {
            self.set_word32(4, 0);
        }
    }

    /// What fires by the clock has a period.
    fn choose_period(&mut self, random: &mut Rng) {
        let is_clock = self.get(Meaning::OwnKind) >= Some(abi::RTRACE_KIND_TICK.into());
        let ms = 1_000_000;
        let period = pick(random, &[10 * ms, 100 * ms, 1000 * ms]);
        self.set_meaning(Meaning::Period, if is_clock { period } else { 0 });
    }

    /// The flags, or another word of 32 bits.
    fn set_word32(&mut self, offset: usize, value: u64) {
        self.bytes[offset..offset + 4].copy_from_slice(&(value as u32).to_ne_bytes());
    }

    /// A session is named by that thing or by its id.
    fn only_one_of(&mut self, thing: Thing, random: &mut Rng) {
        if random.bool() {
            self.set_meaning(Meaning::Length(thing), 0);
        } else {
            self.set_meaning(Meaning::Session, 0);
        }
    }

    /// Whose session is ended: seldom one that is there, else nobody would live for long.
    fn choose_victim(&mut self, random: &mut Rng, supply: &Supply<'_>) {
        let user = rarely(random, 100);
        self.set_word32(4, u64::from(user));
        let victim = match random.u8(..16) {
            0 => supply.session,
            1 => supply.board.known(random.usize(..)),
            _ => (1 << 40) + random.u64(..1 << 20),
        };
        self.set_meaning(Meaning::Session, if user { 0 } else { victim });
        let users = [1001, 1002, 1003, 1004];
        let uid = if user { pick(random, &users) } else { 0 };
        self.set_meaning(Meaning::User, uid);
    }

    /// Makes something in it wrong.
    pub fn spoil(&mut self, random: &mut Rng, supply: &Supply<'_>) {
        if self.shape.fields.is_empty() {
            self.command |= (1 + random.u32(..1 << 14)) << 16;
            return;
        }
        if rarely(random, 24) {
            // The size in the number says nothing.
            self.command ^= random.u32(..1 << 14) << 16;
            return;
        }
        let field = &self.shape.fields[random.usize(..self.shape.fields.len())];
        let size = self.shape.size as u64;
        let value = match field.meaning {
            Meaning::Size => pick(
                random,
                &[
                    0,
                    4,
                    7,
                    8,
                    12,
                    size - 8,
                    size - 1,
                    size + 1,
                    size + 8,
                    size + 64,
                    4095,
                    4096,
                    4097,
                    1 << 20,
                    u64::from(u32::MAX),
                ],
            ),
            Meaning::Flags(_) if random.bool() => 1 << random.u32(..32),
            Meaning::Flags(_) | Meaning::Reserved => edge(random),
            Meaning::Pointer(_) => hostile_address(random, supply),
            Meaning::Length(_) => pick(
                random,
                &[
                    0,
                    1,
                    7,
                    31,
                    64,
                    513,
                    4095,
                    1 << 20,
                    262_145,
                    u64::from(u32::MAX),
                    1 << 47,
                    u64::MAX,
                ],
            ),
            // An admin's word ends any session, also the honest ones.
            Meaning::Session if supply.admin && self.shape.kind == Kind::Revoke => 0,
            Meaning::User if supply.admin => 1 + random.u64(..1000),
            Meaning::RingBytes => pick(
                random,
                &[1, 8, 32768, 65535, 100_000, 1 << 31, 1 << 63, u64::MAX],
            ),
            Meaning::Frames => pick(random, &[0, 1_048_577, 1 << 31, u64::from(u32::MAX)]),
            Meaning::Ways => random.u64(..),
            _ => edge(random),
        };
        self.set(field, value);
        // Probes on all functions of the kernel would be armed for minutes.
        let by_pattern = self.get(Meaning::Pointer(Thing::Ids)) == Some(0)
            && self.get(Meaning::Length(Thing::Ids)) == Some(0);
        if self.shape.kind == Kind::Add && by_pattern {
            for thing in [Thing::Module, Thing::Function] {
                if self.get(Meaning::Length(thing)) == Some(0) {
                    self.set_meaning(Meaning::Length(thing), 1);
                }
            }
        }
    }

    /// Sets the flags of a structure that has some.
    pub fn set_flags(&mut self, flags: u32) {
        self.set_word32(4, flags.into());
    }

    fn set(&mut self, field: &Field, value: u64) {
        let bytes = &value.to_ne_bytes()[..field.width];
        self.bytes[field.offset..field.offset + field.width].copy_from_slice(bytes);
    }

    /// Sets the field that has this meaning, if there is one.
    pub fn set_meaning(&mut self, meaning: Meaning, value: u64) {
        if let Some(field) = self.shape.field(meaning) {
            self.set(field, value);
        }
    }

    /// The value of the field that has this meaning.
    pub fn get(&self, meaning: Meaning) -> Option<u64> {
        self.shape.field(meaning).map(|field| self.value(field))
    }

    fn value(&self, field: &Field) -> u64 {
        let mut bytes = [0u8; 8];
        bytes[..field.width].copy_from_slice(&self.bytes[field.offset..field.offset + field.width]);
        u64::from_ne_bytes(bytes)
    }

    /// It as words, for the log.
    pub fn words(&self) -> [u64; CONTENTS] {
        words_of(&self.bytes)
    }
}

/// Bytes as words.
pub fn words_of(bytes: &[u8; CONTENTS * 8]) -> [u64; CONTENTS] {
    let mut words = [0; CONTENTS];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = u64::from_ne_bytes(bytes.try_into().unwrap_or([0; 8]));
    }
    words
}

/// A text for that, ended by a zero. The globs name few functions, or many if so wanted.
fn text(thing: Thing, many: bool, random: &mut Rng) -> String {
    let from: &[&str] = match (thing, many) {
        (Thing::Module, false) => &["rt_target", "rt_target", "rt_*", "rt_[s-u]arge?"],
        (Thing::Module, true) => &["", "*", "vmlinux", "?m*", "[!a-u]*"],
        (Thing::Function, false) => &[
            "rt_void",
            "rt_value",
            "rt_e*",
            "rt_tail_*",
            "rt_\\void",
            "[!a-z]*",
            "no_such",
        ],
        (Thing::Function, true) => &["", "*", "[a-z_]*", "*_*", "*e*a*"],
        _ => &[
            "fuzz-0",
            "fuzz-1",
            "fuzz-2",
            "fuzz.3",
            "fuzz_4",
            "not a name",
        ],
    };
    format!("{}\0", pick(random, from))
}

/// A command to give, by how much it costs and how much there is in it.
pub fn choose(random: &mut Rng) -> &'static Shape {
    const WEIGHTS: [(Kind, u32); 24] = [
        (Kind::Info, 2),
        (Kind::Functions, 1),
        (Kind::Add, 6),
        (Kind::Probes, 5),
        (Kind::Config, 8),
        (Kind::Target, 4),
        (Kind::Start, 4),
        (Kind::Stop, 4),
        (Kind::Status, 8),
        (Kind::Ledger, 9),
        (Kind::LastError, 6),
        (Kind::Sessions, 1),
        (Kind::Revoke, 3),
        (Kind::Publish, 4),
        (Kind::Observe, 8),
        (Kind::Read, 9),
        (Kind::Symbol, 3),
        (Kind::Quota, 6),
        (Kind::Program, 4),
        (Kind::AddOwn, 5),
        (Kind::Aggregate, 5),
        (Kind::View, 1),
        (Kind::Owners, 1),
        (Kind::Text, 3),
    ];
    let all: u32 = WEIGHTS.iter().map(|(_, weight)| weight).sum();
    let mut ticket = random.u32(..all);
    for (kind, weight) in WEIGHTS {
        if ticket < weight {
            if let Some(shape) = SHAPES.iter().find(|shape| shape.kind == kind) {
                return shape;
            }
        }
        ticket = ticket.saturating_sub(weight);
    }
    &SHAPES[0]
}
