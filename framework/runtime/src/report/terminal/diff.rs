//! The findings of a comparison of two tables on a terminal.

use understudy_core::verdict::Verdict;

use super::figures::counted;
use super::ink::Ink;
use super::page::Page;
use super::{Detail, Tone, task, tone};
use crate::diff::DiffReport;
use crate::report::html::REPORT_HTML;

/// The text to print: the verdict first, then what explains it, then where to read on.
#[must_use]
pub fn render(report: &DiffReport, ink: Ink) -> String {
    let (mut page, shown) = (Page::new(ink), &report.task);
    let word = match report.verdict {
        Verdict::Unexpected => "UNEXPECTED",
        Verdict::Inconclusive => "NOT CHECKED",
        Verdict::Expected => "EXPECTED",
        Verdict::Identical => "IDENTICAL",
    };
    let (rest, reasons) = task::explanation(shown);
    page.entry(&[(tone(report.verdict), word)], &rest);
    for reason in reasons {
        page.entry(&[(Tone::Quiet, "    because   ")], reason);
    }
    let rows = report.comparison.rows;
    let sides = format!(
        "{} in OLD, {} in NEW, {}",
        counted(rows.old, "row", "rows"),
        counted(rows.new, "row", "rows"),
        counted(rows.matched, "pair", "pairs")
    );
    page.entry(&[(Tone::Quiet, "    tables    ")], &sides);
    task::findings(&mut page, shown, &Detail::Summary);
    if let Some(out) = &report.out {
        page.path(
            "    report    ",
            &out.join(REPORT_HTML).display().to_string(),
        );
        page.path("    files     ", &out.display().to_string());
    }
    page.finish()
}
