//! Verdicts of lanes.
