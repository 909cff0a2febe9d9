// SPDX-License-Identifier: GPL-2.0-only
//! Check 12: is what we are told whole, and are we what we were?
//!
//! Calls of our own, of which we know how many there are, must yield so many records
//! by each way of attaching, and so many counts beside them. Our text, what we have
//! registered, and the kernel's taints must be as they were.

use rust_tracer::abi;
use rust_tracer::views::{Itself, Module};

use super::calls::Way;
use super::facts::Facts;
use super::owners::OURS;
use super::report::{Finding, Outcome, Report};

/// TAINT_OOT_MODULE: this module's own.
const OUT_OF_TREE: u32 = 12;

/// Where a module in its life is.
const IN_LIFE: [(u32, &str); 5] = [
    (abi::RTRACE_SEEN_LIST, "the kernel's list of modules"),
    (abi::RTRACE_SEEN_KSET, "/sys/module"),
    (abi::RTRACE_SEEN_TREE, "the tree of modules' addresses"),
    (abi::RTRACE_SEEN_RESOLVES, "what names addresses"),
    (abi::RTRACE_SEEN_LIVE, "what is live"),
];

/// Judges ourselves.
pub fn check(facts: &Facts) -> Outcome {
    let canary = facts.canary.get();
    // Who has tracing shut off keeps the calls from being traced, and may be seen all the same.
    let itself = facts.itself.get();
    let mut findings = itself.clone().map_or(Vec::new(), |it| of_itself(it, facts));
    findings.extend(
        facts
            .modules
            .known()
            .into_iter()
            .flatten()
            .filter_map(untold),
    );
    let canary = match canary {
        Ok(canary) => canary,
        Err(why) if findings.is_empty() => return Err(why),
        Err(why) => {
            let looked = format!("ourselves; calls of our own could not be traced: {why}");
            return Ok(Report { looked, findings });
        }
    };
    findings.splice(
        0..0,
        canary
            .ways
            .iter()
            .filter_map(|way| of_way(canary.calls, way)),
    );
    let records: u64 = canary
        .ways
        .iter()
        .map(|way| way.entries + way.returns)
        .sum();
    let mut looked = format!(
        "{} calls of our own by {} ways of attaching, {records} records, as many counted",
        canary.calls,
        canary.ways.len()
    );
    // A node that shows no views still has its records counted, and that is all that it can tell.
    match itself {
        Ok(itself) => {
            looked += &format!(
                "; our text, {} of {} ftrace_ops and {} of {} functions as we left them",
                itself.ops_found, itself.ops_expected, itself.sites_found, itself.sites_expected
            );
        }
        Err(_) if facts.narrow => looked += "; of our text and tables only the node kernel tells",
        Err(why) if findings.is_empty() => return Err(format!("{looked}; but {why}")),
        Err(_) => {}
    }
    Ok(Report { looked, findings })
}

fn of_way(calls: u64, way: &Way) -> Option<Finding> {
    let Way {
        name,
        entries,
        returns,
        counted,
        fired,
        recorded,
        dropped,
        missed,
        disorder,
        holds,
    } = way;
    // What the ledger says was lost is an explanation, but not of most: there is room for all of them, and whoever has
    // ours dropped can have that counted.
    let is_all =
        |seen: u64| (calls..=2 * calls).contains(&seen) && seen + dropped + missed >= 2 * calls;
    let read = entries + returns;
    // Nor of all returns, or all entries.
    let both = entries.min(returns) >= &(calls / 2);
    let whole = is_all(read) && is_all(*counted) && both;
    let agree = *fired == recorded + dropped && *recorded == read;
    let right = whole && agree && *disorder == 0 && *holds;
    (!right).then(|| Finding {
        key: format!("canary {name}"),
        what: format!(
            "{calls} calls of our own should be {calls} entries and {calls} returns by {name}"
        ),
        place: format!(
            "the ring has {entries} and {returns}, {counted} were counted beside them; the ledger: \
             fired {fired}, recorded {recorded}, dropped {dropped}, missed {missed}{}{}",
            if *holds { "" } else { ", and does not add up" },
            match disorder {
                0 => String::new(),
                some => format!("; {some} records in disorder"),
            }
        ),
        forms: vec![
            "the ring's records".into(),
            "what was aggregated of the same firings".into(),
            "the ledger".into(),
            "the calls, which we have made ourselves".into(),
        ],
        perhaps: "a defect of this module or of rtctl".into(),
        look: "rtctl -n 'syscall::getppid:' -c …; rtctl check sites text".into(),
        // Of so many calls not one: that does not happen for a moment.
        certain: read == 0 && *counted == 0,
        ..Finding::default()
    })
}

/// Whether others are told of modules, or of something else, and we are not.
fn is_unheard(facts: &Facts) -> bool {
    let all = || facts.callbacks(abi::RTRACE_CALLBACK_NOTIFIER);
    let mut told = all().filter(|one| one.name == "module_notify_list");
    all().next().is_some() && told.all(|one| one.func.name != OURS)
}

/// A module at work of which nobody told us: it is announced before it is initialised.
fn untold(module: &Module) -> Option<Finding> {
    const TOLD: u32 = abi::RTRACE_SEEN_CAME | abi::RTRACE_SEEN_AT_LOAD | abi::RTRACE_SEEN_WENT;
    const AT_WORK: u32 = abi::RTRACE_SEEN_LIST | abi::RTRACE_SEEN_LIVE;
    let Module {
        name,
        base,
        bytes,
        seen,
        ..
    } = module;
    (seen & TOLD == 0 && seen & AT_WORK == AT_WORK).then(|| Finding {
        key: format!("untold {name} {base:#x}"),
        what: format!("the module {name} is at work, and the kernel did not tell us that it came"),
        place: format!("{base:#x}, {bytes} bytes"),
        forms: vec![
            "our ledger, by the kernel's announcements".into(),
            "the kernel's list of modules".into(),
        ],
        perhaps: "there was no memory to note that it came: the kernel's log says so".into(),
        look: "rtctl check pointers ops; rtctl hooks".into(),
        ..Finding::default()
    })
}

fn of_itself(itself: &Itself, facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |key: &str, what: String, place: String, perhaps: &str| {
        findings.push(Finding {
            key: format!("itself {key}"),
            what,
            place,
            forms: vec![
                "what we are and have registered, as we noted it".into(),
                "the same as it is in the kernel now".into(),
            ],
            perhaps: perhaps.into(),
            look: "rtctl hooks; rtctl check sites ops text".into(),
            ..Finding::default()
        });
    };
    if itself.text_hash != itself.first_hash {
        add(
            "text",
            "the text of rust_tracer is not what it was when it was loaded".into(),
            format!("{:#x}, {} bytes", itself.text_base, itself.text_bytes),
            "a kprobe in it",
        );
    }
    for (name, expected, found) in [
        ("ftrace_ops", itself.ops_expected, itself.ops_found),
        ("fprobes", itself.fprobes_expected, itself.fprobes_found),
        ("functions", itself.sites_expected, itself.sites_found),
    ] {
        if found < expected {
            add(
                name,
                format!("of {expected} {name} that we have attached, {found} still lead to us"),
                String::new(),
                "a session that starts or ends at this moment",
            );
        }
    }
    let missing: Vec<_> = IN_LIFE
        .iter()
        .filter(|(way, _)| itself.listed & way == 0)
        .map(|(_, name)| *name)
        .collect();
    if !missing.is_empty() {
        add(
            "listed",
            format!(
                "rust_tracer itself is missing from {}",
                missing.join(", from ")
            ),
            String::new(),
            "",
        );
    }
    if is_unheard(facts) {
        add(
            "notifier",
            "the kernel does not tell rust_tracer any more which modules come and go".into(),
            "our notifier is not in module_notify_list".into(),
            "",
        );
    }
    let text = itself.text_base..itself.text_base.saturating_add(itself.text_bytes);
    let mut kprobes = facts.kprobes.known().into_iter().flatten();
    if let Some(kprobe) = kprobes.find(|it| text.contains(&it.address)) {
        add(
            "kprobe",
            "somebody has a kprobe in rust_tracer itself".into(),
            format!(
                "at {}; its handler: {}",
                facts.address(kprobe.address),
                facts.place(&kprobe.handler)
            ),
            "somebody who looks for an error in rust_tracer",
        );
    }
    if !itself.ftrace_enabled {
        let off = "the kernel's own switch of ftrace is off: nothing is traced".into();
        add(
            "ftrace",
            off,
            String::new(),
            "an administrator of an older kernel",
        );
    }
    if itself.lost_taints != 0 || itself.taints & (1 << OUT_OF_TREE) == 0 {
        let (now, lost) = (itself.taints, itself.lost_taints);
        let what = "taints of the kernel were taken away; the kernel itself only adds some";
        add(
            "taints",
            what.into(),
            format!("now {now:#x}, lost {lost:#x}"),
            "",
        );
    }
    if let Some(told) = facts.said.tainted.known() {
        if *told != itself.taints {
            let place = format!("{:#x} in memory, {told:#x} read", itself.taints);
            let what = "/proc/sys/kernel/tainted does not tell the kernel's taints";
            add("tainted", what.into(), place, "a taint of this moment");
        }
    }
    if facts.said.ftrace_enabled.known() == Some(&0) && itself.ftrace_enabled {
        let what = "/proc/sys/kernel/ftrace_enabled is 0, and ftrace is on: somebody made it up";
        add("switch", what.into(), String::new(), "");
    }
    findings
}

#[cfg(test)]
mod tests {
    use rust_tracer::views::{Callback, Kind, Kprobe};

    use super::super::calls::Canary;
    use super::super::fact::Told;
    use super::super::facts::tests::owner;
    use super::super::modules::tests::{WHOLE, module};
    use super::*;

    fn way() -> Way {
        Way {
            name: "stub".into(),
            entries: 100,
            returns: 100,
            counted: 200,
            fired: 200,
            recorded: 200,
            dropped: 0,
            missed: 0,
            disorder: 0,
            holds: true,
        }
    }

    fn itself() -> Itself {
        Itself {
            text_hash: 5,
            first_hash: 5,
            taints: 1 << OUT_OF_TREE,
            first_taints: 1 << OUT_OF_TREE,
            ftrace_enabled: true,
            listed: IN_LIFE.iter().map(|(way, _)| way).sum(),
            ops_expected: 2,
            ops_found: 2,
            fprobes_expected: 1,
            fprobes_found: 1,
            sites_expected: 3,
            sites_found: 3,
            ..Itself::default()
        }
    }

    fn found(change: impl FnOnce(&mut Way, &mut Itself, &mut Facts)) -> Vec<String> {
        let (mut way, mut itself, mut facts) = (way(), itself(), Facts::default());
        facts.said.tainted = Told::Is(1 << OUT_OF_TREE);
        facts.said.ftrace_enabled = Told::Is(1);
        change(&mut way, &mut itself, &mut facts);
        facts.itself = Told::Is(itself);
        facts.canary = Told::Is(Canary {
            calls: 100,
            ways: vec![way],
        });
        let findings = check(&facts).unwrap().findings;
        findings.into_iter().map(|finding| finding.key).collect()
    }

    #[test]
    fn all_records_of_our_own_calls_and_an_untouched_module_are_fine() {
        assert_eq!(found(|_, _, _| {}), [""; 0]);
    }

    #[test]
    fn a_node_that_tells_nothing_of_ourselves_has_our_calls_checked() {
        let mut facts = Facts {
            canary: Told::Is(Canary {
                calls: 100,
                ways: vec![way()],
            }),
            ..Facts::default()
        };
        assert!(check(&facts).is_err());
        facts.narrow = true;
        assert_eq!(check(&facts).unwrap().findings, []);
        let short = Way {
            entries: 99,
            ..way()
        };
        facts.canary = Told::Is(Canary {
            calls: 100,
            ways: vec![short],
        });
        assert_eq!(check(&facts).unwrap().findings.len(), 1);
    }

    #[test]
    fn what_found_no_room_and_says_so_is_fine() {
        let full = found(|way, _, _| {
            (way.entries, way.recorded, way.dropped) = (90, 190, 10);
            way.counted = 195;
        });
        assert_eq!(full, [""; 0]);
    }

    #[test]
    fn a_loss_of_most_is_found_though_the_ledger_tells_of_it() {
        let dropped = found(|way, _, _| {
            (way.entries, way.returns, way.counted) = (0, 0, 0);
            (way.recorded, way.dropped) = (0, 200);
        });
        assert_eq!(dropped, ["canary stub"]);
        let no_returns = found(|way, _, _| {
            (way.returns, way.recorded, way.missed) = (0, 100, 100);
            (way.counted, way.fired) = (100, 100);
        });
        assert_eq!(no_returns, ["canary stub"]);
    }

    #[test]
    fn it_is_certain_that_no_calls_at_all_are_not_by_chance() {
        for (entries, counted, certain) in [(0, 0, true), (1, 0, false), (0, 1, false)] {
            let way = Way {
                entries,
                returns: 0,
                counted,
                ..way()
            };
            assert_eq!(of_way(100, &way).unwrap().certain, certain, "{way:?}");
        }
    }

    #[test]
    fn any_total_that_does_not_agree_is_found() {
        let changes: [fn(&mut Way); 8] = [
            |way| way.entries -= 1,
            |way| way.returns -= 1,
            |way| way.counted -= 1,
            |way| way.counted += 1,
            |way| way.fired += 1,
            |way| (way.recorded, way.fired) = (199, 199),
            |way| way.disorder = 1,
            |way| way.holds = false,
        ];
        for (at, change) in changes.into_iter().enumerate() {
            assert_eq!(found(|way, _, _| change(way)), ["canary stub"], "{at}");
        }
    }

    #[test]
    fn what_is_not_as_we_left_it_is_found() {
        type Change = fn(&mut Itself);
        let changes: [(Change, &str); 8] = [
            (|it| it.fprobes_found = 0, "itself fprobes"),
            (|it| it.text_hash = 6, "itself text"),
            (|it| it.ops_found = 1, "itself ftrace_ops"),
            (|it| it.sites_found = 1, "itself functions"),
            (|it| it.listed &= !abi::RTRACE_SEEN_LIST, "itself listed"),
            (|it| it.ftrace_enabled = false, "itself ftrace"),
            (|it| it.lost_taints = 1, "itself taints"),
            (|it| it.taints |= 1, "itself tainted"),
        ];
        for (change, key) in changes {
            assert_eq!(found(|_, itself, _| change(itself)), [key]);
        }
        let switch = found(|_, _, facts| facts.said.ftrace_enabled = Told::Is(0));
        assert_eq!(switch, ["itself switch"]);
        let told = found(|_, _, facts| facts.said.tainted = Told::Is(0));
        assert_eq!(told, ["itself tainted"]);
    }

    #[test]
    fn who_keeps_modules_from_us_is_found_and_so_is_a_kprobe_in_us() {
        let notifiers = |names: &[&str]| {
            let of = |name: &&str| Callback {
                name: "module_notify_list".into(),
                func: owner(0x1000, Kind::Module, name),
                kind: abi::RTRACE_CALLBACK_NOTIFIER,
                ..Callback::default()
            };
            Told::Is(names.iter().map(of).collect())
        };
        let told = found(|_, _, facts| facts.callbacks = notifiers(&["", OURS]));
        assert_eq!(told, [""; 0]);
        let unheard = found(|_, _, facts| facts.callbacks = notifiers(&["", "x"]));
        assert_eq!(unheard, ["itself notifier"]);
        // All were taken off the chain.
        let nobody = found(|_, _, facts| {
            facts.callbacks = Told::Is(vec![Callback {
                name: "die_chain".into(),
                kind: abi::RTRACE_CALLBACK_NOTIFIER,
                ..Callback::default()
            }]);
        });
        assert_eq!(nobody, ["itself notifier"]);
        for (address, keys) in [(0x5000, vec!["itself kprobe"]), (0x6000, vec![])] {
            let probed = found(|_, itself, facts| {
                (itself.text_base, itself.text_bytes) = (0x5000, 0x1000);
                facts.kprobes = Told::Is(vec![Kprobe {
                    address,
                    ..Kprobe::default()
                }]);
            });
            assert_eq!(probed, keys);
        }
    }

    #[test]
    fn a_module_at_work_of_which_nobody_told_us_is_found() {
        for (seen, findings) in [
            (WHOLE, 1),
            (WHOLE | abi::RTRACE_SEEN_CAME, 0),
            (WHOLE | abi::RTRACE_SEEN_AT_LOAD, 0),
            // It is being made, and will be announced.
            (WHOLE & !abi::RTRACE_SEEN_LIVE, 0),
        ] {
            let keys = found(|_, _, facts| facts.modules = Told::Is(vec![module("x", seen, 0)]));
            assert_eq!(keys.len(), findings, "{seen:#x}");
        }
    }

    #[test]
    fn who_shuts_tracing_off_is_found_though_nothing_can_be_traced() {
        let mut facts = Facts::default();
        facts.said.tainted = Told::Is(1 << OUT_OF_TREE);
        facts.itself = Told::Is(itself());
        assert!(check(&facts).is_err());
        facts.said.ftrace_enabled = Told::Is(0);
        assert_eq!(check(&facts).unwrap().findings[0].key, "itself switch");
    }

    #[test]
    fn a_node_that_shows_no_views_cannot_say_that_all_is_well() {
        let facts = Facts {
            canary: Told::Is(Canary {
                calls: 100,
                ways: vec![way()],
            }),
            itself: Told::Not("the node kernel alone tells".into()),
            ..Facts::default()
        };
        assert!(
            check(&facts)
                .unwrap_err()
                .ends_with("but the node kernel alone tells")
        );
    }
}
