//! The file for review as an Excel workbook: the same cells, and a list to choose the decision from.

use rust_xlsxwriter::{DataValidation, Format, FormatAlign, Workbook, XlsxError};
use understudy_core::review::Decision;

use super::ReviewError;
use understudy_core::csv_dialect::Delimiter;

use super::out::is_number;
use super::sheet::{COLUMNS, SheetLine};
use crate::error::RunError;
use crate::report::csv_text::safe_text;

/// The widths of the columns, in characters.
const WIDTHS: [f64; 12] = [
    24.0, 18.0, 30.0, 8.0, 16.0, 18.0, 18.0, 16.0, 10.0, 60.0, 10.0, 40.0,
];
/// The digits of a number that a spreadsheet keeps; longer ones stay text.
const MAX_DIGITS: usize = 15;
const DECISION_COLUMN: u16 = 10;

/// The bytes of a workbook with these lines.
pub(super) fn workbook(lines: &[SheetLine]) -> Result<Vec<u8>, ReviewError> {
    write(lines).map_err(|error| {
        ReviewError::Run(RunError::Machine {
            what: "the workbook cannot be made".to_owned(),
            source: std::io::Error::other(error),
        })
    })
}

fn write(lines: &[SheetLine]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    // The time of writing would make each file another one.
    let properties = rust_xlsxwriter::DocProperties::new()
        .set_creation_datetime(&rust_xlsxwriter::ExcelDateTime::from_ymd(2000, 1, 1)?);
    workbook.set_properties(&properties);
    let sheet = workbook.add_worksheet().set_name("review")?;
    let head = Format::new().set_bold().set_background_color("#DDE6F0");
    for (column, name) in (0..).zip(COLUMNS) {
        sheet.write_string_with_format(0, column, name, &head)?;
        sheet.set_column_width(column, WIDTHS[usize::from(column)])?;
    }
    sheet.set_freeze_panes(1, 0)?;
    let top = Format::new().set_align(FormatAlign::Top).set_text_wrap();
    let group = top.clone().set_bold();
    for (row, line) in (1..).zip(lines) {
        let format = if line.rows.is_some() { &group } else { &top };
        for (column, cell) in (0..).zip(cells(line)) {
            match cell {
                Some(text) if is_short_number(&text) => {
                    let number = text.parse::<f64>().unwrap_or_default();
                    sheet.write_number_with_format(row, column, number, format)?;
                }
                Some(text) => {
                    sheet.write_string_with_format(
                        row,
                        column,
                        safe_text(&text, Delimiter::Comma),
                        format,
                    )?;
                }
                None => {
                    sheet.write_blank(row, column, format)?;
                }
            }
        }
    }
    let words = Decision::ALL.map(Decision::name);
    let choice = DataValidation::new()
        .allow_list_strings(&words)?
        .set_error_title("Not an answer")?
        .set_error_message("Choose fine, bug or unsure, or leave the cell empty.")?;
    let last = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    sheet.add_data_validation(1, DECISION_COLUMN, last.max(1), DECISION_COLUMN, &choice)?;
    sheet.autofilter(0, 0, last, 11)?;
    workbook.save_to_buffer()
}

fn cells(line: &SheetLine) -> [Option<String>; 12] {
    let some = |text: &String| (!text.is_empty()).then(|| text.clone());
    [
        some(&line.id),
        some(&line.customer),
        some(&line.what),
        line.rows.map(|rows| rows.to_string()),
        some(&line.column),
        line.old.clone(),
        line.new.clone(),
        line.change.clone(),
        line.change_pct.clone(),
        line.if_accepted.clone(),
        None,
        None,
    ]
}

fn is_short_number(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    is_number(text) && digits <= MAX_DIGITS && !text.contains(['e', 'E'])
}
