//! Verdicts of lanes, tasks and changes. A verdict is built from evidence, or it is inconclusive.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::checks::judge_checks;
use crate::comparison::{Comparison, CustomerCounts, RuleCounts};
use crate::customer::{Customer, listed};
use crate::plan::{Plan, PlannedComparison};
use crate::run::RunLog;
use crate::verdict::Verdict;
use crate::world::Side;

/// The verdict on one change in one run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ChangeVerdict {
    /// The worst of its tasks.
    pub verdict: Verdict,
    /// By compared task.
    pub tasks: BTreeMap<String, TaskVerdict>,
}

/// The verdict on one task of a change.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TaskVerdict {
    /// The worst of its lanes, and of what concerns them all.
    pub verdict: Verdict,
    /// Why it is inconclusive, or what is wrong with all lanes at once.
    pub reasons: Vec<String>,
    /// By customer.
    pub customers: BTreeMap<Customer, Verdict>,
}

impl ChangeVerdict {
    /// How many lanes have each verdict, each lane taken at its worst over the tasks.
    #[must_use]
    pub fn lanes(&self) -> BTreeMap<Verdict, u64> {
        let mut worst: BTreeMap<&Customer, Verdict> = BTreeMap::new();
        for (customer, verdict) in self.tasks.values().flat_map(|task| &task.customers) {
            let lane = worst.entry(customer).or_insert(*verdict);
            *lane = (*lane).max(*verdict);
        }
        let mut lanes = BTreeMap::new();
        for verdict in worst.into_values() {
            *lanes.entry(verdict).or_default() += 1;
        }
        lanes
    }
}

/// The verdicts of every change that a plan compares, by change.
#[must_use]
pub fn judge(plan: &Plan, log: &RunLog) -> BTreeMap<String, ChangeVerdict> {
    let mut changes: BTreeMap<String, ChangeVerdict> = BTreeMap::new();
    for (position, planned) in plan.comparisons.iter().enumerate() {
        let task = judge_task(plan, log, planned, position);
        let change = changes
            .entry(planned.change.clone())
            .or_insert_with(|| ChangeVerdict {
                verdict: Verdict::Identical,
                tasks: BTreeMap::new(),
            });
        change.verdict = change.verdict.max(task.verdict);
        change.tasks.insert(planned.task.clone(), task);
    }
    changes
}

fn judge_task(
    plan: &Plan,
    log: &RunLog,
    planned: &PlannedComparison,
    position: usize,
) -> TaskVerdict {
    let doubts: Vec<String> = log
        .changed_inputs
        .iter()
        .map(|what| format!("an input changed during the run: {what}"))
        .chain(
            log.foreign_writes
                .iter()
                .map(|what| format!("somebody else wrote where outputs are published: {what}")),
        )
        .collect();
    match log.comparisons.get(&position).map(|record| &record.outcome) {
        Some(Ok(comparison)) if doubts.is_empty() => judge_comparison(comparison, doubts),
        Some(Ok(comparison)) => not_proved(judge_comparison(comparison, doubts)),
        Some(Err(failure)) => {
            let reason =
                missing_side(plan, log, planned).unwrap_or_else(|| failure.message.clone());
            not_checked(reason, doubts)
        }
        None => {
            let reason = missing_side(plan, log, planned)
                .unwrap_or_else(|| "it was not compared".to_owned());
            not_checked(reason, doubts)
        }
    }
}

/// The two sides may have read different data, so that a difference may be one of the data.
fn not_proved(judged: TaskVerdict) -> TaskVerdict {
    let not_checked = |verdict: Verdict| verdict.min(Verdict::Inconclusive);
    TaskVerdict {
        verdict: not_checked(judged.verdict),
        reasons: judged.reasons,
        customers: judged
            .customers
            .into_iter()
            .map(|(customer, verdict)| (customer, not_checked(verdict)))
            .collect(),
    }
}

fn not_checked(reason: String, mut doubts: Vec<String>) -> TaskVerdict {
    doubts.insert(0, reason);
    TaskVerdict {
        verdict: Verdict::Inconclusive,
        reasons: doubts,
        customers: BTreeMap::new(),
    }
}

fn missing_side(plan: &Plan, log: &RunLog, planned: &PlannedComparison) -> Option<String> {
    [Side::New, Side::Old].into_iter().find_map(|side| {
        let node = planned.node(side);
        let failure = log.failure(node)?;
        let version = plan.node(node).version().unwrap_or("put together");
        let side = side.name();
        Some(if planned.changed {
            format!("the {side} version ({version}) {failure}")
        } else {
            format!("in the {side} world, {version} {failure}")
        })
    })
}

/// The verdict that follows from one comparison and what else casts doubt on it.
#[must_use]
pub fn judge_comparison(comparison: &Comparison, mut doubts: Vec<String>) -> TaskVerdict {
    if comparison.rows.old == 0 && comparison.rows.new == 0 {
        doubts.push("both outputs are empty: there was nothing to compare".to_owned());
    }
    for column in &comparison.not_compared {
        doubts.push(format!(
            "column `{}` was not compared: {}",
            column.column, column.reason
        ));
    }
    let checks = judge_checks(comparison);
    doubts.extend(checks.doubts.iter().cloned());
    let floor = if doubts.is_empty() {
        Verdict::Identical
    } else {
        Verdict::Inconclusive
    };
    let (schema, mut reasons) = judge_schema(comparison);
    let shared = floor.max(schema).max(checks.shared);
    let unmet = unmet(comparison);
    let customers: BTreeMap<_, _> = comparison
        .customers
        .iter()
        .map(|(customer, counts)| {
            let own = match unmet.contains(customer) {
                true => Verdict::Unexpected,
                false => of_counts(counts).max(checks.of(customer)),
            };
            (customer.clone(), shared.max(own))
        })
        .collect();
    reasons.extend(rule_reasons(comparison));
    reasons.extend(checks.reasons);
    reasons.extend(doubts);
    let verdict = customers.values().copied().fold(shared, Verdict::max);
    TaskVerdict {
        verdict: verdict.max(unattributed(comparison)),
        reasons,
        customers,
    }
}

/// The customers that had to change, as some rule says, and did not.
fn unmet(comparison: &Comparison) -> BTreeSet<&Customer> {
    let rules = comparison.rules.iter();
    rules.flat_map(|counts| &counts.unmet).collect()
}

/// What rules say that no count of rows shows.
fn rule_reasons(comparison: &Comparison) -> Vec<String> {
    let of_rule = |counts: &RuleCounts| {
        let unmet: Vec<&Customer> = counts.unmet.iter().collect();
        let unchanged = (!unmet.is_empty()).then(|| {
            format!(
                "rule \"{}\" says that these customers must change, and they did not: {}",
                counts.name,
                listed(&unmet)
            )
        });
        let exceeded = counts.exceeded.map(|rows| {
            format!(
                "rule \"{}\" counts as absent: it would have forgiven {rows} rows, more than its `max_rows`",
                counts.name
            )
        });
        unchanged.into_iter().chain(exceeded)
    };
    comparison.rules.iter().flat_map(of_rule).collect()
}

/// Unexpected rows count even if they belong to no customer that is listed.
fn unattributed(comparison: &Comparison) -> Verdict {
    if comparison.rows.unexpected > 0 {
        Verdict::Unexpected
    } else {
        Verdict::Identical
    }
}

fn judge_schema(comparison: &Comparison) -> (Verdict, Vec<String>) {
    let mut verdict = Verdict::Identical;
    let mut reasons = Vec::new();
    for difference in &comparison.schema {
        let unexpected = difference.rule.is_none();
        verdict = verdict.max(if unexpected {
            Verdict::Unexpected
        } else {
            Verdict::Expected
        });
        if unexpected {
            let kind = difference.kind.name().replace('_', " ");
            reasons.push(format!("{kind}: `{}`", difference.column));
        }
    }
    (verdict, reasons)
}

fn of_counts(counts: &CustomerCounts) -> Verdict {
    if counts.unexpected > 0 {
        Verdict::Unexpected
    } else if counts.expected > 0 {
        Verdict::Expected
    } else {
        Verdict::Identical
    }
}

#[cfg(test)]
mod tests;
