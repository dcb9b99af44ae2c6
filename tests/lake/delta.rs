//! Delta tables as inputs: what is read is the newest version, whatever else lies in the folder.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{
    ArrayRef, Int64Array, Int64Builder, ListArray, MapBuilder, RecordBatch, StringArray,
    StringBuilder,
};
use arrow::datatypes::Int64Type;
use serde_json::{Value, json};
use understudy_tables::ParquetFile;

use crate::playground::{DATE, Ended, Playground};

/// The protocol of a table without features of its own.
const PLAIN: &str = r#"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}"#;
/// Rows 3, 4, 7, 11, 18 and 29 of a file are deleted: a deletion vector of 44 bytes, which is a magic number and a roaring
/// bitmap, in Z85 as the Delta protocol wants it in the log.
const DELETED: &str = r#"^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L"#;

const PIPELINE: &str = "\
pipeline: lake
datasets:
  orders: { location: LOCATION }
tasks:
  copy:
    inputs: [orders]
    output: { location: live/copy, grain: [id] }
    live: v1
    versions:
      v1: { sql: copy.sql }
      v2: { command: [sh, copy.sh], inputs: csv }
changes:
  better:
    new: { copy: v2 }
";

/// A Delta table that is written by hand, commit by commit.
pub(crate) struct Lake<'a> {
    playground: &'a Playground,
    folder: &'a str,
}

impl<'a> Lake<'a> {
    pub(crate) fn new(playground: &'a Playground, folder: &'a str) -> Self {
        fs::create_dir_all(playground.path(folder).join("_delta_log")).unwrap();
        Self { playground, folder }
    }

    pub(crate) fn commit(&self, version: u64, actions: &[Value]) {
        let lines: Vec<String> = actions.iter().map(Value::to_string).collect();
        let name = format!("{}/_delta_log/{version:020}.json", self.folder);
        self.playground.write(&name, &(lines.join("\n") + "\n"));
    }

    /// Writes a file of the table, and says what adds it.
    pub(crate) fn file(&self, name: &str, columns: &[(&str, ArrayRef)]) -> Value {
        let path = self.playground.path(self.folder).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let columns = columns
            .iter()
            .map(|(name, column)| (*name, column.clone(), true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        let mut file = ParquetFile::create(&path, &batch.schema()).unwrap();
        file.write(&batch).unwrap();
        file.finish().unwrap();
        json!({"add": {
            "path": name, "partitionValues": {}, "size": fs::metadata(&path).unwrap().len(),
            "modificationTime": 1_760_000_000_000_u64, "dataChange": true,
        }})
    }
}

pub(crate) fn ids(ids: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(ids))
}

fn names(names: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(names.to_vec()))
}

/// What a table is: its columns, each with the type that Delta calls it, and those of them that make folders.
pub(crate) fn metadata(columns: &[(&str, &str)], partitions: &[&str]) -> Value {
    let fields: Vec<Value> = columns
        .iter()
        .map(|(name, kind)| json!({"name": name, "type": kind, "nullable": true, "metadata": {}}))
        .collect();
    json!({"metaData": {
        "id": "7c2a4f0e-0f3c-4f5b-9d8e-2a1b3c4d5e6f",
        "format": {"provider": "parquet", "options": {}},
        "schemaString": json!({"type": "struct", "fields": fields}).to_string(),
        "partitionColumns": partitions, "configuration": {}, "createdTime": 1_760_000_000_000_u64,
    }})
}

pub(crate) fn plain() -> Value {
    serde_json::from_str(PLAIN).unwrap()
}

fn remove(name: &str) -> Value {
    json!({"remove": {"path": name, "deletionTimestamp": 1_760_000_000_001_u64, "dataChange": true}})
}

fn pipeline(location: &str, columns: &str) -> Playground {
    Playground::of(&[
        ("understudy.yaml", &PIPELINE.replace("LOCATION", location)),
        ("copy.sql", &format!("SELECT {columns} FROM orders")),
        (
            "copy.sh",
            "cat \"$UNDERSTUDY_INPUT_ORDERS\"/*.csv > \"$UNDERSTUDY_OUTPUT/rows.csv\"\n",
        ),
    ])
}

/// A table of two versions; the second one replaced a file and added a column.
fn two_versions(playground: &Playground, folder: &str) {
    let lake = Lake::new(playground, folder);
    lake.commit(
        0,
        &[
            plain(),
            metadata(&[("id", "long")], &[]),
            lake.file("first.parquet", &[("id", ids([1, 2]))]),
            lake.file("second.parquet", &[("id", ids([3]))]),
        ],
    );
    lake.commit(
        1,
        &[
            metadata(&[("id", "long"), ("name", "string")], &[]),
            remove("first.parquet"),
            lake.file(
                "third.parquet",
                &[("id", ids([4, 5])), ("name", names(&[Some("Zoë"), None]))],
            ),
        ],
    );
}

fn run_record(playground: &Playground, ended: &Ended) -> Value {
    let run = ended.json()["run"].as_str().unwrap().to_owned();
    let text = playground.read(&format!("store/runs/{run}/run.json"));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_rows_of_the_newest_version_are_read_by_both_sides() {
    let playground = pipeline("lake/orders", "id, name");
    two_versions(&playground, "lake/orders");
    let ended = playground.run(&["--strict"]).expect(0);
    assert_eq!(ended.verdict("copy"), "identical");
    let rows = playground.rows("copy");
    assert_eq!(rows, "id,name\n4,Zoë\n5,NULL\n3,NULL\n");
    let pinned = &run_record(&playground, &ended)["inputs"]["tables"]["orders"]["there"];
    assert_eq!(pinned["delta_version"], 1, "{pinned}");
    // The next commit is another input.
    let again = playground.run(&["--strict"]).expect(0);
    assert_eq!(again.json()["live"]["status"], "already_published");
    let lake = Lake::new(&playground, "lake/orders");
    lake.commit(2, &[remove("third.parquet")]);
    let ended = playground.run(&["--shadow"]);
    let pinned = &run_record(&playground, &ended)["inputs"]["tables"]["orders"]["there"];
    assert_eq!(pinned["delta_version"], 2, "{pinned}");
}

#[test]
fn copies_that_no_run_asks_for_are_removed_after_a_week() {
    let playground = pipeline("lake/orders", "id, name");
    two_versions(&playground, "lake/orders");
    playground.run(&[]).expect(0);
    let copies = playground.path("store/fetched");
    let used = fs::read_dir(&copies).unwrap().next().unwrap().unwrap();
    let old = [8, 6].map(|days| copies.join(format!("{days} days")));
    let set_back = |folder: &Path, days: u64| {
        let file = File::open(folder).unwrap();
        let written = file.metadata().unwrap().modified().unwrap();
        let long_ago = written - Duration::from_secs(days * 86_400);
        file.set_modified(long_ago).unwrap();
    };
    for (folder, days) in old.iter().zip([8, 6]) {
        fs::create_dir(folder).unwrap();
        set_back(folder, days);
    }
    // A run that reads what is there asks for it, and looks no further.
    set_back(&used.path(), 8);
    playground.run(&[]).expect(0);
    assert!(old[0].exists());
    // One that copies removes what nobody asked for.
    Lake::new(&playground, "lake/orders").commit(2, &[remove("third.parquet")]);
    playground.run(&["--shadow"]);
    assert!(!old[0].exists() && old[1].exists() && used.path().exists());
}

#[test]
fn rows_that_a_deletion_vector_names_are_gone() {
    let playground = pipeline("lake/orders", "id");
    let lake = Lake::new(&playground, "lake/orders");
    let mut file = lake.file("all.parquet", &[("id", ids(0..40))]);
    file["add"]["deletionVector"] = json!({
        "storageType": "i", "pathOrInlineDv": DELETED, "sizeInBytes": 44, "cardinality": 6,
    });
    let protocol = json!({"protocol": {
        "minReaderVersion": 3, "minWriterVersion": 7,
        "readerFeatures": ["deletionVectors"], "writerFeatures": ["deletionVectors"],
    }});
    lake.commit(0, &[protocol, metadata(&[("id", "long")], &[]), file]);
    playground.run(&["--strict"]).expect(0);
    let deleted = [3, 4, 7, 11, 18, 29];
    let left: Vec<String> = (0..40)
        .filter(|id| !deleted.contains(id))
        .map(|id| id.to_string())
        .collect();
    assert_eq!(
        playground.rows("copy"),
        format!("id\n{}\n", left.join("\n"))
    );
}

#[test]
fn partitions_are_what_the_log_says_and_columns_are_where_it_says() {
    let playground = pipeline("lake/orders", "id, day, \"Name of it\"");
    let lake = Lake::new(&playground, "lake/orders");
    let mut march = lake.file(
        "ab/cd.parquet",
        &[("col-1", ids([1])), ("col-2", names(&[Some("Ann")]))],
    );
    march["add"]["partitionValues"] = json!({"col-3": "2026-03-01"});
    let mut nobody = lake.file(
        "ef/gh.parquet",
        &[("col-1", ids([2])), ("col-2", names(&[Some("Bob")]))],
    );
    nobody["add"]["partitionValues"] = json!({"col-3": null});
    let field = |id: u64, name: &str, kind: &str| {
        json!({"name": name, "type": kind, "nullable": true, "metadata": {
            "delta.columnMapping.id": id, "delta.columnMapping.physicalName": format!("col-{id}"),
        }})
    };
    let fields = [
        field(1, "id", "long"),
        field(3, "day", "date"),
        field(2, "Name of it", "string"),
    ];
    let mut metadata = metadata(&[], &["day"]);
    metadata["metaData"]["schemaString"] = json!({"type": "struct", "fields": fields})
        .to_string()
        .into();
    metadata["metaData"]["configuration"] =
        json!({"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "3"});
    let protocol = json!({"protocol": {"minReaderVersion": 2, "minWriterVersion": 5}});
    lake.commit(0, &[protocol, metadata, march, nobody]);
    playground.run(&["--strict"]).expect(0);
    assert_eq!(
        playground.rows("copy"),
        "id,day,Name of it\n1,2026-03-01,Ann\n2,NULL,Bob\n"
    );
}

/// Some writers call the items of lists and maps otherwise than the table does.
#[test]
fn lists_and_maps_are_read_whatever_their_items_are_called() {
    let playground = Playground::of(&[(
        "same.jsonl",
        "{\"id\":1,\"l\":[1,2]}\n{\"id\":2,\"l\":null}\n",
    )]);
    let lake = Lake::new(&playground, "lists");
    let items = vec![Some(vec![Some(1), Some(2)]), None];
    let list = ListArray::from_iter_primitive::<Int64Type, _, _>(items);
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    maps.keys().append_value("a");
    maps.values().append_value(1);
    maps.append(true).unwrap();
    maps.append(false).unwrap();
    let columns: [(&str, ArrayRef); 3] = [
        ("id", ids([1, 2])),
        ("l", Arc::new(list)),
        ("m", Arc::new(maps.finish())),
    ];
    let file = lake.file("rows.parquet", &columns);
    let list = json!({"type": "array", "elementType": "long", "containsNull": true});
    let map =
        json!({"type": "map", "keyType": "string", "valueType": "long", "valueContainsNull": true});
    let mut metadata = metadata(&[], &[]);
    let field = |name: &str, kind: &Value| json!({"name": name, "type": kind, "nullable": true, "metadata": {}});
    let fields = [
        field("id", &json!("long")),
        field("l", &list),
        field("m", &map),
    ];
    metadata["metaData"]["schemaString"] = json!({"type": "struct", "fields": fields})
        .to_string()
        .into();
    lake.commit(0, &[plain(), metadata, file]);
    let ended = playground.understudy(&["diff", "lists", "same.jsonl", "--key", "id", "--json"]);
    let report = ended.expect(1).json();
    assert_eq!(report["rows"]["changed"], 0, "{report:#}");
    assert_eq!(report["schema"][0]["column"], "m", "{report:#}");
}

#[test]
fn any_two_tables_may_be_delta_tables() {
    let playground = Playground::of(&[("new.csv", "id,name\n3,\n4,Zoë\n5,Ann\n")]);
    two_versions(&playground, "old");
    let ended = playground
        .understudy(&["diff", "old", "new.csv", "--key", "id", "--json"])
        .expect(1);
    assert_eq!(ended.json()["rows"]["matched"], 3, "{}", ended.stdout);
    assert_eq!(ended.json()["rows"]["changed"], 1, "{}", ended.stdout);
}

#[test]
fn a_table_without_a_commit_is_not_there_yet() {
    let playground = pipeline("lake/orders", "id");
    Lake::new(&playground, "lake/orders");
    let ended = playground.run(&[]).expect(6);
    assert!(
        ended.stderr.contains("nothing is at `lake/orders`"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_folder_of_a_table_is_refused() {
    let playground = pipeline("\"lake/orders/day={date}\"", "id");
    let lake = Lake::new(&playground, "lake/orders");
    lake.file(&format!("day={DATE}/a.parquet"), &[("id", ids([1]))]);
    lake.commit(0, &[plain(), metadata(&[("id", "long")], &[])]);
    let ended = playground.run(&[]).expect(6);
    assert!(
        ended.stderr.contains(&format!(
            "`lake/orders/day={DATE}` is inside the Delta table `lake/orders`"
        )),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_window_of_tables_is_refused() {
    let playground = pipeline("\"lake/orders/{date}\"", "id");
    playground.replace(
        "understudy.yaml",
        "inputs: [orders]",
        "inputs: [{ dataset: orders, window: 2d }]",
    );
    two_versions(&playground, &format!("lake/orders/{DATE}"));
    let ended = playground.run(&[]).expect(6);
    assert!(
        ended.stderr.contains("is a Delta table, and a window"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_table_that_cannot_be_read_says_why_and_leaves_nothing() {
    // A file that was vacuumed.
    let playground = pipeline("lake/orders", "id, name");
    two_versions(&playground, "lake/orders");
    fs::remove_file(playground.path("lake/orders/second.parquet")).unwrap();
    let ended = playground.run(&[]).expect(6);
    let says = [
        "version 1 of the Delta table `lake/orders`",
        "second.parquet",
    ];
    for part in says {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    let left = fs::read_dir(playground.path("store/fetched")).unwrap();
    assert_eq!(left.count(), 0);
    // A feature of tomorrow.
    let protocol = json!({"protocol": {
        "minReaderVersion": 3, "minWriterVersion": 7,
        "readerFeatures": ["timeTravelBackwards"], "writerFeatures": ["timeTravelBackwards"],
    }});
    Lake::new(&playground, "lake/orders").commit(2, &[protocol]);
    let ended = playground.run(&[]).expect(6);
    assert!(
        ended.stderr.contains("timeTravelBackwards"),
        "{}",
        ended.stderr
    );
}
