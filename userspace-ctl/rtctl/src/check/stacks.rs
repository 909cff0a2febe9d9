// SPDX-License-Identifier: GPL-2.0-only
//! Check 2: do stacks lead through text that nobody owns?
//!
//! Who changes a function by ftrace can have it entered with an innocent caller. But
//! whatever the function calls in turn has the hook among its frames.

use rust_tracer::abi;
use rust_tracer::views::{Callback, Kind, Owner};

use super::callers::{merge, perhaps, stands, whose};
use super::facts::Facts;
use super::owners::{OURS, answered};
use super::report::{Finding, Outcome, Report};
use super::telling::SHOWN_BY;

/// Judges the stacks.
pub fn check(facts: &Facts) -> Outcome {
    let sample = facts.sample.get();
    let mut strangers = Vec::new();
    let (mut all, mut frames, mut different) = (0, 0, 0);
    for (stack, times) in sample.iter().flat_map(|sample| &sample.stacks) {
        different += 1;
        all += *times;
        frames += stack.len();
        for (at, frame) in stack.iter().enumerate() {
            let owner = facts.owners.get(frame);
            let strange = owner.filter(|owner| !answered(owner.kind) && stands(facts, *frame));
            let Some(owner) = strange else { continue };
            let below = at.checked_sub(1).and_then(|at| stack.get(at));
            let called = below.map_or("the traced function".into(), |at| facts.address(*at));
            strangers.push(Finding {
                key: format!("frame {}", whose(owner)),
                what: format!("a stack leads through text that nobody answers for, to {called}"),
                place: facts.place(owner),
                forms: vec![
                    "the stack of a traced call, unwound by the kernel's own tables".into(),
                    "the owner of the frame by our ledger, the list and the tree of modules".into(),
                    "the text there, which still has the call".into(),
                ],
                perhaps: perhaps(owner.kind).into(),
                look: "rtctl hooks; rtctl check text ops sites".into(),
                certain: true,
                ..Finding::default()
            });
        }
        strangers.extend(stack.windows(2).filter_map(|pair| between(facts, pair)));
    }
    let sleepers = facts.callbacks(abi::RTRACE_CALLBACK_STACK);
    let sleepers =
        sleepers.filter(|one| !answered(one.func.kind) && stands(facts, one.func.address));
    strangers.extend(sleepers.map(|one| sleeper(facts, one)));
    let findings = merge(strangers.into_iter());
    let all_of = if findings.is_empty() {
        ", all frames with an owner"
    } else {
        ""
    };
    let looked = format!("{all} stacks, {different} of them different, {frames} frames{all_of}");
    // Who sleeps is seen without a sample.
    if findings.is_empty() {
        sample?.whole()?;
    }
    Ok(Report { looked, findings })
}

/// How functions begin by whose names none but the kernel itself calls them: those of system calls.
const OF_SYSTEM_CALLS: [&str; 4] = ["__x64_sys_", "__ia32_sys_", "__se_sys_", "__do_sys_"];

/// Others that only it calls, by tables of its own or in its entry.
const OTHERS: [&str; 2] = ["dev_seq_show", "do_syscall_64"];

/// A module that has put itself between the kernel and such a function, whose frame is the first of the
/// two.
fn between(facts: &Facts, pair: &[u64]) -> Option<Finding> {
    let [called, caller] = pair else { return None };
    let owner = facts.owners.get(caller)?;
    if owner.kind != Kind::Module || owner.name == OURS || facts.is_livepatch(&owner.name) {
        return None;
    }
    let is_kernels = |owner: &Owner| owner.kind == Kind::Kernel;
    if !facts.owners.get(called).is_some_and(is_kernels) {
        return None;
    }
    let name = facts.function(*called)?;
    let is_system_calls = OF_SYSTEM_CALLS.iter().any(|of| name.starts_with(of));
    (is_system_calls || SHOWN_BY.contains(&name) || OTHERS.contains(&name)).then(|| Finding {
        key: format!("between {} {name}", owner.name),
        what: format!(
            "the module {} stands between the kernel and {name}, which no module calls",
            owner.name
        ),
        place: facts.place(owner),
        forms: vec![
            "the stack of a traced call, unwound by the kernel's own tables".into(),
            "the owner of the frame by our ledger, the list and the tree of modules".into(),
        ],
        perhaps: "a security module that redirects functions: ask who installed it".into(),
        look: format!("rtctl hooks {name}; rtctl check ops pointers sites"),
        certain: true,
        ..Finding::default()
    })
}

/// Who sleeps in what was called from there.
fn sleeper(facts: &Facts, one: &Callback) -> Finding {
    Finding {
        key: format!("sleeper {}", whose(&one.func)),
        what: format!(
            "{} sleeps, called from text that nobody answers for",
            one.name
        ),
        place: format!("{}; the task is at {:#x}", facts.place(&one.func), one.at),
        forms: vec![
            "the words on the stack of a task that sleeps".into(),
            "the owner of the address by our ledger, the list and the tree of modules".into(),
            "the text there, which still has the call".into(),
        ],
        perhaps: perhaps(one.func.kind).into(),
        look: "rtctl check text tasks pointers".into(),
        ..Finding::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fact::{Code, Told};
    use super::super::facts::tests::owner;
    use super::super::sample::Sample;
    use super::*;

    fn facts(kind: Kind) -> Facts {
        let mut facts = Facts {
            sample: Told::Is(Sample {
                stacks: vec![(vec![0x10, 0x20, 0x30], 5), (vec![0x10, 0x30], 2)],
                ..Sample::default()
            }),
            ..Facts::default()
        };
        for (at, kind) in [(0x10, Kind::Kernel), (0x20, kind), (0x30, Kind::Kernel)] {
            facts.owners.insert(at, owner(at, kind, ""));
        }
        let code = Code {
            executable: true,
            call: true,
        };
        facts.code.insert(0x20, code);
        facts.symbols.insert(0x10, "iterate_dir+0x40/0x100".into());
        facts
    }

    #[test]
    fn stacks_through_text_with_an_owner_are_fine() {
        let report = check(&facts(Kind::Bpf)).unwrap();
        assert_eq!(report.findings, []);
        assert_eq!(
            report.looked,
            "7 stacks, 2 of them different, 5 frames, all frames with an owner"
        );
    }

    #[test]
    fn a_module_between_the_kernel_and_a_system_call_is_told() {
        for (name, module, found) in [
            ("__x64_sys_kill", "x", 1),
            ("tcp4_seq_show", "x", 1),
            ("vfs_read", "x", 0),
            ("__x64_sys_kill", OURS, 0),
        ] {
            let mut facts = facts(Kind::Kernel);
            facts.symbols.insert(0x10, format!("{name}+0x40/0x100"));
            facts.owners.insert(0x20, owner(0x20, Kind::Module, module));
            let findings = check(&facts).unwrap().findings;
            assert_eq!(findings.len(), found, "{name} {module}");
        }
    }

    #[test]
    fn a_task_that_sleeps_below_such_text_is_told() {
        let mut facts = facts(Kind::Kernel);
        facts.callbacks = Told::Is(vec![Callback {
            name: "worker".into(),
            at: 0x9000,
            func: owner(0x20, Kind::None, ""),
            kind: abi::RTRACE_CALLBACK_STACK,
        }]);
        let found = check(&facts).unwrap().findings;
        assert_eq!(found.len(), 1);
        assert!(found[0].what.starts_with("worker sleeps"));
        // A word that only looks like it.
        facts.code.clear();
        assert_eq!(check(&facts).unwrap().findings, []);
    }

    #[test]
    fn a_frame_that_nobody_owns_is_told_with_what_it_called() {
        let report = check(&facts(Kind::None)).unwrap();
        assert_eq!(report.findings.len(), 1);
        let finding = &report.findings[0];
        assert!(finding.what.ends_with("to vmlinux`iterate_dir+0x40 (0x10)"));
        assert!(finding.place.contains("no module owns this text"));
    }
}
