//! Digests of lists, structs and maps: each hashes the digests of its parts.

use arrow::array::{
    Array, ArrayRef, AsArray, GenericListArray, GenericListViewArray, OffsetSizeTrait,
};
use arrow::datatypes::{ArrowNativeType as _, DataType};
use xxhash_rust::xxh3::xxh3_128;

use super::{cell_digests, visit_each};
use crate::align::domain::Domain;

pub(super) fn visit_lists(items: &Domain, array: &dyn Array, visit: &mut impl FnMut(usize, u128)) {
    match array.data_type() {
        DataType::List(_) => visit_offset_lists(items, array.as_list::<i32>(), visit),
        DataType::LargeList(_) => visit_offset_lists(items, array.as_list::<i64>(), visit),
        DataType::ListView(_) => visit_list_views(items, array.as_list_view::<i32>(), visit),
        DataType::LargeListView(_) => visit_list_views(items, array.as_list_view::<i64>(), visit),
        _ => {
            let lists = array.as_fixed_size_list();
            let parts = cell_digests(items, lists.values());
            let width = usize::try_from(lists.value_length())
                .expect("the length of a list is not negative");
            visit_each(
                array,
                |row| digest_of_parts(&parts[row * width..(row + 1) * width]),
                visit,
            );
        }
    }
}

fn visit_offset_lists<O: OffsetSizeTrait>(
    items: &Domain,
    array: &GenericListArray<O>,
    visit: &mut impl FnMut(usize, u128),
) {
    let offsets = array.value_offsets();
    let (first, last) = (offsets[0].as_usize(), offsets[array.len()].as_usize());
    let parts = cell_digests(items, &array.values().slice(first, last - first));
    let range = |row: usize| offsets[row].as_usize() - first..offsets[row + 1].as_usize() - first;
    visit_each(array, |row| digest_of_parts(&parts[range(row)]), visit);
}

fn visit_list_views<O: OffsetSizeTrait>(
    items: &Domain,
    array: &GenericListViewArray<O>,
    visit: &mut impl FnMut(usize, u128),
) {
    let parts = cell_digests(items, array.values());
    let digest = |row| {
        let start = array.value_offset(row).as_usize();
        digest_of_parts(&parts[start..start + array.value_size(row).as_usize()])
    };
    visit_each(array, digest, visit);
}

/// The fields stand in the domain's order on both sides, wherever the array has them.
pub(super) fn visit_structs(
    fields: &[(String, Domain)],
    array: &dyn Array,
    visit: &mut impl FnMut(usize, u128),
) {
    let structs = array.as_struct();
    let column = |name: &str| -> &ArrayRef {
        structs
            .column_by_name(name)
            .expect("both sides of a struct's domain have all of its fields")
    };
    let parts: Vec<_> = fields
        .iter()
        .map(|(name, domain)| cell_digests(domain, column(name)))
        .collect();
    let digest = |row| digest_of_parts(&parts.iter().map(|part| part[row]).collect::<Vec<_>>());
    visit_each(array, digest, visit);
}

/// Sorting the digests of the entries takes away their order and keeps their number.
pub(super) fn visit_maps(
    keys: &Domain,
    values: &Domain,
    array: &dyn Array,
    visit: &mut impl FnMut(usize, u128),
) {
    let maps = array.as_map();
    let offsets: Vec<usize> = maps
        .value_offsets()
        .iter()
        .map(|offset| offset.as_usize())
        .collect();
    let (first, count) = (offsets[0], offsets[array.len()] - offsets[0]);
    let keys = cell_digests(keys, &maps.keys().slice(first, count));
    let values = cell_digests(values, &maps.values().slice(first, count));
    let digest = |row: usize| {
        let entries = offsets[row] - first..offsets[row + 1] - first;
        let mut parts: Vec<_> = entries
            .map(|entry| digest_of_parts(&[keys[entry], values[entry]]))
            .collect();
        parts.sort_unstable();
        digest_of_parts(&parts)
    };
    visit_each(array, digest, visit);
}

/// Every part has the same length, so that the parts cannot run into each other.
fn digest_of_parts(parts: &[u128]) -> u128 {
    let bytes: Vec<u8> = parts.iter().flat_map(|part| part.to_le_bytes()).collect();
    xxh3_128(&bytes)
}
