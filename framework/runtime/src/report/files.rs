//! The files of a comparison: `diff.csv`, `diff.parquet`, `customers.csv` and `summary.json` in one folder.

mod codec;
pub mod customers;
pub mod diff;
pub mod example;
mod line;
mod parquet_file;
pub mod record;
mod sort;
pub mod summary;
mod whole_file;
