// SPDX-License-Identifier: GPL-2.0

//! The stacks of a firing: the kernel's at the probe, and the current task's in user space. They are
//! addresses, and there are none where the node shows no data.

use super::fired::Fired;
use crate::bindings;

impl Fired<'_> {
    /// The frames of one of them, innermost first; of the kernel's the function itself, or what a timer
    /// came upon. As many as there are, and room for.
    pub(super) fn stack(&self, user: bool, frames: &mut [u64]) -> usize {
        if !self.engine.node().shows_data() {
            return 0;
        }
        let (into, room) = (frames.as_mut_ptr(), frames.len() as u32);
        // SAFETY: Any context, preemption off; the place is valid, and there is as much room.
        let count = unsafe {
            if user {
                bindings::rtrace_user_stack(into, room)
            } else {
                bindings::rtrace_kernel_stack(self.event.place, into, room)
            }
        };
        count as usize
    }

    /// Where the second of the frames goes on; 0 if there is only one.
    pub(super) fn caller(&self, user: bool) -> u64 {
        let mut frames = [0; 2];
        self.stack(user, &mut frames);
        frames[1]
    }
}
