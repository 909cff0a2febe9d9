// SPDX-License-Identifier: GPL-2.0-only
//! Names for kernel addresses, as DTrace writes them: vmlinux`vfs_read+0x10.
//!
//! The module is asked once for each address, and again when a module has come or
//! gone. Only addresses of the kernel's
//! image and of modules are asked for: others have no name.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use rust_tracer::{Node, Session};

/// Where x86-64 maps the kernel's image and modules (Documentation/arch/x86/x86_64/mm.rst).
const NAMED: Range<u64> = 0xffff_ffff_8000_0000..0xffff_ffff_ff00_0000;

/// Addresses that are remembered.
const MOST: usize = 1 << 16;

/// What addresses are called.
#[derive(Default)]
pub struct Symbols {
    /// Who is asked; `None`: a node that shows no addresses.
    session: Option<Session>,
    known: RefCell<HashMap<u64, Option<Rc<str>>>>,
    /// The table of functions in whose time they were asked for.
    generation: Cell<Option<u64>>,
    /// Whether the number is wanted beside the name.
    pub raw: bool,
}

impl Symbols {
    /// The names that a session's node tells; none if it tells none.
    pub fn of(session: &Session, raw: bool) -> Self {
        let shown = session.node() == Some(Node::Kernel);
        Self {
            session: shown.then(|| session.clone()),
            raw,
            ..Self::default()
        }
    }

    /// Forgets the names if a module came or went since they were asked for: its
    /// addresses may be another's now. For each look at the rings, not each record.
    pub fn refresh(&self) {
        let Some(session) = &self.session else { return };
        let mut known = self.known.borrow_mut();
        if known.is_empty() {
            return;
        }
        let now = session.generation().ok();
        if self.generation.replace(now) != now {
            known.clear();
        }
    }

    /// The name of what may be an address.
    pub fn get(&self, value: u64) -> Option<Rc<str>> {
        let session = self.session.as_ref().filter(|_| NAMED.contains(&value))?;
        let mut known = self.known.borrow_mut();
        if let Some(name) = known.get(&value) {
            return name.clone();
        }
        if known.len() >= MOST {
            known.clear();
        }
        if known.is_empty() {
            // Before the first question: what comes in between is asked for again.
            self.generation.set(session.generation().ok());
        }
        // An address without a name stays a number, for whatever reason.
        let text = session.symbol(value).unwrap_or_default();
        let name = text.map(|text| Rc::from(dtraces(&text)));
        known.insert(value, name.clone());
        name
    }
}

/// From `name+0x10/0x40 [module]` to module`name+0x10.
fn dtraces(text: &str) -> String {
    let (symbol, module) = match text.split_once(" [") {
        Some((symbol, module)) => (symbol, module.trim_end_matches(']')),
        None => (text, "vmlinux"),
    };
    let place = symbol.split_once('/').map_or(symbol, |(place, _)| place);
    let place = place.strip_suffix("+0x0").unwrap_or(place);
    format!("{module}`{place}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rust_tracer::fake::{Fake, FakeFunction};

    use super::*;

    const ADDRESS: u64 = 0xffff_ffff_8123_4560;

    #[test]
    fn names_are_written_as_dtrace_does() {
        assert_eq!(dtraces("vfs_read+0x10/0x40"), "vmlinux`vfs_read+0x10");
        assert_eq!(dtraces("ext4_sync+0x0/0x9f [ext4]"), "ext4`ext4_sync");
        assert_eq!(dtraces("odd"), "vmlinux`odd");
    }

    #[test]
    fn an_address_is_asked_for_once_and_a_number_never() {
        let module = Fake::new(1, vec![FakeFunction::new("vfs_read")]);
        module.add_symbol(ADDRESS, "vfs_read+0x0/0x40");
        let session = Session::over(Arc::clone(&module) as _).unwrap();
        let symbols = Symbols::of(&session, false);
        for _ in 0..3 {
            assert_eq!(symbols.get(ADDRESS).as_deref(), Some("vmlinux`vfs_read"));
            assert_eq!(symbols.get(ADDRESS + 1), None);
        }
        for number in [0, 1, u64::MAX, -2_i64 as u64, 0xffff_8881_042f_6c00] {
            assert_eq!(symbols.get(number), None);
        }
        assert_eq!(module.symbols_asked(), 2);
    }

    #[test]
    fn what_a_module_was_called_is_asked_again_when_another_may_be_there() {
        let module = Fake::new(1, vec![FakeFunction::new("vfs_read")]);
        module.add_symbol(ADDRESS, "vfs_read+0x0/0x40");
        let session = Session::over(Arc::clone(&module) as _).unwrap();
        let symbols = Symbols::of(&session, false);
        for _ in 0..3 {
            symbols.refresh();
            assert!(symbols.get(ADDRESS).is_some());
        }
        assert_eq!(module.symbols_asked(), 1);
        module.add_late(FakeFunction::new("late"));
        symbols.refresh();
        assert!(symbols.get(ADDRESS).is_some());
        assert_eq!(module.symbols_asked(), 2);
    }

    #[test]
    fn without_a_session_nothing_has_a_name() {
        assert_eq!(Symbols::default().get(ADDRESS), None);
    }
}
