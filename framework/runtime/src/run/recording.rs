//! What a run's live half leaves in the ledger: what was published, and the lanes that went back by themselves.

use std::collections::{BTreeMap, BTreeSet};

use understudy_core::customer::Customer;
use understudy_core::ledger::{KnownBy, LedgerEvent, LiveVersion, Move, PublishedRun};
use understudy_core::live_edits::live_versions;
use understudy_core::plan::Work;
use understudy_core::rollout::lane::LaneEvent;
use understudy_core::rollout::record::{FALLS_AGAIN_WITHIN_SECS, rollouts};
use understudy_core::run::Failure;
use understudy_core::stage::Stage;
use understudy_core::world::Side;

use super::{Attempt, LiveEnd};
use crate::flags;
use crate::rollout;
use crate::store::ledger;

impl Attempt<'_> {
    /// What was published, or that it was not, goes into the ledger; what stood there already is in it.
    pub(super) fn record_live(&self) {
        let failure = match &self.live {
            LiveEnd::Published => None,
            LiveEnd::Failed(failure) => Some(failure),
            // A crash between publishing and recording leaves outputs that the ledger does not know.
            LiveEnd::AlreadyPublished if !self.is_recorded() => None,
            LiveEnd::AlreadyPublished | LiveEnd::NotAsked => return,
        };
        let event = LedgerEvent::Published(self.published_run(failure));
        self.append(&event);
        self.record_moves();
    }

    /// Lanes that went back to old by themselves stay there until somebody flips them again.
    fn record_moves(&self) {
        for (change, lanes) in &self.prepared.other_code {
            self.moved_by_itself(change, lanes, LaneEvent::NewCode);
        }
        let published = self.executor.log.borrow().published.clone();
        for (change, lanes) in published.unwrap_or_default().fallbacks {
            let now = crate::clock::now().timestamp();
            let fell_before = |lane: &Customer| {
                let rollout = self.prepared.rollouts.get(&change);
                let fell = rollout.and_then(|rollout| rollout.lane(lane).fell);
                fell.is_some_and(|fell| now - fell < FALLS_AGAIN_WITHIN_SECS)
            };
            let (again, first): (Vec<_>, Vec<_>) = lanes.into_iter().partition(fell_before);
            // Those that are held come first: a move of all would have taken them back already.
            self.moved_by_itself(&change, &again, LaneEvent::FallBack { again: true });
            self.moved_by_itself(&change, &first, LaneEvent::FallBack { again: false });
        }
        self.record_flags();
    }

    /// Lanes that a flag took back stay back: anybody may move the flag towards new again, or it may go down.
    fn record_flags(&self) {
        let (pipeline, store) = (&self.prepared.pipeline, &self.prepared.store);
        let mut is_all = true;
        for change in pipeline.spec.changes.values() {
            // What the flag was not told yet, no hand took back.
            match flags::catch_up(pipeline, store, change, true) {
                Ok(None) => {}
                Ok(Some(told)) if told.confirmed => {}
                Ok(Some(_)) => is_all = false,
                Err(error) => {
                    self.executor.alert(format!("`{}`: {error}", change.name));
                    is_all = false;
                }
            }
        }
        let Ok(ledger) = ledger::open(store) else {
            return;
        };
        let entries = ledger.entries();
        let found = flags::flagged(pipeline, store, entries, &ledger.stages());
        let mut back = flags::taken_back(pipeline, entries, &found);
        for (change, lanes) in &self.prepared.taken_back {
            back.entry(change.clone())
                .or_default()
                .extend(lanes.clone());
        }
        let rollouts = rollouts(entries);
        for (change, lanes) in back {
            let (Some(rollout), Some(own)) =
                (rollouts.get(&change), pipeline.spec.changes.get(&change))
            else {
                continue;
            };
            let is_from_before = |lane: &Customer| {
                let record = rollout.lane(lane);
                let moved = record.last.as_ref().map_or(0, |last| last.number);
                record.state.stage == Stage::Live && moved <= self.prepared.ledger_entries
            };
            let lanes: BTreeSet<Customer> = lanes.into_iter().filter(is_from_before).collect();
            let lanes: Vec<Customer> = lanes.into_iter().collect();
            self.moved(
                &change,
                &lanes,
                LaneEvent::Rollback,
                &format!("flag {}", own.flag),
            );
        }
        if is_all {
            flags::forget_earlier(store, self.prepared.plan.date, self.slice());
        }
    }

    fn moved_by_itself(&self, change: &str, lanes: &[Customer], event: LaneEvent) {
        if self.moved(change, lanes, event, "understudy") {
            let told = rollout::tell_flags(&self.prepared.pipeline, &self.prepared.store, change);
            if let Err(error) = told {
                self.executor.alert(format!("{error}"));
            }
        }
    }

    /// Records a move that nobody asked for. Gives whether there was one.
    fn moved(&self, change: &str, lanes: &[Customer], event: LaneEvent, by: &str) -> bool {
        if lanes.is_empty() {
            return false;
        }
        // Everybody who is not named can only go together with those who are.
        let all = lanes.contains(&Customer::Everybody);
        let event = LedgerEvent::Moved(Move {
            change: change.to_owned(),
            lanes: if all { Vec::new() } else { lanes.to_vec() },
            except: if all {
                self.stays_live(change)
            } else {
                Vec::new()
            },
            to: Stage::Shadow,
            by: by.to_owned(),
            reason: Some(format!("run {}", self.prepared.plan.run)),
            code: None,
            known_by: Some(KnownBy::Understudy),
            event: Some(event),
            gate: None,
            wave: None,
        });
        self.append(&event);
        true
    }

    /// The lanes that got their new rows although everybody else fell back.
    fn stays_live(&self, change: &str) -> Vec<Customer> {
        let log = self.executor.log.borrow();
        let lanes = log.assemblies.get(change).map(|assembly| &assembly.lanes);
        let new = lanes
            .into_iter()
            .flatten()
            .filter(|(_, side)| **side == Side::New);
        new.map(|(lane, _)| lane.clone()).collect()
    }

    fn is_recorded(&self) -> bool {
        let Ok(ledger) = ledger::open(&self.prepared.store) else {
            return true;
        };
        ledger.entries().iter().any(|entry| match &entry.event {
            LedgerEvent::Published(published) => {
                published.run == self.prepared.plan.run && published.succeeded
            }
            _ => false,
        })
    }

    fn published_run(&self, failure: Option<&Failure>) -> PublishedRun {
        let log = self.executor.log.borrow();
        let published = log.published.clone().unwrap_or_default();
        let code = self
            .prepared
            .plan
            .publications
            .iter()
            .filter_map(|publication| {
                let code = match &self.prepared.plan.node(publication.node).work {
                    Work::Compute { version, .. } => {
                        self.prepared.code[&publication.task][version].clone()
                    }
                    Work::Given(given) => given.code.clone(),
                    Work::Assemble { .. } => return None,
                };
                Some((publication.task.clone(), code))
            });
        PublishedRun {
            pipeline: self.prepared.plan.pipeline.clone(),
            run: self.prepared.plan.run.clone(),
            date: self.prepared.plan.date,
            slice: self.slice().map(str::to_owned),
            succeeded: failure.is_none(),
            outputs: published
                .outputs
                .into_iter()
                .map(|(task, file)| (task, file.digest))
                .collect(),
            code: code.collect(),
            live: self.live_versions(),
            fallbacks: published.fallbacks,
            alerts: log.alerts.clone(),
            repair: self.prepared.repair.clone(),
        }
    }

    /// What the next run holds the live versions against. A repair publishes what was computed long ago, so that it
    /// tells nothing of an edit since.
    fn live_versions(&self) -> BTreeMap<String, LiveVersion> {
        let prepared = self.prepared;
        if prepared.repair.is_some() {
            return BTreeMap::new();
        }
        live_versions(
            &prepared.pipeline.spec,
            &prepared.plan.stages,
            &prepared.code,
        )
    }

    /// Appends to the ledger. A run whose live half is done does not fail for it: there is then no evidence, loudly.
    pub(super) fn append(&self, event: &LedgerEvent) {
        let appended = ledger::append(&self.prepared.store, event, crate::clock::now());
        if let Err(error) = appended {
            self.executor
                .alert(format!("this run is not recorded in the ledger: {error}"));
        }
    }
}
