//! What keeps the work of a shadow in its place.
//!
//! A confined worker is three processes. The supervisor starts the **guard**, which lowers its priority, sets limits, leaves
//! the machine's network and process namespaces and starts the **init**, the first process of a namespace of its own: when it
//! ends, in whatever way, the kernel ends all that was started in there. The init starts the **worker**, which closes the
//! file system, the network and signals to itself by Landlock before it begins. A program of the user's is started through
//! one more layer, so that it can touch its output and its temporary folder and not the worker.
//!
//! Where there is no namespace to be had, the guard adopts whatever its worker leaves behind, and hunts it down.
//! Every part tells what it put in force; what it could not is [`State::Missing`](understudy_core::isolation::State).

mod cgroup;
mod enter;
mod guard;
mod hunt;
mod plain_limits;
mod policy;
mod told;
mod walls;

pub(super) use cgroup::remove as remove_group;
pub(super) use enter::{enter_worker, run_program};
pub(super) use guard::{guard, init};
pub(super) use hunt::{Tree, Used, adopt_orphans, end_tree};
pub use policy::{Confinement, Network, ProcessLimits, Reads};
pub(super) use told::told_of;

/// The roles in which this program starts itself, as its hidden verb takes them.
pub(super) const GUARD: &str = "guard";
/// The first process of a namespace.
pub(super) const INIT: &str = "init";
/// What does the work.
pub(super) const WORKER: &str = "worker";
/// What becomes a program of the user's.
pub(super) const PROGRAM: &str = "program";

/// Names parts of the sandbox that are left out on purpose, with commas between: for tests, and for a machine on which
/// one of them stands in the way. They count as missing.
pub(super) const WITHOUT_VARIABLE: &str = "UNDERSTUDY_SANDBOX_WITHOUT";
