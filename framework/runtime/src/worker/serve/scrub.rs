//! Putting tokens in the place of masked values in texts and files.

use std::fs;
use std::path::{Path, PathBuf};

use understudy_core::run::Failure;

use super::super::protocol::ScrubJob;
use super::machine_failure;
use crate::mask::{MAX_TEXT_BYTES, Mask, Scrubber, each_value, each_value_left};

/// Gives the texts, and writes the files.
pub(super) fn scrub(job: &ScrubJob) -> Result<Vec<String>, Failure> {
    let mask =
        Mask::ordered(Some(&job.mask)).map_err(|error| machine_failure(error.to_string()))?;
    let mut texts: Vec<Vec<u8>> = job.texts.iter().map(|text| text.clone().into()).collect();
    let bytes: u64 = job.files.iter().map(|(from, _)| length(from)).sum();
    if bytes > MAX_TEXT_BYTES as u64 {
        return Err(machine_failure(format!(
            "{bytes} bytes of logs are more than are looked through"
        )));
    }
    for (from, _) in &job.files {
        texts.push(fs::read(from).map_err(unwritable(from))?);
    }
    let mut scrubber =
        Scrubber::new(&mask, &texts).map_err(|error| machine_failure(error.to_string()))?;
    drop(texts);
    let mut see = |value: &str| Ok(scrubber.see(value)?);
    for table in &job.tables {
        each_value(table, &mask, &mut see)
            .map_err(|error| machine_failure(format!("`{}`: {error}", table.snapshot.name)))?;
    }
    if let Some(output) = &job.output {
        each_value_left(output, &mask, &mut see)
            .map_err(|error| machine_failure(format!("its output: {error}")))?;
    }
    let mut scrubbed = scrubber.finish();
    let files = scrubbed.split_off(job.texts.len());
    for ((_, to), bytes) in job.files.iter().zip(files) {
        let folder = to.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(unwritable(folder))?;
        fs::write(to, bytes).map_err(unwritable(to))?;
    }
    let texts = scrubbed.into_iter();
    Ok(texts
        .map(|text| String::from_utf8_lossy(&text).into_owned())
        .collect())
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

fn unwritable(path: &Path) -> impl FnOnce(std::io::Error) -> Failure {
    let path: PathBuf = path.to_owned();
    move |error| machine_failure(format!("`{}` cannot be used: {error}", path.display()))
}
