use super::*;

#[test]
fn a_marker_is_written_in_this_form() {
    let scene = scene();
    publish_both(scene.path()).unwrap();
    let path = scene.path().join("live/a/date=2013-01-01/_understudy.json");
    let expected = r#"{
  "version": 1,
  "pipeline": "flights",
  "task": "a",
  "run": "r1",
  "date": "2013-01-01",
  "published_at": "2026-03-01T06:00:00.000Z",
  "ledger_entries": 7,
  "stages": {
    "utc-delays": {
      "lanes": {
        "AS": "live"
      },
      "unlisted": "shadow"
    }
  },
  "digest": "fbb6b30b41732026a9073fd355103e207f6b3c7c1adc086724df42e286417adf",
  "bytes": 5,
  "code": {
    "v1": "822ae07d4783158bc1912bb623e5107cc9002d519e1143a9c200ed6ee18b6d0f"
  }
}
"#;
    assert_eq!(fs::read_to_string(path).unwrap(), expected);
}

#[test]
fn a_marker_knows_its_data() {
    let scene = scene();
    let published = publish_both(scene.path()).unwrap();
    let location = scene.path().join("live/a");
    let marker = read_marker(&location, stamp("r1").date, None)
        .unwrap()
        .unwrap();
    assert_eq!(marker, published[0].marker);
    assert!(holds_data(&location, &marker).unwrap());
    for other in ["new b", "longer", ""] {
        fs::write(&published[0].path, other).unwrap();
        assert!(!holds_data(&location, &marker).unwrap(), "{other}");
    }
    fs::remove_file(&published[0].path).unwrap();
    assert!(!holds_data(&location, &marker).unwrap());
    assert_eq!(
        read_marker(&location, "2013-01-02".parse().unwrap(), None).unwrap(),
        None
    );
}

/// Publishes with a ledger of some length at some time, and `unlisted` at some stage.
fn publish_at(folder: &Path, date: &str, ledger_entries: u64, at: &str, unlisted: Stage) {
    let stages = LaneStages {
        unlisted,
        ..LaneStages::default()
    };
    let stamp = RunStamp {
        date: date.parse().unwrap(),
        ledger_entries,
        published_at: at.parse().unwrap(),
        stages: Stages(BTreeMap::from([("utc-delays".to_owned(), stages)])),
        ..stamp("r1")
    };
    publish(&store(folder), &stamp, &publications(folder)[1..]).unwrap();
}

fn latest(folder: &Path) -> Option<Stage> {
    latest_marker_stages(folder, &["live/nothing", "live/b"])
        .unwrap()
        .map(|stages| stages.of("utc-delays").unlisted)
}

#[test]
fn the_newest_stages_are_those_of_the_longest_ledger_then_of_the_latest_hour() {
    let scene = scene();
    assert_eq!(latest(scene.path()), None);
    publish_at(
        scene.path(),
        "2013-01-03",
        2,
        "2026-03-01T06:00:00Z",
        Stage::Live,
    );
    assert_eq!(latest(scene.path()), Some(Stage::Live));
    publish_at(
        scene.path(),
        "2013-01-01",
        3,
        "2026-03-01T05:00:00Z",
        Stage::Off,
    );
    assert_eq!(latest(scene.path()), Some(Stage::Off));
    publish_at(
        scene.path(),
        "2013-01-02",
        3,
        "2026-03-01T05:00:01Z",
        Stage::Complete,
    );
    assert_eq!(latest(scene.path()), Some(Stage::Complete));
}

#[test]
fn a_marker_that_cannot_be_understood_is_named() {
    let scene = scene();
    let location = scene.path().join("live/a");
    let error = latest_marker_stages(scene.path(), &["live/a"])
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with("live/a/date=2013-01-01/_understudy.json` cannot be understood"),
        "{error}"
    );
    let marker = location.join("date=2013-01-01/_understudy.json");
    fs::write(&marker, r#"{"version": 2, "shape": "unknown"}"#).unwrap();
    let error = latest_marker_stages(scene.path(), &["live/a"])
        .unwrap_err()
        .to_string();
    let expected = "has format 2, and this program reads up to 1; \
                    use the newer version of understudy that wrote it";
    assert!(error.ends_with(expected), "{error}");
}
