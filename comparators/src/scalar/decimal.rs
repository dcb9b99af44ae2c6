//! Decimals, and integers among them, at one scale.

use arrow::array::Array;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type, i256,
};

use super::{Scalar, visit_primitives};

/// Shows each cell at a scale that is not smaller than the array's own.
pub(super) fn visit_decimals(scale: i8, array: &dyn Array, visit: &mut impl FnMut(usize, Scalar)) {
    match array.data_type() {
        DataType::Decimal32(_, own) => visit_narrow::<Decimal32Type>(*own, scale, array, visit),
        DataType::Decimal64(_, own) => visit_narrow::<Decimal64Type>(*own, scale, array, visit),
        DataType::Decimal128(_, own) => visit_narrow::<Decimal128Type>(*own, scale, array, visit),
        DataType::Decimal256(_, own) => {
            let scaler = Scaler::new(*own, scale);
            visit_primitives::<Decimal256Type>(array, |value| scaler.huge(value), visit);
        }
        DataType::Int8 => visit_narrow::<Int8Type>(0, scale, array, visit),
        DataType::Int16 => visit_narrow::<Int16Type>(0, scale, array, visit),
        DataType::Int32 => visit_narrow::<Int32Type>(0, scale, array, visit),
        DataType::Int64 => visit_narrow::<Int64Type>(0, scale, array, visit),
        DataType::UInt8 => visit_narrow::<UInt8Type>(0, scale, array, visit),
        DataType::UInt16 => visit_narrow::<UInt16Type>(0, scale, array, visit),
        DataType::UInt32 => visit_narrow::<UInt32Type>(0, scale, array, visit),
        _ => visit_narrow::<UInt64Type>(0, scale, array, visit),
    }
}

fn visit_narrow<T: ArrowPrimitiveType<Native: Into<i128>>>(
    own: i8,
    scale: i8,
    array: &dyn Array,
    visit: &mut impl FnMut(usize, Scalar),
) {
    let scaler = Scaler::new(own, scale);
    visit_primitives::<T>(array, |value| scaler.narrow(value.into()), visit);
}

/// Takes unscaled values from one scale to another.
struct Scaler {
    own: i8,
    narrow_factor: Option<i128>,
    huge_factor: Option<i256>,
}

impl Scaler {
    fn new(own: i8, scale: i8) -> Self {
        let zeros = (i32::from(scale) - i32::from(own)).unsigned_abs();
        Self {
            own,
            narrow_factor: 10_i128.checked_pow(zeros),
            huge_factor: i256::from_i128(10).checked_pow(zeros),
        }
    }

    fn narrow(&self, value: i128) -> Scalar {
        match self
            .narrow_factor
            .and_then(|factor| value.checked_mul(factor))
        {
            Some(scaled) => Scalar::of(scaled),
            None => self.huge(i256::from_i128(value)),
        }
    }

    fn huge(&self, value: i256) -> Scalar {
        match self
            .huge_factor
            .and_then(|factor| value.checked_mul(factor))
        {
            Some(scaled) => scaled.to_i128().map_or(Scalar::Huge(scaled), Scalar::of),
            None => Scalar::OffScale(value, self.own),
        }
    }
}
