// SPDX-License-Identifier: GPL-2.0

//! RTRACE_IOC_PROGRAM and AGGREGATE: what runs when probes fire, and what it aggregated.

#![forbid(unsafe_code)]

use kernel::{
    prelude::*,
    sync::Arc,
    transmute::{
        AsBytes,
        FromBytes, //
    },
    uaccess::{
        UserPtr,
        UserSlice, //
    },
};

use super::{
    engine,
    fill,
    room,
    space,
    too_small, //
};
use crate::{
    abi, arch,
    engine::cpu_limit,
    loaded::{
        Loaded,
        Sizes, //
    },
    program::{
        layout,
        refused::{
            Refused,
            Why, //
        },
        verify::{
            self,
            Mark, //
        },
        Aggregation,
        Clause,
        Slot,
        Variable, //
    },
    refusal::Refusal,
    session::Session,
};

/// Bytes that a program's aggregations on a CPU, and its dynamic variables, may take.
const STATE_MAX: u64 = abi::RTRACE_RING_MAX as u64;

/// Copies an array of the caller's. `count` has been checked.
fn copy<T: FromBytes, U>(
    from: u64,
    count: u32,
    known: impl Fn(T) -> U,
) -> Result<KVVec<U>, Refusal> {
    let bytes = count as usize * size_of::<T>();
    let mut reader = UserSlice::new(abi::pointer(from), bytes).reader();
    let mut all = KVVec::with_capacity(count as usize, GFP_KERNEL_ACCOUNT)?;
    for _ in 0..count {
        all.push(known(reader.read::<T>()?), GFP_KERNEL_ACCOUNT)?;
    }
    Ok(all)
}

/// Refuses more of something than there may be.
fn must_be_at_most(count: u32, most: u32, what: &str) -> Result<(), Refusal> {
    if count <= most {
        return Ok(());
    }
    Err(Refusal::with(
        E2BIG,
        fmt!("a program of {count} {what} is too large: at most {most} are allowed"),
    ))
}

/// Refuses a size that cannot be had.
fn must_be_had(bytes: u64, what: &str) -> Result<(), Refusal> {
    if bytes <= STATE_MAX {
        return Ok(());
    }
    Err(Refusal::with(
        EINVAL,
        fmt!("{what} of {bytes} bytes is too large: at most {STATE_MAX} are allowed"),
    ))
}

/// Copies a program, and gives its variables their places.
fn copy_program(arg: &abi::rtrace_program) -> Result<(Loaded, Option<Refused>), Refusal> {
    for (count, most, what) in [
        (
            arg.code_count,
            abi::RTRACE_PROGRAM_INSNS_MAX,
            "instructions",
        ),
        (arg.clauses_count, abi::RTRACE_CLAUSES_MAX, "clauses"),
        (arg.constants_count, abi::RTRACE_CONSTANTS_MAX, "constants"),
        (arg.strings_len, abi::RTRACE_STRINGS_MAX, "bytes of strings"),
        (arg.variables_count, abi::RTRACE_VARIABLES_MAX, "variables"),
        (
            arg.aggregations_count,
            abi::RTRACE_AGGREGATIONS_MAX,
            "aggregations",
        ),
        (
            arg.speculations,
            abi::RTRACE_SPECULATIONS_MAX,
            "speculations",
        ),
        (
            arg.strsize,
            abi::RTRACE_STRSIZE_MAX,
            "bytes a string (strsize)",
        ),
    ] {
        must_be_at_most(count, most, what)?;
    }
    must_be_had(arg.aggsize, "an aggregation buffer (aggsize)")?;
    must_be_had(arg.dynvarsize, "a dynamic variable space (dynvarsize)")?;
    let mut strings = KVVec::new();
    if arg.strings_len != 0 {
        UserSlice::new(abi::pointer(arg.strings), arg.strings_len as usize)
            .read_all(&mut strings, GFP_KERNEL_ACCOUNT)?;
    }
    let mut loaded = Loaded {
        code: copy(arg.code, arg.code_count, |word: u64| word)?,
        clauses: copy(arg.clauses, arg.clauses_count, |c: abi::rtrace_clause| {
            Clause {
                group: c.group,
                first: c.first,
                count: c.count,
                flags: c.flags,
            }
        })?,
        constants: copy(arg.constants, arg.constants_count, |word: u64| word)?,
        strings,
        variables: copy(
            arg.variables,
            arg.variables_count,
            |v: abi::rtrace_variable| Variable {
                scope: v.scope,
                value: v.value,
                reserved: v.reserved,
                bytes: v.bytes,
                keys: v.keys,
                reserved2: v.reserved2,
            },
        )?,
        aggregations: copy(
            arg.aggregations,
            arg.aggregations_count,
            |a: abi::rtrace_aggregation| Aggregation {
                function: a.function,
                keys: a.keys,
                parameters: a.parameters,
            },
        )?,
        slots: KVVec::from_elem(
            Slot::default(),
            arg.variables_count as usize,
            GFP_KERNEL_ACCOUNT,
        )?,
        actions: match arg.actions {
            0 => KVVec::new(),
            actions => copy(actions, arg.code_count, |action: u16| action)?,
        },
        costs: KVVec::new(),
        quick: KVVec::new(),
        simple: KVVec::new(),
        asks_entry_arguments: false,
        sizes: Sizes {
            strsize: match arg.strsize {
                0 => abi::RTRACE_STRSIZE_DEFAULT,
                strsize => strsize,
            },
            speculations: arg.speculations,
            specsize: arg.specsize,
            aggsize: arg.aggsize,
            dynvarsize: arg.dynvarsize,
            dynvars: arg.dynvars,
            locals: 0,
            globals: 0,
        },
    };
    match layout::layout(&loaded.variables, &mut loaded.slots) {
        Ok(sizes) => {
            loaded.sizes.locals = sizes.locals;
            loaded.sizes.globals = sizes.globals;
            Ok((loaded, None))
        }
        Err(refused) => Ok((loaded, Some(refused))),
    }
}

/// Refuses a program whose aggregations or dynamic variables have no room at all.
fn must_have_room(loaded: &Loaded) -> Result<(), Refusal> {
    if !loaded.aggregations_fit()? {
        return Err(Refusal::with(
            EINVAL,
            fmt!(
                "an aggregation buffer of {} bytes has not room for one entry: make it larger \
                 (aggsize)",
                loaded.sizes.aggsize
            ),
        ));
    }
    if !loaded.dynamic_variables_fit() {
        return Err(Refusal::with(
            EINVAL,
            fmt!(
                "a dynamic variable space of {} bytes has not room for one variable: make it \
                 larger (dynvarsize)",
                loaded.sizes.dynvarsize
            ),
        ));
    }
    Ok(())
}

pub(super) fn load(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (mut arg, size) = abi::read_to_answer::<abi::rtrace_program>(at)?;
    abi::must_be_zero(arg.flags, "flags")?;
    session.node.must_know_own_tasks(session.opener.facts())?;
    let (mut loaded, misplaced) = copy_program(&arg)?;
    let verified = match misplaced {
        Some(refused) => Err(refused),
        None => {
            let counts = loaded.clauses.iter().map(|clause| clause.count);
            let longest = counts.max().unwrap_or(0).min(abi::RTRACE_CLAUSE_INSNS_MAX);
            let mut marks = KVVec::from_elem(Mark::default(), longest as usize, GFP_KERNEL)?;
            let mut costs = KVVec::from_elem(0, loaded.clauses.len(), GFP_KERNEL_ACCOUNT)?;
            let rights = session.node.rights();
            let verified = verify::verify(&loaded.program(), rights, &mut marks, &mut costs);
            loaded.costs = costs;
            verified
        }
    };
    if let Err(refused) = verified {
        arg.instruction = refused.at;
        abi::write(at, size, &arg)?;
        return Err(refusal(refused));
    }
    must_have_room(&loaded)?;
    loaded.prepare()?;
    let loaded = Arc::new(loaded, GFP_KERNEL_ACCOUNT)?;
    let mut inner = session.inner();
    session.must_not_observe("load a program")?;
    inner.must_be_idle("load a program")?;
    let before = inner.program.replace(loaded);
    let memory = inner.memory();
    if let Err(refusal) = inner.charge(|charge| charge.memory(memory)) {
        inner.program = before;
        return Err(refusal);
    }
    inner.probes.lay_out(true);
    drop(inner);
    Ok(())
}

/// Why the verifier refuses, and where.
fn refusal(refused: Refused) -> Refusal {
    let Refused { at, why } = refused;
    // The kernel's macro wants its own trait of what is shown.
    if matches!(why, Why::Right(..)) {
        return Refusal::with(EACCES, core::format_args!("{why} (instruction {at})"))
            .by_rule("node");
    }
    Refusal::with(
        EINVAL,
        core::format_args!("the program is refused: {why} (at {at})"),
    )
}

/// Refuses a buffer that cannot be written, before what would be written there is taken away.
fn must_be_writable(buf: u64, len: usize) -> Result<(), Refusal> {
    let pages = (0..len).step_by(kernel::page::PAGE_SIZE);
    for at in Iterator::chain(pages, len.checked_sub(1)) {
        let byte = UserSlice::new(abi::pointer(buf.wrapping_add(at as u64)), 1);
        let (mut reader, mut writer) = byte.reader_writer();
        // What is there stays there.
        writer.write(&reader.read::<u8>()?)?;
    }
    Ok(())
}

const AGGREGATE: &str = "take what was aggregated";

/// The bytes of a buffer of `buf_len` that are filled at once: as many as in a listing, or one entry
/// if that is larger.
fn room_for_entry(session: &Session, buf_len: u64) -> Result<usize, Refusal> {
    let _inner = session.inner();
    session.must_not_observe(AGGREGATE)?;
    let engine = engine(session)?;
    let running = engine.running();
    let entry = running.map_or(0, |running| running.loaded.entry_max());
    let entry = usize::try_from(entry.min(buf_len)).unwrap_or(usize::MAX);
    Ok(room(buf_len).max(entry))
}

pub(super) fn aggregate(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (mut arg, size) = abi::read_to_answer::<abi::rtrace_aggregate>(at)?;
    abi::must_be_zero(arg.flags, "flags")?;
    let no_such = || {
        Refusal::with(
            ENXIO,
            fmt!("nothing can aggregate on CPU {} in this session", arg.cpu),
        )
    };
    if arg.cpu >= cpu_limit() {
        return Err(no_such());
    }
    let cpu = arch::index_nospec(arg.cpu as usize, cpu_limit() as usize) as u32;
    let room = room_for_entry(session, arg.buf_len)?;
    if arg.cursor == 0 {
        must_be_writable(arg.buf, room)?;
    }
    let mut bytes = space(room)?;
    {
        let _inner = session.inner();
        session.must_not_observe(AGGREGATE)?;
        let engine = engine(session)?;
        let (Some(running), Some(program)) = (engine.running(), engine.cpu_program(cpu)) else {
            return Err(no_such());
        };
        if (room as u64) < running.loaded.entry_max() {
            return Err(too_small());
        }
        if arg.cursor == 0 && !engine.turn_aggregations(cpu) {
            return Err(no_such());
        }
        // One less than the caller's: 0 is the beginning of what is there now.
        let mut cursor = arg.cursor.saturating_sub(1);
        arg.count = 0;
        arg.cursor = 0;
        let table = running.resting(program);
        while let Some(entry) = table.as_ref().and_then(|table| table.entry(cursor)) {
            let words = entry.keys.saturating_add(entry.words);
            let head = abi::rtrace_aggregate_entry {
                entry_size: size_of::<abi::rtrace_aggregate_entry>() as u32
                    + words.saturating_mul(8),
                aggregation: entry.aggregation,
                key_bytes: entry.keys.saturating_mul(8),
                words: entry.words,
            };
            if bytes.len() + head.entry_size as usize > room {
                arg.cursor = cursor + 1;
                break;
            }
            bytes.extend_from_slice(head.as_bytes(), GFP_KERNEL)?;
            let table = table.as_ref();
            for index in 0..words {
                let word = table.and_then(|table| table.word(&entry, index));
                let word = word.unwrap_or(0).to_ne_bytes();
                bytes.extend_from_slice(&word, GFP_KERNEL)?;
            }
            arg.count += 1;
            cursor = entry.next;
        }
    }
    fill(arg.buf, &bytes)?;
    arg.filled = bytes.len() as u64;
    abi::write(at, size, &arg)
}
