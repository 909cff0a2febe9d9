// SPDX-License-Identifier: GPL-2.0-only
//! What each probe of the session is called, rendered once so that printing a
//! record takes one look into a vector.

use rust_tracer::{Kind, Probe};

/// A probe, rendered.
#[derive(Clone, Debug)]
pub struct Name {
    /// The probe itself.
    pub probe: Probe,
    /// The ID and FUNCTION:NAME columns.
    pub columns: String,
    /// The members of a JSON object that name it, without braces.
    pub json: String,
    /// Whether the session also has the function's other probe.
    pub paired: bool,
}

/// The session's probes by index.
#[derive(Debug, Default)]
pub struct Names {
    names: Vec<Name>,
}

impl Names {
    /// Adds probes. They come in the order of their indices; others are ignored.
    pub fn extend(&mut self, probes: Vec<Probe>) {
        let first = self.names.len();
        for probe in probes {
            if usize::try_from(probe.index) == Ok(self.names.len()) {
                self.names.push(Name::new(probe));
            }
        }
        self.pair(first);
    }

    /// Finds the pairs among all probes, as those from `first` on are new.
    fn pair(&mut self, first: usize) {
        if first == self.names.len() {
            return;
        }
        let mut kinds = std::collections::HashMap::<u32, [bool; 2]>::new();
        for name in &self.names {
            let kinds = kinds.entry(name.probe.function).or_default();
            kinds[usize::from(name.probe.kind == Kind::Return)] = true;
        }
        for name in &mut self.names {
            name.paired = kinds[&name.probe.function] == [true, true];
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
    fn new(probe: Probe) -> Self {
        let name = format!("{}:{}", probe.name, probe.kind.name());
        let json = format!(
            r#""id":{},"provider":"fbt","module":{},"function":{},"name":"{}""#,
            probe.id,
            serde_json::Value::from(probe.module.as_str()),
            serde_json::Value::from(probe.name.as_str()),
            probe.kind.name(),
        );
        Self {
            columns: format!(" {:6} {name:>32} ", probe.id),
            json,
            paired: false,
            probe,
        }
    }
}
