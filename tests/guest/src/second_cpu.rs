// SPDX-License-Identifier: GPL-2.0-only
//! The CPU that tests take offline and bring back.

#![forbid(unsafe_code)]

use std::fs;

use crate::guest;
use crate::test::{Failure, Outcome};
use crate::waiting;

const SWITCH: &str = "/sys/devices/system/cpu/cpu1/online";

/// CPU 1, which is back online when this is dropped.
pub struct SecondCpu(());

impl SecondCpu {
    /// Skips the test where there is none, or none that can go.
    pub fn take() -> Outcome<Self> {
        if guest::online_cpus() < 2 || fs::metadata(SWITCH).is_err() {
            return Err(Failure::Skipped(
                "needs a second CPU that can go offline".to_owned(),
            ));
        }
        Ok(Self(()))
    }

    /// A CPU that was taken a moment ago may not be given away at once.
    pub fn set(&self, online: bool) -> Outcome {
        let to = if online { "1" } else { "0" };
        let switched = || Ok(fs::write(SWITCH, to).is_ok());
        waiting::until(switched, || format!("CPU 1 does not become {to}"))
    }
}

impl Drop for SecondCpu {
    fn drop(&mut self) {
        let _ = self.set(true);
    }
}
