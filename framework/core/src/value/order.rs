//! Which values are the same, and which comes first.

use std::cmp::Ordering;

use super::{Number, Value};

impl Value {
    /// Whether two values are the same value, whatever types they are stored in.
    ///
    /// Numbers are the same if they are the same number, without rounding; NaN is the same as NaN and -0.0 as 0.0.
    /// Instants are the same whatever the labels of their zones; a clock reading without a zone is never an instant.
    /// Structs are compared field by field by name, maps without order of keys, everything else in order.
    /// NULL, empty text and NaN are three values.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self.order(other).is_eq()
    }

    /// A total order over all values, in which exactly the same values are equal: NULL first, then by kind,
    /// numbers by size with NaN last.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        self.rank()
            .cmp(&other.rank())
            .then_with(|| self.order_within_rank(other))
    }

    /// The order of whole rows or keys.
    #[must_use]
    pub fn order_all(left: &[Self], right: &[Self]) -> Ordering {
        let mut pairs = left.iter().zip(right).map(|(a, b)| a.order(b));
        pairs
            .find(|order| order.is_ne())
            .unwrap_or_else(|| left.len().cmp(&right.len()))
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Boolean(_) => 1,
            Self::Integer(_) | Self::Decimal(_) | Self::Float(_) | Self::Float32(_) => 2,
            Self::Text(_) => 3,
            Self::Binary(_) => 4,
            Self::Date(_) => 5,
            Self::Time(_) => 6,
            Self::Timestamp { zone: None, .. } => 7,
            Self::Timestamp { zone: Some(_), .. } => 8,
            Self::Duration(_) => 9,
            Self::Interval { .. } => 10,
            Self::List(_) => 11,
            Self::Struct(_) => 12,
            Self::Map(_) => 13,
        }
    }

    fn order_within_rank(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Binary(a), Self::Binary(b)) => a.cmp(b),
            (Self::Date(a), Self::Date(b)) => a.cmp(b),
            (Self::Time(a), Self::Time(b)) | (Self::Duration(a), Self::Duration(b)) => a.cmp(b),
            (Self::Timestamp { nanos: a, .. }, Self::Timestamp { nanos: b, .. }) => a.cmp(b),
            (
                Self::Interval {
                    months,
                    days,
                    nanos,
                },
                Self::Interval {
                    months: other_months,
                    days: other_days,
                    nanos: other_nanos,
                },
            ) => (months, days, nanos).cmp(&(other_months, other_days, other_nanos)),
            (Self::List(a), Self::List(b)) => Self::order_all(a, b),
            (Self::Struct(a), Self::Struct(b)) => order_by_name(a, b),
            (Self::Map(a), Self::Map(b)) => order_entries(a, b),
            _ => order_numbers(self, other),
        }
    }
}

fn order_numbers(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => order_floats(*a, *b),
        (Value::Float32(a), Value::Float32(b)) => order_floats((*a).into(), (*b).into()),
        _ => match (Number::exact(left), Number::exact(right)) {
            (Some(a), Some(b)) => a.order(&b),
            // Two NULLs: they are of one rank and are no numbers.
            _ => Ordering::Equal,
        },
    }
}

fn order_floats(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right)
        .unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

fn order_by_name(left: &[(String, Value)], right: &[(String, Value)]) -> Ordering {
    let (left, right) = (by_name(left), by_name(right));
    let mut pairs = left
        .iter()
        .zip(&right)
        .map(|(a, b)| a.0.cmp(&b.0).then_with(|| a.1.order(&b.1)));
    pairs
        .find(|order| order.is_ne())
        .unwrap_or_else(|| left.len().cmp(&right.len()))
}

fn by_name(fields: &[(String, Value)]) -> Vec<&(String, Value)> {
    let mut sorted: Vec<_> = fields.iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    sorted
}

fn order_entries(left: &[(Value, Value)], right: &[(Value, Value)]) -> Ordering {
    let (left, right) = (sorted_entries(left), sorted_entries(right));
    let mut pairs = left.iter().zip(&right).map(|(a, b)| order_entry(a, b));
    pairs
        .find(|order| order.is_ne())
        .unwrap_or_else(|| left.len().cmp(&right.len()))
}

fn sorted_entries(entries: &[(Value, Value)]) -> Vec<&(Value, Value)> {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by(|a, b| order_entry(a, b));
    sorted
}

fn order_entry(left: &(Value, Value), right: &(Value, Value)) -> Ordering {
    left.0.order(&right.0).then_with(|| left.1.order(&right.1))
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use bigdecimal::BigDecimal;

    use super::*;

    fn decimal(text: &str) -> Value {
        Value::Decimal(BigDecimal::from_str(text).unwrap())
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    fn instant(nanos: i128, zone: Option<&str>) -> Value {
        Value::Timestamp {
            nanos,
            zone: zone.map(str::to_owned),
        }
    }

    #[test]
    fn numbers_are_the_same_number_or_not() {
        let exact = 1_i128 << 53;
        let pairs = [
            (Value::Integer(1), decimal("1.00"), true),
            (Value::Integer(exact), Value::Integer(exact + 1), false),
            (
                Value::Integer(exact + 1),
                Value::Float(9_007_199_254_740_992.0),
                false,
            ),
            (
                Value::Integer(exact),
                Value::Float(9_007_199_254_740_992.0),
                true,
            ),
            (Value::Float(f64::NAN), Value::Float(-f64::NAN), true),
            (Value::Float(-0.0), Value::Float(0.0), true),
            (Value::Float(0.1), Value::Float32(0.1), false),
            (Value::Float(0.5), Value::Float32(0.5), true),
            (Value::Float(0.1), decimal("0.1"), false),
            (
                Value::Float(f64::INFINITY),
                Value::Float(f64::NEG_INFINITY),
                false,
            ),
            (
                Value::Float(f64::INFINITY),
                Value::Float32(f32::INFINITY),
                true,
            ),
        ];
        for (left, right, expected) in pairs {
            assert_eq!(left.same(&right), expected, "{left:?} {right:?}");
            assert_eq!(right.same(&left), expected, "{right:?} {left:?}");
        }
    }

    #[test]
    fn null_empty_and_nan_are_three() {
        let values = [
            Value::Null,
            text(""),
            Value::Float(f64::NAN),
            Value::Boolean(false),
            Value::Integer(0),
        ];
        for (i, left) in values.iter().enumerate() {
            for (j, right) in values.iter().enumerate() {
                assert_eq!(left.same(right), i == j, "{left:?} {right:?}");
            }
        }
    }

    #[test]
    fn a_zone_is_a_label_but_no_zone_is_another_thing() {
        assert!(instant(5, Some("UTC")).same(&instant(5, Some("Asia/Tokyo"))));
        assert!(instant(5, None).same(&instant(5, None)));
        assert!(!instant(5, None).same(&instant(5, Some("UTC"))));
    }

    #[test]
    fn structs_go_by_name_and_maps_without_order() {
        let field = |name: &str, value: i128| (name.to_owned(), Value::Integer(value));
        assert!(
            Value::Struct(vec![field("a", 1), field("b", 2)])
                .same(&Value::Struct(vec![field("b", 2), field("a", 1)]))
        );
        let entry = |key: &str, value: i128| (text(key), Value::Integer(value));
        assert!(
            Value::Map(vec![entry("a", 1), entry("b", 2)])
                .same(&Value::Map(vec![entry("b", 2), entry("a", 1)]))
        );
        assert!(!Value::Map(vec![entry("a", 1)]).same(&Value::Map(vec![entry("a", 2)])));
        let list =
            |items: &[i128]| Value::List(items.iter().map(|item| Value::Integer(*item)).collect());
        assert!(!list(&[1, 2]).same(&list(&[2, 1])));
        assert!(!list(&[1]).same(&list(&[1, 1])));
    }

    #[test]
    fn unicode_forms_of_one_text_differ() {
        assert!(!text("\u{e9}").same(&text("e\u{301}")));
    }
}
