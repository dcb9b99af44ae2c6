//! More rows of one key than a best pairing looks at: counts stay exact, and it is said that the pairing was not the best.

use std::fmt::Write as _;

use crate::pair::MAX_ROWS_TO_PAIR;
use crate::testing::{Collected, parse_case};

/// Compares two tables of `k` and `x` with such rows.
fn compared(head: &str, old: &[usize], new: &[usize]) -> Collected {
    let table = |rows: &[usize]| {
        rows.iter()
            .fold("k Int64 | x Int64\n".to_owned(), |mut text, x| {
                writeln!(text, "1 | {x}").unwrap();
                text
            })
    };
    let text = format!(
        "a crowd\n{head}old:\n{}new:\n{}says:\n",
        table(old),
        table(new)
    );
    parse_case(&text).run().unwrap()
}

fn gave_up(found: &Collected) -> bool {
    let notes = &found.comparison.notes;
    notes.iter().any(|note| note.contains("paired in order"))
}

#[test]
fn the_best_pairing_ends_where_the_bound_says() {
    for (rows, expected) in [(MAX_ROWS_TO_PAIR, false), (MAX_ROWS_TO_PAIR + 1, true)] {
        let old: Vec<usize> = (0..rows).map(|row| 2 * row).collect();
        let new: Vec<usize> = (0..rows).map(|row| 2 * row + 1).collect();
        let found = compared("key: k\n", &old, &new);
        assert_eq!(gave_up(&found), expected, "{rows} rows");
        let counts = found.comparison.rows;
        let rows = rows as u64;
        assert_eq!((counts.matched, counts.changed), (rows, rows));
        assert_eq!((counts.only_old, counts.only_new), (0, 0));
        assert_eq!(counts.duplicate_keys, 1);
    }
}

#[test]
fn equal_rows_of_a_crowd_cancel_and_do_not_count_for_the_bound() {
    let old: Vec<usize> = (0..1_000).collect();
    let mut new: Vec<usize> = (0..1_000).rev().collect();
    new[0] = 5_000;
    new.push(7);
    let found = compared("key: k\n", &old, &new);
    assert!(!gave_up(&found));
    let counts = found.comparison.rows;
    assert_eq!((counts.matched, counts.changed), (1_000, 1));
    assert_eq!((counts.only_old, counts.only_new), (0, 1));
}

#[test]
fn a_crowd_without_a_key_is_paired_along_its_order() {
    for (rows, expected) in [(MAX_ROWS_TO_PAIR, false), (MAX_ROWS_TO_PAIR + 1, true)] {
        let old: Vec<usize> = (0..rows).map(|row| 10 * row).collect();
        // One row has no partner, and shifts all that follow.
        let new: Vec<usize> = (1..rows).map(|row| 10 * row + 1).collect();
        let found = compared("rule: columns=x within=1\n", &old, &new);
        assert_eq!(gave_up(&found), expected, "{rows} rows");
        let counts = found.comparison.rows;
        let pairs = rows as u64 - 1;
        assert_eq!((counts.matched, counts.changed), (pairs, pairs));
        assert_eq!((counts.only_old, counts.only_new), (1, 0));
        assert_eq!(counts.unexpected, 1);
    }
}
