//! From what happened to what people read.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::catch_unwind;
use std::path::Path;
use std::time::Duration;

use understudy_core::customer::Customer;
use understudy_core::isolation::doubts;
use understudy_core::judge::lanes::ChangeVerdict;
use understudy_core::live_edits::LiveEdit;
use understudy_core::plan::{Half, NodeId, PlannedComparison, Work};
use understudy_core::run::{RunLog, Usage};
use understudy_core::snapshot::DatasetSnapshot;
use understudy_core::stage::{LaneStages, Stage};
use understudy_core::verdict::Verdict;
use understudy_core::world::Side;

use super::{Attempt, LiveEnd, RunRequest};
use crate::report::files::diff::DIFF_CSV;
use crate::report::files::group::note_bugs;
use crate::report::html;
use crate::report::model::{
    ChangeReport, LeakReport, LiveReport, OutputReport, RUN_REPORT_FORMAT, ReuseReport, RunReport,
    TaskFiles, TaskReport,
};
use crate::store::remote::is_remote;

/// The report of an attempt.
pub(super) fn report(
    attempt: &Attempt<'_>,
    verdicts: &BTreeMap<String, ChangeVerdict>,
    request: &RunRequest<'_>,
    wall: Duration,
) -> RunReport {
    let plan = &attempt.prepared.plan;
    let spec = &attempt.prepared.pipeline.spec;
    let suspended = spec.suspended.iter().map(|(change, problems)| {
        (
            change.clone(),
            problems
                .iter()
                .map(|problem| problem.message.clone())
                .collect(),
        )
    });
    RunReport {
        version: RUN_REPORT_FORMAT,
        pipeline: plan.pipeline.clone(),
        run: plan.run.clone(),
        date: plan.date,
        slice: attempt.slice().map(str::to_owned),
        live: live(attempt, request),
        changes: verdicts
            .iter()
            .map(|(name, verdict)| (name.clone(), change(attempt, request, name, verdict)))
            .collect(),
        suspended: suspended.collect(),
        alerts: attempt.executor.log.borrow().alerts.clone(),
        notes: notes(attempt),
        reuse: reuse(attempt),
        wall_ms: millis(wall),
        busy_ms: millis(attempt.executor.crew.busy()),
        next: next(attempt, verdicts, request),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn live(attempt: &Attempt<'_>, request: &RunRequest<'_>) -> LiveReport {
    let log = attempt.executor.log.borrow();
    let outputs = log
        .published
        .iter()
        .flat_map(|published| &published.outputs);
    let outputs = outputs.map(|(task, file)| {
        let version = published_version(attempt, task);
        let path = if is_remote(&file.path) {
            file.path.clone()
        } else {
            let path = attempt.prepared.pipeline.folder.join(&file.path);
            typed_path(attempt, request, &path)
        };
        (
            task.clone(),
            OutputReport {
                path,
                rows: file.rows,
                version,
            },
        )
    });
    let reasons = match &attempt.live {
        LiveEnd::Failed(failure) => vec![failure.message.clone()],
        _ => Vec::new(),
    };
    LiveReport {
        status: attempt.live_status(),
        outputs: outputs.collect(),
        reasons,
        wall_ms: millis(attempt.live_wall),
    }
}

fn published_version(attempt: &Attempt<'_>, task: &str) -> String {
    let plan = &attempt.prepared.plan;
    let publication = plan
        .publications
        .iter()
        .find(|publication| publication.task == task);
    publication.map_or_else(String::new, |publication| {
        version_text(attempt, publication.node)
    })
}

/// The version of a node, or of a node that was put together how it was.
fn version_text(attempt: &Attempt<'_>, id: NodeId) -> String {
    let plan = &attempt.prepared.plan;
    let Work::Assemble { change, old, new } = &plan.node(id).work else {
        return plan.node(id).version().unwrap_or_default().to_owned();
    };
    let version = |id: NodeId| plan.node(id).version().unwrap_or("put together");
    let (old, new) = (version(*old), version(*new));
    let log = attempt.executor.log.borrow();
    let Some(assembly) = log.assemblies.get(change) else {
        return old.to_owned();
    };
    let count = |side| {
        assembly
            .lanes
            .values()
            .filter(|lane| **lane == side)
            .count()
    };
    let (main, other, others) = match assembly.unlisted {
        Side::Old => (old, new, count(Side::New)),
        Side::New => (new, old, count(Side::Old)),
    };
    match others {
        0 => main.to_owned(),
        1 => format!("{main}, {other} for 1 customer"),
        others => format!("{main}, {other} for {others} customers"),
    }
}

/// What one change's verdict is built from.
pub(super) fn change(
    attempt: &Attempt<'_>,
    request: &RunRequest<'_>,
    name: &str,
    verdict: &ChangeVerdict,
) -> ChangeReport {
    let plan = &attempt.prepared.plan;
    let fallbacks = attempt
        .executor
        .log
        .borrow()
        .assemblies
        .get(name)
        .map(|assembly| assembly.fallbacks.clone());
    let own = plan
        .comparisons
        .iter()
        .enumerate()
        .filter(|(_, planned)| planned.change == name);
    ChangeReport {
        verdict: verdict.verdict,
        stages: plan.stages[name].clone(),
        fallbacks: fallbacks.unwrap_or_default(),
        leaks: leaks(attempt, request, name),
        tasks: own
            .map(|(position, planned)| {
                (
                    planned.task.clone(),
                    task(attempt, request, position, planned, verdict),
                )
            })
            .collect(),
        page: Some(typed_path(
            attempt,
            request,
            &attempt.prepared.store.page_file(&plan.run, name),
        )),
    }
}

/// Writes each change's page. Live has what it gets: a page that cannot be written, or even made, costs no more than the
/// page, and is said.
pub(super) fn write_pages(attempt: &Attempt<'_>, report: &mut RunReport) {
    let changes: Vec<String> = report.changes.keys().cloned().collect();
    for change in changes {
        if let Err(why) = write_page(attempt, report, &change) {
            let alert = format!("the page about `{change}` could not be written: {why}");
            attempt.executor.alert(alert.clone());
            report.alerts.push(alert);
            if let Some(change) = report.changes.get_mut(&change) {
                change.page = None;
            }
        }
    }
}

/// Writes the page of one change.
pub(super) fn write_page(
    attempt: &Attempt<'_>,
    report: &RunReport,
    change: &str,
) -> Result<(), String> {
    let Some(found) = report.changes.get(change) else {
        return Ok(());
    };
    let page = catch_unwind(|| html::of_change(report, change, found));
    let page = page.map_err(|_| "a bug in understudy".to_owned())?;
    let path = attempt.prepared.store.page_file(&report.run, change);
    html::write(&path, &page).map_err(|error| error.to_string())
}

fn leaks(attempt: &Attempt<'_>, request: &RunRequest<'_>, change: &str) -> Vec<LeakReport> {
    let log = attempt.executor.log.borrow();
    let planned = attempt.prepared.plan.leaks.iter().enumerate();
    let own = planned.filter(|(_, planned)| planned.change == change);
    let found = own.filter_map(|(position, planned)| {
        let leak = log.leaks.get(&position)?.outcome.as_ref().ok()?.clone()?;
        let differences = attempt.executor.leak_folder(planned).join(DIFF_CSV);
        Some(LeakReport {
            task: planned.task.clone(),
            leak,
            differences: typed_path(attempt, request, &differences),
        })
    });
    found.collect()
}

/// Where nobody can say whether something leaks.
fn leak_notes(attempt: &Attempt<'_>) -> Vec<String> {
    let log = attempt.executor.log.borrow();
    let failed = log.leaks.iter().filter_map(|(position, record)| {
        let failure = record.outcome.as_ref().err()?;
        let planned = &attempt.prepared.plan.leaks[*position];
        Some(format!(
            "`{}`: whether customers who get OLD have other rows of `{}` than without the flip is not known: {failure}",
            planned.change, planned.task
        ))
    });
    failed.collect()
}

fn task(
    attempt: &Attempt<'_>,
    request: &RunRequest<'_>,
    position: usize,
    planned: &PlannedComparison,
    verdict: &ChangeVerdict,
) -> TaskReport {
    let log = attempt.executor.log.borrow();
    let record = log.comparisons.get(&position);
    let comparison = record.and_then(|record| record.outcome.as_ref().ok());
    let stages = &attempt.prepared.plan.stages[&planned.change];
    let assembly = log.assemblies.get(&planned.change);
    let gets = |customer: &Customer| {
        let side = assembly.map_or_else(
            || side_of(stages, customer),
            |assembly| assembly.side(customer),
        );
        (stages.of(customer), side)
    };
    let versions = [planned.old, planned.new].map(|id| version_text(attempt, id));
    let mut report = TaskReport::new(versions, &verdict.tasks[&planned.task], comparison, gets);
    report.notes.extend(side_notes(attempt, planned));
    report.reused = record.is_some_and(|record| record.reused);
    report.usage = usage(&log, planned);
    report.files = comparison.map(|_| TaskFiles {
        folder: typed_path(attempt, request, &attempt.executor.findings_folder(planned)),
        diff: attempt.diff_files(position),
    });
    if let Some(files) = &report.files {
        note_bugs(&mut report.notes, &files.diff.groups);
    }
    report
}

/// What the two sides took, where both of them ran here.
fn usage(log: &RunLog, planned: &PlannedComparison) -> Option<[Usage; 2]> {
    let side = |id: NodeId| {
        let record = log.nodes.get(&id)?;
        let ran = record.outcome.is_ok() && record.usage.wall_ms > 0;
        ran.then_some(record.usage)
    };
    Some([side(planned.old)?, side(planned.new)?])
}

/// What is worth knowing of how the two sides came about.
fn side_notes(attempt: &Attempt<'_>, planned: &PlannedComparison) -> Vec<String> {
    let plan = &attempt.prepared.plan;
    let spec = &attempt.prepared.pipeline.spec;
    let mut notes = Vec::new();
    for side in [Side::Old, Side::New] {
        let id = planned.node(side);
        let node = plan.node(id);
        let Some(version) = node.version() else {
            continue;
        };
        let task = spec.task(&node.task);
        if task.is_some_and(|task| task.versions[version].kind.is_external()) {
            notes.push(format!(
                "{version} is external: what it read is not pinned, only what it left"
            ));
        }
        let made = attempt.executor.result(id);
        let made = made.filter(|_| attempt.executor.log.borrow().output(id).is_some());
        let said = made.map(|made| made.notes).unwrap_or_default();
        notes.extend(said.into_iter().map(|note| format!("{version}: {note}")));
    }
    notes.dedup();
    notes
}

fn side_of(stages: &LaneStages, customer: &Customer) -> Side {
    match stages.of(customer) {
        Stage::Live | Stage::Complete => Side::New,
        Stage::Off | Stage::Shadow => Side::Old,
    }
}

/// A path below the pipeline's folder, as it can be typed where the command was typed.
pub(super) fn typed_path(attempt: &Attempt<'_>, request: &RunRequest<'_>, path: &Path) -> String {
    let folder = &attempt.prepared.pipeline.folder;
    let Ok(below) = path.strip_prefix(folder) else {
        return path.display().to_string();
    };
    let typed = if request.pipeline.is_dir() {
        Some(request.pipeline)
    } else {
        request.pipeline.parent()
    };
    let typed = typed.unwrap_or(Path::new("")).join(below);
    typed
        .strip_prefix("./")
        .unwrap_or(&typed)
        .display()
        .to_string()
}

fn notes(attempt: &Attempt<'_>) -> Vec<String> {
    let unused = attempt
        .prepared
        .pipeline
        .problems
        .iter()
        .filter(|problem| problem.scope == understudy_core::spec::Scope::Unused);
    let unused = match unused.count() {
        0 => None,
        count => Some(format!(
            "{count} problems in versions that nothing uses; `understudy check` lists them"
        )),
    };
    let tables = attempt.prepared.inputs.tables();
    let mut notes: Vec<String> = tables.filter_map(missing_days).collect();
    if attempt.live != LiveEnd::NotAsked {
        let edits = attempt.prepared.live_edits.iter();
        let renamed = edits.filter(|edit| !edit.keeps_its_name());
        notes.extend(renamed.map(LiveEdit::text));
    }
    notes.extend(leak_notes(attempt));
    notes.extend(doubts(
        &attempt.isolation(&attempt.executor.log.borrow(), None),
    ));
    notes.extend(live_notes(attempt));
    notes.extend(unused);
    notes
}

/// What is worth knowing of versions that no comparison reports of.
fn live_notes(attempt: &Attempt<'_>) -> Vec<String> {
    let plan = &attempt.prepared.plan;
    let compared: BTreeSet<NodeId> = plan
        .comparisons
        .iter()
        .flat_map(|planned| [planned.node(Side::Old), planned.node(Side::New)])
        .collect();
    let mut notes = Vec::new();
    for (id, node) in plan.nodes() {
        let is_ours = node.half == Half::Live && !compared.contains(&id);
        let (Some(version), true) = (node.version(), is_ours) else {
            continue;
        };
        let made = attempt.executor.result(id);
        let made = made.filter(|_| attempt.executor.log.borrow().output(id).is_some());
        let said = made.map(|made| made.notes).unwrap_or_default();
        let task = &node.task;
        notes.extend(
            said.iter()
                .map(|note| format!("`{task}` {version}: {note}")),
        );
    }
    notes
}

/// What of a window is not there although earlier days are: a gap, and no beginning.
fn missing_days(table: &DatasetSnapshot) -> Option<String> {
    let (first, more) = table.missing_days.split_first()?;
    let days = match more {
        [] => format!("`{first}` is not there, and was left out"),
        [second] => format!("`{first}` and `{second}` are not there, and were left out"),
        more => format!(
            "`{first}` and {} more days are not there, and were left out",
            more.len()
        ),
    };
    Some(format!("the window of `{}` has a gap: {days}", table.name))
}

fn reuse(attempt: &Attempt<'_>) -> ReuseReport {
    let log = attempt.executor.log.borrow();
    let nodes = log.nodes.values().map(|record| record.reused);
    let all: Vec<bool> = nodes
        .chain(log.comparisons.values().map(|record| record.reused))
        .chain(log.leaks.values().map(|record| record.reused))
        .collect();
    let reused = all.iter().filter(|reused| **reused).count();
    ReuseReport {
        reused: reused as u64,
        needed: all.len() as u64,
    }
}

/// The command to type next.
fn next(
    attempt: &Attempt<'_>,
    verdicts: &BTreeMap<String, ChangeVerdict>,
    request: &RunRequest<'_>,
) -> Option<String> {
    let pipeline = request.pipeline.display();
    let here = if request.pipeline == Path::new(".") {
        String::new()
    } else {
        format!(" {}", shell_word(&pipeline.to_string()))
    };
    if attempt.prepared.repair.is_some() {
        return None;
    }
    let date = attempt.prepared.plan.date;
    if attempt.executor.crew.is_interrupted() {
        return Some(format!("understudy run --date {date}{here}"));
    }
    if matches!(attempt.live, LiveEnd::Failed(_)) {
        return Some(format!("understudy run --date {date}{here}"));
    }
    if request.halves == super::Halves::Live {
        return Some(format!("understudy run --shadow --date {date}{here}"));
    }
    if !attempt.prepared.pipeline.spec.suspended.is_empty() {
        return Some(format!("understudy check{here}"));
    }
    let tasks = verdicts.values().flat_map(|change| &change.tasks);
    let (task, verdict) = tasks.rev().max_by_key(|(_, task)| task.verdict)?;
    (verdict.verdict >= Verdict::Inconclusive)
        .then(|| format!("understudy report --task {}{here}", shell_word(task)))
}

/// A word as a shell takes it for one.
fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
