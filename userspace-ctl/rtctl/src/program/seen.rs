// SPDX-License-Identifier: GPL-2.0-only
//! What a process has mapped, looked at while it runs: once it has ended it can be asked no more, and
//! what it has recorded is often read only then.
//!
//! Nobody tells when a process maps something. A dynamic program does it in its first milliseconds, so
//! they are looked at closely: after 1 ms, 2, 4 and so on, and then every second.

use std::fs;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use d_compiler::compiled::{Action, AddressForm, Compiled, Form};

/// How long after the beginning the first look is, and the longest time between two.
const FIRST: Duration = Duration::from_millis(1);
const SELDOM: Duration = Duration::from_secs(1);

/// /proc/PID/maps of a process as it was last seen; empty until then.
#[derive(Debug)]
pub struct Seen {
    pid: u32,
    maps: Arc<Mutex<String>>,
}

impl Seen {
    /// Looks at a process from now on, until it ends or nobody asks any more.
    pub fn follow(pid: u32) -> Self {
        let maps = Arc::default();
        let into = Arc::downgrade(&maps);
        // Without a thread nothing is seen: addresses of what has ended are numbers then.
        let _ = thread::Builder::new()
            .name("maps".into())
            .spawn(move || look(pid, &into));
        Self { pid, maps }
    }

    /// What a process had mapped when it was last seen, if it is the one that is looked at.
    pub fn of(&self, pid: u32) -> Option<String> {
        let maps = self.maps.lock().unwrap_or_else(PoisonError::into_inner);
        (pid == self.pid && !maps.is_empty()).then(|| maps.clone())
    }
}

fn look(pid: u32, into: &Weak<Mutex<String>>) {
    let mut pause = FIRST;
    // Who is gone has no file there. Who has ended, and who begins a program, has nothing mapped.
    while let Ok(text) = fs::read_to_string(file(pid)) {
        let Some(kept) = into.upgrade() else { return };
        if !text.is_empty() {
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = text;
        }
        drop(kept);
        thread::sleep(pause);
        pause = (pause * 2).min(SELDOM);
    }
}

/// What a process has mapped, as /proc tells it, if it runs.
pub fn maps(pid: u32) -> Option<String> {
    let text = fs::read_to_string(file(pid)).ok()?;
    (!text.is_empty()).then_some(text)
}

fn file(pid: u32) -> String {
    format!("/proc/{pid}/maps")
}

/// Whether a program may show addresses of processes by name.
pub fn wanted(compiled: &Compiled) -> bool {
    let mut actions = compiled.clauses.iter().flat_map(|clause| &clause.actions);
    let mut keys = compiled.aggregations.iter().flat_map(|one| &one.keys);
    actions.any(is_shown) || keys.any(is_of_process)
}

fn is_shown(action: &Action) -> bool {
    match action {
        Action::Ustack(_) => true,
        Action::Address(form) => is_of_process(&Form::Address(*form)),
        Action::Trace(form) => is_of_process(form),
        // %A takes plain numbers.
        Action::Printf { format, arguments } => {
            format.contains('A') || arguments.iter().any(is_of_process)
        }
        Action::Printa {
            format: Some(format),
            ..
        } => format.contains('A'),
        _ => false,
    }
}

fn is_of_process(form: &Form) -> bool {
    matches!(
        form,
        Form::Ustack(_)
            | Form::StackValue(_)
            | Form::Address(
                AddressForm::UserFunction | AddressForm::UserAddress | AddressForm::UserModule
            )
    )
}

#[cfg(test)]
mod tests {
    use d_compiler::compile::compile;
    use d_compiler::macros::Macros;
    use d_compiler::options::Options;
    use d_compiler::parse::parse;
    use d_compiler::types::Types;

    use super::*;

    fn is_wanted(body: &str) -> bool {
        let text = format!("BEGIN {{ {body} }}");
        let program = parse(&text, &Macros::default()).unwrap();
        let options = Options {
            target: true,
            ..Options::default()
        };
        wanted(&compile(&program, &mut Types::new(None), &options).unwrap())
    }

    #[test]
    fn programs_that_show_addresses_of_processes_want_to_know_what_they_map() {
        for body in [
            "ustack();",
            "usym(ucaller);",
            "umod(ucaller);",
            "printf(\"%A\", ucaller);",
            "printf(\"%k\", ustack(2));",
            "this->v = ustack(2); trace(this->v);",
            "@[ustack(2)] = count();",
            "@[uaddr(ucaller)] = count();",
        ] {
            assert!(is_wanted(body), "{body}");
        }
        for body in [
            "stack();",
            "trace(pid);",
            "printf(\"%d\", pid);",
            "@[pid] = count();",
        ] {
            assert!(!is_wanted(body), "{body}");
        }
    }

    #[test]
    fn what_a_process_has_mapped_is_known_when_it_has_ended() {
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let pid = child.id();
        let seen = Seen::follow(pid);
        while seen.of(pid).is_none() {
            thread::yield_now();
        }
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!(maps(pid), None);
        assert!(seen.of(pid).unwrap().contains("r-xp"));
        assert_eq!(seen.of(pid + 1), None);
    }
}
