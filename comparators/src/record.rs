//! What is kept of every row in the first pass: digests, the place it stands at, and the cells of held columns.

use crate::both::Both;
use crate::codec::Coded;
use crate::digest::upper;

/// Bits of a row's position; the rest of the word is the number of its customer.
const POSITION_BITS: u32 = 40;
/// The number that stands for a customer whose own number is too great for its bits.
const UNNUMBERED: u64 = (1 << (64 - POSITION_BITS)) - 1;
const DIGEST_BYTES: usize = 16;
const WORD_BYTES: usize = 8;
const FIXED_BYTES: usize = 2 * DIGEST_BYTES + WORD_BYTES;

/// Where a row stands, and whose it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place(u64);

impl Place {
    /// `None` beyond the 2^40 rows that a side can have.
    pub(crate) fn new(position: u64, customer: u32) -> Option<Self> {
        let customer = u64::from(customer).min(UNNUMBERED);
        (position >> POSITION_BITS == 0).then_some(Self(customer << POSITION_BITS | position))
    }

    pub(crate) fn position(self) -> u64 {
        self.0 & ((1 << POSITION_BITS) - 1)
    }

    /// The number of the row's customer on its side, if it is known.
    pub(crate) fn customer(self) -> Option<u32> {
        let number = self.0 >> POSITION_BITS;
        (number < UNNUMBERED).then_some(number as u32)
    }
}

/// The bytes of a record with so many held words.
pub(crate) fn record_bytes(words: usize) -> usize {
    FIXED_BYTES + words * WORD_BYTES
}

/// One record by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Record {
    pub(crate) key: u128,
    pub(crate) row: u128,
    pub(crate) place: Place,
    pub(crate) held: Vec<u64>,
}

impl Coded for Record {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.key.encode(bytes);
        self.row.encode(bytes);
        self.place.0.encode(bytes);
        self.held.iter().for_each(|word| word.encode(bytes));
    }

    /// The held words are whatever is left.
    fn decode(bytes: &mut &[u8]) -> Self {
        let (key, row) = (u128::decode(bytes), u128::decode(bytes));
        let place = Place(u64::decode(bytes));
        let held = bytes.chunks_exact(WORD_BYTES).map(word).collect();
        *bytes = &[];
        Self {
            key,
            row,
            place,
            held,
        }
    }
}

/// The words of a record with so many held ones.
pub(crate) fn record_words(held: usize) -> usize {
    record_bytes(held) / WORD_BYTES
}

/// Writes a row's record into so many words.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a digest is cut into its words"
)]
pub(crate) fn write_record(key: u128, row: u128, place: Place, held: &[u64], record: &mut [u64]) {
    (record[0], record[1]) = (key as u64, upper(key));
    (record[2], record[3]) = (row as u64, upper(row));
    record[4] = place.0;
    record[5..].copy_from_slice(held);
}

/// The records of one part of one side, column by column.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub(crate) keys: Vec<u128>,
    pub(crate) rows: Vec<u128>,
    pub(crate) places: Vec<Place>,
    held: Vec<u64>,
    words: usize,
}

impl Records {
    /// Reads records with so many held words each.
    pub(crate) fn decode(bytes: &[u8], words: usize) -> Self {
        let record_bytes = record_bytes(words);
        let count = bytes.len() / record_bytes;
        let mut records = Self {
            keys: Vec::with_capacity(count),
            rows: Vec::with_capacity(count),
            places: Vec::with_capacity(count),
            held: Vec::with_capacity(count * words),
            words,
        };
        for record in bytes.chunks_exact(record_bytes) {
            records.keys.push(digest(&record[..DIGEST_BYTES]));
            records
                .rows
                .push(digest(&record[DIGEST_BYTES..2 * DIGEST_BYTES]));
            records
                .places
                .push(Place(word(&record[2 * DIGEST_BYTES..FIXED_BYTES])));
            records
                .held
                .extend(record[FIXED_BYTES..].chunks_exact(WORD_BYTES).map(word));
        }
        records
    }

    /// One record.
    pub(crate) fn of(record: &Record) -> Self {
        Self {
            keys: vec![record.key],
            rows: vec![record.row],
            places: vec![record.place],
            held: record.held.clone(),
            words: record.held.len(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The held words of a row.
    pub(crate) fn held(&self, row: usize) -> &[u64] {
        &self.held[row * self.words..(row + 1) * self.words]
    }
}

fn digest(bytes: &[u8]) -> u128 {
    u128::from_le_bytes(bytes.try_into().expect("a digest has its bytes"))
}

fn word(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("a word has its bytes"))
}

/// A row of each side, by their numbers within a part.
pub(crate) type Pair = Both<usize>;
