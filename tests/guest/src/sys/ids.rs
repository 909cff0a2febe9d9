// SPDX-License-Identifier: GPL-2.0-only
//! Who the caller is: ids, capabilities, and what makes a process dumpable.
//!
//! The kernel keeps all of these for each thread; glibc sets them for all threads of a process. The
//! calls here go past glibc and change the calling thread alone.

use std::ffi::CString;

use rustix::io::Errno;

use super::{Sys, answer};

/// Makes this process that user, with the groups that the user database gives.
pub fn become_user(name: &str) -> Sys<()> {
    let name = CString::new(name).map_err(|_| Errno::INVAL)?;
    // SAFETY: The name is a C string; the entry is used before the next call of its kind.
    unsafe {
        let entry = libc::getpwnam(name.as_ptr());
        if entry.is_null() {
            return Err(Errno::NOENT);
        }
        let (uid, gid) = ((*entry).pw_uid, (*entry).pw_gid);
        answer(libc::initgroups(name.as_ptr(), gid).into())?;
        answer(libc::setresgid(gid, gid, gid).into())?;
        answer(libc::setresuid(uid, uid, uid).into())?;
    }
    Ok(())
}

/// A user's uid and primary group.
pub fn ids_of(name: &str) -> Sys<(u32, u32)> {
    let name = CString::new(name).map_err(|_| Errno::INVAL)?;
    // SAFETY: The name is a C string; the entry is copied before the next call of its kind.
    unsafe {
        let entry = libc::getpwnam(name.as_ptr());
        if entry.is_null() {
            return Err(Errno::NOENT);
        }
        Ok(((*entry).pw_uid, (*entry).pw_gid))
    }
}

/// The gid of a group.
pub fn gid_of(group: &str) -> Sys<u32> {
    let group = CString::new(group).map_err(|_| Errno::INVAL)?;
    // SAFETY: The name is a C string; the entry is copied before the next call of its kind.
    unsafe {
        let entry = libc::getgrnam(group.as_ptr());
        if entry.is_null() {
            return Err(Errno::NOENT);
        }
        Ok((*entry).gr_gid)
    }
}

/// `setgroups(2)`
pub fn set_groups(gids: &[u32]) -> Sys<()> {
    // SAFETY: As many as said.
    unsafe {
        answer(libc::syscall(
            libc::SYS_setgroups,
            gids.len(),
            gids.as_ptr(),
        ))
        .map(|_| ())
    }
}

/// `setresuid(2)`: real, effective, saved; `u32::MAX` leaves one as it is.
pub fn set_uids(real: u32, effective: u32, saved: u32) -> Sys<()> {
    // SAFETY: Changes only who the caller is.
    unsafe { answer(libc::syscall(libc::SYS_setresuid, real, effective, saved)).map(|_| ()) }
}

/// `setresgid(2)`, as [`set_uids`].
pub fn set_gids(real: u32, effective: u32, saved: u32) -> Sys<()> {
    // SAFETY: Changes only who the caller is.
    unsafe { answer(libc::syscall(libc::SYS_setresgid, real, effective, saved)).map(|_| ()) }
}

/// `setfsuid(2)`, which does not say whether it worked; so it is asked.
pub fn set_fsuid(uid: u32) -> Sys<()> {
    // SAFETY: Changes only who the caller is.
    unsafe {
        libc::syscall(libc::SYS_setfsuid, uid);
        let now = libc::syscall(libc::SYS_setfsuid, u32::MAX);
        if now as u32 == uid {
            Ok(())
        } else {
            Err(Errno::PERM)
        }
    }
}

/// `setfsgid(2)`, as [`set_fsuid`].
pub fn set_fsgid(gid: u32) -> Sys<()> {
    // SAFETY: Changes only who the caller is.
    unsafe {
        libc::syscall(libc::SYS_setfsgid, gid);
        let now = libc::syscall(libc::SYS_setfsgid, u32::MAX);
        if now as u32 == gid {
            Ok(())
        } else {
            Err(Errno::PERM)
        }
    }
}

/// The caller's capabilities become these alone: permitted, and of them effective (a bit each;
/// nothing is gained).
pub fn set_capabilities(permitted: u64, effective: u64) -> Sys<()> {
    const VERSION_3: u32 = 0x2008_0522;
    let header = [VERSION_3, 0];
    let half = |bits: u64, high: bool| (if high { bits >> 32 } else { bits }) as u32;
    let data = [
        half(effective, false),
        half(permitted, false),
        0,
        half(effective, true),
        half(permitted, true),
        0,
    ];
    // SAFETY: The header and the data are as the version says; the caller is pid 0.
    unsafe {
        answer(libc::syscall(
            libc::SYS_capset,
            header.as_ptr(),
            data.as_ptr(),
        ))
        .map(|_| ())
    }
}

/// All capabilities that there are (`CAP_LAST_CAP` is 40).
pub const ALL_CAPABILITIES: u64 = (1 << 41) - 1;
/// `CAP_SYS_RESOURCE`, as a bit.
pub const CAP_SYS_RESOURCE: u64 = 1 << 24;
/// `CAP_SETGID`, as a bit.
pub const CAP_SETGID: u64 = 1 << 6;
/// `CAP_SETUID`, as a bit.
pub const CAP_SETUID: u64 = 1 << 7;

/// Whether what is permitted stays when the last of the ids ceases to be 0.
pub fn keep_capabilities(keep: bool) -> Sys<()> {
    // SAFETY: Changes only the caller's securebits.
    unsafe {
        answer(libc::prctl(libc::PR_SET_KEEPCAPS, libc::c_ulong::from(keep)).into()).map(|_| ())
    }
}

/// Whether others of the user may look into the process. Off after each change of ids, on again
/// after `execve(2)` of an ordinary program.
pub fn set_dumpable(dumpable: bool) -> Sys<()> {
    // SAFETY: Changes only whether the process is dumpable.
    unsafe {
        answer(libc::prctl(libc::PR_SET_DUMPABLE, libc::c_ulong::from(dumpable)).into()).map(|_| ())
    }
}

/// The caller's real uid and gid.
pub fn real() -> (u32, u32) {
    // SAFETY: These have no arguments and always succeed.
    unsafe { (libc::getuid(), libc::getgid()) }
}
