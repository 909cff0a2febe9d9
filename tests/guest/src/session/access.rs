// SPDX-License-Identifier: GPL-2.0-only
//! The commands about other sessions, and those that only some nodes answer.

use rust_tracer::abi;
use zerocopy::IntoBytes;

use super::{Answer, Command, Session, each_entry};

/// The least bytes that [`Session::read`] takes.
pub const READ_MIN: usize = abi::RTRACE_RECORD_MAX as usize;

/// A session as `RTRACE_IOC_SESSIONS` lists it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The fixed part.
    pub head: abi::rtrace_session,
    /// The published name.
    pub name: String,
}

/// What `RTRACE_IOC_READ` copied.
#[derive(Clone, Debug, Default)]
pub struct Copied {
    /// The position of the first byte.
    pub position: u64,
    /// Bytes that were missed before it.
    pub skipped: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Session {
    /// `RTRACE_IOC_SESSIONS`, by as many calls as a buffer of this size needs.
    pub fn sessions_by(&self, buffer: usize) -> Answer<Vec<Listed>> {
        let mut bytes = vec![0u8; buffer];
        let mut found = Vec::new();
        let mut cursor = 0;
        loop {
            let mut request = abi::rtrace_sessions {
                buf: bytes.as_mut_ptr() as u64,
                buf_len: bytes.len() as u64,
                cursor,
                ..Default::default()
            }
            .sized();
            self.command(&mut request)?;
            let filled = &bytes[..request.filled as usize];
            let size = |head: &abi::rtrace_session| head.entry_size;
            each_entry(filled, request.count, size, |head, name| {
                found.push(Listed {
                    head,
                    name: String::from_utf8_lossy(&name[..head.name_len as usize]).into_owned(),
                });
            });
            cursor = request.cursor;
            if cursor == 0 {
                return Ok(found);
            }
        }
    }

    /// The sessions that it may know of.
    pub fn sessions(&self) -> Answer<Vec<Listed>> {
        self.sessions_by(1 << 16)
    }

    /// Ends the session of that id; returns how many were ended.
    pub fn revoke(&self, id: u64) -> Answer<u32> {
        let mut revoke = abi::rtrace_revoke {
            id,
            ..Default::default()
        }
        .sized();
        self.command(&mut revoke).map(|()| revoke.count)
    }

    /// Ends the sessions of a user.
    pub fn revoke_user(&self, uid: u32) -> Answer<u32> {
        let mut revoke = abi::rtrace_revoke {
            flags: abi::RTRACE_REVOKE_USER,
            uid,
            ..Default::default()
        }
        .sized();
        self.command(&mut revoke).map(|()| revoke.count)
    }

    /// Publishes it by that name; by none: no longer.
    pub fn publish(&self, name: &str) -> Answer {
        self.command(
            &mut abi::rtrace_publish {
                name: name.as_ptr() as u64,
                name_len: name.len() as u32,
                ..Default::default()
            }
            .sized(),
        )
    }

    /// Observes the session of that name; returns its id.
    pub fn observe(&self, name: &str) -> Answer<u64> {
        let mut observe = abi::rtrace_observe {
            name: name.as_ptr() as u64,
            name_len: name.len() as u32,
            ..Default::default()
        }
        .sized();
        self.command(&mut observe).map(|()| observe.id)
    }

    /// Observes the session of that id.
    pub fn observe_id(&self, id: u64) -> Answer<u64> {
        let mut observe = abi::rtrace_observe {
            id,
            ..Default::default()
        }
        .sized();
        self.command(&mut observe).map(|()| observe.id)
    }

    /// Copies what a CPU's ring of the observed session has from that position on.
    pub fn read(&self, cpu: u32, position: u64, room: usize) -> Answer<Copied> {
        let mut bytes = vec![0u8; room];
        let mut read = abi::rtrace_read {
            cpu,
            position,
            buf: bytes.as_mut_ptr() as u64,
            buf_len: bytes.len() as u64,
            ..Default::default()
        }
        .sized();
        self.command(&mut read)?;
        bytes.truncate(read.filled as usize);
        Ok(Copied {
            position: read.position,
            skipped: read.skipped,
            bytes,
        })
    }

    /// The name of a kernel address.
    pub fn symbol(&self, address: u64) -> Answer<String> {
        let mut text = vec![0u8; abi::RTRACE_SYMBOL_MAX as usize];
        let mut symbol = abi::rtrace_symbol {
            address,
            buf: text.as_mut_ptr() as u64,
            buf_len: text.len() as u32,
            ..Default::default()
        }
        .sized();
        self.command(&mut symbol)?;
        text.truncate(symbol.len as usize);
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// `RTRACE_IOC_QUOTA`
    pub fn quota(&self) -> Answer<abi::rtrace_quota> {
        let mut quota = abi::rtrace_quota::default().sized();
        self.command(&mut quota).map(|()| quota)
    }

    /// The bytes that each listing answers, whole: the structures and what they fill.
    pub fn every_answer(&self) -> Answer<Vec<(&'static str, Vec<u8>)>> {
        let mut answers = Vec::new();
        let mut buffer = vec![0u8; 1 << 18];
        // What the caller put in is no answer: pointers come back as they went.
        macro_rules! fill {
            ($what:literal, $structure:ident { $($field:ident: $value:expr),* }) => {{
                buffer.fill(0);
                let mut request = abi::$structure {
                    buf: buffer.as_mut_ptr() as u64,
                    buf_len: buffer.len() as u64,
                    $($field: $value,)*
                    ..Default::default()
                }
                .sized();
                self.command(&mut request)?;
                request.buf = 0;
                let mut bytes = request.as_bytes().to_vec();
                bytes.extend_from_slice(&buffer);
                answers.push(($what, bytes));
                request
            }};
        }
        fill!("PROBES", rtrace_probes {});
        fill!("SESSIONS", rtrace_sessions {});
        fill!("LEDGER", rtrace_ledger {});
        let all = abi::RTRACE_FUNCTIONS_UNTRACEABLE | abi::RTRACE_FUNCTIONS_ALIASES;
        let mut cursor = 0;
        loop {
            cursor = fill!(
                "FUNCTIONS",
                rtrace_functions {
                    flags: all,
                    cursor: cursor
                }
            )
            .cursor;
            if cursor == 0 {
                break;
            }
        }
        answers.push(("STATUS", self.status()?.as_bytes().to_vec()));
        answers.push(("INFO", self.info()?.as_bytes().to_vec()));
        answers.push(("QUOTA", self.quota()?.as_bytes().to_vec()));
        Ok(answers)
    }
}
