// SPDX-License-Identifier: GPL-2.0

//! The commands of the ABI: what each reads, does, and writes back.
//!
//! User memory is read before a lock is taken and written after it is given back; in between
//! a command works on copies.

#![forbid(unsafe_code)]

use core::sync::atomic::Ordering;

use kernel::{
    prelude::*,
    sync::{
        Arc,
        ArcBorrow, //
    },
    uaccess::{
        UserPtr,
        UserSlice, //
    },
};

use super::{
    Session,
    State, //
};
use crate::{
    abi::{
        self,
        Argument, //
    },
    attach::By,
    engine::{
        self,
        Engine,
        Running,
        Targets, //
    },
    functions::{
        self,
        Kind,
        Pattern,
        FUNCTIONS, //
    },
    refusal::Refusal,
    ring::{
        Layout,
        Policy, //
    },
    ways::Ways, //
};

mod access;
pub(super) mod ledger;
mod observe;
mod probes;
mod program;
mod views;

pub(super) use views::Begun;

/// Bytes that one call fills at most; a listing goes on by its cursor.
const FILL_MAX: usize = 256 * 1024;
const FEATURES: u32 = abi::RTRACE_FEATURE_ENTRY
    | abi::RTRACE_FEATURE_RETURN
    | abi::RTRACE_FEATURE_LATE
    | abi::RTRACE_FEATURE_TARGET
    | abi::RTRACE_FEATURE_OBSERVE
    | abi::RTRACE_FEATURE_REVOKE
    | abi::RTRACE_FEATURE_PROGRAM
    | abi::RTRACE_FEATURE_VIEWS;

/// The rule that the opener alone may change a session.
pub(crate) const RULE_OPENER: &str = "opener";

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
        )
        .by_rule("mode"))
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
    const SESSIONS: u32 = abi::rtrace_sessions::COMMAND & NUMBER;
    const REVOKE: u32 = abi::rtrace_revoke::COMMAND & NUMBER;
    const PUBLISH: u32 = abi::rtrace_publish::COMMAND & NUMBER;
    const OBSERVE: u32 = abi::rtrace_observe::COMMAND & NUMBER;
    const READ: u32 = abi::rtrace_read::COMMAND & NUMBER;
    const SYMBOL: u32 = abi::rtrace_symbol::COMMAND & NUMBER;
    const QUOTA: u32 = abi::rtrace_quota::COMMAND & NUMBER;
    const PROGRAM: u32 = abi::rtrace_program::COMMAND & NUMBER;
    const ADD_OWN: u32 = abi::rtrace_add_own::COMMAND & NUMBER;
    const AGGREGATE: u32 = abi::rtrace_aggregate::COMMAND & NUMBER;
    const VIEW: u32 = abi::rtrace_view::COMMAND & NUMBER;
    const OWNERS: u32 = abi::rtrace_owners::COMMAND & NUMBER;
    const TEXT: u32 = abi::rtrace_text::COMMAND & NUMBER;
    let reads = || access.reads();
    // A session that was ended tells of itself, and of nothing else any more.
    let looks_around = || {
        access.reads()?;
        session.is_alive()
    };
    // What is taken away when it is read is the opener's.
    let takes = || {
        access.reads()?;
        session.must_be_asked_by_opener()
    };
    // What the node shows besides what this session recorded, it shows to who opened it.
    let asks = || {
        takes()?;
        session.is_alive()
    };
    // Who may change what there is: the opener alone, and while its session lives.
    let writes = || {
        access.writes()?;
        session.must_be_asked_by_opener()
    };
    let arms = || {
        writes()?;
        session.must_live()
    };
    match command & NUMBER {
        INFO => reads().and_then(|()| info(&session, at)),
        FUNCTIONS => looks_around().and_then(|()| list_functions(at)),
        ADD => arms().and_then(|()| probes::add(&session, at)),
        PROBES => reads().and_then(|()| probes::probes(&session, at)),
        CONFIG => arms().and_then(|()| config(&session, at)),
        TARGET => arms().and_then(|()| target(&session, at)),
        START => arms().and_then(|()| start(&session, at)),
        STOP if command == abi::STOP => writes().and_then(|()| stop(&session)),
        STATUS => reads().and_then(|()| status(&session, at)),
        LEDGER => reads().and_then(|()| ledger::ledger(&session, at)),
        ERROR => last_error(&session, at),
        SESSIONS => asks().and_then(|()| access::sessions(&session, at)),
        REVOKE => writes().and_then(|()| access::revoke(&session, at)),
        PUBLISH => writes().and_then(|()| observe::publish(&session, at)),
        OBSERVE => reads().and_then(|()| observe::observe(&session, at)),
        READ => reads().and_then(|()| observe::read(&session, at)),
        SYMBOL => asks().and_then(|()| access::symbol(&session, at)),
        QUOTA => reads().and_then(|()| access::quota(&session, at)),
        PROGRAM => arms().and_then(|()| program::load(&session, at)),
        ADD_OWN => arms().and_then(|()| probes::add_own(&session, at)),
        AGGREGATE => takes().and_then(|()| program::aggregate(&session, at)),
        VIEW => asks().and_then(|()| views::view(&session, at)),
        OWNERS => asks().and_then(|()| views::owners(&session, at)),
        TEXT => asks().and_then(|()| views::text(&session, at)),
        _ => Err(Refusal::new(ENOTTY, "no such command")),
    }
}

impl Session {
    /// Refuses holders of a descriptor that was passed, inherited, or kept over a change of ids.
    fn must_be_asked_by_opener(&self) -> Result<(), Refusal> {
        if self.opener.is_current() {
            return Ok(());
        }
        Err(Refusal::with(
            EPERM,
            fmt!(
                "process {} opened this session with the ids that it had then; whoever else holds it \
                 may read what it recorded, and nothing more: open the node yourself",
                self.opener.facts().pid
            ),
        )
        .by_rule(RULE_OPENER))
    }

    /// The session that is told of: the one that this one observes, or itself.
    fn subject(&self) -> Result<Option<Arc<Session>>, Refusal> {
        let observed = self.observed();
        if observed.is_some() {
            // What was recorded before stays with its owner, not with those who looked on. Whether the node still admits
            // whoever opened this one is asked for the opener alone: part of the answer is the asking task's.
            match self.opener.is_current() {
                true => self.must_live()?,
                false => self.is_alive()?,
            }
        }
        Ok(observed)
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
    let pattern = bytes(from, len as usize)?;
    let listed = crate::glob::bytes_in_sets(&pattern);
    if listed > abi::RTRACE_PATTERN_SETS_MAX as usize {
        return Err(Refusal::with(
            E2BIG,
            fmt!(
                "a pattern with {listed} bytes in brackets is too long: at most {} are allowed there; \
                 name ranges",
                abi::RTRACE_PATTERN_SETS_MAX
            ),
        ));
    }
    Ok(pattern)
}

/// Reads a name or pattern.
fn bytes(from: u64, len: usize) -> Result<KVec<u8>, Refusal> {
    let mut bytes = KVec::new();
    if len != 0 {
        UserSlice::new(abi::pointer(from), len).read_all(&mut bytes, GFP_KERNEL_ACCOUNT)?;
    }
    Ok(bytes)
}

/// How much of the caller's buffer one call fills.
fn room(buf_len: u64) -> usize {
    usize::try_from(buf_len).map_or(FILL_MAX, |len| len.min(FILL_MAX))
}

/// Where a command puts what it is to fill. It is charged to the caller's cgroup, since it is there for as long as
/// the caller's buffer has him wait; and is there whole at once, since who waits for memory is to hold no lock
/// and keep nobody's session.
fn space(room: usize) -> Result<KVVec<u8>> {
    Ok(KVVec::with_capacity(room, GFP_KERNEL_ACCOUNT)?)
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
        way: |kind, in_registers| {
            By::choose(kind == Kind::Return, in_registers, Ways::usual()).way(kind)
        },
    };
    let page = functions::list(&request, space(request.room)?)?;
    if page.count == 0 && page.cursor != 0 {
        return Err(too_small());
    }
    fill(arg.buf, &page.bytes)?;
    arg.cursor = page.cursor;
    arg.filled = page.bytes.len() as u64;
    arg.count = page.count;
    abi::write(at, size, &arg)
}

fn config(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (mut arg, size) = abi::read_to_answer::<abi::rtrace_config>(at)?;
    abi::must_be_zero(arg.flags, "flags")?;
    abi::must_be_zero(arg.reserved, "reserved")?;
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
    if arg.ways != 0 {
        new.ways = Ways::asked(arg.ways).ok_or_else(|| {
            Refusal::with(
                EINVAL,
                fmt!(
                    "the ways {:#x} do not attach every probe: those there are are {:#x}, \
                     entries and returns need {:#x}, and slots need all",
                    arg.ways,
                    Ways::ALL,
                    Ways::NEEDED
                ),
            )
        })?;
    }
    new.watermark = Layout::new(new.ring_bytes, new.watermark, new.policy)
        .map_or(new.watermark, |layout| layout.watermark());
    {
        let mut inner = session.inner();
        inner.must_be_idle("configure")?;
        inner.config = new;
    }
    arg.ring_bytes = new.ring_bytes;
    arg.watermark = new.watermark;
    arg.frames = new.frames;
    arg.ways = new.ways.bits;
    abi::write(at, size, &arg)
}

fn target(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (arg, _) = abi::read::<abi::rtrace_target>(at)?;
    abi::must_be_zero(arg.flags, "flags")?;
    abi::must_be_zero(arg.reserved, "reserved")?;
    let mut inner = session.inner();
    session.must_not_observe("narrow to a target")?;
    inner.must_be_idle("narrow to a target")?;
    let targets = Targets::new(arg.pid)?;
    let before = inner.targets.replace(targets);
    let memory = inner.memory();
    let refused = inner.charge(|charge| charge.memory(memory)).err();
    let other = match refused {
        None => before,
        Some(_) => core::mem::replace(&mut inner.targets, before),
    };
    if let Some(other) = other {
        other.unwatch();
    }
    if let Some(refusal) = refused {
        return Err(refusal);
    }
    Ok(())
}

fn start(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (mut arg, size) = abi::read_to_answer::<abi::rtrace_start>(at)?;
    abi::must_be_zero(arg.flags, "flags")?;
    (arg.attached, arg.refused) = session.start()?;
    abi::write(at, size, &arg)
}

fn stop(session: &Session) -> Result<(), Refusal> {
    let mut inner = session.inner();
    if inner.state == State::Idle {
        return Err(Refusal::new(
            EINVAL,
            "there is nothing to stop: the session was not started",
        ));
    }
    session.halt(&mut inner, abi::RTRACE_REASON_ASKED);
    Ok(())
}

fn status(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (arg, size) = abi::read::<abi::rtrace_status>(at)?;
    abi::must_be_zero(arg.flags, "flags")?;
    let mut new = abi::rtrace_status {
        size: arg.size,
        ..Default::default()
    };
    let observed = session.observed();
    if let (Some(_), Some(reason)) = (&observed, session.died_of()) {
        // An observer that was put out is told so, and nothing more of what it observed.
        new.state = abi::RTRACE_STATE_DEAD;
        new.reason = reason as u32;
        return abi::write(at, size, &new);
    }
    let asker = session;
    let session = observed.as_deref().unwrap_or(asker);
    new.id = session.id;
    new.state = abi::RTRACE_STATE_IDLE;
    new.probes = session.probes.load(Ordering::Relaxed);
    if let Some(inner) = session.inner_for(asker) {
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
        new.unspeculated = engine.running().map_or(0, Running::unspeculated);
    }
    if let Some(reason) = session.died_of() {
        new.state = abi::RTRACE_STATE_DEAD;
        new.reason = reason as u32;
    } else if session.is_closed() {
        new.reason = abi::RTRACE_REASON_CLOSED;
    }
    abi::write(at, size, &new)
}

fn last_error(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (mut arg, size) = abi::read::<abi::rtrace_error>(at)?;
    abi::must_be_zero(arg.flags, "flags")?;
    abi::must_be_zero(arg.reserved, "reserved")?;
    /// Bytes of the longest sentence.
    const MOST: u32 = 4096;
    let room = arg.buf_len.min(MOST) as usize;
    // Now, since whoever ends sessions wants the lock as well, and does not wait for memory.
    let mut text = KVec::with_capacity(room, GFP_KERNEL)?;
    arg.error = 0;
    if let Some(refusal) = &*session.last_error.lock() {
        arg.error = -refusal.error.to_errno();
        let all = refusal.text();
        let cut = all.len().min(room);
        text.extend_from_slice(all.get(..cut).unwrap_or(all), GFP_KERNEL)?;
    }
    fill(arg.buf, &text)?;
    arg.len = text.len() as u32;
    abi::write(at, size, &arg)
}

/// Refuses what is forgotten.
fn must_be_kept(session: &Session) -> Result<(), Refusal> {
    if session.is_closed() && session.engine().is_none() {
        return Err(Refusal::new(
            ECANCELED,
            "the session that was observed is closed, and what it recorded is gone",
        ));
    }
    Ok(())
}

/// What is told to who observes a session, and cannot be told while it is started.
fn busy() -> Refusal {
    Refusal::new(
        EBUSY,
        "the session that is observed is being started: ask again when it runs",
    )
}

/// What a session's ledger and results are read from, once it was started.
fn engine(session: &Session) -> Result<Arc<Engine>, Refusal> {
    must_be_kept(session)?;
    session.engine().ok_or_else(|| {
        Refusal::new(
            EINVAL,
            "there is no ledger yet: the session was not started",
        )
    })
}
