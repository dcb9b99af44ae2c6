//! What people answered to groups of differences, and what follows from it: waivers, and marks of bugs.
//!
//! A waiver is a rule that acts beside those of the pipeline file: only for the code whose differences somebody looked
//! at, only up to a date, and only until somebody says otherwise. A mark of a bug stays until a run is without the group.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::ledger::{Entry, KnownBy, LedgerEvent};
use crate::rule::Rule;
use crate::run_date::RunDate;

/// For how many days a waiver holds where nobody says until when.
pub const WAIVER_DAYS: i64 = 30;

/// Somebody's answers to the groups of differences of one run and change.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Reviewed {
    /// The pipeline's name.
    pub pipeline: String,
    /// The change.
    pub change: String,
    /// The run whose differences were looked at.
    pub run: String,
    /// Who answered.
    pub by: String,
    /// How that is known.
    pub known_by: KnownBy,
    /// The digest of each side's versions in that run: old, then new.
    pub code: [Digest; 2],
    /// The answers.
    pub decisions: Vec<Decided>,
}

/// The answer to one group.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Decided {
    /// The group's id.
    pub group: String,
    /// Its task.
    pub task: String,
    /// What happened, in words: the pattern, and no value.
    pub what: String,
    /// Its column, if it is of one.
    pub column: Option<String>,
    /// The answer.
    pub decision: Decision,
    /// What was said to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What "fine" allows from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<Rule>,
}

/// An answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The differences are as they should be.
    Fine,
    /// They are a mistake of the new version.
    Bug,
    /// Nobody knows yet.
    Unsure,
}

impl Decision {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Fine, Self::Bug, Self::Unsure];

    /// The word that people write.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Bug => "bug",
            Self::Unsure => "unsure",
        }
    }

    /// The answer that a word is, in whatever case.
    #[must_use]
    pub fn written(word: &str) -> Option<Self> {
        let word = word.trim().to_lowercase();
        Self::ALL.into_iter().find(|answer| answer.name() == word)
    }
}

/// That somebody called a group a bug.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BugMark {
    /// Who.
    pub by: String,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// What was said to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The waivers of a change that hold today for this code, by task, the oldest first.
#[must_use]
pub fn waivers(
    entries: &[Entry],
    pipeline: &str,
    change: &str,
    code: &[Digest; 2],
    today: RunDate,
) -> BTreeMap<String, Vec<Rule>> {
    let mut latest: BTreeMap<&str, (u64, &[Digest; 2], &Decided)> = BTreeMap::new();
    for (entry, reviewed) in reviews(entries, pipeline, change) {
        for decided in &reviewed.decisions {
            latest.insert(&decided.group, (entry.number, &reviewed.code, decided));
        }
    }
    let mut in_force: Vec<_> = latest
        .into_values()
        .filter(|(_, of, _)| *of == code)
        .collect();
    in_force.sort_by_key(|(number, _, decided)| (*number, &decided.group));
    let mut rules: BTreeMap<String, Vec<Rule>> = BTreeMap::new();
    for (_, _, decided) in in_force {
        let waiver = decided.waiver.as_ref();
        if let Some(rule) = waiver.filter(|rule| rule.until.is_some_and(|until| until >= today)) {
            let own = rules.entry(decided.task.clone()).or_default();
            own.push(rule.clone());
        }
    }
    rules
}

/// The groups of a change that are called bugs and were in every run for all customers since, by their ids.
#[must_use]
pub fn bugs(entries: &[Entry], pipeline: &str, change: &str) -> BTreeMap<String, BugMark> {
    let mut marks = BTreeMap::new();
    for entry in entries {
        match &entry.event {
            LedgerEvent::Reviewed(reviewed)
                if reviewed.pipeline == pipeline && reviewed.change == change =>
            {
                for decided in &reviewed.decisions {
                    marks.remove(&decided.group);
                    if decided.decision == Decision::Bug {
                        let mark = BugMark {
                            by: reviewed.by.clone(),
                            at: entry.at.clone(),
                            note: decided.note.clone(),
                        };
                        marks.insert(decided.group.clone(), mark);
                    }
                }
            }
            // What was judged again is an older run, and a slice has not all rows.
            LedgerEvent::Judged(judged)
                if judged.pipeline == pipeline
                    && judged.change == change
                    && judged.ran_at.is_none()
                    && judged.slice.is_none() =>
            {
                marks.retain(|group, _| judged.bugs.contains(group));
            }
            _ => {}
        }
    }
    marks
}

/// The answers to the groups of a change, in the order of the ledger.
pub fn reviews<'a>(
    entries: &'a [Entry],
    pipeline: &str,
    change: &str,
) -> impl Iterator<Item = (&'a Entry, &'a Reviewed)> + use<'a> {
    let (pipeline, change) = (pipeline.to_owned(), change.to_owned());
    entries.iter().filter_map(move |entry| match &entry.event {
        LedgerEvent::Reviewed(reviewed)
            if reviewed.pipeline == pipeline && reviewed.change == change =>
        {
            Some((entry, reviewed))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests;
