//! Reads what a program left in its output folder.

use std::fs;
use std::path::Path;

use understudy_tables::{PinError, TableSource, pin_own, require_own};

use crate::output::{OutputError, OutputFile};
use crate::{TaskError, TaskOutput};

/// The rows of a batch that is taken over.
const BATCH_ROWS: usize = 8192;

/// How many file names an error shows.
const MAX_SHOWN_FILES: usize = 5;

/// Takes the table that lies in `raw` over as the output in `folder`. Reading every value of it is also the check that
/// it can be read. A file that leads elsewhere, by a link or as another name of a file, is refused: it would make what
/// is elsewhere part of the output.
pub(crate) fn collect(raw: &Path, folder: &Path) -> Result<TaskOutput, TaskError> {
    let source = source(raw)?;
    let schema = source.schema()?;
    let mut file = OutputFile::create(folder, &schema)?;
    for batch in source.read(&schema, None, BATCH_ROWS)? {
        file.write(&batch?)?;
    }
    require_own(&source.snapshot, raw).map_err(OutputError::NotOwn)?;
    let is_inferred = !source.snapshot.format.is_typed();
    file.finish(is_inferred.then_some(source))
}

/// The table that lies in `raw`, as its program wrote it.
pub(crate) fn own_table(raw: &Path) -> Result<TableSource, TaskError> {
    source(raw)
}

fn source(raw: &Path) -> Result<TableSource, TaskError> {
    let snapshot = match pin_own("output", raw) {
        Ok(snapshot) => snapshot,
        Err(PinError::MixedFormats { first, second, .. }) => {
            return Err(OutputError::BothFormats { first, second }.into());
        }
        Err(error @ PinError::NotOwn { .. }) => return Err(OutputError::NotOwn(error).into()),
        Err(PinError::NoFiles { .. }) => return Err(without_table(raw)?.into()),
        Err(other) => return Err(OutputError::Files(other).into()),
    };
    Ok(TableSource {
        base: raw.to_owned(),
        snapshot,
        types: std::collections::BTreeMap::new(),
    })
}

fn without_table(raw: &Path) -> Result<OutputError, TaskError> {
    let entries = fs::read_dir(raw).map_err(TaskError::io(raw, "read"))?;
    let mut files: Vec<_> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    files.sort();
    files.truncate(MAX_SHOWN_FILES);
    Ok(if files.is_empty() {
        OutputError::Nothing
    } else {
        OutputError::NoTable { files }
    })
}
