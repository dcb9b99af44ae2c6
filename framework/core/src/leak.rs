//! Leaks: what customers who get old rows see of a flip of others, in tasks that only stand downstream.
//!
//! A rank, or a share of a total, moves for everybody when one customer's value does. It is no evidence for or against
//! the new version: those customers were never flipped, and somebody has to know that they get other rows all the same.

use serde::{Deserialize, Serialize};

use crate::comparison::Comparison;
use crate::customer::{Customer, listed};
use crate::rollout::Assembly;
use crate::world::Side;

/// The customers of a leak that are kept by name.
pub const MAX_EXAMPLES: usize = 5;

/// What leaks into one task.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Leak {
    /// How many customers who get old rows have other ones than without the flip; `None` where the task has no
    /// customer column, so that nobody can tell whose the rows are.
    pub customers: Option<u64>,
    /// How many rows of theirs are others.
    pub rows: u64,
    /// Some of these customers, those with the most rows first; at most [`MAX_EXAMPLES`].
    pub examples: Vec<LeakExample>,
    /// Who gets new rows, for people: `AS and VX get NEW`.
    pub because: String,
}

/// One customer whom a leak reaches.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LeakExample {
    /// The customer.
    pub customer: Customer,
    /// How many of their rows are others.
    pub rows: u64,
}

/// What leaks, by a comparison of the old world's rows with those that are published; `None` if nothing does.
///
/// # Errors
/// Why that cannot be said.
pub fn leak(found: &Comparison, assembly: &Assembly) -> Result<Option<Leak>, String> {
    if assembly.sides().all(|side| side == Side::Old) {
        return Ok(None);
    }
    let mut reached: Vec<LeakExample> = found
        .customers
        .iter()
        .filter(|(customer, counts)| counts.unexpected > 0 && gets_old(customer, assembly))
        .map(|(customer, counts)| LeakExample {
            customer: customer.clone(),
            rows: counts.unexpected,
        })
        .collect();
    if reached.is_empty() {
        return match unclear(found) {
            Some(reason) => Err(reason),
            None => Ok(None),
        };
    }
    reached.sort_by(|a, b| {
        b.rows
            .cmp(&a.rows)
            .then_with(|| a.customer.cmp(&b.customer))
    });
    let by_customer = reached[0].customer != Customer::Everybody;
    let leak = Leak {
        customers: by_customer.then_some(reached.len() as u64),
        rows: reached.iter().map(|one| one.rows).sum(),
        because: because(assembly),
        examples: if by_customer {
            reached.into_iter().take(MAX_EXAMPLES).collect()
        } else {
            Vec::new()
        },
    };
    Ok(Some(leak))
}

/// Where nobody knows whose the rows are, some of them may be of customers who get old ones.
fn gets_old(customer: &Customer, assembly: &Assembly) -> bool {
    *customer == Customer::Everybody || assembly.side(customer) == Side::Old
}

/// Why rows that are equal as far as they were compared may not be.
fn unclear(found: &Comparison) -> Option<String> {
    let column = found.not_compared.first();
    let column = column.map(|column| {
        format!(
            "column `{}` was not compared: {}",
            column.column, column.reason
        )
    });
    let mut schema = found.schema.iter();
    let other = schema.find(|difference| difference.rule.is_none());
    let other = other.map(|difference| {
        let kind = difference.kind.name().replace('_', " ");
        format!("{kind}: `{}`", difference.column)
    });
    column.or(other)
}

fn because(assembly: &Assembly) -> String {
    let lanes = |side: Side| -> Vec<&Customer> {
        let own = assembly.lanes.iter().filter(move |(_, own)| **own == side);
        own.map(|(customer, _)| customer).collect()
    };
    if assembly.unlisted == Side::New {
        return match listed(&lanes(Side::Old)) {
            but if but.is_empty() => "everybody gets NEW".to_owned(),
            but => format!("everybody but {but} gets NEW"),
        };
    }
    let new = lanes(Side::New);
    let verb = if new.len() == 1 { "gets" } else { "get" };
    format!("{} {verb} NEW", listed(&new))
}

impl Leak {
    /// The sentence about it that an alert is.
    #[must_use]
    pub fn text(&self, task: &str) -> String {
        let because = &self.because;
        let Some(customers) = self.customers else {
            let rows = counted(self.rows, "row differs", "rows differ");
            return format!(
                "leak in `{task}`: {rows} from what there would be without the flip, because {because}; the task has no customer column, so that nobody can tell whose they are"
            );
        };
        let who = counted(
            customers,
            "customer who gets OLD has",
            "customers who get OLD have",
        );
        format!(
            "leak in `{task}`: {who} other rows than without the flip ({}), because {because}",
            self.reached()
        )
    }

    /// Whom it reaches, each with how many rows: `AA 1 row, B6 2 rows and 10 others`.
    #[must_use]
    pub fn reached(&self) -> String {
        let named = self.examples.iter().map(|one| {
            let rows = counted(one.rows, "row", "rows");
            format!("{} {rows}", one.customer.label())
        });
        let named: Vec<String> = named.collect();
        let all = self.customers.unwrap_or_default();
        match all.saturating_sub(named.len() as u64) {
            0 => named.join(", "),
            more => format!(
                "{} and {}",
                named.join(", "),
                counted(more, "other", "others")
            ),
        }
    }
}

fn counted(number: u64, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    }
}

#[cfg(test)]
mod tests;
