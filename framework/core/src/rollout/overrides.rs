//! Lanes that are live although the gate said otherwise: every run says so, for as long as they are.

use std::collections::BTreeMap;

use chrono::DateTime;

use super::record::{LaneRecord, LastMove, Rollout};
use crate::customer::{Customer, listed};
use crate::stage::{LaneStages, Stage};

/// What a run says of the lanes of a change that somebody moved against the gate: a sentence for each such move.
/// `stages` are those that the run works with.
#[must_use]
pub fn overrides(change: &str, rollout: &Rollout, stages: &LaneStages) -> Vec<String> {
    let everybody = (&Customer::Everybody, &rollout.others, stages.unlisted);
    let lanes = rollout.lanes.iter();
    let lanes = lanes.map(|(lane, record)| (lane, record, stages.of(lane)));
    let mut moves: BTreeMap<u64, (&LastMove, Vec<&Customer>)> = BTreeMap::new();
    for (lane, record, stage) in lanes.chain([everybody]) {
        if let Some(last) = overridden(record).filter(|_| stage >= Stage::Live) {
            moves
                .entry(last.number)
                .or_insert((last, Vec::new()))
                .1
                .push(lane);
        }
    }
    moves
        .into_values()
        .map(|(last, lanes)| sentence(change, last, &lanes))
        .collect()
}

fn overridden(record: &LaneRecord) -> Option<&LastMove> {
    record.last.as_ref().filter(|last| last.overridden)
}

fn sentence(change: &str, last: &LastMove, lanes: &[&Customer]) -> String {
    // Who moved everybody moved those that are named as well.
    let who = if lanes.contains(&&Customer::Everybody) {
        "everybody".to_owned()
    } else {
        listed(lanes)
    };
    let known = last.known_by.map(|known| format!(" ({})", known.text()));
    let at = DateTime::from_timestamp(last.at, 0).unwrap_or_default();
    let reason = last.reason.as_deref().unwrap_or("no reason was given");
    format!(
        "`{change}`: GATE OVERRIDDEN for {who} by {}{} on {}: {reason}",
        last.by,
        known.unwrap_or_default(),
        at.format("%Y-%m-%d %H:%M UTC")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::KnownBy;
    use crate::rollout::lane::LaneState;

    fn record(stage: Stage, number: u64, overridden: bool) -> LaneRecord {
        LaneRecord {
            state: LaneState { stage, held: false },
            last: Some(LastMove {
                number,
                at: 1_772_442_840,
                event: None,
                by: "priya".to_owned(),
                known_by: Some(KnownBy::Said),
                reason: Some("agreed".to_owned()),
                overridden,
            }),
            ..LaneRecord::default()
        }
    }

    #[track_caller]
    fn check(rollout: &Rollout, expected: &[&str]) {
        assert_eq!(overrides("x", rollout, &rollout.stages()), expected);
    }

    fn named(lanes: &[(&str, LaneRecord)]) -> Rollout {
        let lanes = lanes
            .iter()
            .map(|(lane, record)| (Customer::from_label(lane), record.clone()));
        Rollout {
            lanes: lanes.collect(),
            ..Rollout::default()
        }
    }

    #[test]
    fn each_override_is_told_once_while_its_lanes_are_live() {
        let rollout = named(&[
            ("Ann", record(Stage::Live, 4, true)),
            ("Bob", record(Stage::Live, 7, false)),
            ("Cat", record(Stage::Live, 4, true)),
            ("Dan", record(Stage::Shadow, 4, true)),
            ("Eve", record(Stage::Live, 9, true)),
        ]);
        check(
            &rollout,
            &[
                "`x`: GATE OVERRIDDEN for Ann and Cat by priya (as they said) on 2026-03-02 09:14 UTC: agreed",
                "`x`: GATE OVERRIDDEN for Eve by priya (as they said) on 2026-03-02 09:14 UTC: agreed",
            ],
        );
        // What the run itself took back is live no more.
        let shadow = LaneStages::default();
        assert_eq!(overrides("x", &rollout, &shadow), [""; 0]);
    }

    #[test]
    fn everybody_is_everybody() {
        let rollout = Rollout {
            others: record(Stage::Live, 4, true),
            ..named(&[("Ann", record(Stage::Live, 4, true))])
        };
        check(
            &rollout,
            &[
                "`x`: GATE OVERRIDDEN for everybody by priya (as they said) on 2026-03-02 09:14 UTC: agreed",
            ],
        );
        let rollout = Rollout {
            others: record(Stage::Complete, 5, false),
            ..Rollout::default()
        };
        check(&rollout, &[]);
    }
}
