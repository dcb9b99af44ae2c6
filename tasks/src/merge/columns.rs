//! The columns of what is merged: their names, and types that hold every input's values.

use arrow::datatypes::DataType;
use understudy_tables::columns::logical;

use super::MergeError;
use crate::TaskInput;

/// A column of a union.
pub(super) struct UnionColumn {
    pub(super) name: String,
    pub(super) data_type: DataType,
    /// The inputs that lack it.
    pub(super) lacking: Vec<String>,
}

/// The columns of a join.
pub(super) struct JoinColumns {
    pub(super) grain: Vec<(String, DataType)>,
    /// By input: its name, and its columns beside the grain.
    pub(super) inputs: Vec<(String, Vec<String>)>,
}

/// The columns of all inputs, in the order in which they come up.
pub(super) fn of_union(inputs: &[TaskInput]) -> Result<Vec<UnionColumn>, MergeError> {
    let mut columns: Vec<UnionColumn> = Vec::new();
    for input in inputs {
        for field in input.schema.fields() {
            if columns.iter().any(|column| column.name == *field.name()) {
                continue;
            }
            columns.push(UnionColumn {
                name: field.name().clone(),
                data_type: common_type(inputs, field.name())?,
                lacking: lacking(inputs, field.name()),
            });
        }
    }
    Ok(columns)
}

/// The grain, which every input has, and the other columns, which one input has each.
pub(super) fn of_join(inputs: &[TaskInput], grain: &[String]) -> Result<JoinColumns, MergeError> {
    for column in grain {
        if let Some(input) = lacking(inputs, column).into_iter().next() {
            let column = column.clone();
            return Err(MergeError::NoGrain { input, column });
        }
    }
    let mut seen: Vec<(&str, &str)> = Vec::new();
    let mut by_input = Vec::new();
    for input in inputs {
        let names = input.schema.fields().iter().map(|field| field.name());
        let own: Vec<&String> = names.filter(|name| !grain.contains(name)).collect();
        for name in &own {
            if let Some((_, first)) = seen.iter().find(|(column, _)| column == name) {
                return Err(MergeError::ColumnTwice {
                    column: (*name).clone(),
                    first: (*first).to_owned(),
                    second: input.name.clone(),
                });
            }
        }
        seen.extend(own.iter().map(|name| (name.as_str(), input.name.as_str())));
        by_input.push((input.name.clone(), own.into_iter().cloned().collect()));
    }
    let typed = |column: &String| Ok((column.clone(), common_type(inputs, column)?));
    Ok(JoinColumns {
        grain: grain.iter().map(typed).collect::<Result<_, MergeError>>()?,
        inputs: by_input,
    })
}

fn lacking(inputs: &[TaskInput], column: &str) -> Vec<String> {
    let lacking = inputs
        .iter()
        .filter(|input| input.schema.column_with_name(column).is_none());
    lacking.map(|input| input.name.clone()).collect()
}

/// A type that holds the values of a column in every input that has it, each of them exactly.
fn common_type(inputs: &[TaskInput], column: &str) -> Result<DataType, MergeError> {
    let mut common: Option<(DataType, &str)> = None;
    for input in inputs {
        let Some((_, field)) = input.schema.column_with_name(column) else {
            continue;
        };
        let own = logical(field.data_type());
        common = Some(match common {
            None => (own, &input.name),
            Some((before, first)) => match wider(&before, &own) {
                Some(wider) => (wider, first),
                None => {
                    return Err(MergeError::TypesDiffer {
                        column: column.to_owned(),
                        first: first.to_owned(),
                        first_type: before,
                        second: input.name.clone(),
                        second_type: own,
                    });
                }
            },
        });
    }
    Ok(common.map_or(DataType::Null, |(data_type, _)| data_type))
}

/// The type of the two that holds the other's values; never a float for integers or decimals.
fn wider(first: &DataType, second: &DataType) -> Option<DataType> {
    if first == second || *second == DataType::Null {
        return Some(first.clone());
    }
    if *first == DataType::Null {
        return Some(second.clone());
    }
    let (first_rank, second_rank) = (rank(first)?, rank(second)?);
    if first_rank.0 != second_rank.0 {
        return None;
    }
    Some(
        if first_rank.1 >= second_rank.1 {
            first
        } else {
            second
        }
        .clone(),
    )
}

/// A family of types, and the place in it: a later one holds all values of an earlier one.
fn rank(data_type: &DataType) -> Option<(char, u8)> {
    use DataType as T;
    Some(match data_type {
        T::Int8 => ('i', 1),
        T::Int16 => ('i', 2),
        T::Int32 => ('i', 3),
        T::Int64 => ('i', 4),
        T::UInt8 => ('u', 1),
        T::UInt16 => ('u', 2),
        T::UInt32 => ('u', 3),
        T::UInt64 => ('u', 4),
        T::Float16 => ('f', 1),
        T::Float32 => ('f', 2),
        T::Float64 => ('f', 3),
        _ => return None,
    })
}
