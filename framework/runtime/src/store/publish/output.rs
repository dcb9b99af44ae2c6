//! The two roles of an output, as two types.

use std::path::{Path, PathBuf};

/// An output of the live half of a run: it may be published.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiveOutput(PathBuf);

/// An output that nobody should see. There is no way to publish it:
///
/// ```compile_fail,E0308
/// use std::collections::BTreeMap;
/// use understudy_runtime::store::publish::{Publication, ShadowOutput};
///
/// let output = ShadowOutput::at("quarantine/data.parquet");
/// Publication { task: "t".into(), output, location: "live/t".into(), code: BTreeMap::new() };
/// ```
///
/// The same with the other type is fine:
///
/// ```no_run,standalone_crate
/// use std::collections::BTreeMap;
/// use understudy_runtime::store::publish::{LiveOutput, Publication};
///
/// let output = LiveOutput::at("work/data.parquet");
/// Publication { task: "t".into(), output, location: "live/t".into(), code: BTreeMap::new() };
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShadowOutput(PathBuf);

impl LiveOutput {
    /// The Parquet file that the live half of a run made.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl ShadowOutput {
    /// The Parquet file that the shadow half of a run made.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}
