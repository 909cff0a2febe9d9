// SPDX-License-Identifier: GPL-2.0-only
//! The structures of the ABI, field by field, by what each field means: from this the fuzzer
//! knows what is nearly right. A field that is not named here does not compile.

#![forbid(unsafe_code)]

use std::mem::offset_of;

use rust_tracer::abi;

use super::kind::Kind;

/// What a pointer points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// A glob for modules.
    Module,
    /// A glob for functions.
    Function,
    /// Ids of probes.
    Ids,
    /// A published name.
    Name,
    /// What the module fills.
    Buffer,
    /// A program's instructions.
    Code,
    /// Its clauses.
    Clauses,
    /// Its constants.
    Constants,
    /// Its strings.
    Strings,
    /// Its variables.
    Variables,
    /// Its aggregations.
    Aggregations,
}

/// What a field means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The structure's size.
    Size,
    /// Bits, of which these are known.
    Flags(u32),
    /// To be 0.
    Reserved,
    /// Where something is.
    Pointer(Thing),
    /// How long it is, in bytes (ids: how many).
    Length(Thing),
    /// Where a listing goes on.
    Cursor,
    /// The index of a probe.
    Index,
    /// A group of clauses.
    Group,
    /// `RTRACE_KIND_*` of the module's own probes.
    OwnKind,
    /// ns between two firings.
    Period,
    /// How many there are at once, or how long one is.
    Number,
    /// Bytes of a program's state.
    StateBytes,
    /// A CPU's number.
    Cpu,
    /// A position in a ring.
    Position,
    /// A session's id.
    Session,
    /// A user's id.
    User,
    /// A process's id.
    Process,
    /// Bytes of a ring.
    RingBytes,
    /// Bytes that wake a reader.
    Watermark,
    /// `RTRACE_POLICY_*`
    Policy,
    /// Calls that are followed.
    Frames,
    /// A bit for each `RTRACE_WAY_*`.
    Ways,
    /// An address in the kernel.
    Address,
    /// `RTRACE_VIEW_*`
    View,
    /// A descriptor of a view's file; 0 for views of none.
    File,
    /// Written by the module.
    Out,
}

/// A field.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Where it is.
    pub offset: usize,
    /// Bytes.
    pub width: usize,
    /// What it means.
    pub meaning: Meaning,
}

/// A command and its structure.
#[derive(Debug)]
pub struct Shape {
    /// For counting.
    pub kind: Kind,
    /// `RTRACE_IOC_*`
    pub command: u32,
    /// Bytes; 0: it takes no structure.
    pub size: usize,
    /// In order.
    pub fields: &'static [Field],
}

impl Shape {
    /// The field that has this meaning.
    pub fn field(&self, meaning: Meaning) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.meaning == meaning)
    }

    /// Whether it needs write permission, and changes the session.
    pub fn changes(&self) -> bool {
        use Kind::{Add, AddOwn, Config, Program, Publish, Revoke, Start, Stop, Target};
        matches!(
            self.kind,
            Add | AddOwn | Config | Program | Target | Start | Stop | Revoke | Publish
        )
    }
}

const fn width<S, F>(_: fn(&S) -> &F) -> usize {
    size_of::<F>()
}

macro_rules! shapes {
    ($($structure:ident $kind:ident $command:ident { $($field:ident: $meaning:expr,)* })*) => {
        /// All commands.
        pub static SHAPES: &[Shape] = &[
            $(Shape {
                kind: Kind::$kind,
                command: abi::$command as u32,
                size: size_of::<abi::$structure>(),
                fields: &[$(Field {
                    offset: offset_of!(abi::$structure, $field),
                    width: width::<abi::$structure, _>(|structure| &structure.$field),
                    meaning: $meaning,
                },)*],
            },)*
            Shape {
                kind: Kind::Stop,
                command: abi::COMMAND_STOP as u32,
                size: 0,
                fields: &[],
            },
        ];
        $(const _: fn(abi::$structure) = |abi::$structure { $($field: _,)* }| ();)*
    };
}

use Meaning::{
    Address, Cpu, Cursor, File, Flags, Frames, Group, Index, Length, Number, Out, OwnKind, Period,
    Pointer, Policy, Position, Process, Reserved, RingBytes, Session, Size, StateBytes, User, View,
    Watermark, Ways,
};

const LISTING: u32 = abi::RTRACE_FUNCTIONS_UNTRACEABLE | abi::RTRACE_FUNCTIONS_ALIASES;
const ADDING: u32 = abi::RTRACE_PROBE_ENTRY | abi::RTRACE_PROBE_RETURN | abi::RTRACE_ADD_LATE;
const SUMMING: u32 =
    abi::RTRACE_LEDGER_SUM_CPUS | abi::RTRACE_LEDGER_SUM_PROBES | abi::RTRACE_LEDGER_NONZERO;

shapes! {
    rtrace_info Info COMMAND_INFO {
        size: Size, flags: Flags(0), abi_major: Out, abi_minor: Out, node: Out, features: Out,
        clock: Out, cpus: Out, page_size: Out, functions: Out, ring_min: Out, ring_max: Out,
        probes_max: Out, frames_max: Out, generation: Out,
    }
    rtrace_functions Functions COMMAND_FUNCTIONS {
        size: Size, flags: Flags(LISTING), module: Pointer(Thing::Module),
        function: Pointer(Thing::Function), module_len: Length(Thing::Module),
        function_len: Length(Thing::Function), buf: Pointer(Thing::Buffer),
        buf_len: Length(Thing::Buffer), cursor: Cursor, filled: Out, count: Out,
        reserved: Reserved,
    }
    rtrace_add Add COMMAND_ADD {
        size: Size, flags: Flags(ADDING), module: Pointer(Thing::Module),
        function: Pointer(Thing::Function), module_len: Length(Thing::Module),
        function_len: Length(Thing::Function), ids: Pointer(Thing::Ids),
        ids_count: Length(Thing::Ids), matched: Out, added: Out, group: Group,
    }
    rtrace_probes Probes COMMAND_PROBES {
        size: Size, flags: Flags(0), first: Index, count: Out, buf: Pointer(Thing::Buffer),
        buf_len: Length(Thing::Buffer), filled: Out, next: Out, total: Out,
    }
    rtrace_config Config COMMAND_CONFIG {
        size: Size, flags: Flags(0), ring_bytes: RingBytes, watermark: Watermark, policy: Policy,
        frames: Frames, ways: Ways, reserved: Reserved,
    }
    rtrace_target Target COMMAND_TARGET {
        size: Size, flags: Flags(0), pid: Process, reserved: Reserved,
    }
    rtrace_start Start COMMAND_START {
        size: Size, flags: Flags(0), attached: Out, refused: Out,
    }
    rtrace_status Status COMMAND_STATUS {
        size: Size, flags: Flags(0), state: Out, reason: Out, probes: Out, attached: Out,
        rings: Out, policy: Out, ring_bytes: Out, watermark: Out, generation: Out, memory: Out,
        frames: Out, frames_used: Out, id: Out, unspeculated: Out,
    }
    rtrace_ledger Ledger COMMAND_LEDGER {
        size: Size, flags: Flags(SUMMING), buf: Pointer(Thing::Buffer),
        buf_len: Length(Thing::Buffer), cursor: Cursor, count: Out, reserved: Reserved,
    }
    rtrace_error LastError COMMAND_LAST_ERROR {
        size: Size, flags: Flags(0), buf: Pointer(Thing::Buffer), buf_len: Length(Thing::Buffer),
        len: Out, error: Out, reserved: Reserved,
    }
    rtrace_sessions Sessions COMMAND_SESSIONS {
        size: Size, flags: Flags(0), buf: Pointer(Thing::Buffer), buf_len: Length(Thing::Buffer),
        cursor: Session, filled: Out, count: Out, reserved: Reserved,
    }
    rtrace_revoke Revoke COMMAND_REVOKE {
        size: Size, flags: Flags(abi::RTRACE_REVOKE_USER), id: Session, uid: User, count: Out,
    }
    rtrace_publish Publish COMMAND_PUBLISH {
        size: Size, flags: Flags(0), name: Pointer(Thing::Name), name_len: Length(Thing::Name),
        reserved: Reserved,
    }
    rtrace_observe Observe COMMAND_OBSERVE {
        size: Size, flags: Flags(0), name: Pointer(Thing::Name), name_len: Length(Thing::Name),
        reserved: Reserved, id: Session,
    }
    rtrace_read Read COMMAND_READ {
        size: Size, flags: Flags(0), cpu: Cpu, reserved: Reserved, position: Position,
        buf: Pointer(Thing::Buffer), buf_len: Length(Thing::Buffer), filled: Out, skipped: Out,
    }
    rtrace_symbol Symbol COMMAND_SYMBOL {
        size: Size, flags: Flags(0), address: Address, buf: Pointer(Thing::Buffer),
        buf_len: Length(Thing::Buffer), len: Out,
    }
    rtrace_quota Quota COMMAND_QUOTA {
        size: Size, flags: Flags(0), uid: Out, exempt: Out, sessions: Out, sessions_max: Out,
        probes: Out, probes_max: Out, memory: Out, memory_max: Out, events_max: Out,
        patterns: Out, patterns_max: Out, clock_hz: Out, clock_hz_max: Out,
        clock_time: Out, clock_time_max: Out,
    }
    rtrace_program Program COMMAND_PROGRAM {
        size: Size, flags: Flags(0), code: Pointer(Thing::Code), clauses: Pointer(Thing::Clauses),
        constants: Pointer(Thing::Constants), strings: Pointer(Thing::Strings),
        variables: Pointer(Thing::Variables), aggregations: Pointer(Thing::Aggregations),
        code_count: Length(Thing::Code), clauses_count: Length(Thing::Clauses),
        constants_count: Length(Thing::Constants), strings_len: Length(Thing::Strings),
        variables_count: Length(Thing::Variables),
        aggregations_count: Length(Thing::Aggregations), strsize: Number, speculations: Number,
        specsize: StateBytes, aggsize: StateBytes, dynvarsize: StateBytes, instruction: Out,
        dynvars: Number, actions: Pointer(Thing::Code),
    }
    rtrace_add_own AddOwn COMMAND_ADD_OWN {
        size: Size, flags: Flags(0), kind: OwnKind, group: Group, period: Period,
        name: Pointer(Thing::Name), name_len: Length(Thing::Name), index: Out,
    }
    rtrace_aggregate Aggregate COMMAND_AGGREGATE {
        size: Size, flags: Flags(0), cpu: Cpu, count: Out, buf: Pointer(Thing::Buffer),
        buf_len: Length(Thing::Buffer), cursor: Cursor, filled: Out,
    }
    rtrace_view View COMMAND_VIEW {
        size: Size, flags: Flags(0), view: View, fd: File, buf: Pointer(Thing::Buffer),
        buf_len: Length(Thing::Buffer), cursor: Cursor, filled: Out, count: Out, row_size: Out,
        reserved: Reserved,
    }
    rtrace_owners Owners COMMAND_OWNERS {
        size: Size, flags: Flags(0), buf: Pointer(Thing::Buffer), count: Length(Thing::Buffer),
        reserved: Reserved,
    }
    rtrace_text Text COMMAND_TEXT {
        size: Size, flags: Flags(0), address: Address, buf: Pointer(Thing::Buffer),
        buf_len: Length(Thing::Buffer),
    }
}
