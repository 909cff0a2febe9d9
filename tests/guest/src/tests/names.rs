// SPDX-License-Identifier: GPL-2.0-only
//! Which functions there are, and which of them a description names.

use std::collections::BTreeMap;
use std::fs;

use rust_tracer::abi;
use rustix::io::Errno;

use crate::guest;
use crate::options::Options;
use crate::session::{Command, Session};
use crate::target::{Late, Target};
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::Trace;

group! { "names":
    "every name of a function reaches the same function" => aliases,
    "the names of a system call's function are one function, whichever is asked for" => kernel_aliases,
    "a probe added by one name and again by another is added once" => alias_twice,
    "a star matches any text, a question mark one character, a bracket its set" => globs,
    "a backslash takes the next character as it is" => quoting,
    "an empty field matches everything" => empty_fields,
    "a description that matches nothing is no error and adds nothing" => no_match,
    "a probe that the session has is matched but not added again" => duplicates,
    "probes can be added by the ids of the list" => by_ids,
    "an unknown id adds none of the request's probes" => unknown_ids,
    "the list is the same through a small buffer and a large one" => small_buffer,
    "a buffer too small for one entry is refused" => tiny_buffer,
    "the list is that of available_filter_functions" => same_as_ftrace,
    "what cannot be traced is listed with a reason, what can be has ids" => reasons,
    "a module that loads changes the generation, and its functions are listed until it goes" => generation,
    "the probes of a session are listed in the order of their index, each with a way" => probes,
}

/// The functions that a pattern names, as `module:name`.
fn names(session: &Session, pattern: &str) -> Outcome<Vec<String>> {
    let mut names: Vec<String> = session
        .functions(pattern, 0, 1 << 16)?
        .into_iter()
        .map(|function| format!("{}:{}", function.module, function.name))
        .collect();
    names.sort();
    Ok(names)
}

fn aliases(_: &Options) -> Outcome {
    let session = Session::open()?;
    let one = session.functions("rt_target:rt_named", abi::RTRACE_FUNCTIONS_ALIASES, 1 << 16)?;
    let other = session.functions("rt_target:rt_other_name", 0, 1 << 16)?;
    check_eq!((one.len(), other.len()), (1, 1));
    check_eq!(one[0].head.function, other[0].head.function);
    check_eq!(one[0].head.entry_id, other[0].head.entry_id);
    check_eq!(one[0].name, "rt_named", "the name that matched");
    check_eq!(other[0].name, "rt_other_name", "the name that matched");
    check_eq!(one[0].aliases, ["rt_other_name"]);
    let added = session.add("rt_target:rt_other_name", abi::RTRACE_PROBE_ENTRY)?;
    check_eq!((added.matched, added.added), (1, 1));
    session.start()?;
    let trace = Trace::of(session)?;
    Target::open()?.run("named 10")?;
    check_eq!(trace.finish()?.entries("rt_other_name")?.len(), 10);
    Ok(())
}

fn kernel_aliases(_: &Options) -> Outcome {
    let session = Session::open()?;
    let found = session.functions(
        "vmlinux:__x64_sys_getppid",
        abi::RTRACE_FUNCTIONS_ALIASES,
        1 << 16,
    )?;
    check_eq!(found.len(), 1);
    check!(
        !found[0].aliases.is_empty(),
        "{:?} has one name only",
        found[0]
    );
    for alias in &found[0].aliases {
        let same = session.functions(&format!("vmlinux:{alias}"), 0, 1 << 16)?;
        check_eq!(same.len(), 1, "functions named {alias}");
        check_eq!(
            same[0].head.function,
            found[0].head.function,
            "the function {alias}"
        );
    }
    // The last of the names, which need not be the one that ftrace knows.
    let name = found[0].aliases.last().ok_or_else(|| fail("no alias"))?;
    session.add(&format!("vmlinux:{name}"), abi::RTRACE_PROBE_ENTRY)?;
    session.start()?;
    let trace = Trace::of(session)?;
    for _ in 0..3 {
        let _ = std::os::unix::process::parent_id();
    }
    let finished = trace.finish()?;
    let mut entries = finished.entries(name)?;
    entries.retain(|event| event.pid == std::process::id());
    check_eq!(entries.len(), 3, "calls of getppid(2) seen as {name}");
    Ok(())
}

fn alias_twice(_: &Options) -> Outcome {
    let session = Session::open()?;
    let first = session.add("rt_target:rt_named", abi::RTRACE_PROBE_RETURN)?;
    let second = session.add("rt_target:rt_other_name", abi::RTRACE_PROBE_RETURN)?;
    check_eq!((first.added, second.matched, second.added), (1, 1, 0));
    Ok(())
}

fn globs(_: &Options) -> Outcome {
    let session = Session::open()?;
    check_eq!(
        names(&session, "rt_target:rt_tail_*")?,
        ["rt_target:rt_tail_inner", "rt_target:rt_tail_outer"]
    );
    check_eq!(
        names(&session, "rt_target:*tail_i*")?,
        ["rt_target:rt_tail_inner"]
    );
    check_eq!(names(&session, "rt_t*:rt_pl?in")?, ["rt_target:rt_plain"]);
    check_eq!(
        names(&session, "rt_target:rt_[nv]??")?,
        ["rt_target:rt_nmi"]
    );
    check_eq!(
        names(&session, "rt_target:rt_[a-e]i*")?,
        ["rt_target:rt_die"],
        "a range"
    );
    check_eq!(
        names(&session, "rt_target:rt_[!a-mo-z]*")?,
        ["rt_target:rt_named", "rt_target:rt_nmi"],
        "a set of what is not meant"
    );
    check_eq!(names(&session, "rt_target:rt_plain?")?, [""; 0]);
    Ok(())
}

fn quoting(_: &Options) -> Outcome {
    let session = Session::open()?;
    check_eq!(
        names(&session, "rt_target:rt_\\plain")?,
        ["rt_target:rt_plain"]
    );
    check_eq!(names(&session, "rt_target:rt_\\*")?, [""; 0]);
    check_eq!(names(&session, "rt_target:rt_\\?lain")?, [""; 0]);
    Ok(())
}

fn empty_fields(_: &Options) -> Outcome {
    let session = Session::open()?;
    check_eq!(
        names(&session, ":rt_tail_inner")?,
        ["rt_target:rt_tail_inner"]
    );
    let module = names(&session, "rt_target:")?;
    check_eq!(module, names(&session, "rt_target:*")?);
    check!(
        module.len() > 16,
        "only {} functions in rt_target",
        module.len()
    );
    let everything = session.functions(":", 0, 1 << 20)?.len();
    check_eq!(
        everything,
        session.info()?.functions as usize,
        "all functions"
    );
    Ok(())
}

fn no_match(_: &Options) -> Outcome {
    let session = Session::open()?;
    for pattern in [
        "rt_target:rt_there_is_none",
        "no_such_module:*",
        "vmlinux:rt_plain",
    ] {
        let added = session.add(pattern, abi::RTRACE_PROBE_ENTRY | abi::RTRACE_PROBE_RETURN)?;
        check_eq!((added.matched, added.added), (0, 0), "{pattern}");
    }
    check_eq!(session.status()?.probes, 0);
    Ok(())
}

fn duplicates(_: &Options) -> Outcome {
    let session = Session::open()?;
    let both = abi::RTRACE_PROBE_ENTRY | abi::RTRACE_PROBE_RETURN;
    let first = session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
    let second = session.add("rt_target:rt_plain", both)?;
    let third = session.add("rt_target:rt_pla?n", both)?;
    check_eq!((first.matched, first.added), (1, 1));
    check_eq!((second.matched, second.added), (2, 1));
    check_eq!((third.matched, third.added), (2, 0));
    check_eq!(session.status()?.probes, 2);
    Ok(())
}

fn by_ids(_: &Options) -> Outcome {
    let session = Session::open()?;
    let found = session.functions("rt_target:rt_plain", 0, 1 << 16)?;
    let head = found.first().ok_or_else(|| fail("no rt_plain"))?.head;
    let added = session.add_ids(&[head.entry_id, head.return_id])?;
    check_eq!((added.matched, added.added), (2, 2));
    let ids: Vec<_> = session
        .probes()?
        .iter()
        .map(|probe| probe.head.id)
        .collect();
    check_eq!(ids, [head.entry_id, head.return_id]);
    session.start()?;
    let trace = Trace::of(session)?;
    Target::open()?.run("plain 9")?;
    let finished = trace.finish()?;
    check_eq!(finished.entries("rt_plain")?.len(), 9);
    check_eq!(finished.returns("rt_plain")?.len(), 9);
    Ok(())
}

fn unknown_ids(_: &Options) -> Outcome {
    let session = Session::open()?;
    let found = session.functions("rt_target:rt_plain", 0, 1 << 16)?;
    let good = found
        .first()
        .ok_or_else(|| fail("no rt_plain"))?
        .head
        .entry_id;
    for bad in [0, u32::MAX, 0x7fff_ffff] {
        let Err(refused) = session.add_ids(&[good, bad]) else {
            return Err(fail(format!("the id {bad} is accepted")));
        };
        check!(
            matches!(refused.errno, Errno::NOENT | Errno::INVAL),
            "the id {bad}: {refused}"
        );
        check!(
            !refused.text.is_empty(),
            "nothing is said about the id {bad}"
        );
        check_eq!(session.status()?.probes, 0, "probes after the id {bad}");
    }
    Ok(())
}

fn small_buffer(_: &Options) -> Outcome {
    let session = Session::open()?;
    let list = |buffer| -> Outcome<Vec<(u32, String)>> {
        let found = session.functions("*:t*", 0, buffer)?;
        Ok(found
            .into_iter()
            .map(|f| (f.head.function, f.name))
            .collect())
    };
    let large = list(1 << 20)?;
    check!(
        large.len() > 100,
        "only {} functions begin with t",
        large.len()
    );
    check_eq!(list(700)?, large, "the list through 700 bytes");
    Ok(())
}

fn tiny_buffer(_: &Options) -> Outcome {
    let session = Session::open()?;
    let mut bytes = [0u8; 16];
    let mut request = abi::rtrace_functions {
        buf: bytes.as_mut_ptr() as u64,
        buf_len: bytes.len() as u64,
        ..Default::default()
    }
    .sized();
    let refused = session.command(&mut request);
    check!(
        matches!(&refused, Err(refused) if refused.errno == Errno::NOSPC),
        "{refused:?}"
    );
    Ok(())
}

fn same_as_ftrace(_: &Options) -> Outcome {
    let session = Session::open()?;
    let text = fs::read_to_string(guest::tracefs()?.join("available_filter_functions"))?;
    let mut theirs = BTreeMap::<(String, String), usize>::new();
    for line in text.lines() {
        // `name`, or `name [module]`
        let (name, module) = match line.split_once(" [") {
            Some((name, module)) => (name, module.trim_end_matches(']')),
            None => (line, "vmlinux"),
        };
        *theirs
            .entry((module.to_owned(), name.trim().to_owned()))
            .or_default() += 1;
    }
    let mut only_ours = Vec::new();
    for ours in session.functions(":", abi::RTRACE_FUNCTIONS_ALIASES, 1 << 20)? {
        // ftrace prints one of its names, and not always the same as we do.
        let known = std::iter::once(&ours.name)
            .chain(&ours.aliases)
            .find_map(|name| {
                let key = (ours.module.clone(), name.clone());
                theirs
                    .get(&key)
                    .is_some_and(|left| *left > 0)
                    .then_some(key)
            });
        match known {
            Some(key) => *theirs.entry(key).or_default() -= 1,
            None => only_ours.push(format!("{}:{}", ours.module, ours.name)),
        }
    }
    // What is left is printed, and each must have a reason: our own module, which does not
    // trace itself, sites that ftrace itself calls invalid, and what our list calls untraceable.
    let untraceable: BTreeMap<(String, String), u16> = session
        .functions(":", abi::RTRACE_FUNCTIONS_UNTRACEABLE, 1 << 20)?
        .into_iter()
        .filter(|function| function.head.why != 0)
        .map(|function| ((function.module, function.name), function.head.why))
        .collect();
    let mut unexplained = Vec::new();
    for (key, left) in theirs.into_iter().filter(|(_, left)| *left > 0) {
        let why = untraceable.get(&key);
        println!(
            "only ftrace: {}:{} (× {left}; reason {why:?})",
            key.0, key.1
        );
        if why.is_none() && key.0 != "rust_tracer" && !key.1.starts_with("__ftrace_invalid_address")
        {
            unexplained.push(format!("{}:{}", key.0, key.1));
        }
    }
    check_eq!(only_ours, [""; 0], "functions that ftrace does not list");
    check_eq!(unexplained, [""; 0], "functions that only ftrace lists");
    Ok(())
}

fn reasons(_: &Options) -> Outcome {
    let session = Session::open()?;
    let all = session.functions(":", abi::RTRACE_FUNCTIONS_UNTRACEABLE, 1 << 20)?;
    let (mut with, mut without) = (0, 0);
    for function in &all {
        let head = &function.head;
        let traceable = head.why == abi::RTRACE_WHY_OK as u16;
        check_eq!(
            head.function != 0,
            traceable,
            "the number and the reason of {function:?}"
        );
        check_eq!(
            head.entry_id != 0,
            traceable,
            "the id and the reason of {function:?}"
        );
        check_eq!(
            u32::from(head.entry_way) != abi::RTRACE_WAY_NONE,
            traceable,
            "the way and the reason of {function:?}"
        );
        *(if traceable { &mut with } else { &mut without }) += 1;
    }
    check_eq!(with, session.info()?.functions, "traceable functions");
    check!(without > 100, "only {without} functions cannot be traced");
    let boot = all
        .iter()
        .find(|f| f.name == "start_kernel" && f.module == "vmlinux");
    check_eq!(
        boot.map(|function| u32::from(function.head.why)),
        Some(abi::RTRACE_WHY_INIT),
        "why start_kernel cannot be traced"
    );
    Ok(())
}

fn generation(options: &Options) -> Outcome {
    let session = Session::open()?;
    let before = session.info()?;
    check_eq!(names(&session, "rt_late:*")?, [""; 0]);
    let late = Late::load(options, 0)?;
    let loaded = session.info()?;
    check!(
        loaded.generation != before.generation,
        "the generation is the same"
    );
    let listed = names(&session, "rt_late:rt_late_work")?;
    check_eq!(listed, ["rt_late:rt_late_work"]);
    check_eq!(
        names(&session, "rt_late:rt_late_setup")?,
        [""; 0],
        "freed functions"
    );
    late.unload()?;
    let gone = session.info()?;
    check!(
        gone.generation != loaded.generation,
        "the generation is the same"
    );
    check_eq!(
        names(&session, "rt_late:*")?,
        [""; 0],
        "functions of a module that is gone"
    );
    check_eq!(gone.functions, before.functions);
    Ok(())
}

fn probes(_: &Options) -> Outcome {
    let session = Session::open()?;
    let added = session.add(
        "rt_target:rt_t*",
        abi::RTRACE_PROBE_ENTRY | abi::RTRACE_PROBE_RETURN,
    )?;
    session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
    check_eq!(session.start()?.attached, added.added + 1, "attached");
    let stub = fs::read_to_string("/sys/module/rust_tracer/parameters/stub")?;
    let is_stub = |way: u32| matches!(way, abi::RTRACE_WAY_STUB | abi::RTRACE_WAY_SLOT);
    let probes = session.probes()?;
    check_eq!(probes.len() as u32, added.added + 1, "probes");
    for (index, probe) in (0u32..).zip(&probes) {
        check_eq!(probe.head.index, index);
        check_eq!(u32::from(probe.head.why), abi::RTRACE_WHY_OK);
        let listed = session.functions(&format!("{}:{}", probe.module, probe.name), 0, 1 << 16)?;
        // An entry alone is by the stub where there is one.
        let by_stub = stub.trim() == "Y" && probe.name == "rt_plain"
            || listed
                .iter()
                .all(|function| is_stub(function.head.return_way.into()));
        let way = u32::from(probe.head.way);
        let right = match u32::from(probe.head.kind) {
            _ if by_stub => is_stub(way),
            abi::RTRACE_KIND_ENTRY => way == abi::RTRACE_WAY_OPS,
            _ => way == abi::RTRACE_WAY_FPROBE,
        };
        check!(right, "the way of {probe:?}");
        check_eq!(probe.module, "rt_target");
    }
    Ok(())
}
