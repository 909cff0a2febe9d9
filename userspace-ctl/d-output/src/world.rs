// SPDX-License-Identifier: GPL-2.0-only
//! What a printer must be told by the tool: probes, symbols, the time zone, types.
#![forbid(unsafe_code)]

/// A probe's id and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Probe {
    pub id: u32,
    pub provider: String,
    pub module: String,
    pub function: String,
    pub name: String,
}

/// What is at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// The module of the kernel (`vmlinux` itself), or the mapped file without its folder.
    pub module: String,
    /// An address of it, always the same one and named as all are, by which they are counted as one.
    pub base: u64,
    /// The symbol and where it begins, if there is one.
    pub name: Option<(String, u64)>,
}

/// How far the local time is from UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Seconds east of UTC.
    pub offset: i32,
    /// As `%Z` prints it.
    pub name: String,
}

/// What the tool knows. Everything but probes has an answer for who knows nothing.
pub trait World {
    /// The probe of this number: its index, as in records, with bit 31 set in keys of clauses
    /// that know it as the provider syscall's (and in records, if who passes them on sets it).
    fn probe(&self, index: u32) -> Option<Probe>;

    /// What is at an address of the kernel.
    fn kernel(&self, address: u64) -> Option<Symbol> {
        let _ = address;
        None
    }

    /// What is at an address of a process.
    fn user(&self, pid: u32, address: u64) -> Option<Symbol> {
        let _ = (pid, address);
        None
    }

    /// Whether addresses of processes are shown by [`World::mapped`], not by name (`noresolve`).
    fn unresolved(&self) -> bool {
        false
    }

    /// The file that a process has mapped at an address, without its folder, and how far the address is
    /// from the mapping's beginning.
    fn mapped(&self, pid: u32, address: u64) -> Option<(String, u64)> {
        let _ = (pid, address);
        None
    }

    /// The process of `$target`, to which `%A` takes plain addresses.
    fn target(&self) -> Option<u32> {
        None
    }

    /// The local time zone at so many seconds since 1970.
    fn zone(&self, seconds: i64) -> Zone {
        let _ = seconds;
        Zone {
            offset: 0,
            name: "UTC".into(),
        }
    }

    /// What stands between groups of three digits with `%'d`, by the locale.
    fn thousands(&self) -> Option<String> {
        None
    }

    /// Bytes of a type, as `print()` shows them; each line ends with a newline.
    fn typed(&self, type_name: &str, type_id: u32, bytes: &[u8]) -> Option<String> {
        let _ = (type_name, type_id, bytes);
        None
    }
}
