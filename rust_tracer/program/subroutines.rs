// SPDX-License-Identifier: GPL-2.0

//! D's subroutines: what CALL does.
//!
//! Strings that subroutines take are in the kernel, or in own memory already; the former are
//! copied first. What a subroutine gives is a number, or a new temporary string, or a pointer into
//! one that it was given. Subroutines that give a number keep no temporary value.
//!
//! Contexts: any, as the probe path. Nothing here allocates or panics.

#![forbid(unsafe_code)]

use super::{
    addresses,
    bytes::copy,
    fault,
    insn::sub,
    json,
    memory::{
        Memory,
        Sources,
        Text, //
    },
    strings,
    Fault,
    World,
    STACK_BYTES,
    STACK_FRAMES_MAX, //
};

/// The most arguments of a subroutine.
pub(crate) const ARGUMENTS: usize = 3;

/// Bits of a minor number in a `dev_t`, as the kernel has it (`MINORBITS`).
const MINOR_BITS: u32 = 20;

/// Calls a subroutine with its `count` arguments; those that were left out may be anything.
#[inline(never)]
pub(crate) fn call<W: World>(
    memory: &mut Memory<'_>,
    world: &mut W,
    number: u32,
    arguments: [u64; ARGUMENTS],
    count: u8,
) -> Result<u64, Fault> {
    let [a, b, c] = arguments;
    match number {
        sub::RAND => Ok(world.random()),
        sub::HTONS => Ok((a as u16).swap_bytes().into()),
        sub::HTONL => Ok((a as u32).swap_bytes().into()),
        sub::HTONLL => Ok(a.swap_bytes()),
        sub::GETMAJOR => Ok((a as u32 >> MINOR_BITS).into()),
        sub::GETMINOR => Ok((a as u32 & ((1 << MINOR_BITS) - 1)).into()),
        sub::PROGENYOF => Ok(world.progeny_of(a).into()),
        sub::ALLOCA => memory.allocate(a).map(|(address, _)| address),
        sub::COPYIN => {
            let (address, into) = memory.allocate(b)?;
            world.read_user(a, into)?;
            Ok(address)
        }
        sub::COPYINTO => {
            world.read_user(a, memory.writable(c, b)?)?;
            Ok(0)
        }
        sub::COPYINSTR => {
            // As in Oracle's edition its NUL counts.
            let limit = if count > 1 {
                b.saturating_sub(1)
            } else {
                u64::MAX
            };
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let text = memory.receive(limit, |into| world.read_user_text(a, into))?;
            Ok(text.address())
        }
        sub::EXECARGS => {
            // The last NUL ends the last argument.
            let limit = usize::try_from(b.saturating_sub(1)).unwrap_or(usize::MAX);
            let text = memory.receive(limit, |into| {
                if into.is_empty() {
                    return Ok(0);
                }
                world.read_user(a, into)?;
                for byte in into.iter_mut().filter(|byte| **byte == 0) {
                    *byte = b' ';
                }
                Ok(into.len())
            })?;
            Ok(text.address())
        }
        sub::BCOPY => {
            memory.transfer(world, a, b, c)?;
            Ok(0)
        }
        sub::STACK | sub::USTACK => {
            let strsz = if count > 1 { b as u32 } else { 0 };
            stack(memory, world, number == sub::USTACK, a, strsz)
        }
        sub::D_PATH => {
            let text = memory.receive(usize::MAX, |into| world.path(a, into))?;
            Ok(text.address())
        }
        sub::INET_NTOA..=sub::LINK_NTOP => address(memory, world, number, [a, b], count),
        sub::LLTOSTR => {
            let base = if count > 1 { b } else { 10 };
            if !(2..=strings::BASE_MAX).contains(&base) {
                return Err(Fault::of(fault::ILLOP));
            }
            let text = memory.build_any(strings::NUMBER_MAX, |_, into| {
                strings::lltostr(a, base, into)
            })?;
            Ok(text.address())
        }
        sub::STRTOK if count > 1 => tokens(memory, world, Some(a), b),
        sub::STRTOK => tokens(memory, world, None, a),
        sub::STRLEN | sub::INDEX | sub::RINDEX | sub::STRTOLL | sub::STRNCMP => {
            let mark = memory.mark();
            let result = measure(memory, world, number, arguments, count);
            memory.give_back(mark);
            result
        }
        _ => text(memory, world, number, arguments, count),
    }
}

/// A stack of at most so many frames in new memory, `struct rtrace_stack`.
fn stack<W: World>(
    memory: &mut Memory<'_>,
    world: &mut W,
    user: bool,
    most: u64,
    strsz: u32,
) -> Result<u64, Fault> {
    let most = most.min(STACK_FRAMES_MAX.into()) as usize;
    let (address, into) = memory.allocate(STACK_BYTES.into())?;
    let (pid, frames) = world.stack_of(user, most);
    let head = [
        frames.len() as u64 | (u64::from(user) << 32),
        pid | (u64::from(strsz) << 32),
    ];
    for (word, into) in head.iter().chain(frames).zip(into.chunks_mut(8)) {
        copy(&word.to_le_bytes(), into);
    }
    Ok(address)
}

/// Subroutines that give a number about strings.
#[inline(never)]
fn measure<W: World>(
    memory: &mut Memory<'_>,
    world: &mut W,
    number: u32,
    [a, b, c]: [u64; ARGUMENTS],
    count: u8,
) -> Result<u64, Fault> {
    let limit = if number == sub::STRNCMP {
        usize::try_from(c).unwrap_or(usize::MAX)
    } else {
        usize::MAX
    };
    let first = memory.text(world, a, limit)?;
    match number {
        sub::STRLEN => Ok(first.len as u64),
        sub::STRTOLL => {
            let base = if count > 1 { b } else { 10 };
            if !(2..=strings::BASE_MAX).contains(&base) {
                return Err(Fault::of(fault::ILLOP));
            }
            Ok(strings::strtoll(memory.sources().bytes(first), base))
        }
        _ => {
            let second = memory.text(world, b, limit)?;
            let sources = memory.sources();
            let (first, second) = (sources.bytes(first), sources.bytes(second));
            let result = match number {
                sub::INDEX => strings::index(first, second, if count > 2 { c as i64 } else { 0 }),
                sub::RINDEX => {
                    let from = if count > 2 { c as i64 } else { i64::MAX };
                    strings::rindex(first, second, from)
                }
                _ => strings::compare(first, second),
            };
            Ok(result as u64)
        }
    }
}

/// Subroutines that give a string made of others.
#[inline(never)]
fn text<W: World>(
    memory: &mut Memory<'_>,
    world: &mut W,
    number: u32,
    [a, b, c]: [u64; ARGUMENTS],
    count: u8,
) -> Result<u64, Fault> {
    let first = memory.text(world, a, usize::MAX)?;
    let found = |at: Option<usize>| match at {
        Some(at) => first.part(at, usize::MAX).address(),
        None => 0,
    };
    let new = match number {
        sub::STRCHR | sub::STRRCHR => {
            let bytes = memory.sources().bytes(first);
            return Ok(found(if number == sub::STRCHR {
                strings::first(bytes, b as u8)
            } else {
                strings::last(bytes, b as u8)
            }));
        }
        sub::STRSTR => {
            let second = memory.text(world, b, usize::MAX)?;
            let sources = memory.sources();
            return Ok(found(strings::strstr(
                sources.bytes(first),
                sources.bytes(second),
            )));
        }
        sub::STRJOIN => {
            let second = memory.text(world, b, usize::MAX)?;
            let limit = first.len.saturating_add(second.len);
            memory.build(limit, |sources, into| {
                let mut out = strings::Writer::new(into);
                out.append(sources.bytes(first));
                out.append(sources.bytes(second));
                Ok(out.len())
            })?
        }
        sub::JSON => {
            let path = memory.text(world, b, usize::MAX)?;
            let sources = memory.sources();
            match json::find(sources.bytes(first), sources.bytes(path)) {
                Some((start, len)) => memory.copy(first.part(start, len))?,
                None => return Ok(0),
            }
        }
        sub::SUBSTR => {
            let length = if count > 2 { c as i64 } else { i64::MAX };
            let (start, len) = strings::substr(first.len, b as i64, length);
            memory.copy(first.part(start, len))?
        }
        sub::BASENAME => match strings::basename(memory.sources().bytes(first)) {
            Some((start, len)) => memory.copy(first.part(start, len))?,
            None => dot(memory)?,
        },
        sub::DIRNAME => match strings::dirname(memory.sources().bytes(first)) {
            Some(len) => memory.copy(first.part(0, len))?,
            None => dot(memory)?,
        },
        sub::CLEANPATH => memory.build(first.len.wrapping_add(1), |sources, into| {
            Ok(strings::cleanpath(sources.bytes(first), into))
        })?,
        sub::TOUPPER => change(memory, first, |byte| byte.to_ascii_uppercase())?,
        sub::TOLOWER => change(memory, first, |byte| byte.to_ascii_lowercase())?,
        _ => return Err(Fault::of(fault::ILLOP)),
    };
    Ok(new.address())
}

/// The string ".".
fn dot(memory: &mut Memory<'_>) -> Result<Text, Fault> {
    memory.build_any(1, |_, into| {
        copy(b".", into);
        1
    })
}

/// A copy of the string with each byte changed.
fn change(memory: &mut Memory<'_>, text: Text, change: impl Fn(u8) -> u8) -> Result<Text, Fault> {
    memory.build(text.len, |sources: Sources<'_>, into| {
        for (to, from) in into.iter_mut().zip(sources.bytes(text)) {
            *to = change(*from);
        }
        Ok(text.len)
    })
}

/// strtok(): of a string, or of what is left of the last one.
#[inline(never)]
fn tokens<W: World>(
    memory: &mut Memory<'_>,
    world: &mut W,
    string: Option<u64>,
    between: u64,
) -> Result<u64, Fault> {
    let mark = memory.mark();
    if let Some(string) = string {
        let text = memory.text(world, string, usize::MAX)?;
        memory.keep_tokens(text);
        memory.give_back(mark);
    }
    let between = memory.text(world, between, usize::MAX)?;
    Ok(memory.next_token(between)?.map_or(0, Text::address))
}

/// Addresses as text.
#[inline(never)]
fn address<W: World>(
    memory: &mut Memory<'_>,
    world: &mut W,
    number: u32,
    [a, b]: [u64; 2],
    count: u8,
) -> Result<u64, Fault> {
    let bare = number == sub::INET_NTOA6 && (count < 2 || b == 0);
    let least = if number == sub::INET_NTOA6 { 2 } else { 1 };
    let (family, pointer) = match number {
        sub::INET_NTOA => (addresses::AF_INET, a),
        sub::INET_NTOA6 => (addresses::AF_INET6, a),
        _ => (a & u64::from(u32::MAX), b),
    };
    let text = if number == sub::LINK_NTOP {
        match family {
            addresses::ARPHRD_ETHER => link::<6, W>(memory, world, pointer)?,
            addresses::ARPHRD_INFINIBAND => link::<20, W>(memory, world, pointer)?,
            _ => return Err(Fault::of(fault::ILLOP)),
        }
    } else if family == addresses::AF_INET {
        let bytes = memory.load::<4, W>(world, pointer)?;
        memory.build_any(addresses::ADDRESS_MAX, |_, into| {
            addresses::v4(&bytes, into)
        })?
    } else if family == addresses::AF_INET6 {
        let bytes = memory.load::<16, W>(world, pointer)?;
        memory.build_any(addresses::ADDRESS_MAX, |_, into| {
            addresses::v6(&bytes, bare, least, into)
        })?
    } else {
        return Err(Fault::of(fault::ILLOP));
    };
    Ok(text.address())
}

/// A hardware address of `N` bytes as text.
fn link<const N: usize, W: World>(
    memory: &mut Memory<'_>,
    world: &mut W,
    pointer: u64,
) -> Result<Text, Fault> {
    let bytes = memory.load::<N, W>(world, pointer)?;
    memory.build_any(addresses::ADDRESS_MAX, |_, into| {
        addresses::link(&bytes, into)
    })
}
