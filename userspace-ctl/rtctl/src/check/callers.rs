// SPDX-License-Identifier: GPL-2.0-only
//! Check 1: does anybody call the kernel from text that nobody owns?
//!
//! Whatever runs in the kernel needs memory, locks, time. The sample counts who calls
//! the functions that give it, and the module says whose the callers are. An owner
//! may have gone since, so the text itself is asked as well: only where a call still
//! stands, and may be executed, somebody is hiding.

use std::collections::BTreeMap;

use rust_tracer::views::{Kind, Owner};

use super::facts::Facts;
use super::owners::answered;
use super::report::{Finding, Outcome, Report, count};

/// Judges the callers.
pub fn check(facts: &Facts) -> Outcome {
    let sample = facts.sample.get()?;
    let mut strangers = BTreeMap::<u64, (&Owner, Vec<&str>, u64)>::new();
    let (mut places, mut calls, mut gone) = (0, 0, 0);
    for (function, address, times) in &sample.callers {
        (places, calls) = (places + 1, calls + *times);
        let Some(owner) = facts.owners.get(address) else {
            continue;
        };
        if answered(owner.kind) {
            continue;
        }
        if !stands(facts, *address) {
            gone += 1;
            continue;
        }
        let one = strangers.entry(*address);
        let (_, functions, all) = one.or_insert((owner, Vec::new(), 0));
        functions.push(function);
        *all += times;
    }
    let findings = strangers.into_values().map(|(owner, functions, times)| {
        let first = functions.first().copied().unwrap_or_default();
        let functions = functions.join(", ");
        Finding {
            key: format!("caller {}", whose(owner)),
            what: format!("{functions} called {times} times from text that nobody answers for"),
            place: facts.place(owner),
            forms: vec![
                "the caller of a traced function".into(),
                "the owner of its address by our ledger, the list and the tree of modules".into(),
                "the text there, which still has the call".into(),
            ],
            perhaps: perhaps(owner.kind).into(),
            look: format!(
                "rtctl -n 'fbt::{first}:entry /caller == {:#x}/ {{ stack(); }}'",
                owner.address
            ),
            certain: true,
            ..Finding::default()
        }
    });
    let findings = merge(findings);
    let functions = count(sample.functions, "function");
    let mut looked =
        format!("{calls} calls of {functions} from {places} places, all with an owner");
    if gone > 0 {
        looked += &format!(" ({gone} whose text has gone since)");
    }
    if !findings.is_empty() {
        looked = format!("{calls} calls of {functions} from {places} places");
    }
    if findings.is_empty() {
        sample.whole()?;
    }
    Ok(Report { looked, findings })
}

/// Whether the text that called is still there.
pub fn stands(facts: &Facts, address: u64) -> bool {
    let code = facts.code.get(&address).copied().unwrap_or_default();
    code.executable && code.call
}

/// What tells one stranger from another: a module's name, or the place.
pub fn whose(owner: &Owner) -> String {
    match owner.name.as_str() {
        "" => format!("{:#x}", owner.address & !0xfff),
        name => name.to_owned(),
    }
}

/// What else a caller of this kind could be.
pub fn perhaps(kind: Kind) -> &'static str {
    match kind {
        Kind::Hidden => "a module whose unloading hangs after it left the list",
        Kind::Gone => "a module that was unloaded while its code still ran: a bug of that module",
        Kind::Init => "memory of the kernel's text for booting, which somebody uses again",
        Kind::Data => "data that is executable: a kernel without write protection",
        _ => "code that is made at run time by a subsystem that the module does not know",
    }
}

/// One finding for all that is one owner's.
pub fn merge(findings: impl Iterator<Item = Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::new();
    for finding in findings {
        if merged.iter().all(|other| other.key != finding.key) {
            merged.push(finding);
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::super::fact::{Code, Told};
    use super::super::facts::tests::owner;
    use super::super::sample::Sample;
    use super::*;

    const AT: u64 = 0xffff_ffff_c0a0_1234;

    fn facts(kind: Kind, code: Code) -> Facts {
        let sample = Sample {
            functions: 3,
            callers: vec![
                ("kfree".into(), AT, 4),
                ("vfs_read".into(), 0x10, 1),
                ("kfree".into(), 0x10, 2),
            ],
            ..Sample::default()
        };
        let mut facts = Facts {
            sample: Told::Is(sample),
            ..Facts::default()
        };
        facts.owners.insert(AT, owner(AT, kind, ""));
        facts.owners.insert(0x10, owner(0x10, Kind::Kernel, ""));
        facts.code.insert(AT, code);
        facts
    }

    const CALLS: Code = Code {
        executable: true,
        call: true,
    };

    #[test]
    fn callers_with_an_owner_are_fine() {
        for kind in [
            Kind::Kernel,
            Kind::Module,
            Kind::Bpf,
            Kind::Kprobe,
            Kind::Ftrace,
        ] {
            let report = check(&facts(kind, Code::default())).unwrap();
            assert_eq!(report.findings, [], "{kind:?}");
            assert_eq!(
                report.looked,
                "7 calls of 3 functions from 3 places, all with an owner"
            );
        }
    }

    #[test]
    fn a_caller_in_text_without_an_owner_is_found_where_the_call_still_stands() {
        for kind in [Kind::None, Kind::Hidden, Kind::Gone, Kind::Init] {
            let report = check(&facts(kind, CALLS)).unwrap();
            assert_eq!(report.findings.len(), 1, "{kind:?}");
            assert!(report.findings[0].what.starts_with("kfree called 4 times"));
            assert!(report.findings[0].certain);
        }
    }

    #[test]
    fn a_caller_whose_text_has_gone_is_none() {
        for code in [
            Code::default(),
            Code {
                executable: true,
                call: false,
            },
        ] {
            let report = check(&facts(Kind::None, code)).unwrap();
            assert_eq!(report.findings, []);
            assert!(report.looked.ends_with("(1 whose text has gone since)"));
        }
    }

    #[test]
    fn a_sample_that_ended_early_is_no_sign_that_all_is_well() {
        let mut facts = facts(Kind::Kernel, CALLS);
        let Told::Is(sample) = &mut facts.sample else {
            panic!("no sample");
        };
        sample.ended = Some("burden".into());
        assert!(check(&facts).unwrap_err().ends_with("has ended: burden"));
    }

    #[test]
    fn without_a_sample_nothing_can_be_said() {
        assert!(check(&Facts::default()).is_err());
    }
}
