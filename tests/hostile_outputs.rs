//! Damaged and hostile files where a run takes tables from others: as its inputs, as what programs leave, as what
//! external versions left.

mod batch;
mod left;

use crate::campaign::{Extent, for_seeds};
use batch::{Batches, FILES};

/// The batches of a normal run, and of the whole campaign of ten thousand files.
const SEEDS: [u64; 2] = [20, 10_000 / FILES as u64];

#[test]
fn mutated_tables_of_a_run_harm_nobody() {
    let extent = Extent::asked_for();
    let batches = Batches::new();
    for_seeds("mutated_tables_of_a_run", extent, SEEDS, |seed| {
        batches.run(seed)
    });
    batches.conclude(extent);
}
