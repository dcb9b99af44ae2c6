//! Rows that are equal on both sides cancel; what remains has to be looked at.

use crate::both::Both;
use crate::bulk::{BulkCounts, BulkJudge};
use crate::means::TempError;
use crate::parts::Parts;
use crate::record::{Pair, Records};
use crate::row_set::RowSet;
use crate::setting::{Identity, Setting, on_parts};

mod groups;
mod in_order;

use groups::Groups;

/// What the records say.
#[derive(Debug, Default)]
pub(crate) struct Matched {
    /// Pairs of rows that are equal in every compared cell.
    pub(crate) equal: u64,
    /// Keys that stand more than once on a side; none where there is no key.
    pub(crate) duplicate_keys: u64,
    /// Pairs that differ as rules expect.
    pub(crate) expected: BulkCounts,
    /// The rows that have to be read again.
    pub(crate) remaining: Both<RowSet>,
}

/// Cancels the equal rows of two sides with equally many parts.
pub(crate) fn match_sides(
    sides: &Both<Parts<'_>>,
    setting: Setting<'_>,
    judge: &BulkJudge<'_>,
) -> Result<Matched, TempError> {
    let found = on_parts(setting.means, |part, matched: &mut Matched| {
        if sides.old.bytes(part) + sides.new.bytes(part) > setting.means.most_part_bytes {
            return in_order::match_part(sides, part, setting, judge, matched);
        }
        let words = setting.held.words;
        let old = Records::decode(&sides.old.take(part)?, words);
        let new = Records::decode(&sides.new.take(part)?, words);
        match_part(
            Both {
                old: &old,
                new: &new,
            },
            setting.identity,
            judge,
            matched,
        );
        Ok(())
    })?;
    let mut matched = Matched::default();
    found.into_iter().for_each(|found| matched.merge(found));
    for pair in matched.expected.take_samples() {
        matched.remaining.old.insert(pair.old);
        matched.remaining.new.insert(pair.new);
    }
    Ok(matched)
}

fn match_part(
    records: Both<&Records>,
    identity: Identity,
    judge: &BulkJudge<'_>,
    matched: &mut Matched,
) {
    let groups = Groups::of(&records);
    let mut rows = Both::<Vec<usize>>::default();
    for group in 0..groups.len() {
        if let Some(pair) = groups.single_pair(group) {
            match_pair(records, pair, judge, matched);
            continue;
        }
        groups.rows(group, &mut rows);
        if identity == Identity::Key && rows.old.len().max(rows.new.len()) > 1 {
            matched.duplicate_keys += 1;
        }
        match_group(records, &mut rows, judge, matched);
    }
}

/// Two rows of one key, each the only one on its side.
fn match_pair(records: Both<&Records>, pair: Pair, judge: &BulkJudge<'_>, matched: &mut Matched) {
    let are_alike = records.old.rows[pair.old] == records.new.rows[pair.new];
    if are_alike && judge.same(records.old.held(pair.old), records.new.held(pair.new)) {
        matched.equal += 1;
    } else if !are_alike || !judge.count(records, pair, &mut matched.expected) {
        matched.remain(records, pair);
    }
}

/// Cancels the rows of one key, each against one equal row.
fn match_group(
    records: Both<&Records>,
    rows: &mut Both<Vec<usize>>,
    judge: &BulkJudge<'_>,
    matched: &mut Matched,
) {
    let sort = |records: &Records, rows: &mut Vec<usize>| {
        rows.sort_unstable_by_key(|row| (records.rows[*row], records.held(*row)));
    };
    sort(records.old, &mut rows.old);
    sort(records.new, &mut rows.new);
    let (mut old, mut new) = (rows.old.iter().peekable(), rows.new.iter().peekable());
    let mut left = Both::<Vec<usize>>::default();
    while let (Some(&&a), Some(&&b)) = (old.peek(), new.peek()) {
        let order = (records.old.rows[a], records.old.held(a))
            .cmp(&(records.new.rows[b], records.new.held(b)));
        if order.is_lt() {
            left.old.extend(old.next());
        } else if order.is_gt() {
            left.new.extend(new.next());
        } else {
            old.next();
            new.next();
            if judge.same(records.old.held(a), records.new.held(b)) {
                matched.equal += 1;
            } else {
                left.old.push(a);
                left.new.push(b);
            }
        }
    }
    left.old.extend(old);
    left.new.extend(new);
    match (left.old.as_slice(), left.new.as_slice()) {
        ([a], [b]) => match_pair(records, Both { old: *a, new: *b }, judge, matched),
        (old, new) => {
            old.iter().for_each(|row| {
                matched
                    .remaining
                    .old
                    .insert(records.old.places[*row].position())
            });
            new.iter().for_each(|row| {
                matched
                    .remaining
                    .new
                    .insert(records.new.places[*row].position())
            });
        }
    }
}

impl Matched {
    fn remain(&mut self, records: Both<&Records>, pair: Pair) {
        self.remaining
            .old
            .insert(records.old.places[pair.old].position());
        self.remaining
            .new
            .insert(records.new.places[pair.new].position());
    }

    fn merge(&mut self, other: Self) {
        self.equal += other.equal;
        self.duplicate_keys += other.duplicate_keys;
        self.expected.merge(other.expected);
        self.remaining.old.merge(other.remaining.old);
        self.remaining.new.merge(other.remaining.new);
    }
}
