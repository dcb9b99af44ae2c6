//! One line of `diff.csv` and `diff.parquet`: its columns, and their texts.

use serde::{Deserialize, Serialize};
use understudy_comparators::Layout;
use understudy_core::comparison::CellDifference;
use understudy_core::run_date::RunDate;
use understudy_core::value::Value;

use super::line::{Line, LineChange};
use crate::report::csv_text::Field;

/// What a comparison was part of; nothing of it where two tables are compared without a pipeline.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Origin {
    /// The change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// The task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The run date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<RunDate>,
    /// The run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

const BEFORE_KEY: [&str; 1] = ["customer"];
const AFTER_KEY: [&str; 12] = [
    "kind",
    "column",
    "old",
    "new",
    "delta",
    "delta_pct",
    "expected",
    "rule",
    "change",
    "task",
    "date",
    "run",
];

/// The names of all columns. A key column that would have another column's name has `key.` in front of its own;
/// upper and lower case are the same here, as they are to many readers.
pub(crate) fn column_names(layout: &Layout) -> Vec<String> {
    let mut names: Vec<String> = BEFORE_KEY.map(str::to_owned).into();
    for column in &layout.key {
        let mut name = column.name.clone();
        while is_taken(&name, &names) {
            name.insert_str(0, "key.");
        }
        names.push(name);
    }
    names.extend(AFTER_KEY.map(str::to_owned));
    names
}

/// Whether a column of that name holds truth values; all others hold text.
pub(crate) fn is_truth(position: usize, names: &[String]) -> bool {
    // Counted from the end, because a key column comes before it and may have any name.
    names.len() - position == AFTER_KEY.len() - 6
}

fn is_taken(name: &str, names: &[String]) -> bool {
    let name = name.to_lowercase();
    let mut taken = names.iter().map(String::as_str).chain(AFTER_KEY);
    taken.any(|taken| taken.to_lowercase() == name)
}

/// A line's texts.
pub(crate) struct Record<'a> {
    customer: String,
    key: Vec<Cell>,
    kind: &'static str,
    column: Option<&'a str>,
    old: Cell,
    new: Cell,
    delta: Option<String>,
    delta_pct: Option<String>,
    rule: Option<&'a str>,
    origin: &'a OriginTexts,
}

/// An origin's texts, made once for all lines.
#[derive(Debug)]
pub(crate) struct OriginTexts {
    origin: Origin,
    date: Option<String>,
}

impl OriginTexts {
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl From<Origin> for OriginTexts {
    fn from(origin: Origin) -> Self {
        Self {
            date: origin.date.map(|date| date.to_string()),
            origin,
        }
    }
}

/// A value's text, and whether it is one by nature.
struct Cell {
    text: Option<String>,
    nature: Nature,
}

enum Nature {
    Plain,
    Text,
}

impl<'a> Record<'a> {
    pub(crate) fn new(
        line: &Line,
        layout: &'a Layout,
        rules: &'a [String],
        origin: &'a OriginTexts,
    ) -> Self {
        let (old, new) = sides(line, layout);
        let delta = match &line.change {
            LineChange::Cell(CellDifference { old, new, .. }) => Some((old, new)),
            LineChange::OnlyOld(_) | LineChange::OnlyNew(_) => None,
        };
        Self {
            customer: line.customer.label(),
            key: line.key.iter().map(Cell::of).collect(),
            kind: line.kind().name(),
            column: line
                .column()
                .and_then(|column| layout.columns.get(column))
                .map(|column| column.name.as_str()),
            old,
            new,
            delta: delta.and_then(|(old, new)| Value::delta(old, new)),
            delta_pct: delta.and_then(|(old, new)| Value::delta_pct(old, new)),
            rule: line
                .rule
                .and_then(|rule| rules.get(rule))
                .map(String::as_str),
            origin,
        }
    }

    /// The fields, as many and in the order of [`column_names`].
    pub(crate) fn fields(&self, is_expected: bool) -> Vec<Field<'_>> {
        let origin = &self.origin.origin;
        let mut fields = vec![Field::Text(&self.customer)];
        fields.extend(self.key.iter().map(Cell::field));
        fields.extend([
            Field::Plain(self.kind),
            Field::text(self.column),
            self.old.field(),
            self.new.field(),
            Field::plain(self.delta.as_deref()),
            Field::plain(self.delta_pct.as_deref()),
            Field::Truth(is_expected),
            Field::text(self.rule),
            Field::text(origin.change.as_deref()),
            Field::text(origin.task.as_deref()),
            Field::plain(self.origin.date.as_deref()),
            Field::text(origin.run.as_deref()),
        ]);
        fields
    }
}

impl Cell {
    fn of(value: &Value) -> Self {
        let nature = match value {
            Value::Text(_)
            | Value::Binary(_)
            | Value::List(_)
            | Value::Struct(_)
            | Value::Map(_) => Nature::Text,
            _ => Nature::Plain,
        };
        Self {
            text: value.render(),
            nature,
        }
    }

    fn missing() -> Self {
        Self {
            text: None,
            nature: Nature::Plain,
        }
    }

    fn field(&self) -> Field<'_> {
        match self.nature {
            Nature::Plain => Field::plain(self.text.as_deref()),
            Nature::Text => Field::text(self.text.as_deref()),
        }
    }
}

/// The old and the new value. A row that stands on one side only has all its values there as one JSON object,
/// each as its text (or null), so that no reader's numbers come between.
fn sides(line: &Line, layout: &Layout) -> (Cell, Cell) {
    match &line.change {
        LineChange::Cell(cell) => (Cell::of(&cell.old), Cell::of(&cell.new)),
        LineChange::OnlyOld(values) => (whole_row(values, layout), Cell::missing()),
        LineChange::OnlyNew(values) => (Cell::missing(), whole_row(values, layout)),
    }
}

fn whole_row(values: &[Value], layout: &Layout) -> Cell {
    let names = layout.columns.iter().map(|column| column.name.clone());
    let texts = values
        .iter()
        .map(|value| serde_json::Value::from(value.render()));
    let row: serde_json::Map<_, _> = names.zip(texts).collect();
    Cell {
        text: Some(serde_json::Value::Object(row).to_string()),
        nature: Nature::Text,
    }
}
