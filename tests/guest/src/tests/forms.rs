// SPDX-License-Identifier: GPL-2.0-only
//! The form of commands: sizes, flags, numbers and pointers that cannot be, and that they change nothing.

#![forbid(unsafe_code)]

use rust_tracer::abi;
use rustix::io::Errno;

use super::commands::refused;
use crate::options::Options;
use crate::session::{COMMANDS, Command, Session};
use crate::sys;
use crate::test::{Outcome, check, check_eq, fail, group};

group! { "commands, forms":
    "a structure shorter than the module's is read as if it ended in zeroes" => shorter,
    "a longer structure is accepted if the rest is zero, and refused otherwise" => longer,
    "a size that cannot be is refused" => sizes,
    "flags and reserved fields must be zero" => reserved,
    "an unknown command is refused and has no effect" => unknown,
    "a pointer that is not the caller's is refused" => pointers,
}

/// A command of these bytes.
fn bytes(session: &Session, command: u64, bytes: &mut [u8]) -> Result<(), Errno> {
    sys::ioctl_bytes(&session.fd, command, bytes)
}

fn shorter(_: &Options) -> Outcome {
    let session = Session::open()?;
    // Only `size`, `flags` and the version: what is behind is not written.
    let mut short = [0xffu8; size_of::<abi::rtrace_info>()];
    short[..4].copy_from_slice(&12u32.to_ne_bytes());
    short[4..8].fill(0);
    bytes(&session, abi::rtrace_info::NUMBER, &mut short)?;
    check_eq!(
        short[8..10],
        (abi::RTRACE_ABI_MAJOR as u16).to_ne_bytes(),
        "the version"
    );
    check!(
        short[12..].iter().all(|byte| *byte == 0xff),
        "written beyond the size: {short:x?}"
    );
    // A CONFIG that ends after the ring's size has the default policy and watermark.
    let mut config = abi::rtrace_config {
        size: 16,
        ring_bytes: 1 << 17,
        watermark: u64::MAX,
        policy: u32::MAX,
        frames: u32::MAX,
        ..Default::default()
    };
    sys::ioctl(&session.fd, abi::rtrace_config::NUMBER, &mut config)?;
    check_eq!(config.frames, u32::MAX, "written beyond the size");
    let status = session.status()?;
    check_eq!(status.ring_bytes, 1 << 17);
    check_eq!(status.policy, abi::RTRACE_POLICY_SWITCH);
    Ok(())
}

fn longer(_: &Options) -> Outcome {
    let session = Session::open()?;
    const KNOWN: usize = size_of::<abi::rtrace_info>();
    let mut long = [0u8; KNOWN + 64];
    long[..4].copy_from_slice(&(KNOWN as u32 + 64).to_ne_bytes());
    bytes(&session, abi::rtrace_info::NUMBER, &mut long)?;
    check!(
        long[KNOWN..].iter().all(|byte| *byte == 0),
        "written beyond what the module knows"
    );
    for at in [KNOWN, KNOWN + 31, KNOWN + 63] {
        let mut long = [0u8; KNOWN + 64];
        long[..4].copy_from_slice(&(KNOWN as u32 + 64).to_ne_bytes());
        long[at] = 1;
        let found = bytes(&session, abi::rtrace_info::NUMBER, &mut long);
        check_eq!(
            found,
            Err(Errno::TOOBIG),
            "a byte at {at} that the module does not know"
        );
        check_eq!(session.last_error()?.1, libc::E2BIG, "the last error");
    }
    Ok(())
}

fn sizes(_: &Options) -> Outcome {
    let session = Session::open()?;
    for &command in COMMANDS {
        for size in [0u32, 1, 3, 7, 1 << 20, u32::MAX] {
            let mut contents = [0u8; 256];
            contents[..4].copy_from_slice(&size.to_ne_bytes());
            let found = bytes(&session, command, &mut contents);
            check!(
                matches!(found, Err(Errno::INVAL | Errno::TOOBIG | Errno::FAULT)),
                "command {command:#x} with size {size}: {found:?}"
            );
        }
    }
    check_eq!(session.status()?.state, abi::RTRACE_STATE_IDLE);
    Ok(())
}

fn reserved(_: &Options) -> Outcome {
    /// Refused with every single bit of the flags that is not allowed.
    fn flags<T: Command>(session: &Session, allowed: u32, set: fn(&mut T, u32)) -> Outcome {
        for bit in (0..32)
            .map(|bit| 1u32 << bit)
            .filter(|bit| bit & allowed == 0)
        {
            let mut argument = T::default().sized();
            set(&mut argument, bit);
            let answer = session.command(&mut argument);
            let what = format!("flags {bit:#x} of {}", std::any::type_name::<T>());
            // Nothing else is wrong with it that would be told first.
            let Err(why) = answer else {
                return Err(fail(format!("{what}: taken")));
            };
            let told = format!("bits that this module does not know: {bit:#x}");
            check!(
                why.errno == Errno::INVAL && why.text.contains(&told),
                "{what}: {why}"
            );
        }
        Ok(())
    }
    let session = Session::open()?;
    let listing = abi::RTRACE_FUNCTIONS_UNTRACEABLE | abi::RTRACE_FUNCTIONS_ALIASES;
    let adding = abi::RTRACE_PROBE_ENTRY | abi::RTRACE_PROBE_RETURN | abi::RTRACE_ADD_LATE;
    flags::<abi::rtrace_info>(&session, 0, |a, f| a.flags = f)?;
    flags::<abi::rtrace_functions>(&session, listing, |a, f| a.flags = f)?;
    flags::<abi::rtrace_functions>(&session, 0, |a, f| a.reserved = f)?;
    flags::<abi::rtrace_add>(&session, adding, |a, f| a.flags = f)?;
    flags::<abi::rtrace_probes>(&session, 0, |a, f| a.flags = f)?;
    flags::<abi::rtrace_config>(&session, 0, |a, f| a.flags = f)?;
    flags::<abi::rtrace_target>(&session, 0, |a, f| a.flags = f)?;
    flags::<abi::rtrace_target>(&session, 0, |a, f| {
        a.pid = 1;
        a.reserved = f;
    })?;
    flags::<abi::rtrace_start>(&session, 0, |a, f| a.flags = f)?;
    flags::<abi::rtrace_status>(&session, 0, |a, f| a.flags = f)?;
    flags::<abi::rtrace_ledger>(&session, 7, |a, f| a.flags = f)?;
    flags::<abi::rtrace_ledger>(&session, 0, |a, f| a.reserved = f)?;
    flags::<abi::rtrace_error>(&session, 0, |a, f| a.flags = f)?;
    flags::<abi::rtrace_error>(&session, 0, |a, f| a.reserved = f)?;
    flags::<abi::rtrace_sessions>(&session, 0, |a, f| a.flags = f)?;
    flags::<abi::rtrace_sessions>(&session, 0, |a, f| a.reserved = f)?;
    flags::<abi::rtrace_revoke>(&session, abi::RTRACE_REVOKE_USER, |a, f| a.flags = f)?;
    flags::<abi::rtrace_publish>(&session, 0, |a, f| a.flags = f)?;
    flags::<abi::rtrace_publish>(&session, 0, |a, f| a.reserved = f)?;
    flags::<abi::rtrace_observe>(&session, 0, |a, f| a.flags = f)?;
    flags::<abi::rtrace_observe>(&session, 0, |a, f| a.reserved = f)?;
    flags::<abi::rtrace_read>(&session, 0, |a, f| a.flags = f)?;
    flags::<abi::rtrace_read>(&session, 0, |a, f| a.reserved = f)?;
    flags::<abi::rtrace_symbol>(&session, 0, |a, f| a.flags = f)?;
    flags::<abi::rtrace_quota>(&session, 0, |a, f| a.flags = f)?;
    flags::<abi::rtrace_program>(&session, 0, |a, f| a.flags = f)?;
    flags::<abi::rtrace_add_own>(&session, 0, |a, f| a.flags = f)?;
    flags::<abi::rtrace_aggregate>(&session, 0, |a, f| a.flags = f)?;
    flags::<abi::rtrace_view>(&session, 0, |a, f| a.flags = f)?;
    flags::<abi::rtrace_owners>(&session, 0, |a, f| a.flags = f)?;
    flags::<abi::rtrace_owners>(&session, 0, |a, f| a.reserved = f)?;
    flags::<abi::rtrace_text>(&session, 0, |a, f| a.flags = f)?;
    // Ids take no flags.
    let id = session.functions("rt_target:rt_plain", 0, 4096)?[0]
        .head
        .entry_id;
    let mut add = abi::rtrace_add {
        flags: abi::RTRACE_PROBE_ENTRY,
        ids: (&raw const id) as u64,
        ids_count: 1,
        ..Default::default()
    }
    .sized();
    refused(session.command(&mut add), &[Errno::INVAL], "flags with ids")?;
    let status = session.status()?;
    check_eq!((status.state, status.probes), (abi::RTRACE_STATE_IDLE, 0));
    Ok(())
}

fn unknown(_: &Options) -> Outcome {
    let session = Session::open()?;
    let magic = u64::from(abi::RTRACE_IOC_MAGIC);
    for number in 0x18..=0xff {
        // _IO, _IOR, _IOW and _IOWR of a structure of 80 bytes.
        for direction in [
            0u64,
            (2 << 30) | (80 << 16),
            (1 << 30) | (80 << 16),
            (3 << 30) | (80 << 16),
        ] {
            let command = direction | (magic << 8) | number;
            let found = bytes(&session, command, &mut [0u8; 80]);
            check_eq!(found, Err(Errno::NOTTY), "command {command:#x}");
        }
    }
    // Other magics: a terminal's, a block device's, none. (FIOCLEX and the like are the VFS's.)
    for command in [0x5413u64, 0x1260, 0x0000_0000, 0xffff_ffff, magic << 16] {
        check_eq!(
            bytes(&session, command, &mut [0u8; 256]),
            Err(Errno::NOTTY),
            "command {command:#x}"
        );
    }
    check_eq!(session.status()?.state, abi::RTRACE_STATE_IDLE);
    Ok(())
}

/// Addresses that are nobody's, the kernel's, or not even addresses.
const BAD: [u64; 6] = [
    0,
    8,
    0x7fff_ffff_f000,
    0x8000_0000_0000_0000,
    0xffff_ffff_8100_0000,
    u64::MAX - 7,
];

fn pointers(_: &Options) -> Outcome {
    let session = Session::open()?;
    session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
    for address in BAD {
        for &command in COMMANDS {
            let found = sys::ioctl_at(&session.fd, command, address);
            check_eq!(
                found,
                Err(Errno::FAULT),
                "command {command:#x} at {address:#x}"
            );
        }
        let mut functions = abi::rtrace_functions {
            buf: address,
            buf_len: 1 << 16,
            ..Default::default()
        }
        .sized();
        refused(
            session.command(&mut functions),
            &[Errno::FAULT],
            "FUNCTIONS to nowhere",
        )?;
        let mut functions = abi::rtrace_functions {
            function: address,
            function_len: 8,
            ..Default::default()
        }
        .sized();
        refused(
            session.command(&mut functions),
            &[Errno::FAULT],
            "a pattern from nowhere",
        )?;
        let mut probes = abi::rtrace_probes {
            buf: address,
            buf_len: 1 << 16,
            ..Default::default()
        }
        .sized();
        refused(
            session.command(&mut probes),
            &[Errno::FAULT],
            "PROBES to nowhere",
        )?;
        if address != 0 {
            let mut add = abi::rtrace_add {
                ids: address,
                ids_count: 4,
                ..Default::default()
            }
            .sized();
            refused(
                session.command(&mut add),
                &[Errno::FAULT],
                "ids from nowhere",
            )?;
        }
    }
    check_eq!(session.status()?.probes, 1);
    session.start()?;
    session.stop()?;
    for address in BAD {
        let mut ledger = abi::rtrace_ledger {
            buf: address,
            buf_len: 1 << 16,
            ..Default::default()
        }
        .sized();
        refused(
            session.command(&mut ledger),
            &[Errno::FAULT],
            "LEDGER to nowhere",
        )?;
    }
    Ok(())
}
