// SPDX-License-Identifier: GPL-2.0-only
//! `rtctl verify FILE`: is a trace that was written with `-x chain=on` as it was
//! written?
//!
//! Every link is computed again. What was removed leaves a gap in the numbers and a
//! hash that does not follow from the one before; what was changed, or stands
//! elsewhere, has another hash. The output itself is compared piece by piece.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use sha2::{Digest, Sha256};

use crate::access::plain;
use crate::chain::{HEAD, Hash, Kind, MAGIC, OUTPUT, beside, genesis, hex, link_hash};
use crate::output::array;

/// What to verify.
#[derive(Clone, Debug, clap::Args)]
pub struct Verifying {
    /// The output of a trace, with its chain beside it (FILE.chain), or a chain alone
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// The digest that was printed when the trace ended
    #[arg(long, value_name = "HEX")]
    pub digest: Option<String>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What a chain is found to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Links that are as they were.
    pub links: u64,
    /// Records among them.
    pub records: u64,
    /// CPUs that they are of.
    pub cpus: usize,
    /// Bytes of the output that were compared; `None`: it was not there.
    pub output: Option<u64>,
    /// The hash of the end.
    pub digest: Option<String>,
    /// What is not as it was.
    pub wrong: Vec<String>,
}

/// A link of a file.
struct Link<'a> {
    kind: u32,
    lane: u32,
    number: u64,
    head: &'a [u8; HEAD],
    payload: &'a [u8],
    hash: Hash,
}

impl<'a> Link<'a> {
    fn take(file: &mut &'a [u8]) -> Option<Self> {
        let (head, rest) = file.split_first_chunk::<HEAD>()?;
        let part = |at: usize| {
            let bytes = [head[at], head[at + 1], head[at + 2], head[at + 3]];
            u32::from_le_bytes(bytes)
        };
        let number = u64::from(part(8)) | (u64::from(part(12)) << 32);
        let (payload, rest) = rest.split_at_checked(part(16).try_into().ok()?)?;
        let (hash, rest) = rest.split_first_chunk::<32>()?;
        *file = rest;
        Some(Self {
            kind: part(0),
            lane: part(4),
            number,
            head,
            payload,
            hash: *hash,
        })
    }

    /// What to call it in a message.
    fn name(&self) -> String {
        let number = self.number;
        match self.lane {
            OUTPUT => format!("link {number} (of the output)"),
            _ if self.kind == Kind::End.number() => format!("link {number} (the end)"),
            cpu => {
                let time = self.payload.first_chunk::<8>();
                let time = time.map_or(0, |time| u64::from_le_bytes(*time));
                format!("link {number} (CPU {cpu}, time {time})")
            }
        }
    }
}

/// Verifies a file. Returns whether it is as it was written.
pub fn run(verifying: &Verifying, out: &mut impl Write) -> Result<bool> {
    let file = &verifying.file;
    let read = |path: &Path| {
        fs::read(path).map_err(|error| anyhow!("{}: {}", path.display(), plain(&error)))
    };
    let given = read(file)?;
    let (chain, output) = match given.starts_with(MAGIC) {
        true => {
            let name = file.as_os_str().to_string_lossy();
            let output = name.strip_suffix(".chain").map(PathBuf::from);
            (given, output.and_then(|path| fs::read(path).ok()))
        }
        false => (read(&beside(file))?, Some(given)),
    };
    let mut verdict = verify(&chain, output.as_deref());
    if let Some(wanted) = &verifying.digest {
        if verdict.digest.as_deref() != Some(wanted.trim_start_matches("sha256:")) {
            let wrong = "the digest of the whole is not the one given: it is another chain";
            verdict.wrong.push(wrong.into());
        }
    }
    match verifying.json {
        true => array(out, std::iter::once(verdict.json()))?,
        false => verdict.text(out)?,
    }
    out.flush()?;
    Ok(verdict.wrong.is_empty())
}

/// Computes a chain again, and compares the output if there is one.
pub fn verify(chain: &[u8], output: Option<&[u8]>) -> Verdict {
    let mut verdict = Verdict::default();
    let Some((mut rest, genesis)) = header(chain) else {
        verdict
            .wrong
            .push("this is no chain, or its beginning was changed".into());
        return verdict;
    };
    let mut lanes = BTreeMap::<u32, (u64, Hash)>::new();
    let mut next = 0;
    let mut ended = false;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let Some(link) = Link::take(&mut rest) else {
            let left = rest.len();
            verdict.wrong.push(format!(
                "the last {left} bytes are no link: the file was cut off"
            ));
            break;
        };
        if ended {
            verdict
                .wrong
                .push(format!("{} stands behind the end", link.name()));
            break;
        }
        match link.number {
            number if number == next => {}
            number if number > next => {
                let (missing, last) = (number - next, number - 1);
                let which = match missing {
                    1 => format!("link {next} is missing"),
                    _ => format!("links {next} to {last} are missing"),
                };
                verdict.wrong.push(which);
            }
            _ => verdict
                .wrong
                .push(format!("{} stands too late", link.name())),
        }
        next = link.number.saturating_add(1);
        let (count, before) = lanes.entry(link.lane).or_insert((0, genesis));
        let right = link_hash(before, link.head, link.payload) == link.hash;
        (*count, *before) = (*count + 1, link.hash);
        if !right {
            verdict.wrong.push(format!(
                "{} does not follow from the one before: it was changed, or that one was, or is missing",
                link.name()
            ));
        }
        verdict.links += u64::from(right);
        match Kind::ALL.iter().find(|(_, number)| *number == link.kind) {
            Some((Kind::Record, _)) => verdict.records += u64::from(right),
            Some((Kind::Output, _)) => pieces.push(link),
            Some((Kind::Cut, _)) => pieces.clear(),
            Some((Kind::End, _)) => {
                ended = true;
                lanes.remove(&link.lane);
                let mut expected = Vec::new();
                for (lane, (count, hash)) in &lanes {
                    expected.extend(lane.to_le_bytes());
                    expected.extend(count.to_le_bytes());
                    expected.extend(hash);
                }
                if expected != link.payload {
                    verdict
                        .wrong
                        .push("the end tells of other links than there are".into());
                }
                verdict.digest = Some(hex(&link.hash));
            }
            None => verdict
                .wrong
                .push(format!("{} is of an unknown kind", link.name())),
        }
    }
    if !ended {
        verdict
            .wrong
            .push("there is no end: the trace goes on, was killed, or was cut off".into());
    }
    verdict.cpus = lanes.keys().filter(|lane| **lane != OUTPUT).count();
    if let Some(output) = output {
        verdict.output = Some(compare(&pieces, output, &mut verdict.wrong));
    }
    verdict
}

/// What follows the header, and the hash before the first links.
fn header(chain: &[u8]) -> Option<(&[u8], Hash)> {
    let rest = chain.strip_prefix(MAGIC)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length).try_into().ok()?;
    let (header, rest) = rest.split_at_checked(length)?;
    Some((rest, genesis(header)))
}

/// Compares the output with its links. Returns how many bytes are as they were.
fn compare(pieces: &[Link<'_>], output: &[u8], wrong: &mut Vec<String>) -> u64 {
    let mut right = 0;
    let mut end = None;
    for piece in pieces {
        let (from, length, hash) = match piece.payload {
            payload if payload.len() == 48 => {
                let word = |at: usize| {
                    let bytes = payload[at..at + 8].iter().rev();
                    bytes.fold(0, |word: u64, byte| (word << 8) | u64::from(*byte))
                };
                (word(0), word(8), &payload[16..])
            }
            _ => {
                wrong.push(format!("{} is no piece of an output", piece.name()));
                continue;
            }
        };
        let range = usize::try_from(from).ok().zip(
            from.checked_add(length)
                .and_then(|end| usize::try_from(end).ok()),
        );
        let bytes = range.and_then(|(from, end)| output.get(from..end));
        end = from.checked_add(length);
        match bytes {
            Some(bytes) if Sha256::digest(bytes).as_slice() == hash => right += length,
            Some(_) => wrong.push(format!(
                "the output is not what was written, in the {length} bytes from byte {from} on"
            )),
            None => wrong.push(format!(
                "of the output the {length} bytes from byte {from} on are missing"
            )),
        }
    }
    let end = end.and_then(|end| usize::try_from(end).ok()).unwrap_or(0);
    if output.len() > end && !pieces.is_empty() {
        wrong.push(format!(
            "the output is {} bytes longer than what was written",
            output.len() - end
        ));
    }
    right
}

impl Verdict {
    fn text(&self, out: &mut impl Write) -> std::io::Result<()> {
        let Self {
            links,
            records,
            cpus,
            ..
        } = self;
        for wrong in &self.wrong {
            writeln!(out, "{wrong}")?;
        }
        let mark = if self.wrong.is_empty() {
            "ok"
        } else {
            "changed"
        };
        write!(
            out,
            "{mark}: {links} links follow one from the other, {records} records of {cpus} CPUs"
        )?;
        match self.output {
            Some(bytes) => write!(out, ", {bytes} bytes of output")?,
            None => write!(out, ", the output is not there")?,
        }
        match &self.digest {
            Some(digest) => writeln!(out, "; digest sha256:{digest}"),
            None => writeln!(out),
        }
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "kind": "chain", "ok": self.wrong.is_empty(), "links": self.links,
            "records": self.records, "cpus": self.cpus, "output": self.output,
            "digest": self.digest, "wrong": self.wrong,
        })
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
