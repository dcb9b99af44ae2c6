//! `doctor`: what of the sandbox is in force on this machine, found by trying it.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use understudy_core::digest::Digest;
use understudy_core::isolation::{Isolation, State};
use understudy_core::spec::{Sandbox, Version};
use understudy_flags::Found;
use understudy_objects::{Create, Limits, Place, Stamp, Stores};

use crate::error::RunError;
use crate::observe::running_versions;
use crate::pipeline::Pipeline;
use crate::store::remote::{is_remote, writer};
use crate::worker::{
    Answer, Confinement, Crew, Invocation, Job, Network, Outfit, ProbeJob, Probed, Reads,
    WorkerLimits, sandbox_parts_left_out,
};

/// The format of what `doctor --json` prints.
pub const CHECKUP_FORMAT: u32 = 1;
/// How long a probe may take.
const PROBE_WALL: Duration = Duration::from_secs(60);
/// How much of a disk a probe may fill, in bytes.
const PROBE_DISK_BYTES: u64 = 1 << 20;
/// How much memory a probe may use, in bytes.
const PROBE_MEMORY_BYTES: u64 = 1 << 30;
/// How many processes and threads a probe may have.
const PROBE_PROCESSES: u32 = 64;

/// What was found.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Checkup {
    /// The format, [`CHECKUP_FORMAT`].
    pub version: u32,
    /// The parts of the sandbox, and what a probe could do all the same.
    pub sandbox: Vec<Finding>,
    /// What the pipeline's shadows are given.
    pub shadows: Vec<Finding>,
    /// The places that the pipeline's flags are at.
    pub flags: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// What.
    pub what: String,
    /// How it is.
    pub health: Health,
    /// What was found.
    pub found: String,
}

/// How something is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// As it should be.
    Good,
    /// It could be better: nothing stops because of it.
    Weak,
    /// It has to be put right.
    Bad,
}

impl Checkup {
    /// The worst of all.
    #[must_use]
    pub fn health(&self) -> Health {
        let all = self.sandbox.iter().chain(&self.shadows).chain(&self.flags);
        all.map(|finding| finding.health)
            .max()
            .unwrap_or(Health::Good)
    }
}

/// Looks at the machine, and at what the shadows of a pipeline are given, if there is one.
///
/// # Errors
/// The probe could not be made.
pub async fn check_up(pipeline: Option<&Pipeline>, crew: &Crew) -> Result<Checkup, RunError> {
    let required = pipeline.is_some_and(|found| found.spec.sandbox == Sandbox::Required);
    let outside = folder()?;
    let probed = probe(&[outside.path().to_owned()], Outfit::default(), crew).await?;
    let mut shadows = Vec::new();
    if let Some(pipeline) = pipeline {
        for task in &pipeline.spec.tasks {
            let Some(location) = &task.output.location else {
                continue;
            };
            for name in running_versions(&pipeline.spec, task) {
                let version = &task.versions[name];
                if name == task.live && version.surroundings.is_empty() {
                    continue;
                }
                let what = format!("{} {name}", task.name);
                shadows.push(Finding {
                    what,
                    ..of_version(pipeline, version, location, crew).await?
                });
            }
        }
    }
    Ok(Checkup {
        version: CHECKUP_FORMAT,
        sandbox: of_sandbox(&probed, required),
        shadows,
        flags: pipeline.map(of_flags).unwrap_or_default(),
    })
}

/// Flags that do not answer stop no run, and every move towards new.
fn of_flags(pipeline: &Pipeline) -> Vec<Finding> {
    let flag = pipeline
        .spec
        .changes
        .values()
        .next()
        .map_or("understudy", |change| change.flag.as_str());
    let reached = pipeline.flags.reach(flag).into_iter();
    let findings = reached.map(|reached| Finding {
        what: reached.what.to_owned(),
        health: match &reached.found {
            Found::Good(_) => Health::Good,
            Found::Unused(_) => Health::Weak,
            Found::Failed(_) => Health::Bad,
        },
        found: match reached.found {
            Found::Good(found) | Found::Unused(found) | Found::Failed(found) => {
                format!("{}: {found}", reached.place)
            }
        },
    });
    findings.collect()
}

/// What a probe was confined by, and what it could do.
struct Tried {
    isolation: Isolation,
    probed: Result<Probed, String>,
}

async fn probe(folders: &[PathBuf], outfit: Outfit, crew: &Crew) -> Result<Tried, RunError> {
    let own = folder()?;
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let process = i32::try_from(std::process::id()).unwrap_or(i32::MAX);
    let invocation = Invocation {
        step: "doctor".to_owned(),
        folder: own.path().to_owned(),
        at_work: None,
        confinement: Some(confinement()),
        job: Job::Probe(ProbeJob {
            folders: folders.to_vec(),
            port: listener.map_or(1, |address| address.port()),
            process,
        }),
    };
    let limits = WorkerLimits {
        wall: Some(PROBE_WALL),
        ..WorkerLimits::default()
    };
    let log = own.path().join("doctor.log");
    let end = crew.send(&invocation, &outfit, limits, &log).await;
    let probed = match end.answer {
        Ok(Answer::Probed(probed)) => Ok(probed),
        Ok(_) => Err("it gave another answer than it was asked for".to_owned()),
        Err(failure) => Err(failure.message),
    };
    Ok(Tried {
        isolation: end.isolation.unwrap_or_default(),
        probed,
    })
}

fn confinement() -> Confinement {
    Confinement {
        reads: Reads::Everything,
        writes: Vec::new(),
        program_writes: Vec::new(),
        network: Network::Closed,
        hosts: Vec::new(),
        limits: crate::worker::ProcessLimits {
            files: 1024,
            file_bytes: PROBE_DISK_BYTES,
            memory_bytes: Some(PROBE_MEMORY_BYTES),
            processes: Some(PROBE_PROCESSES),
        },
        sandbox: Sandbox::BestEffort,
        without: sandbox_parts_left_out(),
    }
}

fn of_sandbox(tried: &Tried, required: bool) -> Vec<Finding> {
    let lacking = if required { Health::Bad } else { Health::Weak };
    let missing = tried.isolation.missing();
    let parts = understudy_core::isolation::Part::ALL
        .into_iter()
        .map(|part| {
            let in_force = match tried.isolation.parts.get(&part) {
                Some(State::InForce(by)) => Some(by.clone()),
                _ => None,
            };
            let (health, found) = match (in_force, missing.get(&part)) {
                (Some(by), _) => (Health::Good, by),
                (None, why) => (
                    lacking,
                    format!("MISSING: {}", why.unwrap_or(&"nothing is known of it")),
                ),
            };
            Finding {
                what: part.name().to_owned(),
                health,
                found,
            }
        });
    let mut findings: Vec<Finding> = parts.collect();
    findings.push(tried_finding(tried, lacking));
    findings
}

/// What the probe could do all the same.
fn tried_finding(tried: &Tried, lacking: Health) -> Finding {
    let (health, found) = match &tried.probed {
        Err(why) => (
            Health::Bad,
            format!("a shadow could not be tried: it {why}"),
        ),
        Ok(probed) => {
            let could = [
                (!probed.wrote.is_empty(), "write outside its folders"),
                (probed.connected, "connect to this machine"),
                (probed.signalled, "send signals to others"),
            ];
            let could: Vec<&str> = could
                .into_iter()
                .filter_map(|(could, what)| could.then_some(what))
                .collect();
            match could.as_slice() {
                [] => (
                    Health::Good,
                    "a shadow was tried: it could not write outside its folders, connect, or send signals".to_owned(),
                ),
                could => (
                    lacking,
                    format!("a shadow was tried, and COULD {}", could.join(", ")),
                ),
            }
        }
    };
    Finding {
        what: "trial".to_owned(),
        health,
        found,
    }
}

/// What a version could do to the live location with what it is given as a shadow.
async fn of_version(
    pipeline: &Pipeline,
    version: &Version,
    location: &str,
    crew: &Crew,
) -> Result<Finding, RunError> {
    let finding = |health, found: String| Finding {
        what: String::new(),
        health,
        found,
    };
    let outfit = match Outfit::of(&version.surroundings, true, &pipeline.folder) {
        Ok(outfit) => outfit,
        Err(error) => {
            let found = format!("of its variables, {error}");
            return Ok(finding(Health::Bad, found));
        }
    };
    if is_remote(location) {
        return Ok(match try_to_put(location, &outfit) {
            Attempt::Denied(why) => finding(
                Health::Good,
                format!("cannot write to `{location}` with what it is given: {why}"),
            ),
            Attempt::Written => finding(
                Health::Bad,
                format!(
                    "CAN WRITE to `{location}` with what it is given: give it other credentials under `shadow: {{ env: … }}`"
                ),
            ),
            Attempt::Unclear(why) => finding(
                Health::Weak,
                format!("whether it can write to `{location}` is not known: {why}"),
            ),
        });
    }
    let location = pipeline.folder.join(location);
    // Before the first run there is only the folder that it will be made in.
    let folder = location.ancestors().find(|folder| folder.is_dir());
    let folder = folder.unwrap_or(&location).to_owned();
    let tried = probe(std::slice::from_ref(&folder), outfit, crew).await?;
    Ok(match tried.probed {
        Ok(probed) if probed.wrote.is_empty() => finding(
            Health::Good,
            format!("cannot write to `{}`", folder.display()),
        ),
        Ok(_) => finding(Health::Bad, format!("CAN WRITE to `{}`", folder.display())),
        Err(why) => finding(Health::Bad, format!("could not be tried: it {why}")),
    })
}

/// What became of a write that must not be possible.
enum Attempt {
    Denied(String),
    Written,
    Unclear(String),
}

/// Tries to put an object below a location with nothing but what a shadow is given, and removes it again.
fn try_to_put(location: &str, outfit: &Outfit) -> Attempt {
    let settings: BTreeMap<String, String> = outfit.variables();
    let location = location.to_owned();
    let tried = std::thread::spawn(move || -> Result<Attempt, String> {
        let text = |error: &dyn std::error::Error| chain(error);
        let place = Place::parse(&location).map_err(|error| text(&error))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| text(&error))?;
        runtime.block_on(async {
            let name = writer("doctor");
            let stamp = Stamp::new(name.as_str(), Digest::of_bytes(b"doctor").as_str())
                .map_err(|error| text(&error))?;
            let key = format!("_understudy-{name}");
            let stores = Stores::new(settings, Limits::default());
            let objects = match stores.open(&place).await {
                Ok(objects) => objects,
                // Who has no credentials cannot write.
                Err(error) => return Ok(Attempt::Denied(text(&error))),
            };
            match objects.create(&key, b"doctor".to_vec(), &stamp).await {
                Ok(Create::Created { .. } | Create::AlreadyExists) => {
                    let _ = objects.remove(&key).await;
                    Ok(Attempt::Written)
                }
                Ok(Create::Unknown { cause }) => Ok(Attempt::Unclear(text(&cause))),
                Err(error) => Ok(denied_or_unclear(text(&error))),
            }
        })
    });
    match tried.join() {
        Ok(Ok(attempt)) => attempt,
        Ok(Err(why)) => Attempt::Unclear(why),
        Err(_) => Attempt::Unclear("the trial broke off".to_owned()),
    }
}

/// A store that says no, as against one that cannot be asked.
fn denied_or_unclear(why: String) -> Attempt {
    let says_no = [
        "403",
        "401",
        "Forbidden",
        "AccessDenied",
        "Unauthorized",
        "permission",
    ];
    if says_no.iter().any(|word| why.contains(word)) {
        Attempt::Denied(why)
    } else {
        Attempt::Unclear(why)
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn folder() -> Result<tempfile::TempDir, RunError> {
    tempfile::tempdir().map_err(|source| RunError::Machine {
        what: "no temporary folder could be made".to_owned(),
        source,
    })
}

/// Whether a pipeline stands at a path. The machine can be looked at without one.
#[must_use]
pub fn is_pipeline(path: &Path) -> bool {
    path.is_file() || path.join(crate::pipeline::PIPELINE_FILE).is_file()
}
