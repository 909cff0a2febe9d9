// SPDX-License-Identifier: GPL-2.0

//! The stock kernel's own BTF, as the lab has it; elsewhere these tests say that they have none.

use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::btf_made::{answers, kind};

/// An ELF file with it, among the kernel's headers (see `scripts/lab/in-root`).
const HEADERS: &str = "/src/kernel/headers/vmlinux";

/// The bytes of it, if there is any.
fn kernel() -> Option<Vec<u8>> {
    let Ok(elf) = fs::read(HEADERS) else {
        println!("not tested: there is no {HEADERS}");
        return None;
    };
    let number = |at: usize, bytes: usize| {
        let bytes = elf[at..at + bytes].iter().rev();
        bytes.fold(0, |number, byte| (number << 8) | usize::from(*byte))
    };
    let (sections, size, count) = (number(0x28, 8), number(0x3a, 2), number(0x3c, 2));
    let section = |index| sections + index * size;
    let names = number(section(number(0x3e, 2)) + 0x18, 8);
    let found = (0..count).map(section).find(|section| {
        let name = names + number(*section, 4);
        elf[name..].starts_with(b".BTF\0")
    });
    let section = found.expect("the file has BTF");
    let (offset, length) = (number(section + 0x18, 8), number(section + 0x20, 8));
    Some(elf[offset..offset + length].to_vec())
}

#[test]
fn nearly_all_of_a_kernels_functions_take_their_arguments_in_registers() {
    let Some(bytes) = kernel() else { return };
    let answers = answers(&bytes).expect("the kernel's BTF can be read");
    let yes = answers.iter().filter(|(_, yes)| *yes).count();
    println!("{yes} of {} functions", answers.len());
    assert!(answers.len() > 20_000);
    assert!(yes * 100 > answers.len() * 95 && yes < answers.len());
}

#[test]
fn well_known_functions_are_judged_right() {
    let Some(bytes) = kernel() else { return };
    let answers: BTreeMap<_, _> = answers(&bytes)
        .expect("the kernel's BTF can be read")
        .into_iter()
        .collect();
    for name in ["vfs_read", "__x64_sys_umask", "do_nanosleep", "make_kuid"] {
        assert_eq!(answers.get(name), Some(&true), "{name}");
    }
    // An ellipsis, and ten arguments.
    for name in ["_printk", "ip_append_data"] {
        assert_eq!(answers.get(name), Some(&false), "{name}");
    }
}

/// A type: kind, size or other type, and the words behind.
type Plain<'a> = (u32, u32, &'a [u32]);

/// How many bytes of registers a value takes; `None`: it is none, or goes by the stack.
fn register_bytes(types: &[Plain<'_>], number: u32) -> Option<u32> {
    let (kind, third, _) = types[number as usize];
    match kind {
        kind::TYPEDEF | kind::CONST | kind::VOLATILE | kind::RESTRICT | kind::TYPE_TAG => {
            register_bytes(types, third)
        }
        kind::PTR => Some(8),
        kind::INT | kind::ENUM | kind::ENUM64 => Some(third.next_multiple_of(8)),
        kind::STRUCT | kind::UNION if third <= 16 => Some(third.next_multiple_of(8)),
        _ => None,
    }
}

/// Of BTF that is believed: each function's name, and whether its arguments fit, by adding up.
fn added_up(bytes: &[u8]) -> Vec<(String, bool)> {
    let words = |bytes: &[u8]| -> Vec<u32> {
        let words = bytes.chunks_exact(4);
        words
            .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
            .collect()
    };
    let header = words(&bytes[..24]);
    let part = |at: usize| {
        let begin = (header[1] + header[at]) as usize;
        &bytes[begin..begin + header[at + 1] as usize]
    };
    let (all, strings) = (words(part(2)), part(4));
    let mut types: Vec<Plain<'_>> = vec![(0, 0, &[])];
    let mut names = vec![0];
    let mut rest = &all[..];
    while let [name, info, third, behind @ ..] = rest {
        let (kind, count) = ((info >> 24) & 0x7f, (info & 0x00ff_ffff) as usize);
        let length = match kind {
            kind::INT | kind::VAR | kind::DECL_TAG => 1,
            kind::ARRAY => 3,
            kind::ENUM | kind::FUNC_PROTO => 2 * count,
            kind::STRUCT | kind::UNION | kind::DATASEC | kind::ENUM64 => 3 * count,
            _ => 0,
        };
        types.push((kind, *third, &behind[..length]));
        names.push(*name as usize);
        rest = &behind[length..];
    }
    let functions = names
        .iter()
        .zip(&types)
        .filter(|(_, (kind, ..))| *kind == kind::FUNC);
    let answer = |(name, (_, prototype, _)): (&usize, &Plain<'_>)| {
        let name = strings[*name..].split(|byte| *byte == 0).next().unwrap();
        let (_, result, parameters) = types[*prototype as usize];
        let hidden = register_bytes(&types, result).is_none() && !is_void(&types, result);
        let taken = parameters
            .chunks(2)
            .map(|parameter| register_bytes(&types, parameter[1]))
            .try_fold(8 * u32::from(hidden), |sum, bytes| Some(sum + bytes?));
        let fits = taken.is_some_and(|taken| taken <= 48);
        (String::from_utf8(name.to_vec()).unwrap(), fits)
    };
    functions.map(answer).collect()
}

fn is_void(types: &[Plain<'_>], number: u32) -> bool {
    match types[number as usize] {
        (0, ..) => true,
        (kind::TYPEDEF | kind::CONST | kind::VOLATILE, to, _) => is_void(types, to),
        _ => false,
    }
}

#[test]
fn adding_up_the_arguments_comes_to_the_same() {
    let Some(bytes) = kernel() else { return };
    let answers = answers(&bytes).expect("the kernel's BTF can be read");
    let expected = added_up(&bytes);
    assert_eq!(answers.len(), expected.len());
    let differ: Vec<_> = answers
        .iter()
        .zip(&expected)
        .filter(|(a, b)| a != b)
        .collect();
    // What it does not understand it may well refuse.
    assert!(
        differ.iter().all(|((_, yes), (_, fits))| !yes && *fits),
        "{differ:?}"
    );
    assert!(differ.len() * 1000 < answers.len(), "{differ:?}");
}

#[test]
fn a_kernels_btf_with_a_changed_header_is_read_to_an_end() {
    let Some(bytes) = kernel() else { return };
    for bit in 0..24 * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        answers(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_kernels_btf_with_changed_bits_is_read_to_an_end(
        changes in vec((any::<prop::sample::Index>(), 0..8), 1..40),
    ) {
        static KERNEL: LazyLock<Option<Vec<u8>>> = LazyLock::new(kernel);
        if let Some(bytes) = &*KERNEL {
            let mut bytes = bytes.clone();
            for (at, bit) in changes {
                let at = at.index(bytes.len());
                bytes[at] ^= 1u8 << bit;
            }
            answers(&bytes);
        }
    }
}
