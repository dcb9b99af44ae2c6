//! What can be said once the columns of datasets and outputs are known.

use std::collections::BTreeSet;

use super::masks::is_name_of;
use super::model::{Change, Spec, Task};
use super::nearest::hint;
use super::places::{Places, Spot};
use super::problem::{Problem, Scope};
use super::problems::{quoted, rule_label};
use crate::check::{CheckKind, Metrics};
use crate::rule::{Allowance, ColumnSelector, Rule, Within};
use crate::schema::{ColumnKind, TableSchema};
use crate::snapshot::Schemas;

/// Checks every column that the file names against the columns that there are. What has no schema in `schemas`
/// is passed over.
#[must_use]
pub fn check_columns(spec: &Spec, places: &Places, schemas: &Schemas) -> Vec<Problem> {
    let known = Known {
        spec,
        places,
        schemas,
    };
    let mut problems = known.types();
    problems.extend(known.masks());
    for task in &spec.tasks {
        problems.extend(known.outputs(task));
    }
    for change in spec.changes.values() {
        problems.extend(known.rules(change));
        problems.extend(known.checks(change));
    }
    problems.sort_by_key(|problem| (problem.line, problem.column));
    problems
}

struct Known<'a> {
    spec: &'a Spec,
    places: &'a Places,
    schemas: &'a Schemas,
}

impl Known<'_> {
    fn types(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (name, dataset) in &self.spec.datasets {
            let Some(schema) = self.schemas.datasets.get(name) else {
                continue;
            };
            for column in dataset
                .types
                .keys()
                .filter(|column| schema.column(column).is_none())
            {
                let spot = Spot::ColumnType {
                    dataset: name.clone(),
                    column: column.clone(),
                };
                let message = format!(
                    "the dataset {} has no column {}",
                    quoted(name),
                    quoted(column)
                );
                problems.push(self.places.problem(
                    &spot,
                    Scope::Pipeline,
                    &message,
                    &columns_hint(column, &[schema]),
                ));
            }
        }
        problems
    }

    /// A mask of a column that is not there protects nothing, and the column that was meant is not protected.
    fn masks(&self) -> Vec<Problem> {
        let datasets = self.spec.datasets.iter().filter_map(|(name, dataset)| {
            let schema = self.schemas.datasets.get(name)?;
            Some((name, &dataset.masked, vec![schema]))
        });
        let outputs = self.spec.tasks.iter().filter_map(|task| {
            let versions = task.versions.keys();
            let schemas = versions.map(|version| self.output(&task.name, version));
            Some((
                &task.name,
                &task.output.masked,
                schemas.collect::<Option<_>>()?,
            ))
        });
        let unknown =
            |(table, masked, schemas): (&String, &BTreeSet<String>, Vec<&TableSchema>)| {
                let has = |column: &&String| {
                    let names = schemas.iter().flat_map(|schema| schema.names());
                    names.into_iter().any(|name| is_name_of(name, column))
                };
                let lacking = masked.iter().filter(|column| !has(column));
                lacking
                    .map(|column| self.no_masked(table, column, &schemas))
                    .collect::<Vec<_>>()
            };
        datasets.chain(outputs).flat_map(unknown).collect()
    }

    fn no_masked(&self, table: &str, column: &str, schemas: &[&TableSchema]) -> Problem {
        let spot = Spot::Mask {
            table: table.to_owned(),
            column: column.to_owned(),
        };
        let message = format!("{} has no column {} to mask", quoted(table), quoted(column));
        let fix = columns_hint(column, schemas);
        self.places.problem(&spot, Scope::Pipeline, &message, &fix)
    }

    /// What the live version lacks is said once; what only others lack, for each of them.
    fn outputs(&self, task: &Task) -> Vec<Problem> {
        let grain = task.output.grain.iter().map(|column| {
            (
                column,
                Spot::Grain {
                    task: task.name.clone(),
                    column: column.clone(),
                },
                "grain",
            )
        });
        let customer = task.output.customer.iter().map(|column| {
            (
                column,
                Spot::Customer {
                    task: task.name.clone(),
                },
                "customer",
            )
        });
        let named = grain.chain(customer);
        named
            .flat_map(|(column, spot, role)| self.lacking(task, column, &spot, role))
            .collect()
    }

    fn lacking(&self, task: &Task, column: &str, spot: &Spot, role: &str) -> Vec<Problem> {
        let lacking = |version: &&String| {
            self.output(&task.name, version)
                .is_some_and(|schema| schema.column(column).is_none())
        };
        let versions: Vec<&String> = task.versions.keys().filter(lacking).collect();
        let told = match versions.iter().find(|version| **version == &task.live) {
            Some(live) => vec![*live],
            None => versions,
        };
        told.into_iter()
            .filter_map(|version| self.lacks(task, version, column, spot, role))
            .collect()
    }

    fn lacks(
        &self,
        task: &Task,
        version: &str,
        column: &str,
        spot: &Spot,
        role: &str,
    ) -> Option<Problem> {
        let schema = self.output(&task.name, version)?;
        let message = format!(
            "the {role} column {} is not in what version {} of {} makes",
            quoted(column),
            quoted(version),
            quoted(&task.name),
        );
        let scope = self.places.scope_of_version(&task.name, version);
        Some(
            self.places
                .problem(spot, scope, &message, &columns_hint(column, &[schema])),
        )
    }

    fn output(&self, task: &str, version: &str) -> Option<&TableSchema> {
        self.schemas.outputs.get(task)?.get(version)
    }

    fn rules(&self, change: &Change) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (task, rules) in &change.expect {
            let Some(compared) = self.compared(change, task) else {
                continue;
            };
            for (position, rule) in rules.iter().enumerate() {
                problems.extend(self.rule(change, task, position, rule, &compared));
            }
        }
        problems
    }

    fn rule(
        &self,
        change: &Change,
        task: &str,
        position: usize,
        rule: &Rule,
        compared: &Compared<'_>,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        let selectors: BTreeSet<&ColumnSelector> = rule.columns.iter().flatten().collect();
        for column in selectors {
            let ColumnSelector::Name(column) = column else {
                continue;
            };
            let (name, task) = (change.name.clone(), task.to_owned());
            if !compared.may_have(column) {
                let spot = Spot::RuleColumn {
                    change: name,
                    task,
                    rule: position,
                    column: column.clone(),
                };
                let message = format!(
                    "{} names an unknown column {}",
                    rule_label(&rule.name),
                    quoted(column)
                );
                let fix = columns_hint(column, &compared.schemas);
                problems.push(self.places.problem(
                    &spot,
                    Scope::Change(change.name.clone()),
                    &message,
                    &fix,
                ));
            } else if let Some((message, fix)) = unfit(rule, column, compared) {
                let spot = Spot::Within {
                    change: name,
                    task,
                    rule: position,
                };
                problems.push(self.places.problem(
                    &spot,
                    Scope::Change(change.name.clone()),
                    &message,
                    &fix,
                ));
            }
        }
        problems
    }

    fn checks(&self, change: &Change) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (task, checks) in &change.compare {
            let Some(compared) = self.compared(change, task) else {
                continue;
            };
            for (position, check) in checks.iter().enumerate() {
                if let CheckKind::Metrics(metrics) = &check.kind {
                    let found = metric_problems(metrics, &compared);
                    problems.extend(found.into_iter().map(|(column, message, fix)| {
                        let spot = Spot::CheckColumn {
                            change: change.name.clone(),
                            task: task.clone(),
                            check: position,
                            column,
                        };
                        let scope = Scope::Change(change.name.clone());
                        let message = format!("check {} {message}", quoted(&check.name));
                        self.places.problem(&spot, scope, &message, &fix)
                    }));
                }
            }
        }
        problems
    }

    /// What the comparison of a task will see; `None` where a part of it is not known.
    fn compared(&self, change: &Change, task: &str) -> Option<Compared<'_>> {
        let live = &self.spec.task(task)?.live;
        let old = self.output(task, live)?;
        match change.new.get(task) {
            Some(new) => Some(Compared {
                schemas: vec![old, self.output(task, new)?],
                upstream: Vec::new(),
            }),
            None => {
                // An unchanged task may hand on a column that only the new version of another has.
                let upstream = change.new.iter().map(|(task, new)| self.output(task, new));
                Some(Compared {
                    schemas: vec![old],
                    upstream: upstream.collect::<Option<_>>()?,
                })
            }
        }
    }
}

/// The schemas that one comparison is between.
struct Compared<'a> {
    schemas: Vec<&'a TableSchema>,
    upstream: Vec<&'a TableSchema>,
}

impl Compared<'_> {
    fn may_have(&self, column: &str) -> bool {
        self.schemas
            .iter()
            .chain(&self.upstream)
            .any(|schema| schema.column(column).is_some())
    }

    fn kinds(&self, column: &str) -> impl Iterator<Item = ColumnKind> {
        self.schemas
            .iter()
            .filter_map(move |schema| schema.column(column))
            .map(|column| column.kind)
    }
}

/// The columns of a check that cannot be measured, each with what is wrong and what to write.
fn metric_problems(metrics: &Metrics, compared: &Compared<'_>) -> Vec<(String, String, String)> {
    let mut problems = Vec::new();
    let named: BTreeSet<&str> = metrics.columns().collect();
    for column in named {
        if !compared.may_have(column) {
            let message = format!("names an unknown column {}", quoted(column));
            let fix = columns_hint(column, &compared.schemas);
            problems.push((column.to_owned(), message, fix));
        }
    }
    for metric in &metrics.measure {
        let Some(column) = metric.measure.column() else {
            continue;
        };
        let mut kinds = compared.kinds(column);
        if metric.measure.is_of_numbers() && kinds.any(|kind| kind != ColumnKind::Number) {
            let message = format!("measures {}, which is no number", quoted(column));
            let fix = "measure a number, or count its values with `distinct` or `null_rate`";
            problems.push((column.to_owned(), message, fix.to_owned()));
        }
    }
    problems
}

/// Why a tolerance cannot be applied to a column on either side, and what to write.
fn unfit(rule: &Rule, column: &str, compared: &Compared<'_>) -> Option<(String, String)> {
    let Allowance::Within(within) = &rule.allow else {
        return None;
    };
    let kinds: Vec<ColumnKind> = compared.kinds(column).collect();
    let wanted = if is_duration(within) {
        ColumnKind::Time
    } else {
        ColumnKind::Number
    };
    if kinds.is_empty() || kinds.contains(&wanted) {
        return None;
    }
    let (what, fix) = match (
        kinds.contains(&ColumnKind::Time),
        kinds.contains(&ColumnKind::Number),
    ) {
        (true, _) => ("is a time", "write a duration such as `15m`"),
        (false, true) => (
            "is a number",
            "write a number or a percentage, such as `0.5` or `5%`",
        ),
        (false, false) => (
            "is neither a number nor a time",
            "select other columns, or write `allow: any` with a reason",
        ),
    };
    let message = format!(
        "`within` of {} does not fit the column {}, which {what}",
        rule_label(&rule.name),
        quoted(column)
    );
    Some((message, fix.to_owned()))
}

fn is_duration(within: &Within) -> bool {
    within.up.abs_is_duration || within.down.abs_is_duration
}

fn columns_hint(column: &str, schemas: &[&TableSchema]) -> String {
    let names: BTreeSet<&str> = schemas.iter().flat_map(|schema| schema.names()).collect();
    hint(column, &names.into_iter().collect::<Vec<_>>(), "columns")
}
