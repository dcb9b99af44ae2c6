//! The rows of two sides, grouped by the digests of their keys.

use crate::both::Both;
use crate::record::{Pair, Records};

/// No row, or no group.
const NONE: u32 = u32::MAX;

/// The groups of one part. Each is a chain of old and one of new rows.
pub(super) struct Groups {
    /// For each group the first old and the first new row.
    heads: Vec<Both<u32>>,
    /// For each row of a side the next one of its group.
    next: Both<Vec<u32>>,
}

impl Groups {
    pub(super) fn of(records: &Both<&Records>) -> Self {
        let rows = records.old.len() + records.new.len();
        assert!(
            rows < NONE as usize,
            "a part has fewer rows than a chain has numbers"
        );
        let mut table = Table {
            slots: vec![NONE; (rows * 2).next_power_of_two()],
            keys: Vec::with_capacity(rows),
        };
        let mut groups = Self {
            heads: Vec::with_capacity(rows),
            next: Both {
                old: vec![NONE; records.old.len()],
                new: vec![NONE; records.new.len()],
            },
        };
        for (row, key) in records.old.keys.iter().enumerate() {
            let group = groups.group(&mut table, *key);
            groups.next.old[row] = std::mem::replace(&mut groups.heads[group].old, row as u32);
        }
        for (row, key) in records.new.keys.iter().enumerate() {
            let group = groups.group(&mut table, *key);
            groups.next.new[row] = std::mem::replace(&mut groups.heads[group].new, row as u32);
        }
        groups
    }

    fn group(&mut self, table: &mut Table, key: u128) -> usize {
        let group = table.find_or_insert(key);
        if group == self.heads.len() {
            self.heads.push(Both {
                old: NONE,
                new: NONE,
            });
        }
        group
    }

    pub(super) fn len(&self) -> usize {
        self.heads.len()
    }

    /// The two rows of a group that has exactly one on each side.
    pub(super) fn single_pair(&self, group: usize) -> Option<Pair> {
        let Both { old, new } = self.heads[group];
        let is_single = old != NONE
            && new != NONE
            && self.next.old[old as usize] == NONE
            && self.next.new[new as usize] == NONE;
        is_single.then_some(Both {
            old: old as usize,
            new: new as usize,
        })
    }

    /// All rows of a group.
    pub(super) fn rows(&self, group: usize, rows: &mut Both<Vec<usize>>) {
        let Both { old, new } = self.heads[group];
        follow(old, &self.next.old, &mut rows.old);
        follow(new, &self.next.new, &mut rows.new);
    }
}

fn follow(head: u32, next: &[u32], rows: &mut Vec<usize>) {
    rows.clear();
    let mut row = head;
    while row != NONE {
        rows.push(row as usize);
        row = next[row as usize];
    }
}

/// A hash table with open addressing: from key digests to group numbers.
struct Table {
    slots: Vec<u32>,
    keys: Vec<u128>,
}

impl Table {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the lower bits of a digest are its hash"
    )]
    fn find_or_insert(&mut self, key: u128) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = key as usize & mask;
        loop {
            match self.slots[slot] {
                NONE => {
                    self.slots[slot] = self.keys.len() as u32;
                    self.keys.push(key);
                    return self.keys.len() - 1;
                }
                group if self.keys[group as usize] == key => return group as usize,
                _ => slot = (slot + 1) & mask,
            }
        }
    }
}
