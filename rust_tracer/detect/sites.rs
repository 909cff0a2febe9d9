// SPDX-License-Identifier: GPL-2.0

//! RTRACE_VIEW_SITES: what stands where functions can be attached to, by ftrace's records and by the
//! text itself; and whether their first bytes are still what they were.
//!
//! The first bytes of every function are kept from the time that this module was loaded, or that the
//! function's own module came, before anybody could attach to it through us.
//!
//! ```text
//!   function ─► endbr64 (or what became of it)   0 or 4 bytes
//!       site ─► nop, call, jump or int3          5 bytes: whoever is attached
//!               the rest, up to BYTES, or to where the next function begins
//! ```

#![forbid(unsafe_code)]

use core::ops::Range;

use kernel::prelude::*;

use super::{
    kprobes::Kprobes,
    owners::Owners,
    patched::with_locks,
    rows::Rows,
    walk, //
};
use crate::{
    abi,
    bindings::{
        rtrace_kprobe_fact,
        rtrace_site_fact, //
    },
    functions::LoadedModule,
    refusal::Refusal,
    sort::sort_by, //
};

const BYTES: usize = 24;
type Bytes = [u8; BYTES];

/// Bytes of a site, and of what may stand in front of it.
pub(super) const SITE: usize = 5;
const AHEAD: u8 = 4;

/// A function as it was first.
#[derive(Clone, Copy)]
struct First {
    site: u64,
    /// Bytes of it before its site.
    ahead: u8,
    bytes: Bytes,
}

/// An `endbr64`, or the `nopl` that the kernel makes of one that nobody needs.
fn is_endbr(bytes: &[u8]) -> bool {
    matches!(bytes, [0xf3, 0x0f, 0x1e, 0xfa] | [0x0f, 0x1f, 0x40, 0xd6])
}

/// Bytes from an address on; zeroes behind what can be read.
fn read(address: u64) -> Bytes {
    let mut bytes = [0; BYTES];
    if !walk::copy(&mut bytes, address) {
        // The end of a page, it may be, and of the text.
        let rest = (address.wrapping_neg() % kernel::page::PAGE_SIZE as u64) as usize;
        if let Some(part) = bytes.get_mut(..rest) {
            walk::copy(part, address);
        }
    }
    bytes
}

impl First {
    /// Of any address: records of ftrace's may have been changed.
    fn see(site: u64) -> Self {
        let mut before = [0; AHEAD as usize];
        let start = site.wrapping_sub(AHEAD.into());
        let has_endbr = walk::copy(&mut before, start) && is_endbr(&before);
        let ahead = if has_endbr { AHEAD } else { 0 };
        Self {
            site,
            ahead,
            bytes: read(site.wrapping_sub(ahead.into())),
        }
    }

    fn function(&self) -> u64 {
        self.site.wrapping_sub(self.ahead.into())
    }
}

/// The functions as they were first: the kernel's, which stay, and modules', both in the order of their
/// sites.
pub(super) struct Firsts {
    kernel: KVVec<First>,
    modules: KVVec<First>,
    /// Where the kernel's are.
    image: Range<u64>,
}

impl Firsts {
    pub(super) const fn none() -> Self {
        Self {
            kernel: KVVec::new(),
            modules: KVVec::new(),
            image: 0..0,
        }
    }

    /// Sees all functions that ftrace knows for the first time. At load.
    pub(super) fn see_all(image: Range<u64>) -> Result<Self, Refusal> {
        let sites = walk::all::<rtrace_site_fact>()?;
        let mut new = Self {
            kernel: KVVec::with_capacity(sites.len(), GFP_KERNEL)?,
            modules: KVVec::new(),
            image,
        };
        for site in &sites {
            let first = First::see(site.site);
            if new.image.contains(&site.site) {
                new.kernel.push(first, GFP_KERNEL)?;
            } else {
                new.modules.push(first, GFP_KERNEL)?;
            }
        }
        // Kprobes that were there before us.
        let probes = walk::all::<rtrace_kprobe_fact>().unwrap_or_default();
        for part in [&mut new.kernel, &mut new.modules] {
            sort_by(part, |a, b| a.site.cmp(&b.site));
            for probe in &probes {
                let at = part.partition_point(|first| first.function() <= probe.address);
                let first = at.checked_sub(1).and_then(|at| part.get_mut(at));
                if let Some(first) = first {
                    let start = first.function();
                    Kprobes::of(probe)?.restore(&mut first.bytes, start);
                }
            }
        }
        Ok(new)
    }

    /// A module comes, into memory where another one may have been.
    pub(super) fn module_comes(&mut self, module: &LoadedModule) -> Result {
        let mut count = 0;
        walk::sites_of(module, |_| count += 1);
        self.modules.reserve(count, GFP_KERNEL)?;
        walk::sites_of(module, |site| {
            // There is room.
            let _ = self.modules.push_within_capacity(First::see(site.site));
        });
        sort_by(&mut self.modules, |a, b| a.site.cmp(&b.site));
        Ok(())
    }

    /// What was in a range of modules' memory is not there any more.
    pub(super) fn forget(&mut self, start: u64, end: u64) {
        self.modules
            .retain(|first| !(start..end).contains(&first.site));
    }

    /// The function of a site, and how many of its bytes are compared: those before the next one begins.
    fn find(&self, site: u64) -> Option<(&First, usize)> {
        let part = if self.image.contains(&site) {
            &self.kernel
        } else {
            &self.modules
        };
        let at = part.binary_search_by_key(&site, |first| first.site).ok()?;
        let this = part.get(at)?;
        let window = part.get(at + 1).map_or(BYTES, |next| {
            let apart = next.function().saturating_sub(this.function());
            usize::try_from(apart).map_or(BYTES, |apart| apart.min(BYTES))
        });
        Some((this, window))
    }

    /// Whether any was seen.
    pub(super) fn are_known(&self) -> bool {
        !self.kernel.is_empty()
    }

    /// Whether a function's site is there.
    pub(super) fn has(&self, site: u64) -> bool {
        self.find(site).is_some()
    }

    /// The sites in a range of the kernel's text.
    pub(super) fn within(&self, start: u64, end: u64) -> impl Iterator<Item = u64> + '_ {
        let from = self.kernel.partition_point(|first| first.site < start);
        let rest = self.kernel.get(from..).unwrap_or_default().iter();
        rest.map(|first| first.site)
            .take_while(move |site| *site < end)
    }
}

/// What was found at a site, while it could not change.
#[derive(Clone, Copy)]
struct Found {
    fact: rtrace_site_fact,
    function: u64,
    bytes: Bytes,
    first: Bytes,
    /// A bit for each byte that differs, outside the site.
    differ: u32,
}

impl Found {
    fn see(firsts: &Firsts, fact: &rtrace_site_fact) -> Self {
        let Some((first, window)) = firsts.find(fact.site) else {
            // Nobody has seen it before.
            let first = First::see(fact.site);
            return Self {
                fact: *fact,
                function: first.function(),
                bytes: first.bytes,
                first: first.bytes,
                differ: 0,
            };
        };
        let bytes = read(first.function());
        let site = usize::from(first.ahead)..usize::from(first.ahead) + SITE;
        let mut differ = 0;
        if bytes != first.bytes {
            for (at, (now, then)) in bytes.iter().zip(&first.bytes).enumerate().take(window) {
                let differs = with_locks(*now) != with_locks(*then) && !site.contains(&at);
                differ |= u32::from(differs) << at;
            }
        }
        Self {
            fact: *fact,
            function: first.function(),
            bytes,
            first: first.bytes,
            differ,
        }
    }

    /// What stands at the site, and where it leads.
    fn site(&self) -> (u32, Option<u64>) {
        let ahead = self.fact.site.wrapping_sub(self.function) as usize;
        let Some([opcode, rest @ ..]) = self
            .bytes
            .get(ahead..)
            .and_then(|bytes| bytes.first_chunk::<SITE>())
        else {
            return (abi::RTRACE_SITE_OTHER, None);
        };
        let behind = self.fact.site.wrapping_add(SITE as u64);
        let target = behind.wrapping_add_signed(i32::from_le_bytes(*rest).into());
        match (opcode, rest) {
            // The nops of five bytes that the kernel and its tools write.
            (0x0f, [0x1f, 0x44, 0x00, 0x00]) => (abi::RTRACE_SITE_IDLE, None),
            (0xe8, _) => (abi::RTRACE_SITE_CALL, Some(target)),
            (0xe9, _) => (abi::RTRACE_SITE_JUMP, Some(target)),
            (0xcc, _) => (abi::RTRACE_SITE_TRAP, None),
            _ => (abi::RTRACE_SITE_OTHER, None),
        }
    }

    fn is_worth_telling(&self) -> bool {
        self.fact.users != 0
            || self.fact.record & !abi::RTRACE_REC_DISABLED != 0
            || self.differ != 0
            || self.site().0 != abi::RTRACE_SITE_IDLE
    }

    /// Takes out of `differ` what the kernel changed itself.
    fn explain(&mut self, kprobes: [&Kprobes; 2]) {
        for probes in kprobes {
            let mut bytes = self.bytes;
            if self.differ == 0 {
                return;
            }
            probes.restore(&mut bytes, self.function);
            for (at, (now, restored)) in self.bytes.iter().zip(&bytes).enumerate() {
                if now != restored {
                    self.differ &= !(1 << at);
                }
            }
        }
        for at in 0..BYTES {
            if self.differ & 1 << at != 0
                && walk::is_patched_by_kernel(self.function.wrapping_add(at as u64))
            {
                self.differ &= !(1 << at);
            }
        }
    }

    fn row(&self, owners: &Owners) -> abi::rtrace_view_site {
        let (site_has, target) = self.site();
        abi::rtrace_view_site {
            site: self.fact.site,
            function: self.function,
            target: owners.of(target.unwrap_or(0)),
            site_has,
            record: self.fact.record,
            users: self.fact.users,
            changed: self.differ,
            bytes: self.bytes,
            first: self.first,
        }
    }
}

pub(super) fn view(firsts: &Firsts, owners: &Owners) -> Result<Rows, Refusal> {
    let before = Kprobes::now()?;
    let mut room = 256;
    let mut found = loop {
        let mut found = KVVec::with_capacity(room, GFP_KERNEL)?;
        let mut count = 0;
        // Text is read while ftrace patches none of it.
        walk::each(|fact: &rtrace_site_fact| {
            let site = Found::see(firsts, fact);
            if site.is_worth_telling() {
                count += 1;
                let _ = found.push_within_capacity(site);
            }
        })?;
        if count == found.len() {
            break found;
        }
        room = count + count / 8;
    };
    let after = Kprobes::now()?;
    let mut rows = Rows::of::<abi::rtrace_view_site>();
    for site in &mut found {
        site.explain([&before, &after]);
        // A branch of the kernel's own is nobody's.
        if site.is_worth_telling() {
            rows.push(&site.row(owners))?;
        }
    }
    Ok(rows)
}

/// How many of these sites lead to `ours`, or to where ftrace calls whoever is on its list, and we
/// are, if `listed`. Sorted.
pub(super) fn leading_to(
    sites: &[usize],
    listed: bool,
    mut ours: impl FnMut(u64) -> bool,
    owners: &Owners,
) -> Result<u32, Refusal> {
    let mut targets = KVVec::with_capacity(sites.len(), GFP_KERNEL)?;
    let none = Firsts::none();
    walk::each(|fact: &rtrace_site_fact| {
        if sites.binary_search(&(fact.site as usize)).is_ok() {
            if let (_, Some(target)) = Found::see(&none, fact).site() {
                let _ = targets.push_within_capacity(target);
            }
        }
    })?;
    let mut count = 0;
    for target in &targets {
        let by_list = matches!(
            owners.of(*target).kind,
            abi::RTRACE_OWNER_KERNEL | abi::RTRACE_OWNER_FTRACE | abi::RTRACE_OWNER_BPF
        );
        count += u32::from(ours(*target) || listed && by_list);
    }
    Ok(count)
}
