// SPDX-License-Identifier: GPL-2.0-only
use super::report::Report;
use super::*;

fn finding(key: &str, certain: bool) -> Finding {
    Finding {
        key: key.into(),
        what: format!("what {key} is"),
        certain,
        ..Finding::default()
    }
}

fn found(keys: &[(&str, bool)]) -> Outcome {
    Ok(Report {
        looked: "things".into(),
        findings: keys.iter().map(|(key, it)| finding(key, *it)).collect(),
    })
}

fn keys(outcome: &Outcome) -> Vec<&str> {
    let findings = &outcome.as_ref().unwrap().findings;
    findings
        .iter()
        .map(|finding| finding.key.as_str())
        .collect()
}

#[test]
fn checks_are_chosen_by_name_and_number_in_their_order() {
    let choose = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        super::choose(&names).map(|chosen| chosen.iter().map(|it| it.number).collect::<Vec<_>>())
    };
    assert_eq!(choose(&[]).unwrap(), Vec::from_iter(1..=13));
    assert_eq!(choose(&["text", "3", "5"]).unwrap(), [3, 5]);
    assert_eq!(choose(&["hunters"]).unwrap(), [13]);
    let why = choose(&["nothing"]).unwrap_err().to_string();
    assert!(why.starts_with("there is no check nothing: there are callers, stacks"));
}

#[test]
fn what_is_not_found_again_was_a_change_of_that_moment() {
    let mut outcome = found(&[("a", false), ("b", false), ("c", true)]);
    assert!(is_open(&outcome));
    settle(
        &mut outcome,
        found(&[("b", false), ("d", false), ("e", true)]),
    );
    assert_eq!(keys(&outcome), ["b", "c", "e"]);
    settle(&mut outcome, found(&[]));
    assert_eq!(keys(&outcome), ["c", "e"]);
    assert!(!is_open(&outcome));
}

#[test]
fn a_look_that_fails_takes_nothing_back() {
    let mut outcome = found(&[("a", false)]);
    settle(&mut outcome, Err("refused".into()));
    assert_eq!(keys(&outcome), ["a"]);
}

fn printed(outcomes: &[Outcome], checks: &[&Check]) -> String {
    let mut out = Vec::new();
    print(checks, outcomes, false, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_clean_kernel_is_twelve_lines() {
    let checks: Vec<_> = CHECKS.iter().collect();
    let outcomes: Vec<_> = checks.iter().map(|_| found(&[])).collect();
    let text = printed(&outcomes, &checks);
    assert_eq!(text.lines().count(), 12);
    assert!(text.starts_with("ok  1 callers    things\n"));
    assert!(text.ends_with("ok 12 canary     things\n"));
    assert_eq!(status(&outcomes), CLEAN);
}

#[test]
fn the_rule_has_a_line_if_it_found_something_or_was_asked_for() {
    let checks: Vec<_> = CHECKS.iter().collect();
    let mut outcomes: Vec<_> = checks.iter().map(|_| found(&[])).collect();
    outcomes[12] = found(&[("x", true)]);
    let text = printed(&outcomes, &checks);
    assert!(text.contains("!! 13 hunters    things\n     what x is\n"));
    assert_eq!(
        printed(&[found(&[])], &checks[12..]),
        "ok 13 hunters    things\n"
    );
}

#[test]
fn findings_outweigh_what_could_not_be_checked() {
    let unknown: Outcome = Err("why".into());
    assert_eq!(status(&[found(&[]), unknown.clone()]), UNKNOWN);
    assert_eq!(status(&[found(&[("a", true)]), unknown]), FINDINGS);
}

#[test]
fn watching_tells_each_finding_once_and_that_it_went() {
    let checks: Vec<_> = CHECKS.iter().skip(2).take(1).collect();
    let mut known = BTreeMap::new();
    let mut told_of = |outcome: Outcome, looked, as_json| {
        let mut out = Vec::new();
        tell(
            &checks,
            &[outcome],
            (1.5, looked),
            as_json,
            &mut known,
            &mut out,
        )
        .unwrap();
        String::from_utf8(out).unwrap()
    };
    let mut told = |outcome, as_json| told_of(outcome, Looked::Wholly, as_json);
    let first = told(found(&[("a", true)]), false);
    assert_eq!(first, "!!  3 modules    after 1.5 s\n     what a is\n");
    assert_eq!(told(found(&[("a", true)]), false), "");
    let gone = told(found(&[]), false);
    assert!(gone.contains("not seen any more: what a is"));
    let line: serde_json::Value = serde_json::from_str(&told(found(&[("a", true)]), true)).unwrap();
    assert_eq!(line["kind"], "finding");
    assert_eq!(
        (&line["check"], &line["number"]),
        (&"modules".into(), &3.into())
    );
    // What was not looked at to the end has not gone.
    assert_eq!(told_of(found(&[]), Looked::InPart, false), "");
}

#[test]
fn who_asks_for_the_end_is_told_what_is_certain_alone() {
    let mut outcome = found(&[("a", true), ("b", false)]);
    cut_short(&mut outcome);
    assert_eq!(keys(&outcome), ["a"]);
    let mut outcome = found(&[("b", false)]);
    cut_short(&mut outcome);
    assert_eq!(status(&[outcome]), UNKNOWN);
}

#[test]
fn times_have_units() {
    assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
    assert_eq!(time("5s"), Ok(Duration::from_secs(5)));
    assert_eq!(time("2m"), Ok(Duration::from_secs(120)));
    for wrong in ["", "s", "5h", "-1s", "99999999999999999999m"] {
        assert!(time(wrong).is_err(), "{wrong}");
    }
}
