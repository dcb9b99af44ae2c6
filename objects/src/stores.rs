//! The clients of one process: one pair a bucket, made when it is first asked for.

mod client;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::{Limits, Objects, Place, Service};

pub(crate) use client::Clients;

/// Opens places. It is made once, with the settings that the environment gives, and shared.
pub struct Stores {
    settings: BTreeMap<String, String>,
    limits: Arc<Limits>,
    clients: Mutex<BTreeMap<Bucket, Arc<Clients>>>,
}

type Bucket = (Service, String, Option<String>);

/// Why a place cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No credentials are set, and the machine has no identity that could give any.
    #[error("no credentials for `{place}`: set {variables}")]
    NoCredentials {
        /// The place.
        place: String,
        /// What to set.
        variables: &'static str,
        /// What came of looking for them on the machine.
        #[source]
        source: Option<object_store::Error>,
    },
    /// An endpoint that is no URL.
    #[error("`{variable}` is `{value}`, which is no URL: write it as `https://host:port`")]
    Endpoint {
        /// The variable.
        variable: String,
        /// What it says.
        value: String,
    },
    /// The settings that are there make no sense to the client.
    #[error("the settings in the environment do not open `{place}` (see {variables})")]
    Settings {
        /// The place.
        place: String,
        /// What is read.
        variables: &'static str,
        /// What is wrong.
        source: object_store::Error,
    },
}

impl Stores {
    /// Stores that find credentials and endpoints in these pairs: the environment's, whose `AWS_*`, `GOOGLE_*` and
    /// `AZURE_*` are kept.
    pub fn new(settings: impl IntoIterator<Item = (String, String)>, limits: Limits) -> Self {
        let ours = |name: &str| {
            ["AWS_", "GOOGLE_", "AZURE_"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
                || name == "SERVICE_ACCOUNT"
        };
        Self {
            settings: settings
                .into_iter()
                .filter(|(name, _)| ours(name))
                .collect(),
            limits: Arc::new(limits),
            clients: Mutex::default(),
        }
    }

    /// Opens a place: makes its client, and looks once whether there are credentials. It does not ask the bucket
    /// for anything.
    ///
    /// # Errors
    ///
    /// If there are no credentials within the time limit, or settings that make no sense.
    pub async fn open(&self, place: &Place) -> Result<Objects, OpenError> {
        let bucket = (
            place.service(),
            place.bucket().to_owned(),
            place.account().map(str::to_owned),
        );
        self.require_endpoints()?;
        let mut clients = self.clients.lock().await;
        let found = match clients.get(&bucket) {
            Some(found) => Arc::clone(found),
            None => {
                let made = Arc::new(Clients::connect(place, &self.settings, &self.limits).await?);
                clients.insert(bucket, Arc::clone(&made));
                made
            }
        };
        Ok(Objects::new(place.clone(), found, Arc::clone(&self.limits)))
    }
}

impl Stores {
    /// A client that is given an endpoint without a scheme or a host panics with its first request.
    fn require_endpoints(&self) -> Result<(), OpenError> {
        let endpoints = self
            .settings
            .iter()
            .filter(|(name, _)| name.contains("ENDPOINT"));
        for (variable, value) in endpoints {
            let host = value
                .strip_prefix("http://")
                .or_else(|| value.strip_prefix("https://"))
                .map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
            let is_url = host.is_some_and(|host| {
                !host.is_empty() && !host.starts_with(':') && !host.contains(char::is_whitespace)
            });
            if !is_url {
                return Err(OpenError::Endpoint {
                    variable: variable.clone(),
                    value: value.clone(),
                });
            }
        }
        Ok(())
    }
}

// By hand, because the settings hold secrets.
impl std::fmt::Debug for Stores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&String> = self.settings.keys().collect();
        f.debug_struct("Stores")
            .field("settings", &names)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    async fn open_error(url: &str, settings: &[(&str, &str)]) -> String {
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let stores = Stores::new(settings, Limits::default());
        stores
            .open(&Place::parse(url).unwrap())
            .await
            .expect_err("it must not open")
            .to_string()
    }

    #[tokio::test]
    async fn without_credentials_the_variables_are_named_soon() {
        let begun = Instant::now();
        // An endpoint that refuses stands for a machine without an identity service.
        let refused = [("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")];
        let text = open_error("s3://lake/x", &refused).await;
        assert!(
            text.contains("no credentials for `s3://lake/x/`: set AWS_ACCESS_KEY_ID"),
            "{text}"
        );
        let text = open_error("gs://lake/x", &[]).await;
        assert!(text.contains("GOOGLE_SERVICE_ACCOUNT"), "{text}");
        let text = open_error("az://lake/x", &[]).await;
        assert!(text.contains("AZURE_STORAGE_ACCOUNT_NAME"), "{text}");
        assert!(begun.elapsed() < 4 * crate::CREDENTIALS_TIMEOUT);
    }

    #[tokio::test]
    async fn an_endpoint_that_is_no_url_is_named() {
        for value in [
            "",
            "localhost:9000",
            "http://",
            "http://:80",
            "ftp://x",
            "http://a b",
        ] {
            let text = open_error("s3://lake/x", &[("AWS_ENDPOINT_URL", value)]).await;
            assert!(
                text.contains(&format!("`AWS_ENDPOINT_URL` is `{value}`")),
                "{text}"
            );
        }
    }

    #[tokio::test]
    async fn half_a_credential_is_wrong_settings() {
        let text = open_error("s3://lake/x", &[("AWS_ACCESS_KEY_ID", "x")]).await;
        assert!(text.contains("do not open `s3://lake/x/`"), "{text}");
    }

    #[test]
    fn secrets_are_not_in_the_debug_text() {
        let stores = Stores::new(
            [("AWS_SECRET_ACCESS_KEY".to_owned(), "hush".to_owned())],
            Limits::default(),
        );
        assert!(!format!("{stores:?}").contains("hush"));
    }
}
