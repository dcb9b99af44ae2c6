//! Pipeline files that are refused, and what goes on all the same.

use super::scene::{CHANGE, Scene};

const KEY: &str = "sdk-7c1a3f00-aaaa-4bbb-8ccc-0123456789ab";

#[test]
fn a_key_in_the_file_itself_is_refused_and_not_printed() {
    for secret in ["${env:LD_SDK_KEY}", "${env:LD_API_TOKEN}"] {
        let scene = Scene::live(&["acme"]);
        let good = scene.shop.read("understudy.yaml");
        scene.setting(secret, KEY);
        for arguments in [
            &["check"][..],
            &["run", "--date", "2026-03-02"],
            &["plan", "--date", "2026-03-02"],
            &["flip", CHANGE, "--all"],
            &["flags", "lint", CHANGE],
            &["flags", "sync"],
        ] {
            let refused = scene.understudy(arguments).expect(2);
            assert!(
                !refused.stdout.contains(KEY) && !refused.stderr.contains(KEY),
                "{arguments:?}: {refused:?}"
            );
            let said = refused.stdout + &refused.stderr;
            assert!(said.contains("${env:"), "{arguments:?}: {said}");
        }
        // The way back is there.
        scene.understudy(&["rollback", CHANGE, "--all"]).expect(0);
        scene.shop.write("understudy.yaml", &good);
        for (path, bytes) in scene.shop.everything() {
            let found = bytes.windows(KEY.len()).any(|at| at == KEY.as_bytes());
            assert!(!found, "{}", path.display());
        }
        scene.run(2);
        scene.check_new(2, &[]);
    }
}

#[test]
fn what_is_missing_or_unknown_is_said() {
    for (from, to, names) in [
        ("  project: default\n", "", "project"),
        ("  environment: production\n", "", "environment"),
        ("  sdk_key: \"${env:LD_SDK_KEY}\"\n", "", "sdk_key"),
        ("  wait: 2s\n", "  wait: soon\n", "wait"),
        ("  wait: 2s\n", "  mode: sometimes\n", "mode"),
        ("  wait: 2s\n", "  region: mars\n", "region"),
        ("  wait: 2s\n", "  waits: 2s\n", "wait"),
        (
            "  wait: 2s\n",
            "  hash_customers: false\n",
            "hash_customers",
        ),
    ] {
        let scene = Scene::new();
        scene.setting(from, to);
        let refused = scene.understudy(&["check"]).expect(2);
        let said = refused.stdout + &refused.stderr;
        assert!(said.contains(names), "{to}: {said}");
    }
}
