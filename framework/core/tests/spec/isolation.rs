//! What a pipeline file says of a shadow's surroundings: environment, network, limits, and whether it runs at all.

use expect_test::{Expect, expect};
use understudy_core::spec::{Sandbox, ShadowRuns};

use crate::{check, loaded};

const FILE: &str = include_str!("isolation.yaml");

#[track_caller]
fn mistake(part: &str, replacement: &str, expected: Expect) {
    assert_eq!(
        FILE.matches(part).count(),
        1,
        "{part:?} is not in the file exactly once"
    );
    check(&FILE.replace(part, replacement), expected);
}

#[test]
fn it_is_valid_and_says_what_it_says() {
    check(FILE, expect!["=> everything runs\n"]);
    let spec = loaded(FILE).spec.unwrap();
    assert_eq!(spec.sandbox, Sandbox::Required);
    assert_eq!(spec.task("letters").unwrap().shadow, ShadowRuns::Never);
    assert_eq!(spec.task("totals").unwrap().shadow, ShadowRuns::Allowed);
    let version = &spec.task("totals").unwrap().versions["v2"];
    let around = &version.surroundings;
    assert_eq!(around.env["TOKEN"], "${env:TOKEN}");
    assert_eq!(around.env["PORT"], "5432");
    let shadow = around.of_shadow();
    assert_eq!(shadow["TOKEN"], "${file:read-only.token}");
    assert_eq!(shadow["REGION"], "eu");
    assert_eq!(
        around.hosts,
        ["db.example.org", "10.0.0.1:5432", "[::1]:5432"]
    );
    let limits = version.limits;
    assert_eq!(limits.disk_bytes, Some(20_000_000_000));
    assert_eq!((limits.files, limits.processes), (Some(256), Some(64)));
}

#[test]
fn a_task_that_is_never_a_shadow_stops_what_would_run_it_as_one() {
    mistake(
        "new: { totals: v2 }",
        "new: { totals: v2 }\n    downstream: [letters]",
        expect![[r#"
            understudy.yaml:34:3: `faster` would run `letters` as a shadow, which says `shadow: never`
                faster:
                hint: take apart what computes from what delivers: a task that only computes can be tried in the shadow
            => live runs without faster
        "#]],
    );
    mistake(
        "new: { totals: v2 }",
        "new: { totals: v2 }\n    downstream: [reach]",
        expect![[r#"
            understudy.yaml:34:3: `faster` would run `letters` as a shadow, which says `shadow: never`
                faster:
                hint: take apart what computes from what delivers: a task that only computes can be tried in the shadow
            => live runs without faster
        "#]],
    );
}

#[test]
fn secrets_have_their_places() {
    mistake(
        "[./bin/total, --fast]",
        "[./bin/total, \"--token=${env:TOKEN}\"]",
        expect![[r#"
            understudy.yaml:14:32: `--token=${env:TOKEN}` is no place for a secret: everybody can see it there
                command: [./bin/total, "--token=${env:TOKEN}"]
                hint: a secret in a command's arguments stands in files and in the list of processes; give it to a command as a variable, under `env`
            => live runs without faster
        "#]],
    );
    mistake(
        "REGION: eu,",
        "REGION: \"Bearer ${env:TOKEN}\",",
        expect![[r#"
            understudy.yaml:15:47: `Bearer ${env:TOKEN}` cannot be a variable's value
                env: { TOKEN: "${env:TOKEN}", REGION: "Bearer ${env:TOKEN}", PORT: 5432 }
                hint: write plain text, `${env:NAME}` or `${file:path}`; a reference stands by itself
            => live runs without faster
        "#]],
    );
    mistake(
        "REGION: eu,",
        "REGION: \"${vault:TOKEN}\",",
        expect![[r#"
            understudy.yaml:15:47: `${vault:TOKEN}` cannot be a variable's value
                env: { TOKEN: "${env:TOKEN}", REGION: "${vault:TOKEN}", PORT: 5432 }
                hint: write plain text, `${env:NAME}` or `${file:path}`; a reference stands by itself
            => live runs without faster
        "#]],
    );
    mistake(
        "        env: {",
        "        params: { token: \"${file:token}\" }\n        env: {",
        expect![[r#"
            understudy.yaml:15:26: `${file:token}` is no place for a secret: everybody can see it there
                params: { token: "${file:token}" }
                hint: a secret in parameters stands in files and in the list of processes; give it to a command as a variable, under `env`
            => live runs without faster
        "#]],
    );
}

#[test]
fn names_of_variables_are_names() {
    mistake(
        "REGION: eu,",
        "\"RE GION\": eu,",
        expect![[r#"
        understudy.yaml:15:39: `RE GION` is no name of a variable
            env: { TOKEN: "${env:TOKEN}", "RE GION": eu, PORT: 5432 }
            hint: use letters, digits and `_`, and no digit first
        => live runs without faster
    "#]],
    );
    mistake(
        "REGION: eu,",
        "UNDERSTUDY_OUTPUT: eu,",
        expect![[r#"
        understudy.yaml:15:39: `UNDERSTUDY_OUTPUT` is a variable of the framework's own
            env: { TOKEN: "${env:TOKEN}", UNDERSTUDY_OUTPUT: eu, PORT: 5432 }
            hint: give it a name that does not begin with `UNDERSTUDY_`
        => live runs without faster
    "#]],
    );
}

#[test]
fn hosts_are_hosts() {
    mistake(
        "[db.example.org,",
        "[\"https://db.example.org\",",
        expect![[r#"
            understudy.yaml:17:17: `https://db.example.org` is no host
                hosts: ["https://db.example.org", "10.0.0.1:5432", "[::1]:5432"]
                hint: write a name or an address, with a port if only that one is needed: `db.example.org:5432`
            => live runs without faster
        "#]],
    );
    mistake(
        "\"10.0.0.1:5432\"",
        "\"10.0.0.1:70000\"",
        expect![[r#"
        understudy.yaml:17:33: `10.0.0.1:70000` is no host
            hosts: [db.example.org, "10.0.0.1:70000", "[::1]:5432"]
            hint: write a name or an address, with a port if only that one is needed: `db.example.org:5432`
        => live runs without faster
    "#]],
    );
}

#[test]
fn a_query_has_no_surroundings() {
    mistake(
        "command: [./bin/total, --fast]",
        "sql: sql/delay_v1.sql",
        expect![[r#"
            understudy.yaml:15:9: `env` is of no use here
                env: { TOKEN: "${env:TOKEN}", REGION: eu, PORT: 5432 }
                hint: leave it out: only a command or a Rust task has an environment and a network
            understudy.yaml:16:9: `shadow` is of no use here
                shadow: { env: { TOKEN: "${file:read-only.token}" } }
                hint: leave it out: only a command or a Rust task has an environment and a network
            understudy.yaml:17:9: `hosts` is of no use here
                hosts: [db.example.org, "10.0.0.1:5432", "[::1]:5432"]
                hint: leave it out: only a command or a Rust task has an environment and a network
            => live runs without faster
        "#]],
    );
}
