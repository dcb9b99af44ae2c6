//! The comparison from end to end.

use std::collections::{BTreeMap, HashSet};

use arrow::datatypes::SchemaRef;
use understudy_core::comparison::Comparison;
use understudy_core::rule::Rule;
use understudy_tables::{TableError, TableReader, TableSource, schemas_of_pair};

use crate::align::{AlignError, Alignment};
use crate::both::{Both, Side};
use crate::bulk::BulkJudge;
use crate::customers::{Customers, Registry};
use crate::digest::upper;
use crate::digester::{Digester, Digests};
use crate::doubt::Doubt;
use crate::fetch::fetch;
use crate::held::Held;
use crate::kept::{Kept, KeptRows};
use crate::light::{Judged, Light};
use crate::matching::match_sides;
use crate::means::{Means, TempError};
use crate::parts::Parts;
use crate::predicates::{PredicateError, Predicates, RulePredicates};
use crate::remaining::settle;
use crate::request::{Findings, FindingsError, Request};
use crate::row_set::RowSet;
use crate::scan::{PassError, Scan, scan};
use crate::setting::{Identity, Reading, Setting, on_both};
use crate::sums::{Summed, Sums};
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
    /// The predicate of a rule cannot be asked.
    #[error("the predicate (`where`) of rule `{rule}` cannot be used")]
    Predicate {
        /// The rule.
        rule: String,
        /// Why.
        source: PredicateError,
    },
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
    let schemas = schemas_of_pair(request.old, request.new).map_err(CompareError::Schemas)?;
    compare_typed(request, schemas, findings)
}

/// The same where the schemas of the old and the new table are known already, from [`schemas_of_pair`]: those of CSV
/// take a look at every value.
///
/// # Errors
/// The same.
pub fn compare_typed(
    request: &Request<'_>,
    (old, new): (SchemaRef, SchemaRef),
    findings: &mut dyn Findings,
) -> Result<Comparison, CompareError> {
    let alignment = Alignment::of(Both { old, new }, request.key, request.customer)?;
    let open = |source: &TableSource, schema| {
        TableReader::open(source, schema).map_err(CompareError::Schemas)
    };
    let readers = Both {
        old: open(request.old, &alignment.schemas.old)?,
        new: open(request.new, &alignment.schemas.new)?,
    };
    let means = Means::new(
        request.memory_bytes,
        request.threads,
        request.temp_dir,
        Some(rows(request.old, &readers.old).max(rows(request.new, &readers.new))),
    );
    let tables: Both<&dyn Table> = Both {
        old: &readers.old,
        new: &readers.new,
    };
    let rules = RuleSet {
        rules: request.rules,
        predicates: request.predicates,
    };
    compare_aligned(tables, alignment, rules, &means, findings)
}

/// Rules, and what understands their predicates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RuleSet<'a> {
    pub(crate) rules: &'a [Rule],
    pub(crate) predicates: Option<&'a dyn Predicates>,
}

/// The rows of a table, about.
fn rows(source: &TableSource, reader: &TableReader) -> u64 {
    /// The bytes that a row of CSV has at least, mostly.
    const CSV_ROW_BYTES: u64 = 16;
    let known: Option<u64> = reader.pieces().iter().map(|piece| piece.rows).sum();
    let bytes = || {
        source
            .snapshot
            .files
            .iter()
            .map(|file| file.bytes)
            .sum::<u64>()
    };
    known.unwrap_or_else(|| bytes() / CSV_ROW_BYTES)
}

pub(crate) fn compare_aligned(
    tables: Both<&dyn Table>,
    alignment: Alignment,
    RuleSet { rules, predicates }: RuleSet<'_>,
    means: &Means,
    findings: &mut dyn Findings,
) -> Result<Comparison, CompareError> {
    findings.begin(&alignment.layout)?;
    let unusable = |(rule, source)| CompareError::Predicate { rule, source };
    let predicates = RulePredicates::bind(rules, &alignment, predicates).map_err(unusable)?;
    let mut absent = BTreeMap::new();
    loop {
        let mut tally = Tally::new(rules, &absent, &predicates, &alignment.layout, means);
        let gave_up = judge_all(&tables, &alignment, rules, means, &mut tally)?;
        if let Some(failed) = tally.failed_predicate() {
            return Err(unusable(failed));
        }
        // What a rule that forgives too much leaves to the others is not known before they are asked.
        if let Some((rule, rows)) = tally.exceeded() {
            drop(tally);
            absent.insert(rule, rows);
            continue;
        }
        let mut notes = alignment.notes.clone();
        notes.extend(row_notes(tally.comparison(), gave_up));
        notes.extend(tally.spelling_notes());
        let mut comparison = tally.finish(findings)?;
        notes.append(&mut comparison.notes);
        return Ok(Comparison {
            notes,
            not_compared: alignment.not_compared,
            ..comparison
        });
    }
}

/// Counts and judges everything. Returns the number of keys with too many rows for a best pairing.
fn judge_all(
    tables: &Both<&dyn Table>,
    alignment: &Alignment,
    rules: &[Rule],
    means: &Means,
    tally: &mut Tally<'_>,
) -> Result<u64, CompareError> {
    tally.add_schema(&alignment.differences);
    let identity = if alignment.key.is_empty() {
        Identity::WholeRow
    } else {
        Identity::Key
    };
    let held = match identity {
        // Predicates are asked about whole rows.
        Identity::Key if !tally.wants_cells() => Held::choose(alignment, rules),
        Identity::Key => Held::default(),
        Identity::WholeRow => Held::default(),
    };
    let setting = Setting {
        alignment,
        held: &held,
        identity,
        means,
    };
    let gave_up = pass_by_pass(tables, setting, tally)?;
    tally.ask()?;
    Ok(gave_up)
}

/// Counts and judges all rows. Returns the number of keys with too many rows for a best pairing.
fn pass_by_pass(
    tables: &Both<&dyn Table>,
    setting: Setting<'_>,
    tally: &mut Tally<'_>,
) -> Result<u64, CompareError> {
    let registry = Registry::new(setting);
    let sums = Sums::new(setting);
    let summed = sums.read(tables, &registry).map_err(of_side)?;
    let unequal = sums.unequal()?;
    drop(sums);
    tally.add_sides(summed.rows);
    tally.add_customers(&summed.customers);
    let customers = Customers::of(&registry);
    let Summed { rows, .. } = summed;
    let (mut doubt, held_cells) = Doubt::of(unequal, setting);
    let mut judged_pairs = 0;
    if held_cells.len() > 0 {
        let pass = HeldPass {
            tables,
            setting,
            customers: &customers,
            rows: rows.old,
        };
        judged_pairs = pass.run(&held_cells, &mut doubt, tally)?;
    }
    if doubt.is_none() {
        tally.add_equal(rows.old - judged_pairs);
        return Ok(0);
    }
    let settled = Settled { rows, judged_pairs };
    second_pass(tables, setting, &customers, &doubt, &settled, tally)
}

/// The pass over held values.
struct HeldPass<'a> {
    tables: &'a Both<&'a dyn Table>,
    setting: Setting<'a>,
    customers: &'a Customers<'a>,
    /// Of the old side.
    rows: u64,
}

impl HeldPass<'_> {
    /// Counts the pairs that differ in held columns only, as rules expect; adds the others to what is in doubt.
    fn run(
        &self,
        cells: &RowSet,
        doubt: &mut Doubt,
        tally: &mut Tally<'_>,
    ) -> Result<u64, CompareError> {
        let judge = BulkJudge {
            judge: &tally.judge,
            held: self.setting.held,
            customers: self.customers,
        };
        let light = Light::new(self.setting);
        let candidates = light
            .read(self.tables, self.setting, &judge, cells, self.rows)
            .map_err(of_side)?;
        let Judged {
            mut expected,
            cells,
        } = light.judge(self.setting, &judge)?;
        drop(light);
        doubt.add_held(cells);
        let samples: HashSet<u64> = expected
            .take_samples()
            .into_iter()
            .map(|marks| marks.old)
            .collect();
        tally.add_expected(&expected, &self.customers.all);
        let is_there = samples.iter().all(|mark| *mark < candidates.end);
        if !is_there || !candidates.kept.old.is_whole() || !candidates.kept.new.is_whole() {
            doubt.add_samples(samples);
            return Ok(expected.pairs);
        }
        self.settle_samples(&candidates.kept, &samples, tally)?;
        Ok(expected.pairs + samples.len() as u64)
    }

    /// Hands the sampled pairs to the tally, from the rows that were kept.
    fn settle_samples(
        &self,
        kept: &Both<KeptRows<'_>>,
        samples: &HashSet<u64>,
        tally: &mut Tally<'_>,
    ) -> Result<(), CompareError> {
        let rows = on_both(self.setting.means, |side| {
            let (table, kept) = (*self.tables.get(side), kept.get(side));
            let wanted = positions(self.setting, side, kept, samples);
            let rows = fetch(table, self.setting, side, Reading::Held, kept, &wanted);
            rows.map_err(|source| CompareError::Table { side, source })
        })?;
        settle(&rows, self.setting, tally)?;
        Ok(())
    }
}

/// Where the rows stand whose keys have these marks.
fn positions(
    setting: Setting<'_>,
    side: Side,
    kept: &KeptRows<'_>,
    marks: &HashSet<u64>,
) -> RowSet {
    let digester = Digester::new(setting, side, Reading::Held);
    let (mut digests, mut wanted) = (Digests::default(), RowSet::default());
    for Kept { positions, batch } in kept.all().into_iter().flatten() {
        digester.identify(batch, &mut digests);
        for (position, key) in positions.iter().zip(&digests.keys) {
            if marks.contains(&setting.means.mark_of(upper(*key))) {
                wanted.insert(*position);
            }
        }
    }
    wanted
}

/// What is settled before the second pass.
struct Settled {
    rows: Both<u64>,
    /// Pairs that differ as rules expect.
    judged_pairs: u64,
}

/// Looks at the rows in doubt. Returns the number of keys with too many rows for a best pairing.
fn second_pass(
    tables: &Both<&dyn Table>,
    setting: Setting<'_>,
    customers: &Customers<'_>,
    doubt: &Doubt,
    settled: &Settled,
    tally: &mut Tally<'_>,
) -> Result<u64, CompareError> {
    let records = Both {
        old: Parts::new(setting.means),
        new: Parts::new(setting.means),
    };
    let scan = scan(tables, setting, doubt, customers, &records).map_err(of_side)?;
    tally.add_equal(undoubted(&scan, settled)?);
    let judge = BulkJudge {
        judge: &tally.judge,
        held: setting.held,
        customers,
    };
    let matched = match_sides(&records, setting, &judge)?;
    drop(records);
    tally.add_equal(matched.equal);
    tally.add_expected(&matched.expected, &customers.all);
    tally.comparison().rows.duplicate_keys = matched.duplicate_keys;
    let rows = on_both(setting.means, |side| {
        let (wanted, kept) = (matched.remaining.get(side), scan.kept.get(side));
        let rows = fetch(
            *tables.get(side),
            setting,
            side,
            doubt.reading,
            kept,
            wanted,
        );
        rows.map_err(|source| CompareError::Table { side, source })
    })?;
    drop(scan);
    Ok(settle(&rows, setting, tally)?)
}

/// The pairs of rows that were never in doubt, and equal. Both sides have the same number of them, or one of them is
/// not the table any more that the first pass read.
fn undoubted(scan: &Scan<'_>, settled: &Settled) -> Result<u64, CompareError> {
    let equal = |side| {
        let (rows, doubtful) = (*scan.rows.get(side), *scan.doubtful.get(side));
        let equal = rows.checked_sub(doubtful + settled.judged_pairs);
        equal
            .filter(|_| rows == *settled.rows.get(side))
            .ok_or_else(|| of_side((side, PassError::Changed)))
    };
    let (old, new) = (equal(Side::Old)?, equal(Side::New)?);
    if old == new {
        Ok(old)
    } else {
        Err(of_side((Side::New, PassError::Changed)))
    }
}

fn of_side((side, source): (Side, PassError)) -> CompareError {
    CompareError::Table { side, source }
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
        let groups = match gave_up {
            1 => "1 group of rows is",
            _ => &format!("{gave_up} groups of rows are"),
        };
        format!("{groups} too large for the best pairing, and paired in order")
    });
    [empty, twice, bounded].into_iter().flatten().collect()
}
