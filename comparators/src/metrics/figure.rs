//! Figures as values, and how they are shown.

use bigdecimal::num_bigint::BigInt;
use bigdecimal::{BigDecimal, RoundingMode};
use understudy_core::value::Value;

use super::exact::ExactSum;
use super::floats::FloatSum;
use super::numbers::Number;

/// The digits of a quotient after the point, beyond those of what is divided: two different quotients of sums of less
/// than 2^63 numbers differ in the first 38 of them.
const QUOTIENT_DIGITS: i64 = 45;
/// The digits that a figure is shown with, where they tell the two apart.
const SHOWN_DIGITS: u64 = 17;

/// Numbers, summed up.
#[derive(Clone, Debug, Default)]
pub(super) struct Summed {
    count: u64,
    sum: Sum,
}

#[derive(Clone, Debug, Default)]
enum Sum {
    #[default]
    Nothing,
    Exact(ExactSum),
    Floats(FloatSum),
}

impl Summed {
    pub(super) fn add(&mut self, number: Number) {
        self.count += 1;
        match (&mut self.sum, number) {
            (Sum::Exact(sum), Number::Exact(number)) => sum.add(number),
            (Sum::Floats(sum), Number::Float(float)) => sum.add(float),
            (sum, Number::Exact(number)) => {
                let mut exact = ExactSum::default();
                exact.add(number);
                *sum = Sum::Exact(exact);
            }
            (sum, Number::Float(float)) => {
                let mut floats = FloatSum::default();
                floats.add(float);
                *sum = Sum::Floats(floats);
            }
        }
    }

    /// The sum; the numbers have so many digits after the point.
    pub(super) fn sum(&self, scale: i64) -> Value {
        match &self.sum {
            Sum::Nothing => Value::Null,
            Sum::Exact(sum) => Value::Decimal(BigDecimal::new(sum.total(), scale).normalized()),
            Sum::Floats(sum) => Value::Float(sum.total()),
        }
    }

    /// The mean, likewise.
    pub(super) fn mean(&self, scale: i64) -> Value {
        match &self.sum {
            Sum::Nothing => Value::Null,
            Sum::Exact(sum) => Value::Decimal(quotient(sum.total(), scale, self.count)),
            Sum::Floats(sum) => Value::Float(sum.total() / self.count as f64),
        }
    }
}

/// A part of so many rows; NULL where there are none.
pub(super) fn share(part: u64, rows: u64) -> Value {
    match rows {
        0 => Value::Null,
        rows => Value::Decimal(quotient(part.into(), 0, rows)),
    }
}

/// Digits at a scale, divided. What is left of it is less than what any two quotients differ by.
fn quotient(digits: BigInt, scale: i64, count: u64) -> BigDecimal {
    let zeros = u32::try_from(QUOTIENT_DIGITS).unwrap_or(0);
    let scaled = digits * BigInt::from(10).pow(zeros);
    BigDecimal::new(scaled / count, scale + QUOTIENT_DIGITS).normalized()
}

/// Two figures as they are shown: rounded, unless that would make them the same.
pub(super) fn shown(old: Value, new: Value) -> [Value; 2] {
    let rounded = [&old, &new].map(|value| match value {
        Value::Decimal(decimal) if decimal.digits() > SHOWN_DIGITS => {
            Value::Decimal(in_short(decimal))
        }
        other => other.clone(),
    });
    if rounded[0].same(&rounded[1]) {
        return [old, new];
    }
    rounded
}

/// Whole numbers keep all their digits.
fn in_short(decimal: &BigDecimal) -> BigDecimal {
    if decimal.is_integer() {
        return decimal.clone();
    }
    let (_, scale) = decimal.as_bigint_and_exponent();
    let whole = i64::try_from(decimal.digits()).unwrap_or(i64::MAX) - scale;
    let kept = i64::try_from(SHOWN_DIGITS).unwrap_or(0);
    decimal
        .with_scale_round((kept - whole).max(0), RoundingMode::HalfEven)
        .normalized()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Value {
        Value::Decimal(text.parse().unwrap())
    }

    #[test]
    fn what_differs_is_shown_as_different() {
        let check = |old: &str, new: &str, shown_old: &str, shown_new: &str| {
            let [old, new] = shown(decimal(old), decimal(new)).map(|value| value.render().unwrap());
            assert_eq!((old.as_str(), new.as_str()), (shown_old, shown_new));
        };
        check("33.333333333333333333333", "50", "33.333333333333333", "50");
        check(
            "1.0000000000000000000000001",
            "1.0000000000000000000000002",
            "1.0000000000000000000000001",
            "1.0000000000000000000000002",
        );
        check(
            "123456789012345678901234567890",
            "1",
            "123456789012345678901234567890",
            "1",
        );
        check(
            "0.000012345678901234567890123",
            "1",
            "0.000012345678901234568",
            "1",
        );
    }

    #[test]
    fn different_quotients_stay_different() {
        let many = u64::MAX / 2;
        let near = quotient(BigInt::from(1), 0, many);
        let next = quotient(BigInt::from(1), 0, many - 1);
        assert_ne!(near, next);
        assert_eq!(
            quotient(BigInt::from(2), 0, 6),
            quotient(BigInt::from(1), 0, 3)
        );
        assert_eq!(share(0, 0), Value::Null);
        assert_eq!(share(1, 4), decimal("0.25"));
    }
}
