//! A case: two small tables, rules, and what comparing them should say. A test of rules, not of data.

mod held;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::comparison::Comparison;
use crate::rule::Rule;
use crate::spec::ColumnType;
use crate::verdict::Verdict;

pub use held::{Count, Line};

/// One case of a file of cases.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Case {
    /// Its name, which no other case of its file has.
    pub name: String,
    /// The file that it stands in, as the user named it.
    pub file: String,
    /// The line that it begins in, from one.
    pub line: usize,
    /// The change and the task whose rules it tries; `None` where it has rules of its own.
    pub tries: Option<(String, String)>,
    /// The rules, in their order.
    pub rules: Vec<Rule>,
    /// The columns that identify a row.
    pub key: Vec<String>,
    /// The column that says whose row it is.
    pub customer: Option<String>,
    /// The old table.
    pub old: CaseTable,
    /// The new table.
    pub new: CaseTable,
    /// What comparing them should say.
    pub expect: Expectation,
}

/// A table whose rows stand in a file.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct CaseTable {
    /// The names of its columns.
    pub columns: Vec<String>,
    /// Types by column; those of the others are inferred over both tables, as those of CSV are.
    pub types: BTreeMap<String, ColumnType>,
    /// Its rows, a text for each column, `None` for NULL.
    pub rows: Vec<Vec<Option<String>>>,
}

/// What comparing two tables should say. What is not written is not held against it; what is written as a list of names
/// is complete: those that it does not name are nought.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Expectation {
    /// The verdict.
    pub verdict: Verdict,
    /// All differences: changed cells, rows on one side, columns added, removed and retyped.
    pub differences: Option<u64>,
    /// Rows with a difference that no rule allows.
    pub unexpected: Option<u64>,
    /// The differences that each rule expects, by name.
    pub rules: Option<BTreeMap<String, u64>>,
    /// Unexpected cells by column.
    pub columns: Option<BTreeMap<String, u64>>,
    /// Unexpected rows by customer.
    pub customers: Option<BTreeMap<String, u64>>,
}

/// What a case should say, beside what it said.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// One line for each thing that is expected.
    pub lines: Vec<Line>,
    /// Why the verdict is what it is, where counts do not say so.
    pub reasons: Vec<String>,
}

impl CaseTable {
    /// The table as CSV, every value in quotes: NULL is an empty field, and empty text is `""`.
    #[must_use]
    pub fn csv(&self) -> String {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let header: Vec<String> = self.columns.iter().map(|name| quoted(name)).collect();
        let mut csv = header.join(",") + "\n";
        for row in &self.rows {
            let cells = row.iter().map(|cell| cell.as_deref().map(quoted));
            let cells: Vec<String> = cells.map(Option::unwrap_or_default).collect();
            csv.push_str(&cells.join(","));
            csv.push('\n');
        }
        csv
    }
}

impl Case {
    /// Holds what comparing its tables said against what it should say.
    #[must_use]
    pub fn judged(&self, found: &Comparison) -> Outcome {
        held::against(&self.expect, found)
    }
}

impl Outcome {
    /// Whether everything is as expected.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.lines.iter().all(Line::is_met)
    }

    /// Expected beside found as a table, the lines that differ marked.
    #[must_use]
    pub fn table(&self) -> String {
        let rows = self.lines.iter().map(Line::cells);
        let rows: Vec<[String; 3]> = [["", "expected", "found"].map(str::to_owned)]
            .into_iter()
            .chain(rows)
            .collect();
        let width = |column: usize| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        };
        let widths = [width(0), width(1), width(2)];
        let marks = std::iter::once(true).chain(self.lines.iter().map(Line::is_met));
        let lines = rows.iter().zip(marks).map(|(row, is_met)| {
            let [what, expected, found] = row;
            let pad = |text: &str, width: usize| {
                let blanks = width.saturating_sub(text.chars().count());
                format!("{text}{}", " ".repeat(blanks))
            };
            let mark = if is_met { "" } else { "  <- differs" };
            let line = format!(
                "{}  {}  {}{mark}",
                pad(what, widths[0]),
                pad(expected, widths[1]),
                pad(found, widths[2])
            );
            line.trim_end().to_owned() + "\n"
        });
        lines.collect()
    }
}
