// SPDX-License-Identifier: GPL-2.0-only
//! What the kernel says of itself in /proc, /sys and tracefs: the story that whoever
//! hides can change. Parsers, without judgement.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::fact::Told;
use crate::access::plain;

/// A module, as /proc/modules lists it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Where its text begins; 0: not told to this reader.
    pub base: u64,
}

/// A story that was heard before and after the module was asked: what is in it all the time, and what
/// is in it at any time. Only those can contradict what the module said in between.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Twice<T> {
    /// Before and after.
    pub always: T,
    /// Before or after.
    pub ever: T,
}

impl<T: Ord + Clone> Twice<BTreeSet<T>> {
    /// From what was heard before and after.
    pub fn new(before: &BTreeSet<T>, after: &BTreeSet<T>) -> Self {
        Self {
            always: before & after,
            ever: before | after,
        }
    }
}

/// A task, by the ways in which a process can ask for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// /proc/PID opens.
    pub stat: bool,
    /// kill(pid, 0) knows it.
    pub kill: bool,
    /// pidfd_open() knows it, as a process or as a thread.
    pub pidfd: bool,
}

/// Tasks, as /proc lists them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tasks {
    /// Processes.
    pub processes: Twice<BTreeSet<u32>>,
    /// Their threads, themselves included.
    pub threads: Twice<BTreeSet<u32>>,
    /// Those that the module knows and /proc did not list.
    pub asked: BTreeMap<u32, Asked>,
    /// Whether the reader sees the numbers of the initial pid namespace.
    pub initial: bool,
}

/// All of that.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// /proc/modules
    pub modules: Told<Twice<BTreeSet<Listed>>>,
    /// /proc/modules: by module, those that use it.
    pub users: Told<BTreeMap<String, BTreeSet<String>>>,
    /// /sys/module, without what is built in.
    pub objects: Told<Twice<BTreeSet<String>>>,
    /// enabled_functions of tracefs, before or after: by name, how many of that name.
    pub enabled: Told<BTreeMap<String, usize>>,
    /// touched_functions of tracefs, the same way.
    pub touched: Told<BTreeMap<String, usize>>,
    /// kprobes/list of debugfs, before or after: addresses.
    pub kprobes: Told<BTreeSet<u64>>,
    /// /proc
    pub tasks: Told<Tasks>,
    /// /proc/sys/kernel/tainted
    pub tainted: Told<u64>,
    /// /proc/sys/kernel/ftrace_enabled
    pub ftrace_enabled: Told<u64>,
}

impl Said {
    /// Whether a module needs the other one.
    pub fn builds_on(&self, module: &str, other: &str) -> bool {
        let users = self.users.known().and_then(|users| users.get(other));
        users.is_some_and(|users| users.contains(module))
    }
}

/// Reads a file, or says which one could not be read.
pub fn read(path: &str) -> Told<String> {
    fs::read_to_string(path)
        .map_err(|error| format!("{path}: {}", plain(&error)))
        .into()
}

/// Reads a number from a file.
pub fn number(path: &str) -> Told<u64> {
    read(path).and_then(|text| {
        text.trim()
            .parse()
            .map_err(|_| format!("{path}: no number is there"))
    })
}

impl<T> Told<T> {
    /// Joins what is known before and after.
    pub fn with<U>(self, after: Self, join: impl FnOnce(T, T) -> U) -> Told<U> {
        match (self, after) {
            (Self::Is(before), Self::Is(after)) => Told::Is(join(before, after)),
            (Self::Not(why), _) | (_, Self::Not(why)) => Told::Not(why),
        }
    }

    /// Makes something else of a fact, if it is known.
    pub fn and_then<U>(self, make: impl FnOnce(T) -> Result<U, String>) -> Told<U> {
        match self {
            Self::Is(fact) => make(fact).into(),
            Self::Not(why) => Told::Not(why),
        }
    }
}

/// /proc/modules
pub fn modules(text: &str) -> BTreeSet<Listed> {
    let line = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let name = words.next()?.to_owned();
        let base = words.nth(4)?.trim_start_matches("0x");
        let base = u64::from_str_radix(base, 16).ok()?;
        Some(Listed { name, base })
    };
    text.lines().filter_map(line).collect()
}

/// /proc/modules: whom each module is used by, as `name 4096 2 one,two, Live 0x…`.
pub fn users(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let line = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let name = words.next()?.to_owned();
        let users = words.nth(2)?.split(',').filter(|user| !user.is_empty());
        Some((name, users.map(str::to_owned).collect()))
    };
    text.lines().filter_map(line).collect()
}

/// /sys/module: what is built in has no `initstate`.
pub fn objects(path: &Path) -> Told<BTreeSet<String>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => return Told::Not(format!("{}: {}", path.display(), plain(&error))),
    };
    let loadable = entries
        .flatten()
        .filter(|entry| entry.path().join("initstate").exists())
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    Told::Is(loadable.collect())
}

/// enabled_functions, touched_functions: `name (count) R I …`, `name [module] (count) …`
pub fn functions(text: &str) -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    // Lines that go on are indented.
    for line in text.lines().filter(|line| !line.starts_with([' ', '\t'])) {
        if let Some(name) = line.split_ascii_whitespace().next() {
            *names.entry(name.to_owned()).or_default() += 1;
        }
    }
    names
}

/// Of each name the more.
pub fn most(
    mut one: BTreeMap<String, usize>,
    other: BTreeMap<String, usize>,
) -> BTreeMap<String, usize> {
    for (name, count) in other {
        let more = one.entry(name).or_default();
        *more = count.max(*more);
    }
    one
}

/// kprobes/list: `ffffffff81234560  k  name+0x0    [FTRACE]`
pub fn kprobes(text: &str) -> BTreeSet<u64> {
    let line = |line: &str| {
        let address = line.split_ascii_whitespace().next()?;
        u64::from_str_radix(address.trim_start_matches("0x"), 16).ok()
    };
    text.lines().filter_map(line).collect()
}

/// The numbers below a directory of /proc.
pub fn numbers(path: &Path) -> std::io::Result<BTreeSet<u32>> {
    let entries = fs::read_dir(path)?;
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    Ok(entries.flatten().filter_map(number).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_taken_from_their_lines() {
        let text = "loop 49152 0 - Live 0xffffffffc0a00000\n\
                    rust_tracer 4096 2 loop,nbd, Loading 0x0000000000000000 (OE)\nodd\n";
        let all = modules(text);
        assert_eq!(
            all,
            BTreeSet::from([
                Listed {
                    name: "loop".into(),
                    base: 0xffff_ffff_c0a0_0000,
                },
                Listed {
                    name: "rust_tracer".into(),
                    base: 0,
                },
            ])
        );
    }

    #[test]
    fn who_uses_a_module_is_taken_from_its_line() {
        let users = users("nfs 4096 2 nfsv4,nfsv3, Live 0x0\nloop 4096 0 - Live 0x0\nodd\n");
        assert_eq!(users["nfs"], ["nfsv3", "nfsv4"].map(str::to_owned).into());
        let mut said = Said {
            users: Told::Is(users),
            ..Said::default()
        };
        assert!(said.builds_on("nfsv4", "nfs") && !said.builds_on("nfs", "nfsv4"));
        said.users = Told::default();
        assert!(!said.builds_on("nfsv4", "nfs"));
    }

    #[test]
    fn functions_are_counted_by_name_and_continuing_lines_are_none() {
        let text = "vfs_read (1) R I     \ttramp: ftrace_regs_caller+0x0/0x65\n\
                    \tdirect-->bpf_trampoline_1+0x0/0x10\n\
                    ext4_x [ext4] (2)            \nvfs_read (1)   \n";
        let all = functions(text);
        assert_eq!(all["vfs_read"], 2);
        assert_eq!(all["ext4_x"], 1);
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn kprobes_are_taken_by_their_addresses() {
        let text = "ffffffff81234560  k  vfs_read+0x0    [FTRACE]\nffffffff81300000  r  x+0x0\n";
        let addresses = [0xffff_ffff_8123_4560, 0xffff_ffff_8130_0000];
        assert_eq!(kprobes(text), BTreeSet::from(addresses));
    }

    #[test]
    fn what_is_built_in_is_no_loaded_module() {
        let directory = tempfile::tempdir().unwrap();
        for (name, loadable) in [("loop", true), ("kernel", false)] {
            fs::create_dir(directory.path().join(name)).unwrap();
            if loadable {
                fs::write(directory.path().join(name).join("initstate"), "live\n").unwrap();
            }
        }
        let found = objects(directory.path());
        assert_eq!(found.get().unwrap(), &BTreeSet::from(["loop".to_owned()]));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_by_name() {
        let why = number("/no/such/file").get().unwrap_err();
        assert_eq!(why, "/no/such/file: No such file or directory");
    }
}
