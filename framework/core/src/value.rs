//! One cell's value, exact and typed, without Arrow.
//!
//! What equals what, in which order values stand and how they read is the same wherever values are compared,
//! sorted or shown, and is said once: in the files of this module.

use bigdecimal::BigDecimal;

mod number;
mod order;
mod render;
mod shift;

pub(crate) use number::Number;

/// A cell. Integers and decimals are exact and of any size; they never pass through a float.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// No value.
    Null,
    /// True or false.
    Boolean(bool),
    /// Any integer type.
    Integer(i128),
    /// Any decimal type, with its scale.
    Decimal(BigDecimal),
    /// A 64-bit float.
    Float(f64),
    /// A narrower float (16 or 32 bits), kept apart because its shortest decimal form differs.
    Float32(f32),
    /// Text, as it stands.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// Days since 1970-01-01.
    Date(i64),
    /// Nanoseconds since midnight.
    Time(i128),
    /// An instant: nanoseconds since 1970-01-01T00:00:00 UTC, and the label of its zone.
    /// Without a label it is a reading of some clock, whose instant nobody knows.
    Timestamp {
        /// Nanoseconds since the epoch.
        nanos: i128,
        /// The zone's label, such as `UTC` or `America/New_York`.
        zone: Option<String>,
    },
    /// An elapsed time, in nanoseconds.
    Duration(i128),
    /// A calendar interval.
    Interval {
        /// Whole months.
        months: i64,
        /// Whole days.
        days: i64,
        /// Nanoseconds within the day.
        nanos: i128,
    },
    /// Values in order.
    List(Vec<Value>),
    /// Fields by name.
    Struct(Vec<(String, Value)>),
    /// Keys with values; the order of keys means nothing.
    Map(Vec<(Value, Value)>),
}
