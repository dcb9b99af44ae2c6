//! A task that is written in Rust and compiled into the program.
//!
//! Whoever has such tasks makes a program of their own: a `main` that registers them and hands over to Understudy's.
//! A task runs in a worker process like every other kind, so it may be slow, greedy or panic.

mod call;

use std::any::Any;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use understudy_comparators::Comparator;
use understudy_core::run_date::RunDate;
use understudy_core::spec::Param;

pub use call::{Call, InputTable};

use crate::{TaskError, TaskInput, TaskOutput};

/// A task: it reads tables and writes one.
///
/// The same inputs, parameters and date must give the same rows: a run may be repeated, and two versions are compared.
pub trait Task: Send + Sync {
    /// Computes the output of one run date.
    ///
    /// # Errors
    /// Whatever keeps it from an output; the text goes into the report.
    fn run(&self, call: &mut Call<'_>) -> Result<(), Box<dyn Error + Send + Sync>>;
}

impl<F> Task for F
where
    F: Fn(&mut Call<'_>) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync,
{
    fn run(&self, call: &mut Call<'_>) -> Result<(), Box<dyn Error + Send + Sync>> {
        self(call)
    }
}

/// The tasks and comparators that a program has, by the names under which pipeline files know them.
#[derive(Default)]
pub struct Registry {
    tasks: BTreeMap<String, Box<dyn Task>>,
    comparators: BTreeMap<String, Box<dyn Comparator>>,
}

impl Registry {
    /// A registry without tasks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more task; a version says `rust: <name>` to run it.
    ///
    /// # Panics
    /// The name is taken: two tasks of one name are a mistake of the program.
    #[must_use]
    pub fn task(mut self, name: &str, task: impl Task + 'static) -> Self {
        let before = self.tasks.insert(name.to_owned(), Box::new(task));
        assert!(before.is_none(), "two tasks are registered as `{name}`");
        self
    }

    /// The same with one more comparator; a check says `rust: <name>` to ask it.
    ///
    /// # Panics
    /// The name is taken: two comparators of one name are a mistake of the program.
    #[must_use]
    pub fn comparator(mut self, name: &str, comparator: impl Comparator + 'static) -> Self {
        let before = self
            .comparators
            .insert(name.to_owned(), Box::new(comparator));
        assert!(
            before.is_none(),
            "two comparators are registered as `{name}`"
        );
        self
    }

    /// The comparator of that name.
    #[must_use]
    pub fn get_comparator(&self, name: &str) -> Option<&dyn Comparator> {
        self.comparators.get(name).map(AsRef::as_ref)
    }

    /// The names of all comparators, in order.
    #[must_use]
    pub fn comparator_names(&self) -> Vec<&str> {
        self.comparators.keys().map(String::as_str).collect()
    }

    /// The task of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&dyn Task> {
        self.tasks.get(name).map(AsRef::as_ref)
    }

    /// The names of all tasks, in order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.tasks.keys().map(String::as_str).collect()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("tasks", &self.names())
            .field("comparators", &self.comparator_names())
            .finish()
    }
}

/// A call of a task that made nothing.
#[derive(Debug, thiserror::Error)]
pub enum RustError {
    /// It is not compiled in.
    #[error("this program has no Rust task `{name}`; {known}")]
    Unknown {
        /// The name.
        name: String,
        /// Those that there are, for people.
        known: String,
    },
    /// It said that it failed.
    #[error("the Rust task `{name}` failed")]
    Failed {
        /// The task.
        name: String,
        /// What it said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// It panicked.
    #[error("the Rust task `{name}` panicked: {message}")]
    Panicked {
        /// The task.
        name: String,
        /// What it said.
        message: String,
    },
    /// It ended well and wrote nothing.
    #[error(
        "the Rust task `{name}` wrote no batch; one without rows must still call `Call::columns`"
    )]
    NoColumns {
        /// The task.
        name: String,
    },
    /// It asked for an input that it does not have.
    #[error("there is no input `{name}`; the inputs are: {known}")]
    NoInput {
        /// The name that it asked for.
        name: String,
        /// Those that there are.
        known: String,
    },
}

/// One call of a Rust task and all that it depends on beside its inputs.
#[derive(Clone, Debug)]
pub struct RustTask {
    /// The name under which it is registered.
    pub name: String,
    /// The version's parameters.
    pub params: BTreeMap<String, Param>,
    /// The run date.
    pub run_date: RunDate,
    /// The run's pinned instant: nanoseconds since the epoch.
    pub now_nanos: i64,
    /// How many threads it may use.
    pub threads: usize,
    /// What it may hold in memory, in bytes.
    pub memory_bytes: u64,
}

/// Calls a task and takes over what it wrote, as `data.parquet` in the output folder.
///
/// # Errors
/// A task that is not registered, fails, panics or writes nothing.
pub fn run_rust(
    task: &RustTask,
    registry: &Registry,
    inputs: &[TaskInput],
    output: &Path,
    temp_dir: &Path,
) -> Result<TaskOutput, TaskError> {
    let unknown = || RustError::Unknown {
        name: task.name.clone(),
        known: known(&registry.names()),
    };
    let code = registry.get(&task.name).ok_or_else(unknown)?;
    let mut call = Call::new(task, inputs, output, temp_dir);
    let ended = catch_unwind(AssertUnwindSafe(|| code.run(&mut call)));
    match ended {
        Ok(Ok(())) => call.finish(),
        Ok(Err(source)) => Err(RustError::Failed {
            name: task.name.clone(),
            source,
        }
        .into()),
        Err(panic) => Err(RustError::Panicked {
            name: task.name.clone(),
            message: panic_text(panic.as_ref()),
        }
        .into()),
    }
}

/// What tasks a program has, for people.
pub(crate) fn known(names: &[&str]) -> String {
    if names.is_empty() {
        return "it has none: build a program of your own that registers it".to_owned();
    }
    format!("it has: {}", names.join(", "))
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it gave no reason".to_owned())
}

#[cfg(test)]
mod tests;
