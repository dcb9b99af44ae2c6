//! Where LaunchDarkly is, and how to be let in.

use std::fmt;
use std::time::Duration;

use understudy_core::spec::{LaunchDarklyMode, LaunchDarklyRegion};

/// The version of the REST API that this program speaks.
pub(super) const API_VERSION: &str = "20240415";

/// What is needed to read flags and to move them. It shows no secret when it is printed.
#[derive(Clone)]
pub struct Settings {
    /// The SDK key, or why it is not known.
    pub sdk_key: Result<String, String>,
    /// The token for moving, or why it is not known; `None` where there is none.
    pub api_token: Option<Result<String, String>>,
    /// The key of the project.
    pub project: String,
    /// The key of the environment.
    pub environment: String,
    /// How flags are read.
    pub mode: LaunchDarklyMode,
    /// The URL of a Relay Proxy that they are read from.
    pub relay: Option<String>,
    /// The instance.
    pub region: LaunchDarklyRegion,
    /// The URL of the REST API, where it is none of the region's.
    pub api: Option<String>,
    /// The key that customers are hashed with, or why there is none; `None` where they are not hashed.
    pub hash_key: Option<Result<Vec<u8>, String>>,
    /// How long a command waits for the first flags.
    pub wait: Duration,
    /// How long nothing may arrive before what was read counts as stale.
    pub stale_after: Duration,
}

impl Settings {
    /// The places that flags are read from without a relay: of streams, of polls, of events.
    #[must_use]
    pub fn read_from(&self) -> [&'static str; 3] {
        match self.region {
            LaunchDarklyRegion::Us => [
                "https://stream.launchdarkly.com",
                "https://sdk.launchdarkly.com",
                "https://events.launchdarkly.com",
            ],
            LaunchDarklyRegion::Eu => [
                "https://stream.eu.launchdarkly.com",
                "https://sdk.eu.launchdarkly.com",
                "https://events.eu.launchdarkly.com",
            ],
            LaunchDarklyRegion::Federal => [
                "https://stream.launchdarkly.us",
                "https://sdk.launchdarkly.us",
                "https://events.launchdarkly.us",
            ],
        }
    }

    /// The place that flags are read from.
    #[must_use]
    pub fn source(&self) -> String {
        let [stream, poll, _] = self.read_from();
        match (&self.relay, self.mode) {
            (Some(relay), _) => relay.clone(),
            (None, LaunchDarklyMode::Streaming) => stream.to_owned(),
            (None, LaunchDarklyMode::Polling) => poll.to_owned(),
        }
    }

    /// The REST API, without a slash at the end.
    #[must_use]
    pub fn api(&self) -> String {
        let own = self.api.as_deref().map(|url| url.trim_end_matches('/'));
        let host = own.unwrap_or(match self.region {
            LaunchDarklyRegion::Us => "https://app.launchdarkly.com",
            LaunchDarklyRegion::Eu => "https://app.eu.launchdarkly.com",
            LaunchDarklyRegion::Federal => "https://app.launchdarkly.us",
        });
        format!("{}/api/v2", host.trim_end_matches("/api/v2"))
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("source", &self.source())
            .field("api", &self.api())
            .field("project", &self.project)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}
