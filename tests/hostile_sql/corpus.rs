//! The statements, from their file.

/// One of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Statement {
    /// What it tries.
    pub(super) tries: String,
    /// What is said of it.
    pub(super) expected: Expected,
    /// The query, with places such as `{canary}` in it.
    pub(super) sql: String,
}

/// What is said of a statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Expected {
    /// It is refused with a text that has this in it.
    Refused(String),
    /// Whatever there is to say: it may give a result, be refused, or end its worker.
    Anything,
}

pub(super) fn all() -> Vec<Statement> {
    let text = include_str!("statements.txt");
    text.split("\n\n-- ").skip(1).map(statement).collect()
}

fn statement(block: &str) -> Statement {
    let (tries, rest) = block.split_once("\n=> ").expect("an expectation follows");
    let (expected, sql) = rest.split_once('\n').unwrap_or((rest, ""));
    Statement {
        tries: tries.to_owned(),
        expected: match expected {
            "*" => Expected::Anything,
            "!" => Expected::Refused(String::new()),
            text => Expected::Refused(text.to_owned()),
        },
        sql: expanded(sql),
    }
}

/// `{{3*ab}}` is `ababab`, and `{{NUL}}` and others are characters that nobody sees.
fn expanded(sql: &str) -> String {
    let mut parts = sql.split("{{");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (what, rest) = part.split_once("}}").expect("it is closed");
        text += &match what {
            "NUL" => "\0".to_owned(),
            "BOM" => "\u{feff}".to_owned(),
            "LS" => "\u{2028}".to_owned(),
            "CR" => "\r".to_owned(),
            "RLO" => "\u{202e}".to_owned(),
            many => {
                let (count, what) = many.split_once('*').expect("it says how often");
                what.repeat(count.parse().expect("it is a number"))
            }
        };
        text += rest;
    }
    text
}
