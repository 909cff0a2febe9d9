// SPDX-License-Identifier: GPL-2.0-only
//! What each probe of the session is called, rendered when it first fires, so that
//! printing a record takes one look into a vector.

use std::cell::OnceCell;
use std::collections::HashMap;

use rust_tracer::{Kind, Probe};

use crate::symbols::Symbols;

/// A probe and its renderings.
#[derive(Clone, Debug)]
pub struct Name {
    /// The probe itself.
    pub probe: Probe,
    /// Whether the session also has the function's other probe.
    pub paired: bool,
    columns: OnceCell<String>,
    json: OnceCell<String>,
}

/// The session's probes by index, and names of addresses.
#[derive(Default)]
pub struct Names {
    /// What kernel addresses are called.
    pub symbols: Symbols,
    names: Vec<Name>,
    /// By function: whether there is an entry, and a return probe.
    kinds: HashMap<u32, [bool; 2]>,
}

impl Names {
    /// No probes yet, and names of addresses.
    pub fn with(symbols: Symbols) -> Self {
        Self {
            symbols,
            ..Self::default()
        }
    }

    /// Adds probes. They come in the order of their indices; others are ignored.
    pub fn extend(&mut self, probes: Vec<Probe>) {
        if probes.is_empty() {
            return;
        }
        for probe in probes {
            if usize::try_from(probe.index) == Ok(self.names.len()) {
                let kinds = self.kinds.entry(probe.function).or_default();
                if Kind::ALL.contains(&probe.kind) {
                    kinds[usize::from(probe.kind == Kind::Return)] = true;
                }
                self.names.push(Name {
                    probe,
                    paired: false,
                    columns: OnceCell::new(),
                    json: OnceCell::new(),
                });
            }
        }
        for name in &mut self.names {
            name.paired = self.kinds.get(&name.probe.function) == Some(&[true, true]);
        }
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        self.names.len() as u32
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The probe of an index.
    pub fn get(&self, index: u32) -> Option<&Name> {
        self.names.get(index as usize)
    }
}

impl Name {
    /// The ID and FUNCTION:NAME columns.
    pub fn columns(&self) -> &str {
        self.columns.get_or_init(|| {
            let Probe { id, name, kind, .. } = &self.probe;
            let name = format!("{name}:{}", kind.name());
            format!(" {id:6} {name:>32} ")
        })
    }

    /// The members of a JSON object that name it, without braces.
    pub fn json(&self) -> &str {
        self.json.get_or_init(|| {
            format!(
                r#""id":{},"provider":"fbt","module":{},"function":{},"name":"{}""#,
                self.probe.id,
                serde_json::Value::from(self.probe.module.as_str()),
                serde_json::Value::from(self.probe.name.as_str()),
                self.probe.kind.name(),
            )
        })
    }
}
