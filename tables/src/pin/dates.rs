//! Which run dates a dated location has data for.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use understudy_core::run_date::RunDate;
use understudy_core::spec::Location;

use super::listing;

/// The length of a written date, `YYYY-MM-DD`.
const DATE_BYTES: usize = 10;

/// The run dates for which the location has data, by looking at folder listings only. Empty where the location
/// is not dated.
#[must_use]
pub fn dates(location: &Location, base: &Path) -> BTreeSet<RunDate> {
    let Some((before, plus_days, _)) = location.around_first_date() else {
        return BTreeSet::new();
    };
    let (parent, prefix) = before
        .rsplit_once('/')
        .map_or(("", before.as_str()), split_keeping_root);
    let candidates = folders(parent, base)
        .into_iter()
        .flat_map(|folder| dates_in(&folder, prefix, plus_days));
    candidates
        .filter(|date| {
            location
                .at(*date)
                .is_some_and(|at| listing::has_data(&at, base))
        })
        .collect()
}

/// The parent of a path directly below the root is `/`, not nothing.
fn split_keeping_root<'a>((parent, prefix): (&'a str, &'a str)) -> (&'a str, &'a str) {
    if parent.is_empty() {
        ("/", prefix)
    } else {
        (parent, prefix)
    }
}

fn folders(parent: &str, base: &Path) -> Vec<PathBuf> {
    let path = base.join(parent);
    if path.is_dir() || !listing::is_glob(parent) {
        return vec![path];
    }
    let pattern = Path::new(&glob::Pattern::escape(&base.to_string_lossy())).join(parent);
    let matches = pattern
        .to_str()
        .and_then(|pattern| glob::glob(pattern).ok());
    matches
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .collect()
}

/// The run dates that the names in a folder may stand for: those with a date behind the prefix, or anywhere
/// if the prefix is a pattern.
fn dates_in(folder: &Path, prefix: &str, plus_days: i64) -> Vec<RunDate> {
    let names = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let dates = names.flat_map(|name| {
        let positions = if listing::is_glob(prefix) {
            0..=name.len()
        } else {
            prefix.len()..=prefix.len()
        };
        positions
            .filter_map(|position| date_at(&name, position, plus_days))
            .collect::<Vec<_>>()
    });
    dates.collect()
}

/// The run date that a name stands for: the one behind the prefix, moved by the placeholder's offset.
#[must_use]
pub fn date_in(name: &str, prefix: &str, plus_days: i64) -> Option<RunDate> {
    name.starts_with(prefix).then_some(())?;
    date_at(name, prefix.len(), plus_days)
}

fn date_at(name: &str, position: usize, plus_days: i64) -> Option<RunDate> {
    let text = name.get(position..position.checked_add(DATE_BYTES)?)?;
    text.parse::<RunDate>()
        .ok()?
        .plus_days(plus_days.checked_neg()?)
}
