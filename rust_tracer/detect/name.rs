// SPDX-License-Identifier: GPL-2.0

//! A name as rows have it: as many bytes as fit, and a NUL.

#![forbid(unsafe_code)]

use crate::abi::RTRACE_OWNER_NAME;

pub(super) const ROOM: usize = RTRACE_OWNER_NAME as usize;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Name([u8; ROOM]);

impl Name {
    pub(super) const EMPTY: Self = Self([0; ROOM]);

    pub(super) fn new(name: &[u8]) -> Self {
        let mut new = Self::EMPTY;
        for (to, from) in new.0[..ROOM - 1].iter_mut().zip(name) {
            *to = *from;
        }
        new
    }

    /// A number, in digits.
    pub(super) fn of_number(mut number: u32) -> Self {
        let mut digits = [0; 10];
        let mut first = digits.len();
        for (at, digit) in digits.iter_mut().enumerate().rev() {
            *digit = b'0' + (number % 10) as u8;
            first = at;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        Self::new(digits.get(first..).unwrap_or_default())
    }

    /// As a row has it.
    pub(super) fn bytes(&self) -> [u8; ROOM] {
        self.0
    }

    /// Without the NUL.
    pub(super) fn as_slice(&self) -> &[u8] {
        self.0.split(|byte| *byte == 0).next().unwrap_or_default()
    }
}

impl From<[u8; ROOM]> for Name {
    fn from(mut bytes: [u8; ROOM]) -> Self {
        bytes[ROOM - 1] = 0;
        Self(bytes)
    }
}
