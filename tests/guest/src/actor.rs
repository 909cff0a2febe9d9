// SPDX-License-Identifier: GPL-2.0-only
//! A child process that plays a part: it becomes somebody, does one thing after the other, and
//! says what went wrong.
//!
//! Parent and child take turns by two pipes: the child is [ready](Cue::ready) and waits for its
//! [cue](Cue::wait), the parent waits for that ([`Actor::ready`]) and gives it ([`Actor::go`]).

#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{Read, Write};

use crate::sys::{self, Child, Ended, ids};
use crate::test::{Failure, Outcome, fail};

const READY: u8 = b'r';
const FAILED: u8 = b'f';
const DONE: u8 = b'd';
const NUMBER: u8 = b'n';

/// The child, as its parent sees it.
#[derive(Debug)]
pub struct Actor {
    child: Child,
    told: File,
    tell: File,
}

/// The child's side.
#[derive(Debug)]
pub struct Cue {
    tell: File,
    told: File,
}

impl Cue {
    /// Says that the next step is done.
    pub fn ready(&self) -> Outcome {
        Ok((&self.tell).write_all(&[READY])?)
    }

    /// Waits until the parent says to go on.
    pub fn wait(&self) -> Outcome {
        Ok((&self.told).read_exact(&mut [0u8; 1])?)
    }

    /// The same, while that is done once a second: whoever has a session gives it signs of life.
    pub fn wait_while(&self, mut meanwhile: impl FnMut() -> Outcome) -> Outcome {
        while sys::poll(&self.told, libc::POLLIN, 1000)? == 0 {
            meanwhile()?;
        }
        self.wait()
    }

    /// What becomes readable when the parent says to go on.
    pub fn heard(&self) -> &File {
        &self.told
    }

    /// Tells the parent a number.
    pub fn tell(&self, number: u64) -> Outcome {
        (&self.tell).write_all(&[NUMBER])?;
        Ok((&self.tell).write_all(&number.to_ne_bytes())?)
    }

    /// Both: a point that the parent waits for, and lets the child leave.
    pub fn pause(&self) -> Outcome {
        self.ready()?;
        self.wait()
    }
}

/// An ordinary process of that user: what it would be after a login and an exec.
pub fn become_ordinary(user: &str) -> Outcome {
    ids::become_user(user)?;
    Ok(ids::set_dumpable(true)?)
}

impl Actor {
    /// A child of whoever the caller is.
    pub fn start(work: impl FnOnce(&Cue) -> Outcome) -> Outcome<Self> {
        let (told, child_tells) = sys::pipe()?;
        let (child_told, tell) = sys::pipe()?;
        let cue = Cue {
            tell: child_tells,
            told: child_told,
        };
        // Only the child's copies of these are left when it runs.
        let ours = (told, tell);
        let child = Child::start(|| {
            let (told, tell) = &ours;
            let mine = [told, tell].map(std::os::fd::AsRawFd::as_raw_fd);
            for fd in mine {
                sys::passing::close(fd);
            }
            let (mark, text) = match work(&cue) {
                Ok(()) => (DONE, String::new()),
                Err(failure) => (FAILED, failure.to_string()),
            };
            let said = (&cue.tell)
                .write_all(&[mark])
                .and_then(|()| (&cue.tell).write_all(text.as_bytes()));
            i32::from(said.is_err())
        })?;
        let (told, tell) = ours;
        Ok(Self { child, told, tell })
    }

    /// A child that is an ordinary process of this user.
    pub fn of(user: &str, work: impl FnOnce(&Cue) -> Outcome) -> Outcome<Self> {
        Self::start(|cue| {
            become_ordinary(user)?;
            work(cue)
        })
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.child.0
    }

    /// Waits until it says that it is ready.
    pub fn ready(&mut self) -> Outcome {
        self.hears(READY)
    }

    /// The number that it tells.
    pub fn number(&mut self) -> Outcome<u64> {
        self.hears(NUMBER)?;
        let mut number = [0u8; 8];
        self.told.read_exact(&mut number)?;
        Ok(u64::from_ne_bytes(number))
    }

    fn hears(&mut self, wanted: u8) -> Outcome {
        let mut mark = [0u8];
        match self.told.read(&mut mark)? {
            1 if mark[0] == wanted => Ok(()),
            1 if mark[0] == FAILED => Err(self.why()),
            1 => Err(fail(format!("the actor says {:?}", char::from(mark[0])))),
            _ => Err(fail("the actor died")),
        }
    }

    /// Lets it go on.
    pub fn go(&self) -> Outcome {
        Ok((&self.tell).write_all(b"g")?)
    }

    /// Waits for the end of one that does not come to say that it is done.
    pub fn died(self) -> Outcome<Ended> {
        let Self { child, .. } = self;
        Ok(child.wait()?)
    }

    /// Waits for its end; its failure is the caller's.
    pub fn end(mut self) -> Outcome {
        let mut mark = [0u8];
        let read = self.told.read(&mut mark)?;
        let said = match (read, mark[0]) {
            (1, DONE) => Ok(()),
            (1, FAILED) => Err(self.why()),
            (1, _) => Err(fail("the actor waits for more")),
            _ => Err(fail("the actor died")),
        };
        let Self { child, told, tell } = self;
        // One that waits for more is told that there is none.
        drop((told, tell));
        let ended = child.wait()?;
        said?;
        match ended {
            Ended::Exit(0) => Ok(()),
            ended => Err(fail(format!("the actor: {ended:?}"))),
        }
    }

    fn why(&mut self) -> Failure {
        let mut why = String::new();
        match self.told.read_to_string(&mut why) {
            Ok(_) => Failure::Failed(why),
            Err(error) => fail(format!("the actor's failure: {error}")),
        }
    }
}

/// Plays a part from beginning to end.
pub fn play(user: &str, work: impl FnOnce() -> Outcome) -> Outcome {
    Actor::of(user, |_| work())?.end()
}
