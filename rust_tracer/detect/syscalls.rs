// SPDX-License-Identifier: GPL-2.0

//! RTRACE_VIEW_SYSCALLS: the text that system calls go through, and what it was when this module was
//! loaded; and what else of the kernel's text has changed.

#![forbid(unsafe_code)]

use kernel::prelude::*;

use super::{
    blocks::Blocks,
    kprobes::Kprobes,
    landmarks::Watched,
    patched::Patched,
    rows::Rows,
    sites::Firsts,
    walk, //
};
use crate::{
    abi,
    bindings::rtrace_landmarks,
    refusal::Refusal, //
};

struct Call {
    at: Watched,
    first: u64,
}

pub(super) struct Calls {
    calls: KVVec<Call>,
    patched: Patched,
    blocks: Blocks,
}

/// The longest function that is looked at.
const LONGEST: u64 = 1 << 20;

impl Calls {
    pub(super) const fn none() -> Self {
        Self {
            calls: KVVec::new(),
            patched: Patched::nowhere(),
            blocks: Blocks::none(),
        }
    }

    fn hash(&self, call: &Watched, firsts: &Firsts, kprobes: &Kprobes) -> Result<u64> {
        let (start, end) = (call.start, call.end.min(call.start + LONGEST));
        let sites = firsts.within(start, end);
        self.patched.hash(start, end - start, sites, kprobes)
    }

    /// As they are now, for the first time.
    pub(super) fn see(
        landmarks: &rtrace_landmarks,
        watched: KVVec<Watched>,
        firsts: &Firsts,
    ) -> Result<Self, Refusal> {
        let mut new = Self {
            calls: KVVec::with_capacity(watched.len(), GFP_KERNEL)?,
            patched: Patched::find(false)?,
            blocks: Blocks::none(),
        };
        let kprobes = Kprobes::now()?;
        for at in watched {
            let first = new.hash(&at, firsts, &kprobes)?;
            new.calls.push(Call { at, first }, GFP_KERNEL)?;
        }
        new.blocks = Blocks::see(landmarks, &new.patched, firsts, &kprobes)?;
        Ok(new)
    }

    pub(super) fn view(&self, firsts: &Firsts) -> Result<Rows, Refusal> {
        let mut rows = Rows::of::<abi::rtrace_view_text_of>();
        let kprobes = Kprobes::now()?;
        for Call { at, first } in &self.calls {
            let mut row = abi::rtrace_view_text_of {
                name: at.name.bytes(),
                address: at.start,
                bytes: at.end - at.start,
                hash: self.hash(at, firsts, &kprobes)?,
                first_hash: *first,
                ..Default::default()
            };
            let head = row.head.len().min(row.bytes as usize);
            if let Some(head) = row.head.get_mut(..head) {
                walk::copy(head, at.start);
            }
            rows.push(&row)?;
        }
        let blocks = &self.blocks;
        blocks.add_changed(&mut rows, &self.patched, firsts, &kprobes)?;
        Ok(rows)
    }
}
