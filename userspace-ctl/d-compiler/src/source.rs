// SPDX-License-Identifier: GPL-2.0-only
//! Where a program's text comes from, and how errors show it.
//!
//! A refusal is shown as dtrace does with `-x errtags`, then with the line it is about:
//!
//! ```text
//!   failed to compile script x.d: [D_SYNTAX] line 3: syntax error near ")"
//!      3 | trace(1 + );
//!        |           ^
//! ```
//!
//! In a text that went through the C preprocessor, lines are those of the files it was made from:
//! cpp says them in line markers (`# 3 "file"`).
#![forbid(unsafe_code)]

mod preprocess;

#[cfg(test)]
mod tests;

use std::fmt::Write;

use crate::error::{Error, Span};

pub use preprocess::{Define, Preprocessed, preprocess};

/// The widest line that is shown whole; of others, what is about the place.
const MAX_WIDTH: usize = 120;

/// The tabulator's stops.
const TAB: usize = 8;

/// Where a text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin<'a> {
    /// A script (-s) of this name.
    Script(&'a str),
    /// A library (-L) of this name.
    Library(&'a str),
    /// The argument of an option -n, -f, -m, -P: the text itself is the name.
    Option,
}

/// The line of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The file, if cpp says that it is another than the script itself.
    pub file: Option<String>,
    /// Its number in the file, from 1.
    pub number: u32,
    /// What stands there.
    pub text: &'a str,
    /// Where the place begins in it, in bytes.
    pub start: usize,
    /// And ends: in this line, at the latest at the line's end.
    pub end: usize,
}

/// Finds the line of a place. Places beyond the text are at its end.
pub fn line(text: &str, span: Span) -> Line<'_> {
    let at = floor(text, span.start as usize);
    let mut file = None;
    let mut number = 1_u32;
    let mut within = false;
    let mut start = 0;
    for whole in text.split_inclusive('\n') {
        let end = start + whole.len();
        let last = end == text.len() && !whole.ends_with('\n');
        if at < end || last {
            break;
        }
        match (within, marker(whole)) {
            (false, Some((next, name))) => {
                number = next;
                if let Some(name) = name {
                    file = named(name);
                }
            }
            _ => {
                within = inside_comment(whole, within);
                number = number.saturating_add(1);
            }
        }
        start = end;
    }
    let rest = &text[start..];
    let length = rest.find('\n').unwrap_or(rest.len());
    let shown = rest[..length].trim_end_matches('\r');
    let from = (at - start).min(shown.len());
    let to = floor(text, span.end as usize)
        .saturating_sub(start)
        .clamp(from, shown.len());
    Line {
        file,
        number,
        text: shown,
        start: from,
        end: to,
    }
}

/// The character boundary at or before a place.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// `# 5 "file" 1` or `#line 5 "file"`: the number of the next line, and its file.
fn marker(line: &str) -> Option<(u32, Option<&str>)> {
    let blank = |c: char| matches!(c, ' ' | '\t' | '\x0b' | '\x0c' | '\r');
    let rest = line.trim_start_matches(blank).strip_prefix('#')?;
    let rest = rest.trim_start_matches(blank);
    let rest = match rest.strip_prefix("line") {
        Some(rest) => rest.strip_prefix(blank)?.trim_start_matches(blank),
        None => rest,
    };
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let number = rest[..digits].parse().ok()?;
    let file = rest[digits..]
        .trim_start_matches(blank)
        .strip_prefix('"')
        .and_then(|rest| rest.split_once('"'))
        .map(|(file, _)| file);
    Some((number, file))
}

/// A file as a reader knows it. What cpp reads from us has no name but the script's.
fn named(file: &str) -> Option<String> {
    let ours = file.is_empty() || file.starts_with('<') || file.starts_with("/dev/fd/");
    (!ours).then(|| file.to_owned())
}

/// Whether a comment is open at the line's end, if one was open, or not, at its beginning.
fn inside_comment(line: &str, mut within: bool) -> bool {
    let bytes = line.as_bytes();
    let mut at = 0;
    let mut quote = None;
    while at < bytes.len() {
        let pair = (bytes[at], bytes.get(at + 1).copied());
        match (within, quote, pair) {
            (true, _, (b'*', Some(b'/'))) => {
                within = false;
                at += 1;
            }
            (true, ..) => {}
            (false, Some(_), (b'\\', _)) => at += 1,
            (false, Some(open), (byte, _)) if byte == open => quote = None,
            (false, Some(_), _) => {}
            (false, None, (b'/', Some(b'*'))) => {
                within = true;
                at += 1;
            }
            (false, None, (b'/', Some(b'/'))) => return false,
            (false, None, (byte @ (b'"' | b'\''), _)) => quote = Some(byte),
            _ => {}
        }
        at += 1;
    }
    within
}

/// An error as dtrace reports it, without the tool's own name before it, then the line and a mark
/// below its place.
pub fn render(origin: Origin<'_>, text: &str, error: &Error) -> String {
    let mut shown = match origin {
        Origin::Script(name) => format!("failed to compile script {}: ", safe(name)),
        Origin::Library(name) => format!("failed to compile library {}: ", safe(name)),
        Origin::Option => format!("invalid probe specifier {}: ", safe(text)),
    };
    let _ = write!(shown, "[{}] ", error.tag);
    // Without a place it is about the program as a whole.
    if error.span == Span::default() {
        shown.push_str(&error.message);
        return shown;
    }
    let line = line(text, error.span);
    match (&line.file, origin) {
        (Some(file), _) => {
            let _ = write!(shown, "\"{}\", line {}: ", safe(file), line.number);
        }
        (None, Origin::Script(_) | Origin::Library(_)) => {
            let _ = write!(shown, "line {}: ", line.number);
        }
        (None, Origin::Option) => {}
    }
    shown.push_str(&error.message);
    let (source, mark) = marked(&line);
    if source.trim().is_empty() {
        return shown;
    }
    let number = match origin {
        Origin::Script(_) | Origin::Library(_) => line.number.to_string(),
        Origin::Option => String::new(),
    };
    let _ = write!(shown, "\n{number:>5} | {source}\n      | {mark}");
    shown
}

/// A line fit for a terminal, and the marks below its place.
fn marked(line: &Line<'_>) -> (String, String) {
    let mut source = Vec::new();
    let mut begin = None;
    let mut end = None;
    for (at, c) in line.text.char_indices() {
        if at >= line.start && begin.is_none() {
            begin = Some(source.len());
        }
        if at >= line.end && end.is_none() {
            end = Some(source.len());
        }
        if c == '\t' {
            let width = TAB - source.len() % TAB;
            source.extend(std::iter::repeat_n(' ', width));
        } else {
            source.push(if c.is_control() { '\u{fffd}' } else { c });
        }
    }
    let begin = begin.unwrap_or(source.len());
    let end = end.unwrap_or(source.len()).max(begin + 1);
    let from = if source.len() <= MAX_WIDTH {
        0
    } else {
        begin.saturating_sub(MAX_WIDTH / 2)
    };
    let to = source.len().min(from + MAX_WIDTH);
    let end = end.min(to.max(begin + 1));
    let mut text: String = source[from..to].iter().collect();
    text.truncate(text.trim_end().len());
    let mark = " ".repeat(begin - from) + &"^".repeat(end - begin);
    (text, mark)
}

/// A name fit for a terminal.
fn safe(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\n' && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}
