// SPDX-License-Identifier: GPL-2.0-only
//! The behaviours, one by one.
//!
//! A row says what to load with which parameters (`PID` and `FOLDER` are the scene's), how it hides (`hide`, see
//! `tests/modules/rogue/rogue.h`), which checks are to find it, what their finding is to name, and what shows that the toy does it.

#![forbid(unsafe_code)]

use super::Behaviour;
use super::scene;
use crate::options::Options;
use crate::test::{Group, Outcome, Test};

/// Lists them, with where in the list each is.
macro_rules! behaviours {
    ($($id:ident: $name:literal,
        $module:literal $parameters:literal $(hide $hide:literal)? $(first $first:literal)?,
        $checks:expr, $marks:expr, $seen:path;)*) => {
        /// All of them.
        pub const ALL: &[Behaviour] = &[$(
            Behaviour {
                name: $name,
                module: $module,
                parameters: $parameters,
                hide: concat!($($hide)?),
                first: false $(|| $first)?,
                checks: &$checks,
                marks: &$marks,
                seen: $seen,
            },
        )*];

        /// Where in [`ALL`] they are.
        #[allow(non_camel_case_types)]
        enum Place { $($id,)* }
    };
}

/// Makes a test of each round: of behaviours that do not disturb each other.
macro_rules! rounds {
    ($($round:ident: $first:ident $($more:ident)*;)*) => {
        /// That they are found.
        pub const FOUND: Group = Group {
            name: "rogue",
            tests: &[$(Test {
                name: concat!("found: ", stringify!($first) $(, ", ", stringify!($more))*),
                run: rounds::$round,
            },)*],
            slots: true,
        };

        mod rounds {
            use super::{ALL, Options, Outcome, Place};
            $(pub fn $round(options: &Options) -> Outcome {
                let places = [Place::$first $(, Place::$more)*];
                super::super::are_found(options, &places.map(|place| &ALL[place as usize]))
            })*
        }
    };
}

rounds! {
    first: unlisted getdents hunter at_fentry lstar iterate unlisted_task tracepoint mapped;
    second: without_object getdents_clean hunter_again call_at_fentry gate inode tracepoint_replaced
        mapped_among_modules task_asleep;
    third: unformed getdents_hidden at_start show_modules task_off_list called watch mapped_rest unheard;
    fourth: uprooted getdents_callers at_end show_sockets mapped_runs muted ioctl;
    fifth: nameless getdents_unlinked in_switch task mask kprobe;
    // A module that loads taints the kernel again: taints last.
    sixth: hidden sockets iterate_files static_call taints;
    seventh: hidden_early sockets_clean counters;
    eighth: hidden_wholly kill records constant;
    ninth: hidden_before ftrace loopback;
    tenth: hidden_wholly_before getdents_patch probes;
    eleventh: caller on_stacks sockets_untold;
    twelfth: named_worker cleaned sockets_returns listener numberless protocol;
    thirteenth: writable lent traps sockets_probed going;
    fourteenth: sockets_argued coming table hunter_by_fprobe;
    // With our firings dropped nobody is seen who calls.
    fifteenth: busy;
    // The second is what the first keeps from us.
    sixteenth: starved untold tracepoint_taken inode_of_folder;
}

behaviours! {
    // A module hides.
    unlisted: "a module off the list of modules",
        "rt_rogue_hide" "" hide "list",
        ["modules", "crossview"], ["rt_rogue_hide"], scene::nothing_else;
    without_object: "a module without its object in /sys/module",
        "rt_rogue_hide" "" hide "kset",
        ["crossview"], ["rt_rogue_hide"], scene::nothing_else;
    unformed: "a module whose state says that it is still being made",
        "rt_rogue_hide" "" hide "state",
        ["crossview", "modules"], ["rt_rogue_hide"], scene::nothing_else;
    going: "a module that says that it is being unloaded",
        "rt_rogue_hide" "" hide "going",
        ["modules"], ["has not been let go of"], scene::nothing_else;
    coming: "a module that says that it is being initialised again",
        "rt_rogue_hide" "" hide "coming",
        ["modules"], ["which is over"], scene::nothing_else;
    uprooted: "a module out of the tree of addresses",
        "rt_rogue_hide" "thread=1" hide "tree",
        ["crossview"], ["rt_rogue_hide"], scene::nothing_else;
    nameless: "a module without symbols",
        "rt_rogue_hide" "" hide "symbols",
        ["crossview"], ["rt_rogue_hide"], scene::nothing_else;
    hidden: "a module off the list, without object, its state faked",
        "rt_rogue_hide" "" hide "list,kset,state",
        ["modules"], ["rt_rogue_hide"], scene::nothing_else;
    hidden_early: "a module that leaves list and /sys/module while it initialises",
        "rt_rogue_hide" "" hide "early",
        ["modules"], ["rt_rogue_hide"], scene::nothing_else;
    hidden_wholly: "a module hidden in every way",
        "rt_rogue_hide" "thread=1" hide "list,kset,state,tree,symbols",
        ["modules"], ["rt_rogue_hide"], scene::nothing_else;
    hidden_before: "a module that was hidden before rust_tracer came",
        "rt_rogue_hide" "" hide "list,kset,state" first true,
        ["crossview", "text"], ["rt_rogue_hide"], scene::nothing_else;
    hidden_wholly_before: "a module that was hidden in every way before rust_tracer came",
        "rt_rogue_hide" "thread=1" hide "list,kset,state,tree,symbols" first true,
        ["text"], ["no module owns this text"], scene::nothing_else;
    caller: "a hidden module's thread that calls the kernel",
        "rt_rogue_hide" "thread=1" hide "list,kset,state",
        ["callers"], ["rt_rogue_hide"], scene::its_thread_works;
    on_stacks: "a hidden module's text below others' calls",
        "rt_rogue_hide" "thread=1" hide "list,kset,state",
        ["stacks"], ["rt_rogue_hide"], scene::its_thread_works;

    named_worker: "a module's thread that is called as one of the kernel's own",
        "rt_rogue_hide" "thread=1 clean=1 name=kworker/0:9",
        ["pointers"], ["kworker/0:9"], scene::its_thread_works;
    cleaned: "a module without its taints",
        "rt_rogue_hide" "thread=1 clean=1 name=kworker/0:9",
        ["modules"], ["rt_rogue_hide"], scene::nothing_else;

    // It hooks functions by ftrace.
    getdents: "a hook on getdents64",
        "rt_rogue_hook" "function=__x64_sys_getdents64",
        ["ops"], ["rt_rogue_hook"], scene::file_is_not_listed;
    getdents_clean: "a hook on getdents64 that shows a clean caller",
        "rt_rogue_hook" "function=__x64_sys_getdents64 clean=1",
        ["ops"], ["rt_rogue_hook"], scene::file_is_not_listed;
    getdents_hidden: "a hook on getdents64 by a hidden module, with a clean caller",
        "rt_rogue_hook" "function=__x64_sys_getdents64 clean=1" hide "list,kset,state",
        ["ops"], ["rt_rogue_hook"], scene::file_is_not_listed;
    getdents_callers: "a hidden module's hook that copies and allocates",
        "rt_rogue_hook" "function=__x64_sys_getdents64" hide "list,kset,state",
        ["callers", "stacks"], ["rt_rogue_hook"], scene::file_is_not_listed;
    getdents_unlinked: "a hook that has taken its ftrace_ops off the list",
        "rt_rogue_hook" "function=__x64_sys_getdents64 unlink=1",
        ["ipmodify"], ["getdents64"], scene::file_is_not_listed;
    sockets: "a hook on what shows TCP's sockets",
        "rt_rogue_hook" "function=tcp4_seq_show",
        ["ops"], ["rt_rogue_hook"], scene::heading_is_missing;
    sockets_clean: "a hook on what shows TCP's sockets, with a clean caller",
        "rt_rogue_hook" "function=tcp4_seq_show clean=1",
        ["ops"], ["rt_rogue_hook"], scene::heading_is_missing;
    kill: "a hook on kill",
        "rt_rogue_hook" "function=__x64_sys_kill",
        ["ops"], ["rt_rogue_hook"], scene::kills_are_counted;

    sockets_untold: "a hook on what shows TCP's sockets that does not say that it redirects",
        "rt_rogue_hook" "function=tcp4_seq_show clean=1 how=regs",
        ["stacks"], ["rt_rogue_hook"], scene::heading_is_missing;
    getdents_patch: "a hook on getdents64 by the kernel's callback for live patches",
        "rt_rogue_hook" "function=__x64_sys_getdents64 clean=1 how=patch",
        ["ops"], ["as by a live patch"], scene::file_is_not_listed;

    sockets_returns: "a kretprobe of a listed module on what shows TCP's sockets",
        "rt_rogue_hook" "function=tcp4_seq_show how=kretprobe",
        ["ops"], ["rt_rogue_hook"], scene::sockets_are_missing;
    sockets_probed: "an fprobe of a listed module on what shows TCP's sockets",
        "rt_rogue_hook" "function=tcp4_seq_show how=fprobe",
        ["ops"], ["an fprobe at tcp4_seq_show"], scene::sockets_are_missing;
    sockets_argued: "an ftrace_ops that changes what TCP's sockets are shown by, and redirects nothing",
        "rt_rogue_hook" "function=tcp4_seq_show how=arguments",
        ["ops"], ["an ftrace_ops at tcp4_seq_show"], scene::sockets_are_missing;
    listener: "a socket that listens and is not shown",
        "rt_rogue_hook" "function=tcp4_seq_show how=kretprobe",
        ["crossview"], ["127.0.0.1:"], scene::sockets_are_missing;

    // It looks for symbols.
    hunter: "a kprobe on what finds symbols, which stays",
        "rt_rogue_hunter" "keep=1",
        ["hunters"], ["rt_rogue_hunter"], scene::symbol_is_found;
    hunter_again: "a kprobe on what finds symbols, again and again",
        "rt_rogue_hunter" "again=1",
        ["hunters"], ["rt_rogue_hunter"], scene::symbol_is_found;
    hunter_by_fprobe: "an fprobe on what finds symbols, again and again",
        "rt_rogue_hunter" "again=1 fprobe=1",
        ["hunters"], ["registered a probe on kallsyms_lookup_name"], scene::symbol_is_found;

    // It changes text.
    at_fentry: "a jump patched in at a function's site",
        "rt_rogue_patch" "where=fentry",
        ["sites"], ["umask"], scene::umask_is_answered;
    call_at_fentry: "a call patched in at a function's site",
        "rt_rogue_patch" "where=call",
        ["sites"], ["umask"], scene::umasks_are_counted;
    at_start: "a jump patched in at a function's first byte",
        "rt_rogue_patch" "where=start",
        ["sites", "syscalls"], ["umask"], scene::umask_is_answered;
    at_end: "a jump patched in at a system call's last instruction",
        "rt_rogue_patch" "where=end",
        ["syscalls"], ["umask"], scene::umask_is_answered;
    in_switch: "a jump patched in where system calls are told apart",
        "rt_rogue_patch" "where=switch",
        ["syscalls"], ["x64_sys_call"], scene::umask_is_answered;

    static_call: "a jump patched in where a static call leads",
        "rt_rogue_patch" "where=static",
        ["sites"], ["rt_rogue_patch"], scene::nothing_else;

    writable: "a page of the kernel's text that can be written",
        "rt_rogue_patch" "where=table",
        ["text"], ["writable"], scene::nothing_else;

    // It changes where a CPU goes.
    lstar: "the entry of system calls moved on one CPU",
        "rt_rogue_cpu" "what=lstar cpu=1",
        ["syscalls"], ["rt_rogue_cpu"], scene::cpu_1_enters;
    gate: "an interrupt gate that leads elsewhere",
        "rt_rogue_cpu" "what=gate",
        ["syscalls"], ["rt_rogue_cpu"], scene::gate_is_gone_through;

    watch: "a hardware breakpoint at a system call",
        "rt_rogue_cpu" "what=watch",
        ["syscalls"], ["umask"], scene::umasks_enter;
    mask: "system calls of one CPU that keep a flag of user space's",
        "rt_rogue_cpu" "what=mask cpu=1",
        ["syscalls"], ["CPU 1 goes without"], scene::nothing_else;

    traps: "a listed module that is told of traps",
        "rt_rogue_cpu" "what=traps",
        ["pointers"], ["die_chain"], scene::nothing_else;

    // It changes pointers.
    iterate: "what lists /proc, replaced in its table",
        "rt_rogue_ops" "what=iterate pid=PID",
        ["pointers"], ["rt_rogue_ops"], scene::task_is_not_listed;
    inode: "what lists /proc, replaced by another table",
        "rt_rogue_ops" "what=inode pid=PID",
        ["pointers"], ["rt_rogue_ops"], scene::task_is_not_listed;
    unlisted_task: "a task that /proc does not list",
        "rt_rogue_ops" "what=iterate pid=PID",
        ["tasks"], ["process PID "], scene::task_is_not_listed;
    iterate_files: "what lists a file system's directories, replaced in its table",
        "rt_rogue_ops" "what=iterate path=/tmp",
        ["pointers"], ["rt_rogue_ops"], scene::file_is_not_listed;
    inode_of_folder: "what lists one directory of a file system, replaced by another table",
        "rt_rogue_ops" "what=inode path=FOLDER",
        ["pointers"], ["/tmp/rt-scene-"], scene::file_is_not_listed;
    show_modules: "what shows the list of modules, replaced",
        "rt_rogue_ops" "what=modules",
        ["pointers", "crossview"], ["rt_rogue_ops"], scene::its_line_is_missing;
    show_sockets: "what shows TCP's sockets, replaced",
        "rt_rogue_ops" "what=tcp",
        ["pointers"], ["rt_rogue_ops"], scene::heading_is_missing;
    constant: "the operations of a device that nobody has open",
        "rt_rogue_ops" "what=constant path=/dev/full",
        ["pointers"], ["rt_rogue_ops"], scene::writes_are_counted;
    loopback: "the operations of the loopback device, replaced by another table",
        "rt_rogue_ops" "what=loopback",
        ["pointers"], ["rt_rogue_ops"], scene::packets_are_counted;
    protocol: "the kernel's protocol of a number, replaced by another one",
        "rt_rogue_ops" "what=protocol",
        ["pointers"], ["inet_protos 17"], scene::packets_are_counted;
    table: "a system call replaced in the kernel's table",
        "rt_rogue_ops" "what=syscall",
        ["syscalls"], ["sys_call_table has a function for system call 95"], scene::table_leads_elsewhere;
    tracepoint: "a hidden module's probe on a tracepoint",
        "rt_rogue_probe" "what=own" hide "list,kset,state",
        ["pointers"], ["sched_process_fork"], scene::forks_are_counted;
    tracepoint_replaced: "another's probe on a tracepoint, replaced by a hidden module's",
        "rt_rogue_probe" "what=replaced" hide "list,kset,state",
        ["pointers"], ["sched_process_fork"], scene::forks_are_not_recorded;

    tracepoint_taken: "another's probe on a tracepoint, replaced by a listed module's",
        "rt_rogue_probe" "what=replaced",
        ["pointers"], ["does not call those who are registered"], scene::forks_are_not_recorded;
    called: "a tracepoint that calls another than who is registered",
        "rt_rogue_probe" "what=called",
        ["pointers"], ["sched_process_fork"], scene::forks_are_not_recorded;
    muted: "a tracepoint switched off with those who are registered",
        "rt_rogue_probe" "what=muted",
        ["pointers"], ["sched_process_fork"], scene::forks_are_not_recorded;

    // It hides a task.
    task: "a task whose number leads nowhere",
        "rt_rogue_task" "how=pid pid=PID",
        ["tasks"], ["process PID "], scene::task_is_not_found;
    task_off_list: "a task off the list of all tasks",
        "rt_rogue_task" "how=list pid=PID",
        ["tasks"], ["process PID "], scene::task_is_passed_over;

    numberless: "a task that has no number",
        "rt_rogue_task" "how=none pid=PID",
        ["tasks"], ["process PID"], scene::task_is_not_found;
    task_asleep: "a thread that sleeps, and is on no list of tasks, without a number",
        "rt_rogue_task" "how=asleep",
        ["tasks"], ["rt_rogue_sleeps"], scene::its_thread_is_not_found;

    // It makes text.
    mapped: "a page of text mapped by hand",
        "rt_rogue_map" "area=vmalloc",
        ["text"], ["no module owns this text"], scene::its_text_runs;
    mapped_among_modules: "a page of text mapped by hand, among the modules",
        "rt_rogue_map" "area=modules",
        ["text"], ["no module owns this text"], scene::its_text_runs;
    mapped_runs: "a page of text mapped by hand that calls the kernel",
        "rt_rogue_map" "area=vmalloc run=1",
        ["callers", "stacks"], ["no module owns this text"], scene::its_text_runs;

    mapped_rest: "code in the unused rest of another module's text",
        "rt_rogue_map" "area=rest",
        ["modules"], ["rt_target"], scene::its_text_runs;

    lent: "a page of text mapped by hand that another module says is its own",
        "rt_rogue_map" "area=lent",
        ["modules"], ["rt_target"], scene::its_text_runs;

    // It works against the tracer.
    taints: "the kernel's taint bits cleared",
        "rt_rogue_self" "what=taints",
        ["canary"], ["taint"], scene::kernel_is_untainted;
    ftrace: "ftrace's switch made to read as off",
        "rt_rogue_self" "what=ftrace",
        ["canary"], ["ftrace"], scene::ftrace_is_off;
    probes: "our probes detached behind our back",
        "rt_rogue_self" "what=probes",
        ["canary"], ["calls of our own"], scene::nothing_is_traced;
    records: "our records dropped before they are made",
        "rt_rogue_self" "what=records",
        ["canary"], ["calls of our own"], scene::nothing_is_traced;
    busy: "our records dropped as those of firings within others",
        "rt_rogue_self" "what=busy",
        ["canary"], ["calls of our own"], scene::nothing_is_traced;
    counters: "our counters faked on their way out",
        "rt_rogue_self" "what=counters",
        ["canary"], ["calls of our own"], scene::ledger_has_more;
    unheard: "our notifier of modules taken off its chain",
        "rt_rogue_self" "what=notifier",
        ["canary"], ["which modules come and go"], scene::nothing_else;
    starved: "our notifier of modules kept from hearing of one",
        "rt_rogue_self" "what=starved",
        ["canary"], ["did not tell us that it came"], scene::nothing_else;
    untold: "a module of which we were not told",
        "rt_rogue_hide" "",
        ["canary"], ["the module rt_rogue_hide is at work"], scene::nothing_else;
    ioctl: "calls of our node that another is asked first",
        "rt_rogue_self" "what=ioctl",
        ["pointers"], ["rt_rogue_self"], scene::we_are_counted;
    kprobe: "a kprobe in our own text",
        "rt_rogue_self" "what=kprobe",
        ["canary"], ["a kprobe in rust_tracer"], scene::we_are_counted;
}
