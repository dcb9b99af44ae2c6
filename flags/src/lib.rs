//! Flag providers: what somebody wants the stages of lanes to be.
//!
//! Knows: where flags are kept, and how each provider writes them.
//! Does not know: who is live. The ledger decides that; a provider only says what it was told.

pub mod conformance;
mod file;
mod freshness;
pub mod launchdarkly;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value as Json;
use understudy_core::customer::Customer;
use understudy_core::stage::{LaneStages, Stages};

pub use file::{FLAG_FILE, FileFlags, FlagFileError};
pub use freshness::Freshness;
pub use launchdarkly::{LaunchDarkly, LaunchDarklyError, Settings};

/// A provider that may be shared.
pub type Flags = Arc<dyn FlagProvider>;

/// What is asked about one flag.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The flag's key.
    pub flag: String,
    /// What the ledger says of its lanes: what holds wherever the flag says nothing that counts.
    pub held: LaneStages,
    /// The customers that there are, beside those that the ledger names; for providers that ask for them.
    pub customers: BTreeSet<Customer>,
    /// The version that the flag had when it was last read back, where it has versions.
    pub last_version: Option<u64>,
}

/// What a provider says, once a run.
#[derive(Clone, PartialEq, Debug)]
pub enum FlagAnswer {
    /// It says nothing: it was never told anything.
    Silent,
    /// What it says.
    Said(Said),
}

/// What a provider says of the flags that it was asked for.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Said {
    /// The stages, by flag; a flag that is not in it says nothing that counts.
    pub stages: Stages,
    /// The flags whose stage for everybody else is the lowest that it may be: a rule may match whom nobody knows yet.
    pub bounds: BTreeSet<String>,
    /// Why a flag, or some lanes of it, say nothing that counts.
    pub doubts: Vec<Doubt>,
    /// What the answer was made from, for whoever looks at the run later.
    pub record: Option<Json>,
}

/// Why a flag says nothing that counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Doubt {
    /// The flag.
    pub flag: String,
    /// Why, as a sentence about the flag.
    pub why: String,
}

/// What a flag is to say from now on, and why.
#[derive(Clone, Debug)]
pub struct Telling<'a> {
    /// The flag's key.
    pub flag: &'a str,
    /// The stages, of named lanes and of everybody else.
    pub stages: &'a LaneStages,
    /// The customers that there are, beside those that the stages name; for providers that ask for them.
    pub customers: &'a BTreeSet<Customer>,
    /// Why, for the provider's own log. It names no customer.
    pub why: &'a str,
    /// What no other telling has: by it, one whose answer was lost is found again.
    pub marker: Option<&'a str>,
    /// Where it goes.
    pub towards: Towards,
    /// Whether somebody waits who has other things to do: what does not work at once is told again later.
    pub hurry: bool,
}

/// Where a telling goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Towards {
    /// Somebody gets the new version: there is time.
    New,
    /// Nobody does; the ledger has it already.
    Old,
}

/// What a provider answers to being told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Told {
    /// The version that the flag has now; `None` where flags have none.
    pub version: Option<u64>,
    /// Whether it is known that whoever reads the flags sees it.
    pub confirmed: bool,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// Why a provider does not answer, or could not be told.
#[derive(Debug, thiserror::Error)]
pub enum FlagError {
    /// The flag file.
    #[error(transparent)]
    File(#[from] FlagFileError),
    /// LaunchDarkly.
    #[error(transparent)]
    LaunchDarkly(#[from] LaunchDarklyError),
}

impl FlagError {
    /// Whether it was surely not done, and will not be if it is tried again as it is.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::File(_) => false,
            Self::LaunchDarkly(error) => error.is_refusal(),
        }
    }

    /// Whether somebody has to approve of it before it can be done.
    #[must_use]
    pub fn waits_for_approval(&self) -> bool {
        matches!(self, Self::LaunchDarkly(LaunchDarklyError::Approval { .. }))
    }
}

/// Something about a flag that would surprise whoever relies on it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Surprise {
    /// How bad it is.
    pub weight: Weight,
    /// What, as a sentence about the flag.
    pub what: String,
    /// What to do.
    pub fix: String,
}

/// How bad a surprise is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Good to know.
    Note,
    /// It works, and not as people expect.
    Warning,
    /// The flag says nothing that counts, or cannot be moved.
    Error,
}

/// A place that a provider needs, and whether it was reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reached {
    /// What it is for.
    pub what: &'static str,
    /// Where it is.
    pub place: String,
    /// How it is.
    pub found: Found,
}

/// How a place is that a provider needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// It answers as it should.
    Good(String),
    /// It is not made use of, or not yet.
    Unused(String),
    /// It does not answer, or does not let us in.
    Failed(String),
}

/// Somewhere that flags are kept.
pub trait FlagProvider: fmt::Debug + Send + Sync {
    /// What people call it.
    fn name(&self) -> &'static str;

    /// Begins to look, so that the answer is there when it is asked for.
    fn begin(&self) {}

    /// Whether it has to be told which customers there are: it knows rules, not only lists.
    fn asks_for_customers(&self) -> bool {
        false
    }

    /// Whether its flags have versions, so that what it was told can be confirmed and made up for.
    fn has_versions(&self) -> bool {
        false
    }

    /// How fresh is what it would say now; the first time this may wait.
    fn freshness(&self) -> Freshness;

    /// What it says now.
    ///
    /// # Errors
    /// It does not answer, or nothing that can be understood. Then it counts as down.
    fn snapshot(&self, asked: &[Asked]) -> Result<FlagAnswer, FlagError>;

    /// What in a flag would surprise whoever relies on it.
    ///
    /// # Errors
    /// It does not answer.
    fn lint(&self, _flag: &str) -> Result<Vec<Surprise>, FlagError> {
        Ok(Vec::new())
    }

    /// Tries the places that it needs, one of the flags among them.
    fn reach(&self, _flag: &str) -> Vec<Reached> {
        Vec::new()
    }

    /// Makes sure that it can be told, before the ledger says so; nobody gets anything else by it. `stages` are those
    /// that it is to have, `before` those that it says now.
    ///
    /// # Errors
    /// It could not be told.
    fn rehearse(&self, telling: &Telling<'_>, before: &LaneStages) -> Result<(), FlagError>;

    /// Tells it what one flag is from now on; whoever reads meanwhile gets what it was or what it is. A flag that is so
    /// already stays as it is.
    ///
    /// # Errors
    /// It could not be told, or it is not known whether it was; to tell it again is safe.
    fn tell(&self, telling: &Telling<'_>) -> Result<Told, FlagError>;
}
