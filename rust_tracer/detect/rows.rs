// SPDX-License-Identifier: GPL-2.0

//! The rows of a view, as bytes for user space.

#![forbid(unsafe_code)]

use core::num::NonZero;

use kernel::{
    prelude::*,
    transmute::AsBytes, //
};

/// Rows of one kind, one behind the other.
pub(crate) struct Rows {
    bytes: KVVec<u8>,
    row: NonZero<usize>,
}

impl Rows {
    /// None yet, of type `T`.
    pub(super) fn of<T>() -> Self {
        Self {
            bytes: KVVec::new(),
            row: NonZero::new(size_of::<T>()).unwrap_or(NonZero::<usize>::MIN),
        }
    }

    pub(super) fn push<T: AsBytes>(&mut self, row: &T) -> Result {
        Ok(self.bytes.extend_from_slice(row.as_bytes(), GFP_KERNEL)?)
    }

    /// The same rows, charged to the current task's cgroup, which may have it wait. Task context, no lock held.
    pub(crate) fn charged(self) -> Result<Self> {
        let mut bytes = KVVec::with_capacity(self.bytes.len(), GFP_KERNEL_ACCOUNT)?;
        bytes.extend_from_slice(&self.bytes, GFP_KERNEL_ACCOUNT)?;
        Ok(Self { bytes, ..self })
    }

    /// Bytes of one.
    pub(crate) fn row(&self) -> NonZero<usize> {
        self.row
    }

    pub(crate) fn count(&self) -> usize {
        self.bytes.len() / self.row
    }

    /// As many as fit into `room` bytes, from the row `first` on.
    pub(crate) fn part(&self, first: usize, room: usize) -> &[u8] {
        let rest = first
            .checked_mul(self.row.get())
            .and_then(|at| self.bytes.get(at..))
            .unwrap_or_default();
        let fits = room - room % self.row;
        rest.get(..fits).unwrap_or(rest)
    }
}
