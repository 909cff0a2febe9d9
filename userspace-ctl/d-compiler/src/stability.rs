// SPDX-License-Identifier: GPL-2.0-only
//! DTrace's stability attributes: how far one may rely on an interface. Programs may say them
//! (`#pragma D attributes`) and ask for them (option `amin`). All that is here is
//! `Unstable/Unstable/Common`, as Oracle's edition has it.
#![forbid(unsafe_code)]

use std::fmt;

/// How stable names and data are, the least first.
const STABILITIES: [&str; 8] = [
    "Internal", "Private", "Obsolete", "External", "Unstable", "Evolving", "Stable", "Standard",
];

/// On how many machines it is so, on the fewest first.
const CLASSES: [&str; 6] = ["Unknown", "CPU", "Platform", "Group", "ISA", "Common"];

/// Stability of name and data, and the class of machines: `Evolving/Evolving/Common`. Those that
/// promise more are greater; the first that differs decides, as in libdtrace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attributes {
    name: usize,
    data: usize,
    class: usize,
}

impl Attributes {
    /// Those of all that is here.
    pub const OURS: Self = Self {
        name: 4,
        data: 4,
        class: 5,
    };

    /// `name/data/class`, in any case of letters. `None`: these are no attributes.
    pub fn parse(text: &str) -> Option<Self> {
        let place = |names: &[&str], word: &str| {
            (names.iter()).position(|name| name.eq_ignore_ascii_case(word))
        };
        let parts: Vec<&str> = text.split('/').collect();
        let [name, data, class] = parts[..] else {
            return None;
        };
        Some(Self {
            name: place(&STABILITIES, name)?,
            data: place(&STABILITIES, data)?,
            class: place(&CLASSES, class)?,
        })
    }
}

impl fmt::Display for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, data, class } = *self;
        let (name, data) = (STABILITIES[name], STABILITIES[data]);
        write!(f, "{name}/{data}/{}", CLASSES[class])
    }
}

#[cfg(test)]
mod tests {
    use super::Attributes;

    #[test]
    fn the_first_that_differs_decides() {
        let of = |text| Attributes::parse(text).expect("attributes");
        assert_eq!(of("unstable/UNSTABLE/Common"), Attributes::OURS);
        assert!(of("Evolving/Private/CPU") > Attributes::OURS);
        assert!(of("Unstable/Unstable/ISA") < Attributes::OURS);
        assert!(of("Private/Stable/Common") < Attributes::OURS);
        assert_eq!(of("Stable/private/isa").to_string(), "Stable/Private/ISA");
    }

    #[test]
    fn what_is_no_attribute_is_none() {
        for text in [
            "",
            "Stable",
            "Stable/Stable",
            "Stable/Common/Stable",
            "a/b/c",
            "////",
        ] {
            assert_eq!(Attributes::parse(text), None, "{text}");
        }
    }
}
