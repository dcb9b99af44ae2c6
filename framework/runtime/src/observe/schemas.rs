//! The schemas of datasets and outputs, read and planned in a worker.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use understudy_core::digest::Digest;
use understudy_core::run_date::RunDate;
use understudy_core::schema::TableSchema;
use understudy_core::snapshot::{InputSnapshot, Schemas};
use understudy_core::spec::{Input, InputSource, Spec, Task, VersionKind};
use understudy_tables::TableSource;

use super::{CodeDigests, external_source, stored_source};
use crate::execute::{scrub, withheld};
use crate::mask::{MaskKeyError, MaskOrder, throwaway_key};
use crate::pipeline::Pipeline;
use crate::small_file::{MAX_TEXT_BYTES, read_small};
use crate::store::Store;
use crate::worker::{
    Answer, Crew, InspectCode, InspectExternal, InspectInput, InspectJob, InspectTask, Inspected,
    Invocation, Job, ScrubJob, WorkerLimits,
};

/// Inspecting reads footers and CSV files; it never takes longer than this.
const INSPECT_LIMIT: WorkerLimits = WorkerLimits {
    wall: Some(Duration::from_secs(600)),
    memory_bytes: Some(4 << 30),
};

/// What inspecting gave.
#[derive(Debug, Default)]
pub struct SchemaReport {
    /// The schemas that are known.
    pub schemas: Schemas,
    /// Datasets that cannot be read, by name, with the reason.
    pub datasets: BTreeMap<String, String>,
    /// SQL versions that cannot be planned, by task and version, with the reason.
    pub versions: BTreeMap<(String, String), String>,
    /// Versions whose columns nobody knows before they have run, by task and version.
    pub unknown: Vec<(String, String)>,
}

/// Reads the schemas of all inputs and plans the SQL of all versions that the pipeline runs.
///
/// # Errors
/// The worker gave no answer: why.
pub async fn inspect(
    pipeline: &Pipeline,
    inputs: &InputSnapshot,
    code: &CodeDigests,
    date: RunDate,
    crew: &Crew,
    folder: &Path,
) -> Result<SchemaReport, String> {
    let known = known_outputs(&pipeline.store_folder(), code);
    let job = InspectJob {
        stored: sources(pipeline, inputs),
        externals: externals(pipeline, inputs),
        tasks: tasks(pipeline, code),
        known,
        date,
    };
    let invocation = Invocation {
        step: "inspect".to_owned(),
        folder: folder.to_owned(),
        job: Job::Inspect(Box::new(job)),
    };
    let end = crew
        .run(&invocation, INSPECT_LIMIT, &folder.join("inspect.log"))
        .await;
    let answer = match end.answer {
        Ok(Answer::Inspected(inspected)) => Ok(report(&pipeline.spec, code, inspected)),
        Ok(_) => Err("inspecting gave another answer than was asked for".to_owned()),
        Err(failure) => Err(format!("inspecting the inputs {failure}")),
    };
    unquoted(answer, pipeline, inputs, crew, folder).await
}

/// The same without values of masked columns: whatever could not be read may be quoted in why.
async fn unquoted(
    answer: Result<SchemaReport, String>,
    pipeline: &Pipeline,
    inputs: &InputSnapshot,
    crew: &Crew,
    folder: &Path,
) -> Result<SchemaReport, String> {
    let mut answer = answer;
    let mut reasons: Vec<&mut String> = match &mut answer {
        Ok(report) => {
            let datasets = report.datasets.values_mut();
            datasets.chain(report.versions.values_mut()).collect()
        }
        Err(reason) => vec![reason],
    };
    if reasons.is_empty() || !pipeline.spec.masks_anything() {
        return answer;
    }
    let texts = reasons.iter().map(|reason| (**reason).clone()).collect();
    let scrubbed = match scrub_job(pipeline, inputs, texts, folder) {
        Ok(job) => scrub(crew, job, &folder.join("scrub")).await,
        Err(error) => Err(error.to_string()),
    };
    let scrubbed = scrubbed.unwrap_or_else(|why| vec![withheld(&why); reasons.len()]);
    for (reason, text) in reasons.iter_mut().zip(scrubbed) {
        **reason = text;
    }
    answer
}

fn scrub_job(
    pipeline: &Pipeline,
    inputs: &InputSnapshot,
    texts: Vec<String>,
    folder: &Path,
) -> Result<ScrubJob, MaskKeyError> {
    let store = Store::of(pipeline);
    let kept = store.mask_key_file();
    let externals = externals(pipeline, inputs).into_iter();
    Ok(ScrubJob {
        mask: MaskOrder {
            columns: pipeline.spec.all_masked(),
            // Looking at a pipeline makes nothing in its store.
            key_file: if kept.exists() {
                kept
            } else {
                throwaway_key(folder)?
            },
        },
        tables: sources(pipeline, inputs)
            .into_values()
            .chain(externals.map(|external| external.source))
            .collect(),
        output: None,
        texts,
        files: Vec::new(),
    })
}

/// The stored data that are there, by their ids, with the types that the pipeline file gives.
fn sources(pipeline: &Pipeline, inputs: &InputSnapshot) -> BTreeMap<String, TableSource> {
    let all = pipeline.spec.tasks.iter().flat_map(|task| &task.inputs);
    all.filter_map(|input| match &input.source {
        InputSource::Stored(stored) if inputs.tables.contains_key(&stored.id()) => {
            Some((stored.id(), stored_source(pipeline, inputs, input)?.0))
        }
        _ => None,
    })
    .collect()
}

fn externals(pipeline: &Pipeline, inputs: &InputSnapshot) -> Vec<InspectExternal> {
    let mut externals = Vec::new();
    for (task, versions) in &inputs.externals {
        let live = pipeline.spec.task(task).map(|task| task.live.as_str());
        for version in versions.keys() {
            let Some(source) = external_source(pipeline, inputs, task, version) else {
                continue;
            };
            externals.push(InspectExternal {
                task: task.clone(),
                version: version.clone(),
                source,
                live: live == Some(version),
            });
        }
    }
    externals
}

fn tasks(pipeline: &Pipeline, code: &CodeDigests) -> Vec<InspectTask> {
    let mut tasks = Vec::new();
    for task in &pipeline.spec.tasks {
        for version in code[&task.name].keys() {
            tasks.extend(inspect_task(pipeline, task, version));
        }
    }
    tasks
}

fn inspect_task(pipeline: &Pipeline, task: &Task, name: &str) -> Option<InspectTask> {
    let version = &task.versions[name];
    let code = match &version.kind {
        VersionKind::Sql { file, .. } => {
            InspectCode::Sql(read_small(&pipeline.folder.join(file), MAX_TEXT_BYTES).ok()?)
        }
        VersionKind::Merge(merge) => InspectCode::Merge(*merge),
        _ => return None,
    };
    let input = |input: &Input| {
        let from = match &input.source {
            InputSource::Task(task) => InspectInput::Task(task.clone()),
            InputSource::Stored(stored) => InspectInput::Stored(stored.id()),
        };
        (input.name.clone(), from)
    };
    Some(InspectTask {
        task: task.name.clone(),
        version: name.to_owned(),
        code,
        params: version.params.clone(),
        inputs: task.inputs.iter().map(input).collect(),
        grain: task.output.grain.clone(),
        live: name == task.live,
    })
}

fn report(spec: &Spec, code: &CodeDigests, inspected: Inspected) -> SchemaReport {
    let mut report = SchemaReport::default();
    for (name, schema) in inspected.datasets {
        match schema {
            Ok(schema) => drop(report.schemas.datasets.insert(name, schema)),
            Err(reason) => drop(report.datasets.insert(name, reason)),
        }
    }
    for (task, versions) in inspected.outputs {
        for (version, schema) in versions {
            match schema {
                Ok(schema) => drop(
                    report
                        .schemas
                        .outputs
                        .entry(task.clone())
                        .or_default()
                        .insert(version, schema),
                ),
                Err(reason) => drop(report.versions.insert((task.clone(), version), reason)),
            }
        }
    }
    for task in &spec.tasks {
        let known = |version: &str| {
            report
                .schemas
                .outputs
                .get(&task.name)
                .is_some_and(|all| all.contains_key(version))
        };
        let failed = |version: &str| {
            report
                .versions
                .contains_key(&(task.name.clone(), version.to_owned()))
        };
        let unknown = code[&task.name]
            .keys()
            .filter(|version| !known(version) && !failed(version));
        let unknown: Vec<_> = unknown
            .map(|version| (task.name.clone(), version.clone()))
            .collect();
        report.unknown.extend(unknown);
    }
    report
}

/// Schemas of outputs that earlier runs saw, by task and the digest of the version's code: a cache that may be
/// deleted at any time.
type SeenSchemas = BTreeMap<String, BTreeMap<Digest, TableSchema>>;

const SEEN_FILE: &str = "schemas.json";

fn seen(store: &Path) -> SeenSchemas {
    let bytes = fs::read(store.join(SEEN_FILE)).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

fn known_outputs(
    store: &Path,
    code: &CodeDigests,
) -> BTreeMap<String, BTreeMap<String, TableSchema>> {
    let seen = seen(store);
    let mut known: BTreeMap<String, BTreeMap<String, TableSchema>> = BTreeMap::new();
    for (task, versions) in code {
        for (version, digest) in versions {
            if let Some(schema) = seen.get(task).and_then(|schemas| schemas.get(digest)) {
                known
                    .entry(task.clone())
                    .or_default()
                    .insert(version.clone(), schema.clone());
            }
        }
    }
    known
}

/// Remembers the columns that versions were seen to give, for the next inspection. Failing to is no harm.
pub(crate) fn remember(store: &Path, outputs: Vec<(String, Digest, TableSchema)>) {
    let mut all = seen(store);
    let before = all.clone();
    for (task, code, schema) in outputs {
        all.entry(task).or_default().insert(code, schema);
    }
    if all != before
        && let Ok(json) = serde_json::to_vec_pretty(&all)
    {
        let _ = crate::store::durable::replace(&store.join(SEEN_FILE), &json);
    }
}
