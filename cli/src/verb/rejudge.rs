//! Judging stored runs again: before the gate is asked, where the rules are others than they were judged by, and when
//! somebody wants to see what rules would say.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;
use understudy_core::rule::Rule;
use understudy_core::spec::Change;
use understudy_core::spec::nearest::hint;
use understudy_core::verdict::Verdict;
use understudy_runtime::pipeline;
use understudy_runtime::report::visible::visible;
use understudy_runtime::run::rejudge::{Judged, JudgedAgain, Rejudged, rejudge, try_rules};
use understudy_runtime::worker::Crew;

use super::diff::rules_of_file;
use super::run::resources;
use super::{usage, with_crew};
use crate::Program;
use crate::args::ReportArguments;
use crate::exit::Exit;
use crate::output::{print, print_json, tell};

/// The format of `report --rejudge --json`.
const FORMAT: u32 = 1;
/// The digits of a run's id that people see.
const SHOWN_DIGITS: usize = 12;

#[derive(Serialize)]
struct Printed<'a> {
    version: u32,
    /// Whether this was only a trial, of which nothing was written.
    trial: bool,
    changes: BTreeMap<&'a str, &'a Rejudged>,
}

/// Judges stored runs again and says which verdicts turn. The exit code is that of the worst verdict there is now.
pub(super) fn judge_again_and_tell(program: &Program, arguments: &ReportArguments) -> Exit {
    let path = &arguments.pipeline.pipeline;
    let changes = match pipeline::load(path) {
        Ok(pipeline) => pipeline.spec.changes,
        Err(error) => return crate::exit::fail(&error.into()),
    };
    let names: Vec<&str> = changes.keys().map(String::as_str).collect();
    if let Some(change) = &arguments.change
        && !changes.contains_key(change)
    {
        let hint = hint(change, &names, "changes");
        return usage(&format!("there is no change `{change}`\nhint: {hint}"));
    }
    let asked = |change: &&Change| {
        arguments
            .change
            .as_ref()
            .is_none_or(|name| *name == change.name)
    };
    let asked: Vec<&Change> = changes.values().filter(asked).collect();
    let trial = match &arguments.rules {
        None => None,
        Some(file) => match of_task(arguments.task.as_deref(), &asked) {
            Ok((change, task)) => match rules_of_file(file) {
                Ok(rules) => Some((change, task, rules)),
                Err(error) => return usage(&error),
            },
            Err(error) => return usage(&error),
        },
    };
    with_crew(program, async |crew| {
        let mut ends = BTreeMap::new();
        match &trial {
            Some((change, task, rules)) => {
                let end = tried(path, change, (task, rules), &crew).await?;
                ends.insert(change.name.as_str(), end);
            }
            None => {
                for change in &asked {
                    let end = rejudge(path, &change.name, resources(None), &crew).await?;
                    ends.insert(change.name.as_str(), end);
                }
            }
        }
        show(&ends, trial.is_some(), arguments.json);
        Ok(exit(&ends))
    })
}

async fn tried(
    path: &Path,
    change: &Change,
    rules: (&str, &[Rule]),
    crew: &Crew,
) -> Result<Rejudged, understudy_runtime::error::RunError> {
    try_rules(path, &change.name, rules, resources(None), crew).await
}

/// The change and the task that a file of rules is for.
fn of_task<'a>(task: Option<&str>, changes: &[&'a Change]) -> Result<(&'a Change, String), String> {
    let compared = changes.iter().flat_map(|change| {
        let tasks = change.new.keys().chain(&change.downstream);
        tasks.map(move |task| (*change, task.clone()))
    });
    let compared: Vec<(&Change, String)> = compared.collect();
    let names: Vec<&str> = compared.iter().map(|(_, task)| task.as_str()).collect();
    let of_name = |name: &str| {
        let mut own = compared.iter().filter(|(_, task)| task == name);
        match (own.next(), own.next()) {
            (Some(found), None) => Ok(found.clone()),
            (None, _) => Err(format!(
                "no change compares a task `{name}`\nhint: {}",
                hint(name, &names, "compared tasks")
            )),
            (Some(_), Some(_)) => Err(format!(
                "more than one change compares `{name}`\nhint: name one with --change"
            )),
        }
    };
    match (task, compared.as_slice()) {
        (Some(name), _) => of_name(name),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(format!(
            "rules are for one task\nhint: name it with --task; compared are: {}",
            names.join(", ")
        )),
    }
}

fn show(ends: &BTreeMap<&str, Rejudged>, trial: bool, as_json: bool) {
    if as_json {
        let changes = ends.iter().map(|(change, end)| (*change, end)).collect();
        return print_json(&Printed {
            version: FORMAT,
            trial,
            changes,
        });
    }
    let mut text = String::new();
    for (change, end) in ends {
        push_change(&mut text, change, end, trial);
    }
    print(&text);
}

fn push_change(text: &mut String, change: &str, end: &Rejudged, trial: bool) {
    let turned = end.runs.iter().filter(|run| run.turned()).count();
    let runs = match end.runs.len() {
        1 => "1 run".to_owned(),
        runs => format!("{runs} runs"),
    };
    let (judged, turn) = if trial {
        ("tried on", "would turn")
    } else {
        ("judged again:", "turned")
    };
    let verdicts = match turned {
        0 => "no verdict".to_owned(),
        1 => "1 verdict".to_owned(),
        turned => format!("{turned} verdicts"),
    };
    let _ = writeln!(
        text,
        "{}: {judged} {runs}, {verdicts} {turn}",
        visible(change)
    );
    for run in &end.runs {
        let _ = writeln!(text, "  {}", line(run));
    }
    if end.unchanged > 0 {
        let _ = writeln!(
            text,
            "  {} judged by these very rules before",
            match end.unchanged {
                1 => "1 run was".to_owned(),
                runs => format!("{runs} runs were"),
            }
        );
    }
    if let Some(reason) = &end.stopped {
        let _ = writeln!(
            text,
            "  NOT JUDGED AGAIN: {}, and none before it",
            visible(reason)
        );
    }
    if trial {
        let _ = writeln!(text, "  nothing was written");
    }
}

fn line(run: &JudgedAgain) -> String {
    let id: String = run.run.chars().take(SHOWN_DIGITS).collect();
    let before = run.before.map_or("unknown".to_owned(), words);
    let mark = if run.turned() { "turns" } else { "stays" };
    format!(
        "{}  {id}  {mark}  {before} -> {}",
        run.date,
        words(run.after)
    )
}

fn words(judged: Judged) -> String {
    match judged.verdict {
        Verdict::Unexpected if judged.unexpected > 0 => {
            format!("unexpected ({} rows)", judged.unexpected)
        }
        Verdict::Expected if judged.expected > 0 => {
            format!("expected ({} rows)", judged.expected)
        }
        verdict => verdict.name().to_owned(),
    }
}

fn exit(ends: &BTreeMap<&str, Rejudged>) -> Exit {
    let runs = ends.values().flat_map(|end| &end.runs);
    let worst = runs.map(|run| run.after.verdict).max();
    let is_whole = ends.values().all(|end| end.stopped.is_none());
    match worst {
        Some(Verdict::Unexpected) => Exit::Unexpected,
        Some(Verdict::Inconclusive) => Exit::Inconclusive,
        _ if !is_whole => Exit::Inconclusive,
        _ => Exit::Good,
    }
}

/// Does so, and tells of it. What keeps it from being done is said by whoever asks the gate next.
pub(super) fn judge_again(program: &Program, pipeline: &Path, change: &str) {
    with_crew(program, async |crew| {
        let end = rejudge(pipeline, change, resources(None), &crew).await;
        let Ok(end) = end else {
            return Ok(Exit::Good);
        };
        match end.runs.len() {
            0 => {}
            1 => tell!("the rules are others: 1 stored run was judged again"),
            runs => tell!("the rules are others: {runs} stored runs were judged again"),
        }
        if let Some(reason) = end.stopped {
            tell!("not judged again, and so no evidence: {}", visible(&reason));
        }
        Ok(Exit::Good)
    });
}
