//! `review`: differences out to people, and their answers back.

use serde_json::json;
use understudy_core::gate::Decision as GateDecision;
use understudy_runtime::report::visible::{visible, visible_lines};
use understudy_runtime::review::{
    FileKind, OutRequest, Outcome, ReviewError, TakeRequest, Taken, TakenAnswer, review_in,
    review_out, until,
};
use understudy_runtime::rollout::{Evidence, situation};

use super::gate;
use super::moves::failed;
use super::rejudge::judge_again;
use crate::Program;
use crate::args::{ReviewArguments, ReviewInArguments, ReviewOutArguments, ReviewVerb};
use crate::exit::{Exit, fail};
use crate::output::{print, print_json, tell};

/// How many wrong lines are shown; with `--json` come all.
const SHOWN_FAULTS: usize = 50;
/// How many lines are named whose notes were left.
const SHOWN_LINES: usize = 10;

pub(crate) fn review(program: &Program, arguments: &ReviewArguments) -> Exit {
    match &arguments.verb {
        ReviewVerb::Out(arguments) => {
            out(arguments).unwrap_or_else(|error| wrong(&error, arguments.json))
        }
        ReviewVerb::In(arguments) => {
            take(program, arguments).unwrap_or_else(|error| wrong(&error, arguments.json))
        }
    }
}

fn out(arguments: &ReviewOutArguments) -> Result<Exit, ReviewError> {
    let outcome = review_out(&OutRequest {
        pipeline: &arguments.pipeline.pipeline,
        run: arguments.run.as_deref(),
        change: arguments.change.as_deref(),
        folder: &arguments.out,
        kind: if arguments.xlsx {
            FileKind::Xlsx
        } else {
            FileKind::Csv
        },
        until: until(Some(&arguments.until))?,
        dry_run: arguments.dry_run,
    })?;
    if arguments.json {
        print_json(&outcome);
    } else {
        print(&out_text(&outcome));
    }
    Ok(Exit::Good)
}

fn out_text(outcome: &Outcome) -> String {
    if outcome.files.is_empty() {
        let (run, date) = (&outcome.run, outcome.date);
        return format!(
            "run {run} of {date} has no unexpected differences: there is nothing to review"
        );
    }
    let mut lines = Vec::new();
    for file in &outcome.files {
        let path = file.path.display().to_string();
        let path = visible(&path);
        let would = if outcome.done { "" } else { "would write " };
        let questions = match file.groups {
            1 => "1 question".to_owned(),
            groups => format!("{groups} questions"),
        };
        let differences = match file.differences {
            1 => "1 difference".to_owned(),
            differences => format!("{differences} differences"),
        };
        lines.push(format!("{would}{path}  {questions}, {differences}"));
    }
    if let (true, Some(file)) = (outcome.done, outcome.files.first()) {
        let path = file.path.display().to_string();
        lines.push(format!(
            "Write fine, bug or unsure into the column `decision`. Then: understudy review in {} --reviewer NAME",
            visible(&path)
        ));
    }
    lines.join("\n")
}

fn take(program: &Program, arguments: &ReviewInArguments) -> Result<Exit, ReviewError> {
    let pipeline = &arguments.pipeline.pipeline;
    let said = arguments.until.as_deref();
    let taken = review_in(&TakeRequest {
        pipeline,
        file: &arguments.file,
        reviewer: &arguments.reviewer,
        until: said.map(|said| until(Some(said))).transpose()?,
        run: arguments.run.as_deref(),
        change: arguments.change.as_deref(),
        dry_run: arguments.dry_run,
    })?;
    for alert in &taken.alerts {
        tell!("ALERT: {}", visible(alert));
    }
    if !arguments.dry_run {
        judge_again(program, pipeline, &taken.change);
    }
    // What was taken stands, whatever the gate can say of it.
    let decision = match situation(pipeline, &taken.change, Evidence::Index) {
        Ok(situation) => situation.gate(None, None),
        Err(error) => {
            if !arguments.json {
                print(&taken_text(&taken, arguments.dry_run));
            }
            return Ok(failed(&error));
        }
    };
    show(&taken, &decision, arguments);
    Ok(Exit::Good)
}

fn show(taken: &Taken, decision: &GateDecision, arguments: &ReviewInArguments) {
    if arguments.json {
        let mut value = json!(taken);
        value["gate"] = json!(decision);
        print_json(&value);
        return;
    }
    print(&taken_text(taken, arguments.dry_run));
    print(&gate::text(&taken.change, decision));
}

fn taken_text(taken: &Taken, is_dry_run: bool) -> String {
    let mut lines: Vec<String> = taken.answers.iter().flat_map(answer_lines).collect();
    let count = taken.answers.len();
    let new = taken.answers.iter().filter(|answer| !answer.known).count();
    let answers = |count: usize| match count {
        1 => "1 answer".to_owned(),
        count => format!("{count} answers"),
    };
    let (change, run) = (visible(&taken.change), &taken.run);
    let of = format!("to run {run} of {change}, by {}", visible(&taken.reviewer));
    lines.insert(
        0,
        match (count, new, is_dry_run) {
            (0, ..) => format!("no answer {of}: every line is undecided"),
            (_, 0, _) => format!("{} {of}: all of them were known", answers(count)),
            (_, new, true) => format!("would take {} {of}", answers(new)),
            (_, new, false) => format!("took {} {of}", answers(new)),
        },
    );
    match taken.undecided {
        0 => {}
        1 => lines.push("  1 question is undecided".to_owned()),
        undecided => lines.push(format!("  {undecided} questions are undecided")),
    }
    if !taken.notes_without_decision.is_empty() {
        let left = taken.notes_without_decision.iter();
        let shown: Vec<String> = left.take(SHOWN_LINES).map(u64::to_string).collect();
        lines.push(format!(
            "  notes without a decision were left: line {}{}",
            shown.join(", "),
            if taken.notes_without_decision.len() > SHOWN_LINES {
                " and more"
            } else {
                ""
            }
        ));
    }
    lines.join("\n")
}

fn answer_lines(answer: &TakenAnswer) -> Vec<String> {
    let what = visible(&answer.what);
    let place = match &answer.column {
        Some(column) => format!("{} {}", visible(&answer.task), visible(column)),
        None => visible(&answer.task).into_owned(),
    };
    let known = if answer.known { " (known)" } else { "" };
    let mut lines = vec![format!(
        "  {:<6}  {place}: {what}{known}",
        answer.decision.name()
    )];
    if let Some(allows) = &answer.allows {
        lines.push(format!("          {}", visible(allows)));
    }
    if let Some(note) = &answer.note {
        lines.push(format!("          note: {}", visible(note)));
    }
    lines
}

/// Says what is wrong, with all lines of a file that are.
fn wrong(error: &ReviewError, as_json: bool) -> Exit {
    match error {
        ReviewError::Run(error) => return fail(error),
        ReviewError::Answers { faults, hint, .. } => {
            if as_json {
                print_json(&json!({ "version": 1, "done": false, "faults": faults }));
            }
            let mut lines = vec![format!("error: {error}")];
            let shown = faults.iter().take(SHOWN_FAULTS);
            lines.extend(
                shown.map(|fault| format!("  line {}: {}", fault.line, visible(&fault.what))),
            );
            if faults.len() > SHOWN_FAULTS {
                lines.push(format!("  and {} more", faults.len() - SHOWN_FAULTS));
            }
            lines.extend(hint.iter().map(|hint| format!("hint: {}", visible(hint))));
            tell!("{}", visible_lines(&lines.join("\n")));
        }
        ReviewError::Ledger(_) | ReviewError::Report(_) => {
            tell!("{}", visible_lines(&format!("error: {error}")));
            return Exit::Machine;
        }
        ReviewError::Usage(_) | ReviewError::File { .. } => {
            tell!("{}", visible_lines(&format!("error: {error}")));
        }
    }
    Exit::Usage
}
