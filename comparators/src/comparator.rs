//! What compares two tables in a way of its own, beside the comparison of rows: one trait, whoever implements it.
//!
//! A [`Comparator`] gets both tables as [`Sides`] and hands on [`Finding`]s: facts, and never what they mean. Whether
//! one matters is said by rules, in [`Collected`], which also counts and keeps a few as examples. What cannot be
//! compared is an error, or is told as such: nobody takes it for good.

mod collected;
mod sides;

use std::error::Error;

use understudy_core::customer::Customer;
use understudy_core::value::Value;
use understudy_tables::TableError;

pub use collected::{Collected, MAX_EXAMPLES, MAX_FINDING_CHARS, Share, shortened};
pub use sides::{Sides, SidesRequest};

use crate::both::Side;

/// Says how two tables differ.
///
/// The same tables must give the same findings, in whatever order their rows stand and however they are cut into files.
/// [`conformance`](crate::conformance) has these laws, to be held against every implementation.
pub trait Comparator: Send + Sync {
    /// Hands every finding on, however many there are, and gives how many things were looked at: figures, or rows.
    /// Nothing at all is no answer: it counts as not compared.
    ///
    /// # Errors
    /// The tables cannot be compared; nothing that was found before counts then.
    fn compare(&self, sides: &Sides<'_>, found: &mut dyn Found) -> Result<u64, CheckError>;
}

impl<F> Comparator for F
where
    F: Fn(&Sides<'_>, &mut dyn Found) -> Result<u64, CheckError> + Send + Sync,
{
    fn compare(&self, sides: &Sides<'_>, found: &mut dyn Found) -> Result<u64, CheckError> {
        self(sides, found)
    }
}

/// Takes what a comparator finds.
pub trait Found {
    /// Takes a finding.
    fn finding(&mut self, finding: Finding);

    /// Takes note of something that could not be compared, in a sentence without values of the data. The findings
    /// still count; of this nothing is known.
    fn not_compared(&mut self, what: String);
}

/// One thing that a comparator found.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Finding {
    /// Whose it is; `None` where it belongs to every customer.
    pub customer: Option<Customer>,
    /// The column that it is about, if it is about one.
    pub column: Option<String>,
    /// What it is about, in words and without values: a metric, or nothing where the cells say it.
    pub what: String,
    /// Values that go with it, by name: those of its group, or of the offending row.
    pub cells: Vec<(String, Value)>,
    /// The old and the new figure, where there are two.
    pub figures: Option<[Value; 2]>,
    /// What the figures tell of the column.
    pub shows: Shows,
}

/// What figures tell of the column that they are about: where values are masked, it matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Shows {
    /// Values of it, or what they can be guessed from, as sums.
    #[default]
    Values,
    /// How many there are, and no value.
    Counts,
}

impl Finding {
    /// A finding in words.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            ..Self::default()
        }
    }

    /// The same, of a customer.
    #[must_use]
    pub fn of(mut self, customer: Customer) -> Self {
        self.customer = Some(customer);
        self
    }

    /// The same, about a column.
    #[must_use]
    pub fn about(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    /// The same, with a value that goes with it.
    #[must_use]
    pub fn cell(mut self, name: impl Into<String>, value: Value) -> Self {
        self.cells.push((name.into(), value));
        self
    }

    /// The same, with what it was and what it is.
    #[must_use]
    pub fn figures(mut self, old: Value, new: Value) -> Self {
        self.figures = Some([old, new]);
        self
    }
}

/// Tables that cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// A table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Neither table has a row.
    #[error("both tables are empty: there was nothing to look at")]
    Empty,
    /// A column is not there.
    #[error("{}", lacking(column, sides))]
    NoColumn {
        /// The column.
        column: String,
        /// The tables that lack it.
        sides: Vec<Side>,
    },
    /// A column's type does not go with what is asked.
    #[error("column `{column}` {problem}")]
    Misfit {
        /// The column.
        column: String,
        /// What is wrong with it, after its name.
        problem: String,
    },
    /// More groups than there is memory for.
    #[error(
        "the rows make more than {groups} groups, and there is no memory for more; group by fewer columns, or give the check more with `limits: {{ memory: … }}`"
    )]
    TooManyGroups {
        /// Those that there is memory for.
        groups: usize,
    },
    /// A temporary file cannot be used.
    #[error("a temporary file cannot be used")]
    Temp(#[from] std::io::Error),
    /// Whatever else keeps a comparator from an answer.
    #[error(transparent)]
    Other(#[from] Box<dyn Error + Send + Sync>),
}

impl CheckError {
    /// An error in words.
    #[must_use]
    pub fn other(text: impl Into<String>) -> Self {
        Self::Other(text.into().into())
    }
}

fn lacking(column: &str, sides: &[Side]) -> String {
    match sides {
        [one] => format!("the {one} table has no column `{column}`"),
        _ => format!("neither table has a column `{column}`"),
    }
}
