// SPDX-License-Identifier: GPL-2.0-only
//! Another kernel, loaded beside this one and never entered.

use super::{Sys, answer};

/// struct kexec_segment
#[repr(C)]
struct Segment {
    from: *const u8,
    from_bytes: usize,
    /// A physical address.
    to: usize,
    to_bytes: usize,
}

/// KEXEC_ARCH_X86_64
const X86_64: libc::c_ulong = 62 << 16;
const PAGE: usize = 4096;
/// Where kernels are loaded.
const TO: usize = 16 << 20;

/// What is loaded, until it is dropped.
#[derive(Debug)]
pub struct Loaded(());

fn load(segments: &[Segment]) -> Sys<u64> {
    // SAFETY: The segments and what they are made of live until they were copied. Nobody enters what is loaded.
    unsafe {
        answer(libc::syscall(
            libc::SYS_kexec_load,
            TO as libc::c_ulong,
            segments.len() as libc::c_ulong,
            segments.as_ptr(),
            X86_64,
        ))
    }
}

impl Loaded {
    /// A page of traps takes the kernel's place.
    pub fn traps() -> Sys<Self> {
        let page = [0xcc; PAGE];
        let segment = Segment {
            from: page.as_ptr(),
            from_bytes: PAGE,
            to: TO,
            to_bytes: PAGE,
        };
        load(&[segment]).map(|_| Self(()))
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        let _ = load(&[]);
    }
}
