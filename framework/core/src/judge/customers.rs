//! What is worth knowing of the customers in two tables, and of those that rules name.

use std::collections::{BTreeMap, BTreeSet};

use crate::comparison::CustomerCounts;
use crate::customer::{Customer, listed};
use crate::rule::Rule;
use crate::spec::nearest::nearest;

/// The customers of a rule that a note names one by one.
const MAX_LACKING: usize = 5;
/// The groups of lookalikes that are told.
const MAX_LOOKALIKES: usize = 10;

/// Notes on the customers of a comparison: those without a name, on one side only, that differ only by case or
/// blanks, and those that rules name and neither table has.
#[must_use]
pub fn notes(rules: &[Rule], customers: &BTreeMap<Customer, CustomerCounts>) -> Vec<String> {
    let there: BTreeMap<&Customer, &CustomerCounts> = customers
        .iter()
        .filter(|(_, counts)| counts.old > 0 || counts.new > 0)
        .collect();
    if there.is_empty() {
        return Vec::new();
    }
    let mut notes = Vec::new();
    notes.extend(nameless(&there));
    notes.extend(one_sided(&there));
    notes.extend(lookalikes(&there));
    notes.extend(lacking(rules, &there));
    notes
}

type There<'a> = BTreeMap<&'a Customer, &'a CustomerCounts>;

fn nameless(there: &There<'_>) -> Option<String> {
    let counts = there.get(&Customer::Null)?;
    Some(format!(
        "rows without a customer (NULL): {} old, {} new; no rule that names customers selects them",
        counts.old, counts.new
    ))
}

fn one_sided(there: &There<'_>) -> Vec<String> {
    let only = |is_other_empty: fn(&CustomerCounts) -> bool, side: &str| {
        let lonely: Vec<&Customer> = there
            .iter()
            .filter(|(customer, counts)| {
                matches!(customer, Customer::Named(_)) && is_other_empty(counts)
            })
            .map(|(customer, _)| *customer)
            .collect();
        let verb = if lonely.len() == 1 { "has" } else { "have" };
        (!lonely.is_empty())
            .then(|| format!("{} {verb} rows in the {side} table only", listed(&lonely)))
    };
    let notes = [
        only(|counts| counts.new == 0, "old"),
        only(|counts| counts.old == 0, "new"),
    ];
    notes.into_iter().flatten().collect()
}

/// Customers whose names are the same but for case and blanks are mostly one customer, written in two ways.
fn lookalikes(there: &There<'_>) -> Vec<String> {
    let mut alike: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for customer in there.keys() {
        if let Customer::Named(name) = customer {
            alike.entry(squeezed(name)).or_default().push(name);
        }
    }
    let mut several = alike.into_values().filter(|names| names.len() > 1);
    let mut notes: Vec<String> = several
        .by_ref()
        .take(MAX_LOOKALIKES)
        .map(|names| {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            format!(
                "customers that differ only by case or blanks: {}",
                names.join(", ")
            )
        })
        .collect();
    match several.count() {
        0 => {}
        more => notes.push(format!(
            "{more} more groups of customers differ only by case or blanks"
        )),
    }
    notes
}

/// Without blanks, in small letters.
fn squeezed(name: &str) -> String {
    let letters = name.chars().filter(|letter| !letter.is_whitespace());
    letters.flat_map(char::to_lowercase).collect()
}

/// A customer that a rule names and nobody has rows of is a slip of the pen, or gone.
fn lacking(rules: &[Rule], there: &There<'_>) -> Vec<String> {
    let known: BTreeSet<&str> = there
        .keys()
        .filter_map(|customer| match customer {
            Customer::Named(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    let names: Vec<&str> = known.iter().copied().collect();
    let alike: BTreeMap<String, &str> = names.iter().map(|name| (squeezed(name), *name)).collect();
    let asked = rules.iter().filter(|rule| rule.customer_query.is_none());
    asked
        .filter_map(|rule| {
            let lacking: Vec<&String> = rule
                .customers
                .iter()
                .flatten()
                .filter(|name| !known.contains(name.as_str()))
                .collect();
            let told: Vec<String> = lacking
                .iter()
                .take(MAX_LACKING)
                .map(|name| {
                    let near = alike.get(&squeezed(name)).copied();
                    match near.or_else(|| nearest(name, &names)) {
                        Some(near) => format!("`{name}` (did you mean `{near}`?)"),
                        None => format!("`{name}`"),
                    }
                })
                .collect();
            let more = match lacking.len().saturating_sub(MAX_LACKING) {
                0 => String::new(),
                more => format!(" and {more} others"),
            };
            (!told.is_empty()).then(|| {
                format!(
                    "rule \"{}\" names customers that neither table has: {}{more}",
                    rule.name,
                    told.join(", ")
                )
            })
        })
        .collect()
}

/// The customers that have rows, that some rule says must change, and that did not.
#[must_use]
pub fn unmet(
    rule: &Rule,
    changed: &BTreeSet<Customer>,
    customers: &BTreeMap<Customer, CustomerCounts>,
) -> BTreeSet<Customer> {
    let there = customers
        .iter()
        .filter(|(_, counts)| counts.old > 0 || counts.new > 0);
    there
        .map(|(customer, _)| customer)
        .filter(|customer| rule.must_change && rule.names(customer) && !changed.contains(*customer))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::Allowance;

    fn counts(old: u64, new: u64) -> CustomerCounts {
        CustomerCounts {
            old,
            new,
            ..CustomerCounts::default()
        }
    }

    fn there(customers: &[(&str, u64, u64)]) -> BTreeMap<Customer, CustomerCounts> {
        let customers = customers.iter();
        customers
            .map(|(name, old, new)| (Customer::from_label(name), counts(*old, *new)))
            .collect()
    }

    fn naming(names: &[&str]) -> Rule {
        let names = names.iter().map(|name| (*name).to_owned());
        Rule {
            customers: Some(names.collect()),
            ..Rule::new("few", Allowance::Any)
        }
    }

    #[test]
    fn one_lane_or_ordinary_customers_have_no_notes() {
        assert!(notes(&[], &there(&[("*", 3, 2)])).is_empty());
        assert!(notes(&[naming(&["AS"])], &there(&[("AS", 1, 1), ("VX", 2, 1)])).is_empty());
        assert!(notes(&[naming(&["AS"])], &there(&[])).is_empty());
    }

    #[test]
    fn what_is_odd_about_customers_is_told() {
        let customers = there(&[
            ("*null*", 1, 0),
            ("AS", 1, 1),
            ("as ", 1, 1),
            ("B6", 0, 2),
            ("VX", 2, 0),
        ]);
        let told = notes(&[naming(&["A S", "BB", "VX", "ZZTOP"])], &customers);
        assert_eq!(
            told,
            [
                "rows without a customer (NULL): 1 old, 0 new; no rule that names customers selects them",
                "VX has rows in the old table only",
                "B6 has rows in the new table only",
                "customers that differ only by case or blanks: `AS`, `as `",
                "rule \"few\" names customers that neither table has: `A S` (did you mean `as `?), `BB` (did you mean `B6`?), `ZZTOP`",
            ]
        );
    }

    #[test]
    fn those_who_must_change_have_rows_and_did_not() {
        let customers = there(&[("AS", 1, 1), ("VX", 1, 0), ("*null*", 1, 1)]);
        let must = Rule {
            must_change: true,
            ..naming(&["AS", "VX", "nobody"])
        };
        let changed = [Customer::from_label("VX")].into();
        assert_eq!(
            unmet(&must, &changed, &customers),
            [Customer::from_label("AS")].into()
        );
        let everybody = Rule {
            customers: None,
            ..must.clone()
        };
        assert_eq!(unmet(&everybody, &changed, &customers).len(), 2);
        let ordinary = naming(&["AS"]);
        assert!(unmet(&ordinary, &changed, &customers).is_empty());
    }
}
