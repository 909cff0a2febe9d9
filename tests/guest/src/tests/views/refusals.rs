// SPDX-License-Identifier: GPL-2.0-only
//! What is refused: what makes no sense, and whoever may not be told.

#![forbid(unsafe_code)]

use rust_tracer::abi;
use rustix::io::Errno;

use super::{open, refused};
use crate::actor::play;
use crate::options::Options;
use crate::session::{KERNEL, SYSTEM, Session, USER};
use crate::test::{Outcome, check};
use crate::tests::access::symbols::address_of;

pub fn hostile(_: &Options) -> Outcome {
    let session = open()?;
    let mut small = [0u8; 8];
    let mut buffer = vec![0u8; 4096];
    refused(
        "a buffer without room for a row",
        session.view_once(abi::RTRACE_VIEW_MODULES, 0, 0, &mut small),
        Errno::NOSPC,
    )?;
    for view in [13, 14, u32::MAX] {
        refused(
            "a view that is none",
            session.view_once(view, 0, 0, &mut buffer),
            Errno::INVAL,
        )?;
    }
    refused(
        "a file for a view of none",
        session.view_once(abi::RTRACE_VIEW_MODULES, 1, 0, &mut buffer),
        Errno::INVAL,
    )?;
    for fd in [-1, i32::MIN, 9999] {
        refused(
            "no file",
            session.view_once(abi::RTRACE_VIEW_FILE, fd, 0, &mut buffer),
            Errno::BADF,
        )?;
    }
    let sized = size_of::<abi::rtrace_view>() as u32;
    for (flags, reserved) in [(1, 0), (1 << 31, 0), (0, 1)] {
        let mut request = abi::rtrace_view {
            size: sized,
            flags,
            reserved,
            buf: buffer.as_mut_ptr() as u64,
            buf_len: buffer.len() as u64,
            ..Default::default()
        };
        refused("flags", session.command(&mut request), Errno::INVAL)?;
    }
    for buf in [0, 1, 0xffff_8880_0000_0000, u64::MAX - 4096] {
        let mut request = abi::rtrace_view {
            size: sized,
            buf,
            buf_len: 1 << 40,
            ..Default::default()
        };
        refused(
            "no memory of ours",
            session.command(&mut request),
            Errno::FAULT,
        )?;
        let mut request = abi::rtrace_owners {
            size: size_of::<abi::rtrace_owners>() as u32,
            buf,
            count: 1,
            ..Default::default()
        };
        refused(
            "no memory of ours",
            session.command(&mut request),
            Errno::FAULT,
        )?;
    }
    let mut request = abi::rtrace_owners {
        size: size_of::<abi::rtrace_owners>() as u32,
        buf: buffer.as_mut_ptr() as u64,
        count: abi::RTRACE_OWNERS_MAX + 1,
        ..Default::default()
    };
    refused("too many", session.command(&mut request), Errno::TOOBIG)?;
    request.count = 1;
    request.reserved = 1;
    refused(
        "a reserved field",
        session.command(&mut request),
        Errno::INVAL,
    )?;
    Ok(())
}

pub fn nodes(_: &Options) -> Outcome {
    let vfs_read = address_of("vfs_read")?;
    for (user, node) in [("dave", SYSTEM), ("bob", USER)] {
        play(user, || {
            let session = Session::open_as(node, libc::O_RDWR)?;
            let mut buffer = vec![0u8; 4096];
            // Known or not, right or wrong: the answer is the same.
            for view in (0..=13).chain([u32::MAX]) {
                let answer = session.view_once(view, 0, 0, &mut buffer);
                let text = refused("VIEW", answer, Errno::ACCESS)?.text;
                check!(text.contains(node) && text.contains(KERNEL), "{text}");
            }
            check!(
                buffer.iter().all(|byte| *byte == 0),
                "something was written"
            );
            refused("OWNERS", session.owners(&[vfs_read, 0]), Errno::ACCESS)?;
            for address in [vfs_read, 0] {
                refused("TEXT", session.text(address, 8), Errno::ACCESS)?;
            }
            Ok(())
        })?;
    }
    play("alice", || {
        let session = Session::open_as(KERNEL, libc::O_RDONLY)?;
        check!(
            !session.view::<abi::rtrace_view_module>()?.is_empty(),
            "no modules"
        );
        let session = Session::open_as(KERNEL, libc::O_WRONLY)?;
        let mut buffer = vec![0u8; 4096];
        let answer = session.view_once(abi::RTRACE_VIEW_MODULES, 0, 0, &mut buffer);
        refused("VIEW", answer, Errno::BADF)?;
        refused("OWNERS", session.owners(&[vfs_read]), Errno::BADF)?;
        refused("TEXT", session.text(vfs_read, 8), Errno::BADF)?;
        Ok(())
    })
}
