// SPDX-License-Identifier: GPL-2.0-only
//! Addresses of the kernel's symbols, from /proc/kallsyms, which tells them to those who may know.

use std::collections::HashMap;
use std::fs;
use std::sync::OnceLock;

type Addresses = HashMap<(String, String), u64>;

/// The address of a symbol; of the kernel proper if no module is named.
pub fn address(module: Option<&str>, name: &str) -> Option<u64> {
    static ALL: OnceLock<Addresses> = OnceLock::new();
    let all = ALL.get_or_init(|| parse(&fs::read_to_string("/proc/kallsyms").unwrap_or_default()));
    let module = module.unwrap_or("vmlinux");
    all.get(&(module.to_owned(), name.to_owned())).copied()
}

/// What is hidden from the reader is 0 there, and left out.
fn parse(text: &str) -> Addresses {
    let line = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let address = u64::from_str_radix(words.next()?, 16).ok()?;
        let name = words.nth(1)?;
        let module = words
            .next()
            .map_or("vmlinux", |module| module.trim_matches(['[', ']']));
        (address != 0).then(|| ((module.to_owned(), name.to_owned()), address))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_of_the_kernel_and_of_modules_are_told_apart() {
        let text = "ffffffff81000000 T _text\nffffffffc0001000 t init\t[ext4]\n0000000000000000 A hidden\n";
        let all = parse(text);
        let of = |module: &str, name: &str| all.get(&(module.into(), name.into())).copied();
        assert_eq!(of("vmlinux", "_text"), Some(0xffff_ffff_8100_0000));
        assert_eq!(of("ext4", "init"), Some(0xffff_ffff_c000_1000));
        assert_eq!(of("vmlinux", "hidden"), None);
    }
}
