//! The customers that matter, in a table, and how many others there are.

use std::collections::BTreeMap;

use understudy_core::customer::Customer;
use understudy_core::stage::Stage;
use understudy_core::verdict::Verdict;
use understudy_core::world::Side;

use super::figures::{count, percent};
use super::page::{Page, name};
use super::width::{left, right, width};
use super::{Detail, Tone};
use crate::report::model::{CustomerReport, TaskReport};

/// The customers of a summary's table.
const MAX_CUSTOMERS: usize = 8;

/// Where a cell's text stands.
#[derive(Clone, Copy)]
enum Align {
    Left,
    Right,
}

const COLUMNS: [(&str, Align); 7] = [
    ("customer", Align::Left),
    ("unexpected", Align::Right),
    ("", Align::Right),
    ("expected", Align::Right),
    ("rows", Align::Right),
    ("stage", Align::Left),
    ("gets", Align::Left),
];
/// The columns that everybody at one stage can do without.
const STAGE_COLUMNS: usize = 2;

pub(crate) fn show(page: &mut Page, report: &TaskReport, detail: &Detail) {
    let customers = report.worst_first();
    if customers
        .iter()
        .all(|(customer, _)| **customer == Customer::Everybody)
    {
        return;
    }
    let matter = |customer: &CustomerReport| match detail {
        Detail::Summary => customer.verdict == Verdict::Unexpected && customer.unexpected > 0,
        Detail::Task(_) => customer.verdict != Verdict::Identical,
    };
    let (shown, others): (Vec<_>, Vec<_>) = customers
        .into_iter()
        .partition(|(_, customer)| matter(customer));
    let (shown, cut) = shown.split_at(shown.len().min(detail.at_most(MAX_CUSTOMERS)));
    table(page, shown, columns(&report.customers));
    rest(
        page,
        cut.iter()
            .chain(&others)
            .map(|(_, customer)| customer.verdict),
        shown.is_empty(),
    );
}

/// How many columns the table has: who gets what is said above it where it is the same for all.
fn columns(customers: &BTreeMap<Customer, CustomerReport>) -> usize {
    let one_stage = customers
        .values()
        .all(|customer| (customer.stage, customer.gets) == (Stage::Shadow, Side::Old));
    COLUMNS.len() - if one_stage { STAGE_COLUMNS } else { 0 }
}

fn table(page: &mut Page, customers: &[(&Customer, &CustomerReport)], columns: usize) {
    if customers.is_empty() {
        return;
    }
    let rows: Vec<_> = customers
        .iter()
        .map(|(customer, report)| cells(customer, report))
        .collect();
    let widest = |column: usize| {
        let cells = rows.iter().map(|row| width(&row[column]));
        cells.chain([COLUMNS[column].0.len()]).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(widest).collect();
    let line =
        |cells: &[String]| {
            let aligned = cells.iter().zip(&widths).zip(COLUMNS).map(
                |((cell, width), (_, align))| match align {
                    Align::Left => left(cell, *width),
                    Align::Right => right(cell, *width),
                },
            );
            format!("    {}", aligned.collect::<Vec<_>>().join("  "))
        };
    page.entry(
        &[(
            Tone::Quiet,
            &line(&COLUMNS.map(|(title, _)| title.to_owned())),
        )],
        "",
    );
    for row in &rows {
        page.entry(&[(Tone::Plain, &line(row))], "");
    }
}

fn cells(customer: &Customer, report: &CustomerReport) -> [String; 7] {
    let gets = match (report.gets, report.stage) {
        (Side::Old, Stage::Live | Stage::Complete) => "OLD, fell back",
        (Side::Old, _) => "OLD",
        (Side::New, _) => "NEW",
    };
    [
        name(&customer.label(), 32),
        count(report.unexpected),
        percent(report.unexpected, report.rows),
        count(report.expected),
        count(report.rows),
        report.stage.to_string(),
        gets.to_owned(),
    ]
}

/// The others by verdict, the worst first.
fn rest(page: &mut Page, others: impl Iterator<Item = Verdict>, is_all: bool) {
    let mut counts: BTreeMap<Verdict, u64> = BTreeMap::new();
    for verdict in others {
        *counts.entry(verdict).or_default() += 1;
    }
    if counts.is_empty() {
        return;
    }
    let words = counts
        .iter()
        .rev()
        .map(|(verdict, number)| format!("{} {}", count(*number), word(*verdict)));
    let words = words.collect::<Vec<_>>().join(", ");
    let (lead, text) = if is_all {
        ("    customers ", words)
    } else {
        ("    ", format!("and {words}"))
    };
    page.entry(&[(Tone::Quiet, lead)], &text);
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Unexpected => "UNEXPECTED",
        Verdict::Inconclusive => "NOT CHECKED",
        Verdict::Expected => "as expected",
        Verdict::Identical => "identical",
    }
}
