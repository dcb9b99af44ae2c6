//! Settings that may be secrets: the pipeline file says where they are, and only the sender ever sees them.

use std::path::Path;

/// A reference that leads nowhere. It never shows what it found.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReferenceError {
    /// The variable is not set.
    #[error("the environment variable `{0}` is not set")]
    NoVariable(String),
    /// The file cannot be read.
    #[error("the file `{0}` cannot be read as text")]
    NoFile(String),
    /// It is no reference that is known.
    #[error("`{0}` is neither `${{env:NAME}}` nor `${{file:path}}`")]
    Unknown(String),
}

/// The value that a setting stands for: `${env:NAME}`, `${file:path}` (without the line's end), or the text itself. Paths
/// begin at a folder.
///
/// # Errors
/// A reference that leads nowhere.
pub fn resolve(setting: &str, folder: &Path) -> Result<String, ReferenceError> {
    let Some(inner) = setting
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
    else {
        return Ok(setting.to_owned());
    };
    match inner.split_once(':') {
        Some(("env", name)) => {
            std::env::var(name).map_err(|_| ReferenceError::NoVariable(name.to_owned()))
        }
        Some(("file", path)) => {
            let text = std::fs::read_to_string(folder.join(path));
            let text = text.map_err(|_| ReferenceError::NoFile(path.to_owned()))?;
            Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        _ => Err(ReferenceError::Unknown(setting.to_owned())),
    }
}
