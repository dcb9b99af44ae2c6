//! Rules.

use std::collections::{BTreeMap, BTreeSet};

pub(super) mod within;

use super::names::{Names, text_at, texts_at};
use super::{Reading, report_unknown};
use crate::rule::{
    Allowance, ColumnSelector, CustomerQuery, DifferenceKind, Normalizer, Rule, TypeFamily,
};
use crate::spec::FileCheck;
use crate::spec::places::Spot;
use crate::spec::problems::{Origin, Problems, quoted, rule_label};
use crate::spec::scalar;
use crate::spec::yaml::{Mark, Node};

/// The task that some rules are for.
pub(crate) struct RuledTask<'a> {
    pub(crate) change: &'a str,
    pub(crate) task: &'a str,
    pub(crate) has_customer: bool,
}

/// Reads the rules of a task; those that cannot be read have been told.
pub(crate) fn read(list: &Node, task: &RuledTask<'_>, reading: &mut Reading<'_, '_>) -> Vec<Rule> {
    let origin = Origin::Change(task.change.to_owned());
    for (position, node) in list.items().iter().enumerate() {
        mark_spots(node, position, task, reading);
        if let (Some(customers), false) = (node.get("customers"), task.has_customer) {
            let message = format!(
                "a rule selects customers, but {} has no customer column",
                quoted(task.task)
            );
            let fix = format!(
                "add `customer: <column>` to the output of {}, or leave `customers` out",
                quoted(task.task)
            );
            reading.problems.push(customers.mark, &origin, message, fix);
        }
    }
    read_list(list, &origin, reading)
}

/// Reads a list of rules that stands by itself, such as the file of `diff --rules`.
pub(crate) fn read_rules_alone(
    list: &Node,
    files: &dyn FileCheck,
    problems: &mut Problems<'_>,
) -> Vec<Rule> {
    let mut reading = Reading {
        names: Names::of(list),
        files,
        problems,
        spots: BTreeMap::new(),
    };
    read_list(list, &Origin::Pipeline, &mut reading)
}

fn read_list(list: &Node, origin: &Origin, reading: &mut Reading<'_, '_>) -> Vec<Rule> {
    let mut names = BTreeSet::new();
    let mut rules = Vec::new();
    for (position, node) in list.items().iter().enumerate() {
        let (name, mark) = name_of(node, position);
        if !names.insert(name.clone()) {
            let message = format!("two rules are named {}", quoted(&name));
            reading.problems.push(
                mark,
                origin,
                message,
                "give each its own name; reports count by name",
            );
        }
        check_selection(node, &name, origin, reading.problems);
        if let Some(within) = node.get("within") {
            within::check(within, &rule_label(&name), origin, reading.problems);
        }
        rules.extend(read_rule(name, node, origin, reading));
    }
    rules
}

fn name_of(node: &Node, position: usize) -> (String, Mark) {
    match text_at(node, "name") {
        Some((name, mark)) => (name.to_owned(), mark),
        None => (format!("rule {}", position + 1), node.mark),
    }
}

fn mark_spots(node: &Node, rule: usize, task: &RuledTask<'_>, reading: &mut Reading<'_, '_>) {
    let (change, task) = (task.change.to_owned(), task.task.to_owned());
    for (column, mark) in texts_at(node, "columns") {
        let spot = Spot::RuleColumn {
            change: change.clone(),
            task: task.clone(),
            rule,
            column: column.to_owned(),
        };
        reading.spots.entry(spot).or_insert(mark);
    }
    if let Some(within) = node.get("within") {
        reading
            .spots
            .insert(Spot::Within { change, task, rule }, within.mark);
    }
}

fn read_rule(
    name: String,
    node: &Node,
    origin: &Origin,
    reading: &mut Reading<'_, '_>,
) -> Option<Rule> {
    let columns = node
        .get("columns")
        .map(|columns| columns.items().iter().filter_map(selector).collect());
    let customer_query = node
        .get("customers")
        .and_then(|customers| read_query(customers, origin, reading));
    let customers = match node.get("customers") {
        Some(_) if customer_query.is_some() => Some(BTreeSet::new()),
        Some(customers) => Some(read_customers(customers, origin, reading)?),
        None => None,
    };
    Some(Rule {
        customers,
        customer_query,
        columns,
        predicate: text_at(node, "where").map(|(predicate, _)| predicate.to_owned()),
        must_change: node.get("must_change").is_some(),
        max_rows: node
            .get("max_rows")
            .and_then(Node::scalar)
            .and_then(scalar::count),
        kinds: node.get("kinds").map(|_| kinds(node)),
        reason: text_at(node, "reason").map(|(reason, _)| reason.to_owned()),
        until: node
            .get("until")
            .and_then(Node::scalar)
            .and_then(scalar::date),
        ..Rule::new(name, allowance(node)?)
    })
}

fn allowance(node: &Node) -> Option<Allowance> {
    if let Some(within) = node.get("within") {
        return within::read(within).map(Allowance::Within);
    }
    if node.get("normalize").is_some() {
        return Some(Allowance::Normalize(normalizers(node)));
    }
    node.get("ignore")
        .map(|_| Allowance::Ignore)
        .or_else(|| node.get("allow").map(|_| Allowance::Any))
        .or_else(|| node.get("must_change").map(|_| Allowance::Nothing))
}

/// A name, a pattern of names, or a type.
fn selector(item: &Node) -> Option<ColumnSelector> {
    if let Some(scalar) = item.scalar() {
        return scalar::text(scalar).map(ColumnSelector::written);
    }
    if let Some((name, _)) = text_at(item, "name") {
        return Some(ColumnSelector::Name(name.to_owned()));
    }
    let (name, _) = text_at(item, "type")?;
    let mut families = TypeFamily::ALL.into_iter();
    let family = families.find(|family| family.name() == name)?;
    Some(ColumnSelector::Type { family })
}

/// Customers that a dataset names.
fn read_query(
    node: &Node,
    origin: &Origin,
    reading: &mut Reading<'_, '_>,
) -> Option<CustomerQuery> {
    let (dataset, mark) = text_at(node, "dataset")?;
    let customer = match reading.names.dataset_node(dataset) {
        Some(described) => described.get("customer").is_some(),
        None => {
            let known = reading.names.dataset_names();
            report_unknown(
                ["dataset", "datasets"],
                (dataset, mark),
                &known,
                origin,
                reading.problems,
            );
            true
        }
    };
    if !customer {
        let message = format!(
            "a rule takes its customers from {}, which has no customer column",
            quoted(dataset)
        );
        let fix = format!("add `customer: <column>` to {}", quoted(dataset));
        reading.problems.push(mark, origin, message, fix);
    }
    Some(CustomerQuery {
        dataset: dataset.to_owned(),
        predicate: text_at(node, "where").map(|(predicate, _)| predicate.to_owned()),
    })
}

/// In the file's order, in which they are applied.
fn normalizers(node: &Node) -> Vec<Normalizer> {
    let names = texts_at(node, "normalize");
    let named = |name: &str| {
        Normalizer::ALL
            .into_iter()
            .find(|known| known.name() == name)
    };
    names
        .into_iter()
        .filter_map(|(name, _)| named(name))
        .collect()
}

fn kinds(node: &Node) -> BTreeSet<DifferenceKind> {
    let names = texts_at(node, "kinds");
    DifferenceKind::ALL
        .into_iter()
        .filter(|kind| names.iter().any(|(name, _)| *name == kind.name()))
        .collect()
}

/// Selections that no difference can meet: kinds of rows together with columns, or with what is for cells.
fn check_selection(node: &Node, name: &str, origin: &Origin, problems: &mut Problems<'_>) {
    let kinds = kinds(node);
    let Some(mark) = node
        .get("kinds")
        .filter(|_| !kinds.is_empty())
        .map(|node| node.mark)
    else {
        return;
    };
    let rows = [DifferenceKind::OnlyOld, DifferenceKind::OnlyNew];
    let for_cells = ["within", "normalize"]
        .into_iter()
        .find(|key| node.get(key).is_some());
    let label = rule_label(name);
    if kinds.iter().all(|kind| rows.contains(kind)) && node.get("columns").is_some() {
        let message = format!(
            "{label} selects nothing: `columns` selects cells, and its kinds are whole rows"
        );
        problems.push(mark, origin, message, "leave out `columns` or `kinds`");
    } else if let Some(key) = for_cells.filter(|_| !kinds.contains(&DifferenceKind::Changed)) {
        let message =
            format!("{label} allows nothing: `{key}` is for cells, and its kinds are others");
        let fix = format!("leave out `kinds`, or write `allow: any` instead of `{key}`");
        problems.push(mark, origin, message, fix);
    }
}

/// Customers as a list names them, or a file.
pub(crate) fn read_customers(
    node: &Node,
    origin: &Origin,
    reading: &mut Reading<'_, '_>,
) -> Option<BTreeSet<String>> {
    let Some((file, mark)) = text_at(node, "file") else {
        let items = node
            .items()
            .iter()
            .filter_map(|item| scalar::verbatim(item.scalar()?));
        return Some(items.map(str::to_owned).collect());
    };
    let customers = reading.files.read(file).map(|text| customers_in(&text));
    let message = match &customers {
        None if reading.files.exists(file) => "cannot be read",
        None => "is not there",
        Some(customers) if customers.is_empty() => "names no customer",
        Some(_) => return customers,
    };
    let fix = "write one customer per line, in a file in UTF-8 whose path begins at the pipeline file's folder";
    reading.problems.push(
        mark,
        origin,
        format!("the file of customers {} {message}", quoted(file)),
        fix,
    );
    None
}

/// One customer per line, exactly as written; empty lines are none.
fn customers_in(text: &str) -> BTreeSet<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}
