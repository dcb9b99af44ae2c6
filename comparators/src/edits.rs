//! Random edits, planted in a large table, are found exactly: every one of them, as what it is, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Schema};
use understudy_core::comparison::RowChange;
use understudy_core::value::Value;

use crate::align::Alignment;
use crate::both::Both;
use crate::compare::{RuleSet, compare_aligned};
use crate::means::Means;
use crate::table::Table;
use crate::testing::campaign::{Extent, for_seeds};
use crate::testing::pools::{Pool, pools};
use crate::testing::random::Random;
use crate::testing::{Collected, MemoryTable};

const BATCH_ROWS: i64 = 8 << 10;
const MOST_EDITS: usize = 40;
/// The columns of a comparison, of all types that there are.
const COLUMNS: usize = 7;

#[test]
fn random_edits_in_a_large_table_are_found_exactly() {
    let extent = Extent::asked_for();
    let base = Base::new(extent.pick(50_000, 1_000_000));
    let name = "random_edits_in_a_large_table";
    for_seeds(name, extent.pick(6, 200), |seed| check(&base, seed));
}

/// A table with a column of every type. Its rows are numbered, and what stands in a cell follows from the number.
struct Base {
    rows: i64,
    pools: Vec<Pool>,
    table: MemoryTable,
}

/// What is done to a row; every other row stays.
#[derive(Clone, Debug)]
enum Edit {
    /// These columns get the value of that place in their pools.
    Change(BTreeMap<usize, usize>),
    Delete,
    /// The row stands twice.
    Repeat,
    /// A row of this number comes after it, which no other row has.
    Insert(i64),
}

fn place(row: i64, column: usize, pool: &Pool) -> usize {
    let seed = row.cast_unsigned() << 8 | column as u64;
    Random(seed).below(pool.values.len())
}

impl Base {
    fn new(rows: i64) -> Self {
        let pools = pools();
        let fields = pools.iter().enumerate().map(|(column, pool)| {
            Field::new(format!("c{column}"), pool.array.data_type().clone(), true)
        });
        let key = Field::new("id", DataType::Int64, false);
        let schema = Arc::new(Schema::new(
            std::iter::once(key).chain(fields).collect::<Vec<_>>(),
        ));
        let mut base = Self {
            rows,
            pools,
            table: MemoryTable {
                schema,
                batches: Vec::new(),
            },
        };
        let starts = (0..rows).step_by(BATCH_ROWS as usize);
        base.table.batches = starts
            .map(|start| base.batch(start, &BTreeMap::new()))
            .collect();
        base
    }

    /// The rows from a number on, edited.
    fn batch(&self, start: i64, edits: &BTreeMap<i64, Edit>) -> RecordBatch {
        let mut rows: Vec<(i64, Option<&Edit>)> = Vec::new();
        for row in start..self.rows.min(start + BATCH_ROWS) {
            match edits.get(&row) {
                Some(Edit::Delete) => {}
                Some(Edit::Repeat) => rows.extend([(row, None), (row, None)]),
                Some(Edit::Insert(number)) => rows.extend([(row, None), (*number, None)]),
                edit => rows.push((row, edit)),
            }
        }
        let ids = Int64Array::from_iter_values(rows.iter().map(|(row, _)| *row));
        let columns = self.pools.iter().enumerate().map(|(column, pool)| {
            let places = rows.iter().map(|(row, edit)| match edit {
                Some(Edit::Change(cells)) if cells.contains_key(&column) => cells[&column] as u32,
                _ => place(*row, column, pool) as u32,
            });
            take(&pool.array, &UInt32Array::from_iter_values(places), None).unwrap()
        });
        let columns = std::iter::once(Arc::new(ids) as ArrayRef).chain(columns);
        RecordBatch::try_new(Arc::clone(&self.table.schema), columns.collect()).unwrap()
    }

    fn value(&self, row: i64, column: usize) -> &Value {
        &self.pools[column].values[place(row, column, &self.pools[column])]
    }

    fn random_edits(&self, random: &mut Random, columns: &[usize]) -> BTreeMap<i64, Edit> {
        let mut edits = BTreeMap::new();
        for number in 0..random.below(MOST_EDITS + 1) {
            let row = random.below(self.rows as usize) as i64;
            let edit = match random.below(6) {
                0 => Edit::Delete,
                1 => Edit::Repeat,
                2 => Edit::Insert(self.rows + number as i64),
                _ => Edit::Change(self.random_cells(random, row, columns)),
            };
            if !matches!(&edit, Edit::Change(cells) if cells.is_empty()) {
                edits.entry(row).or_insert(edit);
            }
        }
        edits
    }

    /// Other values for one to three cells of a row.
    fn random_cells(
        &self,
        random: &mut Random,
        row: i64,
        columns: &[usize],
    ) -> BTreeMap<usize, usize> {
        let cells = (0..1 + random.below(3)).map(|_| {
            let column = columns[random.below(columns.len())];
            (column, random.below(self.pools[column].values.len()))
        });
        cells
            .filter(|(column, place)| {
                !self
                    .value(row, *column)
                    .same(&self.pools[*column].values[*place])
            })
            .collect()
    }

    /// The table with edits; where none are, the batches are shared.
    fn edited(&self, edits: &BTreeMap<i64, Edit>) -> MemoryTable {
        let mut table = self.table.clone();
        let starts: BTreeSet<i64> = edits.keys().map(|row| row - row % BATCH_ROWS).collect();
        for start in starts {
            table.batches[(start / BATCH_ROWS) as usize] = self.batch(start, edits);
        }
        table
    }
}

fn check(base: &Base, seed: u64) {
    let mut random = Random(seed);
    let mut columns: Vec<usize> = (0..base.pools.len()).collect();
    random.shuffle(&mut columns);
    columns.truncate(COLUMNS);
    columns.sort_unstable();
    let edits = base.random_edits(&mut random, &columns);
    let old = projected(&base.table, &columns);
    let mut new = projected(&base.edited(&edits), &columns);
    if random.below(2) == 0 {
        random.shuffle(&mut new.batches);
    }
    let memory_bytes = [1 << 20, 256 << 20][random.below(2)];
    let found = compare(&old, &new, memory_bytes, base.rows as u64);
    assert_eq!(said(&found, &columns), planted(base, &edits, &columns));
    assert_eq!(found.comparison.rows.old, base.rows as u64);
    let repeats = edits
        .values()
        .filter(|edit| matches!(edit, Edit::Repeat))
        .count();
    assert_eq!(found.comparison.rows.duplicate_keys, repeats as u64);
    assert_eq!(found.comparison.rows.unexpected, edits.len() as u64);
}

fn projected(table: &MemoryTable, columns: &[usize]) -> MemoryTable {
    let places: Vec<usize> = std::iter::once(0)
        .chain(columns.iter().map(|column| column + 1))
        .collect();
    MemoryTable {
        schema: Arc::new(table.schema.project(&places).unwrap()),
        batches: table
            .batches
            .iter()
            .map(|batch| batch.project(&places).unwrap())
            .collect(),
    }
}

fn compare(old: &MemoryTable, new: &MemoryTable, memory_bytes: u64, rows: u64) -> Collected {
    let schemas = Both {
        old: Arc::clone(&old.schema),
        new: Arc::clone(&new.schema),
    };
    let alignment = Alignment::of(schemas, &["id".to_owned()], None).unwrap();
    let folder = std::env::temp_dir();
    let means = Means::new(memory_bytes, 2, &folder, Some(rows));
    let tables: Both<&dyn Table> = Both { old, new };
    let mut found = Collected::default();
    found.comparison = compare_aligned(
        tables,
        alignment,
        RuleSet {
            rules: &[],
            predicates: None,
        },
        &means,
        &mut found,
    )
    .unwrap();
    found
}

/// What was found, a line each.
fn said(found: &Collected, columns: &[usize]) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for row in &found.rows {
        let Value::Integer(id) = row.difference.key[0] else {
            panic!("{row:?}")
        };
        let is_new_line = match &row.difference.change {
            RowChange::OnlyOld(_) => lines.insert(format!("{id} only old")),
            RowChange::OnlyNew(_) => lines.insert(format!("{id} only new")),
            RowChange::Cells(cells) => cells
                .iter()
                .all(|cell| lines.insert(changed(id, columns[cell.column], &cell.old, &cell.new))),
        };
        assert!(is_new_line, "found twice: {row:?}");
    }
    lines
}

/// What was planted, in the same words.
fn planted(base: &Base, edits: &BTreeMap<i64, Edit>, columns: &[usize]) -> BTreeSet<String> {
    let lines = edits.iter().flat_map(|(row, edit)| match edit {
        Edit::Delete => vec![format!("{row} only old")],
        Edit::Repeat => vec![format!("{row} only new")],
        Edit::Insert(number) => vec![format!("{number} only new")],
        Edit::Change(cells) => {
            assert!(cells.keys().all(|column| columns.contains(column)));
            let line = |(column, place): (&usize, &usize)| {
                let new = &base.pools[*column].values[*place];
                changed((*row).into(), *column, base.value(*row, *column), new)
            };
            cells.iter().map(line).collect()
        }
    });
    lines.collect()
}

fn changed(id: i128, column: usize, old: &Value, new: &Value) -> String {
    format!("{id} c{column}: {:?} to {:?}", old.render(), new.render())
}
