//! Tables of tasks, columns, schema and customers.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use understudy_core::comparison::{ColumnCounts, SchemaDifference};
use understudy_core::customer::Customer;
use understudy_core::share::percent;
use understudy_core::stage::Stage;
use understudy_core::verdict::Verdict;
use understudy_core::world::Side;

use super::MAX_BYTES;
use super::all_rows;
use super::headline::badge;
use super::markup::Head::{Number, Words};
use super::markup::{Head, Markup};
use crate::report::files::customers::CUSTOMERS_CSV;
use crate::report::model::{CustomerReport, TaskReport};

const MAX_TASKS: usize = 100;
const MAX_COLUMNS: usize = 40;
const MAX_SCHEMA: usize = 40;
const MAX_CUSTOMERS: usize = 40;

const TASKS: &[Head] = &[
    Words("task"),
    Words("verdict"),
    Number("rows unexpected"),
    Number("of all"),
    Number("as expected"),
    Number("rows"),
];

/// The tasks of a change, the worst first, each with a link to what is known of it.
pub(super) fn tasks(out: &mut Markup, tasks: &[(&str, &TaskReport)]) {
    if tasks.len() < 2 {
        return;
    }
    out.own("<nav aria-label=\"Tasks\"><h3>Tasks</h3>\n");
    out.table("Tasks, the worst first", TASKS, |out| {
        for (position, (name, report)) in tasks.iter().take(MAX_TASKS).enumerate() {
            out.own("<tr><th scope=\"row\"><a href=\"#t")
                .text(&position.to_string())
                .own("\">")
                .name(name)
                .own("</a></th><td>");
            badge(out, report.verdict);
            out.own("</td>");
            match report.rows {
                Some(rows) => {
                    let all = all_rows(report);
                    out.number_cell(rows.unexpected).own("<td class=\"n\">");
                    out.text(&percent(rows.unexpected, all)).own("</td>");
                    out.number_cell(report.expected).number_cell(all);
                }
                None => {
                    out.own("<td class=\"n\" colspan=\"4\">not compared</td>");
                }
            }
            out.own("</tr>\n");
        }
    });
    more(out, tasks.len(), MAX_TASKS, " more tasks.");
    out.own("</nav>\n");
}

const COLUMNS: &[Head] = &[
    Words("column"),
    Number("cells unexpected"),
    Number("cells changed"),
    Number("of its pairs"),
];

/// The columns that changed, the most unexpected first.
pub(super) fn columns(out: &mut Markup, report: &TaskReport) {
    let mut changed: Vec<&ColumnCounts> = report
        .columns
        .iter()
        .filter(|column| column.changed > 0)
        .collect();
    if changed.is_empty() {
        return;
    }
    changed.sort_by_key(|column| (Reverse(column.unexpected), Reverse(column.changed)));
    let pairs = report.rows.map_or(0, |rows| rows.matched);
    out.own("<h3>Columns</h3>\n");
    out.table("Changed columns, the worst first", COLUMNS, |out| {
        for column in changed.iter().take(MAX_COLUMNS) {
            out.own("<tr><th scope=\"row\">")
                .name(&column.name)
                .own("</th>");
            out.number_cell(column.unexpected)
                .number_cell(column.changed);
            out.own("<td class=\"n\">")
                .text(&percent(column.changed, pairs));
            out.own("</td></tr>\n");
        }
    });
    more(
        out,
        changed.len(),
        MAX_COLUMNS,
        " more columns changed; summary.json has all.",
    );
}

const SCHEMA: &[Head] = &[
    Words("column"),
    Words("what"),
    Words("old type"),
    Words("new type"),
    Words("expected by"),
];

/// Columns that one side lacks, or has with another type.
pub(super) fn schema(out: &mut Markup, report: &TaskReport) {
    if report.schema.is_empty() && report.not_compared.is_empty() {
        return;
    }
    out.own("<h3>Schema</h3>\n");
    let mut differences: Vec<&SchemaDifference> = report.schema.iter().collect();
    differences.sort_by_key(|difference| difference.rule.is_some());
    if !differences.is_empty() {
        out.table("Differences of schema", SCHEMA, |out| {
            for difference in differences.iter().take(MAX_SCHEMA) {
                one_of_schema(out, difference);
            }
        });
    }
    more(
        out,
        differences.len(),
        MAX_SCHEMA,
        " more; summary.json has all.",
    );
    for column in report.not_compared.iter().take(MAX_SCHEMA) {
        out.own("<p>NOT CHECKED: ").name(&column.column);
        out.own(", because ").sentence(&column.reason).own("</p>\n");
    }
}

fn one_of_schema(out: &mut Markup, difference: &SchemaDifference) {
    let kind = difference.kind.name().replace('_', " ");
    out.own("<tr><th scope=\"row\">").name(&difference.column);
    out.own("</th><td>").text(&kind).own("</td>");
    for side in [&difference.old, &difference.new] {
        out.own("<td>");
        match side {
            Some(kind) => out.name(kind),
            None => out.own("–"),
        };
        out.own("</td>");
    }
    match &difference.rule {
        Some(rule) => out.own("<td>").name(rule),
        None => out.own("<td><span class=\"w bad\">✗ no rule</span>"),
    };
    out.own("</td></tr>\n");
}

const CUSTOMERS: &[Head] = &[
    Words("customer"),
    Words("verdict"),
    Number("rows unexpected"),
    Number("of its rows"),
    Number("as expected"),
    Number("rows"),
    Words("stage"),
    Words("gets"),
];
/// Without a pipeline nobody gets anything.
const CUSTOMERS_OF_TABLES: &[Head] = CUSTOMERS.split_at(6).0;

/// The customers whose rows differ, the worst first.
pub(super) fn customers(out: &mut Markup, report: &TaskReport) {
    let all = report.worst_first();
    if all
        .iter()
        .all(|(customer, _)| **customer == Customer::Everybody)
    {
        return;
    }
    let matter = |customer: &CustomerReport| customer.verdict != Verdict::Identical;
    let shown: Vec<_> = all
        .iter()
        .filter(|(_, customer)| matter(customer))
        .take(MAX_CUSTOMERS)
        .collect();
    out.own("<h3>Customers</h3>\n");
    let heads = if report.has_stages() {
        CUSTOMERS
    } else {
        CUSTOMERS_OF_TABLES
    };
    let mut listed = 0;
    if !shown.is_empty() {
        out.table("Customers, the worst first", heads, |out| {
            for (customer, counts) in shown {
                if out.len() > MAX_BYTES {
                    break;
                }
                listed += 1;
                one_customer(out, customer, counts, heads.len() == CUSTOMERS.len());
            }
        });
    }
    others(out, report, &all[listed..], listed == 0);
}

fn one_customer(out: &mut Markup, customer: &Customer, counts: &CustomerReport, stages: bool) {
    out.own("<tr><th scope=\"row\">").name(&customer.label());
    out.own("</th><td>");
    badge(out, counts.verdict);
    out.own("</td>").number_cell(counts.unexpected);
    out.own("<td class=\"n\">")
        .text(&percent(counts.unexpected, counts.rows))
        .own("</td>");
    out.number_cell(counts.expected).number_cell(counts.rows);
    if stages {
        let gets = match (counts.gets, counts.stage) {
            (Side::Old, Stage::Live | Stage::Complete) => "OLD, fell back",
            (Side::Old, _) => "OLD",
            (Side::New, _) => "NEW",
        };
        out.own("<td>").text(&counts.stage.to_string());
        out.own("</td><td>").own(gets).own("</td>");
    }
    out.own("</tr>\n");
}

/// How many others there are, by verdict, and where they stand.
fn others(
    out: &mut Markup,
    report: &TaskReport,
    others: &[(&Customer, &CustomerReport)],
    is_all: bool,
) {
    if others.is_empty() {
        return;
    }
    let mut counts: BTreeMap<Verdict, u64> = BTreeMap::new();
    for (_, customer) in others {
        *counts.entry(customer.verdict).or_default() += 1;
    }
    out.aside(|out| {
        out.own(if is_all { "" } else { "and " });
        for (position, (verdict, number)) in counts.iter().rev().enumerate() {
            out.own(if position > 0 { ", " } else { "" })
                .number(*number);
            out.own(match verdict {
                Verdict::Unexpected => " more unexpected",
                Verdict::Inconclusive => " not checked",
                Verdict::Expected => " as expected",
                Verdict::Identical => " identical",
            });
        }
        let files = report.files.iter().filter(|files| !files.folder.is_empty());
        for files in files {
            out.own("; all of them in ")
                .path(&files.path_of(CUSTOMERS_CSV));
        }
    });
}

/// What a list leaves out.
pub(super) fn more(out: &mut Markup, all: usize, shown: usize, rest: &'static str) {
    if all > shown {
        out.aside(|out| {
            out.own("and ").number((all - shown) as u64).own(rest);
        });
    }
}
