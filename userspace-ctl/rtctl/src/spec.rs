// SPDX-License-Identifier: GPL-2.0-only
//! Probe descriptions: `provider:module:function:name`.
//!
//! A description with fewer fields means the last ones up to the field that its
//! option names: `-n` the name, `-f` the function, `-m` the module, `-P` the
//! provider. An empty field matches anything.

use std::fmt;

use glob::Pattern as Glob;
use rust_tracer::{Function, Kind, Pattern, Query};

/// The last field of a description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Field {
    Provider,
    Module,
    Function,
    Name,
}

/// A probe description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Spec {
    pub provider: String,
    pub module: String,
    pub function: String,
    pub name: String,
    /// The one probe that is meant; the fields are empty then.
    pub id: Option<u32>,
}

impl Spec {
    /// Takes an option's value apart: descriptions, separated by commas.
    pub fn parse_list(field: Field, text: &str) -> Result<Vec<Self>, String> {
        text.split(',')
            .map(|spec| Self::parse(field, spec.trim()))
            .collect::<Result<_, _>>()
            .map_err(|why| format!("invalid probe specifier {text}: {why}"))
    }

    fn parse(field: Field, text: &str) -> Result<Self, String> {
        let mut spec = Self::default();
        let mut fields = [
            &mut spec.provider,
            &mut spec.module,
            &mut spec.function,
            &mut spec.name,
        ]
        .into_iter()
        .take(field as usize + 1)
        .rev();
        // libdtrace reads from the end, and takes a colon at the beginning for nothing.
        for part in text.strip_prefix(':').unwrap_or(text).rsplit(':') {
            let Some(field) = fields.next() else {
                return Err(format!(
                    "invalid probe description \"{text}\": Overspecified probe description"
                ));
            };
            if part.contains(char::is_whitespace) {
                return Err("there is a blank in it".into());
            }
            if part.len() > rust_tracer::abi::RTRACE_PATTERN_MAX as usize {
                return Err("a field is too long".into());
            }
            part.clone_into(field);
        }
        drop(fields);
        Ok(spec)
    }

    /// Whether it can name probes of the fbt provider at all.
    fn is_fbt(&self) -> bool {
        matches(&self.provider, "fbt")
    }

    /// Whether it names probes of this kind.
    pub fn names(&self, kind: Kind) -> bool {
        self.is_fbt() && matches(&self.name, kind.name())
    }

    /// The pattern to add to a session; `None` if no probe can match.
    pub fn pattern(&self, late: bool) -> Option<Pattern> {
        let pattern = Pattern {
            module: self.module.clone(),
            function: self.function.clone(),
            entry: self.names(Kind::Entry),
            ret: self.names(Kind::Return),
            late,
            group: 0,
        };
        (pattern.entry || pattern.ret).then_some(pattern)
    }

    /// From a program's.
    pub fn of(description: &d_compiler::ast::Description) -> Self {
        Self {
            provider: description.provider.clone(),
            module: description.module.clone(),
            function: description.function.clone(),
            name: description.name.clone(),
            id: description.id,
        }
    }

    /// The same, as a program has it.
    pub fn description(&self) -> d_compiler::ast::Description {
        d_compiler::ast::Description {
            provider: self.provider.clone(),
            module: self.module.clone(),
            function: self.function.clone(),
            name: self.name.clone(),
            id: self.id,
            ..Default::default()
        }
    }

    /// The functions that it names, and whatever is worth knowing about them.
    pub fn query(&self, verbose: bool) -> Query {
        Query {
            module: self.module.clone(),
            function: self.function.clone(),
            untraceable: verbose && self.id.is_none(),
            aliases: verbose,
        }
    }

    /// The probes of a function that it names, with their ids.
    pub fn probes<'a>(&'a self, function: &'a Function) -> impl Iterator<Item = (u32, Kind)> + 'a {
        Kind::ALL
            .into_iter()
            .filter(|&kind| self.names(kind))
            .filter_map(|kind| Some((function.probe_id(kind)?, kind)))
            .filter(|(id, _)| self.id.is_none_or(|only| only == *id))
    }

    /// A word on a provider or a name that there is not.
    pub fn hint(&self) -> Option<String> {
        const PROVIDERS: [&str; 4] = ["dtrace", "fbt", "profile", "syscall"];
        if !PROVIDERS
            .into_iter()
            .any(|provider| matches(&self.provider, provider))
        {
            return Some("the providers are dtrace, fbt, profile and syscall".into());
        }
        if self.provider == "fbt" && !Kind::ALL.into_iter().any(|kind| self.names(kind)) {
            return Some(format!(
                "the probes of the fbt provider are called entry and return, not {}",
                self.name
            ));
        }
        None
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            provider,
            module,
            function,
            name,
            id,
        } = self;
        match id {
            Some(id) => write!(f, "{id}"),
            None => write!(f, "{provider}:{module}:{function}:{name}"),
        }
    }
}

/// Whether a field matches one of our own words; the module matches functions.
fn matches(glob: &str, word: &str) -> bool {
    glob.is_empty() || Glob::new(glob).map_or(glob == word, |glob| glob.matches(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(field: Field, text: &str) -> String {
        let specs = Spec::parse_list(field, text).unwrap();
        assert_eq!(specs.len(), 1);
        specs[0].to_string()
    }

    #[test]
    fn fewer_fields_are_the_last_ones() {
        assert_eq!(
            one(Field::Name, "fbt::vfs_read:entry"),
            "fbt::vfs_read:entry"
        );
        assert_eq!(one(Field::Name, "ext4:ext4_*:entry"), ":ext4:ext4_*:entry");
        assert_eq!(one(Field::Name, "vfs_read:entry"), "::vfs_read:entry");
        assert_eq!(one(Field::Name, "entry"), ":::entry");
        assert_eq!(one(Field::Name, "fbt:::"), "fbt:::");
        assert_eq!(one(Field::Function, "vfs_read"), "::vfs_read:");
        assert_eq!(one(Field::Function, "ext4:ext4_*"), ":ext4:ext4_*:");
        assert_eq!(one(Field::Module, "ext4"), ":ext4::");
        assert_eq!(one(Field::Module, "fbt:ext4"), "fbt:ext4::");
        assert_eq!(one(Field::Provider, "fbt"), "fbt:::");
    }

    #[test]
    fn too_many_fields_are_refused() {
        assert_eq!(
            Spec::parse_list(Field::Function, "a:b:c:d").unwrap_err(),
            "invalid probe specifier a:b:c:d: invalid probe description \"a:b:c:d\": Overspecified \
             probe description"
        );
        assert!(Spec::parse_list(Field::Name, "a:b:c:d:e").is_err());
        assert!(Spec::parse_list(Field::Name, "::b:c:d:e").is_err());
    }

    #[test]
    fn a_colon_at_the_beginning_is_no_field() {
        assert_eq!(one(Field::Function, ":ext4::"), "ext4:::");
        assert_eq!(one(Field::Name, ":fbt:::return"), "fbt:::return");
        assert_eq!(one(Field::Name, ":vfs_read:entry"), "::vfs_read:entry");
        assert_eq!(one(Field::Name, ":"), ":::");
    }

    #[test]
    fn commas_separate_descriptions() {
        let specs = Spec::parse_list(Field::Name, "fbt::a:entry, fbt::b:return").unwrap();
        assert_eq!(specs.len(), 2);
        assert_eq!(specs[1].to_string(), "fbt::b:return");
    }

    #[test]
    fn globs_match_providers_and_names() {
        let spec = |text| Spec::parse_list(Field::Name, text).unwrap().remove(0);
        assert!(spec("fbt::x:").names(Kind::Entry) && spec("fbt::x:").names(Kind::Return));
        assert!(spec("f*::x:en*").names(Kind::Entry) && !spec("f*::x:en*").names(Kind::Return));
        assert!(spec("::x:[!e]*").names(Kind::Return));
        assert!(spec("syscall::read:entry").pattern(false).is_none());
        assert!(spec("[::x:entry").pattern(false).is_none());
    }

    #[test]
    fn what_there_is_not_gets_a_hint() {
        let hint = |text| Spec::parse_list(Field::Name, text).unwrap()[0].hint();
        assert_eq!(
            hint("io:::start").unwrap(),
            "the providers are dtrace, fbt, profile and syscall"
        );
        assert_eq!(
            hint("fbt:::vfs_read").unwrap(),
            "the probes of the fbt provider are called entry and return, not vfs_read"
        );
        assert_eq!(hint("fbt::nosuch:entry"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in ".{0,80}", field in 0..4_usize) {
            let field = [Field::Provider, Field::Module, Field::Function, Field::Name][field];
            if let Ok(specs) = Spec::parse_list(field, &text) {
                for spec in specs {
                    let _ = (spec.pattern(true), spec.hint());
                }
            }
        }

        #[test]
        fn a_full_description_reads_back_as_written(
            parts in proptest::array::uniform4("[a-z_*?0-9.]{0,8}"),
        ) {
            let text = parts.join(":");
            prop_assert_eq!(one(Field::Name, &text), text);
        }
    }
}
