//! Arrow schemas in JSON, for `#[serde(with = "understudy_tables::schema_text")]`: Arrow's own IPC form, in
//! hexadecimal digits. It keeps every type exactly.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow_ipc::convert::{IpcSchemaEncoder, fb_to_schema};
use arrow_ipc::root_as_schema;
use arrow_ipc::writer::DictionaryTracker;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

/// Writes a schema.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(schema: &SchemaRef, serializer: S) -> Result<S::Ok, S::Error> {
    let mut dictionaries = DictionaryTracker::new(false);
    let mut encoder = IpcSchemaEncoder::new().with_dictionary_tracker(&mut dictionaries);
    let encoded = encoder.schema_to_fb(schema);
    let digits = encoded
        .finished_data()
        .iter()
        .map(|byte| format!("{byte:02x}"));
    serializer.serialize_str(&digits.collect::<String>())
}

/// Reads a schema.
///
/// # Errors
/// A text that is no schema.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SchemaRef, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = bytes(&text)
        .ok_or_else(|| D::Error::custom("a schema that is not in hexadecimal digits"))?;
    // The decoder panics on some bytes that are no schema; a damaged file must be an error.
    let decoded = std::panic::catch_unwind(|| root_as_schema(&bytes).map(fb_to_schema));
    let schema = decoded.map_err(|_| D::Error::custom("a damaged schema"))?;
    schema.map(Arc::new).map_err(D::Error::custom)
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Holder {
        #[serde(with = "super")]
        schema: SchemaRef,
    }

    #[test]
    fn a_schema_survives_json() {
        let list = DataType::List(Arc::new(Field::new("x", DataType::Decimal128(10, 2), true)));
        let fields = vec![
            Field::new(
                "a",
                DataType::Timestamp(TimeUnit::Nanosecond, Some("America/New_York".into())),
                false,
            ),
            Field::new("b", list, true),
            Field::new(
                "c",
                DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)),
                true,
            ),
        ];
        let schema = Arc::new(Schema::new(fields));
        let json = serde_json::to_string(&Holder {
            schema: schema.clone(),
        })
        .unwrap();
        assert_eq!(
            serde_json::from_str::<Holder>(&json).unwrap().schema,
            schema
        );
    }

    #[test]
    fn what_is_no_schema_is_an_error() {
        for text in ["", "xyz", "00", "ffffffffffffffffffffffff"] {
            assert!(
                serde_json::from_str::<Holder>(&format!("{{\"schema\":\"{text}\"}}")).is_err(),
                "{text}"
            );
        }
    }
}
