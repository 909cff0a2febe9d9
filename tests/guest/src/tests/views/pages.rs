// SPDX-License-Identifier: GPL-2.0-only
//! Views that are read in several pages, by cursors, and by several at once.

#![forbid(unsafe_code)]

use rust_tracer::abi;
use rustix::io::Errno;

use super::{open, refused};
use crate::options::Options;
use crate::session::Session;
use crate::target::Late;
use crate::test::{Outcome, check, check_eq, fail};

pub fn any_size(_: &Options) -> Outcome {
    let session = open()?;
    let few = session.view_by::<abi::rtrace_view_text_of>(0, 300)?;
    let many = session.view_by::<abi::rtrace_view_text_of>(0, 1 << 20)?;
    check_eq!(few, many);
    // Pages of one view are of one moment, whatever another session asks for meanwhile.
    let mut buffer = vec![0u8; 128];
    let first = session.view_once(abi::RTRACE_VIEW_SYSCALLS, 0, 0, &mut buffer)?;
    check!(first.cursor != 0 && first.count == 1, "{first:?}");
    open()?.view::<abi::rtrace_view_module>()?;
    let second = session.view_once(abi::RTRACE_VIEW_SYSCALLS, 0, first.cursor, &mut buffer)?;
    check_eq!(second.count, 1);
    Ok(())
}

pub fn cursors(_: &Options) -> Outcome {
    let session = open()?;
    let mut buffer = vec![0u8; 4096];
    let mut ask = |session: &Session, view, cursor| session.view_once(view, 0, cursor, &mut buffer);
    let first = ask(&session, abi::RTRACE_VIEW_SYSCALLS, 0)?;
    check!(first.cursor != 0, "{first:?}");
    for (what, view, cursor) in [
        ("any number", abi::RTRACE_VIEW_SYSCALLS, 1),
        ("the largest", abi::RTRACE_VIEW_SYSCALLS, u64::MAX),
        ("another view's", abi::RTRACE_VIEW_MODULES, first.cursor),
        (
            "the next view's",
            abi::RTRACE_VIEW_SYSCALLS,
            first.cursor + (1 << 32),
        ),
    ] {
        refused(what, ask(&session, view, cursor), Errno::INVAL)?;
    }
    // A row that is not there is behind the last one.
    let behind = ask(
        &session,
        abi::RTRACE_VIEW_SYSCALLS,
        first.cursor | 0xffff_ffff,
    )?;
    check_eq!((behind.count, behind.cursor), (0, 0));
    refused(
        "one of a view that ended",
        ask(&session, abi::RTRACE_VIEW_SYSCALLS, first.cursor),
        Errno::INVAL,
    )?;
    let first = ask(&session, abi::RTRACE_VIEW_SYSCALLS, 0)?;
    refused(
        "another session's",
        ask(&open()?, abi::RTRACE_VIEW_SYSCALLS, first.cursor),
        Errno::INVAL,
    )?;
    Ok(())
}

pub fn racing(options: &Options) -> Outcome {
    let wanted = open()?.view::<abi::rtrace_view_text_of>()?;
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| -> Outcome {
                    let session = open()?;
                    for _ in 0..options.share_of(5) {
                        check_eq!(
                            session.view_by::<abi::rtrace_view_text_of>(0, 4096)?,
                            wanted
                        );
                        session.view::<abi::rtrace_view_module>()?;
                        session.view::<abi::rtrace_view_ops>()?;
                    }
                    Ok(())
                })
            })
            .collect();
        // Modules come and go meanwhile.
        for _ in 0..options.share_of(5) {
            Late::load(options, 0)?.unload()?;
        }
        for asked in asking {
            asked.join().map_err(|_| fail("a thread panicked"))??;
        }
        Ok(())
    })
}
