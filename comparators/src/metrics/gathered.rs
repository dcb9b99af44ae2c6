//! What is gathered of one side, in one pass over the columns that are measured.

use arrow::array::{Array as _, RecordBatch};
use understudy_core::check::{Measure, Metric, Metrics};
use understudy_core::value::Value;

use super::figure::{Summed, share};
use super::groups::{Group, Groups};
use super::numbers::NumberColumn;
use super::percentiles::Percentiles;
use super::sorter::{Sorter, Twins};
use crate::align::domain::{Domain, pair_types};
use crate::both::Side;
use crate::comparator::{CheckError, Sides};
use crate::digest::cell_digests;

/// The share of the memory that sorting may take: one part in so many.
const SORT_SHARE: u64 = 4;
/// The bytes of a group and a digest.
const DISTINCT: usize = 20;

/// The figures of one side.
#[derive(Debug)]
pub(super) struct Gathered {
    figures: Vec<Figures>,
    side: Side,
}

/// One figure of all groups.
#[derive(Debug)]
enum Figures {
    Count,
    Sum(Vec<Summed>, i64),
    Mean(Vec<Summed>, i64),
    Nulls(Vec<u64>),
    Distinct(Vec<u64>),
    Percentiles(Vec<Vec<Value>>),
}

impl Gathered {
    /// Reads a side, and puts its rows into groups.
    pub(super) fn read(
        sides: &Sides<'_>,
        side: Side,
        metrics: &Metrics,
        groups: &mut Groups,
    ) -> Result<Self, CheckError> {
        let columns: Vec<&str> = metrics.columns().collect();
        let mut place = metrics.group_by.len();
        let mut gathering = Vec::with_capacity(metrics.measure.len());
        let sorted = metrics.measure.iter().filter(is_sorted);
        let bytes = sides.memory_bytes() / SORT_SHARE / (sorted.count() as u64).max(1);
        for metric in &metrics.measure {
            gathering.push(Gathering::of(sides, side, &metric.measure, place, bytes)?);
            place += usize::from(metric.measure.column().is_some());
        }
        let read = if columns.is_empty() {
            sides.batches(side, &[first_column(sides, side)])?
        } else {
            sides.batches(side, &columns)?
        };
        let mut numbers = Vec::new();
        for batch in read {
            let batch = batch?;
            groups.add(side, &batch, &mut numbers)?;
            for one in &mut gathering {
                one.hold(groups.len());
                one.add(&batch, &numbers)?;
            }
        }
        let figures = gathering.into_iter().map(|mut one| {
            one.hold(groups.len());
            one.finish(groups.len())
        });
        Ok(Self {
            figures: figures.collect::<Result<_, _>>()?,
            side,
        })
    }

    /// The figures of a metric, by its place, for a group: one, or the percentiles.
    pub(super) fn figures(&self, place: usize, number: usize, group: &Group) -> Vec<Value> {
        let rows = group.rows[self.side as usize];
        let count =
            |counts: &[u64]| Value::Integer(counts.get(number).copied().unwrap_or(0).into());
        let summed = |all: &[Summed]| all.get(number).cloned().unwrap_or_default();
        let one = match &self.figures[place] {
            Figures::Count => Value::Integer(rows.into()),
            Figures::Sum(all, scale) => summed(all).sum(*scale),
            Figures::Mean(all, scale) => summed(all).mean(*scale),
            Figures::Nulls(all) => share(all.get(number).copied().unwrap_or(0), rows),
            Figures::Distinct(all) => count(all),
            Figures::Percentiles(all) => return all.get(number).cloned().unwrap_or_default(),
        };
        vec![one]
    }
}

fn is_sorted(metric: &&Metric) -> bool {
    matches!(
        metric.measure,
        Measure::Percentile { .. } | Measure::Distinct(_)
    )
}

/// Rows alone are counted by any column.
fn first_column<'a>(sides: &'a Sides<'_>, side: Side) -> &'a str {
    let fields = sides.schema(side).fields();
    fields.first().map_or("", |field| field.name().as_str())
}

/// One figure on the way.
#[derive(Debug)]
enum Gathering {
    Count,
    Sum(Column, Vec<Summed>),
    Mean(Column, Vec<Summed>),
    Nulls(usize, Vec<u64>),
    Distinct(usize, Domain, Sorter<DISTINCT>),
    Percentiles(usize, Percentiles),
}

/// A column of numbers, and where it stands among those that are read.
#[derive(Debug)]
struct Column {
    place: usize,
    numbers: NumberColumn,
}

impl Gathering {
    fn of(
        sides: &Sides<'_>,
        side: Side,
        measure: &Measure,
        place: usize,
        bytes: u64,
    ) -> Result<Self, CheckError> {
        let Some(column) = measure.column() else {
            return Ok(Self::Count);
        };
        let position = sides.positions(side, &[column])?[0];
        let data_type = sides.schema(side).field(position).data_type();
        let numbers = || NumberColumn::of(column, data_type);
        let summed = || {
            Ok::<_, CheckError>(Column {
                place,
                numbers: numbers()?,
            })
        };
        Ok(match measure {
            Measure::Count => Self::Count,
            Measure::Sum(_) => Self::Sum(summed()?, Vec::new()),
            Measure::Mean(_) => Self::Mean(summed()?, Vec::new()),
            Measure::NullRate(_) => Self::Nulls(place, Vec::new()),
            Measure::Percentile { at, .. } => {
                Self::Percentiles(place, Percentiles::new(numbers()?, at, sides, bytes))
            }
            Measure::Distinct(_) => {
                let domain = pair_types(data_type, data_type).map(|(domain, _)| domain);
                let domain = domain.ok_or_else(|| CheckError::Misfit {
                    column: column.to_owned(),
                    problem: format!("is {data_type}, whose values cannot be told apart"),
                })?;
                let sorter = Sorter::new(sides.temp_dir(), bytes, Twins::Dropped);
                Self::Distinct(place, domain, sorter)
            }
        })
    }

    /// Makes room for so many groups.
    fn hold(&mut self, groups: usize) {
        match self {
            Self::Count | Self::Distinct(..) => {}
            Self::Sum(_, all) | Self::Mean(_, all) => all.resize_with(groups, Summed::default),
            Self::Nulls(_, all) => all.resize(groups, 0),
            Self::Percentiles(_, percentiles) => percentiles.hold(groups),
        }
    }

    /// Adds the rows of a batch, each with its group.
    fn add(&mut self, batch: &RecordBatch, groups: &[u32]) -> Result<(), CheckError> {
        match self {
            Self::Count => Ok(()),
            Self::Sum(column, all) | Self::Mean(column, all) => {
                let array = batch.column(column.place);
                column.numbers.visit(array, &mut |row, number| {
                    all[groups[row] as usize].add(number);
                })
            }
            Self::Nulls(place, all) => {
                if let Some(nulls) = batch.column(*place).logical_nulls() {
                    let rows = nulls.iter().zip(groups);
                    let missing = rows.filter(|(is_valid, _)| !is_valid);
                    missing.for_each(|(_, group)| all[*group as usize] += 1);
                }
                Ok(())
            }
            Self::Distinct(place, domain, sorter) => {
                let array = batch.column(*place);
                let nulls = array.logical_nulls();
                for (row, digest) in cell_digests(domain, array).into_iter().enumerate() {
                    if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                        let mut record = [0; DISTINCT];
                        record[..4].copy_from_slice(&groups[row].to_be_bytes());
                        record[4..].copy_from_slice(&digest.to_be_bytes());
                        sorter.push(record)?;
                    }
                }
                Ok(())
            }
            Self::Percentiles(place, percentiles) => {
                let column = percentiles.column().clone();
                let mut pushed = Ok(());
                column.visit(batch.column(*place), &mut |row, number| {
                    if pushed.is_ok() {
                        pushed = percentiles.add(groups[row], number);
                    }
                })?;
                pushed
            }
        }
    }

    fn finish(self, groups: usize) -> Result<Figures, CheckError> {
        Ok(match self {
            Self::Count => Figures::Count,
            Self::Sum(column, all) => Figures::Sum(all, column.numbers.scale()),
            Self::Mean(column, all) => Figures::Mean(all, column.numbers.scale()),
            Self::Nulls(_, all) => Figures::Nulls(all),
            Self::Percentiles(_, percentiles) => Figures::Percentiles(percentiles.finish()?),
            Self::Distinct(_, _, sorter) => {
                let mut counts = vec![0; groups];
                for record in sorter.finish()? {
                    let [a, b, c, d, ..] = record?;
                    counts[u32::from_be_bytes([a, b, c, d]) as usize] += 1;
                }
                Figures::Distinct(counts)
            }
        })
    }
}
