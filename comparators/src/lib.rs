//! The comparison engine: how two tables differ, row by row and cell by cell.
//!
//! Knows: Arrow, the types of columns, keys, duplicates, tolerance; and tables at rest, through `understudy-tables`.
//! Does not know: pipelines, runs, lanes, verdicts, SQL, DataFusion, async. Whether a difference matters is said by
//! rules that it is given, and by nobody here.
//!
//! # How it works
//!
//! [`compare`] reads each side once. Every row has a 128-bit digest of its compared cells, and the digests are summed
//! up in many cells, by the digest of the row's key. Where a cell's sums agree on both sides, so do its rows. The
//! rows of the other cells, mostly few, are read again and cancel one by one, by their digests. Only of those that
//! remain are the values looked at, and it is the values that say which keys match and which cells differ.
//!
//! Cells that a tolerance covers are left out of the digests and kept as values, so that a difference in every row
//! that a rule expects costs no second look either.

mod align;
mod both;
mod bulk;
mod codec;
mod compare;
mod customers;
mod digest;
mod digester;
mod doubt;
mod fetch;
mod held;
mod kept;
mod light;
mod matching;
mod means;
mod pair;
mod parts;
mod pick;
mod projection;
mod record;
mod remaining;
mod request;
mod row_set;
mod scalar;
mod scan;
mod setting;
mod sorted;
mod staging;
mod sums;
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
mod crowds;
#[cfg(test)]
mod edits;
#[cfg(test)]
mod files;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod testing;
