//! Whose rows they are.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Mutex;

use arrow::array::{Array, ArrayRef};
use understudy_core::customer::Customer;
use understudy_core::value::Value;
use understudy_tables::{TableError, value_at};

use crate::align::domain::pair_types;
use crate::both::{Both, Side};
use crate::digest::cell_digests;
use crate::means::Means;
use crate::scan::PassError;
use crate::setting::Setting;

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

type ByDigest<T> = HashMap<u128, T, BuildHasherDefault<DigestHasher>>;

/// The digest of everybody, where nothing else has one.
const EVERYBODY: u128 = 0;
/// What a customer takes of the memory beside its name: its entries in the tables here, of every thread and of the
/// findings.
const CUSTOMER_BYTES: u64 = 250;
const THREAD_BYTES: u64 = 80;

/// The customers that were seen, by digest. The text of a customer is made once, not for every row.
#[derive(Debug)]
pub(crate) struct Registry<'a> {
    means: &'a Means,
    /// What is added to a digest of a side, so that equal digests stand for equal customers.
    tags: Both<u128>,
    names: Mutex<ByDigest<Customer>>,
}

impl<'a> Registry<'a> {
    pub(crate) fn new(setting: Setting<'a>) -> Self {
        Self {
            means: setting.means,
            tags: tags(setting),
            names: Mutex::default(),
        }
    }

    /// The digests of the customers of so many rows.
    fn digests(
        &self,
        side: Side,
        column: Option<&ArrayRef>,
        rows: usize,
        digests: &mut Vec<u128>,
    ) -> Result<(), TableError> {
        digests.clear();
        let Some(column) = column else {
            digests.resize(rows, EVERYBODY);
            return Ok(());
        };
        match pair_types(column.data_type(), column.data_type()) {
            Some((domain, _)) => digests.extend(cell_digests(&domain, column)),
            None => digests.extend(text_digests(column)?),
        }
        let tag = *self.tags.get(side);
        digests
            .iter_mut()
            .for_each(|digest| *digest = digest.wrapping_add(tag));
        Ok(())
    }

    fn add(&self, digest: u128, customer: Customer) -> Result<(), PassError> {
        let mut names = self.names.lock().expect("no thread panics with the names");
        if names.contains_key(&digest) {
            return Ok(());
        }
        let name_bytes = match &customer {
            Customer::Named(name) => name.len() as u64,
            Customer::Null | Customer::Everybody => 0,
        };
        let bytes = CUSTOMER_BYTES + THREAD_BYTES * self.means.threads as u64 + 3 * name_bytes;
        if !self.means.customers.take(bytes) && !names.is_empty() {
            return Err(PassError::TooManyCustomers(names.len()));
        }
        names.insert(digest, customer);
        Ok(())
    }
}

/// Integers of two widths have the same digests and the same names. Dates and integers have the same digests too, and
/// other names.
fn tags(setting: Setting<'_>) -> Both<u128> {
    let domain = |side: Side| {
        let schema = setting.alignment.schemas.get(side);
        let customer = setting.alignment.customer.as_ref()?;
        let data_type = schema.field(*customer.get(side)).data_type();
        pair_types(data_type, data_type).map(|(domain, _)| domain)
    };
    let is_alike = domain(Side::Old) == domain(Side::New);
    Both {
        old: 0,
        new: u128::from(!is_alike),
    }
}

/// The rows that customers have on both sides, as one thread counts them.
#[derive(Debug)]
pub(crate) struct CustomerCount<'r> {
    registry: &'r Registry<'r>,
    rows: ByDigest<Both<u64>>,
    digests: Vec<u128>,
}

impl<'r> CustomerCount<'r> {
    pub(crate) fn new(registry: &'r Registry<'r>) -> Self {
        Self {
            registry,
            rows: HashMap::default(),
            digests: Vec::new(),
        }
    }

    /// Counts a batch of so many rows, with its customer column if there is one.
    pub(crate) fn add(
        &mut self,
        side: Side,
        column: Option<&ArrayRef>,
        rows: usize,
    ) -> Result<(), PassError> {
        if column.is_none() {
            return self.add_everybody(side, rows);
        }
        let digests = &mut self.digests;
        self.registry.digests(side, column, rows, digests)?;
        for (row, digest) in digests.iter().enumerate() {
            match self.rows.get_mut(digest) {
                Some(rows) => *rows.get_mut(side) += 1,
                None => {
                    self.registry.add(*digest, customer_at(column, row)?)?;
                    *self.rows.entry(*digest).or_default().get_mut(side) += 1;
                }
            }
        }
        Ok(())
    }

    fn add_everybody(&mut self, side: Side, rows: usize) -> Result<(), PassError> {
        if rows > 0 {
            self.registry.add(EVERYBODY, Customer::Everybody)?;
            *self.rows.entry(EVERYBODY).or_default().get_mut(side) += rows as u64;
        }
        Ok(())
    }

    /// Adds what another thread counted.
    pub(crate) fn merge(&mut self, other: Self) {
        for (digest, more) in other.rows {
            let rows = self.rows.entry(digest).or_default();
            rows.old += more.old;
            rows.new += more.new;
        }
    }

    /// Each customer with its rows. One can come several times.
    pub(crate) fn counts(&self) -> Vec<(Customer, Both<u64>)> {
        let names = self.registry.names.lock();
        let names = names.expect("no thread panics with the names");
        let rows = self.rows.iter();
        rows.map(|(digest, rows)| (names[digest].clone(), *rows))
            .collect()
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
#[derive(Debug)]
pub(crate) struct Customers<'r> {
    pub(crate) all: Vec<Customer>,
    registry: &'r Registry<'r>,
    numbers: ByDigest<u32>,
}

impl<'r> Customers<'r> {
    /// Numbers all customers that were seen.
    pub(crate) fn of(registry: &'r Registry<'r>) -> Self {
        let names = registry.names.lock();
        let names = names.expect("no thread panics with the names");
        let mut known: HashMap<&Customer, u32> = HashMap::new();
        let mut all = Vec::new();
        let mut number = |customer| {
            *known.entry(customer).or_insert_with(|| {
                all.push(customer.clone());
                u32::try_from(all.len() - 1).expect("there is no memory for so many customers")
            })
        };
        let numbers = names
            .iter()
            .map(|(digest, customer)| (*digest, number(customer)));
        let numbers = numbers.collect();
        Self {
            all,
            registry,
            numbers,
        }
    }

    /// Writes the number of the customer of each of so many rows of a side.
    pub(crate) fn numbers(
        &self,
        side: Side,
        column: Option<&ArrayRef>,
        rows: usize,
        numbers: &mut Vec<u32>,
    ) -> Result<(), PassError> {
        let mut digests = Vec::new();
        self.registry.digests(side, column, rows, &mut digests)?;
        numbers.clear();
        for digest in digests {
            let number = self.numbers.get(&digest);
            numbers.push(*number.ok_or(PassError::Changed)?);
        }
        Ok(())
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
