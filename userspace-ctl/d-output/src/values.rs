// SPDX-License-Identifier: GPL-2.0-only
//! What a program has recorded: the items of a firing and the keys of aggregations, taken
//! from bytes by what the compiler says of them.
#![forbid(unsafe_code)]

use std::fmt;

use d_compiler::compiled::{AddressForm, Form, Part};

use crate::world::{Probe, World};

/// The bytes are not what the program's description says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// This was to be read.
    Missing(&'static str),
    /// A stack that the program has kept is to be deeper than there is room for (EDT_DSIZE).
    Size,
}

impl Malformed {
    pub(crate) const fn new(what: &'static str) -> Self {
        Self::Missing(what)
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(what) => write!(
                f,
                "what the module wrote does not fit the program: no {what} is there"
            ),
            Self::Size => f.write_str("processing aborted: Data record has incorrect size"),
        }
    }
}

impl std::error::Error for Malformed {}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// A number.
    Integer {
        /// Extended to 64 bits.
        value: u64,
        /// Of its type: 1, 2, 4 or 8.
        bytes: u8,
        /// Of its type.
        signed: bool,
    },
    /// A pointer.
    Pointer(u64),
    /// Text, without its NUL.
    Text(Vec<u8>),
    /// Bytes of anything.
    Bytes(Vec<u8>),
    /// An array of characters.
    Characters(Vec<u8>),
    /// A kernel stack.
    Stack(Vec<u64>),
    /// A user stack.
    Ustack {
        /// The process.
        pid: u32,
        /// Addresses.
        frames: Vec<u64>,
    },
    /// An address of the kernel, to be shown by name.
    Kernel(AddressForm, u64),
    /// An address of a process, to be shown by name.
    User {
        /// How.
        form: AddressForm,
        /// The process.
        pid: u32,
        /// The address.
        address: u64,
    },
}

impl Value {
    /// A signed number of a type's width.
    pub fn signed(value: i64, bytes: u8) -> Self {
        Self::Integer {
            value: value as u64,
            bytes,
            signed: true,
        }
    }

    /// An unsigned one.
    pub fn unsigned(value: u64, bytes: u8) -> Self {
        Self::Integer {
            value,
            bytes,
            signed: false,
        }
    }

    /// Text.
    pub fn text(text: impl Into<Vec<u8>>) -> Self {
        Self::Text(text.into())
    }

    /// As a number, if it is one.
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Integer { value, .. } | Self::Pointer(value) | Self::Kernel(_, value) => {
                Some(*value)
            }
            Self::User { address, .. } => Some(*address),
            _ => None,
        }
    }
}

/// Reads numbers and bytes, one behind the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed::new(what))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn u64(&mut self, what: &'static str) -> Result<u64, Malformed> {
        let bytes = self.take(8, what)?;
        Ok(bytes
            .iter()
            .rev()
            .fold(0, |word, &byte| (word << 8) | u64::from(byte)))
    }

    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, Malformed> {
        let bytes = self.take(4, what)?;
        Ok(bytes
            .iter()
            .rev()
            .fold(0, |word, &byte| (word << 8) | u32::from(byte)))
    }

    /// So many bytes and the padding to a multiple of 8.
    pub(crate) fn padded(&mut self, count: u64, what: &'static str) -> Result<&'a [u8], Malformed> {
        let count = usize::try_from(count).or(Err(Malformed::new(what)))?;
        let padded = count
            .checked_next_multiple_of(8)
            .ok_or(Malformed::new(what))?;
        Ok(&self.take(padded, what)?[..count])
    }

    fn words(&mut self, count: u64, what: &'static str) -> Result<Vec<u64>, Malformed> {
        let bytes = count
            .checked_mul(8)
            .and_then(|bytes| usize::try_from(bytes).ok())
            .ok_or(Malformed::new(what))?;
        let mut words = Reader(self.take(bytes, what)?);
        (0..count).map(|_| words.u64(what)).collect()
    }

    fn pid(&mut self, what: &'static str) -> Result<u32, Malformed> {
        u32::try_from(self.u64(what)?).or(Err(Malformed::new(what)))
    }
}

/// A number of a type's width; the module holds numbers extended, so this changes nothing for
/// a record that is as it should be.
fn integer(value: u64, bytes: u8, signed: bool) -> Value {
    let unused = 64 - 8 * u32::from(bytes.clamp(1, 8));
    let value = match signed {
        true => ((value << unused) as i64 >> unused) as u64,
        false => value << unused >> unused,
    };
    Value::Integer {
        value,
        bytes,
        signed,
    }
}

/// Text up to the first NUL.
fn text(bytes: &[u8]) -> Vec<u8> {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    bytes[..end].to_vec()
}

fn part(probe: Option<Probe>, part: Part) -> Value {
    let probe = probe.unwrap_or_default();
    Value::Text(
        match part {
            Part::Provider => probe.provider,
            Part::Module => probe.module,
            Part::Function => probe.function,
            Part::Name => probe.name,
        }
        .into_bytes(),
    )
}

/// Whether the address is one of a process.
fn is_user(form: AddressForm) -> bool {
    matches!(
        form,
        AddressForm::UserFunction | AddressForm::UserAddress | AddressForm::UserModule
    )
}

/// The address by which those that are shown alike count as one key.
fn normal(form: AddressForm, address: u64, symbol: Option<crate::world::Symbol>) -> u64 {
    match (form, symbol) {
        (AddressForm::Module | AddressForm::UserModule, Some(symbol)) => symbol.base,
        (AddressForm::Function | AddressForm::UserFunction, Some(symbol)) => {
            symbol.name.map_or(address, |(_, start)| start)
        }
        _ => address,
    }
}

/// A stack that was in memory (`struct rtrace_stack`), where its program may have written anything.
fn stack(reader: &mut Reader) -> Result<Value, Malformed> {
    let head = reader.u64("stack")?;
    let pid = reader.u64("process")? as u32;
    let mut frames = reader.words(reader.0.len() as u64 / 8, "stack")?;
    let depth = head as u32 as usize;
    if depth > frames.len() {
        return Err(Malformed::Size);
    }
    frames.truncate(depth);
    Ok(match head >> 32 {
        0 => Value::Stack(frames),
        _ => Value::Ustack { pid, frames },
    })
}

/// An item's payload as a value. `probe` is the firing's.
pub fn item(
    form: &Form,
    payload: &[u8],
    probe: u32,
    world: &dyn World,
) -> Result<Value, Malformed> {
    let mut reader = Reader(payload);
    Ok(match *form {
        Form::Integer { bytes, signed } => integer(reader.u64("number")?, bytes, signed),
        Form::Pointer => Value::Pointer(reader.u64("pointer")?),
        Form::String => Value::Text(text(payload)),
        Form::Bytes(_) => Value::Bytes(payload.to_vec()),
        Form::Characters(_) => Value::Characters(payload.to_vec()),
        Form::Probe(which) => part(world.probe(probe), which),
        Form::Stack(_) => Value::Stack(reader.words(payload.len() as u64 / 8, "stack")?),
        Form::Ustack(_) => Value::Ustack {
            pid: reader.pid("process")?,
            frames: reader.words(reader.0.len() as u64 / 8, "user stack")?,
        },
        Form::StackValue(_) => stack(&mut reader)?,
        Form::Address(form) if is_user(form) => Value::User {
            form,
            pid: reader.pid("process")?,
            address: reader.u64("address")?,
        },
        Form::Address(form) => Value::Kernel(form, reader.u64("address")?),
    })
}

/// An entry's keys. Probes become their names, and addresses those of their symbols and
/// modules, so that what is shown alike is one key.
pub fn keys(forms: &[Form], bytes: &[u8], world: &dyn World) -> Result<Vec<Value>, Malformed> {
    let mut reader = Reader(bytes);
    let keys = forms
        .iter()
        .map(|form| key(form, &mut reader, world))
        .collect::<Result<_, _>>()?;
    if reader.0.is_empty() {
        Ok(keys)
    } else {
        Err(Malformed::new("end of keys"))
    }
}

fn key(form: &Form, reader: &mut Reader, world: &dyn World) -> Result<Value, Malformed> {
    Ok(match *form {
        Form::Integer { bytes, signed } => integer(reader.u64("number")?, bytes, signed),
        Form::Pointer => Value::Pointer(reader.u64("pointer")?),
        Form::String => {
            let length = reader.u64("string")?;
            Value::Text(text(reader.padded(length, "string")?))
        }
        Form::Bytes(_) => {
            let length = reader.u64("bytes")?;
            Value::Bytes(reader.padded(length, "bytes")?.to_vec())
        }
        Form::Characters(_) => {
            let length = reader.u64("bytes")?;
            Value::Characters(reader.padded(length, "bytes")?.to_vec())
        }
        Form::Probe(which) => {
            let index = reader.u64("probe")?;
            part(
                u32::try_from(index).ok().and_then(|i| world.probe(i)),
                which,
            )
        }
        Form::Stack(_) => {
            let count = reader.u64("stack")?;
            Value::Stack(reader.words(count, "stack")?)
        }
        Form::Ustack(_) => {
            let count = reader.u64("user stack")?;
            Value::Ustack {
                pid: reader.pid("process")?,
                frames: reader.words(count, "user stack")?,
            }
        }
        Form::StackValue(_) => {
            let length = reader.u64("stack")?;
            stack(&mut Reader(reader.padded(length, "stack")?))?
        }
        Form::Address(form) if is_user(form) => {
            let (pid, address) = (reader.pid("process")?, reader.u64("address")?);
            Value::User {
                form,
                pid,
                address: normal(form, address, world.user(pid, address)),
            }
        }
        Form::Address(form) => {
            let address = reader.u64("address")?;
            Value::Kernel(form, normal(form, address, world.kernel(address)))
        }
    })
}
