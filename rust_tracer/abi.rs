// SPDX-License-Identifier: GPL-2.0

//! The ABI of `include/uapi/rust_tracer.h` as the module uses it: the generated types, the
//! command numbers, and how a structure that may be longer or shorter than ours comes in
//! and goes out.

use kernel::{
    ioctl::{
        _IO,
        _IOWR, //
    },
    prelude::*,
    transmute::{
        AsBytes,
        FromBytes, //
    },
    uaccess::{
        UserPtr,
        UserSlice, //
    },
};

pub(crate) use crate::bindings::*;
use crate::{
    refusal::Refusal,
    ring, //
};

/// A structure that a command reads and writes, `size` first.
///
/// # Safety
///
/// The type must have no padding and admit every bit pattern.
pub(crate) unsafe trait Argument: Copy + Default {
    /// RTRACE_IOC_*.
    const COMMAND: u32;
}

macro_rules! arguments {
    ($($type:ident = $number:literal, $size:literal;)*) => {$(
        const _: () = assert!(size_of::<$type>() == $size);
        // SAFETY: The header allows only fixed-width integers, naturally aligned, without
        // implicit padding: the sizes of the fields add up to that of the structure, which
        // is asserted above and in the shim.
        unsafe impl Argument for $type {
            const COMMAND: u32 = _IOWR::<$type>(RTRACE_IOC_MAGIC, $number);
        }
        // SAFETY: As above.
        unsafe impl AsBytes for $type {}
        // SAFETY: As above.
        unsafe impl FromBytes for $type {}
    )*};
}

arguments! {
    rtrace_info = 0x00, 72;
    rtrace_functions = 0x01, 72;
    rtrace_add = 0x02, 56;
    rtrace_probes = 0x03, 48;
    rtrace_config = 0x04, 40;
    rtrace_target = 0x05, 16;
    rtrace_start = 0x06, 16;
    rtrace_status = 0x08, 88;
    rtrace_ledger = 0x09, 40;
    rtrace_error = 0x0a, 32;
    rtrace_sessions = 0x0b, 48;
    rtrace_revoke = 0x0c, 24;
    rtrace_publish = 0x0d, 24;
    rtrace_observe = 0x0e, 32;
    rtrace_read = 0x0f, 56;
    rtrace_symbol = 0x10, 32;
    rtrace_quota = 0x11, 120;
    rtrace_program = 0x12, 128;
    rtrace_add_own = 0x13, 40;
    rtrace_aggregate = 0x14, 48;
    rtrace_view = 0x15, 64;
    rtrace_owners = 0x16, 24;
    rtrace_text = 0x17, 32;
}

pub(crate) const STOP: u32 = _IO(RTRACE_IOC_MAGIC, 0x07);

macro_rules! records {
    ($($type:ident, $size:literal;)*) => {$(
        const _: () = assert!(size_of::<$type>() == $size);
        // SAFETY: As for the arguments: integers only, no padding.
        unsafe impl AsBytes for $type {}
    )*};
}

records! {
    rtrace_function, 32;
    rtrace_probe, 24;
    rtrace_ledger_row, 208;
    rtrace_session, 112;
    rtrace_aggregate_entry, 16;
    rtrace_owner, 88;
    rtrace_view_module, 120;
    rtrace_view_ops, 296;
    rtrace_view_site, 168;
    rtrace_view_kprobe, 264;
    rtrace_view_text, 120;
    rtrace_view_cpu, 472;
    rtrace_view_tracepoint, 168;
    rtrace_view_task, 40;
    rtrace_view_self, 88;
    rtrace_view_pointer, 120;
    rtrace_view_text_of, 128;
    rtrace_view_hook, 104;
    rtrace_view_callback, 168;
}

const _: () = {
    assert!(size_of::<rtrace_ring_status>() == 48);
    assert!(size_of::<rtrace_record>() == 16);
    assert!(size_of::<rtrace_record_lost>() == 24);
    assert!(size_of::<rtrace_record_entry>() == 80);
    assert!(size_of::<rtrace_record_return>() == 48);
    assert!(size_of::<rtrace_record_called>() == 56);
    assert!(size_of::<rtrace_record_returned>() == 64);
    assert!(size_of::<rtrace_record_clause>() == 48);
    assert!(size_of::<rtrace_item>() == 8);
    assert!(size_of::<rtrace_record_fault>() == 56);
    assert!(size_of::<rtrace_record>() == ring::HEAD_LEN as usize);
    assert!(size_of::<rtrace_record_lost>() == ring::LOST_LEN as usize);
    assert!(RTRACE_RECORD_PAD == ring::RECORD_PAD);
    assert!(RTRACE_RECORD_DISCARD == ring::RECORD_DISCARD);
    assert!(RTRACE_RECORD_LOST == ring::RECORD_LOST);
    assert!(RTRACE_RECORD_MAX == ring::RECORD_MAX);
    assert!(RTRACE_RING_MIN as u64 == ring::SHARED_MIN);
    assert!(RTRACE_POLICY_SWITCH == ring::Policy::Switch as u32);
    assert!(RTRACE_POLICY_FILL == ring::Policy::Fill as u32);
    assert!(RTRACE_POLICY_RING == ring::Policy::Ring as u32);
};

macro_rules! arrays {
    ($($type:ident, $size:literal;)*) => {$(
        const _: () = assert!(size_of::<$type>() == $size);
        // SAFETY: As for the arguments: integers only, no padding.
        unsafe impl FromBytes for $type {}
    )*};
}

// What a program is made of.
arrays! {
    rtrace_clause, 16;
    rtrace_variable, 16;
    rtrace_aggregation, 40;
}

/// The size of the smallest structure: `size` and `flags`.
const SIZE_MIN: usize = 8;

/// Reads a command's structure. Returns it with the size that the caller gave.
pub(crate) fn read<T: Argument + AsBytes + FromBytes>(
    from: UserPtr,
) -> Result<(T, usize), Refusal> {
    let size = UserSlice::new(from, size_of::<u32>())
        .reader()
        .read::<u32>()? as usize;
    if !(SIZE_MIN..=kernel::page::PAGE_SIZE).contains(&size) {
        return Err(Refusal::with(
            EINVAL,
            fmt!("the structure's `size` is {size}: set it to the sizeof of the structure"),
        ));
    }
    let mut value = T::default();
    let ours = size.min(size_of::<T>());
    let mut reader = UserSlice::new(from, size).reader();
    if let Some(bytes) = value.as_bytes_mut().get_mut(..ours) {
        reader.read_slice(bytes)?;
    }
    while !reader.is_empty() {
        if reader.read::<u8>()? != 0 {
            return Err(Refusal::new(
                E2BIG,
                "the request uses fields that this module does not know: it is older than the \
                 tool, load a newer one",
            ));
        }
    }
    Ok((value, size))
}

/// The same for a command that changes something and answers in its structure: if that cannot be
/// written, it is refused before anything is done. (Memory that its owner takes away during the
/// command is another matter: then the command is done, and fails to say so.)
pub(crate) fn read_to_answer<T: Argument + AsBytes + FromBytes>(
    from: UserPtr,
) -> Result<(T, usize), Refusal> {
    let (value, size) = read(from)?;
    write(from, size, &value)?;
    Ok((value, size))
}

/// Writes a command's structure back, as much of it as the caller knows.
pub(crate) fn write<T: Argument + AsBytes>(
    to: UserPtr,
    size: usize,
    value: &T,
) -> Result<(), Refusal> {
    let bytes = value.as_bytes();
    let bytes = bytes.get(..size.min(bytes.len())).unwrap_or(bytes);
    Ok(UserSlice::new(to, bytes.len())
        .writer()
        .write_slice(bytes)?)
}

/// A pointer that travelled as a u64.
pub(crate) fn pointer(value: u64) -> UserPtr {
    UserPtr::from_addr(value as usize)
}

/// Refuses what must be zero and is not.
pub(crate) fn must_be_zero(value: u32, what: &'static str) -> Result<(), Refusal> {
    if value != 0 {
        return Err(Refusal::with(
            EINVAL,
            fmt!("{what} holds bits that this module does not know: {value:#x}"),
        ));
    }
    Ok(())
}
