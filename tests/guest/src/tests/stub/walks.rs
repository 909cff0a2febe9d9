// SPDX-License-Identifier: GPL-2.0-only
//! What programs see of the kernel's stack, and who calls, through frames of the stub.

#![forbid(unsafe_code)]

use rust_tracer::abi;

use super::{BOTH, COPY, Copies, is_by_stub};
use crate::options::Options;
use crate::program::{Code, Program, item};
use crate::session::{KERNEL, Session};
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::tests::programs::{TRACE, loaded, started};
use crate::trace::{Finished, Trace};

group! { "stub, walks":
    "a stack begins with the function and its caller, at both ends, and leads on through other frames of the stub" => stacks,
    "caller and stack are right while the function graph is traced as well" => stacks_beside_graph,
}

const RETURN: u32 = abi::RTRACE_PROBE_RETURN;

/// `{ stack(); trace(caller); trace(stackdepth); }`
fn stack_clause() -> Code {
    Code::new()
        .op(abi::RTRACE_OP_EMITK, 0, 100, 0, item(TRACE, 0))
        .get(1, abi::RTRACE_VAR_CALLER)
        .emit(1, TRACE, 1)
        .get(1, abi::RTRACE_VAR_STACKDEPTH)
        .emit(1, TRACE, 2)
        .ret()
}

/// The stacks that a session's records hold; each must agree with its `caller` and `stackdepth`.
fn stacks_of(finished: &Finished) -> Outcome<Vec<Vec<u64>>> {
    let mut stacks = Vec::new();
    for made in &finished.made {
        let frames = made.items[0].words();
        check!(
            frames.len() > 2,
            "frames of probe {}: {:?}",
            made.head.probe,
            names(&finished.session, &frames)
        );
        check_eq!(made.items[1].number(), Some(frames[1]), "caller");
        check_eq!(
            made.items[2].number(),
            Some(frames.len() as u64),
            "stackdepth"
        );
        stacks.push(frames);
    }
    Ok(stacks)
}

/// A session that takes the stack of the function when it is called by the last of these.
fn stack_session(kind: u32) -> Outcome<Trace> {
    let program = Program::new().clause(1, 0, stack_clause());
    let session = loaded(KERNEL, &program)?;
    session.add_to(&format!("vmlinux:{COPY}"), kind, 1)?;
    started(session)
}

/// The call whose stack is taken: always from the same place.
#[inline(never)]
fn call_once(copies: &Copies) -> Outcome {
    copies.call(1).map(|_| ())
}

fn names(session: &Session, stack: &[u64]) -> Vec<String> {
    stack
        .iter()
        .map(|frame| session.symbol(*frame).unwrap_or_default())
        .collect()
}

/// What the stack is by an ftrace_ops, which puts nothing on it.
fn true_stack(copies: &Copies) -> Outcome<Vec<u64>> {
    let trace = stack_session(abi::RTRACE_PROBE_ENTRY)?;
    call_once(copies)?;
    let finished = trace.finish()?;
    let names_of = |stack: &Vec<u64>| names(&finished.session, stack);
    let [stack] = &stacks_of(&finished)?[..] else {
        return Err(fail("not one stack"));
    };
    check!(
        names_of(stack)[0].contains(&format!("{COPY}+"))
            && names_of(stack)[1].contains("sys_copy_file_range+")
            && names_of(stack)
                .iter()
                .any(|name| name.starts_with("do_syscall_64+")),
        "the true stack: {:?}",
        names_of(stack)
    );
    Ok(stack.clone())
}

fn compare(finished: &Finished, wanted: &[u64], count: usize) -> Outcome {
    let stacks = stacks_of(finished)?;
    check_eq!(stacks.len(), count, "stacks");
    for stack in stacks {
        check!(
            stack == wanted,
            "the stack is {:#?}, not {:#?}",
            names(&finished.session, &stack),
            names(&finished.session, wanted)
        );
    }
    Ok(())
}

fn stacks(_: &Options) -> Outcome {
    let copies = Copies::new()?;
    let wanted = true_stack(&copies)?;
    for kind in [RETURN, BOTH] {
        let trace = stack_session(kind)?;
        is_by_stub(&trace.session, COPY)?;
        call_once(&copies)?;
        compare(&trace.finish()?, &wanted, kind.count_ones() as usize)?;
    }
    // Its caller has a frame of the stub below it as well, by the same session or by another one.
    let outer = "__x64_sys_copy_file_range";
    let other = Session::open()?;
    other.add(&format!("vmlinux:{outer}"), RETURN)?;
    other.start()?;
    is_by_stub(&other, outer)?;
    let trace = stack_session(BOTH)?;
    is_by_stub(&trace.session, COPY)?;
    call_once(&copies)?;
    compare(&trace.finish()?, &wanted, 2)?;
    let second = stack_session(BOTH)?;
    let third = stack_session(RETURN)?;
    call_once(&copies)?;
    compare(&second.finish()?, &wanted, 2)?;
    compare(&third.finish()?, &wanted, 1)?;
    // By ops, through a frame of the stub.
    check_eq!(true_stack(&copies)?, wanted, "the stack by ops");
    Ok(())
}

fn stacks_beside_graph(_: &Options) -> Outcome {
    let copies = Copies::new()?;
    let wanted = true_stack(&copies)?;
    for graph_first in [true, false] {
        let graph = || -> Outcome<Session> {
            let plan = crate::trace::Plan::new().both(&format!("vmlinux:{COPY}"));
            Ok(plan.without_stub().start()?.session)
        };
        let before = graph_first.then(graph).transpose()?;
        let trace = stack_session(BOTH)?;
        is_by_stub(&trace.session, COPY)?;
        let after = (!graph_first).then(graph).transpose()?;
        call_once(&copies)?;
        compare(&trace.finish()?, &wanted, 2)
            .map_err(|failure| fail(format!("graph first: {graph_first}: {failure}")))?;
        drop((before, after));
    }
    Ok(())
}
