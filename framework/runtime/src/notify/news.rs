//! What webhooks hear.

use serde_json::{Value, json};
use understudy_core::digest::Digest;
use understudy_core::spec::News;
use understudy_core::verdict::Verdict;

use crate::pipeline::Pipeline;
use crate::report::model::{ChangeReport, LiveStatus, RunReport};

/// The format of messages.
const NEWS_FORMAT: u32 = 1;
/// The customers that a message names, the worst first.
const MAX_CUSTOMERS: usize = 20;
/// The alerts that a message carries.
const MAX_ALERTS: usize = 20;

/// One message.
pub(super) struct NewsItem {
    pub(super) kind: News,
    /// The same for the same news.
    pub(super) key: String,
    pub(super) body: Value,
}

/// Everything that there is to tell of a run.
pub(super) fn of(pipeline: &Pipeline, report: &RunReport) -> Vec<NewsItem> {
    let mut news = Vec::new();
    if report.live.status == LiveStatus::Failed {
        let body = json!({ "reasons": report.live.reasons });
        news.push(item(pipeline, report, News::LiveFailed, None, body));
    }
    if !report.alerts.is_empty() {
        let shown: Vec<&String> = report.alerts.iter().take(MAX_ALERTS).collect();
        let body = json!({ "alerts": shown, "alert_count": report.alerts.len() });
        news.push(item(pipeline, report, News::Alert, None, body));
    }
    for (name, change) in &report.changes {
        let body = json!({ "tasks": tasks(change), "customers": customers(change) });
        news.push(item(
            pipeline,
            report,
            kind(change.verdict),
            Some(name),
            body,
        ));
    }
    for (name, problems) in &report.suspended {
        let body = json!({ "suspended": problems });
        news.push(item(pipeline, report, News::Inconclusive, Some(name), body));
    }
    news
}

fn kind(verdict: Verdict) -> News {
    match verdict {
        Verdict::Identical => News::Identical,
        Verdict::Expected => News::Expected,
        Verdict::Inconclusive => News::Inconclusive,
        Verdict::Unexpected => News::Unexpected,
    }
}

fn item(
    pipeline: &Pipeline,
    report: &RunReport,
    kind: News,
    change: Option<&String>,
    details: Value,
) -> NewsItem {
    let mut body = json!({
        "version": NEWS_FORMAT,
        "kind": kind.name(),
        "pipeline": report.pipeline,
        "owner": pipeline.spec.owner,
        "runbook": pipeline.spec.runbook,
        "run": report.run,
        "date": report.date,
        "slice": report.slice,
        "change": change,
    });
    if let (Value::Object(body), Value::Object(details)) = (&mut body, details) {
        body.extend(details);
    }
    let identity = (&report.pipeline, &report.run, kind, change, &body);
    NewsItem {
        kind,
        key: Digest::of_json(&identity).as_str()[..32].to_owned(),
        body,
    }
}

fn tasks(change: &ChangeReport) -> Value {
    let task = |(name, task): (&String, &crate::report::model::TaskReport)| {
        let found = json!({
            "verdict": task.verdict,
            "reasons": task.reasons,
            "rows": task.rows,
            "expected": task.expected,
        });
        (name.clone(), found)
    };
    Value::Object(change.tasks.iter().map(task).collect())
}

/// Customers with something unexpected, the worst first.
fn customers(change: &ChangeReport) -> Value {
    let mut bad: Vec<_> = change
        .tasks
        .iter()
        .flat_map(|(task, report)| {
            report
                .customers
                .iter()
                .map(move |(customer, found)| (task, customer, found))
        })
        .filter(|(_, _, found)| found.unexpected > 0)
        .collect();
    bad.sort_by_key(|(_, _, found)| std::cmp::Reverse(found.unexpected));
    let line = |(task, customer, found): &(&String, &_, &crate::report::model::CustomerReport)| json!({ "customer": customer, "task": task, "unexpected": found.unexpected, "rows": found.rows, "stage": found.stage });
    bad.iter().take(MAX_CUSTOMERS).map(line).collect()
}
