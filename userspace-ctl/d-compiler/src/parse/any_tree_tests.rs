// SPDX-License-Identifier: GPL-2.0-only
//! Any tree of an expression that is written as text comes back from it.
#![forbid(unsafe_code)]

use proptest::prelude::*;

use super::expression_tests::parse;
use super::unparse;
use crate::ast::{
    BaseType, Binary, Declarator, Derivation, Expr, ExprKind, IntegerKind, Suffix, TypeName, Unary,
};
use crate::error::Span;

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_]{0,4}v".prop_map(|name| name)
}

fn at(kind: ExprKind) -> Expr {
    Expr {
        kind,
        span: Span::default(),
    }
}

fn base_type() -> impl Strategy<Value = BaseType> {
    let kind = prop_oneof![
        Just(IntegerKind::Char),
        Just(IntegerKind::Short),
        Just(IntegerKind::Int),
        Just(IntegerKind::Long),
        Just(IntegerKind::LongLong),
    ];
    prop_oneof![
        (kind, 0..3).prop_map(|(kind, sign)| BaseType::Integer {
            kind,
            unsigned: sign == 1,
            signed: sign == 2,
        }),
        Just(BaseType::Void),
        Just(BaseType::String),
        prop_oneof![Just(4), Just(8), Just(16)].prop_map(BaseType::Float),
        Just(BaseType::Named {
            module: None,
            name: "my_t".into()
        }),
        Just(BaseType::Named {
            module: Some("ext4".into()),
            name: "its_t".into()
        }),
        (any::<bool>(), proptest::option::of(name()), name()).prop_map(|(union, module, tag)| {
            BaseType::Record {
                union,
                module,
                tag: Some(tag),
                members: None,
            }
        }),
        (proptest::option::of(name()), name()).prop_map(|(module, tag)| BaseType::Enum {
            module,
            tag: Some(tag),
            enumerators: None,
        }),
    ]
}

fn type_of(steps: Vec<Derivation>, base: BaseType) -> TypeName {
    TypeName {
        base,
        declarator: Declarator {
            derivations: steps,
            ..Declarator::default()
        },
        span: Span::default(),
    }
}

fn step(expr: BoxedStrategy<Expr>) -> impl Strategy<Value = Derivation> {
    let parameters = prop::collection::vec(base_type(), 1..3).prop_map(|types| {
        types
            .into_iter()
            .map(|base| type_of(vec![], base))
            .collect()
    });
    prop_oneof![
        3 => Just(Derivation::Pointer),
        1 => proptest::option::of(expr).prop_map(Derivation::Array),
        1 => (parameters, any::<bool>())
            .prop_map(|(types, variadic): (Vec<TypeName>, bool)| {
                Derivation::Function(types, variadic)
            }),
    ]
}

fn tree() -> impl Strategy<Value = Expr> {
    let suffix = (any::<bool>(), 0..3).prop_map(|(unsigned, length)| Suffix {
        unsigned,
        long: length == 1,
        long_long: length == 2,
    });
    let leaf = prop_oneof![
        (any::<u64>(), suffix, any::<bool>()).prop_map(|(value, suffix, decimal)| {
            ExprKind::Int {
                value,
                suffix,
                decimal: decimal && value != 0,
            }
        }),
        any::<i64>().prop_map(ExprKind::Char),
        prop::collection::vec(1_u8.., 0..6).prop_map(ExprKind::String),
        name().prop_map(ExprKind::Ident),
        name().prop_map(ExprKind::Thread),
        name().prop_map(ExprKind::Local),
        name().prop_map(ExprKind::Global),
        (proptest::option::of(name()), name())
            .prop_map(|(module, name)| ExprKind::External { module, name }),
        name().prop_map(|name| ExprKind::Aggregation { name, keys: None }),
    ]
    .prop_map(at);
    leaf.prop_recursive(5, 60, 3, |inner| {
        let inner = inner.boxed();
        let one = inner.clone().prop_map(Box::new).boxed();
        let some = prop::collection::vec(inner.clone(), 1..3);
        let type_name = (
            prop::collection::vec(step(inner.clone()), 0..3),
            base_type(),
        )
            .prop_map(|(steps, base)| Box::new(type_of(steps, base)))
            .boxed();
        prop_oneof![
            (name(), some.clone()).prop_map(|(name, keys)| ExprKind::Aggregation {
                name,
                keys: Some(keys)
            }),
            (name(), prop::collection::vec(inner.clone(), 0..3))
                .prop_map(|(name, arguments)| ExprKind::Call { name, arguments }),
            // An aggregation with keys in brackets is one node.
            (one.clone(), some)
                .prop_filter("keys belong to the aggregation", |(base, _)| !matches!(
                    base.kind,
                    ExprKind::Aggregation { keys: None, .. }
                ))
                .prop_map(|(base, keys)| ExprKind::Index { base, keys }),
            (one.clone(), name()).prop_map(|(base, name)| ExprKind::Member { base, name }),
            (one.clone(), name()).prop_map(|(base, name)| ExprKind::Arrow { base, name }),
            (unary(), one.clone()).prop_map(|(op, operand)| ExprKind::Unary { op, operand }),
            (binary(), one.clone(), one.clone()).prop_map(|(op, left, right)| ExprKind::Binary {
                op,
                left,
                right
            }),
            (proptest::option::of(assigning()), one.clone(), one.clone())
                .prop_map(|(op, to, value)| ExprKind::Assign { op, to, value }),
            (one.clone(), one.clone(), one.clone()).prop_map(|(condition, then, otherwise)| {
                ExprKind::Conditional {
                    condition,
                    then,
                    otherwise,
                }
            }),
            (type_name.clone(), one.clone())
                .prop_map(|(to, operand)| ExprKind::Cast { to, operand }),
            type_name.clone().prop_map(ExprKind::SizeofType),
            one.clone().prop_map(ExprKind::SizeofExpr),
            (type_name.clone(), name()).prop_map(|(of, member)| ExprKind::Offsetof { of, member }),
            one.clone().prop_map(ExprKind::Stringof),
            (type_name, one.clone()).prop_map(|(to, operand)| ExprKind::Xlate { to, operand }),
            (one.clone(), one).prop_map(|(left, right)| ExprKind::Comma(left, right)),
        ]
        .prop_map(at)
    })
}

fn unary() -> impl Strategy<Value = Unary> {
    prop::sample::select(vec![
        Unary::Plus,
        Unary::Minus,
        Unary::Complement,
        Unary::Not,
        Unary::Dereference,
        Unary::Address,
        Unary::PreIncrement,
        Unary::PreDecrement,
        Unary::PostIncrement,
        Unary::PostDecrement,
    ])
}

const ASSIGNING: [Binary; 10] = [
    Binary::Multiply,
    Binary::Divide,
    Binary::Modulo,
    Binary::Add,
    Binary::Subtract,
    Binary::ShiftLeft,
    Binary::ShiftRight,
    Binary::And,
    Binary::Xor,
    Binary::Or,
];

fn assigning() -> impl Strategy<Value = Binary> {
    prop::sample::select(ASSIGNING.to_vec())
}

fn binary() -> impl Strategy<Value = Binary> {
    let mut all = ASSIGNING.to_vec();
    all.extend([
        Binary::Less,
        Binary::LessEqual,
        Binary::Greater,
        Binary::GreaterEqual,
        Binary::Equal,
        Binary::NotEqual,
        Binary::LogicalAnd,
        Binary::LogicalXor,
        Binary::LogicalOr,
    ]);
    prop::sample::select(all)
}

proptest! {
    #[test]
    fn a_tree_that_is_written_comes_back(tree in tree()) {
        let text = unparse::expr(&tree);
        let parsed = parse(&text);
        prop_assert!(parsed.is_ok(), "{}: {:?}", text, parsed);
        prop_assert_eq!(unparse::expr(&parsed.expect("it was parsed")), text);
    }
}
