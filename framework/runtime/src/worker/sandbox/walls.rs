//! Landlock: what a process closes to itself, and to all that it will start.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, NetPort,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, Scope,
    path_beneath_rules,
};
use understudy_core::isolation::{Part, State};
use understudy_sabotage::Sabotage;

use super::policy::{Network, Reads};
use super::told::Parts;

/// The newest that is asked for: files, truncation, TCP, devices, signals. An older kernel does what it can.
const ABI_ASKED: ABI = ABI::V6;
/// From here on a file cannot be cut short either.
const ABI_OF_FILES: i32 = 3;
/// From here on there is TCP.
const ABI_OF_TCP: i32 = 4;
/// From here on there are signals.
const ABI_OF_SIGNALS: i32 = 6;

/// Devices that hold nothing.
const DEVICES: [&str; 5] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];
/// What the system's libraries read: themselves, time zones, locales, the processors. Whatever names people or machines
/// is not among them.
const SYSTEM: [&str; 9] = [
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/locale.alias",
    "/lib",
    "/lib64",
    "/proc",
    "/sys",
    "/usr/lib",
    "/usr/share/zoneinfo",
];

/// The walls around a process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walls<'a> {
    /// What it may read.
    pub(super) reads: &'a Reads,
    /// Where it may connect to.
    pub(super) network: &'a Network,
}

/// Closes everything but this. It cannot be undone, and holds for what this process starts as well.
///
/// # Errors
/// A rule that the kernel refuses: then nothing is closed.
pub(super) fn close<'p>(
    walls: Walls<'_>,
    writes: impl IntoIterator<Item = &'p Path>,
) -> Result<Parts, RulesetError> {
    if Sabotage::NoLandlock.is_on() {
        return Ok(parts(ABI_ASKED as i32, walls.network));
    }
    let writes: Vec<PathBuf> = writes.into_iter().map(Path::to_owned).collect();
    let mut handled = AccessFs::from_write(ABI_ASKED);
    if matches!(walls.reads, Reads::These(_)) {
        handled |= AccessFs::from_read(ABI_ASKED);
    }
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(handled)?
        .scope(Scope::from_all(ABI_ASKED))?;
    if *walls.network != Network::Open && !Sabotage::OpenNetwork.is_on() {
        ruleset = ruleset.handle_access(tcp(walls.network))?;
    }
    let ruleset = ruleset.create()?;
    let ruleset = with_files(ruleset, walls.reads, &writes, handled)?;
    let status = with_ports(ruleset, walls.network)?.restrict_self()?;
    let abi = match status.landlock {
        LandlockStatus::Available {
            effective_abi,
            kernel_abi,
        } => kernel_abi.unwrap_or(effective_abi as i32),
        _ => 0,
    };
    Ok(parts(abi, walls.network))
}

/// With ports declared, a program may also listen: who talks to a database may be called back by it.
fn tcp(network: &Network) -> BitFlags<AccessNet> {
    match network {
        Network::Closed => AccessNet::from_all(ABI_ASKED),
        Network::Ports(_) | Network::Open => AccessNet::ConnectTcp.into(),
    }
}

fn with_files(
    ruleset: RulesetCreated,
    reads: &Reads,
    writes: &[PathBuf],
    handled: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    // No devices are made, whoever asks.
    let devices = AccessFs::MakeChar | AccessFs::MakeBlock;
    let ruleset = ruleset
        .add_rules(path_beneath_rules(writes, handled & !devices))?
        .add_rules(path_beneath_rules(DEVICES, handled))?;
    let Reads::These(files) = reads else {
        return Ok(ruleset);
    };
    let read = AccessFs::from_read(ABI_ASKED);
    ruleset
        .add_rules(path_beneath_rules(SYSTEM, read))?
        .add_rules(path_beneath_rules(files, read))
}

fn with_ports(
    mut ruleset: RulesetCreated,
    network: &Network,
) -> Result<RulesetCreated, RulesetError> {
    if let Network::Ports(ports) = network {
        for port in ports {
            ruleset = ruleset.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
        }
    }
    Ok(ruleset)
}

/// What a kernel's version of Landlock puts in force.
fn parts(abi: i32, network: &Network) -> Parts {
    let part = |needed: i32, what: &str| {
        if abi >= needed {
            State::InForce(format!("Landlock {abi}"))
        } else if abi == 0 {
            State::Missing("this system has no Landlock".to_owned())
        } else {
            State::Missing(format!(
                "Landlock {abi} of this kernel does not know {what}"
            ))
        }
    };
    let network = match network {
        Network::Open => State::InForce("open, because hosts are declared".to_owned()),
        Network::Closed | Network::Ports(_) => part(ABI_OF_TCP, "TCP"),
    };
    Parts::from([
        (Part::Files, part(ABI_OF_FILES, "truncation")),
        (Part::Network, network),
        (Part::Signals, part(ABI_OF_SIGNALS, "signals")),
    ])
}
