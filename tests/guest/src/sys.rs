// SPDX-License-Identifier: GPL-2.0-only
//! System calls, as thin as they come: a test must be able to ask the kernel for
//! anything, also for what a library would refuse to pass on.
//!
//! All `unsafe` of this package is here and in the parts of this module.

#![allow(unsafe_code)]

pub mod filters;
pub mod ids;
pub mod kexec;
pub mod passing;
pub mod uring;

use std::ffi::{CStr, CString};
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rustix::io::Errno;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What a system call answers.
pub type Sys<T> = Result<T, Errno>;

fn answer(value: libc::c_long) -> Sys<u64> {
    if value < 0 {
        let error = std::io::Error::last_os_error();
        return Err(Errno::from_raw_os_error(error.raw_os_error().unwrap_or(0)));
    }
    Ok(value as u64)
}

/// Opens a file with exactly these flags.
pub fn open(path: &str, flags: i32) -> Sys<OwnedFd> {
    let path = CString::new(path).map_err(|_| Errno::INVAL)?;
    // SAFETY: The path is a C string; the descriptor that comes back is nobody else's.
    unsafe {
        let fd = answer(libc::open(path.as_ptr(), flags | libc::O_CLOEXEC, 0o600).into())?;
        Ok(OwnedFd::from_raw_fd(fd as RawFd))
    }
}

/// An ioctl whose argument is a structure that the kernel may write to.
pub fn ioctl<T: FromBytes + IntoBytes>(fd: &OwnedFd, command: u64, argument: &mut T) -> Sys<()> {
    ioctl_bytes(fd, command, argument.as_mut_bytes())
}

/// An ioctl whose argument is any bytes. The kernel sees a copy in the middle of
/// two pages of its own, so that a structure which it takes for longer than it is
/// harms nothing here.
pub fn ioctl_bytes(fd: &OwnedFd, command: u64, argument: &mut [u8]) -> Sys<()> {
    let mut copy = vec![0u64; 1024];
    let bytes = copy.as_mut_bytes();
    let length = argument.len().min(4096);
    bytes[..length].copy_from_slice(&argument[..length]);
    let result = ioctl_at(fd, command, bytes.as_mut_ptr() as u64);
    argument[..length].copy_from_slice(&bytes[..length]);
    result
}

/// An ioctl whose argument is any number: an address that is ours to lend, or one
/// that the kernel must refuse.
pub fn ioctl_at(fd: &OwnedFd, command: u64, argument: u64) -> Sys<()> {
    // SAFETY: The kernel writes only where the argument and the pointers in it say. Callers
    // pass addresses of memory they own and that nobody looks at meanwhile, or ones that
    // are not mapped.
    unsafe { answer(libc::ioctl(fd.as_raw_fd(), command, argument).into()).map(|_| ()) }
}

/// Memory mapped from a file, unmapped when dropped.
#[derive(Debug)]
pub struct Mapping {
    address: *mut u8,
    length: usize,
}

// SAFETY: A mapping is memory; it belongs to no thread.
unsafe impl Send for Mapping {}
// SAFETY: It is read and written by atomics, or by copies of published bytes.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// `mmap(NULL, length, protection, flags, fd, offset)`
    pub fn new(fd: &OwnedFd, length: usize, protection: i32, flags: i32, offset: u64) -> Sys<Self> {
        // SAFETY: The kernel chooses the address, so no memory of ours is replaced.
        let address = unsafe {
            libc::mmap(
                ptr::null_mut(),
                length,
                protection,
                flags,
                fd.as_raw_fd(),
                offset as libc::off_t,
            )
        };
        if address == libc::MAP_FAILED {
            answer(-1)?;
        }
        Ok(Self {
            address: address.cast(),
            length,
        })
    }

    /// Where it lies.
    pub fn address(&self) -> u64 {
        self.address as u64
    }

    /// The word at a multiple of 8 bytes.
    pub fn word(&self, offset: usize) -> &AtomicU64 {
        assert!(offset % 8 == 0 && offset + 8 <= self.length);
        // SAFETY: Inside the mapping and aligned; whoever else writes it does so as one word.
        unsafe { AtomicU64::from_ptr(self.address.add(offset).cast()) }
    }

    /// Sets the word at a multiple of 8 bytes.
    pub fn set(&self, offset: usize, value: u64) {
        self.word(offset).store(value, Ordering::Release);
    }

    /// Sets the half word at a multiple of 4 bytes.
    pub fn set_half(&self, offset: usize, value: u32) {
        assert!(offset % 4 == 0 && offset + 4 <= self.length);
        // SAFETY: Inside the mapping and aligned; whoever else writes it does so as one half word.
        let half = unsafe { AtomicU32::from_ptr(self.address.add(offset).cast()) };
        half.store(value, Ordering::Release);
    }

    /// A copy of bytes that nobody writes any more.
    pub fn copy(&self, offset: usize, into: &mut [u8]) {
        assert!(offset + into.len() <= self.length);
        // SAFETY: Inside the mapping; the destination is ours.
        unsafe {
            ptr::copy_nonoverlapping(self.address.add(offset), into.as_mut_ptr(), into.len());
        }
    }

    /// `mprotect` on all of it.
    pub fn protect(&self, protection: i32) -> Sys<()> {
        // SAFETY: The mapping is ours, and only read through copies and atomics.
        unsafe {
            answer(libc::mprotect(self.address.cast(), self.length, protection).into()).map(|_| ())
        }
    }

    /// `mremap` to another length, allowed to move.
    pub fn resize(mut self, length: usize) -> (Self, Sys<()>) {
        // SAFETY: The mapping is ours and is known by its new place from here on.
        let address = unsafe {
            libc::mremap(
                self.address.cast(),
                self.length,
                length,
                libc::MREMAP_MAYMOVE,
            )
        };
        if address == libc::MAP_FAILED {
            return (self, answer(-1).map(|_| ()));
        }
        self.address = address.cast();
        self.length = length;
        (self, Ok(()))
    }

    /// `mremap` with an old length of 0: a second mapping of the same.
    pub fn double(&self) -> Sys<()> {
        // SAFETY: Makes a mapping where nothing is, which is given up at once.
        unsafe {
            let new = libc::mremap(self.address.cast(), 0, self.length, libc::MREMAP_MAYMOVE);
            if new == libc::MAP_FAILED {
                return answer(-1).map(|_| ());
            }
            libc::munmap(new, self.length);
        }
        Ok(())
    }

    /// Unmaps the second half (of at least two pages).
    pub fn halve(&mut self) -> Sys<()> {
        let half = self.length / 2;
        // SAFETY: The range is the end of our own mapping, which is shorter from here on.
        unsafe {
            answer(libc::munmap(self.address.add(half).cast(), self.length - half).into())?;
        }
        self.length = half;
        Ok(())
    }

    /// `madvise` on all of it.
    pub fn advise(&self, advice: i32) -> Sys<()> {
        // SAFETY: The mapping is ours; a file's pages are not changed by advice.
        unsafe {
            answer(libc::madvise(self.address.cast(), self.length, advice).into()).map(|_| ())
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: The mapping is ours and nobody holds a reference into it.
        unsafe { libc::munmap(self.address.cast(), self.length) };
    }
}

/// What a child process came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It exited with this status.
    Exit(i32),
    /// This signal killed it.
    Signal(i32),
}

/// A child process.
#[derive(Debug)]
pub struct Child(pub i32);

impl Child {
    /// Forks; the child does this and exits with what it returns. It must not need a lock
    /// that another thread may hold.
    pub fn start(work: impl FnOnce() -> i32) -> Sys<Self> {
        // SAFETY: The child only runs `work` and ends without running our destructors.
        match unsafe { libc::fork() } {
            -1 => answer(-1).map(|_| unreachable!("-1 is an error")),
            0 => {
                let status = work();
                // SAFETY: Ends the child.
                unsafe { libc::_exit(status) }
            }
            pid => Ok(Self(pid)),
        }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: i32) -> Sys<()> {
        // SAFETY: A child that is not waited for keeps its pid.
        unsafe { answer(libc::kill(self.0, signal).into()).map(|_| ()) }
    }

    /// Waits for its end.
    pub fn wait(self) -> Sys<Ended> {
        let mut status = 0;
        // SAFETY: `status` is ours.
        unsafe { answer(libc::waitpid(self.0, &mut status, 0).into())? };
        Ok(if libc::WIFSIGNALED(status) {
            Ended::Signal(libc::WTERMSIG(status))
        } else {
            Ended::Exit(libc::WEXITSTATUS(status))
        })
    }
}

/// The name of a group.
pub fn group_name(gid: u32) -> String {
    // SAFETY: The entry is copied before the next call of its kind.
    unsafe {
        let entry = libc::getgrgid(gid);
        if entry.is_null() {
            return gid.to_string();
        }
        CStr::from_ptr((*entry).gr_name)
            .to_string_lossy()
            .into_owned()
    }
}

/// Waits for events on a descriptor, at most so many ms (-1: for ever).
pub fn poll(fd: &impl AsRawFd, events: i16, limit_ms: i32) -> Sys<i16> {
    let mut one = libc::pollfd {
        fd: fd.as_raw_fd(),
        events,
        revents: 0,
    };
    // SAFETY: One structure, ours.
    unsafe { answer(libc::poll(&mut one, 1, limit_ms).into())? };
    Ok(one.revents)
}

/// Keeps a thread (0: the caller) on one CPU.
pub fn pin(tid: i32, cpu: u32) -> Sys<()> {
    // SAFETY: The set is ours and as long as said.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu as usize, &mut set);
        answer(libc::sched_setaffinity(tid, size_of_val(&set), &set).into()).map(|_| ())
    }
}

/// The caller's thread id.
pub fn tid() -> i32 {
    // SAFETY: Has no arguments and always succeeds.
    unsafe { libc::gettid() }
}

/// Has a signal interrupt what the process waits for, and do nothing else.
pub fn catch(signal: i32) {
    extern "C" fn nothing(_: i32) {}
    // SAFETY: The handler does nothing; no flag means that calls are not begun again.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = nothing as extern "C" fn(i32) as libc::sighandler_t;
        libc::sigaction(signal, &action, ptr::null_mut());
    }
}

/// The cheapest system call.
pub fn getppid() {
    // SAFETY: Has no arguments and always succeeds.
    unsafe { libc::getppid() };
}

/// `CLOCK_MONOTONIC` in ns.
pub fn now() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: The structure is ours.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Lets others run.
pub fn give_way() {
    std::thread::yield_now();
}

/// `finit_module`: loads a module from its file.
pub fn load_module(path: &Path, parameters: &str) -> Sys<()> {
    let file = File::open(path)
        .map_err(|error| Errno::from_raw_os_error(error.raw_os_error().unwrap_or(libc::EIO)))?;
    let parameters = CString::new(parameters).map_err(|_| Errno::INVAL)?;
    // SAFETY: The parameters are a C string.
    unsafe {
        answer(libc::syscall(
            libc::SYS_finit_module,
            file.as_raw_fd(),
            parameters.as_ptr(),
            0,
        ))
        .map(|_| ())
    }
}

/// `delete_module` without waiting.
pub fn unload_module(name: &str) -> Sys<()> {
    let name = CString::new(name).map_err(|_| Errno::INVAL)?;
    // SAFETY: The name is a C string.
    unsafe {
        answer(libc::syscall(
            libc::SYS_delete_module,
            name.as_ptr(),
            libc::O_NONBLOCK,
        ))
        .map(|_| ())
    }
}

/// Whether a glob matches a name.
pub fn glob_matches(glob: &str, name: &str) -> bool {
    match (CString::new(glob), CString::new(name)) {
        // SAFETY: Both are C strings.
        (Ok(glob), Ok(name)) => unsafe { libc::fnmatch(glob.as_ptr(), name.as_ptr(), 0) == 0 },
        _ => false,
    }
}

/// Mounts a file system of this kind there if it is not there yet.
pub fn mount(kind: &str, at: &Path) -> Sys<()> {
    let kind = CString::new(kind).map_err(|_| Errno::INVAL)?;
    let at = CString::new(at.as_os_str().as_bytes()).map_err(|_| Errno::INVAL)?;
    // SAFETY: All are C strings; no data.
    unsafe {
        answer(libc::mount(kind.as_ptr(), at.as_ptr(), kind.as_ptr(), 0, ptr::null()).into())
            .map(|_| ())
    }
}

/// Joins a new user namespace; needs a process of one thread.
pub fn new_user_namespace() -> Sys<()> {
    // SAFETY: Changes only the caller's namespaces.
    unsafe { answer(libc::unshare(libc::CLONE_NEWUSER).into()).map(|_| ()) }
}

/// A structure that both sides agree on.
pub trait Plain: FromBytes + IntoBytes + Immutable + KnownLayout + Default + Copy {}
impl<T: FromBytes + IntoBytes + Immutable + KnownLayout + Default + Copy> Plain for T {}

/// A pipe: its reading end and its writing end.
pub fn pipe() -> Sys<(File, File)> {
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    Ok((reader.into(), writer.into()))
}

/// `read(2)` to an address that may not be ours to write.
pub fn read_to_address(fd: RawFd, address: u64, length: usize) -> Sys<u64> {
    // SAFETY: Callers pass addresses of memory that the kernel must refuse to write, or that
    // nobody looks at meanwhile.
    unsafe { answer(libc::read(fd, address as *mut libc::c_void, length) as libc::c_long) }
}
