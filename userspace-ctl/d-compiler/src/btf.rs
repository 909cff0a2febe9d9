// SPDX-License-Identifier: GPL-2.0-only
//! BTF, the kernel's description of its own types: `vmlinux` and, on top of it, a file for each
//! module (Documentation/bpf/btf.rst, include/uapi/linux/btf.h).
//!
//! ```text
//!   header │ types, one behind the other, numbered from 1 │ strings
//!                  a module's file goes on counting types and strings where vmlinux ends
//! ```
//!
//! A file is read when something is asked that it may know. Its types are walked once then, to find
//! where each begins and that each ends inside; they are decoded when somebody asks. Nothing the
//! file says is believed: offsets are checked where they are followed, and what leads nowhere reads
//! as void, or as an empty name.
//!
//! The crate `btf-rs` was measured in its place: its cached form takes longer to open `vmlinux`
//! than this may, and sizes its tables by what the header claims; its mapped form needs kernels
//! whose sysfs can be mapped, and walks all types for each name.
#![forbid(unsafe_code)]

mod section;

use std::cell::OnceCell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

pub(crate) use section::{Class, Section, Type};

/// Types a file may number: what a [`crate::types::TypeId`] has room for.
pub(crate) const TYPES_MAX: u32 = 1 << 20;
/// Modules that can be told apart, for the same reason.
const MODULES_MAX: usize = 4000;
/// The most bytes that a file of BTF may have.
const BYTES_MAX: u64 = 256 << 20;

/// BTF is not there, or cannot be read.
#[derive(Debug, Error)]
#[error("cannot read {}: {source}", path.display())]
pub struct BtfError {
    /// Where it was looked for.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

/// What the kernel says of its types: vmlinux's and its modules', each read when it is asked for.
pub struct Btf {
    vmlinux: File,
    modules: Vec<(String, File)>,
}

/// One file of it.
struct File {
    source: Source,
    /// Read at the first question; `None` inside: it cannot be read.
    section: OnceCell<Option<Section>>,
}

enum Source {
    Path(PathBuf),
    Bytes(Vec<u8>),
}

impl File {
    fn new(source: Source) -> Self {
        Self {
            source,
            section: OnceCell::new(),
        }
    }

    /// What is in it, on top of vmlinux's.
    fn section(&self, base: Option<&Section>) -> Option<&Section> {
        let read = || {
            let bytes = match &self.source {
                Source::Path(path) => read(path).ok()?,
                Source::Bytes(bytes) => bytes.clone(),
            };
            Section::parse(bytes, base).ok()
        };
        self.section.get_or_init(read).as_ref()
    }
}

impl Btf {
    /// A directory like /sys/kernel/btf: `vmlinux`, and a file for each module.
    pub fn open(directory: &Path) -> Result<Self, BtfError> {
        let failed = |source| BtfError {
            path: directory.to_owned(),
            source,
        };
        let path = directory.join("vmlinux");
        fs::metadata(&path).map_err(failed)?;
        let mut modules = Vec::new();
        for entry in fs::read_dir(directory).map_err(failed)?.flatten() {
            if let Ok(name) = entry.file_name().into_string() {
                if name != "vmlinux" {
                    modules.push((name, File::new(Source::Path(entry.path()))));
                }
            }
        }
        modules.sort_by(|(a, _), (b, _)| a.cmp(b));
        modules.truncate(MODULES_MAX);
        let vmlinux = File::new(Source::Path(path));
        Ok(Self { vmlinux, modules })
    }

    /// The same from memory: vmlinux's bytes, and names and bytes of modules.
    pub fn from_bytes(vmlinux: Vec<u8>, modules: Vec<(String, Vec<u8>)>) -> Self {
        let file = |bytes| File::new(Source::Bytes(bytes));
        let modules = modules.into_iter().take(MODULES_MAX);
        Self {
            vmlinux: file(vmlinux),
            modules: modules.map(|(name, bytes)| (name, file(bytes))).collect(),
        }
    }

    /// vmlinux's part; `None`: it cannot be read.
    pub(crate) fn vmlinux(&self) -> Option<&Section> {
        self.vmlinux.section(None)
    }

    /// How many modules have BTF.
    pub(crate) fn modules(&self) -> usize {
        self.modules.len()
    }

    /// The module of this name, for which `-` and `_` are the same.
    pub(crate) fn module_named(&self, name: &str) -> Option<usize> {
        let name = name.replace('-', "_");
        let mut all = self.modules.iter();
        all.position(|(other, _)| other.replace('-', "_") == name)
    }

    /// A module's part; `None`: it cannot be read (modules come and go).
    pub(crate) fn module(&self, index: usize) -> Option<&Section> {
        let (_, file) = self.modules.get(index)?;
        file.section(Some(self.vmlinux()?))
    }

    /// A name of a type of this section.
    pub(crate) fn string<'a>(&'a self, section: &'a Section, offset: u32) -> &'a str {
        std::str::from_utf8(self.raw_string(section, offset)).unwrap_or("")
    }

    fn raw_string<'a>(&'a self, section: &'a Section, offset: u32) -> &'a [u8] {
        match offset.checked_sub(section.first_string) {
            Some(offset) => section.own_string(offset),
            None => self.vmlinux().map_or(&[], |base| base.own_string(offset)),
        }
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Larger than any kernel's.
    if fs::metadata(path)?.len() > BYTES_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    fs::read(path)
}

#[cfg(test)]
pub(crate) mod tests;
