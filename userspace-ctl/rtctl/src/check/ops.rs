// SPDX-License-Identifier: GPL-2.0-only
//! Check 6: who is called when functions are entered, and may they redirect them?
//!
//! Each user of ftrace has an `ftrace_ops` on ftrace's list, each kprobe an entry in
//! kprobes' table. What they call must be somebody's text; and only live patches and
//! BPF have reason to change where a function goes.

use rust_tracer::views::{Hook, Kind, Kprobe, Ops, Owner};

use super::callers::{merge, whose};
use super::facts::Facts;
use super::owners::{OURS, answered, answered_or_zero, is_livepatch, is_others, lives};
use super::report::{Finding, Outcome, Report, count};
use super::telling;

/// `FTRACE_OPS_FL_ENABLED`: whoever is on the list has it.
const ENABLED: u64 = 1 << 0;
/// `FTRACE_OPS_FL_STUB` and `FTRACE_OPS_FL_PID`: not called, or not for all tasks.
const MUTE: u64 = (1 << 5) | (1 << 13);

/// Judges those who are called.
pub fn check(facts: &Facts) -> Outcome {
    let ops = facts.ops.get()?;
    let kprobes = facts.kprobes.get()?;
    let mut findings: Vec<_> = ops.iter().flat_map(|one| of_ops(facts, one)).collect();
    let hooks = facts.hooks.known().into_iter().flatten();
    findings.extend(hooks.filter_map(|one| directly(facts, ops, one)));
    findings.extend(kprobes.iter().filter_map(|one| of_kprobe(facts, one)));
    findings.extend(telling::findings(facts, ops, kprobes));
    let mut looked = format!(
        "{} ftrace_ops, {} of them ours, and {}",
        ops.len(),
        ops.iter().filter(|one| one.ours).count(),
        count(kprobes.len(), "kprobe"),
    );
    // Without leave to see addresses all of them are 0.
    let listed = facts.said.kprobes.known().filter(|it| !it.contains(&0));
    if listed.is_none() {
        looked += ", not compared with debugfs, which does not tell them";
    }
    if let Some(listed) = listed {
        looked += &format!(", {} in debugfs", listed.len());
        let left_out = kprobes.iter().filter(|one| !listed.contains(&one.address));
        findings.extend(left_out.map(|one| Finding {
            key: format!("kprobe {:#x} left out", one.address),
            what: "a kprobe is in the kernel's table, but not in kprobes/list of debugfs".into(),
            place: format!(
                "at {}; its handler: {}",
                facts.address(one.address),
                facts.place(&one.handler)
            ),
            forms: vec![
                "the kernel's table of kprobes".into(),
                "/sys/kernel/debug/kprobes/list".into(),
            ],
            perhaps: "a kprobe that comes or goes at this moment".into(),
            look: "rtctl hooks".into(),
            ..Finding::default()
        }));
    }
    Ok(Report {
        looked,
        findings: merge(findings.into_iter()),
    })
}

fn of_ops(facts: &Facts, ops: &Ops) -> Vec<Finding> {
    if ops.ours {
        return Vec::from_iter(of_ours(facts, ops));
    }
    let mut findings = Vec::new();
    let parts = [
        ("calls", &ops.func, answered(ops.func.kind)),
        (
            "goes by a trampoline in",
            &ops.trampoline,
            answered_or_zero(ops.trampoline.kind),
        ),
        (
            "lies in",
            &ops.structure,
            !matches!(ops.structure.kind, Kind::Hidden | Kind::Gone),
        ),
    ];
    for (does, owner, fine) in parts {
        if !fine {
            findings.push(finding(
                facts,
                ops,
                owner,
                &format!("an ftrace_ops {does} what nobody answers for"),
                "code of a subsystem that the module does not know",
            ));
        }
    }
    let redirects = ops.redirects();
    if let Some(name) = redirecting_module(ops).filter(|_| redirects) {
        // A live patch's functions are led to by the kernel, and never called directly: only who is none has a
        // callback of his own.
        let own = ops.func.kind == Kind::Module || ops.flags & Ops::DIRECT != 0;
        if own && facts.is_livepatch(name) {
            findings.push(finding(
                facts,
                ops,
                &ops.func,
                &format!("the module {name} says that it is a live patch, and redirects by itself"),
                "a live patch of another kind than the kernel's: ask who installed it",
            ));
        } else if !facts.is_livepatch(name) {
            findings.push(finding(
                facts,
                ops,
                &ops.func,
                &format!("the module {name}, which is no live patch, may redirect functions"),
                "a security module or a live patch of another kind: ask who installed it",
            ));
        }
    }
    let is_patches = facts.function(ops.func.address) == Some(OF_LIVE_PATCHES);
    let modules = facts.modules.known();
    if is_patches && modules.is_some_and(|all| !all.iter().any(|it| lives(it) && is_livepatch(it)))
    {
        findings.push(finding(
            facts,
            ops,
            &ops.structure,
            "functions are redirected as by a live patch, and there is none",
            "a live patch that is being taken away at this moment",
        ));
    }
    findings
}

/// Ours lead into our own text, and ftrace calls whoever is on its list.
fn of_ours(facts: &Facts, ops: &Ops) -> Option<Finding> {
    let is_ours = |part: &Owner| part.kind == Kind::Module && part.name == OURS;
    let has_own = ops.trampoline.kind == Kind::Zero || is_ours(&ops.trampoline);
    let is_called = ops.flags & (ENABLED | MUTE) == ENABLED;
    let (part, what) = match (is_ours(&ops.func), has_own, is_called) {
        (false, ..) => (&ops.func, "an ftrace_ops of ours leads to what is not ours"),
        (_, false, _) => (
            &ops.trampoline,
            "an ftrace_ops of ours leads to what is not ours",
        ),
        (.., false) => (
            &ops.func,
            "an ftrace_ops of ours is marked as one that is not to be called",
        ),
        _ => return None,
    };
    let perhaps = "there is no other explanation";
    Some(finding(facts, ops, part, what, perhaps))
}

/// Whom the kernel has called for all live patches.
const OF_LIVE_PATCHES: &str = "klp_ftrace_handler";

/// What is called in a function's place.
fn directly(facts: &Facts, ops: &[Ops], hook: &Hook) -> Option<Finding> {
    let owner = &hook.direct;
    let what = match owner.kind {
        Kind::Module if owner.name == OURS => return None,
        Kind::Module => format!(
            "the module {} is called in the place of functions",
            owner.name
        ),
        kind if answered_or_zero(kind) => return None,
        _ => "what nobody answers for is called in the place of functions".into(),
    };
    let ops = ops.iter().find(|ops| ops.ops == hook.ops)?;
    let perhaps = "a security module or a live patch of another kind: ask who installed it";
    Some(finding(facts, ops, owner, &what, perhaps))
}

/// The module that redirects by an ops, unless it is the kernel itself for a live patch or BPF.
fn redirecting_module(ops: &Ops) -> Option<&String> {
    let owners = [&ops.func, &ops.structure];
    let of_module =
        |owner: &&Owner| is_others(owner) || (owner.kind == Kind::Hidden && !owner.name.is_empty());
    let owner = owners.into_iter().find(of_module)?;
    Some(&owner.name)
}

fn finding(facts: &Facts, ops: &Ops, owner: &Owner, what: &str, perhaps: &str) -> Finding {
    let functions = match ops.functions {
        0 => "all functions, or none by name".to_owned(),
        some => count(some as usize, "function"),
    };
    let redirects = match (ops.flags & Ops::IPMODIFY != 0, ops.flags & Ops::DIRECT != 0) {
        (true, _) => "; it may redirect them (IPMODIFY)",
        (_, true) => "; it is called in their place (DIRECT)",
        _ => "",
    };
    Finding {
        key: format!("ops {what} {}", whose(owner)),
        what: what.into(),
        place: format!("{}; {functions}{redirects}", facts.place(owner)),
        forms: vec![
            "ftrace's list of ftrace_ops".into(),
            "the owner by our ledger, the list and the tree of modules".into(),
        ],
        perhaps: perhaps.into(),
        look: "rtctl hooks; cat /sys/kernel/tracing/enabled_functions".into(),
        ..Finding::default()
    }
}

fn of_kprobe(facts: &Facts, kprobe: &Kprobe) -> Option<Finding> {
    let hidden = matches!(kprobe.structure.kind, Kind::Hidden | Kind::Gone);
    if answered_or_zero(kprobe.handler.kind) && !hidden {
        return None;
    }
    let of = if hidden {
        &kprobe.structure
    } else {
        &kprobe.handler
    };
    Some(Finding {
        key: format!("kprobe {:#x}", kprobe.address),
        what: format!(
            "a kprobe at {} calls what nobody answers for",
            facts.address(kprobe.address)
        ),
        place: facts.place(of),
        forms: vec![
            "the kernel's table of kprobes".into(),
            "the owner by our ledger, the list and the tree of modules".into(),
        ],
        perhaps: "a kprobe of a module that went without taking it away".into(),
        look: "rtctl hooks; cat /sys/kernel/debug/kprobes/list".into(),
        ..Finding::default()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::fact::Told;
    use super::super::facts::tests::owner;
    use super::super::modules::tests::{WHOLE, module};
    use super::*;

    fn ops(kind: Kind, name: &str, flags: u64) -> Ops {
        Ops {
            ops: 0x5000,
            flags,
            functions: 2,
            func: owner(0x1000, kind, name),
            trampoline: owner(0, Kind::Zero, ""),
            structure: owner(0x5000, Kind::Data, name),
            ours: false,
        }
    }

    fn findings(ops: Ops) -> Vec<String> {
        let mut patch = module("patch", WHOLE, 0);
        patch.taints = 1 << 15;
        let facts = Facts {
            ops: Told::Is(vec![ops]),
            kprobes: Told::Is(Vec::new()),
            modules: Told::Is(vec![patch, module("x", WHOLE, 0)]),
            ..Facts::default()
        };
        let findings = check(&facts).unwrap().findings;
        findings.into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn tracers_live_patches_and_bpf_are_fine() {
        assert_eq!(findings(ops(Kind::Kernel, "", 0)), [""; 0]);
        assert_eq!(findings(ops(Kind::Kernel, "", Ops::IPMODIFY)), [""; 0]);
        assert_eq!(findings(ops(Kind::Kernel, "", Ops::DIRECT)), [""; 0]);
        assert_eq!(findings(ops(Kind::Module, "x", 0)), [""; 0]);
    }

    #[test]
    fn a_live_patch_redirects_by_the_kernels_callback() {
        let mut patch = ops(Kind::Kernel, "", Ops::IPMODIFY);
        patch.structure = owner(0x5000, Kind::Data, "patch");
        assert_eq!(findings(patch), [""; 0]);
        assert_eq!(
            findings(ops(Kind::Module, "patch", Ops::IPMODIFY)),
            ["the module patch says that it is a live patch, and redirects by itself"]
        );
    }

    #[test]
    fn the_kernels_callback_for_live_patches_without_any_is_found() {
        for (taints, expected) in [(1 << 15, 0), (0, 1)] {
            let mut one = module("x", WHOLE, 0);
            one.taints = taints;
            let mut facts = Facts {
                ops: Told::Is(vec![ops(Kind::Kernel, "", Ops::IPMODIFY)]),
                kprobes: Told::Is(Vec::new()),
                modules: Told::Is(vec![one]),
                ..Facts::default()
            };
            facts
                .symbols
                .insert(0x1000, "klp_ftrace_handler+0x0/0x90".into());
            assert_eq!(check(&facts).unwrap().findings.len(), expected);
        }
    }

    #[test]
    fn a_module_that_redirects_functions_is_found() {
        for flags in [Ops::IPMODIFY, Ops::DIRECT] {
            let found = findings(ops(Kind::Module, "x", flags));
            assert_eq!(
                found,
                ["the module x, which is no live patch, may redirect functions"]
            );
        }
    }

    #[test]
    fn a_callback_or_trampoline_that_nobody_owns_is_found() {
        for kind in [Kind::None, Kind::Hidden, Kind::Gone] {
            assert_eq!(findings(ops(kind, "", 0)).len(), 1, "{kind:?}");
            let mut other = ops(Kind::Kernel, "", 0);
            other.trampoline = owner(0x2000, kind, "");
            assert_eq!(findings(other).len(), 1, "{kind:?}");
        }
        let mut heap = ops(Kind::Kernel, "", 0);
        heap.structure = owner(0x2000, Kind::None, "");
        assert_eq!(findings(heap), [""; 0]);
    }

    #[test]
    fn what_is_called_in_functions_places_is_judged_by_each_function() {
        for (kind, name, findings) in [
            (Kind::Zero, "", 0),
            (Kind::Bpf, "bpf_trampoline_1", 0),
            (Kind::Module, OURS, 0),
            (Kind::Module, "x", 1),
            (Kind::Hidden, "x", 1),
            (Kind::None, "", 1),
        ] {
            let hook = Hook {
                ops: 0x5000,
                site: 0x7004,
                direct: owner(0x1001, kind, name),
            };
            let facts = Facts {
                ops: Told::Is(vec![ops(Kind::Kernel, "", Ops::DIRECT)]),
                // Of several functions of one ops there is one finding.
                hooks: Told::Is(vec![hook.clone(), hook]),
                kprobes: Told::Is(Vec::new()),
                ..Facts::default()
            };
            let found = check(&facts).unwrap().findings;
            assert_eq!(found.len(), findings, "{kind:?} {name}");
        }
    }

    #[test]
    fn ours_are_no_strangers() {
        let all = [
            (Kind::Module, OURS, 0),
            (Kind::Kernel, "vmlinux", 1),
            (Kind::Module, "x", 1),
            (Kind::None, "", 1),
        ];
        for (kind, module, found) in all {
            let mut ours = ops(kind, module, ENABLED);
            ours.ours = true;
            assert_eq!(findings(ours.clone()).len(), found, "{kind:?} {module}");
            ours.trampoline = std::mem::replace(&mut ours.func, owner(0x1000, Kind::Module, OURS));
            assert_eq!(findings(ours).len(), found, "{kind:?} {module}");
        }
    }

    #[test]
    fn ours_are_called() {
        for (flags, found) in [(ENABLED, 0), (0, 1), (ENABLED | (1 << 5), 1)] {
            let mut ours = ops(Kind::Module, OURS, flags);
            ours.ours = true;
            assert_eq!(findings(ours).len(), found, "{flags:#x}");
        }
    }

    fn of_kprobe(kind: Kind, listed: &[u64]) -> Vec<String> {
        let kprobe = Kprobe {
            address: 0x7000,
            handler: owner(0x1000, kind, ""),
            structure: owner(0x2000, Kind::Data, ""),
            ..Kprobe::default()
        };
        let mut facts = Facts {
            ops: Told::Is(Vec::new()),
            kprobes: Told::Is(vec![kprobe]),
            ..Facts::default()
        };
        facts.said.kprobes = Told::Is(BTreeSet::from_iter(listed.iter().copied()));
        let findings = check(&facts).unwrap().findings;
        findings.into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn a_kprobe_must_be_listed_and_lead_to_somebodys_text() {
        assert_eq!(of_kprobe(Kind::Kernel, &[0x7000]), [""; 0]);
        assert_eq!(of_kprobe(Kind::Zero, &[0x7000]), [""; 0]);
        assert!(of_kprobe(Kind::Hidden, &[0x7000])[0].contains("nobody answers for"));
        assert!(of_kprobe(Kind::Kernel, &[])[0].contains("not in kprobes/list"));
        // Whoever may not see addresses is told none.
        assert_eq!(of_kprobe(Kind::Kernel, &[0]), [""; 0]);
    }
}
