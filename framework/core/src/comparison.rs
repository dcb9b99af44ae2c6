//! What a comparison found: facts about two tables, each with the rule that expects it, if one does.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::customer::Customer;
use crate::rule::DifferenceKind;
use crate::value::Value;

/// A row that differs.
#[derive(Clone, PartialEq, Debug)]
pub struct RowDifference {
    /// The key columns' values, in the order of the key; empty without a key.
    pub key: Vec<Value>,
    /// Whose row it is in the old table; `None` where it is not there.
    pub old_customer: Option<Customer>,
    /// Whose row it is in the new table; `None` where it is not there.
    pub new_customer: Option<Customer>,
    /// How it differs.
    pub change: RowChange,
}

/// How a row differs.
#[derive(Clone, PartialEq, Debug)]
pub enum RowChange {
    /// The rows match on the key and these cells, at least one, are not equal.
    Cells(Vec<CellDifference>),
    /// It stands in the old table only (or once more often there), with these values by compared column.
    OnlyOld(Vec<Value>),
    /// It stands in the new table only (or once more often there), with these values by compared column.
    OnlyNew(Vec<Value>),
}

/// One cell of a matched row that is not equal.
#[derive(Clone, PartialEq, Debug)]
pub struct CellDifference {
    /// The position of the column among the compared columns.
    pub column: usize,
    /// The old value.
    pub old: Value,
    /// The new value.
    pub new: Value,
}

/// A difference between the two schemas.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SchemaDifference {
    /// The column's name.
    pub column: String,
    /// `column_added`, `column_removed` or `type_changed`.
    pub kind: DifferenceKind,
    /// The old type, where there is one.
    pub old: Option<String>,
    /// The new type, where there is one.
    pub new: Option<String>,
    /// The name of the rule that expects it.
    pub rule: Option<String>,
}

/// The findings of one comparison, summed up: what `summary.json` holds and what a verdict is built from.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Comparison {
    /// Counts of rows.
    pub rows: RowCounts,
    /// Counts by compared column, in the old table's order.
    pub columns: Vec<ColumnCounts>,
    /// Differences of schema.
    pub schema: Vec<SchemaDifference>,
    /// Counts by customer; the one entry `*` where the table has no customer column.
    pub customers: BTreeMap<Customer, CustomerCounts>,
    /// Counts by rule, in the order of the rules.
    pub rules: Vec<RuleCounts>,
    /// What further comparators found, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckFound>,
    /// Columns whose values could not be compared, with the reason.
    pub not_compared: Vec<NotCompared>,
    /// What is worth knowing and is no difference.
    pub notes: Vec<String>,
}

/// Counts of rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RowCounts {
    /// Rows of the old table.
    pub old: u64,
    /// Rows of the new table.
    pub new: u64,
    /// Pairs of rows that match on the key.
    pub matched: u64,
    /// Pairs with a cell that is not exactly equal.
    pub changed: u64,
    /// Rows that only the old table has.
    pub only_old: u64,
    /// Rows that only the new table has.
    pub only_new: u64,
    /// Keys that stand more than once on a side.
    pub duplicate_keys: u64,
    /// Rows (pairs and one-sided) with a difference that no rule allows.
    pub unexpected: u64,
}

/// Counts of one column.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ColumnCounts {
    /// The column's name.
    pub name: String,
    /// Cells of matched rows that are not exactly equal.
    pub changed: u64,
    /// Those of them that no rule allows.
    pub unexpected: u64,
}

/// Counts of one customer's rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct CustomerCounts {
    /// Rows in the old table.
    pub old: u64,
    /// Rows in the new table.
    pub new: u64,
    /// Pairs with a cell that is not exactly equal.
    pub changed: u64,
    /// Rows that only the old table has.
    pub only_old: u64,
    /// Rows that only the new table has.
    pub only_new: u64,
    /// Rows (pairs and one-sided) that differ as some rule expects, in every cell.
    pub expected: u64,
    /// Rows (pairs and one-sided) with a difference that no rule allows.
    pub unexpected: u64,
}

/// What one rule explained.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RuleCounts {
    /// The rule's name.
    pub name: String,
    /// Differences (cells, one-sided rows, schema, findings of checks) that it expects.
    pub differences: u64,
    /// Rows (pairs and one-sided) of which it expects a difference, for one of their customers at least.
    #[serde(default)]
    pub rows: u64,
    /// The differences by customer: one of a row that moved between two counts for each for whom this rule expects it.
    /// Those of the schema belong to every customer, and are not among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub customers: BTreeMap<Customer, u64>,
    /// Rows that it would have expected differences of, where those were more than it may: it counts as absent then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exceeded: Option<u64>,
    /// Customers that it says must change, and that have rows and did not.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unmet: BTreeSet<Customer>,
}

/// What one further comparator found: a metric, a query, a program.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CheckFound {
    /// Its name.
    pub name: String,
    /// `metric` or `check`.
    pub kind: DifferenceKind,
    /// What it found, or why it could not compare.
    pub outcome: Result<CheckFindings, String>,
}

/// The findings of one further comparator.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct CheckFindings {
    /// How many things it looked at, such as metrics by group or rows.
    pub looked_at: u64,
    /// Findings that no rule allows.
    pub unexpected: u64,
    /// Findings that some rule expects.
    pub expected: u64,
    /// Unexpected findings by customer; those that belong to every customer are not among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub customers: BTreeMap<Customer, u64>,
    /// The first of them, those that no rule expects before the others.
    pub examples: Vec<CheckFinding>,
    /// What of its work it could not do, each a sentence: of that, nothing is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_compared: Vec<String>,
}

/// One finding of a further comparator.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CheckFinding {
    /// Whose it is; `None` where it belongs to every customer.
    pub customer: Option<Customer>,
    /// The column that it is about, if it is about one.
    pub column: Option<String>,
    /// What it is about, in words: a metric and its group, or the cells of an offending row.
    pub what: String,
    /// The old figure's text.
    pub old: Option<String>,
    /// The new figure's text.
    pub new: Option<String>,
    /// New minus old, where there is such a thing.
    pub delta: Option<String>,
    /// The name of the rule that expects it.
    pub rule: Option<String>,
}

/// A column whose values could not be compared.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NotCompared {
    /// The column's name.
    pub column: String,
    /// Why not.
    pub reason: String,
}
