//! Reads CSV files once through, to learn their columns' types.

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::datatypes::DataType;

use super::guess::{Guess, fits};
use super::records::Records;
use crate::error::TableError;
use crate::source::SchemaError;

/// What one column's values say of its type.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) guess: Guess,
    /// Whether every value comes back the same from the type that the other side has.
    pub(crate) fits: bool,
}

/// The columns of some CSV files, in the first one's order. `targets` are the types that the other side of a
/// comparison has; columns in `known` need not be looked at.
pub(crate) fn scan(
    files: &[PathBuf],
    targets: &BTreeMap<String, DataType>,
    known: impl Fn(&str) -> bool,
) -> Result<Vec<(String, Seen)>, TableError> {
    let mut columns: Vec<Column> = Vec::new();
    for (position, file) in files.iter().enumerate() {
        let (mut records, names) = Records::open(file)?;
        if position == 0 {
            columns = names
                .iter()
                .map(|name| Column::new(name, targets, &known))
                .collect();
        }
        let order = same_columns(&columns, &names, &files[0], file)?;
        while let Some(record) = records.next()? {
            for (field, column) in record.fields().zip(&order) {
                columns[*column].see(field);
            }
        }
    }
    Ok(columns
        .into_iter()
        .map(|column| {
            (
                column.name,
                Seen {
                    guess: column.guess,
                    fits: column.fits,
                },
            )
        })
        .collect())
}

struct Column {
    name: String,
    guess: Guess,
    target: Option<DataType>,
    fits: bool,
    known: bool,
}

impl Column {
    fn new(name: &str, targets: &BTreeMap<String, DataType>, known: impl Fn(&str) -> bool) -> Self {
        let (name, known) = (name.to_owned(), known(name));
        Self {
            target: targets.get(&name).cloned(),
            name,
            guess: Guess::default(),
            fits: true,
            known,
        }
    }

    fn see(&mut self, field: Option<&str>) {
        let Some(text) = field.filter(|_| !self.known) else {
            return;
        };
        self.guess.see(text);
        self.fits = self.fits
            && self
                .target
                .as_ref()
                .is_some_and(|target| fits(text, target));
    }
}

/// For each name of a file, the position of that column in the table.
fn same_columns(
    columns: &[Column],
    names: &[String],
    first: &std::path::Path,
    file: &std::path::Path,
) -> Result<Vec<usize>, SchemaError> {
    let has_name = |column: &Column| names.contains(&column.name);
    if let Some(missing) = columns.iter().find(|column| !has_name(column)) {
        return Err(SchemaError::ColumnMissing {
            column: missing.name.clone(),
            without: file.to_owned(),
            with: first.to_owned(),
        });
    }
    let position = |name: &String| {
        let found = columns.iter().position(|column| column.name == *name);
        found.ok_or_else(|| SchemaError::ColumnMissing {
            column: name.clone(),
            without: first.to_owned(),
            with: file.to_owned(),
        })
    };
    names.iter().map(position).collect()
}
