// SPDX-License-Identifier: GPL-2.0-only
//! Tests of BTF, and a builder of it, so that they run where no kernel has any.

use std::collections::HashMap;

use proptest::prelude::*;

use super::section::kind;
use super::{Btf, Class, Section, Type};
use crate::types::{Named, TypeId, Types};

/// Makes the bytes of a file of BTF.
pub(crate) struct Builder {
    types: Vec<u8>,
    strings: Vec<u8>,
    known: HashMap<String, u32>,
    first_string: u32,
    next: u32,
}

impl Builder {
    /// A file that stands alone, as vmlinux's.
    pub(crate) fn new() -> Self {
        Self {
            types: Vec::new(),
            strings: vec![0],
            known: HashMap::from([(String::new(), 0)]),
            first_string: 0,
            next: 1,
        }
    }

    /// A file on top of another.
    pub(crate) fn on(base: &Builder) -> Self {
        Self {
            types: Vec::new(),
            strings: vec![0],
            known: base.known.clone(),
            first_string: base.first_string + base.strings.len() as u32,
            next: base.next,
        }
    }

    fn string(&mut self, text: &str) -> u32 {
        if let Some(&offset) = self.known.get(text) {
            return offset;
        }
        let offset = self.first_string + self.strings.len() as u32;
        self.strings.extend_from_slice(text.as_bytes());
        self.strings.push(0);
        self.known.insert(text.to_owned(), offset);
        offset
    }

    fn push(
        &mut self,
        name: &str,
        kind: u8,
        flag: bool,
        count: usize,
        third: u32,
        rest: &[u32],
    ) -> u32 {
        let name = self.string(name);
        let info = (u32::from(kind) << 24) | (u32::from(flag) << 31) | count as u32;
        for word in [name, info, third].iter().chain(rest) {
            self.types.extend_from_slice(&word.to_le_bytes());
        }
        self.next += 1;
        self.next - 1
    }

    pub(crate) fn int(&mut self, name: &str, bytes: u32, signed: bool) -> u32 {
        self.encoded(name, bytes, if signed { 1 } else { 0 }, 8 * bytes)
    }

    pub(crate) fn boolean(&mut self) -> u32 {
        self.encoded("_Bool", 1, 4, 8)
    }

    pub(crate) fn encoded(&mut self, name: &str, bytes: u32, encoding: u32, bits: u32) -> u32 {
        self.push(name, kind::INT, false, 0, bytes, &[(encoding << 24) | bits])
    }

    pub(crate) fn pointer(&mut self, to: u32) -> u32 {
        self.push("", kind::PTR, false, 0, to, &[])
    }

    pub(crate) fn array(&mut self, of: u32, count: u32) -> u32 {
        self.push("", kind::ARRAY, false, 0, 0, &[of, 1, count])
    }

    pub(crate) fn typedef(&mut self, name: &str, to: u32) -> u32 {
        self.push(name, kind::TYPEDEF, false, 0, to, &[])
    }

    pub(crate) fn constant(&mut self, of: u32) -> u32 {
        self.push("", kind::CONST, false, 0, of, &[])
    }

    pub(crate) fn type_tag(&mut self, tag: &str, of: u32) -> u32 {
        self.push(tag, kind::TYPE_TAG, false, 0, of, &[])
    }

    pub(crate) fn forward(&mut self, tag: &str, union: bool) -> u32 {
        self.push(tag, kind::FWD, union, 0, 0, &[])
    }

    /// Members: name, type, offset in bits, bits (0: no bit-field).
    pub(crate) fn record(
        &mut self,
        tag: &str,
        union: bool,
        bytes: u32,
        members: &[(&str, u32, u32, u32)],
    ) -> u32 {
        let flag = members.iter().any(|member| member.3 != 0);
        let rest: Vec<_> = members
            .iter()
            .flat_map(|&(name, ty, offset, bits)| [self.string(name), ty, (bits << 24) | offset])
            .collect();
        let kind = if union { kind::UNION } else { kind::STRUCT };
        self.push(tag, kind, flag, members.len(), bytes, &rest)
    }

    pub(crate) fn enumeration(&mut self, tag: &str, signed: bool, values: &[(&str, i32)]) -> u32 {
        let rest: Vec<_> = values
            .iter()
            .flat_map(|&(name, value)| [self.string(name), value as u32])
            .collect();
        self.push(tag, kind::ENUM, signed, values.len(), 4, &rest)
    }

    pub(crate) fn enumeration64(&mut self, tag: &str, signed: bool, values: &[(&str, i64)]) -> u32 {
        let rest: Vec<_> = values
            .iter()
            .flat_map(|&(name, value)| {
                [
                    self.string(name),
                    value as u32,
                    ((value as u64) >> 32) as u32,
                ]
            })
            .collect();
        self.push(tag, kind::ENUM64, signed, values.len(), 8, &rest)
    }

    pub(crate) fn prototype(&mut self, result: u32, parameters: &[(&str, u32)]) -> u32 {
        let rest: Vec<_> = parameters
            .iter()
            .flat_map(|&(name, ty)| [self.string(name), ty])
            .collect();
        self.push("", kind::FUNC_PROTO, false, parameters.len(), result, &rest)
    }

    pub(crate) fn function(&mut self, name: &str, prototype: u32) -> u32 {
        self.push(name, kind::FUNC, false, 0, prototype, &[])
    }

    pub(crate) fn variable(&mut self, name: &str, ty: u32) -> u32 {
        self.push(name, kind::VAR, false, 0, ty, &[1])
    }

    pub(crate) fn float(&mut self, name: &str, bytes: u32) -> u32 {
        self.push(name, kind::FLOAT, false, 0, bytes, &[])
    }

    pub(crate) fn section(&mut self, name: &str, variable: u32) -> u32 {
        self.push(name, kind::DATASEC, false, 1, 8, &[variable, 0, 8])
    }

    pub(crate) fn declaration_tag(&mut self, name: &str, of: u32) -> u32 {
        self.push(name, kind::DECL_TAG, false, 0, of, &[u32::MAX])
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0x9f, 0xeb, 1, 0];
        let types = self.types.len() as u32;
        for word in [24, 0, types, types, self.strings.len() as u32] {
            bytes.extend_from_slice(&u32::to_le_bytes(word));
        }
        bytes.extend_from_slice(&self.types);
        bytes.extend_from_slice(&self.strings);
        bytes
    }
}

/// A small kernel, which has something of every kind, and a module.
pub(crate) fn kernel() -> Btf {
    let (vmlinux, module) = files();
    Btf::from_bytes(vmlinux, vec![("a_module".to_owned(), module)])
}

fn files() -> (Vec<u8>, Vec<u8>) {
    let mut b = Builder::new();
    let int = b.int("int", 4, true);
    let long = b.int("long unsigned int", 8, false);
    // The kernel is compiled with -funsigned-char.
    let char = b.int("char", 1, false);
    let byte = b.int("unsigned char", 1, false);
    let _bool = b.boolean();
    let _double = b.float("double", 8);
    let u8 = b.typedef("u8", byte);
    let comm = b.array(char, 16);
    // Refers to itself: the pointer comes with the number that the struct will have.
    let task = b.pointer(8 + 4);
    let state = b.enumeration("state", false, &[("RUNNING", 0), ("DEAD", 0x80)]);
    let anonymous = b.record("", true, 8, &[("usage", int, 0, 0), ("stack", long, 0, 0)]);
    let task_struct = b.record(
        "task_struct",
        false,
        56,
        &[
            ("pid", int, 0, 0),
            ("comm", comm, 32, 0),
            ("", anonymous, 192, 0),
            ("parent", task, 256, 0),
            ("policy", int, 320, 3),
            ("flag", int, 323, 1),
            ("state", state, 352, 0),
        ],
    );
    assert_eq!(task_struct, 12);
    let _wide = b.enumeration64("wide", true, &[("WIDE", -(1 << 40)), ("WIDER", 1 << 50)]);
    let file = b.forward("file", false);
    let file = b.pointer(file);
    let user = b.type_tag("user", char);
    let user = b.pointer(user);
    let size = b.typedef("size_t", long);
    let read = b.prototype(long, &[("file", file), ("buf", user), ("count", size)]);
    b.function("vfs_read", read);
    let text = b.constant(char);
    let text = b.pointer(text);
    let print = b.prototype(int, &[("fmt", text), ("", 0)]);
    let print = b.function("_printk", print);
    b.declaration_tag("printf", print);
    let current = b.variable("current_task", task);
    b.section(".data..percpu", current);
    let ops = b.pointer(read);
    b.record("file_operations", false, 8, &[("read", ops, 0, 0)]);
    b.typedef("u8_alias", u8);

    let mut m = Builder::on(&b);
    let inode = m.record("inode", false, 8, &[("owner", task, 0, 0)]);
    let inode = m.pointer(inode);
    m.record(
        "file",
        false,
        16,
        &[("inode", inode, 0, 0), ("mode", int, 64, 0)],
    );
    let open = m.prototype(int, &[("inode", inode), ("task", task)]);
    m.function("module_open", open);
    m.enumeration("", true, &[("MODULE_LESS", -1)]);
    (b.bytes(), m.bytes())
}

#[test]
fn names_lead_to_types_of_their_class_only() {
    let btf = kernel();
    let vmlinux = btf.vmlinux().unwrap();
    assert_eq!(vmlinux.find(&btf, Class::Struct, "task_struct"), Some(12));
    assert_eq!(vmlinux.find(&btf, Class::Union, "task_struct"), None);
    assert_eq!(vmlinux.find(&btf, Class::Typedef, "u8"), Some(7));
    assert_eq!(vmlinux.find(&btf, Class::Struct, "file"), None);
    assert_eq!(vmlinux.find(&btf, Class::Struct, ""), None);
}

#[test]
fn a_module_goes_on_where_vmlinux_ends() {
    let btf = kernel();
    let module = btf.module(btf.module_named("a-module").unwrap()).unwrap();
    assert_eq!(module.first(), btf.vmlinux().unwrap().end());
    let file = module.find(&btf, Class::Struct, "file").unwrap();
    let Type::Record { members, .. } = module.ty(file) else {
        panic!("file is no record");
    };
    assert_eq!(btf.string(module, members[0].name), "inode");
    assert_eq!(members[1].ty, 1, "int is vmlinux's");
    assert_eq!(btf.string(module, members[1].name), "mode");
}

#[test]
fn files_that_are_cut_are_refused() {
    let (vmlinux, _) = files();
    for length in 0..vmlinux.len() {
        assert!(
            Section::parse(vmlinux[..length].to_vec(), None).is_err(),
            "{length} of {} bytes",
            vmlinux.len()
        );
    }
}

#[test]
fn a_directory_is_read_like_that_of_sysfs() {
    let directory = std::env::temp_dir().join(format!("d-compiler-btf-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let (vmlinux, module) = files();
    assert!(Btf::open(&directory).is_err(), "there is no vmlinux");
    std::fs::write(directory.join("vmlinux"), vmlinux).unwrap();
    std::fs::write(directory.join("a_module"), module).unwrap();
    std::fs::write(directory.join("broken"), b"no BTF").unwrap();
    let btf = Btf::open(&directory).unwrap();
    assert!(btf.module(btf.module_named("a_module").unwrap()).is_some());
    assert!(btf.module(btf.module_named("broken").unwrap()).is_none());
    assert!(btf.module_named("other").is_none());
    std::fs::remove_dir_all(&directory).unwrap();
}

/// Asks everything of all types.
fn ask_everything(btf: Btf) {
    let sizes = [
        btf.vmlinux().map_or(0, Section::end),
        btf.module(0).map_or(0, Section::end),
    ];
    let types = Types::new(Some(btf));
    for (source, end) in (1u32..).zip(sizes) {
        for number in 0..end + 2 {
            let ty = TypeId((source << 20) | number);
            let _ = types.name(ty);
            let _ = types.align(ty);
            let _ = types.resolve(ty);
            let _ = types.member(ty, "stack");
            let _ = types.same(ty, TypeId((1 << 20) | 12));
            if types.size(ty).is_some_and(|size| size < 4096) {
                let _ = crate::print::print(&types, ty, &[0xa5; 4096]);
            }
        }
    }
    for name in [
        "task_struct",
        "file",
        "u8",
        "vfs_read",
        "WIDE",
        "MODULE_LESS",
    ] {
        for module in [None, Some("vmlinux"), Some("a_module")] {
            let _ = types.lookup(module, Named::Struct(name));
            let _ = types.lookup(module, Named::Typedef(name));
            let _ = types.function(module, name);
            let _ = types.variable(module, name);
            let _ = types.enumerator(module, name);
        }
    }
}

#[test]
fn the_sound_kernel_answers_everything() {
    ask_everything(kernel());
}

proptest! {
    #[test]
    fn damaged_files_never_panic(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        in_module in any::<bool>(),
    ) {
        let (mut vmlinux, mut module) = files();
        let bytes = if in_module { &mut module } else { &mut vmlinux };
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let modules = vec![("a_module".to_owned(), module)];
        ask_everything(Btf::from_bytes(vmlinux, modules));
    }

    #[test]
    fn types_that_refer_to_anything_never_panic(
        words in prop::collection::vec((0u8..20, any::<bool>(), 0usize..4, 0u32..40, prop::collection::vec(0u32..40, 12)), 1..30),
    ) {
        let mut b = Builder::new();
        b.string("name");
        for (kind, flag, count, third, rest) in words {
            let parts = match kind {
                kind::INT | kind::VAR | kind::DECL_TAG => 1,
                kind::ARRAY => 3,
                kind::STRUCT | kind::UNION | kind::DATASEC | kind::ENUM64 => 3 * count,
                kind::ENUM | kind::FUNC_PROTO => 2 * count,
                0 => continue,
                _ => 0,
            };
            b.push("name", kind, flag, count, third, &rest[..parts]);
        }
        let btf = Btf::from_bytes(b.bytes(), Vec::new());
        ask_everything(btf);
    }
}
