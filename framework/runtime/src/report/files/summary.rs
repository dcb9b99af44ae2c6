//! `summary.json`: a comparison and its verdict, for programs.

use std::path::Path;

use serde::{Deserialize, Serialize};
use understudy_core::comparison::Comparison;
use understudy_core::verdict::Verdict;

use super::diff::DiffFiles;
use super::record::Origin;
use super::whole_file::write_whole;
use crate::report::error::ReportError;
use crate::report::visible::quiet_json;

/// The file's name.
pub const SUMMARY_JSON: &str = "summary.json";

/// The format that this program writes.
pub const SUMMARY_FORMAT: u32 = 1;

/// The findings of one comparison, summed up.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Summary {
    /// The format, [`SUMMARY_FORMAT`].
    pub version: u32,
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is what it is, where the counts do not say so: each a sentence.
    pub reasons: Vec<String>,
    /// What the comparison was part of.
    #[serde(flatten)]
    pub origin: Origin,
    /// The counts.
    #[serde(flatten)]
    pub comparison: Comparison,
    /// What the diff files hold, and whether the CSV was capped.
    pub diff: DiffFiles,
}

impl Summary {
    /// Writes `summary.json` into a folder, in place of the one that may be there.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), ReportError> {
        let mut json = serde_json::to_string_pretty(self)
            .expect("a summary has a JSON form: its keys are texts");
        json.push('\n');
        write_whole(&folder.join(SUMMARY_JSON), &quiet_json(json))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use understudy_core::comparison::{ColumnCounts, CustomerCounts, RowCounts, RuleCounts};
    use understudy_core::customer::Customer;

    use super::*;

    fn summary() -> Summary {
        let rows = RowCounts {
            old: 3,
            new: 2,
            matched: 2,
            changed: 1,
            only_old: 1,
            unexpected: 1,
            ..Default::default()
        };
        let column = ColumnCounts {
            name: "mean".into(),
            changed: 1,
            unexpected: 0,
        };
        let customer = CustomerCounts {
            old: 3,
            new: 2,
            changed: 1,
            only_old: 1,
            expected: 1,
            unexpected: 1,
            ..Default::default()
        };
        let comparison = Comparison {
            rows,
            columns: vec![column],
            customers: [(Customer::Null, customer)].into(),
            rules: vec![RuleCounts {
                name: "moves a little".into(),
                differences: 1,
                ..RuleCounts::default()
            }],
            ..Default::default()
        };
        let origin = Origin {
            task: Some("carrier_delay".into()),
            date: Some("2013-03-10".parse().unwrap()),
            ..Default::default()
        };
        let diff = DiffFiles {
            lines: 2,
            unexpected_lines: 1,
            csv_lines: 1,
            csv_files: 1,
            csv_complete: false,
            examples: Vec::new(),
            groups: Vec::new(),
        };
        Summary {
            version: SUMMARY_FORMAT,
            verdict: Verdict::Unexpected,
            reasons: Vec::new(),
            origin,
            comparison,
            diff,
        }
    }

    #[test]
    fn it_is_json_that_comes_back_and_replaces_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(SUMMARY_JSON);
        std::fs::write(&path, "old").unwrap();
        summary().write(folder.path()).unwrap();
        let json = std::fs::read_to_string(&path).unwrap();
        let back: Summary = serde_json::from_str(&json).unwrap();
        assert_eq!(back, summary());
        expect![[r#"
            {
              "version": 1,
              "verdict": "unexpected",
              "reasons": [],
              "task": "carrier_delay",
              "date": "2013-03-10",
              "rows": {
                "old": 3,
                "new": 2,
                "matched": 2,
                "changed": 1,
                "only_old": 1,
                "only_new": 0,
                "duplicate_keys": 0,
                "unexpected": 1
              },
              "columns": [
                {
                  "name": "mean",
                  "changed": 1,
                  "unexpected": 0
                }
              ],
              "schema": [],
              "customers": {
                "*null*": {
                  "old": 3,
                  "new": 2,
                  "changed": 1,
                  "only_old": 1,
                  "only_new": 0,
                  "expected": 1,
                  "unexpected": 1
                }
              },
              "rules": [
                {
                  "name": "moves a little",
                  "differences": 1,
                  "rows": 0
                }
              ],
              "not_compared": [],
              "notes": [],
              "diff": {
                "lines": 2,
                "unexpected_lines": 1,
                "csv_lines": 1,
                "csv_files": 1,
                "csv_complete": false,
                "examples": []
              }
            }
        "#]]
        .assert_eq(&json);
    }
}
