//! One test per mistake that a file can have, on the full text that people read.

use expect_test::expect;

use crate::{check, with};

/// Checks the valid file with one part of it replaced.
fn mistake(part: &str, replacement: &str, expected: expect_test::Expect) {
    check(&with(part, replacement), expected);
}

mod keys {
    use super::*;

    #[test]
    fn unknown_key() {
        mistake(
            "grain: [carrier, origin]",
            "grian: [carrier, origin]",
            expect![[r#"
                understudy.yaml:16:7: unknown key `grian` in `output` of task `delay`
                    grian: [carrier, origin]
                    hint: did you mean `grain`? the keys here are: columns, customer, grain, location
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn unknown_key_at_the_top() {
        mistake(
            "owner: data-core",
            "ower: data-core",
            expect![[r#"
                understudy.yaml:3:1: unknown key `ower` in the pipeline
                    ower: data-core
                    hint: did you mean `owner`? the keys here are: changes, datasets, flags, live_edits, notify, owner, pipeline, reports, runbook, sandbox, slices, store, tasks
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn unknown_key_of_a_rule() {
        mistake(
            "          within: 5%",
            "          witin: 5%",
            expect![[r#"
                understudy.yaml:46:11: unknown key `witin` in rule `western carriers move a little`
                    witin: 5%
                    hint: did you mean `within`? the keys here are: allow, columns, customers, ignore, kinds, max_rows, must_change, name, normalize, reason, until, where, within
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn key_of_another_kind_of_version() {
        mistake(
            "v1: { command: [./bin/total] }",
            "v1: { command: [./bin/total], threads: 2 }",
            expect![[r#"
                understudy.yaml:34:37: `threads` of version `v1` needs `sql`, which is not there
                    v1: { command: [./bin/total], threads: 2 }
                    hint: add `sql: …`, or leave `threads` out
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn duplicate_key() {
        mistake(
            "    live: v1\n    versions:\n      v1: { sql",
            "    live: v1\n    live: v2\n    versions:\n      v1: { sql",
            expect![[r#"
                understudy.yaml:19:5: key `live` stands here a second time
                    live: v2
                    hint: the first is in line 18; keep one of them
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn duplicate_task() {
        mistake(
            "  total:\n    inputs: [rank, airports]",
            "  rank:\n    inputs: [rank, airports]",
            expect![[r#"
                understudy.yaml:29:3: task `rank` stands here a second time
                    rank:
                    hint: the first is in line 23; keep one of them
                understudy.yaml:85:12: unknown task `total`
                    new: { total: v2 }
                    hint: the tasks are: delay, rank
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn duplicate_change() {
        mistake(
            "  fast-total:",
            "  utc-delays:",
            expect![[r#"
                understudy.yaml:84:3: change `utc-delays` stands here a second time
                    utc-delays:
                    hint: the first is in line 38; keep one of them
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn missing_key() {
        mistake(
            "    live: v1\n    versions:\n      v1: { sql",
            "    versions:\n      v1: { sql",
            expect![[r#"
                understudy.yaml:12:3: task `delay` has no `live`
                    delay:
                    hint: add `live: …`. The version that is live.
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn merge_key() {
        mistake(
            "grain: [carrier], customer",
            "<<: x, customer",
            expect![[r#"
                understudy.yaml:25:36: `<<` merges mappings, and that is not done
                    output: { location: live/rank, <<: x, customer: carrier }
                    hint: write the keys out
                => nothing runs
            "#]],
        );
    }
}

mod values {
    use super::*;

    #[test]
    fn wrong_type() {
        mistake(
            "grain: [carrier, origin]",
            "grain: carrier",
            expect![[r#"
                understudy.yaml:16:14: `grain` of `output` of task `delay` must be a list, not `carrier`
                    grain: carrier
                    hint: write one column or more in brackets: `[a, b]`
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn nothing_where_a_mapping_belongs() {
        mistake(
            "  fast-total:\n    new: { total: v2 }",
            "  fast-total:",
            expect![[r#"
                understudy.yaml:84:3: change `fast-total` must be a mapping, not nothing
                    fast-total:
                    hint: write some of: new, downstream, expect, compare, gate, flag
                => live runs without fast-total
            "#]],
        );
    }

    #[test]
    fn guessed_boolean() {
        mistake(
            "ignore: true",
            "ignore: yes",
            expect![[r#"
                understudy.yaml:50:19: `ignore` of rule `set by the run` must be `true`, not `yes`
                    ignore: yes
                    hint: only `true` and `false` are booleans; write `true`, or leave the key out
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn guessed_boolean_of_a_parameter() {
        mistake(
            "zone: UTC",
            "zone: NO",
            expect![[r#"
                understudy.yaml:21:99: parameter `zone` must be clearly a boolean, a number or text, not `NO`
                    v2: { sql: sql/delay_v2.sql, limits: { wall: 10m, memory: 2GB }, params: { floor: 15, zone: NO } }
                    hint: only `true` and `false` are booleans, and numbers have at most 64 bits; put everything else in quotes
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn null_customer() {
        mistake(
            "customers: [AS, VX]",
            "customers: [AS, null]",
            expect![[r#"
                understudy.yaml:44:27: customer 2 of `customers` of rule `western carriers move a little` must be text, not `null`
                    customers: [AS, null]
                    hint: write text; put the word null and empty text in quotes: `"null"`, `""`
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn no_duration() {
        mistake(
            "wall: 10m",
            "wall: 10 minutes",
            expect![[r#"
                understudy.yaml:21:52: `wall` of `limits` of version `v2` must be a duration, not `10 minutes`
                    v2: { sql: sql/delay_v2.sql, limits: { wall: 10 minutes, memory: 2GB }, params: { floor: 15, zone: UTC } }
                    hint: write a whole number above zero and s, m, h or d, such as `10m`
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn no_size() {
        mistake(
            "memory: 2GB",
            "memory: 2G",
            expect![[r#"
                understudy.yaml:21:65: `memory` of `limits` of version `v2` must be a size in bytes with its unit, not `2G`
                    v2: { sql: sql/delay_v2.sql, limits: { wall: 10m, memory: 2G }, params: { floor: 15, zone: UTC } }
                    hint: write a whole number and kB, MB, GB, KiB, MiB or GiB, such as `2GB`
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn null_param() {
        mistake(
            "zone: UTC",
            "zone: ",
            expect![[r#"
                understudy.yaml:21:93: parameter `zone` must be clearly a boolean, a number or text, not nothing
                    v2: { sql: sql/delay_v2.sql, limits: { wall: 10m, memory: 2GB }, params: { floor: 15, zone:  } }
                    hint: only `true` and `false` are booleans, and numbers have at most 64 bits; put everything else in quotes
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn no_count() {
        mistake(
            "threads: 1",
            "threads: 0",
            expect![[r#"
                understudy.yaml:20:45: `threads` of version `v1` must be a whole number from 1 to 256, not `0`
                    v1: { sql: sql/delay_v1.sql, threads: 0 }
                    hint: write digits only, without quotes
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn negative_tolerance() {
        mistake(
            "within: 5%",
            "within: -5%",
            expect![[r#"
                understudy.yaml:46:19: `within` of rule `western carriers move a little` must be a distance of zero or more, not `-5%`
                    within: -5%
                    hint: write a number or a percentage, such as `0.5` or `5%`, or for times a duration such as `15m`
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn tolerance_that_is_no_number() {
        mistake(
            "within: 5%",
            "within: .nan",
            expect![[r#"
                understudy.yaml:46:19: `within` of rule `western carriers move a little` must be a distance of zero or more, not `.nan`
                    within: .nan
                    hint: write a number or a percentage, such as `0.5` or `5%`, or for times a duration such as `15m`
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn no_date() {
        mistake(
            "until: 2027-06-30",
            "until: 2027-02-30",
            expect![[r#"
                understudy.yaml:52:18: `until` of rule `set by the run` must be a date, not `2027-02-30`
                    until: 2027-02-30
                    hint: write it as YYYY-MM-DD
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn unknown_kind() {
        mistake(
            "kinds: [changed]",
            "kinds: [chnaged]",
            expect![[r#"
                understudy.yaml:49:19: kind 1 of `kinds` of rule `set by the run` cannot be `chnaged`
                    kinds: [chnaged]
                    hint: did you mean `changed`? the words for it are: changed, check, column_added, column_removed, metric, only_new, only_old, type_changed
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn unknown_column_type() {
        mistake(
            "faa: text",
            "faa: txt",
            expect![[r#"
                understudy.yaml:8:58: column `faa` must be a column type, not `txt`
                    airports: { location: data/airports.csv, types: { faa: txt, lat: decimal(6) }, columns: { faa: mask } }
                    hint: did you mean `text`? the types are: boolean, date, decimal(S), float, integer, text, timestamp
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn unknown_word_for_live_edits() {
        mistake(
            "live_edits: refuse",
            "live_edits: refused",
            expect![[r#"
                understudy.yaml:88:13: `live_edits` of the pipeline cannot be `refused`
                    live_edits: refused
                    hint: did you mean `refuse`? the words for it are: alert, refuse
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn a_delimiter_that_no_spreadsheet_knows() {
        mistake(
            "delimiter: \";\"",
            "delimiter: \"|\"",
            expect![[r#"
                understudy.yaml:89:41: `delimiter` of `csv` of `reports` of the pipeline cannot be `|`
                    reports: { csv: { bom: true, delimiter: "|", decimal: "," } }
                    hint: the words for it are: ,, ;, tab
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn an_unknown_key_of_csv_files() {
        mistake(
            "csv: { bom",
            "csv: { bomb",
            expect![[r#"
                understudy.yaml:89:19: unknown key `bomb` in `csv` of `reports` of the pipeline
                    reports: { csv: { bomb: true, delimiter: ";", decimal: "," } }
                    hint: did you mean `bom`? the keys here are: bom, decimal, delimiter
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn unknown_flag_provider() {
        mistake(
            "provider: file",
            "provider: fil",
            expect![[r#"
                understudy.yaml:87:20: `provider` of `flags` of the pipeline cannot be `fil`
                    flags: { provider: fil }
                    hint: did you mean `file`? the words for it are: file, launchdarkly
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn a_password_in_a_url_is_refused_and_not_printed() {
        mistake(
            "store: ./store",
            "store: s3://me:sesame@lake/store",
            expect![[r#"
                understudy.yaml:2:8: a URL has a name or a password before its bucket
                    store: s3://…@lake/store
                    hint: take it out, and set the store's own variables in the environment; docs/object-stores.md lists them
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn unknown_placeholder() {
        mistake(
            "date={date}/",
            "date={day}/",
            expect![[r#"
                understudy.yaml:7:24: `{day}` is not a placeholder
                    flights: { location: "data/flights/date={day}/" }
                    hint: the placeholders are {date}, {date-1d} and the like (a number of days before or after), and {slice}
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn blank_names() {
        mistake(
            "  airports: {",
            "  \" \": { location: x }\n  airports: {",
            expect![[r#"
            understudy.yaml:8:3: a name of a dataset is blank or has characters that cannot be seen
                " ": { location: x }
                hint: give it a name that people can read
            => nothing runs
        "#]],
        );
    }
}

mod names {
    use super::*;

    #[test]
    fn unknown_input() {
        mistake(
            "inputs: [flights, airports]",
            "inputs: [flihgts, airports]",
            expect![[r#"
                understudy.yaml:13:14: unknown input `flihgts`
                    inputs: [flihgts, airports]
                    hint: did you mean `flights`? the datasets and tasks are: accounts, airports, delay, flights, rank, total
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn input_twice() {
        mistake(
            "inputs: [flights, airports]",
            "inputs: [flights, flights, airports]",
            expect![[r#"
                understudy.yaml:13:23: `flights` is named twice among the inputs of `delay`
                    inputs: [flights, flights, airports]
                    hint: name it once
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn unknown_live_version() {
        mistake(
            "    live: v1\n    versions:\n      v1: { sql",
            "    live: v9\n    versions:\n      v1: { sql",
            expect![[r#"
                understudy.yaml:18:11: unknown version `v9`
                    live: v9
                    hint: the versions of `delay` are: v1, v2, v3
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn unknown_changed_task() {
        mistake(
            "new: { delay: v2 }",
            "new: { dleay: v2 }",
            expect![[r#"
                understudy.yaml:39:12: unknown task `dleay`
                    new: { dleay: v2 }
                    hint: did you mean `delay`? the tasks are: delay, rank, total
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn changed_dataset() {
        mistake(
            "new: { delay: v2 }",
            "new: { delay: v2, airports: v2 }",
            expect![[r#"
                understudy.yaml:39:23: `airports` is a dataset, not a task
                    new: { delay: v2, airports: v2 }
                    hint: only tasks have versions; name the task that computes from it
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn unknown_new_version() {
        mistake(
            "new: { delay: v2 }",
            "new: { delay: v4 }",
            expect![[r#"
                understudy.yaml:39:19: unknown version `v4`
                    new: { delay: v4 }
                    hint: the versions of `delay` are: v1, v2, v3
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn new_version_is_live() {
        mistake(
            "new: { delay: v2 }",
            "new: { delay: v1 }",
            expect![[r#"
                understudy.yaml:39:19: the new version `v1` of `delay` is the live one
                    new: { delay: v1 }
                    hint: name another version: v2, v3
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn two_changes_on_one_task() {
        mistake(
            "new: { total: v2 }",
            "new: { total: v2, delay: v3 }",
            expect![[r#"
                understudy.yaml:85:23: two changes, `utc-delays` and `fast-total`, change the task `delay`
                    new: { total: v2, delay: v3 }
                    hint: make them one change, or complete the first before the second begins
                => live runs without fast-total
            "#]],
        );
    }

    #[test]
    fn task_and_dataset_of_one_name() {
        mistake(
            "  airports: {",
            "  rank: { location: x.csv }\n  airports: {",
            expect![[r#"
                understudy.yaml:24:3: `rank` names a task and a dataset
                    rank:
                    hint: rename one of them; the dataset is in line 8
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn cycle() {
        mistake(
            "inputs: [flights, airports]",
            "inputs: [flights, airports, total]",
            expect![[r#"
                understudy.yaml:13:33: the tasks read each other in a circle: `delay -> rank -> total -> delay`
                    inputs: [flights, airports, total]
                    hint: a task needs its inputs first: take one out, such as `total` out of the inputs of `delay`
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn own_input() {
        mistake(
            "inputs: [delay]",
            "inputs: [delay, rank]",
            expect![[r#"
                understudy.yaml:24:21: the tasks read each other in a circle: `rank -> rank`
                    inputs: [delay, rank]
                    hint: a task needs its inputs first: take one out, such as `rank` out of the inputs of `rank`
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn downstream_that_is_changed() {
        mistake(
            "downstream: [rank]",
            "downstream: [rank, delay]",
            expect![[r#"
                understudy.yaml:40:24: `delay` is changed itself
                    downstream: [rank, delay]
                    hint: leave it out here: a changed task is always compared
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn downstream_that_is_upstream() {
        mistake(
            "new: { total: v2 }",
            "new: { total: v2 }\n    downstream: [rank]",
            expect![[r#"
                understudy.yaml:86:18: `rank` does not read what `fast-total` changes
                    downstream: [rank]
                    hint: leave it out: no task is downstream of this change
                => live runs without fast-total
            "#]],
        );
    }

    #[test]
    fn unknown_downstream() {
        mistake(
            "downstream: [rank]",
            "downstream: [rank, ranks]",
            expect![[r#"
                understudy.yaml:40:24: unknown task `ranks`
                    downstream: [rank, ranks]
                    hint: did you mean `rank`? the tasks are: delay, rank, total
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn rules_for_what_is_not_compared() {
        mistake(
            "downstream: [rank]",
            "downstream: [total]",
            expect![[r#"
                understudy.yaml:63:7: nothing compares `rank`, so its rules do nothing
                    rank:
                    hint: add it to `new` or `downstream`; compared here are: delay, total
                => live runs without utc-delays
            "#]],
        );
    }
}

mod rules {
    use super::*;

    #[test]
    fn allows_nothing() {
        mistake(
            "          within: 5%\n",
            "",
            expect![[r#"
                understudy.yaml:43:11: rule `western carriers move a little` allows nothing
                    - name: western carriers move a little
                    hint: write one of `within: …`, `normalize: […]`, `ignore: true` and `allow: any`
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn allows_two_things() {
        mistake(
            "within: 5%",
            "within: 5%\n          ignore: true",
            expect![[r#"
                understudy.yaml:47:11: `ignore` of rule `western carriers move a little` needs `reason`, which is not there
                    ignore: true
                    hint: add `reason: …`, or leave `ignore` out
                understudy.yaml:47:11: rule `western carriers move a little` allows two things: `within` and `ignore`
                    ignore: true
                    hint: write one of `within: …`, `normalize: […]`, `ignore: true` and `allow: any`
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn ignore_without_a_reason() {
        mistake(
            "          reason: the clock of the run\n",
            "",
            expect![[r#"
                understudy.yaml:50:11: `ignore` of rule `set by the run` needs `reason`, which is not there
                    ignore: true
                    hint: add `reason: …`, or leave `ignore` out
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn any_without_a_reason() {
        mistake(
            "          reason: ranks follow delays\n",
            "",
            expect![[r#"
                understudy.yaml:65:11: `allow` of rule 1 of task `rank` needs `reason`, which is not there
                    allow: any
                    hint: add `reason: …`, or leave `allow` out
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn empty_lists() {
        mistake(
            "customers: [AS, VX]\n          columns: [mean_delay]",
            "customers: []\n          columns: []",
            expect![[r#"
                understudy.yaml:44:22: `customers` of rule `western carriers move a little` is an empty list
                    customers: []
                    hint: name at least one customer
                understudy.yaml:45:20: `columns` of rule `western carriers move a little` is an empty list
                    columns: []
                    hint: name at least one column
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn selects_nothing() {
        mistake(
            "kinds: [changed]",
            "kinds: [only_old, only_new]",
            expect![[r#"
                understudy.yaml:49:18: rule `set by the run` selects nothing: `columns` selects cells, and its kinds are whole rows
                    kinds: [only_old, only_new]
                    hint: leave out `columns` or `kinds`
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn within_for_rows() {
        mistake(
            "          within: 5%",
            "          within: 5%\n          kinds: [type_changed]",
            expect![[r#"
                understudy.yaml:47:18: rule `western carriers move a little` allows nothing: `within` is for cells, and its kinds are others
                    kinds: [type_changed]
                    hint: leave out `kinds`, or write `allow: any` instead of `within`
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn normalize_for_rows() {
        mistake(
            "normalize: [nfc, trim]",
            "normalize: [nfc, trim]\n          kinds: [column_added]",
            expect![[r#"
                understudy.yaml:55:18: `rule 3` allows nothing: `normalize` is for cells, and its kinds are others
                    kinds: [column_added]
                    hint: leave out `kinds`, or write `allow: any` instead of `normalize`
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn unknown_normaliser() {
        mistake(
            "normalize: [nfc, trim]",
            "normalize: [nfc, trimm]",
            expect![[r#"
                understudy.yaml:54:28: normaliser 2 of `normalize` of rule 3 of task `delay` cannot be `trimm`
                    normalize: [nfc, trimm]
                    hint: did you mean `trim`? the words for it are: case, empty_is_null, nfc, nfkc, trim, unordered, whitespace
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn one_name_twice() {
        mistake(
            "name: set by the run",
            "name: western carriers move a little",
            expect![[r#"
                understudy.yaml:47:17: two rules are named `western carriers move a little`
                    - name: western carriers move a little
                    hint: give each its own name; reports count by name
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn customers_without_a_customer_column() {
        mistake(
            "new: { total: v2 }",
            "new: { total: v2 }\n    expect: { total: [ { customers: [AS], within: 1 } ] }",
            expect![[r#"
                understudy.yaml:86:37: a rule selects customers, but `total` has no customer column
                    expect: { total: [ { customers: [AS], within: 1 } ] }
                    hint: add `customer: <column>` to the output of `total`, or leave `customers` out
                => live runs without fast-total
            "#]],
        );
    }

    #[test]
    fn file_of_customers_is_not_there() {
        mistake(
            "file: west.txt",
            "file: wets.txt",
            expect![[r#"
                understudy.yaml:64:30: the file of customers `wets.txt` is not there
                    - customers: { file: wets.txt }
                    hint: write one customer per line, in a file in UTF-8 whose path begins at the pipeline file's folder
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn file_of_customers_is_empty() {
        mistake(
            "file: west.txt",
            "file: empty.txt",
            expect![[r#"
                understudy.yaml:64:30: the file of customers `empty.txt` names no customer
                    - customers: { file: empty.txt }
                    hint: write one customer per line, in a file in UTF-8 whose path begins at the pipeline file's folder
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn customers_of_a_later_day() {
        mistake(
            "{ file: west.txt }",
            "{ dataset: airports, where: x }",
            expect![[r#"
                understudy.yaml:64:33: a rule takes its customers from `airports`, which has no customer column
                    - customers: { dataset: airports, where: x }
                    hint: add `customer: <column>` to `airports`
                => live runs without utc-delays
            "#]],
        );
    }
}

mod versions {
    use super::*;

    #[test]
    fn neither_sql_nor_command() {
        mistake(
            "v1: { command: [./bin/total] }",
            "v1: { }",
            expect![[r#"
                understudy.yaml:34:7: version `v1` does not say how it computes
                    v1: { }
                    hint: write one of `sql: <file>`, `command: [<program>, <argument>, …]`, `external: { location: … }`, `merge: { how: …, missing: … }` and `rust: <name>`
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn both_sql_and_command() {
        mistake(
            "v3: { sql",
            "v3: { command: [./bin/total], sql",
            expect![[r#"
                understudy.yaml:22:37: version `v3` computes in two ways: `command` and `sql`
                    v3: { command: [./bin/total], sql: sql/delay_v2.sql }
                    hint: write one of `sql: <file>`, `command: [<program>, <argument>, …]`, `external: { location: … }`, `merge: { how: …, missing: … }` and `rust: <name>`
                => everything runs
            "#]],
        );
    }

    #[test]
    fn sql_file_of_the_live_version_is_not_there() {
        mistake(
            "sql/delay_v1.sql",
            "sql/delay.sql",
            expect![[r#"
                understudy.yaml:20:18: the SQL file `sql/delay.sql` is not there
                    v1: { sql: sql/delay.sql, threads: 1 }
                    hint: write its path from the pipeline file's folder, or put the file there
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn sql_file_of_a_new_version_is_not_there() {
        mistake(
            "v2: { sql: sql/delay_v2.sql",
            "v2: { sql: sql/delay_v9.sql",
            expect![[r#"
                understudy.yaml:21:18: the SQL file `sql/delay_v9.sql` is not there
                    v2: { sql: sql/delay_v9.sql, limits: { wall: 10m, memory: 2GB }, params: { floor: 15, zone: UTC } }
                    hint: write its path from the pipeline file's folder, or put the file there
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn sql_file_of_an_unused_version_is_not_there() {
        mistake(
            "v3: { sql: sql/delay_v2.sql",
            "v3: { sql: sql/delay_v9.sql",
            expect![[r#"
                understudy.yaml:22:18: the SQL file `sql/delay_v9.sql` is not there
                    v3: { sql: sql/delay_v9.sql }
                    hint: write its path from the pipeline file's folder, or put the file there
                => everything runs
            "#]],
        );
    }

    #[test]
    fn parameter_that_hides_the_run_date() {
        mistake(
            "params: { floor: 15",
            "params: { run_date: 2013-01-01",
            expect![[r#"
                understudy.yaml:21:82: the parameter `run_date` hides the run's own date
                    v2: { sql: sql/delay_v2.sql, limits: { wall: 10m, memory: 2GB }, params: { run_date: 2013-01-01, zone: UTC } }
                    hint: give it another name
                => live runs without utc-delays
            "#]],
        );
    }

    #[test]
    fn program_is_not_there() {
        mistake(
            "[./bin/total]",
            "[./bin/totla]",
            expect![[r#"
                understudy.yaml:34:23: the command's file `./bin/totla` is not there
                    v1: { command: [./bin/totla] }
                    hint: write its path from the pipeline file's folder, or put the file there
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn script_is_not_there() {
        mistake(
            "[python3, rank.py",
            "[python3, rnak.py",
            expect![[r#"
                understudy.yaml:28:32: the command's file `rnak.py` is not there
                    v1: { command: [python3, rnak.py, --top, "3"], code: ["lib/**/*.py"], inputs: csv }
                    hint: write its path from the pipeline file's folder, or put the file there
                => nothing runs
            "#]],
        );
    }
}

mod outputs {
    use super::*;

    #[test]
    fn empty_grain() {
        mistake(
            "grain: [year]",
            "grain: []",
            expect![[r#"
                understudy.yaml:31:44: `grain` of `output` of task `total` is an empty list
                    output: { location: live/total, grain: [], columns: { year: mask } }
                    hint: name at least one column
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn repeated_grain() {
        mistake(
            "grain: [carrier, origin]",
            "grain: [carrier, carrier]",
            expect![[r#"
                understudy.yaml:16:24: column `carrier` stands twice in the grain of `delay`
                    grain: [carrier, carrier]
                    hint: name it once
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn dated_location() {
        mistake(
            "location: live/rank",
            "location: \"live/rank/date={date}\"",
            expect![[r#"
                understudy.yaml:25:25: the location of an output has a placeholder: `live/rank/date={date}`
                    output: { location: "live/rank/date={date}", grain: [carrier], customer: carrier }
                    hint: leave it out: each run is published as `<location>/date=<date>/`
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn same_location() {
        mistake(
            "location: live/rank",
            "location: ./live//delay/",
            expect![[r#"
                understudy.yaml:25:25: `delay` and `rank` have the same output location
                    output: { location: ./live//delay/, grain: [carrier], customer: carrier }
                    hint: give each its own folder
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn location_in_another() {
        mistake(
            "location: live/rank",
            "location: live/delay/rank",
            expect![[r#"
                understudy.yaml:25:25: the output of `rank` lies in the output of `delay`
                    output: { location: live/delay/rank, grain: [carrier], customer: carrier }
                    hint: put them beside each other
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn location_in_the_store() {
        mistake(
            "location: live/rank",
            "location: store/rank",
            expect![[r#"
                understudy.yaml:25:25: the output of `rank` lies in the store
                    output: { location: store/rank, grain: [carrier], customer: carrier }
                    hint: the store holds what nobody should read; publish somewhere else
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn store_in_a_location() {
        mistake(
            "store: ./store",
            "store: live/rank/store",
            expect![[r#"
                understudy.yaml:25:25: the store lies in the output of `rank`
                    output: { location: live/rank, grain: [carrier], customer: carrier }
                    hint: publish to a folder of its own
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn location_of_a_dataset() {
        mistake(
            "location: live/rank",
            "location: data/airports.csv",
            expect![[r#"
                understudy.yaml:25:25: the output of `rank` is also the dataset `airports`
                    output: { location: data/airports.csv, grain: [carrier], customer: carrier }
                    hint: publish somewhere else; to read what the task makes, put `rank` among the inputs
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn dataset_that_reads_what_is_published_on_the_same_day() {
        mistake(
            "data/flights/date={date}/",
            "live/rank/date={date}/*.parquet",
            expect![[r#"
                understudy.yaml:25:25: the output of `rank` is also the dataset `flights`
                    output: { location: live/rank, grain: [carrier], customer: carrier }
                    hint: publish somewhere else; to read what the task makes, put `rank` among the inputs
                => nothing runs
            "#]],
        );
    }
}

mod files {
    use super::*;

    #[test]
    fn no_yaml() {
        check(
            "pipeline: a: b",
            expect![[r#"
            understudy.yaml:1:12: this is not YAML: mapping values are not allowed in this context
                pipeline: a: b
                hint: look at the indentation, the colons and the quotes here and in the line before
            => nothing runs
        "#]],
        );
    }

    #[test]
    fn quote_that_is_not_closed() {
        check(
            "pipeline: \"flights\ntasks: {}\n",
            expect![[r#"
            understudy.yaml:2:1: this is not YAML: invalid indentation in multiline quoted scalar
                tasks: {}
                hint: look at the indentation, the colons and the quotes here and in the line before
            => nothing runs
        "#]],
        );
    }

    #[test]
    fn tab() {
        check(
            "pipeline: x\ntasks:\n\tdelay: {}\n",
            expect![[r#"
                understudy.yaml:3:2: this is not YAML: tabs disallowed within this context (block indentation)
                    delay: {}
                    hint: indent with blanks, not with tabs
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn empty() {
        check(
            "",
            expect![[r#"
            understudy.yaml:1:1: the file is empty
                hint: begin with `pipeline: <name>` and `tasks:`
            => nothing runs
        "#]],
        );
    }

    #[test]
    fn another_kind_of_file() {
        check(
            "[1, 2]",
            expect![[r#"
                understudy.yaml:1:1: the pipeline must be a mapping, not a list
                    [1, 2]
                    hint: write some of: pipeline, store, owner, runbook, datasets, slices, tasks, changes, flags, live_edits, sandbox, notify, reports
                => nothing runs
            "#]],
        );
    }

    #[test]
    fn no_task() {
        check(
            "pipeline: x\ntasks: {}\n",
            expect![[r#"
                understudy.yaml:2:8: `tasks` of the pipeline is empty
                    tasks: {}
                    hint: name at least one task
                => nothing runs
            "#]],
        );
    }
}

#[test]
fn all_at_once() {
    let text = r#"
pipelin: flights
datasets:
  flights: { location: "data/{day}" }
tasks:
  a:
    inputs: [b, nothing]
    output: { location: live/a, grain: [], customre: carrier }
    live: v2
    versions:
      v1: { sql: gone.sql, threads: many }
  b:
    inputs: [a]
    output: { location: live/a/b, grain: [x, x] }
    live: v1
    live: v1
    versions:
      v1: { sql: sql/delay_v1.sql }
changes:
  c:
    new: { a: v1, d: v2 }
    expect:
      a:
        - { columns: [x] }
        - { within: -1, ignore: no }
  c2:
    new: { a: v1 }
    gate: { soak: long }
"#;
    check(
        text,
        expect![[r#"
            understudy.yaml:2:1: unknown key `pipelin` in the pipeline
                pipelin: flights
                hint: did you mean `pipeline`? the keys here are: changes, datasets, flags, live_edits, notify, owner, pipeline, reports, runbook, sandbox, slices, store, tasks
            understudy.yaml:4:24: `{day}` is not a placeholder
                flights: { location: "data/{day}" }
                hint: the placeholders are {date}, {date-1d} and the like (a number of days before or after), and {slice}
            understudy.yaml:7:14: the tasks read each other in a circle: `a -> b -> a`
                inputs: [b, nothing]
                hint: a task needs its inputs first: take one out, such as `b` out of the inputs of `a`
            understudy.yaml:7:17: unknown input `nothing`
                inputs: [b, nothing]
                hint: the datasets and tasks are: a, b, flights
            understudy.yaml:8:40: `grain` of `output` of task `a` is an empty list
                output: { location: live/a, grain: [], customre: carrier }
                hint: name at least one column
            understudy.yaml:8:44: unknown key `customre` in `output` of task `a`
                output: { location: live/a, grain: [], customre: carrier }
                hint: did you mean `customer`? the keys here are: columns, customer, grain, location
            understudy.yaml:9:11: unknown version `v2`
                live: v2
                hint: did you mean `v1`? the versions of `a` are: v1
            understudy.yaml:11:18: the SQL file `gone.sql` is not there
                v1: { sql: gone.sql, threads: many }
                hint: write its path from the pipeline file's folder, or put the file there
            understudy.yaml:11:37: `threads` of version `v1` must be a whole number from 1 to 256, not `many`
                v1: { sql: gone.sql, threads: many }
                hint: write digits only, without quotes
            understudy.yaml:14:25: the output of `b` lies in the output of `a`
                output: { location: live/a/b, grain: [x, x] }
                hint: put them beside each other
            understudy.yaml:14:46: column `x` stands twice in the grain of `b`
                output: { location: live/a/b, grain: [x, x] }
                hint: name it once
            understudy.yaml:16:5: key `live` stands here a second time
                live: v1
                hint: the first is in line 15; keep one of them
            understudy.yaml:21:19: unknown task `d`
                new: { a: v1, d: v2 }
                hint: the tasks are: a, b
            understudy.yaml:24:11: rule 1 of task `a` allows nothing
                - { columns: [x] }
                hint: write one of `within: …`, `normalize: […]`, `ignore: true` and `allow: any`
            understudy.yaml:25:21: `within` of rule 2 of task `a` must be a distance of zero or more, not `-1`
                - { within: -1, ignore: no }
                hint: write a number or a percentage, such as `0.5` or `5%`, or for times a duration such as `15m`
            understudy.yaml:25:25: `ignore` of rule 2 of task `a` needs `reason`, which is not there
                - { within: -1, ignore: no }
                hint: add `reason: …`, or leave `ignore` out
            understudy.yaml:25:25: rule 2 of task `a` allows two things: `within` and `ignore`
                - { within: -1, ignore: no }
                hint: write one of `within: …`, `normalize: […]`, `ignore: true` and `allow: any`
            understudy.yaml:25:33: `ignore` of rule 2 of task `a` must be `true`, not `no`
                - { within: -1, ignore: no }
                hint: only `true` and `false` are booleans; write `true`, or leave the key out
            understudy.yaml:27:12: two changes, `c` and `c2`, change the task `a`
                new: { a: v1 }
                hint: make them one change, or complete the first before the second begins
            understudy.yaml:28:19: `soak` of `gate` of change `c2` must be a duration, not `long`
                gate: { soak: long }
                hint: write a whole number and s, m, h or d, such as `24h`
            => nothing runs
        "#]],
    );
}
