//! One compared task: its verdict, figures, columns, customers, rules, groups and examples.

use understudy_core::share::percent;
use understudy_core::verdict::Verdict;

use super::headline::{badge, sentence};
use super::markup::Markup;
use super::{all_rows, checks, examples, rules, tables};
use crate::report::files::customers::CUSTOMERS_CSV;
use crate::report::files::diff::DIFF_PARQUET;
use crate::report::files::summary::SUMMARY_JSON;
use crate::report::model::{TaskFiles, TaskReport};
use crate::report::terminal::time;
use crate::report::units::bytes;

/// The sentences of a list.
const MAX_SENTENCES: usize = 20;

/// A task of a change.
pub(super) fn show(out: &mut Markup, position: usize, task: &str, report: &TaskReport) {
    let id = position.to_string();
    out.own("<section aria-labelledby=\"t").text(&id);
    out.own("\"><h2 id=\"t").text(&id).own("\">").name(task);
    out.own("</h2>\n<p>");
    badge(out, report.verdict);
    out.own(" ").sentence(&sentence(report)).own("</p>\n");
    versions(out, report);
    sentences(out, rest_of(report));
    if report.verdict != Verdict::Identical || !report.rules.is_empty() {
        figures(out, report);
    }
    findings(out, report);
    out.own("</section>\n");
}

/// Two tables, whose verdict stands above already.
pub(super) fn of_tables(out: &mut Markup, report: &TaskReport) {
    sentences(out, rest_of(report));
    figures(out, report);
    findings(out, report);
}

/// The reasons that the sentence does not give.
fn rest_of(report: &TaskReport) -> &[String] {
    let rows = report.rows.unwrap_or_default();
    let told = report.verdict == Verdict::Inconclusive
        || report.rows.is_none()
        || (report.verdict == Verdict::Unexpected && rows.unexpected == 0);
    report.reasons.get(usize::from(told)..).unwrap_or_default()
}

fn versions(out: &mut Markup, report: &TaskReport) {
    out.aside(|out| {
        if report.old_version == report.new_version {
            out.own("Version ").name(&report.old_version);
            out.own(" on both sides: it only stands downstream.");
        } else {
            out.own("Old version ").name(&report.old_version);
            out.own(", new version ").name(&report.new_version).own(".");
        }
        let Some([old, new]) = &report.usage else {
            return;
        };
        for (side, usage) in [(" Old took ", old), (" New took ", new)] {
            out.own(side).text(&time(usage.wall_ms));
            if usage.peak_memory_bytes > 0 {
                out.own(" and ").text(&bytes(usage.peak_memory_bytes));
            }
            out.own(".");
        }
    });
}

fn figures(out: &mut Markup, report: &TaskReport) {
    let Some(rows) = report.rows else { return };
    let all = all_rows(report);
    let share = |part: u64| (part > 0).then(|| percent(part, all));
    out.own("<dl>\n");
    let mut figure = |title: &'static str, number: u64, small: Option<String>| {
        out.own("<div><dt>").own(title).own("</dt><dd>");
        out.number(number);
        if let Some(small) = small {
            out.own(" <small>").text(&small).own("</small>");
        }
        out.own("</dd></div>\n");
    };
    figure("rows unexpected", rows.unexpected, share(rows.unexpected));
    figure("rows as expected", report.expected, share(report.expected));
    figure("rows changed", rows.changed, None);
    figure("rows only in old", rows.only_old, None);
    figure("rows only in new", rows.only_new, None);
    figure("rows in old", rows.old, None);
    figure("rows in new", rows.new, None);
    if rows.duplicate_keys > 0 {
        figure("keys more than once on a side", rows.duplicate_keys, None);
    }
    out.own("</dl>\n");
}

fn findings(out: &mut Markup, report: &TaskReport) {
    tables::columns(out, report);
    tables::schema(out, report);
    tables::customers(out, report);
    rules::show(out, report);
    checks::show(out, report);
    examples::groups(out, report);
    examples::show(out, report);
    if !report.notes.is_empty() {
        out.own("<h3>Notes</h3>\n");
        sentences(out, &report.notes);
    }
    if let Some(files) = &report.files {
        paths(out, files);
    }
}

fn paths(out: &mut Markup, files: &TaskFiles) {
    if files.folder.is_empty() {
        return;
    }
    out.own("<h3>Files</h3>\n<ul>\n");
    for path in files.diff_csvs() {
        out.own("<li>").path(&path).own("</li>\n");
    }
    for name in [DIFF_PARQUET, CUSTOMERS_CSV, SUMMARY_JSON] {
        out.own("<li>").path(&files.path_of(name)).own("</li>\n");
    }
    out.own("</ul>\n");
    let diff = &files.diff;
    if !diff.csv_complete {
        out.aside(|out| {
            out.own("The CSV has ").number(diff.csv_lines).own(" of ");
            out.number(diff.lines)
                .own(" differences; the Parquet file has all.");
        });
    }
}

/// A list of sentences.
pub(super) fn sentences(out: &mut Markup, sentences: &[String]) {
    if sentences.is_empty() {
        return;
    }
    out.own("<ul>\n");
    for sentence in sentences.iter().take(MAX_SENTENCES) {
        out.own("<li>").sentence(sentence).own("</li>\n");
    }
    let more = sentences.len().saturating_sub(MAX_SENTENCES);
    if more > 0 {
        out.own("<li>and ").number(more as u64).own(" more</li>\n");
    }
    out.own("</ul>\n");
}
