// SPDX-License-Identifier: GPL-2.0-only
//! The options of `-x` and `-b`, by DTrace's names.

use std::time::Duration;

use rust_tracer::Policy;

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
    /// As `-q`.
    pub quiet: bool,
    /// As `-F`.
    pub flowindent: bool,
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
            quiet: false,
            flowindent: false,
        }
    }
}

/// Options of DTrace's that mean nothing here, or nothing yet.
const ELSEWHERE: &[&str] = &[
    "aggpercpu",
    "aggrate",
    "aggsize",
    "aggsortkey",
    "aggsortkeypos",
    "aggsortpos",
    "aggsortrev",
    "amin",
    "argref",
    "cleanrate",
    "core",
    "cpp",
    "cpphdrs",
    "cpppath",
    "cpu",
    "ctfpath",
    "ctypes",
    "debug",
    "defaultargs",
    "define",
    "destructive",
    "dtypes",
    "dynvarsize",
    "evaltime",
    "grabanon",
    "incdir",
    "jstackframes",
    "jstackstrsize",
    "knodefs",
    "libdir",
    "nspec",
    "specsize",
    "stackframes",
    "stackindent",
    "statusrate",
    "strsize",
    "temporal",
    "ustackframes",
    "version",
    "zdefs",
];

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
            "quiet" => self.quiet = switch(value).ok_or(BAD_VALUE)?,
            "flowindent" => self.flowindent = switch(value).ok_or(BAD_VALUE)?,
            _ if ELSEWHERE.contains(&name) => {
                return Err("DTrace has this option, rtctl does not (yet)".into());
            }
            _ => return Err(BAD_NAME.into()),
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
            set("aggsize=1m").unwrap_err(),
            "failed to set -x aggsize: DTrace has this option, rtctl does not (yet)"
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
