//! Publishing under faults: the old object whole, or the new one whole, and never a wrong answer.

use std::path::Path;
use std::time::Duration;

use understudy_objects::{Limits, Objects};

use crate::proxy::Fault;
use crate::world::{TOO_LONG, World, content, limits, open, put, stamp};

const SIZE: usize = 300_000;

/// Puts a file over an old one. `matching` says which requests meet the fault.
async fn check(
    world: &World,
    objects: &Objects,
    key: &str,
    matching: (&'static str, &str),
    fault: (Fault, usize),
) -> &'static str {
    let straight = world.straight().await;
    assert_eq!(
        put(&straight.replace(key, vec![1; 1000], &stamp("old")).await),
        "done"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = file_of(folder.path());
    world.proxy.add(matching.0, matching.1, 0, fault.1, fault.0);
    let answer = put(&objects.put_file(&file, key, &stamp("new")).await);
    assert_eq!(
        world.proxy.fired(matching.1),
        fault.1,
        "{fault:?} did not fire"
    );
    let stat = straight.stat(key).await.unwrap().unwrap();
    let writer = stat.stamp.unwrap().writer().to_owned();
    let bytes = straight.read(key, 1 << 30).await.unwrap().unwrap();
    let whole = if writer == "new" {
        bytes == content(SIZE)
    } else {
        bytes == vec![1; 1000]
    };
    assert!(whole, "{fault:?}: {} bytes by {writer}", bytes.len());
    match answer {
        "done" => assert_eq!(writer, "new", "{fault:?}"),
        "not written" => assert_eq!(writer, "old", "{fault:?}"),
        _ => {}
    }
    answer
}

fn file_of(folder: &Path) -> std::path::PathBuf {
    let file = folder.join("data.parquet");
    std::fs::write(&file, content(SIZE)).unwrap();
    file
}

#[tokio::test]
async fn one_put_is_settled_or_said() {
    let Some(world) = World::start() else { return };
    let objects = world.broken().await;
    for (key, fault, times, expected) in [
        ("lost", Fault::LoseAnswer, 1, "done"),
        ("lost-for-good", Fault::LoseAnswer, 1, "done"),
        ("cut", Fault::CutBefore, 2, "done"),
        ("cut-for-good", Fault::CutBefore, 4, "unknown"),
        ("storm", Fault::Unavailable, 3, "done"),
        ("endless-storm", Fault::Unavailable, 4, "unknown"),
        ("late", Fault::DelayAnswer(TOO_LONG), 1, "done"),
        ("twice", Fault::Double, 1, "done"),
        ("conflict", Fault::Conflict, 1, "done"),
        (
            "delivered-late",
            Fault::DeliverLate(Duration::from_millis(20)),
            1,
            "done",
        ),
    ] {
        assert_eq!(
            check(&world, &objects, key, ("PUT", key), (fault, times)).await,
            expected,
            "{key}"
        );
    }
}

#[tokio::test]
async fn an_upload_in_parts_is_seen_whole_or_not_at_all() {
    let Some(world) = World::start() else { return };
    // S3 takes no smaller part than 5 MiB, but for the last; the server here does not mind in a part's own request.
    let objects = open(world.proxy.address(), parts()).await;
    for (key, method, part, fault, times, expected) in [
        ("p0", "POST", "p0?uploads", Fault::CutBefore, 1, "done"),
        ("p1", "PUT", "p1?partNumber=2", Fault::LoseAnswer, 1, "done"),
        (
            "p2",
            "PUT",
            "p2?partNumber=1",
            Fault::Unavailable,
            2,
            "done",
        ),
        (
            "p3",
            "PUT",
            "p3?partNumber=1",
            Fault::Unavailable,
            4,
            "not written",
        ),
        ("p4", "POST", "p4?uploadId", Fault::LoseAnswer, 1, "done"),
        (
            "p5",
            "POST",
            "p5?uploadId",
            Fault::Unavailable,
            4,
            "unknown",
        ),
        ("p6", "POST", "p6?uploadId", Fault::Double, 1, "done"),
        (
            "p7",
            "POST",
            "p7?uploadId",
            Fault::DelayAnswer(TOO_LONG),
            1,
            "done",
        ),
    ] {
        let answer = check_parts(&world, &objects, key, (method, part), (fault, times)).await;
        assert_eq!(answer, expected, "{key}: {fault:?}");
    }
}

const LARGE: usize = 12 << 20;

fn parts() -> Limits {
    Limits {
        one_put_max_bytes: 1 << 20,
        part_bytes: 5 << 20,
        ..limits()
    }
}

async fn check_parts(
    world: &World,
    objects: &Objects,
    key: &str,
    matching: (&'static str, &str),
    fault: (Fault, usize),
) -> &'static str {
    let straight = world.straight().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large");
    std::fs::write(&file, content(LARGE)).unwrap();
    world.proxy.add(matching.0, matching.1, 0, fault.1, fault.0);
    let answer = put(&objects.put_file(&file, key, &stamp("new")).await);
    assert_eq!(
        world.proxy.fired(matching.1),
        fault.1,
        "{fault:?} did not fire"
    );
    let bytes = straight.read(key, 1 << 30).await.unwrap();
    assert!(
        bytes.as_ref().is_none_or(|bytes| *bytes == content(LARGE)),
        "{fault:?} tore it"
    );
    assert_eq!(bytes.is_some(), answer == "done", "{fault:?}");
    if answer == "done" {
        assert_eq!(
            straight.stat(key).await.unwrap().unwrap().stamp,
            Some(stamp("new"))
        );
    }
    answer
}

#[tokio::test]
async fn the_older_is_not_put_over_the_newer() {
    let Some(world) = World::start() else { return };
    let objects = world.broken().await;
    // The first attempt hangs for a while and is cut; meanwhile another writer publishes.
    world
        .proxy
        .add("PUT", "newer", 0, 1, Fault::CutLate(Duration::from_secs(1)));
    let (our_stamp, straight) = (stamp("ours"), world.straight().await);
    let ours = objects.replace("newer", b"ours".to_vec(), &our_stamp);
    let theirs = async {
        while world.proxy.fired("newer") == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        put(&straight
            .replace("newer", b"theirs".to_vec(), &stamp("theirs"))
            .await)
    };
    let (ours, theirs) = tokio::join!(ours, theirs);
    assert_eq!((put(&ours), theirs), ("unknown", "done"));
    assert_eq!(
        straight.read("newer", 100).await.unwrap().unwrap(),
        b"theirs"
    );
}

#[tokio::test]
async fn a_file_that_is_not_there_writes_nothing() {
    let Some(world) = World::start() else { return };
    let answer = world
        .straight()
        .await
        .put_file(Path::new("/nonexistent/file"), "k", &stamp("w"))
        .await;
    assert_eq!(put(&answer), "not written");
    assert_eq!(world.straight().await.stat("k").await.unwrap(), None);
}
