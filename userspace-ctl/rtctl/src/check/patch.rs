// SPDX-License-Identifier: GPL-2.0-only
//! What has been written over text: pure arithmetic on instructions of x86-64.
//!
//! The kernel patches itself: jumps of static keys, calls of static calls, breakpoints
//! and jumps of kprobes. Whether a change may be one of those, its instructions tell
//! and where they lead.

/// What stands where something else stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patch {
    /// A no-op, for a jump or a call.
    Nop,
    /// A breakpoint.
    Trap,
    /// A jump.
    Jump(u64),
    /// A call.
    Call(u64),
    /// Something else.
    Other,
}

/// A change: where it begins, from the function's first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Bytes from the beginning.
    pub at: usize,
    /// What is there now.
    pub patch: Patch,
}

const NOP5: [u8; 5] = [0x0f, 0x1f, 0x44, 0x00, 0x00];
const NOP2: [u8; 2] = [0x66, 0x90];

/// Where a branch leads that is written at this address.
fn branch(bytes: &[u8], address: u64) -> Option<Patch> {
    let long = || {
        let offset = bytes.get(1..5)?.try_into().ok()?;
        let to = i64::from(i32::from_le_bytes(offset));
        Some(address.wrapping_add(5).wrapping_add_signed(to))
    };
    match bytes.first()? {
        0xe8 => long().map(Patch::Call),
        0xe9 => long().map(Patch::Jump),
        0xeb => {
            let to = *bytes.get(1)? as i8;
            let next = address.wrapping_add(2);
            Some(Patch::Jump(next.wrapping_add_signed(to.into())))
        }
        0xcc => Some(Patch::Trap),
        _ if bytes.starts_with(&NOP5) || bytes.starts_with(&NOP2) => Some(Patch::Nop),
        // Address to a register, jump there.
        0x48 if bytes.get(1) == Some(&0xb8) => {
            let to = bytes.get(2..10)?.try_into().ok()?;
            bytes.get(10..12).filter(|jump| *jump == [0xff, 0xe0])?;
            Some(Patch::Jump(u64::from_le_bytes(to)))
        }
        _ => None,
    }
}

/// How long the instruction is that can be patched here.
fn length(bytes: &[u8]) -> Option<usize> {
    match bytes.first()? {
        0xe8 | 0xe9 => Some(5),
        0xeb => Some(2),
        0xcc => Some(1),
        _ if bytes.starts_with(&NOP5) => Some(5),
        _ if bytes.starts_with(&NOP2) => Some(2),
        _ => None,
    }
}

/// What changed between two looks at a function, leaving out `site`: so many bytes at so many from its
/// beginning.
pub fn changes(address: u64, first: &[u8], now: &[u8], site: (usize, usize)) -> Vec<Change> {
    let outside = |at: &usize| !(site.0..site.0 + site.1).contains(at);
    let end = first.len().min(now.len());
    let differs = |at: usize| outside(&at) && first[at] != now[at];
    let mut changes = Vec::new();
    let mut at = 0;
    while let Some(difference) = (at..end).find(|&at| differs(at)) {
        // A branch that leads elsewhere now differs behind its first byte.
        let begins = (difference.saturating_sub(4).max(at)..=difference).filter(outside);
        let whole = |from: usize| {
            let (old, new) = (&first[from..end], &now[from..end]);
            let long = length(old)?.max(length(new)?);
            (from + long > difference).then_some((from, long))
        };
        let patched = begins.rev().find_map(whole);
        // Over what is no such instruction anything may have been written.
        let (from, long) = patched.unwrap_or((difference, 1));
        let patch = branch(&now[from..end], address.wrapping_add(from as u64));
        changes.push(Change {
            at: from,
            patch: patch.unwrap_or(Patch::Other),
        });
        let after = match patch {
            Some(Patch::Jump(_) | Patch::Call(_)) => length(&now[from..end]).unwrap_or(12),
            _ => long,
        };
        at = from + after.max(1);
        // What is behind in one piece is the same change.
        while at < end && differs(at) && patch.is_none() {
            at += 1;
        }
    }
    changes
}

/// Where a function jumps to before it has done anything, by its first bytes.
pub fn diverted(address: u64, head: &[u8]) -> Option<u64> {
    /// `endbr64`, and the no-op that the kernel makes of one that nobody needs.
    const ENDBR: [[u8; 4]; 2] = [[0xf3, 0x0f, 0x1e, 0xfa], [0x0f, 0x1f, 0x40, 0xd6]];
    let mut at = 0;
    if ENDBR.iter().any(|endbr| head.starts_with(endbr)) {
        at += ENDBR[0].len();
    }
    for _ in 0..2 {
        match branch(head.get(at..)?, address.wrapping_add(at as u64)) {
            Some(Patch::Jump(to)) => return Some(to),
            // The site.
            Some(Patch::Nop | Patch::Call(_)) => at += length(&head[at..])?,
            _ => return None,
        }
    }
    None
}

/// Whether a call ends where these bytes end.
pub fn ends_with_call(bytes: &[u8]) -> bool {
    let at = |back: usize| bytes.len().checked_sub(back).map(|at| bytes[at]);
    if at(5) == Some(0xe8) {
        return true;
    }
    // By a register or by memory: opcode 0xff, whose second byte says 2 in its middle.
    (2..=7)
        .any(|back| at(back) == Some(0xff) && at(back - 1).is_some_and(|byte| (byte >> 3) & 7 == 2))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BASE: u64 = 0xffff_ffff_8100_0000;
    const SITE: (usize, usize) = (4, 5);

    fn text() -> [u8; 24] {
        let mut text = [0x90; 24];
        text[..4].copy_from_slice(&[0xf3, 0x0f, 0x1e, 0xfa]);
        text[4..9].copy_from_slice(&NOP5);
        text
    }

    fn changed(at: usize, old: &[u8], new: &[u8]) -> Vec<Change> {
        let (mut first, mut now) = (text(), text());
        first[at..at + old.len()].copy_from_slice(old);
        now[at..at + new.len()].copy_from_slice(new);
        changes(BASE, &first, &now, SITE)
    }

    #[test]
    fn what_is_the_same_or_at_the_site_is_no_change() {
        assert_eq!(changed(9, &[], &[]), []);
        assert_eq!(changed(4, &NOP5, &[0xe8, 1, 2, 3, 4]), []);
    }

    #[test]
    fn a_static_keys_jump_is_told_with_where_it_leads() {
        let jump = [0xe9, 0x10, 0, 0, 0];
        let to = BASE + 10 + 5 + 0x10;
        let patch = Patch::Jump(to);
        assert_eq!(changed(10, &NOP5, &jump), [Change { at: 10, patch }]);
        let patch = Patch::Nop;
        assert_eq!(changed(10, &jump, &NOP5), [Change { at: 10, patch }]);
        let patch = Patch::Jump(BASE + 10 + 2 - 4);
        assert_eq!(
            changed(10, &NOP2, &[0xeb, 0xfc]),
            [Change { at: 10, patch }]
        );
    }

    #[test]
    fn a_call_that_leads_elsewhere_is_one_change() {
        let found = changed(12, &[0xe8, 1, 0, 0, 0], &[0xe8, 1, 0, 2, 0]);
        let patch = Patch::Call(BASE + 12 + 5 + 0x20001);
        assert_eq!(found, [Change { at: 12, patch }]);
    }

    #[test]
    fn a_jump_over_a_functions_first_bytes_is_found() {
        let jump = [0xe9, 0, 0, 0x10, 0];
        let found = changed(0, &[], &jump);
        assert_eq!(found[0].at, 0);
        assert_eq!(found[0].patch, Patch::Jump(BASE + 5 + 0x10_0000));
        let mut far = vec![0x48, 0xb8];
        far.extend(0xffff_ffff_c000_1234_u64.to_le_bytes());
        far.extend([0xff, 0xe0]);
        let found = changed(0, &[], &far);
        assert_eq!(found[0].patch, Patch::Jump(0xffff_ffff_c000_1234));
    }

    #[test]
    fn a_breakpoint_and_anything_else_are_told_apart() {
        let patch = Patch::Trap;
        assert_eq!(changed(11, &[0x55], &[0xcc]), [Change { at: 11, patch }]);
        assert_eq!(changed(11, &[0x55], &[0x56])[0].patch, Patch::Other);
    }

    #[test]
    fn a_function_that_begins_with_a_jump_is_diverted_before_or_behind_its_site() {
        let mut head = text();
        assert_eq!(diverted(BASE, &head), None);
        head[9..14].copy_from_slice(&[0xe9, 0, 1, 0, 0]);
        assert_eq!(diverted(BASE, &head), Some(BASE + 14 + 0x100));
        head[4..9].copy_from_slice(&[0xe9, 0, 1, 0, 0]);
        assert_eq!(diverted(BASE, &head), Some(BASE + 9 + 0x100));
        assert_eq!(diverted(BASE, &[0x48, 0xb8, 1]), None);
    }

    #[test]
    fn calls_are_known_by_their_ends() {
        assert!(ends_with_call(&[0x90, 0x90, 0x90, 0xe8, 1, 2, 3, 4]));
        // call *%rax; call *0x10(%rbx); call *0x0(%rip)
        assert!(ends_with_call(&[0xff, 0xd0]));
        assert!(ends_with_call(&[0x90, 0xff, 0x53, 0x10]));
        assert!(ends_with_call(&[0xff, 0x15, 0, 0, 0, 0]));
        // jmp *%rax; breakpoints
        assert!(!ends_with_call(&[
            0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0xff, 0xe0
        ]));
        assert!(!ends_with_call(&[0xcc; 8]));
        assert!(!ends_with_call(&[]));
    }

    proptest! {
        #[test]
        fn any_two_texts_are_compared_and_every_difference_is_in_a_change(
            first in proptest::array::uniform24(any::<u8>()),
            now in proptest::array::uniform24(any::<u8>()),
        ) {
            let found = changes(BASE, &first, &now, SITE);
            let differs = (0..24).any(|at| !(4..9).contains(&at) && first[at] != now[at]);
            prop_assert_eq!(differs, !found.is_empty());
            prop_assert!(found.windows(2).all(|two| two[0].at < two[1].at));
        }

        #[test]
        fn any_bytes_have_a_beginning(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (diverted(BASE, &bytes), ends_with_call(&bytes));
        }
    }
}
