//! What became of the rows that remain: by their values, not by their digests.

use std::collections::VecDeque;

use understudy_core::comparison::{CellDifference, RowChange, RowDifference};
use understudy_core::customer::Customer;
use understudy_core::value::Value;

use crate::both::{Both, Side};
use crate::codec::decode_all;
use crate::fetch::Row;
use crate::means::{Means, TempError};
use crate::pair::{MAX_ROWS_TO_PAIR, cheapest_pairs};
use crate::parts::Parts;
use crate::predicates::SeenRow;
use crate::setting::{Identity, Setting};
use crate::sorted::{Sorted, Sorter};
use crate::tally::Tally;

mod unkeyed;

/// Matches the remaining rows on their keys and hands every difference to the tally.
/// Returns the number of keys with too many rows for a best pairing.
pub(crate) fn settle(
    sides: &Both<Parts<'_>>,
    setting: Setting<'_>,
    tally: &mut Tally<'_>,
) -> Result<u64, TempError> {
    if setting.identity == Identity::WholeRow {
        return unkeyed::settle_multisets(sides, setting, tally);
    }
    let mut gave_up = 0;
    for part in 0..sides.old.len() {
        let old = Group::new(in_order(&sides.old, part, setting.means)?);
        let new = Group::new(in_order(&sides.new, part, setting.means)?);
        gave_up += settle_part(Both { old, new }, tally)?;
    }
    Ok(gave_up)
}

/// The rows of one part of one side by key, rows of one key by their cells.
fn in_order<'a>(
    side: &Parts<'_>,
    part: usize,
    means: &'a Means,
) -> Result<Sorted<'a, Row>, TempError> {
    let mut sorter = Sorter::new(means, |left: &Row, right: &Row| {
        Value::order_all(&left.key, &right.key)
            .then_with(|| Value::order_all(&left.cells, &right.cells))
    });
    side.take_chunks(part, |chunk| {
        decode_all::<Row>(chunk)
            .into_iter()
            .try_for_each(|row| sorter.push(row))
    })?;
    sorter.finish()
}

fn leave_part(
    side: &Parts<'_>,
    part: usize,
    of: Side,
    tally: &mut Tally<'_>,
) -> Result<(), TempError> {
    side.take_chunks(part, |chunk| {
        decode_all::<Row>(chunk)
            .into_iter()
            .try_for_each(|row| leave(row, of, tally))
    })
}

fn settle_part(mut sides: Both<Group<'_>>, tally: &mut Tally<'_>) -> Result<u64, TempError> {
    let mut gave_up = 0;
    while let Some(key) = first_key(&mut sides)? {
        sides.old.begin(&key)?;
        sides.new.begin(&key)?;
        let is_too_much = (sides.old.is_long() || sides.new.is_long())
            && !sides.old.loaded.is_empty()
            && !sides.new.loaded.is_empty();
        if is_too_much {
            gave_up += 1;
            pair_in_order(&mut sides, &key, tally)?;
        } else if sides.old.loaded.is_empty() || sides.new.loaded.is_empty() {
            pair_in_order(&mut sides, &key, tally)?;
        } else {
            let group = Both {
                old: sides.old.take(),
                new: sides.new.take(),
            };
            pair_best(group, tally)?;
        }
    }
    Ok(gave_up)
}

fn first_key(sides: &mut Both<Group<'_>>) -> Result<Option<Vec<Value>>, TempError> {
    let (old, new) = (sides.old.rows.peek()?, sides.new.rows.peek()?);
    let first = [old, new]
        .into_iter()
        .flatten()
        .min_by(|a, b| Value::order_all(&a.key, &b.key));
    Ok(first.map(|row| row.key.clone()))
}

/// One side's rows of the key at hand, as many of them as a best pairing looks at, and the rows behind them.
struct Group<'a> {
    rows: Sorted<'a, Row>,
    loaded: VecDeque<Row>,
}

impl<'a> Group<'a> {
    fn new(rows: Sorted<'a, Row>) -> Self {
        Self {
            rows,
            loaded: VecDeque::new(),
        }
    }

    /// Loads rows of a key, one more than a best pairing takes.
    fn begin(&mut self, key: &[Value]) -> Result<(), TempError> {
        while self.loaded.len() <= MAX_ROWS_TO_PAIR {
            match self
                .rows
                .next_if(|row| Value::order_all(&row.key, key).is_eq())?
            {
                Some(row) => self.loaded.push_back(row),
                None => break,
            }
        }
        Ok(())
    }

    fn is_long(&self) -> bool {
        self.loaded.len() > MAX_ROWS_TO_PAIR
    }

    fn take(&mut self) -> Vec<Row> {
        self.loaded.drain(..).collect()
    }

    /// The next row of the key.
    fn next(&mut self, key: &[Value]) -> Result<Option<Row>, TempError> {
        match self.loaded.pop_front() {
            Some(row) => Ok(Some(row)),
            None => self
                .rows
                .next_if(|row| Value::order_all(&row.key, key).is_eq()),
        }
    }
}

/// Pairs the rows of a key in the order of their cells. Those of the longer side that are left stand alone.
fn pair_in_order(
    sides: &mut Both<Group<'_>>,
    key: &[Value],
    tally: &mut Tally<'_>,
) -> Result<(), TempError> {
    loop {
        match (sides.old.next(key)?, sides.new.next(key)?) {
            (Some(old), Some(new)) => compare_pair(old, new, tally)?,
            (Some(old), None) => leave(old, Side::Old, tally)?,
            (None, Some(new)) => leave(new, Side::New, tally)?,
            (None, None) => return Ok(()),
        }
    }
}

/// Pairs the rows of a key so that the fewest cells differ.
fn pair_best(group: Both<Vec<Row>>, tally: &mut Tally<'_>) -> Result<(), TempError> {
    let partners = if group.old.len() == 1 && group.new.len() == 1 {
        vec![0]
    } else {
        best_partners(&group)
    };
    let old_is_shorter = group.old.len() <= group.new.len();
    let (shorter, longer) = if old_is_shorter {
        (group.old, group.new)
    } else {
        (group.new, group.old)
    };
    let mut longer: Vec<Option<Row>> = longer.into_iter().map(Some).collect();
    for (row, partner) in shorter.into_iter().zip(partners) {
        let other = longer[partner]
            .take()
            .expect("a row is the partner of one row");
        let (old, new) = if old_is_shorter {
            (row, other)
        } else {
            (other, row)
        };
        compare_pair(old, new, tally)?;
    }
    let side = if old_is_shorter { Side::New } else { Side::Old };
    longer
        .into_iter()
        .flatten()
        .try_for_each(|row| leave(row, side, tally))
}

/// For each row of the shorter side, its partner on the longer one.
fn best_partners(group: &Both<Vec<Row>>) -> Vec<usize> {
    let (shorter, longer) = if group.old.len() <= group.new.len() {
        (&group.old, &group.new)
    } else {
        (&group.new, &group.old)
    };
    let costs: Vec<Vec<u32>> = shorter
        .iter()
        .map(|row| {
            longer
                .iter()
                .map(|other| differing_cells(row, other))
                .collect()
        })
        .collect();
    cheapest_pairs(shorter.len(), longer.len(), |row, other| costs[row][other])
}

fn differing_cells(left: &Row, right: &Row) -> u32 {
    differing(left, right).map(|_| 1).sum()
}

/// The columns in which two rows differ.
fn differing(left: &Row, right: &Row) -> impl Iterator<Item = usize> {
    let pairs = left.cells.iter().zip(&right.cells).enumerate();
    pairs
        .filter(|(_, (left, right))| !left.same(right))
        .map(|(column, _)| column)
}

fn compare_pair(old: Row, new: Row, tally: &mut Tally<'_>) -> Result<(), TempError> {
    let seen = tally.wants_cells().then(|| Both {
        old: old.cells.clone(),
        new: new.cells.clone(),
    });
    let pairs = old.cells.into_iter().zip(new.cells).enumerate();
    let cells: Vec<_> = pairs
        .filter(|(_, (old, new))| !old.same(new))
        .map(|(column, (old, new))| CellDifference { column, old, new })
        .collect();
    if cells.is_empty() {
        tally.add_equal(1);
        return Ok(());
    }
    let difference = RowDifference {
        key: old.key,
        old_customer: Some(old.customer),
        new_customer: Some(new.customer),
        change: RowChange::Cells(cells),
    };
    tally.add(SeenRow {
        difference,
        lot: old.lot,
        cells: seen,
    })
}

fn leave(row: Row, side: Side, tally: &mut Tally<'_>) -> Result<(), TempError> {
    let Row {
        key,
        cells,
        customer,
        lot,
    } = row;
    tally.add(SeenRow {
        difference: one_sided(key, customer, cells, side),
        lot,
        cells: None,
    })
}

fn one_sided(key: Vec<Value>, customer: Customer, cells: Vec<Value>, side: Side) -> RowDifference {
    match side {
        Side::Old => RowDifference {
            key,
            old_customer: Some(customer),
            new_customer: None,
            change: RowChange::OnlyOld(cells),
        },
        Side::New => RowDifference {
            key,
            old_customer: None,
            new_customer: Some(customer),
            change: RowChange::OnlyNew(cells),
        },
    }
}
