//! Tasks that may never run as a shadow, and changes that would need that.

use std::collections::BTreeSet;

use super::Reading;
use super::graph::Graph;
use super::names::text_at;
use crate::spec::problems::{Origin, quoted};
use crate::spec::yaml::Key;

/// Refuses a change that would run a task as a shadow which says `shadow: never`: as a changed task, as one downstream,
/// or because it stands between one that is changed and one that is compared.
pub(super) fn require_allowed(
    change: &Key,
    compared: &BTreeSet<String>,
    reached: &BTreeSet<usize>,
    graph: &Graph,
    reading: &mut Reading<'_, '_>,
) {
    let names = reading.names.task_names();
    for (position, task) in names.iter().enumerate() {
        let never = reading
            .names
            .task(task)
            .and_then(|node| text_at(node, "shadow"));
        if never.is_none() {
            continue;
        }
        let stands_between = || {
            reached.contains(&position)
                && graph
                    .downstream_of([position])
                    .iter()
                    .any(|after| compared.contains(names[*after]))
        };
        if compared.contains(*task) || stands_between() {
            let message = format!(
                "{} would run {} as a shadow, which says `shadow: never`",
                quoted(&change.text),
                quoted(task)
            );
            let fix = "take apart what computes from what delivers: a task that only computes can be tried in the shadow";
            let origin = Origin::Change(change.text.clone());
            reading.problems.push(change.mark, &origin, message, fix);
        }
    }
}
