//! From what a run left behind to verdicts, their report files, and evidence.

use std::collections::{BTreeMap, BTreeSet};

use understudy_core::comparison::Comparison;
use understudy_core::evidence::{Cost, EVIDENCE_FORMAT, RunEvidence, expiring, lanes_of};
use understudy_core::gate::beyond;
use understudy_core::isolation::Isolation;
use understudy_core::judge::lanes::{ChangeVerdict, TaskVerdict, judge};
use understudy_core::ledger::{JudgedRun, LedgerEvent};
use understudy_core::plan::PlannedComparison;
use understudy_core::review::{BugMark, bugs};
use understudy_core::run::RunLog;
use understudy_core::stage::Span;
use understudy_core::world::Side;

use super::{Attempt, Halves};
use crate::evidence;
use crate::report::files::customers::{CustomerLine, write_customers};
use crate::report::files::diff::DiffFiles;
use crate::report::files::group::mark_bugs;
use crate::report::files::record::Origin;
use crate::report::files::summary::{SUMMARY_FORMAT, Summary};
use crate::store::ledger;

impl Attempt<'_> {
    /// The verdicts; they stand in the report files and in the ledger when this returns.
    pub(super) fn judge(&self, halves: Halves) -> BTreeMap<String, ChangeVerdict> {
        self.watch_costs();
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

    /// What the gate would not let pass is told when it comes after the flip.
    fn watch_costs(&self) {
        let changes = self.prepared.pipeline.spec.changes.values();
        let live = changes.filter(|change| {
            let stages = self.prepared.plan.stages.get(&change.name);
            stages.is_some_and(|stages| matches!(stages.span(), Span::SomeLive | Span::AllLive))
        });
        for change in live {
            let cost = self.cost(&change.name, &self.executor.log.borrow());
            let found = cost.map_or_else(Vec::new, |cost| beyond(&change.gate, &cost));
            for beyond in found {
                self.executor.alert(beyond.text(&change.name));
            }
        }
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
            diff: self.diff_files(position),
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
        let csv = self.prepared.pipeline.spec.csv;
        let written = summary
            .write(&folder)
            .and_then(|()| write_customers(&folder, csv, customers.collect()));
        drop(log);
        if let Err(error) = written {
            self.executor.alert(format!(
                "the report of `{}` could not be written: {error}",
                planned.task
            ));
        }
    }

    fn record_verdict(&self, change: &str, verdict: &ChangeVerdict) {
        let evidence = self.evidence(change, verdict);
        let (store, run) = (&self.prepared.store, &self.prepared.plan.run);
        let file = match self.ran_at {
            None => store.evidence_file(run, change),
            Some(_) => store.evidence_again_file(run, change, &evidence.rules),
        };
        let digest = match evidence::write(&file, &evidence) {
            Ok(digest) => digest,
            Err(error) => {
                self.executor.alert(format!(
                    "this run is no evidence for `{change}`, because it could not be written: {error}"
                ));
                return;
            }
        };
        let event = LedgerEvent::Judged(JudgedRun {
            pipeline: self.prepared.plan.pipeline.clone(),
            run: self.prepared.plan.run.clone(),
            date: self.prepared.plan.date,
            slice: self.slice().map(str::to_owned),
            change: change.to_owned(),
            verdict: verdict.verdict,
            lanes: verdict.lanes(),
            evidence: digest,
            code: evidence.code,
            rules: evidence.rules,
            // An older run that is judged again does not show what is gone by now.
            bugs: match self.ran_at {
                None => self.bugs(change).into_keys().collect(),
                Some(_) => BTreeSet::new(),
            },
            ran_at: self.ran_at.clone(),
        });
        if !self.is_last_word(&event) {
            self.append(&event);
        }
        // Whoever looks next finds it ready.
        if let Ok(ledger) = ledger::open(&self.prepared.store) {
            let spec = &self.prepared.pipeline.spec;
            let _ = evidence::track(&self.prepared.store, spec, ledger.entries(), change);
        }
    }

    /// What the diff files of a comparison hold, with the groups marked that were called bugs.
    pub(super) fn diff_files(&self, position: usize) -> DiffFiles {
        let diff = self.executor.diffs.borrow().get(&position).cloned();
        let mut diff = diff.unwrap_or_default();
        let change = &self.prepared.plan.comparisons[position].change;
        mark_bugs(&mut diff.groups, &self.bugs(change));
        diff
    }

    /// The groups of differences that were called bugs, as far as the run does not show that they are gone. Where
    /// nothing was compared, nothing is known to be gone.
    pub(super) fn bugs(&self, change: &str) -> BTreeMap<String, BugMark> {
        let Ok(ledger) = ledger::open(&self.prepared.store) else {
            return BTreeMap::new();
        };
        let mut marks = bugs(ledger.entries(), &self.prepared.plan.pipeline, change);
        let log = self.executor.log.borrow();
        let diffs = self.executor.diffs.borrow();
        let comparisons = self.prepared.plan.comparisons.iter().enumerate();
        let own = comparisons.filter(|(_, planned)| planned.change == change);
        let mut found = BTreeSet::new();
        for (position, _) in own {
            let outcome = log.comparisons.get(&position).map(|one| &one.outcome);
            match (outcome, diffs.get(&position)) {
                (Some(Ok(_)), Some(diff)) => {
                    found.extend(diff.groups.iter().map(|group| &group.id));
                }
                _ => return marks,
            }
        }
        marks.retain(|group, _| found.contains(group));
        marks
    }

    fn evidence(&self, change: &str, verdict: &ChangeVerdict) -> RunEvidence {
        let plan = &self.prepared.plan;
        let spec = &self.prepared.pipeline.spec;
        let log = self.executor.log.borrow();
        let all = plan.comparisons.iter().enumerate();
        let own = all.filter(|(_, planned)| planned.change == change);
        let compared: Vec<(&PlannedComparison, &Comparison)> = own
            .filter_map(|(position, planned)| {
                let outcome = &log.comparisons.get(&position)?.outcome;
                Some((planned, outcome.as_ref().ok()?))
            })
            .collect();
        let comparisons = compared
            .iter()
            .map(|(planned, found)| (planned.task.as_str(), *found))
            .collect();
        let (floor, lanes) = lanes_of(verdict, &comparisons);
        let judged = compared
            .iter()
            .map(|(planned, found)| (planned.task.as_str(), planned.rules.as_slice(), *found));
        RunEvidence {
            version: EVIDENCE_FORMAT,
            run: plan.run.clone(),
            date: plan.date,
            slice: plan.slice.clone(),
            change: change.to_owned(),
            code: evidence::code_of(spec, &self.prepared.code, change),
            rules: evidence::rules_of(spec, change),
            floor,
            lanes,
            cost: self.cost(change, &log),
            expiring: expiring(judged),
            seen: self.prepared.last_move,
            isolation: self.isolation(&log, Some(change)),
        }
    }

    /// What kept shadows in their places, by task and version: those of a change, or all of the run.
    pub(super) fn isolation(
        &self,
        log: &RunLog,
        change: Option<&str>,
    ) -> BTreeMap<String, Isolation> {
        let plan = &self.prepared.plan;
        let compared = plan.comparisons.iter();
        let own = compared
            .filter(|planned| change.is_none_or(|change| planned.change == change))
            .flat_map(|planned| [planned.old, planned.new]);
        let isolated = own.filter_map(|id| {
            let record = log.nodes.get(&id)?;
            let isolation = record
                .isolation
                .clone()
                .filter(|_| record.outcome.is_ok())?;
            let node = plan.node(id);
            Some((format!("{} {}", node.task, node.version()?), isolation))
        });
        isolated.collect()
    }

    /// What each side's changed tasks took; `None` unless all of them ran here.
    fn cost(&self, change: &str, log: &RunLog) -> Option<[Cost; 2]> {
        let own = self.prepared.plan.comparisons.iter();
        let changed: Vec<&PlannedComparison> = own
            .filter(|planned| planned.change == change && planned.changed)
            .collect();
        let side = |side: Side| {
            let usages = changed.iter().map(|planned| {
                let record = log.nodes.get(&planned.node(side))?;
                record.outcome.is_ok().then_some(record.usage)
            });
            Some(Cost::of(usages.collect::<Option<Vec<_>>>()?))
        };
        Some([side(Side::Old)?, side(Side::New)?])
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
}
