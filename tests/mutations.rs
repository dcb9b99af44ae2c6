//! Damaged files: whatever happened to the bytes of a table, `diff` ends, with a verdict or with an error, in time and
//! in its memory.

pub(crate) mod bases;
mod hostile;
pub(crate) mod mutate;
mod trial;

use crate::campaign::{Extent, for_seeds};
use trial::Trials;

/// The mutations of a normal run, and of the whole campaign.
const SEEDS: [u64; 2] = [500, 10_000];

#[test]
fn the_files_themselves_are_identical() {
    Trials::new().run_unmutated();
}

#[test]
fn mutated_files_are_compared_or_refused() {
    let extent = Extent::asked_for();
    let trials = Trials::new();
    for_seeds("mutated_files", extent, SEEDS, |seed| trials.run(seed));
    trials.conclude(extent);
}
