// SPDX-License-Identifier: GPL-2.0

//! What a clause does that is too large for the interpreter's loop: variables, memory, strings,
//! keys and items that are no numbers.
//!
//! Contexts: any, as the probe path. Nothing here allocates or panics.

#![forbid(unsafe_code)]

use super::{
    bytes::copy,
    fault,
    insn::{
        op,
        var,
        Insn, //
    },
    interpret::{
        State,
        Stop, //
    },
    memory::{
        Text,
        CONSTANT_BASE,
        GLOBAL_BASE,
        OWN_BASE, //
    },
    scope,
    strings,
    subroutines,
    value,
    Fault,
    NotSpeculated,
    Slot,
    World, //
};

/// In a probe's index as a key: it is known by its name as a system call.
const PROBE_SYSCALL: u64 = 1 << 31;

/// The key that stands for a probe's name, which may be that of its system call.
pub(super) fn probe_key(index: u64, is_system_call: bool) -> u64 {
    let name = if is_system_call { PROBE_SYSCALL } else { 0 };
    index | name
}

/// A string variable that was set to NULL is empty, and has this as its last byte, which in a string is a NUL.
const NO_TEXT: u8 = 0xff;
/// The first word of a global one: behind its NUL its string has only zeroes.
const NO_TEXT_WORD: u64 = u64::from_ne_bytes([0, NO_TEXT, 0, 0, 0, 0, 0, 0]);

/// The most bytes of a variable's string.
#[inline]
fn text_max(slot: Slot) -> usize {
    (slot.bytes as usize).saturating_sub(1)
}

impl<W: World> State<'_, W> {
    /// Operations that are not in the loop. What they give, if they give something.
    #[inline(never)]
    pub(super) fn other(
        &mut self,
        insn: Insn,
        a: u64,
        b: u64,
        arguments: [u64; subroutines::ARGUMENTS],
    ) -> Result<Option<u64>, Stop> {
        let i = i64::from(insn.i) as u64;
        Ok(match insn.op {
            op::LDV => Some(self.load_variable(i)?),
            op::STV => {
                self.store_variable(i, a)?;
                None
            }
            op::LDC => match self.program.constants.get(i as usize) {
                Some(&number) => Some(number),
                None => return Err(Fault::of(fault::ILLOP).into()),
            },
            op::LDSC => Some(CONSTANT_BASE.wrapping_add(i)),
            op::FREE => {
                self.memory.free(a);
                None
            }
            op::DIV..=op::MODU => Some(divide(insn.op, a, b)?),
            op::LD8..=op::LDSX32 => Some(self.load(insn.op, a.wrapping_add(i))?),
            op::ST8..=op::ST64 => {
                self.store(insn.op, a.wrapping_add(i), b)?;
                None
            }
            op::LDD => Some(self.load_dynamic(i)?),
            op::STD => {
                self.store_dynamic(i, a)?;
                None
            }
            op::KEYS..=op::KEYU => {
                self.other_key(insn, a)?;
                None
            }
            op::EMITS..=op::EMITU => {
                self.other_item(insn, a, b)?;
                None
            }
            op::SPECNEW => Some(self.world.speculation()),
            op::SPECULATE => {
                match self.world.speculate(a, insn.i as u32) {
                    Err(NotSpeculated::Full) => self.unspeculated = true,
                    mark => self.speculation = mark?,
                }
                None
            }
            op::COMMIT | op::DISCARD => {
                self.end_speculation(insn, a)?;
                None
            }
            op::BOUND if a >= i => {
                return Err(Fault {
                    kind: fault::BADINDEX,
                    address: a,
                }
                .into())
            }
            op::SIZE if a >= i => return Err(Fault::bad_size(a).into()),
            op::BOUND | op::SIZE => None,
            op::EXIT => {
                self.emit(insn.i, a)?;
                self.exits = true;
                None
            }
            op::CALL => Some(subroutines::call(
                &mut self.memory,
                self.world,
                i as u32,
                arguments,
                insn.b,
            )?),
            _ => Some(self.string(insn, a, b)?),
        })
    }

    /// COMMIT and DISCARD. What COMMIT ends has not ended before [`State::settle`] says so.
    #[inline(never)]
    fn end_speculation(&mut self, insn: Insn, number: u64) -> Result<(), Fault> {
        if number > self.program.speculations.into() {
            return Err(Fault::of(fault::ILLOP));
        }
        let commits = insn.op == op::COMMIT;
        let Some(mark) = self.world.end_speculation(number, commits) else {
            return Ok(());
        };
        let emitted = self.emit(insn.i, mark);
        if !commits {
            return emitted;
        }
        self.commits = true;
        if emitted.is_err() {
            self.world.settle_speculation(mark, false);
        }
        emitted
    }

    /// Whether what was committed has ended: its items are in a record. Else it goes on.
    pub(super) fn settle(&mut self, ended: bool) {
        self.commits = false;
        let items = self.items.get(..self.item_words).unwrap_or(&[]);
        // Beside COMMIT there is only DISCARD, whose items look the same.
        for item in items.chunks_exact(2) {
            if let [_, mark] = item {
                self.world.settle_speculation(*mark, ended);
            }
        }
    }

    /// Operations that make or compare strings and bytes.
    #[inline(never)]
    fn string(&mut self, insn: Insn, a: u64, b: u64) -> Result<u64, Fault> {
        let State { memory, world, .. } = self;
        let limit = match usize::try_from(insn.i) {
            Ok(limit) if limit > 0 => limit,
            _ => usize::MAX,
        };
        match insn.op {
            op::SCMP => {
                let mark = memory.mark();
                // As in DTrace, no string is as an empty one.
                let first = if a != 0 {
                    Some(memory.text(*world, a, usize::MAX)?)
                } else {
                    None
                };
                let second = if b != 0 {
                    Some(memory.text(*world, b, usize::MAX)?)
                } else {
                    None
                };
                let sources = memory.sources();
                let bytes = |text: Option<Text>| text.map_or(&[][..], |text| sources.bytes(text));
                let result = strings::compare(bytes(first), bytes(second));
                memory.give_back(mark);
                Ok(result as u64)
            }
            op::LDSTR => Ok(memory.temporary(*world, a, limit)?.address()),
            op::LDMEM => memory.duplicate(*world, a, limit as u64),
            op::GETSTR => {
                let text = memory.receive(usize::MAX, |into| world.text(insn.i as u32, into))?;
                Ok(text.address())
            }
            _ => Err(Fault::of(fault::ILLOP)),
        }
    }

    #[inline(never)]
    fn load(&mut self, operation: u8, address: u64) -> Result<u64, Fault> {
        let State { memory, world, .. } = self;
        let world = &mut **world;
        Ok(match operation {
            op::LD64 => u64::from_le_bytes(memory.load(world, address)?),
            op::LD32 => u32::from_le_bytes(memory.load(world, address)?).into(),
            op::LD16 => u16::from_le_bytes(memory.load(world, address)?).into(),
            op::LD8 => u8::from_le_bytes(memory.load(world, address)?).into(),
            op::LDSX32 => i32::from_le_bytes(memory.load(world, address)?) as u64,
            op::LDSX16 => i16::from_le_bytes(memory.load(world, address)?) as u64,
            _ => i8::from_le_bytes(memory.load(world, address)?) as u64,
        })
    }

    #[inline(never)]
    fn store(&mut self, operation: u8, address: u64, number: u64) -> Result<(), Fault> {
        let len = match operation {
            op::ST8 => 1,
            op::ST16 => 2,
            op::ST32 => 4,
            _ => 8,
        };
        let State { memory, world, .. } = self;
        let number = number.to_le_bytes();
        memory.store(*world, address, number.get(..len).unwrap_or(&[]))
    }

    fn slot(&self, index: u64) -> Result<Slot, Fault> {
        match self.program.slots.get(index as usize) {
            Some(slot) => Ok(*slot),
            None => Err(Fault::of(fault::ILLOP)),
        }
    }

    #[inline(never)]
    fn load_variable(&mut self, index: u64) -> Result<u64, Fault> {
        let slot = self.slot(index)?;
        if slot.scope == scope::LOCAL {
            if slot.value == value::STRING {
                if let Some([0, .., NO_TEXT]) = self.memory.local(slot.offset, slot.bytes) {
                    return Ok(0);
                }
            }
            if slot.value != value::SCALAR {
                return Ok(OWN_BASE.wrapping_add(slot.offset.into()));
            }
            let bytes = self.memory.local(slot.offset, 8);
            let number = bytes.and_then(|bytes| bytes.first_chunk().copied());
            return Ok(u64::from_le_bytes(number.unwrap_or([0; 8])));
        }
        if slot.scope != scope::GLOBAL {
            return Err(Fault::of(fault::ILLOP));
        }
        let at = slot.offset as usize / 8;
        let State { memory, world, .. } = self;
        match slot.value {
            value::SCALAR => Ok(world.load_global(at)),
            value::STRING if world.load_global(at) == NO_TEXT_WORD => Ok(0),
            value::STRING => {
                let text = memory.build(text_max(slot), |_, into| {
                    Ok(world.load_global_text(at, into))
                })?;
                Ok(text.address())
            }
            _ => Ok(GLOBAL_BASE.wrapping_add(slot.offset.into())),
        }
    }

    #[inline(never)]
    fn store_variable(&mut self, index: u64, new: u64) -> Result<(), Fault> {
        let slot = self.slot(index)?;
        if slot.scope != scope::GLOBAL && slot.scope != scope::LOCAL {
            return Err(Fault::of(fault::ILLOP));
        }
        let at = slot.offset as usize / 8;
        if slot.value == value::SCALAR {
            if slot.scope != scope::LOCAL {
                self.world.store_global(at, new);
            } else if let Some(bytes) = self.memory.local(slot.offset, 8) {
                copy(&new.to_le_bytes(), bytes);
            }
            return Ok(());
        }
        if slot.scope == scope::LOCAL {
            return self.store_local(slot, new);
        }
        if slot.value == value::STRING && new == 0 {
            self.world.store_global(at, NO_TEXT_WORD);
            return Ok(());
        }
        let mark = self.memory.mark();
        let new = self.value(slot, new)?;
        let State { memory, world, .. } = self;
        let source = memory.sources().bytes(new);
        if slot.value == value::STRING {
            world.store_global_text(at, slot.bytes as usize, source);
        } else {
            world.store_global_bytes(at, source);
        }
        memory.give_back(mark);
        Ok(())
    }

    /// Sets a clause-local variable that is a string or bytes.
    fn store_local(&mut self, slot: Slot, new: u64) -> Result<(), Fault> {
        let State { memory, world, .. } = self;
        if new == 0 {
            if let Some(bytes) = memory.local(slot.offset, slot.bytes) {
                bytes.fill(0);
                if let (value::STRING, [_, .., last]) = (slot.value, bytes) {
                    *last = NO_TEXT;
                }
            }
            return Ok(());
        }
        if slot.value == value::STRING {
            let mark = memory.mark();
            let text = memory.text(*world, new, text_max(slot))?;
            memory.set_local_text(slot.offset, slot.bytes, text);
            memory.give_back(mark);
            return Ok(());
        }
        let to = OWN_BASE.wrapping_add(slot.offset.into());
        memory.transfer(*world, new, to, slot.bytes.into())
    }

    /// What a variable that is a string or bytes is set to. Bytes at pointer 0: zeroes.
    fn value(&mut self, slot: Slot, new: u64) -> Result<Text, Fault> {
        let State { memory, world, .. } = self;
        if slot.value == value::STRING {
            return memory.text(*world, new, text_max(slot));
        }
        let address = if new == 0 {
            memory.allocate(slot.bytes.into())?.0
        } else {
            new
        };
        memory.bytes(*world, address, slot.bytes)
    }

    /// The keys of a dynamic variable: the tuple, or none.
    fn keys_of(&self, slot: Slot, index: u64) -> Result<usize, Fault> {
        match slot.scope {
            scope::THREAD => return Ok(0),
            scope::ARRAY | scope::THREAD_ARRAY => (),
            _ => return Err(Fault::of(fault::ILLOP)),
        }
        let limit = self.program.variables.get(index as usize);
        let limit = limit.map_or(0, |variable| variable.keys);
        if self.key_words > limit as usize / 8 {
            return Err(Fault::of(fault::TUPOFLOW));
        }
        Ok(self.key_words)
    }

    #[inline(never)]
    fn load_dynamic(&mut self, index: u64) -> Result<u64, Fault> {
        let slot = self.slot(index)?;
        let len = self.keys_of(slot, index)?;
        let keys = self.keys.get(..len).unwrap_or(&[]);
        if slot.value == value::SCALAR {
            return Ok(self.world.load_dynamic(index as u32, keys));
        }
        let State { memory, world, .. } = self;
        if slot.value == value::STRING {
            let mut is_there = false;
            let text = memory.build(text_max(slot), |_, into| {
                is_there = world.load_dynamic_bytes(index as u32, keys, into);
                Ok(if is_there {
                    strings::span(into, |byte| byte != 0)
                } else {
                    0
                })
            })?;
            return Ok(if is_there { text.address() } else { 0 });
        }
        let (address, into) = memory.allocate(slot.bytes.into())?;
        if !world.load_dynamic_bytes(index as u32, keys, into) {
            into.fill(0);
        }
        Ok(address)
    }

    #[inline(never)]
    fn store_dynamic(&mut self, index: u64, new: u64) -> Result<(), Fault> {
        let slot = self.slot(index)?;
        let len = self.keys_of(slot, index)?;
        if new == 0 {
            let keys = self.keys.get(..len).unwrap_or(&[]);
            self.world.free_dynamic(index as u32, keys);
            return Ok(());
        }
        if slot.value == value::SCALAR {
            let keys = self.keys.get(..len).unwrap_or(&[]);
            self.world.store_dynamic(index as u32, keys, new);
            return Ok(());
        }
        let mark = self.memory.mark();
        let new = self.value(slot, new)?;
        let keys = self.keys.get(..len).unwrap_or(&[]);
        let value = self.memory.sources().bytes(new);
        self.world.store_dynamic_bytes(index as u32, keys, value);
        self.memory.give_back(mark);
        Ok(())
    }

    /// Keys that are not numbers of a register.
    #[inline(never)]
    fn other_key(&mut self, insn: Insn, a: u64) -> Result<(), Fault> {
        match insn.op {
            op::KEYP => {
                let probe = self.world.number(var::PROBE)?;
                self.key(probe_key(probe, self.syscall))
            }
            op::KEYS => {
                let mark = self.memory.mark();
                let text = self.memory.text(self.world, a, usize::MAX)?;
                self.key_bytes(text.address(), text.len)?;
                self.memory.give_back(mark);
                Ok(())
            }
            op::KEYB => self.key_bytes(a, insn.i as u32 as usize),
            _ => self.stack_key(insn),
        }
    }

    /// A stack as a key.
    fn stack_key(&mut self, insn: Insn) -> Result<(), Fault> {
        let user = insn.op == op::KEYU;
        let wanted = insn.i as u32 as usize;
        let at = self.key_words;
        self.key(0)?;
        if user {
            self.key(0)?;
        }
        let start = self.key_words;
        let rest = self.keys.get_mut(start..).unwrap_or(&mut []);
        let room = wanted.min(rest.len());
        let frames = rest.get_mut(..room).unwrap_or(&mut []);
        let (pid, count) = if user {
            self.world.user_stack(frames)
        } else {
            (0, self.world.kernel_stack(frames))
        };
        let count = count.min(room);
        if count == room && room < wanted {
            return Err(Fault::of(fault::TUPOFLOW));
        }
        self.key_words = start.wrapping_add(count);
        if let Some(word) = self.keys.get_mut(at) {
            *word = count as u64;
        }
        if let (true, Some(word)) = (user, self.keys.get_mut(at.wrapping_add(1))) {
            *word = pid;
        }
        Ok(())
    }

    /// Items that are not a number.
    #[inline(never)]
    fn other_item(&mut self, insn: Insn, a: u64, b: u64) -> Result<(), Fault> {
        match insn.op {
            op::EMITP => self.item(insn.i, 0).map(|_| ()),
            op::EMITS => {
                let mark = self.memory.mark();
                let text = self.memory.text(self.world, a, usize::MAX)?;
                self.emit_bytes(insn.i, text.address(), text.len as u64)?;
                self.memory.give_back(mark);
                Ok(())
            }
            op::EMITB => self.emit_bytes(insn.i, a, b),
            _ => self.stack_item(insn),
        }
    }

    fn emit_bytes(&mut self, name: i32, address: u64, bytes: u64) -> Result<(), Fault> {
        // Longer ones are too long whatever the word size.
        let bytes = bytes.min(u32::MAX.into()) as usize;
        let start = self.item_words.wrapping_add(1);
        self.item(name, bytes)?;
        let State {
            memory,
            world,
            items,
            ..
        } = self;
        let into = items.get_mut(start..self.item_words).unwrap_or(&mut []);
        memory.copy_out(*world, address, bytes, into)
    }

    /// A stack as an item.
    fn stack_item(&mut self, insn: Insn) -> Result<(), Fault> {
        let user = insn.op == op::EMITU;
        let wanted = usize::from(u16::from_le_bytes([insn.a, insn.b]));
        let start = self.item_words;
        let head = if user { 2 } else { 1 };
        let rest = self.items.get_mut(start.wrapping_add(head)..);
        let Some(rest) = rest else {
            return Err(Fault::of(fault::TOOBIG));
        };
        let room = wanted.min(rest.len());
        let frames = rest.get_mut(..room).unwrap_or(&mut []);
        let (pid, count) = if user {
            self.world.user_stack(frames)
        } else {
            (0, self.world.kernel_stack(frames))
        };
        let count = count.min(room);
        if count == room && room < wanted {
            return Err(Fault::of(fault::TOOBIG));
        }
        let words = count.wrapping_add(head).wrapping_sub(1);
        let payload = self.item(insn.i, words.wrapping_mul(8))?;
        if let (true, Some(word)) = (user, payload.first_mut()) {
            *word = pid;
        }
        Ok(())
    }
}

/// Quotients and remainders. The least number by -1 is itself, as it wraps.
fn divide(operation: u8, a: u64, b: u64) -> Result<u64, Fault> {
    if b == 0 {
        return Err(Fault::of(fault::DIVZERO));
    }
    let (sa, sb) = (a as i64, b as i64);
    Ok(match operation {
        op::DIV => sa.checked_div(sb).unwrap_or(sa) as u64,
        op::DIVU => a.checked_div(b).unwrap_or(0),
        op::MOD => sa.checked_rem(sb).unwrap_or(0) as u64,
        _ => a.checked_rem(b).unwrap_or(0),
    })
}
