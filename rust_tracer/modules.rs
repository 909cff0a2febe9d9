// SPDX-License-Identifier: GPL-2.0

//! Kernel modules that come and go: who learns of it, and in which order.
//!
//! ```text
//!   coming        the ledger of modules, then: table gets its functions, then sessions their probes
//!   initialised   as going, for the functions of its initialiser; as coming, if it is not known yet
//!   going         under one lock: table loses its functions, probes are detached;
//!                 then sessions are told
//! ```

use kernel::{
    error::to_result,
    prelude::*, //
};

use crate::{
    attach,
    bindings,
    detect,
    functions::{
        self,
        LoadedModule, //
    },
    session, //
};

/// Keeps the table of functions, and what hangs on it, right while it lives.
pub(crate) struct ModuleWatch(());

impl ModuleWatch {
    /// Makes the table. Task context, once.
    pub(crate) fn start() -> Result<Self> {
        let mut symbols = detect::Symbols::new();
        let made = functions::make_table(|name, address| symbols.see(name, address))
            .map(|()| detect::settle(symbols))
            .and_then(|()| {
                // SAFETY: The callbacks below are ready; undone by `drop`.
                to_result(unsafe { bindings::rtrace_modules_watch() })
            });
        if let Err(error) = made {
            functions::free_table();
            detect::forget();
            return Err(error);
        }
        let watch = Self(());
        detect::begin()?;
        each_loaded(|module| {
            if let Err(error) = functions::add_module(&module) {
                pr_warn!("the functions of a module cannot be traced: {error:?}\n");
            }
        })?;
        Ok(watch)
    }
}

impl Drop for ModuleWatch {
    fn drop(&mut self) {
        // SAFETY: Undoes `start`.
        unsafe { bindings::rtrace_modules_unwatch() };
        attach::forget();
        detect::forget();
        functions::free_table();
    }
}

/// Calls `each` with every module that is loaded now. Task context.
fn each_loaded(mut each: impl FnMut(LoadedModule)) -> Result {
    /// More modules than any kernel has; the rest could not be traced.
    const ROOM: usize = 4096;
    let mut modules = KVVec::from_elem(core::ptr::null_mut(), ROOM, GFP_KERNEL)?;
    // SAFETY: There is room for as many pointers.
    let count = unsafe { bindings::rtrace_modules_get(modules.as_mut_ptr(), ROOM as u32) };
    for module in modules.iter().take(count as usize) {
        // SAFETY: `rtrace_modules_get` took a reference.
        each(unsafe { LoadedModule::new(*module) });
        // SAFETY: As above; it is given back once.
        unsafe { bindings::rtrace_module_put(*module) };
    }
    Ok(())
}

fn coming(module: &LoadedModule) {
    match functions::add_module(module) {
        Ok(Some(functions)) => session::functions_came(&functions),
        Ok(None) => {}
        Err(error) => pr_warn!("the functions of a new module cannot be traced: {error:?}\n"),
    }
}

fn going(module: &LoadedModule, only_init: bool) {
    let gone = attach::functions_going(|| functions::remove_module(module, only_init));
    if !gone.is_empty() {
        session::functions_went(&gone);
    }
}

/// # Safety
///
/// Called by the module notifier: the module stays until it returns.
#[no_mangle]
unsafe extern "C" fn rtrace_on_module_coming(module: *mut bindings::module) {
    // SAFETY: By this function's contract.
    let module = unsafe { LoadedModule::new(module) };
    detect::module_comes(&module);
    coming(&module);
}

/// # Safety
///
/// As `rtrace_on_module_coming`.
#[no_mangle]
unsafe extern "C" fn rtrace_on_module_live(module: *mut bindings::module) {
    // SAFETY: By this function's contract.
    let module = unsafe { LoadedModule::new(module) };
    going(&module, true);
    // Of one that came before we did, nobody has told.
    if !functions::has_module(&module) {
        coming(&module);
    }
    detect::module_lives(&module);
}

/// # Safety
///
/// As `rtrace_on_module_coming`.
#[no_mangle]
unsafe extern "C" fn rtrace_on_module_going(module: *mut bindings::module) {
    // SAFETY: By this function's contract.
    let module = unsafe { LoadedModule::new(module) };
    going(&module, false);
    detect::module_goes(&module);
}
