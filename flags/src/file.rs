//! The flag file: YAML beside the pipeline file, which people may read and edit.
//!
//! ```yaml
//! summer-time:            # a change's flag
//!   HA: live              # a customer's lane
//!   "*unlisted*": shadow  # everybody else
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use understudy_core::customer::Customer;
use understudy_core::stage::{LaneStages, Stage, Stages};

use crate::{FlagAnswer, FlagProvider};

/// The name of the flag file.
pub const FLAG_FILE: &str = "flags.yaml";

/// The key of everybody that is not named.
const UNLISTED: &str = "*unlisted*";

/// The largest flag file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// The flag file of one pipeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileFlags {
    path: PathBuf,
}

/// A flag file that does not answer.
#[derive(Debug, thiserror::Error)]
pub enum FlagFileError {
    /// It cannot be read.
    #[error("the flag file `{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is larger than any flag file.
    #[error("the flag file `{}` has {bytes} bytes; at most {MAX_BYTES} are read", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
    },
    /// It is no flag file.
    #[error("the flag file `{}` cannot be understood: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        reason: String,
    },
}

impl FileFlags {
    /// The flag file in a pipeline's folder. It need not be there.
    #[must_use]
    pub fn beside(pipeline_folder: &Path) -> Self {
        Self {
            path: pipeline_folder.join(FLAG_FILE),
        }
    }

    fn text(&self) -> Result<Option<String>, FlagFileError> {
        let unreadable = |source| FlagFileError::Unreadable {
            path: self.path.clone(),
            source,
        };
        let bytes = match fs::metadata(&self.path) {
            Ok(found) => found.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        if bytes > MAX_BYTES {
            return Err(FlagFileError::TooLarge {
                path: self.path.clone(),
                bytes,
            });
        }
        fs::read_to_string(&self.path).map(Some).map_err(unreadable)
    }
}

impl FlagProvider for FileFlags {
    type Error = FlagFileError;

    fn snapshot(&self) -> Result<FlagAnswer, FlagFileError> {
        let Some(text) = self.text()? else {
            return Ok(FlagAnswer::Silent);
        };
        let flags: BTreeMap<String, BTreeMap<String, Stage>> = serde_saphyr::from_str(&text)
            .map_err(|error| FlagFileError::Malformed {
                path: self.path.clone(),
                reason: error.to_string(),
            })?;
        let stages = flags
            .into_iter()
            .map(|(flag, lanes)| (flag, lane_stages(lanes)));
        Ok(FlagAnswer::Stages(Stages(stages.collect())))
    }
}

fn lane_stages(mut lanes: BTreeMap<String, Stage>) -> LaneStages {
    let unlisted = lanes.remove(UNLISTED).unwrap_or_default();
    let lanes = lanes
        .into_iter()
        .map(|(label, stage)| (Customer::from_label(&label), stage))
        .collect();
    LaneStages { lanes, unlisted }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: Option<&str>) -> Result<FlagAnswer, FlagFileError> {
        let folder = tempfile::tempdir().unwrap();
        if let Some(text) = text {
            fs::write(folder.path().join(FLAG_FILE), text).unwrap();
        }
        FileFlags::beside(folder.path()).snapshot()
    }

    #[test]
    fn no_file_says_nothing() {
        assert_eq!(answer(None).unwrap(), FlagAnswer::Silent);
    }

    #[test]
    fn customers_are_texts_whatever_they_look_like() {
        let text = "summer-time:\n  NO: live\n  007: live\n  \"*unlisted*\": off\n";
        let FlagAnswer::Stages(stages) = answer(Some(text)).unwrap() else {
            panic!("the file says something")
        };
        let change = stages.of("summer-time");
        assert_eq!(change.of(&Customer::Named("NO".into())), Stage::Live);
        assert_eq!(change.of(&Customer::Named("007".into())), Stage::Live);
        assert_eq!(change.of(&Customer::Named("HA".into())), Stage::Off);
    }

    #[test]
    fn nonsense_counts_as_down() {
        for text in [
            "summer-time: {HA: maybe}",
            "- a",
            "a: {b: live, b: off}",
            "{",
            "summer-time: live",
        ] {
            assert!(
                matches!(answer(Some(text)), Err(FlagFileError::Malformed { .. })),
                "{text}"
            );
        }
        assert!(matches!(
            answer(Some(&"#".repeat(2 << 20))),
            Err(FlagFileError::TooLarge { .. })
        ));
    }
}
