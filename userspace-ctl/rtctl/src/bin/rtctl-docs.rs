// SPDX-License-Identifier: GPL-2.0-only
//! Writes the manual page and the shell completions, from the tool's own
//! definition of its command line: `cargo run -p rtctl --bin rtctl-docs -- DIR`
//! makes `DIR/rtctl.8`, `DIR/rtctl.bash`, `DIR/_rtctl` (zsh) and `DIR/rtctl.fish`.

#![forbid(unsafe_code)]

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{CommandFactory, ValueEnum};
use clap_complete::{Shell, generate_to};
use rtctl::cli::Args;

fn main() -> Result<()> {
    let directory = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .context("usage: rtctl-docs DIRECTORY")?;
    std::fs::create_dir_all(&directory)?;
    let mut command = Args::command();
    for shell in Shell::value_variants() {
        if matches!(shell, Shell::Bash | Shell::Zsh | Shell::Fish) {
            generate_to(*shell, &mut command, "rtctl", &directory)?;
        }
    }
    let page = rtctl::manual::page()?;
    std::fs::write(directory.join("rtctl.8"), page)?;
    Ok(())
}
