// SPDX-License-Identifier: GPL-2.0-only
//! Tests of what is said of programs before they trace, over the module in memory.

use super::*;

#[test]
fn a_process_is_told_by_its_line_in_proc() {
    assert_eq!(relations("7 (a) b) S 3 5 4 0 -1"), [3, 5, 4]);
    // Its session began in another pid namespace.
    assert_eq!(relations("7 (sh) S 0 0 0 0 -1"), [0, 0, 0]);
    assert_eq!(relations(""), [0, 0, 0]);
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let parent = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    assert_eq!(relations(&stat)[0], i64::from(parent));
}
