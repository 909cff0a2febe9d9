// SPDX-License-Identifier: GPL-2.0-only
//! Check 8: does the text of functions agree with what ftrace and kprobes say of it?
//!
//! A function begins with a place for a call, which ftrace writes and keeps a record
//! of. A call there that the record does not know, one that leads where nothing should
//! be, and bytes beside it that changed since this module saw them first, where the
//! kernel patches nothing itself, are of somebody who writes text himself.

use std::collections::BTreeMap;

use rust_tracer::abi;
use rust_tracer::views::{Callback, Kind, Owner, Site};

use super::facts::Facts;
use super::owners::OURS;
use super::patch::{Change, Patch, changes};
use super::report::{Finding, Outcome, Report, count};

/// Bytes of ftrace's place.
const SITE_BYTES: usize = 5;

/// Beyond so many, names would take longer than the rest: numbers are compared.
pub const NAMES_MOST: usize = 4096;

/// Judges the text.
pub fn check(facts: &Facts) -> Outcome {
    let sites = facts.sites.get()?;
    let mut findings: Vec<_> = sites.iter().flat_map(|site| of_site(facts, site)).collect();
    findings.extend(
        facts
            .callbacks(abi::RTRACE_CALLBACK_BRANCH)
            .map(|one| led_out(facts, one)),
    );
    let attached = || {
        sites
            .iter()
            .filter(|it| it.record & abi::RTRACE_REC_ENABLED != 0)
    };
    let mut looked = format!(
        "{} attached to or changed: {} by ftrace's records",
        count(sites.len(), "function"),
        attached().count(),
    );
    if let Some(enabled) = facts.said.enabled.known() {
        let told: usize = enabled.values().sum();
        looked += &format!(", {told} by enabled_functions");
        findings.extend(told_less(facts, &attached().collect::<Vec<_>>(), enabled));
    } else {
        looked += ", not compared with tracefs, which is not there";
    }
    if let (Some(touched), Some(enabled)) = (facts.said.touched.known(), facts.said.enabled.known())
    {
        let mut left_out = enabled.keys().filter(|name| !touched.contains_key(*name));
        if let Some(name) = left_out.next() {
            findings.push(tracefs(
                format!("{name} is in enabled_functions, but not in touched_functions"),
                "touched_functions",
            ));
        }
    }
    Ok(Report { looked, findings })
}

/// Functions that tracefs leaves out.
fn told_less(
    facts: &Facts,
    attached: &[&Site],
    enabled: &BTreeMap<String, usize>,
) -> Option<Finding> {
    let told: usize = enabled.values().sum();
    if attached.len() > NAMES_MOST {
        return (attached.len() > told).then(|| {
            let more = attached.len() - told;
            tracefs(
                format!(
                    "enabled_functions leaves out {more} functions of {}",
                    attached.len()
                ),
                "enabled_functions",
            )
        });
    }
    let mut names = BTreeMap::<&str, usize>::new();
    for site in attached {
        if let Some(name) = facts.function(site.function) {
            *names.entry(name).or_default() += 1;
        }
    }
    // A name that the table of functions has and symbols do not is no proof.
    let mut left_out = names
        .into_iter()
        .filter(|(name, there)| enabled.get(*name).copied().unwrap_or(0) < *there);
    let (name, _) = left_out.next()?;
    let more = match left_out.count() {
        0 => String::new(),
        more => format!(", and {more} others"),
    };
    let finding = tracefs(
        format!("enabled_functions leaves out {name}{more}"),
        "enabled_functions",
    );
    Some(Finding {
        key: format!("tracefs enabled_functions {name}"),
        ..finding
    })
}

/// The kernel's text leads out of it where nothing of the kernel's does that.
fn led_out(facts: &Facts, branch: &Callback) -> Finding {
    Finding {
        key: format!("branch {:#x}", branch.at),
        what: format!(
            "the kernel's text leads out of it at {}, by no means of its own",
            facts.address(branch.at)
        ),
        place: format!("to {}", facts.place(&branch.func)),
        forms: vec![
            "all of the kernel's text, instruction by instruction".into(),
            "ftrace's sites, static calls and kprobes, none of which is there".into(),
        ],
        perhaps:
            "text that is being patched at this moment; a kernel that patches itself in a way \
                  that the module does not know"
                .into(),
        look: format!(
            "rtctl hooks {}; rtctl check text ops",
            facts.function(branch.at).unwrap_or_default()
        ),
        ..Finding::default()
    }
}

fn tracefs(what: String, file: &str) -> Finding {
    Finding {
        key: format!("tracefs {file}"),
        what,
        place: format!("/sys/kernel/tracing/{file}"),
        forms: vec![
            "ftrace's records of functions".into(),
            format!("{file} of tracefs"),
        ],
        perhaps: "a user of ftrace that comes or goes at this moment".into(),
        look: "rtctl hooks; rtctl check pointers stacks".into(),
        ..Finding::default()
    }
}

fn of_site(facts: &Facts, site: &Site) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(wrong) = wrong(facts, site) {
        findings.push(finding(facts, site, &wrong, &facts.place(&site.target)));
    }
    findings.extend(changed(facts, site));
    findings
}

/// What is wrong with what stands at ftrace's place.
fn wrong(facts: &Facts, site: &Site) -> Option<String> {
    let enabled = site.record & abi::RTRACE_REC_ENABLED != 0;
    let direct = site.record & abi::RTRACE_REC_DIRECT != 0;
    match site.site_has {
        abi::RTRACE_SITE_IDLE if enabled && site.users > 0 => {
            Some("is attached to by ftrace's record, but its text calls nobody".into())
        }
        abi::RTRACE_SITE_IDLE => None,
        abi::RTRACE_SITE_CALL | abi::RTRACE_SITE_JUMP => {
            let does = match site.site_has {
                abi::RTRACE_SITE_JUMP => "jumps",
                _ => "calls",
            };
            if !enabled && site.users == 0 {
                return Some(format!(
                    "{does} somebody, of whom ftrace's record does not know"
                ));
            }
            let fine = match site.target.kind {
                Kind::Kernel | Kind::Ftrace => site.site_has == abi::RTRACE_SITE_CALL || direct,
                Kind::Bpf => direct,
                Kind::Module => direct || is_ours(facts, &site.target),
                _ => false,
            };
            (!fine).then(|| format!("{does} what ftrace would not lead to"))
        }
        // A kprobe's, or being patched: then it is another the next time.
        abi::RTRACE_SITE_TRAP if is_kprobe(facts, site.site) => None,
        abi::RTRACE_SITE_TRAP => Some("has a breakpoint where ftrace's call belongs".into()),
        _ => Some("has other code where ftrace's call belongs".into()),
    }
}

/// Whether a target is the tracer's own.
fn is_ours(facts: &Facts, target: &Owner) -> bool {
    match facts.itself.known() {
        Some(itself) => target.address.wrapping_sub(itself.text_base) < itself.text_bytes,
        None => target.name == OURS,
    }
}

fn is_kprobe(facts: &Facts, address: u64) -> bool {
    let mut kprobes = facts.kprobes.known().into_iter().flatten();
    kprobes.any(|kprobe| kprobe.address == address)
}

/// What changed beside the site, and was not changed by the kernel for its own ends (branches by static
/// keys, static calls): the module knows where it does that.
pub fn changes_of(site: &Site) -> Vec<Change> {
    let offset = site.site.wrapping_sub(site.function) as usize;
    let mut first = site.bytes;
    for (at, (byte, was)) in first.iter_mut().zip(site.first).enumerate() {
        if site.changed & (1 << at) != 0 {
            *byte = was;
        }
    }
    changes(site.function, &first, &site.bytes, (offset, SITE_BYTES))
}

fn changed(facts: &Facts, site: &Site) -> Option<Finding> {
    let wrong = changes_of(site)
        .into_iter()
        .find(|change| !explained(facts, site, *change))?;
    let (what, place) = match wrong.patch {
        Patch::Jump(to) => ("jumps away", facts.place(&owner(facts, to))),
        Patch::Call(to) => ("calls somebody else", facts.place(&owner(facts, to))),
        Patch::Trap => ("has a breakpoint that is no kprobe's", String::new()),
        Patch::Nop => ("has a no-op for what it did", String::new()),
        Patch::Other => ("has other code", String::new()),
    };
    let what = format!(
        "{what} {} bytes from its beginning, where it did not before",
        wrong.at
    );
    Some(finding(facts, site, &what, &place))
}

fn owner(facts: &Facts, address: u64) -> Owner {
    let known = facts.owners.get(&address).cloned();
    known.unwrap_or(Owner {
        address,
        ..Owner::default()
    })
}

/// Whether this is a kprobe: a breakpoint, or a jump to a slot of its own.
fn explained(facts: &Facts, site: &Site, change: Change) -> bool {
    let leads_elsewhere = match change.patch {
        Patch::Jump(to) | Patch::Call(to) => facts
            .owners
            .get(&to)
            .is_some_and(|it| it.kind != Kind::Kprobe),
        _ => false,
    };
    !leads_elsewhere && is_kprobe(facts, site.function.wrapping_add(change.at as u64))
}

fn finding(facts: &Facts, site: &Site, what: &str, place: &str) -> Finding {
    let function = facts.address(site.function);
    let bytes: Vec<_> = site
        .bytes
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let place = match place {
        "" => format!("text {}", bytes.join(" ")),
        place => format!("to {place}; text {}", bytes.join(" ")),
    };
    Finding {
        key: format!("site {:#x}", site.function),
        what: format!("{function} {what}"),
        place,
        forms: vec![
            "the function's text".into(),
            "ftrace's record of it, the table of kprobes, and its text when we saw it first".into(),
        ],
        perhaps:
            "text that is being patched at this moment; a kernel that patches itself in a way \
                  that rtctl does not know"
                .into(),
        look: format!(
            "rtctl hooks {}; rtctl check text ops",
            facts.function(site.function).unwrap_or_default()
        ),
        ..Finding::default()
    }
}

#[cfg(test)]
mod tests {
    use rust_tracer::views::Kprobe;

    use super::super::fact::Told;
    use super::super::facts::tests::owner;
    use super::*;

    const FUNCTION: u64 = 0xffff_ffff_8100_0000;

    fn site(has: u32, record: u32, kind: Kind) -> Site {
        let mut bytes = [0x90; 24];
        bytes[..4].copy_from_slice(&[0xf3, 0x0f, 0x1e, 0xfa]);
        Site {
            site: FUNCTION + 4,
            function: FUNCTION,
            target: owner(0x1000, kind, "x"),
            site_has: has,
            record,
            users: u32::from(record & abi::RTRACE_REC_ENABLED != 0),
            changed: 0,
            bytes,
            first: bytes,
        }
    }

    fn facts(site: Site) -> Facts {
        let mut facts = Facts {
            sites: Told::Is(vec![site]),
            kprobes: Told::Is(Vec::new()),
            ..Facts::default()
        };
        facts.symbols.insert(FUNCTION, "vfs_read+0x0/0x40".into());
        facts
    }

    fn found(facts: &Facts) -> Vec<String> {
        let findings = check(facts).unwrap().findings;
        findings.into_iter().map(|finding| finding.what).collect()
    }

    const ENABLED: u32 = abi::RTRACE_REC_ENABLED;
    const DIRECT: u32 = abi::RTRACE_REC_ENABLED | abi::RTRACE_REC_DIRECT;

    #[test]
    fn calls_that_ftrace_knows_of_are_fine() {
        for (has, record, kind) in [
            (abi::RTRACE_SITE_CALL, ENABLED, Kind::Kernel),
            (abi::RTRACE_SITE_CALL, ENABLED, Kind::Ftrace),
            (abi::RTRACE_SITE_CALL, DIRECT, Kind::Bpf),
            (abi::RTRACE_SITE_JUMP, DIRECT, Kind::Bpf),
            (abi::RTRACE_SITE_IDLE, 0, Kind::Zero),
        ] {
            let facts = facts(site(has, record, kind));
            assert_eq!(found(&facts), [""; 0], "{has} {record} {kind:?}");
        }
    }

    #[test]
    fn a_call_that_ftrace_does_not_know_of_or_would_not_make_is_found() {
        for (has, record, kind) in [
            (abi::RTRACE_SITE_CALL, 0, Kind::Kernel),
            (abi::RTRACE_SITE_CALL, 0, Kind::None),
            (abi::RTRACE_SITE_JUMP, 0, Kind::Module),
            (abi::RTRACE_SITE_CALL, ENABLED, Kind::None),
            (abi::RTRACE_SITE_CALL, ENABLED, Kind::Hidden),
            (abi::RTRACE_SITE_CALL, ENABLED, Kind::Module),
            (abi::RTRACE_SITE_CALL, ENABLED, Kind::Bpf),
            (abi::RTRACE_SITE_JUMP, ENABLED, Kind::Ftrace),
            (abi::RTRACE_SITE_TRAP, 0, Kind::Zero),
            (abi::RTRACE_SITE_OTHER, 0, Kind::Zero),
            (abi::RTRACE_SITE_IDLE, ENABLED, Kind::Zero),
        ] {
            let facts = facts(site(has, record, kind));
            assert_eq!(found(&facts).len(), 1, "{has} {record} {kind:?}");
        }
    }

    #[test]
    fn a_kprobe_explains_its_breakpoint() {
        let mut facts = facts(site(abi::RTRACE_SITE_TRAP, 0, Kind::Zero));
        facts.kprobes = Told::Is(vec![Kprobe {
            address: FUNCTION + 4,
            ..Kprobe::default()
        }]);
        assert_eq!(found(&facts), [""; 0]);
    }

    #[test]
    fn the_tracers_own_trampoline_is_known_by_its_place() {
        let mut ours = site(abi::RTRACE_SITE_CALL, ENABLED, Kind::Module);
        ours.target.name = OURS.into();
        let mut facts = facts(ours);
        assert_eq!(found(&facts), [""; 0]);
        facts.itself = Told::Is(rust_tracer::views::Itself {
            text_base: 0x9000,
            text_bytes: 0x1000,
            ..Default::default()
        });
        assert_eq!(found(&facts).len(), 1);
    }

    fn with_jump(at: usize, mask: u32, kprobe: bool, to_its_slot: bool) -> Vec<String> {
        let mut site = site(abi::RTRACE_SITE_IDLE, 0, Kind::Zero);
        site.changed = mask;
        site.first[at..at + 5].copy_from_slice(&[0x0f, 0x1f, 0x44, 0, 0]);
        site.bytes[at..at + 5].copy_from_slice(&[0xe9, 0, 0, 1, 0]);
        let to = FUNCTION + at as u64 + 5 + 0x10000;
        let mut facts = facts(site);
        if kprobe {
            facts.kprobes = Told::Is(vec![Kprobe {
                address: FUNCTION + at as u64,
                ..Kprobe::default()
            }]);
        }
        let kind = if to_its_slot {
            Kind::Kprobe
        } else {
            Kind::Module
        };
        facts.owners.insert(to, owner(to, kind, "x"));
        found(&facts)
    }

    #[test]
    fn what_the_kernel_and_kprobes_change_is_fine_and_all_else_is_found() {
        let all = |at: usize| 0x1f << at;
        // A static key's jump: the module leaves it out.
        assert_eq!(with_jump(12, 0, false, false), [""; 0]);
        assert_eq!(with_jump(12, all(12), true, true), [""; 0]);
        // Where a kprobe is, a jump of another's is none of it.
        for kprobe in [false, true] {
            let found = with_jump(12, all(12), kprobe, false);
            assert!(found[0].contains("jumps away 12 bytes from its beginning"));
        }
        assert_eq!(with_jump(0, all(0) & !(0x1f << 4), false, false).len(), 1);
    }

    #[test]
    fn a_branch_out_of_the_kernels_text_is_found() {
        let mut facts = facts(site(abi::RTRACE_SITE_IDLE, 0, Kind::Zero));
        facts.callbacks = Told::Is(vec![Callback {
            at: FUNCTION,
            func: owner(0x1000, Kind::Module, "x"),
            kind: abi::RTRACE_CALLBACK_BRANCH,
            ..Callback::default()
        }]);
        assert!(
            found(&facts)[0].starts_with("the kernel's text leads out of it at vmlinux`vfs_read")
        );
    }

    #[test]
    fn what_tracefs_leaves_out_is_found() {
        let mut facts = facts(site(abi::RTRACE_SITE_CALL, ENABLED, Kind::Kernel));
        facts.said.enabled = Told::Is(BTreeMap::from([("vfs_read".into(), 1)]));
        facts.said.touched = Told::Is(BTreeMap::from([("vfs_read".into(), 1)]));
        assert_eq!(found(&facts), [""; 0]);
        facts.said.touched = Told::Is(BTreeMap::new());
        assert!(found(&facts)[0].ends_with("not in touched_functions"));
        facts.said.enabled = Told::Is(BTreeMap::new());
        assert_eq!(found(&facts), ["enabled_functions leaves out vfs_read"]);
    }
}
