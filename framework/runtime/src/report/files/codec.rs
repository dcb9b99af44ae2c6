//! Lines as bytes and back, exactly: the form in which sorted lines wait on disk.
//!
//! The form lives as long as one writer and is read by nobody else, so it carries no version.

use std::sync::Arc;

use understudy_core::comparison::CellDifference;
use understudy_core::customer::Customer;
use understudy_core::value::Value;

use super::line::{Line, LineChange};

/// Appends a line.
pub(crate) fn put_line(bytes: &mut Vec<u8>, line: &Line) {
    put_text(bytes, &line.customer.label());
    put_values(bytes, &line.key);
    match &line.change {
        LineChange::Cell(cell) => {
            bytes.push(0);
            put_length(bytes, cell.column);
            put_value(bytes, &cell.old);
            put_value(bytes, &cell.new);
        }
        LineChange::OnlyOld(values) => {
            bytes.push(1);
            put_values(bytes, values);
        }
        LineChange::OnlyNew(values) => {
            bytes.push(2);
            put_values(bytes, values);
        }
    }
    put_length(bytes, line.rule.map_or(0, |rule| rule + 1));
}

/// Reads a line; `None` where the bytes are no line.
pub(crate) fn line(mut bytes: &[u8]) -> Option<Line> {
    let bytes = &mut bytes;
    let line = Line {
        customer: Customer::from_label(&text(bytes)?),
        key: Arc::from(values(bytes)?),
        change: change(bytes)?,
        rule: length(bytes)?.checked_sub(1),
    };
    bytes.is_empty().then_some(line)
}

fn change(bytes: &mut &[u8]) -> Option<LineChange> {
    Some(match tag(bytes)? {
        0 => LineChange::Cell(CellDifference {
            column: length(bytes)?,
            old: value(bytes)?,
            new: value(bytes)?,
        }),
        1 => LineChange::OnlyOld(values(bytes)?),
        2 => LineChange::OnlyNew(values(bytes)?),
        _ => return None,
    })
}

fn put_value(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => bytes.push(0),
        Value::Boolean(value) => bytes.extend([1, u8::from(*value)]),
        Value::Integer(value) => put_number(bytes, 2, *value),
        Value::Decimal(value) => put_tagged_text(bytes, 3, &value.to_string()),
        Value::Float(value) => {
            bytes.push(4);
            bytes.extend(value.to_le_bytes());
        }
        Value::Float32(value) => {
            bytes.push(5);
            bytes.extend(value.to_le_bytes());
        }
        Value::Text(value) => put_tagged_text(bytes, 6, value),
        Value::Binary(value) => {
            bytes.push(7);
            put_length(bytes, value.len());
            bytes.extend(value);
        }
        Value::Date(days) => put_number(bytes, 8, i128::from(*days)),
        Value::Time(nanos) => put_number(bytes, 9, *nanos),
        Value::Timestamp { nanos, zone: None } => put_number(bytes, 10, *nanos),
        Value::Timestamp {
            nanos,
            zone: Some(zone),
        } => {
            put_number(bytes, 11, *nanos);
            put_text(bytes, zone);
        }
        Value::Duration(nanos) => put_number(bytes, 12, *nanos),
        Value::Interval {
            months,
            days,
            nanos,
        } => {
            put_number(bytes, 13, i128::from(*months));
            bytes.extend(days.to_le_bytes());
            bytes.extend(nanos.to_le_bytes());
        }
        Value::List(_) | Value::Struct(_) | Value::Map(_) => put_nested(bytes, value),
    }
}

fn put_nested(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::List(values) => {
            bytes.push(14);
            put_values(bytes, values);
        }
        Value::Struct(fields) => {
            bytes.push(15);
            put_length(bytes, fields.len());
            for (name, value) in fields {
                put_text(bytes, name);
                put_value(bytes, value);
            }
        }
        Value::Map(entries) => {
            bytes.push(16);
            put_length(bytes, entries.len());
            for (key, value) in entries {
                put_value(bytes, key);
                put_value(bytes, value);
            }
        }
        flat => put_value(bytes, flat),
    }
}

fn value(bytes: &mut &[u8]) -> Option<Value> {
    Some(match tag(bytes)? {
        0 => Value::Null,
        1 => Value::Boolean(tag(bytes)? != 0),
        2 => Value::Integer(number(bytes)?),
        3 => Value::Decimal(text(bytes)?.parse().ok()?),
        4 => Value::Float(f64::from_le_bytes(array(bytes)?)),
        5 => Value::Float32(f32::from_le_bytes(array(bytes)?)),
        6 => Value::Text(text(bytes)?),
        7 => {
            let length = length(bytes)?;
            Value::Binary(take(bytes, length)?.to_vec())
        }
        8 => Value::Date(i64::try_from(number(bytes)?).ok()?),
        9 => Value::Time(number(bytes)?),
        10 => Value::Timestamp {
            nanos: number(bytes)?,
            zone: None,
        },
        11 => Value::Timestamp {
            nanos: number(bytes)?,
            zone: Some(text(bytes)?),
        },
        12 => Value::Duration(number(bytes)?),
        13 => Value::Interval {
            months: i64::try_from(number(bytes)?).ok()?,
            days: i64::from_le_bytes(array(bytes)?),
            nanos: i128::from_le_bytes(array(bytes)?),
        },
        14 => Value::List(values(bytes)?),
        15 => Value::Struct(many(bytes, |bytes| Some((text(bytes)?, value(bytes)?)))?),
        16 => Value::Map(many(bytes, |bytes| Some((value(bytes)?, value(bytes)?)))?),
        _ => return None,
    })
}

fn put_values(bytes: &mut Vec<u8>, values: &[Value]) {
    put_length(bytes, values.len());
    for value in values {
        put_value(bytes, value);
    }
}

fn values(bytes: &mut &[u8]) -> Option<Vec<Value>> {
    many(bytes, value)
}

fn many<T>(bytes: &mut &[u8], one: impl Fn(&mut &[u8]) -> Option<T>) -> Option<Vec<T>> {
    let count = length(bytes)?;
    (0..count).map(|_| one(bytes)).collect()
}

fn put_tagged_text(bytes: &mut Vec<u8>, tag: u8, text: &str) {
    bytes.push(tag);
    put_text(bytes, text);
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_length(bytes, text.len());
    bytes.extend(text.as_bytes());
}

fn text(bytes: &mut &[u8]) -> Option<String> {
    let length = length(bytes)?;
    String::from_utf8(take(bytes, length)?.to_vec()).ok()
}

fn put_number(bytes: &mut Vec<u8>, tag: u8, number: i128) {
    bytes.push(tag);
    bytes.extend(number.to_le_bytes());
}

fn number(bytes: &mut &[u8]) -> Option<i128> {
    array(bytes).map(i128::from_le_bytes)
}

fn put_length(bytes: &mut Vec<u8>, length: usize) {
    bytes.extend((length as u64).to_le_bytes());
}

fn length(bytes: &mut &[u8]) -> Option<usize> {
    array(bytes)
        .map(u64::from_le_bytes)
        .and_then(|length| usize::try_from(length).ok())
}

fn tag(bytes: &mut &[u8]) -> Option<u8> {
    array(bytes).map(|[tag]| tag)
}

fn array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    take(bytes, N).and_then(|taken| taken.try_into().ok())
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: Value) {
        let line_of = |change| Line {
            customer: Customer::Named("*".into()),
            key: Arc::from([value.clone(), Value::Null]),
            change,
            rule: None,
        };
        let cell = CellDifference {
            column: 3,
            old: value.clone(),
            new: Value::Null,
        };
        let changes = [
            LineChange::Cell(cell),
            LineChange::OnlyOld(vec![value.clone()]),
            LineChange::OnlyNew(vec![value.clone(), value.clone()]),
        ];
        for (rule, change) in changes.into_iter().enumerate() {
            let mut before = line_of(change);
            before.rule = rule.checked_sub(1);
            let mut bytes = Vec::new();
            put_line(&mut bytes, &before);
            // NaN is not equal to itself, its text is.
            let after = line(&bytes).unwrap();
            assert_eq!(format!("{after:?}"), format!("{before:?}"));
            assert!(
                line(&bytes[..bytes.len() - 1]).is_none(),
                "a cut line is no line"
            );
            bytes.push(0);
            assert!(
                line(&bytes).is_none(),
                "a line with more behind it is no line"
            );
        }
    }

    #[test]
    fn every_value_comes_back_exactly() {
        check(Value::Null);
        check(Value::Boolean(true));
        check(Value::Integer(i128::MIN));
        for decimal in [
            "0.10",
            "-12345678901234567890123456789012345678.90",
            "1E+40",
            "1E-40",
            "0",
        ] {
            check(Value::Decimal(decimal.parse().unwrap()));
        }
        for float in [0.1, -0.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE] {
            check(Value::Float(float));
        }
        check(Value::Float32(0.1));
        check(Value::Text("é\0\n".into()));
        check(Value::Binary(vec![0, 255]));
        check(Value::Date(-1));
        check(Value::Time(86_399_999_999_999));
        check(Value::Timestamp {
            nanos: -1,
            zone: None,
        });
        check(Value::Timestamp {
            nanos: i128::MAX,
            zone: Some("America/New_York".into()),
        });
        check(Value::Duration(-1));
        check(Value::Interval {
            months: -1,
            days: 2,
            nanos: i128::MIN,
        });
        check(Value::List(vec![Value::Integer(1), Value::List(vec![])]));
        check(Value::Struct(vec![("a".into(), Value::Null)]));
        check(Value::Map(vec![(
            Value::Text("k".into()),
            Value::Boolean(false),
        )]));
    }
}
