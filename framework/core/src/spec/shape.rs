//! What may stand where in a pipeline file: the one description that the reader and the JSON Schema share.

use super::scalar;
use super::yaml::{Data, Node, Scalar};

/// What a value must look like.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Text that is not blank.
    Text,
    /// Text exactly as written, which may be empty.
    Verbatim,
    /// A boolean, a number or text.
    Param,
    /// `true`.
    True,
    /// One of some words.
    Word(&'static [&'static str]),
    /// A whole number.
    Count { min: u64, max: u64 },
    /// A duration with its unit.
    Duration { min_secs: u64 },
    /// A size in bytes with its unit.
    Memory,
    /// How far a cell may move: one distance, or a mapping that says more.
    Within(&'static Section),
    /// A number or a duration.
    Distance,
    /// A percentage.
    Percentage,
    /// A number from 0 to 100.
    Percentile,
    /// How many times as much, at least once.
    Ratio,
    /// Some customers: so many, a share of all, or a list of them.
    Wave(&'static ListOf),
    /// A calendar date.
    Date,
    /// A number of days with its unit, at least so many.
    Days { min: i64 },
    /// A type for a CSV column.
    ColumnType,
    /// A list.
    List(&'static ListOf),
    /// A mapping from names that the user gives.
    ByName(&'static ByName),
    /// A mapping with keys that we give.
    Section(&'static Section),
    /// A list, or a mapping that says where the list is.
    ListOr(&'static ListOf, &'static Section),
    /// A name, or a mapping that says more.
    TextOr(&'static Section),
    /// Whatever stands there; its reader says what is wrong with it.
    Anything,
}

/// A list of like items.
#[derive(Debug)]
pub(crate) struct ListOf {
    /// What an item must look like.
    pub(crate) of: Shape,
    /// What an item is called.
    pub(crate) noun: &'static str,
    /// Whether it may have none.
    pub(crate) may_be_empty: bool,
}

/// A mapping from names that the user gives to like values.
#[derive(Debug)]
pub(crate) struct ByName {
    /// What a value must look like.
    pub(crate) of: Shape,
    /// What an entry is called.
    pub(crate) noun: &'static str,
    /// Whether it may have none.
    pub(crate) may_be_empty: bool,
    /// Whether an entry's problems are its own.
    pub(crate) owner: Owner,
}

/// Whose the problems of an entry are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owner {
    /// Those of what it stands in.
    Parent,
    /// The task's that it is.
    Task,
    /// The version's that it is.
    Version,
    /// The change's that it is.
    Change,
}

/// A mapping with a fixed set of keys.
#[derive(Debug)]
pub(crate) struct Section {
    /// What it describes.
    pub(crate) about: &'static str,
    /// Its keys.
    pub(crate) keys: &'static [Key],
    /// A choice among some of them.
    pub(crate) one_of: Option<&'static OneOf>,
}

/// Keys of which exactly one is written.
#[derive(Debug)]
pub(crate) struct OneOf {
    /// The keys.
    pub(crate) keys: &'static [&'static str],
    /// A key beside which none of them need stand.
    pub(crate) unless: Option<&'static str>,
    /// What a section without any does, as in "rule `x` allows nothing".
    pub(crate) none: &'static str,
    /// What a section with several does.
    pub(crate) several: &'static str,
    /// What to write.
    pub(crate) fix: &'static str,
}

/// One key of a section.
#[derive(Debug)]
pub(crate) struct Key {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it says, for people who write the file.
    pub(crate) about: &'static str,
    /// What its value must look like.
    pub(crate) shape: Shape,
    /// What else it takes.
    pub(crate) need: Need,
}

/// Whether a key must stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Need {
    /// It must.
    Required,
    /// It may.
    Optional,
    /// It may, and takes another key.
    With(&'static str),
}

impl Shape {
    /// Whether a scalar looks like it.
    pub(crate) fn accepts(&self, scalar: &Scalar) -> bool {
        match self {
            Self::Text => scalar::text(scalar).is_some(),
            Self::Verbatim => scalar::verbatim(scalar).is_some(),
            Self::Param => scalar::param(scalar).is_some(),
            Self::True => scalar.plain && scalar.text == "true",
            Self::Word(words) => words.contains(&scalar.text.as_str()),
            Self::Count { min, max } => {
                scalar::count(scalar).is_some_and(|count| (*min..=*max).contains(&count))
            }
            Self::Duration { min_secs } => {
                scalar::duration_secs(scalar).is_some_and(|secs| secs >= *min_secs)
            }
            Self::Memory => scalar::memory_bytes(scalar).is_some(),
            Self::Within(_) => scalar::bound(scalar).is_some(),
            Self::Distance => scalar::bound(scalar).is_some_and(|bound| bound.abs.is_some()),
            Self::Percentage => scalar::bound(scalar).is_some_and(|bound| bound.rel.is_some()),
            Self::Percentile => scalar::percentile(scalar).is_some(),
            Self::Ratio => scalar::ratio(scalar).is_some(),
            Self::Wave(_) => scalar::wave(scalar).is_some(),
            Self::Date => scalar::date(scalar).is_some(),
            Self::Days { min } => scalar::days(scalar).is_some_and(|days| days >= *min),
            Self::TextOr(_) => scalar::text(scalar).is_some(),
            Self::ColumnType => scalar::column_type(scalar).is_some(),
            Self::Anything => true,
            Self::List(_) | Self::ByName(_) | Self::Section(_) | Self::ListOr(..) => false,
        }
    }

    /// What it is, after "must be".
    pub(crate) fn what(&self) -> String {
        match self {
            Self::Text | Self::Verbatim => "text".to_owned(),
            Self::Param => "clearly a boolean, a number or text".to_owned(),
            Self::True => "`true`".to_owned(),
            Self::Word(_) => "a word".to_owned(),
            Self::Count { min, max } => format!("a whole number from {min} to {max}"),
            Self::Duration { .. } => "a duration".to_owned(),
            Self::Memory => "a size in bytes with its unit".to_owned(),
            Self::Within(_) => "a distance of zero or more".to_owned(),
            Self::Distance => "a number of zero or more, or a duration".to_owned(),
            Self::Percentage => "a percentage of zero or more".to_owned(),
            Self::Percentile => "a number from 0 to 100".to_owned(),
            Self::Ratio => "a number from 1 to 1000".to_owned(),
            Self::Wave(_) => {
                "a number of customers, a percentage of them up to 100 %, or a list of them"
                    .to_owned()
            }
            Self::Date => "a date".to_owned(),
            Self::Days { min: 1 } => "a number of days above zero".to_owned(),
            Self::Days { .. } => "a number of days".to_owned(),
            Self::TextOr(_) => "a name, or a mapping that says more".to_owned(),
            Self::ColumnType => "a column type".to_owned(),
            Self::Anything => "something".to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::ByName(_) | Self::Section(_) => "a mapping".to_owned(),
            Self::ListOr(..) => "a list, or a mapping that says where the list is".to_owned(),
        }
    }

    /// How to write it.
    pub(crate) fn how(&self) -> String {
        match self {
            Self::Text => "write text; if the word null is meant, put it in quotes".to_owned(),
            Self::Verbatim => "write text; put the word null and empty text in quotes: `\"null\"`, `\"\"`".to_owned(),
            Self::Param => "only `true` and `false` are booleans, and numbers have at most 64 bits; put everything else in quotes".to_owned(),
            Self::True => "only `true` and `false` are booleans; write `true`, or leave the key out".to_owned(),
            Self::Word(words) => format!("the words for it are: {}", words.join(", ")),
            Self::Count { .. } => "write digits only, without quotes".to_owned(),
            Self::Duration { min_secs: 0 } => "write a whole number and s, m, h or d, such as `24h`".to_owned(),
            Self::Duration { .. } => "write a whole number above zero and s, m, h or d, such as `10m`".to_owned(),
            Self::Memory => "write a whole number and kB, MB, GB, KiB, MiB or GiB, such as `2GB`".to_owned(),
            Self::Within(_) => "write a number or a percentage, such as `0.5` or `5%`, or for times a duration such as `15m`".to_owned(),
            Self::Distance => "write a number such as `0.5`, or for times a duration such as `15m`".to_owned(),
            Self::Percentage => "write a number and %, such as `5%`".to_owned(),
            Self::Percentile => "write it without a sign, such as `95` or `99.9`".to_owned(),
            Self::Ratio => "write how many times the old version's figure it may be, such as `1.5`".to_owned(),
            Self::Wave(_) => "write how many customers go with it, such as `1`; which share of all has gone after it, such as `25%`; or who, such as `[acme, bolt]`".to_owned(),
            Self::Date => "write it as YYYY-MM-DD".to_owned(),
            Self::Days { min: 1 } => "write a whole number above zero and d, such as `30d`".to_owned(),
            Self::Days { .. } => "write a whole number and d, such as `-1d` for the day before".to_owned(),
            Self::TextOr(section) => format!("write a name, or a mapping with: {}", section.names().join(", ")),
            Self::ColumnType => format!("the types are: {}", scalar::COLUMN_TYPES.join(", ")),
            Self::Anything => "write something".to_owned(),
            Self::List(list) => format!("write one {} or more in brackets: `[a, b]`", list.noun),
            Self::ByName(entries) => format!("write one {} or more as `name: …`", entries.noun),
            Self::Section(section) => format!("write some of: {}", section.names().join(", ")),
            Self::ListOr(list, section) => {
                format!("write one {} or more in brackets, or a mapping with: {}", list.noun, section.names().join(", "))
            }
        }
    }
}

impl ByName {
    /// Whether the names become parts of paths.
    pub(crate) fn is_path(&self) -> bool {
        !matches!(
            self.noun,
            "column" | "parameter" | "name of a rule" | "name of a customer"
        )
    }
}

impl Section {
    /// The names of its keys, in the table's order.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.keys.iter().map(|key| key.name).collect()
    }
}

/// What stands there instead, after "not".
pub(crate) fn found(node: &Node) -> String {
    match &*node.data {
        Data::Scalar(scalar) if scalar.text.is_empty() && scalar.plain => "nothing".to_owned(),
        Data::Scalar(scalar) if scalar.text.trim().is_empty() => "blank text".to_owned(),
        Data::Scalar(scalar) => super::problems::quoted(&scalar.text),
        Data::List(_) => "a list".to_owned(),
        Data::Map(_) => "a mapping".to_owned(),
    }
}
