//! How far a value moved.

use bigdecimal::{BigDecimal, RoundingMode, Zero};

use super::{Number, Value};

/// Digits that a percentage keeps: behind the point, or in all where it is less than one.
const PERCENT_DIGITS: u8 = 6;
/// Beyond this many digits on either side of the point, a number is written with an exponent.
const PLAIN_DIGITS: u64 = 40;
const NANOS_PER_DAY: i128 = 86_400_000_000_000;

impl Value {
    /// New minus old: an exact decimal for numbers (floats by their shortest decimal forms), a duration for
    /// times of one kind. `None` where there is no distance, as from NULL, NaN or an infinity.
    #[must_use]
    pub fn delta(old: &Self, new: &Self) -> Option<String> {
        match Self::nanos_between(old, new) {
            Some(nanos) => Self::Duration(nanos).render(),
            None => finite(old)
                .zip(finite(new))
                .map(|(old, new)| number_text(&(new - old))),
        }
    }

    /// New minus old in percent of the old number's magnitude, to six digits. `None` where `delta` is no number,
    /// and where the old number is zero.
    #[must_use]
    pub fn delta_pct(old: &Self, new: &Self) -> Option<String> {
        let (old, new) = finite(old).zip(finite(new))?;
        if old.is_zero() {
            return None;
        }
        let percent = (new - &old) * BigDecimal::from(100) / old.abs();
        Some(number_text(&rounded(&percent)))
    }

    /// The nanoseconds from old to new, for two values of one kind of time.
    pub(crate) fn nanos_between(old: &Self, new: &Self) -> Option<i128> {
        match (old, new) {
            (Self::Date(old), Self::Date(new)) => {
                (i128::from(*new) - i128::from(*old)).checked_mul(NANOS_PER_DAY)
            }
            (Self::Time(old), Self::Time(new)) | (Self::Duration(old), Self::Duration(new)) => {
                new.checked_sub(*old)
            }
            (
                Self::Timestamp {
                    nanos: old,
                    zone: old_zone,
                },
                Self::Timestamp {
                    nanos: new,
                    zone: new_zone,
                },
            ) if old_zone.is_some() == new_zone.is_some() => new.checked_sub(*old),
            _ => None,
        }
    }
}

fn finite(value: &Value) -> Option<BigDecimal> {
    match Number::shortest(value) {
        Some(Number::Finite(number)) => Some(number),
        _ => None,
    }
}

fn rounded(percent: &BigDecimal) -> BigDecimal {
    let digits = if percent.abs() < 1 {
        i64::from(PERCENT_DIGITS) - percent.order_of_magnitude() - 1
    } else {
        i64::from(PERCENT_DIGITS)
    };
    percent.with_scale_round(digits, RoundingMode::HalfEven)
}

fn number_text(number: &BigDecimal) -> String {
    if number.is_zero() {
        return "0".to_owned();
    }
    let number = number.normalized();
    if number.order_of_magnitude().unsigned_abs() > PLAIN_DIGITS {
        number.to_scientific_notation()
    } else {
        number.to_plain_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(old: Value, new: Value, delta: &str, percent: &str) {
        assert_eq!(Value::delta(&old, &new).as_deref().unwrap_or("none"), delta);
        assert_eq!(
            Value::delta_pct(&old, &new).as_deref().unwrap_or("none"),
            percent
        );
    }

    #[test]
    fn numbers_move_by_exact_decimals() {
        check(Value::Float(1.0), Value::Float(1.1), "0.1", "10");
        check(Value::Integer(3), Value::Integer(2), "-1", "-33.333333");
        check(Value::Integer(-3), Value::Integer(-2), "1", "33.333333");
        check(
            Value::Integer(1 << 53),
            Value::Integer((1 << 53) + 1),
            "1",
            "0.0000000000000111022",
        );
        check(
            Value::Decimal("0.10".parse().unwrap()),
            Value::Decimal("0.25".parse().unwrap()),
            "0.15",
            "150",
        );
        check(Value::Integer(0), Value::Integer(5), "5", "none");
        check(Value::Float(0.0), Value::Float(1e300), "1e300", "none");
        check(Value::Float(1.0), Value::Float(1.0), "0", "0");
    }

    #[test]
    fn nothing_is_far_from_no_number() {
        check(Value::Null, Value::Integer(5), "none", "none");
        check(Value::Float(f64::NAN), Value::Float(1.0), "none", "none");
        check(
            Value::Float(f64::INFINITY),
            Value::Float(1.0),
            "none",
            "none",
        );
        check(
            Value::Text("1".into()),
            Value::Text("2".into()),
            "none",
            "none",
        );
    }

    #[test]
    fn times_move_by_durations() {
        check(Value::Date(1), Value::Date(2), "PT86400S", "none");
        let at = |nanos, zone: Option<&str>| Value::Timestamp {
            nanos,
            zone: zone.map(str::to_owned),
        };
        check(
            at(0, Some("UTC")),
            at(-500_000_000, Some("Asia/Tokyo")),
            "-PT0.5S",
            "none",
        );
        check(at(0, None), at(1, Some("UTC")), "none", "none");
    }
}
