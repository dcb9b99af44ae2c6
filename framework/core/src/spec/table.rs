//! Every key of the pipeline file.

use super::shape::Need::{Optional, Required, With};
use super::shape::Shape;
use super::shape::{ByName, Key, ListOf, OneOf, Owner, Section};

/// The whole file.
pub(crate) static PIPELINE: Section = Section {
    about: "A pipeline of Understudy: datasets, the tasks that compute others from them, and the changes to these tasks.",
    keys: &[
        Key {
            name: "pipeline",
            about: "The pipeline's name.",
            shape: Shape::Text,
            need: Required,
        },
        Key {
            name: "store",
            about: "Where runs, quarantine and ledger are kept; `./store` by default.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "owner",
            about: "Who owns the pipeline.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "runbook",
            about: "Where the person on call reads on.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "datasets",
            about: "The tables that no task of this pipeline makes, by name.",
            shape: Shape::ByName(&ByName {
                of: Shape::Section(&DATASET),
                noun: "dataset",
                may_be_empty: true,
                owner: Owner::Parent,
            }),
            need: Optional,
        },
        Key {
            name: "slices",
            about: "Sets of customers that can be run by themselves, by name, such as those of one time zone.",
            shape: Shape::ByName(&ByName {
                of: Shape::ListOr(&CUSTOMERS, &SLICE),
                noun: "slice",
                may_be_empty: true,
                owner: Owner::Parent,
            }),
            need: Optional,
        },
        Key {
            name: "tasks",
            about: "The tasks, by name. The name of a task is also the name of the dataset that it makes.",
            shape: Shape::ByName(&ByName {
                of: Shape::Section(&TASK),
                noun: "task",
                may_be_empty: false,
                owner: Owner::Task,
            }),
            need: Required,
        },
        Key {
            name: "changes",
            about: "The changes that are being rolled out, by name.",
            shape: Shape::ByName(&ByName {
                of: Shape::Section(&CHANGE),
                noun: "change",
                may_be_empty: true,
                owner: Owner::Change,
            }),
            need: Optional,
        },
        Key {
            name: "flags",
            about: "Where stages of lanes come from.",
            shape: Shape::Section(&FLAGS),
            need: Optional,
        },
        Key {
            name: "live_edits",
            about: "What becomes of an edit of a live version: `alert` publishes it and says so (the default), `refuse` keeps every run that would publish it from beginning.",
            shape: Shape::Word(&["alert", "refuse"]),
            need: Optional,
        },
        Key {
            name: "sandbox",
            about: "What becomes of a shadow where the machine cannot confine it fully: `best_effort` runs it under what there is and says so (the default), `required` does not run it.",
            shape: Shape::Word(&["best_effort", "required"]),
            need: Optional,
        },
        Key {
            name: "notify",
            about: "Who is told of runs; it never delays or fails one.",
            shape: Shape::List(&ListOf {
                of: Shape::Section(&NOTIFY),
                noun: "receiver",
                may_be_empty: true,
            }),
            need: Optional,
        },
    ],
    one_of: None,
};

static DATASET: Section = Section {
    about: "A table that is read and never written.",
    keys: &[
        Key {
            name: "location",
            about: "A file, a folder, a glob or a Hive-partitioned folder of Parquet or CSV; `{date}` and `{date-1d}` stand for the run date, `{slice}` for the slice.",
            shape: Shape::Text,
            need: Required,
        },
        Key {
            name: "window",
            about: "How many days a task reads, those that end with the run date; `1d` by default.",
            shape: Shape::Days { min: 1 },
            need: Optional,
        },
        Key {
            name: "customer",
            about: "The column that says whose row it is; a run of a slice reads the rows of its customers only.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "types",
            about: "Types of CSV columns; they go before what is inferred.",
            shape: Shape::ByName(&ByName {
                of: Shape::ColumnType,
                noun: "column",
                may_be_empty: true,
                owner: Owner::Parent,
            }),
            need: Optional,
        },
        COLUMNS,
    ],
    one_of: None,
};

/// What is said of single columns.
const COLUMNS: Key = Key {
    name: "columns",
    about: "Columns whose values are not shown: `email: mask` puts a keyed digest in the place of each value in every report, log, error and example; also in the tasks downstream, where the column keeps its name.",
    shape: Shape::ByName(&ByName {
        of: Shape::Word(&["mask"]),
        noun: "column",
        may_be_empty: true,
        owner: Owner::Parent,
    }),
    need: Optional,
};

static TASK: Section = Section {
    about: "A task: it computes one dataset from others.",
    keys: &[
        Key {
            name: "inputs",
            about: "The datasets and tasks that it reads.",
            shape: Shape::List(&ListOf {
                of: Shape::TextOr(&INPUT),
                noun: "input",
                may_be_empty: true,
            }),
            need: Required,
        },
        Key {
            name: "output",
            about: "What it makes.",
            shape: Shape::Section(&OUTPUT),
            need: Required,
        },
        Key {
            name: "live",
            about: "The version that is live.",
            shape: Shape::Text,
            need: Required,
        },
        Key {
            name: "shadow",
            about: "`never`: it is not run as a shadow, as it does more than compute its output; it delivers, sends or loads something.",
            shape: Shape::Word(&["never"]),
            need: Optional,
        },
        Key {
            name: "versions",
            about: "Its versions, by name.",
            shape: Shape::ByName(&ByName {
                of: Shape::Section(&VERSION),
                noun: "version",
                may_be_empty: false,
                owner: Owner::Version,
            }),
            need: Required,
        },
    ],
    one_of: None,
};

static INPUT: Section = Section {
    about: "An input of other days, or under another name.",
    keys: &[
        Key {
            name: "dataset",
            about: "The dataset, or the task whose output is meant.",
            shape: Shape::Text,
            need: Required,
        },
        Key {
            name: "date",
            about: "The day that is read, such as `-1d` for the day before; of a task, what was published then.",
            shape: Shape::Days { min: -36_525 },
            need: Optional,
        },
        Key {
            name: "window",
            about: "How many days are read, that day included, such as `30d`; of a task, the days before the run date.",
            shape: Shape::Days { min: 1 },
            need: Optional,
        },
        Key {
            name: "as",
            about: "The name that the task knows it by; by default that of the dataset.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "else",
            about: "The dataset that is read where none of these days is there yet, as before the first run.",
            shape: Shape::Text,
            need: Optional,
        },
    ],
    one_of: None,
};

static OUTPUT: Section = Section {
    about: "What a task makes.",
    keys: &[
        Key {
            name: "location",
            about: "The folder below which it is published, as `date=<date>/data.parquet`; not needed where the live version is external.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "grain",
            about: "The columns that identify a row.",
            shape: Shape::List(&ListOf {
                of: Shape::Text,
                noun: "column",
                may_be_empty: false,
            }),
            need: Required,
        },
        Key {
            name: "customer",
            about: "The column that says whose row it is.",
            shape: Shape::Text,
            need: Optional,
        },
        COLUMNS,
    ],
    one_of: None,
};

static VERSION: Section = Section {
    about: "One implementation of a task.",
    keys: &[
        Key {
            name: "sql",
            about: "The file with its one SQL query.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "command",
            about: "The program and its arguments; the working directory is the pipeline file's folder.",
            shape: Shape::List(&ListOf {
                of: Shape::Verbatim,
                noun: "argument",
                may_be_empty: false,
            }),
            need: Optional,
        },
        Key {
            name: "external",
            about: "Somebody else runs and publishes it; what it left is read.",
            shape: Shape::Section(&EXTERNAL),
            need: Optional,
        },
        Key {
            name: "merge",
            about: "The inputs are put together.",
            shape: Shape::Section(&MERGE),
            need: Optional,
        },
        Key {
            name: "rust",
            about: "A task that is compiled into the program, by the name under which it is registered.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "code",
            about: "Globs of further files that are part of a command's identity.",
            shape: Shape::List(&ListOf {
                of: Shape::Text,
                noun: "glob",
                may_be_empty: true,
            }),
            need: With("command"),
        },
        Key {
            name: "inputs",
            about: "How a command wants its inputs: as folders of Parquet (the default) or CSV, or as the files' own URLs.",
            shape: Shape::Word(&["parquet", "csv", "urls"]),
            need: With("command"),
        },
        Key {
            name: "threads",
            about: "How many partitions a query is computed in; 1 makes it reproducible to the last bit.",
            shape: Shape::Count { min: 1, max: 256 },
            need: With("sql"),
        },
        Key {
            name: "params",
            about: "Values that it is given, by name.",
            shape: Shape::ByName(&ByName {
                of: Shape::Param,
                noun: "parameter",
                may_be_empty: true,
                owner: Owner::Parent,
            }),
            need: Optional,
        },
        Key {
            name: "limits",
            about: "What it may use up.",
            shape: Shape::Section(&LIMITS),
            need: Optional,
        },
        Key {
            name: "env",
            about: "Environment variables of a command or a Rust task, by name; a secret as `${env:NAME}` or `${file:path}`. As a shadow it has these and a few plain ones, and no others.",
            shape: Shape::ByName(&ENV),
            need: Optional,
        },
        Key {
            name: "shadow",
            about: "What is different where it runs as a shadow.",
            shape: Shape::Section(&SHADOW),
            need: Optional,
        },
        Key {
            name: "hosts",
            about: "The hosts that a command or a Rust task needs, such as `db.example.org` or `db.example.org:5432`: without any, a shadow has no network. What it reads there is not pinned.",
            shape: Shape::List(&ListOf {
                of: Shape::Text,
                noun: "host",
                may_be_empty: false,
            }),
            need: Optional,
        },
    ],
    one_of: Some(&OneOf {
        keys: &["sql", "command", "external", "merge", "rust"],
        none: "does not say how it computes",
        several: "computes in two ways",
        fix: "write one of `sql: <file>`, `command: [<program>, <argument>, …]`, `external: { location: … }`, `merge: { how: …, missing: … }` and `rust: <name>`",
    }),
};

static ENV: ByName = ByName {
    of: Shape::Verbatim,
    noun: "variable",
    may_be_empty: true,
    owner: Owner::Parent,
};

static SHADOW: Section = Section {
    about: "What is different where a version runs as a shadow.",
    keys: &[Key {
        name: "env",
        about: "Environment variables that take the place of those in `env`, such as credentials that cannot write.",
        shape: Shape::ByName(&ENV),
        need: Required,
    }],
    one_of: None,
};

static EXTERNAL: Section = Section {
    about: "A version that somebody else runs and publishes.",
    keys: &[Key {
        name: "location",
        about: "Where it leaves its output: as of a dataset, with `{date}` for the run date.",
        shape: Shape::Text,
        need: Required,
    }],
    one_of: None,
};

static MERGE: Section = Section {
    about: "How inputs are put together.",
    keys: &[
        Key {
            name: "how",
            about: "`union`: their rows, by the names of the columns; `join`: their columns, by the grain.",
            shape: Shape::Word(&["union", "join"]),
            need: Required,
        },
        Key {
            name: "missing",
            about: "What becomes of what not every input has (of columns in a union, of rows in a join): `keep` it, with NULL for what is missing, `drop` it, or `fail`.",
            shape: Shape::Word(&["keep", "drop", "fail"]),
            need: Required,
        },
    ],
    one_of: None,
};

static CUSTOMERS: ListOf = ListOf {
    of: Shape::Verbatim,
    noun: "customer",
    may_be_empty: false,
};

static SLICE: Section = Section {
    about: "The customers of a slice.",
    keys: &[
        Key {
            name: "file",
            about: "A text file with one customer per line.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "others",
            about: "Everybody who is in no other slice, rows without a customer included.",
            shape: Shape::True,
            need: Optional,
        },
    ],
    one_of: Some(&OneOf {
        keys: &["file", "others"],
        none: "names no customers",
        several: "says it twice",
        fix: "write a list of customers, `file: <path>` or `others: true`",
    }),
};

static LIMITS: Section = Section {
    about: "What one execution of a version may use up.",
    keys: &[
        Key {
            name: "wall",
            about: "Wall time, such as `10m`.",
            shape: Shape::Duration { min_secs: 1 },
            need: Optional,
        },
        Key {
            name: "memory",
            about: "Memory of all its processes together, such as `2GB`.",
            shape: Shape::Memory,
            need: Optional,
        },
        Key {
            name: "disk",
            about: "What a shadow may write in all, such as `20GB`.",
            shape: Shape::Memory,
            need: Optional,
        },
        Key {
            name: "files",
            about: "How many files one process of a shadow may hold open.",
            shape: Shape::Count {
                min: 32,
                max: 1_000_000,
            },
            need: Optional,
        },
        Key {
            name: "processes",
            about: "How many processes and threads a shadow may have.",
            shape: Shape::Count {
                min: 8,
                max: 100_000,
            },
            need: Optional,
        },
    ],
    one_of: None,
};

static CHANGE: Section = Section {
    about: "A change: the unit of rollout.",
    keys: &[
        Key {
            name: "new",
            about: "The new version of each changed task.",
            shape: Shape::ByName(&ByName {
                of: Shape::Text,
                noun: "task",
                may_be_empty: false,
                owner: Owner::Parent,
            }),
            need: Required,
        },
        Key {
            name: "downstream",
            about: "Unchanged tasks that are run in both worlds to see what the change does to them.",
            shape: Shape::List(&ListOf {
                of: Shape::Text,
                noun: "task",
                may_be_empty: true,
            }),
            need: Optional,
        },
        Key {
            name: "expect",
            about: "The differences that are meant, by task. The first rule that selects and allows a difference expects it.",
            shape: Shape::ByName(&ByName {
                of: Shape::List(&RULES),
                noun: "task",
                may_be_empty: true,
                owner: Owner::Parent,
            }),
            need: Optional,
        },
        Key {
            name: "gate",
            about: "When the change may move.",
            shape: Shape::Section(&GATE),
            need: Optional,
        },
        Key {
            name: "flag",
            about: "The flag that moves its lanes; by default the change's own name.",
            shape: Shape::Text,
            need: Optional,
        },
    ],
    one_of: None,
};

/// The rules of one task.
pub(crate) static RULES: ListOf = ListOf {
    of: Shape::Section(&RULE),
    noun: "rule",
    may_be_empty: true,
};

static RULE: Section = Section {
    about: "A rule: which differences it selects, and what it allows of them.",
    keys: &[
        Key {
            name: "name",
            about: "Its name in reports.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "customers",
            about: "The customers whose differences it selects; all, if it is left out.",
            shape: Shape::ListOr(&CUSTOMERS, &CUSTOMERS_FILE),
            need: Optional,
        },
        Key {
            name: "columns",
            about: "The columns whose differences it selects; all, and rows on one side only, if it is left out.",
            shape: Shape::List(&ListOf {
                of: Shape::Text,
                noun: "column",
                may_be_empty: false,
            }),
            need: Optional,
        },
        Key {
            name: "kinds",
            about: "The kinds of difference that it selects; all, if it is left out.",
            shape: Shape::List(&ListOf {
                of: Shape::Word(&KINDS),
                noun: "kind",
                may_be_empty: false,
            }),
            need: Optional,
        },
        Key {
            name: "within",
            about: "How far a cell may move: a number, a percentage of the old value, or for times a duration; or a mapping that says it for each direction, or gives two bounds of which either suffices.",
            shape: Shape::Within(&WITHIN),
            need: Optional,
        },
        Key {
            name: "normalize",
            about: "What the spelling of a cell may differ by; applied to both values, which must then be the same.",
            shape: Shape::List(&ListOf {
                of: Shape::Word(&NORMALIZERS),
                noun: "normaliser",
                may_be_empty: false,
            }),
            need: Optional,
        },
        Key {
            name: "ignore",
            about: "The difference does not matter.",
            shape: Shape::True,
            need: With("reason"),
        },
        Key {
            name: "allow",
            about: "Any difference was meant.",
            shape: Shape::Word(&["any"]),
            need: With("reason"),
        },
        Key {
            name: "reason",
            about: "Why it is allowed.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "until",
            about: "The last date on which it is meant to be needed.",
            shape: Shape::Date,
            need: Optional,
        },
    ],
    one_of: Some(&OneOf {
        keys: &["within", "normalize", "ignore", "allow"],
        none: "allows nothing",
        several: "allows two things",
        fix: "write one of `within: …`, `normalize: […]`, `ignore: true` and `allow: any`",
    }),
};

static WITHIN: Section = Section {
    about: "A tolerance: a bound for both directions, or one for each.",
    keys: &[
        Key {
            name: "up",
            about: "How far a cell may grow; not at all, if only `down` stands there.",
            shape: Shape::Within(&BOUND),
            need: Optional,
        },
        Key {
            name: "down",
            about: "How far a cell may shrink; not at all, if only `up` stands there.",
            shape: Shape::Within(&BOUND),
            need: Optional,
        },
        ABS,
        REL,
        OF,
    ],
    one_of: None,
};

static BOUND: Section = Section {
    about: "A bound.",
    keys: &[ABS, REL, OF],
    one_of: None,
};

const ABS: Key = Key {
    name: "abs",
    about: "The distance itself; where `rel` stands there too, either suffices.",
    shape: Shape::Distance,
    need: Optional,
};

const REL: Key = Key {
    name: "rel",
    about: "The distance as a percentage.",
    shape: Shape::Percentage,
    need: Optional,
};

const OF: Key = Key {
    name: "of",
    about: "What the percentage is of: the old value, or the greater one; the old one, if it is left out.",
    shape: Shape::Word(&["old", "max"]),
    need: With("rel"),
};

/// The kinds of difference, as rules name them.
static KINDS: [&str; 6] = [
    "changed",
    "only_old",
    "only_new",
    "column_added",
    "column_removed",
    "type_changed",
];

/// The normalisers, as rules name them.
static NORMALIZERS: [&str; 7] = [
    "trim",
    "case",
    "whitespace",
    "nfc",
    "nfkc",
    "empty_is_null",
    "unordered",
];

static CUSTOMERS_FILE: Section = Section {
    about: "Customers that a file lists.",
    keys: &[Key {
        name: "file",
        about: "A text file with one customer per line.",
        shape: Shape::Text,
        need: Required,
    }],
    one_of: None,
};

static GATE: Section = Section {
    about: "The policy of a change's gate.",
    keys: &[
        Key {
            name: "clean_runs",
            about: "How many run dates in a row must be clean.",
            shape: Shape::Count {
                min: 1,
                max: 10_000,
            },
            need: Optional,
        },
        Key {
            name: "evidence_max_age",
            about: "How long ago the newest of them may have been judged; by default `48h`.",
            shape: Shape::Duration { min_secs: 1 },
            need: Optional,
        },
        Key {
            name: "soak",
            about: "For how long they must have been clean, such as `24h`.",
            shape: Shape::Duration { min_secs: 0 },
            need: Optional,
        },
        Key {
            name: "min_rows",
            about: "The rows of a lane that the streak must have compared.",
            shape: Shape::Count {
                min: 1,
                max: 1_000_000_000_000,
            },
            need: Optional,
        },
        Key {
            name: "expected_rows",
            about: "The share of a lane's old rows that may differ as expected, such as `5%`.",
            shape: Shape::Percentage,
            need: Optional,
        },
        Key {
            name: "max_runtime_ratio",
            about: "How many times as long as the old version the new one may take; under ten seconds nothing is asked.",
            shape: Shape::Ratio,
            need: Optional,
        },
        Key {
            name: "max_memory_ratio",
            about: "How many times the old version's memory the new one may take; under ten seconds nothing is asked.",
            shape: Shape::Ratio,
            need: Optional,
        },
        Key {
            name: "weekdays",
            about: "The days of the week that must be among the clean run dates.",
            shape: Shape::List(&ListOf {
                of: Shape::Word(&["mon", "tue", "wed", "thu", "fri", "sat", "sun"]),
                noun: "day",
                may_be_empty: false,
            }),
            need: Optional,
        },
        Key {
            name: "month_end",
            about: "Whether the last day of a month must be among the clean run dates.",
            shape: Shape::True,
            need: Optional,
        },
        Key {
            name: "approvals",
            about: "How many people, other than who moves it, must have approved of the evidence.",
            shape: Shape::Count { min: 1, max: 100 },
            need: Optional,
        },
        Key {
            name: "waves",
            about: "Who goes live one after the other with `flip --next`: lists of customers, numbers of them, or the share of all that has gone then.",
            shape: Shape::List(&ListOf {
                of: Shape::Wave(&ListOf {
                    of: Shape::Verbatim,
                    noun: "customer",
                    may_be_empty: false,
                }),
                noun: "wave",
                may_be_empty: false,
            }),
            need: Optional,
        },
        Key {
            name: "min_age",
            about: "For how long every lane must have been live before the change is complete; by default `7d`.",
            shape: Shape::Duration { min_secs: 0 },
            need: Optional,
        },
    ],
    one_of: None,
};

static NOTIFY: Section = Section {
    about: "Somebody who is told of runs.",
    keys: &[
        Key {
            name: "webhook",
            about: "A server that takes a signed message for each piece of news.",
            shape: Shape::Section(&WEBHOOK),
            need: Optional,
        },
        Key {
            name: "openlineage",
            about: "Somebody who collects OpenLineage run events.",
            shape: Shape::Section(&OPENLINEAGE),
            need: Optional,
        },
    ],
    one_of: Some(&OneOf {
        keys: &["webhook", "openlineage"],
        none: "names nobody",
        several: "names two",
        fix: "write one of `webhook: { url: … }` and `openlineage: { url: …, namespace: … }`",
    }),
};

static WEBHOOK: Section = Section {
    about: "A server that takes JSON by POST.",
    keys: &[
        URL,
        Key {
            name: "secret",
            about: "The key of the signature, best as `${env:NAME}` or `${file:path}`; without it, messages are not signed.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "on",
            about: "The news that it hears; by default unexpected, inconclusive, alert and live_failed.",
            shape: Shape::List(&ListOf {
                of: Shape::Word(&[
                    "identical",
                    "expected",
                    "inconclusive",
                    "unexpected",
                    "alert",
                    "live_failed",
                ]),
                noun: "piece of news",
                may_be_empty: false,
            }),
            need: Optional,
        },
        ALLOW_PRIVATE,
    ],
    one_of: None,
};

static OPENLINEAGE: Section = Section {
    about: "Where OpenLineage run events go.",
    keys: &[
        Key {
            need: Optional,
            ..URL
        },
        Key {
            name: "file",
            about: "A file to which each event is added as a line; its path begins at the pipeline file's folder.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "namespace",
            about: "The namespace of jobs and datasets.",
            shape: Shape::Text,
            need: Required,
        },
        ALLOW_PRIVATE,
    ],
    one_of: Some(&OneOf {
        keys: &["url", "file"],
        none: "says nowhere",
        several: "says two places",
        fix: "write one of `url: …` and `file: …`",
    }),
};

const URL: Key = Key {
    name: "url",
    about: "Its URL, `https://…`; best as `${env:NAME}` or `${file:path}` where it has a secret in it.",
    shape: Shape::Text,
    need: Required,
};

const ALLOW_PRIVATE: Key = Key {
    name: "allow_private",
    about: "Whether it may be at an address that is not public, and be asked without TLS.",
    shape: Shape::True,
    need: Optional,
};

static FLAGS: Section = Section {
    about: "Where stages of lanes come from.",
    keys: &[Key {
        name: "provider",
        about: "`file`: the file `flags.yaml` beside the pipeline file.",
        shape: Shape::Word(&["file"]),
        need: Required,
    }],
    one_of: None,
};

#[cfg(test)]
mod tests {
    use super::{KINDS, NORMALIZERS};
    use crate::rule::{DifferenceKind, Normalizer};

    #[test]
    fn the_words_are_those_of_the_types() {
        for normalizer in Normalizer::ALL {
            assert!(NORMALIZERS.contains(&normalizer.name()), "{normalizer:?}");
        }
        for word in KINDS {
            let kind: DifferenceKind = serde_json::from_value(word.into()).unwrap();
            assert_eq!(kind.name(), word);
        }
    }
}
