//! Neither the key nor the token stands in any file or output, whatever goes wrong with them.

use understudy_scripted_launchdarkly::{ApiScope, StreamScript};

use super::scene::{CHANGE, Scene};

/// Every verb that has to do with flags; what each prints is looked through.
fn all_verbs(scene: &Scene, day: u64) {
    scene.run(day);
    for verb in [
        &["status"][..],
        &["status", "--json"],
        &["doctor"],
        &["check"],
        &["gate", CHANGE],
        &["flags", "lint", CHANGE],
        &["flags", "sync"],
        &["flip", CHANGE, "--customers", "bolt"],
        &["rollback", CHANGE, "--customers", "bolt"],
        &["audit"],
        &["audit", "--json"],
        &["audit", "explain"],
        &["report"],
    ] {
        scene.understudy(verb);
    }
    scene.nothing_leaked();
}

#[test]
fn where_all_is_well() {
    all_verbs(&Scene::live(&["acme"]), 2);
}

#[test]
fn where_they_are_refused() {
    let scene = Scene::live(&["acme"]);
    scene.server.refuse_sdk_key(true);
    all_verbs(&scene, 2);
    scene.server.refuse_sdk_key(false);
    scene.server.set_api_scope(ApiScope::Revoked);
    all_verbs(&scene, 3);
}

#[test]
fn where_nobody_answers_or_nobody_understands() {
    let scene = Scene::live(&["acme"]);
    scene.setting("wait: 2s", "wait: 1s");
    scene.server.script_stream(StreamScript::MalformedFlag);
    all_verbs(&scene, 2);
    scene.down();
    all_verbs(&scene, 3);
}

#[test]
fn where_the_program_says_all_it_can() {
    let scene = Scene::live(&["acme"]);
    for level in ["RUST_LOG", "UNDERSTUDY_LOG"] {
        let mut command = scene.shop.command(&["run", "--date", "2026-03-02"]);
        let ended = command.env(level, "trace").output().unwrap();
        scene.discreet(ended.into()).expect(0);
    }
    scene.nothing_leaked();
}

#[test]
fn a_secret_in_a_file_with_an_end_of_line_is_taken_as_well() {
    let scene = Scene::ready();
    let key = format!("{}\n", scene.server.sdk_key());
    let token = format!("{}\n", scene.server.api_token());
    scene.shop.write("ld.key", &key);
    scene.shop.write("ld.token", &token);
    scene.setting("${env:LD_SDK_KEY}", "${file:ld.key}");
    scene.setting("${env:LD_API_TOKEN}", "${file:ld.token}");
    scene.flip("acme").expect(0);
    scene.run(2);
    scene.check_new(2, &["acme"]);
    std::fs::remove_file(scene.shop.path("ld.key")).unwrap();
    std::fs::remove_file(scene.shop.path("ld.token")).unwrap();
    scene.nothing_leaked();
}
