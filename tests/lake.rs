//! Whole pipelines: every kind of version, what others publish, many dates, slices of the customers, the published past.

mod backfill;
pub(crate) mod delta;
mod formats;
mod kinds;
mod notifying;
mod past;
mod slices;
mod which;
