//! What a pipeline file says of an output, held against the output itself.

use arrow::datatypes::Schema;

/// The columns of the grain, and the customer column, that the output lacks; each once, in the file's order.
#[must_use]
pub fn missing_columns(schema: &Schema, grain: &[String], customer: Option<&str>) -> Vec<String> {
    let mut missing: Vec<String> = Vec::new();
    for name in grain.iter().map(String::as_str).chain(customer) {
        let known =
            schema.column_with_name(name).is_some() || missing.iter().any(|other| other == name);
        if !known {
            missing.push(name.to_owned());
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field};

    use super::*;

    #[test]
    fn names_are_exact() {
        let schema = Schema::new(vec![
            Field::new("a", DataType::Int64, true),
            Field::new("B", DataType::Int64, true),
        ]);
        let check = |grain: &[&str], customer: Option<&str>, expected: &[&str]| {
            let grain: Vec<_> = grain.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(missing_columns(&schema, &grain, customer), expected);
        };
        check(&["a", "B"], Some("a"), &[]);
        check(&["a", "b", "c"], Some("c"), &["b", "c"]);
        check(&["a"], None, &[]);
    }
}
