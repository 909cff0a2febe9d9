// SPDX-License-Identifier: GPL-2.0

//! All sessions there are, in the order of their ids.
//!
//! `SESSIONS` is held for an instant only, to find the next one: who goes through all of them waits for
//! what a session is busy with only if it takes that session's own locks.

use kernel::{
    prelude::*,
    sync::Arc, //
};

use super::Session;

kernel::sync::global_lock! {
    // SAFETY: Initialised in the module initialiser before first use.
    unsafe(uninit) static SESSIONS: Mutex<KVec<Arc<Session>>> = KVec::new();
}

kernel::sync::global_lock! {
    // SAFETY: Initialised in the module initialiser before first use.
    /// Held while a name is looked for and taken. Before sessions' `name`.
    pub(super) unsafe(uninit) static NAMING: Mutex<()> = ();
}

/// # Safety
///
/// Call once, before any session is opened.
pub(crate) unsafe fn init_locks() {
    // SAFETY: By this function's contract.
    unsafe {
        SESSIONS.init();
        NAMING.init();
    }
}

/// The module goes; no session is left.
pub(crate) fn forget_list() {
    *SESSIONS.lock() = KVec::new();
}

pub(super) fn enlist(session: Arc<Session>) -> Result {
    let mut sessions = SESSIONS.lock();
    sessions.push(session, GFP_KERNEL)?;
    // One with a greater id may have been faster.
    let ids = |pair: &[Arc<Session>]| matches!(pair, [a, b] if a.id > b.id);
    for at in (1..sessions.len()).rev() {
        match sessions.get_mut(at - 1..=at) {
            Some(pair) if ids(pair) => pair.reverse(),
            _ => break,
        }
    }
    Ok(())
}

/// The session is not found any more; who has found it keeps it.
pub(super) fn strike(session: &Session) {
    let mut sessions = SESSIONS.lock();
    let at = sessions.binary_search_by_key(&session.id, |other| other.id);
    let gone = at.ok().and_then(|at| sessions.remove(at).ok());
    // The last reference may go with it, and what that frees takes locks.
    drop(sessions);
    drop(gone);
}

pub(super) fn is_empty() -> bool {
    SESSIONS.lock().is_empty()
}

/// The session with the smallest id above `id`.
pub(super) fn next_after(id: u64) -> Option<Arc<Session>> {
    let sessions = SESSIONS.lock();
    let later = sessions.partition_point(|session| session.id <= id);
    sessions.get(later).cloned()
}

/// The session of that id.
pub(super) fn find(id: u64) -> Option<Arc<Session>> {
    let sessions = SESSIONS.lock();
    let at = sessions.binary_search_by_key(&id, |session| session.id);
    sessions.get(at.ok()?).cloned()
}

/// Calls `f` for each session that is there now, with no lock held: those that are opened meanwhile, which may be any
/// number, are left out.
pub(super) fn for_each(mut f: impl FnMut(&Arc<Session>)) {
    let mut last = 0;
    let newest = SESSIONS.lock().last().map_or(0, |session| session.id);
    while let Some(session) = next_after(last).filter(|session| session.id <= newest) {
        last = session.id;
        f(&session);
    }
}
