use super::*;

fn plain(text: &str) -> Scalar {
    Scalar {
        text: text.to_owned(),
        plain: true,
    }
}

fn quoted(text: &str) -> Scalar {
    Scalar {
        text: text.to_owned(),
        plain: false,
    }
}

#[test]
fn text_is_what_is_written() {
    for word in ["NO", "007", "true", "1.50", "0x1F", " a"] {
        assert_eq!(verbatim(&plain(word)), Some(word));
    }
    for nothing in ["", "~", "null", "NULL"] {
        assert_eq!(verbatim(&plain(nothing)), None, "{nothing}");
        assert_eq!(verbatim(&quoted(nothing)), Some(nothing));
    }
    assert_eq!(text(&quoted(" ")), None);
    assert_eq!(text(&quoted("a\u{1b}[0m")), None);
}

#[test]
fn params_are_typed_only_where_nobody_can_doubt_it() {
    assert_eq!(param(&plain("true")), Some(Param::Boolean(true)));
    assert_eq!(param(&plain("-12")), Some(Param::Integer(-12)));
    assert_eq!(param(&plain("1.5e3")), Some(Param::Float(1500.0)));
    for word in ["007", "1_000", "0x1F", "2013-01-01", "AS", "1.", "+1"] {
        assert_eq!(
            param(&plain(word)),
            Some(Param::Text(word.to_owned())),
            "{word}"
        );
    }
    assert_eq!(param(&quoted("true")), Some(Param::Text("true".to_owned())));
    for word in [
        "yes",
        "No",
        "TRUE",
        "off",
        ".nan",
        "~",
        "",
        "1e999",
        "9223372036854775808",
    ] {
        assert_eq!(param(&plain(word)), None, "{word}");
    }
}

#[test]
fn counts_are_digits() {
    assert_eq!(count(&plain("30")), Some(30));
    assert_eq!(count(&plain("0")), Some(0));
    for text in ["-1", "+1", "1.0", "007", "1e3", "", "99999999999999999999"] {
        assert_eq!(count(&plain(text)), None, "{text}");
    }
    assert_eq!(count(&quoted("3")), None);
}

#[test]
fn durations_and_sizes_have_units() {
    assert_eq!(duration_secs(&plain("90s")), Some(90));
    assert_eq!(duration_secs(&plain("2d")), Some(172_800));
    for text in [
        "10",
        "m",
        "1.5h",
        "-1s",
        "10 minutes",
        "1h30m",
        "99999999999999999999d",
        "4000d",
    ] {
        assert_eq!(duration_secs(&plain(text)), None, "{text}");
    }
    assert_eq!(memory_bytes(&plain("2GB")), Some(2_000_000_000));
    assert_eq!(memory_bytes(&plain("2 GiB")), Some(2_147_483_648));
    for text in ["0MB", "2G", "2gb", "2", "GB", "18446744073709551615GB"] {
        assert_eq!(memory_bytes(&plain(text)), None, "{text}");
    }
}

fn bound(text: &str) -> Option<Bound> {
    super::bound(&plain(text))
}

fn number(text: &str) -> BigDecimal {
    text.parse().unwrap()
}

#[test]
fn tolerances_are_exact() {
    assert_eq!(bound("0.5").unwrap().abs, Some(number("0.5")));
    assert_eq!(bound("1e-9").unwrap().abs, Some(number("0.000000001")));
    assert_eq!(bound("5%").unwrap().rel, Some(number("0.05")));
    assert_eq!(bound("0.1 %").unwrap().rel, Some(number("0.001")));
    assert_eq!(format!("{:?}", bound("5.0%")), format!("{:?}", bound("5%")));
    let quarter = bound("15m").unwrap();
    assert_eq!(
        (quarter.abs, quarter.abs_is_duration),
        (Some(number("900000000000")), true)
    );
}

#[test]
fn what_is_no_tolerance_is_refused() {
    for text in [
        "-1",
        "-5%",
        "NaN",
        "nan%",
        "inf",
        ".inf",
        "",
        "%",
        "5 percent",
        "1e999999999",
        "1e",
        "1.2.3",
        "0x1",
        "-0",
        "+1",
    ] {
        assert_eq!(bound(text), None, "{text}");
    }
    assert_eq!(bound(&"9".repeat(1_000)), None);
}

#[test]
fn column_types() {
    assert_eq!(
        column_type(&plain("decimal(2)")),
        Some(ColumnType::Decimal(2))
    );
    for name in COLUMN_TYPES.iter().filter(|name| !name.contains('(')) {
        assert!(column_type(&plain(name)).is_some(), "{name}");
    }
    for text in ["decimal", "decimal(39)", "decimal(-1)", "int", "Text", ""] {
        assert_eq!(column_type(&plain(text)), None, "{text}");
    }
}
