//! Slices: sets of customers that are run by themselves.

use std::collections::{BTreeMap, BTreeSet};

use super::Reading;
use super::names::unique;
use super::rules::read_customers;
use crate::customer::Customer;
use crate::spec::model::Slice;
use crate::spec::problems::{Origin, quoted};
use crate::spec::yaml::{Key, Node};

/// Reads the slices. No customer is in two of them, and one at most takes the others.
pub(crate) fn read(root: &Node, reading: &mut Reading<'_, '_>) -> BTreeMap<String, Slice> {
    let mut slices = BTreeMap::new();
    let mut homes: BTreeMap<Customer, String> = BTreeMap::new();
    let mut folders = BTreeMap::new();
    for (key, node) in root.get("slices").map(unique).unwrap_or_default() {
        check_name(key, reading);
        check_twin(key, &mut folders, reading);
        let Some(slice) = read_slice(node, reading) else {
            continue;
        };
        if let Slice::Customers(customers) = &slice {
            check_apart(key, customers, &mut homes, reading);
        }
        slices.insert(key.text.clone(), slice);
    }
    check_others(root, reading);
    check_tasks(root, reading);
    slices
}

/// The name becomes a folder, and stands for `{slice}` in locations.
fn check_name(key: &Key, reading: &mut Reading<'_, '_>) {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if !key.text.bytes().all(is_plain) {
        let message = format!(
            "the slice {} has a name that cannot be a folder",
            quoted(&key.text)
        );
        let fix = "use letters, digits, `_` and `-`";
        reading
            .problems
            .push(key.mark, &Origin::Pipeline, message, fix);
    }
}

/// On some file systems `EMEA` and `emea` are one folder.
fn check_twin(key: &Key, folders: &mut BTreeMap<String, String>, reading: &mut Reading<'_, '_>) {
    let before = folders.insert(key.text.to_lowercase(), key.text.clone());
    if let Some(twin) = before.filter(|twin| *twin != key.text) {
        let message = format!(
            "the slices {} and {} would be one folder where letters are not told apart by case",
            quoted(&twin),
            quoted(&key.text)
        );
        reading
            .problems
            .push(key.mark, &Origin::Pipeline, message, "rename one of them");
    }
}

fn read_slice(node: &Node, reading: &mut Reading<'_, '_>) -> Option<Slice> {
    if node.get("others").is_some() {
        return Some(Slice::Others);
    }
    let customers = read_customers(node, &Origin::Pipeline, reading)?;
    Some(Slice::Customers(
        customers.iter().map(|name| named(name)).collect(),
    ))
}

fn named(text: &str) -> Customer {
    Customer::Named(text.to_owned())
}

fn check_apart(
    key: &Key,
    customers: &BTreeSet<Customer>,
    homes: &mut BTreeMap<Customer, String>,
    reading: &mut Reading<'_, '_>,
) {
    for customer in customers {
        if let Some(other) = homes.insert(customer.clone(), key.text.clone()) {
            let message = format!(
                "the customer {} is in two slices, {} and {}",
                quoted(&customer.label()),
                quoted(&other),
                quoted(&key.text)
            );
            reading.problems.push(
                key.mark,
                &Origin::Pipeline,
                message,
                "leave it in one of them",
            );
        }
    }
}

fn check_others(root: &Node, reading: &mut Reading<'_, '_>) {
    let slices = root.get("slices").map(unique).unwrap_or_default();
    let mut others = slices
        .into_iter()
        .filter(|(_, node)| node.get("others").is_some());
    if let (Some((first, _)), Some((second, _))) = (others.next(), others.next()) {
        let message = format!(
            "two slices, {} and {}, take all the others",
            quoted(&first.text),
            quoted(&second.text)
        );
        reading.problems.push(
            second.mark,
            &Origin::Pipeline,
            message,
            "let one of them name its customers",
        );
    }
}

/// A slice of what has no customers is nothing.
fn check_tasks(root: &Node, reading: &mut Reading<'_, '_>) {
    let has_slices = root
        .get("slices")
        .is_some_and(|slices| !slices.entries().is_empty());
    for (key, node) in reading.names.tasks() {
        let has_customer = node
            .get("output")
            .is_none_or(|output| output.get("customer").is_some());
        if has_slices && !has_customer {
            let message = format!(
                "the pipeline has slices, and the output of {} has no customer column",
                quoted(&key.text)
            );
            let fix = "add `customer: …` to its output: a run of a slice publishes the rows of its customers";
            reading
                .problems
                .push(key.mark, &Origin::Task(key.text.clone()), message, fix);
        }
    }
}
