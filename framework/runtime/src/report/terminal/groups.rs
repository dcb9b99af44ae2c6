//! Groups of unexpected differences in a line each.

use understudy_core::customer::Customer;
use understudy_core::rule::DifferenceKind;

use super::figures::counted;
use super::page::{Page, name};
use super::{Detail, Tone};
use crate::report::files::group::Group;
use crate::report::model::TaskReport;

/// The groups of a summary.
const MAX_GROUPS: usize = 3;
const NAME_WIDTH: usize = 40;

pub(crate) fn show(page: &mut Page, report: &TaskReport, detail: &Detail) {
    let groups = report.files.iter().flat_map(|files| &files.diff.groups);
    let groups: Vec<&Group> = groups.collect();
    let most = detail.at_most(MAX_GROUPS);
    for (position, group) in groups.iter().take(most).enumerate() {
        let lead = if position == 0 {
            "    groups    "
        } else {
            "              "
        };
        page.entry(&[(Tone::Quiet, lead)], &sentence(group));
    }
    let more = groups.len().saturating_sub(most);
    if more > 0 {
        page.entry(
            &[(Tone::Quiet, "              ")],
            &format!("and {more} more"),
        );
    }
}

fn sentence(group: &Group) -> String {
    let what = name(&group.what, NAME_WIDTH);
    let is_cell = group.kind == DifferenceKind::Changed;
    if let Some(column) = group.column.as_ref().filter(|_| !is_cell) {
        return format!("{}: {what}", name(column, NAME_WIDTH));
    }
    let (of, nouns) = match &group.column {
        Some(column) => (
            format!("{}: {what}", name(column, NAME_WIDTH)),
            ["cell", "cells"],
        ),
        None => (what, ["row", "rows"]),
    };
    let named = group.customers.keys();
    let named = named.filter(|customer| **customer != Customer::Everybody);
    let customers = named.count() as u64 + group.more_customers;
    let number = counted(group.differences, nouns[0], nouns[1]);
    match customers {
        0 => format!("{of}, {number}"),
        customers => format!(
            "{of}, {number} of {}",
            counted(customers, "customer", "customers")
        ),
    }
}
