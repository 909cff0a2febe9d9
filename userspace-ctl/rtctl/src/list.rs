// SPDX-License-Identifier: GPL-2.0-only
//! `-l`: the probes there are, and with `-v` how they would be attached, their
//! functions' other names, and what cannot be traced and why.

use std::io::{self, Write};

use anyhow::Result;
use rust_tracer::{Function, Kind, Session, Way};
use serde_json::json;

use crate::cli::Format;
use crate::program::{Named, Providers, SYSCALL_IDS, always_id};
use crate::speaker::Speaker;
use crate::spec::Spec;

/// Lists what the descriptions name; none: everything. Returns whether each of
/// them named something.
pub fn list(
    session: &Session,
    specs: &[(String, Spec)],
    (format, verbose): (Format, bool),
    out: &mut impl Write,
    says: &mut Speaker,
) -> Result<bool> {
    let everything = [(String::new(), Spec::default())];
    let specs = if specs.is_empty() { &everything } else { specs };
    let mut all = true;
    if format == Format::Text {
        write!(
            out,
            "   ID   PROVIDER            MODULE                          FUNCTION NAME"
        )?;
        writeln!(out, "{}", if verbose { "   WAY    NOTES" } else { "" })?;
    }
    let mut providers = Providers::new(session, false);
    for (_, spec) in specs {
        let mut found = false;
        for named in providers.named(&spec.description())? {
            if let Named::Own { kind, name, .. } = named {
                found = true;
                // Others come to be when they are enabled.
                let id = always_id(kind).map_or("-".to_owned(), |id| id.to_string());
                let line = Line {
                    id: &id,
                    provider: kind.provider(),
                    module: "",
                    function: "",
                    name: &name,
                };
                line.write(out, format)?;
            }
        }
        if Kind::ALL.into_iter().any(|kind| spec.names(kind)) {
            let query = spec.query(verbose);
            for function in session.functions(&query)? {
                match format {
                    Format::Text => found |= text(out, spec, &function, verbose)?,
                    Format::Json => found |= json(out, spec, &function)?,
                }
            }
        }
        for named in providers.named(&spec.description())? {
            let Named::Ids(ids) = named else { continue };
            found = true;
            let calls = providers.syscalls()?;
            for (call, kind) in calls
                .iter()
                .flat_map(|call| Kind::ALL.map(|kind| (call, kind)))
            {
                let Some(id) = call.function.probe_id(kind).filter(|id| ids.contains(id)) else {
                    continue;
                };
                let line = Line {
                    id: &(SYSCALL_IDS + id).to_string(),
                    provider: "syscall",
                    module: &call.function.module,
                    function: &call.name,
                    name: kind.name(),
                };
                line.write(out, format)?;
            }
        }
        if !found {
            all = false;
            let hint = spec
                .hint()
                .map_or(String::new(), |hint| format!("\n  {hint}"));
            says.error(&format!(
                "failed to match {spec}: No probe matches description{hint}"
            ));
        }
    }
    Ok(all)
}

/// A probe that is none of fbt's.
struct Line<'a> {
    id: &'a str,
    provider: &'a str,
    module: &'a str,
    function: &'a str,
    name: &'a str,
}

impl Line<'_> {
    fn write(&self, out: &mut impl Write, format: Format) -> io::Result<()> {
        let Self {
            id,
            provider,
            module,
            function,
            name,
        } = self;
        match format {
            Format::Text => writeln!(
                out,
                "{id:>5} {provider:>10} {module:>17} {function:>33} {name}"
            ),
            Format::Json => {
                let object = json!({
                    "kind": "probe", "id": id.parse::<u32>().ok(), "provider": provider,
                    "module": module, "function": function, "name": name,
                });
                writeln!(out, "{object}")
            }
        }
    }
}

fn text(out: &mut impl Write, spec: &Spec, function: &Function, verbose: bool) -> io::Result<bool> {
    let Function { module, name, .. } = function;
    let mut found = false;
    for (id, kind) in spec.probes(function) {
        found = true;
        let kind_name = kind.name();
        write!(out, "{id:5} {:>10} {module:>17} {name:>33} ", "fbt")?;
        if !verbose {
            writeln!(out, "{kind_name}")?;
            continue;
        }
        let way = function.way(kind);
        let mut notes = Vec::from_iter(way.why_not_better().map(str::to_owned));
        if !function.aliases.is_empty() {
            notes.push(format!("also named {}", function.aliases.join(" ")));
        }
        if notes.is_empty() {
            writeln!(out, "{kind_name:<6} {way}")?;
        } else {
            writeln!(out, "{kind_name:<6} {way:<6} {}", notes.join("; "))?;
        }
    }
    if verbose && !found {
        if let Some(why) = function.why {
            found = true;
            let way = Way::None;
            writeln!(
                out,
                "{:>5} {:>10} {module:>17} {name:>33} {:<6} {way:<6} {why}",
                "-", "fbt", "-"
            )?;
        }
    }
    Ok(found)
}

fn json(out: &mut impl Write, spec: &Spec, function: &Function) -> io::Result<bool> {
    let mut found = false;
    for (id, kind) in spec.probes(function) {
        found = true;
        let way = function.way(kind);
        let mut object = json!({
            "kind": "probe", "id": id, "provider": "fbt", "module": function.module,
            "function": function.name, "name": kind.name(), "way": way.to_string(),
        });
        if let Some(why) = way.why_not_better() {
            object["why_not_better"] = why.into();
        }
        if !function.aliases.is_empty() {
            object["aliases"] = function.aliases.clone().into();
        }
        writeln!(out, "{object}")?;
    }
    if let (false, Some(why)) = (found, function.why) {
        found = true;
        let object = json!({
            "kind": "untraceable", "provider": "fbt", "module": function.module,
            "function": function.name, "why": why.to_string(),
        });
        writeln!(out, "{object}")?;
    }
    Ok(found)
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
