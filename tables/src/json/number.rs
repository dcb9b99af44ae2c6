//! What the numbers of a column have in common.

use std::str::FromStr as _;

use arrow::datatypes::DataType;
use bigdecimal::BigDecimal;

/// Every decimal of so many digits comes back from the 64-bit float that is nearest to it.
const SAFE_DIGITS: usize = 15;

/// The digits that a decimal has at most.
const DECIMAL_DIGITS: i64 = 38;

/// The numbers of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Numbers {
    /// All are integers of 64 bits.
    integers: bool,
    /// All are what the shortest form of their float says.
    floats: bool,
    /// The most digits before the point, and after it.
    whole: i64,
    scale: i64,
}

impl Numbers {
    /// One number, as it is written.
    pub(crate) fn of(text: &str) -> Self {
        let integers = text.parse::<i64>().is_ok();
        let (whole, scale) = digits(text);
        Self {
            integers,
            floats: is_float(text),
            whole,
            scale,
        }
    }

    /// Those of both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            integers: self.integers && other.integers,
            floats: self.floats && other.floats,
            whole: self.whole.max(other.whole),
            scale: self.scale.max(other.scale),
        }
    }

    /// The type that holds them all exactly.
    pub(crate) fn data_type(self) -> DataType {
        if self.integers {
            return DataType::Int64;
        }
        if self.floats {
            return DataType::Float64;
        }
        match i8::try_from(self.scale) {
            Ok(scale) if self.whole + self.scale <= DECIMAL_DIGITS => {
                DataType::Decimal128(DECIMAL_DIGITS as u8, scale)
            }
            _ => DataType::Utf8,
        }
    }
}

/// Whether a number is exactly what the shortest form of its 64-bit float says.
pub(super) fn is_float(text: &str) -> bool {
    let Ok(float) = text.parse::<f64>() else {
        return false;
    };
    if !float.is_finite() {
        return false;
    }
    let significant = text
        .split(['e', 'E'])
        .next()
        .unwrap_or_default()
        .trim_start_matches(['-', '0', '.'])
        .bytes()
        .filter(u8::is_ascii_digit)
        .count();
    if significant <= SAFE_DIGITS && (float == 0.0) == (significant == 0) && float.is_normal() {
        return true;
    }
    match (
        BigDecimal::from_str(text),
        BigDecimal::from_str(&format!("{float:e}")),
    ) {
        (Ok(written), Ok(shortest)) => written == shortest,
        _ => false,
    }
}

/// The digits before and after the point that a number needs as a decimal.
fn digits(text: &str) -> (i64, i64) {
    let Ok(number) = BigDecimal::from_str(text) else {
        return (i64::MAX / 4, 0);
    };
    let (digits, scale) = number.normalized().into_bigint_and_exponent();
    let count = digits.magnitude().to_string().len() as i64;
    ((count - scale).max(1), scale.max(0))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::DataType;

    use super::{Numbers, is_float};

    #[test]
    fn a_float_says_exactly_what_is_written() {
        for yes in [
            "0",
            "-0.0",
            "1.5",
            "1.50",
            "1e3",
            "0.1",
            "1e-300",
            "123456789012345",
            "5e-324",
            "1E+2",
            "9007199254740992",
        ] {
            assert!(is_float(yes), "{yes}");
        }
        for no in [
            "9007199254740993",
            "1e999",
            "0.1234567890123456789",
            "1e-400",
            "123456789012345678.5",
        ] {
            assert!(!is_float(no), "{no}");
        }
    }

    #[test]
    fn the_type_of_a_column_holds_all_its_numbers() {
        let check = |numbers: &[&str], expected: DataType| {
            let all = numbers
                .iter()
                .map(|text| Numbers::of(text))
                .reduce(Numbers::and)
                .unwrap();
            assert_eq!(all.data_type(), expected, "{numbers:?}");
        };
        check(&["1", "-2", "9223372036854775807"], DataType::Int64);
        check(&["1", "1.5"], DataType::Float64);
        check(&["9007199254740993", "1.5"], DataType::Decimal128(38, 1));
        check(&["9223372036854775808"], DataType::Decimal128(38, 0));
        check(&["18446744073709551615"], DataType::Decimal128(38, 0));
        check(&["9007199254740993", "1e-40"], DataType::Utf8);
        check(&["1e400", "1"], DataType::Utf8);
    }
}
