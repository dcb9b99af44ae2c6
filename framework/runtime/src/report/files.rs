//! The files of a comparison: `diff.csv`, `diff.parquet`, `customers.csv` and `summary.json` in one folder.

mod codec;
mod csv_files;
pub mod customers;
pub mod diff;
pub mod example;
pub mod group;
mod line;
mod parquet_file;
pub mod record;
mod sort;
pub mod summary;
pub(crate) mod whole_file;
