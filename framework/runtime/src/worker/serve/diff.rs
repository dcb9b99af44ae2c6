//! Comparing any two tables.

use std::collections::BTreeSet;
use std::path::Path;

use understudy_comparators::Request;
use understudy_core::run::Failure;
use understudy_core::spec::nearest::hint;
use understudy_tables::schemas_of_pair;

use super::super::protocol::{Answer, DiffJob, Findings};
use super::{chain, machine_failure, task_failure};
use crate::report::files::diff::{DiffLimits, DiffWriter};
use crate::report::files::record::Origin;

/// Compares, and leaves `diff.csv` and `diff.parquet` in the report folder.
pub(super) fn diff(job: &DiffJob, temporary: &Path) -> Result<Answer, Failure> {
    if let Some(message) = missing_column(job)? {
        return Ok(Answer::NoColumn(message));
    }
    let rules = job.rules.iter().map(|rule| rule.name.clone()).collect();
    let mut writer = DiffWriter::new(
        &job.report_folder,
        temporary,
        Origin::default(),
        rules,
        DiffLimits::default(),
    );
    let request = Request {
        old: &job.old,
        new: &job.new,
        key: &job.key,
        customer: job.customer.as_deref(),
        rules: &job.rules,
        memory_bytes: job.memory_bytes,
        threads: job.threads,
        temp_dir: temporary,
    };
    let comparison = understudy_comparators::compare(&request, &mut writer)
        .map_err(|error| task_failure(failed(&error)))?;
    let diff = writer
        .finish(&comparison)
        .map_err(|error| machine_failure(failed(&error)))?;
    Ok(Answer::Compared(Findings { comparison, diff }))
}

/// The first column that an option names and neither table has, with what was probably meant.
fn missing_column(job: &DiffJob) -> Result<Option<String>, Failure> {
    if job.named.is_empty() {
        return Ok(None);
    }
    let (old, new) =
        schemas_of_pair(&job.old, &job.new).map_err(|error| task_failure(failed(&error)))?;
    let fields = old.fields().iter().chain(new.fields());
    let there: BTreeSet<&str> = fields.map(|field| field.name().as_str()).collect();
    let missing = job
        .named
        .iter()
        .find(|named| !there.contains(named.column.as_str()));
    let there: Vec<&str> = there.iter().copied().collect();
    Ok(missing.map(|named| {
        format!(
            "`{}`: neither table has a column `{}`\nhint: {}",
            named.option,
            named.column,
            hint(&named.column, &there, "columns")
        )
    }))
}

fn failed(error: &dyn std::error::Error) -> String {
    format!("failed: {}", chain(error))
}
