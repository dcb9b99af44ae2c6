//! How values read.

use std::fmt::Write as _;

use chrono::{DateTime, Days, NaiveDate};

use super::Value;

const NANOS_PER_SEC: i128 = 1_000_000_000;

impl Value {
    /// The value as text: numbers in full and floats in the shortest form that reads back as the same float,
    /// ISO dates and times, instants as RFC 3339 in UTC, durations as ISO 8601, bytes in hexadecimal, and
    /// lists, structs and maps as JSON. `None` for NULL, which is not empty text.
    #[must_use]
    pub fn render(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Boolean(boolean) => Some(boolean.to_string()),
            Self::Integer(integer) => Some(integer.to_string()),
            Self::Decimal(decimal) => Some(decimal.to_plain_string()),
            Self::Float(float) => Some(format!("{float:?}")),
            Self::Float32(float) => Some(format!("{float:?}")),
            Self::Text(text) => Some(text.clone()),
            Self::Binary(bytes) => Some(hexadecimal(bytes)),
            Self::Date(days) => Some(date(*days)),
            Self::Time(nanos) => Some(time(*nanos)),
            Self::Timestamp { nanos, zone } => {
                Some(timestamp(*nanos, if zone.is_some() { "Z" } else { "" }))
            }
            Self::Duration(nanos) => Some(duration(*nanos)),
            Self::Interval {
                months,
                days,
                nanos,
            } => Some(interval(*months, *days, *nanos)),
            Self::List(_) | Self::Struct(_) | Self::Map(_) => Some(json(self).to_string()),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a String cannot fail");
            text
        })
}

fn date(days: i64) -> String {
    let distance = Days::new(days.unsigned_abs());
    let epoch = NaiveDate::default();
    let date = if days < 0 {
        epoch.checked_sub_days(distance)
    } else {
        epoch.checked_add_days(distance)
    };
    // Beyond the calendar there is no name for the day, only its number.
    date.map_or_else(|| format!("day {days}"), |date| date.to_string())
}

fn time(nanos: i128) -> String {
    let seconds = nanos.div_euclid(NANOS_PER_SEC);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!(
        "{hours:02}:{minutes:02}:{:02}{}",
        seconds % 60,
        fraction(nanos.rem_euclid(NANOS_PER_SEC))
    )
}

fn timestamp(nanos: i128, suffix: &str) -> String {
    let seconds = i64::try_from(nanos.div_euclid(NANOS_PER_SEC)).ok();
    let instant = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let rest = fraction(nanos.rem_euclid(NANOS_PER_SEC));
    instant.map_or_else(
        || format!("nanosecond {nanos}"),
        |instant| {
            format!(
                "{}{rest}{suffix}",
                instant.naive_utc().format("%Y-%m-%dT%H:%M:%S")
            )
        },
    )
}

fn duration(nanos: i128) -> String {
    format!("{}PT{}S", sign(nanos), seconds(nanos))
}

fn interval(months: i64, days: i64, nanos: i128) -> String {
    let mut text = String::from("P");
    for (count, unit) in [(months, 'M'), (days, 'D')] {
        if count != 0 {
            write!(text, "{count}{unit}").expect("writing to a String cannot fail");
        }
    }
    if nanos != 0 || text.len() == 1 {
        write!(text, "T{}{}S", sign(nanos), seconds(nanos))
            .expect("writing to a String cannot fail");
    }
    text
}

fn sign(nanos: i128) -> &'static str {
    if nanos < 0 { "-" } else { "" }
}

fn seconds(nanos: i128) -> String {
    let magnitude = nanos.unsigned_abs();
    let per_sec = NANOS_PER_SEC.unsigned_abs();
    format!(
        "{}{}",
        magnitude / per_sec,
        fraction((magnitude % per_sec).cast_signed())
    )
}

fn fraction(nanos: i128) -> String {
    if nanos == 0 {
        String::new()
    } else {
        format!(".{nanos:09}").trim_end_matches('0').to_owned()
    }
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Boolean(boolean) => (*boolean).into(),
        Value::List(items) => items.iter().map(json).collect::<Vec<_>>().into(),
        Value::Struct(fields) => object(
            fields
                .iter()
                .map(|(name, value)| (name.clone(), json(value))),
        ),
        Value::Map(entries) => {
            let pairs = entries
                .iter()
                .map(|(key, value)| (key.render().unwrap_or_default(), json(value)));
            object(pairs)
        }
        number @ (Value::Integer(_) | Value::Decimal(_) | Value::Float(_) | Value::Float32(_)) => {
            json_number(number)
        }
        other => other.render().into(),
    }
}

fn object(fields: impl Iterator<Item = (String, serde_json::Value)>) -> serde_json::Value {
    serde_json::Value::Object(fields.collect())
}

/// A JSON number only where no digit is lost by it, else text.
fn json_number(number: &Value) -> serde_json::Value {
    match number {
        Value::Integer(integer) => {
            i64::try_from(*integer).map_or_else(|_| number.render().into(), Into::into)
        }
        Value::Float(float) if float.is_finite() => (*float).into(),
        _ => number.render().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: Value, expected: &str) {
        assert_eq!(value.render().as_deref(), Some(expected));
    }

    #[test]
    fn null_is_no_text() {
        assert_eq!(Value::Null.render(), None);
        check(Value::Text(String::new()), "");
    }

    #[test]
    fn numbers_read_back_as_the_same() {
        check(
            Value::Integer(i128::MIN),
            "-170141183460469231731687303715884105728",
        );
        check(Value::Decimal("1.50".parse().unwrap()), "1.50");
        check(Value::Float(0.1), "0.1");
        check(Value::Float(1e300), "1e300");
        check(Value::Float(-0.0), "-0.0");
        check(Value::Float(f64::NAN), "NaN");
        check(Value::Float(f64::NEG_INFINITY), "-inf");
        check(Value::Float32(0.1), "0.1");
    }

    #[test]
    fn times_are_iso() {
        check(Value::Date(15_706), "2013-01-01");
        check(Value::Date(-1), "1969-12-31");
        check(Value::Date(i64::MAX), "day 9223372036854775807");
        check(Value::Time(3_661_500_000_000), "01:01:01.5");
        check(
            Value::Timestamp {
                nanos: -1,
                zone: None,
            },
            "1969-12-31T23:59:59.999999999",
        );
        check(
            Value::Timestamp {
                nanos: 0,
                zone: Some("Asia/Tokyo".into()),
            },
            "1970-01-01T00:00:00Z",
        );
        check(Value::Duration(-1_500_000_000), "-PT1.5S");
        check(
            Value::Interval {
                months: 1,
                days: -2,
                nanos: 0,
            },
            "P1M-2D",
        );
        check(
            Value::Interval {
                months: 0,
                days: 0,
                nanos: 0,
            },
            "PT0S",
        );
    }

    #[test]
    fn nested_values_are_json() {
        let item = Value::Struct(vec![
            ("a".into(), Value::Integer(1)),
            ("b".into(), Value::Null),
        ]);
        let map = Value::Map(vec![(Value::Text("k".into()), Value::Float(0.5))]);
        check(
            Value::List(vec![item, Value::Text("x\"".into()), map]),
            r#"[{"a":1,"b":null},"x\"",{"k":0.5}]"#,
        );
        check(Value::Binary(vec![0, 255]), "00ff");
    }
}
