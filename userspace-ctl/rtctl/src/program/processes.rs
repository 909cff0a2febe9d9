// SPDX-License-Identifier: GPL-2.0-only
//! Names of addresses of processes, from what they have mapped and its symbol tables.
//!
//! A process is looked at when an address of it is to be named for the first time, and when one
//! does not lie in what it had mapped. What has ended by then cannot be looked at any more: the process
//! of `-c` or `-p` is looked at while it runs ([`super::seen`]), others' addresses have no names.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use d_output::world::Symbol;
use object::{Object, ObjectSegment, ObjectSymbol, SymbolKind};

use super::mapped::{Mapped, Named};
use super::seen::{self, Seen};

/// Files whose symbols are remembered.
const FILES_MOST: usize = 256;
/// Processes that are remembered.
const PROCESSES_MOST: usize = 1024;
/// For so long what was seen of a process is believed without looking whether it runs something else.
const BELIEVED: Duration = Duration::from_millis(100);
/// Bytes of the names in one file, each with so many beside it.
const NAMES_MOST: usize = 1 << 28;
const SYMBOL: usize = 64;

/// The symbols of a file, by their addresses in it.
#[derive(Debug, Default)]
struct File {
    /// For each segment: where it is in the file, how long, and its address.
    segments: Vec<(u64, u64, u64)>,
    /// By address: size and name.
    symbols: BTreeMap<u64, (u64, Box<str>)>,
}

/// Which program a process runs: since when there is a process of that number, and what it executes, if that is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Runs {
    since: u64,
    executes: Option<(u64, u64)>,
}

/// What a process had mapped when it was looked at.
#[derive(Debug)]
struct Looked {
    runs: Option<Runs>,
    at: Instant,
    maps: Vec<Mapped>,
}

/// Names of addresses of processes.
#[derive(Debug, Default)]
pub struct Processes {
    maps: RefCell<HashMap<u32, Looked>>,
    files: RefCell<HashMap<Rc<Named>, Rc<File>>>,
    /// The process that is looked at while it runs.
    seen: OnceCell<Seen>,
}

impl Processes {
    /// Looks at a process while it runs, so that its addresses have names when it has ended.
    pub fn follow(&self, pid: u32) {
        self.seen.get_or_init(|| Seen::follow(pid));
    }

    /// What is at an address of a process.
    pub fn symbol(&self, pid: u32, address: u64) -> Option<Symbol> {
        let mapped = self.mapped(pid, address)?;
        let file = self.file(pid, &mapped);
        let place = address - mapped.start + mapped.offset;
        let name = file
            .name(place)
            .map(|(name, distance)| (name, address - distance));
        Some(Symbol {
            module: mapped.file.name().to_owned(),
            base: self.first(pid, &mapped),
            name,
        })
    }

    /// The file that is mapped at an address of a process, without its folder, and how far the address
    /// is from the mapping's beginning. No symbols are read for that.
    pub fn place(&self, pid: u32, address: u64) -> Option<(String, u64)> {
        let mapped = self.mapped(pid, address)?;
        Some((mapped.file.name().to_owned(), address - mapped.start))
    }

    /// The first address of the file's code in a process, which has the file's name as well: its
    /// beginning, which is no code, has none.
    fn first(&self, pid: u32, mapped: &Mapped) -> u64 {
        let all = self.maps.borrow();
        let maps = all.get(&pid).into_iter().flat_map(|looked| &looked.maps);
        let same = maps.filter(|other| other.file == mapped.file);
        same.map(|other| other.start).min().unwrap_or(mapped.start)
    }

    fn mapped(&self, pid: u32, address: u64) -> Option<Mapped> {
        let mut all = self.maps.borrow_mut();
        let find = |maps: &[Mapped]| {
            let found = maps
                .iter()
                .find(|map| (map.start..map.end).contains(&address));
            found.cloned()
        };
        if let Some(looked) = all.get_mut(&pid) {
            if looked.is_of(pid) {
                if let Some(found) = find(&looked.maps) {
                    return Some(found);
                }
            }
        }
        let last = || self.seen.get().and_then(|seen| seen.of(pid));
        let text = seen::maps(pid).or_else(last)?;
        if all.len() >= PROCESSES_MOST {
            all.clear();
        }
        let maps: Vec<_> = text.lines().filter_map(Mapped::parse).collect();
        let found = find(&maps);
        let looked = Looked {
            runs: Runs::now(pid),
            at: Instant::now(),
            maps,
        };
        all.insert(pid, looked);
        found
    }

    fn file(&self, pid: u32, mapped: &Mapped) -> Rc<File> {
        let mut files = self.files.borrow_mut();
        if let Some(file) = files.get(&mapped.file) {
            return Rc::clone(file);
        }
        if files.len() >= FILES_MOST {
            files.clear();
        }
        let bytes = mapped.read(pid);
        let file = bytes.and_then(|bytes| File::of(&bytes));
        let file = Rc::new(file.unwrap_or_default());
        files.insert(Rc::clone(&mapped.file), Rc::clone(&file));
        file
    }
}

impl Looked {
    /// Whether it is what the process of that number runs; one that has ended runs nothing else.
    fn is_of(&mut self, pid: u32) -> bool {
        if self.at.elapsed() < BELIEVED {
            return true;
        }
        self.at = Instant::now();
        Runs::now(pid).is_none_or(|runs| self.runs == Some(runs))
    }
}

impl File {
    fn of(bytes: &[u8]) -> Option<Self> {
        let object = object::File::parse(bytes).ok()?;
        let segments = object.segments().map(|segment| {
            let (offset, length) = segment.file_range();
            (offset, length, segment.address())
        });
        let mut file = Self {
            segments: segments.collect(),
            ..Self::default()
        };
        let mut room = NAMES_MOST;
        for symbol in object.symbols().chain(object.dynamic_symbols()) {
            if symbol.kind() != SymbolKind::Text || symbol.is_undefined() {
                continue;
            }
            let Ok(name) = symbol.name() else { continue };
            // What has no end was made by somebody who wants our memory.
            let Some(left) = room.checked_sub(SYMBOL + name.len()) else {
                break;
            };
            room = left;
            let entry = file.symbols.entry(symbol.address());
            entry.or_insert_with(|| (symbol.size(), name.into()));
        }
        Some(file)
    }

    /// The symbol at a place in the file, and how far behind its beginning that is.
    fn name(&self, place: u64) -> Option<(String, u64)> {
        let (offset, _, at) = self.segments.iter().find(|(offset, length, _)| {
            place
                .checked_sub(*offset)
                .is_some_and(|in_it| in_it < *length)
        })?;
        let address = place - offset + at;
        let (start, (size, name)) = self.symbols.range(..=address).next_back()?;
        let distance = address - start;
        // Hand-written assembly may have no size.
        (*size == 0 || distance < *size).then(|| (name.to_string(), distance))
    }
}

impl Runs {
    /// What a process runs now; `None`: it has ended.
    fn now(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in brackets may have blanks and brackets.
        let (_, rest) = stat.rsplit_once(')')?;
        let since = rest.split_ascii_whitespace().nth(19)?.parse().ok()?;
        let executes = fs::metadata(format!("/proc/{pid}/exe"));
        Some(Self {
            since,
            executes: executes.ok().map(|file| (file.dev(), file.ino())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_of_this_process_has_its_name() {
        let address = Runs::now as fn(u32) -> Option<Runs> as usize as u64;
        let symbol = Processes::default()
            .symbol(std::process::id(), address)
            .unwrap();
        let (name, start) = symbol.name.unwrap();
        assert!(name.contains("now"), "{name}");
        assert_eq!(start, address);
    }

    #[test]
    fn what_stands_for_a_file_has_its_name() {
        let processes = Processes::default();
        let me = std::process::id();
        let at = |address| processes.symbol(me, address).unwrap();
        let one = at(Runs::now as fn(u32) -> Option<Runs> as usize as u64);
        let other = at(File::of as fn(&[u8]) -> Option<File> as usize as u64);
        assert_eq!(one.base, other.base);
        assert_eq!(at(one.base).module, one.module);
        assert_eq!(at(one.base).base, one.base);
    }

    #[test]
    fn a_place_is_counted_from_the_beginning_of_its_mapping() {
        let processes = Processes::default();
        let me = std::process::id();
        let address = Runs::now as fn(u32) -> Option<Runs> as usize as u64;
        let start = processes.mapped(me, address).unwrap().start;
        let module = processes.symbol(me, address).unwrap().module;
        let place = processes.place(me, address);
        assert_eq!(place, Some((module, address - start)));
        assert_eq!(processes.place(me, 0x10), None);
    }

    #[test]
    fn what_has_ended_has_no_names() {
        assert_eq!(Processes::default().symbol(u32::MAX, 0x40_0000), None);
    }
}
