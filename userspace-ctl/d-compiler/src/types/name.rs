// SPDX-License-Identifier: GPL-2.0-only
//! How types are written: as C declares them, without the name that would be declared.
#![forbid(unsafe_code)]

use super::{Kind, TypeId, Types, intrinsic, kernel};

/// Steps for one name: broken BTF has functions that take themselves.
const STEPS_MAX: usize = 256;

impl Types {
    /// As C and dtrace write it: `struct task_struct *`, `int [3]`, `const char *`. A struct
    /// without a tag is `struct`.
    pub fn name(&self, ty: TypeId) -> String {
        self.declare_as(ty, String::new(), &mut { STEPS_MAX })
    }

    /// The declaration of something of this type; `inner` is what stands around its name so far.
    fn declare_as(&self, ty: TypeId, inner: String, steps: &mut usize) -> String {
        let Some(left) = steps.checked_sub(1) else {
            return joined("…", &inner);
        };
        *steps = left;
        match self.kind(ty) {
            Kind::Pointer(to) => {
                let inner = format!("*{inner}");
                match self.kind(*to) {
                    Kind::Array { .. } | Kind::Function { .. } => {
                        self.declare_as(*to, format!("({inner})"), steps)
                    }
                    _ => self.declare_as(*to, inner, steps),
                }
            }
            Kind::Array { of, count } => {
                let inner = match count {
                    0 => format!("{inner}[]"),
                    _ => format!("{inner}[{count}]"),
                };
                self.declare_as(*of, inner, steps)
            }
            Kind::Function {
                result,
                parameters,
                variadic,
            } => {
                let mut parameters: Vec<_> = parameters
                    .iter()
                    .map(|&ty| self.declare_as(ty, String::new(), steps))
                    .collect();
                if *variadic {
                    parameters.push("...".to_owned());
                }
                if parameters.is_empty() {
                    parameters.push("void".to_owned());
                }
                self.declare_as(
                    *result,
                    format!("{inner}({})", parameters.join(", ")),
                    steps,
                )
            }
            Kind::Const(of) => self.qualified(*of, "const", inner, steps),
            Kind::Volatile(of) => self.qualified(*of, "volatile", inner, steps),
            Kind::Restrict(of) => self.qualified(*of, "restrict", inner, steps),
            Kind::Typedef { name, .. } => joined(name, &inner),
            Kind::Struct(record) => joined(&tagged("struct", record.tag.as_deref()), &inner),
            Kind::Union(record) => joined(&tagged("union", record.tag.as_deref()), &inner),
            Kind::Enum(enumeration) => joined(&tagged("enum", enumeration.tag.as_deref()), &inner),
            // An enumeration that nobody describes.
            Kind::Forward { tag, .. } if tag.starts_with("enum ") => joined(tag, &inner),
            Kind::Forward { union: false, tag } => joined(&tagged("struct", Some(tag)), &inner),
            Kind::Forward { union: true, tag } => joined(&tagged("union", Some(tag)), &inner),
            Kind::Void => joined("void", &inner),
            Kind::String => joined("string", &inner),
            Kind::Integer { bytes, signed, .. } => joined(
                &self.basic_name(ty).unwrap_or_else(|| {
                    format!("{}int{}_t", if *signed { "" } else { "u" }, bytes * 8)
                }),
                &inner,
            ),
            Kind::Float { bytes } => joined(
                match bytes {
                    4 => "float",
                    8 => "double",
                    _ => "long double",
                },
                &inner,
            ),
        }
    }

    fn qualified(&self, of: TypeId, qualifier: &str, inner: String, steps: &mut usize) -> String {
        match self.kind(of) {
            Kind::Pointer(_) => self.declare_as(of, joined(qualifier, &inner), steps),
            _ => format!("{qualifier} {}", self.declare_as(of, inner, steps)),
        }
    }

    fn basic_name(&self, ty: TypeId) -> Option<String> {
        match kernel::source(ty) {
            0 => intrinsic::name(ty).map(str::to_owned),
            _ => self.kernel.as_ref()?.basic_name(ty),
        }
    }
}

fn tagged(keyword: &str, tag: Option<&str>) -> String {
    match tag {
        None | Some("") => keyword.to_owned(),
        Some(tag) => format!("{keyword} {tag}"),
    }
}

fn joined(base: &str, inner: &str) -> String {
    if inner.is_empty() {
        base.to_owned()
    } else {
        format!("{base} {inner}")
    }
}
