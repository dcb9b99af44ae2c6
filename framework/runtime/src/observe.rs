//! What there is when a run begins: the date, the inputs, the code, the stages and the schemas, as data.

mod code;
mod copies;
mod customers;
mod dates;
mod delta;
mod executable;
mod inputs;
mod remote;
mod schemas;

use std::collections::BTreeMap;

use understudy_core::digest::Digest;
use understudy_core::run_date::RunDate;
use understudy_core::slice::SliceOf;
use understudy_core::spec::{Spec, Task};
use understudy_tables as tables;

pub(crate) use code::code_of_check;
pub use code::{CodeError, code_digests, equal_versions, unknown_rust_tasks};
pub use copies::CopyError;
pub(crate) use copies::of as as_copied;
pub use customers::find_customers;
pub use dates::default_date;
pub(crate) use delta::copy as copy_delta;
pub(crate) use inputs::{
    Wanted, dataset_source, external_source, pin_wanted, stored_of, stored_source,
};
pub use inputs::{changed_inputs, pin_inputs, require_tables};
pub(crate) use schemas::remember;
pub use schemas::{SchemaReport, inspect};

/// The digest of each version's code, by task and version.
pub type CodeDigests = BTreeMap<String, BTreeMap<String, Digest>>;

/// When, and for whom.
#[derive(Clone, PartialEq, Debug)]
pub struct When {
    /// The run date.
    pub date: RunDate,
    /// The slice; `None` for everybody.
    pub slice: Option<SliceOf>,
}

/// Why the inputs could not be pinned.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// A location has no place on that date.
    #[error("{what}: its location leaves the calendar on {date}")]
    BeyondCalendar {
        /// The dataset or version.
        what: String,
        /// The date.
        date: RunDate,
    },
    /// A location is that of a slice, and none was named.
    #[error("{what}: its location `{location}` is that of a slice; name one with --slice")]
    NoSlice {
        /// The dataset or version.
        what: String,
        /// The location.
        location: String,
    },
    /// There is no slice of that name.
    #[error("there is no slice `{name}`; {known}")]
    UnknownSlice {
        /// The name.
        name: String,
        /// Those that there are, for people.
        known: String,
    },
    /// No date has all inputs.
    #[error("there is no date for which every dated input is there ({}); name one with --date, or look at the locations", .0.join(", "))]
    NoDate(Vec<String>),
    /// A dataset is not there.
    #[error(
        "dataset `{name}` on {date}: nothing is at `{location}`; check the path and the run date{}",
        if name.contains("@or ") { " (what stands behind `else` is read only where no earlier date is there either)" } else { "" }
    )]
    NotThere {
        /// The dataset.
        name: String,
        /// The date.
        date: RunDate,
        /// Where it should be.
        location: String,
    },
    /// What was pinned could not be copied.
    #[error("the inputs of {date} could not be copied")]
    Copy {
        /// The date.
        date: RunDate,
        /// Why.
        source: CopyError,
    },
    /// An object store could not be asked for dates.
    #[error("{what}: its dates could not be listed")]
    Dates {
        /// The dataset or version.
        what: String,
        /// Why.
        source: crate::store::remote::RemoteError,
    },
    /// A dataset cannot be pinned.
    #[error("{what} on {date}")]
    Pin {
        /// The dataset or version.
        what: String,
        /// The date.
        date: RunDate,
        /// Why.
        source: tables::PinError,
    },
}

/// The versions of a task that the pipeline runs: the live one, and that of its change.
pub(crate) fn running_versions<'a>(spec: &'a Spec, task: &'a Task) -> Vec<&'a str> {
    let new = spec
        .change_of(&task.name)
        .map(|change| change.new[&task.name].as_str());
    [Some(task.live.as_str()), new]
        .into_iter()
        .flatten()
        .collect()
}
