// SPDX-License-Identifier: GPL-2.0-only
//! The options that shape output. The others (bufsize, switchrate, …) are the tool's.
#![forbid(unsafe_code)]

mod value;

pub use value::{number, size, switch};

/// Which characters bars are made of (`-x encoding`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// `@` for bars, blocks for packed ones.
    #[default]
    Unset,
    /// ASCII throughout: what a tool sets for terminals that know no more.
    Ascii,
    /// Blocks throughout.
    Utf8,
}

/// `printsize` of who does not set it, or to what it cannot be.
const PRINTSIZE: u64 = 8192;
const PRINTSIZE_MAX: u64 = 65536;

/// Options; the defaults are dtrace's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// `-q`: only what is traced explicitly.
    pub quiet: bool,
    /// `-F`: entries and returns indented.
    pub flowindent: bool,
    /// Bytes and strings are dumped in hexadecimal.
    pub rawbytes: bool,
    /// Spaces before a stack's frames.
    pub stackindent: u32,
    /// Bytes of a string, NUL included: how much of one `rawbytes` dumps. The tool sets it.
    pub strsize: u32,
    /// Bytes of a value that `print()` shows at most.
    pub printsize: u64,
    /// Drops are told with their tag.
    pub droptags: bool,
    /// Aggregations are ordered by key, not by value.
    pub aggsortkey: bool,
    /// By which key first.
    pub aggsortkeypos: u64,
    /// By which aggregation of several in one `printa()`.
    pub aggsortpos: u64,
    /// Largest first.
    pub aggsortrev: bool,
    /// Aggregations of one number are shown with bars.
    pub agghist: bool,
    /// Distributions are shown in one line.
    pub aggpack: bool,
    /// Bars are as long as the longest allows.
    pub aggzoom: bool,
    /// What bars are made of.
    pub encoding: Encoding,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            quiet: false,
            flowindent: false,
            rawbytes: false,
            stackindent: 14,
            strsize: d_compiler::options::STRSIZE,
            printsize: PRINTSIZE,
            droptags: false,
            aggsortkey: false,
            aggsortkeypos: 0,
            aggsortpos: 0,
            aggsortrev: false,
            agghist: false,
            aggpack: false,
            aggzoom: false,
            encoding: Encoding::Unset,
        }
    }
}

/// The option has no such value; libdtrace's words for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidValue;

impl std::fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Invalid value for specified option")
    }
}

impl std::error::Error for InvalidValue {}

impl Options {
    /// Sets an option of output. Whether there is one of this name.
    pub fn set(&mut self, name: &str, value: Option<&str>) -> Result<bool, InvalidValue> {
        let switch = match name {
            "quiet" => &mut self.quiet,
            "flowindent" => &mut self.flowindent,
            "rawbytes" => &mut self.rawbytes,
            "droptags" => &mut self.droptags,
            "aggsortkey" => &mut self.aggsortkey,
            "aggsortrev" => &mut self.aggsortrev,
            "agghist" => &mut self.agghist,
            "aggpack" => &mut self.aggpack,
            "aggzoom" => &mut self.aggzoom,
            _ => return self.set_value(name, value),
        };
        *switch = self::switch(value).ok_or(InvalidValue)?;
        Ok(true)
    }

    fn set_value(&mut self, name: &str, value: Option<&str>) -> Result<bool, InvalidValue> {
        // No value is 0, as in libdtrace.
        let number = || number(value.unwrap_or("0")).ok_or(InvalidValue);
        let narrow = || number().and_then(|n| u32::try_from(n).or(Err(InvalidValue)));
        match name {
            "stackindent" => self.stackindent = narrow()?,
            "printsize" => {
                self.printsize = match size(value.unwrap_or("0")).ok_or(InvalidValue)? {
                    bytes @ 1..=PRINTSIZE_MAX => bytes.next_multiple_of(8),
                    _ => PRINTSIZE,
                }
            }
            "aggsortkeypos" => self.aggsortkeypos = number()?,
            "aggsortpos" => self.aggsortpos = number()?,
            "encoding" => {
                self.encoding = match value {
                    Some("ascii") => Encoding::Ascii,
                    Some("utf8") => Encoding::Utf8,
                    _ => return Err(InvalidValue),
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_output_are_set_and_others_are_not_ours() {
        let mut options = Options::default();
        assert_eq!(options.set("quiet", None), Ok(true));
        assert_eq!(options.set("aggsortkeypos", Some("2")), Ok(true));
        assert_eq!(options.set("stackindent", Some("0x10")), Ok(true));
        assert_eq!(options.set("bufsize", Some("1m")), Ok(false));
        assert!(options.quiet);
        assert_eq!((options.aggsortkeypos, options.stackindent), (2, 16));
        assert_eq!(options.set("quiet", Some("no")), Ok(true));
        assert!(!options.quiet);
    }

    #[test]
    fn wrong_values_are_refused() {
        // dtrace-utils test/unittest/actions/setopt/tst.badopt.r: setopt("quiet", "um, no")
        let mut options = Options::default();
        assert_eq!(options.set("quiet", Some("um, no")), Err(InvalidValue));
        assert_eq!(options.set("stackindent", Some("é")), Err(InvalidValue));
        // These are numbers of things, not of bytes.
        for name in ["stackindent", "aggsortpos", "aggsortkeypos"] {
            assert_eq!(options.set(name, Some("4k")), Err(InvalidValue), "{name}");
        }
        assert_eq!(options, Options::default());
    }

    #[test]
    fn numbers_without_a_value_are_0() {
        let mut options = Options {
            aggsortpos: 1,
            aggsortkeypos: 1,
            printsize: 16,
            ..Options::default()
        };
        for name in ["stackindent", "aggsortpos", "aggsortkeypos", "printsize"] {
            assert_eq!(options.set(name, None), Ok(true), "{name}");
        }
        let expected = Options {
            stackindent: 0,
            // There is no such size of print().
            printsize: PRINTSIZE,
            ..Options::default()
        };
        assert_eq!(options, expected);
        assert_eq!(options.set("printsize", Some("1k")), Ok(true));
        assert_eq!(options.printsize, 1024);
    }
}
