//! From comparisons to verdicts.
//!
//! [`rows`] says of each differing row which rule expects it; [`lanes`] builds the verdicts of lanes from what a
//! run left behind.

pub mod lanes;
pub mod rows;
