use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Int8Type, Schema};
use tempfile::TempDir;
use understudy_core::spec::Param;
use understudy_tables::{CsvFile, ParquetFile, TableSource, pin};

use super::{Joins, SqlTask, plan_sql, run_sql};
use crate::{TaskError, TaskInput, TaskOutput};

const MEGABYTE: u64 = 1 << 20;

/// 2013-07-04T12:30:00Z.
const NOW_NANOS: i64 = 1_372_941_000_000_000_000;

fn task(folder: &Path, sql: &str, params: &[(&str, Param)]) -> SqlTask {
    SqlTask {
        sql: sql.to_owned(),
        params: params
            .iter()
            .map(|(name, param)| ((*name).to_owned(), param.clone()))
            .collect(),
        run_date: "2013-07-03".parse().unwrap(),
        now_nanos: NOW_NANOS,
        threads: 2,
        memory_bytes: 100 * MEGABYTE,
        temp_dir: folder.join("temp"),
        joins: Joins::InMemory,
    }
}

/// The input of that name, whose files are at a location of that name.
fn input(folder: &Path, name: &str, location: &str) -> TaskInput {
    let snapshot = pin(name, location, folder).unwrap();
    let source = TableSource {
        base: folder.to_owned(),
        snapshot,
        types: BTreeMap::new(),
    };
    let schema = source.schema().unwrap();
    TaskInput {
        name: name.to_owned(),
        source,
        schema,
    }
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (file, text) in files {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn write_parquet(path: &Path, columns: &[(&str, ArrayRef)]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns
            .iter()
            .map(|(name, array)| (*name, array.clone(), true)),
    );
    let mut file = ParquetFile::create(path, &batch.as_ref().unwrap().schema()).unwrap();
    file.write(&batch.unwrap()).unwrap();
    file.finish().unwrap();
}

fn run(task: &SqlTask, inputs: &[TaskInput], output: &Path) -> Result<TaskOutput, TaskError> {
    fs::create_dir_all(&task.temp_dir).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run_sql(task, inputs, output))
}

fn plan(task: &SqlTask, inputs: &[TaskInput]) -> Result<Schema, TaskError> {
    fs::create_dir_all(&task.temp_dir).unwrap();
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(plan_sql(task, inputs))
}

/// An output as CSV.
fn text(output: &TaskOutput, folder: &Path) -> String {
    let parent = output.parquet.parent().unwrap();
    let written = input(parent, "output", "data.parquet");
    let path = folder.join(format!("{}.csv", fs::read_dir(folder).unwrap().count()));
    let mut file = CsvFile::create(&path, &written.schema).unwrap();
    let mut rows = 0;
    for batch in written.source.read(&written.schema, None, 100).unwrap() {
        let batch = batch.unwrap();
        rows += batch.num_rows() as u64;
        file.write(&batch).unwrap();
    }
    file.finish().unwrap();
    assert_eq!((rows, &output.schema), (output.rows, &written.schema));
    fs::read_to_string(path).unwrap()
}

/// Two tables, `t` and `u`.
fn tables() -> TempDir {
    let folder = TempDir::new().unwrap();
    write(
        folder.path(),
        &[
            ("t.csv", "id,name,price\n1,a,1.5\n2,,2.5\n3,\"\",\n"),
            ("u/k=1/x.csv", "id\n1\n"),
            ("u/k=2/x.csv", "id\n2\n"),
        ],
    );
    folder
}

fn answer(sql: &str, params: &[(&str, Param)]) -> String {
    let folder = tables();
    let inputs = [
        input(folder.path(), "t", "t.csv"),
        input(folder.path(), "u", "u"),
    ];
    let task = task(folder.path(), sql, params);
    let planned = plan(&task, &inputs);
    let ran = run(&task, &inputs, &folder.path().join("out"));
    match (planned, ran) {
        (Ok(schema), Ok(output)) => {
            assert_eq!(&schema, output.schema.as_ref(), "{sql}");
            text(&output, folder.path())
        }
        (Err(planned), Err(ran)) => {
            assert_eq!(planned.to_string(), ran.to_string(), "{sql}");
            ran.to_string()
        }
        (Ok(_), Err(error)) => format!("while running: {error}"),
        (Err(error), Ok(_)) => panic!("it ran, but could not be planned: {error}"),
    }
}

fn check(sql: &str, expected: &str) {
    assert_eq!(answer(sql, &[]), expected, "{sql}");
}

#[test]
fn a_query_over_its_inputs() {
    check(
        "SELECT * FROM t ORDER BY id",
        "id,name,price\n1,a,1.5\n2,,2.5\n3,\"\",\n",
    );
    check(
        "SELECT t.id, k FROM t JOIN u ON t.id = u.id ORDER BY 1",
        "id,k\n1,1\n2,2\n",
    );
    check(
        "SELECT count(*) AS n, sum(price) AS s FROM T",
        "n,s\n3,4.0\n",
    );
    check(
        "WITH x AS (SELECT id FROM t WHERE id > 1) SELECT count(*) AS n FROM x;",
        "n\n2\n",
    );
    check("SELECT k FROM u WHERE k = 2", "k\n2\n");
    check("SELECT id FROM t WHERE id > 7", "id\n");
    check(
        "SELECT value AS v FROM generate_series(1, 3) ORDER BY v",
        "v\n1\n2\n3\n",
    );
    check(
        "SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.id = t.id) ORDER BY id LIMIT 1",
        "id\n1\n",
    );
}

#[test]
fn only_one_select_is_allowed() {
    let select = "a SQL version is one SELECT query";
    check("", &format!("the file has no query; {select}"));
    check("-- nothing\n", &format!("the file has no query; {select}"));
    let several = format!("2 statements; {select} (with `WITH`, a query can have several steps)");
    check("SELECT 1 AS a; SELECT 2 AS b", &several);
    check("SELECT 1 AS a; DROP TABLE t", &several);
    let refused = [
        ("CREATE TABLE x AS SELECT 1", "CREATE"),
        (
            "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'",
            "CREATE",
        ),
        ("CREATE VIEW x AS SELECT 1", "CREATE"),
        ("DROP TABLE t", "DROP"),
        ("INSERT INTO t VALUES (1)", "INSERT"),
        ("UPDATE t SET id = 1", "UPDATE"),
        ("DELETE FROM t", "DELETE"),
        ("COPY t TO '/tmp/x.csv'", "COPY"),
        ("COPY (SELECT 1) TO '/tmp/x.csv'", "COPY"),
        ("SET datafusion.execution.batch_size = 1", "SET"),
        ("RESET datafusion.execution.batch_size", "RESET"),
        ("SHOW TABLES", "SHOW"),
        ("EXPLAIN SELECT 1", "EXPLAIN"),
        ("EXPLAIN ANALYZE SELECT 1", "EXPLAIN"),
        ("PREPARE p AS SELECT 1", "PREPARE"),
        ("BEGIN", "BEGIN"),
    ];
    for (sql, word) in refused {
        check(sql, &format!("`{word}` is not allowed; {select}"));
    }
}

#[test]
fn nothing_but_the_inputs_is_there() {
    let inputs = "There are: t, u";
    check(
        "SELECT * FROM tt",
        &format!("`tt` is no input of this task; did you mean `t`? {inputs}"),
    );
    check(
        "SELECT * FROM somewhere",
        "`somewhere` is no input of this task; there are: t, u",
    );
    for table in [
        "information_schema.tables",
        "'/etc/passwd'",
        "\"t.csv\"",
        "datafusion.public.t",
        "public.t",
        "\"T\"",
    ] {
        let error = answer(&format!("SELECT * FROM {table}"), &[]);
        assert!(
            error.contains("is no input of this task"),
            "{table}: {error}"
        );
    }
    let hidden = answer(
        "SELECT (SELECT count(*) FROM information_schema.tables) AS n",
        &[],
    );
    assert!(hidden.contains("is no input"), "{hidden}");
    let function = answer("SELECT * FROM read_csv('/etc/passwd')", &[]);
    assert!(function.contains("read_csv"), "{function}");
}

#[test]
fn parameters_are_typed_values() {
    let check = |sql: &str, params: &[(&str, Param)], expected: &str| {
        assert_eq!(answer(sql, params), expected, "{sql}");
    };
    check("SELECT $run_date AS d", &[], "d\n2013-07-03\n");
    check(
        "SELECT $run_date - INTERVAL '1 day' AS d",
        &[],
        "d\n2013-07-02\n",
    );
    let least = [("least", Param::Integer(2))];
    check(
        "SELECT id FROM t WHERE id >= $least ORDER BY id",
        &least,
        "id\n2\n3\n",
    );
    check(
        "SELECT id + $least AS x FROM t ORDER BY $least, x",
        &least,
        "x\n3\n4\n5\n",
    );
    check(
        "SELECT id FROM t ORDER BY id LIMIT $least",
        &least,
        "id\n1\n2\n",
    );
    check(
        "SELECT $f * 2 AS f",
        &[("f", Param::Float(0.1))],
        "f\n0.2\n",
    );
    check(
        "SELECT $f AS f",
        &[("f", Param::Float(1e300))],
        "f\n1e+300\n",
    );
    check(
        "SELECT $b AS b",
        &[("b", Param::Boolean(true))],
        "b\ntrue\n",
    );
    let text = [("x", Param::Text("' OR 1 = 1 --".into()))];
    check(
        "SELECT count(*) AS n FROM t WHERE name = $x",
        &text,
        "n\n0\n",
    );
    check(
        "SELECT $x AS x, '$x' AS y",
        &text,
        "x,y\n' OR 1 = 1 --,$x\n",
    );
}

#[test]
fn parameters_must_match_the_query() {
    let given = [("least", Param::Integer(2))];
    let unknown = "`$leest` is no parameter of this version; did you mean `$least`? There are: $least, $run_date";
    assert_eq!(answer("SELECT $leest AS x", &given), unknown);
    let unused = "parameter `least` is given and not used; write `$least` in the query or remove it from `params`";
    assert_eq!(answer("SELECT 1 AS x", &given), unused);
    let reserved = "`run_date` cannot be a parameter: `$run_date` is the run date";
    assert_eq!(
        answer("SELECT $run_date AS x", &[("run_date", Param::Integer(1))]),
        reserved
    );
    assert!(
        answer("SELECT ? AS x", &given).starts_with("`?` is no parameter"),
        "positional"
    );
}

#[test]
fn now_is_the_pinned_instant() {
    check("SELECT now() AS n", "n\n2013-07-04T12:30:00.000000000Z\n");
    check(
        "SELECT current_timestamp AS n",
        "n\n2013-07-04T12:30:00.000000000Z\n",
    );
    check(
        "SELECT current_date AS d, current_time AS t",
        "d,t\n2013-07-04,12:30:00\n",
    );
    check(
        "SELECT id, now() AS n FROM t WHERE now() > TIMESTAMP '2013-07-04T00:00:00Z' LIMIT 0",
        "id,n\n",
    );
}

#[test]
fn a_wrong_query_is_explained() {
    let columns = "There are: t.id, t.name, t.price";
    check(
        "SELECT\n  prize FROM t",
        &format!("line 2, column 3: no column `prize`; did you mean `t.price`? {columns}"),
    );
    check(
        "SELECT t.id, u.id FROM t JOIN u ON t.id = u.id",
        "the output has two columns `id`; give each its own name",
    );
    check("SELECT 1 AS a, 2 AS a", TWICE_A);
    check(
        "SELEC 1",
        "line 1, column 1: Expected: an SQL statement, found: SELEC",
    );
    check("SELECT 'a", "line 1, column 8: Unterminated string literal");
    check(
        "SELECT sum(id) FROM t GROUP",
        "line 1, column 23: Expected: end of statement, found: GROUP",
    );
    check(
        "SELECT summ(id) FROM t",
        "line 1, column 8: no function `summ`; did you mean `sum`?",
    );
    check(
        "SELECT nonsense(id) FROM t",
        "line 1, column 8: no function `nonsense`",
    );
    check(
        "SELECT foo.id FROM t",
        "line 1, column 8: no column `foo.id`; did you mean `t.id`? There are: t.id, t.name, t.price",
    );
    let capitals = "line 1, column 8: no column `id`; did you mean `\"Id\"`? There are: \"Id\"";
    check("SELECT Id FROM (SELECT id AS \"Id\" FROM t)", capitals);
    check(
        "SELECT id FROM t, u",
        "line 1, column 8: Ambiguous reference to unqualified field id",
    );
    check(
        "SELECT name + 1 AS x FROM t",
        "line 1, column 8: Cannot coerce arithmetic expression Utf8 + Int64 to valid types",
    );
    let arguments = answer("SELECT date_part(1) AS x", &[]);
    assert!(
        arguments.starts_with(
            "No function matches the given name and argument types 'date_part(Int64)'."
        ),
        "{arguments}"
    );
    check(
        "SELECT 1 AS x INTO y",
        "`SELECT INTO` is not allowed; a SQL version is one SELECT query",
    );
}

const TWICE_A: &str = "Projections require unique expression names but the expression \"Int64(1) AS a\" at position 0 \
                       and \"Int64(2) AS a\" at position 1 have the same name. Consider aliasing (\"AS\") one of them.";

#[test]
fn a_query_that_fails_says_why() {
    check(
        "SELECT 1 / (id - id) AS x FROM t",
        "while running: the query failed: Divide by zero error",
    );
    check(
        "SELECT CAST(name AS BIGINT) AS x FROM t",
        "while running: the query failed: Cast error: Cannot cast string 'a' to value of Int64 type",
    );
}

#[test]
fn zones_are_known() {
    let local = |instant: &str, zone: &str, expected: &str| {
        let sql = format!(
            "SELECT to_local_time(CAST('{instant}' AS TIMESTAMPTZ) AT TIME ZONE '{zone}') AS local"
        );
        check(&sql, &format!("local\n{expected}.000000000\n"));
    };
    local(
        "2013-07-04T12:00:00Z",
        "America/New_York",
        "2013-07-04T08:00:00",
    );
    local(
        "2013-01-04T12:00:00Z",
        "America/New_York",
        "2013-01-04T07:00:00",
    );
    local(
        "2013-07-04T12:00:00Z",
        "America/Phoenix",
        "2013-07-04T05:00:00",
    );
    local(
        "2013-03-10T06:59:59Z",
        "America/New_York",
        "2013-03-10T01:59:59",
    );
    local(
        "2013-03-10T07:00:00Z",
        "America/New_York",
        "2013-03-10T03:00:00",
    );
    // A clock reading becomes the instant at which that zone's clocks showed it.
    check(
        "SELECT TIMESTAMP '2013-07-04T08:00:00' AT TIME ZONE 'America/New_York' AS t",
        "t\n2013-07-04T12:00:00.000000000Z\n",
    );
}

#[test]
fn parquet_with_partitions_and_dictionaries() {
    let folder = TempDir::new().unwrap();
    let names: DictionaryArray<Int8Type> = vec![Some("x"), None, Some("y")].into_iter().collect();
    let columns: [(&str, ArrayRef); 2] = [
        ("n", Arc::new(names)),
        ("i", Arc::new(Int64Array::from(vec![1, 2, 3]))),
    ];
    write_parquet(
        &folder.path().join("p/day=2013-01-01/a b.parquet"),
        &columns,
    );
    write_parquet(
        &folder
            .path()
            .join("p/day=__HIVE_DEFAULT_PARTITION__/é.parquet"),
        &columns,
    );
    let inputs = [input(folder.path(), "p", "p")];
    let check = |sql: &str, expected: &str| {
        let output = folder.path().join(format!(
            "out{}",
            fs::read_dir(folder.path()).unwrap().count()
        ));
        let output = run(&task(folder.path(), sql, &[]), &inputs, &output).unwrap();
        assert_eq!(text(&output, folder.path()), expected, "{sql}");
    };
    check(
        "SELECT day, n, i FROM p WHERE i < 3 ORDER BY day, i",
        "day,n,i\n2013-01-01,x,1\n2013-01-01,,2\n,x,1\n,,2\n",
    );
    check(
        "SELECT i FROM p WHERE day = DATE '2013-01-01' AND i = 2",
        "i\n2\n",
    );
    check("SELECT count(*) AS n FROM p", "n\n6\n");
    check("SELECT count(*) AS n FROM p WHERE day IS NULL", "n\n3\n");
    check(
        "SELECT n, count(*) AS c FROM p GROUP BY n ORDER BY n",
        "n,c\nx,2\ny,2\n,2\n",
    );
}

#[test]
fn the_output_is_plain() {
    let folder = TempDir::new().unwrap();
    let names: DictionaryArray<Int8Type> = vec![Some("x"), None].into_iter().collect();
    write_parquet(&folder.path().join("p.parquet"), &[("n", Arc::new(names))]);
    let sql = "SELECT n, arrow_cast('v', 'Utf8View') AS v, arrow_cast('w', 'LargeUtf8') AS w, make_array(arrow_cast('v', 'Utf8View')) AS l, 1 AS i FROM p";
    let schema = plan(
        &task(folder.path(), sql, &[]),
        &[input(folder.path(), "p", "p.parquet")],
    )
    .unwrap();
    let types: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| format!("{} {}", field.data_type(), field.is_nullable()))
        .collect();
    assert_eq!(
        types,
        [
            "Utf8 true",
            "Utf8 true",
            "Utf8 true",
            "List(Utf8) true",
            "Int64 true"
        ]
    );
}

#[test]
fn one_thread_gives_the_same_bytes() {
    let folder = TempDir::new().unwrap();
    let floats: String = (0..20_000)
        .map(|row| format!("{},{}\n", row % 7, f64::from(row) * 0.1))
        .collect();
    write(folder.path(), &[("t.csv", &format!("k,x\n{floats}"))]);
    let inputs = [input(folder.path(), "t", "t.csv")];
    let mut task = task(
        folder.path(),
        "SELECT k, sum(x) AS s, avg(x) AS a FROM t GROUP BY k",
        &[],
    );
    task.threads = 1;
    let bytes: Vec<_> = (0..3)
        .map(|attempt| {
            let output = run(&task, &inputs, &folder.path().join(format!("out{attempt}"))).unwrap();
            fs::read(output.parquet).unwrap()
        })
        .collect();
    assert_eq!(bytes[0], bytes[1]);
    assert_eq!(bytes[0], bytes[2]);
}

#[test]
fn a_sort_spills_and_a_join_says_that_memory_is_short() {
    let folder = TempDir::new().unwrap();
    let rows = 200_000;
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(
        (0..rows).map(|row| (row * 7919) % rows),
    ));
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values(
        (0..rows).map(|row| format!("{row:040}")),
    ));
    write_parquet(
        &folder.path().join("p.parquet"),
        &[("id", ids), ("x", texts)],
    );
    let inputs = [input(folder.path(), "p", "p.parquet")];
    let mut task = task(folder.path(), "SELECT id, x FROM p ORDER BY id", &[]);
    task.memory_bytes = 6 * MEGABYTE;
    let output = run(&task, &inputs, &folder.path().join("sorted")).unwrap();
    assert_eq!(output.rows, 200_000);
    task.sql = "SELECT a.id, b.x FROM p AS a JOIN p AS b ON a.x = b.x".to_owned();
    let error = run(&task, &inputs, &folder.path().join("joined"))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("the query needs more memory than its limit; raise `limits: memory`"),
        "{error}"
    );
}

#[test]
fn a_damaged_csv_is_named() {
    let folder = tables();
    let mut inputs = [
        input(folder.path(), "t", "t.csv"),
        input(folder.path(), "u", "u"),
    ];
    fs::write(folder.path().join("t.csv"), "id,name,price\n1,,\n2,3\n").unwrap();
    inputs[0].source.snapshot = pin("t", "t.csv", folder.path()).unwrap();
    let task = task(
        folder.path(),
        "SELECT t.id FROM t JOIN u ON t.id = u.id",
        &[],
    );
    let error = run(&task, &inputs, &folder.path().join("out")).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("t.csv`, line 3: 2 fields where the header has 3"),
        "{error}"
    );
}

#[test]
fn damaged_parquet_is_named_and_stops_nothing_else() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("p.parquet");
    let stamps = TimestampMicrosecondArray::from_iter_values((0..1000).map(|row| row * row));
    write_parquet(&path, &[("at", Arc::new(stamps))]);
    let whole_input = input(folder.path(), "p", "p.parquet");
    let task = task(folder.path(), "SELECT at FROM p", &[]);
    let whole = fs::read(&path).unwrap();
    let mut failures = 0;
    for position in (0..whole.len()).step_by(whole.len() / 40) {
        let mut bytes = whole.clone();
        bytes[position..]
            .iter_mut()
            .take(8)
            .for_each(|byte| *byte ^= 0xff);
        fs::write(&path, bytes).unwrap();
        let mut inputs = [whole_input.clone()];
        inputs[0].source.snapshot = pin("p", "p.parquet", folder.path()).unwrap();
        if let Err(error) = run(
            &task,
            &inputs,
            &folder.path().join(format!("out{position}")),
        ) {
            assert!(
                error
                    .to_string()
                    .contains("p.parquet` cannot be read as Parquet"),
                "{position}: {error}"
            );
            failures += 1;
        }
    }
    // Not every byte is checked by the format: damaged numbers are numbers as well.
    assert!(failures > 5, "{failures}");
}

#[test]
fn a_file_that_was_replaced_since_it_was_pinned_is_not_read() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("p.parquet");
    let write = |value| write_parquet(&path, &[("a", Arc::new(Int64Array::from(vec![value])))]);
    write(1);
    let inputs = [input(folder.path(), "p", "p.parquet")];
    let task = task(folder.path(), "SELECT a FROM p", &[]);
    run(&task, &inputs, &folder.path().join("before")).unwrap();
    fs::remove_file(&path).unwrap();
    write(2);
    let error = run(&task, &inputs, &folder.path().join("after")).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("p.parquet` was changed (same length, other bytes) since it was pinned"),
        "{error}"
    );
}

#[test]
fn what_stands_inside_a_query_is_a_query() {
    let select = "a SQL version is one SELECT query";
    for (sql, word) in [
        (
            "WITH x AS (SELECT 1 AS a) INSERT INTO t SELECT a, 'b', 1.0 FROM x",
            "INSERT",
        ),
        ("WITH x AS (SELECT 1) DELETE FROM t", "DELETE"),
        ("WITH x AS (SELECT 1) UPDATE t SET id = 2", "UPDATE"),
        (
            "WITH x AS (INSERT INTO t VALUES (1, 'a', 1)) SELECT 1 AS a",
            "INSERT",
        ),
        ("SELECT id INTO made FROM t", "SELECT INTO"),
        (
            "SELECT a FROM (SELECT id AS a INTO made FROM t)",
            "SELECT INTO",
        ),
    ] {
        let answer = answer(sql, &[]);
        let refused = answer == format!("`{word}` is not allowed; {select}");
        assert!(refused || answer.starts_with("line "), "{sql}: {answer}");
    }
    check(
        "WITH x AS (SELECT 1 AS a) INSERT INTO t SELECT a, 'b', 1.0 FROM x",
        &format!("`INSERT` is not allowed; {select}"),
    );
    check(
        "SELECT id INTO made FROM t",
        &format!("`SELECT INTO` is not allowed; {select}"),
    );
}

/// A new release of the engine may bring functions that reach files, the network or the environment: each of them is
/// looked at before it comes in here.
#[test]
fn the_functions_are_those_that_were_looked_at() {
    let folder = TempDir::new().unwrap();
    fs::create_dir_all(folder.path().join("temp")).unwrap();
    let state = super::session::state(&task(folder.path(), "", &[]), &[]).unwrap();
    let kinds = [
        (
            "scalar",
            state.scalar_functions().keys().collect::<Vec<_>>(),
        ),
        (
            "of functions",
            state.higher_order_functions().keys().collect(),
        ),
        ("aggregate", state.aggregate_functions().keys().collect()),
        ("window", state.window_functions().keys().collect()),
        ("table", state.table_functions().keys().collect()),
    ];
    let mut text = String::new();
    for (kind, mut names) in kinds {
        names.sort();
        names
            .iter()
            .for_each(|name| text += &format!("{kind} {name}\n"));
    }
    assert_eq!(text, include_str!("tests/functions.txt"));
}
