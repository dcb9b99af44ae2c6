//! The verbs: each takes what was typed to the runtime, prints, and picks the exit code.

pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod flags;
pub(crate) mod gate;
pub(crate) mod moves;
pub(crate) mod plan;
mod rejudge;
pub(crate) mod repair;
pub(crate) mod report;
pub(crate) mod review;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod status;
pub(crate) mod test;
pub(crate) mod which;
pub(crate) mod worker;

use std::future::Future;
use std::sync::Arc;

use understudy_runtime::error::RunError;
use understudy_runtime::worker::Crew;

use crate::Program;
use crate::exit::{Exit, fail};
use crate::output::tell;
use crate::signals;

/// Runs a verb that waits for workers, with a crew that hears interruptions.
fn with_crew<F: Future<Output = Result<Exit, RunError>>>(
    program: &Program,
    verb: impl FnOnce(Crew) -> F,
) -> Exit {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(source) => {
            return fail(&machine(
                "the asynchronous runtime could not be started",
                source,
            ));
        }
    };
    let exit = runtime.block_on(async {
        let crew = Crew::new(signals::interruptions(), Arc::clone(&program.registry))
            .map_err(|source| machine("the program's own path is not known", source))?;
        verb(crew).await
    });
    exit.unwrap_or_else(|error| fail(&error))
}

/// Says what is wrong with the command.
fn usage(message: &str) -> Exit {
    tell!("error: {message}");
    Exit::Usage
}

fn machine(what: &str, source: std::io::Error) -> RunError {
    RunError::Machine {
        what: what.to_owned(),
        source,
    }
}
