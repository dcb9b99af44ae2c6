//! The conformance suite over queries and programs, good and bad.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use understudy_comparators::conformance::{Law, Sample, broken_laws, require};
use understudy_comparators::{CheckError, Comparator, Found, Sides};

use super::*;
use crate::Start;

fn sample() -> Sample {
    let table = |amounts: [f64; 6]| {
        let columns: [(&str, ArrayRef); 3] = [
            ("id", Arc::new(Int64Array::from_iter_values(0..6))),
            (
                "customer",
                Arc::new(StringArray::from(vec![
                    "Ann", "Bob", "Ann", "Bob", "Cid", "Cid",
                ])),
            ),
            ("amount", Arc::new(Float64Array::from(amounts.to_vec()))),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    };
    Sample {
        old: table([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        new: table([1.0, 2.5, 3.0, 4.0, 5.0, 6.5]),
        key: vec!["id".to_owned()],
        customer: Some("customer".to_owned()),
        reads: vec!["amount".to_owned()],
    }
}

/// NaN is a finding wherever it stands: the query says so, as the engine takes it for equal to itself.
const GOOD: &str = "\
SELECT coalesce(o.customer, n.customer) AS customer, 'amount' AS \"column\", o.amount AS old, n.amount AS new,
  coalesce(o.id, n.id) AS id
FROM old o FULL JOIN new n ON o.id = n.id AND o.customer = n.customer
WHERE (o.amount IS DISTINCT FROM n.amount) OR isnan(o.amount) OR isnan(n.amount)
ORDER BY 1, 5";

#[test]
fn a_query_keeps_the_laws() {
    require(&SqlComparator::new(GOOD), &sample());
}

fn laws(comparator: &dyn Comparator) -> BTreeSet<Law> {
    let broken = broken_laws(comparator, &sample());
    broken.into_iter().map(|broken| broken.law).collect()
}

#[test]
fn a_query_that_forgets_null_is_caught() {
    let forgets = GOOD
        .replace("IS DISTINCT FROM", "<>")
        .replace(" OR isnan(o.amount) OR isnan(n.amount)", "");
    let laws = laws(&SqlComparator::new(forgets));
    assert!(laws.contains(&Law::NullIsSeen), "{laws:?}");
    assert!(laws.contains(&Law::NanIsSeen), "{laws:?}");
}

#[test]
fn a_query_of_chance_and_one_of_the_first_rows_are_caught() {
    let chance = GOOD.replace("o.amount AS old", "random() AS old");
    assert!(laws(&SqlComparator::new(chance)).contains(&Law::AnswersTheSameAgain));
    let few = format!("{GOOD} LIMIT 2");
    assert!(laws(&SqlComparator::new(few)).contains(&Law::AllAreCounted));
}

/// A program in a folder of its own for each question, as a run gives it.
struct Fresh {
    script: String,
    folder: tempfile::TempDir,
    asked: AtomicU64,
}

impl Fresh {
    fn of(script: &str) -> Self {
        Self {
            script: script.to_owned(),
            folder: tempfile::tempdir().unwrap(),
            asked: AtomicU64::new(0),
        }
    }
}

impl Comparator for Fresh {
    fn compare(&self, sides: &Sides<'_>, found: &mut dyn Found) -> Result<u64, CheckError> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        let own: PathBuf = self.folder.path().join(number.to_string());
        let program = Program {
            argv: vec!["python3".to_owned(), "-c".to_owned(), self.script.clone()],
            working_dir: self.folder.path().to_owned(),
            about: serde_json::Map::new(),
            output: own.join("found"),
            temp_dir: own.join("temp"),
            stdout: own.join("out"),
            stderr: own.join("err"),
            start: Start::default(),
        };
        CommandComparator::new(program).compare(sides, found)
    }
}

/// It counts the bytes of the files, which is no good way to compare, and tells of its context.
const PROGRAM: &str = r#"
import json, os
context = json.load(open(os.environ["UNDERSTUDY_CONTEXT"]))
assert context["customer"] == "customer" and context["key"] == ["id"], context
for side in ["old", "new"]:
    assert context[side]["folder"] == os.environ["UNDERSTUDY_" + side.upper()], context
    assert os.listdir(context[side]["folder"]) != [], context
with open(os.environ["UNDERSTUDY_OUTPUT"] + "/found.csv", "w") as out:
    out.write("customer,column,old,new,id\nBob,amount,2.0,2.5,1\n,,,,2\n")
"#;

#[test]
fn a_program_finds_both_tables_and_says_what_it_found() {
    let broken = broken_laws(&Fresh::of(PROGRAM), &sample());
    let laws: BTreeSet<Law> = broken.iter().map(|broken| broken.law).collect();
    // It finds the same in everything: that is what the suite says of it, and nothing else.
    let expected = [
        Law::ItselfIsEqual,
        Law::AllAreCounted,
        Law::CustomersAreReal,
    ];
    assert!(laws.contains(&Law::ItselfIsEqual), "{broken:?}");
    assert!(laws.iter().all(|law| expected.contains(law)), "{broken:?}");
}

#[test]
fn a_folder_with_findings_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let raw = folder.path().join("found/raw");
    std::fs::create_dir_all(&raw).unwrap();
    std::fs::write(raw.join("found.csv"), "").unwrap();
    let comparator = CommandComparator::new(Program {
        argv: vec!["true".to_owned()],
        working_dir: folder.path().to_owned(),
        about: serde_json::Map::new(),
        output: folder.path().join("found"),
        temp_dir: folder.path().join("temp"),
        stdout: folder.path().join("out"),
        stderr: folder.path().join("err"),
        start: Start::default(),
    });
    let broken = broken_laws(&comparator, &sample());
    assert_eq!(
        broken[0].to_string(),
        "FindsTheSample: it could not compare: its folder has findings already"
    );
}
