// SPDX-License-Identifier: GPL-2.0

//! A command that was refused: the errno for the system call, and a sentence for a person.
//!
//! The session keeps the last one, and RTRACE_IOC_LAST_ERROR hands it out. A sentence says
//! what was asked, why not, and what to do.

#![forbid(unsafe_code)]

use kernel::{
    alloc::AllocError,
    fmt,
    prelude::*,
    str::CString, //
};

/// Why a command failed. Mapped to its errno in one place, `device::ioctl`.
pub(crate) struct Refusal {
    pub(crate) error: Error,
    /// The rule of access that it breaks, for the audit trail; most break none.
    pub(crate) rule: Option<&'static str>,
    text: Text,
}

enum Text {
    Fixed(&'static str),
    Made(CString),
}

impl Refusal {
    pub(crate) fn new(error: Error, text: &'static str) -> Self {
        Self {
            error,
            rule: None,
            text: Text::Fixed(text),
        }
    }

    /// For a sentence with values in it. Without memory for it the errno stands alone.
    pub(crate) fn with(error: Error, text: fmt::Arguments<'_>) -> Self {
        Self {
            error,
            rule: None,
            text: CString::try_from_fmt(text).map_or(Text::Fixed(""), Text::Made),
        }
    }

    /// Names the rule of access that forbids it.
    pub(crate) fn by_rule(mut self, rule: &'static str) -> Self {
        self.rule = Some(rule);
        self
    }

    pub(crate) fn text(&self) -> &[u8] {
        match &self.text {
            Text::Fixed(text) => text.as_bytes(),
            Text::Made(text) => text.to_bytes(),
        }
    }
}

impl From<AllocError> for Refusal {
    fn from(_: AllocError) -> Self {
        Self::new(
            ENOMEM,
            "not enough memory for this request: use smaller rings (bufsize), fewer frames or \
             fewer probes",
        )
    }
}

/// For errors that need no sentence of their own: an address that is not the caller's.
impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let text = if error == EFAULT {
            "a pointer in the request does not point to memory of the caller"
        } else if error == ENOMEM {
            return AllocError.into();
        } else {
            ""
        };
        Self::new(error, text)
    }
}
