// SPDX-License-Identifier: GPL-2.0-only
//! The scripts of tests/d, as far as they need no kernel: compiled, run by the module's own
//! interpreter over tables of its own, printed, and compared with what they say.
//!
//! | script | what is tested here |
//! |---|---|
//! | `err.TAG.NAME.d` | it is refused with this tag |
//! | any other `err.NAME.d` | it is refused, or exits with another status than 0 |
//! | `tst.NAME.d` whose probes are BEGIN, END, ERROR and timers | what it prints |
//! | any other `tst.NAME.d` | it is taken by the compiler |
//! | `@needs: btf` (a kernel's types) | with `BTF=folder`, a copy of /sys/kernel/btf: it is taken, or refused, by the compiler |
//! | `@needs: guest` (anything else) | nothing |
//!
//! The scripts of userspace-ctl/examples are compiled as well.
//!
//! tests/guest/src/tests/scripts.rs runs all of them in a guest, and says what their names and
//! comments mean. `SCRIPTS=part` chooses those whose path has that part; `SCRIPTS_IN=folder` takes
//! another body of scripts.
#![forbid(unsafe_code)]
#![allow(
    unexpected_cfgs,
    reason = "the module is also built for loom, elsewhere"
)]

mod machine;
#[path = "../../../../rust_tracer/program/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    missing_docs,
    clippy::all,
    reason = "the module's, linted there"
)]
#[rustfmt::skip]
mod program;

use std::fs;
use std::path::{Path, PathBuf};

use d_compiler::ast::Program;
use d_compiler::btf::Btf;
use d_compiler::check::wrong_declaration;
use d_compiler::compile::compile;
use d_compiler::compiled::Compiled;
use d_compiler::error::Error;
use d_compiler::macros::Macros;
use d_compiler::parse::{Context, parse_in};
use d_compiler::source;
use d_compiler::stability::Attributes;
use d_compiler::types::Types;
use d_compiler::version::Version;
use d_output::options::{Options, size};

/// What a script's comments say of a word.
fn said<'a>(script: &'a str, word: &str) -> Option<&'a str> {
    let mark = format!("@{word}:");
    let line = script.lines().find(|line| line.contains(&mark))?;
    let (_, rest) = line.split_once(&mark)?;
    Some(rest.trim_end_matches("*/").trim())
}

/// How a script is run.
struct Settings {
    compile: d_compiler::options::Options<'static>,
    printing: Options,
    macros: Macros,
    speculations: u32,
    specsize: u64,
    dynvarsize: u64,
}

impl Settings {
    /// With arguments, and nothing set.
    fn new<'a>(path: &Path, arguments: impl Iterator<Item = &'a str>) -> Self {
        let name = path.display().to_string();
        let arguments = arguments.filter(|word| *word != "--");
        let arguments = arguments.map(|word| word.trim_matches('\'').to_owned());
        let mut settings = Self {
            compile: d_compiler::options::Options::default(),
            printing: Options::default(),
            macros: Macros::new(std::iter::once(name).chain(arguments)),
            speculations: 1,
            specsize: 32 << 10,
            dynvarsize: 1 << 20,
        };
        if std::env::var_os("BTF").is_some() {
            settings.compile.symbol = &|_, _| Some(0xffff_ffff_8100_0000);
        }
        for name in ["pgid", "sid", "uid", "euid", "gid", "egid", "target"] {
            settings.macros.define(name, 0);
        }
        let (pid, parent) = (machine::PID, machine::PARENT);
        settings
            .macros
            .define("pid", pid.into())
            .define("ppid", parent.into());
        settings
    }

    /// By the words of its comments; nothing if they ask for what is not here.
    fn of(path: &Path, text: &str) -> Option<Self> {
        let arguments = said(text, "arguments").unwrap_or_default();
        let mut settings = Self::new(path, arguments.split_whitespace());
        let mut words = said(text, "options").unwrap_or_default().split_whitespace();
        while let Some(word) = words.next() {
            match word {
                "-q" => settings.set("quiet", None)?,
                "-F" => settings.set("flowindent", None)?,
                "-x" => {
                    let option = words.next()?;
                    match option.split_once('=') {
                        Some((name, value)) => settings.set(name, Some(value))?,
                        None => settings.set(option, None)?,
                    }
                }
                _ => return None,
            }
        }
        Some(settings)
    }

    fn set(&mut self, name: &str, value: Option<&str>) -> Option<()> {
        let number = || size(value?)?.try_into().ok();
        match name {
            "strsize" => {
                self.compile.strsize = number()?;
                self.printing.strsize = self.compile.strsize;
            }
            "stackframes" => self.compile.stackframes = number()?,
            "ustackframes" => self.compile.ustackframes = number()?,
            "jstackframes" => self.compile.jstackframes = number()?,
            "maxframes" => self.compile.maxframes = number()?,
            "scratchsize" => self.compile.scratchsize = number()?,
            "version" => {
                let version = Version::parse(value?)?;
                if !version.is_defined() {
                    return None;
                }
                self.compile.version = version;
            }
            "amin" => self.compile.amin = Some(Attributes::parse(value?)?),
            "specsize" => self.specsize = value?.parse().ok()?,
            "dynvarsize" => self.dynvarsize = value?.parse().ok()?,
            "nspec" => self.speculations = number()?,
            "defaultargs" => self.macros.default_arguments = true,
            "argref" => self.macros.unused_arguments = true,
            _ => {
                self.printing.set(name, value).ok()?;
            }
        }
        Some(())
    }
}

/// The types of a kernel, if there are some.
fn btf() -> Option<Btf> {
    let folder = std::env::var_os("BTF")?;
    Some(Btf::open(Path::new(&folder)).expect("BTF names a folder like /sys/kernel/btf"))
}

fn build(
    text: &str,
    settings: &mut Settings,
    known: Option<Btf>,
) -> Result<Option<(Compiled, Types)>, Error> {
    let mut types = Types::new(known);
    let is_type = |name: &str| types.is_typedef(name);
    // Options of the text that shape the compiler come before the rest.
    let mut early = settings.macros.clone();
    early.default_arguments = true;
    early.unused_arguments = true;
    let context = Context {
        is_type: &is_type,
        ..Context::new(&early)
    };
    for pragma in parse_in(text, &context)
        .map(|p| p.options)
        .unwrap_or_default()
    {
        if settings
            .set(&pragma.name, pragma.value.as_deref())
            .is_none()
        {
            return Ok(None);
        }
    }
    let declared =
        |text: &Program| wrong_declaration(text, &mut Types::new(btf()), &settings.compile);
    let context = Context {
        is_type: &is_type,
        declared: &declared,
        ..Context::new(&settings.macros)
    };
    let program = parse_in(text, &context)?;
    let compiled = compile(&program, &mut types, &settings.compile)?;
    Ok(Some((compiled, types)))
}

fn check(path: &Path) -> Result<bool, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let types = match said(&text, "needs") {
        None => None,
        Some("btf") if std::env::var_os("BTF").is_some() => btf(),
        Some(_) => return Ok(false),
    };
    let typed = types.is_some();
    let Some(mut settings) = Settings::of(path, &text) else {
        return Ok(false);
    };
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let show = |error: &Error| source::render(source::Origin::Script(&name), &text, error);
    let fails = name.starts_with("err.");
    let tag = name
        .split('.')
        .nth(1)
        .filter(|tag| fails && tag.starts_with("D_"));
    let (compiled, types) = match (build(&text, &mut settings, types), tag) {
        (Err(error), Some(tag)) if error.tag == tag => return Ok(true),
        (Err(error), Some(tag)) => return Err(format!("not {tag}, but {}", show(&error))),
        (Ok(Some(_)), Some(tag)) => return Err(format!("it is taken, in place of {tag}")),
        (Err(_), None) if fails => return Ok(true),
        (Err(error), None) => return Err(show(&error)),
        (Ok(Some(built)), None) => built,
        (Ok(None), _) => return Ok(false),
    };
    if typed {
        // There is no kernel behind the types.
        return Ok(true);
    }
    let sizes = machine::Sizes {
        strsize: settings.compile.strsize,
        speculations: settings.speculations,
        specsize: settings.specsize,
        dynvarsize: settings.dynvarsize,
    };
    let Some(ran) = machine::run(&compiled, types, &settings.printing, &sizes)? else {
        return Ok(true);
    };
    let expected: Option<i32> = said(&text, "status")
        .map(str::parse)
        .transpose()
        .map_err(|_| "@status is no number")?;
    let as_expected = match expected {
        Some(expected) => ran.status == expected,
        None => (ran.status != 0) == fails,
    };
    if !as_expected {
        return Err(format!("status {}\n{}", ran.status, ran.errors));
    }
    if let Some(part) = said(&text, "stderr") {
        if !ran.errors.contains(part) {
            return Err(format!("not on standard error: {part}\n{}", ran.errors));
        }
    }
    match fs::read_to_string(path.with_extension("out")) {
        Ok(expected) if expected != ran.output => Err(format!(
            "expected:\n{expected}\nfound:\n{}\n{}",
            ran.output, ran.errors
        )),
        _ => Ok(true),
    }
}

fn scripts(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder of scripts can be read") {
        let path = entry.expect("the folder of scripts can be read").path();
        if path.is_dir() {
            scripts(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "d") {
            into.push(path);
        }
    }
}

#[test]
fn scripts_do_what_they_say() {
    let folder = std::env::var_os("SCRIPTS_IN").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/d"),
        PathBuf::from,
    );
    let mut all = Vec::new();
    scripts(&folder, &mut all);
    all.sort();
    let chosen = std::env::var("SCRIPTS").unwrap_or_default();
    let (mut tested, mut wrong) = (0, Vec::new());
    for path in all
        .iter()
        .filter(|path| path.to_string_lossy().contains(&chosen))
    {
        match check(path) {
            Ok(done) => tested += u32::from(done),
            Err(why) => wrong.push(format!(
                "== {}: {why}",
                path.strip_prefix(&folder).unwrap_or(path).display()
            )),
        }
    }
    println!(
        "{} scripts, {tested} tested here, {} wrong",
        all.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tested > 0, "there are none");
}

#[test]
fn examples_are_taken() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut all = Vec::new();
    scripts(&folder, &mut all);
    let (mut tested, mut wrong) = (0, Vec::new());
    for path in all {
        let text = fs::read_to_string(&path).expect("an example can be read");
        let typed = ["args[", "curthread->"]
            .iter()
            .any(|word| text.contains(word));
        if typed && std::env::var_os("BTF").is_none() {
            continue;
        }
        let arguments = said(&text, "arguments")
            .unwrap_or_default()
            .split_whitespace();
        let mut settings = Settings::new(&path, arguments);
        tested += 1;
        if let Err(error) = build(&text, &mut settings, btf()) {
            let name = path.display().to_string();
            wrong.push(source::render(source::Origin::Script(&name), &text, &error));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tested > 0, "there are none");
}
