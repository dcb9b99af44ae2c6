//! Comparing two outputs and writing what was found.

use std::path::Path;

use understudy_comparators::Request;
use understudy_core::run::Failure;

use super::super::protocol::{CompareJob, Findings};
use super::predicates::SqlPredicates;
use super::{chain, machine_failure, task_failure};
use crate::mask::Mask;
use crate::report::files::diff::{DiffLimits, DiffWriter};
use crate::report::files::record::Origin;

/// Compares, and leaves `diff.csv` and `diff.parquet` in the report folder.
pub(super) fn compare(job: &CompareJob, temporary: &Path) -> Result<Findings, Failure> {
    let origin = Origin {
        change: Some(job.change.clone()),
        task: Some(job.task.clone()),
        date: Some(job.date),
        run: Some(job.run.clone()),
    };
    let mask = Mask::ordered(job.mask.as_ref()).map_err(|error| machine_failure(chain(&error)))?;
    let rules = job.rules.iter().map(|rule| rule.name.clone()).collect();
    let mut writer = DiffWriter::new(
        Some(&job.report_folder),
        temporary,
        origin,
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
    let comparison = understudy_comparators::compare(&request, &mut writer)
        .map_err(|error| task_failure(chain(&error)))?;
    let diff = writer
        .finish(&comparison)
        .map_err(|error| machine_failure(chain(&error)))?;
    Ok(Findings { comparison, diff })
}
