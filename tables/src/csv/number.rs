//! Numbers as text: which texts are the canonical form of which number.

use std::fmt::{self, Write as _};

/// The most digits that a 64-bit float gives back whatever they are (IEEE 754 binary64).
const SAFE_FLOAT_DIGITS: usize = 15;

/// The greatest power of ten that such digits can have without leaving the range of a 64-bit float.
const SAFE_FLOAT_POWER: usize = 290;

/// A text of the form `-12.50e-07`, taken apart: no leading zeros, no plus sign, an exponent with its sign.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number<'a> {
    text: &'a str,
    pub(crate) negative: bool,
    /// The digits before the point; `0` or without a leading zero.
    pub(crate) whole: &'a str,
    /// The digits after the point.
    pub(crate) fraction: &'a str,
    exponent: Option<i32>,
}

impl<'a> Number<'a> {
    /// Takes a text apart; `None` where it is not of that form.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let negative = text.starts_with('-');
        let unsigned = &text[usize::from(negative)..];
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(signed(exponent)?)),
            None => (unsigned, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, digits(fraction)?),
            None => (mantissa, ""),
        };
        let canonical = whole == "0" || !digits(whole)?.starts_with('0');
        canonical.then_some(Self {
            text,
            negative,
            whole,
            fraction,
            exponent,
        })
    }

    /// Whether it is the one text of a 64-bit integer.
    pub(crate) fn is_integer(&self) -> bool {
        let plain = self.fraction.is_empty() && self.exponent.is_none();
        // Up to eighteen digits always fit.
        plain && self.text != "-0" && (self.whole.len() <= 18 || self.text.parse::<i64>().is_ok())
    }

    /// Whether it is the shortest text of a 64-bit float, but for a trailing `.0`.
    pub(crate) fn is_shortest_float(&self) -> bool {
        let ends_short = !self.fraction.ends_with('0') || self.fraction == "0";
        let normal = match self.exponent {
            None => self.text != "-0",
            Some(_) => self.whole.len() == 1 && self.whole != "0",
        };
        ends_short && normal && self.is_float()
    }

    /// Whether a 64-bit float holds exactly what the digits say: printed, it gives these digits again.
    pub(crate) fn is_float(&self) -> bool {
        let safe_power = self
            .exponent
            .is_none_or(|power| power.unsigned_abs() as usize <= SAFE_FLOAT_POWER);
        let short = self.whole.len() + self.fraction.len() <= SAFE_FLOAT_DIGITS;
        short && safe_power
            || self
                .text
                .parse()
                .is_ok_and(|float: f64| self.is_printed(float))
    }

    /// The same for a 32-bit float.
    pub(crate) fn is_float32(&self) -> bool {
        self.text
            .parse()
            .is_ok_and(|float: f32| self.is_printed(float))
    }

    /// Whether an exact decimal with that many digits holds it.
    pub(crate) fn is_decimal(&self, precision: u8, scale: i8) -> bool {
        let (Ok(scale), None) = (usize::try_from(scale), self.exponent) else {
            return false;
        };
        let whole = if self.whole == "0" {
            0
        } else {
            self.whole.len()
        };
        let fits = self.fraction.trim_end_matches('0').len() <= scale
            && whole + scale <= usize::from(precision);
        fits && !(self.negative && self.is_zero())
    }

    fn is_zero(&self) -> bool {
        self.whole == "0" && self.fraction.bytes().all(|digit| digit == b'0')
    }

    /// Whether that float, printed, has the same digits. An infinite one has none.
    fn is_printed(&self, float: impl fmt::Display + fmt::LowerExp) -> bool {
        // Nearly all texts are just what is printed; taking digits apart is for the others.
        let mut rest = Expected(self.text);
        let same = write!(rest, "{float}").is_ok() && rest.0.is_empty();
        same || Number::parse_scientific(&format!("{float:e}")) == Some(self.significant())
    }

    /// The significant digits, without zeros at either end, and the power of ten of the first of them.
    fn significant(&self) -> (String, i32) {
        let all = format!("{}{}", self.whole, self.fraction);
        let leading = all.len() - all.trim_start_matches('0').len();
        let digits = all.trim_matches('0').to_owned();
        if digits.is_empty() {
            return (digits, 0);
        }
        let position = |length: usize| i32::try_from(length).unwrap_or(i32::MAX / 2);
        let power = position(self.whole.len()) - 1 - position(leading) + self.exponent.unwrap_or(0);
        (digits, power)
    }

    /// The same of the standard library's `{:e}`, whose exponent has no plus sign.
    fn parse_scientific(printed: &str) -> Option<(String, i32)> {
        let (mantissa, power) = printed.trim_start_matches('-').split_once('e')?;
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        let digits = digits.trim_end_matches('0').to_owned();
        let power = power.parse().ok()?;
        Some(if digits.is_empty() {
            (digits, 0)
        } else {
            (digits, power)
        })
    }
}

/// A text that what is written must be equal to, piece by piece.
struct Expected<'a>(&'a str);

impl fmt::Write for Expected<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(piece).ok_or(fmt::Error)?;
        Ok(())
    }
}

/// The number of digits after the point, where a text can be a decimal of 38 digits.
pub(crate) fn decimal_scale(number: &Number<'_>) -> Option<u8> {
    let scale = u8::try_from(number.fraction.len())
        .ok()
        .filter(|scale| *scale > 0)?;
    number
        .is_decimal(38, i8::try_from(scale).ok()?)
        .then_some(scale)
}

fn digits(text: &str) -> Option<&str> {
    let all_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then_some(text)
}

/// An exponent, which needs its sign: `12e4` is more likely an id.
fn signed(text: &str) -> Option<i32> {
    let unsigned = digits(text.strip_prefix(['+', '-'])?)?;
    let power: i32 = unsigned.parse().ok().filter(|power| *power <= 10_000)?;
    Some(if text.starts_with('-') { -power } else { power })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(texts: &[&str], holds: impl Fn(&Number<'_>) -> bool, expected: bool) {
        for text in texts {
            assert_eq!(
                Number::parse(text).is_some_and(|number| holds(&number)),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn integers_are_canonical() {
        check(
            &[
                "0",
                "7",
                "-7",
                "9223372036854775807",
                "-9223372036854775808",
            ],
            |number| number.is_integer(),
            true,
        );
        let others = [
            "",
            "-",
            "007",
            "+1",
            "-0",
            "1_000",
            "1.0",
            "1e+3",
            "9223372036854775808",
            " 1",
            "٣",
            "1.",
        ];
        check(&others, |number| number.is_integer(), false);
    }

    #[test]
    fn floats_come_back_as_the_same_text() {
        let floats = [
            "1.5",
            "-1.5",
            "2.0",
            "0.1",
            "0.30000000000000004",
            "1e-05",
            "2.5e+300",
            "-0.0",
            "41.1304722",
        ];
        check(&floats, |number| number.is_shortest_float(), true);
        let others = [
            "1.50",
            "1.10",
            "01.5",
            ".5",
            "5.",
            "12e4",
            "12e+4",
            "0.1000000000000000055",
            "9007199254740993",
            "1e+400",
            "-0",
            "0e+0",
            "1.50e+10",
        ];
        check(&others, |number| number.is_shortest_float(), false);
    }

    #[test]
    fn a_float_holds_digits_with_zeros_behind_them() {
        check(
            &["1.50", "100", "1.0", "12e+4"],
            |number| number.is_float(),
            true,
        );
        check(
            &["0.1000000000000000055", "9007199254740993"],
            |number| number.is_float(),
            false,
        );
        check(
            &["0.1", "16777216", "1.50", "3.4028235e+38"],
            |number| number.is_float32(),
            true,
        );
        check(
            &["16777217", "0.123456789", "1e+39"],
            |number| number.is_float32(),
            false,
        );
    }

    #[test]
    fn decimals_have_one_scale() {
        let scale = |text| Number::parse(text).and_then(|number| decimal_scale(&number));
        assert_eq!(scale("1.50"), Some(2));
        assert_eq!(scale("0.5"), Some(1));
        assert_eq!(scale("1"), None);
        assert_eq!(scale("-0.00"), None);
        assert_eq!(scale("12345678901234567890123456789012345678.9"), None);
    }
}
