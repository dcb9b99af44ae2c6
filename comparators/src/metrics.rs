//! Figures of two tables, by group, each with a tolerance.
//!
//! - **count**: rows. **null_rate**: the share of rows in which a column is NULL. **distinct**: how many different
//!   values a column has, NULL not counted, by digests of 128 bits.
//! - **sum**, **mean**: of the values that are not NULL; NULL where there is none. Integers and decimals are summed up
//!   exactly. Floats are too, as binary fractions of any length, and the sum is rounded once: no order of rows changes it.
//! - **percentile**: definition 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages", The American
//!   Statistician 50 (1996), which is what spreadsheets and most libraries take: between two neighbours in proportion,
//!   exactly, floats by their shortest decimal forms.
//!
//! A NaN makes every sum, mean and percentile of its group NaN. NaN beside a number is a finding; on both sides it says
//! nothing, and is not compared. So is a figure without a value in any group on either side. NULL beside a value is a
//! finding, as is a group that stands on one side only.

mod exact;
mod figure;
mod floats;
mod gathered;
mod groups;
mod numbers;
mod percentiles;
mod sorter;

#[cfg(test)]
mod tests;

use understudy_core::check::{Measure, Metric, Metrics};
use understudy_core::customer::Customer;
use understudy_core::rule::{Bound, Within};
use understudy_core::value::Value;

use crate::both::Side;
use crate::comparator::{CheckError, Comparator, Finding, Found, Shows, Sides};

use figure::shown;
use gathered::Gathered;
use groups::{Group, Groups};

/// Compares figures.
#[derive(Clone, Debug)]
pub struct MetricsComparator {
    metrics: Metrics,
}

impl MetricsComparator {
    /// One for these figures.
    #[must_use]
    pub fn new(metrics: Metrics) -> Self {
        Self { metrics }
    }
}

impl Comparator for MetricsComparator {
    fn compare(&self, sides: &Sides<'_>, found: &mut dyn Found) -> Result<u64, CheckError> {
        sides.all_rows()?;
        let mut groups = Groups::new(sides, &self.metrics)?;
        let old = Gathered::read(sides, Side::Old, &self.metrics, &mut groups)?;
        let new = Gathered::read(sides, Side::New, &self.metrics, &mut groups)?;
        let mut judged = Judged {
            sides,
            metrics: &self.metrics,
            found,
            looked_at: 0,
            is_valued: vec![false; self.metrics.measure.len()],
        };
        for (number, group) in groups.in_order() {
            if let Some(side) = group
                .only_side()
                .filter(|_| !self.metrics.group_by.is_empty())
            {
                judged.one_sided(group, side);
                continue;
            }
            for (place, metric) in self.metrics.measure.iter().enumerate() {
                judged.figures(
                    group,
                    place,
                    metric,
                    [&old, &new].map(|side| side.figures(place, number, group)),
                );
            }
        }
        Ok(judged.finish())
    }
}

/// What becomes of figures.
struct Judged<'a, 's> {
    sides: &'a Sides<'s>,
    metrics: &'a Metrics,
    found: &'a mut dyn Found,
    looked_at: u64,
    /// Whether a figure had a value anywhere.
    is_valued: Vec<bool>,
}

impl Judged<'_, '_> {
    fn one_sided(&mut self, group: &Group, side: Side) {
        self.looked_at += 1;
        self.is_valued.fill(true);
        let [old, new] = group.rows.map(|rows| match rows {
            0 => Value::Null,
            rows => Value::Integer(rows.into()),
        });
        let what = format!("rows, which only the {side} table has,");
        let finding = Finding {
            shows: Shows::Counts,
            ..Finding::new(what).figures(old, new)
        };
        self.tell(group, finding);
    }

    fn figures(
        &mut self,
        group: &Group,
        place: usize,
        metric: &Metric,
        [old, new]: [Vec<Value>; 2],
    ) {
        for (number, (old, new)) in old.into_iter().zip(new).enumerate() {
            if matches!((&old, &new), (Value::Null, Value::Null)) {
                continue;
            }
            self.is_valued[place] = true;
            let what = name(&metric.measure, number);
            if is_nan(&old) && is_nan(&new) {
                let what = self.labelled(&what, group);
                self.found
                    .not_compared(format!("{what} is NaN on both sides"));
                continue;
            }
            self.looked_at += 1;
            if is_allowed(metric.within.as_ref(), &old, &new) {
                continue;
            }
            let [old, new] = shown(old, new);
            let finding = Finding {
                column: metric.measure.column().map(str::to_owned),
                shows: shows(&metric.measure),
                ..Finding::new(what).figures(old, new)
            };
            self.tell(group, finding);
        }
    }

    /// What the group is stands in the finding: whose it is, and its other values.
    fn tell(&mut self, group: &Group, mut finding: Finding) {
        let customer = self.sides.customer();
        for (column, value) in self.metrics.group_by.iter().zip(&group.values) {
            if Some(column.as_str()) == customer {
                finding.customer = Some(group.customer.clone().unwrap_or(Customer::Null));
            } else {
                finding.cells.push((column.clone(), value.clone()));
            }
        }
        self.found.finding(finding);
    }

    /// Without the group's values: this is no finding, and is not masked.
    fn labelled(&self, what: &str, group: &Group) -> String {
        match (&group.customer, self.metrics.group_by.as_slice()) {
            (Some(customer), [_]) => format!("{what} for {customer}"),
            (_, []) => what.to_owned(),
            _ => format!("{what} of a group"),
        }
    }

    fn finish(self) -> u64 {
        for (metric, is_valued) in self.metrics.measure.iter().zip(&self.is_valued) {
            if !is_valued {
                let what = name(&metric.measure, 0);
                self.found
                    .not_compared(format!("{what} has no value on either side"));
            }
        }
        self.looked_at
    }
}

/// A figure as people say it.
fn name(measure: &Measure, number: usize) -> String {
    match measure {
        Measure::Count => "count of rows".to_owned(),
        Measure::Sum(column) => format!("sum of {column}"),
        Measure::Mean(column) => format!("mean of {column}"),
        Measure::Percentile { column, at } => match at.get(number) {
            Some(at) => format!(
                "percentile {} of {column}",
                at.normalized().to_plain_string()
            ),
            None => format!("percentile of {column}"),
        },
        Measure::Distinct(column) => format!("distinct values of {column}"),
        Measure::NullRate(column) => format!("share of NULL in {column}"),
    }
}

fn shows(measure: &Measure) -> Shows {
    match measure {
        Measure::Count | Measure::Distinct(_) | Measure::NullRate(_) => Shows::Counts,
        Measure::Sum(_) | Measure::Mean(_) | Measure::Percentile { .. } => Shows::Values,
    }
}

fn is_nan(value: &Value) -> bool {
    matches!(value, Value::Float(float) if float.is_nan())
}

/// Whether a figure may move so far. Without a tolerance it may not move at all: but a float is the decimal that it is
/// written as, where the other side has decimals.
fn is_allowed(within: Option<&Within>, old: &Value, new: &Value) -> bool {
    if is_nan(old) || is_nan(new) {
        return false;
    }
    let nothing = Within {
        up: Bound::default(),
        down: Bound::default(),
    };
    old.same(new) || within.unwrap_or(&nothing).allows(old, new)
}
