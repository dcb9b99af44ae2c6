//! Rows that are equal on both sides cancel; what remains has to be looked at.

use crate::both::Both;
use crate::entries::{Entries, Entry};
use crate::row_set::RowSet;

/// What the digests of both sides say.
#[derive(Debug, Default)]
pub(crate) struct Matched {
    /// Pairs of rows that are equal in every compared cell.
    pub(crate) equal: u64,
    /// Keys that stand more than once on a side; none where there is no key.
    pub(crate) duplicate_keys: u64,
    /// The rows that have no equal one left on the other side.
    pub(crate) remaining: Both<RowSet>,
}

/// Whether the rows have a key, or are a multiset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Identity {
    Key,
    WholeRow,
}

/// Cancels the equal rows of two sides with equally many parts.
pub(crate) fn match_sides(sides: Both<Entries>, identity: Identity) -> Matched {
    let mut matched = Matched::default();
    for (old, new) in sides.old.into_parts().zip(sides.new.into_parts()) {
        match_part(old, new, identity, &mut matched);
    }
    matched
}

fn match_part(mut old: Vec<Entry>, mut new: Vec<Entry>, identity: Identity, matched: &mut Matched) {
    old.sort_unstable();
    new.sort_unstable();
    let (mut old, mut new) = (old.as_slice(), new.as_slice());
    while let Some(key) = first_key(old, new) {
        let (old_group, new_group);
        (old_group, old) = split_key(old, key);
        (new_group, new) = split_key(new, key);
        if identity == Identity::Key && old_group.len().max(new_group.len()) > 1 {
            matched.duplicate_keys += 1;
        }
        match_group(old_group, new_group, matched);
    }
}

fn first_key(old: &[Entry], new: &[Entry]) -> Option<u128> {
    [old, new]
        .iter()
        .filter_map(|side| side.first())
        .map(|entry| entry.key)
        .min()
}

fn split_key(entries: &[Entry], key: u128) -> (&[Entry], &[Entry]) {
    let end = entries
        .iter()
        .position(|entry| entry.key != key)
        .unwrap_or(entries.len());
    entries.split_at(end)
}

/// Cancels the rows of one key, each against one equal row; both sides stand in the order of their row digests.
fn match_group(mut old: &[Entry], mut new: &[Entry], matched: &mut Matched) {
    while let (Some(first_old), Some(first_new)) = (old.first(), new.first()) {
        match first_old.row.cmp(&first_new.row) {
            std::cmp::Ordering::Equal => {
                matched.equal += 1;
                (old, new) = (&old[1..], &new[1..]);
            }
            std::cmp::Ordering::Less => {
                matched.remaining.old.insert(first_old.position);
                old = &old[1..];
            }
            std::cmp::Ordering::Greater => {
                matched.remaining.new.insert(first_new.position);
                new = &new[1..];
            }
        }
    }
    old.iter()
        .for_each(|entry| matched.remaining.old.insert(entry.position));
    new.iter()
        .for_each(|entry| matched.remaining.new.insert(entry.position));
}
