//! Campaigns: a test over many seeds, of which it runs a sample unless it is asked for all of them.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// How many seeds are tried at the same time.
const AT_ONCE: usize = 2;

/// How much of a campaign is run: the sample, with `UNDERSTUDY_CAMPAIGN=full` the whole, with `UNDERSTUDY_SEED` one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Extent {
    Sample,
    Full,
    One(u64),
}

impl Extent {
    pub(crate) fn asked_for() -> Self {
        let variable = |name: &str| std::env::var(name).ok();
        if let Some(seed) = variable("UNDERSTUDY_SEED") {
            return Self::One(seed.parse().expect("`UNDERSTUDY_SEED` is a number"));
        }
        match variable("UNDERSTUDY_CAMPAIGN").as_deref() {
            Some("full") => Self::Full,
            Some(other) => panic!("`UNDERSTUDY_CAMPAIGN` is `{other}`, and can only be `full`"),
            None => Self::Sample,
        }
    }
}

/// Runs a test for the seeds that are asked for, of so many in a sample and in the whole. A seed that fails says how
/// to run it again.
pub(crate) fn for_seeds(
    name: &str,
    extent: Extent,
    [sample, full]: [u64; 2],
    test: impl Fn(u64) + Sync,
) {
    let seeds = match extent {
        Extent::Sample => 0..sample,
        Extent::Full => 0..full,
        Extent::One(seed) => seed..seed + 1,
    };
    let next = AtomicU64::new(seeds.start);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| test(seed))) {
                eprintln!(
                    "again: UNDERSTUDY_SEED={seed} cargo test -p understudy --test outside {name}"
                );
                resume_unwind(panic);
            }
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            if let Err(panic) = worker.join() {
                resume_unwind(panic);
            }
        }
    });
}

/// A generator of numbers (the SplitMix64 of Steele, Lea and Flood, 2014).
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number below a bound; zero where there is none.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.next() as u8
    }

    pub(crate) fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}
