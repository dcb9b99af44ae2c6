//! What every pass over the tables works with.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use understudy_tables::Piece;

use crate::align::Alignment;
use crate::both::{Both, Side};
use crate::held::Held;
use crate::means::Means;
use crate::table::Table;

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

/// Which columns a pass reads; each reading has all columns of the one before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Reading {
    /// Those of the key and of the customer: all compared ones are known to be equal.
    Keys,
    /// Those that are held too: all others are known to be equal.
    Held,
    /// All that are compared.
    All,
}

/// Does the same for both sides, at once where there are two threads for it.
pub(crate) fn on_both<T: Send, E: Send>(
    means: &Means,
    work: impl Fn(Side) -> Result<T, E> + Sync,
) -> Result<Both<T>, E> {
    let done = on_threads(means.threads.min(2), 2, |next, done: &mut Vec<_>| {
        let side = [Side::Old, Side::New][next];
        done.push((side, work(side)?));
        Ok(())
    })?;
    let mut done: Vec<(Side, T)> = done.into_iter().flatten().collect();
    done.sort_by_key(|(side, _)| *side);
    let mut sides = done.into_iter().map(|(_, value)| value);
    let both = sides.next().zip(sides.next());
    let (old, new) = both.expect("both sides were worked on");
    Ok(Both { old, new })
}

/// Does some work for every part, with as many threads as there are, each of which gathers its own results.
pub(crate) fn on_parts<T: Default + Send, E: Send>(
    means: &Means,
    work: impl Fn(usize, &mut T) -> Result<(), E> + Sync,
) -> Result<Vec<T>, E> {
    on_threads(means.threads, means.parts, work)
}

/// Does some work for every piece of both tables, the longest first, with as many threads as there are. Each thread
/// begins with a worker of its own and ends with what that one has done.
pub(crate) fn on_pieces<W, T: Send, E: Send>(
    means: &Means,
    tables: &Both<&dyn Table>,
    begin: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, Side, &Piece) -> Result<(), E> + Sync,
    end: impl Fn(W) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let of_side = |side: Side| {
        let pieces = tables.get(side).pieces().into_iter();
        pieces.map(move |piece| (side, piece))
    };
    let mut pieces: Vec<(Side, Piece)> = of_side(Side::Old).chain(of_side(Side::New)).collect();
    pieces.sort_by_key(|(_, piece)| Reverse(piece.rows.unwrap_or(u64::MAX)));
    let next = AtomicUsize::new(0);
    gather(means.threads.min(pieces.len()), || {
        let mut worker = begin();
        while let Some((side, piece)) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(&mut worker, *side, piece).inspect_err(|_| stop(&next, pieces.len()))?;
        }
        end(worker)
    })
}

fn on_threads<T: Default + Send, E: Send>(
    threads: usize,
    tasks: usize,
    work: impl Fn(usize, &mut T) -> Result<(), E> + Sync,
) -> Result<Vec<T>, E> {
    let next = AtomicUsize::new(0);
    gather(threads.min(tasks), || {
        let mut gathered = T::default();
        loop {
            let task = next.fetch_add(1, Ordering::Relaxed);
            if task >= tasks {
                return Ok(gathered);
            }
            work(task, &mut gathered).inspect_err(|_| stop(&next, tasks))?;
        }
    })
}

/// Lets no thread begin another task.
fn stop(next: &AtomicUsize, tasks: usize) {
    next.store(tasks, Ordering::Relaxed);
}

/// The same work on so many threads, at least one of which is this one.
fn gather<T: Send, E: Send>(
    threads: usize,
    work: impl Fn() -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(&work)).collect();
        let own = work();
        let others = others.into_iter().map(|other| {
            other
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        // All threads are waited for before the first failure is said.
        let others: Vec<_> = others.collect();
        std::iter::once(own).chain(others).collect()
    })
}
