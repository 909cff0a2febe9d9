// SPDX-License-Identifier: GPL-2.0-only
//! Allocations that fail on demand: the kernel's fault injection, on a kernel that has it.
//! <https://docs.kernel.org/fault-injection/fault-injection.html>

#![forbid(unsafe_code)]

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::test::{Failure, Outcome};

/// The file of the calling thread, held open.
#[derive(Debug)]
pub struct Faults(File);

impl Faults {
    /// For the calling thread; skips the test on a kernel that does not fail on demand.
    pub fn of_this_thread() -> Outcome<Self> {
        let path = Path::new("/proc/thread-self/fail-nth");
        if !path.exists() {
            return Err(Failure::Skipped(
                "this kernel does not fail on demand: there is no /proc/thread-self/fail-nth"
                    .to_owned(),
            ));
        }
        for kind in ["failslab", "fail_page_alloc", "fail_usercopy"] {
            let kind = Path::new("/sys/kernel/debug").join(kind);
            // Also what may wait; in silence, since each failure is asked for.
            for (name, value) in [
                ("ignore-gfp-wait", "N"),
                ("ignore-gfp-highmem", "N"),
                ("min-order", "0"),
                ("verbose", "0"),
            ] {
                if kind.join(name).exists() {
                    fs::write(kind.join(name), value)?;
                }
            }
        }
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        Ok(Self(file))
    }

    /// From now on single pages do not fail; the memory that is asked for, be it many of them, does.
    pub fn spare_single_pages(&self) -> Outcome {
        Ok(fs::write(
            "/sys/kernel/debug/fail_page_alloc/min-order",
            "1",
        )?)
    }

    /// Does something in whose course the `nth` thing that can fail does: an allocation, or a
    /// copy from or to user memory. Says whether there were so many.
    pub fn at<T>(&self, nth: u32, work: impl FnOnce() -> T) -> Outcome<(T, bool)> {
        self.0.write_at(nth.to_string().as_bytes(), 0)?;
        let result = work();
        // What is left of the count. Reading it can fail itself, if it is the one that is due.
        let mut left = [0u8; 16];
        let happened = match self.0.read_at(&mut left, 0) {
            Ok(length) => left[..length].trim_ascii() == b"0",
            Err(_) => false,
        };
        // So can this.
        while self.0.write_at(b"0", 0).is_err() {}
        Ok((result, happened))
    }
}
