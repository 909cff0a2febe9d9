// SPDX-License-Identifier: GPL-2.0

//! Which functions the administrator says that the stub may serve, beyond those of which it is known:
//! the module parameter `stub_also`.
//!
//! ```text
//!   rt_target:rt_[!w]*,ext4:ext4_file_*     pairs of globs, MODULE:FUNCTION, with commas between them
//! ```
//!
//! An empty glob matches everything, as elsewhere; so in a glob neither a comma nor, in the first of the
//! two, a colon can be asked for. What has no colon names nothing.

#![forbid(unsafe_code)]

use super::frameless;
use crate::glob;

/// Whether he says it of a function of these names. He is believed, but not of one that does not return.
pub(super) fn is_told<'a>(
    told: &[u8],
    module: &[u8],
    mut names: impl Iterator<Item = &'a [u8]> + Clone,
) -> bool {
    let is_frameless = names.clone().any(|name| frameless::NAMES.contains(&name));
    !is_frameless && names.any(|name| is_named(told, module, name))
}

fn is_named(told: &[u8], module: &[u8], function: &[u8]) -> bool {
    told.split(|byte| *byte == b',').any(|pair| {
        let mut globs = pair.splitn(2, |byte| *byte == b':');
        let (Some(of_module), Some(of_function)) = (globs.next(), globs.next()) else {
            return false;
        };
        glob::matches(of_module, module) && glob::matches(of_function, function)
    })
}
