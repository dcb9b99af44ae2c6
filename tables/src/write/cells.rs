//! Cells as the text that stands in a CSV field.

use std::fmt::Write as _;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};
use chrono::{DateTime, NaiveDate, TimeDelta};
use understudy_core::value::Value;

use crate::error::TableError;
use crate::value::{ValueError, value_at};

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// Writes a cell's text; false, and nothing, for NULL.
pub(super) fn write_cell(
    column: &ArrayRef,
    row: usize,
    text: &mut String,
) -> Result<bool, TableError> {
    if column.is_null(row) {
        return Ok(false);
    }
    // The common types go without a value in between.
    match column.data_type() {
        DataType::Utf8 => text.push_str(column.as_string::<i32>().value(row)),
        DataType::Int64 => put(
            text,
            format_args!("{}", column.as_primitive::<Int64Type>().value(row)),
        ),
        DataType::Float64 => put_float(
            text,
            &format!("{:?}", column.as_primitive::<Float64Type>().value(row)),
        ),
        _ => return write_value(column, row, text),
    }
    Ok(true)
}

fn write_value(column: &ArrayRef, row: usize, text: &mut String) -> Result<bool, TableError> {
    let value = value_at(column, row)?;
    let unshowable = || ValueError::Unsupported(column.data_type().clone());
    match &value {
        Value::Null => return Ok(false),
        Value::Timestamp { nanos, zone } => {
            let digits = fraction_digits(column.data_type());
            put_timestamp(text, *nanos, zone.is_some(), digits).ok_or_else(unshowable)?;
        }
        value => put_value(text, value).ok_or_else(unshowable)?,
    }
    Ok(true)
}

/// Writes a value that stands alone in its field; `None` for a date beyond the calendar.
fn put_value(text: &mut String, value: &Value) -> Option<()> {
    match value {
        Value::Null => {}
        Value::Boolean(value) => put(text, format_args!("{value}")),
        Value::Integer(value) => put(text, format_args!("{value}")),
        Value::Decimal(value) => text.push_str(&value.to_plain_string()),
        Value::Float(value) => put_float(text, &format!("{value:?}")),
        Value::Float32(value) => put_float(text, &format!("{value:?}")),
        Value::Text(value) => text.push_str(value),
        Value::Binary(bytes) => bytes
            .iter()
            .for_each(|byte| put(text, format_args!("{byte:02x}"))),
        Value::Date(days) => put(text, format_args!("{}", date(*days)?)),
        Value::Time(nanos) => put_time(text, *nanos)?,
        Value::Timestamp { nanos, zone } => put_timestamp(text, *nanos, zone.is_some(), 9)?,
        Value::Duration(nanos) => put_seconds(text, "PT", *nanos),
        Value::Interval {
            months,
            days,
            nanos,
        } => put_seconds(text, &format!("P{months}M{days}DT"), *nanos),
        Value::List(_) | Value::Struct(_) | Value::Map(_) => put_json(text, value)?,
    }
    Some(())
}

fn put(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments)
        .expect("writing to a String cannot fail");
}

/// Gives a float's exponent its sign, so that it is not taken for an id.
fn put_float(text: &mut String, shortest: &str) {
    match shortest.split_once('e') {
        Some((mantissa, power)) if !power.starts_with('-') => {
            put(text, format_args!("{mantissa}e+{power}"))
        }
        _ => text.push_str(shortest),
    }
}

fn date(days: i64) -> Option<NaiveDate> {
    NaiveDate::default().checked_add_signed(TimeDelta::try_days(days)?)
}

fn put_time(text: &mut String, nanos: i128) -> Option<()> {
    let seconds = u32::try_from(nanos / NANOS_PER_SECOND).ok()?;
    let rest = u32::try_from(nanos % NANOS_PER_SECOND).ok()?;
    let time = chrono::NaiveTime::from_num_seconds_from_midnight_opt(seconds, rest)?;
    put(text, format_args!("{time}"));
    Some(())
}

/// All timestamps of a column have as many digits of a second as its unit, so that they read back alike.
fn fraction_digits(data_type: &DataType) -> usize {
    match data_type {
        DataType::Timestamp(TimeUnit::Second, _) => 0,
        DataType::Timestamp(TimeUnit::Millisecond, _) => 3,
        DataType::Timestamp(TimeUnit::Microsecond, _) => 6,
        _ => 9,
    }
}

fn put_timestamp(text: &mut String, nanos: i128, is_instant: bool, digits: usize) -> Option<()> {
    let seconds = i64::try_from(nanos.div_euclid(NANOS_PER_SECOND)).ok()?;
    let fraction = nanos.rem_euclid(NANOS_PER_SECOND);
    let clock = DateTime::from_timestamp(seconds, 0)?.naive_utc();
    put(text, format_args!("{}", clock.format("%Y-%m-%dT%H:%M:%S")));
    if digits > 0 {
        put(
            text,
            format_args!(".{}", &format!("{fraction:09}")[..digits]),
        );
    }
    if is_instant {
        text.push('Z');
    }
    Some(())
}

/// ISO 8601's seconds, behind what comes before them.
fn put_seconds(text: &mut String, before: &str, nanos: i128) {
    let (sign, nanos) = (if nanos < 0 { "-" } else { "" }, nanos.unsigned_abs());
    let (seconds, fraction) = (
        nanos / NANOS_PER_SECOND.unsigned_abs(),
        nanos % NANOS_PER_SECOND.unsigned_abs(),
    );
    put(text, format_args!("{before}{sign}{seconds}"));
    if fraction > 0 {
        put(
            text,
            format_args!(".{}", format!("{fraction:09}").trim_end_matches('0')),
        );
    }
    text.push('S');
}

/// A nested value as JSON; what JSON has no form for is a string.
fn put_json(text: &mut String, value: &Value) -> Option<()> {
    match value {
        Value::Null => text.push_str("null"),
        Value::Boolean(_) | Value::Integer(_) | Value::Decimal(_) => put_value(text, value)?,
        Value::Float(float) if float.is_finite() => put_value(text, value)?,
        Value::Float32(float) if float.is_finite() => put_value(text, value)?,
        Value::List(items) => put_sequence(text, "[]", items, put_json)?,
        Value::Struct(fields) => put_sequence(text, "{}", fields, |text, (name, value)| {
            put_json_string(text, name);
            text.push(':');
            put_json(text, value)
        })?,
        Value::Map(entries) => put_sequence(text, "[]", entries, |text, (key, value)| {
            put_sequence(text, "[]", &[key, value], |text, part| put_json(text, part))
        })?,
        other => {
            let mut string = String::new();
            put_value(&mut string, other)?;
            put_json_string(text, &string);
        }
    }
    Some(())
}

fn put_sequence<T>(
    text: &mut String,
    brackets: &str,
    items: &[T],
    mut put_item: impl FnMut(&mut String, &T) -> Option<()>,
) -> Option<()> {
    let (open, close) = brackets.split_at(1);
    text.push_str(open);
    for (position, item) in items.iter().enumerate() {
        text.push_str(if position > 0 { "," } else { "" });
        put_item(text, item)?;
    }
    text.push_str(close);
    Some(())
}

fn put_json_string(text: &mut String, string: &str) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            control if control < ' ' => put(text, format_args!("\\u{:04x}", u32::from(control))),
            plain => text.push(plain),
        }
    }
    text.push('"');
}
