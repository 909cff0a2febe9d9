// SPDX-License-Identifier: GPL-2.0-only
//! Memory that nothing refers to any more, as kmemleak finds it on a kernel that has it.

#![forbid(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::test::Outcome;

const REPORT: &str = "/sys/kernel/debug/kmemleak";
/// The kernel does not take what is younger than this for lost.
const YOUTH: Duration = Duration::from_secs(6);

/// What was lost since it was made. A file that was opened before the kernel was locked down goes on
/// telling, and doing as it is told, afterwards; a new one cannot be opened.
#[derive(Debug)]
pub struct Leaks(File);

impl Leaks {
    /// From here on; nothing on a kernel without kmemleak. debugfs must be mounted.
    pub fn watch() -> Outcome<Option<Self>> {
        if !Path::new(REPORT).exists() {
            return Ok(None);
        }
        let mut leaks = Self(OpenOptions::new().read(true).write(true).open(REPORT)?);
        // Looked for at the end, not now and then beside a test.
        leaks.tell("scan=off")?;
        leaks.tell("scan")?;
        leaks.tell("clear")?;
        Ok(Some(leaks))
    }

    /// What was lost meanwhile, with where it was allocated; empty if nothing was.
    pub fn found(&mut self) -> Outcome<String> {
        // What one look takes for lost may just have been on its way from one list to another:
        // the kernel reports what stays so, and so do we.
        for _ in 0..2 {
            thread::sleep(YOUTH);
            self.tell("scan")?;
        }
        let mut text = String::new();
        self.0.seek(SeekFrom::Start(0))?;
        self.0.read_to_string(&mut text)?;
        Ok(text)
    }

    fn tell(&mut self, word: &str) -> Outcome {
        Ok(self.0.write_all(word.as_bytes())?)
    }
}
