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
.IR PROVIDER \ |
.B \-i
.IR ID \ |
.B \-s
.IR SCRIPT }...
.RI [ ARGUMENT ]...
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
.IR PROVIDER \ |
.B \-i
.IR ID \ |
.B \-s
.IR SCRIPT ]...
.SY rtctl
.B sessions
.RB [ \-\-format
.IR FORM ]
.SY rtctl
.B revoke
.RI { ID ...\ |
.B \-\-user
.IR NAME }
.SY rtctl
.B observe
.RI [ OPTIONS ]\  NAME | ID
.SY rtctl
.B doctor
.RB [ \-\-format
.IR FORM ]
.SY rtctl
.B check
.RI [ OPTIONS ]\  [ CHECK ]...
.SY rtctl
.B hooks
.RB [ \-\-json ]
.RI [ PATTERN ]
.SY rtctl
.B verify
.RB [ \-\-digest
.IR HEX ]\  FILE
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
    subcommands(&mut page)?;
    page.extend_from_slice(SECTIONS.as_bytes());
    Ok(page)
}

/// What each subcommand is for, and its options.
fn subcommands(page: &mut Vec<u8>) -> io::Result<()> {
    page.extend_from_slice(b".SH SUBCOMMANDS\n");
    for command in Args::command().get_subcommands() {
        let name = command.get_name().to_owned();
        let man = Man::new(command.clone().disable_help_flag(true));
        let mut part = Vec::new();
        man.render_description_section(&mut part)?;
        man.render_options_section(&mut part)?;
        let part = String::from_utf8_lossy(&part);
        // The page is one: what would be sections of its own are parts of this one.
        let lines = part.lines().filter(|line| !line.starts_with(".SH "));
        page.extend_from_slice(format!(".SS rtctl {name}\n").as_bytes());
        for line in lines {
            page.extend_from_slice(line.as_bytes());
            page.push(b'\n');
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_option_and_section() {
        let page = String::from_utf8(page().unwrap()).unwrap();
        let command = Args::command();
        let commands = std::iter::once(&command).chain(command.get_subcommands());
        let options = commands.flat_map(|command| command.get_arguments());
        for option in options.filter(|it| !it.is_hide_set()) {
            let name = match (option.get_short(), option.get_long()) {
                (Some(short), _) => format!("\\-{short}"),
                (None, Some(long)) => format!("\\-\\-{}", long.replace('-', "\\-")),
                (None, None) => continue,
            };
            assert!(page.contains(&name), "{name}");
        }
        for command in command.get_subcommands() {
            let section = format!(".SS rtctl {}\n", command.get_name());
            assert!(page.contains(&section), "{section}");
        }
        for section in ["NAME", "SYNOPSIS", "OPTIONS", "EXAMPLES", "EXIT STATUS"] {
            assert!(page.contains(&format!(".SH {section}")), "{section}");
        }
    }
}
