//! The verbs that move lanes.

use std::collections::BTreeSet;

use serde_json::json;
use understudy_core::customer::Customer;
use understudy_core::ledger::KnownBy;
use understudy_core::rollout::lane::LaneEvent;
use understudy_runtime::report::visible::visible;
use understudy_runtime::rollout::{
    Actor, Lanes, MoveRequest, Moved, RolloutError, approve as approve_of, move_lanes,
};
use understudy_runtime::small_file::{MAX_TEXT_BYTES, read_small};

use super::rejudge::judge_again;
use super::{gate, usage};
use crate::Program;
use crate::args::{BackArguments, FlipArguments, LaneArguments, MoveArguments, WhoArguments};
use crate::exit::{Exit, fail};
use crate::output::{print, print_json, tell};

/// The variables that CI services tell the person in who started it.
const CI_VARIABLES: [&str; 6] = [
    "GITHUB_ACTOR",
    "GITLAB_USER_LOGIN",
    "BUILDKITE_BUILD_CREATOR",
    "CIRCLE_USERNAME",
    "BITBUCKET_STEP_TRIGGERER_UUID",
    "BUILD_USER_ID",
];

/// How many lanes are named one by one.
const SHOWN_LANES: usize = 12;

pub(crate) fn towards_new(program: &Program, event: LaneEvent, arguments: &FlipArguments) -> Exit {
    // Completing is for all or for nobody.
    let lanes = match event {
        LaneEvent::Complete if !is_named(&arguments.lanes) && !arguments.next => Ok(Lanes::All),
        _ if arguments.next => Ok(Lanes::Next),
        _ => lanes(&arguments.lanes),
    };
    let mut request = match lanes {
        Ok(lanes) => request(event, lanes, &arguments.of),
        Err(message) => return usage(&message),
    };
    request.overrides = arguments.overrides;
    if !request.dry_run {
        judge_again(program, &request.pipeline, &request.change);
    }
    make(&request, arguments.of.json)
}

pub(crate) fn towards_old(event: LaneEvent, arguments: &BackArguments) -> Exit {
    let mut request = match lanes(&arguments.lanes) {
        Ok(lanes) => request(event, lanes, &arguments.of),
        Err(message) => return usage(&message),
    };
    request.store.clone_from(&arguments.store);
    make(&request, arguments.of.json)
}

pub(crate) fn approve(arguments: &MoveArguments) -> Exit {
    let request = request(LaneEvent::Flip, Lanes::All, arguments);
    let decision = match approve_of(&request) {
        Ok(decision) => decision,
        Err(error) => return failed(&error),
    };
    if arguments.json {
        print_json(&json!({
            "version": 1,
            "change": arguments.change,
            "done": !arguments.dry_run,
            "by": request.actor,
            "evidence": decision.evidence,
        }));
    } else {
        let done = if arguments.dry_run {
            "would approve"
        } else {
            "approved"
        };
        print(&format!(
            "{}: {} {done} of evidence {}, which another run makes another one",
            visible(&arguments.change),
            visible(&request.actor.name),
            decision.evidence.short()
        ));
    }
    Exit::Good
}

fn make(request: &MoveRequest, as_json: bool) -> Exit {
    let moved = match move_lanes(request) {
        Ok(moved) => moved,
        Err(error) => return failed(&error),
    };
    for alert in &moved.alerts {
        tell!("ALERT: {}", visible(alert));
    }
    if as_json {
        print_json(&moved);
    } else {
        print(&text(request, &moved));
    }
    match moved.stopped_by_gate() {
        Some(standing) => gate::exit_of(standing),
        None if moved.done || request.dry_run => Exit::Good,
        None => Exit::Unexpected,
    }
}

fn text(request: &MoveRequest, moved: &Moved) -> String {
    let change = visible(&moved.change);
    let mut lines = Vec::new();
    if let (Some(decision), Some(_)) = (&moved.gate, moved.stopped_by_gate()) {
        lines.push(gate::text(&moved.change, decision));
    }
    let would = if moved.done { "" } else { "would be " };
    let who = who_moves(moved);
    if moved.done || request.dry_run {
        lines.push(format!("{change}: {who} {would}{}", outcome(request.event)));
    } else {
        lines.push(format!("{change}: nothing was moved"));
    }
    for (lane, reason) in moved.refused.iter().take(SHOWN_LANES) {
        lines.push(format!("  not {}: {reason}", visible(&lane.label())));
    }
    if moved.refused.len() > SHOWN_LANES {
        lines.push(format!("  and {} more", moved.refused.len() - SHOWN_LANES));
    }
    if let Some(flag) = &moved.flag {
        let seen = if flag.confirmed {
            ""
        } else {
            ", not seen by readers yet"
        };
        lines.push(format!(
            "{} has it: flag {}, version {}{seen}.",
            flag.provider,
            visible(&flag.flag),
            flag.version
        ));
    }
    if moved.done && matches!(request.event, LaneEvent::Flip) {
        lines.push("The next run publishes it.".to_owned());
    }
    if moved.done && matches!(request.event, LaneEvent::Rollback | LaneEvent::Withdraw) {
        lines.push(
            format!("The next run, or one that is going on, publishes the old rows. For what was published before: understudy repair {change}"),
        );
    }
    if moved.done && matches!(request.event, LaneEvent::Complete) {
        lines.push("Now edit the pipeline file:".to_owned());
        for (task, version) in &moved.live {
            let (task, version) = (visible(task), visible(version));
            lines.push(format!("  under `tasks`, in `{task}`:  live: {version}"));
        }
        lines.push(format!("  under `changes`:  take out `{change}`"));
    }
    lines.join("\n")
}

fn who_moves(moved: &Moved) -> String {
    let wave = moved.wave.map(|number| format!("wave {number}"));
    if moved.all {
        let wave = wave.map(|wave| format!("{wave}, ")).unwrap_or_default();
        return format!("{wave}every lane that can");
    }
    let wave = wave.map(|wave| format!("{wave}: ")).unwrap_or_default();
    let names: Vec<String> = moved
        .lanes
        .iter()
        .take(SHOWN_LANES)
        .map(|lane| visible(&lane.label()).into_owned())
        .collect();
    match moved.lanes.len() {
        0 => "nobody".to_owned(),
        count if count > SHOWN_LANES => {
            format!(
                "{wave}{} and {} more",
                names.join(", "),
                count - SHOWN_LANES
            )
        }
        _ => format!("{wave}{}", names.join(", ")),
    }
}

fn outcome(event: LaneEvent) -> &'static str {
    match event {
        LaneEvent::Flip => "flipped to NEW",
        LaneEvent::Complete => "completed",
        LaneEvent::Hold => "held",
        LaneEvent::Release => "released",
        LaneEvent::Withdraw => "withdrawn",
        _ => "moved back to OLD",
    }
}

fn request(event: LaneEvent, lanes: Lanes, of: &MoveArguments) -> MoveRequest {
    MoveRequest {
        pipeline: of.pipeline.pipeline.clone(),
        store: None,
        change: of.change.clone(),
        event,
        lanes,
        actor: actor(&of.who),
        reason: of.who.reason.clone(),
        overrides: false,
        dry_run: of.dry_run,
    }
}

fn is_named(arguments: &LaneArguments) -> bool {
    !arguments.customers.is_empty() || arguments.file.is_some() || arguments.all
}

fn lanes(arguments: &LaneArguments) -> Result<Lanes, String> {
    if arguments.all {
        return Ok(Lanes::All);
    }
    let names: Vec<String> = match &arguments.file {
        Some(file) => {
            let text = read_small(file, MAX_TEXT_BYTES).map_err(|error| {
                format!(
                    "`{}` cannot be read: {error}\nhint: {}",
                    file.display(),
                    error.fix()
                )
            })?;
            let lines = text.lines().map(str::trim);
            lines
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect()
        }
        None => arguments.customers.clone(),
    };
    let named: BTreeSet<Customer> = names
        .iter()
        .filter(|name| !name.is_empty())
        .map(|name| Customer::Named(name.clone()))
        .collect();
    if named.is_empty() {
        return Err(
            "say who: --customers a,b, --file FILE or --all (flip has --next as well)".to_owned(),
        );
    }
    Ok(Lanes::Named(named))
}

/// Who does it: as said, as CI says, or the system's user.
pub(super) fn actor(arguments: &WhoArguments) -> Actor {
    if let Some(name) = &arguments.who {
        return Actor {
            name: name.clone(),
            known_by: KnownBy::Said,
        };
    }
    let in_ci = std::env::var_os("CI").is_some();
    let named = CI_VARIABLES
        .iter()
        .filter_map(|variable| std::env::var(variable).ok())
        .find(|name| in_ci && !name.is_empty());
    if let Some(name) = named {
        return Actor {
            name,
            known_by: KnownBy::Ci,
        };
    }
    Actor {
        name: understudy_runtime::rollout::system_user(),
        known_by: KnownBy::SystemUser,
    }
}

/// Prints why nothing was moved, and gives the exit code.
pub(super) fn failed(error: &RolloutError) -> Exit {
    let text = match error {
        RolloutError::Run(error) => return fail(error),
        RolloutError::NoChange(message) | RolloutError::Lanes(message) => {
            return usage(&visible(message));
        }
        // Somebody has to say yes first, as with a gate.
        RolloutError::Flags(error) if error.waits_for_approval() => {
            tell!("not moved: {}", visible(&error.to_string()));
            return Exit::Unexpected;
        }
        error => {
            let mut text = format!("error: {error}");
            let mut source = std::error::Error::source(error);
            while let Some(cause) = source {
                let cause_text = cause.to_string();
                if !text.contains(&cause_text) {
                    text.push_str(&format!("\n  because: {cause_text}"));
                }
                source = cause.source();
            }
            text
        }
    };
    tell!(
        "{}",
        understudy_runtime::report::visible::visible_lines(&text)
    );
    Exit::Machine
}
