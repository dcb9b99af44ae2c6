//! The end of the live half.

use std::collections::BTreeMap;

use understudy_core::digest::Digest;
use understudy_core::event::Event;
use understudy_core::plan::{NodeId, Plan, Publication, Work};
use understudy_core::run::{Failure, FailureKind, PublicationRecord, PublishedFile};
use understudy_core::slice::when_part;
use understudy_core::stage::Stages;

use understudy_tasks::DATA_FILE;

use super::{Attempt, LiveEnd};
use crate::error::RunError;
use crate::execute::Reuse;
use crate::prepare;
use crate::store::publish::{
    self, LiveOutput, Marker, MarkerError, ObjectPublication, RunStamp, holds_data, marker_at,
    object_holds_data,
};
use crate::store::remote::is_remote;

impl Attempt<'_> {
    /// Publishes what the live half made: all of it or nothing.
    pub(super) async fn publish(&self) -> Result<LiveEnd, RunError> {
        if let Some(failure) = self.failure() {
            return Ok(self.live_failed(failure));
        }
        // The last look at the ledger: a move towards old that came in meanwhile is honoured.
        let has_lanes = !self.executor.log.borrow().assemblies.is_empty();
        if has_lanes || self.prepared.pipeline.flags.has_versions() {
            let now = self.stages_now();
            if has_lanes
                && self.executor.honour(&now).await
                && let Some(failure) = self.failure()
            {
                return Ok(self.live_failed(failure));
            }
        }
        if self.executor.crew.is_interrupted() {
            return Ok(LiveEnd::Failed(Failure::new(
                FailureKind::Interrupted,
                "was interrupted",
            )));
        }
        self.put()
    }

    /// A ledger that broke since the run began tells of no move: the run holds to its own stages.
    fn stages_now(&self) -> Stages {
        let held = Stages(self.prepared.plan.stages.clone());
        let (now, unreadable) =
            prepare::stages_now(&self.prepared.pipeline, &self.prepared.store, held);
        if let Some(error) = unreadable.filter(|_| self.prepared.ledger_is_readable) {
            self.executor.alert(format!(
                "{error}; moves since the run began are not known, and it holds to its stages"
            ));
        }
        let said = &self.prepared.alerts;
        for alert in now.alerts.into_iter().filter(|alert| !said.contains(alert)) {
            self.executor.alert(alert);
        }
        now.stages
    }

    fn live_failed(&self, failure: Failure) -> LiveEnd {
        if failure.kind != FailureKind::Interrupted {
            self.executor.events.emit(&Event::LiveFailed {
                reason: failure.message.clone(),
            });
        }
        LiveEnd::Failed(failure)
    }

    /// Why there is something that cannot be published: the failure that the others follow from, with its task.
    fn failure(&self) -> Option<Failure> {
        let log = self.executor.log.borrow();
        let published = self.prepared.plan.publications.iter();
        let failed = published
            .clone()
            .filter(|publication| log.output(publication.node).is_none());
        let failures = failed
            .filter_map(|publication| root_failure(&self.prepared.plan, &log, publication.node));
        let failure = failures.min_by_key(|failure| failure.kind != FailureKind::Interrupted);
        let waiting = published
            .clone()
            .find(|publication| !log.nodes.contains_key(&publication.node));
        failure.or_else(|| waiting.map(|publication| waits_for_itself(&publication.task)))
    }

    fn put(&self) -> Result<LiveEnd, RunError> {
        let plan = &self.prepared.plan;
        if self.stands_already() {
            let outputs = self.published_files()?;
            self.keep_publication(outputs, true);
            self.executor.events.emit(&Event::Published {
                outputs: plan.publications.len(),
                reused: true,
            });
            return Ok(LiveEnd::AlreadyPublished);
        }
        if let Some(lease) = &self.lease
            && !lease.is_held()?
        {
            let message = "was not published: another machine took this date over; run again";
            return Ok(self.live_failed(Failure::new(FailureKind::Machine, message)));
        }
        // The pipeline file makes sure that all are of one kind.
        let (objects, files): (Vec<_>, Vec<_>) = plan
            .publications
            .iter()
            .partition(|publication| is_remote(&publication.location));
        let files: Vec<_> = files.into_iter().map(|one| self.publication(one)).collect();
        let objects: Vec<_> = objects.into_iter().map(|one| self.object(one)).collect();
        publish::publish(&self.prepared.store, &self.stamp(), &files)?;
        publish::publish_objects(&self.prepared.store, &self.stamp(), &objects)?;
        let outputs = self.published_files()?;
        self.keep_publication(outputs, false);
        self.executor.events.emit(&Event::Published {
            outputs: plan.publications.len(),
            reused: false,
        });
        Ok(LiveEnd::Published)
    }

    /// Whether every output stands where it belongs, whole, as this run published it, and nothing was computed anew.
    fn stands_already(&self) -> bool {
        let log = self.executor.log.borrow();
        // Another machine may have published this very run, whose outputs are not here.
        let elsewhere =
            self.prepared.store.remote().is_some() && self.executor.reuse == Reuse::Complete;
        self.prepared.plan.publications.iter().all(|publication| {
            let reused = elsewhere
                || log
                    .nodes
                    .get(&publication.node)
                    .is_some_and(|record| record.reused);
            let marker = reused.then(|| self.marker(&publication.location).ok().flatten());
            let ours = marker
                .flatten()
                .filter(|marker| marker.run == self.prepared.plan.run);
            ours.is_some_and(|marker| self.holds(&publication.location, &marker))
        })
    }

    fn marker(&self, location: &str) -> Result<Option<Marker>, MarkerError> {
        let (pipeline, date) = (&self.prepared.pipeline, self.prepared.plan.date);
        marker_at(pipeline, location, date, self.slice())
    }

    fn holds(&self, location: &str, marker: &Marker) -> bool {
        if is_remote(location) {
            object_holds_data(location, marker).unwrap_or(false)
        } else {
            let location = self.prepared.pipeline.folder.join(location);
            holds_data(&location, marker).unwrap_or(false)
        }
    }

    fn object(&self, planned: &Publication) -> ObjectPublication {
        ObjectPublication {
            task: planned.task.clone(),
            output: LiveOutput::at(self.executor.output_folder(planned.node).join(DATA_FILE)),
            location: planned.location.clone(),
            code: self.code_behind(planned.node),
        }
    }

    fn publication(&self, planned: &Publication) -> publish::Publication {
        publish::Publication {
            task: planned.task.clone(),
            output: LiveOutput::at(self.executor.output_folder(planned.node).join(DATA_FILE)),
            location: self.prepared.pipeline.folder.join(&planned.location),
            code: self.code_behind(planned.node),
        }
    }

    /// The digests of the versions behind a node, by version.
    fn code_behind(&self, id: NodeId) -> BTreeMap<String, Digest> {
        let node = self.prepared.plan.node(id);
        match &node.work {
            Work::Compute { version, .. } => BTreeMap::from([(
                version.clone(),
                self.prepared.code[&node.task][version].clone(),
            )]),
            Work::Given(given) => BTreeMap::from([(given.version.clone(), given.code.clone())]),
            Work::Assemble { old, new, .. } => {
                let mut code = self.code_behind(*old);
                code.extend(self.code_behind(*new));
                code
            }
        }
    }

    /// The name of the slice that the run is for.
    pub(super) fn slice(&self) -> Option<&str> {
        self.prepared
            .plan
            .slice
            .as_ref()
            .map(|slice| slice.name.as_str())
    }

    fn stamp(&self) -> RunStamp {
        RunStamp {
            pipeline: self.prepared.plan.pipeline.clone(),
            run: self.prepared.plan.run.clone(),
            date: self.prepared.plan.date,
            slice: self.slice().map(str::to_owned),
            published_at: crate::clock::now(),
            ledger_entries: self.prepared.ledger_entries,
            stages: self.stages_to_tell(),
        }
    }

    /// Where the ledger is lost, the newest output tells the stages: those of a repair hold for its date alone.
    fn stages_to_tell(&self) -> Stages {
        let own = Stages(self.prepared.plan.stages.clone());
        match self.prepared.repair {
            None => own,
            Some(_) => {
                let (now, _) =
                    prepare::stages_now(&self.prepared.pipeline, &self.prepared.store, own);
                now.stages
            }
        }
    }

    fn published_files(&self) -> Result<BTreeMap<String, PublishedFile>, RunError> {
        let log = self.executor.log.borrow();
        let mut outputs = BTreeMap::new();
        for publication in &self.prepared.plan.publications {
            let marker = self.marker(&publication.location)?;
            let Some(marker) = marker else { continue };
            let rows = log.output(publication.node).map_or(0, |output| output.rows);
            let below = publication.location.trim_end_matches('/');
            let when = when_part(self.prepared.plan.date, self.prepared.plan.slice.as_ref());
            let path = format!("{below}/{when}/{DATA_FILE}");
            outputs.insert(
                publication.task.clone(),
                PublishedFile {
                    path,
                    rows,
                    digest: marker.digest,
                },
            );
        }
        Ok(outputs)
    }

    fn keep_publication(&self, outputs: BTreeMap<String, PublishedFile>, reused: bool) {
        let mut log = self.executor.log.borrow_mut();
        let fallbacks = log
            .assemblies
            .iter()
            .filter(|(_, assembly)| !assembly.fallbacks.is_empty());
        let fallbacks = fallbacks
            .map(|(change, assembly)| (change.clone(), assembly.fallbacks.clone()))
            .collect();
        log.published = Some(PublicationRecord {
            outputs,
            reused,
            fallbacks,
        });
    }
}

/// Two changes with live lanes, each upstream of the other: neither can be decided before the other one is.
fn waits_for_itself(task: &str) -> Failure {
    let message = format!(
        "`{task}` was not made: changes with live lanes wait for each other's rows; move one of them back to shadow"
    );
    Failure::new(FailureKind::Input, message)
}

/// The first failure on the way to a node, with the task that failed.
fn root_failure(plan: &Plan, log: &understudy_core::run::RunLog, id: NodeId) -> Option<Failure> {
    let node = plan.node(id);
    let own = log.failure(id)?;
    let earlier = node
        .reads()
        .into_iter()
        .find_map(|input| root_failure(plan, log, input));
    if own.kind == FailureKind::Input
        && let Some(earlier) = earlier
    {
        return Some(earlier);
    }
    let version = node
        .version()
        .map(|version| format!(" ({version})"))
        .unwrap_or_default();
    Some(Failure::new(
        own.kind,
        format!("`{}`{version} {}", node.task, own.message),
    ))
}
