//! Files of JSON lines: text in, typed rows or an error out.

use understudy_core::spec::ColumnType;

use super::check;

fn check_json(text: &str, expected: &str) {
    check(&[("a.jsonl", text)], "a.jsonl", &[], expected);
}

fn check_given(text: &str, given: ColumnType, expected: &str) {
    check(&[("a.jsonl", text)], "a.jsonl", &[("a", given)], expected);
}

#[test]
fn null_missing_and_empty_text() {
    check_json(
        "{\"a\":\"\",\"b\":1}\n{\"a\":null}\n{\"b\":null,\"a\":\"x\"}\n",
        "a:Utf8 b:Int64\nText(\"\") Integer(1)\nNull Null\nText(\"x\") Null",
    );
    check_json("{\"a\":null}", "a:Utf8\nNull");
    check_json("{}\n{\"a\":true}", "a:Boolean\nNull\nBoolean(true)");
}

#[test]
fn lines_may_be_blank_and_begin_with_a_byte_order_mark() {
    check_json(
        "\u{feff}{\"a\":1}\r\n\n  \r\n {\"a\" : 2} \n\n",
        "a:Int64\nInteger(1)\nInteger(2)",
    );
    check_json("{\"é\":\"ß🎭\\u00e9\\n\"}", "é:Utf8\nText(\"ß🎭é\\n\")");
    check_json(
        "{\"\\u0061\":1}\n{\"a\":2}",
        "a:Int64\nInteger(1)\nInteger(2)",
    );
}

#[test]
fn no_number_loses_a_digit() {
    check_json(
        "{\"a\":9007199254740993}\n{\"a\":1.5}\n{\"a\":1e2}",
        "a:Decimal128(38, 1)\nDecimal(BigDecimal(sign=Plus, scale=1, digits=[90071992547409930]))\n\
         Decimal(BigDecimal(sign=Plus, scale=1, digits=[15]))\nDecimal(BigDecimal(sign=Plus, scale=1, digits=[1000]))",
    );
    check_json(
        "{\"a\":1}\n{\"a\":2.50}",
        "a:Float64\nFloat(1.0)\nFloat(2.5)",
    );
    check_json(
        "{\"a\":9007199254740993}\n{\"a\":1e-300}",
        "a:Utf8\nText(\"9007199254740993\")\nText(\"1e-300\")",
    );
    check_json(
        "{\"a\":1e999}\n{\"a\":1}",
        "a:Utf8\nText(\"1e999\")\nText(\"1\")",
    );
    check_json(
        "{\"a\":-0}\n{\"a\":1}",
        "a:Float64\nFloat(-0.0)\nFloat(1.0)",
    );
}

#[test]
fn a_type_holds_every_value_of_every_file() {
    let files = [
        ("t/1.jsonl", "{\"a\":1}\n"),
        ("t/2.ndjson", "{\"b\":2,\"a\":2.5}\n"),
    ];
    check(
        &files,
        "t",
        &[],
        "a:Float64 b:Int64\nFloat(1.0) Null\nFloat(2.5) Integer(2)",
    );
    check_json(
        "{\"a\":1}\n{\"a\":\"x\"}\n{\"a\":true}\n{\"a\":1.50}\n{\"a\":null}",
        "a:Utf8\nText(\"1\")\nText(\"x\")\nText(\"true\")\nText(\"1.50\")\nNull",
    );
    check_json("{\"a\":\"2013-01-01\"}", "a:Utf8\nText(\"2013-01-01\")");
    check_json("{\"a\":\"1\"}", "a:Utf8\nText(\"1\")");
}

#[test]
fn objects_are_structs_and_arrays_are_lists() {
    check_json(
        "{\"a\":{\"x\":1,\"y\":[1,2.5,null]}}\n{\"a\":{\"y\":[],\"x\":null}}\n{\"a\":{}}\n{}",
        "a:Struct(\"x\": Int64, \"y\": List(Float64))\n\
         Struct([(\"x\", Integer(1)), (\"y\", List([Float(1.0), Float(2.5), Null]))])\n\
         Struct([(\"x\", Null), (\"y\", List([]))])\nStruct([(\"x\", Null), (\"y\", Null)])\nNull",
    );
    check_json("{\"a\":{ }}\n{\"a\":null}", "a:Utf8\nText(\"{}\")\nNull");
    check_json(
        "{\"a\":[{\"b\":1},{\"c\":\"\"}]}",
        "a:List(Struct(\"b\": Int64, \"c\": Utf8))\n\
         List([Struct([(\"b\", Integer(1)), (\"c\", Null)]), Struct([(\"b\", Null), (\"c\", Text(\"\"))])])",
    );
    check_json(
        "{\"a\":[[1],[\"x\"]]}",
        "a:List(List(Utf8))\nList([List([Text(\"1\")]), List([Text(\"x\")])])",
    );
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let cases = [
        (
            "{\"a\":1}\n{\"a\":1",
            "line 2: not JSON: EOF while parsing an object",
        ),
        (
            "{\"a\":1}\n\n[1]",
            "line 3: a line must hold one object, `{…}`",
        ),
        ("1", "line 1: a line must hold one object, `{…}`"),
        (
            "{\"a\":1} {\"a\":2}",
            "line 1: not JSON: trailing characters",
        ),
        (
            "{\"a\":1,\"a\":1}",
            "line 1: the key `a` stands twice in one object",
        ),
        (
            "{\"a\":1,\"\\u0061\":1}",
            "line 1: the key `a` stands twice in one object",
        ),
        (
            "{\"a\":{\"b\":[{\"c\":1,\"c\":2}]}}",
            "line 1: the key `c` stands twice in one object",
        ),
        ("{\"a\":01}", "line 1: not JSON: invalid number"),
        ("{\"a\":NaN}", "line 1: not JSON: expected value"),
        (
            "{\"a\":\"\\ud800\"}",
            "line 1: not JSON: unexpected end of hex escape",
        ),
        (
            "{\"a\":1}\n{\"a\":[1]}",
            "line 2: `a` is an array here, and a number before",
        ),
        (
            "{\"a\":{\"b\":[1]}}\n{\"a\":{\"b\":[[]]}}",
            "line 2: `a.b.[]` is an array here, and a number before",
        ),
        (
            "{\"a\":[1]}\n{\"a\":{}}",
            "line 2: `a` is an object here, and an array before",
        ),
    ];
    for (text, expected) in cases {
        check_json(text, &format!("`a.jsonl`, {expected}"));
    }
}

#[test]
fn hostile_lines_meet_limits() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100), "]".repeat(100));
    check_json(
        &deep,
        "`a.jsonl`, line 1: objects and arrays that go deeper than 32",
    );
    let keys = |prefix: &str| {
        let keys: Vec<_> = (0..16_000)
            .map(|key| format!("\"{prefix}{key}\":{key}"))
            .collect();
        format!("{{{}}}", keys.join(","))
    };
    let many = format!("{}\n{}\n", keys("a"), keys("b"));
    check_json(&many, "`a.jsonl`, line 2: more than 16384 columns");
    let objects = vec!["{}"; 2000].join(",");
    let bomb = format!("{{\"a\":[{},{objects}]}}", keys("k"));
    check_json(
        &bomb,
        "`a.jsonl`, line 1: a line of more than 4194304 values",
    );
}

#[test]
fn given_types_go_before_what_is_inferred() {
    check_given("{\"a\":1}", ColumnType::Text, "a:Utf8\nText(\"1\")");
    check_given("{\"a\":1.50}", ColumnType::Text, "a:Utf8\nText(\"1.50\")");
    check_given(
        "{\"a\":\"2013-01-01\"}",
        ColumnType::Date,
        "a:Date32\nDate(15706)",
    );
    check_given("{\"a\":1.0}", ColumnType::Integer, "a:Int64\nInteger(1)");
    let decimal = "a:Decimal128(38, 2)\nDecimal(BigDecimal(sign=Plus, scale=2, digits=[1250]))";
    check_given("{\"a\":12.5}", ColumnType::Decimal(2), decimal);
    check_given("{\"a\":\"12.50\"}", ColumnType::Decimal(2), decimal);
    check_given(
        "{\"a\":\"2013-01-01T05:00:00Z\"}",
        ColumnType::Timestamp,
        "a:Timestamp(µs, \"UTC\")\nTimestamp { nanos: 1357016400000000000, zone: Some(\"UTC\") }",
    );
    let wrong = [
        ("1.5", ColumnType::Integer, "a whole number (Int64)"),
        ("1e30", ColumnType::Integer, "a whole number (Int64)"),
        ("1e999999999", ColumnType::Integer, "a whole number (Int64)"),
        ("1e999", ColumnType::Float, "a number"),
        (
            "12.505",
            ColumnType::Decimal(2),
            "a decimal number with at most 2 digits after the point",
        ),
        ("1", ColumnType::Boolean, "`true` or `false`"),
        ("true", ColumnType::Integer, "a whole number (Int64)"),
        ("{\"b\":1}", ColumnType::Text, "text"),
        ("[1]", ColumnType::Integer, "a whole number (Int64)"),
    ];
    for (value, given, expected) in wrong {
        let expected = format!("`a.jsonl`, line 2: column `a`: `{value}` is not {expected}");
        check_given(&format!("{{}}\n{{\"a\":{value}}}"), given, &expected);
    }
}

#[test]
fn what_the_folders_say_goes_before_the_key() {
    check(
        &[("t/day=2013-01-01/a.jsonl", "{\"a\":1,\"day\":\"x\"}")],
        "t",
        &[],
        "a:Int64 day:Date32\nInteger(1) Date(15706)",
    );
}
