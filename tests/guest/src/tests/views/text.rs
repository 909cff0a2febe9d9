// SPDX-License-Identifier: GPL-2.0-only
//! Executable memory: whose it is, what it has, that it is as it was, and where it leads.

#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use rust_tracer::abi;
use rustix::io::Errno;

use super::{ASKED, listed, open, refused};
use crate::guest;
use crate::options::Options;
use crate::session::name;
use crate::test::{Outcome, check, check_eq, fail};
use crate::tests::access::symbols::address_of;
use crate::tests::rogue::toy::Toy;
use crate::trace::Plan;
use crate::waiting;

pub fn owned(_: &Options) -> Outcome {
    let session = open()?;
    let rows = session.view::<abi::rtrace_view_text>()?;
    for row in &rows {
        check!(
            !matches!(
                row.owner.kind,
                abi::RTRACE_OWNER_NONE
                    | abi::RTRACE_OWNER_HIDDEN
                    | abi::RTRACE_OWNER_GONE
                    | abi::RTRACE_OWNER_DATA
            ) || row.code == 0,
            "{row:x?}"
        );
        check_eq!(row.writable, 0, "{row:x?}");
    }
    for module in listed(&session)?.iter().filter(|module| module.bytes != 0) {
        let has = rows.iter().any(|row| {
            row.start <= module.base && module.base + module.bytes <= row.start + row.bytes
        });
        check!(has, "not the text of {module:x?}");
    }
    Ok(())
}

pub fn told(_: &Options) -> Outcome {
    let session = open()?;
    let rows = session.view::<abi::rtrace_view_text_of>()?;
    for row in rows.iter().take(20) {
        let told = session.text(row.address, row.head.len().min(row.bytes as usize))?;
        check_eq!(told, row.head[..told.len()], "{}", name(&row.name));
    }
    let address = rows[0].address;
    check_eq!(session.text(address, 0)?.len(), 0);
    let task = address_of("init_task")?;
    for (what, address, bytes) in [
        ("data", task, 8),
        ("nothing", 1 << 62, 8),
        ("this program's memory", &ASKED as *const _ as u64, 1),
        ("the end of all memory", u64::MAX - 3, 8),
        ("text and what is behind it", address, 1 << 30),
    ] {
        let errno = if bytes > abi::RTRACE_TEXT_MAX as usize {
            Errno::TOOBIG
        } else {
            Errno::FAULT
        };
        // The buffer need not be as long as is said: nothing is written.
        let mut request = abi::rtrace_text {
            size: size_of::<abi::rtrace_text>() as u32,
            address,
            buf: &mut [0u64; 2] as *mut _ as u64,
            buf_len: bytes as u64,
            ..Default::default()
        };
        refused(what, session.command(&mut request), errno)?;
    }
    Ok(())
}

pub fn cpus(_: &Options) -> Outcome {
    let rows = open()?.view::<abi::rtrace_view_cpu>()?;
    check_eq!(rows.len(), guest::online_cpus(), "CPUs");
    let entry = address_of("entry_SYSCALL_64")?;
    for row in &rows {
        check_eq!(row.syscall.address, entry, "{row:x?}");
        check_eq!(row.syscall.kind, abi::RTRACE_OWNER_KERNEL);
        for owner in [row.compat, row.sysenter] {
            check!(
                matches!(
                    owner.kind,
                    abi::RTRACE_OWNER_KERNEL | abi::RTRACE_OWNER_ZERO
                ),
                "{owner:x?}"
            );
        }
        check_eq!(row.foreign.kind, abi::RTRACE_OWNER_ZERO, "{row:x?}");
        check_eq!(row.idt.kind, abi::RTRACE_OWNER_DATA, "{row:x?}");
        check!(row.handlers > 32, "only {} gates", row.handlers);
        check_eq!(row.cr0_wp, 1);
        check_eq!(row.off, 0, "{row:x?}");
        check_eq!(row.idt_hash, rows[0].idt_hash);
        check_eq!(row.idt.address, rows[0].idt.address);
    }
    Ok(())
}

pub fn leads(options: &Options) -> Outcome {
    const FUNCTION: &str = "__x64_sys_umask";
    let session = open()?;
    let start = address_of(FUNCTION)?;
    let is_in = |address: u64| (start..start + 512).contains(&address);
    let found = || -> Outcome<(Vec<abi::rtrace_view_callback>, usize)> {
        let mut branches = session.view::<abi::rtrace_view_callback>()?;
        branches.retain(|row| row.kind == abi::RTRACE_CALLBACK_BRANCH);
        let texts = session.view::<abi::rtrace_view_text_of>()?;
        let changed = |row: &&abi::rtrace_view_text_of| row.hash != row.first_hash;
        Ok((branches, texts.iter().filter(changed).count()))
    };
    let (branches, changed) = found()?;
    check_eq!((branches.len(), changed), (0, 0), "{branches:x?}");
    let toy = Toy::load(
        options,
        "rt_rogue_patch",
        &format!("function={FUNCTION} where=end"),
    )?;
    let (branches, changed) = found()?;
    check_eq!(branches.len(), 1, "{branches:x?}");
    let branch = &branches[0];
    check!(is_in(branch.at), "not in {FUNCTION}: {branch:x?}");
    check_eq!(branch.func.kind, abi::RTRACE_OWNER_MODULE, "{branch:x?}");
    check_eq!(name(&branch.func.name), "rt_rogue_patch");
    // The system call's function, and one block of text or two.
    check!(
        (2..=3).contains(&changed),
        "{changed} rows of text that changed"
    );
    toy.undo()?;
    let (branches, changed) = found()?;
    check_eq!((branches.len(), changed), (0, 0), "{branches:x?}");
    Ok(())
}

pub fn syscalls(_: &Options) -> Outcome {
    let session = open()?;
    let check_all = || -> Outcome<usize> {
        let rows = session.view::<abi::rtrace_view_text_of>()?;
        for wanted in [
            "x64_sys_call",
            "do_syscall_64",
            "entry_SYSCALL_64",
            "__x64_sys_read",
        ] {
            check!(
                rows.iter().any(|row| name(&row.name) == wanted),
                "no row of {wanted}"
            );
        }
        for row in &rows {
            check_eq!(row.hash, row.first_hash, "{}: {row:x?}", name(&row.name));
            check!(
                row.hash != 0 && row.bytes != 0,
                "{}: {row:x?}",
                name(&row.name)
            );
        }
        Ok(rows.len())
    };
    check!(check_all()? > 300, "few system calls");
    // Attached to all of them nothing is other than it was.
    let trace = Plan::new().both("__x64_sys_*").start()?;
    check_all()?;
    drop(trace);
    check_all()?;
    Ok(())
}

/// The kernel has no length for an instruction that it is patching, and whoever asks it meanwhile without its lock brings
/// it down.
pub fn patched(options: &Options) -> Outcome {
    const FUNCTION: &str = "__x64_sys_umask";
    const LOOKS: usize = 5;
    let (session, function) = (open()?, address_of(FUNCTION)?);
    // Of each byte that is not as it was the kernel is asked whether it was the kernel.
    let toy = Toy::load(
        options,
        "rt_rogue_patch",
        &format!("function={FUNCTION} where=start"),
    )?;
    let (stop, switches) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        // A tracepoint's switch is a branch in each place where it stands.
        let switching = scope.spawn(|| -> Outcome {
            let events = Path::new("/sys/kernel/tracing/events/sched/enable");
            while !stop.load(Ordering::Relaxed) {
                fs::write(events, "1")?;
                fs::write(events, "0")?;
                switches.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
        let mut looks = 0;
        let looked = waiting::until(
            || {
                let rows = session.view::<abi::rtrace_view_site>()?;
                let it = rows.iter().find(|row| row.function == function);
                let it = it.ok_or_else(|| fail(format!("{FUNCTION} is not told of")))?;
                check!(it.changed != 0, "{it:x?}");
                looks += 1;
                Ok(looks >= LOOKS && switches.load(Ordering::Relaxed) >= LOOKS)
            },
            || "nothing is switched".to_owned(),
        );
        stop.store(true, Ordering::Relaxed);
        switching
            .join()
            .map_err(|_| fail("the switching thread panicked"))??;
        looked
    })?;
    toy.undo()
}
