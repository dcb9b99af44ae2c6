//! A report as one page for a browser: for an engineer, an analyst and the person on call, on a screen or on paper.
//!
//! The order is always the same: the verdict in a sentence, figures, then of each task its columns, customers and rules,
//! then groups of differences and examples with the changed part of each cell marked; the worst first.
//!
//! A page asks for nothing and runs nothing: it has no script and no address of anything else, and its policy forbids
//! both. What comes from data is text and never markup (`markup`). It is small however much differs: lists are cut and
//! say where the rest is, and beyond [`MAX_BYTES`] nothing more is listed.

mod checks;
mod edits;
mod examples;
mod headline;
mod markup;
mod rules;
mod tables;
mod task;

use std::path::Path;

use sha2::{Digest as _, Sha256};
use understudy_core::verdict::Verdict;

use self::markup::Markup;
use super::error::ReportError;
use super::files::whole_file::write_whole;
use super::model::{ChangeReport, RunReport, TaskReport};
use super::terminal;
use crate::diff::DiffReport;

/// The file's name.
pub const REPORT_HTML: &str = "report.html";

/// Beyond so many bytes nothing more is listed; what was begun is finished.
pub const MAX_BYTES: usize = 300_000;

const STYLE: &str = include_str!("html/style.css");

/// Writes a page over the one that may be there.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, page: &str) -> Result<(), ReportError> {
    write_whole(path, page)
}

/// The page of one change in one run.
#[must_use]
pub fn of_change(run: &RunReport, name: &str, change: &ChangeReport) -> String {
    let mut body = Markup::default();
    body.own("<header>\n<h1>");
    body.own("Change <span class=\"t\">").name(name);
    body.own("</span></h1>\n");
    origin(&mut body, run);
    headline::of_change(&mut body, run, change);
    body.own("</header>\n<main>\n");
    let tasks = terminal::worst_tasks(change);
    headline::concerns(&mut body, run, change);
    tables::tasks(&mut body, &tasks);
    for (position, (task, report)) in tasks.iter().enumerate() {
        if body.len() > MAX_BYTES {
            left_out(&mut body, tasks.len() - position);
            break;
        }
        task::show(&mut body, position, task, report);
    }
    notes(&mut body, &run.notes);
    body.own("</main>\n");
    page(&format!("{name}, {}", run.date), change.verdict, body)
}

/// The page of two tables that were compared.
#[must_use]
pub fn of_diff(report: &DiffReport) -> String {
    let mut body = Markup::default();
    let [old, new] = &report.tables;
    body.own("<header>\n<h1>Two tables <span class=\"t\">")
        .name(old)
        .own(" → ")
        .name(new)
        .own("</span></h1>\n");
    headline::of_task(&mut body, &report.task);
    body.own("</header>\n<main>\n");
    task::of_tables(&mut body, &report.task);
    body.own("</main>\n");
    page(&format!("{old} → {new}"), report.verdict, body)
}

fn origin(body: &mut Markup, run: &RunReport) {
    body.aside(|out| {
        out.own("Pipeline ").name(&run.pipeline).own(", run date ");
        out.text(&run.date.to_string());
        if let Some(slice) = &run.slice {
            out.own(", slice ").name(slice);
        }
        out.own(", run ").name(&run.run);
        out.own(", ")
            .text(&terminal::time(run.wall_ms))
            .own(" in all");
    });
}

/// What is worth knowing of the whole run.
fn notes(body: &mut Markup, notes: &[String]) {
    if notes.is_empty() {
        return;
    }
    body.own("<section><h2>Of the whole run</h2>\n");
    task::sentences(body, notes);
    body.own("</section>\n");
}

fn left_out(body: &mut Markup, tasks: usize) {
    body.own("<p>The page ends here: ")
        .number(tasks as u64)
        .own(" more tasks stand in the table above, and in the folders beside this page.</p>\n");
}

/// The document. Its policy names the one style that it has, so that no other takes effect.
fn page(title: &str, verdict: Verdict, body: Markup) -> String {
    let mut out = Markup::default();
    out.own("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .own("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-")
        .text(&digest(STYLE))
        .own("'\">\n<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n")
        .own("<meta name=\"referrer\" content=\"no-referrer\">\n<title>")
        .text(headline::word(verdict))
        .own(": ")
        .title(title)
        .own("</title>\n<style>")
        .own(STYLE)
        .own("</style>\n</head>\n<body>\n");
    let mut text = out.into_text();
    text.push_str(&body.into_text());
    text.push_str(FOOTER);
    text
}

const FOOTER: &str = "<footer>Understudy. Old is the version that has been, new is the one that comes; a difference goes from old to new. \
Characters that cannot be seen stand as pictures or code points in a dotted frame. The files beside this page have all differences.</footer>\n</body>\n</html>\n";

/// The digest of a style as a policy names it: base64 of SHA-256.
fn digest(style: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes = Sha256::digest(style.as_bytes());
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let word = three
            .iter()
            .chain(&[0, 0])
            .take(3)
            .fold(0_usize, |word, byte| word << 8 | usize::from(*byte));
        for place in 0..=three.len() {
            text.push(char::from(LETTERS[word >> (18 - 6 * place) & 63]));
        }
        text.push_str(&"=="[..3 - three.len()]);
    }
    text
}

/// Every row once: pairs, and those on one side only.
fn all_rows(report: &TaskReport) -> u64 {
    let rows = report.rows.unwrap_or_default();
    rows.matched + rows.only_old + rows.only_new
}

#[cfg(test)]
mod tests;
