//! The two tables of a case.

use std::collections::{BTreeMap, BTreeSet};

use crate::case::CaseTable;
use crate::spec::ColumnType;
use crate::spec::problems::{Origin, Problems, quoted};
use crate::spec::resolve::{texts_at, unique};
use crate::spec::scalar;
use crate::spec::yaml::{Data, Node};

/// Reads both tables; what is wrong with them is told.
pub(super) fn read(case: &Node, problems: &mut Problems<'_>) -> Option<[CaseTable; 2]> {
    let sides = [case.get("old")?, case.get("new")?];
    let quoted = sides.map(|side| quoted_columns(side, case));
    let quoted: BTreeSet<String> = quoted.into_iter().flatten().collect();
    let [old, new] = sides.map(|side| table(side, case, &quoted, problems));
    Some([old, new])
}

fn table(
    side: &Node,
    case: &Node,
    quoted: &BTreeSet<String>,
    problems: &mut Problems<'_>,
) -> CaseTable {
    let columns = columns(side, case);
    let mut types: BTreeMap<String, ColumnType> = columns
        .iter()
        .filter(|column| quoted.contains(*column))
        .map(|column| (column.clone(), ColumnType::Text))
        .collect();
    for node in [case, side] {
        let given = node.get("types").map(unique).unwrap_or_default();
        let given = given
            .into_iter()
            .filter(|(name, _)| columns.contains(&name.text));
        let read = given.filter_map(|(name, node)| {
            Some((name.text.clone(), scalar::column_type(node.scalar()?)?))
        });
        types.extend(read);
    }
    let rows = rows_of(side)
        .iter()
        .filter_map(|row| cells(row, &columns, problems))
        .collect();
    CaseTable {
        columns,
        types,
        rows,
    }
}

fn rows_of(side: &Node) -> &[Node] {
    match &*side.data {
        Data::Map(_) => side.get("rows").map(Node::items).unwrap_or_default(),
        _ => side.items(),
    }
}

/// The columns that are named, or else those that rows name, in that order; of the other table's, where this one has no
/// row that names any.
fn columns(side: &Node, case: &Node) -> Vec<String> {
    for node in [side, case] {
        if node.get("columns").is_some() {
            let named = texts_at(node, "columns").into_iter();
            return named.map(|(column, _)| column.to_owned()).collect();
        }
    }
    let others = [case.get("old"), case.get("new")];
    let all = std::iter::once(side).chain(others.into_iter().flatten());
    let mut found = Vec::new();
    for side in all {
        for (key, _) in rows_of(side).iter().flat_map(unique) {
            if !found.contains(&key.text) {
                found.push(key.text.clone());
            }
        }
        if !found.is_empty() {
            break;
        }
    }
    found
}

/// The columns in which a value stands in quotes: they are text.
fn quoted_columns(side: &Node, case: &Node) -> BTreeSet<String> {
    let columns = columns(side, case);
    let mut quoted = BTreeSet::new();
    for row in rows_of(side) {
        let by_name = unique(row).into_iter().map(|(key, node)| (&key.text, node));
        let by_place = columns.iter().zip(row.items());
        for (column, cell) in by_name.chain(by_place) {
            if cell.scalar().is_some_and(|scalar| !scalar.plain) {
                quoted.insert(column.clone());
            }
        }
    }
    quoted
}

fn cells(
    row: &Node,
    columns: &[String],
    problems: &mut Problems<'_>,
) -> Option<Vec<Option<String>>> {
    let mut wrong = |node: &Node, message: String, fix: &str| {
        problems.push(node.mark, &Origin::Pipeline, message, fix);
        None
    };
    match &*row.data {
        Data::List(cells) if columns.is_empty() && !cells.is_empty() => {
            let fix = "name them: `columns: [id, price]`";
            wrong(
                row,
                "a row is a list, but nothing says what its columns are".to_owned(),
                fix,
            )
        }
        Data::List(cells) if cells.len() != columns.len() => {
            let message = format!(
                "a row has {} values, and the table {} columns",
                cells.len(),
                columns.len()
            );
            wrong(
                row,
                message,
                "write a value for each column; `null` where there is none",
            )
        }
        Data::List(cells) => cells.iter().map(|cell| value(cell, problems)).collect(),
        Data::Map(entries) => {
            if let Some((key, _)) = entries.iter().find(|(key, _)| !columns.contains(&key.text)) {
                let message = format!("the table has no column {}", quoted(&key.text));
                let fix = format!("the columns are: {}", columns.join(", "));
                problems.push(key.mark, &Origin::Pipeline, message, fix);
                return None;
            }
            let cell = |column: &String| match row.get(column) {
                Some(cell) => value(cell, problems),
                None => Some(None),
            };
            columns.iter().map(cell).collect()
        }
        Data::Scalar(_) => {
            let fix = "write its values in brackets, or by column: `{ id: 1, price: 2.5 }`";
            wrong(row, "a row is a list or a mapping".to_owned(), fix)
        }
    }
}

/// A cell's text: as it is written where it is plain; NULL where nothing or `null` stands.
fn value(cell: &Node, problems: &mut Problems<'_>) -> Option<Option<String>> {
    match cell.scalar() {
        Some(scalar) if scalar.is_null() => Some(None),
        Some(scalar) => Some(Some(scalar.text.clone())),
        None => {
            let fix =
                "lists and mappings cannot be values here; write text, a number, a date or `null`";
            problems.push(
                cell.mark,
                &Origin::Pipeline,
                "a value must be one value",
                fix,
            );
            None
        }
    }
}
