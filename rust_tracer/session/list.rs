// SPDX-License-Identifier: GPL-2.0

//! All sessions there are, for what concerns each of them: modules that come and go.

use kernel::{
    prelude::*,
    sync::Arc, //
};

use super::Session;

kernel::sync::global_lock! {
    // SAFETY: Initialised in the module initialiser before first use.
    pub(super) unsafe(uninit) static SESSIONS: Mutex<KVec<Arc<Session>>> = KVec::new();
}

/// # Safety
///
/// Call once, before any session is opened.
pub(crate) unsafe fn init_locks() {
    // SAFETY: By this function's contract.
    unsafe { SESSIONS.init() };
}
