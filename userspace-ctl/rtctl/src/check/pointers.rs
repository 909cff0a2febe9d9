// SPDX-License-Identifier: GPL-2.0-only
//! Check 10: do the operations of files that tell of modules, processes and sockets,
//! and the functions of tracepoints, lead to where they should?

use std::collections::BTreeSet;

use rust_tracer::views::{Kind, Owner, Pointer};

use super::callers::merge;
use super::facts::{Facts, answered};
use super::report::{Finding, Outcome, Report, count};

/// Files whose operations are of the kernel itself and of no module, by how their paths begin.
const OF_THE_KERNEL: [&str; 3] = ["/proc", "/sys", "/dev/kmsg"];

/// But for protocols that may be modules; of these the first two are not.
const OF_PROTOCOLS: &str = "/proc/net/";
const BUILT_IN: [&str; 2] = ["/proc/net/tcp", "/proc/net/udp"];

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
        certain: false,
    });
    let findings = merge(of_files.chain(of_tracepoints));
    let pointers: usize = files.iter().map(|(_, pointers)| pointers.len()).sum();
    let names: BTreeSet<&str> = tracepoints.iter().map(|it| &*it.name).collect();
    let looked = format!(
        "{} of {}; {} of {}",
        count(pointers, "pointer"),
        count(files.len(), "file"),
        count(tracepoints.len(), "function"),
        count(names.len(), "tracepoint"),
    );
    Ok(Report { looked, findings })
}

fn of_file(facts: &Facts, path: &str, all: &[Pointer], pointer: &Pointer) -> Option<Finding> {
    let Pointer { name, value } = pointer;
    let is_structure = is_structure(all, name);
    let core = OF_THE_KERNEL.iter().any(|of| path.starts_with(of))
        && (!path.starts_with(OF_PROTOCOLS) || BUILT_IN.contains(&path));
    let wrong = match value.kind {
        Kind::Zero | Kind::Kernel => return None,
        Kind::Data if is_structure && (!core || of_kernel(value)) => return None,
        Kind::Module if !core && same_module(all, value) => return None,
        Kind::Data if is_structure => "is a module's",
        Kind::Module if core => "leads into a module, where the kernel's own belongs",
        Kind::Module => "leads into another module than the file's own",
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
        certain: false,
    })
}

/// Whether what is pointed to holds other pointers, and is no function: a member's name begins with
/// that of the structure that has it.
fn is_structure(all: &[Pointer], name: &str) -> bool {
    let member = name.split_once('.');
    member.is_none_or(|(of, _)| all.iter().all(|other| other.name != of))
}

/// Whether data is the kernel's own.
fn of_kernel(owner: &Owner) -> bool {
    owner.name.is_empty() || owner.name == "vmlinux"
}

/// Whether the structure that holds a pointer belongs to the module that it leads into.
fn same_module(all: &[Pointer], value: &Owner) -> bool {
    let mut structures = all.iter().filter(|it| is_structure(all, &it.name));
    structures.any(|it| it.value.kind == Kind::Data && it.value.name == value.name)
}

#[cfg(test)]
mod tests {
    use rust_tracer::views::Tracepoint;

    use super::super::facts::Told;
    use super::super::facts::tests::owner;
    use super::*;

    fn pointer(name: &str, kind: Kind, of: &str) -> Pointer {
        Pointer {
            name: name.into(),
            value: owner(0x1000, kind, of),
        }
    }

    fn found(path: &str, pointers: Vec<Pointer>) -> Vec<String> {
        let facts = Facts {
            files: Told::Is(vec![(path.into(), pointers)]),
            tracepoints: Told::Is(Vec::new()),
            ..Facts::default()
        };
        let findings = check(&facts).unwrap().findings;
        findings.into_iter().map(|finding| finding.what).collect()
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
        ];
        assert_eq!(found("/", root), [""; 0]);
    }

    #[test]
    fn a_replaced_operation_is_found() {
        for (path, kind, of) in [
            ("/proc", Kind::None, ""),
            ("/proc", Kind::Hidden, "x"),
            ("/proc", Kind::Module, "x"),
            ("/proc/net/tcp", Kind::Module, "x"),
            ("/", Kind::Module, "x"),
            ("/", Kind::None, ""),
        ] {
            let pointers = vec![
                pointer("f_op", Kind::Data, "vmlinux"),
                pointer("f_op.iterate_shared", kind, of),
            ];
            assert_eq!(found(path, pointers).len(), 1, "{path} {kind:?}");
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
        assert_eq!(found("/proc", module), ["f_op of /proc is a module's"]);
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
