// SPDX-License-Identifier: GPL-2.0-only
//! What the ring costs on this machine, in ns: the module's own ring code as the writer, and rtctl's
//! own code as the reader, both in this process.
//!
//! It checks the figures of `make bench` that count instructions: on silicon there are caches, and
//! not every instruction costs the same. A busy machine makes every figure worse and none better,
//! so the best of many rounds is printed. A line for each: `native ID UNIT VALUE`.

#[path = "../../../../rust_tracer/arch/words.rs"]
#[allow(dead_code, unsafe_code, reason = "the ring uses a part")]
mod arch;
mod memory;
mod reader;
#[path = "../../../../rust_tracer/ring/mod.rs"]
#[allow(dead_code, unused_imports, reason = "each build uses a part")]
mod ring;
mod writer;

use std::cell::Cell;

/// Bytes of the rings: what rtctl asks for if it is not told otherwise.
const RING_BYTES: u64 = 4 << 20;

/// How often each thing is measured.
const ROUNDS: u32 = 50;

fn main() -> anyhow::Result<()> {
    let count = Cell::new(0);
    let counted = writer::write(|| count.replace(count.get() + 1))?;
    println!("native write-no-clock ns {counted:.1}");
    println!("native write-tsc ns {:.1}", writer::write(writer::tsc)?);
    for (name, reading) in reader::READINGS {
        let speed = reader::read(reading)?;
        println!("native read-{name} ns {:.1}", speed.ns());
        println!(
            "native read-{name} records/s {:.0}",
            speed.records_a_second()
        );
        println!("native read-{name} GB/s {:.3}", speed.gigabytes_a_second());
    }
    Ok(())
}
