// SPDX-License-Identifier: GPL-2.0-only
//! Types that a program makes: derived from others, or declared. What is refused, and the words
//! for it, are libdtrace's (dt_decl.c, dt_parser.c).
#![forbid(unsafe_code)]

use std::collections::HashSet;

use super::layout::Layout;
use super::{Enumeration, Kind, Named, TypeError, TypeId, Types, intrinsic, kernel};

/// A member of a struct or union that is being declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Empty: an anonymous struct or union, or bits that only fill.
    pub name: String,
    /// Its type.
    pub ty: TypeId,
    /// Of a bit-field: how many bits.
    pub bits: Option<u64>,
}

impl Types {
    pub(super) fn add(&mut self, kind: Kind) -> TypeId {
        let ty = TypeId(self.arena.len() as u32);
        self.arena.push(kind);
        ty
    }

    /// The type that is derived from others in this way: there is one for each way.
    fn derive(&mut self, kind: Kind) -> TypeId {
        if let Some(&ty) = self.derived.get(&kind) {
            return ty;
        }
        let ty = self.add(kind.clone());
        self.derived.insert(kind, ty);
        ty
    }

    /// Pointer to it.
    pub fn pointer_to(&mut self, to: TypeId) -> TypeId {
        self.derive(Kind::Pointer(to))
    }

    /// `const`
    pub fn constant(&mut self, ty: TypeId) -> TypeId {
        self.derive(Kind::Const(ty))
    }

    /// `volatile`
    pub fn volatile(&mut self, ty: TypeId) -> TypeId {
        self.derive(Kind::Volatile(ty))
    }

    /// Array of so many; 0: `[]`.
    ///
    /// # Errors
    ///
    /// D_DECL_VOIDOBJ: of void or functions. D_DECL_ARRBIG: it has more than 4 GiB.
    pub fn array_of(&mut self, of: TypeId, count: u32) -> Result<TypeId, TypeError> {
        match self.kind(self.resolve(of)) {
            Kind::Void => {
                return Err(TypeError::new(
                    "D_DECL_VOIDOBJ",
                    "cannot declare array of void",
                ));
            }
            Kind::Function { .. } => {
                return Err(TypeError::new(
                    "D_DECL_VOIDOBJ",
                    "cannot declare array of functions",
                ));
            }
            _ => {}
        }
        let bytes = self.room(of).unwrap_or(0).checked_mul(u64::from(count));
        if bytes.is_none_or(|bytes| bytes > u64::from(u32::MAX)) {
            return Err(TypeError::new("D_DECL_ARRBIG", "array dimension too big"));
        }
        Ok(self.derive(Kind::Array { of, count }))
    }

    /// Function. Parameters that are arrays or functions are pointers, as in C.
    ///
    /// # Errors
    ///
    /// D_DECL_PROTO_TYPE: a parameter is void (the caller knows `(void)`). D_DECL_COMBO: the result
    /// is an array or function.
    pub fn function_of(
        &mut self,
        result: TypeId,
        parameters: Vec<TypeId>,
        variadic: bool,
    ) -> Result<TypeId, TypeError> {
        if self.is_array(result) || self.is_function(result) {
            return Err(TypeError::new(
                "D_DECL_COMBO",
                format!("function may not return type {}", self.name(result)),
            ));
        }
        let mut adjusted = Vec::with_capacity(parameters.len());
        for (index, ty) in parameters.into_iter().enumerate() {
            if self.is_void(ty) {
                return Err(TypeError::new(
                    "D_DECL_PROTO_TYPE",
                    format!(
                        "function prototype may not use parameter of type {}: parameter #{}",
                        self.name(ty),
                        index + 1
                    ),
                ));
            }
            adjusted.push(match self.kind(self.resolve(ty)) {
                &Kind::Array { of, .. } => self.pointer_to(of),
                Kind::Function { .. } => self.pointer_to(ty),
                _ => ty,
            });
        }
        Ok(self.derive(Kind::Function {
            result,
            parameters: adjusted,
            variadic,
        }))
    }

    /// `struct tag`, `union tag`: that of the program or, if it has none, of the kernel or, if it
    /// has none either, one that is declared from here on but not complete.
    pub fn record(&mut self, union: bool, tag: &str) -> TypeId {
        let named = if union {
            Named::Union(tag)
        } else {
            Named::Struct(tag)
        };
        match self.lookup(None, named) {
            Some(ty) => ty,
            None => self.forward(union, Some(tag)),
        }
    }

    /// `enum tag`: that of the program or of the kernel, or one that nobody describes, which as a
    /// struct that is not complete has no size.
    pub fn enumeration(&mut self, tag: &str) -> TypeId {
        match self.lookup(None, Named::Enum(tag)) {
            Some(ty) => ty,
            None => self.add(Kind::Forward {
                union: false,
                tag: format!("enum {tag}"),
            }),
        }
    }

    fn forward(&mut self, union: bool, tag: Option<&str>) -> TypeId {
        let ty = self.add(Kind::Forward {
            union,
            tag: tag.unwrap_or("").to_owned(),
        });
        if let Some(tag) = tag {
            let tags = if union {
                &mut self.unions
            } else {
                &mut self.structs
            };
            tags.insert(tag.to_owned(), ty);
        }
        ty
    }

    /// Begins `struct tag { … }`: its members may point to it already. Pass the result to
    /// [`Types::complete_record`].
    ///
    /// # Errors
    ///
    /// D_DECL_TYPERED: the program has one of this tag already.
    pub fn begin_record(&mut self, union: bool, tag: Option<&str>) -> Result<TypeId, TypeError> {
        if let Some(tag) = tag {
            let tags = if union { &self.unions } else { &self.structs };
            if let Some(&ty) = tags.get(tag) {
                if matches!(self.kind(ty), Kind::Forward { .. }) {
                    return Ok(ty);
                }
                return Err(redeclared(if union { "union" } else { "struct" }, tag));
            }
        }
        Ok(self.forward(union, tag))
    }

    /// Lays out the members of a record that was begun.
    ///
    /// # Errors
    ///
    /// Those of dtrace for members: D_DECL_INCOMPLETE, D_DECL_VOIDOBJ, D_DECL_MNAME,
    /// D_DECL_BFCONST, D_DECL_BFTYPE, D_DECL_BFSIZE; D_UNKNOWN for two of one name; D_DECL_TYPERED
    /// if the record is complete already.
    pub fn complete_record(&mut self, record: TypeId, fields: &[Field]) -> Result<(), TypeError> {
        let Kind::Forward { union, tag } = self.kind(record).clone() else {
            return Err(TypeError::new(
                "D_DECL_TYPERED",
                format!("type redeclared: {}", self.name(record)),
            ));
        };
        let mut layout = Layout::new(union);
        let mut names = HashSet::new();
        for (index, field) in fields.iter().enumerate() {
            self.unique(field, &mut names)?;
            match field.bits {
                Some(bits) => self.place_bits(&mut layout, field, bits)?,
                None => {
                    let last = index + 1 == fields.len() && !union;
                    self.place(&mut layout, field, last)?;
                }
            }
        }
        let record_kind = layout.finish((!tag.is_empty()).then_some(tag));
        let kind = if union {
            Kind::Union(record_kind)
        } else {
            Kind::Struct(record_kind)
        };
        self.arena[record.0 as usize] = kind;
        Ok(())
    }

    /// No name may be there twice, be it in an anonymous member.
    fn unique(&self, field: &Field, names: &mut HashSet<String>) -> Result<(), TypeError> {
        let mut all = Vec::new();
        if field.name.is_empty() {
            if field.bits.is_none() {
                self.names_of(field.ty, &mut all, 8);
            }
        } else {
            all.push(field.name.clone());
        }
        for name in all {
            if names.contains(&name) {
                return Err(TypeError::new(
                    "D_UNKNOWN",
                    format!("failed to define member '{name}': Duplicate member or variable name"),
                ));
            }
            names.insert(name);
        }
        Ok(())
    }

    fn names_of(&self, ty: TypeId, names: &mut Vec<String>, depth: u32) {
        let (Kind::Struct(record) | Kind::Union(record)) = self.kind(self.resolve(ty)) else {
            return;
        };
        for member in &record.members {
            if !member.name.is_empty() {
                names.push(member.name.clone());
            } else if member.bits.is_none() && depth > 0 {
                self.names_of(member.ty, names, depth - 1);
            }
        }
    }

    fn place(&self, layout: &mut Layout, field: &Field, last: bool) -> Result<(), TypeError> {
        let shown = shown(field);
        let kind = self.kind(self.resolve(field.ty));
        match kind {
            Kind::Forward { .. } => {
                return Err(TypeError::new(
                    "D_DECL_INCOMPLETE",
                    format!(
                        "incomplete struct/union/enum {}: {shown}",
                        self.name(field.ty)
                    ),
                ));
            }
            Kind::Struct(_) | Kind::Union(_) => {}
            _ if field.name.is_empty() => {
                return Err(TypeError::new(
                    "D_DECL_MNAME",
                    "member declaration requires a name",
                ));
            }
            // It lies there with its NUL.
            Kind::String => {
                return layout.place(&field.name, field.ty, self.string_bytes.into(), 1);
            }
            _ => {}
        }
        // A last member that is an array of no size is what may follow the record.
        let size = self
            .size(field.ty)
            .filter(|&size| size != 0 || last || !matches!(kind, Kind::Array { .. }));
        let (Some(size), Some(align)) = (size, self.align(field.ty)) else {
            return Err(TypeError::new(
                "D_DECL_VOIDOBJ",
                format!("cannot have void member: {shown}"),
            ));
        };
        layout.place(&field.name, field.ty, size, align)
    }

    fn place_bits(&self, layout: &mut Layout, field: &Field, bits: u64) -> Result<(), TypeError> {
        let shown = shown(field);
        if bits == 0 && !field.name.is_empty() {
            return Err(TypeError::new(
                "D_DECL_BFCONST",
                "positive integral constant expression expected as bit-field size",
            ));
        }
        let &Kind::Integer { bytes, .. } = self.kind(self.resolve(field.ty)) else {
            return Err(TypeError::new(
                "D_DECL_BFTYPE",
                format!("invalid type for bit-field: {shown}"),
            ));
        };
        if bits > u64::from(bytes) * 8 {
            return Err(TypeError::new(
                "D_DECL_BFSIZE",
                format!("bit-field too big for type: {shown}"),
            ));
        }
        layout.place_bits(&field.name, field.ty, u64::from(bytes), bits as u32)
    }

    /// `enum tag { … }`; a value that is not said is one more than that before it. The enumerators
    /// are known from then on.
    ///
    /// # Errors
    ///
    /// D_DECL_TYPERED: the program has one of this tag already. D_DECL_IDRED: it has an enumerator
    /// of one of these names. D_DECL_ENOFLOW: a value is no int.
    pub fn declare_enum(
        &mut self,
        tag: Option<&str>,
        enumerators: &[(String, Option<i64>)],
    ) -> Result<TypeId, TypeError> {
        if let Some(tag) = tag {
            if self.enums.contains_key(tag) {
                return Err(redeclared("enum", tag));
            }
        }
        let mut values: Vec<(String, i64)> = Vec::with_capacity(enumerators.len());
        let mut names = HashSet::new();
        let mut next: i64 = 0;
        for (name, value) in enumerators {
            let value = value.unwrap_or(next);
            if i32::try_from(value).is_err() {
                return Err(TypeError::new(
                    "D_DECL_ENOFLOW",
                    format!("enumerator '{name}' value overflows INT_MAX ({})", i32::MAX),
                ));
            }
            if !names.insert(name) || self.enumerators.contains_key(name) {
                return Err(TypeError::new(
                    "D_DECL_IDRED",
                    format!("identifier redeclared: {name}"),
                ));
            }
            values.push((name.clone(), value));
            next = value + 1;
        }
        let ty = TypeId(self.arena.len() as u32);
        for (name, value) in &values {
            self.enumerators.insert(name.clone(), (*value, ty));
        }
        if let Some(tag) = tag {
            self.enums.insert(tag.to_owned(), ty);
        }
        Ok(self.add(Kind::Enum(Enumeration {
            tag: tag.map(str::to_owned),
            bytes: 4,
            signed: true,
            enumerators: values,
        })))
    }

    /// `typedef to name`
    ///
    /// # Errors
    ///
    /// D_DECL_IDRED: the program or the language has one of this name already (one of the
    /// kernel's is hidden).
    pub fn declare_typedef(&mut self, name: &str, to: TypeId) -> Result<TypeId, TypeError> {
        let known = self.typedefs.get(name);
        if known.is_some_and(|known| !intrinsic::is_of_headers(*known)) {
            return Err(TypeError::new(
                "D_DECL_IDRED",
                format!("typedef redeclared: {name}"),
            ));
        }
        Ok(self.add_typedef(name, to))
    }

    pub(super) fn add_typedef(&mut self, name: &str, to: TypeId) -> TypeId {
        let ty = self.add(Kind::Typedef {
            name: name.to_owned(),
            to,
        });
        self.typedefs.insert(name.to_owned(), ty);
        ty
    }

    /// Whether the program or the language, not the kernel, describes it.
    pub fn is_own(&self, ty: TypeId) -> bool {
        kernel::source(ty) == 0
    }
}

fn shown(field: &Field) -> &str {
    if field.name.is_empty() {
        "(anon)"
    } else {
        &field.name
    }
}

fn redeclared(keyword: &str, tag: &str) -> TypeError {
    TypeError::new(
        "D_DECL_TYPERED",
        format!("type redeclared: {keyword} {tag}"),
    )
}
