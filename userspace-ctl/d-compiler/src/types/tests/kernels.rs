// SPDX-License-Identifier: GPL-2.0-only
//! What is known of a kernel: types, functions, variables and enumerators.

use std::path::Path;

use super::*;
use crate::btf::tests::kernel;

#[test]
fn names_are_looked_up_in_the_program_vmlinux_and_modules_in_turn() {
    let mut types = Types::new(Some(kernel()));
    let task = types.lookup(None, Named::Struct("task_struct")).unwrap();
    assert_eq!(
        types.lookup(Some("vmlinux"), Named::Struct("task_struct")),
        Some(task)
    );
    assert_eq!(
        types.lookup(Some("a_module"), Named::Struct("task_struct")),
        Some(task)
    );
    assert_eq!(types.lookup(Some("D"), Named::Struct("task_struct")), None);
    assert_eq!(
        types.lookup(Some("nowhere"), Named::Struct("task_struct")),
        None
    );
    assert!(types.has_module("a-module") && types.has_module("C") && !types.has_module("x"));
    assert!(!types.is_own(task));

    let inode = types.lookup(None, Named::Struct("inode")).unwrap();
    assert_eq!(types.lookup(Some("vmlinux"), Named::Struct("inode")), None);
    let owner = types.member(inode, "owner").unwrap().ty;
    assert_eq!(types.pointee(owner), Some(task));

    let size = types.lookup(None, Named::Typedef("size_t"));
    assert_eq!(size, Some(types.intrinsic(Intrinsic::Size)));
    assert_ne!(
        types.lookup(Some("vmlinux"), Named::Typedef("size_t")),
        size
    );
    let u8 = types.lookup(None, Named::Typedef("u8")).unwrap();
    assert_eq!((types.name(u8).as_str(), types.size(u8)), ("u8", Some(1)));
    assert!(types.lookup(None, Named::Typedef("double")).is_some());

    let int = types.intrinsic(Intrinsic::Int);
    let own = record(&mut types, false, "task_struct", &[field("mine", int)]);
    assert_eq!(types.lookup(None, Named::Struct("task_struct")), Some(own));
    assert_eq!(
        types.lookup(Some("vmlinux"), Named::Struct("task_struct")),
        Some(task)
    );
}

#[test]
fn the_kernels_functions_variables_and_enumerators_are_known() {
    let types = Types::new(Some(kernel()));
    let read = types.function(None, "vfs_read").unwrap();
    let shown: Vec<_> = read
        .parameters
        .iter()
        .map(|(name, ty)| format!("{name}: {}", types.name(*ty)))
        .collect();
    assert_eq!(
        shown,
        ["file: struct file *", "buf: char *", "count: size_t"]
    );
    assert_eq!(types.name(read.result), "long unsigned int");
    assert!(types.function(None, "_printk").unwrap().variadic);
    assert_eq!(types.function(Some("vmlinux"), "module_open"), None);
    let open = types.function(Some("a_module"), "module_open").unwrap();
    assert_eq!(types.name(open.parameters[1].1), "struct task_struct *");
    assert_eq!(types.function(None, "task_struct"), None);

    let current = types.variable(None, "current_task").unwrap();
    assert_eq!(types.name(current), "struct task_struct *");
    assert_eq!(types.variable(None, "vfs_read"), None);

    let (value, state) = types.enumerator(None, "DEAD").unwrap();
    assert_eq!((value, types.name(state).as_str()), (0x80, "enum state"));
    assert_eq!(types.enumerator(None, "WIDE").unwrap().0, -(1 << 40));
    assert_eq!(types.enumerator(None, "MODULE_LESS").unwrap().0, -1);
    assert_eq!(types.enumerator(Some("vmlinux"), "MODULE_LESS"), None);
}

#[test]
fn a_struct_that_vmlinux_only_names_is_found_in_a_module() {
    let types = Types::new(Some(kernel()));
    let read = types.function(None, "vfs_read").unwrap();
    let file = types.pointee(read.parameters[0].1).unwrap();
    assert!(matches!(types.kind(file), Kind::Forward { .. }));
    assert_eq!(types.size(file), Some(16));
    assert_eq!(bytes_at(&types, file, "mode"), 8);
}

#[test]
#[ignore = "needs /sys/kernel/btf"]
fn the_running_kernel_describes_what_all_kernels_have() {
    let btf = Btf::open(Path::new("/sys/kernel/btf")).unwrap();
    let types = Types::new(Some(btf));
    let task = types.lookup(None, Named::Struct("task_struct")).unwrap();
    assert!(types.size(task).unwrap() > 1000);
    let comm = types.member(task, "comm").unwrap();
    assert_eq!(types.name(comm.ty), "char [16]");
    assert!(types.is_string_like(comm.ty));
    assert_eq!(types.align(task).map(u64::is_power_of_two), Some(true));
    let read = types.function(None, "vfs_read").unwrap();
    let file = types.pointee(read.parameters[0].1).unwrap();
    assert_eq!(types.name(file), "struct file");
    let path = types.member(file, "f_path").unwrap();
    let dentry = types.member(path.ty, "dentry").unwrap();
    let name = types
        .member(types.pointee(dentry.ty).unwrap(), "d_name")
        .unwrap();
    assert!(
        types.member(name.ty, "name").is_some(),
        "qstr has it beside an anonymous union"
    );
    assert!(types.member(name.ty, "len").is_some());
    let u32 = types.lookup(None, Named::Typedef("u32")).unwrap();
    assert_eq!(types.size(u32), Some(4));
    assert!(types.enumerator(None, "PIDTYPE_PID").is_some());
    let bytes = vec![0x5a; types.size(task).unwrap() as usize];
    assert!(crate::print::print(&types, task, &bytes).contains(".comm = (char [16]) ["));
}
