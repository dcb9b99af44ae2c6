//! How report files are written.

use super::names::text_at;
use crate::csv_dialect::{CsvDialect, DecimalMark, Delimiter};
use crate::spec::yaml::Node;

/// Reads what CSV files look like; what cannot be read has been told.
pub(crate) fn csv(root: &Node) -> CsvDialect {
    let Some(csv) = root.get("reports").and_then(|reports| reports.get("csv")) else {
        return CsvDialect::default();
    };
    let word = |key: &str| text_at(csv, key).map(|(word, _)| word);
    CsvDialect {
        bom: csv.get("bom").is_some(),
        delimiter: word("delimiter")
            .and_then(Delimiter::named)
            .unwrap_or_default(),
        decimal: word("decimal")
            .and_then(DecimalMark::named)
            .unwrap_or_default(),
    }
}
