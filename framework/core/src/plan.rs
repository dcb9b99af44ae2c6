//! What a run will do.
