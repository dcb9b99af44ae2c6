//! Fetching under faults: the whole object that was listed, or no file.

use understudy_objects::{FetchError, Limits};

use crate::proxy::Fault;
use crate::world::{TOO_LONG, World, content, limits, open, put, stamp};

const SIZE: usize = 1_000_000;

#[tokio::test]
async fn each_fault_gives_the_whole_or_no_file() {
    let Some(world) = World::start() else { return };
    let chunks = Limits {
        fetch_chunk_bytes: 300_000,
        ..limits()
    };
    let objects = open(world.proxy.address(), chunks).await;
    let folder = tempfile::tempdir().unwrap();
    for (key, skip, fault, times, arrives) in [
        ("lost", 0, Fault::LoseAnswer, 2, true),
        ("cut", 2, Fault::CutBefore, 2, true),
        ("storm", 1, Fault::Unavailable, 3, true),
        ("late", 1, Fault::DelayAnswer(TOO_LONG), 1, true),
        ("half", 0, Fault::HalfAnswer, 2, true),
        ("twice", 0, Fault::Double, 1, true),
        ("endless-storm", 1, Fault::Unavailable, 4, false),
        ("cut-for-good", 3, Fault::CutBefore, 4, false),
    ] {
        assert_eq!(
            put(&world
                .straight()
                .await
                .replace(key, content(SIZE), &stamp("w"))
                .await),
            "done"
        );
        let entry = world
            .straight()
            .await
            .stat(key)
            .await
            .unwrap()
            .unwrap()
            .entry(key);
        let to = folder.path().join(key);
        world.proxy.add("GET", key, skip, times, fault);
        let fetched = objects.fetch(&entry, &to).await;
        assert_eq!(world.proxy.fired(key), times, "{fault:?} did not fire");
        assert_eq!(fetched.is_ok(), arrives, "{key}: {fetched:?}");
        assert_eq!(
            std::fs::read(&to).ok(),
            arrives.then(|| content(SIZE)),
            "{key}"
        );
    }
}

#[tokio::test]
async fn an_object_that_changes_between_two_chunks_is_changed() {
    let Some(world) = World::start() else { return };
    let chunks = Limits {
        fetch_chunk_bytes: 300_000,
        ..limits()
    };
    let objects = open(world.proxy.address(), chunks).await;
    let straight = world.straight().await;
    assert_eq!(
        put(&straight
            .replace("moving", content(SIZE), &stamp("old"))
            .await),
        "done"
    );
    let entry = straight
        .stat("moving")
        .await
        .unwrap()
        .unwrap()
        .entry("moving");
    // The third chunk hangs and is cut; another writer publishes before it is asked for again.
    world.proxy.add(
        "GET",
        "moving",
        2,
        1,
        Fault::CutLate(std::time::Duration::from_secs(1)),
    );
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("moving");
    let other = async {
        while world.proxy.fired("moving") == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        put(&straight
            .replace("moving", vec![9; SIZE], &stamp("new"))
            .await)
    };
    let (fetched, other) = tokio::join!(objects.fetch(&entry, &to), other);
    assert_eq!(other, "done");
    assert!(
        matches!(fetched, Err(FetchError::Changed(_))),
        "{fetched:?}"
    );
    assert!(!to.exists());
}
