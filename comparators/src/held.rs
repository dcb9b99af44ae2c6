//! Columns whose cells are kept as values, because a rule may expect their differences.
//!
//! Where a tolerance covers a column, nearly every row may differ in it. Reading all of those rows again to find that
//! their differences were expected would cost more than everything else; a few words kept of every row do not.

use arrow::array::Array;
use arrow::datatypes::DataType;
use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::BigInt;
use understudy_core::rule::{Allowance, Bound, DifferenceKind, Rule, Within};
use understudy_core::schema::Column;
use understudy_core::value::Value;

use crate::align::Alignment;
use crate::align::domain::{Domain, decoded};
use crate::both::{Both, Side};
use crate::digest::cell_digests;
use crate::scalar::{Scalar, is_scalar, visit_scalars};

/// The most words of eight bytes that are kept of a row. Columns beyond that are compared in the second pass.
const MAX_WORDS: usize = 12;
/// Decimals of up to this many digits fit into one word.
const WORD_DIGITS: u8 = 18;

/// A column whose cells are kept.
#[derive(Clone, Debug)]
pub(crate) struct HeldColumn {
    /// Its position among the compared columns.
    pub(crate) column: usize,
    domain: Domain,
    form: Form,
    /// Whether the side's values are floats of fewer than 64 bits.
    is_narrow: Both<bool>,
    /// Where its words stand among a row's held words.
    first_word: usize,
}

/// How a cell is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    /// The bits of a float, in one word.
    Float,
    /// An integer of one word.
    Word,
    /// An integer of two words.
    Wide,
    /// Only the digest, in two words: it tells that cells differ, and not how.
    Digest,
}

/// A cell as it is kept.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum HeldCell {
    /// This value.
    Value(Value),
    /// A value of which only the digest is known.
    Digest(u128),
    /// Only the table knows.
    Unknown,
}

/// The columns that are kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    pub(crate) columns: Vec<HeldColumn>,
    /// How many words a row has.
    pub(crate) words: usize,
}

impl Held {
    /// Chooses the columns that rules may expect many differences of.
    pub(crate) fn choose(alignment: &Alignment, rules: &[Rule]) -> Self {
        let mut held = Self::default();
        for (column, aligned) in alignment.columns.iter().enumerate() {
            let described = &alignment.layout.columns[column];
            let types = Both {
                old: decoded(
                    alignment
                        .schemas
                        .old
                        .field(aligned.position.old)
                        .data_type(),
                ),
                new: decoded(
                    alignment
                        .schemas
                        .new
                        .field(aligned.position.new)
                        .data_type(),
                ),
            };
            let Some(form) = form(&aligned.domain, &types, described, rules) else {
                continue;
            };
            if held.words + form.words() > MAX_WORDS {
                continue;
            }
            let is_narrow =
                |side: Side| matches!(types.get(side), DataType::Float16 | DataType::Float32);
            held.columns.push(HeldColumn {
                column,
                domain: aligned.domain.clone(),
                form,
                is_narrow: Both {
                    old: is_narrow(Side::Old),
                    new: is_narrow(Side::New),
                },
                first_word: held.words,
            });
            held.words += form.words();
        }
        held
    }

    /// The held column at a position among the compared ones.
    pub(crate) fn at(&self, column: usize) -> Option<&HeldColumn> {
        self.columns.iter().find(|held| held.column == column)
    }
}

/// The form in which a column is kept, if some rule makes it worthwhile.
fn form(domain: &Domain, types: &Both<&DataType>, column: &Column, rules: &[Rule]) -> Option<Form> {
    let selecting = rules.iter().filter(|rule| selects_cells(rule, column));
    let worth = selecting.filter_map(|rule| match &rule.allow {
        Allowance::Within(within) => is_measured(domain, within).then(|| plain_form(domain, types)),
        // Without columns such a rule is about customers or kinds, and would keep whole rows.
        Allowance::Ignore | Allowance::Any if rule.columns.is_some() => {
            Some(plain_form(domain, types))
        }
        _ => None,
    });
    worth.into_iter().next()
}

/// Whether a rule selects cells of a column.
pub(crate) fn selects_cells(rule: &Rule, column: &Column) -> bool {
    let selects_column = rule
        .columns
        .as_ref()
        .is_none_or(|selectors| selectors.iter().any(|selector| selector.selects(column)));
    let selects_kind = rule
        .kinds
        .as_ref()
        .is_none_or(|kinds| kinds.contains(&DifferenceKind::Changed));
    selects_column && selects_kind
}

/// Whether a tolerance can allow anything in a column of that domain.
pub(crate) fn is_measured(domain: &Domain, within: &Within) -> bool {
    let bounds = [&within.up, &within.down];
    match domain {
        Domain::Integer | Domain::Decimal { .. } | Domain::Float => {
            bounds.iter().any(|bound: &&Bound| {
                bound.rel.is_some() || bound.abs.is_some() && !bound.abs_is_duration
            })
        }
        Domain::Date | Domain::Time | Domain::Timestamp | Domain::Duration => {
            bounds.iter().any(|bound| bound.abs_is_duration)
        }
        _ => false,
    }
}

fn plain_form(domain: &Domain, types: &Both<&DataType>) -> Form {
    match domain {
        Domain::Float => Form::Float,
        Domain::Boolean => Form::Digest,
        domain if !is_scalar(domain) => Form::Digest,
        _ if is_wide(types.old) || is_wide(types.new) => Form::Wide,
        _ => Form::Word,
    }
}

fn is_wide(data_type: &DataType) -> bool {
    match data_type {
        DataType::UInt64 => true,
        data_type if data_type.is_decimal() => match data_type {
            DataType::Decimal32(digits, _)
            | DataType::Decimal64(digits, _)
            | DataType::Decimal128(digits, _)
            | DataType::Decimal256(digits, _) => *digits > WORD_DIGITS,
            _ => false,
        },
        _ => false,
    }
}

impl Form {
    fn words(self) -> usize {
        match self {
            Self::Float | Self::Word => 1,
            Self::Wide | Self::Digest => 2,
        }
    }

    /// Two patterns that no value has. Floats have one NaN; of integers, the two least ones give way.
    fn null(self) -> i128 {
        match self {
            Self::Float => i128::from(f64::NAN.to_bits() + 1),
            Self::Word => i128::from(i64::MIN),
            Self::Wide | Self::Digest => i128::MIN,
        }
    }

    fn unknown(self) -> i128 {
        self.null() + 1
    }
}

impl HeldColumn {
    /// Writes the words of every cell of an array into rows of so many words.
    pub(crate) fn write(&self, array: &dyn Array, rows: &mut [u64], words: usize) {
        if self.form == Form::Digest {
            for (row, digest) in cell_digests(&self.domain, array).into_iter().enumerate() {
                self.put(&mut rows[row * words..], digest.cast_signed());
            }
            return;
        }
        match array.data_type() {
            DataType::Dictionary(_, _) | DataType::RunEndEncoded(_, _) | DataType::Null => {
                // Numbers are hardly ever encoded so. They are looked at in the second pass.
                for row in 0..array.len() {
                    self.put(&mut rows[row * words..], self.form.unknown());
                }
            }
            _ => visit_scalars(&self.domain, array, &mut |row, scalar| {
                self.put(&mut rows[row * words..], self.pattern(scalar));
            }),
        }
    }

    fn pattern(&self, scalar: Scalar) -> i128 {
        let integer = match scalar {
            Scalar::Null => return self.form.null(),
            Scalar::Word(word) if self.form == Form::Float => {
                return i128::from(word.cast_unsigned());
            }
            Scalar::Word(word) => i128::from(word),
            Scalar::Wide(integer) if self.form == Form::Wide => integer,
            Scalar::Wide(_) | Scalar::Huge(_) | Scalar::OffScale(..) => return self.form.unknown(),
        };
        if integer <= self.form.unknown() {
            self.form.unknown()
        } else {
            integer
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a pattern is cut into its words"
    )]
    fn put(&self, row: &mut [u64], pattern: i128) {
        row[self.first_word] = pattern as u64;
        if self.form.words() == 2 {
            row[self.first_word + 1] = (pattern >> 64) as u64;
        }
    }

    /// Whether two rows' words of this column are the same value for certain.
    pub(crate) fn same(&self, old: &[u64], new: &[u64]) -> bool {
        let words = self.first_word..self.first_word + self.form.words();
        old[words.clone()] == new[words]
            && (self.form == Form::Digest || self.get(old) != self.form.unknown())
    }

    fn get(&self, row: &[u64]) -> i128 {
        let low = row[self.first_word];
        match self.form {
            Form::Float => i128::from(low),
            Form::Word => i128::from(low.cast_signed()),
            Form::Wide | Form::Digest => {
                (u128::from(row[self.first_word + 1]) << 64 | u128::from(low)).cast_signed()
            }
        }
    }

    /// The cell that a row's words stand for.
    pub(crate) fn cell(&self, side: Side, row: &[u64]) -> HeldCell {
        let pattern = self.get(row);
        if self.form == Form::Digest {
            return HeldCell::Digest(pattern.cast_unsigned());
        }
        if pattern == self.form.unknown() {
            return HeldCell::Unknown;
        }
        HeldCell::Value(if pattern == self.form.null() {
            Value::Null
        } else {
            self.value(side, pattern)
        })
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a pattern of one word is one word, and a narrow float is one"
    )]
    fn value(&self, side: Side, pattern: i128) -> Value {
        match &self.domain {
            Domain::Float => {
                let float = f64::from_bits(pattern.cast_unsigned() as u64);
                if *self.is_narrow.get(side) {
                    Value::Float32(float as f32)
                } else {
                    Value::Float(float)
                }
            }
            Domain::Decimal { scale } => {
                Value::Decimal(BigDecimal::new(BigInt::from(pattern), i64::from(*scale)))
            }
            Domain::Date => Value::Date(pattern as i64),
            Domain::Time => Value::Time(pattern),
            // The label of a zone changes nothing but how the value reads, which is read from the table.
            Domain::Timestamp => Value::Timestamp {
                nanos: pattern,
                zone: Some(String::new()),
            },
            Domain::Duration => Value::Duration(pattern),
            _ => Value::Integer(pattern),
        }
    }
}
