//! Trying rules on two small tables, in one line of a test.
//!
//! A file of cases has tables with inline rows, rules of its own or the name of a task whose rules stand in a pipeline
//! file, and what comparing the tables should say; `docs/testing-rules.md` describes it. `understudy test` runs such
//! files; whoever has a crate of their own runs them with the rest of its tests:
//!
//! ```no_run
//! #[test]
//! fn noise_is_expected() {
//!     understudy_comparators::testing::check("cases/noise.yaml");
//! }
//! ```
//!
//! Both use the same engine, [`compare_case`].

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use understudy_core::comparison::Comparison;
use understudy_core::spec::cases::load_cases;
use understudy_core::spec::{FileCheck, Problem, Spec, load};
use understudy_tables::{PinError, TableSource, pin};

use crate::compare::{CompareError, compare};
use crate::predicates::Predicates;
use crate::request::{Findings, FindingsError, Layout, Request};

#[cfg(test)]
pub(crate) mod campaign;
#[cfg(test)]
mod cells;
#[cfg(test)]
mod findings;
#[cfg(test)]
pub(crate) mod pools;
#[cfg(test)]
mod predicates;
#[cfg(test)]
pub(crate) mod random;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod scenes;

#[cfg(test)]
pub(crate) use findings::{Collected, outcome_text};
#[cfg(test)]
pub(crate) use predicates::SmallPredicates;
#[cfg(test)]
pub(crate) use rules::parse_rule;
#[cfg(test)]
pub(crate) use scenes::{Case, MemoryTable, Shows, check_file, parse_case};

/// What a case's tables may take; they stand in a file that is read at once.
const MEMORY_BYTES: u64 = 64 << 20;

/// The name of a pipeline file.
const PIPELINE_FILE: &str = "understudy.yaml";

/// Why a case could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// Its tables could not be put into files.
    #[error("a table of the case cannot be written")]
    Write(#[from] io::Error),
    /// Its tables are none.
    #[error(transparent)]
    Table(#[from] PinError),
    /// The comparison did not come to its end.
    #[error(transparent)]
    Compare(#[from] CompareError),
}

/// Runs every case of a file. The pipeline whose rules it names is the one beside the file's folder, or in it.
///
/// # Panics
/// A case says something else than it should, with a table of expected against found; or the file cannot be read, is
/// wrong or has no case.
#[track_caller]
pub fn check(file: impl AsRef<Path>) {
    check_with(file, None);
}

/// The same with what understands `where`, which the engine does not itself.
///
/// # Panics
/// As [`check`].
#[track_caller]
pub fn check_with(file: impl AsRef<Path>, predicates: Option<&dyn Predicates>) {
    let file = file.as_ref();
    let text = fs::read_to_string(file)
        .unwrap_or_else(|error| panic!("`{}` cannot be read: {error}", file.display()));
    let folder = file.parent().unwrap_or(Path::new("."));
    let above = folder.join("..");
    let beside = [above.as_path(), folder];
    let beside = beside
        .into_iter()
        .find(|folder| folder.join(PIPELINE_FILE).is_file());
    check_text(&text, &file.display().to_string(), beside, predicates);
}

/// Runs every case of a text. `folder` has the pipeline file whose rules they name, and the files that rules name.
///
/// # Panics
/// As [`check`].
#[track_caller]
pub fn check_text(
    text: &str,
    name: &str,
    folder: Option<&Path>,
    predicates: Option<&dyn Predicates>,
) {
    let files = Folder(folder.unwrap_or(Path::new(".")).to_owned());
    let pipeline = folder.and_then(|folder| pipeline(folder, &files));
    let cases = load_cases(text, name, pipeline.as_ref(), &files)
        .unwrap_or_else(|problems| panic!("{}", listing(&problems)));
    let wrong = cases.iter().filter_map(|case| {
        let temp = tempfile::tempdir().expect("a temporary folder can be made");
        match compare_case(case, predicates, temp.path(), &mut Unheard) {
            Ok(found) => {
                let outcome = case.judged(&found);
                let table = || format!("{name}:{}: {}\n{}", case.line, case.name, outcome.table());
                (!outcome.is_met()).then(table)
            }
            Err(error) => Some(format!(
                "{name}:{}: {}: {}",
                case.line,
                case.name,
                chain(&error)
            )),
        }
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(
        wrong.is_empty(),
        "{} of {} cases say something else\n\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

/// Compares the tables of a case, with temporary files in a folder.
///
/// # Errors
/// The tables are none, such as one with a value that its column's type cannot hold.
pub fn compare_case(
    case: &understudy_core::case::Case,
    predicates: Option<&dyn Predicates>,
    folder: &Path,
    findings: &mut dyn Findings,
) -> Result<Comparison, CaseError> {
    let table = |name: &str, table: &understudy_core::case::CaseTable| {
        fs::write(folder.join(name), table.csv())?;
        Ok::<_, CaseError>(TableSource {
            base: folder.to_owned(),
            snapshot: pin(name, name, folder)?,
            types: table.types.clone(),
        })
    };
    let request = Request {
        old: &table("old.csv", &case.old)?,
        new: &table("new.csv", &case.new)?,
        key: &case.key,
        customer: case.customer.as_deref(),
        rules: &case.rules,
        predicates,
        memory_bytes: MEMORY_BYTES,
        threads: 1,
        temp_dir: folder,
    };
    Ok(compare(&request, findings)?)
}

/// Takes findings and keeps none.
#[derive(Clone, Copy, Debug)]
pub struct Unheard;

impl Findings for Unheard {
    fn begin(&mut self, _: &Layout) -> Result<(), FindingsError> {
        Ok(())
    }

    fn row(&mut self, _: understudy_core::judge::rows::JudgedRow) -> Result<(), FindingsError> {
        Ok(())
    }
}

#[track_caller]
fn pipeline(folder: &Path, files: &Folder) -> Option<Spec> {
    let file = folder.join(PIPELINE_FILE);
    let text = fs::read_to_string(&file).ok()?;
    let loaded = load(&text, &file.display().to_string(), files);
    if loaded.spec.is_none() {
        panic!("{}", listing(&loaded.problems));
    }
    loaded.spec
}

fn listing(problems: &[Problem]) -> String {
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    told.join("\n")
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

struct Folder(PathBuf);

impl FileCheck for Folder {
    fn exists(&self, path: &str) -> bool {
        self.0.join(path).exists()
    }

    fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.0.join(path)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::check_text;

    const CASE: &str = "\
cases:
  - name: a day later is meant
    rules: [{ name: by a day, columns: [day], within: 1d }]
    key: [id]
    old: [{ id: 1, day: 2026-01-01, text: \"007\" }, { id: 2, day: 2026-01-01, text: a }]
    new: [{ id: 1, day: 2026-01-02, text: \"007\" }, { id: 2, day: 2026-01-03, text: a }]
    expect: { verdict: unexpected, differences: 2, unexpected: 1, rules: { by a day: 1 }, columns: { day: 1 } }
  - name: no row and a row of nothing
    rules: []
    columns: [only]
    old: []
    new: [[null], [\"\"]]
    expect: { verdict: unexpected, differences: 2, unexpected: 2 }
";

    #[test]
    fn a_case_that_holds() {
        check_text(CASE, "cases.yaml", None, None);
    }

    #[test]
    #[should_panic(expected = "rule \"by a day\"      2           1           <- differs")]
    fn a_case_that_does_not_says_what_it_found() {
        check_text(
            &CASE.replace("by a day: 1 }", "by a day: 2 }"),
            "cases.yaml",
            None,
            None,
        );
    }

    #[test]
    #[should_panic(expected = "`verdict` of `expect` of")]
    fn a_file_that_is_wrong_is_no_success() {
        check_text(
            &CASE.replace("verdict: unexpected", "verdict: bad"),
            "cases.yaml",
            None,
            None,
        );
    }
}
