use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Array, Decimal256Array, Float32Array, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, UInt64Array,
};
use arrow::datatypes::i256;
use understudy_core::run_date::RunDate;
use understudy_tables::{ParquetFile, TableSource, pin};

use super::*;
use crate::comparator::SidesRequest;

/// What was found, a line each.
#[derive(Default)]
struct Lines(Vec<String>);

impl Found for Lines {
    fn finding(&mut self, finding: Finding) {
        let text = |value: &Value| value.render().unwrap_or_else(|| "NULL".to_owned());
        let mut line = finding.what;
        for (name, value) in &finding.cells {
            line.push_str(&format!(" {name}={}", text(value)));
        }
        if let Some(customer) = finding.customer {
            line.push_str(&format!(" of {customer}"));
        }
        if let Some([old, new]) = &finding.figures {
            line.push_str(&format!(": {} -> {}", text(old), text(new)));
        }
        self.0.push(line);
    }

    fn not_compared(&mut self, what: String) {
        self.0.push(format!("not compared: {what}"));
    }
}

type Columns = Vec<(&'static str, ArrayRef)>;

fn source(folder: &std::path::Path, name: &str, columns: Columns) -> TableSource {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let path = folder.join(format!("{name}.parquet"));
    let mut file = ParquetFile::create(&path, &batch.schema()).unwrap();
    file.write(&batch).unwrap();
    file.finish().unwrap();
    TableSource {
        base: folder.to_owned(),
        snapshot: pin(name, &format!("{name}.parquet"), folder).unwrap(),
        types: [].into(),
    }
}

fn compared_with(
    memory_bytes: u64,
    metrics: &Metrics,
    old: Columns,
    new: Columns,
) -> Result<(Vec<String>, u64), String> {
    let folder = tempfile::tempdir().unwrap();
    let old = source(folder.path(), "old", old);
    let new = source(folder.path(), "new", new);
    let sides = Sides::open(SidesRequest {
        old: &old,
        new: &new,
        key: &[],
        customer: Some("who"),
        run_date: RunDate(Default::default()),
        now_nanos: 0,
        memory_bytes,
        threads: 1,
        temp_dir: folder.path(),
    })
    .unwrap();
    let mut lines = Lines::default();
    let compared = MetricsComparator::new(metrics.clone()).compare(&sides, &mut lines);
    compared
        .map(|looked_at| (lines.0, looked_at))
        .map_err(|error| error.to_string())
}

fn compared(metrics: &Metrics, old: Columns, new: Columns) -> Result<(Vec<String>, u64), String> {
    compared_with(64 << 20, metrics, old, new)
}

fn of(group_by: &[&str], measure: Vec<(Measure, Option<&str>)>) -> Metrics {
    let within = |abs: &str| {
        let bound = Bound {
            abs: Some(abs.parse().unwrap()),
            ..Bound::default()
        };
        Within {
            up: bound.clone(),
            down: bound,
        }
    };
    Metrics {
        group_by: group_by.iter().map(|&column| column.to_owned()).collect(),
        measure: measure
            .into_iter()
            .map(|(measure, abs)| Metric {
                measure,
                within: abs.map(within),
            })
            .collect(),
    }
}

fn x() -> String {
    "x".to_owned()
}

fn floats(values: &[f64]) -> Columns {
    vec![("x", Arc::new(Float64Array::from(values.to_vec())))]
}

fn optional(values: &[Option<f64>]) -> Columns {
    vec![("x", Arc::new(Float64Array::from(values.to_vec())))]
}

fn integers(values: &[i64]) -> Columns {
    vec![("x", Arc::new(Int64Array::from(values.to_vec())))]
}

#[track_caller]
fn check(metrics: &Metrics, old: Columns, new: Columns, expected: &[&str]) {
    let (lines, _) = compared(metrics, old, new).unwrap();
    assert_eq!(lines, expected);
}

#[test]
fn integers_are_summed_up_exactly() {
    let sum = of(&[], vec![(Measure::Sum(x()), None)]);
    check(
        &sum,
        integers(&[i64::MAX, i64::MAX, 1]),
        integers(&[i64::MAX, i64::MAX, 2]),
        &["sum of x: 18446744073709551615 -> 18446744073709551616"],
    );
    let large: Columns = vec![("x", Arc::new(UInt64Array::from(vec![u64::MAX; 3])))];
    check(
        &sum,
        large.clone(),
        integers(&[i64::MAX]),
        &["sum of x: 55340232221128654845 -> 9223372036854775807"],
    );
}

#[test]
fn decimals_of_every_width_are_summed_up_exactly() {
    let sum = of(&[], vec![(Measure::Sum(x()), None)]);
    let narrow = |digits: Vec<i128>, scale: i8| -> Columns {
        let column = Decimal128Array::from(digits)
            .with_precision_and_scale(38, scale)
            .unwrap();
        vec![("x", Arc::new(column))]
    };
    let most = 10_i128.pow(38) - 1;
    check(
        &sum,
        narrow(vec![most; 4], 2),
        narrow(vec![most, most, most, most - 1], 2),
        &[
            "sum of x: 3999999999999999999999999999999999999.96 -> 3999999999999999999999999999999999999.95",
        ],
    );
    // The same sum at another scale is the same.
    check(&sum, narrow(vec![150], 2), narrow(vec![15], 1), &[]);
    let wide = |digits: Vec<i256>| -> Columns {
        let column = Decimal256Array::from(digits)
            .with_precision_and_scale(76, 0)
            .unwrap();
        vec![("x", Arc::new(column))]
    };
    let most: i256 = "9".repeat(76).parse().unwrap();
    let found = compared(&sum, wide(vec![most; 9]), wide(vec![most; 8]))
        .unwrap()
        .0;
    assert_eq!(
        found,
        [format!(
            "sum of x: 8{}1 -> 7{}2",
            "9".repeat(75),
            "9".repeat(75)
        )]
    );
}

#[test]
fn floats_are_summed_up_in_any_order() {
    let sum = of(
        &[],
        vec![(Measure::Sum(x()), None), (Measure::Mean(x()), None)],
    );
    let values: Vec<f64> = (0..5_000_u32)
        .map(|n| f64::from(n.wrapping_mul(2_654_435_761)).sin() * 1e9)
        .collect();
    let turned: Vec<f64> = values.iter().rev().copied().collect();
    check(&sum, floats(&values), floats(&turned), &[]);
    check(
        &sum,
        floats(&[1e16, 1.0, -1e16]),
        floats(&[1e16, -1e16]),
        &[
            "sum of x: 1.0 -> 0.0",
            "mean of x: 0.3333333333333333 -> 0.0",
        ],
    );
}

#[test]
fn tolerance_is_on_shortest_decimals_and_its_boundary_is_inside() {
    let sum = |abs| of(&[], vec![(Measure::Sum(x()), Some(abs))]);
    check(&sum("0.1"), floats(&[1.0]), floats(&[1.1]), &[]);
    check(
        &sum("0.09"),
        floats(&[1.0]),
        floats(&[1.1]),
        &["sum of x: 1.0 -> 1.1"],
    );
    // A percentage of zero allows zero only.
    let percent = Within {
        up: Bound {
            rel: Some("0.05".parse().unwrap()),
            ..Bound::default()
        },
        down: Bound::default(),
    };
    let metrics = |values: (Columns, Columns)| {
        let metrics = Metrics {
            group_by: Vec::new(),
            measure: vec![Metric {
                measure: Measure::Sum(x()),
                within: Some(percent.clone()),
            }],
        };
        compared(&metrics, values.0, values.1).unwrap().0
    };
    assert_eq!(metrics((integers(&[100]), integers(&[105]))), [""; 0]);
    assert_eq!(
        metrics((integers(&[100]), integers(&[106]))),
        ["sum of x: 100 -> 106"]
    );
    assert_eq!(
        metrics((integers(&[100]), integers(&[99]))),
        ["sum of x: 100 -> 99"]
    );
    assert_eq!(
        metrics((integers(&[0]), integers(&[1]))),
        ["sum of x: 0 -> 1"]
    );
}

#[test]
fn means_that_differ_far_behind_the_point_differ() {
    let mean = of(&[], vec![(Measure::Mean(x()), None)]);
    check(
        &mean,
        integers(&[1, 2, 2]),
        integers(&[1, 1, 2]),
        &["mean of x: 1.6666666666666667 -> 1.3333333333333333"],
    );
    check(&mean, integers(&[1, 3]), integers(&[2, 2, 2]), &[]);
    let large = i64::MAX;
    let found = compared(
        &mean,
        integers(&[large, large, large]),
        integers(&[large, large, large - 1]),
    )
    .unwrap()
    .0;
    assert_eq!(found, ["mean of x: 9223372036854775807 -> 9223372036854775806.6666666666666666666666666666666666666666666666"].map(|line| {
        let (head, _) = line.split_at(line.len() - 1);
        head.to_owned()
    }));
}

#[test]
fn percentiles_lie_between_neighbours() {
    let at = |at: &[&str]| {
        let at = at.iter().map(|at| at.parse().unwrap()).collect();
        of(&[], vec![(Measure::Percentile { column: x(), at }, None)])
    };
    check(
        &at(&["0", "50", "95", "100"]),
        integers(&[4, 1, 3, 2]),
        integers(&[40, 10, 30, 20]),
        &[
            "percentile 0 of x: 1 -> 10",
            "percentile 50 of x: 2.5 -> 25",
            "percentile 95 of x: 3.85 -> 38.5",
            "percentile 100 of x: 4 -> 40",
        ],
    );
    // What numpy.percentile([15, 20, 35, 40, 50], 40) and Excel's PERCENTILE.INC say.
    check(
        &at(&["40"]),
        integers(&[15, 20, 35, 40, 50]),
        integers(&[0]),
        &["percentile 40 of x: 29 -> 0"],
    );
    check(
        &at(&["50"]),
        floats(&[0.1, 0.2]),
        floats(&[f64::INFINITY, f64::INFINITY]),
        &["percentile 50 of x: 0.15 -> inf"],
    );
    let narrow: Columns = vec![("x", Arc::new(Float32Array::from(vec![0.1, 0.3])))];
    check(
        &at(&["0", "50"]),
        narrow,
        floats(&[7.0]),
        &[
            "percentile 0 of x: 0.1 -> 7.0",
            "percentile 50 of x: 0.2 -> 7.0",
        ],
    );
}

#[test]
fn what_does_not_fit_into_memory_is_sorted_on_disk() {
    let values: Vec<i64> = (0..60_000).map(|n| (n * 7_919) % 60_000).collect();
    let at = vec!["25".parse().unwrap(), "99.99".parse().unwrap()];
    let metrics = of(
        &[],
        vec![
            (Measure::Percentile { column: x(), at }, None),
            (Measure::Distinct(x()), None),
        ],
    );
    let twice: Vec<i64> = values.iter().map(|value| value * 2).collect();
    let expected = [
        "percentile 25 of x: 14999.75 -> 29999.5",
        "percentile 99.99 of x: 59993.0001 -> 119986.0002",
    ];
    for memory in [64 << 20, 1] {
        let found = compared_with(memory, &metrics, integers(&values), integers(&twice))
            .unwrap()
            .0;
        assert_eq!(found, expected);
    }
}

#[test]
fn distinct_values_are_counted_without_null() {
    let distinct = of(&[], vec![(Measure::Distinct(x()), None)]);
    check(
        &distinct,
        optional(&[Some(1.0), Some(1.0), None, Some(-0.0), Some(0.0)]),
        optional(&[Some(1.0), None, Some(2.0), Some(0.0)]),
        &["distinct values of x: 2 -> 3"],
    );
    // Integers of another width are the same values.
    let narrow: Columns = vec![("x", Arc::new(Int32Array::from(vec![1, 2])))];
    check(&distinct, narrow, integers(&[1, 2]), &[]);
}

#[test]
fn null_is_no_value_and_beside_one_a_finding() {
    let figures = of(
        &[],
        vec![
            (Measure::Sum(x()), None),
            (Measure::Mean(x()), None),
            (Measure::NullRate(x()), Some("0.1")),
            (Measure::Count, None),
        ],
    );
    check(
        &figures,
        optional(&[Some(1.0), Some(3.0)]),
        optional(&[None, None]),
        &[
            "sum of x: 4.0 -> NULL",
            "mean of x: 2.0 -> NULL",
            "share of NULL in x: 0 -> 1",
        ],
    );
    check(
        &figures,
        optional(&[None, None]),
        optional(&[None, None]),
        &[
            "not compared: sum of x has no value on either side",
            "not compared: mean of x has no value on either side",
        ],
    );
}

#[test]
fn nan_is_never_good() {
    let figures = of(
        &[],
        vec![
            (Measure::Sum(x()), Some("1000")),
            (
                Measure::Percentile {
                    column: x(),
                    at: vec![50.into()],
                },
                Some("1000"),
            ),
        ],
    );
    check(
        &figures,
        floats(&[1.0]),
        floats(&[f64::NAN]),
        &["sum of x: 1.0 -> NaN", "percentile 50 of x: 1.0 -> NaN"],
    );
    check(
        &figures,
        floats(&[f64::NAN, 1.0]),
        floats(&[1.0, f64::NAN]),
        &[
            "not compared: sum of x is NaN on both sides",
            "not compared: percentile 50 of x is NaN on both sides",
        ],
    );
    check(
        &figures,
        floats(&[f64::INFINITY]),
        floats(&[1.0]),
        &["sum of x: inf -> 1.0", "percentile 50 of x: inf -> 1.0"],
    );
}

fn grouped(names: &[Option<&str>], values: &[i64]) -> Columns {
    vec![
        ("who", Arc::new(StringArray::from(names.to_vec()))),
        ("x", Arc::new(Int64Array::from(values.to_vec()))),
    ]
}

#[test]
fn groups_have_figures_of_their_own() {
    let sum = of(
        &["who"],
        vec![(Measure::Sum(x()), None), (Measure::Count, None)],
    );
    check(
        &sum,
        grouped(&[Some("a"), Some("b"), None, Some("a")], &[1, 2, 3, 4]),
        grouped(&[None, Some("a"), Some("c"), Some("a")], &[5, 4, 9, 1]),
        &[
            "sum of x of *null*: 3 -> 5",
            "rows, which only the old table has, of b: 1 -> NULL",
            "rows, which only the new table has, of c: NULL -> 1",
        ],
    );
    let both = of(&["who", "x"], vec![(Measure::Count, None)]);
    check(
        &both,
        grouped(&[Some("a"), Some("a")], &[1, 2]),
        grouped(&[Some("a"), Some("a")], &[1, 1]),
        &[
            "count of rows x=1 of a: 1 -> 2",
            "rows, which only the old table has, x=2 of a: 1 -> NULL",
        ],
    );
}

#[test]
fn groups_are_the_same_values_in_every_width() {
    let count = of(&["x"], vec![(Measure::Count, None)]);
    let narrow: Columns = vec![("x", Arc::new(Int32Array::from(vec![1, 2])))];
    check(&count, narrow.clone(), integers(&[2, 1]), &[]);
    let error = compared(
        &count,
        narrow,
        vec![("x", Arc::new(StringArray::from(vec!["1"])))],
    )
    .unwrap_err();
    assert_eq!(
        error,
        "column `x` is Int32 in the old table and Utf8 in the new one, which make no common groups"
    );
}

#[test]
fn more_groups_than_there_is_memory_for_are_an_error() {
    let count = of(&["x"], vec![(Measure::Count, None)]);
    let many: Vec<i64> = (0..1_000).collect();
    let error = compared_with(100_000, &count, integers(&many), integers(&many)).unwrap_err();
    assert!(
        error.starts_with("the rows make more than 113 groups, and there is no memory for more; "),
        "{error}"
    );
}

#[test]
fn what_cannot_be_measured_is_an_error() {
    let sum = of(&[], vec![(Measure::Sum(x()), None)]);
    let text: Columns = vec![("x", Arc::new(StringArray::from(vec!["1"])))];
    let error = compared(&sum, text, integers(&[1])).unwrap_err();
    assert_eq!(
        error,
        "column `x` is Utf8, and only numbers are summed up and sorted"
    );
    let other = of(&[], vec![(Measure::Sum("y".to_owned()), None)]);
    assert_eq!(
        compared(&other, integers(&[1]), integers(&[1])).unwrap_err(),
        "neither table has a column `y`"
    );
    assert_eq!(
        compared(&sum, integers(&[]), integers(&[])).unwrap_err(),
        "both tables are empty: there was nothing to look at"
    );
}
