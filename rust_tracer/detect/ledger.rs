// SPDX-License-Identifier: GPL-2.0

//! Every module that was ever known here: by the kernel's notifier, and by its list, its objects and
//! its tree of addresses whenever somebody looks.
//!
//! A module stays until the notifier says that it went, whatever the kernel's own accounts say: who
//! takes himself off those is still here. Of those that went the last [`GONE_MAX`] are kept, so that
//! what still runs in their text has a name.

#![forbid(unsafe_code)]

use kernel::prelude::*;

use super::{
    hunt::Hunt,
    name::Name,
    ranges::Range,
    rows::Rows,
    text::is_empty,
    walk::{
        self,
        Account, //
    },
};
use crate::{
    abi,
    bindings::{
        self,
        rtrace_module_fact, //
    },
    clock,
    functions,
    refusal::Refusal, //
};

const GONE_MAX: usize = 256;

/// How long what a module has begun asynchronously may take when it is initialised: disks that spin up. ns.
const ASYNCHRONOUS: u64 = 120 * clock::NS_PER_SEC;

/// MODULE_STATE_*.
const LIVE: u32 = 0;
const COMING: u32 = 1;
const UNFORMED: u32 = 3;

const TEXT: usize = bindings::RTRACE_MODULE_TEXT as usize;
const PARTS: usize = bindings::RTRACE_MODULE_RANGES as usize;
/// The first of those that are freed after initialisation.
const INIT_TEXT: usize = bindings::RTRACE_MODULE_INIT_TEXT as usize;

const ACCOUNTS: u32 = abi::RTRACE_SEEN_LIST | abi::RTRACE_SEEN_KSET | abi::RTRACE_SEEN_TREE;
const TOLD: u32 = abi::RTRACE_SEEN_CAME | abi::RTRACE_SEEN_WENT | abi::RTRACE_SEEN_AT_LOAD;

/// What is known for good, and not by an account.
const KEPT: u32 = TOLD | abi::RTRACE_SEEN_HUNTS | abi::RTRACE_SEEN_LIVED;

pub(super) struct Known {
    /// As it was when it was known best.
    fact: rtrace_module_fact,
    came: u64,
    /// When we were told that it is live.
    lived: u64,
    went: u64,
    /// RTRACE_SEEN_*.
    seen: u32,
    /// Start and length of its text for initialisation, once that is freed.
    init: (u64, u64),
    /// How far its text was code when it came: the rest of the last page is nobody's. 0: not known.
    code: u64,
    /// Whether it has lost bits of its taints, which the kernel never takes away.
    cleaned: bool,
}

/// How far a text is code.
fn code_in(base: u64, bytes: u64) -> u64 {
    const CHUNK: u64 = 256;
    let mut chunk = [0; CHUNK as usize];
    let mut end = bytes;
    while end != 0 {
        let start = end.saturating_sub(CHUNK);
        let text = chunk.get_mut(..(end - start) as usize).unwrap_or_default();
        if !walk::copy(text, base.wrapping_add(start)) {
            return 0;
        }
        if let Some(last) = text.iter().rposition(|byte| !is_empty(*byte)) {
            return start + last as u64 + 1;
        }
        end = start;
    }
    0
}

impl Known {
    fn new(fact: rtrace_module_fact, seen: u32) -> Self {
        Self {
            fact,
            came: 0,
            lived: 0,
            went: 0,
            seen,
            init: (0, 0),
            code: 0,
            cleaned: false,
        }
    }

    /// Its taints as they are; those that it had stay known.
    fn see_taints(&mut self, now: u64) {
        self.cleaned = self.fact.taints & !now != 0;
        self.fact.taints |= now;
    }

    /// Its state as it is, and who holds it.
    fn see_state(&mut self, now: &rtrace_module_fact) {
        self.fact.state = now.state;
        self.fact.initialised = now.initialised;
        self.fact.held = now.held;
    }

    /// Sees how far its text is code.
    fn see_code(&mut self) {
        let (base, bytes) = self.text();
        self.code = code_in(base, bytes);
    }

    /// Whether it has more text than it came with: behind its own, or what it says is text for its initialisation,
    /// which was freed.
    fn grew(&self) -> bool {
        let (base, bytes) = self.text();
        let is_longer = self.code != 0 && code_in(base, bytes) > self.code;
        !self.is_gone() && (is_longer || self.has_init() && self.is_initialised())
    }

    /// Whether its memory for initialisation must have been freed. What it has begun asynchronously may keep it for a
    /// while after we were told; not for as long as somebody likes.
    fn is_initialised(&self) -> bool {
        let settled = self.fact.initialised != 0;
        let waits = self.lived != 0 && clock::now().saturating_sub(self.lived) < ASYNCHRONOUS;
        self.fact.state == LIVE && (settled || !waits)
    }

    /// Whether it has memory for its initialisation.
    fn has_init(&self) -> bool {
        let mut parts = self.fact.bytes.iter().skip(INIT_TEXT);
        parts.any(|bytes| *bytes != 0)
    }

    pub(super) fn is_gone(&self) -> bool {
        self.seen & abi::RTRACE_SEEN_WENT != 0
    }

    fn name(&self) -> Name {
        Name::from(self.fact.name)
    }

    pub(super) fn structure(&self) -> u64 {
        self.fact.structure
    }

    pub(super) fn seen(&self) -> u32 {
        self.seen
    }

    /// Start and length of its text.
    pub(super) fn text(&self) -> (u64, u64) {
        (self.fact.base[TEXT], self.fact.bytes[TEXT])
    }

    fn range(&self, base: u64, bytes: u64, kind: u32) -> Range {
        Range {
            start: base,
            end: base.saturating_add(bytes),
            kind,
            seen: self.seen,
            name: self.name(),
        }
    }

    /// All memory that it has, and at the end its text for initialisation that was freed.
    pub(super) fn ranges(&self) -> [Range; PARTS + 1] {
        core::array::from_fn(|part| {
            let of = self.fact.base.get(part).zip(self.fact.bytes.get(part));
            let Some((base, bytes)) = of else {
                return self.range(self.init.0, self.init.1, abi::RTRACE_OWNER_GONE);
            };
            let kind = match part {
                _ if self.is_gone() => abi::RTRACE_OWNER_GONE,
                TEXT | INIT_TEXT if self.seen & abi::RTRACE_SEEN_LIST == 0 => {
                    abi::RTRACE_OWNER_HIDDEN
                }
                TEXT | INIT_TEXT => abi::RTRACE_OWNER_MODULE,
                _ => abi::RTRACE_OWNER_DATA,
            };
            self.range(*base, *bytes, kind)
        })
    }

    /// The parts that are freed after initialisation.
    fn init_parts(&mut self) -> impl Iterator<Item = (&mut u64, &mut u64)> {
        let fact = &mut self.fact;
        fact.base.iter_mut().zip(&mut fact.bytes).skip(INIT_TEXT)
    }

    /// Its structure says something new. Of one that was told of, what it was told does not change,
    /// but for its state and what it had for its initialisation.
    fn refresh(&mut self, now: &rtrace_module_fact) {
        let before = self.fact.taints;
        if self.seen & TOLD == 0 {
            self.fact = *now;
            self.fact.taints = before;
            self.see_taints(now.taints);
            return;
        }
        self.see_state(now);
        self.see_taints(now.taints);
        let parts = now.base.iter().zip(&now.bytes).skip(INIT_TEXT);
        for ((base, bytes), now) in self.init_parts().zip(parts) {
            (*base, *bytes) = (*now.0, *now.1);
        }
    }

    /// Where its text for initialisation is, which is about to be freed.
    fn drop_init(&mut self) -> (u64, u64) {
        let mut text = None;
        for (base, bytes) in self.init_parts() {
            text.get_or_insert((*base, *bytes));
            (*base, *bytes) = (0, 0);
        }
        self.init = text.unwrap_or_default();
        self.init
    }

    /// Whether the kernel says that addresses of its text are this module's.
    fn resolves(&self) -> Result<bool> {
        if walk::module_of(self.fact.structure) != Some(self.fact.structure) {
            return Ok(false);
        }
        let (base, bytes) = self.text();
        // A module of data alone has no text to be named.
        let Some(last) = bytes.checked_sub(1) else {
            return Ok(true);
        };
        let Some(named) = functions::name_of_address(base.wrapping_add(last) as usize)? else {
            return Ok(false);
        };
        let end = named.strip_suffix(b"]").unwrap_or_default();
        Ok(end
            .strip_suffix(self.name().as_slice())
            .is_some_and(|before| before.ends_with(b"[")))
    }

    fn row(&self) -> abi::rtrace_view_module {
        let (base, bytes) = self.text();
        let flag = |is: bool, flag: u32| if is { flag } else { 0 };
        let grew = flag(self.grew(), abi::RTRACE_SEEN_GREW);
        let cleaned = flag(self.cleaned, abi::RTRACE_SEEN_CLEANED);
        abi::rtrace_view_module {
            name: self.name().bytes(),
            structure: self.fact.structure,
            base,
            bytes,
            came: self.came,
            went: self.went,
            taints: self.fact.taints,
            seen: self.seen | grew | cleaned,
            state: self.fact.state,
        }
    }
}

pub(super) struct Ledger {
    all: KVVec<Known>,
    hunt: Hunt,
}

impl Ledger {
    pub(super) const fn new(hunt: Hunt) -> Self {
        Self {
            all: KVVec::new(),
            hunt,
        }
    }

    pub(super) fn modules(&self) -> impl Iterator<Item = &Known> {
        self.all.iter()
    }

    /// The one that is there, of this structure.
    fn find(&mut self, structure: u64) -> Option<&mut Known> {
        let mut all = self.all.iter_mut().rev();
        all.find(|known| known.fact.structure == structure && !known.is_gone())
    }

    /// Calls `each` with the memory of the one of this structure that is there.
    pub(super) fn each_range_of(&mut self, structure: u64, mut each: impl FnMut(&Range)) {
        if let Some(known) = self.find(structure) {
            let ranges = known.ranges();
            let still = |range: &&Range| range.kind != abi::RTRACE_OWNER_GONE;
            ranges.iter().filter(still).for_each(&mut each);
        }
    }

    /// The notifier says that it comes.
    pub(super) fn comes(&mut self, structure: u64) -> Result {
        let Some(fact) = walk::module(structure) else {
            return Ok(());
        };
        let mut new = Known::new(fact, abi::RTRACE_SEEN_CAME);
        new.came = clock::now();
        new.see_code();
        // It is known even if there is no memory to look into it.
        if self.hunt.is_on(&new.fact).unwrap_or(false) {
            new.seen |= abi::RTRACE_SEEN_HUNTS;
        }
        match self.find(structure) {
            // Somebody has looked between its being put on the list and the notifier.
            Some(known) => *known = new,
            None => self.all.push(new, GFP_KERNEL)?,
        }
        Ok(())
    }

    /// The notifier says that it is initialised.
    /// Returns start and length of its text for initialisation.
    pub(super) fn lives(&mut self, structure: u64) -> (u64, u64) {
        self.find(structure).map_or((0, 0), |known| {
            known.seen |= abi::RTRACE_SEEN_LIVED;
            known.lived = clock::now();
            known.drop_init()
        })
    }

    /// The notifier says that it goes.
    pub(super) fn goes(&mut self, structure: u64) {
        let Some(known) = self.find(structure) else {
            return;
        };
        known.seen |= abi::RTRACE_SEEN_WENT;
        known.went = clock::now();
        let gone = self.all.iter().filter(|known| known.is_gone()).count();
        let mut over = gone.saturating_sub(GONE_MAX);
        self.all.retain(|known| {
            let drop = known.is_gone() && over != 0;
            over -= usize::from(drop);
            !drop
        });
    }

    fn note(&mut self, facts: &[rtrace_module_fact], by: u32) -> Result {
        for fact in facts {
            if let Some(known) = self.find(fact.structure) {
                known.refresh(fact);
                known.seen |= by;
                continue;
            }
            // What goes is still on the list for a while, with what it had; but it is not live again: that is another, at
            // the same place.
            let mut all = self.all.iter_mut().rev();
            let going = all.find(|known| {
                known.fact.structure == fact.structure
                    && known.fact.name == fact.name
                    && fact.state != LIVE
            });
            match going {
                Some(known) => known.seen |= by,
                None => self.all.push(Known::new(*fact, by), GFP_KERNEL)?,
            }
        }
        Ok(())
    }

    /// Asks all accounts who is there. Takes locks of the kernel's.
    pub(super) fn look(&mut self) -> Result<(), Refusal> {
        let accounts = [
            (Account::List, abi::RTRACE_SEEN_LIST),
            (Account::Kset, abi::RTRACE_SEEN_KSET),
            (Account::Tree, abi::RTRACE_SEEN_TREE),
        ];
        for known in &mut self.all {
            known.seen &= KEPT;
        }
        for (account, by) in accounts {
            let facts = match walk::modules(account) {
                // What this kernel does not have, or not where it is known to be.
                Err(refusal) if refusal.error == EOPNOTSUPP => continue,
                facts => facts?,
            };
            self.note(&facts, by)?;
        }
        // Who was seen while it was being loaded, and was not, after all.
        self.all.retain(|known| {
            let half = matches!(known.fact.state, UNFORMED | COMING);
            known.seen & (TOLD | ACCOUNTS) != 0 || !half
        });
        for known in &mut self.all {
            if known.is_gone() {
                continue;
            }
            if known.seen & ACCOUNTS == 0 {
                // Its structure is asked for what changes; where it is, it was told before.
                if let Some(now) = walk::module(known.fact.structure) {
                    known.see_state(&now);
                    known.see_taints(now.taints);
                }
            }
            let (base, bytes) = known.text();
            let is_mapped =
                bytes != 0 && walk::page_is(base) & bindings::RTRACE_PAGE_EXECUTABLE != 0;
            let is_live = known.fact.state == LIVE;
            for (bit, is) in [
                (abi::RTRACE_SEEN_LIVE, is_live),
                (abi::RTRACE_SEEN_LIVED, is_live),
                (abi::RTRACE_SEEN_HELD, known.fact.held != 0),
                (abi::RTRACE_SEEN_TEXT, is_mapped),
                (abi::RTRACE_SEEN_RESOLVES, known.resolves()?),
            ] {
                known.seen |= if is { bit } else { 0 };
            }
        }
        Ok(())
    }

    /// Who is there was there when this module was loaded, unless he was told of.
    pub(super) fn begin(&mut self) -> Result<(), Refusal> {
        self.look()?;
        for known in &mut self.all {
            if known.seen & TOLD == 0 {
                known.seen |= abi::RTRACE_SEEN_AT_LOAD;
                // Whatever its state says.
                if !known.has_init() {
                    known.seen |= abi::RTRACE_SEEN_LIVED;
                }
                known.see_code();
                if self.hunt.is_on(&known.fact)? {
                    known.seen |= abi::RTRACE_SEEN_HUNTS;
                }
            }
        }
        Ok(())
    }

    /// RTRACE_VIEW_MODULES, after a look.
    pub(super) fn view(&self) -> Result<Rows> {
        let mut rows = Rows::of::<abi::rtrace_view_module>();
        for known in &self.all {
            rows.push(&known.row())?;
        }
        Ok(rows)
    }
}
