//! Columns whose values are not shown.

use std::collections::BTreeSet;

use super::Reading;
use super::names::unique;
use crate::spec::model::{Spec, Task};
use crate::spec::places::Spot;
use crate::spec::problems::{Origin, quoted};
use crate::spec::yaml::Node;

/// The columns that a dataset, or a task's output, masks.
pub(crate) fn read(table: &str, node: &Node, reading: &mut Reading<'_, '_>) -> BTreeSet<String> {
    let entries = node.get("columns").map(unique).unwrap_or_default();
    let mut masked = BTreeSet::new();
    for (column, _) in entries {
        let spot = Spot::Mask {
            table: table.to_owned(),
            column: column.text.clone(),
        };
        reading.spots.insert(spot, column.mark);
        masked.insert(column.text.clone());
    }
    masked
}

/// Lanes, flags and the ledger name customers: that column cannot be masked anywhere above its task.
pub(crate) fn check_customers(spec: &Spec, reading: &mut Reading<'_, '_>) {
    for task in &spec.tasks {
        let customer = task.output.customer.as_ref();
        let Some(customer) = customer.filter(|column| spec.masked(&task.name).has(column)) else {
            continue;
        };
        report(task, customer, reading);
    }
}

fn report(task: &Task, customer: &str, reading: &mut Reading<'_, '_>) {
    let spot = Spot::Customer {
        task: task.name.clone(),
    };
    let Some(mark) = reading.spots.get(&spot).copied() else {
        return;
    };
    let masks = reading.spots.iter().filter_map(|(spot, mark)| match spot {
        Spot::Mask { column, .. } if crate::spec::masks::is_name_of(column, customer) => {
            Some(mark.line)
        }
        _ => None,
    });
    let lines: BTreeSet<usize> = masks.collect();
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let message = format!(
        "the customer column {} of {} is masked, and lanes, flags and the ledger name customers",
        quoted(customer),
        quoted(&task.name)
    );
    let fix = format!(
        "leave it out of `columns` in line {}, or give the task a customer column that need not be masked, such as an account number",
        lines.join(" and ")
    );
    let origin = Origin::Task(task.name.clone());
    reading.problems.push(mark, &origin, message, fix);
}
