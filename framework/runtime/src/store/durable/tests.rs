use std::cell::RefCell;

use super::*;

thread_local! {
    static TRACE: RefCell<Vec<(String, PathBuf)>> = const { RefCell::new(Vec::new()) };
}

/// Keeps what the durable writer did, in its order, for [`check_trace`].
pub(super) fn trace(step: &str, path: &Path) {
    TRACE.with_borrow_mut(|trace| trace.push((step.to_owned(), path.to_owned())));
}

/// Runs something in a fresh folder and compares the steps that it took, one a line, paths seen from the folder.
fn check_trace(run: impl FnOnce(&Path), expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(trace_of(folder.path(), || run(folder.path())), expected);
    assert_eq!(temporaries(folder.path()), 0, "a temporary is left");
}

/// The steps that something takes on this thread, one a line, paths seen from a folder.
pub(crate) fn trace_of(folder: &Path, run: impl FnOnce()) -> String {
    TRACE.take();
    run();
    let show = |(step, path): (String, PathBuf)| {
        let path = path.strip_prefix(folder).unwrap();
        let shown = if is_temporary(path) {
            path.with_file_name("temporary")
        } else {
            path.to_owned()
        };
        format!("{step} {}", shown.display()).trim_end().to_owned()
    };
    TRACE
        .take()
        .into_iter()
        .map(show)
        .collect::<Vec<_>>()
        .join("\n")
}

fn temporaries(folder: &Path) -> usize {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries.filter(|path| is_temporary(path)).count()
}

#[test]
fn a_new_file_is_synced_before_it_has_its_name_and_its_folder_afterwards() {
    check_trace(
        |folder| {
            let path = folder.join("a");
            assert_eq!(write_new(&path, b"one").unwrap(), Written::Created);
            assert_eq!(fs::read(path).unwrap(), b"one");
        },
        "sync file temporary\nlink a\nsync folder",
    );
}

#[test]
fn a_file_that_is_there_is_left_alone() {
    check_trace(
        |folder| {
            let path = folder.join("a");
            fs::write(&path, b"old").unwrap();
            assert_eq!(write_new(&path, b"new").unwrap(), Written::AlreadyExists);
            assert_eq!(fs::read(path).unwrap(), b"old");
        },
        "sync file temporary\nlink a\nsync folder",
    );
}

#[test]
fn a_replaced_file_is_synced_before_and_its_folder_afterwards() {
    check_trace(
        |folder| {
            let path = folder.join("a");
            fs::write(&path, b"old").unwrap();
            replace(&path, b"new").unwrap();
            assert_eq!(fs::read(path).unwrap(), b"new");
        },
        "sync file temporary\nrename a\nsync folder",
    );
}

#[test]
fn a_finished_file_is_synced_before_it_is_put_in_place() {
    check_trace(
        |folder| {
            fs::write(folder.join(".tmp-x"), b"new").unwrap();
            put_file(&folder.join(".tmp-x"), &folder.join("a")).unwrap();
            assert_eq!(fs::read(folder.join("a")).unwrap(), b"new");
        },
        "sync file temporary\nrename a\nsync folder",
    );
}

#[test]
fn every_folder_that_got_a_new_entry_is_synced() {
    check_trace(
        |folder| {
            let created = create_dirs(&folder.join("a/b/c")).unwrap();
            assert_eq!(
                created,
                [folder.join("a"), folder.join("a/b"), folder.join("a/b/c")]
            );
            assert!(create_dirs(&folder.join("a/b/c")).unwrap().is_empty());
        },
        "sync folder\nsync folder a\nsync folder a/b",
    );
}

#[test]
fn a_copy_is_synced_and_digested() {
    check_trace(
        |folder| {
            let content = vec![7; COPY_BUFFER_BYTES + 1];
            fs::write(folder.join("a"), &content).unwrap();
            let copied = copy_new(&folder.join("a"), &folder.join("b")).unwrap();
            assert_eq!(copied, (Digest::of_bytes(&content), content.len() as u64));
            assert_eq!(fs::read(folder.join("b")).unwrap(), content);
            assert_eq!(digest_of_file(&folder.join("b")).unwrap(), copied.0);
            assert!(
                copy_new(&folder.join("a"), &folder.join("b")).is_err(),
                "b is there"
            );
        },
        "sync file b",
    );
}

#[test]
fn a_file_in_the_way_of_a_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), b"").unwrap();
    for path in ["file", "file/a", "file/a/b"] {
        let error = create_dirs(&folder.path().join(path)).unwrap_err();
        assert!(
            error.to_string().starts_with("cannot create the folder `"),
            "{error}"
        );
        assert!(error.to_string().contains("/file"), "{error}");
        assert_eq!(error.source.kind(), io::ErrorKind::NotADirectory);
    }
}

#[test]
fn a_failed_write_leaves_the_old_file_and_no_temporary() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("a")).unwrap();
    fs::write(folder.path().join("a/kept"), b"old").unwrap();
    assert!(
        replace(&folder.path().join("a"), b"new").is_err(),
        "a folder is in the way"
    );
    assert_eq!(fs::read(folder.path().join("a/kept")).unwrap(), b"old");
    assert_eq!(temporaries(folder.path()), 0);
}

#[test]
fn of_many_writers_of_one_new_file_exactly_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let write = |n: usize| write_new(&path, n.to_string().as_bytes()).unwrap();
    let written: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|n| scope.spawn(move || write(n))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let winners: Vec<_> = (0..16)
        .filter(|n| written[*n] == Written::Created)
        .collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(fs::read_to_string(path).unwrap(), winners[0].to_string());
}
