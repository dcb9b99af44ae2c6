//! Answers, from a file into the ledger.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use understudy_core::digest::Digest;
use understudy_core::ledger::{Entry, KnownBy, LedgerEvent};
use understudy_core::review::{Decided, Decision, Reviewed, reviews};
use understudy_core::rule::Rule;
use understudy_core::run_date::RunDate;

use super::answers::{Answer, Answers, Fault, answers, has_head};
use super::ids::Ids;
use super::out::{groups, record_of};
use super::terms::{Terms, date_words, rule_name};
use super::{ReviewError, code_in, read, reports};
use crate::clock;
use crate::error::RunError;
use crate::evidence::code_of;
use crate::observe::code_digests;
use crate::pipeline::{self, Pipeline};
use crate::report::files::group::Group;
use crate::run::record::RunRecord;
use crate::store::{Store, ledger};

/// The format of what `review in --json` prints.
const FORMAT: u32 = 1;
/// The characters of a reviewer's name, at most.
const MAX_NAME_CHARS: usize = 100;

/// What to take.
#[derive(Clone, Debug)]
pub struct TakeRequest<'a> {
    /// The pipeline's folder or file.
    pub pipeline: &'a Path,
    /// The file.
    pub file: &'a Path,
    /// Who answered.
    pub reviewer: &'a str,
    /// Until when the answers hold; as the file says, if nobody says otherwise.
    pub until: Option<RunDate>,
    /// The run, by its id or the beginning of it; the last one if none is named.
    pub run: Option<&'a str>,
    /// The change; the one that the file is of if none is named.
    pub change: Option<&'a str>,
    /// Whether nothing is to be recorded.
    pub dry_run: bool,
}

/// What was taken.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Taken {
    /// The format of this.
    pub version: u32,
    /// The change.
    pub change: String,
    /// The run that the answers are about.
    pub run: String,
    /// Who answered.
    pub reviewer: String,
    /// Whether something was recorded: not with `--dry-run`, and not where all of it was known.
    pub done: bool,
    /// The answers.
    pub answers: Vec<TakenAnswer>,
    /// How many groups have a line without an answer.
    pub undecided: usize,
    /// Lines whose notes were left, because nobody decided.
    pub notes_without_decision: Vec<u64>,
    /// What a person should look at.
    pub alerts: Vec<String>,
}

/// One answer.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct TakenAnswer {
    /// The line that it stands in first.
    pub line: u64,
    /// The group.
    pub group: String,
    /// Its task.
    pub task: String,
    /// What happened.
    pub what: String,
    /// Its column, if it is of one.
    pub column: Option<String>,
    /// The answer.
    pub decision: Decision,
    /// What was said to it.
    pub note: Option<String>,
    /// What it allows, in words, and what not any more.
    pub allows: Option<String>,
    /// Whether the ledger has it already.
    pub known: bool,
}

/// Takes the answers of a file.
///
/// # Errors
/// There is no such run or change, the file cannot be read, something in it is wrong, or the ledger cannot be written.
/// Nothing was taken then.
pub fn review_in(request: &TakeRequest<'_>) -> Result<Taken, ReviewError> {
    let reviewer = name(request.reviewer)?;
    let pipeline = pipeline::load(request.pipeline).map_err(RunError::from)?;
    let store = Store::of(&pipeline);
    let record = record_of(&store, request.run)?;
    let entries = ledger::open(&store)?.entries().to_vec();
    let table = read::read(request.file, has_head)?;
    let of_change = |change: &str| {
        let ids = Ids {
            pipeline: &record.pipeline,
            change,
            run: &record.run,
        };
        answers(&table, ids)
    };
    // A file is of one change: the one whose ids it has.
    let mut read: Vec<(&str, _, Answers)> = reports(&record, request.change)?
        .into_iter()
        .map(|(change, report)| (change, report, of_change(change)))
        .collect();
    read.sort_by_key(|(_, _, answers)| answers.faults.len());
    let Some((change, report, answers)) = read.into_iter().next() else {
        return Err(ReviewError::Usage(format!(
            "run {} compared no change, so that there is nothing to review",
            record.run
        )));
    };
    let review = Review {
        request,
        reviewer,
        pipeline: &pipeline,
        record: &record,
        entries: &entries,
        change,
        known: known_groups(groups(report), &entries, &record, change),
    };
    let decided = review.decided(answers)?;
    let taken = review.taken(&decided)?;
    if taken.done {
        review.append(&store, decided.decided)?;
    }
    Ok(taken)
}

/// A name that stands in the ledger, in rules and in reports.
fn name(reviewer: &str) -> Result<&str, ReviewError> {
    let name = reviewer.trim();
    let wrong = |what: &str| Err(ReviewError::Usage(format!("--reviewer {what}")));
    if name.is_empty() {
        return wrong("is empty\nhint: say who answered, such as `--reviewer Dana`");
    }
    if name.chars().any(char::is_control) {
        return wrong("has characters that are no letters");
    }
    if name.chars().count() > MAX_NAME_CHARS {
        return wrong("is too long");
    }
    Ok(name)
}

/// A group that can be answered.
struct Known {
    task: String,
    what: String,
    column: Option<String>,
    /// As the run has it; `None` where an earlier answer took it out of the report.
    group: Option<Group>,
    /// What the last answer said.
    last: Option<(Decided, String)>,
}

/// The groups of a run, and those that were in it before somebody answered.
fn known_groups(
    groups: Vec<(String, Group)>,
    entries: &[Entry],
    record: &RunRecord,
    change: &str,
) -> BTreeMap<String, Known> {
    let mut known: BTreeMap<String, Known> = BTreeMap::new();
    for (task, group) in groups {
        let one = Known {
            task,
            what: group.what.clone(),
            column: group.column.clone(),
            last: None,
            group: Some(group.clone()),
        };
        known.insert(group.id, one);
    }
    for (_, reviewed) in reviews(entries, &record.pipeline, change) {
        for decided in &reviewed.decisions {
            let own = match known.get_mut(&decided.group) {
                Some(own) => own,
                None if reviewed.run == record.run => {
                    known.entry(decided.group.clone()).or_insert(Known {
                        task: decided.task.clone(),
                        what: decided.what.clone(),
                        column: decided.column.clone(),
                        group: None,
                        last: None,
                    })
                }
                None => continue,
            };
            let rule = decided.waiver.clone();
            let before = own.last.take().and_then(|(before, _)| before.waiver);
            // An answer without a rule does not make forgotten what was allowed once.
            let waiver = rule.or(before);
            let decided = Decided {
                waiver,
                ..decided.clone()
            };
            own.last = Some((decided, reviewed.by.clone()));
        }
    }
    known
}

/// One file of one run and change.
struct Review<'a> {
    request: &'a TakeRequest<'a>,
    reviewer: &'a str,
    pipeline: &'a Pipeline,
    record: &'a RunRecord,
    entries: &'a [Entry],
    change: &'a str,
    known: BTreeMap<String, Known>,
}

/// What a file says, and what of it is new.
struct DecidedAll {
    answers: Vec<TakenAnswer>,
    decided: Vec<Decided>,
    undecided: usize,
    notes_without_decision: Vec<u64>,
}

impl Review<'_> {
    fn decided(&self, found: Answers) -> Result<DecidedAll, ReviewError> {
        let mut faults = found.faults;
        let mut all = DecidedAll {
            answers: Vec::new(),
            decided: Vec::new(),
            undecided: found.undecided.len(),
            notes_without_decision: found.notes_without_decision,
        };
        for (group, answer) in &found.answers {
            match self.decide(group, answer) {
                Ok((decided, taken)) => {
                    if !taken.known {
                        all.decided.push(decided);
                    }
                    all.answers.push(taken);
                }
                Err(what) => faults.push(Fault {
                    line: answer.line,
                    what,
                }),
            }
        }
        if faults.is_empty() {
            all.answers.sort_by_key(|answer| answer.line);
            return Ok(all);
        }
        faults.sort_by_key(|fault| fault.line);
        let hint = found.is_foreign.then(|| {
            format!(
                "this is run {} of `{}`; name the run of the file with --run, it stands at the end of the file's name",
                self.record.run, self.change
            )
        });
        Err(ReviewError::Answers {
            path: self.request.file.to_owned(),
            faults,
            hint,
        })
    }

    fn decide(&self, group: &str, answer: &Answer) -> Result<(Decided, TakenAnswer), String> {
        let known = self
            .known
            .get(group)
            .ok_or("the run has no such group of differences")?;
        let until = self.request.until.unwrap_or(answer.until);
        let rule = match answer.decision {
            Decision::Fine => Some(self.rule(group, known, answer, until)?),
            Decision::Bug | Decision::Unsure => None,
        };
        let decided = Decided {
            group: group.to_owned(),
            task: known.task.clone(),
            what: known.what.clone(),
            column: known.column.clone(),
            decision: answer.decision,
            note: answer.note.clone(),
            waiver: rule,
        };
        let is_known = known.last.as_ref().is_some_and(|(last, by)| {
            let same_rule = answer.decision != Decision::Fine || last.waiver == decided.waiver;
            by == self.reviewer
                && last.decision == decided.decision
                && last.note == decided.note
                && same_rule
        });
        let allows = match (&decided.waiver, &known.group) {
            (Some(_), Some(group)) => Terms::of(group).map(|terms| terms.sentence(until)),
            (Some(_), None) => Some(format!(
                "what was accepted before, until {}",
                date_words(until)
            )),
            (None, _) => None,
        };
        let taken = TakenAnswer {
            line: answer.line,
            group: group.to_owned(),
            task: known.task.clone(),
            what: known.what.clone(),
            column: known.column.clone(),
            decision: answer.decision,
            note: answer.note.clone(),
            allows,
            known: is_known,
        };
        Ok((decided, taken))
    }

    /// What a yes allows. A group that is not there any more, because a yes allowed it, keeps its terms.
    fn rule(
        &self,
        group: &str,
        known: &Known,
        answer: &Answer,
        until: RunDate,
    ) -> Result<Rule, String> {
        if until < clock::today() {
            return Err(format!(
                "a yes to it would have held until {}, which is past; say until when with --until 30d",
                date_words(until)
            ));
        }
        let reason = answer.note.clone();
        let before = known
            .last
            .as_ref()
            .and_then(|(last, _)| last.waiver.clone());
        match (&known.group, before) {
            (Some(group), _) => Terms::of(group)
                .map(|terms| terms.rule(self.reviewer, reason, until))
                .ok_or_else(|| {
                    "this cannot be accepted: it is many kinds of difference in one".to_owned()
                }),
            (None, Some(rule)) => Ok(Rule {
                name: rule_name(group, self.reviewer, until),
                reason,
                until: Some(until),
                ..rule
            }),
            (None, None) => {
                Err("it is not in the run's report any more; review a newer run".to_owned())
            }
        }
    }

    fn taken(&self, all: &DecidedAll) -> Result<Taken, ReviewError> {
        let mut alerts = Vec::new();
        if self.code()? != self.code_now() {
            alerts.push(format!(
                "run {} compared other code than there is now: these answers hold for that code only",
                self.record.run
            ));
        }
        Ok(Taken {
            version: FORMAT,
            change: self.change.to_owned(),
            run: self.record.run.clone(),
            reviewer: self.reviewer.to_owned(),
            done: !self.request.dry_run && !all.decided.is_empty(),
            answers: all.answers.clone(),
            undecided: all.undecided,
            notes_without_decision: all.notes_without_decision.clone(),
            alerts,
        })
    }

    fn code(&self) -> Result<[Digest; 2], ReviewError> {
        code_in(self.entries, self.record, self.change).ok_or_else(|| {
            ReviewError::Usage(format!(
                "the ledger knows no verdict of run {} on `{}`, so that there is nothing to answer to",
                self.record.run, self.change
            ))
        })
    }

    /// As far as it can be known: a change that is not in the file any more has none.
    fn code_now(&self) -> [Digest; 2] {
        let spec = &self.pipeline.spec;
        let code = spec
            .changes
            .contains_key(self.change)
            .then(|| code_digests(self.pipeline));
        match code {
            Some(Ok(code)) => code_of(spec, &code, self.change),
            _ => [Digest::of_bytes(b""), Digest::of_bytes(b"")],
        }
    }

    fn append(&self, store: &Store, decisions: Vec<Decided>) -> Result<(), ReviewError> {
        let event = LedgerEvent::Reviewed(Reviewed {
            pipeline: self.record.pipeline.clone(),
            change: self.change.to_owned(),
            run: self.record.run.clone(),
            by: self.reviewer.to_owned(),
            known_by: KnownBy::Said,
            code: self.code()?,
            decisions,
        });
        Ok(ledger::append(store, &event, clock::now())?)
    }
}
