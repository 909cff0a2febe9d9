// SPDX-License-Identifier: GPL-2.0-only
//! What a hostile program does that no safe interface offers: descriptors that another thread
//! may close at any time, addresses that are nobody's, mappings over mappings.
//!
//! All `unsafe` of the fuzzer is here, beside that of `sys.rs`, and apart from it because the
//! reasons are others: these functions are safe to call since what they touch is set apart. The
//! [`Ground`] lies where nothing else is ever mapped, a [`Window`] is only accessed through
//! copies and atomics, and a descriptor is a number that may be stale.

#![allow(unsafe_code)]

use std::ffi::CString;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr;
use std::sync::atomic::AtomicU64;

use rustix::io::Errno;

use crate::sys::{self, Sys};

/// Bytes of a page.
pub const PAGE: u64 = 4096;

/// Beyond the end of user space's addresses, also with page tables of five levels.
const USER_END: u64 = 1 << 57;

fn answer(value: libc::c_long) -> Sys<u64> {
    if value < 0 {
        let error = std::io::Error::last_os_error();
        return Err(Errno::from_raw_os_error(error.raw_os_error().unwrap_or(0)));
    }
    Ok(value as u64)
}

/// `ioctl` on a number that may be no descriptor any more.
pub fn ioctl(fd: RawFd, command: u32, argument: u64) -> Sys<()> {
    // SAFETY: The kernel writes only where the argument and the pointers in it say: in a window,
    // in the ground, or nowhere.
    unsafe { answer(libc::ioctl(fd, command as libc::Ioctl, argument).into()).map(|_| ()) }
}

/// Opens a node; the number belongs to whoever closes it first.
pub fn open(path: &str, flags: i32) -> Sys<RawFd> {
    use std::os::fd::IntoRawFd;
    sys::open(path, flags).map(IntoRawFd::into_raw_fd)
}

/// `close`
pub fn close(fd: RawFd) -> Sys<()> {
    // SAFETY: The fuzzer closes only numbers that it took out of its own table.
    unsafe { answer(libc::close(fd).into()).map(|_| ()) }
}

/// `dup`, closed on exec.
pub fn duplicate(fd: RawFd) -> Sys<RawFd> {
    // SAFETY: Makes a new descriptor.
    unsafe { answer(libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3).into()).map(|fd| fd as RawFd) }
}

/// Whether a descriptor survives exec.
pub fn keep_over_exec(fd: RawFd) -> Sys<()> {
    // SAFETY: Changes a flag of a descriptor.
    unsafe { answer(libc::fcntl(fd, libc::F_SETFD, 0).into()).map(|_| ()) }
}

/// `poll` for input.
pub fn poll(fd: RawFd, wait_ms: i32) -> Sys<i16> {
    let mut one = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: One structure, ours.
    unsafe { answer(libc::poll(&mut one, 1, wait_ms).into())? };
    Ok(one.revents)
}

/// `read(2)` to, or `write(2)` from, an address in the ground or a window.
pub fn transfer(fd: RawFd, address: u64, length: u64, write: bool) -> Sys<u64> {
    // SAFETY: As for `ioctl`.
    unsafe {
        answer(if write {
            libc::pwrite(fd, address as *const libc::c_void, length as usize, 0) as libc::c_long
        } else {
            libc::pread(fd, address as *mut libc::c_void, length as usize, 0) as libc::c_long
        })
    }
}

/// Passes a descriptor to whoever receives it from the other end.
pub fn send_descriptor(socket: RawFd, fd: RawFd) -> Sys<()> {
    let mut byte = 0u8;
    let mut data = libc::iovec {
        iov_base: (&raw mut byte).cast(),
        iov_len: 1,
    };
    let mut control = [0u64; 4];
    // SAFETY: All structures are ours and as long as said; the control buffer is aligned and has
    // room for one descriptor.
    unsafe {
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = &mut data;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = libc::CMSG_SPACE(4) as usize;
        let head = libc::CMSG_FIRSTHDR(&message);
        (*head).cmsg_level = libc::SOL_SOCKET;
        (*head).cmsg_type = libc::SCM_RIGHTS;
        (*head).cmsg_len = libc::CMSG_LEN(4) as usize;
        libc::CMSG_DATA(head).cast::<RawFd>().write_unaligned(fd);
        answer(libc::sendmsg(socket, &message, libc::MSG_DONTWAIT) as libc::c_long).map(|_| ())
    }
}

/// Receives a descriptor that was passed, if there is one.
pub fn receive_descriptor(socket: RawFd) -> Sys<RawFd> {
    let mut byte = 0u8;
    let mut data = libc::iovec {
        iov_base: (&raw mut byte).cast(),
        iov_len: 1,
    };
    let mut control = [0u64; 4];
    // SAFETY: As for sending.
    unsafe {
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = &mut data;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = size_of_val(&control);
        let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
        answer(libc::recvmsg(socket, &mut message, flags) as libc::c_long)?;
        let head = libc::CMSG_FIRSTHDR(&message);
        if head.is_null() || (*head).cmsg_type != libc::SCM_RIGHTS {
            return Err(Errno::BADF);
        }
        Ok(libc::CMSG_DATA(head).cast::<RawFd>().read_unaligned())
    }
}

/// Address space for mappings that come, go, and lie over each other. It begins far below where
/// the kernel puts mappings by itself, so nothing of this program's own is ever in it.
#[derive(Debug)]
pub struct Ground {
    /// Its first address.
    pub start: u64,
    /// Bytes.
    pub length: u64,
}

/// What is mapped into the ground: `mmap`'s arguments but for the place.
#[derive(Clone, Copy, Debug)]
pub struct Mapped {
    /// `PROT_*`
    pub protection: i32,
    /// `MAP_*`
    pub flags: i32,
    /// The file, or -1.
    pub fd: RawFd,
    /// Where in it.
    pub offset: u64,
}

impl Ground {
    /// Where it begins: 16 TiB, with a hundred above it free.
    pub const START: u64 = 1 << 44;

    fn holds(&self, at: u64, length: u64) -> bool {
        let end = self.start + self.length;
        at >= self.start && at < end && length <= end - at
    }

    /// `mmap` at an address of the ground. More than there is of user space may be asked for, and
    /// is refused by the kernel.
    pub fn map(&self, at: u64, length: u64, what: Mapped) -> Sys<()> {
        let refused = self.holds(at, 0) && length >= USER_END;
        if !self.holds(at, length) && !refused {
            return Err(Errno::RANGE);
        }
        // SAFETY: The range is in the ground, or is refused.
        let found = unsafe {
            libc::mmap(
                at as *mut libc::c_void,
                length as usize,
                what.protection,
                what.flags | libc::MAP_FIXED,
                what.fd,
                what.offset as libc::off_t,
            )
        };
        if found == libc::MAP_FAILED {
            return answer(-1).map(|_| ());
        }
        Ok(())
    }

    /// `munmap`
    pub fn unmap(&self, at: u64, length: u64) -> Sys<()> {
        if !self.holds(at, length) {
            return Err(Errno::RANGE);
        }
        // SAFETY: The range is in the ground.
        unsafe { answer(libc::munmap(at as *mut libc::c_void, length as usize).into()).map(|_| ()) }
    }

    /// `mremap` from one place of the ground to another; an old length of 0 doubles a mapping.
    pub fn remap(&self, from: (u64, u64), to: (u64, u64)) -> Sys<()> {
        if !self.holds(from.0, from.1) || !self.holds(to.0, to.1) {
            return Err(Errno::RANGE);
        }
        // SAFETY: Both ranges are in the ground.
        let found = unsafe {
            libc::mremap(
                from.0 as *mut libc::c_void,
                from.1 as usize,
                to.1 as usize,
                libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED,
                to.0 as *mut libc::c_void,
            )
        };
        if found == libc::MAP_FAILED {
            return answer(-1).map(|_| ());
        }
        Ok(())
    }

    /// `mprotect`
    pub fn protect(&self, at: u64, length: u64, protection: i32) -> Sys<()> {
        if !self.holds(at, length) {
            return Err(Errno::RANGE);
        }
        // SAFETY: The range is in the ground.
        unsafe {
            let at = at as *mut libc::c_void;
            answer(libc::mprotect(at, length as usize, protection).into()).map(|_| ())
        }
    }

    /// `madvise`
    pub fn advise(&self, at: u64, length: u64, advice: i32) -> Sys<()> {
        if !self.holds(at, length) {
            return Err(Errno::RANGE);
        }
        // SAFETY: The range is in the ground.
        unsafe {
            let at = at as *mut libc::c_void;
            answer(libc::madvise(at, length as usize, advice).into()).map(|_| ())
        }
    }

    /// `mlock`, or `munlock`.
    pub fn lock(&self, at: u64, length: u64, lock: bool) -> Sys<()> {
        if !self.holds(at, length) {
            return Err(Errno::RANGE);
        }
        let (at, length) = (at as *const libc::c_void, length as usize);
        // SAFETY: The range is in the ground.
        unsafe {
            answer(if lock {
                libc::mlock(at, length).into()
            } else {
                libc::munlock(at, length).into()
            })
            .map(|_| ())
        }
    }

    /// `process_vm_writev` or `_readv` on this process: what a debugger does to a mapping.
    pub fn poke(&self, at: u64, word: &mut u64, write: bool) -> Sys<u64> {
        if !self.holds(at, 8) {
            return Err(Errno::RANGE);
        }
        let local = libc::iovec {
            iov_base: ptr::from_mut(word).cast(),
            iov_len: 8,
        };
        let remote = libc::iovec {
            iov_base: at as *mut libc::c_void,
            iov_len: 8,
        };
        // SAFETY: The local word is ours, the remote one is in the ground.
        unsafe {
            let this = libc::getpid();
            answer(if write {
                libc::process_vm_writev(this, &local, 1, &remote, 1, 0) as libc::c_long
            } else {
                libc::process_vm_readv(this, &local, 1, &remote, 1, 0) as libc::c_long
            })
        }
    }
}

/// Memory that is mapped twice, to write and to read only, with nothing mapped behind either.
#[derive(Debug)]
pub struct Window {
    base: *mut u8,
    alias: *mut u8,
    length: u64,
}

// SAFETY: A window is memory; it belongs to no thread.
unsafe impl Send for Window {}
// SAFETY: It is accessed through copies that one thread makes, and atomics.
unsafe impl Sync for Window {}

impl Window {
    /// So many bytes, a multiple of a page.
    pub fn new(length: u64) -> Sys<Self> {
        let memory = rustix::fs::memfd_create("window", rustix::fs::MemfdFlags::CLOEXEC)?;
        rustix::fs::ftruncate(&memory, length)?;
        let place = |protection| {
            // SAFETY: The kernel chooses where the reservation lies, which is then partly
            // replaced.
            unsafe {
                let reserved = libc::mmap(
                    ptr::null_mut(),
                    (length + PAGE) as usize,
                    libc::PROT_NONE,
                    libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                    -1,
                    0,
                );
                if reserved == libc::MAP_FAILED {
                    return answer(-1).map(|_| ptr::null_mut());
                }
                let found = libc::mmap(
                    reserved,
                    length as usize,
                    protection,
                    libc::MAP_SHARED | libc::MAP_FIXED,
                    memory.as_raw_fd(),
                    0,
                );
                if found == libc::MAP_FAILED {
                    return answer(-1).map(|_| ptr::null_mut());
                }
                Ok(found.cast::<u8>())
            }
        };
        Ok(Self {
            base: place(libc::PROT_READ | libc::PROT_WRITE)?,
            alias: place(libc::PROT_READ)?,
            length,
        })
    }

    /// The address of a byte, as it can be written.
    pub fn at(&self, offset: u64) -> u64 {
        self.base as u64 + offset
    }

    /// The address of the same byte, as it can only be read.
    pub fn read_only_at(&self, offset: u64) -> u64 {
        self.alias as u64 + offset
    }

    /// The offset of an address.
    pub fn offset_of(&self, address: u64) -> Option<u64> {
        let offset = address.wrapping_sub(self.base as u64);
        (offset < self.length).then_some(offset)
    }

    /// The word at a multiple of 8 bytes, which other threads may change.
    pub fn word(&self, offset: u64) -> &AtomicU64 {
        assert!(offset % 8 == 0 && offset + 8 <= self.length);
        // SAFETY: Inside the window and aligned.
        unsafe { AtomicU64::from_ptr(self.base.add(offset as usize).cast()) }
    }

    /// Copies bytes in; no other thread uses this part of the window.
    pub fn put(&self, offset: u64, bytes: &[u8]) {
        assert!(offset <= self.length && bytes.len() as u64 <= self.length - offset);
        // SAFETY: Inside the window.
        unsafe {
            let to = self.base.add(offset as usize);
            ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        }
    }

    /// Copies bytes out; no other thread uses this part of the window.
    pub fn get(&self, offset: u64, bytes: &mut [u8]) {
        assert!(offset <= self.length && bytes.len() as u64 <= self.length - offset);
        // SAFETY: Inside the window.
        unsafe {
            let from = self.base.add(offset as usize);
            ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), bytes.len());
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        for base in [self.base, self.alias] {
            // SAFETY: The reservation is ours and nobody holds a reference into it.
            unsafe { libc::munmap(base.cast(), (self.length + PAGE) as usize) };
        }
    }
}

/// Page faults of this process that user space serves.
#[derive(Debug)]
pub struct Faults {
    fd: OwnedFd,
}

const UFFDIO_API: u64 = 0xc018_aa3f;
const UFFDIO_REGISTER: u64 = 0xc020_aa00;
const UFFDIO_UNREGISTER: u64 = 0x8010_aa01;
const UFFDIO_WAKE: u64 = 0x8010_aa02;
const UFFDIO_COPY: u64 = 0xc028_aa03;
const UFFDIO_ZEROPAGE: u64 = 0xc020_aa04;
const UFFD_API: u64 = 0xaa;
const UFFD_EVENT_PAGEFAULT: u8 = 0x12;

impl Faults {
    /// Needs root, or vm.unprivileged_userfaultfd: the faults of the kernel are what it is for.
    pub fn open() -> Sys<Self> {
        let flags = libc::O_CLOEXEC | libc::O_NONBLOCK;
        // SAFETY: The descriptor that comes back is nobody else's.
        let fd = unsafe {
            let fd = answer(libc::syscall(libc::SYS_userfaultfd, flags))?;
            OwnedFd::from_raw_fd(fd as RawFd)
        };
        sys::ioctl(&fd, UFFDIO_API, &mut [UFFD_API, 0, 0])?;
        Ok(Self { fd })
    }

    /// From now on a missing page there is waited for.
    pub fn register(&self, at: u64, length: u64) -> Sys<()> {
        sys::ioctl(&self.fd, UFFDIO_REGISTER, &mut [at, length, 1, 0])
    }

    /// Not any more; who waits goes on.
    pub fn unregister(&self, at: u64, length: u64) -> Sys<()> {
        sys::ioctl(&self.fd, UFFDIO_UNREGISTER, &mut [at, length])
    }

    /// The address of the next page that somebody waits for, if one comes in that time.
    pub fn next(&self, wait_ms: i32) -> Sys<Option<u64>> {
        if sys::poll(&self.fd, libc::POLLIN, wait_ms)? & libc::POLLIN == 0 {
            return Ok(None);
        }
        let mut message = [0u64; 4];
        match rustix::io::read(&self.fd, zerocopy::IntoBytes::as_mut_bytes(&mut message)) {
            Ok(_) if message[0] as u8 == UFFD_EVENT_PAGEFAULT => Ok(Some(message[2] & !(PAGE - 1))),
            Ok(_) | Err(Errno::AGAIN) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    /// Gives the page these contents (the first page of a window's), or zeroes.
    pub fn serve(&self, page: u64, contents: Option<&Window>) -> Sys<()> {
        match contents {
            Some(from) => sys::ioctl(&self.fd, UFFDIO_COPY, &mut [page, from.at(0), PAGE, 0, 0]),
            None => sys::ioctl(&self.fd, UFFDIO_ZEROPAGE, &mut [page, PAGE, 0, 0]),
        }
    }

    /// Lets who waits there look again.
    pub fn wake(&self, at: u64, length: u64) -> Sys<()> {
        sys::ioctl(&self.fd, UFFDIO_WAKE, &mut [at, length])
    }
}

/// A program to become, made ready before a fork.
#[derive(Debug)]
pub struct Program {
    path: CString,
    arguments: Vec<CString>,
}

impl Program {
    /// This program with these arguments.
    pub fn this(arguments: &[String]) -> Sys<Self> {
        let text = |text: &str| CString::new(text).map_err(|_| Errno::INVAL);
        let mut all = vec![text("rt-guest-tests")?];
        for argument in arguments {
            all.push(text(argument)?);
        }
        Ok(Self {
            path: text("/proc/self/exe")?,
            arguments: all,
        })
    }

    /// `execv`; comes back only if that failed.
    pub fn become_it(&self) -> Errno {
        let mut pointers = [ptr::null(); 16];
        for (pointer, argument) in pointers.iter_mut().zip(&self.arguments) {
            *pointer = argument.as_ptr();
        }
        assert!(self.arguments.len() < pointers.len());
        // SAFETY: The path is a C string, the arguments are, and a null ends them.
        unsafe { libc::execv(self.path.as_ptr(), pointers.as_ptr()) };
        answer(-1).err().unwrap_or(Errno::NOEXEC)
    }
}

/// Who a process is to be.
#[derive(Clone, Copy, Debug)]
pub enum Identity {
    /// Root, as it was.
    Root,
    /// A user of the lab, with the groups of the user database.
    User(&'static str),
    /// A number that no user has, in these groups.
    Number(u32, &'static [&'static str]),
}

fn become_number(id: u32, names: &[&str]) -> Sys<()> {
    let mut groups = Vec::new();
    for name in names {
        let name = CString::new(*name).map_err(|_| Errno::INVAL)?;
        // SAFETY: The name is a C string; the entry is used before the next call of its kind.
        let entry = unsafe { libc::getgrnam(name.as_ptr()).as_ref() };
        groups.push(entry.ok_or(Errno::NOENT)?.gr_gid);
    }
    // SAFETY: There are as many groups.
    unsafe {
        answer(libc::setgroups(groups.len(), groups.as_ptr()).into())?;
        answer(libc::setresgid(id, id, id).into())?;
        answer(libc::setresuid(id, id, id).into())?;
    }
    Ok(())
}

/// Has a command run as somebody else, with these descriptors. For a process of one thread.
pub fn prepare(command: &mut Command, identity: Identity, descriptors: Vec<RawFd>) {
    let before_exec = move || {
        for fd in &descriptors {
            keep_over_exec(*fd)?;
        }
        match identity {
            Identity::Root => {}
            Identity::User(name) => sys::ids::become_user(name)?,
            Identity::Number(id, groups) => become_number(id, groups)?,
        }
        Ok(())
    };
    // SAFETY: The parent has one thread, so the child may use the C library as it likes.
    unsafe { command.pre_exec(before_exec) };
}

/// A descriptor that was inherited by number.
pub fn inherited(fd: RawFd) -> Sys<OwnedFd> {
    // SAFETY: Asks whether it is one; then it is this process's, which nobody else has claimed.
    unsafe {
        answer(libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC).into())?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}
