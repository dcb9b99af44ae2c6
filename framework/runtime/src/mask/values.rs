//! The values of masked columns in tables and files, whatever state these are in.
//!
//! CSV and JSON are read with other eyes than anywhere else: a file that cannot be read as a table is the very one whose
//! errors quote values.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::value::RawValue;
use understudy_core::snapshot::FileFormat;
use understudy_core::value::Value;
use understudy_tables::{TableSource, open_text, pin, value_at};

use super::Mask;

const BATCH_ROWS: usize = 4_096;
/// The characters that stand between the fields of files that are none.
const SEPARATORS: &[char] = &[',', ';', '\t', '"', '\n', '\r', '{', '}', '[', ']', ':'];

/// Why values are not known.
type Unreadable = Box<dyn std::error::Error + Send + Sync>;

/// Hands on every value of the masked columns of a table.
///
/// # Errors
/// The table cannot be read, or whoever takes the values gives up.
pub(crate) fn each_value(
    source: &TableSource,
    mask: &Mask,
    take: &mut dyn FnMut(&str) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    for path in source.paths() {
        in_path(&path, mask, take)?;
    }
    match source.snapshot.format {
        FileFormat::Csv => source
            .paths()
            .iter()
            .try_for_each(|path| csv(path, mask, take)),
        FileFormat::Json => source
            .paths()
            .iter()
            .try_for_each(|path| json(path, mask, take)),
        FileFormat::Parquet | FileFormat::Arrow => typed(source, mask, take),
    }
}

/// The same of all files that a program may have left in its folder.
pub(crate) fn each_value_left(
    folder: &Path,
    mask: &Mask,
    take: &mut dyn FnMut(&str) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if !entry.file_type()?.is_file() {
            continue;
        }
        let name = entry.file_name().to_string_lossy().to_lowercase();
        if name.contains(".csv") {
            csv(&path, mask, take)?;
        } else if name.contains(".json") && !name.starts_with("result") {
            json(&path, mask, take)?;
        } else if name.ends_with(".parquet") {
            let location = entry.file_name().to_string_lossy().into_owned();
            let source = TableSource {
                base: folder.to_owned(),
                snapshot: pin("output", &location, folder)?,
                types: Default::default(),
            };
            typed(&source, mask, take)?;
        }
    }
    Ok(())
}

/// The values of partition columns stand in the names of folders.
fn in_path(
    path: &Path,
    mask: &Mask,
    take: &mut dyn FnMut(&str) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    for part in path.iter() {
        let part = part.to_string_lossy();
        if let Some((_, value)) = part.split_once('=').filter(|(key, _)| mask.has(key)) {
            take(value)?;
        }
    }
    Ok(())
}

fn typed(
    source: &TableSource,
    mask: &Mask,
    take: &mut dyn FnMut(&str) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    let schema = source.schema()?;
    let masked = schema.fields().iter().enumerate();
    let masked = masked.filter(|(_, field)| mask.has(field.name()));
    let masked: Vec<usize> = masked.map(|(position, _)| position).collect();
    if masked.is_empty() {
        return Ok(());
    }
    for batch in source.read(&schema, Some(&masked), BATCH_ROWS)? {
        let batch = batch?;
        for column in batch.columns() {
            for row in 0..batch.num_rows() {
                leaves(&value_at(column, row)?, take)?;
            }
        }
    }
    Ok(())
}

/// A value, and what it is made of.
fn leaves(
    value: &Value,
    take: &mut dyn FnMut(&str) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    value.render().map_or(Ok(()), |text| take(&text))?;
    match value {
        Value::List(values) => values.iter().try_for_each(|value| leaves(value, take)),
        Value::Struct(fields) => fields.iter().try_for_each(|(_, value)| leaves(value, take)),
        Value::Map(entries) => entries.iter().try_for_each(|(key, value)| {
            leaves(key, take)?;
            leaves(value, take)
        }),
        _ => Ok(()),
    }
}

fn csv(
    path: &Path,
    mask: &Mask,
    take: &mut dyn FnMut(&str) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(open_text(path)?);
    let names = reader.byte_headers()?.clone();
    let masked: Vec<bool> = names
        .iter()
        .map(|name| mask.has(String::from_utf8_lossy(name).trim_start_matches('\u{feff}')))
        .collect();
    if !masked.contains(&true) {
        return Ok(());
    }
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record)? {
        let is_whole = record.len() == names.len();
        for (position, field) in record.iter().enumerate() {
            let text = String::from_utf8_lossy(field);
            if masked.get(position).copied().unwrap_or(!is_whole) || !is_whole {
                take(&text)?;
            }
            // A quote that is not closed, or not opened, moves what follows to another column.
            if !is_whole || text.contains(['\n', '\r', '"']) {
                text.split(SEPARATORS).try_for_each(&mut *take)?;
            }
        }
    }
    Ok(())
}

fn json(
    path: &Path,
    mask: &Mask,
    take: &mut dyn FnMut(&str) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    let mut input = open_text(path)?;
    let mut line = Vec::new();
    while read_line(&mut input, &mut line)? {
        let text = String::from_utf8_lossy(&line);
        match serde_json::from_str::<std::collections::BTreeMap<String, Box<RawValue>>>(&text) {
            Ok(object) => {
                for (_, value) in object.iter().filter(|(name, _)| mask.has(name)) {
                    json_value(value.get(), take)?;
                }
            }
            Err(_) => text.split(SEPARATORS).try_for_each(&mut *take)?,
        }
    }
    Ok(())
}

fn read_line(input: &mut impl io::BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    Ok(input.read_until(b'\n', line)? > 0)
}

fn json_value(
    raw: &str,
    take: &mut dyn FnMut(&str) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    if raw != "null" {
        take(raw.trim_matches('"'))?;
    }
    json_leaves(&serde_json::from_str(raw)?, take)
}

fn json_leaves(
    value: &serde_json::Value,
    take: &mut dyn FnMut(&str) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    match value {
        serde_json::Value::Null => Ok(()),
        serde_json::Value::String(text) => take(text),
        serde_json::Value::Array(items) => {
            items.iter().try_for_each(|item| json_leaves(item, take))
        }
        serde_json::Value::Object(fields) => fields
            .values()
            .try_for_each(|field| json_leaves(field, take)),
        plain => take(&plain.to_string()),
    }
}
