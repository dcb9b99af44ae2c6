//! The flag file: YAML beside the pipeline file, which people may read and edit.
//!
//! ```yaml
//! summer-time:            # a change's flag
//!   HA: live              # a customer's lane
//!   "*unlisted*": shadow  # everybody else
//! ```

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use understudy_core::customer::Customer;
use understudy_core::spec::{Flags, load_flags};
use understudy_core::stage::{LaneStages, Stage, Stages};

use crate::{Asked, FlagAnswer, FlagError, FlagProvider, Freshness, Said, Telling, Told};

/// The name of the flag file.
pub const FLAG_FILE: &str = "flags.yaml";

/// The key of everybody that is not named.
const UNLISTED: &str = "*unlisted*";

/// What a file that we write begins with.
const HEADER: &str = "# Who gets what, by flag. `understudy flip` and `rollback` write this file; a hand may take a lane\n\
                      # back (`live` to `shadow` or `off`), which is honoured at once. Towards new, only `flip` moves.\n";

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
    /// It cannot be written.
    #[error("the flag file `{}` cannot be written", path.display())]
    Unwritable {
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

    fn flags(&self) -> Result<Option<Flags>, FlagFileError> {
        let Some(text) = self.text()? else {
            return Ok(None);
        };
        load_flags(&text)
            .map(Some)
            .map_err(|reason| FlagFileError::Malformed {
                path: self.path.clone(),
                reason,
            })
    }

    /// Puts a new file in the place of the old one, in one step.
    fn replace(&self, flags: &Flags) -> io::Result<()> {
        let body = serde_saphyr::to_string(flags).map_err(io::Error::other)?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(HEADER.as_bytes())?;
        file.write_all(body.as_bytes())?;
        file.as_file().sync_all()?;
        if let Ok(found) = fs::metadata(&self.path) {
            file.as_file().set_permissions(found.permissions())?;
        } else {
            file.as_file()
                .set_permissions(fs::Permissions::from_mode(0o644))?;
        }
        file.persist(&self.path).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()
    }

    fn text(&self) -> Result<Option<String>, FlagFileError> {
        let unreadable = |source| FlagFileError::Unreadable {
            path: self.path.clone(),
            source,
        };
        let bytes = match fs::metadata(&self.path) {
            // Opening a pipe would wait for whoever writes to it.
            Ok(found) if !found.is_file() => {
                let reason = "it is no regular file; write the flags into a file".to_owned();
                let path = self.path.clone();
                return Err(FlagFileError::Malformed { path, reason });
            }
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
        let mut bytes = Vec::new();
        File::open(&self.path)
            .and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes))
            .map_err(unreadable)?;
        String::from_utf8(bytes).map(Some).map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = good.split(|byte| *byte == b'\n').count();
            FlagFileError::Malformed {
                path: self.path.clone(),
                reason: format!("line {line}: it is not UTF-8; save it as UTF-8"),
            }
        })
    }
}

impl FileFlags {
    fn stages(&self) -> Result<Option<Stages>, FlagFileError> {
        let flags = self.flags()?.map(|flags| {
            let stages = flags
                .into_iter()
                .map(|(flag, lanes)| (flag, lane_stages(lanes)));
            Stages(stages.collect())
        });
        Ok(flags)
    }

    /// Writes one flag; the others stay.
    fn set(&self, flag: &str, stages: &LaneStages) -> Result<(), FlagFileError> {
        let unwritable = |source| FlagFileError::Unwritable {
            path: self.path.clone(),
            source,
        };
        // Two who write at once do so one after the other. The lock is on the folder, since the file is replaced.
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let lock = File::open(folder).map_err(unwritable)?;
        lock.lock().map_err(unwritable)?;
        let mut flags = self.flags()?.unwrap_or_default();
        let mut lanes: BTreeMap<String, Stage> = stages
            .lanes
            .iter()
            .filter(|(_, stage)| **stage != stages.unlisted)
            .map(|(lane, stage)| (lane.label(), *stage))
            .collect();
        lanes.insert(UNLISTED.to_owned(), stages.unlisted);
        if flags.get(flag) == Some(&lanes) {
            return Ok(());
        }
        flags.insert(flag.to_owned(), lanes);
        self.replace(&flags).map_err(unwritable)
    }
}

impl FlagProvider for FileFlags {
    fn name(&self) -> &'static str {
        "the flag file"
    }

    fn freshness(&self) -> Freshness {
        match self.flags() {
            Ok(_) => Freshness::Fresh,
            Err(error) => Freshness::Down {
                reason: error.to_string(),
            },
        }
    }

    fn snapshot(&self, _: &[Asked]) -> Result<FlagAnswer, FlagError> {
        Ok(match self.stages()? {
            None => FlagAnswer::Silent,
            Some(stages) => FlagAnswer::Said(Said {
                stages,
                ..Said::default()
            }),
        })
    }

    /// A file that is not there would take nobody back, so that there has to be one before the ledger says anything.
    fn rehearse(&self, telling: &Telling<'_>, before: &LaneStages) -> Result<(), FlagError> {
        Ok(self.set(telling.flag, before)?)
    }

    fn tell(&self, telling: &Telling<'_>) -> Result<Told, FlagError> {
        self.set(telling.flag, telling.stages)?;
        Ok(Told {
            confirmed: true,
            ..Told::default()
        })
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

    fn answer(text: Option<&str>) -> Result<Option<Stages>, FlagFileError> {
        let folder = tempfile::tempdir().unwrap();
        if let Some(text) = text {
            fs::write(folder.path().join(FLAG_FILE), text).unwrap();
        }
        FileFlags::beside(folder.path()).stages()
    }

    #[test]
    fn no_file_says_nothing() {
        assert_eq!(answer(None).unwrap(), None);
    }

    #[test]
    fn customers_are_texts_whatever_they_look_like() {
        let text = "summer-time:\n  NO: live\n  007: live\n  \"*unlisted*\": off\n";
        let stages = answer(Some(text)).unwrap().unwrap();
        let change = stages.of("summer-time");
        assert_eq!(change.of(&Customer::Named("NO".into())), Stage::Live);
        assert_eq!(change.of(&Customer::Named("007".into())), Stage::Live);
        assert_eq!(change.of(&Customer::Named("HA".into())), Stage::Off);
    }

    #[test]
    fn what_is_set_comes_back_and_other_flags_stay() {
        let folder = tempfile::tempdir().unwrap();
        let flags = FileFlags::beside(folder.path());
        let stages = |lanes: &[(&str, Stage)], unlisted| LaneStages {
            lanes: lanes
                .iter()
                .map(|(lane, stage)| (Customer::from_label(lane), *stage))
                .collect(),
            unlisted,
        };
        let first = stages(
            &[("007", Stage::Live), ("*null*", Stage::Off)],
            Stage::Shadow,
        );
        let second = stages(&[], Stage::Live);
        flags.set("first", &first).unwrap();
        flags.set("second one: yes", &second).unwrap();
        let expected = BTreeMap::from([
            ("first".to_owned(), first),
            ("second one: yes".to_owned(), second),
        ]);
        assert_eq!(flags.stages().unwrap(), Some(Stages(expected)));
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1);
        // What cannot be understood is not written over.
        fs::write(folder.path().join(FLAG_FILE), "{").unwrap();
        assert!(flags.set("first", &LaneStages::default()).is_err());
        assert_eq!(
            fs::read_to_string(folder.path().join(FLAG_FILE)).unwrap(),
            "{"
        );
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
