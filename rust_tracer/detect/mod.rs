// SPDX-License-Identifier: GPL-2.0

//! What the kernel says of itself: the views of RTRACE_IOC_VIEW, and whose addresses are.
//!
//! Facts are told here and not judged. What hides from one of the kernel's accounts stands in
//! another, or in what this module kept from earlier: so each view gathers several, and says which
//! of them had what it tells. `rtctl check` compares them, with each other and with what the kernel
//! tells programs by its files.
//!
//! ```text
//!   shim/detect*.c  walks the kernel's structures, under their own locks     facts
//!        walk.rs    the same with a safe face
//!      ledger.rs    every module there was, from load on                     ┐ kept
//!       sites.rs    the first bytes of every function                        ┤
//!    blocks.rs, syscalls.rs, own.rs   hashes of text                         ┘
//!      owners.rs    addresses → whose they are
//!                   the rest: one view each                                  rows
//! ```
//!
//! All of it is in task context, and costs nothing while nobody asks, but for a look at each module
//! that comes or goes.
//!
//! Locks: `DETECT`, and below it the kernel's own, of which the shim says; `ATTACH` is not taken with
//! it held. Modules that come and go take it, too: so no memory is asked for that is charged to a user.

#![deny(unsafe_code)]

use kernel::prelude::*;

use crate::{
    abi,
    attach,
    bindings::rtrace_landmarks,
    functions::LoadedModule,
    refusal::Refusal, //
};

mod blocks;
mod callbacks;
mod cpus;
mod file;
mod hunt;
mod itself;
mod kprobes;
mod landmarks;
mod leads;
mod ledger;
mod name;
mod ops;
mod owners;
mod pages;
mod patched;
mod ranges;
mod rows;
mod sites;
mod syscalls;
mod tasks;
mod text;
mod tracepoints;
#[allow(unsafe_code, reason = "calls the shim, and is called by it")]
mod walk;

use hunt::Hunt;
pub(crate) use itself::look_at_taints;
use itself::Own;
pub(crate) use landmarks::Symbols;
use ledger::Ledger;
use owners::Owners;
pub(crate) use rows::Rows;
use sites::Firsts;
use syscalls::Calls;

/// What is kept from load on.
struct Kept {
    landmarks: rtrace_landmarks,
    watched: KVVec<landmarks::Watched>,
    ledger: Ledger,
    firsts: Firsts,
    calls: Calls,
    own: Own,
}

#[allow(unsafe_code, reason = "the macro's own; initialised by `init_locks`")]
mod locks {
    use kernel::prelude::*;

    use super::Kept;

    kernel::sync::global_lock! {
        // SAFETY: Initialised in the module initialiser before first use.
        pub(super) unsafe(uninit) static DETECT: Mutex<Option<Kept>> = None;
    }
}
use locks::DETECT;

/// # Safety
///
/// Call once, before all else here.
#[allow(unsafe_code, reason = "passes the lock's own contract on")]
pub(crate) unsafe fn init_locks() {
    // SAFETY: By this function's contract.
    unsafe { DETECT.init() };
}

/// The kernel's symbols are known. Before modules are watched.
pub(crate) fn settle(symbols: Symbols) {
    let (landmarks, watched) = symbols.settle();
    *DETECT.lock() = Some(Kept {
        landmarks,
        watched,
        ledger: Ledger::new(Hunt::new(&landmarks)),
        firsts: Firsts::none(),
        calls: Calls::none(),
        own: Own::unknown(),
    });
}

/// Sees everything for the first time. Modules are being watched already: none is missed.
pub(crate) fn begin() -> Result {
    let mut kept = DETECT.lock();
    let Some(kept) = &mut *kept else {
        return Err(EINVAL);
    };
    let seen = (|| -> Result<(), Refusal> {
        kept.ledger.begin()?;
        let image = kept.landmarks.text as u64..kept.landmarks.image_end as u64;
        match Firsts::see_all(image) {
            // A kernel whose functions cannot be found has views without them.
            Err(refusal) if refusal.error == EOPNOTSUPP => {}
            firsts => kept.firsts = firsts?,
        }
        let watched = core::mem::take(&mut kept.watched);
        kept.calls = Calls::see(&kept.landmarks, watched, &kept.firsts)?;
        kept.own = Own::see()?;
        Ok(())
    })();
    seen.map_err(|refusal| refusal.error)
}

/// Forgets everything. Modules are not watched any more, and no session is left.
pub(crate) fn forget() {
    *DETECT.lock() = None;
}

/// A module comes; before any session learns of it.
pub(crate) fn module_comes(module: &LoadedModule) {
    let mut kept = DETECT.lock();
    let Some(kept) = &mut *kept else {
        return;
    };
    let structure = module.handle() as u64;
    let known = kept.ledger.comes(structure).and_then(|()| {
        kept.forget_functions_of(structure);
        kept.firsts.module_comes(module)
    });
    if let Err(error) = known {
        pr_warn!("a new module is not in the ledger of modules: {error:?}\n");
    }
}

/// A module is initialised.
pub(crate) fn module_lives(module: &LoadedModule) {
    if let Some(kept) = &mut *DETECT.lock() {
        let (start, bytes) = kept.ledger.lives(module.handle() as u64);
        kept.firsts.forget(start, start.saturating_add(bytes));
    }
}

/// A module goes.
pub(crate) fn module_goes(module: &LoadedModule) {
    if let Some(kept) = &mut *DETECT.lock() {
        let structure = module.handle() as u64;
        kept.forget_functions_of(structure);
        kept.ledger.goes(structure);
    }
}

impl Kept {
    /// What is in a module's memory is not, or not yet, its functions.
    fn forget_functions_of(&mut self, structure: u64) {
        let (ledger, firsts) = (&mut self.ledger, &mut self.firsts);
        ledger.each_range_of(structure, |range| firsts.forget(range.start, range.end));
    }

    /// As things are now.
    fn owners(&mut self) -> Result<Owners, Refusal> {
        self.ledger.look()?;
        Owners::new(&self.landmarks, &self.ledger)
    }
}

fn not_ready() -> Refusal {
    Refusal::new(ENODEV, "the module is being loaded or unloaded: try again")
}

/// The rows of RTRACE_VIEW_* `view`, as it is now.
pub(crate) fn view(view: u32, fd: i32) -> Result<Rows, Refusal> {
    // Needs nothing that is kept, and takes its time.
    if view == abi::RTRACE_VIEW_TASKS {
        return tasks::view();
    }
    let held = match view {
        abi::RTRACE_VIEW_SELF => attach::held()?,
        _ => attach::Held::default(),
    };
    let mut kept = DETECT.lock();
    let kept = kept.as_mut().ok_or_else(not_ready)?;
    let owners = kept.owners()?;
    match view {
        abi::RTRACE_VIEW_MODULES => Ok(kept.ledger.view()?),
        abi::RTRACE_VIEW_OPS => ops::view(&owners),
        abi::RTRACE_VIEW_HOOKS => ops::hooks(&owners),
        abi::RTRACE_VIEW_SITES => sites::view(&kept.firsts, &owners),
        abi::RTRACE_VIEW_KPROBES => kprobes::view(&owners),
        abi::RTRACE_VIEW_TEXT => pages::view(&owners),
        abi::RTRACE_VIEW_CPUS => cpus::view(&owners),
        abi::RTRACE_VIEW_TRACEPOINTS => tracepoints::view(&owners, |address| kept.own.has(address)),
        abi::RTRACE_VIEW_SELF => kept.own.view(&held, &kept.ledger, &owners),
        abi::RTRACE_VIEW_FILE => file::view(fd, &owners),
        abi::RTRACE_VIEW_SYSCALLS => kept.calls.view(&kept.firsts),
        abi::RTRACE_VIEW_CALLBACKS => callbacks::view(&kept.landmarks, &kept.firsts, &owners),
        _ => Err(Refusal::with(EINVAL, fmt!("there is no view {view}"))),
    }
}

/// Calls `each` with what tells whose an address is.
pub(crate) fn owners<R>(
    each: impl FnOnce(&dyn Fn(u64) -> abi::rtrace_owner) -> Result<R, Refusal>,
) -> Result<R, Refusal> {
    let mut kept = DETECT.lock();
    let owners = kept.as_mut().ok_or_else(not_ready)?.owners()?;
    each(&|address| owners.of(address))
}

/// Bytes of executable memory.
pub(crate) fn text(address: u64, bytes: usize) -> Result<KVVec<u8>, Refusal> {
    pages::text(address, bytes)
}
