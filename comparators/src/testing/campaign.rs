//! Campaigns: a test over many seeds, of which it runs a sample unless it is asked for all of them.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// How much of a campaign is run: the sample, or with `UNDERSTUDY_CAMPAIGN=full` the whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Extent {
    Sample,
    Full,
}

impl Extent {
    pub(crate) fn asked_for() -> Self {
        match std::env::var("UNDERSTUDY_CAMPAIGN").as_deref() {
            Ok("full") => Self::Full,
            Ok(other) => panic!("`UNDERSTUDY_CAMPAIGN` is `{other}`, and can only be `full`"),
            Err(_) => Self::Sample,
        }
    }

    pub(crate) fn pick<T>(self, sample: T, full: T) -> T {
        match self {
            Self::Sample => sample,
            Self::Full => full,
        }
    }
}

/// Runs a test for every seed, or for the one in `UNDERSTUDY_SEED`; a seed that fails says how to run it again.
pub(crate) fn for_seeds(name: &str, seeds: u64, test: impl Fn(u64)) {
    let only: Option<u64> = std::env::var("UNDERSTUDY_SEED")
        .ok()
        .map(|seed| seed.parse().expect("`UNDERSTUDY_SEED` is a number"));
    for seed in only.map_or(0..seeds, |seed| seed..seed + 1) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| test(seed))) {
            let campaign = match Extent::asked_for() {
                Extent::Sample => "",
                Extent::Full => "UNDERSTUDY_CAMPAIGN=full ",
            };
            eprintln!(
                "again: {campaign}UNDERSTUDY_SEED={seed} cargo test -p understudy-comparators {name}"
            );
            resume_unwind(panic);
        }
    }
}
