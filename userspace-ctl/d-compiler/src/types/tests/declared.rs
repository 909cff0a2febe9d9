// SPDX-License-Identifier: GPL-2.0-only
//! What a program may declare.

use super::*;

#[test]
fn what_cannot_be_declared_is_refused_with_its_tag() {
    let mut types = Types::new(None);
    let b = basic(&types);
    let void = types.intrinsic(Intrinsic::Void);
    let float = types.intrinsic(Intrinsic::Float);
    let forward = types.record(false, "never");
    let open = types.array_of(b.int, 0).unwrap();
    for (fields, tag) in [
        (vec![field("a", void)], "D_DECL_VOIDOBJ"),
        (vec![field("a", forward)], "D_DECL_INCOMPLETE"),
        (vec![field("", b.int)], "D_DECL_MNAME"),
        (vec![field("a", open), field("b", b.int)], "D_DECL_VOIDOBJ"),
        (vec![bits("a", b.int, 0)], "D_DECL_BFCONST"),
        (vec![bits("a", float, 3)], "D_DECL_BFTYPE"),
        (vec![bits("a", b.int, 33)], "D_DECL_BFSIZE"),
        (vec![field("a", b.int), field("a", b.long)], "D_UNKNOWN"),
    ] {
        let error = try_record(&mut types, false, "", &fields).unwrap_err();
        assert_eq!(error.tag, tag, "{fields:?}");
    }
    record(&mut types, false, "once", &[field("a", b.int)]);
    let error = try_record(&mut types, false, "once", &[field("a", b.int)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "[D_DECL_TYPERED] type redeclared: struct once"
    );
    record(&mut types, true, "once", &[field("a", b.int)]);

    assert_eq!(types.array_of(void, 3).unwrap_err().tag, "D_DECL_VOIDOBJ");
    assert_eq!(
        types.array_of(b.long, u32::MAX).unwrap_err().tag,
        "D_DECL_ARRBIG"
    );
    let big = types.array_of(b.char, u32::MAX).unwrap();
    let error = try_record(&mut types, false, "", &[field("a", big)]).unwrap_err();
    assert_eq!(error.tag, "D_DECL_ARRBIG");
    assert_eq!(
        types.function_of(b.int, vec![void], false).unwrap_err().tag,
        "D_DECL_PROTO_TYPE"
    );
    assert_eq!(
        types.function_of(big, vec![], false).unwrap_err().tag,
        "D_DECL_COMBO"
    );

    types.declare_typedef("mine", b.int).unwrap();
    // Of the language's names these may be defined, once.
    let ipaddr = types.declare_typedef("ipaddr_t", b.int).unwrap();
    assert_eq!(types.lookup(None, Named::Typedef("ipaddr_t")), Some(ipaddr));
    assert_eq!(
        types.declare_typedef("ipaddr_t", b.int).unwrap_err().tag,
        "D_DECL_IDRED"
    );
    let error = types.declare_typedef("mine", b.int).unwrap_err();
    assert_eq!(error.to_string(), "[D_DECL_IDRED] typedef redeclared: mine");
    assert_eq!(
        types.declare_typedef("uint8_t", b.int).unwrap_err().tag,
        "D_DECL_IDRED"
    );
}

#[test]
fn enumerators_count_on_and_are_known() {
    let mut types = Types::new(None);
    let values = |list: &[(&str, Option<i64>)]| -> Vec<(String, Option<i64>)> {
        list.iter()
            .map(|&(name, value)| (name.to_owned(), value))
            .collect()
    };
    let ty = types
        .declare_enum(
            Some("colour"),
            &values(&[("RED", None), ("GREEN", Some(7)), ("BLUE", None)]),
        )
        .unwrap();
    assert_eq!(types.enumerator(None, "RED"), Some((0, ty)));
    assert_eq!(types.enumerator(None, "BLUE"), Some((8, ty)));
    assert_eq!(types.enumerator(Some("D"), "GREEN"), Some((7, ty)));
    assert_eq!(types.lookup(None, Named::Enum("colour")), Some(ty));
    assert_eq!(types.name(ty), "enum colour");
    assert_eq!(layout(&types, ty), (4, 4));
    for (tag, list, refused) in [
        (Some("colour"), values(&[("OTHER", None)]), "D_DECL_TYPERED"),
        (None, values(&[("RED", None)]), "D_DECL_IDRED"),
        (None, values(&[("A", None), ("A", None)]), "D_DECL_IDRED"),
        (None, values(&[("A", Some(1 << 31))]), "D_DECL_ENOFLOW"),
        (
            None,
            values(&[("A", Some(i64::from(i32::MAX))), ("B", None)]),
            "D_DECL_ENOFLOW",
        ),
    ] {
        assert_eq!(types.declare_enum(tag, &list).unwrap_err().tag, refused);
        assert_eq!(
            types
                .enumerator(None, "OTHER")
                .or(types.enumerator(None, "B")),
            None
        );
    }
}
