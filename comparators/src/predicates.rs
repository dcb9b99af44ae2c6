//! Predicates of rules over rows that differ: what they are asked about, and who answers.
//!
//! The engine knows no SQL. Whoever starts a comparison hands it something that does, and rows as record batches.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use understudy_core::comparison::{RowChange, RowDifference};
use understudy_core::rule::Rule;
use understudy_core::value::Value;
use understudy_tables::{ArrayError, array_of, array_type};

use crate::align::{AlignedColumn, Alignment};
use crate::both::{Both, Side};

/// What a column of the old or the new row begins with in the schema that a predicate is bound to.
pub const OLD_PREFIX: &str = "old.";
/// The same for the new row.
pub const NEW_PREFIX: &str = "new.";

/// Understands the texts of predicates.
pub trait Predicates: fmt::Debug + Sync {
    /// Binds a predicate to rows of a schema: the key columns by their names, then the compared columns of the old
    /// row and of the new row, their names behind [`OLD_PREFIX`] and [`NEW_PREFIX`]. Of a row that stands on one side
    /// only, the columns of the other are NULL.
    ///
    /// # Errors
    /// A predicate that is none, or none for these columns.
    fn bind(&self, predicate: &str, schema: &SchemaRef) -> Result<Bound, PredicateError>;
}

/// A predicate that is bound: says for each row of a batch whether it holds; NULL is no.
pub type Bound = Box<dyn Fn(&RecordBatch) -> Result<BooleanArray, PredicateError>>;

/// A predicate that cannot be used, or that failed on some row.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct PredicateError {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl PredicateError {
    /// Says what is wrong.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }
}

impl From<ArrayError> for PredicateError {
    fn from(error: ArrayError) -> Self {
        Self {
            message: "a row cannot be given to it".to_owned(),
            source: Some(error.into()),
        }
    }
}

/// The predicates of a comparison's rules, bound to its columns.
pub(crate) struct RulePredicates {
    /// By the rule's position.
    bound: BTreeMap<usize, Bound>,
    rules: usize,
    columns: Vec<Given>,
    schema: SchemaRef,
}

impl fmt::Debug for RulePredicates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.bound.keys()).finish()
    }
}

/// A column that predicates see.
#[derive(Debug)]
struct Given {
    part: Part,
    /// The position among the key columns, or among the compared ones.
    position: usize,
    data_type: DataType,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Key,
    Row(Side),
}

/// A row that differs, with all that its rows say.
#[derive(Debug)]
pub(crate) struct SeenRow {
    pub(crate) difference: RowDifference,
    pub(crate) lot: u128,
    /// The cells of a pair; those of a row that stands alone are in the difference.
    pub(crate) cells: Option<Both<Vec<Value>>>,
}

impl RulePredicates {
    /// Binds them; the error names the rule.
    pub(crate) fn bind(
        rules: &[Rule],
        alignment: &Alignment,
        predicates: Option<&dyn Predicates>,
    ) -> Result<Self, (String, PredicateError)> {
        let (columns, schema) = given(alignment);
        let mut bound = BTreeMap::new();
        for (position, rule) in rules.iter().enumerate() {
            let Some(text) = &rule.predicate else {
                continue;
            };
            let wrong = |error| (rule.name.clone(), error);
            let unknown = || wrong(PredicateError::new("nothing here understands predicates"));
            let predicates = predicates.ok_or_else(unknown)?;
            bound.insert(position, predicates.bind(text, &schema).map_err(wrong)?);
        }
        Ok(Self {
            bound,
            rules: rules.len(),
            columns,
            schema,
        })
    }

    /// Whether no rule has one.
    pub(crate) fn is_empty(&self) -> bool {
        self.bound.is_empty()
    }

    /// For each row, for which rules it meets the predicate; the position of the rule that failed otherwise.
    pub(crate) fn met(&self, rows: &[SeenRow]) -> Result<Vec<Vec<bool>>, (usize, PredicateError)> {
        let mut met = vec![vec![false; self.rules]; rows.len()];
        let mut bound = self.bound.iter().peekable();
        let Some((first, _)) = bound.peek() else {
            return Ok(met);
        };
        let batch = self.batch(rows).map_err(|error| (**first, error))?;
        for (rule, predicate) in bound {
            let holds = predicate(&batch).map_err(|error| (*rule, error))?;
            for (row, met) in met.iter_mut().enumerate() {
                met[*rule] = holds.is_valid(row) && holds.value(row);
            }
        }
        Ok(met)
    }

    fn batch(&self, rows: &[SeenRow]) -> Result<RecordBatch, PredicateError> {
        let column = |given: &Given| -> Result<ArrayRef, ArrayError> {
            let values: Vec<&Value> = rows.iter().map(|row| given.of(row)).collect();
            array_of(&values, &given.data_type)
        };
        let columns: Result<Vec<ArrayRef>, ArrayError> = self.columns.iter().map(column).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let schema = Arc::clone(&self.schema);
        RecordBatch::try_new_with_options(schema, columns?, &options)
            .map_err(|error| ArrayError::from(error).into())
    }
}

impl Given {
    fn of<'r>(&self, row: &'r SeenRow) -> &'r Value {
        const NULL: &Value = &Value::Null;
        let cells = match (self.part, &row.difference.change) {
            (Part::Key, _) => Some(&row.difference.key),
            (Part::Row(Side::Old), RowChange::OnlyOld(cells))
            | (Part::Row(Side::New), RowChange::OnlyNew(cells)) => Some(cells),
            (Part::Row(side), RowChange::Cells(_)) => {
                row.cells.as_ref().map(|cells| cells.get(side))
            }
            (Part::Row(_), _) => None,
        };
        cells
            .and_then(|cells| cells.get(self.position))
            .unwrap_or(NULL)
    }
}

/// The columns that predicates see: those whose values make an array. A key has the old table's type.
fn given(alignment: &Alignment) -> (Vec<Given>, SchemaRef) {
    let mut columns = Vec::new();
    let mut fields = Vec::new();
    let mut give = |part: Part, position: usize, name: String, data_type: &DataType| {
        if let Some(data_type) = array_type(data_type) {
            fields.push(Field::new(name, data_type.clone(), true));
            columns.push(Given {
                part,
                position,
                data_type,
            });
        }
    };
    let type_of = |column: &AlignedColumn, side: Side| {
        let schema = alignment.schemas.get(side);
        schema.field(*column.position.get(side)).data_type().clone()
    };
    for (position, column) in alignment.key.iter().enumerate() {
        let name = alignment.layout.key[position].name.clone();
        give(Part::Key, position, name, &type_of(column, Side::Old));
    }
    for (side, prefix) in [(Side::Old, OLD_PREFIX), (Side::New, NEW_PREFIX)] {
        for (position, column) in alignment.columns.iter().enumerate() {
            let name = format!("{prefix}{}", alignment.layout.columns[position].name);
            give(Part::Row(side), position, name, &type_of(column, side));
        }
    }
    (columns, Arc::new(Schema::new(fields)))
}
