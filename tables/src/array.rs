//! Arrays of core values: the way back from what a comparison holds of a row to what an expression is asked about.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Decimal256Array, Float32Array, Float64Array,
    Int64Array, StringArray, UInt64Array, make_array, new_null_array,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, TimeUnit, i256};
use arrow::error::ArrowError;
use bigdecimal::num_bigint::BigInt;
use understudy_core::value::Value;

const MILLIS_PER_DAY: i64 = 86_400_000;
/// Decimals of up to this many digits are held by 256 bits.
const MAX_DIGITS: u8 = 76;

/// Values that make no array of the type that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ArrayError {
    /// A value that the type cannot hold.
    #[error("a value does not fit into {0}")]
    Misfit(DataType),
    /// The library refused.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
}

/// The type that values of a column of this type make an array of, if there is one. Nested values make none.
#[must_use]
pub fn array_type(data_type: &DataType) -> Option<DataType> {
    use DataType as T;
    Some(match data_type {
        T::Boolean | T::Int8 | T::Int16 | T::Int32 | T::Int64 => data_type.clone(),
        T::UInt8 | T::UInt16 | T::UInt32 | T::UInt64 => data_type.clone(),
        T::Float16 | T::Float32 => T::Float32,
        T::Float64 => T::Float64,
        T::Utf8 | T::LargeUtf8 | T::Utf8View => T::Utf8,
        T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_) => T::Binary,
        T::Date32 | T::Date64 | T::Time32(_) | T::Time64(_) => data_type.clone(),
        T::Timestamp(_, _) | T::Duration(_) => data_type.clone(),
        T::Decimal32(digits, scale) | T::Decimal64(digits, scale) => T::Decimal128(*digits, *scale),
        T::Decimal128(_, _) | T::Decimal256(_, _) => data_type.clone(),
        T::Null => T::Null,
        T::Dictionary(_, values) => return array_type(values),
        T::RunEndEncoded(_, values) => return array_type(values.data_type()),
        _ => return None,
    })
}

/// An array of values of a column, of a type that [`array_type`] gives.
///
/// # Errors
/// A value that the type cannot hold.
pub fn array_of(values: &[&Value], data_type: &DataType) -> Result<ArrayRef, ArrayError> {
    use DataType as T;
    let misfit = || ArrayError::Misfit(data_type.clone());
    let array: ArrayRef = match data_type {
        T::Null => new_null_array(data_type, values.len()),
        T::Boolean => Arc::new(
            each(values, misfit, boolean)?
                .into_iter()
                .collect::<BooleanArray>(),
        ),
        T::Float32 => Arc::new(
            each(values, misfit, narrow)?
                .into_iter()
                .collect::<Float32Array>(),
        ),
        T::Float64 => Arc::new(
            each(values, misfit, wide)?
                .into_iter()
                .collect::<Float64Array>(),
        ),
        T::Utf8 => Arc::new(
            each(values, misfit, text)?
                .into_iter()
                .collect::<StringArray>(),
        ),
        T::Binary => Arc::new(
            each(values, misfit, bytes)?
                .into_iter()
                .collect::<BinaryArray>(),
        ),
        T::UInt64 => Arc::new(
            each(values, misfit, |value| u64::try_from(integer(value)?).ok())?
                .into_iter()
                .collect::<UInt64Array>(),
        ),
        T::Decimal128(_, scale) | T::Decimal256(_, scale) => {
            let scaled = each(values, misfit, |value| unscaled(value, *scale))?;
            let wide: Decimal256Array = scaled.into_iter().collect();
            let wide = wide.with_precision_and_scale(MAX_DIGITS, *scale)?;
            strict(&wide, data_type)?
        }
        other => {
            let words = each(values, misfit, |value| word(value, other))?;
            of_words(words.into_iter().collect(), other)?
        }
    };
    Ok(array)
}

/// The values as the array has them; NULL stays NULL, and what has no form is a misfit.
fn each<'v, T>(
    values: &[&'v Value],
    misfit: impl Fn() -> ArrayError,
    form: impl Fn(&'v Value) -> Option<T>,
) -> Result<Vec<Option<T>>, ArrayError> {
    let formed = values.iter().map(|value| match value {
        Value::Null => Ok(None),
        value => form(value).map(Some).ok_or_else(&misfit),
    });
    formed.collect()
}

/// Integers of the width that the type has, as it stands or as a count of its unit.
fn of_words(words: Int64Array, data_type: &DataType) -> Result<ArrayRef, ArrayError> {
    use DataType as T;
    match data_type {
        T::Int64 | T::Date64 | T::Time64(_) | T::Timestamp(_, _) | T::Duration(_) => {
            let data = words
                .into_data()
                .into_builder()
                .data_type(data_type.clone());
            Ok(make_array(data.build()?))
        }
        T::Date32 | T::Time32(_) => {
            let narrow = strict(&words, &T::Int32)?.into_data();
            let data = narrow.into_builder().data_type(data_type.clone());
            Ok(make_array(data.build()?))
        }
        _ => strict(&words, data_type),
    }
}

/// A cast that fails where a value does not fit, instead of making it NULL.
fn strict(array: &dyn Array, data_type: &DataType) -> Result<ArrayRef, ArrayError> {
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(array, data_type, &options).map_err(|_| ArrayError::Misfit(data_type.clone()))
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Boolean(value) => Some(*value),
        _ => None,
    }
}

fn narrow(value: &Value) -> Option<f32> {
    match value {
        Value::Float32(value) => Some(*value),
        _ => None,
    }
}

fn wide(value: &Value) -> Option<f64> {
    match value {
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(value) => Some(value),
        _ => None,
    }
}

fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::Binary(value) => Some(value),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::Integer(value) => Some(*value),
        _ => None,
    }
}

fn unscaled(value: &Value, scale: i8) -> Option<i256> {
    let Value::Decimal(value) = value else {
        return None;
    };
    let (unscaled, _): (BigInt, i64) = value
        .with_scale(i64::from(scale))
        .into_bigint_and_exponent();
    i256::from_string(&unscaled.to_string())
}

/// What stands in an array of 64-bit words for a value.
fn word(value: &Value, data_type: &DataType) -> Option<i64> {
    use DataType as T;
    let (nanos, unit) = match (value, data_type) {
        (Value::Integer(value), _) => return i64::try_from(*value).ok(),
        (Value::Date(days), T::Date64) => return days.checked_mul(MILLIS_PER_DAY),
        (Value::Date(days), _) => return Some(*days),
        (Value::Time(nanos), T::Time32(unit) | T::Time64(unit)) => (nanos, unit),
        (Value::Timestamp { nanos, .. }, T::Timestamp(unit, _)) => (nanos, unit),
        (Value::Duration(nanos), T::Duration(unit)) => (nanos, unit),
        _ => return None,
    };
    i64::try_from(nanos.div_euclid(nanos_of(*unit))).ok()
}

fn nanos_of(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::value_at;
    use arrow::array::*;

    fn check(array: ArrayRef) {
        let wanted = array_type(array.data_type()).expect("it has a type");
        let values: Vec<Value> = (0..array.len())
            .map(|row| value_at(array.as_ref(), row).unwrap())
            .collect();
        let refs: Vec<&Value> = values.iter().collect();
        let built = array_of(&refs, &wanted).unwrap();
        assert_eq!(built.data_type(), &wanted);
        for (row, value) in values.iter().enumerate() {
            let back = value_at(built.as_ref(), row).unwrap();
            assert!(back.same(value), "{back:?} {value:?}");
        }
    }

    #[test]
    fn values_make_the_array_that_they_came_from() {
        check(Arc::new(BooleanArray::from(vec![Some(true), None])));
        check(Arc::new(Int8Array::from(vec![Some(-128), None])));
        check(Arc::new(UInt64Array::from(vec![Some(u64::MAX), None])));
        check(Arc::new(UInt32Array::from(vec![u32::MAX])));
        check(Arc::new(Int64Array::from(vec![i64::MIN])));
        check(Arc::new(Float32Array::from(vec![
            Some(1.1),
            Some(f32::NAN),
        ])));
        check(Arc::new(Float64Array::from(vec![Some(-0.0), None])));
        check(Arc::new(LargeStringArray::from(vec![Some("é"), Some("")])));
        check(Arc::new(StringViewArray::from(vec![Some("a"), None])));
        check(Arc::new(LargeBinaryArray::from(vec![
            Some(&b"\x00\xff"[..]),
            None,
        ])));
        check(Arc::new(Date32Array::from(vec![Some(-1), None])));
        check(Arc::new(Date64Array::from(vec![Some(-86_400_000), None])));
        check(Arc::new(Time32SecondArray::from(vec![Some(86_399)])));
        check(Arc::new(Time64NanosecondArray::from(vec![Some(1)])));
        check(Arc::new(
            TimestampMicrosecondArray::from(vec![Some(253_402_300_799_000_000), Some(-1), None])
                .with_timezone("UTC"),
        ));
        check(Arc::new(TimestampSecondArray::from(vec![Some(
            -62_135_596_800,
        )])));
        check(Arc::new(DurationMillisecondArray::from(vec![
            Some(-5),
            None,
        ])));
        check(Arc::new(
            Decimal128Array::from(vec![Some(-12_345), None])
                .with_precision_and_scale(38, 10)
                .unwrap(),
        ));
        check(Arc::new(
            Decimal256Array::from(vec![Some(i256::from_i128(i128::MAX)), None])
                .with_precision_and_scale(76, -2)
                .unwrap(),
        ));
        check(Arc::new(NullArray::new(2)));
        let words: DictionaryArray<arrow::datatypes::Int8Type> =
            ["a", "b", "a"].into_iter().collect();
        check(Arc::new(words));
    }

    #[test]
    fn nested_values_make_none_and_misfits_are_told() {
        let list = DataType::new_list(DataType::Int32, true);
        assert_eq!(array_type(&list), None);
        let error = array_of(&[&Value::Text("secret".into())], &DataType::Int64).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(array_of(&[&Value::Integer(300)], &DataType::Int8).is_err());
    }
}
