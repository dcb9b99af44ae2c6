//! Flags in LaunchDarkly, through the real binary: the SDK and the REST client against a scripted LaunchDarkly, and
//! what customers get, what people are told and what the ledger has. The expectations are those of
//! `docs/launchdarkly.md`, row by row.

mod faults;
mod flips;
mod hands;
mod looks;
mod network;
mod outbox;
mod refusals;
mod rest;
mod rest_matrix;
mod runs;
pub(crate) mod scene;
mod secrets;
