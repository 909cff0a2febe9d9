// SPDX-License-Identifier: GPL-2.0-only
//! What the fake module shows of its kernel: rows, owners and text that the test
//! decides.

#![forbid(unsafe_code)]

use rustix::io::Errno;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes};

use super::{Fake, State};
use crate::abi;
use crate::device::Command;

/// What the test decided.
#[derive(Debug, Default)]
pub(super) struct Views {
    /// `RTRACE_VIEW_*`, and a row of it.
    rows: Vec<(u32, Vec<u8>)>,
    /// First address, bytes, `RTRACE_OWNER_*`, name.
    owners: Vec<(u64, u64, u32, &'static str)>,
    text: Vec<(u64, Vec<u8>)>,
    /// What rows are longer by than this crate knows.
    beyond: usize,
}

impl Fake {
    /// Adds a row to a view.
    pub fn add_row<T: IntoBytes + Immutable>(&self, view: u32, row: &T) {
        let row = row.as_bytes().to_vec();
        self.lock().views.rows.push((view, row));
    }

    /// Gives a range of addresses an owner.
    pub fn add_owner(&self, range: std::ops::Range<u64>, kind: u32, name: &'static str) {
        let bytes = range.end - range.start;
        let owner = (range.start, bytes, kind, name);
        self.lock().views.owners.push(owner);
    }

    /// Puts text at an address.
    pub fn add_text(&self, address: u64, bytes: &[u8]) {
        self.lock().views.text.push((address, bytes.to_vec()));
    }

    /// Makes rows longer, as a newer module's are.
    pub fn lengthen_rows(&self, bytes: usize) {
        self.lock().views.beyond = bytes;
    }
}

/// A name in its field.
pub(crate) fn chars<const N: usize>(name: &str) -> [std::ffi::c_char; N] {
    let mut field = [0; N];
    for (to, from) in field.iter_mut().take(N - 1).zip(name.bytes()) {
        *to = from as std::ffi::c_char;
    }
    field
}

impl State {
    pub(super) fn carry_out_view(&mut self, command: Command<'_>) -> Result<(), Errno> {
        let views = &self.views;
        match command {
            // One row per call, so that going on is tested as well.
            Command::View { arg, buf } => {
                let mut rows = views.rows.iter().filter(|(of, _)| *of == arg.view);
                let row = rows.by_ref().nth(arg.cursor as usize);
                (arg.count, arg.filled, arg.row_size) = (0, 0, 0);
                if let Some((_, row)) = row {
                    let size = row.len() + views.beyond;
                    let place = buf.get_mut(..size).ok_or(Errno::NOSPC)?;
                    place.fill(0xff);
                    place[..row.len()].copy_from_slice(row);
                    (arg.count, arg.filled, arg.row_size) = (1, size as u64, size as u32);
                }
                let more = rows.next().is_some();
                arg.cursor = if more { arg.cursor + 1 } else { 0 };
            }
            Command::Owners { buf, .. } => {
                for place in buf.chunks_exact_mut(size_of::<abi::rtrace_owner>()) {
                    let mut owner =
                        abi::rtrace_owner::read_from_bytes(place).map_err(|_| Errno::INVAL)?;
                    let at = owner.address;
                    let mut all = views.owners.iter();
                    let found = all.find(|(base, bytes, ..)| at.wrapping_sub(*base) < *bytes);
                    if let Some((base, _, kind, name)) = found {
                        (owner.base, owner.kind, owner.name) = (*base, *kind, chars(name));
                    }
                    place.copy_from_slice(owner.as_bytes());
                }
            }
            Command::Text { arg, buf } => {
                let found = views.text.iter().find_map(|(base, bytes)| {
                    let from = usize::try_from(arg.address.checked_sub(*base)?).ok()?;
                    bytes.get(from..from.checked_add(buf.len())?)
                });
                buf.copy_from_slice(found.ok_or(Errno::FAULT)?);
            }
            _ => return Err(Errno::INVAL),
        }
        Ok(())
    }
}

/// A row of zeroes, for a test to fill in.
pub fn row<T: FromZeros>() -> T {
    T::new_zeroed()
}
