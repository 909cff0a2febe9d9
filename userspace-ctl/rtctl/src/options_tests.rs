// SPDX-License-Identifier: GPL-2.0-only
//! Tests of options: names, values, when they may be set.

use proptest::prelude::*;

use super::*;

fn set(text: &str) -> Result<Options, String> {
    let mut options = Options::default();
    options.set(text).map(|()| options)
}

#[test]
fn sizes_are_shown_in_their_largest_unit() {
    assert_eq!(show_size(4 << 20), "4m");
    assert_eq!(show_size(1536), "1536");
    assert_eq!(show_size(0), "0");
}

#[test]
fn rates_are_times_or_frequencies() {
    assert_eq!(rate("10hz"), Some(Duration::from_millis(100)));
    assert_eq!(rate("10"), Some(Duration::from_millis(100)));
    assert_eq!(rate("50ms"), Some(Duration::from_millis(50)));
    assert_eq!(rate("2s"), Some(Duration::from_secs(2)));
    assert_eq!(rate("2Sec"), Some(Duration::from_secs(2)));
    assert_eq!(rate("10HZ"), Some(Duration::from_millis(100)));
    for bad in ["0", "0hz", "0s", "", "hz", "1.5s", "5x", "-1s"] {
        assert_eq!(rate(bad), None, "{bad}");
    }
}

#[test]
fn options_are_set_by_dtraces_names() {
    assert_eq!(set("bufsize=1m").unwrap().bufsize, 1 << 20);
    for none in ["specsize=0", "aggsize=0", "dynvarsize=0"] {
        assert!(set(none).is_ok(), "{none}");
    }
    assert!(set("bufsize=0").is_err());
    assert_eq!(set("bufpolicy=ring").unwrap().bufpolicy, Policy::Ring);
    assert!(!set("bufresize=manual").unwrap().bufresize);
    assert_eq!(set("frames=100").unwrap().frames, 100);
    assert!(set("quiet").unwrap().quiet);
    assert!(set("flowindent=on").unwrap().flowindent);
    assert!(set("rawaddr").unwrap().rawaddr);
    assert_eq!(set("publish=a.1").unwrap().publish.as_deref(), Some("a.1"));
    assert!(set("publish=").is_err() && set("publish").is_err());
    let environment = |text| set(text).unwrap().environment;
    assert_eq!(
        environment("setenv=A=b=c"),
        [("A".into(), Some("b=c".into()))]
    );
    assert_eq!(environment("unsetenv=A"), [("A".into(), None)]);
    for bad in [
        "setenv",
        "setenv=A",
        "setenv==b",
        "unsetenv",
        "unsetenv=A=b",
    ] {
        assert!(set(bad).is_err(), "{bad}");
    }
    let program = |text| set(text).unwrap().program;
    assert_eq!(program("strsize=8").output.strsize, 8);
    assert_eq!(program("scratchsize=1k").scratchsize, 1024);
    assert_eq!(program("jstackframes=5").jstackframes, 5);
    assert!(program("destructive").destructive);
}

#[test]
fn probes_are_attached_by_ways_that_are_named() {
    let ways = |text| set(text).unwrap().ways;
    let all_but_stub = (1 << abi::RTRACE_WAY_OPS) | (1 << abi::RTRACE_WAY_FPROBE);
    assert_eq!(Options::default().ways, 0);
    assert_eq!(ways("attach=auto"), 0);
    // An entry needs the one and a return the other, whichever is named.
    assert_eq!(ways("attach=ops"), all_but_stub);
    assert_eq!(ways("attach=fprobe"), all_but_stub);
    assert_eq!(
        ways("attach=shared"),
        all_but_stub | (1 << abi::RTRACE_WAY_STUB)
    );
    // Slots are few, so it takes the others as well.
    assert_eq!(
        ways("attach=slot"),
        ways("attach=shared") | (1 << abi::RTRACE_WAY_SLOT)
    );
    let mut options = Options::default();
    options.set("attach=ops").unwrap();
    options.set("attach=auto").unwrap();
    assert_eq!(options.ways, 0, "the last one counts");
    for bad in [
        "attach",
        "attach=",
        "attach=none",
        "attach=Stub",
        "attach=ops,fprobe",
    ] {
        assert!(set(bad).unwrap_err().contains(BAD_VALUE), "{bad}");
    }
}

#[test]
fn options_that_change_nothing_are_taken_all_the_same() {
    for option in ANYWAY {
        assert_eq!(set(option).unwrap(), Options::default(), "{option}");
    }
    for text in ["preallocate=100t", "iregs=8", "stdc=t", "pgmax=0x10"] {
        assert_eq!(set(text).unwrap(), Options::default(), "{text}");
    }
}

#[test]
fn values_out_of_range_are_refused() {
    for text in [
        "strsize=1",
        "strsize=4097",
        "scratchsize=16385",
        "iregs=9",
        "stdc=x",
        "preallocate=-1",
        "stackframes=-1",
    ] {
        assert!(set(text).unwrap_err().contains(BAD_VALUE), "{text}");
    }
}

#[test]
fn some_options_are_not_set_while_a_program_traces() {
    // dtrace-utils test/unittest/actions/setopt/tst.badopt.r
    let mut options = Options::default();
    let mut tracing = |name, value| options.set_tracing(name, Some(value));
    assert_eq!(tracing("bufsize", "1m").unwrap_err(), TOO_LATE);
    assert_eq!(tracing("attach", "ops").unwrap_err(), TOO_LATE);
    assert_eq!(tracing("Nixon", "1").unwrap_err(), BAD_NAME);
    assert_eq!(tracing("aggrate", "0.5hz").unwrap_err(), BAD_VALUE);
    assert_eq!(tracing("aggrate", "10hz"), Ok(()));
    assert_eq!(options.program.aggrate, Duration::from_millis(100));
}

#[test]
fn an_observer_sets_only_how_records_are_printed() {
    let mut options = Options::default();
    options.set_printing("rawaddr").unwrap();
    options.set_printing("switchrate=2s").unwrap();
    assert!(options.rawaddr);
    assert_eq!(
        options.set_printing("bufsize=1m").unwrap_err(),
        "failed to set -x bufsize: it is for who records, not for observers"
    );
    assert_eq!(
        options.set_printing("nosuch").unwrap_err(),
        "failed to set -x nosuch: Invalid option name"
    );
}

#[test]
fn what_is_wrong_with_an_option_is_told() {
    assert_eq!(
        set("nosuch").unwrap_err(),
        "failed to set -x nosuch: Invalid option name"
    );
    assert_eq!(
        set("bufpolicy=best").unwrap_err(),
        "failed to set -x bufpolicy: Invalid value for specified option"
    );
    assert_eq!(
        set("bufsize").unwrap_err(),
        "failed to set -x bufsize: Invalid value for specified option"
    );
    assert_eq!(
        set("evaltime=main").unwrap_err(),
        "failed to set -x evaltime: it is about a part of DTrace that rtctl does not have: leave it out"
    );
    let mut options = Options::default();
    assert_eq!(
        options.set_bufsize("much").unwrap_err(),
        "failed to set -b much: Invalid value for specified option"
    );
}

proptest! {
    #[test]
    fn any_text_is_an_option_or_refused(text in ".{0,40}") {
        let _ = Options::default().set(&text);
        let _ = (size(&text), rate(&text), switch(Some(&text)));
    }
}

#[test]
fn what_the_preprocessor_is_told_is_kept_in_order() {
    let flags = |text| set(text).unwrap().program.cppflags;
    let other = |word: &str| Define::Other(word.into());
    assert_eq!(flags("cppargs=-H  -dM"), [other("-H"), other("-dM")]);
    assert_eq!(flags("cpphdrs"), [Define::Headers]);
    assert_eq!(flags("cpphdrs=no"), []);
    assert_eq!(flags("incdir=/a"), [Define::Include("/a".into())]);
}

#[test]
fn what_is_done_before_a_program_is_read_is_not_for_its_text() {
    let mut options = Options::default();
    for (name, value) in [
        ("cpppath", "cpp"),
        ("define", "A=b"),
        ("setenv", "A=b"),
        ("stdc", "a"),
        ("ldpath", "ld"),
    ] {
        assert!(options.set(&format!("{name}={value}")).is_ok(), "{name}");
        assert!(options.set_pragma(name, Some(value)).is_err(), "{name}");
    }
    assert_eq!(options.set_pragma("cpu", Some("3")), Ok(()));
    assert_eq!(options.program.cpu, Some(3));
}

#[test]
fn the_environment_sets_options() {
    let variables = [
        ("DTRACE_OPT_STRSIZE", "8"),
        ("DTRACE_OPT_QUIET", "1"),
        ("DTRACE_OPT_BUFSIZE", "much"),
        ("DTRACE_OPT_NIXON", "1"),
        ("QUIET", "0"),
    ];
    let variables = variables.map(|(name, value)| (name.into(), value.into()));
    let options = Options::of_environment(variables.into_iter());
    assert!(options.quiet);
    assert_eq!((options.program.sizes.strsize, options.bufsize), (8, 0));
}
