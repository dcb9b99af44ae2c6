//! What there is when a run begins: the date, the inputs, the code, the stages and the schemas, as data.

mod code;
mod schemas;

use std::collections::{BTreeMap, BTreeSet};

use understudy_core::digest::Digest;
use understudy_core::run_date::RunDate;
use understudy_core::snapshot::InputSnapshot;
use understudy_core::spec::{Input, Spec};
use understudy_tables as tables;

use crate::pipeline::Pipeline;

pub use code::{CodeError, code_digests, equal_versions};
pub(crate) use schemas::remember;
pub use schemas::{SchemaReport, inspect};

/// The digest of each version's code, by task and version.
pub type CodeDigests = BTreeMap<String, BTreeMap<String, Digest>>;

/// Why the inputs could not be pinned.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// A location has no place on that date.
    #[error("dataset `{dataset}`: its location leaves the calendar on {date}")]
    BeyondCalendar {
        /// The dataset.
        dataset: String,
        /// The date.
        date: RunDate,
    },
    /// No date has all inputs.
    #[error("there is no date for which every dated input is there ({}); name one with --date, or look at the locations", .0.join(", "))]
    NoDate(Vec<String>),
    /// A dataset cannot be pinned.
    #[error("dataset `{dataset}` on {date}")]
    Pin {
        /// The dataset.
        dataset: String,
        /// The date.
        date: RunDate,
        /// Why.
        source: tables::PinError,
    },
}

/// The date that a run without one computes: the newest for which every dated input is there, or today (UTC)
/// where none is dated.
///
/// # Errors
/// Inputs are dated and no date has them all.
pub fn default_date(pipeline: &Pipeline) -> Result<RunDate, ObserveError> {
    let mut common: Option<BTreeSet<RunDate>> = None;
    let mut dated = Vec::new();
    for dataset in read_datasets(&pipeline.spec) {
        let location = &pipeline.spec.datasets[dataset].location;
        if location.is_dated() {
            let dates = tables::dates(location, &pipeline.folder);
            dated.push(format!("`{dataset}` has {}", dates_text(&dates)));
            common = Some(match common {
                Some(common) => common.intersection(&dates).copied().collect(),
                None => dates,
            });
        }
    }
    match common {
        None => Ok(crate::clock::today()),
        Some(dates) => dates.last().copied().ok_or(ObserveError::NoDate(dated)),
    }
}

fn dates_text(dates: &BTreeSet<RunDate>) -> String {
    match (dates.first(), dates.last()) {
        (Some(first), Some(last)) => format!("{} dates, {first} to {last}", dates.len()),
        _ => "no date".to_owned(),
    }
}

/// The datasets that some task reads.
fn read_datasets(spec: &Spec) -> BTreeSet<&str> {
    let inputs = spec.tasks.iter().flat_map(|task| &task.inputs);
    inputs
        .filter_map(|input| match input {
            Input::Dataset(name) => Some(name.as_str()),
            Input::Task(_) => None,
        })
        .collect()
}

/// Pins every dataset that some task reads.
///
/// # Errors
/// A dataset that is not there or cannot be read.
pub fn pin_inputs(pipeline: &Pipeline, date: RunDate) -> Result<InputSnapshot, ObserveError> {
    let mut snapshot = InputSnapshot::default();
    for name in read_datasets(&pipeline.spec) {
        let dataset = name.to_owned();
        let location = pipeline.spec.datasets[name].location.at(date);
        let location = location.ok_or_else(|| ObserveError::BeyondCalendar {
            dataset: dataset.clone(),
            date,
        })?;
        let pinned = tables::pin(name, &location, &pipeline.folder);
        let pinned = pinned.map_err(|source| ObserveError::Pin {
            dataset: dataset.clone(),
            date,
            source,
        })?;
        snapshot.0.insert(dataset, pinned);
    }
    Ok(snapshot)
}

/// The files that are no longer what was pinned, each with what happened to it.
#[must_use]
pub fn changed_inputs(pipeline: &Pipeline, inputs: &InputSnapshot) -> Vec<String> {
    let changed = inputs
        .0
        .values()
        .flat_map(|dataset| tables::changed_files(dataset, &pipeline.folder));
    changed
        .map(|file| format!("`{}` {}", file.path, file.what))
        .collect()
}
