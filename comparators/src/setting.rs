//! What every pass over the tables works with.

use std::thread;

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::align::Alignment;
use crate::both::{Both, Side};
use crate::held::Held;
use crate::means::Means;

/// The columns, how rows are told apart, and the means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting<'a> {
    pub(crate) alignment: &'a Alignment,
    pub(crate) held: &'a Held,
    pub(crate) identity: Identity,
    pub(crate) means: &'a Means,
}

/// Whether the rows have a key, or are a multiset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Identity {
    Key,
    WholeRow,
}

/// Which of the compared columns a pass reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reading {
    All,
    /// Those that are held: all others are known to be equal.
    HeldOnly,
}

/// Does the same for both sides, at once where there are two threads for it.
pub(crate) fn on_both<T: Send, E: Send>(
    means: &Means,
    work: impl Fn(Side) -> Result<T, E> + Sync,
) -> Result<Both<T>, E> {
    if means.threads < 2 {
        let old = work(Side::Old)?;
        return Ok(Both {
            old,
            new: work(Side::New)?,
        });
    }
    let (old, new) = thread::scope(|scope| {
        let old = scope.spawn(|| work(Side::Old));
        let new = work(Side::New);
        (
            old.join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            new,
        )
    });
    Ok(Both {
        old: old?,
        new: new?,
    })
}

/// Does some work for every part, with as many threads as there are, each of which gathers its own results.
pub(crate) fn on_parts<T: Default + Send, E: Send>(
    means: &Means,
    parts: usize,
    work: impl Fn(usize, &mut T) -> Result<(), E> + Sync,
) -> Result<Vec<T>, E> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut gathered = T::default();
        loop {
            let part = next.fetch_add(1, Ordering::Relaxed);
            if part >= parts {
                return Ok(gathered);
            }
            work(part, &mut gathered)?;
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..means.threads).map(|_| scope.spawn(worker)).collect();
        let own = worker();
        let others = others.into_iter().map(|other| {
            other
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        std::iter::once(own)
            .chain(others.collect::<Vec<_>>())
            .collect()
    })
}
