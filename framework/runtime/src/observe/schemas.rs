//! The schemas of datasets and outputs, read and planned in a worker.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use understudy_core::digest::Digest;
use understudy_core::run::Usage;
use understudy_core::run_date::RunDate;
use understudy_core::schema::TableSchema;
use understudy_core::snapshot::{InputSnapshot, Schemas};
use understudy_core::spec::{Input, InputSource, Spec, Task, VersionKind};
use understudy_sabotage::Sabotage;
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
    disk_bytes: None,
    processes: None,
    files: None,
};

/// Live waits for what is not live to be planned, so that has no longer than this, and three times what live took.
const SHADOW_EXTRA: Duration = Duration::from_secs(20);
/// The memory that planning may take beyond three times what live took.
const SHADOW_EXTRA_BYTES: u64 = 1 << 30;
/// How many times what live took the planning of what is not live may take.
const SHADOW_FACTOR: u64 = 3;

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

/// Reads the schemas of all inputs and plans the SQL of all versions that the pipeline runs. What is not live is
/// planned in a worker of its own: the engine may compute whole expressions while it plans, so a hostile query can end
/// its worker, and then nothing is lost that live needs.
///
/// # Errors
/// The worker gave no answer about what is live: why.
pub async fn inspect(
    pipeline: &Pipeline,
    inputs: &InputSnapshot,
    code: &CodeDigests,
    date: RunDate,
    crew: &Crew,
    folder: &Path,
) -> Result<SchemaReport, String> {
    let answer = looked_at(pipeline, inputs, code, date, crew, folder).await;
    unquoted(answer, pipeline, inputs, crew, folder).await
}

async fn looked_at(
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
        columns: BTreeMap::new(),
        externals: externals(pipeline, inputs),
        tasks: tasks(pipeline, code),
        known,
        date,
    };
    if Sabotage::PlannedTogether.is_on() {
        let (inspected, _) = ask(job, INSPECT_LIMIT, crew, folder).await?;
        return Ok(report(&pipeline.spec, code, inspected));
    }
    let (live, shadow) = by_role(job);
    let (mut inspected, usage) = ask(live, INSPECT_LIMIT, crew, folder).await?;
    if !shadow.tasks.is_empty() || !shadow.externals.is_empty() {
        let tasks = shadow.tasks.clone();
        let shadow = knowing(shadow, &inspected, &pipeline.spec);
        let folder = folder.join("shadow");
        match ask(shadow, shadow_limit(usage), crew, &folder).await {
            Ok((found, _)) => add(&mut inspected, found.outputs),
            Err(reason) => add(&mut inspected, not_planned(&tasks, &reason)),
        }
    }
    Ok(report(&pipeline.spec, code, inspected))
}

async fn ask(
    job: InspectJob,
    limits: WorkerLimits,
    crew: &Crew,
    folder: &Path,
) -> Result<(Inspected, Usage), String> {
    let invocation = Invocation {
        step: "inspect".to_owned(),
        folder: folder.to_owned(),
        at_work: None,
        confinement: None,
        job: Job::Inspect(Box::new(job)),
    };
    let end = crew
        .run(&invocation, limits, &folder.join("inspect.log"))
        .await;
    match end.answer {
        Ok(Answer::Inspected(inspected)) => Ok((inspected, end.usage)),
        Ok(_) => Err("inspecting gave another answer than was asked for".to_owned()),
        Err(failure) => Err(format!("inspecting the inputs {failure}")),
    }
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

fn shadow_limit(live: Usage) -> WorkerLimits {
    let wall = Duration::from_millis(live.wall_ms.saturating_mul(SHADOW_FACTOR));
    let memory = live.peak_memory_bytes.saturating_mul(SHADOW_FACTOR);
    WorkerLimits {
        wall: Some(wall + SHADOW_EXTRA),
        memory_bytes: Some(memory + SHADOW_EXTRA_BYTES),
        ..WorkerLimits::default()
    }
}

/// What live needs, and the rest.
fn by_role(job: InspectJob) -> (InspectJob, InspectJob) {
    let (live_tasks, tasks) = job.tasks.into_iter().partition(|task| task.live);
    let (live_externals, externals) = job.externals.into_iter().partition(|one| one.live);
    let live = InspectJob {
        tasks: live_tasks,
        externals: live_externals,
        stored: job.stored.clone(),
        columns: BTreeMap::new(),
        known: job.known.clone(),
        date: job.date,
    };
    let shadow = InspectJob {
        tasks,
        externals,
        stored: job.stored,
        columns: BTreeMap::new(),
        known: job.known,
        date: job.date,
    };
    (live, shadow)
}

/// The job with what was seen of what is live, so that nothing of it is read or planned again.
fn knowing(mut shadow: InspectJob, live: &Inspected, spec: &Spec) -> InspectJob {
    // What could not be read the first time is not read again.
    shadow.stored.retain(|id, _| live.stored.contains_key(id));
    shadow.columns.clone_from(&live.stored);
    for task in &spec.tasks {
        let seen = live.outputs.get(&task.name);
        if let Some(Ok(schema)) = seen.and_then(|versions| versions.get(&task.live)) {
            let known = BTreeMap::from([(task.live.clone(), schema.clone())]);
            shadow.known.insert(task.name.clone(), known);
        }
    }
    shadow
}

type Outputs = BTreeMap<String, BTreeMap<String, Result<TableSchema, String>>>;

fn add(inspected: &mut Inspected, outputs: Outputs) {
    for (task, versions) in outputs {
        inspected.outputs.entry(task).or_default().extend(versions);
    }
}

fn not_planned(tasks: &[InspectTask], reason: &str) -> Outputs {
    let mut outputs = Outputs::new();
    for task in tasks {
        let versions = outputs.entry(task.task.clone()).or_default();
        versions.insert(task.version.clone(), Err(reason.to_owned()));
    }
    outputs
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
