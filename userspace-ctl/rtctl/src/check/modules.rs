// SPDX-License-Identifier: GPL-2.0-only
//! Check 3: is every module that came and has not gone where modules are?
//!
//! The ledger is written by the kernel's own announcements, from the tracer's loading
//! on. Who takes himself off the lists later is still in it.

use rust_tracer::abi;
use rust_tracer::views::Module;

use super::facts::Facts;
use super::owners::lives;
use super::report::{Finding, Outcome, Report, count};

/// How a module is known, one after the other, and what it is missing from.
const WAYS: [(u32, &str); 4] = [
    (abi::RTRACE_SEEN_LIST, "the kernel's list of modules"),
    (
        abi::RTRACE_SEEN_KSET,
        "/sys/module, by the kernel's own objects",
    ),
    (
        abi::RTRACE_SEEN_TREE,
        "the kernel's tree of modules' addresses",
    ),
    (abi::RTRACE_SEEN_RESOLVES, "what names addresses"),
];

/// Coming: as a module is while it is initialised.
const COMING: u32 = 1;
/// Going: as it is from when it is given up on.
const GOING: u32 = 2;
/// Unformed: as it is before it was announced.
const UNFORMED: u32 = 3;

/// TAINT_FORCED_RMMOD: a module was unloaded that was held.
const BY_FORCE: u64 = 1 << 1;

/// Judges the ledger.
pub fn check(facts: &Facts) -> Outcome {
    let modules = facts.modules.get()?;
    let told =
        |module: &&Module| module.seen & (abi::RTRACE_SEEN_CAME | abi::RTRACE_SEEN_AT_LOAD) != 0;
    let known: Vec<_> = modules.iter().filter(told).collect();
    let living = known.iter().copied().filter(|module| lives(module));
    let findings = living.clone().filter_map(|it| finding(facts, it)).collect();
    let came = known
        .iter()
        .filter(|it| it.seen & abi::RTRACE_SEEN_CAME != 0);
    let went = known.iter().filter(|module| !lives(module));
    let looked = format!(
        "{} in our ledger, {} came since we did, {} went; all others are where modules are",
        count(known.len(), "module"),
        came.count(),
        went.count()
    );
    Ok(Report { looked, findings })
}

/// What a module says of itself by its state, and cannot be.
fn lie(facts: &Facts, module: &Module) -> Option<&'static str> {
    let is = |seen: u32| module.seen & seen != 0;
    let by_force = || {
        facts
            .itself
            .known()
            .is_some_and(|it| it.taints & BY_FORCE != 0)
    };
    match module.state {
        UNFORMED => Some("says of itself that it is not formed yet"),
        COMING if is(abi::RTRACE_SEEN_LIVED) => {
            Some("says of itself that it is being initialised, which is over")
        }
        // One whose initialisation failed goes as well, and is let go of at the end.
        GOING if is(abi::RTRACE_SEEN_LIVED) && is(abi::RTRACE_SEEN_HELD) && !by_force() => {
            Some("says of itself that it goes, and has not been let go of")
        }
        _ => None,
    }
}

fn finding(facts: &Facts, module: &Module) -> Option<Finding> {
    let missing = missing(module);
    let lie = lie(facts, module);
    let grew = module.seen & abi::RTRACE_SEEN_GREW != 0;
    let cleaned = module.seen & abi::RTRACE_SEEN_CLEANED != 0;
    if missing.is_empty() && lie.is_none() && !grew && !cleaned {
        return None;
    }
    let Module {
        name, base, bytes, ..
    } = module;
    let mut wrong = Vec::new();
    if !missing.is_empty() {
        wrong.push(format!("is missing from {}", missing.join(", from ")));
    }
    wrong.extend(lie.map(str::to_owned));
    if grew {
        wrong.push("has more text than it came with".into());
    }
    if cleaned {
        wrong.push("has lost marks of what taints the kernel".into());
    }
    // It is announced while it is on the list, both when it comes and when it goes.
    let certain =
        module.seen & abi::RTRACE_SEEN_CAME != 0 && module.seen & abi::RTRACE_SEEN_LIST == 0;
    let how = match module.seen & abi::RTRACE_SEEN_CAME != 0 {
        true => "came, and was announced; nobody announced that it went",
        false => "was there when we were loaded; nobody announced that it went",
    };
    let text = match module.seen & abi::RTRACE_SEEN_TEXT != 0 {
        true => "its text is mapped and executable",
        false => "its text is not mapped any more",
    };
    Some(Finding {
        // One of this name that comes again is another one.
        key: format!("module {name} {}", module.came),
        what: format!("the module {name} {how}; but it {}", wrong.join(", and ")),
        place: format!("{base:#x}, {bytes} bytes; {text}"),
        forms: [
            "our ledger, by the kernel's announcements".to_owned(),
            "the lists that modules are on".to_owned(),
        ]
        .into(),
        perhaps: "a module whose loading or unloading hangs; one that was removed by force".into(),
        look: format!("rtctl check crossview text; rtctl -n 'fbt:{name}::entry'"),
        certain,
        ..Finding::default()
    })
}

/// Where a module is not.
pub fn missing(module: &Module) -> Vec<&'static str> {
    let ways = WAYS.into_iter();
    ways.filter(|(way, _)| module.seen & way == 0)
        .map(|(_, name)| name)
        .collect()
}

/// Where it is.
pub fn found(module: &Module) -> Vec<&'static str> {
    let ways = WAYS.into_iter();
    let mut found: Vec<_> = ways
        .filter(|(way, _)| module.seen & way != 0)
        .map(|(_, name)| name)
        .collect();
    if module.seen & abi::RTRACE_SEEN_TEXT != 0 {
        found.push("executable memory");
    }
    found
}

#[cfg(test)]
pub(crate) mod tests {
    use rust_tracer::views::Itself;

    use super::super::fact::Told;
    use super::*;

    /// All that a module in its life is.
    pub(crate) const WHOLE: u32 = abi::RTRACE_SEEN_LIST
        | abi::RTRACE_SEEN_KSET
        | abi::RTRACE_SEEN_TREE
        | abi::RTRACE_SEEN_RESOLVES
        | abi::RTRACE_SEEN_LIVE
        | abi::RTRACE_SEEN_TEXT;

    pub(crate) fn module(name: &str, seen: u32, state: u32) -> Module {
        Module {
            name: name.into(),
            base: 0xffff_ffff_c0a0_0000,
            bytes: 4096,
            seen,
            state,
            ..Module::default()
        }
    }

    fn findings(seen: u32, state: u32) -> Vec<Finding> {
        let rows = vec![
            module("ext4", WHOLE | abi::RTRACE_SEEN_AT_LOAD, 0),
            module("x", seen, state),
        ];
        let facts = Facts {
            modules: Told::Is(rows),
            ..Facts::default()
        };
        check(&facts).unwrap().findings
    }

    const CAME: u32 = WHOLE | abi::RTRACE_SEEN_CAME;

    #[test]
    fn a_module_in_its_life_and_one_that_went_are_fine() {
        assert_eq!(findings(CAME, 0), []);
        let went = abi::RTRACE_SEEN_CAME | abi::RTRACE_SEEN_WENT;
        assert_eq!(findings(went, 2), []);
    }

    #[test]
    fn a_module_that_left_any_of_the_lists_is_found() {
        for way in [
            abi::RTRACE_SEEN_LIST,
            abi::RTRACE_SEEN_KSET,
            abi::RTRACE_SEEN_TREE,
            abi::RTRACE_SEEN_RESOLVES,
        ] {
            let found = findings(CAME & !way, 0);
            assert_eq!(found.len(), 1, "{way}");
            assert_eq!(found[0].key, "module x 0");
        }
    }

    #[test]
    fn a_module_that_says_it_is_not_formed_is_found() {
        let found = findings(CAME & !abi::RTRACE_SEEN_LIVE, 3);
        assert!(
            found[0]
                .what
                .ends_with("says of itself that it is not formed yet")
        );
    }

    #[test]
    fn a_module_that_says_it_comes_or_goes_and_does_not_is_found() {
        let (lived, held) = (abi::RTRACE_SEEN_LIVED, abi::RTRACE_SEEN_HELD);
        let seen = CAME & !abi::RTRACE_SEEN_LIVE;
        for (more, state, expected) in [
            (0, COMING, 0),
            (held, COMING, 0),
            (lived | held, COMING, 1),
            // Its initialisation failed.
            (held, GOING, 0),
            // It is being unloaded.
            (lived, GOING, 0),
            (lived | held, GOING, 1),
        ] {
            let found = findings(seen | more, state);
            assert_eq!(found.len(), expected, "{more:#x} {state}");
        }
    }

    #[test]
    fn a_module_that_is_unloaded_by_force_is_held_while_it_goes() {
        let seen = CAME | abi::RTRACE_SEEN_LIVED | abi::RTRACE_SEEN_HELD;
        for (taints, expected) in [(0, 1), (BY_FORCE, 0)] {
            let facts = Facts {
                modules: Told::Is(vec![module("x", seen, GOING)]),
                itself: Told::Is(Itself {
                    taints,
                    ..Itself::default()
                }),
                ..Facts::default()
            };
            assert_eq!(check(&facts).unwrap().findings.len(), expected);
        }
    }

    #[test]
    fn a_module_that_was_off_the_list_once_was_there_and_hid() {
        let certain = |seen| findings(seen, 0)[0].certain;
        assert!(certain(CAME & !abi::RTRACE_SEEN_LIST));
        assert!(!certain(CAME & !abi::RTRACE_SEEN_KSET));
        // It may have been on its way out when we came.
        let at_load = WHOLE | abi::RTRACE_SEEN_AT_LOAD;
        assert!(!certain(at_load & !abi::RTRACE_SEEN_LIST));
    }

    #[test]
    fn a_module_with_more_code_than_it_came_with_is_found() {
        let found = findings(CAME | abi::RTRACE_SEEN_GREW, 0);
        assert!(found[0].what.ends_with("has more text than it came with"));
    }

    #[test]
    fn a_module_that_has_lost_its_taints_is_found() {
        let found = findings(CAME | abi::RTRACE_SEEN_CLEANED, 0);
        assert!(
            found[0]
                .what
                .ends_with("lost marks of what taints the kernel")
        );
    }

    #[test]
    fn a_module_that_nobody_announced_is_none_of_the_ledgers() {
        assert_eq!(findings(WHOLE & !abi::RTRACE_SEEN_LIST, 0), []);
    }
}
