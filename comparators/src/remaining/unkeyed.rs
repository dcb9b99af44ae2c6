//! Rows without a key: which of those that remain stand for each other, as far as rules say so.
//!
//! Nothing but equality tells which row of a multiset became which. Where a rule expects changes in some columns,
//! the others take the part of a key: two rows that are equal in them are a pair if rules expect every cell in which
//! they differ. Of all pairings the one with the most such pairs is taken, among those the one with the fewest
//! differing cells. Whatever is left stands on one side only.

use std::cmp::Ordering;

use understudy_core::comparison::CellDifference;
use understudy_core::judge::rows::RowJudge;
use understudy_core::rule::{Allowance, Rule};
use understudy_core::schema::Column;
use understudy_core::value::Value;

use super::{Group, compare_pair, differing, first_key, leave, leave_part};
use crate::align::Alignment;
use crate::align::domain::Domain;
use crate::both::{Both, Side};
use crate::codec::decode_all;
use crate::fetch::Row;
use crate::held::{is_measured, selects_cells};
use crate::means::{Means, TempError};
use crate::pair::{MAX_ROWS_TO_PAIR, cheapest_pairs};
use crate::parts::Parts;
use crate::setting::Setting;
use crate::sorted::{Sorted, Sorter};
use crate::tally::Tally;

/// Pairs the remaining rows of two multisets as rules allow, and hands on what is left.
/// Returns the number of groups with too many rows for a best pairing.
pub(super) fn settle_multisets(
    sides: &Both<Parts<'_>>,
    setting: Setting<'_>,
    tally: &mut Tally<'_>,
) -> Result<u64, TempError> {
    let loose = loose_columns(setting.alignment, tally.rules());
    if loose.is_empty() {
        for part in 0..sides.old.len() {
            leave_part(&sides.old, part, Side::Old, tally)?;
            leave_part(&sides.new, part, Side::New, tally)?;
        }
        return Ok(0);
    }
    let mut groups = Both {
        old: Group::new(by_exact_cells(&sides.old, &loose, setting.means)?),
        new: Group::new(by_exact_cells(&sides.new, &loose, setting.means)?),
    };
    let mut gave_up = 0;
    while let Some(exact) = first_key(&mut groups)? {
        groups.old.begin(&exact)?;
        groups.new.begin(&exact)?;
        let has_both = !groups.old.loaded.is_empty() && !groups.new.loaded.is_empty();
        if has_both && !groups.old.is_long() && !groups.new.is_long() {
            let (old, new) = (groups.old.take(), groups.new.take());
            pair_most(Both { old, new }, tally)?;
        } else {
            gave_up += u64::from(has_both);
            pair_in_order(&mut groups, &exact, tally)?;
        }
    }
    Ok(gave_up)
}

/// The columns in which some rule may expect a cell to change. A rule that expects any change of any column says
/// nothing of which row became which, and makes no column one of them.
fn loose_columns(alignment: &Alignment, rules: &[Rule]) -> Vec<usize> {
    let may_change = |column: &Column, domain: &Domain| {
        rules.iter().any(|rule| {
            // What a predicate says of a pair is known only once there are pairs.
            rule.predicate.is_none()
                && selects_cells(rule, column)
                && match &rule.allow {
                    Allowance::Within(within) => is_measured(domain, within),
                    Allowance::Normalize(_) => has_spelling(domain),
                    Allowance::Pattern(_) => true,
                    Allowance::Nothing => false,
                    Allowance::Ignore | Allowance::Any => rule.columns.is_some(),
                }
        })
    };
    let columns = alignment.layout.columns.iter().zip(&alignment.columns);
    columns
        .enumerate()
        .filter(|(_, (column, aligned))| may_change(column, &aligned.domain))
        .map(|(position, _)| position)
        .collect()
}

/// Whether a normaliser can change a value of that domain.
fn has_spelling(domain: &Domain) -> bool {
    matches!(
        domain,
        Domain::Text | Domain::List(_) | Domain::Struct(_) | Domain::Map(_, _)
    )
}

/// The rows of one side by the cells that no rule may expect to change, which stand as their key.
fn by_exact_cells<'a>(
    side: &Parts<'_>,
    loose: &[usize],
    means: &'a Means,
) -> Result<Sorted<'a, Row>, TempError> {
    let mut sorter = Sorter::new(means, |left: &Row, right: &Row| {
        Value::order_all(&left.key, &right.key).then_with(|| order_cells(left, right))
    });
    for part in 0..side.len() {
        side.take_chunks(part, |chunk| {
            decode_all::<Row>(chunk)
                .into_iter()
                .try_for_each(|mut row| {
                    let cells = row.cells.iter().enumerate();
                    row.key = cells
                        .filter(|(column, _)| !loose.contains(column))
                        .map(|(_, cell)| cell.clone())
                        .collect();
                    sorter.push(row)
                })
        })?;
    }
    sorter.finish()
}

fn order_cells(left: &Row, right: &Row) -> Ordering {
    Value::order_all(&left.cells, &right.cells)
}

/// Pairs as many rows of a group as rules allow.
fn pair_most(group: Both<Vec<Row>>, tally: &mut Tally<'_>) -> Result<(), TempError> {
    let old_is_shorter = group.old.len() <= group.new.len();
    let not_a_pair = |old: &Row| u32::try_from((old.cells.len() + 1) * MAX_ROWS_TO_PAIR);
    let cost = |old: &Row, new: &Row| {
        expected_cells(&tally.judge, old, new).unwrap_or_else(|| {
            not_a_pair(old).expect("a table has fewer columns than 32 bits count")
        })
    };
    let costs: Vec<Vec<u32>> = group
        .old
        .iter()
        .map(|old| group.new.iter().map(|new| cost(old, new)).collect())
        .collect();
    let shorter = group.old.len().min(group.new.len());
    let longer = group.old.len().max(group.new.len());
    let partners = cheapest_pairs(shorter, longer, |row, other| {
        if old_is_shorter {
            costs[row][other]
        } else {
            costs[other][row]
        }
    });
    let mut new: Vec<Option<Row>> = group.new.into_iter().map(Some).collect();
    for (position, old) in group.old.into_iter().enumerate() {
        let partner = if old_is_shorter {
            Some(partners[position])
        } else {
            partners.iter().position(|partner| *partner == position)
        };
        let partner = partner.and_then(|partner| {
            new[partner].take_if(|new| expected_cells(&tally.judge, &old, new).is_some())
        });
        match partner {
            Some(partner) => compare_pair(unkeyed(old), partner, tally)?,
            None => leave(unkeyed(old), Side::Old, tally)?,
        }
    }
    new.into_iter()
        .flatten()
        .try_for_each(|row| leave(unkeyed(row), Side::New, tally))
}

/// Walks along both sides of a group that is too large for a best pairing, and pairs neighbours.
fn pair_in_order(
    groups: &mut Both<Group<'_>>,
    exact: &[Value],
    tally: &mut Tally<'_>,
) -> Result<(), TempError> {
    let (mut old, mut new) = (groups.old.next(exact)?, groups.new.next(exact)?);
    loop {
        match (old, new) {
            (Some(left), Some(right)) => {
                if expected_cells(&tally.judge, &left, &right).is_some() {
                    compare_pair(unkeyed(left), right, tally)?;
                    (old, new) = (groups.old.next(exact)?, groups.new.next(exact)?);
                } else if order_cells(&left, &right).is_le() {
                    leave(unkeyed(left), Side::Old, tally)?;
                    (old, new) = (groups.old.next(exact)?, Some(right));
                } else {
                    leave(unkeyed(right), Side::New, tally)?;
                    (old, new) = (Some(left), groups.new.next(exact)?);
                }
            }
            (Some(left), None) => {
                leave(unkeyed(left), Side::Old, tally)?;
                (old, new) = (groups.old.next(exact)?, None);
            }
            (None, Some(right)) => {
                leave(unkeyed(right), Side::New, tally)?;
                (old, new) = (None, groups.new.next(exact)?);
            }
            (None, None) => return Ok(()),
        }
    }
}

/// In how many cells two rows differ; `None` if no rule expects one of them.
fn expected_cells(judge: &RowJudge, old: &Row, new: &Row) -> Option<u32> {
    differing(old, new).try_fold(0, |count, column| {
        let cell = CellDifference {
            column,
            old: old.cells[column].clone(),
            new: new.cells[column].clone(),
        };
        let is_expected = judge.expects_cell(&old.customer, &new.customer, &cell);
        is_expected.then_some(count + 1)
    })
}

/// The row as it is reported: what took the part of a key is none.
fn unkeyed(row: Row) -> Row {
    Row {
        key: Vec::new(),
        ..row
    }
}
