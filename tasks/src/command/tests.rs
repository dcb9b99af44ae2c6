use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;
use understudy_tables::TableError;

use super::{CommandTask, Start, run_command};
use crate::{TaskError, TaskOutput};

fn task(folder: &Path, argv: &[&str]) -> CommandTask {
    CommandTask {
        argv: argv.iter().map(|part| (*part).to_owned()).collect(),
        working_dir: folder.to_owned(),
        context: serde_json::json!({ "run_date": "2013-07-03" }),
        input_dirs: vec![("my-input".to_owned(), folder.join("in"))],
        named_dirs: Vec::new(),
        output: folder.join("out"),
        temp_dir: folder.join("temp"),
        stdout: folder.join("stdout"),
        stderr: folder.join("stderr"),
        start: Start::default(),
    }
}

fn run(task: &CommandTask) -> Result<TaskOutput, TaskError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(run_command(task))
}

fn shell(script: &str) -> (TempDir, Result<TaskOutput, TaskError>) {
    let folder = TempDir::new().unwrap();
    let result = run(&task(folder.path(), &["sh", "-c", script]));
    (folder, result)
}

/// An error with its causes; the folder is `~`.
fn failure(folder: &TempDir, result: Result<TaskOutput, TaskError>) -> String {
    let error = result.unwrap_err();
    let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
    let text = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
    text.replace(folder.path().to_str().unwrap(), "~")
}

fn check_failure(script: &str, expected: &str) {
    let (folder, result) = shell(script);
    assert_eq!(failure(&folder, result), expected, "{script}");
}

#[test]
fn csv_is_taken_over_as_parquet() {
    let (folder, output) = shell("printf 'id,name\n1,a\n2,\n' > $UNDERSTUDY_OUTPUT/result.csv");
    let output = output.unwrap();
    assert_eq!(output.rows, 2);
    assert_eq!(output.parquet, folder.path().join("out/data.parquet"));
    let types: Vec<_> = output
        .schema
        .fields()
        .iter()
        .map(|field| field.data_type().to_string())
        .collect();
    assert_eq!(types, ["Int64", "Utf8"]);
    let raw = output.raw.unwrap();
    assert_eq!(raw.paths(), [folder.path().join("out/raw/result.csv")]);
}

#[test]
fn parquet_is_taken_over() {
    let (first, output) = shell("printf 'id\n1\n' > $UNDERSTUDY_OUTPUT/a.csv");
    let written = output.unwrap().parquet;
    let (_folder, output) = shell(&format!(
        "mkdir $UNDERSTUDY_OUTPUT/k=x; cp {} $UNDERSTUDY_OUTPUT/k=x/a.parquet",
        written.display()
    ));
    let output = output.unwrap();
    let names: Vec<_> = output
        .schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    assert_eq!(
        (output.rows, names, output.raw.is_none()),
        (1, vec!["id", "k"], true)
    );
    drop(first);
}

#[test]
fn the_environment_is_as_promised() {
    let (folder, output) = shell(
        "echo to stdout; echo to stderr >&2; cat; pwd > pwd; cp $UNDERSTUDY_CONTEXT context; \
         echo \"in,tmp\" > $UNDERSTUDY_OUTPUT/a.csv; echo \"$UNDERSTUDY_INPUT_MY_INPUT,$TMPDIR\" >> $UNDERSTUDY_OUTPUT/a.csv",
    );
    output.unwrap();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let folder_name = folder.path().to_str().unwrap();
    assert_eq!(read("stdout"), "to stdout\n");
    assert_eq!(read("stderr"), "to stderr\n");
    assert_eq!(
        read("pwd").trim(),
        folder.path().canonicalize().unwrap().to_str().unwrap()
    );
    assert_eq!(
        read("context").split_whitespace().collect::<String>(),
        "{\"run_date\":\"2013-07-03\"}"
    );
    assert_eq!(
        read("out/raw/a.csv"),
        format!("in,tmp\n{folder_name}/in,{folder_name}/temp\n")
    );
}

#[test]
fn failures_read_well() {
    check_failure(
        "exit 3",
        "program `sh` exited with code 3; it wrote nothing to standard error",
    );
    check_failure(
        "echo one >&2; echo two >&2; exit 1",
        "program `sh` exited with code 1; the end of its standard error:\n    one\n    two",
    );
    check_failure(
        "kill -9 $$",
        "program `sh` was killed by SIGKILL; it wrote nothing to standard error",
    );
    check_failure(
        "true",
        "the program wrote nothing; it must write a table into the folder `UNDERSTUDY_OUTPUT`, as Parquet, CSV, JSON lines or Arrow",
    );
    check_failure(
        "touch $UNDERSTUDY_OUTPUT/b.txt $UNDERSTUDY_OUTPUT/a.json",
        "the program wrote no .parquet, .csv, .jsonl or .arrow file into the folder `UNDERSTUDY_OUTPUT`, only `a.json`, `b.txt`",
    );
    check_failure(
        "echo a > $UNDERSTUDY_OUTPUT/x.csv; touch $UNDERSTUDY_OUTPUT/y.parquet",
        "the program wrote files of two formats, `x.csv` and `y.parquet`; it must keep to one",
    );
    check_failure(
        "printf 'a,b\n1\n' > $UNDERSTUDY_OUTPUT/x.csv",
        "`~/out/raw/x.csv`, line 2: 1 fields where the header has 2",
    );
    check_failure(
        "touch $UNDERSTUDY_OUTPUT/x.csv",
        "`~/out/raw/x.csv`, line 1: the file is empty; a CSV needs a header line",
    );
    let (folder, result) = shell("echo nonsense > $UNDERSTUDY_OUTPUT/x.parquet");
    assert!(matches!(
        result,
        Err(TaskError::Table(TableError::Parquet(_)))
    ));
    assert!(
        failure(&folder, result).starts_with("`~/out/raw/x.parquet` cannot be read as Parquet; ")
    );
}

#[test]
fn a_program_that_is_not_there() {
    let folder = TempDir::new().unwrap();
    let check = |argv: &[&str], expected: &str| {
        assert_eq!(failure(&folder, run(&task(folder.path(), argv))), expected);
    };
    check(&[], "the command is empty; its first part is the program");
    check(
        &["no-such-program-here"],
        "program `no-such-program-here` is not found; it is in no folder of `PATH`",
    );
    check(
        &["./run.sh"],
        "program `./run.sh` is not found; it was looked for from `~`",
    );
    fs::write(folder.path().join("run.sh"), "#!/no/such/shell\n").unwrap();
    check(
        &["./run.sh"],
        "program `./run.sh` cannot be started: Permission denied (os error 13)",
    );
    fs::set_permissions(
        folder.path().join("run.sh"),
        fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    let interpreter = "program `./run.sh` is not found; the file is there, but the interpreter that its first line names is not";
    check(&["./run.sh"], interpreter);
    let mut lost = task(folder.path(), &["true"]);
    lost.working_dir = folder.path().join("gone");
    assert_eq!(
        failure(&folder, run(&lost)),
        "the command's working folder `~/gone` is not there"
    );
}

#[test]
fn a_program_beside_the_pipeline_is_found_from_there() {
    let folder = TempDir::new().unwrap();
    let script = "#!/bin/sh\nprintf 'a\n1\n' > $UNDERSTUDY_OUTPUT/a.csv\n";
    fs::write(folder.path().join("run.sh"), script).unwrap();
    fs::set_permissions(
        folder.path().join("run.sh"),
        fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    assert_eq!(run(&task(folder.path(), &["./run.sh"])).unwrap().rows, 1);
}

#[test]
fn two_inputs_of_one_variable_are_refused() {
    let folder = TempDir::new().unwrap();
    let mut task = task(folder.path(), &["true"]);
    task.input_dirs
        .push(("my_input".to_owned(), folder.path().to_owned()));
    let expected = "input `my_input` has the variable `UNDERSTUDY_INPUT_MY_INPUT`, which another input has as well; rename one of them";
    assert_eq!(failure(&folder, run(&task)), expected);
}

#[test]
fn a_dropped_call_ends_the_program() {
    let folder = TempDir::new().unwrap();
    let task = task(
        folder.path(),
        &["sh", "-c", "echo $$ > pid; exec sleep 600"],
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let pid_file = folder.path().join("pid");
    runtime.block_on(async {
        let call = tokio::spawn(async move { run_command(&task).await.map(drop) });
        while fs::read_to_string(&pid_file)
            .is_ok_and(|pid| pid.ends_with('\n'))
            .eq(&false)
        {
            tokio::task::yield_now().await;
        }
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
    });
    let pid: i32 = fs::read_to_string(&pid_file)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    drop(runtime);
    let alive =
        || nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None).is_ok() && !is_zombie(pid);
    while alive() {
        std::thread::yield_now();
    }
}

fn is_zombie(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z"))
}

#[test]
fn a_program_is_started_through_a_launcher_with_the_variables_that_it_is_given() {
    let folder = TempDir::new().unwrap();
    let mut task = task(
        folder.path(),
        &[
            "sh",
            "-c",
            "printf 'id,said\n1,%s\n' \"$GREETING\" > $UNDERSTUDY_OUTPUT/a.csv; echo $GREETING",
        ],
    );
    task.start.launcher = vec!["env".into(), "GREETING=hello".into()];
    run(&task).unwrap();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(read("out/raw/a.csv"), "id,said\n1,hello\n");
    task.start = Start {
        variables: [("GREETING".to_owned(), "good morning".to_owned())].into(),
        secrets: understudy_core::secret::Secrets::new([("GREETING", "good morning")]),
        ..Start::default()
    };
    fs::remove_dir_all(folder.path().join("out")).unwrap();
    run(&task).unwrap();
    assert_eq!(read("out/raw/a.csv"), "id,said\n1,good morning\n");
    assert_eq!(read("stdout"), "hello\n<secret GREETING>\n");
}

#[test]
fn a_program_that_is_nowhere_is_told_of_through_a_launcher_too() {
    let folder = TempDir::new().unwrap();
    for (program, expected) in [
        (
            "no-such-program",
            "program `no-such-program` is not found; it is in no folder of `PATH`",
        ),
        (
            "./gone.sh",
            "program `./gone.sh` is not found; it was looked for from `~`",
        ),
    ] {
        let mut task = task(folder.path(), &[program]);
        task.start.launcher = vec!["env".into()];
        let result = run(&task);
        assert_eq!(failure(&folder, result), expected);
    }
}
