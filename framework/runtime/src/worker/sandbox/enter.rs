//! Going behind the walls: the worker, then a program of the user's.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use understudy_core::spec::Sandbox;

use super::policy::{Confinement, Network, Reads};
use super::told::{self, WALLS_FILE, told_of};
use super::walls::{self, Walls};

/// The part of the sandbox that can be left out.
pub(super) const LANDLOCK: &str = "landlock";

/// Confines this worker, and tells what is in force.
///
/// # Errors
/// The text says what could not be done; nothing may be begun then.
pub(in crate::worker) fn enter_worker(
    confinement: &Confinement,
    folder: &Path,
) -> Result<(), String> {
    // Whatever is granted has to be there to be named.
    for path in &confinement.program_writes {
        fs::create_dir_all(path)
            .map_err(|error| format!("`{}` cannot be made: {error}", path.display()))?;
    }
    if !confinement.is_without(LANDLOCK) {
        put_walls_up(confinement, folder)?;
    }
    let told = told_of(folder, Vec::new());
    match told.missing().into_iter().next() {
        Some((part, why)) if confinement.sandbox == Sandbox::Required => {
            Err(is_required(&format!("{}: {why}", part.name())))
        }
        _ => Ok(()),
    }
}

/// Why nothing was begun.
pub(super) fn is_required(missing: &str) -> String {
    format!("`sandbox: required`, and a part of it is missing: {missing}")
}

fn put_walls_up(confinement: &Confinement, folder: &Path) -> Result<(), String> {
    let walls = Walls {
        reads: &confinement.reads,
        network: &confinement.network,
    };
    let parts = walls::close(walls, confinement.worker_writes(folder))
        .map_err(|error| format!("the sandbox cannot be put up: {error}"))?;
    told::tell(folder, WALLS_FILE, &parts)
        .map_err(|error| format!("the sandbox cannot be told of: {error}"))
}

/// Becomes a program of the user's, behind walls of its own. Returns only if it cannot be started.
pub(in crate::worker) fn run_program(confinement: &Confinement, argv: &[OsString]) -> String {
    let Some((program, arguments)) = argv.split_first() else {
        return "no program is named".to_owned();
    };
    if let Err(error) = enter_program(confinement) {
        return error;
    }
    let error: io::Error = Command::new(program).args(arguments).exec();
    format!("`{}` cannot be started: {error}", program.display())
}

fn enter_program(confinement: &Confinement) -> Result<(), String> {
    if confinement.is_without(LANDLOCK) {
        return Ok(());
    }
    let walls = Walls {
        reads: &Reads::Everything,
        // What the worker has closed stays closed.
        network: &Network::Open,
    };
    let writes = confinement.program_writes.iter().map(|path| path.as_path());
    walls::close(walls, writes)
        .map(drop)
        .map_err(|error| format!("the sandbox cannot be put up: {error}"))
}
