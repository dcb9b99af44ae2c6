//! Several days of one dataset, pinned as one table.

use understudy_core::snapshot::{DatasetSnapshot, PinnedFile};

use super::PinError;

/// Where one day of a dataset is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Day {
    /// The location.
    pub location: String,
    /// The partition that tells the day's rows from others, such as `date` and `2026-03-01`, if there is to be one.
    pub partition: Option<(String, String)>,
}

/// Makes one table of several days of a dataset, in their order, each pinned by `pin` at its location. Days that are
/// not there are left out; where earlier ones are there, the snapshot names them.
///
/// # Errors
/// No day is there; or one is there and cannot be pinned, or does not go together with the others.
pub fn pin_days(
    name: &str,
    days: &[Day],
    pin: &dyn Fn(&str) -> Result<DatasetSnapshot, PinError>,
) -> Result<DatasetSnapshot, PinError> {
    let mut pinned: Option<DatasetSnapshot> = None;
    let mut missing = None;
    let mut missing_days = Vec::new();
    for day in days {
        match pin(&day.location) {
            Ok(snapshot) if snapshot.delta_version.is_some() && days.len() > 1 => {
                return Err(PinError::DeltaWindow {
                    name: name.to_owned(),
                    location: snapshot.location,
                });
            }
            Ok(snapshot) => {
                let files = snapshot
                    .files
                    .iter()
                    .map(|file| of_day(file, day))
                    .collect();
                let snapshot = DatasetSnapshot { files, ..snapshot };
                pinned = Some(match pinned {
                    None => snapshot,
                    Some(before) => joined(before, snapshot)?,
                });
            }
            Err(error) if error.is_absence() => {
                if pinned.is_some() {
                    missing_days.push(day.location.clone());
                }
                missing = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    let pinned = pinned.ok_or_else(|| {
        missing.unwrap_or_else(|| PinError::NotFound {
            name: name.to_owned(),
            location: "no day".to_owned(),
        })
    })?;
    Ok(DatasetSnapshot {
        missing_days,
        ..pinned
    })
}

fn of_day(file: &PinnedFile, day: &Day) -> PinnedFile {
    let own = file.partitions.iter().map(|(key, _)| key);
    let partition = day.partition.clone();
    let partition = partition.filter(|(key, _)| !own.into_iter().any(|own| own == key));
    PinnedFile {
        partitions: partition
            .into_iter()
            .chain(file.partitions.clone())
            .collect(),
        ..file.clone()
    }
}

fn joined(before: DatasetSnapshot, after: DatasetSnapshot) -> Result<DatasetSnapshot, PinError> {
    if before.format != after.format {
        let first = |snapshot: &DatasetSnapshot| snapshot.files[0].path.clone();
        return Err(PinError::DaysDiffer {
            name: before.name.clone(),
            first: first(&before),
            second: first(&after),
        });
    }
    let location = format!("{} … {}", first_location(&before.location), after.location);
    let files = [before.files, after.files].concat();
    Ok(DatasetSnapshot {
        location,
        files,
        ..after
    })
}

fn first_location(location: &str) -> &str {
    location.split(" … ").next().unwrap_or(location)
}
