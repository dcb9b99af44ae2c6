use std::fmt::Write as _;
use std::fs;

use understudy_core::customer::Customer;
use understudy_core::stage::{LaneStages, Stage};

use super::*;
use crate::store::crash;

mod crashes;
mod markers;

/// A folder with a store, the outputs of a live half, and what is published of an earlier run: `a` only.
fn scene() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("work/a", "new a");
    write("work/b", "new b");
    write("live/a/date=2013-01-01/data.parquet", "old a");
    write("live/a/date=2013-01-01/_understudy.json", "old marker\n");
    folder
}

const OLD: &str = "\
live/a/date=2013-01-01/_understudy.json: old marker
live/a/date=2013-01-01/data.parquet: old a
work/a: new a
work/b: new b
";

const NEW: &str = "\
live/a/date=2013-01-01/_understudy.json: a of r1
live/a/date=2013-01-01/data.parquet: new a
live/b/date=2013-01-01/_understudy.json: b of r1
live/b/date=2013-01-01/data.parquet: new b
work/a: new a
work/b: new b
";

/// Everything in a folder, a file or an empty folder a line; markers by what they are about.
fn tree(folder: &Path) -> String {
    let mut text = String::new();
    add_to_tree(folder, folder, &mut text);
    text
}

fn add_to_tree(root: &Path, folder: &Path, text: &mut String) {
    for path in durable::list(folder).unwrap() {
        let name = path
            .strip_prefix(root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        if path.is_dir() {
            let before = text.len();
            add_to_tree(root, &path, text);
            if text.len() == before && !name.starts_with("store") {
                writeln!(text, "{name}/").unwrap();
            }
        } else {
            let content = fs::read_to_string(&path).unwrap();
            let marker = serde_json::from_str::<Marker>(&content);
            let content = marker.map_or(content, |marker| {
                format!("{} of {}", marker.task, marker.run)
            });
            writeln!(text, "{name}: {}", content.trim_end()).unwrap();
        }
    }
}

fn store(folder: &Path) -> Store {
    Store::at(folder.join("store"))
}

fn stamp(run: &str) -> RunStamp {
    let lanes = BTreeMap::from([(Customer::Named("AS".to_owned()), Stage::Live)]);
    let stages = LaneStages {
        lanes,
        unlisted: Stage::Shadow,
    };
    RunStamp {
        pipeline: "flights".to_owned(),
        run: run.to_owned(),
        date: "2013-01-01".parse().unwrap(),
        slice: None,
        published_at: "2026-03-01T06:00:00Z".parse().unwrap(),
        ledger_entries: 7,
        stages: Stages(BTreeMap::from([("utc-delays".to_owned(), stages)])),
    }
}

fn publications(folder: &Path) -> Vec<Publication> {
    let publication = |task: &str| Publication {
        task: task.to_owned(),
        output: LiveOutput::at(folder.join("work").join(task)),
        location: folder.join("live").join(task),
        code: BTreeMap::from([("v1".to_owned(), Digest::of_bytes(b"select 1"))]),
    };
    vec![publication("a"), publication("b")]
}

fn publish_both(folder: &Path) -> Result<Vec<Published>, PublishError> {
    publish(&store(folder), &stamp("r1"), &publications(folder))
}

/// Publishing fails with this text, for the scene as changed, and leaves everything as it was.
fn check_refused(change: impl FnOnce(&Path, &mut Vec<Publication>), expected: &str) {
    let scene = scene();
    let mut publications = publications(scene.path());
    change(scene.path(), &mut publications);
    let before = tree(scene.path());
    let error = publish(&store(scene.path()), &stamp("r1"), &publications).unwrap_err();
    let text = std::iter::successors(Some(&error as &dyn std::error::Error), |error| {
        error.source()
    });
    let text = text.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    assert_eq!(text.replace(scene.path().to_str().unwrap(), ""), expected);
    assert_eq!(tree(scene.path()), before);
}

#[test]
fn all_outputs_are_published_with_their_markers() {
    let scene = scene();
    assert_eq!(tree(scene.path()), OLD);
    let published = publish_both(scene.path()).unwrap();
    assert_eq!(tree(scene.path()), NEW);
    let path = scene.path().join("live/b/date=2013-01-01/data.parquet");
    assert_eq!(published[1].path, path);
    assert_eq!(published[1].marker.digest, Digest::of_bytes(b"new b"));
    assert_eq!(
        publish_both(scene.path()).unwrap(),
        published,
        "the same again is the same"
    );
    assert_eq!(tree(scene.path()), NEW);
}

#[test]
fn each_step_is_on_the_disk_before_the_next_one_relies_on_it() {
    let scene = scene();
    fs::create_dir_all(store(scene.path()).pending_dir()).unwrap();
    let run = || {
        drop(publish(
            &store(scene.path()),
            &stamp("r1"),
            &publications(scene.path())[..1],
        ))
    };
    let expected = "\
sync file store/pending/temporary
rename store/pending/r1.json
sync folder store/pending
sync file live/a/date=2013-01-01/temporary
sync folder live/a/date=2013-01-01
sync file store/pending/temporary
rename store/pending/r1.json
sync folder store/pending
rename live/a/date=2013-01-01/data.parquet
sync folder live/a/date=2013-01-01
sync file live/a/date=2013-01-01/temporary
rename live/a/date=2013-01-01/_understudy.json
sync folder live/a/date=2013-01-01
sync folder store/pending";
    assert_eq!(durable::tests::trace_of(scene.path(), run), expected);
}

#[test]
fn nothing_to_publish_writes_nothing() {
    let scene = scene();
    assert_eq!(
        publish(&store(scene.path()), &stamp("r1"), &[]).unwrap(),
        []
    );
    assert_eq!(finish_pending(&store(scene.path())).unwrap(), []);
    assert_eq!(tree(scene.path()), OLD);
    assert!(!store(scene.path()).root().exists());
}

#[test]
fn an_output_that_is_not_there_stops_all() {
    check_refused(
        |folder, _| fs::remove_file(folder.join("work/b")).unwrap(),
        "nothing was published: the output of `b` cannot be put beside \
         `/live/b/date=2013-01-01/data.parquet`: cannot read `/work/b`: \
         No such file or directory (os error 2)",
    );
}

#[test]
fn a_destination_that_is_a_file_is_named() {
    check_refused(
        |folder, _| fs::write(folder.join("live/b"), "a file").unwrap(),
        "nothing was published: the output of `b` cannot be put beside \
         `/live/b/date=2013-01-01/data.parquet`: cannot create the folder `/live/b/date=2013-01-01`: \
         Not a directory (os error 20)",
    );
}

#[test]
fn a_folder_in_the_place_of_the_output_is_named() {
    check_refused(
        |folder, _| fs::create_dir_all(folder.join("live/b/date=2013-01-01/data.parquet")).unwrap(),
        "nothing was published: `/live/b/date=2013-01-01/data.parquet`, where the output of `b` belongs, \
         is a folder",
    );
}

#[test]
fn two_outputs_in_one_place_are_refused() {
    check_refused(
        |_, publications| publications[1].location = publications[0].location.clone(),
        "nothing was published: `/live/a/date=2013-01-01/data.parquet`, where the output of `b` belongs, \
         belongs to another task's output as well",
    );
}

#[test]
fn a_location_relative_to_the_current_folder_is_written_down_in_full() {
    let scene = scene();
    let mut publications = publications(scene.path());
    publications[0].location = "live/a".into();
    let planned = staging::plan(&stamp("r1"), &publications).unwrap();
    assert!(planned[0].temporary.is_absolute());
    assert!(
        planned[0]
            .temporary
            .ends_with("live/a/date=2013-01-01/.tmp-r1-data")
    );
}

#[test]
fn runs_that_publish_at_once_leave_one_of_them_whole() {
    let scene = scene();
    std::thread::scope(|scope| {
        for run in ["r1", "r2", "r3", "r4"] {
            let (folder, stamp) = (scene.path(), stamp(run));
            scope.spawn(move || publish(&store(folder), &stamp, &publications(folder)).unwrap());
        }
    });
    let date = "2013-01-01".parse().unwrap();
    let run = |task| {
        read_marker(&scene.path().join("live").join(task), date, None)
            .unwrap()
            .unwrap()
            .run
    };
    assert_eq!(run("a"), run("b"));
    assert_eq!(tree(scene.path()).replace(&run("a"), "r1"), NEW);
}

/// Publishes `a` and `b` after something was put into the scene, and gives what became of everything.
fn published_after(prepare: impl Fn(&Path)) -> (Option<String>, String) {
    let scene = scene();
    prepare(scene.path());
    let result = publish(
        &store(scene.path()),
        &stamp("r1"),
        &publications(scene.path()),
    );
    let error = result.err().map(|error| error.to_string());
    (error, tree(scene.path()))
}

#[test]
fn nothing_is_published_over_a_link_below_a_location() {
    for (link, leads) in [
        ("live/b/date=2013-01-01", "../../elsewhere"),
        ("live/a/date=2013-01-01", "../../elsewhere"),
    ] {
        let prepare = |folder: &Path| {
            fs::create_dir_all(folder.join("elsewhere")).unwrap();
            fs::create_dir_all(folder.join("live/b")).unwrap();
            let link = folder.join(link);
            let _ = fs::remove_dir_all(&link);
            std::os::unix::fs::symlink(leads, link).unwrap();
        };
        let (error, tree) = published_after(prepare);
        let error = error.expect("it is refused");
        assert!(
            error.ends_with("is reached over a symbolic link below its location; make that a folder, or name another location"),
            "{error}"
        );
        assert!(tree.contains("elsewhere/\n"), "{tree}");
        assert!(!tree.contains("of r1"), "{tree}");
    }
}

#[test]
fn a_location_may_itself_be_reached_over_a_link() {
    let prepare = |folder: &Path| {
        fs::create_dir_all(folder.join("elsewhere")).unwrap();
        std::os::unix::fs::symlink("../elsewhere", folder.join("live/b")).unwrap();
    };
    let (error, tree) = published_after(prepare);
    assert_eq!(error, None);
    assert!(
        tree.contains("elsewhere/date=2013-01-01/data.parquet: new b"),
        "{tree}"
    );
}

#[test]
fn an_output_that_became_a_link_is_not_published() {
    let prepare = |folder: &Path| {
        fs::write(folder.join("secret"), "secret").unwrap();
        fs::remove_file(folder.join("work/b")).unwrap();
        std::os::unix::fs::symlink("../secret", folder.join("work/b")).unwrap();
    };
    let (error, tree) = published_after(prepare);
    assert!(
        error
            .expect("it is refused")
            .starts_with("nothing was published")
    );
    assert!(
        tree.contains("live/a/date=2013-01-01/data.parquet: old a"),
        "{tree}"
    );
}
