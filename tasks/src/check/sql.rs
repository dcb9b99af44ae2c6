//! A query over the tables `old` and `new`: each row that it gives is a finding.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use datafusion::physical_plan::execute_stream;
use futures::{FutureExt as _, StreamExt as _};
use understudy_comparators::{CheckError, Comparator, Found, Sides};

use super::rows::hand_on;
use super::{failed, inputs};
use crate::output::plain_schema;
use crate::sql::{self, Joins, SqlError, SqlTask};
use crate::{TaskError, TaskInput};

/// Asks a query.
#[derive(Clone, Debug)]
pub struct SqlComparator {
    sql: String,
}

impl SqlComparator {
    /// One for this query.
    #[must_use]
    pub fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into() }
    }
}

impl Comparator for SqlComparator {
    fn compare(&self, sides: &Sides<'_>, found: &mut dyn Found) -> Result<u64, CheckError> {
        let rows = sides.all_rows()?;
        let task = SqlTask {
            sql: self.sql.clone(),
            params: BTreeMap::new(),
            run_date: sides.run_date(),
            now_nanos: sides.now_nanos(),
            threads: sides.threads(),
            memory_bytes: sides.memory_bytes(),
            temp_dir: sides.temp_dir().to_owned(),
            joins: Joins::Sorted,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(sides.threads().max(1))
            .enable_all()
            .build()?;
        let inputs = inputs(sides);
        let asked = ask(&task, &inputs, sides.customer(), found);
        let asked = AssertUnwindSafe(asked).catch_unwind();
        let asked = runtime.block_on(asked);
        let asked =
            asked.unwrap_or_else(|panic| Err(failed(SqlError::crashed(panic.as_ref()).into())));
        asked.map(|()| rows)
    }
}

async fn ask(
    task: &SqlTask,
    inputs: &[TaskInput],
    customer: Option<&str>,
    found: &mut dyn Found,
) -> Result<(), CheckError> {
    let (state, plan) = sql::plan(task, inputs).await.map_err(failed)?;
    // Two columns of one name could not be told apart.
    plain_schema(&plan.schema()).map_err(|error| failed(error.into()))?;
    let running = |error| failed(TaskError::from(SqlError::running(error)));
    let mut batches = execute_stream(plan, state.task_ctx()).map_err(running)?;
    while let Some(batch) = batches.next().await {
        match batch {
            Ok(batch) => hand_on(&batch, customer, found)?,
            Err(error) => {
                let error = sql::explained(SqlError::running(error), inputs).await;
                return Err(failed(error));
            }
        }
    }
    Ok(())
}
