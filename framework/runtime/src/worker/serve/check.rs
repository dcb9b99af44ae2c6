//! Looking at two outputs in a way of the user's.

use std::any::Any;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use understudy_comparators::{
    Collected, Comparator, Finding, Found, MetricsComparator, Share, Side, Sides, SidesRequest,
    shortened,
};
use understudy_core::check::CheckKind;
use understudy_core::comparison::CheckFindings;
use understudy_core::customer::Customer;
use understudy_core::run::Failure;
use understudy_core::schema::Column;
use understudy_core::spec::nearest::hint;
use understudy_tables::table_schema;
use understudy_tasks::{CommandComparator, Program, Registry, SqlComparator};

use super::super::protocol::{CheckJob, Checked, ExpectedFindings};
use super::task::{program_folder, start};
use super::{chain, machine_failure, task_failure};
use crate::mask::{Mask, Scrubber, each_value};

/// Compares, and gives what was found: judged by the rules, masked, counted.
pub(super) fn check(
    job: &CheckJob,
    temporary: &Path,
    launcher: Option<Vec<OsString>>,
    registry: &Registry,
) -> Result<Checked, Failure> {
    let mask = Mask::ordered(job.mask.as_ref()).map_err(|error| machine_failure(chain(&error)))?;
    let request = SidesRequest {
        old: &job.old,
        new: &job.new,
        key: &job.key,
        customer: job.customer.as_deref(),
        run_date: job.date,
        now_nanos: job.now_nanos,
        memory_bytes: job.memory_bytes,
        threads: job.threads,
        temp_dir: temporary,
    };
    let sides = Sides::open(request).map_err(|error| machine_failure(chain(&error)))?;
    let columns = columns(&sides);
    let collected = Collected::new(job.check.difference(), &job.rules, &columns);
    let mut masking = Masking {
        mask: &mask,
        columns: &columns,
        customers: job.customers.as_ref(),
        collected,
    };
    let looked_at = match &job.check.kind {
        CheckKind::Rust(name) => ask_rust(name, registry, &sides, &mut masking)?,
        _ => ask(
            comparator(job, temporary, launcher).as_ref(),
            &sides,
            &mut masking,
        )?,
    };
    let (found, shares) = masking.collected.finish(looked_at);
    let found = scrubbed(found, job, &mask)?;
    Ok(Checked {
        found: shortened(found),
        expected: shares.into_iter().map(expected).collect(),
    })
}

fn expected(share: Share) -> ExpectedFindings {
    ExpectedFindings {
        findings: share.findings,
        customers: share.customers,
    }
}

/// The columns of both tables, each once.
fn columns(sides: &Sides<'_>) -> Vec<Column> {
    let mut columns = table_schema(sides.schema(Side::Old)).0;
    for column in table_schema(sides.schema(Side::New)).0 {
        if columns.iter().all(|known| known.name != column.name) {
            columns.push(column);
        }
    }
    columns
}

fn comparator(
    job: &CheckJob,
    temporary: &Path,
    launcher: Option<Vec<OsString>>,
) -> Box<dyn Comparator> {
    match &job.check.kind {
        CheckKind::Metrics(metrics) => Box::new(MetricsComparator::new(metrics.clone())),
        CheckKind::Sql { sql, .. } => Box::new(SqlComparator::new(sql.clone())),
        CheckKind::Command { argv, .. } => {
            let program = program(job, argv, temporary, launcher);
            Box::new(CommandComparator::new(program))
        }
        CheckKind::Rust(_) => unreachable!("those are in the registry"),
    }
}

fn program(
    job: &CheckJob,
    argv: &[String],
    temporary: &Path,
    launcher: Option<Vec<OsString>>,
) -> Program {
    let [stdout, stderr] = job.logs.clone();
    let mut about = serde_json::Map::new();
    for (name, value) in [
        ("change", &job.change),
        ("task", &job.task),
        ("check", &job.check.name),
        ("run", &job.run),
    ] {
        about.insert(name.to_owned(), value.as_str().into());
    }
    Program {
        argv: argv.to_vec(),
        working_dir: job.pipeline_folder.clone(),
        about,
        output: job.output.clone(),
        temp_dir: program_folder(temporary),
        stdout,
        stderr,
        start: start(&[], launcher, temporary),
    }
}

fn ask(
    comparator: &dyn Comparator,
    sides: &Sides<'_>,
    found: &mut dyn Found,
) -> Result<u64, Failure> {
    let compared = comparator.compare(sides, found);
    compared.map_err(|error| task_failure(chain(&error)))
}

fn ask_rust(
    name: &str,
    registry: &Registry,
    sides: &Sides<'_>,
    found: &mut dyn Found,
) -> Result<u64, Failure> {
    let Some(comparator) = registry.get_comparator(name) else {
        let known = hint(name, &registry.comparator_names(), "Rust comparators here");
        let message = format!("this program has no Rust comparator `{name}`; {known}");
        return Err(task_failure(message));
    };
    catch_unwind(AssertUnwindSafe(|| ask(comparator, sides, found))).unwrap_or_else(|panic| {
        let said = panic_text(panic.as_ref());
        Err(task_failure(format!(
            "the Rust comparator `{name}` panicked: {said}"
        )))
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it gave no reason".to_owned())
}

/// Puts tokens in the place of masked values before anybody counts or keeps a finding.
struct Masking<'a> {
    mask: &'a Mask,
    columns: &'a [Column],
    /// Those that may be named; `None` names everybody.
    customers: Option<&'a BTreeSet<Customer>>,
    collected: Collected<'a>,
}

impl Found for Masking<'_> {
    fn finding(&mut self, mut finding: Finding) {
        self.mask.finding(&mut finding, self.columns);
        // Nobody knows whose it is then: it concerns everybody.
        let is_known = |owner: &Customer| self.customers.is_none_or(|known| known.contains(owner));
        finding.customer = finding.customer.filter(is_known);
        self.collected.finding(finding);
    }

    fn not_compared(&mut self, what: String) {
        self.collected.not_compared(what);
    }
}

/// What a comparator says in words may quote masked values all the same: they are looked for.
fn scrubbed(
    mut found: CheckFindings,
    job: &CheckJob,
    mask: &Mask,
) -> Result<CheckFindings, Failure> {
    let Some(order) = &job.mask else {
        return Ok(found);
    };
    let mut texts: Vec<&mut String> = Vec::new();
    for finding in &mut found.examples {
        texts.push(&mut finding.what);
        let more = [&mut finding.column, &mut finding.old, &mut finding.new];
        texts.extend(more.into_iter().flatten());
    }
    texts.extend(&mut found.not_compared);
    if texts.is_empty() {
        return Ok(found);
    }
    let bytes: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    let failed = |error: &dyn std::fmt::Display| {
        machine_failure(format!(
            "masked columns {:?} cannot be looked for: {error}",
            order.columns
        ))
    };
    let mut scrubber = Scrubber::new(mask, &bytes).map_err(|error| failed(&error))?;
    for table in [&job.old, &job.new] {
        each_value(table, mask, &mut |value| Ok(scrubber.see(value)?))
            .map_err(|error| failed(&error))?;
    }
    for (text, clean) in texts.into_iter().zip(scrubber.finish()) {
        *text = String::from_utf8_lossy(&clean).into_owned();
    }
    Ok(found)
}
