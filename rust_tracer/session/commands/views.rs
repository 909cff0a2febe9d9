// SPDX-License-Identifier: GPL-2.0

//! RTRACE_IOC_VIEW, OWNERS and TEXT: what the kernel says of itself.
//!
//! A view is taken as a whole when its first rows are asked for, and kept until its last ones are, or
//! until another is begun: the pages of one are of one moment.

#![forbid(unsafe_code)]

use core::sync::atomic::{
    AtomicU32,
    Ordering, //
};

use kernel::{
    prelude::*,
    transmute::AsBytes,
    uaccess::UserPtr, //
};

use super::{
    bytes,
    fill,
    room,
    space,
    too_small, //
};
use crate::{
    abi,
    detect::{
        self,
        Rows, //
    },
    refusal::Refusal,
    session::Session, //
};

/// A view that was begun, and not told to its end.
pub(in crate::session) struct Begun {
    view: u32,
    /// The upper half of its cursors.
    serial: u32,
    rows: Rows,
}

/// The last serial that was given.
static LAST: AtomicU32 = AtomicU32::new(0);

impl Begun {
    fn new(view: u32, fd: i32) -> Result<Self, Refusal> {
        let rows = detect::view(view, fd)?.charged()?;
        Ok(Self {
            view,
            // A cursor is not 0.
            serial: LAST.fetch_add(1, Ordering::Relaxed) % u32::MAX + 1,
            rows,
        })
    }

    /// The number of the row at a cursor of this view's.
    fn row_at(&self, view: u32, cursor: u64) -> Option<usize> {
        let is_mine = self.view == view && cursor >> 32 == u64::from(self.serial);
        is_mine.then_some(cursor as u32 as usize)
    }
}

/// The system's functions and tasks are told of, with their addresses: to the node kernel alone.
fn must_be_told(session: &Session) -> Result<(), Refusal> {
    session
        .node
        .must_show_data("what the kernel says of itself")
}

pub(super) fn view(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (mut arg, size) = abi::read::<abi::rtrace_view>(at)?;
    must_be_told(session)?;
    abi::must_be_zero(arg.flags, "flags")?;
    if arg.reserved != 0 || arg.view != abi::RTRACE_VIEW_FILE && arg.fd != 0 {
        return Err(Refusal::new(
            EINVAL,
            "`reserved` must be 0, and `fd` too, but for RTRACE_VIEW_FILE",
        ));
    }
    let room = room(arg.buf_len);
    let mut page = space(room)?;
    {
        let fresh = match arg.cursor {
            0 => Some(Begun::new(arg.view, arg.fd)?),
            _ => None,
        };
        let mut begun = session.view.lock();
        if fresh.is_some() {
            *begun = fresh;
        }
        let found = begun.as_ref().and_then(|begun| {
            let first = match arg.cursor {
                0 => 0,
                cursor => begun.row_at(arg.view, cursor)?,
            };
            Some((begun, first))
        });
        let Some((view, first)) = found else {
            return Err(Refusal::new(
                EINVAL,
                "that cursor is of a view that was ended, or that another one has replaced: begin \
                 again with 0",
            ));
        };
        arg.row_size = view.rows.row().get() as u32;
        page.extend_from_slice(view.rows.part(first, room), GFP_KERNEL)?;
        let told = page.len() / view.rows.row();
        let next = first + told;
        if next >= view.rows.count() {
            arg.cursor = 0;
            *begun = None;
        } else if told == 0 {
            return Err(too_small());
        } else {
            arg.cursor = u64::from(view.serial) << 32 | next as u64;
        }
        arg.count = told as u32;
    }
    fill(arg.buf, &page)?;
    arg.filled = page.len() as u64;
    abi::write(at, size, &arg)
}

pub(super) fn owners(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    const EACH: usize = size_of::<abi::rtrace_owner>();
    let (arg, _) = abi::read::<abi::rtrace_owners>(at)?;
    must_be_told(session)?;
    abi::must_be_zero(arg.flags, "flags")?;
    abi::must_be_zero(arg.reserved, "reserved")?;
    if arg.count > abi::RTRACE_OWNERS_MAX {
        return Err(Refusal::with(
            E2BIG,
            fmt!(
                "{} addresses are too many at once: at most {}",
                arg.count,
                abi::RTRACE_OWNERS_MAX
            ),
        ));
    }
    let asked = bytes(arg.buf, arg.count as usize * EACH)?;
    let told = detect::owners(|owner_of| {
        let mut told = KVVec::with_capacity(asked.len(), GFP_KERNEL)?;
        for each in asked.chunks_exact(EACH) {
            let address = each
                .first_chunk()
                .map_or(0, |bytes| u64::from_ne_bytes(*bytes));
            told.extend_from_slice(owner_of(address).as_bytes(), GFP_KERNEL)?;
        }
        Ok(told)
    })?;
    fill(arg.buf, &told)
}

pub(super) fn text(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (arg, _) = abi::read::<abi::rtrace_text>(at)?;
    must_be_told(session)?;
    abi::must_be_zero(arg.flags, "flags")?;
    if arg.buf_len > u64::from(abi::RTRACE_TEXT_MAX) {
        return Err(Refusal::with(
            E2BIG,
            fmt!(
                "{} bytes are too many at once: at most {}",
                arg.buf_len,
                abi::RTRACE_TEXT_MAX
            ),
        ));
    }
    fill(arg.buf, &detect::text(arg.address, arg.buf_len as usize)?)
}
