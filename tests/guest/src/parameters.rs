// SPDX-License-Identifier: GPL-2.0-only
//! Parameters of the module, as an admin sets them while it is loaded.

#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};

use crate::test::Outcome;

/// Parameters that are put back at the end.
#[derive(Debug)]
pub struct Parameters(Vec<(PathBuf, String)>);

impl Parameters {
    /// Sets each by its name.
    pub fn set(values: &[(&str, u64)]) -> Outcome<Self> {
        let mut before = Self(Vec::new());
        for (name, value) in values {
            let path = Path::new("/sys/module/rust_tracer/parameters").join(name);
            before.0.push((path.clone(), fs::read_to_string(&path)?));
            fs::write(path, value.to_string())?;
        }
        Ok(before)
    }
}

impl Drop for Parameters {
    fn drop(&mut self) {
        for (path, value) in &self.0 {
            let _ = fs::write(path, value.trim());
        }
    }
}
