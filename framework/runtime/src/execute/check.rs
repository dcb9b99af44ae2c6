//! The checks of a comparison, one after the other, each in a worker of its own.
//!
//! They come after the rows, in the same half and before the same deadline: whatever a check does, publishing waits for
//! it no longer than for the comparison alone.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use understudy_core::check::Check;
use understudy_core::comparison::{CheckFound, Comparison, RuleCounts};
use understudy_core::customer::Customer;
use understudy_core::digest::Digest;
use understudy_core::path_part::encode;
use understudy_core::plan::PlannedComparison;
use understudy_core::run::{ComparisonRecord, Failure, FailureKind, Usage};
use understudy_core::visible::quiet_json;

use super::{Executor, Reuse, wrong_answer};
use crate::store::durable;
use crate::worker::{Answer, CheckJob, Checked, Job, WorkerLimits};

/// What a check may take where the file does not say it.
const WALL: Duration = Duration::from_secs(600);
/// What a check's process may use beyond what it plans with.
const FOOTING_BYTES: u64 = 2 << 30;

/// What checks found, kept beside the findings of the comparison. What failed is not: it is tried again.
#[derive(Debug, Default, Serialize, Deserialize)]
struct KeptChecks {
    version: u32,
    checks: Vec<KeptCheck>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct KeptCheck {
    key: Digest,
    checked: Checked,
}

const KEPT_FILE: &str = "checks.json";
const KEPT_FORMAT: u32 = 1;

impl Executor<'_> {
    /// Makes the checks of a comparison, and adds what they find to it. A comparison that failed has none.
    pub(super) async fn checks(
        &self,
        planned: &PlannedComparison,
        folder: &Path,
        deadline: Instant,
        record: &mut ComparisonRecord,
    ) {
        if planned.checks.is_empty() || record.outcome.is_err() {
            return;
        }
        let kept = match self.reuse {
            Reuse::Complete => kept(folder),
            Reuse::Nothing => KeptChecks::default(),
        };
        let mut now = Vec::new();
        let mut interrupted = None;
        for check in &planned.checks {
            let known = self.known(planned, check, &kept);
            record.reused &= known.is_some();
            let outcome = match known {
                Some(known) => Ok(known),
                None => self.check(planned, check, deadline, record).await,
            };
            if let Err(failure) = &outcome
                && failure.kind == FailureKind::Interrupted
            {
                interrupted = Some(failure.clone());
                break;
            }
            if let Ok(comparison) = &mut record.outcome {
                add(comparison, check, outcome.as_ref());
            }
            now.extend(outcome);
        }
        keep(folder, now);
        if let Some(failure) = interrupted {
            record.outcome = Err(failure);
        }
    }

    fn known(
        &self,
        planned: &PlannedComparison,
        check: &Check,
        kept: &KeptChecks,
    ) -> Option<KeptCheck> {
        let key = self.check_key(planned, check).ok()?;
        let mut all = kept.checks.iter();
        all.find(|kept| kept.key == key).cloned()
    }

    async fn check(
        &self,
        planned: &PlannedComparison,
        check: &Check,
        deadline: Instant,
        record: &mut ComparisonRecord,
    ) -> Result<KeptCheck, Failure> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let message = "was not run: the comparison's deadline had passed";
            return Err(Failure::new(FailureKind::Timeout, message));
        }
        let (task, change) = (&planned.task, &planned.change);
        let name = format!("check {} of {task} of {change}", check.name);
        let key = self.check_key(planned, check)?;
        let customers = record.outcome.as_ref().map(|found| &found.customers);
        let customers =
            customers.map_or_else(|_| BTreeSet::new(), |all| all.keys().cloned().collect());
        let job = self.check_job(planned, check, customers, &name)?;
        let limits = self.check_limits(check, left);
        let sent = self.sent_for_check(&job, limits, &self.step_folder(&name));
        let end = self.work(&name, Job::Check(Box::new(job)), sent).await;
        add_usage(&mut record.usage, end.usage);
        end.answer.and_then(|answer| match answer {
            Answer::Checked(checked) => Ok(KeptCheck { key, checked }),
            _ => Err(wrong_answer()),
        })
    }

    /// What a check finds follows from the two outputs, the rules and the check, its code included.
    fn check_key(&self, planned: &PlannedComparison, check: &Check) -> Result<Digest, Failure> {
        let comparison = self.comparison_key(planned)?;
        Ok(Digest::of_json(&(
            "check",
            comparison,
            check,
            self.plan.date,
        )))
    }

    fn check_limits(&self, check: &Check, left: Duration) -> WorkerLimits {
        let own = check.limits;
        let wall = own.wall_secs.map_or(WALL, Duration::from_secs).min(left);
        let memory = self.resources.memory_bytes + FOOTING_BYTES;
        WorkerLimits {
            wall: Some(wall),
            memory_bytes: Some(own.memory_bytes.unwrap_or(memory)),
            ..WorkerLimits::shadow(own, None, 0)
        }
    }

    fn check_job(
        &self,
        planned: &PlannedComparison,
        check: &Check,
        customers: BTreeSet<Customer>,
        name: &str,
    ) -> Result<CheckJob, Failure> {
        let mask = self.mask_of(&planned.task);
        let planned_bytes = self.resources.memory_bytes;
        let memory_bytes = check.limits.memory_bytes;
        let memory_bytes =
            memory_bytes.map_or(planned_bytes, |limit| (limit / 2).min(planned_bytes));
        Ok(CheckJob {
            change: planned.change.clone(),
            task: planned.task.clone(),
            date: self.plan.date,
            run: self.plan.run.clone(),
            now_nanos: self.now_nanos,
            check: check.clone(),
            old: self.written_table(planned.old)?,
            new: self.written_table(planned.new)?,
            key: planned.key.clone(),
            customer: planned.customer.clone(),
            rules: planned.rules.clone(),
            customers: mask.is_some().then_some(customers),
            mask,
            output: self.step_folder(name).join("found"),
            pipeline_folder: self.pipeline.folder.clone(),
            memory_bytes,
            threads: self.resources.threads,
            logs: ["out", "err"].map(|kind| {
                let logs = self.store.logs_dir(&self.plan.run);
                logs.join(format!("{}.log", encode(&format!("{name} {kind}"))))
            }),
        })
    }
}

/// They run one after the other.
fn add_usage(all: &mut Usage, one: Usage) {
    all.wall_ms += one.wall_ms;
    all.cpu_ms += one.cpu_ms;
    all.peak_memory_bytes = all.peak_memory_bytes.max(one.peak_memory_bytes);
}

/// Adds what a check found, or why it found nothing, to the comparison that it belongs to.
fn add(comparison: &mut Comparison, check: &Check, outcome: Result<&KeptCheck, &Failure>) {
    if let Ok(KeptCheck { checked, .. }) = outcome {
        for (rule, expected) in comparison.rules.iter_mut().zip(&checked.expected) {
            let RuleCounts {
                differences,
                customers,
                ..
            } = rule;
            *differences += expected.findings;
            for (customer, count) in &expected.customers {
                *customers.entry(customer.clone()).or_default() += count;
            }
        }
    }
    comparison.checks.push(CheckFound {
        name: check.name.clone(),
        kind: check.difference(),
        outcome: outcome
            .map(|kept| kept.checked.found.clone())
            .map_err(|failure| failure.message.clone()),
    });
}

/// What cannot be kept is found again.
fn keep(folder: &Path, checks: Vec<KeptCheck>) {
    let kept = KeptChecks {
        version: KEPT_FORMAT,
        checks,
    };
    let json = serde_json::to_string_pretty(&kept).expect("what checks find has a JSON form");
    let _ = durable::replace(&folder.join(KEPT_FILE), &quiet_json(json).into_bytes());
}

fn kept(folder: &Path) -> KeptChecks {
    let read = fs::read(folder.join(KEPT_FILE)).ok();
    read.and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}
