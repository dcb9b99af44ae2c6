use std::sync::Arc;

use expect_test::{Expect, expect};
use understudy_core::comparison::CellDifference;
use understudy_core::schema::{Column, ColumnKind};
use understudy_core::value::Value;

use super::*;

fn layout() -> Layout {
    let column = |name: &str| Column {
        name: name.into(),
        data_type: "Utf8".into(),
        kind: ColumnKind::Text,
    };
    Layout {
        key: vec![column("id")],
        columns: ["score", "name", "secret"].map(column).into(),
    }
}

fn origin() -> Origin {
    Origin {
        change: Some("c".into()),
        task: Some("t".into()),
        ..Origin::default()
    }
}

fn line(customer: &str, id: i128, change: LineChange) -> Line {
    Line {
        customer: Customer::from_label(customer),
        key: Arc::from([Value::Integer(id)]),
        change,
        rule: None,
    }
}

fn cell(column: usize, old: Value, new: Value) -> LineChange {
    LineChange::Cell(CellDifference { column, old, new })
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn groups(lines: &[Line], schema: &[SchemaDifference]) -> Vec<Group> {
    let mut grouping = Grouping::new(vec![false, false, true]);
    for line in lines {
        grouping.see(line, &layout());
    }
    grouping.finish(schema, &layout(), &origin())
}

fn check(lines: &[Line], schema: &[SchemaDifference], expected: &Expect) {
    let mut text = String::new();
    for group in groups(lines, schema) {
        let customers: Vec<String> = group
            .customers
            .iter()
            .map(|(customer, rows)| format!("{customer} {rows}"))
            .collect();
        let may = group.allowance.as_ref().map(|allowance| {
            format!(
                ": {}",
                allowance.permission(group.column.as_deref().unwrap_or(""))
            )
        });
        text.push_str(&format!(
            "{} {} x{} [{}] {} examples{}\n",
            group.column.as_deref().unwrap_or("-"),
            group.what,
            group.differences,
            customers.join(", "),
            group.examples.len(),
            may.unwrap_or_default(),
        ));
    }
    expected.assert_eq(&text);
}

#[test]
fn differences_are_grouped_by_kind_column_and_pattern() {
    let mut lines = vec![
        line("AS", 1, cell(0, Value::Null, Value::Integer(0))),
        line("AS", 1, cell(1, text("Ana"), text("ANA"))),
        line("AS", 2, cell(0, Value::Null, Value::Float(0.0))),
        line("AS", 3, LineChange::OnlyNew(vec![text("=1+1")])),
        line("AS", 4, LineChange::OnlyOld(vec![Value::Null])),
        line("VX", 5, cell(0, Value::Null, Value::Integer(0))),
        line("VX", 6, cell(0, Value::Float(10.0), Value::Float(10.2))),
        line(
            "*null*",
            7,
            cell(0, Value::Float(10.0), Value::Float(10.43)),
        ),
        line("*null*", 8, cell(2, text("masked:1"), text("masked:2"))),
        line("*null*", 9, cell(2, Value::Null, text("masked:2"))),
    ];
    lines.push(Line {
        rule: Some(0),
        ..line("VX", 10, cell(0, Value::Null, Value::Integer(0)))
    });
    let found = |kind, rule: Option<&str>| SchemaDifference {
        column: "extra".into(),
        kind,
        old: None,
        new: Some("Int64".into()),
        rule: rule.map(str::to_owned),
    };
    let schema = [
        found(DifferenceKind::ColumnAdded, None),
        found(DifferenceKind::ColumnRemoved, Some("meant")),
    ];
    check(
        &lines,
        &schema,
        &expect![[r#"
            extra column is new (Int64) x1 [] 0 examples
            score null → 0 x3 [AS 2, VX 1] 3 examples: have 0 where score was null
            score up by 1 to 10 % x2 [*null* 1, VX 1] 2 examples: have score up by 1 to 10 %, by at most 0.43
            name case only x1 [AS 1] 1 examples: differ in name like this: case only
            secret null → value x1 [*null* 1] 1 examples: have a value where secret was null
            secret another value x1 [*null* 1] 1 examples: have another value in secret
            - row is gone x1 [AS 1] 1 examples
            - row is new x1 [AS 1] 1 examples
        "#]],
    );
}

#[test]
fn an_id_is_of_what_happened_and_not_of_values_or_runs() {
    let of = |old: f64, new: f64| {
        let lines = [line("AS", 1, cell(0, Value::Float(old), Value::Float(new)))];
        groups(&lines, &[]).remove(0).id
    };
    assert_eq!(of(100.0, 100.5), of(200.0, 200.25));
    assert_ne!(of(100.0, 100.5), of(100.0, 99.5));
    let id = of(100.0, 100.5);
    assert!(
        id.starts_with('g') && id.chars().all(|c| c.is_ascii_lowercase()),
        "{id}"
    );
    assert!(
        !id.contains(['a', 'e', 'i', 'o', 'u', 'y']),
        "no word: {id}"
    );
}

#[test]
fn examples_are_of_many_customers_and_few() {
    let mut lines = Vec::new();
    for customer in ["AA", "BB", "CC", "DD", "EE", "FF"] {
        for id in 0..20 {
            lines.push(line(customer, id, cell(0, Value::Null, Value::Integer(0))));
        }
    }
    let group = groups(&lines, &[]).remove(0);
    let customers: Vec<String> = group
        .examples
        .iter()
        .map(|one| one.customer.label())
        .collect();
    assert_eq!(customers, ["AA", "BB", "CC", "DD", "EE"]);
    let group = groups(&lines[..20], &[]).remove(0);
    assert_eq!(group.examples.len(), MAX_EXAMPLES);
}

#[test]
fn however_many_customers_and_patterns_there_are_the_groups_are_few() {
    let mut lines = Vec::new();
    for customer in 0..2_000_u32 {
        let rows = if customer == 1_234 { 7 } else { 1 };
        for row in 0..rows {
            let name = format!("c{customer:05}");
            lines.push(line(&name, row, cell(0, Value::Null, Value::Integer(0))));
        }
    }
    let group = groups(&lines, &[]).remove(0);
    assert_eq!(group.differences, 2_006);
    assert_eq!(group.customers.len(), MAX_CUSTOMERS);
    assert_eq!(group.more_customers, 1_500);
    assert_eq!(group.customers[&Customer::Named("c01234".into())], 7);

    let wide = |count: usize| {
        let column = |number: usize| Column {
            name: format!("c{number}"),
            data_type: "Int64".into(),
            kind: ColumnKind::Number,
        };
        Layout {
            key: Vec::new(),
            columns: (0..count).map(column).collect(),
        }
    };
    let layout = wide(3_000);
    let mut grouping = Grouping::new(vec![false; 3_000]);
    for column in 0..3_000 {
        let change = cell(column, Value::Null, Value::Integer(0));
        grouping.see(&line("AS", 1, change), &layout);
    }
    let groups = grouping.finish(&[], &layout, &origin());
    assert_eq!(groups.len(), MAX_GROUPS + 1);
    let all: u64 = groups.iter().map(|group| group.differences).sum();
    assert_eq!(all, 3_000, "nothing is lost");
    let rest = groups.last().unwrap();
    assert!(rest.is_rest && rest.allowance.is_none() && rest.examples.len() == MAX_EXAMPLES);
}
