// SPDX-License-Identifier: GPL-2.0

//! The listing of RTRACE_IOC_FUNCTIONS, a page at a time.

#![forbid(unsafe_code)]

use kernel::{
    prelude::*,
    transmute::AsBytes, //
};

use super::{
    probe_id,
    untraceable,
    Kind,
    Match,
    Pattern,
    Table,
    FUNCTIONS,
    VMLINUX, //
};
use crate::{
    abi,
    arch,
    glob,
    opener,
    refusal::Refusal, //
};

pub(crate) struct Request {
    pub(crate) pattern: Pattern,
    /// RTRACE_FUNCTIONS_*.
    pub(crate) flags: u32,
    pub(crate) cursor: u64,
    /// Bytes that the page may have.
    pub(crate) room: usize,
    /// RTRACE_WAY_* that a probe of a kind would get.
    pub(crate) way: fn(Kind, in_registers: bool) -> u32,
}

/// Entries, ready to be copied out.
pub(crate) struct Page {
    pub(crate) bytes: KVVec<u8>,
    pub(crate) count: u32,
    /// Where the next page begins; 0: this is the last.
    pub(crate) cursor: u64,
}

/// What a cursor holds: the table's generation (16 bits), whether the listing has come to
/// what cannot be traced, and the index to go on at, plus 1 so that none is 0.
struct Cursor {
    untraceable: bool,
    index: u32,
}

impl Cursor {
    fn read(cursor: u64, generation: u64) -> Result<Self, Refusal> {
        if cursor == 0 {
            return Ok(Self {
                untraceable: false,
                index: 0,
            });
        }
        if cursor >> 48 != generation & 0xffff {
            return Err(stale());
        }
        Ok(Self {
            untraceable: cursor & (1 << 40) != 0,
            index: (cursor as u32).wrapping_sub(1),
        })
    }

    fn write(&self, generation: u64) -> u64 {
        (generation & 0xffff) << 48
            | u64::from(self.untraceable) << 40
            | u64::from(self.index.wrapping_add(1))
    }
}

fn stale() -> Refusal {
    Refusal::new(
        ESTALE,
        "a module was loaded or unloaded while its functions were listed: begin again",
    )
}

/// One page of the listing, in a space of the request's room. Task context; nothing is copied to user space here.
pub(crate) fn list(request: &Request, space: KVVec<u8>) -> Result<Page, Refusal> {
    let mut page = Page {
        bytes: space,
        count: 0,
        cursor: 0,
    };
    let (generation, len) = {
        let table = FUNCTIONS.lock();
        (table.generation(), table.len())
    };
    let mut at = Cursor::read(request.cursor, generation)?;
    if !at.untraceable {
        // One beyond the table was made up, and begins anew.
        at.index = arch::index_nospec(at.index as usize, len as usize) as u32;
        let mut rest = at.index..len;
        loop {
            if opener::is_killed() {
                return Err(EINTR.into());
            }
            let table = FUNCTIONS.lock();
            if table.generation() != generation {
                return Err(stale());
            }
            let Some(part) = table.part(&request.pattern, rest) else {
                break;
            };
            rest = part.rest;
            for found in table.matches(&request.pattern, part.indices) {
                at.index = found.function;
                if !page.add_function(&table, found, request)? {
                    page.cursor = at.write(generation);
                    return Ok(page);
                }
            }
        }
        at = Cursor {
            untraceable: true,
            index: 0,
        };
    }
    if request.flags & abi::RTRACE_FUNCTIONS_UNTRACEABLE == 0
        || !glob::matches(&request.pattern.module, VMLINUX)
    {
        return Ok(page);
    }
    let mut index = 0;
    let mut full = false;
    let walk = untraceable::each(|name, why| {
        if glob::matches(&request.pattern.function, name) {
            if index >= at.index {
                let entry = abi::rtrace_function {
                    why: why as u16,
                    ..Default::default()
                };
                if !page.add(entry, VMLINUX, name, &[], request.room)? {
                    full = true;
                    return Err(ENOSPC);
                }
            }
            index += 1;
        }
        Ok(())
    });
    if full {
        at.index = index;
        page.cursor = at.write(generation);
    } else {
        walk?;
    }
    Ok(page)
}

impl Page {
    fn add_function(&mut self, table: &Table, found: Match, request: &Request) -> Result<bool> {
        let Match { function, name } = found;
        let aliases = request.flags & abi::RTRACE_FUNCTIONS_ALIASES != 0;
        let in_registers = table.in_registers(function);
        let entry = abi::rtrace_function {
            function: function + 1,
            entry_id: probe_id(function, Kind::Entry),
            return_id: probe_id(function, Kind::Return),
            entry_way: (request.way)(Kind::Entry, in_registers) as u8,
            return_way: (request.way)(Kind::Return, in_registers) as u8,
            ..Default::default()
        };
        let mut others = KVec::new();
        if let Some(function) = table.functions.get(function as usize).filter(|_| aliases) {
            for (_, other) in table.names_of(function).filter(|(other, _)| *other != name) {
                if !others.is_empty() {
                    others.push(b' ', GFP_KERNEL)?;
                }
                others.extend_from_slice(other, GFP_KERNEL)?;
            }
        }
        let module = table.module_name(function);
        self.add(entry, module, table.name(name), &others, request.room)
    }

    /// Appends an entry; false if there is no room for it.
    fn add(
        &mut self,
        mut entry: abi::rtrace_function,
        module: &[u8],
        name: &[u8],
        aliases: &[u8],
        room: usize,
    ) -> Result<bool> {
        let texts = module.len() + name.len() + aliases.len();
        let size = (size_of::<abi::rtrace_function>() + texts).next_multiple_of(8);
        if self.bytes.len() + size > room {
            return Ok(false);
        }
        entry.entry_size = size as u32;
        entry.module_len = module.len() as u16;
        entry.name_len = name.len() as u16;
        entry.aliases_len = aliases.len() as u32;
        let end = self.bytes.len() + size;
        for part in [entry.as_bytes(), module, name, aliases] {
            self.bytes.extend_from_slice(part, GFP_KERNEL)?;
        }
        self.bytes.resize(end, 0, GFP_KERNEL)?;
        self.count += 1;
        Ok(true)
    }
}
