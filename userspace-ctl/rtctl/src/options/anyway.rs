// SPDX-License-Identifier: GPL-2.0-only
//! Options of DTrace's that ask for what is so anyway, or are about what is never done here:
//! checking compiled types, linking, looking for DTrace's own libraries and types, running BPF,
//! keeping the probes of user programs, where a command is held.
//!
//! They set nothing, but what libdtrace does not take as their value (dt_options.c) is no value
//! here either, so that a mistake shows with both.

use d_output::options::{size, switch};

use super::rate::rate;

/// What is taken as an option's value.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// No value: a flag.
    None,
    /// Any value, or none.
    Any,
    /// Some value.
    Some,
    /// What a switch takes, or none.
    Switch,
    /// A number of bytes, or none.
    Size,
    /// A number of bytes.
    SomeSize,
    /// A rate, or none.
    Rate,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words, in any case of letters.
    AnyCase(&'static [&'static str]),
}

/// The options and what they take.
pub const ANYWAY: &[(&str, Takes)] = &[
    ("aggpercpu", Takes::None),
    ("bpflog", Takes::Switch),
    ("bpflogsize", Takes::Size),
    ("btfpath", Takes::Some),
    ("cleanrate", Takes::Rate),
    ("core", Takes::None),
    ("debug", Takes::None),
    ("debugassert", Takes::Word(&["mutexes"])),
    ("disasm", Takes::Some),
    ("dofstashpath", Takes::Some),
    ("errtags", Takes::None),
    // A command is held at its exec, which is before all of them.
    (
        "evaltime",
        Takes::Word(&["exec", "preinit", "postinit", "main"]),
    ),
    ("jstackstrsize", Takes::Size),
    ("kdefs", Takes::None),
    ("knodefs", Takes::None),
    ("late", Takes::Word(&["dynamic", "static"])),
    ("lazyload", Takes::Any),
    ("ldpath", Takes::Some),
    ("linkmode", Takes::Word(&["kernel", "dynamic", "static"])),
    ("linknommap", Takes::Any),
    ("linktype", Takes::AnyCase(&["elf", "dof"])),
    // libdtrace does not look at the number.
    ("lockmem", Takes::Some),
    ("nusdtprobes", Takes::Switch),
    ("pcapsize", Takes::Size),
    ("preallocate", Takes::SomeSize),
    ("quietresize", Takes::Switch),
    ("statusrate", Takes::Rate),
    ("strip", Takes::None),
    ("syslibdir", Takes::Some),
    ("sysslice", Takes::Some),
    ("temporal", Takes::Switch),
    ("udefs", Takes::None),
    ("unodefs", Takes::None),
    ("useruid", Takes::Some),
];

/// Whether an option is one of these, and takes this value.
pub fn takes(name: &str, value: Option<&str>) -> Option<bool> {
    let (_, takes) = ANYWAY.iter().find(|(known, _)| *known == name)?;
    Some(match takes {
        Takes::None => value.is_none(),
        Takes::Any => true,
        Takes::Some => value.is_some(),
        Takes::Switch => switch(value).is_some(),
        Takes::Size => value.is_none_or(|value| size(value).is_some()),
        Takes::SomeSize => value.is_some_and(|value| size(value).is_some()),
        Takes::Rate => value.is_none_or(|value| rate(value).is_some()),
        Takes::Word(words) => value.is_some_and(|value| words.contains(&value)),
        Takes::AnyCase(words) => {
            value.is_some_and(|value| words.iter().any(|word| word.eq_ignore_ascii_case(value)))
        }
    })
}
