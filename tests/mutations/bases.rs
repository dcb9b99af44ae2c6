//! The valid files that are mutated: every format, compression and encoding, nested types, several row groups, page
//! indexes.

use std::io::Write as _;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, Date32Array, Decimal128Array,
    Decimal256Array, DictionaryArray, DurationMillisecondArray, FixedSizeBinaryArray, Float32Array,
    Float64Array, Int32Array, Int64Array, Int64Builder, LargeStringArray, ListArray, ListBuilder,
    MapBuilder, RecordBatch, StringArray, StringBuilder, StringViewArray, StructArray,
    Time64NanosecondArray, TimestampMicrosecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Int8Type, Int32Type, Int64Type, UInt32Type, i256};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use parquet::basic::{BrotliLevel, Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
};
use parquet::schema::types::ColumnPath;

const ROWS: i64 = 120;
const GROUP_ROWS: usize = 50;
const PAGE_ROWS: usize = 20;

/// A valid file.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) extension: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// Where its pages and its footer begin: the places that say how much there is to read.
    pub(super) headers: Vec<usize>,
}

/// All of them. Each has a column `id`, which identifies a row, and a column `name`.
pub(crate) fn all() -> Vec<Base> {
    let (flat, nested, wide) = (flat(), nested(), wide());
    let zstd = Compression::ZSTD(ZstdLevel::default());
    vec![
        parquet(&flat, properties(Compression::SNAPPY)),
        parquet(&flat, properties(Compression::UNCOMPRESSED)),
        parquet(&flat, plain(properties(zstd))),
        parquet(&flat, plain(properties(Compression::UNCOMPRESSED))),
        parquet(&flat, delta(properties(Compression::UNCOMPRESSED))),
        parquet(&flat, delta(properties(Compression::SNAPPY))),
        parquet(&nested, properties(Compression::UNCOMPRESSED)),
        parquet(&nested, plain(properties(Compression::LZ4_RAW))),
        parquet(&wide, properties(Compression::GZIP(GzipLevel::default()))),
        parquet(
            &wide,
            plain(properties(Compression::BROTLI(BrotliLevel::default()))),
        ),
        parquet(&wide, properties(Compression::UNCOMPRESSED)),
        parquet(&foreign(), properties(Compression::SNAPPY)),
        parquet(&foreign(), plain(properties(Compression::UNCOMPRESSED))),
        csv(""),
        csv("\""),
        json(),
        json(),
        zstd_of(csv("")),
        gzip_of(json()),
        arrow(&flat, None),
        arrow(&nested, None),
        arrow(&foreign(), None),
        arrow(&wide, Some(CompressionType::ZSTD)),
        arrow(&flat, Some(CompressionType::LZ4_FRAME)),
        stream(&foreign()),
    ]
}

/// Several row groups, several pages in each, a page index and bloom filters.
fn properties(compression: Compression) -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_compression(compression)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_bloom_filter_enabled(true)
        .set_bloom_filter_max_ndv(10)
}

fn plain(properties: WriterPropertiesBuilder) -> WriterPropertiesBuilder {
    properties
        .set_dictionary_enabled(false)
        .set_encoding(Encoding::PLAIN)
}

/// The encodings of the second version of data pages, each where its type allows it.
fn delta(properties: WriterPropertiesBuilder) -> WriterPropertiesBuilder {
    let encodings = [
        ("id", Encoding::DELTA_BINARY_PACKED),
        ("name", Encoding::DELTA_BYTE_ARRAY),
        ("raw", Encoding::DELTA_LENGTH_BYTE_ARRAY),
        ("price", Encoding::BYTE_STREAM_SPLIT),
        ("flag", Encoding::RLE),
    ];
    let properties = properties
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_dictionary_enabled(false);
    encodings
        .into_iter()
        .fold(properties, |properties, (column, encoding)| {
            properties.set_column_encoding(ColumnPath::from(column), encoding)
        })
}

fn parquet(batch: &RecordBatch, properties: WriterPropertiesBuilder) -> Base {
    let mut bytes = Vec::new();
    let properties = Some(properties.build());
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), properties).unwrap();
    writer.write(batch).unwrap();
    let metadata = writer.close().unwrap();
    let chunks = metadata
        .row_groups()
        .iter()
        .flat_map(|group| group.columns());
    let pages = chunks.flat_map(|chunk| {
        [
            Some(chunk.data_page_offset()),
            chunk.dictionary_page_offset(),
            chunk.column_index_offset(),
            chunk.offset_index_offset(),
        ]
    });
    let mut headers: Vec<usize> = pages.flatten().map(|offset| offset as usize).collect();
    let length = bytes[bytes.len() - 8..bytes.len() - 4].try_into().unwrap();
    let footer = bytes.len() - 8 - u32::from_le_bytes(length) as usize;
    // As likely as all pages together.
    headers.resize(headers.len() * 2, footer);
    Base {
        extension: "parquet",
        bytes,
        headers,
    }
}

fn csv(quote: &str) -> Base {
    let line = |id: i64| {
        let (name, price) = (name(id).unwrap_or_default(), id as f64 / 8.0);
        format!(
            "{id},{quote}{name}{quote},{price},2026-01-{:02}\r\n",
            id % 28 + 1
        )
    };
    let lines: String = (0..ROWS).map(line).collect();
    Base {
        extension: "csv",
        bytes: format!("id,name,price,day\r\n{lines}").into_bytes(),
        headers: vec![0],
    }
}

fn json() -> Base {
    let line = |id: i64| {
        let (name, price) = (name(id).unwrap_or_default(), id as f64 / 8.0);
        format!(
            "{{\"id\":{id},\"name\":\"{name}\",\"price\":{price},\"tags\":[{id},null],\"at\":{{\"x\":\"\\u00e9\",\"y\":true}}}}\n"
        )
    };
    Base {
        extension: "jsonl",
        bytes: (0..ROWS).map(line).collect::<String>().into_bytes(),
        headers: vec![0],
    }
}

fn zstd_of(base: Base) -> Base {
    Base {
        extension: "csv.zst",
        bytes: zstd::encode_all(&base.bytes[..], 0).unwrap(),
        headers: vec![0],
    }
}

fn gzip_of(base: Base) -> Base {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&base.bytes).unwrap();
    Base {
        extension: "jsonl.gz",
        bytes: encoder.finish().unwrap(),
        headers: vec![0],
    }
}

/// A file of several batches; its messages begin with a mark, its footer is said at its end.
fn arrow(batch: &RecordBatch, compression: Option<CompressionType>) -> Base {
    let options = IpcWriteOptions::default().try_with_compression(compression);
    let options = options.unwrap();
    let mut writer =
        FileWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
    for begin in (0..batch.num_rows()).step_by(GROUP_ROWS) {
        let rows = GROUP_ROWS.min(batch.num_rows() - begin);
        writer.write(&batch.slice(begin, rows)).unwrap();
    }
    let bytes = writer.into_inner().unwrap();
    let length = bytes[bytes.len() - 10..bytes.len() - 6].try_into().unwrap();
    let footer = bytes.len() - 10 - u32::from_le_bytes(length) as usize;
    let mut headers = messages(&bytes);
    headers.resize(headers.len() * 2, footer);
    Base {
        extension: "arrow",
        bytes,
        headers,
    }
}

fn stream(batch: &RecordBatch) -> Base {
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    let bytes = writer.into_inner().unwrap();
    let mut headers = messages(&bytes);
    headers.rotate_left(1);
    Base {
        extension: "arrow",
        bytes,
        headers,
    }
}

fn messages(bytes: &[u8]) -> Vec<usize> {
    let words = bytes.chunks(4).enumerate();
    let marks = words.filter(|(_, word)| *word == [0xff; 4]);
    marks.map(|(position, _)| position * 4).collect()
}

fn name(id: i64) -> Option<String> {
    (id % 5 > 0).then(|| format!("näme {}", id % 30))
}

fn ids_and_names() -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("id", Arc::new(Int64Array::from_iter_values(0..ROWS))),
        (
            "name",
            Arc::new((0..ROWS).map(name).collect::<StringArray>()),
        ),
    ]
}

fn flat() -> RecordBatch {
    let rows = || 0..ROWS;
    let mut columns = ids_and_names();
    let raw = rows().map(|row| (row % 7 > 0).then(|| vec![row as u8; row as usize % 11]));
    let more: [(&str, ArrayRef); 5] = [
        ("raw", Arc::new(raw.collect::<BinaryArray>())),
        (
            "price",
            Arc::new(Float64Array::from_iter(
                rows().map(|row| (row % 9 > 0).then_some(row as f64 / 8.0)),
            )),
        ),
        (
            "flag",
            Arc::new(
                rows()
                    .map(|row| (row % 4 > 0).then_some(row % 3 == 0))
                    .collect::<BooleanArray>(),
            ),
        ),
        (
            "day",
            Arc::new(Date32Array::from_iter_values(rows().map(|row| row as i32))),
        ),
        (
            "at",
            Arc::new(TimestampMicrosecondArray::from_iter_values(rows()).with_timezone("UTC")),
        ),
    ];
    columns.extend(more);
    RecordBatch::try_from_iter(columns).unwrap()
}

fn wide() -> RecordBatch {
    let rows = || 0..ROWS;
    let mut columns = ids_and_names();
    let small = Decimal128Array::from_iter_values(rows().map(|row| i128::from(row) * 1_001));
    let large = Decimal256Array::from_iter_values(
        rows().map(|row| i256::from_i128(i128::MAX) + i256::from_i128(row.into())),
    );
    let codes = rows().map(|row| Some([row as u8; 12]));
    let words: Vec<_> = rows()
        .map(|row| ["red", "green", "blue"][row as usize % 3])
        .collect();
    let more: [(&str, ArrayRef); 5] = [
        (
            "small",
            Arc::new(small.with_precision_and_scale(12, 3).unwrap()),
        ),
        (
            "large",
            Arc::new(large.with_precision_and_scale(60, 10).unwrap()),
        ),
        (
            "code",
            Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(codes, 12).unwrap()),
        ),
        (
            "word",
            Arc::new(words.into_iter().collect::<DictionaryArray<Int32Type>>()),
        ),
        (
            "count",
            Arc::new(Int32Array::from_iter_values(rows().map(|row| row as i32))),
        ),
    ];
    columns.extend(more);
    RecordBatch::try_from_iter(columns).unwrap()
}

/// Types that other writers leave in the Arrow schema of a file: categories, views, large and fixed kinds, times.
fn foreign() -> RecordBatch {
    let rows = || 0..ROWS;
    let mut columns = ids_and_names();
    let texts: Vec<_> = rows().map(name).collect();
    let texts = || texts.iter().map(Option::as_deref);
    let more: [(&str, ArrayRef); 9] = [
        (
            "category",
            Arc::new(texts().collect::<DictionaryArray<Int8Type>>()),
        ),
        (
            "enum",
            Arc::new(texts().collect::<DictionaryArray<UInt32Type>>()),
        ),
        ("view", Arc::new(texts().collect::<StringViewArray>())),
        ("long", Arc::new(texts().collect::<LargeStringArray>())),
        (
            "bytes",
            Arc::new(
                texts()
                    .map(|text| text.map(str::as_bytes))
                    .collect::<BinaryViewArray>(),
            ),
        ),
        (
            "half",
            Arc::new(Float32Array::from_iter_values(
                rows().map(|row| row as f32 / 2.0),
            )),
        ),
        (
            "big",
            Arc::new(UInt64Array::from_iter_values(
                rows().map(|row| u64::MAX - row as u64),
            )),
        ),
        (
            "time",
            Arc::new(Time64NanosecondArray::from_iter_values(rows())),
        ),
        (
            "span",
            Arc::new(DurationMillisecondArray::from_iter_values(rows())),
        ),
    ];
    columns.extend(more);
    RecordBatch::try_from_iter(columns).unwrap()
}

fn nested() -> RecordBatch {
    let mut columns = ids_and_names();
    let list =
        (0..ROWS).map(|row| (row % 6 > 0).then(|| (0..row % 4).map(Some).collect::<Vec<_>>()));
    let list = ListArray::from_iter_primitive::<Int64Type, _, _>(list);
    let parts: Vec<(Arc<Field>, ArrayRef)> = vec![
        (
            Arc::new(Field::new("a", DataType::Int64, false)),
            Arc::new(Int64Array::from_iter_values(0..ROWS)),
        ),
        (
            Arc::new(Field::new("b", list_type(&list), true)),
            Arc::new(list.clone()),
        ),
    ];
    let more: [(&str, ArrayRef); 4] = [
        ("list", Arc::new(list)),
        ("struct", Arc::new(StructArray::from(parts))),
        ("map", map()),
        ("lists", lists()),
    ];
    columns.extend(more);
    RecordBatch::try_from_iter(columns).unwrap()
}

fn list_type(list: &ListArray) -> DataType {
    arrow::array::Array::data_type(list).clone()
}

fn map() -> ArrayRef {
    let mut builder = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    for row in 0..ROWS {
        for entry in 0..row % 3 {
            builder.keys().append_value(format!("key {entry}"));
            builder.values().append_value(row);
        }
        builder.append(row % 5 > 0).unwrap();
    }
    Arc::new(builder.finish())
}

fn lists() -> ArrayRef {
    let mut builder = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
    for row in 0..ROWS {
        for _ in 0..row % 3 {
            builder.values().values().append_option(name(row));
            builder.values().append(row % 7 > 0);
        }
        builder.append(row % 4 > 0);
    }
    Arc::new(builder.finish())
}
