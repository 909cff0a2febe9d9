// SPDX-License-Identifier: GPL-2.0-only
//! Records in order: the default columns, what actions print, and what they ask of the tool.
#![forbid(unsafe_code)]

use d_compiler::compiled::{self, AddressForm, Form};
use serde_json::{Value as Json, json};

use crate::aggregations::Store;
use crate::bytes::{dump, put, stored, text_or_dump};
use crate::flow::Flow;
use crate::json;
use crate::messages;
use crate::options::Options;
use crate::printf;
use crate::program::Action;
pub use crate::program::{BadFormat, Program};
use crate::record::{Firing, Item};
use crate::symbols;
use crate::values::{Malformed, Value, item};
use crate::world::{Probe, World};

/// What is to be done with what was recorded, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Write this.
    Text(Vec<u8>),
    /// Write this as a line (`--format json`).
    Json(Json),
    /// `exit()`: end with this status.
    Exit(i32),
    /// `commit()`: what belongs to the speculation counts.
    Commit(u64),
    /// `discard()`: it does not.
    Discard(u64),
    /// `setopt()` of an option that is not one of output.
    Setopt {
        /// Which.
        name: String,
        /// To what.
        value: String,
    },
    /// `freopen()`: write to this file from here on; to standard output again if it is empty.
    Freopen(Vec<u8>),
    /// `ftruncate()`: cut off all that the file holds.
    Ftruncate,
    /// Say this of the enabling, by [`messages::library_fault`].
    Complaint(String),
}

/// An action's items.
struct Items<'a> {
    items: &'a [Item<'a>],
    probe: u32,
    world: &'a dyn World,
    /// The most characters of a string.
    most: usize,
}

impl Items<'_> {
    fn payload(&self, argument: usize) -> Option<&[u8]> {
        let item = self
            .items
            .iter()
            .find(|item| usize::from(item.argument) == argument);
        item.map(|item| item.payload)
    }

    fn value(&self, argument: usize, form: &Form) -> Result<Value, Malformed> {
        let payload = match (self.payload(argument), form) {
            (Some(payload), _) => payload,
            (None, Form::Probe(_)) => &[],
            (None, _) => return Err(Malformed::new("item of an action")),
        };
        let mut value = item(form, payload, self.probe, self.world)?;
        // The module has cut other strings itself.
        if let (Form::Probe(_), Value::Text(text)) = (form, &mut value) {
            text.truncate(self.most);
        }
        Ok(value)
    }

    fn values(&self, forms: &[Form]) -> Result<Vec<Value>, Malformed> {
        (forms.iter().enumerate())
            .map(|(argument, form)| self.value(argument, form))
            .collect()
    }

    /// A number that the action takes.
    fn number(&self, argument: usize) -> Result<u64, Malformed> {
        let form = Form::Integer {
            bytes: 8,
            signed: false,
        };
        let value = self.value(argument, &form)?;
        value.number().ok_or(Malformed::new("number"))
    }
}

/// Prints records: of one program or of several, whose lines then have one heading.
#[derive(Clone, Debug, Default)]
pub struct Printer {
    /// How.
    pub options: Options,
    /// Whether steps are [`Step::Json`] instead of [`Step::Text`].
    pub json: bool,
    headed: bool,
    flow: Flow,
}

impl Printer {
    /// Printing text by these options.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            ..Self::default()
        }
    }

    /// Firings were lost: indentation starts anew.
    pub fn lost(&mut self) {
        self.flow.restart();
    }

    /// What a firing's clause has recorded. With an error, `steps` has what came before it.
    pub fn record(
        &mut self,
        program: &Program,
        firing: &Firing,
        store: &mut Store,
        world: &dyn World,
        steps: &mut Vec<Step>,
    ) -> Result<(), Malformed> {
        let clause = program.clause(firing.clause)?;
        let items = firing.items()?;
        let groups: Vec<&[Item]> = items.chunk_by(|a, b| a.action == b.action).collect();
        let action = |group: &[Item]| {
            let number = group.first().map_or(0, |item| usize::from(item.action));
            clause
                .actions
                .get(number)
                .ok_or(Malformed::new("such action"))
        };
        // Who only ends speculations has traced nothing.
        let mut traced = clause.default;
        for group in &groups {
            traced |= !matches!(
                action(group)?.is,
                compiled::Action::Commit | compiled::Action::Discard
            );
        }
        let mut shown = Shown {
            text: Vec::new(),
            json: self.json.then(Vec::new),
            steps,
        };
        let probe = world.probe(firing.probe).unwrap_or_default();
        if traced && !self.json {
            self.head(&mut shown.text, firing, &probe);
        }
        let mut done = Ok(());
        for group in groups {
            let items = Items {
                items: group,
                probe: firing.probe,
                world,
                most: (self.options.strsize as usize).saturating_sub(1),
            };
            done = action(group).and_then(|action| self.act(&mut shown, action, &items, store));
            if done.is_err() {
                break;
            }
        }
        if traced && !self.options.quiet && !self.json {
            shown.text.push(b'\n');
        }
        if traced {
            if let Some(output) = shown.json.take() {
                shown
                    .steps
                    .push(Step::Json(json::firing(firing, &probe, output)));
            }
        }
        shown.flush();
        done
    }

    /// The heading, once, and the columns.
    fn head(&mut self, out: &mut Vec<u8>, firing: &Firing, probe: &Probe) {
        let Options {
            flowindent, quiet, ..
        } = self.options;
        if !std::mem::replace(&mut self.headed, true) {
            if flowindent {
                put!(out, "CPU {:<41}\n", "FUNCTION");
            } else if !quiet {
                put!(out, "CPU {:>6} {:>32}\n", "ID", "FUNCTION:NAME");
            }
        }
        if flowindent {
            let line = self.flow.line(firing, probe);
            put!(out, "{:3} {line:<41} ", firing.cpu);
        } else if !quiet {
            let name = format!("{}:{}", probe.function, probe.name);
            put!(out, "{:3} {:6} {name:>32} ", firing.cpu, probe.id);
        }
    }

    fn act(
        &mut self,
        shown: &mut Shown,
        action: &Action,
        items: &Items,
        store: &mut Store,
    ) -> Result<(), Malformed> {
        use compiled::Action as A;
        let world = items.world;
        let format = action.format.as_deref().unwrap_or_default();
        match &action.is {
            A::Trace(form) => {
                let value = items.value(0, form)?;
                self.trace(&mut shown.text, &value, world);
                shown.note("trace", || json::value(&value, world));
            }
            A::Tracemem { .. } => {
                let bytes = items.payload(0).ok_or(Malformed::new("memory"))?;
                let least = match items.payload(1) {
                    Some(_) => usize::try_from(items.number(1)? as i64).unwrap_or(usize::MAX),
                    None => usize::MAX,
                };
                let bytes = &bytes[..least.min(bytes.len())];
                dump(&mut shown.text, bytes);
                shown.note("tracemem", || json::hexadecimal(bytes));
            }
            A::Print { type_name, type_id } => {
                let bytes = items.payload(0).ok_or(Malformed::new("bytes of a type"))?;
                let shows = usize::try_from(self.options.printsize).unwrap_or(usize::MAX);
                let bytes = &bytes[..bytes.len().min(shows)];
                let text = world.typed(type_name, *type_id, bytes);
                let pointer = items.payload(1).map(|_| items.number(1)).transpose()?;
                print(&mut shown.text, text.as_deref(), pointer, bytes);
                shown.note("print", || json!(text));
            }
            A::Printf { arguments, .. } => {
                let values = items.values(arguments)?;
                let start = shown.text.len();
                printf::format(&mut shown.text, format, &values, &[], world)?;
                let text = json::text(&shown.text[start..]);
                shown.note_with("printf", || {
                    let values = values.iter().map(|value| json::value(value, world));
                    [("text", text), ("values", values.collect())]
                });
            }
            A::Printa { aggregations, .. } => {
                let options = &self.options;
                let out = &mut shown.text;
                if action.format.is_some() {
                    store.printa_by(out, format, aggregations, options, world)?;
                } else {
                    store.printa(out, aggregations, options, world)?;
                }
                shown.note("printa", || store.json(aggregations, options, world));
            }
            A::Stack(frames) => self.stack(shown, "stack", &Form::Stack(*frames), items)?,
            A::Ustack(frames) => self.stack(shown, "ustack", &Form::Ustack(*frames), items)?,
            A::Address(form) => {
                let value = items.value(0, &Form::Address(*form))?;
                self.trace(&mut shown.text, &value, world);
                shown.note(address_action(*form), || json::value(&value, world));
            }
            A::Exit => {
                let status = items.number(0)? as i32;
                shown.note("exit", || json!(status));
                shown.step(Step::Exit(status));
            }
            A::Commit => shown.step(Step::Commit(items.number(0)?)),
            A::Discard => shown.step(Step::Discard(items.number(0)?)),
            A::Clear(aggregation) => store.clear(*aggregation)?,
            A::Trunc {
                aggregation,
                counted,
            } => {
                let count = if *counted { items.number(0)? } else { 0 };
                store.truncate(*aggregation, count as i64)?;
            }
            A::Normalize(aggregation) => store.normalize(*aggregation, items.number(0)?)?,
            A::Denormalize(aggregation) => store.denormalize(*aggregation)?,
            A::Setopt(name, value) => self.set_option(shown, name, value.as_deref()),
            A::SetoptOf(forms) => {
                let mut texts = items.values(forms)?.into_iter().map(|value| match value {
                    Value::Text(text) => Ok(String::from_utf8_lossy(&text).into_owned()),
                    _ => Err(Malformed::new("string of setopt()")),
                });
                let name = texts.next().ok_or(Malformed::new("name of an option"))??;
                let value = texts.next().transpose()?;
                self.set_option(shown, &name, value.as_deref());
            }
            A::Ftruncate => shown.step(Step::Ftruncate),
            A::Freopen { arguments, .. } => {
                let mut file = Vec::new();
                printf::format(&mut file, format, &items.values(arguments)?, &[], world)?;
                shown.step(Step::Freopen(file));
            }
        }
        Ok(())
    }

    /// Without a value an option is set to "1", as libdtrace does it: so the flags that take no value
    /// cannot be set here, and numbers become 1.
    fn set_option(&mut self, shown: &mut Shown, name: &str, value: Option<&str>) {
        let value = value.unwrap_or("1");
        match self.options.set(name, Some(value)) {
            Ok(true) => {}
            Ok(false) => shown.step(Step::Setopt {
                name: name.to_owned(),
                value: value.to_owned(),
            }),
            Err(why) => shown.step(Step::Complaint(messages::option_not_set(
                name,
                value,
                &why.to_string(),
            ))),
        }
    }

    fn stack(
        &self,
        shown: &mut Shown,
        action: &'static str,
        form: &Form,
        items: &Items,
    ) -> Result<(), Malformed> {
        let value = items.value(0, form)?;
        self.trace(&mut shown.text, &value, items.world);
        shown.note(action, || json::value(&value, items.world));
        Ok(())
    }

    /// A value as `trace()` shows it.
    fn trace(&self, out: &mut Vec<u8>, value: &Value, world: &dyn World) {
        let quiet = self.options.quiet;
        match value {
            Value::Stack(_) | Value::Ustack { .. } => {
                symbols::stack(out, value, self.options.stackindent as usize, world);
            }
            Value::Kernel(form, address) => {
                put!(out, "  {:<50}", symbols::kernel(*form, *address, world));
            }
            Value::User { form, pid, address } => {
                put!(out, "  {:<50}", symbols::user(*form, *pid, *address, world));
            }
            _ if self.options.rawbytes => dump(out, &self.memory(value)),
            // What is no number is text if it reads as text, whatever its type.
            Value::Text(_) | Value::Characters(_) | Value::Bytes(_) => {
                text_or_dump(out, &self.memory(value), 33, quiet);
            }
            Value::Pointer(address) => number(out, *address as i128, 20, quiet),
            Value::Integer {
                value,
                bytes,
                signed,
            } => {
                let width = match (bytes, signed) {
                    (1, _) => 3,
                    (2, _) => 5,
                    (4, _) => 10,
                    (_, true) => 19,
                    (_, false) => 20,
                };
                let value = match signed {
                    true => i128::from(*value as i64),
                    false => i128::from(*value),
                };
                number(out, value, width, quiet);
            }
        }
    }

    /// A value as it would stand in memory.
    fn memory(&self, value: &Value) -> Vec<u8> {
        match value {
            Value::Integer { value, bytes, .. } => {
                value.to_le_bytes()[..usize::from(*bytes).min(8)].to_vec()
            }
            Value::Text(text) => stored(text, self.options.strsize),
            Value::Bytes(bytes) | Value::Characters(bytes) => bytes.clone(),
            other => other.number().unwrap_or(0).to_le_bytes().to_vec(),
        }
    }
}

fn number(out: &mut Vec<u8>, value: i128, width: usize, quiet: bool) {
    match quiet {
        true => put!(out, "{value}"),
        false => put!(out, " {value:width$}"),
    }
}

/// `print()`: of a pointer, its value before what it points to.
fn print(out: &mut Vec<u8>, text: Option<&str>, pointer: Option<u64>, bytes: &[u8]) {
    match pointer {
        None => {}
        Some(0) => out.extend_from_slice(b"(nil) = *\n"),
        Some(pointer) => put!(out, "0x{pointer:x} = *\n"),
    }
    match text {
        Some(text) => out.extend_from_slice(text.as_bytes()),
        None => dump(out, bytes),
    }
}

fn address_action(form: AddressForm) -> &'static str {
    match form {
        AddressForm::Function | AddressForm::Symbol => "sym",
        AddressForm::Module => "mod",
        AddressForm::UserFunction => "usym",
        AddressForm::UserAddress => "uaddr",
        AddressForm::UserModule => "umod",
    }
}

/// What a record has shown so far.
struct Shown<'a> {
    text: Vec<u8>,
    /// In place of the text: an object for each action.
    json: Option<Vec<Json>>,
    steps: &'a mut Vec<Step>,
}

impl Shown<'_> {
    /// Text comes before what follows.
    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        if !text.is_empty() && self.json.is_none() {
            self.steps.push(Step::Text(text));
        }
    }

    fn step(&mut self, step: Step) {
        self.flush();
        self.steps.push(step);
    }

    fn note(&mut self, action: &'static str, value: impl FnOnce() -> Json) {
        self.note_with(action, || [("value", value())]);
    }

    fn note_with<const N: usize>(
        &mut self,
        action: &'static str,
        members: impl FnOnce() -> [(&'static str, Json); N],
    ) {
        if let Some(json) = &mut self.json {
            let mut object = serde_json::Map::new();
            object.insert("action".into(), action.into());
            object.extend(members().map(|(name, value)| (name.to_owned(), value)));
            json.push(Json::Object(object));
            self.text.clear();
        }
    }
}

#[cfg(test)]
#[path = "trace_tests.rs"]
mod tests;
