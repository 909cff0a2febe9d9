// SPDX-License-Identifier: GPL-2.0

//! What is bound to the machine. All else that differs between machines comes from the kernel's own headers by
//! way of the shim.

#[cfg(not(CONFIG_X86_64))]
compile_error!("rust_tracer knows x86-64 only; this folder says what another machine needs");

mod cpu;
mod words;

pub(crate) use self::{
    cpu::*,
    words::*, //
};
