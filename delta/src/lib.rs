//! Delta tables: the rows of one version of one.
//!
//! Knows: how to ask the Delta kernel for a version. Which files belong to it, what was deleted from them, what columns
//! are called in them and what is in the names of folders is the kernel's business.
//! Does not know: which version is wanted and why, pipelines, where the rows go.

use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use delta_kernel::engine::arrow_conversion::TryIntoArrow as _;
use delta_kernel::engine::arrow_data::EngineDataArrowExt as _;
use delta_kernel::scan::Scan;
use delta_kernel::{Engine, KernelError, Snapshot};
use delta_kernel_default_engine::DefaultEngineBuilder;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use url::Url;

/// The rows of a batch, at most.
const BATCH_ROWS: NonZero<usize> = NonZero::new(8192).expect("it is not zero");
/// The files that are read ahead, at most.
const FILES_AHEAD: NonZero<usize> = NonZero::new(4).expect("it is not zero");

/// A version that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DeltaError {
    /// The folder or URL of the table is none.
    #[error("`{0}` is no place of a Delta table")]
    Place(String),
    /// The version is not there any more, or the table uses what the kernel cannot read.
    #[error("version {version} of the Delta table `{table}` cannot be read")]
    Kernel {
        /// The table.
        table: String,
        /// The version.
        version: u64,
        /// Why.
        source: KernelError,
    },
    /// A batch does not have the table's columns.
    #[error("the Delta table `{table}` gave rows of another shape than it says")]
    Shape {
        /// The table.
        table: String,
        /// What differs.
        source: ArrowError,
    },
}

/// Where a table is.
#[derive(Debug)]
pub struct Table {
    url: Url,
    store: Arc<dyn ObjectStore>,
}

/// One version of a table.
pub struct TableVersion {
    table: String,
    version: u64,
    engine: Arc<dyn Engine>,
    schema: SchemaRef,
    scan: Scan,
}

impl std::fmt::Debug for TableVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableVersion")
            .field("table", &self.table)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl Table {
    /// A table in a folder of this machine.
    ///
    /// # Errors
    /// A folder that is not absolute.
    pub fn in_folder(folder: &Path) -> Result<Self, DeltaError> {
        let url = Url::from_directory_path(folder)
            .map_err(|()| DeltaError::Place(folder.display().to_string()))?;
        let store = Arc::new(LocalFileSystem::new());
        Ok(Self { url, store })
    }

    /// A table in a folder of a bucket, by what people call it, and a client for that bucket.
    ///
    /// # Errors
    /// A name that is no URL.
    pub fn in_bucket(
        name: &str,
        folder: &str,
        store: Arc<dyn ObjectStore>,
    ) -> Result<Self, DeltaError> {
        let mut url = Url::parse(name).map_err(|_| DeltaError::Place(name.to_owned()))?;
        // The kernel takes the path for the key, whatever the host is.
        url.set_path(&format!("{folder}/"));
        Ok(Self { url, store })
    }

    /// A version of the table.
    ///
    /// # Errors
    /// The version is not there, or the table has features that the kernel cannot read.
    pub fn at(&self, version: u64) -> Result<TableVersion, DeltaError> {
        let table = self.url.to_string();
        let failed = |source| DeltaError::Kernel {
            table: table.clone(),
            version,
            source,
        };
        let engine = DefaultEngineBuilder::new(self.store.clone())
            .with_buffer_size(FILES_AHEAD)
            .with_batch_size(BATCH_ROWS)
            .build();
        let snapshot = Snapshot::builder_for(self.url.as_str())
            .at_version(version)
            .build(&engine)
            .map_err(failed)?;
        let own = snapshot.schema().as_ref().try_into_arrow();
        let own: Schema = own.map_err(|source| DeltaError::Shape {
            table: table.clone(),
            source,
        })?;
        Ok(TableVersion {
            schema: Arc::new(plain(&own)),
            scan: snapshot.scan_builder().build().map_err(failed)?,
            engine: Arc::new(engine),
            table,
            version,
        })
    }
}

impl TableVersion {
    /// Its columns, in their order.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Its rows, in batches of some thousands.
    ///
    /// # Errors
    /// The log cannot be read. What is wrong with a file comes as an item when it is its turn.
    pub fn rows(
        &self,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, DeltaError>>, DeltaError> {
        let found = self.scan.execute(self.engine.clone());
        let found = found.map_err(|source| self.failed(source))?;
        Ok(found.map(|data| {
            let batch = data.try_into_record_batch();
            let batch = batch.map_err(|source| self.failed(source))?;
            // Writers call the items of lists and maps what they like; the table's schema says what they are called.
            let columns = batch.columns().iter().zip(self.schema.fields());
            let columns = columns.map(|(column, field)| cast(column, field.data_type()));
            let shaped = columns
                .collect::<Result<_, _>>()
                .and_then(|columns| RecordBatch::try_new(self.schema.clone(), columns));
            shaped.map_err(|source| DeltaError::Shape {
                table: self.table.clone(),
                source,
            })
        }))
    }

    fn failed(&self, source: KernelError) -> DeltaError {
        DeltaError::Kernel {
            table: self.table.clone(),
            version: self.version,
            source,
        }
    }
}

/// Columns without what Delta notes on them for itself.
fn plain(schema: &Schema) -> Schema {
    let fields = schema.fields().iter();
    let plain = fields
        .map(|field| Field::new(field.name(), field.data_type().clone(), field.is_nullable()));
    Schema::new(plain.collect::<Vec<_>>())
}
