// SPDX-License-Identifier: GPL-2.0-only
//! Buffers larger than there can be: lowered and told, or refused, as `bufresize` says.

use anyhow::{Result, anyhow};
use rust_tracer::Info;

use crate::options::show_size;
use crate::speaker::Speaker;

/// The part of the machine's memory that a buffer is lowered to, on all CPUs together: there may be
/// others, and what traces must not be what the machine dies of.
const PART: u64 = 16;

/// A buffer that an option gives the size of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buffer {
    /// `bufsize`
    Records,
    /// `aggsize`
    Aggregations,
    /// `specsize`
    Speculation,
    /// `dynvarsize`
    Variables,
}

impl Buffer {
    /// As dtrace calls it.
    fn name(self) -> &'static str {
        match self {
            Self::Records => "buffer",
            Self::Aggregations => "aggregation",
            Self::Speculation => "speculation",
            Self::Variables => "dynamic variable",
        }
    }

    /// The bytes that it gets if `asked` are asked for. More than the module ever gives are lowered
    /// (`auto`), or refused.
    pub fn settle(self, asked: u64, info: &Info, auto: bool, says: &mut Speaker) -> Result<u64> {
        if asked <= info.ring_max {
            return Ok(asked);
        }
        if !auto {
            return Err(anyhow!(
                "could not enable tracing: {} size of {} is more than the {} that there can be: \
                 ask for less, or set bufresize=auto",
                self.name(),
                show_size(asked),
                show_size(info.ring_max)
            ));
        }
        let given = lowered(memory(), info);
        let (name, shown) = (self.name(), show_size(given));
        says.error(&format!("{name} size lowered to {shown}"));
        Ok(given)
    }
}

/// Bytes of the machine's memory.
fn memory() -> u64 {
    let machine = rustix::system::sysinfo();
    machine.totalram.saturating_mul(machine.mem_unit.into())
}

/// What a buffer on each CPU of a machine with this memory is lowered to: a power of two.
fn lowered(memory: u64, info: &Info) -> u64 {
    let part = memory / PART / u64::from(info.cpus.max(1));
    1 << part.min(info.ring_max).max(info.ring_min).max(1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speaker::tests::Heard;

    fn info(cpus: u32) -> Info {
        Info {
            cpus,
            ring_min: 64 << 10,
            ring_max: 1 << 30,
            ..Info::default()
        }
    }

    #[test]
    fn what_there_can_be_is_given() {
        let (heard, mut says) = Heard::speaker(false);
        let given = Buffer::Aggregations.settle(1 << 30, &info(4), false, &mut says);
        assert_eq!(given.unwrap(), 1 << 30);
        assert_eq!(heard.text(), "");
    }

    #[test]
    fn more_is_lowered_and_told() {
        let (heard, mut says) = Heard::speaker(true);
        let given = Buffer::Aggregations.settle(100 << 40, &info(4), true, &mut says);
        let given = given.unwrap();
        assert!(given <= 1 << 30);
        let told = format!("rtctl: aggregation size lowered to {}\n", show_size(given));
        assert_eq!(heard.text(), told);
    }

    #[test]
    fn more_is_refused_if_it_may_not_be_lowered() {
        let (_, mut says) = Heard::speaker(false);
        let refused = Buffer::Speculation.settle(100 << 40, &info(4), false, &mut says);
        assert_eq!(
            refused.unwrap_err().to_string(),
            "could not enable tracing: speculation size of 102400g is more than the 1g that there \
             can be: ask for less, or set bufresize=auto"
        );
    }

    #[test]
    fn all_cpus_together_get_a_part_of_the_memory() {
        assert_eq!(lowered(4 << 30, &info(4)), 64 << 20);
        assert_eq!(lowered(5 << 30, &info(4)), 64 << 20);
        assert_eq!(lowered(1 << 50, &info(4)), 1 << 30);
        assert_eq!(lowered(1 << 20, &info(64)), 64 << 10);
    }
}
