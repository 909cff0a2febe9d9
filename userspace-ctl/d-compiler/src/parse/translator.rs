// SPDX-License-Identifier: GPL-2.0-only
//! `translator` declarations.
#![forbid(unsafe_code)]

use super::{Parser, Result};
use crate::ast::{Translator, TranslatorMember};
use crate::error::Span;

impl Parser<'_> {
    /// `translator output < input name > { member = value; … };`, after its first word.
    pub(super) fn translator(&mut self, start: Span) -> Result<Translator> {
        let (output, _) = self.type_name()?;
        self.expect("<")?;
        let (input, _) = self.type_name()?;
        let (name, _) = self.identifier()?;
        self.expect(">")?;
        self.expect("{")?;
        let hides = self.variables.insert(name.clone());
        let mut members = Vec::new();
        while !self.eat("}")? {
            members.push(self.translator_member()?);
        }
        self.expect(";")?;
        if hides {
            self.variables.remove(&name);
        }
        Ok(Translator {
            output,
            input,
            name,
            members,
            span: self.since(start),
        })
    }

    fn translator_member(&mut self) -> Result<TranslatorMember> {
        let (name, start) = self.identifier()?;
        self.expect("=")?;
        let value = self.assignment()?.expr;
        self.expect(";")?;
        Ok(TranslatorMember {
            name,
            value,
            span: self.since(start),
        })
    }
}
