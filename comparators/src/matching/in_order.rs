//! Matching a part that is too large to be loaded: both sides are sorted, on disk if need be, and walked along.
//!
//! A part becomes that large when one key, or a few, have a large share of all rows.

use std::cmp::Ordering;

use super::{Matched, match_pair};
use crate::both::Both;
use crate::bulk::BulkJudge;
use crate::codec::Coded as _;
use crate::means::{Means, TempError};
use crate::parts::Parts;
use crate::record::{Record, Records, record_bytes};
use crate::setting::{Identity, Setting};
use crate::sorted::{Sorted, Sorter};

pub(super) fn match_part(
    sides: &Both<Parts<'_>>,
    part: usize,
    setting: Setting<'_>,
    judge: &BulkJudge<'_>,
    matched: &mut Matched,
) -> Result<(), TempError> {
    let Setting {
        identity, means, ..
    } = setting;
    let mut old = sorted(&sides.old, part, judge.held.words, means)?;
    let mut new = sorted(&sides.new, part, judge.held.words, means)?;
    while let Some(key) = first_key(&mut old, &mut new)? {
        let mut group = Group {
            key,
            counts: Both::default(),
            left: Both::default(),
            is_beyond_pair: false,
        };
        while let Some((a, b)) = group.next(&mut old, &mut new)? {
            group.take(a, b, judge, matched);
        }
        group.end(identity, judge, matched);
    }
    Ok(())
}

fn sorted<'a>(
    side: &Parts<'_>,
    part: usize,
    words: usize,
    means: &'a Means,
) -> Result<Sorted<'a, Record>, TempError> {
    let mut sorter = Sorter::new(means, |a: &Record, b: &Record| {
        (a.key, a.row, &a.held, a.place.position()).cmp(&(
            b.key,
            b.row,
            &b.held,
            b.place.position(),
        ))
    });
    side.take_chunks(part, |chunk| {
        let mut records = chunk.chunks_exact(record_bytes(words));
        records.try_for_each(|mut record| sorter.push(Record::decode(&mut record)))
    })?;
    sorter.finish()
}

fn first_key(
    old: &mut Sorted<'_, Record>,
    new: &mut Sorted<'_, Record>,
) -> Result<Option<u128>, TempError> {
    let keys = [old.peek()?, new.peek()?];
    Ok(keys.into_iter().flatten().map(|record| record.key).min())
}

/// An old and a new record that could be equal, or one of them alone.
type Paired = (Option<Record>, Option<Record>);

/// The rows of one key, of which no more than one of each side is remembered.
struct Group {
    key: u128,
    counts: Both<u64>,
    left: Both<Option<Record>>,
    is_beyond_pair: bool,
}

impl Group {
    /// The next record of the key, or one of each side where they could be equal.
    fn next(
        &mut self,
        old: &mut Sorted<'_, Record>,
        new: &mut Sorted<'_, Record>,
    ) -> Result<Option<Paired>, TempError> {
        let is_own = |record: &&Record| record.key == self.key;
        let order = match (old.peek()?.filter(is_own), new.peek()?.filter(is_own)) {
            (None, None) => return Ok(None),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => (a.row, &a.held).cmp(&(b.row, &b.held)),
        };
        let old = if order.is_le() { old.next()? } else { None };
        let new = if order.is_ge() { new.next()? } else { None };
        self.counts.old += u64::from(old.is_some());
        self.counts.new += u64::from(new.is_some());
        Ok(Some((old, new)))
    }

    fn take(
        &mut self,
        old: Option<Record>,
        new: Option<Record>,
        judge: &BulkJudge<'_>,
        matched: &mut Matched,
    ) {
        if let (Some(a), Some(b)) = (&old, &new)
            && judge.same(&a.held, &b.held)
        {
            matched.equal += 1;
            return;
        }
        if let Some(before) = old.and_then(|record| self.left.old.replace(record)) {
            matched.remaining.old.insert(before.place.position());
            self.is_beyond_pair = true;
        }
        if let Some(before) = new.and_then(|record| self.left.new.replace(record)) {
            matched.remaining.new.insert(before.place.position());
            self.is_beyond_pair = true;
        }
    }

    fn end(self, identity: Identity, judge: &BulkJudge<'_>, matched: &mut Matched) {
        if identity == Identity::Key && self.counts.old.max(self.counts.new) > 1 {
            matched.duplicate_keys += 1;
        }
        match (self.left.old, self.left.new) {
            (Some(old), Some(new)) if !self.is_beyond_pair => {
                let records = Both {
                    old: &Records::of(&old),
                    new: &Records::of(&new),
                };
                match_pair(records, Both { old: 0, new: 0 }, judge, matched);
            }
            (old, new) => {
                old.into_iter()
                    .for_each(|record| matched.remaining.old.insert(record.place.position()));
                new.into_iter()
                    .for_each(|record| matched.remaining.new.insert(record.place.position()));
            }
        }
    }
}
