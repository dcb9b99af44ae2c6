//! The kinds of task: what computes a dataset from others; and the comparators that run code of the user's.
//!
//! Knows: SQL (DataFusion), programs, Rust tasks, merges, the folder that a task may write.
//! Does not know: pipelines, worlds, live and shadow, publishing. A task gets its inputs and writes its output; what
//! role it plays is nobody's business here. It runs inside a worker process that somebody else starts and limits.

mod check;
mod collect;
mod columns;
mod command;
mod external;
mod input;
mod log;
mod merge;
mod output;
mod predicate;
mod rust;
mod sql;

pub use check::{CommandComparator, Program, SqlComparator};
pub use columns::missing_columns;
pub use command::{CommandError, CommandTask, Start, run_command};
pub use external::take_external;
pub use input::{InputError, TaskInput, lay_out_input};
pub use log::{HEAD_BYTES, KeptLog, TAIL_BYTES};
pub use merge::{MergeError, MergeTask, Merged, merge_query, run_merge};
pub use output::OutputError;
pub use predicate::RowPredicate;
pub use rust::{Call, InputTable, Registry, RustError, RustTask, Task, run_rust};
pub use sql::{Joins, SqlError, SqlTask, plan_sql, run_sql};

/// The Arrow that Rust tasks read and write.
pub use arrow;

use std::io;
use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};
use understudy_tables::{TableError, TableSource};

/// The one file of a task's output, in its output folder.
pub const DATA_FILE: &str = "data.parquet";

/// The folder of what somebody else wrote, inside an output folder.
pub const RAW_FOLDER: &str = "raw";

/// What a task made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TaskOutput {
    /// Its rows.
    pub rows: u64,
    /// The one Parquet file that holds them.
    pub parquet: PathBuf,
    /// The CSV as a program wrote it, for types that are inferred over both sides of a comparison together.
    pub raw: Option<TableSource>,
    /// The schema of the Parquet file.
    #[serde(with = "understudy_tables::schema_text")]
    pub schema: SchemaRef,
}

/// A task that made nothing.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The SQL is wrong, or failed.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The program failed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The inputs cannot be merged.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// A task that is compiled in failed.
    #[error(transparent)]
    Rust(#[from] RustError),
    /// What the program left is no table.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// An input cannot be handed to the task.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A table cannot be read or written.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The file system refused.
    #[error("`{}` cannot be {action}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried: `created`, `read` or `written`.
        action: &'static str,
        /// What the file system said.
        source: io::Error,
    },
}

impl TaskError {
    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            path: path.to_owned(),
            action,
            source,
        }
    }
}
