//! Arrow columns from text.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder, Float64Builder,
    Int64Builder, StringBuilder, TimestampMicrosecondBuilder, UInt64Builder,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, TimeUnit};
use arrow::error::ArrowError;
use understudy_core::spec::ColumnType;

use super::guess::UTC;
use super::time::{Timestamp, parse_date};

/// The digits of the decimals that are built.
const DECIMAL_DIGITS: u8 = 38;

/// The Arrow type of a type that a pipeline file gives.
pub(crate) fn arrow_type(column_type: ColumnType) -> DataType {
    match column_type {
        ColumnType::Text => DataType::Utf8,
        ColumnType::Integer => DataType::Int64,
        ColumnType::Float => DataType::Float64,
        ColumnType::Decimal(scale) => DataType::Decimal128(DECIMAL_DIGITS, scale),
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Date => DataType::Date32,
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from(UTC))),
    }
}

/// Builds one column, batch by batch.
pub(crate) struct ColumnBuilder {
    data_type: DataType,
    values: Values,
}

/// A text is read into one of these, and the column then cast to the exact type.
enum Values {
    Text(StringBuilder),
    Integer(Int64Builder),
    Unsigned(UInt64Builder),
    Float(Float64Builder),
    Float32(Float32Builder),
    Decimal(Decimal128Builder, i8),
    Boolean(BooleanBuilder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder),
}

/// Runs one expression on the builder, whichever it is.
macro_rules! with_builder {
    ($values:expr, $builder:ident => $result:expr) => {
        match $values {
            Values::Text($builder) => $result,
            Values::Integer($builder) => $result,
            Values::Unsigned($builder) => $result,
            Values::Float($builder) => $result,
            Values::Float32($builder) => $result,
            Values::Decimal($builder, _) => $result,
            Values::Boolean($builder) => $result,
            Values::Date($builder) => $result,
            Values::Timestamp($builder) => $result,
        }
    };
}

impl ColumnBuilder {
    /// A builder for a type that text can be read into; `None` for any other.
    pub(crate) fn new(data_type: &DataType) -> Option<Self> {
        Some(Self {
            data_type: data_type.clone(),
            values: values_for(data_type)?,
        })
    }

    /// Adds a value. Where the text is none of the type, that is an error which says what it should be.
    pub(crate) fn push(&mut self, text: Option<&str>) -> Result<(), String> {
        match text {
            None => with_builder!(&mut self.values, builder => builder.append_null()),
            Some(text) => self
                .push_text(text)
                .ok_or_else(|| expected(&self.data_type))?,
        }
        Ok(())
    }

    fn push_text(&mut self, text: &str) -> Option<()> {
        match &mut self.values {
            Values::Text(builder) => builder.append_value(text),
            Values::Integer(builder) => builder.append_value(integer(text, &self.data_type)?),
            Values::Unsigned(builder) => builder.append_value(text.parse().ok()?),
            Values::Float(builder) => builder.append_value(text.parse().ok()?),
            Values::Float32(builder) => builder.append_value(text.parse().ok()?),
            Values::Decimal(builder, scale) => {
                builder.append_value(decimal(text, *scale, &self.data_type)?)
            }
            Values::Boolean(builder) => builder.append_value(boolean(text)?),
            Values::Date(builder) => builder.append_value(parse_date(text)?),
            Values::Timestamp(builder) => builder.append_value(micros(text, &self.data_type)?),
        }
        Some(())
    }

    /// The column so far; the builder begins anew.
    pub(crate) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let array: ArrayRef =
            with_builder!(&mut self.values, builder => Arc::new(builder.finish()));
        if array.data_type() == &self.data_type {
            return Ok(array);
        }
        let options = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        cast_with_options(&array, &self.data_type, &options)
    }
}

fn values_for(data_type: &DataType) -> Option<Values> {
    use DataType as T;
    Some(match data_type {
        T::Utf8 | T::LargeUtf8 | T::Utf8View => Values::Text(StringBuilder::new()),
        T::Dictionary(_, values) => values_for(values)?,
        T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 => {
            Values::Integer(Int64Builder::new())
        }
        T::UInt64 => Values::Unsigned(UInt64Builder::new()),
        T::Float32 => Values::Float32(Float32Builder::new()),
        T::Float64 => Values::Float(Float64Builder::new()),
        T::Decimal32(_, scale)
        | T::Decimal64(_, scale)
        | T::Decimal128(_, scale)
        | T::Decimal256(_, scale) => {
            let base = T::Decimal128(DECIMAL_DIGITS, *scale);
            Values::Decimal(Decimal128Builder::new().with_data_type(base), *scale)
        }
        T::Boolean => Values::Boolean(BooleanBuilder::new()),
        T::Date32 | T::Date64 => Values::Date(Date32Builder::new()),
        T::Timestamp(_, zone) => {
            let base = T::Timestamp(TimeUnit::Microsecond, zone.clone());
            Values::Timestamp(TimestampMicrosecondBuilder::new().with_data_type(base))
        }
        _ => return None,
    })
}

/// What a value of the type is, with its article, for people.
pub(crate) fn expected(data_type: &DataType) -> String {
    use DataType as T;
    match data_type {
        T::Dictionary(_, values) => expected(values),
        T::Decimal32(_, scale)
        | T::Decimal64(_, scale)
        | T::Decimal128(_, scale)
        | T::Decimal256(_, scale) => {
            format!("a decimal number with at most {scale} digits after the point")
        }
        T::Float32 | T::Float64 => "a number".to_owned(),
        T::Boolean => "`true` or `false`".to_owned(),
        T::Date32 | T::Date64 => "a date (YYYY-MM-DD)".to_owned(),
        T::Timestamp(_, _) => {
            "a timestamp to the microsecond (such as 2013-01-31T05:00:00Z)".to_owned()
        }
        T::Utf8 | T::LargeUtf8 | T::Utf8View => "text".to_owned(),
        _ => format!("a whole number ({data_type})"),
    }
}

fn integer(text: &str, data_type: &DataType) -> Option<i64> {
    let value: i64 = text.parse().ok()?;
    let fits = match data_type {
        DataType::Int8 => i8::try_from(value).is_ok(),
        DataType::Int16 => i16::try_from(value).is_ok(),
        DataType::Int32 => i32::try_from(value).is_ok(),
        DataType::UInt8 => u8::try_from(value).is_ok(),
        DataType::UInt16 => u16::try_from(value).is_ok(),
        DataType::UInt32 => u32::try_from(value).is_ok(),
        _ => true,
    };
    fits.then_some(value)
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// The decimal's digits as one integer; `None` where a digit would be lost.
fn decimal(text: &str, scale: i8, data_type: &DataType) -> Option<i128> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let (fraction, scale) = (fraction.trim_end_matches('0'), usize::try_from(scale).ok()?);
    let all_digits = whole
        .bytes()
        .chain(fraction.bytes())
        .all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits || unsigned.ends_with('.') || fraction.len() > scale {
        return None;
    }
    let magnitude: i128 = format!("{whole}{fraction:0<scale$}").parse().ok()?;
    let precision = u32::from(decimal_precision(data_type).min(DECIMAL_DIGITS));
    let fits = magnitude < 10_i128.checked_pow(precision)?;
    fits.then_some(if text.starts_with('-') {
        -magnitude
    } else {
        magnitude
    })
}

fn decimal_precision(data_type: &DataType) -> u8 {
    match data_type {
        DataType::Decimal32(precision, _)
        | DataType::Decimal64(precision, _)
        | DataType::Decimal128(precision, _)
        | DataType::Decimal256(precision, _) => *precision,
        _ => DECIMAL_DIGITS,
    }
}

fn micros(text: &str, data_type: &DataType) -> Option<i64> {
    let micros = Timestamp::parse(text)?.micros()?;
    let fits = match data_type {
        DataType::Timestamp(TimeUnit::Second, _) => micros % 1_000_000 == 0,
        DataType::Timestamp(TimeUnit::Millisecond, _) => micros % 1_000 == 0,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => micros.checked_mul(1_000).is_some(),
        _ => true,
    };
    fits.then_some(micros)
}
