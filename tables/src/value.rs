//! Cells as values of core.

use arrow::array::{
    Array, ArrayRef, AsArray, GenericListArray, GenericListViewArray, MapArray, OffsetSizeTrait,
    RunArray,
};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type,
    Decimal128Type, Decimal256Type, DurationMicrosecondType, DurationMillisecondType,
    DurationNanosecondType, DurationSecondType, Float16Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, IntervalDayTimeType, IntervalMonthDayNanoType, IntervalUnit,
    IntervalYearMonthType, RunEndIndexType, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::BigInt;
use understudy_core::value::Value;

use crate::error::TableError;

const MILLIS_PER_DAY: i64 = 86_400_000;
const NANOS_PER_MILLI: i128 = 1_000_000;

/// A cell that cannot be a value.
#[derive(Debug, thiserror::Error)]
pub enum ValueError {
    /// A row behind the last one.
    #[error("row {row} is not there; the column has {rows}")]
    NoRow {
        /// The row, from zero.
        row: usize,
        /// The rows that there are.
        rows: usize,
    },
    /// A date in milliseconds that is not at midnight.
    #[error("`{millis}` ms since 1970 is no whole day, but its column is a date")]
    NotADay {
        /// The milliseconds.
        millis: i64,
    },
    /// A type that no value stands for.
    #[error("a value of type {0} cannot be read")]
    Unsupported(DataType),
    /// An array that is not what its type says.
    #[error("a column of type {0} is inconsistent")]
    Inconsistent(DataType),
}

/// The cell as a core value: dictionaries, run-ends, views and unions are resolved.
///
/// # Errors
/// A row that is not there, or a cell that no value stands for.
pub fn value_at(array: &dyn Array, row: usize) -> Result<Value, TableError> {
    if row >= array.len() {
        return Err(ValueError::NoRow {
            row,
            rows: array.len(),
        }
        .into());
    }
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    present(array, row)
}

/// The value of a cell that is not NULL.
fn present(array: &dyn Array, row: usize) -> Result<Value, TableError> {
    use DataType as T;
    Ok(match array.data_type() {
        T::Null => Value::Null,
        T::Boolean => Value::Boolean(array.as_boolean().value(row)),
        T::Float16 => Value::Float32(native::<Float16Type>(array, row).to_f32()),
        T::Float32 => Value::Float32(native::<Float32Type>(array, row)),
        T::Float64 => Value::Float(native::<Float64Type>(array, row)),
        data_type if data_type.is_integer() => Value::Integer(integer(array, row)?),
        data_type if data_type.is_decimal() => Value::Decimal(decimal(array, row)?),
        data_type if data_type.is_temporal() => temporal(array, row)?,
        T::Utf8 => Value::Text(array.as_string::<i32>().value(row).to_owned()),
        T::LargeUtf8 => Value::Text(array.as_string::<i64>().value(row).to_owned()),
        T::Utf8View => Value::Text(array.as_string_view().value(row).to_owned()),
        T::Binary => Value::Binary(array.as_binary::<i32>().value(row).to_vec()),
        T::LargeBinary => Value::Binary(array.as_binary::<i64>().value(row).to_vec()),
        T::BinaryView => Value::Binary(array.as_binary_view().value(row).to_vec()),
        T::FixedSizeBinary(_) => Value::Binary(array.as_fixed_size_binary().value(row).to_vec()),
        _ => nested(array, row)?,
    })
}

fn nested(array: &dyn Array, row: usize) -> Result<Value, TableError> {
    use DataType as T;
    match array.data_type() {
        T::List(_) => list(array.as_list::<i32>(), row),
        T::LargeList(_) => list(array.as_list::<i64>(), row),
        T::ListView(_) => list_view(array.as_list_view::<i32>(), row),
        T::LargeListView(_) => list_view(array.as_list_view::<i64>(), row),
        T::FixedSizeList(_, _) => items(&array.as_fixed_size_list().value(row)).map(Value::List),
        T::Struct(_) => structure(array, row),
        T::Map(_, _) => map(array.as_map(), row),
        T::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            let key = usize::try_from(integer(dictionary.keys(), row)?);
            let inconsistent = |_| ValueError::Inconsistent(array.data_type().clone());
            value_at(dictionary.values(), key.map_err(inconsistent)?)
        }
        T::RunEndEncoded(ends, _) => match ends.data_type() {
            T::Int16 => run::<Int16Type>(array, row),
            T::Int32 => run::<Int32Type>(array, row),
            _ => run::<Int64Type>(array, row),
        },
        T::Union(_, _) => {
            let union = array.as_union();
            value_at(union.child(union.type_id(row)), union.value_offset(row))
        }
        other => Err(ValueError::Unsupported(other.clone()).into()),
    }
}

fn native<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> T::Native {
    array.as_primitive::<T>().value(row)
}

fn integer(array: &dyn Array, row: usize) -> Result<i128, ValueError> {
    Ok(match array.data_type() {
        DataType::Int8 => native::<Int8Type>(array, row).into(),
        DataType::Int16 => native::<Int16Type>(array, row).into(),
        DataType::Int32 => native::<Int32Type>(array, row).into(),
        DataType::Int64 => native::<Int64Type>(array, row).into(),
        DataType::UInt8 => native::<UInt8Type>(array, row).into(),
        DataType::UInt16 => native::<UInt16Type>(array, row).into(),
        DataType::UInt32 => native::<UInt32Type>(array, row).into(),
        DataType::UInt64 => native::<UInt64Type>(array, row).into(),
        other => return Err(ValueError::Unsupported(other.clone())),
    })
}

fn decimal(array: &dyn Array, row: usize) -> Result<BigDecimal, ValueError> {
    let (digits, scale) = match array.data_type() {
        DataType::Decimal32(_, scale) => (BigInt::from(native::<Decimal32Type>(array, row)), scale),
        DataType::Decimal64(_, scale) => (BigInt::from(native::<Decimal64Type>(array, row)), scale),
        DataType::Decimal128(_, scale) => {
            (BigInt::from(native::<Decimal128Type>(array, row)), scale)
        }
        DataType::Decimal256(_, scale) => {
            let bytes = native::<Decimal256Type>(array, row).to_le_bytes();
            (BigInt::from_signed_bytes_le(&bytes), scale)
        }
        other => return Err(ValueError::Unsupported(other.clone())),
    };
    Ok(BigDecimal::new(digits, i64::from(*scale)))
}

fn temporal(array: &dyn Array, row: usize) -> Result<Value, ValueError> {
    use DataType as T;
    Ok(match array.data_type() {
        T::Date32 => Value::Date(native::<Date32Type>(array, row).into()),
        T::Date64 => Value::Date(whole_days(native::<Date64Type>(array, row))?),
        T::Time32(unit) | T::Time64(unit) => {
            Value::Time(time(array, row, *unit) * nanos_per(*unit))
        }
        T::Timestamp(unit, zone) => Value::Timestamp {
            nanos: timestamp(array, row, *unit) * nanos_per(*unit),
            zone: zone.as_ref().map(ToString::to_string),
        },
        T::Duration(unit) => Value::Duration(duration(array, row, *unit) * nanos_per(*unit)),
        T::Interval(unit) => interval(array, row, *unit),
        other => return Err(ValueError::Unsupported(other.clone())),
    })
}

fn nanos_per(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}

fn whole_days(millis: i64) -> Result<i64, ValueError> {
    if millis % MILLIS_PER_DAY == 0 {
        Ok(millis / MILLIS_PER_DAY)
    } else {
        Err(ValueError::NotADay { millis })
    }
}

fn time(array: &dyn Array, row: usize, unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => native::<Time32SecondType>(array, row).into(),
        TimeUnit::Millisecond => native::<Time32MillisecondType>(array, row).into(),
        TimeUnit::Microsecond => native::<Time64MicrosecondType>(array, row).into(),
        TimeUnit::Nanosecond => native::<Time64NanosecondType>(array, row).into(),
    }
}

fn timestamp(array: &dyn Array, row: usize, unit: TimeUnit) -> i128 {
    let value = match unit {
        TimeUnit::Second => native::<TimestampSecondType>(array, row),
        TimeUnit::Millisecond => native::<TimestampMillisecondType>(array, row),
        TimeUnit::Microsecond => native::<TimestampMicrosecondType>(array, row),
        TimeUnit::Nanosecond => native::<TimestampNanosecondType>(array, row),
    };
    value.into()
}

fn duration(array: &dyn Array, row: usize, unit: TimeUnit) -> i128 {
    let value = match unit {
        TimeUnit::Second => native::<DurationSecondType>(array, row),
        TimeUnit::Millisecond => native::<DurationMillisecondType>(array, row),
        TimeUnit::Microsecond => native::<DurationMicrosecondType>(array, row),
        TimeUnit::Nanosecond => native::<DurationNanosecondType>(array, row),
    };
    value.into()
}

fn interval(array: &dyn Array, row: usize, unit: IntervalUnit) -> Value {
    match unit {
        IntervalUnit::YearMonth => {
            let months = native::<IntervalYearMonthType>(array, row).into();
            Value::Interval {
                months,
                days: 0,
                nanos: 0,
            }
        }
        IntervalUnit::DayTime => {
            let value = native::<IntervalDayTimeType>(array, row);
            let nanos = i128::from(value.milliseconds) * NANOS_PER_MILLI;
            Value::Interval {
                months: 0,
                days: value.days.into(),
                nanos,
            }
        }
        IntervalUnit::MonthDayNano => {
            let value = native::<IntervalMonthDayNanoType>(array, row);
            Value::Interval {
                months: value.months.into(),
                days: value.days.into(),
                nanos: value.nanoseconds.into(),
            }
        }
    }
}

fn list<O: OffsetSizeTrait>(array: &GenericListArray<O>, row: usize) -> Result<Value, TableError> {
    items(&array.value(row)).map(Value::List)
}

fn list_view<O: OffsetSizeTrait>(
    array: &GenericListViewArray<O>,
    row: usize,
) -> Result<Value, TableError> {
    items(&array.value(row)).map(Value::List)
}

fn items(array: &ArrayRef) -> Result<Vec<Value>, TableError> {
    (0..array.len()).map(|row| value_at(array, row)).collect()
}

fn structure(array: &dyn Array, row: usize) -> Result<Value, TableError> {
    let structure = array.as_struct();
    let fields = structure.fields().iter().zip(structure.columns());
    let values: Result<_, _> = fields
        .map(|(field, column)| Ok::<_, TableError>((field.name().clone(), value_at(column, row)?)))
        .collect();
    Ok(Value::Struct(values?))
}

fn map(array: &MapArray, row: usize) -> Result<Value, TableError> {
    let entries = array.value(row);
    let keys = items(entries.column(0))?;
    let values = items(entries.column(1))?;
    Ok(Value::Map(keys.into_iter().zip(values).collect()))
}

fn run<R: RunEndIndexType>(array: &dyn Array, row: usize) -> Result<Value, TableError> {
    let inconsistent = || ValueError::Inconsistent(array.data_type().clone());
    let runs: &RunArray<R> = array.as_run_opt::<R>().ok_or_else(inconsistent)?;
    value_at(runs.values(), runs.get_physical_index(row))
}

#[cfg(test)]
mod tests;
