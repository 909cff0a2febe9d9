// SPDX-License-Identifier: GPL-2.0

//! The three device nodes, and the file operations that make an open file a session.
//!
//! The kernel's Rust abstraction of misc devices has neither `poll` nor a name below a
//! directory of /dev, so the operations are ours (as in `drivers/android/binder`).
//!
//! There is no `read` and no `write`: a set-id program that is handed one of our descriptors
//! as its output does nothing by it.
//!
//! C header: [`include/linux/miscdevice.h`](srctree/include/linux/miscdevice.h)

use core::cell::UnsafeCell;

use kernel::{
    bindings,
    error::to_result,
    ffi,
    module::this_module,
    prelude::*,
    str::CStrExt,
    sync::Arc,
    types::ForeignOwnable, //
};

use crate::{
    arch,
    audit::{
        self,
        Event,
        Wait, //
    },
    bindings as shim,
    engine::{
        self,
        Area, //
    },
    node::Node,
    opener::{
        self,
        Opener, //
    },
    session::{
        self,
        Access,
        Session, //
    },
    LocalModule, //
};

/// Makes a C structure usable as a constant.
struct AssertSync<T>(T);
// SAFETY: Used only for operations tables that nobody writes.
unsafe impl<T> Sync for AssertSync<T> {}

static OPERATIONS: AssertSync<[bindings::file_operations; 3]> = AssertSync([
    operations(open::<0>),
    operations(open::<1>),
    operations(open::<2>),
]);

type Open = unsafe extern "C" fn(*mut bindings::inode, *mut bindings::file) -> ffi::c_int;

const fn operations(open: Open) -> bindings::file_operations {
    bindings::file_operations {
        owner: this_module::<LocalModule>().as_ptr(),
        open: Some(open),
        release: Some(release),
        poll: Some(poll),
        unlocked_ioctl: Some(ioctl),
        compat_ioctl: bindings::compat_ptr_ioctl,
        mmap: Some(mmap),
        ..pin_init::zeroed()
    }
}

/// The nodes, for as long as it lives.
pub(crate) struct Devices(KVec<KBox<UnsafeCell<bindings::miscdevice>>>);

// SAFETY: The devices are registered and deregistered from the module's init and exit alone.
unsafe impl Send for Devices {}
// SAFETY: As above.
unsafe impl Sync for Devices {}

impl Devices {
    pub(crate) fn register() -> Result<Self> {
        let mut devices = Self(KVec::with_capacity(Node::ALL.len(), GFP_KERNEL)?);
        for (node, operations) in Node::ALL.into_iter().zip(&OPERATIONS.0) {
            let (name, nodename) = node.names();
            let device = UnsafeCell::new(bindings::miscdevice {
                minor: bindings::MISC_DYNAMIC_MINOR as ffi::c_int,
                name: name.as_char_ptr(),
                nodename: nodename.as_char_ptr(),
                fops: operations,
                mode: 0o600,
                ..pin_init::zeroed()
            });
            let device = KBox::new(device, GFP_KERNEL)?;
            // SAFETY: The structure is complete, stays where it is, and is deregistered before
            // it is freed.
            to_result(unsafe { bindings::misc_register(device.get()) })?;
            devices.0.push_within_capacity(device)?;
        }
        Ok(devices)
    }
}

impl Drop for Devices {
    fn drop(&mut self) {
        for device in &self.0 {
            // SAFETY: It was registered, once.
            unsafe { bindings::misc_deregister(device.get()) };
        }
    }
}

/// # Safety
///
/// Called by the VFS with a file that is being opened.
unsafe extern "C" fn open<const NODE: usize>(
    _inode: *mut bindings::inode,
    file: *mut bindings::file,
) -> ffi::c_int {
    let node = Node::ALL[NODE];
    let refuse = |error: Error, why| {
        // Opening holds a lock of all misc devices: do not wait.
        audit::record(
            Event::Refuse { why },
            0,
            node,
            &opener::current_facts(),
            Wait::No,
        );
        error.to_errno()
    };
    // SAFETY: By this function's contract.
    let opener = match unsafe { Opener::of(file) } {
        Ok(opener) => opener,
        Err(error) => return error.to_errno(),
    };
    if !opener.facts().initial {
        return refuse(EPERM, "namespace");
    }
    if opener::is_locked_down() {
        return refuse(EPERM, "lockdown");
    }
    match Session::open(node, opener) {
        Ok(session) => {
            // SAFETY: The file is ours until it is released.
            unsafe { (*file).private_data = session.into_foreign().cast() };
            0
        }
        Err(error) if error == EDQUOT => refuse(error, "quota"),
        Err(error) => error.to_errno(),
    }
}

/// # Safety
///
/// Called by the VFS, once, when the last reference to the file is gone.
unsafe extern "C" fn release(
    _inode: *mut bindings::inode,
    file: *mut bindings::file,
) -> ffi::c_int {
    // SAFETY: `open` put it there, and nobody uses the file any more.
    unsafe { Arc::<Session>::from_foreign((*file).private_data.cast()) }.close();
    0
}

/// # Safety
///
/// Called by the VFS with an open file.
unsafe extern "C" fn ioctl(
    file: *mut bindings::file,
    command: ffi::c_uint,
    argument: ffi::c_ulong,
) -> ffi::c_long {
    // SAFETY: `open` put it there; the file stays open for the call.
    let (session, access) = unsafe {
        (
            Arc::<Session>::borrow((*file).private_data.cast()),
            Access {
                read: shim::rtrace_may_read(file.cast()),
                write: shim::rtrace_may_write(file.cast()),
            },
        )
    };
    match session::ioctl(session, access, command, argument) {
        Ok(()) => {
            session.gives_sign();
            0
        }
        Err(refusal) => {
            let errno = refusal.error.to_errno();
            session.audit_refusal(&refusal);
            // A command that is none of ours has no effect at all; the holder of a descriptor
            // that was passed on is not the reader.
            if refusal.error != ENOTTY {
                if refusal.rule != Some(session::RULE_OPENER) {
                    session.gives_sign();
                }
                session.remember(refusal);
            }
            errno as ffi::c_long
        }
    }
}

/// # Safety
///
/// Called by the VFS with an open file.
unsafe extern "C" fn poll(
    file: *mut bindings::file,
    table: *mut bindings::poll_table_struct,
) -> bindings::__poll_t {
    // SAFETY: `open` put it there; the file stays open for the call.
    let session = unsafe { Arc::<Session>::borrow((*file).private_data.cast()) };
    session.gives_sign();
    let observed = session.observed();
    // SAFETY: These are our own arguments; the session lives as long as the file, and so does
    // what it observes.
    unsafe {
        session.waiter().poll(file.cast(), table.cast());
        if let Some(observed) = &observed {
            observed.waiter().poll(file.cast(), table.cast());
        }
    }
    if session.is_dead() {
        return bindings::POLLIN | bindings::POLLHUP;
    }
    let engine = match &observed {
        Some(observed) => observed.engine(),
        None => session.engine(),
    };
    let Some(engine) = engine else {
        // What is observed is over before it has started; without an engine of its own there is nothing to wait for yet.
        return match observed {
            Some(observed) if observed.is_closed() || observed.is_dead() => {
                bindings::POLLIN | bindings::POLLHUP
            }
            _ => 0,
        };
    };
    engine.tend();
    let mut ready = 0;
    // How much is unread is the owner's matter: an observer looks at its own pace.
    if observed.is_none() && engine.is_readable() {
        ready |= bindings::POLLIN | bindings::POLLRDNORM;
    }
    if engine.is_over() {
        ready |= bindings::POLLIN | bindings::POLLHUP;
    }
    ready
}

/// # Safety
///
/// Called by the VFS with an open file and the mapping to be made, its address space locked.
unsafe extern "C" fn mmap(
    file: *mut bindings::file,
    vma: *mut bindings::vm_area_struct,
) -> ffi::c_int {
    // SAFETY: `open` put it there; the file stays open for the call.
    let session = unsafe { Arc::<Session>::borrow((*file).private_data.cast()) };
    let mut wanted = shim::rtrace_mapping::default();
    // SAFETY: By this function's contract.
    unsafe { shim::rtrace_mapping(vma.cast(), &mut wanted) };
    let found = || {
        if wanted.exec {
            return Err(EPERM);
        }
        if !wanted.shared {
            return Err(EINVAL);
        }
        let engine = session.engine().ok_or(ENXIO)?;
        let area = Area::from_number(wanted.offset >> 34 & 3).ok_or(EINVAL)?;
        let cpu = u32::try_from(wanted.offset >> 36).map_err(|_| EINVAL)?;
        if cpu >= engine::cpu_limit() {
            return Err(ENXIO);
        }
        let cpu = arch::index_nospec(cpu as usize, engine::cpu_limit() as usize) as u32;
        if wanted.offset & ((1 << 34) - 1) != 0 {
            return Err(EINVAL);
        }
        let ring = engine.ring(cpu).ok_or(ENXIO)?;
        let (start, length, writable) = ring.memory().area(area);
        if wanted.length != length {
            return Err(EINVAL);
        }
        if wanted.write && !writable {
            return Err(EPERM);
        }
        // SAFETY: The vma is being made and is as long as the area, which lives as long as the
        // file, which the mapping pins.
        to_result(unsafe { shim::rtrace_map(vma.cast(), start.as_ptr(), writable) })
    };
    found().map_or_else(|error: Error| error.to_errno(), |()| 0)
}
