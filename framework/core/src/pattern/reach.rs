//! How far the cells of a group moved, at most.

use std::num::NonZeroU64;

use bigdecimal::{BigDecimal, RoundingMode, Signed, Zero};

use crate::rule::{Bound, Within};
use crate::value::{Number, Value};

/// Digits that a bound keeps: what was found is rounded up to them.
const DIGITS: NonZeroU64 = NonZeroU64::new(2).expect("it is not zero");
/// What a float's subtraction may be wrong by, as a share of both numbers.
const FLOAT_ERROR: f64 = 4.0 * f64::EPSILON;
/// The units that distances between times are rounded in, in nanoseconds.
const UNITS: [u128; 6] = [
    86_400_000_000_000,
    3_600_000_000_000,
    60_000_000_000,
    1_000_000_000,
    1_000_000,
    1_000,
];

/// The greatest distances that cells moved, up and down.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Reach {
    up: Farthest,
    down: Farthest,
    is_time: bool,
}

/// The greatest distance of one direction.
#[derive(Clone, PartialEq, Debug, Default)]
struct Farthest {
    /// Of numbers.
    number: BigDecimal,
    /// The same as a float, a little less at most: what is less than it need not be looked at exactly.
    floor: f64,
    /// Of times, in nanoseconds.
    nanos: u128,
}

impl Reach {
    /// Sees a cell. What has no distance is passed over.
    pub fn see(&mut self, old: &Value, new: &Value) {
        if let Some(nanos) = Value::nanos_between(old, new) {
            self.is_time = true;
            let farthest = if nanos > 0 {
                &mut self.up
            } else {
                &mut self.down
            };
            farthest.nanos = farthest.nanos.max(nanos.unsigned_abs());
            return;
        }
        if self.is_nearer(old, new) {
            return;
        }
        if let (Some(Number::Finite(old)), Some(Number::Finite(new))) =
            (Number::shortest(old), Number::shortest(new))
        {
            self.see_numbers(&(new - old));
        }
    }

    /// Whether two floats are so near that they cannot be the farthest.
    fn is_nearer(&self, old: &Value, new: &Value) -> bool {
        let (Value::Float(old), Value::Float(new)) = (old, new) else {
            return false;
        };
        let farthest = if new > old { &self.up } else { &self.down };
        let distance = (new - old).abs() + FLOAT_ERROR * (old.abs() + new.abs());
        distance < farthest.floor
    }

    fn see_numbers(&mut self, moved: &BigDecimal) {
        let farthest = if moved.is_positive() {
            &mut self.up
        } else {
            &mut self.down
        };
        let distance = moved.abs();
        if distance > farthest.number {
            let near = distance.to_string().parse::<f64>().unwrap_or(0.0);
            farthest.floor = if near.is_finite() {
                near * (1.0 - FLOAT_ERROR)
            } else {
                0.0
            };
            farthest.number = distance;
        }
    }

    /// A tolerance that holds all of it, rounded up to two digits.
    #[must_use]
    pub fn within(&self) -> Within {
        let bound = |farthest: &Farthest| Bound {
            abs: Some(if self.is_time {
                BigDecimal::from(rounded_up(farthest.nanos))
            } else if farthest.number.is_zero() {
                BigDecimal::zero()
            } else {
                let up = farthest
                    .number
                    .with_precision_round(DIGITS, RoundingMode::Up);
                up.max(farthest.number.clone()).normalized()
            }),
            abs_is_duration: self.is_time,
            ..Bound::default()
        };
        Within {
            up: bound(&self.up),
            down: bound(&self.down),
        }
    }
}

/// Up to a tenth of its unit below ten of them, else to a whole one, or to two digits.
fn rounded_up(nanos: u128) -> u128 {
    let Some(unit) = UNITS.into_iter().find(|unit| nanos >= *unit) else {
        return nanos;
    };
    let mut step = (unit / 10).max(1);
    while nanos / step >= 100 {
        step *= 10;
    }
    nanos.div_ceil(step) * step
}
