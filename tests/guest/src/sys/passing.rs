// SPDX-License-Identifier: GPL-2.0-only
//! How a descriptor gets from one process to another: over a socket (`SCM_RIGHTS`), and over
//! `execve(2)`.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;

use rustix::io::Errno;

use super::{Sys, answer};

/// Descriptors that one message can carry here.
const ROOM: usize = 64;

/// Two connected sockets.
pub fn sockets() -> Sys<(OwnedFd, OwnedFd)> {
    let mut pair = [-1; 2];
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    // SAFETY: There is room for two; they are nobody else's.
    unsafe {
        answer(libc::socketpair(libc::AF_UNIX, kind, 0, pair.as_mut_ptr()).into())?;
        Ok((OwnedFd::from_raw_fd(pair[0]), OwnedFd::from_raw_fd(pair[1])))
    }
}

/// A message with room for descriptors.
struct Message {
    control: [u64; (ROOM * 4 + 64) / 8],
    byte: u8,
}

impl Message {
    /// # Safety
    ///
    /// The structure that comes back points into `self` and into `vector`.
    unsafe fn header(&mut self, vector: &mut libc::iovec) -> libc::msghdr {
        vector.iov_base = ptr::from_mut(&mut self.byte).cast();
        vector.iov_len = 1;
        // SAFETY: All zeroes are a valid header.
        let mut header: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
        header.msg_iov = vector;
        header.msg_iovlen = 1;
        header.msg_control = self.control.as_mut_ptr().cast();
        header.msg_controllen = size_of_val(&self.control);
        header
    }
}

const EMPTY: libc::iovec = libc::iovec {
    iov_base: ptr::null_mut(),
    iov_len: 0,
};

/// Sends descriptors, which stay open here.
pub fn send(socket: &OwnedFd, fds: &[&OwnedFd]) -> Sys<()> {
    assert!(fds.len() <= ROOM);
    let numbers: Vec<i32> = fds.iter().map(|fd| fd.as_raw_fd()).collect();
    let bytes = size_of_val(numbers.as_slice());
    let mut message = Message {
        control: [0; (ROOM * 4 + 64) / 8],
        byte: b'x',
    };
    let mut vector = EMPTY;
    // SAFETY: Both outlive the header; the control data has room for so many descriptors.
    unsafe {
        let mut header = message.header(&mut vector);
        header.msg_controllen = libc::CMSG_SPACE(bytes as u32) as usize;
        let control = libc::CMSG_FIRSTHDR(&header);
        (*control).cmsg_level = libc::SOL_SOCKET;
        (*control).cmsg_type = libc::SCM_RIGHTS;
        (*control).cmsg_len = libc::CMSG_LEN(bytes as u32) as usize;
        let data = libc::CMSG_DATA(control);
        ptr::copy_nonoverlapping(numbers.as_ptr().cast(), data, bytes);
        answer(libc::sendmsg(socket.as_raw_fd(), &header, 0) as libc::c_long).map(|_| ())
    }
}

/// Receives the descriptors of one message.
pub fn receive(socket: &OwnedFd) -> Sys<Vec<OwnedFd>> {
    let mut message = Message {
        control: [0; (ROOM * 4 + 64) / 8],
        byte: 0,
    };
    let mut vector = EMPTY;
    // SAFETY: Both outlive the header; what the kernel fills in is as long as it says, and the
    // descriptors are new.
    unsafe {
        let mut header = message.header(&mut vector);
        let socket = socket.as_raw_fd();
        answer(libc::recvmsg(socket, &mut header, libc::MSG_CMSG_CLOEXEC) as libc::c_long)?;
        let control = libc::CMSG_FIRSTHDR(&header);
        if control.is_null() || (*control).cmsg_type != libc::SCM_RIGHTS {
            return Err(Errno::NOMSG);
        }
        let count = ((*control).cmsg_len - libc::CMSG_LEN(0) as usize) / size_of::<i32>();
        let data = libc::CMSG_DATA(control).cast::<i32>();
        Ok((0..count)
            .map(|i| OwnedFd::from_raw_fd(data.add(i).read_unaligned()))
            .collect())
    }
}

/// Whether a descriptor stays open over `execve(2)`.
pub fn keep_over_exec(fd: &OwnedFd, keep: bool) -> Sys<()> {
    let flags = if keep { 0 } else { libc::FD_CLOEXEC };
    // SAFETY: Changes only this flag.
    unsafe { answer(libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, flags).into()).map(|_| ()) }
}

/// The descriptor of that number, which the caller was started with.
pub fn inherited(number: i32) -> OwnedFd {
    // SAFETY: Callers pass numbers that they were told on their command line, and each once.
    unsafe { OwnedFd::from_raw_fd(number) }
}

/// `write(2)` on any descriptor.
pub fn write(fd: &OwnedFd, bytes: &[u8]) -> Sys<u64> {
    let (data, length) = (bytes.as_ptr().cast(), bytes.len());
    // SAFETY: As many bytes as said.
    unsafe { answer(libc::write(fd.as_raw_fd(), data, length) as libc::c_long) }
}

/// Closes a descriptor that a fork has left us, and that no destructor is going to close.
pub fn close(number: i32) {
    // SAFETY: Callers pass a descriptor that nothing uses any more.
    unsafe { libc::close(number) };
}
