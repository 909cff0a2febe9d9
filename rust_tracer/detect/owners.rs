// SPDX-License-Identifier: GPL-2.0

//! Whose an address is: ranges of the kernel's image, of modules as the ledger has them, and of text
//! that the kernel makes at run time (trampolines, slots, BPF), laid out to be searched.
//!
//! ```text
//!   exact    the kernel, modules, BPF programs, trampolines, slots   looked in first
//!   wide     what holds several of them: packs of BPF programs       then here
//!   gone     text of modules that went                               then here
//! ```
//!
//! What is in none of them is nobody's, if it is executable or not mapped; else it is data: the
//! kernel allocated it, nobody says for whom.

#![forbid(unsafe_code)]

use kernel::prelude::*;

use super::{
    ledger::Ledger,
    name::Name,
    ranges::{
        Layer,
        Past,
        Range, //
    },
    walk, //
};
use crate::{
    abi::{
        self,
        rtrace_owner, //
    },
    bindings::{
        self,
        rtrace_landmarks,
        rtrace_range_fact, //
    },
    refusal::Refusal, //
};

pub(super) struct Owners {
    exact: Layer,
    wide: Layer,
    gone: Past,
}

const PAGE: u64 = kernel::page::PAGE_SIZE as u64;

/// The kernel's image: its text, what of it was for booting, and the rest.
fn image(landmarks: &rtrace_landmarks) -> [Range; 3] {
    let range = |start: u64, end: u64, kind| Range {
        start,
        end,
        kind,
        seen: 0,
        name: Name::new(b"vmlinux"),
    };
    // The rest of the last page of text is nothing else's.
    let text_end = (landmarks.text_end as u64).next_multiple_of(PAGE);
    [
        range(landmarks.text as u64, text_end, abi::RTRACE_OWNER_KERNEL),
        range(
            landmarks.init_text as u64,
            landmarks.init_text_end as u64,
            abi::RTRACE_OWNER_INIT,
        ),
        range(text_end, landmarks.image_end as u64, abi::RTRACE_OWNER_DATA),
    ]
}

impl Owners {
    /// As things are now. Takes locks of the kernel's.
    pub(super) fn new(landmarks: &rtrace_landmarks, ledger: &Ledger) -> Result<Self, Refusal> {
        let mut new = Self {
            exact: Layer::new(),
            wide: Layer::new(),
            gone: Past::new(),
        };
        let [text, boot, rest] = image(landmarks);
        new.exact.add(text)?;
        new.exact.add(boot)?;
        // What was for booting lies in it.
        new.wide.add(rest)?;
        for module in ledger.modules() {
            for range in module.ranges() {
                match range.kind {
                    _ if range.start == range.end => {}
                    abi::RTRACE_OWNER_GONE => new.gone.add(range)?,
                    _ => new.exact.add(range)?,
                }
            }
        }
        for fact in &walk::all::<rtrace_range_fact>()? {
            let range = Range {
                start: fact.start,
                end: fact.start.saturating_add(fact.bytes),
                kind: fact.kind,
                seen: 0,
                name: Name::from(fact.name),
            };
            let is_pack = fact.kind == abi::RTRACE_OWNER_BPF && range.name.as_slice() == PACK;
            let layer = if is_pack {
                &mut new.wide
            } else {
                &mut new.exact
            };
            layer.add(range)?;
        }
        new.exact.sort();
        new.wide.sort();
        Ok(new)
    }

    pub(super) fn range(&self, address: u64) -> Option<&Range> {
        let present = self.exact.find(address);
        present
            .or_else(|| self.wide.find(address))
            .or_else(|| self.gone.find(address))
    }

    /// Where something else than what is at the address may begin.
    pub(super) fn changes_after(&self, address: u64) -> u64 {
        let end = self.range(address).map_or(u64::MAX, |range| range.end);
        let next = self.exact.next(address).min(self.wide.next(address));
        end.min(next).min(self.gone.next(address))
    }

    /// Whose it is.
    pub(super) fn of(&self, address: u64) -> rtrace_owner {
        let mut owner = rtrace_owner {
            address,
            ..Default::default()
        };
        if address == 0 {
            owner.kind = abi::RTRACE_OWNER_ZERO;
        } else if let Some(range) = self.range(address) {
            owner.base = range.start;
            owner.kind = range.kind;
            owner.seen = range.seen;
            owner.name = range.name.bytes();
        } else if walk::page_is(address) == bindings::RTRACE_PAGE_MAPPED {
            owner.kind = abi::RTRACE_OWNER_DATA;
        } else {
            owner.kind = abi::RTRACE_OWNER_NONE;
        }
        owner
    }
}

/// What the shim calls a pack of BPF programs.
const PACK: &[u8] = b"bpf_prog_pack";
