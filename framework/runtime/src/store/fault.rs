//! Named fault points, for tests that crash the real program.
//!
//! `UNDERSTUDY_FAULT="publish.between-renames=kill@2,ledger.before-link=error"` makes the second visit of the
//! first point kill the process and the first visit of the other fail. A fault that fires says so on stderr,
//! so that a test can prove that it did. Without the variable a point costs one load.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The environment variable that names the faults.
pub const VARIABLE: &str = "UNDERSTUDY_FAULT";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Action {
    Panic,
    Kill,
    Error,
}

#[derive(Debug)]
struct Fault {
    point: String,
    action: Action,
    /// It fires at this visit only, so that what runs afterwards can resume.
    visit: u32,
    visits: AtomicU32,
}

static FAULTS: OnceLock<Vec<Fault>> = OnceLock::new();

/// Passes a fault point; does nothing unless the environment asks for a fault just here.
///
/// # Errors
/// The injected one.
///
/// # Panics
/// Where a panic is asked for.
pub fn point(name: &str) -> io::Result<()> {
    let faults = FAULTS.get_or_init(from_environment);
    match faults.iter().find(|fault| fault.point == name) {
        Some(fault) if fault.visits.fetch_add(1, Ordering::Relaxed) + 1 == fault.visit => {
            fire(fault)
        }
        _ => Ok(()),
    }
}

fn from_environment() -> Vec<Fault> {
    let text = std::env::var(VARIABLE).unwrap_or_default();
    parse(&text).unwrap_or_else(|reason| {
        eprintln!("understudy: {VARIABLE} is ignored: {reason}");
        Vec::new()
    })
}

fn parse(text: &str) -> Result<Vec<Fault>, String> {
    let parts = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts.map(parse_one).collect()
}

fn parse_one(part: &str) -> Result<Fault, String> {
    let (point, action) = part
        .split_once('=')
        .ok_or_else(|| format!("`{part}` has no action"))?;
    let (action, visit) = action.split_once('@').unwrap_or((action, "1"));
    let action = match action {
        "panic" => Action::Panic,
        "kill" => Action::Kill,
        "error" => Action::Error,
        _ => return Err(format!("`{action}` is none of panic, kill, error")),
    };
    let visit = visit.parse().ok().filter(|visit| *visit > 0);
    let visit = visit.ok_or_else(|| format!("`{part}` does not say which visit"))?;
    Ok(Fault {
        point: point.to_owned(),
        action,
        visit,
        visits: AtomicU32::new(0),
    })
}

fn fire(fault: &Fault) -> io::Result<()> {
    eprintln!("{}", fired_line(&fault.point));
    match fault.action {
        Action::Panic => panic!("injected at `{}`", fault.point),
        Action::Error => Err(io::Error::other(format!("injected at `{}`", fault.point))),
        Action::Kill => kill(),
    }
}

/// The line on stderr that proves that the fault of a point fired.
#[must_use]
pub fn fired_line(point: &str) -> String {
    format!("understudy: fault fired: {point}")
}

fn kill() -> ! {
    use nix::sys::signal::{Signal, kill};
    // The signal may arrive a moment later: nothing after this point may run meanwhile.
    kill(nix::unistd::Pid::this(), Signal::SIGKILL).expect("a process may kill itself");
    loop {
        std::thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let found = match parse(text) {
            Ok(faults) => {
                let show =
                    |fault: &Fault| format!("{} {:?} {}", fault.point, fault.action, fault.visit);
                faults.iter().map(show).collect::<Vec<_>>().join("; ")
            }
            Err(reason) => format!("error: {reason}"),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn faults_are_read_from_text() {
        check("", "");
        check("a.b=kill", "a.b Kill 1");
        check("a=panic@3, b=error", "a Panic 3; b Error 1");
        check("a", "error: `a` has no action");
        check("a=stop", "error: `stop` is none of panic, kill, error");
        check("a=kill@0", "error: `a=kill@0` does not say which visit");
    }

    #[test]
    fn an_unset_variable_lets_every_point_pass() {
        point("nowhere").unwrap();
    }
}
