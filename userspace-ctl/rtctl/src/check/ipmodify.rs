// SPDX-License-Identifier: GPL-2.0-only
//! Check 7: is a function redirected by somebody whom ftrace's list does not have?
//!
//! Who takes his `ftrace_ops` off the list is not seen there any more. But ftrace's
//! record of each function goes on to say that it is redirected, or it would not be.

use rust_tracer::abi;
use rust_tracer::views::{Kind, Ops, Site};

use super::facts::Facts;
use super::ops::{DIRECT, IPMODIFY};
use super::report::{Finding, Outcome, Report, count};

/// `FTRACE_OPS_FL_ENABLED`
const ENABLED: u64 = 1 << 0;

/// What is redirected to hide files, processes, sockets and messages. Globs would name what nobody
/// redirects.
const CLASSIC: &[&str] = &[
    "__x64_sys_getdents64",
    "__x64_sys_getdents",
    "__ia32_sys_getdents64",
    "__ia32_sys_getdents",
    "__x64_sys_kill",
    "__x64_sys_read",
    "__x64_sys_pread64",
    "__x64_sys_readv",
    "__x64_sys_write",
    "__x64_sys_openat",
    "__x64_sys_openat2",
    "__x64_sys_newstat",
    "__x64_sys_newlstat",
    "__x64_sys_newfstatat",
    "__x64_sys_statx",
    "__x64_sys_readlinkat",
    "__x64_sys_chdir",
    "__x64_sys_ioctl",
    "__x64_sys_execve",
    "__x64_sys_execveat",
    "__x64_sys_bpf",
    "__x64_sys_ptrace",
    "__x64_sys_init_module",
    "__x64_sys_finit_module",
    "__x64_sys_delete_module",
    "__x64_sys_mount",
    "__x64_sys_sysinfo",
    "__x64_sys_syslog",
    "__x64_sys_socket",
    "__x64_sys_recvmsg",
    "__x64_sys_recvfrom",
    "__x64_sys_getuid",
    "__x64_sys_sched_getaffinity",
    "__x64_sys_getpgid",
    "__x64_sys_getpriority",
    "tcp4_seq_show",
    "tcp6_seq_show",
    "udp4_seq_show",
    "udp6_seq_show",
    "raw_seq_show",
    "packet_seq_show",
    "unix_seq_show",
    "tpacket_rcv",
    "packet_rcv",
    "filldir",
    "filldir64",
    "iterate_dir",
    "vfs_read",
    "vfs_write",
    "vfs_statx",
    "seq_read",
    "seq_read_iter",
    "m_show",
    "s_show",
    "do_syslog",
    "devkmsg_read",
    "find_task_by_vpid",
    "proc_pid_readdir",
    "security_file_permission",
    "audit_log_start",
    "register_kprobe",
    "kallsyms_lookup_name",
    "commit_creds",
    "load_msg",
];

/// Compares the records with the list.
pub fn check(facts: &Facts) -> Outcome {
    let before = facts.ops.get()?;
    // Whoever was on the list at any of both times may have made the records in between.
    let lists = [before, facts.ops_after.known().unwrap_or(before)];
    let named = |flag| {
        let named = lists.map(|ops| named(ops, flag));
        named
            .into_iter()
            .max_by_key(|named| named.unwrap_or(u64::MAX))
            .flatten()
    };
    let sites = facts.sites.get()?;
    let mut findings = Vec::new();
    let ways = [
        (abi::RTRACE_REC_IPMODIFY, IPMODIFY, "redirected (IPMODIFY)"),
        (abi::RTRACE_REC_DIRECT, DIRECT, "called directly (DIRECT)"),
    ];
    for (record, flag, how) in ways {
        let marked: Vec<_> = sites.iter().filter(|it| it.record & record != 0).collect();
        let named = named(flag);
        let unexplained = named.is_some_and(|named| named < marked.len() as u64);
        findings.extend(marked.iter().filter_map(|site| {
            let name = facts.function(site.function).unwrap_or_default();
            let classic =
                CLASSIC.contains(&name) && !lists.iter().any(|ops| by_the_kernel(ops, flag));
            (unexplained || classic).then(|| finding(facts, site, how, unexplained))
        }));
    }
    let users: u64 = sites.iter().map(|site| u64::from(site.users)).sum();
    let mut looked = format!(
        "{} that somebody is attached to, {users} times by ftrace's records",
        count(
            sites.iter().filter(|site| site.users > 0).count(),
            "function"
        ),
    );
    if let Some(named) = named(0) {
        looked += &format!(", {named} by its list");
        if users > named {
            findings.push(Finding {
                key: "users".into(),
                what: format!(
                    "functions have {users} users by ftrace's records, and {named} by its list: \
                     somebody took himself off the list"
                ),
                place: "ftrace_ops_list".into(),
                forms: forms(),
                perhaps: "a user of ftrace that comes or goes at this moment".into(),
                look: "rtctl hooks".into(),
                certain: false,
            });
        }
    }
    let redirected = sites
        .iter()
        .filter(|it| it.record & abi::RTRACE_REC_IPMODIFY != 0);
    looked += &format!("; {} of them redirected", redirected.count());
    Ok(Report { looked, findings })
}

/// Functions that all ops with this flag name together; `None`: one of them names none, and so may
/// have all.
fn named(ops: &[Ops], flag: u64) -> Option<u64> {
    let on = ops
        .iter()
        .filter(|it| it.flags & ENABLED != 0 && it.flags & flag == flag);
    on.map(|it| (it.functions > 0).then_some(it.functions))
        .sum()
}

/// Whether the kernel itself has such an ops: of a live patch, or of BPF.
fn by_the_kernel(ops: &[Ops], flag: u64) -> bool {
    ops.iter()
        .any(|it| it.flags & flag != 0 && it.func.kind == Kind::Kernel)
}

fn forms() -> Vec<String> {
    vec![
        "ftrace's records of functions".into(),
        "ftrace's list of ftrace_ops".into(),
    ]
}

fn finding(facts: &Facts, site: &Site, how: &str, unexplained: bool) -> Finding {
    let function = facts.address(site.function);
    let who = match unexplained {
        true => "and nobody on ftrace's list does that",
        false => "and neither a live patch nor BPF does that",
    };
    Finding {
        key: format!("redirected {:#x}", site.function),
        what: format!("{function} is {how}, {who}"),
        place: format!("its site leads to {}", facts.place(&site.target)),
        forms: forms(),
        perhaps: "a live patch that comes or goes at this moment".into(),
        look: format!(
            "rtctl hooks {}; rtctl check ops sites",
            facts.function(site.function).unwrap_or_default()
        ),
        certain: false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::Told;
    use super::super::facts::tests::owner;
    use super::*;

    fn ops(flags: u64, functions: u64, kind: Kind) -> Ops {
        Ops {
            flags: flags | ENABLED,
            functions,
            func: owner(0x1000, kind, "x"),
            ..Ops::default()
        }
    }

    fn findings(name: &str, record: u32, ops: Vec<Ops>) -> usize {
        let site = Site {
            function: 0x7000,
            record: record | abi::RTRACE_REC_ENABLED,
            users: 1,
            ..Site::default()
        };
        let mut facts = Facts {
            ops: Told::Is(ops),
            sites: Told::Is(vec![site]),
            ..Facts::default()
        };
        facts.symbols.insert(0x7000, format!("{name}+0x0/0x40"));
        check(&facts).unwrap().findings.len()
    }

    const GETDENTS: &str = "__x64_sys_getdents64";

    #[test]
    fn tracing_and_live_patches_are_fine() {
        assert_eq!(findings(GETDENTS, 0, vec![ops(0, 1, Kind::Kernel)]), 0);
        let patch = ops(IPMODIFY, 1, Kind::Kernel);
        assert_eq!(findings(GETDENTS, abi::RTRACE_REC_IPMODIFY, vec![patch]), 0);
        let all = ops(0, 0, Kind::Kernel);
        assert_eq!(findings("vfs_read", 0, vec![all]), 0);
    }

    #[test]
    fn a_record_that_nobody_on_the_list_explains_is_found() {
        // The redirection, and that there is one user more than the list has.
        assert_eq!(
            findings("some_function", abi::RTRACE_REC_IPMODIFY, vec![]),
            2
        );
        assert_eq!(findings("some_function", 0, vec![]), 1);
    }

    #[test]
    fn a_classic_target_that_a_module_redirects_is_found() {
        let hook = || vec![ops(IPMODIFY, 1, Kind::Module)];
        assert_eq!(findings(GETDENTS, abi::RTRACE_REC_IPMODIFY, hook()), 1);
        // Of others check 6 tells.
        assert_eq!(findings("odd", abi::RTRACE_REC_IPMODIFY, hook()), 0);
    }
}
