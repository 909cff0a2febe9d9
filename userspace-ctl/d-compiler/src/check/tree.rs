// SPDX-License-Identifier: GPL-2.0-only
//! A checked program: names are resolved, each expression has its type, and every conversion
//! that D makes silently is there to see.
#![forbid(unsafe_code)]

use crate::ast::Description;
use crate::builtins::Structure;
use crate::compiled::{Action, AddressForm, Form, Part};
use crate::error::Span;
use crate::types::TypeId;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Its type. Of a variable that has none yet: void.
    pub ty: TypeId,
    /// Where it stands.
    pub span: Span,
    /// It names a place, not only a value.
    pub lvalue: bool,
    /// The place may be assigned to.
    pub writable: bool,
}

/// An operation on two numbers of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    And,
    Or,
    Xor,
    ShiftLeft,
    ShiftRight,
}

/// A comparison; greater is less with its operands exchanged, which the code does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Comparison {
    /// How it is written.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
        }
    }
}

/// An operation on two truths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Logical {
    And,
    Or,
    Xor,
}

/// How an update computes the new value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// In this type, and back to that of the place.
    Number(Arithmetic, TypeId),
    /// A pointer moves by the value times so many bytes.
    Pointer {
        /// Backwards.
        back: bool,
        /// Bytes.
        scale: u64,
    },
}

/// Some bits of a number in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bits {
    /// Bits below.
    pub shift: u8,
    /// How many.
    pub width: u8,
    /// Bytes of the number that they are loaded with: 1, 2, 4 or 8.
    pub bytes: u8,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeKind {
    /// A constant, with all of its 64 bits: dtrace folds constants before it cuts them.
    Int(i64),
    /// A string constant.
    Text(Vec<u8>),
    /// A number RTRACE_VAR_*.
    Builtin(u32),
    /// A string RTRACE_VAR_*.
    BuiltinText(u32),
    /// A variable of the program.
    Variable {
        /// Its index.
        variable: usize,
        /// Of an array: one of them.
        keys: Vec<Node>,
    },
    /// What is in memory; of arrays, structs and functions: where it is.
    Memory {
        /// Where.
        address: Box<Node>,
        /// Bytes behind that.
        offset: i64,
        /// Of a bit-field.
        bits: Option<Bits>,
    },
    /// Where a [`NodeKind::Memory`] is.
    Address(Box<Node>),
    /// `-x`
    Negate(Box<Node>),
    /// `~x`
    Complement(Box<Node>),
    /// `!x`
    Not(Box<Node>),
    /// Both operands have the type of the result, but the right one of a shift.
    Arithmetic(Arithmetic, Box<Node>, Box<Node>),
    /// Of two numbers of one type, or two pointers.
    Compare {
        /// Which.
        op: Comparison,
        /// By sign.
        signed: bool,
        /// Left.
        left: Box<Node>,
        /// Right.
        right: Box<Node>,
    },
    /// Of two strings.
    CompareText(Comparison, Box<Node>, Box<Node>),
    /// `&&`, `||`, `^^`
    Logical(Logical, Box<Node>, Box<Node>),
    /// A pointer moved by so many things of a size.
    Move {
        /// From where.
        pointer: Box<Node>,
        /// By how many.
        index: Box<Node>,
        /// Of so many bytes.
        scale: u64,
        /// Backwards.
        back: bool,
    },
    /// An index, which must be below so many.
    Within(Box<Node>, u32),
    /// A number of bytes, which must be no more than so many.
    Fits(Box<Node>, u32),
    /// How many things of a size are between two pointers.
    Distance {
        /// Left.
        left: Box<Node>,
        /// Right.
        right: Box<Node>,
        /// Bytes.
        scale: u64,
    },
    /// A number as one of this node's type.
    Convert(Box<Node>),
    /// The string that is in memory there; at most so many bytes, if it is not 0.
    ToText(Box<Node>, u32),
    /// The place takes the value.
    Assign(Box<Node>, Box<Node>),
    /// The place takes a value that comes from its own.
    Update {
        /// The place.
        place: Box<Node>,
        /// How.
        change: Change,
        /// By what; its type is that of the change.
        by: Box<Node>,
        /// The expression's value is what was there before.
        before: bool,
    },
    /// `?:`
    Conditional(Box<Node>, Box<Node>, Box<Node>),
    /// `,`
    Comma(Box<Node>, Box<Node>),
    /// RTRACE_SUB_*
    Call(u32, Vec<Node>),
    /// `speculation()`
    Speculation,
    /// What has no value: an action, an aggregating function, an aggregation. That it stands
    /// where a value is needed shows in its type, void, or at last when code is made. As a caller
    /// knows it, and as dtrace names its type.
    NoValue(String, &'static str),
    /// A translation: only its members have values.
    Translated(Box<Translation>),
}

/// What `xlate <type> (input)` stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Translation {
    /// Which translator.
    pub translator: usize,
    /// What is translated, as the translator takes it.
    pub input: Node,
    /// What has to be done before a member is taken.
    pub before: Option<Node>,
    /// It stands for a pointer to what comes out.
    pub pointer: bool,
    /// The built-in variable that it is, some of whose members are others.
    pub built_in: Option<&'static Structure>,
}

/// A variable of the program.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Without its scope.
    pub name: String,
    /// RTRACE_SCOPE_*
    pub scope: u32,
    /// `None`: nothing said it yet.
    pub ty: Option<TypeId>,
    /// Of arrays: the types of its keys, once they are known.
    pub keys: Option<Vec<TypeId>>,
    /// It is an array.
    pub array: bool,
    /// It was declared.
    pub declared: bool,
    /// Whether the pointers that it was assigned are to the firing's own memory; `None`: it was
    /// assigned none.
    pub own_memory: Option<bool>,
}

/// The type of a key of an aggregation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// An expression's.
    Value(TypeId),
    /// `stack()`
    Stack(u32),
    /// `ustack()`
    Ustack(u32),
    /// `sym()` and kin.
    Address(AddressForm),
}

/// A key of an aggregation, or an argument of printf.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// An expression.
    Value(Node),
    /// A part of the probe's name.
    Probe(Part, Node),
    /// `stack()`
    Stack(u32),
    /// `ustack()`
    Ustack(u32),
    /// `sym()` and kin of an address.
    Address(AddressForm, Node),
}

/// An aggregation of the program.
#[derive(Clone, Debug)]
pub struct Aggregation {
    /// Without `@`.
    pub name: String,
    /// RTRACE_AGG_*
    pub function: u32,
    /// As of rtrace_aggregation.
    pub parameters: [u64; 4],
    /// The types of its keys.
    pub keys: Vec<KeyType>,
    /// What each key is; a probe's part only if it is this part wherever it is used.
    pub forms: Vec<Form>,
    /// Of the value.
    pub signed: bool,
}

/// A statement.
#[derive(Clone, Debug)]
pub enum Statement {
    /// An expression for its effect.
    Expr(Node),
    /// `@a[keys] = function(value, weight)`
    Aggregate {
        /// The aggregation.
        aggregation: usize,
        /// Its keys.
        keys: Vec<Item>,
        /// What is aggregated.
        value: Option<Node>,
        /// With this weight.
        weight: Option<Node>,
    },
    /// An action that writes items.
    Action {
        /// What it means.
        action: Action,
        /// What is recorded, by argument.
        items: Vec<Item>,
        /// How many actions dtrace counts for it.
        counts: u16,
    },
    /// `tracemem()`: address, and how many bytes.
    Tracemem {
        /// At most so many.
        bytes: u32,
        /// Where.
        address: Node,
        /// How many are shown.
        length: Option<Node>,
    },
    /// `print()`, `trace()` of what is in memory: so many bytes.
    Record {
        /// What it means.
        action: Action,
        /// Where.
        address: Node,
        /// How many.
        bytes: u32,
        /// Where they are is recorded, too.
        pointer: bool,
    },
    /// `speculate()`
    Speculate(Node),
    /// `commit()`
    Commit(Node),
    /// `discard()`
    Discard(Node),
    /// `exit()`
    Exit(Node),
    /// `if`
    If {
        /// What decides.
        condition: Node,
        /// Yes.
        then: Vec<Statement>,
        /// No.
        otherwise: Vec<Statement>,
    },
}

/// A clause.
#[derive(Clone, Debug)]
pub struct Clause {
    /// For which probes.
    pub descriptions: Vec<Description>,
    /// The predicate.
    pub predicate: Option<Node>,
    /// `None`: the default action.
    pub body: Vec<Statement>,
    /// The default action.
    pub default: bool,
    /// The whole.
    pub span: Span,
    /// Which of the program's clauses it is, as they are written.
    pub number: usize,
    /// It is a part of that one, and not the first: it runs for the same probes as the part before.
    pub goes_on: bool,
    /// Of a part: how others know whether it had a fault.
    pub marks: Option<Box<Marks>>,
}

/// Assignments around what a part of a clause does.
#[derive(Clone, Debug)]
pub struct Marks {
    /// Before it.
    pub begins: Node,
    /// When it has come to its end.
    pub ends: Node,
}

/// A program.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Its variables.
    pub variables: Vec<Variable>,
    /// Its aggregations.
    pub aggregations: Vec<Aggregation>,
    /// Its clauses.
    pub clauses: Vec<Clause>,
}

impl Translation {
    /// What it points to, if it is a pointer.
    pub fn pointed_to(&self) -> Option<Self> {
        self.pointer.then(|| Self {
            pointer: false,
            ..self.clone()
        })
    }

    /// As libdtrace calls it.
    pub fn shown(&self) -> &'static str {
        if self.pointer {
            "pointer to translated data"
        } else {
            "translated data"
        }
    }
}

impl Node {
    /// A value, not a place.
    pub fn new(kind: NodeKind, ty: TypeId, span: Span) -> Self {
        Self {
            kind,
            ty,
            span,
            lvalue: false,
            writable: false,
        }
    }

    /// The constant, if it is one.
    pub fn constant(&self) -> Option<i64> {
        match self.kind {
            NodeKind::Int(value) => Some(value),
            _ => None,
        }
    }

    /// Whether it is of what libdtrace calls dynamic type: it has no value as a whole.
    pub fn is_dynamic(&self) -> bool {
        matches!(self.kind, NodeKind::NoValue(..) | NodeKind::Translated(_))
    }

    /// Whether it is the constant 0.
    pub fn is_zero(&self) -> bool {
        self.constant() == Some(0)
    }

    /// Whether it is a variable, or leads from one's start further on.
    pub fn is_in_variable(&self) -> bool {
        match &self.kind {
            NodeKind::Variable { .. } => true,
            NodeKind::Move { pointer, .. } => pointer.is_in_variable(),
            _ => false,
        }
    }

    /// Whether its evaluation changes nothing: it may be done earlier or later.
    pub fn is_pure(&self) -> bool {
        match &self.kind {
            NodeKind::Int(_)
            | NodeKind::Text(_)
            | NodeKind::Builtin(_)
            | NodeKind::BuiltinText(_)
            | NodeKind::NoValue(..)
            | NodeKind::Translated(_) => true,
            NodeKind::Variable { keys, .. } => keys.iter().all(Self::is_pure),
            NodeKind::Memory { address, .. } => address.is_pure(),
            NodeKind::Address(one)
            | NodeKind::Negate(one)
            | NodeKind::Complement(one)
            | NodeKind::Not(one)
            | NodeKind::Convert(one)
            | NodeKind::Within(one, _)
            | NodeKind::Fits(one, _)
            | NodeKind::ToText(one, _) => one.is_pure(),
            NodeKind::Arithmetic(_, left, right)
            | NodeKind::CompareText(_, left, right)
            | NodeKind::Logical(_, left, right)
            | NodeKind::Comma(left, right)
            | NodeKind::Compare { left, right, .. }
            | NodeKind::Distance { left, right, .. } => left.is_pure() && right.is_pure(),
            NodeKind::Move { pointer, index, .. } => pointer.is_pure() && index.is_pure(),
            NodeKind::Conditional(a, b, c) => a.is_pure() && b.is_pure() && c.is_pure(),
            NodeKind::Assign(..)
            | NodeKind::Update { .. }
            | NodeKind::Call(..)
            | NodeKind::Speculation => false,
        }
    }
}
