//! Who gets which rows: the publishing decision, from outside, for every stage that a lane can be at.
//!
//! Stages are written into the store's ledger as a rollout would write them; what counts is what the published
//! files hold afterwards, what the run says of it, and how it exits.

mod every_stage;
mod failures;
mod fallbacks;
mod flags;
mod grain;
mod ledger_down;
mod moves;
mod scene;
mod schemas;
mod several;
mod shadow;
mod who_gets_what;
