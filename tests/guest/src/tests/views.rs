// SPDX-License-Identifier: GPL-2.0-only
//! What the kernel says of itself: on a kernel that nobody has changed, each view agrees with what the
//! kernel's own files say, and finds nothing to wonder at.

#![forbid(unsafe_code)]

mod attached;
mod called;
mod itself;
mod modules;
mod owners;
mod pages;
mod refusals;
mod tasks;
mod text;

use rust_tracer::abi;
use rustix::io::Errno;

use crate::session::{Answer, Refused, Session};
use crate::test::{Outcome, check, check_eq, fail, group};

group! { "views":
    "the modules are those of /proc/modules, and every account has each of them" => modules::every_account,
    "a module that comes and goes stays in the ledger, with its times" => modules::ledger,
    "an address is told whose it is" => owners::kinds,
    "who is on ftrace's list has an owner; we are on it while we trace" => attached::ops,
    "what each of ftrace's users is attached to is told, one by one" => attached::hooks,
    "a function is told of as long as somebody is attached to it, with where its site leads" => attached::sites,
    "no function's first bytes have changed" => attached::unchanged,
    "a kprobe is told of with its symbol and its handler, and changes no function" => attached::kprobes,
    "executable memory is somebody's" => text::owned,
    "the bytes of a function are told, and those of data are not" => text::told,
    "all CPUs enter the kernel by the same text of the kernel's" => text::cpus,
    "tracepoints call functions that somebody owns" => called::tracepoints,
    "each task is known by every account, and they are those of /proc" => tasks::every_account,
    "this module is as it was, and has what it asked for" => itself::intact,
    "what a file's operations lead to is somebody's, as far as the functions behind seq_file" => called::file,
    "what a socket's operations lead to is the kernel's, as far as its protocol" => called::socket,
    "what else the kernel calls is somebody's, and nothing leads out of its text" => called::callbacks,
    "a call in the kernel's text that leads out of it is told of, and that the text changed" => text::leads,
    "a module that looks for symbols by a kprobe is told of as such" => modules::hunts,
    "a hidden module's thread is told of by what it runs, and by its stack" => tasks::hidden_thread,
    "the text of system calls is as it was" => text::syscalls,
    "what the kernel patches itself is told from what others did while it patches" => text::patched,
    "a view is the same by small pages and by large ones" => pages::any_size,
    "a cursor that is not the view's is refused" => pages::cursors,
    "what cannot be asked for is refused with a sentence" => refusals::hostile,
    "the nodes system and user tell nothing" => refusals::nodes,
    "threads that ask at once each get a whole view" => pages::racing,
}

/// What a listed module in its life is known by.
const ALL_ACCOUNTS: u32 = abi::RTRACE_SEEN_LIST
    | abi::RTRACE_SEEN_KSET
    | abi::RTRACE_SEEN_TREE
    | abi::RTRACE_SEEN_RESOLVES
    | abi::RTRACE_SEEN_LIVE;

/// An address of this program's.
static ASKED: u8 = 0;

fn open() -> Outcome<Session> {
    Session::open()
}

fn refused<T>(what: &str, answer: Answer<T>, errno: Errno) -> Outcome<Refused> {
    match answer {
        Ok(_) => Err(fail(format!("{what} is accepted"))),
        Err(refused) => {
            check_eq!(refused.errno, errno, "{what}: {}", refused.text);
            check!(refused.text.len() > 15, "{what}: only {:?}", refused.text);
            Ok(refused)
        }
    }
}

/// The modules that did not go.
fn listed(session: &Session) -> Outcome<Vec<abi::rtrace_view_module>> {
    let mut rows = session.view::<abi::rtrace_view_module>()?;
    rows.retain(|row| row.seen & abi::RTRACE_SEEN_WENT == 0);
    Ok(rows)
}
