// SPDX-License-Identifier: GPL-2.0-only
//! Check 7: is a function redirected by somebody whom ftrace's list does not have?
//!
//! Who takes his `ftrace_ops` off the list is not seen there any more. But ftrace's
//! record of each function goes on to say that it is redirected, or it would not be.

use rust_tracer::abi;
use rust_tracer::views::{Kind, Ops, Site};

use super::facts::Facts;
use super::report::{Finding, Outcome, Report, count};
use super::telling::tells;

/// What else is redirected to hide files, processes, sockets and messages. Globs would name what nobody
/// redirects.
const CLASSIC: &[&str] = &[
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
    "__x64_sys_mount",
    "__x64_sys_sysinfo",
    "__x64_sys_socket",
    "__x64_sys_recvmsg",
    "__x64_sys_recvfrom",
    "__x64_sys_getuid",
    "__x64_sys_sched_getaffinity",
    "__x64_sys_getpgid",
    "__x64_sys_getpriority",
    "vfs_read",
    "vfs_write",
    "vfs_statx",
    "seq_read",
    "seq_read_iter",
    "find_task_by_vpid",
    "security_file_permission",
    "audit_log_start",
    "register_kprobe",
    "kallsyms_lookup_name",
    "commit_creds",
    "load_msg",
];

/// Who on the list is for a function, or for all.
fn on_list<'a>(facts: &'a Facts, ops: &'a [Ops], site: u64) -> impl Iterator<Item = &'a Ops> {
    let hooks = facts.hooks_of(site).iter().chain(facts.hooks_of(0));
    hooks.filter_map(|hook| ops.iter().find(|one| one.ops == hook.ops))
}

/// Compares the records with the list.
pub fn check(facts: &Facts) -> Outcome {
    let ops = facts.ops.get()?;
    facts.hooks.get()?;
    let sites = facts.sites.get()?;
    let findings = sites.iter().filter_map(|site| of_site(facts, ops, site));
    let findings = findings.collect();
    let attached = sites.iter().filter(|site| site.users > 0).count();
    let redirected = sites
        .iter()
        .filter(|it| it.record & abi::RTRACE_REC_IPMODIFY != 0);
    let looked = format!(
        "{} of ftrace's with users, {} of them redirected, and {} ftrace_ops on its list",
        count(attached, "record"),
        redirected.count(),
        ops.len(),
    );
    Ok(Report { looked, findings })
}

fn of_site(facts: &Facts, ops: &[Ops], site: &Site) -> Option<Finding> {
    let ways = [
        (
            abi::RTRACE_REC_IPMODIFY,
            Ops::IPMODIFY,
            "redirected (IPMODIFY)",
        ),
        (
            abi::RTRACE_REC_DIRECT,
            Ops::DIRECT,
            "called directly (DIRECT)",
        ),
    ];
    for (record, flag, how) in ways {
        if site.record & record == 0 {
            continue;
        }
        let mut who = on_list(facts, ops, site.site).filter(|ops| ops.flags & flag != 0);
        let Some(first) = who.next() else {
            let what = format!("is {how}, and nobody on ftrace's list does that");
            return Some(finding(facts, site, &what));
        };
        let name = facts.function(site.function).unwrap_or_default();
        let kernels = first.func.kind == Kind::Kernel || who.any(|it| it.func.kind == Kind::Kernel);
        if !kernels && (tells(name) || CLASSIC.contains(&name)) {
            let what = format!("is {how}, and neither a live patch nor BPF does that");
            return Some(finding(facts, site, &what));
        }
    }
    let on_list = on_list(facts, ops, site.site).count();
    (site.users as usize > on_list).then(|| {
        let users = site.users;
        let what = format!("has {users} users by ftrace's record, and {on_list} on ftrace's list");
        finding(facts, site, &what)
    })
}

fn finding(facts: &Facts, site: &Site, what: &str) -> Finding {
    Finding {
        key: format!("site {:#x}", site.function),
        what: format!("{} {what}", facts.address(site.function)),
        place: format!("its site leads to {}", facts.place(&site.target)),
        forms: vec![
            "ftrace's record of the function".into(),
            "ftrace's list of ftrace_ops, and their filters".into(),
        ],
        perhaps: "a user of ftrace that comes or goes at this moment".into(),
        look: format!(
            "rtctl hooks {}; rtctl check ops sites",
            facts.function(site.function).unwrap_or_default()
        ),
        ..Finding::default()
    }
}

#[cfg(test)]
mod tests {
    use rust_tracer::views::Hook;

    use super::super::fact::Told;
    use super::super::facts::tests::owner;
    use super::*;

    const SITE: u64 = 0x7004;

    fn ops(flags: u64, kind: Kind) -> Ops {
        Ops {
            ops: 0x5000,
            flags,
            func: owner(0x1000, kind, "x"),
            ..Ops::default()
        }
    }

    /// Of a function with one user, whose ops is for this site.
    fn findings(name: &str, record: u32, ops: Vec<Ops>, site: u64) -> Vec<String> {
        let hooks = ops.iter().map(|one| Hook {
            ops: one.ops,
            site,
            ..Hook::default()
        });
        let hooks = hooks.collect();
        let row = Site {
            site: SITE,
            function: SITE - 4,
            record: record | abi::RTRACE_REC_ENABLED,
            users: 1,
            ..Site::default()
        };
        let mut facts = Facts {
            ops: Told::Is(ops),
            hooks: Told::Is(hooks),
            sites: Told::Is(vec![row]),
            ..Facts::default()
        };
        facts.symbols.insert(SITE - 4, format!("{name}+0x0/0x40"));
        let findings = check(&facts).unwrap().findings;
        findings.into_iter().map(|finding| finding.what).collect()
    }

    const GETDENTS: &str = "__x64_sys_getdents64";
    const REDIRECTED: u32 = abi::RTRACE_REC_IPMODIFY;

    #[test]
    fn tracing_and_live_patches_are_fine() {
        let none = [""; 0];
        assert_eq!(
            findings(GETDENTS, 0, vec![ops(0, Kind::Kernel)], SITE),
            none
        );
        let patch = ops(Ops::IPMODIFY, Kind::Kernel);
        assert_eq!(findings(GETDENTS, REDIRECTED, vec![patch], SITE), none);
        let bpf = ops(Ops::DIRECT, Kind::Kernel);
        assert_eq!(
            findings(GETDENTS, abi::RTRACE_REC_DIRECT, vec![bpf], SITE),
            none
        );
        assert_eq!(findings("vfs_read", 0, vec![ops(0, Kind::Kernel)], 0), none);
    }

    #[test]
    fn a_user_who_is_not_on_the_list_is_found() {
        let found = findings("vfs_read", 0, Vec::new(), SITE);
        assert!(found[0].ends_with("has 1 users by ftrace's record, and 0 on ftrace's list"));
        let elsewhere = vec![ops(0, Kind::Kernel)];
        assert_eq!(findings("vfs_read", 0, elsewhere, SITE + 64).len(), 1);
    }

    #[test]
    fn a_redirection_that_nobody_on_the_list_explains_is_found() {
        let found = findings("vfs_read", REDIRECTED, vec![ops(0, Kind::Kernel)], SITE);
        assert!(found[0].ends_with("nobody on ftrace's list does that"));
    }

    #[test]
    fn a_classic_target_that_a_module_redirects_is_found() {
        let hook = || vec![ops(Ops::IPMODIFY, Kind::Module)];
        assert_eq!(findings(GETDENTS, REDIRECTED, hook(), SITE).len(), 1);
        // Of others check 6 tells.
        assert_eq!(findings("odd", REDIRECTED, hook(), SITE), [""; 0]);
    }
}
