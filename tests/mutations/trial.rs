//! One mutated file against the file that it was, through the real binary.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use tempfile::TempDir;

use super::bases::{self, Base};
use super::mutate::mutated;
use crate::campaign::{Extent, Random};

/// What `diff` is given, in bytes.
const MEMORY_BYTES: u64 = 64_000_000;
/// How far beyond that a worker may go before it is ended.
const MARGIN_BYTES: u64 = 512 << 20;
/// What it can take between two looks that its supervisor has at it.
const BETWEEN_LOOKS_BYTES: u64 = 256 << 20;
const MOST_BYTES: u64 = MEMORY_BYTES + MARGIN_BYTES + BETWEEN_LOOKS_BYTES;
/// How long a comparison of such small tables may take on a busy machine.
const WALL: Duration = Duration::from_secs(30);
/// How often the processes are looked at.
const WATCH_EVERY: Duration = Duration::from_millis(2);
/// Other options that lead through other code.
const OPTIONS: [&str; 6] = [
    "",
    "--key=id",
    "--key=id --customer=name",
    "--key=name,id --within=1%",
    "--key=id --ignore=name --out=report",
    "--customer=name --json",
];

/// Which side of a comparison is the mutated one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Order {
    MutatedFirst,
    MutatedLast,
}

/// All mutations of one campaign.
pub(super) struct Trials {
    bases: Vec<Base>,
    /// How many ended with which exit code.
    codes: Mutex<BTreeMap<i32, u64>>,
}

impl Trials {
    pub(super) fn new() -> Self {
        Self {
            bases: bases::all(),
            codes: Mutex::default(),
        }
    }

    /// The comparison of every file with a copy of itself, with all options.
    pub(super) fn run_unmutated(&self) {
        for (position, base) in self.bases.iter().enumerate() {
            for options in OPTIONS {
                let code = compared(base, &base.bytes, options, Order::MutatedLast);
                assert_eq!(code, 0, "file {position} with `{options}`");
            }
        }
    }

    /// The comparison of one mutated file.
    pub(super) fn run(&self, seed: u64) {
        let mut random = Random::of(seed);
        let base = &self.bases[random.below(self.bases.len())];
        let order = random.one_of(&[Order::MutatedFirst, Order::MutatedLast]);
        let bytes = mutated(base, &mut random);
        let code = compared(base, &bytes, random.one_of(&OPTIONS), order);
        *self.codes.lock().unwrap().entry(code).or_default() += 1;
    }

    /// Asserts that mutations were of both kinds, those that can be read and those that cannot; of a whole campaign,
    /// which runs alone, also what the system says of the memory of all its processes.
    pub(super) fn conclude(&self, extent: Extent) {
        let codes = self.codes.lock().unwrap().clone();
        if let Extent::One(_) = extent {
            return;
        }
        let of = |code: i32| codes.get(&code).copied().unwrap_or(0);
        let tried: u64 = codes.values().sum();
        assert!(of(6) > tried / 10, "too few were refused: {codes:?}");
        assert!(
            of(0) + of(1) > tried / 10,
            "too few were compared: {codes:?}"
        );
        if extent == Extent::Full {
            let children = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
            let peak = u64::try_from(children.max_rss()).unwrap() * 1024;
            eprintln!("exit codes {codes:?}, at most {} MB", peak / 1_000_000);
            assert!(peak <= MOST_BYTES, "{peak} bytes");
        }
    }
}

/// Compares a file with its mutation, in either order, and gives the exit code of an end as it may be.
#[track_caller]
fn compared(base: &Base, mutated: &[u8], options: &str, order: Order) -> i32 {
    let folder = TempDir::new().unwrap();
    let mut sides = ["good", "bad"].map(|name| format!("{name}.{}", base.extension));
    fs::write(folder.path().join(&sides[0]), &base.bytes).unwrap();
    fs::write(folder.path().join(&sides[1]), mutated).unwrap();
    if order == Order::MutatedFirst {
        sides.reverse();
    }
    code_of(folder.path(), &sides, options)
}

#[track_caller]
pub(super) fn code_of(folder: &Path, sides: &[String; 2], options: &str) -> i32 {
    let [out, err] = ["out", "err"].map(|name| folder.join(name));
    let mut child = Command::new(env!("CARGO_BIN_EXE_understudy"))
        .args(["diff", "--memory=64MB", "--threads=2"])
        .args(options.split_whitespace())
        .args(sides)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env("TMPDIR", folder)
        .env_remove("UNDERSTUDY_FAULT")
        .stdin(Stdio::null())
        .stdout(File::create(&out).unwrap())
        .stderr(File::create(&err).unwrap())
        .spawn()
        .unwrap();
    let (status, peak) = watched(&mut child);
    let said = format!("{}{}", text(&out), text(&err));
    let code = status.and_then(|status| status.code());
    let acts = |c: char| c.is_control() && c != '\n';
    assert!(
        matches!(code, Some(0 | 1 | 2 | 3 | 6)),
        "{options}: {status:?}\n{said}"
    );
    assert!(!said.contains("died"), "{options}: {said}");
    assert!(!said.contains(acts), "{options}: {said:?}");
    assert!(peak <= MOST_BYTES, "{options}: {peak} bytes\n{said}");
    code.expect("it is one of those codes")
}

fn text(file: &Path) -> String {
    String::from_utf8(fs::read(file).unwrap()).expect("everything that is printed is UTF-8")
}

/// The end of a process, if it comes in time, and the most memory that its worker was seen to hold.
fn watched(child: &mut Child) -> (Option<ExitStatus>, u64) {
    let (since, mut peak) = (Instant::now(), 0);
    while since.elapsed() < WALL {
        if let Some(status) = child.try_wait().unwrap() {
            return (Some(status), peak);
        }
        peak = peak.max(peak_of_children(child.id()));
        std::thread::sleep(WATCH_EVERY);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    (None, peak)
}

fn peak_of_children(parent: u32) -> u64 {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
    let children = children.unwrap_or_default();
    children.split_whitespace().map(peak_of).sum()
}

/// The most memory that a process ever had, in bytes; zero once it has gone.
fn peak_of(process: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
