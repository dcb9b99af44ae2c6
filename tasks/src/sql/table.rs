//! A pinned table as the engine sees it: exactly its files, with the schema that was settled when they were pinned.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{ScalarValue, Statistics};
use datafusion::config::TableParquetOptions;
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use understudy_core::snapshot::{FileFormat, PinnedFile};
use understudy_tables::{Extent, TableError, TableSource};

use super::store;
use super::table_scan::TableScan;
use crate::TaskInput;

/// Bytes of a CSV file that are taken for one value when the engine asks for the number of rows.
const CSV_VALUE_BYTES: u64 = 8;

/// One input of the query.
#[derive(Debug)]
pub(super) struct PinnedTable {
    name: String,
    source: TableSource,
    schema: SchemaRef,
    extent: Extent,
    /// How many of the last columns of Parquet are in the names of folders only.
    partition_columns: usize,
}

impl PinnedTable {
    pub(super) fn new(input: &TaskInput) -> Result<Self, TableError> {
        Ok(Self {
            name: input.name.clone(),
            extent: input.source.extent()?,
            partition_columns: match input.source.snapshot.format {
                FileFormat::Parquet => input.source.partition_columns(&input.schema)?,
                _ => 0,
            },
            source: input.source.clone(),
            schema: Arc::clone(&input.schema),
        })
    }

    /// Estimates, by which the engine chooses the smaller side of a join to hold in memory.
    fn statistics(&self) -> Statistics {
        let columns = self.schema.fields().len().max(1) as u64;
        let rows = self
            .extent
            .rows
            .unwrap_or(self.extent.bytes / (CSV_VALUE_BYTES * columns));
        let inexact = |count: u64| Precision::Inexact(usize::try_from(count).unwrap_or(usize::MAX));
        let mut statistics = Statistics::new_unknown(&self.schema);
        statistics.num_rows = inexact(rows);
        statistics.total_byte_size = inexact(self.extent.bytes);
        statistics
    }

    fn scan_parquet(
        &self,
        options: TableParquetOptions,
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let source = ParquetSource::new(self.table_schema()).with_table_parquet_options(options);
        let files: EngineResult<Vec<_>> = self
            .source
            .snapshot
            .files
            .iter()
            .enumerate()
            .map(|(position, file)| self.file(position, file))
            .collect();
        let scan = FileScanConfigBuilder::new(store::url(), Arc::new(source))
            .with_file_group(FileGroup::new(files?))
            .with_statistics(self.statistics())
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }

    fn table_schema(&self) -> TableSchema {
        let fields = self.schema.fields();
        let (own, partitions) = fields.split_at(fields.len() - self.partition_columns);
        TableSchema::builder(Arc::new(Schema::new(own.to_vec())))
            .with_table_partition_cols(partitions.to_vec())
            .build()
    }

    fn file(&self, position: usize, pinned: &PinnedFile) -> EngineResult<PartitionedFile> {
        let meta = store::meta(&store::location(&self.name, pinned, position), pinned);
        Ok(PartitionedFile::new_from_meta(meta)
            .with_partition_values(self.partition_values(pinned)?))
    }

    fn partition_values(&self, pinned: &PinnedFile) -> EngineResult<Vec<ScalarValue>> {
        let fields = self.schema.fields();
        let partitions = fields.iter().skip(fields.len() - self.partition_columns);
        let values = partitions.map(|field| {
            let value = self.source.partition_value(pinned, field);
            let value = value.map_err(|error| DataFusionError::External(Box::new(error)))?;
            ScalarValue::try_from_array(&value, 0)
        });
        values.collect()
    }
}

#[async_trait]
impl TableProvider for PinnedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        match self.source.snapshot.format {
            FileFormat::Parquet => {
                self.scan_parquet(state.default_table_options().parquet, projection, limit)
            }
            FileFormat::Csv | FileFormat::Json | FileFormat::Arrow => {
                let statistics = self.statistics();
                Ok(Arc::new(TableScan::new(
                    &self.source,
                    &self.schema,
                    projection,
                    &statistics,
                )?))
            }
        }
    }
}
