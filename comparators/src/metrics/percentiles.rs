//! Percentiles: values in order, and the places among them.

use arrow::datatypes::i256;
use bigdecimal::{BigDecimal, RoundingMode, ToPrimitive as _, Zero as _};
use understudy_core::value::Value;

use super::exact::big;
use super::numbers::{Number, NumberColumn};
use super::sorter::{Merged, Sorter, Twins};
use crate::comparator::{CheckError, Sides};

/// The bytes of a group's number, which a record begins with.
const GROUP: usize = 4;
/// A group and a float.
const NARROW: usize = GROUP + 8;
/// A group and an exact number.
const WIDE: usize = GROUP + 32;

/// The values of one column, to be sorted by group.
#[derive(Debug)]
pub(super) struct Percentiles {
    column: NumberColumn,
    at: Vec<BigDecimal>,
    values: Values,
    /// By group: the values that are numbers.
    counts: Vec<u64>,
    /// By group: whether one is NaN.
    nans: Vec<bool>,
}

#[derive(Debug)]
enum Values {
    Floats(Sorter<NARROW>),
    Exact(Sorter<WIDE>),
}

impl Percentiles {
    pub(super) fn new(
        column: NumberColumn,
        at: &[BigDecimal],
        sides: &Sides<'_>,
        bytes: u64,
    ) -> Self {
        let folder = sides.temp_dir();
        let values = if column.is_float() {
            Values::Floats(Sorter::new(folder, bytes, Twins::Kept))
        } else {
            Values::Exact(Sorter::new(folder, bytes, Twins::Kept))
        };
        Self {
            column,
            at: at.to_vec(),
            values,
            counts: Vec::new(),
            nans: Vec::new(),
        }
    }

    pub(super) fn hold(&mut self, groups: usize) {
        self.counts.resize(groups, 0);
        self.nans.resize(groups, false);
    }

    pub(super) fn column(&self) -> &NumberColumn {
        &self.column
    }

    pub(super) fn add(&mut self, group: u32, number: Number) -> Result<(), CheckError> {
        let place = group as usize;
        match (&mut self.values, number) {
            (_, Number::Float(float)) if float.is_nan() => self.nans[place] = true,
            (Values::Floats(sorter), Number::Float(float)) => {
                self.counts[place] += 1;
                sorter.push(record(group, ordered(float)))?;
            }
            (Values::Exact(sorter), Number::Exact(number)) => {
                self.counts[place] += 1;
                sorter.push(record(group, ordered_exact(number)))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The percentiles of each group, in the order in which they were asked for.
    pub(super) fn finish(self) -> Result<Vec<Vec<Value>>, CheckError> {
        let Self {
            column,
            at,
            values,
            counts,
            nans,
        } = self;
        let wanted = Wanted {
            at,
            counts,
            nans,
            column,
        };
        match values {
            Values::Floats(sorter) => wanted.pick(sorter.finish()?, |key| float(&key)),
            Values::Exact(sorter) => wanted.pick(sorter.finish()?, |key| exact(&key)),
        }
    }
}

/// What is looked for among the sorted values.
struct Wanted {
    at: Vec<BigDecimal>,
    counts: Vec<u64>,
    nans: Vec<bool>,
    column: NumberColumn,
}

impl Wanted {
    /// The values come by group, and in order within each.
    fn pick<const N: usize>(
        &self,
        mut values: Merged<N>,
        number: impl Fn([u8; N]) -> Number,
    ) -> Result<Vec<Vec<Value>>, CheckError> {
        let mut all = Vec::with_capacity(self.counts.len());
        for (count, is_nan) in self.counts.iter().zip(&self.nans) {
            let places: Vec<Place> = self.at.iter().map(|at| Place::of(at, *count)).collect();
            let mut picked = vec![[None, None]; places.len()];
            for position in 0..*count {
                let Some(record) = values.next().transpose()? else {
                    break;
                };
                for (place, picked) in places.iter().zip(&mut picked) {
                    for (neighbour, slot) in [place.floor, place.floor + 1].into_iter().zip(picked)
                    {
                        if neighbour == position {
                            *slot = Some(number(record));
                        }
                    }
                }
            }
            let figure = |(place, [lower, upper]): (&Place, [Option<Number>; 2])| match lower {
                _ if *is_nan => Value::Float(f64::NAN),
                None => Value::Null,
                Some(lower) => self.between(lower, upper.unwrap_or(lower), &place.fraction),
            };
            all.push(places.iter().zip(picked).map(figure).collect());
        }
        Ok(all)
    }

    /// A value in proportion between two neighbours.
    fn between(&self, lower: Number, upper: Number, fraction: &BigDecimal) -> Value {
        let is_whole = fraction.is_zero();
        if is_whole || lower == upper {
            return self.value(lower);
        }
        match (self.decimal(lower), self.decimal(upper)) {
            (Some(lower), Some(upper)) => {
                let moved = (&upper - &lower) * fraction;
                Value::Decimal((lower + moved).normalized())
            }
            // Between a number and an infinity, or two of them, nothing lies in proportion but these.
            (None, Some(_)) => self.value(lower),
            (Some(_), None) => self.value(upper),
            (None, None) => Value::Float(f64::NAN),
        }
    }

    fn value(&self, number: Number) -> Value {
        match number {
            Number::Float(float) if self.column.is_narrow_float() => Value::Float32(float as f32),
            Number::Float(float) => Value::Float(float),
            Number::Exact(_) => {
                Value::Decimal(self.decimal(number).unwrap_or_default().normalized())
            }
        }
    }

    /// The decimal that a number is written as; `None` for an infinity.
    fn decimal(&self, number: Number) -> Option<BigDecimal> {
        match number {
            Number::Exact(digits) => Some(BigDecimal::new(big(digits), self.column.scale())),
            Number::Float(float) if !float.is_finite() => None,
            Number::Float(float) if self.column.is_narrow_float() => {
                format!("{:e}", float as f32).parse().ok()
            }
            Number::Float(float) => format!("{float:e}").parse().ok(),
        }
    }
}

/// Where a percentile lies among so many values: after the one at `floor`, counted from zero, by this fraction of the
/// way to the next.
struct Place {
    floor: u64,
    fraction: BigDecimal,
}

impl Place {
    fn of(at: &BigDecimal, count: u64) -> Self {
        let steps = BigDecimal::from(count.saturating_sub(1));
        let place = steps * at / BigDecimal::from(100);
        let floor = place.with_scale_round(0, RoundingMode::Floor);
        Self {
            fraction: place - &floor,
            floor: floor.to_u64().unwrap_or(0),
        }
    }
}

fn record<const K: usize, const N: usize>(group: u32, key: [u8; K]) -> [u8; N] {
    let mut record = [0; N];
    record[..GROUP].copy_from_slice(&group.to_be_bytes());
    record[GROUP..].copy_from_slice(&key);
    record
}

/// The bits of a float, such that they stand in its order.
fn ordered(float: f64) -> [u8; 8] {
    let bits = float.to_bits();
    let flipped = if bits >> 63 == 1 {
        !bits
    } else {
        bits | 1 << 63
    };
    flipped.to_be_bytes()
}

fn float(record: &[u8; NARROW]) -> Number {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&record[GROUP..]);
    let flipped = u64::from_be_bytes(bytes);
    let bits = if flipped >> 63 == 1 {
        flipped & !(1 << 63)
    } else {
        !flipped
    };
    Number::Float(f64::from_bits(bits))
}

/// The bytes of an exact number, such that they stand in its order.
fn ordered_exact(number: i256) -> [u8; 32] {
    let mut bytes = number.to_be_bytes();
    bytes[0] ^= 0x80;
    bytes
}

fn exact(record: &[u8; WIDE]) -> Number {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(&record[GROUP..]);
    bytes[0] ^= 0x80;
    Number::Exact(i256::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stand_in_the_order_of_numbers() {
        let floats = [
            f64::NEG_INFINITY,
            -1.5,
            -1e-300,
            0.0,
            1e-300,
            2.0,
            f64::INFINITY,
        ];
        for pair in floats.windows(2) {
            assert!(ordered(pair[0]) < ordered(pair[1]), "{pair:?}");
        }
        for value in floats {
            assert_eq!(float(&record(7, ordered(value))), Number::Float(value));
        }
        let numbers = [
            i256::MIN,
            i256::from_i128(-1),
            i256::ZERO,
            i256::ONE,
            i256::MAX,
        ];
        for pair in numbers.windows(2) {
            assert!(ordered_exact(pair[0]) < ordered_exact(pair[1]), "{pair:?}");
        }
        for value in numbers {
            assert_eq!(
                exact(&record(7, ordered_exact(value))),
                Number::Exact(value)
            );
        }
    }

    #[test]
    fn places_follow_definition_seven() {
        let check = |at: &str, count: u64, floor: u64, fraction: &str| {
            let place = Place::of(&at.parse().unwrap(), count);
            let expected: BigDecimal = fraction.parse().unwrap();
            assert_eq!(
                (place.floor, place.fraction),
                (floor, expected),
                "{at} of {count}"
            );
        };
        check("50", 1, 0, "0");
        check("50", 4, 1, "0.5");
        check("0", 9, 0, "0");
        check("100", 9, 8, "0");
        check("95", 21, 19, "0");
        check("99.9", 11, 9, "0.99");
    }
}
