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
mod tests {
    use std::collections::BTreeMap;

    use rust_tracer::views::Tracepoint;

    use super::super::fact::Told;
    use super::super::facts::tests::owner;
    use super::*;

    fn pointer(name: &str, kind: Kind, of: &str) -> Pointer {
        Pointer {
            name: name.into(),
            value: owner(0x1000, kind, of),
        }
    }

    fn found(path: &str, pointers: Vec<Pointer>) -> Vec<String> {
        found_with(path, pointers, Told::default())
    }

    /// The same where modules have these users.
    fn found_with(
        path: &str,
        pointers: Vec<Pointer>,
        users: Told<BTreeMap<String, BTreeSet<String>>>,
    ) -> Vec<String> {
        let mut facts = Facts {
            files: Told::Is(vec![(path.into(), pointers)]),
            tracepoints: Told::Is(Vec::new()),
            ..Facts::default()
        };
        facts.said.users = users;
        let findings = check(&facts).unwrap().findings;
        findings.into_iter().map(|finding| finding.what).collect()
    }

    /// A kernel that calls that, by something at 0x9000.
    fn calling(kind: u32, name: &str, func: Owner) -> Facts {
        Facts {
            files: Told::Is(Vec::new()),
            tracepoints: Told::Is(Vec::new()),
            callbacks: Told::Is(vec![Callback {
                name: name.into(),
                at: 0x9000,
                func,
                kind,
            }]),
            ..Facts::default()
        }
    }

    #[test]
    fn the_kernels_own_operations_and_a_file_systems_are_fine() {
        let proc = vec![
            pointer("f_op", Kind::Data, "vmlinux"),
            pointer("f_op.iterate_shared", Kind::Kernel, ""),
            pointer("proc_dir_entry.seq_ops", Kind::Data, "vmlinux"),
        ];
        assert_eq!(found("/proc", proc), [""; 0]);
        let root = vec![
            pointer("f_op", Kind::Data, "ext4"),
            pointer("f_op.iterate_shared", Kind::Module, "ext4"),
            pointer("f_op.read", Kind::Kernel, ""),
            pointer("s_op", Kind::Data, "ext4"),
        ];
        assert_eq!(found("/", root), [""; 0]);
        let protocols = vec![
            pointer("seq_operations", Kind::Data, "ipv6"),
            pointer("seq_operations.show", Kind::Module, "ipv6"),
        ];
        assert_eq!(found("/proc/net/tcp6", protocols), [""; 0]);
    }

    #[test]
    fn a_file_system_may_be_built_on_another_module_and_on_no_other() {
        let root = || {
            vec![
                pointer("f_op", Kind::Data, "nfs"),
                pointer("f_op.iterate_shared", Kind::Module, "nfs"),
                pointer("s_op", Kind::Data, "nfsv4"),
            ]
        };
        assert_eq!(found("/", root()).len(), 2);
        let users = || {
            Told::Is(BTreeMap::from([(
                "nfs".into(),
                ["nfsv4".to_owned()].into(),
            )]))
        };
        assert_eq!(found_with("/", root(), users()), [""; 0]);
        let mut other = root();
        other[1].value.name = "x".into();
        assert_eq!(found_with("/", other, users()).len(), 1);
    }

    #[test]
    fn the_files_of_a_file_system_may_be_those_of_its_other_half() {
        let root = |whole: &str, half: &str| {
            vec![
                pointer("i_op", Kind::Data, half),
                pointer("i_op.lookup", Kind::Module, half),
                pointer("s_op", Kind::Data, whole),
            ]
        };
        assert_eq!(found("/boot", root("fat", "vfat")), [""; 0]);
        assert_eq!(found("/home", root("nfs", "nfsv3")), [""; 0]);
        assert_eq!(found("/boot", root("fat", "x")).len(), 2);
        assert_eq!(found("/boot", root("ext4", "vfat")).len(), 2);
    }

    #[test]
    fn a_replaced_operation_is_found() {
        for (path, kind, of) in [
            ("/proc", Kind::None, ""),
            ("/proc", Kind::Hidden, "x"),
            ("/proc", Kind::Module, "x"),
            ("/proc/net/tcp", Kind::Module, "x"),
            ("/proc/net/tcp6", Kind::Module, "x"),
            ("/", Kind::Module, "x"),
            ("/", Kind::None, ""),
        ] {
            let pointers = vec![
                pointer("f_op", Kind::Data, "vmlinux"),
                pointer("f_op.iterate_shared", kind, of),
                pointer("s_op", Kind::Data, "ext4"),
            ];
            let found = found(path, pointers);
            // On /proc the superblock's would be another's as well.
            let operations = found.iter().filter(|what| what.contains("iterate_shared"));
            assert_eq!(operations.count(), 1, "{path} {kind:?}");
        }
    }

    #[test]
    fn a_whole_table_of_anothers_is_found() {
        for path in ["/", "/proc"] {
            let pointers = vec![
                pointer("f_op", Kind::Data, "x"),
                pointer("f_op.iterate_shared", Kind::Module, "x"),
                pointer("f_op.read", Kind::Kernel, ""),
                pointer("s_op", Kind::Data, "vmlinux"),
            ];
            assert_eq!(found(path, pointers).len(), 2, "{path}");
        }
    }

    #[test]
    fn replaced_structures_are_found() {
        let copy = vec![pointer("seq_operations", Kind::None, "")];
        assert_eq!(
            found("/proc/modules", copy),
            ["seq_operations of /proc/modules is where the kernel has no data"]
        );
        // What single_open() allocates is nobody's in particular: its members tell.
        let allocated = vec![pointer("seq_operations", Kind::Data, "")];
        assert_eq!(found("/proc/self/status", allocated), [""; 0]);
        let module = vec![pointer("f_op", Kind::Data, "x")];
        assert_eq!(
            found("/proc", module),
            ["f_op of /proc is a module's that has nothing to do with it"]
        );
    }

    #[test]
    fn whatever_the_kernel_calls_by_a_pointer_must_be_somebodys() {
        let all = [
            (
                abi::RTRACE_CALLBACK_NOTIFIER,
                "netdev_chain",
                "notifiers netdev_chain",
            ),
            (abi::RTRACE_CALLBACK_THREAD, "worker", "thread worker"),
            (
                abi::RTRACE_CALLBACK_STATIC_CALL,
                "",
                "static call without a name",
            ),
        ];
        for (kind, name, says) in all {
            for (of, findings) in [(Kind::Module, 0), (Kind::Zero, 0), (Kind::Hidden, 1)] {
                let facts = calling(kind, name, owner(0x1000, of, "x"));
                let found = check(&facts).unwrap().findings;
                assert_eq!(found.len(), findings, "{kind} {of:?}");
                assert!(found.iter().all(|one| one.what.contains(says)));
            }
        }
    }

    /// Whether that is found where it is called by the kernel itself.
    fn is_found(kind: u32, name: &str, func: Kind) -> bool {
        let facts = calling(kind, name, owner(0x1000, func, "x"));
        !check(&facts).unwrap().findings.is_empty()
    }

    #[test]
    fn the_kernels_constants_and_own_tables_lead_to_no_module() {
        for kind in [abi::RTRACE_CALLBACK_CONSTANT, abi::RTRACE_CALLBACK_TABLE] {
            for (func, found) in [
                (Kind::Module, true),
                (Kind::Hidden, true),
                (Kind::None, true),
                (Kind::Thunk, false),
            ] {
                assert_eq!(is_found(kind, "softirq_vec", func), found, "{func:?}");
            }
        }
    }

    #[test]
    fn security_modules_are_the_kernels_own() {
        for (symbol, findings) in [
            ("__SCK__lsm_static_call_file_open_0+0x0/0x10", 1),
            ("__SCK__cond_resched+0x0/0x10", 1),
            ("__SCK__tp_func_sched_switch+0x0/0x10", 0),
        ] {
            let func = owner(0x1000, Kind::Module, "x");
            let mut facts = calling(abi::RTRACE_CALLBACK_STATIC_CALL, "", func);
            facts.symbols.insert(0x9000, symbol.into());
            assert_eq!(check(&facts).unwrap().findings.len(), findings, "{symbol}");
        }
    }

    #[test]
    fn some_chains_and_names_of_threads_are_not_for_modules() {
        for (kind, name, found) in [
            (abi::RTRACE_CALLBACK_NOTIFIER, "die_chain", true),
            (
                abi::RTRACE_CALLBACK_NOTIFIER,
                "keyboard_notifier_list",
                true,
            ),
            (abi::RTRACE_CALLBACK_NOTIFIER, "netdev_chain", false),
            (abi::RTRACE_CALLBACK_THREAD, "kworker/0:3", true),
            (abi::RTRACE_CALLBACK_THREAD, "jbd2/vda1-8", false),
        ] {
            assert_eq!(is_found(kind, name, Kind::Module), found, "{name}");
            assert!(!is_found(kind, name, Kind::Kernel), "{name}");
        }
    }

    #[test]
    fn a_tracepoint_that_calls_others_than_those_who_are_registered_is_found() {
        for func in [Kind::Kernel, Kind::Module, Kind::Hidden] {
            assert!(is_found(
                abi::RTRACE_CALLBACK_TRACEPOINT,
                "sched_switch",
                func
            ));
        }
    }

    #[test]
    fn our_own_operations_are_ours_and_nobody_elses() {
        let own = |module: &str| {
            vec![
                pointer("f_op", Kind::Data, OURS),
                pointer("f_op.unlocked_ioctl", Kind::Module, module),
                pointer("s_op", Kind::Data, "vmlinux"),
            ]
        };
        assert_eq!(found(OURS, own(OURS)), [""; 0]);
        assert_eq!(found(OURS, own("x")).len(), 1);
    }

    #[test]
    fn terminals_are_the_kernels_own() {
        for (of, strange) in [
            (Kind::Kernel, false),
            (Kind::Module, true),
            (Kind::None, true),
        ] {
            let callback = Callback {
                name: "n_tty_ops.read".into(),
                at: 0x9000,
                func: owner(0x1000, of, "x"),
                kind: abi::RTRACE_CALLBACK_INPUT,
            };
            assert_eq!(is_strange(&Facts::default(), &callback), strange, "{of:?}");
        }
    }

    #[test]
    fn a_tracepoints_function_must_be_somebodys() {
        let row = |kind, ours| Tracepoint {
            name: "sched_process_fork".into(),
            func: owner(0x1000, kind, ""),
            data: 0,
            ours,
        };
        for (kind, ours, findings) in [
            (Kind::Kernel, false, 0),
            (Kind::Module, false, 0),
            (Kind::Bpf, false, 0),
            (Kind::Hidden, true, 0),
            (Kind::Hidden, false, 1),
            (Kind::None, false, 1),
        ] {
            let facts = Facts {
                files: Told::Is(Vec::new()),
                tracepoints: Told::Is(vec![row(kind, ours)]),
                ..Facts::default()
            };
            let found = check(&facts).unwrap().findings;
            assert_eq!(found.len(), findings, "{kind:?} {ours}");
        }
    }
}
