// SPDX-License-Identifier: GPL-2.0

//! RTRACE_VIEW_TEXT: the kernel's page table, as far as it is executable, against all that is known to
//! have text; and RTRACE_IOC_TEXT, the bytes there.

#![forbid(unsafe_code)]

use kernel::prelude::*;

use super::{
    owners::Owners,
    rows::Rows,
    text::{
        is_empty,
        is_thunks, //
    },
    walk, //
};
use crate::{
    abi,
    bindings,
    refusal::Refusal, //
};

pub(super) const PAGE: usize = kernel::page::PAGE_SIZE;

/// Bytes in a range that are not empty, and whether it is thunks.
fn look_at(start: u64, end: u64, page: &mut [u8]) -> (u64, bool) {
    let (mut code, mut thunks) = (0, true);
    let mut at = start;
    while at < end {
        if walk::copy(page, at) {
            let full = page.iter().filter(|byte| !is_empty(**byte)).count();
            code += full as u64;
            thunks &= full == 0 || is_thunks(page);
        }
        at += page.len() as u64;
    }
    (code, thunks && code != 0)
}

/// Rows under way: nobody's pages that lie together are one.
struct Pending {
    rows: Rows,
    last: Option<abi::rtrace_view_text>,
}

impl Pending {
    fn add(&mut self, row: abi::rtrace_view_text) -> Result {
        if let Some(last) = &mut self.last {
            let goes_on = last.start + last.bytes == row.start
                && last.owner.kind == abi::RTRACE_OWNER_NONE
                && row.owner.kind == abi::RTRACE_OWNER_NONE
                && last.writable == row.writable;
            if goes_on {
                last.bytes += row.bytes;
                last.code += row.code;
                return Ok(());
            }
        }
        self.end()?;
        self.last = Some(row);
        Ok(())
    }

    fn end(&mut self) -> Result {
        self.last
            .take()
            .map_or(Ok(()), |last| self.rows.push(&last))
    }
}

pub(super) fn view(owners: &Owners) -> Result<Rows, Refusal> {
    let mut page = KVVec::from_elem(0, PAGE, GFP_KERNEL)?;
    let mut pending = Pending {
        rows: Rows::of::<abi::rtrace_view_text>(),
        last: None,
    };
    for run in &walk::executable()? {
        let end = run.start.saturating_add(run.bytes);
        let mut at = run.start;
        while at < end {
            let start = at;
            let mut owner = owners.of(start);
            let is_nobodys = owner.kind == abi::RTRACE_OWNER_NONE;
            // To the page where another owner begins; nobody's is looked at page by page.
            let next = if is_nobodys {
                start + 1
            } else {
                owners.changes_after(start)
            };
            at = next
                .checked_next_multiple_of(PAGE as u64)
                .map_or(end, |to| to.min(end));
            // The kernel's own is looked at elsewhere, but for whether it can be written.
            if owner.kind == abi::RTRACE_OWNER_KERNEL && run.writable == 0 {
                continue;
            }
            let (code, thunks) = look_at(start, at, &mut page);
            if is_nobodys && thunks {
                owner.kind = abi::RTRACE_OWNER_THUNK;
            }
            // Room that nobody has taken yet.
            if is_nobodys && code == 0 && run.writable == 0 {
                continue;
            }
            pending.add(abi::rtrace_view_text {
                start,
                bytes: at - start,
                owner,
                code,
                writable: (run.writable != 0).into(),
                reserved: 0,
            })?;
        }
    }
    pending.end()?;
    Ok(pending.rows)
}

/// The bytes at an address, all of them executable.
pub(super) fn text(address: u64, bytes: usize) -> Result<KVVec<u8>, Refusal> {
    let not_executable = || {
        Refusal::new(
            EFAULT,
            "not all of that memory is executable, and nothing else is told",
        )
    };
    let end = address
        .checked_add(bytes as u64)
        .ok_or_else(not_executable)?;
    let mut text = KVVec::from_elem(0, bytes, GFP_KERNEL_ACCOUNT)?;
    let mut at = address;
    while at < end {
        if walk::page_is(at) & bindings::RTRACE_PAGE_EXECUTABLE == 0 {
            return Err(not_executable());
        }
        at = (at | (PAGE as u64 - 1)).saturating_add(1);
    }
    if !walk::copy(&mut text, address) {
        return Err(not_executable());
    }
    Ok(text)
}
