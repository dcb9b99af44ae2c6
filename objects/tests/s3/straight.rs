//! Everything once, without faults.

use understudy_objects::{FetchError, ReadError};

use crate::world::{World, content, created, limits, open, put, stamp};

const LIMIT: u64 = 1 << 20;

#[tokio::test]
async fn what_is_written_is_listed_and_read() {
    let Some(world) = World::start() else { return };
    let objects = world.straight().await;
    for key in ["date=2/b", "date=1/a", "date=1/_hidden", "date=1/sub/ü %41"] {
        assert_eq!(
            put(&objects
                .replace(key, key.as_bytes().to_vec(), &stamp("w"))
                .await),
            "done"
        );
    }
    // What some tools leave for a folder.
    world.moto.send("PUT /lake/base/date=1/ HTTP/1.1", b"");
    let keys: Vec<String> = objects
        .list("")
        .await
        .unwrap()
        .into_iter()
        .map(|entry| entry.key)
        .collect();
    assert_eq!(
        keys,
        ["date=1/_hidden", "date=1/a", "date=1/sub/ü %41", "date=2/b"]
    );
    assert_eq!(
        objects.list_folders("").await.unwrap(),
        ["date=1", "date=2"]
    );
    assert_eq!(objects.list("date=1/sub/").await.unwrap().len(), 1);
    assert_eq!(
        objects.list("date=").await.unwrap(),
        [],
        "a folder is a whole name"
    );
    let read = objects.read("date=1/sub/ü %41", LIMIT).await.unwrap();
    assert_eq!(read.as_deref(), Some("date=1/sub/ü %41".as_bytes()));
    assert!(matches!(
        objects.read("date=1/a", 3).await,
        Err(ReadError::TooLarge {
            bytes: 8,
            max_bytes: 3,
            ..
        })
    ));
    let stat = objects.stat("date=1/a").await.unwrap().unwrap();
    assert_eq!((stat.bytes, stat.stamp), (8, Some(stamp("w"))));
    objects.remove("date=1/a").await.unwrap();
    objects.remove("date=1/a").await.unwrap();
    assert_eq!(objects.stat("date=1/a").await.unwrap(), None);
    assert_eq!(objects.read("date=1/a", LIMIT).await.unwrap(), None);
}

#[tokio::test]
async fn a_listing_of_many_pages_is_complete() {
    let Some(world) = World::start() else { return };
    let objects = world.straight().await;
    let write = |n: usize| {
        let objects = objects.clone();
        async move {
            put(&objects
                .replace(&format!("n{n:04}"), vec![], &stamp("w"))
                .await)
        }
    };
    for hundred in 0..11 {
        let written =
            futures::future::join_all((hundred * 100..hundred * 100 + 100).map(write)).await;
        assert!(written.iter().all(|answer| *answer == "done"));
    }
    let entries = objects.list("").await.unwrap();
    assert_eq!(entries.len(), 1100, "the server gives 1,000 a page");
    assert!(
        entries
            .iter()
            .enumerate()
            .all(|(n, entry)| entry.key == format!("n{n:04}"))
    );
}

#[tokio::test]
async fn a_fetch_gives_what_was_listed_or_nothing() {
    let Some(world) = World::start() else { return };
    let short = understudy_objects::Limits {
        fetch_chunk_bytes: 1000,
        ..limits()
    };
    let objects = open(world.moto.address(), short).await;
    let folder = tempfile::tempdir().unwrap();
    for bytes in [0, 1, 999, 1000, 1001, 3500] {
        let (key, to) = (format!("f{bytes}"), folder.path().join(format!("f{bytes}")));
        assert_eq!(
            put(&objects.replace(&key, content(bytes), &stamp("w")).await),
            "done"
        );
        let entry = objects.stat(&key).await.unwrap().unwrap().entry(&key);
        objects.fetch(&entry, &to).await.unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), content(bytes));
        assert!(
            matches!(
                objects.fetch(&entry, &to).await,
                Err(FetchError::File { .. })
            ),
            "a file there is kept"
        );
        assert_eq!(std::fs::read(&to).unwrap(), content(bytes));
    }
    let to = folder.path().join("other");
    let listed = objects.list("").await.unwrap();
    let entry = listed.iter().find(|entry| entry.key == "f3500").unwrap();
    assert_eq!(
        put(&objects
            .replace("f3500", vec![7; 3500], &stamp("other"))
            .await),
        "done"
    );
    assert!(matches!(
        objects.fetch(entry, &to).await,
        Err(FetchError::Changed(_))
    ));
    objects.remove("f3500").await.unwrap();
    assert!(matches!(
        objects.fetch(entry, &to).await,
        Err(FetchError::Gone(_))
    ));
    assert!(!to.exists());
}

#[tokio::test]
async fn the_first_creation_wins() {
    let Some(world) = World::start() else { return };
    let objects = world.straight().await;
    assert_eq!(
        created(&objects.create("k", b"one".to_vec(), &stamp("one")).await),
        "created"
    );
    assert_eq!(
        created(&objects.create("k", b"two".to_vec(), &stamp("two")).await),
        "already exists"
    );
    assert_eq!(
        created(&objects.create("k", b"one".to_vec(), &stamp("three")).await),
        "already exists"
    );
    assert_eq!(objects.read("k", LIMIT).await.unwrap().unwrap(), b"one");
    world.moto.send("PUT /lake/base/foreign HTTP/1.1", b"x");
    assert_eq!(
        created(
            &objects
                .create("foreign", b"one".to_vec(), &stamp("one"))
                .await
        ),
        "already exists"
    );
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_a_clear_no() {
    let Some(world) = World::start() else { return };
    let stores =
        understudy_objects::Stores::new(crate::moto::settings(world.moto.address()), limits());
    let objects = stores
        .open(&understudy_objects::Place::parse("s3://nowhere/").unwrap())
        .await
        .unwrap();
    assert_eq!(
        created(&objects.create("k", vec![1], &stamp("w")).await),
        "not written"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_clear_no() {
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let objects = open(address, limits()).await;
    assert_eq!(
        created(&objects.create("k", vec![1], &stamp("w")).await),
        "not written"
    );
    assert_eq!(
        put(&objects.replace("k", vec![1], &stamp("w")).await),
        "not written"
    );
    assert!(matches!(
        objects.list("").await,
        Err(ReadError::Store { .. })
    ));
}
