//! A difference or two that show what is going on, for the customers that have most of them.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};
use understudy_comparators::Layout;
use understudy_core::comparison::{CellDifference, Comparison, CustomerCounts};
use understudy_core::customer::Customer;
use understudy_core::rule::DifferenceKind;
use understudy_core::schema::Column;
use understudy_core::value::Value;
use unicode_width::UnicodeWidthChar as _;

use super::line::{Line, LineChange};

/// The customers that examples are kept of.
const MAX_CUSTOMERS: usize = 5;
/// The examples of one customer; each differs from the others in its kind or column.
const MAX_PER_CUSTOMER: usize = 3;
/// The cells that are kept of a row that stands on one side only.
const MAX_CELLS: usize = 6;
/// The characters that are kept of a text.
const MAX_TEXT_CHARS: usize = 120;
/// The characters before the first difference of two long texts.
const CONTEXT_CHARS: usize = 30;

/// An unexpected difference.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Example {
    /// Whose row it is.
    pub customer: Customer,
    /// The key columns with their values.
    pub key: Vec<NamedText>,
    /// How the row differs.
    pub kind: DifferenceKind,
    /// The cell that differs, or the first cells of a row that stands on one side only.
    pub cells: Vec<ExampleCell>,
}

/// A column and a value's text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NamedText {
    /// The column.
    pub column: String,
    /// The value's text, `None` for NULL.
    pub text: Option<String>,
}

/// A cell on both sides. What a side does not have is NULL there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ExampleCell {
    /// The column.
    pub column: String,
    /// The old value's text, `None` for NULL.
    pub old: Option<String>,
    /// The new value's text, `None` for NULL.
    pub new: Option<String>,
    /// New minus old: a decimal for numbers, an ISO duration for times, where there is such a thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<String>,
    /// New minus old in percent of old, as a decimal, where there is such a thing.
    pub delta_pct: Option<String>,
}

/// Collects examples from lines that come in the file's order.
#[derive(Debug)]
pub(crate) struct Examples {
    /// The worst first; few enough to be searched one by one.
    customers: Vec<OfCustomer>,
}

#[derive(Debug)]
struct OfCustomer {
    customer: Customer,
    /// Each with the position of the column that it is of.
    examples: Vec<(Option<usize>, Example)>,
}

impl Examples {
    pub(crate) fn of_worst(comparison: &Comparison) -> Self {
        let unexpected = |(_, counts): &(&Customer, &CustomerCounts)| counts.unexpected > 0;
        let mut worst: Vec<_> = comparison.customers.iter().filter(unexpected).collect();
        // The sort is stable: those with as many stay in the order of their names.
        worst.sort_by_key(|(_, counts)| Reverse(counts.unexpected));
        let of_customer = |(customer, _): (&Customer, _)| OfCustomer {
            customer: customer.clone(),
            examples: Vec::new(),
        };
        Self {
            customers: worst
                .into_iter()
                .take(MAX_CUSTOMERS)
                .map(of_customer)
                .collect(),
        }
    }

    pub(crate) fn see(&mut self, line: &Line, layout: &Layout) {
        let mut customers = self.customers.iter_mut();
        let Some(of_customer) = customers.find(|of_customer| of_customer.customer == line.customer)
        else {
            return;
        };
        let examples = &mut of_customer.examples;
        let (kind, column) = (line.kind(), line.column());
        let known = examples
            .iter()
            .any(|(of, example)| *of == column && example.kind == kind);
        if !line.is_expected() && !known && examples.len() < MAX_PER_CUSTOMER {
            examples.push((column, example(line, layout)));
        }
    }

    pub(crate) fn worst_first(self) -> Vec<Example> {
        let examples = self
            .customers
            .into_iter()
            .flat_map(|of_customer| of_customer.examples);
        examples.map(|(_, example)| example).collect()
    }
}

pub(crate) fn example(line: &Line, layout: &Layout) -> Example {
    let key = layout.key.iter().zip(line.key.iter());
    let key = key.map(|(column, value)| NamedText {
        column: column.name.clone(),
        text: text(value),
    });
    let cells = match &line.change {
        LineChange::Cell(cell) => vec![changed_cell(cell, layout)],
        LineChange::OnlyOld(values) => {
            row_cells(values, layout, |column, value| (column, value, None))
        }
        LineChange::OnlyNew(values) => {
            row_cells(values, layout, |column, value| (column, None, value))
        }
    };
    Example {
        customer: line.customer.clone(),
        key: key.collect(),
        kind: line.kind(),
        cells,
    }
}

fn changed_cell(cell: &CellDifference, layout: &Layout) -> ExampleCell {
    let (old, new) = apart(cell.old.render(), cell.new.render());
    let column = layout.columns.get(cell.column);
    ExampleCell {
        column: column.map(|column| column.name.clone()).unwrap_or_default(),
        old,
        new,
        delta: Value::delta(&cell.old, &cell.new),
        delta_pct: Value::delta_pct(&cell.old, &cell.new),
    }
}

/// A column's name with its old and its new text.
type NamedSides = (String, Option<String>, Option<String>);

fn row_cells(
    values: &[Value],
    layout: &Layout,
    place: impl Fn(String, Option<String>) -> NamedSides,
) -> Vec<ExampleCell> {
    let cell = |(column, value): (&Column, &Value)| {
        let (column, old, new) = place(column.name.clone(), text(value));
        ExampleCell {
            column,
            old,
            new,
            delta: None,
            delta_pct: None,
        }
    };
    layout
        .columns
        .iter()
        .zip(values)
        .take(MAX_CELLS)
        .map(cell)
        .collect()
}

fn text(value: &Value) -> Option<String> {
    value.render().map(cut)
}

fn cut(text: String) -> String {
    match text.char_indices().nth(MAX_TEXT_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The texts of a cell, each cut so that one sees where they differ: long ones from just before that place on.
fn apart(old: Option<String>, new: Option<String>) -> (Option<String>, Option<String>) {
    let (Some(old), Some(new)) = (&old, &new) else {
        return (old.map(cut), new.map(cut));
    };
    let is_long = |text: &str| text.chars().nth(MAX_TEXT_CHARS).is_some();
    let same = old.chars().zip(new.chars());
    let same = same.take_while(|(old, new)| old == new).count();
    let skip = if is_long(old) || is_long(new) {
        same.saturating_sub(CONTEXT_CHARS)
    } else {
        0
    };
    (Some(cut(from(old, skip))), Some(cut(from(new, skip))))
}

/// The text from so many characters on; nothing is cut from the letter that it is a mark on.
fn from(text: &str, skip: usize) -> String {
    if skip == 0 {
        return text.to_owned();
    }
    let rest = text.chars().skip(skip);
    let rest = rest.skip_while(|c| c.width() == Some(0));
    ['…'].into_iter().chain(rest).collect()
}
