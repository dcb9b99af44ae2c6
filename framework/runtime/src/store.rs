//! The store: where runs, quarantine and ledger are, and how anything in it is written.
//!
//! Knows: files, folders, digests, locks. Does not know: tasks, tables, what a run decides.
//! Everything that must outlive a crash goes through [`durable`]; only [`publish`] writes an output location.

pub(crate) mod claim;
pub mod durable;
pub mod fault;
pub mod layout;
pub(crate) mod lease;
pub mod ledger;
pub mod listing;
pub(crate) mod lock;
pub mod publish;
pub mod remote;
pub(crate) mod upload;

pub use layout::Store;

#[cfg(test)]
mod crash;
