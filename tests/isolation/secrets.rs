//! Credentials: what a shadow gets, and that no secret is ever seen.

use std::path::Path;

use crate::playground::{COPY, DATE, Ended, Playground};

use super::scene::AND_COPY;

/// How many secrets are planted.
const CANARIES: usize = 100;

/// A secret that no text has by chance; some have what JSON, URLs and shells write in another way.
fn canary(number: usize) -> String {
    match number % 4 {
        0 => format!("canary{number:03}Zq7mKx"),
        1 => format!("canary {number:03} with \"quotes\" & blanks"),
        2 => format!("canary/{number:03}+pass=word?"),
        _ => format!("canary{number:03}-ключ-Zq7mKx"),
    }
}

/// The shop with a hundred secrets for both versions, half of them from files.
fn guarded(old: &str, new: &str) -> Playground {
    let shop = Playground::shop(new);
    shop.write("v1.sh", old);
    let mut env = Vec::new();
    for number in 0..CANARIES {
        if number % 2 == 0 {
            env.push(format!("C{number}: \"${{env:CANARY_{number}}}\""));
        } else {
            env.push(format!("C{number}: \"${{file:secrets/{number}}}\""));
            shop.write(
                &format!("secrets/{number}"),
                &format!("{}\n", canary(number)),
            );
        }
    }
    let env = env.join(", ");
    for version in ["v1", "v2"] {
        shop.replace(
            "understudy.yaml",
            &format!("[sh, {version}.sh], inputs: csv"),
            &format!("[sh, {version}.sh], inputs: csv, env: {{ {env} }}"),
        );
    }
    shop
}

fn understudy(shop: &Playground, arguments: &[&str]) -> Ended {
    let mut command = shop.command(arguments);
    for number in (0..CANARIES).step_by(2) {
        command.env(format!("CANARY_{number}"), canary(number));
    }
    Ended::from(command.output().unwrap())
}

/// Asserts that no secret is below the store, nor in what was printed. What a program wrote as its output is data, and
/// stays in quarantine as it is.
#[track_caller]
fn assert_hidden(shop: &Playground, printed: &[&Ended]) {
    let store = shop.path("store");
    let files = shop.everything().into_iter();
    let stored = files
        .filter(|(path, _)| path.starts_with(&store) && !path.starts_with(store.join("quarantine")))
        .map(|(path, bytes)| (path.display().to_string(), bytes));
    let printed = printed.iter().flat_map(|ended| {
        [&ended.stdout, &ended.stderr].map(|text| ("printed".to_owned(), text.clone().into_bytes()))
    });
    for (place, bytes) in stored.chain(printed) {
        let text = String::from_utf8_lossy(&bytes);
        for number in 0..CANARIES {
            for form in forms(number) {
                assert!(
                    !text.contains(&form),
                    "secret {number} as `{form}` in {place}"
                );
            }
        }
    }
}

fn forms(number: usize) -> Vec<String> {
    let plain = canary(number);
    let json = serde_json::to_string(&plain).unwrap();
    vec![json.trim_matches('"').to_owned(), plain]
}

/// Prints every secret to both logs.
const PRINT: &str = "env | grep '^C[0-9]'; env | grep '^C[0-9]' >&2\n";

#[test]
fn no_secret_is_seen_whatever_a_program_does_with_it() {
    let count = "count=$(env | grep -c '^C[0-9]')\n";
    for end in [
        AND_COPY.to_owned(),
        "exit 1\n".to_owned(),
        "kill -9 $$\n".to_owned(),
        "echo \"id,customer\n$C0\" > \"$UNDERSTUDY_OUTPUT/rows.parquet\"\n".to_owned(),
        "printf '%s' \"$C0\" > \"$UNDERSTUDY_OUTPUT/$C0.txt\"\n".to_owned(),
        "exec \"$C0\"\n".to_owned(),
        "python3 -c 'import os; raise Exception(os.environ[\"C0\"])'\n".to_owned(),
        "python3 -c 'import os; print({k: v for k, v in os.environ.items()}); os.abort()'\n"
            .to_owned(),
        "sleep 60\n".to_owned(),
    ] {
        let new = format!("{count}[ \"$count\" = {CANARIES} ] || exit 9\n{PRINT}{end}");
        let shop = guarded(&format!("{PRINT}{COPY}"), &new);
        shop.replace(
            "understudy.yaml",
            "v2: { command: [sh, v2.sh], inputs: csv,",
            "v2: { command: [sh, v2.sh], inputs: csv, limits: { wall: 2s },",
        );
        let run = understudy(&shop, &["run", "--json", "--date", DATE]).expect(0);
        let verdict = run.verdict("totals");
        assert!(!verdict.contains("exited with code 9"), "{verdict}");
        let again = understudy(&shop, &["run", "--date", DATE]);
        let others: Vec<Ended> = [
            vec!["plan", "--json", "--date", DATE],
            vec!["plan", "--date", DATE],
            vec!["check"],
            vec!["report"],
            vec!["report", "--json"],
            vec!["report", "--format", "markdown"],
            vec!["report", "--format", "junit"],
            vec!["status", "--json"],
            vec!["gate", "better"],
            vec!["audit"],
            vec!["doctor", "--json"],
        ]
        .iter()
        .map(|arguments| understudy(&shop, arguments))
        .collect();
        let mut all = vec![&run, &again];
        all.extend(&others);
        assert_hidden(&shop, &all);
        // The test can fail: the program did print them, and their names stand in their places.
        let logs = shop
            .everything()
            .into_iter()
            .filter(|(path, _)| is_log(path));
        let named = logs.filter(|(_, bytes)| {
            let text = String::from_utf8_lossy(bytes);
            (0..CANARIES).all(|number| text.contains(&format!("<secret C{number}>")))
        });
        assert!(named.count() >= 2, "{end}");
    }
}

fn is_log(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "log")
}

#[test]
fn no_secret_stands_in_the_list_of_processes_or_in_a_file_while_it_runs() {
    let shop = guarded(COPY, &format!("sleep 3\n{COPY}"));
    let mut command = shop.command(&["run", "--json", "--date", DATE]);
    for number in (0..CANARIES).step_by(2) {
        command.env(format!("CANARY_{number}"), canary(number));
    }
    let mut child = command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut looked = 0;
    while child.try_wait().unwrap().is_none() {
        let all = std::process::Command::new("ps")
            .args(["-eo", "args"])
            .output()
            .unwrap();
        let listed = String::from_utf8_lossy(&all.stdout).into_owned();
        assert!(!listed.contains("Zq7mKx"), "{listed}");
        looked += usize::from(listed.contains("worker --as program") || listed.contains("v2.sh"));
        assert_hidden(&shop, &[]);
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(looked > 0, "the shadow was never seen");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_shadow_gets_what_its_version_declares_and_nothing_else() {
    let shop = Playground::shop(&format!(
        "env > \"$TMPDIR/all\"; cat \"$TMPDIR/all\"{AND_COPY}"
    ));
    shop.write("v1.sh", &format!("env\n{COPY}"));
    shop.replace(
        "understudy.yaml",
        "[sh, v2.sh], inputs: csv",
        "[sh, v2.sh], inputs: csv, env: { REGION: eu, TOKEN: \"${env:LIVE_TOKEN}\" }, shadow: { env: { TOKEN: \"${env:READ_ONLY_TOKEN}\" } }",
    );
    let mut command = shop.command(&["run", "--json", "--date", DATE]);
    command
        .env("LIVE_TOKEN", "the live token")
        .env("READ_ONLY_TOKEN", "the other token")
        .env("AWS_SECRET_ACCESS_KEY", "live's own")
        .env("SOMETHING", "else");
    let ended = Ended::from(command.output().unwrap()).expect(0);
    assert_eq!(ended.verdict("totals"), "identical");
    let run = ended.json()["run"].as_str().unwrap().to_owned();
    let log = |version: &str| {
        let all = shop.everything().into_iter();
        let mut logs = all.filter(|(path, _)| {
            let path = path.to_string_lossy();
            path.contains(&run)
                && is_log(Path::new(&*path))
                && path.contains(version)
                && path.contains("out")
        });
        String::from_utf8(logs.next().unwrap().1).unwrap()
    };
    let names = |log: &str| {
        let lines = log
            .lines()
            .filter_map(|line| Some(line.split_once('=')?.0.to_owned()));
        lines.collect::<std::collections::BTreeSet<_>>()
    };
    let (live, shadow) = (names(&log("v1")), names(&log("v2")));
    assert!(live.contains("SOMETHING") && live.contains("AWS_SECRET_ACCESS_KEY"));
    let allowed = [
        "PATH",
        "LANG",
        "LANGUAGE",
        "TZ",
        "USER",
        "LOGNAME",
        "HOME",
        "TMPDIR",
        "PWD",
        "OLDPWD",
        "SHLVL",
        "_",
        "REGION",
        "TOKEN",
        "UNDERSTUDY_CONTEXT",
        "UNDERSTUDY_OUTPUT",
        "UNDERSTUDY_INPUT_ORDERS",
    ];
    let more: Vec<&String> = shadow
        .iter()
        .filter(|name| !allowed.contains(&name.as_str()) && !name.starts_with("LC_"))
        .collect();
    assert_eq!(more, [""; 0], "a shadow sees more than it declares");
    assert!(log("v2").contains("REGION=eu"));
    // It had the other token: the name stands where that was printed.
    assert!(log("v2").contains("TOKEN=<secret TOKEN>"));
}

#[test]
fn a_secret_that_is_not_there_costs_the_verdict_and_not_live() {
    let shop = guarded(COPY, COPY);
    shop.replace(
        "understudy.yaml",
        "v1: { command: [sh, v1.sh], inputs: csv, env:",
        "v1: { command: [sh, v1.sh], inputs: csv } # env:",
    );
    let ended = shop.run(&[]).expect(0);
    assert_eq!(
        ended.verdict("totals"),
        "inconclusive: the new version (v2) was not run: of its variables, the environment variable `CANARY_0` is not set"
    );
}

#[test]
fn doctor_says_whether_a_shadow_could_write_into_a_bucket() {
    // Who is given no credentials cannot; with a server at hand, the tests of object stores go on.
    let shop = Playground::shop(COPY);
    shop.replace("understudy.yaml", "live/totals", "s3://nowhere/live/totals");
    let mut command = shop.command(&["doctor", "--json"]);
    command
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    let output = command.output().unwrap();
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["shadows"][0]["what"], "totals v2");
    let said = found["shadows"][0]["found"].as_str().unwrap();
    assert!(
        said.starts_with(
            "cannot write to `s3://nowhere/live/totals` with what it is given: no credentials"
        ),
        "{said}"
    );
}
