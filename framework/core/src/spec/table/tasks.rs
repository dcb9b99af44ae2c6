//! Datasets, tasks and versions.

use super::super::shape::Need::{Optional, Required, With};
use super::super::shape::{ByName, Key, ListOf, OneOf, Owner, Section, Shape};

pub(super) static DATASET: Section = Section {
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

pub(super) static TASK: Section = Section {
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
        unless: None,
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

pub(super) static LIMITS: Section = Section {
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
