//! The lines of a file for review: groups first, each with examples under it.

use understudy_core::customer::{Customer, listed};
use understudy_core::run_date::RunDate;

use super::ids::Ids;
use super::terms::Terms;
use crate::report::files::example::{Example, ExampleCell};
use crate::report::files::group::Group;

/// The columns, by the names that people read.
pub(crate) const COLUMNS: [&str; 12] = [
    "id",
    "customer",
    "what happened",
    "rows",
    "column",
    "old",
    "new",
    "change",
    "change %",
    "if accepted",
    "decision",
    "note",
];

/// The decimals that a percentage of one or more keeps.
const PERCENT_DECIMALS: usize = 2;

/// One line. What is `None` is an empty cell.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct SheetLine {
    pub(crate) id: String,
    pub(crate) customer: String,
    pub(crate) what: String,
    /// Set in the line of a group, not in those of its examples.
    pub(crate) rows: Option<u64>,
    pub(crate) column: String,
    pub(crate) old: Option<String>,
    pub(crate) new: Option<String>,
    pub(crate) change: Option<String>,
    pub(crate) change_pct: Option<String>,
    pub(crate) if_accepted: Option<String>,
}

/// A group with the task that it is of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OfTask<'a> {
    pub(crate) task: &'a str,
    pub(crate) group: &'a Group,
}

/// The lines for groups, in their order. Where there are several tasks, each line says which one it is about.
pub(crate) fn lines(groups: &[OfTask<'_>], ids: Ids<'_>, until: RunDate) -> Vec<SheetLine> {
    let has_tasks = groups.iter().any(|one| one.task != groups[0].task);
    let each = groups.iter().flat_map(|one| {
        let place = has_tasks.then_some(one.task);
        let id = ids.id(&one.group.id, until);
        let examples = one.group.examples.iter();
        let examples: Vec<SheetLine> = examples.map(|example| of_example(example, &id)).collect();
        std::iter::once(of_group(one.group, place, id, until)).chain(examples)
    });
    each.collect()
}

fn of_group(group: &Group, task: Option<&str>, id: String, until: RunDate) -> SheetLine {
    let place = task.map(|task| format!(" in {task}")).unwrap_or_default();
    let called = group
        .bug
        .as_ref()
        .map(|bug| format!(" (a bug, says {})", bug.by));
    let if_accepted = Terms::of(group).map_or_else(
        || "cannot be accepted: these are many kinds of difference in one".to_owned(),
        |terms| terms.sentence(until),
    );
    // A sign in front would be taken for a formula.
    let what = match group.what.chars().next() {
        Some('+' | '-') => format!("moved {}", group.what),
        _ => group.what.clone(),
    };
    SheetLine {
        id,
        customer: customers(group),
        what: format!("{what}{place}{}", called.unwrap_or_default()),
        rows: Some(group.differences),
        column: group.column.clone().unwrap_or_default(),
        if_accepted: Some(if_accepted),
        ..SheetLine::default()
    }
}

fn customers(group: &Group) -> String {
    let mut most: Vec<(&Customer, &u64)> = group.customers.iter().collect();
    most.sort_by_key(|(_, rows)| std::cmp::Reverse(**rows));
    let names: Vec<&Customer> = most.into_iter().map(|(customer, _)| customer).collect();
    let count = names.len() as u64 + group.more_customers;
    match names.as_slice() {
        [] => "all".to_owned(),
        [Customer::Everybody] => "all".to_owned(),
        _ if count <= 5 => listed(&names),
        _ => format!("{count} customers: {}, …", first(&names)),
    }
}

fn first(names: &[&Customer]) -> String {
    let labels: Vec<String> = names.iter().take(3).map(|name| name.label()).collect();
    labels.join(", ")
}

fn of_example(example: &Example, id: &str) -> SheetLine {
    let key = example.key.iter().map(|part| {
        let text = part.text.as_deref().unwrap_or("null");
        format!("{} {text}", part.column)
    });
    let key: Vec<String> = key.collect();
    let what = if key.is_empty() {
        "for example".to_owned()
    } else {
        format!("for example {}", key.join(", "))
    };
    let line = SheetLine {
        id: id.to_owned(),
        customer: match &example.customer {
            Customer::Everybody => String::new(),
            customer => customer.label(),
        },
        what,
        ..SheetLine::default()
    };
    match example.cells.as_slice() {
        [cell] if example.kind == understudy_core::rule::DifferenceKind::Changed => SheetLine {
            column: cell.column.clone(),
            old: Some(shown(cell.old.as_ref())),
            new: Some(shown(cell.new.as_ref())),
            change: cell.delta.as_deref().map(change_words),
            change_pct: cell.delta_pct.as_deref().map(percent),
            ..line
        },
        cells => of_row(cells, line),
    }
}

/// A row that stands on one side: its first cells, by name.
fn of_row(cells: &[ExampleCell], line: SheetLine) -> SheetLine {
    let side = |of: fn(&ExampleCell) -> Option<&String>| {
        let cells = cells.iter().filter_map(|cell| {
            let text = of(cell)?;
            Some(format!("{} {text}", cell.column))
        });
        let cells: Vec<String> = cells.collect();
        (!cells.is_empty()).then(|| cells.join(", "))
    };
    SheetLine {
        old: side(|cell| cell.old.as_ref()),
        new: side(|cell| cell.new.as_ref()),
        ..line
    }
}

/// NULL and empty text are two things that an empty cell does not tell apart.
fn shown(text: Option<&String>) -> String {
    match text.map(String::as_str) {
        None => "(null)".to_owned(),
        Some("") => "(empty)".to_owned(),
        Some(text) => text.to_owned(),
    }
}

/// A number as it is; of a duration in ISO 8601 what a person would say.
fn change_words(delta: &str) -> String {
    let (is_earlier, rest) = match delta.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, delta),
    };
    let seconds = rest
        .strip_prefix("PT")
        .and_then(|rest| rest.strip_suffix('S'));
    let Some(words) = seconds.and_then(duration_words) else {
        return delta.to_owned();
    };
    let direction = if is_earlier { "earlier" } else { "later" };
    format!("{words} {direction}")
}

fn duration_words(seconds: &str) -> Option<String> {
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let whole: u128 = whole.parse().ok()?;
    let mut parts = Vec::new();
    for (count, unit) in [
        (whole / 86_400, "d"),
        (whole / 3_600 % 24, "h"),
        (whole / 60 % 60, "min"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {unit}"));
        }
    }
    match (whole % 60, fraction) {
        (0, "") if !parts.is_empty() => {}
        (seconds, "") => parts.push(format!("{seconds} s")),
        (seconds, fraction) => parts.push(format!("{seconds}.{fraction} s")),
    }
    Some(parts.join(" "))
}

/// Cut, not rounded: nothing becomes 100 that is not.
fn percent(delta_pct: &str) -> String {
    let Some((whole, decimals)) = delta_pct.split_once('.') else {
        return delta_pct.to_owned();
    };
    if matches!(whole, "0" | "-0") || !decimals.chars().all(|c| c.is_ascii_digit()) {
        return delta_pct.to_owned();
    }
    let kept = decimals[..decimals.len().min(PERCENT_DECIMALS)].trim_end_matches('0');
    if kept.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{kept}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_read_as_people_say_them() {
        for (delta, words) in [
            ("0.5", "0.5"),
            ("-3", "-3"),
            ("1e300", "1e300"),
            ("PT1800S", "30 min later"),
            ("-PT5400S", "1 h 30 min earlier"),
            ("PT0.5S", "0.5 s later"),
            ("PT90061.25S", "1 d 1 h 1 min 1.25 s later"),
            ("PT0S", "0 s later"),
        ] {
            assert_eq!(change_words(delta), words);
        }
    }

    #[test]
    fn percentages_are_short_and_never_become_a_hundred_or_nothing() {
        for (found, shown) in [
            ("33.333333", "33.33"),
            ("99.999999", "99.99"),
            ("-150", "-150"),
            ("0.000012", "0.000012"),
            ("-0.5", "-0.5"),
            ("10.001", "10"),
        ] {
            assert_eq!(percent(found), shown);
        }
    }
}
