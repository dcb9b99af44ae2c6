//! `run`: live, then shadow.

use std::path::Path;

use understudy_core::run::FailureKind;
use understudy_core::run_date::RunDate;
use understudy_core::verdict::Verdict;
use understudy_runtime::error::RunError;
use understudy_runtime::events::Silent;
use understudy_runtime::execute::{Resources, Reuse};
use understudy_runtime::prepare::Asked;
use understudy_runtime::report::model::RunReport;
use understudy_runtime::report::terminal::{Detail, backfill};
use understudy_runtime::report::visible::visible;
use understudy_runtime::run::backfill::{BackfillEnd, DateEnd, DateReport, backfill as run_dates};
use understudy_runtime::run::{Halves, RunEnd, RunRequest, run as run_pipeline};
use understudy_runtime::worker::Crew;
use understudy_runtime::{notify, pipeline};

use super::{plan, usage, with_crew};
use crate::Program;
use crate::args::{PlanArguments, RunArguments};
use crate::audience::audience;
use crate::exit::{Exit, fail, kind_of};
use crate::output::{print, print_json, show, tell, view};

/// The most steps that run at the same time unless somebody asks for more.
const MOST_PARALLEL: usize = 4;
/// What one step may plan with unless its limits say less: a quarter of the machine, within these bounds.
const STEP_MEMORY_BYTES: std::ops::RangeInclusive<u64> = (512 << 20)..=(4 << 30);

pub(crate) fn run(program: &Program, arguments: &RunArguments) -> Exit {
    if let Some(message) = arguments.files.conflict(arguments.json) {
        return usage(message);
    }
    if arguments.dry_run {
        let RunArguments {
            date,
            from,
            slice,
            json,
            pipeline,
            ..
        } = arguments;
        return plan::plan(
            program,
            &PlanArguments {
                date: date.or(*from),
                slice: slice.clone(),
                json: *json,
                pipeline: pipeline.clone(),
            },
        );
    }
    with_crew(program, async |crew| do_run(arguments, &crew).await)
}

async fn do_run(arguments: &RunArguments, crew: &Crew) -> Result<Exit, RunError> {
    let request = RunRequest {
        pipeline: &arguments.pipeline.pipeline,
        asked: Asked {
            date: arguments.date,
            slice: arguments.slice.as_deref(),
        },
        halves: halves(arguments),
        reuse: if arguments.fresh {
            Reuse::Nothing
        } else {
            Reuse::Complete
        },
        resources: resources(arguments.parallel),
    };
    if let (Some(from), Some(to)) = (arguments.from, arguments.to) {
        return several(arguments, &request, [from, to], crew).await;
    }
    let audience = audience();
    let end = run_pipeline(&request, crew, audience.as_ref()).await?;
    let shown = show(
        &end.report,
        &arguments.files,
        arguments.json,
        Detail::Summary,
    );
    let told = tell_others(request.pipeline, request.halves, &[&end.report], crew).await;
    // What a scheduler hears is whether live is published, not whether a report is written.
    if let Err(error) = shown {
        fail(&error);
    }
    if end.interrupted {
        tell!("interrupted: nothing half was published, and what is complete is kept");
        tell!("hint: the same command goes on where this one stopped");
    }
    Ok(if told {
        exit(&end, arguments.strict)
    } else {
        Exit::Interrupted
    })
}

/// A run a date. What each step of it does goes to the run's own files; here a line a date is enough.
async fn several(
    arguments: &RunArguments,
    request: &RunRequest<'_>,
    dates: [RunDate; 2],
    crew: &Crew,
) -> Result<Exit, RunError> {
    let ink = view(Detail::Summary).ink;
    let mut each = |date: &DateReport| {
        if !arguments.json {
            print(backfill::line(date, ink).trim_end());
        }
    };
    let end = run_dates(request, dates, crew, &Silent, &mut each).await?;
    if arguments.json {
        print_json(&end.report);
    } else {
        print(&backfill::sum(&end.report, ink));
    }
    let reports = end
        .report
        .dates
        .iter()
        .filter_map(|date| date.report.as_ref());
    let reports: Vec<&RunReport> = reports.collect();
    let told = tell_others(request.pipeline, request.halves, &reports, crew).await;
    Ok(if told {
        exit_of_several(&end, arguments.strict)
    } else {
        Exit::Interrupted
    })
}

/// Whoever wants to know is told last, within a bound; whatever goes wrong with it is a note. Gives whether nobody
/// interrupted it.
pub(super) async fn tell_others(
    pipeline: &Path,
    halves: Halves,
    reports: &[&RunReport],
    crew: &Crew,
) -> bool {
    let Ok(pipeline) = pipeline::load(pipeline) else {
        return true;
    };
    let deadline = match halves {
        Halves::Live => notify::LIVE_DEADLINE,
        Halves::Both | Halves::Shadow => notify::DEADLINE,
    };
    let was_interrupted = crew.is_interrupted();
    tokio::select! {
        failed = notify::tell(&pipeline, reports, deadline) => {
            for failed in failed {
                tell!("note: {}", visible(&failed));
            }
            true
        }
        () = crew.interruption(), if !was_interrupted => {
            tell!("interrupted: not everybody was told; the run itself is complete");
            false
        }
    }
}

fn exit_of_several(end: &BackfillEnd, strict: bool) -> Exit {
    let failed = end.failed.iter().map(|date| match date {
        DateEnd::Ran(end) => exit(end, strict),
        DateEnd::Failed(error) => kind_of(error),
        DateEnd::Published => Exit::Good,
    });
    // Among those that stop live, a greater code is a graver one.
    if let Some(worst) = failed.max_by_key(|exit| *exit as u8) {
        return worst;
    }
    let verdicts = end.report.dates.iter().filter_map(|date| date.verdict);
    of_verdict(verdicts.max(), strict)
}

fn halves(arguments: &RunArguments) -> Halves {
    match (arguments.live, arguments.shadow) {
        (true, _) => Halves::Live,
        (_, true) => Halves::Shadow,
        _ => Halves::Both,
    }
}

/// What one verb works with.
pub(super) fn resources(parallel: Option<u16>) -> Resources {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let parallel = parallel.map_or(cores.min(MOST_PARALLEL), usize::from);
    let memory = machine_memory_bytes().unwrap_or(8 << 30) / 4;
    Resources {
        parallel,
        threads: cores,
        memory_bytes: memory.clamp(*STEP_MEMORY_BYTES.start(), *STEP_MEMORY_BYTES.end()),
    }
}

fn machine_memory_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// `run` stands on somebody's live path: without `--strict` the shadow never decides how it exits.
fn exit(end: &RunEnd, strict: bool) -> Exit {
    if end.interrupted {
        return Exit::Interrupted;
    }
    if let Some(failure) = &end.live_failure {
        return if matches!(failure.kind, FailureKind::Machine | FailureKind::Waiting) {
            Exit::Machine
        } else {
            Exit::LiveFailed
        };
    }
    of_verdict(end.verdict, strict)
}

fn of_verdict(verdict: Option<Verdict>, strict: bool) -> Exit {
    match verdict {
        Some(Verdict::Unexpected) if strict => Exit::Unexpected,
        Some(Verdict::Inconclusive) if strict => Exit::Inconclusive,
        _ => Exit::Good,
    }
}
