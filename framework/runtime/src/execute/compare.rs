//! One comparison.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use understudy_core::comparison::Comparison;
use understudy_core::csv_dialect::CsvDialect;
use understudy_core::digest::Digest;
use understudy_core::event::StepEnd;
use understudy_core::plan::{NodeId, PlannedComparison};
use understudy_core::run::{ComparisonRecord, Failure, FailureKind, Usage};
use understudy_core::visible::quiet_json;
use understudy_tables::TableSource;

use super::{Executor, Reuse, wrong_answer};
use crate::report::files::diff::DiffFiles;
use crate::store::durable;
use crate::worker::{Answer, CompareJob, Findings, Job, WorkerLimits};

/// The deadline of a comparison; past it, live lanes get their old rows.
const DEADLINE: Duration = Duration::from_secs(30 * 60);
/// What a comparison's process may use beyond what its engine plans with.
const FOOTING_BYTES: u64 = 1 << 30;
/// How many files a comparison may hold open: its parts go to many.
const FILES: u32 = 65_536;

/// A comparison as it is kept, with what it was made from.
#[derive(Debug, Serialize, Deserialize)]
struct KeptComparison {
    version: u32,
    key: Digest,
    found: Findings,
    usage: Usage,
}

const KEPT_FILE: &str = "comparison.json";
const KEPT_FORMAT: u32 = 1;

impl Executor<'_> {
    /// Compares two outputs, or says why it cannot.
    pub(crate) async fn compare(&self, position: usize) {
        let planned = &self.plan.comparisons[position];
        let name = format!("compare {} of {}", planned.task, planned.change);
        let since = self.started(&name, planned.half);
        let folder = self.findings_folder(planned);
        let deadline = Instant::now() + DEADLINE;
        let (mut record, diff) = self.comparison(planned, &folder, &name).await;
        self.checks(planned, &folder, deadline, &mut record).await;
        let end = match &record.outcome {
            Err(failure) => StepEnd::Failed(failure.message.clone()),
            Ok(_) if record.reused => StepEnd::Reused,
            Ok(found) => StepEnd::Done(found_text(found)),
        };
        if let Some(diff) = diff {
            self.diffs.borrow_mut().insert(position, diff);
        }
        self.log.borrow_mut().comparisons.insert(position, record);
        self.ended(&name, planned.half, since, end);
    }

    /// Compares two outputs, with the report files in a folder. Gives what they hold as well.
    pub(crate) async fn comparison(
        &self,
        planned: &PlannedComparison,
        folder: &Path,
        name: &str,
    ) -> (ComparisonRecord, Option<DiffFiles>) {
        let failed = |failure| {
            let record = ComparisonRecord {
                outcome: Err(failure),
                usage: Usage::default(),
                reused: false,
            };
            (record, None)
        };
        let sides = [planned.old, planned.new];
        if let Some(failure) = sides
            .iter()
            .find_map(|side| self.log.borrow().failure(*side).cloned())
        {
            let message = format!("there was nothing to compare: a side {failure}");
            return failed(Failure::new(FailureKind::Input, message));
        }
        let key = match self.comparison_key(planned) {
            Ok(key) => key,
            Err(failure) => return failed(failure),
        };
        if self.reuse == Reuse::Complete
            && let Some(kept) = kept(folder, &key)
        {
            let record = ComparisonRecord {
                outcome: Ok(kept.found.comparison),
                usage: kept.usage,
                reused: true,
            };
            return (record, Some(kept.found.diff));
        }
        let job = match self.compare_job(planned, folder) {
            Ok(job) => job,
            Err(failure) => return failed(failure),
        };
        let memory_bytes = self.resources.memory_bytes + FOOTING_BYTES;
        let limits = WorkerLimits {
            wall: Some(DEADLINE),
            memory_bytes: Some(memory_bytes),
            files: Some(FILES),
            ..WorkerLimits::default()
        };
        let sent = self.sent_for_comparison(&job, limits);
        let end = self.work(name, Job::Compare(Box::new(job)), sent).await;
        let usage = end.usage;
        let outcome = end.answer.and_then(|answer| match answer {
            Answer::Compared(found) => keep(folder, key, found, usage),
            _ => Err(wrong_answer()),
        });
        let (outcome, diff) = match outcome {
            Ok(found) => (Ok(found.comparison), Some(found.diff)),
            Err(failure) => (Err(failure), None),
        };
        let record = ComparisonRecord {
            outcome,
            usage,
            reused: false,
        };
        (record, diff)
    }

    pub(super) fn comparison_key(&self, planned: &PlannedComparison) -> Result<Digest, Failure> {
        let sides = [
            self.effective_key(planned.old)?,
            self.effective_key(planned.new)?,
        ];
        let found = (sides, &planned.key, &planned.customer, &planned.rules);
        // What was found before a column was masked shows it.
        let key = match self.mask_of(&planned.task) {
            Some(mask) => Digest::of_json(&(found, mask.columns)),
            None => Digest::of_json(&found),
        };
        // Nor is a file that was written for another spreadsheet what is asked for.
        let csv = self.pipeline.spec.csv;
        Ok(if csv == CsvDialect::default() {
            key
        } else {
            Digest::of_json(&(key, csv))
        })
    }

    /// Where the findings of a comparison are.
    pub(crate) fn findings_folder(&self, planned: &PlannedComparison) -> PathBuf {
        self.store
            .findings_dir(&self.plan.run, &planned.change, &planned.task)
    }

    fn compare_job(
        &self,
        planned: &PlannedComparison,
        folder: &Path,
    ) -> Result<CompareJob, Failure> {
        let report_folder = folder.to_owned();
        let unwritable = |error| {
            Failure::new(
                FailureKind::Machine,
                format!("`{}` cannot be written: {error}", report_folder.display()),
            )
        };
        durable::clear_dir(self.store.root(), &report_folder).map_err(unwritable)?;
        Ok(CompareJob {
            change: planned.change.clone(),
            task: planned.task.clone(),
            date: self.plan.date,
            run: self.plan.run.clone(),
            old: self.written_table(planned.old)?,
            new: self.written_table(planned.new)?,
            key: planned.key.clone(),
            customer: planned.customer.clone(),
            rules: planned.rules.clone(),
            mask: self.mask_of(&planned.task),
            report_folder,
            csv: self.pipeline.spec.csv,
            memory_bytes: self.resources.memory_bytes,
            threads: self.resources.threads,
        })
    }

    /// A node's output as its program wrote it: CSV's types are then inferred over both sides of the comparison.
    pub(super) fn written_table(&self, id: NodeId) -> Result<TableSource, Failure> {
        match self.result(id).and_then(|result| result.raw) {
            Some(raw) => Ok(raw),
            None => self.table(id),
        }
    }
}

fn kept(folder: &Path, key: &Digest) -> Option<KeptComparison> {
    let bytes = fs::read(folder.join(KEPT_FILE)).ok()?;
    serde_json::from_slice(&bytes)
        .ok()
        .filter(|kept: &KeptComparison| kept.key == *key)
}

fn keep(folder: &Path, key: Digest, found: Findings, usage: Usage) -> Result<Findings, Failure> {
    let kept = KeptComparison {
        version: KEPT_FORMAT,
        key,
        found,
        usage,
    };
    let json = serde_json::to_string_pretty(&kept).expect("a comparison has a JSON form");
    let json = quiet_json(json).into_bytes();
    crate::store::durable::replace(&folder.join(KEPT_FILE), &json).map_err(|error| {
        Failure::new(
            FailureKind::Machine,
            format!("its findings cannot be written: {error}"),
        )
    })?;
    Ok(kept.found)
}

fn found_text(found: &Comparison) -> String {
    let rows = match found.rows.changed + found.rows.only_old + found.rows.only_new {
        0 => "no difference".to_owned(),
        differing => format!(
            "{differing} rows differ, {} unexpected",
            found.rows.unexpected
        ),
    };
    let of_checks = found.checks.iter();
    let of_checks = of_checks.filter_map(|check| check.outcome.as_ref().ok());
    match of_checks.map(|found| found.unexpected).sum::<u64>() {
        0 => rows,
        1 => format!("{rows}; 1 unexpected finding of checks"),
        many => format!("{rows}; {many} unexpected findings of checks"),
    }
}
