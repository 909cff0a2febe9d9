// SPDX-License-Identifier: GPL-2.0

//! The words of a bucket: its `home`, which who writes a key locks, and the states of its slots.

#![forbid(unsafe_code)]

/// A bucket's word: what its keys share.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Home(pub(super) u64);

impl Home {
    const LOCKED: u64 = 1;
    const STRAY: u64 = 2;
    const STRAYS: u64 = ((1 << 24) - 1) * Self::STRAY;
    const VERSION: u64 = Self::STRAYS + Self::STRAY;

    pub(super) fn is_locked(self) -> bool {
        self.0 & Self::LOCKED != 0
    }

    pub(super) fn locked(self) -> Self {
        Home(self.0 | Self::LOCKED)
    }

    pub(super) fn unlocked(self) -> Self {
        Home(self.0 & !Self::LOCKED)
    }

    pub(super) fn next_version(self) -> Self {
        Home(self.0.wrapping_add(Self::VERSION))
    }

    /// Whether keys of this home are elsewhere.
    pub(super) fn has_strays(self) -> bool {
        self.0 & Self::STRAYS != 0
    }

    /// One more; nothing if no more can be counted.
    pub(super) fn with_stray(self) -> Option<Self> {
        (self.0 & Self::STRAYS != Self::STRAYS).then_some(Home(self.0.wrapping_add(Self::STRAY)))
    }

    pub(super) fn without_stray(self) -> Self {
        Home(self.0.wrapping_sub(Self::STRAY))
    }
}

/// A slot's word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct State(pub(super) u64);

impl State {
    pub(super) const FREE: u64 = 0;
    pub(super) const WRITING: u64 = 1;
    pub(super) const LIVE: u64 = 2;
    pub(super) const KIND: u64 = 3;
    const GENERATION: u64 = 4;
    const TAG: u64 = 0xffff_ffff << 32;

    pub(super) fn is_free(self) -> bool {
        self.0 & Self::KIND == Self::FREE
    }

    /// Whether a key with this tag may be there.
    pub(super) fn may_be(self, tag: u64) -> bool {
        self.0 & (Self::TAG | Self::KIND) == tag | Self::LIVE
    }

    /// The next generation of that kind.
    pub(super) fn next(self, tag: u64, kind: u64) -> Self {
        let generation = self.0.wrapping_add(Self::GENERATION) & !(Self::TAG | Self::KIND);
        State(tag | generation | kind)
    }
}
