// SPDX-License-Identifier: GPL-2.0-only
//! A program compiled: checked, then made to bytecode.
#![forbid(unsafe_code)]

use rust_tracer::abi;

use crate::ast;
use crate::check;
use crate::code;
use crate::compiled::Compiled;
use crate::error::Error;
use crate::parse;
use crate::stability::Attributes;
use crate::types::Types;

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
            empty: false,
        }
    }
}

/// Compiles a program. Declarations alone are none, as in libdtrace.
pub fn compile(
    program: &ast::Program,
    types: &mut Types,
    options: &Options<'_>,
) -> Result<Compiled, Error> {
    let checked = check::check(program, types, options)?;
    let declares = |item: &ast::Item| matches!(item, ast::Item::Declaration(_));
    if program.items.iter().all(declares) && !options.empty {
        return Err(parse::empty());
    }
    let mut compiled = code::generate(&checked, types, options)?;
    compiled.options = program.options.clone();
    Ok(compiled)
}
