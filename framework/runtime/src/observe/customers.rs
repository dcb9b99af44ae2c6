//! The customers that rules are for, where a dataset says who they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use understudy_core::rule::CustomerQuery;
use understudy_core::snapshot::InputSnapshot;
use understudy_core::spec::{Problem, Scope, Spec, Spot, Stored};

use super::{Wanted, When, dataset_source, pin_wanted};
use crate::pipeline::Pipeline;
use crate::worker::{Answer, Crew, CustomersJob, Invocation, Job, WorkerLimits};

/// Live waits for it, so that it has no longer than this.
const LIMIT: WorkerLimits = WorkerLimits {
    wall: Some(Duration::from_secs(60)),
    memory_bytes: Some(2 << 30),
    disk_bytes: None,
    processes: None,
    files: None,
};

/// Finds the customers of all rules that take them from a dataset, and puts them into the rules. What cannot be found
/// is a problem of the rule's change.
pub async fn find_customers(
    pipeline: &mut Pipeline,
    when: &When,
    crew: &Crew,
    folder: &Path,
) -> Vec<Problem> {
    let queries = queries(&pipeline.spec);
    let mut found = BTreeMap::new();
    for (position, query) in queries.into_iter().enumerate() {
        let folder = folder.join(format!("customers-{position}"));
        let answer = ask(pipeline, &query, when, crew, &folder).await;
        found.insert(key(&query), answer);
    }
    let mut problems = Vec::new();
    let Pipeline { spec, places, .. } = pipeline;
    for change in spec.changes.values_mut() {
        for rule in change.expect.values_mut().flatten() {
            let Some(query) = &rule.customer_query else {
                continue;
            };
            match &found[&key(query)] {
                Ok(customers) => rule.customers = Some(customers.clone()),
                Err(reason) => problems.push(places.problem(
                    &Spot::Change(change.name.clone()),
                    Scope::Change(change.name.clone()),
                    &format!(
                        "the customers of rule `{}` cannot be found in dataset `{}`: {reason}",
                        rule.name, query.dataset
                    ),
                    "correct `where` of its `customers`, or name them in a list",
                )),
            }
        }
    }
    problems
}

/// The queries of all rules, each once.
fn queries(spec: &Spec) -> Vec<CustomerQuery> {
    let rules = spec
        .changes
        .values()
        .flat_map(|change| change.expect.values());
    let queries = rules
        .flatten()
        .filter_map(|rule| rule.customer_query.clone());
    let queries: BTreeMap<_, _> = queries.map(|query| (key(&query), query)).collect();
    queries.into_values().collect()
}

fn key(query: &CustomerQuery) -> (String, Option<String>) {
    (query.dataset.clone(), query.predicate.clone())
}

async fn ask(
    pipeline: &Pipeline,
    query: &CustomerQuery,
    when: &When,
    crew: &Crew,
    folder: &Path,
) -> Result<BTreeSet<String>, String> {
    let dataset = &pipeline.spec.datasets[&query.dataset];
    let column = dataset.customer.clone();
    let column = column.ok_or("it has no customer column")?;
    let stored = Stored {
        days: dataset.window_days,
        ..Stored::dataset(&query.dataset)
    };
    let id = stored.id();
    let wanted = Wanted {
        stored: [(id.clone(), stored)].into(),
        externals: BTreeSet::new(),
    };
    let inputs: InputSnapshot = pin_wanted(pipeline, &wanted, when, crew)
        .await
        .map_err(|error| said(&error))?;
    let there = inputs.tables.get(&id).and_then(|found| found.table());
    let snapshot = there.ok_or("nothing is there for this date")?;
    let invocation = Invocation {
        step: format!("customers in {}", query.dataset),
        folder: folder.to_owned(),
        at_work: None,
        confinement: None,
        job: Job::Customers(Box::new(CustomersJob {
            source: dataset_source(pipeline, snapshot),
            column,
            predicate: query.predicate.clone(),
        })),
    };
    let log = folder.with_extension("log");
    match crew.run(&invocation, LIMIT, &log).await.answer {
        Ok(Answer::Customers(customers)) => Ok(customers),
        Ok(_) => Err("the worker gave another answer than was asked for".to_owned()),
        Err(failure) => Err(failure.to_string()),
    }
}

fn said(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
