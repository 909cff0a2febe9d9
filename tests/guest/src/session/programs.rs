// SPDX-License-Identifier: GPL-2.0-only
//! The commands that have to do with programs.

#![forbid(unsafe_code)]

use rust_tracer::abi;

use super::{Answer, Command, Session, each_entry, split};
use crate::program::Program;

/// What was aggregated under one tuple of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregated {
    /// Index of the aggregation.
    pub aggregation: u32,
    /// Its keys.
    pub keys: Vec<u64>,
    /// Its data.
    pub words: Vec<u64>,
}

impl Session {
    /// `RTRACE_IOC_PROGRAM`
    pub fn load(&self, program: &Program) -> Answer {
        self.command(&mut program.argument())
    }

    /// The same, refused: the text, and the instruction that it is about.
    pub fn load_refused(&self, program: &Program) -> Option<(super::Refused, u32)> {
        let mut argument = program.argument();
        let refused = self.command(&mut argument).err()?;
        Some((refused, argument.instruction))
    }

    /// Adds the probes of `MODULE:FUNCTION` to a group.
    pub fn add_to(&self, pattern: &str, flags: u32, group: u32) -> Answer<abi::rtrace_add> {
        let (module, function) = split(pattern);
        let mut add = abi::rtrace_add {
            flags,
            module: module.as_ptr() as u64,
            module_len: module.len() as u32,
            function: function.as_ptr() as u64,
            function_len: function.len() as u32,
            group,
            ..Default::default()
        }
        .sized();
        self.command(&mut add).map(|()| add)
    }

    /// Adds a probe of the module's own; its index.
    pub fn add_own(&self, kind: u32, group: u32, period: u64, name: &str) -> Answer<u32> {
        let mut add = abi::rtrace_add_own {
            kind,
            group,
            period,
            name: name.as_ptr() as u64,
            name_len: name.len() as u32,
            ..Default::default()
        }
        .sized();
        self.command(&mut add).map(|()| add.index)
    }

    /// What was aggregated on a CPU since the last time, by as many calls as a buffer of this size
    /// needs.
    pub fn aggregate(&self, cpu: u32, buffer: usize) -> Answer<Vec<Aggregated>> {
        let mut bytes = vec![0u8; buffer];
        let mut found = Vec::new();
        let mut cursor = 0;
        loop {
            let mut request = abi::rtrace_aggregate {
                cpu,
                buf: bytes.as_mut_ptr() as u64,
                buf_len: bytes.len() as u64,
                cursor,
                ..Default::default()
            }
            .sized();
            self.command(&mut request)?;
            let filled = &bytes[..request.filled as usize];
            let size = |head: &abi::rtrace_aggregate_entry| head.entry_size;
            each_entry(filled, request.count, size, |head, data| {
                let keys = head.key_bytes as usize / 8;
                let words: Vec<u64> = data[..(keys + head.words as usize) * 8]
                    .chunks_exact(8)
                    .map(|word| u64::from_ne_bytes(word.try_into().expect("eight bytes")))
                    .collect();
                let (keys, words) = words.split_at(keys);
                found.push(Aggregated {
                    aggregation: head.aggregation,
                    keys: keys.to_vec(),
                    words: words.to_vec(),
                });
            });
            cursor = request.cursor;
            if cursor == 0 {
                return Ok(found);
            }
        }
    }
}
