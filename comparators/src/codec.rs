//! Rows as bytes, for the way to a temporary file and back within one comparison.
//!
//! Nothing outlives the process that wrote it, so that there is no version and no check: what is read is what was
//! written.

use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::BigInt;
use understudy_core::comparison::{CellDifference, RowChange, RowDifference};
use understudy_core::customer::Customer;
use understudy_core::judge::rows::JudgedRow;
use understudy_core::value::Value;

use crate::fetch::Row;

const SAME_BYTES: &str = "the bytes are those that were written";

/// Something that goes to bytes and back.
pub(crate) trait Coded: Sized {
    fn encode(&self, bytes: &mut Vec<u8>);
    /// Takes itself from the front of the bytes.
    fn decode(bytes: &mut &[u8]) -> Self;
}

/// Everything that stands in the bytes, one after the other.
pub(crate) fn decode_all<T: Coded>(mut bytes: &[u8]) -> Vec<T> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        all.push(T::decode(&mut bytes));
    }
    all
}

fn take<'a>(bytes: &mut &'a [u8], len: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(len);
    *bytes = rest;
    taken
}

macro_rules! coded_numbers {
    ($($number:ty),+) => {
        $(impl Coded for $number {
            fn encode(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn decode(bytes: &mut &[u8]) -> Self {
                Self::from_le_bytes(take(bytes, size_of::<Self>()).try_into().expect(SAME_BYTES))
            }
        })+
    };
}

coded_numbers!(u8, u32, u64, i64, u128, i128, f32, f64);

impl Coded for usize {
    fn encode(&self, bytes: &mut Vec<u8>) {
        (*self as u64).encode(bytes);
    }

    fn decode(bytes: &mut &[u8]) -> Self {
        usize::try_from(u64::decode(bytes)).expect(SAME_BYTES)
    }
}

impl Coded for String {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.len().encode(bytes);
        bytes.extend_from_slice(self.as_bytes());
    }

    fn decode(bytes: &mut &[u8]) -> Self {
        let len = usize::decode(bytes);
        String::from_utf8(take(bytes, len).to_vec()).expect(SAME_BYTES)
    }
}

impl<T: Coded> Coded for Vec<T> {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.len().encode(bytes);
        self.iter().for_each(|item| item.encode(bytes));
    }

    fn decode(bytes: &mut &[u8]) -> Self {
        (0..usize::decode(bytes))
            .map(|_| T::decode(bytes))
            .collect()
    }
}

impl<T: Coded> Coded for Option<T> {
    fn encode(&self, bytes: &mut Vec<u8>) {
        u8::from(self.is_some()).encode(bytes);
        self.iter().for_each(|item| item.encode(bytes));
    }

    fn decode(bytes: &mut &[u8]) -> Self {
        (u8::decode(bytes) == 1).then(|| T::decode(bytes))
    }
}

impl<A: Coded, B: Coded> Coded for (A, B) {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.0.encode(bytes);
        self.1.encode(bytes);
    }

    fn decode(bytes: &mut &[u8]) -> Self {
        (A::decode(bytes), B::decode(bytes))
    }
}

impl Coded for BigDecimal {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let (digits, scale) = self.as_bigint_and_scale();
        digits.to_signed_bytes_le().encode(bytes);
        scale.encode(bytes);
    }

    fn decode(bytes: &mut &[u8]) -> Self {
        let digits = Vec::<u8>::decode(bytes);
        Self::new(BigInt::from_signed_bytes_le(&digits), i64::decode(bytes))
    }
}

impl Coded for Value {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let mut tag = |tag: u8| bytes.push(tag);
        match self {
            Self::Null => tag(0),
            Self::Boolean(boolean) => tag(1 + u8::from(*boolean)),
            Self::Integer(integer) => {
                tag(3);
                integer.encode(bytes);
            }
            Self::Decimal(decimal) => {
                tag(4);
                decimal.encode(bytes);
            }
            Self::Float(float) => {
                tag(5);
                float.encode(bytes);
            }
            Self::Float32(float) => {
                tag(6);
                float.encode(bytes);
            }
            Self::Text(text) => {
                tag(7);
                text.encode(bytes);
            }
            Self::Binary(binary) => {
                tag(8);
                binary.encode(bytes);
            }
            other => encode_rarer(other, bytes),
        }
    }

    fn decode(bytes: &mut &[u8]) -> Self {
        match u8::decode(bytes) {
            0 => Self::Null,
            tag @ (1 | 2) => Self::Boolean(tag == 2),
            3 => Self::Integer(i128::decode(bytes)),
            4 => Self::Decimal(BigDecimal::decode(bytes)),
            5 => Self::Float(f64::decode(bytes)),
            6 => Self::Float32(f32::decode(bytes)),
            7 => Self::Text(String::decode(bytes)),
            8 => Self::Binary(Vec::decode(bytes)),
            tag => decode_rarer(tag, bytes),
        }
    }
}

fn encode_rarer(value: &Value, bytes: &mut Vec<u8>) {
    let mut tag = |tag: u8| bytes.push(tag);
    match value {
        Value::Date(days) => {
            tag(9);
            days.encode(bytes);
        }
        Value::Time(nanos) => {
            tag(10);
            nanos.encode(bytes);
        }
        Value::Timestamp { nanos, zone } => {
            tag(11);
            nanos.encode(bytes);
            zone.encode(bytes);
        }
        Value::Duration(nanos) => {
            tag(12);
            nanos.encode(bytes);
        }
        Value::Interval {
            months,
            days,
            nanos,
        } => {
            tag(13);
            months.encode(bytes);
            days.encode(bytes);
            nanos.encode(bytes);
        }
        Value::List(items) => {
            tag(14);
            items.encode(bytes);
        }
        Value::Struct(fields) => {
            tag(15);
            fields.encode(bytes);
        }
        Value::Map(entries) => {
            tag(16);
            entries.encode(bytes);
        }
        _ => unreachable!("the other kinds are encoded before these"),
    }
}

fn decode_rarer(tag: u8, bytes: &mut &[u8]) -> Value {
    match tag {
        9 => Value::Date(i64::decode(bytes)),
        10 => Value::Time(i128::decode(bytes)),
        11 => Value::Timestamp {
            nanos: i128::decode(bytes),
            zone: Option::decode(bytes),
        },
        12 => Value::Duration(i128::decode(bytes)),
        13 => Value::Interval {
            months: i64::decode(bytes),
            days: i64::decode(bytes),
            nanos: i128::decode(bytes),
        },
        14 => Value::List(Vec::decode(bytes)),
        15 => Value::Struct(Vec::decode(bytes)),
        16 => Value::Map(Vec::decode(bytes)),
        _ => unreachable!("{SAME_BYTES}"),
    }
}

impl Coded for Customer {
    fn encode(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Everybody => bytes.push(0),
            Self::Null => bytes.push(1),
            Self::Named(name) => {
                bytes.push(2);
                name.encode(bytes);
            }
        }
    }

    fn decode(bytes: &mut &[u8]) -> Self {
        match u8::decode(bytes) {
            0 => Self::Everybody,
            1 => Self::Null,
            _ => Self::Named(String::decode(bytes)),
        }
    }
}

impl Coded for Row {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.key.encode(bytes);
        self.cells.encode(bytes);
        self.customer.encode(bytes);
        self.lot.encode(bytes);
    }

    fn decode(bytes: &mut &[u8]) -> Self {
        Self {
            key: Vec::decode(bytes),
            cells: Vec::decode(bytes),
            customer: Customer::decode(bytes),
            lot: u128::decode(bytes),
        }
    }
}

impl Coded for CellDifference {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.column.encode(bytes);
        self.old.encode(bytes);
        self.new.encode(bytes);
    }

    fn decode(bytes: &mut &[u8]) -> Self {
        Self {
            column: usize::decode(bytes),
            old: Value::decode(bytes),
            new: Value::decode(bytes),
        }
    }
}

impl Coded for RowChange {
    fn encode(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Cells(cells) => {
                bytes.push(0);
                cells.encode(bytes);
            }
            Self::OnlyOld(values) => {
                bytes.push(1);
                values.encode(bytes);
            }
            Self::OnlyNew(values) => {
                bytes.push(2);
                values.encode(bytes);
            }
        }
    }

    fn decode(bytes: &mut &[u8]) -> Self {
        match u8::decode(bytes) {
            0 => Self::Cells(Vec::decode(bytes)),
            1 => Self::OnlyOld(Vec::decode(bytes)),
            _ => Self::OnlyNew(Vec::decode(bytes)),
        }
    }
}

impl Coded for JudgedRow {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let RowDifference {
            key,
            old_customer,
            new_customer,
            change,
        } = &self.difference;
        key.encode(bytes);
        old_customer.encode(bytes);
        new_customer.encode(bytes);
        change.encode(bytes);
        self.rules.encode(bytes);
    }

    fn decode(bytes: &mut &[u8]) -> Self {
        let difference = RowDifference {
            key: Vec::decode(bytes),
            old_customer: Option::decode(bytes),
            new_customer: Option::decode(bytes),
            change: RowChange::decode(bytes),
        };
        Self {
            difference,
            rules: Vec::decode(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_comes_back() {
        let text = |text: &str| Value::Text(text.into());
        let values = vec![
            Value::Null,
            Value::Boolean(false),
            Value::Boolean(true),
            Value::Integer(i128::MIN),
            Value::Decimal("-123456789012345678901234567890.50".parse().unwrap()),
            Value::Float(-0.0),
            Value::Float32(0.1),
            text(""),
            text("\u{e9}"),
            Value::Binary(vec![0, 255]),
            Value::Date(-1),
            Value::Time(5),
            Value::Timestamp {
                nanos: -7,
                zone: Some("UTC".into()),
            },
            Value::Timestamp {
                nanos: 7,
                zone: None,
            },
            Value::Duration(9),
            Value::Interval {
                months: 1,
                days: 2,
                nanos: 3,
            },
            Value::List(vec![Value::Null, Value::List(vec![])]),
            Value::Struct(vec![("a".into(), text("b"))]),
            Value::Map(vec![(text("k"), Value::Integer(1))]),
        ];
        let judged = JudgedRow {
            difference: RowDifference {
                key: values.clone(),
                old_customer: Some(Customer::Named("*".into())),
                new_customer: Some(Customer::Null),
                change: RowChange::Cells(vec![CellDifference {
                    column: 3,
                    old: values[3].clone(),
                    new: Value::Null,
                }]),
            },
            rules: vec![Some(2), None],
        };
        let mut bytes = Vec::new();
        judged.encode(&mut bytes);
        judged.encode(&mut bytes);
        assert_eq!(decode_all::<JudgedRow>(&bytes), [judged.clone(), judged]);
    }
}
