// SPDX-License-Identifier: GPL-2.0

//! BTF made by hand, type by type, and what is read from it.

use crate::btf::{Btf, Known, Types};

/// BTF_KIND_*, as `include/uapi/linux/btf.h` numbers them.
pub mod kind {
    pub const INT: u32 = 1;
    pub const PTR: u32 = 2;
    pub const ARRAY: u32 = 3;
    pub const STRUCT: u32 = 4;
    pub const UNION: u32 = 5;
    pub const ENUM: u32 = 6;
    pub const FWD: u32 = 7;
    pub const TYPEDEF: u32 = 8;
    pub const VOLATILE: u32 = 9;
    pub const CONST: u32 = 10;
    pub const RESTRICT: u32 = 11;
    pub const FUNC: u32 = 12;
    pub const FUNC_PROTO: u32 = 13;
    pub const VAR: u32 = 14;
    pub const DATASEC: u32 = 15;
    pub const FLOAT: u32 = 16;
    pub const DECL_TAG: u32 = 17;
    pub const TYPE_TAG: u32 = 18;
    pub const ENUM64: u32 = 19;
}

/// The number of the type that is none.
pub const VOID: u32 = 0;

/// BTF to be. What adds a type returns its number.
pub struct Made {
    pub types: Vec<u8>,
    pub strings: Vec<u8>,
    count: u32,
}

impl Made {
    pub fn new() -> Self {
        Self {
            types: Vec::new(),
            strings: vec![0],
            count: 0,
        }
    }

    pub fn any(&mut self, name: &str, info: u32, third: u32, parts: &[u32]) -> u32 {
        let mut offset = 0;
        if !name.is_empty() {
            offset = self.strings.len() as u32;
            self.strings.extend(name.bytes());
            self.strings.push(0);
        }
        for word in [offset, info, third].iter().chain(parts) {
            self.types.extend(word.to_le_bytes());
        }
        self.count += 1;
        self.count
    }

    /// The number of the type that is added next.
    pub fn next(&self) -> u32 {
        self.count + 1
    }

    pub fn int(&mut self, bytes: u32) -> u32 {
        self.any("int", info(kind::INT, 0), bytes, &[8 * bytes])
    }

    pub fn float(&mut self, bytes: u32) -> u32 {
        self.any("float", info(kind::FLOAT, 0), bytes, &[])
    }

    pub fn enumeration(&mut self, kind: u32, bytes: u32) -> u32 {
        let parts = if kind == kind::ENUM64 { 3 } else { 2 };
        self.any("", info(kind, 2), bytes, &vec![0; 2 * parts])
    }

    /// A pointer, another name, or a qualifier.
    pub fn to(&mut self, kind: u32, other: u32) -> u32 {
        self.any("", info(kind, 0), other, &[])
    }

    pub fn array(&mut self, of: u32, count: u32) -> u32 {
        self.any("", info(kind::ARRAY, 0), 0, &[of, VOID, count])
    }

    /// With its fields' types and bits.
    pub fn record(&mut self, kind: u32, bytes: u32, fields: &[(u32, u32)]) -> u32 {
        let parts: Vec<u32> = fields.iter().flat_map(|&(of, bit)| [0, of, bit]).collect();
        self.any("", info(kind, fields.len()), bytes, &parts)
    }

    /// A structure of bit-fields: types, bits where they begin, and how many.
    pub fn bit_fields(&mut self, bytes: u32, fields: &[(u32, u32, u32)]) -> u32 {
        let part = |&(of, bit, bits): &(u32, u32, u32)| [0, of, (bits << 24) | bit];
        let parts: Vec<u32> = fields.iter().flat_map(part).collect();
        let info = info(kind::STRUCT, fields.len()) | (1 << 31);
        self.any("", info, bytes, &parts)
    }

    pub fn prototype(&mut self, result: u32, parameters: &[u32]) -> u32 {
        let parts: Vec<u32> = parameters.iter().flat_map(|&of| [0, of]).collect();
        let info = info(kind::FUNC_PROTO, parameters.len());
        self.any("", info, result, &parts)
    }

    pub fn function(&mut self, name: &str, prototype: u32) -> u32 {
        self.any(name, info(kind::FUNC, 1), prototype, &[])
    }

    pub fn bytes(&self) -> Vec<u8> {
        let (types, strings) = (self.types.len() as u32, self.strings.len() as u32);
        let mut bytes = Vec::new();
        for word in [0x0001_eb9f, 24, 0, types, types, strings] {
            bytes.extend(u32::to_le_bytes(word));
        }
        bytes.extend(&self.types);
        bytes.extend(&self.strings);
        bytes
    }
}

pub fn info(kind: u32, count: usize) -> u32 {
    (kind << 24) | count as u32
}

/// What is read of all functions; none if it cannot be read.
pub fn answers(bytes: &[u8]) -> Option<Vec<(String, bool)>> {
    let btf = Btf::new(bytes)?;
    let places: Vec<u32> = btf.places().collect::<Option<_>>()?;
    let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    let types = Types::new(btf, &places);
    let mut known = vec![Known::Nothing; places.len()];
    let functions = types
        .functions(&mut known)
        .map(|(name, yes)| (text(name), yes));
    Some(functions.collect())
}
