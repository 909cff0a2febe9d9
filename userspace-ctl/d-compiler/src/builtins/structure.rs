// SPDX-License-Identifier: GPL-2.0-only
//! Built-in variables that are translations: `curcpu`, `curpsinfo`, `curlwpsinfo`.
#![forbid(unsafe_code)]

use rust_tracer::abi;

use crate::types::Intrinsic;

use super::{Variable, variable};

/// A pointer to what dtrace translates for programs.
#[derive(Debug, PartialEq, Eq)]
pub struct Structure {
    /// Its name.
    pub name: &'static str,
    /// What it points to: a type of a library.
    pub ty: &'static str,
    /// What that is translated from.
    pub input: Variable,
    /// Members that are built-in variables: they are there where the kernel's memory is not shown.
    members: &'static [(&'static str, &'static str)],
}

impl Structure {
    /// The built-in variable that a member is, and its name.
    pub fn member(&self, name: &str) -> Option<(&'static str, Variable)> {
        let (_, known) = self.members.iter().find(|(member, _)| *member == name)?;
        Some((known, variable(known)?))
    }
}

pub(super) static CURCPU: Structure = Structure {
    name: "curcpu",
    ty: "cpuinfo_t",
    input: Variable::Number(abi::RTRACE_VAR_CPU, Intrinsic::Int),
    members: &[],
};

pub(super) static CURLWPSINFO: Structure = Structure {
    name: "curlwpsinfo",
    ty: "lwpsinfo_t",
    input: Variable::Thread,
    members: &[
        ("pr_addr", "curthread"),
        ("pr_lwpid", "tid"),
        ("pr_name", "execname"),
        ("pr_onpro", "cpu"),
    ],
};

pub(super) static CURPSINFO: Structure = Structure {
    name: "curpsinfo",
    ty: "psinfo_t",
    input: Variable::Thread,
    members: &[
        ("pr_addr", "curthread"),
        ("pr_fname", "execname"),
        ("pr_gid", "gid"),
        ("pr_pid", "pid"),
        ("pr_ppid", "ppid"),
        ("pr_psargs", "execargs"),
        ("pr_uid", "uid"),
    ],
};
