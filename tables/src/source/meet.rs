//! The types of CSV beside JSON, where neither side's files say them.

use std::collections::BTreeMap;

use arrow::datatypes::DataType;

use super::TableSource;
use super::schema::{Column, Evidence};
use crate::csv::scan::scan;
use crate::error::TableError;
use crate::json::kind::Kind;
use crate::json::scan::fitting;

/// Types by column.
type Types = BTreeMap<String, DataType>;

/// A side of a comparison and its columns.
type Side<'a> = (&'a TableSource, &'a mut Vec<Column>);

/// Gives the columns that both sides have one type: that of the CSV if all of JSON's values come back from it, else
/// that of JSON if all of the CSV's do, else text as it is written.
pub(super) fn meet(csv: Side<'_>, json: Side<'_>) -> Result<(), TableError> {
    let mut open = differing(csv.1, json.1);
    if open.is_empty() {
        return Ok(());
    }
    let asked: Types = of_side(&open, |both| both.csv.clone());
    let fits = fitting(&json.0.paths(), &asked)?;
    let met = asked.into_iter().filter(|(name, _)| fits[name]).collect();
    settle(&mut open, met, csv.1, json.1);

    let asked: Types = of_side(&open, |both| both.json.clone());
    let seen = scan(&csv.0.paths(), &asked, |name| !asked.contains_key(name))?;
    let fits = |name: &str| seen.iter().any(|(other, seen)| other == name && seen.fits);
    let met = asked.into_iter().filter(|(name, _)| fits(name)).collect();
    settle(&mut open, met, csv.1, json.1);

    open.retain(|_, both| both.is_scalar);
    let met = of_side(&open, |_| DataType::Utf8);
    settle(&mut open, met, csv.1, json.1);
    Ok(())
}

/// What the values of a column are by themselves on each side.
struct Both {
    csv: DataType,
    json: DataType,
    is_scalar: bool,
}

fn differing(csv: &[Column], json: &[Column]) -> BTreeMap<String, Both> {
    let both = csv.iter().filter_map(|column| {
        let other = json.iter().find(|other| other.name == column.name)?;
        let both = both(&column.evidence, &other.evidence)?;
        (both.csv != both.json).then(|| (column.name.clone(), both))
    });
    both.collect()
}

fn both(csv: &Evidence, json: &Evidence) -> Option<Both> {
    match (csv, json) {
        (Evidence::Values { guess, .. }, Evidence::Json { kind, .. }) => Some(Both {
            csv: guess.data_type(),
            json: Kind::data_type(kind),
            is_scalar: kind.is_scalar(),
        }),
        _ => None,
    }
}

fn of_side(open: &BTreeMap<String, Both>, data_type: impl Fn(&Both) -> DataType) -> Types {
    let types = open.iter();
    types
        .map(|(name, both)| (name.clone(), data_type(both)))
        .collect()
}

fn settle(open: &mut BTreeMap<String, Both>, met: Types, csv: &mut [Column], json: &mut [Column]) {
    for (name, data_type) in met {
        open.remove(&name);
        for column in csv.iter_mut().chain(json.iter_mut()) {
            if column.name == name {
                column.evidence = Evidence::Known(data_type.clone());
            }
        }
    }
}
