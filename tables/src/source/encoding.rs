//! Which encodings of text are the cheapest to decode from Parquet.
//!
//! Text that a file keeps in a dictionary can stay in it, and other text can stay in the page that it was read with.
//! Both save a copy of every value.

use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

use super::parquet::{ParquetCause, guarded, open};
use crate::error::TableError;

/// A column chunk whose values take fewer bytes than this on average, before compression, is all dictionary indices:
/// outside a dictionary, text takes four bytes for its length alone.
const MAX_INDEX_BYTES: f64 = 2.5;

/// The schema with the encodings of text that all files decode fastest; the schema itself where that is not known.
pub(super) fn quick_schema(
    paths: &[impl AsRef<Path>],
    schema: &SchemaRef,
) -> Result<SchemaRef, TableError> {
    let mut fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| quick_field(field))
        .collect();
    for path in paths {
        let metadata = open(path.as_ref())?;
        for (field, own) in fields.iter_mut().zip(schema.fields()) {
            // A dictionary of the file's own stays one.
            let is_chosen = field.data_type() != own.data_type() && is_dictionary(field);
            if is_chosen && !is_in_dictionary(metadata.metadata(), field.name()) {
                let plain = Field::new(
                    field.name(),
                    view_of(field.data_type()),
                    field.is_nullable(),
                );
                *field = plain.with_metadata(field.metadata().clone());
            }
        }
    }
    let quick = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
    let is_readable = |path: &Path| hinted(open(path)?, path, quick.fields()).map(|_| ());
    match paths.iter().try_for_each(|path| is_readable(path.as_ref())) {
        Ok(()) => Ok(quick),
        Err(_) => Ok(Arc::clone(schema)),
    }
}

/// A text column starts as a dictionary, until a file shows that it is none.
fn quick_field(field: &Field) -> Field {
    let values = match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8,
        DataType::Binary | DataType::LargeBinary => DataType::Binary,
        _ => return field.clone(),
    };
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(values));
    field.clone().with_data_type(dictionary)
}

fn is_dictionary(field: &Field) -> bool {
    matches!(field.data_type(), DataType::Dictionary(keys, _) if **keys == DataType::Int32)
}

fn view_of(dictionary: &DataType) -> DataType {
    match dictionary {
        DataType::Dictionary(_, values) if **values == DataType::Binary => DataType::BinaryView,
        _ => DataType::Utf8View,
    }
}

fn is_in_dictionary(metadata: &ParquetMetaData, column: &str) -> bool {
    let is_small = |chunk: &ColumnChunkMetaData| {
        chunk.dictionary_page_offset().is_some()
            && chunk.uncompressed_size() as f64 <= chunk.num_values() as f64 * MAX_INDEX_BYTES
    };
    metadata.row_groups().iter().all(|group| {
        let mut own = group
            .columns()
            .iter()
            .filter(|chunk| chunk.column_path().parts() == [column]);
        own.next().is_some_and(is_small)
    })
}

/// A file's metadata, told to decode those fields in other encodings that are wanted so.
pub(super) fn hinted(
    metadata: ArrowReaderMetadata,
    path: &Path,
    wanted: &Fields,
) -> Result<ArrowReaderMetadata, TableError> {
    let own = metadata.schema();
    let hint = |field: &Field| match wanted.find(field.name()) {
        Some((_, wanted)) if is_reencoded(field.data_type(), wanted.data_type()) => {
            field.clone().with_data_type(wanted.data_type().clone())
        }
        _ => field.clone(),
    };
    let fields: Vec<Field> = own.fields().iter().map(|field| hint(field)).collect();
    if own
        .fields()
        .iter()
        .zip(&fields)
        .all(|(own, hinted)| own.data_type() == hinted.data_type())
    {
        return Ok(metadata);
    }
    let schema = Arc::new(Schema::new_with_metadata(fields, own.metadata().clone()));
    let file = Arc::clone(metadata.metadata());
    let build = || {
        let options = ArrowReaderOptions::new().with_schema(schema);
        ArrowReaderMetadata::try_new(file, options).map_err(ParquetCause::from)
    };
    Ok(guarded(path, build)?)
}

fn is_reencoded(own: &DataType, wanted: &DataType) -> bool {
    let is_text = |data_type: &DataType| matches!(data_type, DataType::Utf8 | DataType::LargeUtf8);
    let is_binary =
        |data_type: &DataType| matches!(data_type, DataType::Binary | DataType::LargeBinary);
    match wanted {
        DataType::Utf8View => is_text(own),
        DataType::BinaryView => is_binary(own),
        DataType::Dictionary(_, values) => {
            is_text(own) && is_text(values) || is_binary(own) && is_binary(values)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        ArrayRef, BinaryArray, DictionaryArray, Int64Array, LargeStringArray, RecordBatch,
        StringArray,
    };
    use arrow::datatypes::Int32Type;
    use understudy_core::snapshot::FileFormat;

    use super::*;
    use crate::source::TableSource;
    use crate::source::reader::TableReader;
    use crate::value::value_at;
    use crate::write::ParquetFile;

    fn batch() -> RecordBatch {
        let rows = 0..5_000_i64;
        let few: StringArray = rows
            .clone()
            .map(|row| (row % 7 > 0).then(|| format!("kind {}", row % 3)))
            .collect();
        let many: LargeStringArray = rows
            .clone()
            .map(|row| Some(format!("a text of its own, {row}")))
            .collect();
        let bytes: BinaryArray = rows.clone().map(|row| Some(row.to_le_bytes())).collect();
        RecordBatch::try_from_iter([
            ("few", Arc::new(few) as ArrayRef),
            ("many", Arc::new(many)),
            ("bytes", Arc::new(bytes)),
            ("number", Arc::new(Int64Array::from_iter_values(rows))),
        ])
        .unwrap()
    }

    #[test]
    fn what_is_decoded_quickly_has_the_same_values() {
        let folder = tempfile::tempdir().unwrap();
        let written = batch();
        let mut file =
            ParquetFile::create(&folder.path().join("t.parquet"), &written.schema()).unwrap();
        file.write(&written).unwrap();
        file.finish().unwrap();
        let snapshot = crate::pin::pin("t", "t.parquet", folder.path()).unwrap();
        assert_eq!(snapshot.format, FileFormat::Parquet);
        let source = TableSource {
            base: folder.path().to_owned(),
            snapshot,
            types: [].into(),
        };
        let schema = source.schema().unwrap();
        let reader = TableReader::open(&source, &schema).unwrap();
        let batches = || {
            let pieces = reader.pieces().iter();
            pieces.flat_map(|piece| reader.read(piece, &[0, 1, 2, 3], 1_000, None).unwrap())
        };
        let quick = batches().next().unwrap().unwrap().schema();
        let types: Vec<_> = quick
            .fields()
            .iter()
            .map(|field| field.data_type().to_string())
            .collect();
        assert_eq!(
            types,
            ["Dictionary(Int32, Utf8)", "Utf8View", "BinaryView", "Int64"]
        );
        let mut row = 0;
        for batch in batches() {
            let batch = batch.unwrap();
            assert_eq!(batch.schema(), quick);
            for own in 0..batch.num_rows() {
                for column in 0..written.num_columns() {
                    let expected = value_at(written.column(column).as_ref(), row).unwrap();
                    assert_eq!(
                        value_at(batch.column(column).as_ref(), own).unwrap(),
                        expected
                    );
                }
                row += 1;
            }
        }
        assert_eq!(row, written.num_rows());
    }

    /// It was taken for one that was chosen here, and then not found.
    #[test]
    fn a_dictionary_of_the_files_own_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let words: DictionaryArray<Int32Type> = ["red", "green", "red"].into_iter().collect();
        let written = RecordBatch::try_from_iter([("word", Arc::new(words) as ArrayRef)]).unwrap();
        let mut file =
            ParquetFile::create(&folder.path().join("t.parquet"), &written.schema()).unwrap();
        file.write(&written).unwrap();
        file.finish().unwrap();
        let source = TableSource {
            base: folder.path().to_owned(),
            snapshot: crate::pin::pin("t", "t.parquet", folder.path()).unwrap(),
            types: [].into(),
        };
        let schema = source.schema().unwrap();
        let reader = TableReader::open(&source, &schema).unwrap();
        let mut batches = reader.read(&reader.pieces()[0], &[0], 10, None).unwrap();
        assert_eq!(batches.next().unwrap().unwrap(), written);
    }
}
