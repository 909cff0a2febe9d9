// SPDX-License-Identifier: GPL-2.0

//! What can be said of an instruction by itself: that there is such an operation, and that its fields and numbers mean
//! something.

#![forbid(unsafe_code)]

use super::super::{
    insn::{
        built_in,
        is_text,
        op,
        subroutine,
        Field,
        Form,
        Immediate,
        Insn,
        REGISTERS, //
    },
    refused::Why,
    scope,
    Program,
    KEYS_MAX,
    SCRATCH_BYTES,
    STACK_FRAMES_MAX, //
};

/// How an instruction of this program is to be understood.
pub(super) fn of(program: &Program<'_>, insn: Insn) -> Result<&'static Form, Why> {
    let form = insn.form().ok_or(Why::Operation(insn.op))?;
    for (use_of, number, name) in [
        (form.d, insn.d, "d"),
        (form.a, insn.a, "a"),
        (form.b, insn.b, "b"),
    ] {
        match use_of {
            Field::Unused if number != 0 => return Err(Why::Unused(name)),
            Field::Unused | Field::Frames | Field::Count => {}
            _ if u32::from(number) >= REGISTERS => return Err(Why::Register(number)),
            _ => {}
        }
    }
    immediate(program, insn, form)?;
    Ok(form)
}

/// The number that it has with it.
fn immediate(program: &Program<'_>, insn: Insn, form: &Form) -> Result<(), Why> {
    let index = usize::try_from(insn.i).unwrap_or(usize::MAX);
    let bytes_max = if insn.op == op::KEYB {
        KEYS_MAX
    } else {
        SCRATCH_BYTES
    };
    let what = match form.i {
        Immediate::Unused if insn.i != 0 => return Err(Why::Unused("i")),
        Immediate::Unused
        | Immediate::Number
        | Immediate::Jump
        | Immediate::Offset
        | Immediate::Item => return Ok(()),
        Immediate::Constant if index < program.constants.len() => return Ok(()),
        Immediate::Constant => "constant",
        Immediate::Text if index < program.strings.len() => return Ok(()),
        Immediate::Text => "string constant",
        Immediate::Limit if insn.i >= 0 => return Ok(()),
        Immediate::Bytes if (1..=bytes_max as usize).contains(&index) => return Ok(()),
        Immediate::Limit | Immediate::Bytes => "number of bytes",
        Immediate::Frames if (1..=STACK_FRAMES_MAX as usize).contains(&index) => return Ok(()),
        Immediate::Frames => "number of frames",
        Immediate::BuiltIn | Immediate::BuiltInText => {
            let text = form.i == Immediate::BuiltInText;
            let number = insn.i as u32;
            let known = built_in(number).is_some();
            if known && is_text(number) == text {
                return Ok(());
            }
            "built-in variable"
        }
        Immediate::Variable | Immediate::Dynamic => match program.variables.get(index) {
            Some(variable) => {
                let plain = matches!(variable.scope, scope::GLOBAL | scope::LOCAL);
                if plain == (form.i == Immediate::Variable) {
                    return Ok(());
                }
                return Err(Why::Scope);
            }
            None => "variable",
        },
        Immediate::Aggregation if index < program.aggregations.len() => return Ok(()),
        Immediate::Aggregation => "aggregation",
        Immediate::Subroutine => match subroutine(insn.i) {
            Some(called) => {
                let most = called.takes.len();
                let least = most.saturating_sub(called.optional.into());
                if (least..=most).contains(&insn.b.into()) {
                    return Ok(());
                }
                return Err(Why::Arguments(called.name));
            }
            None => "subroutine",
        },
    };
    Err(Why::Immediate(what))
}
