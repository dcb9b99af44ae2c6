use std::collections::BTreeMap;

use expect_test::{Expect, expect};

use super::{bless, load_cases};
use crate::case::{Case, Outcome};
use crate::comparison::{Comparison, CustomerCounts, RowCounts, RuleCounts};
use crate::customer::Customer;
use crate::spec::{ColumnType, FileCheck};

struct Nothing;

impl FileCheck for Nothing {
    fn exists(&self, _: &str) -> bool {
        false
    }

    fn read(&self, _: &str) -> Option<String> {
        None
    }
}

const CASES: &str = "\
# What may move.
cases:
  - name: a little          # by less than one
    rules:
      - { name: within one, columns: [price], within: 1 }
    key: [id]
    customer: shop
    columns: [id, shop, price]
    types: { price: decimal(2) }
    old:
      - [1, a, 1.00]
      - [2, \"007\", null]
    new:
      - { id: 1, shop: a, price: 1.50 }
      - { id: 2, shop: b }
    expect:
      verdict: expected      # all of it
      differences: 1
      rules:
        within one: 1        # the first
  - name: flow
    rules: []
    key: [id]
    old: [{ id: 1 }]
    new: [{ id: 1 }]
    expect: { verdict: 'identical', unexpected: 0, rules: {}, customers: { x: 1 } }
";

fn read(text: &str) -> Vec<Case> {
    load_cases(text, "cases.yaml", None, &Nothing).unwrap_or_else(|problems| {
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", told.join("\n"))
    })
}

fn refused(text: &str, expected: &Expect) {
    let problems = load_cases(text, "cases.yaml", None, &Nothing).unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    expected.assert_eq(&(told.join("\n") + "\n"));
}

#[test]
fn rows_are_lists_or_mappings() {
    let cases = read(CASES);
    let case = &cases[0];
    assert_eq!(case.line, 3);
    assert_eq!(
        case.old.csv(),
        "\"id\",\"shop\",\"price\"\n\"1\",\"a\",\"1.00\"\n\"2\",\"007\",\n"
    );
    assert_eq!(
        case.new.csv(),
        "\"id\",\"shop\",\"price\"\n\"1\",\"a\",\"1.50\"\n\"2\",\"b\",\n"
    );
    // What stands in quotes is text, on both sides.
    let types = [
        ("price".to_owned(), ColumnType::Decimal(2)),
        ("shop".to_owned(), ColumnType::Text),
    ];
    assert_eq!(case.old.types, types.clone().into());
    assert_eq!(case.new.types, types.into());
    assert_eq!(case.rules[0].name, "within one");
}

/// What a comparison of two tables might say.
fn found() -> Comparison {
    Comparison {
        rows: RowCounts {
            old: 2,
            new: 2,
            only_old: 3,
            unexpected: 2,
            ..Default::default()
        },
        customers: [(
            Customer::Named("y".into()),
            CustomerCounts {
                unexpected: 2,
                ..Default::default()
            },
        )]
        .into(),
        rules: vec![
            RuleCounts {
                name: "within one".into(),
                differences: 0,
                ..Default::default()
            },
            RuleCounts {
                name: "no: \"two\"".into(),
                differences: 4,
                ..Default::default()
            },
        ],
        ..Default::default()
    }
}

#[test]
fn expected_stands_beside_found() {
    let cases = read(CASES);
    let outcome = cases[0].judged(&found());
    assert!(!outcome.is_met());
    expect![[r#"
                           expected  found
        verdict            expected  unexpected  <- differs
        differences        1         3           <- differs
        rule "no: "two""   0         4           <- differs
        rule "within one"  1         0           <- differs
    "#]]
    .assert_eq(&outcome.table());
}

#[test]
fn blessing_changes_nothing_else() {
    let cases = read(CASES);
    let outcomes: BTreeMap<String, Outcome> = cases
        .iter()
        .map(|case| (case.name.clone(), case.judged(&found())))
        .collect();
    let blessed = bless(CASES, &outcomes).unwrap();
    let wanted = CASES
        .replace("verdict: expected      #", "verdict: unexpected      #")
        .replace("differences: 1\n", "differences: 3\n")
        .replace("within one: 1        # the first\n", "within one: 0        # the first\n        \"no: \\\"two\\\"\": 4\n")
        .replace(
            "verdict: 'identical', unexpected: 0, rules: {}, customers: { x: 1 }",
            "verdict: unexpected, unexpected: 2, rules: { \"no: \\\"two\\\"\": 4 }, customers: { x: 0, \"y\": 2 }",
        );
    assert_eq!(blessed, wanted);
    let again = read(&blessed);
    assert!(again.iter().all(|case| case.judged(&found()).is_met()));
    // With a byte order mark and the line ends of Windows.
    let windows = format!("\u{feff}{}", CASES.replace('\n', "\r\n"));
    let blessed = bless(&windows, &outcomes).unwrap();
    assert!(
        read(&blessed)
            .iter()
            .all(|case| case.judged(&found()).is_met()),
        "{blessed:?}"
    );
    assert!(blessed.starts_with('\u{feff}'));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    refused(
        "cases: []\n",
        &expect![[r#"
        cases.yaml:1:8: `cases` of the file is an empty list
            cases: []
            hint: name at least one case
    "#]],
    );
    refused(
        &CASES.replace("[1, a, 1.00]", "[1, a]"),
        &expect![[r#"
        cases.yaml:11:9: a row has 2 values, and the table 3 columns
            - [1, a]
            hint: write a value for each column; `null` where there is none
    "#]],
    );
    refused(
        &CASES.replace("price: 1.50", "prise: 1.50"),
        &expect![[r#"
        cases.yaml:14:27: the table has no column `prise`
            - { id: 1, shop: a, prise: 1.50 }
            hint: the columns are: id, shop, price
    "#]],
    );
    refused(
        &CASES.replace("key: [id]\n    customer", "key: [ident]\n    customer"),
        &expect![[r#"
            cases.yaml:6:10: a table has no column `ident`, which is in the key
                key: [ident]
                hint: add the column to both tables, or write `key:` in the case
        "#]],
    );
    refused(
        &CASES.replace("verdict: expected", "verdict: fine"),
        &expect![[r#"
            cases.yaml:17:16: `verdict` of `expect` of case `a little` cannot be `fine`
                verdict: fine      # all of it
                hint: the words for it are: expected, identical, inconclusive, unexpected
        "#]],
    );
    refused(
        &CASES.replace("rules: []", "task: totals"),
        &expect![[r#"
        cases.yaml:22:11: there is no pipeline that has this task
            task: totals
            hint: put the file into the folder `cases` beside the pipeline file, or give the case rules of its own
    "#]],
    );
    refused(
        &CASES.replace("name: flow", "name: a little"),
        &expect![[r#"
            cases.yaml:21:11: two cases are named `a little`
                - name: a little
                hint: give each its own name
        "#]],
    );
    refused(
        &CASES.replace("within: 1 }", "within: much }"),
        &expect![[r#"
            cases.yaml:5:55: `within` of rule `within one` must be a distance of zero or more, not `much`
                - { name: within one, columns: [price], within: much }
                hint: write a number or a percentage, such as `0.5` or `5%`, or for times a duration such as `15m`
        "#]],
    );
}
