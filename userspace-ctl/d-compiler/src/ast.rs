// SPDX-License-Identifier: GPL-2.0-only
//! The syntax tree of a D program.

pub use crate::error::Span;

/// A program: declarations and clauses in the order of the text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    /// What it consists of.
    pub items: Vec<Item>,
    /// Where in `items` another text begins. Each has clause-local variables of its own: dtrace compiles them one by one.
    pub texts: Vec<usize>,
    /// `#pragma D option name` or `name=value`, in order.
    pub options: Vec<Pragma>,
}

impl Program {
    /// The same with another text behind it.
    pub fn with(mut self, text: Self) -> Self {
        self.texts.push(self.items.len());
        self.items.extend(text.items);
        self.options.extend(text.options);
        self
    }
}

/// An option that the program sets for its consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pragma {
    /// The option.
    pub name: String,
    /// What it is set to.
    pub value: Option<String>,
    /// Where it stands.
    pub span: Span,
}

/// A part of a program.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A declaration of types or variables.
    Declaration(Declaration),
    /// `inline type name = expr;` or, with keys, `inline type name[type key, …] = expr;`
    Inline(Inline),
    /// How one type becomes another.
    Translator(Translator),
    /// Probe descriptions, predicate, statements.
    Clause(Clause),
}

/// Probes, and what to do when one of them fires.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// Which probes.
    pub descriptions: Vec<Description>,
    /// `/ expr /`
    pub predicate: Option<Expr>,
    /// `None`: there are no braces, or nothing is between them: the default action.
    pub body: Option<Vec<Statement>>,
    /// The whole.
    pub span: Span,
}

/// `provider:module:function:name`; empty: any. Fields are globs; a number alone is an id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Description {
    pub provider: String,
    pub module: String,
    pub function: String,
    pub name: String,
    /// A probe's id, in place of names.
    pub id: Option<u32>,
    pub span: Span,
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// An expression, action calls among them.
    Expr(Expr),
    /// `if (condition) then else otherwise`
    If {
        /// What decides.
        condition: Expr,
        /// If it is not 0.
        then: Vec<Statement>,
        /// If it is 0.
        otherwise: Vec<Statement>,
        /// The whole.
        span: Span,
    },
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum ExprKind {
    /// An integer constant; the suffix says more of its type.
    Int {
        value: u64,
        suffix: Suffix,
        decimal: bool,
    },
    /// `'c'`, of type int.
    Char(i64),
    /// What stood between quotes, escapes resolved; pieces beside each other are joined.
    String(Vec<u8>),
    /// A name of variable, built-in, inline or enumerator.
    Ident(String),
    /// `module`name` or `` `name``: a symbol of the kernel.
    External {
        module: Option<String>,
        name: String,
    },
    /// `self->name`
    Thread(String),
    /// `this->name`
    Local(String),
    /// `::name`: a global, whatever else is called so.
    Global(String),
    /// `@name`, or `@`, with its keys if it has any.
    Aggregation {
        name: String,
        keys: Option<Vec<Expr>>,
    },
    /// `name(arguments)`: an action, a subroutine, an aggregating function, an inline.
    Call {
        name: String,
        arguments: Vec<Expr>,
    },
    /// `array[keys]`; of what is no associative array there is one index.
    Index {
        base: Box<Expr>,
        keys: Vec<Expr>,
    },
    /// `base.member`
    Member {
        base: Box<Expr>,
        name: String,
    },
    /// `base->member`
    Arrow {
        base: Box<Expr>,
        name: String,
    },
    Unary {
        op: Unary,
        operand: Box<Expr>,
    },
    Binary {
        op: Binary,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// `=`, or with an operator `+=` and so on.
    Assign {
        op: Option<Binary>,
        to: Box<Expr>,
        value: Box<Expr>,
    },
    /// `condition ? then : otherwise`
    Conditional {
        condition: Box<Expr>,
        then: Box<Expr>,
        otherwise: Box<Expr>,
    },
    /// `(type) operand`
    Cast {
        to: Box<TypeName>,
        operand: Box<Expr>,
    },
    /// `sizeof (type)`
    SizeofType(Box<TypeName>),
    /// `sizeof expr`
    SizeofExpr(Box<Expr>),
    /// `offsetof (type, member)`
    Offsetof {
        of: Box<TypeName>,
        member: String,
    },
    /// `stringof expr`
    Stringof(Box<Expr>),
    /// `xlate <type> (expr)`
    Xlate {
        to: Box<TypeName>,
        operand: Box<Expr>,
    },
    /// `a, b`
    Comma(Box<Expr>, Box<Expr>),
}

/// `u`, `l`, `ul`, `ll`, `ull`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Suffix {
    pub unsigned: bool,
    pub long: bool,
    pub long_long: bool,
}

/// An operator before (or, for `++` and `--`, behind) its operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Unary {
    Plus,
    Minus,
    /// `~`
    Complement,
    /// `!`
    Not,
    /// `*`
    Dereference,
    /// `&`
    Address,
    PreIncrement,
    PreDecrement,
    PostIncrement,
    PostDecrement,
}

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Binary {
    Multiply,
    Divide,
    Modulo,
    Add,
    Subtract,
    ShiftLeft,
    ShiftRight,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    And,
    Xor,
    Or,
    LogicalAnd,
    /// `^^`
    LogicalXor,
    LogicalOr,
}

impl Binary {
    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::ShiftLeft => "<<",
            Self::ShiftRight => ">>",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::And => "&",
            Self::Xor => "^",
            Self::Or => "|",
            Self::LogicalAnd => "&&",
            Self::LogicalXor => "^^",
            Self::LogicalOr => "||",
        }
    }
}

/// The storage that a declaration asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Storage {
    /// A global variable.
    #[default]
    Global,
    /// `self`
    Thread,
    /// `this`
    Local,
    /// `typedef`
    Typedef,
    /// `extern`: a symbol of the kernel with this type.
    Extern,
    /// `static`, which D does not have at this place, and so on: refused by who checks.
    Static,
}

/// `storage type declarator, declarator;`
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// What for.
    pub storage: Storage,
    /// What comes before the declarators.
    pub base: BaseType,
    /// None: `struct x { … };` alone.
    pub declarators: Vec<Declarator>,
    /// The whole.
    pub span: Span,
}

/// `inline type name[keys] = value;`
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Inline {
    pub base: BaseType,
    pub declarator: Declarator,
    pub value: Expr,
    pub span: Span,
}

/// `translator output < input name > { member = value; … };`
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Translator {
    pub output: TypeName,
    pub input: TypeName,
    /// What the members' values call the input.
    pub name: String,
    pub members: Vec<TranslatorMember>,
    pub span: Span,
}

/// `member = value;`
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct TranslatorMember {
    pub name: String,
    pub value: Expr,
    pub span: Span,
}

/// A name, and how its type comes from the base type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declarator {
    /// Empty in the name of a type.
    pub name: String,
    /// From the name outwards: `*x[3]` is array of 3, then pointer.
    pub derivations: Vec<Derivation>,
    /// Of a member: its bits.
    pub bits: Option<Expr>,
    /// Where it stands.
    pub span: Span,
}

/// A step from one type to another.
#[derive(Clone, Debug, PartialEq)]
pub enum Derivation {
    /// Pointer to it.
    Pointer,
    /// Array of so many; `None`: `[]`.
    Array(Option<Expr>),
    /// Associative array with keys of these types: `int a[string, int]`.
    Associative(Vec<TypeName>),
    /// Function with these parameters.
    Function(Vec<TypeName>, bool),
}

/// The name of a type, as in casts.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct TypeName {
    pub base: BaseType,
    /// With an empty name, or that of a parameter.
    pub declarator: Declarator,
    pub span: Span,
}

/// What stands before declarators.
#[derive(Clone, Debug, PartialEq)]
pub enum BaseType {
    /// Intrinsic types: `unsigned long` and so on, words sorted out; `signed`: said so.
    Integer {
        /// Which.
        kind: IntegerKind,
        /// `unsigned` was said.
        unsigned: bool,
        /// `signed` was said.
        signed: bool,
    },
    /// `void`
    Void,
    /// `float`, `double`, `long double`: 4, 8, 16 bytes
    Float(u8),
    /// `string`
    String,
    /// The name of a typedef, perhaps of a module: ``module`name``.
    Named {
        /// The module.
        module: Option<String>,
        /// The typedef.
        name: String,
    },
    /// `struct` or `union`, named or with members.
    Record {
        /// A union.
        union: bool,
        /// The module that it is looked for in.
        module: Option<String>,
        /// Its tag.
        tag: Option<String>,
        /// Its members, if they are said here.
        members: Option<Vec<Declaration>>,
    },
    /// `enum`
    Enum {
        /// The module that it is looked for in.
        module: Option<String>,
        /// Its tag.
        tag: Option<String>,
        /// Its enumerators, if they are said here.
        enumerators: Option<Vec<(String, Option<Expr>)>>,
    },
    /// `userland` types and other things that are refused by who checks.
    Other(String),
}

/// The intrinsic integer types by their size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum IntegerKind {
    Char,
    Short,
    Int,
    Long,
    LongLong,
}
