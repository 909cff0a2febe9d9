// SPDX-License-Identifier: GPL-2.0

//! The shim's walks through the kernel's structures, with a safe face: each calls a closure with
//! facts, or gives all of them.
//!
//! A closure may be called with one of the kernel's locks held, a spinning one among them: it neither
//! sleeps nor allocates. So facts are put where there is room, and the walk is done again with more if
//! that was too little.
//!
//! C header: [`shim/detect.h`]. Context: task, and what the header says of locks.

use kernel::{
    error::to_result,
    ffi,
    prelude::*, //
};

use crate::{
    bindings::{
        self,
        rtrace_callback_fact,
        rtrace_cpu_fact,
        rtrace_each,
        rtrace_hook_fact,
        rtrace_kprobe_fact,
        rtrace_lead_fact,
        rtrace_module_fact,
        rtrace_ops_fact,
        rtrace_pages_fact,
        rtrace_patched_fact,
        rtrace_pointer_fact,
        rtrace_range_fact,
        rtrace_site_fact,
        rtrace_task_fact,
        rtrace_tracepoint_fact, //
    },
    functions::LoadedModule,
    refusal::Refusal, //
};

/// A walk of the shim's: calls what it is given with the facts of one kind, and this pointer.
///
/// # Safety
///
/// What it is given must take facts of that kind, and this pointer.
type Walk = unsafe extern "C" fn(rtrace_each, *mut ffi::c_void) -> ffi::c_int;

/// A kind of facts, and the walk that tells them.
///
/// # Safety
///
/// `WALK` calls with pointers to facts of this type, and with the pointer that it was given.
pub(super) unsafe trait Fact: Copy {
    const WALK: Walk;
    /// What is asked for, in a refusal.
    const WHAT: &'static str;
    /// As many as there mostly are at most: with more the walk is done a second time.
    const MANY: usize;
}

macro_rules! facts {
    ($($type:ident by $walk:ident, $many:literal, $what:literal;)*) => {$(
        // SAFETY: The shim's header says so.
        unsafe impl Fact for $type {
            const WALK: Walk = bindings::$walk;
            const WHAT: &'static str = $what;
            const MANY: usize = $many;
        }
    )*};
}

facts! {
    rtrace_range_fact by rtrace_each_range, 256, "the ranges of text that it made";
    rtrace_ops_fact by rtrace_each_ops, 64, "ftrace's list of its users";
    rtrace_hook_fact by rtrace_each_hook, 4096, "what ftrace's users are attached to";
    rtrace_site_fact by rtrace_each_site, 65536, "ftrace's functions";
    rtrace_kprobe_fact by rtrace_each_kprobe, 64, "its kprobes";
    rtrace_tracepoint_fact by rtrace_each_tracepoint, 128, "its tracepoints";
    rtrace_task_fact by rtrace_each_task, 8192, "its tasks";
    rtrace_callback_fact by rtrace_each_callback, 16384, "what else it calls";
    rtrace_lead_fact by rtrace_each_lead, 4096, "where its text leads out of it";
}

/// # Safety
///
/// `data` is the pointer to a closure's `&mut F`, `fact` points to a `T`.
unsafe extern "C" fn call<T, F: FnMut(&T)>(data: *mut ffi::c_void, fact: *const ffi::c_void) {
    // SAFETY: By this function's contract.
    let (each, fact) = unsafe { (&mut *data.cast::<F>(), &*fact.cast::<T>()) };
    each(fact);
}

fn refused(error: Error, what: &str) -> Refusal {
    if error == EOPNOTSUPP {
        return Refusal::with(
            error,
            fmt!(
                "{what} cannot be found in this kernel: it has no symbol of the name that is known"
            ),
        );
    }
    error.into()
}

/// Calls `each` with all facts of a kind.
pub(super) fn each<T: Fact, F: FnMut(&T)>(mut each: F) -> Result<(), Refusal> {
    // SAFETY: `call` is called with the pointer to the closure and with facts of its type.
    let result = unsafe { T::WALK(Some(call::<T, F>), (&raw mut each).cast()) };
    to_result(result).map_err(|error| refused(error, T::WHAT))
}

/// What a walk by `walk` tells, if there is memory for it, which is whoever's who asks.
fn gather<T: Copy>(
    mut room: usize,
    mut walk: impl FnMut(&mut dyn FnMut(&T)) -> Result<(), Refusal>,
) -> Result<KVVec<T>, Refusal> {
    /// Each time there is more room than was needed the last time.
    const TRIES: u32 = 8;
    for _ in 0..TRIES {
        let mut facts = KVVec::with_capacity(room, GFP_KERNEL)?;
        let mut count = 0_usize;
        walk(&mut |fact| {
            count += 1;
            let _ = facts.push_within_capacity(*fact);
        })?;
        if count == facts.len() {
            return Ok(facts);
        }
        // More may have come meanwhile.
        room = count + count / 8;
    }
    Err(Refusal::new(
        EAGAIN,
        "there is more of it each time that somebody looks: try again",
    ))
}

/// All facts of a kind.
pub(super) fn all<T: Fact>() -> Result<KVVec<T>, Refusal> {
    gather(T::MANY, |add| each::<T, _>(|fact| add(fact)))
}

/// By which of the kernel's own accounts a module is known.
#[derive(Clone, Copy)]
pub(super) enum Account {
    List,
    Kset,
    Tree,
}

/// The modules that an account has; none where the account cannot be found.
pub(super) fn modules(by: Account) -> Result<KVVec<rtrace_module_fact>, Refusal> {
    let walk: Walk = match by {
        Account::List => bindings::rtrace_modules_by_list,
        Account::Kset => bindings::rtrace_modules_by_kset,
        Account::Tree => bindings::rtrace_modules_by_tree,
    };
    gather(512, |add| {
        let mut add = |fact: &rtrace_module_fact| add(fact);
        // SAFETY: As in `each`; the three tell facts of that type.
        let result = unsafe { walk(call_with(&add), (&raw mut add).cast()) };
        to_result(result).map_err(|error| refused(error, "its modules"))
    })
}

/// What calls a closure of that type.
fn call_with<T, F: FnMut(&T)>(_closure: &F) -> rtrace_each {
    Some(call::<T, F>)
}

/// A module's fact as its structure says now; none if nothing is there.
pub(super) fn module(structure: u64) -> Option<rtrace_module_fact> {
    let mut fact = rtrace_module_fact::default();
    // SAFETY: Any address may be asked about.
    unsafe { bindings::rtrace_module_fact(structure, &mut fact) }.then_some(fact)
}

/// The address of this module's own structure.
pub(super) fn own_module() -> u64 {
    // SAFETY: Always.
    unsafe { bindings::rtrace_own_module() }
}

/// The structure of the module that the kernel says has an address.
pub(super) fn module_of(address: u64) -> Option<u64> {
    // SAFETY: Any address may be asked about.
    let found = unsafe { bindings::rtrace_module_of(address) };
    (found != 0).then_some(found)
}

/// Calls `each` with the sites of a module that is coming. In its notifier.
pub(super) fn sites_of<F: FnMut(&rtrace_site_fact)>(module: &LoadedModule, mut each: F) {
    // SAFETY: The module is there, and as in `each`.
    unsafe {
        bindings::rtrace_each_site_of(module.as_ptr(), call_with(&each), (&raw mut each).cast());
    }
}

/// Where the kernel patches its own text, or this module's.
pub(super) fn patched(own: bool) -> Result<KVVec<rtrace_patched_fact>, Refusal> {
    gather(if own { 256 } else { 65536 }, |add| {
        let mut add = |fact: &rtrace_patched_fact| add(fact);
        // SAFETY: As in `each`.
        let result =
            unsafe { bindings::rtrace_each_patched(own, call_with(&add), (&raw mut add).cast()) };
        to_result(result).map_err(|error| refused(error, "the places that it patches"))
    })
}

/// Whether the kernel changes the byte there, for branches and calls of its own. Waits for the kernel's patching.
pub(super) fn is_patched_by_kernel(address: u64) -> bool {
    // SAFETY: Any address may be asked about.
    unsafe { bindings::rtrace_is_patched_by_kernel(address) }
}

/// The runs of executable pages.
pub(super) fn executable() -> Result<KVVec<rtrace_pages_fact>, Refusal> {
    gather(256, |add| {
        let mut add = |fact: &rtrace_pages_fact| add(fact);
        // SAFETY: As in `each`.
        let result =
            unsafe { bindings::rtrace_each_executable(call_with(&add), (&raw mut add).cast()) };
        Ok(to_result(result)?)
    })
}

/// Bytes of the instruction that `text` begins with; 0 if it begins with none.
pub(super) fn instruction_bytes(text: &[u8]) -> usize {
    // SAFETY: There are as many bytes.
    unsafe { bindings::rtrace_instruction_bytes(text.as_ptr(), text.len() as u32) as usize }
}

/// What may lead out of the kernel's text, and where `keep` says that something is.
pub(super) fn leads(keep: impl Fn(u64) -> bool) -> Result<KVVec<rtrace_lead_fact>, Refusal> {
    gather(rtrace_lead_fact::MANY, |add| {
        each(|fact: &rtrace_lead_fact| {
            if keep(fact.target) {
                add(fact);
            }
        })
    })
}

/// RTRACE_PAGE_* of an address.
pub(super) fn page_is(address: u64) -> u32 {
    // SAFETY: Any address may be asked about.
    unsafe { bindings::rtrace_page_is(address) }
}

/// What a CPU says of itself; none if it is offline. CPUs locked.
pub(super) fn cpu(cpu: u32) -> Option<rtrace_cpu_fact> {
    let mut fact = rtrace_cpu_fact::default();
    // SAFETY: CPUs are locked; there is no such CPU, or it fills the fact in.
    let result = unsafe { bindings::rtrace_cpu_fact(cpu, &mut fact) };
    (result == 0).then_some(fact)
}

/// The pointers by which the caller's file `fd` is reached.
pub(super) fn pointers(fd: i32) -> Result<KVVec<rtrace_pointer_fact>, Refusal> {
    gather(64, |add| {
        let mut add = |fact: &rtrace_pointer_fact| add(fact);
        // SAFETY: As in `each`; any number may be asked about.
        let result =
            unsafe { bindings::rtrace_each_pointer(fd, call_with(&add), (&raw mut add).cast()) };
        to_result(result).map_err(|error| {
            if error == EBADF {
                return Refusal::with(
                    error,
                    fmt!("{fd} is not an open file of the caller's (or one by O_PATH)"),
                );
            }
            error.into()
        })
    })
}

/// Fills `to` from the kernel's memory; false if not all of that can be read.
pub(super) fn copy(to: &mut [u8], from: u64) -> bool {
    // SAFETY: There is that much room, and any address may be asked for.
    unsafe { bindings::rtrace_copy_kernel(to.as_mut_ptr().cast(), from, to.len() as u32) }
}

/// A hash by a key that nobody knows, the same as long as this module is loaded.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    // SAFETY: There are as many bytes.
    unsafe { bindings::rtrace_hash(bytes.as_ptr().cast(), bytes.len()) }
}

pub(super) fn is_own_ops(ops: u64) -> bool {
    // SAFETY: Always.
    unsafe { bindings::rtrace_is_own_ops(ops) }
}

/// How many fprobes of this module the kernel would call; none where that cannot be found.
pub(super) fn own_fprobes() -> Result<Option<u32>> {
    // SAFETY: Always.
    let count = unsafe { bindings::rtrace_own_fprobes() };
    match u32::try_from(count) {
        Ok(count) => Ok(Some(count)),
        Err(_) if Error::from_errno(count) == EOPNOTSUPP => Ok(None),
        Err(_) => Err(Error::from_errno(count)),
    }
}

/// The kernel's taints as its functions tell them, and as they stand in its memory.
pub(super) fn taints() -> (u64, u64) {
    // SAFETY: Always.
    unsafe { (bindings::rtrace_taints_told(), bindings::rtrace_taints()) }
}

pub(super) fn ftrace_is_enabled() -> bool {
    // SAFETY: Always.
    unsafe { bindings::rtrace_ftrace_enabled() != 0 }
}

/// Tells the shim where the kernel has what it does not export. Once, at load.
pub(super) fn tell_landmarks(landmarks: &bindings::rtrace_landmarks) {
    // SAFETY: The addresses come from the kernel's symbols of these names.
    unsafe { bindings::rtrace_landmarks_are(landmarks) };
}
