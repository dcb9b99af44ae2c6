//! Telling others what a run found.
