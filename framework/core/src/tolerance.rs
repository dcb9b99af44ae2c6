//! Tolerance: how far a cell may move and still count as expected.
//!
//! One definition for every comparison. With `d = new - old`, the bound is `up` where `d > 0` and `down` where
//! `d < 0`, and the cell is within it if `|d| <= abs` or `|d| <= rel * base`, where `base` is `|old|` or the greater
//! of `|old|` and `|new|`. All of it is exact decimal arithmetic; a float counts as the shortest decimal that reads
//! back as it, so that 1.0 to 1.1 is within 0.1. It follows that zero means zero, that a percentage of zero allows
//! only zero, and that a changed sign is never inside a percentage below 100. Times move by durations only.

use bigdecimal::{BigDecimal, Signed, Zero};

use crate::rule::{Base, Bound, Within};
use crate::value::{Number, Value};

mod quick;

use quick::QuickBound;

/// A tolerance that is asked about many cells.
#[derive(Clone, Debug)]
pub struct Tolerance {
    within: Within,
    up: QuickBound,
    down: QuickBound,
}

impl Tolerance {
    /// Prepares a tolerance.
    #[must_use]
    pub fn new(within: &Within) -> Self {
        let (up, down) = (QuickBound::new(&within.up), QuickBound::new(&within.down));
        Self {
            within: within.clone(),
            up,
            down,
        }
    }

    /// Exactly what [`Within::allows`] says.
    #[must_use]
    pub fn allows(&self, old: &Value, new: &Value) -> bool {
        let bound = match new.order(old) {
            std::cmp::Ordering::Greater => &self.up,
            std::cmp::Ordering::Less => &self.down,
            std::cmp::Ordering::Equal => return self.within.allows(old, new),
        };
        bound
            .allows(old, new)
            .unwrap_or_else(|| self.within.allows(old, new))
    }
}

impl Within {
    /// Whether the new value is within the tolerance of the old one, the boundary included.
    /// NULL and NaN are within nothing, an infinity only within itself.
    #[must_use]
    pub fn allows(&self, old: &Value, new: &Value) -> bool {
        match (Number::shortest(old), Number::shortest(new)) {
            (Some(old), Some(new)) => self.allows_numbers(&old, &new),
            _ => self.allows_times(old, new),
        }
    }

    fn allows_numbers(&self, old: &Number, new: &Number) -> bool {
        match (old, new) {
            (Number::Finite(old), Number::Finite(new)) => self.allows_finite(old, new),
            (Number::Undefined, _) => false,
            _ => old == new,
        }
    }

    fn allows_finite(&self, old: &BigDecimal, new: &BigDecimal) -> bool {
        let moved = new - old;
        let base = |of| match of {
            Base::Old => old.abs(),
            Base::Max => old.abs().max(new.abs()),
        };
        moved.is_zero()
            || self
                .bound(moved.is_positive())
                .allows_distance(&moved.abs(), base)
    }

    fn allows_times(&self, old: &Value, new: &Value) -> bool {
        Value::nanos_between(old, new).is_some_and(|nanos| {
            nanos == 0 || self.bound(nanos > 0).allows_nanos(nanos.unsigned_abs())
        })
    }

    fn bound(&self, is_up: bool) -> &Bound {
        if is_up { &self.up } else { &self.down }
    }
}

impl Bound {
    fn allows_distance(&self, distance: &BigDecimal, base: impl Fn(Base) -> BigDecimal) -> bool {
        let absolute = self.abs.as_ref().filter(|_| !self.abs_is_duration);
        absolute.is_some_and(|bound| distance <= bound)
            || self
                .rel
                .as_ref()
                .is_some_and(|fraction| *distance <= fraction * base(self.of))
    }

    fn allows_nanos(&self, nanos: u128) -> bool {
        let absolute = self.abs.as_ref().filter(|_| self.abs_is_duration);
        absolute.is_some_and(|bound| *bound >= nanos)
    }
}

#[cfg(test)]
mod tests;
