// SPDX-License-Identifier: GPL-2.0-only
//! The texts of a run: libraries, then `-P`, `-m`, `-f`, `-n`, `-i` and `-s`, in the order of the
//! command line. They are one program: what one declares, the others know, but for `this->`.
//!
//! Places in the program count on from text to text, so that an error finds its way back.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Result, anyhow};
use d_compiler::ast::{Item, Program};
use d_compiler::builtins::PROVIDERS;
use d_compiler::error::{Error, Span};
use d_compiler::macros::Macros;
use d_compiler::parse::{self, Context};
use d_compiler::source;
use d_compiler::types::Types;

use super::libraries;
use crate::access::plain;
use crate::cli::Origin;
use crate::options;
use crate::spec::Field;

/// A text.
#[derive(Clone, Debug)]
struct Source {
    origin: Origin,
    /// As it is called in messages: the file, or what stood on the command line.
    name: String,
    text: String,
    /// Where it begins, among all of them.
    base: u32,
    /// Its clauses, among all of them.
    clauses: std::ops::Range<usize>,
}

/// All texts.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    all: Vec<Source>,
}

impl Sources {
    /// Reads scripts; runs the preprocessor if it is asked for.
    pub fn gather(texts: &[(Origin, String)], options: &options::Program) -> Result<Self> {
        let mut sources = Self::default();
        if !options.nolibs {
            for directory in &options.libraries {
                for (name, text) in libraries::read(directory)? {
                    sources.push(Origin::Library, name, text);
                }
            }
        }
        for (origin, given) in texts {
            let mut text = match origin {
                Origin::Script => read(given)?,
                Origin::Field(_) | Origin::Id | Origin::Library => given.clone(),
            };
            if options.cpp && *origin == Origin::Script {
                let cpp = options.cpppath.as_deref().unwrap_or("cpp");
                let output = source::preprocess(cpp, given, &text, &options.cppflags);
                let output = output.map_err(|error| {
                    anyhow!(source::render(source::Origin::Script(given), &text, &error))
                })?;
                std::io::stderr().write_all(output.said.as_bytes())?;
                text = output.text;
            }
            sources.push(*origin, given.clone(), text);
        }
        Ok(sources)
    }

    fn push(&mut self, origin: Origin, name: String, text: String) {
        let base = self
            .all
            .last()
            .map_or(0, |last| last.base + last.text.len() as u32 + 1);
        self.all.push(Source {
            origin,
            name,
            text,
            base,
            clauses: 0..0,
        });
    }

    /// Parses all of them as the options say. A library that depends on what is not there is left out. What is wrong
    /// with what was `declared` comes before what is no D behind it.
    pub fn parse(
        &mut self,
        macros: &Macros,
        options: &options::Program,
        types: &Types,
        declared: &dyn Fn(&Program) -> Option<Error>,
    ) -> Result<Program> {
        let mut program = Program::default();
        let mut clauses = 0;
        for at in 0..self.all.len() {
            let source = &self.all[at];
            let mut macros = macros.clone();
            if let (Origin::Script, Some(first)) = (source.origin, macros.arguments.first_mut()) {
                first.clone_from(&source.name);
            }
            let library = source.origin == Origin::Library;
            macros.unused_arguments |= library;
            let context = Context {
                is_type: &|name| types.is_typedef(name),
                is_there: &|class, name| is_there(class, name, types),
                // Libraries may be left out.
                declared: &|text| {
                    (!library).then(|| declared(&program.clone().with(text.clone())))?
                },
                library,
                allow_empty: options.empty || library,
                pspec: options.pspec && !library,
                base: source.base,
                ..Context::new(&macros)
            };
            let parsed = match source.origin {
                Origin::Script => parse::parse_in(&source.text, &context),
                Origin::Library => match parse::parse_in(&source.text, &context) {
                    Err(error) if error.tag == "D_PRAGMA_DEPEND" => continue,
                    parsed => parsed.and_then(libraries::declares),
                },
                Origin::Id => parse::parse_clause_in(parse::Field::Name, &source.text, &context),
                Origin::Field(field) => {
                    parse::parse_clause_in(self::field(field), &source.text, &context)
                }
            };
            let parsed = parsed.map_err(|error| {
                let elsewhere = error.span.start < source.base && error.span != Span::default();
                anyhow!(match elsewhere {
                    true => self.render(&error),
                    false => source.render(&error),
                })
            })?;
            let more = parsed
                .items
                .iter()
                .filter(|item| matches!(item, Item::Clause(_)));
            let end = clauses + more.count();
            self.all[at].clauses = clauses..end;
            clauses = end;
            program = program.with(parsed);
        }
        Ok(program)
    }

    /// Each text as dtrace calls it, with its clauses' indices among all: `description 'x'`,
    /// `script 'y'`.
    pub fn told(&self) -> impl Iterator<Item = (String, std::ops::Range<usize>)> {
        let programs = self.all.iter();
        let programs = programs.filter(|source| source.origin != Origin::Library);
        programs.map(|source| {
            let (what, name) = match source.origin {
                Origin::Library => ("library", source.name.as_str()),
                Origin::Script => ("script", source.name.as_str()),
                Origin::Id | Origin::Field(_) => {
                    let end = source.name.find(['{', '/', ';']);
                    (
                        "description",
                        &source.name[..end.unwrap_or(source.name.len())],
                    )
                }
            };
            (format!("{what} '{name}'"), source.clauses.clone())
        })
    }

    /// What is said of an error: which text, where in it, and what.
    pub fn render(&self, error: &Error) -> String {
        let source = self
            .all
            .iter()
            .rev()
            .find(|source| source.base <= error.span.start);
        let Some(source) = source.or(self.all.first()) else {
            return error.to_string();
        };
        source.render(error)
    }
}

impl Source {
    fn render(&self, error: &Error) -> String {
        let local = Error {
            span: Span {
                start: error.span.start.saturating_sub(self.base),
                end: error.span.end.saturating_sub(self.base),
            },
            ..error.clone()
        };
        let origin = match self.origin {
            Origin::Script => source::Origin::Script(&self.name),
            Origin::Library => source::Origin::Library(&self.name),
            Origin::Id | Origin::Field(_) => source::Origin::Option,
        };
        source::render(origin, &self.text, &local)
    }
}

/// Whether a provider or module that a text depends on is there.
fn is_there(class: &str, name: &str, types: &Types) -> bool {
    match class {
        "provider" => PROVIDERS.contains(&name),
        // Those without types have a folder still.
        _ => types.has_module(name) || Path::new("/sys/module").join(name).is_dir(),
    }
}

pub(super) fn read(path: &str) -> Result<String> {
    let bytes = if path == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    let bytes = bytes.map_err(|error| anyhow!("failed to open {path}: {}", plain(&error)))?;
    String::from_utf8(bytes)
        .map_err(|_| anyhow!("failed to compile script {path}: it is not text (UTF-8)"))
}

fn field(field: Field) -> parse::Field {
    match field {
        Field::Provider => parse::Field::Provider,
        Field::Module => parse::Field::Module,
        Field::Function => parse::Field::Function,
        Field::Name => parse::Field::Name,
    }
}

#[cfg(test)]
mod tests {
    use d_compiler::check::wrong_declaration;

    use super::*;

    /// What a program comes to with a library of this text.
    fn parse(test: &str, library: &str, program: &str) -> Result<usize, String> {
        let id = std::process::id();
        let folder = std::env::temp_dir().join(format!("rt-sources-{test}-{id}"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("names.d"), library).unwrap();
        let options = options::Program {
            libraries: vec![folder.display().to_string()],
            ..options::Program::default()
        };
        let texts = [(Origin::Field(Field::Name), program.to_owned())];
        let sources = Sources::gather(&texts, &options);
        fs::remove_dir_all(&folder).unwrap();
        let macros = Macros::new(["rtctl", "argument"]);
        let mut sources = sources.map_err(|error| error.to_string())?;
        let parsed = sources.parse(&macros, &options, &Types::new(None), &|_| None);
        let told: Vec<_> = sources.told().map(|(text, _)| text).collect();
        assert_eq!(told, ["description 'BEGIN '"]);
        let parsed = parsed.map_err(|error| error.to_string())?;
        Ok(parsed.items.len())
    }

    #[test]
    fn what_a_library_declares_programs_know() {
        let library = "#pragma D depends_on provider syscall\ninline int two = 2;\n";
        assert_eq!(parse("known", library, "BEGIN { trace(two + $1); }"), Ok(2));
        let elsewhere = "#pragma D depends_on provider nix\ninline int two = 2;\n";
        assert_eq!(parse("left", elsewhere, "BEGIN { trace($1); }"), Ok(1));
    }

    #[test]
    fn a_wrong_declaration_is_told_where_it_stands_before_what_is_no_d() {
        let wrong = |texts: [&str; 2]| {
            let texts = texts.map(|text| (Origin::Field(Field::Name), text.to_owned()));
            let options = options::Program::default();
            let mut sources = Sources::gather(&texts, &options).unwrap();
            let (macros, types) = (Macros::new(["rtctl"]), Types::new(None));
            let declared = |text: &Program| {
                let compiling = d_compiler::options::Options::default();
                wrong_declaration(text, &mut Types::new(None), &compiling)
            };
            let parsed = sources.parse(&macros, &options, &types, &declared);
            parsed.unwrap_err().to_string()
        };
        let told = wrong(["BEGIN { }\nint x; char x;", "BEGIN { 1 + }"]);
        assert!(told.contains("[D_DECL_IDRED]"), "{told}");
        assert!(told.contains("| int x; char x;"), "{told}");
        // Clause-local variables are of a text.
        let told = wrong(["this int x; BEGIN { }", "this string x; BEGIN { 1 + }"]);
        assert!(told.contains("[D_SYNTAX]"), "{told}");
    }

    #[test]
    fn what_is_wrong_with_a_library_is_told_of_it() {
        let wrong = |test, library| parse(test, library, "BEGIN { trace($1); }").unwrap_err();
        let error = wrong("clause", "inline int two = 2;\nBEGIN { exit(0); }\n");
        assert!(error.contains("/names.d: [D_SYNTAX] line 2: "), "{error}");
        let error = wrong("syntax", "inline int two = ;\n");
        assert!(error.starts_with("failed to compile library /"), "{error}");
    }
}
