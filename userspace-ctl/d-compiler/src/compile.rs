// SPDX-License-Identifier: GPL-2.0-only
//! A program compiled: checked, then made to bytecode.
#![forbid(unsafe_code)]

use crate::ast;
use crate::check;
use crate::code;
use crate::compiled::Compiled;
use crate::error::Error;
use crate::options::Options;
use crate::parse;
use crate::types::Types;

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
