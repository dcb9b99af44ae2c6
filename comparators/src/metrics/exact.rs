//! Sums of integers and decimals, of any size.

use arrow::datatypes::i256;
use bigdecimal::num_bigint::{BigInt, Sign};

/// A sum. It is kept in 256 bits while it fits, which is nearly always.
#[derive(Clone, Debug)]
pub(super) struct ExactSum {
    low: i256,
    high: Option<Box<BigInt>>,
}

impl Default for ExactSum {
    fn default() -> Self {
        Self {
            low: i256::ZERO,
            high: None,
        }
    }
}

impl ExactSum {
    pub(super) fn add(&mut self, number: i256) {
        match self.low.checked_add(number) {
            Some(sum) => self.low = sum,
            None => {
                let high = self.high.get_or_insert_default();
                **high += big(self.low) + big(number);
                self.low = i256::ZERO;
            }
        }
    }

    pub(super) fn total(&self) -> BigInt {
        match &self.high {
            Some(high) => big(self.low) + high.as_ref(),
            None => big(self.low),
        }
    }
}

/// The same number, of any size.
pub(super) fn big(number: i256) -> BigInt {
    if let Some(small) = number.to_i128() {
        return small.into();
    }
    let bytes = number.to_be_bytes();
    if number.is_negative() {
        return BigInt::from_signed_bytes_be(&bytes);
    }
    BigInt::from_bytes_be(Sign::Plus, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_beyond_256_bits_is_exact() {
        let mut sum = ExactSum::default();
        for _ in 0..3 {
            sum.add(i256::MAX);
        }
        sum.add(i256::MIN);
        sum.add(i256::ONE);
        let max = big(i256::MAX);
        assert_eq!(sum.total(), &max * 2);
        let mut negative = ExactSum::default();
        for _ in 0..5 {
            negative.add(i256::MIN);
        }
        assert_eq!(negative.total(), big(i256::MIN) * 5);
    }

    #[test]
    fn every_size_stays_the_number_that_it_is() {
        for text in [
            "0",
            "-1",
            "170141183460469231731687303715884105728",
            "-340282366920938463463374607431768211456",
        ] {
            let number: i256 = text.parse().unwrap();
            assert_eq!(big(number).to_string(), text);
        }
    }
}
