// SPDX-License-Identifier: GPL-2.0-only
//! Check 10: do the operations of files and sockets that tell of modules, processes and
//! connections, the functions of tracepoints, and what else the kernel calls by
//! pointers, lead to where they should?

use std::collections::BTreeSet;

use rust_tracer::abi;
use rust_tracer::views::{Callback, Kind, Owner, Pointer};

use super::callers::{merge, whose};
use super::facts::Facts;
use super::owners::{OURS, answered, answered_or_zero};
use super::report::{Finding, Outcome, Report, count};

/// Files whose operations are of the kernel itself and of no module, by how their paths begin.
const OF_THE_KERNEL: [&str; 8] = [
    "/proc",
    "/sys",
    "/dev/kmsg",
    "/dev/null",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
    "socket ",
];

/// But for those of protocols, which may be of these modules.
const OF_PROTOCOLS: [(&str, &str); 10] = [
    ("/proc/net/tcp6", "ipv6"),
    ("/proc/net/udp6", "ipv6"),
    ("/proc/net/raw6", "ipv6"),
    ("/proc/net/unix", "unix"),
    ("/proc/net/packet", "af_packet"),
    ("socket TCP6", "ipv6"),
    ("socket UDP6", "ipv6"),
    ("socket unix", "unix"),
    ("socket unix datagram", "unix"),
    ("socket packet", "af_packet"),
];

/// Who calls by a pointer of the kernel's own, and what else could explain that nobody answers for it.
const CALLERS: [(u32, &str, &str); 11] = [
    (
        abi::RTRACE_CALLBACK_NOTIFIER,
        "the chain of notifiers",
        "a module that went without leaving the chain",
    ),
    (
        abi::RTRACE_CALLBACK_FPROBE,
        "the fprobe",
        "a module that went without taking its fprobe away",
    ),
    (
        abi::RTRACE_CALLBACK_GRAPH,
        "the user of function_graph",
        "a module that went without taking its user away",
    ),
    (
        abi::RTRACE_CALLBACK_THREAD,
        "the kernel's thread",
        "a module that went without ending its thread",
    ),
    (
        abi::RTRACE_CALLBACK_STATIC_CALL,
        "the static call",
        "a module that went without taking its function back",
    ),
    (
        abi::RTRACE_CALLBACK_TIMER,
        "what waits for its time,",
        "a module that went without stopping its timer",
    ),
    (
        abi::RTRACE_CALLBACK_PACKET,
        "what gets packets,",
        "a module that went without leaving the network",
    ),
    (
        abi::RTRACE_CALLBACK_INPUT,
        "what gets input,",
        "a module that went without leaving the input",
    ),
    (
        abi::RTRACE_CALLBACK_CONSTANT,
        "the kernel's read-only data at",
        "a kernel that changes its own read-only data in a way that the module does not know",
    ),
    (
        abi::RTRACE_CALLBACK_TABLE,
        "the kernel's own table",
        "a module that stacks its own functions over the kernel's",
    ),
    (
        abi::RTRACE_CALLBACK_TRACEPOINT,
        "the tracepoint",
        "somebody who registers there by other means than the kernel's",
    ),
];

/// Judges the pointers.
pub fn check(facts: &Facts) -> Outcome {
    let files = facts.files.get()?;
    let tracepoints = facts.tracepoints.get()?;
    let of_files = files.iter().flat_map(|(path, pointers)| {
        pointers
            .iter()
            .filter_map(move |it| of_file(facts, path, pointers, it))
    });
    let of_tracepoints = tracepoints
        .iter()
        .filter(|it| !it.ours && !answered(it.func.kind));
    let of_tracepoints = of_tracepoints.map(|it| Finding {
        key: format!("tracepoint {}", it.name),
        what: format!("the tracepoint {} calls what nobody answers for", it.name),
        place: facts.place(&it.func),
        forms: vec![
            "the tracepoint's own table of functions".into(),
            "the owner by our ledger, the list and the tree of modules".into(),
        ],
        perhaps: "a module that went without taking its function away".into(),
        look: format!("rtctl hooks {}; rtctl check modules text", it.name),
        ..Finding::default()
    });
    let of_callbacks = CALLERS.into_iter().flat_map(|(kind, caller, perhaps)| {
        let strange = facts.callbacks(kind).filter(|one| is_strange(facts, one));
        strange.map(move |one| of_callback(facts, one, caller, perhaps))
    });
    let findings = merge(of_files.chain(of_tracepoints).chain(of_callbacks));
    let pointers: usize = files.iter().map(|(_, pointers)| pointers.len()).sum();
    let names: BTreeSet<&str> = tracepoints.iter().map(|it| &*it.name).collect();
    let mut looked = format!(
        "{} of {}; {} of {}",
        count(pointers, "pointer"),
        count(files.len(), "file"),
        count(tracepoints.len(), "function"),
        count(names.len(), "tracepoint"),
    );
    if let Some(callbacks) = facts.callbacks.known() {
        looked += &format!(
            "; {} of the kernel's own",
            count(callbacks.len(), "callback")
        );
    }
    Ok(Report { looked, findings })
}

/// Chains of notifiers for traps and keys, which only these modules join.
const OF_FEW: [(&str, &[&str]); 2] = [
    ("die_chain", &["hv_vmbus", "kgdboc"]),
    ("keyboard_notifier_list", &["speakup", "hid_sensor_hub"]),
];

/// How threads are called that are the kernel's own.
const THREADS: [&str; 8] = [
    "kworker/",
    "ksoftirqd/",
    "migration/",
    "cpuhp/",
    "rcu_preempt",
    "kswapd",
    "kthreadd",
    "kcompactd",
];

/// Whether none but the kernel's own functions are called by this: by the first, security modules, none of which can
/// be loaded.
fn is_kernels_static_call(key: &str) -> bool {
    const KEYS: [&str; 8] = [
        "cond_resched",
        "might_resched",
        "preempt_schedule",
        "preempt_schedule_notrace",
        "irqentry_exit_cond_resched",
        "x86_idle",
        "pv_steal_clock",
        "pv_sched_clock",
    ];
    let name = key.strip_prefix("__SCK__").unwrap_or(key);
    let name = name.split('+').next().unwrap_or(name);
    name.starts_with("lsm_static_call_") || KEYS.contains(&name)
}

/// Whether what is called there should not be.
fn is_strange(facts: &Facts, one: &Callback) -> bool {
    /// The kernel's own table for terminals.
    const TERMINALS: &str = "n_tty_ops";
    let is_modules = one.func.kind == Kind::Module;
    let is_kernels = match one.kind {
        // Only those are told that should not be.
        abi::RTRACE_CALLBACK_TRACEPOINT => return true,
        abi::RTRACE_CALLBACK_CONSTANT | abi::RTRACE_CALLBACK_TABLE => true,
        abi::RTRACE_CALLBACK_STATIC_CALL => {
            let symbol = facts.symbol(one.at).filter(|(_, module)| module.is_none());
            symbol.is_some_and(|(name, _)| is_kernels_static_call(name))
        }
        abi::RTRACE_CALLBACK_NOTIFIER => {
            let chain = OF_FEW.iter().find(|(chain, _)| one.name.starts_with(chain));
            chain.is_some_and(|(_, modules)| !modules.contains(&&*one.func.name))
        }
        abi::RTRACE_CALLBACK_THREAD => THREADS.iter().any(|own| one.name.starts_with(own)),
        _ => one.name.starts_with(TERMINALS),
    };
    !answered_or_zero(one.func.kind) || (is_modules && is_kernels)
}

fn of_callback(facts: &Facts, one: &Callback, caller: &str, perhaps: &str) -> Finding {
    let name = match (one.name.as_str(), facts.symbol(one.at)) {
        ("", Some((symbol, _))) => symbol,
        ("", None) => "without a name",
        (name, _) => name,
    };
    Finding {
        key: format!("{caller} {name} {}", whose(&one.func)),
        what: match one.func.kind {
            _ if one.kind == abi::RTRACE_CALLBACK_TRACEPOINT => {
                format!("{caller} {name} does not call those who are registered, or not them alone")
            }
            Kind::Module => format!("{caller} {name} calls a module instead of the kernel's own"),
            _ => format!("{caller} {name} calls what nobody answers for"),
        },
        place: format!(
            "{}, by the pointer at {:#x}",
            facts.place(&one.func),
            one.at
        ),
        forms: vec![
            "the kernel's own pointers, read in its memory".into(),
            "the owner by our ledger, the list and the tree of modules".into(),
        ],
        perhaps: perhaps.into(),
        look: "rtctl hooks; rtctl check modules crossview text".into(),
        ..Finding::default()
    }
}

fn of_file(facts: &Facts, path: &str, all: &[Pointer], pointer: &Pointer) -> Option<Finding> {
    let Pointer { name, value } = pointer;
    let is_structure = is_structure(all, name);
    let expected = || is_expected(facts, path, all, &value.name);
    let wrong = match value.kind {
        Kind::Zero | Kind::Kernel => return None,
        // What is allocated is nobody's in particular: its members tell.
        Kind::Data if is_structure && (is_kernels(value) || expected()) => return None,
        Kind::Module if expected() => return None,
        Kind::Data if is_structure => "is a module's that has nothing to do with it",
        Kind::Module => "leads into a module that has nothing to do with it",
        Kind::None if is_structure => "is where the kernel has no data",
        _ => "leads to what nobody answers for",
    };
    Some(Finding {
        key: format!("{path} {name}"),
        what: format!("{name} of {path} {wrong}"),
        place: facts.place(value),
        forms: vec![
            "the open file's own pointers".into(),
            "the owner by our ledger, the list and the tree of modules".into(),
        ],
        perhaps: "a file system or a security module that stacks its own operations over others"
            .into(),
        look: "rtctl check modules crossview stacks text".into(),
        ..Finding::default()
    })
}

/// Whether what is pointed to holds other pointers, and is no function: a member's name begins with
/// that of the structure that has it.
fn is_structure(all: &[Pointer], name: &str) -> bool {
    let member = name.split_once('.');
    member.is_none_or(|(of, _)| all.iter().all(|other| other.name != of))
}

/// Whether data is the kernel's own.
fn is_kernels(owner: &Owner) -> bool {
    owner.name.is_empty() || owner.name == "vmlinux"
}

/// File systems whose superblock is one module's, and their files another's, which builds on the first.
const HALVES: [(&str, &str); 5] = [
    ("fat", "vfat"),
    ("fat", "msdos"),
    ("nfs", "nfsv2"),
    ("nfs", "nfsv3"),
    ("nfs", "nfsv4"),
];

/// Whether a module is one that has this file: its protocol's, or its file system's with those that this
/// is built on; or the one that we are.
fn is_expected(facts: &Facts, path: &str, all: &[Pointer], module: &str) -> bool {
    if path == OURS {
        return module == OURS;
    }
    if let Some((_, protocols)) = OF_PROTOCOLS.iter().find(|(of, _)| *of == path) {
        return module == *protocols;
    }
    if OF_THE_KERNEL.iter().any(|of| path.starts_with(of)) {
        return false;
    }
    let file_system = all.iter().find(|it| it.name == "s_op").map(|it| &it.value);
    file_system.is_some_and(|it| {
        it.kind == Kind::Data
            && !is_kernels(it)
            && (it.name == module
                || facts.said.builds_on(&it.name, module)
                || HALVES.contains(&(it.name.as_str(), module)))
    })
}

#[cfg(test)]
#[path = "pointers_tests.rs"]
mod tests;
