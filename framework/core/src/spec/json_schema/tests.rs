//! The schema and the reader accept the same keys: both are tried on the file that uses every key, on that file
//! with any key taken out, with an unknown key anywhere, and with a value anywhere that fits nothing.

use std::collections::BTreeSet;

use expect_test::expect_file;
use serde_json::{Value, json};

use super::json_schema;
use crate::spec::problems::{Problems, Uses};
use crate::spec::scalar;
use crate::spec::shape::Shape;
use crate::spec::structure::{self, Subject};
use crate::spec::table;
use crate::spec::yaml::{self, Data, Node};

const VALID: [&str; 5] = [
    include_str!("../../../tests/spec/valid.yaml"),
    include_str!("../../../tests/spec/lake.yaml"),
    include_str!("../../../tests/spec/isolation.yaml"),
    include_str!("../../../tests/spec/checks.yaml"),
    include_str!("../../../tests/spec/flags.yaml"),
];

#[test]
fn the_committed_schema_is_fresh() {
    let text = format!("{:#}\n", json_schema());
    expect_file!["../../../../../docs/pipeline.schema.json"].assert_eq(&text);
}

#[test]
fn the_valid_files_use_every_key() {
    let mut missing = BTreeSet::new();
    unused(&json_schema(), &valid(), "", &mut missing);
    assert_eq!(missing, BTreeSet::new());
}

#[test]
fn both_accept_the_valid_files() {
    for file in valid() {
        assert_both(&file, Some(true), "nothing");
    }
}

#[test]
fn both_refuse_an_unknown_key_anywhere() {
    for valid in valid() {
        for path in sections(&json_schema(), &valid, "") {
            let mut file = valid.clone();
            file.pointer_mut(&path).unwrap()["unknown-key"] = json!(1);
            assert_both(&file, Some(false), &path);
        }
    }
}

#[test]
fn both_refuse_or_accept_that_a_key_is_missing() {
    let places = valid().into_iter().flat_map(|valid| {
        sections(&json_schema(), &valid, "")
            .into_iter()
            .map(move |path| (valid.clone(), path))
    });
    for (valid, path) in places {
        let keys: Vec<String> = valid
            .pointer(&path)
            .unwrap()
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        for key in keys {
            let mut file = valid.clone();
            file.pointer_mut(&path)
                .unwrap()
                .as_object_mut()
                .unwrap()
                .shift_remove(&key);
            assert_both(&file, None, &format!("{path}/{key} is missing"));
        }
    }
}

#[test]
fn both_refuse_a_value_that_fits_nothing() {
    for valid in valid() {
        for path in values(&valid, "") {
            let mut file = valid.clone();
            *file.pointer_mut(&path).unwrap() = json!([[{}]]);
            assert_both(&file, Some(false), &path);
        }
    }
}

fn assert_both(file: &Value, expected: Option<bool>, what: &str) {
    let (schema, reader) = (is_valid(&json_schema(), file), is_read(file));
    assert_eq!(
        schema, reader,
        "the schema and the reader do not agree: {what}"
    );
    assert_eq!(reader, expected.unwrap_or(reader), "{what}");
}

/// Whether the reader finds nothing wrong with a file's structure. JSON is YAML.
fn is_read(file: &Value) -> bool {
    let text = file.to_string();
    let mut problems = Problems::new("", &text);
    let root = yaml::parse(&text).unwrap();
    structure::check(
        &root,
        &Shape::Section(&table::PIPELINE),
        &Subject::whole(""),
        &mut problems,
    );
    problems.finish(&Uses::default()).is_empty()
}

/// The valid files as an editor sees them.
fn valid() -> Vec<Value> {
    let files = VALID.iter();
    files
        .map(|text| value(&yaml::parse(text).unwrap()))
        .collect()
}

fn value(node: &Node) -> Value {
    match &*node.data {
        Data::List(items) => items.iter().map(value).collect(),
        Data::Map(entries) => Value::Object(
            entries
                .iter()
                .map(|(key, node)| (key.text.clone(), value(node)))
                .collect(),
        ),
        Data::Scalar(scalar) => serde_json::to_value(scalar::param(scalar).unwrap()).unwrap(),
    }
}

/// Where in a file the mappings with fixed keys are.
fn sections(schema: &Value, file: &Value, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let (Value::Object(entries), Some(schema)) = (file, branch(schema, file)) {
        found.extend(schema.get("properties").map(|_| path.to_owned()));
        for (key, file) in entries {
            let below = schema["properties"]
                .get(key)
                .unwrap_or(&schema["additionalProperties"]);
            found.extend(sections(below, file, &format!("{path}/{key}")));
        }
    } else if let (Value::Array(items), Some(schema)) = (file, branch(schema, file)) {
        for (position, file) in items.iter().enumerate() {
            found.extend(sections(
                &schema["items"],
                file,
                &format!("{path}/{position}"),
            ));
        }
    }
    found
}

/// Where in a file values are, itself not included.
fn values(file: &Value, path: &str) -> Vec<String> {
    let below: Vec<(String, &Value)> = match file {
        Value::Object(entries) => entries
            .iter()
            .map(|(key, file)| (key.clone(), file))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(position, file)| (position.to_string(), file))
            .collect(),
        _ => Vec::new(),
    };
    let below = below
        .into_iter()
        .map(|(key, file)| (format!("{path}/{key}"), file));
    below
        .flat_map(|(path, file)| [vec![path.clone()], values(file, &path)].concat())
        .collect()
}

/// Of several schemas the one for that type.
fn branch<'a>(schema: &'a Value, file: &Value) -> Option<&'a Value> {
    let branches = schema.get("anyOf").and_then(Value::as_array);
    branches.map_or(Some(schema), |branches| {
        branches.iter().find(|branch| has_type(branch, file))
    })
}

/// The keys that a schema knows and none of these files has.
fn unused(schema: &Value, files: &[Value], path: &str, missing: &mut BTreeSet<String>) {
    let below = |key: &str| {
        files
            .iter()
            .filter_map(|file| file.get(key).cloned())
            .collect::<Vec<_>>()
    };
    for (key, schema) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}/{key}");
        if below(key).is_empty() {
            missing.insert(path.clone());
        }
        unused(schema, &below(key), &path, missing);
    }
    if schema["additionalProperties"].is_object() {
        let entries = files
            .iter()
            .filter_map(Value::as_object)
            .flat_map(|entries| entries.values().cloned());
        unused(
            &schema["additionalProperties"],
            &entries.collect::<Vec<_>>(),
            &format!("{path}/*"),
            missing,
        );
    }
    if schema["items"].is_object() {
        let items = files.iter().filter_map(Value::as_array).flatten().cloned();
        unused(
            &schema["items"],
            &items.collect::<Vec<_>>(),
            &format!("{path}/[]"),
            missing,
        );
    }
    for schema in schema["anyOf"].as_array().into_iter().flatten() {
        unused(schema, files, path, missing);
    }
}

/// Whether a file is valid by a schema, as far as schemas are used here; patterns are the reader's business.
fn is_valid(schema: &Value, file: &Value) -> bool {
    let keywords = schema.as_object().unwrap().iter();
    keywords
        .into_iter()
        .all(|(keyword, rule)| holds(keyword, rule, schema, file))
}

fn holds(keyword: &str, rule: &Value, schema: &Value, file: &Value) -> bool {
    let entries = || file.as_object().into_iter().flatten();
    let has = |key: &Value| file.get(key.as_str().unwrap()).is_some();
    let branches = || {
        rule.as_array()
            .unwrap()
            .iter()
            .filter(|branch| is_valid(branch, file))
            .count()
    };
    match keyword {
        "$schema" | "title" | "description" | "pattern" => true,
        "type" => has_type(schema, file),
        "properties" => {
            entries().all(|(key, file)| rule.get(key).is_none_or(|schema| is_valid(schema, file)))
        }
        "additionalProperties" => entries().all(|(key, file)| {
            schema["properties"].get(key).is_some() || (rule.is_object() && is_valid(rule, file))
        }),
        "propertyNames" => entries().all(|(key, _)| is_valid(rule, &json!(key))),
        "required" => !file.is_object() || rule.as_array().unwrap().iter().all(has),
        "dependencies" => rule.as_object().unwrap().iter().all(|(key, needed)| {
            file.get(key).is_none() || needed.as_array().unwrap().iter().all(has)
        }),
        "oneOf" => branches() == 1,
        "not" => !is_valid(rule, file),
        "anyOf" => branches() > 0,
        "items" => file
            .as_array()
            .into_iter()
            .flatten()
            .all(|item| is_valid(rule, item)),
        "minItems" => file
            .as_array()
            .is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap()),
        "minProperties" => file
            .as_object()
            .is_none_or(|entries| entries.len() as u64 >= rule.as_u64().unwrap()),
        "minLength" => file
            .as_str()
            .is_none_or(|text| text.len() as u64 >= rule.as_u64().unwrap()),
        "minimum" => file
            .as_f64()
            .is_none_or(|number| number >= rule.as_f64().unwrap()),
        "maximum" => file
            .as_f64()
            .is_none_or(|number| number <= rule.as_f64().unwrap()),
        "enum" => rule.as_array().unwrap().contains(file),
        "const" => rule == file,
        unknown => panic!("the schema has `{unknown}`, which this test does not know"),
    }
}

fn has_type(schema: &Value, file: &Value) -> bool {
    let name = match file {
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::Null => "null",
    };
    let is = |wanted: &Value| wanted == name || (wanted == "integer" && file.is_u64());
    match &schema["type"] {
        Value::Array(names) => names.iter().any(is),
        one => is(one),
    }
}
