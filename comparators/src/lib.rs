//! The comparison engine: how two tables differ, row by row and cell by cell.
//!
//! Knows: Arrow, the types of columns, keys, duplicates, tolerance; and tables at rest, through `understudy-tables`.
//! Does not know: pipelines, runs, lanes, verdicts, SQL, DataFusion, async. Whether a difference matters is said by
//! rules that it is given, and by nobody here.
//!
//! # How it works
//!
//! [`compare`] reads each side once and keeps, of every row, a 128-bit digest of its key and one of all its compared
//! cells. Rows whose digests agree on both sides cancel without another look. Only the rows that remain are read
//! again, with their values, and it is the values that say which keys match and which cells differ.

mod align;
mod both;
mod bulk;
mod codec;
mod compare;
mod customers;
mod digest;
mod fetch;
mod held;
mod matching;
mod means;
mod pair;
mod parts;
mod projection;
mod record;
mod remaining;
mod request;
mod row_set;
mod scalar;
mod scan;
mod sorted;
mod table;
mod tally;

pub use align::AlignError;
pub use both::Side;
pub use compare::{CompareError, compare};
pub use means::TempError;
pub use request::{Findings, FindingsError, Layout, Request};
pub use scan::PassError;
pub use tally::EXPECTED_ROWS_PER_RULE;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod files;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod testing;
