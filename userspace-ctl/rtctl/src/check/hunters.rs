// SPDX-License-Identifier: GPL-2.0-only
//! The rule beside the checks: who looks for the kernel's table of symbols?
//!
//! `kallsyms_lookup_name` is not for modules. Who wants what it finds asks a kprobe or
//! an fprobe for its address: by that a module gives away that it means to reach further than
//! it may.

use glob::Pattern;
use rust_tracer::abi;
use rust_tracer::views::{Kind, Module, Owner};

use super::callers::merge;
use super::facts::Facts;
use super::owners::{OURS, lives};
use super::report::{Finding, Outcome, Report, count};

/// What is asked for.
pub const HUNTED: &[&str] = &[
    "kallsyms_lookup_name",
    "kallsyms_on_each_symbol",
    "module_kallsyms_lookup_name",
    "kallsyms_lookup",
    "sys_call_table",
    "x64_sys_call",
    "module_mutex",
    "text_poke",
    "set_memory_rw",
    "set_memory_x",
];

/// What else could explain that somebody looks for it.
const PERHAPS: &str =
    "LKRG, SystemTap, LTTng or another tracer that reaches beyond what is exported";

/// Whether it is asked for by this name; an fprobe's may be a glob.
fn hunted(symbol: &str) -> bool {
    /// As many letters leave few functions.
    const TELLING: usize = 8;
    let letters = symbol
        .chars()
        .filter(|it| it.is_alphanumeric() || *it == '_');
    let tells = letters.count() >= TELLING;
    let glob = Pattern::new(symbol).ok().filter(|_| tells);
    let mut names = HUNTED.iter();
    names.any(|name| *name == symbol || glob.as_ref().is_some_and(|glob| glob.matches(name)))
}

/// Judges who registers kprobes and fprobes.
pub fn check(facts: &Facts) -> Outcome {
    let kprobes = facts.kprobes.get()?;
    let of_table = kprobes
        .iter()
        .filter(|it| hunted(&it.symbol))
        .filter_map(|it| {
            let owners = [&it.structure, &it.handler];
            let owner = owners.into_iter().find(|owner| of_module(owner))?;
            Some(finding(
                facts,
                &it.symbol,
                owner,
                "the kernel's table of kprobes",
            ))
        });
    let hunts = facts
        .sample
        .known()
        .map_or(&[][..], |it| it.hunts.as_slice());
    let of_sample = hunts
        .iter()
        .filter(|(_, symbol)| hunted(symbol))
        .filter_map(|it| {
            let (caller, symbol) = it;
            let owner = facts.owners.get(caller)?;
            let strange = of_module(owner) || owner.kind == Kind::None;
            let by = "the caller of register_kprobe() or register_fprobe()";
            strange.then(|| finding(facts, symbol, owner, by))
        });
    let modules = facts.modules.known().into_iter().flatten();
    let can = |module: &&Module| module.seen & abi::RTRACE_SEEN_HUNTS != 0;
    let of_ledger = modules
        .filter(|module| can(module) && lives(module) && module.name != OURS)
        .map(by_text);
    let findings = merge(of_table.chain(of_sample).chain(of_ledger));
    let looked = format!(
        "{}, {} registered while we looked",
        count(kprobes.len(), "kprobe"),
        hunts.len()
    );
    Ok(Report { looked, findings })
}

/// A module that can look for the table, and has its name.
fn by_text(module: &Module) -> Finding {
    let Module {
        name, base, bytes, ..
    } = module;
    Finding {
        key: format!("hunter {name} kallsyms_lookup_name"),
        what: format!(
            "the module {name} has the name kallsyms_lookup_name, and registers probes, as who looks \
             for hidden symbols does"
        ),
        place: format!("{base:#x}, {bytes} bytes"),
        forms: vec![
            "the module's data, when it came".into(),
            "its text, which calls register_kprobe(), register_fprobe() or the like".into(),
        ],
        perhaps: PERHAPS.into(),
        look: "rtctl hooks; rtctl check --watch hunters".into(),
        ..Finding::default()
    }
}

/// Whether this is of a module, and not of ours.
fn of_module(owner: &Owner) -> bool {
    match owner.kind {
        Kind::Module | Kind::Hidden | Kind::Gone => owner.name != OURS,
        Kind::Data => !owner.name.is_empty() && owner.name != "vmlinux" && owner.name != OURS,
        _ => false,
    }
}

fn finding(facts: &Facts, symbol: &str, owner: &Owner, by: &str) -> Finding {
    let who = match owner.name.as_str() {
        "" => "somebody".to_owned(),
        name => format!("the module {name}"),
    };
    Finding {
        key: format!("hunter {} {symbol}", owner.name),
        what: format!("{who} registered a probe on {symbol}, as who looks for hidden symbols does"),
        place: facts.place(owner),
        forms: vec![by.into(), "the owner of the address".into()],
        perhaps: PERHAPS.into(),
        look: "rtctl hooks; rtctl -n 'fbt::register_kprobe:entry { stack(); }'".into(),
        certain: true,
        ..Finding::default()
    }
}

#[cfg(test)]
mod tests {
    use rust_tracer::views::Kprobe;

    use super::super::fact::Told;
    use super::super::facts::tests::owner;
    use super::super::modules::tests::{WHOLE, module};
    use super::super::sample::Sample;
    use super::*;

    fn facts(symbol: &str, structure: Owner) -> Facts {
        Facts {
            kprobes: Told::Is(vec![Kprobe {
                symbol: symbol.into(),
                structure,
                handler: owner(0, Kind::Zero, ""),
                ..Kprobe::default()
            }]),
            ..Facts::default()
        }
    }

    fn found(facts: &Facts) -> usize {
        check(facts).unwrap().findings.len()
    }

    #[test]
    fn a_modules_kprobe_on_the_table_of_symbols_is_found_and_others_are_not() {
        let of = |kind, name: &str| owner(0x1000, kind, name);
        assert_eq!(
            found(&facts("kallsyms_lookup_name", of(Kind::Data, "x"))),
            1
        );
        assert_eq!(found(&facts("kallsyms_lookup_name", of(Kind::None, ""))), 0);
        assert_eq!(
            found(&facts("kallsyms_lookup_name", of(Kind::Data, "vmlinux"))),
            0
        );
        assert_eq!(
            found(&facts("kallsyms_lookup_name", of(Kind::Data, OURS))),
            0
        );
        assert_eq!(found(&facts("vfs_read", of(Kind::Data, "x"))), 0);
    }

    #[test]
    fn a_module_that_could_look_for_it_is_found_while_it_is_there() {
        let hunts = abi::RTRACE_SEEN_HUNTS;
        for (name, seen, findings) in [
            ("x", WHOLE, 0),
            ("x", WHOLE | hunts, 1),
            ("x", hunts | abi::RTRACE_SEEN_WENT, 0),
            (OURS, WHOLE | hunts, 0),
        ] {
            let facts = Facts {
                kprobes: Told::Is(Vec::new()),
                modules: Told::Is(vec![module(name, seen, 0)]),
                ..Facts::default()
            };
            assert_eq!(found(&facts), findings, "{name} {seen:#x}");
        }
    }

    #[test]
    fn a_name_may_be_a_glob_that_leaves_few_functions() {
        for (name, is) in [
            ("kallsyms_lookup_name", true),
            ("kallsyms_lookup_nam?", true),
            ("*allsyms_lookup_name", true),
            ("kallsyms_lookup_names", false),
            ("sys_call_table", true),
            ("*", false),
            ("k*", false),
            ("vfs_*", false),
        ] {
            assert_eq!(hunted(name), is, "{name}");
        }
    }

    #[test]
    fn one_that_came_and_went_while_we_looked_is_found_by_its_caller() {
        for (kind, findings) in [(Kind::Module, 1), (Kind::None, 1), (Kind::Kernel, 0)] {
            let mut facts = facts("vfs_read", owner(0, Kind::Zero, ""));
            facts.sample = Told::Is(Sample {
                hunts: vec![(0x1000, "kallsyms_lookup_name".into())],
                ..Sample::default()
            });
            facts.owners.insert(0x1000, owner(0x1000, kind, "x"));
            assert_eq!(found(&facts), findings, "{kind:?}");
        }
    }
}
