// SPDX-License-Identifier: GPL-2.0-only
//! Check 5: is there executable memory with code that nobody owns?
//!
//! The module walks the kernel's page tables over all places where modules and other
//! code may be. What was freed there holds int3, and is no code. Modules come and go
//! meanwhile: so what seems to be nobody's is looked at again, page by page, until it
//! is somebody's, or gone, or has stayed.

use rust_tracer::views::{Kind, Owner, Text};

use super::callers::whose;
use super::facts::Facts;
use super::owners::answered;
use super::report::{Finding, Outcome, Report, count};

/// The module's names for what CPUs wake up in, and for what enters the kernel that kexec has loaded.
const ENTERED_ALONE: [&str; 2] = ["real_mode", "kexec"];

/// Judges executable memory.
pub fn check(facts: &Facts) -> Outcome {
    let text = facts.text.get()?;
    let findings = text.iter().filter_map(|row| finding(facts, row)).collect();
    let bytes: u64 = text.iter().map(|row| row.bytes).sum();
    let owned = text.iter().filter(|row| is_owned(&row.owner));
    let looked = format!(
        "{} KiB of executable memory outside the kernel's own text, in {}, {} with an owner, \
         the others without code",
        bytes >> 10,
        count(text.len(), "range"),
        owned.count()
    );
    Ok(Report { looked, findings })
}

/// Whether somebody answers for this memory. What is entered by itself is never called.
pub fn is_owned(owner: &Owner) -> bool {
    answered(owner.kind) || (owner.kind == Kind::Init && ENTERED_ALONE.contains(&&*owner.name))
}

fn finding(facts: &Facts, row: &Text) -> Option<Finding> {
    if row.code == 0 {
        return None;
    }
    let place = format!("{}, {} bytes", facts.place(&row.owner), row.bytes);
    let forms = vec![
        "the kernel's page tables".to_owned(),
        "the owner by our ledger, the list and the tree of modules".to_owned(),
    ];
    if !is_owned(&row.owner) {
        let perhaps = match row.owner.kind {
            Kind::Gone => "memory of a module that went, before it was filled with int3",
            Kind::Hidden => "a module whose unloading hangs after it left the list",
            _ => "code that is made at run time by a subsystem that the module does not know",
        };
        return Some(Finding {
            key: format!("text {}", whose(&row.owner)),
            what: format!(
                "{} bytes of code in executable memory that nobody answers for",
                row.code
            ),
            place,
            forms,
            perhaps: perhaps.into(),
            look: "rtctl check modules crossview callers".into(),
            // It was looked at again already.
            certain: true,
            ..Finding::default()
        });
    }
    row.writable.then(|| Finding {
        key: format!("writable {}", whose(&row.owner)),
        what: "executable memory is writable as well".into(),
        place,
        forms,
        perhaps: "text that is being written at this moment, without the kernel's own care".into(),
        look: "rtctl check sites syscalls".into(),
        ..Finding::default()
    })
}

#[cfg(test)]
mod tests {
    use super::super::fact::Told;
    use super::super::facts::tests::owner;
    use super::*;

    fn findings(kind: Kind, code: u64, writable: bool) -> Vec<Finding> {
        findings_of(owner(0x1000, kind, ""), code, writable)
    }

    fn findings_of(owner: Owner, code: u64, writable: bool) -> Vec<Finding> {
        let row = Text {
            start: 0x1000,
            bytes: 4096,
            owner,
            code,
            writable,
        };
        let facts = Facts {
            text: Told::Is(vec![row]),
            ..Facts::default()
        };
        check(&facts).unwrap().findings
    }

    #[test]
    fn code_with_an_owner_and_memory_without_code_are_fine() {
        assert_eq!(findings(Kind::Module, 100, false), []);
        assert_eq!(findings(Kind::Bpf, 100, false), []);
        assert_eq!(findings(Kind::None, 0, false), []);
        assert_eq!(findings(Kind::Gone, 0, true), []);
        for name in ENTERED_ALONE {
            let alone = owner(0x9_8000, Kind::Init, name);
            assert_eq!(findings_of(alone, 100, false), []);
        }
    }

    #[test]
    fn code_that_nobody_owns_is_found() {
        for kind in [Kind::None, Kind::Hidden, Kind::Gone, Kind::Data, Kind::Init] {
            assert_eq!(findings(kind, 1, false).len(), 1, "{kind:?}");
        }
    }

    #[test]
    fn code_that_can_be_written_is_found() {
        let found = findings(Kind::Module, 1, true);
        assert_eq!(found[0].what, "executable memory is writable as well");
    }
}
