//! The two processes around a confined worker.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use caps::{CapSet, Capability, CapsHashSet};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getegid, geteuid};
use understudy_core::isolation::{Part, State};
use understudy_core::spec::Sandbox;
use understudy_sabotage::Sabotage;

use super::hunt::{Tree, end_tree};
use super::policy::{Confinement, Network};
use super::told::{self, GUARD_FILE, Parts};
use super::{INIT, WORKER, cgroup, plain_limits};
use crate::worker::WORKER_VERB;

/// The part that can be left out: processes and network of its own.
const NAMESPACES: &str = "namespaces";
/// The part that can be left out: a control group.
const CGROUP: &str = "cgroup";
/// How a process ends that a signal ended, as shells tell it.
const SIGNAL_BASE: i32 = 128;

/// Guards one worker: gives the code that it ends with.
///
/// # Errors
/// What could not be put in force although it has to be, or what failed; nothing was begun.
pub(in crate::worker) fn guard(
    file: &Path,
    folder: &Path,
    confinement: &Confinement,
) -> Result<u8, String> {
    let failed = |what: &str, error: &dyn std::fmt::Display| format!("{what}: {error}");
    plain_limits::offer_for_memory();
    plain_limits::limit(confinement.limits)
        .map_err(|error| failed("its limits cannot be set", &error))?;
    let mut parts = Parts::new();
    parts.insert(Part::Limits, limited(confinement));
    let namespaces = leave(confinement, &mut parts);
    give_privileges_up(namespaces, &mut parts);
    if namespaces == Namespaces::OwnUser {
        // In a namespace of users only what is started in it is counted.
        plain_limits::limit_processes(confinement.limits)
            .map_err(|error| failed("its processes cannot be limited", &error))?;
    }
    told::tell(folder, GUARD_FILE, &parts)
        .map_err(|error| failed("the sandbox cannot be told of", &error))?;
    require(confinement, &parts)?;
    let started = match namespaces {
        Namespaces::None => start(WORKER, file),
        Namespaces::Own | Namespaces::OwnUser => start(INIT, file),
    };
    let child = started.map_err(|error| failed("the worker cannot be started", &error))?;
    let status = attend(child, namespaces);
    status.map_err(|error| failed("the worker cannot be waited for", &error))
}

/// The watchdog always looks; a control group holds in between.
fn limited(confinement: &Confinement) -> State {
    let watchdog = "watchdog on time, memory, disk and processes";
    let group = if confinement.is_without(CGROUP) {
        Err("it is left out on purpose".to_owned())
    } else {
        cgroup::join(confinement.limits)
    };
    State::InForce(match group {
        Ok(what) => format!("control group on {what}, {watchdog}"),
        Err(why) => format!("{watchdog} (no control group: {why})"),
    })
}

/// Which namespaces this process left the machine's for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Namespaces {
    /// None.
    None,
    /// Those of processes, and of the network where it is closed.
    Own,
    /// Those of users as well.
    OwnUser,
}

/// Leaves the machine's namespaces, as far as it lets us. This process has one thread: the kernel insists.
fn leave(confinement: &Confinement, parts: &mut Parts) -> Namespaces {
    let left = if confinement.is_without(NAMESPACES) || Sabotage::KeepOrphans.is_on() {
        Err(Errno::ECANCELED)
    } else {
        leave_processes()
    };
    let processes = match left {
        Ok(_) => State::InForce("PID namespace".to_owned()),
        Err(Errno::ECANCELED) => State::Missing(
            "the PID namespace is left out on purpose; what it starts is hunted down".to_owned(),
        ),
        Err(error) => State::Missing(format!(
            "this machine gives no PID namespace ({}); what it starts is hunted down",
            error.desc()
        )),
    };
    parts.insert(Part::Processes, processes);
    let namespaces = left.unwrap_or(Namespaces::None);
    if namespaces != Namespaces::None
        && confinement.network == Network::Closed
        && !Sabotage::OpenNetwork.is_on()
        && unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWIPC).is_ok()
    {
        let state = State::InForce("network namespace".to_owned());
        parts.insert(Part::Network, state);
    }
    namespaces
}

/// Root may leave at once; others need a namespace of users in which they may.
fn leave_processes() -> Result<Namespaces, Errno> {
    if geteuid().is_root() && unshare(CloneFlags::CLONE_NEWPID).is_ok() {
        return Ok(Namespaces::Own);
    }
    let (user, group) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWPID)?;
    let write = |file: &str, text: String| {
        fs::write(format!("/proc/self/{file}"), text)
            .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or_default()))
    };
    write("setgroups", "deny".to_owned())?;
    write("uid_map", format!("{user} {user} 1"))?;
    write("gid_map", format!("{group} {group} 1"))?;
    Ok(Namespaces::OwnUser)
}

/// Nobody behind this point gains a privilege. Root keeps the one by which it reads what it can read now.
fn give_privileges_up(namespaces: Namespaces, parts: &mut Parts) {
    let is_root = geteuid().is_root();
    let given_up = nix::sys::prctl::set_no_new_privs()
        .map_err(|error| error.to_string())
        .and_then(|()| {
            if !is_root && namespaces == Namespaces::None {
                return Ok(());
            }
            keep_capabilities(is_root.then_some(Capability::CAP_DAC_OVERRIDE))
        });
    let state = match given_up {
        Ok(()) if is_root => State::InForce("no new privileges, few capabilities".to_owned()),
        Ok(()) => State::InForce("no new privileges".to_owned()),
        Err(error) => State::Missing(format!("privileges cannot be given up: {error}")),
    };
    parts.insert(Part::Privileges, state);
}

fn keep_capabilities(kept: Option<Capability>) -> Result<(), String> {
    let kept: CapsHashSet = kept.into_iter().collect();
    let sets = [
        CapSet::Ambient,
        CapSet::Inheritable,
        CapSet::Effective,
        CapSet::Permitted,
    ];
    for set in sets {
        let none = CapsHashSet::new();
        let of_set = match set {
            CapSet::Effective | CapSet::Permitted => &kept,
            _ => &none,
        };
        caps::set(None, set, of_set).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Where everything is required, what the guard could not do is an error. What is the worker's to do, it refuses itself.
fn require(confinement: &Confinement, parts: &Parts) -> Result<(), String> {
    if confinement.sandbox != Sandbox::Required {
        return Ok(());
    }
    let missing = parts.iter().find_map(|(part, state)| match state {
        State::Missing(why) => Some(format!("{}: {why}", part.name())),
        State::InForce(_) => None,
    });
    missing.map_or(Ok(()), |missing| Err(super::enter::is_required(&missing)))
}

fn start(role: &str, file: &Path) -> io::Result<Child> {
    Command::new(std::env::current_exe()?)
        .args([WORKER_VERB, "--as", role])
        .arg(file)
        // The pipe whose end says that the supervisor is gone.
        .stdin(Stdio::inherit())
        .spawn()
}

/// Waits for the worker, and leaves nothing behind it.
fn attend(mut child: Child, namespaces: Namespaces) -> io::Result<u8> {
    if namespaces != Namespaces::None {
        return child.wait().map(code_of);
    }
    let _ = nix::sys::prctl::set_child_subreaper(true);
    if !Sabotage::KeepOrphans.is_on() {
        end_with_lifeline();
    }
    let status = child.wait().map(code_of);
    if !Sabotage::KeepOrphans.is_on() {
        end_tree(Tree::below_this());
        reap();
    }
    status
}

/// Where there is no namespace that ends by itself: when the supervisor is gone, so is everything.
fn end_with_lifeline() {
    std::thread::spawn(|| {
        wait_for_end();
        end_tree(Tree::below_this());
        end_with(u8::MAX);
    });
}

/// The first process of a namespace: starts the worker, and waits for it and for whatever is orphaned in here. When it
/// ends, so does everything else in here.
///
/// # Errors
/// The worker cannot be started.
pub(in crate::worker) fn init(file: &Path) -> Result<u8, String> {
    let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
    plain_limits::be_last_among_sessions();
    std::thread::spawn(|| {
        wait_for_end();
        end_with(u8::MAX);
    });
    let child =
        start(WORKER, file).map_err(|error| format!("the worker cannot be started: {error}"))?;
    let worker = Pid::from_raw(i32::try_from(child.id()).expect("process ids fit"));
    loop {
        match waitpid(None, None) {
            Ok(WaitStatus::Exited(pid, code)) if pid == worker => {
                return Ok(u8::try_from(code).unwrap_or(u8::MAX));
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == worker => {
                return Ok(of_signal(signal as i32));
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(format!("the worker cannot be waited for: {error}")),
        }
    }
}

/// Blocks until the supervisor is gone.
fn wait_for_end() {
    let mut byte = [0];
    while io::stdin().read(&mut byte).is_ok_and(|read| read > 0) {}
}

#[expect(
    clippy::disallowed_methods,
    reason = "a thread beside the one that waits ends the process; it holds nothing"
)]
fn end_with(code: u8) {
    std::process::exit(i32::from(code));
}

/// Zombies of what was hunted down.
fn reap() {
    while matches!(
        waitpid(None, Some(WaitPidFlag::WNOHANG)),
        Ok(status) if status != WaitStatus::StillAlive
    ) {}
}

fn code_of(status: ExitStatus) -> u8 {
    match (status.code(), status.signal()) {
        (Some(code), _) => u8::try_from(code).unwrap_or(u8::MAX),
        (None, signal) => of_signal(signal.unwrap_or_default()),
    }
}

fn of_signal(signal: i32) -> u8 {
    u8::try_from(SIGNAL_BASE + signal).unwrap_or(u8::MAX)
}
