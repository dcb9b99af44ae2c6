use super::*;
use crate::rule::{Bound, Within};
use crate::schema::ColumnKind;
use crate::value::Value;

fn columns() -> Vec<Column> {
    let column = |name: &str| Column {
        name: name.into(),
        data_type: "Int64".into(),
        kind: ColumnKind::Number,
    };
    vec![column("price"), column("stock")]
}

fn rule(name: &str, allow: Allowance) -> Rule {
    Rule {
        name: name.into(),
        customers: None,
        columns: None,
        kinds: None,
        allow,
        reason: None,
        until: None,
    }
}

fn within(abs: i64) -> Allowance {
    let bound = Bound {
        abs: Some(abs.into()),
        ..Bound::default()
    };
    Allowance::Within(Within {
        up: bound.clone(),
        down: bound,
    })
}

fn named(name: &str) -> Option<Customer> {
    Some(Customer::Named(name.into()))
}

fn changed(
    old: Option<Customer>,
    new: Option<Customer>,
    cells: &[(usize, i128, i128)],
) -> RowDifference {
    let cell = |&(column, old, new): &(usize, i128, i128)| CellDifference {
        column,
        old: Value::Integer(old),
        new: Value::Integer(new),
    };
    let change = RowChange::Cells(cells.iter().map(cell).collect());
    RowDifference {
        key: vec![],
        old_customer: old,
        new_customer: new,
        change,
    }
}

fn only_old() -> RowDifference {
    RowDifference {
        key: vec![],
        old_customer: named("AS"),
        new_customer: None,
        change: RowChange::OnlyOld(vec![]),
    }
}

#[track_caller]
fn check(rules: &[Rule], difference: RowDifference, expected: &[Option<usize>]) {
    let judged = RowJudge::new(rules, &columns()).judge(difference);
    assert_eq!(judged.rules, expected);
    assert_eq!(judged.is_expected(), expected.iter().all(Option::is_some));
}

#[test]
fn the_first_rule_that_selects_and_allows_expects() {
    let rules = [
        Rule {
            columns: Some(vec!["stock".into()]),
            ..rule("stock moves", within(1))
        },
        rule("all moves", within(5)),
        rule("anything", Allowance::Any),
    ];
    check(
        &rules,
        changed(None, None, &[(0, 1, 2), (1, 1, 2)]),
        &[Some(1), Some(0)],
    );
    check(
        &rules,
        changed(None, None, &[(1, 1, 3), (1, 1, 9)]),
        &[Some(1), Some(2)],
    );
    check(
        &rules[..2],
        changed(None, None, &[(0, 1, 2), (1, 1, 9)]),
        &[Some(1), None],
    );
}

#[test]
fn customers_are_selected_by_their_text_and_a_move_needs_both() {
    let rules = [Rule {
        customers: Some(["AS".into(), "*".into()].into()),
        ..rule("only these", Allowance::Any)
    }];
    check(
        &rules,
        changed(named("AS"), named("AS"), &[(0, 1, 2)]),
        &[Some(0)],
    );
    check(
        &rules,
        changed(named("AS"), named("*"), &[(0, 1, 2)]),
        &[Some(0)],
    );
    check(
        &rules,
        changed(named("AS"), named("VX"), &[(0, 1, 2)]),
        &[None],
    );
    check(
        &rules,
        changed(named("VX"), named("AS"), &[(0, 1, 2)]),
        &[None],
    );
    for nobody in [Customer::Everybody, Customer::Null] {
        check(
            &rules,
            changed(Some(nobody.clone()), Some(nobody), &[(0, 1, 2)]),
            &[None],
        );
    }
    check(&rules, only_old(), &[Some(0)]);
}

#[test]
fn a_rule_with_columns_or_a_tolerance_never_expects_a_row_of_one_side() {
    check(&[rule("any", Allowance::Any)], only_old(), &[Some(0)]);
    check(&[rule("far", within(1000))], only_old(), &[None]);
    let all = Some(vec!["price".into(), "stock".into()]);
    check(
        &[Rule {
            columns: all,
            ..rule("columns", Allowance::Any)
        }],
        only_old(),
        &[None],
    );
}

#[test]
fn kinds_select() {
    let rules = [Rule {
        kinds: Some([DifferenceKind::OnlyNew].into()),
        ..rule("new rows", Allowance::Any)
    }];
    check(&rules, only_old(), &[None]);
    check(
        &rules,
        RowDifference {
            change: RowChange::OnlyNew(vec![]),
            ..only_old()
        },
        &[Some(0)],
    );
    check(&rules, changed(None, None, &[(0, 1, 2)]), &[None]);
}

#[test]
fn schema_differences_are_nobodys_and_within_nothing() {
    let added = SchemaDifference {
        column: "price".into(),
        kind: DifferenceKind::ColumnAdded,
        old: None,
        new: Some("Int64".into()),
        rule: None,
    };
    let check = |rule: Rule, expected: Option<usize>| {
        assert_eq!(rule_for_schema(&[rule], &added), expected)
    };
    check(rule("any", Allowance::Any), Some(0));
    check(rule("ignored", Allowance::Ignore), Some(0));
    check(rule("far", within(1000)), None);
    check(
        Rule {
            columns: Some(vec!["price".into()]),
            ..rule("it", Allowance::Any)
        },
        Some(0),
    );
    check(
        Rule {
            columns: Some(vec!["stock".into()]),
            ..rule("another", Allowance::Any)
        },
        None,
    );
    check(
        Rule {
            customers: Some(["AS".into()].into()),
            ..rule("his", Allowance::Any)
        },
        None,
    );
    check(
        Rule {
            kinds: Some([DifferenceKind::ColumnRemoved].into()),
            ..rule("gone", Allowance::Any)
        },
        None,
    );
}
