//! What trying cases found: for people, for programs, for a CI server.

use std::fmt::Write as _;

use serde::Serialize;
use understudy_core::case::{Case, Line};

use super::Tried;
use crate::report::files::example::{Example, ExampleCell};
use crate::report::junit::{Cases, document};
use crate::report::terminal::{Ink, Tone, counted};
use crate::report::visible::{visible, visible_lines};

/// The format of what `test --json` prints.
pub const TEST_FORMAT: u32 = 1;
/// The differences that are shown of a case that fails.
const MAX_EXAMPLES: usize = 5;
/// The characters of one value.
const MAX_VALUE_CHARS: usize = 60;

/// All cases that were tried.
#[derive(Debug, Serialize)]
pub struct TestReport {
    /// The format, [`TEST_FORMAT`].
    pub version: u32,
    /// How many said what they should.
    pub passed: usize,
    /// How many did not.
    pub failed: usize,
    /// The cases.
    pub cases: Vec<CaseReport>,
}

/// One case that was tried.
#[derive(Debug, Serialize)]
pub struct CaseReport {
    /// Its file.
    pub file: String,
    /// Its line there.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// How it ended.
    pub status: Status,
    /// What it should say, beside what it said.
    pub lines: Vec<Line>,
    /// Why the verdict is what it is, or why there is none.
    pub reasons: Vec<String>,
    /// Unexpected differences.
    pub differences: Vec<String>,
    #[serde(skip)]
    table: String,
}

/// How a case ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It said what it should.
    Passed,
    /// It said something else.
    Failed,
    /// It said something else, and its file says that now.
    Blessed,
    /// Its tables could not be compared.
    NotCompared,
}

impl CaseReport {
    /// The report of a case.
    #[must_use]
    pub fn new(case: &Case, tried: &Tried) -> Self {
        let (status, lines, reasons, table) = match &tried.outcome {
            Ok(outcome) if outcome.is_met() => (
                Status::Passed,
                outcome.lines.clone(),
                Vec::new(),
                String::new(),
            ),
            Ok(outcome) => (
                Status::Failed,
                outcome.lines.clone(),
                outcome.reasons.clone(),
                outcome.table(),
            ),
            Err(failure) => (
                Status::NotCompared,
                Vec::new(),
                vec![format!("the comparison {}", failure.message)],
                String::new(),
            ),
        };
        let shown = tried.examples.iter().take(MAX_EXAMPLES);
        Self {
            file: case.file.clone(),
            line: case.line,
            name: case.name.clone(),
            status,
            lines,
            reasons,
            differences: shown.map(sentence).collect(),
            table,
        }
    }
}

impl TestReport {
    /// The report of some cases.
    #[must_use]
    pub fn new(cases: Vec<CaseReport>) -> Self {
        let count = |good: bool| {
            let is_good = |case: &&CaseReport| {
                matches!(case.status, Status::Passed | Status::Blessed) == good
            };
            cases.iter().filter(is_good).count()
        };
        Self {
            version: TEST_FORMAT,
            passed: count(true),
            failed: count(false),
            cases,
        }
    }

    /// For people: each case in a line, one that fails with what it should say beside what it said.
    #[must_use]
    pub fn text(&self, ink: Ink) -> String {
        let mut text = String::new();
        for case in &self.cases {
            let (tone, word) = match case.status {
                Status::Passed => (Tone::Good, "ok      "),
                Status::Blessed => (Tone::Doubt, "BLESSED "),
                Status::Failed => (Tone::Bad, "FAILED  "),
                Status::NotCompared => (Tone::Bad, "WRONG   "),
            };
            let place = match case.status {
                Status::Passed => case.file.clone(),
                _ => format!("{}:{}", case.file, case.line),
            };
            let _ = writeln!(
                text,
                "{}{}: {}",
                ink.paint(tone, word),
                visible(&place),
                visible(&case.name)
            );
            if matches!(case.status, Status::Passed) {
                continue;
            }
            for line in visible_lines(&case.table).lines() {
                let _ = writeln!(text, "          {line}");
            }
            for reason in &case.reasons {
                let _ = writeln!(text, "          because {}", visible(reason));
            }
            for difference in &case.differences {
                let _ = writeln!(text, "          unexpected: {}", visible(difference));
            }
        }
        let cases = counted(self.cases.len() as u64, "case", "cases");
        let failed = match self.failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        let _ = writeln!(text, "{cases}: {} passed{failed}", self.passed);
        text
    }

    /// For a CI server: a suite a file, a case a case.
    #[must_use]
    pub fn junit(&self) -> String {
        let mut suites = String::new();
        for file in self.cases.chunk_by(|a, b| a.file == b.file) {
            let mut cases = Cases::default();
            for case in file {
                let words = format!("{}\n{}", case.table, case.reasons.join("\n"));
                let failed = match case.status {
                    Status::Passed | Status::Blessed => None,
                    Status::Failed => Some("says something else"),
                    Status::NotCompared => Some("not compared"),
                };
                cases.tested(&case.file, &case.name, failed, &words);
            }
            cases.end(&mut suites, &file[0].file, 0);
        }
        document("understudy test", &suites)
    }
}

/// A difference in a line.
fn sentence(example: &Example) -> String {
    let value = |text: &Option<String>| match text {
        None => "NULL".to_owned(),
        Some(text) if text.is_empty() => "\"\"".to_owned(),
        Some(text) => text.chars().take(MAX_VALUE_CHARS).collect(),
    };
    let key = example
        .key
        .iter()
        .map(|part| format!("{}={}", part.column, value(&part.text)));
    let mut words: Vec<String> = key.collect();
    let one_side =
        |cell: &ExampleCell| (cell.old.is_none() || cell.new.is_none()) && example.cells.len() > 1;
    for cell in &example.cells {
        words.push(if one_side(cell) {
            let side = cell.old.as_ref().or(cell.new.as_ref()).cloned();
            format!("{}={}", cell.column, value(&side))
        } else {
            format!(
                "{}: {} -> {}",
                cell.column,
                value(&cell.old),
                value(&cell.new)
            )
        });
    }
    format!("{} {}", example.kind.name(), words.join("  "))
}
