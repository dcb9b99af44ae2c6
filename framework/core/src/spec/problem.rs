//! What is wrong with a pipeline file, where, and what to do.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One problem of a pipeline file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Problem {
    /// The file, as the user named it.
    pub file: String,
    /// The line, from one.
    pub line: usize,
    /// The column, from one, in characters.
    pub column: usize,
    /// The offending text, as it stands in the file (one line of it).
    pub text: String,
    /// What is wrong: a lower-case fragment that names the thing in backticks.
    pub message: String,
    /// What to do.
    pub fix: String,
    /// What it stops.
    pub scope: Scope,
}

/// What a problem stops.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The whole pipeline, live included.
    Pipeline,
    /// One change: it is suspended, live goes on.
    Change(String),
    /// Nothing that runs; only `check` minds.
    Unused,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}:{}:{}: {}",
            self.file, self.line, self.column, self.message
        )?;
        if !self.text.is_empty() {
            writeln!(f, "    {}", self.text)?;
        }
        write!(f, "    hint: {}", self.fix)
    }
}
