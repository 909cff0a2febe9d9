// SPDX-License-Identifier: GPL-2.0-only
//! BTF, the kernel's description of its own types: `vmlinux` and, on top of it, a file for each
//! module (Documentation/bpf/btf.rst, include/uapi/linux/btf.h).
//!
//! ```text
//!   header │ types, one behind the other, numbered from 1 │ strings
//!                  a module's file goes on counting types and strings where vmlinux ends
//! ```
//!
//! The types are walked once when a file is opened, to find where each begins and that each ends
//! inside; they are decoded when somebody asks. Nothing the file says is believed: offsets are
//! checked where they are followed, and what leads nowhere reads as void, or as an empty name.
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

/// Why BTF cannot be read.
#[derive(Debug, Error)]
pub enum BtfError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is not BTF that we understand.
    #[error("{} is no BTF that can be used: {why}", path.display())]
    Format {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// What the kernel says of its types: vmlinux's, and its modules' when they are asked for.
pub struct Btf {
    vmlinux: Section,
    modules: Vec<Module>,
}

struct Module {
    name: String,
    source: Source,
    /// Opened at the first question; `None` inside: it cannot be read.
    section: OnceCell<Option<Section>>,
}

enum Source {
    File(PathBuf),
    Bytes(Vec<u8>),
}

impl Btf {
    /// A directory like /sys/kernel/btf: `vmlinux`, and a file for each module, which is opened
    /// when its types are asked for.
    pub fn open(directory: &Path) -> Result<Self, BtfError> {
        let path = directory.join("vmlinux");
        let bytes = read(&path)?;
        let vmlinux = Section::parse(bytes, None).map_err(|why| BtfError::Format { path, why })?;
        let mut modules = Vec::new();
        let entries = fs::read_dir(directory).map_err(|source| BtfError::Read {
            path: directory.to_owned(),
            source,
        })?;
        for entry in entries.flatten() {
            if let Ok(name) = entry.file_name().into_string() {
                if name != "vmlinux" {
                    modules.push(Module {
                        name,
                        source: Source::File(entry.path()),
                        section: OnceCell::new(),
                    });
                }
            }
        }
        modules.sort_by(|a, b| a.name.cmp(&b.name));
        modules.truncate(MODULES_MAX);
        Ok(Self { vmlinux, modules })
    }

    /// The same from memory: vmlinux's bytes, and names and bytes of modules.
    pub fn from_bytes(vmlinux: Vec<u8>, modules: Vec<(String, Vec<u8>)>) -> Result<Self, BtfError> {
        let vmlinux = Section::parse(vmlinux, None).map_err(|why| BtfError::Format {
            path: "vmlinux".into(),
            why,
        })?;
        let modules = modules
            .into_iter()
            .take(MODULES_MAX)
            .map(|(name, bytes)| Module {
                name,
                source: Source::Bytes(bytes),
                section: OnceCell::new(),
            })
            .collect();
        Ok(Self { vmlinux, modules })
    }

    pub(crate) fn vmlinux(&self) -> &Section {
        &self.vmlinux
    }

    /// How many modules have BTF.
    pub(crate) fn modules(&self) -> usize {
        self.modules.len()
    }

    /// The module of this name, for which `-` and `_` are the same.
    pub(crate) fn module_named(&self, name: &str) -> Option<usize> {
        self.modules.iter().position(|module| {
            module.name == name || module.name.replace('-', "_") == name.replace('-', "_")
        })
    }

    /// A module's part; `None`: it cannot be read (modules come and go).
    pub(crate) fn module(&self, index: usize) -> Option<&Section> {
        let module = self.modules.get(index)?;
        module
            .section
            .get_or_init(|| {
                let bytes = match &module.source {
                    Source::File(path) => read(path).ok()?,
                    Source::Bytes(bytes) => bytes.clone(),
                };
                Section::parse(bytes, Some(&self.vmlinux)).ok()
            })
            .as_ref()
    }

    /// A name of a type of this section.
    pub(crate) fn string<'a>(&'a self, section: &'a Section, offset: u32) -> &'a str {
        std::str::from_utf8(self.raw_string(section, offset)).unwrap_or("")
    }

    fn raw_string<'a>(&'a self, section: &'a Section, offset: u32) -> &'a [u8] {
        if offset < section.first_string {
            self.vmlinux.own_string(offset)
        } else {
            section.own_string(offset - section.first_string)
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, BtfError> {
    let failed = |source| BtfError::Read {
        path: path.to_owned(),
        source,
    };
    let length = fs::metadata(path).map_err(failed)?.len();
    if length > BYTES_MAX {
        return Err(BtfError::Format {
            path: path.to_owned(),
            why: "it is larger than any kernel's",
        });
    }
    fs::read(path).map_err(failed)
}

#[cfg(test)]
pub(crate) mod tests;
