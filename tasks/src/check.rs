//! Comparators that run code of the user's: a query, a program. Those in Rust are in the [`Registry`](crate::Registry).
//!
//! Each gives rows, in whatever way, and each row is a finding. A column with the name of the customer column says whose
//! it is; the columns `column`, `old` and `new` say what it is about, and what it was and is; all others are shown as
//! they are named.

mod command;
mod rows;
mod sql;

#[cfg(test)]
mod tests;

pub use command::{CommandComparator, Program};
pub use sql::SqlComparator;

use understudy_comparators::{CheckError, Side, Sides};

use crate::{TaskError, TaskInput};

/// Both tables as inputs, by the names `old` and `new`.
fn inputs(sides: &Sides<'_>) -> [TaskInput; 2] {
    [Side::Old, Side::New].map(|side| TaskInput {
        name: side.to_string(),
        source: sides.source(side).clone(),
        schema: sides.schema(side).clone(),
    })
}

fn failed(error: TaskError) -> CheckError {
    CheckError::Other(Box::new(error))
}
