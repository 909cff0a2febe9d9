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

/// A process's address by name, or, if names are not wanted, `file:0x10` by its place in what is mapped
/// there.
fn of_process(pid: u32, address: u64, world: &dyn World) -> String {
    if !world.unresolved() {
        return named(world.user(pid, address).as_ref(), address, true);
    }
    match world.mapped(pid, address) {
        Some((file, offset)) => format!("{file}:0x{offset:x}"),
        None => format!("0x{address:x}"),
    }
}

/// A process's address as `usym()` and kin show it.
pub fn user(form: AddressForm, pid: u32, address: u64, world: &dyn World) -> String {
    let symbol = || world.user(pid, address);
    match form {
        AddressForm::UserModule => module(symbol(), address),
        AddressForm::UserFunction if world.unresolved() => {
            // The function's place, as libdtrace looks for its beginning first.
            let start = symbol().and_then(|symbol| Some(symbol.name?.1));
            of_process(pid, start.unwrap_or(address), world)
        }
        AddressForm::UserFunction => named(symbol().as_ref(), address, false),
        _ => of_process(pid, address, world),
    }
}

/// A stack's frames, each by name.
pub fn frames(stack: &Value, world: &dyn World) -> Vec<String> {
    match stack {
        Value::Stack(frames) => (frames.iter().take_while(|&&frame| frame != 0))
            .map(|&frame| named(world.kernel(frame).as_ref(), frame, true))
            .collect(),
        Value::Ustack { pid, frames } => (frames.iter().take_while(|&&frame| frame != 0))
            .map(|&frame| of_process(*pid, frame, world))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Small;
    use crate::world::Probe;

    /// [`Small`], whose process 42 has its file mapped from 0x4000 on, and who wants no names.
    struct Unresolved;

    impl World for Unresolved {
        fn probe(&self, index: u32) -> Option<Probe> {
            Small.probe(index)
        }

        fn user(&self, pid: u32, address: u64) -> Option<Symbol> {
            Small.user(pid, address)
        }

        fn unresolved(&self) -> bool {
            true
        }

        fn mapped(&self, pid: u32, address: u64) -> Option<(String, u64)> {
            let symbol = Small.user(pid, address)?;
            Some((symbol.module, address - 0x4000))
        }
    }

    #[test]
    fn without_names_addresses_are_shown_by_their_place_in_a_mapping() {
        // dtrace-utils libdtrace/dt_consume.c (dt_print_stack_user), dt_subr.c (dtrace_uaddr2str)
        let stack = Value::Ustack {
            pid: 42,
            frames: vec![0x4108, 0x6000, 0x10],
        };
        assert_eq!(
            frames(&stack, &Unresolved),
            ["libc.so.6:0x108", "libc.so.6:0x2000", "0x10"]
        );
        let shown = |form, address| user(form, 42, address, &Unresolved);
        assert_eq!(shown(AddressForm::UserAddress, 0x4110), "libc.so.6:0x110");
        assert_eq!(shown(AddressForm::UserFunction, 0x4110), "libc.so.6:0x100");
        assert_eq!(shown(AddressForm::UserFunction, 0x6000), "libc.so.6:0x2000");
        // A module's name is no symbol.
        assert_eq!(shown(AddressForm::UserModule, 0x4110), "libc.so.6");
    }
}
