// SPDX-License-Identifier: GPL-2.0-only
//! What the fake module knows of other sessions, and its session seen by an
//! observer.

#![forbid(unsafe_code)]

use std::os::fd::BorrowedFd;
use std::sync::Arc;

use rustix::io::Errno;

use super::{Fake, State, put};
use crate::abi;
use crate::device::{Area, Command, Device, Memory};
use crate::others::{Quota, Whose};

/// What the test decided about others, and what came of it.
#[derive(Debug, Default)]
pub(super) struct Others {
    sessions: Vec<(abi::rtrace_session, &'static str)>,
    revoked: Vec<Whose>,
    published: Option<String>,
    symbols: Vec<(u64, &'static str)>,
    asked: usize,
    looks: usize,
    quota: Quota,
}

impl Fake {
    /// Makes this one of the sessions that are listed, by this published name if
    /// it is not empty.
    pub fn add_session(&self, mut session: abi::rtrace_session, name: &'static str) {
        session.name_len = name.len() as u32;
        if !name.is_empty() {
            session.flags |= abi::RTRACE_SESSION_PUBLISHED;
        }
        self.lock().others.sessions.push((session, name));
    }

    /// Forgets the sessions that were listed.
    pub fn clear_sessions(&self) {
        self.lock().others.sessions.clear();
    }

    /// What was revoked, in order.
    pub fn revoked(&self) -> Vec<Whose> {
        self.lock().others.revoked.clone()
    }

    /// The name by which the session is published.
    pub fn published(&self) -> Option<String> {
        self.lock().others.published.clone()
    }

    /// How often an observer has asked for the session's status.
    pub fn looks(&self) -> usize {
        self.lock().others.looks
    }

    /// Gives an address a name.
    pub fn add_symbol(&self, address: u64, name: &'static str) {
        self.lock().others.symbols.push((address, name));
    }

    /// How often the name of an address was asked for.
    pub fn symbols_asked(&self) -> usize {
        self.lock().others.asked
    }

    /// Sets what QUOTA answers.
    pub fn set_quota(&self, quota: Quota) {
        self.lock().others.quota = quota;
    }
}

impl State {
    pub(super) fn carry_out_access(&mut self, command: Command<'_>) -> Result<(), Errno> {
        let others = &mut self.others;
        match command {
            // One entry per call, so that going on is tested as well.
            Command::Sessions { arg, buf } => {
                let from = arg.cursor as usize;
                let found = others.sessions.get(from);
                arg.count = u32::from(found.is_some());
                arg.filled = match found {
                    Some((head, name)) => put(buf, *head, [name, "", ""])?,
                    None => 0,
                };
                let more = from + 1 < others.sessions.len();
                arg.cursor = if more { arg.cursor + 1 } else { 0 };
            }
            Command::Revoke(arg) => {
                let by_user = arg.flags & abi::RTRACE_REVOKE_USER != 0;
                let whose = match by_user {
                    true => Whose::Uid(arg.uid),
                    false => Whose::Id(arg.id),
                };
                let named = others.sessions.iter().filter(|(it, _)| match whose {
                    Whose::Uid(uid) => it.uid == uid,
                    Whose::Id(id) => it.id == id,
                });
                arg.count = named.count() as u32;
                if arg.count == 0 && !by_user {
                    self.said = (Errno::NOENT.raw_os_error(), "there is no such session");
                    return Err(Errno::NOENT);
                }
                others.revoked.push(whose);
            }
            Command::Publish { name, .. } => {
                let name = String::from_utf8_lossy(name).into_owned();
                others.published = Some(name).filter(|name| !name.is_empty());
            }
            Command::Symbol { arg, buf } => {
                others.asked += 1;
                let found = others.symbols.iter().find(|(at, _)| *at == arg.address);
                let text = found.ok_or(Errno::NOENT)?.1.as_bytes();
                buf.get_mut(..text.len())
                    .ok_or(Errno::NOSPC)?
                    .copy_from_slice(text);
                arg.len = text.len() as u32;
            }
            Command::Quota(arg) => *arg = others.quota,
            // Its one session is no observer.
            _ => return Err(Errno::INVAL),
        }
        Ok(())
    }
}

/// An open file that can observe the session of a [`Fake`].
#[derive(Debug)]
pub struct FakeObserver(Arc<Fake>);

impl FakeObserver {
    /// Of this module.
    pub fn new(module: &Arc<Fake>) -> Arc<Self> {
        Arc::new(Self(Arc::clone(module)))
    }
}

impl Device for FakeObserver {
    fn command(&self, command: Command<'_>) -> Result<(), Errno> {
        let mut state = self.0.lock();
        state.others.looks += usize::from(matches!(command, Command::Status(_)));
        match command {
            Command::Observe { arg, name } => {
                let named = state.others.published.as_deref().map(str::as_bytes) == Some(name);
                let by_id = state.others.published.is_some() && arg.id == 1;
                if !named && !by_id {
                    return Err(Errno::NOENT);
                }
                arg.id = 1;
                Ok(())
            }
            Command::Read { arg, buf } => {
                let ring = match state.rings.get(arg.cpu as usize) {
                    _ if state.state == abi::RTRACE_STATE_IDLE => return Err(Errno::INVAL),
                    Some(Some(ring)) => ring,
                    _ => return Err(Errno::NXIO),
                };
                let (from, skipped, bytes) = ring.copy(arg.position, buf.len());
                buf[..bytes.len()].copy_from_slice(&bytes);
                (arg.position, arg.skipped, arg.filled) = (from, skipped, bytes.len() as u64);
                Ok(())
            }
            other => {
                drop(state);
                self.0.command(other)
            }
        }
    }

    fn map(&self, _: u32, _: Area, _: usize) -> Result<Memory, Errno> {
        Err(Errno::NXIO)
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
