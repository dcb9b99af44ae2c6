//! Edits of live code: a version that everybody gets without a change, and that is another one than it was.
//!
//! Nothing stands in the way of such an edit unless the pipeline file says so; but it is never silent.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::ledger::{Entry, LedgerEvent, LiveVersion};
use crate::run_date::RunDate;
use crate::spec::{Spec, Task};
use crate::stage::{LaneStages, Span};

/// A task whose live version is not what it was when it was published last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiveEdit {
    /// The task.
    pub task: String,
    /// The live version then.
    pub was: LiveVersion,
    /// The date of the run that published then.
    pub since: RunDate,
    /// The live version now.
    pub now: LiveVersion,
    /// The change that compares it with a new version, if one does, and whether that one is live for all.
    pub change: Option<(String, LiveForAll)>,
}

/// Whether a change is live for all, so that nobody gets the version that it is to replace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LiveForAll {
    /// It is.
    Yes,
    /// Somebody gets the version that it is to replace.
    No,
}

/// The live version of each task that is published: the one that the file names, or, where a change is complete, its
/// new one.
#[must_use]
pub fn live_versions(
    spec: &Spec,
    stages: &BTreeMap<String, LaneStages>,
    code: &BTreeMap<String, BTreeMap<String, Digest>>,
) -> BTreeMap<String, LiveVersion> {
    let published = spec
        .tasks
        .iter()
        .filter(|task| task.output.location.is_some() && !task.is_live_external());
    let version = |task: &Task| {
        let change = spec.change_of(&task.name);
        let complete = change.filter(|change| span(stages, &change.name) == Span::Complete);
        let version = complete.map_or(&task.live, |change| &change.new[&task.name]);
        let code = code.get(&task.name)?.get(version)?.clone();
        let version = version.clone();
        Some((task.name.clone(), LiveVersion { version, code }))
    };
    published.filter_map(version).collect()
}

fn span(stages: &BTreeMap<String, LaneStages>, change: &str) -> Span {
    stages.get(change).map_or(Span::Shadow, LaneStages::span)
}

/// The tasks whose live version is not what it was in the last run that published them. What no entry tells of was
/// not edited, as far as anybody knows.
#[must_use]
pub fn live_edits(
    entries: &[Entry],
    spec: &Spec,
    stages: &BTreeMap<String, LaneStages>,
    code: &BTreeMap<String, BTreeMap<String, Digest>>,
) -> Vec<LiveEdit> {
    let now = live_versions(spec, stages, code);
    let edited = now.into_iter().filter_map(|(task, now)| {
        let (since, was) = published_last(entries, &spec.pipeline, &task)?;
        if was.code == now.code {
            return None;
        }
        Some(LiveEdit {
            change: compared_by(spec, stages, &task),
            was: was.clone(),
            since,
            now,
            task,
        })
    });
    edited.collect()
}

fn published_last<'a>(
    entries: &'a [Entry],
    pipeline: &str,
    task: &str,
) -> Option<(RunDate, &'a LiveVersion)> {
    entries.iter().rev().find_map(|entry| match &entry.event {
        LedgerEvent::Published(run) if run.succeeded && run.pipeline == pipeline => {
            Some((run.date, run.live.get(task)?))
        }
        _ => None,
    })
}

fn compared_by(
    spec: &Spec,
    stages: &BTreeMap<String, LaneStages>,
    task: &str,
) -> Option<(String, LiveForAll)> {
    let change = spec.change_of(task)?.name.clone();
    match span(stages, &change) {
        Span::Off | Span::Complete => None,
        Span::AllLive => Some((change, LiveForAll::Yes)),
        Span::Shadow | Span::SomeLive => Some((change, LiveForAll::No)),
    }
}

impl LiveEdit {
    /// Whether the version goes by the name that it had. Another name is a decision that stands in the pipeline file.
    #[must_use]
    pub fn keeps_its_name(&self) -> bool {
        self.was.version == self.now.version
    }

    /// What happened, as a fragment.
    #[must_use]
    pub fn what(&self) -> String {
        let (task, since) = (&self.task, self.since);
        let (was, now) = (&self.was.version, &self.now.version);
        if self.keeps_its_name() {
            format!("the live version `{now}` of `{task}` was edited since the run of {since}")
        } else {
            format!(
                "the live version of `{task}` is `{now}`, which was `{was}` in the run of {since}"
            )
        }
    }

    /// The sentence about it, with what follows.
    #[must_use]
    pub fn text(&self) -> String {
        let follows = match &self.change {
            None => "it is published as it is now".to_owned(),
            Some((change, LiveForAll::No)) => {
                format!("it is published as it is now; evidence of `{change}` starts anew")
            }
            Some((change, LiveForAll::Yes)) => format!(
                "nobody gets it while `{change}` is live for all, and everybody would on the way back; evidence of `{change}` starts anew"
            ),
        };
        format!("{}: {follows}", self.what())
    }
}

#[cfg(test)]
mod tests;
