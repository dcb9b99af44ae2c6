//! A predicate over the rows of a table, as rules have them: one SQL expression that is true, false or NULL.
//!
//! It sees the columns that it is given and nothing else: no table, no query, no function whose result is not in its
//! arguments, such as a clock. As in SQL, names without double quotes are read in lower case.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::prep_null_mask_filter;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{DFSchema, TableReference};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::{Expr, ExprSchemable, Volatility};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::prelude::SessionConfig;
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, Ident, VisitMut, VisitorMut};

use crate::sql::{SqlError, expression_functions};

/// The most bytes of a predicate's text. A deep expression takes the engine's stack.
const MAX_TEXT_BYTES: usize = 16 << 10;

/// A predicate, bound to the columns of a schema.
#[derive(Debug)]
pub struct RowPredicate {
    expression: Arc<dyn PhysicalExpr>,
    schema: SchemaRef,
}

impl RowPredicate {
    /// Binds a predicate to a schema. A column whose name has a dot is seen as the part behind it, of the table
    /// before it (`old.price`), if that is one of `tables`; the others are seen by their names, with or without one
    /// of those tables before them.
    ///
    /// # Errors
    /// What is no predicate, or none over these columns.
    pub fn bind(text: &str, schema: &SchemaRef, tables: &[&str]) -> Result<Self, SqlError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(SqlError::wrong(format!(
                "a predicate has at most {MAX_TEXT_BYTES} bytes, and this one has {}",
                text.len()
            )));
        }
        let state = state();
        let seen = seen_schema(schema, tables)?;
        let dialect = state.config().options().sql_parser.dialect;
        let mut parsed = state
            .sql_to_expr_with_alias(text, &dialect)
            .map_err(SqlError::parsing)?;
        if parsed.alias.is_some() {
            return Err(SqlError::wrong("a predicate has no alias".to_owned()));
        }
        let mut shared = Shared {
            names: shared_names(schema, tables),
            tables,
        };
        let _ = VisitMut::visit(&mut parsed.expr, &mut shared);
        let known = expression_functions(&state);
        let wrong = |error| SqlError::planning(error, &known);
        let logical = state
            .create_logical_expr_from_sql_expr(parsed, &seen)
            .map_err(wrong)?;
        require_of_row(&logical)?;
        let data_type = logical.get_type(&seen).map_err(wrong)?;
        if !matches!(data_type, DataType::Boolean | DataType::Null) {
            return Err(SqlError::wrong(format!(
                "it gives a value of type {data_type}, and a predicate is true or false"
            )));
        }
        let expression = state.create_physical_expr(logical, &seen).map_err(wrong)?;
        Ok(Self {
            expression,
            schema: Arc::clone(schema),
        })
    }

    /// For each row whether it holds; NULL is no.
    ///
    /// # Errors
    /// Rows of another schema, or a row on which it fails, such as a division by zero.
    pub fn holds(&self, rows: &RecordBatch) -> Result<BooleanArray, SqlError> {
        if rows.schema_ref().fields() != self.schema.fields() {
            return Err(SqlError::wrong("the rows have other columns".to_owned()));
        }
        let value = self.expression.evaluate(rows).map_err(SqlError::running)?;
        let array = value
            .into_array(rows.num_rows())
            .map_err(SqlError::running)?;
        match array.data_type() {
            DataType::Boolean => {
                let array = array.as_boolean();
                Ok(match array.null_count() {
                    0 => array.clone(),
                    _ => prep_null_mask_filter(array),
                })
            }
            _ => Ok(BooleanArray::from(vec![false; rows.num_rows()])),
        }
    }
}

fn state() -> SessionState {
    let mut config = SessionConfig::new().with_information_schema(false);
    let options = config.options_mut();
    options.execution.time_zone = Some("UTC".to_owned());
    options.sql_parser.map_string_types_to_utf8view = false;
    options.sql_parser.collect_spans = true;
    SessionStateBuilder::new()
        .with_config(config)
        .with_default_features()
        .with_table_factories(std::collections::HashMap::new())
        .with_file_formats(Vec::new())
        .with_table_function_list(Vec::new())
        .build()
}

/// The table and the name under which a column is seen.
fn seen<'a>(name: &'a str, tables: &[&'a str]) -> (Option<&'a str>, &'a str) {
    match name.split_once('.') {
        Some((table, name)) if tables.contains(&table) => (Some(table), name),
        _ => (None, name),
    }
}

fn seen_schema(schema: &SchemaRef, tables: &[&str]) -> Result<DFSchema, SqlError> {
    let fields = schema.fields().iter().map(|field| {
        let (table, name) = seen(field.name(), tables);
        let named = field.as_ref().clone().with_name(name);
        (table.map(TableReference::bare), Arc::new(named))
    });
    DFSchema::new_with_metadata(fields.collect(), schema.metadata().clone())
        .map_err(|error| SqlError::planning(error, &[]))
}

/// The columns that belong to no table.
fn shared_names(schema: &SchemaRef, tables: &[&str]) -> Vec<String> {
    let fields = schema.fields().iter();
    let shared = fields.filter(|field| seen(field.name(), tables).0.is_none());
    shared.map(|field| field.name().clone()).collect()
}

/// Takes the table from columns that belong to none, so that a key can be written with either.
struct Shared<'a> {
    names: Vec<String>,
    tables: &'a [&'a str],
}

impl Shared<'_> {
    fn is_shared(&self, parts: &[Ident]) -> bool {
        let text = |ident: &Ident| match ident.quote_style {
            Some(_) => ident.value.clone(),
            None => ident.value.to_lowercase(),
        };
        match parts {
            [table, name] => {
                self.tables.contains(&text(table).as_str()) && self.names.contains(&text(name))
            }
            _ => false,
        }
    }
}

impl VisitorMut for Shared<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expression: &mut SqlExpr) -> ControlFlow<()> {
        if let SqlExpr::CompoundIdentifier(parts) = expression
            && self.is_shared(parts)
            && let Some(name) = parts.pop()
        {
            *expression = SqlExpr::Identifier(name);
        }
        ControlFlow::Continue(())
    }
}

/// Refuses what is not a function of one row.
fn require_of_row(expression: &Expr) -> Result<(), SqlError> {
    let mut refused = None;
    let walked = expression.apply(|part| {
        refused = refused.take().or_else(|| refusal(part));
        Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue)
    });
    walked.map_err(SqlError::running)?;
    refused.map_or(Ok(()), |why| Err(SqlError::wrong(why)))
}

fn refusal(part: &Expr) -> Option<String> {
    match part {
        Expr::ScalarFunction(call) if call.func.signature().volatility != Volatility::Immutable => {
            Some(format!(
                "`{}` gives something else each time or day; write a value instead",
                call.func.name()
            ))
        }
        Expr::AggregateFunction(_) | Expr::WindowFunction(_) => {
            Some("a predicate looks at one row, and cannot count over several".to_owned())
        }
        Expr::ScalarSubquery(_)
        | Expr::InSubquery(_)
        | Expr::Exists(_)
        | Expr::SetComparison(_) => Some("a predicate has no query inside".to_owned()),
        Expr::Placeholder(_) => Some("a predicate has no parameters".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
    use arrow::datatypes::{Field, Schema};

    fn rows() -> RecordBatch {
        let columns: Vec<(&str, ArrayRef)> = vec![
            (
                "carrier",
                Arc::new(StringArray::from(vec!["AS", "VX", "AS"])),
            ),
            ("Odd Name", Arc::new(Int64Array::from(vec![1, 2, 3]))),
            (
                "old.delay",
                Arc::new(Float64Array::from(vec![Some(1.5), None, Some(3.0)])),
            ),
            ("old.n", Arc::new(Int64Array::from(vec![0, 1, 2]))),
            (
                "new.delay",
                Arc::new(Float64Array::from(vec![Some(1.5), Some(2.0), Some(9.0)])),
            ),
            ("new.n", Arc::new(Int64Array::from(vec![0, 1, 2]))),
        ];
        let fields: Vec<Field> = columns
            .iter()
            .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
            .collect();
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
    }

    fn holds(text: &str) -> Result<Vec<bool>, String> {
        let rows = rows();
        let bound = RowPredicate::bind(text, &rows.schema(), &["old", "new"]);
        let held = bound.and_then(|bound| bound.holds(&rows));
        let held = held.map_err(|error| error.to_string())?;
        assert_eq!(held.null_count(), 0);
        Ok(held.iter().flatten().collect())
    }

    #[test]
    fn it_sees_both_rows_and_the_key() {
        for (text, expected) in [
            ("new.delay > old.delay", [false, false, true]),
            ("old.delay is null", [false, true, false]),
            ("carrier = 'AS' and new.n >= 2", [false, false, true]),
            ("old.carrier = new.carrier", [true, true, true]),
            ("\"Odd Name\" in (1, 3)", [true, false, true]),
            ("abs(new.delay - old.delay) <= 0.5", [true, false, false]),
            ("null", [false; 3]),
            ("true", [true; 3]),
            ("NEW.DELAY = 2", [false, true, false]),
            ("carrier like '%X' or starts_with(carrier, 'A')", [true; 3]),
        ] {
            assert_eq!(holds(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_predicate_over_a_row_is_told() {
        for (text, part) in [
            ("new.dely > 1", "delay"),
            ("delay > 1", "delay"),
            ("old.n + 1", "true or false"),
            ("old.n = ", ""),
            ("random() > 0.5", "something else each time"),
            ("now() > '2020-01-01'", "something else each time"),
            ("max(old.n) > 1", "several"),
            ("old.n in (select 1)", "query"),
            ("exists (select 1)", "query"),
            ("old.n = $x", "param"),
            ("nosuch(old.n)", "nosuch"),
            ("old.n = 1 as x", "alias"),
            ("1 / old.n > 0", "zero"),
        ] {
            let told = holds(text).unwrap_err();
            assert!(told.contains(part), "{text}: {told}");
        }
    }

    #[test]
    fn a_deep_or_long_predicate_is_refused() {
        let deep = format!("{}true{}", "(".repeat(5_000), ")".repeat(5_000));
        holds(&deep).unwrap_err();
        let nots = format!("{} true", "not ".repeat(3_000));
        holds(&nots).unwrap_err();
        let long = vec!["old.n = 1"; 5_000].join(" or ");
        assert!(holds(&long).unwrap_err().contains("bytes"));
    }
}
