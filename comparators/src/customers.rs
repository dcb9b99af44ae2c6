//! Whose rows they are.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use arrow::array::{Array, ArrayRef};
use understudy_core::customer::Customer;
use understudy_core::value::Value;
use understudy_tables::{TableError, value_at};

use crate::align::domain::pair_types;
use crate::both::Both;
use crate::digest::cell_digests;

/// The customer that a row belongs to; everybody's where there is no customer column.
pub(crate) fn customer_at(column: Option<&ArrayRef>, row: usize) -> Result<Customer, TableError> {
    let Some(column) = column else {
        return Ok(Customer::Everybody);
    };
    let text = match value_at(column.as_ref(), row)? {
        // Both zeros are one value, so they must be one customer.
        Value::Float(0.0) => Value::Float(0.0).render(),
        Value::Float32(0.0) => Value::Float32(0.0).render(),
        value => value.render(),
    };
    Ok(text.map_or(Customer::Null, Customer::Named))
}

/// The customers of a side with a number and a count each. The text of a customer is made once, not for every row.
#[derive(Debug, Default)]
pub(crate) struct CustomerCount {
    numbers: HashMap<u128, u32, BuildHasherDefault<DigestHasher>>,
    customers: Vec<Customer>,
    rows: Vec<u64>,
}

impl CustomerCount {
    /// Counts a batch of so many rows, with its customer column if there is one, and appends each row's customer's
    /// number.
    pub(crate) fn add(
        &mut self,
        column: Option<&ArrayRef>,
        rows: usize,
        numbers: &mut Vec<u32>,
    ) -> Result<(), TableError> {
        let Some(column) = column else {
            return self.add_everybody(rows, numbers);
        };
        let digests = match pair_types(column.data_type(), column.data_type()) {
            Some((domain, _)) => cell_digests(&domain, column),
            None => text_digests(column)?,
        };
        for (row, digest) in digests.into_iter().enumerate() {
            let number = match self.numbers.get(&digest) {
                Some(number) => *number,
                None => self.number(digest, customer_at(Some(column), row)?),
            };
            self.rows[number as usize] += 1;
            numbers.push(number);
        }
        Ok(())
    }

    fn add_everybody(&mut self, rows: usize, numbers: &mut Vec<u32>) -> Result<(), TableError> {
        if rows > 0 && self.customers.is_empty() {
            self.number(0, Customer::Everybody);
        }
        if let Some(count) = self.rows.first_mut() {
            *count += rows as u64;
        }
        numbers.resize(numbers.len() + rows, 0);
        Ok(())
    }

    fn number(&mut self, digest: u128, customer: Customer) -> u32 {
        let number =
            u32::try_from(self.customers.len()).expect("there is no memory for so many customers");
        self.numbers.insert(digest, number);
        self.customers.push(customer);
        self.rows.push(0);
        number
    }

    /// Each customer with its rows, by its number. A customer can have several numbers.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&Customer, u64)> {
        self.customers.iter().zip(self.rows.iter().copied())
    }
}

/// For a column whose values have no digest, that of their text.
fn text_digests(column: &ArrayRef) -> Result<Vec<u128>, TableError> {
    let text_digest = |row| {
        Ok(match customer_at(Some(column), row)? {
            Customer::Named(name) => xxhash_rust::xxh3::xxh3_128(name.as_bytes()),
            Customer::Null | Customer::Everybody => 0,
        })
    };
    (0..column.len()).map(text_digest).collect()
}

/// The customers of both sides under common numbers.
#[derive(Debug, Default)]
pub(crate) struct Customers {
    pub(crate) all: Vec<Customer>,
    /// The common number of each number of a side.
    common: Both<Vec<u32>>,
}

impl Customers {
    pub(crate) fn of(sides: &Both<CustomerCount>) -> Self {
        let mut numbers: HashMap<&Customer, u32> = HashMap::new();
        let mut common_of = |side| {
            let count: &CustomerCount = match side {
                crate::both::Side::Old => &sides.old,
                crate::both::Side::New => &sides.new,
            };
            let mut common = Vec::with_capacity(count.customers.len());
            for customer in &count.customers {
                let next =
                    u32::try_from(numbers.len()).expect("there is no memory for so many customers");
                common.push(*numbers.entry(customer).or_insert(next));
            }
            common
        };
        let common = Both {
            old: common_of(crate::both::Side::Old),
            new: common_of(crate::both::Side::New),
        };
        let mut all = vec![Customer::Everybody; numbers.len()];
        for (customer, number) in numbers {
            all[number as usize] = customer.clone();
        }
        Self { all, common }
    }

    /// The common numbers of the customers of an old and a new row, by the numbers of their sides.
    pub(crate) fn common(&self, numbers: Both<u32>) -> Both<u32> {
        Both {
            old: self.common.old[numbers.old as usize],
            new: self.common.new[numbers.new as usize],
        }
    }
}

/// A digest is a hash already.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_le_bytes(word);
        }
    }

    fn write_u128(&mut self, digest: u128) {
        self.0 = (digest ^ (digest >> 64)) as u64;
    }
}
