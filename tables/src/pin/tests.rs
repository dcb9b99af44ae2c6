use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;

use tempfile::TempDir;
use understudy_core::spec::Location;

use super::{changed_files, dates, pin};

/// A folder with the given files, each with some bytes.
fn folder(files: &[&str]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for file in files {
        write(folder.path(), file, "a\n1\n");
    }
    folder
}

fn write(base: &Path, file: &str, text: &str) {
    let path = base.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Pins a location of a folder with these files; the pinned paths with their partitions, or the error.
fn check(files: &[&str], location: &str, expected: &str) {
    let folder = folder(files);
    let found = match pin("d", location, folder.path()) {
        Ok(snapshot) => {
            let files = snapshot.files.iter().map(|file| {
                let partitions = file
                    .partitions
                    .iter()
                    .map(|(key, value)| format!(" {key}:{value}"));
                format!("{}{}", file.path, partitions.collect::<String>())
            });
            files.collect::<Vec<_>>().join("\n")
        }
        Err(error) => error.to_string(),
    };
    assert_eq!(found, expected, "{location} in {files:?}");
}

#[test]
fn a_file_a_folder_a_glob() {
    check(&["a.csv"], "a.csv", "a.csv");
    check(&["a.csv"], "./a.csv", "a.csv");
    check(
        &[
            "t/b.parquet",
            "t/a.parquet",
            "t/README.md",
            "t/_SUCCESS",
            "t/.x.parquet",
        ],
        "t/",
        "t/a.parquet\nt/b.parquet",
    );
    check(
        &["t/a.csv", "t/b.csv", "t/c.parquet"],
        "t/*.csv",
        "t/a.csv\nt/b.csv",
    );
    check(
        &["t/1/a.csv", "t/2/a.csv", "t/_x/a.csv"],
        "t/*/a.csv",
        "t/1/a.csv\nt/2/a.csv",
    );
    check(&["t/1/a.csv", "t/2/a.csv"], "t/*", "t/1/a.csv\nt/2/a.csv");
    check(&["odd[1].csv"], "odd[1].csv", "odd[1].csv");
    check(&["T.CSV"], "T.CSV", "T.CSV");
}

#[test]
fn hive_folders_below_the_location_are_columns() {
    let files = [
        "t/year=2013/m=1/a.csv",
        "t/year=2013/m=%32/a.csv",
        "t/other/a.csv",
        "t/_x=1/a.csv",
    ];
    check(
        &files,
        "t",
        "t/year=2013/m=%32/a.csv year:2013 m:2\nt/year=2013/m=1/a.csv year:2013 m:1",
    );
    check(
        &files,
        "t/year=2013",
        "t/year=2013/m=%32/a.csv m:2\nt/year=2013/m=1/a.csv m:1",
    );
    check(
        &files,
        "t/year=*/m=1/",
        "t/year=2013/m=1/a.csv year:2013 m:1",
    );
    check(
        &files,
        "t/year=*/m=1/*.csv",
        "t/year=2013/m=1/a.csv year:2013 m:1",
    );
    check(&["t/a=1.csv"], "t/*.csv", "t/a=1.csv");
}

#[test]
fn what_is_no_table_is_refused() {
    check(
        &[],
        "a.csv",
        "dataset `d`: nothing is at `a.csv`; check the path and the run date",
    );
    let no_files = "dataset `d`: `t` has no .parquet, .csv, .jsonl or .arrow file; they must lie directly in it or \
                    below `key=value` folders (for others, write a glob)";
    check(&["t/deep/a.csv"], "t", no_files);
    check(
        &["a.csv"],
        "*.parquet",
        &no_files.replace("`t`", "`*.parquet`"),
    );
    let mixed = "dataset `d`: `t` mixes formats (`t/a.csv`, `t/b.parquet`); keep one, or name it with a glob such as \
                 `*.parquet`";
    check(&["t/a.csv", "t/b.parquet"], "t", mixed);
    let unknown = "dataset `d`: `a.parquet.gz` is of no format that can be read; these are .parquet, .csv, .jsonl, \
                   .ndjson, .arrow, .ipc and .feather, and .gz or .zst of the text formats";
    check(&["a.parquet.gz"], "a.parquet.gz", unknown);
    check(&["a.parquet.gz"], "a.*", unknown);
    let partitions = "dataset `d`: `t/a.csv` and `t/k=1/a.csv` lie below different partition keys; all files of a \
                      dataset need the same `key=value` folders";
    check(&["t/a.csv", "t/k=1/a.csv"], "t", partitions);
    let remote =
        "dataset `d`: `s3://lake/t` is a URL; only files and folders of this machine can be read";
    check(&[], "s3://lake/t", remote);
    check(&[], "t/[", "dataset `d`: `t/[` is not a valid glob");
}

#[test]
fn an_absolute_location_stays_absolute() {
    let folder = folder(&["t/a.csv"]);
    let location = folder.path().join("t").to_str().unwrap().to_owned();
    let snapshot = pin("d", &location, Path::new("/nowhere")).unwrap();
    assert_eq!(snapshot.files[0].path, format!("{location}/a.csv"));
    let glob = pin("d", &format!("{location}/*.csv"), folder.path()).unwrap();
    assert_eq!(glob.files, snapshot.files);
}

#[test]
fn a_changed_file_is_named() {
    let folder = folder(&["t/a.csv", "t/b.csv", "t/c.csv", "t/d.csv"]);
    let snapshot = pin("d", "t", folder.path()).unwrap();
    assert_eq!(changed_files(&snapshot, folder.path()), []);
    write(folder.path(), "t/a.csv", "a\n1\n");
    write(folder.path(), "t/b.csv", "a\n2\n");
    write(folder.path(), "t/c.csv", "a\n1\n2\n");
    fs::remove_file(folder.path().join("t/d.csv")).unwrap();
    let changed: Vec<_> = changed_files(&snapshot, folder.path())
        .into_iter()
        .map(|file| format!("{} {}", file.path, file.what))
        .collect();
    let expected = [
        "t/b.csv was changed (same length, other bytes)",
        "t/c.csv was changed (4 bytes, now 6)",
        "t/d.csv was removed",
    ];
    assert_eq!(changed, expected);
}

#[test]
fn without_a_digest_a_rewritten_file_counts_as_changed() {
    let folder = folder(&["a.csv"]);
    let mut snapshot = pin("d", "a.csv", folder.path()).unwrap();
    snapshot.files[0].digest = None;
    assert_eq!(changed_files(&snapshot, folder.path()), []);
    fs::remove_file(folder.path().join("a.csv")).unwrap();
    write(folder.path(), "a.csv", "a\n1\n");
    assert_eq!(
        changed_files(&snapshot, folder.path())[0].what,
        "was written again or replaced (same length)"
    );
}

#[test]
fn dates_are_those_with_data() {
    let check = |files: &[&str], location: &str, expected: &str| {
        let folder = folder(files);
        let found = dates(&Location::parse(location).unwrap(), folder.path());
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found.join(" "), expected, "{location}");
    };
    let files = [
        "t/date=2013-01-02/a.csv",
        "t/date=2013-01-01/a.csv",
        "t/date=2013-01-03/x.txt",
        "t/date=no/a.csv",
    ];
    check(&files, "t/date={date}/", "2013-01-01 2013-01-02");
    check(&files, "t/date={date-1d}/", "2013-01-02 2013-01-03");
    check(&files, "t/date={date}/a.csv", "2013-01-01 2013-01-02");
    check(&files, "t/*={date}/*.csv", "2013-01-01 2013-01-02");
    check(&files, "*/date={date}", "2013-01-01 2013-01-02");
    check(&files, "t", "");
    check(
        &["2013-01-01.csv", "2013-01-02.csv"],
        "{date}.csv",
        "2013-01-01 2013-01-02",
    );
    check(
        &["2013-01-01/2013-01-02.csv"],
        "{date}/{date+1d}.csv",
        "2013-01-01",
    );
    check(&[], "t/date={date}/", "");
}

#[test]
fn what_is_no_regular_file_is_not_waited_for() {
    let folder = folder(&["t/a.csv"]);
    let _socket = UnixListener::bind(folder.path().join("t/b.csv")).unwrap();
    for location in ["t/b.csv", "t"] {
        let error = pin("d", location, folder.path()).unwrap_err();
        let said = "dataset `d`: `t/b.csv` is not a regular file; write what it gives into one";
        assert_eq!(error.to_string(), said);
    }
}
