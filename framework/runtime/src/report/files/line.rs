//! One line of `diff.csv`, typed, and the order of the lines.

use std::cmp::Ordering;
use std::sync::Arc;

use understudy_core::comparison::{CellDifference, RowChange};
use understudy_core::customer::Customer;
use understudy_core::judge::rows::JudgedRow;
use understudy_core::rule::DifferenceKind;
use understudy_core::value::Value;

use super::codec;

/// One difference: a cell of a matched row, or a row that stands on one side only.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Line {
    /// Whose it is: the old row's customer, or the new row's where there is no old one.
    pub(crate) customer: Customer,
    /// The key, shared by the lines of one row.
    pub(crate) key: Arc<[Value]>,
    /// What differs.
    pub(crate) change: LineChange,
    /// The position of the rule that expects it.
    pub(crate) rule: Option<usize>,
}

/// What differs.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum LineChange {
    /// A cell of a matched row.
    Cell(CellDifference),
    /// A row of the old table, by compared column.
    OnlyOld(Vec<Value>),
    /// A row of the new table, by compared column.
    OnlyNew(Vec<Value>),
}

impl Line {
    /// The lines of one row.
    pub(crate) fn of_row(row: JudgedRow) -> impl Iterator<Item = Self> {
        let difference = row.difference;
        let customer = difference
            .old_customer
            .or(difference.new_customer)
            .unwrap_or(Customer::Null);
        let key: Arc<[Value]> = difference.key.into();
        let rules = row.rules;
        let lines = changes(difference.change).into_iter().enumerate();
        lines.map(move |(position, change)| Self {
            customer: customer.clone(),
            key: Arc::clone(&key),
            change,
            rule: rules.get(position).copied().flatten(),
        })
    }

    pub(crate) fn kind(&self) -> DifferenceKind {
        match self.change {
            LineChange::Cell(_) => DifferenceKind::Changed,
            LineChange::OnlyOld(_) => DifferenceKind::OnlyOld,
            LineChange::OnlyNew(_) => DifferenceKind::OnlyNew,
        }
    }

    /// The position of the column among the compared ones, where a cell differs.
    pub(crate) fn column(&self) -> Option<usize> {
        match &self.change {
            LineChange::Cell(cell) => Some(cell.column),
            LineChange::OnlyOld(_) | LineChange::OnlyNew(_) => None,
        }
    }

    pub(crate) fn is_expected(&self) -> bool {
        self.rule.is_some()
    }

    /// The order of the file: customer, key, kind and column, each by what it is and not by its text. What then
    /// still ties (rows under a duplicate key) goes by its values, and last by its bytes, because equal values need
    /// not read the same: the order is the same every time.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        self.customer
            .cmp(&other.customer)
            .then_with(|| Value::order_all(&self.key, &other.key))
            .then_with(|| self.kind().cmp(&other.kind()))
            .then_with(|| self.column().cmp(&other.column()))
            .then_with(|| order_of_changes(&self.change, &other.change))
            .then_with(|| self.rule.cmp(&other.rule))
            .then_with(|| self.bytes().cmp(&other.bytes()))
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        codec::put_line(&mut bytes, self);
        bytes
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        let customer = match &self.customer {
            Customer::Named(name) => name.len(),
            Customer::Everybody | Customer::Null => 0,
        };
        let change = match &self.change {
            LineChange::Cell(cell) => value_bytes(&cell.old) + value_bytes(&cell.new),
            LineChange::OnlyOld(values) | LineChange::OnlyNew(values) => {
                values.iter().map(value_bytes).sum()
            }
        };
        size_of::<Self>() + customer + self.key.iter().map(value_bytes).sum::<usize>() + change
    }
}

fn changes(change: RowChange) -> Vec<LineChange> {
    match change {
        RowChange::Cells(cells) => cells.into_iter().map(LineChange::Cell).collect(),
        RowChange::OnlyOld(values) => vec![LineChange::OnlyOld(values)],
        RowChange::OnlyNew(values) => vec![LineChange::OnlyNew(values)],
    }
}

fn order_of_changes(left: &LineChange, right: &LineChange) -> Ordering {
    match (left, right) {
        (LineChange::Cell(left), LineChange::Cell(right)) => left
            .old
            .order(&right.old)
            .then_with(|| left.new.order(&right.new)),
        (LineChange::OnlyOld(left), LineChange::OnlyOld(right))
        | (LineChange::OnlyNew(left), LineChange::OnlyNew(right)) => Value::order_all(left, right),
        // Lines of different kinds are already apart.
        _ => Ordering::Equal,
    }
}

/// The digits of a 256-bit decimal, which is the widest there is.
const WIDEST_DECIMAL_BYTES: usize = 32;

fn value_bytes(value: &Value) -> usize {
    let inner = match value {
        Value::Text(text) => text.len(),
        Value::Binary(bytes) => bytes.len(),
        Value::Decimal(_) => WIDEST_DECIMAL_BYTES,
        Value::Timestamp { zone, .. } => zone.as_ref().map_or(0, String::len),
        Value::List(values) => values.iter().map(value_bytes).sum(),
        Value::Struct(fields) => fields
            .iter()
            .map(|(name, value)| name.len() + 24 + value_bytes(value))
            .sum(),
        Value::Map(entries) => entries
            .iter()
            .map(|(key, value)| value_bytes(key) + value_bytes(value))
            .sum(),
        _ => 0,
    };
    size_of::<Value>() + inner
}
