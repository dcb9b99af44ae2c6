//! What a program finds in its environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::{CommandError, CommandTask};
use crate::TaskError;

const CONTEXT_FILE: &str = "context.json";

/// Variables whose names begin so belong to a task alone; those of a surrounding run are not handed on.
pub(super) const PREFIX: &str = "UNDERSTUDY_";

/// The variables of one call; writes the context file that one of them names.
pub(super) fn variables(
    task: &CommandTask,
    raw: &Path,
) -> Result<BTreeMap<String, OsString>, TaskError> {
    let context = absolute(&task.temp_dir)?.join(CONTEXT_FILE);
    let json = serde_json::to_vec_pretty(&task.context).map_err(CommandError::Context)?;
    fs::write(&context, json).map_err(TaskError::io(&context, "written"))?;
    let mut variables = BTreeMap::from([
        (format!("{PREFIX}CONTEXT"), context.into_os_string()),
        (format!("{PREFIX}OUTPUT"), absolute(raw)?.into_os_string()),
        (
            "TMPDIR".to_owned(),
            absolute(&task.temp_dir)?.into_os_string(),
        ),
    ]);
    for (name, folder) in &task.named_dirs {
        let folder = absolute(folder)?.into_os_string();
        variables.insert(format!("{PREFIX}{name}"), folder);
    }
    for (name, folder) in &task.input_dirs {
        let variable = input_variable(name);
        if variables
            .insert(variable.clone(), absolute(folder)?.into_os_string())
            .is_some()
        {
            return Err(CommandError::SameVariable {
                name: name.clone(),
                variable,
            }
            .into());
        }
    }
    Ok(variables)
}

fn absolute(path: &Path) -> Result<std::path::PathBuf, TaskError> {
    std::path::absolute(path).map_err(TaskError::io(path, "read"))
}

fn input_variable(name: &str) -> String {
    let plain = |character: char| {
        if character.is_ascii_alphanumeric() {
            character.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    format!(
        "{PREFIX}INPUT_{}",
        name.chars().map(plain).collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::input_variable;

    #[test]
    fn names_become_variables() {
        assert_eq!(
            input_variable("carrier_delay"),
            "UNDERSTUDY_INPUT_CARRIER_DELAY"
        );
        assert_eq!(input_variable("a-b.c é"), "UNDERSTUDY_INPUT_A_B_C__");
    }
}
