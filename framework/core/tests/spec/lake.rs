//! Pipelines over a lake: other days, other people's versions, merges and slices.

use expect_test::expect;
use understudy_core::customer::Customer;
use understudy_core::slice::{Members, slice_of};
use understudy_core::spec::{InputSource, Merge, MergeHow, Missing, Stored, Table, VersionKind};

use crate::{check, loaded};

const LAKE: &str = include_str!("lake.yaml");

fn with(part: &str, replacement: &str) -> String {
    assert_eq!(
        LAKE.matches(part).count(),
        1,
        "{part:?} is not in the file exactly once"
    );
    LAKE.replace(part, replacement)
}

#[test]
fn it_is_valid() {
    check(LAKE, expect!["=> everything runs\n"]);
}

#[test]
fn inputs_say_which_days_they_mean() {
    let spec = loaded(LAKE).spec.unwrap();
    let inputs = &spec.task("usage").unwrap().inputs;
    let stored = |table, plus_days, days, otherwise: Option<&str>| {
        InputSource::Stored(Stored {
            table,
            plus_days,
            days,
            otherwise: otherwise.map(str::to_owned),
        })
    };
    let (events, usage) = (
        || Table::Dataset("events".to_owned()),
        || Table::Published("usage".to_owned()),
    );
    let expected = [
        ("events", stored(events(), 0, 7, None)),
        ("before", stored(usage(), -1, 1, Some("opening"))),
        ("history", stored(usage(), -1, 30, Some("opening"))),
        ("last_week", stored(events(), -7, 2, None)),
    ];
    let found = inputs
        .iter()
        .map(|input| (input.name.as_str(), input.source.clone()));
    assert_eq!(found.collect::<Vec<_>>(), expected);
    assert_eq!(
        spec.task("health").unwrap().inputs[0].source,
        InputSource::Task("usage".to_owned())
    );
}

#[test]
fn stored_data_are_told_apart_by_their_ids() {
    let stored = |name: &str, plus_days, days| Stored {
        plus_days,
        days,
        ..Stored::dataset(name)
    };
    let ids = [
        stored("a", 0, 1),
        stored("a", -1, 1),
        stored("a", 0, 30),
        stored("a", -1, 30),
        stored("a@-1d", 0, 1),
        stored("a@", -1, 1),
        stored("a@@-1d", 0, 1),
    ]
    .map(|stored| stored.id());
    let unique: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "{ids:?}");
    assert_eq!(ids[0], "a");
    assert_eq!(ids[3], "a@-1d/30");
}

#[test]
fn versions_are_of_every_kind() {
    let spec = loaded(LAKE).spec.unwrap();
    let kind = |task: &str, version: &str| spec.task(task).unwrap().versions[version].kind.clone();
    assert!(spec.task("health").unwrap().is_live_external());
    assert!(!spec.task("everything").unwrap().is_live_external());
    assert_eq!(
        kind("usage", "v2"),
        VersionKind::Rust("usage_score".to_owned())
    );
    let (how, missing) = (MergeHow::Join, Missing::Keep);
    assert_eq!(
        kind("health", "v2"),
        VersionKind::Merge(Merge { how, missing })
    );
}

#[test]
fn slices_part_the_customers() {
    let spec = loaded(LAKE).spec.unwrap();
    let members = |name: &str| slice_of(&spec, name).unwrap().members;
    let customer = |name: &str| Customer::Named(name.to_owned());
    for (slice, inside, outside) in [
        ("emea", customer("acme"), customer("AS")),
        ("west", customer("007"), customer("acme")),
        ("rest", customer("new"), customer("bolt")),
    ] {
        assert!(
            members(slice).has(&inside) && !members(slice).has(&outside),
            "{slice}"
        );
    }
    assert!(members("rest").has(&Customer::Null));
    assert!(!matches!(members("emea"), Members::AllBut(_)));
    assert_eq!(slice_of(&spec, "apac"), None);
}

#[test]
fn what_is_published_needs_a_place() {
    check(
        &with(
            "output: { location: live/usage, grain: [account], customer: account }",
            "output: { grain: [account], customer: account }",
        ),
        expect![[r#"
            understudy.yaml:19:13: `output` of task `usage` has no `location`
                output: { grain: [account], customer: account }
                hint: add `location: …`. The folder below which it is published, as `date=<date>/data.parquet`; only where the live version is external, somebody else publishes
            => nothing runs
        "#]],
    );
}

#[test]
fn a_day_that_is_not_there_before_the_run_is_refused() {
    check(
        &with(
            "{ dataset: usage, date: -1d, as: before, else: opening }",
            "{ dataset: usage, date: 0d, as: before }",
        ),
        expect![[r#"
            understudy.yaml:16:33: what `usage` publishes on +0d is not there before the run
                - { dataset: usage, date: 0d, as: before }
                hint: name a day before the run date, such as `date: -1d`; for the output of this run, leave `date` out
            => nothing runs
        "#]],
    );
    check(
        &with("{ dataset: accounts }", "{ dataset: accounts, window: 3d }"),
        expect![[r#"
            understudy.yaml:25:50: the dataset `accounts` is the same on all dates
                inputs: [usage, { dataset: accounts, window: 3d }]
                hint: put `{date}` into its location, or leave `date` and `window` out here
            => nothing runs
        "#]],
    );
    check(
        &with(
            "{ dataset: accounts }",
            "{ dataset: usage, as: again, else: opening }",
        ),
        expect![[r#"
            understudy.yaml:25:56: the output of `usage` is made in this run, so there is nothing else to read
                inputs: [usage, { dataset: usage, as: again, else: opening }]
                hint: leave `else` out, or say with `date: -1d` or `window: 30d` that earlier dates are meant
            => nothing runs
        "#]],
    );
}

#[test]
fn days_are_written_with_their_unit() {
    check(
        &with("date: -7d, window: 2d", "date: -7, window: 0d"),
        expect![[r#"
        understudy.yaml:18:34: `date` of input 4 of `inputs` of task `usage` must be a number of days, not `-7`
            - { dataset: events, date: -7, window: 0d, as: last_week }
            hint: write a whole number and d, such as `-1d` for the day before
        understudy.yaml:18:46: `window` of input 4 of `inputs` of task `usage` must be a number of days above zero, not `0d`
            - { dataset: events, date: -7, window: 0d, as: last_week }
            hint: write a whole number above zero and d, such as `30d`
        => nothing runs
    "#]],
    );
}

#[test]
fn two_inputs_of_one_name_need_another() {
    check(
        &with(", as: last_week }", " }"),
        expect![[r#"
        understudy.yaml:18:9: `events` is named twice among the inputs of `usage`
            - { dataset: events, date: -7d, window: 2d }
            hint: name it once, or give one of them another name with `as: …`
        => nothing runs
    "#]],
    );
}

#[test]
fn what_stands_in_for_the_past_is_a_dataset() {
    check(
        &with("as: before, else: opening", "as: before, else: openin"),
        expect![[r#"
            understudy.yaml:16:56: unknown dataset `openin`
                - { dataset: usage, date: -1d, as: before, else: openin }
                hint: did you mean `opening`? the datasets are: accounts, events, opening
            => nothing runs
        "#]],
    );
}

#[test]
fn a_merge_has_something_to_merge() {
    check(
        &with("inputs: [usage, { dataset: accounts }]", "inputs: [usage]"),
        expect![[r#"
            understudy.yaml:30:20: a merge of `health` puts nothing together: it has fewer than two inputs
                v2: { merge: { how: join, missing: keep } }
                hint: add the tasks whose outputs it merges to `inputs`
            => live runs without new-health
        "#]],
    );
    check(
        &with("{ how: join, missing: keep }", "{ how: outer }"),
        expect![[r#"
            understudy.yaml:30:13: `merge` of version `v2` has no `missing`
                v2: { merge: { how: outer } }
                hint: add `missing: …`. What becomes of what not every input has (of columns in a union, of rows in a join): `keep` it, with NULL for what is missing, `drop` it, or `fail`.
            understudy.yaml:30:27: `how` of `merge` of version `v2` cannot be `outer`
                v2: { merge: { how: outer } }
                hint: the words for it are: join, union
            => live runs without new-health
        "#]],
    );
}

#[test]
fn slices_do_not_overlap_and_have_names_for_folders() {
    check(
        &with("emea: [acme, bolt]", "emea: [acme, AS]"),
        expect![[r#"
        understudy.yaml:9:3: the customer `AS` is in two slices, `emea` and `west`
            west: { file: west.txt }
            hint: leave it in one of them
        => nothing runs
    "#]],
    );
    check(
        &with("emea: [acme, bolt]", "emea/1: { others: true }"),
        expect![[r#"
        understudy.yaml:8:3: the slice `emea/1` has a name that cannot be a folder
            emea/1: { others: true }
            hint: use letters, digits, `_` and `-`
        understudy.yaml:10:3: two slices, `emea/1` and `rest`, take all the others
            rest: { others: true }
            hint: let one of them name its customers
        => nothing runs
    "#]],
    );
    check(
        &with("west: { file: west.txt }", "west: { file: gone.txt }"),
        expect![[r#"
        understudy.yaml:9:17: the file of customers `gone.txt` is not there
            west: { file: gone.txt }
            hint: write one customer per line, in a file in UTF-8 whose path begins at the pipeline file's folder
        => nothing runs
    "#]],
    );
    check(
        &with("  west: { file: west.txt }\n", "  west: {}\n"),
        expect![[r#"
        understudy.yaml:9:3: slice `west` names no customers
            west: {}
            hint: write a list of customers, `file: <path>` or `others: true`
        => nothing runs
    "#]],
    );
}

#[test]
fn a_slice_needs_customers_everywhere() {
    check(
        &with(
            "output: { location: live/everything, grain: [account], customer: account }",
            "output: { location: live/everything, grain: [account] }",
        ),
        expect![[r#"
            understudy.yaml:31:3: the pipeline has slices, and the output of `everything` has no customer column
                everything:
                hint: add `customer: …` to its output: a run of a slice publishes the rows of its customers
            => nothing runs
        "#]],
    );
}
