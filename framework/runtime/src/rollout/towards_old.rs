//! Moves towards old: they wait for nothing, and need no pipeline file that can be read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use understudy_core::customer::Customer;
use understudy_core::ledger::{Entry, Hold, LedgerEvent, Move};
use understudy_core::rollout::lane::LaneEvent;
use understudy_core::rollout::record::{Rollout, rollouts};
use understudy_core::rollout::step::{Lanes, sorted, stages_after};
use understudy_core::spec::Change;
use understudy_core::stage::LaneStages;
use understudy_flags::{
    FLAG_FILE, FileFlags, FlagAnswer, FlagProvider as _, Telling, Told, Towards,
};

use super::RolloutError;
use super::moves::{MoveRequest, Moved, MovedFlag, moved};
use crate::clock;
use crate::flags::{How, Why, said_too, tell};
use crate::pipeline::{self, Pipeline};
use crate::store::Store;
use crate::store::ledger;

/// Towards old, and whatever makes nobody's rows new: nothing is asked of evidence, flags or the pipeline file.
pub(super) fn towards_old(request: &MoveRequest) -> Result<Moved, RolloutError> {
    let place = place_of(request)?;
    let entries = ledger::open(&place.store)?.entries().to_vec();
    let rollout = rollouts(&entries).remove(&request.change);
    if rollout.is_none() && !place.knows_change {
        return Err(RolloutError::NoChange(format!(
            "neither the pipeline file nor the ledger knows a change `{}`",
            request.change
        )));
    }
    let rollout = rollout.unwrap_or_default();
    let state = |lane: &Customer| rollout.lane(lane).state;
    let (known, all): (BTreeSet<Customer>, bool) = match &request.lanes {
        Lanes::Named(named) => (named.clone(), false),
        Lanes::All | Lanes::Next => (rollout.lanes.keys().cloned().collect(), true),
    };
    let (lanes, refused) = sorted(&known, request.event, state);
    let others = state(&Customer::Everybody).after(request.event);
    let others = others.ok().filter(|_| all);
    let something = !lanes.is_empty() || others.is_some();
    let mut alerts = Vec::new();
    let done = something && !request.dry_run;
    let is_hold = matches!(request.event, LaneEvent::Hold | LaneEvent::Release);
    // The ledger comes first, since it asks nobody else; the flag takes effect even if the ledger cannot be written.
    let mut recorded = Ok(());
    if done {
        let own = if all { Vec::new() } else { lanes.clone() };
        let event = if is_hold {
            LedgerEvent::Held(Hold {
                change: request.change.clone(),
                lanes: own,
                held: request.event == LaneEvent::Hold,
                by: request.actor.name.clone(),
                known_by: request.actor.known_by,
                reason: request.reason.clone(),
            })
        } else {
            LedgerEvent::Moved(Move {
                lanes: own,
                ..moved(request)
            })
        };
        recorded = ledger::append(&place.store, &event, clock::now());
    }
    let before = place.said_too(&entries, rollout.stages());
    let after = stages_after(&before, &lanes, others, request.event, state);
    let mut flag = None;
    if done && !(is_hold && after == before) {
        match place.tell(request, &rollout, &after, (!all).then_some(lanes.len())) {
            Ok(told) => flag = place.flag_now(told, &mut alerts),
            Err(error) => alerts.push(format!(
                "{}; the move is in the ledger, which decides: the flag says otherwise until it is mended",
                in_full(&error)
            )),
        }
    }
    recorded?;
    Ok(Moved {
        version: 1,
        change: request.change.clone(),
        event: request.event,
        done,
        all,
        wave: None,
        lanes,
        refused,
        before,
        after,
        gate: None,
        flag,
        live: BTreeMap::new(),
        alerts,
    })
}

/// Where the ledger and the flags of a change are, as far as can be told.
struct Place {
    store: Store,
    /// The pipeline, where it can be read and is what the request is about.
    pipeline: Option<Pipeline>,
    folder: Option<PathBuf>,
    change: Option<Change>,
    knows_change: bool,
}

impl Place {
    /// The stages, as far as the flag says so too, if it says anything that can be understood.
    fn said_too(&self, entries: &[Entry], stages: LaneStages) -> LaneStages {
        match (&self.pipeline, &self.change) {
            // A provider that has to be asked over a network lowers by itself what it is told on the way to old.
            (Some(pipeline), Some(change)) if !pipeline.flags.has_versions() => {
                said_too(pipeline, &self.store, entries, change, stages.clone()).unwrap_or(stages)
            }
            _ => stages,
        }
    }

    /// A flag is told once somebody was flipped; before, it says nothing, and goes on saying nothing. Gives what a
    /// person should know.
    fn tell(
        &self,
        request: &MoveRequest,
        rollout: &Rollout,
        after: &LaneStages,
        lanes: Option<usize>,
    ) -> Result<Told, RolloutError> {
        if !rollout.moved && *after == LaneStages::default() {
            return Ok(Told::default());
        }
        let what = moved(request).to;
        let why = Why {
            what: &format!("move to {what}"),
            lanes,
            by: &request.actor.name,
            reason: request.reason.as_deref(),
            evidence: None,
        };
        if let (Some(pipeline), Some(change)) = (&self.pipeline, &self.change) {
            // Whoever is released may be compared again: that raises the flag, and makes nobody's rows new.
            let towards = match request.event {
                LaneEvent::Release => Towards::New,
                _ => Towards::Old,
            };
            let how = How {
                towards,
                hurry: true,
            };
            return Ok(tell(pipeline, &self.store, change, after, &why, how)?);
        }
        // A pipeline file that cannot be read does not say where its flags are; a flag file is where they usually are.
        let file = self
            .folder
            .as_ref()
            .filter(|folder| folder.join(FLAG_FILE).exists());
        let Some(folder) = file else {
            let note = "the pipeline file does not say where the flags are, so that they were not told; the ledger has the move";
            return Ok(Told {
                notes: vec![note.to_owned()],
                ..Told::default()
            });
        };
        let telling = Telling {
            flag: &request.change,
            stages: after,
            customers: &BTreeSet::new(),
            why: "",
            marker: None,
            towards: Towards::Old,
            hurry: true,
        };
        Ok(FileFlags::beside(folder).tell(&telling)?)
    }

    /// What there is to say of a flag that was told, if it has versions.
    fn flag_now(&self, told: Told, alerts: &mut Vec<String>) -> Option<MovedFlag> {
        alerts.extend(told.notes);
        let pipeline = self.pipeline.as_ref()?;
        Some(MovedFlag {
            provider: pipeline.flags.name(),
            flag: self.change.as_ref()?.flag.clone(),
            version: told.version?,
            confirmed: told.confirmed,
        })
    }
}

/// An error with what caused it.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

fn place_of(request: &MoveRequest) -> Result<Place, RolloutError> {
    let folder_of = |path: &Path| {
        let folder = if path.is_dir() {
            Some(path)
        } else {
            path.parent()
        };
        folder.map(Path::to_owned)
    };
    let change_of = |pipeline: &Pipeline| pipeline.spec.changes.get(&request.change).cloned();
    match (pipeline::load(&request.pipeline), &request.store) {
        (Ok(pipeline), None) => {
            let change = change_of(&pipeline);
            let suspended = pipeline.spec.suspended.contains_key(&request.change);
            Ok(Place {
                store: Store::of(&pipeline),
                knows_change: change.is_some() || suspended,
                change,
                folder: Some(pipeline.folder.clone()),
                pipeline: Some(pipeline),
            })
        }
        (loaded, Some(store)) => Ok(Place {
            store: Store::at(store),
            folder: folder_of(&request.pipeline),
            change: loaded.as_ref().ok().and_then(change_of),
            pipeline: loaded.ok(),
            knows_change: false,
        }),
        (Err(error), None) => {
            // A broken file does not say where the store is; most are where they are by default.
            let folder = folder_of(&request.pipeline);
            let usual = folder.as_ref().map(|folder| folder.join("store"));
            let usual = usual.filter(|store| store.join("ledger").is_dir());
            match usual {
                Some(store) => Ok(Place {
                    store: Store::at(store),
                    pipeline: None,
                    folder,
                    change: None,
                    knows_change: false,
                }),
                None => Err(crate::error::RunError::from(error).into()),
            }
        }
    }
}

/// Tells the flag of a change what the ledger says, where there are flags: lanes that fell back are live no more.
///
/// # Errors
/// The ledger cannot be read, or the flag not be told.
pub(crate) fn tell_flags(
    pipeline: &Pipeline,
    store: &Store,
    change: &str,
) -> Result<(), RolloutError> {
    let Some(change) = pipeline.spec.changes.get(change) else {
        return Ok(());
    };
    let ledger = ledger::open(store)?;
    let held = ledger.stages().of(&change.name);
    // A flag file that was never told of the change says nothing of it, and goes on saying nothing.
    if !pipeline.flags.has_versions() && !is_named(pipeline, change)? {
        return Ok(());
    }
    let said = said_too(pipeline, store, ledger.entries(), change, held.clone()).unwrap_or(held);
    let why = Why {
        what: "move back by itself",
        lanes: None,
        by: "understudy",
        reason: None,
        evidence: None,
    };
    tell(pipeline, store, change, &said, &why, How::OLD)?;
    Ok(())
}

fn is_named(pipeline: &Pipeline, change: &Change) -> Result<bool, RolloutError> {
    Ok(match pipeline.flags.snapshot(&[])? {
        FlagAnswer::Silent => false,
        FlagAnswer::Said(said) => said.stages.0.contains_key(&change.flag),
    })
}
