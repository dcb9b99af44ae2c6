//! The schema of a table, and of both tables of a comparison.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use understudy_core::snapshot::FileFormat;

use super::meet::meet;
use super::read::typed_schema;
use super::{MAX_COLUMNS, SchemaError, TableSource};
use crate::csv::build::arrow_type;
use crate::csv::guess::{Guess, fits};
use crate::csv::scan::scan;
use crate::error::TableError;
use crate::json::kind::Kind;
use crate::json::scan::{fitting, scan as scan_json};
use crate::pin::NULL_PARTITION;

/// Types by column.
type Types = BTreeMap<String, DataType>;

/// One column and how its type is known.
pub(super) struct Column {
    pub(super) name: String,
    nullable: bool,
    pub(super) evidence: Evidence,
}

pub(super) enum Evidence {
    /// The files say it, or the user.
    Known(DataType),
    /// CSV values say it.
    Values { guess: Guess, fits: bool },
    /// JSON values say it.
    Json { kind: Kind, fits: bool },
    /// The names of Hive folders say it.
    Partition { guess: Guess, fits: bool },
}

pub(super) fn of_one(source: &TableSource) -> Result<Schema, TableError> {
    let columns = columns(source, &Types::new())?;
    Ok(resolve(&columns, &[]))
}

pub(super) fn of_pair(
    old: &TableSource,
    new: &TableSource,
) -> Result<(Schema, Schema), TableError> {
    let mut old_columns = columns(old, &known_types(new)?)?;
    let mut new_columns = columns(new, &known_types(old)?)?;
    match (old.snapshot.format, new.snapshot.format) {
        (FileFormat::Csv, FileFormat::Json) => {
            meet((old, &mut old_columns), (new, &mut new_columns))?;
        }
        (FileFormat::Json, FileFormat::Csv) => {
            meet((new, &mut new_columns), (old, &mut old_columns))?;
        }
        _ => {}
    }
    Ok((
        resolve(&old_columns, &new_columns),
        resolve(&new_columns, &old_columns),
    ))
}

/// The types that are known without reading any value.
fn known_types(source: &TableSource) -> Result<Types, TableError> {
    let mut types: Types = given_types(source);
    if source.snapshot.format.is_typed() {
        let fields = typed_fields(source)?;
        types.extend(
            fields
                .iter()
                .map(|field| (field.name().clone(), field.data_type().clone())),
        );
    }
    Ok(types)
}

fn given_types(source: &TableSource) -> Types {
    source
        .types
        .iter()
        .map(|(name, given)| (name.clone(), arrow_type(*given)))
        .collect()
}

/// All columns of a table; `targets` are the types that the other side is known to have.
fn columns(source: &TableSource, targets: &Types) -> Result<Vec<Column>, TableError> {
    let mut columns = match source.snapshot.format {
        FileFormat::Parquet | FileFormat::Arrow => typed_columns(source)?,
        FileFormat::Csv => csv_columns(source, targets)?,
        FileFormat::Json => json_columns(source, targets)?,
    };
    let own: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    columns.extend(partition_columns(source, targets, &own));
    require_known_names(source, &columns)?;
    Ok(columns)
}

fn typed_columns(source: &TableSource) -> Result<Vec<Column>, TableError> {
    let fields = typed_fields(source)?;
    if let Some(field) = fields
        .iter()
        .find(|field| source.types.contains_key(field.name()))
    {
        let (name, column) = (source.snapshot.name.clone(), field.name().clone());
        return Err(SchemaError::TypedColumn { name, column }.into());
    }
    let column = |field: &FieldRef| Column {
        name: field.name().clone(),
        nullable: field.is_nullable(),
        evidence: Evidence::Known(field.data_type().clone()),
    };
    Ok(fields.iter().map(column).collect())
}

fn csv_columns(source: &TableSource, targets: &Types) -> Result<Vec<Column>, TableError> {
    let given = given_types(source);
    let paths = source.paths();
    require_files(source, &paths)?;
    let seen = scan(&paths, targets, |name| given.contains_key(name))?;
    let column = |(name, seen): (String, crate::csv::scan::Seen)| {
        let evidence = match given.get(&name) {
            Some(given) => Evidence::Known(given.clone()),
            None => Evidence::Values {
                guess: seen.guess,
                fits: seen.fits,
            },
        };
        Column {
            name,
            nullable: true,
            evidence,
        }
    };
    Ok(seen.into_iter().map(column).collect())
}

/// A key that the folders have, too, is told by them.
fn json_columns(source: &TableSource, targets: &Types) -> Result<Vec<Column>, TableError> {
    let given = given_types(source);
    let paths = source.paths();
    require_files(source, &paths)?;
    let seen = scan_json(&paths)?;
    let fits = fitting_json(&paths, &seen, targets)?;
    let column = |(name, kind): (String, Kind)| Column {
        evidence: match given.get(&name) {
            Some(given) => Evidence::Known(given.clone()),
            None => Evidence::Json {
                fits: fits.get(&name).copied().unwrap_or(false),
                kind,
            },
        },
        name,
        nullable: true,
    };
    let first = source.snapshot.files.first();
    let in_folders = |name: &String| {
        let mut keys = first.into_iter().flat_map(|file| &file.partitions);
        keys.any(|(key, _)| key == name)
    };
    let own = seen.into_iter().filter(|(name, _)| !in_folders(name));
    Ok(own.map(column).collect())
}

/// For the columns whose type the other side has, whether that type holds every value. The values are only read again
/// where what they are does not say it already.
fn fitting_json(
    paths: &[PathBuf],
    seen: &[(String, Kind)],
    targets: &Types,
) -> Result<BTreeMap<String, bool>, TableError> {
    let (mut fits, mut doubtful) = (BTreeMap::new(), Types::new());
    for (name, kind) in seen {
        match targets.get(name) {
            Some(target) if *target != kind.data_type() => {
                doubtful.insert(name.clone(), target.clone());
            }
            Some(_) => {
                fits.insert(name.clone(), true);
            }
            None => {}
        }
    }
    if !doubtful.is_empty() {
        fits.extend(fitting(paths, &doubtful)?);
    }
    Ok(fits)
}

/// The partition keys that are no columns of the files themselves.
fn partition_columns(source: &TableSource, targets: &Types, own: &[String]) -> Vec<Column> {
    let given = given_types(source);
    let first = source.snapshot.files.first();
    let keys = first
        .into_iter()
        .flat_map(|file| file.partitions.iter().map(|(key, _)| key));
    let column = |key: &String| {
        let values = source
            .snapshot
            .files
            .iter()
            .flat_map(|file| &file.partitions);
        let values = values.filter(|(other, value)| other == key && value != NULL_PARTITION);
        let evidence = match given.get(key) {
            Some(given) => Evidence::Known(given.clone()),
            None => partition_evidence(values.map(|(_, value)| value.as_str()), targets.get(key)),
        };
        Column {
            name: key.clone(),
            nullable: true,
            evidence,
        }
    };
    keys.filter(|key| !own.contains(key)).map(column).collect()
}

fn partition_evidence<'a>(
    values: impl Iterator<Item = &'a str>,
    target: Option<&DataType>,
) -> Evidence {
    let mut guess = Guess::default();
    let mut all_fit = true;
    for value in values {
        guess.see(value);
        all_fit = all_fit && target.is_some_and(|target| fits(value, target));
    }
    Evidence::Partition {
        guess,
        fits: all_fit,
    }
}

fn require_known_names(source: &TableSource, columns: &[Column]) -> Result<(), SchemaError> {
    let is_column = |name: &String| columns.iter().any(|column| column.name == *name);
    match source.types.keys().find(|name| !is_column(name)) {
        None => Ok(()),
        Some(unknown) => Err(SchemaError::UnknownColumn {
            name: source.snapshot.name.clone(),
            column: unknown.clone(),
            columns: columns.iter().map(|column| column.name.clone()).collect(),
        }),
    }
}

fn resolve(own: &[Column], others: &[Column]) -> Schema {
    let field = |column: &Column| {
        let other = others.iter().find(|other| other.name == column.name);
        let data_type = column
            .evidence
            .data_type(other.map(|other| &other.evidence));
        Field::new(&column.name, data_type, column.nullable)
    };
    Schema::new(own.iter().map(field).collect::<Vec<_>>())
}

impl Evidence {
    /// The type, in the light of what is known of the same column on the other side.
    fn data_type(&self, other: Option<&Self>) -> DataType {
        match (self, other) {
            (Self::Known(known), _) => known.clone(),
            (
                Self::Values { fits: true, .. }
                | Self::Partition { fits: true, .. }
                | Self::Json { fits: true, .. },
                Some(Self::Known(known)),
            ) => known.clone(),
            (Self::Values { guess, .. }, Some(Self::Values { guess: other, .. })) => {
                guess.and(other).data_type()
            }
            (
                Self::Values { guess, .. } | Self::Partition { guess, .. },
                Some(Self::Values { guess: other, .. } | Self::Partition { guess: other, .. }),
            ) => guess.and(other).partition_type(),
            (Self::Json { kind, .. }, Some(Self::Json { kind: other, .. })) => {
                let mut both = kind.clone();
                match both.join(other.clone(), &mut Vec::new()) {
                    Ok(()) => both.data_type(),
                    Err(_) => kind.data_type(),
                }
            }
            (Self::Json { kind, .. }, _) => kind.data_type(),
            (Self::Values { guess, .. }, _) => guess.data_type(),
            (Self::Partition { guess, .. }, _) => guess.partition_type(),
        }
    }
}

/// The fields that all files agree on, in the first one's order. Metadata of pandas or Spark is no part
/// of a type.
fn typed_fields(source: &TableSource) -> Result<Fields, TableError> {
    let paths = source.paths();
    let first = require_files(source, &paths)?;
    let format = source.snapshot.format;
    let mut fields = bare_fields(format, first)?;
    for path in &paths[1..] {
        let others = bare_fields(format, path)?;
        require_same_columns((first, &fields), (path, &others))?;
        fields = fields
            .iter()
            .map(|field| field_of_both(field, &others))
            .collect();
    }
    Ok(fields)
}

fn bare_fields(format: FileFormat, path: &Path) -> Result<Fields, TableError> {
    let schema = typed_schema(format, path)?;
    let (found, limit) = (schema.fields().len(), MAX_COLUMNS);
    if found > limit {
        let file = path.to_owned();
        return Err(SchemaError::TooManyColumns { file, found, limit }.into());
    }
    for (position, field) in schema.fields().iter().enumerate() {
        if schema.fields()[..position]
            .iter()
            .any(|before| before.name() == field.name())
        {
            let (file, column) = (path.to_owned(), field.name().clone());
            return Err(SchemaError::DuplicateColumn { file, column }.into());
        }
    }
    let bare = |field: &FieldRef| {
        Arc::new(
            field
                .as_ref()
                .clone()
                .with_metadata(std::collections::HashMap::new()),
        )
    };
    Ok(schema.fields().iter().map(bare).collect())
}

fn require_same_columns(
    first: (&Path, &Fields),
    second: (&Path, &Fields),
) -> Result<(), SchemaError> {
    for ((path, fields), (other_path, others)) in [(first, second), (second, first)] {
        for field in fields {
            let Some((_, other)) = others.find(field.name()) else {
                return Err(SchemaError::ColumnMissing {
                    column: field.name().clone(),
                    without: other_path.to_owned(),
                    with: path.to_owned(),
                });
            };
            if !field.data_type().equals_datatype(other.data_type()) {
                return Err(SchemaError::TypesDiffer {
                    column: field.name().clone(),
                    first: path.to_owned(),
                    first_type: field.data_type().clone(),
                    second: other_path.to_owned(),
                    second_type: other.data_type().clone(),
                });
            }
        }
    }
    Ok(())
}

/// A column may be NULL if it may be in any file.
fn field_of_both(field: &FieldRef, others: &Fields) -> FieldRef {
    let nullable = others
        .find(field.name())
        .is_none_or(|(_, other)| other.is_nullable());
    Arc::new(
        field
            .as_ref()
            .clone()
            .with_nullable(field.is_nullable() || nullable),
    )
}

fn require_files<'a>(source: &TableSource, paths: &'a [PathBuf]) -> Result<&'a Path, SchemaError> {
    let no_files = || SchemaError::NoFiles {
        name: source.snapshot.name.clone(),
    };
    paths.first().map(PathBuf::as_path).ok_or_else(no_files)
}
