// SPDX-License-Identifier: GPL-2.0-only
use std::fs::File;
use std::os::fd::AsFd;
use std::sync::Arc;

use super::*;
use crate::fake::{Fake, row};

fn module() -> (Arc<Fake>, Session) {
    let module = Fake::new(1, Vec::new());
    let session = Session::over(Arc::clone(&module) as _).unwrap();
    (module, session)
}

fn named<const N: usize>(name: &str) -> [c_char; N] {
    let mut field = [0; N];
    for (to, from) in field.iter_mut().zip(name.bytes()) {
        *to = from as c_char;
    }
    field
}

#[test]
fn all_rows_of_a_view_are_read_and_no_others() {
    let (module, session) = module();
    for (name, base) in [("ext4", 0x1000), ("loop", 0x5000)] {
        let mut one: abi::rtrace_view_module = row();
        (one.name, one.base, one.bytes) = (named(name), base, 64);
        one.seen = abi::RTRACE_SEEN_LIST;
        module.add_row(abi::RTRACE_VIEW_MODULES, &one);
    }
    let mut task: abi::rtrace_view_task = row();
    (task.pid, task.comm) = (7, named("worker"));
    module.add_row(abi::RTRACE_VIEW_TASKS, &task);
    let modules: Vec<Module> = session.view().unwrap();
    let names: Vec<_> = modules.iter().map(|it| (&*it.name, it.base)).collect();
    assert_eq!(names, [("ext4", 0x1000), ("loop", 0x5000)]);
    let tasks: Vec<Task> = session.view().unwrap();
    assert_eq!(
        (tasks.len(), tasks[0].pid, &*tasks[0].comm),
        (1, 7, "worker")
    );
    assert_eq!(session.view::<Ops>().unwrap(), []);
}

#[test]
fn rows_of_a_newer_module_may_be_longer() {
    let (module, session) = module();
    module.lengthen_rows(24);
    for pid in [1, 2] {
        let mut task: abi::rtrace_view_task = row();
        task.pid = pid;
        module.add_row(abi::RTRACE_VIEW_TASKS, &task);
    }
    let tasks: Vec<Task> = session.view().unwrap();
    let pids: Vec<_> = tasks.iter().map(|task| task.pid).collect();
    assert_eq!(pids, [1, 2]);
}

#[test]
fn a_files_pointers_are_read_by_its_descriptor() {
    let (module, session) = module();
    let mut pointer: abi::rtrace_view_pointer = row();
    pointer.name = named("f_op.read_iter");
    (pointer.value.address, pointer.value.kind) = (0x42, abi::RTRACE_OWNER_KERNEL);
    module.add_row(abi::RTRACE_VIEW_FILE, &pointer);
    let file = File::open("/proc/self/stat").unwrap();
    let pointers = session.view_file(file.as_fd()).unwrap();
    assert_eq!(pointers.len(), 1);
    assert_eq!(pointers[0].name, "f_op.read_iter");
    assert_eq!(pointers[0].value.kind, Kind::Kernel);
}

#[test]
fn owners_come_in_the_order_of_the_addresses_however_many() {
    let (module, session) = module();
    module.add_owner(0x1000..0x2000, abi::RTRACE_OWNER_MODULE, "ext4");
    let addresses: Vec<u64> = (0..5000).map(|at| 0x1000 + at).collect();
    let owners = session.owners(&addresses).unwrap();
    let asked: Vec<u64> = owners.iter().map(|owner| owner.address).collect();
    assert_eq!(asked, addresses);
    assert_eq!((owners[0].kind, &*owners[0].name), (Kind::Module, "ext4"));
    assert_eq!(owners[4095].kind, Kind::Module);
    assert_eq!((owners[4096].kind, owners[4096].base), (Kind::None, 0));
    assert_eq!(session.owners(&[]).unwrap(), []);
}

#[test]
fn text_is_read_where_it_is_and_nowhere_else() {
    let (module, session) = module();
    module.add_text(0x1000, &[0xe8, 1, 2, 3, 4, 0x90]);
    let mut buf = [0; 2];
    session.text(0x1004, &mut buf).unwrap();
    assert_eq!(buf, [4, 0x90]);
    let error = session.text(0x1005, &mut buf).unwrap_err();
    assert_eq!(error.errno(), Some(rustix::io::Errno::FAULT.raw_os_error()));
}

#[test]
fn a_refused_view_says_why() {
    let (module, session) = module();
    let why = "view: only the node kernel shows what the kernel is";
    module.refuse("view", rustix::io::Errno::ACCESS, why);
    assert_eq!(session.view::<Cpu>().unwrap_err().to_string(), why);
}

#[test]
fn an_owner_of_a_kind_that_is_not_known_stays_a_number() {
    assert_eq!(Kind::from_abi(99), Kind::Other(99));
    assert_eq!(Kind::from_abi(abi::RTRACE_OWNER_ZERO), Kind::Zero);
}
