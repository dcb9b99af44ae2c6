//! Comparing the tables of a case.

use std::path::Path;

use understudy_comparators::testing::compare_case;
use understudy_core::run::Failure;

use super::super::protocol::{CaseJob, Findings};
use super::predicates::SqlPredicates;
use super::{chain, machine_failure, task_failure};
use crate::report::files::diff::{DiffLimits, DiffWriter};
use crate::report::files::record::Origin;

/// Compares; what is found stands in no file.
pub(super) fn case(job: &CaseJob, temporary: &Path) -> Result<Findings, Failure> {
    let rules = job.case.rules.iter().map(|rule| rule.name.clone());
    let mut writer = DiffWriter::new(
        None,
        temporary,
        Origin::default(),
        rules.collect(),
        DiffLimits::default(),
    );
    let comparison = compare_case(&job.case, Some(&SqlPredicates), temporary, &mut writer)
        .map_err(|error| task_failure(format!("failed: {}", chain(&error))))?;
    let diff = writer
        .finish(&comparison)
        .map_err(|error| machine_failure(format!("failed: {}", chain(&error))))?;
    Ok(Findings { comparison, diff })
}
