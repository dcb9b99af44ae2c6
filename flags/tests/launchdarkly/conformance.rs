//! The suite that every provider passes.

use std::fs;

use understudy_flags::conformance::{FLAGS, hold};
use understudy_flags::{FileFlags, LaunchDarkly};
use understudy_scripted_launchdarkly::Scripted;

use crate::settings;

fn with_flags(make: impl Fn(&Scripted, &str)) -> Scripted {
    let server = Scripted::start();
    for flag in FLAGS {
        make(&server, flag);
    }
    server
}

#[test]
fn the_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("flags.yaml"),
        "first: { \"*unlisted*\": shadow }\n",
    )
    .unwrap();
    hold(|| Box::new(FileFlags::beside(folder.path())));
}

#[test]
fn launchdarkly() {
    let server = with_flags(Scripted::create_stage_flag);
    hold(|| Box::new(LaunchDarkly::new(settings(&server))));
}

#[test]
fn a_migration_flag() {
    let server = with_flags(Scripted::create_migration_flag);
    hold(|| Box::new(LaunchDarkly::new(settings(&server))));
}

#[test]
fn hashed_customers() {
    let server = with_flags(Scripted::create_stage_flag);
    let mut settings = settings(&server);
    settings.hash_key = Some(Ok(b"a key of thirty-two bytes or more".to_vec()));
    hold(|| Box::new(LaunchDarkly::new(settings.clone())));
    for request in server.received() {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        assert!(!body.contains("acme") && !body.contains("bolt"), "{body}");
    }
}
