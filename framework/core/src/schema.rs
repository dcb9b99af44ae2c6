//! What is known of a table's columns, without Arrow.

use serde::{Deserialize, Serialize};

/// What can be done with a column's values.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Integers, decimals and floats: a tolerance may be a number or a percentage.
    Number,
    /// Dates, times, timestamps and durations: a tolerance is a duration.
    Time,
    /// Text.
    Text,
    /// True or false.
    Boolean,
    /// Binary, lists, structs, maps and everything else.
    Other,
}

/// One column.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Column {
    /// Its name, exactly as in the data.
    pub name: String,
    /// The type as people read it, such as `Int64` or `Utf8`.
    pub data_type: String,
    /// What can be done with its values.
    pub kind: ColumnKind,
}

/// The columns of a table, in their order.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TableSchema(pub Vec<Column>);

impl TableSchema {
    /// The column of that exact name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.0.iter().find(|column| column.name == name)
    }

    /// All names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|column| column.name.as_str())
    }
}
