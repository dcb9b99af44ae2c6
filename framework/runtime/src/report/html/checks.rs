//! What further comparators found: metrics, queries, programs.

use understudy_core::comparison::{CheckFinding, CheckFindings, CheckFound};

use super::MAX_BYTES;
use super::examples::sides;
use super::markup::Head::{Number, Words};
use super::markup::{Head, Markup};
use super::tables::more;
use crate::report::model::TaskReport;

const MAX_CHECKS: usize = 30;
const MAX_FINDINGS: usize = 10;

const CHECKS: &[Head] = &[
    Words("check"),
    Words("verdict"),
    Number("unexpected"),
    Number("as expected"),
    Number("looked at"),
];

const FINDINGS: &[Head] = &[
    Words("what"),
    Words("old"),
    Words("new"),
    Words("change"),
    Words("expected by"),
];

pub(super) fn show(out: &mut Markup, report: &TaskReport) {
    if report.checks.is_empty() {
        return;
    }
    let mut checks: Vec<&CheckFound> = report.checks.iter().collect();
    checks.sort_by_key(|check| match &check.outcome {
        Ok(found) => (found.unexpected == 0, found.expected == 0),
        Err(_) => (false, true),
    });
    out.own("<h3>Checks</h3>\n");
    out.table("Checks, the worst first", CHECKS, |out| {
        for check in checks.iter().take(MAX_CHECKS) {
            one(out, check);
        }
    });
    more(
        out,
        checks.len(),
        MAX_CHECKS,
        " more checks; summary.json has all.",
    );
    for check in checks.iter().take(MAX_CHECKS) {
        if let Ok(found) = &check.outcome
            && !found.examples.is_empty()
            && out.len() < MAX_BYTES
        {
            out.own("<h4>").name(&check.name).own("</h4>\n");
            findings(out, found);
        }
    }
}

fn one(out: &mut Markup, check: &CheckFound) {
    out.own("<tr><th scope=\"row\">").name(&check.name);
    out.own("</th><td>");
    match &check.outcome {
        Ok(found) => {
            out.own(if found.unexpected > 0 {
                "<span class=\"w bad\">✗ unexpected</span>"
            } else if found.expected > 0 {
                "<span class=\"w good\">✓ as expected</span>"
            } else {
                "<span class=\"w good\">= nothing found</span>"
            });
            out.own("</td>").number_cell(found.unexpected);
            out.number_cell(found.expected).number_cell(found.looked_at);
        }
        Err(reason) => {
            out.own("<span class=\"w doubt\">? NOT CHECKED</span></td><td colspan=\"3\">");
            out.sentence(reason).own("</td>");
        }
    }
    out.own("</tr>\n");
}

fn findings(out: &mut Markup, found: &CheckFindings) {
    out.table("What it found, the worst first", FINDINGS, |out| {
        for finding in found.examples.iter().take(MAX_FINDINGS) {
            one_finding(out, finding);
        }
    });
    more(
        out,
        usize::try_from(found.unexpected + found.expected).unwrap_or(usize::MAX),
        found.examples.len().min(MAX_FINDINGS),
        " more findings.",
    );
}

fn one_finding(out: &mut Markup, finding: &CheckFinding) {
    out.own("<tr><th scope=\"row\">");
    if let Some(customer) = &finding.customer {
        out.name(&customer.label()).own(": ");
    }
    out.sentence(&finding.what).own("</th>");
    sides(out, finding.old.as_deref(), finding.new.as_deref());
    out.own("<td class=\"n\">");
    if let Some(delta) = &finding.delta {
        out.name(delta);
    }
    out.own("</td><td>");
    match &finding.rule {
        Some(rule) => out.name(rule),
        None => out.own("<span class=\"w bad\">✗ no rule</span>"),
    };
    out.own("</td></tr>\n");
}
