// SPDX-License-Identifier: GPL-2.0

//! The functions that can be traced, with all their names, and how to find them.
//!
//! The table is made when the module loads, and kept up as other modules come and go. An
//! entry never moves and is never taken away, so its index names the function for as long as
//! the module is loaded; a module that comes back unchanged gets its old entries.
//!
//! Locks: `FUNCTIONS` guards the table and is the last to be taken (but for the kernel's own). Who holds it asks for no
//! memory that is charged to a user: his cgroup may have him wait for that, and modules that come and go need the lock.

#![deny(unsafe_code)]

use core::ops::Range;

use kernel::prelude::*;

use crate::{
    abi,
    glob,
    opener, //
};

mod frameless;
mod list;
mod registers;
mod section;
#[allow(unsafe_code, reason = "calls the shim, and is called by it")]
mod symbols;
mod told;
mod untraceable;

pub(crate) use list::{
    list,
    Request, //
};
pub(crate) use symbols::{
    name_of_address,
    LoadedModule, //
};
use symbols::{
    Found,
    Vmlinux, //
};

#[allow(unsafe_code, reason = "the macro's own; initialised by `init_locks`")]
mod locks {
    use kernel::prelude::*;

    use super::Table;

    kernel::sync::global_lock! {
        // SAFETY: Initialised in the module initialiser before first use.
        pub(crate) unsafe(uninit) static FUNCTIONS: Mutex<Table> = Table::new();
    }
}
pub(crate) use locks::FUNCTIONS;

/// # Safety
///
/// Call once, before any use of the table.
#[allow(unsafe_code, reason = "passes the lock's own contract on")]
pub(crate) unsafe fn init_locks() {
    // SAFETY: By this function's contract.
    unsafe { FUNCTIONS.init() };
}

/// The first probe id of a function; lower ones are for other providers.
pub(crate) const FIRST_ID: u32 = 16;

/// The module name of the kernel proper.
pub(crate) const VMLINUX: &[u8] = b"vmlinux";

/// Entry or return of a function.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Entry,
    Return,
}

impl Kind {
    /// RTRACE_KIND_*.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Entry => abi::RTRACE_KIND_ENTRY as u8,
            Self::Return => abi::RTRACE_KIND_RETURN as u8,
        }
    }
}

/// The id of a function's probe, as in DTrace's ID column.
pub(crate) fn probe_id(function: u32, kind: Kind) -> u32 {
    FIRST_ID + 2 * function + u32::from(kind.number())
}

/// What users call a system call, by the name of the function where it begins. Any context.
pub(crate) fn system_call(function: &[u8]) -> &[u8] {
    let name = function
        .strip_prefix(symbols::SYSTEM_CALL)
        .unwrap_or(function);
    match name {
        b"newstat" => b"stat",
        b"newfstat" => b"fstat",
        b"newlstat" => b"lstat",
        b"newuname" => b"uname",
        b"sendfile64" => b"sendfile",
        b"umount" => b"umount2",
        name => name,
    }
}

/// The inverse of [`probe_id`]; the function need not exist.
pub(crate) fn probe_of(id: u32) -> Option<(u32, Kind)> {
    let number = id.checked_sub(FIRST_ID)?;
    let kind = if number % 2 == 0 {
        Kind::Entry
    } else {
        Kind::Return
    };
    Some((number / 2, kind))
}

#[derive(Clone, Copy)]
struct Name {
    start: u32,
    len: u16,
}

struct Function {
    /// Address of its ftrace site; 0 while its module is not loaded.
    site: usize,
    /// Its names are `names[first_name..][..names]`, the one it is listed by first.
    first_name: u32,
    names: u16,
    module: u16,
    /// Freed once its module is initialised.
    init: bool,
    /// As [`Table::in_registers`] says.
    in_registers: bool,
}

struct Module {
    name: Name,
    first: u32,
    count: u32,
    /// The kernel's `struct module`, as a number to compare; 0 when it is not loaded.
    handle: usize,
}

/// Functions with the same one come and go together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lifetime((u16, bool));

/// Two globs, for the module's and the function's name.
pub(crate) struct Pattern {
    pub(crate) module: KVec<u8>,
    pub(crate) function: KVec<u8>,
}

impl Pattern {
    /// What it takes to try it, in patterns without brackets: a byte in brackets may be looked at for each of a name.
    pub(crate) fn weight(&self) -> u64 {
        let bytes = |glob: &[u8]| glob::bytes_in_sets(glob) as u64;
        1 + bytes(&self.module) + bytes(&self.function)
    }

    /// The functions of a range of indices that are there now and that it names. Task context.
    pub(crate) fn matches(&self, indices: Range<u32>) -> Result<KVVec<Match>> {
        self.collect(indices, || false)
    }

    /// All functions that are there now and that it names; an error once the task is killed. Task context.
    pub(crate) fn matches_all(&self) -> Result<KVVec<Match>> {
        self.collect(0..u32::MAX, opener::is_killed)
    }

    fn collect(&self, indices: Range<u32>, must_end: fn() -> bool) -> Result<KVVec<Match>> {
        let mut found = KVVec::new();
        let mut rest = indices;
        while !must_end() {
            let table = FUNCTIONS.lock();
            let Some(part) = table.part(self, rest) else {
                return Ok(found);
            };
            rest = part.rest;
            for one in table.matches(self, part.indices) {
                found.push(one, GFP_KERNEL)?;
            }
        }
        Err(EINTR)
    }
}

/// Functions of one module, so few that `FUNCTIONS` may be held while a pattern is tried on them: whoever loads a
/// module waits for it.
struct Part {
    indices: Range<u32>,
    /// What comes after them.
    rest: Range<u32>,
}

/// How many these are at most.
pub(crate) const PART: u32 = 128;

/// A function that a pattern named.
#[derive(Clone, Copy)]
pub(crate) struct Match {
    pub(crate) function: u32,
    /// Which of its names matched; see [`Table::name`].
    pub(crate) name: u32,
}

pub(crate) struct Table {
    functions: KVVec<Function>,
    names: KVVec<Name>,
    text: KVVec<u8>,
    /// In the order of their functions, which lie side by side.
    modules: KVec<Module>,
    /// How many functions are there now.
    live: usize,
    /// Changes whenever a function comes or goes.
    generation: u64,
}

impl Table {
    fn has(&self, module: &LoadedModule) -> bool {
        self.modules
            .iter()
            .any(|known| known.handle == module.handle())
    }

    const fn new() -> Self {
        Self {
            functions: KVVec::new(),
            names: KVVec::new(),
            text: KVVec::new(),
            modules: KVec::new(),
            live: 0,
            generation: 0,
        }
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// How many functions there are now.
    pub(crate) fn live(&self) -> usize {
        self.live
    }

    /// One more than the largest index.
    pub(crate) fn len(&self) -> u32 {
        self.functions.len() as u32
    }

    /// The address of a function's ftrace site, if it is there now.
    pub(crate) fn site(&self, function: u32) -> Option<usize> {
        let site = self.functions.get(function as usize)?.site;
        (site != 0).then_some(site)
    }

    /// What comes and goes together with a function: its module, or the part of it that is freed
    /// after initialisation.
    pub(crate) fn lifetime(&self, function: u32) -> Lifetime {
        let function = self.functions.get(function as usize);
        Lifetime(function.map_or((u16::MAX, false), |f| (f.module, f.init)))
    }

    /// The text of a name.
    pub(crate) fn name(&self, name: u32) -> &[u8] {
        self.names
            .get(name as usize)
            .map_or(&[][..], |name| self.text_of(*name))
    }

    /// Whether a function is where a 64-bit system call begins: its one argument then are the
    /// registers of user space. Only the kernel proper has such, and no other by that name.
    pub(crate) fn is_system_call(&self, function: u32) -> bool {
        self.module_name(function) == VMLINUX
            && self
                .name(self.primary_name(function))
                .starts_with(symbols::SYSTEM_CALL)
    }

    /// The name by which a function is listed.
    pub(crate) fn primary_name(&self, function: u32) -> u32 {
        self.functions
            .get(function as usize)
            .map_or(0, |function| function.first_name)
    }

    pub(crate) fn module_name(&self, function: u32) -> &[u8] {
        self.functions
            .get(function as usize)
            .and_then(|function| self.modules.get(usize::from(function.module)))
            .map_or(&[][..], |module| self.text_of(module.name))
    }

    /// All names of a function, the one it is listed by first.
    fn names_of(&self, function: &Function) -> impl Iterator<Item = (u32, &[u8])> {
        let first = function.first_name;
        (first..first + u32::from(function.names)).map(|name| (name, self.name(name)))
    }

    fn text_of(&self, name: Name) -> &[u8] {
        let start = name.start as usize;
        self.text
            .get(start..start + usize::from(name.len))
            .unwrap_or(&[])
    }

    /// The next functions of a range of indices in whose module the pattern may name some. A module that it does not
    /// name costs no more than a look at the module's name.
    fn part(&self, pattern: &Pattern, indices: Range<u32>) -> Option<Part> {
        self.modules.iter().find_map(|module| {
            let start = module.first.max(indices.start);
            let end = (module.first + module.count).min(indices.end);
            if start >= end || !glob::matches(&pattern.module, self.text_of(module.name)) {
                return None;
            }
            let end = end.min(start.saturating_add(PART));
            Some(Part {
                indices: start..end,
                rest: end..indices.end,
            })
        })
    }

    /// The functions of a [`Part`] that are there now and that the pattern names.
    fn matches<'a>(
        &'a self,
        pattern: &'a Pattern,
        part: Range<u32>,
    ) -> impl Iterator<Item = Match> + 'a {
        part.filter_map(|index| self.match_one(pattern, index))
    }

    /// A function, if it is there now and the pattern's glob for functions names it.
    fn match_one(&self, pattern: &Pattern, index: u32) -> Option<Match> {
        let function = self.functions.get(index as usize)?;
        if function.site == 0 {
            return None;
        }
        let mut names = self.names_of(function);
        let (name, _) = names.find(|(_, name)| glob::matches(&pattern.function, name))?;
        Some(Match {
            function: index,
            name,
        })
    }

    /// Adds the functions that were found to a module, or brings back those it had. Returns
    /// their indices.
    fn add(&mut self, name: &[u8], handle: usize, mut found: Found) -> Result<Range<u32>> {
        found.sort();
        self.generation += 1;
        if let Some(functions) = self.revive(name, handle, &found) {
            return Ok(functions);
        }
        let (text, names, functions) = (self.text.len(), self.names.len(), self.functions.len());
        self.add_new(name, handle, &found).inspect_err(|_| {
            // Functions of no module would never be taken away.
            self.text.truncate(text);
            self.names.truncate(names);
            self.functions.truncate(functions);
        })
    }

    /// Adds a module and its functions, or on failure a part of them.
    fn add_new(&mut self, name: &[u8], handle: usize, found: &Found) -> Result<Range<u32>> {
        let first = self.functions.len() as u32;
        let module = u16::try_from(self.modules.len()).map_err(|_| ENOSPC)?;
        let module_name = self.add_text(name)?;
        let said = symbols::told_in_registers();
        for group in found.groups() {
            let names = group.iter().map(|symbol| found.name(symbol));
            let in_registers = told::is_told(said, name, names);
            let first_name = self.names.len() as u32;
            for symbol in group {
                let name = self.add_text(found.name(symbol))?;
                self.names.push(name, GFP_KERNEL)?;
            }
            let Some(symbol) = group.first() else {
                continue;
            };
            let function = Function {
                site: symbol.site,
                first_name,
                names: group.len() as u16,
                module,
                init: symbol.init,
                in_registers,
            };
            self.functions.push(function, GFP_KERNEL)?;
        }
        let end = self.functions.len() as u32;
        let module = Module {
            name: module_name,
            first,
            count: end - first,
            handle,
        };
        self.modules.push(module, GFP_KERNEL)?;
        self.live += (end - first) as usize;
        Ok(first..end)
    }

    fn add_text(&mut self, text: &[u8]) -> Result<Name> {
        let start = u32::try_from(self.text.len()).map_err(|_| ENOSPC)?;
        let len = u16::try_from(text.len()).map_err(|_| ENAMETOOLONG)?;
        self.text.extend_from_slice(text, GFP_KERNEL)?;
        Ok(Name { start, len })
    }

    /// If a module of this name and with these functions was here before, gives it its old
    /// entries.
    fn revive(&mut self, name: &[u8], handle: usize, found: &Found) -> Option<Range<u32>> {
        let at =
            self.modules.iter().position(|module| {
                module.handle == 0
                    && self.text_of(module.name) == name
                    && self.functions_of(module).len() == found.groups().count()
                    && self.functions_of(module).iter().zip(found.groups()).all(
                        |(function, group)| {
                            let names = group.iter().map(|symbol| found.name(symbol));
                            self.names_of(function).map(|(_, name)| name).eq(names)
                                && group
                                    .first()
                                    .is_some_and(|first| first.init == function.init)
                        },
                    )
            })?;
        let module = self.modules.get_mut(at)?;
        module.handle = handle;
        let indices = module.first..module.first + module.count;
        let functions = self.functions.get_mut(indices.start as usize..)?;
        for (function, group) in functions.iter_mut().zip(found.groups()) {
            function.site = group.first()?.site;
        }
        self.live += indices.len();
        Some(indices)
    }

    fn functions_of(&self, module: &Module) -> &[Function] {
        let first = module.first as usize;
        self.functions
            .get(first..first + module.count as usize)
            .unwrap_or(&[])
    }

    /// Takes away the functions of a module (or only those freed after initialisation), and says
    /// among which they were, if there were any.
    fn remove(&mut self, handle: usize, only_init: bool) -> Range<u32> {
        let Some(module) = self.modules.iter_mut().find(|m| m.handle == handle) else {
            return 0..0;
        };
        let indices = module.first..module.first + module.count;
        if !only_init {
            module.handle = 0;
        }
        self.generation += 1;
        let mut gone = 0;
        let functions = self
            .functions
            .get_mut(indices.start as usize..indices.end as usize);
        for function in functions.into_iter().flatten() {
            if function.site != 0 && (function.init || !only_init) {
                function.site = 0;
                gone += 1;
            }
        }
        self.live -= gone;
        if gone != 0 {
            indices
        } else {
            0..0
        }
    }
}

/// Makes the table, of the kernel proper. The one walk over the kernel's symbols shows `see` the name and
/// address of each, in order of their addresses. Task context, once.
pub(crate) fn make_table(see: impl FnMut(&[u8], usize) -> Result) -> Result {
    symbols::find().inspect_err(|_| {
        pr_err!("the kernel's symbol tables are out of reach: CONFIG_KALLSYMS and CONFIG_KPROBES are needed\n");
    })?;
    let Vmlinux { found, others, btf } = symbols::vmlinux(see)?;
    let mut table = FUNCTIONS.lock();
    table.add(VMLINUX, usize::MAX, found)?;
    table.learn_registers(btf, &others)
}

/// Frees the table.
pub(crate) fn free_table() {
    *FUNCTIONS.lock() = Table::new();
}

/// Whether the functions of a module are there. Task context.
pub(crate) fn has_module(module: &LoadedModule) -> bool {
    FUNCTIONS.lock().has(module)
}

/// Adds the functions of a module; none if they are there. Task context.
pub(crate) fn add_module(module: &LoadedModule) -> Result<Option<Range<u32>>> {
    let found = module.symbols()?;
    let mut table = FUNCTIONS.lock();
    if table.has(module) {
        return Ok(None);
    }
    table.add(module.name(), module.handle(), found).map(Some)
}

/// Takes away the functions of a module, or only those freed after initialisation, and says
/// among which they were. Needs no memory: the module goes. Task context.
pub(crate) fn remove_module(module: &LoadedModule, only_init: bool) -> Range<u32> {
    FUNCTIONS.lock().remove(module.handle(), only_init)
}

/// Whether a function is one of those that went.
pub(crate) fn is_gone(among: &Range<u32>, function: u32) -> bool {
    among.contains(&function) && FUNCTIONS.lock().site(function).is_none()
}
