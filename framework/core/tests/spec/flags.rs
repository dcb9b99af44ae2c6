//! Where flags are: what stands in `flags`.

use expect_test::{Expect, expect};
use understudy_core::spec::{FlagSettings, LaunchDarklyMode, LaunchDarklyRegion};

use super::{check, loaded};

const VALID: &str = include_str!("flags.yaml");

/// What the valid file with one part replaced comes to.
fn mistake(part: &str, replacement: &str, expected: Expect) {
    assert_eq!(VALID.matches(part).count(), 1, "{part:?}");
    check(&VALID.replace(part, replacement), expected);
}

#[test]
fn every_key_is_read() {
    let loaded = loaded(VALID);
    assert_eq!(loaded.problems, []);
    let FlagSettings::LaunchDarkly(found) = loaded.spec.unwrap().flags else {
        panic!("it is LaunchDarkly")
    };
    assert_eq!(found.sdk_key, "${env:LD_SDK_KEY}");
    assert_eq!(found.api_token.as_deref(), Some("${file:secrets/ld.token}"));
    assert_eq!(
        (found.mode, found.region),
        (LaunchDarklyMode::Polling, LaunchDarklyRegion::Eu)
    );
    assert_eq!((found.wait_secs, found.stale_after_secs), (5, 600));
    assert!(found.hash_customers);
}

#[test]
fn defaults() {
    let end = VALID.find("flags:\n").unwrap();
    let text = format!(
        "{}flags: {{ provider: launchdarkly, sdk_key: \"${{env:KEY}}\" }}\n",
        &VALID[..end]
    );
    let FlagSettings::LaunchDarkly(found) = loaded(&text).spec.unwrap().flags else {
        panic!("it is LaunchDarkly")
    };
    assert_eq!((found.wait_secs, found.stale_after_secs), (10, 300));
    assert_eq!(
        (found.mode, found.region),
        (LaunchDarklyMode::Streaming, LaunchDarklyRegion::Us)
    );
    assert!(found.api_token.is_none() && !found.hash_customers);
}

#[test]
fn no_key() {
    mistake(
        "  sdk_key: \"${env:LD_SDK_KEY}\"\n",
        "",
        expect![[r#"
        understudy.yaml:18:13: LaunchDarkly is read with an SDK key, and there is none
            provider: launchdarkly
            hint: add `sdk_key: "${env:LD_SDK_KEY}"`, a server-side key of the environment
        => nothing runs
    "#]],
    );
}

#[test]
fn a_key_in_the_file_is_not_shown() {
    mistake(
        "\"${env:LD_SDK_KEY}\"",
        "sdk-1234",
        expect![[r#"
        understudy.yaml:19:12: `sdk_key` stands in the file, where everybody can read it
            sdk_key: …
            hint: write `${env:NAME}` or `${file:path}`, and nothing beside it
        => nothing runs
    "#]],
    );
}

#[test]
fn a_token_with_something_beside_it() {
    mistake(
        "\"${file:secrets/ld.token}\"",
        "\"Bearer ${env:TOKEN}\"",
        expect![[r#"
            understudy.yaml:20:14: `api_token` stands in the file, where everybody can read it
                api_token: "…"
                hint: write `${env:NAME}` or `${file:path}`, and nothing beside it
            => nothing runs
        "#]],
    );
}

#[test]
fn a_token_without_a_place() {
    mistake(
        "  project: data-platform\n  environment: production\n",
        "",
        expect![[r#"
            understudy.yaml:20:14: lanes cannot be moved without the `environment` of the flags
                api_token: "${file:secrets/ld.token}"
                hint: add `environment: …`, its key as LaunchDarkly shows it
            understudy.yaml:20:14: lanes cannot be moved without the `project` of the flags
                api_token: "${file:secrets/ld.token}"
                hint: add `project: …`, its key as LaunchDarkly shows it
            => nothing runs
        "#]],
    );
}

#[test]
fn a_relay_that_is_no_url() {
    mistake(
        "https://relay.example.org:8030",
        "relay.example.org",
        expect![[r#"
            understudy.yaml:24:10: `relay.example.org` is no URL
                relay: relay.example.org
                hint: write it with `https://` (or `http://`, within your own network)
            => nothing runs
        "#]],
    );
}

#[test]
fn keys_of_another_provider() {
    mistake(
        "provider: launchdarkly",
        "provider: file",
        expect![[r#"
        understudy.yaml:19:3: `sdk_key` is no setting of the flag file
            sdk_key: "${env:LD_SDK_KEY}"
            hint: take it out, or write `provider: launchdarkly`
        understudy.yaml:20:3: `api_token` is no setting of the flag file
            api_token: "${file:secrets/ld.token}"
            hint: take it out, or write `provider: launchdarkly`
        understudy.yaml:21:3: `project` is no setting of the flag file
            project: data-platform
            hint: take it out, or write `provider: launchdarkly`
        understudy.yaml:22:3: `environment` is no setting of the flag file
            environment: production
            hint: take it out, or write `provider: launchdarkly`
        understudy.yaml:23:3: `mode` is no setting of the flag file
            mode: polling
            hint: take it out, or write `provider: launchdarkly`
        understudy.yaml:24:3: `relay` is no setting of the flag file
            relay: https://relay.example.org:8030
            hint: take it out, or write `provider: launchdarkly`
        understudy.yaml:25:3: `region` is no setting of the flag file
            region: eu
            hint: take it out, or write `provider: launchdarkly`
        understudy.yaml:26:3: `api` is no setting of the flag file
            api: https://app.example.org
            hint: take it out, or write `provider: launchdarkly`
        understudy.yaml:27:3: `hash_customers` is no setting of the flag file
            hash_customers: true
            hint: take it out, or write `provider: launchdarkly`
        understudy.yaml:28:3: `wait` is no setting of the flag file
            wait: 5s
            hint: take it out, or write `provider: launchdarkly`
        understudy.yaml:29:3: `stale_after` is no setting of the flag file
            stale_after: 10m
            hint: take it out, or write `provider: launchdarkly`
        => nothing runs
    "#]],
    );
}

#[test]
fn a_provider_that_nobody_knows() {
    mistake(
        "provider: launchdarkly",
        "provider: launchdrakly",
        expect![[r#"
            understudy.yaml:18:13: `provider` of `flags` of the pipeline cannot be `launchdrakly`
                provider: launchdrakly
                hint: did you mean `launchdarkly`? the words for it are: file, launchdarkly
            => nothing runs
        "#]],
    );
}
