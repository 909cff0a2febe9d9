// SPDX-License-Identifier: GPL-2.0-only
//! Versions of D. A program may ask for an old one (option `version`), and what came later is then free for names of its
//! own. Source: Oracle's libdtrace, `dt_version.h`, and `dt_open.c`'s table of identifiers, which has the version of each.
#![forbid(unsafe_code)]

/// A version of D: `1.6.4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u8,
    minor: u16,
    micro: u16,
}

/// All there have been, the oldest first.
const ALL: [Version; 19] = [
    of(1, 0, 0),
    of(1, 1, 0),
    of(1, 2, 0),
    of(1, 2, 1),
    of(1, 2, 2),
    of(1, 3, 0),
    of(1, 4, 0),
    of(1, 4, 1),
    of(1, 5, 0),
    of(1, 6, 0),
    of(1, 6, 1),
    of(1, 6, 2),
    of(1, 6, 3),
    of(1, 6, 4),
    of(2, 0, 0),
    of(2, 0, 1),
    of(2, 0, 2),
    of(2, 0, 3),
    of(2, 0, 4),
];

/// Minor and micro versions have twelve bits.
const MOST: u16 = 0xfff;

/// Names that came after the first version.
const LATER: [(Version, &[&str]); 6] = [
    (
        of(1, 1, 0),
        &[
            "freopen", "index", "rindex", "strchr", "strrchr", "strstr", "strtok", "substr",
        ],
    ),
    (
        of(1, 2, 0),
        &[
            "func",
            "mod",
            "setopt",
            "sym",
            "uaddr",
            "ucaller",
            "ufunc",
            "umod",
            "ustackdepth",
            "usym",
        ],
    ),
    (
        of(1, 3, 0),
        &["htonl", "htonll", "htons", "ntohl", "ntohll", "ntohs"],
    ),
    (
        of(1, 5, 0),
        &["inet_ntoa", "inet_ntoa6", "inet_ntop", "link_ntop"],
    ),
    (of(1, 6, 0), &["stddev"]),
    (of(1, 6, 4), &["llquantize", "pcap"]),
];

const fn of(major: u8, minor: u16, micro: u16) -> Version {
    Version {
        major,
        minor,
        micro,
    }
}

impl Version {
    /// The one that is all here.
    pub const LATEST: Self = ALL[ALL.len() - 1];

    /// `major.minor` or `major.minor.micro`. `None`: this is no version.
    pub fn parse(text: &str) -> Option<Self> {
        let (major, rest) = text.split_once('.')?;
        let (minor, micro) = rest.split_once('.').unwrap_or((rest, "0"));
        let part = |text: &str| text.parse().ok().filter(|&part: &u16| part <= MOST);
        Some(of(major.parse().ok()?, part(minor)?, part(micro)?))
    }

    /// Whether there has been such a version.
    pub fn is_defined(self) -> bool {
        ALL.contains(&self)
    }

    /// Whether a name that D defines had been there in this version.
    pub fn has(self, name: &str) -> bool {
        let later = LATER.iter().find(|(_, names)| names.contains(&name));
        later.is_none_or(|(since, _)| *since <= self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_two_or_three_numbers() {
        assert_eq!(Version::parse("1.6.4"), Some(of(1, 6, 4)));
        assert_eq!(Version::parse("1.0"), Some(of(1, 0, 0)));
        for wrong in [
            "", "1", "1.", ".1", "1.2.3.4", "1.x", "256.0", "1.4096", "1.0.4096",
        ] {
            assert_eq!(Version::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn those_that_have_been_are_in_order() {
        assert!(ALL.is_sorted());
        assert!(of(1, 6, 4).is_defined());
        assert!(!of(1, 7, 0).is_defined());
    }

    #[test]
    fn a_name_is_there_from_its_version_on() {
        assert!(!of(1, 0, 0).has("strstr"));
        assert!(of(1, 1, 0).has("strstr"));
        assert!(!of(1, 6, 3).has("llquantize"));
        assert!(Version::LATEST.has("llquantize"));
        assert!(of(1, 0, 0).has("printf"));
    }

    #[test]
    fn what_came_later_is_a_name_of_ours() {
        for name in LATER.iter().flat_map(|(_, names)| *names) {
            let known = crate::builtins::function(name).is_some()
                || crate::builtins::variable(name).is_some();
            assert!(known, "{name}");
        }
    }
}
