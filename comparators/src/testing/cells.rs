//! Columns from text.
//!
//! A cell of a plain type is written as Arrow casts it, bytes as `0x00ff`, and a cell of a nested type as JSON: a list
//! as an array, a struct as an object, a map as an array of pairs, whose order is kept.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, FixedSizeListArray, Int64Array, LargeListArray, ListArray,
    MapArray, StringArray, StructArray, new_empty_array, new_null_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use serde_json::Value as Json;

/// A column from its cells; `None` is NULL.
pub(super) fn column(cells: &[Option<String>], data_type: &DataType) -> ArrayRef {
    match data_type {
        DataType::Null => new_null_array(data_type, cells.len()),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            cast(&bytes(cells), data_type)
        }
        DataType::FixedSizeBinary(_) => cast(&bytes(cells), data_type),
        DataType::Duration(_) => {
            let numbers = cells
                .iter()
                .map(|cell| cell.as_ref().map(|cell| cell.parse::<i64>().unwrap()));
            cast(&numbers.collect::<Int64Array>(), data_type)
        }
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(_, _) => {
            lists(&parsed(cells), data_type)
        }
        DataType::ListView(item) => {
            cast(&column(cells, &DataType::List(Arc::clone(item))), data_type)
        }
        DataType::Struct(fields) => structs(&parsed(cells), fields),
        DataType::Map(entries, is_sorted) => maps(&parsed(cells), entries, *is_sorted),
        _ => cast(&cells.iter().cloned().collect::<StringArray>(), data_type),
    }
}

fn cast(array: &dyn Array, data_type: &DataType) -> ArrayRef {
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(array, data_type, &options).unwrap()
}

fn bytes(cells: &[Option<String>]) -> BinaryArray {
    let bytes = |cell: &String| match cell.strip_prefix("0x") {
        None => cell.clone().into_bytes(),
        Some(digits) => (0..digits.len() / 2)
            .map(|byte| u8::from_str_radix(&digits[2 * byte..2 * byte + 2], 16).unwrap())
            .collect(),
    };
    let cells: Vec<Option<Vec<u8>>> = cells.iter().map(|cell| cell.as_ref().map(bytes)).collect();
    BinaryArray::from_iter(cells)
}

fn parsed(cells: &[Option<String>]) -> Vec<Json> {
    let parse = |cell: &Option<String>| match cell {
        None => Json::Null,
        Some(text) => serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}")),
    };
    cells.iter().map(parse).collect()
}

/// The column of values that stand inside others.
fn inner<'a>(values: impl Iterator<Item = &'a Json>, data_type: &DataType) -> ArrayRef {
    let text = |value: &Json| match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    column(&values.map(text).collect::<Vec<_>>(), data_type)
}

fn lists(cells: &[Json], data_type: &DataType) -> ArrayRef {
    let nulls: NullBuffer = cells.iter().map(|cell| !cell.is_null()).collect();
    let items = |cell: &'_ Json| cell.as_array().map_or(0, Vec::len);
    let values = |item: &FieldRef| {
        inner(
            cells.iter().filter_map(Json::as_array).flatten(),
            item.data_type(),
        )
    };
    match data_type {
        DataType::FixedSizeList(item, size) => {
            let padding = vec![Json::Null; usize::try_from(*size).unwrap()];
            let padded = cells
                .iter()
                .flat_map(|cell| cell.as_array().unwrap_or(&padding));
            let values = inner(padded, item.data_type());
            Arc::new(FixedSizeListArray::new(
                Arc::clone(item),
                *size,
                values,
                Some(nulls),
            ))
        }
        DataType::LargeList(item) => {
            let offsets = OffsetBuffer::<i64>::from_lengths(cells.iter().map(items));
            Arc::new(LargeListArray::new(
                Arc::clone(item),
                offsets,
                values(item),
                Some(nulls),
            ))
        }
        DataType::List(item) => {
            let offsets = OffsetBuffer::<i32>::from_lengths(cells.iter().map(items));
            Arc::new(ListArray::new(
                Arc::clone(item),
                offsets,
                values(item),
                Some(nulls),
            ))
        }
        other => panic!("{other} is no list"),
    }
}

fn structs(cells: &[Json], fields: &Fields) -> ArrayRef {
    let nulls: NullBuffer = cells.iter().map(|cell| !cell.is_null()).collect();
    let column = |field: &FieldRef| {
        inner(
            cells
                .iter()
                .map(|cell| cell.get(field.name()).unwrap_or(&Json::Null)),
            field.data_type(),
        )
    };
    let columns = fields.iter().map(column).collect();
    Arc::new(StructArray::new(fields.clone(), columns, Some(nulls)))
}

fn maps(cells: &[Json], entries: &FieldRef, is_sorted: bool) -> ArrayRef {
    let DataType::Struct(fields) = entries.data_type() else {
        panic!("{entries} is no entry of a map")
    };
    let nulls: NullBuffer = cells.iter().map(|cell| !cell.is_null()).collect();
    let pairs: Vec<&Json> = cells.iter().filter_map(Json::as_array).flatten().collect();
    let part = |number: usize, field: &Field| {
        inner(pairs.iter().map(|pair| &pair[number]), field.data_type())
    };
    let columns: Vec<ArrayRef> = if pairs.is_empty() {
        fields
            .iter()
            .map(|field| new_empty_array(field.data_type()))
            .collect()
    } else {
        vec![part(0, &fields[0]), part(1, &fields[1])]
    };
    let lengths = cells.iter().map(|cell| cell.as_array().map_or(0, Vec::len));
    Arc::new(MapArray::new(
        Arc::clone(entries),
        OffsetBuffer::from_lengths(lengths),
        StructArray::new(fields.clone(), columns, None),
        Some(nulls),
        is_sorted,
    ))
}
