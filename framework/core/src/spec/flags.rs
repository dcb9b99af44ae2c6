//! The flag file, with the same reader and the same limits as the pipeline file.

use std::collections::BTreeMap;

use super::yaml::{self, Key, Node, YamlError, YamlErrorKind};
use crate::stage::Stage;

/// The flags of a file, each with the stages of its lanes.
pub type Flags = BTreeMap<String, BTreeMap<String, Stage>>;

/// Reads a flag file: a mapping from flags to mappings from customers to stages. One with nothing in it says nothing.
///
/// # Errors
/// What is wrong with it, with its place and a fix.
pub fn load_flags(text: &str) -> Result<Flags, String> {
    let root = match yaml::parse_flat(text) {
        Ok(root) => root,
        Err(YamlError {
            kind: YamlErrorKind::Empty,
            ..
        }) => return Ok(Flags::new()),
        Err(error) => return Err(at(&error.mark, &error.to_string(), error.kind.fix())),
    };
    if root.scalar().is_some_and(yaml::Scalar::is_null) {
        return Ok(Flags::new());
    }
    let mut flags = Flags::new();
    for (flag, node) in mapping(&root, "flags")? {
        let mut lanes = BTreeMap::new();
        for (customer, node) in mapping(node, "customers")? {
            put(&mut lanes, customer, stage(node)?)?;
        }
        put(&mut flags, flag, lanes)?;
    }
    Ok(flags)
}

fn mapping<'a>(node: &'a Node, of: &str) -> Result<&'a [(Key, Node)], String> {
    match &*node.data {
        yaml::Data::Map(entries) => Ok(entries),
        _ => Err(at(
            &node.mark,
            &format!("a mapping of {of} has to stand here"),
            "write a flag, and under it `customer: stage`, such as `acme: shadow`",
        )),
    }
}

fn put<T>(all: &mut BTreeMap<String, T>, key: &Key, value: T) -> Result<(), String> {
    if all.insert(key.text.clone(), value).is_none() {
        return Ok(());
    }
    let message = format!("`{}` stands here a second time", key.text);
    Err(at(&key.mark, &message, "keep one of them"))
}

fn stage(node: &Node) -> Result<Stage, String> {
    let word = node.scalar().map(|scalar| scalar.text.clone());
    let stage = word.and_then(|word| serde_json::from_value(word.into()).ok());
    stage.ok_or_else(|| {
        at(
            &node.mark,
            "this is no stage",
            "the stages are: off, shadow, live, complete",
        )
    })
}

fn at(mark: &yaml::Mark, message: &str, fix: &str) -> String {
    format!(
        "line {}, column {}: {message}; {fix}",
        mark.line, mark.column
    )
}
