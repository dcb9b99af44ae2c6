//! Which lanes get which side.
