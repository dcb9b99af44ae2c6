//! The last valid definition of each change, for the day on which the pipeline file has none.
//!
//! Who is live stays so until somebody moves them: a change that was taken out of the file, or broken in it, keeps what
//! it was while lanes are live, loudly.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use understudy_core::path_part::encode;
use understudy_core::rollout::record::Rollout;
use understudy_core::spec::{Change, Spec, Version};
use understudy_core::stage::{Span, Stage};

use crate::observe::code_digests;
use crate::pipeline::Pipeline;
use crate::store::Store;
use crate::store::durable;

const FORMAT: u32 = 1;

/// A change as it was when it could run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Definition {
    version: u32,
    change: Change,
    /// The new version of each changed task.
    versions: BTreeMap<String, Version>,
}

fn file(store: &Store, pipeline: &str, change: &str) -> PathBuf {
    let name = format!("{}.json", encode(change));
    store
        .root()
        .join("changes")
        .join(encode(pipeline))
        .join(name)
}

/// Keeps the changes as they are now. What cannot be written is not there on the day that it is needed, which is said
/// then.
pub(crate) fn keep(spec: &Spec, store: &Store) {
    for change in spec.changes.values() {
        let new = change.new.iter();
        let versions = new.filter_map(|(task, version)| {
            let version = spec.task(task)?.versions.get(version)?;
            Some((task.clone(), version.clone()))
        });
        let definition = Definition {
            version: FORMAT,
            change: change.clone(),
            versions: versions.collect(),
        };
        let bytes = serde_json::to_vec(&definition).expect("a change has a JSON form");
        let path = file(store, &spec.pipeline, &change.name);
        if fs::read(&path).is_ok_and(|before| before == bytes) {
            continue;
        }
        if durable::create_dirs(durable::parent(&path)).is_ok() {
            let _ = durable::replace(&path, &bytes);
        }
    }
}

/// Gives changes with live lanes that the file does not have, or has broken, their last valid definition. Gives what a
/// person should look at.
pub(crate) fn restore(
    pipeline: &mut Pipeline,
    store: &Store,
    rollouts: &BTreeMap<String, Rollout>,
) -> Vec<String> {
    let mut alerts = Vec::new();
    for (name, rollout) in rollouts {
        let is_live = !matches!(rollout.stages().span(), Span::Off | Span::Shadow);
        if !is_live || pipeline.spec.changes.contains_key(name) {
            continue;
        }
        let state = if pipeline.spec.suspended.contains_key(name) {
            "cannot run as the pipeline file has it"
        } else {
            "is not in the pipeline file any more"
        };
        let is_complete = rollout.others.state.stage == Stage::Complete;
        let kept = definition(store, &pipeline.spec.pipeline, name);
        let before = pipeline.spec.clone();
        let restored = match kept {
            Some(kept) if is_finished(&pipeline.spec, &kept) => continue,
            Some(kept) => put_back(&mut pipeline.spec, kept) && code_digests(pipeline).is_ok(),
            // Nobody knows what it was: a change that is complete was taken out, as it should be.
            None if is_complete => continue,
            None => false,
        };
        alerts.push(if !restored {
            pipeline.spec = before;
            format!(
                "`{name}` has live lanes, {state}, and what it was cannot be run: its lanes get their old rows"
            )
        } else if is_complete {
            format!(
                "`{name}` is complete and {state}, but its tasks still name the old version as `live`: everybody keeps the new one; make that `live`"
            )
        } else {
            format!(
                "`{name}` has live lanes and {state}: it keeps its last valid definition; put it back, or end it with `understudy rollback {name} --all`"
            )
        });
    }
    alerts
}

fn definition(store: &Store, pipeline: &str, change: &str) -> Option<Definition> {
    let bytes = fs::read(file(store, pipeline, change)).ok()?;
    let kept = serde_json::from_slice::<Definition>(&bytes).ok()?;
    (kept.version == FORMAT).then_some(kept)
}

/// Whether the file has made the new versions the live ones: the change has ended as it should.
fn is_finished(spec: &Spec, kept: &Definition) -> bool {
    kept.change
        .new
        .iter()
        .all(|(task, version)| spec.task(task).is_none_or(|task| task.live == *version))
}

/// Puts a change back, if its tasks are there and no other change has them.
fn put_back(spec: &mut Spec, kept: Definition) -> bool {
    let mut change = kept.change;
    change
        .downstream
        .retain(|task| spec.tasks.iter().any(|own| own.name == *task));
    let has_all = change.new.iter().all(|(task, version)| {
        let is_other = |task: &understudy_core::spec::Task| task.live != *version;
        spec.task(task).is_some_and(is_other) && spec.change_of(task).is_none()
    });
    if !has_all {
        return false;
    }
    for task in &mut spec.tasks {
        if let Some(version) = kept.versions.get(&task.name) {
            task.versions
                .entry(version.name.clone())
                .or_insert_with(|| version.clone());
        }
    }
    spec.changes.insert(change.name.clone(), change);
    true
}
