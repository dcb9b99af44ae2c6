//! What is said once columns are known.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use understudy_core::schema::{Column, ColumnKind, TableSchema};
use understudy_core::snapshot::Schemas;
use understudy_core::spec::{check_columns, suspend};

use crate::{VALID, loaded, with};

/// Columns such as `carrier`, `mean_delay:number` and `at:time`.
fn table(columns: &str) -> TableSchema {
    let column = |text: &str| {
        let (name, kind) = text.split_once(':').unwrap_or((text, "text"));
        let kind = match kind {
            "number" => ColumnKind::Number,
            "time" => ColumnKind::Time,
            _ => ColumnKind::Text,
        };
        Column {
            name: name.to_owned(),
            data_type: String::new(),
            kind,
        }
    };
    TableSchema(columns.split_whitespace().map(column).collect())
}

/// Lines such as `airports: faa lat` for datasets and `delay v1: carrier` for outputs.
fn schemas(text: &str) -> Schemas {
    let mut schemas = Schemas::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, columns) = line.split_once(": ").unwrap();
        match name.split_once(' ') {
            None => drop(schemas.datasets.insert(name.to_owned(), table(columns))),
            Some((task, version)) => {
                let versions = schemas.outputs.entry(task.to_owned()).or_default();
                versions.insert(version.to_owned(), table(columns));
            }
        }
    }
    schemas
}

fn check(file: &str, known: &str, expected: Expect) {
    let loaded = loaded(file);
    let spec = loaded.spec.unwrap();
    let problems = check_columns(&spec, &loaded.places, &schemas(known));
    let mut text = String::new();
    for problem in &problems {
        writeln!(text, "{problem}\n    stops: {:?}", problem.scope).unwrap();
    }
    let spec = suspend(spec, &problems);
    writeln!(
        text,
        "=> suspended: {:?}",
        spec.suspended.keys().collect::<Vec<_>>()
    )
    .unwrap();
    expected.assert_eq(&text);
}

const DELAY: &str = "carrier origin mean_delay:number computed_at:time";

fn delay_both() -> String {
    format!("delay v1: {DELAY}\ndelay v2: {DELAY}\n")
}

#[test]
fn nothing_known_nothing_said() {
    check(
        VALID,
        "",
        expect![[r#"
        => suspended: []
    "#]],
    );
}

#[test]
fn everything_known_and_right() {
    check(
        VALID,
        &format!(
            "{}rank v1: carrier rank:number\nairports: faa lat:number",
            delay_both()
        ),
        expect![[r#"
            => suspended: []
        "#]],
    );
}

#[test]
fn type_of_an_unknown_column() {
    check(
        VALID,
        "airports: fa lat:number",
        expect![[r#"
            understudy.yaml:8:53: the dataset `airports` has no column `faa`
                airports: { location: data/airports.csv, types: { faa: text, lat: decimal(6) }, columns: { faa: mask } }
                hint: did you mean `fa`? the columns are: fa, lat
                stops: Pipeline
            understudy.yaml:8:94: `airports` has no column `faa` to mask
                airports: { location: data/airports.csv, types: { faa: text, lat: decimal(6) }, columns: { faa: mask } }
                hint: did you mean `fa`? the columns are: fa, lat
                stops: Pipeline
            => suspended: []
        "#]],
    );
}

#[test]
fn grain_that_the_output_lacks() {
    check(
        VALID,
        "rank v1: carier rank:number",
        expect![[r#"
            understudy.yaml:25:44: the grain column `carrier` is not in what version `v1` of `rank` makes
                output: { location: live/rank, grain: [carrier], customer: carrier }
                hint: did you mean `carier`? the columns are: carier, rank
                stops: Pipeline
            understudy.yaml:25:64: the customer column `carrier` is not in what version `v1` of `rank` makes
                output: { location: live/rank, grain: [carrier], customer: carrier }
                hint: did you mean `carier`? the columns are: carier, rank
                stops: Pipeline
            => suspended: []
        "#]],
    );
}

#[test]
fn customer_that_the_output_lacks() {
    check(
        &with(
            "grain: [carrier], customer: carrier",
            "grain: [carrier], customer: airline",
        ),
        "rank v1: carrier",
        expect![[r#"
            understudy.yaml:25:64: the customer column `airline` is not in what version `v1` of `rank` makes
                output: { location: live/rank, grain: [carrier], customer: airline }
                hint: the columns are: carrier
                stops: Pipeline
            => suspended: []
        "#]],
    );
}

#[test]
fn grain_that_only_the_new_version_lacks() {
    check(
        VALID,
        &format!("delay v1: {DELAY}\ndelay v2: carrier mean_delay:number computed_at:time"),
        expect![[r#"
            understudy.yaml:16:24: the grain column `origin` is not in what version `v2` of `delay` makes
                grain: [carrier, origin]
                hint: the columns are: carrier, computed_at, mean_delay
                stops: Change("utc-delays")
            => suspended: ["utc-delays"]
        "#]],
    );
}

#[test]
fn grain_that_only_an_unused_version_lacks() {
    check(
        VALID,
        "delay v3: carrier",
        expect![[r#"
            understudy.yaml:16:24: the grain column `origin` is not in what version `v3` of `delay` makes
                grain: [carrier, origin]
                hint: the columns are: carrier
                stops: Unused
            => suspended: []
        "#]],
    );
}

#[test]
fn rule_with_an_unknown_column() {
    check(
        &with("columns: [mean_delay]", "columns: [mean_dealy]"),
        &delay_both(),
        expect![[r#"
            understudy.yaml:45:21: rule `western carriers move a little` names an unknown column `mean_dealy`
                columns: [mean_dealy]
                hint: did you mean `mean_delay`? the columns are: carrier, computed_at, mean_delay, origin
                stops: Change("utc-delays")
            => suspended: ["utc-delays"]
        "#]],
    );
}

#[test]
fn rule_with_a_column_of_one_side() {
    check(
        VALID,
        &format!("delay v1: carrier origin mean_delay:number\ndelay v2: {DELAY}"),
        expect![[r#"
        => suspended: []
    "#]],
    );
}

#[test]
fn rule_of_an_unchanged_task_may_name_a_column_that_comes_from_upstream() {
    let file = with("customers: { file: west.txt }", "columns: [fresh]");
    check(
        &file,
        &format!("{}rank v1: carrier", delay_both()),
        expect![[r#"
            understudy.yaml:64:21: `rule 1` names an unknown column `fresh`
                - columns: [fresh]
                hint: the columns are: carrier
                stops: Change("utc-delays")
            => suspended: ["utc-delays"]
        "#]],
    );
    check(
        &file,
        &format!("delay v1: {DELAY}\ndelay v2: {DELAY} fresh\nrank v1: carrier"),
        expect![[r#"
            => suspended: []
        "#]],
    );
}

#[test]
fn within_on_text() {
    check(
        &with("columns: [mean_delay]", "columns: [origin]"),
        &delay_both(),
        expect![[r#"
            understudy.yaml:46:19: `within` of rule `western carriers move a little` does not fit the column `origin`, which is neither a number nor a time
                within: 5%
                hint: select other columns, or write `allow: any` with a reason
                stops: Change("utc-delays")
            => suspended: ["utc-delays"]
        "#]],
    );
}

#[test]
fn number_for_a_time() {
    check(
        &with("columns: [mean_delay]", "columns: [computed_at]"),
        &delay_both(),
        expect![[r#"
            understudy.yaml:46:19: `within` of rule `western carriers move a little` does not fit the column `computed_at`, which is a time
                within: 5%
                hint: write a duration such as `15m`
                stops: Change("utc-delays")
            => suspended: ["utc-delays"]
        "#]],
    );
}

#[test]
fn duration_for_a_number() {
    check(
        &with("within: 5%", "within: 15m"),
        &delay_both(),
        expect![[r#"
            understudy.yaml:46:19: `within` of rule `western carriers move a little` does not fit the column `mean_delay`, which is a number
                within: 15m
                hint: write a number or a percentage, such as `0.5` or `5%`
                stops: Change("utc-delays")
            => suspended: ["utc-delays"]
        "#]],
    );
}
