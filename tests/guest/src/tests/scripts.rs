// SPDX-License-Identifier: GPL-2.0-only
//! D scripts and what they print: tests/d, chapter by chapter.
//!
//! | file | what it says |
//! |---|---|
//! | `tst.NAME.d` | a script that runs, and ends with status 0 or as `@status:` says |
//! | `tst.NAME.out` | its standard output, to the character |
//! | `tst.NAME.glob` | its standard output, each line a glob |
//! | `err.TAG.NAME.d` | a script that is refused with this tag of DTrace's |
//! | any other `err.NAME.d` | a script that is refused, or ends with another status than 0 |
//!
//! Words in a script's comments say how it is run: `@options:` before `-s`, `@arguments:` behind it,
//! `@status:` and `@stderr:` (what must stand there). What says `@needs: cpp` is refused without one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use glob::Pattern as Glob;

use super::tool::text;
use crate::options::Options;
use crate::test::{Group, Outcome, Test, check, fail};
use crate::waiting::PATIENCE_S;

macro_rules! chapters {
    ($($name:ident,)*) => {
        pub const GROUP: Group = Group {
            name: "D",
            tests: &[
                $(Test {
                    name: concat!(
                        "scripts of the chapter ", stringify!($name), " do what they say"
                    ),
                    run: $name,
                },)*
                Test {
                    name: "what is refused is refused with its tag",
                    run: refusals,
                },
                Test {
                    name: "each chapter has a test",
                    run: each_chapter_is_here,
                },
                Test {
                    name: "each example runs while a command does",
                    run: examples,
                },
            ],
            slots: true,
        };
        const CHAPTERS: &[&str] = &[$(stringify!($name)),*];
        $(fn $name(options: &Options) -> Outcome { chapter(options, stringify!($name)) })*
    };
}

chapters! {
    structure,
    types,
    variables,
    operators,
    pointers,
    strings,
    structs,
    translators,
    aggregations,
    actions,
    subroutines,
    buffers,
    printf,
    speculation,
    options,
    providers,
    scripting,
    errors,
    kernel,
}

fn folder(options: &Options) -> Outcome<PathBuf> {
    let modules = crate::target::folder(options);
    Ok(modules.join("d"))
}

fn each_chapter_is_here(options: &Options) -> Outcome {
    for entry in fs::read_dir(folder(options)?)? {
        let name = entry?.file_name();
        check!(
            CHAPTERS.iter().any(|chapter| name == **chapter),
            "{} has no test",
            name.to_string_lossy()
        );
    }
    Ok(())
}

/// The scripts of userspace-ctl/examples; their comments say how they are run, as those of tests/d.
fn examples(options: &Options) -> Outcome {
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(crate::target::folder(options).join("examples"))? {
        let path = entry?.path();
        println!("{}", path.display());
        count += 1;
        if let Err(why) = run(&path) {
            wrong.push(format!("{}: {why}", path.display()));
        }
    }
    check!(count >= 20, "there are only {count}");
    check!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// The scripts of a chapter whose names begin so.
fn scripts(options: &Options, chapter: &str, begin: &str) -> Outcome<Vec<PathBuf>> {
    let mut scripts = Vec::new();
    for entry in fs::read_dir(folder(options)?.join(chapter))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(begin) && name.ends_with(".d") {
            scripts.push(path.clone());
        }
    }
    scripts.sort();
    Ok(scripts)
}

fn chapter(options: &Options, name: &str) -> Outcome {
    run_all(&scripts(options, name, "tst.")?)
}

fn refusals(options: &Options) -> Outcome {
    let mut all = Vec::new();
    for name in CHAPTERS {
        all.extend(scripts(options, name, "err.")?);
    }
    run_all(&all)
}

fn run_all(scripts: &[PathBuf]) -> Outcome {
    check!(!scripts.is_empty(), "there are none");
    let mut wrong = Vec::new();
    for script in scripts {
        if let Err(why) = run(script) {
            wrong.push(format!("{}: {why}", script.display()));
        }
        // A word for the runner, which waits for some.
        println!("{}", script.display());
    }
    println!("{} scripts, {} wrong", scripts.len(), wrong.len());
    check!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// What a script's comments say of a word.
fn said<'a>(script: &'a str, word: &str) -> Option<&'a str> {
    let mark = format!("@{word}:");
    let line = script.lines().find(|line| line.contains(&mark))?;
    let (_, rest) = line.split_once(&mark)?;
    Some(rest.trim_end_matches("*/").trim())
}

fn words(text: Option<&str>) -> Outcome<Vec<String>> {
    shlex::split(text.unwrap_or_default()).ok_or_else(|| fail("a quote is not closed"))
}

/// The status of timeout(1) when it has ended a command.
const TIMED_OUT: i32 = 124;

fn run(path: &Path) -> Outcome {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let script = fs::read_to_string(path)?;
    let fails = name.starts_with("err.");
    let tag = name
        .split('.')
        .nth(1)
        .filter(|tag| fails && tag.starts_with("D_"));
    let mut command = Command::new("timeout");
    command
        .arg(PATIENCE_S.to_string())
        .arg("rtctl")
        .env("TZ", "UTC");
    command.args(words(said(&script, "options"))?);
    command.arg("-s").arg(path);
    command.args(words(said(&script, "arguments"))?);
    let output = command.output()?;
    let errors = text(&output.stderr);
    let without = said(&script, "needs") == Some("cpp") && !has_cpp();
    let tag = if without { Some("D_CPP_FORK") } else { tag };
    let status = output.status.code();
    if let Some(tag) = tag {
        check!(
            status == Some(1) && errors.contains(&format!("[{tag}]")),
            "it is not refused with {tag}, but ends with {status:?}\n{errors}"
        );
        return Ok(());
    }
    let expected = said(&script, "status").map(str::parse).transpose();
    let as_expected = match expected.map_err(|_| fail("@status is no number"))? {
        Some(expected) => status == Some(expected),
        None if fails => !matches!(status, None | Some(0 | TIMED_OUT)),
        None => status == Some(0),
    };
    check!(as_expected, "{}\n{errors}", output.status);
    if let Some(part) = said(&script, "stderr") {
        check!(
            errors.contains(part),
            "not on standard error: {part}\n{errors}"
        );
    }
    if fails {
        return Ok(());
    }
    compare(path, &output)
}

/// Whether the C preprocessor is installed.
fn has_cpp() -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join("cpp").exists())
}

fn compare(path: &Path, output: &Output) -> Outcome {
    let found = text(&output.stdout);
    if let Ok(expected) = fs::read_to_string(path.with_extension("out")) {
        check!(
            found == expected,
            "expected:\n{expected}\nfound:\n{found}\n{}",
            text(&output.stderr)
        );
    }
    if let Ok(expected) = fs::read_to_string(path.with_extension("glob")) {
        let (lines, globs): (Vec<_>, Vec<_>) =
            (found.lines().collect(), expected.lines().collect());
        let fits =
            |(line, glob): (&&str, &&str)| Glob::new(glob).is_ok_and(|glob| glob.matches(line));
        check!(
            lines.len() == globs.len() && lines.iter().zip(&globs).all(fits),
            "expected:\n{expected}\nfound:\n{found}\n{}",
            text(&output.stderr)
        );
    }
    Ok(())
}
