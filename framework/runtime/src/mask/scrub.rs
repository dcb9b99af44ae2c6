//! Looks for the values of masked columns in texts, and puts their tokens in their place.
//!
//! The texts are indexed by their windows of three bytes; each value, as it streams by, asks the index. So the work grows
//! with the data and with the texts, not with both at once. A value shorter than a window cannot be looked for: it would
//! be found in every word.

use std::collections::HashSet;

use understudy_sabotage::Sabotage;
use xxhash_rust::xxh3::xxh3_64;

use super::Mask;
use super::renderings::renderings;

/// The bytes of all texts together, at most; the index has eight bytes for each of them.
pub(crate) const MAX_TEXT_BYTES: usize = 16 << 20;
/// How often values may stand in the texts.
const MAX_HITS: usize = 4 << 20;
/// The values that are remembered, so that one that stands in a million rows is looked for once.
const MAX_REMEMBERED: usize = 1 << 20;
/// The bytes of a window.
const WINDOW: usize = 3;
/// Of longer values, so much of the beginning and the end is looked for by itself: errors cut what is long.
const PIECE: usize = 24;
/// Between two texts stands what no text of a value has.
const BETWEEN: u8 = 0xFF;

/// Why texts cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScrubError {
    /// Too long to be looked through.
    #[error("it has {bytes} bytes, and at most {MAX_TEXT_BYTES} are looked through")]
    TooLong { bytes: usize },
    /// Full of values.
    #[error("masked values stand in it more than {MAX_HITS} times")]
    TooMany,
}

/// Texts in which masked values are looked for.
#[derive(Debug)]
pub(crate) struct Scrubber<'a> {
    mask: &'a Mask,
    /// The lengths of the texts, which stand in `bytes` one after the other.
    lengths: Vec<usize>,
    bytes: Vec<u8>,
    /// The same, with small letters.
    folded: Vec<u8>,
    /// Each window with its place, in order.
    windows: Vec<(u32, u32)>,
    /// A bit for each possible window.
    present: Vec<u64>,
    seen: HashSet<u64>,
    hits: Vec<Hit>,
    tokens: Vec<String>,
}

/// A value that stands in a text.
#[derive(Clone, Copy, Debug)]
struct Hit {
    from: usize,
    to: usize,
    token: usize,
}

impl<'a> Scrubber<'a> {
    /// For these texts.
    pub(crate) fn new(mask: &'a Mask, texts: &[Vec<u8>]) -> Result<Self, ScrubError> {
        let total: usize = texts.iter().map(|text| text.len() + 1).sum();
        if total > MAX_TEXT_BYTES {
            return Err(ScrubError::TooLong { bytes: total });
        }
        let mut bytes = Vec::with_capacity(total);
        for text in texts {
            bytes.extend_from_slice(text);
            bytes.push(BETWEEN);
        }
        let folded = bytes.to_ascii_lowercase();
        let mut windows: Vec<(u32, u32)> = folded.windows(WINDOW).map(number).zip(0..).collect();
        windows.sort_unstable();
        let mut present = vec![0; (1 << (8 * WINDOW)) / 64];
        for (window, _) in &windows {
            present[*window as usize / 64] |= 1 << (window % 64);
        }
        Ok(Self {
            mask,
            lengths: texts.iter().map(Vec::len).collect(),
            bytes,
            folded,
            windows,
            present,
            seen: HashSet::new(),
            hits: Vec::new(),
            tokens: Vec::new(),
        })
    }

    /// Looks for one masked value.
    pub(crate) fn see(&mut self, value: &str) -> Result<(), ScrubError> {
        if value.len() < WINDOW || Sabotage::ClearTexts.is_on() {
            return Ok(());
        }
        let digest = xxh3_64(value.as_bytes());
        if self.seen.contains(&digest) {
            return Ok(());
        }
        if self.seen.len() < MAX_REMEMBERED {
            self.seen.insert(digest);
        }
        let before = self.hits.len();
        for form in renderings(value) {
            self.look_for(form.to_ascii_lowercase().as_bytes());
        }
        if self.hits.len() > before {
            self.tokens.push(self.mask.token(value));
        }
        if self.hits.len() > MAX_HITS {
            return Err(ScrubError::TooMany);
        }
        Ok(())
    }

    /// The texts, with tokens.
    pub(crate) fn finish(mut self) -> Vec<Vec<u8>> {
        self.hits
            .sort_unstable_by_key(|hit| (hit.from, std::cmp::Reverse(hit.to)));
        let mut texts = Vec::with_capacity(self.lengths.len());
        let mut hits = self.hits.iter().peekable();
        let mut begin = 0;
        for length in &self.lengths {
            let end = begin + length;
            let mut text = Vec::with_capacity(*length);
            let mut at = begin;
            while let Some(hit) = hits.next_if(|hit| hit.from < end) {
                if hit.from >= at {
                    text.extend_from_slice(&self.bytes[at..hit.from]);
                    text.extend_from_slice(self.tokens[hit.token].as_bytes());
                }
                // Of values that overlap, the first one's token stands for all.
                at = at.max(hit.to);
            }
            text.extend_from_slice(&self.bytes[at.min(end)..end]);
            texts.push(text);
            begin = end + 1;
        }
        texts
    }

    fn look_for(&mut self, value: &[u8]) {
        if value.len() < WINDOW {
            return;
        }
        if value.len() <= PIECE {
            for from in self.places(value) {
                self.hit(from, from + value.len());
            }
            return;
        }
        for from in self.places(&value[..PIECE]) {
            let same = value.iter().zip(&self.folded[from..]);
            let same = same.take_while(|(left, right)| left == right).count();
            self.hit(from, from + same);
        }
        let tail = value.len() - PIECE;
        for from in self.places(&value[tail..]) {
            let before = value[..tail].iter().rev();
            let same = before.zip(self.folded[..from].iter().rev());
            let same = same.take_while(|(left, right)| left == right).count();
            self.hit(from - same, from + PIECE);
        }
    }

    fn hit(&mut self, from: usize, to: usize) {
        let token = self.tokens.len();
        if self.hits.len() <= MAX_HITS {
            self.hits.push(Hit { from, to, token });
        }
    }

    /// Where a text stands: whoever has all its windows is asked at the rarest of them.
    fn places(&self, value: &[u8]) -> Vec<usize> {
        let is_there = |window: &[u8]| {
            let window = number(window);
            self.present[window as usize / 64] & (1 << (window % 64)) != 0
        };
        if !value.windows(WINDOW).all(is_there) {
            return Vec::new();
        }
        let ranges = value
            .windows(WINDOW)
            .map(|window| self.range(number(window)));
        let rarest = ranges.enumerate().min_by_key(|(_, range)| range.len());
        let Some((offset, range)) = rarest else {
            return Vec::new();
        };
        let starts = self.windows[range].iter();
        let starts = starts.filter_map(|(_, place)| (*place as usize).checked_sub(offset));
        starts
            .filter(|start| self.folded[*start..].starts_with(value))
            .collect()
    }

    fn range(&self, window: u32) -> std::ops::Range<usize> {
        let from = self.windows.partition_point(|(other, _)| *other < window);
        let to = self.windows.partition_point(|(other, _)| *other <= window);
        from..to
    }
}

fn number(window: &[u8]) -> u32 {
    window
        .iter()
        .fold(0, |number, byte| number << 8 | u32::from(*byte))
}
