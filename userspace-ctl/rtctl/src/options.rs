// SPDX-License-Identifier: GPL-2.0-only
//! The options of `-x` and `-b`, by DTrace's names.

use std::time::Duration;

use d_compiler::source::Define;
use rust_tracer::Policy;

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
    /// The name under which others may observe the session.
    pub publish: Option<String>,
    /// As `-q`.
    pub quiet: bool,
    /// As `-F`.
    pub flowindent: bool,
    /// Whether addresses are printed beside their names.
    pub rawaddr: bool,
    /// What concerns D programs alone.
    pub program: Program,
}

/// The options of D programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Sizes of what the module keeps for them.
    pub sizes: Sizes,
    /// How long what was aggregated may wait at most to be taken.
    pub aggrate: Duration,
    /// How what they record is printed.
    pub output: d_output::options::Options,
    /// Frames of stack() without an argument.
    pub stackframes: u32,
    /// Frames of ustack() without an argument.
    pub ustackframes: u32,
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
    /// Whether descriptions may match no probe.
    pub zdefs: bool,
}

impl Default for Program {
    fn default() -> Self {
        Self {
            sizes: Sizes::default(),
            aggrate: Duration::from_secs(1),
            output: d_output::options::Options::default(),
            stackframes: 20,
            ustackframes: 20,
            argref: false,
            defaultargs: false,
            cpp: false,
            cppflags: Vec::new(),
            cpppath: None,
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
            publish: None,
            quiet: false,
            flowindent: false,
            rawaddr: false,
            program: Program::default(),
        }
    }
}

/// Options of DTrace's that ask for what is so anyway.
const ANYWAY: &[&str] = &[
    "cleanrate",
    "destructive",
    "quietresize",
    "statusrate",
    "temporal",
];

/// Options of DTrace's that mean nothing here.
const ELSEWHERE: &[&str] = &[
    "aggpercpu",
    "amin",
    "core",
    "cpphdrs",
    "cpu",
    "ctfpath",
    "ctypes",
    "debug",
    "dtypes",
    "evaltime",
    "grabanon",
    "jstackframes",
    "jstackstrsize",
    "knodefs",
    "lazyload",
    "libdir",
    "linkmode",
    "stdc",
    "strip",
    "syslibdir",
    "tree",
    "unodefs",
    "version",
];

/// Options that do not concern what is recorded.
const PRINTING: [&str; 4] = ["flowindent", "quiet", "rawaddr", "switchrate"];

/// The most bytes that strings may have.
const STRSIZE_MAX: u64 = rust_tracer::abi::RTRACE_STRSIZE_MAX as u64;

const BAD_NAME: &str = "Invalid option name";
const BAD_VALUE: &str = "Invalid value for specified option";

impl Options {
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
            "frames" => self.frames = needed()?.parse().map_err(|_| BAD_VALUE)?,
            "switchrate" => self.switchrate = Some(rate(needed()?).ok_or(BAD_VALUE)?),
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
            "quiet" => self.quiet = switch(value).ok_or(BAD_VALUE)?,
            "flowindent" => self.flowindent = switch(value).ok_or(BAD_VALUE)?,
            "rawaddr" => self.rawaddr = switch(value).ok_or(BAD_VALUE)?,
            _ if ANYWAY.contains(&name) => {}
            _ if ELSEWHERE.contains(&name) => {
                return Err("DTrace has this option, rtctl does not (yet)".into());
            }
            _ => return self.program.set_one(name, value),
        }
        Ok(())
    }

    /// Sets an option from a program's text.
    pub fn set_pragma(&mut self, name: &str, value: Option<&str>) -> Result<(), String> {
        self.set_one(name, value)
    }
}

impl Program {
    fn set_one(&mut self, name: &str, value: Option<&str>) -> Result<(), String> {
        let needed = || value.ok_or_else(|| BAD_VALUE.to_owned());
        let bytes = || -> Result<u64, String> {
            let bytes = size(needed()?).filter(|&size| size > 0);
            Ok(bytes.ok_or(BAD_VALUE)?)
        };
        let count = || -> Result<u32, String> { Ok(needed()?.parse().map_err(|_| BAD_VALUE)?) };
        let turned = || switch(value).ok_or(BAD_VALUE);
        match name {
            "aggsize" => self.sizes.aggsize = bytes()?,
            "specsize" => self.sizes.specsize = bytes()?,
            "dynvarsize" => self.sizes.dynvarsize = bytes()?,
            "nspec" => self.sizes.nspec = count()?,
            "strsize" => {
                let bytes = bytes()?;
                if bytes > STRSIZE_MAX {
                    return Err(format!("{BAD_VALUE}: at most {STRSIZE_MAX}"));
                }
                self.sizes.strsize = bytes as u32;
                self.output.strsize = bytes as u32;
            }
            "aggrate" => self.aggrate = rate(needed()?).ok_or(BAD_VALUE)?,
            "stackframes" => self.stackframes = count()?,
            "ustackframes" => self.ustackframes = count()?,
            "argref" => self.argref = turned()?,
            "defaultargs" => self.defaultargs = turned()?,
            "zdefs" => self.zdefs = turned()?,
            "cpp" => self.cpp = turned()?,
            "cpppath" => self.cpppath = Some(needed()?.to_owned()),
            "define" => self.cppflags.push(Define::Define(needed()?.into())),
            "undef" => self.cppflags.push(Define::Undefine(needed()?.into())),
            "incdir" => self.cppflags.push(Define::Include(needed()?.into())),
            _ => match self.output.set(name, value) {
                Ok(true) => {}
                Ok(false) => return Err(BAD_NAME.into()),
                Err(why) => return Err(why.to_string()),
            },
        }
        Ok(())
    }
}

/// A number of bytes: `4m`.
pub fn size(text: &str) -> Option<u64> {
    let (number, shift) = match text.chars().last()?.to_ascii_lowercase() {
        'k' => (&text[..text.len() - 1], 10),
        'm' => (&text[..text.len() - 1], 20),
        'g' => (&text[..text.len() - 1], 30),
        't' => (&text[..text.len() - 1], 40),
        _ => (text, 0),
    };
    unsigned(number)?.checked_mul(1 << shift)
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

/// A time between two events, or how many there are in a second: `100ms`, `10hz`.
fn rate(text: &str) -> Option<Duration> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number = unsigned(number)?;
    let ns = match unit {
        "ns" | "nsec" => 1,
        "us" | "usec" => 1_000,
        "ms" | "msec" => 1_000_000,
        "s" | "sec" => 1_000_000_000,
        "m" | "min" => 60_000_000_000,
        "h" | "hour" => 3_600_000_000_000,
        "d" | "day" => 86_400_000_000_000,
        "" | "hz" => {
            let ns = 1_000_000_000_u64.checked_div(number)?;
            return Some(Duration::from_nanos(ns));
        }
        _ => return None,
    };
    (number > 0).then_some(Duration::from_nanos(number.checked_mul(ns)?))
}

fn unsigned(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

fn switch(value: Option<&str>) -> Option<bool> {
    match value {
        None | Some("on" | "1" | "true" | "yes" | "enable" | "set") => Some(true),
        Some("off" | "0" | "false" | "no" | "disable" | "unset") => Some(false),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(text: &str) -> Result<Options, String> {
        let mut options = Options::default();
        options.set(text).map(|()| options)
    }

    #[test]
    fn sizes_have_suffixes() {
        assert_eq!(size("65536"), Some(65536));
        assert_eq!(size("64k"), Some(65536));
        assert_eq!(size("4M"), Some(4 << 20));
        assert_eq!(size("1g"), Some(1 << 30));
        for bad in [
            "",
            "k",
            "-1",
            "+1",
            "1kk",
            "4 m",
            "99999999999999999999",
            "99999999999999t",
        ] {
            assert_eq!(size(bad), None, "{bad}");
        }
        assert_eq!(show_size(4 << 20), "4m");
        assert_eq!(show_size(1536), "1536");
        assert_eq!(show_size(0), "0");
    }

    #[test]
    fn rates_are_times_or_frequencies() {
        assert_eq!(rate("10hz"), Some(Duration::from_millis(100)));
        assert_eq!(rate("10"), Some(Duration::from_millis(100)));
        assert_eq!(rate("50ms"), Some(Duration::from_millis(50)));
        assert_eq!(rate("2s"), Some(Duration::from_secs(2)));
        for bad in ["0", "0hz", "0s", "", "hz", "1.5s", "5x", "-1s"] {
            assert_eq!(rate(bad), None, "{bad}");
        }
    }

    #[test]
    fn options_are_set_by_dtraces_names() {
        assert_eq!(set("bufsize=1m").unwrap().bufsize, 1 << 20);
        assert_eq!(set("bufpolicy=ring").unwrap().bufpolicy, Policy::Ring);
        assert!(!set("bufresize=manual").unwrap().bufresize);
        assert_eq!(set("frames=100").unwrap().frames, 100);
        assert!(set("quiet").unwrap().quiet);
        assert!(set("flowindent=on").unwrap().flowindent);
        assert!(set("rawaddr").unwrap().rawaddr);
        assert_eq!(set("publish=a.1").unwrap().publish.as_deref(), Some("a.1"));
        assert!(set("publish=").is_err() && set("publish").is_err());
    }

    #[test]
    fn an_observer_sets_only_how_records_are_printed() {
        let mut options = Options::default();
        options.set_printing("rawaddr").unwrap();
        options.set_printing("switchrate=2s").unwrap();
        assert!(options.rawaddr);
        assert_eq!(
            options.set_printing("bufsize=1m").unwrap_err(),
            "failed to set -x bufsize: it is for who records, not for observers"
        );
        assert_eq!(
            options.set_printing("nosuch").unwrap_err(),
            "failed to set -x nosuch: Invalid option name"
        );
    }

    #[test]
    fn what_is_wrong_with_an_option_is_told() {
        assert_eq!(
            set("nosuch").unwrap_err(),
            "failed to set -x nosuch: Invalid option name"
        );
        assert_eq!(
            set("bufpolicy=best").unwrap_err(),
            "failed to set -x bufpolicy: Invalid value for specified option"
        );
        assert_eq!(
            set("bufsize").unwrap_err(),
            "failed to set -x bufsize: Invalid value for specified option"
        );
        assert_eq!(
            set("evaltime=main").unwrap_err(),
            "failed to set -x evaltime: DTrace has this option, rtctl does not (yet)"
        );
        let mut options = Options::default();
        assert_eq!(
            options.set_bufsize("much").unwrap_err(),
            "failed to set -b much: Invalid value for specified option"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_an_option_or_refused(text in ".{0,40}") {
            let _ = Options::default().set(&text);
            let _ = (size(&text), rate(&text));
        }
    }
}
