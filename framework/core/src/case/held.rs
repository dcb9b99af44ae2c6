//! What was found, held against what is expected.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Expectation, Outcome};
use crate::comparison::Comparison;
use crate::customer::Customer;
use crate::judge::lanes::judge_comparison;
use crate::verdict::Verdict;

/// One thing that is expected, beside what was found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Line {
    /// The verdict.
    Verdict {
        /// What it should be.
        expected: Verdict,
        /// What it is.
        found: Verdict,
    },
    /// A number.
    Number {
        /// Of what.
        of: Count,
        /// What it should be.
        expected: u64,
        /// What it is.
        found: u64,
    },
}

/// What is counted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// All differences.
    Differences,
    /// Rows with a difference that no rule allows.
    Unexpected,
    /// The differences that a rule expects.
    Rule(String),
    /// A column's unexpected cells.
    Column(String),
    /// A customer's unexpected rows.
    Customer(String),
}

impl Line {
    /// Whether what was found is what is expected.
    #[must_use]
    pub fn is_met(&self) -> bool {
        match self {
            Self::Verdict { expected, found } => expected == found,
            Self::Number {
                expected, found, ..
            } => expected == found,
        }
    }

    pub(super) fn cells(&self) -> [String; 3] {
        match self {
            Self::Verdict { expected, found } => [
                "verdict".to_owned(),
                expected.to_string(),
                found.to_string(),
            ],
            Self::Number {
                of,
                expected,
                found,
            } => [of.name(), expected.to_string(), found.to_string()],
        }
    }
}

impl Count {
    fn name(&self) -> String {
        match self {
            Self::Differences => "differences".to_owned(),
            Self::Unexpected => "unexpected rows".to_owned(),
            Self::Rule(name) => format!("rule \"{name}\""),
            Self::Column(name) => format!("unexpected in `{name}`"),
            Self::Customer(name) => format!("unexpected rows of {name}"),
        }
    }
}

pub(super) fn against(expect: &Expectation, found: &Comparison) -> Outcome {
    let judged = judge_comparison(found, Vec::new());
    let mut lines = vec![Line::Verdict {
        expected: expect.verdict,
        found: judged.verdict,
    }];
    let number = |of, expected: Option<u64>, found| {
        expected.map(|expected| Line::Number {
            of,
            expected,
            found,
        })
    };
    lines.extend(number(
        Count::Differences,
        expect.differences,
        differences(found),
    ));
    lines.extend(number(
        Count::Unexpected,
        expect.unexpected,
        found.rows.unexpected,
    ));
    let rules = found.rules.iter();
    let rules = rules.map(|rule| (rule.name.clone(), rule.differences));
    lines.extend(named(Count::Rule, expect.rules.as_ref(), rules));
    let columns = found.columns.iter();
    let columns = columns.map(|column| (column.name.clone(), column.unexpected));
    lines.extend(named(Count::Column, expect.columns.as_ref(), columns));
    let customers = found
        .customers
        .iter()
        .filter(|(customer, _)| **customer != Customer::Everybody);
    let customers = customers.map(|(customer, counts)| (customer.label(), counts.unexpected));
    lines.extend(named(Count::Customer, expect.customers.as_ref(), customers));
    Outcome {
        lines,
        reasons: judged.reasons,
    }
}

/// Changed cells, rows on one side, differences of schema, and findings of checks.
fn differences(found: &Comparison) -> u64 {
    let cells: u64 = found.columns.iter().map(|column| column.changed).sum();
    let checks = found
        .checks
        .iter()
        .filter_map(|check| check.outcome.as_ref().ok());
    let checks: u64 = checks.map(|check| check.unexpected + check.expected).sum();
    cells + found.rows.only_old + found.rows.only_new + found.schema.len() as u64 + checks
}

/// One line for each name on either side; what is nought on both is none, unless it is written.
fn named(
    count: impl Fn(String) -> Count,
    expected: Option<&BTreeMap<String, u64>>,
    found: impl Iterator<Item = (String, u64)>,
) -> Vec<Line> {
    let Some(expected) = expected else {
        return Vec::new();
    };
    let found: BTreeMap<String, u64> = found.collect();
    let nonzero = found.iter().filter(|(_, number)| **number > 0);
    let names: BTreeSet<&String> = expected
        .keys()
        .chain(nonzero.map(|(name, _)| name))
        .collect();
    let of = |names: &BTreeMap<String, u64>, name| names.get(name).copied().unwrap_or(0);
    names
        .into_iter()
        .map(|name| Line::Number {
            of: count(name.clone()),
            expected: of(expected, name),
            found: of(&found, name),
        })
        .collect()
}
