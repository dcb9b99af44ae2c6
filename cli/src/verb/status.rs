//! `status`: the screen that a team keeps open, and that who is called at night opens first.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike as _};
use understudy_core::customer::Customer;
use understudy_core::gate::Standing;
use understudy_core::run_date::RunDate;
use understudy_core::stage::Stage;
use understudy_core::verdict::Verdict;
use understudy_runtime::flags::Freshness;
use understudy_runtime::repair::PublishedWithNew;
use understudy_runtime::report::visible::visible;
use understudy_runtime::rollout::status::{
    ChangeStatus, FlagStatus, LaneStatus, Status, status as look,
};

use super::gate::waits;
use super::moves::failed;
use crate::args::StatusArguments;
use crate::exit::Exit;
use crate::output::{print, print_json};

/// How many dates are named one by one.
const SHOWN_DATES: usize = 5;
/// How many lanes have a line of their own; others are counted.
const SHOWN_LANES: usize = 20;
/// How many groups of the others have one.
const SHOWN_GROUPS: usize = 12;

pub(crate) fn status(arguments: &StatusArguments) -> Exit {
    let (change, pipeline) = names(arguments);
    let found = match look(&pipeline, change.as_deref()) {
        Ok(found) => found,
        Err(error) => return failed(&error),
    };
    let lane = arguments.customer.as_ref();
    let lane = lane.map(|name| Customer::Named(name.clone()));
    if arguments.json {
        print_json(&found);
    } else {
        print(&text(&found, lane.as_ref(), change.is_some()));
    }
    Exit::Good
}

/// `status` may be given a change, a pipeline or both: what is one alone is a pipeline if there is one of that name.
fn names(arguments: &StatusArguments) -> (Option<String>, PathBuf) {
    let here = || PathBuf::from(".");
    match (&arguments.change, &arguments.pipeline) {
        (Some(one), None) if Path::new(one).exists() => (None, PathBuf::from(one)),
        (change, pipeline) => (change.clone(), pipeline.clone().unwrap_or_else(here)),
    }
}

fn text(status: &Status, lane: Option<&Customer>, is_one: bool) -> String {
    let mut lines = Vec::new();
    for (name, change) in &status.changes {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        of_change(&mut lines, name, change, lane, is_one);
    }
    for name in &status.suspended {
        lines.push(format!(
            "{}: SUSPENDED, it cannot run as the pipeline file has it; `understudy check` says why",
            visible(name)
        ));
    }
    if lines.is_empty() {
        lines.push("the pipeline has no changes".to_owned());
    }
    let owner = status
        .owner
        .as_ref()
        .map(|owner| format!("owner    {}", visible(owner)));
    let runbook = status
        .runbook
        .as_ref()
        .map(|page| format!("runbook  {}", visible(page)));
    let flags = of_flags(&status.flags);
    let foot: Vec<String> = flags.into_iter().chain(owner).chain(runbook).collect();
    if !foot.is_empty() {
        lines.push(String::new());
        lines.extend(foot);
    }
    lines.join("\n")
}

/// A flag file that can be read is nothing to speak of.
fn of_flags(flags: &FlagStatus) -> Option<String> {
    let provider = flags.provider;
    match &flags.freshness {
        Freshness::Fresh if provider == "the flag file" => None,
        Freshness::Fresh => Some(format!("flags    {provider}, fresh")),
        other => Some(format!(
            "flags    {} is {}; stages stay as the ledger has them, and nobody moves towards new",
            provider.to_uppercase(),
            visible(&other.to_string())
        )),
    }
}

fn of_change(
    lines: &mut Vec<String>,
    name: &str,
    change: &ChangeStatus,
    lane: Option<&Customer>,
    is_one: bool,
) {
    lines.push(headline(name, change));
    for alert in &change.alerts {
        lines.push(format!("ALERT: {}", visible(alert)));
    }
    for doubt in &change.doubts {
        lines.push(format!("NOTE: {}", visible(doubt)));
    }
    lines.extend(fallen(change));
    if let Some(flipped) = change.flipped.as_ref().filter(|last| last.overridden) {
        lines.push(format!(
            "GATE OVERRIDDEN by {}: {}",
            visible(&flipped.by),
            visible(flipped.reason.as_deref().unwrap_or("no reason"))
        ));
    }
    lines.extend(published(&change.published));
    if !change.published.to_repair.is_empty() {
        lines.push(format!("Next: understudy repair {}", visible(name)));
    }
    if change.live > 0 || change.others >= Stage::Live {
        lines.push(format!("Next: understudy rollback {} --all", visible(name)));
    } else {
        let gate = &change.gate;
        let ready = gate
            .lanes
            .values()
            .filter(|lane| lane.standing == Standing::Ready);
        lines.push(format!(
            "Gate: {}, {} of {} lanes are ready.",
            gate.standing.text(),
            ready.count(),
            gate.lanes.len()
        ));
    }
    if let Some(wave) = &change.next_wave {
        lines.push(format!(
            "Wave {} of {} is next, with {} {}: {}{}",
            wave.number,
            wave.of,
            wave.lanes,
            if wave.lanes == 1 { "lane" } else { "lanes" },
            wave.standing.text(),
            waits(wave.waits)
        ));
    }
    let shown: Vec<&LaneStatus> = change
        .lanes
        .iter()
        .filter(|one| lane.is_none_or(|lane| one.customer == *lane))
        .collect();
    if let (Some(lane), true) = (lane, shown.is_empty()) {
        lines.push(format!("{} never had rows", visible(&lane.label())));
    }
    let width = shown
        .iter()
        .take(SHOWN_LANES)
        .map(|one| one.customer.label().chars().count());
    let width = width.max().unwrap_or(0).min(30);
    for one in shown.iter().take(SHOWN_LANES) {
        lines.push(of_lane(one, width));
        if lane.is_some() || (is_one && shown.len() == 1) {
            for check in one.gate.iter().flat_map(|gate| &gate.checks) {
                lines.push(format!(
                    "    {:<11} {} (wanted: {})",
                    check.standing.text(),
                    visible(&check.figure),
                    visible(&check.limit)
                ));
            }
        }
    }
    if shown.len() > SHOWN_LANES {
        lines.extend(groups(&shown[SHOWN_LANES..]));
    }
}

/// Who fell back by itself and is not live again, newest first.
fn fallen(change: &ChangeStatus) -> Option<String> {
    let down = change.lanes.iter().filter(|lane| lane.stage < Stage::Live);
    let mut down: Vec<(i64, &LaneStatus)> =
        down.filter_map(|lane| Some((lane.fell?, lane))).collect();
    down.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let (at, newest) = *down.first()?;
    let rows = match newest.unexpected {
        0 => String::new(),
        1 => ": 1 unexpected row in its newest run".to_owned(),
        rows => format!(": {rows} unexpected rows in its newest run"),
    };
    let more = match down.len() - 1 {
        0 => String::new(),
        more => format!(" And {more} more."),
    };
    Some(format!(
        "{} fell back {}{rows}.{more}",
        visible(&newest.customer.label()),
        time(at)
    ))
}

/// Lanes that have no line of their own, counted by where they stand and what they wait for; the largest group first.
fn groups(rest: &[&LaneStatus]) -> Vec<String> {
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for lane in rest {
        *counted.entry(of_group(lane)).or_default() += 1;
    }
    let mut counted: Vec<(String, usize)> = counted.into_iter().collect();
    counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let all: usize = rest.len();
    let shown = counted.iter().take(SHOWN_GROUPS);
    let mut lines = vec![format!("  and {all} more:")];
    lines.extend(shown.map(|(group, count)| format!("    {count:>6}  {group}")));
    let more: usize = counted
        .iter()
        .skip(SHOWN_GROUPS)
        .map(|(_, count)| count)
        .sum();
    if more > 0 {
        lines.push(format!("    {more:>6}  otherwise"));
    }
    lines
}

fn of_group(lane: &LaneStatus) -> String {
    let mut words = vec![lane.stage.to_string()];
    if lane.held {
        words.push("HELD".to_owned());
    }
    if let Some(gate) = lane.gate.as_ref().filter(|_| lane.stage < Stage::Live) {
        words.push(format!("{}{}", gate.standing.text(), waits(gate.waits)));
    }
    words.extend(lane.verdicts.last().map(|newest| match newest {
        Verdict::Identical => "identical".to_owned(),
        Verdict::Expected => "as expected".to_owned(),
        Verdict::Inconclusive => "NOT CHECKED".to_owned(),
        Verdict::Unexpected => "UNEXPECTED".to_owned(),
    }));
    words.join(", ")
}

/// Which dates are published with new rows, and whether the way back is clear.
fn published(found: &PublishedWithNew) -> Option<String> {
    let all = match found.dates.len() {
        0 => return None,
        1 => "",
        2 => " for both",
        3 => " for all three",
        _ => " for all",
    };
    let with_year = years(&found.dates) > 1;
    let gone = found.gone.iter().take(SHOWN_DATES);
    let gone: Vec<String> = gone.map(|date| day(*date, with_year)).collect();
    let ready = match (gone.len(), found.gone.len() - gone.len()) {
        (0, _) => "yes".to_owned(),
        (1, _) => format!("no: {} is gone", gone[0]),
        (_, 0) => format!("no: {} are gone", gone.join(", ")),
        (_, more) => format!("no: {} and {more} more are gone", gone.join(", ")),
    };
    Some(format!(
        "Published with NEW: {}. Old output ready{all}: {ready}.",
        span(&found.dates)
    ))
}

/// The first and the last of some dates.
pub(super) fn span(dates: &BTreeSet<RunDate>) -> String {
    let with_year = years(dates) > 1;
    match (dates.first(), dates.last()) {
        (Some(first), Some(last)) if first != last => format!(
            "{} {} {}",
            day(*first, with_year),
            if dates.len() == 2 { "and" } else { "to" },
            day(*last, with_year)
        ),
        (Some(only), _) => day(*only, with_year),
        _ => "no date".to_owned(),
    }
}

fn years(dates: &BTreeSet<RunDate>) -> usize {
    let years: BTreeSet<i32> = dates.iter().map(|date| date.0.year()).collect();
    years.len()
}

fn day(date: RunDate, with_year: bool) -> String {
    let form = if with_year { "%-d %B %Y" } else { "%-d %B" };
    date.0.format(form).to_string()
}

fn headline(name: &str, change: &ChangeStatus) -> String {
    let versions: Vec<String> = change
        .new
        .iter()
        .map(|(task, version)| format!("{task} {version}"))
        .collect();
    let versions = versions.join(", ");
    let who = match (change.others, change.live) {
        (Stage::Complete, _) => "complete: everybody gets NEW".to_owned(),
        (Stage::Live, _) => "everybody gets NEW".to_owned(),
        (_, 0) => "everybody gets OLD".to_owned(),
        (_, live) => format!("{live} of {} get NEW", change.known),
    };
    let since = change.flipped.as_ref().map(|last| {
        let known = last
            .known_by
            .map(|known| format!(" ({known})"))
            .unwrap_or_default();
        format!(
            " since {}, flipped by {}{known}",
            time(last.at),
            visible(&last.by)
        )
    });
    let held = if change.others_held { "; HELD" } else { "" };
    format!(
        "{}: {who} ({}){}{held}",
        visible(name),
        visible(&versions),
        since.unwrap_or_default()
    )
}

fn of_lane(lane: &LaneStatus, width: usize) -> String {
    let marks: String = lane.verdicts.iter().map(|verdict| mark(*verdict)).collect();
    let mut words = Vec::new();
    if let Some(gate) = &lane.gate
        && lane.stage < Stage::Live
    {
        words.push(format!("{}{}", gate.standing.text(), waits(gate.waits)));
    }
    if lane.held {
        words.push("HELD".to_owned());
    }
    if lane.other_code {
        words.push("went live for other code".to_owned());
    }
    if let Some(fell) = lane.fell {
        words.push(format!("fell back {}", time(fell)));
    }
    if let Some(since) = lane.live_since {
        words.push(format!("since {}", time(since)));
    }
    let label = lane.customer.label();
    let name = visible(&label);
    format!(
        "  {name:<width$}  {:<8}  {marks:<8}  {}",
        lane.stage.to_string(),
        words.join(", ")
    )
    .trim_end()
    .to_owned()
}

/// `=` identical, `~` as expected, `?` not checked, `!` unexpected.
fn mark(verdict: Verdict) -> char {
    match verdict {
        Verdict::Identical => '=',
        Verdict::Expected => '~',
        Verdict::Inconclusive => '?',
        Verdict::Unexpected => '!',
    }
}

fn time(at: i64) -> String {
    DateTime::from_timestamp(at, 0)
        .map(|at| at.format("%a %-d %b %H:%M UTC").to_string())
        .unwrap_or_default()
}
