//! Customers and lanes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whose row it is: the text of the customer column, or nobody where it is NULL.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Customer {
    /// The task has no customer column: the change has the one lane `*`.
    Everybody,
    /// The customer column is NULL.
    Null,
    /// The customer column's value, as text.
    Named(String),
}

impl Customer {
    const EVERYBODY: &'static str = "*";
    const NULL: &'static str = "*null*";

    /// A form that is unique for every customer and readable: `*` for everybody, `*null*` for NULL,
    /// else the text itself, with a backslash before a leading `*` or backslash.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Everybody => Self::EVERYBODY.to_owned(),
            Self::Null => Self::NULL.to_owned(),
            Self::Named(name) if name.starts_with(['*', '\\']) => format!("\\{name}"),
            Self::Named(name) => name.clone(),
        }
    }

    /// The customer that a label stands for.
    #[must_use]
    pub fn from_label(label: &str) -> Self {
        match label {
            Self::EVERYBODY => Self::Everybody,
            Self::NULL => Self::Null,
            _ => Self::Named(label.strip_prefix('\\').unwrap_or(label).to_owned()),
        }
    }
}

/// The customers that a sentence names one by one.
const MAX_LISTED: usize = 5;

/// Customers as a sentence has them: `AS, B6 and VX`, of many the first ones and how many more.
#[must_use]
pub fn listed(customers: &[&Customer]) -> String {
    let names = |some: &[&Customer]| {
        let labels: Vec<String> = some.iter().map(|customer| customer.label()).collect();
        labels.join(", ")
    };
    match customers {
        [] => String::new(),
        [one] => one.label(),
        [first @ .., last] if customers.len() <= MAX_LISTED => {
            format!("{} and {last}", names(first))
        }
        many => {
            let (first, more) = many.split_at(MAX_LISTED - 1);
            format!("{} and {} others", names(first), more.len())
        }
    }
}

impl fmt::Display for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label())
    }
}

impl Serialize for Customer {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.label())
    }
}

impl<'de> Deserialize<'de> for Customer {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_label(&String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_unique_and_come_back() {
        let customers = [
            Customer::Everybody,
            Customer::Null,
            Customer::Named("*".into()),
            Customer::Named("*null*".into()),
            Customer::Named("\\*".into()),
            Customer::Named(String::new()),
            Customer::Named("AS".into()),
        ];
        let labels: std::collections::BTreeSet<_> = customers.iter().map(Customer::label).collect();
        assert_eq!(labels.len(), customers.len());
        for customer in customers {
            assert_eq!(Customer::from_label(&customer.label()), customer);
        }
    }

    #[test]
    fn a_sentence_names_a_few_and_counts_the_others() {
        let customers: Vec<Customer> = (0..14)
            .map(|n| Customer::from_label(&n.to_string()))
            .collect();
        let customers: Vec<&Customer> = customers.iter().collect();
        assert_eq!(listed(&customers[..1]), "0");
        assert_eq!(listed(&customers[..2]), "0 and 1");
        assert_eq!(listed(&customers[..5]), "0, 1, 2, 3 and 4");
        assert_eq!(listed(&customers), "0, 1, 2, 3 and 10 others");
    }
}
