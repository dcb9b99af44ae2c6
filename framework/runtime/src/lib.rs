//! Observe, execute, publish, compare, record, report: everything between a plan and what people read.
//!
//! Knows: files, processes, the clock, the store, the ledger.
//! Does not know: how a difference is judged or a plan is made (that is core's), nor arguments and exit codes.

pub mod cases;
mod clock;
pub mod diff;
pub mod doctor;
pub mod error;
pub mod events;
pub mod evidence;
pub mod execute;
pub mod flags;
pub mod mask;
pub mod notify;
pub mod observe;
pub mod pipeline;
pub mod prepare;
pub mod repair;
pub mod report;
pub mod review;
pub mod rollout;
pub mod run;
pub mod small_file;
pub mod store;
pub mod which;
pub mod worker;
