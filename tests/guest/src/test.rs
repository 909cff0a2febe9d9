// SPDX-License-Identifier: GPL-2.0-only
//! What a test is, and how it says that something is not so.

#![forbid(unsafe_code)]

use std::fmt;
use std::io;

use rustix::io::Errno;

use crate::options::Options;

/// A sentence, and the function that finds out whether it is true.
#[derive(Clone, Copy)]
pub struct Test {
    /// The sentence.
    pub name: &'static str,
    /// Runs in a process of its own, as root.
    pub run: fn(&Options) -> Outcome,
}

/// Tests that belong together, under a heading that their names begin with.
pub struct Group {
    /// The heading.
    pub name: &'static str,
    /// In the order in which they run.
    pub tests: &'static [Test],
    /// Whether functions get stubs of their own meanwhile: the module's parameter `stub_slots`.
    pub slots: bool,
}

impl Group {
    /// The same, under another heading, by the stub that functions share.
    pub const fn shared(self, name: &'static str) -> Self {
        Self {
            name,
            slots: false,
            ..self
        }
    }
}

/// Makes a `Group` of `"sentence" => function` pairs.
macro_rules! group {
    ($group:literal: $($name:literal => $run:path,)*) => {
        pub const GROUP: $crate::test::Group = $crate::test::Group {
            name: $group,
            tests: &[$($crate::test::Test { name: $name, run: $run },)*],
            slots: true,
        };
    };
}

/// How a test ended that did not pass.
#[derive(Debug)]
pub enum Failure {
    /// The sentence is not true.
    Failed(String),
    /// This guest cannot show whether it is.
    Skipped(String),
}

/// How a test ended.
pub type Outcome<T = ()> = Result<T, Failure>;

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(why) | Self::Skipped(why) => to.write_str(why),
        }
    }
}

impl From<Errno> for Failure {
    #[track_caller]
    fn from(errno: Errno) -> Self {
        fail(format!("system call: {errno}"))
    }
}

impl From<io::Error> for Failure {
    #[track_caller]
    fn from(error: io::Error) -> Self {
        fail(error)
    }
}

/// A failure at the caller's place.
#[track_caller]
pub fn fail(why: impl fmt::Display) -> Failure {
    Failure::Failed(format!("{}: {why}", std::panic::Location::caller()))
}

/// Fails unless the condition holds.
macro_rules! check {
    ($condition:expr, $($why:tt)+) => {
        if !$condition {
            return Err($crate::test::fail(format!($($why)+)));
        }
    };
}

/// Fails unless the two are equal; the first is what was found.
macro_rules! check_eq {
    ($found:expr, $wanted:expr) => {
        $crate::test::check_eq!($found, $wanted, "{}", stringify!($found))
    };
    ($found:expr, $wanted:expr, $($what:tt)+) => {
        match (&$found, &$wanted) {
            (found, wanted) => {
                if *found != *wanted {
                    let what = format!($($what)+);
                    return Err($crate::test::fail(format!("{what}: {found:?}, not {wanted:?}")));
                }
            }
        }
    };
}

pub(crate) use {check, check_eq, group};
