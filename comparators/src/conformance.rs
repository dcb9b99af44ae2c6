//! What every comparator keeps to, to be held against one's own: the laws of [`Comparator`] as tests.
//!
//! ```
//! use std::sync::Arc;
//!
//! use arrow::array::{ArrayRef, Int64Array, RecordBatch};
//! use understudy_comparators::{CheckError, Finding, Found, Side, Sides, conformance};
//!
//! /// Whether both tables have as many rows.
//! fn row_count(sides: &Sides<'_>, found: &mut dyn Found) -> Result<u64, CheckError> {
//!     if sides.rows(Side::Old)? != sides.rows(Side::New)? {
//!         found.finding(Finding::new("rows"));
//!     }
//!     sides.all_rows()
//! }
//!
//! let table = |ids: Vec<i64>| {
//!     RecordBatch::try_from_iter([("id", Arc::new(Int64Array::from(ids)) as ArrayRef)]).unwrap()
//! };
//! let sample = conformance::Sample {
//!     old: table(vec![1, 2, 3]),
//!     new: table(vec![1, 2]),
//!     key: vec!["id".to_owned()],
//!     customer: None,
//!     // It counts rows, and looks at no column.
//!     reads: vec![],
//! };
//! conformance::require(&row_count, &sample);
//! ```
//!
//! A law is held against a [`Sample`]: two small tables between which the comparator finds something, and what of them it
//! reads. The suite turns them around, cuts them up, empties them, and takes values, columns and customers away.

mod laws;
mod tables;

#[cfg(test)]
mod tests;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::array::RecordBatch;

use crate::comparator::{CheckError, Comparator, Finding, Found};

/// Two tables between which a comparator finds something.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The old table.
    pub old: RecordBatch,
    /// The new table, with the same columns.
    pub new: RecordBatch,
    /// The columns that identify a row.
    pub key: Vec<String>,
    /// The column that says whose row it is.
    pub customer: Option<String>,
    /// The columns that the comparator looks at, the customer column aside: without them, or without their values, it
    /// cannot say that all is well.
    pub reads: Vec<String>,
}

/// The laws.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Law {
    /// It finds something in the sample, or nothing else here means anything.
    FindsTheSample,
    /// A table with itself has no findings, and was looked at.
    ItselfIsEqual,
    /// The order of rows changes nothing.
    OrderMeansNothing,
    /// How rows are cut into files changes nothing.
    CutsMeanNothing,
    /// The same question has the same answer.
    AnswersTheSameAgain,
    /// Empty tables are said, not passed.
    EmptyIsNotEqual,
    /// A table without rows beside one with rows is a finding, or not compared.
    OneEmptySideIsSeen,
    /// A column that is read and not there is a finding, or not compared.
    MissingColumnIsSeen,
    /// A column whose values have become NULL is a finding, or not compared.
    NullIsSeen,
    /// A column whose numbers have become NaN is a finding, or not compared; so is one that is NaN on both sides.
    NanIsSeen,
    /// Every finding is handed on, however many there are.
    AllAreCounted,
    /// Findings belong to customers of the tables, or to everybody.
    CustomersAreReal,
    /// What a customer on one side only does, concerns no other customer.
    CustomersAreApart,
    /// It fails by an error, and never by a panic.
    NeverPanics,
}

/// A law that was broken, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// The law.
    pub law: Law,
    /// What happened.
    pub how: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.law, self.how)
    }
}

/// Holds a comparator against every law.
///
/// # Panics
/// It breaks one; the text names all that it breaks.
#[track_caller]
pub fn require(comparator: &dyn Comparator, sample: &Sample) {
    let broken = broken_laws(comparator, sample);
    let told: Vec<String> = broken.iter().map(ToString::to_string).collect();
    assert!(
        broken.is_empty(),
        "the comparator breaks laws:\n{}",
        told.join("\n")
    );
}

/// The laws that a comparator breaks, with how it does so.
#[must_use]
pub fn broken_laws(comparator: &dyn Comparator, sample: &Sample) -> Vec<Broken> {
    let mut broken: Vec<Broken> = Vec::new();
    for law in laws::all(comparator, sample) {
        if !broken.contains(&law) {
            broken.push(law);
        }
    }
    broken
}

/// An answer.
#[derive(Debug, Default)]
struct Answer {
    findings: Vec<Finding>,
    not_compared: Vec<String>,
    looked_at: u64,
}

impl Found for Answer {
    fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn not_compared(&mut self, what: String) {
        self.not_compared.push(what);
    }
}

impl Answer {
    /// Whether it says that all is well.
    fn is_good(&self) -> bool {
        self.findings.is_empty() && self.not_compared.is_empty() && self.looked_at > 0
    }

    /// The findings in an order of their own, for those that mean the same in any order.
    fn sorted(&self) -> Vec<String> {
        let mut texts: Vec<String> = self
            .findings
            .iter()
            .map(|finding| format!("{finding:?}"))
            .collect();
        texts.sort();
        texts
    }
}

/// How a question ended.
enum Asked {
    Answered(Answer),
    Refused(CheckError),
    Panicked,
}

impl Asked {
    /// Whether nobody was told that something is wrong.
    fn is_silently_good(&self) -> bool {
        matches!(self, Self::Answered(answer) if answer.is_good())
    }
}

fn ask(comparator: &dyn Comparator, tables: &tables::Tables) -> Asked {
    let asked = catch_unwind(AssertUnwindSafe(|| tables.ask(comparator)));
    match asked {
        Ok(Ok(answer)) => Asked::Answered(answer),
        Ok(Err(error)) => Asked::Refused(error),
        Err(_) => Asked::Panicked,
    }
}
