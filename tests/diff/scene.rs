//! Tables made from text, `diff` on them, and what holds after every one of its ends.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use expect_test::Expect;
use understudy_tables::{ParquetFile, TableSource, pin};

use crate::playground::{Ended, Playground};

/// The folder that the binary takes for its temporary files.
pub(super) const TEMPORARY: &str = "temporary";

/// A folder with tables in it.
pub(super) struct Scene {
    pub(super) playground: Playground,
}

/// How `diff` ended, and what it wrote.
pub(super) struct Told {
    pub(super) ended: Ended,
    /// The files that are new or other than before, by name.
    pub(super) written: BTreeMap<PathBuf, Vec<u8>>,
    names: Vec<String>,
}

/// `diff` with these arguments, as a shell takes them, on these files: the exit code, standard output, standard
/// error and the text of every CSV file that it wrote.
///
/// The files are one text: a line `-- NAME` before each. One whose name ends with `.parquet` is written as CSV here
/// and stored as Parquet.
#[track_caller]
pub(super) fn check(files: &str, arguments: &str, expected: &Expect) {
    expected.assert_eq(&Scene::of(files).diff(arguments).text());
}

impl Scene {
    pub(super) fn of(files: &str) -> Self {
        let scene = Self {
            playground: Playground::of(&[]),
        };
        fs::create_dir(scene.playground.path(TEMPORARY)).unwrap();
        for file in files.split("-- ").skip(1) {
            let (name, text) = file.split_once('\n').unwrap();
            match name.strip_suffix(".parquet") {
                Some(_) => scene.write_parquet(name, text),
                None => scene.playground.write(name, text),
            }
        }
        scene
    }

    /// A table `large.csv` with rows enough for a worker to be met at work on it.
    pub(super) fn of_a_large_table() -> Self {
        let scene = Self::of("");
        let lines = (0..2_000_000).map(|id| format!("{id},{id}\n"));
        let text = format!("id,name\n{}", lines.collect::<String>());
        scene.playground.write("large.csv", &text);
        scene
    }

    fn write_parquet(&self, name: &str, csv: &str) {
        let as_csv = format!("{name}.csv");
        self.playground.write(&as_csv, csv);
        let base = self.playground.path("");
        let source = TableSource {
            snapshot: pin("made", &as_csv, &base).unwrap(),
            base,
            types: BTreeMap::new(),
        };
        let schema = source.schema().unwrap();
        let mut file = ParquetFile::create(&self.playground.path(name), &schema).unwrap();
        for batch in source.read(&schema, None, 1_000).unwrap() {
            file.write(&batch.unwrap()).unwrap();
        }
        file.finish().unwrap();
        fs::remove_file(self.playground.path(&as_csv)).unwrap();
    }

    pub(super) fn write_bytes(&self, name: &str, bytes: &[u8]) {
        fs::write(self.playground.path(name), bytes).unwrap();
    }

    pub(super) fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.playground.path(name)).unwrap()
    }

    /// `diff` with these arguments, as a shell takes them, ready to start.
    pub(super) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("exec \"$0\" diff {arguments}")])
            .arg(env!("CARGO_BIN_EXE_understudy"))
            .current_dir(self.playground.path(""))
            .env("NO_COLOR", "1")
            .env("TMPDIR", self.playground.path(TEMPORARY))
            .env_remove("UNDERSTUDY_FAULT")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs `diff` to its end.
    #[track_caller]
    pub(super) fn diff(&self, arguments: &str) -> Told {
        let before = self.playground.everything();
        let ended = Ended::from(self.command(arguments).output().unwrap());
        self.told(ended, &before)
    }

    /// Asserts what holds after every end: no process and no temporary file is left, nothing on either stream acts
    /// on a terminal, and whoever found nothing printed nothing.
    #[track_caller]
    pub(super) fn told(&self, ended: Ended, before: &BTreeMap<PathBuf, Vec<u8>>) -> Told {
        self.playground.nobody_is_left();
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(
            !ended.stdout.contains(acts) && !ended.stderr.contains(acts),
            "{ended:?}"
        );
        let found_something = matches!(ended.code, 0 | 1 | 3);
        assert_eq!(ended.stdout.is_empty(), !found_something, "{ended:?}");
        let mut written = self.playground.everything();
        written.retain(|path, bytes| before.get(path) != Some(bytes));
        let temporary = self.playground.path(TEMPORARY);
        let left = |path: &&PathBuf| path.starts_with(&temporary) && **path != temporary;
        assert_eq!(written.keys().find(left), None, "a temporary file was left");
        let files = written.keys().filter(|path| path.is_file());
        let names = files.map(|path| name(path)).collect();
        Told {
            ended,
            written,
            names,
        }
    }
}

impl Told {
    pub(super) fn text(&self) -> String {
        let Ended {
            code,
            stdout,
            stderr,
        } = &self.ended;
        let mut text = format!("exit {code}\n{stdout}");
        if !stderr.is_empty() {
            text.push_str(&format!("-- standard error\n{stderr}"));
        }
        for (path, bytes) in &self.written {
            let is_csv = path.extension().is_some_and(|extension| extension == "csv");
            if is_csv {
                let written = String::from_utf8(bytes.clone()).unwrap();
                text.push_str(&format!("-- {}\n{written}", name(path)));
            }
        }
        text
    }

    /// The names of what was written, folders aside.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(super) fn expect(self, code: i32) -> Self {
        assert_eq!(self.ended.code, code, "{:?}", self.ended);
        self
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}
