// SPDX-License-Identifier: GPL-2.0-only
//! Bytecode as text: what `-S` shows.
//!
//! One instruction is one line; what an index means stands behind a `;`.
#![forbid(unsafe_code)]

use std::fmt::Write;

use rust_tracer::abi;

use crate::builtins::{self, registers};
use crate::code::assembler::Instruction;
use crate::compiled::{Clause, Compiled, Form};

/// Which fields an operation uses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Nothing.
    None,
    /// a
    A,
    /// d = a
    Unary,
    /// d = a op b
    Binary,
    /// d = a op i
    Immediate,
    /// A jump: where to.
    Jump,
    /// A jump on a.
    JumpA,
    /// A jump on a and b.
    JumpAB,
    /// d = i
    Number,
    /// d = constants[i]
    Constant,
    /// d = strings + i
    Text,
    /// d = memory at a + i
    Load,
    /// memory at a + i = b
    Store,
    /// d = a, at most i bytes
    Copy,
    /// d = built-in i
    Builtin,
    /// d = variables[i]
    LoadVariable,
    /// variables[i] = a
    StoreVariable,
    /// a, a size i
    Bound,
    /// i frames
    Frames,
    /// aggregations[i]: a, b
    Aggregate,
    /// Item i alone.
    Item,
    /// Item i: a
    ItemA,
    /// Item i: a, b
    ItemAB,
    /// Item i: a + 256 * b frames
    ItemFrames,
    /// d
    D,
    /// d = subroutine i (a, …)
    Call,
}

/// Name and shape of an operation.
fn operation(op: u8) -> Option<(&'static str, Shape)> {
    use Shape as S;
    Some(match u32::from(op) {
        abi::RTRACE_OP_RET => ("ret", S::None),
        abi::RTRACE_OP_FILTER => ("filter", S::A),
        abi::RTRACE_OP_JMP => ("jmp", S::Jump),
        abi::RTRACE_OP_JZ => ("jz", S::JumpA),
        abi::RTRACE_OP_JNZ => ("jnz", S::JumpA),
        abi::RTRACE_OP_JEQ => ("jeq", S::JumpAB),
        abi::RTRACE_OP_JNE => ("jne", S::JumpAB),
        abi::RTRACE_OP_JLT => ("jlt", S::JumpAB),
        abi::RTRACE_OP_JLE => ("jle", S::JumpAB),
        abi::RTRACE_OP_JLTU => ("jltu", S::JumpAB),
        abi::RTRACE_OP_JLEU => ("jleu", S::JumpAB),
        abi::RTRACE_OP_MOV => ("mov", S::Unary),
        abi::RTRACE_OP_LDI => ("ldi", S::Number),
        abi::RTRACE_OP_LDC => ("ldc", S::Constant),
        abi::RTRACE_OP_LDSC => ("ldsc", S::Text),
        abi::RTRACE_OP_FREE => ("free", S::A),
        abi::RTRACE_OP_ADD => ("add", S::Binary),
        abi::RTRACE_OP_SUB => ("sub", S::Binary),
        abi::RTRACE_OP_MUL => ("mul", S::Binary),
        abi::RTRACE_OP_DIV => ("div", S::Binary),
        abi::RTRACE_OP_DIVU => ("divu", S::Binary),
        abi::RTRACE_OP_MOD => ("mod", S::Binary),
        abi::RTRACE_OP_MODU => ("modu", S::Binary),
        abi::RTRACE_OP_AND => ("and", S::Binary),
        abi::RTRACE_OP_OR => ("or", S::Binary),
        abi::RTRACE_OP_XOR => ("xor", S::Binary),
        abi::RTRACE_OP_SHL => ("shl", S::Binary),
        abi::RTRACE_OP_SHR => ("shr", S::Binary),
        abi::RTRACE_OP_SAR => ("sar", S::Binary),
        abi::RTRACE_OP_SEQ => ("seq", S::Binary),
        abi::RTRACE_OP_SNE => ("sne", S::Binary),
        abi::RTRACE_OP_SLT => ("slt", S::Binary),
        abi::RTRACE_OP_SLE => ("sle", S::Binary),
        abi::RTRACE_OP_SLTU => ("sltu", S::Binary),
        abi::RTRACE_OP_SLEU => ("sleu", S::Binary),
        abi::RTRACE_OP_SCMP => ("scmp", S::Binary),
        abi::RTRACE_OP_ADDI => ("addi", S::Immediate),
        abi::RTRACE_OP_MULI => ("muli", S::Immediate),
        abi::RTRACE_OP_ANDI => ("andi", S::Immediate),
        abi::RTRACE_OP_SHLI => ("shli", S::Immediate),
        abi::RTRACE_OP_SHRI => ("shri", S::Immediate),
        abi::RTRACE_OP_SARI => ("sari", S::Immediate),
        abi::RTRACE_OP_SEQI => ("seqi", S::Immediate),
        abi::RTRACE_OP_NEG => ("neg", S::Unary),
        abi::RTRACE_OP_NOT => ("not", S::Unary),
        abi::RTRACE_OP_LNOT => ("lnot", S::Unary),
        abi::RTRACE_OP_SX8 => ("sx8", S::Unary),
        abi::RTRACE_OP_SX16 => ("sx16", S::Unary),
        abi::RTRACE_OP_SX32 => ("sx32", S::Unary),
        abi::RTRACE_OP_ZX8 => ("zx8", S::Unary),
        abi::RTRACE_OP_ZX16 => ("zx16", S::Unary),
        abi::RTRACE_OP_ZX32 => ("zx32", S::Unary),
        abi::RTRACE_OP_LD8 => ("ld8", S::Load),
        abi::RTRACE_OP_LD16 => ("ld16", S::Load),
        abi::RTRACE_OP_LD32 => ("ld32", S::Load),
        abi::RTRACE_OP_LD64 => ("ld64", S::Load),
        abi::RTRACE_OP_LDSX8 => ("ldsx8", S::Load),
        abi::RTRACE_OP_LDSX16 => ("ldsx16", S::Load),
        abi::RTRACE_OP_LDSX32 => ("ldsx32", S::Load),
        abi::RTRACE_OP_LDSTR => ("ldstr", S::Copy),
        abi::RTRACE_OP_LDMEM => ("ldmem", S::Copy),
        abi::RTRACE_OP_GET => ("get", S::Builtin),
        abi::RTRACE_OP_GETSTR => ("getstr", S::Builtin),
        abi::RTRACE_OP_LDV => ("ldv", S::LoadVariable),
        abi::RTRACE_OP_STV => ("stv", S::StoreVariable),
        abi::RTRACE_OP_KEY0 => ("key0", S::None),
        abi::RTRACE_OP_KEY => ("key", S::A),
        abi::RTRACE_OP_KEYS => ("keys", S::A),
        abi::RTRACE_OP_KEYB => ("keyb", S::Bound),
        abi::RTRACE_OP_KEYP => ("keyp", S::None),
        abi::RTRACE_OP_KEYK => ("keyk", S::Frames),
        abi::RTRACE_OP_KEYU => ("keyu", S::Frames),
        abi::RTRACE_OP_LDD => ("ldd", S::LoadVariable),
        abi::RTRACE_OP_STD => ("std", S::StoreVariable),
        abi::RTRACE_OP_AGG => ("agg", S::Aggregate),
        abi::RTRACE_OP_EMIT => ("emit", S::ItemA),
        abi::RTRACE_OP_EMITS => ("emits", S::ItemA),
        abi::RTRACE_OP_EMITB => ("emitb", S::ItemAB),
        abi::RTRACE_OP_EMITP => ("emitp", S::Item),
        abi::RTRACE_OP_EMITK => ("emitk", S::ItemFrames),
        abi::RTRACE_OP_EMITU => ("emitu", S::ItemFrames),
        abi::RTRACE_OP_SPECNEW => ("specnew", S::D),
        abi::RTRACE_OP_SPECULATE => ("speculate", S::Bound),
        abi::RTRACE_OP_COMMIT => ("commit", S::ItemA),
        abi::RTRACE_OP_DISCARD => ("discard", S::ItemA),
        abi::RTRACE_OP_EXIT => ("exit", S::ItemA),
        abi::RTRACE_OP_CALL => ("call", S::Call),
        abi::RTRACE_OP_ST8 => ("st8", S::Store),
        abi::RTRACE_OP_ST16 => ("st16", S::Store),
        abi::RTRACE_OP_ST32 => ("st32", S::Store),
        abi::RTRACE_OP_ST64 => ("st64", S::Store),
        abi::RTRACE_OP_BOUND => ("bound", S::Bound),
        abi::RTRACE_OP_SIZE => ("size", S::Bound),
        _ => return None,
    })
}

/// A whole program.
pub fn disassemble(compiled: &Compiled) -> String {
    let mut text = String::new();
    for (index, clause) in compiled.clauses.iter().enumerate() {
        if index != 0 {
            text.push('\n');
        }
        show_clause(&mut text, compiled, clause);
    }
    tables(&mut text, compiled);
    text
}

fn show_clause(text: &mut String, compiled: &Compiled, clause: &Clause) {
    for description in &clause.descriptions {
        let _ = match description.id {
            Some(id) => writeln!(text, "{id}"),
            None => writeln!(
                text,
                "{}:{}:{}:{}",
                description.provider, description.module, description.function, description.name
            ),
        };
    }
    if clause.default {
        text.push_str("; default action\n");
    }
    let code = &compiled.code[clause.first as usize..][..clause.count as usize];
    for (at, word) in code.iter().enumerate() {
        let instruction = Instruction::from_word(*word);
        let _ = writeln!(
            text,
            "{at:5}: {word:016x}  {}",
            line(compiled, instruction, at)
        );
    }
    for (number, action) in clause.actions.iter().enumerate() {
        let _ = writeln!(text, "; action {number}: {action:?}");
    }
}

/// An instruction, without its place.
fn line(compiled: &Compiled, is: Instruction, at: usize) -> String {
    let Some((name, shape)) = operation(is.op) else {
        return format!("op{}", is.op);
    };
    let (d, a, b, i) = (is.d, is.a, is.b, is.i);
    let item = || format!("[{}.{}]", i >> 16, i & 0xffff);
    let (operands, note) = match shape {
        Shape::None => (String::new(), String::new()),
        Shape::A => (format!("r{a}"), String::new()),
        Shape::D => (format!("r{d}"), String::new()),
        Shape::Unary => (format!("r{d}, r{a}"), String::new()),
        Shape::Binary => (format!("r{d}, r{a}, r{b}"), String::new()),
        Shape::Immediate => (format!("r{d}, r{a}, {i}"), String::new()),
        Shape::Jump => (target(at, i), String::new()),
        Shape::JumpA => (format!("r{a}, {}", target(at, i)), String::new()),
        Shape::JumpAB => (format!("r{a}, r{b}, {}", target(at, i)), String::new()),
        Shape::Number => (format!("r{d}, {i}"), String::new()),
        Shape::Constant => (
            format!("r{d}, constant[{i}]"),
            compiled
                .constants
                .get(i as usize)
                .map_or(String::new(), |value| format!("{value:#x}")),
        ),
        Shape::Text => (format!("r{d}, string[{i}]"), string(compiled, i)),
        Shape::Load => (format!("r{d}, [r{a}{i:+}]"), String::new()),
        Shape::Store => (format!("[r{a}{i:+}], r{b}"), String::new()),
        Shape::Copy => (format!("r{d}, r{a}, {i}"), String::new()),
        Shape::Builtin => (format!("r{d}, {}", builtin(i as u32)), String::new()),
        Shape::LoadVariable => (format!("r{d}, variable[{i}]"), variable(compiled, i)),
        Shape::StoreVariable => (format!("variable[{i}], r{a}"), variable(compiled, i)),
        Shape::Bound => (format!("r{a}, {i}"), String::new()),
        Shape::Frames => (format!("{i}"), String::new()),
        Shape::Aggregate => (
            format!("aggregation[{i}], r{a}, r{b}"),
            compiled
                .aggregations
                .get(i as usize)
                .map_or(String::new(), |one| {
                    format!("@{} = {}", one.name, aggregating(one.function))
                }),
        ),
        Shape::Item => (item(), String::new()),
        Shape::ItemA => (format!("{}, r{a}", item()), String::new()),
        Shape::ItemAB => (format!("{}, r{a}, r{b}", item()), String::new()),
        Shape::ItemFrames => (
            format!("{}, {}", item(), u32::from(a) + 256 * u32::from(b)),
            String::new(),
        ),
        Shape::Call => (
            format!(
                "r{d}, {}({})",
                subroutine(i as u32),
                (0..b)
                    .map(|argument| format!("r{}", a + argument))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
            String::new(),
        ),
    };
    let mut line = format!("{name:<9} {operands}");
    if !note.is_empty() {
        let _ = write!(line, " ; {note}");
    }
    line.truncate(line.trim_end().len());
    line
}

fn target(at: usize, i: i32) -> String {
    (at as i64 + 1 + i64::from(i)).to_string()
}

fn string(compiled: &Compiled, at: i32) -> String {
    let bytes = compiled.strings.get(at as usize..).unwrap_or_default();
    let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
    format!("\"{}\"", text.escape_ascii())
}

fn variable(compiled: &Compiled, index: i32) -> String {
    compiled
        .variables
        .get(index as usize)
        .map_or(String::new(), |variable| variable.name.clone())
}

/// A built-in variable as D calls it.
fn builtin(number: u32) -> String {
    if let Some(register) = number
        .checked_sub(abi::RTRACE_VAR_UREG0)
        .and_then(registers::name)
    {
        return format!("uregs[{register}]");
    }
    let name = match number {
        abi::RTRACE_VAR_ARG0..=9 => return format!("arg{number}"),
        abi::RTRACE_VAR_ENTRYARG0..=21 => {
            return format!("entryarg{}", number - abi::RTRACE_VAR_ENTRYARG0);
        }
        abi::RTRACE_VAR_TIMESTAMP => "timestamp",
        abi::RTRACE_VAR_VTIMESTAMP => "vtimestamp",
        abi::RTRACE_VAR_WALLTIMESTAMP => "walltimestamp",
        abi::RTRACE_VAR_ELAPSED => "elapsed",
        abi::RTRACE_VAR_ID => "id",
        abi::RTRACE_VAR_EPID => "epid",
        abi::RTRACE_VAR_PROBE => "probe",
        abi::RTRACE_VAR_CPU => "cpu",
        abi::RTRACE_VAR_PID => "pid",
        abi::RTRACE_VAR_TID => "tid",
        abi::RTRACE_VAR_PPID => "ppid",
        abi::RTRACE_VAR_UID => "uid",
        abi::RTRACE_VAR_GID => "gid",
        abi::RTRACE_VAR_ERRNO => "errno",
        abi::RTRACE_VAR_CURTHREAD => "curthread",
        abi::RTRACE_VAR_CALLER => "caller",
        abi::RTRACE_VAR_STACKDEPTH => "stackdepth",
        abi::RTRACE_VAR_USTACKDEPTH => "ustackdepth",
        abi::RTRACE_VAR_UCALLER => "ucaller",
        abi::RTRACE_VAR_IPL => "ipl",
        abi::RTRACE_VAR_TARGET => "target",
        abi::RTRACE_VAR_EXECNAME => "execname",
        abi::RTRACE_VAR_PROBEPROV => "probeprov",
        abi::RTRACE_VAR_PROBEMOD => "probemod",
        abi::RTRACE_VAR_PROBEFUNC => "probefunc",
        abi::RTRACE_VAR_PROBENAME => "probename",
        abi::RTRACE_VAR_CWD => "cwd",
        _ => return format!("var{number}"),
    };
    name.into()
}

/// A subroutine as D calls it.
fn subroutine(number: u32) -> String {
    match number {
        // What these do, D has no function for.
        abi::RTRACE_SUB_STRNCMP => "strncmp".into(),
        abi::RTRACE_SUB_EXECARGS => "execargs".into(),
        number => match builtins::subroutine(number) {
            Some(name) => name.into(),
            None => format!("sub{number}"),
        },
    }
}

/// An aggregating function as D calls it.
fn aggregating(number: u32) -> &'static str {
    builtins::aggregating(number).unwrap_or("?")
}

fn tables(text: &mut String, compiled: &Compiled) {
    if !compiled.variables.is_empty() {
        text.push_str("\nvariables\n");
    }
    for (index, one) in compiled.variables.iter().enumerate() {
        let scope = ["global", "local", "array", "thread", "thread array"]
            .get(usize::from(one.scope))
            .unwrap_or(&"?");
        let _ = writeln!(
            text,
            "{index:5}: {:<20} {scope:<12} {}",
            one.name, one.type_name
        );
    }
    if !compiled.aggregations.is_empty() {
        text.push_str("\naggregations\n");
    }
    for (index, one) in compiled.aggregations.iter().enumerate() {
        let keys: Vec<String> = one.keys.iter().map(form).collect();
        let parameters = match one.function {
            abi::RTRACE_AGG_LQUANTIZE | abi::RTRACE_AGG_LLQUANTIZE => {
                let shown: Vec<String> = one
                    .parameters
                    .iter()
                    .map(|word| (*word as i64).to_string())
                    .collect();
                format!(" {}", shown.join(" "))
            }
            _ => String::new(),
        };
        let _ = writeln!(
            text,
            "{index:5}: @{}[{}] = {}{parameters}",
            one.name,
            keys.join(", "),
            aggregating(one.function)
        );
    }
}

fn form(form: &Form) -> String {
    match form {
        Form::Integer { bytes, signed } => {
            format!("{}int{}", if *signed { "" } else { "u" }, 8 * bytes)
        }
        Form::Pointer => "pointer".into(),
        Form::String => "string".into(),
        Form::Bytes(bytes) | Form::Characters(bytes) => format!("{bytes} bytes"),
        Form::StackValue(bytes) => format!("stack in {bytes} bytes"),
        Form::Probe(part) => format!("probe {part:?}").to_lowercase(),
        Form::Stack(frames) => format!("stack {frames}"),
        Form::Ustack(frames) => format!("ustack {frames}"),
        Form::Address(form) => format!("{form:?}").to_lowercase(),
    }
}
