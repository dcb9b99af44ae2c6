//! The comparison from end to end.

use understudy_core::comparison::Comparison;
use understudy_core::rule::Rule;
use understudy_tables::{TableError, TableSource, schemas_of_pair};

use crate::align::{AlignError, Alignment};
use crate::both::{Both, Side};
use crate::bulk::BulkJudge;
use crate::customers::Customers;
use crate::doubt::{Doubt, doubt};
use crate::fetch::fetch;
use crate::held::Held;
use crate::matching::match_sides;
use crate::means::{Means, TempError};
use crate::remaining::settle;
use crate::request::{Findings, FindingsError, Request};
use crate::scan::{PassError, Scan, scan};
use crate::setting::{Identity, Setting, on_both};
use crate::sums::sum;
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
        Some(rows),
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
    let mut tally = Tally::new(rules, &alignment.layout, means);
    tally.add_schema(rules, std::mem::take(&mut alignment.differences));
    let identity = if alignment.key.is_empty() {
        Identity::WholeRow
    } else {
        Identity::Key
    };
    let held = match identity {
        Identity::Key => Held::choose(&alignment, rules),
        Identity::WholeRow => Held::default(),
    };
    let setting = Setting {
        alignment: &alignment,
        held: &held,
        identity,
        means,
    };
    let (doubt, settled) = first_pass(&tables, setting, &mut tally)?;
    let gave_up = if doubt.is_none() {
        tally.add_equal(settled.rows.old - settled.expected_pairs);
        0
    } else {
        second_pass(&tables, setting, &doubt, &settled, &mut tally)?
    };
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

/// What the first pass counted.
struct Settled {
    rows: Both<u64>,
    /// Pairs that differ as rules expect.
    expected_pairs: u64,
}

/// Reads both sides once; counts what needs no second look, and says what does.
fn first_pass(
    tables: &Both<&dyn Table>,
    setting: Setting<'_>,
    tally: &mut Tally<'_>,
) -> Result<(Doubt, Settled), CompareError> {
    let mut sums = on_sides(setting, |side| sum(*tables.get(side), setting, side))?;
    let rows = Both {
        old: sums.old.rows,
        new: sums.new.rows,
    };
    let counts = Both {
        old: std::mem::take(&mut sums.old.customers),
        new: std::mem::take(&mut sums.new.customers),
    };
    tally.add_sides(rows);
    tally.add_customers(&counts);
    let customers = Customers::of(&counts);
    let judge = BulkJudge {
        judge: &tally.judge,
        held: setting.held,
        customers: &customers,
    };
    let (doubt, expected) = doubt(&sums, setting, &judge)?;
    tally.add_expected(&expected, &customers.all);
    Ok((
        doubt,
        Settled {
            rows,
            expected_pairs: expected.pairs,
        },
    ))
}

/// Looks at the rows in doubt. Returns the number of keys with too many rows for a best pairing.
fn second_pass(
    tables: &Both<&dyn Table>,
    setting: Setting<'_>,
    doubt: &Doubt,
    settled: &Settled,
    tally: &mut Tally<'_>,
) -> Result<u64, CompareError> {
    let scans = on_sides(setting, |side| {
        scan(*tables.get(side), setting, side, doubt)
    })?;
    let Both { old, new } = scans;
    tally.add_equal(undoubted(&old, &new, settled)?);
    let counts = Both {
        old: old.customers,
        new: new.customers,
    };
    let customers = Customers::of(&counts);
    let judge = BulkJudge {
        judge: &tally.judge,
        held: setting.held,
        customers: &customers,
    };
    let records = Both {
        old: old.records,
        new: new.records,
    };
    let matched = match_sides(&records, setting, &judge)?;
    tally.add_equal(matched.equal);
    tally.add_expected(&matched.expected, &customers.all);
    tally.comparison().rows.duplicate_keys = matched.duplicate_keys;
    let kept = Both {
        old: old.kept,
        new: new.kept,
    };
    let rows = on_sides(setting, |side| {
        let wanted = matched.remaining.get(side);
        fetch(
            *tables.get(side),
            setting,
            side,
            doubt.reading(),
            kept.get(side),
            wanted,
        )
    })?;
    drop(kept);
    Ok(settle(&rows, setting, tally)?)
}

/// The pairs of rows that were never in doubt, and equal. Both sides have the same number of them, or one of them is
/// not the table any more that the first pass read.
fn undoubted(old: &Scan<'_>, new: &Scan<'_>, settled: &Settled) -> Result<u64, CompareError> {
    let changed = |side| CompareError::Table {
        side,
        source: PassError::Changed,
    };
    if old.rows != settled.rows.old {
        return Err(changed(Side::Old));
    }
    let undoubted = |scan: &Scan<'_>| {
        scan.rows
            .checked_sub(scan.doubtful + settled.expected_pairs)
    };
    let equal = undoubted(old).ok_or_else(|| changed(Side::Old))?;
    if new.rows != settled.rows.new || undoubted(new) != Some(equal) {
        return Err(changed(Side::New));
    }
    Ok(equal)
}

fn on_sides<T: Send>(
    setting: Setting<'_>,
    work: impl Fn(Side) -> Result<T, PassError> + Sync,
) -> Result<Both<T>, CompareError> {
    on_both(setting.means, |side| {
        work(side).map_err(|source| CompareError::Table { side, source })
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
