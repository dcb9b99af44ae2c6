//! Text in, text out: two small tables, a key, rules, and what the comparison should say.
//!
//! A case begins with `=== title`. Then come `key:`, `customer:` and `rule:` lines, a table after `old:` and one after
//! `new:`, and after `says:` the expected text. The first line of a table has a name and an Arrow type for each
//! column, columns stand between bars, `NULL` is NULL, `""` is empty text and `\u{e9}` a character by its number.
//! A column is nullable unless its name ends with `!`, and `name[unit=kg]` has metadata. After `tables:` stands the
//! title of an earlier case of the file, whose tables are taken. With `shows: counts` the parts of rows that no rule
//! expects are named, and what each rule counted, instead of every row and customer.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use understudy_core::rule::Rule;
use understudy_tables::{Piece, TableError};

use crate::align::Alignment;
use crate::both::Both;
use crate::compare::{CompareError, RuleSet, compare_aligned};
use crate::means::Means;
use crate::table::{Batches, Table};

use super::findings::Collected;
use super::predicates::SmallPredicates;
use super::{cells, outcome_text, parse_rule};

/// A table in memory, in batches.
#[derive(Clone, Debug)]
pub(crate) struct MemoryTable {
    pub(crate) schema: SchemaRef,
    pub(crate) batches: Vec<RecordBatch>,
}

/// Each batch can be read by itself.
impl Table for MemoryTable {
    fn pieces(&self) -> Vec<Piece> {
        let mut first_row = 0;
        let pieces = self.batches.iter().enumerate().map(|(number, batch)| {
            let rows = batch.num_rows() as u64;
            first_row += rows;
            Piece::new(number, first_row - rows, Some(rows))
        });
        pieces.collect()
    }

    fn can_skip(&self) -> bool {
        !self.batches.len().is_multiple_of(3)
    }

    fn read(
        &self,
        piece: &Piece,
        columns: &[usize],
        _: usize,
        rows: Option<&[Range<u64>]>,
    ) -> Result<Batches, TableError> {
        let mut batch = self.batches[piece.number].project(columns).unwrap();
        if let Some(ranges) = rows {
            let rows = (piece.first_row..).take(batch.num_rows());
            let is_wanted: BooleanArray = rows
                .map(|row| Some(ranges.iter().any(|range| range.contains(&row))))
                .collect();
            batch = filter_record_batch(&batch, &is_wanted).unwrap();
        }
        Ok(Box::new(std::iter::once(Ok(batch))))
    }
}

/// What a case says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shows {
    /// Every row and customer.
    Rows,
    /// What rules counted, and what they left.
    Counts,
}

/// A comparison to make.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) title: String,
    pub(crate) key: Vec<String>,
    pub(crate) customer: Option<String>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) tables: Both<MemoryTable>,
    pub(crate) says: String,
    /// What is said.
    pub(crate) shows: Shows,
}

impl Case {
    /// Compares.
    pub(crate) fn run(&self) -> Result<Collected, CompareError> {
        let schemas = Both {
            old: self.tables.old.schema.clone(),
            new: self.tables.new.schema.clone(),
        };
        let alignment = Alignment::of(schemas, &self.key, self.customer.as_deref())?;
        let tables: Both<&dyn Table> = Both {
            old: &self.tables.old,
            new: &self.tables.new,
        };
        let mut collected = Collected::default();
        let folder = std::env::temp_dir();
        let means = Means::new(64 << 20, 1, &folder, None);
        collected.comparison = compare_aligned(
            tables,
            alignment,
            RuleSet {
                rules: &self.rules,
                predicates: Some(&SmallPredicates),
            },
            &means,
            &mut collected,
        )?;
        Ok(collected)
    }
}

/// Runs every case of a file and checks what each says.
#[track_caller]
pub(crate) fn check_file(text: &str) {
    let cases = parse_cases(text);
    assert!(!cases.is_empty(), "a file of cases has cases");
    let mut wrong = 0;
    for case in cases {
        let said = match case.run() {
            Ok(collected) => outcome_text(&case, &collected),
            Err(error) => format!("error: {error}"),
        };
        if said.trim() != case.says {
            wrong += 1;
            eprintln!(
                "=== {}\n{}\nbut should say:\n{}\n",
                case.title,
                said.trim(),
                case.says
            );
        }
    }
    assert_eq!(wrong, 0, "cases that say something else; they are above");
}

fn parse_cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for text in text.split("\n=== ").skip(1) {
        let case = match text.split_once("\ntables: ") {
            None => parse_case(text),
            Some((head, rest)) => {
                let (title, rest) = rest.split_once('\n').unwrap();
                let earlier = cases.iter().find(|case| case.title == title);
                let earlier = earlier.unwrap_or_else(|| panic!("no case `{title}`"));
                let none = "old:\na Null\nnew:\na Null\n";
                Case {
                    tables: earlier.tables.clone(),
                    ..parse_case(&format!(
                        "{head}\n{}",
                        rest.replacen("says:", &format!("{none}says:"), 1)
                    ))
                }
            }
        };
        cases.push(case);
    }
    cases
}

pub(crate) fn parse_case(text: &str) -> Case {
    let (title, rest) = text.split_once('\n').unwrap();
    let (rest, says) = rest.split_once("says:\n").unwrap_or((rest, ""));
    let (head, tables) = rest.split_once("old:\n").unwrap();
    let (old, new) = tables.split_once("new:\n").unwrap();
    let mut case = Case {
        title: title.to_owned(),
        key: Vec::new(),
        customer: None,
        rules: Vec::new(),
        tables: Both {
            old: parse_table(old),
            new: parse_table(new),
        },
        says: says.trim().to_owned(),
        shows: Shows::Rows,
    };
    for line in head.lines().filter(|line| !line.trim().is_empty()) {
        let (word, rest) = line
            .split_once(": ")
            .unwrap_or_else(|| panic!("{title}: `{line}`"));
        match word {
            "key" => case.key = rest.split(", ").map(str::to_owned).collect(),
            "customer" => case.customer = Some(rest.to_owned()),
            "shows" if rest == "counts" => case.shows = Shows::Counts,
            "rule" => case.rules.push(parse_rule(case.rules.len() + 1, rest)),
            _ => panic!("{title}: `{line}`"),
        }
    }
    case
}

fn parse_table(text: &str) -> MemoryTable {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let header = lines.next().map(cells).unwrap_or_default();
    let fields: Vec<Field> = header.iter().map(|cell| parse_field(cell)).collect();
    let rows: Vec<Vec<&str>> = lines.map(cells).collect();
    let schema = Arc::new(Schema::new(fields));
    let columns = schema.fields().iter().enumerate().map(|(position, field)| {
        let cells: Vec<Option<String>> = rows
            .iter()
            .map(|row| Some(row[position]).filter(|text| *text != "NULL"))
            .map(|text| text.map(unescaped))
            .collect();
        cells::column(&cells, field.data_type())
    });
    let columns: Vec<ArrayRef> = columns.collect();
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options).unwrap();
    MemoryTable {
        schema,
        batches: vec![batch],
    }
}

fn parse_field(cell: &str) -> Field {
    let (name, data_type) = cell.split_once(' ').unwrap();
    let (name, metadata) = name.split_once('[').map_or((name, None), |(name, rest)| {
        (name, rest.strip_suffix(']').unwrap().split_once('='))
    });
    let (name, is_nullable) = name
        .strip_suffix('!')
        .map_or((name, true), |name| (name, false));
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value.to_owned()));
    Field::new(name, data_type.trim().parse().unwrap(), is_nullable)
        .with_metadata(metadata.into_iter().collect())
}

/// `""` is empty text, and `\u{301}` the character of that number.
fn unescaped(cell: &str) -> String {
    let mut text = String::new();
    let mut rest = if cell == "\"\"" { "" } else { cell };
    while let Some((before, after)) = rest.split_once("\\u{") {
        let (digits, after) = after.split_once('}').unwrap();
        text.push_str(before);
        text.push(char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap());
        rest = after;
    }
    text + rest
}

fn cells(line: &str) -> Vec<&str> {
    line.split('|').map(str::trim).collect()
}
