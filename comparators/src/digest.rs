//! 128-bit digests of cells, such that the same value has the same digest on both sides.
//!
//! A cell is taken into its column's [`Domain`] before it is hashed: integers of every width, decimals at one scale,
//! floats with one NaN and one zero, times in nanoseconds. What is hashed is never a concatenation of values of
//! unknown length: nested values hash the digests of their parts.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Int16Type, Int32Type, Int64Type, RunEndIndexType};
use xxhash_rust::xxh3::xxh3_128;

use crate::align::domain::Domain;
use crate::scalar::{Scalar, visit_scalars};

mod nested;

/// The digest of NULL: the fractional digits of pi in hexadecimal, no value's hash on purpose.
const NULL: u128 = 0x243f_6a88_85a3_08d3_1319_8a2e_0370_7344;

/// The digests of all cells of an array.
pub(crate) fn cell_digests(domain: &Domain, array: &dyn Array) -> Vec<u128> {
    digests(domain, array, word_digest)
}

fn digests(domain: &Domain, array: &dyn Array, word: impl Fn(u64) -> u128 + Copy) -> Vec<u128> {
    let mut digests = Vec::with_capacity(array.len());
    visit_digests(domain, array, word, &mut |_, digest| digests.push(digest));
    digests
}

/// Adds the digests of one column's cells to the digests of their rows.
///
/// Each digest is first multiplied with an odd number of its own column, so that equal values that change places do
/// not cancel. That is multilinear hashing: whatever two rows are, only few factors would give them one sum. So words
/// need hardly be mixed before; it is the sum that is, by [`row_digest`].
pub(crate) fn add_digests(place: usize, domain: &Domain, array: &dyn Array, sums: &mut [u128]) {
    let factor = xxh3_128(format!("column {place}").as_bytes()) | 1;
    visit_digests(domain, array, folded, &mut |row, digest| {
        sums[row] = sums[row].wrapping_add(digest.wrapping_mul(factor));
    });
}

/// A word with its upper bits among its lower ones: a factor moves bits upwards only, and two floats often differ in
/// their upper bits alone. Different words stay different.
#[inline(always)]
fn folded(word: u64) -> u128 {
    u128::from(word ^ (word >> 32))
}

/// The digest of a row or a key, of the sum of its cells' digests.
///
/// Rows are summed up too, and a sum of sums would not tell which cell stands in which row: two rows that exchange a
/// value would go unseen. This step is not linear, and gives different sums different digests.
#[inline(always)]
pub(crate) fn row_digest(sum: u128) -> u128 {
    const FIRST: u128 = 0x9fb2_1c65_1e98_df25_c6a4_a793_5bd1_e995;
    const SECOND: u128 = 0xa076_1d64_78bd_642f_e703_7ed1_a0b4_28db;
    let mixed = (sum ^ (sum >> 67)).wrapping_mul(FIRST);
    let mixed = (mixed ^ (mixed >> 59)).wrapping_mul(SECOND);
    mixed ^ (mixed >> 64)
}

/// The upper half of a digest: what parts, cells and marks know of it.
pub(crate) fn upper(digest: u128) -> u64 {
    (digest >> 64) as u64
}

/// Shows each row of an array, in order, with its cell's digest.
fn visit_digests(
    domain: &Domain,
    array: &dyn Array,
    word: impl Fn(u64) -> u128 + Copy,
    visit: &mut impl FnMut(usize, u128),
) {
    match (array.data_type(), domain) {
        (DataType::Dictionary(_, _), _) => visit_dictionary(domain, array, word, visit),
        (DataType::RunEndEncoded(ends, _), _) => match ends.data_type() {
            DataType::Int16 => visit_runs::<Int16Type>(domain, array, word, visit),
            DataType::Int32 => visit_runs::<Int32Type>(domain, array, word, visit),
            _ => visit_runs::<Int64Type>(domain, array, word, visit),
        },
        (DataType::Null, _) | (_, Domain::Null) => {
            (0..array.len()).for_each(|row| visit(row, NULL))
        }
        (_, Domain::Text | Domain::Binary) => visit_bytes(array, visit),
        (_, Domain::Interval) => visit_each(array, |row| interval_digest(array, row), visit),
        (_, Domain::List(items)) => nested::visit_lists(items, array, visit),
        (_, Domain::Struct(fields)) => nested::visit_structs(fields, array, visit),
        (_, Domain::Map(keys, values)) => nested::visit_maps(keys, values, array, visit),
        _ => visit_scalars(domain, array, &mut |row, scalar| {
            visit(row, scalar_digest(scalar, word))
        }),
    }
}

#[inline(always)]
fn scalar_digest(scalar: Scalar, digest: impl Fn(u64) -> u128) -> u128 {
    match scalar {
        Scalar::Null => NULL,
        Scalar::Word(word) => digest(word.cast_unsigned()),
        Scalar::Wide(integer) => xxh3_128(&integer.to_le_bytes()),
        Scalar::Huge(integer) => xxh3_128(&integer.to_le_bytes()),
        Scalar::OffScale(integer, scale) => {
            xxh3_128(&[integer.to_le_bytes().as_slice(), &scale.to_le_bytes()].concat())
        }
    }
}

/// Two mixers of 64 bits, the finalisers of MurmurHash3 and of SplitMix64. Each gives different words different
/// numbers, so that no two words share a digest.
#[inline(always)]
fn word_digest(word: u64) -> u128 {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let low = mix(
        word ^ GOLDEN,
        [33, 33, 33],
        [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53],
    );
    let high = mix(
        word.wrapping_add(GOLDEN),
        [30, 27, 31],
        [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb],
    );
    u128::from(high) << 64 | u128::from(low)
}

#[inline(always)]
fn mix(word: u64, shifts: [u32; 3], factors: [u64; 2]) -> u64 {
    let word = (word ^ (word >> shifts[0])).wrapping_mul(factors[0]);
    let word = (word ^ (word >> shifts[1])).wrapping_mul(factors[1]);
    word ^ (word >> shifts[2])
}

/// Shows each row with the digest that it has, or with that of NULL.
fn visit_each(
    array: &dyn Array,
    digest: impl Fn(usize) -> u128,
    visit: &mut impl FnMut(usize, u128),
) {
    match array.nulls() {
        None => (0..array.len()).for_each(|row| visit(row, digest(row))),
        Some(nulls) => {
            for row in 0..array.len() {
                visit(
                    row,
                    if nulls.is_null(row) {
                        NULL
                    } else {
                        digest(row)
                    },
                );
            }
        }
    }
}

fn visit_bytes(array: &dyn Array, visit: &mut impl FnMut(usize, u128)) {
    match array.data_type() {
        DataType::Utf8 => {
            let texts = array.as_string::<i32>();
            visit_each(array, |row| xxh3_128(texts.value(row).as_bytes()), visit);
        }
        DataType::LargeUtf8 => {
            let texts = array.as_string::<i64>();
            visit_each(array, |row| xxh3_128(texts.value(row).as_bytes()), visit);
        }
        DataType::Utf8View => {
            let texts = array.as_string_view();
            visit_each(array, |row| xxh3_128(texts.value(row).as_bytes()), visit);
        }
        DataType::Binary => {
            let binaries = array.as_binary::<i32>();
            visit_each(array, |row| xxh3_128(binaries.value(row)), visit);
        }
        DataType::LargeBinary => {
            let binaries = array.as_binary::<i64>();
            visit_each(array, |row| xxh3_128(binaries.value(row)), visit);
        }
        DataType::BinaryView => {
            let binaries = array.as_binary_view();
            visit_each(array, |row| xxh3_128(binaries.value(row)), visit);
        }
        _ => {
            let binaries = array.as_fixed_size_binary();
            visit_each(array, |row| xxh3_128(binaries.value(row)), visit);
        }
    }
}

fn interval_digest(array: &dyn Array, row: usize) -> u128 {
    let (months, days, nanos) = crate::scalar::interval(array, row);
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&months.to_le_bytes());
    bytes[4..8].copy_from_slice(&days.to_le_bytes());
    bytes[8..].copy_from_slice(&nanos.to_le_bytes());
    xxh3_128(&bytes)
}

/// Each value of the dictionary is hashed once.
fn visit_dictionary(
    domain: &Domain,
    array: &dyn Array,
    word: impl Fn(u64) -> u128 + Copy,
    visit: &mut impl FnMut(usize, u128),
) {
    let dictionary = array.as_any_dictionary();
    if dictionary.values().is_empty() {
        return (0..array.len()).for_each(|row| visit(row, NULL));
    }
    let values = digests(domain, dictionary.values(), word);
    let keys = dictionary.normalized_keys();
    visit_each(array, |row| values[keys[row]], visit);
}

fn visit_runs<R: RunEndIndexType>(
    domain: &Domain,
    array: &dyn Array,
    word: impl Fn(u64) -> u128 + Copy,
    visit: &mut impl FnMut(usize, u128),
) {
    let runs = array
        .as_run_opt::<R>()
        .expect("a run-end encoded array has the run ends that its type says");
    let values = digests(domain, runs.values(), word);
    for row in 0..array.len() {
        visit(row, values[runs.get_physical_index(row)]);
    }
}

#[cfg(test)]
mod tests;
