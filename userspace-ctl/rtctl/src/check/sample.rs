// SPDX-License-Identifier: GPL-2.0-only
//! What tracing sees in a while: who calls functions that everybody needs, through
//! what stacks, which threads run, who registers kprobes.
//!
//! A program of rtctl's own, of aggregations alone, so that nothing is lost however
//! much happens. Calls of our own are followed in full, those of others as far as that
//! is cheap. Whose an address is, is asked as soon as it is seen: later its owner may
//! have gone.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use d_compiler::btf::Btf;
use d_compiler::compiled::Compiled;
use d_compiler::macros::Macros;
use d_compiler::parse;
use d_compiler::types::Types;
use d_compiler::{compile, options};
use d_output::aggregations::Store;
use d_output::values::Value;
use d_output::world;
use rust_tracer::views::{Kind, Owner};
use rust_tracer::{Node, Probe, Session, abi, reason_name};

use super::fact::Code;
use super::hunts;
use super::owners::answered;
use super::patch::ends_with_call;
use crate::options::Program;
use crate::program::{Failure, Providers, load, named};

/// What whoever runs in the kernel needs: memory, time, files, threads, the log.
const NEEDED: &[&str] = &[
    "__kmalloc_noprof",
    "__kmalloc_cache_noprof",
    "__kmalloc_node_noprof",
    "kfree",
    "kvfree",
    "vfree",
    "__vmalloc_noprof",
    "kstrdup",
    "kmemdup_noprof",
    "_copy_to_user",
    "_copy_from_user",
    "strncpy_from_user",
    "schedule",
    "schedule_timeout",
    "wake_up_process",
    "queue_work_on",
    "queue_delayed_work_on",
    "mod_timer",
    "add_timer",
];

/// The same, of which there is so little that each call's stack is taken.
const RARE: &[&str] = &[
    "msleep",
    "msleep_interruptible",
    "usleep_range_state",
    "schedule_timeout_interruptible",
    "kthread_should_stop",
    "kthread_create_on_node",
    "kthread_stop",
    "filp_open",
    "kernel_read",
    "kernel_write",
    "d_path",
    "dentry_path_raw",
    "find_get_pid",
    "send_sig_info",
    "send_sig",
    "commit_creds",
    "call_usermodehelper_exec",
    "call_usermodehelper_setup",
    "sock_create_kern",
    "kernel_sendmsg",
    "kernel_recvmsg",
    "netlink_unicast",
    "nf_register_net_hook",
    "tracepoint_probe_register",
    "register_kprobe",
    "unregister_kprobe",
    "register_ftrace_function",
    "unregister_ftrace_function",
    "ftrace_set_filter_ip",
    "set_memory_x",
    "set_memory_rw",
    "set_memory_ro",
    "kobject_del",
    "proc_create",
    "proc_create_data",
    "sysfs_create_file_ns",
    "_printk",
];

/// What our own calls lead to, below whatever may have been put in between.
const BELOW: &[&str] = &[
    "iterate_dir",
    "filldir",
    "filldir64",
    "proc_readdir",
    "proc_pid_readdir",
    "dcache_readdir",
    "vfs_read",
    "vfs_write",
    "vfs_readlink",
    "vfs_open",
    "vfs_statx",
    "vfs_getattr",
    "vfs_getattr_nosec",
    "do_filp_open",
    "seq_read",
    "seq_read_iter",
    "seq_printf",
    "seq_puts",
    "seq_write",
    "m_show",
    "tcp4_seq_show",
    "tcp6_seq_show",
    "udp4_seq_show",
    "udp6_seq_show",
    "raw_seq_show",
    "unix_seq_show",
    "dev_seq_show",
    "do_syslog",
    "devkmsg_read",
    "si_meminfo",
    "find_vpid",
    "kill_pid_info_type",
    "group_send_sig_info",
    "security_file_permission",
    "security_file_open",
    "security_inode_getattr",
    "security_task_kill",
    "__sock_create",
    "sock_alloc_file",
    "mntput_no_expire",
];

/// Of those whom everybody needs, every so many's stack is taken.
const ONE_OF: u32 = 32;

/// How often what was aggregated is taken: owners of addresses are asked for then.
const OFTEN: Duration = Duration::from_millis(100);

/// Between two looks at what nobody answers for, and how often that is looked at again: text of a module
/// that goes, or has just been initialised, stays until nobody can be in it.
pub const SETTLING: Duration = Duration::from_millis(300);
/// See above.
pub const SETTLINGS: usize = 3;
/// The same if a module has gone from there.
pub const SETTLINGS_OF_GONE: usize = 10;

/// Calls after which no more are waited for, once a while has passed.
const ENOUGH: u64 = 100_000;

/// Where the kernel tells its types.
const BTF: &str = "/sys/kernel/btf";

/// Who ran, and who ended.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    /// Threads that ran, with their processes and names.
    pub threads: BTreeMap<u32, (u32, String)>,
    /// Threads that ended.
    pub ended: BTreeSet<u32>,
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Functions that were traced.
    pub functions: usize,
    /// Function, caller, how often.
    pub callers: Vec<(String, u64, u64)>,
    /// Frames, innermost first; how often.
    pub stacks: Vec<(Vec<u64>, u64)>,
    /// Which threads.
    pub runs: Runs,
    /// Callers of `register_kprobe()` and `register_fprobe()`, and the symbols that they asked for.
    pub hunts: Vec<(u64, String)>,
    /// Whose the addresses are.
    pub owners: HashMap<u64, Owner>,
    /// What stands at those that nobody answers for.
    pub code: BTreeMap<u64, Code>,
    /// Why it ended before its time, if it did.
    pub ended: Option<String>,
}

impl Sample {
    /// An error if it ended early: then it is no sign of anything that nothing is in it.
    pub fn whole(&self) -> Result<(), String> {
        match &self.ended {
            Some(why) => Err(format!("the session that looked at calls has ended: {why}")),
            None => Ok(()),
        }
    }
}

/// A program that samples, until it is dropped.
pub struct Sampler {
    session: Session,
    compiled: Compiled,
    store: Store,
    probes: Vec<Probe>,
    owners: HashMap<u64, Owner>,
    code: BTreeMap<u64, Code>,
    ended: Option<String>,
}

/// The session's probes, for keys that are names of them.
struct Known<'a>(&'a [Probe]);

impl world::World for Known<'_> {
    fn probe(&self, index: u32) -> Option<world::Probe> {
        let probe = self.0.get(index as usize)?;
        Some(world::Probe {
            id: probe.id,
            provider: probe.kind.provider().into(),
            module: probe.module.clone(),
            function: probe.name.clone(),
            name: probe.label().into(),
        })
    }
}

/// Who runs and who ends, which each node tells: `user` of its opener's threads.
const RUNS: &str = "fbt:vmlinux:finish_task_switch*:entry, fbt:vmlinux:schedule:entry, \
    fbt:vmlinux:wake_up_new_task:entry { @runs[tid, pid, execname] = count(); }\n\
    profile-97 { @runs[tid, pid, execname] = count(); }\n\
    fbt:vmlinux:do_exit:entry { @exits[tid] = count(); }\n";

/// The program of the node `kernel`; `types`: the kernel's types are known.
fn text(types: bool) -> String {
    let entries = |names: &[&str]| {
        let probes = names.iter().map(|name| format!("fbt:vmlinux:{name}:entry"));
        probes.collect::<Vec<_>>().join(", ")
    };
    let (needed, rare, below) = (entries(NEEDED), entries(RARE), entries(BELOW));
    let mut text = String::new();
    for all in [&needed, &rare, &below] {
        let _ = writeln!(text, "{all} {{ @callers[probefunc, caller] = count(); }}");
    }
    let _ = writeln!(text, "{rare} {{ @stacks[stack(33)] = count(); }}");
    let _ = writeln!(
        text,
        "{below} /pid == $pid/ {{ @stacks[stack(33)] = count(); }}"
    );
    // Each caller's first, and then some.
    let _ = writeln!(
        text,
        "{needed} /pid == $pid || !seen[caller] || rand() % {ONE_OF} == 0/ \
         {{ seen[caller] = 1; @stacks[stack(33)] = count(); }}"
    );
    text += RUNS;
    if types {
        text += hunts::CLAUSES;
    }
    text
}

/// Whether a session's node tells nothing of the kernel's addresses.
pub fn is_narrow(session: &Session) -> bool {
    matches!(session.node(), Some(Node::System | Node::User))
}

/// Compiles a program of rtctl's own.
pub fn compile_own(text: &str, types: &mut Types) -> Result<Compiled> {
    let wrong = |error: d_compiler::error::Error| anyhow!("{}: {}", error.tag, error.message);
    let mut macros = Macros::new(["rtctl"]);
    let process = rustix::process::getpid().as_raw_nonzero().get();
    macros.define("pid", i64::from(process));
    let program = parse::parse(text, &macros).map_err(wrong)?;
    compile::compile(&program, types, &options::Options::default()).map_err(wrong)
}

/// Loads a program of rtctl's own into a session. Functions that are not there are left out.
pub fn load_own(session: &Session, compiled: &Compiled) -> Result<()> {
    let failed = |failure: Failure| failure.render(|wrong| wrong.message.clone());
    let mut providers = Providers::new(session, false);
    let named = named(compiled, &mut providers).map_err(failed)?;
    let sizes = Program::default().sizes;
    load(session, compiled, &sizes, &named, true).map_err(failed)?;
    Ok(())
}

impl Sampler {
    /// Begins to sample.
    pub fn start(node: Node) -> Result<Self> {
        Self::over(Session::open(node)?)
    }

    /// The same in a session that was opened for it.
    pub fn over(session: Session) -> Result<Self> {
        let btf = Btf::open(Path::new(BTF)).ok();
        let known = btf.is_some();
        let mut types = Types::new(btf);
        let compiled = match known {
            _ if is_narrow(&session) => compile_own(RUNS, &mut types)?,
            // A kernel of other types still has callers and stacks.
            true => compile_own(&text(true), &mut types)
                .or_else(|_| compile_own(&text(false), &mut types))?,
            false => compile_own(&text(false), &mut types)?,
        };
        load_own(&session, &compiled)?;
        session.start()?;
        let probes = session.probes(0)?;
        let store = Store::new(&compiled.aggregations)?;
        Ok(Self {
            session,
            compiled,
            store,
            probes,
            owners: HashMap::new(),
            code: BTreeMap::new(),
            ended: None,
        })
    }

    /// Samples until enough has happened or the time is over; `meanwhile` is done in between, until
    /// it says that it is done.
    pub fn wait(
        &mut self,
        time: Duration,
        mut meanwhile: impl FnMut() -> bool,
    ) -> rust_tracer::Result<()> {
        let begun = Instant::now();
        loop {
            let done = meanwhile();
            // Also a sign of life, without which the deadman comes.
            let left = time.saturating_sub(begun.elapsed());
            self.session.wait(left.min(OFTEN))?;
            let collected = self.collect();
            if self.is_over()? {
                return Ok(());
            }
            collected?;
            let seen = self.seen();
            if done && (begun.elapsed() >= time || (seen >= ENOUGH && begun.elapsed() > OFTEN)) {
                return Ok(());
            }
        }
    }

    /// Keeps the deadman away.
    pub fn give_sign(&self) {
        let _ = self.session.status();
    }

    /// Whether it samples no more, since the module has ended it: then what it asks is refused, and the sample
    /// says why it is none.
    pub fn is_over(&mut self) -> rust_tracer::Result<bool> {
        let status = self.session.status()?;
        if status.state == abi::RTRACE_STATE_RUNNING {
            return Ok(false);
        }
        self.ended = Some(reason_name(status.reason).to_owned());
        Ok(true)
    }

    /// Calls that were counted since the last sample.
    fn seen(&self) -> u64 {
        let entries = self.entries("callers");
        entries
            .map(|(_, words)| words.first().copied().unwrap_or(0))
            .sum()
    }

    fn entries(&self, name: &str) -> impl Iterator<Item = (&[Value], &[u64])> {
        let mut all = self.compiled.aggregations.iter();
        let at = all.position(|aggregation| aggregation.name == name);
        at.into_iter().flat_map(|at| self.store.entries(at as u32))
    }

    /// Takes what was aggregated, and asks whose new addresses are.
    pub fn collect(&mut self) -> rust_tracer::Result<()> {
        let mut taken = Vec::new();
        for cpu in 0..self.session.info().cpus {
            self.session.aggregate(cpu, &mut taken)?;
        }
        // What does not fit the program is a defect of ours, and a sample without it.
        let _ = self.store.merge(&taken, &Known(&self.probes));
        let mut fresh: Vec<u64> = Vec::new();
        for (keys, _) in self.entries("callers").chain(self.entries("hunts")) {
            fresh.extend(keys.iter().filter_map(Value::number));
        }
        for (keys, _) in self.entries("stacks").chain(self.entries("searches")) {
            if let Some(Value::Stack(frames)) = keys.first() {
                fresh.extend(frames.iter().filter(|frame| **frame != 0));
            }
        }
        fresh.sort_unstable();
        fresh.dedup();
        fresh.retain(|address| !self.owners.contains_key(address));
        if self.session.node() != Some(Node::Kernel) {
            return Ok(());
        }
        for owner in self.session.owners(&fresh)? {
            if !answered(owner.kind) {
                self.code
                    .insert(owner.address, code(&self.session, owner.address));
            }
            self.owners.insert(owner.address, owner);
        }
        Ok(())
    }

    /// Asks again for those whom nobody answers for: what goes has gone by then.
    pub fn settle(&mut self) -> rust_tracer::Result<()> {
        let settled = self.ask_again();
        match self.is_over()? {
            true => Ok(()),
            false => settled,
        }
    }

    fn ask_again(&mut self) -> rust_tracer::Result<()> {
        for times in 0..SETTLINGS_OF_GONE {
            let standing = self
                .code
                .iter()
                .filter(|(_, code)| code.executable && code.call);
            let standing: Vec<u64> = standing.map(|(address, _)| *address).collect();
            let kind = |address| self.owners.get(address).map(|owner| owner.kind);
            let is_going = standing.iter().any(|it| kind(it) == Some(Kind::Gone));
            if standing.is_empty() || (times >= SETTLINGS && !is_going) {
                break;
            }
            if times > 0 {
                thread::sleep(SETTLING);
            }
            for owner in self.session.owners(&standing)? {
                let address = owner.address;
                if answered(owner.kind) {
                    // Others are there now: whoever it was has gone.
                    self.code.insert(address, Code::default());
                    continue;
                }
                self.code.insert(address, code(&self.session, address));
                self.owners.insert(address, owner);
            }
        }
        Ok(())
    }

    /// What was seen since the last time.
    pub fn take(&mut self) -> Sample {
        let mut sample = Sample {
            functions: self.probes.len(),
            ..Sample::default()
        };
        let first = |words: &[u64]| words.first().copied().unwrap_or(0);
        for (keys, words) in self.entries("callers") {
            if let [Value::Text(function), caller] = keys {
                let function = String::from_utf8_lossy(function).into_owned();
                let caller = caller.number().unwrap_or(0);
                sample.callers.push((function, caller, first(words)));
            }
        }
        for (keys, words) in self.entries("stacks") {
            if let [Value::Stack(frames)] = keys {
                let frames = frames.iter().copied().filter(|frame| *frame != 0);
                sample.stacks.push((frames.collect(), first(words)));
            }
        }
        for (keys, _) in self.entries("runs") {
            if let [tid, pid, Value::Text(name)] = keys {
                let number = |value: &Value| value.number().unwrap_or(0) as u32;
                let name = String::from_utf8_lossy(name).into_owned();
                sample.runs.threads.insert(number(tid), (number(pid), name));
            }
        }
        for (keys, _) in self.entries("exits") {
            if let [tid] = keys {
                sample.runs.ended.insert(tid.number().unwrap_or(0) as u32);
            }
        }
        let entries = |name| self.entries(name).map(|(keys, _)| keys);
        sample.hunts = hunts::found(entries("hunts"), entries("searches"), &self.owners);
        if let Ok(empty) = Store::new(&self.compiled.aggregations) {
            self.store = empty;
        }
        // Whoever is there the next time is asked for again.
        sample.owners = std::mem::take(&mut self.owners);
        sample.code = std::mem::take(&mut self.code);
        sample.ended.clone_from(&self.ended);
        sample
    }
}

/// What stands at an address that something is said to have called from.
pub fn code(session: &Session, address: u64) -> Code {
    const BEFORE: u64 = 8;
    let mut bytes = [0; BEFORE as usize];
    // At the beginning of a page what is before may be another's.
    let whole = session.text(address.wrapping_sub(BEFORE), &mut bytes);
    Code {
        executable: whole.is_ok(),
        call: whole.is_ok() && ends_with_call(&bytes),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rust_tracer::fake::{Fake, FakeFunction};

    use super::*;

    const AT: u64 = 0xffff_ffff_c0a0_0108;

    #[test]
    fn the_program_compiles_without_the_kernels_types() {
        let compiled = compile_own(&text(false), &mut Types::new(None)).unwrap();
        let names: Vec<_> = compiled.aggregations.iter().map(|it| &*it.name).collect();
        assert_eq!(names, ["callers", "stacks", "runs", "exits"]);
    }

    #[test]
    fn text_that_somebody_has_by_then_is_nobodys_no_more() {
        let module = Fake::new(1, vec![FakeFunction::new("kfree")]);
        let call = [0x90, 0x90, 0x90, 0xe8, 1, 2, 3, 4];
        module.add_text(AT - 8, &call);
        module.add_text(AT + 0x1000 - 8, &call);
        let session = Session::over(Arc::clone(&module) as _).unwrap();
        let mut sampler = Sampler::over(session).unwrap();
        module.aggregate(0, 0, &words(&[0, AT]), &[1]);
        module.aggregate(0, 0, &words(&[0, AT + 0x1000]), &[1]);
        sampler.collect().unwrap();
        module.add_owner(AT..AT + 1, abi::RTRACE_OWNER_MODULE, "x");
        sampler.settle().unwrap();
        let sample = sampler.take();
        assert_eq!(sample.code[&AT], Code::default());
        assert!(sample.code[&(AT + 0x1000)].call);
    }

    #[test]
    fn a_sampler_that_the_module_ended_says_why_and_is_no_error() {
        let module = Fake::new(1, vec![FakeFunction::new("kfree")]);
        let session = Session::over(Arc::clone(&module) as _).unwrap();
        let mut sampler = Sampler::over(session).unwrap();
        assert!(!sampler.is_over().unwrap());
        module.aggregate(0, 0, &words(&[0, AT]), &[1]);
        module.refuse("owners", rustix::io::Errno::CANCELED, "aborted");
        module.set_state(abi::RTRACE_STATE_DEAD, abi::RTRACE_REASON_SILENT);
        sampler.wait(Duration::from_secs(60), || true).unwrap();
        sampler.settle().unwrap();
        assert_eq!(sampler.take().ended.as_deref(), Some("silent"));
    }

    fn words(words: &[u64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn what_is_aggregated_becomes_a_sample_with_the_owners_of_its_addresses() {
        let module = Fake::new(
            2,
            vec![FakeFunction::new("kfree"), FakeFunction::new("schedule")],
        );
        module.add_owner(0x1000..0x2000, abi::RTRACE_OWNER_KERNEL, "");
        module.add_text(AT - 8, &[0x90, 0x90, 0x90, 0xe8, 1, 2, 3, 4, 0x90]);
        let session = Session::over(Arc::clone(&module) as _).unwrap();
        let mut sampler = Sampler::over(session).unwrap();
        let index = |name: &str| {
            let mut probes = sampler.probes.iter();
            probes.position(|probe| probe.name == name).unwrap() as u64
        };
        let kfree = index("kfree");
        module.aggregate(0, 0, &words(&[kfree, AT]), &[3]);
        module.aggregate(1, 0, &words(&[kfree, 0x1010]), &[4]);
        module.aggregate(1, 1, &words(&[2, 0x1010, AT]), &[1]);
        let mut done = 0;
        let meanwhile = || {
            done += 1;
            done > 2
        };
        sampler.wait(Duration::ZERO, meanwhile).unwrap();
        let sample = sampler.take();
        assert_eq!(sample.functions, sampler.probes.len());
        let mut callers = sample.callers;
        callers.sort();
        assert_eq!(
            callers,
            [("kfree".into(), 0x1010, 4), ("kfree".into(), AT, 3)]
        );
        assert_eq!(sample.stacks, [(vec![0x1010, AT], 1)]);
        let here = Code {
            executable: true,
            call: true,
        };
        assert_eq!(sample.code, BTreeMap::from([(AT, here)]));
        assert_eq!(sample.owners[&0x1010].kind, Kind::Kernel);
        assert!(sampler.take().callers.is_empty());
    }
}
