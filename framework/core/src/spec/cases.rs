//! Files of cases: text in, cases and problems out; and the text with other expectations.

mod bless;
mod table;
mod tables;

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Change, ColumnType, Spec};
use super::nearest::hint;
use super::problem::Problem;
use super::problems::{Origin, Problems, Uses, quoted};
use super::resolve::{read_rules_alone, text_at, texts_at, unique};
use super::shape::Shape;
use super::structure::{self, Subject};
use super::yaml::{Mark, Node};
use super::{BYTE_ORDER_MARK, FileCheck, parse, scalar};
use crate::case::{Case, Expectation};
use crate::rule::Rule;
use crate::verdict::Verdict;

pub use bless::bless;

/// Reads a file of cases. `pipeline` is the one that they stand beside, if there is one.
///
/// # Errors
/// Everything that is wrong with it, in the file's order.
pub fn load_cases(
    text: &str,
    file_name: &str,
    pipeline: Option<&Spec>,
    files: &dyn FileCheck,
) -> Result<Vec<Case>, Vec<Problem>> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let mut problems = Problems::new(file_name, text);
    let root = parse(text, &mut problems);
    let cases = root.map(|root| {
        structure::check(
            &root,
            &Shape::Section(&table::FILE),
            &Subject::whole("the file"),
            &mut problems,
        );
        let mut reader = Reader {
            file: file_name,
            pipeline,
            files,
            problems: &mut problems,
        };
        reader.cases(&root)
    });
    let problems = problems.finish(&Uses::default());
    cases.filter(|_| problems.is_empty()).ok_or(problems)
}

struct Reader<'a, 's> {
    file: &'a str,
    pipeline: Option<&'a Spec>,
    files: &'a dyn FileCheck,
    problems: &'a mut Problems<'s>,
}

impl Reader<'_, '_> {
    fn cases(&mut self, root: &Node) -> Vec<Case> {
        let items = root.get("cases").map(Node::items).unwrap_or_default();
        let mut names = BTreeSet::new();
        for item in items {
            if let Some((name, mark)) = text_at(item, "name")
                && !names.insert(name.to_owned())
            {
                let message = format!("two cases are named {}", quoted(name));
                self.wrong(mark, &message, "give each its own name");
            }
        }
        items.iter().filter_map(|item| self.case(item)).collect()
    }

    fn wrong(&mut self, mark: Mark, message: &str, fix: &str) {
        self.problems.push(mark, &Origin::Pipeline, message, fix);
    }

    fn case(&mut self, node: &Node) -> Option<Case> {
        let (name, mark) = text_at(node, "name")?;
        let tried = self.tried(node);
        let rules = self.rules(node, tried.as_ref())?;
        let [old, new] = tables::read(node, self.problems)?;
        let task = tried.as_ref().and_then(|(_, task)| self.task(task));
        let key = match node.get("key") {
            Some(_) => texts_at(node, "key")
                .into_iter()
                .map(|(column, _)| column.to_owned())
                .collect(),
            None => task
                .map(|task| task.output.grain.clone())
                .unwrap_or_default(),
        };
        let customer = text_at(node, "customer").map(|(column, _)| column.to_owned());
        let customer = customer.or_else(|| task.and_then(|task| task.output.customer.clone()));
        self.require_columns(node, mark, &key, customer.as_deref(), [&old, &new]);
        Some(Case {
            name: name.to_owned(),
            file: self.file.to_owned(),
            line: mark.line,
            tries: tried,
            rules,
            key,
            customer,
            old,
            new,
            expect: expectation(node.get("expect")?)?,
        })
    }

    fn task(&self, name: &str) -> Option<&super::model::Task> {
        self.pipeline?.task(name)
    }

    /// The change and the task whose rules are tried.
    fn tried(&mut self, node: &Node) -> Option<(String, String)> {
        let (task, mark) = text_at(node, "task")?;
        let Some(spec) = self.pipeline else {
            let fix = "put the file into the folder `cases` beside the pipeline file, or give the case rules of its own";
            self.wrong(mark, "there is no pipeline that has this task", fix);
            return None;
        };
        let Some(_) = spec.task(task) else {
            let names: Vec<&str> = spec.tasks.iter().map(|task| task.name.as_str()).collect();
            let message = format!("unknown task {}", quoted(task));
            self.wrong(mark, &message, &hint(task, &names, "tasks"));
            return None;
        };
        if let Some((change, mark)) = text_at(node, "change") {
            return self
                .change(change, mark, spec)
                .map(|change| (change.name.clone(), task.to_owned()));
        }
        let with_rules = |change: &&Change| change.expect.contains_key(task);
        let all: Vec<&Change> = spec.changes.values().filter(with_rules).collect();
        match all.as_slice() {
            [only] => Some((only.name.clone(), task.to_owned())),
            [] => {
                let message = format!("no change that can run has rules for {}", quoted(task));
                let fix = "`understudy check` says which changes are suspended; or give the case rules of its own";
                self.wrong(mark, &message, fix);
                None
            }
            several => {
                let names: Vec<String> =
                    several.iter().map(|change| quoted(&change.name)).collect();
                let message = format!("several changes have rules for {}", quoted(task));
                let fix = format!("say which: `change:` and one of {}", names.join(", "));
                self.wrong(mark, &message, &fix);
                None
            }
        }
    }

    fn change<'b>(&mut self, name: &str, mark: Mark, spec: &'b Spec) -> Option<&'b Change> {
        if let Some(change) = spec.changes.get(name) {
            return Some(change);
        }
        if spec.suspended.contains_key(name) {
            let message = format!("the change {} is suspended", quoted(name));
            self.wrong(mark, &message, "`understudy check` says why");
        } else {
            let names: Vec<&str> = spec.changes.keys().map(String::as_str).collect();
            let message = format!("unknown change {}", quoted(name));
            self.wrong(mark, &message, &hint(name, &names, "changes"));
        }
        None
    }

    /// The rules, with the customers that a query would find, which only the case can say.
    fn rules(&mut self, node: &Node, tried: Option<&(String, String)>) -> Option<Vec<Rule>> {
        let mut rules = match node.get("rules") {
            Some(list) => read_rules_alone(list, self.files, self.problems),
            None => {
                let (change, task) = tried?;
                let change = self.pipeline?.changes.get(change)?;
                change.expect.get(task).cloned().unwrap_or_default()
            }
        };
        let found = node.get("customers_of");
        for (name, list) in found.map(unique).unwrap_or_default() {
            let customers = list
                .items()
                .iter()
                .filter_map(|item| scalar::verbatim(item.scalar()?));
            let customers: BTreeSet<String> = customers.map(str::to_owned).collect();
            match rules.iter_mut().find(|rule| rule.name == name.text) {
                Some(rule) => rule.customers = Some(customers),
                None => {
                    let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
                    let message = format!("unknown rule {}", quoted(&name.text));
                    let fix = hint(&name.text, &names, "rules");
                    self.problems
                        .push(name.mark, &Origin::Pipeline, message, fix);
                }
            }
        }
        for rule in &rules {
            let is_said = found.is_some_and(|found| found.get(&rule.name).is_some());
            if rule.customer_query.is_some() && !is_said {
                let message = format!("rule {} finds its customers by a query", quoted(&rule.name));
                let fix = format!(
                    "say whom it finds here: `customers_of: {{ \"{}\": [A, B] }}`",
                    rule.name
                );
                self.problems
                    .push(node.mark, &Origin::Pipeline, message, fix);
            }
        }
        Some(rules)
    }

    fn require_columns(
        &mut self,
        node: &Node,
        mark: Mark,
        key: &[String],
        customer: Option<&str>,
        tables: [&crate::case::CaseTable; 2],
    ) {
        for (what, column) in key
            .iter()
            .map(|column| ("key", column.as_str()))
            .chain(customer.map(|column| ("customer", column)))
        {
            let lacks =
                |table: &&crate::case::CaseTable| !table.columns.iter().any(|name| name == column);
            if tables.iter().any(lacks) {
                let message = format!(
                    "a table has no column {}, which is in the {what}",
                    quoted(column)
                );
                let fix = format!("add the column to both tables, or write `{what}:` in the case");
                let mark = node.get(what).map_or(mark, |node| node.mark);
                self.wrong(mark, &message, &fix);
            }
        }
    }
}

fn expectation(node: &Node) -> Option<Expectation> {
    let verdict = text_at(node, "verdict")?.0;
    let count = |key: &str| node.get(key).and_then(Node::scalar).and_then(scalar::count);
    let counts = |key: &str| {
        let entries = node.get(key).map(unique)?;
        let count = |(key, node): (&super::yaml::Key, &Node)| {
            Some((key.text.clone(), scalar::count(node.scalar()?)?))
        };
        Some(
            entries
                .into_iter()
                .filter_map(count)
                .collect::<BTreeMap<_, _>>(),
        )
    };
    let all = [
        Verdict::Identical,
        Verdict::Expected,
        Verdict::Inconclusive,
        Verdict::Unexpected,
    ];
    Some(Expectation {
        verdict: all.into_iter().find(|known| known.name() == verdict)?,
        differences: count("differences"),
        unexpected: count("unexpected"),
        rules: counts("rules"),
        columns: counts("columns"),
        customers: counts("customers"),
    })
}

/// The word for a column type, as a case writes it.
#[must_use]
pub fn type_word(of: ColumnType) -> String {
    match of {
        ColumnType::Text => "text".to_owned(),
        ColumnType::Integer => "integer".to_owned(),
        ColumnType::Float => "float".to_owned(),
        ColumnType::Decimal(scale) => format!("decimal({scale})"),
        ColumnType::Boolean => "boolean".to_owned(),
        ColumnType::Date => "date".to_owned(),
        ColumnType::Timestamp => "timestamp".to_owned(),
    }
}

#[cfg(test)]
mod tests;
