//! Tolerance decided in machine arithmetic wherever that decides it beyond doubt.
//!
//! A comparison may have to decide many millions of cells. Each answer here is the exact one or none: integers and
//! decimals are computed exactly and overflow gives no answer; floats are computed with a margin for every rounding,
//! and whatever falls into the margin is left to the decimals.

use bigdecimal::BigDecimal;

use crate::rule::{Base, Bound};
use crate::value::Value;

/// Relative error of all roundings of one difference, taken generously: each side's shortest decimal is within
/// 2^-53 of it, and so is the difference of the two.
const ROUNDING: f64 = 8.0 * f64::EPSILON;
/// Below this, products lose bits.
const SMALL: f64 = 1e-290;

/// A bound, prepared.
#[derive(Clone, Debug)]
pub(super) struct QuickBound {
    abs: Option<Quantity>,
    rel: Option<Quantity>,
    of: Base,
}

/// A number in both machine forms.
#[derive(Clone, Debug)]
struct Quantity {
    scaled: Option<Scaled>,
    float: Option<f64>,
}

/// `digits / 10^scale`.
#[derive(Clone, Copy, Debug)]
struct Scaled {
    digits: i128,
    scale: i64,
}

impl QuickBound {
    pub(super) fn new(bound: &Bound) -> Self {
        let abs = bound.abs.as_ref().filter(|_| !bound.abs_is_duration);
        Self {
            abs: abs.map(Quantity::new),
            rel: bound.rel.as_ref().map(Quantity::new),
            of: bound.of,
        }
    }

    /// Whether the cell may move from old to new, which are different numbers; `None` where only decimals can tell.
    pub(super) fn allows(&self, old: &Value, new: &Value) -> Option<bool> {
        match (old, new) {
            (Value::Float(old), Value::Float(new)) => self.allows_floats(*old, *new),
            _ => self.allows_scaled(Scaled::of(old)?, Scaled::of(new)?),
        }
    }

    fn allows_floats(&self, old: f64, new: f64) -> Option<bool> {
        let distance = (new - old).abs();
        let margin = (old.abs() + new.abs()) * ROUNDING + f64::MIN_POSITIVE;
        let decide = |limit: f64| {
            let limit_margin = limit * ROUNDING;
            if !(SMALL..f64::MAX).contains(&limit) || !(distance + margin).is_finite() {
                None
            } else if distance + margin <= limit - limit_margin {
                Some(true)
            } else {
                (distance - margin > limit + limit_margin).then_some(false)
            }
        };
        let base = match self.of {
            Base::Old => old.abs(),
            Base::Max => old.abs().max(new.abs()),
        };
        either(
            self.abs.as_ref().map(|abs| decide(abs.float?)),
            self.rel.as_ref().map(|rel| decide(rel.float? * base)),
        )
    }

    fn allows_scaled(&self, old: Scaled, new: Scaled) -> Option<bool> {
        let scale = old.scale.max(new.scale);
        let (old, new) = (old.at_scale(scale)?, new.at_scale(scale)?);
        let distance = Scaled {
            digits: new.checked_sub(old)?.checked_abs()?,
            scale,
        };
        let base = match self.of {
            Base::Old => old.checked_abs()?,
            Base::Max => old.checked_abs()?.max(new.checked_abs()?),
        };
        let within_rel = |rel: Scaled| {
            let limit = Scaled {
                digits: rel.digits.checked_mul(base)?,
                scale: rel.scale.checked_add(scale)?,
            };
            distance.is_at_most(limit)
        };
        either(
            self.abs
                .as_ref()
                .map(|abs| distance.is_at_most(abs.scaled?)),
            self.rel.as_ref().map(|rel| within_rel(rel.scaled?)),
        )
    }
}

/// Either part of a bound suffices. The outer `None` is a part that is not there, the inner one no answer.
fn either(abs: Option<Option<bool>>, rel: Option<Option<bool>>) -> Option<bool> {
    match (abs, rel) {
        (Some(Some(true)), _) | (_, Some(Some(true))) => Some(true),
        (Some(None), _) | (_, Some(None)) => None,
        _ => Some(false),
    }
}

impl Quantity {
    fn new(number: &BigDecimal) -> Self {
        let (digits, scale) = number.as_bigint_and_scale();
        let scaled = i128::try_from(digits.as_ref())
            .ok()
            .map(|digits| Scaled { digits, scale });
        let float = number
            .to_scientific_notation()
            .parse()
            .ok()
            .filter(|float: &f64| float.is_finite());
        Self { scaled, float }
    }
}

impl Scaled {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(integer) => Some(Self {
                digits: *integer,
                scale: 0,
            }),
            Value::Decimal(decimal) => {
                let (digits, scale) = decimal.as_bigint_and_scale();
                Some(Self {
                    digits: i128::try_from(digits.as_ref()).ok()?,
                    scale,
                })
            }
            _ => None,
        }
    }

    fn at_scale(self, scale: i64) -> Option<i128> {
        let zeros = u32::try_from(scale.checked_sub(self.scale)?).ok()?;
        self.digits.checked_mul(10_i128.checked_pow(zeros)?)
    }

    fn is_at_most(self, other: Self) -> Option<bool> {
        let scale = self.scale.max(other.scale);
        Some(self.at_scale(scale)? <= other.at_scale(scale)?)
    }
}
