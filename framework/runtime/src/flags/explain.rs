//! How a run came to its stages: its flags, decided again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Serialize;
use serde_json::Value as Json;
use understudy_core::customer::Customer;
use understudy_core::stage::Stage;
use understudy_flags::launchdarkly::{decide_again, named_in};

use crate::error::RunError;
use crate::mask::store_key;
use crate::pipeline;
use crate::run::record;
use crate::store::Store;

/// How a run came to its stages.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Explained {
    /// The format of this.
    pub version: u32,
    /// The run.
    pub run: String,
    /// When the flags were looked at, where they were.
    pub taken_at: Option<String>,
    /// Its changes.
    pub changes: BTreeMap<String, ExplainedChange>,
    /// What a person was told.
    pub alerts: Vec<String>,
}

/// One change.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ExplainedChange {
    /// The key of its flag, and the version that it had; `None` where the run knew nothing of it.
    pub flag: Option<(String, u64)>,
    /// Why the flag did not count, if so.
    pub refused: Option<String>,
    /// The lanes.
    pub lanes: Vec<ExplainedLane>,
}

/// One lane.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ExplainedLane {
    /// Whose; `*` for everybody who is not named.
    pub customer: Customer,
    /// The stage that the run took.
    pub stage: Stage,
    /// What the flag gave, decided again now.
    pub flag: Option<Stage>,
    /// How the flag came to it.
    pub reason: Option<String>,
}

/// Explains a run, or the last one; for one customer, or for all lanes that are named.
///
/// # Errors
/// There is no such run, or it cannot be read.
pub fn explain(
    path: &Path,
    run: Option<&str>,
    customer: Option<&str>,
) -> Result<Explained, RunError> {
    let pipeline = pipeline::load(path)?;
    let store = Store::of(&pipeline);
    let record = match run {
        None => record::last(&store)?,
        Some(run) => record::read(&store, run)?.ok_or_else(|| {
            RunError::NoRun(format!(
                "there is no run `{run}`; `understudy audit` lists the runs"
            ))
        })?,
    };
    let flags = fs::read(store.flags_file(&record.run)).ok();
    let flags: Option<Json> = flags.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let is_hashed = flags.as_ref().is_some_and(|flags| flags["hashed"] == true);
    let key = is_hashed.then(|| store_key(&store).ok()).flatten();
    let mut changes = BTreeMap::new();
    for (change, stages) in &record.plan.stages {
        let flag = flags
            .as_ref()
            .and_then(|flags| flags["changes"][change].as_str());
        let customers: BTreeSet<Customer> = match customer {
            Some(name) => BTreeSet::from([Customer::Named(name.to_owned())]),
            None => {
                let named = flags
                    .as_ref()
                    .zip(flag)
                    .map(|(flags, flag)| named_in(flags, flag));
                let named = named.into_iter().flatten();
                stages.lanes.keys().cloned().chain(named).collect()
            }
        };
        let customers: Vec<Customer> = customers.into_iter().collect();
        let decided = flags.as_ref().zip(flag).and_then(|(flags, flag)| {
            let decided = decide_again(flags, flag, &customers, key.clone());
            decided.ok().map(|decided| (flag.to_owned(), decided))
        });
        let lane = |customer: &Customer, stage: Stage, index: Option<usize>| {
            let decision = decided.as_ref().map(|(_, decided)| match index {
                Some(index) => &decided.customers[index].1,
                None => &decided.others,
            });
            ExplainedLane {
                customer: customer.clone(),
                stage,
                flag: decision.and_then(|decision| decision.stage),
                reason: decision.map(|decision| decision.reason.clone()),
            }
        };
        let own = customers.iter().enumerate();
        let mut lanes: Vec<ExplainedLane> = own
            .map(|(index, customer)| lane(customer, stages.of(customer), Some(index)))
            .collect();
        if customer.is_none() {
            lanes.push(lane(&Customer::Everybody, stages.unlisted, None));
        }
        changes.insert(
            change.clone(),
            ExplainedChange {
                refused: decided
                    .as_ref()
                    .and_then(|(_, decided)| decided.refused.clone()),
                flag: decided.map(|(flag, decided)| (flag, decided.version)),
                lanes,
            },
        );
    }
    Ok(Explained {
        version: 1,
        taken_at: flags.and_then(|flags| flags["taken_at"].as_str().map(str::to_owned)),
        alerts: record.log.alerts.clone(),
        run: record.run,
        changes,
    })
}
