// SPDX-License-Identifier: GPL-2.0-only
//! What has the kernel make code, or count, for a program: classic filters, and perf's events.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::{Mapping, Sys, answer};

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

fn step(code: u16, k: u32) -> libc::sock_filter {
    libc::sock_filter {
        code,
        jt: 0,
        jf: 0,
        k,
    }
}

/// A socket that gets every packet, by a filter that passes them all after a look.
pub fn filtered_socket() -> Sys<OwnedFd> {
    let mut steps = [step(LOAD, 0), step(RETURN, u32::MAX)];
    let program = libc::sock_fprog {
        len: steps.len() as u16,
        filter: steps.as_mut_ptr(),
    };
    let every_packet = (libc::ETH_P_ALL as u16).to_be().into();
    // SAFETY: The descriptor is new; the program's steps live until it was copied.
    unsafe {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        let fd = answer(libc::socket(libc::AF_PACKET, kind, every_packet).into())?;
        let fd = OwnedFd::from_raw_fd(fd as i32);
        answer(
            libc::setsockopt(
                fd.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_ATTACH_FILTER,
                (&raw const program).cast(),
                size_of_val(&program) as u32,
            )
            .into(),
        )?;
        Ok(fd)
    }
}

/// Has each of the caller's system calls looked at from here on, and allowed.
pub fn allow_by_seccomp() -> Sys<()> {
    let mut steps = [step(LOAD, 0), step(RETURN, libc::SECCOMP_RET_ALLOW)];
    let program = libc::sock_fprog {
        len: steps.len() as u16,
        filter: steps.as_mut_ptr(),
    };
    // SAFETY: The program's steps live until it was copied.
    unsafe {
        let (yes, no): (libc::c_ulong, libc::c_ulong) = (1, 0);
        answer(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, yes, no, no, no).into())?;
        answer(
            libc::prctl(
                libc::PR_SET_SECCOMP,
                libc::c_ulong::from(libc::SECCOMP_MODE_FILTER),
                &raw const program,
            )
            .into(),
        )?;
    }
    Ok(())
}

/// A running event of perf's on one CPU, with room for its samples.
#[derive(Debug)]
pub struct Sampled {
    _fd: OwnedFd,
    _room: Mapping,
}

/// Bytes of `struct perf_event_attr` in its fourth version, and the words of it that are set.
const ATTR_BYTES: usize = 104;
const SOFTWARE: u32 = 1;
const CPU_CLOCK: u64 = 0;
/// Instruction, task and call chain.
const SAMPLE: u64 = 1 | 2 | (1 << 5);
/// `freq`
const BY_FREQUENCY: u64 = 1 << 10;
const ROOM_PAGES: usize = 1 + 8;

/// Samples whatever a CPU runs, so often a second, with call chains.
pub fn sample(cpu: u32, frequency: u64) -> Sys<Sampled> {
    let mut attr = [0u64; ATTR_BYTES / 8];
    attr[0] = u64::from(SOFTWARE) | ((ATTR_BYTES as u64) << 32);
    attr[1] = CPU_CLOCK;
    attr[2] = frequency;
    attr[3] = SAMPLE;
    attr[5] = BY_FREQUENCY;
    // SAFETY: The attributes have the length that they name; the descriptor is new.
    let fd = unsafe {
        let fd = answer(libc::syscall(
            libc::SYS_perf_event_open,
            attr.as_ptr(),
            -1,
            cpu as libc::c_int,
            -1,
            0,
        ))?;
        OwnedFd::from_raw_fd(fd as i32)
    };
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let room = Mapping::new(&fd, ROOM_PAGES * 4096, protection, libc::MAP_SHARED, 0)?;
    Ok(Sampled {
        _fd: fd,
        _room: room,
    })
}
