// SPDX-License-Identifier: GPL-2.0-only
//! Sessions of the rust_tracer kernel module, and their records.
//!
//! A session is one open file of the module. Its records lie in rings, one for
//! each CPU, mapped into this process and read without a system call.
//!
//! ```no_run
//! use std::convert::Infallible;
//! use std::time::Duration;
//!
//! use rust_tracer::{Config, Kind, Node, Pattern, Session, Sums};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let session = Session::open(Node::Kernel)?; // errors carry the module's sentence
//! session.configure(&Config { ring_bytes: 1 << 20, ..Config::default() })?; // optional
//! let added = session.add(&Pattern::function("vfs_read"))?; // entry and return
//! session.add(&Pattern { module: "ext4".into(), ..Pattern::function("ext4_*").only(Kind::Entry) })?;
//! let probes = session.probes(0)?; // probes[n].index == n
//! session.start()?;
//! let mut trace = session.trace()?; // or session.rings(): CPU by CPU, not merged
//! for _ in 0..10 {
//!     session.wait(Duration::from_millis(100))?; // watermark, end, or timeout
//!     trace.look(|record| {
//!         if let Some(at) = record.event.firing() {
//!             println!("{} {} {:?}", record.time, probes[at.probe as usize], record.event);
//!         }
//!         Ok::<_, Infallible>(())
//!     })?;
//! }
//! session.stop()?;
//! trace.finish(|_| Ok::<_, Infallible>(()))?; // all that is left, in order
//! let rows = session.ledger(Sums { cpus: true, ..Sums::default() })?; // one row per probe
//! assert!(rows.iter().all(|row| row.holds()));
//! # Ok(()) }
//! ```
//!
//! | to … | read |
//! |---|---|
//! | know a structure or number of the ABI | [`abi`], and the header it is made from |
//! | follow a record from the ring to the caller | [`ring`], [`parse`], [`merge`], [`settle`], [`trace`] |
//! | see, end, publish or observe sessions of others | [`Session::sessions`], [`Session::revoke`], [`Session::publish`], [`Observer`] |
//! | know what the kernel is, apart from what it says elsewhere | [`views`], [`Session::view`] |
//! | start a command under trace | [`child`] |
//! | test without the module | `fake` (feature of the same name) |

pub mod abi;
pub mod child;
pub mod device;
mod error;
#[cfg(feature = "fake")]
pub mod fake;
mod function;
pub mod ledger;
pub mod merge;
mod node;
mod observer;
mod others;
pub mod parse;
mod record;
pub mod ring;
mod rings;
mod session;
pub mod settle;
mod source;
mod sys;
pub mod trace;
pub mod views;

pub use error::{Error, Result};
pub use function::{Function, Kind, Probe, Query, Way, Why};
pub use ledger::{Row, Sums};
pub use merge::Merge;
pub use node::{Access, Node};
pub use observer::{Observer, Subject};
pub use others::{Listed, Quota, Whose, reason_name, state_name};
pub use record::{Context, Event, ExecName, Firing, Record, Who};
pub use ring::Verdict;
pub use rings::Rings;
pub use session::{Added, Config, Info, Pattern, Policy, Session, Started, Status};
pub use trace::{Ended, Look, Lost, Trace};
