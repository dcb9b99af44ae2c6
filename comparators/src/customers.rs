//! Whose rows they are.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{Array, ArrayRef};
use understudy_core::customer::Customer;
use understudy_core::value::Value;
use understudy_tables::{TableError, value_at};

use crate::align::domain::pair_types;
use crate::digest::cell_digests;

/// The customer that a row belongs to; everybody's where there is no customer column.
pub(crate) fn customer_at(column: Option<&ArrayRef>, row: usize) -> Result<Customer, TableError> {
    let Some(column) = column else {
        return Ok(Customer::Everybody);
    };
    Ok(customer_of(&value_at(column.as_ref(), row)?))
}

fn customer_of(value: &Value) -> Customer {
    // Both zeros are one value, so they must be one customer.
    let text = if value.same(&Value::Float(0.0)) && !matches!(value, Value::Decimal(_)) {
        zero_text(value)
    } else {
        value.render()
    };
    text.map_or(Customer::Null, Customer::Named)
}

fn zero_text(value: &Value) -> Option<String> {
    match value {
        Value::Float(_) => Value::Float(0.0).render(),
        Value::Float32(_) => Value::Float32(0.0).render(),
        other => other.render(),
    }
}

/// Counts the rows of every customer of a side. The text of a customer is made once, not for every row.
#[derive(Debug, Default)]
pub(crate) struct CustomerCount {
    everybody: u64,
    by_digest: HashMap<u128, (Customer, u64)>,
    by_text: BTreeMap<Customer, u64>,
}

impl CustomerCount {
    /// Counts a batch of so many rows, with its customer column if there is one.
    pub(crate) fn add(&mut self, column: Option<&ArrayRef>, rows: usize) -> Result<(), TableError> {
        let Some(column) = column else {
            self.everybody += rows as u64;
            return Ok(());
        };
        match pair_types(column.data_type(), column.data_type()) {
            Some((domain, _)) => self.add_digests(column, &cell_digests(&domain, column)),
            None => self.add_texts(column),
        }
    }

    fn add_digests(&mut self, column: &ArrayRef, digests: &[u128]) -> Result<(), TableError> {
        for (row, digest) in digests.iter().enumerate() {
            if let Some((_, count)) = self.by_digest.get_mut(digest) {
                *count += 1;
            } else {
                self.by_digest
                    .insert(*digest, (customer_at(Some(column), row)?, 1));
            }
        }
        Ok(())
    }

    fn add_texts(&mut self, column: &ArrayRef) -> Result<(), TableError> {
        for row in 0..column.len() {
            *self
                .by_text
                .entry(customer_at(Some(column), row)?)
                .or_default() += 1;
        }
        Ok(())
    }

    /// The rows of each customer.
    pub(crate) fn finish(self) -> BTreeMap<Customer, u64> {
        let mut counts = self.by_text;
        if self.everybody > 0 {
            counts.insert(Customer::Everybody, self.everybody);
        }
        for (customer, count) in self.by_digest.into_values() {
            *counts.entry(customer).or_default() += count;
        }
        counts
    }
}
