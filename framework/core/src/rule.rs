//! Rules: which differences were meant.

mod selector;

use std::collections::BTreeSet;

use bigdecimal::BigDecimal;
use serde::{Deserialize, Serialize};

use crate::customer::Customer;
use crate::pattern::PatternAllowance;
use crate::run_date::RunDate;

pub use selector::{ColumnSelector, TypeFamily};

/// One rule of a task's `expect` list. The first rule that selects and allows a difference expects it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// Its name, or `rule N` (from one) where the file gives none.
    pub name: String,
    /// The customers whose differences it selects; `None` selects all.
    pub customers: Option<BTreeSet<String>>,
    /// The query that `customers` was found by in this run, where one stands in the file. Until it was asked,
    /// `customers` is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_query: Option<CustomerQuery>,
    /// The columns whose cells (and schema differences) it selects.
    /// `None` selects all, and rows that stand on one side only as well.
    pub columns: Option<Vec<ColumnSelector>>,
    /// The kinds of difference that it selects; `None` selects all.
    pub kinds: Option<BTreeSet<DifferenceKind>>,
    /// A SQL predicate over `old.*`, `new.*` and the key; a row for which it is not true is not selected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate: Option<String>,
    /// Whether each of its customers that has rows must have a difference that it selects.
    #[serde(default, skip_serializing_if = "is_false")]
    pub must_change: bool,
    /// The most rows that it may expect differences of. Where there are more, it expects none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rows: Option<u64>,
    /// What it allows of what it selects.
    pub allow: Allowance,
    /// Why; `ignore` and `allow: any` have one in a pipeline file.
    pub reason: Option<String>,
    /// The last date on which it is meant to be needed.
    pub until: Option<RunDate>,
}

/// Customers, as those that a dataset names in the rows that meet a predicate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CustomerQuery {
    /// The dataset; its `customer` column names them.
    pub dataset: String,
    /// A SQL predicate over its columns; `None` takes all rows.
    pub predicate: Option<String>,
}

fn is_false(value: &bool) -> bool {
    !*value
}

/// What a rule allows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allowance {
    /// A cell may move this far.
    Within(Within),
    /// A cell may be written in another way: these are applied to both values, in this order, which must then be
    /// the same.
    Normalize(Vec<Normalizer>),
    /// The difference does not matter.
    Ignore,
    /// Any difference was meant.
    Any,
    /// Nothing: the rule only says that its customers must change.
    Nothing,
    /// A difference of this pattern, as a review accepted it; no pipeline file says this.
    Pattern(PatternAllowance),
}

/// A difference of spelling that can be taken away.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalizer {
    /// Takes white space from both ends of text.
    Trim,
    /// Makes all letters of text small.
    Case,
    /// Makes every run of white space in text one space.
    Whitespace,
    /// Takes text to Unicode's composed form, NFC.
    Nfc,
    /// Takes text to Unicode's compatible composed form, NFKC.
    Nfkc,
    /// Makes empty text NULL.
    EmptyIsNull,
    /// Takes the order from lists.
    Unordered,
}

/// How far a cell may move from old to new, inclusive, in each direction.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Within {
    /// The bound where new is greater than old.
    pub up: Bound,
    /// The bound where new is less than old.
    pub down: Bound,
}

/// A distance; where both parts are given, either suffices.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Bound {
    /// Absolute, in the column's own unit; for times and durations, in nanoseconds.
    pub abs: Option<BigDecimal>,
    /// Relative, as a fraction (`5%` is 0.05) of `of`.
    pub rel: Option<BigDecimal>,
    /// What `rel` is a fraction of.
    pub of: Base,
    /// Whether `abs` was written as a duration, which goes with times only.
    pub abs_is_duration: bool,
}

/// What a relative bound is a fraction of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// The old value's magnitude.
    #[default]
    Old,
    /// The greater of the two magnitudes.
    Max,
}

/// The kinds of difference, as rules and reports name them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// A cell of a matched row is not equal.
    Changed,
    /// A row stands in the old table only, or more often there.
    OnlyOld,
    /// A row stands in the new table only, or more often there.
    OnlyNew,
    /// The new table has a column that the old one lacks.
    ColumnAdded,
    /// The old table has a column that the new one lacks.
    ColumnRemoved,
    /// A column has another type.
    TypeChanged,
    /// A metric of the two tables differs by more than its tolerance.
    Metric,
    /// A check of the user's own, such as a query or a program, found it.
    Check,
}

impl Rule {
    /// A rule that selects everything and allows this.
    #[must_use]
    pub fn new(name: impl Into<String>, allow: Allowance) -> Self {
        Self {
            name: name.into(),
            customers: None,
            customer_query: None,
            columns: None,
            kinds: None,
            predicate: None,
            must_change: false,
            max_rows: None,
            allow,
            reason: None,
            until: None,
        }
    }

    /// Whether it selects a customer.
    #[must_use]
    pub fn names(&self, customer: &Customer) -> bool {
        let is_named = |names: &BTreeSet<String>| matches!(customer, Customer::Named(name) if names.contains(name));
        self.customers.as_ref().is_none_or(is_named)
    }
}

impl DifferenceKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Changed,
        Self::OnlyOld,
        Self::OnlyNew,
        Self::ColumnAdded,
        Self::ColumnRemoved,
        Self::TypeChanged,
        Self::Metric,
        Self::Check,
    ];

    /// The name in files: `changed`, `only_old` and so on.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::OnlyOld => "only_old",
            Self::OnlyNew => "only_new",
            Self::ColumnAdded => "column_added",
            Self::ColumnRemoved => "column_removed",
            Self::TypeChanged => "type_changed",
            Self::Metric => "metric",
            Self::Check => "check",
        }
    }
}
