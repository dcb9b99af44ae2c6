//! What people read: the files of a finding, and the summary of a run on a terminal.
//!
//! Knows findings and outcomes as data. Does not know how they came about: nothing here runs, compares or judges.
//! Everything that comes from data is made safe for whoever opens it: [`visible`] for terminals, [`csv_text`]
//! for spreadsheets. `diff.parquet` alone holds every text as it stands.

pub mod csv_text;
pub mod error;
pub mod files;
pub mod html;
pub mod junit;
pub mod markdown;
pub mod model;
pub mod terminal;
pub mod units;
pub mod visible;
