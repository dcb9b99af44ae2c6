//! The comparison engine: how two tables differ, row by row and cell by cell.
//!
//! Knows: Arrow, the types of columns, keys, duplicates, tolerance; and tables at rest, through `understudy-tables`.
//! Does not know: pipelines, runs, lanes, verdicts, SQL, DataFusion, async. Whether a difference matters is said by
//! rules that it is given, and by nobody here.
//!
//! # How it works
//!
//! [`compare`] reads each side once and remembers hardly anything of a single row. It sums 128-bit digests of the rows
//! up in many cells, by the digest of the row's key: old rows are added, new ones taken away. Where nothing is left
//! over, the rows are the same. The rows of the other cells, mostly few, are looked for again by their keys, read, and
//! cancel one by one, by their digests. Only of those that remain are the values looked at, and it is the values that
//! say which keys match and which cells differ.
//!
//! Where a rule may expect a difference in nearly every row, as a tolerance does, a second sum leaves its columns out.
//! If only the first one differs, a pass over the key, the customer and those columns alone judges the values.

mod align;
mod both;
mod bulk;
mod codec;
mod comparator;
mod compare;
pub mod conformance;
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
mod metrics;
mod pair;
mod parts;
mod pick;
mod predicates;
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
pub mod testing;

pub use align::AlignError;
pub use both::Side;
pub use comparator::{
    CheckError, Collected, Comparator, Finding, Found, MAX_EXAMPLES, MAX_FINDING_CHARS, Share,
    Shows, Sides, SidesRequest, shortened,
};
pub use compare::{CompareError, compare, compare_typed};
pub use means::TempError;
pub use metrics::MetricsComparator;
pub use predicates::{Bound, NEW_PREFIX, OLD_PREFIX, PredicateError, Predicates};
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
mod rule_laws;
