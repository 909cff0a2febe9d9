// SPDX-License-Identifier: GPL-2.0-only
//! C's printf(3) for one value: flags, width, precision.
#![forbid(unsafe_code)]

/// The most characters that a field takes; a wider one is this wide.
const WIDEST: usize = 1 << 24;

/// How a value is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
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
    /// Between groups of three digits.
    pub thousands: Option<String>,
    /// At least so many characters.
    pub width: usize,
    /// Digits, or most characters of text.
    pub precision: Option<usize>,
}

impl Field {
    /// Text.
    pub fn text(&self, out: &mut Vec<u8>, text: &[u8]) {
        let shown = self
            .precision
            .map_or(text.len(), |most| most.min(text.len()));
        self.pad(out, &[], &text[..shown], false);
    }

    /// One character, even a NUL.
    pub fn character(&self, out: &mut Vec<u8>, character: &[u8]) {
        self.pad(out, &[], character, false);
    }

    /// A signed number.
    pub fn signed(&self, out: &mut Vec<u8>, value: i64) {
        let sign: &[u8] = match value {
            ..0 => b"-",
            _ if self.plus => b"+",
            _ if self.space => b" ",
            _ => b"",
        };
        self.digits(out, sign, self.grouped(value.unsigned_abs().to_string()));
    }

    /// An unsigned number in base 8, 10 or 16.
    pub fn unsigned(&self, out: &mut Vec<u8>, value: u64, letter: char) {
        let (prefix, digits): (&[u8], String) = match letter {
            'o' if self.alternate && value != 0 => (b"", format!("0{value:o}")),
            'o' => (b"", format!("{value:o}")),
            'x' | 'p' if self.alternate && value != 0 => (b"0x", format!("{value:x}")),
            'x' | 'p' => (b"", format!("{value:x}")),
            'X' if self.alternate && value != 0 => (b"0X", format!("{value:X}")),
            'X' => (b"", format!("{value:X}")),
            _ => (b"", self.grouped(value.to_string())),
        };
        self.digits(out, prefix, digits);
    }

    /// A floating-point number: `e`, `f`, `g` and their capitals.
    pub fn float(&self, out: &mut Vec<u8>, value: f64, letter: char) {
        let sign: &[u8] = match value.is_sign_negative() {
            true => b"-",
            false if self.plus => b"+",
            false if self.space => b" ",
            false => b"",
        };
        let magnitude = value.abs();
        let precision = self.precision.unwrap_or(6).min(WIDEST);
        let mut digits = match letter.to_ascii_lowercase() {
            _ if magnitude.is_nan() => "nan".to_owned(),
            _ if magnitude.is_infinite() => "inf".to_owned(),
            'e' => exponential(magnitude, precision),
            'f' => self.grouped(format!("{magnitude:.precision$}")),
            _ => self.general(magnitude, precision.max(1)),
        };
        if self.alternate && precision == 0 && magnitude.is_finite() && !digits.contains('.') {
            let at = digits.find('e').unwrap_or(digits.len());
            digits.insert(at, '.');
        }
        if letter.is_ascii_uppercase() {
            digits.make_ascii_uppercase();
        }
        self.pad(
            out,
            sign,
            digits.as_bytes(),
            self.zero && magnitude.is_finite(),
        );
    }

    /// `%g`: so many significant digits, with an exponent if it is small or large.
    fn general(&self, magnitude: f64, precision: usize) -> String {
        let shown = exponential(magnitude, precision - 1);
        let exponent = shown
            .split_once('e')
            .and_then(|(_, exponent)| exponent.parse::<i64>().ok())
            .unwrap_or(0);
        let (mut digits, tail) = if exponent < -4 || exponent >= precision as i64 {
            let (digits, tail) = shown.split_at(shown.find('e').unwrap_or(shown.len()));
            (digits.to_owned(), tail.to_owned())
        } else {
            let decimals = usize::try_from(precision as i64 - 1 - exponent).unwrap_or(0);
            (format!("{magnitude:.decimals$}"), String::new())
        };
        if digits.contains('.') && !self.alternate {
            digits.truncate(digits.trim_end_matches('0').trim_end_matches('.').len());
        }
        digits + &tail
    }

    fn grouped(&self, digits: String) -> String {
        let Some(between) = &self.thousands else {
            return digits;
        };
        let whole = digits.find('.').unwrap_or(digits.len());
        let mut grouped = String::with_capacity(2 * digits.len());
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && at < whole && (whole - at) % 3 == 0 {
                grouped.push_str(between);
            }
            grouped.push(digit);
        }
        grouped
    }

    /// Digits behind a sign or prefix; a precision wants at least so many.
    fn digits(&self, out: &mut Vec<u8>, prefix: &[u8], digits: String) {
        match self.precision {
            Some(least) if least > digits.len() => {
                let least = least.min(WIDEST);
                self.pad(out, prefix, format!("{digits:0>least$}").as_bytes(), false);
            }
            Some(_) => self.pad(out, prefix, digits.as_bytes(), false),
            None => self.pad(out, prefix, digits.as_bytes(), self.zero),
        }
    }

    fn pad(&self, out: &mut Vec<u8>, prefix: &[u8], body: &[u8], zeroes: bool) {
        let missing = self
            .width
            .min(WIDEST)
            .saturating_sub(prefix.len() + body.len());
        let (before, zeroes, behind) = match (self.left, zeroes) {
            (true, _) => (0, 0, missing),
            (false, true) => (0, missing, 0),
            (false, false) => (missing, 0, 0),
        };
        out.resize(out.len() + before, b' ');
        out.extend_from_slice(prefix);
        out.resize(out.len() + zeroes, b'0');
        out.extend_from_slice(body);
        out.resize(out.len() + behind, b' ');
    }
}

/// `1.5e+03`, as C writes exponents: a sign and at least two digits.
fn exponential(magnitude: f64, precision: usize) -> String {
    let shown = format!("{magnitude:.precision$e}");
    let (digits, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(field: &Field, show: impl Fn(&Field, &mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        show(field, &mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn numbers_as_c_shows_them() {
        let signed = |field: Field, value| shown(&field, |f, out| f.signed(out, value));
        let field = Field::default;
        assert_eq!(signed(field(), i64::MIN), "-9223372036854775808");
        assert_eq!(
            signed(
                Field {
                    zero: true,
                    width: 6,
                    ..field()
                },
                -42
            ),
            "-00042"
        );
        assert_eq!(
            signed(
                Field {
                    zero: true,
                    width: 6,
                    precision: Some(3),
                    ..field()
                },
                -42
            ),
            "  -042"
        );
        assert_eq!(
            signed(
                Field {
                    left: true,
                    plus: true,
                    width: 6,
                    ..field()
                },
                42
            ),
            "+42   "
        );
        assert_eq!(
            signed(
                Field {
                    space: true,
                    ..field()
                },
                42
            ),
            " 42"
        );
        let thousands = Some(",".to_owned());
        assert_eq!(
            signed(
                Field {
                    thousands,
                    ..field()
                },
                -1_234_567
            ),
            "-1,234,567"
        );
    }

    #[test]
    fn prefixes_stand_before_zeroes() {
        let unsigned =
            |field: Field, value, letter| shown(&field, |f, out| f.unsigned(out, value, letter));
        let alternate = || Field {
            alternate: true,
            ..Field::default()
        };
        assert_eq!(
            unsigned(
                Field {
                    zero: true,
                    width: 8,
                    ..alternate()
                },
                0x1f,
                'x'
            ),
            "0x00001f"
        );
        assert_eq!(unsigned(alternate(), 0, 'X'), "0");
        assert_eq!(unsigned(alternate(), 0xabc, 'X'), "0XABC");
        assert_eq!(unsigned(alternate(), 8, 'o'), "010");
        assert_eq!(
            unsigned(
                Field {
                    precision: Some(3),
                    ..alternate()
                },
                8,
                'o'
            ),
            "010"
        );
    }

    #[test]
    fn floats_as_c_shows_them() {
        let float =
            |field: Field, value, letter| shown(&field, |f, out| f.float(out, value, letter));
        assert_eq!(float(Field::default(), 1.5, 'f'), "1.500000");
        assert_eq!(float(Field::default(), 1500.0, 'e'), "1.500000e+03");
        assert_eq!(float(Field::default(), 1.5e-7, 'g'), "1.5e-07");
        assert_eq!(float(Field::default(), 100_000.0, 'g'), "100000");
        assert_eq!(float(Field::default(), 1_000_000.0, 'G'), "1E+06");
        assert_eq!(float(Field::default(), f64::NEG_INFINITY, 'F'), "-INF");
        assert_eq!(
            float(
                Field {
                    precision: Some(0),
                    alternate: true,
                    ..Field::default()
                },
                2.0,
                'e'
            ),
            "2.e+00"
        );
        assert_eq!(
            float(
                Field {
                    zero: true,
                    width: 8,
                    precision: Some(2),
                    ..Field::default()
                },
                -1.0,
                'f'
            ),
            "-0001.00"
        );
    }
}
