//! Comparing any two tables.

use std::collections::BTreeSet;
use std::path::Path;

use arrow::datatypes::SchemaRef;
use understudy_comparators::{Request, compare_typed};
use understudy_core::run::Failure;
use understudy_core::spec::nearest::hint;
use understudy_tables::schemas_of_pair;

use super::super::protocol::{Answer, DiffJob, Findings, NamedColumn, On};
use super::predicates::SqlPredicates;
use super::{chain, machine_failure, task_failure};
use crate::mask::Mask;
use crate::report::files::diff::{DiffLimits, DiffWriter};
use crate::report::files::record::Origin;

/// Compares, and leaves `diff.csv` and `diff.parquet` in the report folder, if there is one.
pub(super) fn diff(job: &DiffJob, temporary: &Path) -> Result<Answer, Failure> {
    let schemas =
        schemas_of_pair(&job.old, &job.new).map_err(|error| task_failure(failed(&error)))?;
    if let Some(message) = missing_column(&job.named, &schemas) {
        return Ok(Answer::NoColumn(message));
    }
    let mask = Mask::ordered(job.mask.as_ref()).map_err(|error| machine_failure(failed(&error)))?;
    let rules = job.rules.iter().map(|rule| rule.name.clone()).collect();
    let mut writer = DiffWriter::new(
        job.report_folder.as_deref(),
        temporary,
        Origin::default(),
        rules,
        DiffLimits::default(),
    )
    .masking(mask)
    .speaking(job.csv);
    let request = Request {
        old: &job.old,
        new: &job.new,
        key: &job.key,
        customer: job.customer.as_deref(),
        rules: &job.rules,
        predicates: Some(&SqlPredicates),
        memory_bytes: job.memory_bytes,
        threads: job.threads,
        temp_dir: temporary,
    };
    let comparison = compare_typed(&request, schemas, &mut writer)
        .map_err(|error| task_failure(failed(&error)))?;
    let diff = writer
        .finish(&comparison)
        .map_err(|error| machine_failure(failed(&error)))?;
    Ok(Answer::Compared(Findings { comparison, diff }))
}

/// The first column that an option names and that is not where it has to be, with what was probably meant.
fn missing_column(named: &[NamedColumn], schemas: &(SchemaRef, SchemaRef)) -> Option<String> {
    let names = |schema: &SchemaRef| -> BTreeSet<String> {
        schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect()
    };
    let (old, new) = (names(&schemas.0), names(&schemas.1));
    named.iter().find_map(|NamedColumn { option, column, on }| {
        let (where_not, there): (_, BTreeSet<&String>) =
            match (old.contains(column), new.contains(column), on) {
                (true, true, _) | (true, false, On::Either) | (false, true, On::Either) => {
                    return None;
                }
                (false, false, _) => ("neither table has", old.union(&new).collect()),
                (false, true, On::Both) => ("OLD has no", old.iter().collect()),
                (true, false, On::Both) => ("NEW has no", new.iter().collect()),
            };
        let article = if where_not.starts_with("neither") {
            "a column"
        } else {
            "column"
        };
        let there: Vec<&str> = there.into_iter().map(String::as_str).collect();
        let hint = hint(column, &there, "columns");
        Some(format!(
            "`{option} {column}`: {where_not} {article} `{column}`\nhint: {hint}"
        ))
    })
}

fn failed(error: &dyn std::error::Error) -> String {
    format!("failed: {}", chain(error))
}
