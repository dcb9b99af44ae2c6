//! What each rule explained, and what is wrong with it.

use std::cmp::Reverse;

use understudy_core::comparison::RuleCounts;
use understudy_core::customer::{Customer, listed};

use super::markup::Head::{Number, Words};
use super::markup::{Head, Markup};
use super::tables::more;
use crate::report::model::TaskReport;

const MAX_RULES: usize = 60;
/// The customers that are named beside a rule.
const MAX_NAMED: usize = 3;

pub(super) fn show(out: &mut Markup, report: &TaskReport) {
    if report.rules.is_empty() {
        return;
    }
    out.own("<h3>Rules</h3>\n");
    let mut rules: Vec<&RuleCounts> = report.rules.iter().collect();
    rules.sort_by_key(|rule| Reverse(is_wrong(rule)));
    let shown = Shown::of(&rules);
    let caption = "Rules in their order, but first those that need a look";
    out.table(caption, &shown.heads(), |out| {
        for rule in rules.iter().take(MAX_RULES) {
            row(out, rule, &shown);
        }
    });
    more(
        out,
        rules.len(),
        MAX_RULES,
        " more rules; summary.json has all.",
    );
}

/// The columns that have something to say.
struct Shown {
    rows: bool,
    customers: bool,
    to_know: bool,
}

impl Shown {
    fn of(rules: &[&RuleCounts]) -> Self {
        let any = |says: fn(&RuleCounts) -> bool| rules.iter().any(|rule| says(rule));
        Self {
            rows: any(|rule| rule.rows > 0),
            customers: any(|rule| !named(rule).is_empty()),
            to_know: any(|rule| rule.differences == 0 || is_wrong(rule)),
        }
    }

    fn heads(&self) -> Vec<Head> {
        let optional = |shown: bool, head: Head| shown.then_some(head);
        let heads = [
            Some(Words("rule")),
            Some(Number("differences explained")),
            optional(self.rows, Number("in rows")),
            optional(self.customers, Words("of customers")),
            optional(self.to_know, Words("to know")),
        ];
        heads.into_iter().flatten().collect()
    }
}

fn row(out: &mut Markup, rule: &RuleCounts, shown: &Shown) {
    out.own("<tr><th scope=\"row\">").name(&rule.name);
    out.own("</th>").number_cell(rule.differences);
    if shown.rows {
        out.number_cell(rule.rows);
    }
    if shown.customers {
        out.own("<td>");
        customers(out, rule);
        out.own("</td>");
    }
    if shown.to_know {
        out.own("<td>");
        to_know(out, rule);
        out.own("</td>");
    }
    out.own("</tr>\n");
}

fn is_wrong(rule: &RuleCounts) -> bool {
    rule.exceeded.is_some() || !rule.unmet.is_empty()
}

/// The customers that it explains differences of, the most first.
fn named(rule: &RuleCounts) -> Vec<(&Customer, &u64)> {
    let mut most: Vec<(&Customer, &u64)> = rule.customers.iter().collect();
    most.retain(|(customer, _)| **customer != Customer::Everybody);
    most.sort_by_key(|(_, differences)| Reverse(**differences));
    most
}

fn customers(out: &mut Markup, rule: &RuleCounts) {
    let most = named(rule);
    for (position, (customer, differences)) in most.iter().take(MAX_NAMED).enumerate() {
        out.own(if position > 0 { ", " } else { "" });
        out.name(&customer.label()).own(" ").number(**differences);
    }
    let others = most.len().saturating_sub(MAX_NAMED);
    if others > 0 {
        out.own(" and ").number(others as u64).own(" others");
    }
}

fn to_know(out: &mut Markup, rule: &RuleCounts) {
    if let Some(rows) = rule.exceeded {
        out.own("<span class=\"w bad\">✗ exceeded</span>: it would allow ");
        out.number(rows)
            .own(" rows, more than it may, so it counts as absent. ");
    }
    if !rule.unmet.is_empty() {
        let unmet: Vec<&Customer> = rule.unmet.iter().collect();
        out.own("<span class=\"w bad\">✗ must change</span>, and did not: ");
        out.sentence(&listed(&unmet)).own(". ");
    }
    if rule.differences == 0 && !is_wrong(rule) {
        out.own("matched nothing");
    }
}
