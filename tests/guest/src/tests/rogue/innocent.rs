// SPDX-License-Identifier: GPL-2.0-only
//! What machines are full of and nobody hides: `rtctl check` finds nothing, whatever of it is at work.
//!
//! Without bpftrace in the guest (`scripts/vm run --tests --peers`) that part is left out. rt_redirect is not
//! among these: it changes where a system call goes and is no live patch, and that is found.

#![forbid(unsafe_code)]

use std::any::Any;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rust_tracer::abi;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use super::verdict::Verdict;
use crate::guest;
use crate::options::Options;
use crate::second_cpu::SecondCpu;
use crate::sys::{self, filters, kexec};
use crate::target::{self, Late};
use crate::test::{Failure, Group, Outcome, Test, check_eq, fail};
use crate::tests::stub::beside::{Bpf, Instance};
use crate::trace::Plan;
use crate::waiting;
use crate::workload;

/// One test for each of these, and one for all.
macro_rules! innocents {
    ($($name:literal => $start:ident,)*) => {
        /// What is not found.
        pub const GROUP: Group = Group {
            name: "rogue, innocent",
            tests: &[
                Test { name: "an untouched kernel", run: untouched },
                $(Test { name: $name, run: |options| beside(options, $start) },)*
                Test { name: "all of them at once, for a while", run: all },
            ],
            slots: true,
        };

        const ALL: &[Start] = &[$($start),*];
    };
}

innocents! {
    "ordinary work" => ordinary_work,
    "ftrace's tracers" => tracers,
    "kprobes, kretprobes and fprobes" => probes,
    "bpftrace" => bpftrace,
    "samples of perf" => perf,
    "classic filters on sockets and system calls" => classic_filters,
    "a live patch" => live_patch,
    "a kernel that kexec has loaded" => next_kernel,
    "modules of Debian's that put themselves into the kernel's way" => stock_modules,
    "modules that come and go" => module_storm,
    "CPUs that go and come" => hotplug,
    "own sessions by every way" => own_sessions,
}

/// Something at work until it is dropped.
type Work = Box<dyn Any>;
/// Starts it.
type Start = fn(&Options) -> Outcome<Work>;

fn untouched(_: &Options) -> Outcome {
    Verdict::now()?.is_clean("on an untouched kernel")
}

/// Nothing is found while it is at work.
fn beside(options: &Options, start: Start) -> Outcome {
    let work = start(options)?;
    Verdict::now()?.is_clean("beside it")?;
    drop(work);
    Ok(())
}

fn all(options: &Options) -> Outcome {
    let begun = sys::now();
    let mut works = Vec::new();
    for start in ALL {
        match start(options) {
            Ok(work) => works.push(work),
            Err(Failure::Skipped(why)) => println!("left out: {why}"),
            Err(failure) => return Err(failure),
        }
    }
    let mut runs = 0;
    while runs == 0 || sys::now() - begun < options.innocent * 1_000_000_000 {
        Verdict::now()?.is_clean(&format!("in run {runs} beside all of it"))?;
        runs += 1;
        println!(
            "{runs} runs in {} s without a finding",
            (sys::now() - begun) / 1_000_000_000
        );
    }
    drop(works);
    Verdict::now()?.is_clean("when all of it was over")
}

/// A thread that does something over and over until it is dropped.
struct Busy {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Outcome>>,
}

impl Busy {
    fn with(mut step: impl FnMut() -> Outcome + Send + 'static) -> Work {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                step()?;
                // A share for the checks: without it, an emulated guest is busy with this alone.
                thread::sleep(Duration::from_millis(100));
            }
            Ok(())
        });
        Box::new(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // What did not do its work would prove nothing.
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(Err(failure))) => panic!("{failure}"),
            Some(Err(_)) => panic!("a thread panicked"),
            _ => {}
        }
    }
}

/// A program that is told to end when it is dropped.
struct Program(Child);

impl Program {
    fn start(program: &str, arguments: &[&str]) -> Outcome<Self> {
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Ok(Self(
            child.map_err(|error| fail(format!("{program}: {error}")))?,
        ))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.0), Signal::INT);
        let _ = self.0.wait();
    }
}

/// A round of ordinary work; one thread at a time, since all use one directory.
fn work() -> Outcome {
    static ROUND: Mutex<()> = Mutex::new(());
    let _one = ROUND.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(workload::round()?)
}

fn ordinary_work(_: &Options) -> Outcome<Work> {
    Ok(Busy::with(work))
}

fn tracers(_: &Options) -> Outcome<Work> {
    Ok(Box::new([
        Instance::tracer("function", " <-")?,
        Instance::tracer("function_graph", "()")?,
    ]))
}

fn probes(_: &Options) -> Outcome<Work> {
    let function = "vfs_read";
    Ok(Box::new([
        Instance::event("kprobe_events", "p", function)?,
        Instance::event("kprobe_events", "r", function)?,
        // In the midst of a function: a breakpoint, or a jump once it is optimised.
        Instance::event("kprobe_events", "p", "do_sys_openat2+9").or_else(|_| {
            // There may be no instruction that begins there.
            Instance::event("kprobe_events", "p", "vfs_write")
        })?,
        Instance::event("dynamic_events", "f", function)?,
        Instance::event("dynamic_events", "f", &format!("{function}%return"))?,
    ]))
}

fn bpftrace(_: &Options) -> Outcome<Work> {
    Ok(Box::new([
        Bpf::start("fentry", "@n = count();")?,
        Bpf::start("kprobe", "@n = count();")?,
    ]))
}

fn next_kernel(_: &Options) -> Outcome<Work> {
    match kexec::Loaded::traps() {
        Ok(loaded) => Ok(Box::new(loaded)),
        Err(Errno::NOSYS) => Err(Failure::Skipped("this kernel has no kexec".into())),
        Err(errno) => Err(fail(format!("kexec_load: {errno}"))),
    }
}

fn perf(_: &Options) -> Outcome<Work> {
    let mut sampled = Vec::new();
    for cpu in 0..guest::online_cpus() as u32 {
        sampled.push(filters::sample(cpu, 99)?);
    }
    Ok(Box::new(sampled))
}

fn classic_filters(_: &Options) -> Outcome<Work> {
    let socket = filters::filtered_socket()?;
    let child = sys::Child::start(|| {
        if filters::allow_by_seccomp().is_err() {
            return 1;
        }
        loop {
            sys::getppid();
            thread::sleep(Duration::from_millis(20));
        }
    })?;
    Ok(Box::new((socket, Filtered(child), Busy::with(work))))
}

/// A process whose system calls are filtered.
struct Filtered(sys::Child);

impl Drop for Filtered {
    fn drop(&mut self) {
        let _ = self.0.signal(libc::SIGKILL);
        let ended = sys::Child(self.0.0).wait();
        // By itself it ends only if there was no filter.
        assert_eq!(ended, Ok(sys::Ended::Signal(libc::SIGKILL)));
    }
}

/// A loaded rt_livepatch.
struct LivePatch;

const SWITCH: &str = "/sys/kernel/livepatch/rt_livepatch";

fn live_patch(options: &Options) -> Outcome<Work> {
    if !std::path::Path::new("/sys/kernel/livepatch").exists() {
        return Err(Failure::Skipped(
            "the kernel has no live patches".to_owned(),
        ));
    }
    target::load(options, "rt_livepatch", "")?;
    let patch = LivePatch;
    // It waits until each task has left the functions; on a debug kernel that takes a minute.
    let patched = || Ok(fs::read_to_string(format!("{SWITCH}/transition"))?.trim() == "0");
    waiting::until(patched, || "the kernel is not patched".into())?;
    check_eq!(fs::read_to_string("/proc/cmdline")?, "rt_livepatch\n");
    Ok(Box::new(patch))
}

impl Drop for LivePatch {
    fn drop(&mut self) {
        let _ = fs::write(format!("{SWITCH}/enabled"), "0");
        // Its folder goes when nobody is left in the old function or the new.
        let gone = || Ok(!std::path::Path::new(SWITCH).exists());
        let gone = waiting::until(gone, || "the patch stays".into());
        let _ = gone.and_then(|()| target::unload("rt_livepatch"));
    }
}

/// Such as are told of packets, protocols, keys, files, formats, devices and mounts.
const STOCK: &[&str] = &[
    "af_key",
    "binfmt_misc",
    "bonding",
    "br_netfilter",
    "btrfs",
    "cls_bpf",
    "dm_crypt",
    "dummy",
    "esp4",
    "fuse",
    "ifb",
    "ip_gre",
    "ip6_gre",
    "ipip",
    "ipvlan",
    "kvm",
    "l2tp_ip",
    "macvlan",
    "mpls_router",
    "nbd",
    "nf_conntrack",
    "nf_tables",
    "nfs",
    "nfsd",
    "nft_chain_nat",
    "openvswitch",
    "overlay",
    "psample",
    "sch_ingress",
    "sctp",
    "sit",
    "team",
    "tipc",
    "tls",
    "tun",
    "uinput",
    "usbmon",
    "vhost_net",
    "vsock_loopback",
    "vxlan",
    "wireguard",
    "xfs",
    "xt_conntrack",
    "zram",
];

/// Modules that were loaded, to be unloaded.
struct Loaded(Vec<&'static str>);

impl Drop for Loaded {
    fn drop(&mut self) {
        for name in self.0.iter().rev() {
            // Who is in use stays.
            let _ = modprobe(&["--quiet", "--remove", name]);
        }
    }
}

fn modprobe(arguments: &[&str]) -> Outcome<bool> {
    let quiet = Stdio::null;
    let mut command = Command::new("modprobe");
    command.args(arguments).stdout(quiet()).stderr(quiet());
    Ok(command.status()?.success())
}

fn stock_modules(_: &Options) -> Outcome<Work> {
    let mut loaded = Loaded(Vec::new());
    for name in STOCK {
        let is_new = !Path::new("/sys/module").join(name).exists();
        if is_new && modprobe(&["--quiet", name])? {
            loaded.0.push(name);
        }
    }
    if loaded.0.is_empty() {
        return Err(Failure::Skipped(
            "no module of this kernel's is there".to_owned(),
        ));
    }
    println!("{} modules of this kernel's", loaded.0.len());
    Ok(Box::new(loaded))
}

fn module_storm(options: &Options) -> Outcome<Work> {
    let options = options.clone();
    Ok(Busy::with(move || {
        for _ in 0..5 {
            Late::load(&options, 1)?.unload()?;
        }
        Ok(())
    }))
}

fn hotplug(_: &Options) -> Outcome<Work> {
    let cpu1 = SecondCpu::take()?;
    Ok(Busy::with(move || {
        cpu1.set(false)?;
        cpu1.set(true)
    }))
}

fn own_sessions(_: &Options) -> Outcome<Work> {
    let both = abi::RTRACE_PROBE_ENTRY | abi::RTRACE_PROBE_RETURN;
    let sessions = [
        Plan::new()
            .add("vmlinux:vfs_*", both)
            .policy(abi::RTRACE_POLICY_RING)
            .start()?,
        Plan::new()
            .add("vmlinux:vfs_read", both)
            .policy(abi::RTRACE_POLICY_RING)
            .without_stub()
            .start()?,
        Plan::new()
            .add("vmlinux:vfs_write", abi::RTRACE_PROBE_ENTRY)
            .policy(abi::RTRACE_POLICY_RING)
            .start()?,
    ];
    let programs = [
        Program::start(
            "rtctl",
            &[
                "-q",
                "-n",
                "fbt::vfs_read:return { @[execname] = count(); }",
            ],
        )?,
        Program::start(
            "rtctl",
            &["-q", "-n", "fbt::vfs_open:entry { @[stack()] = count(); }"],
        )?,
    ];
    let traced = Busy::with(move || {
        // Who is asked for a status has a reader: the deadman does not come.
        for trace in &sessions {
            let state = trace.session.status()?.state;
            check_eq!(state, abi::RTRACE_STATE_RUNNING, "a session of our own");
        }
        work()
    });
    Ok(Box::new((programs, traced)))
}
