//! Tables at rest: found, pinned, typed, read and written.
//!
//! Knows: files and folders, Parquet, CSV, JSON lines, Arrow, gzip, zstd.
//! Does not know: pipelines, tasks, runs, SQL, DataFusion, async.
//! Everything streams: no file is ever held in memory as a whole.

mod array;
mod arrow_file;
pub mod columns;
mod csv;
mod error;
mod file;
mod json;
pub mod pin;
pub mod schema_text;
pub mod source;
mod text_file;
pub mod value;
pub mod write;

pub use array::{ArrayError, array_of, array_type};
pub use arrow_file::{ArrowCause, ArrowFileError};
pub use columns::table_schema;
pub use csv::error::{CsvError, CsvProblem};
pub use error::TableError;
pub use file::{open_beneath, open_regular};
pub use json::error::{JsonError, JsonProblem};
pub use pin::{
    ChangedFile, Day, ListedFile, PinError, changed_files, date_in, dates, laid_out, of_copy,
    open_pinned, pin, pin_days, pin_listed, pin_own, require_beneath, require_own, touched_file,
};
pub use source::parquet::ParquetError;
pub use source::reader::{Piece, TableReader};
pub use source::{Batches, Extent, SchemaError, TableSource, schemas_of_pair};
pub use text_file::{Lines, is_compressed, open as open_text};
pub use value::{ValueError, value_at};
pub use write::{CsvFile, ParquetFile};
