// SPDX-License-Identifier: GPL-2.0-only
//! Libraries: the files `*.d` of a directory (-L). They declare types, inlines and translators for
//! all programs, and say on which others they depend: those come first.

use std::collections::BTreeMap;
use std::{fs, io};

use anyhow::{Result, anyhow};
use d_compiler::ast::{Item, Program};
use d_compiler::error::Error;

use super::sources;
use crate::access::plain;

/// A library of a directory.
struct Library {
    path: String,
    text: String,
    /// On its way into the order; `None`: it was not looked at yet.
    placed: Option<bool>,
}

/// The libraries of a directory, their paths and texts, each behind those on which it depends. A
/// directory that is not there has none.
pub fn read(directory: &str) -> Result<Vec<(String, String)>> {
    let failed = |error: &io::Error| anyhow!("failed to open {directory}: {}", plain(error));
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| failed(&error))?,
    };
    let mut libraries = BTreeMap::new();
    for entry in entries {
        let name = entry.map_err(|error| failed(&error))?.file_name();
        let Some(name) = name.to_str().filter(|name| name.ends_with(".d")) else {
            continue;
        };
        let path = format!("{directory}/{name}");
        let library = Library {
            text: sources::read(&path)?,
            path,
            placed: None,
        };
        libraries.insert(name.to_owned(), library);
    }
    let names: Vec<String> = libraries.keys().cloned().collect();
    let mut order = Vec::new();
    for name in names {
        place(&name, &mut libraries, &mut order)?;
    }
    let taken = order.iter().filter_map(|name| libraries.remove(name));
    Ok(taken.map(|library| (library.path, library.text)).collect())
}

/// Puts a library into the order, those on which it depends before it.
fn place(
    name: &str,
    libraries: &mut BTreeMap<String, Library>,
    order: &mut Vec<String>,
) -> Result<()> {
    let Some(library) = libraries.get_mut(name) else {
        return Ok(());
    };
    match library.placed {
        Some(true) => return Ok(()),
        Some(false) => {
            return Err(anyhow!(
                "failed to compile library {}: it depends on itself, by way of others",
                library.path
            ));
        }
        None => library.placed = Some(false),
    }
    let path = library.path.clone();
    for other in depends_on(&library.text) {
        if !libraries.contains_key(&other) {
            return Err(anyhow!(
                "failed to compile library {path}: it depends on {other}, which is not there"
            ));
        }
        place(&other, libraries, order)?;
    }
    if let Some(library) = libraries.get_mut(name) {
        library.placed = Some(true);
    }
    order.push(name.to_owned());
    Ok(())
}

/// `#pragma D depends_on library NAME`
fn depends_on(text: &str) -> Vec<String> {
    let named = |line: &str| {
        let words: Vec<&str> = line.trim().strip_prefix('#')?.split_whitespace().collect();
        match words[..] {
            ["pragma", "D", "depends_on", "library", name, ..] => Some(name.to_owned()),
            _ => None,
        }
    };
    text.lines().filter_map(named).collect()
}

/// A library's text, which must have no clauses: what it declares is for others.
pub fn declares(program: Program) -> Result<Program, Error> {
    for item in &program.items {
        if let Item::Clause(clause) = item {
            return Err(Error::new(
                "D_SYNTAX",
                clause.span,
                "a library declares: clauses are for programs",
            ));
        }
    }
    Ok(program)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// A directory with these libraries.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str, libraries: &[(&str, &[&str])]) -> Self {
            let id = std::process::id();
            let path = std::env::temp_dir().join(format!("rt-libraries-{name}-{id}"));
            fs::create_dir_all(&path).unwrap();
            for (name, others) in libraries {
                let lines: Vec<_> = others
                    .iter()
                    .map(|other| format!("#pragma D depends_on library {other}.d\n"))
                    .collect();
                fs::write(path.join(format!("{name}.d")), lines.concat()).unwrap();
            }
            fs::write(path.join("README"), "no library").unwrap();
            Self(path)
        }

        fn read(&self) -> Result<Vec<String>, String> {
            let read = read(self.0.to_str().unwrap()).map_err(|error| error.to_string())?;
            let name = |(path, _): (String, String)| {
                let name = path.rsplit('/').next().unwrap_or_default();
                name.trim_end_matches(".d").to_owned()
            };
            Ok(read.into_iter().map(name).collect())
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn libraries_come_behind_those_on_which_they_depend() {
        let directory = Directory::new(
            "order",
            &[
                ("a", &["d"]),
                ("b", &[]),
                ("c", &["e", "b"]),
                ("d", &["b"]),
                ("e", &["a"]),
            ],
        );
        assert_eq!(directory.read().unwrap(), ["b", "d", "a", "e", "c"]);
    }

    #[test]
    fn what_cannot_be_ordered_is_refused() {
        let circle = Directory::new("circle", &[("a", &["b"]), ("b", &["c"]), ("c", &["a"])]);
        let error = circle.read().unwrap_err();
        assert!(error.contains("a.d: it depends on itself"), "{error}");
        let missing = Directory::new("missing", &[("a", &["x"])]);
        let error = missing.read().unwrap_err();
        assert!(error.contains("a.d: it depends on x.d, which"), "{error}");
    }

    #[test]
    fn a_directory_that_is_not_there_has_no_libraries() {
        assert!(read("/no/such/directory").unwrap().is_empty());
    }
}
