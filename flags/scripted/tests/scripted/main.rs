//! The scripted LaunchDarkly against the vendor's own crates, and against what its documentation says of the REST API.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod formats;
mod rest;
mod rest_client;
mod rest_faults;
mod sdk;
mod stream_scripts;
