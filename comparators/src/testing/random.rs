//! Random tables of every type, reproducible from a seed.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{Field, Schema};
use understudy_core::value::Value;

use super::MemoryTable;
use super::pools::Pool;

/// A generator of numbers (the SplitMix64 of Steele, Lea and Flood, 2014).
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// A table as rows of places in the pools of its columns.
#[derive(Clone, Debug)]
pub(crate) struct Picked {
    pub(crate) pools: Vec<Pool>,
    pub(crate) rows: Vec<Vec<usize>>,
}

impl Picked {
    /// A table with so many columns of random types and up to so many rows.
    pub(crate) fn random(
        random: &mut Random,
        pools: &[Pool],
        columns: usize,
        most_rows: usize,
    ) -> Self {
        let pools: Vec<Pool> = (0..columns)
            .map(|_| pools[random.below(pools.len())].clone())
            .collect();
        let mut table = Self {
            pools,
            rows: Vec::new(),
        };
        for _ in 0..random.below(most_rows + 1) {
            let row = table.random_row(random);
            table.rows.push(row);
        }
        table
    }

    pub(crate) fn random_row(&self, random: &mut Random) -> Vec<usize> {
        self.pools
            .iter()
            .map(|pool| random.below(pool.values.len()))
            .collect()
    }

    pub(crate) fn value(&self, row: usize, column: usize) -> &Value {
        &self.pools[column].values[self.rows[row][column]]
    }

    /// The table in batches of at most so many rows. Columns are called `c0`, `c1` and so on.
    pub(crate) fn table(&self, batch_rows: usize) -> MemoryTable {
        let fields = self.pools.iter().enumerate().map(|(number, pool)| {
            Field::new(format!("c{number}"), pool.array.data_type().clone(), true)
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let batches = self.rows.chunks(batch_rows).map(|rows| {
            let columns = self.pools.iter().enumerate().map(|(column, pool)| {
                let places: UInt32Array = rows.iter().map(|row| Some(row[column] as u32)).collect();
                take(pool.array.as_ref(), &places, None).unwrap()
            });
            let columns: Vec<ArrayRef> = columns.collect();
            let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
            RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options).unwrap()
        });
        let batches = batches.collect();
        MemoryTable { schema, batches }
    }
}
