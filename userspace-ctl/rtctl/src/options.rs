// SPDX-License-Identifier: GPL-2.0-only
//! The options of `-x` and `-b`, by DTrace's names.

mod anyway;
mod rate;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use d_compiler::options;
use d_compiler::source::Define;
use d_compiler::stability::Attributes;
use d_compiler::version::Version;
use d_output::options::{number, size, switch};
use rust_tracer::child::Setting;
use rust_tracer::{Policy, abi};

use self::rate::rate;
use crate::program::Sizes;

/// What `-x` and `-b` set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes of buffer per CPU; 0: the module's default.
    pub bufsize: u64,
    /// What happens when a buffer is full.
    pub bufpolicy: Policy,
    /// Whether smaller buffers will do when there is no memory for these.
    pub bufresize: bool,
    /// How long to wait for records at most; `None`: as the output wants it.
    pub switchrate: Option<Duration>,
    /// Unread bytes that wake the reader; 0: the module's default.
    pub watermark: u64,
    /// Calls in flight that can be followed; 0: the module's default.
    pub frames: u32,
    /// The ways that may attach probes, a bit for each `RTRACE_WAY_*`; 0: all.
    pub ways: u32,
    /// Whether a chain is written, and where.
    pub chain: Chaining,
    /// The name under which others may observe the session.
    pub publish: Option<String>,
    /// As `-q`.
    pub quiet: bool,
    /// As `-F`.
    pub flowindent: bool,
    /// Whether addresses are printed beside their names.
    pub rawaddr: bool,
    /// What the environment of a command is to have, and what not.
    pub environment: Vec<Setting>,
    /// What concerns D programs alone.
    pub program: Program,
}

/// Where a chain of hashes over the trace goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Chaining {
    /// There is none.
    #[default]
    Off,
    /// Beside the output.
    Beside,
    /// Into this file.
    Into(PathBuf),
}

/// The options of D programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Sizes of what the module keeps for them.
    pub sizes: Sizes,
    /// How old what was aggregated may be when it is shown; `None`: it is new.
    pub aggrate: Option<Duration>,
    /// How what they record is printed.
    pub output: d_output::options::Options,
    /// Frames of stack() without an argument.
    pub stackframes: u32,
    /// Frames of ustack() without an argument.
    pub ustackframes: u32,
    /// Frames of jstack() without an argument.
    pub jstackframes: u32,
    /// The most frames of any stack.
    pub maxframes: u32,
    /// The most bytes that alloca(), copyin() and copyinstr() may be asked for.
    pub scratchsize: u32,
    /// What attributes clauses must have at least.
    pub amin: Option<Attributes>,
    /// Which version of D programs are written in.
    pub version: Version,
    /// Whether a text may be empty.
    pub empty: bool,
    /// Whether words outside of clauses are descriptions, even those that name types.
    pub pspec: bool,
    /// As `-w`: whether freopen() may write files.
    pub destructive: bool,
    /// As `-S`.
    pub verbose: bool,
    /// Whether addresses of processes are shown by their place in a mapping, not by name.
    pub noresolve: bool,
    /// Whether arguments may be left unused.
    pub argref: bool,
    /// Whether arguments that are not given are 0 or empty.
    pub defaultargs: bool,
    /// Whether programs go through the preprocessor.
    pub cpp: bool,
    /// What else the preprocessor is told.
    pub cppflags: Vec<Define>,
    /// The preprocessor.
    pub cpppath: Option<String>,
    /// The CPU on which alone clauses run.
    pub cpu: Option<u32>,
    /// Where libraries are.
    pub libraries: Vec<String>,
    /// Whether none is read.
    pub nolibs: bool,
    /// Whether descriptions may match no probe.
    pub zdefs: bool,
}

impl Default for Program {
    fn default() -> Self {
        let compiling = options::Options::default();
        Self {
            sizes: Sizes::default(),
            aggrate: None,
            output: d_output::options::Options::default(),
            stackframes: compiling.stackframes,
            ustackframes: compiling.ustackframes,
            jstackframes: compiling.jstackframes,
            maxframes: compiling.maxframes,
            scratchsize: compiling.scratchsize,
            amin: None,
            version: compiling.version,
            empty: false,
            pspec: false,
            destructive: false,
            verbose: false,
            noresolve: false,
            argref: false,
            defaultargs: false,
            cpp: false,
            cppflags: Vec::new(),
            cpppath: None,
            cpu: None,
            libraries: Vec::new(),
            nolibs: false,
            zdefs: false,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bufsize: 0,
            bufpolicy: Policy::Switch,
            bufresize: true,
            switchrate: None,
            watermark: 0,
            frames: 0,
            ways: 0,
            chain: Chaining::Off,
            publish: None,
            quiet: false,
            flowindent: false,
            rawaddr: false,
            environment: Vec::new(),
            program: Program::default(),
        }
    }
}

/// Options of DTrace's that mean nothing here.
const ELSEWHERE: &[&str] = &[
    "ctfpath",
    "ctypes",
    "dtypes",
    "grabanon",
    "modpath",
    "procfspath",
    "tree",
];

/// Options that libdtrace does not set any more once it traces; all others, it does.
const BEFORE_TRACING: &[&str] = &[
    "aggsize",
    "attach",
    "bpflog",
    "bpflogsize",
    "bufpolicy",
    "bufresize",
    "bufsize",
    "chain",
    "cleanrate",
    "cpu",
    "destructive",
    "dynvarsize",
    "grabanon",
    "jstackframes",
    "jstackstrsize",
    "lockmem",
    "maxframes",
    "noresolve",
    "nspec",
    "nusdtprobes",
    "pcapsize",
    "preallocate",
    "scratchsize",
    "specsize",
    "stackframes",
    "statusrate",
    "strsize",
    "temporal",
    "ustackframes",
];

/// Options that a program's text cannot set: when it is read, they have done what they are for.
const BEFORE_READING: &[&str] = &[
    "btfpath", "chain", "cppargs", "cpphdrs", "cpppath", "define", "incdir", "ldpath", "lockmem",
    "setenv", "stdc", "undef", "unsetenv",
];

/// Options that do not concern what is recorded.
const PRINTING: [&str; 5] = ["chain", "flowindent", "quiet", "rawaddr", "switchrate"];

/// The most and the least bytes of strings, NUL included.
const STRSIZE_MAX: u32 = abi::RTRACE_STRSIZE_MAX;
const STRSIZE_MIN: u32 = 2;

/// The registers of DTrace's virtual machine.
const REGISTERS: std::ops::RangeInclusive<u32> = 1..=8;

const BAD_NAME: &str = "Invalid option name";
const BAD_VALUE: &str = "Invalid value for specified option";
const BAD_VERSION: &str = "Version is not properly formatted or is too large";
const NO_VERSION: &str = "Requested version is not supported by compiler";
const VERSION_REDUCED: &str = "Requested version conflicts with earlier setting";
const NOT_HERE: &str = "it is about a part of DTrace that rtctl does not have: leave it out";
const TOO_LATE: &str = "Operation illegal when tracing is active";

impl Options {
    /// What the environment says, as libdtrace reads it: `DTRACE_OPT_QUIET=1`. What is no option there,
    /// or no value of one, says nothing.
    pub fn of_environment(variables: impl Iterator<Item = (OsString, OsString)>) -> Self {
        let mut options = Self::default();
        for (name, value) in variables {
            let name = name
                .to_str()
                .and_then(|name| name.strip_prefix("DTRACE_OPT_"));
            if let (Some(name), Some(value)) = (name, value.to_str()) {
                let mut one = options.clone();
                if one.set_one(&name.to_ascii_lowercase(), Some(value)).is_ok() {
                    options = one;
                }
            }
        }
        options
    }

    /// Sets one option from the value of `-x`.
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        self.set_one(name, value)
            .map_err(|why| format!("failed to set -x {name}: {why}"))
    }

    /// The same for an observer, who records nothing.
    pub fn set_printing(&mut self, text: &str) -> Result<(), String> {
        self.set(text)?;
        let name = text.split_once('=').map_or(text, |(name, _)| name);
        if PRINTING.contains(&name) {
            return Ok(());
        }
        Err(format!(
            "failed to set -x {name}: it is for who records, not for observers"
        ))
    }

    /// Sets the buffer size from the value of `-b`.
    pub fn set_bufsize(&mut self, text: &str) -> Result<(), String> {
        self.set_one("bufsize", Some(text))
            .map_err(|why| format!("failed to set -b {text}: {why}"))
    }

    fn set_one(&mut self, name: &str, value: Option<&str>) -> Result<(), String> {
        let needed = || value.ok_or_else(|| BAD_VALUE.to_owned());
        match name {
            "bufsize" => {
                self.bufsize = size(needed()?).filter(|&size| size > 0).ok_or(BAD_VALUE)?
            }
            "watermark" => self.watermark = size(needed()?).ok_or(BAD_VALUE)?,
            "frames" => self.frames = count(value)?,
            "attach" => self.ways = ways(needed()?).ok_or(BAD_VALUE)?,
            "switchrate" => self.switchrate = Some(rate(or_zero(value)).ok_or(BAD_VALUE)?),
            "bufpolicy" => {
                self.bufpolicy = match needed()? {
                    "switch" => Policy::Switch,
                    "fill" => Policy::Fill,
                    "ring" => Policy::Ring,
                    _ => return Err(BAD_VALUE.into()),
                }
            }
            "bufresize" => {
                self.bufresize = match needed()? {
                    "auto" => true,
                    "manual" => false,
                    _ => return Err(BAD_VALUE.into()),
                }
            }
            "publish" => {
                let name = needed()?;
                if name.is_empty() {
                    return Err(BAD_VALUE.into());
                }
                self.publish = Some(name.to_owned());
            }
            "chain" => {
                self.chain = match needed()? {
                    "on" => Chaining::Beside,
                    "off" => Chaining::Off,
                    "" => return Err(BAD_VALUE.into()),
                    file => Chaining::Into(file.into()),
                }
            }
            "quiet" => self.quiet = switch(value).ok_or(BAD_VALUE)?,
            "flowindent" => self.flowindent = switch(value).ok_or(BAD_VALUE)?,
            "rawaddr" => self.rawaddr = switch(value).ok_or(BAD_VALUE)?,
            "setenv" => {
                let (name, value) = needed()?.split_once('=').ok_or(BAD_VALUE)?;
                if name.is_empty() {
                    return Err(BAD_VALUE.into());
                }
                self.environment.push((name.into(), Some(value.into())));
            }
            "unsetenv" => {
                let name = needed()?;
                if name.is_empty() || name.contains('=') {
                    return Err(BAD_VALUE.into());
                }
                self.environment.push((name.into(), None));
            }
            _ if ELSEWHERE.contains(&name) => return Err(NOT_HERE.into()),
            _ => {
                return match anyway::takes(name, value) {
                    Some(true) => Ok(()),
                    Some(false) => Err(BAD_VALUE.into()),
                    None => self.program.set_one(name, value),
                };
            }
        }
        Ok(())
    }

    /// Sets an option from a program's text.
    pub fn set_pragma(&mut self, name: &str, value: Option<&str>) -> Result<(), String> {
        if BEFORE_READING.contains(&name) {
            return Err("it is for the command line (-x)".into());
        }
        self.set_one(name, value)
    }

    /// Sets an option as `setopt()` does, while a program traces.
    pub fn set_tracing(&mut self, name: &str, value: Option<&str>) -> Result<(), String> {
        if BEFORE_TRACING.contains(&name) {
            return Err(TOO_LATE.into());
        }
        self.set_one(name, value)
    }
}

impl Program {
    /// The preprocessor is to take C as it was before the standard.
    pub fn before_the_standard(&mut self) {
        let name = "__STDC__".to_owned();
        self.cppflags.push(Define::Undefine(name));
    }

    fn set_one(&mut self, name: &str, value: Option<&str>) -> Result<(), String> {
        let needed = || value.ok_or_else(|| BAD_VALUE.to_owned());
        // No bytes at all are as good as any number of them to a program that has no use for them.
        let bytes = || Ok::<_, String>(size(or_zero(value)).ok_or(BAD_VALUE)?);
        let at_most = |most: u32| -> Result<u32, String> {
            let bytes = u32::try_from(bytes()?).unwrap_or(u32::MAX);
            match bytes <= most {
                true => Ok(bytes),
                false => Err(format!("{BAD_VALUE}: at most {most}")),
            }
        };
        let turned = || switch(value).ok_or(BAD_VALUE);
        // Some switches cannot be unset, and take no value.
        let flag = || value.is_none().then_some(true).ok_or(BAD_VALUE);
        match name {
            "aggsize" => self.sizes.aggsize = bytes()?,
            "specsize" => self.sizes.specsize = bytes()?,
            "dynvarsize" => self.sizes.dynvarsize = bytes()?,
            "nspec" => self.sizes.nspec = count(Some(or_zero(value)))?,
            "strsize" => {
                let bytes = at_most(STRSIZE_MAX)?;
                if bytes < STRSIZE_MIN {
                    return Err(BAD_VALUE.into());
                }
                self.sizes.strsize = bytes;
                self.output.strsize = bytes;
            }
            "scratchsize" => self.scratchsize = at_most(abi::RTRACE_SCRATCH_BYTES)?,
            "aggrate" => self.aggrate = Some(rate(or_zero(value)).ok_or(BAD_VALUE)?),
            "stackframes" => self.stackframes = frames(value, frames_most())?,
            "ustackframes" => self.ustackframes = frames(value, frames_most())?,
            "jstackframes" => self.jstackframes = frames(value, frames_most())?,
            "maxframes" => self.maxframes = frames(value, frames_most())?,
            "amin" => self.amin = Some(Attributes::parse(needed()?).ok_or(BAD_VALUE)?),
            "version" => {
                let version = Version::parse(needed()?).ok_or(BAD_VERSION)?;
                if !version.is_defined() {
                    return Err(NO_VERSION.into());
                }
                if version > self.version {
                    return Err(VERSION_REDUCED.into());
                }
                self.version = version;
            }
            "empty" => self.empty = flag()?,
            "pspec" => self.pspec = flag()?,
            "destructive" => self.destructive = turned()?,
            "verbose" => self.verbose = flag()?,
            "noresolve" => self.noresolve = turned()?,
            "argref" => self.argref = flag()?,
            "defaultargs" => self.defaultargs = flag()?,
            "zdefs" => self.zdefs = flag()?,
            "cpp" => self.cpp = flag()?,
            "cpu" => self.cpu = Some(count(Some(or_zero(value)))?),
            "libdir" => self.libraries.push(needed()?.to_owned()),
            "nolibs" => self.nolibs = flag()?,
            "cpppath" => self.cpppath = Some(needed()?.to_owned()),
            "define" => self.cppflags.push(Define::Define(needed()?.into())),
            "undef" => self.cppflags.push(Define::Undefine(needed()?.into())),
            "cppargs" => {
                let words = needed()?.split_ascii_whitespace();
                let words = words.map(|word| Define::Other(word.to_owned()));
                self.cppflags.extend(words);
            }
            "cpphdrs" => {
                flag()?;
                self.cppflags.push(Define::Headers);
            }
            "incdir" => self.cppflags.push(Define::Include(needed()?.into())),
            "iregs" if REGISTERS.contains(&count(value)?) => {}
            "tregs" if count(value)? > 0 => {}
            "pgmax" => drop(count(value)?),
            "stdc" if matches!(value, Some("a" | "c" | "t")) => {}
            "stdc" if value == Some("s") => self.before_the_standard(),
            "iregs" | "tregs" | "stdc" => return Err(BAD_VALUE.into()),
            _ => match self.output.set(name, value) {
                Ok(true) => {}
                Ok(false) => return Err(BAD_NAME.into()),
                Err(why) => return Err(why.to_string()),
            },
        }
        Ok(())
    }
}

/// The ways that a name of one stands for: it, and what else it takes to attach any probe.
fn ways(name: &str) -> Option<u32> {
    let always = (1 << abi::RTRACE_WAY_OPS) | (1 << abi::RTRACE_WAY_FPROBE);
    match name {
        "auto" => Some(0),
        // Ops have no returns, and fprobe counts its calls by ops.
        "ops" | "fprobe" => Some(always),
        "shared" => Some(always | (1 << abi::RTRACE_WAY_STUB)),
        // There are few slots, and who gets none gets the other stub.
        "slot" => Some(always | (1 << abi::RTRACE_WAY_STUB) | (1 << abi::RTRACE_WAY_SLOT)),
        _ => None,
    }
}

/// What sizes, numbers and rates are set to: without a value to 0, as in libdtrace.
fn or_zero(value: Option<&str>) -> &str {
    value.unwrap_or("0")
}

/// A number of things.
fn count(value: Option<&str>) -> Result<u32, String> {
    let count = value.and_then(number);
    Ok(count
        .and_then(|count| count.try_into().ok())
        .ok_or(BAD_VALUE)?)
}

/// A number of frames of a stack, of which the kernel has `most`. A stack of none the module refuses, and
/// late: when the program is loaded.
fn frames(value: Option<&str>, most: u32) -> Result<u32, String> {
    let frames = count(value)?;
    match (1..=most).contains(&frames) {
        true => Ok(frames),
        false => Err(BAD_VALUE.into()),
    }
}

/// The most frames that the kernel gives of a stack to who asks it, which are libdtrace's most as
/// well (kernel.perf_event_max_stack).
fn frames_most() -> u32 {
    let text = std::fs::read_to_string("/proc/sys/kernel/perf_event_max_stack");
    let most = text.ok().and_then(|text| text.trim().parse().ok());
    most.unwrap_or(abi::RTRACE_STACK_FRAMES_MAX)
}

/// A number of bytes, in the largest unit that divides it.
pub fn show_size(bytes: u64) -> String {
    for (shift, unit) in [(30, "g"), (20, "m"), (10, "k")] {
        if bytes != 0 && bytes % (1 << shift) == 0 {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    bytes.to_string()
}

#[cfg(test)]
#[path = "options_tests.rs"]
mod tests;
