//! What is wrong with a query, in words that help.

use datafusion::common::{Diagnostic, SchemaError};
use datafusion::error::DataFusionError;
use tokio::task::JoinError;

/// The longest list of names that an error shows.
const MAX_SHOWN_NAMES: usize = 30;

/// A query that cannot be planned or has failed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    /// The text holds no statement.
    #[error("the file has no query; a SQL version is one SELECT query")]
    NoQuery,
    /// The text holds more than one statement.
    #[error(
        "{count} statements; a SQL version is one SELECT query (with `WITH`, a query can have several steps)"
    )]
    SeveralStatements {
        /// How many.
        count: usize,
    },
    /// The statement is no query.
    #[error("`{statement}` is not allowed; a SQL version is one SELECT query")]
    NotAQuery {
        /// Its first word.
        statement: String,
    },
    /// The query reads something else than its inputs.
    #[error("`{name}` is no input of this task; {}", known("inputs", name, inputs))]
    NoSuchInput {
        /// What it reads.
        name: String,
        /// The inputs that there are.
        inputs: Vec<String>,
    },
    /// The query names a parameter that is not given.
    #[error(
        "`{name}` is no parameter of this version; {}",
        known("parameters", name, params)
    )]
    NoSuchParam {
        /// The parameter, with its `$`.
        name: String,
        /// The parameters that there are, with their `$`.
        params: Vec<String>,
    },
    /// A parameter is given that the query does not use.
    #[error(
        "parameter `{name}` is given and not used; write `${name}` in the query or remove it from `params`"
    )]
    UnusedParam {
        /// The parameter.
        name: String,
    },
    /// A parameter has the name of the run date.
    #[error("`run_date` cannot be a parameter: `$run_date` is the run date")]
    ReservedParam,
    /// The query names a column that is not there.
    #[error("{}no column `{name}`; {}", at(*place), known("columns", name, columns))]
    NoSuchColumn {
        /// The column.
        name: String,
        /// The columns that there are.
        columns: Vec<String>,
        /// Line and column in the query, from one, where they are known.
        place: Option<(u64, u64)>,
    },
    /// The query cannot be planned for another reason.
    #[error("{}{message}", at(*place))]
    Wrong {
        /// What the planner said.
        message: String,
        /// Line and column in the query, from one, where they are known.
        place: Option<(u64, u64)>,
    },
    /// The query needs more memory than it may have.
    #[error(
        "the query needs more memory than its limit; raise `limits: memory`, or join and sort less at once: {0}"
    )]
    OutOfMemory(String),
    /// The query failed while it ran.
    #[error("the query failed: {0}")]
    Failed(String),
}

fn at(place: Option<(u64, u64)>) -> String {
    place
        .map(|(line, column)| format!("line {line}, column {column}: "))
        .unwrap_or_default()
}

/// What there is, with the nearest name first.
fn known(kind: &str, name: &str, names: &[String]) -> String {
    if names.is_empty() {
        return format!("there are no {kind}");
    }
    let more = if names.len() > MAX_SHOWN_NAMES {
        ", …"
    } else {
        ""
    };
    let list = names
        .iter()
        .take(MAX_SHOWN_NAMES)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match nearest(name, names) {
        Some(nearest) => format!("did you mean `{nearest}`? There are: {list}{more}"),
        None => format!("there are: {list}{more}"),
    }
}

fn nearest<'a>(name: &str, names: &'a [String]) -> Option<&'a String> {
    let distance = |other: &String| {
        let bare = other
            .rsplit('.')
            .next()
            .unwrap_or(other)
            .trim_matches('"')
            .to_lowercase();
        strsim::damerau_levenshtein(&name.to_lowercase(), &bare)
    };
    names
        .iter()
        .min_by_key(|other| distance(other))
        .filter(|other| distance(other) <= name.chars().count() / 2)
}

impl SqlError {
    /// An error of parsing or planning.
    pub(super) fn planning(error: DataFusionError) -> Self {
        let place = error.diagnostic().and_then(place);
        let root = error.find_root();
        if let DataFusionError::SchemaError(schema_error, _) = root
            && let SchemaError::FieldNotFound {
                field,
                valid_fields,
            } = schema_error.as_ref()
        {
            let columns = valid_fields
                .iter()
                .map(|field| field.quoted_flat_name())
                .collect();
            return Self::NoSuchColumn {
                name: field.flat_name(),
                columns,
                place,
            };
        }
        Self::Wrong {
            message: message(root),
            place,
        }
    }

    /// An error while running.
    pub(super) fn running(error: DataFusionError) -> Self {
        let root = error.find_root();
        match root {
            DataFusionError::ResourcesExhausted(_) => Self::OutOfMemory(message(root)),
            _ => Self::Failed(message(root)),
        }
    }

    /// A part of the query that panicked.
    pub(super) fn crashed(error: JoinError) -> Self {
        Self::Failed(error.to_string())
    }
}

fn place(diagnostic: &Diagnostic) -> Option<(u64, u64)> {
    diagnostic
        .span
        .map(|span| (span.start.line, span.start.column))
}

/// The text without the kind of error, which says nothing to whoever wrote the query; with the causes of an error that
/// came through the engine from elsewhere.
fn message(error: &DataFusionError) -> String {
    if let DataFusionError::External(cause) = error {
        return chain(cause.as_ref());
    }
    let text = error.strip_backtrace();
    let kinds = [
        "Error during planning: ",
        "Execution error: ",
        "This feature is not implemented: ",
        "Arrow error: ",
    ];
    let text = kinds
        .iter()
        .find_map(|kind| text.strip_prefix(kind))
        .unwrap_or(&text);
    text.trim().to_owned()
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
