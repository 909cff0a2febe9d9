// SPDX-License-Identifier: GPL-2.0-only
//! Which sessions there are, for whom: published names, and the list.

use rust_tracer::abi;
use rustix::io::Errno;

use crate::actor::Actor;
use crate::options::Options;
use crate::session::{KERNEL, Listed, READ_MIN, SYSTEM, Session};
use crate::sys;
use crate::test::{Outcome, check, check_eq, fail, group};

use super::observers::with_reader;

group! { "access, publishing":
    "one name is one session's at a time on a node, and free again after it" => names,
    "a session that is not published, or on another node, is not there to be observed" => unpublished,
    "sessions list what the asker may know: an admin all, others their own and what is published" => listed,
}

fn names(_: &Options) -> Outcome {
    let (one, other) = (Session::open()?, Session::open()?);
    let elsewhere = Session::open_as(SYSTEM, libc::O_RDWR)?;
    one.publish("a.name_1-x")?;
    let Err(refused) = other.publish("a.name_1-x") else {
        return Err(fail("two sessions of one name"));
    };
    check_eq!(refused.errno, Errno::EXIST);
    check!(refused.text.contains("choose another"), "{}", refused.text);
    // On another node it is another name.
    elsewhere.publish("a.name_1-x")?;
    // Its own again, another one, none.
    one.publish("a.name_1-x")?;
    one.publish("b")?;
    other.publish("a.name_1-x")?;
    one.publish("")?;
    let third = Session::open()?;
    third.publish("b")?;
    drop(third);
    one.publish("b")?;
    Ok(())
}

fn unpublished(_: &Options) -> Outcome {
    let hidden = Session::open()?;
    let id = hidden.status()?.id;
    let elsewhere = Session::open_as(SYSTEM, libc::O_RDWR)?;
    elsewhere.publish("elsewhere")?;
    let other_id = elsewhere.status()?.id;
    let was = Session::open()?;
    was.publish("was")?;
    was.publish("")?;
    let observer = Session::open_as(KERNEL, libc::O_RDONLY)?;
    let own = observer.status()?.id;
    let answers = [
        observer.observe_id(id),
        observer.observe("elsewhere"),
        observer.observe_id(other_id),
        observer.observe("was"),
        observer.observe_id(was.status()?.id),
        observer.observe_id(own),
    ];
    for (i, answer) in answers.into_iter().enumerate() {
        match answer {
            Err(refused) => check_eq!(refused.errno, Errno::NOENT, "case {i}: {refused}"),
            Ok(id) => return Err(fail(format!("case {i}: session {id} is observed"))),
        }
    }
    let Err(refused) = observer.read(0, 0, READ_MIN) else {
        return Err(fail("records of nobody"));
    };
    check_eq!(refused.errno, Errno::INVAL, "READ without a subject");
    Ok(())
}

fn listed(_: &Options) -> Outcome {
    let mut dave = Actor::of("dave", |cue| {
        let (public, private) = (
            Session::open_as(SYSTEM, libc::O_RDWR)?,
            Session::open_as(SYSTEM, libc::O_RDWR)?,
        );
        public.publish("daves")?;
        cue.tell(public.status()?.id)?;
        cue.tell(private.status()?.id)?;
        cue.pause()
    })?;
    let (public, private) = (dave.number()?, dave.number()?);
    dave.ready()?;
    let known = |session: &Session| -> Outcome<(bool, bool)> {
        // By a buffer for one entry at a time, the same.
        let (found, again) = (session.sessions()?, session.sessions_by(256)?);
        let ids =
            |found: &[Listed]| -> Vec<u64> { found.iter().map(|other| other.head.id).collect() };
        check_eq!(ids(&found), ids(&again), "by larger and smaller buffers");
        let mine = session.status()?.id;
        let this = found
            .iter()
            .filter(|s| s.head.flags & abi::RTRACE_SESSION_THIS != 0);
        check_eq!(
            this.map(|s| s.head.id).collect::<Vec<_>>(),
            [mine],
            "this one"
        );
        Ok((
            ids(&found).contains(&public),
            ids(&found).contains(&private),
        ))
    };
    let on = |user: &'static str, node: &'static str, expected: (bool, bool)| {
        Actor::of(user, move |_| {
            let session = Session::open_as(node, libc::O_RDONLY)?;
            check_eq!(known(&session)?, expected, "{user} on {node}");
            Ok(())
        })?
        .end()
    };
    on("root", KERNEL, (true, true))?;
    on("alice", KERNEL, (false, false))?;
    with_reader(SYSTEM, || on("carol", SYSTEM, (true, false)))?;
    with_reader(KERNEL, || on("carol", KERNEL, (false, false)))?;
    on("dave", SYSTEM, (true, true))?;
    // An admin who has given his capabilities up since is none.
    Actor::start(|_| {
        let session = Session::open()?;
        check_eq!(known(&session)?, (true, true), "root");
        sys::ids::set_capabilities(0, 0)?;
        check_eq!(
            known(&session)?,
            (false, false),
            "root without capabilities"
        );
        Ok(())
    })?
    .end()?;
    dave.go()?;
    dave.end()
}
