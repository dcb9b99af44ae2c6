//! Inputs that cannot be merged.

use arrow::datatypes::DataType;

/// Inputs that cannot be merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A column has types that no one type holds.
    #[error(
        "column `{column}` is {first_type} in `{first}` and {second_type} in `{second}`; give both the same type"
    )]
    TypesDiffer {
        /// The column.
        column: String,
        /// One input.
        first: String,
        /// The type there.
        first_type: DataType,
        /// Another one.
        second: String,
        /// The type there.
        second_type: DataType,
    },
    /// An input of a join lacks a column of the grain.
    #[error("`{input}` has no column `{column}` of the grain, by which rows are joined")]
    NoGrain {
        /// The input.
        input: String,
        /// The column.
        column: String,
    },
    /// Two inputs of a join have a column of one name that is not of the grain.
    #[error(
        "both `{first}` and `{second}` have a column `{column}`, which is not of the grain; rename it in one of them"
    )]
    ColumnTwice {
        /// The column.
        column: String,
        /// One input.
        first: String,
        /// The other one.
        second: String,
    },
    /// A column that not every input has, where that is to fail.
    #[error("column `{column}` is not in `{input}`, and `missing: fail` forbids that")]
    ColumnMissing {
        /// The column.
        column: String,
        /// The inputs that lack it.
        input: String,
    },
    /// A row that not every input has, where that is to fail.
    #[error("`{input}` lacks {rows} rows that other inputs have, and `missing: fail` forbids that")]
    RowsMissing {
        /// The input.
        input: String,
        /// How many.
        rows: i64,
    },
    /// A key of the grain stands more than once in an input, which would multiply rows.
    #[error(
        "`{input}` has {keys} keys ({grain}) more than once, which would multiply the rows of the others"
    )]
    KeysTwice {
        /// The input.
        input: String,
        /// How many keys.
        keys: i64,
        /// The grain.
        grain: String,
    },
}
