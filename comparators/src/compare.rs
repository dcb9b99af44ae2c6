//! The comparison from end to end.

use std::thread;

use understudy_core::comparison::Comparison;
use understudy_core::rule::Rule;
use understudy_tables::{TableError, TableSource, schemas_of_pair};

use crate::align::{AlignError, Alignment};
use crate::both::{Both, Side};
use crate::bulk::BulkJudge;
use crate::customers::Customers;
use crate::fetch::fetch;
use crate::held::Held;
use crate::matching::{Identity, Matched, match_sides};
use crate::means::{Means, TempError};
use crate::record::record_bytes;
use crate::remaining::settle;
use crate::request::{Findings, FindingsError, Request};
use crate::scan::{PassError, scan};
use crate::table::Table;
use crate::tally::Tally;

/// A comparison that did not come to its end. There are no partial findings: what was handed on is void.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A table cannot be read.
    #[error("the {side} table cannot be read")]
    Table {
        /// The side.
        side: Side,
        /// Why.
        source: PassError,
    },
    /// The types of the tables' columns cannot be found out.
    #[error("the columns of the tables cannot be read")]
    Schemas(#[source] TableError),
    /// The tables cannot be laid side by side.
    #[error(transparent)]
    Align(#[from] AlignError),
    /// Temporary files cannot be used.
    #[error(transparent)]
    Temp(#[from] TempError),
    /// The receiver of the findings could not go on.
    #[error(transparent)]
    Findings(#[from] FindingsError),
}

/// Compares two tables and says how they differ.
///
/// The counts are exact. Every row with a difference that no rule expects goes to the findings; of the rows that a
/// rule expects, at most [`EXPECTED_ROWS_PER_RULE`](crate::EXPECTED_ROWS_PER_RULE) do.
///
/// # Errors
/// A table that cannot be read, a key or customer column that is not there, or findings that cannot be handed on.
pub fn compare(
    request: &Request<'_>,
    findings: &mut dyn Findings,
) -> Result<Comparison, CompareError> {
    let (old, new) = schemas_of_pair(request.old, request.new).map_err(CompareError::Schemas)?;
    let alignment = Alignment::of(Both { old, new }, request.key, request.customer)?;
    let tables: Both<&dyn Table> = Both {
        old: request.old,
        new: request.new,
    };
    let rows = extent(request)?;
    let means = Means::new(
        request.memory_bytes,
        request.threads,
        request.temp_dir,
        Some(rows * record_bytes(1) as u64),
    );
    compare_aligned(tables, alignment, request.rules, &means, findings)
}

/// The rows of the greater side, about.
fn extent(request: &Request<'_>) -> Result<u64, CompareError> {
    /// The bytes that a row of CSV has at least, mostly.
    const CSV_ROW_BYTES: u64 = 16;
    let rows = |table: &TableSource| {
        let extent = table.extent()?;
        Ok(extent.rows.unwrap_or(extent.bytes / CSV_ROW_BYTES))
    };
    let old = rows(request.old).map_err(CompareError::Schemas)?;
    Ok(old.max(rows(request.new).map_err(CompareError::Schemas)?))
}

pub(crate) fn compare_aligned(
    tables: Both<&dyn Table>,
    mut alignment: Alignment,
    rules: &[Rule],
    means: &Means,
    findings: &mut dyn Findings,
) -> Result<Comparison, CompareError> {
    findings.begin(&alignment.layout)?;
    let identity = if alignment.key.is_empty() {
        Identity::WholeRow
    } else {
        Identity::Key
    };
    let mut tally = Tally::new(rules, &alignment.layout, means);
    tally.add_schema(rules, std::mem::take(&mut alignment.differences));
    let matched = first_pass(&tables, &alignment, rules, means, &mut tally)?;
    let rows = on_both(means.threads, |side| {
        fetch(
            *tables.get(side),
            &alignment,
            side,
            matched.remaining.get(side),
            means,
        )
    })?;
    let gave_up = settle(&rows, identity, means, &mut tally)?;
    let mut notes = alignment.notes;
    notes.extend(row_notes(tally.comparison(), gave_up));
    notes.extend(tally.spelling_notes());
    let comparison = tally.finish(findings)?;
    Ok(Comparison {
        notes,
        not_compared: alignment.not_compared,
        ..comparison
    })
}

/// Reads both sides once; counts what needs no second look, and says which rows do.
fn first_pass(
    tables: &Both<&dyn Table>,
    alignment: &Alignment,
    rules: &[Rule],
    means: &Means,
    tally: &mut Tally<'_>,
) -> Result<Matched, CompareError> {
    let identity = if alignment.key.is_empty() {
        Identity::WholeRow
    } else {
        Identity::Key
    };
    let held = match identity {
        Identity::Key => Held::choose(alignment, rules),
        Identity::WholeRow => Held::default(),
    };
    let scans = on_both(means.threads, |side| {
        scan(*tables.get(side), alignment, &held, side, means)
    })?;
    let Both { old, new } = scans;
    tally.add_sides(Both {
        old: old.rows,
        new: new.rows,
    });
    let counts = Both {
        old: old.customers,
        new: new.customers,
    };
    tally.add_customers(&counts);
    let customers = Customers::of(&counts);
    let judge = BulkJudge {
        judge: &tally.judge,
        held: &held,
        customers: &customers,
    };
    let records = Both {
        old: old.records,
        new: new.records,
    };
    let matched = match_sides(&records, identity, &judge, means)?;
    tally.add_equal(matched.equal);
    tally.add_expected(&matched.expected, &customers.all);
    tally.comparison().rows.duplicate_keys = matched.duplicate_keys;
    Ok(matched)
}

/// Does the same for both sides, at once where there are two threads for it.
fn on_both<T: Send>(
    threads: usize,
    work: impl Fn(Side) -> Result<T, PassError> + Sync,
) -> Result<Both<T>, CompareError> {
    let work = |side| work(side).map_err(|source| CompareError::Table { side, source });
    if threads < 2 {
        return Ok(Both {
            old: work(Side::Old)?,
            new: work(Side::New)?,
        });
    }
    let (old, new) = thread::scope(|scope| {
        let old = scope.spawn(|| work(Side::Old));
        let new = work(Side::New);
        (
            old.join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            new,
        )
    });
    Ok(Both {
        old: old?,
        new: new?,
    })
}

fn row_notes(comparison: &Comparison, gave_up: u64) -> Vec<String> {
    let rows = comparison.rows;
    let empty = (rows.old == 0 && rows.new == 0)
        .then(|| "both tables are empty: nothing was compared".to_owned());
    let duplicates = rows.duplicate_keys;
    let twice = (duplicates > 0).then(|| match duplicates {
        1 => "1 key stands more than once on a side".to_owned(),
        _ => format!("{duplicates} keys stand more than once on a side"),
    });
    let bounded = (gave_up > 0).then(|| {
        format!("{gave_up} keys have too many differing rows for the best pairing; theirs were paired in order")
    });
    [empty, twice, bounded].into_iter().flatten().collect()
}
