// SPDX-License-Identifier: GPL-2.0-only
//! Everything that a command allocates, failed once: it answers with a clear error and has
//! changed nothing, or has had another way; then it succeeds.
//!
//! Copies from and to user memory fail on demand as well, and are swept over with the rest.
//!
//! Of probes, entry probes alone: the kernel (7.3) does not survive every failure inside its own
//! registration of an fprobe, warns, and refuses all return probes after it. See docs/limits.md.

use std::collections::BTreeMap;
use std::path::Path;

use rust_tracer::abi;
use rustix::io::Errno;

use crate::faults::Faults;
use crate::guest;
use crate::options::Options;
use crate::session::{Answer, KERNEL, Refused, Session};
use crate::sys;
use crate::target::{self, Target};
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::tests::access::symbols::address_of;
use crate::trace::Trace;

group! { "shortage":
    "each allocation of opening a node" => open,
    "each allocation of ADD, by pattern, for later modules and by id" => add,
    "each allocation of CONFIG, TARGET and QUOTA" => settings,
    "each allocation of START" => start,
    "each allocation of STOP" => stop,
    "each allocation of mmap" => mmap,
    "each allocation of the listings" => listings,
    "each allocation of PUBLISH, OBSERVE, READ and REVOKE" => observers,
    "each allocation of SYMBOL" => symbol,
    "each allocation of the views" => views,
    "each allocation of the module's initialiser" => load,
    "each allocation for a module that comes" => late,
}

/// More than any command allocates.
const MANY: u32 = 100_000;
const PATTERN: &str = "rt_target:rt_plain";
const ENTRY: u32 = abi::RTRACE_PROBE_ENTRY;

/// What a command is tried on.
trait Ground: Sized {
    /// What must be the same after a failure as before.
    fn state(&self) -> Outcome<String>;
}

impl Ground for Session {
    fn state(&self) -> Outcome<String> {
        Ok(format!(
            "{:?}\n{}",
            self.status()?,
            guest::enabled_functions()?
        ))
    }
}

impl Ground for Trace {
    fn state(&self) -> Outcome<String> {
        self.session.state()
    }
}

/// Sweeps over `act`. `prepare` makes what it is done to, `verify` says whether it was done
/// exactly.
fn sweep<G: Ground, T>(
    name: &str,
    prepare: impl Fn() -> Outcome<G>,
    act: impl Fn(&G) -> Answer<T>,
    verify: impl Fn(G, T) -> Outcome,
) -> Outcome {
    let faults = Faults::of_this_thread()?;
    let mut answers = BTreeMap::new();
    for nth in 1..MANY {
        let ground = prepare()?;
        let before = ground.state()?;
        let (answer, happened) = faults.at(nth, || act(&ground))?;
        let done = match answer {
            Ok(done) => {
                if happened {
                    *answers.entry("had another way".to_owned()).or_insert(0) += 1;
                }
                done
            }
            Err(refused) => {
                check!(happened, "{name}: without a failure: {refused}");
                check_error(name, nth, &refused)?;
                *answers.entry(refused.errno.to_string()).or_insert(0) += 1;
                if refused.errno == Errno::FAULT {
                    // The answer may be what could not be written, to what was done.
                    continue;
                }
                check_eq!(ground.state()?, before, "{name}, after failure {nth}");
                act(&ground)
                    .map_err(|refused| fail(format!("{name}, after failure {nth}: {refused}")))?
            }
        };
        verify(ground, done).map_err(|why| fail(format!("{name}, after failure {nth}: {why}")))?;
        if !happened {
            println!("{name}: {} failures: {answers:?}", nth - 1);
            return Ok(());
        }
        if nth % 25 == 0 {
            println!("{name}: {nth} so far");
        }
    }
    Err(fail(format!("{name} never succeeds")))
}

/// A failure for want of memory says so.
fn check_error(name: &str, nth: u32, refused: &Refused) -> Outcome {
    let expected = [
        (Errno::NOMEM, "memory"),
        (Errno::FAULT, "does not point to memory"),
    ];
    check!(
        expected
            .iter()
            .any(|(errno, word)| refused.errno == *errno && refused.text.contains(word)),
        "{name}, failure {nth}: {refused}"
    );
    Ok(())
}

fn small() -> abi::rtrace_config {
    abi::rtrace_config {
        ring_bytes: abi::RTRACE_RING_MIN.into(),
        frames: 64,
        ..Default::default()
    }
}

fn with_probes() -> Outcome<Session> {
    let session = Session::open()?;
    session.add(PATTERN, ENTRY)?;
    session.configure(small())?;
    Ok(session)
}

/// A session that has probes is started and traces exactly.
fn runs_exactly(session: Session) -> Outcome {
    let started = session.start()?;
    check_eq!(started.refused, 0);
    traces_exactly(Trace::of(session)?)
}

fn traces_exactly(trace: Trace) -> Outcome {
    Target::open()?.run("plain 7")?;
    let finished = trace.finish()?;
    check_eq!(finished.entries("rt_plain")?.len(), 7, "entries");
    Ok(())
}

/// Nothing before a file is open.
struct Nothing;

impl Ground for Nothing {
    fn state(&self) -> Outcome<String> {
        Ok(format!(
            "{:?}\n{}",
            guest::references(),
            guest::enabled_functions()?
        ))
    }
}

fn bare(errno: Errno, text: &str) -> Refused {
    Refused {
        errno,
        text: text.to_owned(),
    }
}

fn open(_: &Options) -> Outcome {
    sweep(
        "open",
        || Ok(Nothing),
        |_| {
            // There is no session yet that could keep a sentence, and the kernel's own part of
            // opening may be short of a file.
            Session::open_as(KERNEL, libc::O_RDWR).map_err(|errno| match errno {
                Errno::NFILE => bare(Errno::NOMEM, "memory"),
                Errno::FAULT => bare(errno, "does not point to memory"),
                errno => bare(errno, "memory"),
            })
        },
        |_, session| {
            session.add(PATTERN, ENTRY)?;
            session.configure(small())?;
            runs_exactly(session)
        },
    )
}

fn add(_: &Options) -> Outcome {
    let count = {
        let session = Session::open()?;
        session.add(PATTERN, ENTRY)?.added
    };
    let verify = |session: Session, added: abi::rtrace_add| -> Outcome {
        check_eq!((added.matched, added.added), (count, count));
        check_eq!(session.probes()?.len() as u32, count, "probes listed");
        session.configure(small())?;
        runs_exactly(session)
    };
    sweep("ADD", Session::open, |s| s.add(PATTERN, ENTRY), verify)?;
    let late = ENTRY | abi::RTRACE_ADD_LATE;
    sweep(
        "ADD for later",
        Session::open,
        |s| s.add(PATTERN, late),
        verify,
    )?;
    let ids: Vec<u32> = with_probes()?
        .probes()?
        .iter()
        .map(|probe| probe.head.id)
        .collect();
    sweep("ADD by id", Session::open, |s| s.add_ids(&ids), verify)
}

fn settings(_: &Options) -> Outcome {
    sweep(
        "CONFIG",
        with_probes,
        |s| s.configure(small()),
        |s, config| {
            check_eq!(config.ring_bytes, u64::from(abi::RTRACE_RING_MIN));
            runs_exactly(s)
        },
    )?;
    let me = std::process::id() as i32;
    sweep(
        "TARGET",
        with_probes,
        |s| s.target(me),
        |s, ()| runs_exactly(s),
    )?;
    sweep("QUOTA", Session::open, Session::quota, |_, quota| {
        check_eq!(quota.sessions, 1);
        Ok(())
    })
}

fn all_attached(session: &Session, started: abi::rtrace_start) -> Outcome {
    let probes = session.status()?.probes;
    check_eq!((started.attached, started.refused), (probes, 0));
    Ok(())
}

fn start(_: &Options) -> Outcome {
    sweep("START", with_probes, Session::start, |session, started| {
        all_attached(&session, started)?;
        traces_exactly(Trace::of(session)?)
    })
}

fn running() -> Outcome<Session> {
    let session = with_probes()?;
    session.start()?;
    Ok(session)
}

fn stop(_: &Options) -> Outcome {
    let faults = Faults::of_this_thread()?;
    let before = guest::enabled_functions()?;
    for nth in 1..MANY {
        let trace = Trace::of(running()?)?;
        Target::open()?.run("plain 7")?;
        // A stop has no excuse.
        let (answer, happened) = faults.at(nth, || trace.session.stop())?;
        answer.map_err(|refused| fail(format!("STOP, failure {nth}: {refused}")))?;
        let finished = trace.finish()?;
        check_eq!(finished.entries("rt_plain")?.len(), 7, "failure {nth}");
        drop(finished);
        if !happened {
            println!("STOP: {} failures, all without effect", nth - 1);
            break;
        }
    }
    // What could not be detached for want of memory goes with the next change.
    drop(running()?);
    check!(
        guest::enabled_functions()? == before,
        "functions stay enabled"
    );
    Ok(())
}

fn mmap(_: &Options) -> Outcome {
    for (name, area, length) in [
        ("mmap of the status page", abi::AREA_STATUS, 4096),
        ("mmap of the consumer page", abi::AREA_CONSUMER, 4096),
        (
            "mmap of the data",
            abi::AREA_DATA,
            abi::RTRACE_RING_MIN as usize,
        ),
    ] {
        sweep(
            name,
            running,
            |s| {
                s.map(0, area, length)
                    .map_err(|errno| bare(errno, "memory does not point to memory"))
            },
            |session, mapping| {
                drop(mapping);
                traces_exactly(Trace::of(session)?)
            },
        )?;
    }
    Ok(())
}

fn listings(_: &Options) -> Outcome {
    let one = with_probes()?.probes()?.len();
    sweep("PROBES", with_probes, Session::probes, |_, probes| {
        check_eq!(probes.len(), one);
        Ok(())
    })?;
    let all = abi::RTRACE_FUNCTIONS_ALIASES | abi::RTRACE_FUNCTIONS_UNTRACEABLE;
    let functions = Session::open()?.functions(PATTERN, all, 1 << 16)?.len();
    sweep(
        "FUNCTIONS",
        Session::open,
        |s| s.functions(PATTERN, all, 1 << 16),
        |_, found| {
            check_eq!(found.len(), functions);
            Ok(())
        },
    )?;
    for (name, flags) in [
        ("LEDGER", 0),
        (
            "LEDGER in sums",
            abi::RTRACE_LEDGER_SUM_CPUS | abi::RTRACE_LEDGER_SUM_PROBES,
        ),
    ] {
        sweep(
            name,
            running,
            |s| s.ledger(flags),
            |session, rows| {
                check!(!rows.is_empty(), "no rows");
                traces_exactly(Trace::of(session)?)
            },
        )?;
    }
    sweep(
        "SESSIONS",
        with_probes,
        Session::sessions,
        |session, found| {
            let id = session.status()?.id;
            check!(found.iter().any(|one| one.head.id == id), "not in the list");
            Ok(())
        },
    )?;
    sweep("STATUS", running, Session::status, |_, status| {
        check_eq!(status.state, abi::RTRACE_STATE_RUNNING);
        Ok(())
    })?;
    sweep("INFO", Session::open, Session::info, |_, info| {
        check_eq!(info.page_size, 4096);
        Ok(())
    })
}

/// A session that is observed, and its observer.
struct Observed {
    subject: Trace,
    observer: Session,
}

impl Ground for Observed {
    fn state(&self) -> Outcome<String> {
        self.subject.state()
    }
}

fn published(name: &'static str) -> impl Fn() -> Outcome<Observed> {
    move || {
        let subject = Trace::of(running()?)?;
        if !name.is_empty() {
            subject.session.publish(name)?;
        }
        Target::open()?.run_on(0, "plain 5")?;
        Ok(Observed {
            subject,
            observer: Session::open()?,
        })
    }
}

fn observers(_: &Options) -> Outcome {
    const NAME: &str = "rt-shortage";
    let reads = |observed: &Observed| -> Outcome {
        let copied = observed.observer.read(0, 0, 1 << 16)?;
        check!(!copied.bytes.is_empty(), "nothing to read");
        Ok(())
    };
    sweep(
        "PUBLISH",
        published(""),
        |o| o.subject.session.publish(NAME),
        |o, ()| {
            o.observer.observe(NAME)?;
            reads(&o)
        },
    )?;
    sweep(
        "OBSERVE",
        published(NAME),
        |o| o.observer.observe(NAME),
        |o, _| reads(&o),
    )?;
    sweep(
        "READ",
        || {
            let observed = published(NAME)()?;
            observed.observer.observe(NAME)?;
            Ok(observed)
        },
        |o| o.observer.read(0, 0, 1 << 16),
        |o, copied| {
            check_eq!(copied.position, 0);
            check!(!copied.bytes.is_empty(), "nothing was read");
            drop(o.observer);
            traces_on(o.subject)
        },
    )?;
    sweep(
        "REVOKE",
        published(""),
        |o| {
            let id = o.subject.session.status()?.id;
            o.observer.revoke(id)
        },
        |o, count| {
            check_eq!(count, 1, "sessions that were ended");
            check_eq!(o.subject.session.status()?.state, abi::RTRACE_STATE_DEAD);
            Ok(())
        },
    )
}

/// It goes on after five calls.
fn traces_on(trace: Trace) -> Outcome {
    Target::open()?.run("plain 7")?;
    check_eq!(trace.finish()?.entries("rt_plain")?.len(), 12);
    Ok(())
}

fn symbol(_: &Options) -> Outcome {
    let address = address_of("vfs_read")?;
    sweep(
        "SYMBOL",
        Session::open,
        |s| s.symbol(address),
        |_, text| {
            check!(text.starts_with("vfs_read+0x0/"), "{text}");
            Ok(())
        },
    )
}

fn views(_: &Options) -> Outcome {
    /// Each by its rows, of which there is one at least where it says so.
    macro_rules! views {
        ($($row:ident $some:literal),*) => {$(
            let some: bool = $some;
            sweep(
                stringify!($row),
                running,
                Session::view::<abi::$row>,
                |session, rows| {
                    check!(!some || !rows.is_empty(), "no rows");
                    traces_exactly(Trace::of(session)?)
                },
            )?;
        )*};
    }
    views! {
        rtrace_view_module true, rtrace_view_ops true, rtrace_view_hook true,
        rtrace_view_site true, rtrace_view_kprobe false, rtrace_view_text true,
        rtrace_view_cpu true, rtrace_view_tracepoint false, rtrace_view_task true,
        rtrace_view_self true, rtrace_view_text_of true, rtrace_view_callback true
    }
    let address = address_of("vfs_read")?;
    sweep(
        "OWNERS",
        Session::open,
        |s| s.owners(&[address]),
        |_, owners| {
            check_eq!(owners[0].kind, abi::RTRACE_OWNER_KERNEL);
            Ok(())
        },
    )?;
    sweep(
        "TEXT",
        Session::open,
        |s| s.text(address, 16),
        |_, text| {
            check_eq!(text.len(), 16);
            Ok(())
        },
    )
}

/// The module, which was just loaded, traces.
fn traces_once_loaded() -> Outcome {
    let session = target::await_node(KERNEL)?;
    session.add(PATTERN, ENTRY)?;
    session.configure(small())?;
    runs_exactly(session)
}

/// The module's own allocations alone; those of the kernel's loader are as many again, and none
/// of ours. After a failure the module is not there, and once in a while, and at the end, it
/// is seen that it can be loaded.
fn load(_: &Options) -> Outcome {
    let result = sweep_over_load();
    if !target::is_loaded("rust_tracer") {
        guest::load()?;
    }
    result
}

/// Which of the initialiser's allocations fail, one at a load, each of which takes seconds: all of
/// them if they are few; else the first and the last, and others spread evenly between them.
fn chosen(count: u32) -> Vec<u32> {
    const LOADS: u32 = 200;
    const FIRST: u32 = 50;
    const LAST: u32 = 10;
    const SPREAD: u32 = LOADS - FIRST - LAST;
    if count <= LOADS {
        return (1..=count).collect();
    }
    let between = u64::from(count - FIRST - LAST);
    let spread = (0..SPREAD).map(|nth| (u64::from(nth) * between / u64::from(SPREAD)) as u32);
    (1..=FIRST)
        .chain(spread.map(|nth| FIRST + 1 + nth))
        .chain(count - LAST + 1..=count)
        .collect()
}

fn unload() -> Outcome {
    match target::is_loaded("rust_tracer") {
        true => target::unload("rust_tracer"),
        false => Ok(()),
    }
}

fn sweep_over_load() -> Outcome {
    const LOOK: usize = 16;
    // The table of functions takes thousands of pages, one like the other.
    Faults::of_this_thread()?.spare_single_pages()?;
    let target = Target::open()?;
    let file = target::installed("rust_tracer")?;
    let enabled = guest::enabled_functions()?;
    let load = |nth: u32| -> Outcome<(sys::Sys<()>, bool)> {
        target.run(&format!("failinit {nth}"))?;
        let answer = sys::load_module(&file, "");
        Ok((answer, target.run("failed")? == 1))
    };
    let unharmed = || -> Outcome<u32> {
        unload()?;
        let (answer, happened) = load(MANY)?;
        answer.map_err(|errno| fail(format!("without a failure: {errno}")))?;
        check!(!happened, "there are {MANY} allocations or more");
        traces_once_loaded()?;
        Ok(target.run("counted")? as u32)
    };
    let count = unharmed()?;
    let chosen = chosen(count);
    println!(
        "initialiser: {count} allocations, of which {} fail: {chosen:?}",
        chosen.len()
    );
    let mut answers = BTreeMap::new();
    for (at, nth) in (1..).zip(chosen) {
        unload()?;
        let (answer, happened) = load(nth)?;
        println!("{nth} so far");
        let outcome = match answer {
            Ok(()) if happened => "had another way".to_owned(),
            Ok(()) => "was not reached".to_owned(),
            Err(errno) => {
                check!(happened, "without a failure: {errno}");
                check_eq!(errno, Errno::NOMEM, "failure {nth}");
                check!(!target::is_loaded("rust_tracer"), "failure {nth}: loaded");
                check!(!Path::new(KERNEL).exists(), "failure {nth}: {KERNEL}");
                check_eq!(guest::enabled_functions()?, enabled, "failure {nth}");
                errno.to_string()
            }
        };
        let failed = answer.is_err();
        *answers.entry(outcome).or_insert(0) += 1;
        if at % LOOK == 0 {
            if failed {
                sys::load_module(&file, "")
                    .map_err(|errno| fail(format!("after failure {nth}: {errno}")))?;
            }
            traces_once_loaded().map_err(|why| fail(format!("after failure {nth}: {why}")))?;
        }
    }
    println!("initialiser: {answers:?}");
    unharmed()?;
    guest::settle()
}

/// What is allocated for a module that comes; the loader's own allocations are the kernel's.
fn late(options: &Options) -> Outcome {
    // Sets up what may fail.
    Faults::of_this_thread()?;
    let target = Target::open()?;
    let mut missed = 0;
    for nth in 1..MANY {
        let session = with_probes()?;
        session.add("rt_late:rt_late_work", ENTRY | abi::RTRACE_ADD_LATE)?;
        session.start()?;
        let trace = Trace::of(session)?;
        target.run(&format!("failcoming {nth}"))?;
        let late = target::Late::load(options, 3)?;
        let happened = target.run("failed")? == 1;
        late.call(4)?;
        let traced = trace.session.status()?.attached == 2;
        late.unload()?;
        Target::open()?.run("plain 7")?;
        // Whatever became of the newcomer, the rest of the session is exact.
        let finished = trace.finish()?;
        check_eq!(finished.entries("rt_plain")?.len(), 7, "failure {nth}");
        let all = if traced { 3 + 4 + 1 } else { 0 };
        let work = finished.events.len() - 7;
        check_eq!(work, all, "calls of rt_late_work, failure {nth}");
        check!(traced || happened, "not traced without a failure");
        missed += u32::from(!traced);
        if !happened {
            println!("{} failures; {missed} modules were not traced", nth - 1);
            return Ok(());
        }
        if nth % 25 == 0 {
            println!("{nth} so far");
        }
    }
    Err(fail("the module never comes unharmed"))
}

#[cfg(test)]
mod tests {
    use super::chosen;

    #[test]
    fn all_of_few_and_some_of_many_are_chosen() {
        assert_eq!(chosen(200), (1..=200).collect::<Vec<_>>());
        for count in [201, 344, 100_000] {
            let chosen = chosen(count);
            assert_eq!(chosen.len(), 200);
            assert!(chosen.is_sorted_by(|a, b| a < b), "{chosen:?}");
            assert_eq!((chosen[49], chosen[190]), (50, count - 9));
            assert_eq!(chosen.last(), Some(&count));
        }
    }
}
