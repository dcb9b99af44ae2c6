//! Reads files of JSON lines once through, to learn their columns' types.

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::datatypes::{DataType, FieldRef, Fields};
use serde_json::value::RawValue;

use super::error::JsonProblem;
use super::kind::{Keys, Kind, Place};
use super::lines::JsonLines;
use super::number::{Digits, is_float};
use super::object::{Form, each_item, entries, form, text};
use crate::csv::guess::fits as text_fits;
use crate::error::TableError;

/// The columns of some files, in the order in which they come up, with what their values are.
pub(crate) fn scan(files: &[PathBuf]) -> Result<Vec<(String, Kind)>, TableError> {
    let mut keys = Keys::default();
    let mut place = Place::new();
    for file in files {
        let mut lines = JsonLines::open(file)?;
        while let Some(line) = lines.next()? {
            let seen = keys.see(line, &mut place);
            seen.map_err(|problem| lines.error(problem))?;
        }
    }
    Ok(keys.into_kinds())
}

/// For each of these columns, whether every value comes back the same from that type.
pub(crate) fn fitting(
    files: &[PathBuf],
    targets: &BTreeMap<String, DataType>,
) -> Result<BTreeMap<String, bool>, TableError> {
    let mut all: BTreeMap<String, bool> = targets.keys().map(|name| (name.clone(), true)).collect();
    for file in files {
        let mut lines = JsonLines::open(file)?;
        while let Some(line) = lines.next()? {
            let seen = see_fits(line, targets, &mut all);
            seen.map_err(|problem| lines.error(problem))?;
        }
    }
    Ok(all)
}

fn see_fits(
    line: &str,
    targets: &BTreeMap<String, DataType>,
    all: &mut BTreeMap<String, bool>,
) -> Result<(), JsonProblem> {
    for (key, value) in entries(line)? {
        if let (Some(fit), Some(target)) = (all.get_mut(&*key), targets.get(&*key)) {
            *fit = *fit && fits(value, target);
        }
    }
    Ok(())
}

/// Whether a value comes back the same from a type that somebody else chose. A number is no text and a text no number,
/// but decimals are written as text by many, so that no reader rounds them.
fn fits(value: &RawValue, target: &DataType) -> bool {
    if let DataType::Dictionary(_, values) = target {
        return fits(value, values);
    }
    match form(value) {
        Form::Null => true,
        Form::Boolean => *target == DataType::Boolean,
        Form::Text => text(value).is_ok_and(|text| {
            let is_word =
                target.is_integer() || target.is_floating() || *target == DataType::Boolean;
            !is_word && text_fits(&text, target)
        }),
        Form::Number => number_fits(value.get(), target),
        Form::List => list_fits(value, target),
        Form::Object => object_fits(value, target),
    }
}

fn number_fits(number: &str, target: &DataType) -> bool {
    match target {
        DataType::Float64 => is_float(number),
        numeric if numeric.is_numeric() => Digits::of(number)
            .plain()
            .is_some_and(|plain| text_fits(&plain, numeric)),
        _ => false,
    }
}

fn list_fits(value: &RawValue, target: &DataType) -> bool {
    match target {
        DataType::List(field) | DataType::LargeList(field) => {
            let mut all = true;
            let visited = each_item(value, |item| {
                all = all && field_fits(item, field);
                Ok(())
            });
            visited.is_ok() && all
        }
        _ => false,
    }
}

fn object_fits(value: &RawValue, target: &DataType) -> bool {
    let DataType::Struct(fields) = target else {
        return false;
    };
    entries(value.get()).is_ok_and(|entries| {
        let known = entries.iter().all(|(key, value)| {
            let field = fields.find(key);
            field.is_some_and(|(_, field)| field_fits(value, field))
        });
        known && required(fields).all(|name| entries.iter().any(|(key, _)| key == name))
    })
}

fn field_fits(value: &RawValue, field: &FieldRef) -> bool {
    let may_be = field.is_nullable() || form(value) != Form::Null;
    may_be && fits(value, field.data_type())
}

fn required(fields: &Fields) -> impl Iterator<Item = &str> {
    let required = fields.iter().filter(|field| !field.is_nullable());
    required.map(|field| field.name().as_str())
}
