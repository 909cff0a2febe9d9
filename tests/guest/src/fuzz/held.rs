// SPDX-License-Identifier: GPL-2.0-only
//! Each command waits for a page of its caller's, at each place where it copies from or to one,
//! and others go on meanwhile: it holds no lock there. Page faults that are served by user space
//! make it wait for exactly as long as it takes to see that.

#![forbid(unsafe_code)]

use std::os::fd::AsRawFd;
use std::thread;

use fastrand::Rng;
use rust_tracer::abi;

use super::board::Board;
use super::kind::Kind;
use super::programs;
use super::raw::{self, Faults, Ground, Mapped, PAGE, Window};
use super::request::{Request, STRUCTURE, Supply, WINDOW};
use super::shape::{Meaning, SHAPES, Shape, Thing};
use crate::guest;
use crate::program::{Code, Program};
use crate::session::Session;
use crate::sys;
use crate::target::Target;
use crate::test::{Outcome, check, fail};

/// How long a command may take to come to its page, and after it to its end.
const LONG_MS: i32 = 100_000;
/// The name of the session that is observed.
const NAME: &[u8] = b"held";

/// Every command, with its structure missing and with each thing that it points to.
pub fn run() -> Outcome {
    for shape in SHAPES.iter().filter(|shape| shape.size != 0) {
        let things = shape.fields.iter().filter_map(|field| match field.meaning {
            Meaning::Pointer(thing) => Some(Some(thing)),
            _ => None,
        });
        for missing in [None].into_iter().chain(things) {
            let what = match missing {
                None => format!("{} without its structure", shape.kind.name()),
                Some(thing) => format!("{} without its {thing:?}", shape.kind.name()),
            };
            wait_for_page(shape, missing).map_err(|failure| fail(format!("{what}: {failure}")))?;
        }
    }
    Ok(())
}

/// The session that is asked, in a state in which the command works, and another one.
#[derive(Debug)]
struct Scene {
    session: Session,
    other: Session,
    /// What makes the command name the other one, and the like.
    values: Vec<(Meaning, u64)>,
}

impl Scene {
    fn new(kind: Kind) -> Outcome<Self> {
        let (session, other) = (Session::open()?, Session::open()?);
        let small = abi::rtrace_config {
            ring_bytes: abi::RTRACE_RING_MIN.into(),
            frames: 16,
            ..Default::default()
        };
        let mut values = vec![
            (Meaning::Cursor, 0),
            (Meaning::Index, 0),
            (Meaning::Cpu, 0),
            (Meaning::Position, 0),
            (Meaning::Group, 1),
            (Meaning::OwnKind, abi::RTRACE_KIND_BEGIN.into()),
            (Meaning::Period, 0),
            (Meaning::View, abi::RTRACE_VIEW_MODULES.into()),
            (Meaning::File, 0),
        ];
        session.configure(small)?;
        other.configure(small)?;
        match kind {
            Kind::Probes | Kind::Start => {
                session.add("rt_target:rt_void", 3)?;
            }
            Kind::Ledger => {
                session.add("rt_target:rt_void", 3)?;
                session.start()?;
            }
            Kind::LastError => {
                check!(session.start().is_err(), "START without probes");
            }
            Kind::Aggregate => {
                let count = Code::new().aggregate(0, 0, 0).ret();
                let program = Program::new().aggregation(abi::RTRACE_AGG_COUNT, 0, [0; 4]);
                session.load(&program.clause(1, 0, count))?;
                session.add_to("rt_target:rt_void", abi::RTRACE_PROBE_ENTRY, 1)?;
                session.start()?;
                Target::open()?.run_on(0, "void 5")?;
            }
            Kind::Symbol | Kind::Text => {
                values.push((Meaning::Address, guest::address_of("vfs_read")?));
            }
            Kind::Target => values.push((Meaning::Process, std::process::id().into())),
            Kind::Revoke => values.push((Meaning::Session, other.status()?.id)),
            Kind::Observe | Kind::Read => {
                let mut publish = abi::rtrace_publish {
                    size: size_of::<abi::rtrace_publish>() as u32,
                    name: NAME.as_ptr() as u64,
                    name_len: NAME.len() as u32,
                    ..Default::default()
                };
                sys::ioctl(&other.fd, abi::COMMAND_PUBLISH, &mut publish)?;
            }
            _ => {}
        }
        if kind == Kind::Read {
            other.add("rt_target:rt_void", 1)?;
            other.start()?;
            Target::open()?.run_on(0, "void 5")?;
            let mut observe = abi::rtrace_observe {
                size: size_of::<abi::rtrace_observe>() as u32,
                id: other.status()?.id,
                ..Default::default()
            };
            sys::ioctl(&session.fd, abi::COMMAND_OBSERVE, &mut observe)?;
        }
        Ok(Self {
            session,
            other,
            values,
        })
    }

    /// What others do with the session, and with another one, while it is asked something.
    fn use_it(&self, start_another: bool) -> Outcome {
        let before = self.session.status()?;
        self.session.last_error()?;
        self.session.probes()?;
        if before.state == abi::RTRACE_STATE_IDLE && before.id != self.other.status()?.id {
            self.session.configure(abi::rtrace_config {
                ring_bytes: before.ring_bytes,
                frames: before.frames,
                ..Default::default()
            })?;
        }
        // Where there is no ring that is an error, and one that comes at once.
        let _ = self.session.map(0, abi::AREA_STATUS, PAGE as usize);
        let third = Session::open()?;
        third.add("rt_target:rt_value", 3)?;
        if start_another {
            third.start()?;
            third.stop()?;
        }
        Ok(())
    }
}

fn wait_for_page(shape: &'static Shape, missing: Option<Thing>) -> Outcome {
    let scene = Scene::new(shape.kind)?;
    let ground = Ground {
        start: Ground::START,
        length: 4 * PAGE,
    };
    let window = Window::new(WINDOW)?;
    let contents = Window::new(PAGE)?;
    let file = Board::file()?;
    let board = Board::of(&file)?;
    let probes: Vec<u32> = scene
        .session
        .functions("rt_target:rt_void", 0, 1 << 12)?
        .iter()
        .map(|function| function.head.entry_id)
        .collect();
    let supply = Supply {
        window: &window,
        ground: &ground,
        board: &board,
        probes: &probes,
        function: 0,
        session: 0,
        admin: true,
        wild: false,
    };
    let mut request = Request::right(shape, &mut Rng::with_seed(1), &supply);
    for (meaning, value) in &scene.values {
        request.set_meaning(*meaning, *value);
    }
    for flags in shape.fields.iter().map(|field| field.meaning) {
        if let Meaning::Flags(_) = flags {
            request.set_meaning(flags, 0);
        }
    }
    request.set_meaning(Meaning::User, 0);
    let length = match shape.kind {
        Kind::Read => abi::RTRACE_RECORD_MAX.into(),
        // Not bytes but owners.
        Kind::Owners => 1,
        _ => PAGE,
    };
    request.set_meaning(Meaning::Length(Thing::Buffer), length);
    let texts = [
        (Thing::Module, "rt_target".as_bytes()),
        (Thing::Function, b"rt_void"),
        (Thing::Name, NAME),
    ];
    for (place, (thing, text)) in (4u64..).zip(texts) {
        // Behind the structure.
        let at = STRUCTURE + place * 64;
        window.put(at, text);
        request.set_meaning(Meaning::Pointer(thing), window.at(at));
        request.set_meaning(Meaning::Length(thing), text.len() as u64);
        if missing == Some(thing) {
            contents.put(0, text);
        }
    }
    if let Some((at, bytes)) = missing.and_then(programs::section) {
        let mut section = vec![0; bytes];
        window.get(at, &mut section);
        contents.put(0, &section);
    }
    match (shape.kind, missing) {
        (Kind::Add, Some(Thing::Module | Thing::Function)) => {
            request.set_meaning(Meaning::Pointer(Thing::Ids), 0);
            request.set_meaning(Meaning::Length(Thing::Ids), 0);
            request.set_flags(abi::RTRACE_PROBE_ENTRY);
        }
        (Kind::Add, _) => {
            let id = probes.first().copied().unwrap_or(0);
            window.put(STRUCTURE + 512, &id.to_ne_bytes());
            contents.put(0, &id.to_ne_bytes());
            let at = window.at(STRUCTURE + 512);
            request.set_meaning(Meaning::Pointer(Thing::Ids), at);
            request.set_meaning(Meaning::Length(Thing::Ids), 1);
        }
        (Kind::Observe, _) => request.set_meaning(Meaning::Session, 0),
        _ => {}
    }

    let what = Mapped {
        protection: libc::PROT_READ | libc::PROT_WRITE,
        flags: libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
        fd: -1,
        offset: 0,
    };
    ground.map(ground.start, PAGE, what)?;
    let faults = Faults::open()?;
    faults.register(ground.start, PAGE)?;
    let at = match missing {
        None => ground.start,
        Some(thing) => {
            request.set_meaning(Meaning::Pointer(thing), ground.start);
            window.at(STRUCTURE)
        }
    };
    let structure = &request.bytes[..shape.size];
    window.put(STRUCTURE, structure);
    if missing.is_none() {
        contents.put(0, structure);
    }

    thread::scope(|scope| {
        let fd = scene.session.fd.as_raw_fd();
        let asking = scope.spawn(move || raw::ioctl(fd, request.command, at));
        let seen = || -> Outcome {
            let page = faults.next(LONG_MS)?;
            let page = page.ok_or_else(|| fail("it does not come to its page"))?;
            scene.use_it(missing.is_none())?;
            Ok(faults.serve(page, Some(&contents))?)
        };
        let seen = seen();
        // Whoever still waits goes on without the page being served.
        drop(faults);
        let answer = asking.join().map_err(|_| fail("a panic"))?;
        seen?;
        answer.map_err(|errno| fail(format!("{errno}, {:?}", scene.session.last_error())))
    })?;
    ground.unmap(ground.start, PAGE)?;
    Ok(())
}
