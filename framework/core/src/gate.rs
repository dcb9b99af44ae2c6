//! The gate: from the record of a change to whether its lanes may move towards new, and what they wait for.
//!
//! One pure function, [`gate`]. It is decided lane by lane; the worst check of a lane decides the lane, and the worst
//! lane the change. What is missing is never ready.

mod costs;

use std::collections::{BTreeMap, BTreeSet};

use chrono::Datelike as _;
use serde::{Deserialize, Serialize};

use crate::customer::Customer;
use crate::digest::Digest;
use crate::evidence::{LaneTrack, Streak, Track, TrackRun};
use crate::rollout::anew::Anew;
use crate::run_date::RunDate;
use crate::share::percent_of;
use crate::spec::{GatePolicy, Weekday};
use crate::verdict::Verdict;

use costs::times;
pub use costs::{Beyond, COST_FLOOR_MS, Measure, beyond};

/// How many clean run dates in a row are wanted where the file says nothing.
pub const DEFAULT_CLEAN_RUNS: u32 = 5;
/// How old the newest run may be where the file says nothing, in seconds: 48 hours.
pub const DEFAULT_EVIDENCE_MAX_AGE_SECS: u64 = 48 * 60 * 60;
/// For how long every lane must have been live before a change is complete where the file says nothing, in seconds:
/// seven days.
pub const DEFAULT_MIN_AGE_SECS: u64 = 7 * 24 * 60 * 60;
/// A rule that ends within so many days is warned of.
pub const RULE_ENDS_SOON_DAYS: i64 = 7;
/// Clocks of several machines differ; evidence from further ahead than this, in seconds, is from no clock at all.
const CLOCK_SKEW_SECS: i64 = 300;

/// How far a lane or change is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It may move towards new.
    Ready,
    /// There is no evidence, or what there is is stale or partial.
    NoEvidence,
    /// What there is does not suffice, or speaks against it.
    NotReady,
}

impl Standing {
    /// As people say it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::NoEvidence => "NOT CHECKED",
            Self::NotReady => "not ready",
        }
    }
}

/// What is looked at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// Clean runs in a row.
    CleanRuns,
    /// How long ago the newest of them was judged.
    EvidenceAge,
    /// For how long the lane has been clean.
    Soak,
    /// The rows that were compared.
    MinRows,
    /// The share of rows that differ as expected.
    ExpectedRows,
    /// How much longer the new version takes.
    Runtime,
    /// How much more memory the new version takes.
    Memory,
    /// The days of the week that were seen.
    Weekdays,
    /// Whether the end of a month was seen.
    MonthEnd,
    /// Whether rules are needed that have ended.
    Rules,
    /// Whether a person holds the lane.
    Hold,
    /// Who has approved of this evidence.
    Approvals,
    /// Whether the policy was loosened since the rollout began.
    Policy,
    /// Whether the waves before this one are live and clean.
    Waves,
}

/// One check, for people and programs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Check {
    /// What is looked at.
    pub check: CheckKind,
    /// How it stands.
    pub standing: Standing,
    /// What was found, such as `3 clean runs`.
    pub figure: String,
    /// What is wanted, such as `5`.
    pub limit: String,
    /// What has to come, as far as it comes by waiting.
    pub waits: Waits,
    /// What a person should know although the check is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// What has to come by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Waits {
    /// So many more clean runs.
    pub runs: u64,
    /// So many more seconds.
    pub secs: u64,
    /// So many more rows.
    pub rows: u64,
}

impl Waits {
    /// What has to come for both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            runs: self.runs.max(other.runs),
            secs: self.secs.max(other.secs),
            rows: self.rows.max(other.rows),
        }
    }
}

/// Somebody's approval of the evidence as it was.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Approval {
    /// Who.
    pub by: String,
    /// Of what.
    pub evidence: Digest,
}

/// Everything that the gate looks at.
#[derive(Clone, Copy, Debug)]
pub struct GateInput<'a> {
    /// The policy as the file has it now.
    pub policy: &'a GatePolicy,
    /// The policy when the first lane went live, if one did.
    pub first_policy: Option<&'a GatePolicy>,
    /// Now: seconds since the epoch.
    pub now: i64,
    /// Today, in UTC.
    pub today: RunDate,
    /// The digest of each side's versions as they are now: old, then new.
    pub code: &'a [Digest; 2],
    /// The digest of the rules as they are now.
    pub rules: &'a Digest,
    /// The record.
    pub track: &'a Track,
    /// Whose evidence had to start anew, since when and why.
    pub anew: &'a Anew,
    /// Lanes that a person holds.
    pub held: &'a BTreeSet<Customer>,
    /// Whether a person holds every lane.
    pub all_held: bool,
    /// The approvals that were ever given.
    pub approvals: &'a [Approval],
    /// Who wants to move it; nobody's own approval counts.
    pub requester: Option<&'a str>,
}

/// What the gate says.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Decision {
    /// The worst of its lanes and of what concerns them all.
    pub standing: Standing,
    /// What concerns all lanes.
    pub checks: Vec<Check>,
    /// By lane.
    pub lanes: BTreeMap<Customer, LaneDecision>,
    /// Lanes that were asked for and never had rows: they are listed, not judged.
    pub without_rows: Vec<Customer>,
    /// The digest of the evidence that it was decided on, which approvals are for.
    pub evidence: Digest,
}

/// What the gate says of one lane.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LaneDecision {
    /// The worst check.
    pub standing: Standing,
    /// Every check, the always wanted ones first.
    pub checks: Vec<Check>,
    /// What it waits for, over all checks.
    pub waits: Waits,
}

/// Decides for these lanes; `None` means every lane that ever had rows.
#[must_use]
pub fn gate(input: &GateInput<'_>, lanes: Option<&BTreeSet<Customer>>) -> Decision {
    let mut decided = BTreeMap::new();
    let mut without_rows = Vec::new();
    let mut decide = |customer: &Customer, track: &LaneTrack| {
        let lane = decide_lane(input, customer, track);
        decided.insert(customer.clone(), lane);
    };
    match lanes {
        None => input
            .track
            .lanes
            .iter()
            .for_each(|(customer, track)| decide(customer, track)),
        Some(asked) => {
            for customer in asked {
                match input.track.lanes.get(customer) {
                    Some(track) => decide(customer, track),
                    None => without_rows.push(customer.clone()),
                }
            }
        }
    }
    let evidence = evidence_digest(input);
    let checks = [approvals(input, &evidence), policy(input, &evidence)];
    let checks: Vec<Check> = checks.into_iter().flatten().collect();
    let shared = checks.iter().map(|check| check.standing);
    let own = decided.values().map(|lane| lane.standing);
    // Without a lane there is nothing that speaks for it.
    let standing = match decided.is_empty() {
        true => Standing::NoEvidence,
        false => shared.chain(own).fold(Standing::Ready, Standing::max),
    };
    Decision {
        standing,
        checks,
        lanes: decided,
        without_rows,
        evidence,
    }
}

/// The identity of what was decided on: another run, code or rule makes another one.
fn evidence_digest(input: &GateInput<'_>) -> Digest {
    let runs = input.track.runs.iter();
    let current = runs.filter(|(_, run)| run.code == *input.code && run.rules == *input.rules);
    let evidence: Vec<(&String, &Digest)> =
        current.map(|(run, known)| (run, &known.evidence)).collect();
    Digest::of_json(&(input.code, input.rules, evidence))
}

fn decide_lane(input: &GateInput<'_>, customer: &Customer, track: &LaneTrack) -> LaneDecision {
    let streak = streak(input, customer, track, None);
    let policy = input.policy;
    let newest = streak
        .runs
        .last()
        .and_then(|run| input.track.runs.get(*run));
    let mut checks = vec![
        clean_runs(input, customer, track, &streak),
        evidence_age(input, newest),
    ];
    checks.extend(policy.soak_secs.map(|wanted| soak(input, &streak, wanted)));
    checks.extend(policy.min_rows.map(|wanted| min_rows(&streak, wanted)));
    checks.extend(
        policy
            .expected_rows
            .map(|most| expected_rows(&streak, most)),
    );
    let runs: Vec<&TrackRun> = streak
        .runs
        .iter()
        .filter_map(|run| input.track.runs.get(*run))
        .collect();
    checks.extend(
        policy
            .max_runtime_ratio
            .map(|most| ratio(CheckKind::Runtime, &runs, most, Measure::Runtime)),
    );
    checks.extend(
        policy
            .max_memory_ratio
            .map(|most| ratio(CheckKind::Memory, &runs, most, Measure::Memory)),
    );
    if !policy.weekdays.is_empty() {
        checks.push(weekdays(&runs, &policy.weekdays));
    }
    if policy.month_end {
        checks.push(month_end(&runs));
    }
    checks.extend(rules(input, &runs));
    if input.all_held || input.held.contains(customer) {
        checks.push(check(
            CheckKind::Hold,
            Standing::NotReady,
            "held",
            "released",
        ));
    }
    let standing = checks.iter().map(|check| check.standing);
    let standing = standing.fold(Standing::Ready, Standing::max);
    let waits = checks
        .iter()
        .fold(Waits::default(), |waits, check| waits.with(check.waits));
    LaneDecision {
        standing,
        checks,
        waits,
    }
}

/// A lane's clean runs in a row since its evidence last started anew, and since another entry, if one is given.
pub(crate) fn streak<'a>(
    input: &GateInput<'a>,
    customer: &Customer,
    track: &LaneTrack,
    since: Option<u64>,
) -> Streak<'a> {
    let anew = input.anew.of(customer).map(|cause| cause.entry);
    let anew = anew.max(since);
    input.track.streak(track, input.code, input.rules, anew)
}

/// How many clean run dates in a row a policy wants.
#[must_use]
pub fn clean_runs_wanted(policy: &GatePolicy) -> u64 {
    u64::from(policy.clean_runs.unwrap_or(DEFAULT_CLEAN_RUNS))
}

pub(crate) fn check(
    kind: CheckKind,
    standing: Standing,
    figure: impl Into<String>,
    limit: impl Into<String>,
) -> Check {
    Check {
        check: kind,
        standing,
        figure: figure.into(),
        limit: limit.into(),
        waits: Waits::default(),
        warning: None,
    }
}

fn good_if(good: bool) -> Standing {
    if good {
        Standing::Ready
    } else {
        Standing::NotReady
    }
}

fn clean_runs(
    input: &GateInput<'_>,
    customer: &Customer,
    track: &LaneTrack,
    streak: &Streak<'_>,
) -> Check {
    let wanted = clean_runs_wanted(input.policy);
    let left = wanted.saturating_sub(streak.dates);
    let newest = track.runs.last();
    let figure = match streak.dates {
        1 => "1 clean run".to_owned(),
        dates => format!("{dates} clean runs"),
    };
    let (standing, figure) = match newest {
        _ if left == 0 => (Standing::Ready, figure),
        None => (Standing::NoEvidence, "no run".to_owned()),
        Some(newest) => match newest.evidence.verdict {
            Verdict::Unexpected => (
                Standing::NotReady,
                format!("{figure}: the newest has unexpected differences"),
            ),
            Verdict::Inconclusive => (
                Standing::NoEvidence,
                format!("{figure}: the newest was not checked"),
            ),
            _ => match why_anew(input, customer, &newest.run) {
                Some(why) if streak.dates == 0 => {
                    (Standing::NoEvidence, format!("{figure}: {why}"))
                }
                _ => (Standing::NotReady, figure),
            },
        },
    };
    Check {
        waits: Waits {
            runs: left,
            ..Waits::default()
        },
        ..check(CheckKind::CleanRuns, standing, figure, wanted.to_string())
    }
}

/// Why a clean newest run does not count.
fn why_anew(input: &GateInput<'_>, customer: &Customer, newest: &str) -> Option<String> {
    let run = input.track.runs.get(newest)?;
    let anew = input.anew.of(customer);
    let anew = anew.filter(|cause| run.seen < cause.entry);
    if run.code[1] != input.code[1] {
        Some("the new version is another one since".to_owned())
    } else if run.code[0] != input.code[0] {
        Some("the old version is another one since".to_owned())
    } else if run.rules != *input.rules {
        Some("the rules are others since, and its outputs are not judged by them yet".to_owned())
    } else {
        anew.map(|cause| {
            format!(
                "`{}`, upstream, has moved this customer since",
                cause.change
            )
        })
    }
}

fn evidence_age(input: &GateInput<'_>, newest: Option<&TrackRun>) -> Check {
    let most = input
        .policy
        .evidence_max_age_secs
        .unwrap_or(DEFAULT_EVIDENCE_MAX_AGE_SECS);
    let limit = format!("at most {}", hours(most));
    let kind = CheckKind::EvidenceAge;
    let Some(newest) = newest else {
        return check(kind, Standing::NoEvidence, "no clean run", limit);
    };
    let age = input.now.saturating_sub(newest.finished);
    if age < -CLOCK_SKEW_SECS {
        return check(
            kind,
            Standing::NoEvidence,
            "judged in the future: a clock is wrong",
            limit,
        );
    }
    let age = u64::try_from(age).unwrap_or(0);
    let standing = if age <= most {
        Standing::Ready
    } else {
        Standing::NoEvidence
    };
    let waits = Waits {
        runs: u64::from(age > most),
        ..Waits::default()
    };
    Check {
        waits,
        ..check(kind, standing, format!("{} old", hours(age)), limit)
    }
}

fn soak(input: &GateInput<'_>, streak: &Streak<'_>, wanted: u64) -> Check {
    let clean_for = streak.since.map_or(0, |since| {
        u64::try_from(input.now.saturating_sub(since)).unwrap_or(0)
    });
    let left = wanted.saturating_sub(clean_for);
    let good = left == 0 && streak.since.is_some();
    Check {
        waits: Waits {
            secs: left,
            ..Waits::default()
        },
        ..check(
            CheckKind::Soak,
            good_if(good),
            format!("clean for {}", hours(clean_for)),
            hours(wanted),
        )
    }
}

fn min_rows(streak: &Streak<'_>, wanted: u64) -> Check {
    let left = wanted.saturating_sub(streak.rows);
    Check {
        waits: Waits {
            rows: left,
            ..Waits::default()
        },
        ..check(
            CheckKind::MinRows,
            good_if(left == 0),
            format!("{} rows", streak.rows),
            wanted.to_string(),
        )
    }
}

fn expected_rows(streak: &Streak<'_>, most: f64) -> Check {
    let limit = format!("at most {}", percent_of(most));
    // New rows only, of which a lane had none before, are all of them.
    let share = match (streak.expected, streak.rows) {
        (0, _) => 0.0,
        (_, 0) => 1.0,
        (expected, rows) => expected as f64 / rows as f64,
    };
    check(
        CheckKind::ExpectedRows,
        good_if(share <= most),
        format!("{} differ as expected", percent_of(share)),
        limit,
    )
}

/// The worst ratio of new to old over the streak's runs. What takes less than ten seconds is not judged.
fn ratio(kind: CheckKind, runs: &[&TrackRun], most: f64, measure: Measure) -> Check {
    let limit = format!("at most {most} times old");
    let measured = runs.iter().filter_map(|run| run.cost.as_ref());
    let ratios = measured.map(|cost| times(cost, measure).unwrap_or(0.0));
    match ratios.fold(None, |worst: Option<f64>, ratio| {
        Some(worst.map_or(ratio, |worst| worst.max(ratio)))
    }) {
        None => check(kind, Standing::NoEvidence, "not measured", limit),
        Some(0.0) => check(kind, Standing::Ready, "under ten seconds", limit),
        Some(ratio) => check(
            kind,
            good_if(ratio <= most),
            format!("{ratio:.2} times old"),
            limit,
        ),
    }
}

fn weekdays(runs: &[&TrackRun], wanted: &BTreeSet<Weekday>) -> Check {
    let seen: BTreeSet<Weekday> = runs.iter().map(|run| Weekday::of(run.date)).collect();
    let missing: Vec<&str> = wanted.difference(&seen).map(|day| day.name()).collect();
    let figure = match missing.as_slice() {
        [] => "all seen".to_owned(),
        missing => format!("no clean {}", missing.join(", ")),
    };
    let names: Vec<&str> = wanted.iter().map(|day| day.name()).collect();
    Check {
        waits: Waits {
            runs: missing.len() as u64,
            ..Waits::default()
        },
        ..check(
            CheckKind::Weekdays,
            good_if(missing.is_empty()),
            figure,
            names.join(", "),
        )
    }
}

fn month_end(runs: &[&TrackRun]) -> Check {
    let is_last = |date: RunDate| {
        date.plus_days(1)
            .is_some_and(|next| next.0.month() != date.0.month())
    };
    let seen = runs.iter().any(|run| is_last(run.date));
    let figure = if seen { "seen" } else { "not seen" };
    check(
        CheckKind::MonthEnd,
        good_if(seen),
        figure,
        "the last day of a month",
    )
}

/// A rule that has ended still explains what it explained; but nobody meant it for longer.
fn rules(input: &GateInput<'_>, runs: &[&TrackRun]) -> Option<Check> {
    let needed: BTreeMap<&String, RunDate> = runs
        .iter()
        .flat_map(|run| &run.expiring)
        .map(|(rule, until)| (rule, *until))
        .collect();
    let first = needed.iter().min_by_key(|(_, until)| **until)?;
    let (rule, until) = (first.0, *first.1);
    let ended = until < input.today;
    let left = (until.0 - input.today.0).num_days();
    let warning = (!ended && left <= RULE_ENDS_SOON_DAYS)
        .then(|| format!("rule \"{rule}\" is needed, and ends on {until}"));
    let figure = if ended {
        format!("\"{rule}\" ended on {until}")
    } else {
        format!("\"{rule}\" until {until}")
    };
    Some(Check {
        warning,
        ..check(
            CheckKind::Rules,
            good_if(!ended),
            figure,
            "no rule that has ended is needed",
        )
    })
}

fn approvals(input: &GateInput<'_>, evidence: &Digest) -> Option<Check> {
    let wanted = input.policy.approvals?;
    let by = approvers(input, evidence);
    let left = u64::from(wanted).saturating_sub(by.len() as u64);
    let names: Vec<&str> = by.into_iter().collect();
    let figure = match names.as_slice() {
        [] => "nobody has approved of this evidence".to_owned(),
        names => format!("approved by {}", names.join(", ")),
    };
    Some(check(
        CheckKind::Approvals,
        good_if(left == 0),
        figure,
        wanted.to_string(),
    ))
}

fn approvers<'a>(input: &GateInput<'a>, evidence: &Digest) -> BTreeSet<&'a str> {
    let given = input
        .approvals
        .iter()
        .filter(|approval| approval.evidence == *evidence);
    given
        .map(|approval| approval.by.as_str())
        .filter(|by| input.requester != Some(*by))
        .collect()
}

/// A policy that asks for less than when the rollout began needs somebody else's approval.
fn policy(input: &GateInput<'_>, evidence: &Digest) -> Option<Check> {
    let loosened = loosened(input.first_policy?, input.policy);
    if loosened.is_empty() {
        return None;
    }
    let approved = !approvers(input, evidence).is_empty();
    Some(check(
        CheckKind::Policy,
        good_if(approved),
        format!("{} was loosened", loosened.join(", ")),
        "an approval, since the rollout has begun",
    ))
}

/// The settings of a policy that ask for less than those of another one.
#[must_use]
pub fn loosened(before: &GatePolicy, now: &GatePolicy) -> Vec<&'static str> {
    let more = |before: Option<f64>, now: Option<f64>| match (before, now) {
        (Some(before), Some(now)) => now > before,
        (Some(_), None) => true,
        (None, _) => false,
    };
    let at_most = |before: Option<u64>, now: Option<u64>| now.unwrap_or(0) < before.unwrap_or(0);
    let runs = |policy: &GatePolicy| policy.clean_runs.unwrap_or(DEFAULT_CLEAN_RUNS);
    let age = |policy: &GatePolicy| {
        policy
            .evidence_max_age_secs
            .unwrap_or(DEFAULT_EVIDENCE_MAX_AGE_SECS)
    };
    let approvals = |policy: &GatePolicy| policy.approvals.unwrap_or(0);
    let settings = [
        ("clean_runs", runs(now) < runs(before)),
        ("evidence_max_age", age(now) > age(before)),
        ("soak", at_most(before.soak_secs, now.soak_secs)),
        ("min_rows", at_most(before.min_rows, now.min_rows)),
        (
            "expected_rows",
            more(before.expected_rows, now.expected_rows),
        ),
        (
            "max_runtime_ratio",
            more(before.max_runtime_ratio, now.max_runtime_ratio),
        ),
        (
            "max_memory_ratio",
            more(before.max_memory_ratio, now.max_memory_ratio),
        ),
        ("weekdays", !before.weekdays.is_subset(&now.weekdays)),
        ("month_end", before.month_end && !now.month_end),
        ("approvals", approvals(now) < approvals(before)),
        ("waves", now.waves.len() < before.waves.len()),
    ];
    let loosened = settings.into_iter().filter(|(_, loosened)| *loosened);
    loosened.map(|(name, _)| name).collect()
}

fn hours(secs: u64) -> String {
    match secs {
        0..120 => format!("{secs} s"),
        120..7_200 => format!("{} min", secs / 60),
        7_200..172_801 => format!("{} h", secs / 3_600),
        _ => format!("{} days", secs / 86_400),
    }
}

#[cfg(test)]
mod tests;
