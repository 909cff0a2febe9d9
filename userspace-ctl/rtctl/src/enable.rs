// SPDX-License-Identifier: GPL-2.0-only
//! From probe descriptions to probes of the session.

use anyhow::{Result, anyhow};
use rust_tracer::{Function, Kind, Session, abi};

use crate::speaker::Speaker;
use crate::spec::Spec;

/// How many functions that cannot be traced are named in an error.
const EXAMPLES: usize = 3;

/// Adds the probes of all descriptions, and says how many each matched. Unless
/// `zero` is set, one that matches nothing is an error.
pub fn enable(
    session: &Session,
    specs: &[(String, Spec)],
    zero: bool,
    says: &mut Speaker,
) -> Result<()> {
    let late = session.info().features & u64::from(abi::RTRACE_FEATURE_LATE) != 0;
    for (text, spec) in specs {
        let matched = match spec.pattern(late) {
            Some(pattern) => session.add(&pattern)?.matched,
            None => 0,
        };
        if matched == 0 && !zero {
            return Err(anyhow!(nothing(session, text, spec)));
        }
        let plural = if matched == 1 { "" } else { "s" };
        says.notice(&format!(
            "description '{text}' matched {matched} probe{plural}"
        ));
    }
    Ok(())
}

/// Why a description matches nothing.
fn nothing(session: &Session, text: &str, spec: &Spec) -> String {
    let mut message = format!(
        "invalid probe specifier {text}: probe description {spec} does not match any probes"
    );
    for line in advice(session, spec) {
        message += "\n  ";
        message += &line;
    }
    message
}

/// What to know about a description that matches nothing, a line each; often there is nothing to say.
pub fn advice(session: &Session, spec: &Spec) -> Vec<String> {
    let mut lines = untraceable(session, spec);
    lines.extend(spec.hint());
    lines
}

/// What the description would name if it could be traced.
fn untraceable(session: &Session, spec: &Spec) -> Vec<String> {
    if !Kind::ALL.into_iter().any(|kind| spec.names(kind)) {
        return Vec::new();
    }
    // What cannot be told is left out: this is advice, not the error.
    let functions = session.functions(&spec.query(true)).unwrap_or_default();
    let reason = |function: &Function| {
        let why = function.why.as_ref()?;
        let Function { module, name, .. } = function;
        Some(format!("fbt:{module}:{name}: cannot be traced: {why}"))
    };
    let reasons: Vec<_> = functions.iter().filter_map(reason).collect();
    let more = reasons.len().saturating_sub(EXAMPLES);
    let mut lines: Vec<_> = reasons.into_iter().take(EXAMPLES).collect();
    if more > 0 {
        lines.push(format!("and {more} more: rtctl -lv lists them"));
    }
    lines
}
