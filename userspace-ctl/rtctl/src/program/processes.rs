// SPDX-License-Identifier: GPL-2.0-only
//! Names of addresses of processes, from what they have mapped and its symbol tables.
//!
//! A process is looked at when an address of it is to be named for the first time, and when one
//! does not lie in what it had mapped. What has ended by then cannot be looked at any more: the process
//! of `-c` or `-p` is looked at while it runs ([`super::seen`]), others' addresses have no names.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::rc::Rc;

use d_output::world::Symbol;
use object::{Object, ObjectSegment, ObjectSymbol, SymbolKind};

use super::seen::{self, Seen};

/// Files whose symbols are remembered.
const FILES_MOST: usize = 256;
/// Processes that are remembered.
const PROCESSES_MOST: usize = 1024;

/// The symbols of a file, by their addresses in it.
#[derive(Debug, Default)]
struct File {
    /// For each segment: where it is in the file, how long, and its address.
    segments: Vec<(u64, u64, u64)>,
    /// By address: size and name.
    symbols: BTreeMap<u64, (u64, Box<str>)>,
}

/// A mapped part of a file that can be executed.
#[derive(Clone, Debug)]
struct Mapped {
    start: u64,
    end: u64,
    offset: u64,
    path: Rc<str>,
}

impl Mapped {
    fn file_name(&self) -> String {
        self.path.rsplit('/').next().unwrap_or_default().into()
    }
}

/// Names of addresses of processes.
#[derive(Debug, Default)]
pub struct Processes {
    maps: RefCell<HashMap<u32, Vec<Mapped>>>,
    files: RefCell<HashMap<Rc<str>, Rc<File>>>,
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
        let file = self.file(pid, &mapped.path);
        let place = address - mapped.start + mapped.offset;
        let name = file
            .name(place)
            .map(|(name, distance)| (name, address - distance));
        Some(Symbol {
            module: mapped.file_name(),
            base: self.first(pid, &mapped),
            name,
        })
    }

    /// The file that is mapped at an address of a process, without its folder, and how far the address
    /// is from the mapping's beginning. No symbols are read for that.
    pub fn place(&self, pid: u32, address: u64) -> Option<(String, u64)> {
        let mapped = self.mapped(pid, address)?;
        Some((mapped.file_name(), address - mapped.start))
    }

    /// The first address of the file's code in a process, which has the file's name as well: its
    /// beginning, which is no code, has none.
    fn first(&self, pid: u32, mapped: &Mapped) -> u64 {
        let all = self.maps.borrow();
        let maps = all.get(&pid).into_iter().flatten();
        let same = maps.filter(|other| other.path == mapped.path);
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
        if let Some(found) = all.get(&pid).and_then(|maps| find(maps)) {
            return Some(found);
        }
        let last = || self.seen.get().and_then(|seen| seen.of(pid));
        let text = seen::maps(pid).or_else(last)?;
        if all.len() >= PROCESSES_MOST {
            all.clear();
        }
        let maps: Vec<_> = text.lines().filter_map(parse).collect();
        let found = find(&maps);
        all.insert(pid, maps);
        found
    }

    fn file(&self, pid: u32, path: &Rc<str>) -> Rc<File> {
        let mut files = self.files.borrow_mut();
        if let Some(file) = files.get(path) {
            return Rc::clone(file);
        }
        if files.len() >= FILES_MOST {
            files.clear();
        }
        // By the process's own root; and as it is, if the process has ended meanwhile.
        let bytes = fs::read(format!("/proc/{pid}/root{path}")).or_else(|_| fs::read(&**path));
        let file = bytes
            .ok()
            .and_then(|bytes| File::of(&bytes))
            .unwrap_or_default();
        let file = Rc::new(file);
        files.insert(Rc::clone(path), Rc::clone(&file));
        file
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
        for symbol in object.symbols().chain(object.dynamic_symbols()) {
            if symbol.kind() != SymbolKind::Text || symbol.is_undefined() {
                continue;
            }
            let Ok(name) = symbol.name() else { continue };
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

/// A line of /proc/PID/maps, if it is a file's code.
fn parse(line: &str) -> Option<Mapped> {
    let mut words = line.splitn(6, ' ');
    let (start, end) = words.next()?.split_once('-')?;
    let rights = words.next()?;
    let offset = words.next()?;
    let path = words.nth(2)?.trim_start();
    (rights.contains('x') && path.starts_with('/')).then_some(())?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    Some(Mapped {
        start: number(start)?,
        end: number(end)?,
        offset: number(offset)?,
        path: path.trim_end_matches(" (deleted)").into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_maps_are_taken_apart() {
        let line = "7f5e2c000000-7f5e2c155000 r-xp 00026000 fe:01 1234      /usr/lib/a b.so";
        let map = parse(line).unwrap();
        assert_eq!((map.start, map.end), (0x7f5e_2c00_0000, 0x7f5e_2c15_5000));
        assert_eq!((map.offset, &*map.path), (0x26000, "/usr/lib/a b.so"));
        for other in [
            "7ffe0000-7ffe1000 r-xp 00000000 00:00 0     [vdso]",
            "7ffe0000-7ffe1000 rw-p 00000000 fe:01 1     /usr/lib/a.so",
            "",
            "x",
        ] {
            assert!(parse(other).is_none(), "{other}");
        }
    }

    #[test]
    fn a_function_of_this_process_has_its_name() {
        let address = parse as fn(&str) -> Option<Mapped> as usize as u64;
        let symbol = Processes::default()
            .symbol(std::process::id(), address)
            .unwrap();
        let (name, start) = symbol.name.unwrap();
        assert!(name.contains("parse"), "{name}");
        assert_eq!(start, address);
    }

    #[test]
    fn what_stands_for_a_file_has_its_name() {
        let processes = Processes::default();
        let me = std::process::id();
        let at = |address| processes.symbol(me, address).unwrap();
        let one = at(parse as fn(&str) -> Option<Mapped> as usize as u64);
        let other = at(File::of as fn(&[u8]) -> Option<File> as usize as u64);
        assert_eq!(one.base, other.base);
        assert_eq!(at(one.base).module, one.module);
        assert_eq!(at(one.base).base, one.base);
    }

    #[test]
    fn a_place_is_counted_from_the_beginning_of_its_mapping() {
        let processes = Processes::default();
        let me = std::process::id();
        let address = parse as fn(&str) -> Option<Mapped> as usize as u64;
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
