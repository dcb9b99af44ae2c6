//! OpenLineage run events (specification 2-0-2): what was published from what, and what comparing it found, as
//! data-quality assertions.

use serde_json::{Value, json};
use understudy_core::digest::Digest;
use understudy_core::spec::{InputSource, Task};
use understudy_core::verdict::Verdict;

use crate::clock;
use crate::pipeline::Pipeline;
use crate::report::model::{LiveStatus, RunReport, TaskReport};

const PRODUCER: &str = concat!(
    "https://github.com/understudy-data/understudy/tree/",
    env!("CARGO_PKG_VERSION")
);
const RUN_EVENT: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
const ASSERTIONS: &str =
    "https://openlineage.io/spec/facets/1-0-1/DataQualityAssertionsDatasetFacet.json";
const ERROR: &str = "https://openlineage.io/spec/facets/1-0-1/ErrorMessageRunFacet.json";
const NOMINAL_TIME: &str = "https://openlineage.io/spec/facets/1-0-1/NominalTimeRunFacet.json";

/// The customers of a task that have an assertion of their own, the worst first.
const MAX_CUSTOMERS: usize = 50;

/// One event.
pub(super) struct LineageEvent {
    /// The same for the same event.
    pub(super) key: String,
    pub(super) body: Value,
}

/// The events of a run: one for each published output, one for each comparison, and one for a live half that failed.
pub(super) fn events(
    pipeline: &Pipeline,
    report: &RunReport,
    namespace: &str,
) -> Vec<LineageEvent> {
    let writer = Writer {
        pipeline,
        report,
        namespace,
    };
    let mut events = Vec::new();
    if report.live.status == LiveStatus::Failed {
        events.push(writer.live_failed());
    }
    if report.live.status == LiveStatus::Published {
        let published = report.live.outputs.keys();
        events.extend(published.filter_map(|task| writer.published(pipeline.spec.task(task)?)));
    }
    for (change, found) in &report.changes {
        events.extend(
            found
                .tasks
                .iter()
                .map(|(task, found)| writer.compared(change, task, found)),
        );
    }
    events
}

struct Writer<'a> {
    pipeline: &'a Pipeline,
    report: &'a RunReport,
    namespace: &'a str,
}

impl Writer<'_> {
    fn event(
        &self,
        job: &str,
        kind: &str,
        run_facets: Value,
        inputs: Vec<Value>,
        outputs: Vec<Value>,
    ) -> LineageEvent {
        let identity = Digest::of_json(&(&self.report.run, job, kind));
        let mut facets = json!({ "nominalTime": {
            "_producer": PRODUCER,
            "_schemaURL": NOMINAL_TIME,
            "nominalStartTime": format!("{}T00:00:00Z", self.report.date),
        } });
        if let (Value::Object(facets), Value::Object(more)) = (&mut facets, run_facets) {
            facets.extend(more);
        }
        let body = json!({
            "eventType": kind,
            "eventTime": clock::now_text(),
            "producer": PRODUCER,
            "schemaURL": RUN_EVENT,
            "run": { "runId": uuid(&identity), "facets": facets },
            "job": { "namespace": self.namespace, "name": job },
            "inputs": inputs,
            "outputs": outputs,
        });
        let key = identity.as_str()[..32].to_owned();
        LineageEvent { key, body }
    }

    fn published(&self, task: &Task) -> Option<LineageEvent> {
        let inputs = task.inputs.iter().map(|input| {
            let name = match &input.source {
                InputSource::Task(task) => self.output(task),
                InputSource::Stored(stored) => match self.pipeline.spec.datasets.get(stored.name())
                {
                    Some(dataset) => dataset.location.to_string(),
                    None => self.output(stored.name()),
                },
            };
            self.dataset(&name, None)
        });
        let output = self.dataset(task.output.location.as_deref()?, None);
        let job = format!("{}.{}", self.report.pipeline, task.name);
        Some(self.event(&job, "COMPLETE", json!({}), inputs.collect(), vec![output]))
    }

    fn compared(&self, change: &str, task: &str, report: &TaskReport) -> LineageEvent {
        let facet = json!({ "dataQualityAssertions": {
            "_producer": PRODUCER,
            "_schemaURL": ASSERTIONS,
            "assertions": assertions(change, report),
        } });
        let quarantine = format!(
            "{}/quarantine/{change}/{task}",
            self.pipeline.spec.store.trim_end_matches('/')
        );
        let inputs = vec![
            self.dataset(&self.output(task), None),
            self.dataset(&quarantine, Some(facet)),
        ];
        let job = format!("{}.{task}.{change}", self.report.pipeline);
        self.event(&job, "COMPLETE", json!({}), inputs, Vec::new())
    }

    fn live_failed(&self) -> LineageEvent {
        let error = json!({ "errorMessage": {
            "_producer": PRODUCER,
            "_schemaURL": ERROR,
            "message": self.report.live.reasons.join("; "),
            "programmingLanguage": "unknown",
        } });
        self.event(&self.report.pipeline, "FAIL", error, Vec::new(), Vec::new())
    }

    fn output(&self, task: &str) -> String {
        let task = self.pipeline.spec.task(task);
        let location = task.and_then(|task| task.output.location.clone());
        location.unwrap_or_else(|| task.map(|task| task.name.clone()).unwrap_or_default())
    }

    fn dataset(&self, name: &str, input_facets: Option<Value>) -> Value {
        let mut dataset =
            json!({ "namespace": self.namespace, "name": name.trim_end_matches('/') });
        if let Some(facets) = input_facets {
            dataset["inputFacets"] = facets;
        }
        dataset
    }
}

/// One for all, then the worst customers. What was not checked did not succeed.
fn assertions(change: &str, report: &TaskReport) -> Vec<Value> {
    let good = |verdict: Verdict| matches!(verdict, Verdict::Identical | Verdict::Expected);
    let one =
        |name: String, verdict: Verdict| json!({ "assertion": name, "success": good(verdict) });
    let all = one(
        format!("{change}: no unexpected differences"),
        report.verdict,
    );
    let customers = report.worst_first();
    let customers = customers.into_iter().take(MAX_CUSTOMERS);
    let customers = customers.map(|(customer, found)| {
        let name = format!(
            "{change}: no unexpected differences of {}",
            customer.label()
        );
        one(name, found.verdict)
    });
    std::iter::once(all).chain(customers).collect()
}

/// A UUID (RFC 9562, version 8: of one's own making) from a digest, so that a run that is told twice is one run.
fn uuid(digest: &Digest) -> String {
    let hex: Vec<char> = digest.as_str().chars().take(32).collect();
    let part = |range: std::ops::Range<usize>| hex[range].iter().collect::<String>();
    format!(
        "{}-{}-8{}-9{}-{}",
        part(0..8),
        part(8..12),
        part(13..16),
        part(17..20),
        part(20..32)
    )
}
