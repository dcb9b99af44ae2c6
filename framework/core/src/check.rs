//! Checks: what else is compared of a task's two outputs, beside their rows.
//!
//! A check is one further comparator and what it is told. It gives facts, findings, which rules may expect as they
//! expect other differences.

use bigdecimal::BigDecimal;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::rule::{DifferenceKind, Within};
use crate::spec::Limits;

/// One check of a task's `compare` list.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Check {
    /// Its name, or `check N` (from one) where the file gives none.
    pub name: String,
    /// What compares.
    pub kind: CheckKind,
    /// What it may use up.
    pub limits: Limits,
    /// The digest of the code that stands in no pipeline file: a command's files, the program that a Rust comparator is
    /// compiled into. Whoever looks at files fills it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Digest>,
}

/// What compares.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// Figures of both tables, each with a tolerance.
    Metrics(Metrics),
    /// A query over `old` and `new` that gives the offending rows.
    Sql {
        /// The file that holds it.
        file: String,
        /// Its text.
        sql: String,
    },
    /// A program in any language, which writes what it finds.
    Command {
        /// The program and its arguments.
        argv: Vec<String>,
        /// Globs of further files that are part of its identity.
        code: Vec<String>,
    },
    /// A comparator that is compiled into the program, by the name under which it is registered.
    Rust(String),
}

/// Figures of both tables.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Metrics {
    /// The columns whose values make a group each; without any, the whole table is one.
    pub group_by: Vec<String>,
    /// The figures.
    pub measure: Vec<Metric>,
}

/// One figure, and how far it may move.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Metric {
    /// The figure.
    pub measure: Measure,
    /// How far it may move; without it, not at all.
    pub within: Option<Within>,
}

/// What is measured of the rows of a group.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// How many there are.
    Count,
    /// The sum of a column's values.
    Sum(String),
    /// The mean of a column's values.
    Mean(String),
    /// Percentiles of a column's values.
    Percentile {
        /// The column.
        column: String,
        /// Which ones, from 0 to 100.
        at: Vec<BigDecimal>,
    },
    /// How many different values a column has.
    Distinct(String),
    /// The share of rows in which a column is NULL, from 0 to 1.
    NullRate(String),
}

impl Check {
    /// The kind of difference that its findings are.
    #[must_use]
    pub fn difference(&self) -> DifferenceKind {
        match self.kind {
            CheckKind::Metrics(_) => DifferenceKind::Metric,
            CheckKind::Sql { .. } | CheckKind::Command { .. } | CheckKind::Rust(_) => {
                DifferenceKind::Check
            }
        }
    }

    /// Whether it runs code of the user's.
    #[must_use]
    pub fn runs_code(&self) -> bool {
        matches!(self.kind, CheckKind::Command { .. } | CheckKind::Rust(_))
    }
}

impl Metrics {
    /// The columns that it names, in the file's order.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let measured = self.measure.iter();
        let measured = measured.filter_map(|metric| metric.measure.column());
        self.group_by.iter().map(String::as_str).chain(measured)
    }
}

impl Measure {
    /// The column that is measured; `None` for the count of rows.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::Count => None,
            Self::Sum(column)
            | Self::Mean(column)
            | Self::Percentile { column, .. }
            | Self::Distinct(column)
            | Self::NullRate(column) => Some(column),
        }
    }

    /// Whether only numbers have it.
    #[must_use]
    pub fn is_of_numbers(&self) -> bool {
        matches!(self, Self::Sum(_) | Self::Mean(_) | Self::Percentile { .. })
    }
}
