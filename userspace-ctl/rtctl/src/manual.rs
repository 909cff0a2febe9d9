// SPDX-License-Identifier: GPL-2.0-only
//! The manual page: the command line's definition, and sections about what no
//! option's text can tell.

use std::io;

use clap::CommandFactory;
use clap_mangen::Man;

use crate::cli::Args;

/// Sections that follow the options, in roff.
const SECTIONS: &str = include_str!("manual.roff");

/// How it is called: the options in full would say less.
const SYNOPSIS: &str = r"
.SH SYNOPSIS
.SY rtctl
.RI [ OPTIONS ]
.RB { \-n
.IR PROBE \ |
.B \-f
.IR FUNCTION \ |
.B \-m
.IR MODULE \ |
.B \-P
.IR PROVIDER }...
.SY rtctl
.B \-l
.RI [ OPTIONS ]
.RB [ \-n
.IR PROBE \ |
.B \-f
.IR FUNCTION \ |
.B \-m
.IR MODULE \ |
.B \-P
.IR PROVIDER ]...
.YS
";

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
    page.extend_from_slice(SYNOPSIS.as_bytes());
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    page.extend_from_slice(SECTIONS.as_bytes());
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_option_and_section() {
        let page = String::from_utf8(page().unwrap()).unwrap();
        for option in Args::command()
            .get_arguments()
            .filter(|it| !it.is_hide_set())
        {
            let name = match (option.get_short(), option.get_long()) {
                (Some(short), _) => format!("\\-{short}"),
                (None, Some(long)) => format!("\\-\\-{}", long.replace('-', "\\-")),
                (None, None) => continue,
            };
            assert!(page.contains(&name), "{name}");
        }
        for section in ["NAME", "SYNOPSIS", "OPTIONS", "EXAMPLES", "EXIT STATUS"] {
            assert!(page.contains(&format!(".SH {section}")), "{section}");
        }
    }
}
