//! The comparison from end to end.

use std::thread;

use understudy_core::comparison::Comparison;
use understudy_core::rule::Rule;
use understudy_tables::{TableError, schemas_of_pair};

use crate::align::{AlignError, Alignment};
use crate::both::{Both, Side};
use crate::fetch::fetch;
use crate::matching::{Identity, Matched, match_sides};
use crate::remaining::settle;
use crate::request::{Findings, FindingsError, Request};
use crate::scan::{Scan, scan};
use crate::table::Table;
use crate::tally::Tally;

/// In how many parts the rows of a side are kept.
const PARTS: usize = 256;

/// A comparison that did not come to its end. There are no partial findings: what was handed on is void.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A table cannot be read.
    #[error("the {side} table cannot be read")]
    Table {
        /// The side.
        side: Side,
        /// Why.
        source: TableError,
    },
    /// The types of the tables' columns cannot be found out.
    #[error("the columns of the tables cannot be read")]
    Schemas(#[source] TableError),
    /// The tables cannot be laid side by side.
    #[error(transparent)]
    Align(#[from] AlignError),
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
    let sides: Both<&dyn Table> = Both {
        old: request.old,
        new: request.new,
    };
    compare_aligned(sides, alignment, request.rules, request.threads, findings)
}

pub(crate) fn compare_aligned(
    tables: Both<&dyn Table>,
    mut alignment: Alignment,
    rules: &[Rule],
    threads: usize,
    findings: &mut dyn Findings,
) -> Result<Comparison, CompareError> {
    findings.begin(&alignment.layout)?;
    let identity = if alignment.key.is_empty() {
        Identity::WholeRow
    } else {
        Identity::Key
    };
    let mut tally = Tally::new(rules, &alignment.layout);
    tally.add_schema(rules, std::mem::take(&mut alignment.differences));
    let scans = on_both(threads, |side| {
        scan(*tables.get(side), &alignment, side, PARTS)
    })?;
    let entries = count_sides(scans, &mut tally);
    let matched = match_sides(entries, identity);
    tally.add_equal(matched.equal);
    tally.comparison().rows.duplicate_keys = matched.duplicate_keys;
    let rows = on_both(threads, |side| {
        fetch(
            *tables.get(side),
            &alignment,
            side,
            matched.remaining.get(side),
        )
    })?;
    let gave_up = settle(rows, identity, &mut tally);
    let mut comparison = tally.finish(findings)?;
    comparison.notes = alignment.notes;
    comparison
        .notes
        .extend(notes(&comparison, &matched, gave_up));
    comparison.not_compared = alignment.not_compared;
    Ok(comparison)
}

/// Does the same for both sides, at once where there are two threads for it.
fn on_both<T: Send>(
    threads: usize,
    work: impl Fn(Side) -> Result<T, TableError> + Sync,
) -> Result<Both<T>, CompareError> {
    let failed = |side| move |source| CompareError::Table { side, source };
    if threads < 2 {
        return Ok(Both {
            old: work(Side::Old).map_err(failed(Side::Old))?,
            new: work(Side::New).map_err(failed(Side::New))?,
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
        old: old.map_err(failed(Side::Old))?,
        new: new.map_err(failed(Side::New))?,
    })
}

fn count_sides(scans: Both<Scan>, tally: &mut Tally) -> Both<crate::entries::Entries> {
    tally.comparison().rows.old = scans.old.rows;
    tally.comparison().rows.new = scans.new.rows;
    for (customer, rows) in scans.old.customers {
        tally.customer(customer).old += rows;
    }
    for (customer, rows) in scans.new.customers {
        tally.customer(customer).new += rows;
    }
    Both {
        old: scans.old.entries,
        new: scans.new.entries,
    }
}

fn notes(comparison: &Comparison, matched: &Matched, gave_up: u64) -> Vec<String> {
    let rows = comparison.rows;
    let empty = (rows.old == 0 && rows.new == 0)
        .then(|| "both tables are empty: nothing was compared".to_owned());
    let duplicates = matched.duplicate_keys;
    let twice = (duplicates > 0).then(|| {
        if duplicates == 1 {
            "1 key stands more than once on a side".to_owned()
        } else {
            format!("{duplicates} keys stand more than once on a side")
        }
    });
    let bounded = (gave_up > 0).then(|| {
        format!("{gave_up} keys have too many differing rows for the best pairing; theirs were paired in order")
    });
    [empty, twice, bounded].into_iter().flatten().collect()
}
