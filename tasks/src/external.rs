//! What somebody else computed, taken over as it is.
//!
//! It is copied: whoever published it may publish it again, and both sides of a comparison are kept.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use understudy_core::snapshot::PinnedFile;
use understudy_tables::{TableSource, laid_out, pin, require_beneath, touched_file};

use crate::output::{OutputError, OutputFile};
use crate::{InputError, RAW_FOLDER, TaskError, TaskInput, TaskOutput};

/// The rows of a batch that is taken over.
const BATCH_ROWS: usize = 8192;

/// Takes a table over as the output in a folder, which is created where it is missing. Files whose types are only
/// inferred are kept beside it as they are, so that they can be inferred over both sides of a comparison together.
///
/// # Errors
/// A table that cannot be read, or a folder that cannot be written.
pub fn take_external(input: &TaskInput, folder: &Path) -> Result<TaskOutput, TaskError> {
    require_beneath(&input.source.snapshot, &input.source.base).map_err(OutputError::NotOwn)?;
    if input.source.snapshot.format.is_typed() {
        let output = copy(&input.source, folder, None)?;
        require_untouched(input)?;
        return Ok(output);
    }
    let raw = folder.join(RAW_FOLDER);
    for (position, file) in input.source.snapshot.files.iter().enumerate() {
        copy_file(&input.source.base, file, position, &raw)?;
    }
    require_untouched(input)?;
    let source = TableSource {
        snapshot: pin(&input.name, "", &raw).map_err(OutputError::Files)?,
        base: raw,
        types: BTreeMap::new(),
    };
    copy(&source, folder, Some(source.clone()))
}

/// Whoever publishes may do it at any moment: then what was read may be half of the one state and half of the other.
fn require_untouched(input: &TaskInput) -> Result<(), InputError> {
    match touched_file(&input.source.snapshot, &input.source.base) {
        None => Ok(()),
        Some(file) => Err(InputError::Touched {
            path: file.path,
            what: file.what,
        }),
    }
}

fn copy(
    source: &TableSource,
    folder: &Path,
    raw: Option<TableSource>,
) -> Result<TaskOutput, TaskError> {
    let schema = source.schema()?;
    let mut file = OutputFile::create(folder, &schema)?;
    for batch in source.read(&schema, None, BATCH_ROWS)? {
        file.write(&batch?)?;
    }
    file.finish(raw)
}

fn copy_file(base: &Path, file: &PinnedFile, position: usize, raw: &Path) -> Result<(), TaskError> {
    let place = raw.join(laid_out(file, position));
    let parent: PathBuf = place.parent().unwrap_or(raw).to_owned();
    fs::create_dir_all(&parent).map_err(TaskError::io(&parent, "created"))?;
    let from = base.join(&file.path);
    fs::copy(&from, &place).map_err(TaskError::io(&from, "copied"))?;
    Ok(())
}
