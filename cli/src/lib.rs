//! The program: arguments, wiring, exit codes and signals.
//!
//! Knows: what the user typed, what it means to which verb, where output goes, and the exit code.
//! Does not know: how anything is computed, compared, decided or stored.
//!
//! The binary `understudy` is [`main`] without Rust tasks. Whoever has some makes a program of their own, which has all
//! verbs, its workers included:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use understudy::{Call, Registry};
//!
//! fn copy(call: &mut Call<'_>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//!     for batch in call.input("flights")?.batches()? {
//!         call.write(&batch?)?;
//!     }
//!     Ok(())
//! }
//!
//! fn main() -> ExitCode {
//!     understudy::main(Registry::new().task("copy", copy))
//! }
//! ```

mod args;
mod audience;
mod exit;
mod output;
mod signals;
mod verb;

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;

pub use understudy_comparators::{
    CheckError, Comparator, Finding, Found, Shows, Side, Sides, SidesRequest, conformance,
};
pub use understudy_core::customer::Customer;
pub use understudy_core::run_date::RunDate;
pub use understudy_core::spec::Param;
pub use understudy_core::value::Value;
pub use understudy_tasks::{Call, InputTable, Registry, Task, arrow};

use understudy_core::rollout::lane::LaneEvent;
use understudy_core::visible::acts;

use crate::args::{Arguments, Verb};
use crate::exit::Exit;
use crate::output::tell;

/// Does what the command line says, with these Rust tasks, and gives the exit code for the process to end with.
#[must_use]
pub fn main(registry: Registry) -> ExitCode {
    panic::set_hook(Box::new(|info| tell!("bug: {info}")));
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let program = Program {
        registry: Arc::new(registry),
    };
    panic::catch_unwind(AssertUnwindSafe(|| dispatch(&program, arguments.verb))).unwrap_or_else(|_| {
        tell!("this is a bug in understudy, not in your pipeline or data; what a run left half done, the next run finishes");
        Exit::Bug.into()
    })
}

fn usage(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    // Scripts put names from data on command lines.
    if text.contains(|c| c != '\n' && acts(c)) {
        tell!("{}", text.trim_end());
    } else {
        let _ = error.print();
    }
    if error.use_stderr() {
        Exit::Usage.into()
    } else {
        Exit::Good.into()
    }
}

/// What verbs know of the program that they are part of.
struct Program {
    registry: Arc<Registry>,
}

fn dispatch(program: &Program, verb: Verb) -> ExitCode {
    let exit = match verb {
        Verb::Check(arguments) => verb::check::check(program, &arguments),
        Verb::Doctor(arguments) => verb::doctor::doctor(program, &arguments),
        Verb::Schema(_) => verb::schema::schema(),
        Verb::Plan(arguments) => verb::plan::plan(program, &arguments),
        Verb::Run(arguments) => verb::run::run(program, &arguments),
        Verb::Report(arguments) => verb::report::report(program, &arguments),
        Verb::Review(arguments) => verb::review::review(program, &arguments),
        Verb::Diff(arguments) => verb::diff::diff(program, &arguments),
        Verb::Test(arguments) => verb::test::test(program, &arguments),
        Verb::Which(arguments) => verb::which::which(&arguments),
        Verb::Status(arguments) => verb::status::status(&arguments),
        Verb::Gate(arguments) => verb::gate::gate(program, &arguments),
        Verb::Approve(arguments) => verb::moves::approve(&arguments),
        Verb::Flip(arguments) => verb::moves::towards_new(program, LaneEvent::Flip, &arguments),
        Verb::Complete(arguments) => {
            verb::moves::towards_new(program, LaneEvent::Complete, &arguments)
        }
        Verb::Rollback(arguments) => verb::moves::towards_old(LaneEvent::Rollback, &arguments),
        Verb::Hold(arguments) => verb::moves::towards_old(LaneEvent::Hold, &arguments),
        Verb::Release(arguments) => verb::moves::towards_old(LaneEvent::Release, &arguments),
        Verb::Withdraw(arguments) => verb::moves::towards_old(LaneEvent::Withdraw, &arguments),
        Verb::Repair(arguments) => verb::repair::repair(program, &arguments),
        Verb::Flags(arguments) => verb::flags::flags(&arguments),
        Verb::Audit(arguments) => verb::audit::audit(&arguments),
        Verb::Worker {
            role,
            invocation,
            program: becomes,
        } => return verb::worker::worker(program, &role, &invocation, &becomes),
    };
    exit.into()
}
