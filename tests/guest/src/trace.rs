// SPDX-License-Identifier: GPL-2.0-only
//! A session from its plan to its audited end.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use rust_tracer::abi::{self, rtrace_ledger_row as Row};
use rustix::io::Errno;

use crate::ledger::{Ledger, ring_drops};
use crate::ring::{Item, Record, Ring};
use crate::session::{KERNEL, Probe, Session};
use crate::test::{Outcome, check, check_eq, fail};

/// What a session is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    node: &'static str,
    probes: Vec<(String, u32)>,
    config: abi::rtrace_config,
    target: Option<i32>,
}

impl Plan {
    /// Nothing yet; the node `kernel`, rings of the default size, policy `switch`.
    pub fn new() -> Self {
        Self::on(KERNEL)
    }

    /// The same through another node.
    pub fn on(node: &'static str) -> Self {
        Self {
            node,
            probes: Vec::new(),
            config: abi::rtrace_config::default(),
            target: None,
        }
    }

    /// Probes at the entry of `MODULE:FUNCTION`, globs allowed.
    pub fn entry(self, pattern: &str) -> Self {
        self.add(pattern, abi::RTRACE_PROBE_ENTRY)
    }

    /// Probes at its return.
    pub fn ret(self, pattern: &str) -> Self {
        self.add(pattern, abi::RTRACE_PROBE_RETURN)
    }

    /// Probes at both.
    pub fn both(self, pattern: &str) -> Self {
        self.add(pattern, abi::RTRACE_PROBE_ENTRY | abi::RTRACE_PROBE_RETURN)
    }

    /// Probes with these flags.
    pub fn add(mut self, pattern: &str, flags: u32) -> Self {
        self.probes.push((pattern.to_owned(), flags));
        self
    }

    /// Rings of so many bytes.
    pub fn ring(mut self, bytes: u64) -> Self {
        self.config.ring_bytes = bytes;
        self
    }

    /// `RTRACE_POLICY_*`
    pub fn policy(mut self, policy: u32) -> Self {
        self.config.policy = policy;
        self
    }

    /// Wake a poller at so many unread bytes.
    pub fn watermark(mut self, bytes: u64) -> Self {
        self.config.watermark = bytes;
        self
    }

    /// Follow so many calls at once.
    pub fn frames(mut self, frames: u32) -> Self {
        self.config.frames = frames;
        self
    }

    /// By these ways, a bit for each `RTRACE_WAY_*`.
    pub fn ways(mut self, ways: u32) -> Self {
        self.config.ways = ways;
        self
    }

    /// By ftrace_ops and fprobe, which keeps a frame for each call.
    pub fn without_stub(self) -> Self {
        self.ways((1 << abi::RTRACE_WAY_OPS) | (1 << abi::RTRACE_WAY_FPROBE))
    }

    /// Narrow to this process and its descendants.
    pub fn target(mut self, pid: i32) -> Self {
        self.target = Some(pid);
        self
    }

    /// Runs it. Every pattern must name something, and all of it must attach.
    pub fn start(&self) -> Outcome<Trace> {
        let opened = Session::open_as(self.node, libc::O_RDWR);
        let session = opened.map_err(|errno| fail(format!("{}: {errno}", self.node)))?;
        for (pattern, flags) in &self.probes {
            let added = session.add(pattern, *flags)?;
            let late = flags & abi::RTRACE_ADD_LATE != 0;
            check!(added.matched > 0 || late, "{pattern} matches nothing");
        }
        session.configure(self.config)?;
        if let Some(pid) = self.target {
            session.target(pid)?;
        }
        let started = session.start()?;
        check_eq!(started.refused, 0, "probes that ftrace refused");
        check_eq!(
            started.attached,
            session.status()?.probes,
            "probes attached"
        );
        Trace::of(session)
    }
}

/// What was read: a record, where it was, and to which probe it belongs.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// The ring's CPU.
    pub cpu: u32,
    /// ns
    pub time: u64,
    /// `RTRACE_CONTEXT_*`
    pub context: u32,
    /// The probe's index.
    pub probe: u32,
    /// Of the task that was on the CPU.
    pub pid: u32,
    /// Of the task that was on the CPU.
    pub tid: u32,
    /// The rest.
    pub what: What,
}

/// What a clause recorded.
#[derive(Clone, Debug)]
pub struct Made {
    /// Where, by whom and how.
    pub head: abi::rtrace_record_clause,
    /// What.
    pub items: Vec<Item>,
}

/// Whose task it was, by the records that show no data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who {
    /// Its real user id.
    pub uid: u32,
    /// Its name.
    pub execname: [u8; abi::RTRACE_EXECNAME_LEN as usize],
}

/// What an event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The arguments.
    Entry([u64; 6]),
    /// The value, and ns since the entry.
    Return(u64, u64),
    /// No data, but who.
    Called(Who),
    /// Who; the result, and ns since the entry.
    Returned(Who, i32, u64),
    /// So many firings are missing here.
    Lost(u64),
}

impl Event {
    /// The arguments; zeroes in a return.
    pub fn args(&self) -> [u64; 6] {
        match self.what {
            What::Entry(args) => args,
            _ => [0; 6],
        }
    }

    /// The return value; 0 in an entry.
    pub fn value(&self) -> u64 {
        match self.what {
            What::Return(value, _) => value,
            _ => 0,
        }
    }

    /// ns since the entry; 0 in an entry.
    pub fn elapsed(&self) -> u64 {
        match self.what {
            What::Return(_, elapsed) | What::Returned(_, _, elapsed) => elapsed,
            _ => 0,
        }
    }

    /// Whose task it was, if the node says so.
    pub fn who(&self) -> Option<Who> {
        match self.what {
            What::Called(who) | What::Returned(who, _, _) => Some(who),
            _ => None,
        }
    }

    /// The result, if the node says that alone.
    pub fn result(&self) -> Option<i32> {
        match self.what {
            What::Returned(_, result, _) => Some(result),
            _ => None,
        }
    }
}

/// A running session with its rings mapped.
#[derive(Debug)]
pub struct Trace {
    /// The session.
    pub session: Session,
    /// The rings of the CPUs that have one, by number.
    pub rings: Vec<Ring>,
    /// What was read so far, ring by ring.
    pub events: Vec<Event>,
    /// What clauses recorded, ring by ring.
    pub made: Vec<Made>,
    /// What clauses could not do, ring by ring.
    pub faults: Vec<abi::rtrace_record_fault>,
    /// Whether clauses run in place of the default record.
    pub with_program: bool,
    bytes: u64,
    policy: u32,
}

impl Trace {
    /// A session that was started.
    pub fn of(session: Session) -> Outcome<Self> {
        let status = session.status()?;
        let mut trace = Self {
            session,
            rings: Vec::new(),
            events: Vec::new(),
            made: Vec::new(),
            faults: Vec::new(),
            with_program: false,
            bytes: status.ring_bytes,
            policy: status.policy,
        };
        trace.map_rings()?;
        check_eq!(
            trace.rings.len() as u32,
            status.rings,
            "rings that could be mapped"
        );
        Ok(trace)
    }

    /// Maps the rings that are not mapped yet.
    pub fn map_rings(&mut self) -> Outcome {
        for cpu in 0..self.session.info()?.cpus {
            if self.rings.iter().any(|ring| ring.cpu == cpu) {
                continue;
            }
            let status = self.session.map(cpu, abi::AREA_STATUS, 4096);
            if !matches!(status, Err(Errno::NXIO)) {
                status?;
                self.rings.push(Ring::map(&self.session, cpu, self.bytes)?);
            }
        }
        Ok(())
    }

    /// The ring of a CPU.
    pub fn ring(&mut self, cpu: u32) -> Outcome<&mut Ring> {
        let ring = self.rings.iter_mut().find(|ring| ring.cpu == cpu);
        ring.ok_or_else(|| fail(format!("CPU {cpu} has no ring")))
    }

    /// Reads all that is published now.
    pub fn read(&mut self) -> Outcome {
        let Self {
            rings,
            events,
            made,
            faults,
            ..
        } = self;
        for ring in rings {
            ring.read(&mut |cpu, record| match record {
                Record::Clause(head, items) => made.push(Made { head, items }),
                Record::Fault(fault) => faults.push(fault),
                record => events.push(event(cpu, &record)),
            })?;
        }
        Ok(())
    }

    /// Stops, reads the rest, and holds the session to the law.
    pub fn finish(mut self) -> Outcome<Finished> {
        self.session.stop()?;
        self.map_rings()?;
        let recorder = self.policy == abi::RTRACE_POLICY_RING;
        if recorder {
            for ring in &mut self.rings {
                ring.read_recorder(&mut |cpu, record| self.events.push(event(cpu, &record)))?;
            }
        } else {
            self.read()?;
        }
        let ledger = Ledger::audit_of(&self.session, self.with_program)?;
        let mut read = BTreeMap::new();
        for event in &self.events {
            if !matches!(event.what, What::Lost(_)) {
                *read.entry((event.probe, event.cpu)).or_insert(0) += 1;
            }
        }
        for made in &self.made {
            *read.entry((made.head.probe, made.head.cpu)).or_insert(0) += 1;
        }
        if recorder {
            for (&(probe, cpu), &found) in &read {
                let recorded = ledger.row(probe, cpu).recorded;
                check!(
                    found <= recorded,
                    "{found} records of probe {probe} on CPU {cpu}, but {recorded} recorded"
                );
            }
        } else {
            ledger.matches_records(&read)?;
        }
        check_rings(&self.rings, &ledger)?;
        Ok(Finished {
            probes: self.session.probes()?,
            session: self.session,
            rings: self.rings,
            events: self.events,
            made: self.made,
            faults: self.faults,
            ledger,
        })
    }
}

/// Holds what the rings say of losses against the ledger.
pub fn check_rings(rings: &[Ring], ledger: &Ledger) -> Outcome {
    for ring in rings {
        let status = ring.status_page();
        let dropped = ring_drops(&ledger.cpu(ring.cpu));
        check_eq!(
            status.lost,
            dropped,
            "`lost` of the ring of CPU {}",
            ring.cpu
        );
        check!(
            ring.lost_in_band <= dropped,
            "LOST records of CPU {} say {}, but {dropped} were lost",
            ring.cpu,
            ring.lost_in_band
        );
        check_eq!(
            status.state,
            abi::RTRACE_STATE_STOPPED,
            "state in the status page"
        );
    }
    Ok(())
}

/// The event that a record tells.
fn event(cpu: u32, record: &Record) -> Event {
    let of = |head: abi::rtrace_record, probe, pid, tid, what| Event {
        cpu,
        time: head.time,
        context: head.info >> 28,
        probe,
        pid,
        tid,
        what,
    };
    match *record {
        Record::Entry(entry) => {
            let what = What::Entry(entry.args);
            of(entry.head, entry.probe, entry.pid, entry.tid, what)
        }
        Record::Return(ret) => {
            let what = What::Return(ret.value, ret.elapsed);
            of(ret.head, ret.probe, ret.pid, ret.tid, what)
        }
        Record::Called(called) => {
            let what = What::Called(Who {
                uid: called.uid,
                execname: execname(&called.execname),
            });
            of(called.head, called.probe, called.pid, called.tid, what)
        }
        Record::Returned(ret) => {
            let who = Who {
                uid: ret.uid,
                execname: execname(&ret.execname),
            };
            let what = What::Returned(who, ret.result, ret.elapsed);
            of(ret.head, ret.probe, ret.pid, ret.tid, what)
        }
        Record::Clause(..) | Record::Fault(_) => unreachable!("they are no events"),
        Record::Lost(count) => {
            let none = abi::RTRACE_PROBE_ALL;
            of(abi::rtrace_record::default(), none, 0, 0, What::Lost(count))
        }
    }
}

/// Holds what the rings say of losses against the ledger, when their records were read by somebody
/// else who found so many in band.
pub fn check_rings_lost(rings: &[Ring], ledger: &Ledger, in_band: u64) -> Outcome {
    check_rings(rings, ledger)?;
    let dropped: u64 = rings
        .iter()
        .map(|ring| ring_drops(&ledger.cpu(ring.cpu)))
        .sum();
    check!(
        in_band <= dropped,
        "LOST records say {in_band}, but {dropped} were lost"
    );
    Ok(())
}

/// The C characters as bytes.
fn execname(chars: &[std::ffi::c_char; 16]) -> [u8; 16] {
    chars.map(|c| c as u8)
}

/// A stopped session that obeyed the law.
#[derive(Debug)]
pub struct Finished {
    /// The session.
    pub session: Session,
    /// Its rings.
    pub rings: Vec<Ring>,
    /// Its probes.
    pub probes: Vec<Probe>,
    /// Everything that was read, ring by ring.
    pub events: Vec<Event>,
    /// What clauses recorded, ring by ring.
    pub made: Vec<Made>,
    /// What clauses could not do, ring by ring.
    pub faults: Vec<abi::rtrace_record_fault>,
    /// The ledger.
    pub ledger: Ledger,
}

impl Finished {
    /// The index of a function's probe.
    pub fn index(&self, name: &str, kind: u32) -> Outcome<u32> {
        let found = self
            .probes
            .iter()
            .find(|probe| probe.name == name && u32::from(probe.head.kind) == kind);
        found
            .map(|probe| probe.head.index)
            .ok_or_else(|| fail(format!("no probe of kind {kind} on {name}")))
    }

    /// The entries of a function, by time.
    pub fn entries(&self, name: &str) -> Outcome<Vec<Event>> {
        self.of_kind(name, abi::RTRACE_KIND_ENTRY)
    }

    /// The returns of a function, by time.
    pub fn returns(&self, name: &str) -> Outcome<Vec<Event>> {
        self.of_kind(name, abi::RTRACE_KIND_RETURN)
    }

    fn of_kind(&self, name: &str, kind: u32) -> Outcome<Vec<Event>> {
        let index = self.index(name, kind)?;
        let mut events: Vec<Event> = self
            .events
            .iter()
            .filter(|event| event.probe == index && !matches!(event.what, What::Lost(_)))
            .copied()
            .collect();
        events.sort_by_key(|event| event.time);
        Ok(events)
    }

    /// The ledger of a function's entry probe, over all CPUs.
    pub fn entry_row(&self, name: &str) -> Outcome<Row> {
        Ok(self.ledger.probe(self.index(name, abi::RTRACE_KIND_ENTRY)?))
    }

    /// The ledger of a function's return probe, over all CPUs.
    pub fn return_row(&self, name: &str) -> Outcome<Row> {
        Ok(self
            .ledger
            .probe(self.index(name, abi::RTRACE_KIND_RETURN)?))
    }
}
