// SPDX-License-Identifier: GPL-2.0

//! RTRACE_IOC_ADD, ADD_OWN and PROBES: what a session probes.

#![forbid(unsafe_code)]

use kernel::{
    prelude::*,
    transmute::AsBytes,
    uaccess::{
        UserPtr,
        UserSlice, //
    },
};

use super::{
    bytes,
    fill,
    glob,
    room,
    space,
    too_small, //
};
use crate::{
    abi, arch, attach,
    functions::{
        self,
        Kind,
        Match,
        Pattern,
        FUNCTIONS, //
    },
    own::Own,
    refusal::Refusal,
    session::{
        groups::Step,
        probes::{
            Before,
            Place, //
        },
        Inner,
        Late,
        Session, //
    },
};

/// Patterns that a session remembers for modules to come.
const LATE_MAX: usize = 4096;
/// Ids that one RTRACE_IOC_ADD may name.
const IDS_MAX: u32 = abi::RTRACE_PROBES_MAX;
const KINDS: u32 = abi::RTRACE_PROBE_ENTRY | abi::RTRACE_PROBE_RETURN;

pub(super) fn add(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (mut arg, size) = abi::read_to_answer::<abi::rtrace_add>(at)?;
    session.node.must_know_own_tasks(session.opener.facts())?;
    let by_pattern = arg.ids == 0 && arg.ids_count == 0;
    let known = KINDS | abi::RTRACE_ADD_LATE;
    abi::must_be_zero(arg.flags & !if by_pattern { known } else { 0 }, "flags")?;
    let (group, arg_flags) = (arg.group, arg.flags);
    let (matched, added) = if by_pattern {
        if arg.flags & KINDS == 0 {
            return Err(Refusal::new(
                EINVAL,
                "neither entry nor return was asked for: set RTRACE_PROBE_ENTRY or _RETURN",
            ));
        }
        let pattern = Pattern {
            module: glob(arg.module, arg.module_len)?,
            function: glob(arg.function, arg.function_len)?,
        };
        let mut inner = session.inner();
        session.must_not_observe("add probes")?;
        let added = add_pattern(&mut inner, pattern, arg_flags, group)?;
        session.note_probes(&inner);
        added
    } else {
        if arg.ids_count > IDS_MAX {
            return Err(Refusal::with(
                E2BIG,
                fmt!(
                    "{} ids at once are too many: at most {IDS_MAX}",
                    arg.ids_count
                ),
            ));
        }
        let mut bytes = KVVec::new();
        UserSlice::new(abi::pointer(arg.ids), arg.ids_count as usize * 4)
            .read_all(&mut bytes, GFP_KERNEL_ACCOUNT)?;
        let mut inner = session.inner();
        session.must_not_observe("add probes")?;
        let added = add_ids(&mut inner, &bytes, group)?;
        session.note_probes(&inner);
        added
    };
    arg.matched = matched;
    arg.added = added;
    abi::write(at, size, &arg)
}

/// Adds one of the module's own probes.
pub(super) fn add_own(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (mut arg, size) = abi::read_to_answer::<abi::rtrace_add_own>(at)?;
    abi::must_be_zero(arg.flags, "flags")?;
    session.node.must_know_own_tasks(session.opener.facts())?;
    if arg.group == 0 {
        return Err(Refusal::new(
            EINVAL,
            "a probe of the module's own fires for a program's clauses alone: name their group",
        ));
    }
    if arg.name_len > abi::RTRACE_OWN_NAME_MAX {
        return Err(Refusal::with(
            E2BIG,
            fmt!(
                "a name of {} bytes is too long: at most {} are allowed",
                arg.name_len,
                abi::RTRACE_OWN_NAME_MAX
            ),
        ));
    }
    let name = bytes(arg.name, arg.name_len as usize)?;
    let own = Own::new(arg.kind, arg.period, name)?;
    {
        let mut inner = session.inner();
        session.must_not_observe("add probes")?;
        let (index, _) = all_or_none(&mut inner, |inner, before| {
            let (provider, mut name) = (own.kind.provider(), KVec::new());
            name.extend_from_slice(&own.name, GFP_KERNEL)?;
            let mut step = Step::new(arg.group);
            let index = inner.probes.add_own(own, &mut step, before)?;
            note_spec(inner, provider, b"", b"", &name);
            Ok((index, 1))
        })?;
        session.note_probes(&inner);
        arg.index = index;
    }
    abi::write(at, size, &arg)
}

/// Adds by `add`, or leaves all as it is.
fn all_or_none(
    inner: &mut Inner,
    add: impl FnOnce(&mut Inner, &mut Before) -> Result<(u32, u32), Refusal>,
) -> Result<(u32, u32), Refusal> {
    inner.must_be_idle("add probes")?;
    let mut before = inner.probes.before();
    let (late, spec, untold) = (inner.late.len(), inner.spec.len(), inner.untold);
    let added = add(inner, &mut before).and_then(|matched| {
        inner.charge_probes()?;
        Ok(matched)
    });
    added.inspect_err(|_| {
        inner.probes.restore(&before);
        inner.late.truncate(late);
        inner.spec.truncate(spec);
        inner.untold = untold;
        // Less than it was is not refused.
        let _ = inner.charge_probes();
    })
}

/// Bytes of all requests, and of one name in them, that the audit trail tells.
const SPEC_MAX: usize = 1024;
const SPEC_NAME_MAX: usize = 64;

/// Appends `PROVIDER:MODULE:FUNCTION:NAME` to what the audit trail tells of the session, or counts it
/// as not told. Long names are cut.
fn note_spec(inner: &mut Inner, provider: &[u8], module: &[u8], function: &[u8], name: &[u8]) {
    if inner.spec.len() >= SPEC_MAX {
        inner.untold = inner.untold.saturating_add(1);
        return;
    }
    let cut = |name: &[u8]| name.len().min(SPEC_NAME_MAX);
    let first = inner.spec.is_empty();
    let comma: &[u8] = if first { b"" } else { b"," };
    for part in [
        comma,
        provider,
        b":",
        module.get(..cut(module)).unwrap_or(module),
        b":",
        function.get(..cut(function)).unwrap_or(function),
        b":",
        name,
    ] {
        // What there is no memory for is missing from the record, which is made when it starts. It is little, and
        // not charged: `FUNCTIONS` may be held.
        let _ = inner.spec.extend_from_slice(part, GFP_KERNEL);
    }
}

/// The last part of a description for these kinds (RTRACE_PROBE_*).
fn kind_name(kinds: u32) -> &'static [u8] {
    match kinds {
        abi::RTRACE_PROBE_ENTRY => b"entry",
        abi::RTRACE_PROBE_RETURN => b"return",
        _ => b"",
    }
}

fn add_pattern(
    inner: &mut Inner,
    pattern: Pattern,
    flags: u32,
    group: u32,
) -> Result<(u32, u32), Refusal> {
    all_or_none(inner, |inner, before| {
        let mut step = Step::new(group);
        let kinds = flags & KINDS;
        let (mut matched, mut added) = (0, 0);
        for found in pattern.matches_all()? {
            matched += kinds.count_ones();
            added += inner.probes.add(found, kinds, &mut step, before)?;
        }
        let late = flags & abi::RTRACE_ADD_LATE != 0;
        if matched != 0 || late {
            let (module, function) = (&pattern.module, &pattern.function);
            note_spec(inner, b"fbt", module, function, kind_name(kinds));
        }
        // The kernel proper does not come again.
        if late && pattern.module.as_slice() != functions::VMLINUX {
            if inner.late.len() >= LATE_MAX {
                return Err(Refusal::with(
                    ENOSPC,
                    fmt!("a session may remember {LATE_MAX} patterns for later modules"),
                ));
            }
            let late = Late {
                pattern,
                kinds,
                group,
            };
            inner.late.push(late, GFP_KERNEL_ACCOUNT)?;
        }
        Ok((matched, added))
    })
}

fn add_ids(inner: &mut Inner, bytes: &[u8], group: u32) -> Result<(u32, u32), Refusal> {
    all_or_none(inner, |inner, before| {
        let mut wanted = KVVec::with_capacity(bytes.len() / 4, GFP_KERNEL)?;
        for id in bytes.chunks_exact(4) {
            // Not held while there are more: see `FUNCTIONS`.
            let table = FUNCTIONS.lock();
            let id = <[u8; 4]>::try_from(id).map_or(0, u32::from_ne_bytes);
            let probe = functions::probe_of(id);
            let probe = probe.filter(|(function, _)| *function < table.len());
            let probe = probe.map(|(function, kind)| {
                let function = arch::index_nospec(function as usize, table.len() as usize);
                (function as u32, kind)
            });
            let Some((function, kind)) = probe.filter(|(f, _)| table.site(*f).is_some()) else {
                return Err(Refusal::with(
                    ENOENT,
                    fmt!("there is no probe {id}: list the probes for the ids of today"),
                ));
            };
            let found = Match {
                function,
                name: table.primary_name(function),
            };
            let kinds = 1 << kind.number();
            wanted.push((found, kinds), GFP_KERNEL)?;
            let (module, name) = (table.module_name(function), table.name(found.name));
            note_spec(inner, b"fbt", module, name, kind_name(kinds));
        }
        let mut step = Step::new(group);
        let mut added = 0;
        for (found, kinds) in &wanted {
            added += inner.probes.add(*found, *kinds, &mut step, before)?;
        }
        Ok((wanted.len() as u32, added))
    })
}

/// What a listing tells of a probe.
struct Described<'a> {
    module: &'a [u8],
    name: &'a [u8],
    id: u32,
    function: u32,
    kind: u8,
    way: u32,
}

pub(super) fn probes(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (mut arg, size) = abi::read::<abi::rtrace_probes>(at)?;
    abi::must_be_zero(arg.flags, "flags")?;
    let room = room(arg.buf_len);
    let mut bytes = space(room)?;
    let subject = session.subject()?;
    let asker = session;
    let session = subject.as_deref().unwrap_or(asker);
    arg.count = 0;
    {
        let inner = session.inner_for(asker).ok_or_else(super::busy)?;
        super::must_be_kept(session)?;
        // By what a probe fires depends on who else is at its function, which is not for all nodes to know.
        let ways = inner.config.ways;
        let told = |by, kind, in_registers| match session.node.shows_data() {
            true => by,
            false => attach::by_itself(kind == Kind::Return, in_registers, ways),
        };
        let table = FUNCTIONS.lock();
        arg.total = inner.probes.len();
        arg.next = arg.first.min(arg.total);
        while arg.next < arg.total {
            let index = arch::index_nospec(arg.next as usize, arg.total as usize);
            let Some(probe) = inner.probes.get(index as u32) else {
                break;
            };
            let described = match probe.place {
                Place::Function {
                    function,
                    kind,
                    name,
                } => Some(Described {
                    module: table.module_name(function),
                    name: table.name(name),
                    id: functions::probe_id(function, kind),
                    function: function + 1,
                    kind: kind.number(),
                    way: probe.by.map_or(abi::RTRACE_WAY_NONE, |by| {
                        told(by, kind, table.in_registers(function)).way(kind)
                    }),
                }),
                Place::Own(number) => inner.probes.own(number).map(|own| Described {
                    module: &[],
                    name: &own.name,
                    id: own.id,
                    function: 0,
                    kind: own.kind as u8,
                    way: abi::RTRACE_WAY_NONE,
                }),
            };
            let Some(probe_is) = described else {
                break;
            };
            let (module, name) = (probe_is.module, probe_is.name);
            let entry_size = size_of::<abi::rtrace_probe>() + module.len() + name.len();
            let entry_size = entry_size.next_multiple_of(8);
            if bytes.len() + entry_size > room {
                break;
            }
            let way = if probe.attached {
                probe_is.way
            } else {
                abi::RTRACE_WAY_NONE
            };
            let entry = abi::rtrace_probe {
                entry_size: entry_size as u32,
                index: arg.next,
                id: probe_is.id,
                function: probe_is.function,
                kind: probe_is.kind,
                way: way as u8,
                why: probe.why as u16,
                module_len: module.len() as u16,
                name_len: name.len() as u16,
            };
            let end = bytes.len() + entry_size;
            for part in [entry.as_bytes(), module, name] {
                bytes.extend_from_slice(part, GFP_KERNEL)?;
            }
            bytes.resize(end, 0, GFP_KERNEL)?;
            arg.count += 1;
            arg.next += 1;
        }
    }
    if arg.count == 0 && arg.next < arg.total {
        return Err(too_small());
    }
    fill(arg.buf, &bytes)?;
    arg.filled = bytes.len() as u64;
    abi::write(at, size, &arg)
}
