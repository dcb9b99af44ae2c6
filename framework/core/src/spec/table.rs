//! Every key of the pipeline file.

mod checks;
mod flags;
mod gate;
mod notify;
mod tasks;

use super::shape::Need::{Optional, Required, With};
use super::shape::Shape;
use super::shape::{ByName, Key, ListOf, OneOf, Owner, Section};
use crate::csv_dialect::{DecimalMark, Delimiter};
use checks::CHECKS;
use flags::FLAGS;
use gate::GATE;
use notify::NOTIFY;
use tasks::{DATASET, TASK};

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
        Key {
            name: "reports",
            about: "How report files are written.",
            shape: Shape::Section(&REPORTS),
            need: Optional,
        },
    ],
    one_of: None,
};

static REPORTS: Section = Section {
    about: "How report files are written.",
    keys: &[Key {
        name: "csv",
        about: "What `diff.csv` and `customers.csv` look like.",
        shape: Shape::Section(&CSV),
        need: Optional,
    }],
    one_of: None,
};

static CSV: Section = Section {
    about: "What a CSV file looks like, for the spreadsheet that opens it.",
    keys: &[
        Key {
            name: "bom",
            about: "It begins with a byte order mark, by which some spreadsheets know UTF-8.",
            shape: Shape::True,
            need: Optional,
        },
        Key {
            name: "delimiter",
            about: "What stands between fields: `,` (the default), `;` or `tab`.",
            shape: Shape::Word(Delimiter::WORDS),
            need: Optional,
        },
        Key {
            name: "decimal",
            about: "What stands before the decimals of a number: `.` (the default) or `,`; texts are left as they are.",
            shape: Shape::Word(DecimalMark::WORDS),
            need: Optional,
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
        unless: None,
        none: "names no customers",
        several: "says it twice",
        fix: "write a list of customers, `file: <path>` or `others: true`",
    }),
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
            name: "compare",
            about: "What else is compared, by task: figures, queries, programs. What they find is unexpected, unless a rule expects it.",
            shape: Shape::ByName(&ByName {
                of: Shape::List(&CHECKS),
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
            about: "The columns whose differences it selects, by name, by pattern (`*_at`) or by type; all, and rows on one side only, if it is left out.",
            shape: Shape::List(&ListOf {
                of: Shape::TextOr(&COLUMNS_OF_TYPE),
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
            name: "where",
            about: "A SQL predicate over `old.…`, `new.…` and the key; rows for which it is not true are not selected.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "must_change",
            about: "Each of its customers that has rows must have a difference that it selects.",
            shape: Shape::True,
            need: Optional,
        },
        Key {
            name: "max_rows",
            about: "The most rows that it may forgive; where there are more, it counts as absent.",
            shape: Shape::Count {
                min: 1,
                max: 1_000_000_000_000,
            },
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
        unless: Some("must_change"),
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

static COLUMNS_OF_TYPE: Section = Section {
    about: "All columns of a type, or the one of a name in which `*` or `?` stand for themselves.",
    keys: &[
        Key {
            name: "type",
            about: "The type: `number` is `integer`, `decimal` and `float`.",
            shape: Shape::Word(&TYPE_FAMILIES),
            need: Optional,
        },
        Key {
            name: "name",
            about: "The name, exactly.",
            shape: Shape::Text,
            need: Optional,
        },
    ],
    one_of: Some(&OneOf {
        keys: &["type", "name"],
        unless: None,
        none: "says neither a type nor a name",
        several: "says a type and a name",
        fix: "write one of `type: …` and `name: …`",
    }),
};

/// The types of columns, as rules name them.
static TYPE_FAMILIES: [&str; 13] = [
    "number",
    "integer",
    "decimal",
    "float",
    "text",
    "boolean",
    "date",
    "time",
    "timestamp",
    "duration",
    "binary",
    "list",
    "struct",
];

/// The kinds of difference, as rules name them.
static KINDS: [&str; 8] = [
    "changed",
    "only_old",
    "only_new",
    "column_added",
    "column_removed",
    "type_changed",
    "metric",
    "check",
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
    about: "Customers that a file lists, or that a dataset has.",
    keys: &[
        Key {
            name: "file",
            about: "A text file with one customer per line.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "dataset",
            about: "A dataset with a `customer` column: those who have rows in it.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "where",
            about: "A SQL predicate over the dataset's columns; those with a row for which it is true.",
            shape: Shape::Text,
            need: With("dataset"),
        },
    ],
    one_of: Some(&OneOf {
        keys: &["file", "dataset"],
        unless: None,
        none: "says neither a file nor a dataset",
        several: "says a file and a dataset",
        fix: "write one of `file: …` and `dataset: …`",
    }),
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
