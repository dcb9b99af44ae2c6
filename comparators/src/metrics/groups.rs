//! The groups that rows fall into, on both sides under common numbers.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use arrow::array::RecordBatch;
use understudy_core::check::{Measure, Metrics};
use understudy_core::customer::Customer;
use understudy_core::value::Value;
use understudy_tables::value_at;
use xxhash_rust::xxh3::xxh3_128;

use crate::align::domain::{Domain, pair_types};
use crate::both::Side;
use crate::comparator::{CheckError, Sides};
use crate::customers::{DigestHasher, customer_at};
use crate::digest::cell_digests;

/// The share of the memory that groups may take: one part in so many.
const SHARE: u64 = 2;
/// What a group takes beside its values and figures.
const GROUP_BYTES: u64 = 200;
/// What a value of a group takes.
const VALUE_BYTES: u64 = 80;
/// What a figure of a group takes, on both sides.
const FIGURE_BYTES: u64 = 160;
/// What an exact sum takes, on both sides.
const SUM_BYTES: u64 = 600;

/// One group.
#[derive(Debug)]
pub(super) struct Group {
    /// Its values, by `group_by`.
    pub(super) values: Vec<Value>,
    /// Whose rows they are, where the groups are by customer.
    pub(super) customer: Option<Customer>,
    /// Its rows on each side.
    pub(super) rows: [u64; 2],
}

impl Group {
    /// The one side that has rows of it.
    pub(super) fn only_side(&self) -> Option<Side> {
        match self.rows {
            [_, 0] => Some(Side::Old),
            [0, _] => Some(Side::New),
            _ => None,
        }
    }
}

/// All groups.
#[derive(Debug)]
pub(super) struct Groups {
    /// In which domain each column is compared, and where it stands among the columns that are read.
    columns: Vec<Domain>,
    customer: Option<usize>,
    numbers: HashMap<u128, u32, BuildHasherDefault<DigestHasher>>,
    all: Vec<Group>,
    max_groups: usize,
}

impl Groups {
    pub(super) fn new(sides: &Sides<'_>, metrics: &Metrics) -> Result<Self, CheckError> {
        let columns: Vec<Domain> = metrics
            .group_by
            .iter()
            .map(|column| domain(sides, column))
            .collect::<Result<_, _>>()?;
        let is_customer = |column: &String| sides.customer() == Some(column.as_str());
        let mut groups = Self {
            customer: metrics.group_by.iter().position(is_customer),
            numbers: HashMap::default(),
            all: Vec::new(),
            max_groups: max_groups(sides, metrics),
            columns,
        };
        if groups.columns.is_empty() {
            groups.all.push(Group {
                values: Vec::new(),
                customer: None,
                rows: [0; 2],
            });
        }
        Ok(groups)
    }

    /// The number of groups so far.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Counts the rows of a batch, whose first columns are those of the groups, and gives each row's group.
    pub(super) fn add(
        &mut self,
        side: Side,
        batch: &RecordBatch,
        numbers: &mut Vec<u32>,
    ) -> Result<(), CheckError> {
        numbers.clear();
        let place = side as usize;
        if self.columns.is_empty() {
            self.all[0].rows[place] += batch.num_rows() as u64;
            numbers.resize(batch.num_rows(), 0);
            return Ok(());
        }
        let digests = self.digests(batch);
        for (row, digest) in digests.into_iter().enumerate() {
            let number = match self.numbers.get(&digest) {
                Some(number) => *number,
                None => self.insert(digest, batch, row)?,
            };
            self.all[number as usize].rows[place] += 1;
            numbers.push(number);
        }
        Ok(())
    }

    /// Digests of fixed length, one after the other, so that no two rows of values are one text.
    fn digests(&self, batch: &RecordBatch) -> Vec<u128> {
        let columns = self.columns.iter().zip(batch.columns());
        let cells: Vec<Vec<u128>> = columns
            .map(|(domain, column)| cell_digests(domain, column))
            .collect();
        if let [only] = cells.as_slice() {
            return only.clone();
        }
        let mut bytes = Vec::with_capacity(16 * cells.len());
        let digest = |row: usize| {
            bytes.clear();
            for column in &cells {
                bytes.extend_from_slice(&column[row].to_le_bytes());
            }
            xxh3_128(&bytes)
        };
        (0..batch.num_rows()).map(digest).collect()
    }

    fn insert(&mut self, digest: u128, batch: &RecordBatch, row: usize) -> Result<u32, CheckError> {
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        if self.all.len() >= self.max_groups {
            return Err(CheckError::TooManyGroups {
                groups: self.max_groups,
            });
        }
        let columns = batch.columns().iter().take(self.columns.len());
        let values: Result<Vec<Value>, _> = columns.map(|column| value_at(column, row)).collect();
        let customer = self.customer.map(|place| batch.column(place));
        let customer = customer.map(|column| customer_at(Some(column), row));
        self.all.push(Group {
            values: values?,
            customer: customer.transpose()?,
            rows: [0; 2],
        });
        self.numbers.insert(digest, number);
        Ok(number)
    }

    /// All groups with their numbers, in the order of their values.
    pub(super) fn in_order(&self) -> Vec<(usize, &Group)> {
        let mut groups: Vec<_> = self.all.iter().enumerate().collect();
        groups.sort_by(|(_, a), (_, b)| Value::order_all(&a.values, &b.values));
        groups
    }
}

fn domain(sides: &Sides<'_>, column: &str) -> Result<Domain, CheckError> {
    let [old, new] = [Side::Old, Side::New].map(|side| {
        let position = sides.positions(side, &[column])?[0];
        Ok::<_, CheckError>(sides.schema(side).field(position).data_type().clone())
    });
    let (old, new) = (old?, new?);
    let pair = pair_types(&old, &new).map(|(domain, _)| domain);
    pair.ok_or_else(|| CheckError::Misfit {
        column: column.to_owned(),
        problem: format!(
            "is {old} in the old table and {new} in the new one, which make no common groups"
        ),
    })
}

fn max_groups(sides: &Sides<'_>, metrics: &Metrics) -> usize {
    let measured: u64 = metrics
        .measure
        .iter()
        .map(|metric| match &metric.measure {
            Measure::Sum(_) | Measure::Mean(_) => SUM_BYTES,
            Measure::Percentile { at, .. } => FIGURE_BYTES * (at.len() as u64 + 1),
            Measure::Count | Measure::Distinct(_) | Measure::NullRate(_) => FIGURE_BYTES,
        })
        .sum();
    let each = GROUP_BYTES + VALUE_BYTES * metrics.group_by.len() as u64 + measured;
    usize::try_from(sides.memory_bytes() / SHARE / each)
        .unwrap_or(usize::MAX)
        .max(1)
}
