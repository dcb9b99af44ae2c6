//! Changes: what they change, and whether that can be.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::Graph;
use super::names::{repeated, text_at, texts_at, unique};
use super::rules::{self, RuledTask};
use super::{Reading, checks, report_unknown, shadows};
use crate::check::Check;
use crate::customer::Customer;
use crate::rule::Rule;
use crate::spec::model::{Change, GatePolicy, Wave, Weekday};
use crate::spec::places::Spot;
use crate::spec::problems::{Origin, quoted};
use crate::spec::scalar;
use crate::spec::yaml::{Key, Mark, Node, Scalar};

/// Reads the changes, in the file's order.
pub(crate) fn read(graph: &Graph, reading: &mut Reading<'_, '_>) -> Vec<Change> {
    let mut claimed = BTreeMap::new();
    let mut changes = Vec::new();
    for (key, node) in reading.names.changes() {
        reading
            .spots
            .insert(Spot::Change(key.text.clone()), key.mark);
        changes.push(read_change(key, node, graph, &mut claimed, reading));
    }
    changes
}

/// The tasks that changes before this one change, each with its change.
type Claimed<'a> = BTreeMap<&'a str, &'a str>;

fn read_change<'a>(
    key: &'a Key,
    node: &'a Node,
    graph: &Graph,
    claimed: &mut Claimed<'a>,
    reading: &mut Reading<'_, '_>,
) -> Change {
    let new = read_new(key, node, claimed, reading);
    // Where `new` names what is not there, nobody knows what lies downstream.
    let is_known =
        !new.is_empty() && new.len() == node.get("new").map(unique).unwrap_or_default().len();
    let reached = is_known.then(|| {
        graph.downstream_of(
            new.keys()
                .filter_map(|task| reading.names.task_position(task)),
        )
    });
    let downstream = read_downstream(key, node, &new, reached.as_ref(), reading);
    if let Some(reached) = &reached {
        let compared = new.keys().chain(&downstream).cloned().collect();
        shadows::require_allowed(key, &compared, reached, graph, reading);
    }
    let compared = is_known.then(|| {
        new.keys()
            .chain(&downstream)
            .map(String::as_str)
            .collect::<Vec<&str>>()
    });
    Change {
        name: key.text.clone(),
        waivers: Default::default(),
        expect: read_expect(key, node, compared.as_deref(), reading),
        compare: read_compare(key, node, compared.as_deref(), reading),
        gate: read_gate(key, node, reading),
        flag: text_at(node, "flag").map_or_else(|| key.text.clone(), |(flag, _)| flag.to_owned()),
        new,
        downstream,
    }
}

fn read_new<'a>(
    key: &'a Key,
    node: &'a Node,
    claimed: &mut Claimed<'a>,
    reading: &mut Reading<'_, '_>,
) -> BTreeMap<String, String> {
    let origin = Origin::Change(key.text.clone());
    let mut new = BTreeMap::new();
    for (task, version) in node.get("new").map(unique).unwrap_or_default() {
        if !is_task(&task.text, task.mark, &origin, reading) {
            continue;
        }
        check_claim(key, task, claimed, reading);
        let Some(text) = version.scalar().and_then(scalar::text) else {
            continue;
        };
        check_version(&task.text, (text, version.mark), &origin, reading);
        new.insert(task.text.clone(), text.to_owned());
    }
    new
}

fn is_task(name: &str, mark: Mark, origin: &Origin, reading: &mut Reading<'_, '_>) -> bool {
    if reading.names.task(name).is_some() {
        return true;
    }
    if reading.names.dataset(name).is_some() {
        let message = format!("{} is a dataset, not a task", quoted(name));
        reading.problems.push(
            mark,
            origin,
            message,
            "only tasks have versions; name the task that computes from it",
        );
    } else {
        report_unknown(
            ["task", "tasks"],
            (name, mark),
            &reading.names.task_names(),
            origin,
            reading.problems,
        );
    }
    false
}

fn check_claim<'a>(
    change: &'a Key,
    task: &'a Key,
    claimed: &mut Claimed<'a>,
    reading: &mut Reading<'_, '_>,
) {
    if let Some(other) = claimed.get(task.text.as_str()) {
        let message = format!(
            "two changes, {} and {}, change the task {}",
            quoted(other),
            quoted(&change.text),
            quoted(&task.text)
        );
        let fix = "make them one change, or complete the first before the second begins";
        reading.problems.push(
            task.mark,
            &Origin::Change(change.text.clone()),
            message,
            fix,
        );
    } else {
        claimed.insert(&task.text, &change.text);
    }
}

fn check_version(
    task: &str,
    version: (&str, Mark),
    origin: &Origin,
    reading: &mut Reading<'_, '_>,
) {
    let versions = reading.names.versions(task);
    if !versions.contains(&version.0) {
        report_unknown(
            ["version", &format!("versions of {}", quoted(task))],
            version,
            &versions,
            origin,
            reading.problems,
        );
    } else if reading
        .names
        .task(task)
        .and_then(|node| text_at(node, "live"))
        .is_some_and(|(live, _)| live == version.0)
    {
        let message = format!(
            "the new version {} of {} is the live one",
            quoted(version.0),
            quoted(task)
        );
        let others: Vec<&str> = versions
            .into_iter()
            .filter(|other| *other != version.0)
            .collect();
        let fix = match others.as_slice() {
            [] => format!("add a version to {} and name it here", quoted(task)),
            others => format!("name another version: {}", others.join(", ")),
        };
        reading.problems.push(version.1, origin, message, fix);
    }
}

fn read_downstream(
    key: &Key,
    node: &Node,
    new: &BTreeMap<String, String>,
    reached: Option<&BTreeSet<usize>>,
    reading: &mut Reading<'_, '_>,
) -> BTreeSet<String> {
    let origin = Origin::Change(key.text.clone());
    let texts = texts_at(node, "downstream");
    for (task, mark) in repeated(&texts) {
        reading.problems.push(
            mark,
            &origin,
            format!("{} is named twice", quoted(task)),
            "name it once",
        );
    }
    let mut downstream = BTreeSet::new();
    for (task, mark) in texts {
        if !is_task(task, mark, &origin, reading) {
            continue;
        }
        let position = reading.names.task_position(task);
        let unreached =
            reached.filter(|reached| position.is_some_and(|position| !reached.contains(&position)));
        if new.contains_key(task) {
            let message = format!("{} is changed itself", quoted(task));
            reading.problems.push(
                mark,
                &origin,
                message,
                "leave it out here: a changed task is always compared",
            );
        } else if let Some(reached) = unreached {
            let message = format!(
                "{} does not read what {} changes",
                quoted(task),
                quoted(&key.text)
            );
            reading
                .problems
                .push(mark, &origin, message, reached_hint(reached, new, reading));
        }
        downstream.insert(task.to_owned());
    }
    downstream
}

fn reached_hint(
    reached: &BTreeSet<usize>,
    new: &BTreeMap<String, String>,
    reading: &Reading<'_, '_>,
) -> String {
    let names = reading.names.task_names();
    let reached = reached
        .iter()
        .map(|position| names[*position])
        .filter(|name| !new.contains_key(*name));
    match reached.collect::<Vec<_>>().as_slice() {
        [] => "leave it out: no task is downstream of this change".to_owned(),
        reached => format!(
            "leave it out; downstream of this change are: {}",
            reached.join(", ")
        ),
    }
}

fn read_expect(
    key: &Key,
    node: &Node,
    compared: Option<&[&str]>,
    reading: &mut Reading<'_, '_>,
) -> BTreeMap<String, Vec<Rule>> {
    let origin = Origin::Change(key.text.clone());
    let mut expect = BTreeMap::new();
    for (task, list) in node.get("expect").map(unique).unwrap_or_default() {
        if !is_task(&task.text, task.mark, &origin, reading) {
            continue;
        }
        require_compared(task, compared, "rules", &origin, reading);
        let has_customer = reading
            .names
            .task(&task.text)
            .and_then(|node| node.get("output")?.get("customer"))
            .is_some();
        let ruled = RuledTask {
            change: &key.text,
            task: &task.text,
            has_customer,
        };
        expect.insert(task.text.clone(), rules::read(list, &ruled, reading));
    }
    expect
}

/// What is said of a task that nothing compares, does nothing.
fn require_compared(
    task: &Key,
    compared: Option<&[&str]>,
    what: &str,
    origin: &Origin,
    reading: &mut Reading<'_, '_>,
) {
    let Some(compared) = compared.filter(|compared| !compared.contains(&task.text.as_str())) else {
        return;
    };
    let name = quoted(&task.text);
    let message = format!("nothing compares {name}, so its {what} do nothing");
    let fix = format!(
        "add it to `new` or `downstream`; compared here are: {}",
        compared.join(", ")
    );
    reading.problems.push(task.mark, origin, message, fix);
}

fn read_compare(
    key: &Key,
    node: &Node,
    compared: Option<&[&str]>,
    reading: &mut Reading<'_, '_>,
) -> BTreeMap<String, Vec<Check>> {
    let origin = Origin::Change(key.text.clone());
    let mut compare = BTreeMap::new();
    for (task, list) in node.get("compare").map(unique).unwrap_or_default() {
        if !is_task(&task.text, task.mark, &origin, reading) {
            continue;
        }
        require_compared(task, compared, "checks", &origin, reading);
        let checks = checks::read(list, &key.text, &task.text, reading);
        compare.insert(task.text.clone(), checks);
    }
    compare
}

fn read_gate(key: &Key, node: &Node, reading: &mut Reading<'_, '_>) -> GatePolicy {
    let under = |key: &str| node.get("gate")?.get(key)?.scalar();
    let few = |key: &str| {
        under(key)
            .and_then(scalar::count)
            .and_then(|count| u32::try_from(count).ok())
    };
    let duration = |key: &str| under(key).and_then(scalar::duration_secs);
    let days = node.get("gate").and_then(|gate| gate.get("weekdays"));
    let days = days
        .into_iter()
        .flat_map(Node::items)
        .filter_map(Node::scalar);
    let weekday = |day: &Scalar| {
        Weekday::ALL
            .into_iter()
            .find(|known| known.name() == day.text)
    };
    GatePolicy {
        clean_runs: few("clean_runs"),
        evidence_max_age_secs: duration("evidence_max_age"),
        soak_secs: duration("soak"),
        min_rows: under("min_rows").and_then(scalar::count),
        expected_rows: under("expected_rows").and_then(scalar::fraction),
        max_runtime_ratio: under("max_runtime_ratio").and_then(scalar::ratio),
        max_memory_ratio: under("max_memory_ratio").and_then(scalar::ratio),
        weekdays: days.filter_map(weekday).collect(),
        month_end: under("month_end").is_some(),
        approvals: few("approvals"),
        min_age_secs: duration("min_age"),
        waves: read_waves(key, node, reading),
    }
}

/// Each wave must add somebody, as far as that can be told from the file.
fn read_waves(key: &Key, node: &Node, reading: &mut Reading<'_, '_>) -> Vec<Wave> {
    let origin = Origin::Change(key.text.clone());
    let nodes = node.get("gate").and_then(|gate| gate.get("waves"));
    let (mut waves, mut named, mut share) = (Vec::new(), BTreeSet::new(), 0.0);
    for node in nodes.into_iter().flat_map(Node::items) {
        let mut problem = |message: String, fix: &str| {
            reading.problems.push(node.mark, &origin, message, fix);
        };
        if share >= 1.0 {
            problem(
                "a wave after 100 % has nobody left".to_owned(),
                "leave it out, or put it before",
            );
        }
        let wave = match node.scalar() {
            Some(scalar) => scalar::wave(scalar),
            None => Some(Wave::Customers(wave_customers(node))),
        };
        match &wave {
            Some(Wave::Share(more)) if *more <= share => problem(
                "a wave has no greater share than the one before it".to_owned(),
                "shares are of all customers, those of earlier waves included: let them grow",
            ),
            Some(Wave::Share(more)) => share = *more,
            Some(Wave::Customers(customers)) => {
                let mut twice = customers.iter().filter(|one| !named.insert((*one).clone()));
                if let Some(twice) = twice.next() {
                    let message = format!("{} is in two waves", quoted(&twice.label()));
                    problem(message, "leave it out of one of them");
                }
            }
            Some(Wave::More(_)) | None => {}
        }
        waves.extend(wave);
    }
    waves
}

fn wave_customers(node: &Node) -> BTreeSet<Customer> {
    let names = node.items().iter().filter_map(Node::scalar);
    let names = names.filter_map(scalar::verbatim);
    names.map(|name| Customer::Named(name.to_owned())).collect()
}
