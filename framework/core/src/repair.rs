//! What a move back leaves behind: published rows of a side that lanes have left, and what was computed from them.
//!
//! Every time that outputs were published is an [`Edition`]. An edition is tainted where some lane's rows in it come from
//! the new side and would come from the old one today, where it was computed from such rows of the same date, or where it
//! read a tainted edition of an earlier date. What stands tainted is repaired. Nothing else has to be remembered: once a
//! date is published anew, by a repair or by an ordinary run, its last edition says so, and a repair that was cut off goes
//! on where it stopped.

mod sides;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::run_date::RunDate;
use crate::spec::{Input, InputSource, Spec, Stored, Table, Task};
use crate::stage::LaneStages;

pub use sides::{Sides, held_to};

/// One time that outputs were published.
#[derive(Clone, PartialEq, Debug)]
pub struct Edition {
    /// The number of its entry in the ledger.
    pub number: u64,
    /// When it was recorded, RFC 3339 in UTC to the millisecond, so that texts are in the order of time.
    pub at: String,
    /// When its run began, in the same form.
    pub began: String,
    /// Its run.
    pub run: String,
    /// The date.
    pub date: RunDate,
    /// The slice; `None` for everybody.
    pub slice: Option<String>,
    /// What was published.
    pub tasks: BTreeSet<String>,
    /// The tasks that the change gave a new version then.
    pub changed: BTreeSet<String>,
    /// Where each lane's rows of these came from: a position among the sides of the history. Most editions in a row
    /// have the same ones.
    pub sides: usize,
}

/// Why something that is published does not hold any more. Several may be true.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Taint {
    /// It holds rows of the new side for lanes that have gone back.
    pub taken_back: bool,
    /// It was computed from earlier dates that do not hold.
    pub reads_past: bool,
    /// It was computed from outputs of the same date that do not hold.
    pub reads_other: bool,
}

impl Taint {
    fn is_any(self) -> bool {
        self.taken_back || self.reads_past || self.reads_other
    }
}

/// A task of a date that does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stale {
    /// The position of its last edition.
    pub edition: usize,
    /// Why.
    pub taint: Taint,
}

/// What has to be published anew for a date and a slice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StaleDate {
    /// The date.
    pub date: RunDate,
    /// The slice; `None` for everybody.
    pub slice: Option<String>,
    /// The tasks.
    pub tasks: BTreeMap<String, Stale>,
}

impl StaleDate {
    /// The earlier dates that its tasks build on, those of slices apart.
    #[must_use]
    pub fn builds_on(&self, spec: &Spec) -> BTreeSet<(String, RunDate)> {
        let own = spec
            .tasks
            .iter()
            .filter(|task| self.tasks.contains_key(&task.name));
        own.flat_map(|task| &task.inputs)
            .flat_map(|input| past(input, self.date))
            .map(|(task, date)| (task.to_owned(), date))
            .collect()
    }
}

/// The editions of a change, oldest first, and where its lanes stand.
#[derive(Clone, Copy, Debug)]
pub struct History<'a> {
    /// The pipeline as it is.
    pub spec: &'a Spec,
    /// The editions since the first lane went live, in the order of the ledger.
    pub editions: &'a [Edition],
    /// The sides that editions have.
    pub sides: &'a [Sides],
    /// The stages that a run would take now.
    pub now: &'a LaneStages,
}

/// What is published and does not hold, oldest date first.
#[must_use]
pub fn stale(history: &History<'_>) -> Vec<StaleDate> {
    let sides = history.sides.iter();
    let taken_back: Vec<bool> = sides
        .map(|sides| sides.are_taken_back(history.now))
        .collect();
    let mut shelf = Shelf::default();
    for (position, edition) in history.editions.iter().enumerate() {
        let tainted = tainted(history.spec, edition, taken_back[edition.sides], &shelf);
        shelf.add(position, edition, &tainted);
    }
    shelf.stale()
}

/// What of an edition does not hold; changed tasks that somebody else publishes are among it.
fn tainted(
    spec: &Spec,
    edition: &Edition,
    taken_back: bool,
    shelf: &Shelf<'_>,
) -> BTreeMap<String, Taint> {
    let own = edition.changed.iter().filter(|_| taken_back);
    let mut tainted: BTreeMap<String, Taint> = own
        .map(|task| {
            let taint = Taint {
                taken_back,
                ..Taint::default()
            };
            (task.clone(), taint)
        })
        .collect();
    for task in &spec.tasks {
        let mut taint = tainted.get(&task.name).copied().unwrap_or_default();
        if edition.tasks.contains(&task.name) {
            let inputs = || task.inputs.iter();
            taint.reads_past = inputs().any(|input| reads_past(input, edition, shelf));
            taint.reads_other = inputs().any(|input| reads_other(input, &tainted));
        } else if is_ours(task) {
            // It stood there, and was read as it stood.
            taint.reads_other = shelf.is_stale_at(&task.name, edition.date, edition);
        }
        if taint.is_any() {
            tainted.insert(task.name.clone(), taint);
        }
    }
    tainted
}

fn is_ours(task: &Task) -> bool {
    task.output.location.is_some() && !task.is_live_external()
}

fn reads_other(input: &Input, tainted: &BTreeMap<String, Taint>) -> bool {
    matches!(&input.source, InputSource::Task(task) if tainted.contains_key(task))
}

fn reads_past(input: &Input, edition: &Edition, shelf: &Shelf<'_>) -> bool {
    past(input, edition.date).any(|(task, date)| shelf.is_stale_at(task, date, edition))
}

/// The published outputs that an input consists of on a date.
fn past(input: &Input, date: RunDate) -> impl Iterator<Item = (&str, RunDate)> {
    let stored = match &input.source {
        InputSource::Stored(stored) => Some(stored),
        InputSource::Task(_) => None,
    };
    stored
        .into_iter()
        .flat_map(move |stored| days(stored, date))
}

fn days(stored: &Stored, date: RunDate) -> impl Iterator<Item = (&str, RunDate)> {
    let task = match &stored.table {
        Table::Published(task) => Some(task.as_str()),
        Table::Dataset(_) => None,
    };
    task.into_iter().flat_map(move |task| {
        let days = (0..i64::from(stored.days)).filter_map(move |back| {
            date.plus_days(stored.plus_days)
                .and_then(|last| last.plus_days(-back))
        });
        days.map(move |day| (task, day))
    })
}

/// One edition of one task.
#[derive(Clone, Copy, Debug)]
struct Copy<'a> {
    position: usize,
    at: &'a str,
    taint: Taint,
}

/// The editions of each task, the newest last.
type ByTask<'a> = BTreeMap<&'a str, Vec<Copy<'a>>>;

/// Every edition of every task, by date and slice.
#[derive(Debug, Default)]
struct Shelf<'a>(BTreeMap<(RunDate, Option<&'a str>), ByTask<'a>>);

impl<'a> Shelf<'a> {
    fn add(&mut self, position: usize, edition: &'a Edition, tainted: &BTreeMap<String, Taint>) {
        let place = (edition.date, edition.slice.as_deref());
        let tasks = self.0.entry(place).or_default();
        for task in &edition.tasks {
            tasks.entry(task).or_default().push(Copy {
                position,
                at: &edition.at,
                taint: tainted.get(task).copied().unwrap_or_default(),
            });
        }
    }

    /// Whether what a run read of a task did not hold. A run for everybody reads what all slices published.
    fn is_stale_at(&self, task: &str, date: RunDate, reader: &Edition) -> bool {
        let of_date = self
            .0
            .range((date, None)..)
            .take_while(|(place, _)| place.0 == date);
        let own = reader.slice.as_deref();
        let read =
            of_date.filter(|((_, slice), _)| slice.is_none() || own.is_none() || *slice == own);
        read.filter_map(|(_, tasks)| tasks.get(task)).any(|copies| {
            let mut before = copies
                .iter()
                .rev()
                .filter(|copy| copy.at <= reader.began.as_str());
            before.next().is_some_and(|copy| copy.taint.is_any())
        })
    }

    fn stale(&self) -> Vec<StaleDate> {
        let dates = self.0.iter().map(|((date, slice), tasks)| StaleDate {
            date: *date,
            slice: slice.map(str::to_owned),
            tasks: tasks
                .iter()
                .filter_map(|(task, copies)| stale_task(task, copies))
                .collect(),
        });
        dates.filter(|date| !date.tasks.is_empty()).collect()
    }
}

fn stale_task(task: &str, copies: &[Copy<'_>]) -> Option<(String, Stale)> {
    let last = copies.last().filter(|copy| copy.taint.is_any())?;
    let stale = Stale {
        edition: last.position,
        taint: last.taint,
    };
    Some((task.to_owned(), stale))
}
