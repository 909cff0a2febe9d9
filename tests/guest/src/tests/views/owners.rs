// SPDX-License-Identifier: GPL-2.0-only
//! Whose an address is.

#![forbid(unsafe_code)]

use rust_tracer::abi;

use super::{ALL_ACCOUNTS, ASKED, listed, open};
use crate::options::Options;
use crate::session::name;
use crate::test::{Outcome, check_eq, fail};
use crate::tests::access::symbols::address_of;

pub fn kinds(_: &Options) -> Outcome {
    let session = open()?;
    let rows = listed(&session)?;
    let module = rows.iter().find(|row| name(&row.name) == "rust_tracer");
    let module = module.ok_or_else(|| fail("rust_tracer is not listed"))?;
    let vfs_read = address_of("vfs_read")?;
    let asked = [
        0,
        vfs_read,
        vfs_read + 1,
        module.base,
        module.base + module.bytes - 1,
        module.structure,
        address_of("jiffies")?,
        address_of("init_task")?,
        &ASKED as *const _ as u64,
        1 << 62,
        u64::MAX,
    ];
    let told = session.owners(&asked)?;
    let kinds: Vec<u32> = told.iter().map(|owner| owner.kind).collect();
    check_eq!(
        kinds,
        [
            abi::RTRACE_OWNER_ZERO,
            abi::RTRACE_OWNER_KERNEL,
            abi::RTRACE_OWNER_KERNEL,
            abi::RTRACE_OWNER_MODULE,
            abi::RTRACE_OWNER_MODULE,
            abi::RTRACE_OWNER_DATA,
            abi::RTRACE_OWNER_DATA,
            abi::RTRACE_OWNER_DATA,
            abi::RTRACE_OWNER_NONE,
            abi::RTRACE_OWNER_NONE,
            abi::RTRACE_OWNER_NONE,
        ],
        "kinds of {asked:x?}"
    );
    for (owner, address) in told.iter().zip(asked) {
        check_eq!(owner.address, address);
    }
    check_eq!(name(&told[1].name), "vmlinux");
    check_eq!(told[3].base, module.base);
    for of_module in &told[3..6] {
        check_eq!(name(&of_module.name), "rust_tracer");
        check_eq!(of_module.seen & ALL_ACCOUNTS, ALL_ACCOUNTS);
    }
    check_eq!(session.owners(&[])?.len(), 0);
    Ok(())
}
