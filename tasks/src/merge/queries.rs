//! The queries of a merge.

use understudy_core::spec::Missing;

use super::columns::{JoinColumns, UnionColumn};
use crate::TaskInput;

/// The rows of all inputs, one below the other.
pub(super) fn union(inputs: &[TaskInput], columns: &[UnionColumn]) -> String {
    let select = |input: &TaskInput| {
        let cells = columns.iter().map(|column| cell(input, column));
        format!(
            "SELECT {} FROM {}",
            cells.collect::<Vec<_>>().join(", "),
            quoted(&input.name)
        )
    };
    let selects: Vec<_> = inputs.iter().map(select).collect();
    selects.join(" UNION ALL ")
}

/// A column of an input in the type of the union.
fn cell(input: &TaskInput, column: &UnionColumn) -> String {
    let name = quoted(&column.name);
    if column.lacking.contains(&input.name) {
        return format!("{} AS {name}", typed("NULL", &column.data_type));
    }
    format!("{} AS {name}", typed(&name, &column.data_type))
}

/// For each input two numbers: keys that stand more than once in it, and keys that only others have.
pub(super) fn census(columns: &JoinColumns) -> String {
    let grain = grain(columns);
    let sides = 0..columns.inputs.len();
    let mark = |side: usize| {
        let marks = sides
            .clone()
            .map(|other| format!("{} AS n{other}", u8::from(other == side)));
        marks.collect::<Vec<_>>().join(", ")
    };
    let keys = |(side, (input, _)): (usize, &(String, Vec<String>))| {
        let typed = columns.grain.iter().map(|(name, data_type)| {
            format!("{} AS {}", typed(&quoted(name), data_type), quoted(name))
        });
        let typed = typed.collect::<Vec<_>>().join(", ");
        format!("SELECT {typed}, {} FROM {}", mark(side), quoted(input))
    };
    let keys: Vec<_> = columns.inputs.iter().enumerate().map(keys).collect();
    let sums: Vec<_> = sides
        .clone()
        .map(|side| format!("sum(n{side}) AS n{side}"))
        .collect();
    let counts = sides.map(|side| {
        format!(
            "count(*) FILTER (WHERE n{side} > 1) AS twice{side}, count(*) FILTER (WHERE n{side} = 0) AS missing{side}"
        )
    });
    format!(
        "SELECT {} FROM (SELECT {grain}, {} FROM ({}) AS keys GROUP BY {grain}) AS counted",
        counts.collect::<Vec<_>>().join(", "),
        sums.join(", "),
        keys.join(" UNION ALL ")
    )
}

/// The columns of all inputs, side by side, by the grain. NULL is a key like others.
pub(super) fn join(columns: &JoinColumns, missing: Missing) -> String {
    let kind = match missing {
        Missing::Keep => "FULL",
        Missing::Drop | Missing::Fail => "INNER",
    };
    let mut inputs = columns.inputs.iter();
    let (mut joined, mut beside) = match inputs.next() {
        Some((input, own)) => (keyed(columns, input, own), own.clone()),
        None => return "SELECT 1".to_owned(),
    };
    for (input, own) in inputs {
        // In parentheses: the parser takes an AND that follows for part of what is compared.
        let on = columns
            .grain
            .iter()
            .map(|(name, _)| format!("(a.{0} IS NOT DISTINCT FROM b.{0})", quoted(name)));
        let keys = columns
            .grain
            .iter()
            .map(|(name, _)| format!("coalesce(a.{0}, b.{0}) AS {0}", quoted(name)));
        let before = beside
            .iter()
            .map(|name| format!("a.{0} AS {0}", quoted(name)));
        let added = own.iter().map(|name| format!("b.{0} AS {0}", quoted(name)));
        let cells: Vec<_> = keys.chain(before).chain(added).collect();
        joined = format!(
            "SELECT {} FROM ({joined}) AS a {kind} JOIN ({}) AS b ON {}",
            cells.join(", "),
            keyed(columns, input, own),
            on.collect::<Vec<_>>().join(" AND ")
        );
        beside.extend(own.iter().cloned());
    }
    joined
}

/// An input with the grain in the common types.
fn keyed(columns: &JoinColumns, input: &str, own: &[String]) -> String {
    let keys = columns.grain.iter().map(|(name, data_type)| {
        format!("{} AS {}", typed(&quoted(name), data_type), quoted(name))
    });
    let cells: Vec<_> = keys.chain(own.iter().map(|name| quoted(name))).collect();
    format!("SELECT {} FROM {}", cells.join(", "), quoted(input))
}

fn grain(columns: &JoinColumns) -> String {
    let names = columns.grain.iter().map(|(name, _)| quoted(name));
    names.collect::<Vec<_>>().join(", ")
}

/// An expression in a type; Arrow's own names say what SQL has no word for.
fn typed(expression: &str, data_type: &arrow::datatypes::DataType) -> String {
    format!(
        "arrow_cast({expression}, '{}')",
        data_type.to_string().replace('\'', "''")
    )
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
