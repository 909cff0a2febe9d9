// SPDX-License-Identifier: GPL-2.0-only
//! Modules: those there are, those that went, and who looks for symbols.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::fs;

use rust_tracer::abi;

use super::{ALL_ACCOUNTS, listed, open};
use crate::options::Options;
use crate::session::{Session, name};
use crate::target::Late;
use crate::test::{Outcome, check, check_eq, fail};
use crate::tests::rogue::toy::Toy;

/// Name and address of each line of /proc/modules.
fn proc_modules() -> Outcome<Vec<(String, u64)>> {
    let text = fs::read_to_string("/proc/modules")?;
    text.lines()
        .map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let address = fields[5].trim_start_matches("0x");
            let address = u64::from_str_radix(address, 16).map_err(fail)?;
            Ok((fields[0].to_owned(), address))
        })
        .collect()
}

pub fn every_account(_: &Options) -> Outcome {
    let rows = listed(&open()?)?;
    let mut found: Vec<_> = rows.iter().map(|row| (name(&row.name), row.base)).collect();
    let mut wanted = proc_modules()?;
    found.sort();
    wanted.sort();
    check_eq!(found, wanted, "modules");
    for row in &rows {
        let name = name(&row.name);
        check_eq!(row.seen & ALL_ACCOUNTS, ALL_ACCOUNTS, "{name}: {row:x?}");
        check_eq!(
            row.seen & abi::RTRACE_SEEN_TEXT != 0,
            row.bytes != 0,
            "whether the text of {name} is mapped"
        );
        check!(
            row.seen & (abi::RTRACE_SEEN_AT_LOAD | abi::RTRACE_SEEN_CAME) != 0,
            "{name} came from nowhere: {row:x?}"
        );
        check_eq!(row.state, 0, "state of {name}");
        let taint = fs::read_to_string(format!("/sys/module/{name}/taint"))?;
        check_eq!(taint.trim().is_empty(), row.taints == 0, "taints of {name}");
    }
    Ok(())
}

pub fn ledger(options: &Options) -> Outcome {
    let session = open()?;
    let rows = |session: &Session| -> Outcome<Vec<abi::rtrace_view_module>> {
        let mut rows = session.view::<abi::rtrace_view_module>()?;
        rows.retain(|row| name(&row.name) == "rt_late");
        rows.sort_by_key(|row| row.came);
        Ok(rows)
    };
    let before = rows(&session)?.len();
    let late = Late::load(options, 0)?;
    let here = rows(&session)?;
    check_eq!(here.len(), before + 1, "rows of rt_late while it is there");
    let new = here[before];
    check_eq!(
        new.seen & (ALL_ACCOUNTS | abi::RTRACE_SEEN_CAME | abi::RTRACE_SEEN_WENT),
        ALL_ACCOUNTS | abi::RTRACE_SEEN_CAME,
        "{new:x?}"
    );
    check!(new.came != 0 && new.went == 0, "{new:?}");
    let owner = session.owners(&[new.base])?[0];
    check_eq!(owner.kind, abi::RTRACE_OWNER_MODULE, "{owner:x?}");
    late.unload()?;
    let gone = rows(&session)?;
    check_eq!(gone.len(), before + 1, "rows of rt_late when it went");
    let old = gone[before];
    check_eq!(old.structure, new.structure);
    check_eq!(
        old.seen & (ALL_ACCOUNTS | abi::RTRACE_SEEN_TEXT),
        0,
        "accounts of what went"
    );
    check!(old.went > old.came && old.came == new.came, "{old:?}");
    let owner = session.owners(&[new.base])?[0];
    check_eq!(owner.kind, abi::RTRACE_OWNER_GONE, "{owner:x?}");
    check_eq!(name(&owner.name), "rt_late");
    Ok(())
}

pub fn hunts(options: &Options) -> Outcome {
    let session = open()?;
    let who = || -> Outcome<BTreeSet<String>> {
        let mut rows = listed(&session)?;
        rows.retain(|row| row.seen & abi::RTRACE_SEEN_HUNTS != 0);
        Ok(rows.iter().map(|row| name(&row.name)).collect())
    };
    let before = who()?;
    for innocent in ["rt_target", "rt_late"] {
        check!(!before.contains(innocent), "{before:?}");
    }
    let toy = Toy::load(options, "rt_rogue_hunter", "")?;
    let during = who()?;
    let new: Vec<_> = during.difference(&before).collect();
    check_eq!(new, ["rt_rogue_hunter"]);
    toy.undo()?;
    check_eq!(who()?, before);
    Ok(())
}
