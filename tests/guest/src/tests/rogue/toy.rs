// SPDX-License-Identifier: GPL-2.0-only
//! The toys of `tests/modules/rogue/`: each hides or changes one thing, and undoes it when told.

#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};

use crate::options::Options;
use crate::target;
use crate::test::{Outcome, check, fail};

/// Whether a module is on the list that everybody reads.
pub fn is_listed(module: &str) -> Outcome<bool> {
    let modules = fs::read_to_string("/proc/modules")?;
    let names = |line: &str| line.split(' ').next() == Some(module);
    Ok(modules.lines().any(names))
}

/// A loaded toy; made undone and unloaded at the end.
#[derive(Debug)]
pub struct Toy {
    module: &'static str,
    /// Whether it is loaded still.
    loaded: bool,
}

impl Toy {
    /// Loads it, which does what it is for.
    pub fn load(options: &Options, module: &'static str, parameters: &str) -> Outcome<Self> {
        target::load(options, module, parameters)?;
        Ok(Self {
            module,
            loaded: true,
        })
    }

    /// Its name as a module.
    pub fn module(&self) -> &'static str {
        self.module
    }

    fn file(&self) -> PathBuf {
        Path::new("/proc").join(self.module)
    }

    /// Tells it something: `hide`, `undo`, or a word of its own.
    pub fn tell(&self, word: &str) -> Outcome {
        fs::write(self.file(), word)
            .map_err(|error| fail(format!("{}: {word}: {error}", self.module)))
    }

    /// What it tells under this word.
    pub fn told(&self, word: &str) -> Outcome<String> {
        let text = fs::read_to_string(self.file())?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
        let line = line.ok_or_else(|| fail(format!("{}: no {word} in {text}", self.module)))?;
        Ok(line.to_owned())
    }

    /// A number that it tells.
    pub fn number(&self, word: &str) -> Outcome<u64> {
        self.told(word)?.parse().map_err(fail)
    }

    /// Undone and unloaded, as any other module is.
    pub fn undo(mut self) -> Outcome {
        self.tell("undo")?;
        check!(is_listed(self.module)?, "{} stays hidden", self.module);
        self.loaded = false;
        target::unload(self.module)
    }
}

impl Drop for Toy {
    fn drop(&mut self) {
        // Only when a test fails on the way: what follows would otherwise find this toy as well.
        if self.loaded && self.tell("undo").is_ok() {
            let _ = target::unload(self.module);
        }
    }
}
