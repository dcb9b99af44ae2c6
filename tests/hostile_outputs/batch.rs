//! Mutated files of one run: each is a table of a task of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::campaign::{Extent, Random};
use crate::mutations::bases::{self, Base};
use crate::mutations::mutate::mutated;
use crate::playground::{DATE, Ended, Playground};

/// The mutated files of one run.
pub(super) const FILES: usize = 16;
/// How long a run may take before it hangs.
const PATIENCE: Duration = Duration::from_secs(300);
/// What a version may use up that meets such a file.
const LIMITS: &str = "limits: { wall: 30s, memory: 1GB }";
/// A healthy table.
const ORDERS: &str = "id,name\n1,Ann\n2,Bob\n";

/// Whose tables the mutated files are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Role {
    /// Live versions': as datasets, as what their program left, as what an external version left.
    Live,
    /// New versions': as the latter two.
    Shadow,
}

/// A file with its extension.
type Mutated = (&'static str, Vec<u8>);

pub(super) struct Batches {
    bases: Vec<Base>,
    calm: Vec<Vec<u8>>,
    /// How many were taken and refused, by role.
    counts: Mutex<BTreeMap<&'static str, u64>>,
}

impl Batches {
    pub(super) fn new() -> Self {
        let calm = scene(Role::Shadow, &[]);
        calm.run(&[]).expect(0);
        let published = |task: usize| calm.published(&format!("t{task}")).unwrap();
        Self {
            bases: bases::all(),
            calm: (0..FILES).map(published).collect(),
            counts: Mutex::default(),
        }
    }

    /// One run with its mutated files.
    pub(super) fn run(&self, seed: u64) {
        let mut random = Random::of(seed);
        let role = random.one_of(&[Role::Live, Role::Shadow]);
        let files: Vec<_> = (0..FILES).map(|_| self.file(&mut random)).collect();
        let playground = scene(role, &files);
        let ended = ended(&playground);
        let acts = |c: char| c.is_control() && c != '\n';
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(!said.contains(acts), "{said:?}");
        match role {
            Role::Shadow => self.check_shadow(&playground, &ended),
            Role::Live => self.check_live(&ended, &files),
        }
    }

    fn file(&self, random: &mut Random) -> Mutated {
        let base = &self.bases[random.below(self.bases.len())];
        let bytes = match random.below(12) {
            0 => vec![],
            1 => vec![0; base.bytes.len()],
            2 => [&base.bytes[..], &base.bytes[..]].concat(),
            // The bytes of another format under this name.
            3 => self.bases[random.below(self.bases.len())].bytes.clone(),
            _ => mutated(base, random),
        };
        (base.extension, bytes)
    }

    /// Live is as without the files, to the last byte.
    fn check_shadow(&self, playground: &Playground, ended: &Ended) {
        assert_eq!(ended.code, 0, "{ended:?}");
        let report = ended.json();
        for task in 0..FILES {
            let published = playground.published(&format!("t{task}")).unwrap();
            assert!(published == self.calm[task], "t{task}: {ended:?}");
            let found = &report["changes"][format!("c{task}")]["tasks"][format!("t{task}")];
            let refused = found["verdict"] == "inconclusive";
            self.count(if refused {
                "shadow refused"
            } else {
                "shadow taken"
            });
        }
    }

    /// There is a result, or an error that names a file or the task that left it.
    fn check_live(&self, ended: &Ended, files: &[Mutated]) {
        let said = format!("{}{}", ended.stdout, ended.stderr);
        // A column that is gone is found before anything is computed.
        let lacks = ended.code == 2 && said.contains("is not in ");
        assert!([0, 5, 6].contains(&ended.code) || lacks, "{ended:?}");
        if ended.code > 0 {
            let named = files.iter().enumerate().any(|(task, (extension, _))| {
                said.contains(&format!("`t{task}`"))
                    || said.contains(&format!("{task}.{extension}"))
            });
            assert!(named, "{said}");
        }
        self.count(if ended.code == 0 {
            "live taken"
        } else {
            "live refused"
        });
    }

    fn count(&self, what: &'static str) {
        *self.counts.lock().unwrap().entry(what).or_default() += 1;
    }

    /// Asserts that there were files of both kinds: those that can be read, and those that cannot.
    pub(super) fn conclude(&self, extent: Extent) {
        let counts = self.counts.lock().unwrap().clone();
        eprintln!("{counts:?}");
        if let Extent::One(_) = extent {
            return;
        }
        for what in ["shadow refused", "shadow taken", "live refused"] {
            assert!(
                counts.get(what).is_some_and(|count| *count > 2),
                "{counts:?}"
            );
        }
    }
}

/// A task for each file. Of a live role one in three reads it as a dataset; the others, and all of a shadow role, get
/// it from a program or take it as what an external version left.
fn scene(role: Role, files: &[Mutated]) -> Playground {
    let mut datasets = "  orders: { location: data/orders.csv }\n".to_owned();
    let (mut tasks, mut changes) = (String::new(), String::new());
    for task in 0..FILES {
        let (input, versions) = match (role, files.get(task)) {
            (_, None) => ("orders".to_owned(), healthy("v1")),
            (Role::Live, Some((extension, _))) if task % 3 == 0 => {
                writeln!(
                    datasets,
                    "  d{task}: {{ location: files/{task}.{extension} }}"
                )
                .unwrap();
                (
                    format!("d{task}"),
                    format!("      v1: {{ sql: d{task}.sql, {LIMITS} }}\n"),
                )
            }
            (Role::Live, Some((extension, _))) => {
                ("orders".to_owned(), left("v1", task, extension))
            }
            (Role::Shadow, Some((extension, _))) => {
                writeln!(changes, "  c{task}:\n    new: {{ t{task}: v2 }}").unwrap();
                (
                    "orders".to_owned(),
                    healthy("v1") + &left("v2", task, extension),
                )
            }
        };
        write!(
            tasks,
            "  t{task}:\n    inputs: [{input}]\n    output: {{ location: live/t{task}, grain: [id], customer: name }}\n    live: v1\n    versions:\n{versions}"
        )
        .unwrap();
    }
    if !changes.is_empty() {
        changes.insert_str(0, "changes:\n");
    }
    let playground = Playground::of(&[
        (
            "understudy.yaml",
            &format!("pipeline: files\ndatasets:\n{datasets}tasks:\n{tasks}{changes}"),
        ),
        ("data/orders.csv", ORDERS),
        ("live.sql", "SELECT id, name FROM orders ORDER BY id"),
        ("leave.sh", "cat \"$1\" > \"$UNDERSTUDY_OUTPUT/$2\"\n"),
    ]);
    for (task, (extension, bytes)) in files.iter().enumerate() {
        let file = format!("files/{task}.{extension}");
        playground.write(
            &format!("d{task}.sql"),
            &format!("SELECT id, name FROM d{task}"),
        );
        playground.write(&file, "");
        fs::write(playground.path(&file), bytes).unwrap();
    }
    playground
}

fn healthy(version: &str) -> String {
    format!("      {version}: {{ sql: live.sql, threads: 1 }}\n")
}

/// A version whose output is the mutated file.
fn left(version: &str, task: usize, extension: &str) -> String {
    let file = format!("files/{task}.{extension}");
    if task.is_multiple_of(2) {
        format!("      {version}: {{ external: {{ location: {file} }} }}\n")
    } else {
        format!(
            "      {version}: {{ command: [sh, leave.sh, {file}, rows.{extension}], {LIMITS} }}\n"
        )
    }
}

/// How the run ended, if it did in time.
fn ended(playground: &Playground) -> Ended {
    let [out, err] = ["out", "err"].map(|name| playground.path(name));
    let mut child = playground
        .command(&["run", "--json", "--date", DATE])
        .stdin(Stdio::null())
        .stdout(File::create(&out).unwrap())
        .stderr(File::create(&err).unwrap())
        .spawn()
        .unwrap();
    let since = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if since.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it hangs: {}", fs::read_to_string(err).unwrap());
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    Ended::from(std::process::Output {
        status,
        stdout: fs::read(out).unwrap(),
        stderr: fs::read(err).unwrap(),
    })
}
