//! A run for a CI server: a suite a change, a case a task and customer.

use std::fmt::Write as _;

use understudy_core::verdict::Verdict;

use crate::report::model::{ChangeReport, LiveStatus, RunReport, TaskReport};
use crate::report::visible::visible_lines;

/// The customers of a task that have a case of their own. Whoever is left out is never worse than those that are not.
const MAX_CUSTOMERS: usize = 1_000;

/// The run as JUnit XML, as most CI servers read it.
#[must_use]
pub fn render(report: &RunReport) -> String {
    let mut suites = String::new();
    live(&mut suites, report);
    for (name, change) in &report.changes {
        suite(&mut suites, report, name, change);
    }
    for (name, problems) in &report.suspended {
        let mut cases = Cases::default();
        cases.add(name, "change", Verdict::Inconclusive, &problems.join("\n"));
        cases.end(&mut suites, name, report.wall_ms);
    }
    document(&report.pipeline, &suites)
}

/// The suites as a document.
pub(crate) fn document(name: &str, suites: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\">\n{suites}</testsuites>\n",
        escaped(name)
    )
}

fn live(suites: &mut String, report: &RunReport) {
    let verdict = match report.live.status {
        LiveStatus::Failed | LiveStatus::Interrupted => Verdict::Unexpected,
        LiveStatus::NotAsked => return,
        LiveStatus::Published | LiveStatus::AlreadyPublished => Verdict::Identical,
    };
    let mut cases = Cases::default();
    cases.add(
        "live",
        "published",
        verdict,
        &report.live.reasons.join("\n"),
    );
    cases.end(suites, "live", report.wall_ms);
}

fn suite(suites: &mut String, report: &RunReport, name: &str, change: &ChangeReport) {
    let mut cases = Cases::default();
    for (task, found) in &change.tasks {
        cases_of(&mut cases, task, found);
    }
    cases.end(suites, name, report.wall_ms);
}

fn cases_of(cases: &mut Cases, task: &str, report: &TaskReport) {
    // What concerns all customers at once, or none that is known.
    if report.customers.is_empty() || !report.reasons.is_empty() {
        cases.add(
            task,
            "all customers",
            report.verdict,
            &report.reasons.join("\n"),
        );
    }
    let customers = report.worst_first();
    for (customer, found) in customers.iter().take(MAX_CUSTOMERS) {
        let words = format!(
            "{} of {} rows unexpected, {} expected{}",
            found.unexpected,
            found.rows,
            found.expected,
            report
                .files
                .as_ref()
                .map(|files| format!("; see {}", files.diff_csv()))
                .unwrap_or_default()
        );
        cases.add(task, &customer.label(), found.verdict, &words);
    }
    let rest = &customers[customers.len().min(MAX_CUSTOMERS)..];
    if let Some(worst) = rest.iter().map(|(_, found)| found.verdict).max() {
        let words = format!("{} more customers, the worst of them {worst}", rest.len());
        cases.add(task, &words, worst, &words);
    }
}

/// The cases of a suite.
#[derive(Default)]
pub(crate) struct Cases {
    text: String,
    tests: usize,
    failures: usize,
    skipped: usize,
}

impl Cases {
    fn add(&mut self, task: &str, name: &str, verdict: Verdict, words: &str) {
        self.tests += 1;
        let head = format!(
            "    <testcase classname=\"{}\" name=\"{}\"",
            escaped(task),
            escaped(name)
        );
        let words = escaped(words);
        let _ = match verdict {
            Verdict::Identical | Verdict::Expected => writeln!(self.text, "{head}/>"),
            Verdict::Unexpected => {
                self.failures += 1;
                writeln!(
                    self.text,
                    "{head}>\n      <failure message=\"unexpected\">{words}</failure>\n    </testcase>"
                )
            }
            Verdict::Inconclusive => {
                self.skipped += 1;
                writeln!(
                    self.text,
                    "{head}>\n      <skipped message=\"not checked\"/>\n      <system-out>{words}</system-out>\n    </testcase>"
                )
            }
        };
    }

    /// A case of a test, with why it failed.
    pub(crate) fn tested(&mut self, class: &str, name: &str, failed: Option<&str>, words: &str) {
        self.tests += 1;
        let head = format!(
            "    <testcase classname=\"{}\" name=\"{}\"",
            escaped(class),
            escaped(name)
        );
        let _ = match failed {
            None => writeln!(self.text, "{head}/>"),
            Some(why) => {
                self.failures += 1;
                let (why, words) = (escaped(why), escaped(words));
                writeln!(
                    self.text,
                    "{head}>\n      <failure message=\"{why}\">{words}</failure>\n    </testcase>"
                )
            }
        };
    }

    pub(crate) fn end(self, suites: &mut String, name: &str, wall_ms: u64) {
        let Self {
            text,
            tests,
            failures,
            skipped,
        } = self;
        let seconds = wall_ms as f64 / 1_000.0;
        let _ = write!(
            suites,
            "  <testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" \
             time=\"{seconds:.3}\">\n{text}  </testsuite>\n",
            escaped(name)
        );
    }
}

/// Text that XML takes, and that acts on no screen: what XML forbids even as a reference is replaced.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in visible_lines(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push_str("&#10;"),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}
