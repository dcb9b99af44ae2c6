use super::*;

/// The folder that a child process works on.
const FOLDER: &str = "UNDERSTUDY_TEST_FOLDER";

#[test]
fn what_was_recorded_is_read_again_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store/ledger");
    append(&path, 3);
    let ledger = Ledger::open(&path).unwrap();
    assert_eq!(reasons(&ledger), ["move 1", "move 2", "move 3"]);
    assert_eq!(ledger.entries()[2].number, 3);
    assert_eq!(ledger.entries()[2].at, "2026-03-01T06:00:00.000Z");
    assert_eq!(
        ledger
            .stages()
            .of("utc-delays")
            .of(&Customer::Named("AS".into())),
        Stage::Live
    );
    assert_eq!(
        names(&path),
        [
            "00000001.json",
            "00000002.json",
            "00000003.json",
            "head.json"
        ]
    );
}

#[test]
fn a_ledger_that_is_not_there_yet_is_empty_and_reading_does_not_create_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    assert!(Ledger::open(&path).unwrap().entries().is_empty());
    assert!(verify(&path).is_empty());
    assert!(!path.exists());
}

#[test]
fn an_append_sees_what_others_recorded_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Ledger::open(folder.path()).unwrap();
    let mut second = Ledger::open(folder.path()).unwrap();
    first.append(&event("a"), at()).unwrap();
    assert_eq!(second.append(&event("b"), at()).unwrap().number, 2);
    assert_eq!(reasons(&second), ["a", "b"]);
    first.refresh().unwrap();
    assert_eq!(reasons(&first), ["a", "b"]);
}

#[test]
fn appends_of_many_threads_are_all_there() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| append(folder.path(), 5));
        }
        // Whoever reads meanwhile never takes an append in progress for a fault.
        scope.spawn(|| (0..200).for_each(|_| assert_eq!(verify(folder.path()), [])));
    });
    assert_eq!(Ledger::open(folder.path()).unwrap().entries().len(), 40);
    assert_eq!(names(folder.path()).len(), 41, "a temporary is left");
}

#[test]
#[ignore = "runs in a process of its own, started by other tests"]
fn child_appends_five() {
    append(Path::new(&std::env::var_os(FOLDER).unwrap()), 5);
}

const CHILD: &str = "store::ledger::tests::appends::child_appends_five";

#[test]
fn appends_of_many_processes_are_all_there() {
    let folder = tempfile::tempdir().unwrap();
    let children: Vec<_> = (0..4)
        .map(|_| {
            crash::command(CHILD, FOLDER, folder.path())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    assert_eq!(Ledger::open(folder.path()).unwrap().entries().len(), 20);
    assert_eq!(names(folder.path()).len(), 21, "a temporary is left");
}

/// Crashes the third append of a process at every fault point: the entry is there as a whole or not at all, and
/// the next append leaves no trace of the crash.
#[test]
fn a_crash_anywhere_leaves_a_whole_ledger() {
    for point in FAULT_POINTS {
        for action in ["kill", "panic", "error"] {
            let folder = tempfile::tempdir().unwrap();
            crash::run(CHILD, FOLDER, folder.path(), point, &format!("{action}@3"));
            assert_eq!(verify(folder.path()), [], "{point} {action}");
            let recorded = Ledger::open(folder.path()).unwrap().entries().len();
            let expected = if point.contains("before-entry") || point.contains("before-link") {
                2
            } else {
                3
            };
            assert_eq!(recorded, expected, "{point} {action}");
            append(folder.path(), 1);
            assert_eq!(
                Ledger::open(folder.path()).unwrap().entries().len(),
                recorded + 1
            );
            assert_eq!(
                names(folder.path()).len(),
                recorded + 2,
                "{point} {action}: a temporary is left"
            );
        }
    }
}

#[test]
fn an_entry_that_a_crash_left_beyond_the_head_is_protected_after_the_next_append() {
    let folder = tempfile::tempdir().unwrap();
    crash::run(CHILD, FOLDER, folder.path(), "ledger.before-head", "kill@3");
    append(folder.path(), 1);
    let path = folder.path().join("00000003.json");
    let changed = fs::read_to_string(&path).unwrap().replace("ana", "bob");
    fs::write(&path, changed).unwrap();
    let faults: Vec<_> = verify(folder.path())
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        faults,
        ["entry 3 was changed: entry 4 carries another digest"]
    );
}

#[test]
fn an_append_goes_on_beside_somebody_who_holds_the_lock_and_hangs() {
    let folder = tempfile::tempdir().unwrap();
    append(folder.path(), 1);
    let head = fs::read(folder.path().join(Head::FILE_NAME)).unwrap();
    let hangs = Lock::exclusive(folder.path(), Duration::ZERO).unwrap();
    append(folder.path(), 1);
    assert_eq!(verify(folder.path()), []);
    assert_eq!(Ledger::open(folder.path()).unwrap().entries().len(), 2);
    assert_eq!(
        fs::read(folder.path().join(Head::FILE_NAME)).unwrap(),
        head,
        "the head is the holder's"
    );
    assert_eq!(
        names(folder.path()).len(),
        4,
        "the temporary explains the entry"
    );
    drop(hangs);
    append(folder.path(), 1);
    assert_eq!(names(folder.path()).len(), 4, "a temporary is left");
    assert_eq!(verify(folder.path()), []);
}

#[test]
fn the_temporary_of_a_later_entry_is_left_to_its_writer() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        ".tmp-1-0-00000001.json",
        ".tmp-1-0-00000002.json",
        ".tmp-1-0-head.json",
    ] {
        fs::write(folder.path().join(name), b"").unwrap();
    }
    append(folder.path(), 1);
    assert_eq!(
        names(folder.path()),
        [".tmp-1-0-00000002.json", "00000001.json", "head.json"]
    );
}

#[test]
fn what_looks_broken_is_read_again_when_the_append_in_progress_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    append(folder.path(), 2);
    let path = folder.path().join(Head::FILE_NAME);
    let head = fs::read(&path).unwrap();
    let first = Digest::of_bytes(&fs::read(folder.path().join("00000001.json")).unwrap());
    let appends = Lock::exclusive(folder.path(), Duration::ZERO).unwrap();
    fs::write(&path, Head::new(1, first).to_bytes()).unwrap();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| verify(folder.path()));
        std::thread::sleep(Duration::from_millis(50));
        fs::write(&path, &head).unwrap();
        drop(appends);
        assert_eq!(reader.join().unwrap(), []);
    });
}
