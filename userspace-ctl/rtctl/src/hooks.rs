// SPDX-License-Identifier: GPL-2.0-only
//! `rtctl hooks`: who is on this function?
//!
//! Everybody who is called when functions of the kernel are, legitimate or not: by
//! ftrace (with what stands in the text, ftrace's record, and what tracefs says), by
//! kprobes and modules' fprobes, by tracepoints; and all `ftrace_ops` with those they call. It judges
//! nothing; [`crate::check`] does.

use std::collections::BTreeSet;
use std::io::Write;

use anyhow::{Result, anyhow};
use glob::Pattern as Glob;
use rust_tracer::views::{Callback, Kind, Kprobe, Ops, Site, Tracepoint};
use rust_tracer::{Node, abi};
use serde_json::{Value, json};

use crate::check::facts::Facts;
use crate::check::gather::{Gatherer, Need};
use crate::check::{FLAGS, observe};
use crate::output::array;

/// What to list.
#[derive(Clone, Debug, clap::Args)]
pub struct Hooking {
    /// A glob for functions and tracepoints [default: all]
    #[arg(value_name = "PATTERN")]
    pub pattern: Option<String>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What ftrace's record says, in letters, as tracefs has them.
const RECORD: [(u32, char); 4] = [
    (abi::RTRACE_REC_REGS, 'R'),
    (abi::RTRACE_REC_IPMODIFY, 'I'),
    (abi::RTRACE_REC_DIRECT, 'D'),
    (abi::RTRACE_REC_OPS, 'O'),
];

/// Whoever is there by other means.
const OTHERS: [(u32, &str); 3] = [
    (abi::RTRACE_CALLBACK_PROBED, "fprobe"),
    (abi::RTRACE_CALLBACK_BRANCH, "text"),
    (abi::RTRACE_CALLBACK_BREAKPOINT, "breakpoint"),
];

/// A hook, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Hook {
    /// What it is on.
    on: String,
    /// `ftrace`, `kprobe`, `fprobe`, `tracepoint`, `text`, `breakpoint`
    by: &'static str,
    flags: String,
    /// By ftrace's record.
    users: Option<u32>,
    /// Who is called, and what else is known.
    who: String,
}

/// Lists the hooks.
pub fn run(hooking: &Hooking, out: &mut impl Write) -> Result<()> {
    let pattern = hooking.pattern.as_deref().unwrap_or("*");
    let pattern = Glob::new(pattern).map_err(|error| anyhow!("{pattern}: {error}"))?;
    let session = observe(Some(Node::Kernel))?;
    let mut gatherer = Gatherer::new(session, std::time::Duration::ZERO);
    let needs = [
        Need::Hooks,
        Need::Kprobes,
        Need::Tracepoints,
        Need::Callbacks,
        Need::Modules,
    ];
    let facts = gatherer.facts(&BTreeSet::from(needs));
    let hooks = hooks(&facts, &pattern).map_err(anyhow::Error::msg)?;
    let ops = facts.ops.get().map_err(anyhow::Error::msg)?;
    // Who asks about a function wants to know of it alone, and of whoever may be on all.
    let ops: Vec<&Ops> = match hooking.pattern {
        Some(_) => Vec::new(),
        None => ops.iter().collect(),
    };
    if hooking.json {
        let ops = ops.iter().map(|ops| of_ops(&facts, ops).1);
        array(out, hooks.iter().map(object).chain(ops))?;
    } else {
        text(out, &facts, &hooks, &ops)?;
    }
    out.flush()?;
    Ok(())
}

fn hooks(facts: &Facts, pattern: &Glob) -> Result<Vec<Hook>, String> {
    let sites = facts.sites.get()?.iter();
    let kprobes = facts.kprobes.get()?.iter();
    let tracepoints = facts.tracepoints.get()?.iter();
    let function = |address| {
        let name = facts.function(address);
        name.is_some_and(|name| pattern.matches(name))
            || (name.is_none() && pattern.as_str() == "*")
    };
    let sites = sites.filter(|site| function(site.function));
    let kprobes = kprobes.filter(|kprobe| function(kprobe.address));
    let tracepoints = tracepoints.filter(|it| pattern.matches(&it.name));
    let mut hooks: Vec<_> = sites.map(|site| of_site(facts, site)).collect();
    hooks.extend(kprobes.map(|kprobe| of_kprobe(facts, kprobe)));
    hooks.extend(tracepoints.map(|it| of_tracepoint(facts, it)));
    for (kind, by) in OTHERS {
        let others = facts.callbacks(kind).filter(|one| function(one.at));
        hooks.extend(others.map(|one| of_other(facts, one, by)));
    }
    hooks.sort_by(|one, other| (one.by, &one.on).cmp(&(other.by, &other.on)));
    Ok(hooks)
}

fn on(facts: &Facts, address: u64) -> String {
    let name = facts.address(address);
    match name.split_once(" (") {
        Some((name, _)) => name.to_owned(),
        None => name,
    }
}

fn of_site(facts: &Facts, site: &Site) -> Hook {
    let flags = RECORD.iter().filter(|(flag, _)| site.record & flag != 0);
    let has = match site.site_has {
        abi::RTRACE_SITE_IDLE => "calls nobody".to_owned(),
        abi::RTRACE_SITE_CALL => format!("calls {}", facts.place(&site.target)),
        abi::RTRACE_SITE_JUMP => format!("jumps to {}", facts.place(&site.target)),
        abi::RTRACE_SITE_TRAP => "has a breakpoint at its site".to_owned(),
        _ => "has other code at its site".to_owned(),
    };
    let changed = match site.changed {
        0 => "",
        _ => "; its text was changed beside the site",
    };
    let hooks = facts.hooks_of(site.site).iter().chain(facts.hooks_of(0));
    let called = hooks.filter_map(|hook| {
        let ops = facts.ops.known()?.iter().find(|ops| ops.ops == hook.ops)?;
        Some(match hook.direct.kind {
            Kind::Zero => format!("; for {}", facts.place(&ops.func)),
            _ => format!("; directly for {}", facts.place(&hook.direct)),
        })
    });
    let called: String = called.collect();
    Hook {
        on: on(facts, site.function),
        by: if site.users > 0 { "ftrace" } else { "text" },
        flags: flags.map(|(_, letter)| *letter).collect(),
        users: Some(site.users),
        who: format!("{has}{changed}{called}"),
    }
}

fn of_kprobe(facts: &Facts, kprobe: &Kprobe) -> Hook {
    let asked = match kprobe.symbol.as_str() {
        "" => String::new(),
        symbol => format!(", asked for as {symbol}"),
    };
    let several = if kprobe.aggregate {
        ", with others"
    } else {
        ""
    };
    Hook {
        on: on(facts, kprobe.address),
        by: "kprobe",
        flags: String::new(),
        users: None,
        who: format!("calls {}{asked}{several}", facts.place(&kprobe.handler)),
    }
}

fn of_tracepoint(facts: &Facts, row: &Tracepoint) -> Hook {
    Hook {
        on: row.name.clone(),
        by: "tracepoint",
        flags: String::new(),
        users: None,
        who: format!("calls {}", facts.place(&row.func)),
    }
}

fn of_other(facts: &Facts, one: &Callback, by: &'static str) -> Hook {
    Hook {
        on: on(facts, one.at),
        by,
        flags: String::new(),
        users: None,
        who: format!("leads to {}", facts.place(&one.func)),
    }
}

fn object(hook: &Hook) -> Value {
    json!({"kind": "hook", "on": hook.on, "by": hook.by, "flags": hook.flags,
           "users": hook.users, "who": hook.who})
}

/// An ops as a line, and as an object.
fn of_ops(facts: &Facts, ops: &Ops) -> (String, Value) {
    let flags = FLAGS.iter().filter(|(bit, _)| ops.flags & (1 << bit) != 0);
    let flags: Vec<&str> = flags.map(|(_, name)| *name).collect();
    let calls = facts.place(&ops.func);
    let functions = match ops.functions {
        0 => "all".to_owned(),
        some => some.to_string(),
    };
    let whose = if ops.ours { ", ours" } else { "" };
    let address = format!("{:#x}", ops.ops);
    let line = format!(
        "{address:<20}{functions:>9}  {:<24} calls {calls}{whose}",
        flags.join(",")
    );
    let object = json!({"kind": "ops", "address": address, "functions": ops.functions,
                        "flags": flags, "calls": calls, "ours": ops.ours,
                        "trampoline": facts.place(&ops.trampoline)});
    (line, object)
}

fn text(out: &mut impl Write, facts: &Facts, hooks: &[Hook], ops: &[&Ops]) -> Result<()> {
    writeln!(
        out,
        "{:<40} {:<10} {:<5} {:>5}  WHO",
        "ON", "BY", "FLAGS", "USERS"
    )?;
    for Hook {
        on,
        by,
        flags,
        users,
        who,
    } in hooks
    {
        let users = users.map_or_else(|| "-".to_owned(), |users| users.to_string());
        writeln!(out, "{on:<40} {by:<10} {flags:<5} {users:>5}  {who}")?;
    }
    if !ops.is_empty() {
        writeln!(
            out,
            "\n{:<20}{:>9}  {:<24} WHO",
            "FTRACE_OPS", "FUNCTIONS", "FLAGS"
        )?;
    }
    for one in ops {
        writeln!(out, "{}", of_ops(facts, one).0)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rust_tracer::views::Owner;

    use super::*;
    use crate::check::fact::Told;

    fn owner(kind: Kind, name: &str) -> Owner {
        Owner {
            address: 0x9000,
            base: 0x9000,
            kind,
            name: name.into(),
            ..Owner::default()
        }
    }

    fn facts() -> Facts {
        let mut facts = Facts {
            sites: Told::Is(vec![Site {
                site: 0x1004,
                function: 0x1000,
                site_has: abi::RTRACE_SITE_CALL,
                record: abi::RTRACE_REC_ENABLED | abi::RTRACE_REC_IPMODIFY | abi::RTRACE_REC_REGS,
                users: 2,
                target: owner(Kind::Ftrace, ""),
                ..Site::default()
            }]),
            kprobes: Told::Is(vec![Kprobe {
                address: 0x2010,
                handler: owner(Kind::Module, "x"),
                symbol: "vfs_write".into(),
                ..Kprobe::default()
            }]),
            tracepoints: Told::Is(vec![Tracepoint {
                name: "sched_switch".into(),
                func: owner(Kind::Bpf, "prog"),
                ..Tracepoint::default()
            }]),
            ops: Told::Is(vec![Ops {
                ops: 0x5000,
                flags: (1 << 0) | (1 << 12),
                functions: 3,
                func: owner(Kind::Module, "x"),
                ..Ops::default()
            }]),
            ..Facts::default()
        };
        let hook = rust_tracer::views::Hook {
            ops: 0x5000,
            site: 0x1004,
            direct: Owner {
                kind: Kind::Zero,
                ..Owner::default()
            },
        };
        facts.hooks = Told::Is(vec![hook]);
        facts.symbols.insert(0x1000, "vfs_read+0x0/0x40".into());
        facts
            .symbols
            .insert(0x2010, "vfs_write+0x10/0x40 [ext4]".into());
        facts
    }

    fn all(pattern: &str) -> Vec<String> {
        let hooks = hooks(&facts(), &Glob::new(pattern).unwrap()).unwrap();
        hooks.into_iter().map(|hook| hook.on).collect()
    }

    #[test]
    fn hooks_of_every_kind_are_listed_and_a_pattern_chooses() {
        assert_eq!(
            all("*"),
            ["vmlinux`vfs_read", "ext4`vfs_write+0x10", "sched_switch"]
        );
        assert_eq!(all("vfs_w*"), ["ext4`vfs_write+0x10"]);
        assert_eq!(all("sched_*"), ["sched_switch"]);
    }

    #[test]
    fn a_line_tells_who_and_how() {
        let facts = facts();
        let hooks = hooks(&facts, &Glob::new("vfs_*").unwrap()).unwrap();
        let mut out = Vec::new();
        text(&mut out, &facts, &hooks, &[&facts.ops.get().unwrap()[0]]).unwrap();
        let text = String::from_utf8(out).unwrap();
        let line = |at: usize| text.lines().nth(at).unwrap();
        assert!(line(1).starts_with("vmlinux`vfs_read "));
        assert!(line(1).ends_with("RI        2  calls 0x9000, a trampoline of ftrace's; for 0x9000, of the module x at 0x9000"));
        assert!(line(2).contains("kprobe"));
        assert!(line(2).ends_with("of the module x at 0x9000, asked for as vfs_write"));
        assert!(line(5).contains("ENABLED,IPMODIFY"));
    }
}
