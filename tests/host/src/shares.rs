// SPDX-License-Identifier: GPL-2.0

//! What a ring of policy switch must answer to a writer, reckoned from positions alone, and what
//! each source has of its reserve: the model that [`crate::stepper`] holds the ring against.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::ring::{accounts_of, parts, Layout, Why, Word, HEAD_LEN, LOST_LEN, RECORD_MAX};

/// Rings smaller than this have no reserve.
const SHARED_MIN: u64 = 64 * 1024;
/// Epochs until the first comes again.
const EPOCHS: u64 = (1 << 19) - 1;

/// The words of a ring by which it decides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    pub(crate) head: u64,
    pub(crate) consumer: u64,
    pub(crate) pending: u64,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    end: u64,
    bytes: u64,
    source: u32,
}

/// Who has what of a reserve.
pub(crate) struct Shares {
    size: u64,
    taken: RefCell<HashMap<(u64, u32), u64>>,
    kept: RefCell<Vec<Kept>>,
}

impl Shares {
    pub(crate) fn new(layout: &Layout) -> Self {
        Shares {
            size: layout.size(),
            taken: RefCell::default(),
            kept: RefCell::default(),
        }
    }

    fn reserve(&self) -> u64 {
        match self.size {
            0..SHARED_MIN => 0,
            size => size / 8,
        }
    }

    fn record_max(&self) -> u32 {
        RECORD_MAX.min((self.size.max(SHARED_MIN) / 8) as u32)
    }

    /// What one source may take in one epoch.
    pub(crate) fn share(&self) -> u64 {
        self.reserve() / 16
    }

    fn epoch(&self, consumer: u64) -> u64 {
        consumer / self.reserve() % EPOCHS + 1
    }

    /// Whether bytes up to `end` reach into the reserve.
    pub(crate) fn is_reserved(&self, end: u64, consumer: u64) -> bool {
        end > consumer + (self.size - self.reserve())
    }

    /// What becomes of a record of `len` bytes of a source.
    pub(crate) fn verdict(
        &self,
        state: State,
        len: u32,
        source: u32,
        word: impl Fn(Word) -> u64,
    ) -> Option<Why> {
        if !(HEAD_LEN..=self.record_max()).contains(&len) || len % 8 != 0 {
            return Some(Why::Full);
        }
        let need = u64::from(len) + u64::from(if state.pending > 0 { LOST_LEN } else { 0 });
        let left = self.size - state.head % self.size;
        let end = state.head + need + if left < need { left } else { 0 };
        if end - state.consumer > self.size {
            return Some(Why::Full);
        }
        if !self.is_reserved(end, state.consumer) {
            return None;
        }
        let epoch = self.epoch(state.consumer);
        let taken = self.taken.borrow().get(&(epoch, source)).copied();
        let may_open = || accounts_of(source).any(|account| parts(word(account)).0 != epoch);
        let allowed = match taken {
            None => may_open() && need <= self.share(),
            Some(taken) => taken + need <= self.share(),
        };
        if allowed {
            None
        } else {
            Some(Why::Flood)
        }
    }

    /// An account was changed by a writer of `source`. Returns by how many bytes.
    pub(crate) fn account_changed(&self, old: u64, new: u64, source: u32, consumer: u64) -> i64 {
        let (old_epoch, old_source, old_bytes) = parts(old);
        let (epoch, of, bytes) = parts(new);
        assert_eq!(of, source, "another one's account");
        let same = (old_epoch, old_source) == (epoch, of);
        assert!(
            same || old_epoch != self.epoch(consumer),
            "an account in use was given away"
        );
        let before = if same { old_bytes } else { 0 };
        let mut taken = self.taken.borrow_mut();
        let model = taken.entry((epoch, of)).or_default();
        assert_eq!(*model, before, "the sum in an account is wrong");
        *model = bytes;
        assert!(bytes <= self.share(), "{bytes} bytes are more than a share");
        bytes as i64 - before as i64
    }

    /// A record was put into the reserve.
    pub(crate) fn keep(&self, end: u64, bytes: u64, source: u32) {
        self.kept.borrow_mut().push(Kept { end, bytes, source });
    }

    /// Nobody has more of the reserve as it is now than two shares.
    pub(crate) fn check(&self, consumer: u64) {
        let mut kept = self.kept.borrow_mut();
        kept.retain(|kept| self.is_reserved(kept.end, consumer));
        let mut sums = HashMap::<u32, u64>::new();
        for kept in kept.iter() {
            *sums.entry(kept.source).or_default() += kept.bytes;
        }
        for (source, bytes) in sums {
            assert!(
                bytes <= 2 * self.share(),
                "{source} has {bytes} bytes of a reserve of {}",
                self.reserve()
            );
        }
    }
}
