//! What can go wrong with a program.

use std::io;
use std::path::PathBuf;

/// A program that made no output.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// There is no program to run.
    #[error("the command is empty; its first part is the program")]
    NoProgram,
    /// The working folder is not there.
    #[error("the command's working folder `{}` is not there", .0.display())]
    NoFolder(PathBuf),
    /// The program is not there.
    #[error("program `{program}` is not found; {searched}")]
    NotFound {
        /// The program as the version names it.
        program: String,
        /// Where it was looked for, with a hint.
        searched: String,
    },
    /// The program could not be started.
    #[error("program `{program}` cannot be started")]
    NotStarted {
        /// The program as the version names it.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// The program ended with another code than zero.
    #[error("program `{program}` exited with code {code}{stderr}")]
    Exit {
        /// The program as the version names it.
        program: String,
        /// The code.
        code: i32,
        /// The last lines that it wrote to standard error, introduced; empty where there are none.
        stderr: String,
    },
    /// The program was killed.
    #[error("program `{program}` was killed by {signal}{stderr}")]
    Killed {
        /// The program as the version names it.
        program: String,
        /// The signal's name.
        signal: String,
        /// The last lines that it wrote to standard error, introduced; empty where there are none.
        stderr: String,
    },
    /// Waiting for the program failed.
    #[error("program `{program}` cannot be waited for")]
    NotWaited {
        /// The program as the version names it.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// Two inputs would have one variable.
    #[error(
        "input `{name}` has the variable `{variable}`, which another input has as well; rename one of them"
    )]
    SameVariable {
        /// The second input.
        name: String,
        /// The variable.
        variable: String,
    },
    /// The context has no JSON form.
    #[error("the context cannot be written as JSON")]
    Context(#[source] serde_json::Error),
    /// Taking over what the program wrote broke off.
    #[error("what the program wrote could not be read: {0}")]
    Unread(String),
}
