//! What a comparison is asked, and who hears of what it finds.

use std::error::Error;
use std::path::Path;

use understudy_core::judge::rows::JudgedRow;
use understudy_core::rule::Rule;
use understudy_core::schema::Column;
use understudy_tables::TableSource;

use crate::predicates::Predicates;

/// Two tables to compare, how, and with what means.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The old table.
    pub old: &'a TableSource,
    /// The new table.
    pub new: &'a TableSource,
    /// The columns that identify a row.
    ///
    /// Without any, the tables are compared as multisets of rows: equal rows cancel, and what is left stands on one
    /// side only. Where rules expect changes in some columns (a tolerance, a normaliser, or columns that a rule
    /// ignores or allows by name), the remaining rows that are equal in all other columns are paired, as many as
    /// rules allow: a pair stands only if rules expect every cell in which its rows differ. So without a key there
    /// are changed rows, but no unexpected change of a row: that is a row that went and another that came.
    pub key: &'a [String],
    /// The column that says whose row it is.
    pub customer: Option<&'a str>,
    /// The rules, in their order. One with `max_rows` that would expect differences of more rows counts as absent,
    /// and the tables are compared once more without it. In tables without a key, a rule with a predicate selects no
    /// pairs, only rows of one side.
    pub rules: &'a [Rule],
    /// What understands the predicates of rules; may be `None` where no rule has one.
    pub predicates: Option<&'a dyn Predicates>,
    /// How much memory the rows of both sides may take together, in bytes. What does not fit goes to `temp_dir`.
    pub memory_bytes: u64,
    /// How many threads may work at once; at least one does.
    pub threads: usize,
    /// An existing folder for temporary files, which are gone when the comparison ends.
    pub temp_dir: &'a Path,
}

/// What the rows of the findings look like.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Layout {
    /// The key columns, in the order of the request.
    pub key: Vec<Column>,
    /// The compared columns that are not in the key, in the old table's order, with the old table's types.
    pub columns: Vec<Column>,
}

/// Receives what a comparison finds, row by row.
///
/// Every unexpected row comes; of those that a rule expects, a sample for each rule.
/// The order is by customer, then key, then kind, and the same whenever the tables are the same.
pub trait Findings {
    /// Called once, before any row.
    ///
    /// # Errors
    /// What stops the receiver stops the comparison.
    fn begin(&mut self, layout: &Layout) -> Result<(), FindingsError>;

    /// Takes one row that differs.
    ///
    /// # Errors
    /// What stops the receiver stops the comparison.
    fn row(&mut self, row: JudgedRow) -> Result<(), FindingsError>;
}

/// The receiver of the findings could not go on.
#[derive(Debug, thiserror::Error)]
#[error("the findings could not be written")]
pub struct FindingsError(#[source] Box<dyn Error + Send + Sync>);

impl FindingsError {
    /// Wraps what stopped the receiver.
    #[must_use]
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}
