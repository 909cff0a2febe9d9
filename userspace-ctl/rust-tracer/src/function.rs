// SPDX-License-Identifier: GPL-2.0-only
//! Functions that can be traced, those that cannot and why, and the probes that a
//! session has.

#![forbid(unsafe_code)]

use std::fmt;

use zerocopy::FromBytes;

use crate::abi;

/// Entry or return of a function, or a probe of the module's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A function is entered.
    Entry,
    /// A function returns.
    Return,
    /// The trace begins.
    Begin,
    /// The trace ends.
    End,
    /// A program's clause cannot go on.
    Error,
    /// Time goes on: on one CPU.
    Tick,
    /// Time goes on: on each CPU.
    Profile,
}

impl Kind {
    /// Those of functions, entry first.
    pub const ALL: [Self; 2] = [Self::Entry, Self::Return];

    /// The probe's name, as in DTrace.
    pub fn name(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Return => "return",
            Self::Begin => "BEGIN",
            Self::End => "END",
            Self::Error => "ERROR",
            Self::Tick => "tick",
            Self::Profile => "profile",
        }
    }

    /// The provider whose probes are of this kind.
    pub fn provider(self) -> &'static str {
        match self {
            Self::Entry | Self::Return => "fbt",
            Self::Begin | Self::End | Self::Error => "dtrace",
            Self::Tick | Self::Profile => "profile",
        }
    }

    /// RTRACE_KIND_*
    pub fn to_abi(self) -> u32 {
        match self {
            Self::Entry => abi::RTRACE_KIND_ENTRY,
            Self::Return => abi::RTRACE_KIND_RETURN,
            Self::Begin => abi::RTRACE_KIND_BEGIN,
            Self::End => abi::RTRACE_KIND_END,
            Self::Error => abi::RTRACE_KIND_ERROR,
            Self::Tick => abi::RTRACE_KIND_TICK,
            Self::Profile => abi::RTRACE_KIND_PROFILE,
        }
    }

    fn from_abi(number: u32) -> Option<Self> {
        [
            Self::Entry,
            Self::Return,
            Self::Begin,
            Self::End,
            Self::Error,
            Self::Tick,
            Self::Profile,
        ]
        .into_iter()
        .find(|kind| kind.to_abi() == number)
    }
}

/// The way in which a probe is, or would be, attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// Not at all.
    None,
    /// By the module's own `ftrace_ops`.
    Ops,
    /// By fprobe.
    Fprobe,
    /// By the module's own stub.
    Stub,
    /// By a stub that serves this function alone.
    Slot,
    /// By a way that a newer module knows.
    Other(u8),
}

impl Way {
    fn from_abi(number: u8) -> Self {
        match u32::from(number) {
            abi::RTRACE_WAY_NONE => Self::None,
            abi::RTRACE_WAY_OPS => Self::Ops,
            abi::RTRACE_WAY_FPROBE => Self::Fprobe,
            abi::RTRACE_WAY_STUB => Self::Stub,
            abi::RTRACE_WAY_SLOT => Self::Slot,
            _ => Self::Other(number),
        }
    }

    /// Why a probe gets no better way, if there is one.
    pub fn why_not_better(self) -> Option<&'static str> {
        match self {
            Self::Fprobe => Some(
                "no stub: not known to take all arguments in registers and to return to its caller",
            ),
            Self::None | Self::Ops | Self::Stub | Self::Slot | Self::Other(_) => None,
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.pad("none"),
            Self::Ops => f.pad("ops"),
            Self::Fprobe => f.pad("fprobe"),
            Self::Stub => f.pad("stub"),
            Self::Slot => f.pad("slot"),
            Self::Other(number) => f.pad(&format!("way {number}")),
        }
    }
}

/// Why a function cannot be traced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Why {
    NoSite,
    Noinstr,
    Init,
    Rust,
    Part,
    Thunk,
    Gone,
    Busy,
    Other(u16),
}

impl Why {
    /// The reason of an `RTRACE_WHY_*`; `None` if there is none.
    pub fn from_abi(number: u16) -> Option<Self> {
        Some(match u32::from(number) {
            abi::RTRACE_WHY_OK => return None,
            abi::RTRACE_WHY_NO_SITE => Self::NoSite,
            abi::RTRACE_WHY_NOINSTR => Self::Noinstr,
            abi::RTRACE_WHY_INIT => Self::Init,
            abi::RTRACE_WHY_RUST => Self::Rust,
            abi::RTRACE_WHY_PART => Self::Part,
            abi::RTRACE_WHY_THUNK => Self::Thunk,
            abi::RTRACE_WHY_GONE => Self::Gone,
            abi::RTRACE_WHY_BUSY => Self::Busy,
            _ => Self::Other(number),
        })
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSite => "the compiler made no ftrace site for it",
            Self::Noinstr => "it is noinstr: it must not be instrumented",
            Self::Init => "it is boot code, freed since",
            Self::Rust => "it is Rust code, which carries no ftrace site",
            Self::Part => "it is a split-off part of another function",
            Self::Thunk => "it is entry code, a trampoline or a thunk",
            Self::Gone => "its module was unloaded",
            Self::Busy => "ftrace refused it",
            Self::Other(number) => return write!(f, "reason {number} of a newer module"),
        })
    }
}

/// Which functions to list: globs as in DTrace, an empty one matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The glob for the module's name.
    pub module: String,
    /// The glob for any of the function's names.
    pub function: String,
    /// List what cannot be traced as well.
    pub untraceable: bool,
    /// Tell the other names of each function.
    pub aliases: bool,
}

/// A kernel function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its number, stable while its module is loaded; 0 if it cannot be traced.
    pub id: u32,
    /// The entry probe's id, if there is one.
    pub entry_id: Option<u32>,
    /// The return probe's id, if there is one.
    pub return_id: Option<u32>,
    /// How an entry probe would be attached.
    pub entry_way: Way,
    /// How a return probe would be attached.
    pub return_way: Way,
    /// Why it cannot be traced, if so.
    pub why: Option<Why>,
    /// Its module; `vmlinux` for the kernel proper.
    pub module: String,
    /// The name that matched.
    pub name: String,
    /// Its other names, if they were asked for.
    pub aliases: Vec<String>,
}

impl Function {
    /// The id of its probe of this kind, if there is one.
    pub fn probe_id(&self, kind: Kind) -> Option<u32> {
        match kind {
            Kind::Entry => self.entry_id,
            Kind::Return => self.return_id,
            _ => None,
        }
    }

    /// How its probe of this kind would be attached.
    pub fn way(&self, kind: Kind) -> Way {
        match kind {
            Kind::Entry => self.entry_way,
            Kind::Return => self.return_way,
            _ => Way::None,
        }
    }
}

/// A probe of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// What records and ledger rows call it.
    pub index: u32,
    /// Its id, as in DTrace's ID column.
    pub id: u32,
    /// The function's number.
    pub function: u32,
    /// Entry or return.
    pub kind: Kind,
    /// How it is attached.
    pub way: Way,
    /// Why it is not attached, if so.
    pub why: Option<Why>,
    /// The function's module; empty if it has no function.
    pub module: String,
    /// The function's name; empty if it has no function.
    pub name: String,
    /// What a probe of the module's own is called, as `tick-1s`.
    pub own: Option<String>,
}

impl Probe {
    /// The last field of its full name.
    pub fn label(&self) -> &str {
        self.own.as_deref().unwrap_or(self.kind.name())
    }
}

impl fmt::Display for Probe {
    /// The probe's full name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (provider, label) = (self.kind.provider(), self.label());
        write!(f, "{provider}:{}:{}:{label}", self.module, self.name)
    }
}

/// Takes the next `rtrace_function` off a buffer; `None` if it is malformed.
pub(crate) fn take_function(buf: &mut &[u8]) -> Option<Function> {
    let (head, names) = take_entry::<abi::rtrace_function>(buf, |head| head.entry_size)?;
    let (module, names) = names.split_at_checked(head.module_len.into())?;
    let (name, names) = names.split_at_checked(head.name_len.into())?;
    let (aliases, _) = names.split_at_checked(head.aliases_len.try_into().ok()?)?;
    Some(Function {
        id: head.function,
        entry_id: (head.entry_id != 0).then_some(head.entry_id),
        return_id: (head.return_id != 0).then_some(head.return_id),
        entry_way: Way::from_abi(head.entry_way),
        return_way: Way::from_abi(head.return_way),
        why: Why::from_abi(head.why),
        module: text(module),
        name: text(name),
        aliases: text(aliases)
            .split_ascii_whitespace()
            .map(str::to_owned)
            .collect(),
    })
}

/// Takes the next `rtrace_probe` off a buffer; `None` if it is malformed.
pub(crate) fn take_probe(buf: &mut &[u8]) -> Option<Probe> {
    let (head, names) = take_entry::<abi::rtrace_probe>(buf, |head| head.entry_size)?;
    let (module, names) = names.split_at_checked(head.module_len.into())?;
    let (name, _) = names.split_at_checked(head.name_len.into())?;
    let kind = Kind::from_abi(head.kind.into())?;
    let (name, own) = match Kind::ALL.contains(&kind) {
        true => (text(name), None),
        false => (String::new(), Some(text(name))),
    };
    Some(Probe {
        index: head.index,
        id: head.id,
        function: head.function,
        kind,
        way: Way::from_abi(head.way),
        why: Why::from_abi(head.why),
        module: text(module),
        name,
        own,
    })
}

/// Takes an entry of the size it claims off a buffer: its head, and what follows
/// inside the entry.
pub(crate) fn take_entry<'a, T: FromBytes>(
    buf: &mut &'a [u8],
    size: impl FnOnce(&T) -> u32,
) -> Option<(T, &'a [u8])> {
    let (head, _) = T::read_from_prefix(buf).ok()?;
    let size = size(&head).try_into().ok().filter(|size| size % 8 == 0)?;
    let (entry, rest) = buf.split_at_checked(size)?;
    let names = entry.get(size_of::<T>()..)?;
    *buf = rest;
    Some((head, names))
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ways_have_names_and_those_of_newer_modules_numbers() {
        let named = [0, 1, 2, 3, 4, 9].map(|number| Way::from_abi(number).to_string());
        assert_eq!(named, ["none", "ops", "fprobe", "stub", "slot", "way 9"]);
        assert_eq!(format!("{:<6}|", Way::Stub), "stub  |");
    }

    #[test]
    fn only_what_goes_by_fprobe_could_have_a_better_way() {
        let better =
            [0, 1, 2, 3, 4, 9].map(|number| Way::from_abi(number).why_not_better().is_some());
        assert_eq!(better, [false, false, true, false, false, false]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            let mut buf = &bytes[..];
            while let (left, Some(_)) = (buf.len(), take_function(&mut buf)) {
                prop_assert!(buf.len() < left);
            }
            let mut buf = &bytes[..];
            while let (left, Some(_)) = (buf.len(), take_probe(&mut buf)) {
                prop_assert!(buf.len() < left);
            }
        }
    }
}
