//! From a query's text to one statement that is a query over the inputs, with its parameters put in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::ControlFlow;

use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::resolve::resolve_table_references;
use datafusion::sql::sqlparser::ast::{
    DataType, Expr, ObjectName, Select, Statement as SqlStatement, TableFactor, TypedString, Value,
    VisitMut, VisitorMut,
};
use understudy_core::spec::Param;
use understudy_sabotage::Sabotage;

use super::{SqlError, SqlTask};
use crate::TaskInput;

/// The parameter that every query has.
const RUN_DATE: &str = "run_date";

/// Parses the task's SQL, refuses what is no query over its inputs and puts the parameters in.
pub(super) fn prepare(task: &SqlTask, inputs: &[TaskInput]) -> Result<Statement, SqlError> {
    let mut statement = parse(&task.sql)?;
    if !Sabotage::AnyStatement.is_on() {
        require_queries_within(&mut statement)?;
    }
    if !Sabotage::AnyTable.is_on() {
        require_inputs(&statement, inputs)?;
    }
    let values = values(task)?;
    let used = put_in(&mut statement, &values)?;
    require_used(task, &used)?;
    Ok(statement)
}

fn parse(sql: &str) -> Result<Statement, SqlError> {
    let parser = DFParserBuilder::new(sql).build();
    let statements = parser
        .and_then(|mut parser| parser.parse_statements())
        .map_err(SqlError::parsing)?;
    let mut statements: Vec<_> = statements.into();
    match (statements.len(), statements.pop()) {
        (_, None) => Err(SqlError::NoQuery),
        (1, Some(statement)) if is_query(&statement) => Ok(statement),
        (1, Some(statement)) => Err(SqlError::NotAQuery {
            statement: first_word(&statement),
        }),
        (count, Some(_)) => Err(SqlError::SeveralStatements { count }),
    }
}

fn is_query(statement: &Statement) -> bool {
    if Sabotage::AnyStatement.is_on() {
        return true;
    }
    match statement {
        Statement::Statement(statement) => matches!(statement.as_ref(), SqlStatement::Query(_)),
        _ => false,
    }
}

fn first_word(statement: &impl Display) -> String {
    statement
        .to_string()
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_uppercase()
}

/// Refuses what would write and stands inside a query: `WITH … INSERT`, `SELECT … INTO`.
fn require_queries_within(statement: &mut Statement) -> Result<(), SqlError> {
    let Statement::Statement(statement) = statement else {
        return Ok(());
    };
    match VisitMut::visit(statement.as_mut(), &mut QueriesOnly) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(statement) => Err(SqlError::NotAQuery { statement }),
    }
}

struct QueriesOnly;

impl VisitorMut for QueriesOnly {
    type Break = String;

    fn pre_visit_statement(&mut self, statement: &mut SqlStatement) -> ControlFlow<String> {
        match statement {
            SqlStatement::Query(_) => ControlFlow::Continue(()),
            other => ControlFlow::Break(first_word(other)),
        }
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<String> {
        match select.into {
            None => ControlFlow::Continue(()),
            Some(_) => ControlFlow::Break("SELECT INTO".to_owned()),
        }
    }
}

/// Refuses tables that are no inputs. A name with dots would leave the inputs for another schema.
fn require_inputs(statement: &Statement, inputs: &[TaskInput]) -> Result<(), SqlError> {
    let (tables, _) = resolve_table_references(statement, true).map_err(SqlError::parsing)?;
    let functions = table_functions(statement);
    for table in tables {
        let name = table.to_string();
        let known =
            table.schema().is_none() && inputs.iter().any(|input| input.name == table.table());
        if !known && !functions.contains(&name) {
            let inputs = inputs.iter().map(|input| input.name.clone()).collect();
            return Err(SqlError::NoSuchInput { name, inputs });
        }
    }
    Ok(())
}

/// The names that stand before parentheses in a FROM: functions such as `generate_series`, not tables.
fn table_functions(statement: &Statement) -> BTreeSet<String> {
    let mut finder = FunctionFinder(BTreeSet::new());
    if let Statement::Statement(statement) = statement {
        let ControlFlow::Continue(()) = VisitMut::visit(&mut statement.clone(), &mut finder);
    }
    finder.0
}

struct FunctionFinder(BTreeSet<String>);

impl VisitorMut for FunctionFinder {
    type Break = std::convert::Infallible;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Self::Break> {
        if let TableFactor::Table {
            name: ObjectName(parts),
            args: Some(_),
            ..
        } = factor
        {
            let name = parts
                .iter()
                .map(|part| part.to_string().to_lowercase())
                .collect::<Vec<_>>();
            self.0.insert(name.join("."));
        }
        ControlFlow::Continue(())
    }
}

/// What each `$name` stands for, as an expression.
fn values(task: &SqlTask) -> Result<BTreeMap<String, Expr>, SqlError> {
    if task.params.contains_key(RUN_DATE) {
        return Err(SqlError::ReservedParam);
    }
    let params = task
        .params
        .iter()
        .map(|(name, param)| (name.clone(), literal(param)));
    let run_date = typed(DataType::Date, task.run_date.to_string());
    Ok(params.chain([(RUN_DATE.to_owned(), run_date)]).collect())
}

/// A typed literal: a plain number would mean a position in ORDER BY and GROUP BY.
fn literal(param: &Param) -> Expr {
    match param {
        Param::Boolean(value) => Expr::Value(Value::Boolean(*value).into()),
        Param::Integer(value) => typed(DataType::BigInt(None), value.to_string()),
        Param::Float(value) => typed(DataType::DoublePrecision, format!("{value:?}")),
        Param::Text(value) => Expr::Value(Value::SingleQuotedString(value.clone()).into()),
    }
}

fn typed(data_type: DataType, text: String) -> Expr {
    let value = Value::SingleQuotedString(text).into();
    Expr::TypedString(TypedString {
        data_type,
        value,
        uses_odbc_syntax: false,
    })
}

/// Puts the values in; the names that were used.
fn put_in(
    statement: &mut Statement,
    values: &BTreeMap<String, Expr>,
) -> Result<BTreeSet<String>, SqlError> {
    let mut binder = Binder {
        values,
        used: BTreeSet::new(),
    };
    let Statement::Statement(statement) = statement else {
        return Ok(binder.used);
    };
    match VisitMut::visit(statement.as_mut(), &mut binder) {
        ControlFlow::Continue(()) => Ok(binder.used),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Binder<'a> {
    values: &'a BTreeMap<String, Expr>,
    used: BTreeSet<String>,
}

impl VisitorMut for Binder<'_> {
    type Break = SqlError;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<SqlError> {
        let Expr::Value(value) = expr else {
            return ControlFlow::Continue(());
        };
        let Value::Placeholder(placeholder) = &value.value else {
            return ControlFlow::Continue(());
        };
        let name = placeholder
            .strip_prefix('$')
            .unwrap_or(placeholder)
            .to_owned();
        match self.values.get(&name) {
            Some(value) => {
                *expr = value.clone();
                self.used.insert(name);
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(SqlError::NoSuchParam {
                name: placeholder.clone(),
                params: self.values.keys().map(|name| format!("${name}")).collect(),
            }),
        }
    }
}

/// A parameter that is given and not used is a slip: a name misspelt, or a version that forgot it.
fn require_used(task: &SqlTask, used: &BTreeSet<String>) -> Result<(), SqlError> {
    match task.params.keys().find(|name| !used.contains(*name)) {
        Some(name) => Err(SqlError::UnusedParam { name: name.clone() }),
        None => Ok(()),
    }
}
