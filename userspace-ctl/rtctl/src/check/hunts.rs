// SPDX-License-Identifier: GPL-2.0-only
//! Who asks the kernel for symbols by probes on them: what a sample takes of that.

use std::collections::HashMap;

use d_output::values::Value;
use rust_tracer::views::{Kind, Owner};

use super::owners::OURS;

/// Clauses that need the kernel's types.
///
/// The kernel's tracers have no sites: who registers an fprobe by a name is seen when all symbols are gone through
/// for it. What he is looking for is first in what its callback is given.
pub const CLAUSES: &str = "fbt:vmlinux:register_kprobe:entry \
    /((struct kprobe *)arg0)->symbol_name != NULL/ \
    { @hunts[caller, stringof(((struct kprobe *)arg0)->symbol_name)] = count(); }\n\
    fbt:vmlinux:kallsyms_on_each_symbol:entry /arg1 != 0/ \
    { @searches[stack(9), stringof(*(char **)arg1)] = count(); }\n";

/// Who asked, and for what, by the keys of `@hunts` and `@searches`. Of a search it is the first on the stack who is not
/// the kernel.
pub fn found<'a>(
    hunts: impl Iterator<Item = &'a [Value]>,
    searches: impl Iterator<Item = &'a [Value]>,
    owners: &HashMap<u64, Owner>,
) -> Vec<(u64, String)> {
    let name = |symbol: &[u8]| String::from_utf8_lossy(symbol).into_owned();
    let hunts = hunts.filter_map(|keys| match keys {
        [caller, Value::Text(symbol)] => Some((caller.number().unwrap_or(0), name(symbol))),
        _ => None,
    });
    let is_kernels =
        |owner: &Owner| matches!(owner.kind, Kind::Kernel | Kind::Ftrace) || owner.name == OURS;
    let searches = searches.filter_map(|keys| match keys {
        [Value::Stack(frames), Value::Text(symbol)] => {
            let mut owners = frames.iter().filter_map(|frame| owners.get(frame));
            let other = owners.find(|owner| !is_kernels(owner))?;
            Some((other.address, name(symbol)))
        }
        _ => None,
    });
    hunts.chain(searches).collect()
}

#[cfg(test)]
mod tests {
    use super::super::facts::tests::owner;
    use super::*;

    #[test]
    fn of_a_search_it_is_the_first_who_is_not_the_kernel() {
        let all = [
            owner(0x10, Kind::Kernel, "vmlinux"),
            owner(0x20, Kind::Module, OURS),
            owner(0x30, Kind::Module, "x"),
            owner(0x40, Kind::Module, "y"),
        ];
        let owners: HashMap<_, _> = all.into_iter().map(|one| (one.address, one)).collect();
        let text = || Value::Text(b"kallsyms_lookup_name".to_vec());
        let found = |frames: &[u64]| {
            let search = [Value::Stack(frames.to_vec()), text()];
            found(std::iter::empty(), std::iter::once(&search[..]), &owners)
        };
        let asked = "kallsyms_lookup_name".to_owned();
        assert_eq!(found(&[0x10, 0x20, 0x30, 0x40]), [(0x30, asked)]);
        assert_eq!(found(&[0x10, 0x20, 0x99]), []);
    }
}
