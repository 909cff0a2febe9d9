// SPDX-License-Identifier: GPL-2.0-only
//! From a compiled program to one that is loaded, with its probes added to the session.
//!
//! A clause is loaded once for each world that its descriptions name, under a group of its own, and
//! once more for a description that may name a probe which another one of them names: it runs for both.
//! The copies share their code. The parts of a clause with an `if` share its groups.

use anyhow::{Result, anyhow};
use d_compiler::ast;
use d_compiler::compiled::{Clause, Compiled};
use d_compiler::error::{Error as Wrong, Span};
use d_compiler::options::STRSIZE;
use d_output::aggregations::Function;
use rust_tracer::device::Program;
use rust_tracer::{Error, Session, abi};

use super::providers::{Named, Providers, World};
use crate::enable::advice;
use crate::spec::Spec;

/// The sizes that options set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Bytes of a string, NUL included.
    pub strsize: u32,
    /// Speculations at once.
    pub nspec: u32,
    /// Bytes of records of one, on a CPU.
    pub specsize: u64,
    /// Bytes of aggregations, on a CPU.
    pub aggsize: u64,
    /// Bytes of dynamic variables.
    pub dynvarsize: u64,
}

impl Default for Sizes {
    /// Those of DTrace.
    fn default() -> Self {
        Self {
            strsize: STRSIZE,
            nspec: 1,
            specsize: 32 << 10,
            aggsize: 4 << 20,
            dynvarsize: 1 << 20,
        }
    }
}

/// No room for one of what a buffer is for, as dtrace says it.
fn too_small(of: &str, option: &str) -> Failure {
    Failure::Module(anyhow!(
        "could not enable tracing: Enabling exceeds size of buffer: there is not room for one \
         {of} ({option})"
    ))
}

/// What the module knows a clause as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The clause's index in the compiled program.
    pub clause: usize,
    /// What its probes are.
    pub world: World,
}

/// What loading brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// By the index that records tell.
    pub clauses: Vec<Loaded>,
    /// For each of the program's clauses, as they are written: the probes that its descriptions matched.
    pub matched: Vec<u32>,
}

/// What is wrong with a program when it is loaded.
#[derive(Debug)]
pub enum Failure {
    /// Something in its text.
    Program(Wrong),
    /// The module's word.
    Module(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Module(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Module(error.into())
    }
}

/// What each description of a program's clauses names; nothing for those that go on with another's.
pub fn named(
    compiled: &Compiled,
    providers: &mut Providers<'_>,
) -> Result<Vec<Vec<Vec<Named>>>, Failure> {
    let mut clause = |clause: &Clause| {
        if clause.goes_on {
            return Ok(Vec::new());
        }
        let descriptions = clause.descriptions.iter();
        descriptions.map(|one| providers.named(one)).collect()
    };
    let all: Result<_> = compiled.clauses.iter().map(&mut clause).collect();
    Ok(all?)
}

/// What probes are added under: those of one copy of a clause.
struct Group<'a> {
    /// The clause's index in the compiled program; those that go on with it are of the group as well.
    clause: usize,
    world: World,
    named: Copied<'a>,
}

/// What a copy of a clause runs for: the index of the description, and what it names.
type Copied<'a> = Vec<(usize, &'a Named)>;

/// The copies of a clause, by what its descriptions name: none has a probe for two descriptions.
fn copies(named: &[Vec<Named>]) -> Vec<(World, Copied<'_>)> {
    let mut copies: Vec<(World, Copied<'_>)> = Vec::new();
    for (description, named) in named.iter().enumerate() {
        for named in named {
            let twice =
                |(of, other): &(usize, &Named)| *of != description && named.may_share(other);
            let free = copies
                .iter_mut()
                .find(|(world, of)| *world == named.world() && !of.iter().any(twice));
            match free {
                Some((_, of)) => of.push((description, named)),
                None => copies.push((named.world(), vec![(description, named)])),
            }
        }
    }
    copies
}

/// Loads the program, and adds the probes that its clauses name.
pub fn load(
    session: &Session,
    compiled: &Compiled,
    sizes: &Sizes,
    named: &[Vec<Vec<Named>>],
    zero: bool,
) -> Result<Load, Failure> {
    let mut clauses = Vec::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut first_of_clause = 0;
    let mut load = Load::default();
    for (index, (clause, named)) in compiled.clauses.iter().zip(named).enumerate() {
        if !clause.goes_on {
            first_of_clause = groups.len();
            groups.extend(copies(named).into_iter().map(|(world, named)| Group {
                clause: index,
                world,
                named,
            }));
        }
        for (group, &Group { world, .. }) in (1..).zip(&groups).skip(first_of_clause) {
            let mut flags = 0;
            if clause.default {
                flags |= abi::RTRACE_CLAUSE_DEFAULT;
            }
            if world == World::Syscall {
                flags |= abi::RTRACE_CLAUSE_SYSCALL;
            }
            clauses.push(abi::rtrace_clause {
                group,
                first: clause.first,
                count: clause.count,
                flags,
            });
            load.clauses.push(Loaded {
                clause: index,
                world,
            });
        }
    }
    let strsize = sizes.strsize;
    let variables: Vec<_> = compiled
        .variables
        .iter()
        .map(|variable| variable.loaded(strsize))
        .collect();
    let aggregations: Vec<_> = compiled
        .aggregations
        .iter()
        .map(|aggregation| aggregation.loaded(strsize))
        .collect();
    let all = compiled.aggregations.iter().zip(&aggregations);
    for (aggregation, loaded) in all {
        let words = Function::new(aggregation).map_or(0, |function| function.words() as u64);
        // The module needs a word for the entry, and one for all of them.
        if u64::from(loaded.keys) + 8 * (2 + words) > sizes.aggsize {
            let entry = format!("entry of @{}", aggregation.name);
            return Err(too_small(&entry, "aggsize"));
        }
    }
    let dynvars = match compiled.dynamic_variables(sizes.dynvarsize, strsize) {
        Some(0) => return Err(too_small("dynamic variable", "dynvarsize")),
        count => count.unwrap_or(0).try_into().unwrap_or(u32::MAX),
    };
    // One for each instruction, as the clauses lie one behind the other.
    let actions: Vec<u16> = compiled
        .clauses
        .iter()
        .flat_map(|clause| clause.action_of.iter().copied())
        .collect();
    let program = Program {
        code: &compiled.code,
        clauses: &clauses,
        constants: &compiled.constants,
        strings: &compiled.strings,
        variables: &variables,
        aggregations: &aggregations,
        actions: &actions,
    };
    let sizes = abi::rtrace_program {
        strsize,
        speculations: sizes.nspec,
        specsize: sizes.specsize,
        aggsize: sizes.aggsize,
        dynvarsize: sizes.dynvarsize,
        dynvars,
        ..Default::default()
    };
    session.load(&program, sizes).map_err(|(error, _)| error)?;
    let descriptions = compiled.clauses.iter().map(|clause| &clause.descriptions);
    let mut matched: Vec<_> = descriptions.map(|of| vec![0; of.len()]).collect();
    for (group, of) in (1..).zip(groups) {
        for (description, named) in of.named {
            matched[of.clause][description] += add(session, named, group)?;
        }
    }
    for (clause, matched) in compiled.clauses.iter().zip(&matched) {
        if clause.goes_on {
            continue;
        }
        let none = matched.iter().position(|matched| *matched == 0);
        if let (Some(none), false) = (none, zero) {
            let description = &clause.descriptions[none];
            return Err(Failure::Program(no_match(session, description)));
        }
        load.matched.resize(clause.number + 1, 0);
        load.matched[clause.number] += matched.iter().sum::<u32>();
    }
    Ok(load)
}

/// Refuses a program with a description that matches no probe, and enables nothing.
pub fn all_match(session: &Session, compiled: &Compiled) -> Result<(), Failure> {
    let mut providers = Providers::new(session, false);
    for description in compiled.clauses.iter().flat_map(|of| &of.descriptions) {
        if !providers.has(description)? {
            return Err(Failure::Program(no_match(session, description)));
        }
    }
    Ok(())
}

/// The first description before a mistake that matches no probe: dtrace looks for a clause's probes
/// before it looks at what the clause does. Nothing: the mistake is in no clause, or all match.
pub fn unmatched(
    session: &Session,
    program: &ast::Program,
    mistake: Span,
) -> Result<Option<Wrong>> {
    let clauses = program.items.iter().filter_map(|item| match item {
        ast::Item::Clause(clause) => Some(clause),
        _ => None,
    });
    let of = |clause: &&ast::Clause| {
        clause.span.start <= mistake.start && mistake.start < clause.span.end
    };
    let Some(wrong) = clauses.clone().find(of) else {
        return Ok(None);
    };
    let before = clauses.take_while(|clause| clause.span.end <= wrong.span.start);
    // For each further description dtrace would look at the clause once more.
    let descriptions = before
        .flat_map(|clause| &clause.descriptions)
        .chain(wrong.descriptions.first());
    let mut providers = Providers::new(session, false);
    for description in descriptions {
        if !providers.has(description)? {
            return Ok(Some(no_match(session, description)));
        }
    }
    Ok(None)
}

/// Adds probes to a group; returns how many there are.
fn add(session: &Session, named: &Named, group: u32) -> Result<u32> {
    Ok(match named {
        Named::Functions(pattern) => {
            let pattern = rust_tracer::Pattern {
                group,
                ..pattern.clone()
            };
            session.add(&pattern)?.matched
        }
        Named::Ids(ids) => session.add_ids_to(ids, group)?.matched,
        Named::Own { kind, name, period } => {
            session.add_own(*kind, name, *period, group)?;
            1
        }
    })
}

fn no_match(session: &Session, description: &d_compiler::ast::Description) -> Wrong {
    let d_compiler::ast::Description {
        provider,
        module,
        function,
        name,
        id,
        span,
    } = description;
    if let Some(id) = id {
        let why = format!("invalid probe identifier {id}: Unknown probe identifier");
        return Wrong::new("D_PDESC_INVAL", *span, why);
    }
    let mut message = format!(
        "probe description {provider}:{module}:{function}:{name} does not match any probes"
    );
    for line in advice(session, &Spec::of(description)) {
        message += "\n\t";
        message += &line;
    }
    Wrong::new("D_PDESC_ZERO", *span, message)
}

/// What cannot be loaded is told with its place in the text, or in the module's words.
impl Failure {
    /// The error, with the text's name and line if it is about the text.
    pub fn render(self, place: impl FnOnce(&Wrong) -> String) -> anyhow::Error {
        match self {
            Self::Program(wrong) => anyhow!(place(&wrong)),
            Self::Module(error) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use d_compiler::compile::compile;
    use d_compiler::macros::Macros;
    use d_compiler::options::Options as Compiling;
    use d_compiler::parse::parse;
    use d_compiler::types::Types;
    use rust_tracer::fake::{Fake, FakeFunction};
    use rust_tracer::{Kind, Pattern};

    use super::*;

    #[test]
    fn a_description_of_no_probe_is_told_before_mistakes_behind_it() {
        let fake: std::sync::Arc<Fake> = Fake::new(1, vec![FakeFunction::new("vfs_read")]);
        let session = Session::over(fake).unwrap();
        let told = |text: &str| {
            let program = parse(text, &Macros::default()).unwrap();
            let start = text.find("wrong").unwrap() as u32;
            let mistake = Span {
                start,
                end: start + 5,
            };
            let told = unmatched(&session, &program, mistake).unwrap();
            told.map(|wrong| (wrong.tag, wrong.span.start))
        };
        for text in [
            "BEGIN { trace(wrong); }",
            "fbt::vfs_read:entry { trace(wrong); }",
            "BEGIN { trace(wrong); } nix::: { }",
            "BEGIN,nix::: { trace(wrong); }",
            "nix::: { } int wrong;",
        ] {
            assert_eq!(told(text), None, "{text}");
        }
        for (text, start) in [
            ("nix::: { trace(wrong); }", 0),
            ("fbt::vfs_reed:entry / wrong / { }", 0),
            ("BEGIN,nix::: { } END { trace(wrong); }", 6),
        ] {
            assert_eq!(told(text), Some(("D_PDESC_ZERO", start)), "{text}");
        }
    }

    #[test]
    fn parts_of_a_clause_share_its_groups_and_it_is_counted_once() {
        let functions = ["vfs_read", "vfs_write"].map(FakeFunction::new);
        let fake: std::sync::Arc<Fake> = Fake::new(1, functions.to_vec());
        let session = Session::over(fake.clone()).unwrap();
        let text = "BEGIN { trace(1); if (pid) { trace(2); } else { trace(3); } }
                    BEGIN { trace(4); }
                    fbt::vfs_*:entry, fbt::vfs_read: / pid / { trace(5); if (tid) trace(6); }";
        let program = parse(text, &Macros::default()).unwrap();
        let compiled = compile(&program, &mut Types::new(None), &Compiling::default()).unwrap();
        let mut providers = Providers::new(&session, false);
        let named = named(&compiled, &mut providers).unwrap();
        let load = load(&session, &compiled, &Sizes::default(), &named, false).unwrap();
        assert_eq!(load.matched, [1, 1, 4]);
        let groups = fake.clauses().into_iter().map(|clause| clause.group);
        // The last has a condition, a run, a condition and a run, each for two descriptions that share a probe.
        let of_last = [[3, 4]; 4].concat();
        assert_eq!(
            groups.collect::<Vec<_>>(),
            [&[1; 5][..], &[2], &of_last].concat()
        );
    }

    /// Which descriptions each copy of a clause runs for.
    fn copied(named: &[Vec<Named>]) -> Vec<Vec<usize>> {
        let of = |copy: (World, Copied<'_>)| copy.1.iter().map(|(of, _)| *of).collect();
        copies(named).into_iter().map(of).collect()
    }

    fn functions(glob: &str) -> Vec<Named> {
        vec![Named::Functions(Pattern::function(glob))]
    }

    #[test]
    fn a_clause_runs_once_for_each_description_of_a_probe() {
        // dtrace-utils test/unittest/drops/drp.DTRACEDROP_SPECUNAVAIL.d
        let begin = || {
            vec![Named::Own {
                kind: Kind::Begin,
                name: "BEGIN".into(),
                period: 0,
            }]
        };
        assert_eq!(copied(&[begin(), begin(), begin()]), [[0], [1], [2]]);
        let ids = |ids: &[u32]| vec![Named::Ids(ids.to_vec())];
        assert_eq!(
            copied(&[ids(&[1, 2]), ids(&[3]), ids(&[2, 4])]),
            [vec![0, 1], vec![2]]
        );
        let entry = |glob: &str| {
            vec![Named::Functions(Pattern {
                ret: false,
                ..Pattern::function(glob)
            })]
        };
        let back = vec![Named::Functions(Pattern {
            entry: false,
            ..Pattern::function("vfs_read")
        })];
        assert_eq!(
            copied(&[entry("vfs_*"), entry("vfs_read"), back]),
            [vec![0, 2], vec![1]]
        );
    }

    #[test]
    fn descriptions_of_different_probes_share_a_copy() {
        let read = functions("vfs_read");
        assert_eq!(
            copied(&[read.clone(), functions("vfs_write"), functions("tcp_*")]),
            [[0, 1, 2]]
        );
        // One description, which names functions and system calls.
        let both = vec![read[0].clone(), Named::Ids(vec![7])];
        assert_eq!(
            copied(&[both, functions("vfs_write")]),
            [vec![0, 1], vec![0]]
        );
    }
}
