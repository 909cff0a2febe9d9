// SPDX-License-Identifier: GPL-2.0

//! Returns, by fprobe: the kernel keeps a frame for each call on a stack beside the task's.
//!
//! An fprobe belongs to one engine, since its set of functions is fixed for its life. A task
//! may sleep in a function for hours and return when the fprobe is long gone, and another
//! lies at its address: so the frame itself says whose it is (see `engine::calls`).
//!
//! C header: [`include/linux/fprobe.h`](srctree/include/linux/fprobe.h)

use core::ptr::{
    self,
    NonNull, //
};

use kernel::{
    error::to_result,
    prelude::*,
    sync::Arc, //
};

use super::Way;
use crate::{
    bindings,
    engine::Engine, //
};

/// The kernel walks all traced functions for each fprobe, so the fewer the better; but it
/// allocates 32 contiguous bytes for each function of one, which may be too much at once.
pub(super) const SITES_MAX: usize = 65536;
/// So many it can always have.
pub(super) const SITES_MIN: usize = 1024;

pub(super) struct Fprobes;

/// An fprobe that is registered for as long as this lives, and the engine that its handlers
/// refer to.
pub(super) struct Hold {
    fprobe: NonNull<bindings::rtrace_fprobe>,
    _engine: Arc<Engine>,
}

// SAFETY: An fprobe may be unregistered by any task.
unsafe impl Send for Hold {}

impl Way for Fprobes {
    type Hold = Hold;

    fn attach(&mut self, engine: &Arc<Engine>, mut sites: KVVec<usize>) -> Result<Hold> {
        let owner = ptr::from_ref::<Engine>(engine) as u64;
        let mut fprobe = ptr::null_mut();
        // SAFETY: There are as many addresses; `owner` lives until the fprobe is gone.
        to_result(unsafe {
            bindings::rtrace_fprobe_register(
                owner,
                sites.as_mut_ptr().cast(),
                u32::try_from(sites.len())?,
                &mut fprobe,
            )
        })?;
        Ok(Hold {
            fprobe: NonNull::new(fprobe).ok_or(EINVAL)?,
            _engine: engine.clone(),
        })
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // SAFETY: It was registered, and is unregistered once. The call waits for handlers.
        unsafe { bindings::rtrace_fprobe_unregister(self.fprobe.as_ptr()) };
    }
}
