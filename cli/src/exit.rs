//! Exit codes: an interface for scripts and schedulers.

use std::process::ExitCode;

use crate::output::tell;
use understudy_runtime::error::{ErrorKind, RunError};

/// How the program ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exit {
    /// Identical or expected; what should be published was.
    Good = 0,
    /// Unexpected differences, or a broken chain.
    Unexpected = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// Evidence is missing, stale or partial.
    Inconclusive = 3,
    /// The live side failed.
    LiveFailed = 5,
    /// Storage, an unreadable input or the machine.
    Machine = 6,
    /// A bug.
    Bug = 70,
    /// Somebody interrupted.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Prints an error with all that caused it, once, and gives its exit code.
pub(crate) fn fail(error: &RunError) -> Exit {
    let mut text = format!("error: {error}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(&format!("\n  because: {cause_text}"));
        }
        source = cause.source();
    }
    tell!(
        "{}",
        understudy_runtime::report::visible::visible_lines(&text)
    );
    kind_of(error)
}

/// The exit code of an error.
pub(crate) fn kind_of(error: &RunError) -> Exit {
    match error.kind() {
        ErrorKind::Usage => Exit::Usage,
        ErrorKind::Machine => Exit::Machine,
    }
}
