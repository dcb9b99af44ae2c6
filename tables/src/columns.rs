//! Arrow schemas as people and rules see them.

use arrow::datatypes::{DataType, Schema};
use understudy_core::schema::{Column, ColumnKind, TableSchema};

/// The columns of an Arrow schema. How values are stored (dictionaries, run-ends, views, 64-bit offsets) is no part of
/// a type.
#[must_use]
pub fn table_schema(schema: &Schema) -> TableSchema {
    let column = |field: &arrow::datatypes::FieldRef| Column {
        name: field.name().clone(),
        data_type: logical(field.data_type()).to_string(),
        kind: kind(field.data_type()),
    };
    TableSchema(schema.fields().iter().map(column).collect())
}

/// The type of the values, however they are stored.
#[must_use]
pub fn logical(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, values) => logical(values),
        DataType::RunEndEncoded(_, values) => logical(values.data_type()),
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        DataType::LargeList(field) | DataType::ListView(field) | DataType::LargeListView(field) => {
            DataType::List(field.clone())
        }
        other => other.clone(),
    }
}

fn kind(data_type: &DataType) -> ColumnKind {
    use DataType as T;
    match logical(data_type) {
        T::Boolean => ColumnKind::Boolean,
        T::Utf8 => ColumnKind::Text,
        T::Date32
        | T::Date64
        | T::Time32(_)
        | T::Time64(_)
        | T::Timestamp(_, _)
        | T::Duration(_) => ColumnKind::Time,
        numeric if numeric.is_numeric() => ColumnKind::Number,
        _ => ColumnKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{Field, TimeUnit};

    use super::*;

    #[test]
    fn storage_is_no_part_of_a_type() {
        let check = |data_type: DataType, expected: (&str, ColumnKind)| {
            let schema = table_schema(&Schema::new(vec![Field::new("c", data_type, true)]));
            assert_eq!((schema.0[0].data_type.as_str(), schema.0[0].kind), expected);
        };
        check(DataType::Int8, ("Int8", ColumnKind::Number));
        check(
            DataType::Decimal256(40, 2),
            ("Decimal256(40, 2)", ColumnKind::Number),
        );
        check(DataType::Utf8View, ("Utf8", ColumnKind::Text));
        let dictionary =
            DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::LargeUtf8));
        check(dictionary, ("Utf8", ColumnKind::Text));
        check(
            DataType::Timestamp(TimeUnit::Second, None),
            ("Timestamp(s)", ColumnKind::Time),
        );
        check(DataType::BinaryView, ("Binary", ColumnKind::Other));
        check(DataType::Null, ("Null", ColumnKind::Other));
    }
}
