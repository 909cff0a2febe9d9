// SPDX-License-Identifier: GPL-2.0-only
//! What the kernel is, as the module finds it by ways of its own: modules, ftrace's
//! users, kprobes, executable pages, CPUs, tracepoints, tasks. Of the node kernel
//! alone.
//!
//! Each view is a type with [`View`], and [`Session::view`] reads all of it. The
//! header `rust_tracer_views.h` says what every field means.

#![forbid(unsafe_code)]

use std::ffi::c_char;
use std::os::fd::{AsRawFd, BorrowedFd};

use zerocopy::{FromBytes, FromZeros, IntoBytes};

use crate::abi;
use crate::device::Command;
use crate::error::Result;
use crate::session::{CHUNK, Session, filled, reply};

/// Whose an address is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Nobody's.
    #[default]
    None,
    /// The kernel's own text.
    Kernel,
    /// The text of a module that is on the list of modules.
    Module,
    /// The text of a module that is not on that list.
    Hidden,
    /// The text of a module that has gone, or was never loaded whole.
    Gone,
    /// A trampoline of ftrace's.
    Ftrace,
    /// A slot of kprobes'.
    Kprobe,
    /// A BPF program, trampoline or dispatcher.
    Bpf,
    /// The kernel's text for booting.
    Init,
    /// The kernel's or a module's, but not text.
    Data,
    /// A page of thunks that the kernel made.
    Thunk,
    /// Address 0.
    Zero,
    /// One that a newer module knows.
    Other(u32),
}

impl Kind {
    fn from_abi(number: u32) -> Self {
        match number {
            abi::RTRACE_OWNER_NONE => Self::None,
            abi::RTRACE_OWNER_KERNEL => Self::Kernel,
            abi::RTRACE_OWNER_MODULE => Self::Module,
            abi::RTRACE_OWNER_HIDDEN => Self::Hidden,
            abi::RTRACE_OWNER_GONE => Self::Gone,
            abi::RTRACE_OWNER_FTRACE => Self::Ftrace,
            abi::RTRACE_OWNER_KPROBE => Self::Kprobe,
            abi::RTRACE_OWNER_BPF => Self::Bpf,
            abi::RTRACE_OWNER_INIT => Self::Init,
            abi::RTRACE_OWNER_DATA => Self::Data,
            abi::RTRACE_OWNER_THUNK => Self::Thunk,
            abi::RTRACE_OWNER_ZERO => Self::Zero,
            _ => Self::Other(number),
        }
    }
}

/// Whose an address is, and what is known of that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The address.
    pub address: u64,
    /// Where what it belongs to begins; 0: unknown.
    pub base: u64,
    /// Whose it is.
    pub kind: Kind,
    /// Of a module: how it is known, `RTRACE_SEEN_*`.
    pub seen: u32,
    /// The module's or the range's name.
    pub name: String,
}

impl From<abi::rtrace_owner> for Owner {
    fn from(row: abi::rtrace_owner) -> Self {
        Self {
            address: row.address,
            base: row.base,
            kind: Kind::from_abi(row.kind),
            seen: row.seen,
            name: text(&row.name),
        }
    }
}

/// A row of a view.
pub trait View: Sized {
    /// `RTRACE_VIEW_*`
    const VIEW: u32;
    /// Its structure in the header.
    type Row: FromBytes;
    /// From that.
    fn from_row(row: Self::Row) -> Self;
}

/// Declares a view: a structure with the fields of a row. What a field becomes says its type.
macro_rules! view {
    ($(#[$doc:meta])* $name:ident: $view:ident, $row:ident {
        $($(#[$about:meta])* $field:ident: $type:ty = $take:expr,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $name { $($(#[$about])* pub $field: $type,)* }

        impl View for $name {
            const VIEW: u32 = abi::$view;
            type Row = abi::$row;
            fn from_row(row: Self::Row) -> Self {
                $(let $field = { let take: fn(&abi::$row) -> $type = $take; take(&row) };)*
                Self { $($field,)* }
            }
        }
    };
}

view! {
    /// A module that any way knows of.
    Module: RTRACE_VIEW_MODULES, rtrace_view_module {
        /// Its name.
        name: String = |row| text(&row.name),
        /// The address of its `struct module`.
        structure: u64 = |row| row.structure,
        /// Of its text.
        base: u64 = |row| row.base,
        /// Of its text.
        bytes: u64 = |row| row.bytes,
        /// When, in ns of CLOCK_MONOTONIC; 0: before the tracer.
        came: u64 = |row| row.came,
        /// The same; 0: it has not.
        went: u64 = |row| row.went,
        /// Its taints, a bit each.
        taints: u64 = |row| row.taints,
        /// `RTRACE_SEEN_*`
        seen: u32 = |row| row.seen,
        /// 0 live, 1 coming, 2 going, 3 unformed.
        state: u32 = |row| row.state,
    }
}

view! {
    /// An `ftrace_ops` on ftrace's list.
    Ops: RTRACE_VIEW_OPS, rtrace_view_ops {
        /// Its address.
        ops: u64 = |row| row.ops,
        /// `FTRACE_OPS_FL_*`
        flags: u64 = |row| row.flags,
        /// Functions that its filter names; 0: all, or none that is named.
        functions: u64 = |row| row.functions,
        /// Of what is called.
        func: Owner = |row| row.func.into(),
        /// Of its own trampoline.
        trampoline: Owner = |row| row.trampoline.into(),
        /// Of the structure itself.
        structure: Owner = |row| row.structure.into(),
        /// Whether it is the tracer's.
        ours: bool = |row| row.ours != 0,
    }
}

impl Ops {
    /// `FTRACE_OPS_FL_IPMODIFY` (include/linux/ftrace.h): it may lead elsewhere.
    pub const IPMODIFY: u64 = 1 << 12;
    /// `FTRACE_OPS_FL_DIRECT`: it is called in the function's place.
    pub const DIRECT: u64 = 1 << 17;

    /// Whether functions may be redirected by it.
    pub fn redirects(&self) -> bool {
        self.flags & (Self::IPMODIFY | Self::DIRECT) != 0
    }
}

view! {
    /// A function that an `ftrace_ops` is to be called for.
    Hook: RTRACE_VIEW_HOOKS, rtrace_view_hook {
        /// The address of the `ftrace_ops`.
        ops: u64 = |row| row.ops,
        /// Where ftrace's site is; 0: it is for all functions.
        site: u64 = |row| row.site,
        /// Of what is called directly for it.
        direct: Owner = |row| row.direct.into(),
    }
}

view! {
    /// What the kernel calls by a pointer of its own, or leads to by its text.
    Callback: RTRACE_VIEW_CALLBACKS, rtrace_view_callback {
        /// Of what calls it: a chain, a thread, a function.
        name: String = |row| text(&row.name),
        /// Where the pointer or the instruction is.
        at: u64 = |row| row.at,
        /// Of what is called.
        func: Owner = |row| row.func.into(),
        /// `RTRACE_CALLBACK_*`
        kind: u32 = |row| row.kind,
    }
}

view! {
    /// A function that something is attached to, or whose text has changed.
    Site: RTRACE_VIEW_SITES, rtrace_view_site {
        /// Where ftrace's site is.
        site: u64 = |row| row.site,
        /// The function's first byte.
        function: u64 = |row| row.function,
        /// Of where the call or jump at the site goes.
        target: Owner = |row| row.target.into(),
        /// `RTRACE_SITE_*`
        site_has: u32 = |row| row.site_has,
        /// `RTRACE_REC_*`
        record: u32 = |row| row.record,
        /// `ftrace_ops`, by ftrace's record.
        users: u32 = |row| row.users,
        /// A bit for each of `bytes` that differs from the first time, is not the site's, and that the
        /// kernel did not change itself.
        changed: u32 = |row| row.changed,
        /// From the function's first byte on.
        bytes: [u8; 24] = |row| row.bytes,
        /// The same, the first time.
        first: [u8; 24] = |row| row.first,
    }
}

view! {
    /// A kprobe.
    Kprobe: RTRACE_VIEW_KPROBES, rtrace_view_kprobe {
        /// Where it is.
        address: u64 = |row| row.address,
        /// Of its `struct kprobe`.
        probe: u64 = |row| row.probe,
        /// Of its handler.
        handler: Owner = |row| row.handler.into(),
        /// Of the structure.
        structure: Owner = |row| row.structure.into(),
        /// `KPROBE_FLAG_*`
        flags: u32 = |row| row.flags,
        /// Whether there are several at this address.
        aggregate: bool = |row| row.aggregate != 0,
        /// The name that was asked for.
        symbol: String = |row| text(&row.symbol),
    }
}

view! {
    /// Executable memory outside the kernel's own text.
    Text: RTRACE_VIEW_TEXT, rtrace_view_text {
        /// Its first byte.
        start: u64 = |row| row.start,
        /// How many.
        bytes: u64 = |row| row.bytes,
        /// Whose it is.
        owner: Owner = |row| row.owner.into(),
        /// Bytes there that are not 0, nor int3.
        code: u64 = |row| row.code,
        /// Whether some of it is writable as well.
        writable: bool = |row| row.writable != 0,
    }
}

view! {
    /// Where a CPU goes by itself.
    Cpu: RTRACE_VIEW_CPUS, rtrace_view_cpu {
        /// Its number.
        cpu: u32 = |row| row.cpu,
        /// Interrupt gates that are present.
        handlers: u32 = |row| row.handlers,
        /// MSR_LSTAR
        syscall: Owner = |row| row.syscall.into(),
        /// MSR_CSTAR
        compat: Owner = |row| row.compat.into(),
        /// MSR_IA32_SYSENTER_EIP
        sysenter: Owner = |row| row.sysenter.into(),
        /// The table of interrupt gates.
        idt: Owner = |row| row.idt.into(),
        /// The first gate that does not lead into the kernel's text, or of kind zero.
        foreign: Owner = |row| row.foreign.into(),
        /// Which gate that is.
        foreign_vector: u32 = |row| row.foreign_vector,
        /// Whether the kernel cannot write what is read-only.
        cr0_wp: bool = |row| row.cr0_wp != 0,
        /// Of all gates.
        idt_hash: u64 = |row| row.idt_hash,
        /// What is switched off, `RTRACE_CPU_*`.
        off: u32 = |row| row.off,
    }
}

view! {
    /// A function that a tracepoint calls.
    Tracepoint: RTRACE_VIEW_TRACEPOINTS, rtrace_view_tracepoint {
        /// The tracepoint's name.
        name: String = |row| text(&row.name),
        /// Of the function.
        func: Owner = |row| row.func.into(),
        /// What it is given.
        data: u64 = |row| row.data,
        /// Whether it is the tracer's.
        ours: bool = |row| row.ours != 0,
    }
}

view! {
    /// A task that any way knows of.
    Task: RTRACE_VIEW_TASKS, rtrace_view_task {
        /// The address of its `struct task_struct`.
        structure: u64 = |row| row.structure,
        /// Of the thread, in the initial pid namespace.
        pid: u32 = |row| row.pid,
        /// Of its process.
        tgid: u32 = |row| row.tgid,
        /// `RTRACE_TASK_*`
        seen: u32 = |row| row.seen,
        /// Its real user id.
        uid: u32 = |row| row.uid,
        /// Its name.
        comm: String = |row| text(&row.comm),
    }
}

view! {
    /// A pointer that a file's operations are reached by.
    Pointer: RTRACE_VIEW_FILE, rtrace_view_pointer {
        /// As `f_op.read_iter`.
        name: String = |row| text(&row.name),
        /// Where it leads.
        value: Owner = |row| row.value.into(),
    }
}

view! {
    /// The text of a system call's function, or of what dispatches them.
    TextOf: RTRACE_VIEW_SYSCALLS, rtrace_view_text_of {
        /// The function.
        name: String = |row| text(&row.name),
        /// Its first byte.
        address: u64 = |row| row.address,
        /// How many.
        bytes: u64 = |row| row.bytes,
        /// Of these, without what the kernel itself patches; 0: unknown.
        hash: u64 = |row| row.hash,
        /// The same when the tracer was loaded.
        first_hash: u64 = |row| row.first_hash,
        /// Its first bytes.
        head: [u8; 32] = |row| row.head,
    }
}

view! {
    /// How it stands with the tracer itself.
    Itself: RTRACE_VIEW_SELF, rtrace_view_self {
        /// Of its text, without what the kernel itself patches.
        text_hash: u64 = |row| row.text_hash,
        /// The same when it was loaded.
        first_hash: u64 = |row| row.first_hash,
        /// The kernel's taints, a bit each.
        taints: u64 = |row| row.taints,
        /// The same when it was loaded, its own included.
        first_taints: u64 = |row| row.first_taints,
        /// Taints that were there at some time and are not now.
        lost_taints: u64 = |row| row.lost_taints,
        /// Whether ftrace is on.
        ftrace_enabled: bool = |row| row.ftrace_enabled != 0,
        /// How it is known as a module, `RTRACE_SEEN_*`.
        listed: u32 = |row| row.listed,
        /// `ftrace_ops` that it has registered.
        ops_expected: u32 = |row| row.ops_expected,
        /// Of these, on ftrace's list.
        ops_found: u32 = |row| row.ops_found,
        /// Functions that its sessions are attached to.
        sites_expected: u32 = |row| row.sites_expected,
        /// Of these, whose text leads to it.
        sites_found: u32 = |row| row.sites_found,
        /// Where its text begins.
        text_base: u64 = |row| row.text_base,
        /// How long that is.
        text_bytes: u64 = |row| row.text_bytes,
        /// fprobes that it has registered.
        fprobes_expected: u32 = |row| row.fprobes_expected,
        /// Of these, those that the kernel would call.
        fprobes_found: u32 = |row| row.fprobes_found,
    }
}

impl Session {
    /// All rows of a view.
    pub fn view<T: View>(&self) -> Result<Vec<T>> {
        self.view_of(0)
    }

    /// The pointers by which an open file's operations are reached.
    pub fn view_file(&self, file: BorrowedFd<'_>) -> Result<Vec<Pointer>> {
        self.view_of(file.as_raw_fd())
    }

    fn view_of<T: View>(&self, fd: i32) -> Result<Vec<T>> {
        const WHAT: &str = "read a view of the kernel";
        let mut rows = Vec::new();
        let mut buf = vec![0; CHUNK];
        let mut cursor = 0;
        loop {
            let mut arg = abi::rtrace_view {
                view: T::VIEW,
                fd,
                cursor,
                ..Default::default()
            };
            let command = Command::View {
                arg: &mut arg,
                buf: &mut buf,
            };
            self.ask(WHAT, command)?;
            let mut rest = filled(WHAT, &buf, arg.filled)?;
            for _ in 0..arg.count {
                // A newer module's rows go on where ours end.
                let row = rest.split_at_checked(arg.row_size as usize);
                let (row, after) = row.ok_or(reply(WHAT, "fewer rows than it says"))?;
                let (row, _) =
                    T::Row::read_from_prefix(row).map_err(|_| reply(WHAT, "rows too short"))?;
                rows.push(T::from_row(row));
                rest = after;
            }
            if arg.cursor == 0 {
                return Ok(rows);
            }
            if arg.cursor == cursor {
                return Err(reply(WHAT, "a cursor that stands still"));
            }
            cursor = arg.cursor;
        }
    }

    /// Whose these addresses are, in their order.
    pub fn owners(&self, addresses: &[u64]) -> Result<Vec<Owner>> {
        const WHAT: &str = "ask whose addresses are";
        let mut owners = Vec::with_capacity(addresses.len());
        for some in addresses.chunks(abi::RTRACE_OWNERS_MAX as usize) {
            let mut buf = Vec::with_capacity(size_of::<abi::rtrace_owner>() * some.len());
            for &address in some {
                let mut row = abi::rtrace_owner::new_zeroed();
                row.address = address;
                buf.extend_from_slice(row.as_bytes());
            }
            let mut arg = abi::rtrace_owners::default();
            let command = Command::Owners {
                arg: &mut arg,
                buf: &mut buf,
            };
            self.ask(WHAT, command)?;
            for (row, &address) in buf.chunks_exact(size_of::<abi::rtrace_owner>()).zip(some) {
                let row = abi::rtrace_owner::read_from_bytes(row);
                let owner: Owner = row.map_err(|_| reply(WHAT, "a malformed row"))?.into();
                if owner.address != address {
                    return Err(reply(WHAT, "other addresses than were asked for"));
                }
                owners.push(owner);
            }
        }
        Ok(owners)
    }

    /// Fills a buffer with what stands in executable memory at an address; an error with
    /// `EFAULT` if not all of it is executable.
    pub fn text(&self, address: u64, buf: &mut [u8]) -> Result<()> {
        let mut arg = abi::rtrace_text {
            address,
            ..Default::default()
        };
        let command = Command::Text { arg: &mut arg, buf };
        self.ask("read executable memory", command)
    }
}

/// A name in a field of fixed length; a zero ends it.
fn text(field: &[c_char]) -> String {
    let bytes: Vec<u8> = field
        .iter()
        .map(|&char| char as u8)
        .take_while(|&byte| byte != 0)
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
#[path = "views_tests.rs"]
mod tests;
