//! Where everything in the store is. Names become parts of paths here and nowhere else.

use std::path::{Path, PathBuf};

use understudy_core::digest::Digest;
use understudy_core::path_part;
use understudy_core::run_date::RunDate;
use understudy_core::world::Side;

use crate::mask::KEY_FILE;
use crate::pipeline::{Pipeline, store_folder};
use crate::report::html::REPORT_HTML;
use crate::store::remote::is_remote;

/// The store of a pipeline: a folder, which holds copies where the store itself is in an object store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Store {
    root: PathBuf,
    /// The URL of the store itself, where that is in an object store and the folder holds copies.
    remote: Option<String>,
}

/// What a run's folder holds beside its changes.
const RUN_FILES: [&str; 7] = [
    "run.json",
    "flags.json",
    "events.jsonl",
    "logs",
    "evidence",
    "outputs",
    "work",
];

impl Store {
    /// The store at a folder, which need not be there yet.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            remote: None,
        }
    }

    /// The store of a pipeline: its folder, or its copies of what is in an object store.
    #[must_use]
    pub fn of(pipeline: &Pipeline) -> Self {
        Self::named(&pipeline.spec.store, &pipeline.folder)
    }

    /// The store that a pipeline file in a folder names.
    #[must_use]
    pub fn named(store: &str, folder: &Path) -> Self {
        let url = store.trim_end_matches('/');
        Self {
            root: store_folder(store, folder),
            remote: is_remote(url).then(|| url.to_owned()),
        }
    }

    /// What the flags said to a run.
    #[must_use]
    pub fn flags_file(&self, run: &str) -> PathBuf {
        self.run_dir(run).join("flags.json")
    }

    /// What the flags said to a run of a date that has not recorded yet what they took back.
    #[must_use]
    pub fn unrecorded_flags_file(&self, date: RunDate, slice: Option<&str>) -> PathBuf {
        let slice = slice.map_or(String::new(), |slice| {
            format!(" slice={}", path_part::encode(slice))
        });
        self.root
            .join("flags")
            .join(format!("{}{slice}.json", date_part(date)))
    }

    /// The URL of the store, where it is in an object store.
    #[must_use]
    pub fn remote(&self) -> Option<&str> {
        self.remote.as_deref()
    }

    /// Its folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of all runs.
    #[must_use]
    pub fn runs_dir(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// The folder of a run.
    #[must_use]
    pub fn run_dir(&self, run: &str) -> PathBuf {
        self.runs_dir().join(path_part::encode(run))
    }

    /// A run's plan, snapshots and outcome.
    #[must_use]
    pub fn run_file(&self, run: &str) -> PathBuf {
        self.run_dir(run).join("run.json")
    }

    /// What happened in a run, one event a line.
    #[must_use]
    pub fn events_file(&self, run: &str) -> PathBuf {
        self.run_dir(run).join("events.jsonl")
    }

    /// What the workers of a run printed.
    #[must_use]
    pub fn logs_dir(&self, run: &str) -> PathBuf {
        self.run_dir(run).join("logs")
    }

    /// What a run says about one change.
    #[must_use]
    pub fn evidence_file(&self, run: &str, change: &str) -> PathBuf {
        let name = format!("{}.json", path_part::encode(change));
        self.run_dir(run).join("evidence").join(name)
    }

    /// What a run says about one change by other rules than it was judged by at first.
    #[must_use]
    pub fn evidence_again_file(&self, run: &str, change: &str, rules: &Digest) -> PathBuf {
        let name = format!("{}.{}.json", path_part::encode(change), rules.short());
        self.run_dir(run).join("evidence").join(name)
    }

    /// What all runs say about one change together, as far as the ledger was read. It can be built anew at any time.
    #[must_use]
    pub fn track_file(&self, pipeline: &str, change: &str) -> PathBuf {
        let name = format!("{}.json", path_part::encode(change));
        self.root
            .join("index")
            .join(path_part::encode(pipeline))
            .join(name)
    }

    /// What was published of one change, and from which side, as far as the ledger was read. It can be built anew at any
    /// time.
    #[must_use]
    pub fn editions_file(&self, pipeline: &str, change: &str) -> PathBuf {
        let name = format!("{}.json", path_part::encode(change));
        self.root
            .join("index")
            .join(path_part::encode(pipeline))
            .join("published")
            .join(name)
    }

    /// The findings on one task of one change in a run.
    #[must_use]
    pub fn findings_dir(&self, run: &str, change: &str, task: &str) -> PathBuf {
        let part = path_part::encode(task);
        let part = if part == REPORT_HTML {
            escaped(&part)
        } else {
            part
        };
        self.change_dir(run, change).join(part)
    }

    /// What a run says about one change, as a page for a browser.
    #[must_use]
    pub fn page_file(&self, run: &str, change: &str) -> PathBuf {
        self.change_dir(run, change).join(REPORT_HTML)
    }

    fn change_dir(&self, run: &str, change: &str) -> PathBuf {
        self.run_dir(run).join(change_part(change))
    }

    /// The folder below which a task's unpublished outputs of one change are, for all dates and runs.
    #[must_use]
    pub fn quarantine_task_dir(&self, change: &str, task: &str) -> PathBuf {
        let quarantine = self.root.join("quarantine");
        quarantine
            .join(path_part::encode(change))
            .join(path_part::encode(task))
    }

    /// The unpublished outputs of a task of a change in one run, a folder a side.
    #[must_use]
    pub fn quarantine_dir(&self, change: &str, task: &str, date: RunDate, run: &str) -> PathBuf {
        let run = format!("run={}", path_part::encode(run));
        self.quarantine_task_dir(change, task)
            .join(date_part(date))
            .join(run)
    }

    /// One side of a comparison, kept until it expires.
    #[must_use]
    pub fn quarantine_side_dir(
        &self,
        change: &str,
        task: &str,
        date: RunDate,
        run: &str,
        side: Side,
    ) -> PathBuf {
        self.quarantine_dir(change, task, date, run)
            .join(side.name())
    }

    /// What runs of a date, or of a slice on it, hold while they work. It is the pipeline's own: pipelines that share a
    /// store do not wait for each other.
    #[must_use]
    pub fn lock_dir(&self, pipeline: &str, date: RunDate, slice: Option<&str>) -> PathBuf {
        let date = self
            .root
            .join("locks")
            .join(path_part::encode(pipeline))
            .join(date_part(date));
        slice.map_or(date.clone(), |slice| date.join(path_part::encode(slice)))
    }

    /// What the workers of such a run hold while they are at work: they end a little later than a run that was killed.
    /// No slice has this name, since the dot at its beginning would be escaped.
    #[must_use]
    pub fn at_work_dir(&self, pipeline: &str, date: RunDate, slice: Option<&str>) -> PathBuf {
        self.lock_dir(pipeline, date, slice).join(".at-work")
    }

    /// The ledger's folder.
    #[must_use]
    pub fn ledger_dir(&self) -> PathBuf {
        self.root.join("ledger")
    }

    /// The key of what stands in the place of masked values.
    #[must_use]
    pub fn mask_key_file(&self) -> PathBuf {
        self.root.join(KEY_FILE)
    }

    /// The folder of publications that are not finished.
    #[must_use]
    pub fn pending_dir(&self) -> PathBuf {
        self.root.join("pending")
    }

    /// The unfinished publication of a run.
    #[must_use]
    pub fn pending_file(&self, run: &str) -> PathBuf {
        self.pending_dir()
            .join(format!("{}.json", path_part::encode(run)))
    }
}

/// The folder of a published output for a date, and for a slice of the customers.
#[must_use]
pub fn published_dir(location: &Path, date: RunDate, slice: Option<&str>) -> PathBuf {
    let whole = location.join(date_part(date));
    match slice {
        None => whole,
        Some(slice) => whole.join(format!("{SLICE_PREFIX}{slice}")),
    }
}

/// The published output for a date, and for a slice of the customers.
#[must_use]
pub fn published_file(location: &Path, date: RunDate, slice: Option<&str>) -> PathBuf {
    published_dir(location, date, slice).join("data.parquet")
}

/// How the folders of slices begin.
pub const SLICE_PREFIX: &str = "slice=";

fn date_part(date: RunDate) -> String {
    format!("date={date}")
}

/// A change may have the name of something else in the run's folder. Encoded names hold `%` only where a byte
/// is escaped that cannot stand for itself, so escaping the first letter gives a name that no other change has.
fn change_part(change: &str) -> String {
    let part = path_part::encode(change);
    if RUN_FILES.contains(&part.as_str()) {
        escaped(&part)
    } else {
        part
    }
}

/// The part with its first letter escaped, where something of ours has that name.
fn escaped(part: &str) -> String {
    let (first, rest) = part.split_at(1);
    format!("%{:02X}{rest}", first.as_bytes()[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &Path, expected: &str) {
        assert_eq!(path.to_str().unwrap(), expected);
    }

    #[test]
    fn the_layout_is_the_documented_one() {
        let store = Store::at("store");
        let date = "2013-01-01".parse().unwrap();
        check(&store.run_file("r1"), "store/runs/r1/run.json");
        check(&store.events_file("r1"), "store/runs/r1/events.jsonl");
        check(&store.logs_dir("r1"), "store/runs/r1/logs");
        check(
            &store.findings_dir("r1", "utc", "delay"),
            "store/runs/r1/utc/delay",
        );
        check(
            &store.quarantine_side_dir("utc", "delay", date, "r1", Side::Old),
            "store/quarantine/utc/delay/date=2013-01-01/run=r1/old",
        );
        check(
            &store.evidence_file("r1", "utc"),
            "store/runs/r1/evidence/utc.json",
        );
        check(
            &store.track_file("flights", "utc"),
            "store/index/flights/utc.json",
        );
        check(
            &store.editions_file("flights", "utc"),
            "store/index/flights/published/utc.json",
        );
        check(&store.ledger_dir(), "store/ledger");
        check(&store.pending_file("r1"), "store/pending/r1.json");
        check(
            &published_file(Path::new("live/d"), date, None),
            "live/d/date=2013-01-01/data.parquet",
        );
    }

    #[test]
    fn no_name_leaves_its_folder_or_meets_another() {
        let store = Store::at("store");
        check(
            &store.findings_dir("..", "../x", "a/b"),
            "store/runs/%2E%2E/%2E.%2Fx/a%2Fb",
        );
        check(
            &store.findings_dir("r1", "logs", "t"),
            "store/runs/r1/%6Cogs/t",
        );
        check(
            &store.findings_dir("r1", "%6Cogs", "t"),
            "store/runs/r1/%256%43ogs/t",
        );
        check(
            &store.findings_dir("r1", "run.json", "t"),
            "store/runs/r1/%72un.json/t",
        );
        // What nodes leave, and what steps work in, is removed and made anew.
        check(
            &store.findings_dir("r1", "outputs", "t"),
            "store/runs/r1/%6Futputs/t",
        );
        check(
            &store.findings_dir("r1", "work", "t"),
            "store/runs/r1/%77ork/t",
        );
    }
}
