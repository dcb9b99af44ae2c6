//! Tables at rest: found, pinned, typed, read and written.
//!
//! Knows: files and folders, Parquet, CSV, Arrow.
//! Does not know: pipelines, tasks, runs, SQL, DataFusion, async.
//! Everything streams: no file is ever held in memory as a whole.

pub mod columns;
mod csv;
mod error;
pub mod pin;
pub mod schema_text;
pub mod source;
pub mod value;
pub mod write;

pub use columns::table_schema;
pub use csv::error::{CsvError, CsvProblem};
pub use error::TableError;
pub use pin::{ChangedFile, PinError, changed_files, dates, pin};
pub use source::parquet::ParquetError;
pub use source::reader::{Piece, TableReader};
pub use source::{Batches, Extent, SchemaError, TableSource, schemas_of_pair};
pub use value::{ValueError, value_at};
pub use write::{CsvFile, ParquetFile};
