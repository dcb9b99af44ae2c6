use std::collections::BTreeMap;

use tempfile::TempDir;
use understudy_tables::pin;

use super::*;

fn input(folder: &TempDir, location: &str) -> TaskInput {
    let snapshot = pin("t", location, folder.path()).unwrap();
    let source = TableSource {
        base: folder.path().to_owned(),
        snapshot,
        types: BTreeMap::new(),
    };
    let schema = source.schema().unwrap();
    TaskInput {
        name: "t".to_owned(),
        source,
        schema,
    }
}

/// All files below a folder with their text, sorted.
fn listing(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            found.extend(
                listing(&path)
                    .into_iter()
                    .map(|below| format!("{name}/{below}")),
            );
        } else {
            let text = fs::read(&path).unwrap();
            found.push(format!(
                "{name}: {}",
                String::from_utf8_lossy(&text[..text.len().min(20)])
            ));
        }
    }
    found.sort();
    found
}

fn csv_folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    for part in ["k=1/a.csv", "k=2/a.csv"] {
        let path = folder.path().join("t").join(part);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "id\n007\n").unwrap();
    }
    folder
}

#[test]
fn files_of_the_wanted_format_are_linked() {
    let folder = csv_folder();
    let place = folder.path().join("laid");
    lay_out_input(&input(&folder, "t"), CommandInputs::Csv, &place).unwrap();
    assert_eq!(
        listing(&place),
        ["k=1/00000-a.csv: id\n007\n", "k=2/00001-a.csv: id\n007\n"]
    );
    let relaid = TaskInput {
        source: TableSource {
            base: place,
            ..input(&folder, "laid").source
        },
        ..input(&folder, "t")
    };
    assert_eq!(relaid.source.snapshot.files.len(), 2);
}

#[test]
fn others_are_converted() {
    let folder = csv_folder();
    let (parquet, csv, urls) = (
        folder.path().join("p"),
        folder.path().join("c"),
        folder.path().join("u"),
    );
    lay_out_input(&input(&folder, "t"), CommandInputs::Parquet, &parquet).unwrap();
    assert!(listing(&parquet)[0].starts_with("data.parquet: PAR1"));
    lay_out_input(&input(&folder, "p"), CommandInputs::Csv, &csv).unwrap();
    assert_eq!(listing(&csv), ["data.csv: id,k\n007,1\n007,2\n"]);
    lay_out_input(&input(&folder, "t"), CommandInputs::Urls, &urls).unwrap();
    assert!(listing(&urls).is_empty());
}
