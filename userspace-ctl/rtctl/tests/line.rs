// SPDX-License-Identifier: GPL-2.0-only
//! The tool as a process: what goes where, and with which status it exits. Nothing
//! here needs the module.

use std::process::{Command, Output};

fn rtctl(line: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rtctl"))
        .args(line)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_version_is_data() {
    let output = rtctl(&["-V"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        text(&output.stdout),
        concat!(
            "rtctl: rust_tracer ",
            env!("CARGO_PKG_VERSION"),
            " (ABI 1.0)\n"
        )
    );
    assert!(output.stderr.is_empty());
}

#[test]
fn help_names_every_group_of_options() {
    let output = rtctl(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = text(&output.stdout);
    for heading in ["Probes:", "Processes:", "Output:", "Recording:"] {
        assert!(help.contains(heading), "{heading}");
    }
}

#[test]
fn a_wrong_command_line_is_status_2_on_standard_error() {
    for line in [&["-y"][..], &["-q"], &["-n"], &[]] {
        let output = rtctl(line);
        assert_eq!(output.status.code(), Some(2), "{line:?}");
        assert!(output.stdout.is_empty());
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn an_error_is_status_1_on_standard_error() {
    for (line, said) in [
        (
            &["-n", "fbt::vfs_read:entry{trace(pid)}"][..],
            "D programs, which are not there yet",
        ),
        (&["-s", "x.d"], "rtctl: -s: D programs are not there yet"),
        (
            &["-n", "entry", "-x", "nosuch"],
            "rtctl: failed to set -x nosuch: Invalid option name\n",
        ),
        (
            &["-n", "entry", "-b", "much"],
            "rtctl: failed to set -b much: Invalid value for specified option\n",
        ),
        (
            &["-f", "a:b:c:d"],
            "rtctl: invalid probe specifier a:b:c:d: it has more than the 3 fields that fit here\n",
        ),
    ] {
        let output = rtctl(line);
        assert_eq!(output.status.code(), Some(1), "{line:?}");
        assert!(output.stdout.is_empty());
        let error = text(&output.stderr);
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn the_manual_and_the_completions_are_made() {
    let directory = tempfile::tempdir().unwrap();
    let made = Command::new(env!("CARGO_BIN_EXE_rtctl-docs"))
        .arg(directory.path())
        .status()
        .unwrap();
    assert!(made.success());
    for (file, holds) in [
        ("rtctl.8", ".TH RTCTL 8"),
        ("rtctl.bash", "--target-only"),
        ("_rtctl", "#compdef rtctl"),
        ("rtctl.fish", "target-only"),
    ] {
        let text = std::fs::read_to_string(directory.path().join(file)).unwrap();
        assert!(text.contains(holds), "{file}");
    }
}
