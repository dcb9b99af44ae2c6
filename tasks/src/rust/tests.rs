//! Rust tasks called as a worker calls them.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use tempfile::TempDir;
use understudy_core::spec::Param;
use understudy_tables::{TableSource, pin};

use super::{Call, Registry, RustTask, run_rust};
use crate::{TaskError, TaskInput, TaskOutput};

type Ended = Result<(), Box<dyn Error + Send + Sync>>;

/// Multiplies a column by a parameter.
fn times(call: &mut Call<'_>) -> Ended {
    let Some(Param::Integer(factor)) = call.param("factor").cloned() else {
        return Err("`factor` must be a whole number".into());
    };
    for batch in call.input("t")?.batches()? {
        let batch = batch?;
        let values = batch.column(0).as_primitive::<Int64Type>();
        let values: Int64Array = values
            .iter()
            .map(|value| value.map(|value| value * factor))
            .collect();
        call.write(&RecordBatch::try_new(
            batch.schema(),
            vec![Arc::new(values)],
        )?)?;
    }
    Ok(())
}

fn ended(name: &str, params: &[(&str, Param)]) -> Result<TaskOutput, TaskError> {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("t.csv"), "n\n1\n2\n\n").unwrap();
    let registry = Registry::new()
        .task("times", times)
        .task("panics", |_: &mut Call<'_>| -> Ended {
            panic!("no {}", "way")
        })
        .task("silent", |_: &mut Call<'_>| Ok(()))
        .task("nosy", |call: &mut Call<'_>| {
            call.input("u")?;
            Ok(())
        })
        .task("empty", |call: &mut Call<'_>| {
            Ok(call.columns(&Schema::new(vec![Field::new("n", DataType::Int64, true)]))?)
        });
    let task = RustTask {
        name: name.to_owned(),
        params: params
            .iter()
            .map(|(name, param)| ((*name).to_owned(), param.clone()))
            .collect(),
        run_date: "2013-07-03".parse().unwrap(),
        now_nanos: 0,
        threads: 1,
        memory_bytes: 1 << 20,
    };
    run_rust(
        &task,
        &registry,
        &[input(folder.path())],
        &folder.path().join("out"),
        folder.path(),
    )
}

fn input(folder: &Path) -> TaskInput {
    let source = TableSource {
        base: folder.to_owned(),
        snapshot: pin("t", "t.csv", folder).unwrap(),
        types: BTreeMap::new(),
    };
    TaskInput {
        name: "t".to_owned(),
        schema: source.schema().unwrap(),
        source,
    }
}

fn error(name: &str, params: &[(&str, Param)]) -> String {
    let error = ended(name, params).unwrap_err();
    chain(&error)
}

#[test]
fn a_task_reads_its_inputs_and_writes_its_output() {
    let output = ended("times", &[("factor", Param::Integer(3))]).unwrap();
    assert_eq!(output.rows, 3);
    assert_eq!(output.schema.field(0).name(), "n");
}

#[test]
fn a_task_without_rows_says_its_columns() {
    assert_eq!(ended("empty", &[]).unwrap().rows, 0);
    assert_eq!(
        error("silent", &[]),
        "the Rust task `silent` wrote no batch; one without rows must still call `Call::columns`"
    );
}

#[test]
fn what_goes_wrong_is_the_tasks_own_fault() {
    assert_eq!(
        error("times", &[]),
        "the Rust task `times` failed: `factor` must be a whole number"
    );
    assert_eq!(
        error("panics", &[]),
        "the Rust task `panics` panicked: no way"
    );
    assert_eq!(
        error("nosy", &[]),
        "the Rust task `nosy` failed: there is no input `u`; the inputs are: t"
    );
    assert_eq!(
        error("gone", &[]),
        "this program has no Rust task `gone`; it has: empty, nosy, panics, silent, times"
    );
}

#[test]
#[should_panic(expected = "two tasks are registered as `a`")]
fn a_name_stands_for_one_task() {
    let _ = Registry::new().task("a", times).task("a", times);
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
