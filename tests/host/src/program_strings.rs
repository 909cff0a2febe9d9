// SPDX-License-Identifier: GPL-2.0

//! D's subroutines: their corner cases as DTrace has them, and random strings against simple
//! evaluators.

use proptest::prelude::*;
use std::net::Ipv6Addr;

use crate::program::addresses;
use crate::program::insn::{op, sub};
use crate::program::interpret::Outcome;
use crate::program::strings;
use crate::program::{fault, Fault};
use crate::program_world::{insn, text_item, Mock, Owned, KERNEL, USER};

/// What an argument is.
enum Argument<'a> {
    Text(&'a str),
    Number(i64),
}
use Argument::{Number, Text};

/// A clause that calls a subroutine and records what it gives: a number, or a string.
fn call(number: u32, arguments: &[Argument<'_>], gives_text: bool) -> Owned {
    let mut program = Owned::new(Vec::new());
    for (register, argument) in (1..).zip(arguments) {
        match argument {
            Text(text) => {
                let at = program.strings.len() as i32;
                program.strings.extend(text.as_bytes());
                program.strings.push(0);
                program.code.push(insn(op::LDSC, register, 0, 0, at));
            }
            Number(number) => {
                let at = program.constants.len() as i32;
                program.constants.push(*number as u64);
                program.code.push(insn(op::LDC, register, 0, 0, at));
            }
        }
    }
    let count = arguments.len() as u8;
    let first = u8::from(count > 0);
    program.code.extend([
        insn(op::CALL, 0, first, count, number as i32),
        insn(if gives_text { op::EMITS } else { op::EMIT }, 0, 0, 0, 0),
        insn(op::RET, 0, 0, 0, 0),
    ]);
    program.clauses[0].count = program.code.len() as u32;
    program
}

fn text(number: u32, arguments: &[Argument<'_>]) -> String {
    let (outcome, items) = call(number, arguments, true).run(&mut world()).remove(0);
    assert!(matches!(outcome, Outcome::Recorded(_)), "{outcome:?}");
    String::from_utf8(text_item(&items)).expect("text")
}

fn number(number: u32, arguments: &[Argument<'_>]) -> i64 {
    let (outcome, items) = call(number, arguments, false).run(&mut world()).remove(0);
    assert!(matches!(outcome, Outcome::Recorded(_)), "{outcome:?}");
    items[1] as i64
}

fn outcome(number: u32, arguments: &[Argument<'_>]) -> Outcome {
    call(number, arguments, false).run(&mut world()).remove(0).0
}

fn world() -> Mock {
    let mut world = Mock::new(0);
    world.kernel = b"kernel text\0".to_vec();
    world.kernel.resize(0x100, 0);
    world.kernel[0x20..0x24].copy_from_slice(&[192, 0, 2, 255]);
    world.kernel[0x30..0x36].copy_from_slice(&[0xa0, 0xaa, 0xff, 0x0c, 0, 1]);
    world.user = b"user text\0".to_vec();
    world
}

#[test]
fn strlen_counts_up_to_strsize() {
    assert_eq!(number(sub::STRLEN, &[Text("")]), 0);
    assert_eq!(number(sub::STRLEN, &[Text("four")]), 4);
    assert_eq!(number(sub::STRLEN, &[Number(KERNEL as i64)]), 11);
    assert_eq!(number(sub::STRLEN, &[Text(&"x".repeat(1000))]), 255);
}

#[test]
fn strjoin_is_cut_at_strsize() {
    assert_eq!(text(sub::STRJOIN, &[Text("ab"), Text("cd")]), "abcd");
    assert_eq!(text(sub::STRJOIN, &[Text(""), Text("")]), "");
    let long = "x".repeat(200);
    assert_eq!(text(sub::STRJOIN, &[Text(&long), Text(&long)]).len(), 255);
}

#[test]
fn strchr_and_strrchr_give_the_rest_or_nothing() {
    let of = |which, byte: u8| text(which, &[Text("a/b/c"), Number(byte.into())]);
    assert_eq!(of(sub::STRCHR, b'/'), "/b/c");
    assert_eq!(of(sub::STRRCHR, b'/'), "/c");
    assert_eq!(of(sub::STRCHR, 0), "");
    for which in [sub::STRCHR, sub::STRRCHR] {
        assert_eq!(number(which, &[Text("abc"), Number(b'x'.into())]), 0);
    }
}

#[test]
fn strstr_gives_the_rest_or_nothing() {
    assert_eq!(
        text(sub::STRSTR, &[Text("foobarbaz"), Text("bar")]),
        "barbaz"
    );
    assert_eq!(text(sub::STRSTR, &[Text("foo"), Text("")]), "foo");
    assert_eq!(text(sub::STRSTR, &[Text(""), Text("")]), "");
    assert_eq!(number(sub::STRSTR, &[Text("foo"), Text("ox")]), 0);
    assert_eq!(number(sub::STRSTR, &[Text(""), Text("x")]), 0);
}

#[test]
fn index_and_rindex_are_perls() {
    let index = |s, t, from: Option<i64>| match from {
        Some(from) => number(sub::INDEX, &[Text(s), Text(t), Number(from)]),
        None => number(sub::INDEX, &[Text(s), Text(t)]),
    };
    let rindex = |s, t, from: Option<i64>| match from {
        Some(from) => number(sub::RINDEX, &[Text(s), Text(t), Number(from)]),
        None => number(sub::RINDEX, &[Text(s), Text(t)]),
    };
    assert_eq!(index("CLADEJOE", "D", None), 3);
    assert_eq!(index("foobarfoo", "foo", Some(1)), 6);
    assert_eq!(index("foobar", "bar", Some(-5)), 3);
    assert_eq!(index("foobar", "x", None), -1);
    assert_eq!(index("foo", "", Some(3)), 3);
    assert_eq!(index("foo", "", Some(4)), -1);
    assert_eq!(index("foo", "", Some(i64::MAX)), -1);
    assert_eq!(index("foo", "o", Some(10)), -1);
    assert_eq!(index("", "", None), 0);
    assert_eq!(index("", "", Some(5)), -1);
    assert_eq!(index("", "x", None), -1);
    assert_eq!(rindex("foobarfoo", "foo", None), 6);
    assert_eq!(rindex("foobarfoo", "foo", Some(5)), 0);
    assert_eq!(rindex("foobarfoo", "foo", Some(6)), 6);
    assert_eq!(rindex("foobarfoo", "foo", Some(100)), 6);
    assert_eq!(rindex("foobarfoo", "foo", Some(-1)), -1);
    assert_eq!(rindex("foo", "", None), 3);
    assert_eq!(rindex("foo", "", Some(9)), 3);
    assert_eq!(rindex("foo", "", Some(-1)), -1);
    assert_eq!(rindex("foo", "x", None), -1);
}

#[test]
fn substr_is_perls() {
    let of = |index, count: Option<i64>| match count {
        Some(count) => text(
            sub::SUBSTR,
            &[Text("foobarbaz"), Number(index), Number(count)],
        ),
        None => text(sub::SUBSTR, &[Text("foobarbaz"), Number(index)]),
    };
    assert_eq!(of(3, None), "barbaz");
    assert_eq!(of(3, Some(3)), "bar");
    assert_eq!(of(-3, None), "baz");
    assert_eq!(of(-3, Some(2)), "ba");
    assert_eq!(of(3, Some(-3)), "bar");
    assert_eq!(of(0, Some(-20)), "");
    assert_eq!(of(9, None), "");
    assert_eq!(of(100, Some(1)), "");
    // Begins two before the string: what lies in it counts.
    assert_eq!(of(-11, Some(4)), "fo");
    assert_eq!(of(-11, Some(2)), "");
    assert_eq!(of(i64::MIN, Some(i64::MAX)), "foobarba");
    assert_eq!(of(2, Some(i64::MAX)), "obarbaz");
    assert_eq!(of(2, Some(i64::MIN)), "");
}

#[test]
fn basename_and_dirname_are_those_of_the_shell() {
    for (path, base, dir) in [
        ("/foo/bar/baz", "baz", "/foo/bar"),
        ("/foo/bar///baz/", "baz", "/foo/bar"),
        ("/foo", "foo", "/"),
        ("//foo", "foo", "/"),
        ("foo", "foo", "."),
        ("foo/", "foo", "."),
        ("foo//bar", "bar", "foo"),
        ("/", "/", "/"),
        ("///", "/", "/"),
        ("", ".", "."),
        (".", ".", "."),
        ("..", "..", "."),
        ("/foo/bar/baz////", "baz", "/foo/bar"),
        ("/.foo", ".foo", "/"),
    ] {
        assert_eq!(text(sub::BASENAME, &[Text(path)]), base, "{path:?}");
        assert_eq!(text(sub::DIRNAME, &[Text(path)]), dir, "{path:?}");
    }
}

#[test]
fn cleanpath_takes_back_what_text_can_tell() {
    for (path, clean) in [
        ("/foo/bar/baz/", "/foo/bar/baz"),
        ("/foo//bar///baz", "/foo/bar/baz"),
        ("/foo/./bar", "/foo/bar"),
        ("/foo/../bar", "/bar"),
        ("/foo/bar/../../baz", "/baz"),
        ("/../../foo", "/foo"),
        ("/foo/bar/..", "/foo"),
        ("/foo/..", "/"),
        ("/..", "/"),
        ("/.", "/"),
        ("//", "/"),
        ("/...", "/..."),
        ("/..foo", "/..foo"),
        ("/foo../.bar", "/foo../.bar"),
        ("/.foo", "/.foo"),
        ("/foo/.", "/foo"),
        ("foo/../bar", "bar"),
        ("foo/..", "."),
        ("foo/../..", ".."),
        ("../foo/../bar/", "../bar"),
        ("../..", "../.."),
        ("./", "."),
        ("./foo", "foo"),
        ("foo/", "foo"),
        ("", ""),
        (".", "."),
        ("/", "/"),
        ("foo", "foo"),
    ] {
        assert_eq!(text(sub::CLEANPATH, &[Text(path)]), clean, "{path:?}");
    }
}

#[test]
fn lltostr_has_the_prefixes_of_its_bases() {
    let of = |n, base: Option<i64>| match base {
        Some(base) => text(sub::LLTOSTR, &[Number(n), Number(base)]),
        None => text(sub::LLTOSTR, &[Number(n)]),
    };
    assert_eq!(of(0, None), "0");
    assert_eq!(of(-123, None), "-123");
    assert_eq!(of(i64::MIN, None), "-9223372036854775808");
    assert_eq!(of(255, Some(16)), "0xff");
    assert_eq!(of(0, Some(16)), "0x0");
    assert_eq!(of(-1, Some(16)), "0xffffffffffffffff");
    assert_eq!(of(8, Some(8)), "010");
    assert_eq!(of(0, Some(8)), "0");
    assert_eq!(of(5, Some(2)), "101");
    assert_eq!(of(-1, Some(2)), "1".repeat(64));
    assert_eq!(of(35, Some(36)), "z");
    for base in [0, 1, 37, -10] {
        let outcome = outcome(sub::LLTOSTR, &[Number(1), Number(base)]);
        assert!(matches!(
            outcome,
            Outcome::Fault(
                Fault {
                    kind: fault::ILLOP,
                    ..
                },
                2
            )
        ));
    }
}

#[test]
fn strtoll_reads_as_far_as_there_are_digits() {
    let of = |s, base: Option<i64>| match base {
        Some(base) => number(sub::STRTOLL, &[Text(s), Number(base)]),
        None => number(sub::STRTOLL, &[Text(s)]),
    };
    assert_eq!(of("123abc", None), 123);
    assert_eq!(of("  \t-42", None), -42);
    assert_eq!(of("+7", None), 7);
    assert_eq!(of("", None), 0);
    assert_eq!(of("x", None), 0);
    assert_eq!(of("0x1F", Some(16)), 31);
    assert_eq!(of("0xg", Some(16)), 0);
    assert_eq!(of("1f", Some(16)), 31);
    assert_eq!(of("0x1f", None), 0);
    assert_eq!(of("777", Some(8)), 511);
    assert_eq!(of("zZ", Some(36)), 35 * 36 + 35);
    assert_eq!(of("9223372036854775808", None), i64::MIN);
    assert!(matches!(
        outcome(sub::STRTOLL, &[Text("1"), Number(1)]),
        Outcome::Fault(
            Fault {
                kind: fault::ILLOP,
                ..
            },
            _
        )
    ));
}

#[test]
fn letters_change_and_nothing_else() {
    assert_eq!(text(sub::TOUPPER, &[Text("aZ az{`09")]), "AZ AZ{`09");
    assert_eq!(text(sub::TOLOWER, &[Text("aZ AZ[@09")]), "az az[@09");
}

#[test]
fn bytes_are_turned_around() {
    assert_eq!(number(sub::HTONS, &[Number(0x11234)]), 0x3412);
    assert_eq!(number(sub::HTONL, &[Number(0x1_1234_5678)]), 0x7856_3412);
    assert_eq!(
        number(sub::HTONLL, &[Number(0x0102_0304_0506_0708)]),
        0x0807_0605_0403_0201
    );
    assert_eq!(number(sub::GETMAJOR, &[Number((8 << 20) | 1)]), 8);
    assert_eq!(number(sub::GETMINOR, &[Number((8 << 20) | 1)]), 1);
}

#[test]
fn strncmp_looks_at_as_many_bytes() {
    let of = |a, b, n| number(sub::STRNCMP, &[Text(a), Text(b), Number(n)]);
    assert_eq!(of("abcd", "abxy", 2), 0);
    assert_eq!(of("abcd", "abxy", 3), -1);
    assert_eq!(of("abz", "aba", 3), 1);
    assert_eq!(of("a", "b", 0), 0);
}

/// What json() gives; `None`: NULL, which is no string.
fn json(of: &str, path: &str) -> Option<String> {
    let arguments = [Text(of), Text(path)];
    match number(sub::JSON, &arguments) {
        0 => None,
        _ => Some(text(sub::JSON, &arguments)),
    }
}

#[test]
fn json_gives_what_is_written_at_a_path() {
    let menu = r#" { "name" : "soup of the day", "hot": true ,"sizes":[ 0.3 , -5e-1,{"ml":750}],
        "open": {"days": [[1, 5], [ ]], "note": "\"a\\b\" \u00e9 [}"}, "name": "again"} "#;
    for (path, value) in [
        ("name", "soup of the day"),
        ("hot", "true"),
        (".hot", "true"),
        ("sizes[0]", "0.3"),
        ("sizes[1]", "-5e-1"),
        ("sizes[2]", "{\"ml\":750}"),
        ("sizes[2].ml", "750"),
        ("sizes.2.ml", "750"),
        ("sizes.first", "0.3"),
        ("open.days", "[[1, 5], [ ]]"),
        ("open.days[0][1]", "5"),
        ("open.note", r#"\"a\\b\" \u00e9 [}"#),
    ] {
        assert_eq!(json(menu, path).as_deref(), Some(value), "{path}");
    }
    for path in [
        "",
        "nam",
        "names",
        "Hot",
        "hot.very",
        "sizes[3]",
        "sizes[-1]",
        "open.days[1][0]",
        "[0]",
        "open.note[0]",
    ] {
        assert_eq!(json(menu, path), None, "{path}");
    }
    assert_eq!(
        json("[[\"a\", [\"b\"]]]", "[0][1][0]").as_deref(),
        Some("b")
    );
    assert_eq!(json("[\"\"]", "0").as_deref(), Some(""));
    // What lies behind the value is not read.
    assert_eq!(json("{\"a\": 1, nonsense", "a").as_deref(), Some("1"));
}

#[test]
fn json_gives_nothing_of_what_is_none() {
    for of in [
        "",
        "a",
        "1",
        "\"a\"",
        "{",
        "{a: 1}",
        "{\"a\"",
        "{\"a\":",
        "{\"a\": 1",
        "{\"a\": tru",
        "{\"a\": \"b",
        "{\"a\": \"\\x\"}",
        "{\"a\": \"\\u00g0\"}",
        "{\"a\": 0x10}",
        "{\"a\": [1}",
        "{\"a\": +1}",
        "{\"a\": True}",
        "{\"b\": 1; \"a\": 2}",
        "{\"b\" 1, \"a\": 2}",
    ] {
        let value = json(of, "a");
        // Brackets are counted, whichever they are.
        let expected = (of == "{\"a\": [1}").then_some("[1}");
        assert_eq!(value.as_deref(), expected, "{of}");
    }
}

#[test]
fn addresses_of_the_kernel_and_of_the_user_are_read() {
    assert_eq!(text(sub::TOUPPER, &[Number(KERNEL as i64)]), "KERNEL TEXT");
    assert_eq!(text(sub::COPYINSTR, &[Number(USER as i64)]), "user text");
    assert_eq!(
        text(sub::COPYINSTR, &[Number(USER as i64), Number(4)]),
        "use"
    );
    assert_eq!(
        text(sub::COPYIN, &[Number(USER as i64 + 5), Number(4)]),
        "text"
    );
    assert_eq!(
        text(sub::INET_NTOA, &[Number(KERNEL as i64 + 0x20)]),
        "192.0.2.255"
    );
    let family = Number(addresses::AF_INET as i64);
    let arguments = [family, Number(KERNEL as i64 + 0x20)];
    assert_eq!(text(sub::INET_NTOP, &arguments), "192.0.2.255");
    let arguments = [Number(1), Number(KERNEL as i64 + 0x30)];
    assert_eq!(text(sub::LINK_NTOP, &arguments), "a0:aa:ff:0c:00:01");
    for arguments in [
        [Number(3), Number(KERNEL as i64)],
        [Number(-1), Number(KERNEL as i64)],
    ] {
        for which in [sub::INET_NTOP, sub::LINK_NTOP] {
            assert!(matches!(
                outcome(which, &arguments),
                Outcome::Fault(
                    Fault {
                        kind: fault::ILLOP,
                        ..
                    },
                    2
                )
            ));
        }
    }
}

#[test]
fn execargs_has_blanks_between_arguments() {
    let of = |bytes: &[u8], strsize: u32| {
        let arguments = [Number(USER as i64), Number(bytes.len() as i64)];
        let mut program = call(sub::EXECARGS, &arguments, true);
        program.strsize = strsize;
        let mut world = world();
        world.user = bytes.to_vec();
        let (_, items) = program.run(&mut world).remove(0);
        String::from_utf8(text_item(&items)).expect("text")
    };
    assert_eq!(of(b"cat\0-n\0a file\0", 256), "cat -n a file");
    assert_eq!(of(b"cat\0\0", 256), "cat ");
    assert_eq!(of(b"cat\0-n\0a file\0", 7), "cat -n");
    assert_eq!((of(b"", 256), of(b"\0", 256)), ("".into(), "".into()));
}

#[test]
fn an_address_where_nothing_is_is_a_fault_that_names_it() {
    for which in [sub::STRLEN, sub::TOLOWER, sub::INET_NTOA, sub::COPYINSTR] {
        let expected = Outcome::Fault(Fault::bad_address(0x1000), 1);
        assert_eq!(outcome(which, &[Number(0x1000)]), expected);
    }
    let expected = Outcome::Fault(Fault::bad_address(0x1000), 2);
    let arguments = [Number(0x1000), Number(5)];
    assert_eq!(outcome(sub::EXECARGS, &arguments), expected);
}

fn v6(text: &str, bare: bool, least: usize) -> String {
    let address: Ipv6Addr = text.parse().expect("an address");
    let mut into = [0; addresses::ADDRESS_MAX];
    let len = addresses::v6(&address.octets(), bare, least, &mut into);
    String::from_utf8(into[..len].to_vec()).expect("text")
}

#[test]
fn ipv6_addresses_are_shortened_as_dtrace_does() {
    for (address, short) in [
        ("fe80::214:4fff:fe0b:76c8", "fe80::214:4fff:fe0b:76c8"),
        ("1080::8:800:200c:417a", "1080::8:800:200c:417a"),
        ("::", "::"),
        ("::1", "::1"),
        ("1::", "1::"),
        ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
        ("1:0:2:3:4:5:6:7", "1::2:3:4:5:6:7"),
        ("1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0"),
        ("1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"),
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("::192.0.2.1", "::192.0.2.1"),
    ] {
        assert_eq!(v6(address, false, 1), short, "{address}");
    }
    // inet_ntoa6()'s are Oracle's: one group alone stays.
    for (address, short) in [
        ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"),
        ("0:1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7"),
        ("1:0:2:3:0:0:6:7", "1:0:2:3::6:7"),
        ("1:0:0:2:3:0:0:4", "1::2:3:0:0:4"),
        ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::192.0.2.1", "192.0.2.1"),
        ("::1", "::1"),
        ("::", "::"),
    ] {
        assert_eq!(v6(address, true, 2), short, "{address}");
    }
}

/// Few different bytes, so that parts come again.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(prop::sample::select(b"ab".to_vec()), 0..40),
        prop::collection::vec(prop::sample::select(b"abc/.".to_vec()), 0..20),
        prop::collection::vec(1..=255u8, 0..12),
    ]
}

fn starts<'a>(text: &'a [u8], part: &'a [u8]) -> impl DoubleEndedIterator<Item = usize> + 'a {
    (0..=text.len()).filter(move |&at| text[at..].starts_with(part))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn searches_find_what_trying_every_place_finds(
        text in bytes(), mut part in bytes(), cut in any::<(u8, u8)>(), inside in any::<bool>(),
    ) {
        if inside && !text.is_empty() {
            let from = usize::from(cut.0) % text.len();
            let to = from + usize::from(cut.1) % (text.len() - from + 1);
            part = text[from..to].to_vec();
        }
        prop_assert_eq!(strings::strstr(&text, &part), starts(&text, &part).next());
        let last = starts(&text, &part).next_back().map_or(-1, |at| at as i64);
        prop_assert_eq!(strings::rindex(&text, &part, i64::MAX), last);
        for from in 0..=text.len() {
            if from < text.len() {
                let first = starts(&text, &part).find(|&at| at >= from);
                let first = first.map_or(-1, |at| at as i64);
                prop_assert_eq!(strings::index(&text, &part, from as i64), first);
            }
            let last = starts(&text, &part).rfind(|&at| at <= from).map_or(-1, |at| at as i64);
            prop_assert_eq!(strings::rindex(&text, &part, from as i64), last);
        }
    }

    #[test]
    fn tokens_are_what_splitting_gives(text in bytes(), between in bytes()) {
        let mut rest = &text[..];
        let mut tokens = Vec::new();
        while let Some((start, len)) = strings::token(rest, &between) {
            tokens.push(&rest[start..start + len]);
            rest = &rest[start + len..];
        }
        let split: Vec<&[u8]> = text
            .split(|byte| between.contains(byte))
            .filter(|token| !token.is_empty())
            .collect();
        prop_assert_eq!(tokens, split);
    }

    #[test]
    fn numbers_come_back_from_their_text(number in any::<i64>(), base in 2..=36u64) {
        let mut into = [0; 80];
        let len = strings::lltostr(number as u64, base, &mut into);
        prop_assert_eq!(strings::strtoll(&into[..len], base), number as u64);
    }

    #[test]
    fn a_cleaned_path_is_not_longer_and_stays_as_it_is(text in bytes()) {
        let mut into = [0; 64];
        let len = strings::cleanpath(&text, &mut into);
        prop_assert!(len <= text.len());
        let clean = into[..len].to_vec();
        prop_assert!(!clean.windows(2).any(|pair| pair == b"//"));
        prop_assert!(!clean.windows(3).any(|three| three == b"/./"));
        prop_assert!(clean.len() < 2 || !clean.ends_with(b"/"));
        let mut again = [0; 64];
        let len = strings::cleanpath(&clean, &mut again);
        prop_assert_eq!(&again[..len], &clean[..]);
        if text.starts_with(b"/") {
            prop_assert!(!clean.windows(4).any(|four| four == b"/../"));
        }
    }

    #[test]
    fn comparing_is_by_bytes_without_sign(a in bytes(), b in bytes()) {
        prop_assert_eq!(strings::compare(&a, &b), a.cmp(&b) as i64);
    }

    #[test]
    fn no_ipv6_address_is_told_wrongly(
        groups in any::<[u16; 8]>(), zeroes in any::<u8>(), least in 1..=2usize,
    ) {
        let mut groups = groups;
        for (index, group) in groups.iter_mut().enumerate() {
            if (zeroes >> index) & 1 != 0 {
                *group = 0;
            }
        }
        let address = Ipv6Addr::from(groups);
        let mut into = [0; addresses::ADDRESS_MAX];
        let len = addresses::v6(&address.octets(), false, least, &mut into);
        let text = std::str::from_utf8(&into[..len]).expect("text");
        prop_assert_eq!(text.parse::<Ipv6Addr>().expect(text), address);
    }
}
