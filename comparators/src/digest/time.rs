//! Digests of dates, times, timestamps, durations and intervals.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Date64Type, DurationMicrosecondType,
    DurationMillisecondType, DurationNanosecondType, DurationSecondType, IntervalDayTimeType,
    IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use xxhash_rust::xxh3::xxh3_128;

use super::{digests, integer_digest};

const MILLIS_PER_DAY: i64 = 86_400_000;
const NANOS_PER_MILLI: i64 = 1_000_000;

pub(super) fn digests_of(array: &dyn Array) -> Vec<u128> {
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    match array.data_type() {
        DataType::Date32 => scaled::<Date32Type>(array, 1),
        DataType::Date64 => {
            let millis = array.as_primitive::<Date64Type>();
            digests(array, |row| {
                integer_digest(millis.value(row).div_euclid(MILLIS_PER_DAY).into())
            })
        }
        DataType::Time32(Second) => scaled::<Time32SecondType>(array, nanos_per(Second)),
        DataType::Time32(_) => scaled::<Time32MillisecondType>(array, nanos_per(Millisecond)),
        DataType::Time64(Microsecond) => {
            scaled::<Time64MicrosecondType>(array, nanos_per(Microsecond))
        }
        DataType::Time64(_) => scaled::<Time64NanosecondType>(array, nanos_per(Nanosecond)),
        DataType::Timestamp(Second, _) => scaled::<TimestampSecondType>(array, nanos_per(Second)),
        DataType::Timestamp(Millisecond, _) => {
            scaled::<TimestampMillisecondType>(array, nanos_per(Millisecond))
        }
        DataType::Timestamp(Microsecond, _) => {
            scaled::<TimestampMicrosecondType>(array, nanos_per(Microsecond))
        }
        DataType::Timestamp(Nanosecond, _) => {
            scaled::<TimestampNanosecondType>(array, nanos_per(Nanosecond))
        }
        DataType::Duration(Second) => scaled::<DurationSecondType>(array, nanos_per(Second)),
        DataType::Duration(Millisecond) => {
            scaled::<DurationMillisecondType>(array, nanos_per(Millisecond))
        }
        DataType::Duration(Microsecond) => {
            scaled::<DurationMicrosecondType>(array, nanos_per(Microsecond))
        }
        _ => scaled::<DurationNanosecondType>(array, nanos_per(Nanosecond)),
    }
}

fn nanos_per(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}

fn scaled<T: ArrowPrimitiveType<Native: Into<i128>>>(array: &dyn Array, factor: i128) -> Vec<u128> {
    let times = array.as_primitive::<T>();
    digests(array, |row| {
        integer_digest(times.value(row).into() * factor)
    })
}

pub(super) fn interval_digests(array: &dyn Array) -> Vec<u128> {
    match array.data_type() {
        DataType::Interval(IntervalUnit::YearMonth) => {
            let months = array.as_primitive::<IntervalYearMonthType>();
            digests(array, |row| interval_digest(months.value(row), 0, 0))
        }
        DataType::Interval(IntervalUnit::DayTime) => {
            let intervals = array.as_primitive::<IntervalDayTimeType>();
            digests(array, |row| {
                let interval = intervals.value(row);
                interval_digest(
                    0,
                    interval.days,
                    i64::from(interval.milliseconds) * NANOS_PER_MILLI,
                )
            })
        }
        _ => {
            let intervals = array.as_primitive::<IntervalMonthDayNanoType>();
            digests(array, |row| {
                let interval = intervals.value(row);
                interval_digest(interval.months, interval.days, interval.nanoseconds)
            })
        }
    }
}

fn interval_digest(months: i32, days: i32, nanos: i64) -> u128 {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&months.to_le_bytes());
    bytes[4..8].copy_from_slice(&days.to_le_bytes());
    bytes[8..].copy_from_slice(&nanos.to_le_bytes());
    xxh3_128(&bytes)
}
