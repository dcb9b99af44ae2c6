//! Sums of floats without rounding on the way.
//!
//! A float is a whole number of units of 2^-1074. The sum is kept as such a number, in digits of 32 bits, of which only
//! those are held that the floats reach; it is rounded once, to the nearest float, ties to even. So it does not depend on
//! the order of the floats, nor on how they are cut. The idea is Kulisch's accumulator.

use bigdecimal::num_bigint::BigInt;
use bigdecimal::{Signed as _, ToPrimitive as _, Zero as _};

/// The exponent of the unit.
const UNIT: i64 = -1074;
/// The bits of a digit.
const DIGIT_BITS: usize = 32;
/// The bits of a float's fraction.
const FRACTION_BITS: u32 = 52;
/// After so many additions, what the digits carry is handed on: each adds less than 2^32 to a digit of 63 bits.
const MAX_ADDITIONS: u32 = 1 << 30;

/// A sum of floats.
#[derive(Clone, Debug, Default)]
pub(super) struct FloatSum {
    /// The place of the first digit that is held.
    first: usize,
    digits: Vec<i64>,
    additions: u32,
    has_nan: bool,
    has_infinity: bool,
    has_minus_infinity: bool,
}

impl FloatSum {
    pub(super) fn add(&mut self, float: f64) {
        if !float.is_finite() {
            self.has_nan |= float.is_nan();
            self.has_infinity |= float == f64::INFINITY;
            self.has_minus_infinity |= float == f64::NEG_INFINITY;
            return;
        }
        let bits = float.to_bits();
        let exponent = (bits >> FRACTION_BITS) & 0x7ff;
        let fraction = bits & ((1 << FRACTION_BITS) - 1);
        let (mantissa, shift) = match exponent {
            0 => (fraction, 0),
            _ => (fraction | 1 << FRACTION_BITS, exponent - 1),
        };
        if mantissa == 0 {
            return;
        }
        let (place, offset) = (shift as usize / DIGIT_BITS, shift as usize % DIGIT_BITS);
        self.hold(place);
        let mut rest = u128::from(mantissa) << offset;
        let sign = if float < 0.0 { -1 } else { 1 };
        for digit in &mut self.digits[place - self.first..][..3] {
            *digit += sign * i64::from(rest as u32);
            rest >>= DIGIT_BITS;
        }
        self.additions += 1;
        if self.additions == MAX_ADDITIONS {
            self.carry();
        }
    }

    /// Makes room for three digits from a place on.
    fn hold(&mut self, place: usize) {
        if self.digits.is_empty() {
            self.first = place;
        }
        if place < self.first {
            let more = self.first - place;
            self.digits.splice(0..0, std::iter::repeat_n(0, more));
            self.first = place;
        }
        let length = place - self.first + 3;
        if self.digits.len() < length {
            self.digits.resize(length, 0);
        }
    }

    fn carry(&mut self) {
        self.additions = 0;
        let mut carried = 0;
        for digit in &mut self.digits {
            let sum = *digit + carried;
            carried = sum >> DIGIT_BITS;
            *digit = sum - (carried << DIGIT_BITS);
        }
        if carried != 0 {
            self.digits.push(carried);
        }
    }

    /// The sum, rounded to the nearest float.
    pub(super) fn total(&self) -> f64 {
        match (self.has_nan, self.has_infinity, self.has_minus_infinity) {
            (true, ..) | (_, true, true) => f64::NAN,
            (_, true, _) => f64::INFINITY,
            (.., true) => f64::NEG_INFINITY,
            _ => nearest(&self.units(), UNIT + (self.first * DIGIT_BITS) as i64),
        }
    }

    fn units(&self) -> BigInt {
        let digits = self.digits.iter().rev();
        digits.fold(BigInt::zero(), |sum, digit| (sum << DIGIT_BITS) + digit)
    }
}

/// The float that is nearest to a whole number of units of so many powers of two, none of which is less than the least
/// that a float has.
fn nearest(units: &BigInt, exponent: i64) -> f64 {
    let magnitude = units.abs();
    let excess = magnitude
        .bits()
        .saturating_sub(u64::from(FRACTION_BITS) + 1);
    let kept: BigInt = &magnitude >> excess;
    let rest = &magnitude - (&kept << excess);
    let half = if excess == 0 {
        BigInt::from(1)
    } else {
        BigInt::from(1) << (excess - 1)
    };
    let is_odd = kept.bit(0);
    let rounds_up = rest > half || (rest == half && is_odd);
    let kept = kept + u8::from(rounds_up);
    let float = kept.to_f64().unwrap_or(f64::INFINITY);
    let power = exponent + i64::try_from(excess).unwrap_or(i64::MAX);
    let float = times_power_of_two(float, power);
    if units.is_negative() { -float } else { float }
}

/// Exact where the result is a float; beyond the greatest, infinity.
fn times_power_of_two(float: f64, power: i64) -> f64 {
    const STEP: i64 = 1_000;
    let (mut float, mut power) = (float, power);
    while power > STEP {
        float *= f64::from_bits(((STEP + 1023) as u64) << FRACTION_BITS);
        power -= STEP;
        if float.is_infinite() {
            return float;
        }
    }
    // Each step keeps all bits: what is small enough to lose some has fewer of them.
    while power < -STEP {
        float *= f64::from_bits(((1023 - STEP) as u64) << FRACTION_BITS);
        power += STEP;
    }
    float * f64::from_bits(((power + 1023) as u64) << FRACTION_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(floats: &[f64]) -> f64 {
        let mut sum = FloatSum::default();
        floats.iter().for_each(|float| sum.add(*float));
        sum.total()
    }

    #[test]
    fn nothing_is_lost_on_the_way() {
        assert_eq!(sum(&[]), 0.0);
        assert_eq!(sum(&[0.1; 10]), 1.0);
        assert_eq!(sum(&[1e308, 1e308, -1e308, -1e308, 3.5]), 3.5);
        assert_eq!(sum(&[1e16, 1.0, -1e16]), 1.0);
        assert_eq!(sum(&[f64::MAX, f64::MAX]), f64::INFINITY);
        assert_eq!(sum(&[-f64::MAX, -f64::MAX]), f64::NEG_INFINITY);
        let tiny = f64::from_bits(1);
        assert_eq!(sum(&[tiny]), tiny);
        assert_eq!(sum(&[tiny, tiny, tiny]), f64::from_bits(3));
        assert_eq!(sum(&[1.0, tiny, -1.0]), tiny);
        assert_eq!(
            sum(&[f64::MIN_POSITIVE, -tiny]),
            f64::from_bits((1 << 52) - 1)
        );
        // Half a unit of the last place goes to the even neighbour, a bit more to the next.
        assert_eq!(
            sum(&[9_007_199_254_740_992.0, 1.0]),
            9_007_199_254_740_992.0
        );
        assert_eq!(
            sum(&[9_007_199_254_740_992.0, 1.0, 1e-9]),
            9_007_199_254_740_994.0
        );
        assert_eq!(sum(&[f64::MAX]), f64::MAX);
    }

    #[test]
    fn single_floats_come_back() {
        let mut bits: u64 = 0x9e37_79b9_7f4a_7c15;
        for _ in 0..20_000 {
            bits = bits
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let float = f64::from_bits(bits);
            if float.is_finite() {
                assert_eq!(sum(&[float]), float, "{bits:x}");
                assert_eq!(sum(&[float, 1.5, -1.5]), float, "{bits:x}");
                assert_eq!(sum(&[float, -float]), 0.0, "{bits:x}");
            }
        }
    }

    #[test]
    fn what_is_no_number_stays_so() {
        assert!(sum(&[1.0, f64::NAN]).is_nan());
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
        assert_eq!(sum(&[f64::INFINITY, 1.0]), f64::INFINITY);
    }

    #[test]
    fn carrying_changes_nothing() {
        let mut sum = FloatSum::default();
        for float in [1e300, -7.25, 1e-300, 3e15] {
            sum.add(float);
            let before = sum.total();
            sum.carry();
            assert_eq!(sum.total(), before);
        }
        sum.add(-1e300);
        sum.add(-3e15);
        assert_eq!(sum.total(), -7.25);
    }
}
