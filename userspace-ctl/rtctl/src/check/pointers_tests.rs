// SPDX-License-Identifier: GPL-2.0-only
//! Which pointers of open files are findings, and which are not.

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
