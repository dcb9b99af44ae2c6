//! Masked columns: a keyed digest stands in the place of each value, wherever values leave the data.
//!
//! Knows: keys, tokens, tables, texts. Does not know: which columns are masked in which task (that is core's), runs.
//! Findings are masked as values, by column, before anything is sorted or written ([`Mask`]). In texts, where a value
//! can stand anywhere, the values themselves are looked for (`Scrubber`).

mod key;
mod renderings;
mod scrub;
mod values;

use std::fmt;
use std::path::PathBuf;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use understudy_comparators::{Finding, Shows};
use understudy_core::comparison::{RowChange, RowDifference};
use understudy_core::schema::Column;
use understudy_core::spec::masks::MaskedColumns;
use understudy_core::value::Value;
use understudy_sabotage::Sabotage;

pub use key::MaskKeyError;
pub(crate) use key::{KEY_FILE, store_key, throwaway_key, with_key};
pub(crate) use scrub::{MAX_TEXT_BYTES, Scrubber};
pub(crate) use values::{each_value, each_value_left};

/// What a token begins with.
pub const TOKEN_PREFIX: &str = "masked:";
/// The hexadecimal digits of a token: 64 bits, so that two of four billion values share one by chance.
const TOKEN_DIGITS: usize = 16;

/// Which columns a worker masks, and where the key is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MaskOrder {
    /// The columns.
    pub columns: MaskedColumns,
    /// The file with the key.
    pub key_file: PathBuf,
}

/// Masks values of some columns.
#[derive(Clone, Default)]
pub struct Mask {
    columns: MaskedColumns,
    key: Vec<u8>,
}

impl fmt::Debug for Mask {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mask")
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

impl Mask {
    /// One that masks nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// The one that was ordered.
    ///
    /// # Errors
    /// The key cannot be read.
    pub fn ordered(order: Option<&MaskOrder>) -> Result<Self, MaskKeyError> {
        let Some(order) = order else {
            return Ok(Self::nothing());
        };
        Ok(Self {
            columns: order.columns.clone(),
            key: key::read(&order.key_file)?,
        })
    }

    /// Whether a column of that name is masked.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        self.columns.has(column)
    }

    /// What stands in the place of a value with this text: HMAC-SHA256 (RFC 2104), cut.
    #[must_use]
    pub fn token(&self, text: &str) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(text.as_bytes());
        let digits: String = mac
            .finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{TOKEN_PREFIX}{}", &digits[..TOKEN_DIGITS])
    }

    /// Masks what a row that differs says of masked columns.
    pub(crate) fn row(&self, row: &mut RowDifference, key: &[Column], columns: &[Column]) {
        if self.columns.is_empty() || Sabotage::ClearColumns.is_on() {
            return;
        }
        self.values(&mut row.key, key);
        match &mut row.change {
            RowChange::Cells(cells) => {
                for cell in cells {
                    let column = columns.get(cell.column);
                    if column.is_some_and(|column| self.has(&column.name)) {
                        self.value(&mut cell.old);
                        self.value(&mut cell.new);
                    }
                }
            }
            RowChange::OnlyOld(values) | RowChange::OnlyNew(values) => self.values(values, columns),
        }
    }

    /// Masks what a finding says of masked columns. Where there are any, a value under a name that no table has may be one
    /// of theirs, so only columns of the tables that are not masked are shown.
    pub(crate) fn finding(&self, finding: &mut Finding, columns: &[Column]) {
        if self.columns.is_empty() || Sabotage::ClearColumns.is_on() {
            return;
        }
        let is_shown = |name: &str| {
            let is_known = columns.iter().any(|column| column.name == name);
            is_known && !self.has(name)
        };
        for (name, value) in &mut finding.cells {
            if !is_shown(name) {
                self.value(value);
            }
        }
        // A name that is none of a column may be a value.
        let is_column = |name: &String| columns.iter().any(|column| column.name == *name);
        if let Some(name) = finding.column.as_mut().filter(|name| !is_column(name)) {
            *name = self.token(name);
        }
        let is_clear = finding.shows == Shows::Counts
            || finding.column.as_ref().is_some_and(|name| is_shown(name));
        if let Some(figures) = finding.figures.as_mut().filter(|_| !is_clear) {
            figures.iter_mut().for_each(|figure| self.value(figure));
        }
    }

    fn values(&self, values: &mut [Value], columns: &[Column]) {
        for (value, column) in values.iter_mut().zip(columns) {
            if self.has(&column.name) {
                self.value(value);
            }
        }
    }

    /// NULL and empty text stay: that a value is missing is what a comparison is about.
    fn value(&self, value: &mut Value) {
        if let Some(text) = value.render().filter(|text| !text.is_empty()) {
            *value = Value::Text(self.token(&text));
        }
    }
}

#[cfg(test)]
mod tests;
