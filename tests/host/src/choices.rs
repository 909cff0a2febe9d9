// SPDX-License-Identifier: GPL-2.0

//! Where a run of the stepper takes its decisions from: every combination in turn, or a list of
//! random bytes.

/// A source of decisions.
#[derive(Debug, Default)]
pub(crate) struct Choices {
    /// What was decided at each point of this run, and among how many.
    taken: Vec<(u8, u8)>,
    at: usize,
    /// Decisions of a random run; empty in an exhaustive one.
    bytes: Vec<u8>,
}

impl Choices {
    /// Decides by `bytes`, and for 0 when they are used up.
    pub(crate) fn random(bytes: Vec<u8>) -> Self {
        Choices {
            bytes,
            ..Choices::default()
        }
    }

    /// A number below `among`. 0 is the ordinary case: an exhaustive run tries it first, a random
    /// one takes it most of the time when `rare`.
    pub(crate) fn pick(&mut self, among: usize, rare: bool) -> usize {
        let among = u8::try_from(among).expect("few alternatives");
        if among < 2 {
            return 0;
        }
        if !self.bytes.is_empty() {
            let byte = self.bytes.get(self.at).copied().unwrap_or(0);
            self.at += 1;
            return match rare {
                true => byte
                    .saturating_sub(255 - 3 * (among - 1))
                    .div_ceil(3)
                    .into(),
                false => (byte % among).into(),
            };
        }
        if self.at == self.taken.len() {
            self.taken.push((0, among));
        }
        let (choice, before) = self.taken[self.at];
        assert_eq!(before, among, "a run must be determined by its decisions");
        self.at += 1;
        choice.into()
    }

    /// Makes ready for the next combination; false after the last.
    fn advance(&mut self) -> bool {
        self.taken.truncate(self.at);
        self.at = 0;
        while let Some((choice, among)) = self.taken.pop() {
            if choice + 1 < among {
                self.taken.push((choice + 1, among));
                return true;
            }
        }
        false
    }

    /// Runs `body` once for each combination of decisions it asks for, and returns how many.
    pub(crate) fn exhaust(mut body: impl FnMut(Choices) -> Choices) -> u64 {
        let mut choices = Choices::default();
        let mut runs = 0;
        loop {
            choices = body(choices);
            runs += 1;
            if !choices.advance() {
                return runs;
            }
        }
    }
}
