// SPDX-License-Identifier: GPL-2.0-only
//! Writes expressions and types as text again, every operator in parentheses: trees that are
//! written alike are alike, places set aside.
#![forbid(unsafe_code)]

use crate::ast::{
    BaseType, Binary, Declaration, Declarator, Derivation, Expr, ExprKind, IntegerKind, Statement,
    Suffix, TypeName, Unary,
};

fn list<T>(items: &[T], write: impl Fn(&T) -> String) -> String {
    items.iter().map(write).collect::<Vec<_>>().join(", ")
}

fn suffix(suffix: Suffix) -> String {
    let unsigned = if suffix.unsigned { "u" } else { "" };
    let length = match (suffix.long, suffix.long_long) {
        (_, true) => "ll",
        (true, _) => "l",
        _ => "",
    };
    format!("{unsigned}{length}")
}

fn module(module: Option<&String>) -> String {
    module.map_or(String::new(), |module| format!("{module}`"))
}

fn bytes(value: u64, count: usize) -> String {
    let mut text = String::new();
    for byte in &value.to_be_bytes()[8 - count..] {
        text.push_str(&format!("\\{byte:03o}"));
    }
    text
}

/// An expression.
pub fn expr(node: &Expr) -> String {
    match &node.kind {
        ExprKind::Int {
            value,
            suffix: tail,
            decimal: true,
        } => format!("{value}{}", suffix(*tail)),
        ExprKind::Int {
            value: 0,
            suffix: tail,
            ..
        } => format!("0{}", suffix(*tail)),
        ExprKind::Int {
            value,
            suffix: tail,
            decimal: false,
        } => format!("{value:#x}{}", suffix(*tail)),
        ExprKind::Char(value) => {
            let value = *value as u64;
            let count = (8 - value.leading_zeros() as usize / 8).max(1);
            format!("'{}'", bytes(value, count))
        }
        ExprKind::String(value) => {
            let text: String = value
                .iter()
                .map(|&byte| bytes(u64::from(byte), 1))
                .collect();
            format!("\"{text}\"")
        }
        ExprKind::Ident(name) => name.clone(),
        ExprKind::External { module, name } => {
            format!("{}`{name}", module.as_deref().unwrap_or_default())
        }
        ExprKind::Thread(name) => format!("self->{name}"),
        ExprKind::Local(name) => format!("this->{name}"),
        ExprKind::Global(name) => format!("(::{name})"),
        ExprKind::Aggregation { name, keys: None } => format!("@{name}"),
        ExprKind::Aggregation {
            name,
            keys: Some(keys),
        } => format!("@{name}[{}]", list(keys, expr)),
        ExprKind::Call { name, arguments } => format!("{name}({})", list(arguments, expr)),
        ExprKind::Index { base, keys } => format!("({})[{}]", expr(base), list(keys, expr)),
        ExprKind::Member { base, name } => format!("({}).{name}", expr(base)),
        ExprKind::Arrow { base, name } => format!("({})->{name}", expr(base)),
        ExprKind::Unary { op, operand } => {
            let operand = expr(operand);
            match op {
                Unary::Plus => format!("(+{operand})"),
                Unary::Minus => format!("(-{operand})"),
                Unary::Complement => format!("(~{operand})"),
                Unary::Not => format!("(!{operand})"),
                Unary::Dereference => format!("(*{operand})"),
                Unary::Address => format!("(&{operand})"),
                Unary::PreIncrement => format!("(++({operand}))"),
                Unary::PreDecrement => format!("(--({operand}))"),
                Unary::PostIncrement => format!("(({operand})++)"),
                Unary::PostDecrement => format!("(({operand})--)"),
            }
        }
        ExprKind::Binary { op, left, right } => {
            format!("({} {} {})", expr(left), op.sign(), expr(right))
        }
        ExprKind::Assign { op, to, value } => {
            let op = op.map_or("", Binary::sign);
            format!("({} {op}= {})", expr(to), expr(value))
        }
        ExprKind::Conditional {
            condition,
            then,
            otherwise,
        } => format!(
            "({} ? {} : {})",
            expr(condition),
            expr(then),
            expr(otherwise)
        ),
        ExprKind::Cast { to, operand } => format!("(({}) {})", type_name(to), expr(operand)),
        ExprKind::SizeofType(of) => format!("(sizeof ({}))", type_name(of)),
        ExprKind::SizeofExpr(of) => format!("(sizeof ({}))", expr(of)),
        ExprKind::Offsetof { of, member } => format!("(offsetof ({}, {member}))", type_name(of)),
        ExprKind::Stringof(of) => format!("(stringof ({}))", expr(of)),
        ExprKind::Xlate { to, operand } => {
            format!("(xlate <{}> ({}))", type_name(to), expr(operand))
        }
        ExprKind::Comma(left, right) => format!("({}, {})", expr(left), expr(right)),
    }
}

/// The name of a type.
pub fn type_name(name: &TypeName) -> String {
    format!("{} {}", base(&name.base), declarator(&name.declarator))
        .trim_end()
        .to_owned()
}

/// A type's words.
pub fn base(base: &BaseType) -> String {
    match base {
        BaseType::Integer {
            kind,
            unsigned,
            signed,
        } => {
            let sign = match (unsigned, signed) {
                (true, _) => "unsigned ",
                (_, true) => "signed ",
                _ => "",
            };
            let kind = match kind {
                IntegerKind::Char => "char",
                IntegerKind::Short => "short",
                IntegerKind::Int => "int",
                IntegerKind::Long => "long",
                IntegerKind::LongLong => "long long",
            };
            format!("{sign}{kind}")
        }
        BaseType::Void => "void".into(),
        BaseType::Float(4) => "float".into(),
        BaseType::Float(8) => "double".into(),
        BaseType::Float(_) => "long double".into(),
        BaseType::String => "string".into(),
        BaseType::Named { module: of, name } => format!("{}{name}", module(of.as_ref())),
        BaseType::Record {
            union,
            module: of,
            tag,
            members,
        } => {
            let word = if *union { "union" } else { "struct" };
            let tag = tag.as_ref().map_or(String::new(), |tag| {
                format!(" {}{tag}", module(of.as_ref()))
            });
            let members = members.as_ref().map_or(String::new(), |members| {
                let members: String = members.iter().map(declaration).collect();
                format!(" {{ {members}}}")
            });
            format!("{word}{tag}{members}")
        }
        BaseType::Enum {
            module: of,
            tag,
            enumerators,
        } => {
            let tag = tag.as_ref().map_or(String::new(), |tag| {
                format!(" {}{tag}", module(of.as_ref()))
            });
            let values = enumerators.as_ref().map_or(String::new(), |values| {
                let values = list(values, |(name, value)| match value {
                    Some(value) => format!("{name} = {}", expr(value)),
                    None => name.clone(),
                });
                format!(" {{ {values} }}")
            });
            format!("enum{tag}{values}")
        }
        BaseType::Other(what) => what.clone(),
    }
}

/// A declaration, storage class set aside.
pub fn declaration(declaration: &Declaration) -> String {
    let names = list(&declaration.declarators, declarator);
    format!("{} {names}; ", base(&declaration.base))
}

/// A declarator.
pub fn declarator(declarator: &Declarator) -> String {
    let mut text = declarator.name.clone();
    for step in &declarator.derivations {
        if *step != Derivation::Pointer && text.starts_with('*') {
            text = format!("({text})");
        }
        match step {
            Derivation::Pointer => text.insert(0, '*'),
            Derivation::Array(length) => {
                let length = length.as_ref().map_or(String::new(), expr);
                text.push_str(&format!("[{length}]"));
            }
            Derivation::Associative(keys) => {
                text.push_str(&format!("[{}]", list(keys, type_name)));
            }
            Derivation::Function(parameters, variadic) => {
                let mut parameters: Vec<String> = parameters.iter().map(type_name).collect();
                if *variadic {
                    parameters.push("...".into());
                }
                text.push_str(&format!("({})", parameters.join(", ")));
            }
        }
    }
    if let Some(bits) = &declarator.bits {
        text.push_str(&format!(" : {}", expr(bits)));
    }
    text
}

/// A statement.
pub fn statement(statement: &Statement) -> String {
    match statement {
        Statement::Expr(value) => format!("{};", expr(value)),
        Statement::If {
            condition,
            then,
            otherwise,
            ..
        } => {
            let block = |body: &[Statement]| body.iter().map(self::statement).collect::<String>();
            let mut text = format!("if ({}) {{{}}}", expr(condition), block(then));
            if !otherwise.is_empty() {
                text.push_str(&format!(" else {{{}}}", block(otherwise)));
            }
            text
        }
    }
}
