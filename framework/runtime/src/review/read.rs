//! The cells of a file that people worked on: a CSV of any make, or an Excel workbook.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Cursor, Read as _};
use std::path::Path;

use calamine::{Data, DataRef, Reader as _, Xlsx, XlsxError};
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use zip::ZipArchive;

use super::ReviewError;
use crate::small_file::SmallFileError;

/// The bytes of a file, at most: of its packed parts as well.
pub(super) const MAX_FILE_BYTES: u64 = 64 << 20;
/// The parts of a workbook, at most.
const MAX_PARTS: usize = 1_000;
/// The cells that are looked at, at most.
const MAX_CELLS: usize = 4_000_000;
const TOO_MANY_CELLS: &str = "it has more than 4,000,000 cells";
/// What the fields of a line may stand apart by.
const DELIMITERS: [u8; 4] = *b",;\t|";

/// One line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct TableLine {
    /// Its number, as the program that edits the file shows it.
    pub(super) number: u64,
    /// Those of its cells that have something in them, by column.
    pub(super) cells: BTreeMap<u32, String>,
}

/// The lines of a file. Of a CSV all ways to cut it into cells are tried, and of a workbook all sheets, until one has what
/// is wanted; else it is the first one.
///
/// # Errors
/// It cannot be read, is too large, or is no such file.
pub(super) fn read(
    path: &Path,
    is_wanted: impl Fn(&[TableLine]) -> bool,
) -> Result<Vec<TableLine>, ReviewError> {
    let bytes = bytes(path).map_err(|error| ReviewError::file(path, &error))?;
    let wrong = |reason: String| ReviewError::File {
        path: path.to_owned(),
        reason,
    };
    if bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        let reason = "it is a workbook of the old kind (.xls)\nhint: save it as .xlsx or as CSV";
        return Err(wrong(reason.to_owned()));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        let tables = sheets(bytes).map_err(wrong)?;
        return Ok(best(tables.into_iter(), is_wanted));
    }
    let text = text(&bytes);
    let mut tables = Vec::new();
    for delimiter in DELIMITERS {
        let table = lines(&text, delimiter).map_err(wrong)?;
        if is_wanted(&table) {
            return Ok(table);
        }
        tables.push(table);
        tables.truncate(1);
    }
    Ok(best(tables.into_iter(), is_wanted))
}

fn best(
    mut tables: impl Iterator<Item = Vec<TableLine>>,
    is_wanted: impl Fn(&[TableLine]) -> bool,
) -> Vec<TableLine> {
    let first = tables.next().unwrap_or_default();
    if is_wanted(&first) {
        return first;
    }
    tables.find(|table| is_wanted(table)).unwrap_or(first)
}

fn bytes(path: &Path) -> Result<Vec<u8>, SmallFileError> {
    // Opening a pipe waits for whoever writes to it: so one looks first.
    if !fs::metadata(path)?.is_file() {
        return Err(SmallFileError::NotAFile);
    }
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(SmallFileError::TooLong {
            bytes: bytes.len() as u64,
            limit: MAX_FILE_BYTES,
        });
    }
    Ok(bytes)
}

/// In whatever encoding a spreadsheet writes: what begins with a byte order mark says so, and what is no UTF-8 is what
/// Windows writes in the west.
fn text(bytes: &[u8]) -> String {
    let (encoding, mark) = Encoding::for_bom(bytes).unwrap_or((UTF_8, 0));
    let (text, is_damaged) = encoding.decode_without_bom_handling(&bytes[mark..]);
    if is_damaged && encoding == UTF_8 {
        return WINDOWS_1252.decode(bytes).0.into_owned();
    }
    text.into_owned()
}

fn lines(text: &str, delimiter: u8) -> Result<Vec<TableLine>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut lines = Vec::new();
    let mut seen = 0;
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        seen += record.len();
        if seen > MAX_CELLS {
            return Err(TOO_MANY_CELLS.to_owned());
        }
        let cells = (0..).zip(&record).filter(|(_, cell)| !cell.is_empty());
        lines.push(TableLine {
            number: record.position().map_or(0, csv::Position::line),
            cells: cells
                .map(|(column, cell)| (column, cell.to_owned()))
                .collect(),
        });
    }
    Ok(lines)
}

fn sheets(bytes: Vec<u8>) -> Result<Vec<Vec<TableLine>>, String> {
    let damaged = |what: &dyn std::fmt::Display| {
        format!("it is no Excel workbook ({what})\nhint: save it as .xlsx or as CSV")
    };
    require_small(&bytes).map_err(|reason| damaged(&reason))?;
    let mut workbook: Xlsx<_> =
        Xlsx::new(Cursor::new(bytes)).map_err(|error: XlsxError| damaged(&error))?;
    let mut sheets = Vec::new();
    for name in workbook.sheet_names() {
        sheets.push(sheet(&mut workbook, &name).map_err(|error| damaged(&error))?);
    }
    Ok(sheets)
}

/// A small file can be packed so that it takes all memory when it is unpacked.
fn require_small(bytes: &[u8]) -> Result<(), String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    if archive.len() > MAX_PARTS {
        return Err("it has too many parts".to_owned());
    }
    let mut left = MAX_FILE_BYTES;
    for part in 0..archive.len() {
        let part = archive.by_index(part).map_err(|error| error.to_string())?;
        let taken = std::io::copy(&mut part.take(left + 1), &mut std::io::sink())
            .map_err(|error| error.to_string())?;
        left = left
            .checked_sub(taken)
            .ok_or("unpacked it is larger than 64 MiB")?;
    }
    Ok(())
}

/// Cell by cell: where they lie apart, a table of all between them would be endless.
fn sheet(workbook: &mut Xlsx<Cursor<Vec<u8>>>, name: &str) -> Result<Vec<TableLine>, String> {
    let text = |error: XlsxError| error.to_string();
    let mut rows: BTreeMap<u32, BTreeMap<u32, String>> = BTreeMap::new();
    let mut cells = workbook.worksheet_cells_reader(name).map_err(text)?;
    let mut seen = 0;
    while let Some(cell) = cells.next_cell().map_err(text)? {
        seen += 1;
        if seen > MAX_CELLS {
            return Err(TOO_MANY_CELLS.to_owned());
        }
        let text = match cell.get_value() {
            DataRef::Empty => continue,
            DataRef::String(text) => text.clone(),
            DataRef::SharedString(text) => (*text).to_owned(),
            other => Data::from(other.clone()).to_string(),
        };
        if text.is_empty() {
            continue;
        }
        let (row, column) = cell.get_position();
        rows.entry(row).or_default().insert(column, text);
    }
    let lines = rows.into_iter().map(|(row, cells)| TableLine {
        number: u64::from(row) + 1,
        cells,
    });
    Ok(lines.collect())
}

#[cfg(test)]
mod tests;
