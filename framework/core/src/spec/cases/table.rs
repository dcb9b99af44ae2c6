//! Every key of a file of cases.

use crate::spec::shape::Need::{Optional, Required};
use crate::spec::shape::{ByName, Key, ListOf, OneOf, Owner, Section, Shape};
use crate::spec::table::RULES;

/// The most of anything that a case counts.
const MOST: u64 = 1_000_000_000;

/// The whole file.
pub(super) static FILE: Section = Section {
    about: "Cases that test rules.",
    keys: &[Key {
        name: "cases",
        about: "The cases.",
        shape: Shape::List(&ListOf {
            of: Shape::Section(&CASE),
            noun: "case",
            may_be_empty: false,
        }),
        need: Required,
    }],
    one_of: None,
};

const COLUMN_LIST: ListOf = ListOf {
    of: Shape::Text,
    noun: "column",
    may_be_empty: true,
};

static COLUMNS: ListOf = COLUMN_LIST;

const TYPES: Key = Key {
    name: "types",
    about: "Types of columns; those of the others are inferred over both tables.",
    shape: Shape::ByName(&ByName {
        of: Shape::ColumnType,
        noun: "column",
        may_be_empty: true,
        owner: Owner::Parent,
    }),
    need: Optional,
};

static CASE: Section = Section {
    about: "Two small tables, rules, and what comparing them should say.",
    keys: &[
        Key {
            name: "name",
            about: "Its name.",
            shape: Shape::Text,
            need: Required,
        },
        Key {
            name: "change",
            about: "The change whose rules are tried, where several have rules for the task.",
            shape: Shape::Text,
            need: crate::spec::shape::Need::With("task"),
        },
        Key {
            name: "task",
            about: "The task whose rules are tried.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "rules",
            about: "Rules of its own, written as in a change's `expect`.",
            shape: Shape::List(&RULES),
            need: Optional,
        },
        Key {
            name: "customers_of",
            about: "The customers of rules that find them by a query.",
            shape: Shape::ByName(&ByName {
                of: Shape::List(&ListOf {
                    of: Shape::Verbatim,
                    noun: "customer",
                    may_be_empty: true,
                }),
                noun: "name of a rule",
                may_be_empty: true,
                owner: Owner::Parent,
            }),
            need: Optional,
        },
        Key {
            name: "key",
            about: "The columns that identify a row; by default the grain of the task.",
            shape: Shape::List(&COLUMNS),
            need: Optional,
        },
        Key {
            name: "customer",
            about: "The column that says whose row it is; by default that of the task.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "columns",
            about: "The columns of both tables, where rows are lists.",
            shape: Shape::List(&COLUMNS),
            need: Optional,
        },
        TYPES,
        Key {
            name: "old",
            about: "The old table: its rows, or a mapping with `columns`, `types` and `rows`.",
            shape: Shape::ListOr(&ROWS, &TABLE),
            need: Required,
        },
        Key {
            name: "new",
            about: "The new table.",
            shape: Shape::ListOr(&ROWS, &TABLE),
            need: Required,
        },
        Key {
            name: "expect",
            about: "What comparing them should say.",
            shape: Shape::Section(&EXPECT),
            need: Required,
        },
    ],
    one_of: Some(&OneOf {
        keys: &["task", "rules"],
        unless: None,
        none: "tries no rules",
        several: "names a task and has rules of its own",
        fix: "write `task:` for the rules of the pipeline, or `rules:`, which may be empty: `rules: []`",
    }),
};

static ROWS: ListOf = ListOf {
    of: Shape::Anything,
    noun: "row",
    may_be_empty: true,
};

static TABLE: Section = Section {
    about: "A table.",
    keys: &[
        Key {
            name: "columns",
            about: "Its columns, where rows are lists.",
            shape: Shape::List(&COLUMNS),
            need: Optional,
        },
        TYPES,
        Key {
            name: "rows",
            about: "Its rows.",
            shape: Shape::List(&ROWS),
            need: Required,
        },
    ],
    one_of: None,
};

const COUNT: Shape = Shape::Count { min: 0, max: MOST };

/// Numbers by name.
const fn counts(noun: &'static str) -> ByName {
    ByName {
        of: COUNT,
        noun,
        may_be_empty: true,
        owner: Owner::Parent,
    }
}

static RULE_COUNTS: ByName = counts("name of a rule");
static COLUMN_COUNTS: ByName = counts("column");
static CUSTOMER_COUNTS: ByName = counts("name of a customer");

static EXPECT: Section = Section {
    about: "What comparing the tables should say.",
    keys: &[
        Key {
            name: "verdict",
            about: "The verdict.",
            shape: Shape::Word(&["identical", "expected", "inconclusive", "unexpected"]),
            need: Required,
        },
        Key {
            name: "differences",
            about: "All differences: changed cells, rows on one side, columns added, removed and retyped.",
            shape: COUNT,
            need: Optional,
        },
        Key {
            name: "unexpected",
            about: "Rows with a difference that no rule allows.",
            shape: COUNT,
            need: Optional,
        },
        Key {
            name: "rules",
            about: "The differences that each rule expects; one that is not named expects none.",
            shape: Shape::ByName(&RULE_COUNTS),
            need: Optional,
        },
        Key {
            name: "columns",
            about: "Unexpected cells by column; one that is not named has none.",
            shape: Shape::ByName(&COLUMN_COUNTS),
            need: Optional,
        },
        Key {
            name: "customers",
            about: "Unexpected rows by customer; one that is not named has none.",
            shape: Shape::ByName(&CUSTOMER_COUNTS),
            need: Optional,
        },
    ],
    one_of: None,
};
