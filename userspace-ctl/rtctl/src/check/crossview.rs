// SPDX-License-Identifier: GPL-2.0-only
//! Check 4: do all the stories about modules agree, and those about sockets?
//!
//! The kernel keeps modules on a list, below an object, and in a tree; it names their
//! addresses, and it tells user space by /proc/modules and /sys/module. Whoever is in
//! one of these and not in another hides, or comes or goes at this moment.

use std::collections::BTreeSet;

use rust_tracer::abi;
use rust_tracer::views::Module;

use super::facts::Facts;
use super::modules::{found, missing};
use super::owners::lives;
use super::report::{Finding, Outcome, Report, count};
use super::said::Listed;
use super::sockets;

/// As a module is before it is announced; /proc/modules leaves such out.
const UNFORMED: u32 = 3;

/// Compares the stories.
pub fn check(facts: &Facts) -> Outcome {
    let modules = facts.modules.get()?;
    let proc = facts.said.modules.get()?;
    let sys = facts.said.objects.get()?;
    let living: Vec<_> = modules.iter().filter(|module| lives(module)).collect();
    let with = |way: u32| living.iter().copied().filter(move |it| it.seen & way != 0);
    let mut findings: Vec<_> = living.iter().copied().filter_map(within).collect();

    let listed = with(abi::RTRACE_SEEN_LIST);
    let names = |all: &BTreeSet<Listed>| -> BTreeSet<String> {
        all.iter().map(|module| module.name.clone()).collect()
    };
    let (told, always) = (names(&proc.ever), names(&proc.always));
    let formed = listed.clone().filter(|module| module.state != UNFORMED);
    for module in formed.filter(|module| !told.contains(&module.name)) {
        let forms = ["the kernel's list of modules", "/proc/modules"];
        let what = "is on the kernel's list of modules, but /proc/modules leaves it out";
        findings.push(finding(module, what, forms));
    }
    // One that comes and goes may have been there before and after, and not in between.
    let known: BTreeSet<&str> = modules.iter().map(|module| &*module.name).collect();
    let odd = always.iter().filter(|name| !known.contains(name.as_str()));
    findings.extend(odd.map(|name| invented(name, "/proc/modules")));
    for module in listed.clone() {
        let other = proc.always.iter().find(|other| {
            other.name == module.name && other.base != 0 && other.base != module.base
        });
        if let Some(other) = other {
            let what = format!(
                "is at {:#x} by /proc/modules, and elsewhere in truth",
                other.base
            );
            let forms = ["the module's structure", "/proc/modules"];
            findings.push(finding(module, &what, forms));
        }
    }

    let objects = with(abi::RTRACE_SEEN_KSET);
    for module in objects.filter(|module| !sys.ever.contains(&module.name)) {
        let forms = [
            "the kernel's objects of modules",
            "/sys/module, read as a directory",
        ];
        let what = "has its object in the kernel, but reading /sys/module leaves it out";
        findings.push(finding(module, what, forms));
    }
    let odd = sys
        .always
        .iter()
        .filter(|name| !known.contains(name.as_str()));
    findings.extend(odd.map(|name| invented(name, "/sys/module")));

    let mut looked = format!(
        "{}: list, objects, tree and names of addresses, {} in /proc/modules, {} in /sys/module",
        count(living.len(), "module"),
        proc.ever.len(),
        sys.ever.len()
    );
    if let Some(sockets) = facts.sockets.known() {
        findings.extend(sockets::findings(sockets));
        looked += &format!("; {} of processes", count(sockets.open, "socket"));
    }
    Ok(Report { looked, findings })
}

/// Whether a module is being put together, and was not announced yet.
fn is_being_made(module: &Module) -> bool {
    const TOLD: u32 = abi::RTRACE_SEEN_CAME | abi::RTRACE_SEEN_AT_LOAD;
    let is_listed = module.seen & abi::RTRACE_SEEN_LIST != 0;
    module.state == UNFORMED && is_listed && module.seen & TOLD == 0
}

/// A module that the kernel's own ways do not agree about.
fn within(module: &Module) -> Option<Finding> {
    let missing = missing(module);
    if missing.is_empty() || is_being_made(module) {
        return None;
    }
    let found = found(module);
    let what = format!(
        "is in {}; but not in {}",
        found.join(", in "),
        missing.join(", nor in ")
    );
    Some(Finding {
        key: format!(
            "crossview {} {:#x} {}",
            module.name, module.structure, module.came
        ),
        ..finding(
            module,
            &what,
            [found.first().copied().unwrap_or("our ledger"), missing[0]],
        )
    })
}

fn finding(module: &Module, what: &str, forms: [&str; 2]) -> Finding {
    let Module {
        name, base, bytes, ..
    } = module;
    let called = match name.as_str() {
        "" => "a module without a name".to_owned(),
        name => format!("the module {name}"),
    };
    Finding {
        // A module of this name that comes again is another one.
        key: format!("crossview {name} {} {}", module.came, forms[1]),
        what: format!("{called} {what}"),
        place: format!("{base:#x}, {bytes} bytes"),
        forms: forms.map(str::to_owned).into(),
        perhaps: "a module that is being loaded or unloaded, and hangs there".into(),
        look: "rtctl check modules text pointers".into(),
        ..Finding::default()
    }
}

fn invented(name: &str, by: &str) -> Finding {
    Finding {
        key: format!("crossview {name} invented by {by}"),
        what: format!("{by} tells of the module {name}, which the kernel does not have there"),
        forms: vec![by.into(), "the kernel's own lists".into()],
        perhaps: "a module that left the list, and whose name is still told elsewhere".into(),
        look: "rtctl check modules text pointers".into(),
        ..Finding::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fact::Told;
    use super::super::modules::tests::{WHOLE, module};
    use super::super::said::Twice;
    use super::*;

    fn listed(name: &str) -> Listed {
        Listed {
            name: name.into(),
            base: 0xffff_ffff_c0a0_0000,
        }
    }

    /// The same before and after.
    fn twice<T: Ord + Clone>(of: impl IntoIterator<Item = T>) -> Told<Twice<BTreeSet<T>>> {
        let all = BTreeSet::from_iter(of);
        Told::Is(Twice::new(&all, &all))
    }

    fn facts(seen: u32) -> Facts {
        let mut facts = Facts {
            modules: Told::Is(vec![module("ext4", WHOLE, 0), module("x", seen, 0)]),
            ..Facts::default()
        };
        facts.said.modules = twice([listed("ext4"), listed("x")]);
        facts.said.objects = twice(["ext4", "x"].map(str::to_owned));
        facts
    }

    fn found(facts: &Facts) -> Vec<String> {
        let findings = check(facts).unwrap().findings;
        findings.into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn stories_that_agree_are_fine() {
        assert_eq!(found(&facts(WHOLE)), [""; 0]);
    }

    #[test]
    fn a_module_that_only_its_text_or_the_tree_tells_of_is_found() {
        let mut facts = facts(abi::RTRACE_SEEN_TREE | abi::RTRACE_SEEN_TEXT);
        facts.said.modules = twice([listed("ext4")]);
        facts.said.objects = twice(["ext4".to_owned()]);
        let found = found(&facts);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("the module x is in the kernel's tree"));
    }

    #[test]
    fn what_reading_leaves_out_or_invents_is_found() {
        let mut left_out = facts(WHOLE);
        left_out.said.modules = twice([listed("ext4")]);
        assert!(found(&left_out)[0].ends_with("/proc/modules leaves it out"));
        let mut left_out = facts(WHOLE);
        left_out.said.objects = twice(["ext4".to_owned()]);
        assert!(found(&left_out)[0].ends_with("reading /sys/module leaves it out"));
        let mut invented = facts(WHOLE);
        invented.said.modules = twice(["ext4", "x", "y"].map(listed));
        assert!(found(&invented)[0].starts_with("/proc/modules tells of the module y"));
    }

    #[test]
    fn a_module_that_comes_and_goes_all_the_time_is_not_invented() {
        let mut facts = facts(WHOLE);
        let went = abi::RTRACE_SEEN_CAME | abi::RTRACE_SEEN_WENT;
        facts.modules = Told::Is(vec![module("ext4", WHOLE, 0), module("x", went, 2)]);
        assert_eq!(found(&facts), [""; 0]);
    }

    #[test]
    fn a_module_that_is_being_made_is_fine_and_one_that_only_says_so_is_not() {
        let being_made = abi::RTRACE_SEEN_LIST | abi::RTRACE_SEEN_TREE | abi::RTRACE_SEEN_TEXT;
        for (told, findings) in [
            (0, 0),
            (abi::RTRACE_SEEN_CAME, 1),
            (abi::RTRACE_SEEN_AT_LOAD, 1),
        ] {
            let mut facts = facts(WHOLE);
            let one = module("x", being_made | told, UNFORMED);
            facts.modules = Told::Is(vec![module("ext4", WHOLE, 0), one]);
            facts.said.modules = twice([listed("ext4")]);
            facts.said.objects = twice(["ext4".to_owned()]);
            assert_eq!(found(&facts).len(), findings, "{told:#x}");
        }
    }

    #[test]
    fn what_comes_or_goes_between_two_readings_contradicts_nobody() {
        let mut facts = facts(WHOLE);
        let (less, more) = ([listed("ext4")], ["ext4", "x", "y"].map(listed));
        facts.said.modules = Told::Is(Twice::new(&less.into(), &more.into()));
        assert_eq!(found(&facts), [""; 0]);
    }

    #[test]
    fn a_module_that_is_not_formed_is_not_expected_in_proc() {
        let mut facts = facts(WHOLE);
        facts.modules = Told::Is(vec![module("ext4", WHOLE, 0), module("x", WHOLE, 3)]);
        facts.said.modules = twice([listed("ext4")]);
        assert_eq!(found(&facts), [""; 0]);
    }

    #[test]
    fn another_address_than_the_structures_is_found() {
        let mut facts = facts(WHOLE);
        let mut other = listed("x");
        other.base += 4096;
        facts.said.modules = twice([listed("ext4"), other]);
        assert!(found(&facts)[0].contains("by /proc/modules"));
        let mut untold = listed("x");
        untold.base = 0;
        facts.said.modules = twice([listed("ext4"), untold]);
        assert_eq!(found(&facts), [""; 0]);
    }
}
