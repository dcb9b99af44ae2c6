//! Why a text is no tree.

use super::Mark;

/// A text that is refused as a whole.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub(crate) struct YamlError {
    /// Where.
    pub(crate) mark: Mark,
    /// Why.
    pub(crate) kind: YamlErrorKind,
}

/// Why a text is refused as a whole.
#[derive(Debug, thiserror::Error)]
pub(crate) enum YamlErrorKind {
    /// Not YAML.
    #[error("this is not YAML: {0}")]
    Syntax(String),
    /// Longer than the limit.
    #[error("the file has {bytes} bytes; at most {limit} are read")]
    TooLong { bytes: usize, limit: usize },
    /// Lists and mappings in each other.
    #[error("lists and mappings stand more than {0} deep in each other")]
    TooDeep(usize),
    /// More nodes than the limit, aliases written out.
    #[error("the file has more than {0} values")]
    TooMany(usize),
    /// More aliases than the limit.
    #[error("the file has more than {0} aliases")]
    TooManyAliases(usize),
    /// An alias within its own anchor.
    #[error("an alias stands inside the very value that it names")]
    EndlessAlias,
    /// A tag.
    #[error("`{0}` is a tag, and tags are not read")]
    Tag(String),
    /// `<<`.
    #[error("`<<` merges mappings, and that is not done")]
    MergeKey,
    /// A list or mapping as a key.
    #[error("a key must be text, not a list or a mapping")]
    KeyIsNoText,
    /// More than one document.
    #[error("a second document begins here, and only one is read")]
    SecondDocument,
    /// No document.
    #[error("the file is empty")]
    Empty,
}

impl YamlErrorKind {
    /// What to do.
    pub(crate) fn fix(&self) -> &'static str {
        match self {
            Self::Syntax(text) if text.contains("tab") => "indent with blanks, not with tabs",
            Self::Syntax(_) => {
                "look at the indentation, the colons and the quotes here and in the line before"
            }
            Self::TooLong { .. } | Self::TooMany(_) => {
                "move long lists of customers to a file: `customers: { file: … }`"
            }
            Self::TooDeep(_) => "a pipeline file needs far fewer levels; look for a list in a list",
            Self::TooManyAliases(_) | Self::EndlessAlias => {
                "write the value out instead of `*name`"
            }
            Self::Tag(_) => "leave it out; put text in quotes",
            Self::MergeKey => "write the keys out",
            Self::KeyIsNoText => "write `key: value`",
            Self::SecondDocument => "leave out `---` and what follows it",
            Self::Empty => "begin with `pipeline: <name>` and `tasks:`",
        }
    }
}
