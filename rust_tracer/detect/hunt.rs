// SPDX-License-Identifier: GPL-2.0

//! Whether a module looks for the kernel's symbols by a probe, as far as its memory tells: it has the
//! name of the function that finds them, and calls what registers probes. Whoever does so does it for a
//! moment while it initialises; what it is made of stays.

#![forbid(unsafe_code)]

use kernel::prelude::*;

use super::walk;
use crate::bindings::{
    self,
    rtrace_landmarks,
    rtrace_module_fact, //
};

/// What is looked for, as a string in C.
const NAME: &[u8] = b"kallsyms_lookup_name\0";

/// Bytes of a call.
const CALL: usize = 5;

/// Bytes that are looked at together.
const WINDOW: usize = 4096;

/// What registers kprobes and fprobes, each of which says where its function is.
#[derive(Clone, Copy)]
pub(super) struct Hunt([u64; 7]);

impl Hunt {
    pub(super) fn new(landmarks: &rtrace_landmarks) -> Self {
        Self([
            landmarks.register_kprobe as u64,
            landmarks.register_kretprobe as u64,
            landmarks.register_kprobes as u64,
            landmarks.register_kretprobes as u64,
            landmarks.register_fprobe as u64,
            landmarks.register_fprobe_syms as u64,
            landmarks.register_fprobe_ips as u64,
        ])
    }

    /// Whether these bytes begin with a call of it, or a jump there, at `address`.
    fn is_call(&self, text: &[u8], address: u64) -> bool {
        let [0xe8 | 0xe9, offset @ ..] = text else {
            return false;
        };
        let Some(offset) = offset.first_chunk() else {
            return false;
        };
        let behind = address.wrapping_add(CALL as u64);
        let target = behind.wrapping_add_signed(i32::from_le_bytes(*offset).into());
        self.0.contains(&target)
    }

    /// Whether a module does. Of one that is initialised, what did so may be gone with its text for that:
    /// then it is enough that it has the name.
    pub(super) fn is_on(&self, module: &rtrace_module_fact) -> Result<bool> {
        const TEXT: usize = bindings::RTRACE_MODULE_TEXT as usize;
        const INIT: usize = bindings::RTRACE_MODULE_INIT_TEXT as usize;
        let mut window = KVVec::from_elem(0, WINDOW + NAME.len(), GFP_KERNEL)?;
        let parts = || module.base.iter().zip(&module.bytes).enumerate();
        let mut has = |text: bool, is: &dyn Fn(&[u8], u64) -> bool| {
            let mut parts = parts().filter(|(part, _)| matches!(*part, TEXT | INIT) == text);
            parts.any(|(_, (base, bytes))| any(*base, *bytes, &mut window, is))
        };
        // The first byte alone rules out most.
        let is_name =
            |bytes: &[u8], _: u64| bytes.first() == NAME.first() && bytes.starts_with(NAME);
        let is_call = |bytes: &[u8], address: u64| self.is_call(bytes, address);
        let is_initialised = module.bytes.get(INIT).is_none_or(|bytes| *bytes == 0);
        Ok(has(false, &is_name) && (is_initialised || has(true, &is_call)))
    }
}

/// Whether `is` says so of the bytes from anywhere in a range on, as far as there is memory.
fn any(base: u64, bytes: u64, window: &mut [u8], is: &dyn Fn(&[u8], u64) -> bool) -> bool {
    let mut at = 0;
    while at < bytes {
        let room = (bytes - at).min(window.len() as u64) as usize;
        let window = window.get_mut(..room).unwrap_or_default();
        let from = base.wrapping_add(at);
        if !walk::copy(window, from) {
            return false;
        }
        let begins = |start: usize| {
            let address = from.wrapping_add(start as u64);
            window.get(start..).is_some_and(|rest| is(rest, address))
        };
        if (0..room.min(WINDOW)).any(begins) {
            return true;
        }
        at += WINDOW as u64;
    }
    false
}
