// SPDX-License-Identifier: GPL-2.0-only
//! What D knows without being told: variables, functions, constants. Names and prototypes are
//! those of libdtrace's dt_open.c, and of the libraries that come with it.
#![forbid(unsafe_code)]

mod constants;
pub mod registers;
mod structure;

use rust_tracer::abi;

pub use constants::constant;
pub use structure::Structure;
use structure::{CURCPU, CURLWPSINFO, CURPSINFO};

use crate::types::Intrinsic;

/// A variable of D itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variable {
    /// A number of this type.
    Number(u32, Intrinsic),
    /// A string.
    Text(u32),
    /// A string that is always the same.
    Always(&'static str),
    /// `curthread`
    Thread,
    /// `execargs`
    CommandLine,
    /// `args`, which is an array.
    Arguments,
    /// `curcpu`, `curpsinfo`, `curlwpsinfo`
    Structure(&'static Structure),
    /// `uregs`, which is an array.
    Registers,
}

/// Whether the built-in variable is none of DTrace's: a program may have one of this name.
pub fn is_own_variable(name: &str) -> bool {
    name == "elapsed" || name.strip_prefix("entryarg").and_then(digit).is_some()
}

/// A built-in variable by its name.
pub fn variable(name: &str) -> Option<Variable> {
    use Intrinsic as I;
    use Variable::{Number, Structure, Text};
    if let Some(number) = name.strip_prefix("arg").and_then(digit) {
        return Some(Number(abi::RTRACE_VAR_ARG0 + number, I::Int64));
    }
    if let Some(number) = name.strip_prefix("entryarg").and_then(digit) {
        return (number < 6).then_some(Number(abi::RTRACE_VAR_ENTRYARG0 + number, I::Int64));
    }
    Some(match name {
        "args" => Variable::Arguments,
        "caller" => Number(abi::RTRACE_VAR_CALLER, I::Uintptr),
        "cpu" => Number(abi::RTRACE_VAR_CPU, I::Int),
        "curcpu" => Structure(&CURCPU),
        "curlwpsinfo" => Structure(&CURLWPSINFO),
        "curpsinfo" => Structure(&CURPSINFO),
        "curthread" => Variable::Thread,
        "cwd" => Text(abi::RTRACE_VAR_CWD),
        "elapsed" => Number(abi::RTRACE_VAR_ELAPSED, I::Uint64),
        "epid" => Number(abi::RTRACE_VAR_EPID, I::UnsignedInt),
        "errno" => Number(abi::RTRACE_VAR_ERRNO, I::Int),
        "execargs" => Variable::CommandLine,
        "execname" => Text(abi::RTRACE_VAR_EXECNAME),
        "gid" => Number(abi::RTRACE_VAR_GID, I::Gid),
        "id" => Number(abi::RTRACE_VAR_ID, I::UnsignedInt),
        "ipl" => Number(abi::RTRACE_VAR_IPL, I::UnsignedInt),
        "pid" => Number(abi::RTRACE_VAR_PID, I::Pid),
        "ppid" => Number(abi::RTRACE_VAR_PPID, I::Pid),
        "probefunc" => Text(abi::RTRACE_VAR_PROBEFUNC),
        "probemod" => Text(abi::RTRACE_VAR_PROBEMOD),
        "probename" => Text(abi::RTRACE_VAR_PROBENAME),
        "probeprov" => Text(abi::RTRACE_VAR_PROBEPROV),
        "stackdepth" => Number(abi::RTRACE_VAR_STACKDEPTH, I::Uint32),
        "tid" => Number(abi::RTRACE_VAR_TID, I::Id),
        "timestamp" => Number(abi::RTRACE_VAR_TIMESTAMP, I::Uint64),
        "ucaller" => Number(abi::RTRACE_VAR_UCALLER, I::Uint64),
        "uid" => Number(abi::RTRACE_VAR_UID, I::Uid),
        "uregs" => Variable::Registers,
        "ustackdepth" => Number(abi::RTRACE_VAR_USTACKDEPTH, I::Uint32),
        "vtimestamp" => Number(abi::RTRACE_VAR_VTIMESTAMP, I::Uint64),
        "walltimestamp" => Number(abi::RTRACE_VAR_WALLTIMESTAMP, I::Int64),
        // Linux has no zones but what illumos calls the global one.
        "zonename" => Variable::Always("global"),
        _ => return None,
    })
}

/// The providers that there are.
pub const PROVIDERS: [&str; 4] = ["dtrace", "fbt", "profile", "syscall"];

/// A single digit.
fn digit(text: &str) -> Option<u32> {
    match text.as_bytes() {
        [digit @ b'0'..=b'9'] => Some(u32::from(digit - b'0')),
        _ => None,
    }
}

/// What kind of function a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It records or does something: a statement of its own.
    Action,
    /// It may change the system.
    Destructive,
    /// Of aggregations: RTRACE_AGG_*
    Aggregating(u32),
    /// RTRACE_SUB_*
    Subroutine(u32),
    /// It is made of other things.
    Composed,
    /// An inline with one key, of this name in a library.
    Library(&'static str),
    /// What Linux does not have, and why.
    Refused(&'static str),
}

/// A parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// Anything.
    Any,
    /// Any more.
    Rest,
    /// Of this type.
    Is(Intrinsic),
    /// Of this type, or not there.
    May(Intrinsic),
    /// Pointer to a struct of this tag.
    Struct(&'static str),
    /// Pointer to a type of this name.
    Named(&'static str),
    /// Pointer to a number of 4 bytes.
    Pointer4,
    /// Pointer to what is written: the firing's own memory, and no string.
    Target,
}

/// What a function results in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A value of this type.
    Is(Intrinsic),
    /// A stack.
    Stack,
    /// An address of the kernel, to be shown by name.
    Symbol,
    /// An address of a process, to be shown by name.
    UserSymbol,
    /// Pointer to a struct of this tag.
    Struct(&'static str),
}

/// A function of D.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub role: Role,
    /// What it results in.
    pub outcome: Outcome,
    /// What it takes.
    pub parameters: &'static [Parameter],
}

/// A function by its name.
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|one| one.name == name)
}

/// The aggregating function of this number (RTRACE_AGG_*), as D calls it.
pub fn aggregating(number: u32) -> Option<&'static str> {
    first_of(Role::Aggregating(number))
}

/// The subroutine of this number (RTRACE_SUB_*), as D calls it.
pub fn subroutine(number: u32) -> Option<&'static str> {
    first_of(Role::Subroutine(number))
}

fn first_of(role: Role) -> Option<&'static str> {
    let mut functions = FUNCTIONS.iter();
    functions.find(|one| one.role == role).map(|one| one.name)
}

macro_rules! functions {
    ($($name:literal: $role:expr, $outcome:expr, [$($parameter:expr),*];)*) => {
        &[$(Function { name: $name, role: $role, outcome: $outcome, parameters: &[$($parameter),*] }),*]
    };
}

use Intrinsic as I;
use Outcome as O;
use Parameter::{Any, Is, May, Named, Pointer4, Rest, Struct, Target};
use Role::{Action, Aggregating, Composed, Destructive, Library, Refused, Subroutine};

const VOID: Outcome = O::Is(I::Void);
const TEXT: Outcome = O::Is(I::String);
const CHARS: Parameter = Is(I::ConstCharPointer);

const STREAMS: &str = "Linux has no STREAMS messages";
const DEVINFO: &str = "Linux has no device information tree of that kind; use d_path()";

static FUNCTIONS: &[Function] = functions! {
    "alloca": Subroutine(abi::RTRACE_SUB_ALLOCA), O::Is(I::VoidPointer), [Is(I::Size)];
    "avg": Aggregating(abi::RTRACE_AGG_AVG), VOID, [Any];
    "basename": Subroutine(abi::RTRACE_SUB_BASENAME), TEXT, [CHARS];
    "bcopy": Subroutine(abi::RTRACE_SUB_BCOPY), VOID,
        [Is(I::VoidPointer), Target, Is(I::Size)];
    "breakpoint": Destructive, VOID, [];
    "chill": Destructive, VOID, [Is(I::Int)];
    "cleanpath": Subroutine(abi::RTRACE_SUB_CLEANPATH), TEXT, [CHARS];
    "clear": Action, VOID, [Any];
    "commit": Action, VOID, [Is(I::Int)];
    "copyin": Subroutine(abi::RTRACE_SUB_COPYIN), O::Is(I::VoidPointer),
        [Is(I::Uintptr), Is(I::Size)];
    "copyinstr": Subroutine(abi::RTRACE_SUB_COPYINSTR), TEXT, [Is(I::Uintptr), May(I::Size)];
    "copyinto": Subroutine(abi::RTRACE_SUB_COPYINTO), VOID,
        [Is(I::Uintptr), Is(I::Size), Target];
    "copyout": Destructive, VOID, [Is(I::VoidPointer), Is(I::Uintptr), Is(I::Size)];
    "copyoutstr": Destructive, VOID, [Is(I::CharPointer), Is(I::Uintptr), Is(I::Size)];
    "count": Aggregating(abi::RTRACE_AGG_COUNT), VOID, [];
    "d_path": Subroutine(abi::RTRACE_SUB_D_PATH), TEXT, [Struct("path")];
    "ddi_pathname": Refused(DEVINFO), TEXT, [Is(I::VoidPointer), Is(I::Int64)];
    "denormalize": Action, VOID, [Any];
    "dirname": Subroutine(abi::RTRACE_SUB_DIRNAME), TEXT, [CHARS];
    "discard": Action, VOID, [Is(I::Int)];
    "exit": Action, VOID, [Is(I::Int)];
    "freopen": Action, VOID, [Any, Rest];
    "ftruncate": Action, VOID, [];
    "func": Action, O::Symbol, [Is(I::Uintptr)];
    "getf": Library("__getf"), O::Struct("file"), [Is(I::Int)];
    "getmajor": Subroutine(abi::RTRACE_SUB_GETMAJOR), O::Is(I::Uint32), [Is(I::Uint32)];
    "getminor": Subroutine(abi::RTRACE_SUB_GETMINOR), O::Is(I::Uint32), [Is(I::Uint32)];
    "htonl": Subroutine(abi::RTRACE_SUB_HTONL), O::Is(I::Uint32), [Is(I::Uint32)];
    "htonll": Subroutine(abi::RTRACE_SUB_HTONLL), O::Is(I::Uint64), [Is(I::Uint64)];
    "htons": Subroutine(abi::RTRACE_SUB_HTONS), O::Is(I::Uint16), [Is(I::Uint16)];
    "index": Subroutine(abi::RTRACE_SUB_INDEX), O::Is(I::Int), [CHARS, CHARS, May(I::Int)];
    "inet_ntoa": Subroutine(abi::RTRACE_SUB_INET_NTOA), TEXT, [Pointer4];
    "inet_ntoa6": Subroutine(abi::RTRACE_SUB_INET_NTOA6), TEXT, [Struct("in6_addr"), May(I::Int)];
    "inet_ntop": Subroutine(abi::RTRACE_SUB_INET_NTOP), TEXT, [Is(I::Int), Is(I::VoidPointer)];
    "jstack": Action, O::Stack, [May(I::Uint32), May(I::Uint32)];
    "json": Subroutine(abi::RTRACE_SUB_JSON), TEXT, [CHARS, CHARS];
    "link_ntop": Subroutine(abi::RTRACE_SUB_LINK_NTOP), TEXT, [Is(I::Int), Is(I::VoidPointer)];
    "llquantize": Aggregating(abi::RTRACE_AGG_LLQUANTIZE), VOID,
        [Any, Is(I::Int32), Is(I::Int32), Is(I::Int32), Is(I::Int32), Rest];
    "lltostr": Subroutine(abi::RTRACE_SUB_LLTOSTR), TEXT, [Is(I::Int64), May(I::Int)];
    "lquantize": Aggregating(abi::RTRACE_AGG_LQUANTIZE), VOID,
        [Any, Is(I::Int32), Is(I::Int32), Rest];
    "max": Aggregating(abi::RTRACE_AGG_MAX), VOID, [Any];
    "min": Aggregating(abi::RTRACE_AGG_MIN), VOID, [Any];
    "mod": Action, O::Symbol, [Is(I::Uintptr)];
    "msgdsize": Refused(STREAMS), O::Is(I::Size), [Any];
    "msgsize": Refused(STREAMS), O::Is(I::Size), [Any];
    "mutex_owned": Composed, O::Is(I::Int), [Struct("mutex")];
    "mutex_owner": Composed, O::Struct("task_struct"), [Struct("mutex")];
    "mutex_type_adaptive": Composed, O::Is(I::Int), [Struct("mutex")];
    "mutex_type_spin": Composed, O::Is(I::Int), [Struct("mutex")];
    "normalize": Action, VOID, [Any, Is(I::Uint64)];
    "ntohl": Subroutine(abi::RTRACE_SUB_HTONL), O::Is(I::Uint32), [Is(I::Uint32)];
    "ntohll": Subroutine(abi::RTRACE_SUB_HTONLL), O::Is(I::Uint64), [Is(I::Uint64)];
    "ntohs": Subroutine(abi::RTRACE_SUB_HTONS), O::Is(I::Uint16), [Is(I::Uint16)];
    "panic": Destructive, VOID, [];
    "pcap": Refused("packets are not captured; use tracemem()"), VOID,
        [Is(I::VoidPointer), Is(I::Int)];
    "print": Action, VOID, [Any];
    "printa": Action, VOID, [Any, Rest];
    "printf": Action, VOID, [Any, Rest];
    "progenyof": Subroutine(abi::RTRACE_SUB_PROGENYOF), O::Is(I::Int), [Is(I::Pid)];
    "quantize": Aggregating(abi::RTRACE_AGG_QUANTIZE), VOID, [Any, Rest];
    "raise": Destructive, VOID, [Is(I::Int)];
    "rand": Subroutine(abi::RTRACE_SUB_RAND), O::Is(I::Int), [];
    "return": Destructive, VOID, [Is(I::Int)];
    "rindex": Subroutine(abi::RTRACE_SUB_RINDEX), O::Is(I::Int), [CHARS, CHARS, May(I::Int)];
    "rw_iswriter": Composed, O::Is(I::Int), [Named("rwlock_t")];
    "rw_read_held": Composed, O::Is(I::Int), [Named("rwlock_t")];
    "rw_write_held": Composed, O::Is(I::Int), [Named("rwlock_t")];
    "setopt": Action, VOID, [CHARS, May(I::ConstCharPointer)];
    "speculate": Action, VOID, [Is(I::Int)];
    "speculation": Composed, O::Is(I::Int), [];
    "stack": Action, O::Stack, [May(I::Uint32)];
    "stddev": Aggregating(abi::RTRACE_AGG_STDDEV), VOID, [Any];
    "stop": Destructive, VOID, [];
    "strchr": Subroutine(abi::RTRACE_SUB_STRCHR), TEXT, [CHARS, Is(I::Char)];
    "strjoin": Subroutine(abi::RTRACE_SUB_STRJOIN), TEXT, [CHARS, CHARS];
    "strlen": Subroutine(abi::RTRACE_SUB_STRLEN), O::Is(I::Size), [CHARS];
    "strrchr": Subroutine(abi::RTRACE_SUB_STRRCHR), TEXT, [CHARS, Is(I::Char)];
    "strstr": Subroutine(abi::RTRACE_SUB_STRSTR), TEXT, [CHARS, CHARS];
    "strtok": Subroutine(abi::RTRACE_SUB_STRTOK), TEXT, [CHARS, CHARS];
    "strtoll": Subroutine(abi::RTRACE_SUB_STRTOLL), O::Is(I::Int64), [CHARS, May(I::Int)];
    "substr": Subroutine(abi::RTRACE_SUB_SUBSTR), TEXT, [CHARS, Is(I::Int), May(I::Int)];
    "sum": Aggregating(abi::RTRACE_AGG_SUM), VOID, [Any];
    "sym": Action, O::Symbol, [Is(I::Uintptr)];
    "system": Destructive, VOID, [Any, Rest];
    "tolower": Subroutine(abi::RTRACE_SUB_TOLOWER), TEXT, [CHARS];
    "toupper": Subroutine(abi::RTRACE_SUB_TOUPPER), TEXT, [CHARS];
    "trace": Action, VOID, [Any];
    "tracemem": Action, VOID, [Any, Is(I::Size), May(I::Size)];
    "trunc": Action, VOID, [Any, May(I::Uint64)];
    "uaddr": Action, O::UserSymbol, [Is(I::Uintptr)];
    "ufunc": Action, O::UserSymbol, [Is(I::Uintptr)];
    "umod": Action, O::UserSymbol, [Is(I::Uintptr)];
    "ustack": Action, O::Stack, [May(I::Uint32), May(I::Uint32)];
    "usym": Action, O::UserSymbol, [Is(I::Uintptr)];
};

/// The type of a variable of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolType {
    /// One of the language.
    Is(Intrinsic),
    /// An array of characters whose length is not known.
    Text,
    /// A struct of this tag.
    Struct(&'static str),
    /// A type of this name.
    Named(&'static str),
    /// Pointer to a struct of this tag.
    Pointer(&'static str),
    /// An array, whose length is not known, of pointers to structs of this tag.
    Pointers(&'static str),
}

/// The type of a variable that people ask for: BTF describes only variables that there is one of
/// for each CPU. (include/linux/{jiffies,memblock,sched/task,utsname,panic,cpumask,…}.h) File
/// systems call what their files can do by one pattern, and mutexes have theirs.
pub fn symbol(name: &str) -> Option<SymbolType> {
    use SymbolType::{Is, Named, Pointer, Pointers, Struct, Text};
    if name.ends_with("_dir_operations") || name.ends_with("_file_operations") {
        return Some(Struct("file_operations"));
    }
    if name.ends_with("_mutex") {
        return Some(Struct("mutex"));
    }
    Some(match name {
        "jiffies" | "loops_per_jiffy" | "max_low_pfn" | "max_mapnr" | "max_pfn" | "min_low_pfn" => {
            Is(I::UnsignedLong)
        }
        "jiffies_64" | "max_possible_pfn" => Is(I::Uint64),
        "nr_cpu_ids" | "tsc_khz" | "cpu_khz" => Is(I::UnsignedInt),
        "crashing_cpu"
        | "nr_threads"
        | "panic_on_oops"
        | "panic_timeout"
        | "pid_max"
        | "sysctl_overcommit_memory"
        | "system_state" => Is(I::Int),
        "saved_command_line" => Is(I::CharPointer),
        "linux_banner" | "linux_proc_banner" => Text,
        "bpf_verifier_lock" => Struct("mutex"),
        "cad_pid" => Pointer("pid"),
        "cgrp_dfl_root" => Struct("cgroup_root"),
        "init_task" => Struct("task_struct"),
        "init_mm" => Struct("mm_struct"),
        "init_net" => Struct("net"),
        "init_pid_ns" => Struct("pid_namespace"),
        "init_user_ns" => Struct("user_namespace"),
        "init_uts_ns" => Struct("uts_namespace"),
        "major_names" => Pointers("blk_major_name"),
        "tasklist_lock" => Named("rwlock_t"),
        _ => return None,
    })
}
