//! The table of keys as a JSON Schema (draft-07), for editors.
//!
//! It accepts the keys that the reader accepts, as both are made from one table. Names that must stand for
//! something are beyond a schema; `understudy check` tells them.

use serde_json::{Map, Value, json};

use super::scalar::COLUMN_TYPES;
use super::shape::{ByName, ListOf, Need, Section, Shape};
use super::table::PIPELINE;

/// The JSON Schema of the pipeline file.
#[must_use]
pub fn json_schema() -> Value {
    let mut schema = Map::new();
    schema.insert(
        "$schema".to_owned(),
        json!("http://json-schema.org/draft-07/schema#"),
    );
    schema.insert("title".to_owned(), json!("understudy.yaml"));
    if let Value::Object(section) = section_schema(&PIPELINE) {
        schema.extend(section);
    }
    Value::Object(schema)
}

fn section_schema(section: &Section) -> Value {
    let names = |wanted: fn(Need) -> bool| {
        section
            .keys
            .iter()
            .filter(move |key| wanted(key.need))
            .map(|key| key.name)
    };
    let required: Vec<&str> = names(|need| need == Need::Required).collect();
    let mut schema = Map::new();
    schema.insert("description".to_owned(), json!(section.about));
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), properties(section));
    schema.insert("additionalProperties".to_owned(), json!(false));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    if let Some(dependencies) = dependencies(section) {
        schema.insert("dependencies".to_owned(), dependencies);
    }
    if let Some(choice) = section.one_of {
        let branches: Vec<Value> = choice
            .keys
            .iter()
            .map(|key| json!({ "required": [key] }))
            .collect();
        match choice.unless {
            None => schema.insert("oneOf".to_owned(), json!(branches)),
            Some(key) => {
                let none = choice.keys.iter().map(|key| json!({ "required": [key] }));
                let none: Vec<Value> = none.collect();
                let alone = json!({ "required": [key], "not": { "anyOf": none } });
                let all: Vec<Value> = branches.into_iter().chain([alone]).collect();
                schema.insert("oneOf".to_owned(), json!(all))
            }
        };
    }
    Value::Object(schema)
}

fn properties(section: &Section) -> Value {
    let property = |key: &super::shape::Key| {
        let mut schema = Map::new();
        schema.insert("description".to_owned(), json!(key.about));
        if let Value::Object(shape) = shape_schema(&key.shape) {
            schema.extend(shape.into_iter().filter(|(name, _)| name != "description"));
        }
        (key.name.to_owned(), Value::Object(schema))
    };
    Value::Object(section.keys.iter().map(property).collect())
}

fn dependencies(section: &Section) -> Option<Value> {
    let dependency = |key: &super::shape::Key| match key.need {
        Need::With(other) => Some((key.name.to_owned(), json!([other]))),
        Need::Required | Need::Optional => None,
    };
    let dependencies: Map<String, Value> = section.keys.iter().filter_map(dependency).collect();
    (!dependencies.is_empty()).then_some(Value::Object(dependencies))
}

/// Text may be written without quotes, so that an editor takes it for a number or a boolean: both are right.
fn shape_schema(shape: &Shape) -> Value {
    match shape {
        Shape::Text => json!({ "type": ["string", "number", "boolean"], "minLength": 1 }),
        Shape::Verbatim | Shape::Param => json!({ "type": ["string", "number", "boolean"] }),
        Shape::True => json!({ "const": true }),
        Shape::Word(words) => json!({ "enum": words }),
        Shape::Count { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Shape::Duration { .. } => json!({ "type": "string", "pattern": "^[0-9]+ *[smhd]$" }),
        Shape::Memory => json!({ "type": "string", "pattern": "^[0-9]+ *([kMG]B|[KMG]iB)$" }),
        Shape::Within(section) => {
            let distance =
                json!({ "type": ["string", "number"], "minimum": 0, "pattern": WITHIN_PATTERN });
            json!({ "anyOf": [distance, section_schema(section)] })
        }
        Shape::Distance => {
            json!({ "type": ["string", "number"], "minimum": 0, "pattern": DISTANCE_PATTERN })
        }
        Shape::Percentile => json!({ "type": "number", "minimum": 0, "maximum": 100 }),
        Shape::Ratio => json!({ "type": "number", "minimum": 1, "maximum": 1000 }),
        Shape::Wave(list) => {
            let count = json!({ "type": "integer", "minimum": 1 });
            json!({ "anyOf": [count, shape_schema(&Shape::Percentage), list_schema(list)] })
        }
        Shape::Percentage => json!({ "type": "string", "pattern": PERCENTAGE_PATTERN }),
        Shape::Days { min } => {
            let sign = if *min > 0 { "" } else { "[+-]?" };
            json!({ "type": "string", "pattern": format!("^{sign}[0-9]+d$") })
        }
        Shape::TextOr(section) => {
            json!({ "anyOf": [shape_schema(&Shape::Text), section_schema(section)] })
        }
        Shape::Date => json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" }),
        Shape::ColumnType => json!({ "type": "string", "pattern": column_type_pattern() }),
        Shape::Anything => json!({}),
        Shape::List(list) => list_schema(list),
        Shape::ByName(by_name) => by_name_schema(by_name),
        Shape::Section(section) => section_schema(section),
        Shape::ListOr(list, section) => {
            json!({ "anyOf": [list_schema(list), section_schema(section)] })
        }
    }
}

const DISTANCE_PATTERN: &str = "^[0-9][0-9.]*([eE][+-]?[0-9]+)?$|^[0-9]+ *(ms|s|m|h|d)$";
const PERCENTAGE_PATTERN: &str = "^[0-9][0-9.]*([eE][+-]?[0-9]+)? *%$";
const WITHIN_PATTERN: &str = "^[0-9][0-9.]*([eE][+-]?[0-9]+)?( *%)?$|^[0-9]+ *(ms|s|m|h|d)$";

fn column_type_pattern() -> String {
    let words = COLUMN_TYPES.map(|name| name.replace("(S)", r"\(([0-9]|[12][0-9]|3[0-8])\)"));
    format!("^({})$", words.join("|"))
}

fn list_schema(list: &ListOf) -> Value {
    json!({ "type": "array", "items": shape_schema(&list.of), "minItems": u8::from(!list.may_be_empty) })
}

fn by_name_schema(by_name: &ByName) -> Value {
    json!({
        "type": "object",
        "additionalProperties": shape_schema(&by_name.of),
        "propertyNames": { "minLength": 1 },
        "minProperties": u8::from(!by_name.may_be_empty),
    })
}

#[cfg(test)]
mod tests;
