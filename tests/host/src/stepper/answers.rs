// SPDX-License-Identifier: GPL-2.0

//! What the ring must answer to a writer when it is nearly full, by the model in [`crate::shares`].

use super::World;
use crate::ring::{Policy, Why, Word, LOST_LEN};
use crate::shares::State;

impl World {
    /// What the ring must answer as things are now to the innermost writer.
    pub(super) fn look(&self) {
        if self.plan.policy != Policy::Switch {
            return;
        }
        let mut inside = self.inside.borrow_mut();
        let counts_loss = inside.iter().any(|writer| writer.counts_loss);
        let undecided = inside.last_mut().filter(|writer| !writer.decided);
        let Some((writer, len)) = undecided.and_then(|w| w.wants.map(|len| (w, len))) else {
            return;
        };
        let state = State {
            head: self.word(Word::HEAD),
            consumer: self.word(Word::CONS_SEEN),
            pending: self.word(Word::PENDING),
        };
        let verdict = |state| {
            let word = |word| self.word(word);
            self.shares.verdict(state, len, writer.source, word)
        };
        let mut right = vec![verdict(state)];
        // A loss that is being counted below, or was since it looked, may be told later.
        for pending in writer
            .saw_pending
            .into_iter()
            .chain(counts_loss.then_some(0))
        {
            right.push(verdict(State { pending, ..state }));
        }
        writer.was_right.extend_from_slice(&right);
        writer.right = right;
    }

    /// The answer was right: when it was given, or, if others came between, at some time since it
    /// was asked for.
    pub(super) fn check_verdict(&self, answer: Option<Why>) {
        if self.plan.policy != Policy::Switch {
            return;
        }
        self.with_writer(|writer| {
            let right = if writer.interrupted {
                &writer.was_right
            } else {
                &writer.right
            };
            assert!(right.contains(&answer), "{answer:?}: {writer:?}");
            assert!(answer.is_none() || writer.share == 0, "dropped, and paid");
        });
    }

    /// A record that ends at `end` was paid for with its source's share if it had to be.
    pub(super) fn check_share(&self, end: u64, len: u32) {
        if self.plan.policy != Policy::Switch {
            return;
        }
        let paid = self.with_writer(|writer| {
            let need = i64::from(len + if writer.told { LOST_LEN } else { 0 });
            if writer.interrupted {
                // The consumer may have moved on after it paid.
                assert!([0, need].contains(&writer.share), "{writer:?}");
                assert!(writer.share > 0 || !writer.reserved, "{writer:?}");
            } else {
                let due = if writer.reserved { need } else { 0 };
                assert_eq!(writer.share, due, "{writer:?}");
            }
            (writer.share > 0).then_some((writer.share as u64, writer.source))
        });
        if let Some((bytes, source)) = paid {
            self.shares.keep(end, bytes, source);
        }
    }
}
