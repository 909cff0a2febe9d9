// SPDX-License-Identifier: GPL-2.0

//! The functions that must not have a frame of ours under them.

use std::collections::BTreeSet;
use std::fs;

use crate::frameless::NAMES;

/// The functions that objtool knows never to return, in the tree that the module is built for.
const NEVER_RETURN: &str = "/src/linux/tools/objtool/noreturns.h";

#[test]
fn no_name_is_listed_twice() {
    let names: BTreeSet<_> = NAMES.iter().collect();
    assert_eq!(names.len(), NAMES.len());
}

#[test]
fn every_function_is_listed_that_objtool_knows_never_to_return() {
    let Ok(list) = fs::read_to_string(NEVER_RETURN) else {
        println!("not tested: there is no {NEVER_RETURN}");
        return;
    };
    let names = list
        .lines()
        .filter_map(|line| line.strip_prefix("NORETURN(")?.strip_suffix(')'));
    let missing: Vec<_> = names
        .filter(|name| !NAMES.contains(&name.as_bytes()))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(list.contains("NORETURN(do_exit)"));
}
