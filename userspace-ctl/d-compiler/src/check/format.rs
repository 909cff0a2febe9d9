// SPDX-License-Identifier: GPL-2.0-only
//! The formats of `printf()`, `printa()` and `freopen()`: what they are made of.
//!
//! Who checks a program and who prints its records read formats with the same parser.

/// A part of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text as it is; `%%` has become one `%`.
    Text(String),
    /// `%…`
    Conversion(Conversion),
}

/// How many characters a conversion takes or shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// Not said.
    #[default]
    None,
    /// A number.
    Fixed(u32),
    /// `*`: an argument, which comes before the one that is converted.
    Argument,
}

impl Extent {
    /// A number is said; but an argument that was asked for is taken all the same, and counts.
    fn fix(&mut self, number: u32) {
        if *self != Self::Argument {
            *self = Self::Fixed(number);
        }
    }
}

/// The letters before a conversion's own, which ask for an argument of one type only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Size {
    /// Any size.
    #[default]
    Any,
    /// `h`: short
    Short,
    /// `l`: long
    Long,
    /// `ll`: long long
    LongLong,
    /// `L`: long double
    LongDouble,
    /// `w`: wide
    Wide,
}

/// A conversion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conversion {
    /// Which one of the format's, from 1.
    pub number: u32,
    /// `-`
    pub left: bool,
    /// `0`
    pub zero: bool,
    /// `+`
    pub plus: bool,
    /// A space.
    pub space: bool,
    /// `#`
    pub alternate: bool,
    /// `'`
    pub group: bool,
    /// `@`: the aggregation's value and not the next argument.
    pub aggregation: bool,
    /// At least so many characters.
    pub width: Extent,
    /// `.` and a number; a `.` alone is 0.
    pub precision: Extent,
    /// `h`, `l` and kin.
    pub size: Size,
    /// The letter.
    pub letter: char,
}

impl Conversion {
    /// How many arguments it takes: its own, and one for each `*`.
    pub fn arguments(&self) -> usize {
        usize::from(!self.aggregation)
            + usize::from(self.width == Extent::Argument)
            + usize::from(self.precision == Extent::Argument)
    }

    /// As it is written without flags: `lld`.
    pub fn name(&self) -> String {
        format!("{}{}", self.size.letters(), self.letter)
    }
}

impl Size {
    /// As it is written.
    pub fn letters(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::Short => "h",
            Self::Long => "l",
            Self::LongLong => "ll",
            Self::LongDouble => "L",
            Self::Wide => "w",
        }
    }
}

/// Takes a format apart. The error says what is wrong with it.
pub fn parse(format: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = format;
    let mut number = 0;
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        number += 1;
        if let Some(behind) = rest.strip_prefix('%') {
            text.push('%');
            rest = behind;
            continue;
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        let (conversion, behind) = conversion(rest, number)?;
        pieces.push(Piece::Conversion(conversion));
        rest = behind;
    }
    text.push_str(rest);
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

/// Reads what follows a `%`.
fn conversion(text: &str, number: u32) -> Result<(Conversion, &str), String> {
    let mut is = Conversion {
        number,
        ..Conversion::default()
    };
    let mut letters = String::new();
    let (mut dot, mut digits) = (false, false);
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            // Of '0' and '-' the later one counts, as in libdtrace.
            '0' if !dot && !digits => {
                is.zero = true;
                is.left = false;
            }
            '0'..='9' => {
                digits = true;
                let mut value = character as u32 - '0' as u32;
                while let Some(digit) = characters.peek().and_then(|(_, c)| c.to_digit(10)) {
                    value = value.saturating_mul(10).saturating_add(digit);
                    characters.next();
                }
                if value > i32::MAX as u32 {
                    return Err(format!(
                        "format conversion #{number} asks for more characters than there can be"
                    ));
                }
                let extent = if dot {
                    &mut is.precision
                } else {
                    &mut is.width
                };
                extent.fix(value);
            }
            '#' => is.alternate = true,
            '+' => is.plus = true,
            ' ' => is.space = true,
            '\'' => is.group = true,
            '@' => is.aggregation = true,
            '?' => is.width.fix(16),
            '-' => {
                is.left = true;
                is.zero = false;
            }
            '.' => {
                if dot {
                    return Err(format!(
                        "format conversion #{number} has more than one '.' specified"
                    ));
                }
                dot = true;
                is.precision = Extent::Fixed(0);
            }
            '*' => {
                let (extent, what) = if dot {
                    (&mut is.precision, "precision")
                } else {
                    (&mut is.width, "width")
                };
                if *extent == Extent::Argument {
                    return Err(format!(
                        "format conversion #{number} has more than one '*' specified for the \
                         output {what}"
                    ));
                }
                *extent = Extent::Argument;
            }
            '$' => {
                return Err(format!(
                    "format conversion #{number} uses unsupported positional format (%n$)"
                ));
            }
            '%' => {
                return Err(format!(
                    "format conversion #{number} cannot be combined with other format flags: %%"
                ));
            }
            'h' | 'l' | 'L' | 'w' => letters.push(character),
            _ => {
                is.letter = character;
                is.size = match size(&letters, character) {
                    Some(size) => size,
                    None => {
                        return Err(format!(
                            "format conversion #{number} is undefined: %{letters}{character}"
                        ));
                    }
                };
                return Ok((is, &text[at + character.len_utf8()..]));
            }
        }
    }
    Err(format!(
        "format conversion #{number} name expected before end of format string"
    ))
}

/// Which sizes a conversion comes in; `None`: there is no such conversion.
fn size(letters: &str, letter: char) -> Option<Size> {
    let integers = "diouxX";
    match letters {
        "" => "aAcCdeEfgGikopsSTuxXY"
            .contains(letter)
            .then_some(Size::Any),
        "h" => integers.contains(letter).then_some(Size::Short),
        "l" => (integers.contains(letter) || "cs".contains(letter)).then_some(Size::Long),
        "ll" => integers.contains(letter).then_some(Size::LongLong),
        "L" => "eEfgG".contains(letter).then_some(Size::LongDouble),
        "w" => "cs".contains(letter).then_some(Size::Wide),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(format: &str) -> Conversion {
        match parse(format).expect(format).as_slice() {
            [Piece::Conversion(is)] => *is,
            other => panic!("{format}: {other:?}"),
        }
    }

    #[test]
    fn text_and_conversions_alternate() {
        let pieces = parse("a%d%%b%s").expect("valid");
        assert_eq!(pieces.len(), 4);
        assert_eq!(pieces[0], Piece::Text("a".into()));
        assert_eq!(pieces[2], Piece::Text("%b".into()));
        let Piece::Conversion(last) = &pieces[3] else {
            panic!("{pieces:?}")
        };
        assert_eq!((last.letter, last.number), ('s', 3));
    }

    #[test]
    fn flags_width_and_precision() {
        let is = one("%-+ #'8.3lld");
        assert!(is.left && is.plus && is.space && is.alternate && is.group && !is.zero);
        assert_eq!(is.width, Extent::Fixed(8));
        assert_eq!(is.precision, Extent::Fixed(3));
        assert_eq!((is.size, is.name()), (Size::LongLong, "lld".into()));
        assert!(one("%010x").zero);
        assert!(one("%-05d").zero && !one("%-05d").left);
        assert!(one("%0-5d").left && !one("%0-5d").zero);
        assert_eq!(one("%010x").width, Extent::Fixed(10));
        assert_eq!(one("%?x").width, Extent::Fixed(16));
        assert_eq!(one("%.s").precision, Extent::Fixed(0));
    }

    #[test]
    fn arguments_are_counted() {
        assert_eq!(one("%*.*d").arguments(), 3);
        assert_eq!(one("%@d").arguments(), 0);
        assert_eq!(one("%.*s").arguments(), 2);
    }

    #[test]
    fn what_is_no_format_is_refused() {
        for format in [
            "%", "%5", "%1$d", "%5%", "%..3d", "%**d", "%.**d", "%q", "%hhd", "%lY",
        ] {
            assert!(parse(format).is_err(), "{format}");
        }
    }
}
