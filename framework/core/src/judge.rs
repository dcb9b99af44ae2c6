//! From comparisons to verdicts.
//!
//! [`rows`] says of each differing row which rule expects it, [`checks`] the same of a finding of a further
//! comparator, [`customers`] what is odd about customers; [`lanes`] builds the verdicts of lanes from what a run left
//! behind.

pub mod checks;
pub mod customers;
pub mod lanes;
pub mod rows;
