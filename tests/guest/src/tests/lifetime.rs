// SPDX-License-Identifier: GPL-2.0-only
//! A session ends with its file, however that comes to be closed, and leaves nothing.
//! (That `enabled_functions` is as before is looked at after every test.)

use std::os::fd::AsRawFd;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rust_tracer::abi;
use rustix::io::Errno;

use crate::guest;
use crate::options::Options;
use crate::session::{KERNEL, Session};
use crate::sys::{self, Child, Ended};
use crate::target::{self, Sleeper, Target};
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::{Plan, Trace};

group! { "lifetime":
    "closing a running session detaches its probes" => close,
    "the exit of a process ends its sessions" => exit,
    "a process that is killed leaves no probe" => killed,
    "a session lives until the last descriptor of its file is closed" => inherited,
    "the module cannot be unloaded while a session is open, and can be afterwards" => rmmod,
    "the module can be unloaded and loaded again and again" => reload,
    "the module comes and goes hundreds of times while the functions it traces are called" => reload_under_fire,
    "the module can be unloaded while a call that was traced is still inside" => rmmod_inside,
    "a task that sleeps in a traced function survives the end of the session" => sleeper_survives,
    "a session can be stopped and closed while its functions are called on all CPUs" => stop_under_fire,
    "starting and stopping a hundred times leaves nothing" => again_and_again,
}

fn plan() -> Plan {
    Plan::new()
        .both("rt_target:rt_*")
        .ring(abi::RTRACE_RING_MIN.into())
}

/// Whether ftrace calls anybody for functions of rt_target.
fn is_attached() -> Outcome<bool> {
    Ok(guest::enabled_functions()?.contains("rt_plain"))
}

fn close(_: &Options) -> Outcome {
    let trace = plan().start()?;
    check!(is_attached()?, "rt_plain is not in enabled_functions");
    drop(trace);
    check!(
        !is_attached()?,
        "rt_plain is in enabled_functions after the close"
    );
    Ok(())
}

fn exit(_: &Options) -> Outcome {
    let child = Child::start(|| match plan().start() {
        Ok(trace) => {
            std::mem::forget(trace);
            0
        }
        Err(_) => 1,
    })?;
    check_eq!(child.wait()?, Ended::Exit(0));
    check!(
        !is_attached()?,
        "rt_plain is in enabled_functions after the exit"
    );
    check_eq!(guest::references(), Some(0), "the module's references");
    Ok(())
}

/// A child that traces and then waits for ever.
fn tracing_child(plan: &Plan) -> Outcome<Child> {
    let (mut reader, writer) = sys::pipe()?;
    let child = Child::start(|| {
        use std::io::Write;
        let Ok(_trace) = plan.start() else { return 1 };
        let _ = (&writer).write_all(b"x");
        loop {
            thread::park();
        }
    })?;
    drop(writer);
    use std::io::Read;
    reader.read_exact(&mut [0u8; 1])?;
    Ok(child)
}

fn killed(_: &Options) -> Outcome {
    for _ in 0..5 {
        let child = tracing_child(&plan())?;
        check!(is_attached()?, "rt_plain is not in enabled_functions");
        child.signal(libc::SIGKILL)?;
        check_eq!(child.wait()?, Ended::Signal(libc::SIGKILL));
        check!(
            !is_attached()?,
            "rt_plain is in enabled_functions after the kill"
        );
    }
    // The tool as well.
    let mut tool = Command::new("rtctl")
        .args(["-q", "-n", "fbt:rt_target:rt_plain:entry"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()?;
    while !is_attached()? {
        check!(tool.try_wait()?.is_none(), "rtctl ended");
        sys::give_way();
    }
    tool.kill()?;
    tool.wait()?;
    check!(
        !is_attached()?,
        "rt_plain is in enabled_functions after rtctl was killed"
    );
    Ok(())
}

fn inherited(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = plan().start()?;
    let (reader, writer) = sys::pipe()?;
    let child = Child::start(|| {
        use std::io::Read;
        // Holds the descriptor until told.
        i32::from((&reader).read_exact(&mut [0u8; 1]).is_err())
    })?;
    target.run("plain 5")?;
    check_eq!(trace.finish()?.entries("rt_plain")?.len(), 5);
    check_eq!(
        guest::references(),
        Some(1),
        "references that the child holds"
    );
    {
        use std::io::Write;
        (&writer).write_all(b"x")?;
    }
    check_eq!(child.wait()?, Ended::Exit(0));
    check_eq!(
        guest::references(),
        Some(0),
        "references after the child's end"
    );
    Ok(())
}

fn rmmod(_: &Options) -> Outcome {
    let session = Session::open()?;
    check_eq!(
        sys::unload_module("rust_tracer"),
        Err(Errno::AGAIN),
        "with an idle session"
    );
    session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
    session.start()?;
    check_eq!(
        sys::unload_module("rust_tracer"),
        Err(Errno::AGAIN),
        "with a running session"
    );
    session.stop()?;
    check_eq!(
        sys::unload_module("rust_tracer"),
        Err(Errno::AGAIN),
        "with a stopped session"
    );
    drop(session);
    sys::unload_module("rust_tracer").map_err(|errno| fail(format!("after the close: {errno}")))?;
    check!(
        !std::path::Path::new("/dev/rust_tracer/kernel").exists(),
        "the node is still there"
    );
    guest::load()
}

fn reload(options: &Options) -> Outcome {
    let target = Target::open()?;
    for _ in 0..options.share_of(5) {
        target::unload("rust_tracer")?;
        guest::load()?;
        let trace = plan().start()?;
        target.run("plain 3")?;
        check_eq!(trace.finish()?.entries("rt_plain")?.len(), 3);
    }
    Ok(())
}

fn reload_under_fire(options: &Options) -> Outcome {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let load = scope.spawn(|| -> Outcome {
            let target = Target::open()?;
            while !done.load(Ordering::Relaxed) {
                target.run("storm 4 50")?;
            }
            Ok(())
        });
        let result = reloads(options);
        done.store(true, Ordering::Relaxed);
        load.join().map_err(|_| fail("the load panicked"))??;
        result
    })
}

/// Loads and unloads the module, with a short session each time.
fn reloads(options: &Options) -> Outcome {
    let before = guest::enabled_functions()?;
    let file = target::installed("rust_tracer")?;
    let mut events = 0;
    target::unload("rust_tracer")?;
    for cycle in 1..=options.reloads {
        sys::load_module(&file, "").map_err(|errno| fail(format!("load {cycle}: {errno}")))?;
        target::await_node(KERNEL)?;
        let mut trace = plan().start()?;
        Target::open()?.run("plain 20")?;
        trace.read()?;
        match cycle % 3 {
            0 => drop(trace),
            1 => events += trace.finish()?.events.len(),
            _ => {
                trace.session.stop()?;
                drop(trace);
            }
        }
        target::unload("rust_tracer")?;
        if cycle % 20 == 0 {
            check!(
                guest::enabled_functions()? == before,
                "functions stay enabled after load {cycle}"
            );
            println!("{cycle} of {} loads", options.reloads);
        }
    }
    println!(
        "{} loads, {events} events in a third of them",
        options.reloads
    );
    guest::load()
}

fn rmmod_inside(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = plan().start()?;
    let sleepers = Sleeper::start(&target, 0, &[1, 2])?;
    trace.finish()?;
    target::unload("rust_tracer")?;
    check_eq!(Sleeper::release(&target, sleepers)?, [10, 11]);
    guest::load()
}

fn sleeper_survives(_: &Options) -> Outcome {
    let target = Target::open()?;
    // One session that is gone when the call returns, and one that came after it.
    let trace = plan().start()?;
    let sleepers = Sleeper::start(&target, 0, &[5])?;
    drop(trace);
    let next = plan().start()?;
    check_eq!(Sleeper::release(&target, sleepers)?, [14]);
    let finished = next.finish()?;
    check_eq!(
        finished.returns("rt_sleep")?.len(),
        0,
        "a return of a call before the start"
    );
    Ok(())
}

fn stop_under_fire(options: &Options) -> Outcome {
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let busy = thread::spawn(move || -> Outcome {
        let target = Target::open()?;
        while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            target.run("storm 4 200")?;
        }
        Ok(())
    });
    for round in 0..options.share_of(20) {
        let trace = plan().start()?;
        let target = Target::open()?;
        target.run("plain 100")?;
        if round % 2 == 0 {
            trace.finish()?;
        } else {
            drop(trace);
        }
    }
    drop(stop);
    busy.join().map_err(|_| fail("the busy thread panicked"))?
}

fn again_and_again(options: &Options) -> Outcome {
    let target = Target::open()?;
    for i in 0..options.share_of(100) {
        let session = Session::open()?;
        session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
        session.configure(abi::rtrace_config {
            ring_bytes: abi::RTRACE_RING_MIN.into(),
            ..Default::default()
        })?;
        session.start()?;
        check!(session.fd.as_raw_fd() < 64, "descriptors leak");
        let trace = Trace::of(session)?;
        target.run("plain 1")?;
        check_eq!(trace.finish()?.events.len(), 1, "events of session {i}");
    }
    Ok(())
}
