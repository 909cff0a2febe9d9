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
    assert_eq!(
        program("aggrate=10hz").aggrate,
        Some(Duration::from_millis(100))
    );
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
    for text in [
        "aggpercpu",
        "bpflog",
        "bpflog=no",
        "bpflogsize",
        "bpflogsize=1m",
        "btfpath=/a",
        "cleanrate",
        "cleanrate=101hz",
        "core",
        "debug",
        "debugassert=mutexes",
        "disasm=1",
        "dofstashpath=/a",
        "errtags",
        "evaltime=main",
        "iregs=8",
        "jstackstrsize",
        "kdefs",
        "knodefs",
        "late=static",
        "lazyload",
        "lazyload=1",
        "ldpath=/a",
        "linkmode=kernel",
        "linknommap",
        "linktype=DOF",
        "lockmem=unlimited",
        "nusdtprobes",
        "nusdtprobes=64",
        "pcapsize=0",
        "pgmax=0x10",
        "preallocate=100t",
        "quietresize=yes",
        "statusrate=10",
        "stdc=t",
        "strip",
        "syslibdir=/a",
        "sysslice=system.slice",
        "udefs",
        "unodefs",
        "useruid=500",
    ] {
        assert_eq!(set(text).unwrap(), Options::default(), "{text}");
    }
    // None is left out above.
    for (name, _) in anyway::ANYWAY {
        assert_ne!(
            set(name),
            Err(format!("failed to set -x {name}: {BAD_NAME}"))
        );
    }
}

#[test]
fn options_that_change_nothing_take_what_libdtrace_takes() {
    // dtrace-utils libdtrace/dt_options.c
    for text in [
        "aggpercpu=1",
        "bpflog=perhaps",
        "bpflogsize=large",
        "btfpath",
        "cleanrate=often",
        "core=1",
        "debug=1",
        "debugassert",
        "debugassert=all",
        "disasm",
        "dofstashpath",
        "errtags=1",
        "evaltime",
        "evaltime=later",
        "jstackstrsize=-1",
        "kdefs=1",
        "knodefs=1",
        "late",
        "late=lazy",
        "ldpath",
        "linkmode",
        "linkmode=Kernel",
        "linktype=coff",
        "lockmem",
        "nusdtprobes=-1",
        "preallocate",
        "quietresize=perhaps",
        "statusrate=5x",
        "strip=1",
        "syslibdir",
        "sysslice",
        "udefs=1",
        "unodefs=1",
        "useruid",
    ] {
        assert!(set(text).unwrap_err().contains(BAD_VALUE), "{text}");
    }
}

#[test]
fn flags_take_no_value() {
    for name in [
        "argref",
        "cpp",
        "cpphdrs",
        "defaultargs",
        "empty",
        "nolibs",
        "pspec",
        "verbose",
        "zdefs",
    ] {
        assert_ne!(set(name).unwrap(), Options::default(), "{name}");
        for value in ["", "1", "no"] {
            let why = set(&format!("{name}={value}")).unwrap_err();
            assert!(why.contains(BAD_VALUE), "{name}={value}");
        }
    }
    let mut options = Options::default();
    // Where setopt() says no value, it says "1".
    assert_eq!(
        options.set_tracing("zdefs", Some("1")).unwrap_err(),
        BAD_VALUE
    );
}

#[test]
fn sizes_numbers_and_rates_without_a_value_are_0() {
    let program = |text| set(text).unwrap().program;
    assert_eq!(program("aggsize").sizes.aggsize, 0);
    assert_eq!(program("specsize").sizes.specsize, 0);
    assert_eq!(program("dynvarsize").sizes.dynvarsize, 0);
    assert_eq!(program("nspec").sizes.nspec, 0);
    assert_eq!(program("scratchsize").scratchsize, 0);
    assert_eq!(program("cpu").cpu, Some(0));
    assert_eq!(program("stackindent").output.stackindent, 0);
    // There is no oftener.
    let least = Duration::from_millis(1);
    assert_eq!(program("aggrate").aggrate, Some(least));
    assert_eq!(set("switchrate").unwrap().switchrate, Some(least));
    for none in ["bufsize", "strsize", "stackframes"] {
        assert!(set(none).unwrap_err().contains(BAD_VALUE), "{none}");
    }
}

#[test]
fn stacks_have_no_more_frames_than_the_kernel_gives() {
    assert_eq!(frames(Some("127"), 127), Ok(127));
    assert_eq!(frames(Some("0x10"), 127), Ok(16));
    assert!(frames(None, 127).is_err());
    for bad in ["0", "128", "4k", "many"] {
        assert_eq!(frames(Some(bad), 127), Err(BAD_VALUE.into()), "{bad}");
    }
    for name in ["stackframes", "ustackframes", "jstackframes", "maxframes"] {
        let most = frames_most();
        assert!(set(&format!("{name}={most}")).is_ok(), "{name}");
        let beyond = format!("{name}={}", u64::from(most) + 1);
        assert!(set(&beyond).unwrap_err().contains(BAD_VALUE), "{beyond}");
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
    assert_eq!(options.program.aggrate, Some(Duration::from_millis(100)));
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
        set("grabanon").unwrap_err(),
        "failed to set -x grabanon: it is about a part of DTrace that rtctl does not have: leave it out"
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
        let _ = (size(&text), switch(Some(&text)));
    }
}

#[test]
fn what_the_preprocessor_is_told_is_kept_in_order() {
    let flags = |text| set(text).unwrap().program.cppflags;
    let other = |word: &str| Define::Other(word.into());
    assert_eq!(flags("cppargs=-H  -dM"), [other("-H"), other("-dM")]);
    assert_eq!(flags("cpphdrs"), [Define::Headers]);
    assert_eq!(flags("incdir=/a"), [Define::Include("/a".into())]);
}

#[test]
fn a_version_of_d_can_only_be_lowered() {
    let mut options = Options::default();
    for (text, why) in [
        ("version", BAD_VALUE),
        ("version=1", BAD_VERSION),
        ("version=1.7", NO_VERSION),
    ] {
        let refused = options.set(text).unwrap_err();
        assert!(refused.ends_with(why), "{text}: {refused}");
    }
    assert_eq!(options.set("version=1.2"), Ok(()));
    assert_eq!(options.set("version=1.0"), Ok(()));
    assert!(
        options
            .set("version=1.1")
            .unwrap_err()
            .ends_with(VERSION_REDUCED)
    );
}

#[test]
fn c_before_the_standard_does_not_say_that_it_follows_it() {
    let flags = |letter: &str| {
        let mut options = Options::default();
        options.set(&format!("stdc={letter}")).unwrap();
        options.program.cppflags
    };
    assert_eq!(flags("s"), [Define::Undefine("__STDC__".into())]);
    for letter in ["a", "c", "t"] {
        assert_eq!(flags(letter), [], "{letter}");
    }
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
        ("btfpath", "/a"),
        ("lockmem", "unlimited"),
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
