// SPDX-License-Identifier: GPL-2.0-only
//! Who of the modules is called where the kernel tells of something.
//!
//! To change there what is told needs no redirection: a handler may change what a
//! function was given, or what it leaves behind. By which of the kernel's means a module
//! is called there makes no difference.

use std::collections::BTreeMap;

use rust_tracer::abi;
use rust_tracer::views::{Kprobe, Ops, Owner};

use super::facts::Facts;
use super::owners::{answered, answered_or_zero, is_others};
use super::report::Finding;

/// What shows modules, processes, sockets and messages, and is called by tables of the kernel's own.
pub const SHOWN_BY: [&str; 15] = [
    "m_show",
    "s_show",
    "do_syslog",
    "devkmsg_read",
    "proc_pid_readdir",
    "proc_root_readdir",
    "tcp4_seq_show",
    "tcp6_seq_show",
    "udp4_seq_show",
    "udp6_seq_show",
    "raw_seq_show",
    "raw6_seq_show",
    "packet_seq_show",
    "netlink_seq_show",
    "unix_seq_show",
];

/// Where else files and packets are told of, and signals are sent; where system calls are told apart; and what we
/// ourselves are told by.
const TELLING: [&str; 28] = [
    "__x64_sys_getdents64",
    "__x64_sys_getdents",
    "__ia32_sys_getdents64",
    "__ia32_sys_getdents",
    "__ia32_compat_sys_getdents",
    "__x64_sys_kill",
    "__x64_sys_delete_module",
    "__x64_sys_syslog",
    "filldir",
    "filldir64",
    "compat_filldir",
    "iterate_dir",
    "kernfs_fop_readdir",
    // By these ss lists sockets.
    "sock_diag_rcv_msg",
    "inet_sk_diag_fill",
    "inet_diag_dump_icsk",
    "netlink_dump",
    "packet_rcv",
    "tpacket_rcv",
    // System calls go through these.
    "x64_sys_call",
    "x32_sys_call",
    "ia32_sys_call",
    // What we read goes by the first; by the others we are told of calls, and of modules.
    "_copy_to_user",
    "register_ftrace_function",
    "unregister_ftrace_function",
    "ftrace_set_filter_ips",
    "register_fprobe_ips",
    "register_module_notifier",
];

/// Whether something is told of in a function: who is called there needs nothing else. Nobody measures these; names of
/// what is, like reading and opening, are none of them.
pub fn tells(function: &str) -> bool {
    SHOWN_BY.contains(&function) || TELLING.contains(&function)
}

/// What a module has there.
struct Means {
    /// In words.
    name: &'static str,
    /// Where it is looked up.
    form: &'static str,
    /// What lists all of it.
    look: &'static str,
}

const KPROBE: Means = Means {
    name: "a kprobe",
    form: "the kernel's table of kprobes",
    look: "rtctl hooks; cat /sys/kernel/debug/kprobes/list",
};
const FPROBE: Means = Means {
    name: "an fprobe",
    form: "the kernel's table of fprobes",
    look: "rtctl hooks",
};
const OPS: Means = Means {
    name: "an ftrace_ops",
    form: "ftrace's list of ftrace_ops, and their filters",
    look: "rtctl hooks; cat /sys/kernel/tracing/enabled_functions",
};

/// The modules that are called where something is told of. Those that redirect functions are told of as such.
pub fn findings(facts: &Facts, ops: &[Ops], kprobes: &[Kprobe]) -> Vec<Finding> {
    // What nobody answers for is told of as such, wherever it is called.
    let of_kprobes = kprobes
        .iter()
        .filter(|one| answered_or_zero(one.handler.kind));
    let of_kprobes = of_kprobes.filter_map(|one| {
        let module = module(&[&one.handler, &one.structure])?;
        at(facts, &KPROBE, one.address, module)
    });
    let probed = facts.callbacks(abi::RTRACE_CALLBACK_PROBED);
    let of_fprobes = probed.filter_map(|one| at(facts, &FPROBE, one.at, module(&[&one.func])?));
    let called: BTreeMap<u64, &Owner> = ops
        .iter()
        .filter(|one| !one.redirects() && answered(one.func.kind))
        .filter_map(|one| Some((one.ops, module(&[&one.func, &one.structure])?)))
        .collect();
    let hooks = facts.hooks.known().into_iter().flatten();
    // Who is called for all functions has none in his filter.
    let of_ops = hooks
        .filter(|hook| hook.site != 0)
        .filter_map(|hook| at(facts, &OPS, hook.site, called.get(&hook.ops)?));
    of_kprobes.chain(of_fprobes).chain(of_ops).collect()
}

fn module<'a>(owners: &[&'a Owner]) -> Option<&'a Owner> {
    owners.iter().copied().find(|owner| is_others(owner))
}

fn at(facts: &Facts, means: &Means, address: u64, module: &Owner) -> Option<Finding> {
    let name = facts.function(address)?;
    let Means {
        name: what,
        form,
        look,
    } = means;
    tells(name).then(|| Finding {
        key: format!("{what} {address:#x} of {}", module.name),
        what: format!(
            "the module {} has {what} at {name}, and may change there what is told",
            module.name
        ),
        place: facts.place(module),
        forms: vec![
            (*form).into(),
            "the owner by our ledger, the list and the tree of modules".into(),
        ],
        perhaps: "a script of SystemTap, or a module that only counts: ask who installed it".into(),
        look: (*look).into(),
        ..Finding::default()
    })
}

#[cfg(test)]
mod tests {
    use rust_tracer::views::{Callback, Hook, Kind};

    use super::super::fact::Told;
    use super::super::facts::tests::owner;
    use super::super::owners::OURS;
    use super::*;

    const SITE: u64 = 0x7004;

    fn facts(function: &str) -> Facts {
        Facts {
            symbols: [(SITE, format!("{function}+0x4/0x100"))].into(),
            ..Facts::default()
        }
    }

    fn what(found: Vec<Finding>) -> Vec<String> {
        found.into_iter().map(|finding| finding.what).collect()
    }

    fn kernels() -> Owner {
        owner(0x1000, Kind::Kernel, "vmlinux")
    }

    fn heap() -> Owner {
        owner(0x2000, Kind::Data, "")
    }

    fn modules(kind: Kind, name: &str) -> Owner {
        owner(0x3000, kind, name)
    }

    #[test]
    fn a_modules_kprobe_where_things_are_told_of_is_found() {
        let found = |handler: Owner, structure: Owner, function: &str| {
            let kprobe = Kprobe {
                address: SITE,
                handler,
                structure,
                ..Kprobe::default()
            };
            what(findings(&facts(function), &[], &[kprobe])).len()
        };
        let text = || modules(Kind::Module, "x");
        assert_eq!(found(text(), heap(), "__x64_sys_getdents64"), 1);
        assert_eq!(found(text(), heap(), "x64_sys_call"), 1);
        assert_eq!(found(text(), heap(), "register_ftrace_function"), 1);
        // The kernel's handler of a module's kretprobe.
        let data = modules(Kind::Data, "x");
        assert_eq!(found(kernels(), data, "tcp4_seq_show"), 1);
        // A kprobe of tracefs or perf; and one where nothing is told of.
        assert_eq!(found(kernels(), heap(), "__x64_sys_getdents64"), 0);
        assert_eq!(found(text(), heap(), "vfs_read"), 0);
    }

    #[test]
    fn a_modules_fprobe_where_things_are_told_of_is_found() {
        let found = |func: Owner, function: &str| {
            let mut facts = facts(function);
            facts.callbacks = Told::Is(vec![Callback {
                at: SITE,
                func,
                kind: abi::RTRACE_CALLBACK_PROBED,
                ..Callback::default()
            }]);
            what(findings(&facts, &[], &[]))
        };
        assert_eq!(
            found(modules(Kind::Module, "x"), "tcp4_seq_show"),
            ["the module x has an fprobe at tcp4_seq_show, and may change there what is told"]
        );
        assert_eq!(found(modules(Kind::Module, "x"), "vfs_read"), [""; 0]);
        assert_eq!(found(modules(Kind::Module, OURS), "tcp4_seq_show"), [""; 0]);
        assert_eq!(found(kernels(), "tcp4_seq_show"), [""; 0]);
    }

    #[test]
    fn a_modules_ftrace_ops_that_redirects_nothing_is_found_where_things_are_told_of() {
        let found = |func: Owner, flags: u64, site: u64, function: &str| {
            let ops = Ops {
                ops: 0x5000,
                flags,
                func,
                structure: heap(),
                ..Ops::default()
            };
            let mut facts = facts(function);
            facts.hooks = Told::Is(vec![Hook {
                ops: 0x5000,
                site,
                ..Hook::default()
            }]);
            what(findings(&facts, &[ops], &[])).len()
        };
        let text = || modules(Kind::Module, "x");
        assert_eq!(found(text(), 0, SITE, "__x64_sys_getdents64"), 1);
        assert_eq!(found(text(), 0, SITE, "vfs_read"), 0);
        // Who is called for all functions, as tracers are.
        assert_eq!(found(text(), 0, 0, "__x64_sys_getdents64"), 0);
        // That one redirects is another finding.
        assert_eq!(
            found(text(), Ops::IPMODIFY, SITE, "__x64_sys_getdents64"),
            0
        );
        // tracefs, BPF, and ourselves.
        let ours = modules(Kind::Module, OURS);
        assert_eq!(found(kernels(), 0, SITE, "__x64_sys_getdents64"), 0);
        assert_eq!(found(ours, 0, SITE, "__x64_sys_getdents64"), 0);
    }
}
