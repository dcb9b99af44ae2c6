//! Checks: what else is compared.

use super::super::shape::Need::{Optional, Required, With};
use super::super::shape::{Key, ListOf, OneOf, Section, Shape};
use super::WITHIN;
use super::tasks::LIMITS;

/// The checks of one task.
pub(super) static CHECKS: ListOf = ListOf {
    of: Shape::Section(&CHECK),
    noun: "check",
    may_be_empty: true,
};

static CHECK: Section = Section {
    about: "A check: what else is compared of the two outputs, and by what.",
    keys: &[
        Key {
            name: "name",
            about: "Its name in reports.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "metrics",
            about: "Figures of both outputs, each with a tolerance.",
            shape: Shape::Section(&METRICS),
            need: Optional,
        },
        Key {
            name: "sql",
            about: "The file with a query over the tables `old` and `new`: each row that it gives is a finding.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "command",
            about: "A program and its arguments: it finds both outputs as folders of Parquet, and writes its findings as a table; the working directory is the pipeline file's folder.",
            shape: Shape::List(&ListOf {
                of: Shape::Verbatim,
                noun: "argument",
                may_be_empty: false,
            }),
            need: Optional,
        },
        Key {
            name: "rust",
            about: "A comparator that is compiled into the program, by the name under which it is registered.",
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
            name: "limits",
            about: "What it may use up; past a limit it says nothing, and the verdict is inconclusive.",
            shape: Shape::Section(&LIMITS),
            need: Optional,
        },
    ],
    one_of: Some(&OneOf {
        keys: &["metrics", "sql", "command", "rust"],
        unless: None,
        none: "does not say how it compares",
        several: "compares in two ways",
        fix: "write one of `metrics: { measure: […] }`, `sql: <file>`, `command: [<program>, <argument>, …]` and `rust: <name>`; for another, add a check",
    }),
};

static METRICS: Section = Section {
    about: "Figures of both outputs.",
    keys: &[
        Key {
            name: "group_by",
            about: "The columns whose values make a group each, such as the customer column; without it, the whole output is one group.",
            shape: Shape::List(&ListOf {
                of: Shape::Text,
                noun: "column",
                may_be_empty: false,
            }),
            need: Optional,
        },
        Key {
            name: "measure",
            about: "The figures.",
            shape: Shape::List(&ListOf {
                of: Shape::Section(&METRIC),
                noun: "figure",
                may_be_empty: false,
            }),
            need: Required,
        },
    ],
    one_of: None,
};

static METRIC: Section = Section {
    about: "A figure, and how far it may move from the old output to the new one.",
    keys: &[
        Key {
            name: "count",
            about: "How many rows there are: `count: rows`.",
            shape: Shape::Word(&["rows"]),
            need: Optional,
        },
        Key {
            name: "sum",
            about: "The sum of this column's values.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "mean",
            about: "The mean of this column's values.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "percentile",
            about: "Percentiles of this column's values.",
            shape: Shape::Text,
            need: With("at"),
        },
        Key {
            name: "at",
            about: "Which percentiles, such as `[50, 95]`.",
            shape: Shape::List(&ListOf {
                of: Shape::Percentile,
                noun: "percentile",
                may_be_empty: false,
            }),
            need: With("percentile"),
        },
        Key {
            name: "distinct",
            about: "How many different values this column has.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "null_rate",
            about: "The share of rows in which this column is NULL, from 0 to 1.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "within",
            about: "How far it may move, as in a rule: a number, a percentage of the old figure, or a mapping; not at all, if it is left out.",
            shape: Shape::Within(&WITHIN),
            need: Optional,
        },
    ],
    one_of: Some(&OneOf {
        keys: &[
            "count",
            "sum",
            "mean",
            "percentile",
            "distinct",
            "null_rate",
        ],
        unless: None,
        none: "measures nothing",
        several: "measures two things",
        fix: "write one of `count: rows`, `sum: <column>`, `mean: <column>`, `percentile: <column>` with `at: […]`, `distinct: <column>` and `null_rate: <column>`; for another figure, add one to the list",
    }),
};
