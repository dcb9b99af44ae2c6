use super::*;

fn number(text: &str) -> BigDecimal {
    text.parse().unwrap()
}

fn abs(text: &str) -> Bound {
    Bound {
        abs: Some(number(text)),
        ..Bound::default()
    }
}

fn rel(text: &str, of: Base) -> Bound {
    Bound {
        rel: Some(number(text)),
        of,
        ..Bound::default()
    }
}

fn duration(nanos: &str) -> Bound {
    Bound {
        abs_is_duration: true,
        ..abs(nanos)
    }
}

fn both(bound: Bound) -> Within {
    Within {
        up: bound.clone(),
        down: bound,
    }
}

fn percent(hundredths: &str) -> Within {
    both(rel(hundredths, Base::Old))
}

fn float(value: f64) -> Value {
    Value::Float(value)
}

fn decimal(text: &str) -> Value {
    Value::Decimal(number(text))
}

#[track_caller]
fn allows(within: &Within, old: Value, new: Value) {
    assert!(
        Tolerance::new(within).allows(&old, &new),
        "{old:?} to {new:?}, asked quickly"
    );
    assert!(
        within.allows(&old, &new),
        "{old:?} to {new:?} should be within {within:?}"
    );
}

#[track_caller]
fn forbids(within: &Within, old: Value, new: Value) {
    assert!(
        !Tolerance::new(within).allows(&old, &new),
        "{old:?} to {new:?}, asked quickly"
    );
    assert!(
        !within.allows(&old, &new),
        "{old:?} to {new:?} should not be within {within:?}"
    );
}

#[test]
fn floats_at_the_boundary_are_decided_on_their_shortest_forms() {
    allows(&both(abs("0.1")), float(1.0), float(1.1));
    allows(&percent("0.1"), float(1.0), float(1.1));
    allows(&both(abs("0.1")), float(1.1), float(1.0));
    forbids(&both(abs("0.1")), float(1.0), float(1.1_f64.next_up()));
    forbids(&both(abs("0.0999999999999999999")), float(1.0), float(1.1));
    allows(&both(abs("0.1")), Value::Float32(1.0), Value::Float32(1.1));
    allows(&both(abs("0.1")), Value::Float32(1.1), float(1.0));
}

#[test]
fn integers_and_decimals_never_pass_through_floats() {
    let big = 1_i128 << 53;
    forbids(
        &both(abs("0")),
        Value::Integer(big),
        Value::Integer(big + 1),
    );
    forbids(
        &both(abs("0.999999999999999999999")),
        Value::Integer(big),
        Value::Integer(big + 1),
    );
    allows(
        &both(abs("1")),
        Value::Integer(big),
        Value::Integer(big + 1),
    );
    let tiny = "0.00000000000000000000000000000000000001";
    allows(
        &both(abs(tiny)),
        decimal("1"),
        decimal("1.00000000000000000000000000000000000001"),
    );
    forbids(
        &both(abs(tiny)),
        decimal("1"),
        decimal("1.00000000000000000000000000000000000002"),
    );
}

#[test]
fn zero_means_zero() {
    forbids(&both(abs("0")), float(0.0), float(f64::MIN_POSITIVE));
    allows(&both(abs("0")), float(0.0), float(-0.0));
    forbids(
        &Within {
            up: Bound::default(),
            down: Bound::default(),
        },
        float(1.0),
        float(1.1),
    );
}

#[test]
fn a_percentage_of_zero_allows_only_zero() {
    forbids(&percent("10"), float(0.0), float(1e-300));
    allows(&percent("10"), float(0.0), float(0.0));
    allows(&both(rel("1", Base::Max)), float(0.0), float(5.0));
    forbids(&both(rel("0.99", Base::Max)), float(0.0), float(5.0));
}

#[test]
fn a_changed_sign_is_outside_every_percentage_below_100() {
    for of in [Base::Old, Base::Max] {
        forbids(&both(rel("0.9999999", of)), float(1.0), float(-1e-12));
        forbids(&both(rel("0.9999999", of)), float(-1.0), float(1e-12));
    }
}

#[test]
fn infinity_is_within_itself_and_nan_and_null_within_nothing() {
    let wide = Within {
        up: abs("1e308"),
        down: abs("1e308"),
    };
    allows(&wide, float(f64::INFINITY), float(f64::INFINITY));
    for (old, new) in [
        (float(f64::INFINITY), float(f64::NEG_INFINITY)),
        (float(f64::INFINITY), float(1.0)),
        (float(1.0), float(f64::INFINITY)),
        (float(f64::NAN), float(f64::NAN)),
        (float(f64::NAN), float(1.0)),
        (float(1.0), float(f64::NAN)),
        (Value::Null, float(1.0)),
        (float(1.0), Value::Null),
        (Value::Null, Value::Null),
        (Value::Text("1".into()), Value::Text("1".into())),
    ] {
        forbids(&wide, old, new);
    }
}

#[test]
fn either_part_suffices_and_each_direction_has_its_own() {
    let either = both(Bound {
        abs: Some(number("0.5")),
        rel: Some(number("0.05")),
        ..Bound::default()
    });
    allows(&either, float(1.0), float(1.5));
    allows(&either, float(100.0), float(105.0));
    forbids(&either, float(100.0), float(105.5));
    let rising = Within {
        up: rel("0.1", Base::Old),
        down: abs("0"),
    };
    allows(&rising, float(10.0), float(11.0));
    forbids(&rising, float(10.0), float(11.000_000_000_000_002));
    forbids(&rising, float(10.0), float(9.999_999_999_999_998));
}

#[test]
fn times_move_by_durations_and_numbers_by_numbers() {
    let second = both(duration("1000000000"));
    let at = |nanos, zone: Option<&str>| Value::Timestamp {
        nanos,
        zone: zone.map(str::to_owned),
    };
    allows(
        &second,
        at(0, Some("UTC")),
        at(1_000_000_000, Some("Asia/Tokyo")),
    );
    forbids(&second, at(0, None), at(1_000_000_001, None));
    forbids(&second, at(0, None), at(0, Some("UTC")));
    allows(&second, Value::Time(1_000_000_000), Value::Time(0));
    forbids(&second, Value::Date(0), Value::Date(1));
    allows(
        &both(duration("86400000000000")),
        Value::Date(0),
        Value::Date(1),
    );
    allows(&second, Value::Duration(0), Value::Duration(-1_000_000_000));
    forbids(&second, Value::Integer(0), Value::Integer(1));
    forbids(&both(abs("1000000000")), Value::Time(0), Value::Time(1));
    forbids(&percent("10"), Value::Duration(100), Value::Duration(101));
}

/// Values around each boundary: what is decided quickly is what the decimals say.
#[test]
fn quick_answers_are_the_exact_ones() {
    let bounds = [
        "0",
        "0.1",
        "1",
        "1e-9",
        "0.05",
        "1e-300",
        "1e300",
        "123456789012345678901234567890",
    ];
    let old_numbers = [
        0.0, 1.0, -1.0, 0.1, 3.3, 1e-9, 1e15, -1e15, 1e300, 5e-324, 123.456,
    ];
    for text in bounds {
        for bound in [abs(text), rel(text, Base::Old), rel(text, Base::Max)] {
            let within = Within {
                up: bound.clone(),
                down: bound,
            };
            let tolerance = Tolerance::new(&within);
            for old in old_numbers {
                let step: f64 = number(text).to_string().parse().unwrap();
                for moved in [
                    old + step,
                    old - step,
                    old * (1.0 + step),
                    old * (1.0 - step),
                    -old,
                    old + old,
                ] {
                    for new in [moved.next_down(), moved, moved.next_up()] {
                        let pair = (float(old), float(new));
                        assert_eq!(
                            tolerance.allows(&pair.0, &pair.1),
                            within.allows(&pair.0, &pair.1),
                            "{pair:?} {text}"
                        );
                    }
                }
            }
            for (old, new) in [
                ("1", "1.1"),
                ("10.0", "11"),
                ("10", "9.00"),
                ("-1", "1"),
                ("0.00", "0.1"),
                ("1e30", "2e30"),
            ] {
                let pair = (decimal(old), decimal(new));
                assert_eq!(
                    tolerance.allows(&pair.0, &pair.1),
                    within.allows(&pair.0, &pair.1),
                    "{pair:?} {text}"
                );
            }
            for (old, new) in [
                (0, 1),
                (100, 110),
                (100, 111),
                (i128::MAX, i128::MIN),
                (1 << 53, (1 << 53) + 1),
                (-20, -21),
            ] {
                let pair = (Value::Integer(old), Value::Integer(new));
                assert_eq!(
                    tolerance.allows(&pair.0, &pair.1),
                    within.allows(&pair.0, &pair.1),
                    "{pair:?} {text}"
                );
            }
        }
    }
}
