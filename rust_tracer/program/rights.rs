// SPDX-License-Identifier: GPL-2.0

//! What of a firing each node shows to a program. `docs/access.md` has the table for all of the
//! module; this is the part that is about programs.
//!
//! `kernel` shows everything. `system` shows which function, when, for how long, on which CPU, and
//! who (pid, tid, uid, execname); no argument, value, address, stack or memory. `user` shows the
//! same of the opener's own tasks, and of them their parent and group; the arguments and values of
//! system calls; of other functions a return value that is 0 or an errno, which is looked at when
//! the probe fires ([`super::World::number`]).
//!
//! A program that uses more is refused when it is loaded. That is for the message: at run time the
//! world and [`super::memory`] ask the node again.

#![forbid(unsafe_code)]

use super::insn::{
    built_in,
    op,
    sub,
    user_register,
    var,
    ARG0,
    ENTRYARG0, //
};

/// The node through which the program is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rights {
    Kernel,
    System,
    User,
}

/// Nodes that show something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// `kernel` alone.
    Kernel,
    /// `kernel`, and `user` of its opener's tasks.
    Own,
    /// `kernel`, and `user` in clauses for system calls.
    OwnCalls,
    /// All three.
    Everywhere,
}

impl Shown {
    /// Whether a node is among them, for a clause for system calls or another.
    fn on(self, rights: Rights, syscall: bool) -> bool {
        match rights {
            Rights::Kernel => true,
            Rights::System => self == Shown::Everywhere,
            Rights::User => match self {
                Shown::Kernel => false,
                Shown::OwnCalls => syscall,
                Shown::Own | Shown::Everywhere => true,
            },
        }
    }

    /// Which these are, for a message.
    pub(crate) fn nodes(self) -> &'static str {
        match self {
            Shown::Kernel => "/dev/rust_tracer/kernel shows it",
            Shown::Own => {
                "/dev/rust_tracer/kernel shows it, and /dev/rust_tracer/user of your own processes"
            }
            Shown::OwnCalls => {
                "/dev/rust_tracer/kernel shows it, and /dev/rust_tracer/user in probes of system \
                 calls (provider syscall)"
            }
            Shown::Everywhere => "every node shows it",
        }
    }
}

impl Rights {
    /// The last part of the node's path.
    pub(crate) fn node(self) -> &'static str {
        match self {
            Rights::Kernel => "kernel",
            Rights::System => "system",
            Rights::User => "user",
        }
    }

    /// Whether a program may read the kernel's memory.
    #[inline(always)]
    pub(crate) fn shows_memory(self) -> bool {
        self == Rights::Kernel
    }

    /// Whether something may be used in a clause.
    pub(crate) fn show(self, what: Shown, syscall: bool) -> bool {
        what.on(self, syscall)
    }
}

/// Who shows a built-in variable.
pub(crate) fn of_built_in(number: u32) -> Shown {
    match number {
        // In a return clause, the return value: the world looks at it.
        number if number == ARG0 + 1 => Shown::Own,
        number if number < ARG0 + 10 => Shown::OwnCalls,
        number if (ENTRYARG0..ENTRYARG0 + 6).contains(&number) => Shown::OwnCalls,
        var::PPID | var::GID | var::ERRNO => Shown::Own,
        var::CURTHREAD
        | var::CALLER
        | var::STACKDEPTH
        | var::USTACKDEPTH
        | var::UCALLER
        | var::CWD => Shown::Kernel,
        number if user_register(number).is_some() => Shown::Kernel,
        _ => Shown::Everywhere,
    }
}

/// Who shows what a subroutine gives, apart from what it is given.
pub(crate) fn of_subroutine(number: u32) -> Shown {
    match number {
        sub::COPYIN | sub::COPYINSTR | sub::COPYINTO | sub::D_PATH | sub::EXECARGS => Shown::Kernel,
        sub::STACK | sub::USTACK => Shown::Kernel,
        sub::PROGENYOF => Shown::Own,
        _ => Shown::Everywhere,
    }
}

/// Who shows what an operation gives, apart from what it is given; and what D calls it.
pub(crate) fn of_operation(operation: u8) -> (Shown, &'static str) {
    match operation {
        op::KEYK | op::EMITK => (Shown::Kernel, "stack()"),
        op::KEYU | op::EMITU => (Shown::Kernel, "ustack()"),
        _ => (Shown::Everywhere, ""),
    }
}

/// What D calls a built-in variable.
pub(crate) fn name_of_built_in(number: u32) -> &'static str {
    built_in(number).unwrap_or("this variable")
}

/// Whether these instructions read arg1: of a return probe that is the return value, of an entry
/// probe an argument, which `user` does not show outside of system calls. The module refuses to add
/// an entry probe of another function under a group whose clauses do.
pub(crate) fn reads_arg1(code: &[u64]) -> bool {
    code.iter().any(|&word| {
        let insn = super::insn::Insn::decode(word);
        insn.op == op::GET && insn.i as u32 == ARG0 + 1
    })
}
