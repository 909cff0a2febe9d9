// SPDX-License-Identifier: GPL-2.0-only
//! One fact, and that it is not known.

/// A fact, or why it is not known.
#[derive(Clone, Debug)]
pub enum Told<T> {
    /// It is known.
    Is(T),
    /// Why not.
    Not(String),
}

impl<T> Default for Told<T> {
    fn default() -> Self {
        Self::Not("nobody asked".into())
    }
}

impl<T> Told<T> {
    /// The fact, or why there is none.
    pub fn get(&self) -> Result<&T, String> {
        match self {
            Self::Is(fact) => Ok(fact),
            Self::Not(why) => Err(why.clone()),
        }
    }

    /// The fact, if it is known.
    pub fn known(&self) -> Option<&T> {
        self.get().ok()
    }
}

impl<T, E: std::fmt::Display> From<Result<T, E>> for Told<T> {
    fn from(result: Result<T, E>) -> Self {
        match result {
            Ok(fact) => Self::Is(fact),
            Err(why) => Self::Not(why.to_string()),
        }
    }
}

/// What stands at an address that something is said to have called from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Code {
    /// It is mapped, and executable.
    pub executable: bool,
    /// There is a call before it.
    pub call: bool,
}
