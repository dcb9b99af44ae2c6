use super::*;
use crate::rule::{Bound, TypeFamily, Within};
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
    Rule::new(name, allow)
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
    let judged = RowJudge::new(rules, &columns()).judge(difference, Met::UNKNOWN);
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
        assert_eq!(rule_for_schema(&[rule], &BTreeSet::new(), &added), expected)
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

#[test]
fn a_row_that_moved_may_have_a_rule_for_each_of_its_customers() {
    let of = |customer: &str| Rule {
        customers: Some([customer.to_owned()].into()),
        ..rule(customer, Allowance::Any)
    };
    let moved = || changed(named("AS"), named("VX"), &[(0, 1, 2)]);
    check(&[of("AS"), of("VX")], moved(), &[Some(0)]);
    check(&[of("VX"), of("AS")], moved(), &[Some(1)]);
    check(&[of("AS"), of("AS2")], moved(), &[None]);
    check(&[of("B6")], moved(), &[None]);
    let judge = RowJudge::new(&[of("AS"), of("VX")], &columns());
    let cell = CellDifference {
        column: 0,
        old: Value::Integer(1),
        new: Value::Integer(2),
    };
    let (old, new) = (named("AS").unwrap(), named("VX").unwrap());
    assert_eq!(judge.rule_for_cell(&old, &new, &cell), None);
    assert!(judge.expects_cell(&old, &new, &cell));
    assert!(!judge.expects_cell(&old, &named("B6").unwrap(), &cell));
}

#[test]
fn patterns_and_types_select_columns() {
    let select = |selector: ColumnSelector| Rule {
        columns: Some(vec![selector]),
        ..rule("some", Allowance::Any)
    };
    let both = || changed(None, None, &[(0, 1, 2), (1, 1, 2)]);
    check(
        &[select(ColumnSelector::written("*ice"))],
        both(),
        &[Some(0), None],
    );
    check(
        &[select(ColumnSelector::written("st?ck"))],
        both(),
        &[None, Some(0)],
    );
    for (family, expected) in [
        (TypeFamily::Integer, Some(0)),
        (TypeFamily::Number, Some(0)),
        (TypeFamily::Float, None),
    ] {
        check(
            &[select(ColumnSelector::Type { family })],
            both(),
            &[expected, expected],
        );
    }
    check(&[select(ColumnSelector::written("*"))], only_old(), &[None]);
}

#[test]
fn a_predicate_that_is_not_known_to_hold_selects_nothing() {
    let rules = [
        Rule {
            predicate: Some("old.price > 1".into()),
            ..rule("where", Allowance::Any)
        },
        rule("little", within(5)),
    ];
    let judge = RowJudge::new(&rules, &columns());
    for (met, expected) in [
        (Met(&[true, false]), Some(0)),
        (Met(&[false, false]), Some(1)),
        (Met::UNKNOWN, Some(1)),
    ] {
        let judged = judge.judge(changed(None, None, &[(0, 1, 2)]), met);
        assert_eq!(judged.rules, [expected]);
    }
    let judged = judge.judge(only_old(), Met(&[true, false]));
    assert_eq!(judged.rules, [Some(0)]);
    assert_eq!(judge.judge(only_old(), Met(&[false, true])).rules, [None]);
}

#[test]
fn an_absent_rule_expects_nothing_and_the_next_is_tried() {
    let rules = [rule("any", Allowance::Any), rule("little", within(5))];
    let judge = RowJudge::without(&[0].into(), &rules, &columns());
    let judged = judge.judge(changed(None, None, &[(0, 1, 2), (1, 1, 9)]), Met::UNKNOWN);
    assert_eq!(judged.rules, [Some(1), None]);
}

#[test]
fn a_rule_asks_for_changes_that_it_selects_whether_it_allows_them_or_not() {
    let rules = [
        Rule {
            customers: Some(["AS".into()].into()),
            columns: Some(vec!["price".into()]),
            must_change: true,
            ..rule("must", Allowance::Nothing)
        },
        rule("any", Allowance::Any),
    ];
    let judge = RowJudge::new(&rules, &columns());
    let asked = |difference: RowDifference, customer: &str| {
        let customer = named(customer).unwrap();
        judge.asking(&difference, &customer, Met::UNKNOWN).count()
    };
    let of = |column| changed(named("AS"), named("AS"), &[(column, 1, 2)]);
    assert_eq!(asked(of(0), "AS"), 1);
    assert_eq!(asked(of(1), "AS"), 0);
    assert_eq!(asked(of(0), "VX"), 0);
    assert_eq!(asked(only_old(), "AS"), 0);
    let judged = judge.judge(of(0), Met::UNKNOWN);
    assert_eq!(judged.rules, [Some(1)], "it allows nothing itself");
}
