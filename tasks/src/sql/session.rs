//! The engine as one task sees it.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use chrono::DateTime;
use datafusion::catalog::TableFunction;
use datafusion::common::TableReference;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder, SessionStateDefaults};
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::{LogicalPlan, ScalarUDF};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::Statement;
use nix::sys::statvfs::statvfs;
use understudy_sabotage::Sabotage;

use super::store::InputsOnly;
use super::table::PinnedTable;
use super::{Joins, SqlError, SqlTask};
use crate::{TaskError, TaskInput};

/// The operators that an error about memory names.
const SHOWN_CONSUMERS: NonZeroUsize = NonZeroUsize::new(3).expect("three is not zero");

/// What a sort keeps back for merging what it has spilled, per partition, unless memory is scarce.
const MAX_MERGE_RESERVE_BYTES: u64 = 10 << 20;

/// The share of the memory that these reserves may take together: one part in so many.
const MERGE_RESERVE_SHARE: u64 = 8;

/// What a query may spill to disk, at most.
const MAX_SPILL_BYTES: u64 = 100 << 30;

/// The share of what is free on the disk that it may take: one part in so many.
const FREE_SHARE: u64 = 3;

/// A session with the inputs as its only tables.
pub(super) fn state(task: &SqlTask, inputs: &[TaskInput]) -> Result<SessionState, TaskError> {
    let runtime = runtime(task, inputs).map_err(SqlError::running)?;
    let config = config(task);
    let mut props = ExecutionProps::new()
        .with_query_execution_start_time(DateTime::from_timestamp_nanos(task.now_nanos));
    props.config_options = Some(Arc::clone(config.options()));
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        // What would make new tables out of files is not there at all.
        .with_table_factories(HashMap::new())
        .with_file_formats(Vec::new())
        .with_scalar_functions(scalar_functions())
        .with_table_function_list(table_functions())
        .with_execution_props(props)
        .build();
    register(&state, inputs)?;
    Ok(state)
}

fn config(task: &SqlTask) -> SessionConfig {
    let threads = task.threads.max(1);
    let share = task.memory_bytes / (MERGE_RESERVE_SHARE * threads as u64);
    let mut config = SessionConfig::new()
        .with_target_partitions(threads)
        .with_information_schema(false);
    let options = config.options_mut();
    options.execution.sort_spill_reservation_bytes = to_usize(share.min(MAX_MERGE_RESERVE_BYTES));
    options.optimizer.prefer_hash_join = task.joins == Joins::InMemory;
    options.execution.time_zone = Some("UTC".to_owned());
    options.sql_parser.collect_spans = true;
    options.sql_parser.map_string_types_to_utf8view = false;
    config
}

/// Functions of the engine that a query does not get: the result would tell the machine and the engine, not the data.
const REFUSED_FUNCTIONS: [&str; 1] = ["version"];

/// The functions that stand for a table: series of numbers and times. One that reads a file is none of them, whatever
/// another release of the engine brings.
const TABLE_FUNCTIONS: [&str; 2] = ["generate_series", "range"];

fn scalar_functions() -> Vec<Arc<ScalarUDF>> {
    let mut functions = SessionStateDefaults::default_scalar_functions();
    functions.retain(|function| !REFUSED_FUNCTIONS.contains(&function.name()));
    functions
}

fn table_functions() -> Vec<Arc<TableFunction>> {
    let mut functions = SessionStateDefaults::default_table_functions();
    functions.retain(|function| TABLE_FUNCTIONS.contains(&function.name()));
    functions
}

fn runtime(task: &SqlTask, inputs: &[TaskInput]) -> Result<Arc<RuntimeEnv>, DataFusionError> {
    let pool = FairSpillPool::new(to_usize(task.memory_bytes));
    let directories = DiskManagerMode::Directories(vec![task.temp_dir.clone()]);
    let disk = DiskManagerBuilder::default()
        .with_mode(directories)
        .with_max_temp_directory_size(spill_bytes(&task.temp_dir));
    RuntimeEnvBuilder::new()
        .with_object_store_registry(Arc::new(InputsOnly::of(inputs)))
        .with_memory_pool(Arc::new(TrackConsumersPool::new(pool, SHOWN_CONSUMERS)))
        .with_disk_manager_builder(disk)
        .build_arc()
}

/// What a query may spill: as much as leaves others the larger part of the disk, which live may have to publish to.
fn spill_bytes(temp_dir: &Path) -> u64 {
    let free = statvfs(temp_dir).map_or(0, |disk| disk.blocks_available() * disk.fragment_size());
    MAX_SPILL_BYTES.min(free / FREE_SHARE)
}

fn register(state: &SessionState, inputs: &[TaskInput]) -> Result<(), TaskError> {
    for input in inputs {
        let table = Arc::new(PinnedTable::new(input)?);
        let name = TableReference::bare(input.name.clone());
        let schema = state.schema_for_ref(name).map_err(SqlError::running)?;
        schema
            .register_table(input.name.clone(), table)
            .map_err(SqlError::running)?;
    }
    Ok(())
}

/// Plans a statement; an error says what is wrong with the query.
pub(super) async fn plan(
    state: &SessionState,
    statement: Statement,
) -> Result<Arc<dyn ExecutionPlan>, SqlError> {
    let wrong = |error| SqlError::planning(error, &functions(state));
    let logical = state.statement_to_plan(statement).await.map_err(wrong)?;
    if !Sabotage::AnyStatement.is_on() {
        require_query(&logical).map_err(SqlError::writes)?;
    }
    state.create_physical_plan(&logical).await.map_err(wrong)
}

/// A second guard behind the parser's: no plan that would write or set anything.
fn require_query(plan: &LogicalPlan) -> Result<(), DataFusionError> {
    let options = SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false);
    options.verify_plan(plan)
}

/// The names of all functions, in order.
pub(crate) fn functions(state: &SessionState) -> Vec<String> {
    let scalar = state.scalar_functions().keys();
    let names = scalar
        .chain(state.aggregate_functions().keys())
        .chain(state.window_functions().keys());
    names
        .cloned()
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect()
}

fn to_usize(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
