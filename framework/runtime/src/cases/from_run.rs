//! A case from a difference that was found: its rows from quarantine, masked as in every report.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use understudy_core::case::{Case, CaseTable, Count, Expectation, Line};
use understudy_core::digest::Digest;
use understudy_core::plan::PlannedComparison;
use understudy_core::run::Failure;
use understudy_core::spec::cases::type_word;
use understudy_core::verdict::Verdict;
use understudy_core::visible::quiet_json;
use understudy_core::world::Side;
use understudy_tables::{TableSource, pin};

use super::{CASES_FOLDER, compare, work, wrong_answer};
use crate::mask::MaskOrder;
use crate::pipeline::Pipeline;
use crate::run::record::{self, RunRecord};
use crate::store::Store;
use crate::worker::{Answer, Crew, Job, PickJob};

/// Which difference a case is made of.
#[derive(Debug)]
pub struct FromRun<'a> {
    /// The run, by its id or the beginning of it.
    pub run: &'a str,
    /// The change; `None` where only one compares the task.
    pub change: Option<&'a str>,
    /// The task.
    pub task: &'a str,
    /// The row's key as it was typed: `a=1,b=2`, all at once or one by one.
    pub key: Vec<String>,
}

/// A case that was made, and where it belongs.
#[derive(Debug)]
pub struct Made {
    /// The file.
    pub path: PathBuf,
    /// What goes into it.
    pub text: String,
    /// The verdict on it.
    pub verdict: Verdict,
}

/// Why no case could be made.
#[derive(Debug, thiserror::Error)]
pub enum FromRunError {
    /// The run is not there.
    #[error(transparent)]
    Run(#[from] crate::error::RunError),
    /// What is asked for is not there; the text says what, and what is.
    #[error("{0}")]
    Absent(String),
    /// A worker did not come to its end.
    #[error("the rows could not be read: {}", .0.message)]
    Failed(Failure),
}

/// Makes a case; nothing is written.
///
/// # Errors
/// The run, the task or the row is not there, or its outputs are not any more.
pub async fn make(
    pipeline: &Pipeline,
    asked: &FromRun<'_>,
    crew: &Crew,
    temporary: &Path,
) -> Result<Made, FromRunError> {
    let store = Store::of(pipeline);
    let record = record::named(&store, asked.run)?;
    let planned = planned(&record, asked)?;
    let key = key(planned, &asked.key)?;
    let columns = pipeline.spec.masked(asked.task);
    let is_masked = !columns.is_empty();
    let job = PickJob {
        old: side(&store, &record, planned, Side::Old)?,
        new: side(&store, &record, planned, Side::New)?,
        key,
        mask: is_masked.then(|| MaskOrder {
            columns,
            key_file: store.mask_key_file(),
        }),
    };
    let picked = work(Job::Pick(Box::new(job)), crew, temporary).await;
    let [old, new] = match picked.map_err(FromRunError::Failed)? {
        Answer::Picked(tables) => *tables,
        _ => return Err(FromRunError::Failed(wrong_answer())),
    };
    if old.rows.is_empty() && new.rows.is_empty() {
        return Err(FromRunError::Absent(format!(
            "neither side of `{}` has a row with that key\nhint: write the values as `diff.csv` shows them; those of masked columns begin with `masked:`",
            asked.task
        )));
    }
    let rules = pipeline
        .spec
        .changes
        .get(&planned.change)
        .and_then(|change| change.expect.get(asked.task));
    let mut case = Case {
        name: String::new(),
        file: String::new(),
        line: 0,
        tries: Some((planned.change.clone(), planned.task.clone())),
        rules: rules.cloned().unwrap_or_default(),
        key: planned.key.clone(),
        customer: planned.customer.clone(),
        old,
        new,
        expect: nothing_expected(),
    };
    case.name = name(&record, &case);
    let found = compare(&case, crew, temporary)
        .await
        .map_err(FromRunError::Failed)?;
    let lines = case.judged(&found.comparison).lines;
    let text = written(&case, &record, is_masked, &lines);
    let short = Digest::of_bytes(text.as_bytes());
    let file = format!(
        "{}-{}.yaml",
        understudy_core::path_part::encode(asked.task),
        short.short()
    );
    let verdict = lines.iter().find_map(|line| match line {
        Line::Verdict { found, .. } => Some(*found),
        Line::Number { .. } => None,
    });
    Ok(Made {
        path: pipeline.folder.join(CASES_FOLDER).join(file),
        text,
        verdict: verdict.unwrap_or(Verdict::Inconclusive),
    })
}

/// Everything is counted, so that what is found can be written down.
fn nothing_expected() -> Expectation {
    Expectation {
        verdict: Verdict::Identical,
        differences: Some(0),
        unexpected: Some(0),
        rules: Some(Default::default()),
        columns: Some(Default::default()),
        customers: None,
    }
}

fn planned<'a>(
    record: &'a RunRecord,
    asked: &FromRun<'_>,
) -> Result<&'a PlannedComparison, FromRunError> {
    let all = || record.plan.comparisons.iter();
    let fits = |planned: &&PlannedComparison| {
        planned.task == asked.task && asked.change.is_none_or(|change| planned.change == change)
    };
    let found: Vec<&PlannedComparison> = all().filter(fits).collect();
    match found.as_slice() {
        [only] => Ok(only),
        [] => {
            let there: Vec<String> = all()
                .map(|planned| format!("{} of {}", planned.task, planned.change))
                .collect();
            Err(FromRunError::Absent(format!(
                "run {} did not compare `{}`; compared were: {}",
                record.run,
                asked.task,
                if there.is_empty() {
                    "none".to_owned()
                } else {
                    there.join(", ")
                }
            )))
        }
        several => {
            let changes: Vec<&str> = several
                .iter()
                .map(|planned| planned.change.as_str())
                .collect();
            Err(FromRunError::Absent(format!(
                "several changes compare `{}`\nhint: add `--change` and one of {}",
                asked.task,
                changes.join(", ")
            )))
        }
    }
}

/// The values of the key's columns. A comma ends a value only where another column of the key begins behind it.
fn key(
    planned: &PlannedComparison,
    typed: &[String],
) -> Result<Vec<(String, String)>, FromRunError> {
    let begins = |part: &str| {
        let (column, value) = part.split_once('=')?;
        let column = planned.key.iter().find(|name| *name == column)?;
        Some((column.clone(), value.to_owned()))
    };
    let mut key: Vec<(String, String)> = Vec::new();
    for part in typed.iter().flat_map(|typed| typed.split(',')) {
        match (begins(part), key.last_mut()) {
            (Some(next), _) => key.push(next),
            (None, Some((_, value))) => {
                value.push(',');
                value.push_str(part);
            }
            (None, None) => break,
        }
    }
    let given: BTreeSet<&String> = key.iter().map(|(column, _)| column).collect();
    if !planned.key.is_empty() && given.len() == planned.key.len() && key.len() == given.len() {
        return Ok(key);
    }
    let wanted: Vec<String> = planned
        .key
        .iter()
        .map(|column| format!("{column}=…"))
        .collect();
    Err(FromRunError::Absent(format!(
        "that is not the whole key of `{}`\nhint: write `--key {}`",
        planned.task,
        wanted.join(",")
    )))
}

fn side(
    store: &Store,
    record: &RunRecord,
    planned: &PlannedComparison,
    side: Side,
) -> Result<TableSource, FromRunError> {
    let base = store
        .root()
        .join(&record.plan.node(planned.node(side)).folder);
    let snapshot = pin(&planned.task, understudy_tasks::DATA_FILE, &base).map_err(|_| {
        FromRunError::Absent(format!(
            "the {} output of `{}` is not in quarantine any more",
            side.name(),
            planned.task
        ))
    })?;
    Ok(TableSource {
        base,
        snapshot,
        types: Default::default(),
    })
}

/// By its key, as the rows have it: what is masked there is masked in the name.
fn name(record: &RunRecord, case: &Case) -> String {
    let table = if case.old.rows.is_empty() {
        &case.new
    } else {
        &case.old
    };
    let parts = case.key.iter().map(|column| {
        let position = table.columns.iter().position(|name| name == column);
        let cell = position.and_then(|position| table.rows.first()?.get(position)?.clone());
        format!("{column}={}", cell.unwrap_or_default())
    });
    let key: Vec<String> = parts.collect();
    format!("{} on {}", key.join(" "), record.date)
}

/// The file: what people would write, with everything that was found as what is expected.
fn written(case: &Case, record: &RunRecord, is_masked: bool, lines: &[Line]) -> String {
    let (change, task) = case.tries.clone().unwrap_or_default();
    let mut text = format!("# From run {} of {}.\n", record.run, record.date);
    if is_masked {
        text.push_str("# In masked columns, tokens stand in the place of values.\n");
    }
    let name = quoted(&case.name);
    let (change, task) = (quoted(&change), quoted(&task));
    text.push_str(&format!(
        "cases:\n  - name: {name}\n    change: {change}\n    task: {task}\n"
    ));
    let (old, new) = (&case.old, &case.new);
    if old.columns == new.columns && old.types == new.types {
        text.push_str(&columns_text(old, "    "));
        text.push_str(&rows_text("    old:", &old.rows, "      "));
        text.push_str(&rows_text("    new:", &new.rows, "      "));
    } else {
        for (side, table) in [("old", old), ("new", new)] {
            text.push_str(&format!("    {side}:\n{}", columns_text(table, "      ")));
            text.push_str(&rows_text("      rows:", &table.rows, "        "));
        }
    }
    text.push_str(&expectation_text(lines));
    text
}

fn columns_text(table: &CaseTable, indent: &str) -> String {
    let columns: Vec<String> = table.columns.iter().map(|name| quoted(name)).collect();
    let types = table.columns.iter().filter_map(|name| {
        let of = table.types.get(name)?;
        Some(format!("{}: {}", quoted(name), type_word(*of)))
    });
    let types: Vec<String> = types.collect();
    format!(
        "{indent}columns: [{}]\n{indent}types: {{ {} }}\n",
        columns.join(", "),
        types.join(", ")
    )
}

fn rows_text(head: &str, rows: &[Vec<Option<String>>], indent: &str) -> String {
    if rows.is_empty() {
        return format!("{head} []\n");
    }
    let row = |row: &Vec<Option<String>>| {
        let cells: Vec<String> = row.iter().map(|cell| cell_text(cell.as_deref())).collect();
        format!("{indent}- [{}]\n", cells.join(", "))
    };
    format!("{head}\n{}", rows.iter().map(row).collect::<String>())
}

fn expectation_text(lines: &[Line]) -> String {
    let mut text = "    expect:\n".to_owned();
    let mut rules = Vec::new();
    let mut columns = Vec::new();
    for line in lines {
        match line {
            Line::Verdict { found, .. } => text.push_str(&format!("      verdict: {found}\n")),
            Line::Number { of, found, .. } => match of {
                Count::Differences => text.push_str(&format!("      differences: {found}\n")),
                Count::Unexpected => text.push_str(&format!("      unexpected: {found}\n")),
                Count::Rule(name) => rules.push(format!("{}: {found}", quoted(name))),
                Count::Column(name) => columns.push(format!("{}: {found}", quoted(name))),
                Count::Customer(_) => {}
            },
        }
    }
    for (key, entries) in [("rules", rules), ("columns", columns)] {
        let entries = if entries.is_empty() {
            "{}".to_owned()
        } else {
            format!("{{ {} }}", entries.join(", "))
        };
        text.push_str(&format!("      {key}: {entries}\n"));
    }
    text
}

/// Numbers, dates and times as they are; everything else in quotes.
fn cell_text(cell: Option<&str>) -> String {
    let is_plain = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
            && text.len() > usize::from(text.starts_with('-'))
            && text
                .chars()
                .all(|c| c.is_ascii_digit() || ".-TZ".contains(c))
    };
    match cell {
        None => "null".to_owned(),
        Some(text) if is_plain(text) => text.to_owned(),
        Some(text) => quoted(text),
    }
}

fn quoted(text: &str) -> String {
    quiet_json(serde_json::to_string(text).expect("a text has a JSON form"))
}
