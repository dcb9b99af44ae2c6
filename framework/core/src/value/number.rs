//! Numbers of every type on one line, without rounding.

use std::cmp::Ordering;
use std::str::FromStr;

use bigdecimal::BigDecimal;

use super::Value;

/// What number a value is.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Number {
    /// A finite number, exactly.
    Finite(BigDecimal),
    /// Below every number.
    MinusInfinity,
    /// Above every number.
    Infinity,
    /// No number.
    Undefined,
}

impl Number {
    /// The number that the value is, to the last bit; `None` for what is no number.
    /// A float is a binary fraction here: 0.1 is a little more than a tenth.
    pub(crate) fn exact(value: &Value) -> Option<Self> {
        match value {
            Value::Float(float) => Some(Self::of_float(*float, exact_float)),
            Value::Float32(float) => Some(Self::of_float(f64::from(*float), exact_float)),
            other => Self::of_integer_or_decimal(other),
        }
    }

    /// The number that people read: a float counts as the shortest decimal that reads back as it, so 0.1 is a tenth.
    pub(crate) fn shortest(value: &Value) -> Option<Self> {
        match value {
            Value::Float(float) => Some(Self::of_float(*float, |finite| {
                from_text(&format!("{finite:e}"))
            })),
            Value::Float32(float) => Some(Self::of_float(f64::from(*float), |_| {
                from_text(&format!("{float:e}"))
            })),
            other => Self::of_integer_or_decimal(other),
        }
    }

    fn of_integer_or_decimal(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(integer) => Some(Self::Finite(BigDecimal::from(*integer))),
            Value::Decimal(decimal) => Some(Self::Finite(decimal.clone())),
            _ => None,
        }
    }

    fn of_float(float: f64, finite: impl Fn(f64) -> BigDecimal) -> Self {
        match (float.is_nan(), float.is_finite(), float > 0.0) {
            (true, ..) => Self::Undefined,
            (_, true, _) => Self::Finite(finite(float)),
            (.., true) => Self::Infinity,
            (.., false) => Self::MinusInfinity,
        }
    }

    /// A total order: the infinities at the ends, NaN after everything and equal to itself.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Finite(a), Self::Finite(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::MinusInfinity => 0,
            Self::Finite(_) => 1,
            Self::Infinity => 2,
            Self::Undefined => 3,
        }
    }
}

fn exact_float(finite: f64) -> BigDecimal {
    BigDecimal::try_from(finite).expect("a finite float is a decimal fraction")
}

fn from_text(shortest: &str) -> BigDecimal {
    BigDecimal::from_str(shortest).expect("a finite float is written as a decimal number")
}
