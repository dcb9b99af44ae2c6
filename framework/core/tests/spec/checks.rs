//! Checks: what stands in `compare`.

use expect_test::{Expect, expect};
use understudy_core::check::{CheckKind, Measure};

use super::{check, loaded};

const VALID: &str = include_str!("checks.yaml");

/// What the valid file with one part replaced comes to.
fn mistake(part: &str, replacement: &str, expected: Expect) {
    assert_eq!(VALID.matches(part).count(), 1, "{part:?}");
    check(&VALID.replace(part, replacement), expected);
}

#[test]
fn every_kind_is_read() {
    let loaded = loaded(VALID);
    assert_eq!(loaded.problems, []);
    let spec = loaded.spec.unwrap();
    let checks = &spec.changes["utc"].compare["delay"];
    let names: Vec<&str> = checks.iter().map(|check| check.name.as_str()).collect();
    assert_eq!(names, ["totals", "gone", "check 3", "check 4"]);
    let CheckKind::Metrics(metrics) = &checks[0].kind else {
        panic!("{:?}", checks[0].kind)
    };
    assert_eq!(metrics.group_by, ["carrier"]);
    assert_eq!(metrics.measure.len(), 6);
    assert!(metrics.measure[4].within.is_none());
    let Measure::Percentile { column, at } = &metrics.measure[3].measure else {
        panic!("{:?}", metrics.measure[3])
    };
    let at: Vec<String> = at.iter().map(ToString::to_string).collect();
    assert_eq!(
        (column.as_str(), at.join(" ")),
        ("minutes", "50 99.9".to_owned())
    );
    assert_eq!(checks[0].limits.wall_secs, Some(60));
    // The query itself is part of the check: another text is another check.
    let expected = CheckKind::Sql {
        file: "checks/gone.sql".to_owned(),
        sql: "SELECT * FROM old".to_owned(),
    };
    assert_eq!(checks[1].kind, expected);
    assert_eq!(checks[3].kind, CheckKind::Rust("skew".to_owned()));
}

#[test]
fn a_check_says_one_way_to_compare() {
    mistake(
        "- rust: skew",
        "- { name: x, rust: skew, sql: checks/gone.sql }",
        expect![[r#"
            understudy.yaml:33:34: check `x` compares in two ways: `rust` and `sql`
                - { name: x, rust: skew, sql: checks/gone.sql }
                hint: write one of `metrics: { measure: […] }`, `sql: <file>`, `command: [<program>, <argument>, …]` and `rust: <name>`; for another, add a check
            => live runs without utc
        "#]],
    );
    mistake(
        "- rust: skew",
        "- { name: x }",
        expect![[r#"
        understudy.yaml:33:11: check `x` does not say how it compares
            - { name: x }
            hint: write one of `metrics: { measure: […] }`, `sql: <file>`, `command: [<program>, <argument>, …]` and `rust: <name>`; for another, add a check
        => live runs without utc
    "#]],
    );
    mistake(
        "- rust: skew",
        "- { rusty: skew }",
        expect![[r#"
        understudy.yaml:33:13: unknown key `rusty` in check 4 of task `delay`
            - { rusty: skew }
            hint: did you mean `rust`? the keys here are: code, command, limits, metrics, name, rust, sql
        => live runs without utc
    "#]],
    );
}

#[test]
fn a_figure_is_one_figure() {
    mistake(
        "{ distinct: flight }",
        "{ distinct: flight, sum: minutes }",
        expect![[r#"
        understudy.yaml:26:37: figure 5 of `measure` of `metrics` of check `totals` measures two things: `distinct` and `sum`
            - { distinct: flight, sum: minutes }
            hint: write one of `count: rows`, `sum: <column>`, `mean: <column>`, `percentile: <column>` with `at: […]`, `distinct: <column>` and `null_rate: <column>`; for another figure, add one to the list
        => live runs without utc
    "#]],
    );
    mistake(
        "{ distinct: flight }",
        "{ within: 1% }",
        expect![[r#"
        understudy.yaml:26:17: figure 5 of `measure` of `metrics` of check `totals` measures nothing
            - { within: 1% }
            hint: write one of `count: rows`, `sum: <column>`, `mean: <column>`, `percentile: <column>` with `at: […]`, `distinct: <column>` and `null_rate: <column>`; for another figure, add one to the list
        => live runs without utc
    "#]],
    );
    mistake(
        "{ distinct: flight }",
        "{ median: flight }",
        expect![[r#"
        understudy.yaml:26:19: unknown key `median` in figure 5 of `measure` of `metrics` of check `totals`
            - { median: flight }
            hint: did you mean `mean`? the keys here are: at, count, distinct, mean, null_rate, percentile, sum, within
        => live runs without utc
    "#]],
    );
    mistake(
        "count: rows",
        "count: flights",
        expect![[r#"
        understudy.yaml:22:26: `count` of figure 1 of `measure` of `metrics` of check `totals` cannot be `flights`
            - { count: flights, within: 1% }
            hint: write `rows`
        => live runs without utc
    "#]],
    );
}

#[test]
fn percentiles_are_numbers_up_to_a_hundred() {
    mistake(
        "[50, 99.9]",
        "[50, 101]",
        expect![[r#"
        understudy.yaml:25:49: percentile 2 of `at` of figure 4 of `measure` of `metrics` of check `totals` must be a number from 0 to 100, not `101`
            - { percentile: minutes, at: [50, 101], within: 0.5 }
            hint: write it without a sign, such as `95` or `99.9`
        => live runs without utc
    "#]],
    );
    mistake(
        "[50, 99.9]",
        "[95%]",
        expect![[r#"
        understudy.yaml:25:45: percentile 1 of `at` of figure 4 of `measure` of `metrics` of check `totals` must be a number from 0 to 100, not `95%`
            - { percentile: minutes, at: [95%], within: 0.5 }
            hint: write it without a sign, such as `95` or `99.9`
        => live runs without utc
    "#]],
    );
    mistake(
        ", at: [50, 99.9]",
        "",
        expect![[r#"
        understudy.yaml:25:19: `percentile` of figure 4 of `measure` of `metrics` of check `totals` needs `at`, which is not there
            - { percentile: minutes, within: 0.5 }
            hint: add `at: …`, or leave `percentile` out
        => live runs without utc
    "#]],
    );
    mistake(
        "{ distinct: flight }",
        "{ distinct: flight, at: [5] }",
        expect![[r#"
        understudy.yaml:26:37: `at` of figure 5 of `measure` of `metrics` of check `totals` needs `percentile`, which is not there
            - { distinct: flight, at: [5] }
            hint: add `percentile: …`, or leave `at` out
        => live runs without utc
    "#]],
    );
}

#[test]
fn a_tolerance_fits_figures() {
    mistake(
        "within: 0.5 }",
        "within: 15m }",
        expect![[r#"
        understudy.yaml:25:64: `within` of check `totals` is a duration, and a figure is a number
            - { percentile: minutes, at: [50, 99.9], within: 15m }
            hint: write a number or a percentage, such as `0.5` or `5%`
        => live runs without utc
    "#]],
    );
    mistake(
        "within: 0.5 }",
        "within: {} }",
        expect![[r#"
        understudy.yaml:25:64: `within` of check `totals` has no bound
            - { percentile: minutes, at: [50, 99.9], within: {} }
            hint: write `abs` or `rel` or both, or `up` or `down` or both
        => live runs without utc
    "#]],
    );
}

#[test]
fn files_and_tasks_are_there() {
    mistake(
        "sql: checks/gone.sql",
        "sql: checks/going.sql",
        expect![[r#"
        understudy.yaml:30:16: the SQL file `checks/going.sql` is not there
            sql: checks/going.sql
            hint: write its path from the pipeline file's folder, or put the file there
        => live runs without utc
    "#]],
    );
    mistake(
        "[python3, rank.py, --strict]",
        "[python3, rang.py]",
        expect![[r#"
        understudy.yaml:31:30: the command's file `rang.py` is not there
            - command: [python3, rang.py]
            hint: write its path from the pipeline file's folder, or put the file there
        => live runs without utc
    "#]],
    );
    mistake(
        "    compare:\n      delay:",
        "    compare:\n      relay:",
        expect![[r#"
        understudy.yaml:17:7: unknown task `relay`
            relay:
            hint: did you mean `delay`? the tasks are: delay
        => live runs without utc
    "#]],
    );
    mistake(
        "name: gone",
        "name: totals",
        expect![[r#"
        understudy.yaml:29:17: two checks are named `totals`
            - name: totals
            hint: give each its own name; reports name findings by it
        => live runs without utc
    "#]],
    );
}
