// SPDX-License-Identifier: GPL-2.0-only
//! Brings the facts that checks ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;
use std::thread;
use std::time::Duration;

use rust_tracer::views::{Hook, Kind, Ops, Owner, Site, Task, Text, View};
use rust_tracer::{Node, Session, abi};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open, test_kill_process};

use super::calls::canary;
use super::exercise;
use super::fact::Told;
use super::facts::Facts;
use super::files;
use super::owners::{OURS, answered_or_zero, is_others};
use super::patch::{Patch, diverted};
use super::said::{self, Asked, Tasks, Twice};
use super::sample::{SETTLING, SETTLINGS, SETTLINGS_OF_GONE, Sample, Sampler, code, is_narrow};
use super::sites::{NAMES_MOST, changes_of};
use super::sockets;
use super::text::is_owned;
use crate::access::plain;

/// Where tracefs is, the first that is there.
const TRACEFS: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

/// The inode of the initial pid namespace (PROC_PID_INIT_INO).
const INITIAL: &str = "pid:[4026531836]";

/// How often we make calls of our own while it is looked who calls.
const EXERCISES: usize = 3;

/// How long it is looked again who calls and who runs.
const AGAIN: Duration = Duration::from_millis(500);

/// PIDFD_THREAD: pidfd_open() takes threads as well.
const PIDFD_THREAD: PidfdFlags = PidfdFlags::from_bits_retain(OFlags::EXCL.bits());

/// A kind of facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Need {
    Modules,
    /// Whom ftrace calls, and where; with sites.
    Hooks,
    Sites,
    Kprobes,
    Callbacks,
    Text,
    Cpus,
    Tracepoints,
    Tasks,
    Itself,
    Files,
    /// Sockets that processes have.
    Sockets,
    Syscalls,
    Sample,
    Canary,
}

/// Where facts come from.
pub struct Gatherer {
    session: Session,
    node: Node,
    /// While it is there, it samples.
    sampler: Option<Sampler>,
    /// How long a sample takes.
    time: Duration,
    /// How often we make calls of our own meanwhile.
    exercises: usize,
}

impl Gatherer {
    /// By a session of this node.
    pub fn new(session: Session, time: Duration) -> Self {
        let node = session.node().unwrap_or(Node::User);
        Self {
            session,
            node,
            sampler: None,
            time,
            exercises: EXERCISES,
        }
    }

    /// Goes on sampling between the looks, from the first one on.
    pub fn keep_sampling(&mut self) -> anyhow::Result<()> {
        self.sampler = Some(Sampler::start(self.node)?);
        Ok(())
    }

    /// A sign of life, and what was aggregated meanwhile.
    pub fn collect(&mut self) -> rust_tracer::Result<()> {
        match &mut self.sampler {
            Some(sampler) => sampler.wait(Duration::ZERO, || true),
            None => Ok(()),
        }
    }

    /// Brings these facts once more: what was seen in a long sample is seen in a short one.
    pub fn facts_again(&mut self, needs: &BTreeSet<Need>) -> Facts {
        let whole = (self.time, self.exercises);
        (self.time, self.exercises) = (whole.0.min(AGAIN), 1);
        let facts = self.facts(needs);
        (self.time, self.exercises) = whole;
        facts
    }

    /// Brings these facts.
    pub fn facts(&mut self, needs: &BTreeSet<Need>) -> Facts {
        let mut facts = Facts::default();
        let needs = |need| needs.contains(&need);
        // The canary attaches to functions: before these are looked at.
        if needs(Need::Canary) {
            facts.canary = canary(self.node).into();
        }
        facts.narrow = is_narrow(&self.session);
        if needs(Need::Sample) {
            facts.sample = self.sample().into();
            facts.runs = match facts.sample.get() {
                Ok(sample) => Told::Is(sample.runs.clone()),
                Err(why) => Told::Not(why),
            };
            if facts.narrow && facts.sample.known().is_some() {
                facts.sample = Told::Not("who calls, only the node kernel tells".into());
            }
        }
        if let Some(sample) = facts.sample.known() {
            facts.owners.clone_from(&sample.owners);
            facts.code.clone_from(&sample.code);
        }
        if needs(Need::Modules) {
            let listed = || said::read("/proc/modules").and_then(|it| Ok(said::modules(&it)));
            let objects = || said::objects(Path::new("/sys/module"));
            let before = (listed(), objects());
            facts.modules = self.view();
            let join = |before, after| Twice::new(&before, &after);
            facts.said.modules = before.0.with(listed(), join);
            let join = |before, after| Twice::new(&before, &after);
            facts.said.objects = before.1.with(objects(), join);
        }
        if needs(Need::Kprobes) {
            let listed = || {
                let list = said::read("/sys/kernel/debug/kprobes/list");
                list.and_then(|text| Ok(said::kprobes(&text)))
            };
            let before = listed();
            facts.kprobes = self.view();
            facts.said.kprobes = before.with(listed(), |before, after| &before | &after);
        }
        if needs(Need::Sites) || needs(Need::Hooks) {
            let before = tracefs("enabled_functions");
            self.sites(&mut facts, needs(Need::Hooks));
            facts.said.enabled = before.with(tracefs("enabled_functions"), said::most);
            facts.said.touched = tracefs("touched_functions");
        }
        if needs(Need::Callbacks) {
            facts.callbacks = self.view();
            for one in facts
                .callbacks(abi::RTRACE_CALLBACK_STACK)
                .cloned()
                .collect::<Vec<_>>()
            {
                let address = one.func.address;
                facts.code.insert(address, code(&self.session, address));
                facts.owners.insert(address, one.func);
            }
        }
        if needs(Need::Text) {
            facts.text = self.view().and_then(|rows| self.settled(rows));
        }
        if needs(Need::Cpus) {
            facts.kvm = Path::new("/sys/module/kvm").exists();
            facts.cpus = self.view();
        }
        if needs(Need::Tracepoints) {
            facts.tracepoints = self.view();
        }
        if needs(Need::Syscalls) {
            facts.syscalls = self.view();
        }
        if needs(Need::Files) {
            facts.files = files::look(&self.session).into();
            facts.said.users = said::read("/proc/modules").and_then(|it| Ok(said::users(&it)));
        }
        if needs(Need::Sockets) {
            facts.sockets = sockets::look().into();
        }
        if needs(Need::Tasks) {
            (facts.tasks, facts.said.tasks) = self.tasks();
        }
        if needs(Need::Itself) {
            facts.itself = self.view::<rust_tracer::views::Itself>().and_then(|rows| {
                let row = rows.into_iter().next();
                row.ok_or("the module told nothing of itself".into())
            });
            facts.said.tainted = said::number("/proc/sys/kernel/tainted");
            facts.said.ftrace_enabled = said::number("/proc/sys/kernel/ftrace_enabled");
        }
        self.resolve(&mut facts);
        facts
    }

    fn view<T: View>(&self) -> Told<Vec<T>> {
        // To look at everything may take longer than a reader may be silent.
        if let Some(sampler) = &self.sampler {
            sampler.give_sign();
        }
        self.session.view().into()
    }

    /// Sites, and who is on ftrace's list before or after they are looked at: whoever is there at any of
    /// both times may have made the records in between.
    fn sites(&self, facts: &mut Facts, with_hooks: bool) {
        let both = || (self.view::<Ops>(), self.view::<Hook>());
        let before = with_hooks.then(both);
        facts.sites = self.view();
        let Some((ops, hooks)) = before else {
            return;
        };
        let (ops_now, hooks_now) = both();
        facts.ops = ops.with(ops_now, |before, after| {
            let is_fresh = |it: &Ops| before.iter().all(|old| old.ops != it.ops);
            let fresh: Vec<_> = after.into_iter().filter(is_fresh).collect();
            before.into_iter().chain(fresh).collect()
        });
        facts.hooks = hooks.with(hooks_now, |mut before, after| {
            before.extend(after);
            before.sort_by_key(|it| (it.site, it.ops));
            before.dedup_by_key(|it| (it.site, it.ops));
            before
        });
    }

    fn sample(&mut self) -> anyhow::Result<Sample> {
        if let Some(sampler) = &mut self.sampler {
            // Ended since the last look: this one needs another.
            if sampler.is_over()? {
                *sampler = Sampler::start(self.node)?;
            }
        }
        let mut once = None;
        let sampler = match &mut self.sampler {
            Some(sampler) => sampler,
            None => once.insert(Sampler::start(self.node)?),
        };
        let (mut times, enough) = (0, self.exercises);
        let exercise = || {
            exercise::all();
            times += 1;
            times >= enough
        };
        sampler.wait(self.time, exercise)?;
        sampler.settle()?;
        let sample = sampler.take();
        if sample.ended.is_some() && self.sampler.is_some() {
            self.sampler = Some(Sampler::start(self.node)?);
        }
        Ok(sample)
    }

    /// Executable memory without what was nobody's for a moment only.
    fn settled(&self, rows: Vec<Text>) -> Result<Vec<Text>, String> {
        let is_strange = |row: &Text| row.code > 0 && !is_owned(&row.owner);
        let (strange, mut rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(is_strange);
        let mut pages: Vec<Text> = strange.iter().flat_map(pages_of).collect();
        for times in 0..SETTLINGS_OF_GONE {
            let is_going = pages.iter().any(|page| page.owner.kind == Kind::Gone);
            if pages.is_empty() || (times >= SETTLINGS && !is_going) {
                break;
            }
            if times > 0 {
                thread::sleep(SETTLING);
            }
            let addresses: Vec<u64> = pages.iter().map(|page| page.start).collect();
            let owners = self.session.owners(&addresses);
            let owners = owners.map_err(|error| error.to_string())?;
            for (page, owner) in pages.iter_mut().zip(owners) {
                let mut bytes = vec![0; page.bytes as usize];
                // What is not executable any more is no code.
                let still = self.session.text(page.start, &mut bytes).is_ok();
                let code = bytes.iter().filter(|byte| !matches!(byte, 0 | 0xcc));
                page.code = if still { code.count() as u64 } else { 0 };
                page.owner = owner;
            }
            pages.retain(is_strange);
        }
        for page in pages {
            let before = rows.last_mut().filter(|row| {
                row.start + row.bytes == page.start
                    && (row.owner.kind, &row.owner.name) == (page.owner.kind, &page.owner.name)
            });
            match before {
                Some(row) => {
                    row.bytes += page.bytes;
                    row.code += page.code;
                    row.writable |= page.writable;
                }
                None => rows.push(page),
            }
        }
        Ok(rows)
    }

    fn tasks(&self) -> (Told<Vec<Task>>, Told<Tasks>) {
        let before = listed();
        let tasks: Told<Vec<Task>> = self.view();
        let after = listed();
        let (before, after) = match (before, after) {
            (Ok(before), Ok(after)) => (before, after),
            (Err(why), _) | (_, Err(why)) => return (tasks, Told::Not(why)),
        };
        let mut told = Tasks {
            processes: Twice::new(&before.0, &after.0),
            threads: Twice::new(&before.1, &after.1),
            ..Tasks::default()
        };
        for task in tasks.known().into_iter().flatten() {
            let listed = match task.pid == task.tgid {
                true => &told.processes.ever,
                false => &told.threads.ever,
            };
            if task.pid != 0 && !listed.contains(&task.pid) {
                told.asked.insert(task.pid, ask(task.pid));
            }
        }
        told.initial = fs::read_link("/proc/self/ns/pid").is_ok_and(|it| it == Path::new(INITIAL));
        (tasks, Told::Is(told))
    }

    /// Asks for names, and for owners of where text leads that was written over.
    fn resolve(&self, facts: &mut Facts) {
        let mut addresses = BTreeSet::new();
        let mut targets = BTreeSet::new();
        for site in facts.sites.known().into_iter().flatten().take(NAMES_MOST) {
            addresses.insert(site.function);
            targets.extend(led_to(site));
        }
        for text in facts.syscalls.known().into_iter().flatten() {
            targets.extend(diverted(text.address, &text.head));
        }
        let targets: Vec<u64> = targets.into_iter().collect();
        for owner in self.session.owners(&targets).unwrap_or_default() {
            facts.owners.insert(owner.address, owner);
        }
        let strange = facts
            .owners
            .values()
            .filter(|owner| !answered_or_zero(owner.kind));
        addresses.extend(strange.map(|owner| owner.address));
        for stack in facts.sample.known().into_iter().flat_map(|it| &it.stacks) {
            // What is called from a module, or from what nobody answers for, is told by its name.
            for pair in stack.0.windows(2) {
                let is_kernels = |owner: &Owner| {
                    owner.kind != Kind::Module && answered_or_zero(owner.kind) || owner.name == OURS
                };
                if facts.owners.get(&pair[1]).is_some_and(|it| !is_kernels(it)) {
                    addresses.insert(pair[0]);
                }
            }
        }
        for kprobe in facts.kprobes.known().into_iter().flatten() {
            addresses.extend([kprobe.address, kprobe.handler.address]);
        }
        let mut of_modules = BTreeSet::new();
        for ops in facts.ops.known().into_iter().flatten() {
            addresses.extend([ops.func.address, ops.trampoline.address]);
            if is_others(&ops.func) || is_others(&ops.structure) {
                of_modules.insert(ops.ops);
            }
        }
        let hooks = facts.hooks.known().into_iter().flatten();
        let of_modules = hooks.filter(|hook| of_modules.contains(&hook.ops));
        addresses.extend(of_modules.map(|hook| hook.site));
        for one in facts.callbacks.known().into_iter().flatten() {
            addresses.extend([one.at, one.func.address]);
        }
        for row in facts.tracepoints.known().into_iter().flatten() {
            addresses.insert(row.func.address);
        }
        for cpu in facts.cpus.known().into_iter().flatten() {
            let owners = [&cpu.syscall, &cpu.compat, &cpu.sysenter, &cpu.foreign];
            addresses.extend(owners.map(|owner| owner.address));
        }
        for address in addresses {
            if let Ok(Some(name)) = self.session.symbol(address) {
                facts.symbols.insert(address, name);
            }
        }
    }
}

/// A row for each of its pages.
fn pages_of(row: &Text) -> impl Iterator<Item = Text> {
    const PAGE: u64 = 4096;
    let end = row.start.saturating_add(row.bytes);
    let starts = (row.start..end).step_by(PAGE as usize);
    starts.map(move |start| Text {
        start,
        bytes: PAGE.min(end - start),
        ..row.clone()
    })
}

/// Where what was written over a function leads, and what its site leads to.
fn led_to(site: &Site) -> impl Iterator<Item = u64> {
    let changes = changes_of(site).into_iter();
    changes.filter_map(|change| match change.patch {
        Patch::Jump(to) | Patch::Call(to) => Some(to),
        _ => None,
    })
}

fn tracefs(name: &str) -> Told<BTreeMap<String, usize>> {
    let mounted = TRACEFS
        .iter()
        .find(|path| Path::new(path).join(name).exists());
    match mounted {
        Some(path) => said::read(&format!("{path}/{name}")).and_then(|it| Ok(said::functions(&it))),
        None => Told::Not(format!("{}/{name} is not there", TRACEFS[0])),
    }
}

/// Processes and threads that reading /proc lists.
fn listed() -> Result<(BTreeSet<u32>, BTreeSet<u32>), String> {
    let proc = Path::new("/proc");
    let processes =
        said::numbers(proc).map_err(|error| format!("{}: {}", proc.display(), plain(&error)))?;
    let mut threads = BTreeSet::new();
    for pid in &processes {
        // One that ends meanwhile has no threads any more.
        let more = said::numbers(&proc.join(pid.to_string()).join("task"));
        threads.extend(more.unwrap_or_default());
    }
    Ok((processes, threads))
}

/// Asks for one task, whatever was listed.
fn ask(pid: u32) -> Asked {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let Some(number) = number else {
        return Asked::default();
    };
    Asked {
        stat: File::open(format!("/proc/{pid}/stat")).is_ok(),
        kill: !matches!(test_kill_process(number), Err(Errno::SRCH)),
        pidfd: pidfd_open(number, PIDFD_THREAD).is_ok(),
    }
}

/// Whether a session's node shows what the kernel is.
pub fn shows(session: &Session) -> bool {
    session.info().features & u64::from(abi::RTRACE_FEATURE_VIEWS) != 0
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rust_tracer::fake::{Fake, row};

    use super::*;

    #[test]
    fn only_what_is_needed_is_brought() {
        let module = Fake::new(1, Vec::new());
        let mut text: abi::rtrace_view_text = row();
        text.start = 0x1000;
        module.add_row(abi::RTRACE_VIEW_TEXT, &text);
        let session = Session::over(Arc::clone(&module) as _).unwrap();
        let mut gatherer = Gatherer::new(session, Duration::ZERO);
        let facts = gatherer.facts(&BTreeSet::from([Need::Text]));
        assert_eq!(facts.text.get().unwrap().len(), 1);
        assert!(facts.ops.get().is_err() && facts.sample.get().is_err());
    }

    #[test]
    fn a_view_that_is_refused_is_not_known_and_why() {
        let module = Fake::new(1, Vec::new());
        module.refuse("view", Errno::ACCESS, "only the node kernel shows that");
        let session = Session::over(Arc::clone(&module) as _).unwrap();
        let mut gatherer = Gatherer::new(session, Duration::ZERO);
        let facts = gatherer.facts(&BTreeSet::from([Need::Cpus]));
        assert_eq!(
            facts.cpus.get().unwrap_err(),
            "only the node kernel shows that"
        );
    }

    #[test]
    fn this_process_is_listed_and_every_way_of_asking_knows_it() {
        let pid = std::process::id();
        let (processes, threads) = listed().unwrap();
        assert!(processes.contains(&pid) && threads.contains(&pid));
        let known = Asked {
            stat: true,
            kill: true,
            pidfd: true,
        };
        assert_eq!(ask(pid), known);
    }

    #[test]
    fn a_number_that_nobody_has_is_known_by_no_way() {
        // Beyond the most that a kernel gives out (PID_MAX_LIMIT).
        assert_eq!(ask(1 << 23), Asked::default());
    }
}
