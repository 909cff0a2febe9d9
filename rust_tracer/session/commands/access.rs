// SPDX-License-Identifier: GPL-2.0

//! RTRACE_IOC_SESSIONS, REVOKE, QUOTA and SYMBOL: who traces what, ending it, what a user may
//! have, and what an address is called.

#![forbid(unsafe_code)]

use core::sync::atomic::Ordering;

use kernel::{
    prelude::*,
    transmute::AsBytes,
    uaccess::UserPtr, //
};

use super::{
    fill,
    ledger,
    room,
    space,
    too_small, //
};
use crate::{
    abi,
    opener,
    quota,
    refusal::Refusal,
    session::{
        death::Reason,
        list,
        Session,
        State, //
    }, //
};

impl Session {
    fn uid(&self) -> u32 {
        self.opener.facts().uid
    }

    /// Whether `other` may be told to this one's opener.
    fn knows(&self, other: &Session, admin: bool) -> bool {
        let published = other.node == self.node && other.is_published() && other.can_be_observed();
        admin || other.uid() == self.uid() || published
    }

    fn row(&self, asker: &Session) -> abi::rtrace_session {
        let who = self.opener.facts();
        let mut flags = 0;
        for (flag, is) in [
            (abi::RTRACE_SESSION_MINE, self.uid() == asker.uid()),
            (abi::RTRACE_SESSION_PUBLISHED, self.is_published()),
            (abi::RTRACE_SESSION_OBSERVER, self.observed().is_some()),
            (abi::RTRACE_SESSION_THIS, self.id == asker.id),
        ] {
            flags |= if is { flag } else { 0 };
        }
        let mut row = abi::rtrace_session {
            flags,
            id: self.id,
            node: self.node.number(),
            uid: who.uid,
            pid: who.pid,
            opened: self.opened,
            state: abi::RTRACE_STATE_IDLE,
            probes: self.probes.load(Ordering::Relaxed),
            comm: who.comm,
            ..Default::default()
        };
        if let Some(inner) = self.inner_soon() {
            row.state = inner.state.number();
            row.attached = inner.probes.count_attached().0;
            if let Some(engine) = self.engine() {
                row.reason = engine.reason();
                row.memory = engine.memory() as u64;
                if inner.state != State::Idle {
                    let totals = ledger::totals(&inner.probes, &engine);
                    row.fired = totals.fired;
                    row.recorded = totals.recorded;
                    row.dropped = totals.dropped.iter().sum();
                    row.missed = totals.missed.iter().sum();
                }
            }
        }
        if let Some(reason) = self.died_of() {
            row.state = abi::RTRACE_STATE_DEAD;
            row.reason = reason as u32;
        }
        row
    }
}

pub(super) fn sessions(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (mut arg, size) = abi::read::<abi::rtrace_sessions>(at)?;
    abi::must_be_zero(arg.flags, "flags")?;
    abi::must_be_zero(arg.reserved, "reserved")?;
    let room = room(arg.buf_len);
    let admin = session.opener.is_admin();
    let mut bytes = space(room)?;
    arg.count = 0;
    let mut last = arg.cursor;
    let mut full = false;
    arg.cursor = 0;
    while let Some(other) = list::next_after(last) {
        if session.knows(&other, admin) {
            let mut row = other.row(session);
            let mut name = KVec::new();
            if let Some(published) = &*other.name.lock() {
                name.extend_from_slice(published, GFP_KERNEL)?;
            }
            let entry_size = (size_of_val(&row) + name.len()).next_multiple_of(8);
            if bytes.len() + entry_size > room {
                arg.cursor = last;
                full = true;
                break;
            }
            row.entry_size = entry_size as u32;
            row.name_len = name.len() as u32;
            let end = bytes.len() + entry_size;
            bytes.extend_from_slice(row.as_bytes(), GFP_KERNEL)?;
            bytes.extend_from_slice(&name, GFP_KERNEL)?;
            bytes.resize(end, 0, GFP_KERNEL)?;
            arg.count += 1;
        }
        last = other.id;
    }
    if arg.count == 0 && full {
        return Err(too_small());
    }
    fill(arg.buf, &bytes)?;
    arg.filled = bytes.len() as u64;
    abi::write(at, size, &arg)
}

pub(super) fn revoke(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (mut arg, size) = abi::read_to_answer::<abi::rtrace_revoke>(at)?;
    abi::must_be_zero(arg.flags & !abi::RTRACE_REVOKE_USER, "flags")?;
    let by_user = arg.flags & abi::RTRACE_REVOKE_USER != 0;
    if by_user && arg.id != 0 || !by_user && arg.uid != 0 {
        return Err(Refusal::new(
            EINVAL,
            "either a session's id or, with RTRACE_REVOKE_USER, a user's: set the other to 0",
        ));
    }
    let admin = session.opener.is_admin();
    let mine = session.uid();
    if by_user && !admin && arg.uid != mine {
        return Err(not_yours());
    }
    let by = Some(opener::current_facts().uid);
    let mut found = Err(Refusal::with(
        ENOENT,
        fmt!("there is no session {}: list them (rtctl sessions)", arg.id),
    ));
    arg.count = 0;
    let mut end = |other: &Session| {
        if other.is_closed() {
            return;
        }
        if !admin && other.uid() != mine {
            found = Err(not_yours());
            return;
        }
        found = Ok(());
        arg.count += u32::from(other.kill(Reason::Admin, by));
    };
    if by_user {
        list::for_each(|other| {
            if other.uid() == arg.uid && other.id != session.id {
                end(other);
            }
        });
    } else if let Some(other) = list::find(arg.id).filter(|other| session.knows(other, admin)) {
        end(&other);
    }
    // Handlers that had begun before are gone after this.
    if arg.count != 0 {
        kernel::sync::rcu::synchronize_rcu();
    }
    if !by_user {
        found?;
    }
    abi::write(at, size, &arg)
}

fn not_yours() -> Refusal {
    Refusal::new(
        EPERM,
        "that session is another user's: only an admin (CAP_SYS_ADMIN) may revoke it",
    )
    .by_rule("admin")
}

pub(super) fn quota(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (arg, size) = abi::read::<abi::rtrace_quota>(at)?;
    abi::must_be_zero(arg.flags, "flags")?;
    let limits = quota::limits();
    let ((sessions, taken), exempt) = {
        let inner = session.inner();
        let charge = inner.charge.as_ref().ok_or(EINVAL)?;
        (charge.used(), charge.is_exempt())
    };
    let new = abi::rtrace_quota {
        size: arg.size,
        flags: 0,
        uid: session.uid(),
        exempt: exempt.into(),
        sessions,
        sessions_max: limits.sessions.into(),
        probes: taken.probes,
        probes_max: limits.probes.into(),
        memory: taken.memory,
        memory_max: limits.memory,
        events_max: limits.events,
        patterns: taken.patterns,
        patterns_max: limits.patterns.into(),
        clock_hz: taken.clock_hz,
        clock_hz_max: limits.clock_hz.into(),
        clock_time: taken.clock_time,
        clock_time_max: limits.clock_time,
    };
    abi::write(at, size, &new)
}

pub(super) fn symbol(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (mut arg, size) = abi::read::<abi::rtrace_symbol>(at)?;
    abi::must_be_zero(arg.flags, "flags")?;
    session.node.must_show_data("the name of an address")?;
    let name = crate::functions::name_of_address(arg.address as usize)?.ok_or(Refusal::new(
        ENOENT,
        "no symbol of the kernel or a module is at that address",
    ))?;
    let cut = name.len().min(arg.buf_len as usize);
    let name = name.get(..cut).unwrap_or(&name);
    fill(arg.buf, name)?;
    arg.len = name.len() as u32;
    abi::write(at, size, &arg)
}
