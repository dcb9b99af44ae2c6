//! Dates in days; times, timestamps and durations in nanoseconds.

use arrow::array::Array;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Date64Type, DurationMicrosecondType,
    DurationMillisecondType, DurationNanosecondType, DurationSecondType, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};

use super::{Scalar, visit_primitives};

const MILLIS_PER_DAY: i64 = 86_400_000;

pub(super) fn visit_times(array: &dyn Array, visit: &mut impl FnMut(usize, Scalar)) {
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    match array.data_type() {
        DataType::Date32 => visit_scaled::<Date32Type>(array, 1, visit),
        DataType::Date64 => {
            let days = |millis: i64| match millis % MILLIS_PER_DAY {
                0 => Scalar::Word(millis / MILLIS_PER_DAY),
                // No day: it must not be taken for one, and whoever reads its value hears so.
                _ => Scalar::OffScale(millis.into(), 0),
            };
            visit_primitives::<Date64Type>(array, days, visit);
        }
        DataType::Time32(Second) => {
            visit_scaled::<Time32SecondType>(array, nanos_per(Second), visit)
        }
        DataType::Time32(_) => {
            visit_scaled::<Time32MillisecondType>(array, nanos_per(Millisecond), visit)
        }
        DataType::Time64(Microsecond) => {
            visit_scaled::<Time64MicrosecondType>(array, nanos_per(Microsecond), visit);
        }
        DataType::Time64(_) => {
            visit_scaled::<Time64NanosecondType>(array, nanos_per(Nanosecond), visit)
        }
        DataType::Timestamp(Second, _) => {
            visit_scaled::<TimestampSecondType>(array, nanos_per(Second), visit)
        }
        DataType::Timestamp(Millisecond, _) => {
            visit_scaled::<TimestampMillisecondType>(array, nanos_per(Millisecond), visit);
        }
        DataType::Timestamp(Microsecond, _) => {
            visit_scaled::<TimestampMicrosecondType>(array, nanos_per(Microsecond), visit);
        }
        DataType::Timestamp(Nanosecond, _) => {
            visit_scaled::<TimestampNanosecondType>(array, nanos_per(Nanosecond), visit);
        }
        DataType::Duration(Second) => {
            visit_scaled::<DurationSecondType>(array, nanos_per(Second), visit)
        }
        DataType::Duration(Millisecond) => {
            visit_scaled::<DurationMillisecondType>(array, nanos_per(Millisecond), visit);
        }
        DataType::Duration(Microsecond) => {
            visit_scaled::<DurationMicrosecondType>(array, nanos_per(Microsecond), visit);
        }
        _ => visit_scaled::<DurationNanosecondType>(array, nanos_per(Nanosecond), visit),
    }
}

fn nanos_per(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}

fn visit_scaled<T: ArrowPrimitiveType<Native: Into<i64>>>(
    array: &dyn Array,
    factor: i64,
    visit: &mut impl FnMut(usize, Scalar),
) {
    let scaled = |value: T::Native| {
        let value: i64 = value.into();
        value.checked_mul(factor).map_or_else(
            || Scalar::of(i128::from(value) * i128::from(factor)),
            Scalar::Word,
        )
    };
    visit_primitives::<T>(array, scaled, visit);
}
