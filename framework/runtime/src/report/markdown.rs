//! A run for a pull request: what a reviewer reads before the code.
//!
//! Nothing from data becomes Markdown, HTML, a link or a mention: every such text stands as code, and what would end
//! the code, the cell or the line is replaced.

use std::fmt::Write as _;

use understudy_core::verdict::Verdict;

use crate::report::files::example::Example;
use crate::report::model::{ChangeReport, LeakReport, LiveStatus, RunReport, TaskReport};
use crate::report::terminal::{count, counted, percent};
use crate::report::visible::visible;

/// The customers of a task that are listed.
const MAX_CUSTOMERS: usize = 10;
/// The examples of a task.
const MAX_EXAMPLES: usize = 5;
/// The characters of one text from data.
const MAX_TEXT_CHARS: usize = 80;
/// The length of the whole: what hosts of pull requests take, and a margin.
const MAX_BYTES: usize = 60_000;

/// The run as Markdown.
#[must_use]
pub fn render(report: &RunReport) -> String {
    let mut text = String::new();
    let slice = report
        .slice
        .as_ref()
        .map(|slice| format!(", slice {}", code(slice)));
    let _ = writeln!(
        text,
        "## {} {}: {}\n\n{} {}{}, run {}",
        symbol(report),
        code(&report.pipeline),
        headline(report),
        live(report),
        report.date,
        slice.unwrap_or_default(),
        code(&report.run)
    );
    for alert in &report.alerts {
        let _ = writeln!(text, "\n> **ALERT** {}", code(alert));
    }
    for (name, change) in &report.changes {
        show_change(&mut text, name, change);
    }
    for (name, problems) in &report.suspended {
        let _ = writeln!(text, "\n### {}: SUSPENDED\n", code(name));
        for problem in problems {
            let _ = writeln!(text, "- {}", code(problem));
        }
    }
    bounded(text)
}

fn bounded(mut text: String) -> String {
    if text.len() <= MAX_BYTES {
        return text;
    }
    let cut = text.floor_char_boundary(MAX_BYTES);
    let line = text[..cut].rfind('\n').unwrap_or(cut);
    text.truncate(line);
    text.push_str("\n\nThe rest is left out: it is in the run's own files.\n");
    text
}

fn symbol(report: &RunReport) -> &'static str {
    match (report.live.status, worst(report)) {
        (LiveStatus::Failed | LiveStatus::Interrupted, _) | (_, Some(Verdict::Unexpected)) => "❌",
        (_, Some(Verdict::Inconclusive)) => "⚠️",
        _ => "✅",
    }
}

fn worst(report: &RunReport) -> Option<Verdict> {
    let suspended = report.suspended.keys().map(|_| Verdict::Inconclusive);
    let changes = report.changes.values().map(|change| change.verdict);
    changes.chain(suspended).max()
}

fn headline(report: &RunReport) -> &'static str {
    if matches!(report.live.status, LiveStatus::Failed) {
        return "LIVE FAILED";
    }
    match worst(report) {
        Some(Verdict::Unexpected) => "UNEXPECTED differences",
        Some(Verdict::Inconclusive) => "NOT CHECKED",
        Some(Verdict::Expected) => "differs as expected",
        Some(Verdict::Identical) => "identical",
        None => "nothing to compare",
    }
}

fn live(report: &RunReport) -> &'static str {
    match report.live.status {
        LiveStatus::Published => "Published",
        LiveStatus::AlreadyPublished => "Published before",
        LiveStatus::Failed => "Nothing published",
        LiveStatus::NotAsked => "Shadow only",
        LiveStatus::Interrupted => "Interrupted",
    }
}

fn show_change(text: &mut String, name: &str, change: &ChangeReport) {
    let _ = writeln!(text, "\n### {}: {}\n", code(name), word(change.verdict));
    text.push_str(
        "| task | versions | verdict | rows | unexpected | expected |\n|---|---|---|--:|--:|--:|\n",
    );
    for (task, report) in &change.tasks {
        let (all, unexpected) = match &report.rows {
            Some(rows) => (count(total(report)), count(rows.unexpected)),
            None => ("–".to_owned(), "–".to_owned()),
        };
        let _ = writeln!(
            text,
            "| {} | {} → {} | {} | {all} | {unexpected} | {} |",
            code(task),
            code(&report.old_version),
            code(&report.new_version),
            word(report.verdict),
            count(report.expected)
        );
    }
    for leak in &change.leaks {
        show_leak(text, leak);
    }
    for (task, report) in &change.tasks {
        show_task(text, task, report);
    }
}

/// The alert at the top is the sentence; here is who.
fn show_leak(text: &mut String, report: &LeakReport) {
    let who = match report.leak.customers {
        None => "of whoever they are".to_owned(),
        Some(customers) => format!("of {} at OLD", counted(customers, "customer", "customers")),
    };
    let _ = writeln!(
        text,
        "\n**LEAK** into {}: {} {who} would not be so without the flip, because {}\n",
        code(&report.task),
        counted(report.leak.rows, "row", "rows"),
        code(&report.leak.because)
    );
    for example in &report.leak.examples {
        let customer = code(&example.customer.label());
        let _ = writeln!(
            text,
            "- {customer}: {}",
            counted(example.rows, "row", "rows")
        );
    }
    let _ = writeln!(text, "\nAll of it: {}", code(&report.differences));
}

fn total(report: &TaskReport) -> u64 {
    report
        .rows
        .map_or(0, |rows| rows.matched + rows.only_old + rows.only_new)
}

fn show_task(text: &mut String, task: &str, report: &TaskReport) {
    for reason in &report.reasons {
        let _ = writeln!(text, "\n- {}: {}", code(task), code(reason));
    }
    if report.verdict != Verdict::Unexpected {
        return;
    }
    let bad: Vec<_> = report
        .worst_first()
        .into_iter()
        .filter(|(_, customer)| customer.unexpected > 0)
        .collect();
    if !bad.is_empty() {
        let _ = writeln!(
            text,
            "\n{}: unexpected by customer\n\n| customer | unexpected | of its rows |\n|---|--:|--:|",
            code(task)
        );
    }
    for (customer, report) in bad.iter().take(MAX_CUSTOMERS) {
        let share = percent(report.unexpected, report.rows.max(report.unexpected));
        let _ = writeln!(
            text,
            "| {} | {} | {share} |",
            code(&customer.label()),
            count(report.unexpected)
        );
    }
    if bad.len() > MAX_CUSTOMERS {
        let _ = writeln!(text, "\nand {} more customers", bad.len() - MAX_CUSTOMERS);
    }
    let examples = report.files.iter().flat_map(|files| &files.diff.examples);
    let examples: Vec<&Example> = examples.take(MAX_EXAMPLES).collect();
    if !examples.is_empty() {
        text.push_str("\n| customer | key | column | old | new |\n|---|---|---|---|---|\n");
    }
    for example in examples {
        show_example(text, example);
    }
    if let Some(files) = &report.files {
        let _ = writeln!(text, "\nAll differences: {}", code(&files.diff_csv()));
    }
}

fn show_example(text: &mut String, example: &Example) {
    let key = example
        .key
        .iter()
        .map(|part| format!("{}={}", part.column, part.text.as_deref().unwrap_or("NULL")));
    let key = code(&key.collect::<Vec<_>>().join(" "));
    let value = |value: &Option<String>| value.as_deref().map_or_else(|| "NULL".to_owned(), code);
    for cell in &example.cells {
        let _ = writeln!(
            text,
            "| {} | {key} | {} | {} | {} |",
            code(&example.customer.label()),
            code(&cell.column),
            value(&cell.old),
            value(&cell.new)
        );
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Identical => "identical",
        Verdict::Expected => "as expected",
        Verdict::Inconclusive => "**NOT CHECKED**",
        Verdict::Unexpected => "**UNEXPECTED**",
    }
}

/// A text as code in a table's cell. A backtick would end it, a bar the cell.
fn code(text: &str) -> String {
    let shown = visible(text);
    let mut safe: String = shown
        .chars()
        .take(MAX_TEXT_CHARS)
        .map(|c| match c {
            '`' => 'ˋ',
            '|' => '¦',
            '\\' => '⧵',
            other => other,
        })
        .collect();
    if shown.chars().count() > MAX_TEXT_CHARS {
        safe.push('…');
    }
    if safe.trim().is_empty() {
        return format!("`\"{safe}\"`");
    }
    format!("`{safe}`")
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn nothing_from_data_is_markup() {
        for (text, expected) in [
            ("plain", "`plain`"),
            ("<script>", "`<script>`"),
            ("a`b|c\\`", "`aˋb¦c⧵ˋ`"),
            ("@team [x](http://y)", "`@team [x](http://y)`"),
            ("two\nlines", "`two␊lines`"),
            ("", "`\"\"`"),
        ] {
            assert_eq!(code(text), expected);
        }
        assert_eq!(code(&"x".repeat(200)).chars().count(), 83);
    }
}
