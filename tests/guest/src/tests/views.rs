// SPDX-License-Identifier: GPL-2.0-only
//! What the kernel says of itself: on a kernel that nobody has changed, each view agrees with what the
//! kernel's own files say, and finds nothing to wonder at.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixDatagram;

use rust_tracer::abi;
use rustix::io::Errno;

use super::access::symbols::address_of;
use super::rogue::toy::Toy;
use crate::actor::play;
use crate::guest;
use crate::options::Options;
use crate::session::{Answer, KERNEL, Refused, SYSTEM, Session, USER, name};
use crate::target::{Late, Target};
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::Plan;

group! { "views":
    "the modules are those of /proc/modules, and every account has each of them" => modules,
    "a module that comes and goes stays in the ledger, with its times" => ledger,
    "an address is told whose it is" => owners,
    "who is on ftrace's list has an owner; we are on it while we trace" => ops,
    "what each of ftrace's users is attached to is told, one by one" => hooks,
    "a function is told of as long as somebody is attached to it, with where its site leads" => sites,
    "no function's first bytes have changed" => unchanged,
    "a kprobe is told of with its symbol and its handler, and changes no function" => kprobes,
    "executable memory is somebody's" => text_is_owned,
    "the bytes of a function are told, and those of data are not" => text,
    "all CPUs enter the kernel by the same text of the kernel's" => cpus,
    "tracepoints call functions that somebody owns" => tracepoints,
    "each task is known by every account, and they are those of /proc" => tasks,
    "this module is as it was, and has what it asked for" => itself,
    "what a file's operations lead to is somebody's, as far as the functions behind seq_file" => file,
    "what a socket's operations lead to is the kernel's, as far as its protocol" => socket,
    "what else the kernel calls is somebody's, and nothing leads out of its text" => callbacks,
    "a call in the kernel's text that leads out of it is told of, and that the text changed" => leads,
    "a module that looks for symbols by a kprobe is told of as such" => hunts,
    "a hidden module's thread is told of by what it runs, and by its stack" => hidden_thread,
    "the text of system calls is as it was" => syscalls,
    "a view is the same by small pages and by large ones" => pages,
    "a cursor that is not the view's is refused" => cursors,
    "what cannot be asked for is refused with a sentence" => hostile,
    "the nodes system and user tell nothing" => nodes,
    "threads that ask at once each get a whole view" => racing,
}

/// What a listed module in its life is known by.
const ALL_ACCOUNTS: u32 = abi::RTRACE_SEEN_LIST
    | abi::RTRACE_SEEN_KSET
    | abi::RTRACE_SEEN_TREE
    | abi::RTRACE_SEEN_RESOLVES
    | abi::RTRACE_SEEN_LIVE;

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

/// Name, bytes and address of each line of /proc/modules.
fn proc_modules() -> Outcome<Vec<(String, u64)>> {
    let text = fs::read_to_string("/proc/modules")?;
    text.lines()
        .map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let address = fields[5].trim_start_matches("0x");
            let address = u64::from_str_radix(address, 16).map_err(fail)?;
            Ok((fields[0].to_owned(), address))
        })
        .collect()
}

fn listed(session: &Session) -> Outcome<Vec<abi::rtrace_view_module>> {
    let mut rows = session.view::<abi::rtrace_view_module>()?;
    rows.retain(|row| row.seen & abi::RTRACE_SEEN_WENT == 0);
    Ok(rows)
}

fn modules(_: &Options) -> Outcome {
    let rows = listed(&open()?)?;
    let mut found: Vec<_> = rows.iter().map(|row| (name(&row.name), row.base)).collect();
    let mut wanted = proc_modules()?;
    found.sort();
    wanted.sort();
    check_eq!(found, wanted, "modules");
    for row in &rows {
        let name = name(&row.name);
        check_eq!(row.seen & ALL_ACCOUNTS, ALL_ACCOUNTS, "{name}: {row:x?}");
        check_eq!(
            row.seen & abi::RTRACE_SEEN_TEXT != 0,
            row.bytes != 0,
            "whether the text of {name} is mapped"
        );
        check!(
            row.seen & (abi::RTRACE_SEEN_AT_LOAD | abi::RTRACE_SEEN_CAME) != 0,
            "{name} came from nowhere: {row:x?}"
        );
        check_eq!(row.state, 0, "state of {name}");
        let taint = fs::read_to_string(format!("/sys/module/{name}/taint"))?;
        check_eq!(taint.trim().is_empty(), row.taints == 0, "taints of {name}");
    }
    Ok(())
}

fn ledger(options: &Options) -> Outcome {
    let session = open()?;
    let rows = |session: &Session| -> Outcome<Vec<abi::rtrace_view_module>> {
        let mut rows = session.view::<abi::rtrace_view_module>()?;
        rows.retain(|row| name(&row.name) == "rt_late");
        rows.sort_by_key(|row| row.came);
        Ok(rows)
    };
    let before = rows(&session)?.len();
    let late = Late::load(options, 0)?;
    let here = rows(&session)?;
    check_eq!(here.len(), before + 1, "rows of rt_late while it is there");
    let new = here[before];
    check_eq!(
        new.seen & (ALL_ACCOUNTS | abi::RTRACE_SEEN_CAME | abi::RTRACE_SEEN_WENT),
        ALL_ACCOUNTS | abi::RTRACE_SEEN_CAME,
        "{new:x?}"
    );
    check!(new.came != 0 && new.went == 0, "{new:?}");
    let owner = session.owners(&[new.base])?[0];
    check_eq!(owner.kind, abi::RTRACE_OWNER_MODULE, "{owner:x?}");
    late.unload()?;
    let gone = rows(&session)?;
    check_eq!(gone.len(), before + 1, "rows of rt_late when it went");
    let old = gone[before];
    check_eq!(old.structure, new.structure);
    check_eq!(
        old.seen & (ALL_ACCOUNTS | abi::RTRACE_SEEN_TEXT),
        0,
        "accounts of what went"
    );
    check!(old.went > old.came && old.came == new.came, "{old:?}");
    let owner = session.owners(&[new.base])?[0];
    check_eq!(owner.kind, abi::RTRACE_OWNER_GONE, "{owner:x?}");
    check_eq!(name(&owner.name), "rt_late");
    Ok(())
}

fn owners(_: &Options) -> Outcome {
    let session = open()?;
    let rows = listed(&session)?;
    let module = rows.iter().find(|row| name(&row.name) == "rust_tracer");
    let module = module.ok_or_else(|| fail("rust_tracer is not listed"))?;
    let vfs_read = address_of("vfs_read")?;
    let asked = [
        0,
        vfs_read,
        vfs_read + 1,
        module.base,
        module.base + module.bytes - 1,
        module.structure,
        address_of("jiffies")?,
        address_of("init_task")?,
        &ASKED as *const _ as u64,
        1 << 62,
        u64::MAX,
    ];
    let told = session.owners(&asked)?;
    let kinds: Vec<u32> = told.iter().map(|owner| owner.kind).collect();
    check_eq!(
        kinds,
        [
            abi::RTRACE_OWNER_ZERO,
            abi::RTRACE_OWNER_KERNEL,
            abi::RTRACE_OWNER_KERNEL,
            abi::RTRACE_OWNER_MODULE,
            abi::RTRACE_OWNER_MODULE,
            abi::RTRACE_OWNER_DATA,
            abi::RTRACE_OWNER_DATA,
            abi::RTRACE_OWNER_DATA,
            abi::RTRACE_OWNER_NONE,
            abi::RTRACE_OWNER_NONE,
            abi::RTRACE_OWNER_NONE,
        ],
        "kinds of {asked:x?}"
    );
    for (owner, address) in told.iter().zip(asked) {
        check_eq!(owner.address, address);
    }
    check_eq!(name(&told[1].name), "vmlinux");
    check_eq!(told[3].base, module.base);
    for of_module in &told[3..6] {
        check_eq!(name(&of_module.name), "rust_tracer");
        check_eq!(of_module.seen & ALL_ACCOUNTS, ALL_ACCOUNTS);
    }
    check_eq!(session.owners(&[])?.len(), 0);
    Ok(())
}

/// An address of this program's.
static ASKED: u8 = 0;

fn ops(_: &Options) -> Outcome {
    let session = open()?;
    let rows = |session: &Session| session.view::<abi::rtrace_view_ops>();
    let before = rows(&session)?;
    check_eq!(before.iter().filter(|row| row.ours != 0).count(), 0, "ours");
    let trace = Plan::new().both("rt_target:rt_plain").start()?;
    let during = rows(&session)?;
    let ours: Vec<_> = during.iter().filter(|row| row.ours != 0).collect();
    check_eq!(ours.len(), 1, "ours while a function is traced");
    check_eq!(ours[0].functions, 1, "functions");
    for of_ours in [ours[0].func, ours[0].trampoline] {
        check_eq!(of_ours.kind, abi::RTRACE_OWNER_MODULE, "{of_ours:x?}");
        check_eq!(name(&of_ours.name), "rust_tracer");
    }
    for row in &during {
        check!(
            !matches!(
                row.func.kind,
                abi::RTRACE_OWNER_NONE | abi::RTRACE_OWNER_HIDDEN | abi::RTRACE_OWNER_GONE
            ),
            "{row:x?}"
        );
        check_eq!(row.structure.kind, abi::RTRACE_OWNER_DATA, "{row:x?}");
    }
    trace.finish()?;
    check_eq!(
        rows(&session)?.iter().filter(|row| row.ours != 0).count(),
        0
    );
    Ok(())
}

fn hooks(_: &Options) -> Outcome {
    let session = open()?;
    let trace = Plan::new()
        .both("rt_target:rt_plain")
        .both("rt_target:rt_void")
        .start()?;
    let mut ours = session.view::<abi::rtrace_view_ops>()?;
    ours.retain(|row| row.ours != 0);
    check!(!ours.is_empty(), "we are not on the list");
    let attached = |rows: &[abi::rtrace_view_hook]| -> BTreeSet<u64> {
        let is_ours = |row: &&abi::rtrace_view_hook| ours.iter().any(|ops| ops.ops == row.ops);
        rows.iter().filter(is_ours).map(|row| row.site).collect()
    };
    let found = session.view::<abi::rtrace_view_hook>()?;
    let sites = session.view::<abi::rtrace_view_site>()?;
    for name in ["rt_plain", "rt_void"] {
        let function = address_of(name)?;
        let site = sites.iter().find(|row| row.function == function);
        let site = site.ok_or_else(|| fail(format!("{name} is no row")))?.site;
        check!(attached(&found).contains(&site), "{name}: {found:x?}");
    }
    check_eq!(attached(&found).len(), 2, "functions of ours");
    for row in &found {
        check_eq!(row.direct.kind, abi::RTRACE_OWNER_ZERO, "{row:x?}");
    }
    trace.finish()?;
    let after = session.view::<abi::rtrace_view_hook>()?;
    check_eq!(
        attached(&after).len(),
        0,
        "functions of ours when nothing is traced"
    );
    Ok(())
}

fn sites(_: &Options) -> Outcome {
    let session = open()?;
    let function = address_of("rt_plain")?;
    let of_it = |session: &Session| -> Outcome<Option<abi::rtrace_view_site>> {
        let rows = session.view::<abi::rtrace_view_site>()?;
        Ok(rows.into_iter().find(|row| row.function == function))
    };
    check!(of_it(&session)?.is_none(), "somebody is attached already");
    let trace = Plan::new().entry("rt_target:rt_plain").start()?;
    let row = of_it(&session)?.ok_or_else(|| fail("no row while it is traced"))?;
    check!(
        matches!(row.site_has, abi::RTRACE_SITE_CALL | abi::RTRACE_SITE_JUMP),
        "{row:x?}"
    );
    check_eq!(row.users, 1, "{row:x?}");
    check!(row.record & abi::RTRACE_REC_ENABLED != 0, "{row:x?}");
    check_eq!(row.changed, 0, "{row:x?}");
    check_eq!(name(&row.target.name), "rust_tracer", "{row:x?}");
    // What /sys/kernel/tracing says has the same functions.
    let text = guest::enabled_functions()?;
    let lines = text.lines().filter(|line| !line.starts_with('\t')).count();
    let rows = session.view::<abi::rtrace_view_site>()?;
    let enabled = rows.iter().filter(|row| row.users != 0).count();
    check_eq!(enabled, lines, "functions that ftrace calls somebody for");
    trace.finish()?;
    check!(of_it(&session)?.is_none(), "a row when nobody is attached");
    Ok(())
}

fn unchanged(_: &Options) -> Outcome {
    let rows = open()?.view::<abi::rtrace_view_site>()?;
    let changed: Vec<_> = rows.iter().filter(|row| row.changed != 0).collect();
    check!(changed.is_empty(), "{changed:x?}");
    let odd: Vec<_> = rows
        .iter()
        .filter(|row| row.users == 0 && row.site_has != abi::RTRACE_SITE_IDLE)
        .collect();
    check!(odd.is_empty(), "nobody's, and not idle: {odd:x?}");
    Ok(())
}

fn kprobes(_: &Options) -> Outcome {
    let session = open()?;
    let events = guest::tracefs()?.join("kprobe_events");
    let of_us = |session: &Session| -> Outcome<Vec<abi::rtrace_view_kprobe>> {
        let mut rows = session.view::<abi::rtrace_view_kprobe>()?;
        let address = address_of("vfs_read")?;
        rows.retain(|row| (address..address + 64).contains(&row.address));
        Ok(rows)
    };
    check_eq!(of_us(&session)?.len(), 0, "before");
    // One by ftrace, one by a breakpoint.
    fs::write(&events, "p:rt_views_a vfs_read\np:rt_views_b vfs_read+11\n").or_else(|_| {
        // Not where an instruction begins on this kernel.
        fs::write(&events, "p:rt_views_a vfs_read\n")
    })?;
    let enable = guest::tracefs()?.join("events/kprobes/enable");
    fs::write(&enable, "1")?;
    let found = of_us(&session);
    let sites = session.view::<abi::rtrace_view_site>();
    fs::write(&enable, "0")?;
    fs::write(&events, "")?;
    let found = found?;
    check!(!found.is_empty(), "no row of a kprobe");
    for row in &found {
        check_eq!(row.handler.kind, abi::RTRACE_OWNER_KERNEL, "{row:x?}");
        check_eq!(row.structure.kind, abi::RTRACE_OWNER_DATA, "{row:x?}");
        check_eq!(name(&row.symbol), "vfs_read");
        check_eq!(row.aggregate, 0);
    }
    let changed: Vec<_> = sites?.into_iter().filter(|row| row.changed != 0).collect();
    check!(changed.is_empty(), "{changed:x?}");
    check_eq!(of_us(&session)?.len(), 0, "after");
    Ok(())
}

fn text_is_owned(_: &Options) -> Outcome {
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

fn text(_: &Options) -> Outcome {
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

fn cpus(_: &Options) -> Outcome {
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

fn tracepoints(_: &Options) -> Outcome {
    let session = open()?;
    let of_forks = |session: &Session| -> Outcome<usize> {
        let rows = session.view::<abi::rtrace_view_tracepoint>()?;
        for row in &rows {
            check!(
                matches!(
                    row.func.kind,
                    abi::RTRACE_OWNER_KERNEL | abi::RTRACE_OWNER_MODULE | abi::RTRACE_OWNER_BPF
                ),
                "{}: {row:x?}",
                name(&row.name)
            );
        }
        let ours = |row: &&abi::rtrace_view_tracepoint| {
            row.ours != 0 && name(&row.name) == "sched_process_fork"
        };
        Ok(rows.iter().filter(ours).count())
    };
    check_eq!(
        of_forks(&session)?,
        0,
        "our probes while nobody has a target"
    );
    let trace = Plan::new()
        .both("rt_target:rt_plain")
        .target(std::process::id() as i32)
        .start()?;
    check_eq!(of_forks(&session)?, 1, "our probes while somebody has one");
    trace.finish()?;
    Ok(())
}

fn tasks(_: &Options) -> Outcome {
    const WAYS: u32 = abi::RTRACE_TASK_LISTED
        | abi::RTRACE_TASK_THREAD
        | abi::RTRACE_TASK_PID
        | abi::RTRACE_TASK_CHILD;
    let session = open()?;
    let processes = || -> Outcome<BTreeSet<u32>> {
        let names =
            fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names.filter_map(|name| name.parse().ok()).collect())
    };
    let before = processes()?;
    let rows = session.view::<abi::rtrace_view_task>()?;
    let after = processes()?;
    let listed: BTreeSet<u32> = rows
        .iter()
        .filter(|row| row.seen & abi::RTRACE_TASK_LISTED != 0)
        .map(|row| row.tgid)
        .collect();
    for pid in before.intersection(&after) {
        check!(listed.contains(pid), "{pid} is in /proc alone");
    }
    for row in &rows {
        if row.seen & abi::RTRACE_TASK_EXITING != 0 {
            continue;
        }
        let wanted = match row.pid == row.tgid {
            // The first processes hang below a task that has no number.
            true => WAYS,
            false => abi::RTRACE_TASK_THREAD | abi::RTRACE_TASK_PID,
        };
        check_eq!(row.seen & wanted, wanted, "{}: {row:x?}", name(&row.comm));
    }
    let mine = rows.iter().find(|row| row.pid == std::process::id());
    let mine = mine.ok_or_else(|| fail("this process is not there"))?;
    check!(
        mine.seen & abi::RTRACE_TASK_RAN != 0,
        "{mine:x?} asked, and did not run"
    );
    check_eq!(mine.uid, 0);
    let kthreadd = rows.iter().find(|row| row.pid == 2);
    check!(
        kthreadd.is_some_and(|row| row.seen & abi::RTRACE_TASK_KERNEL != 0),
        "{kthreadd:x?}"
    );
    Ok(())
}

fn itself(_: &Options) -> Outcome {
    let session = open()?;
    let row = |session: &Session| -> Outcome<abi::rtrace_view_self> {
        let rows = session.view::<abi::rtrace_view_self>()?;
        check_eq!(rows.len(), 1);
        Ok(rows[0])
    };
    let idle = row(&session)?;
    check_eq!(idle.text_hash, idle.first_hash);
    check!(idle.text_hash != 0 && idle.text_bytes > 4096, "{idle:x?}");
    check_eq!(idle.lost_taints, 0);
    let tainted: u64 = fs::read_to_string("/proc/sys/kernel/tainted")?
        .trim()
        .parse()
        .map_err(fail)?;
    check_eq!(idle.taints, tainted);
    check!(
        idle.taints & (1 << 12) != 0,
        "not tainted by a module from outside"
    );
    check_eq!(idle.ftrace_enabled, 1);
    check_eq!(idle.listed & ALL_ACCOUNTS, ALL_ACCOUNTS, "{idle:x?}");
    check_eq!((idle.ops_expected, idle.ops_found), (0, 0));
    check_eq!((idle.sites_expected, idle.sites_found), (0, 0));
    for ways in [false, true] {
        let plan = Plan::new().both("rt_target:rt_plain").both("vfs_fsync");
        let plan = if ways { plan.without_stub() } else { plan };
        let trace = plan.start()?;
        Target::open()?.run("plain 10")?;
        let armed = row(&session)?;
        // One for all, or one for each function.
        check!(matches!(armed.ops_expected, 1 | 2), "{armed:x?}");
        check_eq!(armed.ops_found, armed.ops_expected, "{armed:x?}");
        check_eq!(
            (armed.sites_expected, armed.sites_found),
            (2, 2),
            "{armed:x?}"
        );
        check_eq!(
            armed.text_hash,
            idle.first_hash,
            "while something is traced"
        );
        trace.finish()?;
    }
    Ok(())
}

fn file(_: &Options) -> Outcome {
    let session = open()?;
    let pointers = |path: &str| -> Outcome<Vec<(String, abi::rtrace_owner)>> {
        let file = File::open(path)?;
        let rows = session.view_by::<abi::rtrace_view_pointer>(file.as_raw_fd(), 1 << 16)?;
        for row in &rows {
            check!(
                matches!(
                    row.value.kind,
                    abi::RTRACE_OWNER_KERNEL | abi::RTRACE_OWNER_MODULE | abi::RTRACE_OWNER_DATA
                ),
                "{path}: {}: {row:x?}",
                name(&row.name)
            );
        }
        Ok(rows
            .iter()
            .map(|row| (name(&row.name), row.value))
            .collect())
    };
    let value = |path: &str, which: &str| -> Outcome<u64> {
        let rows = pointers(path)?;
        let found = rows.iter().find(|(name, _)| name == which);
        let (_, owner) = found.ok_or_else(|| {
            let names: Vec<_> = rows.iter().map(|(name, _)| name).collect();
            fail(format!("{path} has no {which}: {names:?}"))
        })?;
        Ok(owner.address)
    };
    check_eq!(
        value("/proc", "f_op.iterate_shared")?,
        address_of("proc_root_readdir")?
    );
    check_eq!(
        value("/proc/modules", "seq_operations.show")?,
        address_of("m_show")?,
        "of /proc/modules"
    );
    check_eq!(
        value("/proc/net/tcp", "seq_operations.show")?,
        address_of("tcp4_seq_show")?
    );
    value("/", "f_op.iterate_shared")?;
    value("/dev/kmsg", "f_op.read_iter").or_else(|_| value("/dev/kmsg", "f_op.read"))?;
    value("/sys/kernel/tracing/enabled_functions", "f_op")?;
    Ok(())
}

fn socket(_: &Options) -> Outcome {
    let session = open()?;
    let pointers = |fd: RawFd| -> Outcome<Vec<(String, abi::rtrace_owner)>> {
        let rows = session.view_by::<abi::rtrace_view_pointer>(fd, 1 << 16)?;
        let rows: Vec<_> = rows
            .iter()
            .map(|row| (name(&row.name), row.value))
            .collect();
        for (name, owner) in &rows {
            let wanted = match name.contains('.') {
                true => abi::RTRACE_OWNER_KERNEL,
                false => abi::RTRACE_OWNER_DATA,
            };
            let is_table = matches!(&**name, "i_fop" | "s_op" | "d_op");
            check!(owner.kind == wanted || is_table, "{name}: {owner:x?}");
        }
        Ok(rows)
    };
    let tcp = TcpListener::bind("127.0.0.1:0")?;
    let udp = UdpSocket::bind("127.0.0.1:0")?;
    let local = UnixDatagram::unbound()?;
    for (fd, of_family, of_protocol) in [
        (tcp.as_raw_fd(), "inet_recvmsg", "tcp_recvmsg"),
        (udp.as_raw_fd(), "inet_recvmsg", "udp_recvmsg"),
        (local.as_raw_fd(), "unix_dgram_recvmsg", ""),
    ] {
        let rows = pointers(fd)?;
        for (which, function) in [
            ("proto_ops.recvmsg", of_family),
            ("sk_prot.recvmsg", of_protocol),
        ] {
            let found = rows.iter().find(|(name, _)| name == which);
            match found {
                Some((_, owner)) => check_eq!(owner.address, address_of(function)?, "{which}"),
                None => check!(function.is_empty(), "{function}: no {which} in {rows:x?}"),
            }
        }
    }
    Ok(())
}

fn callbacks(_: &Options) -> Outcome {
    let session = open()?;
    let check_all = || -> Outcome<Vec<abi::rtrace_view_callback>> {
        let rows = session.view::<abi::rtrace_view_callback>()?;
        for row in &rows {
            let text = name(&row.name);
            check!(
                matches!(
                    row.func.kind,
                    abi::RTRACE_OWNER_KERNEL | abi::RTRACE_OWNER_MODULE | abi::RTRACE_OWNER_BPF
                ),
                "{text}: {row:x?}"
            );
            check!(
                !matches!(
                    row.kind,
                    abi::RTRACE_CALLBACK_BRANCH
                        | abi::RTRACE_CALLBACK_BREAKPOINT
                        | abi::RTRACE_CALLBACK_STACK
                        | abi::RTRACE_CALLBACK_CONSTANT
                        | abi::RTRACE_CALLBACK_TABLE
                        | abi::RTRACE_CALLBACK_TRACEPOINT
                ),
                "{text}: {row:x?}"
            );
        }
        Ok(rows)
    };
    let is_ours = |row: &&abi::rtrace_view_callback| name(&row.func.name) == "rust_tracer";
    let of_kind = |rows: &[abi::rtrace_view_callback], kind| {
        let ours = rows.iter().filter(|row| row.kind == kind).filter(is_ours);
        ours.count()
    };
    let idle = check_all()?;
    let chain = |row: &&abi::rtrace_view_callback| {
        row.kind == abi::RTRACE_CALLBACK_NOTIFIER && name(&row.name) == "module_notify_list"
    };
    check_eq!(
        idle.iter().filter(chain).filter(is_ours).count(),
        1,
        "our notifier of modules"
    );
    for wanted in ["die_chain", "netdev_chain"] {
        check!(
            idle.iter().any(|row| name(&row.name) == wanted),
            "nobody in {wanted}"
        );
    }
    check_eq!(of_kind(&idle, abi::RTRACE_CALLBACK_FPROBE), 0);
    // Traced by every way, the kernel's text still leads nowhere that nobody knows of.
    for stub in [false, true] {
        let plan = Plan::new().both("rt_target:rt_plain").both("vfs_*");
        let plan = if stub { plan } else { plan.without_stub() };
        let trace = plan.start()?;
        let busy = check_all()?;
        if !stub {
            check!(
                of_kind(&busy, abi::RTRACE_CALLBACK_FPROBE) >= 2,
                "no handler of our fprobe"
            );
        }
        drop(trace);
    }
    check_eq!(of_kind(&check_all()?, abi::RTRACE_CALLBACK_FPROBE), 0);
    Ok(())
}

fn leads(options: &Options) -> Outcome {
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

fn hunts(options: &Options) -> Outcome {
    let session = open()?;
    let who = || -> Outcome<BTreeSet<String>> {
        let mut rows = listed(&session)?;
        rows.retain(|row| row.seen & abi::RTRACE_SEEN_HUNTS != 0);
        Ok(rows.iter().map(|row| name(&row.name)).collect())
    };
    let before = who()?;
    for innocent in ["rt_target", "rt_late"] {
        check!(!before.contains(innocent), "{before:?}");
    }
    let toy = Toy::load(options, "rt_rogue_hunter", "")?;
    let during = who()?;
    let new: Vec<_> = during.difference(&before).collect();
    check_eq!(new, ["rt_rogue_hunter"]);
    toy.undo()?;
    check_eq!(who()?, before);
    Ok(())
}

fn hidden_thread(options: &Options) -> Outcome {
    let session = open()?;
    let toy = Toy::load(
        options,
        "rt_rogue_hide",
        "thread=1 hide=list,kset,state,tree,symbols",
    )?;
    toy.tell("hide")?;
    let of_kind = |rows: &[abi::rtrace_view_callback], kind| {
        let hidden = |row: &&abi::rtrace_view_callback| {
            row.kind == kind
                && row.func.kind == abi::RTRACE_OWNER_HIDDEN
                && name(&row.func.name) == "rt_rogue_hide"
                && name(&row.name) == "rt_rogue_hide"
        };
        rows.iter().filter(hidden).count()
    };
    // It is on its own stack unless it runs at that moment.
    let mut stacks = 0;
    for _ in 0..20 {
        let rows = session.view::<abi::rtrace_view_callback>()?;
        let threads = of_kind(&rows, abi::RTRACE_CALLBACK_THREAD);
        check_eq!(threads, 1, "threads that run hidden text: {rows:x?}");
        stacks = of_kind(&rows, abi::RTRACE_CALLBACK_STACK);
        if stacks != 0 {
            break;
        }
    }
    check!(stacks != 0, "no stack with hidden text");
    toy.undo()?;
    let rows = session.view::<abi::rtrace_view_callback>()?;
    check_eq!(of_kind(&rows, abi::RTRACE_CALLBACK_THREAD), 0);
    Ok(())
}

fn syscalls(_: &Options) -> Outcome {
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

fn pages(_: &Options) -> Outcome {
    let session = open()?;
    let few = session.view_by::<abi::rtrace_view_text_of>(0, 300)?;
    let many = session.view_by::<abi::rtrace_view_text_of>(0, 1 << 20)?;
    check_eq!(few, many);
    // Pages of one view are of one moment, whatever another session asks for meanwhile.
    let mut buffer = vec![0u8; 128];
    let first = session.view_once(abi::RTRACE_VIEW_SYSCALLS, 0, 0, &mut buffer)?;
    check!(first.cursor != 0 && first.count == 1, "{first:?}");
    open()?.view::<abi::rtrace_view_module>()?;
    let second = session.view_once(abi::RTRACE_VIEW_SYSCALLS, 0, first.cursor, &mut buffer)?;
    check_eq!(second.count, 1);
    Ok(())
}

fn cursors(_: &Options) -> Outcome {
    let session = open()?;
    let mut buffer = vec![0u8; 4096];
    let mut ask = |session: &Session, view, cursor| session.view_once(view, 0, cursor, &mut buffer);
    let first = ask(&session, abi::RTRACE_VIEW_SYSCALLS, 0)?;
    check!(first.cursor != 0, "{first:?}");
    for (what, view, cursor) in [
        ("any number", abi::RTRACE_VIEW_SYSCALLS, 1),
        ("the largest", abi::RTRACE_VIEW_SYSCALLS, u64::MAX),
        ("another view's", abi::RTRACE_VIEW_MODULES, first.cursor),
        (
            "the next view's",
            abi::RTRACE_VIEW_SYSCALLS,
            first.cursor + (1 << 32),
        ),
    ] {
        refused(what, ask(&session, view, cursor), Errno::INVAL)?;
    }
    // A row that is not there is behind the last one.
    let behind = ask(
        &session,
        abi::RTRACE_VIEW_SYSCALLS,
        first.cursor | 0xffff_ffff,
    )?;
    check_eq!((behind.count, behind.cursor), (0, 0));
    refused(
        "one of a view that ended",
        ask(&session, abi::RTRACE_VIEW_SYSCALLS, first.cursor),
        Errno::INVAL,
    )?;
    let first = ask(&session, abi::RTRACE_VIEW_SYSCALLS, 0)?;
    refused(
        "another session's",
        ask(&open()?, abi::RTRACE_VIEW_SYSCALLS, first.cursor),
        Errno::INVAL,
    )?;
    Ok(())
}

fn hostile(_: &Options) -> Outcome {
    let session = open()?;
    let mut small = [0u8; 8];
    let mut buffer = vec![0u8; 4096];
    refused(
        "a buffer without room for a row",
        session.view_once(abi::RTRACE_VIEW_MODULES, 0, 0, &mut small),
        Errno::NOSPC,
    )?;
    for view in [13, 14, u32::MAX] {
        refused(
            "a view that is none",
            session.view_once(view, 0, 0, &mut buffer),
            Errno::INVAL,
        )?;
    }
    refused(
        "a file for a view of none",
        session.view_once(abi::RTRACE_VIEW_MODULES, 1, 0, &mut buffer),
        Errno::INVAL,
    )?;
    for fd in [-1, i32::MIN, 9999] {
        refused(
            "no file",
            session.view_once(abi::RTRACE_VIEW_FILE, fd, 0, &mut buffer),
            Errno::BADF,
        )?;
    }
    let sized = size_of::<abi::rtrace_view>() as u32;
    for (flags, reserved) in [(1, 0), (1 << 31, 0), (0, 1)] {
        let mut request = abi::rtrace_view {
            size: sized,
            flags,
            reserved,
            buf: buffer.as_mut_ptr() as u64,
            buf_len: buffer.len() as u64,
            ..Default::default()
        };
        refused("flags", session.command(&mut request), Errno::INVAL)?;
    }
    for buf in [0, 1, 0xffff_8880_0000_0000, u64::MAX - 4096] {
        let mut request = abi::rtrace_view {
            size: sized,
            buf,
            buf_len: 1 << 40,
            ..Default::default()
        };
        refused(
            "no memory of ours",
            session.command(&mut request),
            Errno::FAULT,
        )?;
        let mut request = abi::rtrace_owners {
            size: size_of::<abi::rtrace_owners>() as u32,
            buf,
            count: 1,
            ..Default::default()
        };
        refused(
            "no memory of ours",
            session.command(&mut request),
            Errno::FAULT,
        )?;
    }
    let mut request = abi::rtrace_owners {
        size: size_of::<abi::rtrace_owners>() as u32,
        buf: buffer.as_mut_ptr() as u64,
        count: abi::RTRACE_OWNERS_MAX + 1,
        ..Default::default()
    };
    refused("too many", session.command(&mut request), Errno::TOOBIG)?;
    request.count = 1;
    request.reserved = 1;
    refused(
        "a reserved field",
        session.command(&mut request),
        Errno::INVAL,
    )?;
    Ok(())
}

fn nodes(_: &Options) -> Outcome {
    let vfs_read = address_of("vfs_read")?;
    for (user, node) in [("dave", SYSTEM), ("bob", USER)] {
        play(user, || {
            let session = Session::open_as(node, libc::O_RDWR)?;
            let mut buffer = vec![0u8; 4096];
            // Known or not, right or wrong: the answer is the same.
            for view in (0..=13).chain([u32::MAX]) {
                let answer = session.view_once(view, 0, 0, &mut buffer);
                let text = refused("VIEW", answer, Errno::ACCESS)?.text;
                check!(text.contains(node) && text.contains(KERNEL), "{text}");
            }
            check!(
                buffer.iter().all(|byte| *byte == 0),
                "something was written"
            );
            refused("OWNERS", session.owners(&[vfs_read, 0]), Errno::ACCESS)?;
            for address in [vfs_read, 0] {
                refused("TEXT", session.text(address, 8), Errno::ACCESS)?;
            }
            Ok(())
        })?;
    }
    play("alice", || {
        let session = Session::open_as(KERNEL, libc::O_RDONLY)?;
        check!(
            !session.view::<abi::rtrace_view_module>()?.is_empty(),
            "no modules"
        );
        let session = Session::open_as(KERNEL, libc::O_WRONLY)?;
        let mut buffer = vec![0u8; 4096];
        let answer = session.view_once(abi::RTRACE_VIEW_MODULES, 0, 0, &mut buffer);
        refused("VIEW", answer, Errno::BADF)?;
        refused("OWNERS", session.owners(&[vfs_read]), Errno::BADF)?;
        refused("TEXT", session.text(vfs_read, 8), Errno::BADF)?;
        Ok(())
    })
}

fn racing(options: &Options) -> Outcome {
    let wanted = open()?.view::<abi::rtrace_view_text_of>()?;
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| -> Outcome {
                    let session = open()?;
                    for _ in 0..5 {
                        check_eq!(
                            session.view_by::<abi::rtrace_view_text_of>(0, 4096)?,
                            wanted
                        );
                        session.view::<abi::rtrace_view_module>()?;
                        session.view::<abi::rtrace_view_ops>()?;
                    }
                    Ok(())
                })
            })
            .collect();
        // Modules come and go meanwhile.
        for _ in 0..5 {
            Late::load(options, 0)?.unload()?;
        }
        for asked in asking {
            asked.join().map_err(|_| fail("a thread panicked"))??;
        }
        Ok(())
    })
}
