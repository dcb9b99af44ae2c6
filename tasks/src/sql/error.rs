//! What is wrong with a query, in words that help.

use std::any::Any;

use arrow::error::ArrowError;
use datafusion::common::{Diagnostic, SchemaError};
use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;
use understudy_tables::TableError;

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
    /// The query calls a function that is not there.
    #[error("{}no function `{name}`{}", at(*place), nearest.as_ref().map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default())]
    NoSuchFunction {
        /// The function.
        name: String,
        /// The function with the nearest name, if one is near.
        nearest: Option<String>,
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
    /// The query would write or set something.
    #[error("the query would write ({0}); a SQL version is one SELECT query")]
    Writes(String),
    /// The query needs more memory than it may have.
    #[error(
        "the query needs more memory than its limit; raise `limits: memory`, or join and sort less at once: {0}"
    )]
    OutOfMemory(String),
    /// An input could not be decoded while the query ran.
    #[error("an input cannot be read: {0}")]
    Unreadable(String),
    /// The engine panicked.
    #[error("the query crashed the engine: {0}")]
    Crashed(String),
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
    let wanted = bare(name);
    let distance = |other: &String| strsim::damerau_levenshtein(&wanted, &bare(other));
    let nearest = names.iter().min_by_key(|other| distance(other));
    nearest.filter(|other| distance(other) <= wanted.chars().count() / 2)
}

/// The name without its table, its quotes and its capitals.
fn bare(name: &str) -> String {
    name.rsplit('.')
        .next()
        .unwrap_or(name)
        .trim_matches('"')
        .to_lowercase()
}

impl SqlError {
    /// An error of parsing.
    pub(crate) fn parsing(error: DataFusionError) -> Self {
        let text = match error.find_root() {
            DataFusionError::SQL(error, _) => parser_text(error),
            other => message(other),
        };
        let (message, place) = split_place(&text);
        Self::Wrong { message, place }
    }

    /// An error of planning; `functions` are those that there are, in order.
    pub(crate) fn planning(error: DataFusionError, functions: &[String]) -> Self {
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
        let message = message(root);
        match unknown_function(&message) {
            Some(name) => Self::NoSuchFunction {
                nearest: nearest(&name, functions).cloned(),
                name,
                place,
            },
            None => Self::Wrong { message, place },
        }
    }

    /// An error that was found here.
    pub(crate) fn wrong(message: String) -> Self {
        Self::Wrong {
            message,
            place: None,
        }
    }

    /// A plan that is not only a query.
    pub(super) fn writes(error: DataFusionError) -> Self {
        Self::Writes(message(error.find_root()))
    }

    /// An error while running.
    pub(crate) fn running(error: DataFusionError) -> Self {
        let root = error.find_root();
        let text = message(root);
        match root {
            DataFusionError::ResourcesExhausted(_) => Self::OutOfMemory(text),
            DataFusionError::ParquetError(_) | DataFusionError::ObjectStore(_) => {
                Self::Unreadable(text)
            }
            DataFusionError::External(cause) if cause.is::<TableError>() => Self::Unreadable(text),
            DataFusionError::ArrowError(cause, _)
                if matches!(**cause, ArrowError::ParquetError(_)) =>
            {
                Self::Unreadable(text)
            }
            _ => Self::Failed(text),
        }
    }

    /// A panic of the engine, or of what it was given to read.
    pub(crate) fn crashed(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Self::Crashed(text.unwrap_or_else(|| "no reason given".to_owned()))
    }
}

fn place(diagnostic: &Diagnostic) -> Option<(u64, u64)> {
    diagnostic
        .span
        .map(|span| (span.start.line, span.start.column))
}

fn parser_text(error: &ParserError) -> String {
    match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.clone(),
        ParserError::RecursionLimitExceeded => "the query is nested too deeply".to_owned(),
    }
}

/// Takes the place off the end of what the parser says: `… at Line: 1, Column: 5`.
fn split_place(text: &str) -> (String, Option<(u64, u64)>) {
    let split = text.rsplit_once(" at Line: ").and_then(|(message, place)| {
        let (line, column) = place.split_once(", Column: ")?;
        Some((
            message.to_owned(),
            (line.parse().ok()?, column.parse().ok()?),
        ))
    });
    match split {
        Some((message, place)) => (message, Some(place)),
        None => (text.to_owned(), None),
    }
}

/// The engine's own suggestion for a function differs from call to call where several are as near.
fn unknown_function(message: &str) -> Option<String> {
    let (name, _) = message
        .strip_prefix("Invalid function '")?
        .split_once('\'')?;
    Some(name.to_owned())
}

/// What the engine puts before a text, and what says nothing to whoever wrote the query.
const KINDS: [&str; 5] = [
    "Error during planning: ",
    "Execution error: ",
    "This feature is not implemented: ",
    "Arrow error: ",
    "Schema error: ",
];

/// Where the useful part begins of what the engine says of wrong arguments.
const NO_MATCH: &str = "No function matches";

/// The text on one line, without the kind of error; with the causes of an error that came through the engine from
/// elsewhere.
fn message(error: &DataFusionError) -> String {
    if let DataFusionError::External(cause) = error {
        return chain(cause.as_ref());
    }
    let text = error.strip_backtrace();
    let text = KINDS
        .iter()
        .find_map(|kind| text.strip_prefix(kind))
        .unwrap_or(&text);
    let text = text.find(NO_MATCH).map_or(text, |start| &text[start..]);
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
