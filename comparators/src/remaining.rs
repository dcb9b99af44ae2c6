//! What became of the rows that remain: by their values, not by their digests.

use std::cmp::Ordering;

use understudy_core::comparison::{CellDifference, RowChange, RowDifference};
use understudy_core::customer::Customer;
use understudy_core::value::Value;

use crate::both::{Both, Side};
use crate::codec::decode_all;
use crate::fetch::Row;
use crate::matching::Identity;
use crate::means::TempError;
use crate::pair::{MAX_ROWS_TO_PAIR, cheapest_pairs};
use crate::parts::Parts;
use crate::tally::Tally;

/// Matches the remaining rows on their keys and hands every difference to the tally.
/// Returns the number of keys with too many rows for a best pairing.
pub(crate) fn settle(
    sides: &Both<Parts<'_>>,
    identity: Identity,
    tally: &mut Tally<'_>,
) -> Result<u64, TempError> {
    let mut gave_up = 0;
    for part in 0..sides.old.len() {
        let rows = Both {
            old: decode_all(&sides.old.take(part)?),
            new: decode_all(&sides.new.take(part)?),
        };
        gave_up += settle_part(rows, identity, tally)?;
    }
    Ok(gave_up)
}

fn settle_part(
    mut rows: Both<Vec<Row>>,
    identity: Identity,
    tally: &mut Tally<'_>,
) -> Result<u64, TempError> {
    if identity == Identity::WholeRow {
        leave(rows.old, Side::Old, tally)?;
        leave(rows.new, Side::New, tally)?;
        return Ok(0);
    }
    rows.old.sort_by(order);
    rows.new.sort_by(order);
    let mut gave_up = 0;
    let (mut old, mut new) = (
        rows.old.into_iter().peekable(),
        rows.new.into_iter().peekable(),
    );
    while let Some(key) = first_key(old.peek(), new.peek()) {
        let is_of_key = |row: &Row| Value::order_all(&row.key, &key).is_eq();
        let group = Both {
            old: std::iter::from_fn(|| old.next_if(is_of_key)).collect(),
            new: std::iter::from_fn(|| new.next_if(is_of_key)).collect(),
        };
        gave_up += u64::from(settle_key(group, tally)? == Pairing::InOrder);
    }
    Ok(gave_up)
}

/// How the rows of one key were paired.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pairing {
    /// So that the fewest cells differ.
    Best,
    /// In the order of their values, because there are too many.
    InOrder,
}

fn order(left: &Row, right: &Row) -> Ordering {
    Value::order_all(&left.key, &right.key)
        .then_with(|| Value::order_all(&left.cells, &right.cells))
}

fn first_key(old: Option<&Row>, new: Option<&Row>) -> Option<Vec<Value>> {
    let first = [old, new]
        .into_iter()
        .flatten()
        .min_by(|a, b| Value::order_all(&a.key, &b.key));
    first.map(|row| row.key.clone())
}

fn settle_key(group: Both<Vec<Row>>, tally: &mut Tally<'_>) -> Result<Pairing, TempError> {
    let longest = group.old.len().max(group.new.len());
    let shortest = group.old.len().min(group.new.len());
    let pairing = if longest > MAX_ROWS_TO_PAIR && shortest > 0 {
        Pairing::InOrder
    } else {
        Pairing::Best
    };
    let partners = if pairing == Pairing::Best && longest > 1 && shortest > 0 {
        best_partners(&group)
    } else {
        (0..shortest).collect()
    };
    pair_up(group, &partners, tally)?;
    Ok(pairing)
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
    left.cells
        .iter()
        .zip(&right.cells)
        .map(|(a, b)| u32::from(!a.same(b)))
        .sum()
}

fn pair_up(
    group: Both<Vec<Row>>,
    partners: &[usize],
    tally: &mut Tally<'_>,
) -> Result<(), TempError> {
    let old_is_shorter = group.old.len() <= group.new.len();
    let (shorter, longer) = if old_is_shorter {
        (group.old, group.new)
    } else {
        (group.new, group.old)
    };
    let mut longer: Vec<Option<Row>> = longer.into_iter().map(Some).collect();
    for (row, partner) in shorter.into_iter().zip(partners) {
        let other = longer[*partner]
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
    leave(longer.into_iter().flatten(), side, tally)
}

fn compare_pair(old: Row, new: Row, tally: &mut Tally<'_>) -> Result<(), TempError> {
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
    tally.add(difference, old.lot)
}

fn leave(
    rows: impl IntoIterator<Item = Row>,
    side: Side,
    tally: &mut Tally<'_>,
) -> Result<(), TempError> {
    rows.into_iter()
        .try_for_each(|row| tally.add(one_sided(row.key, row.customer, row.cells, side), row.lot))
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
