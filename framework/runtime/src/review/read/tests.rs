use std::io::Write as _;

use zip::write::SimpleFileOptions;

use super::*;
use crate::review::sheet::SheetLine;
use crate::review::xlsx::workbook;

fn read_bytes(bytes: &[u8]) -> Result<Vec<TableLine>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, bytes).unwrap();
    read(&path, |table| table.iter().any(|line| line.cells.len() > 1))
        .map_err(|error| error.to_string())
}

fn packed(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        archive
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn our_own_workbook_comes_back_cell_by_cell() {
    let line = SheetLine {
        id: "gbcd".into(),
        what: "=1+1".into(),
        old: Some("1e5".into()),
        new: Some("12345678901234567890".into()),
        change: Some("-0.5".into()),
        rows: Some(3),
        ..SheetLine::default()
    };
    let table = read_bytes(&workbook(&[line]).unwrap()).unwrap();
    assert_eq!((table[0].number, table[1].number), (1, 2));
    let cells: Vec<&str> = table[1].cells.values().map(String::as_str).collect();
    assert_eq!(
        cells,
        ["gbcd", "'=1+1", "3", "1e5", "12345678901234567890", "-0.5"]
    );
}

#[test]
fn a_workbook_that_is_larger_than_it_looks_is_refused() {
    let nothing = vec![b' '; 70 << 20];
    let bomb = packed(&[("xl/worksheets/sheet1.xml", &nothing)]);
    assert!(bomb.len() < 1 << 20);
    let error = read_bytes(&bomb).unwrap_err();
    assert!(error.contains("larger than 64 MiB"), "{error}");
}

#[test]
fn cells_that_lie_far_apart_take_no_more_room_than_others() {
    let sheet = br#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c></row>
<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>far</t></is></c></row></sheetData></worksheet>"#;
    let book = br#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
    let relations = br#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
    let root = br#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
    let bytes = packed(&[
        ("_rels/.rels", root),
        ("xl/workbook.xml", book),
        ("xl/_rels/workbook.xml.rels", relations),
        ("xl/worksheets/sheet1.xml", sheet),
    ]);
    let table = read_bytes(&bytes).unwrap();
    assert_eq!(table.len(), 2, "{table:?}");
    assert_eq!(table[1].cells[&16_383], "far");
}
