//! The date that a run without one computes.

use std::collections::BTreeSet;

use understudy_core::run_date::RunDate;
use understudy_core::spec::{Location, Stored, Table, VersionKind};
use understudy_tables as tables;

use super::inputs::{Wanted, located};
use super::{ObserveError, remote, running_versions};
use crate::pipeline::Pipeline;
use crate::store::remote::is_remote;

/// The date that a run without one computes: the newest for which every dated input is there; where no input is
/// dated, the newest for which external versions have left something, or today (UTC).
///
/// # Errors
/// Inputs are dated and no date has them all.
pub fn default_date(pipeline: &Pipeline, slice: Option<&str>) -> Result<RunDate, ObserveError> {
    let found = match inputs(pipeline, slice)? {
        none if none.is_empty() => externals(pipeline, slice)?,
        found => found,
    };
    let common = found
        .iter()
        .map(|(_, dates)| dates.clone())
        .reduce(|all, dates| all.intersection(&dates).copied().collect());
    let told = |(what, dates): &(String, BTreeSet<RunDate>)| format!("{what} has {}", text(dates));
    match common {
        None => Ok(crate::clock::today()),
        Some(dates) => dates
            .last()
            .copied()
            .ok_or_else(|| ObserveError::NoDate(found.iter().map(told).collect())),
    }
}

fn text(dates: &BTreeSet<RunDate>) -> String {
    match (dates.first(), dates.last()) {
        (Some(first), Some(last)) => format!("{} dates, {first} to {last}", dates.len()),
        _ => "no date".to_owned(),
    }
}

/// The dated datasets that some task cannot do without, each with its run dates.
fn inputs(
    pipeline: &Pipeline,
    slice: Option<&str>,
) -> Result<Vec<(String, BTreeSet<RunDate>)>, ObserveError> {
    let mut found = Vec::new();
    for stored in Wanted::of(&pipeline.spec).stored.into_values() {
        let Stored {
            table: Table::Dataset(name),
            plus_days,
            otherwise: None,
            ..
        } = stored
        else {
            continue;
        };
        let what = format!("`{name}`");
        let location = located(&pipeline.spec.datasets[&name].location, slice, &what)?;
        if location.is_dated() {
            let dates = shifted(&dates_of(pipeline, &location, &what)?, -plus_days);
            found.push((what, dates));
        }
    }
    Ok(found)
}

/// What external versions have left, by dates.
fn externals(
    pipeline: &Pipeline,
    slice: Option<&str>,
) -> Result<Vec<(String, BTreeSet<RunDate>)>, ObserveError> {
    let mut found = Vec::new();
    for task in &pipeline.spec.tasks {
        for version in running_versions(&pipeline.spec, task) {
            let VersionKind::External { location } = &task.versions[version].kind else {
                continue;
            };
            let what = format!("`{}` {version}", task.name);
            let location = located(location, slice, &what)?;
            if location.is_dated() {
                let dates = dates_of(pipeline, &location, &what)?;
                found.push((what, dates));
            }
        }
    }
    Ok(found)
}

pub(super) fn dates_of(
    pipeline: &Pipeline,
    location: &Location,
    what: &str,
) -> Result<BTreeSet<RunDate>, ObserveError> {
    if is_remote(&location.to_string()) {
        return remote::dates(location).map_err(|source| ObserveError::Dates {
            what: what.to_owned(),
            source,
        });
    }
    Ok(tables::dates(location, &pipeline.folder))
}

fn shifted(dates: &BTreeSet<RunDate>, days: i64) -> BTreeSet<RunDate> {
    let shifted = dates.iter().filter_map(|date| date.plus_days(days));
    shifted.collect()
}
