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
            " (ABI 4.8)\n"
        )
    );
    assert!(output.stderr.is_empty());
}

#[test]
fn help_names_every_group_of_options() {
    let output = rtctl(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = text(&output.stdout);
    for heading in [
        "Probes:",
        "Processes:",
        "Output:",
        "Recording:",
        "Instead of tracing:",
    ] {
        assert!(help.contains(heading), "{heading}");
    }
}

#[test]
fn every_subcommand_has_help_of_its_own() {
    for (name, says) in [
        ("sessions", "--format"),
        ("revoke", "--user <NAME>"),
        ("observe", "<NAME|ID>"),
        ("doctor", "exit status is 0"),
    ] {
        let output = rtctl(&[name, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{name}");
        assert!(text(&output.stdout).contains(says), "{name}");
    }
}

#[test]
fn a_wrong_command_line_is_status_2_on_standard_error() {
    for line in [
        &["-y"][..],
        &["-q"],
        &["-n"],
        &[],
        &["session"],
        &["revoke"],
    ] {
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
            &["-n", "entry", "-x", "nosuch"][..],
            "rtctl: failed to set -x nosuch: Invalid option name\n",
        ),
        (
            &["-n", "entry", "-b", "much"],
            "rtctl: failed to set -b much: Invalid value for specified option\n",
        ),
        (
            &["-n", "entry", "-x", "-3"],
            "rtctl: failed to set -x -3: Invalid option name\n",
        ),
        (
            &["observe", "-x", "bufsize=1m", "reads"],
            "rtctl: failed to set -x bufsize: it is for who records, not for observers\n",
        ),
        (
            &["-f", "a:b:c:d"],
            "rtctl: invalid probe specifier a:b:c:d: invalid probe description \"a:b:c:d\": \
             Overspecified probe description\n",
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
        ("rtctl.8", ".SS rtctl doctor"),
        ("rtctl.bash", "--target-only"),
        ("rtctl.bash", "rtctl__subcmd__observe"),
        ("_rtctl", "#compdef rtctl"),
        ("rtctl.fish", "target-only"),
    ] {
        let text = std::fs::read_to_string(directory.path().join(file)).unwrap();
        assert!(text.contains(holds), "{file}");
    }
}
