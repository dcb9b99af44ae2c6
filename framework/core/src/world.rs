//! Consistent choices of versions.
