// SPDX-License-Identifier: GPL-2.0-only
//! Whose text and modules are, as checks ask for it.

use rust_tracer::abi;
use rust_tracer::views::{Kind, Module, Owner};

/// The name of the module that we are.
pub const OURS: &str = "rust_tracer";

/// Whether this is text that somebody answers for.
pub fn answered(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Kernel | Kind::Module | Kind::Ftrace | Kind::Kprobe | Kind::Bpf | Kind::Thunk
    )
}

/// Whether a pointer that may be 0 leads to such text.
pub fn answered_or_zero(kind: Kind) -> bool {
    kind == Kind::Zero || answered(kind)
}

/// Whether it is in a module that is on the list, and not ours.
pub fn is_others(owner: &Owner) -> bool {
    matches!(owner.kind, Kind::Module | Kind::Data)
        && !owner.name.is_empty()
        && owner.name != OURS
        && owner.name != "vmlinux"
}

/// Whether a module's structure is marked as a live patch.
pub fn is_livepatch(module: &Module) -> bool {
    /// TAINT_LIVEPATCH
    const LIVEPATCH: u32 = 15;
    module.taints & (1 << LIVEPATCH) != 0
}

/// Whether a module is in its life: it was there, and nobody was told that it went.
pub fn lives(module: &Module) -> bool {
    module.seen & abi::RTRACE_SEEN_WENT == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_an_owner_is_answered_for_by_nobody() {
        for kind in [Kind::None, Kind::Hidden, Kind::Gone, Kind::Data, Kind::Init] {
            assert!(!answered(kind) && !answered_or_zero(kind), "{kind:?}");
        }
        assert!(answered_or_zero(Kind::Zero) && !answered(Kind::Zero));
        assert!(answered(Kind::Bpf));
    }
}
