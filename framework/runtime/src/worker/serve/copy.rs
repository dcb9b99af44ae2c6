//! Copying one version of a Delta table into a Parquet file.

use understudy_core::run::Failure;

use super::super::protocol::CopyJob;
use super::machine_failure;

/// Writes the version's rows into the output folder.
#[cfg(feature = "delta")]
pub(super) fn copy(job: &CopyJob) -> Result<(), Failure> {
    use understudy_delta::Table;
    use understudy_tables::ParquetFile;
    use understudy_tasks::DATA_FILE;

    use super::chain;
    use crate::store::remote::{at, is_remote};

    fn failed(error: &dyn std::error::Error) -> Failure {
        machine_failure(format!("failed: {}", chain(error)))
    }

    let table = if is_remote(&job.table) {
        let table = at(&job.table, async |objects| {
            let folder = objects.place().prefix();
            Ok(Table::in_bucket(
                &job.table,
                folder,
                objects.bucket_reader(),
            ))
        });
        table.map_err(|error| failed(&error))?
    } else {
        Table::in_folder(job.table.as_ref())
    };
    let version = table
        .and_then(|table| table.at(job.version))
        .map_err(|error| failed(&error))?;
    let file = ParquetFile::create(&job.output.join(DATA_FILE), version.schema());
    let mut file = file.map_err(|error| failed(&error))?;
    for batch in version.rows().map_err(|error| failed(&error))? {
        let batch = batch.map_err(|error| failed(&error))?;
        file.write(&batch).map_err(|error| failed(&error))?;
    }
    file.finish().map_err(|error| failed(&error))?;
    Ok(())
}

/// This program cannot.
#[cfg(not(feature = "delta"))]
pub(super) fn copy(_: &CopyJob) -> Result<(), Failure> {
    Err(machine_failure(
        "is not possible: this program was built without Delta tables; build it with the feature `delta`",
    ))
}
