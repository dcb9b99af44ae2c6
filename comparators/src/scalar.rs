//! Cells of fixed size, taken into their column's domain.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalDayTimeType, IntervalMonthDayNanoType, IntervalUnit,
    IntervalYearMonthType, UInt8Type, UInt16Type, UInt32Type, UInt64Type, i256,
};

use crate::align::domain::Domain;

mod decimal;
mod time;

/// A cell in its domain: a value has one form, and different values have different ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scalar {
    Null,
    /// Whatever fits into 64 bits: integers, decimals at the domain's scale, days, nanoseconds; of a float its bits,
    /// of which NaN has one pattern and zero one sign.
    Word(i64),
    /// What does not.
    Wide(i128),
    Huge(i256),
    /// A decimal of its own scale, with more digits than its type says and too many for the domain's scale.
    OffScale(i256, i8),
}

/// Shows each row of an array of plain encoding, in order, with its cell. The domain is one of fixed size.
pub(crate) fn visit_scalars(
    domain: &Domain,
    array: &dyn Array,
    visit: &mut impl FnMut(usize, Scalar),
) {
    match domain {
        Domain::Boolean => {
            let booleans = array.as_boolean();
            for row in 0..array.len() {
                let scalar = if array.is_null(row) {
                    Scalar::Null
                } else {
                    Scalar::Word(booleans.value(row).into())
                };
                visit(row, scalar);
            }
        }
        Domain::Integer => visit_integers(array, visit),
        Domain::Decimal { scale } => decimal::visit_decimals(*scale, array, visit),
        Domain::Float => visit_floats(array, visit),
        _ => time::visit_times(array, visit),
    }
}

/// Whether a domain's cells are of fixed size.
pub(crate) fn is_scalar(domain: &Domain) -> bool {
    use Domain::{Boolean, Date, Decimal, Duration, Float, Integer, Time, Timestamp};
    matches!(
        domain,
        Boolean | Integer | Decimal { .. } | Float | Date | Time | Timestamp | Duration
    )
}

impl Scalar {
    /// An integer of up to 128 bits.
    #[inline(always)]
    pub(crate) fn of(integer: i128) -> Self {
        i64::try_from(integer).map_or(Self::Wide(integer), Self::Word)
    }

    /// A float, of which NaN has one pattern and zero one sign.
    #[inline(always)]
    fn of_float(float: f64) -> Self {
        let normal = if float.is_nan() {
            f64::NAN
        } else if float == 0.0 {
            0.0
        } else {
            float
        };
        Self::Word(normal.to_bits().cast_signed())
    }
}

/// Shows each value of an array of primitives, and NULL where there is none.
#[inline]
fn visit_primitives<T: ArrowPrimitiveType>(
    array: &dyn Array,
    scalar: impl Fn(T::Native) -> Scalar,
    visit: &mut impl FnMut(usize, Scalar),
) {
    let values = array.as_primitive::<T>().values();
    match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => values
            .iter()
            .enumerate()
            .for_each(|(row, value)| visit(row, scalar(*value))),
        Some(nulls) => {
            for (row, (value, is_valid)) in values.iter().zip(nulls).enumerate() {
                visit(
                    row,
                    if is_valid {
                        scalar(*value)
                    } else {
                        Scalar::Null
                    },
                );
            }
        }
    }
}

fn visit_integers(array: &dyn Array, visit: &mut impl FnMut(usize, Scalar)) {
    match array.data_type() {
        DataType::Int8 => visit_small_integers::<Int8Type>(array, visit),
        DataType::Int16 => visit_small_integers::<Int16Type>(array, visit),
        DataType::Int32 => visit_small_integers::<Int32Type>(array, visit),
        DataType::Int64 => visit_small_integers::<Int64Type>(array, visit),
        DataType::UInt8 => visit_small_integers::<UInt8Type>(array, visit),
        DataType::UInt16 => visit_small_integers::<UInt16Type>(array, visit),
        DataType::UInt32 => visit_small_integers::<UInt32Type>(array, visit),
        _ => visit_primitives::<UInt64Type>(array, |value| Scalar::of(value.into()), visit),
    }
}

fn visit_small_integers<T: ArrowPrimitiveType<Native: Into<i64>>>(
    array: &dyn Array,
    visit: &mut impl FnMut(usize, Scalar),
) {
    visit_primitives::<T>(array, |value| Scalar::Word(value.into()), visit);
}

fn visit_floats(array: &dyn Array, visit: &mut impl FnMut(usize, Scalar)) {
    match array.data_type() {
        DataType::Float16 => {
            visit_primitives::<Float16Type>(array, |value| Scalar::of_float(value.to_f64()), visit);
        }
        DataType::Float32 => visit_lossless_floats::<Float32Type>(array, visit),
        DataType::Float64 => visit_lossless_floats::<Float64Type>(array, visit),
        DataType::Int8 => visit_lossless_floats::<Int8Type>(array, visit),
        DataType::Int16 => visit_lossless_floats::<Int16Type>(array, visit),
        DataType::Int32 => visit_lossless_floats::<Int32Type>(array, visit),
        DataType::UInt8 => visit_lossless_floats::<UInt8Type>(array, visit),
        DataType::UInt16 => visit_lossless_floats::<UInt16Type>(array, visit),
        _ => visit_lossless_floats::<UInt32Type>(array, visit),
    }
}

fn visit_lossless_floats<T: ArrowPrimitiveType<Native: Into<f64>>>(
    array: &dyn Array,
    visit: &mut impl FnMut(usize, Scalar),
) {
    visit_primitives::<T>(array, |value| Scalar::of_float(value.into()), visit);
}

/// The months, days and nanoseconds of an interval.
pub(crate) fn interval(array: &dyn Array, row: usize) -> (i32, i32, i64) {
    const NANOS_PER_MILLI: i64 = 1_000_000;
    match array.data_type() {
        DataType::Interval(IntervalUnit::YearMonth) => (
            array.as_primitive::<IntervalYearMonthType>().value(row),
            0,
            0,
        ),
        DataType::Interval(IntervalUnit::DayTime) => {
            let interval = array.as_primitive::<IntervalDayTimeType>().value(row);
            (
                0,
                interval.days,
                i64::from(interval.milliseconds) * NANOS_PER_MILLI,
            )
        }
        _ => {
            let interval = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
            (interval.months, interval.days, interval.nanoseconds)
        }
    }
}
