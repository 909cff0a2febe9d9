// SPDX-License-Identifier: GPL-2.0-only
//! Tests of positions, of how errors show them, and of the preprocessor's use.
#![forbid(unsafe_code)]

use super::{Define, Origin, line, preprocess, render};
use crate::error::{Error, Span};
use crate::macros::Macros;
use crate::parse::parse;

fn span(text: &str, what: &str) -> Span {
    let start = text.find(what).expect("it is in the text");
    Span {
        start: start as u32,
        end: (start + what.len()) as u32,
    }
}

fn shown(text: &str) -> String {
    let error = parse(text, &Macros::new(["x.d"])).expect_err("the program is wrong");
    render(Origin::Script("x.d"), text, &error)
}

#[test]
fn shows_the_line_and_marks_the_place() {
    assert_eq!(
        shown("BEGIN\n{\n\ttrace(1 + );\n}\n"),
        "failed to compile script x.d: [D_SYNTAX] line 3: syntax error near \")\"\n    \
         3 |         trace(1 + );\n      |                   ^"
    );
}

#[test]
fn an_empty_program_is_refused_at_its_end() {
    // dtrace-utils test/unittest/options/err.no-errtags.r
    assert_eq!(
        shown("/* nothing */\n"),
        "failed to compile script x.d: [D_EMPTY] line 2: empty D program translation unit"
    );
    assert!(shown("").ends_with("[D_EMPTY] line 1: empty D program translation unit"));
}

#[test]
fn an_option_is_named_by_its_text() {
    let text = "BEGIN { 08 }";
    let error = parse(text, &Macros::default()).expect_err("8 is no octal digit");
    assert_eq!(
        render(Origin::Option, text, &error),
        "invalid probe specifier BEGIN { 08 }: [D_INT_DIGIT] constant 08 contains invalid digit \
         8\n      | BEGIN { 08 }\n      |         ^^"
    );
}

#[test]
fn the_end_of_the_text_is_its_last_line() {
    let text = "BEGIN\n{ trace(1)";
    let end = Span {
        start: text.len() as u32,
        end: text.len() as u32,
    };
    assert_eq!(line(text, end).number, 2);
    assert_eq!(line("a\n", Span { start: 9, end: 12 }).number, 2);
    assert!(shown(text).contains("[D_SYNTAX] line 2: syntax error near end-of-input"));
}

#[test]
fn a_place_of_several_lines_is_marked_in_its_first() {
    let text = "one\ntwo three\nfour\n";
    let found = line(
        text,
        Span {
            start: 8,
            end: text.len() as u32,
        },
    );
    assert_eq!((found.number, found.text), (2, "two three"));
    assert_eq!((found.start, found.end), (4, 9));
}

#[test]
fn line_markers_name_files_and_count_from_there() {
    let text = "# 0 \"<stdin>\"\n# 1 \"a.h\" 1\nx\ny\n# 7 \"<stdin>\" 2\nz\n#line 20\nw\n";
    let at = |what| {
        let found = line(text, span(text, what));
        (found.file, found.number)
    };
    assert_eq!(at("x\n"), (Some("a.h".into()), 1));
    assert_eq!(at("y\n"), (Some("a.h".into()), 2));
    assert_eq!(at("z\n"), (None, 7));
    assert_eq!(at("w\n"), (None, 20));
}

#[test]
fn a_marker_in_a_comment_is_none() {
    let text = "/*\n# 50 \"a.h\"\n*/\n\"/*\"\n# 9\nx";
    assert_eq!(line(text, span(text, "*/")).number, 3);
    assert_eq!(line(text, span(text, "x")).number, 9);
}

#[test]
fn an_error_in_an_included_file_names_it() {
    let text = "# 3 \"a.h\" 1\nint 5;\n";
    assert!(
        shown(text).starts_with("failed to compile script x.d: [D_SYNTAX] \"a.h\", line 3: "),
        "{}",
        shown(text)
    );
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let text = "BEGIN { \x1b[31m }";
    let shown = shown(text);
    assert!(!shown.contains('\x1b'), "{shown:?}");
}

#[test]
fn long_lines_are_cut_about_the_place() {
    let text = format!("BEGIN {{ {}) }}", "1 + ".repeat(200));
    let shown = shown(&text);
    let lines: Vec<&str> = shown.lines().collect();
    let mark = lines[2].find('^').expect("there is a mark");
    assert_eq!(&lines[1][mark..=mark], ")");
    assert!(lines[1].len() < 140);
}

#[test]
fn every_span_can_be_shown() {
    let text = "é\t\r\n\n# 5 \"f\"\nλ\n";
    for start in 0..=text.len() as u32 + 2 {
        for end in start..=text.len() as u32 + 3 {
            let error = Error::new("D_SYNTAX", Span { start, end }, "wrong");
            assert!(render(Origin::Script("x"), text, &error).contains("[D_SYNTAX]"));
        }
    }
}

/// Building the kernel module needs it, so it is there.
const CPP: &str = "cpp";

#[test]
fn the_preprocessor_defines_includes_and_keeps_lines() {
    let text = "#!/usr/sbin/rtctl -Cs\n#ifdef __SUNW_D\n#define WHO NAME\n#endif\nBEGIN\n{\n\
                trace(WHO);\ntrace(__GNUC__);\ntrace());\n}\n";
    let arguments = [
        Define::Define("NAME=1".into()),
        Define::Define("NAME".into()),
        Define::Undefine("NAME".into()),
        Define::Define("NAME=execname".into()),
    ];
    let output = preprocess(CPP, "x.d", text, &arguments).expect("cpp takes it");
    assert_eq!(output.said, "");
    let output = output.text;
    assert!(output.contains("trace(execname);"), "{output}");
    assert!(output.contains("trace(__GNUC__);"), "{output}");
    let error = parse(&output, &Macros::default()).expect_err("a parenthesis is too much");
    let shown = render(Origin::Script("x.d"), &output, &error);
    assert!(shown.contains("[D_SYNTAX] line 9: "), "{shown}");
}

#[test]
fn lines_of_included_files_are_told_by_the_file() {
    let folder = std::env::temp_dir().join(format!("rt-include-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let header = folder.join("names.h");
    std::fs::write(&header, "#define WHO execname\n\ninline int bad = );\n").expect("a file");
    let text = "#include \"names.h\"\nBEGIN { trace(WHO); }\n";
    let arguments = [
        Define::Include(folder.display().to_string()),
        Define::Headers,
    ];
    let output = preprocess(CPP, "x.d", text, &arguments);
    std::fs::remove_dir_all(&folder).expect("our own folder");
    let output = output.expect("cpp takes it");
    assert!(output.text.contains("trace(execname);"), "{}", output.text);
    let told = format!(". {}", header.display());
    assert!(
        output.said.lines().any(|line| line == told),
        "{}",
        output.said
    );
    let error = parse(&output.text, &Macros::default()).expect_err("no expression");
    let shown = render(Origin::Script("x.d"), &output.text, &error);
    let place = format!("[D_SYNTAX] \"{}\", line 3: ", header.display());
    assert!(shown.contains(&place), "{shown}");
}

#[test]
fn warnings_of_the_preprocessor_are_passed_on() {
    let text = "#warning careful\nBEGIN { trace(1); }\n";
    let output = preprocess(CPP, "x.d", text, &[]).expect("cpp takes it");
    assert!(output.said.contains("x.d:1"), "{}", output.said);
    assert!(output.said.contains("careful"), "{}", output.said);
}

#[test]
fn the_preprocessors_refusal_is_passed_on() {
    let error = preprocess(CPP, "x.d", "#include \"no such file.h\"\n", &[]).expect_err("no file");
    assert_eq!(error.tag, "D_CPP_ERR");
    assert!(error.message.contains("x.d:1"), "{}", error.message);
    assert!(
        error.message.contains("no such file.h"),
        "{}",
        error.message
    );
}

#[test]
fn a_preprocessor_that_is_not_there_is_named() {
    let error = preprocess("/nonexistent/cpp", "x.d", "", &[]).expect_err("no preprocessor");
    assert_eq!(error.tag, "D_CPP_FORK");
    assert!(error.message.contains("install"), "{}", error.message);
}

#[test]
fn a_text_of_more_than_a_pipe_goes_through() {
    let text = "BEGIN { trace(1); }\n".repeat(20_000);
    let output = preprocess(CPP, "x.d", &text, &[]).expect("cpp takes it");
    assert_eq!(output.text.matches("trace(1)").count(), 20_000);
}
