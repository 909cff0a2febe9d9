// SPDX-License-Identifier: GPL-2.0-only
//! Which probes a description names, provider by provider.
//!
//! | provider | its probes |
//! |---|---|
//! | fbt | entry and return of functions, which the module knows |
//! | syscall | the same of the functions `__x64_sys_NAME`, by the names that users or the kernel know |
//! | dtrace | BEGIN, END, ERROR |
//! | profile | `tick-N` and `profile-N`, made when they are named; to a glob, some that are always there |

use std::time::Duration;

use anyhow::Result;
use d_compiler::ast::Description;
use d_compiler::syscalls;
use glob::Pattern as Glob;
use rust_tracer::{Function, Kind, Pattern, Query, Session, abi};

/// What the functions of system calls begin with.
const PREFIX: &str = "__x64_sys_";

/// The timers that a description without a name or with a glob in its place means, in DTrace's
/// order (dt_prov_profile.c).
const TIMERS: [&str; 13] = [
    "profile-97",
    "profile-199",
    "profile-499",
    "profile-997",
    "profile-1999",
    "profile-4001",
    "profile-4999",
    "tick-1",
    "tick-10",
    "tick-100",
    "tick-500",
    "tick-1000",
    "tick-5000",
];

/// Of which world a clause's probes are: the same function has other names and arguments as a
/// system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum World {
    /// Functions, and the module's own probes.
    Plain,
    /// System calls.
    Syscall,
}

/// Probes to add for a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// Functions by a pattern.
    Functions(Pattern),
    /// Probes of system calls, by their ids.
    Ids(Vec<u32>),
    /// One of the module's own.
    Own {
        /// Which.
        kind: Kind,
        /// As `tick-1s`.
        name: String,
        /// In ns, if it has one.
        period: u64,
    },
}

impl Named {
    /// The world of these probes.
    pub fn world(&self) -> World {
        match self {
            Self::Ids(_) => World::Syscall,
            Self::Functions(_) | Self::Own { .. } => World::Plain,
        }
    }

    /// Whether a probe may be among both. It is not looked into what two globs have in common.
    pub fn may_share(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Functions(one), Self::Functions(two)) => {
                ((one.entry && two.entry) || (one.ret && two.ret))
                    && overlap(&one.module, &two.module)
                    && overlap(&one.function, &two.function)
            }
            (Self::Ids(one), Self::Ids(two)) => one.iter().any(|id| two.contains(id)),
            (Self::Own { .. }, Self::Own { .. }) => self == other,
            _ => false,
        }
    }
}

/// Whether two fields of descriptions may mean the same word; an empty one means any.
fn overlap(one: &str, two: &str) -> bool {
    let any = |field: &str| field.is_empty() || field.contains(['*', '?', '[', '\\']);
    let means = |glob: &str, word: &str| {
        glob.is_empty() || Glob::new(glob).is_ok_and(|glob| glob.matches(word))
    };
    match (any(one), any(two)) {
        (true, true) => true,
        (true, false) => means(one, two),
        (false, true) => means(two, one),
        (false, false) => one == two,
    }
}

/// A system call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syscall {
    /// As users know it.
    pub name: String,
    /// The function that begins it.
    pub function: Function,
}

impl Syscall {
    /// As the kernel knows it, and Oracle's edition with it.
    fn known(&self) -> &str {
        let function = &self.function.name;
        function.strip_prefix(PREFIX).unwrap_or(function)
    }
}

/// The providers, as far as they need to be asked.
pub struct Providers<'a> {
    session: &'a Session,
    /// Whether functions of modules that load later belong to a description as well.
    late: bool,
    syscalls: Option<Vec<Syscall>>,
}

impl<'a> Providers<'a> {
    /// Those of a session.
    pub fn new(session: &'a Session, late: bool) -> Self {
        Self {
            session,
            late,
            syscalls: None,
        }
    }

    /// All system calls, in the order of their functions.
    pub fn syscalls(&mut self) -> Result<&[Syscall]> {
        if self.syscalls.is_none() {
            let query = Query {
                module: "vmlinux".into(),
                function: format!("{PREFIX}*"),
                ..Query::default()
            };
            let functions = self.session.functions(&query)?;
            self.syscalls = Some(functions.into_iter().filter_map(syscall).collect());
        }
        Ok(self.syscalls.as_deref().unwrap_or_default())
    }

    /// What a description names; nothing: no provider has such a probe.
    pub fn named(&mut self, description: &Description) -> Result<Vec<Named>> {
        let mut named = Vec::new();
        if let Some(id) = description.id {
            named.extend(self.by_id(id)?);
            return Ok(named);
        }
        let Description {
            provider,
            module,
            function,
            name,
            ..
        } = description;
        if matches(provider, "fbt") {
            let pattern = Pattern {
                module: module.clone(),
                function: function.clone(),
                entry: matches(name, Kind::Entry.name()),
                ret: matches(name, Kind::Return.name()),
                late: self.late,
                group: 0,
            };
            if pattern.entry || pattern.ret {
                named.push(Named::Functions(pattern));
            }
        }
        if matches(provider, "syscall") && matches(module, "vmlinux") {
            let kinds: Vec<_> = Kind::ALL
                .into_iter()
                .filter(|kind| matches(name, kind.name()))
                .collect();
            if !kinds.is_empty() {
                let glob = compiled(function);
                let ids: Vec<_> = self
                    .syscalls()?
                    .iter()
                    .filter(|call| glob.matches(&call.name) || glob.matches(call.known()))
                    .flat_map(|call| {
                        kinds
                            .iter()
                            .filter_map(|kind| call.function.probe_id(*kind))
                    })
                    .collect();
                if !ids.is_empty() {
                    named.push(Named::Ids(ids));
                }
            }
        }
        if matches(module, "") && matches(function, "") {
            if matches(provider, "dtrace") {
                for kind in ALWAYS {
                    if matches(name, kind.name()) {
                        named.push(Named::Own {
                            kind,
                            name: kind.name().into(),
                            period: 0,
                        });
                    }
                }
            }
            if matches(provider, "profile") {
                named.extend(timers(name));
            }
        }
        Ok(named)
    }

    /// Whether any probe is what a description names.
    pub fn has(&mut self, description: &Description) -> Result<bool> {
        for named in self.named(description)? {
            let Named::Functions(pattern) = named else {
                return Ok(true);
            };
            let query = Query {
                module: pattern.module,
                function: pattern.function,
                ..Query::default()
            };
            let of = |function: &Function| {
                pattern.entry && function.entry_id.is_some()
                    || pattern.ret && function.return_id.is_some()
            };
            if self.session.functions(&query)?.iter().any(of) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The probe of an id, as `-l` lists it.
    fn by_id(&mut self, id: u32) -> Result<Option<Named>> {
        if let Some(kind) = ALWAYS.into_iter().find(|kind| always_id(*kind) == Some(id)) {
            return Ok(Some(Named::Own {
                kind,
                name: kind.name().into(),
                period: 0,
            }));
        }
        let plain = id.checked_sub(SYSCALL_IDS);
        let of = |function: &Function, id| {
            Kind::ALL
                .into_iter()
                .any(|kind| function.probe_id(kind) == Some(id))
        };
        if let Some(plain) = plain {
            let found = self
                .syscalls()?
                .iter()
                .any(|call| of(&call.function, plain));
            return Ok(found.then_some(Named::Ids(vec![plain])));
        }
        let functions = self.session.functions(&Query::default())?;
        let found = functions.iter().find(|function| of(function, id));
        Ok(found.map(|function| {
            Named::Functions(Pattern {
                module: literal(&function.module),
                function: literal(&function.name),
                entry: function.entry_id == Some(id),
                ret: function.return_id == Some(id),
                late: false,
                group: 0,
            })
        }))
    }
}

/// The provider dtrace's probes, which are there always.
const ALWAYS: [Kind; 3] = [Kind::Begin, Kind::End, Kind::Error];

/// The id of one of these, as in DTrace; other probes of the module's own get theirs when they are
/// made (`own::id` in the module).
pub fn always_id(kind: Kind) -> Option<u32> {
    let at = ALWAYS.into_iter().position(|always| always == kind)?;
    Some(at as u32 + 1)
}

/// What is added to the id of a function's probe to make that of the system call's.
pub const SYSCALL_IDS: u32 = 1 << 19;

/// The name of a system call as users know it, by that of its function.
pub fn syscall_name(function: &str) -> Option<&str> {
    function.strip_prefix(PREFIX).map(syscalls::as_users_know)
}

fn syscall(function: Function) -> Option<Syscall> {
    let name = syscall_name(&function.name)?.to_owned();
    // What is called for numbers that stand for no call.
    (name != "ni_syscall").then_some(Syscall { name, function })
}

/// The timers of this name.
fn timers(name: &str) -> Vec<Named> {
    let glob = compiled(name);
    let always: Vec<_> = TIMERS
        .into_iter()
        .filter(|always| glob.matches(always))
        .filter_map(timer)
        .collect();
    match always.is_empty() {
        true => timer(name).into_iter().collect(),
        false => always,
    }
}

/// `tick-N` and `profile-N`, if that is what it is, and not more often than there can be one.
fn timer(name: &str) -> Option<Named> {
    let (kind, rate) = match name.split_once('-')? {
        ("tick", rate) => (Kind::Tick, rate),
        ("profile", rate) => (Kind::Profile, rate),
        _ => return None,
    };
    let digits = rate.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = rate.split_at(digits);
    let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
    let second = Duration::from_secs(1).as_nanos() as u64;
    let period = match unit.to_ascii_lowercase().as_str() {
        "ns" | "nsec" => number,
        "us" | "usec" => number.checked_mul(1000)?,
        "ms" | "msec" => number.checked_mul(1_000_000)?,
        "s" | "sec" => number.checked_mul(second)?,
        "m" | "min" => number.checked_mul(60 * second)?,
        "h" | "hour" => number.checked_mul(3600 * second)?,
        "d" | "day" => number.checked_mul(86_400 * second)?,
        "" | "hz" => second / number,
        _ => return None,
    };
    (period >= u64::from(abi::RTRACE_PERIOD_MIN)).then(|| Named::Own {
        kind,
        name: name.to_owned(),
        period,
    })
}

/// Whether a field matches one of our own words.
fn matches(glob: &str, word: &str) -> bool {
    glob.is_empty() || compiled(glob).matches(word)
}

/// A glob; what is none stands for itself.
fn compiled(glob: &str) -> Glob {
    let glob = if glob.is_empty() { "*" } else { glob };
    Glob::new(glob).unwrap_or_else(|_| Glob::new(&Glob::escape(glob)).unwrap_or_default())
}

/// A pattern that matches this name alone.
fn literal(name: &str) -> String {
    name.chars()
        .flat_map(|char| {
            let special = matches!(char, '*' | '?' | '[' | ']' | '\\');
            special.then_some('\\').into_iter().chain([char])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rust_tracer::fake::{Fake, FakeFunction};

    use super::*;

    fn session() -> Session {
        let functions = ["vfs_read", "__x64_sys_read", "__x64_sys_newfstat"];
        let functions = functions.map(FakeFunction::new).to_vec();
        let fake: Arc<Fake> = Fake::new(1, functions);
        Session::over(fake).unwrap()
    }

    fn named(provider: &str, function: &str, name: &str) -> Vec<Named> {
        let session = session();
        let description = Description {
            provider: provider.into(),
            function: function.into(),
            name: name.into(),
            ..Description::default()
        };
        Providers::new(&session, false).named(&description).unwrap()
    }

    fn period(name: &str) -> Option<u64> {
        match named("", "", name)[..] {
            [Named::Own { period, .. }] => Some(period),
            _ => None,
        }
    }

    #[test]
    fn system_calls_have_the_names_that_users_know() {
        assert_eq!(named("syscall", "read", "entry"), [Named::Ids(vec![3])]);
        assert_eq!(named("syscall", "fstat", "return"), [Named::Ids(vec![6])]);
        assert_eq!(named("syscall", "newfstat", "entry"), [Named::Ids(vec![5])]);
        assert_eq!(named("syscall", "", ""), [Named::Ids(vec![3, 4, 5, 6])]);
    }

    #[test]
    fn without_a_provider_every_one_is_asked() {
        let both = named("", "*read", "entry");
        assert!(matches!(&both[..], [Named::Functions(_), Named::Ids(ids)] if *ids == [3]));
        assert!(matches!(
            &named("", "", "BEGIN")[..],
            [Named::Own {
                kind: Kind::Begin,
                ..
            }]
        ));
        assert_eq!(named("dtrace", "", "").len(), 3);
        assert!(named("io", "", "start").is_empty());
        assert!(named("", "x", "BEGIN").is_empty());
    }

    #[test]
    fn rates_are_told_as_in_dtrace() {
        assert_eq!(period("tick-1s"), Some(1_000_000_000));
        assert_eq!(period("tick-5sec"), Some(5_000_000_000));
        assert_eq!(period("profile-97"), Some(10_309_278));
        assert_eq!(period("profile-1000hz"), Some(1_000_000));
        assert_eq!(period("tick-250us"), Some(250_000));
        assert_eq!(period("tick-2m"), Some(120_000_000_000));
        for name in ["tick", "tick-", "tick-0", "tick-1x", "tock-1s", "tick-1s1"] {
            assert_eq!(period(name), None, "{name}");
        }
    }

    #[test]
    fn no_timer_is_faster_than_there_can_be_one() {
        assert_eq!(period("tick-200us"), Some(200_000));
        for name in ["tick-199us", "profile-1ns", "profile-5001", "tick-1us"] {
            assert_eq!(period(name), None, "{name}");
        }
    }

    #[test]
    fn a_glob_means_the_timers_that_are_always_there() {
        assert_eq!(named("profile", "", "").len(), TIMERS.len());
        assert_eq!(named("profile", "", "tick-*").len(), 6);
        assert_eq!(named("profile", "", "tick-?").len(), 1);
        assert_eq!(named("", "", "tick-10").len(), 1);
        assert_eq!(named("", "", "tick-7*").len(), 0);
    }

    #[test]
    fn an_id_names_the_probe_that_has_it() {
        let session = session();
        let mut providers = Providers::new(&session, false);
        let mut by_id = |id| {
            let description = Description {
                id: Some(id),
                ..Description::default()
            };
            providers.named(&description).unwrap()
        };
        assert_eq!(by_id(SYSCALL_IDS + 3), [Named::Ids(vec![3])]);
        assert!(by_id(9999).is_empty());
        assert!(
            matches!(&by_id(4)[..], [Named::Functions(pattern)] if pattern.ret && !pattern.entry)
        );
    }
}
