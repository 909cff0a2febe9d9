// SPDX-License-Identifier: GPL-2.0

//! What handlers look up is made anew when probes come or go, of all that is attached.

#![forbid(unsafe_code)]

use kernel::{
    prelude::*,
    sync::rcu, //
};

use super::{
    dispatch::{
        Dispatch,
        Enabling, //
    },
    slots::Slots,
    By,
    Enabled,
    Placed, //
};
use crate::engine::Short;

/// Replaces the table of this way, and of those that share it; slot stubs are told. When it returns, no
/// handler reads the old one. `ATTACH` held.
pub(super) fn publish<'a>(
    enabled: impl Iterator<Item = &'a Enabled>,
    by: By,
    slots: &Slots,
) -> Result {
    let replace = |table: Option<KBox<Dispatch>>| {
        by.tables().replace_and_tell(table, |table| {
            if by.table() == By::Stub {
                slots.read_in(table);
            }
        });
    };
    let is_there = |placed: &&Placed| placed.wanted.by.table() == by.table();
    let mut engines = KVec::new();
    let mut all = KVVec::new();
    for Enabled { engine, probes, .. } in enabled {
        let count = probes.iter().filter(is_there).count();
        if count == 0 {
            continue;
        }
        let number = engines.len() as u32;
        engines.push(engine.clone(), GFP_KERNEL)?;
        all.reserve(count, GFP_KERNEL)?;
        for Placed { wanted, site, .. } in probes.iter().filter(is_there) {
            let ret_short = wanted.ret.as_ref().map_or(Short::NONE, |ret| {
                // As for an entry.
                let _reading = rcu::read_lock();
                engine.short_return(ret)
            });
            let enabling = Enabling::new(number, wanted.entry, wanted.ret, ret_short);
            all.push((*site, enabling), GFP_KERNEL)?;
        }
    }
    if all.is_empty() {
        replace(None);
        return Ok(());
    }
    replace(Some(KBox::new(
        Dispatch::new(all, engines, by)?,
        GFP_KERNEL,
    )?));
    Ok(())
}
