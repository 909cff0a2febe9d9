// SPDX-License-Identifier: GPL-2.0-only
//! What checks judge from: views of the kernel by the module, what the same kernel
//! says of itself elsewhere, and what tracing sees. Facts only; [`super::gather`]
//! brings them.

use std::collections::{BTreeMap, HashMap};

use rust_tracer::views::{
    Callback, Cpu, Hook, Itself, Kind, Kprobe, Module, Ops, Owner, Pointer, Site, Task, Text,
    TextOf, Tracepoint,
};

use super::calls::Canary;
use super::fact::{Code, Told};
use super::owners::is_livepatch;
use super::said::Said;
use super::sample::{Runs, Sample};
use super::sockets::Sockets;

/// All that is known.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct Facts {
    pub modules: Told<Vec<Module>>,
    pub ops: Told<Vec<Ops>>,
    /// Which of them is for which function, before or after the sites were looked at; in the order of
    /// the sites.
    pub hooks: Told<Vec<Hook>>,
    pub sites: Told<Vec<Site>>,
    pub kprobes: Told<Vec<Kprobe>>,
    pub callbacks: Told<Vec<Callback>>,
    pub text: Told<Vec<Text>>,
    pub cpus: Told<Vec<Cpu>>,
    pub tracepoints: Told<Vec<Tracepoint>>,
    pub tasks: Told<Vec<Task>>,
    pub itself: Told<Itself>,
    /// By path.
    pub files: Told<Vec<(String, Vec<Pointer>)>>,
    pub syscalls: Told<Vec<TextOf>>,
    /// What the kernel says of itself elsewhere.
    pub said: Said,
    /// What tracing saw.
    pub sample: Told<Sample>,
    /// Of that who ran, which other nodes than `kernel` tell as well.
    pub runs: Told<Runs>,
    /// They come through a node that tells nothing of the kernel's addresses.
    pub narrow: bool,
    /// What became of calls that we made ourselves.
    pub canary: Told<Canary>,
    /// What addresses are called, as `name+0x10/0x40 [module]`.
    pub symbols: HashMap<u64, String>,
    /// Sockets that processes have.
    pub sockets: Told<Sockets>,
    /// Whether there is KVM, which lends CPUs' registers.
    pub kvm: bool,
    /// Whose other addresses are: callers, frames, and where patched text leads.
    pub owners: HashMap<u64, Owner>,
    /// What stands at addresses that nobody owns.
    pub code: BTreeMap<u64, Code>,
}

impl Facts {
    /// Those of a kind, `RTRACE_CALLBACK_*`; none if the module does not know of any.
    pub fn callbacks(&self, kind: u32) -> impl Iterator<Item = &Callback> {
        let all = self.callbacks.known().into_iter().flatten();
        all.filter(move |one| one.kind == kind)
    }

    /// Whether a module of that name is marked as a live patch.
    pub fn is_livepatch(&self, name: &str) -> bool {
        let mut modules = self.modules.known().into_iter().flatten();
        modules.any(|module| module.name == name && is_livepatch(module))
    }

    /// Who is for the function of this site; 0: for all functions.
    pub fn hooks_of(&self, site: u64) -> &[Hook] {
        let all = self.hooks.known().map_or(&[][..], Vec::as_slice);
        let from = all.partition_point(|hook| hook.site < site);
        let rest = &all[from..];
        &rest[..rest.partition_point(|hook| hook.site == site)]
    }

    /// The name of what is at an address, as `name+0x10`, and its module.
    pub fn symbol(&self, address: u64) -> Option<(&str, Option<&str>)> {
        let text = self.symbols.get(&address)?;
        let (place, module) = match text.split_once(" [") {
            Some((place, module)) => (place, Some(module.trim_end_matches(']'))),
            None => (text.as_str(), None),
        };
        let place = place.split_once('/').map_or(place, |(place, _)| place);
        Some((place, module))
    }

    /// The name of the function at an address, without an offset.
    pub fn function(&self, address: u64) -> Option<&str> {
        let (place, _) = self.symbol(address)?;
        Some(place.split_once('+').map_or(place, |(name, _)| name))
    }

    /// An address, by name if it has one.
    pub fn address(&self, address: u64) -> String {
        match self.symbol(address) {
            Some((place, module)) => {
                let place = place.strip_suffix("+0x0").unwrap_or(place);
                format!("{}`{place} ({address:#x})", module.unwrap_or("vmlinux"))
            }
            None => format!("{address:#x}"),
        }
    }

    /// Where that is, in words: its name, and whose text it is.
    pub fn place(&self, owner: &Owner) -> String {
        let at = self.address(owner.address);
        let of = match owner.base {
            0 => String::new(),
            base => format!(" at {base:#x}"),
        };
        let Owner { kind, name, .. } = owner;
        match kind {
            Kind::None => format!("{at}, no module owns this text"),
            Kind::Kernel => format!("{at}, of the kernel"),
            Kind::Module => format!("{at}, of the module {name}{of}"),
            Kind::Hidden => format!(
                "{at}, of the module {name}{of}, which is not on the kernel's list of modules"
            ),
            Kind::Gone => format!("{at}, where the module {name} was, which has gone"),
            Kind::Ftrace => format!("{at}, a trampoline of ftrace's"),
            Kind::Kprobe => format!("{at}, a slot of kprobes'"),
            Kind::Bpf => format!("{at}, BPF {name}"),
            Kind::Init => format!("{at}, text for booting, which was freed"),
            Kind::Data if name.is_empty() => format!("{at}, data of the kernel, not text"),
            Kind::Data => format!("{at}, data of {name}, not text"),
            Kind::Thunk => format!("{at}, a page of thunks"),
            Kind::Zero => "nowhere (0)".into(),
            Kind::Other(number) => format!("{at}, an owner of kind {number}"),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An owner of this kind.
    pub(crate) fn owner(address: u64, kind: Kind, name: &str) -> Owner {
        Owner {
            address,
            base: address & !0xfff,
            kind,
            seen: 0,
            name: name.into(),
        }
    }

    #[test]
    fn a_place_tells_the_symbol_and_whose_text_it_is() {
        let mut facts = Facts::default();
        facts
            .symbols
            .insert(0x1010, "vfs_read+0x10/0x40 [ext4]".into());
        let told = |kind, name: &str| facts.place(&owner(0x1010, kind, name));
        assert_eq!(
            told(Kind::Module, "ext4"),
            "ext4`vfs_read+0x10 (0x1010), of the module ext4 at 0x1000"
        );
        assert_eq!(
            facts.place(&owner(0x2010, Kind::None, "")),
            "0x2010, no module owns this text"
        );
        assert_eq!(facts.function(0x1010), Some("vfs_read"));
    }
}
