// SPDX-License-Identifier: GPL-2.0

//! The three device nodes and what each admits. `docs/access.md` has the table.

#![forbid(unsafe_code)]

use kernel::prelude::*;

use crate::{
    abi,
    refusal::Refusal, //
};

/// The node through which a session was opened. It decides for the session's whole life.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Node {
    Kernel,
    System,
    User,
}

impl Node {
    pub(crate) const ALL: [Self; 3] = [Self::Kernel, Self::System, Self::User];

    /// RTRACE_NODE_*.
    pub(crate) fn number(self) -> u32 {
        match self {
            Self::Kernel => abi::RTRACE_NODE_KERNEL,
            Self::System => abi::RTRACE_NODE_SYSTEM,
            Self::User => abi::RTRACE_NODE_USER,
        }
    }

    /// The device's name and the path of its node below /dev.
    pub(crate) fn names(self) -> (&'static CStr, &'static CStr) {
        match self {
            Self::Kernel => (c"rust_tracer_kernel", c"rust_tracer/kernel"),
            Self::System => (c"rust_tracer_system", c"rust_tracer/system"),
            Self::User => (c"rust_tracer_user", c"rust_tracer/user"),
        }
    }

    /// Whether a session of this node may be given probes.
    pub(crate) fn may_arm(self) -> Result<(), Refusal> {
        match self {
            Self::Kernel => Ok(()),
            Self::System => Err(Refusal::new(
                EOPNOTSUPP,
                "/dev/rust_tracer/system cannot arm probes: this module does not yet enforce \
                 what its records may hold; use /dev/rust_tracer/kernel, or ask its admin",
            )),
            Self::User => Err(Refusal::new(
                EOPNOTSUPP,
                "/dev/rust_tracer/user cannot arm probes: this module does not yet enforce \
                 which tasks it may see; use /dev/rust_tracer/kernel, or ask its admin",
            )),
        }
    }
}
