use super::*;

/// The folder that a child process works on.
const FOLDER: &str = "UNDERSTUDY_TEST_FOLDER";

const PUBLISH: &str = "store::publish::tests::crashes::child_publishes";
const FINISH: &str = "store::publish::tests::crashes::child_finishes";

fn folder() -> PathBuf {
    std::env::var_os(FOLDER).unwrap().into()
}

#[test]
#[ignore = "runs in a process of its own, started by other tests"]
fn child_publishes() {
    publish_both(&folder()).unwrap();
}

#[test]
#[ignore = "runs in a process of its own, started by other tests"]
fn child_finishes() {
    finish_pending(&store(&folder())).unwrap();
}

fn crashed(point: &str, action: &str) -> tempfile::TempDir {
    let scene = scene();
    crash::run(PUBLISH, FOLDER, scene.path(), point, action);
    for (path, both) in [("a", ["old a", "new a"]), ("b", ["", "new b"])] {
        let path = scene
            .path()
            .join("live")
            .join(path)
            .join("date=2013-01-01/data.parquet");
        let content = fs::read_to_string(path).unwrap_or_default();
        assert!(
            both.contains(&content.as_str()),
            "{point}={action} shows `{content}`"
        );
    }
    scene
}

/// Every visit of every point: up to the intent all is old, from the intent on all is new.
fn visits() -> Vec<(String, &'static str)> {
    let mut visits = Vec::new();
    let mut add = |point: &str, times: &[u32], tree| {
        visits.extend(times.iter().map(|n| (format!("{point}={{}}@{n}"), tree)));
    };
    for point in FAULT_POINTS {
        let times: &[u32] = if point.contains("between") {
            &[1, 2]
        } else {
            &[1]
        };
        let old = ["before-staging", "between-copies", "before-intent"];
        let tree = if old.iter().any(|old| point.ends_with(old)) {
            OLD
        } else {
            NEW
        };
        add(point, times, tree);
    }
    // The record of what will be staged, the intent, and each marker.
    add("durable.before-rename", &[1, 2], OLD);
    add("durable.before-rename", &[3, 4], NEW);
    visits
}

fn split(visit: &str, action: &str) -> (String, String) {
    let fault = visit.replace("{}", action);
    let (point, action) = fault.split_once('=').unwrap();
    (point.to_owned(), action.to_owned())
}

#[test]
fn a_crash_anywhere_ends_in_all_old_or_all_new() {
    for (visit, expected) in visits() {
        for action in ["kill", "panic"] {
            let (point, action) = split(&visit, action);
            let scene = crashed(&point, &action);
            finish_pending(&store(scene.path())).unwrap();
            assert_eq!(tree(scene.path()), expected, "{point}={action}");
            assert_eq!(
                finish_pending(&store(scene.path())).unwrap(),
                [],
                "{point}={action}"
            );
            publish_both(scene.path()).unwrap();
            assert_eq!(tree(scene.path()), NEW, "{point}={action}");
        }
    }
}

#[test]
fn a_failed_step_before_the_first_rename_leaves_all_as_it_was_at_once() {
    for (visit, expected) in visits() {
        let (point, action) = split(&visit, "error");
        let scene = crashed(&point, &action);
        let before_rename = expected == OLD || point == "publish.after-intent";
        if before_rename {
            assert_eq!(tree(scene.path()), OLD, "{point}={action}");
        }
        finish_pending(&store(scene.path())).unwrap();
        let expected = if before_rename { OLD } else { NEW };
        assert_eq!(tree(scene.path()), expected, "{point}={action}");
    }
}

#[test]
fn a_crash_while_finishing_is_finished_as_well() {
    let points = [
        "publish.between-renames",
        "publish.before-markers",
        "publish.between-markers",
    ];
    let points = points.iter().chain(&[
        "publish.after-intent",
        "publish.before-end",
        "publish.after-end",
    ]);
    for point in points {
        let scene = crashed("publish.after-intent", "kill");
        crash::run(FINISH, FOLDER, scene.path(), point, "kill");
        finish_pending(&store(scene.path())).unwrap();
        assert_eq!(tree(scene.path()), NEW, "{point}");
    }
}

#[test]
fn a_crash_while_taking_back_is_taken_back_as_well() {
    for first in ["publish.before-intent", "publish.after-intent"] {
        let scene = crashed("publish.while-taking-back", &format!("kill,{first}=error"));
        finish_pending(&store(scene.path())).unwrap();
        assert_eq!(tree(scene.path()), OLD, "{first}");
    }
}

#[test]
fn what_a_crash_left_is_finished_before_the_next_publication() {
    let scene = crashed("publish.between-renames", "kill");
    let other = publish(
        &store(scene.path()),
        &stamp("r2"),
        &publications(scene.path())[..1],
    )
    .unwrap();
    assert_eq!(other[0].marker.run, "r2");
    assert_eq!(tree(scene.path()), NEW.replace("a of r1", "a of r2"));
}

#[test]
fn the_outcome_is_told() {
    let check = |point, outcome, tasks_now: Vec<&str>| {
        let scene = crashed(point, "kill");
        let finished = finish_pending(&store(scene.path())).unwrap();
        let [one] = finished.as_slice() else {
            panic!("{finished:?}")
        };
        let tasks = one.markers.iter().map(|marker| marker.task.as_str());
        let found = (one.run.as_str(), one.outcome, tasks.collect::<Vec<_>>());
        assert_eq!(found, ("r1", outcome, tasks_now));
    };
    check("publish.before-intent", Outcome::TakenBack, vec![]);
    check(
        "publish.between-renames",
        Outcome::Published,
        vec!["a", "b"],
    );
}

/// Somebody touches what a crash left; nothing more is renamed then.
fn check_cannot_finish(tamper: impl FnOnce(&Path), expected: &str) {
    let scene = crashed("publish.between-renames", "kill");
    tamper(scene.path());
    let before = tree(scene.path());
    for attempt in [
        finish_pending(&store(scene.path())).err(),
        publish_both(scene.path()).err(),
    ] {
        let text = attempt
            .unwrap()
            .to_string()
            .replace(scene.path().to_str().unwrap(), "");
        assert_eq!(text, expected);
        assert_eq!(tree(scene.path()), before);
    }
    fs::remove_file(store(scene.path()).pending_file("r1")).unwrap();
    publish_both(scene.path()).unwrap();
    assert_eq!(tree(scene.path()), NEW, "given up, then published again");
}

#[test]
fn what_cannot_be_finished_says_how_to_go_on() {
    check_cannot_finish(
        |folder| fs::write(folder.join("live/b/date=2013-01-01/.tmp-r1-data"), "torn").unwrap(),
        "publishing run `r1` stopped half-way and cannot be finished: \
         `/live/b/date=2013-01-01/.tmp-r1-data` is not what the run made; \
         put that right, or remove `/store/pending/r1.json` to give it up and publish again",
    );
    check_cannot_finish(
        |folder| fs::write(folder.join("live/a/date=2013-01-01/data.parquet"), "other").unwrap(),
        "publishing run `r1` stopped half-way and cannot be finished: \
         `/live/a/date=2013-01-01/data.parquet` is not what the run made; \
         put that right, or remove `/store/pending/r1.json` to give it up and publish again",
    );
    check_cannot_finish(
        |folder| fs::remove_file(folder.join("live/b/date=2013-01-01/.tmp-r1-data")).unwrap(),
        "publishing run `r1` stopped half-way and cannot be finished: \
         cannot read `/live/b/date=2013-01-01/data.parquet`: No such file or directory (os error 2); \
         put that right, or remove `/store/pending/r1.json` to give it up and publish again",
    );
}

#[test]
fn a_record_that_cannot_be_read_stops_everything() {
    let scene = scene();
    let record = store(scene.path()).pending_file("r0");
    fs::create_dir_all(record.parent().unwrap()).unwrap();
    fs::write(&record, "{").unwrap();
    let error = publish_both(scene.path()).unwrap_err();
    assert!(
        matches!(&error, PublishError::BadPending { pending, .. } if *pending == record),
        "{error:?}"
    );
    assert!(tree(scene.path()).starts_with(OLD.split_once("work").unwrap().0));
}
