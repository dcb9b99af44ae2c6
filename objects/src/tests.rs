//! The whole crate on the store in memory.

use crate::{
    Create, Entry, FetchError, Limits, Objects, Place, Put, ReadError, Stamp, Stores, WriteError,
};

async fn objects() -> Objects {
    open(Limits::default()).await
}

async fn open(limits: Limits) -> Objects {
    Stores::new([], limits)
        .open(&Place::parse("memory://t/base/").unwrap())
        .await
        .unwrap()
}

fn stamp(writer: &str) -> Stamp {
    Stamp::new(writer, "digest").unwrap()
}

async fn write(objects: &Objects, key: &str, bytes: &[u8]) {
    let put = objects
        .replace(key, bytes.to_vec(), &stamp("w"))
        .await
        .unwrap();
    assert!(matches!(put, Put::Done { e_tag: Some(_) }));
}

async fn entry(objects: &Objects, key: &str) -> Entry {
    objects.stat(key).await.unwrap().unwrap().entry(key)
}

#[tokio::test]
async fn listings_are_sorted_and_relative() {
    let objects = objects().await;
    for key in ["b", "a/2", "a/1", "a-b/1", "_hidden"] {
        write(&objects, key, b"x").await;
    }
    let keys = |entries: Vec<Entry>| {
        entries
            .into_iter()
            .map(|entry| entry.key)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        keys(objects.list("").await.unwrap()),
        "_hidden a-b/1 a/1 a/2 b"
    );
    assert_eq!(keys(objects.list("a").await.unwrap()), "a/1 a/2");
    assert_eq!(keys(objects.list("nothing").await.unwrap()), "");
    assert_eq!(objects.list_folders("").await.unwrap(), ["a", "a-b"]);
}

#[tokio::test]
async fn an_empty_object_is_listed_unless_it_marks_a_folder() {
    let objects = objects().await;
    write(&objects, "empty", b"").await;
    write(&objects, "folder", b"").await;
    write(&objects, "folder/deep/x", b"x").await;
    write(&objects, "full", b"x").await;
    write(&objects, "full/x", b"x").await;
    let keys: Vec<String> = objects
        .list("")
        .await
        .unwrap()
        .into_iter()
        .map(|entry| entry.key)
        .collect();
    assert_eq!(keys, ["empty", "folder/deep/x", "full", "full/x"]);
}

#[tokio::test]
async fn one_client_a_bucket() {
    let stores = Stores::new([], Limits::default());
    let here = stores
        .open(&Place::parse("memory://t/base").unwrap())
        .await
        .unwrap();
    let above = stores
        .open(&Place::parse("memory://t").unwrap())
        .await
        .unwrap();
    let other = stores
        .open(&Place::parse("memory://u/base").unwrap())
        .await
        .unwrap();
    write(&here, "k", b"x").await;
    assert_eq!(above.read("base/k", 9).await.unwrap().unwrap(), b"x");
    assert_eq!(other.read("k", 9).await.unwrap(), None);
}

#[tokio::test]
async fn the_first_creation_wins() {
    let objects = objects().await;
    assert!(matches!(
        objects.create("k", vec![1], &stamp("a")).await,
        Ok(Create::Created { .. })
    ));
    assert!(matches!(
        objects.create("k", vec![1], &stamp("b")).await,
        Ok(Create::AlreadyExists)
    ));
    // The same write again, as after a lost answer.
    assert!(matches!(
        objects.create("k", vec![1], &stamp("a")).await,
        Ok(Create::Created { .. })
    ));
}

#[tokio::test]
async fn a_fetch_gives_what_was_listed_or_no_file() {
    let objects = open(Limits {
        fetch_chunk_bytes: 3,
        ..Limits::default()
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("f");
    write(&objects, "k", b"12345678").await;
    let listed = entry(&objects, "k").await;
    objects.fetch(&listed, &to).await.unwrap();
    assert_eq!(std::fs::read(&to).unwrap(), b"12345678");
    std::fs::remove_file(&to).unwrap();
    let longer = Entry {
        bytes: 9,
        ..listed.clone()
    };
    assert!(matches!(
        objects.fetch(&longer, &to).await,
        Err(FetchError::Length {
            listed: 9,
            got: 8,
            ..
        })
    ));
    write(&objects, "k", b"87654321").await;
    assert!(matches!(
        objects.fetch(&listed, &to).await,
        Err(FetchError::Changed(_))
    ));
    objects.remove("k").await.unwrap();
    assert!(matches!(
        objects.fetch(&listed, &to).await,
        Err(FetchError::Gone(_))
    ));
    assert!(!to.exists());
}

#[tokio::test]
async fn a_large_file_goes_in_parts_and_keeps_its_stamp() {
    let objects = open(Limits {
        one_put_max_bytes: 10,
        part_bytes: 7,
        ..Limits::default()
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f");
    for bytes in [0, 10, 11, 14, 100] {
        let content: Vec<u8> = (0..bytes).collect();
        std::fs::write(&file, &content).unwrap();
        assert!(matches!(
            objects.put_file(&file, "k", &stamp("w")).await,
            Ok(Put::Done { .. })
        ));
        assert_eq!(objects.read("k", 100).await.unwrap().unwrap(), content);
        assert_eq!(
            objects.stat("k").await.unwrap().unwrap().stamp,
            Some(stamp("w"))
        );
    }
}

#[tokio::test]
async fn bad_keys_reach_no_store() {
    let objects = objects().await;
    for key in ["", "../x", "a//b", "/a", "a/"] {
        assert!(
            matches!(objects.stat(key).await, Err(ReadError::Key(_))),
            "{key}"
        );
        assert!(
            matches!(
                objects.create(key, vec![], &stamp("w")).await,
                Err(WriteError::Key(_))
            ),
            "{key}"
        );
    }
}
