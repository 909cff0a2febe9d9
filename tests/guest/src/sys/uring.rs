// SPDX-License-Identifier: GPL-2.0-only
//! A write that one of the kernel's own workers makes for the caller (io_uring, `IOSQE_ASYNC`).

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use rustix::io::Errno;

use super::{Mapping, Sys, answer};

const ENTRIES: u32 = 1;
const PARAMS_WORDS: usize = 30;
/// Words of `struct io_uring_params`: where the rings' offsets begin.
const SQ_OFFSETS: usize = 10;
const CQ_OFFSETS: usize = 20;
const SINGLE_MMAP: u32 = 1;
const OFFSET_RINGS: u64 = 0;
const OFFSET_ENTRIES: u64 = 0x1000_0000;
const OP_WRITE: u64 = 23;
const ASYNC: u64 = 1 << 4;
const GETEVENTS: u32 = 1;

/// Has a worker write; returns what its `write` returned.
pub fn write_by_worker(fd: &OwnedFd, bytes: &[u8]) -> Sys<u64> {
    let mut params = [0u32; PARAMS_WORDS];
    // SAFETY: The parameters have the kernel's size; the descriptor is new.
    let ring = unsafe {
        let ring = answer(libc::syscall(
            libc::SYS_io_uring_setup,
            ENTRIES,
            params.as_mut_ptr(),
        ))?;
        OwnedFd::from_raw_fd(ring as i32)
    };
    if params[5] & SINGLE_MMAP == 0 {
        return Err(Errno::NOSYS);
    }
    let (sq, cq) = (&params[SQ_OFFSETS..], &params[CQ_OFFSETS..]);
    let rw = libc::PROT_READ | libc::PROT_WRITE;
    let rings = Mapping::new(&ring, 4096, rw, libc::MAP_SHARED, OFFSET_RINGS)?;
    let entries = Mapping::new(&ring, 4096, rw, libc::MAP_SHARED, OFFSET_ENTRIES)?;
    // struct io_uring_sqe: opcode, flags and descriptor; offset; address; length.
    let first = OP_WRITE | (ASYNC << 8) | ((fd.as_raw_fd() as u64) << 32);
    let sqe = [first, 0, bytes.as_ptr() as u64, bytes.len() as u64];
    for (i, word) in sqe.into_iter().enumerate() {
        entries.set(i * 8, word);
    }
    // The only entry has number 0; the tail says that there is one.
    rings.set_half(sq[6] as usize, 0);
    rings.set_half(sq[1] as usize, 1);
    // SAFETY: What the entry points to outlives the call, which waits for the completion.
    unsafe {
        answer(libc::syscall(
            libc::SYS_io_uring_enter,
            ring.as_raw_fd(),
            1,
            1,
            GETEVENTS,
            0,
            0,
        ))?;
    }
    // struct io_uring_cqe: user data (8 bytes), then the result.
    let mut result = [0u8; 4];
    rings.copy(cq[5] as usize + 8, &mut result);
    let result = i32::from_ne_bytes(result);
    if result < 0 {
        return Err(Errno::from_raw_os_error(-result));
    }
    Ok(result as u64)
}
