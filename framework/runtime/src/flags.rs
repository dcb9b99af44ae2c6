//! Where the ledger meets the flags: who answers for a pipeline's flags, and what their answer makes of the stages.
//!
//! Knows: providers, secrets by reference, the interlock. Does not know: what a provider speaks.

mod earlier;
mod explain;
mod lint;
mod sync;

pub(crate) use earlier::{forget_earlier, keep_for_retries, lowered_as_before};
pub use explain::{Explained, ExplainedChange, ExplainedLane, explain};
pub use lint::{Lint, lint};
pub use sync::{Synced, sync};
pub use understudy_flags::{Freshness, Surprise, Weight};

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use serde_json::Value as Json;
use understudy_core::customer::Customer;
use understudy_core::digest::Digest;
use understudy_core::ledger::{Entry, FlagTold, LedgerEvent, flag_versions, stages, untold};
use understudy_core::rollout::{interlock, lowered};
use understudy_core::spec::{Change, FlagSettings, LaunchDarkly as Account, Spec};
use understudy_core::stage::{LaneStages, Stage, Stages};
use understudy_flags::{
    Asked, FLAG_FILE, FileFlags, FlagAnswer, FlagError, FlagProvider, Flags, LaunchDarkly, Said,
    Settings, Telling, Told, Towards,
};

use crate::clock;
use crate::evidence;
use crate::mask::store_key;
use crate::pipeline::Pipeline;
use crate::store::Store;
use crate::store::ledger::{self, LedgerError};

/// The stages as the flags leave them.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Flagged {
    /// The stages: never above those that were held.
    pub(crate) stages: Stages,
    /// What a person should look at.
    pub(crate) alerts: Vec<String>,
    /// What the answer was made from, where the provider gives it.
    pub(crate) record: Option<Json>,
    /// The changes whose stage for everybody else is only the lowest that it may be.
    pub(crate) bounds: BTreeSet<String>,
}

/// A provider for every account that somebody in this process looks at: one connection serves them all.
static OPEN: Mutex<Vec<(Digest, Weak<dyn FlagProvider>)>> = Mutex::new(Vec::new());

/// Who answers for the flags of a pipeline. Nothing is connected to before it is asked.
pub(crate) fn provider(spec: &Spec, folder: &Path, store: &Store) -> Flags {
    let account = match &spec.flags {
        FlagSettings::File => return Arc::new(FileFlags::beside(folder)),
        FlagSettings::LaunchDarkly(account) => account,
    };
    let key = serde_json::to_vec(&(account, folder, store.root())).unwrap_or_default();
    let key = Digest::of_bytes(&key);
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    open.retain(|(_, provider)| provider.strong_count() > 0);
    let known = open.iter().find(|(own, _)| *own == key);
    if let Some(provider) = known.and_then(|(_, provider)| provider.upgrade()) {
        return provider;
    }
    let provider: Flags = Arc::new(LaunchDarkly::new(settings(account, folder, store)));
    open.push((key, Arc::downgrade(&provider)));
    provider
}

fn settings(account: &Account, folder: &Path, store: &Store) -> Settings {
    let secret = |setting: &String| {
        understudy_notify::resolve(setting, folder).map_err(|error| error.to_string())
    };
    Settings {
        sdk_key: secret(&account.sdk_key),
        api_token: account.api_token.as_ref().map(secret),
        project: account.project.clone().unwrap_or_default(),
        environment: account.environment.clone().unwrap_or_default(),
        mode: account.mode,
        relay: account.relay.clone(),
        region: account.region,
        api: account.api.clone(),
        hash_key: account
            .hash_customers
            .then(|| store_key(store).map_err(|error| error.to_string())),
        wait: Duration::from_secs(account.wait_secs),
        stale_after: Duration::from_secs(account.stale_after_secs),
    }
}

/// The stages that were held, as far as the flags say so too. A move towards old is honoured, one towards new is not;
/// flags that do not answer, or say nothing that counts, change nothing.
pub(crate) fn flagged(
    pipeline: &Pipeline,
    store: &Store,
    entries: &[Entry],
    held: &Stages,
) -> Flagged {
    let changes: Vec<&Change> = pipeline.spec.changes.values().collect();
    let asked: Vec<Asked> = changes
        .iter()
        .map(|change| asked(pipeline, store, entries, change, held))
        .collect();
    let kept = |alert: String| Flagged {
        stages: held.clone(),
        alerts: vec![alert],
        ..Flagged::default()
    };
    let down = |reason: &str| {
        kept(format!(
            "the flags are down ({reason}): stages stay as the ledger has them"
        ))
    };
    let Said {
        stages,
        bounds,
        doubts,
        record,
    } = match pipeline.flags.snapshot(&asked) {
        Ok(FlagAnswer::Silent) if held.0.is_empty() => {
            return Flagged {
                stages: held.clone(),
                ..Flagged::default()
            };
        }
        Ok(FlagAnswer::Silent) => return down(&format!("`{FLAG_FILE}` is gone")),
        // Where nobody is live, nothing of the stages is lost; it is said all the same, for the next flip.
        Err(error) => return down(&error.to_string()),
        Ok(FlagAnswer::Said(said)) => said,
    };
    let said = changes.iter().filter_map(|change| {
        let own = stages.0.get(&change.flag)?;
        Some((change.name.clone(), own.clone()))
    });
    let (lowered, mut alerts) = interlock(held, &said.collect());
    if pipeline.flags.has_versions() {
        alerts.extend(
            changes
                .iter()
                .filter_map(|change| not_told(pipeline, entries, change)),
        );
    }
    alerts.extend(doubts.iter().map(|doubt| {
        let change = changes.iter().find(|change| change.flag == doubt.flag);
        let change = change.map_or("", |change| change.name.as_str());
        let (flag, why, name) = (&doubt.flag, &doubt.why, pipeline.flags.name());
        format!("`{change}`: flag `{flag}` in {name}: {why}; whom it says nothing of stays as the ledger has them")
    }));
    let record = record.map(|mut record| {
        let flags = changes
            .iter()
            .map(|change| (change.name.clone(), Json::from(change.flag.as_str())));
        record["changes"] = Json::Object(flags.collect());
        record["taken_at"] = Json::from(clock::now_text());
        record
    });
    let is_bound = |change: &&&Change| bounds.contains(&change.flag);
    Flagged {
        bounds: changes
            .iter()
            .filter(is_bound)
            .map(|change| change.name.clone())
            .collect(),
        stages: lowered,
        alerts,
        record,
    }
}

fn not_told(pipeline: &Pipeline, entries: &[Entry], change: &Change) -> Option<String> {
    let number = untold(entries, &change.name)?;
    let (change, name) = (&change.name, pipeline.flags.name());
    Some(format!(
        "`{change}`: {name} has not confirmed the move of ledger entry {number} yet; `understudy flags sync` tells it again"
    ))
}

/// The lanes that the ledger has live and their flag has taken back, by change; `*` for everybody who is not named.
/// What a flag was not told yet it has not taken back; and whom nobody has seen yet is not taken back for good.
pub(crate) fn taken_back(
    pipeline: &Pipeline,
    entries: &[Entry],
    found: &Flagged,
) -> BTreeMap<String, Vec<Customer>> {
    let is_told =
        |change: &String| !pipeline.flags.has_versions() || untold(entries, change).is_none();
    let held = stages(entries)
        .0
        .into_iter()
        .filter(|(change, _)| is_told(change));
    let lanes = held.map(|(change, held)| {
        let mut lanes = lower_lanes(&held, &found.stages.of(&change));
        if found.bounds.contains(&change) {
            lanes.retain(|lane| *lane != Customer::Everybody);
        }
        (change, lanes)
    });
    lanes.filter(|(_, lanes)| !lanes.is_empty()).collect()
}

/// The lanes that are live in the one and not in the other, `*` for everybody who is not named.
fn lower_lanes(held: &LaneStages, now: &LaneStages) -> Vec<Customer> {
    let is_back = |held: Stage, now: Stage| held == Stage::Live && now < Stage::Live;
    let named: BTreeSet<&Customer> = held.lanes.keys().chain(now.lanes.keys()).collect();
    let named = named
        .into_iter()
        .filter(|lane| is_back(held.of(lane), now.of(lane)))
        .cloned();
    let others = is_back(held.unlisted, now.unlisted).then_some(Customer::Everybody);
    named.chain(others).collect()
}

fn asked(
    pipeline: &Pipeline,
    store: &Store,
    entries: &[Entry],
    change: &Change,
    held: &Stages,
) -> Asked {
    Asked {
        flag: change.flag.clone(),
        held: held.of(&change.name),
        customers: customers(pipeline, store, entries, &change.name),
        last_version: flag_versions(entries).get(&change.flag).copied(),
    }
}

/// The customers that a change has had rows of, for providers that ask for them.
fn customers(
    pipeline: &Pipeline,
    store: &Store,
    entries: &[Entry],
    change: &str,
) -> BTreeSet<Customer> {
    if !pipeline.flags.asks_for_customers() {
        return BTreeSet::new();
    }
    let track = evidence::track(store, &pipeline.spec, entries, change);
    track.lanes.into_keys().collect()
}

/// The stages of a change, as far as its flag says so too, if it says anything that counts.
pub(crate) fn said_too(
    pipeline: &Pipeline,
    store: &Store,
    entries: &[Entry],
    change: &Change,
    stages: LaneStages,
) -> Result<LaneStages, FlagError> {
    let held = Stages(BTreeMap::from([(change.name.clone(), stages.clone())]));
    let asked = asked(pipeline, store, entries, change, &held);
    Ok(match pipeline.flags.snapshot(&[asked])? {
        FlagAnswer::Silent => stages,
        FlagAnswer::Said(said) => {
            let own = said.stages.0.get(&change.flag);
            own.map_or(stages.clone(), |own| lowered(&stages, own))
        }
    })
}

/// Why a flag is told something, in words that name no customer.
pub(crate) struct Why<'a> {
    /// What is done.
    pub(crate) what: &'a str,
    /// To how many lanes; `None` for everybody.
    pub(crate) lanes: Option<usize>,
    /// By whom.
    pub(crate) by: &'a str,
    /// For which reason.
    pub(crate) reason: Option<&'a str>,
    /// On which evidence.
    pub(crate) evidence: Option<&'a Digest>,
}

impl Why<'_> {
    fn text(&self) -> String {
        let whom = match self.lanes {
            None => "everybody".to_owned(),
            Some(1) => "1 customer".to_owned(),
            Some(count) => format!("{count} customers"),
        };
        let mut text = format!("Understudy: {} of {whom}, by {}", self.what, self.by);
        if let Some(reason) = self.reason {
            text = format!("{text}: {reason}");
        }
        if let Some(evidence) = self.evidence {
            text = format!("{text}; evidence {evidence}");
        }
        text
    }
}

/// Makes sure that a flag can be told, before the ledger says so.
pub(crate) fn rehearse(
    pipeline: &Pipeline,
    store: &Store,
    entries: &[Entry],
    change: &Change,
    [before, after]: [&LaneStages; 2],
    why: &Why<'_>,
) -> Result<(), FlagError> {
    let (customers, why) = (
        customers(pipeline, store, entries, &change.name),
        why.text(),
    );
    let telling = Telling {
        flag: &change.flag,
        stages: after,
        customers: &customers,
        why: &why,
        marker: None,
        towards: Towards::New,
        hurry: false,
    };
    pipeline.flags.rehearse(&telling, before)
}

/// How a flag is told.
#[derive(Clone, Copy)]
pub(crate) struct How {
    pub(crate) towards: Towards,
    pub(crate) hurry: bool,
}

impl How {
    /// Somebody gets the new version, and whoever asked for it has time.
    pub(crate) const NEW: Self = Self {
        towards: Towards::New,
        hurry: false,
    };
    /// Nobody does, and the ledger has it already.
    pub(crate) const OLD: Self = Self {
        towards: Towards::Old,
        hurry: true,
    };
}

/// Why a flag was not told what the ledger says.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TellError {
    /// The flag.
    #[error(transparent)]
    Flag(#[from] FlagError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Tells a flag what the ledger has by now, and records that it was told.
pub(crate) fn tell(
    pipeline: &Pipeline,
    store: &Store,
    change: &Change,
    stages: &LaneStages,
    why: &Why<'_>,
    how: How,
) -> Result<Told, TellError> {
    let ledger = ledger::open(store)?;
    let entries = ledger.entries();
    let number = untold(entries, &change.name);
    let entry = number.and_then(|number| entries.iter().find(|entry| entry.number == number));
    let marker = entry.map(|entry| {
        format!(
            "ledger entry {} {}",
            entry.number,
            Digest::of_bytes(&entry.to_bytes())
        )
    });
    let (customers, why) = (
        customers(pipeline, store, entries, &change.name),
        why.text(),
    );
    let telling = Telling {
        flag: &change.flag,
        stages,
        customers: &customers,
        why: &why,
        marker: marker.as_deref(),
        towards: how.towards,
        hurry: how.hurry,
    };
    let told = pipeline.flags.tell(&telling)?;
    if let (Some(entry), Some(flag_version)) = (number, told.version) {
        let event = LedgerEvent::FlagTold(FlagTold {
            change: change.name.clone(),
            flag: change.flag.clone(),
            entry,
            flag_version,
            confirmed: told.confirmed,
        });
        ledger::append(store, &event, clock::now())?;
    }
    Ok(told)
}

/// Tells a flag of the moves that it was not told of: somebody crashed in between, or it did not answer. What a hand
/// moved back meanwhile stays back. Gives nothing where there are none.
pub(crate) fn catch_up(
    pipeline: &Pipeline,
    store: &Store,
    change: &Change,
    hurry: bool,
) -> Result<Option<Told>, TellError> {
    let ledger = ledger::open(store)?;
    let entries = ledger.entries();
    if !pipeline.flags.has_versions() || untold(entries, &change.name).is_none() {
        return Ok(None);
    }
    let moves = |entry: &Entry| match &entry.event {
        LedgerEvent::Moved(moved) if moved.change == change.name => Some(moved.clone()),
        _ => None,
    };
    let told = entries.iter().rev().find_map(|entry| match &entry.event {
        LedgerEvent::FlagTold(told) if told.change == change.name => Some(told.entry),
        _ => None,
    });
    let pending = entries
        .iter()
        .filter(|entry| entry.number > told.unwrap_or(0));
    let pending: Vec<_> = pending.filter_map(moves).collect();
    let held = ledger.stages().of(&change.name);
    // Only lanes that these moves are about are told anything else than the flag says.
    let mut wanted = said_too(pipeline, store, entries, change, held.clone())?;
    for moved in &pending {
        if moved.lanes.is_empty() {
            wanted = held.clone();
        }
        for lane in &moved.lanes {
            wanted.lanes.insert(lane.clone(), held.of(lane));
        }
    }
    let is_towards_new =
        wanted.unlisted >= Stage::Live || wanted.lanes.values().any(|stage| *stage >= Stage::Live);
    let last = pending.last();
    let why = Why {
        what: "moves of the ledger that it was not told of",
        lanes: None,
        by: last.map_or("understudy", |last| last.by.as_str()),
        reason: last.and_then(|last| last.reason.as_deref()),
        evidence: last
            .and_then(|last| last.gate.as_ref())
            .map(|gate| &gate.evidence),
    };
    let towards = if is_towards_new {
        Towards::New
    } else {
        Towards::Old
    };
    tell(
        pipeline,
        store,
        change,
        &wanted,
        &why,
        How { towards, hurry },
    )
    .map(Some)
}
