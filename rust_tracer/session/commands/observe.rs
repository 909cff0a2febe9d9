// SPDX-License-Identifier: GPL-2.0

//! RTRACE_IOC_PUBLISH, OBSERVE and READ: letting others look on, and looking on.

#![forbid(unsafe_code)]

use kernel::{
    prelude::*,
    uaccess::UserPtr, //
};

use super::{
    fill,
    room,
    space, //
};
use crate::{
    abi,
    arch,
    engine,
    refusal::Refusal,
    session::Session, //
};

/// Reads a session's name.
fn name(from: u64, len: u32) -> Result<KVec<u8>, Refusal> {
    if len > abi::RTRACE_SESSION_NAME_MAX {
        return Err(Refusal::with(
            E2BIG,
            fmt!(
                "a name of {len} bytes is too long: at most {} are allowed",
                abi::RTRACE_SESSION_NAME_MAX
            ),
        ));
    }
    super::bytes(from, len as usize)
}

pub(super) fn publish(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (arg, _) = abi::read::<abi::rtrace_publish>(at)?;
    abi::must_be_zero(arg.flags, "flags")?;
    abi::must_be_zero(arg.reserved, "reserved")?;
    let name = name(arg.name, arg.name_len)?;
    // What is dead may still be withdrawn.
    if !name.is_empty() {
        session.must_live()?;
    }
    session.publish(name)
}

pub(super) fn observe(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (mut arg, size) = abi::read_to_answer::<abi::rtrace_observe>(at)?;
    abi::must_be_zero(arg.flags, "flags")?;
    abi::must_be_zero(arg.reserved, "reserved")?;
    session.must_be_asked_by_opener()?;
    session.must_live()?;
    let name = name(arg.name, arg.name_len)?;
    if name.is_empty() == (arg.id == 0) {
        return Err(Refusal::new(
            EINVAL,
            "say which session to observe, by its name or by its id, not both",
        ));
    }
    arg.id = session.observe(&name, arg.id)?;
    abi::write(at, size, &arg)
}

pub(super) fn read(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (mut arg, size) = abi::read::<abi::rtrace_read>(at)?;
    abi::must_be_zero(arg.flags, "flags")?;
    abi::must_be_zero(arg.reserved, "reserved")?;
    if arg.buf_len < abi::RTRACE_RECORD_MAX.into() {
        return Err(Refusal::with(
            ENOSPC,
            fmt!(
                "a buffer of {} bytes may be too small for a record: at least {} are needed",
                arg.buf_len,
                abi::RTRACE_RECORD_MAX
            ),
        ));
    }
    let mut bytes = space(room(arg.buf_len))?;
    let subject = session.subject()?.ok_or(Refusal::new(
        EINVAL,
        "this session observes no other: observe one first, or map the rings of your own",
    ))?;
    let engine = super::engine(&subject)?;
    if arg.cpu >= engine::cpu_limit() {
        return Err(Refusal::with(ENXIO, fmt!("there is no CPU {}", arg.cpu)));
    }
    let cpu = arch::index_nospec(arg.cpu as usize, engine::cpu_limit() as usize);
    let ring = engine.ring(cpu as u32).ok_or(Refusal::with(
        ENXIO,
        fmt!("CPU {} has no ring: it is not online", arg.cpu),
    ))?;
    let copied = ring.copy(arg.position, room(arg.buf_len), &mut bytes)?;
    // The buffer may be one that blocks, and the owner's memory is not to wait for it.
    drop(engine);
    fill(arg.buf, &bytes)?;
    arg.position = copied.from;
    arg.filled = bytes.len() as u64;
    arg.skipped = copied.skipped;
    abi::write(at, size, &arg)
}
