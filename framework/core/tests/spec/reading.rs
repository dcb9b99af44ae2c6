//! What a file without mistakes comes to.

use expect_test::{Expect, expect};
use understudy_core::rule::{Allowance, Bound};
use understudy_core::spec::{Input, InputSource, Param, VersionKind, load_rules};

use crate::{Folder, VALID, check, loaded, with};

#[test]
fn the_valid_file() {
    check(
        VALID,
        expect![[r#"
        => everything runs
    "#]],
    );
}

#[test]
fn every_key_arrives() {
    let spec = loaded(VALID).spec.unwrap();
    expect![[r#"
        {
          "pipeline": "flights",
          "store": "./store",
          "owner": "data-core",
          "runbook": "https://example.org/runbook",
          "datasets": {
            "accounts": {
              "name": "accounts",
              "location": "data/accounts.csv",
              "types": {},
              "window_days": 1,
              "customer": "account"
            },
            "airports": {
              "name": "airports",
              "location": "data/airports.csv",
              "types": {
                "faa": "text",
                "lat": {
                  "decimal": 6
                }
              },
              "window_days": 1,
              "customer": null,
              "masked": [
                "faa"
              ]
            },
            "flights": {
              "name": "flights",
              "location": "data/flights/date={date}/",
              "types": {},
              "window_days": 1,
              "customer": null
            }
          },
          "tasks": [
            {
              "name": "delay",
              "inputs": [
                {
                  "name": "flights",
                  "source": {
                    "stored": {
                      "table": {
                        "dataset": "flights"
                      },
                      "plus_days": 0,
                      "days": 1,
                      "otherwise": null
                    }
                  }
                },
                {
                  "name": "airports",
                  "source": {
                    "stored": {
                      "table": {
                        "dataset": "airports"
                      },
                      "plus_days": 0,
                      "days": 1,
                      "otherwise": null
                    }
                  }
                }
              ],
              "output": {
                "location": "live/delay",
                "grain": [
                  "carrier",
                  "origin"
                ],
                "customer": "carrier"
              },
              "live": "v1",
              "shadow": "allowed",
              "versions": {
                "v1": {
                  "name": "v1",
                  "kind": {
                    "sql": {
                      "file": "sql/delay_v1.sql",
                      "threads": 1
                    }
                  },
                  "params": {},
                  "limits": {
                    "wall_secs": null,
                    "memory_bytes": null
                  }
                },
                "v2": {
                  "name": "v2",
                  "kind": {
                    "sql": {
                      "file": "sql/delay_v2.sql",
                      "threads": null
                    }
                  },
                  "params": {
                    "floor": 15,
                    "zone": "UTC"
                  },
                  "limits": {
                    "wall_secs": 600,
                    "memory_bytes": 2000000000
                  }
                },
                "v3": {
                  "name": "v3",
                  "kind": {
                    "sql": {
                      "file": "sql/delay_v2.sql",
                      "threads": null
                    }
                  },
                  "params": {},
                  "limits": {
                    "wall_secs": null,
                    "memory_bytes": null
                  }
                }
              }
            },
            {
              "name": "rank",
              "inputs": [
                {
                  "name": "delay",
                  "source": {
                    "task": "delay"
                  }
                }
              ],
              "output": {
                "location": "live/rank",
                "grain": [
                  "carrier"
                ],
                "customer": "carrier"
              },
              "live": "v1",
              "shadow": "allowed",
              "versions": {
                "v1": {
                  "name": "v1",
                  "kind": {
                    "command": {
                      "argv": [
                        "python3",
                        "rank.py",
                        "--top",
                        "3"
                      ],
                      "code": [
                        "lib/**/*.py"
                      ],
                      "inputs": "csv"
                    }
                  },
                  "params": {},
                  "limits": {
                    "wall_secs": null,
                    "memory_bytes": null
                  }
                }
              }
            },
            {
              "name": "total",
              "inputs": [
                {
                  "name": "rank",
                  "source": {
                    "task": "rank"
                  }
                },
                {
                  "name": "airports",
                  "source": {
                    "stored": {
                      "table": {
                        "dataset": "airports"
                      },
                      "plus_days": 0,
                      "days": 1,
                      "otherwise": null
                    }
                  }
                }
              ],
              "output": {
                "location": "live/total",
                "grain": [
                  "year"
                ],
                "customer": null,
                "masked": [
                  "year"
                ]
              },
              "live": "v1",
              "shadow": "allowed",
              "versions": {
                "v1": {
                  "name": "v1",
                  "kind": {
                    "command": {
                      "argv": [
                        "./bin/total"
                      ],
                      "code": [],
                      "inputs": "parquet"
                    }
                  },
                  "params": {},
                  "limits": {
                    "wall_secs": null,
                    "memory_bytes": null
                  }
                },
                "v2": {
                  "name": "v2",
                  "kind": {
                    "command": {
                      "argv": [
                        "./bin/total",
                        "--fast"
                      ],
                      "code": [],
                      "inputs": "parquet"
                    }
                  },
                  "params": {},
                  "limits": {
                    "wall_secs": null,
                    "memory_bytes": null
                  }
                }
              }
            }
          ],
          "slices": {},
          "changes": {
            "fast-total": {
              "name": "fast-total",
              "new": {
                "total": "v2"
              },
              "downstream": [],
              "expect": {},
              "gate": {
                "clean_runs": null,
                "soak_secs": null,
                "min_rows": null
              },
              "flag": "fast-total"
            },
            "utc-delays": {
              "name": "utc-delays",
              "new": {
                "delay": "v2"
              },
              "downstream": [
                "rank"
              ],
              "expect": {
                "delay": [
                  {
                    "name": "western carriers move a little",
                    "customers": [
                      "AS",
                      "VX"
                    ],
                    "columns": [
                      "mean_delay"
                    ],
                    "kinds": null,
                    "allow": {
                      "within": {
                        "up": {
                          "abs": null,
                          "rel": "0.05",
                          "of": "old",
                          "abs_is_duration": false
                        },
                        "down": {
                          "abs": null,
                          "rel": "0.05",
                          "of": "old",
                          "abs_is_duration": false
                        }
                      }
                    },
                    "reason": null,
                    "until": null
                  },
                  {
                    "name": "set by the run",
                    "customers": null,
                    "columns": [
                      "computed_at"
                    ],
                    "kinds": [
                      "changed"
                    ],
                    "allow": "ignore",
                    "reason": "the clock of the run",
                    "until": "2027-06-30"
                  },
                  {
                    "name": "rule 3",
                    "customers": null,
                    "columns": [
                      "origin"
                    ],
                    "kinds": null,
                    "allow": {
                      "normalize": [
                        "nfc",
                        "trim"
                      ]
                    },
                    "reason": null,
                    "until": null
                  },
                  {
                    "name": "trial customers moved",
                    "customers": [],
                    "customer_query": {
                      "dataset": "accounts",
                      "predicate": "plan = 'trial'"
                    },
                    "columns": [
                      {
                        "glob": "*_delay"
                      },
                      {
                        "type": "float"
                      },
                      "origin"
                    ],
                    "kinds": null,
                    "predicate": "new.mean_delay > old.mean_delay",
                    "must_change": true,
                    "max_rows": 450,
                    "allow": "any",
                    "reason": "the new terminal",
                    "until": null
                  }
                ],
                "rank": [
                  {
                    "name": "rule 1",
                    "customers": [
                      "007",
                      "AS",
                      "VX"
                    ],
                    "columns": null,
                    "kinds": null,
                    "allow": "any",
                    "reason": "ranks follow delays",
                    "until": null
                  },
                  {
                    "name": "rule 2",
                    "customers": null,
                    "columns": null,
                    "kinds": null,
                    "allow": {
                      "within": {
                        "up": {
                          "abs": "1",
                          "rel": "0.01",
                          "of": "max",
                          "abs_is_duration": false
                        },
                        "down": {
                          "abs": "0",
                          "rel": "0.02",
                          "of": "old",
                          "abs_is_duration": false
                        }
                      }
                    },
                    "reason": null,
                    "until": null
                  },
                  {
                    "name": "either bound",
                    "customers": null,
                    "columns": null,
                    "kinds": null,
                    "allow": {
                      "within": {
                        "up": {
                          "abs": "0.5",
                          "rel": "0.01",
                          "of": "max",
                          "abs_is_duration": false
                        },
                        "down": {
                          "abs": "0.5",
                          "rel": "0.01",
                          "of": "max",
                          "abs_is_duration": false
                        }
                      }
                    },
                    "reason": null,
                    "until": null
                  }
                ]
              },
              "gate": {
                "clean_runs": 3,
                "evidence_max_age_secs": 129600,
                "soak_secs": 86400,
                "min_rows": 3,
                "expected_rows": 0.05,
                "max_runtime_ratio": 1.5,
                "max_memory_ratio": 2.0,
                "weekdays": [
                  "mon",
                  "sun"
                ],
                "month_end": true,
                "approvals": 1,
                "min_age_secs": 1209600,
                "waves": [
                  {
                    "customers": [
                      "AS",
                      "VX"
                    ]
                  },
                  {
                    "more": 1
                  },
                  {
                    "share": 0.25
                  },
                  {
                    "share": 1.0
                  }
                ]
              },
              "flag": "utc"
            }
          },
          "suspended": {},
          "flags": "file",
          "live_edits": "refuse",
          "sandbox": "best_effort",
          "notify": [],
          "csv": {
            "bom": true,
            "delimiter": "semicolon",
            "decimal": "comma"
          }
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&spec).unwrap());
}

#[test]
fn tasks_stand_after_those_that_they_read() {
    let text = with("inputs: [flights, airports]", "inputs: [total]")
        .replace("inputs: [rank, airports]", "inputs: [flights]");
    let spec = loaded(&text).spec.unwrap();
    let names: Vec<_> = spec.tasks.iter().map(|task| task.name.as_str()).collect();
    assert_eq!(names, ["total", "delay", "rank"]);
    assert_eq!(
        spec.task("delay").unwrap().inputs,
        [Input {
            name: "total".to_owned(),
            source: InputSource::Task("total".to_owned()),
        }]
    );
}

#[test]
fn a_task_that_reads_several_stands_after_all_of_them() {
    let tasks = [("last", "[z, b, a]"), ("a", "[b]"), ("z", "[a]"), ("b", "[]")].map(|(name, inputs)| {
        let output = format!("{{ location: live/{name}, grain: [k] }}");
        format!("  {name}: {{ inputs: {inputs}, output: {output}, live: v, versions: {{ v: {{ sql: sql/delay_v1.sql }} }} }}\n")
    });
    let spec = loaded(&format!("pipeline: p\ntasks:\n{}", tasks.concat()))
        .spec
        .unwrap();
    let names: Vec<_> = spec.tasks.iter().map(|task| task.name.as_str()).collect();
    assert_eq!(names, ["b", "a", "z", "last"]);
}

#[test]
fn customers_are_the_text_as_written() {
    let text = with(
        "customers: [AS, VX]",
        "customers: [NO, 007, true, 1.50, \"\", 'null', Ärö]",
    );
    let spec = loaded(&text).spec.unwrap();
    let customers = spec.changes["utc-delays"].expect["delay"][0]
        .customers
        .clone()
        .unwrap();
    let expected = ["NO", "007", "true", "1.50", "", "null", "Ärö"].map(str::to_owned);
    assert_eq!(customers, expected.into());
}

#[test]
fn a_file_of_customers_has_one_in_each_line() {
    let spec = loaded(VALID).spec.unwrap();
    let customers = spec.changes["utc-delays"].expect["rank"][0]
        .customers
        .clone()
        .unwrap();
    assert_eq!(customers, ["AS", "VX", "007"].map(str::to_owned).into());
}

#[test]
fn params_are_typed_where_they_are_plain() {
    let text = with(
        "floor: 15, zone: UTC",
        "a: true, b: -3, c: 0.5, d: 007, e: \"true\", f: 2013-01-01",
    );
    let spec = loaded(&text).spec.unwrap();
    let params: Vec<_> = spec.task("delay").unwrap().versions["v2"]
        .params
        .values()
        .cloned()
        .collect();
    let text = |text: &str| Param::Text(text.to_owned());
    assert_eq!(
        params,
        [
            Param::Boolean(true),
            Param::Integer(-3),
            Param::Float(0.5),
            text("007"),
            text("true"),
            text("2013-01-01")
        ]
    );
}

#[test]
fn what_is_not_said_has_its_default() {
    let text = "pipeline: p\ntasks:\n  t: { inputs: [], output: { location: o, grain: [k] }, live: 1, versions: { 1: { sql: sql/delay_v1.sql } } }\n";
    let spec = loaded(text).spec.unwrap();
    assert_eq!(spec.store, "./store");
    assert!(matches!(
        &spec.tasks[0].versions["1"].kind,
        VersionKind::Sql { threads: None, .. }
    ));
}

#[test]
fn versions_with_problems_are_left_out_when_nobody_needs_them() {
    let spec = loaded(&with("v3: { sql: sql/delay_v2.sql", "v3: { sql: gone.sql"))
        .spec
        .unwrap();
    assert_eq!(
        spec.task("delay")
            .unwrap()
            .versions
            .keys()
            .collect::<Vec<_>>(),
        ["v1", "v2"]
    );
    assert_eq!(spec.changes.len(), 2);
}

#[test]
fn an_alias_stands_for_its_value() {
    let text = with("grain: [carrier], customer", "grain: *key, customer")
        .replace("grain: [carrier, origin]", "grain: &key [carrier, origin]");
    let spec = loaded(&text).spec.unwrap();
    assert_eq!(
        spec.task("rank").unwrap().output.grain,
        ["carrier", "origin"]
    );
}

#[test]
fn a_suspended_change_knows_why() {
    let loaded = loaded(&with("within: 5%", "within: -5%"));
    let spec = loaded.spec.unwrap();
    assert_eq!(spec.suspended["utc-delays"], loaded.problems);
    assert_eq!(spec.changes.keys().collect::<Vec<_>>(), ["fast-total"]);
}

#[test]
fn rules_can_stand_by_themselves() {
    let text =
        "- { columns: [price], within: 0.5 }\n- { name: clock, ignore: true, reason: the run's }\n";
    let names: Vec<_> = load_rules(text, "rules.yaml", &Folder)
        .unwrap()
        .into_iter()
        .map(|rule| rule.name)
        .collect();
    assert_eq!(names, ["rule 1", "clock"]);
}

#[track_caller]
fn within(text: &str, up: &str, down: &str) {
    let rules = load_rules(&format!("- within: {text}\n"), "rules.yaml", &Folder).unwrap();
    let Allowance::Within(within) = &rules[0].allow else {
        panic!("{text}")
    };
    let shown = |bound: &Bound| {
        let abs = bound.abs.as_ref().map(|abs| format!("abs {abs}"));
        let unit = bound.abs_is_duration.then(|| "ns".to_owned());
        let rel = bound
            .rel
            .as_ref()
            .map(|rel| format!("rel {rel} of {:?}", bound.of));
        let parts: Vec<_> = [abs, unit, rel].into_iter().flatten().collect();
        parts.join(" ")
    };
    assert_eq!(
        (shown(&within.up), shown(&within.down)),
        (up.to_owned(), down.to_owned()),
        "{text}"
    );
}

#[test]
fn tolerances_with_several_parts() {
    within("0.5", "abs 0.5", "abs 0.5");
    within("{ abs: 0.5 }", "abs 0.5", "abs 0.5");
    within(
        "{ abs: 0.5, rel: 5% }",
        "abs 0.5 rel 0.05 of Old",
        "abs 0.5 rel 0.05 of Old",
    );
    within("{ rel: 5%, of: max }", "rel 0.05 of Max", "rel 0.05 of Max");
    within("{ rel: 5%, of: old }", "rel 0.05 of Old", "rel 0.05 of Old");
    within("{ up: 10%, down: 0 }", "rel 0.1 of Old", "abs 0");
    within("{ up: 1s }", "abs 1000000000 ns", "");
    within(
        "{ down: { abs: 1, rel: 1%, of: max }, up: 2 }",
        "abs 2",
        "abs 1 rel 0.01 of Max",
    );
}

#[track_caller]
fn wrong_within(text: &str, expected: &Expect) {
    let problems = load_rules(&format!("- within: {text}\n"), "rules.yaml", &Folder).unwrap_err();
    let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
    expected.assert_eq(&texts.join("\n"));
}

#[test]
fn problems_of_tolerances_with_several_parts() {
    wrong_within(
        "{ up: 10%, abs: 1 }",
        &expect![[r#"
        rules.yaml:1:11: `within` of `rule 1` has a bound for both directions beside one for a single direction
            - within: { up: 10%, abs: 1 }
            hint: write `abs`, `rel` and `of` in a mapping under `up` or `down`"#]],
    );
    wrong_within(
        "{}",
        &expect![[r#"
        rules.yaml:1:11: `within` of `rule 1` has no bound
            - within: {}
            hint: write `abs` or `rel` or both, or `up` or `down` or both"#]],
    );
    wrong_within(
        "{ up: { of: max } }",
        &expect![[r#"
        rules.yaml:1:17: `up` of `within` of `rule 1` has no bound
            - within: { up: { of: max } }
            hint: write `abs` or `rel` or both
        rules.yaml:1:19: `of` of `up` of `within` of rule 1 of the file needs `rel`, which is not there
            - within: { up: { of: max } }
            hint: add `rel: …`, or leave `of` out"#]],
    );
    wrong_within(
        "{ rel: 0.05 }",
        &expect![[r#"
        rules.yaml:1:18: `rel` of `within` of rule 1 of the file must be a percentage of zero or more, not `0.05`
            - within: { rel: 0.05 }
            hint: write a number and %, such as `5%`"#]],
    );
    wrong_within(
        "{ abs: 5%, of: new }",
        &expect![[r#"
        rules.yaml:1:18: `abs` of `within` of rule 1 of the file must be a number of zero or more, or a duration, not `5%`
            - within: { abs: 5%, of: new }
            hint: write a number such as `0.5`, or for times a duration such as `15m`
        rules.yaml:1:22: `of` of `within` of rule 1 of the file needs `rel`, which is not there
            - within: { abs: 5%, of: new }
            hint: add `rel: …`, or leave `of` out
        rules.yaml:1:26: `of` of `within` of rule 1 of the file cannot be `new`
            - within: { abs: 5%, of: new }
            hint: the words for it are: max, old"#]],
    );
    wrong_within(
        "{ abs: -1, upp: 2 }",
        &expect![[r#"
        rules.yaml:1:18: `abs` of `within` of rule 1 of the file must be a number of zero or more, or a duration, not `-1`
            - within: { abs: -1, upp: 2 }
            hint: write a number such as `0.5`, or for times a duration such as `15m`
        rules.yaml:1:22: unknown key `upp` in `within` of rule 1 of the file
            - within: { abs: -1, upp: 2 }
            hint: did you mean `up`? the keys here are: abs, down, of, rel, up"#]],
    );
    wrong_within(
        "[1, 2]",
        &expect![[r#"
        rules.yaml:1:11: `within` of rule 1 of the file must be a distance of zero or more, not a list
            - within: [1, 2]
            hint: write a number or a percentage, such as `0.5` or `5%`, or for times a duration such as `15m`"#]],
    );
}

#[test]
fn problems_of_rules_that_stand_by_themselves() {
    let problems = load_rules(
        "- { within: x }\n- { column: [a], ignore: true }\n",
        "rules.yaml",
        &Folder,
    )
    .unwrap_err();
    let text: Vec<_> = problems.iter().map(ToString::to_string).collect();
    expect![[r#"
        rules.yaml:1:13: `within` of rule 1 of the file must be a distance of zero or more, not `x`
            - { within: x }
            hint: write a number or a percentage, such as `0.5` or `5%`, or for times a duration such as `15m`
        rules.yaml:2:5: unknown key `column` in rule 2 of the file
            - { column: [a], ignore: true }
            hint: did you mean `columns`? the keys here are: allow, columns, customers, ignore, kinds, max_rows, must_change, name, normalize, reason, until, where, within
        rules.yaml:2:18: `ignore` of rule 2 of the file needs `reason`, which is not there
            - { column: [a], ignore: true }
            hint: add `reason: …`, or leave `ignore` out"#]].assert_eq(&text.join("\n"));
    let problems = load_rules("rules: []", "rules.yaml", &Folder).unwrap_err();
    expect![[r#"
        rules.yaml:1:1: the file must be a list, not a mapping
            rules: []
            hint: write one rule or more in brackets: `[a, b]`"#]]
    .assert_eq(&problems[0].to_string());
}
