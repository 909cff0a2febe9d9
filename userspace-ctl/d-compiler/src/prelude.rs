// SPDX-License-Identifier: GPL-2.0-only
//! Libraries in D: types, translators and inlines that dtrace has in files of its own
//! (/usr/lib/dtrace), here part of the compiler. One is read when a program speaks of a name of it.
#![forbid(unsafe_code)]

use crate::ast::Program;
use crate::macros::Macros;
use crate::parse;

/// A text in D, and the names in it that programs may use.
#[derive(Debug)]
pub(crate) struct Library {
    /// As its file is called.
    pub(crate) name: &'static str,
    types: &'static [&'static str],
    variables: &'static [&'static str],
    text: &'static str,
}

static LIBRARIES: &[Library] = &[
    Library {
        name: "cpu",
        types: &["chipid_t", "cpuinfo_t", "lgrp_id_t", "psetid_t"],
        variables: &[],
        text: include_str!("prelude/cpu.d"),
    },
    Library {
        name: "file",
        types: &["fileinfo_t", "offset_t"],
        variables: &["__getf", "fds"],
        text: include_str!("prelude/file.d"),
    },
    Library {
        name: "process",
        types: &[
            "dprojid_t",
            "lwpsinfo_t",
            "poolid_t",
            "psinfo_t",
            "timestruc_t",
        ],
        variables: &[],
        text: include_str!("prelude/process.d"),
    },
    Library {
        name: "root",
        types: &[],
        variables: &["root"],
        text: include_str!("prelude/root.d"),
    },
    Library {
        name: "sched",
        types: &[],
        variables: &["chip", "lgrp", "pset"],
        text: include_str!("prelude/sched.d"),
    },
    Library {
        name: "stack",
        types: &["dt_stack_t"],
        variables: &[],
        text: include_str!("prelude/stack.d"),
    },
];

/// Whether a library has a type of this name.
pub(crate) fn defines_type(name: &str) -> bool {
    LIBRARIES
        .iter()
        .any(|library| library.types.contains(&name))
}

/// Whether a library has a variable (an inline) of this name.
pub(crate) fn defines_variable(name: &str) -> bool {
    LIBRARIES
        .iter()
        .any(|library| library.variables.contains(&name))
}

/// The library that has a name.
pub(crate) fn defining(name: &str) -> Option<&'static Library> {
    LIBRARIES
        .iter()
        .find(|library| library.types.contains(&name) || library.variables.contains(&name))
}

impl Library {
    /// What it declares.
    pub(crate) fn parse(&self) -> Program {
        parse::parse(self.text, &Macros::default()).expect("the libraries are D")
    }
}

#[cfg(test)]
mod tests {
    use super::LIBRARIES;
    use crate::ast::Item;

    #[test]
    fn libraries_declare_the_names_that_they_are_known_by() {
        for library in LIBRARIES {
            let mut types = Vec::new();
            let mut variables = Vec::new();
            for item in library.parse().items {
                match item {
                    Item::Declaration(declaration) => types.extend(
                        declaration
                            .declarators
                            .into_iter()
                            .map(|declarator| declarator.name),
                    ),
                    Item::Inline(inline) => variables.push(inline.declarator.name),
                    Item::Translator(_) => {}
                    Item::Clause(_) => panic!("{}: libraries have no clauses", library.name),
                }
            }
            types.sort();
            assert_eq!(types, library.types, "{}", library.name);
            assert_eq!(variables, library.variables, "{}", library.name);
        }
    }
}
