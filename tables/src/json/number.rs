//! Numbers as they are written: their digits, and what a column of them has in common.

use arrow::datatypes::DataType;

/// The most digits that a 64-bit float gives back whatever they are (IEEE 754 binary64).
const SAFE_FLOAT_DIGITS: i64 = 15;

/// The greatest power of ten that such digits can have without leaving the range of a 64-bit float.
const SAFE_FLOAT_POWER: i64 = 290;

/// The digits of a decimal.
const DECIMAL_DIGITS: i64 = 38;

/// Numbers of more digits than any type but text has are not written out.
const MAX_PLAIN_DIGITS: i64 = 80;

/// An exponent of ten beyond this is as good as any other that no type holds.
const MAX_EXPONENT: i64 = i64::MAX / 4;

/// A number taken apart: its digits without zeros at either end, and the power of ten of the last one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Digits {
    negative: bool,
    digits: String,
    power: i64,
}

impl Digits {
    /// Takes a JSON number apart.
    pub(super) fn of(text: &str) -> Self {
        let negative = text.starts_with('-');
        let unsigned = text.trim_start_matches('-');
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let digits = all.trim_end_matches('0');
        let zeros = length(&all) - length(digits);
        let digits = digits.trim_start_matches('0').to_owned();
        let power = if digits.is_empty() {
            0
        } else {
            exponent_of(exponent) - length(fraction) + zeros
        };
        Self {
            negative,
            digits,
            power,
        }
    }

    /// The digits before the point.
    fn whole(&self) -> i64 {
        (length(&self.digits) + self.power).max(0)
    }

    /// The digits after the point.
    fn scale(&self) -> i64 {
        (-self.power).max(0)
    }

    fn is_negative_zero(&self) -> bool {
        self.negative && self.digits.is_empty()
    }

    /// The same number without an exponent and without zeros that say nothing; `None` if it is too long for any type.
    pub(super) fn plain(&self) -> Option<String> {
        if self.whole() + self.scale() > MAX_PLAIN_DIGITS {
            return None;
        }
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
        let padded = format!("{}{}", self.digits, zeros(self.power));
        let missing = self.scale() + 1 - length(&padded);
        let padded = format!(
            "{}{padded}",
            zeros(missing.max(i64::from(padded.is_empty())))
        );
        let point = padded.len() - usize::try_from(self.scale()).ok()?;
        let (whole, fraction) = padded.split_at(point);
        let sign = if self.negative { "-" } else { "" };
        let dot = if fraction.is_empty() { "" } else { "." };
        Some(format!("{sign}{whole}{dot}{fraction}"))
    }

    /// Whether the shortest form of the 64-bit float that is nearest to it says the same number.
    fn is_float(&self, text: &str) -> bool {
        let safe = self.whole().max(self.scale()) <= SAFE_FLOAT_POWER;
        if safe && length(&self.digits) <= SAFE_FLOAT_DIGITS {
            return true;
        }
        let float = text.parse::<f64>().ok().filter(|float| float.is_finite());
        float.is_some_and(|float| Self::of(&format!("{float:e}")) == *self)
    }
}

fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(MAX_EXPONENT)
}

fn exponent_of(text: &str) -> i64 {
    let beyond = if text.starts_with('-') {
        -MAX_EXPONENT
    } else {
        MAX_EXPONENT
    };
    let exponent = text.parse().unwrap_or(beyond);
    exponent.clamp(-MAX_EXPONENT, MAX_EXPONENT)
}

/// Whether a number is exactly what the shortest form of its 64-bit float says.
pub(super) fn is_float(text: &str) -> bool {
    Digits::of(text).is_float(text)
}

/// The numbers of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Numbers {
    /// All are integers of 64 bits.
    integers: bool,
    /// All are what the shortest form of their float says.
    floats: bool,
    /// None is a zero with a sign, which no decimal has.
    decimals: bool,
    /// The most digits before the point, and after it.
    whole: i64,
    scale: i64,
}

impl Numbers {
    /// One number, as it is written.
    pub(super) fn of(text: &str) -> Self {
        let digits = Digits::of(text);
        let signed_zero = digits.is_negative_zero();
        Self {
            integers: !signed_zero && text.parse::<i64>().is_ok(),
            floats: digits.is_float(text),
            decimals: !signed_zero,
            whole: digits.whole(),
            scale: digits.scale(),
        }
    }

    /// Those of both.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            integers: self.integers && other.integers,
            floats: self.floats && other.floats,
            decimals: self.decimals && other.decimals,
            whole: self.whole.max(other.whole),
            scale: self.scale.max(other.scale),
        }
    }

    /// The type that holds them all exactly.
    pub(super) fn data_type(self) -> DataType {
        if self.integers {
            return DataType::Int64;
        }
        if self.floats {
            return DataType::Float64;
        }
        let fits = self.decimals && self.whole.saturating_add(self.scale) <= DECIMAL_DIGITS;
        match i8::try_from(self.scale) {
            Ok(scale) if fits => DataType::Decimal128(DECIMAL_DIGITS as u8, scale),
            _ => DataType::Utf8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_float_says_exactly_what_is_written() {
        let yes = [
            "0",
            "-0.0",
            "-0",
            "1.5",
            "1.50",
            "1e3",
            "0.1",
            "1e-300",
            "123456789012345",
            "5e-324",
            "1E+2",
            "9007199254740992",
            "1.7976931348623157e308",
            "0.30000000000000004",
            "100000000000000000000",
        ];
        for yes in yes {
            assert!(is_float(yes), "{yes}");
        }
        let no = [
            "9007199254740993",
            "1e999",
            "0.1234567890123456789",
            "1e-400",
            "123456789012345678.5",
            "9223372036854775808",
            "1e99999999999999999999999",
            "1e-99999999999999999999999",
            "-1e309",
        ];
        for no in no {
            assert!(!is_float(no), "{no}");
        }
    }

    #[test]
    fn the_type_of_a_column_holds_all_its_numbers() {
        let check = |numbers: &[&str], expected: DataType| {
            let all = numbers.iter().map(|text| Numbers::of(text));
            let all = all.reduce(Numbers::and).unwrap();
            assert_eq!(all.data_type(), expected, "{numbers:?}");
        };
        check(
            &["1", "-2", "9223372036854775807", "-9223372036854775808"],
            DataType::Int64,
        );
        check(&["1", "1.5"], DataType::Float64);
        check(&["1", "2.0"], DataType::Float64);
        check(&["1", "-0"], DataType::Float64);
        check(&["9007199254740993", "-0"], DataType::Utf8);
        check(&["9007199254740993", "1.5"], DataType::Decimal128(38, 1));
        check(
            &["9007199254740993", "1.25e1", "1e2"],
            DataType::Decimal128(38, 1),
        );
        check(&["9223372036854775808"], DataType::Decimal128(38, 0));
        check(&["18446744073709551615"], DataType::Decimal128(38, 0));
        check(
            &["99999999999999999999999999999999999999"],
            DataType::Decimal128(38, 0),
        );
        check(&["999999999999999999999999999999999999999"], DataType::Utf8);
        check(&["9007199254740993", "1e-40"], DataType::Utf8);
        check(&["1e400", "1"], DataType::Utf8);
        check(&["1e99999999999999999999999"], DataType::Utf8);
    }

    #[test]
    fn a_number_is_written_out() {
        let check = |text: &str, expected: &str| {
            assert_eq!(Digits::of(text).plain().unwrap(), expected, "{text}")
        };
        check("0", "0");
        check("0.00e5", "0");
        check("-0", "-0");
        check("1.0", "1");
        check("1.50", "1.5");
        check("12e3", "12000");
        check("-12.5e-4", "-0.00125");
        check("1.25E+1", "12.5");
        check("100", "100");
        check("0.001", "0.001");
        for none in ["1e81", "1e-81", "1e999999999999999999999"] {
            assert_eq!(Digits::of(none).plain(), None, "{none}");
        }
    }
}
