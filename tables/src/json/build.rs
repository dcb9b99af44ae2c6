//! Arrow columns from JSON values.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, GenericListArray, NullBufferBuilder, OffsetSizeTrait, StructArray,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, FieldRef, Fields};
use arrow::error::ArrowError;
use serde_json::value::RawValue;

use super::error::JsonProblem;
use super::number::Digits;
use super::object::{Form, each_item, entries, form, text};
use crate::csv::build::{ColumnBuilder, expected};

/// The values, NULLs included, that one line makes at most. An object without keys takes two bytes in a file and a
/// value for each key of the others here.
const MAX_LINE_VALUES: usize = 1 << 22;

/// The longest piece of a wrong value that an error shows.
const MAX_SHOWN_CHARS: usize = 60;

/// Builds one column, batch by batch.
pub(super) struct JsonColumn {
    name: String,
    data_type: DataType,
    values: Values,
}

enum Values {
    Scalar(ColumnBuilder),
    List(Box<ListValues>),
    Object(Box<ObjectValues>),
}

struct ListValues {
    items: JsonColumn,
    field: FieldRef,
    lengths: Vec<usize>,
    present: NullBufferBuilder,
}

struct ObjectValues {
    objects: Objects,
    fields: Fields,
    present: NullBufferBuilder,
}

/// How many values a line has made.
pub(super) struct Count(usize);

impl Count {
    pub(super) fn new() -> Self {
        Self(0)
    }

    /// The values so far.
    pub(super) fn values(&self) -> usize {
        self.0
    }

    fn add(&mut self) -> Result<(), JsonProblem> {
        self.0 += 1;
        if self.0 > MAX_LINE_VALUES {
            return Err(JsonProblem::TooManyValues(MAX_LINE_VALUES));
        }
        Ok(())
    }
}

/// The columns of objects, and the place of each by its key.
pub(super) struct Objects {
    columns: Vec<JsonColumn>,
    places: HashMap<String, usize>,
    /// The objects so far, and for each column those that it has a value of.
    rows: usize,
    filled: Vec<usize>,
}

impl Objects {
    /// Columns for these fields; or the one that has a type which JSON cannot be read into.
    pub(super) fn new(fields: &Fields) -> Result<Self, FieldRef> {
        let mut columns = Vec::with_capacity(fields.len());
        for field in fields {
            let column = JsonColumn::new(field.name(), field.data_type());
            columns.push(column.ok_or_else(|| Arc::clone(field))?);
        }
        let names = fields.iter().map(|field| field.name().clone());
        Ok(Self {
            filled: vec![0; columns.len()],
            places: names
                .enumerate()
                .map(|(place, name)| (name, place))
                .collect(),
            columns,
            rows: 0,
        })
    }

    /// Adds an object. Keys that are no column are passed over; columns that are no key are NULL.
    pub(super) fn push(&mut self, object: &str, count: &mut Count) -> Result<(), JsonProblem> {
        self.rows += 1;
        for (position, (key, value)) in entries(object)?.into_iter().enumerate() {
            let guessed = self
                .columns
                .get(position)
                .is_some_and(|column| column.name == key);
            let place = if guessed {
                Some(position)
            } else {
                self.places.get(&*key).copied()
            };
            if let Some(place) = place {
                self.columns[place].push(Some(value), count)?;
                self.filled[place] = self.rows;
            }
        }
        self.fill(count)
    }

    fn push_null(&mut self, count: &mut Count) -> Result<(), JsonProblem> {
        self.rows += 1;
        self.fill(count)
    }

    fn fill(&mut self, count: &mut Count) -> Result<(), JsonProblem> {
        for (column, filled) in self.columns.iter_mut().zip(&mut self.filled) {
            if *filled < self.rows {
                column.push(None, count)?;
                *filled = self.rows;
            }
        }
        Ok(())
    }

    /// The columns so far; they begin anew.
    pub(super) fn finish(&mut self) -> Result<Vec<ArrayRef>, ArrowError> {
        self.rows = 0;
        self.filled.fill(0);
        self.columns.iter_mut().map(JsonColumn::finish).collect()
    }
}

impl JsonColumn {
    fn new(name: &str, data_type: &DataType) -> Option<Self> {
        let values = match data_type {
            DataType::List(field) | DataType::LargeList(field) => {
                Values::List(Box::new(ListValues {
                    items: Self::new(&format!("{name}.[]"), field.data_type())?,
                    field: Arc::clone(field),
                    lengths: Vec::new(),
                    present: NullBufferBuilder::new(0),
                }))
            }
            DataType::Struct(fields) => Values::Object(Box::new(ObjectValues {
                objects: Objects::new(fields).ok()?,
                fields: fields.clone(),
                present: NullBufferBuilder::new(0),
            })),
            scalar => Values::Scalar(ColumnBuilder::new(scalar)?),
        };
        Some(Self {
            name: name.to_owned(),
            data_type: data_type.clone(),
            values,
        })
    }

    fn push(&mut self, value: Option<&RawValue>, count: &mut Count) -> Result<(), JsonProblem> {
        count.add()?;
        let value = value.filter(|value| form(value) != Form::Null);
        match &mut self.values {
            Values::List(list) => list.push(value, &self.name, count),
            Values::Object(object) => object.push(value, &self.name, count),
            Values::Scalar(builder) => {
                let Some(value) = value else {
                    return builder
                        .push(None)
                        .map_err(|expected| wrong(&self.name, None, expected));
                };
                let pushed = match scalar(value, &self.data_type)? {
                    Some(text) => builder.push(Some(&text)),
                    None => Err(expected(&self.data_type)),
                };
                pushed.map_err(|expected| wrong(&self.name, Some(value), expected))
            }
        }
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        match &mut self.values {
            Values::Scalar(builder) => builder.finish(),
            Values::List(list) if matches!(self.data_type, DataType::LargeList(_)) => {
                list.finish::<i64>()
            }
            Values::List(list) => list.finish::<i32>(),
            Values::Object(object) => object.finish(),
        }
    }
}

impl ListValues {
    fn push(
        &mut self,
        value: Option<&RawValue>,
        name: &str,
        count: &mut Count,
    ) -> Result<(), JsonProblem> {
        self.present.append(value.is_some());
        let Some(value) = value else {
            self.lengths.push(0);
            return Ok(());
        };
        if form(value) != Form::List {
            return Err(wrong(name, Some(value), "an array".to_owned()));
        }
        let mut length = 0;
        each_item(value, |item| {
            length += 1;
            self.items.push(Some(item), count)
        })?;
        self.lengths.push(length);
        Ok(())
    }

    fn finish<O: OffsetSizeTrait>(&mut self) -> Result<ArrayRef, ArrowError> {
        let items = self.items.finish()?;
        let beyond = || ArrowError::OffsetOverflowError(items.len());
        let mut offsets = vec![O::zero()];
        let mut end = 0;
        for length in self.lengths.drain(..) {
            end += length;
            offsets.push(O::from_usize(end).ok_or_else(beyond)?);
        }
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let present = self.present.finish();
        let list =
            GenericListArray::<O>::try_new(Arc::clone(&self.field), offsets, items, present)?;
        Ok(Arc::new(list))
    }
}

impl ObjectValues {
    fn push(
        &mut self,
        value: Option<&RawValue>,
        name: &str,
        count: &mut Count,
    ) -> Result<(), JsonProblem> {
        self.present.append(value.is_some());
        match value {
            None => self.objects.push_null(count),
            Some(value) if form(value) == Form::Object => self.objects.push(value.get(), count),
            Some(value) => Err(wrong(name, Some(value), "an object".to_owned())),
        }
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let rows = self.objects.rows;
        let (columns, present) = (self.objects.finish()?, self.present.finish());
        let fields = self.fields.clone();
        Ok(Arc::new(StructArray::try_new_with_length(
            fields, columns, present, rows,
        )?))
    }
}

/// The text that a builder of the type reads; `None` for a value that cannot be of it.
fn scalar<'a>(
    value: &'a RawValue,
    data_type: &DataType,
) -> Result<Option<Cow<'a, str>>, JsonProblem> {
    let written = value.get();
    Ok(match form(value) {
        Form::Text => Some(text(value)?),
        Form::Number => number(written, data_type),
        Form::Object if is_text(data_type) && entries(written)?.is_empty() => {
            Some(Cow::Borrowed("{}"))
        }
        Form::List | Form::Object => None,
        Form::Boolean | Form::Null => Some(Cow::Borrowed(written)),
    })
}

fn number<'a>(written: &'a str, data_type: &DataType) -> Option<Cow<'a, str>> {
    if data_type.is_floating() {
        // What is beyond a float's range is no infinity.
        let is_finite = written.parse::<f64>().is_ok_and(f64::is_finite);
        return is_finite.then_some(Cow::Borrowed(written));
    }
    if data_type.is_numeric() {
        return Digits::of(written).plain().map(Cow::Owned);
    }
    Some(Cow::Borrowed(written))
}

fn is_text(data_type: &DataType) -> bool {
    use DataType as T;
    match data_type {
        T::Dictionary(_, values) => is_text(values),
        other => matches!(other, T::Utf8 | T::LargeUtf8 | T::Utf8View),
    }
}

fn wrong(column: &str, value: Option<&RawValue>, expected: String) -> JsonProblem {
    let value = value.map_or("null", RawValue::get);
    JsonProblem::WrongValue {
        column: column.to_owned(),
        value: value.chars().take(MAX_SHOWN_CHARS).collect(),
        expected,
    }
}
