//! Files of any format but Parquet as the engine reads them: one stream, batch by batch, with the types that were settled before.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::Statistics;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, StatisticsArgs,
};
use understudy_tables::TableSource;

/// Batches that are read ahead, at most.
const MAX_WAITING_BATCHES: usize = 2;

/// Reads the files of one table in order.
#[derive(Debug)]
pub(super) struct TableScan {
    source: TableSource,
    schema: SchemaRef,
    projection: Option<Vec<usize>>,
    statistics: Arc<Statistics>,
    properties: Arc<PlanProperties>,
}

impl TableScan {
    pub(super) fn new(
        source: &TableSource,
        schema: &SchemaRef,
        projection: Option<&Vec<usize>>,
        statistics: &Statistics,
    ) -> Result<Self> {
        let projected = match projection {
            Some(positions) => Arc::new(schema.project(positions)?),
            None => Arc::clone(schema),
        };
        Ok(Self {
            source: source.clone(),
            schema: Arc::clone(schema),
            projection: projection.cloned(),
            statistics: Arc::new(statistics.clone().project(projection)),
            properties: Arc::new(PlanProperties::new(
                EquivalenceProperties::new(projected),
                Partitioning::UnknownPartitioning(1),
                EmissionType::Incremental,
                Boundedness::Bounded,
            )),
        })
    }
}

impl ExecutionPlan for TableScan {
    fn name(&self) -> &'static str {
        "TableScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn statistics_from_inputs(
        &self,
        _inputs: &[Arc<Statistics>],
        _args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        Ok(Arc::clone(&self.statistics))
    }

    fn execute(
        &self,
        _partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let batch_rows = context.session_config().batch_size();
        let batches = self
            .source
            .read(&self.schema, self.projection.as_deref(), batch_rows)
            .map_err(external)?;
        let mut stream = RecordBatchReceiverStreamBuilder::new(self.schema(), MAX_WAITING_BATCHES);
        let sender = stream.tx();
        stream.spawn_blocking(move || {
            for batch in batches {
                if sender.blocking_send(batch.map_err(external)).is_err() {
                    // Nobody wants more: a LIMIT is reached, or the query has failed elsewhere.
                    break;
                }
            }
            Ok(())
        });
        Ok(stream.build())
    }
}

impl DisplayAs for TableScan {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TableScan: {}", self.source.snapshot.location)
    }
}

fn external(error: understudy_tables::TableError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
