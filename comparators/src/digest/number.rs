//! Digests of numbers.

use arrow::array::{Array, AsArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type, i256,
};
use xxhash_rust::xxh3::xxh3_128;

use super::{digests, integer_digest, word_digest};

pub(super) fn integer_digests(array: &dyn Array) -> Vec<u128> {
    match array.data_type() {
        DataType::Int8 => signed_digests::<Int8Type>(array),
        DataType::Int16 => signed_digests::<Int16Type>(array),
        DataType::Int32 => signed_digests::<Int32Type>(array),
        DataType::Int64 => signed_digests::<Int64Type>(array),
        DataType::UInt8 => signed_digests::<UInt8Type>(array),
        DataType::UInt16 => signed_digests::<UInt16Type>(array),
        DataType::UInt32 => signed_digests::<UInt32Type>(array),
        _ => {
            let integers = array.as_primitive::<UInt64Type>();
            digests(array, |row| integer_digest(integers.value(row).into()))
        }
    }
}

fn signed_digests<T: ArrowPrimitiveType<Native: Into<i64>>>(array: &dyn Array) -> Vec<u128> {
    let integers = array.as_primitive::<T>();
    digests(array, |row| {
        word_digest(integers.value(row).into().cast_unsigned())
    })
}

pub(super) fn float_digests(array: &dyn Array) -> Vec<u128> {
    match array.data_type() {
        DataType::Float16 => {
            let floats = array.as_primitive::<Float16Type>();
            digests(array, |row| float_digest(floats.value(row).to_f64()))
        }
        DataType::Float32 => lossless_floats(array.as_primitive::<Float32Type>()),
        DataType::Float64 => lossless_floats(array.as_primitive::<Float64Type>()),
        DataType::Int8 => lossless_floats(array.as_primitive::<Int8Type>()),
        DataType::Int16 => lossless_floats(array.as_primitive::<Int16Type>()),
        DataType::Int32 => lossless_floats(array.as_primitive::<Int32Type>()),
        DataType::UInt8 => lossless_floats(array.as_primitive::<UInt8Type>()),
        DataType::UInt16 => lossless_floats(array.as_primitive::<UInt16Type>()),
        _ => lossless_floats(array.as_primitive::<UInt32Type>()),
    }
}

fn lossless_floats<T: ArrowPrimitiveType<Native: Into<f64>>>(
    array: &PrimitiveArray<T>,
) -> Vec<u128> {
    digests(array, |row| float_digest(array.value(row).into()))
}

fn float_digest(float: f64) -> u128 {
    word_digest(normal_bits(float))
}

/// The bits of a float, of which NaN has one pattern and zero one sign.
pub(super) fn normal_bits(float: f64) -> u64 {
    if float.is_nan() {
        f64::NAN.to_bits()
    } else if float == 0.0 {
        0
    } else {
        float.to_bits()
    }
}

pub(super) fn decimal_digests(array: &dyn Array, scale: i8) -> Vec<u128> {
    match array.data_type() {
        DataType::Decimal32(_, own) => {
            let decimals = array.as_primitive::<Decimal32Type>();
            scaled_digests(array, *own, scale, |row| {
                i256::from_i128(decimals.value(row).into())
            })
        }
        DataType::Decimal64(_, own) => {
            let decimals = array.as_primitive::<Decimal64Type>();
            scaled_digests(array, *own, scale, |row| {
                i256::from_i128(decimals.value(row).into())
            })
        }
        DataType::Decimal128(_, own) => {
            let decimals = array.as_primitive::<Decimal128Type>();
            scaled_digests(array, *own, scale, |row| {
                i256::from_i128(decimals.value(row))
            })
        }
        DataType::Decimal256(_, own) => {
            let decimals = array.as_primitive::<Decimal256Type>();
            scaled_digests(array, *own, scale, |row| decimals.value(row))
        }
        _ => integers_at_scale(array, scale),
    }
}

fn integers_at_scale(array: &dyn Array, scale: i8) -> Vec<u128> {
    fn of<T: ArrowPrimitiveType<Native: Into<i128>>>(array: &dyn Array, scale: i8) -> Vec<u128> {
        let integers = array.as_primitive::<T>();
        scaled_digests(array, 0, scale, |row| {
            i256::from_i128(integers.value(row).into())
        })
    }
    match array.data_type() {
        DataType::Int8 => of::<Int8Type>(array, scale),
        DataType::Int16 => of::<Int16Type>(array, scale),
        DataType::Int32 => of::<Int32Type>(array, scale),
        DataType::Int64 => of::<Int64Type>(array, scale),
        DataType::UInt8 => of::<UInt8Type>(array, scale),
        DataType::UInt16 => of::<UInt16Type>(array, scale),
        DataType::UInt32 => of::<UInt32Type>(array, scale),
        _ => of::<UInt64Type>(array, scale),
    }
}

/// Digests of unscaled values, taken from their own scale to one that is not smaller.
fn scaled_digests(
    array: &dyn Array,
    own: i8,
    scale: i8,
    unscaled: impl Fn(usize) -> i256,
) -> Vec<u128> {
    let factor =
        i256::from_i128(10).checked_pow((i32::from(scale) - i32::from(own)).unsigned_abs());
    digests(array, |row| {
        let value = unscaled(row);
        match factor.and_then(|factor| value.checked_mul(factor)) {
            Some(scaled) => wide_digest(scaled),
            // More digits than the type says it has: what can be said is that it is this value at this scale.
            None => xxh3_128(&[value.to_le_bytes().as_slice(), &own.to_le_bytes()].concat()),
        }
    })
}

fn wide_digest(integer: i256) -> u128 {
    integer
        .to_i128()
        .map_or_else(|| xxh3_128(&integer.to_le_bytes()), integer_digest)
}
