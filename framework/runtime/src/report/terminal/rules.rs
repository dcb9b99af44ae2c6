//! What each rule explained, which of them need a look, and what checks found.

use std::cmp::Reverse;

use understudy_core::comparison::{CheckFound, RuleCounts};
use understudy_core::customer::{Customer, listed};

use super::facts::{MAX_FACTS, NAME_WIDTH, list};
use super::figures::{count, counted};
use super::page::{Page, name};
use super::{Detail, Tone};
use crate::report::model::TaskReport;

/// The customers that are named beside a rule.
const MAX_NAMED: usize = 3;

/// Rules that are broken come first; one that matched nothing may no longer be needed, or may not say what it should.
pub(crate) fn show(page: &mut Page, report: &TaskReport, detail: &Detail) {
    let most = detail.at_most(MAX_FACTS);
    for rule in report.rules.iter().take(detail.at_most(MAX_FACTS)) {
        broken(page, rule);
    }
    let used = report.rules.iter().filter(|rule| rule.differences > 0);
    let used = used.map(|rule| explains(rule, detail)).collect();
    list(page, "rules", used, most);
    let idle = report
        .rules
        .iter()
        .filter(|rule| rule.differences == 0 && rule.exceeded.is_none() && rule.unmet.is_empty());
    let idle = idle.map(|idle| format!("{} matched nothing", quoted(&idle.name)));
    list(page, "idle", idle.collect(), most);
    checks(page, &report.checks, most);
}

fn broken(page: &mut Page, rule: &RuleCounts) {
    let rule_name = quoted(&rule.name);
    if let Some(rows) = rule.exceeded {
        let rows = counted(rows, "row", "rows");
        page.entry(
            &[(Tone::Plain, "    rules     "), (Tone::Bad, "EXCEEDED")],
            &format!(" {rule_name}: it would allow {rows}, more than it may, and counts as absent"),
        );
    }
    if !rule.unmet.is_empty() {
        let unmet: Vec<&Customer> = rule.unmet.iter().collect();
        page.entry(
            &[(Tone::Plain, "    rules     "), (Tone::Bad, "UNMET")],
            &format!(" {rule_name}: must change and did not: {}", listed(&unmet)),
        );
    }
}

/// How much it explains; of one task, also whose.
fn explains(rule: &RuleCounts, detail: &Detail) -> String {
    let text = format!(
        "{} explains {}",
        quoted(&rule.name),
        count(rule.differences)
    );
    if *detail == Detail::Summary {
        return text;
    }
    let mut most: Vec<(&Customer, &u64)> = rule.customers.iter().collect();
    most.retain(|(customer, _)| **customer != Customer::Everybody);
    most.sort_by_key(|(_, differences)| Reverse(**differences));
    let named = most.iter().take(MAX_NAMED);
    let named: Vec<String> = named
        .map(|(customer, differences)| {
            format!("{} {}", name(&customer.label(), 20), count(**differences))
        })
        .collect();
    match (named.is_empty(), most.len().saturating_sub(MAX_NAMED)) {
        (true, _) => text,
        (false, 0) => format!("{text} ({})", named.join(", ")),
        (false, 1) => format!("{text} ({} and 1 other)", named.join(", ")),
        (false, others) => format!("{text} ({} and {others} others)", named.join(", ")),
    }
}

/// What further comparators found, the worst first.
fn checks(page: &mut Page, checks: &[CheckFound], most: usize) {
    let mut sorted: Vec<&CheckFound> = checks.iter().collect();
    sorted.sort_by_key(|check| match &check.outcome {
        Ok(found) => (found.unexpected == 0, found.expected == 0),
        Err(_) => (false, true),
    });
    let fact = |check: &&CheckFound| {
        let of = name(&check.name, NAME_WIDTH);
        match &check.outcome {
            Err(reason) => format!("{of} NOT CHECKED: {reason}"),
            Ok(found) if found.unexpected > 0 => {
                let first = found.examples.iter().find(|finding| finding.rule.is_none());
                let first =
                    first.map(|finding| format!(", such as {}", name(&finding.what, NAME_WIDTH)));
                format!(
                    "{of} {} UNEXPECTED{}",
                    count(found.unexpected),
                    first.unwrap_or_default()
                )
            }
            Ok(found) if found.expected > 0 => {
                format!("{of} {} as expected", count(found.expected))
            }
            Ok(found) => format!("{of} found nothing in {}", count(found.looked_at)),
        }
    };
    list(page, "checks", sorted.iter().map(fact).collect(), most);
}

fn quoted(rule: &str) -> String {
    format!("\"{}\"", name(rule, NAME_WIDTH))
}
