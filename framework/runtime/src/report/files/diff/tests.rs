use std::fs::{self, File};

use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::DataType;
use expect_test::{Expect, expect};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use understudy_core::comparison::{CellDifference, CustomerCounts, RowChange, RowDifference};
use understudy_core::customer::Customer;
use understudy_core::schema::{Column, ColumnKind};
use understudy_core::value::Value;

use super::*;
use crate::report::csv_text::push_line;

fn column(name: &str) -> Column {
    Column {
        name: name.into(),
        data_type: "Utf8".into(),
        kind: ColumnKind::Text,
    }
}

fn layout(key: &[&str], columns: &[&str]) -> Layout {
    let columns_of = |names: &[&str]| names.iter().map(|name| column(name)).collect();
    Layout {
        key: columns_of(key),
        columns: columns_of(columns),
    }
}

/// A difference's customer and key, to which the functions below add what differs.
fn row(customer: &str, key: Vec<Value>, change: RowChange, rules: &[Option<usize>]) -> JudgedRow {
    let customer = Some(Customer::from_label(customer));
    let (old_customer, new_customer) = match change {
        RowChange::Cells(_) => (customer.clone(), customer),
        RowChange::OnlyOld(_) => (customer, None),
        RowChange::OnlyNew(_) => (None, customer),
    };
    let difference = RowDifference {
        key,
        old_customer,
        new_customer,
        change,
    };
    JudgedRow {
        difference,
        rules: rules.to_vec(),
    }
}

fn cells(cells: Vec<(usize, Value, Value)>) -> RowChange {
    RowChange::Cells(
        cells
            .into_iter()
            .map(|(column, old, new)| CellDifference { column, old, new })
            .collect(),
    )
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn origin() -> Origin {
    Origin {
        change: Some("utc-delays".into()),
        task: Some("carrier_delay".into()),
        date: Some("2013-03-10".parse().unwrap()),
        run: Some("8f31".into()),
    }
}

fn comparison(rows: &[JudgedRow]) -> Comparison {
    let mut comparison = Comparison::default();
    for row in rows {
        let difference = &row.difference;
        let customer = difference
            .old_customer
            .as_ref()
            .or(difference.new_customer.as_ref())
            .unwrap();
        let counts: &mut CustomerCounts = comparison.customers.entry(customer.clone()).or_default();
        counts.unexpected += u64::from(!row.is_expected());
    }
    comparison
}

/// The files of some rows, in a folder that lives as long as it is held.
fn write(
    layout: &Layout,
    rows: Vec<JudgedRow>,
    limits: DiffLimits,
) -> (tempfile::TempDir, DiffFiles) {
    let folder = tempfile::tempdir().unwrap();
    let temp = tempfile::tempdir().unwrap();
    let rules = vec!["=rule; =one".into(), "rule two".into()];
    let counts = comparison(&rows);
    let mut writer = DiffWriter::new(
        Some(&folder.path().join("out")),
        temp.path(),
        origin(),
        rules,
        limits,
    );
    writer.begin(layout).unwrap();
    for row in rows {
        writer.row(row).unwrap();
    }
    let files = writer.finish(&counts).unwrap();
    assert_eq!(
        fs::read_dir(temp.path()).unwrap().count(),
        0,
        "nothing put aside remains"
    );
    assert_eq!(
        fs::read_dir(folder.path().join("out")).unwrap().count(),
        2,
        "nothing unfinished remains"
    );
    (folder, files)
}

fn csv_of(folder: &tempfile::TempDir) -> String {
    fs::read_to_string(folder.path().join("out").join(DIFF_CSV)).unwrap()
}

/// The columns' names, and each line's cells as text.
fn parquet_of(folder: &tempfile::TempDir) -> (Vec<String>, Vec<Vec<Option<String>>>) {
    let file = File::open(folder.path().join("out").join(DIFF_PARQUET)).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let names = reader
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let mut lines = Vec::new();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        for line in 0..batch.num_rows() {
            lines.push(
                batch
                    .columns()
                    .iter()
                    .map(|column| cell(column, line))
                    .collect(),
            );
        }
    }
    (names, lines)
}

fn cell(column: &arrow::array::ArrayRef, line: usize) -> Option<String> {
    column.is_valid(line).then(|| match column.data_type() {
        DataType::Boolean => column.as_boolean().value(line).to_string(),
        _ => column.as_string::<i32>().value(line).to_owned(),
    })
}

fn check(layout: &Layout, rows: Vec<JudgedRow>, expected: &Expect) -> DiffFiles {
    let (folder, files) = write(layout, rows, DiffLimits::default());
    expected.assert_eq(&csv_of(&folder));
    files
}

#[test]
fn each_difference_is_a_line() {
    let layout = layout(&["carrier", "day"], &["mean", "name", "at"]);
    let key = |carrier: &str, day| vec![text(carrier), Value::Integer(day)];
    let changed = cells(vec![
        (0, Value::Float(12.5), Value::Float(14.25)),
        (1, text(""), Value::Null),
        (2, Value::Date(15_706), Value::Date(15_707)),
    ]);
    let rows = vec![
        row("HA", key("HA", 10), changed, &[None, Some(1), Some(0)]),
        row(
            "HA",
            key("HA", 9),
            RowChange::OnlyOld(vec![Value::Integer(1), Value::Null, text("a\"b")]),
            &[None],
        ),
        row(
            "AS",
            key("AS", 10),
            RowChange::OnlyNew(vec![Value::Float(-0.5), text("é"), Value::Null]),
            &[Some(1)],
        ),
    ];
    let files = check(
        &layout,
        rows,
        &expect![[r#"
            customer,carrier,day,kind,column,old,new,delta,delta_pct,expected,rule,change,task,date,run
            AS,AS,10,only_new,,,"{""mean"":""-0.5"",""name"":""é"",""at"":null}",,,true,rule two,utc-delays,carrier_delay,2013-03-10,8f31
            HA,HA,9,only_old,,"{""mean"":""1"",""name"":null,""at"":""a\""b""}",,,,false,,utc-delays,carrier_delay,2013-03-10,8f31
            HA,HA,10,changed,mean,12.5,14.25,1.75,14,false,,utc-delays,carrier_delay,2013-03-10,8f31
            HA,HA,10,changed,name,"",,,,true,rule two,utc-delays,carrier_delay,2013-03-10,8f31
            HA,HA,10,changed,at,2013-01-01,2013-01-02,PT86400S,,true,"'=rule;' =one",utc-delays,carrier_delay,2013-03-10,8f31
        "#]],
    );
    assert_eq!(
        (
            files.lines,
            files.unexpected_lines,
            files.csv_lines,
            files.csv_complete
        ),
        (5, 2, 5, true)
    );
}

#[test]
fn the_order_is_typed() {
    let layout = layout(&["k"], &["b", "a"]);
    let one = |customer: &str, key, column| {
        row(
            customer,
            vec![key],
            cells(vec![(column, Value::Integer(1), Value::Integer(2))]),
            &[None],
        )
    };
    let only = |customer: &str, key| {
        row(
            customer,
            vec![key],
            RowChange::OnlyOld(vec![Value::Null, Value::Null]),
            &[None],
        )
    };
    let rows = vec![
        one("B", Value::Integer(1), 0),
        only("A", Value::Integer(-1)),
        one("A", Value::Integer(10), 1),
        one("A", Value::Integer(10), 0),
        one("A", Value::Integer(-1), 0),
        one("A", Value::Integer(9), 0),
        one("A", Value::Null, 0),
        one("*null*", Value::Integer(3), 0),
        one("A", Value::Decimal("9.5".parse().unwrap()), 0),
    ];
    check(
        &layout,
        rows,
        &expect![[r#"
            customer,k,kind,column,old,new,delta,delta_pct,expected,rule,change,task,date,run
            *null*,3,changed,b,1,2,1,100,false,,utc-delays,carrier_delay,2013-03-10,8f31
            A,,changed,b,1,2,1,100,false,,utc-delays,carrier_delay,2013-03-10,8f31
            A,-1,changed,b,1,2,1,100,false,,utc-delays,carrier_delay,2013-03-10,8f31
            A,-1,only_old,,"{""b"":null,""a"":null}",,,,false,,utc-delays,carrier_delay,2013-03-10,8f31
            A,9,changed,b,1,2,1,100,false,,utc-delays,carrier_delay,2013-03-10,8f31
            A,9.5,changed,b,1,2,1,100,false,,utc-delays,carrier_delay,2013-03-10,8f31
            A,10,changed,b,1,2,1,100,false,,utc-delays,carrier_delay,2013-03-10,8f31
            A,10,changed,a,1,2,1,100,false,,utc-delays,carrier_delay,2013-03-10,8f31
            B,1,changed,b,1,2,1,100,false,,utc-delays,carrier_delay,2013-03-10,8f31
        "#]],
    );
}

#[test]
fn key_columns_give_way_to_the_fixed_names() {
    let (folder, _) = write(
        &layout(&["Customer", "date", "key.date", "=x"], &[]),
        Vec::new(),
        DiffLimits::default(),
    );
    assert!(
        csv_of(&folder).starts_with("customer,key.Customer,key.date,key.key.date,'=x,kind,"),
        "{}",
        csv_of(&folder)
    );
    let (names, lines) = parquet_of(&folder);
    assert_eq!(
        &names[..5],
        ["customer", "key.Customer", "key.date", "key.key.date", "=x"]
    );
    assert!(lines.is_empty());
}

/// Differences whose every text is a payload, many of them alike, so that ties are among them.
fn many(count: usize) -> Vec<JudgedRow> {
    let payloads = [
        "=1+1",
        "plain",
        "a\nb",
        "\u{202e}x",
        "a;-b",
        "",
        "'",
        "\"q\"",
        "東京",
        "\0",
    ];
    let payload = |number: usize| text(payloads[number % payloads.len()]);
    let rules = |number: usize| [None, Some(0), Some(1)][number % 3];
    let one = |number: usize| {
        // A step that is prime to the count visits every number in another order.
        let number = number * 7_919 % count;
        let key = vec![Value::Integer((number / 4) as i128 - 50), payload(number)];
        let change = match number % 5 {
            0 => RowChange::OnlyOld(vec![payload(number), Value::Integer(number as i128)]),
            1 => RowChange::OnlyNew(vec![Value::Null, Value::Float(number as f64 / 8.0)]),
            _ => cells(vec![
                (1, Value::Integer(number as i128), Value::Float(f64::NAN)),
                (0, payload(number), payload(number + 1)),
            ]),
        };
        row(
            ["*null*", "=c", "A", "B"][number % 4],
            key,
            change,
            &[rules(number), rules(number + 1)],
        )
    };
    (0..count).map(one).collect()
}

#[test]
fn csv_and_parquet_hold_the_same() {
    let layout = layout(&["id", "name"], &["text", "number"]);
    let (folder, files) = write(&layout, many(600), DiffLimits::default());
    let (names, lines) = parquet_of(&folder);
    assert_eq!(lines.len() as u64, files.lines);
    let mut expected = String::new();
    push_line(
        &mut expected,
        CsvDialect::default(),
        names.iter().map(|name| Field::Text(name)),
    );
    let texts = [
        "customer", "name", "column", "old", "new", "rule", "change", "task", "run",
    ];
    for line in &lines {
        let is_number = |column: &str| column == "number";
        let plain = line[5].as_deref().is_none() || line[4].as_deref().is_some_and(is_number);
        let fields = names.iter().zip(line).map(|(name, cell)| {
            // A row on one side is a text; of the cells, those of the column `number` are none.
            let is_side = name == "old" || name == "new";
            let is_text =
                texts.contains(&name.as_str()) && !(is_side && plain && line[4].is_some());
            if is_text {
                Field::text(cell.as_deref())
            } else {
                Field::plain(cell.as_deref())
            }
        });
        push_line(
            &mut expected,
            CsvDialect::default(),
            fields.collect::<Vec<_>>(),
        );
    }
    assert_eq!(csv_of(&folder), expected);
}

#[test]
fn what_does_not_fit_into_memory_makes_the_same_files() {
    let layout = layout(&["id", "name"], &["text", "number"]);
    let in_memory = write(&layout, many(1_000), DiffLimits::default());
    for sort in [
        SortLimits {
            lines: 7,
            bytes: usize::MAX,
            parts: 3,
        },
        SortLimits {
            lines: usize::MAX,
            bytes: 2_000,
            parts: 64,
        },
        SortLimits {
            lines: 1,
            bytes: 1,
            parts: 1,
        },
    ] {
        let limits = DiffLimits {
            sort,
            ..Default::default()
        };
        let spilled = write(&layout, many(1_000), limits);
        assert!(csv_of(&spilled.0) == csv_of(&in_memory.0), "{sort:?}");
        assert!(
            parquet_of(&spilled.0) == parquet_of(&in_memory.0),
            "{sort:?}"
        );
        assert_eq!(spilled.1, in_memory.1);
    }
}

#[test]
fn rows_in_another_order_make_the_same_files() {
    let layout = layout(&["id", "name"], &["text", "number"]);
    let mut rows = many(500);
    let forward = write(&layout, rows.clone(), DiffLimits::default());
    rows.reverse();
    let backward = write(&layout, rows, DiffLimits::default());
    assert!(csv_of(&forward.0) == csv_of(&backward.0));
    assert_eq!(forward.1, backward.1);
}

#[test]
fn a_capped_csv_keeps_the_unexpected_and_parquet_keeps_all() {
    let layout = layout(&["id"], &["n"]);
    let one = |id: i128| {
        let rule = if id % 4 == 0 { None } else { Some(0) };
        row(
            "A",
            vec![Value::Integer(id)],
            cells(vec![(0, Value::Integer(1), Value::Integer(2))]),
            &[rule],
        )
    };
    let check = |csv_lines: u64, unexpected: usize, expected: usize| {
        let limits = DiffLimits {
            csv_lines,
            csv_files: 1,
            ..Default::default()
        };
        let (folder, files) = write(&layout, (0..20).map(one).collect(), limits);
        let csv = csv_of(&folder);
        assert_eq!(
            csv.lines().filter(|line| line.contains(",false,")).count(),
            unexpected
        );
        assert_eq!(
            csv.lines().filter(|line| line.contains(",true,")).count(),
            expected
        );
        assert_eq!(files.csv_lines, (unexpected + expected) as u64);
        assert_eq!(files.csv_complete, csv_lines >= 20);
        assert_eq!(parquet_of(&folder).1.len(), 20);
    };
    check(20, 5, 15);
    check(19, 5, 14);
    check(7, 5, 2);
    check(3, 3, 0);
    check(0, 0, 0);
}

/// One changed cell, expected or not.
fn numbered(id: i128) -> JudgedRow {
    let rule = if id % 4 == 0 { None } else { Some(0) };
    let change = cells(vec![(0, Value::Integer(1), Value::Integer(2))]);
    row("A", vec![Value::Integer(id)], change, &[rule])
}

#[test]
fn a_full_file_goes_on_in_the_next_each_with_the_header() {
    let layout = layout(&["id"], &["n"]);
    let check = |lines: i128, csv_files: u64, expected: &[usize]| {
        let limits = DiffLimits {
            csv_lines: 4,
            csv_files,
            ..Default::default()
        };
        let (folder, temp) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let rows: Vec<_> = (0..lines).map(numbered).collect();
        let counts = comparison(&rows);
        let rules = vec!["one".into(), "two".into()];
        let mut writer = DiffWriter::new(Some(folder.path()), temp.path(), origin(), rules, limits);
        writer.begin(&layout).unwrap();
        rows.into_iter().for_each(|row| writer.row(row).unwrap());
        // Those of an earlier report that had more of them.
        for number in 2..=MAX_CSV_FILES {
            fs::write(folder.path().join(diff_csv(number)), "stale").unwrap();
        }
        let files = writer.finish(&counts).unwrap();
        let texts: Vec<String> = (1..=MAX_CSV_FILES)
            .filter_map(|number| fs::read_to_string(folder.path().join(diff_csv(number))).ok())
            .collect();
        let numbers: Vec<usize> = texts.iter().map(|text| text.lines().count() - 1).collect();
        assert_eq!(numbers, expected);
        assert_eq!(files.csv_files as usize, expected.len());
        assert_eq!(files.csv_lines as usize, expected.iter().sum::<usize>());
        let header = texts[0].lines().next().unwrap();
        assert!(texts.iter().all(|text| text.starts_with(header)));
        // No line is lost or there twice, and they are in order.
        let all: Vec<&str> = texts.iter().flat_map(|text| text.lines().skip(1)).collect();
        let ids: Vec<u32> = all
            .iter()
            .map(|line| line.split(',').nth(1).unwrap().parse().unwrap())
            .collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
        assert_eq!(files.csv_complete, all.len() as i128 == lines);
    };
    check(3, 3, &[3]);
    check(4, 3, &[4]);
    check(5, 3, &[4, 1]);
    check(12, 3, &[4, 4, 4]);
    check(13, 3, &[4, 4, 4]);
    check(20, 1, &[4]);
    check(0, 3, &[0]);
}

#[test]
fn the_limits_are_those_of_spreadsheets() {
    // Excel's and LibreOffice's rows, of which the header takes one.
    assert_eq!(DiffLimits::default().csv_lines + 1, 1_048_576);
}

#[test]
fn each_file_is_in_the_dialect_that_is_asked_for() {
    let layout = layout(&["id"], &["n", "text"]);
    let (folder, temp) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let half = |text: &str| Value::Decimal(text.parse().unwrap());
    let changed = cells(vec![
        (0, half("1.5"), half("2.25")),
        (1, text("1.5"), text("=2.5")),
    ]);
    let limits = DiffLimits {
        csv_lines: 1,
        ..Default::default()
    };
    let rules = Vec::new();
    let mut writer = DiffWriter::new(Some(folder.path()), temp.path(), origin(), rules, limits)
        .speaking(CsvDialect {
            bom: true,
            delimiter: understudy_core::csv_dialect::Delimiter::Semicolon,
            decimal: understudy_core::csv_dialect::DecimalMark::Comma,
        });
    writer.begin(&layout).unwrap();
    writer
        .row(row("A", vec![Value::Float(0.5)], changed, &[None, None]))
        .unwrap();
    writer.finish(&Comparison::default()).unwrap();
    let read = |number| fs::read_to_string(folder.path().join(diff_csv(number))).unwrap();
    let header = "\u{feff}customer;id;kind;column;old;new;delta;delta_pct;expected;rule;change;task;date;run\n";
    let origin = "false;;utc-delays;carrier_delay;2013-03-10;8f31\n";
    assert_eq!(
        read(1),
        format!("{header}A;0,5;changed;n;1,5;2,25;0,75;50;{origin}")
    );
    assert_eq!(
        read(2),
        format!("{header}A;0,5;changed;text;1.5;'=2.5;;;{origin}")
    );
}

#[test]
fn examples_are_of_the_worst_customers_and_each_shows_something_else() {
    let layout = layout(&["id"], &["a", "b"]);
    let change = |customer: &str, id: i128, column| {
        row(
            customer,
            vec![Value::Integer(id)],
            cells(vec![(column, Value::Integer(id), Value::Null)]),
            &[None],
        )
    };
    let mut rows = vec![row(
        "best",
        vec![Value::Integer(0)],
        cells(vec![(0, Value::Null, Value::Null)]),
        &[Some(0)],
    )];
    for (number, customer) in ["f", "e", "d", "c", "b", "a"].into_iter().enumerate() {
        rows.extend((0..=number as i128).map(|id| change(customer, id, (id % 2) as usize)));
    }
    let (_folder, files) = write(&layout, rows, DiffLimits::default());
    let shown: Vec<_> = files
        .examples
        .iter()
        .map(|example| (example.customer.label(), example.cells[0].column.clone()))
        .collect();
    let pairs: Vec<_> = shown
        .iter()
        .map(|(customer, column)| format!("{customer}{column}"))
        .collect();
    assert_eq!(pairs.join(" "), "aa ab ba bb ca cb da db ea eb");
    assert_eq!(files.examples[0].key[0].text.as_deref(), Some("0"));
}

#[test]
fn a_row_before_its_columns_or_with_others_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let writer = || {
        DiffWriter::new(
            Some(folder.path()),
            folder.path(),
            Origin::default(),
            Vec::new(),
            DiffLimits::default(),
        )
    };
    let one = || row("A", vec![Value::Null], cells(vec![]), &[]);
    assert!(writer().row(one()).is_err());
    let mut begun = writer();
    begun.begin(&layout(&["a", "b"], &[])).unwrap();
    assert!(begun.row(one()).is_err());
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    let writer = DiffWriter::new(
        Some(&file),
        folder.path(),
        Origin::default(),
        Vec::new(),
        DiffLimits::default(),
    );
    let error = writer.finish(&Comparison::default()).unwrap_err();
    assert!(
        error.to_string().contains("cannot create the folder `"),
        "{error}"
    );
    assert!(error.to_string().ends_with("/file`"), "{error}");
}
