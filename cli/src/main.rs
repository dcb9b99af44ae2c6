//! The binary: arguments, wiring, exit codes and signals.
//!
//! Knows: what the user typed, what it means to which verb, where output goes, and the exit code.
//! Does not know: how anything is computed, compared, decided or stored.

mod args;
mod audience;
mod exit;
mod output;
mod signals;
mod verb;

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Arguments, Verb};
use crate::exit::Exit;

fn main() -> ExitCode {
    panic::set_hook(Box::new(|info| eprintln!("bug: {info}")));
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let exit = panic::catch_unwind(AssertUnwindSafe(|| dispatch(arguments.verb))).unwrap_or_else(|_| {
        eprintln!("this is a bug in understudy, not in your pipeline or data; what a run left half done, the next run finishes");
        Exit::Bug
    });
    exit.into()
}

fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.use_stderr() {
        Exit::Usage.into()
    } else {
        Exit::Good.into()
    }
}

fn dispatch(verb: Verb) -> Exit {
    match verb {
        Verb::Check(arguments) => verb::check::check(&arguments),
        Verb::Schema(_) => verb::schema::schema(),
        Verb::Plan(arguments) => verb::plan::plan(&arguments),
        Verb::Run(arguments) => verb::run::run(&arguments),
        Verb::Report(arguments) => verb::report::report(&arguments),
        Verb::Diff(arguments) => verb::diff::diff(&arguments),
        Verb::Audit(arguments) => verb::audit::audit(&arguments),
        Verb::Worker { invocation } => verb::worker::worker(&invocation),
    }
}
