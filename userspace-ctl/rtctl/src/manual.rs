// SPDX-License-Identifier: GPL-2.0-only
//! The manual page: the command line's definition, and sections about what no
//! option's text can tell.

use std::io;

use clap::CommandFactory;
use clap_mangen::Man;

use crate::cli::Args;

/// Sections that follow the options, in roff.
const SECTIONS: &str = include_str!("manual.roff");

/// rtctl(8).
pub fn page() -> io::Result<Vec<u8>> {
    let command = Args::command();
    let man = Man::new(command)
        .title("RTCTL")
        .section("8")
        .manual("System administration");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    page.extend_from_slice(SECTIONS.as_bytes());
    Ok(page)
}
