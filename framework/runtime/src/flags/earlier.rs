//! What the flags said to a run that was cut off. Its retry decides again from that, where they do not answer any more:
//! whom they took back then is not live again because they are down.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value as Json, json};
use understudy_core::customer::Customer;
use understudy_core::rollout::lowered;
use understudy_core::rollout::record::{LaneRecord, Rollout};
use understudy_core::run_date::RunDate;
use understudy_core::stage::LaneStages;
use understudy_flags::launchdarkly::decide_again;

use super::Flagged;
use crate::mask::store_key;
use crate::observe::When;
use crate::pipeline::Pipeline;
use crate::prepare::Prepared;
use crate::store::Store;
use crate::store::durable::{self, FileError};

/// Keeps an answer that took lanes back until the run has recorded that.
pub(crate) fn keep_for_retries(prepared: &Prepared, answer: &Json) -> Result<(), FileError> {
    let plan = &prepared.plan;
    let slice = plan.slice.as_ref().map(|slice| slice.name.as_str());
    let file = prepared.store.unrecorded_flags_file(plan.date, slice);
    if let Some(folder) = file.parent() {
        durable::create_dirs(folder)?;
    }
    let kept = json!({"ledger_entries": prepared.ledger_entries, "answer": answer});
    let bytes = serde_json::to_vec(&kept).expect("JSON has a JSON form");
    durable::replace(&file, &bytes)
}

/// The ledger has what an answer took back. A file that stays costs nothing but a second look.
pub(crate) fn forget_earlier(store: &Store, date: RunDate, slice: Option<&str>) {
    _ = fs::remove_file(store.unrecorded_flags_file(date, slice));
}

/// Lowers the stages by what the flags said to a run of the date that was cut off, if there was one and they say
/// nothing now. Who was moved since then stays where that move put them.
pub(crate) fn lowered_as_before(
    pipeline: &Pipeline,
    store: &Store,
    when: &When,
    rollouts: &BTreeMap<String, Rollout>,
    found: &mut Flagged,
) {
    if found.record.is_some() || !pipeline.flags.has_versions() {
        return;
    }
    let slice = when.slice.as_ref().map(|slice| slice.name.as_str());
    let bytes = fs::read(store.unrecorded_flags_file(when.date, slice)).ok();
    let Some(kept) = bytes.and_then(|bytes| serde_json::from_slice::<Json>(&bytes).ok()) else {
        return;
    };
    let entries = kept["ledger_entries"].as_u64().unwrap_or(0);
    let answer = &kept["answer"];
    let key = (answer["hashed"] == true)
        .then(|| store_key(store).ok())
        .flatten();
    for change in pipeline.spec.changes.values() {
        let Some(rollout) = rollouts.get(&change.name) else {
            continue;
        };
        let held = found.stages.of(&change.name);
        let then = said(answer, &change.flag, &held, key.clone());
        let is_from_before = |record: &LaneRecord| {
            record
                .last
                .as_ref()
                .is_none_or(|last| last.number <= entries)
        };
        let mut now = lowered(&held, &then);
        for (lane, stage) in &mut now.lanes {
            if !is_from_before(rollout.lane(lane)) {
                *stage = held.of(lane);
            }
        }
        if !is_from_before(&rollout.others) {
            now.unlisted = held.unlisted;
        }
        if now != held {
            let change = &change.name;
            found.alerts.push(format!(
                "`{change}`: a run of this date was cut off after the flag had taken lanes back; they stay back"
            ));
            found.stages.0.insert(change.clone(), now);
        }
    }
}

fn said(answer: &Json, flag: &str, held: &LaneStages, key: Option<Vec<u8>>) -> LaneStages {
    let customers: Vec<Customer> = held.lanes.keys().cloned().collect();
    let decided = match decide_again(answer, flag, &customers, key) {
        Ok(decided) if decided.refused.is_none() => decided,
        _ => return held.clone(),
    };
    let lanes: BTreeMap<Customer, _> = decided
        .customers
        .into_iter()
        .map(|(customer, decision)| {
            let stage = decision.stage.unwrap_or(held.of(&customer));
            (customer, stage)
        })
        .collect();
    LaneStages {
        lanes,
        unlisted: decided.others.stage.unwrap_or(held.unlisted),
    }
}
