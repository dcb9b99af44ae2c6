//! The data that a run reads, pinned: exactly these files.

use std::collections::{BTreeMap, BTreeSet};

use understudy_core::run_date::RunDate;
use understudy_core::snapshot::{DatasetSnapshot, Found, InputSnapshot, PinnedFile};
use understudy_core::spec::{Input, InputSource, Location, Spec, Stored, Table, Task, VersionKind};
use understudy_tables::{self as tables, Day, PinError, TableSource};

use super::copies::{self, CopyError};
use super::dates::dates_of;
use super::{ObserveError, When, remote, running_versions};
use crate::pipeline::Pipeline;
use crate::store::remote::{RemoteError, is_remote};
use crate::worker::Crew;
use understudy_objects::FetchError;

/// The partition that published outputs of a slice have, and that is none of their own columns.
const SLICE_KEY: &str = "slice";

/// What is pinned.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Stored data, by their ids.
    pub(crate) stored: BTreeMap<String, Stored>,
    /// The tasks whose external versions' output is looked at.
    pub(crate) externals: BTreeSet<String>,
}

impl Wanted {
    /// Everything that the pipeline's versions read. What external versions read is their business.
    pub(super) fn of(spec: &Spec) -> Self {
        let reading = spec.tasks.iter().filter(|task| runs_here(spec, task));
        Self {
            stored: reading.flat_map(stored_of).collect(),
            externals: spec.tasks.iter().map(|task| task.name.clone()).collect(),
        }
    }
}

/// The stored data that a task reads, by their ids.
pub(crate) fn stored_of(task: &Task) -> impl Iterator<Item = (String, Stored)> {
    task.inputs.iter().filter_map(|input| match &input.source {
        InputSource::Stored(stored) => Some((stored.id(), stored.clone())),
        InputSource::Task(_) => None,
    })
}

fn runs_here(spec: &Spec, task: &Task) -> bool {
    running_versions(spec, task)
        .iter()
        .any(|version| !task.versions[*version].kind.is_external())
}

/// How often pinning begins again because an object was replaced before it was fetched.
const PIN_ATTEMPTS: u32 = 5;

/// Pins everything that the pipeline's versions read, and what external versions left; what is in object stores, and
/// each Delta table, is copied. What is not there yet is said in the snapshot.
///
/// # Errors
/// A dataset that is there and cannot be pinned or copied, or a location without a place.
pub async fn pin_inputs(
    pipeline: &Pipeline,
    when: &When,
    crew: &Crew,
) -> Result<InputSnapshot, ObserveError> {
    pin_wanted(pipeline, &Wanted::of(&pipeline.spec), when, crew).await
}

/// The same of some of it.
///
/// # Errors
/// As [`pin_inputs`].
pub(crate) async fn pin_wanted(
    pipeline: &Pipeline,
    wanted: &Wanted,
    when: &When,
    crew: &Crew,
) -> Result<InputSnapshot, ObserveError> {
    let mut attempt = 1;
    loop {
        let snapshot = pin_once(pipeline, wanted, when)?;
        match copies::make(pipeline, &snapshot, crew).await {
            Ok(()) => return Ok(snapshot),
            Err(CopyError::Remote(RemoteError::Fetch(
                FetchError::Changed(_) | FetchError::Gone(_),
            ))) if attempt < PIN_ATTEMPTS => {
                attempt += 1;
            }
            Err(source) => {
                let date = when.date;
                return Err(ObserveError::Copy { date, source });
            }
        }
    }
}

fn pin_once(
    pipeline: &Pipeline,
    wanted: &Wanted,
    when: &When,
) -> Result<InputSnapshot, ObserveError> {
    let mut snapshot = InputSnapshot::default();
    for (id, stored) in &wanted.stored {
        let found = pin_stored(pipeline, stored, when)?;
        snapshot.tables.insert(id.clone(), found);
    }
    let tasks = pipeline.spec.tasks.iter();
    for task in tasks.filter(|task| wanted.externals.contains(&task.name)) {
        for version in running_versions(&pipeline.spec, task) {
            if let VersionKind::External { location } = &task.versions[version].kind {
                let what = format!("version `{version}` of task `{}`", task.name);
                let found = pin_external(pipeline, &task.name, location, &what, when)?;
                let versions = snapshot.externals.entry(task.name.clone()).or_default();
                versions.insert(version.to_owned(), found);
            }
        }
    }
    Ok(snapshot)
}

/// Pins stored data, or what stands in for them where none of their days is there.
fn pin_stored(pipeline: &Pipeline, stored: &Stored, when: &When) -> Result<Found, ObserveError> {
    let found = pin_table(pipeline, stored, when)?;
    match (&found, &stored.otherwise) {
        // What begins anew after a gap would have forgotten all that came before it.
        (Found::NotYet(_), Some(otherwise)) if !has_earlier(pipeline, stored, when)? => {
            pin_table(pipeline, &Stored::dataset(otherwise.clone()), when)
        }
        _ => Ok(found),
    }
}

/// Whether any day before those that are asked for is there.
fn has_earlier(pipeline: &Pipeline, stored: &Stored, when: &When) -> Result<bool, ObserveError> {
    let what = format!("dataset `{}`", stored.name());
    let location = location_of(&pipeline.spec, stored, when, &what)?;
    let first = stored.plus_days - i64::from(stored.days - 1);
    let first = when.date.plus_days(first);
    let dates = dates_of(pipeline, &location, &what)?;
    let before = |date: &RunDate| first.is_some_and(|first| *date < first);
    for date in dates.into_iter().filter(before) {
        let is_there = match stored.table {
            Table::Dataset(_) => true,
            Table::Published(_) => {
                let day = location.at(date).unwrap_or_default();
                pin_day(pipeline, stored, &day, when).is_ok()
            }
        };
        if is_there {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Pins one day of a table. Of what was published by slices, a slice's own is read; for everybody, all of them have to
/// be there.
fn pin_day(
    pipeline: &Pipeline,
    stored: &Stored,
    location: &str,
    when: &When,
) -> Result<DatasetSnapshot, PinError> {
    let snapshot = pin_anywhere(pipeline, stored.name(), location)?;
    let is_ours = match &stored.table {
        Table::Dataset(_) => return Ok(snapshot),
        Table::Published(name) => pipeline
            .spec
            .task(name)
            .is_some_and(|task| !task.is_live_external()),
    };
    if !is_ours {
        return Ok(snapshot);
    }
    let own = when.slice.as_ref().map(|slice| slice.name.as_str());
    of_slice(snapshot, own, pipeline.spec.slices.keys()).ok_or_else(|| PinError::NotFound {
        name: stored.name().to_owned(),
        location: location.to_owned(),
    })
}

/// What of a published day is for a slice, or for everybody; `None` where that is not there.
fn of_slice<'a>(
    mut snapshot: DatasetSnapshot,
    own: Option<&str>,
    mut slices: impl Iterator<Item = &'a String>,
) -> Option<DatasetSnapshot> {
    fn slice_of(file: &PinnedFile) -> Option<&str> {
        let mut keys = file.partitions.iter();
        keys.find_map(|(key, slice)| (key == SLICE_KEY).then_some(slice.as_str()))
    }
    let is_whole = snapshot.files.iter().all(|file| slice_of(file).is_none());
    let is_there = match own {
        _ if is_whole => true,
        Some(own) => {
            snapshot.files.retain(|file| slice_of(file) == Some(own));
            !snapshot.files.is_empty()
        }
        None => slices.all(|slice| {
            let mut files = snapshot.files.iter();
            files.any(|file| slice_of(file) == Some(slice))
        }),
    };
    is_there.then(|| without_slices(snapshot))
}

fn pin_table(pipeline: &Pipeline, stored: &Stored, when: &When) -> Result<Found, ObserveError> {
    let name = stored.name();
    let what = format!("dataset `{name}`");
    let location = location_of(&pipeline.spec, stored, when, &what)?;
    let days = days(stored, &location, &what, when)?;
    let pin = |location: &str| pin_day(pipeline, stored, location, when);
    let pinned = match days.as_slice() {
        [day] if stored.days == 1 => pin(&day.location),
        days => tables::pin_days(name, days, &pin),
    };
    found(pinned, &days, what, when)
}

/// Where a table's data of one day are: a dataset's own location; of a task, where it is published.
fn location_of(
    spec: &Spec,
    stored: &Stored,
    when: &When,
    what: &str,
) -> Result<Location, ObserveError> {
    let slice = when.slice.as_ref().map(|slice| slice.name.as_str());
    match &stored.table {
        Table::Dataset(name) => located(&spec.datasets[name].location, slice, what),
        Table::Published(name) => {
            let task = spec
                .task(name)
                .expect("a resolved spec has every task that it names");
            if let VersionKind::External { location } = &task.versions[&task.live].kind {
                return located(location, slice, what);
            }
            let below = task.output.location.as_deref().unwrap_or_default();
            let text = format!("{}/date={{date}}/", below.trim_end_matches('/'));
            Ok(Location::parse(&text).expect("an output's location has no placeholder"))
        }
    }
}

/// A location, for the slice that the run is for.
pub(super) fn located(
    location: &Location,
    slice: Option<&str>,
    what: &str,
) -> Result<Location, ObserveError> {
    match slice {
        Some(slice) => Ok(location.for_slice(slice)),
        None if location.is_sliced() => Err(ObserveError::NoSlice {
            what: what.to_owned(),
            location: location.to_string(),
        }),
        None => Ok(location.clone()),
    }
}

fn days(
    stored: &Stored,
    location: &Location,
    what: &str,
    when: &When,
) -> Result<Vec<Day>, ObserveError> {
    let beyond = || ObserveError::BeyondCalendar {
        what: what.to_owned(),
        date: when.date,
    };
    let last = when.date.plus_days(stored.plus_days).ok_or_else(beyond)?;
    let day = |back: u32| {
        let date = last.plus_days(-i64::from(back)).ok_or_else(beyond)?;
        let key = location.date_key();
        Ok(Day {
            location: location.at(date).ok_or_else(beyond)?,
            partition: key.map(|key| (key.to_owned(), date.to_string())),
        })
    };
    (0..stored.days).rev().map(day).collect()
}

fn pin_external(
    pipeline: &Pipeline,
    task: &str,
    location: &Location,
    what: &str,
    when: &When,
) -> Result<Found, ObserveError> {
    let slice = when.slice.as_ref().map(|slice| slice.name.as_str());
    let location = located(location, slice, what)?;
    let days = days(&Stored::dataset(task), &location, what, when)?;
    let pinned = pin_anywhere(pipeline, task, &days[0].location);
    found(pinned, &days, what.to_owned(), when)
}

fn pin_anywhere(
    pipeline: &Pipeline,
    name: &str,
    location: &str,
) -> Result<DatasetSnapshot, PinError> {
    if is_remote(location) {
        remote::pin(name, location)
    } else {
        tables::pin(name, location, &pipeline.folder)
    }
}

fn found(
    pinned: Result<DatasetSnapshot, PinError>,
    days: &[Day],
    what: String,
    when: &When,
) -> Result<Found, ObserveError> {
    match pinned {
        Ok(snapshot) => Ok(Found::There(snapshot)),
        Err(error) if error.is_absence() => {
            let last = days.last().map(|day| day.location.clone());
            Ok(Found::NotYet(last.unwrap_or_default()))
        }
        Err(source) => Err(ObserveError::Pin {
            what,
            date: when.date,
            source,
        }),
    }
}

fn without_slices(mut snapshot: DatasetSnapshot) -> DatasetSnapshot {
    for file in &mut snapshot.files {
        file.partitions.retain(|(key, _)| key != SLICE_KEY);
    }
    snapshot
}

/// Pinned data as a table, and the column by which only a slice's rows of it are read. `None` where they are not there
/// yet.
pub(crate) fn stored_source(
    pipeline: &Pipeline,
    inputs: &InputSnapshot,
    input: &Input,
) -> Option<(TableSource, Option<String>)> {
    let InputSource::Stored(stored) = &input.source else {
        return None;
    };
    let snapshot = inputs.tables[&stored.id()].table()?;
    // What stands in for the past is a dataset of its own.
    let dataset = pipeline.spec.datasets.get(&snapshot.name);
    let sliced_by = match (dataset, pipeline.spec.task(&snapshot.name)) {
        (Some(dataset), _) => dataset
            .customer
            .clone()
            .filter(|_| !dataset.location.is_sliced()),
        (None, Some(task)) => task.output.customer.clone(),
        (None, None) => None,
    };
    Some((dataset_source(pipeline, snapshot), sliced_by))
}

/// Pinned data as a table, with the types that the file gives to a dataset of that name.
pub(crate) fn dataset_source(pipeline: &Pipeline, snapshot: &DatasetSnapshot) -> TableSource {
    let dataset = pipeline.spec.datasets.get(&snapshot.name);
    let (base, snapshot) = copies::local(pipeline, snapshot);
    TableSource {
        base,
        snapshot,
        types: dataset
            .map(|dataset| dataset.types.clone())
            .unwrap_or_default(),
    }
}

/// What an external version left, as a table; `None` where it is not there yet.
pub(crate) fn external_source(
    pipeline: &Pipeline,
    inputs: &InputSnapshot,
    task: &str,
    version: &str,
) -> Option<TableSource> {
    let snapshot = inputs.externals.get(task)?.get(version)?.table()?;
    let (base, snapshot) = copies::local(pipeline, snapshot);
    Some(TableSource {
        base,
        snapshot,
        types: BTreeMap::new(),
    })
}

/// Makes sure that all stored data are there: nothing can be computed without them, and nobody waits.
///
/// # Errors
/// The first that are not.
pub fn require_tables(inputs: &InputSnapshot, date: RunDate) -> Result<(), ObserveError> {
    let mut missing = inputs
        .tables
        .iter()
        .filter_map(|(name, found)| match found {
            Found::NotYet(location) => Some((name.clone(), location.clone())),
            Found::There(_) => None,
        });
    match missing.next() {
        None => Ok(()),
        Some((name, location)) => Err(ObserveError::NotThere {
            name,
            date,
            location,
        }),
    }
}

/// The files that are no longer what was pinned, each with what happened to it; and what external versions left since.
#[must_use]
pub fn changed_inputs(pipeline: &Pipeline, inputs: &InputSnapshot, when: &When) -> Vec<String> {
    let changed = inputs
        .tables()
        .flat_map(|dataset| tables::changed_files(dataset, &pipeline.folder));
    let mut changed: Vec<String> = changed
        .map(|file| format!("`{}` {}", file.path, file.what))
        .collect();
    changed.extend(grown_externals(pipeline, inputs, when));
    changed.sort();
    changed.dedup();
    changed
}

/// Locations of external versions that have files which were not there: a job was met half done.
fn grown_externals(pipeline: &Pipeline, inputs: &InputSnapshot, when: &When) -> Vec<String> {
    let mut grown = Vec::new();
    for (task, versions) in &inputs.externals {
        let Some(task) = pipeline.spec.task(task) else {
            continue;
        };
        for (version, found) in versions {
            let (Some(pinned), Some(version)) = (found.table(), task.versions.get(version)) else {
                continue;
            };
            let VersionKind::External { location } = &version.kind else {
                continue;
            };
            let Ok(Found::There(now)) = pin_external(pipeline, &task.name, location, "", when)
            else {
                continue;
            };
            let known: BTreeSet<&String> = pinned.files.iter().map(|file| &file.path).collect();
            let new = now.files.iter().filter(|file| !known.contains(&file.path));
            grown.extend(new.map(|file| format!("`{}` came after it had begun", file.path)));
        }
    }
    grown
}
