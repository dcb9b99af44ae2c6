//! Patterns of numbers, by exact decimals.

use bigdecimal::{BigDecimal, RoundingMode, Signed, Zero};

use super::{Pattern, Share};
use crate::value::{Number, Value};

/// The greatest power of ten that counts as a change of scale.
const MAX_POWER: i64 = 12;
/// Floats this many times closer than they are large differ in their last digits only.
const LAST_DIGITS: u64 = 1_000_000_000;

pub(super) fn is_zero(value: &Value) -> bool {
    match value {
        Value::Integer(integer) => *integer == 0,
        Value::Decimal(decimal) => decimal.is_zero(),
        Value::Float(float) => *float == 0.0,
        Value::Float32(float) => *float == 0.0,
        _ => false,
    }
}

/// The pattern of two numbers that are not the same; `None` where a value is no number.
pub(super) fn of_numbers(old: &Value, new: &Value) -> Option<Pattern> {
    Some(match (Number::shortest(old)?, Number::shortest(new)?) {
        (Number::Finite(before), Number::Finite(after)) => {
            let are_floats = is_float(old) && is_float(new);
            of_finite(&before.normalized(), &after.normalized(), are_floats)
        }
        (_, Number::Undefined) => Pattern::ToNan,
        (Number::Undefined, _) => Pattern::FromNan,
        (Number::Finite(_), _) => Pattern::ToInfinite,
        (_, Number::Finite(_)) => Pattern::FromInfinite,
        _ => Pattern::SignFlipped,
    })
}

fn is_float(value: &Value) -> bool {
    matches!(value, Value::Float(_) | Value::Float32(_))
}

fn of_finite(old: &BigDecimal, new: &BigDecimal, are_floats: bool) -> Pattern {
    let moved = new - old;
    if moved.is_zero() {
        // Such as a tenth in floats of two widths: no two decimals, but not the same number.
        return Pattern::LastDigits;
    }
    if old.is_zero() {
        return Pattern::ZeroToNumber;
    }
    if new.is_zero() {
        return Pattern::NumberToZero;
    }
    if (old + new).is_zero() {
        return Pattern::SignFlipped;
    }
    if let Some(power) = power_between(old, new) {
        return Pattern::Scaled(power);
    }
    let (distance, size) = (moved.abs(), old.abs());
    if are_floats && &distance * BigDecimal::from(LAST_DIGITS) <= size {
        return Pattern::LastDigits;
    }
    if let Some(pattern) = of_rounding(old, new, &distance) {
        return pattern;
    }
    let share = if &distance * BigDecimal::from(100) <= size {
        Share::OnePercent
    } else if distance * BigDecimal::from(10) <= size {
        Share::TenPercent
    } else {
        Share::More
    };
    if moved.is_positive() {
        Pattern::Up(share)
    } else {
        Pattern::Down(share)
    }
}

/// Of normalized numbers, those that differ by a power of ten have the same digits.
fn power_between(old: &BigDecimal, new: &BigDecimal) -> Option<i8> {
    let ((old, old_scale), (new, new_scale)) =
        (old.as_bigint_and_exponent(), new.as_bigint_and_exponent());
    let power = old_scale - new_scale;
    (old == new && power != 0 && power.abs() <= MAX_POWER)
        .then(|| i8::try_from(power).ok())
        .flatten()
}

/// Whether the one is the other with fewer decimals. One decimal less proves nothing, unless none is left: one of ten
/// sums of money has one decimal less than another.
fn of_rounding(old: &BigDecimal, new: &BigDecimal, distance: &BigDecimal) -> Option<Pattern> {
    let decimals = |number: &BigDecimal| number.fractional_digit_count().max(0);
    let (before, after) = (decimals(old), decimals(new));
    let is_shorter = |long: i64, short: i64| long >= short + 2 || (long > short && short == 0);
    let half = |digits: i64| BigDecimal::new(5.into(), digits + 1);
    if is_shorter(before, after) {
        if *distance <= half(after) {
            return Some(Pattern::Rounded);
        }
        let cut = old.with_scale_round(after, RoundingMode::Down);
        return (cut == *new).then_some(Pattern::DecimalsCut);
    }
    // A whole number that gets decimals may just as well have moved.
    let is_longer = before > 0 && is_shorter(after, before);
    (is_longer && *distance <= half(before)).then_some(Pattern::MoreDecimals)
}
