//! Which columns a rule selects: by name, by a pattern of names, or by type.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::schema::Column;

/// Which columns a rule selects.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ColumnSelector {
    /// The one of this exact name.
    Name(String),
    /// Those whose name this pattern matches: `*` stands for any characters, `?` for one.
    Glob {
        /// The pattern.
        glob: String,
    },
    /// Those of a type.
    Type {
        /// The type.
        #[serde(rename = "type")]
        family: TypeFamily,
    },
}

/// Types of columns, as rules name them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TypeFamily {
    /// Integers, decimals and floats.
    Number,
    /// Integers of any width.
    Integer,
    /// Decimals.
    Decimal,
    /// Floats.
    Float,
    /// Text.
    Text,
    /// True or false.
    Boolean,
    /// Dates.
    Date,
    /// Times of day.
    Time,
    /// Timestamps.
    Timestamp,
    /// Durations.
    Duration,
    /// Bytes.
    Binary,
    /// Lists.
    List,
    /// Structs and maps.
    Struct,
}

impl ColumnSelector {
    /// What a pipeline file means by a text: a pattern where `*` or `?` stands in it, else a name.
    #[must_use]
    pub fn written(text: &str) -> Self {
        if text.contains(['*', '?']) {
            Self::Glob {
                glob: text.to_owned(),
            }
        } else {
            Self::Name(text.to_owned())
        }
    }

    /// Whether it selects a column.
    #[must_use]
    pub fn selects(&self, column: &Column) -> bool {
        match self {
            Self::Type { family } => family.has(column),
            Self::Name(_) | Self::Glob { .. } => self.names(&column.name),
        }
    }

    /// Whether it selects a column of this name, whatever its type is. One that selects by type never does.
    #[must_use]
    pub fn names(&self, column: &str) -> bool {
        match self {
            Self::Name(name) => name == column,
            Self::Glob { glob } => matches(glob, column),
            Self::Type { .. } => false,
        }
    }
}

/// As the pipeline file has it.
impl fmt::Display for ColumnSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Glob { glob } => f.write_str(glob),
            Self::Type { family } => write!(f, "type: {}", family.name()),
        }
    }
}

impl From<&str> for ColumnSelector {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

/// Whether a pattern matches a whole text. It steps back to the last star only, so that no pattern takes long.
fn matches(glob: &str, text: &str) -> bool {
    let (glob, text): (Vec<char>, Vec<char>) = (glob.chars().collect(), text.chars().collect());
    let (mut at, mut place) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while place < text.len() {
        match glob.get(at) {
            Some('*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == text[place] => {
                at += 1;
                place += 1;
            }
            _ => match &mut star {
                Some((star_at, taken)) => {
                    *taken += 1;
                    (at, place) = (*star_at + 1, *taken);
                }
                None => return false,
            },
        }
    }
    glob[at..].iter().all(|rest| *rest == '*')
}

impl TypeFamily {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Number,
        Self::Integer,
        Self::Decimal,
        Self::Float,
        Self::Text,
        Self::Boolean,
        Self::Date,
        Self::Time,
        Self::Timestamp,
        Self::Duration,
        Self::Binary,
        Self::List,
        Self::Struct,
    ];

    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Float => "float",
            Self::Text => "text",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::Duration => "duration",
            Self::Binary => "binary",
            Self::List => "list",
            Self::Struct => "struct",
        }
    }

    /// Whether a column is of it.
    #[must_use]
    pub fn has(self, column: &Column) -> bool {
        self.has_type(&column.data_type)
    }

    /// Whether a type is of it, as Arrow's text names the type.
    #[must_use]
    pub fn has_type(self, data_type: &str) -> bool {
        let own = of_text(data_type);
        match self {
            Self::Number => matches!(own, Some(Self::Integer | Self::Decimal | Self::Float)),
            family => own == Some(family),
        }
    }
}

/// The type that Arrow's text names; of a dictionary, that of its values.
fn of_text(text: &str) -> Option<TypeFamily> {
    let text = match text.strip_prefix("Dictionary(") {
        Some(inner) => inner.split_once(", ").map_or(inner, |(_, value)| value),
        None => text,
    };
    // A timestamp begins as a time does, and an interval as an integer.
    let families = [
        ("Interval", None),
        ("Int", Some(TypeFamily::Integer)),
        ("UInt", Some(TypeFamily::Integer)),
        ("Decimal", Some(TypeFamily::Decimal)),
        ("Float", Some(TypeFamily::Float)),
        ("Utf8", Some(TypeFamily::Text)),
        ("LargeUtf8", Some(TypeFamily::Text)),
        ("Bool", Some(TypeFamily::Boolean)),
        ("Date", Some(TypeFamily::Date)),
        ("Timestamp", Some(TypeFamily::Timestamp)),
        ("Time", Some(TypeFamily::Time)),
        ("Duration", Some(TypeFamily::Duration)),
        ("Binary", Some(TypeFamily::Binary)),
        ("LargeBinary", Some(TypeFamily::Binary)),
        ("FixedSizeBinary", Some(TypeFamily::Binary)),
        ("List", Some(TypeFamily::List)),
        ("LargeList", Some(TypeFamily::List)),
        ("FixedSizeList", Some(TypeFamily::List)),
        ("Struct", Some(TypeFamily::Struct)),
        ("Map", Some(TypeFamily::Struct)),
    ];
    let found = families
        .into_iter()
        .find(|(prefix, _)| text.starts_with(prefix));
    found.and_then(|(_, family)| family)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::ColumnKind;

    #[test]
    fn a_pattern_matches_whole_names() {
        for (glob, name, matched) in [
            ("*_at", "created_at", true),
            ("*_at", "created_atx", false),
            ("a*b*c", "abbbcbc", true),
            ("a*b*c", "abcb", false),
            ("?", "é", true),
            ("?", "", false),
            ("*", "", true),
            ("**x", "x", true),
            ("a?c*", "abc", true),
        ] {
            let selector = ColumnSelector::written(glob);
            assert_eq!(selector.names(name), matched, "{glob} {name}");
        }
        let long = "a".repeat(20_000);
        assert!(!ColumnSelector::written(&"a*".repeat(20)).names(&format!("b{long}")));
    }

    #[test]
    fn types_are_told_by_arrows_texts() {
        for (text, family) in [
            ("Int64", Some(TypeFamily::Integer)),
            ("UInt8", Some(TypeFamily::Integer)),
            ("Interval(MonthDayNano)", None),
            ("Decimal128(10, 2)", Some(TypeFamily::Decimal)),
            ("Timestamp(ns, \"UTC\")", Some(TypeFamily::Timestamp)),
            ("Time64(ns)", Some(TypeFamily::Time)),
            ("Dictionary(Int32, Utf8)", Some(TypeFamily::Text)),
            ("Utf8View", Some(TypeFamily::Text)),
            ("Boolean", Some(TypeFamily::Boolean)),
            ("Map(\"entries\")", Some(TypeFamily::Struct)),
        ] {
            assert_eq!(of_text(text), family, "{text}");
        }
        let column = Column {
            name: "n".into(),
            data_type: "Float32".into(),
            kind: ColumnKind::Number,
        };
        assert!(TypeFamily::Number.has(&column) && TypeFamily::Float.has(&column));
        assert!(!TypeFamily::Integer.has(&column));
    }

    #[test]
    fn stored_names_are_plain_texts() {
        let stored = r#"["price",{"glob":"*_at"},{"type":"float"}]"#;
        let selectors: Vec<ColumnSelector> = serde_json::from_str(stored).unwrap();
        assert_eq!(serde_json::to_string(&selectors).unwrap(), stored);
    }
}
