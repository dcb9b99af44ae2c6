//! The part of the customers that a run is for.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::customer::Customer;
use crate::run_date::RunDate;
use crate::spec::{Slice, Spec};

/// A slice with its customers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SliceOf {
    /// Its name.
    pub name: String,
    /// Who is in it.
    pub members: Members,
}

/// Some customers, named or by those who are left out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Members {
    /// These.
    These(BTreeSet<Customer>),
    /// All but these; rows without a customer belong here.
    AllBut(BTreeSet<Customer>),
}

impl Members {
    /// Whether a customer is among them.
    #[must_use]
    pub fn has(&self, customer: &Customer) -> bool {
        match self {
            Self::These(customers) => customers.contains(customer),
            Self::AllBut(customers) => !customers.contains(customer),
        }
    }
}

/// The slice of that name, with its customers; `None` where the pipeline has none of that name.
#[must_use]
pub fn slice_of(spec: &Spec, name: &str) -> Option<SliceOf> {
    let members = match spec.slices.get(name)? {
        Slice::Customers(customers) => Members::These(customers.clone()),
        Slice::Others => Members::AllBut(named_customers(spec)),
    };
    Some(SliceOf {
        name: name.to_owned(),
        members,
    })
}

fn named_customers(spec: &Spec) -> BTreeSet<Customer> {
    let named = spec.slices.values().filter_map(|slice| match slice {
        Slice::Customers(customers) => Some(customers),
        Slice::Others => None,
    });
    named.flatten().cloned().collect()
}

/// The part of a path that says when and for whom: `date=2026-03-01`, and `/slice=emea` where there is a slice.
#[must_use]
pub fn when_part(date: RunDate, slice: Option<&SliceOf>) -> String {
    match slice {
        None => format!("date={date}"),
        Some(slice) => format!("date={date}/slice={}", slice.name),
    }
}
