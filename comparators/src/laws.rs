//! The laws of comparing, on random tables of every type.
//!
//! Each law runs over many seeds and names the seed that breaks it.

use understudy_core::comparison::{CellDifference, Comparison, RowChange, RowDifference};
use understudy_core::customer::Customer;
use understudy_core::judge::rows::{JudgedRow, Met, RowJudge};
use understudy_core::rule::Rule;
use understudy_core::value::Value;

use crate::align::Alignment;
use crate::both::Both;
use crate::compare::{RuleSet, compare_aligned};
use crate::means::Means;
use crate::table::Table;
use crate::testing::pools::{Pool, pools};
use crate::testing::random::{Picked, Random};
use crate::testing::{Collected, MemoryTable, parse_rule};

/// How a comparison is carried out, which must not matter.
#[derive(Clone, Copy, Debug)]
struct How {
    memory_bytes: u64,
    parts: usize,
    cells: usize,
    threads: usize,
    batch_rows: usize,
    key_mask: u128,
}

const PLAIN: How = How {
    memory_bytes: 64 << 20,
    parts: 16,
    cells: 64,
    threads: 1,
    batch_rows: 100,
    key_mask: u128::MAX,
};

/// All bits of a key's digest, or so few that keys collide: in what the first pass remembers of them only, in what
/// says their cell, or altogether.
const KEY_MASKS: [u128; 5] = [
    u128::MAX,
    0xf0 << 120 | u64::MAX as u128,
    u64::MAX as u128,
    7,
    1,
];

fn run(
    old: &MemoryTable,
    new: &MemoryTable,
    key: &[String],
    rules: &[Rule],
    how: How,
) -> Collected {
    let schemas = Both {
        old: old.schema.clone(),
        new: new.schema.clone(),
    };
    let alignment = Alignment::of(schemas, key, None).unwrap();
    let folder = std::env::temp_dir();
    let mut means = Means::with(how.memory_bytes, how.threads, &folder, how.parts, how.cells);
    means.key_mask = how.key_mask;
    let mut collected = Collected::default();
    let tables: Both<&dyn Table> = Both { old, new };
    collected.comparison = compare_aligned(
        tables,
        alignment,
        RuleSet {
            rules,
            predicates: None,
        },
        &means,
        &mut collected,
    )
    .unwrap();
    collected
}

fn compare(old: &Picked, new: &Picked, key: usize, rules: &[Rule]) -> Collected {
    run(
        &old.table(100),
        &new.table(100),
        &key_names(key),
        rules,
        PLAIN,
    )
}

fn key_names(columns: usize) -> Vec<String> {
    (0..columns).map(|column| format!("c{column}")).collect()
}

/// Two tables of one schema with much in common.
fn random_pair(random: &mut Random, all: &[Pool], columns: usize) -> (Picked, Picked) {
    pair_of_size(random, all, columns, 12)
}

fn pair_of_size(
    random: &mut Random,
    all: &[Pool],
    columns: usize,
    most_rows: usize,
) -> (Picked, Picked) {
    let old = Picked::random(random, all, columns, most_rows);
    let mut new = old.clone();
    new.rows.retain(|_| true);
    for _ in 0..random.below(most_rows / 2) {
        match random.below(3) {
            0 if !new.rows.is_empty() => {
                let row = random.below(new.rows.len());
                new.rows.remove(row);
            }
            1 if !new.rows.is_empty() => {
                let (row, column) = (random.below(new.rows.len()), random.below(columns));
                new.rows[row][column] = random.below(new.pools[column].values.len());
            }
            _ => {
                let row = new.random_row(random);
                new.rows.push(row);
            }
        }
    }
    random.shuffle(&mut new.rows);
    (old, new)
}

#[track_caller]
fn for_seeds(seeds: u64, law: impl Fn(&mut Random, &[Pool])) {
    let all = pools();
    for seed in 0..seeds {
        let mut random = Random(seed);
        let outcome =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| law(&mut random, &all)));
        if let Err(panic) = outcome {
            eprintln!("the seed is {seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn a_table_compared_with_itself_is_identical() {
    for_seeds(500, |random, all| {
        let columns = 1 + random.below(4);
        let old = Picked::random(random, all, columns, 20);
        let mut new = old.clone();
        random.shuffle(&mut new.rows);
        let found = compare(&old, &new, random.below(columns + 1), &[]);
        let rows = found.comparison.rows;
        assert_eq!(rows.matched, old.rows.len() as u64);
        assert_eq!(
            (rows.changed, rows.only_old, rows.only_new, rows.unexpected),
            (0, 0, 0, 0)
        );
        assert!(found.rows.is_empty());
    });
}

#[test]
fn swapping_the_sides_swaps_only_old_and_only_new() {
    for_seeds(500, |random, all| {
        let columns = 1 + random.below(4);
        let (old, new) = random_pair(random, all, columns);
        let key = random.below(columns + 1);
        let there = compare(&old, &new, key, &[]);
        let back = compare(&new, &old, key, &[]);
        let mut swapped: Vec<JudgedRow> = back.rows.into_iter().map(swap).collect();
        let mut rows = there.rows.clone();
        sort(&mut rows);
        sort(&mut swapped);
        assert_eq!(rows.len(), swapped.len());
        // Which of several equally good pairings is taken may differ.
        if there.comparison.rows.duplicate_keys == 0 {
            assert!(same_rows(&rows, &swapped), "{rows:?}\n{swapped:?}");
        }
        let (there, back) = (there.comparison.rows, back.comparison.rows);
        assert_eq!((there.old, there.new), (back.new, back.old));
        assert_eq!(
            (there.only_old, there.only_new),
            (back.only_new, back.only_old)
        );
        assert_eq!((there.matched, there.changed), (back.matched, back.changed));
        assert_eq!(there.duplicate_keys, back.duplicate_keys);
    });
}

#[test]
fn order_cuts_parts_memory_threads_and_colliding_digests_change_nothing() {
    for_seeds(400, |random, all| {
        let columns = 1 + random.below(4);
        let most_rows = [12, 12, 150][random.below(3)];
        let (old, new) = pair_of_size(random, all, columns, most_rows);
        let key = random.below(columns + 1);
        let rules = random_rules(random, columns);
        let mut expected = run(
            &old.table(100),
            &new.table(100),
            &key_names(key),
            &rules,
            PLAIN,
        );
        let (mut old, mut new) = (old, new);
        random.shuffle(&mut old.rows);
        random.shuffle(&mut new.rows);
        let how = How {
            memory_bytes: [0, 10_000, 64 << 20][random.below(3)],
            parts: 1 << random.below(6),
            cells: 1 << random.below(8),
            threads: 1 + random.below(3),
            batch_rows: 1 + random.below(5),
            key_mask: KEY_MASKS[random.below(KEY_MASKS.len())],
        };
        let batch_rows = how.batch_rows;
        let mut found = run(
            &old.table(batch_rows),
            &new.table(batch_rows),
            &key_names(key),
            &rules,
            how,
        );
        if how.key_mask < u128::from(u64::MAX) {
            // The keys themselves are told apart by their values; how many stand twice is counted by digests.
            for collected in [&mut found, &mut expected] {
                collected.comparison.rows.duplicate_keys = 0;
                collected
                    .comparison
                    .notes
                    .retain(|note| !note.contains("more than once"));
            }
        }
        assert_eq!(found.comparison, expected.comparison, "{how:?}");
        assert!(
            same_rows(&found.rows, &expected.rows),
            "{how:?}\n{:?}\n{:?}",
            found.rows,
            expected.rows
        );
    });
}

/// The sums of a cell once did not tell which row a value stood in.
#[test]
fn rows_of_one_cell_that_exchange_a_value_are_found() {
    let numbers = Pool::numbers(3);
    let pools = vec![numbers.clone(), numbers];
    let old = Picked {
        pools: pools.clone(),
        rows: vec![vec![0, 1], vec![1, 2]],
    };
    let new = Picked {
        pools,
        rows: vec![vec![0, 2], vec![1, 1]],
    };
    let how = How {
        parts: 1,
        cells: 1,
        ..PLAIN
    };
    let found = run(&old.table(100), &new.table(100), &key_names(1), &[], how);
    assert_eq!(found.comparison.rows.changed, 2);
}

#[test]
fn encodings_change_nothing() {
    for_seeds(300, |random, all| {
        let columns = 1 + random.below(4);
        let (mut old, mut new) = random_pair(random, all, columns);
        let key = random.below(columns + 1);
        let expected = compare(&old, &new, key, &[]);
        for table in [&mut old, &mut new] {
            for pool in &mut table.pools {
                *pool = pool.encoded(random);
            }
        }
        let found = compare(&old, &new, key, &[]);
        assert_eq!(found.comparison, expected.comparison);
        assert!(same_rows(&found.rows, &expected.rows));
    });
}

#[test]
fn edits_are_found_exactly() {
    for_seeds(300, |random, all| {
        let columns = 1 + random.below(4);
        let mut old = Picked::random(random, all, columns, 40);
        let numbers = Pool::numbers(old.rows.len());
        old.pools.insert(0, numbers);
        old.rows
            .iter_mut()
            .enumerate()
            .for_each(|(number, row)| row.insert(0, number));
        let mut new = old.clone();
        let mut edits = Vec::new();
        for _ in 0..random.below(10) {
            if new.rows.is_empty() {
                break;
            }
            let (row, column) = (random.below(new.rows.len()), 1 + random.below(columns));
            let place = random.below(new.pools[column].values.len());
            let is_change = !old
                .value(row, column)
                .same(&new.pools[column].values[place]);
            if is_change && !edits.contains(&(row, column)) {
                new.rows[row][column] = place;
                edits.push((row, column));
            }
        }
        edits.sort_unstable();
        random.shuffle(&mut new.rows);
        let found = compare(&old, &new, 1, &[]);
        let cells = found.rows.iter().flat_map(|row| {
            match (&row.difference.key[0], &row.difference.change) {
                (Value::Integer(key), RowChange::Cells(cells)) => cells
                    .iter()
                    .map(|cell| (*key as usize, cell.column + 1))
                    .collect::<Vec<_>>(),
                other => panic!("{other:?}"),
            }
        });
        let mut cells: Vec<_> = cells.collect();
        cells.sort_unstable();
        assert_eq!(cells, edits);
    });
}

#[test]
fn what_is_found_is_what_comparing_every_row_with_every_row_finds() {
    for_seeds(800, |random, all| {
        let columns = 1 + random.below(3);
        let (old, new) = random_pair(random, all, columns);
        let key = random.below(columns + 1);
        let found = compare(&old, &new, key, &[]);
        let naive = Naive::compare(&old, &new, key);
        let rows = found.comparison.rows;
        assert_eq!(
            (rows.only_old, rows.only_new),
            (naive.only_old, naive.only_new)
        );
        assert_eq!((rows.matched, rows.changed), (naive.matched, naive.changed));
        assert_eq!(rows.duplicate_keys, naive.duplicate_keys);
        let cells: u64 = found
            .comparison
            .columns
            .iter()
            .map(|column| column.changed)
            .sum();
        assert_eq!(cells, naive.cells);
    });
}

#[test]
fn rules_say_of_many_rows_what_they_say_of_one() {
    for_seeds(500, |random, all| {
        let columns = 1 + random.below(3);
        let (mut old, mut new) = random_pair(random, all, columns);
        let rules = random_rules(random, columns + 1);
        let most = old.rows.len().max(new.rows.len());
        for table in [&mut old, &mut new] {
            table.pools.insert(0, Pool::numbers(most));
            table
                .rows
                .iter_mut()
                .enumerate()
                .for_each(|(number, row)| row.insert(0, number));
        }
        let found = compare(&old, &new, 1, &rules);
        let judge = RowJudge::new(&rules, &found.layout.columns);
        let mut expected = Comparison::default().rows;
        let mut differences = vec![0; rules.len()];
        for row in 0..old.rows.len().min(new.rows.len()) {
            let cells = (1..=columns)
                .filter(|column| !old.value(row, *column).same(new.value(row, *column)));
            let cells = cells.map(|column| CellDifference {
                column: column - 1,
                old: old.value(row, column).clone(),
                new: new.value(row, column).clone(),
            });
            let cells: Vec<_> = cells.collect();
            if cells.is_empty() {
                continue;
            }
            let judged = judge.judge(
                RowDifference {
                    key: vec![],
                    old_customer: Some(Customer::Everybody),
                    new_customer: Some(Customer::Everybody),
                    change: RowChange::Cells(cells),
                },
                Met::UNKNOWN,
            );
            judged
                .rules
                .iter()
                .flatten()
                .for_each(|rule| differences[*rule] += 1);
            expected.changed += 1;
            expected.unexpected += u64::from(!judged.is_expected());
        }
        let rows = found.comparison.rows;
        assert_eq!(rows.changed, expected.changed);
        assert_eq!(
            rows.unexpected,
            expected.unexpected + unexpected_sided(&found)
        );
        let sided = found
            .rows
            .iter()
            .filter(|row| !matches!(row.difference.change, RowChange::Cells(_)));
        sided
            .flat_map(|row| row.rules.iter().flatten())
            .for_each(|rule| differences[*rule] += 1);
        let counted: Vec<u64> = found
            .comparison
            .rules
            .iter()
            .map(|rule| rule.differences)
            .collect();
        assert_eq!(counted, differences);
    });
}

fn unexpected_sided(found: &Collected) -> u64 {
    let sided = found
        .rows
        .iter()
        .filter(|row| !matches!(row.difference.change, RowChange::Cells(_)));
    sided.filter(|row| !row.is_expected()).count() as u64
}

fn random_rules(random: &mut Random, columns: usize) -> Vec<Rule> {
    let allowances = [
        "within=0.1",
        "within=10%",
        "within=1s",
        "up=1 down=0",
        "within=5%max+1",
        "ignore",
        "any",
    ];
    (0..random.below(4))
        .map(|number| {
            let allowance = allowances[random.below(allowances.len())];
            let selection = match random.below(4) {
                0 => String::new(),
                1 => "kinds=changed ".to_owned(),
                _ => format!("columns=c{} ", random.below(columns)),
            };
            parse_rule(number + 1, &format!("{selection}{allowance}"))
        })
        .collect()
}

fn swap(mut row: JudgedRow) -> JudgedRow {
    let difference = &mut row.difference;
    std::mem::swap(&mut difference.old_customer, &mut difference.new_customer);
    difference.change = match difference.change.clone() {
        RowChange::OnlyOld(values) => RowChange::OnlyNew(values),
        RowChange::OnlyNew(values) => RowChange::OnlyOld(values),
        RowChange::Cells(cells) => {
            let swapped = |cell: CellDifference| CellDifference {
                old: cell.new,
                new: cell.old,
                ..cell
            };
            RowChange::Cells(cells.into_iter().map(swapped).collect())
        }
    };
    row
}

fn sort(rows: &mut [JudgedRow]) {
    rows.sort_by(|a, b| Value::order_all(&flat(a), &flat(b)));
}

/// Everything about a row in one list of values.
fn flat(row: &JudgedRow) -> Vec<Value> {
    let mut values = row.difference.key.clone();
    let number = |number: usize| Value::Integer(number as i128);
    match &row.difference.change {
        RowChange::Cells(cells) => {
            for cell in cells {
                values.extend([
                    number(0),
                    number(cell.column),
                    cell.old.clone(),
                    cell.new.clone(),
                ]);
            }
        }
        RowChange::OnlyOld(cells) => values.extend(std::iter::once(number(1)).chain(cells.clone())),
        RowChange::OnlyNew(cells) => values.extend(std::iter::once(number(2)).chain(cells.clone())),
    }
    values.extend(
        row.rules
            .iter()
            .map(|rule| rule.map_or(Value::Null, number)),
    );
    values
}

/// The same rows in the same order; where one value has two forms, either will do.
fn same_rows(left: &[JudgedRow], right: &[JudgedRow]) -> bool {
    left.len() == right.len()
        && left
            .iter()
            .zip(right)
            .all(|(a, b)| Value::order_all(&flat(a), &flat(b)).is_eq())
}

/// A comparison that nobody would wait for, and that is easy to believe.
#[derive(Debug, Default)]
struct Naive {
    matched: u64,
    changed: u64,
    only_old: u64,
    only_new: u64,
    duplicate_keys: u64,
    cells: u64,
}

/// The rows of one key, on the old and on the new side.
type Sides = [Vec<Vec<Value>>; 2];

impl Naive {
    fn compare(old: &Picked, new: &Picked, key: usize) -> Self {
        let mut naive = Self::default();
        let mut groups: Vec<(Vec<Value>, Sides)> = Vec::new();
        for (side, table) in [old, new].into_iter().enumerate() {
            for row in 0..table.rows.len() {
                let values: Vec<Value> = (0..table.pools.len())
                    .map(|column| table.value(row, column).clone())
                    .collect();
                let identity = if key == 0 {
                    values.clone()
                } else {
                    values[..key].to_vec()
                };
                let place = groups
                    .iter()
                    .position(|(other, _)| Value::order_all(other, &identity).is_eq());
                let place = place.unwrap_or_else(|| {
                    groups.push((identity, [Vec::new(), Vec::new()]));
                    groups.len() - 1
                });
                groups[place].1[side].push(values);
            }
        }
        for (_, [old, new]) in groups {
            naive.duplicate_keys += u64::from(key > 0 && old.len().max(new.len()) > 1);
            naive.add_group(old, new);
        }
        naive
    }

    fn add_group(&mut self, mut old: Vec<Vec<Value>>, mut new: Vec<Vec<Value>>) {
        let before = old.len();
        old.retain(|row| {
            match new
                .iter()
                .position(|other| Value::order_all(row, other).is_eq())
            {
                Some(equal) => {
                    new.remove(equal);
                    false
                }
                None => true,
            }
        });
        let pairs = old.len().min(new.len());
        self.matched += (before - old.len() + pairs) as u64;
        self.changed += pairs as u64;
        self.only_old += (old.len() - pairs) as u64;
        self.only_new += (new.len() - pairs) as u64;
        let (shorter, longer) = if old.len() <= new.len() {
            (&old, &new)
        } else {
            (&new, &old)
        };
        self.cells += fewest_cells(shorter, longer, &mut vec![false; longer.len()]);
    }
}

fn fewest_cells(shorter: &[Vec<Value>], longer: &[Vec<Value>], used: &mut Vec<bool>) -> u64 {
    let Some((first, rest)) = shorter.split_first() else {
        return 0;
    };
    let mut fewest = u64::MAX;
    for place in 0..longer.len() {
        if !std::mem::replace(&mut used[place], true) {
            let cells = first
                .iter()
                .zip(&longer[place])
                .filter(|(a, b)| !a.same(b))
                .count() as u64;
            fewest = fewest.min(cells + fewest_cells(rest, longer, used));
            used[place] = false;
        }
    }
    fewest
}
