//! The suite over what is here, and over comparators that are bad on purpose: each breaks a law, which must be seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, AsArray as _, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Float64Type;
use understudy_core::check::{Measure, Metric, Metrics};
use understudy_core::customer::Customer;
use understudy_core::value::Value;

use super::*;
use crate::both::Side;
use crate::comparator::Sides;
use crate::metrics::MetricsComparator;

fn table(amounts: &[f64]) -> RecordBatch {
    let ids = Int64Array::from_iter_values(0..amounts.len() as i64);
    let names: StringArray = (0..amounts.len())
        .map(|row| Some(["Ann", "Bob", "Cid"][row % 3]))
        .collect();
    let columns: [(&str, ArrayRef); 3] = [
        ("id", Arc::new(ids)),
        ("customer", Arc::new(names)),
        ("amount", Arc::new(Float64Array::from(amounts.to_vec()))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn sample() -> Sample {
    Sample {
        old: table(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.5, 8.25]),
        new: table(&[1.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.5, 8.5]),
        key: vec!["id".to_owned()],
        customer: Some("customer".to_owned()),
        reads: vec!["amount".to_owned()],
    }
}

fn metrics(group_by: &[&str], measure: Vec<Measure>) -> MetricsComparator {
    MetricsComparator::new(Metrics {
        group_by: group_by.iter().map(|&column| column.to_owned()).collect(),
        measure: measure
            .into_iter()
            .map(|measure| Metric {
                measure,
                within: None,
            })
            .collect(),
    })
}

#[test]
fn metrics_keep_the_laws() {
    let amount = || "amount".to_owned();
    let percentile = || Measure::Percentile {
        column: amount(),
        at: vec![0.into(), 50.into(), "99.9".parse().unwrap(), 100.into()],
    };
    for group_by in [&[][..], &["customer"]] {
        for measure in [
            vec![Measure::Sum(amount())],
            vec![Measure::Mean(amount())],
            vec![percentile()],
            vec![
                Measure::Count,
                Measure::Sum(amount()),
                Measure::Distinct("id".to_owned()),
                percentile(),
            ],
        ] {
            require(&metrics(group_by, measure), &sample());
        }
    }
}

#[test]
fn metrics_that_count_keep_the_laws() {
    let mut nulls = sample();
    let amounts: Float64Array = (0..8)
        .map(|row| (row != 4).then_some(f64::from(row)))
        .collect();
    let columns: [(&str, ArrayRef); 3] = [
        ("id", nulls.old.column(0).clone()),
        ("customer", nulls.old.column(1).clone()),
        ("amount", Arc::new(amounts)),
    ];
    nulls.new = RecordBatch::try_from_iter(columns).unwrap();
    for group_by in [&[][..], &["customer"]] {
        let broken = broken_laws(
            &metrics(group_by, vec![Measure::NullRate("amount".to_owned())]),
            &nulls,
        );
        // It says how many there are, not what they are: of NaN it knows nothing, and says nothing.
        let laws: Vec<Law> = broken.iter().map(|broken| broken.law).collect();
        assert!(laws.iter().all(|law| *law == Law::NanIsSeen), "{broken:?}");
        let distinct = metrics(group_by, vec![Measure::Distinct("amount".to_owned())]);
        let broken = broken_laws(&distinct, &nulls);
        assert!(
            broken.iter().all(|broken| broken.law == Law::NanIsSeen),
            "{broken:?}"
        );
    }
}

/// The rows of a side: id, customer, amount.
fn read(sides: &Sides<'_>, side: Side) -> Result<Vec<(i64, String, f64)>, CheckError> {
    let mut rows = Vec::new();
    for batch in sides.batches(side, &["id", "customer", "amount"])? {
        let batch = batch?;
        let ids = batch
            .column(0)
            .as_primitive::<arrow::datatypes::Int64Type>();
        let amounts = batch.column(2).as_primitive::<Float64Type>();
        for row in 0..batch.num_rows() {
            let amount = if batch.column(2).is_null(row) {
                f64::NAN
            } else {
                amounts.value(row)
            };
            rows.push((
                ids.value(row),
                batch.column(1).as_string::<i32>().value(row).to_owned(),
                amount,
            ));
        }
    }
    Ok(rows)
}

/// A good one: each row whose amount is not the old one, by customer and id.
fn good(sides: &Sides<'_>, found: &mut dyn Found) -> Result<u64, CheckError> {
    let looked_at = sides.all_rows()?;
    let key = |row: &(i64, String, f64)| (row.1.clone(), row.0);
    let (mut old, mut new) = (read(sides, Side::Old)?, read(sides, Side::New)?);
    old.sort_by_key(key);
    new.sort_by_key(key);
    let nan = old.iter().chain(&new).filter(|row| row.2.is_nan()).count();
    if nan > 0 {
        found.not_compared(format!("{nan} amounts are no numbers"));
    }
    let (mut old, mut new) = (old.into_iter().peekable(), new.into_iter().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return Ok(looked_at),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(a), Some(b)) => key(a).cmp(&key(b)),
        };
        let before = if order.is_le() { old.next() } else { None };
        let after = if order.is_ge() { new.next() } else { None };
        let Some(owner) = before.as_ref().or(after.as_ref()).map(|row| row.1.clone()) else {
            continue;
        };
        let [before, after] =
            [before, after].map(|row| row.map_or(Value::Null, |row| Value::Float(row.2)));
        if !before.same(&after) {
            found.finding(
                Finding::new("amount")
                    .of(Customer::Named(owner))
                    .figures(before, after),
            );
        }
    }
}

/// The laws that a comparator breaks.
fn broken(comparator: impl Comparator) -> Vec<Law> {
    let mut laws: Vec<Law> = broken_laws(&comparator, &sample())
        .into_iter()
        .map(|broken| broken.law)
        .collect();
    laws.dedup();
    laws
}

#[track_caller]
fn check(law: Law, comparator: impl Comparator) {
    let broken = broken(comparator);
    assert!(
        broken.contains(&law),
        "{law:?} was not seen to be broken, only {broken:?}"
    );
}

/// Hands a good one's findings on, as far as somebody lets them.
struct Filtered<'a, F>(&'a mut dyn Found, F);

impl<F: FnMut(&Finding) -> bool> Found for Filtered<'_, F> {
    fn finding(&mut self, finding: Finding) {
        if (self.1)(&finding) {
            self.0.finding(finding);
        }
    }

    fn not_compared(&mut self, what: String) {
        self.0.not_compared(what);
    }
}

#[test]
fn a_good_one_breaks_none() {
    assert_eq!(broken(good), []);
    require(&good, &sample());
}

#[test]
fn one_that_finds_nothing() {
    check(
        Law::FindsTheSample,
        |sides: &Sides<'_>, _: &mut dyn Found| sides.all_rows(),
    );
}

#[test]
fn one_that_finds_something_in_equal_tables() {
    check(
        Law::ItselfIsEqual,
        |sides: &Sides<'_>, found: &mut dyn Found| {
            found.finding(Finding::new("always"));
            good(sides, found)
        },
    );
}

#[test]
fn one_that_looks_at_the_first_rows() {
    check(
        Law::OrderMeansNothing,
        |sides: &Sides<'_>, found: &mut dyn Found| {
            let (old, new) = (read(sides, Side::Old)?, read(sides, Side::New)?);
            let mut first = old.iter().zip(&new).take(3);
            if let Some((old, new)) = first.find(|(old, new)| old.2.to_bits() != new.2.to_bits()) {
                let [old, new] = [old.2, new.2].map(Value::Float);
                found.finding(Finding::new("the first rows").figures(old, new));
            }
            sides.all_rows()
        },
    );
}

#[test]
fn one_that_looks_at_the_first_file() {
    check(
        Law::CutsMeanNothing,
        |sides: &Sides<'_>, found: &mut dyn Found| {
            let first = |side| {
                let mut batches = sides.batches(side, &["amount"])?;
                Ok::<_, CheckError>(batches.next().transpose()?)
            };
            if first(Side::Old)? != first(Side::New)? {
                found.finding(Finding::new("the first file"));
            }
            sides.all_rows()
        },
    );
}

#[test]
fn one_that_remembers() {
    let asked = AtomicU64::new(0);
    check(
        Law::AnswersTheSameAgain,
        move |sides: &Sides<'_>, found: &mut dyn Found| {
            let time = asked.fetch_add(1, Ordering::SeqCst);
            let mut all = Filtered(found, |_: &Finding| time.is_multiple_of(2));
            good(sides, &mut all)
        },
    );
}

#[test]
fn one_that_passes_what_is_empty() {
    let passes = |sides: &Sides<'_>, found: &mut dyn Found| match sides.all_rows() {
        Err(CheckError::Empty) => Ok(1),
        _ => good(sides, found),
    };
    check(Law::EmptyIsNotEqual, passes);
    let passes = |sides: &Sides<'_>, found: &mut dyn Found| {
        if sides.rows(Side::Old)? == 0 || sides.rows(Side::New)? == 0 {
            return Ok(1);
        }
        good(sides, found)
    };
    check(Law::OneEmptySideIsSeen, passes);
}

#[test]
fn one_that_passes_what_is_missing() {
    let passes = |sides: &Sides<'_>, found: &mut dyn Found| {
        if sides.positions(Side::New, &["amount"]).is_err() {
            return Ok(1);
        }
        good(sides, found)
    };
    check(Law::MissingColumnIsSeen, passes);
    // NULL and NaN are skipped by whoever asks whether a number is greater.
    let passes = |sides: &Sides<'_>, found: &mut dyn Found| {
        let looked_at = sides.all_rows()?;
        let (old, new) = (read(sides, Side::Old)?, read(sides, Side::New)?);
        for old in &old {
            let new = new.iter().find(|new| new.0 == old.0 && new.1 == old.1);
            if new.is_none_or(|new| new.2 > old.2) {
                found.finding(Finding::new("greater").of(Customer::Named(old.1.clone())));
            }
        }
        Ok(looked_at)
    };
    check(Law::NullIsSeen, passes);
    check(Law::NanIsSeen, passes);
}

#[test]
fn one_that_stops_at_ten() {
    check(
        Law::AllAreCounted,
        |sides: &Sides<'_>, found: &mut dyn Found| {
            let mut count = 0;
            let mut few = Filtered(found, |_: &Finding| {
                count += 1;
                count <= 10
            });
            good(sides, &mut few)
        },
    );
}

#[test]
fn one_that_blames_strangers() {
    check(
        Law::CustomersAreReal,
        |sides: &Sides<'_>, found: &mut dyn Found| {
            let (old, new) = (read(sides, Side::Old)?, read(sides, Side::New)?);
            if old != new {
                found.finding(Finding::new("somebody").of(Customer::Named("Zoe".to_owned())));
            }
            sides.all_rows()
        },
    );
}

#[test]
fn one_that_mixes_customers() {
    check(
        Law::CustomersAreApart,
        |sides: &Sides<'_>, found: &mut dyn Found| {
            let sum =
                |side| Ok::<f64, CheckError>(read(sides, side)?.iter().map(|row| row.2).sum());
            let (old, new) = (sum(Side::Old)?, sum(Side::New)?);
            if old != new {
                let finding = Finding::new("the sum of all").of(Customer::Named("Ann".to_owned()));
                found.finding(finding.figures(Value::Float(old), Value::Float(new)));
            }
            sides.all_rows()
        },
    );
}

#[test]
fn one_that_panics() {
    check(
        Law::NeverPanics,
        |sides: &Sides<'_>, found: &mut dyn Found| {
            sides.positions(Side::New, &["amount"]).unwrap();
            good(sides, found)
        },
    );
}

#[test]
#[should_panic(expected = "FindsTheSample: it found nothing between the two tables")]
fn a_broken_law_fails_the_test() {
    require(
        &|sides: &Sides<'_>, _: &mut dyn Found| sides.all_rows(),
        &sample(),
    );
}
