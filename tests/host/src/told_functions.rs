// SPDX-License-Identifier: GPL-2.0

//! The functions that an administrator vouches for.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::frameless::NAMES;
use crate::glob;
use crate::told::is_told;

fn told(told: &str, module: &str, names: &[&str]) -> bool {
    let names = names.iter().map(|name| name.as_bytes());
    is_told(told.as_bytes(), module.as_bytes(), names)
}

#[test]
fn nobody_is_vouched_for_unless_he_is_named() {
    assert!(!told("", "ext4", &["ext4_read"]));
    assert!(!told(",", "ext4", &["ext4_read"]));
    assert!(!told("ext4_read", "ext4", &["ext4_read"]));
    assert!(!told("ext4:ext4_write", "ext4", &["ext4_read"]));
    assert!(!told("xfs:ext4_read", "ext4", &["ext4_read"]));
    assert!(!told("ext4:*", "ext4", &[]));
}

#[test]
fn one_of_several_pairs_of_globs_is_enough() {
    let pairs = "rt_target:rt_[!w]*,ext4:ext4_file_*";
    assert!(told(pairs, "rt_target", &["rt_plain"]));
    assert!(!told(pairs, "rt_target", &["rt_wide"]));
    assert!(told(pairs, "ext4", &["ext4_file_open"]));
    assert!(!told(pairs, "ext4", &["rt_plain"]));
    // A comma too many does not hide what stands behind it.
    assert!(told(",,ext4:*,", "ext4", &["ext4_read"]));
}

#[test]
fn an_empty_glob_matches_everything() {
    assert!(told("ext4:", "ext4", &["ext4_read"]));
    assert!(told(":ext4_read", "ext4", &["ext4_read"]));
    assert!(told(":", "ext4", &["ext4_read"]));
    assert!(!told("ext4:", "xfs", &["xfs_read"]));
}

#[test]
fn the_second_colon_belongs_to_the_function() {
    assert!(told("a:b:c", "a", &["b:c"]));
    assert!(!told("a:b:c", "a:b", &["c"]));
}

#[test]
fn any_of_its_names_is_enough() {
    let names = ["__x64_sys_getppid", "__do_sys_getppid"];
    assert!(told("vmlinux:__do_sys_*", "vmlinux", &names));
    assert!(told("vmlinux:__x64_sys_*", "vmlinux", &names));
}

#[test]
fn who_does_not_return_is_not_vouched_for_by_any_of_its_names() {
    assert!(!told("vmlinux:*", "vmlinux", &["do_exit"]));
    assert!(!told("vmlinux:do_exit", "vmlinux", &["do_exit"]));
    assert!(!told("vmlinux:other", "vmlinux", &["other", "do_exit"]));
    assert!(!told("vmlinux:other", "vmlinux", &["do_exit", "other"]));
    for name in NAMES {
        assert!(!is_told(b":", b"vmlinux", [*name].into_iter()));
    }
}

proptest! {
    /// What is put together of globs is taken apart into the same ones.
    #[test]
    fn each_pair_is_tried(
        pairs in vec(("[ab*?]{0,4}", "[ab*?]{0,4}"), 0..4),
        module in "[ab]{1,4}",
        name in "[ab]{1,4}",
    ) {
        let text: Vec<String> = pairs.iter().map(|(of, what)| format!("{of}:{what}")).collect();
        let expected = pairs.iter().any(|(of, what)| {
            glob::matches(of.as_bytes(), module.as_bytes())
                && glob::matches(what.as_bytes(), name.as_bytes())
        });
        prop_assert_eq!(told(&text.join(","), &module, &[&name]), expected);
    }

    #[test]
    fn any_text_is_taken(text: Vec<u8>, module: Vec<u8>, name: Vec<u8>) {
        is_told(&text, &module, [&name[..]].into_iter());
    }
}
