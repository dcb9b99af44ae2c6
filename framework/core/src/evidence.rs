//! What the judged runs of a change say about its lanes: the record that the gate decides on.
//!
//! Each run leaves one [`RunEvidence`]; a [`Track`] is what they say together, and can be built from them anew at any
//! time.

mod stored;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::comparison::Comparison;
use crate::customer::Customer;
use crate::digest::Digest;
use crate::isolation::{Isolation, doubts};
use crate::judge::lanes::ChangeVerdict;
use crate::rule::Rule;
use crate::run::Usage;
use crate::run_date::RunDate;
use crate::slice::SliceOf;
use crate::verdict::Verdict;

/// The format of a run's evidence.
pub const EVIDENCE_FORMAT: u32 = 2;

/// What one run says about one change. The ledger holds the digest of its file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RunEvidence {
    /// The format, [`EVIDENCE_FORMAT`].
    pub version: u32,
    /// The run.
    pub run: String,
    /// Its date.
    pub date: RunDate,
    /// The slice that it was for; `None` for everybody. It says nothing about other customers.
    pub slice: Option<SliceOf>,
    /// The change.
    pub change: String,
    /// The digest of each side's versions: old, then new.
    pub code: [Digest; 2],
    /// The digest of the rules.
    pub rules: Digest,
    /// What concerns every lane that the run was for, such as an output that is missing.
    pub floor: Verdict,
    /// Lanes that had rows.
    #[serde(with = "stored::by_evidence")]
    pub lanes: BTreeMap<Customer, LaneEvidence>,
    /// What each side's changed tasks took: old, then new; `None` where a side was not executed in this run.
    pub cost: Option<[Cost; 2]>,
    /// The rules with an `until` that were needed, each with that date.
    pub expiring: BTreeMap<String, RunDate>,
    /// The number of the last move in the ledger when the run read the stages, zero if there was none: of later ones it
    /// knows nothing.
    #[serde(default)]
    pub seen: u64,
    /// What kept its shadows in their places, by task and version.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub isolation: BTreeMap<String, Isolation>,
}

impl RunEvidence {
    /// Whether it says anything about a customer who had no rows.
    fn is_for(&self, customer: &Customer) -> bool {
        let members = self.slice.as_ref().map(|slice| &slice.members);
        members.is_none_or(|members| members.has(customer))
    }
}

/// What one run says about one lane.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct LaneEvidence {
    /// The worst verdict over the tasks.
    pub verdict: Verdict,
    /// Rows of the old outputs, over the tasks.
    pub rows: u64,
    /// Rows that differ as expected, over the tasks.
    pub expected: u64,
    /// Rows that differ in what no rule expects, over the tasks.
    #[serde(default)]
    pub unexpected: u64,
}

impl LaneEvidence {
    /// No rows, and nothing said.
    const NO_ROWS: Self = Self {
        verdict: Verdict::Identical,
        rows: 0,
        expected: 0,
        unexpected: 0,
    };
}

/// What a side's changed tasks took.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Cost {
    /// Wall time of all of them, in milliseconds.
    pub wall_ms: u64,
    /// Memory of the one that took most, in bytes.
    pub memory_bytes: u64,
}

impl Cost {
    /// What several executions took.
    #[must_use]
    pub fn of(usages: impl IntoIterator<Item = Usage>) -> Self {
        let mut cost = Self::default();
        for usage in usages {
            cost.wall_ms += usage.wall_ms;
            cost.memory_bytes = cost.memory_bytes.max(usage.peak_memory_bytes);
        }
        cost
    }
}

/// What of a run's evidence is per lane: the verdict on all of them, and on each.
#[must_use]
pub fn lanes_of(
    verdict: &ChangeVerdict,
    comparisons: &BTreeMap<&str, &Comparison>,
) -> (Verdict, BTreeMap<Customer, LaneEvidence>) {
    let mut floor = Verdict::Identical;
    let mut lanes: BTreeMap<Customer, LaneEvidence> = BTreeMap::new();
    for (task, judged) in &verdict.tasks {
        let worst = judged.customers.values().copied().max();
        // What no lane accounts for concerns them all.
        if worst.is_none_or(|worst| worst < judged.verdict) {
            floor = floor.max(judged.verdict);
        }
        let comparison = comparisons.get(task.as_str());
        for (customer, verdict) in &judged.customers {
            let counts = comparison.and_then(|found| found.customers.get(customer));
            let counts = counts.copied().unwrap_or_default();
            let lane = lanes.entry(customer.clone()).or_insert(LaneEvidence {
                verdict: *verdict,
                rows: 0,
                expected: 0,
                unexpected: 0,
            });
            lane.verdict = lane.verdict.max(*verdict);
            lane.rows = lane.rows.saturating_add(counts.old);
            lane.expected = lane.expected.saturating_add(counts.expected);
            lane.unexpected = lane.unexpected.saturating_add(counts.unexpected);
        }
    }
    (floor, lanes)
}

/// The rules that were needed and end some day, by task and name, with that day.
#[must_use]
pub fn expiring<'a>(
    judged: impl IntoIterator<Item = (&'a str, &'a [Rule], &'a Comparison)>,
) -> BTreeMap<String, RunDate> {
    let mut ends = BTreeMap::new();
    for (task, rules, comparison) in judged {
        for rule in rules {
            let Some(until) = rule.until else { continue };
            let mut counts = comparison.rules.iter();
            if counts.any(|counted| counted.name == rule.name && counted.differences > 0) {
                ends.insert(format!("{task}: {}", rule.name), until);
            }
        }
    }
    ends
}

/// The format of a stored track.
pub const TRACK_FORMAT: u32 = 4;

/// How many run dates are kept for each lane, one by one. What is older counts only as a sum, and only while
/// everything after it is clean.
const KEPT_DATES: usize = 64;
/// So many more may gather before they are summed up, because that moves all that are kept.
const DATES_TO_SUM_UP: usize = 16;

/// What the runs of one change say together: of each lane, the latest run of each distinct run date, in order of finish.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(try_from = "stored::StoredTrack")]
pub struct Track {
    /// The runs that some lane still speaks of, by their ids.
    pub runs: BTreeMap<String, TrackRun>,
    /// The lanes that ever had rows.
    pub lanes: BTreeMap<Customer, LaneTrack>,
}

/// What lanes share of one run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TrackRun {
    /// Its date.
    pub date: RunDate,
    /// When it was judged: seconds since the epoch.
    pub finished: i64,
    /// The digest of each side's versions: old, then new.
    pub code: [Digest; 2],
    /// The digest of the rules.
    pub rules: Digest,
    /// The digest of the evidence.
    pub evidence: Digest,
    /// What each side took.
    pub cost: Option<[Cost; 2]>,
    /// The rules with an `until` that were needed.
    pub expiring: BTreeMap<String, RunDate>,
    /// The number of the last move in the ledger when the run read the stages.
    pub seen: u64,
    /// What a reader should know of how its shadows were kept in their places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
}

/// One lane's runs.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LaneTrack {
    /// The latest run of each date, in order of finish; the newest last.
    pub runs: Vec<LaneRun>,
    /// What came before them, while it is of one code and clean up to them.
    pub before: Option<Before>,
}

/// What one run says about a lane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LaneRun {
    /// The run; lanes share its id, because there are many of them.
    pub run: Arc<str>,
    /// What it says.
    pub evidence: LaneEvidence,
}

/// Clean runs of one code, summed up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Before {
    /// How many dates.
    pub dates: u64,
    /// When the first of them was judged: seconds since the epoch.
    pub since: i64,
    /// The last of the dates.
    pub through: RunDate,
    /// The code of all of them.
    pub code: [Digest; 2],
    /// The rules of all of them.
    pub rules: Digest,
    /// Their rows.
    pub rows: u64,
    /// Their rows that differ as expected.
    pub expected: u64,
    /// The last move that all of them knew of, as the number of its entry.
    pub seen: u64,
}

impl Track {
    /// Adds the evidence of a run, which was judged at `finished` (seconds since the epoch). It takes the place of what
    /// was said of the same date before.
    pub fn add(&mut self, evidence: &RunEvidence, digest: Digest, finished: i64) {
        self.forget_date(evidence);
        let about = TrackRun {
            date: evidence.date,
            finished,
            code: evidence.code.clone(),
            rules: evidence.rules.clone(),
            evidence: digest,
            cost: evidence.cost,
            expiring: evidence.expiring.clone(),
            seen: evidence.seen,
            doubts: doubts(&evidence.isolation),
        };
        self.runs.insert(evidence.run.clone(), about);
        let run: Arc<str> = Arc::from(evidence.run.as_str());
        let says = |found: LaneEvidence| LaneRun {
            run: Arc::clone(&run),
            evidence: LaneEvidence {
                verdict: found.verdict.max(evidence.floor),
                ..found
            },
        };
        let concerns_all = evidence.floor > Verdict::Expected;
        // Both are in the order of customers.
        let mut found = evidence.lanes.iter().peekable();
        let mut new = Vec::new();
        for (customer, lane) in &mut self.lanes {
            while let Some(before) = found.next_if(|(other, _)| *other < customer) {
                new.push(before);
            }
            if let Some((_, found)) = found.next_if(|(other, _)| *other == customer) {
                lane.push(says(*found), &self.runs);
            } else if concerns_all && evidence.is_for(customer) {
                lane.push(says(LaneEvidence::NO_ROWS), &self.runs);
            }
        }
        for (customer, found) in new.into_iter().chain(found) {
            let lane = self.lanes.entry(customer.clone()).or_default();
            lane.push(says(*found), &self.runs);
        }
        self.forget_unneeded();
    }

    /// A run of a date takes the place of what an earlier one said, of every lane that it is for.
    fn forget_date(&mut self, evidence: &RunEvidence) {
        let runs = self.runs.iter();
        let same: BTreeSet<&str> = runs
            .filter(|(_, run)| run.date == evidence.date)
            .map(|(run, _)| run.as_str())
            .collect();
        for (customer, lane) in &mut self.lanes {
            if !evidence.is_for(customer) {
                continue;
            }
            if !same.is_empty() {
                lane.runs.retain(|one| !same.contains(&*one.run));
            }
            // It may be in the sum already, which nobody can take it out of: it must not count twice.
            let before = lane.before.take();
            lane.before = before.filter(|before| before.through < evidence.date);
        }
    }

    fn forget_unneeded(&mut self) {
        // A run is spoken of by its own lanes first of all; looking at all lanes is worth it only now and then.
        if self.runs.len() < 2 * KEPT_DATES {
            return;
        }
        let needed: BTreeSet<&str> = self
            .lanes
            .values()
            .flat_map(|lane| &lane.runs)
            .map(|one| &*one.run)
            .collect();
        let needed: Vec<String> = needed.into_iter().map(str::to_owned).collect();
        let mut all = std::mem::take(&mut self.runs);
        for run in needed {
            if let Some(kept) = all.remove(&run) {
                self.runs.insert(run, kept);
            }
        }
    }
}

impl LaneTrack {
    fn push(&mut self, one: LaneRun, runs: &BTreeMap<String, TrackRun>) {
        // What was judged again is as old as it was, and takes its place among the others.
        let place = |one: &LaneRun| runs.get(&*one.run).map(|run| (run.finished, run.date));
        let own = place(&one);
        let position = match self.runs.last() {
            Some(last) if place(last) > own => self.runs.partition_point(|one| place(one) <= own),
            _ => self.runs.len(),
        };
        self.runs.insert(position, one);
        if self.runs.len() > KEPT_DATES + DATES_TO_SUM_UP {
            self.shorten(runs);
        }
    }

    /// Sums up what is older than the dates that are kept one by one.
    fn shorten(&mut self, runs: &BTreeMap<String, TrackRun>) {
        let older = self.runs.len() - KEPT_DATES;
        for oldest in self.runs.drain(..older) {
            let Some(run) = runs.get(&*oldest.run) else {
                self.before = None;
                continue;
            };
            let is_clean = oldest.evidence.verdict <= Verdict::Expected;
            let before = self
                .before
                .take()
                .filter(|before| before.code == run.code && before.rules == run.rules);
            self.before = is_clean.then(|| {
                let before = before.unwrap_or_else(|| Before {
                    dates: 0,
                    since: run.finished,
                    through: run.date,
                    code: run.code.clone(),
                    rules: run.rules.clone(),
                    rows: 0,
                    expected: 0,
                    seen: run.seen,
                });
                Before {
                    dates: before.dates + 1,
                    through: before.through.max(run.date),
                    seen: before.seen.min(run.seen),
                    rows: before.rows.saturating_add(oldest.evidence.rows),
                    expected: before.expected.saturating_add(oldest.evidence.expected),
                    ..before
                }
            });
        }
    }
}

/// The clean runs in a row that end with a lane's newest run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Streak<'a> {
    /// How many distinct run dates.
    pub dates: u64,
    /// When the first of them was judged: seconds since the epoch.
    pub since: Option<i64>,
    /// Rows of the old outputs.
    pub rows: u64,
    /// Rows that differ as expected.
    pub expected: u64,
    /// The runs that are kept one by one, oldest first.
    pub runs: Vec<&'a str>,
}

impl Track {
    /// A lane's clean runs in a row, all of this code and these rules, and that knew of the ledger's entry `anew`, if that
    /// made the evidence start anew.
    #[must_use]
    pub fn streak(
        &self,
        lane: &LaneTrack,
        code: &[Digest; 2],
        rules: &Digest,
        anew: Option<u64>,
    ) -> Streak<'_> {
        let mut streak = Streak::default();
        let mut is_whole = true;
        for one in lane.runs.iter().rev() {
            let run = self.runs.get_key_value(&*one.run).filter(|(_, run)| {
                run.code == *code
                    && run.rules == *rules
                    && anew.is_none_or(|anew| run.seen >= anew)
                    && one.evidence.verdict <= Verdict::Expected
            });
            let Some((id, run)) = run else {
                is_whole = false;
                break;
            };
            streak.dates += 1;
            streak.since = Some(run.finished);
            streak.rows = streak.rows.saturating_add(one.evidence.rows);
            streak.expected = streak.expected.saturating_add(one.evidence.expected);
            streak.runs.push(id);
        }
        streak.runs.reverse();
        let before = lane.before.as_ref().filter(|before| {
            is_whole
                && before.code == *code
                && before.rules == *rules
                && anew.is_none_or(|anew| before.seen >= anew)
        });
        if let Some(before) = before {
            streak.dates += before.dates;
            streak.since = Some(before.since);
            streak.rows = streak.rows.saturating_add(before.rows);
            streak.expected = streak.expected.saturating_add(before.expected);
        }
        streak
    }
}

#[cfg(test)]
mod tests;
