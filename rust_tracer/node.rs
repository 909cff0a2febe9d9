// SPDX-License-Identifier: GPL-2.0

//! The three device nodes and what each shows. `docs/access.md` has the table.

#![forbid(unsafe_code)]

use kernel::prelude::*;

use crate::{
    abi,
    opener::Facts,
    program::rights::Rights,
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

    /// The last part of its path.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::System => "system",
            Self::User => "user",
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

    /// What its programs may use.
    pub(crate) fn rights(self) -> Rights {
        match self {
            Self::Kernel => Rights::Kernel,
            Self::System => Rights::System,
            Self::User => Rights::User,
        }
    }

    /// Whether arguments, return values and kernel addresses may be shown.
    #[inline(always)]
    pub(crate) fn shows_data(self) -> bool {
        self == Self::Kernel
    }

    /// Whether the tasks of anybody are shown, not the opener's own alone.
    #[inline(always)]
    pub(crate) fn shows_all_tasks(self) -> bool {
        self != Self::User
    }

    /// Whether it may be told that a function succeeded, or with which error it failed.
    #[inline(always)]
    pub(crate) fn shows_outcome(self) -> bool {
        self != Self::System
    }

    /// Whether the arguments and the value of a system call may be shown: what the opener's own
    /// tasks asked the kernel for, and what it answered.
    #[inline(always)]
    pub(crate) fn shows_own_system_calls(self) -> bool {
        self == Self::User
    }

    /// Refuses what only a node that shows data may have.
    pub(crate) fn must_show_data(self, what: &str) -> Result<(), Refusal> {
        if self.shows_data() {
            return Ok(());
        }
        Err(Refusal::with(
            EACCES,
            fmt!(
                "{what} cannot be had on /dev/rust_tracer/{}, which shows no arguments, values or \
                 addresses; /dev/rust_tracer/kernel does",
                self.name()
            ),
        )
        .by_rule("node"))
    }

    /// Refuses openers whose tasks the node could not tell from those of others.
    pub(crate) fn must_know_own_tasks(self, who: &Facts) -> Result<(), Refusal> {
        if self.shows_all_tasks() || who.plain {
            return Ok(());
        }
        Err(Refusal::new(
            EACCES,
            "/dev/rust_tracer/user shows the tasks that have its opener's ids, and the opener ran \
             with several (a set-id program): open it by a program that does not; \
             /dev/rust_tracer/system and kernel show all tasks",
        )
        .by_rule("ids"))
    }
}
