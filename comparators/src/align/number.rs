//! Which numeric type holds every value of which other.

use arrow::datatypes::DataType;

use super::domain::{Domain, Relation};

/// A numeric type by what it can hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NumberType {
    Integer { bits: u8, signed: bool },
    Decimal { precision: u8, scale: i8 },
    Float { bits: u8 },
}

pub(super) fn number_type(data_type: &DataType) -> Option<NumberType> {
    let integer = |bits, signed| Some(NumberType::Integer { bits, signed });
    match data_type {
        DataType::Int8 => integer(8, true),
        DataType::Int16 => integer(16, true),
        DataType::Int32 => integer(32, true),
        DataType::Int64 => integer(64, true),
        DataType::UInt8 => integer(8, false),
        DataType::UInt16 => integer(16, false),
        DataType::UInt32 => integer(32, false),
        DataType::UInt64 => integer(64, false),
        DataType::Float16 => Some(NumberType::Float { bits: 16 }),
        DataType::Float32 => Some(NumberType::Float { bits: 32 }),
        DataType::Float64 => Some(NumberType::Float { bits: 64 }),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => Some(NumberType::Decimal {
            precision: *precision,
            scale: *scale,
        }),
        _ => None,
    }
}

/// The domain of two numeric types, if one holds every value of the other.
/// The widths that decimals of one precision and scale are stored in are encodings.
pub(super) fn pair_numbers(old: NumberType, new: NumberType) -> Option<(Domain, Relation)> {
    if old == new {
        return Some((old.domain(), Relation::Same));
    }
    let wider = if old.holds(new) {
        old
    } else if new.holds(old) {
        new
    } else {
        return None;
    };
    Some((
        decimal_domain(old, new).unwrap_or_else(|| wider.domain()),
        Relation::Changed,
    ))
}

/// Wherever a decimal takes part, both sides are taken to the greater scale.
fn decimal_domain(old: NumberType, new: NumberType) -> Option<Domain> {
    let scale = |number| match number {
        NumberType::Decimal { scale, .. } => Some(scale),
        NumberType::Integer { .. } => Some(0),
        NumberType::Float { .. } => None,
    };
    let is_decimal = [old, new]
        .iter()
        .any(|number| matches!(number, NumberType::Decimal { .. }));
    let (old, new) = scale(old).zip(scale(new))?;
    is_decimal.then_some(Domain::Decimal {
        scale: old.max(new),
    })
}

impl NumberType {
    fn holds(self, other: Self) -> bool {
        match (self, other) {
            (
                Self::Integer { bits, signed },
                Self::Integer {
                    bits: other_bits,
                    signed: other_signed,
                },
            ) => match (signed, other_signed) {
                (true, false) => bits > other_bits,
                (false, true) => false,
                _ => bits >= other_bits,
            },
            (Self::Float { bits }, Self::Float { bits: other_bits }) => bits >= other_bits,
            (
                Self::Float { bits },
                Self::Integer {
                    bits: integer_bits, ..
                },
            ) => integer_bits < significand_bits(bits),
            (
                Self::Decimal { precision, scale },
                Self::Decimal {
                    precision: other_precision,
                    scale: other_scale,
                },
            ) => {
                scale >= other_scale
                    && digits_before_point(precision, scale)
                        >= digits_before_point(other_precision, other_scale)
            }
            (Self::Decimal { precision, scale }, Self::Integer { bits, signed }) => {
                scale >= 0 && digits_before_point(precision, scale) >= digits_needed(bits, signed)
            }
            (Self::Integer { bits, signed: true }, Self::Decimal { precision, scale }) => {
                scale <= 0 && digits_before_point(precision, scale) < digits_needed(bits, true)
            }
            _ => false,
        }
    }
}

/// Bits of a float's significand, the hidden one included (IEEE 754 binary16, binary32, binary64).
fn significand_bits(float_bits: u8) -> u8 {
    match float_bits {
        16 => 11,
        32 => 24,
        _ => 53,
    }
}

fn digits_before_point(precision: u8, scale: i8) -> i16 {
    i16::from(precision) - i16::from(scale)
}

/// Decimal digits of the greatest integer of that type.
fn digits_needed(bits: u8, signed: bool) -> i16 {
    match (bits, signed) {
        (8, _) => 3,
        (16, _) => 5,
        (32, _) => 10,
        (_, true) => 19,
        (_, false) => 20,
    }
}
