// SPDX-License-Identifier: GPL-2.0-only
//! The system calls on the module's file: ioctl(2) and mmap(2).
//!
//! This file and `child.rs` are the only ones with `unsafe`.

#![allow(unsafe_code)]

use std::ffi::c_void;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::ptr;
use std::slice;
use std::sync::atomic::AtomicU64;

use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags};

use crate::abi;
use crate::device::{Area, Command, Device, Memory};

/// The module's open file.
#[derive(Debug)]
pub(crate) struct Kernel(pub(crate) File);

impl Device for Kernel {
    fn command(&self, command: Command<'_>) -> Result<(), Errno> {
        use Command as C;
        let (request, arg) = match command {
            C::Info(arg) => {
                arg.size = size_of_val(arg) as u32;
                (abi::COMMAND_INFO, ptr::from_mut(arg).cast())
            }
            C::Functions {
                arg,
                module,
                function,
                buf,
            } => {
                arg.size = size_of_val(arg) as u32;
                (arg.module, arg.module_len) = slice_in(module);
                (arg.function, arg.function_len) = slice_in(function);
                (arg.buf, arg.buf_len) = slice_out(buf);
                (abi::COMMAND_FUNCTIONS, ptr::from_mut(arg).cast())
            }
            C::Add {
                arg,
                module,
                function,
                ids,
            } => {
                arg.size = size_of_val(arg) as u32;
                (arg.module, arg.module_len) = slice_in(module);
                (arg.function, arg.function_len) = slice_in(function);
                (arg.ids, arg.ids_count) = slice_in(ids);
                (abi::COMMAND_ADD, ptr::from_mut(arg).cast())
            }
            C::Probes { arg, buf } => {
                arg.size = size_of_val(arg) as u32;
                (arg.buf, arg.buf_len) = slice_out(buf);
                (abi::COMMAND_PROBES, ptr::from_mut(arg).cast())
            }
            C::Config(arg) => {
                arg.size = size_of_val(arg) as u32;
                (abi::COMMAND_CONFIG, ptr::from_mut(arg).cast())
            }
            C::Target(arg) => {
                arg.size = size_of_val(arg) as u32;
                (abi::COMMAND_TARGET, ptr::from_mut(arg).cast())
            }
            C::Start(arg) => {
                arg.size = size_of_val(arg) as u32;
                (abi::COMMAND_START, ptr::from_mut(arg).cast())
            }
            C::Stop => (abi::COMMAND_STOP, ptr::null_mut()),
            C::Status(arg) => {
                arg.size = size_of_val(arg) as u32;
                (abi::COMMAND_STATUS, ptr::from_mut(arg).cast())
            }
            C::Ledger { arg, buf } => {
                arg.size = size_of_val(arg) as u32;
                (arg.buf, arg.buf_len) = slice_out(buf);
                (abi::COMMAND_LEDGER, ptr::from_mut(arg).cast())
            }
            C::LastError { arg, buf } => {
                arg.size = size_of_val(arg) as u32;
                let (pointer, len) = slice_out(buf);
                (arg.buf, arg.buf_len) = (pointer, u32::try_from(len).unwrap_or(u32::MAX));
                (abi::COMMAND_LAST_ERROR, ptr::from_mut(arg).cast())
            }
            C::Sessions { arg, buf } => {
                arg.size = size_of_val(arg) as u32;
                (arg.buf, arg.buf_len) = slice_out(buf);
                (abi::COMMAND_SESSIONS, ptr::from_mut(arg).cast())
            }
            C::Revoke(arg) => {
                arg.size = size_of_val(arg) as u32;
                (abi::COMMAND_REVOKE, ptr::from_mut(arg).cast())
            }
            C::Publish { arg, name } => {
                arg.size = size_of_val(arg) as u32;
                (arg.name, arg.name_len) = slice_in(name);
                (abi::COMMAND_PUBLISH, ptr::from_mut(arg).cast())
            }
            C::Observe { arg, name } => {
                arg.size = size_of_val(arg) as u32;
                (arg.name, arg.name_len) = slice_in(name);
                (abi::COMMAND_OBSERVE, ptr::from_mut(arg).cast())
            }
            C::Read { arg, buf } => {
                arg.size = size_of_val(arg) as u32;
                (arg.buf, arg.buf_len) = slice_out(buf);
                (abi::COMMAND_READ, ptr::from_mut(arg).cast())
            }
            C::Symbol { arg, buf } => {
                arg.size = size_of_val(arg) as u32;
                let (pointer, len) = slice_out(buf);
                (arg.buf, arg.buf_len) = (pointer, u32::try_from(len).unwrap_or(u32::MAX));
                (abi::COMMAND_SYMBOL, ptr::from_mut(arg).cast())
            }
            C::Quota(arg) => {
                arg.size = size_of_val(arg) as u32;
                (abi::COMMAND_QUOTA, ptr::from_mut(arg).cast())
            }
            C::Program { arg, program } => {
                arg.size = size_of_val(arg) as u32;
                (arg.code, arg.code_count) = slice_in(program.code);
                (arg.clauses, arg.clauses_count) = slice_in(program.clauses);
                (arg.constants, arg.constants_count) = slice_in(program.constants);
                (arg.strings, arg.strings_len) = slice_in(program.strings);
                (arg.variables, arg.variables_count) = slice_in(program.variables);
                (arg.aggregations, arg.aggregations_count) = slice_in(program.aggregations);
                (arg.actions, _) = slice_in(program.actions);
                (abi::COMMAND_PROGRAM, ptr::from_mut(arg).cast())
            }
            C::AddOwn { arg, name } => {
                arg.size = size_of_val(arg) as u32;
                (arg.name, arg.name_len) = slice_in(name);
                (abi::COMMAND_ADD_OWN, ptr::from_mut(arg).cast())
            }
            C::Aggregate { arg, buf } => {
                arg.size = size_of_val(arg) as u32;
                (arg.buf, arg.buf_len) = slice_out(buf);
                (abi::COMMAND_AGGREGATE, ptr::from_mut(arg).cast())
            }
            C::View { arg, buf } => {
                arg.size = size_of_val(arg) as u32;
                (arg.buf, arg.buf_len) = slice_out(buf);
                (abi::COMMAND_VIEW, ptr::from_mut(arg).cast())
            }
            C::Owners { arg, buf } => {
                arg.size = size_of_val(arg) as u32;
                // As many as there are whole ones: the module writes no further.
                let count = buf.len() / size_of::<abi::rtrace_owner>();
                (arg.buf, _) = slice_out(buf);
                arg.count = u32::try_from(count).unwrap_or(u32::MAX);
                (abi::COMMAND_OWNERS, ptr::from_mut(arg).cast())
            }
            C::Text { arg, buf } => {
                arg.size = size_of_val(arg) as u32;
                (arg.buf, arg.buf_len) = slice_out(buf);
                (abi::COMMAND_TEXT, ptr::from_mut(arg).cast())
            }
        };
        // SAFETY: `arg` is null for STOP and else points to the structure of this request, whose
        // `size` says how long it is; the pointers inside it come with their lengths from slices
        // that are borrowed until the call returns, and those the module writes to are exclusive.
        unsafe { ioctl(self.0.as_fd(), request, arg) }
    }

    fn map(&self, cpu: u32, area: Area, bytes: usize) -> Result<Memory, Errno> {
        Mapping::new(self.0.as_fd(), cpu, area, bytes).map(Memory::Mapped)
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.0.as_fd())
    }
}

/// The address and length of what the module reads; an empty slice is address 0.
fn slice_in<T>(slice: &[T]) -> (u64, u32) {
    match u32::try_from(slice.len()) {
        Ok(0) => (0, 0),
        Ok(len) => (slice.as_ptr() as u64, len),
        // Beyond every limit of the module, which says so.
        Err(_) => (slice.as_ptr() as u64, u32::MAX),
    }
}

/// The address and length of what the module fills.
fn slice_out(slice: &mut [u8]) -> (u64, u64) {
    (slice.as_mut_ptr() as u64, slice.len() as u64)
}

/// # Safety
///
/// `arg` must be what `request` expects, with everything that it points to.
unsafe fn ioctl(
    fd: BorrowedFd<'_>,
    request: std::ffi::c_ulong,
    arg: *mut c_void,
) -> Result<(), Errno> {
    loop {
        // SAFETY: passed on to the caller.
        let result = unsafe { libc::ioctl(fd.as_raw_fd(), request as _, arg) };
        if result >= 0 {
            return Ok(());
        }
        let error = std::io::Error::last_os_error();
        match Errno::from_io_error(&error) {
            Some(Errno::INTR) => {}
            Some(errno) => return Err(errno),
            None => return Err(Errno::IO),
        }
    }
}

/// A mapped area of a ring; unmapped when dropped.
///
/// # Invariants
///
/// `base` is the start of a mapping of `words` u64, alive as long as this value,
/// readable, and writable if it is a consumer area.
#[derive(Debug)]
pub struct Mapping {
    base: ptr::NonNull<AtomicU64>,
    words: usize,
}

// SAFETY: the mapping belongs to this value alone, not to a thread, and is only seen as atomics.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn new(fd: BorrowedFd<'_>, cpu: u32, area: Area, bytes: usize) -> Result<Self, Errno> {
        let protection = match area {
            Area::Status | Area::Data => ProtFlags::READ,
            Area::Consumer => ProtFlags::READ | ProtFlags::WRITE,
        };
        // SAFETY: a fresh mapping at an address of the system's choosing overlaps nothing.
        let base = unsafe {
            rustix::mm::mmap(
                ptr::null_mut(),
                bytes,
                protection,
                MapFlags::SHARED,
                fd,
                area.offset(cpu),
            )?
        };
        // INVARIANT: a mapping is page-aligned and not null, and was asked for `bytes` bytes.
        Ok(Self {
            base: ptr::NonNull::new(base.cast()).ok_or(Errno::FAULT)?,
            words: bytes / size_of::<u64>(),
        })
    }

    /// The area's words. Only those of a consumer area may be stored to.
    pub(crate) fn words(&self) -> &[AtomicU64] {
        // SAFETY: by the type's invariant the memory is mapped and readable as long as `self`, and
        // any bytes are a valid `AtomicU64`. Others write it at any time, hence atomics. Loads of
        // at most pointer size are allowed on read-only memory.
        unsafe { slice::from_raw_parts(self.base.as_ptr(), self.words) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant this is the whole mapping, and nobody borrows it now.
        // That unmapping fails is impossible with these arguments and harmless.
        let _ =
            unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), self.words * size_of::<u64>()) };
    }
}
