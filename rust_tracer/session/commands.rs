// SPDX-License-Identifier: GPL-2.0

//! The commands of the ABI: what each reads, does, and writes back.
//!
//! User memory is read before a lock is taken and written after it is given back; in between
//! a command works on copies.

#![forbid(unsafe_code)]

use kernel::{
    prelude::*,
    sync::ArcBorrow,
    transmute::AsBytes,
    uaccess::{
        UserPtr,
        UserSlice, //
    },
};

use super::{
    Inner,
    Late,
    Session,
    State, //
};
use crate::{
    abi::{
        self,
        Argument, //
    },
    arch,
    engine::{
        self,
        Engine,
        Targets, //
    },
    functions::{
        self,
        Match,
        Pattern,
        FUNCTIONS, //
    },
    refusal::Refusal,
    ring::{
        Layout,
        Policy, //
    },
};

mod ledger;

/// Bytes that one call fills at most; a listing goes on by its cursor.
const FILL_MAX: usize = 256 * 1024;
/// Patterns that a session remembers for modules to come.
const LATE_MAX: usize = 4096;
/// Ids that one RTRACE_IOC_ADD may name.
const IDS_MAX: u32 = abi::RTRACE_PROBES_MAX;
const FEATURES: u32 = abi::RTRACE_FEATURE_ENTRY
    | abi::RTRACE_FEATURE_RETURN
    | abi::RTRACE_FEATURE_LATE
    | abi::RTRACE_FEATURE_TARGET;
const KINDS: u32 = abi::RTRACE_PROBE_ENTRY | abi::RTRACE_PROBE_RETURN;

/// How the file was opened.
#[derive(Clone, Copy)]
pub(crate) struct Access {
    pub(crate) read: bool,
    pub(crate) write: bool,
}

impl Access {
    fn reads(self) -> Result<(), Refusal> {
        if self.read {
            return Ok(());
        }
        Err(Refusal::new(
            EBADF,
            "this command observes, and the node was opened without read permission",
        ))
    }

    fn writes(self) -> Result<(), Refusal> {
        if self.write {
            return Ok(());
        }
        Err(Refusal::new(
            EBADF,
            "this command arms, and the node was opened without write permission",
        ))
    }
}

/// Carries a command out. Nothing is done for one that is unknown.
pub(crate) fn ioctl(
    session: ArcBorrow<'_, Session>,
    access: Access,
    command: u32,
    argument: usize,
) -> Result<(), Refusal> {
    let at = UserPtr::from_addr(argument);
    // The size in the number is the caller's; the structure says its own.
    const NUMBER: u32 = !(0x3fff << 16);
    const INFO: u32 = abi::rtrace_info::COMMAND & NUMBER;
    const FUNCTIONS: u32 = abi::rtrace_functions::COMMAND & NUMBER;
    const ADD: u32 = abi::rtrace_add::COMMAND & NUMBER;
    const PROBES: u32 = abi::rtrace_probes::COMMAND & NUMBER;
    const CONFIG: u32 = abi::rtrace_config::COMMAND & NUMBER;
    const TARGET: u32 = abi::rtrace_target::COMMAND & NUMBER;
    const START: u32 = abi::rtrace_start::COMMAND & NUMBER;
    const STOP: u32 = abi::STOP & NUMBER;
    const STATUS: u32 = abi::rtrace_status::COMMAND & NUMBER;
    const LEDGER: u32 = abi::rtrace_ledger::COMMAND & NUMBER;
    const ERROR: u32 = abi::rtrace_error::COMMAND & NUMBER;
    match command & NUMBER {
        INFO => access.reads().and_then(|()| info(&session, at)),
        FUNCTIONS => access.reads().and_then(|()| list_functions(at)),
        ADD => access.writes().and_then(|()| add(session, at)),
        PROBES => access.reads().and_then(|()| probes(&session, at)),
        CONFIG => access.writes().and_then(|()| config(&session, at)),
        TARGET => access.writes().and_then(|()| target(&session, at)),
        START => access.writes().and_then(|()| start(&session, at)),
        STOP if command == abi::STOP => access.writes().and_then(|()| stop(&session)),
        STATUS => access.reads().and_then(|()| status(&session, at)),
        LEDGER => access.reads().and_then(|()| ledger::ledger(&session, at)),
        ERROR => last_error(&session, at),
        _ => Err(Refusal::new(ENOTTY, "no such command")),
    }
}

fn info(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (mut info, size) = abi::read::<abi::rtrace_info>(at)?;
    abi::must_be_zero(info.flags, "flags")?;
    let (functions, generation) = {
        let table = FUNCTIONS.lock();
        (table.live() as u32, table.generation())
    };
    info = abi::rtrace_info {
        size: info.size,
        flags: 0,
        abi_major: abi::RTRACE_ABI_MAJOR as u16,
        abi_minor: abi::RTRACE_ABI_MINOR as u16,
        node: session.node.number(),
        features: u64::from(FEATURES),
        clock: abi::RTRACE_CLOCK_MONOTONIC,
        cpus: engine::cpu_limit(),
        page_size: kernel::page::PAGE_SIZE as u32,
        functions,
        ring_min: abi::RTRACE_RING_MIN.into(),
        ring_max: abi::RTRACE_RING_MAX.into(),
        probes_max: abi::RTRACE_PROBES_MAX,
        frames_max: abi::RTRACE_FRAMES_MAX,
        generation,
    };
    abi::write(at, size, &info)
}

/// Reads a glob.
fn glob(from: u64, len: u32) -> Result<KVec<u8>, Refusal> {
    if len > abi::RTRACE_PATTERN_MAX {
        return Err(Refusal::with(
            E2BIG,
            fmt!(
                "a pattern of {len} bytes is too long: at most {} are allowed",
                abi::RTRACE_PATTERN_MAX
            ),
        ));
    }
    let mut bytes = KVec::new();
    if len != 0 {
        UserSlice::new(abi::pointer(from), len as usize).read_all(&mut bytes, GFP_KERNEL)?;
    }
    Ok(bytes)
}

/// How much of the caller's buffer one call fills.
fn room(buf_len: u64) -> usize {
    usize::try_from(buf_len).map_or(FILL_MAX, |len| len.min(FILL_MAX))
}

/// Writes what a listing filled.
fn fill(to: u64, bytes: &[u8]) -> Result<(), Refusal> {
    Ok(UserSlice::new(abi::pointer(to), bytes.len())
        .writer()
        .write_slice(bytes)?)
}

fn too_small() -> Refusal {
    Refusal::new(
        ENOSPC,
        "the buffer is too small for one entry: make it larger",
    )
}

fn list_functions(at: UserPtr) -> Result<(), Refusal> {
    let (mut arg, size) = abi::read::<abi::rtrace_functions>(at)?;
    let known = abi::RTRACE_FUNCTIONS_UNTRACEABLE | abi::RTRACE_FUNCTIONS_ALIASES;
    abi::must_be_zero(arg.flags & !known, "flags")?;
    abi::must_be_zero(arg.reserved, "reserved")?;
    let request = functions::Request {
        pattern: Pattern {
            module: glob(arg.module, arg.module_len)?,
            function: glob(arg.function, arg.function_len)?,
        },
        flags: arg.flags,
        cursor: arg.cursor,
        room: room(arg.buf_len),
        way: crate::attach::way,
    };
    let page = functions::list(&request)?;
    if page.count == 0 && page.cursor != 0 {
        return Err(too_small());
    }
    fill(arg.buf, &page.bytes)?;
    arg.cursor = page.cursor;
    arg.filled = page.bytes.len() as u64;
    arg.count = page.count;
    abi::write(at, size, &arg)
}

fn add(session: ArcBorrow<'_, Session>, at: UserPtr) -> Result<(), Refusal> {
    let (mut arg, size) = abi::read::<abi::rtrace_add>(at)?;
    abi::must_be_zero(arg.reserved, "reserved")?;
    session.node.may_arm()?;
    session.enlist()?;
    let by_pattern = arg.ids == 0 && arg.ids_count == 0;
    let known = KINDS | abi::RTRACE_ADD_LATE;
    abi::must_be_zero(arg.flags & !if by_pattern { known } else { 0 }, "flags")?;
    let (matched, added) = if by_pattern {
        if arg.flags & KINDS == 0 {
            return Err(Refusal::new(
                EINVAL,
                "neither entry nor return was asked for: set RTRACE_PROBE_ENTRY or _RETURN",
            ));
        }
        let pattern = Pattern {
            module: glob(arg.module, arg.module_len)?,
            function: glob(arg.function, arg.function_len)?,
        };
        add_pattern(&mut session.inner.lock(), pattern, arg.flags)?
    } else {
        if arg.ids_count > IDS_MAX {
            return Err(Refusal::with(
                E2BIG,
                fmt!(
                    "{} ids at once are too many: at most {IDS_MAX}",
                    arg.ids_count
                ),
            ));
        }
        let mut bytes = KVVec::new();
        UserSlice::new(abi::pointer(arg.ids), arg.ids_count as usize * 4)
            .read_all(&mut bytes, GFP_KERNEL)?;
        add_ids(&mut session.inner.lock(), &bytes)?
    };
    arg.matched = matched;
    arg.added = added;
    abi::write(at, size, &arg)
}

/// Adds by `add`, or leaves the probes as they are.
fn all_or_none(
    inner: &mut Inner,
    add: impl FnOnce(&mut Inner) -> Result<(u32, u32), Refusal>,
) -> Result<(u32, u32), Refusal> {
    inner.must_be_idle("add probes")?;
    let before = inner.probes.len();
    add(inner).inspect_err(|_| inner.probes.truncate(before))
}

fn add_pattern(inner: &mut Inner, pattern: Pattern, flags: u32) -> Result<(u32, u32), Refusal> {
    all_or_none(inner, |inner| {
        let kinds = flags & KINDS;
        let (mut matched, mut added) = (0, 0);
        {
            let table = FUNCTIONS.lock();
            for found in table.matches(&pattern, 0..u32::MAX) {
                matched += kinds.count_ones();
                added += inner.probes.add(found, kinds)?;
            }
        }
        if flags & abi::RTRACE_ADD_LATE != 0 {
            if inner.late.len() >= LATE_MAX {
                return Err(Refusal::with(
                    ENOSPC,
                    fmt!("a session may remember {LATE_MAX} patterns for later modules"),
                ));
            }
            let late = Late { pattern, kinds };
            inner.late.push(late, GFP_KERNEL_ACCOUNT)?;
        }
        Ok((matched, added))
    })
}

fn add_ids(inner: &mut Inner, bytes: &[u8]) -> Result<(u32, u32), Refusal> {
    all_or_none(inner, |inner| {
        let table = FUNCTIONS.lock();
        let (mut matched, mut added) = (0, 0);
        for id in bytes.chunks_exact(4) {
            let id = <[u8; 4]>::try_from(id).map_or(0, u32::from_ne_bytes);
            let probe = functions::probe_of(id);
            let probe = probe.filter(|(function, _)| *function < table.len());
            let probe = probe.map(|(function, kind)| {
                let function = arch::index_nospec(function as usize, table.len() as usize);
                (function as u32, kind)
            });
            let Some((function, kind)) = probe.filter(|(f, _)| table.site(*f).is_some()) else {
                return Err(Refusal::with(
                    ENOENT,
                    fmt!("there is no probe {id}: list the probes for the ids of today"),
                ));
            };
            let found = Match {
                function,
                name: table.primary_name(function),
            };
            matched += 1;
            added += inner.probes.add(found, 1 << kind.number())?;
        }
        Ok((matched, added))
    })
}

fn probes(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (mut arg, size) = abi::read::<abi::rtrace_probes>(at)?;
    abi::must_be_zero(arg.flags, "flags")?;
    let room = room(arg.buf_len);
    let mut bytes = KVVec::new();
    arg.count = 0;
    {
        let inner = session.inner.lock();
        let table = FUNCTIONS.lock();
        arg.total = inner.probes.len();
        arg.next = arg.first.min(arg.total);
        while arg.next < arg.total {
            let index = arch::index_nospec(arg.next as usize, arg.total as usize);
            let Some(probe) = inner.probes.get(index as u32) else {
                break;
            };
            let (module, name) = (table.module_name(probe.function), table.name(probe.name));
            let entry_size = size_of::<abi::rtrace_probe>() + module.len() + name.len();
            let entry_size = entry_size.next_multiple_of(8);
            if bytes.len() + entry_size > room {
                break;
            }
            let way = if probe.attached {
                crate::attach::way(probe.kind)
            } else {
                abi::RTRACE_WAY_NONE
            };
            let entry = abi::rtrace_probe {
                entry_size: entry_size as u32,
                index: arg.next,
                id: functions::probe_id(probe.function, probe.kind),
                function: probe.function + 1,
                kind: probe.kind.number(),
                way: way as u8,
                why: probe.why as u16,
                module_len: module.len() as u16,
                name_len: name.len() as u16,
            };
            let end = bytes.len() + entry_size;
            for part in [entry.as_bytes(), module, name] {
                bytes.extend_from_slice(part, GFP_KERNEL)?;
            }
            bytes.resize(end, 0, GFP_KERNEL)?;
            arg.count += 1;
            arg.next += 1;
        }
    }
    if arg.count == 0 && arg.next < arg.total {
        return Err(too_small());
    }
    fill(arg.buf, &bytes)?;
    arg.filled = bytes.len() as u64;
    abi::write(at, size, &arg)
}

fn config(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (mut arg, size) = abi::read::<abi::rtrace_config>(at)?;
    abi::must_be_zero(arg.flags, "flags")?;
    let mut new = engine::Config::default();
    if arg.ring_bytes != 0 {
        let range = u64::from(abi::RTRACE_RING_MIN)..=u64::from(abi::RTRACE_RING_MAX);
        if !arg.ring_bytes.is_power_of_two() || !range.contains(&arg.ring_bytes) {
            return Err(Refusal::with(
                EINVAL,
                fmt!(
                    "a ring of {} bytes cannot be: it must be a power of two from {} to {}",
                    arg.ring_bytes,
                    range.start(),
                    range.end()
                ),
            ));
        }
        new.ring_bytes = arg.ring_bytes;
    }
    if arg.watermark >= new.ring_bytes {
        return Err(Refusal::with(
            EINVAL,
            fmt!(
                "a watermark of {} bytes is never reached in a ring of {}",
                arg.watermark,
                new.ring_bytes
            ),
        ));
    }
    new.watermark = if arg.watermark == 0 {
        new.ring_bytes / 4
    } else {
        arg.watermark
    };
    new.policy = match arg.policy {
        abi::RTRACE_POLICY_SWITCH => Policy::Switch,
        abi::RTRACE_POLICY_FILL => Policy::Fill,
        abi::RTRACE_POLICY_RING => Policy::Ring,
        other => {
            return Err(Refusal::with(
                EINVAL,
                fmt!("there is no policy {other}: use switch (0), fill (1) or ring (2)"),
            ))
        }
    };
    if arg.frames > abi::RTRACE_FRAMES_MAX {
        return Err(Refusal::with(
            EINVAL,
            fmt!(
                "{} frames are too many: at most {}",
                arg.frames,
                abi::RTRACE_FRAMES_MAX
            ),
        ));
    }
    if arg.frames != 0 {
        new.frames = arg.frames;
    }
    new.watermark = Layout::new(new.ring_bytes, new.watermark, new.policy)
        .map_or(new.watermark, |layout| layout.watermark());
    {
        let mut inner = session.inner.lock();
        inner.must_be_idle("configure")?;
        inner.config = new;
    }
    arg.ring_bytes = new.ring_bytes;
    arg.watermark = new.watermark;
    arg.frames = new.frames;
    abi::write(at, size, &arg)
}

fn target(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (arg, _) = abi::read::<abi::rtrace_target>(at)?;
    abi::must_be_zero(arg.flags, "flags")?;
    abi::must_be_zero(arg.reserved, "reserved")?;
    session.node.may_arm()?;
    let mut inner = session.inner.lock();
    inner.must_be_idle("narrow to a target")?;
    let targets = Targets::new(arg.pid)?;
    if let Some(before) = inner.targets.replace(targets) {
        before.unwatch();
    }
    Ok(())
}

fn start(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (mut arg, size) = abi::read::<abi::rtrace_start>(at)?;
    abi::must_be_zero(arg.flags, "flags")?;
    (arg.attached, arg.refused) = session.start()?;
    abi::write(at, size, &arg)
}

fn stop(session: &Session) -> Result<(), Refusal> {
    let mut inner = session.inner.lock();
    if inner.state == State::Idle {
        return Err(Refusal::new(
            EINVAL,
            "there is nothing to stop: the session was not started",
        ));
    }
    session.halt(&mut inner);
    Ok(())
}

fn status(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (arg, size) = abi::read::<abi::rtrace_status>(at)?;
    abi::must_be_zero(arg.flags, "flags")?;
    let mut new = abi::rtrace_status {
        size: arg.size,
        ..Default::default()
    };
    {
        let inner = session.inner.lock();
        new.state = inner.state.number();
        new.probes = inner.probes.len();
        new.attached = inner.probes.count_attached().0;
        new.policy = inner.config.policy as u32;
        new.ring_bytes = inner.config.ring_bytes;
        new.watermark = inner.config.watermark;
        new.frames = inner.config.frames;
    }
    if let Some(engine) = session.engine() {
        engine.tend();
        new.reason = engine.reason();
        new.rings = engine.rings().count() as u32;
        new.generation = engine.generation();
        new.memory = engine.memory() as u64;
        new.frames_used = engine.calls().map_or(0, |calls| calls.in_use());
    }
    abi::write(at, size, &new)
}

fn last_error(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (mut arg, size) = abi::read::<abi::rtrace_error>(at)?;
    abi::must_be_zero(arg.flags, "flags")?;
    abi::must_be_zero(arg.reserved, "reserved")?;
    let mut text = KVec::new();
    arg.error = 0;
    if let Some(refusal) = &*session.last_error.lock() {
        arg.error = -refusal.error.to_errno();
        let all = refusal.text();
        let cut = all.len().min(arg.buf_len as usize);
        text.extend_from_slice(all.get(..cut).unwrap_or(all), GFP_KERNEL)?;
    }
    fill(arg.buf, &text)?;
    arg.len = text.len() as u32;
    abi::write(at, size, &arg)
}

/// What a session's engine counts, once it has one.
fn engine(session: &Session) -> Result<kernel::sync::Arc<Engine>, Refusal> {
    session.engine().ok_or_else(|| {
        Refusal::new(
            EINVAL,
            "there is no ledger yet: the session was not started",
        )
    })
}
