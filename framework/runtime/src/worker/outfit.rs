//! What a worker is sent out with, beside its invocation: nothing of it is ever written.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use understudy_core::secret::Secrets;
use understudy_core::spec::Surroundings;
use understudy_notify::{ReferenceError, resolve};
use understudy_sabotage::Sabotage;

/// Variables of the surroundings that a confined worker has too: where programs are, and how text is written. None holds
/// a secret.
const PLAIN: [&str; 6] = ["PATH", "LANG", "LANGUAGE", "TZ", "USER", "LOGNAME"];
/// Names that begin so are plain as well.
const PLAIN_PREFIXES: [&str; 1] = ["LC_"];
/// What the pipeline file gives a version travels from the supervisor to its program under names that begin so.
pub(super) const GIVEN_PREFIX: &str = "UNDERSTUDY_GIVEN_";

/// The environment that the pipeline file gives a version.
#[derive(Clone, Debug, Default)]
pub struct Outfit {
    /// The variables, with secrets in clear.
    given: BTreeMap<String, Given>,
    /// What must not get out.
    secrets: Secrets,
}

/// One variable.
#[derive(Clone)]
struct Given {
    value: String,
    is_secret: bool,
}

/// It never shows its value.
impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_secret { "secret" } else { "plain" })
    }
}

impl Outfit {
    /// The environment that is declared for a version, as live or as a shadow. Files of secrets are looked for from a
    /// folder.
    ///
    /// # Errors
    /// A secret that is not there.
    pub fn of(
        surroundings: &Surroundings,
        is_shadow: bool,
        folder: &Path,
    ) -> Result<Self, ReferenceError> {
        let declared = if is_shadow {
            surroundings.of_shadow()
        } else {
            surroundings.env.clone()
        };
        let mut given = BTreeMap::new();
        for (name, setting) in declared {
            let value = resolve(&setting, folder)?;
            let is_secret = value != setting;
            given.insert(name, Given { value, is_secret });
        }
        let secrets = given.iter().filter(|(_, given)| given.is_secret);
        let secrets = Secrets::new(secrets.map(|(name, given)| (name.as_str(), &*given.value)));
        Ok(Self { given, secrets })
    }

    /// What must not get out.
    pub(super) fn secrets(&self) -> Secrets {
        if Sabotage::ShowSecrets.is_on() {
            return Secrets::default();
        }
        self.secrets.clone()
    }

    /// The variables, with secrets in clear.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<String, String> {
        let given = self.given.iter();
        given
            .map(|(name, given)| (name.clone(), given.value.clone()))
            .collect()
    }

    /// The names of the variables that are secrets.
    #[must_use]
    pub fn secret_names(&self) -> Vec<String> {
        let secret = self.given.iter().filter(|(_, given)| given.is_secret);
        secret.map(|(name, _)| name.clone()).collect()
    }

    /// The variables, under the names that they travel by: their own, where the worker itself runs the version's code.
    pub(super) fn travelling(&self, runs_it_itself: bool) -> impl Iterator<Item = (String, &str)> {
        let prefix = if runs_it_itself { "" } else { GIVEN_PREFIX };
        let given = self.given.iter();
        given.map(move |(name, given)| (format!("{prefix}{name}"), given.value.as_str()))
    }
}

/// The plain variables of these surroundings: all that a confined worker gets of them.
pub(super) fn plain_variables() -> Vec<(OsString, OsString)> {
    let is_plain = |name: &str| {
        PLAIN.contains(&name)
            || PLAIN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            || name == understudy_sabotage::VARIABLE
    };
    std::env::vars_os()
        .filter(|(name, _)| {
            Sabotage::InheritEnvironment.is_on() || name.to_str().is_some_and(is_plain)
        })
        .collect()
}

/// The variables that this worker was given for the code that it runs.
pub(super) fn given_variables() -> BTreeMap<String, String> {
    let given = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.to_str()?.strip_prefix(GIVEN_PREFIX)?.to_owned();
        Some((name, value.to_str()?.to_owned()))
    });
    given.collect()
}
