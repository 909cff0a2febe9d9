// SPDX-License-Identifier: GPL-2.0-only
//! Functions that the kernel calls by a pointer: whose they are, and that they are the right ones.

#![forbid(unsafe_code)]

use std::fs::File;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixDatagram;

use rust_tracer::abi;

use super::open;
use crate::options::Options;
use crate::session::{Session, name};
use crate::test::{Outcome, check, check_eq, fail};
use crate::tests::access::symbols::address_of;
use crate::trace::Plan;

pub fn tracepoints(_: &Options) -> Outcome {
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

pub fn file(_: &Options) -> Outcome {
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

pub fn socket(_: &Options) -> Outcome {
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

pub fn callbacks(_: &Options) -> Outcome {
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
