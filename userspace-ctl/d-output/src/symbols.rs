// SPDX-License-Identifier: GPL-2.0-only
//! Addresses by name, and stacks.
#![forbid(unsafe_code)]

use d_compiler::compiled::AddressForm;

use crate::bytes::put;
use crate::values::Value;
use crate::world::{Symbol, World};

/// `` module`symbol+0x10 ``, `` module`0x… `` without a symbol, or the address alone.
pub fn named(symbol: Option<&Symbol>, address: u64, offset: bool) -> String {
    match symbol {
        Some(Symbol {
            module,
            name: Some((name, start)),
            ..
        }) => match address.checked_sub(*start) {
            Some(distance) if distance > 0 && offset => format!("{module}`{name}+0x{distance:x}"),
            _ => format!("{module}`{name}"),
        },
        Some(Symbol { module, .. }) => format!("{module}`0x{address:x}"),
        None => format!("0x{address:x}"),
    }
}

fn module(symbol: Option<Symbol>, address: u64) -> String {
    symbol.map_or_else(|| format!("0x{address:x}"), |symbol| symbol.module)
}

/// A kernel address as `sym()` and kin show it.
pub fn kernel(form: AddressForm, address: u64, world: &dyn World) -> String {
    let symbol = world.kernel(address);
    match form {
        AddressForm::Module => module(symbol, address),
        _ => named(symbol.as_ref(), address, form == AddressForm::Symbol),
    }
}

/// A process's address as `usym()` and kin show it.
pub fn user(form: AddressForm, pid: u32, address: u64, world: &dyn World) -> String {
    let symbol = world.user(pid, address);
    match form {
        AddressForm::UserModule => module(symbol, address),
        _ => named(symbol.as_ref(), address, form == AddressForm::UserAddress),
    }
}

/// A stack's frames, each by name.
pub fn frames(stack: &Value, world: &dyn World) -> Vec<String> {
    match stack {
        Value::Stack(frames) => (frames.iter().take_while(|&&frame| frame != 0))
            .map(|&frame| named(world.kernel(frame).as_ref(), frame, true))
            .collect(),
        Value::Ustack { pid, frames } => (frames.iter().take_while(|&&frame| frame != 0))
            .map(|&frame| named(world.user(*pid, frame).as_ref(), frame, true))
            .collect(),
        _ => Vec::new(),
    }
}

/// A stack: a newline, then a line for each frame.
pub fn stack(out: &mut Vec<u8>, stack: &Value, indent: usize, world: &dyn World) {
    out.push(b'\n');
    for frame in frames(stack, world) {
        put!(out, "{:indent$}{frame}\n", "");
    }
}
