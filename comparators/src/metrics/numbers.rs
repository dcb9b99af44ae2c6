//! Cells of numbers, exact.

use arrow::array::{Array, ArrayRef};
use arrow::compute::cast;
use arrow::datatypes::{DataType, i256};

use crate::align::domain::{Domain, decoded, pair_types};
use crate::comparator::CheckError;
use crate::scalar::{Scalar, visit_scalars};

/// A number.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Number {
    /// An integer, or a decimal's digits at its column's scale.
    Exact(i256),
    /// A float.
    Float(f64),
}

/// A column of numbers.
#[derive(Clone, Debug)]
pub(super) struct NumberColumn {
    domain: Domain,
    plain: DataType,
}

impl NumberColumn {
    pub(super) fn of(column: &str, data_type: &DataType) -> Result<Self, CheckError> {
        let plain = decoded(data_type).clone();
        let domain = pair_types(&plain, &plain).map(|(domain, _)| domain);
        match domain {
            Some(domain @ (Domain::Integer | Domain::Decimal { .. } | Domain::Float)) => {
                Ok(Self { domain, plain })
            }
            // A column of NULLs only has no number, and is none that could not have one.
            Some(domain @ Domain::Null) => Ok(Self { domain, plain }),
            _ => Err(CheckError::Misfit {
                column: column.to_owned(),
                problem: format!("is {plain}, and only numbers are summed up and sorted"),
            }),
        }
    }

    /// The digits after the point of its exact numbers.
    pub(super) fn scale(&self) -> i64 {
        match self.domain {
            Domain::Decimal { scale } => scale.into(),
            _ => 0,
        }
    }

    /// Whether its floats have 32 bits or less.
    pub(super) fn is_narrow_float(&self) -> bool {
        matches!(self.plain, DataType::Float16 | DataType::Float32)
    }

    /// Whether its numbers are floats.
    pub(super) fn is_float(&self) -> bool {
        self.domain == Domain::Float
    }

    /// Shows each row that has a number.
    pub(super) fn visit(
        &self,
        array: &ArrayRef,
        visit: &mut impl FnMut(usize, Number),
    ) -> Result<(), CheckError> {
        if self.domain == Domain::Null {
            return Ok(());
        }
        let plain;
        let array = if *array.data_type() == self.plain {
            array
        } else {
            plain = cast(array, &self.plain).map_err(|error| CheckError::Other(error.into()))?;
            &plain
        };
        let is_float = self.is_float();
        visit_scalars(&self.domain, array as &dyn Array, &mut |row, scalar| {
            let number = match scalar {
                Scalar::Null => return,
                Scalar::Word(word) if is_float => {
                    Number::Float(f64::from_bits(word.cast_unsigned()))
                }
                Scalar::Word(word) => Number::Exact(i256::from_i128(word.into())),
                Scalar::Wide(wide) => Number::Exact(i256::from_i128(wide)),
                // At its own scale, nothing is off it.
                Scalar::Huge(huge) | Scalar::OffScale(huge, _) => Number::Exact(huge),
            };
            visit(row, number);
        });
        Ok(())
    }
}
