//! From what a run left behind to verdicts, report files and ledger entries.

use std::collections::BTreeMap;

use understudy_core::digest::Digest;
use understudy_core::judge::lanes::{ChangeVerdict, TaskVerdict, judge};
use understudy_core::ledger::{JudgedRun, LedgerEvent, PublishedRun};
use understudy_core::plan::PlannedComparison;
use understudy_core::run::{ComparisonRecord, Failure};

use super::{Attempt, Halves};
use crate::report::files::customers::{CustomerLine, write_customers};
use crate::report::files::record::Origin;
use crate::report::files::summary::{SUMMARY_FORMAT, Summary};
use crate::store::ledger;

impl Attempt<'_> {
    /// The verdicts; they stand in the report files and in the ledger when this returns.
    pub(super) fn judge(&self, halves: Halves) -> BTreeMap<String, ChangeVerdict> {
        self.record_live();
        let asked = halves != Halves::Live && !self.executor.crew.is_interrupted();
        if !asked || matches!(self.live, super::LiveEnd::Failed(_)) {
            return BTreeMap::new();
        }
        let verdicts = judge(&self.prepared.plan, &self.executor.log.borrow());
        for (position, planned) in self.prepared.plan.comparisons.iter().enumerate() {
            self.write_files(
                position,
                planned,
                &verdicts[&planned.change].tasks[&planned.task],
            );
        }
        for (change, verdict) in &verdicts {
            self.record_verdict(change, verdict);
        }
        verdicts
    }

    fn write_files(&self, position: usize, planned: &PlannedComparison, verdict: &TaskVerdict) {
        let log = self.executor.log.borrow();
        let Some(Ok(comparison)) = log.comparisons.get(&position).map(|record| &record.outcome)
        else {
            return;
        };
        let folder = self.executor.findings_folder(planned);
        let stages = &self.prepared.plan.stages[&planned.change];
        let summary = Summary {
            version: SUMMARY_FORMAT,
            verdict: verdict.verdict,
            reasons: verdict.reasons.clone(),
            origin: Origin {
                change: Some(planned.change.clone()),
                task: Some(planned.task.clone()),
                date: Some(self.prepared.plan.date),
                run: Some(self.prepared.plan.run.clone()),
            },
            comparison: comparison.clone(),
            diff: self
                .executor
                .diffs
                .borrow()
                .get(&position)
                .cloned()
                .unwrap_or_default(),
        };
        let customers = verdict
            .customers
            .iter()
            .map(|(customer, verdict)| CustomerLine {
                customer: customer.clone(),
                verdict: *verdict,
                stage: Some(stages.of(customer)),
                counts: comparison
                    .customers
                    .get(customer)
                    .copied()
                    .unwrap_or_default(),
            });
        let written = summary
            .write(&folder)
            .and_then(|()| write_customers(&folder, customers.collect()));
        drop(log);
        if let Err(error) = written {
            self.executor.alert(format!(
                "the report of `{}` could not be written: {error}",
                planned.task
            ));
        }
    }

    /// What was published, or that it was not, goes into the ledger; what stood there already is in it.
    fn record_live(&self) {
        let failure = match &self.live {
            super::LiveEnd::Published => None,
            super::LiveEnd::Failed(failure) => Some(failure),
            // A crash between publishing and recording leaves outputs that the ledger does not know.
            super::LiveEnd::AlreadyPublished if !self.is_recorded() => None,
            super::LiveEnd::AlreadyPublished | super::LiveEnd::NotAsked => return,
        };
        let event = LedgerEvent::Published(self.published_run(failure));
        self.append(&event);
    }

    fn is_recorded(&self) -> bool {
        let Ok(ledger) = ledger::open(&self.prepared.store) else {
            return true;
        };
        ledger.entries().iter().any(|entry| match &entry.event {
            LedgerEvent::Published(published) => {
                published.run == self.prepared.plan.run && published.succeeded
            }
            _ => false,
        })
    }

    fn published_run(&self, failure: Option<&Failure>) -> PublishedRun {
        let log = self.executor.log.borrow();
        let published = log.published.clone().unwrap_or_default();
        let code = self
            .prepared
            .plan
            .publications
            .iter()
            .filter_map(|publication| {
                let version = self.prepared.plan.node(publication.node).version()?;
                Some((
                    publication.task.clone(),
                    self.prepared.code[&publication.task][version].clone(),
                ))
            });
        PublishedRun {
            pipeline: self.prepared.plan.pipeline.clone(),
            run: self.prepared.plan.run.clone(),
            date: self.prepared.plan.date,
            slice: self.slice().map(str::to_owned),
            succeeded: failure.is_none(),
            outputs: published
                .outputs
                .into_iter()
                .map(|(task, file)| (task, file.digest))
                .collect(),
            code: code.collect(),
            fallbacks: published.fallbacks,
            alerts: log.alerts.clone(),
        }
    }

    fn record_verdict(&self, change: &str, verdict: &ChangeVerdict) {
        let log = self.executor.log.borrow();
        let all = self.prepared.plan.comparisons.iter().enumerate();
        let own: Vec<(&PlannedComparison, Option<&ComparisonRecord>)> = all
            .filter(|(_, planned)| planned.change == change)
            .map(|(position, planned)| (planned, log.comparisons.get(&position)))
            .collect();
        let outcomes: Vec<_> = own
            .iter()
            .map(|(_, record)| record.map(|record| &record.outcome))
            .collect();
        let rules: Vec<_> = own
            .iter()
            .map(|(planned, _)| (&planned.task, &planned.rules))
            .collect();
        let event = LedgerEvent::Judged(JudgedRun {
            pipeline: self.prepared.plan.pipeline.clone(),
            run: self.prepared.plan.run.clone(),
            date: self.prepared.plan.date,
            slice: self.slice().map(str::to_owned),
            change: change.to_owned(),
            verdict: verdict.verdict,
            lanes: verdict.lanes(),
            evidence: Digest::of_json(&(verdict, outcomes)),
            code: self.code_of(change),
            rules: Digest::of_json(&rules),
        });
        drop(log);
        if !self.is_last_word(&event) {
            self.append(&event);
        }
    }

    /// The digest of each side's versions: old, then new.
    fn code_of(&self, change: &str) -> [Digest; 2] {
        let spec = &self.prepared.pipeline.spec;
        let new = &spec.changes[change].new;
        let old = new.keys().filter_map(|task| spec.task(task));
        let old: Vec<_> = old
            .map(|task| (&task.name, &self.prepared.code[&task.name][&task.live]))
            .collect();
        let new: Vec<_> = new
            .iter()
            .map(|(task, version)| (task, &self.prepared.code[task][version]))
            .collect();
        [Digest::of_json(&old), Digest::of_json(&new)]
    }

    /// Whether the ledger's last verdict on this change and date, for the same customers, is this very one.
    fn is_last_word(&self, event: &LedgerEvent) -> bool {
        let Ok(ledger) = ledger::open(&self.prepared.store) else {
            return false;
        };
        let LedgerEvent::Judged(judged) = event else {
            return false;
        };
        let mut earlier = ledger
            .entries()
            .iter()
            .rev()
            .filter_map(|entry| match &entry.event {
                LedgerEvent::Judged(other)
                    if (&other.pipeline, &other.change, other.date, &other.slice)
                        == (&judged.pipeline, &judged.change, judged.date, &judged.slice) =>
                {
                    Some(other)
                }
                _ => None,
            });
        earlier.next() == Some(judged)
    }

    /// Appends to the ledger. A run whose live half is done does not fail for it: there is then no evidence, loudly.
    fn append(&self, event: &LedgerEvent) {
        let appended = ledger::append(&self.prepared.store, event, crate::clock::now());
        if let Err(error) = appended {
            self.executor
                .alert(format!("this run is not recorded in the ledger: {error}"));
        }
    }
}
