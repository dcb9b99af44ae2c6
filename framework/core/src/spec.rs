//! The pipeline file: text in, [`Spec`] and [`Problem`]s out.
//!
//! `load` parses, then resolves, and gives every problem at once. It reads no file itself: the caller hands it
//! the text and a [`FileCheck`] that answers which files exist.

pub mod location;
pub mod model;
pub mod problem;

pub use location::{Location, LocationError};
pub use model::*;
pub use problem::{Problem, Scope};
