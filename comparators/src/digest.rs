//! 128-bit digests of cells, such that the same value has the same digest on both sides.
//!
//! A cell is taken into its column's [`Domain`] before it is hashed: integers of every width, decimals at one scale,
//! floats with one NaN and one zero, times in nanoseconds. What is hashed is never a concatenation of values of
//! unknown length: nested values hash the digests of their parts.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int16Type, Int32Type, Int64Type, RunEndIndexType};
use xxhash_rust::xxh3::xxh3_128;

use crate::align::domain::Domain;

mod nested;
mod number;
mod time;

/// The digest of NULL: the fractional digits of pi in hexadecimal, no value's hash on purpose.
const NULL: u128 = 0x243f_6a88_85a3_08d3_1319_8a2e_0370_7344;

/// The digests of all cells of an array.
pub(crate) fn cell_digests(domain: &Domain, array: &dyn Array) -> Vec<u128> {
    match array.data_type() {
        DataType::Dictionary(_, _) => dictionary_digests(domain, array),
        DataType::RunEndEncoded(ends, _) => match ends.data_type() {
            DataType::Int16 => run_digests::<Int16Type>(domain, array),
            DataType::Int32 => run_digests::<Int32Type>(domain, array),
            _ => run_digests::<Int64Type>(domain, array),
        },
        DataType::Null => vec![NULL; array.len()],
        _ => plain_digests(domain, array),
    }
}

fn plain_digests(domain: &Domain, array: &dyn Array) -> Vec<u128> {
    match domain {
        Domain::Null => vec![NULL; array.len()],
        Domain::Boolean => {
            let booleans = array.as_boolean();
            digests(array, |row| word_digest(u64::from(booleans.value(row))))
        }
        Domain::Integer => number::integer_digests(array),
        Domain::Decimal { scale } => number::decimal_digests(array, *scale),
        Domain::Float => number::float_digests(array),
        Domain::Text | Domain::Binary => bytes_digests(array),
        Domain::Date | Domain::Time | Domain::Timestamp | Domain::Duration => {
            time::digests_of(array)
        }
        Domain::Interval => time::interval_digests(array),
        Domain::List(items) => nested::list_digests(items, array),
        Domain::Struct(fields) => nested::struct_digests(fields, array),
        Domain::Map(keys, values) => nested::map_digests(keys, values, array),
    }
}

/// One digest a row: `digest` of the row's value, or that of NULL.
fn digests(array: &dyn Array, digest: impl Fn(usize) -> u128) -> Vec<u128> {
    match array.nulls() {
        None => (0..array.len()).map(digest).collect(),
        Some(nulls) => (0..array.len())
            .map(|row| {
                if nulls.is_null(row) {
                    NULL
                } else {
                    digest(row)
                }
            })
            .collect(),
    }
}

fn word_digest(word: u64) -> u128 {
    xxh3_128(&word.to_le_bytes())
}

/// Integers of up to 128 bits; those that fit into 64 have one digest whatever they are stored in.
fn integer_digest(integer: i128) -> u128 {
    match i64::try_from(integer) {
        Ok(word) => word_digest(word.cast_unsigned()),
        Err(_) => xxh3_128(&integer.to_le_bytes()),
    }
}

fn bytes_digests(array: &dyn Array) -> Vec<u128> {
    match array.data_type() {
        DataType::Utf8 => {
            digests_of_bytes(array, |row| array.as_string::<i32>().value(row).as_bytes())
        }
        DataType::LargeUtf8 => {
            digests_of_bytes(array, |row| array.as_string::<i64>().value(row).as_bytes())
        }
        DataType::Utf8View => {
            digests_of_bytes(array, |row| array.as_string_view().value(row).as_bytes())
        }
        DataType::Binary => digests_of_bytes(array, |row| array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => digests_of_bytes(array, |row| array.as_binary::<i64>().value(row)),
        DataType::BinaryView => digests_of_bytes(array, |row| array.as_binary_view().value(row)),
        _ => digests_of_bytes(array, |row| array.as_fixed_size_binary().value(row)),
    }
}

fn digests_of_bytes<'a>(array: &'a dyn Array, bytes: impl Fn(usize) -> &'a [u8]) -> Vec<u128> {
    digests(array, |row| xxh3_128(bytes(row)))
}

/// Each value of the dictionary is hashed once.
fn dictionary_digests(domain: &Domain, array: &dyn Array) -> Vec<u128> {
    let dictionary = array.as_any_dictionary();
    if dictionary.values().is_empty() {
        return vec![NULL; array.len()];
    }
    let values = cell_digests(domain, dictionary.values());
    let keys = dictionary.normalized_keys();
    digests(array, |row| values[keys[row]])
}

fn run_digests<R: RunEndIndexType>(domain: &Domain, array: &dyn Array) -> Vec<u128> {
    let runs = array
        .as_run_opt::<R>()
        .expect("a run-end encoded array has the run ends that its type says");
    let values = cell_digests(domain, runs.values());
    let mut digests = Vec::with_capacity(array.len());
    for row in 0..array.len() {
        digests.push(values[runs.get_physical_index(row)]);
    }
    digests
}

/// The digests of every row of some columns, each column set apart by its place, summed up.
///
/// The sum lets a difference of one column be told from the sums alone. Each digest is first multiplied with an odd
/// number of its own column, so that equal values that change places do not cancel.
pub(crate) fn row_digests<'a>(
    columns: impl Iterator<Item = (usize, &'a Domain, &'a ArrayRef)>,
    rows: usize,
) -> Vec<u128> {
    let mut sums = vec![0_u128; rows];
    for (place, domain, array) in columns {
        let factor = column_factor(place);
        for (sum, digest) in sums.iter_mut().zip(cell_digests(domain, array)) {
            *sum = sum.wrapping_add(digest.wrapping_mul(factor));
        }
    }
    sums
}

fn column_factor(place: usize) -> u128 {
    xxh3_128(format!("column {place}").as_bytes()) | 1
}

#[cfg(test)]
mod tests;
