// SPDX-License-Identifier: GPL-2.0

//! Where the table of functions comes from: the symbols of the kernel and of its modules,
//! and ftrace's word on which of them have a site.
//!
//! C header: [`shim/shim.h`], "the kernel's symbols and ftrace sites".

use kernel::{
    error::to_result,
    ffi,
    prelude::*,
    str::CStrExt, //
};

use super::section::Section;
use crate::{
    bindings,
    sort::sort_by, //
};

/// One name at one site.
pub(super) struct Symbol {
    pub(super) site: usize,
    start: u32,
    len: u16,
    pub(super) init: bool,
}

/// The symbols of the kernel proper or of one module that have a site.
pub(super) struct Found {
    symbols: KVVec<Symbol>,
    text: KVVec<u8>,
}

impl Found {
    fn new() -> Self {
        Self {
            symbols: KVVec::new(),
            text: KVVec::new(),
        }
    }

    pub(super) fn name(&self, symbol: &Symbol) -> &[u8] {
        name(&self.text, symbol)
    }

    fn add(&mut self, site: usize, name: &[u8], init: bool) -> Result {
        let symbol = Symbol {
            site,
            start: u32::try_from(self.text.len()).map_err(|_| ENOSPC)?,
            len: u16::try_from(name.len()).map_err(|_| ENAMETOOLONG)?,
            init,
        };
        self.text.extend_from_slice(name, GFP_KERNEL)?;
        self.symbols.push(symbol, GFP_KERNEL)?;
        Ok(())
    }

    /// Brings the names of one site together, the best to list it by first.
    pub(super) fn sort(&mut self) {
        // The kernel's own come in the order of their addresses.
        if !self.symbols.is_sorted_by_key(|symbol| symbol.site) {
            sort_by(&mut self.symbols, |a, b| a.site.cmp(&b.site));
        }
        let text = &self.text;
        let key = |symbol: &Symbol| {
            let name = name(text, symbol);
            (rank(name), name.len())
        };
        for group in self.symbols.chunk_by_mut(|a, b| a.site == b.site) {
            if group.len() > 1 {
                sort_by(group, |a, b| {
                    key(a)
                        .cmp(&key(b))
                        .then_with(|| name(text, a).cmp(name(text, b)))
                });
            }
        }
    }

    /// The names of each site; sorted.
    pub(super) fn groups(&self) -> impl Iterator<Item = &[Symbol]> {
        self.symbols.chunk_by(|a, b| a.site == b.site)
    }
}

/// What the kernel proper is found to have.
pub(super) struct Vmlinux {
    pub(super) found: Found,
    /// The names of its other functions in C, each with a NUL behind it.
    pub(super) others: KVVec<u8>,
    /// Its BTF; empty if it has none.
    pub(super) btf: &'static [u8],
}

fn name<'a>(text: &'a [u8], symbol: &Symbol) -> &'a [u8] {
    let start = symbol.start as usize;
    text.get(start..start + usize::from(symbol.len))
        .unwrap_or(&[])
}

/// How the names of the functions begin that 64-bit system calls enter.
pub(super) const SYSTEM_CALL: &[u8] = b"__x64_sys_";

/// It takes the frames below it away and returns to none of its callers: whoever waits for the return of
/// a call (we, fprobe, the function graph) takes the next one's for it.
pub(super) const UNWINDS: &[u8] = b"bpf_throw";

/// Of several names for one address people know a system call by its native entry, and
/// anything else by the name with the fewest underscores in front.
fn rank(name: &[u8]) -> usize {
    if name.starts_with(SYSTEM_CALL) {
        return 0;
    }
    let compat = usize::from(name.starts_with(b"__ia32_")) * 16;
    1 + compat + name.iter().take_while(|byte| **byte == b'_').count()
}

/// Finds the kernel's symbol tables. Once, before all else here.
pub(super) fn find() -> Result {
    // SAFETY: Task context, once, in the module's initialiser.
    to_result(unsafe { bindings::rtrace_symbols_find() })
}

/// What a walk over a module's symbols adds to.
struct Walk<'a> {
    found: Found,
    module: &'a LoadedModule,
    result: Result,
}

/// Adds a symbol to the [`Walk`] that `data` points to.
///
/// # Safety
///
/// Called by the shim's walk over a module: `data` is the `Walk` given to it, `name` a string.
unsafe extern "C" fn each(
    data: *mut ffi::c_void,
    name: *const ffi::c_char,
    address: ffi::c_ulong,
) -> ffi::c_int {
    // SAFETY: By this function's contract.
    let (walk, name) = unsafe { (&mut *data.cast::<Walk<'_>>(), CStr::from_char_ptr(name)) };
    // SAFETY: Any number may be asked for.
    let site = unsafe { bindings::rtrace_site(address) } as usize;
    if site == 0 || name.is_empty() {
        return 0;
    }
    let init = walk.module.is_init(site);
    walk.result = walk.found.add(site, name.to_bytes(), init);
    walk.result.is_err().into()
}

/// The symbols of the kernel proper; `see` is shown the name and address of each. Task context.
pub(super) fn vmlinux(mut see: impl FnMut(&[u8], usize) -> Result) -> Result<Vmlinux> {
    let mut found = Found::new();
    let mut others = KVVec::new();
    let mut section = Section::None;
    let mut btf = 0..0;
    let (mut irqs, mut exceptions) = (0, 0);
    let (mut direct_calls, mut static_calls) = (0, 0);
    let mut text = 0..0;
    each_symbol(|name, address, site| {
        see(name, address)?;
        match name {
            b"_stext" => text.start = address,
            b"_etext" => text.end = address,
            b"hardirq_stack_ptr" => irqs = address,
            b"cea_exception_stacks" => exceptions = address,
            b"ftrace_find_rec_direct" => direct_calls = address,
            b"static_call_text_reserved" => static_calls = address,
            _ => {}
        }
        section = section.after(name);
        if site != 0 && !name.is_empty() && name != UNWINDS {
            return found.add(site, name, false);
        }
        match (section, name) {
            (Section::None, b"__start_BTF") => btf.start = address,
            (Section::None, b"__stop_BTF") => btf.end = address,
            (Section::None, _) => {}
            // Padding in front of functions, and what is no C.
            _ if name.starts_with(b"__pfx_") || name.starts_with(b"_R") => {}
            _ => {
                others.extend_from_slice(name, GFP_KERNEL)?;
                others.push(0, GFP_KERNEL)?;
            }
        }
        Ok(())
    })?;
    // What the stub needs to know, and can do without.
    // SAFETY: The kernel has these names once: two per-CPU pointers, the bounds of its text, a function of one address, and
    // one of two.
    unsafe {
        bindings::rtrace_stacks_are_at(irqs, exceptions);
        bindings::rtrace_text_is_at(text.start, text.end);
        if direct_calls != 0 {
            bindings::rtrace_direct_calls_are_told_by(direct_calls);
        }
        bindings::rtrace_static_calls_are_told_by(static_calls);
    }
    let btf = match btf.start {
        0 => &[],
        // SAFETY: The linker put these symbols around the kernel's BTF, a part of its image that is
        // mapped and unchanged for as long as it runs.
        start => unsafe { core::slice::from_raw_parts(start as *const u8, btf.len()) },
    };
    Ok(Vmlinux { found, others, btf })
}

/// Calls `each` with every symbol of the kernel proper, in order of address: its name, its address,
/// and its site or 0. Until it fails. Task context.
pub(super) fn each_symbol<F: FnMut(&[u8], usize, usize) -> Result>(each: F) -> Result {
    struct Walk<F> {
        each: F,
        result: Result,
    }
    /// # Safety
    ///
    /// `data` is a `Walk<F>`, `name` a string.
    unsafe extern "C" fn call<F: FnMut(&[u8], usize, usize) -> Result>(
        data: *mut ffi::c_void,
        name: *const ffi::c_char,
        address: ffi::c_ulong,
    ) -> ffi::c_int {
        // SAFETY: By this function's contract.
        let (walk, name) = unsafe { (&mut *data.cast::<Walk<F>>(), CStr::from_char_ptr(name)) };
        // SAFETY: Any number may be asked for.
        let site = unsafe { bindings::rtrace_site(address) } as usize;
        walk.result = (walk.each)(name.to_bytes(), address, site);
        walk.result.is_err().into()
    }
    let mut walk = Walk {
        each,
        result: Ok(()),
    };
    // SAFETY: `call` is called with the pointer to `walk`, which outlives the call.
    unsafe { bindings::rtrace_symbols_walk(Some(call::<F>), (&raw mut walk).cast()) };
    walk.result
}

/// What the administrator says of functions: see [`super::told`].
pub(super) fn told_in_registers() -> &'static [u8] {
    // SAFETY: A parameter of this module, which is set before it is initialised.
    unsafe { CStr::from_char_ptr(bindings::rtrace_stub_also()) }.to_bytes()
}

/// A module of the kernel, for as long as the kernel holds it for us.
pub(crate) struct LoadedModule(*mut bindings::module);

impl LoadedModule {
    /// # Safety
    ///
    /// The module must stay loaded for as long as this lives.
    pub(crate) unsafe fn new(module: *mut bindings::module) -> Self {
        Self(module)
    }

    pub(crate) fn as_ptr(&self) -> *mut bindings::module {
        self.0
    }

    /// A number that tells it from every other module that is loaded: its structure's address.
    pub(crate) fn handle(&self) -> usize {
        self.0 as usize
    }

    pub(super) fn name(&self) -> &[u8] {
        // SAFETY: The module is there, and its name is a string.
        unsafe { CStr::from_char_ptr(bindings::rtrace_module_name(self.0)) }.to_bytes()
    }

    fn is_init(&self, site: usize) -> bool {
        // SAFETY: The module is there.
        unsafe { bindings::rtrace_module_is_init(self.0, site as ffi::c_ulong) }
    }

    /// Its symbols that have a site. Task context.
    pub(super) fn symbols(&self) -> Result<Found> {
        let mut walk = Walk {
            found: Found::new(),
            module: self,
            result: Ok(()),
        };
        // SAFETY: The module is there; `each` is called with the pointer to `walk`.
        unsafe { bindings::rtrace_module_walk(self.0, Some(each), (&raw mut walk).cast()) };
        walk.result.map(|()| walk.found)
    }
}

/// What stands at an address of the kernel or of a module, as the kernel prints it
/// (`name+0x10/0x40 [module]`). Task context.
pub(crate) fn name_of_address(address: usize) -> Result<Option<KVec<u8>>> {
    let mut name = KVec::new();
    name.resize(bindings::RTRACE_SYMBOL_ROOM as usize, 0, GFP_KERNEL)?;
    // SAFETY: There is that much room.
    let len = unsafe { bindings::rtrace_symbol(address, name.as_mut_ptr().cast()) };
    name.truncate(len as usize);
    Ok((len != 0).then_some(name))
}
