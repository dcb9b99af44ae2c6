use bigdecimal::BigDecimal;

use super::*;

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn decimal(text: &str) -> Value {
    Value::Decimal(text.parse().unwrap())
}

fn at(nanos: i128) -> Value {
    Value::Timestamp { nanos, zone: None }
}

const MINUTE: i128 = 60_000_000_000;
const DAY: i128 = 1_440 * MINUTE;

#[track_caller]
fn check(old: Value, new: Value, words: &str) {
    let pattern = Pattern::of(&old, &new);
    assert_eq!(pattern.to_string(), words, "{old:?} {new:?}");
    let json = serde_json::to_string(&pattern).unwrap();
    assert_eq!(serde_json::from_str::<Pattern>(&json).unwrap(), pattern);
    // What is accepted holds what it was accepted for.
    let mut reach = Reach::default();
    reach.see(&old, &new);
    let allowance = PatternAllowance {
        pattern,
        within: pattern.is_measured().then(|| reach.within()),
    };
    assert!(
        allowance.allows(&old, &new),
        "{allowance:?} {old:?} {new:?}"
    );
    let json = serde_json::to_string(&allowance).unwrap();
    assert_eq!(
        serde_json::from_str::<PatternAllowance>(&json).unwrap(),
        allowance
    );
    let hidden = PatternAllowance {
        pattern: Pattern::of_hidden(&old, &new),
        within: None,
    };
    assert!(hidden.allows(&old, &new), "{hidden:?} {old:?} {new:?}");
}

#[test]
fn null_is_told_from_zero_false_empty_and_values() {
    check(Value::Null, Value::Integer(0), "null → 0");
    check(Value::Null, Value::Float(-0.0), "null → 0");
    check(Value::Null, decimal("0.00"), "null → 0");
    check(Value::Null, Value::Float(f64::NAN), "null → value");
    check(Value::Null, Value::Boolean(false), "null → false");
    check(Value::Null, Value::Boolean(true), "null → value");
    check(Value::Null, text(""), "null → empty text");
    check(Value::Null, text("0"), "null → value");
    check(Value::Null, Value::List(vec![]), "null → value");
    check(Value::Float32(0.0), Value::Null, "0 → null");
    check(text(""), Value::Null, "empty text → null");
    check(Value::Boolean(false), Value::Null, "false → null");
    check(Value::Date(0), Value::Null, "value → null");
    check(Value::Binary(vec![]), Value::Null, "value → null");
}

#[test]
fn numbers_go_by_exact_decimals() {
    let huge = i128::MAX;
    check(
        Value::Integer(huge),
        Value::Integer(huge - 1),
        "down by at most 1 %",
    );
    check(
        Value::Integer(i128::MIN),
        Value::Integer(huge),
        "up by more than 10 %",
    );
    check(
        Value::Integer(1 << 53),
        Value::Integer((1 << 53) + 1),
        "up by at most 1 %",
    );
    check(
        Value::Integer(100),
        Value::Integer(101),
        "up by at most 1 %",
    );
    check(
        Value::Integer(1000),
        Value::Integer(1011),
        "up by 1 to 10 %",
    );
    check(
        Value::Integer(-1000),
        Value::Integer(-1100),
        "down by 1 to 10 %",
    );
    check(
        Value::Integer(-1000),
        Value::Integer(-899),
        "up by more than 10 %",
    );
    check(Value::Integer(5), Value::Integer(-5), "sign flipped");
    check(Value::Integer(5), Value::Integer(500), "×100");
    check(Value::Float(0.5), Value::Float(0.0005), "÷1000");
    check(decimal("1.10"), decimal("11000000000"), "×10^10");
    check(Value::Integer(0), Value::Integer(7), "0 → another number");
    check(Value::Float(1e-300), Value::Float(-0.0), "number → 0");
    check(Value::Float(1.0), Value::Float(1.01), "up by at most 1 %");
    check(
        decimal("1.00"),
        decimal("1.0100000000000000000000000001"),
        "up by 1 to 10 %",
    );
    check(
        decimal("1e30"),
        decimal("1000000000000000000000000000001"),
        "up by at most 1 %",
    );
}

#[test]
fn rounding_is_told_from_moving() {
    check(Value::Float(2.345_678), Value::Float(2.35), "rounded");
    check(Value::Float(2.5), Value::Integer(3), "rounded");
    check(Value::Float(-2.5), Value::Integer(-3), "rounded");
    check(
        Value::Float(2.349_9),
        Value::Float(2.34),
        "decimals cut off",
    );
    check(Value::Float(2.9), Value::Integer(2), "decimals cut off");
    check(decimal("2.35"), decimal("2.3461"), "more decimals");
    // One of ten sums that are five cents higher ends with a nought.
    check(decimal("10.25"), decimal("10.30"), "up by at most 1 %");
    check(
        Value::Float(0.1 + 0.2),
        Value::Float(0.3),
        "last digits only",
    );
    check(Value::Float(0.1), Value::Float32(0.1), "last digits only");
    check(
        decimal("1.0000000001"),
        decimal("1.0000000002"),
        "up by at most 1 %",
    );
}

#[test]
fn what_is_no_finite_number_has_patterns_of_its_own() {
    let (nan, infinity) = (f64::NAN, f64::INFINITY);
    check(Value::Float(1.0), Value::Float(nan), "number → NaN");
    check(Value::Float(nan), Value::Integer(0), "NaN → number");
    check(Value::Float(nan), Value::Float(infinity), "NaN → number");
    check(Value::Float(infinity), Value::Float(nan), "number → NaN");
    check(
        Value::Float(0.0),
        Value::Float32(f32::NEG_INFINITY),
        "number → infinite",
    );
    check(
        Value::Float(infinity),
        decimal("1e300"),
        "infinite → number",
    );
    check(
        Value::Float(infinity),
        Value::Float(-infinity),
        "sign flipped",
    );
}

#[test]
fn times_shift_or_move() {
    check(at(0), at(30 * MINUTE), "+30 min");
    check(at(0), at(-5 * 60 * MINUTE), "-5 h");
    check(at(0), at(345 * MINUTE), "+5 h 45 min");
    check(at(0), at(DAY), "+1 day");
    check(Value::Date(10), Value::Date(3), "-7 days");
    check(
        Value::Date(10),
        Value::Date(2),
        "earlier by more than 1 day",
    );
    check(at(0), at(27 * 60 * MINUTE), "later by more than 1 day");
    check(at(0), at(26 * 60 * MINUTE), "+26 h");
    check(at(0), at(1), "later by at most 1 s");
    check(
        Value::Time(0),
        Value::Time(20 * MINUTE),
        "later by 1 min to 1 h",
    );
    check(
        Value::Duration(61 * 60_000_000_000),
        Value::Duration(0),
        "earlier by 1 h to 1 day",
    );
    check(Value::Duration(15 * MINUTE), Value::Duration(0), "-15 min");
    let zoned = |nanos| Value::Timestamp {
        nanos,
        zone: Some("UTC".into()),
    };
    check(at(5), zoned(5), "time zone added or removed");
    check(at(5), zoned(6), "another value");
    check(at(i128::MIN), at(i128::MAX), "another value");
    check(
        Value::Date(i64::MIN),
        Value::Date(i64::MAX),
        "later by more than 1 day",
    );
    let interval = |months| Value::Interval {
        months,
        days: 0,
        nanos: 0,
    };
    check(interval(1), interval(2), "another value");
}

#[test]
fn texts_differ_in_spelling_or_words() {
    check(text("Straße"), text("STRASSE"), "another text");
    check(text("Ärger"), text("ärger"), "case only");
    check(text(" a  b\u{a0}"), text("a b"), "whitespace only");
    check(text("e\u{301}"), text("é"), "Unicode form only");
    check(text("ﬁn"), text("fin"), "Unicode form only");
    check(text("José"), text("Jose"), "accents only");
    check(
        text("José  P"),
        text("jose p"),
        "spelling only (case, whitespace, accents)",
    );
    check(text(" "), text("  "), "whitespace only");
    check(text(""), text("x"), "empty text → text");
    check(text("x"), text(""), "text → empty text");
    check(text("Zürich HB"), text("Zürich"), "text cut off");
    check(text("Zürich HB"), text("Zür…"), "text cut off");
    check(text("Zürich HB"), text("Zür..."), "text cut off");
    check(text("Zürich"), text("Zürich HB"), "text extended");
    check(text("yes"), text("no"), "another text");
    let long = "é".repeat(100_000);
    check(text(&long), text(&long.to_uppercase()), "another text");
    check(text(&long), text(&long[..20_000]), "text cut off");
}

#[test]
fn other_values_and_other_types() {
    check(Value::Boolean(false), Value::Boolean(true), "false → true");
    check(Value::Boolean(true), Value::Boolean(false), "true → false");
    check(Value::Integer(5), text("5"), "type only");
    check(Value::Integer(5), text("6"), "another value");
    check(Value::Integer(1), Value::Boolean(true), "another value");
    check(
        Value::Binary(vec![1]),
        Value::Binary(vec![2]),
        "another value",
    );
    let list =
        |items: &[i128]| Value::List(items.iter().map(|item| Value::Integer(*item)).collect());
    check(list(&[1, 2]), list(&[2, 1]), "order only");
    check(list(&[1, 2]), list(&[2, 2]), "another value");
    check(Value::Struct(vec![]), Value::Map(vec![]), "type only");
}

#[test]
fn an_allowance_is_of_its_pattern_and_distance_only() {
    let mut reach = Reach::default();
    for (old, new) in [(100.0, 100.123), (100.0, 100.5), (200.0, 200.4)] {
        reach.see(&Value::Float(old), &Value::Float(new));
    }
    let allowance = PatternAllowance {
        pattern: Pattern::Up(Share::OnePercent),
        within: Some(reach.within()),
    };
    let allows = |old: f64, new: f64| allowance.allows(&Value::Float(old), &Value::Float(new));
    assert!(allows(100.0, 100.5) && allows(100.0, 100.25));
    assert!(!allows(100.0, 100.501), "farther");
    assert!(!allows(100.0, 99.9), "the other way");
    assert!(!allows(10.0, 10.5), "more in percent");
    assert!(!allows(100.0, f64::NAN));
    assert_eq!(
        allowance.permission("score"),
        "have score up by at most 1 %, by at most 0.5"
    );
}

#[test]
fn bounds_are_rounded_up_to_two_digits() {
    let bound = |old: Value, new: Value| {
        let mut reach = Reach::default();
        reach.see(&old, &new);
        PatternAllowance {
            pattern: Pattern::Other,
            within: Some(reach.within()),
        }
        .permission("x")
    };
    let numbers = |new: &str| bound(decimal("0"), decimal(new));
    assert_eq!(
        numbers("0.12301"),
        "have another value in x, by at most 0.13"
    );
    assert_eq!(numbers("99.1"), "have another value in x, by at most 100");
    assert_eq!(
        numbers("-1234567"),
        "have another value in x, by at most 1300000"
    );
    assert_eq!(numbers("1e40"), "have another value in x, by at most 1e40");
    let times = |nanos| bound(at(0), at(nanos));
    assert_eq!(
        times(91 * MINUTE),
        "have another value in x, by at most 1.6 h"
    );
    assert_eq!(
        times(-41 * 60_000_000_000 / 60),
        "have another value in x, by at most 41 s"
    );
    assert_eq!(
        times(1234 * DAY + 1),
        "have another value in x, by at most 1300 days"
    );
    assert_eq!(times(7), "have another value in x, by at most 7 ns");
}

#[test]
fn the_reach_of_floats_is_exact_however_near_they_are() {
    let mut reach = Reach::default();
    for step in 0..1_000_u32 {
        let new = 1e15 + f64::from(step) * 0.125;
        reach.see(&Value::Float(1e15), &Value::Float(new));
    }
    assert!(reach.within().up.abs.unwrap() >= 124);
    assert_eq!(reach.within().down.abs.unwrap(), BigDecimal::from(0));
}

#[test]
fn hidden_values_show_nothing_but_null_and_empty() {
    let of = Pattern::of_hidden;
    assert_eq!(of(&Value::Null, &Value::Integer(0)), Pattern::NullToHidden);
    assert_eq!(of(&Value::Null, &text("token")), Pattern::NullToHidden);
    assert_eq!(of(&text("A"), &text("a")), Pattern::Changed);
    assert_eq!(of(&text(""), &text("a")), Pattern::Changed);
    assert_eq!(of(&text(""), &Value::Null), Pattern::EmptyToNull);
    let hidden = PatternAllowance {
        pattern: Pattern::Changed,
        within: None,
    };
    assert!(hidden.allows(&text("A"), &text("a")));
    assert!(!hidden.allows(&Value::Null, &text("a")));
}

#[test]
fn stored_names_stay() {
    let json = |pattern: Pattern| serde_json::to_string(&pattern).unwrap();
    assert_eq!(json(Pattern::NullToZero), r#""null_to_zero""#);
    assert_eq!(
        json(Pattern::Shift { minutes: 30 }),
        r#"{"shift":{"minutes":30}}"#
    );
    assert_eq!(
        json(Pattern::Up(Share::OnePercent)),
        r#"{"up":"one_percent"}"#
    );
    assert_eq!(json(Pattern::Scaled(-3)), r#"{"scaled":-3}"#);
    assert_eq!(json(Pattern::Changed), r#""changed""#);
}
