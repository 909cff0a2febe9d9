// SPDX-License-Identifier: GPL-2.0

//! RTRACE_VIEW_FILE: the pointers by which what is done with a file reaches the functions that do it.

#![forbid(unsafe_code)]

use super::{
    owners::Owners,
    rows::Rows,
    walk, //
};
use crate::{
    abi,
    refusal::Refusal, //
};

pub(super) fn view(fd: i32, owners: &Owners) -> Result<Rows, Refusal> {
    let mut rows = Rows::of::<abi::rtrace_view_pointer>();
    for pointer in &walk::pointers(fd)? {
        rows.push(&abi::rtrace_view_pointer {
            name: pointer.name,
            value: owners.of(pointer.value),
        })?;
    }
    Ok(rows)
}
