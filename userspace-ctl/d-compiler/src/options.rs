// SPDX-License-Identifier: GPL-2.0-only
//! What a program is compiled for, as far as it does not say so itself.
#![forbid(unsafe_code)]

use rust_tracer::abi;

use crate::stability::Attributes;
use crate::version::Version;

/// Bytes of a string, NUL included, if no option says otherwise.
pub const STRSIZE: u32 = abi::RTRACE_STRSIZE_DEFAULT;

/// What a program does not say itself.
pub struct Options<'a> {
    /// The address of a symbol of the kernel: of a module, or of whichever has it.
    pub symbol: &'a dyn Fn(Option<&str>, &str) -> Option<u64>,
    /// Bytes of a string, NUL included (`strsize`).
    pub strsize: u32,
    /// Frames of `stack()` without an argument (`stackframes`).
    pub stackframes: u32,
    /// Frames of `ustack()` without an argument (`ustackframes`).
    pub ustackframes: u32,
    /// Frames of `jstack()` without an argument (`jstackframes`).
    pub jstackframes: u32,
    /// The most frames of any of them (`maxframes`).
    pub maxframes: u32,
    /// The most bytes that `alloca()` and kin may be asked for (`scratchsize`).
    pub scratchsize: u32,
    /// The CPU on which alone clauses run (`cpu`).
    pub cpu: Option<u32>,
    /// The node shows the memory of the kernel and of processes.
    pub shows_memory: bool,
    /// There is one process that is the target (`-c`, `-p`): addresses alone can be looked up in
    /// it.
    pub target: bool,
    /// What attributes a clause must have at least (`amin`).
    pub amin: Option<Attributes>,
    /// Which version of D it is written in (`version`).
    pub version: Version,
    /// A program that traces nothing will do (`empty`).
    pub empty: bool,
}

impl Default for Options<'_> {
    /// No symbols, and dtrace's own defaults.
    fn default() -> Self {
        Self {
            symbol: &|_, _| None,
            strsize: STRSIZE,
            stackframes: 20,
            ustackframes: 20,
            jstackframes: 50,
            maxframes: abi::RTRACE_STACK_FRAMES_MAX,
            scratchsize: abi::RTRACE_SCRATCH_BYTES,
            cpu: None,
            shows_memory: true,
            target: false,
            amin: None,
            version: Version::LATEST,
            empty: false,
        }
    }
}
