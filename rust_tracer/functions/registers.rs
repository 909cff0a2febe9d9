// SPDX-License-Identifier: GPL-2.0

//! Which functions take all their arguments in registers, and return to where they were called.
//!
//! Only between such a function and its caller may a frame of ours lie: arguments on the stack
//! would be looked for in that frame, and a frame that nobody returns to is never taken away.
//!
//! What the kernel's own BTF and symbols say decides, once, when the table is made. A kernel
//! without BTF has no such functions, nor have other modules; but the administrator may say so of
//! more ([`super::told`]).

#![forbid(unsafe_code)]

use kernel::prelude::*;

use super::{
    frameless,
    Table, //
};
use crate::btf::{
    by_name::{
        slots,
        ByName,
        Said, //
    },
    Btf,
    Known,
    Types, //
};

impl Table {
    /// Whether a function takes all its arguments in registers and returns to where it was
    /// called, as far as is known.
    pub(crate) fn in_registers(&self, function: u32) -> bool {
        self.functions
            .get(function as usize)
            .is_some_and(|function| function.in_registers)
    }

    /// Learns it of the functions that the table has, the kernel proper's; `others` are the names
    /// of its other code, each with a NUL behind it. Task context; takes some milliseconds.
    pub(super) fn learn_registers(&mut self, btf: &[u8], others: &[u8]) -> Result {
        let Some(btf) = Btf::new(btf) else {
            return Ok(());
        };
        let mut places = KVVec::new();
        for place in btf.places() {
            let Some(place) = place else {
                return Ok(());
            };
            places.push(place, GFP_KERNEL)?;
        }
        let slots = slots(self.names.len()).ok_or(ENOMEM)?;
        let mut slots = KVVec::zeroed(slots, GFP_KERNEL)?;
        let mut said = KVVec::from_elem(Said::Nothing, self.functions.len(), GFP_KERNEL)?;
        let mut functions = ByName::new(&mut slots, &mut said, |function, name| {
            let function = self.functions.get(function as usize);
            function.is_some_and(|function| self.names_of(function).any(|(_, own)| own == name))
        });
        for (index, function) in self.functions.iter().enumerate() {
            for (_, name) in self.names_of(function) {
                functions.add(index as u32, name);
            }
        }
        for name in others.split(|byte| *byte == 0) {
            functions.say(name, false);
        }
        for name in frameless::NAMES {
            functions.say(name, false);
        }
        let mut known = KVVec::from_elem(Known::Nothing, places.len(), GFP_KERNEL)?;
        for (name, in_registers) in Types::new(btf, &places).functions(&mut known) {
            functions.say(name, in_registers);
        }
        for (function, said) in self.functions.iter_mut().zip(said.iter()) {
            function.in_registers |= *said == Said::Yes;
        }
        Ok(())
    }
}
