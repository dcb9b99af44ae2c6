//! Each law, held against a sample.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use understudy_core::customer::Customer;

use super::tables::{
    Tables, of_other_customers, owners, rows, turned, with_nans, with_nulls, without,
};
use super::{Answer, Asked, Broken, Law, Sample, ask};
use crate::comparator::Comparator;

/// How many times the sample is repeated, each time with other customers.
const COPIES: usize = 150;

/// Everything that is broken; a law may stand there several times.
pub(super) fn all(comparator: &dyn Comparator, sample: &Sample) -> Vec<Broken> {
    let mut held = Held {
        comparator,
        sample,
        broken: Vec::new(),
    };
    let Some(found) = held.finds_the_sample() else {
        return held.broken;
    };
    held.itself_is_equal();
    held.nothing_else_means_anything(&found);
    held.emptiness_is_seen();
    for column in &sample.reads {
        held.missing_values_are_seen(column);
    }
    held.all_are_counted(&found);
    held.customers(&found);
    held.broken
}

struct Held<'a> {
    comparator: &'a dyn Comparator,
    sample: &'a Sample,
    broken: Vec<Broken>,
}

impl Held<'_> {
    fn breaks(&mut self, law: Law, how: impl Into<String>) {
        self.broken.push(Broken {
            law,
            how: how.into(),
        });
    }

    /// An answer; what is none is told, where an answer is due.
    fn ask(&mut self, tables: &Tables) -> Asked {
        let asked = ask(self.comparator, tables);
        if matches!(asked, Asked::Panicked) {
            self.breaks(Law::NeverPanics, "it panicked");
        }
        asked
    }

    fn answer(&mut self, law: Law, tables: &Tables) -> Option<Answer> {
        match self.ask(tables) {
            Asked::Answered(answer) => Some(answer),
            Asked::Panicked => None,
            Asked::Refused(error) => {
                self.breaks(law, format!("it could not compare: {error}"));
                None
            }
        }
    }

    fn between(&self, old: RecordBatch, new: RecordBatch) -> Tables {
        Tables::between(self.sample, old, new)
    }

    fn finds_the_sample(&mut self) -> Option<Answer> {
        let found = self.answer(Law::FindsTheSample, &Tables::of(self.sample))?;
        if found.findings.is_empty() {
            self.breaks(
                Law::FindsTheSample,
                "it found nothing between the two tables",
            );
            return None;
        }
        Some(found)
    }

    fn itself_is_equal(&mut self) {
        for table in [&self.sample.old, &self.sample.new] {
            let tables = self.between(table.clone(), table.clone());
            let Some(answer) = self.answer(Law::ItselfIsEqual, &tables) else {
                continue;
            };
            if let Some(finding) = answer.findings.first() {
                self.breaks(Law::ItselfIsEqual, format!("it found {finding:?}"));
            } else if !answer.is_good() {
                let how = format!(
                    "it looked at {} things, and did not compare {:?}",
                    answer.looked_at, answer.not_compared
                );
                self.breaks(Law::ItselfIsEqual, how);
            }
        }
    }

    fn nothing_else_means_anything(&mut self, found: &Answer) {
        let tables = Tables::of(self.sample);
        let turned = self.between(turned(&self.sample.old), turned(&self.sample.new));
        let variants = [
            (Law::OrderMeansNothing, turned),
            (Law::CutsMeanNothing, tables.cut()),
            (Law::AnswersTheSameAgain, tables),
        ];
        for (law, tables) in variants {
            let Some(answer) = self.answer(law, &tables) else {
                continue;
            };
            let is_same = match law {
                Law::AnswersTheSameAgain => answer.findings == found.findings,
                _ => answer.sorted() == found.sorted(),
            };
            if !is_same || answer.looked_at != found.looked_at {
                let how = format!(
                    "it found {:?} and then {:?}",
                    found.sorted(),
                    answer.sorted()
                );
                self.breaks(law, how);
            }
        }
    }

    fn emptiness_is_seen(&mut self) {
        let (old, new) = (&self.sample.old, &self.sample.new);
        let empty = |batch: &RecordBatch| batch.slice(0, 0);
        let variants = [
            (Law::EmptyIsNotEqual, empty(old), empty(new)),
            (Law::OneEmptySideIsSeen, old.clone(), empty(new)),
            (Law::OneEmptySideIsSeen, empty(old), new.clone()),
        ];
        for (law, old, new) in variants {
            let tables = self.between(old, new);
            if self.ask(&tables).is_silently_good() {
                self.breaks(law, "it said that all is well");
            }
        }
    }

    fn missing_values_are_seen(&mut self, column: &str) {
        let old = self.sample.old.clone();
        let mut variants = vec![
            (Law::MissingColumnIsSeen, old.clone(), without(&old, column)),
            (
                Law::MissingColumnIsSeen,
                without(&old, column),
                without(&old, column),
            ),
            (Law::NullIsSeen, old.clone(), with_nulls(&old, column)),
            (Law::NullIsSeen, with_nulls(&old, column), old.clone()),
        ];
        if let Some(nans) = with_nans(&old, column) {
            variants.push((Law::NanIsSeen, old, nans.clone()));
            variants.push((Law::NanIsSeen, nans.clone(), nans));
        }
        for (law, old, new) in variants {
            let tables = self.between(old, new);
            if self.ask(&tables).is_silently_good() {
                self.breaks(law, format!("it said that all is well, without `{column}`"));
            }
        }
    }

    /// So many times the customers have so many times the findings.
    fn all_are_counted(&mut self, found: &Answer) {
        let Some(customer) = &self.sample.customer else {
            return;
        };
        let owned = found.findings.iter();
        let owned = owned.filter(|finding| matches!(finding.customer, Some(Customer::Named(_))));
        let owned = owned.count();
        let copied = |batch| of_other_customers(batch, customer, COPIES);
        let (Some(old), Some(new)) = (copied(&self.sample.old), copied(&self.sample.new)) else {
            return;
        };
        let tables = self.between(old, new);
        let Some(answer) = self.answer(Law::AllAreCounted, &tables) else {
            return;
        };
        let again = answer.findings.iter();
        let again = again.filter(|finding| matches!(finding.customer, Some(Customer::Named(_))));
        let again = again.count();
        if again != owned * COPIES {
            let how = format!("{owned} findings of customers, {COPIES} times, are {again}");
            self.breaks(Law::AllAreCounted, how);
        }
    }

    fn customers(&mut self, found: &Answer) {
        let sample = self.sample;
        let Some(customer) = &sample.customer else {
            let owned = found
                .findings
                .iter()
                .find_map(|finding| finding.customer.clone());
            if let Some(owner) = owned.filter(|owner| *owner != Customer::Everybody) {
                let how = format!("a finding is of {owner}, and the tables have no customers");
                self.breaks(Law::CustomersAreReal, how);
            }
            return;
        };
        let (old, new) = (owners(&sample.old, customer), owners(&sample.new, customer));
        let known: BTreeSet<&Customer> = old.iter().chain(&new).collect();
        let named = found.findings.iter();
        let mut named = named.filter_map(|finding| finding.customer.as_ref());
        let stranger = named.find(|owner| !known.contains(owner)).cloned();
        if let Some(stranger) = stranger {
            let how = format!("a finding is of {stranger}, whom neither table has");
            self.breaks(Law::CustomersAreReal, how);
        }
        for gone in known {
            let kept = |owners: &[Customer]| {
                let rows = owners.iter().enumerate();
                let kept = rows.filter(|(_, owner)| *owner != gone);
                kept.map(|(row, _)| row).collect::<Vec<usize>>()
            };
            let new = rows(&sample.new, kept(&new).into_iter());
            if new.num_rows() > 0 {
                let tables = self.between(sample.old.clone(), new);
                self.stays_apart(gone, &tables, found);
            }
        }
    }

    /// The findings of the others are those that they had.
    fn stays_apart(&mut self, gone: &Customer, tables: &Tables, found: &Answer) {
        let Some(answer) = self.answer(Law::CustomersAreApart, tables) else {
            return;
        };
        let of_others = |answer: &Answer| {
            let findings = answer.findings.iter();
            let others = findings.filter(|finding| {
                let owner = finding.customer.as_ref();
                owner.is_some_and(|owner| owner != gone)
            });
            let mut others: Vec<String> = others.map(|finding| format!("{finding:?}")).collect();
            others.sort();
            others
        };
        let (before, after) = (of_others(found), of_others(&answer));
        if before != after {
            let how =
                format!("without {gone} on the new side, others had {before:?} and have {after:?}");
            self.breaks(Law::CustomersAreApart, how);
        }
    }
}
