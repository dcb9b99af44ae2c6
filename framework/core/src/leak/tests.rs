//! What customers' rows were found to differ, who gets which side, and the sentence that comes out.

use std::collections::BTreeMap;

use super::*;
use crate::comparison::{CustomerCounts, NotCompared};

/// `AS=2 AA=1`: so many rows of each customer differ.
fn found(rows: &str) -> Comparison {
    let customers = rows.split_whitespace().map(|one| {
        let (customer, rows) = one.split_once('=').unwrap();
        let counts = CustomerCounts {
            unexpected: rows.parse().unwrap(),
            ..CustomerCounts::default()
        };
        (Customer::from_label(customer), counts)
    });
    Comparison {
        customers: customers.collect(),
        ..Comparison::default()
    }
}

/// These customers are on one side, everybody else is on the other.
fn assembly(named: &str, side: Side) -> Assembly {
    let other = match side {
        Side::Old => Side::New,
        Side::New => Side::Old,
    };
    let lanes = named
        .split_whitespace()
        .map(|customer| (Customer::from_label(customer), side));
    Assembly {
        unlisted: other,
        lanes: lanes.collect(),
        schema: Side::Old,
        fallbacks: Vec::new(),
        alerts: Vec::new(),
    }
}

#[track_caller]
fn check(rows: &str, assembly: &Assembly, expected: &str) {
    let leak = leak(&found(rows), assembly).unwrap();
    let text = leak.map_or_else(|| "nothing".to_owned(), |leak| leak.text("rank"));
    assert_eq!(text, expected);
}

#[test]
fn only_who_gets_old_rows_is_reached() {
    let flipped = assembly("AS VX", Side::New);
    check("AS=9 VX=1 AA=0", &flipped, "nothing");
    check(
        "AS=9 AA=1 B6=0",
        &flipped,
        "leak in `rank`: 1 customer who gets OLD has other rows than without the flip (AA 1 row), because AS and VX get NEW",
    );
    check(
        "AA=1 B6=2 *null*=1",
        &flipped,
        "leak in `rank`: 3 customers who get OLD have other rows than without the flip (B6 2 rows, *null* 1 row, AA 1 row), because AS and VX get NEW",
    );
}

#[test]
fn everybody_may_be_flipped_but_some() {
    check(
        "AA=1 B6=2",
        &assembly("B6", Side::Old),
        "leak in `rank`: 1 customer who gets OLD has other rows than without the flip (B6 2 rows), because everybody but B6 gets NEW",
    );
}

#[test]
fn of_many_a_few_are_named() {
    check(
        "A=1 B=1 C=1 D=1 E=1 F=1 G=1 H=3",
        &assembly("U V W X Y Z", Side::New),
        "leak in `rank`: 8 customers who get OLD have other rows than without the flip (H 3 rows, A 1 row, B 1 row, C 1 row, D 1 row and 3 others), because U, V, W, X and 2 others get NEW",
    );
    let leak = leak(&found("A=1 B=4"), &assembly("U", Side::New)).unwrap();
    assert_eq!(leak.unwrap().rows, 5);
}

#[test]
fn without_a_customer_column_it_is_rows() {
    check(
        "*=3",
        &assembly("AS", Side::New),
        "leak in `rank`: 3 rows differ from what there would be without the flip, because AS gets NEW; the task has no customer column, so that nobody can tell whose they are",
    );
}

#[test]
fn where_all_fell_back_nothing_can_leak() {
    let nobody = Assembly {
        unlisted: Side::Old,
        lanes: BTreeMap::from([(Customer::from_label("AS"), Side::Old)]),
        ..assembly("", Side::New)
    };
    check("AA=1", &nobody, "nothing");
}

#[test]
fn what_was_not_compared_is_no_proof_that_nothing_leaks() {
    let assembly = assembly("AS", Side::New);
    let unclear = |rows: &str| Comparison {
        not_compared: vec![NotCompared {
            column: "share".to_owned(),
            reason: "of another type".to_owned(),
        }],
        ..found(rows)
    };
    assert_eq!(
        leak(&unclear("AA=0"), &assembly),
        Err("column `share` was not compared: of another type".to_owned())
    );
    assert_eq!(leak(&unclear("AA=1"), &assembly).unwrap().unwrap().rows, 1);
}
