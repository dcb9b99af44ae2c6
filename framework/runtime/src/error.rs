//! Why a verb could not do its work, sorted by what the user has to do about it.

use crate::observe::{CodeError, ObserveError};
use crate::pipeline::LoadError;
use crate::store::durable::FileError;
use crate::store::ledger::LedgerError;

/// What to do about an edit of a live version that is refused.
pub const HOW_TO_GO_ON: &str = "make it a new version and a change to that, or take the edit back";

/// Why a verb could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The pipeline file.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The inputs.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// The versions' files.
    #[error(transparent)]
    Code(#[from] CodeError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A file of the store or an output.
    #[error(transparent)]
    File(#[from] FileError),
    /// Publishing.
    #[error(transparent)]
    Publish(#[from] crate::store::publish::PublishError),
    /// A marker beside a published output.
    #[error(transparent)]
    Marker(#[from] crate::store::publish::MarkerError),
    /// The object store that holds the store.
    #[error("the store in the object store cannot be used")]
    Remote(#[from] crate::store::remote::RemoteError),
    /// There is no key for masked columns.
    #[error(transparent)]
    MaskKey(#[from] crate::mask::MaskKeyError),
    /// A live version was edited, and the pipeline file refuses that.
    #[error("{0}, and `live_edits: refuse` stands in the pipeline file: {HOW_TO_GO_ON}")]
    LiveEdit(String),
    /// Something else of the machine.
    #[error("{what}")]
    Machine {
        /// What could not be done.
        what: String,
        /// Why.
        source: std::io::Error,
    },
    /// Another process works on the same date.
    #[error("another run of {date} is going on in this store{holder}; wait for it, or end it")]
    Busy {
        /// The date.
        date: String,
        /// Who says that they hold it, in brackets; empty where that is not known.
        holder: String,
    },
    /// A task that is not there.
    #[error("{0}")]
    NoTask(String),
    /// Dates that are none.
    #[error("{0}")]
    NoDates(String),
    /// A run that is not there.
    #[error("{0}")]
    NoRun(String),
    /// A stored file that this program cannot read.
    #[error("`{path}` cannot be read as a run: {reason}")]
    BadRecord {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
}

/// What the user has to do about an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    /// Change the command or the configuration.
    Usage,
    /// Look at storage, inputs or the machine.
    Machine,
}

impl RunError {
    /// What the user has to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Load(LoadError::NotThere(_) | LoadError::Problems(_))
            | Self::Code(_)
            | Self::LiveEdit(_)
            | Self::NoDates(_)
            | Self::NoTask(_)
            | Self::NoRun(_) => ErrorKind::Usage,
            Self::Observe(
                ObserveError::BeyondCalendar { .. }
                | ObserveError::NoSlice { .. }
                | ObserveError::UnknownSlice { .. },
            ) => ErrorKind::Usage,
            _ => ErrorKind::Machine,
        }
    }

    pub(crate) fn no_temporary_folder(source: std::io::Error) -> Self {
        Self::Machine {
            what: "no temporary folder could be made".to_owned(),
            source,
        }
    }
}
