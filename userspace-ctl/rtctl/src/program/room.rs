// SPDX-License-Identifier: GPL-2.0-only
//! How large a program's records are at most: what a buffer must hold.

use d_compiler::compiled::{Action, AddressForm, Clause, Compiled, Form};
use rust_tracer::abi;

const RECORD: u64 = size_of::<abi::rtrace_record_clause>() as u64;
const ITEM: u64 = size_of::<abi::rtrace_item>() as u64;
const WORD: u64 = 8;

/// The most bytes that a firing's clause may record, with strings of `strsize` bytes; of values
/// whose types are not told, the least.
pub fn largest_record(compiled: &Compiled, strsize: u32) -> u64 {
    let records = compiled
        .clauses
        .iter()
        .map(|clause| record(clause, strsize));
    records.max().unwrap_or(0)
}

fn record(clause: &Clause, strsize: u32) -> u64 {
    let actions = clause.actions.iter();
    RECORD + actions.map(|one| action(one, strsize)).sum::<u64>()
}

fn action(action: &Action, strsize: u32) -> u64 {
    let one = |form: &Form| ITEM + form_bytes(form, strsize);
    match action {
        Action::Trace(form) => one(form),
        Action::Tracemem { bytes } => one(&Form::Bytes(*bytes)),
        Action::Printf { arguments, .. }
        | Action::Freopen { arguments, .. }
        | Action::SetoptOf(arguments) => {
            // Without arguments there is an item that says so.
            arguments.iter().map(one).sum::<u64>().max(ITEM)
        }
        Action::Stack(frames) => one(&Form::Stack(*frames)),
        Action::Ustack(frames) => one(&Form::Ustack(*frames)),
        Action::Address(form) => one(&Form::Address(*form)),
        Action::Exit | Action::Commit | Action::Discard | Action::Normalize(_) => ITEM + WORD,
        Action::Trunc { counted: true, .. } => ITEM + WORD,
        Action::Print { .. }
        | Action::Printa { .. }
        | Action::Clear(_)
        | Action::Trunc { .. }
        | Action::Denormalize(_)
        | Action::Ftruncate
        | Action::Setopt(..) => ITEM,
    }
}

fn form_bytes(form: &Form, strsize: u32) -> u64 {
    match form {
        Form::Integer { .. } | Form::Pointer => WORD,
        Form::String => u64::from(strsize).next_multiple_of(WORD),
        Form::Bytes(bytes) | Form::Characters(bytes) | Form::StackValue(bytes) => {
            u64::from(*bytes).next_multiple_of(WORD)
        }
        Form::Probe(_) => 0,
        Form::Stack(frames) => WORD * u64::from(*frames),
        Form::Ustack(frames) => WORD * (1 + u64::from(*frames)),
        Form::Address(AddressForm::Function | AddressForm::Symbol | AddressForm::Module) => WORD,
        Form::Address(_) => 2 * WORD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn largest(clauses: &[&[Action]]) -> u64 {
        let clauses = clauses.iter().map(|actions| Clause {
            actions: actions.to_vec(),
            ..Clause::default()
        });
        let compiled = Compiled {
            clauses: clauses.collect(),
            ..Compiled::default()
        };
        largest_record(&compiled, 256)
    }

    #[test]
    fn the_largest_clause_counts() {
        // dtrace-utils test/unittest/options/{err.bufsize-too-low,tst.bufsize}.d: 59 bytes are too few for
        // exit(), 64 are enough.
        assert_eq!(largest(&[&[Action::Exit]]), 64);
        assert_eq!(largest(&[&[Action::Exit], &[]]), 64);
        let text = Action::Trace(Form::String);
        assert_eq!(largest(&[&[Action::Exit], &[text, Action::Exit]]), 64 + 264);
        assert_eq!(largest(&[]), 0);
    }
}
